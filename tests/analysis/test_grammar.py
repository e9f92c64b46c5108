"""The grammar of thresholds: what is written is what is judged, and nothing misspelt passes."""

from __future__ import annotations

import pytest

from simulator.analysis.grammar import parse_figures
from simulator.analysis.metrics import METRICS
from simulator.analysis.thresholds import ThresholdError, parse_thresholds

GOOD = [
    ("p95 of load_time{page:product, network:lte} < 2.5s", "load_time", "p95", "<", 2.5),
    ("mean of engaged_time > 20s", "engaged_time", "mean", ">", 20.0),
    ("errors < 1%", "errors", None, "<", 0.01),
    ("bounce{persona:commuter_browser} < 55%", "bounce", None, "<", 0.55),
    ("conversion > 0.5%", "conversion", None, ">", 0.005),
    ("pages > 2", "pages", "mean", ">", 2.0),
    ("p99 of latency < 800ms", "latency", "p99", "<", 0.8),
    ("p99 of service_time{page:home} < 500ms", "service_time", "p99", "<", 0.5),
    ("p99 of start_lag < 10ms", "start_lag", "p99", "<", 0.01),
    ("dropped <= 0", "dropped", None, "<=", 0.0),
    ("p99.9 of latency{operation:recommend} < 2min", "latency", "p99.9", "<", 120.0),
    ("median of wall_time >= 0.5min", "wall_time", "p50", ">=", 30.0),
    ("  max   of latency{ page : home }<9s ", "latency", "max", "<", 9.0),
    ("min of ga_time >= 0", "ga_time", "min", ">=", 0.0),
    ("left_impatient{tier:low} < 0.08", "left_impatient", None, "<", 0.08),
    ("p95 of load_time < 2.5 s", "load_time", "p95", "<", 2.5),
    ("errors<1% for 10s with 200 values abort", "errors", None, "<", 0.01),
    ("errors < 1% with 1 value", "errors", None, "<", 0.01),
    ("p99 of latency{operation:recommend} < 1s for 1min", "latency", "p99", "<", 1.0),
    ("engaged_time vs baseline > -2%", "engaged_time", "mean", ">", -0.02),
    ("p95 of load_time{page:home} vs baseline:main <= +5%", "load_time", "p95", "<=", 0.05),
    ("bounce{persona:commuter_browser} vs baseline < 1pp", "bounce", None, "<", 0.01),
    ("pages{arm:faster} vs control >= 0", "pages", "mean", ">=", 0.0),
    ("engaged_time{arm:control, os:ios, country:DE, situation:commute} > 1s", "engaged_time", "mean", ">", 1.0),
]

