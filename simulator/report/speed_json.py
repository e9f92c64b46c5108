"""speed.json: the findings of a speed report for programs, after the schema beside this file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from simulator import __version__
from simulator.analysis.estimates import Estimate
from simulator.report.speed_words import headline
from simulator.report.summary import rounded
from simulator.study.speed_findings import SpeedFindings

if TYPE_CHECKING:
    from simulator.study.speed_findings import Judged

SCHEMA = "urn:footfall:speed:1"
"""Names the shape; it changes when a field changes its meaning or goes."""
SCHEMA_FILE = "speed.schema.json"
_ADAPTER = TypeAdapter(SpeedFindings)


def speed_json(judged: Judged) -> str:
    """Return the findings as JSON text; times are in seconds, changes in parts of control, unknown figures null."""
    data = {
        "$schema": SCHEMA,
        "footfall": __version__,
        "answer": "".join(headline(judged.findings)),
        **_ADAPTER.dump_python(judged.findings, mode="python"),
        "verdict": {
            "state": judged.verdict.state,
            "exit_code": judged.verdict.exit_code,
            "headline": judged.verdict.headline,
            "thresholds": [
                {"text": one.threshold.text, "state": one.state, "close": one.close, "sentence": one.text,
                 **_ESTIMATE.dump_python(one.estimate)}
                for one in judged.verdict.results
            ],
        },
    }  # fmt: skip
    return json.dumps(rounded(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


_ESTIMATE = TypeAdapter(Estimate)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of speed.json."""
    made = _ADAPTER.json_schema(mode="serialization")
    estimate = _ESTIMATE.json_schema(mode="serialization")["properties"]
    threshold = {"text": {"type": "string"}, "state": {"type": "string"}, "close": {"type": "boolean"},
                 "sentence": {"type": "string"}, **estimate}  # fmt: skip
    verdict = {
        "state": {"enum": ["passed", "failed", "invalid"]},
        "exit_code": {"type": "integer"},
        "headline": {"type": "string"},
        "thresholds": {"type": "array", "items": _object(threshold)},
    }
    said = {"$schema": {"const": SCHEMA}, "footfall": {"type": "string"}, "answer": {"type": "string"}}
    made["properties"] = said | made["properties"] | {"verdict": _object(verdict)}
    made["required"] = [*said, *made["required"], "verdict"]
    closed = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **made}
    closed["$defs"] = {name: one | {"additionalProperties": False} for name, one in made["$defs"].items()}
    found: dict[str, Any] = _nullable_floats(closed) | {"additionalProperties": False}
    return found


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _nullable_floats(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a schema in which every number may be null: JSON has no infinity."""
    if isinstance(value, dict):
        if value.get("type") == "number":
            return {**value, "type": ["number", "null"]}
        return {key: _nullable_floats(inner) for key, inner in value.items()}
    return [_nullable_floats(inner) for inner in value] if isinstance(value, list) else value
