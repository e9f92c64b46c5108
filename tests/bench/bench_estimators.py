"""How long the estimators of a speed report take on ten million events, on one core."""

from __future__ import annotations

from time import process_time

import numpy as np
from figures import Figure, at_most

from simulator.analysis.cuped import Arm, cuped
from simulator.analysis.hazard_model import fit_hazard
from simulator.analysis.incidence import aalen_johansen
from simulator.analysis.influence import mean_of, percent
from simulator.analysis.page_design import page_design
from simulator.analysis.plateau import isotonic, knee
from simulator.analysis.survival import kaplan_meier, median_of, restricted_mean
from simulator.study.trials import trial

SHOPPERS, BLOCK, SEED = 370_000, 10_000, 1
"""In three arms over a week they make some ten million events."""
BAR_S = 30.0


def run() -> list[Figure]:
    """Estimate everything once on all visits, every arm apart where a report has it so."""
    parts = [trial("h0.025", SEED, first, first + BLOCK) for first in range(0, SHOPPERS, BLOCK)]
    visits = np.cumsum([0, *(len(one.arm) for one in parts)])
    page_visit = np.concatenate([one.page_visit + first for one, first in zip(parts, visits, strict=False)])
    number, ended = (np.concatenate([getattr(one, name) for one in parts]) for name in ("page_number", "ended"))
    who, arm, cut, landing, impatient = (
        np.concatenate([getattr(one, name) for one in parts])
        for name in ("shoppers", "arm", "cut_s", "landing_s", "impatient")
    )
    wall, pages = (np.concatenate([one.values[name] for one in parts]) for name in ("wall_time", "pages"))
    before = np.concatenate([one.before.astype(bool) for one in parts])
    del parts
    times, whole = np.minimum(wall, cut), wall <= cut
    kinds = np.where(whole, np.where(impatient, 0, 1), -1)
    rows = [arm == code for code in range(3)]

    begun_s = process_time()
    for one in rows:
        median_of(kaplan_meier(times[one], whole[one], who[one]))
        restricted_mean(times[one], whole[one], 180.0, who[one])
        aalen_johansen(times[one], kinds[one], ("abandon", "exit"), who[one])
    curves_s = process_time() - begun_s
    fit_hazard(page_design(number, landing[page_visit], knots=4), ended, who[page_visit])
    model_s = process_time() - begun_s - curves_s
    isotonic(landing, pages, who, "falling")
    knee(landing, pages, who)
    plateau_s = process_time() - begun_s - curves_s - model_s
    control, treated = (Arm(wall[one], before[one], who[one]) for one in rows[:2])
    percent(mean_of(wall[rows[1]], who[rows[1]]), mean_of(wall[rows[0]], who[rows[0]]))
    cuped(treated, Arm(control.values, control.before, control.clusters + (1 << 40)))
    name = f"estimators: {len(number) / 1e6:.1f} million events, {len(who) / 1e6:.1f} million visits, processor time"
    return [
        at_most(f"{name} of curves by arm", curves_s, BAR_S, " s"),
        at_most(f"{name} of the hazard model", model_s, BAR_S, " s"),
        at_most(f"{name} of plateaus", plateau_s, BAR_S, " s"),
        at_most(f"{name} of all", process_time() - begun_s, BAR_S, " s"),
    ]
