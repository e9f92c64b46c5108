"""The grammar of thresholds and of the figures that are compared.

    p95 of load_time{page:product, network:lte} < 2.5s
    errors < 1% for 10s with 200 values abort
    engaged_time vs baseline > -2%

An unknown metric, label, value or unit is an error with what is allowed; nothing passes because it was misspelt.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from simulator.analysis.figures import OPERATORS, REFERENCES, Figure, Threshold, Versus, is_quantile
from simulator.analysis.limits import a_change, a_limit
from simulator.analysis.metrics import METRICS
from simulator.journey.arms import CONTROL
from simulator.model.devices import device_table
from simulator.model.faults import suggestion
from simulator.model.places import country_table
from simulator.model.schema import SITUATIONS, TECHNOLOGIES, TIERS
from simulator.model.states import STATE_NAMES
from simulator.model.units import parse_duration_s

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from simulator.analysis.metrics import Metric

AGGREGATES = ("mean", "median", "min", "max")
LONGEST_WINDOW_S = 3_600.0
# A number's unit may stand apart from it (`2.5 s`), so what follows a value must not be taken for one.
_GRAMMAR = r"""
threshold: figure [VS NAME [":" WORD]] OPERATOR VALUE [FOR VALUE] [WITH VALUE VALUES] [ABORT]
figure: [NAME OF] NAME [labels]
labels: "{" label ("," label)* "}"
label: NAME ":" WORD

