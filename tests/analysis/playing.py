"""Synthetic run folders: the crowd world's journeys as any world would have written them, plus hand-made requests."""

from __future__ import annotations

import hashlib
import json
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from hdrh.histogram import HdrHistogram

from simulator.journey.arms import compile_arms
from simulator.journey.plan import calendar_plan, open_plan
from simulator.journey.tables import Names, events_table, shoppers_table, visits_table
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, play

WORDS = pa.dictionary(pa.int16(), pa.string())
DAY_US = 86_400_000_000
OPERATION = {"home": "home", "recommend": "recommend", "search": "search", "product": "product"}
REQUESTS = pa.schema(
    [
        ("shopper", pa.int64()), ("visit", pa.int32()), ("step", pa.int32()), ("persona", WORDS), ("page", WORDS),
        ("operation", WORDS), ("placement", WORDS), ("due_us", pa.int64()), ("sent_us", pa.int64()),
        ("done_us", pa.int64()), ("status", pa.int16()), ("bytes", pa.int64()), ("error", WORDS),
    ]
)  # fmt: skip


@cache
def population():
    """Return the shipped everyday population, compiled once a process."""
    return compile_population(load_population("everyday"))


@cache
def played(*, shoppers=300, rate=None, seed=7, delays=(), days=2):
    """Return the tables of a calendar of `shoppers`, each in every arm, or of an open plan of (rate per s, seconds)."""
    compiled, roster = population()
    names = ["control", *(f"slower_{delay:g}s" for delay in delays)]
    share = 1 / len(names)
    arms = compile_arms([(name, share, {"all": delay}, {}) for name, delay in zip(names, (0, *delays), strict=True)])
    if rate is None:
        plan = calendar_plan(compiled, seed, 0, shoppers, days * DAY_US, 0, len(names))
    else:
        plan = open_plan([(0.0, rate[0]), (rate[1], rate[0])], seed, arms)
    rows = play(World(compiled, compile_pages(page_file()), arms, seed), plan)
    words = Names(roster, names)
    return {
        "shoppers": shoppers_table(rows.shoppers, words),
        "visits": visits_table(rows.visits, rows.shoppers, rows.events, words),
        "events": events_table(rows.events, words),
    }, tuple(names)


def live_tables(tables, *, lag_ms=2.0, failing=0.004):
    """Return the tables as a live run has them: lag, partly measured load times, requests and histograms."""
    rng = np.random.default_rng(5)
    visits, events = tables["visits"], tables["events"]
    lag_us = (1000 * rng.exponential(lag_ms, len(visits))).astype(np.int64)
    visits = visits.set_column(visits.schema.get_field_index("lag_us"), visits.schema.field("lag_us"), pa.array(lag_us))
    measured = pa.array((events["load_us"].to_numpy() * 0.4).astype(np.int32))
    events = events.set_column(
        events.schema.get_field_index("measured_us"), events.schema.field("measured_us"), measured
    )
    requests = request_table(events, rng, failing)
    return {
        "shoppers": tables["shoppers"],
        "visits": visits,
        "events": events,
        "requests": requests,
        "latency": latency_table(requests),
    }


def cut_tables(tables, end_s):
    """Return the tables as a run that ended after `end_s` seconds has them: later pages are missing, visits go on."""
    end = int(1e6 * end_s)
    visits, events = tables["visits"], tables["events"]
    visits, events = visits.filter(pc.less(visits["start_at_us"], end)), events.filter(pc.less(events["at_us"], end))
    start, wall = visits["start_at_us"].to_numpy(), visits["wall_us"].to_numpy()
    going_on = start + wall > end
    share = np.where(going_on, (end - start) / wall, 1.0)
    keys = events["shopper"].to_numpy()
    pages = np.array([np.count_nonzero(keys == shopper) for shopper in visits["shopper"].to_numpy()])
    causes = [None if going else cause for going, cause in zip(going_on, visits["cause"].to_pylist(), strict=True)]
    changes = {
        "wall_us": (wall * share).astype(np.int64),
        "engaged_us": (visits["engaged_us"].to_numpy() * share).astype(np.int64),
        "ga_us": np.where(pages == 1, 0, visits["ga_us"].to_numpy() * share).astype(np.int64),
        "pages": pages.astype(np.int32),
        "bounced": pages == 1,
        "cause": pa.array([cause or "ongoing" for cause in causes]).dictionary_encode().cast(WORDS),
    }
    for name, values in changes.items():
        column = (values if isinstance(values, pa.Array) else pa.array(values)).cast(visits.schema.field(name).type)
        visits = visits.set_column(visits.schema.get_field_index(name), visits.schema.field(name), column)
    return {"shoppers": tables["shoppers"], "visits": visits, "events": events}, going_on


