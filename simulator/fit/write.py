"""Kinds of shoppers as files: one persona each, a population with their weights, and a scenario that plays it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from simulator.fit.sections import persona_of, shares_of
from simulator.model.persona import find_persona, load_persona

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.fit.estimate import Fitted

BASE = "base_mobile"
"""Where what no log tells comes from; the files say so."""
MOST_SHOPPERS = 100_000


def files_of(fitted: Fitted, prefix: str) -> dict[str, str]:
    """Return the text of each file by its name in the folder."""
    base = load_persona(find_persona(BASE)).spec
    names = [f"{prefix}_{number}" for number in range(1, len(fitted.kinds) + 1)]
    made = {
        f"{name}.yaml": _yaml(persona_of(name, kind, fitted, period(fitted), base))
        for name, kind in zip(names, fitted.kinds, strict=True)
    }
    weights = shares_of({name: kind.share for name, kind in zip(names, fitted.kinds, strict=True)}, least=0.0)
    population = {
        "population": prefix,
        "describe": f"{_count(len(names), 'kind')} of shoppers, fitted from a log.",
        "evidence": f"weights: shares of {len(fitted.hits.users):,} users in the log, {period(fitted)}",
        "personas": weights,
    }
    return made | {
        "population.yaml": _yaml(population),
        f"scenarios/{prefix}.yaml": _yaml(_scenario(fitted, prefix)),
    }


def period(fitted: Fitted) -> str:
    """Return the first and the last day of the log, in UTC."""
    first, last = (datetime.fromtimestamp(int(at) / 1e6, UTC).date() for at in _ends(fitted))
    return f"{first} to {last}"


def _ends(fitted: Fitted) -> tuple[int, int]:
    return int(fitted.hits.at_us.min()), int(fitted.hits.at_us.max())


def _scenario(fitted: Fitted, prefix: str) -> dict[str, Any]:
    first, last = _ends(fitted)
    day = 86_400_000_000
    loads = fitted.has_loads
    return {
        "scenario": prefix,
        "describe": (
            "The fitted shoppers, pages loading as their cards say."
            if loads
            else "The fitted shoppers; pages take no time, because the log's think times hold the waiting already."
        ),
        "population": "../population.yaml",
        "reference": f"{datetime.fromtimestamp(first // day * day / 1e6, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "shoppers": min(len(fitted.hits.users), MOST_SHOPPERS),
        "horizon": f"{min(last // day - first // day + 1, 366)}d",
        "pages": "cards" if loads else "instant",
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _yaml(data: Mapping[str, Any]) -> str:
    """Return a file's text: maps of numbers stand in one line, everything else in block style."""
    writer = YAML()
    writer.width, writer.default_flow_style = 118, False
    writer.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    writer.dump(_styled(data, 0), out)
    return out.getvalue()


def _styled(value: Any, depth: int) -> Any:  # noqa: ANN401 - YAML holds anything
    if isinstance(value, list):
        made = CommentedSeq(value)
        made.fa.set_flow_style()
        return made
    if not isinstance(value, dict):
        return value
    styled = CommentedMap({str(key): _styled(inner, depth + 1) for key, inner in value.items()})
    if depth and not any(isinstance(inner, dict) for inner in value.values()) and "evidence" not in value:
        styled.fa.set_flow_style()
    return styled
