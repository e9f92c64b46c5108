"""A behaviour preset from a team's own beacons: what can be told from them, and what cannot, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.stats import chi2

from simulator.fit.rum_after import fit_dwell, fit_put_off, fit_total, varies_within
from simulator.fit.rum_patience import ENOUGH_LEVEL, fit_patience, paints_known
from simulator.model.behaviour import CONSENSUS, base_shopper, load_behaviour
from simulator.study.designs import delayed_world, one_visit_each, population_under
from simulator.worlds.crowd import blocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.fit.rum_after import After
    from simulator.fit.rum_patience import Patience
    from simulator.fit.rum_views import Views

State = Literal["fitted", "confounded", "assumed"]
UNEQUAL = 1e-3
"""Probability below which arms differ too much in size for chance: their beacons were lost, or dealt unequally."""
PLAYED = 20_000
"""Visits played to know what pages everyday shoppers see."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of the preset, by dotted name: its value, its interval where it was fitted, and what it rests on."""

    name: str
    value: float
    low: float | None
    high: float | None
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Design:
    """What the data can tell apart, seen in the data itself."""

    sessions: int
    views: int
    delays: int
    """Different delays, 0 without a column of them."""
    within: bool
    """Whether delays vary within a session."""
    given_up: int
    """Waits of which it is known when they were given up."""
    timed: bool
    """Whether it is known when pages began."""
    users: bool
    unequal: float | None
    """The probability of landing pages so unequally dealt to the delays, where there are few of these."""

    @property
    def randomised(self) -> bool:
        """Whether chance decided who waits."""
        return self.delays >= 2

    @property
    def lost(self) -> bool:
        """Whether arms differ in size where nothing tells of who left while waiting: their beacons are lost."""
        return self.uneven and self.given_up == 0

    @property
    def uneven(self) -> bool:
        """Whether sessions that landed on one delay are too many or too few for even dealing."""
        return self.unequal is not None and self.unequal < UNEQUAL


class Fit(NamedTuple):
    """The design that was found and the parameters of the preset."""

    design: Design
    parameters: tuple[Parameter, ...]

    @property
    def kind(self) -> str:
        """`fitted`, or `observational` where no chance decided who waits."""
        levels = {one.state for one in self.parameters if one.name == "patience.hazard_per_s"}
        return "fitted" if levels == {"fitted"} else "observational" if levels == {"confounded"} else "causal"


def design_of(views: Views) -> Design:
    """Return what the data can tell apart."""
    known = ~np.isnan(views.delay_s)
    delays = np.unique(views.delay_s[known])
    within = bool(known.any()) and varies_within(views)
    return Design(
        sessions=int(views.first().sum()),
        views=len(views.session),
        delays=len(delays),
        within=within,
        given_up=int((~np.isnan(views.left_s)).sum()),
        timed=bool((~np.isnan(views.at_s)).all()),
        users=views.has_users,
        unequal=_unequal(views) if 2 <= len(delays) <= 20 else None,
    )


def fit_rum(views: Views) -> Fit:
    """Fit every number of a preset that the data identifies; the others keep the consensus' value, and say so."""
    design = design_of(views)
    found: dict[str, Parameter] = {}
    patience = fit_patience(views) if design.given_up >= ENOUGH_LEVEL else None
    if patience is not None:
        found |= _of_patience(patience, design)
    elif design.randomised and (total := fit_total(views)) is not None:
        found |= _of_total(total, design)
    if "put_off.per_log_load" not in found:
        found |= _of_put_off(fit_put_off(views), design)
    if found and (not paints_known(views) or patience is None):
        found["patience.feedback"] = Parameter("patience.feedback", 1.0, None, None, "assumed", WHOLE)
    found["put_off.dwell"] = _of_dwell(fit_dwell(views) if design.timed else None, design)
    return Fit(design, tuple(found.get(name) or _assumed(name, design) for name in NAMES))


NAMES = (
    "patience.hazard_per_s", "patience.shape", "patience.frailty_variance", "patience.feedback", "put_off.per_log_load",
    "put_off.memory", "put_off.dwell",
)  # fmt: skip


WHOLE = "no first paints: the level is of the whole wait, so nothing softens it"


def _of_patience(patience: Patience, design: Design) -> dict[str, Parameter]:
    state: State = "fitted" if design.randomised and not design.lost else "confounded"
    n = f"{patience.given_up:,} of {patience.waits:,} waits given up"
    told = "when people left while waiting, delays dealt at random" if state == "fitted" else _confounded(design)
    why = f"{told}; {n}"
    scale = 1 / _ratios()["hazard_per_s"]
    found = {
        "patience.hazard_per_s": _scaled("patience.hazard_per_s", patience.values["hazard_per_s"], scale, state, why)
    }
    reasons = {"shape": "waits given up under four delays or more", "frailty_variance": "repeated waits of one person",
               "feedback": "waits given up before and after first paint"}  # fmt: skip
    for (name, reason), free in zip(reasons.items(), patience.free, strict=True):
        if free:
            found[f"patience.{name}"] = _scaled(f"patience.{name}", patience.values[name], 1.0, state, reason)
    return found


