"""Models in the wrong format."""

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.storefront.hazards.registry import hazard
from simulator.storefront.models import Model, glb
from simulator.storefront.rules import Rules

if TYPE_CHECKING:
    from simulator.storefront.catalogue import Product


@hazard("H21", "ar_asset")
def wrong_model(rules: Rules) -> Rules:
    """Send every phone a GLB, Apple's too, and the whole file even where it asked for a part of it."""

    def always_glb(product: "Product", _agent: str) -> Model:
        return glb(product)

    return replace(rules, model=always_glb, sends_ranges=False)
