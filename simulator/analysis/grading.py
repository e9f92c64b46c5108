"""Grades: how near an analysis came to the truth. Each score says what is best in `SCORES`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

from simulator.analysis import scores as score
from simulator.analysis.answerkey import read_lifts, read_shoppers
from simulator.model.faults import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from simulator.analysis.answerkey import Lift
    from simulator.analysis.answers import Answer

SCORES = {
    "ari": "adjusted Rand index: 1 perfect, 0 chance",
    "ami": "adjusted mutual information: 1 perfect, 0 chance",
    "matched_accuracy": "share of shoppers in the segment that best matches their persona",
    "answered": "share of the known lifts (all shoppers taken together) that were estimated",
    "mean_relative_error": "mean of |estimate − truth| / |truth|: 0 perfect",
    "sign_right": "share of estimates with the sign of the truth",
    "coverage": "share of intervals that hold the truth; 0.95 is right for 95 % intervals",
    "coverage_p": "chance of a coverage as far from --level if the intervals were right",
    "roc_auc": "area under the ROC curve: 1 perfect, 0.5 chance",
    "pr_auc": "average precision: 1 perfect, the share of churned is chance",
    "brier": "mean squared error of the probability: 0 perfect",
    "log_loss": "mean negative log-likelihood, in nats: 0 perfect",
    "calibration_error": "mean distance of probability and share churned over ten bins: 0 perfect",
    "accuracy": "share of shoppers rightly called, at --threshold",
    "precision": "share of those called churned who were, at --threshold",
    "recall": "share of the churned who were called so, at --threshold",
}
"""Every score and how to read it."""
BINS = 10
LEVEL = 0.95
SUSPICIOUS = 0.05
"""Below this probability, the coverage that was seen speaks against the intervals."""


@dataclass(frozen=True, slots=True)
class Grade:
    """The scores of one answer, None where there is nothing to tell it from, and a table of details.

    `reference` holds the scores of the model's own chances, which hardly any analysis can beat: they know who each
    shopper is, and as they come from 64 replays they are at most 0.25 / 64 = 0.004 of a Brier score from the best.
    """

    kind: str
    rows: int
    scores: dict[str, float | None]
    details: list[dict[str, Any]]
    reference: dict[str, float | None] = field(default_factory=dict)


def grade(answer: Answer, truth: Path, *, threshold: float = 0.5, level: float = LEVEL) -> Grade:
    """Score an answer against a data set's truth.

    Raises `FileFaults` for a truth that cannot be read, and for shoppers, arms or metrics that it does not know or that
    the answer lacks.
    """
    if answer.kind == "lifts":
        return grade_lifts(answer, read_lifts(truth), level)
    columns = ("persona",) if answer.kind == "segments" else ("churned", "churn_p")
    key = read_shoppers(truth, columns)
    order = _in_order(answer, key.shopper)
    if answer.kind == "segments":
        found = np.array(answer.columns["segment"])[order]
        return grade_segments(key.columns["persona"], found)
    of_label = "label" in answer.columns
    given = np.array(answer.columns["label" if of_label else "probability"], np.float64)[order]
    return grade_churn(key.columns["churned"], given, key.columns["churn_p"], threshold=threshold, labels=of_label)


def _in_order(answer: Answer, known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order in which the answer's rows stand as the truth's shoppers do."""
    wrong, told_who = answer.wrong, answer.columns["shopper"]
    who = np.array([-1 if number is None else number for number in told_who], np.int64)
    for place in np.flatnonzero(~np.isin(who, known)):
        if told_who[place] is None:
            continue
        told = f"the truth has {len(known):,} shoppers, {known.min(initial=0)} to {known.max(initial=0)}"
        wrong.add(answer.lines[place], "shopper", f"{who[place]} is not in the data", told, sort="unknown shoppers")
    missing = known[~np.isin(known, who)]
    if len(missing):
        first = ", ".join(map(str, missing[:5].tolist())) + (" …" if len(missing) > 5 else "")
        wrong.add(0, "shopper", f"lacks {len(missing):,} of {len(known):,} shoppers ({first})", "each needs a row",
                  "give those you cannot tell a segment or probability of their own")  # fmt: skip
    wrong.stop()
    return np.argsort(who, kind="stable")


def grade_segments(truth: NDArray[Any], found: NDArray[Any]) -> Grade:
    """Score segments against personas, shopper by shopper; what the segments are called does not matter."""
    personas, row = np.unique(truth, return_inverse=True)
    _, first, column = np.unique(found, return_index=True, return_inverse=True)
    # By who comes first in them, so that the matching of equals does not hang on a name.
    column = np.argsort(np.argsort(first))[column]
    table = np.zeros((len(personas), len(first)), np.int64)
    np.add.at(table, (row, column), 1)
    matched = dict(zip(*(side.tolist() for side in linear_sum_assignment(table, maximize=True)), strict=True))
    names = np.unique(found)[np.argsort(first)]
    details = [_persona(personas, names, table, place, matched.get(place)) for place in range(len(personas))]
    hits = sum(int(table[place, to]) for place, to in matched.items())
    scores: dict[str, float | None] = {
        "ari": score.adjusted_rand(table),
        "ami": score.adjusted_mutual_information(table),
        "matched_accuracy": hits / len(truth),
    }
    return Grade("segments", len(found), scores, details)


