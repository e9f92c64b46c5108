"""Visits on shaped networks: what the socket takes is measured and not modelled as well; reconnects really connect."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.model.states import STATE_NAMES
from simulator.page.card import compile_pages, page_file
from simulator.page.load import SETUP_ROUND_TRIPS, transfer_s

SECONDS = 5.0
CARDS = dict(zip(STATE_NAMES, compile_pages(page_file()).cards, strict=True))


@pytest.fixture(scope="module")
def both(begin, tables, recording):
    """Play the same visits for some seconds on modelled and on shaped networks; return the tables of each."""
    found = {}
    for network in ("modelled", "shaped"):
        with recording.Shop() as shop:
            run = begin(shop.url, SECONDS, pages="cards", network=network)
            assert not run.defects
            found[network] = tables(run) | {"connections": len({asked.connection for asked in shop.asked})}
    return found


def by_page(rows):
    """Return rows by (shopper, visit, step)."""
    return {(row["shopper"], row["visit"], row["step"]): row for row in rows}


def modelled_part_us(row):
    """Return the part of a load time that nothing measured."""
    return row["load_us"] - row["measured_us"]


def taken_over_us(event, calls):
    """Return what the socket takes over from the model on this page, written down anew from the page model's parts."""
    card, rtt_s, bytes_per_s = CARDS[event["page"]], event["rtt_ms"] / 1e3, event["down_kbps"] * 125.0
    first = event["step"] == 0
    assets = card["critical_bytes"] * (1.0 if first else card["warm_share"])
    document_s = transfer_s(card["document_bytes"] + assets, rtt_s, bytes_per_s) - transfer_s(
        assets, rtt_s, bytes_per_s
    )
    blocking_s = rtt_s + document_s + (SETUP_ROUND_TRIPS * rtt_s if first else 0.0)
    lcp_s = rtt_s if card["has_lcp_call"] and calls["lcp"] else 0.0
    return ((blocking_s if calls["blocking"] else 0.0) + lcp_s) * 1e6


def test_nothing_is_both_measured_and_modelled(both):
    """Of each page that both runs saw, the modelled part is smaller by exactly what the socket now takes itself.

    Pages after a loss, a stall or a radio's promotion are left out: their parts have tests of their own.
    """
    modelled, shaped = (by_page(both[name]["events"]) for name in ("modelled", "shaped"))
    calls = {key: Counter() for key in shaped}
    for row in both["shaped"]["requests"]:
        if (key := (row["shopper"], row["visit"], row["step"])) in calls:
            calls[key][row["placement"]] += 1
    compared = 0
    for key, event in shaped.items():
        plain = modelled.get(key)
        if plain is None or plain["network"] != "wifi" or plain["loss"] or plain["stalled_us"]:
            continue
        if not (plain["ok"] and event["ok"]) or max(plain["load_us"], event["load_us"]) > 60e6:
            continue
        difference_us = modelled_part_us(plain) - modelled_part_us(event)
        assert difference_us == pytest.approx(taken_over_us(event, calls[key]), abs=50)
        compared += 1
    assert compared >= 5


def test_every_request_takes_its_phones_round_trip(both):
    """On a shaped network each answered request waits a round trip at least; on a modelled one none does."""
    rtt_us = {key: event["rtt_ms"] * 1e3 for key, event in by_page(both["shaped"]["events"]).items()}
    waits = [
        (row["wait_us"], rtt_us[row["shopper"], row["visit"], row["step"]])
        for row in both["shaped"]["requests"]
        if row["status"] == 200 and (row["shopper"], row["visit"], row["step"]) in rtt_us
    ]
    assert len(waits) > 20
    assert all(wait_us > 0.99 * rtt for wait_us, rtt in waits)


def test_the_split_stands_in_the_table(both):
    """Each visit's first request pays for name and connection, in the table; later ones on its connection do not."""
    for rows in (both[name]["requests"] for name in ("modelled", "shaped")):
        firsts = {}
        for row in rows:
            firsts.setdefault((row["shopper"], row["visit"]), row)
        assert all(row["connect_us"] > 0 for row in firsts.values())
        parts = ("dns_us", "connect_us", "tls_us", "wait_us", "receive_us")
        for row in rows:
            if row["status"] == 200:
                whole_us = row["done_us"] - row["sent_us"]
                assert sum(row[part] for part in parts) == pytest.approx(whole_us, abs=3_000 + 0.1 * whole_us)
