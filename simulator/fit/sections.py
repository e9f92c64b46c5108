"""The sections of a persona file from one kind of shoppers, each with its evidence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.fit.thinking import stands_apart
from simulator.model.reach import FIRST_FLAGS, entered_states, guards_of, weighed_states
from simulator.model.schema import SITUATIONS, TECHNOLOGIES
from simulator.model.states import EXIT, STATE_NAMES
from simulator.model.tempo import edge_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from simulator.fit.estimate import Fitted, Kind, Mix
    from simulator.fit.thinking import Think
    from simulator.model.schema import PersonaFile

DIGITS = 4
LEAST_SHARE = 0.0005
ASSUMED = "assumed: not in the log, taken from base_mobile"


def persona_of(name: str, kind: Kind, fitted: Fitted, period: str, base: PersonaFile) -> dict[str, Any]:
    """Return a whole persona file; what the log does not tell comes from `base` and says so."""
    n = f"{round(kind.users):,} users, {round(kind.visits):,} visits, {period}"
    journey = _journey(kind, _fact(kind, "logged_in", 0.0))
    return {
        "persona": name,
        "describe": describe(kind),
        "evidence": f"fitted from a log: {n}. {_observed(kind)}",
        "place": _place(kind, base),
        "device": _device(kind, base),
        "network": _network(kind, base),
        "arrivals": _arrivals(kind, fitted),
        "tempo": _tempo(kind, base, journey["rows"]),
        "patience": _patience(kind),
        "put_off": _put_off(kind),
        "budget": _budget(kind),
        "affinity": _affinity(kind, base),
        "consent": _consent(kind, base),
        "loyalty": _loyalty(kind, base),
        "journey": journey,
    }


def describe(kind: Kind) -> str:
    """Return one sentence of what this kind does, from its figures."""
    entry = max(kind.entry, key=lambda state: kind.entry[state])
    told = [f"{100 * kind.share:.0f} % of users", f"{kind.pages:.1f} pages a visit", f"mostly begins at {entry}"]
    for name, word in (("country", "from"), ("os", "on")):
        if name in kind.mixes and kind.mixes[name].shares:
            most = max(kind.mixes[name].shares, key=lambda value: kind.mixes[name].shares[value])
            told.append(f"{word} {most} in {100 * kind.mixes[name].shares[most]:.0f} %")
    return f"Fitted: {', '.join(told)}."


def _observed(kind: Kind) -> str:
    return (
        f"Observed: {kind.pages:.2f} pages a visit, bounce {100 * kind.bounce:.1f} %, "
        f"conversion {100 * kind.conversion:.2f} %"
    )


def _known(kind: Kind, name: str) -> Mix | None:
    mix = kind.mixes.get(name)
    return mix if mix is not None and mix.shares else None


def _n(mix: Mix, of: str) -> str:
    return f"n = {round(mix.n):,} {of}"


def _place(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    mix = _known(kind, "country")
    if mix is None:
        return {"countries": dict(base.place.countries), "evidence": ASSUMED}
    return {"countries": shares_of(mix.shares), "evidence": _n(mix, "users")}


def _device(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    system, tier = _known(kind, "os"), _known(kind, "tier")
    told = [f"os: {_n(system, 'users')}" if system else "os by country: assumed, not in the log"]
    told.append(f"tier: {_n(tier, 'users')}" if tier else f"tier {ASSUMED}")
    return {
        "os": shares_of(system.shares) if system else "country_share",
        "tier": shares_of(tier.shares) if tier else dict(base.device.tier),
        "evidence": "; ".join(told),
    }


def _network(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    situation = _known(kind, "situation")
    situations = shares_of(situation.shares) if situation else dict(base.network.situations)
    told = [f"situations: {_n(situation, 'visits')}" if situation else f"situations {ASSUMED}"]
    mixes = {}
    for name in SITUATIONS:
        if not situations.get(name):
            continue
        logged = kind.networks.get(name, kind.networks.get("all"))
        usual = base.network.mix.get(name) or next(iter(base.network.mix.values()))
        mixes[name] = _technologies(logged, usual) if logged is not None and logged.shares else dict(usual)
    if kind.networks:
        told.append(f"technologies: n = {round(sum(mix.n for mix in kind.networks.values())):,} visits")
        if any("cellular" in mix.shares for mix in kind.networks.values()):
            told.append("the log knows only cellular: its technologies are split as in base_mobile")
    else:
        told.append(f"technologies {ASSUMED}")
    return {"situations": situations, "mix": mixes, "evidence": "; ".join(told)}


def _technologies(mix: Mix, usual: Mapping[str, float]) -> dict[str, float]:
    mobile = sum(usual.get(name, 0.0) for name in TECHNOLOGIES[1:])
    shares = {name: mix.shares.get(name, 0.0) for name in TECHNOLOGIES}
    for name in TECHNOLOGIES[1:]:
        shares[name] += mix.shares.get("cellular", 0.0) * (usual.get(name, 0.0) / mobile if mobile else 1 / 3)
    return shares_of({name: share for name, share in shares.items() if share > 0})


def _arrivals(kind: Kind, fitted: Fitted) -> dict[str, Any]:
    clock = "local hours" if fitted.hits.offset_s is not None else "hours as the log has them, no time zone known"
    return {
        "visits_per_week": {
            "dist": "gamma", "mean": float(f"{kind.visits_per_week:.4g}"), "cv": round(kind.visits_cv, 3),
        },
        "hours": [round(100 * share, 2) for share in kind.hours],
        "weekend": round(kind.weekend, 3),
        "evidence": (
            f"n = {round(kind.visits):,} visits of {round(kind.users):,} users in {fitted.features.weeks:.1f} weeks; "
            f"visits a week are those after each user's first, which is why they are in the log; {clock}"
        ),
    }  # fmt: skip


def _tempo(kind: Kind, base: PersonaFile, rows: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Return think times by state, and by those edges of the journey whose times are others than their state's."""
    if "default" not in kind.tempo:
        return {
            "default": base.tempo["default"].model_dump(mode="json", by_alias=True, exclude_none=True)
            | {"evidence": ASSUMED}
        }
    order = ["default", *(state for state in STATE_NAMES if state in kind.tempo)]
    own = {state: think_of(kind.tempo[state]) for state in order}
    apart = {
        edge_name(state, following): think_of(think)
        for (state, following), think in kind.edges.items()
        if rows.get(state, {}).get(following) and stands_apart(think, kind.tempo[state])
    }
    return own | apart


