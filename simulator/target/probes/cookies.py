"""Headers that say where an answer came from and whose it is: caches, sessions in cookies, what may be kept."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.target.probes.seen import Seen

SHORTEST = 8
"""Characters that a session's key has at least."""
_SESSION = re.compile(r"sess|sid|auth|token|jwt|login|remember", re.IGNORECASE)
_NO_SESSION = re.compile(
    r"csrf|xsrf|side|inside|residen|^(__cf|_?cf_|awsalb|arraff|serverid|bigip|incap|visid_incap|nlbi_|ak_|bm_|ts01|_ga)",
    re.IGNORECASE,
)
"""Names that look like a session's and are none: keys of forms, and what balancers and edges set for their own use."""
_CACHES = (
    "x-cache", "cf-cache-status", "x-cache-status", "x-proxy-cache", "x-drupal-cache", "x-litespeed-cache",
    "x-vercel-cache", "cdn-cache", "x-nginx-cache", "x-cache-lookup",
)  # fmt: skip
_HIT = re.compile(r"\b(tcp_)?(mem_)?(hit|stale|updating|revalidated)\b", re.IGNORECASE)
_LIFETIME = re.compile(r"(s-maxage|max-age)\s*=\s*\"?(\d+)", re.IGNORECASE)
_IDENTITY = re.compile(rb"[0-9A-Fa-f]{12,}|\d{5,}|@|[0-9a-f]{8}-[0-9a-f]{4}-")


class Cookie(NamedTuple):
    """A cookie as an answer sets it."""

    name: str
    value: str


def set_cookies(headers: Mapping[str, str]) -> Iterator[Cookie]:
    """Yield the cookies that an answer sets; those that it takes away are not among them."""
    for line in headers.get("set-cookie", "").split("\n"):
        pair, _, attributes = line.partition(";")
        name, given, value = pair.partition("=")
        gone = re.search(r"max-age\s*=\s*0*(;|$)|expires\s*=[^;]*\b(1970|1969|0001)\b", attributes, re.IGNORECASE)
        if given and not gone:
            yield Cookie(name.strip(), value.strip().strip('"'))


def is_session(cookie: Cookie) -> bool:
    """Return whether a cookie is, by its name and value, what a server knows a session by.

    Signed state that says nothing of anybody, as frameworks keep in a cookie called `session`, is none.
    """
    if len(cookie.value) < SHORTEST or not _SESSION.search(cookie.name) or _NO_SESSION.search(cookie.name):
        return False
    return not _says_nothing(cookie.value)


def _says_nothing(value: str) -> bool:
    head = re.split(r"[.%]|--", value.removeprefix("s:").removeprefix("s%3A"))[0]
    try:
        text = urlsafe_b64decode(head + "=" * (-len(head) % 4))
        state = orjson.loads(text)
    except ValueError:
        return False
    return isinstance(state, dict | list) and "alg" not in state and not _IDENTITY.search(text)


def sent_sessions(seen: Seen) -> set[str]:
    """Return the keys of a session that a request carried: of cookies, and of its Authorization."""
    pairs = (pair.strip().partition("=") for pair in seen.cookie().split(";"))
    found = {value for name, given, value in pairs if given and is_session(Cookie(name, value))}
    scheme, _, key = seen.request.headers.get("Authorization", "").strip().partition(" ")
    return found | {key.strip()} if scheme.lower() == "bearer" and len(key) >= SHORTEST else found


def from_cache(headers: Mapping[str, str]) -> str:
    """Return the header, as it stands, by which an answer says that it came out of a shared cache, or nothing.

    `Age` and `Cache-Status` as RFC 9111 and 9211 have them, and the names that caches in use give theirs.
    """
    age = headers.get("age", "")
    if age.isdigit() and int(age) > 0:
        return f"age: {age}"
    for name in _CACHES:
        if name in headers and _HIT.search(headers[name]):
            return f"{name}: {headers[name]}"
    status = headers.get("cache-status", "")
    if re.search(r";\s*hit\b", status):
        return f"cache-status: {status}"
    varnish = headers.get("x-varnish", "")
    return f"x-varnish: {varnish}" if len(varnish.split()) == 2 else ""


def may_be_shared(seen: Seen) -> bool:
    """Return whether an answer tells shared caches to keep it for whoever asks next (RFC 9111, 3, 3.5 and 4.1).

    What says nothing is not counted: caches in use keep only what they are told to.
    """
    control = seen.headers.get("cache-control", "").lower()
    if not control or "private" in control or "no-store" in control or "no-cache" in control:
        return False
    lives = {name.lower(): int(seconds) for name, seconds in _LIFETIME.findall(control)}
    if lives.get("s-maxage", lives.get("max-age", 1 if "public" in control else 0)) == 0:
        return False
    keyed = {name.strip() for name in seen.headers.get("vary", "").lower().split(",")}
    if keyed & {"*", "authorization", "cookie"}:
        return False
    explicit = "public" in control or "s-maxage" in lives or "must-revalidate" in control
    return explicit or "Authorization" not in seen.request.headers
