"""What a reader of a run's figures must know: an observed curve, certificates, closed arrivals, a warm-up, a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.analysis.words import counted, seconds
from simulator.model.behaviour import BANNER

if TYPE_CHECKING:
    from simulator.analysis.manifest import Cap, Manifest

CLOSED = (
    "Closed model: each next visit began when one had ended, so a slow target was asked less often, and the waiting"
    " that arrivals of their own would have met is hidden. Latency and rates are those of this loop."
)
"""The coordinated omission of closed loops (Tene 2013; Schroeder, Wierman and Harchol-Balter, NSDI 2006)."""

UNVERIFIED = "TLS certificates were not looked at (--insecure): nothing shows that the named host answered."


def caveats(manifest: Manifest) -> list[str]:
    """Return one sentence or two for each thing to know; none for an open run of nothing but its plan."""
    found = [UNVERIFIED] if manifest.permission and not manifest.permission.verify else []
    found += [CLOSED] if manifest.closed else []
    if manifest.behaviour is not None and manifest.behaviour.kind == "observational":
        found.insert(0, BANNER.format(name=manifest.behaviour.name))
    generator = manifest.generator
    if manifest.warmup_s and generator is not None:
        began = counted(generator.warmup_visits, "visit")
        found.append(
            f"The first {seconds(manifest.warmup_s)} were warm-up, in which {began} began; no figure counts what was"
            " begun, tapped or due in it."
        )
    if generator is not None and generator.cap is not None:
        found.append(_cost(generator.cap))
    return [*found, *(generator.notes if generator is not None else [])]


def _cost(cap: Cap) -> str:
    limit = f"At most {counted(cap.max_open_visits, 'visit')} were let in at once"
    if not cap.delayed and not cap.dropped:
        return f"{limit}, which kept nobody waiting."
    late = f"{counted(cap.delayed, 'visit')} started late for want of room"
    if cap.delayed:
        late += f" (p50 {seconds(cap.waited_s.get('p50'))}, at most {seconds(cap.waited_s.get('max'))})"
    never = f" and {cap.dropped:,} never" if cap.dropped else ""
    return (
        f"{limit}: {late}{never}; for {seconds(cap.full_s)} there was no room. Their wait is in the latency from due."
    )
