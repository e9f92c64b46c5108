"""What logs call things, and what we do: events → states, countries, systems, networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.model.faults import Fault, FileFaults, suggestion
from simulator.model.states import STATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Events = dict[str, str]
"""`event` or `event:path` → a state, or `IGNORED`. A path counts before the event alone; `*` at its end is any rest."""
IGNORED = "ignore"

GA4: Events = {
    "page_view:/": "home", "screen_view:home": "home",
    "search": "search", "view_search_results": "search",
    "view_item_list": "category", "view_item_list:/for-you": "recommend", "view_item_list:/offers": "offers",
    "view_promotion": "offers", "view_item": "product", "add_to_cart": "add_to_cart", "view_cart": "cart",
    "begin_checkout": "checkout", "add_payment_info": "payment", "purchase": "purchase",
    "login": "login", "view_rewards": "rewards", "view_plan": "plan", "contact_support": "support",
    "view_notifications": "notifications", "select_content": "content", "find_store": "store",
    "view_in_ar": "ar_preview", "share": "share",
    "page_view": IGNORED, "screen_view": IGNORED, "select_item": IGNORED, "select_promotion": IGNORED,
    "add_shipping_info": IGNORED, "session_start": IGNORED, "first_visit": IGNORED, "first_open": IGNORED,
    "user_engagement": IGNORED, "scroll": IGNORED, "click": IGNORED, "remove_from_cart": IGNORED,
}  # fmt: skip
"""Google's recommended and automatic events; those with a path, and what rewards to stores send, are Footfall's own."""

SEGMENT: Events = {
    "page:/": "home", "Home": "home", "page:/account/login": "login", "page:/account/rewards": "rewards",
    "page:/account/plan": "plan", "page:/help": "support", "page:/notifications": "notifications",
    "page:/stories": "content", "page:/stores": "store", "page:/offers": "offers", "page:/for-you": "recommend",
    "Products Searched": "search", "Product List Viewed": "category", "Product List Viewed:/offers": IGNORED,
    "Product List Viewed:/for-you": IGNORED, "Promotion Viewed": "offers", "Product Viewed": "product",
    "Product Added": "add_to_cart", "Cart Viewed": "cart", "Checkout Started": "checkout",
    "Payment Info Entered": "payment", "Order Completed": "purchase", "Signed In": "login",
    "Product Shared": "share", "Cart Shared": "share",
    "page": IGNORED, "screen": IGNORED, "identify": IGNORED, "group": IGNORED, "alias": IGNORED,
    "Product Clicked": IGNORED, "Product List Filtered": IGNORED, "Promotion Clicked": IGNORED,
    "Checkout Step Viewed": IGNORED, "Checkout Step Completed": IGNORED, "Product Removed": IGNORED,
    "Order Updated": IGNORED, "Coupon Entered": IGNORED, "Coupon Applied": IGNORED,
}  # fmt: skip
"""Segment's e-commerce spec v2; calls other than `track` go by their type, and their paths are Footfall's own shop."""

OWN: Events = {name: name for name in STATE_NAMES}
"""A log that has our own names."""


def with_options(default: Events, given: Sequence[str]) -> Events:
    """Return the events with those of the command line: `view_item=product`, `page_view:/deals=offers`, `x=ignore`.

    Raises `FileFaults` for what leads to no state.
    """
    events, faults = dict(default), []
    for text in given:
        name, found, state = text.rpartition("=")
        if not found or not name:
            faults.append(Fault("--map", 0, "", f"{text} has no event and state", "as view_item=product"))
        elif state not in (*STATE_NAMES, IGNORED):
            hint = suggestion(state, STATE_NAMES)
            allowed = f"allowed are {', '.join(STATE_NAMES)} and {IGNORED}"
            faults.append(Fault("--map", 0, "", f"{text} leads to {state}, which is not a state", allowed, hint))
        else:
            events[name] = state
    if faults:
        raise FileFaults(faults)
    return events


def state_of(event: str, path: str | None, events: Events) -> str | None:
    """Return the state of an event on a page, `IGNORED`, or nothing where neither is said."""
    if path is not None:
        exact = events.get(f"{event}:{path}")
        if exact is not None:
            return exact
        starts = [k for k in events if k.endswith("*") and f"{event}:{path}".startswith(k[:-1])]
        if starts:
            return events[max(starts, key=len)]
    return events.get(event)


def near_state(event: str, known: Mapping[str, str]) -> str:
    """Return a suggestion for an event that leads nowhere, as `--map "X=product"`, or nothing."""
    tidy = event.lower().replace(" ", "_").replace("-", "_")
    choices = {name.lower().replace(" ", "_"): state for name, state in ({**known} | GA4 | SEGMENT | OWN).items()}
    choices = {name: state for name, state in choices.items() if state != IGNORED and ":" not in name}
    near = suggestion(tidy, choices).removeprefix("did you mean ").removesuffix("?")
    within = [state for state in STATE_NAMES if state in tidy]
    state = choices.get(near) or (max(within, key=len) if within else "")
    return f'--map "{event}={state}"' if state else ""
