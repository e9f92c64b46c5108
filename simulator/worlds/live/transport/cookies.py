"""A visitor's cookies, as RFC 6265 has them."""

from __future__ import annotations

from typing import NamedTuple

from simulator.worlds.live.transport.dates import seconds_until

MOST_COOKIES = 180
"""Cookies that one visitor keeps (Chrome's limit a site)."""


class Cookie(NamedTuple):
    """One cookie; `until_s` is None for one that lives as long as the browser, else on the keeper's clock."""

    value: str
    path: str
    domain: str
    """Hosts below it get the cookie too; empty: only the host that set it."""
    until_s: float | None


class Cookies:
    """The cookies of one visitor. `Secure` is not looked at: shops are tested over plain HTTP as well."""

    __slots__ = ("_kept", "_plain", "_until_s")

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], Cookie] = {}
        self._plain: dict[str, str] = {}
        """Rendered header by host, while every cookie is for every path."""
        self._until_s = float("inf")

    def __bool__(self) -> bool:
        return bool(self._kept)

    def header(self, host: str, path: str, now_s: float) -> str:
        """Return the `Cookie` header for a request, empty when there is none to send."""
        if now_s >= self._until_s:
            self._expire(now_s)
        known = self._plain.get(host)
        if known is not None:
            return known
        found = [
            (f"{key[2]}={cookie.value}", cookie)
            for key, cookie in self._kept.items()
            if (key[0] == host or (cookie.domain and f".{host}".endswith(f".{cookie.domain}")))
        ]
        if all(cookie.path == "/" for _, cookie in found):
            self._plain[host] = "; ".join(pair for pair, _ in found)
            return self._plain[host]
        fitting = [(pair, cookie) for pair, cookie in found if _covers(cookie.path, path.partition("?")[0])]
        # Longer paths first (RFC 6265 section 5.4).
        return "; ".join(pair for pair, _ in sorted(fitting, key=lambda one: -len(one[1].path)))

    def keep(self, lines: str | list[str], host: str, path: str, now_s: float) -> None:
        """Keep each cookie of `Set-Cookie` as it was sent (section 5.2); attributes nobody knows yet do no harm."""
        for line in lines if isinstance(lines, list) else [lines]:
            pair, *attributes = line.split(";")
            name, given, value = pair.partition("=")
            if not given or not name.strip():
                continue
            self._keep(name.strip(), value.strip(), _attributes(attributes), host, path, now_s)
        self._plain.clear()

    def _keep(self, name: str, value: str, said: dict[str, str], host: str, path: str, now_s: float) -> None:
        domain = said.get("domain", "").lstrip(".").lower()
        if domain and not f".{host}".endswith(f".{domain}"):
            return
        place = said.get("path", "")
        if not place.startswith("/"):
            place = path.partition("?")[0].rpartition("/")[0] or "/"
        key, until_s = (domain or host, place, name), _until_s(said, now_s)
        if until_s is not None and until_s <= now_s:
            self._kept.pop(key, None)
            return
        self._kept[key] = Cookie(value, place, domain, until_s)
        if until_s is not None:
            self._until_s = min(self._until_s, until_s)
        if len(self._kept) > MOST_COOKIES:
            del self._kept[next(iter(self._kept))]

    def _expire(self, now_s: float) -> None:
        self._kept = {k: one for k, one in self._kept.items() if one.until_s is None or one.until_s > now_s}
        self._until_s = min((one.until_s for one in self._kept.values() if one.until_s is not None), default=1e300)
        self._plain.clear()


def _attributes(parts: list[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _covers(cookie_path: str, path: str) -> bool:
    """Return whether a cookie's path is a request's or above it (RFC 6265 section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path) :][:1] in ("", "/")


def _until_s(said: dict[str, str], now_s: float) -> float | None:
    """Return when a cookie ends; `Max-Age` goes before `Expires` (section 5.3)."""
    age = said.get("max-age", "")
    if age.lstrip("-").isdigit():
        return now_s + int(age)
    if "expires" not in said:
        return None
    left_s = seconds_until(said["expires"])
    return None if left_s is None else now_s + left_s
