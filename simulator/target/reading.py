"""Reading target files: everything validated before anything is compiled, all faults at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator.model.faults import Fault, FileFaults, suggestion
from simulator.model.library import resolve, shipped
from simulator.model.schema import CATEGORIES
from simulator.model.states import STATE_NAMES
from simulator.model.yamlfile import YamlFile, read_yaml, validate
from simulator.page.card import OPERATIONS
from simulator.target.accounts import columns_of
from simulator.target.fields import ACCOUNT, ALL, CURSOR, EXTRACTED, FIELDS
from simulator.target.rules import auth_faults, auth_templates, path_faults, place_faults, secret_faults
from simulator.target.schema import READINGS, TargetFile
from simulator.target.secrets import resolved, unset_in
from simulator.target.template import fields_of, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Where = tuple[str | int, ...]

TARGETS, PRESETS = "locustfiles/targets", "locustfiles/targets/presets"
_CHOICES = {
    "operations": ("an operation", OPERATIONS),
    "categories": ("one of our categories", CATEGORIES),
    "readings": ("a reading", READINGS),
    "events": ("a page", STATE_NAMES),
}
"""What the names in a section are, and which there are."""
_BODILESS = {"GET", "DELETE"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, 5.6.2."""


def target_path(name: str, *, beside: Path | None = None) -> Path:
    """Return the file meant by `name`: a path, a shipped target, or a shipped preset. Raises `FileFaults`."""
    presets = shipped(PRESETS)
    if name in presets and not (beside and (beside / f"{name}.yaml").is_file()):
        return presets[name]
    return resolve(name, TARGETS, what="target", beside=beside)


def read_target(name: str, *, beside: Path | None = None, secrets: bool = True) -> TargetFile:
    """Read a target file by shipped name or path. Raises `FileFaults` with every fault found.

    Without `secrets`, variables that the environment lacks are no fault.
    """
    path = target_path(name, beside=beside)
    file = read_yaml(path)
    faults = list(_Reader(file, path.parent).faults())
    if secrets:
        faults += secret_faults(file)
    try:
        spec = validate(TargetFile, file, _without_unknown(file.data))
    except FileFaults as error:
        raise FileFaults([*faults, *error.faults]) from None
    if faults:
        raise FileFaults(faults)
    return spec


def _without_unknown(data: dict[str, Any]) -> dict[str, Any]:
    """Drop the names that have their fault already, so that the rest is validated too."""
    known = {
        section: {name: value for name, value in data[section].items() if name in choices}
        for section, (_, choices) in _CHOICES.items()
        if isinstance(data.get(section), dict)
    }
    return data | known


