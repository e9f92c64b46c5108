"""What the schema of a target file cannot say of places, of who asks, and of values from the environment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from simulator.target.extract import compile_path
from simulator.target.fields import SESSION
from simulator.target.places import KINDS, check_css, check_regex
from simulator.target.secrets import FILE, unset_in, why_unset
from simulator.target.signing import AWS_EXTRA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.model.faults import Fault
    from simulator.model.yamlfile import YamlFile

    Where = tuple[str | int, ...]

_AUTH_KEYS = {
    "none": (), "cookie": (), "bearer": ("token",), "basic": ("user", "password"),
    "api_key": ("header", "query", "key"),
    "aws": ("user", "password", "region", "service", "session"),
}  # fmt: skip
_AUTH_NEEDS = {"basic": ("user",), "api_key": ("key",), "aws": ("user", "password", "region", "service")}


def place_faults(file: YamlFile, where: Where, place: object) -> Iterator[Fault]:
    """Yield what is wrong with one place; wrong types are the schema's to refuse."""
    if isinstance(place, str):
        yield from path_faults(file, where, place)
    if not isinstance(place, dict):
        return
    kinds = [kind for kind in KINDS if place.get(kind) is not None]
    if len(kinds) != 1 and sorted(kinds) != ["header", "regex"]:
        found = f"names {' and '.join(kinds)}" if kinds else "names no place"
        yield file.fault(where, found, f"needs exactly one of {', '.join(KINDS)}", "only header and regex go together")
    if isinstance(place.get("json"), str):
        yield from path_faults(file, (*where, "json"), place["json"])
    for kind, check in (("css", check_css), ("regex", check_regex)):
        if isinstance(place.get(kind), str) and (wrong := check(place[kind])):
            what = "CSS selector" if kind == "css" else "regular expression"
            yield file.fault((*where, kind), f"is {place[kind]!r}", f"must be a {what}: {wrong}")
    if "attribute" in place and "css" not in kinds:
        yield file.fault((*where, "attribute"), "stands without css", "only elements of HTML have attributes")


def path_faults(file: YamlFile, where: Where, path: str) -> Iterator[Fault]:
    """Yield what is wrong with a JSONPath."""
    try:
        compile_path(path)
    except ValueError as error:
        yield file.fault(where, f"is {path!r}", f"must be a JSONPath (RFC 9535): {error}", "as $.items[*].sku")


def auth_faults(file: YamlFile, auth: dict[str, Any]) -> Iterator[Fault]:
    """Yield keys of `auth` that its kind does not have, and those it needs."""
    kind = auth.get("kind", "none")
    if kind not in _AUTH_KEYS:
        return
    for key in auth:
        if key != "kind" and any(key in keys for keys in _AUTH_KEYS.values()) and key not in _AUTH_KEYS[kind]:
            owners = [name for name, keys in _AUTH_KEYS.items() if key in keys]
            verb = "has" if len(owners) == 1 else "have"
            article = "an" if key[0] in "aeiou" else "a"
            yield file.fault(
                ("auth", key), f"stands beside kind {kind!r}", f"only {' and '.join(owners)} {verb} {article} {key}"
            )
    for key in _AUTH_NEEDS.get(kind, ()):
        if auth.get(key) is None:
            yield file.fault(("auth",), f"is {kind} and has no {key}", f"{kind} needs {', '.join(_AUTH_NEEDS[kind])}")
    if kind == "api_key" and bool(auth.get("header")) == bool(auth.get("query")):
        yield file.fault(("auth",), "is api_key", "needs one of header and query, to say where the key goes")
    if kind == "aws" and find_spec("botocore") is None:
        yield file.fault(("auth", "kind"), "is 'aws'", "needs botocore to sign requests", AWS_EXTRA)


def auth_templates(auth: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (key, template) of what `auth` sends."""
    if auth.get("kind") == "bearer":
        yield "token", auth.get("token", SESSION)
    for key in ("user", "password", "key", "region", "session"):
        if key in auth:
            yield key, auth[key]


def secret_faults(file: YamlFile) -> Iterator[Fault]:
    """Yield each reference that cannot stand for a secret, at the first place that names it."""
    told: set[str] = set()
    for where, value in _strings((), file.data):
        for name in unset_in(value):
            if name not in told:
                told.add(name)
                hint = "" if name.startswith(FILE) else f"set it first, as: export {name}=…"
                yield file.fault(where, f"needs {name}, which {why_unset(name)}", "", hint)


def _strings(where: Where, node: object) -> Iterator[tuple[Where, str]]:
    if isinstance(node, str):
        yield where, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings((*where, key), value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _strings((*where, index), value)
