"""The embedded target: a small real shop whose answers carry the evidence that probes read."""

from simulator.storefront.process import Storefront, StorefrontError, running_storefront

__all__ = ["Storefront", "StorefrontError", "running_storefront"]
