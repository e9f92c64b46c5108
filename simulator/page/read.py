"""Pages from files: our recordings and HARs, told apart by what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from simulator.model.faults import one_fault
from simulator.page.graph import PageGraph, graph_of
from simulator.page.har import read_har
from simulator.page.recording import Load, read_recording

if TYPE_CHECKING:
    from pathlib import Path

Tier = Literal["T1", "T2", "T3"]
TIERS: dict[Tier, str] = {
    "T1": "a HAR that does not say who asked for what",
    "T2": "a HAR of Chrome, with initiators and priorities",
    "T3": "a recording, with the main thread's work and what was seen",
}
REFERENCE_BENCHMARK = 1_750.0
"""Lighthouse's benchmark index of a high-end desktop, 1,500 to 2,000 (docs/throttling.md): `cpu_slowdown` 1."""
MOST_BYTES = 200_000_000
"""A HAR with bodies may be large; above this it is no page load."""


@dataclass(frozen=True)
class PageSource:
    """A page as it was read: `graphs` are its loads, `speed` is the machine's, a fast desktop's being 1."""

    url: str
    browser: str
    tier: Tier
    loads: tuple[Load, ...]
    graphs: tuple[PageGraph, ...]
    speed: float = 1.0
    warnings: list[str] = field(default_factory=list)


def read_page(path: Path) -> PageSource:
    """Return the page of a recording or a HAR. Raises `FileFaults` with everything that is wrong."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise one_fault(
                str(path), "is too large", f"at most {MOST_BYTES / 1e6:.0f} MB", "export it without content"
            )
        data = path.read_bytes()
    except OSError as error:
        raise one_fault(
            str(path), f"cannot be read: {error.strerror}", hint="footfall page record URL makes one"
        ) from None
    if b'"footfall_page"' in data[:100_000] or b'"footfall_page"' in data[-200:]:
        return _recorded(path, data)
    har = read_har(path, data.removeprefix(b"\xef\xbb\xbf"))
    return PageSource(
        har.url, har.browser, har.tier, (har.load,), (graph_of(har.load, har.rtt_ms),), warnings=har.warnings
    )


def _recorded(path: Path, data: bytes) -> PageSource:
    made = read_recording(path, data)
    warnings = []
    if made.benchmark is None:
        warnings.append("it does not say how fast its machine was; a fast desktop is assumed")
    if len(made.loads) < 3:
        warnings.append(f"it holds {len(made.loads)} loads; three or more even out what varies from load to load")
    speed = made.benchmark / REFERENCE_BENCHMARK if made.benchmark else 1.0
    graphs = tuple(graph_of(load, made.rtt_ms) for load in made.loads)
    return PageSource(made.url, made.browser, "T3", tuple(made.loads), graphs, speed, warnings)
