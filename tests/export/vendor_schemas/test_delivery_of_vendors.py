"""Vendors get what the collector got: lost beacons are lost, doubled ones come twice, a wrong clock shows its time."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from simulator.export.vendors import steps
from simulator.export.vendors.ga4 import ga4_table
from simulator.export.vendors.ga4_mp import requests
from simulator.export.vendors.google_retail import user_events
from simulator.export.vendors.personalize import interactions

DROPPED, DOUBLED, AHEAD_US = 2, 5, 90_000_000
"""The step of the walk that is lost (a product page), the one that comes twice (into the cart), the clock's error."""


@pytest.fixture
def dirty(monkeypatch):
    """Let one step be lost, another come twice, all in reverse order, by a clock that is ahead."""
    clean = steps.delivered

    def deliver(source):
        table = clean(source)
        rows = [row for row in range(len(table)) if row != DROPPED]
        table = table.take([*rows, DOUBLED][::-1])
        place = table.schema.get_field_index("device_at_us")
        ahead = table["device_at_us"].to_numpy() + AHEAD_US
        return table.set_column(place, "device_at_us", pa.array(ahead))

    monkeypatch.setattr(steps, "delivered", deliver)


@pytest.mark.usefixtures("dirty")
def test_events_of_a_lost_step_are_lost_and_of_a_doubled_one_doubled(walked):
    """GA4 misses the lost product page and counts the doubled tap twice; the cart itself knows better."""
    names = Counter(ga4_table(walked)["event_name"].to_pylist())
    assert (names["view_item"], names["add_to_cart"]) == (3, 5)
    (order,) = [row for row in ga4_table(walked).to_pylist() if row["event_name"] == "purchase"]
    assert [item["quantity"] for item in order["items"]] == [2, 1]


@pytest.mark.usefixtures("dirty")
def test_every_schema_loses_and_doubles_the_same(walked):
    """Personalize, Retail and the Measurement Protocol have three views and five additions too."""
    told = Counter(interactions(walked)["EVENT_TYPE"].to_pylist())
    assert (told["View"], told["AddToCart"]) == (3, 5)
    told = Counter(user_events(walked)["event_type"].to_pylist())
    assert (told["detail-page-view"], told["add-to-cart"]) == (3, 5)
    bodies = map(json.loads, requests(walked)["request"].to_pylist())
    told = Counter(event["name"] for body in bodies for event in body["events"])
    assert (told["view_item"], told["add_to_cart"]) == (3, 5)


@pytest.mark.usefixtures("dirty")
def test_a_wrong_clock_dates_events_and_session_alike(walked, monkeypatch):
    """Timestamps are the device's; the offset to the server says how wrong they are."""
    table = ga4_table(walked)
    offset = table["event_server_timestamp_offset"].to_numpy()
    monkeypatch.undo()
    clean = ga4_table(walked)
    assert table["event_timestamp"].to_numpy().min() == clean["event_timestamp"].to_numpy().min() + AHEAD_US
    assert np.all(offset == clean["event_server_timestamp_offset"].to_numpy()[0] - AHEAD_US)
    start = next(row for row in table.to_pylist() if row["event_name"] == "session_start")
    (session,) = [p["value"]["int_value"] for p in start["event_params"] if p["key"] == "ga_session_id"]
    assert session == start["event_timestamp"] // 1_000_000
