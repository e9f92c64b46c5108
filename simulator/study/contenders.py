"""The estimators that are put to the test on the crowd, good and naive, and what the truth is for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from simulator.analysis.assignment import halves
from simulator.analysis.cuped import Arm, cuped
from simulator.analysis.hazard_model import fit_hazard
from simulator.analysis.incidence import aalen_johansen
from simulator.analysis.influence import Influenced, difference, influenced, mean_of, percent
from simulator.analysis.page_design import page_design
from simulator.analysis.slowdown import slope_of, two_stage
from simulator.analysis.survival import kaplan_meier, restricted_mean
from simulator.study.score import Said, said
from simulator.study.trials import DELAYS_S, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from simulator.study.truth import Truth

    Floats = NDArray[np.float64]

SLOW = len(DELAYS_S) - 1
"""The arm that is set against control, arm 0."""
AT_S, UNTIL_S = 60.0, 180.0
"""Where curves are read off, and where restricted means end."""
Measure: TypeAlias = Callable[[Trial], Said]
Known: TypeAlias = "Callable[[Truth], float]"


@dataclass(frozen=True, slots=True)
class Contender:
    """An estimator: what it estimates, how, its truth, and whether it is `naive`: shown beside the good ones only.

    `effect` says that 0 is its truth where waiting does nothing.
    """

    name: str
    how: str
    measure: Measure
    truth: Known
    effect: bool = True
    naive: bool = False


def rows_of(trial: Trial, arm: int) -> NDArray[np.bool_]:
    """Return the visits of the shoppers who were assigned to an arm."""
    rows: NDArray[np.bool_] = trial.assigned & (trial.arm == arm)
    return rows


def mean_in(trial: Trial, metric: str, rows: NDArray[np.bool_]) -> Influenced:
    """Return the mean of a metric by shopper."""
    return mean_of(trial.values[metric][rows], trial.shoppers[rows])


def _level(metric: str) -> Contender:
    return Contender(
        metric,
        "mean of visits, by shopper",
        lambda trial: said(mean_in(trial, metric, rows_of(trial, 0)).estimate()),
        lambda truth: truth.means[metric][0],
        effect=False,
    )


def _effect(metric: str) -> Contender:
    def measure(trial: Trial) -> Said:
        treated, control = (mean_in(trial, metric, rows_of(trial, arm)) for arm in (SLOW, 0))
        return said(percent(treated, control), difference(treated, control).p())

    return Contender(f"{metric}, +4 s", "arms by assignment", measure, _relative(metric), _reacts(metric))


def _paired(metric: str) -> Contender:
    def measure(trial: Trial) -> Said:
        treated, control = (mean_in(trial, metric, trial.arm == arm) for arm in (SLOW, 0))
        # Where no visit changes there is nothing to test, and nothing is claimed.
        p = difference(treated, control).p()
        return said(percent(treated, control), 1.0 if p is None else p)

    return Contender(f"{metric}, +4 s", "same visits in both arms", measure, _relative(metric), _reacts(metric))


def _reacts(metric: str) -> bool:
    """Return whether a metric stays as it is when waiting does nothing: those that count the waiting itself do not."""
    return metric not in ("wall_time", "ga_time")


def _relative(metric: str) -> Known:
    return lambda truth: truth.means[metric][SLOW] / truth.means[metric][0] - 1.0


def _cuped(trial: Trial) -> Said:
    arms = [
        Arm(trial.values["engaged_time"][rows], trial.before[rows], trial.shoppers[rows])
        for rows in (rows_of(trial, SLOW), rows_of(trial, 0))
    ]
    found = cuped(*arms).difference
    return said(found.estimate(), found.p())


def _slope(metric: str) -> Contender:
    def measure(trial: Trial) -> Said:
        found = slope_of([(delay, mean_in(trial, metric, rows_of(trial, arm))) for arm, delay in enumerate(DELAYS_S)])
        assert found is not None
        return said(found.estimate(), found.p())

    return Contender(
        f"{metric} a second",
        "straight line through the arms",
        measure,
        lambda truth: truth.slope(metric),
    )


def _two_stage(trial: Trial) -> Said:
    rows = trial.assigned
    found = two_stage(trial.values["pages"][rows], trial.landing_s[rows], trial.delay_s[rows], trial.shoppers[rows])
    return said(found.estimate(), found.p())


def line(outcome: Floats, load: Floats, shoppers: NDArray[np.int64]) -> Influenced:
    """Return the slope of the ordinary least squares line, with errors by shopper."""
    x = load - load.mean()
    total = float(x @ x)
    slope = float(x @ outcome) / total
    return influenced(slope, x * (outcome - outcome.mean() - slope * x) / total, shoppers)


def _observed(load: Callable[[Trial], Floats], metric: str) -> Measure:
    def measure(trial: Trial) -> Said:
        rows = rows_of(trial, 0)
        found = line(trial.values[metric][rows], load(trial)[rows], trial.shoppers[rows])
        return said(found.estimate(), found.p())

    return measure


def _cut(
    trial: Trial, arm: int, rows: NDArray[np.bool_] | None = None
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64]]:
    """Return an arm's visits as they are seen when some are cut: time, seen to the end, impatient, and shopper."""
    rows = rows_of(trial, arm) if rows is None else rows
    wall, cut = trial.values["wall_time"][rows], trial.cut_s[rows]
    return np.minimum(wall, cut), wall <= cut, trial.impatient[rows], trial.shoppers[rows]


