"""Push messages without judgement."""

from dataclasses import replace

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.rules import Rules

_NO_CAP = 2**31


@hazard("H8", "push_send", "geofence")
def pushy(rules: Rules) -> Rules:
    """Send messages as often as anybody likes, at night, twice, and still after the push service answered 410."""
    manners = replace(rules.manners, daily_cap=_NO_CAP, night=None, once_a_campaign=False, stop_when_gone=False)
    return replace(rules, manners=manners)
