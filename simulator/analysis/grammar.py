"""The grammar of thresholds: `[aggregate of] metric[{label:value, …}] op value`.

    p95 of load_time{page:product, network:lte} < 2.5s
    errors < 1%
    pages > 2

An unknown metric, label, value or unit is an error with what is allowed; nothing passes because it was misspelt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from simulator.analysis.metrics import METRICS, Metric
from simulator.journey.arms import CONTROL
from simulator.model.devices import device_table
from simulator.model.faults import suggestion
from simulator.model.places import country_table
from simulator.model.schema import SITUATIONS, TECHNOLOGIES, TIERS
from simulator.model.states import STATE_NAMES
from simulator.model.units import parse_duration_s, parse_share

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Operator = Literal["<", "<=", ">", ">="]
OPERATORS: tuple[str, ...] = get_args(Operator)
AGGREGATES = ("mean", "median", "min", "max")
FORM = "allowed is `[aggregate of] metric[{label:value}] < value`, as p95 of load_time{page:product} < 2.5s"
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d)?)")
_WHOLE = re.compile(
    r"(?:(?P<aggregate>[\w.]+)\s+of\s+)?(?P<metric>\w+)\s*(?:\{(?P<labels>[^{}]*)\})?\s*(?P<operator>[<>]=?)\s*(?P<value>[^<>=].*)"
)


@dataclass(frozen=True, slots=True)
class Threshold:
    """One parsed threshold.

    `text` is its one spelling. `limit` is in the metric's own unit (seconds, a share of 1, a count), `written` as it
    was written. `aggregate` is None for shares and totals, else `mean`, `min`, `max` or a quantile such as `p95`;
    `median` is `p50`.
    """

    text: str
    metric: Metric
    aggregate: str | None
    where: tuple[tuple[str, str], ...]
    operator: Operator
    limit: float
    written: str

    @property
    def q(self) -> float | None:
        """The quantile in (0, 1) that the aggregate asks for, or None."""
        match = _QUANTILE.fullmatch(self.aggregate or "")
        return float(match[1]) / 100 if match else None

    def holds(self, value: float) -> bool:
        """Return whether a value keeps the limit."""
        return {"<": value < self.limit, "<=": value <= self.limit, ">": value > self.limit}.get(
            self.operator, value >= self.limit
        )


Problem = tuple[int, str, str, str]
"""(position of the threshold in its list, what was found, what is allowed, a hint)."""


class ThresholdError(ValueError):
    """All problems of a list of thresholds at once, so that whoever knows the file can add file and line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"thresholds[{index}]: {found}, {allowed}" for index, found, allowed, _ in problems))


def parse_thresholds(texts: Sequence[str], known: Mapping[str, Collection[str]] | None = None) -> list[Threshold]:
    """Return the thresholds of a scenario.

    `known` gives the names a label may have where only the caller knows them (`persona`, `arm`, `operation`); a label
    without such names is checked when a run is judged. Raises `ThresholdError` with every problem of every threshold.
    """
    parsed, problems = [], []
    for index, text in enumerate(texts):
        found = _Parser(text, known or {})
        problems += [(index, *problem) for problem in found.problems]
        if found.threshold is not None:
            parsed.append(found.threshold)
    if problems:
        raise ThresholdError(problems)
    return parsed


def label_values(label: str) -> tuple[str, ...] | None:
    """Return the values a label may have in every run; None where they depend on the run."""
    fixed = {
        "page": STATE_NAMES,
        "network": TECHNOLOGIES,
        "tier": TIERS,
        "situation": SITUATIONS,
        "placement": ("blocking", "lcp", "deferred"),
    }
    if label == "os":
        return tuple(sorted({device.os for device in device_table().devices}))
    if label == "country":
        return tuple(sorted(country_table()))
    return fixed.get(label)


def spelled(aggregate: str | None, metric: str, where: tuple[tuple[str, str], ...], rest: str = "") -> str:
    """Return a threshold in the one form that every text shows."""
    labels = ", ".join(f"{label}:{value}" for label, value in where)
    head = f"{aggregate} of " if aggregate else ""
    return f"{head}{metric}{f'{{{labels}}}' if labels else ''}{f' {rest}' if rest else ''}"


