"""Part `cloudevents`: our own events in CloudEvents 1.0 envelopes, for event buses and their consumers.

One row a delivered step: `data` is the row of the events table without what a shop cannot know (columns whose meaning
begins with "truth", the persona). `id` is the event's id, so that a beacon delivered twice is recognised by `source`
and `id`, as the specification wants; `time` is the device's clock, the extension `recordedtime` when it arrived, the
extension `partitionkey` the visit, to keep its events in order.

*Consent*: the shop's own record of requests it answered, not a tracker on the device: everybody is in it. Whoever feeds
it to analytics has to leave out those who do not allow that; the shoppers table says who they are.

`data` is the step as a whole, with what was known only at its end. A visit played in several arms is in the feed in
each of them: `data.arm` says which, and it is part of subject and key where it is not control.

Shape: cloudevents/spec, cloudevents/spec.md (1.0), formats/json-format.md, extensions/{partitioning,recordedtime}.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.delivery import delivered
from simulator.export.source import Part
from simulator.export.vendors.columns import iso_text, labelled, named, struct
from simulator.export.vendors.steps import numbers, steps_of
from simulator.export.vendors.vocabulary import HOST
from simulator.journey.tables import SCHEMAS
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from simulator.export.source import Source

SOURCE = f"https://{HOST}/"
TYPES = tuple(f"example.shop.{state}" for state in STATE_NAMES)
"""Prefixed by the reversed name of the shop's domain, as the specification recommends."""
MEANINGS = {
    "specversion": "1.0",
    "id": "id of the event; equal where the same event was delivered twice",
    "source": "the shop",
    "type": "the shop's reversed domain and the state",
    "subject": "shopper and visit",
    "time": "when the page was tapped, by the device's clock",
    "datacontenttype": "application/json",
    "partitionkey": "the visit, which keeps its events together and in order",
    "recordedtime": "when the event arrived",
    "data": "the row of the events table, without truth and persona",
}
UNKNOWABLE = ("persona",)
"""Columns of the events table that no shop could observe, besides those marked as truth."""


def cloudevents(source: Source) -> dict[str, pa.Table]:
    """Return the table `cloudevents`: one row a delivered step, in the order of delivery."""
    steps = steps_of(source, "cloudevents")
    got = delivered(replace(source, events=steps.events))
    row, rows = numbers(got["row"]), got.num_rows
    shopper, visit = (pa.array(column[row]).cast(pa.string()) for column in (steps.shopper, steps.visit))
    shopper = pc.binary_join_element_wise(shopper, named(steps.arm[row], _suffixes(steps.arms)), "")
    device, received = (source.since_epoch_us(numbers(got[name])) for name in ("device_at_us", "received_at_us"))
    columns = {
        "specversion": pa.repeat("1.0", rows),
        "id": got["event_id"].combine_chunks(),
        "source": pa.repeat(SOURCE, rows),
        "type": named(steps.state[row], TYPES),
        "subject": pc.binary_join_element_wise("shoppers/", shopper, "/visits/", visit, ""),
        "time": iso_text(device, "us"),
        "datacontenttype": pa.repeat("application/json", rows),
        "partitionkey": pc.binary_join_element_wise(shopper, visit, "-"),
        "recordedtime": iso_text(received, "us"),
        "data": struct({name: got[name].combine_chunks() for name in observable(got.column_names)}),
    }
    return {"cloudevents": labelled(columns, MEANINGS)}


def _suffixes(arms: list[str]) -> list[str]:
    """Return what tells the same shopper in another arm than control apart."""
    return ["", *(f"-{name}" for name in arms[1:])]


def observable(names: list[str]) -> list[str]:
    """Return those columns of the events table that a shop could have recorded; unknown columns are not among them."""
    known = SCHEMAS["events"]
    meanings = {field.name: (field.metadata or {}).get(b"meaning", b"") for field in known}
    return [n for n in names if n in meanings and n not in UNKNOWABLE and not meanings[n].startswith(b"truth")]


PART = Part(
    "cloudevents",
    "CloudEvents 1.0: our events in structured JSON envelopes, of every shopper",
    cloudevents,
    ("parquet", "jsonl"),
)