def think_of(think: Think) -> dict[str, Any]:
    """Return a think time as a persona has it, with its goodness of fit."""
    if think.dist == "lognormal":
        made = {"dist": "lognormal", "median": _seconds(math.exp(think.a)), "sigma": float(f"{think.b:.4g}")}
    else:
        made = {"dist": "weibull", "shape": float(f"{think.a:.4g}"), "scale": _seconds(think.b)}
    other = "Weibull" if think.dist == "lognormal" else "log-normal"
    return made | {
        "clip": [_seconds(think.low_s), _seconds(max(think.high_s, think.low_s))],
        "evidence": f"n = {round(think.n):,}; KS distance {think.ks:.3f}; {other} worse by {think.aic_lead:,.0f} AIC",
    }


def _seconds(value: float) -> str:
    return f"{value:.4g}s" if 1e-4 <= value < 1e4 else f"{value:.6f}s"


def _patience(kind: Kind) -> dict[str, Any]:
    wait = kind.leaving.wait
    told = (
        "rate of leaving a second of load time, from the log's load times; shape, frailty and feedback are not "
        "identifiable and set to have no effect"
        if wait
        else "the log has no load times: what waiting does is in the rows' exits, so nobody leaves because of it twice"
    )
    return {
        "hazard_per_s": float(f"{wait[0]:.4g}") if wait else 0.0,
        "shape": 1.0,
        "frailty_variance": 0.0,
        "feedback": 1.0,
        "error_exit": 0.0,
        "evidence": f"{told}; error_exit: errors are not in the log",
    }


def _put_off(kind: Kind) -> dict[str, Any]:
    wait = kind.leaving.wait
    told = "from the log's load times, together with patience; memory is not identifiable" if wait else "as patience"
    return {"per_log_load": float(f"{wait[1]:.4g}") if wait else 0.0, "evidence": told}


def _budget(kind: Kind) -> dict[str, Any]:
    budget = kind.leaving.budget
    if budget is None:
        return {"evidence": "none: visits do not end sooner the longer they last"}
    median = math.exp(budget[0])
    return {
        "time": {"dist": "lognormal", "median": _seconds(median), "sigma": float(f"{budget[1]:.4g}")},
        "evidence": "from how exits grow with the time since the visit began, drawn to all users' budget",
    }


