"""junit.xml: a case for each threshold, page and probe with its figures, one for the generator, one for the end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Properties, Property, Skipped, TestCase, TestSuite

from simulator.analysis.metrics import METRICS, sample
from simulator.analysis.words import with_interval

if TYPE_CHECKING:
    from simulator.analysis.findings import Findings
    from simulator.analysis.loadtime import Cell
    from simulator.analysis.manifest import Found, Manifest
    from simulator.analysis.runs import Run
    from simulator.analysis.thresholds import Result
    from simulator.analysis.verdict import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(findings: Findings, verdict: Verdict) -> str:
    """Return the verdict as JUnit XML; it holds no clock, so that the same run gives the same text."""
    manifest = findings.run.manifest
    suite = TestSuite(_clean(f"footfall {manifest.name}"))
    for key, value in (("verdict", verdict.state), ("world", manifest.world), ("seed", str(manifest.seed))):
        suite.add_property(key, value)
    suite.add_property("digest", _clean(manifest.digest))
    cases = [
        *(_threshold(result) for result in verdict.results),
        *(_page(findings.run, cell) for cell in findings.load_by["page"]),
        *(_probe(found) for found in (manifest.probes.findings if manifest.probes else [])),
        _generator(manifest),
        _end(manifest),
    ]
    for case in cases:
        suite.add_testcase(case)
    xml = JUnitXml("footfall")
    xml.add_testsuite(suite)
    text: str = xml.tostring().decode("utf-8")  # type: ignore[no-untyped-call] # junitparser's
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _threshold(result: Result) -> TestCase:
    estimate, limit = result.estimate, result.threshold.limit
    case = TestCase(_clean(result.threshold.text), classname="thresholds")
    _tell(case, value=estimate.value, n=estimate.n, low=estimate.low, high=estimate.high, limit=limit)
    if result.state == "not_measured":
        case.result = [Error(_clean(result.text), result.state)]
    elif result.state == "not_judged":
        case.result = [Skipped(_clean(result.text))]
    elif not result.ok:
        case.result = [Failure(_clean(result.text), result.state)]
    else:
        case.system_out = _clean(result.text)
    return case


def _page(run: Run, cell: Cell) -> TestCase:
    """Return a page's case: it fails when the page never came without an error; its time is the p75 of load time."""
    errors = sample(run, METRICS["page_errors"], cell.where).share()
    p75, p95 = cell.quantiles["p75"], cell.quantiles["p95"]
    case = TestCase(cell.where["page"], classname="pages", time=p75.value)
    _tell(case, load_time_p75_s=p75.value, load_time_p95_s=p95.value, errors=errors.value, n=cell.n)
    told = f"load time p75 {with_interval(p75, 'time')}, p95 {with_interval(p95, 'time')}; "
    text = _clean(f"{told}errors {with_interval(errors, 'share')}; {cell.unseen:,} left before they saw it")
    if errors.value == 1:
        case.result = [Failure(text, "never came")]
    else:
        case.system_out = text
    return case


def _probe(found: Found) -> TestCase:
    """Return a hazard's case: it fails where the hazard was found, and is skipped where nothing can be said of it."""
    case = TestCase(f"{found.code} {found.name}", classname="probes")
    among, alone = found.among, found.alone
    _tell(
        case,
        checked=among.checked,
        violated=among.violated,
        visits=among.visits,
        visits_violated=among.visits_violated,
        low=among.low,
        high=among.high,
        checked_alone=alone.checked,
        violated_alone=alone.violated,
    )
    if found.blamed:
        shown = [
            f"{one.says}\n{one.first}\n{one.second}\n{'; '.join(map(_differing, one.differs))}" for one in found.samples
        ]
        failure = Failure(_clean(_found_text(found)), "violated")
        failure.text = _clean("\n\n".join(shown))
        case.result = [failure]
    elif found.state == "not observable":
        case.result = [Skipped(_clean("; ".join(found.missing) or found.why))]
    else:
        why = f"explained by {found.explained_by}" if found.explained_by else found.why
        case.system_out = _clean(f"{found.says}: {found.state}. {why}")
    return case


def _differing(part: tuple[str, object, object]) -> str:
    what, one, other = part
    return f"{what}: {one!r} against {other!r}"


def _found_text(found: Found) -> str:
    return f"{found.says}: violated {found.violated:,} times{f', {found.why}' if found.why else ''}"


def _generator(manifest: Manifest) -> TestCase:
    case = TestCase("the load generator kept up", classname="generator")
    if manifest.world != "live":
        case.result = [Skipped(f"the {manifest.world} world needs no load generator")]
    elif manifest.generator is None:
        case.result = [Error("the manifest does not say how the load generator fared", "invalid")]
    elif manifest.generator.saturated:
        case.result = [Failure(_clean("; ".join(manifest.generator.saturated)), "invalid")]
    return case


def _end(manifest: Manifest) -> TestCase:
    case = TestCase("the run ran to its end", classname="run")
    if manifest.interrupted:
        case.result = [
            Failure("the run was interrupted; the figures cover what was measured until then", "interrupted")
        ]
    elif manifest.aborted is not None:
        case.result = [Failure(_clean(manifest.aborted.text), "aborted")]
    return case


def _tell(case: TestCase, **figures: float | None) -> None:
    """Add figures to a case as properties, in the metric's own unit; they must be the first of what is in a case."""
    properties = Properties()  # type: ignore[no-untyped-call] # junitparser's
    for name, value in figures.items():
        if value is not None:
            properties.add_property(Property(name, f"{value:.9g}"))
    case.append(properties)  # type: ignore[no-untyped-call] # same


def _clean(words: str) -> str:
    """Return words without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", words)