def _of_total(total: After, design: Design) -> dict[str, Parameter]:
    """Return the level where it is not known when people left: all that waiting costs is counted as impatience."""
    state: State = "confounded" if design.lost else "fitted"
    why = (
        f"arms differ in size (p = {design.unequal:.1g}): beacons are lost with the wait, and so are bounces"
        if design.lost
        else f"who of {total.n:,} sessions had a second page, by delay dealt at random; put-off is in it"
    )
    scale = 1 / _ratios()["hazard_per_s"]
    level = _scaled("patience.hazard_per_s", (total.value, total.low, total.high), scale, state, why)
    nothing = "not apart from patience: it is not known when people left; it is in the level of patience"
    return {
        "patience.hazard_per_s": level,
        "put_off.per_log_load": Parameter("put_off.per_log_load", 0.0, None, None, "assumed", nothing),
        "put_off.memory": Parameter("put_off.memory", 0.0, None, None, "assumed", nothing),
    }


def _of_put_off(after: dict[str, After] | None, design: Design) -> dict[str, Parameter]:
    if after is None or not design.randomised:
        return {}
    state: State = "confounded" if design.lost else "fitted"
    found = {}
    for name, one in after.items():
        why = f"who of {one.n:,} views that loaded was followed by another, by what the delay added to the wait"
        scale = 1 / _ratios()["put_off" if name == "per_log_load" else name]
        values = (max(one.value, 0.0), max(one.low, 0.0), max(one.high, 0.0))
        found[f"put_off.{name}"] = _scaled(f"put_off.{name}", values, scale, state, why)
    return found


def _of_dwell(dwell: After | None, design: Design) -> Parameter:
    if dwell is None or not design.randomised:
        return _assumed("put_off.dwell", design)
    values = (min(max(dwell.value, 0.0), 10.0), max(dwell.low, 0.0), max(dwell.high, 0.0))
    return _scaled("put_off.dwell", values, 1.0, "fitted", f"how long {dwell.n:,} pages were looked at, by delay")


def _scaled(name: str, values: tuple[float, float, float], scale: float, state: State, why: str) -> Parameter:
    value, low, high = (one * scale for one in values)
    return Parameter(name, value, low, high, state, why)


def _assumed(name: str, design: Design) -> Parameter:
    """Return what the data does not identify: the consensus, or where that gives no form, the base shopper's."""
    section, _, key = name.partition(".")
    given = getattr(getattr(load_behaviour(CONSENSUS).spec, section), key)
    value = getattr(getattr(base_shopper(), section), key) if given is None else given
    return Parameter(name, value, None, None, "assumed", MISSING[name](design))


def _confounded(design: Design) -> str:
    if design.lost:
        return f"arms differ in size (p = {design.unequal:.1g}): beacons are lost with the wait"
    return "no delay was dealt at random, and slow pages are met by other people than fast ones"


def _level_missing(design: Design) -> str:
    if design.given_up:
        return f"only {design.given_up} waits given up; {ENOUGH_LEVEL} are needed"
    if not design.randomised:
        return "neither when people left while waiting nor a delay dealt at random; bounce by load time cannot tell"
    return "too few sessions"


MISSING: dict[str, Callable[[Design], str]] = {
    "patience.hazard_per_s": _level_missing,
    "patience.shape": lambda d: "needs when people left, under four delays or more" if d.delays < 4 else _few(d),
    "patience.frailty_variance": lambda d: (
        _few(d) if d.users else "needs repeated waits of one person: a user, or sessions of several pages"
    ),
    "patience.feedback": lambda d: f"needs first paints; {_few(d)}",
    "put_off.per_log_load": lambda d: _few_loads(d) if d.randomised else "needs a delay dealt at random",
    "put_off.memory": lambda d: (
        _few_loads(d) if d.within else "needs delays that vary within a session, dealt a page at a time"
    ),
    "put_off.dwell": lambda d: (
        "needs when pages began" if not d.timed else _few_loads(d) if d.randomised else "needs a delay dealt at random"
    ),
}


def _few(design: Design) -> str:
    return f"too few waits of which it is known when they were given up ({design.given_up:,})"


def _few_loads(design: Design) -> str:
    return f"too few views ({design.views:,})"


def _unequal(views: Views) -> float:
    """Return the probability that sessions dealt evenly to the delays fall as unequally (Pearson's chi-square).

    A sample ratio mismatch (Fabijan and others 2019). Arms are taken to have been meant equally large.
    """
    delays = views.delay_s[views.first() & ~np.isnan(views.delay_s)]
    counts = np.unique(delays, return_counts=True)[1]
    even = counts.sum() / len(counts)
    return float(chi2.sf(((counts - even) ** 2 / even).sum(), len(counts) - 1))


@cache
def _ratios() -> dict[str, float]:
    """Return a level's mean over the pages that everyday shoppers see, over the base shopper's on browsing pages.

    What beacons show is that mean; a preset names the base shopper's.
    """
    population, base = population_under(load_behaviour(CONSENSUS)), base_shopper()
    levels = {
        "hazard_per_s": base.patience.hazard_per_s,
        "put_off": base.put_off.per_log_load,
        "memory": base.put_off.memory,
    }
    sums, pages = dict.fromkeys(levels, 0.0), 0
    for rows in blocks(delayed_world(population, 1.0, [], 7), one_visit_each(PLAYED, 1)):
        who, state = rows.events["persona"], rows.events["state"]
        pages += len(who)
        for name in sums:
            found = population.personas[name]
            sums[name] += float((found[who, state] if found.ndim > 1 else found[who]).sum())
    return {name: sums[name] / pages / levels[name] for name in levels}