def _affinity(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    mix = _known(kind, "category")
    told = f"categories: {_n(mix, 'product pages')}; the rest {ASSUMED}" if mix else ASSUMED
    return {
        "categories": shares_of(mix.shares) if mix else dict(base.affinity.categories),
        "price_sensitivity": base.affinity.price_sensitivity.model_dump(mode="json", by_alias=True, exclude_none=True),
        "relevance_pull": base.affinity.relevance_pull,
        "evidence": told,
    }


def _consent(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    names = [name for name in type(base.consent).model_fields if name != "evidence"]
    made: dict[str, Any] = {name: _fact(kind, name, getattr(base.consent, name)) for name in names}
    told = [f"{name}: {_n(kind.facts[name], 'users')}" for name in names if name in kind.facts]
    missing = [name for name in names if name not in kind.facts]
    return made | {"evidence": "; ".join([*told, *([f"{', '.join(missing)} {ASSUMED}"] if missing else [])])}


def _loyalty(kind: Kind, base: PersonaFile) -> dict[str, Any]:
    told = [
        f"{name}: {_n(kind.facts[name], 'users')}" if name in kind.facts else f"{name}: {rest}"
        for name, rest in (("member", ASSUMED), ("logged_in", "not in the log, so visits begin logged out"))
    ]
    member, logged_in = _fact(kind, "member", base.loyalty.member), _fact(kind, "logged_in", 0.0)
    return {"member": member, "logged_in": logged_in, "evidence": "; ".join(told)}


def _fact(kind: Kind, name: str, otherwise: float) -> float:
    return round(kind.facts[name].shares.get("yes", 0.0), DIGITS) if name in kind.facts else otherwise


def _journey(kind: Kind, logged_in: float) -> dict[str, Any]:
    rows = {state: shares_of(row) for state, row in kind.rows.items()}
    entry = shares_of(kind.entry)
    odds = dict.fromkeys(FIRST_FLAGS, (True, False)) | ({} if logged_in > 0 else {"logged_in": (False,)})
    reached = entered_states(entry, rows, guards_of(kind.guards), odds)
    entry, closed = _only(entry, reached), sorted(weighed_states(entry, rows, reached) - reached)
    kept = {state: _only(rows.get(state, {}), reached | {EXIT}) for state in STATE_NAMES if state in reached}
    stuck = _open_exits(kept)
    thin = [f"{state} {round(kind.taps.get(state, 0)):,}" for state in kept if kind.taps.get(state, 0) < 100]
    told = [f"taps a row: {', '.join(f'{state} {round(kind.taps.get(state, 0)):,}' for state in kept)}"]
    if thin:
        told.append(f"rows of few taps are drawn to those of all users: {', '.join(thin)}")
    if stuck:
        told.append(f"no tap ever left from {', '.join(stuck)}: an exit of 1 % was added")
    if closed:
        told.append(f"left out, because no visit has come by what they need: {', '.join(closed)}")
    if kind.guards:
        told.append("guards: shoppers without the flag hardly ever came there")
    made: dict[str, Any] = {"entry": entry, "rows": kept}
    if kind.guards:
        made["guards"] = kind.guards
    if "purchase" not in reached:
        made["buys"] = "never"
    return made | {"evidence": "; ".join(told)}


def _only(row: Mapping[str, float], states: Collection[str]) -> dict[str, float]:
    """Return a row without the other states; where nothing is left, visits end."""
    left = {name: share for name, share in row.items() if name in states}
    return shares_of(left) if left else {EXIT: 1.0}


def _open_exits(rows: dict[str, dict[str, float]]) -> list[str]:
    """Give an exit to rows from which none can be reached, and return which they were."""
    leaving = {EXIT}
    while grown := {s for s, row in rows.items() if s not in leaving and any(row.get(t) for t in leaving)}:
        leaving |= grown
    stuck = [state for state in rows if state not in leaving]
    for state in stuck:
        rows[state] = shares_of({name: 0.99 * share for name, share in rows[state].items()} | {EXIT: 0.01})
    return stuck


def shares_of(shares: Mapping[str, float], least: float = LEAST_SHARE) -> dict[str, float]:
    """Return shares rounded so that they sum to 1; the largest takes what rounding leaves."""
    total = sum(share for share in shares.values() if share >= least)
    kept = {name: round(share / total, DIGITS) for name, share in shares.items() if share >= least}
    most = max(kept, key=lambda name: kept[name])
    kept[most] = round(1.0 - sum(share for name, share in kept.items() if name != most), DIGITS)
    return dict(sorted(((n, s) for n, s in kept.items() if s > 0), key=lambda item: -item[1]))