class _Parser:
    """Reads one threshold; collects what is wrong with it instead of stopping at the first fault."""

    def __init__(self, text: str, known: Mapping[str, Collection[str]]) -> None:
        self.problems: list[tuple[str, str, str]] = []
        self.threshold: Threshold | None = None
        self._text = " ".join(str(text).split())
        self._known = known
        match = _WHOLE.fullmatch(self._text)
        if match is None:
            self._problem("does not read as a threshold", FORM, _shape_hint(self._text))
            return
        metric = METRICS.get(match["metric"])
        if metric is None:
            name = match["metric"]
            self._problem(f"{name} is not a metric", f"allowed are {', '.join(METRICS)}", suggestion(name, METRICS))
            return
        aggregate = self._aggregate(match["aggregate"], metric)
        where = self._labels(match["labels"], metric)
        limit = self._limit(match["value"], metric)
        if not self.problems and limit is not None:
            operator: Operator = match["operator"]  # type: ignore[assignment] # the pattern allows no other
            text = spelled(match["aggregate"], metric.name, where, f"{operator} {match['value']}")
            self.threshold = Threshold(text, metric, aggregate, where, operator, limit, match["value"])

    def _problem(self, found: str, allowed: str, hint: str = "") -> None:
        self.problems.append((f"`{self._text}` {found}" if found.startswith("does not") else found, allowed, hint))

    def _aggregate(self, word: str | None, metric: Metric) -> str | None:
        if metric.kind in ("share", "total"):
            if word is not None:
                what = "share" if metric.kind == "share" else "total"
                self._problem(f"{word} of {metric.name}", f"{metric.name} is a {what} and stands alone", "leave it out")
            return None
        if word is None and metric.default is None:
            allowed = f"{metric.name} needs an aggregate: p1 to p99.9, {', '.join(AGGREGATES)}"
            self._problem(f"{metric.name} has no aggregate", allowed, f"p95 of {metric.name}")
        name = "p50" if word == "median" else word or metric.default
        if name is not None and name not in AGGREGATES and not self._is_quantile(name):
            allowed = f"allowed are p1 to p99.9, {', '.join(AGGREGATES)}"
            hint = {"avg": "mean", "average": "mean"}.get(name)
            self._problem(
                f"{name} is not an aggregate",
                allowed,
                f"did you mean {hint}?" if hint else suggestion(name, AGGREGATES),
            )
        return name

    def _is_quantile(self, name: str) -> bool:
        match = _QUANTILE.fullmatch(name)
        return match is not None and float(match[1]) >= 1

    def _labels(self, text: str | None, metric: Metric) -> tuple[tuple[str, str], ...]:
        if text is None:
            return ()
        where: dict[str, str] = {}
        for part in text.split(","):
            label, colon, value = (word.strip() for word in part.partition(":"))
            if not (colon and label and value):
                hint = "write label:value" if "=" in part else ""
                self._problem(f"`{part.strip()}` is not a label", "allowed is {label:value, label:value}", hint)
            elif label in where:
                self._problem(f"label {label} stands twice", "each label may stand once")
            else:
                where[label] = value
                self._check_label(label, value, metric)
        return tuple(where.items())

    def _check_label(self, label: str, value: str, metric: Metric) -> None:
        if label not in metric.labels:
            allowed = f"allowed are {', '.join(metric.labels)}" if metric.labels else f"{metric.name} has no labels"
            self._problem(f"{label} is not a label of {metric.name}", allowed, suggestion(label, metric.labels))
            return
        values = self._known.get(label) or label_values(label)
        if values is not None and value not in values and not (label == "arm" and value == CONTROL):
            article = "an" if label[0] in "aeiou" else "a"
            allowed = f"allowed are {', '.join(values)}"
            self._problem(f"{value} is not {article} {label}", allowed, suggestion(value, values))

    def _limit(self, text: str, metric: Metric) -> float | None:
        try:
            return _limit(text, metric)
        except ValueError as error:
            hint = "conditions after the value are not known" if " " in text.strip() else ""
            self._problem(f"{text} is no limit for {metric.name}", str(error), hint)
            return None


def _limit(text: str, metric: Metric) -> float:
    """Return a limit in the metric's unit. Raises `ValueError` that says what is allowed."""
    if metric.kind == "time":
        limit = parse_duration_s(0 if text == "0" else text)
        if limit < 0:
            raise ValueError("must not be negative")
        return limit
    if not re.fullmatch(r"\d+(\.\d+)?%?", text) or (metric.kind != "share" and text.endswith("%")):
        raise ValueError(
            "must be a share, as 1% or 0.01" if metric.kind == "share" else "must be a number without a unit"
        )
    return parse_share(text if text.endswith("%") else float(text)) if metric.kind == "share" else float(text)


def _shape_hint(text: str) -> str:
    if re.search(r"==|!=|(?<![<>])=", text):
        return f"operators are {', '.join(OPERATORS)}"
    if not re.search(r"[<>]", text):
        return f"it has no operator: {', '.join(OPERATORS)}"
    if text.count("{") != text.count("}"):
        return "a brace is not closed"
    if re.match(r"(p\d|mean|median|min|max)\S*\s*[( ]", text):
        return "write the aggregate as `p95 of load_time`"
    return ""
