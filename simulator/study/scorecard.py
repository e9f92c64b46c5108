"""The scorecard: what published studies found, beside what their designs give when simulated.

Only the figures whose role is `fitted` made `causal-consensus`; all others are predictions, and stand here whether they
come true or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.analysis.estimates import NOTHING, Estimate
from simulator.model.behaviour import load_behaviour
from simulator.model.persona import load_population
from simulator.study.charts import Charts
from simulator.study.designs import POPULATION, population_under
from simulator.study.slowdowns import slow_down
from simulator.study.studies import Role, studies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.model.behaviour import Behaviour
    from simulator.model.population import Population
    from simulator.study.studies import Figure, Study

VISITS = 50_000
"""Visits in each arm, and of each chart five times as many, unless told otherwise."""
CHART = 5
"""How many times the visits of an arm a chart is drawn from."""
RANDOMISED = ("slow-down", "sites")


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure: `published` and `simulated` are changes, −0.049 being −4.9 %, unless `unit` says otherwise.

    The interval holds what chance does and, where the preset has intervals, both their ends. `inside` says whether the
    published figure lies in it; None where nothing was simulated. `role`: the fit of the consensus used it, or it is a
    prediction, or it is left out, for the reason in `note`.
    """

    id: str
    study: str
    design: str
    published: float
    simulated: Estimate
    inside: bool | None
    role: Role
    note: str
    unit: str = "relative"
    grade: str = ""
    measure: str = ""
    conditions: str = ""
    contradicts: tuple[str, ...] = ()


def scorecard(seed: int, visits: int = VISITS, behaviour: str = "causal-consensus") -> list[Row]:
    """Return every published figure beside its simulation with the preset `behaviour`, `visits` in each arm.

    The fitted figures come first, then predictions, then what is left out. Raises `FileFaults` for a preset that is
    not there.
    """
    preset, people = load_behaviour(behaviour), load_population(POPULATION)
    levels = [_Level(population_under(level, people), seed, visits) for level in (preset, *_ends(preset))]
    rows = [row for study in studies() for row in _of_study(study, levels)]
    order: tuple[Role, ...] = ("fitted", "predicted", "excluded")
    return sorted(rows, key=lambda row: order.index(row.role))


def _ends(preset: Behaviour) -> list[Behaviour]:
    """Return the preset at the lower and at the upper ends of its intervals; nothing where it has none."""
    intervals = {name.replace(".", "__"): ends for name, ends in preset.spec.intervals.items()}
    if not intervals:
        return []
    return [preset.at(**{name: ends[end] for name, ends in intervals.items()}) for end in (0, 1)]


class _Level:
    """A preset at one level, and how to simulate a study under it."""

    def __init__(self, population: Population, seed: int, visits: int) -> None:
        self.population, self.seed, self.visits = population, seed, visits
        self.charts = Charts(population, seed, CHART * visits)

    def simulated(self, study: Study, figures: Sequence[Figure]) -> list[Estimate]:
        """Return the simulated change of each figure."""
        if study.design in RANDOMISED:
            return slow_down(self.population, study, figures, self.seed, self.visits)
        assert study.design != "share", "a share alone compares nothing, so its figures are excluded"
        return self.charts.figures(study, figures)


def _of_study(study: Study, levels: Sequence[_Level]) -> list[Row]:
    figures = [figure for figure in study.figures if figure.role != "excluded"]
    found = [level.simulated(study, figures) for level in levels] if figures else []
    by_id = {figure.id: _spanned([level[place] for level in found]) for place, figure in enumerate(figures)}
    return [_row(study, figure, by_id.get(figure.id, NOTHING)) for figure in study.figures]


def _spanned(levels: Sequence[Estimate]) -> Estimate:
    """Return the first estimate with an interval that reaches over those of all levels."""
    first, known = levels[0], [level for level in levels if level.low is not None and level.high is not None]
    lows, highs = ([end for level in known if (end := getattr(level, name)) is not None] for name in ("low", "high"))
    return Estimate(first.value, first.n, min(lows, default=None), max(highs, default=None))


def _row(study: Study, figure: Figure, simulated: Estimate) -> Row:
    inside = None
    if simulated.low is not None and simulated.high is not None:
        inside = simulated.low <= figure.change <= simulated.high
    note = "; ".join(text for text in (figure.note, study.note) if text)
    return Row(
        figure.id, study.study, study.design, figure.change, simulated, inside, figure.role, note,
        figure.unit, study.grade, figure.measure, _conditions(figure), tuple(study.contradicts),
    )  # fmt: skip


def _conditions(figure: Figure) -> str:
    """Return the treatment in a few words: `+1s`, or `3s vs 1s`."""
    if figure.delay is not None:
        return figure.delay if figure.delay.startswith("-") else f"+{figure.delay}"
    return f"{figure.at:g}s vs {figure.against:g}s" if figure.at and figure.against else ""
