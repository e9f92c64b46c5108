"""Quantities as people write them: `7s`, `400ms`, `5min`, `10/s`, `35%`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"\s*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)\s*(us|ms|s|min|h|d|w)\s*")
_PERCENT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*")
_RATE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*/\s*(s|min|h|d)\s*")


def parse_duration_s(text: object) -> float:
    """Return seconds from `7s`, `400ms`, `5min`, `2h`, `7d`; zero may stand without a unit.

    Raises `ValueError` that says what is allowed.
    """
    if text == 0 and not isinstance(text, bool):
        return 0.0
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("must be a duration with its unit: us, ms, s, min, h, d or w, as 400ms")
    return float(match[1]) * SECONDS[match[2]]


def parse_rate_per_s(text: object) -> float:
    """Return arrivals a second from `10/s`, `600/min`, `5000/h`.

    Raises `ValueError` that says what is allowed.
    """
    match = _RATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("must be a rate with its unit: /s, /min, /h or /d, as 10/s")
    return float(match[1]) / SECONDS[match[2]]


def parse_share(value: object) -> float:
    """Return a share in [0, 1] from `0.35` or `35%`.

    Raises `ValueError` that says what is allowed.
    """
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is not None:
        value = float(match[1]) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a share from 0 to 1, or 0% to 100%")
    return float(value)


def _not_negative(text: object) -> float:
    seconds = parse_duration_s(text)
    if seconds < 0:
        raise ValueError("must not be negative")
    return seconds


def _above_zero(text: object) -> float:
    rate = parse_rate_per_s(text)
    if rate <= 0:
        raise ValueError("must be above zero")
    return rate


# Serialised with their unit again, so that a resolved file can be read back as it stands.
Duration = Annotated[
    float,
    BeforeValidator(_not_negative),
    PlainSerializer(lambda seconds: f"{seconds:.12g}s"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(us|ms|s|min|h|d|w)$"}),
]
Rate = Annotated[
    float,
    BeforeValidator(_above_zero),
    PlainSerializer(lambda per_s: f"{per_s:.12g}/s"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*/\s*(s|min|h|d)$"}),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"%$"}]}),
]