BAD = [
    ("load_tme < 2s", "load_tme is not a metric", "allowed are bounce", "did you mean load_time?"),
    ("p95 of load_time{pge:product} < 2s", "pge is not a label of load_time", "page", "did you mean page?"),
    ("p95 of load_time{page:prodct} < 2s", "prodct is not a page", "home, search", "did you mean product?"),
    ("p95 of load_time{network:4g} < 2s", "4g is not a network", "wifi, 5g, lte, hspa", ""),
    ("bounce{operation:home} < 2%", "operation is not a label of bounce", "persona", ""),
    ("bounce{os:symbian} < 2%", "symbian is not an os", "android, ios", ""),
    ("bounce{country:DEU} < 2%", "DEU is not a country", "DE", ""),
    ("bounce{persona:nobody} < 2%", "nobody is not a persona", "tourist", ""),
    ("dropped{page:home} < 2", "page is not a label of dropped", "no labels", ""),
    ("p95 of load_time < 2", "2 is no limit for load_time", "with its unit", ""),
    ("p95 of load_time < 2 parsecs", "2 parsecs is no limit", "with its unit", ""),
    ("p95 of load_time < -2s", "-2s is no limit", "not be negative", ""),
    ("errors < 1s", "1s is no limit for errors", "a share, as 1% or 0.01", ""),
    ("errors < 120%", "120% is no limit", "0 to 1", ""),
    ("errors < 3", "3 is no limit", "0 to 1", ""),
    ("pages > 2%", "2% is no limit for pages", "without a unit", ""),
    ("pages > two", "two is no limit for pages", "without a unit", ""),
    ("errors < 1% abort", "abort without a window", "`for 10s abort`", "add `for 10s`"),
    ("errors < 1% abort for 10s", "column 19: `for` where the end was expected", "value", ""),
    ("errors < 1% for 10s abort now", "column 27: `now` where the end was expected", "value", ""),
    ("errors < 1% fr 10s", "column 13: `fr` where for or with or abort", "value", ""),
    ("errors < 1% for ages", "for ages", "with its unit", ""),
    ("errors < 1% for 500ms", "for 500ms", "whole number of seconds from 1s to 1h", ""),
    ("bounce < 50% for 10s", "bounce has no windows", "latency, service_time, errors", ""),
    ("errors < 1% with 2.5 values", "with 2.5 values", "whole number above 0", ""),
    ("errors < 1% with 0 values", "with 0 values", "whole number above 0", ""),
    ("engaged_time vs basline > -2%", "basline is nothing to compare with", "baseline, control", "baseline?"),
    ("engaged_time vs baseline > -2s", "-2s is no limit", "a change in percent", ""),
    ("engaged_time vs baseline > -2pp", "-2pp is no limit", "a change in percent", ""),
    ("bounce vs baseline < 2s", "2s is no limit", "percentage points, as 1pp", ""),
    ("dropped vs baseline < 2%", "dropped vs baseline", "judged by itself", ""),
    ("max of pages vs baseline < 2%", "max vs baseline", "extremes have no interval", "p99 of pages"),
    ("pages vs control > -2%", "compared with itself", "an arm", "pages{arm:NAME}"),
    ("pages{arm:faster} vs control:x > -2%", "control:x", "no name", ""),
    ("errors vs baseline < 2% for 10s", "for 10s with vs baseline", "of whole runs", ""),
    ("p95 of errors < 1%", "p95 of errors", "stands alone", "leave it out"),
    ("mean of dropped < 1", "mean of dropped", "stands alone", "leave it out"),
    ("load_time < 2s", "load_time has no aggregate", "p1 to p99.9", "p95 of load_time"),
    ("p0 of load_time < 2s", "p0 is not an aggregate", "p1 to p99.9", ""),
    ("p100 of load_time < 2s", "p100 is not an aggregate", "p1 to p99.9", ""),
    ("avg of pages > 2", "avg is not an aggregate", "mean", "did you mean mean?"),
    ("p95 load_time < 2s", "does not read as a threshold", "aggregate of", "write the aggregate as `p95 of load_time`"),
    ("p(95) of load_time < 2s", "does not read as a threshold", "aggregate of", ""),
    ("errors = 1%", "does not read as a threshold", "value", "operators are <, <=, >, >="),
    ("errors", "does not read as a threshold", "value", "it has no operator"),
    ("errors{page:home < 1%", "does not read as a threshold", "value", "a brace is not closed"),
    ("errors{page=home} < 1%", "column 12: `=home}` where : was expected", "label:value", "write label:value"),
    ("errors{} < 1%", "column 8: `}` where a name was expected", "label:value", ""),
    ("errors{page:home, page:cart} < 1%", "label page stands twice", "once", ""),
    ("", "does not read as a threshold", "value", ""),
]


@pytest.mark.parametrize(("text", "metric", "aggregate", "operator", "limit"), GOOD, ids=[row[0] for row in GOOD])
def test_good_thresholds_mean_what_they_say(text, metric, aggregate, operator, limit):
    """A well-formed threshold gives its metric, aggregate, operator and limit in the metric's own unit."""
    (found,) = parse_thresholds([text])
    assert (found.metric, found.figure.aggregate, found.operator) == (METRICS[metric], aggregate, operator)
    assert found.limit == pytest.approx(limit)


