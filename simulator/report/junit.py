"""junit.xml: a case for each threshold with its figure, one for the load generator, one for the end of the run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

if TYPE_CHECKING:
    from simulator.analysis.manifest import Manifest
    from simulator.analysis.thresholds import Result
    from simulator.analysis.verdict import Verdict

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(manifest: Manifest, verdict: Verdict) -> str:
    """Return the verdict as JUnit XML; it holds no clock, so that the same run gives the same text."""
    suite = TestSuite(_clean(f"footfall {manifest.name}"))
    for key, value in (("verdict", verdict.state), ("world", manifest.world), ("seed", str(manifest.seed))):
        suite.add_property(key, value)
    suite.add_property("digest", _clean(manifest.digest))
    for result in verdict.results:
        suite.add_testcase(_threshold(result))
    suite.add_testcase(_generator(manifest))
    suite.add_testcase(_end(manifest))
    xml = JUnitXml("footfall")
    xml.add_testsuite(suite)
    text: str = xml.tostring().decode("utf-8")  # type: ignore[no-untyped-call] # junitparser's
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _threshold(result: Result) -> TestCase:
    case = TestCase(_clean(result.threshold.text), classname="thresholds")
    if result.state == "not_measured":
        case.result = [Error(_clean(result.text), result.state)]
    elif result.state == "not_judged":
        case.result = [Skipped(_clean(result.text))]
    elif not result.ok:
        case.result = [Failure(_clean(result.text), result.state)]
    else:
        case.system_out = _clean(result.text)
    return case


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
    return case


def _clean(words: str) -> str:
    """Return words without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", words)
