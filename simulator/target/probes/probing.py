"""All probes of a run in one process: what they see, what they want asked, and what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.target.probes.all_probes import PROBES
from simulator.target.probes.blame import blame
from simulator.target.probes.findings import find
from simulator.target.probes.probe import Ground, Probe, add_state, as_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulator.target.probes.findings import Finding
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import Script
    from simulator.target.request import Target


class Probing:
    """The probes of a target."""

    def __init__(self, target: Target) -> None:
        self.target = target
        ground = Ground(target, target.file.promises)
        self.probes: tuple[Probe, ...] = tuple(kind(ground) for kind in PROBES)
        # Half of them only ask; to call them for each answer of a load is what looking at it would mostly cost.
        self._looking = [probe.see for probe in self.probes if type(probe).see is not Probe.see]

    def see(self, seen: Seen) -> None:
        """Show an answer to every probe, in their order: the first ones say whether it is the shopper's own."""
        for see in self._looking:
            see(seen)

    def scripts(self) -> list[Script]:
        """Return what the probes want asked beside the load; what several want under one name is asked once."""
        named: dict[str, Script] = {}
        for script in (script for probe in self.probes for script in probe.scripts()):
            named.setdefault(script.name, script)
        return list(named.values())

    def findings(self) -> list[Finding]:
        """Return the finding of every hazard, of what was counted, with whom to blame."""
        return blame(find(self.target, self.probes))

    def state(self) -> list[dict[str, Any]]:
        """Return what was counted, as JSON."""
        return [{"code": probe.code, **as_state(probe)} for probe in self.probes]


def together(target: Target, states: Iterable[Sequence[Mapping[str, Any]]]) -> Probing:
    """Return the probes with what all processes counted."""
    whole = Probing(target)
    by_code = {probe.code: probe for probe in whole.probes}
    for state in states:
        for one in state:
            add_state(by_code[one["code"]], one)
    return whole


def findings(target: Target, states: Iterable[Sequence[Mapping[str, Any]]]) -> list[Finding]:
    """Return the finding of every hazard, of what all processes counted."""
    return together(target, states).findings()