@pytest.mark.parametrize(("text", "found", "allowed", "hint"), BAD, ids=[row[0] or "empty" for row in BAD])
def test_bad_thresholds_say_what_is_allowed(text, found, allowed, hint):
    """A faulty threshold is an error with what was found, what is allowed and, where there is one, a hint."""
    with pytest.raises(ThresholdError) as error:
        parse_thresholds([text], {"persona": ["tourist", "loyal_member"]})
    ((index, was, can, advice),) = error.value.problems
    assert index == 0
    assert found in was
    assert allowed in can
    assert hint in advice


@pytest.mark.parametrize("text", [row[0] for row in GOOD])
def test_the_one_spelling_reads_back(text):
    """The text of a threshold is itself a threshold that means the same."""
    (found,) = parse_thresholds([text])
    assert parse_thresholds([found.text]) == [found]


def test_all_problems_come_at_once_with_their_places():
    """Three faults in two of three thresholds are three problems with the thresholds' positions."""
    texts = ["bounce < 50%", "p95 of load_time{page:hom, netwrk:lte} < 2s", "erors < 1%"]
    with pytest.raises(ThresholdError) as error:
        parse_thresholds(texts)
    assert [index for index, *_ in error.value.problems] == [1, 1, 2]
    assert "thresholds[2]: erors is not a metric" in str(error.value)


def test_names_only_the_caller_knows_are_left_to_the_run():
    """Without a list of personas, any persona parses: a run that lacks it fails the threshold later."""
    (found,) = parse_thresholds(["bounce{persona:my_own} < 50%"])
    assert found.figure.where == (("persona", "my_own"),)


def test_control_is_always_an_arm():
    """`arm:control` needs no list of arms."""
    assert parse_thresholds(["bounce{arm:control} < 50%"], {"arm": ["faster"]})


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [("<", True, False, False), ("<=", True, True, False), (">", False, False, True), (">=", False, True, True)],
)
def test_operators_hold_as_written(operator, below, equal, above):
    """Each operator says of values below, at and above the limit what it says in arithmetic."""
    (threshold,) = parse_thresholds([f"pages {operator} 2"])
    assert [threshold.holds(value) for value in (1.9, 2.0, 2.1)] == [below, equal, above]


def test_windows_samples_and_abort_are_read():
    """`for`, `with … values` and `abort` come in this order, each as it was meant."""
    (found,) = parse_thresholds(["errors < 1% for 10s with 200 values abort"])
    assert (found.window_s, found.min_samples, found.abort, found.versus) == (10.0, 200, True, None)
    (plain,) = parse_thresholds(["errors < 1%"])
    assert (plain.window_s, plain.min_samples, plain.abort) == (None, None, False)


def test_references_are_read():
    """`vs baseline`, `vs baseline:name` and `vs control` say with what, and `pp` that points count."""
    texts = ["pages vs baseline > -2%", "bounce vs baseline:main < 1pp", "pages{arm:faster} vs control > -2%"]
    found = [one.versus for one in parse_thresholds(texts)]
    assert [(one.reference, one.name, one.points) for one in found] == [
        ("baseline", "", False),
        ("baseline", "main", True),
        ("control", "", False),
    ]
    assert [one.kind for one in parse_thresholds(texts)] == ["change", "points", "change"]


def test_figures_are_thresholds_without_a_limit():
    """A figure of a comparison is written as in a threshold; what follows it is refused."""
    (found,) = parse_figures(["p95 of load_time{page:product}"])
    assert (found.q, found.where, str(found)) == (0.95, (("page", "product"),), "p95 of load_time{page:product}")
    with pytest.raises(ThresholdError, match="does not read as a figure"):
        parse_figures(["bounce < 2%"])
