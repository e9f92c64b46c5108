"""What a live run may do to others: which hosts it calls, how fast, and whether their certificates must be good.

A load tester can hurt. So a host that is not this machine is called only by somebody who says that it is theirs; no
redirect leads anywhere that was not named; and no plan is faster than a ceiling.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulator.model.faults import COMMAND_LINE, Fault, FileFaults
from simulator.target.redaction import redacted
from simulator.target.secrets import resolved

if TYPE_CHECKING:
    from collections.abc import Iterable

WEB_PORTS = frozenset((80, 443))
"""What a host without a port stands for; a shop may lead from one to the other."""
MOST_VISITS_PER_S = 100.0
"""Ceiling before a host that is not this machine, where nothing else is said: 8.6 million visits a day."""
_ROUNDING = 1e-9
_HINT = "--i-own-this-host says that it is yours to load; or list it under `allowed_hosts` in the scenario"


@dataclass(frozen=True, slots=True)
class Permission:
    """What a run may do.

    `hosts` holds (name, port) pairs; `verify` is false where no certificate is looked at; `max_rate_per_s` counts
    visits, and is None for no ceiling.
    """

    hosts: frozenset[tuple[str, int]]
    verify: bool = True
    max_rate_per_s: float | None = None

    def allows(self, url: str) -> bool:
        """Return whether an absolute URL may be called; what is no HTTP URL may not."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and (_name(parts.hostname or ""), port) in self.hosts

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads; references stand for what was read from them."""
        hosts = sorted([redacted(name), port] for name, port in self.hosts)
        return {"hosts": hosts, "verify": self.verify, "max_rate_per_s": self.max_rate_per_s}

    @classmethod
    def of_job(cls, data: dict[str, Any] | None) -> Permission | None:
        """Return the permission of a job, which may have none."""
        return None if data is None else cls.from_json(data)

    def shared(self, parts: int) -> Permission:
        """Return the permission of each of so many who together may do what this allows."""
        rate_per_s = self.max_rate_per_s
        return replace(self, max_rate_per_s=None if rate_per_s is None else rate_per_s / parts)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Permission:
        """Return the permission that `as_json` wrote."""
        hosts = frozenset((_name(resolved(name)), int(port)) for name, port in data["hosts"])
        return cls(hosts, bool(data["verify"]), data["max_rate_per_s"])


def _name(host: str) -> str:
    return host.rstrip(".").lower()


def is_loopback(url: str) -> bool:
    """Return whether a base URL leads to this machine itself, by `localhost` or by an address of its loopback."""
    host = _name(urlsplit(url).hostname or "")
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def host_ports(entry: str) -> frozenset[tuple[str, int]]:
    """Return what a base URL or `name[:port]` stands for. Raises `ValueError` that says what is allowed."""
    text = entry if "://" in entry else f"//{entry}"
    try:
        parts = urlsplit(text)
        name, port = _name(parts.hostname or ""), parts.port
    except ValueError:
        name, port = "", None
    if not name or "*" in name or ("://" not in entry and (parts.path or parts.query or "@" in entry)):
        raise ValueError("must be a host, as shop.example or shop.example:8443; each is named in full")
    return frozenset((name, one) for one in ([port] if port else WEB_PORTS))


def parse_hosts(entries: list[str]) -> list[str]:
    """Return `entries` if each is a host. Raises `ValueError` that says which is not."""
    for entry in entries:
        try:
            host_ports(entry)
        except ValueError as error:
            raise ValueError(f"{entry!r} {error}") from None
    return entries


def permission_for(
    base_url: str,
    *,
    allowed_hosts: Iterable[str] = (),
    owned: bool = False,
    verify: bool = True,
    max_rate_per_s: float | None = None,
) -> Permission:
    """Return what may be done to the target at `base_url`, before anything is sent to it.

    Raises `FileFaults` when it is not this machine and nobody said that it is theirs: neither `owned` nor
    `allowed_hosts`.
    """
    named: frozenset[tuple[str, int]] = frozenset().union(*map(host_ports, allowed_hosts))
    base = host_ports(base_url)
    local = is_loopback(base_url)
    if not (local or owned or base & named):
        found = f"{urlsplit(base_url).hostname} is not this machine, and nobody said that it may be loaded"
        raise FileFaults([Fault(COMMAND_LINE, 0, "", found, "", _HINT)])
    ceiling = max_rate_per_s if max_rate_per_s is not None or local else MOST_VISITS_PER_S
    return Permission(named | base, verify, ceiling)


def refuse_faster(permission: Permission, rate_per_s: float) -> None:
    """Raise `FileFaults` where a plan's highest rate is above the ceiling."""
    ceiling = permission.max_rate_per_s
    if ceiling is None or rate_per_s <= ceiling * (1 + _ROUNDING):
        return
    found = f"the plan reaches {rate_per_s:.4g} visits a second"
    hint = (
        f"lower the rate, or say --max-rate {rate_per_s:.4g}/s or `max_rate` in the scenario if the target can take it"
    )
    raise FileFaults([Fault(COMMAND_LINE, 0, "", found, f"the ceiling is {ceiling:.4g}", hint)])
