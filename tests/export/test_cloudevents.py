"""CloudEvents: envelopes that the specification's own SDK accepts, with our events in them and no truth."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from simulator.export.vendors.cloudevents import TYPES, cloudevents, observable
from simulator.journey.tables import COLUMNS
from simulator.model.states import STATE_NAMES


@pytest.fixture(scope="module")
def envelopes(shard, rows_of):
    """Return the envelopes of 300 shoppers as JSON."""
    return rows_of(shard, "cloudevents")


def test_every_envelope_has_the_published_shape(envelopes, validator_of):
    """Each row is a CloudEvent of version 1.0 in the structured JSON format."""
    check = validator_of("cloudevents")
    faults = [error.message for envelope in envelopes for error in check.iter_errors(envelope)]
    assert not faults, faults[:3]
    assert not check.is_valid(envelopes[0] | {"specversion": "0.3"})
    assert not check.is_valid(envelopes[0] | {"partition_key": "1"})


def test_the_specifications_sdk_reads_every_envelope(envelopes):
    """CloudEvents' Python SDK takes each line and finds in it what we put there."""
    reader = JSONFormat()
    for envelope in envelopes:
        event = reader.read(CloudEvent, json.dumps(envelope, default=float))
        assert event.get_id() == envelope["id"]
        assert event.get_type() == f"example.shop.{envelope['data']['page']}"
        assert event.get_time() == datetime.fromisoformat(envelope["time"])
        assert event.get_extension("partitionkey") == envelope["partitionkey"]


def test_the_data_is_the_event_without_what_a_shop_cannot_know(shard, envelopes):
    """`data` is the row of the events table; truth, persona and columns that nobody described are not in it."""
    truth = {column.name for column in COLUMNS["events"] if column.meaning.startswith("truth")}
    assert truth
    rows = shard.events.to_pylist()
    assert len(rows) == len(envelopes)
    for row, envelope in zip(rows, envelopes, strict=True):
        data = envelope["data"]
        assert not data.keys() & (truth | {"persona"})
        assert {name: float(v) if isinstance(row[name], float) else v for name, v in data.items()} == {
            name: row[name] for name in row.keys() - truth - {"persona"} if row[name] is not None
        }
    assert observable(["shopper", "planted_effect"]) == ["shopper"]


def test_source_and_id_name_one_event(envelopes):
    """No two distinct events share source and id, and a visit's events share subject and key."""
    assert max(Counter((envelope["source"], envelope["id"]) for envelope in envelopes).values()) == 1
    visits = {(e["data"]["shopper"], e["data"]["visit"], e["subject"], e["partitionkey"]) for e in envelopes}
    assert len(visits) == len({(shopper, visit) for shopper, visit, _, _ in visits})


def test_times_are_the_events_own(shard, envelopes):
    """`time` is the tap, to the microsecond, and nothing is recorded before it happened."""
    for at_us, envelope in zip(shard.events["at_us"].to_pylist(), envelopes, strict=True):
        time, recorded = (datetime.fromisoformat(envelope[name]) for name in ("time", "recordedtime"))
        assert time == shard.reference + timedelta(microseconds=at_us)
        assert recorded >= time


def test_everybody_is_in_it(by_hand):
    """The shop's own record has those who refuse analytics too: it is not a tracker's."""
    assert cloudevents(by_hand("home", "product", analytics=False))["cloudevents"].num_rows == 2


def test_arms_are_apart(shard_of, rows_of):
    """A visit played in two arms has two subjects and two keys."""
    source = shard_of(20, arms=[{"name": "slower", "share": 0.5, "delay": {"all": "1s"}}])
    keys = {
        (envelope["data"]["arm"], envelope["partitionkey"], envelope["subject"])
        for envelope in rows_of(source, "cloudevents")
    }
    assert {arm for arm, _, _ in keys} == {"control", "slower"}
    assert len({key for _, key, _ in keys}) == len(keys)
    assert all(("-slower" in key) == (arm == "slower") == ("-slower/" in subject) for arm, key, subject in keys)


def test_every_state_has_a_type():
    """The types are the states under the reversed domain of the shop."""
    assert [name.rsplit(".", 1)[1] for name in TYPES] == list(STATE_NAMES)
