"""Whether a journey makes sense as a whole: states that guards close for good, and purchases that nobody can make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.model.reach import FIRST_FLAGS, entered_states, guards_of, weighed_states
from simulator.model.states import FLAGS, STATES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from simulator.model.faults import Problem
    from simulator.model.reach import Guard
    from simulator.model.schema import Consent, Features, Journey, Loyalty

BUYING = ("product", "add_to_cart", "checkout", "payment", "purchase")
"""The way to an order."""
EITHER = (True, False)


def first_odds(
    loyalty: Loyalty | None, consent: Consent | None, features: Features | None
) -> dict[str, tuple[bool, ...]]:
    """Return whether visits can begin with each of `FIRST_FLAGS`; both, where a section is not known.

    A phone may always be one that can do neither.
    """
    odds: dict[str, tuple[bool, ...]] = dict.fromkeys(FIRST_FLAGS, EITHER)
    if loyalty is not None:
        odds["logged_in"] = _either(loyalty.logged_in)
    if consent is not None:
        odds["location_shared"] = _either(consent.location)
        odds["personalization_allowed"] = _either(consent.personalization)
        odds["push_allowed"] = _either(consent.push)
    if features is not None:
        odds["ar_capable"] = EITHER if features.ar.uses > 0 else (False,)
        odds["biometric_enrolled"] = EITHER if features.biometric.enrolled > 0 else (False,)
    return odds


def _either(share: float) -> tuple[bool, ...]:
    return tuple(there for there, odds in ((True, share), (False, 1 - share)) if odds > 0)


def way_problems(
    journey: Journey, loyalty: Loyalty | None, consent: Consent | None, features: Features | None
) -> list[Problem]:
    """Return the states that no visit can enter though a row leads there, and an order that nobody can make.

    A consent or a feature that nobody has closes states on purpose: their share goes to the others in the row. Being
    logged in is not given but done, and so it must be possible.
    """
    guards, odds = guards_of(journey.guards), first_odds(loyalty, consent, features)
    allowing = dict.fromkeys(FIRST_FLAGS, EITHER) | {"logged_in": odds["logged_in"]}
    entered = entered_states(journey.entry, journey.rows, guards, allowing)
    closed = weighed_states(journey.entry, journey.rows, entered) - entered
    told = [state for state in sorted(closed) if not guards[state].contradicts()]
    problems = [_closed(state, journey, entered, guards[state]) for state in told]
    if not closed & set(BUYING):
        problems += _order_problems(journey, entered_states(journey.entry, journey.rows, guards, odds))
    return problems


def contradictions(journey: Journey) -> list[Problem]:
    """Return the states whose guards ask for a flag and for its absence; their own guards count too."""
    return [
        (
            ("journey", "guards", state),
            f"needs {' and '.join(_asked(guard))} at once",
            "no visit has and lacks the same",
            "leave one of them out",
        )
        for state, guard in guards_of(journey.guards).items()
        if guard.contradicts()
    ]


def _closed(state: str, journey: Journey, entered: Collection[str], guard: Guard) -> Problem:
    """Return what is said of a state that stays closed, at the file's guard or the first way that leads there."""
    found = f"can never be entered: it needs {' and '.join(_asked(guard))}"
    ways: list[tuple[str, ...]] = [("journey", "entry", state)] if journey.entry.get(state) else []
    ways += [
        ("journey", "rows", name, state) for name, row in journey.rows.items() if name in entered and row.get(state)
    ]
    path = ("journey", "guards", state) if journey.guards.get(state) else ways[0]
    return path, found, "no visit that could go there does", _sources(guard)


def _sources(guard: Guard) -> str:
    """Return where the flags that a guard needs come from."""
    told = []
    for name, bit in FLAGS.items():
        setting = [state.name for state in STATES if name in state.sets]
        if guard.needs & bit and setting:
            with_loyalty = " and loyalty.logged_in" if name == "logged_in" else ""
            told.append(f"{name} comes from {' and '.join(setting)}{with_loyalty}")
    return "; ".join(told)


def _asked(guard: Guard) -> list[str]:
    needed = [name for name, bit in FLAGS.items() if guard.needs & bit]
    return needed + [f"not_{name}" for name, bit in FLAGS.items() if guard.forbids & bit]


def _order_problems(journey: Journey, entered: Collection[str]) -> Iterator[Problem]:
    """Yield what is wrong between `journey.buys` and where visits can come to."""
    buys = "purchase" in entered
    if journey.buys == "never" and buys:
        yield (
            ("journey", "buys"),
            "is never, though visits can come to purchase",
            "it must be possible, or no row may lead there",
            "",
        )
    elif journey.buys != "never" and not buys:
        last = [state for state in BUYING if state in entered][-1:]
        following = BUYING[BUYING.index(last[0]) + 1] if last else BUYING[0]
        path = ("journey", "rows", *last) if last and last[0] in journey.rows else ("journey", "rows")
        yield (
            path,
            f"never leads to {following}, so that no visit can come to purchase",
            "an order needs product, add_to_cart, checkout, payment and purchase one after another",
            "write journey.buys: never if nobody of this kind shall buy",
        )
