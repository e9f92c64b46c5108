"""The everyday population in a shop, compiled once for all tests of the capacity world."""

from __future__ import annotations

import pytest

from simulator.journey.arms import compile_arms
from simulator.model.persona import load_population
from simulator.model.population import compile_population
from simulator.page.card import compile_pages, page_file
from simulator.worlds.backend import BackendFile
from simulator.worlds.crowd import World

ARMS = [("control", 1.0, {}, {}), ("slow", 1.0, {"all": 1.5}, {}), ("pull", 1.0, {"product": 0.2}, {"exit": 0.7})]


@pytest.fixture(scope="session")
def world():
    """Compile the everyday population on the shipped page cards, in three arms."""
    population, _ = compile_population(load_population("everyday"))
    return World(population, compile_pages(page_file()), compile_arms(ARMS), 11)


@pytest.fixture(scope="session")
def one_station():
    """Return a function that makes a backend of one station, `app`, with these settings and one service time."""

    def make(service=None, **settings):
        stations = {"app": settings}
        route = {"default": [{"station": "app", "service": service}]}
        return BackendFile.model_validate(
            {"backend": "test", "describe": "one station", "stations": stations, "operations": route}
        )

    return make
