"""The JSON Schemas that editors complete files from, generated from the models and checked in.

`python -m simulator.cli.schemas` writes them; with `--check` it only says whether they are in step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("personas/schemas")


def schemas() -> dict[str, str]:
    """Return the text of each schema by file name."""
    from simulator.export.dirt import Dirt
    from simulator.model.behaviour import BehaviourFile
    from simulator.model.schema import PersonaFile, PopulationFile
    from simulator.scenario.schema import ScenarioFile
    from simulator.target.schema import TargetFile
    from simulator.worlds.backend import BackendFile

    models: dict[str, type[BaseModel]] = {
        "behaviour": BehaviourFile,
        "persona": PersonaFile,
        "population": PopulationFile,
        "scenario": ScenarioFile,
        "target": TargetFile,
        "backend": BackendFile,
        "delivery": Dirt,
    }
    return {f"{name}.schema.json": _text(name, model) for name, model in models.items()}


def _text(name: str, model: type[BaseModel]) -> str:
    schema = model.model_json_schema(by_alias=True)
    if name == "persona":
        for part in (schema, *schema["$defs"].values()):
            _let_inherit(part)
        schema["properties"]["extends"] = {"type": "string", "description": "one parent persona"}
        schema["properties"]["mixins"] = {"type": "array", "items": {"type": "string"}}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"{name}.schema.json"}
    return json.dumps(head | schema, indent=2) + "\n"


def _let_inherit(part: dict[str, Any]) -> None:
    """Change a section's schema to what a file may say that inherits the rest.

    Nothing is required, `null` deletes, and `{scale: x}` changes a number; a distribution is given whole or not at all.
    """
    properties = part.get("properties", {})
    if "dist" in properties:
        return
    part.pop("required", None)
    for key, value in properties.items():
        properties[key] = _changeable(value)
        if isinstance(value.get("additionalProperties"), dict):
            value["additionalProperties"] = _changeable(value["additionalProperties"])


def _changeable(value: dict[str, Any]) -> dict[str, Any]:
    choices = [value, {"type": "null"}]
    if "number" in json.dumps(value.get("anyOf", value.get("type", ""))):
        scale = {"type": "object", "properties": {"scale": {"type": "number"}}, "required": ["scale"]}
        choices.append(scale | {"additionalProperties": False})
    kept: dict[str, Any] = {key: value.pop(key) for key in ("description", "title", "default") if key in value}
    return {"anyOf": choices, **kept}


def paths() -> dict[Path, str]:
    """Return the text of every schema by its path: those of files that people write, and the speed report's."""
    from simulator.report.speed_json import SCHEMA_FILE, schema

    report = Path("simulator/report") / SCHEMA_FILE
    return {FOLDER / name: text for name, text in schemas().items()} | {report: json.dumps(schema(), indent=1) + "\n"}


def main() -> int:
    """Write or check the schemas; return 1 when they are out of step."""
    check = "--check" in sys.argv[1:]
    stale = []
    for place, text in paths().items():
        path = ROOT / place
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(str(place))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        sys.stderr.write(f"{name} is out of step with its model. Hint: make docs\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
