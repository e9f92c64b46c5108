"""The verdict on a run: passed, failed or invalid, with reasons in plain words and an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from simulator.analysis.words import counted, listed, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.analysis.manifest import Found, Manifest
    from simulator.analysis.thresholds import Result

State = Literal["passed", "failed", "invalid"]
PASSED, FAILED, INVALID, INTERRUPTED = 0, 1, 3, 130
"""Exit codes. 2 (a faulty file) and 4 (an unreachable target) come before there is a run to judge."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run comes to. `headline` is one sentence; each reason is another; none when everything held."""

    state: State
    exit_code: int
    headline: str
    reasons: tuple[str, ...]
    results: tuple[Result, ...]


def decide(manifest: Manifest, results: Sequence[Result]) -> Verdict:
    """Return the verdict.

    Interrupted comes first (130), then a generator that fell short (3), then thresholds (1 or 0): figures that
    cannot be trusted are neither good nor bad. Reasons name everything that is wrong, whatever decided.
    """
    hazards = found_hazards(manifest)
    broken = (*(result.text for result in results if result.broken), *hazards)
    judged = sum(result.state != "not_judged" for result in results)
    unfit = unfit_for_judgement(manifest)
    if manifest.interrupted:
        first = "The run was interrupted; the figures cover what was measured until then"
        return Verdict("invalid", INTERRUPTED, f"{first}.", (*unfit, *broken), tuple(results))
    if unfit:
        headline = "The load generator fell short, so the figures cannot be trusted."
        return Verdict("invalid", INVALID, headline, (*unfit, *broken), tuple(results))
    if manifest.aborted is not None:
        first = f"The run was ended after {seconds(manifest.aborted.at_s)}: {manifest.aborted.threshold} did not hold."
        reasons = dict.fromkeys((manifest.aborted.text, *broken))
        return Verdict("failed", FAILED, first, tuple(reasons), tuple(results))
    if broken:
        headline = _went_wrong(len(broken) - len(hazards), judged, len(hazards))
        return Verdict("failed", FAILED, headline, broken, tuple(results))
    return Verdict("passed", PASSED, _held(judged, len(results)), (), tuple(results))


def found_hazards(manifest: Manifest) -> tuple[str, ...]:
    """Return a sentence for each hazard of personalization that a live run's probes found."""
    blamed = manifest.probes.blamed if manifest.probes is not None else []
    return tuple(_found(one) for one in blamed)


def _found(one: Found) -> str:
    times = f"{one.violated:,} of {counted(one.checked, 'check')} violated" if one.violated else one.why
    where = f", in {listed(one.operations)}" if one.operations else ""
    return f"{one.code} {one.name}: {times}{where}; due is that {one.says}"


def unfit_for_judgement(manifest: Manifest) -> tuple[str, ...]:
    """Return the reasons why the load generator's figures cannot be trusted; none when they can."""
    if manifest.generator is not None:
        return tuple(manifest.generator.saturated)
    if manifest.world == "live":
        return ("the manifest does not say how the load generator fared",)
    return ()


def unfit_for_comparison(manifest: Manifest) -> tuple[str, ...]:
    """Return the reasons why a run says nothing about other runs; a broken threshold is none."""
    early = ("it was interrupted",) if manifest.interrupted else ()
    ended = (f"it was ended early by {manifest.aborted.threshold}",) if manifest.aborted is not None else ()
    return (*early, *ended, *unfit_for_judgement(manifest))


def _went_wrong(broken: int, total: int, hazards: int) -> str:
    parts = [_broke(broken, total)] if broken else []
    if hazards:
        parts.append(f"Personalization went wrong in {counted(hazards, 'way')}.")
    return " ".join(parts)


def _broke(broken: int, total: int) -> str:
    if total == 1:
        return "The only threshold did not hold."
    return f"{broken:,} of {counted(total, 'threshold')} did not hold."


def _held(judged: int, total: int) -> str:
    if total == 0:
        return "Nothing was judged: the scenario sets no thresholds."
    if judged == 0:
        return "Nothing was judged: every threshold needs a live run."
    if judged < total:
        return f"{judged:,} of {counted(total, 'threshold')} could be judged without a live run, and held."
    return "The only threshold held." if total == 1 else f"All {total:,} thresholds held."