def _mapping(data: object, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


class _Reader:
    """Finds what the schema cannot say. Works on the raw data, so that one wrong type hides nothing else."""

    def __init__(self, file: YamlFile, folder: Path) -> None:
        self.file = file
        self.calls: dict[Where, dict[str, Any]] = {
            (section, name): rest
            for section in ("setup", "operations", "readings")
            for name, rest in _mapping(file.data, section).items()
            if isinstance(rest, dict)
        }
        names = {name for rest in self.calls.values() for name in _mapping(rest, "extract")}
        self.extracted = sorted(EXTRACTED + name for name in names if _NAME.fullmatch(name))
        accounts = _mapping(file.data, "accounts").get("file")
        columns = columns_of(folder / resolved(accounts)) if isinstance(accounts, str) else []
        self.columns = [ACCOUNT + column for column in columns]
        self.any_column = isinstance(accounts, str) and bool(unset_in(accounts))
        """Whether nobody knows the columns, since the environment does not say which file it is."""

    def faults(self) -> Iterator[Fault]:
        """Yield every fault."""
        yield from self._names()
        yield from self._opening()
        yield from self._auth()
        yield from self._headers(("headers",), _mapping(self.file.data, "headers"))
        for where, rest in self.calls.items():
            yield from self._call(where, rest)

    def _names(self) -> Iterator[Fault]:
        if self.file.data.get("operations") == {}:
            yield self.file.fault(("operations",), "is empty", "must map one operation at least")
        for section, (what, choices) in _CHOICES.items():
            for name in _mapping(self.file.data, section):
                if name not in choices:
                    allowed = f"{section} are {', '.join(choices)}"
                    yield self.file.fault((section, name), f"is not {what}", allowed, suggestion(name, choices))

    def _opening(self) -> Iterator[Fault]:
        opening = self.file.data.get("opening")
        for index, name in enumerate(opening if isinstance(opening, list) else ()):
            if name in OPERATIONS and name not in _mapping(self.file.data, "operations"):
                found = f"is {name!r}, which is not mapped"
                yield self.file.fault(("opening", index), found, "must be an operation of this file")

    def _auth(self) -> Iterator[Fault]:
        auth = _mapping(self.file.data, "auth")
        yield from auth_faults(self.file, auth)
        for key, template in auth_templates(auth):
            yield from self._template(("auth", key), template)

    def _call(self, where: Where, rest: dict[str, Any]) -> Iterator[Fault]:
        yield from self._path((*where, "path"), rest.get("path"))
        for section in ("query", "form"):
            for name, template in _mapping(rest, section).items():
                yield from self._template((*where, section, name), template)
        yield from self._headers((*where, "headers"), _mapping(rest, "headers"))
        yield from self._tree((*where, "json"), rest.get("json"))
        yield from self._template((*where, "text"), rest.get("text"))
        variables = _mapping(_mapping(rest, "graphql"), "variables")
        yield from self._tree((*where, "graphql", "variables"), variables)
        yield from self._body(where, rest)
        yield from self._places(where, rest)
        if rest.get("each") and not _mapping(self.file.data, "accounts"):
            yield self.file.fault(
                (*where, "each"), "is 'account'", "needs a file of accounts", "name it under accounts"
            )

    def _path(self, where: Where, path: object) -> Iterator[Fault]:
        if not isinstance(path, str):
            return
        if not path.startswith("/"):
            yield self.file.fault(where, f"is {path!r}", "must begin with /", "the host stands under host")
        if "?" in re.sub(r"\{[^{}]*\}", "", path):
            yield self.file.fault(where, f"is {path!r}", "must have no query", "put parameters under query")
        yield from self._template(where, path, optional=False)

    def _headers(self, where: Where, headers: dict[str, Any]) -> Iterator[Fault]:
        for name, template in headers.items():
            if not _TOKEN.fullmatch(name):
                yield self.file.fault(
                    (*where, name), "is no header name", "RFC 9110 allows letters, digits and !#$%&'*+.^_`|~-"
                )
            yield from self._template((*where, name), template)

    def _body(self, where: Where, rest: dict[str, Any]) -> Iterator[Fault]:
        bodies = [key for key in ("json", "form", "text", "graphql") if rest.get(key) is not None]
        if len(bodies) > 1:
            yield self.file.fault((*where, bodies[1]), f"stands beside {bodies[0]}", "a request has one body")
        method = rest.get("method") or ("POST" if "graphql" in bodies else "GET")
        if bodies and method in _BODILESS:
            allowed = "only POST, PUT and PATCH send a body"
            yield self.file.fault((*where, bodies[0]), f"stands beside method {method}", allowed, "write method: POST")

    def _places(self, where: Where, rest: dict[str, Any]) -> Iterator[Fault]:
        for section in ("extract", "evidence"):
            for name, place in _mapping(rest, section).items():
                here = (*where, section, name)
                if section == "extract" and not _NAME.fullmatch(name):
                    yield self.file.fault(here, "is no name", "must be of small letters, digits and _")
                yield from place_faults(self.file, here, place)
        yield from place_faults(self.file, (*where, "paging", "next"), _mapping(rest, "paging").get("next"))
        yield from place_faults(self.file, (*where, "poll", "until"), _mapping(rest, "poll").get("until"))
        empty = _mapping(rest, "expect").get("empty")
        for index, path in enumerate(empty if isinstance(empty, list) else ()):
            if isinstance(path, str):
                yield from path_faults(self.file, (*where, "expect", "empty", index), path)

    def _tree(self, where: Where, tree: object) -> Iterator[Fault]:
        if isinstance(tree, dict):
            for key, value in tree.items():
                yield from self._tree((*where, key), value)
        elif isinstance(tree, list):
            for index, value in enumerate(tree):
                yield from self._tree((*where, index), value)
        else:
            yield from self._template(where, tree)

    def _template(self, where: Where, template: object, *, optional: bool = True) -> Iterator[Fault]:
        if not isinstance(template, str):
            return
        try:
            fields = fields_of(parse(template))
        except ValueError as error:
            yield self.file.fault(where, str(error))
            return
        for field in fields:
            if not self._is_known(field.name):
                yield self._unknown_field(where, field.name)
            elif field.name == CURSOR and not field.optional:
                yield self.file.fault(
                    where, f"names {{{CURSOR}}}", "the first request has none", f"write {{{CURSOR}?}}"
                )
            elif field.optional and not optional:
                yield self.file.fault(where, f"names {{{field.name}?}}", "no part of a path can be left out")

    def _is_known(self, name: str) -> bool:
        if name.startswith(EXTRACTED):
            return name.removesuffix(ALL) in self.extracted
        return name in FIELDS or name in self.columns or (self.any_column and name.startswith(ACCOUNT))

    def _unknown_field(self, where: Where, name: str) -> Fault:
        if name.startswith(EXTRACTED):
            allowed = f"this file extracts {', '.join(self.extracted) or 'nothing'}"
            return self.file.fault(where, f"names {{{name}}}", allowed, suggestion(name, self.extracted))
        if name.startswith(ACCOUNT):
            allowed = f"the file of accounts has {', '.join(self.columns) or 'no columns that can be read'}"
            return self.file.fault(where, f"names {{{name}}}", allowed, suggestion(name, self.columns))
        fields = [*FIELDS, *self.extracted]
        return self.file.fault(where, f"names {{{name}}}", f"fields are {', '.join(fields)}", suggestion(name, fields))
