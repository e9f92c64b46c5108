"""The page on files: its examples load, its tables are complete, and editors complete what it shows."""

import json
import re

import jsonschema
import pytest

from simulator.cli.schemas import FOLDER, schemas
from simulator.export.dirt import Dirt, load_dirt
from simulator.model.behaviour import BehaviourFile, load_behaviour
from simulator.model.distributions import DISTRIBUTION_NAMES, Distribution
from simulator.model.faults import FileFaults
from simulator.model.library import shipped
from simulator.model.persona import load_persona, load_population
from simulator.model.schema import PersonaFile, PopulationFile
from simulator.model.yamlfile import read_yaml
from simulator.page.card import OPERATIONS
from simulator.scenario.load import load_scenario
from simulator.scenario.schema import ScenarioFile
from simulator.target.request import load_target
from simulator.target.schema import TargetFile
from simulator.worlds.backend import BackendFile, load_backend

LOADERS = {
    "persona": load_persona,
    "population": lambda path: load_population(str(path)),
    "behaviour": lambda path: load_behaviour(str(path)),
    "scenario": lambda path: load_scenario(str(path)),
    "target": lambda path: load_target(str(path)),
    "backend": lambda path: load_backend(str(path)),
    "delivery": lambda path: load_dirt(str(path)),
}
MODELS = {
    "persona": PersonaFile,
    "population": PopulationFile,
    "behaviour": BehaviourFile,
    "scenario": ScenarioFile,
    "target": TargetFile,
    "backend": BackendFile,
    "delivery": Dirt,
}
SHIPPED = {
    "personas/shoppers": "persona",
    "personas/populations": "population",
    "personas/behaviour": "behaviour",
    "personas/scenarios": "scenario",
    "locustfiles/targets": "target",
    "locustfiles/backends": "backend",
    "personas/delivery": "delivery",
}
FAULTY = {"typo.yaml": 2}
"""Files that a page shows to be refused, and how many faults they have."""


def kind_of(data):
    """Return which of the seven kinds of files this is: the key that names it."""
    kinds = ("population", "backend", "scenario", "target", "delivery", "behaviour")
    return next((kind for kind in kinds if _names(data, kind)), "persona")


def _names(data, kind):
    return kind in data and not (kind in {"population", "target", "behaviour"} and "scenario" in data)


@pytest.fixture(scope="module")
def validators():
    """Return a validator for each checked-in kind of file."""
    return {name.partition(".")[0]: jsonschema.Draft202012Validator(json.loads(t)) for name, t in schemas().items()}


def test_example_loads(yaml_file, reader):
    """An example works as it stands, beside the page's other files; one that shows faults has as many as it shows."""
    path = reader(yaml_file.page) / yaml_file.name
    load = LOADERS[kind_of(read_yaml(path).data)]
    if yaml_file.name not in FAULTY:
        load(path)
        return
    with pytest.raises(FileFaults) as found:
        load(path)
    assert len(found.value.faults) == FAULTY[yaml_file.name]


def test_every_kind_has_an_example(reader):
    """The page on files shows a file of each of the seven kinds."""
    folder = reader("docs/files.md")
    assert {kind_of(read_yaml(path).data) for path in folder.glob("*.yaml")} == set(LOADERS)


def test_schemas_are_in_step(root):
    """The checked-in schemas are those of the models; `make docs` writes them."""
    assert {name: (root / FOLDER / name).read_text() for name in schemas()} == schemas()


@pytest.mark.parametrize(
    ("folder", "name"), [(folder, name) for folder in SHIPPED for name in shipped(folder)], ids=lambda one: one
)
def test_schema_accepts_what_is_shipped(validators, folder, name):
    """An editor underlines nothing in a shipped file: what may be inherited is not asked for."""
    errors = validators[SHIPPED[folder]].iter_errors(read_yaml(shipped(folder)[name]).data)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_schema_accepts_the_examples(validators, yaml_file, reader):
    """An editor underlines nothing in an example, `null` and `{scale: …}` included."""
    if yaml_file.name in FAULTY:
        return
    data = read_yaml(reader(yaml_file.page) / yaml_file.name).data
    errors = validators[kind_of(data)].iter_errors(data)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize("kind", MODELS)
def test_schema_refuses_a_misspelt_key(validators, kind):
    """An editor underlines a key that no file of this kind has."""
    assert any("descrbe" in error.message for error in validators[kind].iter_errors({"descrbe": "a typo"}))


@pytest.mark.parametrize("kind", MODELS)
def test_every_key_is_explained(kind, text):
    """Every key that a file of this kind may have stands on the page."""
    told = set(re.findall(r"`(\w+)`", text("docs/files.md"))) | {"evidence"}
    assert keys(MODELS[kind].model_json_schema(by_alias=True)) - told == set()


def keys(schema):
    """Return the keys of a model and of the models in it, distributions left out: they have a table of their own."""
    parts = [schema, *schema.get("$defs", {}).values()]
    names = {kind.__name__ for kind in Distribution.__subclasses__()}
    return {key for part in parts if part.get("title") not in names for key in part.get("properties", {})}


def test_every_distribution_and_operation_stands_on_the_page(text):
    """The generated tables leave nothing out."""
    told = set(re.findall(r"`([\w-]+)`", text("docs/files.md")))
    assert {*DISTRIBUTION_NAMES, *OPERATIONS} <= told
