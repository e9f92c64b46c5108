"""Everything that a speed report shows, gathered once: of a scenario, played here, or of a run as it was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.analysis.runs import read_run
from simulator.analysis.thresholds import MIN_SAMPLES, ThresholdError, judge, parse_thresholds
from simulator.analysis.verdict import decide
from simulator.journey.arms import CONTROL
from simulator.model.faults import Fault, FileFaults
from simulator.page.card import compile_pages, page_file
from simulator.study import speed_arms, speed_doses, speed_gap, speed_groups, speed_landing, speed_vitals
from simulator.study.speed_facts import facts
from simulator.study.speed_findings import Arms, Judged, Leaving, SpeedFindings
from simulator.study.speed_journeys import journeys
from simulator.study.speed_pages import reduce_pages
from simulator.study.speed_play import played, scenario_of, under_delays
from simulator.study.speed_published import published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.analysis.baselines import Store
    from simulator.analysis.estimates import Estimate
    from simulator.analysis.runs import Run
    from simulator.analysis.verdict import Verdict
    from simulator.scenario.load import Scenario
    from simulator.study.dose import DoseResponse
    from simulator.study.observed import Observed
    from simulator.study.speed_findings import Arm, Basis, Swept
    from simulator.study.speed_pages import Pages

SAVINGS_SHARE = 4
"""Savings and published designs are played with a part of the shoppers: one in so many."""
MOST_PLAYED = 20_000
"""Shoppers of the experiment where nobody says how many."""
VIEWED = 10_000
"""Shoppers whose visits are drawn one by one in every arm: curves, ends, the funnel."""
MOST_CURVES = 4
MOST_OBSERVED = 50_000
"""Shoppers of the observed view."""
SAVINGS_OF = 8
"""Pages for which savings are played: those that shoppers wait for longest, in sum."""


@dataclass(frozen=True)
class Asked:
    """How large the experiments are (shoppers; None: the scenario's), on how many processes, and what is beside."""

    shoppers: int | None = None
    workers: int = 1
    store: Store | None = None
    sweep: tuple[Swept, ...] = ()
    tell: Callable[[str], None] = field(default=lambda _: None)


@dataclass(frozen=True)
class _Played:
    """The experiments on a scenario's shoppers; all None and empty where there is no scenario to play."""

    response: DoseResponse | None = None
    sensitivity: tuple[Any, ...] = ()
    savings: tuple[Any, ...] = ()
    published: tuple[Any, ...] = ()
    view: Observed | None = None


def of_scenario(scenario: Scenario, asked: Asked) -> Judged:
    """Play a scenario and its paired dose–response, and return everything that there is to show."""
    asked.tell("playing the scenario")
    run = played(scenario)
    pages = reduce_pages(run, scenario.pages.cards)
    made = _experiments(scenario, pages, asked)
    asked.tell("playing visits under delays")
    beside = under_delays(scenario, min(VIEWED, asked.shoppers or scenario.spec.shoppers))
    assert made.response is not None
    arms = _paired(made.response, beside, reduce_pages(beside, None))
    missing = () if asked.sweep else (NO_SWEEP,)
    found = _findings(run, pages, arms, beside, made, asked, (scenario.spec.scenario, scenario.spec.describe), missing)
    return Judged(found, verdict_of(run, asked.store))


def of_run(folder: Path, asked: Asked) -> Judged:
    """Return everything that there is to show of a run folder. Raises `FileFaults` when it is no whole run.

    Arms of the run are compared as they were dealt (intention to treat). What a run cannot tell is played with its own
    scenario, and says so.
    """
    run = read_run(folder, events_later=True)
    asked.tell("counting pages")
    pages = reduce_pages(run, _cards(run))
    missing = [] if asked.sweep else [NO_SWEEP]
    made, scenario = _Played(), None
    try:
        scenario = scenario_of(run)
    except FileFaults as error:
        missing.append(f"Experiments on the run's own shoppers: its scenario cannot be played again ({error}).")
    if scenario is not None:
        made = _experiments(scenario, pages, asked)
    arms, beside = None, run
    if run.base_arm is not None:
        asked.tell("comparing arms")
        arms = _of_arms(run, pages)
    elif scenario is not None and made.response is not None:
        asked.tell("playing visits under delays")
        beside = under_delays(scenario, min(VIEWED, asked.shoppers or scenario.spec.shoppers))
        arms = _paired(made.response, beside, reduce_pages(beside, None), (PLAYED_AGAIN,))
    title = (run.manifest.name, str(run.manifest.scenario.get("describe") or ""))
    found = _findings(run, pages, arms, beside, made, asked, title, tuple(missing))
    return Judged(found, verdict_of(run, asked.store))


NO_SWEEP = "The chain from arrivals to session length: give a live rate sweep with --sweep."
PLAYED_AGAIN = (
    "The run has no arms. The experiment was played offline on its own shoppers: load times are the page model's there."
)


def _cards(run: Run) -> NDArray[Any]:
    return compile_pages(page_file(), instant=run.manifest.scenario.get("pages") == "instant").cards


def verdict_of(run: Run, store: Store | None) -> Verdict:
    """Return the verdict on a run's own thresholds; `store` holds the baselines that they may name."""
    try:
        thresholds = parse_thresholds(run.manifest.thresholds)
    except ThresholdError as error:
        file = str(run.folder / "manifest.json")
        raise FileFaults(
            Fault(file, 0, f"scenario.thresholds.{index}", found, allowed, hint)
            for index, found, allowed, hint in error.problems
        ) from None
    return decide(run.manifest, judge(run, thresholds, run.manifest.min_samples or MIN_SAMPLES, store))


def _experiments(scenario: Scenario, pages: Pages, asked: Asked) -> _Played:
    """Play what needs no run: the dose–response, its sensitivity, savings and published designs."""
    many = asked.shoppers or min(scenario.spec.shoppers, MOST_PLAYED)
    fewer = max(min(many, 500), many // SAVINGS_SHARE)

    def quiet(_shoppers: int, _visits: int) -> None: ...

    asked.tell("playing every visit under every delay")
    response = speed_doses.doses(scenario, many, asked.workers, quiet)
    asked.tell("trying other assumptions")
    tried = speed_doses.sensitivity(scenario, many, asked.workers, quiet)
    asked.tell("making pages faster")
    savings = speed_doses.savings(scenario, _slowest(pages), fewer, asked.workers, quiet)
    asked.tell("playing published designs")
    rows = published(scenario.spec.behaviour, scenario.spec.seed, fewer)
    asked.tell("looking at them as a dashboard would")
    return _Played(response, tried, savings, rows, speed_gap.view_of(scenario, min(many, MOST_OBSERVED)))


def _slowest(pages: Pages) -> list[str]:
    """Return the pages that shoppers wait for longest, in sum over visits."""
    cells = pages.by["page"]
    sums = {name: float(cells.parts_s[place].sum()) for place, name in enumerate(cells.names)}
    return [name for name in sorted(sums, key=lambda name: -sums[name]) if sums[name] > 0][:SAVINGS_OF]


def _paired(response: DoseResponse, beside: Run, pages: Pages, notes: tuple[str, ...] = ()) -> Arms:
    arms = speed_arms.arms_of(beside)
    curves, until = speed_arms.survival(beside, arms)
    return Arms(
        "paired",
        (table := speed_doses.arm_table(response)),
        speed_arms.titles(beside) | {arm.name: arm.name for arm in table},
        curves,
        until,
        speed_arms.ends(beside, arms),
        speed_arms.funnel(beside, pages.reached, arms),
        speed_groups.of_dose(speed_doses.dose_at(response)),
        speed_doses.variance_reduction(response),
        (f"{speed_doses.told(response)}.", *notes),
    )


def _of_arms(run: Run, pages: Pages) -> Arms:
    table = speed_arms.arm_table(run)
    arms = speed_arms.arms_of(run)[:MOST_CURVES]
    curves, until = speed_arms.survival(run, arms)
    near = _near_one_second(table)
    groups = speed_groups.of_run(run, near.name, near.relative[speed_groups.METRIC]) if near is not None else None
    paired, notes = speed_arms.how_dealt(run)
    ends = speed_arms.ends(run, arms)
    funnel = speed_arms.funnel(run, pages.reached, arms)
    return Arms(
        "paired" if paired else "randomised",
        table,
        speed_arms.titles(run),
        curves,
        until,
        ends,
        funnel,
        groups,
        {},
        notes,
    )


def _near_one_second(table: tuple[Arm, ...]) -> Arm | None:
    """Return the treated arm whose delay is nearest to a second; the first where none delays all pages alike."""
    treated = [arm for arm in table if arm.name != CONTROL and arm.relative]
    known = [arm for arm in treated if arm.delay_s]
    if known:
        return min(known, key=lambda arm: abs((arm.delay_s or 0.0) - 1.0))
    return treated[0] if treated else None


def _findings(
    run: Run,
    pages: Pages,
    arms: Arms | None,
    beside: Run,
    made: _Played,
    asked: Asked,
    title: tuple[str, str],
    missing: tuple[str, ...],
) -> SpeedFindings:
    near = _near_one_second(arms.arms) if arms is not None else None
    landing, average = speed_landing.binned(run, "landing"), speed_landing.binned(run, "average")
    bends = speed_landing.plateau(run, landing)
    scenario_only = run.base_arm is None and not run.folder.is_dir()
    if made.view is not None and scenario_only:
        landing, average = (speed_gap.binned_of(made.view, one.by, one) if one else None for one in (landing, average))
        overlay, bridges = speed_gap.overlay_of(made.view), speed_gap.bridges_of(made.view)
    else:
        table = arms.arms if arms is not None else ()
        overlay = speed_gap.measured_overlay(table, landing, speed_landing.middle_s(landing)) if landing else None
        bridges = speed_gap.measured_bridge(near, landing, average)
    asked.tell("looking at single visits")
    reaction = run.manifest.behaviour
    effects: dict[str, Estimate] = near.relative if near is not None else {}
    return SpeedFindings(
        title=title[0],
        about=title[1],
        source="scenario" if run.manifest.world == "crowd" and not run.folder.is_dir() else "run",
        behaviour=reaction.name if reaction is not None else "not recorded",
        observational=reaction is not None and reaction.kind == "observational",
        basis=_basis(run, arms, pages),
        measured_share=pages.measured_share,
        facts=facts(run, arms),
        visits=len(run.visits),
        shoppers=len(run.shoppers),
        pages=pages.events,
        arms=arms,
        sensitivity=made.sensitivity,
        conclusions=speed_doses.conclusions(effects, near.delay_s or 1.0, made.sensitivity) if near else (),
        landing=landing,
        average=average,
        overlay=overlay,
        bridges=bridges,
        leaving=Leaving(speed_vitals.leaving_by_wait(pages), speed_landing.leaving_by_page(run)),
        plateau=bends,
        cohorts=speed_vitals.cohorts(pages),
        vitals=speed_vitals.vitals(pages),
        spreads=speed_vitals.spreads(pages),
        journeys=journeys(beside, speed_arms.arms_of(beside)[:MOST_CURVES]),
        savings=made.savings,
        published=made.published,
        sweep=asked.sweep,
        missing=missing,
    )


def _basis(run: Run, arms: Arms | None, pages: Pages) -> dict[str, Basis]:
    """Return what each part of the report stands on."""
    share = pages.measured_share or 0.0
    load: Basis = "measured" if share > 0.995 else "part measured" if share > 0 else "assumed"
    own = arms is not None and run.base_arm is not None
    return {
        "behaviour": "assumed",
        "load_time": load,
        "experiment": ("part measured" if share > 0 else "assumed") if own else "assumed",
        "observed": "part measured" if share > 0 else "assumed",
        "played": "assumed",
        "published": "measured",
        "sweep": "part measured",
    }
