"""Events that are crossed, lost, or counted though nobody real made them."""

from dataclasses import replace

from starlette.requests import Request

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.rules import Rules
from simulator.storefront.tokens import Stamps
from simulator.storefront.tracking import Event


@hazard("H14", "home", "search", "product", "recommend", "rank", "next_action", "track")
def crossed_token(rules: Rules) -> Rules:
    """Give each list the attribution token of the list before it, which was another shopper's."""
    previous = ""

    def one_behind(stamps: Stamps, visitor: str) -> str:
        nonlocal previous
        given, previous = previous, rules.stamp(stamps, visitor)
        return given or previous

    return replace(rules, stamp=one_behind)


@hazard("H15", "track")
def dropped_events(rules: Rules) -> Rules:
    """Lose the last event of every fourth batch that was accepted."""
    batches = 0

    def most(events: list[Event]) -> list[Event]:
        nonlocal batches
        batches += 1
        return rules.keep(events[:-1] if batches % 4 == 0 else events)

    return replace(rules, keep=most)


@hazard("H22", "product", "exposure")
def learns_from_tests(rules: Rules) -> Rules:
    """Count test traffic among what people look at and were shown, though it says that it is test traffic."""

    def everybody(_request: Request) -> bool:
        return True

    return replace(rules, counts=everybody)