OF: /of\b/
VS: /vs\b/
FOR: /for\b/
WITH: /with\b/
VALUES: /values?\b/
ABORT: /abort\b/
OPERATOR: /[<>]=?/
NAME: /[A-Za-z_][\w.]*/
WORD: /[^\s,:{}<>=]+/
VALUE: /[-+−]?\d[\d.,]*(e[-+]?\d+)?(\s*(?!(for|with|abort|values?)\b)[^\W\d]+|\s*%)?|[^\s<>={}]+/
%import common.WS
%ignore WS
"""
FORM = "allowed is `[aggregate of] metric[{label:value}] < value`, as p95 of load_time{page:product} < 2.5s"
_SAID = {
    "OF": "of", "VS": "vs", "FOR": "for", "WITH": "with", "VALUES": "values", "ABORT": "abort", "LBRACE": "{",
    "RBRACE": "}", "COLON": ":", "COMMA": ",", "OPERATOR": "an operator", "NAME": "a name", "WORD": "a name",
    "VALUE": "a value", "$END": "the end",
}  # fmt: skip


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
    return _all(texts, lambda reader: reader.threshold(), known or {})


def parse_figures(texts: Sequence[str]) -> list[Figure]:
    """Return figures, as `p95 of load_time{page:product}`. Raises `ThresholdError` with every problem of every one."""
    return _all(texts, lambda reader: reader.figure(), {})


def _all(texts: Sequence[str], read: Callable[[_Reader], Any], known: Mapping[str, Collection[str]]) -> list[Any]:
    parsed, problems = [], []
    for index, text in enumerate(texts):
        reader = _Reader(text, known)
        found = read(reader)
        problems += [(index, *problem) for problem in reader.problems]
        parsed.append(found)
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


@cache
def _lark(start: str) -> Lark:
    return Lark(_GRAMMAR, start=start, parser="lalr", maybe_placeholders=True)


class _Reader:
    """Reads one text; collects what is wrong with it instead of stopping at the first fault."""

    def __init__(self, text: str, known: Mapping[str, Collection[str]]) -> None:
        self.problems: list[tuple[str, str, str]] = []
        self._text = " ".join(str(text).split())
        self._known = known

    def threshold(self) -> Threshold | None:
        """Return the text as a threshold, or None when anything is wrong."""
        tree = self._tree("threshold", "a threshold")
        if tree is None:
            return None
        figure_tree, _, reference, name, operator, value, _, window, _, samples, _, abort = tree
        figure = self._figure(figure_tree.children)
        if figure is None:
            return None
        limit, points = self._limit(str(value), figure.metric, versus=reference is not None)
        versus = self._versus(reference, name, figure, points=points)
        window_s, least = self._window(window, figure.metric, versus), self._samples(samples)
        if abort and window is None:
            self._problem("abort without a window", "abort needs one, as `for 10s abort`", "add `for 10s`")
        if self.problems:
            return None
        written = figure_tree.children[0]
        shown = str(replace(figure, aggregate=None if written is None else str(written)))
        rest = (f"for {window}" if window else "", f"with {samples} values" if samples else "", abort or "")
        text = " ".join(filter(None, (shown, str(versus or ""), operator, value, *rest)))
        return Threshold(text, figure, operator, limit, str(value), versus, window_s, least, bool(abort))

    def figure(self) -> Figure | None:
        """Return the text as a figure, or None when anything is wrong."""
        tree = self._tree("figure", "a figure")
        figure = self._figure(tree) if tree else None
        return None if self.problems else figure

    def _tree(self, start: str, what: str) -> list[Any] | None:
        try:
            return _lark(start).parse(self._text).children
        except UnexpectedInput as error:
            self._unreadable(error, what)
            return None

    def _unreadable(self, error: UnexpectedInput, what: str) -> None:
        ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        place = len(self._text) if ended or error.pos_in_stream is None else error.pos_in_stream
        rest = self._text[place:].split(" ", 1)[0]
        expected = error.allowed if isinstance(error, UnexpectedCharacters) else getattr(error, "expected", ())
        wanted = " or ".join(dict.fromkeys(word for key, word in _SAID.items() if key in (expected or ()))) or "the end"
        found = f"`{rest}` where {wanted} was expected" if rest else f"it ends where {wanted} was expected"
        at = f" (column {place + 1}: {found})" if self._text else ""
        self._problem(f"`{self._text}` does not read as {what}{at}", FORM, _shape_hint(self._text, place))

    def _problem(self, found: str, allowed: str, hint: str = "") -> None:
        self.problems.append((found, allowed, hint))

    def _figure(self, parts: Sequence[Any]) -> Figure | None:
        word, _, name, labels = parts
        metric = METRICS.get(name)
        if metric is None:
            self._problem(f"{name} is not a metric", f"allowed are {', '.join(METRICS)}", suggestion(name, METRICS))
            return None
        aggregate = self._aggregate(None if word is None else str(word), metric)
        return Figure(metric, aggregate, self._labels(labels.children if labels else (), metric))

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
        if name is not None and name not in AGGREGATES and not is_quantile(name):
            allowed = f"allowed are p1 to p99.9, {', '.join(AGGREGATES)}"
            hint = {"avg": "mean", "average": "mean"}.get(name)
            self._problem(
                f"{name} is not an aggregate",
                allowed,
                f"did you mean {hint}?" if hint else suggestion(name, AGGREGATES),
            )
        return name

    def _labels(self, pairs: Sequence[Any], metric: Metric) -> tuple[tuple[str, str], ...]:
        where: dict[str, str] = {}
        for pair in pairs:
            label, value = map(str, pair.children)
            if label in where:
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

    def _versus(self, reference: Token | None, name: Token | None, figure: Figure, *, points: bool) -> Versus | None:
        if reference is None:
            return None
        metric = figure.metric.name
        if reference not in REFERENCES:
            hint = suggestion(reference, REFERENCES)
            self._problem(f"{reference} is nothing to compare with", f"allowed are {', '.join(REFERENCES)}", hint)
        elif figure.metric.source == "generator":
            self._problem(f"{metric} vs {reference}", f"{metric} is judged by itself")
        elif figure.aggregate in ("min", "max"):
            self._problem(
                f"{figure.aggregate} vs {reference}", "extremes have no interval to compare", f"p99 of {metric}"
            )
        elif reference == CONTROL and dict(figure.where).get("arm", CONTROL) == CONTROL:
            self._problem("control would be compared with itself", "allowed is an arm", f"{metric}{{arm:NAME}}")
        elif reference == CONTROL and name is not None:
            self._problem(f"control:{name}", "control has no name")
        return Versus("control" if reference == CONTROL else "baseline", str(name or ""), points)

    def _limit(self, text: str, metric: Metric, *, versus: bool) -> tuple[float, bool]:
        """Return a limit, and whether it is a difference in percentage points."""
        try:
            return a_change(text, metric) if versus else (a_limit(text, metric), False)
        except ValueError as error:
            self._problem(f"{text} is no limit for {metric.name}", str(error))
            return 0.0, False

    def _window(self, text: Token | None, metric: Metric, versus: Versus | None) -> float | None:
        if text is None:
            return None
        if metric.source != "requests":
            timed = ", ".join(name for name, one in METRICS.items() if one.source == "requests")
            self._problem(f"{metric.name} has no windows", f"requests alone have an instant: {timed}")
        if versus is not None:
            self._problem(f"for {text} with {versus}", "a comparison is of whole runs")
        try:
            window_s = parse_duration_s(str(text))
        except ValueError as error:
            self._problem(f"for {text}", str(error))
            return None
        if not 1 <= window_s <= LONGEST_WINDOW_S or window_s % 1:
            self._problem(f"for {text}", "a window is a whole number of seconds from 1s to 1h")
        return window_s

    def _samples(self, text: Token | None) -> int | None:
        if text is None:
            return None
        if not re.fullmatch(r"[1-9]\d{0,8}", text):
            self._problem(f"with {text} values", "allowed is a whole number above 0")
            return None
        return int(text)


def _shape_hint(text: str, place: int) -> str:
    if re.search(r"==|!=|(?<![<>])=", text):
        return (
            "write label:value"
            if "{" in text[:place] and "}" not in text[:place]
            else (f"operators are {', '.join(OPERATORS)}")
        )
    if text.count("{") != text.count("}"):
        return "a brace is not closed"
    if re.match(r"(p\d|mean|median|min|max)\S*\s*[( ]", text) and " of " not in text:
        return "write the aggregate as `p95 of load_time`"
    if not re.search(r"[<>]", text):
        return f"it has no operator: {', '.join(OPERATORS)}"
    return ""
