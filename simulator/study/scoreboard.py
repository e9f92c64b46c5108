"""The scoreboard of the estimators: bias, RMSE, coverage and false alarms over many trials of known truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from simulator.analysis.sample_size import POWER
from simulator.study.contenders import contenders
from simulator.study.drawn_trials import drawn
from simulator.study.powers import METRIC, Plan, Power, plan_of, tried
from simulator.study.score import Score, score, share_of
from simulator.study.trials import KNOWN_EFFECT, SHOPPERS, trial
from simulator.study.truth import SHOPPERS as TRUTH
from simulator.study.truth import Part, part_of_truth, truth_of
from simulator.worlds.pool import make_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulator.study.drawn_trials import Drawn
    from simulator.study.score import Said
    from simulator.study.trials import Preset

SEED = 20_261_122
PRESETS: tuple[Preset, Preset] = (KNOWN_EFFECT, "null")
RUNS, BLOCK, TRUTH_BLOCK = 1_000, 10, 10_000
"""Trials by default, trials that a worker makes at a time, and shoppers of the truth that it plays at a time."""


class Shown(NamedTuple):
    """How a drawn experiment's figure is called, how it was estimated, and whether it stands beside the good ones."""

    key: str
    name: str
    how: str
    naive: bool = False


DRAWN = (
    Shown("knee", "knee at 4 s", "broken line"),
    Shown("before", "slope before the knee", "broken line"),
    Shown("after", "slope after the knee", "broken line"),
    Shown("falling", "pages at the median load", "isotonic curve"),
    Shown("group", "effect in a group", "partial pooling"),
    Shown("alone", "effect in a group", "each group alone", naive=True),
    Shown("overall", "mean of groups", "partial pooling"),
)
NULLS = (
    Shown("bend", "a knee in a straight line", "test of a bend"),
    Shown("differ", "groups of one effect", "Cochran's test"),
)
FLAT = Shown("flat", "pages where load does nothing", "isotonic curve")


@dataclass(frozen=True, slots=True)
class Line:
    """One estimator. `drawn`: from a formula, not the crowd. `naive`: shown beside the good ones, not recommended."""

    name: str
    how: str
    naive: bool
    drawn: bool
    score: Score


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """All estimators, and how often the sample sizes asked for saw what they were to see."""

    seed: int
    runs: int
    shoppers: int
    truth_shoppers: int
    lines: tuple[Line, ...]
    powers: tuple[Power, ...]

    @property
    def wrong(self) -> list[Line]:
        """The estimators that are not naive and whose coverage or false alarms are not what they should be."""
        return [line for line in self.lines if not line.naive and not line.score.holds]


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker does: trials `first` to `last` − 1, or the truth of so many shoppers where a preset is named."""

    first: int
    last: int
    preset: Preset | None = None


class Block(NamedTuple):
    """What was said in some trials, a list a contender, of the preset with an effect and of the null preset."""

    said: list[list[Said]]
    null: list[list[Said]]
    drawn: list[Drawn]
    drawn_null: list[Drawn]
    seen: list[list[bool]]


def scoreboard(
    runs: int = RUNS,
    seed: int = SEED,
    *,
    workers: int = 1,
    truth_shoppers: int = TRUTH,
    tell: Callable[[int, int], None] | None = None,
) -> Scoreboard:
    """Return the scoreboard of `runs` trials; it is the same for any number of workers.

    `tell` hears (tasks done, tasks in all).
    """
    plan = plan_of(seed)
    todo = [Task(a, min(a + TRUTH_BLOCK, truth_shoppers), KNOWN_EFFECT) for a in range(0, truth_shoppers, TRUTH_BLOCK)]
    todo += [Task(a, min(a + BLOCK, runs)) for a in range(0, runs, BLOCK)]
    made: dict[Task, Part | Block] = {}
    for task, result in make_all(partial(work, seed, plan), todo, workers):
        made[task] = result
        if tell is not None:
            tell(len(made), len(todo))
    parts = [found for task in todo if isinstance(found := made[task], Part)]
    blocks = [found for task in todo if isinstance(found := made[task], Block)]
    lines = (*_crowd(parts, blocks), *_drawn(blocks))
    return Scoreboard(seed, runs, SHOPPERS, truth_shoppers, lines, _powers(plan, blocks))


def work(seed: int, plan: Plan, task: Task) -> tuple[Task, Part | Block]:
    """Return a task and what came of it."""
    if task.preset is not None:
        return task, part_of_truth(task.preset, seed, task.first, task.last)
    runs = range(task.first, task.last)
    all_of = contenders()
    said: list[list[Said]] = [[] for _ in all_of]
    null: list[list[Said]] = [[] for _ in all_of]
    for run in runs:
        first = run * SHOPPERS
        found, nothing = (trial(preset, seed, first, first + SHOPPERS) for preset in PRESETS)
        for place, one in enumerate(all_of):
            said[place].append(one.measure(found))
            if one.effect:
                null[place].append(one.measure(nothing))
    found_drawn, null_drawn = ([drawn(seed, run, null=none) for run in runs] for none in (False, True))
    return task, Block(said, null, found_drawn, null_drawn, [tried(seed, run, plan) for run in runs])


def _crowd(parts: Sequence[Part], blocks: Sequence[Block]) -> list[Line]:
    truth = truth_of(parts)
    lines = []
    for place, one in enumerate(contenders()):
        said = [found for block in blocks for found in block.said[place]]
        null = [found for block in blocks for found in block.null[place]] if one.effect else None
        lines.append(Line(one.name, one.how, one.naive, drawn=False, score=score(said, one.truth(truth), null)))
    return lines


def _drawn(blocks: Sequence[Block]) -> list[Line]:
    found = [one for block in blocks for one in block.drawn]
    none = [one for block in blocks for one in block.drawn_null]
    lines = []
    for shown, made in [*((one, found) for one in DRAWN), (FLAT, none)]:
        known = score([one.said[shown.key] for one in made], [one.truth[shown.key] for one in made], None)
        lines.append(Line(shown.name, shown.how, shown.naive, drawn=True, score=known))
    for shown in NULLS:
        tests = score([], None, [one.said[shown.key] for one in none])
        lines.append(Line(shown.name, shown.how, shown.naive, drawn=True, score=tests))
    return lines


def _powers(plan: Plan, blocks: Sequence[Block]) -> tuple[Power, ...]:
    seen = [flags for block in blocks for flags in block.seen]
    return tuple(
        Power(design, METRIC, delay_s, shoppers, POWER, share_of([flags[place] for flags in seen]))
        for place, (design, shoppers, delay_s) in enumerate(plan.sizes)
    )
