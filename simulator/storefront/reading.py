"""Reading what came in: every function returns a checked value or raises the refusal that says what was wrong."""

from http import HTTPStatus
from math import isfinite
from typing import Any, TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request

from simulator.storefront.errors import ShopError, invalid, malformed
from simulator.storefront.places import Position

MAX_BODY_BYTES = 65_536
"""No request of this shop needs more."""

Fields: TypeAlias = dict[str, Any]
"""A decoded JSON object."""


async def read_object(request: Request) -> Fields:
    """Return the body's JSON object, `{}` for an empty body; 400 if it is not JSON, 413 if it is too long."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise ShopError(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"at most {MAX_BODY_BYTES} bytes of JSON"
                )
    except ClientDisconnect:
        raise malformed("the body ended early") from None
    if not body:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"not JSON: {error}") from None
    return as_object(value, "the body")


def as_object(value: object, name: str) -> Fields:
    """Return the value if it is a JSON object."""
    if not isinstance(value, dict):
        raise invalid(f"{name} must be an object")
    return value


def text(fields: Fields, name: str, *, limit: int = 128) -> str:
    """Return a required text of 1 to `limit` characters."""
    value = fields.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= limit:
        raise invalid(f"{name} must be a text of 1 to {limit} characters")
    return value


def optional_text(fields: Fields, name: str, *, limit: int = 128) -> str | None:
    """Return a text of 1 to `limit` characters, or None if it is missing or null."""
    return None if fields.get(name) is None else text(fields, name, limit=limit)


def whole(fields: Fields, name: str, low: int, high: int) -> int:
    """Return a required whole number between `low` and `high`, both included."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise invalid(f"{name} must be a whole number from {low} to {high}")
    return value


def yes_or_no(fields: Fields, name: str, *, default: bool = False) -> bool:
    """Return a boolean; a missing one is the default."""
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise invalid(f"{name} must be true or false")
    return value


def query_text(request: Request, name: str, *, limit: int = 200) -> str:
    """Return a required text of the query string, stripped, of 1 to `limit` characters."""
    value = request.query_params.get(name, "").strip()
    if not 1 <= len(value) <= limit:
        raise invalid(f"{name} must be a text of 1 to {limit} characters")
    return value


def query_whole(request: Request, name: str, default: int, high: int) -> int:
    """Return a whole number of the query string from 1 to `high`, or the default if it is missing."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and 1 <= int(value) <= high):
        raise invalid(f"{name} must be a whole number from 1 to {high}")
    return int(value)


def query_position(request: Request) -> tuple[str, str] | None:
    """Return `lat` and `lon` as they were sent, or None if neither is there; 422 if they are no place on earth."""
    lat, lon = request.query_params.get("lat"), request.query_params.get("lon")
    if lat is None and lon is None:
        return None
    found = lat or "", lon or ""
    decimal_position(*found)
    return found


def decimal_position(lat: str, lon: str) -> Position:
    """Return the position of two numbers of degrees, however they are written."""
    return Position(_degrees(lat, "lat", 90.0), _degrees(lon, "lon", 180.0))


def capitals(country: str) -> str:
    """Return an ISO 3166 code as everybody else writes it."""
    return country.upper()


def position(fields: Fields) -> Position:
    """Return the position of an object's `lat` and `lon` in degrees."""
    return Position(*(_number(fields, name, most) for name, most in (("lat", 90.0), ("lon", 180.0))))


def _number(fields: Fields, name: str, most: float) -> float:
    value = fields.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{name} must be a number of degrees, and lat and lon come together")
    return _degrees(str(value), name, most)


def _degrees(value: str, name: str, most: float) -> float:
    try:
        degrees = float(value)
    except ValueError:
        raise invalid(f"{name} must be a number of degrees, and lat and lon come together") from None
    if not isfinite(degrees) or abs(degrees) > most:
        raise invalid(f"{name} must lie between -{most:g} and {most:g} degrees")
    return degrees
