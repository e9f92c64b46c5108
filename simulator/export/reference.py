"""The reference of what a data set may hold, as Markdown: every table of every part, its columns and an example row.

`docs/data.md` is written with it. It asks the registry of parts, so a part that is registered stands there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from simulator.export.dataset import Shard, play_shard, source_of
from simulator.export.parts import MODULES, part
from simulator.journey.tables import TABLES
from simulator.runfolder.tables import LINE
from simulator.scenario.load import load_scenario

if TYPE_CHECKING:
    from simulator.export.source import Source

SHOPPERS = 200
"""How many shoppers of the demo the examples are taken from."""
ENTRIES, LETTERS = 2, 96
"""Lists and texts of examples are cut after so many entries and letters."""
ROWS = {"shoppers": "One row a shopper.", "visits": "One row a visit, in each arm.", "events": "One row a step."}


def overview() -> str:
    """Return a table of the parts: name, what it is, formats."""
    lines = ["| part | | formats |", "|---|---|---|"]
    for name in sorted(MODULES):
        known = part(name)
        lines.append(f"| [`{name}`](#{_slug(name)}) | {known.describe.rstrip('.')} | {', '.join(known.formats)} |")
    return "\n".join(lines)


def chapters() -> str:
    """Return a chapter for the three tables and one for each part."""
    source = _example_source()
    own = {name: getattr(source, name) for name in TABLES}
    text = ["## Always there\n", *(_table(name, own[name], ROWS[name]) for name in TABLES)]
    for name in sorted(MODULES):
        known = part(name)
        text += [f"## Part {name}\n", f"{known.describe.rstrip('.')}. Formats: {', '.join(known.formats)}.\n"]
        text += [_table(table, data) for table, data in known.make(source).items()]
    return "\n".join(text)


def _slug(name: str) -> str:
    return f"part-{name}"


def _example_source() -> Source:
    scenario = load_scenario("demo", {"shoppers": SHOPPERS})
    return source_of(scenario, play_shard(scenario, Shard(0, 0, SHOPPERS)))


def _table(name: str, data: pa.Table, told: str = "") -> str:
    """Return a table's heading, columns and example row."""
    heading = [f"### {name}\n", *([f"{told}\n"] if told else [])]
    columns = ["| column | type | |", "|---|---|---|"]
    columns += [f"| `{field.name}` | {kind(field.type)} | {_meaning(field)} |" for field in data.schema]
    return "\n".join([*heading, *columns, "", *_example(data), ""])


def _meaning(field: pa.Field) -> str:
    told = (field.metadata or {}).get(b"meaning", b"").decode().replace("truth:", "*truth:*").replace("|", "\\|")
    inner = fields(field.type)
    return ". ".join(filter(None, [told, f"Fields: {inner}" if inner else ""]))


def kind(type_: pa.DataType) -> str:
    """Return the name of an arrow type for readers: names are strings, nested ones records and lists."""
    if pa.types.is_dictionary(type_):
        return kind(type_.value_type)
    if pa.types.is_list(type_):
        plural = {"record": "records", "string": "strings"}
        return f"list of {plural.get(kind(type_.value_type), kind(type_.value_type))}"
    if pa.types.is_struct(type_):
        return "record"
    return {"double": "float64", "float": "float32"}.get(str(type_), str(type_))


def fields(type_: pa.DataType) -> str:
    """Return the names in a record or a list of records, those of inner records in parentheses."""
    if pa.types.is_list(type_):
        return fields(type_.value_type)
    if not pa.types.is_struct(type_):
        return ""
    inner = [(f"`{field.name}`", fields(field.type)) for field in type_]
    return ", ".join(f"{name} ({deeper})" if deeper else name for name, deeper in inner)


def _example(data: pa.Table) -> list[str]:
    """Return the fullest row as JSON without its nulls, a line a column; lists and long texts are cut."""
    if not data.num_rows:
        return ["The demo has no row of it."]
    leaves = data
    while any(pa.types.is_struct(type_) for type_ in leaves.schema.types):
        leaves = leaves.flatten()
    given = sum(pc.is_valid(column).combine_chunks().cast(pa.int32()).to_numpy() for column in leaves.columns)
    (row,) = data.slice(int(given.argmax()), 1).to_pylist()
    line = (data.schema.metadata or {}).get(LINE)
    if line is not None:
        row[line.decode()] = json.loads(row[line.decode()])
    members = [f"  {json.dumps(key)}: {_text(value)}" for key, value in row.items() if value is not None]
    return ["```json", "{", ",\n".join(members), "}", "```"]


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a table holds
    return json.dumps(_short(value), ensure_ascii=False, default=str)


def _short(value: Any) -> Any:  # noqa: ANN401 - whatever a table holds
    if isinstance(value, dict):
        return {key: _short(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        cut = [f"… and {len(value) - ENTRIES} more"] if len(value) > ENTRIES else []
        return [*map(_short, value[:ENTRIES]), *cut]
    if isinstance(value, str) and len(value) > LETTERS:
        return f"{value[:LETTERS]}…"
    return value
