"""The run card: what was run, in terms and facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.analysis.words import listed
from simulator.report.basis import WORLDS

if TYPE_CHECKING:
    from simulator.analysis.findings import Findings
    from simulator.analysis.manifest import Manifest


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Return the card's (term, fact) pairs; what the scenario does not say is left out."""
    manifest, run = findings.run.manifest, findings.run
    scenario = manifest.scenario
    tables = {"shoppers": run.shoppers, "visits": run.visits, "events": run.events, "requests": run.requests}
    rows = [f"{len(frame):,} {name}" for name, frame in tables.items() if frame is not None]
    versions = {"footfall": manifest.footfall, **manifest.versions}
    found = [
        ("Scenario", manifest.name),
        ("About", str(scenario.get("describe") or "")),
        ("World", WORLDS[manifest.world]),
        ("Population", str(scenario.get("population") or "")),
        *_timing(manifest, scenario),
        ("Arms", ", ".join(manifest.arms)),
        ("Seed", str(manifest.seed)),
        ("Digest", manifest.digest),
        ("Times count from", manifest.reference),
        ("Versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("Tables", listed(rows)),
    ]
    return [(term, fact) for term, fact in found if fact]


def _timing(manifest: Manifest, scenario: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what only a run with an open plan has: target, duration, arrivals."""
    if manifest.world == "crowd":
        return []
    target = [scenario.get("target"), manifest.host or scenario.get("host")] if manifest.world == "live" else []
    duration = str(scenario.get("duration") or "")
    plan = scenario.get("arrivals")
    parts = (
        [*(plan.get(key) for key in ("kind", "from", "rate", "peak", "at", "zone", "file")), *_rest(plan)]
        if isinstance(plan, dict)
        else [plan]
    )
    return [
        ("Target", ", ".join(str(part) for part in target if part)),
        ("Duration", f"{duration} planned, interrupted" if manifest.interrupted else duration),
        ("Arrivals", ", ".join(str(part) for part in parts if part)),
        ("Safety", _safety(manifest)),
        ("Warm-up", f"{manifest.warmup_s:g} s" if manifest.warmup_s else ""),
        ("Returning", _returning(scenario)),
        ("Pace", f"{manifest.pace:g} times as fast as life" if manifest.pace != 1 else ""),
    ]


def _safety(manifest: Manifest) -> str:
    """Return what was done for safety and what was left out: certificates, the ceiling and whom it held back."""
    allowed = manifest.permission
    if allowed is None:
        return ""
    held = manifest.generator.held if manifest.generator else 0
    encrypted = (manifest.host or "").startswith("https:")
    parts = [
        "TLS certificates were not verified (--insecure)" if not allowed.verify else "",
        "TLS certificates verified" if allowed.verify and encrypted else "",
        f"at most {allowed.max_rate_per_s:g} visits a second" if allowed.max_rate_per_s else "",
        f"{held:,} visits were held back by that" if held else "",
    ]
    return ", ".join(part for part in parts if part)


def _rest(plan: dict[str, Any]) -> list[str]:
    """Return what is said of arrivals beside their rates: their spacing, or how many shoppers are there at once."""
    if plan.get("kind") == "closed":
        return [f"{plan.get('shoppers')} shoppers at once"]
    return [] if plan.get("kind") == "replay" else [str(plan.get("spacing") or "")]


def _returning(scenario: dict[str, Any]) -> str:
    returning = scenario.get("returning")
    share = returning.get("share") if isinstance(returning, dict) else None
    return f"{share:.0%} of visits" if isinstance(share, int | float) else ""
