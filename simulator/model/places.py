"""Places: countries with their language and currency, cities with coordinates, population and time zone."""

from __future__ import annotations

import csv
from functools import cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from simulator.model.library import library_folder
from simulator.model.yamlfile import read_yaml, validate


class Country(BaseModel):
    """A country: the first of `languages` is what most of its phones are set to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}_[A-Z]{2}$", description="Faker's locale")]
    accept_language: str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class CountryTable(BaseModel):
    """All countries by ISO 3166 code."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: str
    countries: dict[str, Country]


class City(BaseModel):
    """A city; degrees are WGS 84."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    country: str
    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    population: Annotated[int, Field(gt=0)]
    timezone: str


@cache
def country_table() -> dict[str, Country]:
    """Return the shipped countries."""
    return validate(CountryTable, read_yaml(library_folder("personas") / "places" / "countries.yaml")).countries


@cache
def city_table() -> tuple[City, ...]:
    """Return the shipped cities; lines that begin with # carry source and licence."""
    with (library_folder("personas") / "places" / "cities.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(City.model_validate(row) for row in rows)
