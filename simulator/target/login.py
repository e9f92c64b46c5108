"""The login in a base URL, as `https://qa:${env:SHOP_PASSWORD}@staging.shop.example`: sent, and never shown."""

from __future__ import annotations

import re
from base64 import b64encode
from urllib.parse import unquote

from simulator.target.redaction import hide
from simulator.target.secrets import REFERENCE, SHORTEST, resolved, unset_in, why_unset

_ONE = REFERENCE.pattern.replace("(", "(?:")
_AUTHORITY = re.compile(rf"(https?://)((?:{_ONE}|[^/?#])*)@(.*)", re.DOTALL)
_NAMED = re.compile(rf"((?:{_ONE}|[^:@{{}}]+):)?(?:{_ONE})")
WRITTEN = (
    "holds a password, which would end up in histories and logs: name it instead, as "
    "https://qa:${env:SHOP_PASSWORD}@shop.example"
)


def split_login(url: str) -> tuple[str, str]:
    """Return (URL without login, login as written) of a base URL; the login is "" where there is none."""
    found = _AUTHORITY.fullmatch(url)
    return (found[1] + found[3], found[2]) if found else (url, "")


def address_of(url: str, *, unset: str = "") -> str:
    """Return where requests to a base URL go: it without its login, every reference read."""
    return resolved(split_login(url)[0], unset=unset).rstrip("/")


def refuse_open_password(url: str) -> None:
    """Raise `ValueError` where a login is not made of references, but for a user's name before the colon."""
    login = split_login(url)[1]
    if login and not _NAMED.fullmatch(login):
        _hide_parts(login)
        raise ValueError(WRITTEN)


def basic(login: str) -> dict[str, str]:
    """Return the header of a login (RFC 7617), its secrets read and hidden; nothing where there is none.

    Raises `ValueError` for a secret that cannot be read.
    """
    if not login:
        return {}
    for name in unset_in(login):
        raise ValueError(f"needs {name}, which {why_unset(name)}")
    pair = resolved(unquote(login))
    pair = pair if ":" in pair else f"{pair}:"
    _hide_parts(pair)
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _hide_parts(login: str) -> None:
    """Hide a login and what stands behind its colon, or all of it; a user's name alone is no secret."""
    user, _, password = login.partition(":")
    for part in (login, password or user):
        if len(part) >= SHORTEST:
            hide(part, "${login}")
