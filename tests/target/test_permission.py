"""Permission: which hosts may be called, who says so, and how fast; all before anything is sent."""

import json

import pytest

from simulator.model.faults import FileFaults
from simulator.target.permission import (
    MOST_VISITS_PER_S,
    Permission,
    host_ports,
    is_loopback,
    parse_hosts,
    permission_for,
    refuse_faster,
)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:8080", True),
        ("http://LOCALHOST.", True),
        ("http://127.0.0.1", True),
        ("http://127.8.9.10:1", True),
        ("https://[::1]:8443/x", True),
        ("http://[::ffff:127.0.0.1]", True),
        ("http://0.0.0.0", False),
        ("http://10.0.0.1", False),
        ("http://localhost.shop.example", False),
        ("http://127.0.0.1.shop.example", False),
        ("http://2130706433", False),
        ("https://shop.example", False),
        ("http://[::ffff:10.0.0.1]", False),
    ],
)
def test_what_is_this_machine(url, local):
    """Only `localhost` and addresses of the loopback are this machine; names that look like it are not."""
    assert is_loopback(url) is local


def test_somebody_must_say_that_a_host_is_theirs():
    """A host that is not this machine is refused with the way to allow it, unless a flag or the scenario allows it."""
    with pytest.raises(FileFaults) as found:
        permission_for("https://shop.example")
    assert str(found.value) == (
        "command line: shop.example is not this machine, and nobody said that it may be loaded. Hint: "
        "--i-own-this-host says that it is yours to load; or list it under `allowed_hosts` in the scenario"
    )
    for given in (
        {"owned": True},
        {"allowed_hosts": ["shop.example"]},
        {"allowed_hosts": ["x.example", "shop.example:443"]},
    ):
        assert permission_for("https://shop.example", **given).allows("https://shop.example/a")
    for other in ("www.shop.example", "shop.example:8443", "example"):
        with pytest.raises(FileFaults):
            permission_for("https://shop.example", allowed_hosts=[other])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:8080/a", True),
        ("http://127.0.0.1:9200/a", False),
        ("http://127.0.0.1/a", False),
        ("https://img.example/x.png", True),
        ("http://img.example/x.png", True),
        ("https://IMG.example./x.png", True),
        ("https://img.example:8443/x.png", False),
        ("https://api.example:8443/x", True),
        ("https://api.example/x", False),
        ("https://evil.example", False),
        ("https://img.example@evil.example", False),
        ("https://evil.example/img.example", False),
        ("ftp://img.example", False),
        ("//img.example", False),
        ("http://img.example:port", False),
        ("", False),
    ],
)
def test_only_named_hosts_are_called(url, allowed):
    """The target and the named hosts may be called, at their own ports; a port that is not named is 80 or 443."""
    named = ["img.example", "api.example:8443"]
    permission = permission_for("http://127.0.0.1:8080", allowed_hosts=named)
    assert permission.allows(url) is allowed
    assert Permission.from_json(json.loads(json.dumps(permission.as_json()))) == permission


@pytest.mark.parametrize(
    "entry", ["", "*.shop.example", "shop.example/path", "u@shop.example", "shop.example:x", "a:99999"]
)
def test_what_is_no_host(entry):
    """Entries name one host each, in full."""
    with pytest.raises(ValueError, match=r"must be a host, as shop\.example"):
        host_ports(entry)
    with pytest.raises(ValueError, match="must be a host"):
        parse_hosts(["good.example", entry])


def test_a_plan_above_the_ceiling_is_refused_with_the_numbers():
    """Before other machines the ceiling is 100 visits a second; before this one there is none unless one is given."""
    local, other = permission_for("http://localhost"), permission_for("http://shop.example", owned=True)
    refuse_faster(local, 1e6)
    refuse_faster(other, MOST_VISITS_PER_S)
    with pytest.raises(FileFaults) as found:
        refuse_faster(other, 250)
    assert str(found.value) == (
        "command line: the plan reaches 250 visits a second, the ceiling is 100. Hint: lower the rate, or say "
        "--max-rate 250/s or `max_rate` in the scenario if the target can take it"
    )
    for url in ("http://localhost", "http://shop.example"):
        with pytest.raises(FileFaults, match="the ceiling is 20"):
            refuse_faster(permission_for(url, owned=True, max_rate_per_s=20), 21)
