"""The live world: shoppers call real endpoints, on Locust.

Importing locust patches sockets for the whole process, so this package runs in a process of its own
(`python -m simulator.worlds.live`); nothing outside it may import its modules that import locust.
"""