def request_table(events, rng, failing):
    """Return two requests an event: the page's own call and a deferred one; `failing` of them fail."""
    n = len(events)
    page = np.repeat(events["page"].to_pylist(), 2)
    operation = np.where(np.arange(2 * n) % 2 == 0, page, "track")
    due = np.repeat(events["at_us"].to_numpy(), 2)
    sent = due + (1000 * rng.exponential(1.5, 2 * n)).astype(np.int64)
    done = sent + (1000 * rng.lognormal(3.4, 0.6, 2 * n)).astype(np.int64) + 1
    fails = rng.random(2 * n) < failing
    names = np.where(rng.random(2 * n) < 0.7, "status 500", "timeout")
    columns = {
        "shopper": np.repeat(events["shopper"].to_numpy(), 2),
        "visit": np.repeat(events["visit"].to_numpy(), 2),
        "step": np.repeat(events["step"].to_numpy(), 2),
        "persona": np.repeat(events["persona"].to_pylist(), 2),
        "page": page,
        "operation": operation,
        "placement": np.where(np.arange(2 * n) % 2 == 0, "blocking", "deferred"),
        "due_us": due,
        "sent_us": sent,
        "done_us": done,
        "status": np.where(fails, 500, 200).astype(np.int16),
        "bytes": np.full(2 * n, 2048),
        "error": [name if bad else None for name, bad in zip(names, fails, strict=True)],
    }
    arrays = []
    for field in REQUESTS:
        words = pa.types.is_dictionary(field.type)
        values = pa.array(columns[field.name], pa.string() if words else field.type)
        arrays.append(values.dictionary_encode().cast(field.type) if words else values)
    return pa.Table.from_arrays(arrays, schema=REQUESTS)


def latency_table(requests):
    """Return the histograms of a requests table, by page, persona and clock."""
    rows = {}
    done = requests["done_us"].to_numpy()
    for clock, column in (("due", "due_us"), ("sent", "sent_us")):
        values = done - requests[column].to_numpy()
        for page, persona, value in zip(
            requests["page"].to_pylist(), requests["persona"].to_pylist(), values, strict=True
        ):
            histogram = rows.setdefault((page, persona, clock), HdrHistogram(1, 3_600_000_000, 3))
            histogram.record_value(int(value))
    keys = list(rows)
    columns = [pa.array([key[i] for key in keys], pa.string()).dictionary_encode().cast(WORDS) for i in range(3)]
    counts = pa.array([rows[key].total_count for key in keys], pa.int64())
    blobs = pa.array([rows[key].encode() for key in keys], pa.binary())
    return pa.Table.from_arrays([*columns, counts, blobs], ["page", "persona", "clock", "count", "hdr"])


def generator(tables, **changes):
    """Return a healthy generator's section of the manifest."""
    lag_ms = tables["visits"]["lag_us"].to_numpy() / 1000
    n = len(lag_ms)
    failed = tables["requests"]["error"].drop_null()
    return {
        "planned": n,
        "started": n,
        "dropped": 0,
        "start_lag_ms": {"p50": float(np.median(lag_ms)), "p99": float(np.quantile(lag_ms, 0.99)), "max": lag_ms.max()},
        "cpu_share": 0.41,
        "saturated": [],
        "requests": len(tables["requests"]),
        "errors": len(failed),
        "duration_s": 30.0,
        **changes,
    }


def manifest(tables, names, *, world="crowd", thresholds=(), **changes):
    """Return a manifest for tables, its entries for the files not yet filled in."""
    live = world == "live"
    return {
        "footfall": "0.2.0",
        "world": world,
        "name": "demo",
        "seed": 7,
        "digest": "5f0c6b7b0f8e4a55b1cf6cf29c2a2f21f1a0c3a5d3b4f6e7a8091b2c3d4e5f60",
        "scenario": {
            "scenario": "demo",
            "describe": "Everyday shoppers visit the embedded storefront for half a minute.",
            "population": "everyday",
            "thresholds": list(thresholds),
            "arms": [{"name": name, "share": 1 / len(names)} for name in names[1:]],
            "duration": "30s",
            "arrivals": {"kind": "constant", "rate": "8/s", "spacing": "poisson"},
            "target": "storefront",
        },
        "reference": "2026-01-05T00:00:00+00:00",
        "versions": {"python": "3.11.7", "numpy": "2.4.6"},
        "arms": list(names),
        "assumed": ["behaviour: every parameter of the personas", "load times: what is not called is modelled"],
        "measured": ["requests: latency, status and size on real connections"] if live else [],
        "interrupted": False,
        "generator": generator(tables) if live else None,
        "backend": None,
        **changes,
    }


def write_run(folder, *, world="crowd", thresholds=(), tables=None, names=("control",), parts=1, **changes):
    """Write a run folder and return it; `parts` > 1 writes each table as a folder of parts."""
    if tables is None:
        tables, names = played(rate=(8.0, 30.0)) if world == "live" else played()
        if world == "live":
            tables = live_tables(tables)
    folder.mkdir(parents=True, exist_ok=True)
    entries = {name: [_write(folder, name, table, parts, i) for i in range(parts)] for name, table in tables.items()}
    whole = {"tables": entries, **manifest(tables, names, world=world, thresholds=thresholds, **changes)}
    (folder / "manifest.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return folder


def _write(folder, name, table, parts, index):
    path = folder / (f"{name}.parquet" if parts == 1 else f"{name}/part-{index:05d}.parquet")
    path.parent.mkdir(exist_ok=True)
    size = -(-len(table) // parts)
    piece = table.slice(index * size, size)
    pq.write_table(piece, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": str(path.relative_to(folder)), "rows": len(piece), "sha256": digest}
