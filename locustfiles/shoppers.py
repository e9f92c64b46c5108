"""Footfall's shoppers for plain Locust.

locust -f locustfiles/shoppers.py --host http://127.0.0.1:8080
"""

from simulator.worlds.live.plain import Shopper

__all__ = ["Shopper"]
