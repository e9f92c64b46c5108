"""The hazard zoo: for each thing that goes wrong in real personalization, a switch that makes it go wrong here.

A hazard is one small, real defect: it puts a wrong rule in the place of a right one, and the shop does not know. They
are off unless switched on, and the modules are by class: what is remembered too widely, asked of the wrong place,
counted wrongly, and so on.
"""

from collections.abc import Iterable
from typing import Any

from simulator.storefront.hazards import (  # noqa: F401 - importing a module registers its hazards
    assets,
    caching,
    consent,
    doors,
    experiments,
    load,
    messages,
    picking,
    places,
    prices,
    tracking,
)
from simulator.storefront.hazards.registry import HAZARDS, Hazard
from simulator.storefront.rules import Rules

__all__ = ["HAZARDS", "Hazard", "all_hazards", "answer_key", "rules_with"]


def all_hazards() -> list[Hazard]:
    """Return every hazard, by family and name."""
    return sorted(HAZARDS.values(), key=lambda hazard: (hazard.number, hazard.name))


def rules_with(names: Iterable[str]) -> Rules:
    """Return the rules of a shop with these hazards on; KeyError for a name that is none.

    The order of the names does not matter: hazards are switched on by family and name.
    """
    rules = Rules()
    for hazard in sorted({HAZARDS[name] for name in names}, key=lambda hazard: (hazard.number, hazard.name)):
        rules = hazard.apply(rules)
    return rules


def answer_key(names: Iterable[str]) -> dict[str, Any]:
    """Return what is on: a tester's findings are right when they name these families and no others."""
    on = set(names)
    return {
        "hazards": [
            {
                "name": hazard.name,
                "code": hazard.code,
                "does": hazard.does,
                "operations": list(hazard.operations),
                "only_together": hazard.only_together,
            }
            for hazard in all_hazards()
            if hazard.name in on
        ],
    }
