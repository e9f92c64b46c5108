"""A first target file: operations chosen, templates filled in, and a list of what a human must look at."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from simulator.model.faults import FileFaults
from simulator.page.card import OPERATIONS
from simulator.target.fields import EXTRACTED
from simulator.target.imports.guess import CATEGORY_WORDS, evidence_in, extracts_in, field_for, scores
from simulator.target.imports.seen import Seen, snake, tokens
from simulator.target.reading import read_target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from simulator.target.fields import Json

_FIELD = re.compile(r"\{([a-z]\w*(?:\.\w+)+)\??\}")
_DEEPEST = 12
NO_OPERATION = "no operation that we know"
_SETUP_MANY = 20


@dataclass(slots=True)
class Draft:
    """A target file in the making: its data, why each request is what it is, and what is left to do.

    `mapped` has (operation, request); `human` sentences that begin with the place in the file; `left_out` (what, why).
    """

    data: dict[str, Json]
    mapped: list[tuple[str, str]] = field(default_factory=list)
    human: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def choose(seen: Iterable[Seen]) -> tuple[dict[str, Seen], list[tuple[Seen, str]]]:
    """Return (request by operation, the others and why): what fits best wins, each operation and request once."""
    every = list(seen)
    ranked = sorted(
        ((weight, -place, operation) for place, one in enumerate(every) for operation, weight in scores(one).items()),
        reverse=True,
    )
    chosen: dict[str, int] = {}
    for _, negative, operation in ranked:
        if operation not in chosen and -negative not in chosen.values():
            chosen[operation] = -negative
    taken = {operation: every[chosen[operation]] for operation in OPERATIONS if operation in chosen}
    rest = [(one, _why(one, taken)) for place, one in enumerate(every) if place not in chosen.values()]
    return taken, rest


def _why(one: Seen, taken: dict[str, Seen]) -> str:
    found = scores(one)
    if not found:
        return NO_OPERATION
    best = max(found, key=lambda operation: found[operation])
    return f"{best} is {taken[best].title} already"


def request_of(operation: str, seen: Seen, draft: Draft, *, section: str = "operations") -> dict[str, Json]:
    """Return the target file's request; what could not be guessed is told to the draft."""
    where = f"{section}.{operation}"
    out: dict[str, Json] = {} if seen.method == "GET" or seen.graphql else {"method": seen.method}
    out["path"] = re.sub(r"\{([^{}]*)\}", lambda match: _in_path(match[1], operation, seen, where, draft), seen.path)
    if operation == "category":
        out["path"] = _with_category(out["path"], where, draft)
    query = {name: _value(name, value, seen, where, draft) for name, value in seen.query.items()}
    out |= (
        {"query": {name: value for name, value in query.items() if value is not None}}
        if any(value is not None for value in query.values())
        else {}
    )
    if seen.headers:
        out["headers"] = {name: _value(name, value, seen, where, draft) for name, value in seen.headers.items()}
    if seen.graphql is not None:
        variables = _tree(seen.graphql.get("variables") or {}, "", seen, where, draft, 0)
        out["graphql"] = {"query": seen.graphql["query"]} | ({"variables": variables} if variables else {})
    elif seen.body is not None and seen.method in {"POST", "PUT", "PATCH"}:
        out["json"] = _tree(seen.body, "", seen, where, draft, 0)
    elif seen.form and seen.method in {"POST", "PUT", "PATCH"}:
        out["form"] = {name: _value(name, value, seen, where, draft) or "" for name, value in seen.form.items()}
    if not 200 <= seen.status < 300 or seen.status not in {200, 201, 202, 204}:
        out["expect"] = {"status": [seen.status]}
    extract = (extracts_in(operation, seen.answer) if section == "operations" else {}) | seen.captures
    if extract:
        out["extract"] = extract
    evidence = evidence_in(seen.answer) if section == "operations" and seen.answer is not None else {}
    if evidence:
        out["evidence"] = evidence
    if operation == "session":
        out["once"] = "visit"
    return out


def _with_category(path: str, where: str, draft: Draft) -> str:
    """Return a path with the category in view in place of the one that was recorded."""
    before, _, last = path.rpartition("/")
    if not last.startswith("{") and set(tokens(before.rpartition("/")[2])) & CATEGORY_WORDS:
        draft.human.append(f"{where}: `{last}` became the category in view; write the shop's names under categories")
        return f"{before}/{{page.category}}"
    return path


