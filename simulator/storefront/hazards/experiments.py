"""Experiments whose arms are not dealt as they should be."""

from dataclasses import replace
from secrets import token_hex

from simulator.storefront.experiments import Experiment
from simulator.storefront.hazards.registry import hazard
from simulator.storefront.rules import Rules
from simulator.storefront.sessions import Caller


@hazard("H9", "home", "decide", "login", "auth_finish")
def flip_at_login(rules: Rules) -> Rules:
    """Deal arms by account once there is one, so that half of all shoppers see the other arm after login."""

    def by_account(caller: Caller) -> str | None:
        return caller.account or rules.unit(caller)

    return replace(rules, unit=by_account)


@hazard("H10", "home", "decide")
def flicker(rules: Rules) -> Rules:
    """Deal whoever has no account an arm anew with every answer."""

    def by_chance(caller: Caller) -> str | None:
        return rules.unit(caller) if caller.account else token_hex(8)

    return replace(rules, unit=by_chance)


@hazard("H11", "home", "decide")
def sample_ratio(rules: Rules) -> Rules:
    """Give the last arm five eighths of everybody, where all arms are promised equal shares."""

    def uneven(experiment: Experiment, number: int) -> str:
        arms = experiment.arms
        return arms[-1] if number % 8 < 5 else arms[number // 8 % (len(arms) - 1)]

    return replace(rules, split=uneven)
