"""GitHub's annotations: a line for each reason why a job failed, shown on the run and beside the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.analysis.comparison import Change
    from simulator.analysis.verdict import Verdict

MOST = 10
"""GitHub shows so many errors, and as many warnings, of one step."""


def of_verdict(verdict: Verdict) -> list[str]:
    """Return the workflow commands of a verdict: errors for what decided it, warnings for close calls."""
    title = f"Footfall: {verdict.state}"
    broken = [
        command("error", title, reason) for reason in verdict.reasons or ((verdict.headline,) * (not _ok(verdict)))
    ]
    close = [
        command("warning", "Footfall: close call", f"{result.text}; its interval contains the limit")
        for result in verdict.results
        if result.ok and result.close
    ]
    passed = [] if not _ok(verdict) else [command("notice", title, verdict.headline)]
    return [*_most(broken, "error", title), *_most(close, "warning", title), *passed]


def of_changes(changes: Iterable[tuple[Change, str]], against: str) -> list[str]:
    """Return the workflow commands of a comparison: an error for each figure that is worse, given with its sentence.

    A change that is unproven for want of runs is a warning.
    """
    known = list(changes)
    worse, unproven = f"Footfall: worse than {against}", f"Footfall: other than {against}"
    errors = [command("error", worse, text) for change, text in known if change.outcome == "worse"]
    warnings = [command("warning", unproven, text) for change, text in known if change.outcome == "unproven"]
    return [*_most(errors, "error", worse), *_most(warnings, "warning", unproven)]


def command(kind: str, title: str, message: str) -> str:
    """Return one workflow command, escaped as GitHub's runner reads it back."""
    return f"::{kind} title={_property(title)}::{_data(message)}"


def _most(lines: list[str], kind: str, title: str) -> list[str]:
    if len(lines) <= MOST:
        return lines
    rest = command(kind, title, f"and {len(lines) - MOST + 1:,} more; see the step summary")
    return [*lines[: MOST - 1], rest]


def _ok(verdict: Verdict) -> bool:
    return verdict.exit_code == 0


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")