def _survival(trial: Trial) -> Said:
    times, ended, _, who = _cut(trial, 0)
    curve = kaplan_meier(times, ended, who).at(np.array([AT_S]))
    return Said(float(curve.survival[0]), float(curve.low[0]), float(curve.high[0]))


def _incidence(trial: Trial) -> Said:
    times, ended, impatient, who = _cut(trial, 0)
    kinds = np.where(ended, np.where(impatient, 0, 1), -1)
    curve = aalen_johansen(times, kinds, ("abandon", "exit"), who)["abandon"].at(np.array([AT_S]))
    return Said(float(curve.survival[0]), float(curve.low[0]), float(curve.high[0]))


def _abandoned_of_finished(trial: Trial) -> Said:
    times, ended, impatient, who = _cut(trial, 0)
    return said(mean_of(((times <= AT_S) & impatient)[ended].astype(np.float64), who[ended]).estimate())


def _restricted(trial: Trial, arm: int = 0, rows: NDArray[np.bool_] | None = None) -> Influenced:
    times, ended, _, who = _cut(trial, arm, rows)
    return restricted_mean(times, ended, UNTIL_S, who)


def _restricted_effect(trial: Trial) -> Said:
    return said(difference(_restricted(trial, SLOW), _restricted(trial)).estimate())


def _restricted_pairs(trial: Trial) -> Said:
    treated, control = (_restricted(trial, arm, trial.arm == arm) for arm in (SLOW, 0))
    return said(difference(treated, control).estimate())


def _finished_only(trial: Trial) -> Said:
    times, ended, _, who = _cut(trial, 0)
    return said(mean_of(np.minimum(times, UNTIL_S)[ended], who[ended]).estimate())


def _hazard(trial: Trial, *, by_shopper: bool) -> Said:
    pages = trial.assigned[trial.page_visit]
    visit = trial.page_visit[pages]
    design = page_design(trial.page_number[pages], trial.delay_s[visit])
    who = trial.shoppers[visit] if by_shopper else np.arange(len(visit))
    fit = fit_hazard(design, trial.ended[pages], who)
    return said(fit.coefficient("load_s"), fit.p("load_s"))


def _same(trial: Trial) -> Said:
    rows = rows_of(trial, 0)
    half = halves(trial.shoppers)
    found = difference(*(mean_in(trial, "engaged_time", rows & side) for side in (half, ~half)))
    return said(found.estimate(), found.p())


LEVELS = ("engaged_time", "wall_time", "pages", "ga_time", "bounce")
EFFECTS = (*LEVELS, "conversion")


def contenders() -> Sequence[Contender]:
    """Return every estimator, in the order of the table."""
    slower = "wall_time to 3 min, +4 s"
    return (
        *(_level(metric) for metric in LEVELS),
        Contender("lasts 60 s", "Kaplan-Meier, cut visits", _survival, lambda truth: truth.lasts, effect=False),
        Contender(
            "abandons by 60 s", "Aalen-Johansen, cut visits", _incidence, lambda truth: truth.abandons, effect=False
        ),
        Contender(
            "abandons by 60 s",
            "share of finished visits",
            _abandoned_of_finished,
            lambda truth: truth.abandons,
            effect=False,
            naive=True,
        ),
        Contender(
            "wall_time to 3 min",
            "restricted mean, cut visits",
            lambda trial: said(_restricted(trial).estimate()),
            lambda truth: truth.restricted[0],
            effect=False,
        ),
        Contender(
            "wall_time to 3 min",
            "mean of finished visits",
            _finished_only,
            lambda truth: truth.restricted[0],
            effect=False,
            naive=True,
        ),
        *(
            Contender(slower, how, measure, lambda truth: truth.restricted[SLOW] - truth.restricted[0], effect=False)
            for how, measure in (
                ("restricted means, cut visits", _restricted_effect),
                ("restricted means, same visits, cut", _restricted_pairs),
            )
        ),
        *(_effect(metric) for metric in EFFECTS),
        *(_paired(metric) for metric in EFFECTS),
        Contender(
            "engaged_time, +4 s",
            "CUPED, in seconds",
            _cuped,
            lambda truth: truth.means["engaged_time"][SLOW] - truth.means["engaged_time"][0],
        ),
        *(_slope(metric) for metric in ("engaged_time", "pages", "bounce")),
        Contender(
            "pages a second of landing load",
            "two-stage least squares",
            _two_stage,
            lambda truth: truth.two_stage,
        ),
        Contender(
            "pages a second of landing load",
            "line through control's visits",
            _observed(lambda trial: trial.landing_s, "pages"),
            lambda truth: truth.two_stage,
            naive=True,
        ),
        Contender(
            "bounce a second of load",
            "line by session-average wait",
            _observed(lambda trial: trial.mean_load_s, "bounce"),
            lambda truth: truth.slope("bounce") * truth.means["bounce"][0],
            naive=True,
        ),
        Contender(
            "leaving a page, a second of delay",
            "hazard model (log odds), by shopper",
            lambda trial: _hazard(trial, by_shopper=True),
            lambda truth: truth.hazard,
        ),
        Contender("engaged_time, no difference", "control's halves (A/A)", _same, lambda truth: 0.0 * truth.lasts),
    )
