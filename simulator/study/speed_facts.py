"""The run card of a speed report: what was run, on what networks and phones, and how time was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.words import counted, listed
from simulator.model.devices import device_table
from simulator.model.networks import network_table
from simulator.model.schema import TIERS

if TYPE_CHECKING:
    from simulator.analysis.runs import Run
    from simulator.study.speed_findings import Arms

CLOCKS = (
    "wall time from the first tap to leaving; engaged time is that without waiting; GA-compatible time from first to "
    "last hit, a bounce counting 0; a wait ends after 30 min"
)
SEMANTICS = {
    "crowd": "modelled: round trips, slow start, bandwidth and loss in closed form",
    "capacity": "modelled: round trips, slow start, bandwidth and loss in closed form, over a queueing backend",
    "live": "calls really made; images, scripts and rendering modelled",
}


def facts(run: Run, arms: Arms | None) -> tuple[tuple[str, str], ...]:
    """Return (term, fact) pairs; what is not known is left out."""
    manifest = run.manifest
    scenario = manifest.scenario
    reaction = manifest.behaviour
    shaped = manifest.world == "live" and scenario.get("network") == "shaped"
    found = [
        ("Scenario", manifest.name),
        ("Seed", str(manifest.seed)),
        ("Digest", manifest.digest),
        ("Version", f"footfall {manifest.footfall}"),
        ("Population", f"{scenario.get('population') or ''}: {listed(_personas(run))}"),
        ("Behaviour", f"preset {reaction.name} ({reaction.kind})" if reaction is not None else ""),
        ("Observed", f"{counted(len(run.visits), 'visit')} by {counted(len(run.shoppers), 'shopper')}"),
        ("Experiment", " ".join(arms.notes) if arms is not None else "none: no arms"),
        ("Networks", _networks(run)),
        ("Network semantics", "shaped connections, really slow" if shaped else SEMANTICS[manifest.world]),
        ("Devices", _devices()),
        ("Clocks", CLOCKS),
        ("Duration", str(scenario.get("duration") or "") if manifest.world != "crowd" else _days(scenario)),
        ("Target", manifest.host or ""),
    ]
    return tuple((term, fact) for term, fact in found if fact)


def _personas(run: Run) -> list[str]:
    counts = run.visits.labels("persona").counts()
    return sorted(counts, key=lambda name: (-counts[name], name))


def _days(scenario: dict[str, object]) -> str:
    horizon = scenario.get("horizon")
    return f"visits over {horizon / 86_400:g} days" if isinstance(horizon, int | float) else ""


def _networks(run: Run) -> str:
    """Return the median round trip and downlink of each technology that was met."""
    met = run.visits.labels("network").counts()
    told = []
    for name, one in network_table().technologies.items():
        if name in met:
            rtt, down = (law.quantile(0.5) for law in (one.rtt_ms, one.down_kbps))
            told.append(f"{name} {rtt:.0f} ms, {down / 1e3:.1f} Mbit/s")
    return "; ".join(told) + " (medians)" if told else ""


def _devices() -> str:
    """Return how much slower than a fast desktop the phones of each tier compute."""
    told = []
    for tier in TIERS:
        slow = [device.cpu_slowdown for device in device_table().devices if device.tier == tier]
        told.append(f"{tier} {min(slow):g} to {max(slow):g}")
    return f"times slower than a fast desktop: {'; '.join(told)}"
