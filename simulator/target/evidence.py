"""Reading the evidence of an answer: each piece with the type that a check can rest on, or a violation with a sample.

    read_evidence(answer) → Evidence(values, violations)

A piece that no path points to is in neither: it is not observable. One that the answer says nothing about (null, or an
optional path that finds nothing) has no value and is no violation.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import orjson

from simulator.target.answers import MISSING, NOT_JSON, REFUSED
from simulator.target.places import MOST_FOUND
from simulator.target.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.target.answers import Answer
    from simulator.target.fields import Json

    Typed = Callable[[Json], Json]

US = 1_000_000
SAMPLE_CHARS = 120
_LOOKED_AT = 65_536
"""Characters in which secrets are looked for."""
_CURRENCY = re.compile(r"[A-Z]{3}", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{1,8})*", re.IGNORECASE)
"""A BCP 47 tag as shops write them, `de`, `de-CH` or `de_CH`."""
_SECONDS_BELOW, _MILLIS_BELOW = 1e11, 1e14
"""A number of seconds since 1970 stays below the first until the year 5138; of milliseconds, below the second."""
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, marks that turn the direction of a whole line, and halves of characters: told by number in a sample."""


class Violation(NamedTuple):
    """One way in which an answer is not what its target file promises.

    `evidence` is the piece it is about, or "" for the answer as a whole; `kind` is one of `not json`, `missing`,
    `wrong type`, `too many`, `refused`, `graphql`; `sample` is what stood there, at most 120 characters of JSON.
    """

    operation: str
    evidence: str
    kind: str
    sample: str


class Fence(NamedTuple):
    """Where an offer holds: a circle in degrees and metres, or a whole country (ISO 3166, and no circle)."""

    latitude_deg: float
    longitude_deg: float
    radius_m: float
    country: str = ""


class Evidence(NamedTuple):
    """What an answer showed. `values` has the pieces it showed, of the types of `TYPES`; lists are tuples."""

    values: Mapping[str, Json]
    violations: tuple[Violation, ...]


_NOTHING = Evidence(MappingProxyType({}), ())


def read_evidence(answer: Answer) -> Evidence:
    """Return the evidence of an answer. Never raises, whatever the target sent.

    A bad answer (a status, a refused connection) shows nothing and violates nothing; one that is bad because it is not
    of the promised shape has that one violation.
    """
    if not answer.ok:
        broken = _broken(answer)
        return Evidence({}, (broken,) if broken else ())
    return _shown(answer) if answer.mapped else _NOTHING


def _shown(answer: Answer) -> Evidence:
    values: dict[str, Json] = {}
    violations: list[Violation] = []
    for name, finder in answer.mapped.items():
        found = answer.found(name)
        if not found:
            if _is_missing(answer, name):
                violations.append(Violation(answer.operation, name, "missing", finder.text))
            elif not finder.singular:
                values[name] = ()
            continue
        try:
            value = _read(name, found, singular=finder.singular)
        except _WrongType as wrong:
            violations.append(Violation(answer.operation, name, "wrong type", sample(wrong.value)))
            continue
        if value is not None:
            values[name] = value
        if len(found) == 1 and isinstance(found[0], list):
            found = found[0]
        if len(found) > MOST_FOUND:
            violations.append(Violation(answer.operation, name, "too many", f"{len(found)} values"))
    return Evidence(values, tuple(violations))


def _broken(answer: Answer) -> Violation | None:
    """Return the violation that made an answer bad, if that is what it was."""
    error, told = answer.error, sample(answer.sample)
    if error == NOT_JSON:
        return Violation(answer.operation, "", NOT_JSON, told)
    if error.startswith(MISSING):
        return Violation(answer.operation, "", "missing", error.removeprefix(MISSING))
    if error.startswith(REFUSED):
        return Violation(answer.operation, "", "refused", told)
    return Violation(answer.operation, "", "graphql", told) if error.startswith("graphql ") else None


def _is_missing(answer: Answer, name: str) -> bool:
    try:
        return bool(answer.mapped[name].missing(answer.view))
    except ValueError:
        return True


class _WrongType(Exception):  # noqa: N818 - never leaves this file
    def __init__(self, value: Json) -> None:
        super().__init__()
        self.value = value


def _read(name: str, found: list[Json], *, singular: bool) -> Json:
    """Return found values with their type: of `MANY` a tuple, of others the one value; None where null stands."""
    read, many = TYPES[name]
    if not many:
        if len(found) > 1 and any(value != found[0] for value in found[:MOST_FOUND]):
            raise _WrongType(found[:3])
        return None if found[0] is None else read(found[0])
    if singular and isinstance(found[0], list) and not (name == "fences" and _is_pair(found[0])):
        found = found[0]
    elif singular and found[0] is None:
        return None
    return tuple([read(value) for value in found[:MOST_FOUND]])


def _word(value: Json) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise _WrongType(value)


