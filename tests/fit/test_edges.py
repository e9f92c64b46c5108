"""Think times that belong to edges come back as such; where what follows tells nothing, a persona has none."""

import pytest

from simulator.fit.estimate import fit
from simulator.fit.write import files_of
from simulator.model.persona import load_persona
from simulator.model.tempo import edges_of

from . import planting

LOOKER = """
    persona: looker
    describe: looks longer at what goes into the cart
    extends: base_mobile
    {tempo}
    """
EDGE = 'tempo: {"product > add_to_cart": {dist: lognormal, median: 40s, sigma: 0.5, clip: [1s, 10min]}}'


@pytest.fixture
def fitted(persona_file, tmp_path):
    """Return a function that plants a persona with these think times and gives the persona fitted from its log."""

    def made(tempo):
        persona_file(LOOKER.format(tempo=tempo), "looker.yaml")
        population = persona_file("population: lookers\ndescribe: x\npersonas: {./looker.yaml: 1}\n", "lookers.yaml")
        found = fit(planting.plant(8_000, 14, population=str(population), pages="instant", hurried=False).hits, 1)
        folder = tmp_path / "fitted"
        folder.mkdir()
        for name, text in files_of(found, "shopper").items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        (file,) = [path for path in folder.rglob("*.yaml") if path.read_text().startswith("persona:")]
        return load_persona(file).spec

    return made


def test_an_edge_of_its_own_comes_back(fitted):
    """The edge that was planted, and hardly another, has a think time of its own, its median within 5 %."""
    edges = edges_of(fitted(EDGE).tempo)
    assert edges["product", "add_to_cart"].quantile(0.5) == pytest.approx(40.0, rel=0.05)
    assert len(edges) <= 3


def test_without_planted_edges_there_are_hardly_any(fitted):
    """Where every edge has its state's think time, the test at 1 % lets at most two of some thirty edges through."""
    assert len(edges_of(fitted("").tempo)) <= 2