def _persona(
    personas: NDArray[Any], names: NDArray[Any], table: NDArray[np.int64], row: int, column: int | None
) -> dict[str, Any]:
    """Return how well a persona was found: by the segment matched to it, if there is one."""
    size, both = int(table[row].sum()), 0 if column is None else int(table[row, column])
    called = 0 if column is None else int(table[:, column].sum())
    return {
        "persona": str(personas[row]),
        "shoppers": size,
        "segment": None if column is None else str(names[column]),
        "precision": both / called if called else None,
        "recall": both / size,
    }


def grade_lifts(answer: Answer, truth: Mapping[tuple[str, str, str], Lift], level: float = LEVEL) -> Grade:
    """Score estimates of lifts, and their intervals where they have any."""
    columns = {"persona": [""] * len(answer.lines)} | answer.columns
    _check_known(answer, columns, truth)
    intervals = "low" in columns
    bounds = zip(columns["low"], columns["high"], strict=True) if intervals else ((None, None) for _ in answer.lines)
    keys = list(zip(columns["arm"], columns["metric"], columns["persona"], strict=True))
    details = [
        _lift(key, truth[key].value, estimate, *ends)
        for key, estimate, ends in zip(keys, columns["estimate"], bounds, strict=True)
    ]
    relative = [abs(row["relative_error"]) for row in details if row["relative_error"] is not None]
    covered = [row["covered"] for row in details if row["covered"] is not None]
    overall = [key for key in truth if key[2] == ""]
    scores: dict[str, float | None] = {
        "answered": sum(key in keys for key in overall) / len(overall),
        "mean_relative_error": math.fsum(relative) / len(relative) if relative else None,
        "sign_right": sum(row["sign_right"] for row in details) / len(details),
        "coverage": sum(covered) / len(covered) if covered else None,
        "coverage_p": float(binomtest(sum(covered), len(covered), level).pvalue) if covered else None,
    }
    return Grade("lifts", len(details), scores, details)


def _check_known(answer: Answer, columns: Mapping[str, list[Any]], truth: Mapping[tuple[str, str, str], Lift]) -> None:
    wrong = answer.wrong
    for place, name in enumerate(("arm", "metric", "persona")):
        known = sorted({key[place] for key in truth})
        for line, value in zip(answer.lines, columns[name], strict=True):
            if value is not None and value not in known:
                allowed = f"the truth knows {', '.join(filter(None, known))}"
                hint = (
                    "control is what the others are compared with" if value == "control" else suggestion(value, known)
                )
                wrong.add(line, name, f"is {value}", allowed, hint)
    wrong.stop()
    for line, *key in zip(answer.lines, columns["arm"], columns["metric"], columns["persona"], strict=True):
        if tuple(key) not in truth:
            wrong.add(line, "persona", f"is {key[2]}", "nobody of this kind is in the data")
    wrong.stop()


def _lift(
    key: tuple[str, str, str], truth: float, estimate: float, low: float | None, high: float | None
) -> dict[str, Any]:
    arm, metric, persona = key
    return {
        "arm": arm,
        "metric": metric,
        "persona": persona or None,
        "truth": truth,
        "estimate": estimate,
        "error": estimate - truth,
        "relative_error": (estimate - truth) / abs(truth) if truth else None,
        "sign_right": bool(np.sign(estimate) == np.sign(truth)),
        "low": low,
        "high": high,
        "covered": None if low is None or high is None else low <= truth <= high,
    }


def grade_churn(
    churned: NDArray[np.bool_],
    given: NDArray[np.float64],
    chance: NDArray[np.float64],
    *,
    threshold: float = 0.5,
    labels: bool = False,
) -> Grade:
    """Score probabilities of staying away, or labels (0 and 1), of which only the calls are graded."""
    scores = _calls(churned, given, threshold)
    reference = _calls(churned, chance, threshold)
    if not labels:
        scores |= _probabilities(churned, given)
        reference |= _probabilities(churned, chance)
    return Grade("churn", len(given), scores, [] if labels else calibration(churned, given), reference)


def _calls(churned: NDArray[np.bool_], given: NDArray[np.float64], threshold: float) -> dict[str, float | None]:
    called = given >= threshold
    hits = int((called & churned).sum())
    return {
        "accuracy": float((called == churned).mean()),
        "precision": hits / int(called.sum()) if called.any() else None,
        "recall": hits / int(churned.sum()) if churned.any() else None,
    }


def _probabilities(churned: NDArray[np.bool_], given: NDArray[np.float64]) -> dict[str, float | None]:
    bins = calibration(churned, given)
    return {
        "roc_auc": score.roc_area(churned, given),
        "pr_auc": score.average_precision(churned, given),
        "brier": score.brier(churned, given),
        "log_loss": score.log_loss(churned, given),
        "calibration_error": math.fsum(abs(b["predicted"] - b["churned"]) * b["shoppers"] for b in bins) / len(given),
    }


def calibration(churned: NDArray[np.bool_], given: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return ten bins of equal width, those that are not empty: shoppers, mean probability, share churned."""
    place = np.minimum((given * BINS).astype(np.int64), BINS - 1)
    return [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "shoppers": int(here.sum()),
            "predicted": float(given[here].mean()),
            "churned": float(churned[here].mean()),
        }
        for number in range(BINS)
        if (here := place == number).any()
    ]