def _code(pattern: re.Pattern[str]) -> Typed:
    def read(value: Json) -> str:
        if isinstance(value, str) and pattern.fullmatch(value.strip()):
            return value.strip()
        raise _WrongType(value)

    return read


def _currency(value: Json) -> str:
    return str(_code(_CURRENCY)(value)).upper()


def _number(value: Json) -> float:
    """Return a number; decimal text too, for money is sent as text by many who do not trust floating point."""
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise _WrongType(value) from None
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise _WrongType(value)
    return float(number)


def _count(value: Json) -> int:
    number = _number(value)
    if number < 0 or number != int(number):
        raise _WrongType(value)
    return int(number)


def _flag(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int) and str(value).strip().lower() in _BOOLEANS:
        return _BOOLEANS[str(value).strip().lower()]
    raise _WrongType(value)


def _moment_us(value: Json) -> int:
    """Return microseconds since 1970 of ISO 8601 text, or of a number of seconds, milliseconds or microseconds."""
    if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
        try:
            moment = datetime.fromisoformat(value.strip())
            return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * US)
        except (ValueError, OverflowError, OSError):
            raise _WrongType(value) from None
    number = _number(value)
    if number < 0:
        raise _WrongType(value)
    scale = US if number < _SECONDS_BELOW else 1_000 if number < _MILLIS_BELOW else 1
    return round(number * scale)


_LATITUDES, _LONGITUDES = ("lat", "latitude", "latitude_deg"), ("lon", "lng", "long", "longitude", "longitude_deg")
_RADII = {"radius_m": 1.0, "radius": 1.0, "radiusInMeters": 1.0, "distance": 1.0, "radius_km": 1_000.0}


def _is_pair(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_plain_number(one) for one in value)


def _is_plain_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _position(value: Json) -> tuple[float, float] | str:
    """Return (latitude, longitude) in degrees of `{lat, lon}`, `[lat, lon]` or `"lat,lon"`; a place's name as it is."""
    pair: list[Json] | None = value if _is_pair(value) else None
    if isinstance(value, dict):
        lat, lon = (next((value[name] for name in names if name in value), None) for names in (_LATITUDES, _LONGITUDES))
        pair = [lat, lon] if lat is not None and lon is not None else None
    elif isinstance(value, str):
        parts = value.split(",")
        try:
            pair = [float(part) for part in parts] if len(parts) == 2 else None
        except ValueError:
            pair = None
        if pair is None:
            return value
    if pair is None:
        raise _WrongType(value)
    latitude, longitude = _number(pair[0]), _number(pair[1])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise _WrongType(value)
    return latitude, longitude


def _fence(value: Json) -> Fence | None:
    """Return a circle or a country; None of null, which says that an offer holds everywhere."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2}", value):
        return Fence(math.nan, math.nan, math.inf, value.upper())
    if isinstance(value, dict):
        if isinstance(value.get("country"), str) and not any(name in value for name in _LATITUDES):
            return Fence(math.nan, math.nan, math.inf, value["country"].upper())
        radius = next((_number(value[name]) * scale for name, scale in _RADII.items() if name in value), None)
        centre = value.get("center", value.get("centre", value))
        place = _position(centre)
        if radius is not None and radius >= 0 and not isinstance(place, str):
            return Fence(*place, radius)
    raise _WrongType(value)


TYPES: dict[str, tuple[Typed, bool]] = {
    "items": (_word, True),
    "categories": (_word, True),
    "price": (_number, True),
    "currency": (_currency, False),
    "in_stock": (_flag, True),
    "total": (_number, False),
    "subject": (_word, False),
    "segments": (_word, True),
    "variant": (_word, True),
    "token": (_word, True),
    "fallback": (_flag, False),
    "generated_at": (_moment_us, False),
    "geo_used": (_position, False),
    "fences": (_fence, True),
    "language": (_code(_LANGUAGE), False),
    "daypart": (_word, False),
    "stored": (_count, False),
    "attributed": (_count, False),
    "counts": (_count, True),
    "balance": (_number, False),
    "campaign": (_word, True),
    "sent_at": (_moment_us, True),
    "expires_at": (_moment_us, True),
    "link": (_word, False),
}
"""How each piece of evidence is read, and whether it is a list: text, number, truth, microseconds since 1970, place."""


def sample(value: Json) -> str:
    """Return a value as a line that can be shown anywhere: JSON, cut, without what would turn or break the line."""
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else orjson.dumps(_cut(value)).decode()
    except (TypeError, ValueError):
        text = repr(value)
    # Before it is cut: half of a secret would not be recognised later.
    text = redacted(text[:_LOOKED_AT])
    text = _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text[: SAMPLE_CHARS + 1])
    return text if len(text) <= SAMPLE_CHARS else f"{text[: SAMPLE_CHARS - 1]}…"


def _cut(value: Json) -> Json:
    """Return the beginning of a list: a sample of a million entries needs no million of them."""
    return value[:20] if isinstance(value, list) else value