def _in_path(name: str, operation: str, seen: Seen, where: str, draft: Draft) -> str:
    if name in seen.fixed:
        return seen.fixed[name]
    guessed = field_for(name)
    if not guessed and snake(name) in {"id", "slug", "key"}:
        guessed = {"product": "{extracted.sku}", "category": "{page.category}", "recommend": "{extracted.sku}",
                   "ar_asset": "{extracted.sku}"}.get(operation, "")  # fmt: skip
        if operation in {"cart", "add_to_cart", "remove_from_cart", "checkout", "purchase", "payment"}:
            guessed = "{extracted.cart}"
    if guessed:
        return guessed
    draft.human.append(f"{where}.path: {{{name}}} of {seen.path} is sent as `{snake(name)}`; say what stands there")
    return snake(name)


def _value(name: str, value: Json, seen: Seen, where: str, draft: Draft) -> Json:
    """Return the template of one parameter; None leaves it out: nobody asks for it, and nobody knows what it is."""
    if name in seen.fixed:
        return seen.fixed[name]
    guessed = field_for(name)
    if guessed:
        optional = name not in seen.required and (guessed.startswith(("{place.", f"{{{EXTRACTED}")))
        return f"{guessed[:-1]}?}}" if optional else guessed
    if value is None:
        if name not in seen.required:
            return None
        draft.human.append(f"{where}: {name} is required, and nobody knows what it is; `{snake(name)}` is sent")
        return snake(name)
    return escaped(value if isinstance(value, str | int | float | bool) else str(value))


def _tree(node: Json, name: str, seen: Seen, where: str, draft: Draft, depth: int) -> Json:
    """Return a body with templates for what is known by its name, and the sample's own values for the rest."""
    if depth > _DEEPEST:
        return None
    if isinstance(node, dict):
        return {key: _tree(value, key, seen, where, draft, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_tree(value, name, seen, where, draft, depth + 1) for value in node[:_SETUP_MANY]]
    if isinstance(node, str) and node in seen.fixed:
        return seen.fixed[node]
    guessed = field_for(name)
    if guessed and isinstance(node, str | int | float) and not isinstance(node, bool):
        return f"{guessed[:-1]}?}}" if guessed.startswith("{place.") else guessed
    if node is None and name in seen.required:
        draft.human.append(f"{where}: {name} is required, and nobody knows what it is; null is sent")
    return escaped(node)


def escaped(value: Json) -> Json:
    """Return a literal as a template that renders to it."""
    return value.replace("{", "{{").replace("}", "}}") if isinstance(value, str) else value


def finish(draft: Draft) -> None:
    """Mend what nothing extracts: required fields become literals that a human must look at."""
    calls = [*draft.data["operations"].values(), *draft.data.get("setup", {}).values()]
    known = {EXTRACTED + name for rest in calls for name in rest.get("extract", {})}
    for section in ("setup", "operations"):
        for operation, rest in draft.data.get(section, {}).items():
            for key in ("path", "query", "headers", "json", "form", "graphql"):
                if key in rest:
                    rest[key] = _mended(rest[key], f"{section}.{operation}.{key}", known, draft)


def _mended(node: Json, where: str, known: set[str], draft: Draft) -> Json:
    if isinstance(node, dict):
        return {key: value if key == "query" and where.endswith(".graphql") else _mended(value, where, known, draft)
                for key, value in node.items()}  # fmt: skip
    if isinstance(node, list):
        return [_mended(value, where, known, draft) for value in node]
    if not isinstance(node, str):
        return node

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith(EXTRACTED) or name in known:
            return match[0]
        word = name.removeprefix(EXTRACTED)
        draft.human.append(f"{where}: no answer tells {word}; `{word}` is sent, say where it comes from")
        return word

    return _FIELD.sub(replace, node)


def written(draft: Draft, source: str) -> str:
    """Return the file's text, with the list of what needs a human above it."""
    head = [
        f"# Made from {_one_line(source)}. All is guessed from names: look at each operation.",
        "#",
    ]
    head += ["# What needs a human:"] + [
        f"# - {_one_line(line)}" for line in draft.human or ["nothing that we know of"]
    ]
    yaml, out = YAML(), io.StringIO()
    yaml.width, yaml.allow_unicode = 110, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(draft.data, out)
    return "\n".join(head) + "\n" + out.getvalue()


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def checked(path: Path) -> list[str]:
    """Return what is wrong with a written file; nothing ever should be."""
    try:
        read_target(str(path), secrets=False)
    except FileFaults as error:
        return [str(fault) for fault in error.faults]
    return []
