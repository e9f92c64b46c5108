"""Footfall: persona-driven mobile shoppers for test data, load tests and page-speed studies.

A shopper is data. A visit is a seeded walk. Three worlds can play the same walk: the crowd (nobody waits for
anybody), the capacity world (shoppers share a modelled backend) and the live world (shoppers call real endpoints).
Every world writes the same tables, and every report, verdict and export reads nothing but those tables.
"""

__version__ = "0.2.0"
