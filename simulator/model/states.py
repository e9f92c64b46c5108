"""The states of a visit, their guards and effects, as data.

A state is an action and the page it opens. A flag is a fact about a visit that guards ask for. A visit in which no
guard is ever bypassed cannot break causal order: no purchase without payment, no checkout with an empty cart.
"""

from __future__ import annotations

from dataclasses import dataclass

FLAGS = {
    "item_seen": 1,
    "cart_not_empty": 2,
    "checked_out": 4,
    "paid": 8,
    "logged_in": 16,
    "location_shared": 32,
    "personalization_allowed": 64,
    "push_allowed": 128,
    "ar_capable": 256,
    "biometric_enrolled": 512,
}
"""Names of guards and their bits. `not_X` as a guard means that the bit must be absent."""


@dataclass(frozen=True, slots=True)
class State:
    """One kind of page: its funnel stage, the flags it needs, forbids, sets and clears once the page has loaded."""

    name: str
    stage: str
    needs: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()


STAGES = ("browse", "consider", "cart", "pay", "account")

STATES = (
    State("home", "browse"),
    State("search", "browse"),
    State("category", "browse"),
    State("recommend", "browse"),
    State("offers", "browse"),
    State("product", "consider", sets=("item_seen",)),
    State("add_to_cart", "cart", needs=("item_seen",), sets=("cart_not_empty",)),
    State("cart", "cart"),
    State("checkout", "pay", needs=("cart_not_empty",), sets=("checked_out",)),
    State("payment", "pay", needs=("cart_not_empty", "checked_out"), sets=("paid",)),
    State("purchase", "pay", needs=("paid",), clears=("cart_not_empty", "checked_out", "paid")),
    State("login", "account", forbids=("logged_in",), sets=("logged_in",)),
    State("biometric_login", "account", needs=("biometric_enrolled",), forbids=("logged_in",), sets=("logged_in",)),
    State("rewards", "account", needs=("logged_in",)),
    State("plan", "account", needs=("logged_in",)),
    State("support", "account"),
    State("notifications", "browse"),
    State("content", "browse"),
    State("store", "browse"),
    State("ar_preview", "consider", needs=("item_seen", "ar_capable")),
    State("share", "consider", needs=("item_seen",)),
)

STATE_NAMES = tuple(state.name for state in STATES)
STATE_INDEX = {name: index for index, name in enumerate(STATE_NAMES)}
EXIT = "exit"
GUARDS = (*FLAGS, *(f"not_{flag}" for flag in FLAGS))


def bits(flags: tuple[str, ...] | list[str]) -> int:
    """Return the bits of flag names."""
    return sum(FLAGS[flag] for flag in flags)


def guard_bits(guards: list[str]) -> tuple[int, int]:
    """Return (bits needed, bits forbidden) of guard names such as `cart_not_empty` and `not_logged_in`."""
    forbidden = [guard.removeprefix("not_") for guard in guards if guard.startswith("not_")]
    return bits([guard for guard in guards if guard in FLAGS]), bits(forbidden)
