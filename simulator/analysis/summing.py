"""From what was counted to what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.analysis.description import Cell, PersonaData, Step, Thinking
from simulator.analysis.tallies import FIRST_SECONDS, FUNNEL, EventTally, VisitTally, pair
from simulator.journey.records import CAUSES
from simulator.model.schema import TECHNOLOGIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from simulator.analysis.theory import Theory

STEPS = ("visits", "saw a product", "put something into the cart", "reached checkout", "reached payment", "ordered")
SHARES = (0.1, 0.5, 0.9, 0.99)
NAMES = ("p10", "p50", "p90", "p99")
US = 1e6
SPACING = ((3 * 60, 1, "minute"), (3 * 1_440, 60, "hour"))
"""(longest span in minutes, minutes of a stretch, its name); what is longer is counted by the day."""


def funnel(events: EventTally) -> list[Step]:
    """Return how many visits got to each step."""
    counts = [events.visits, *(int(count) for count in events.reached)]
    assert len(counts) == len(FUNNEL) + 1
    steps, previous = [], events.visits
    for name, count in zip(STEPS, counts, strict=True):
        steps.append(Step(name, count, _ratio(count, events.visits), _ratio(count, previous)))
        previous = count
    return steps


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def sessions(visits: VisitTally) -> tuple[str, list[int]]:
    """Return the name of a stretch, and the visits that began in each, from the reference instant to the last."""
    minutes, seconds = visits.minutes.row(0), visits.seconds.row(0)
    span = _span(minutes)
    if span <= FIRST_SECONDS // 60:
        return "second", [int(count) for count in seconds[: _span(seconds)]]
    width, name = next(((width, name) for most, width, name in SPACING if span <= most), (1_440, "day"))
    whole = np.zeros(-(-span // width) * width)
    whole[:span] = minutes[:span]
    return name, [int(count) for count in whole.reshape(-1, width).sum(axis=1)]


def _span(counts: NDArray[np.float64]) -> int:
    """Return how many stretches there are up to the last that is not empty."""
    used = np.flatnonzero(counts)
    return int(used[-1]) + 1 if len(used) else 0


def causes_of(visits: VisitTally, personas: Any) -> dict[str, float]:  # noqa: ANN401 - numbers of personas
    """Return the share of each cause of leaving, over visits that some personas ended."""
    counts = {cause: sum(visits.causes.at(p, c) for p in personas) for c, cause in enumerate(CAUSES)}
    over = sum(counts.values())
    return {cause: _ratio(count, over) for cause, count in counts.items() if count or cause != CAUSES[0]}


def devices(visits: VisitTally) -> Iterator[Cell]:
    """Yield visits and median landing load by operating system and tier."""
    for device in _by_size(visits.device.names, visits.by_device.values.sum(axis=1)):
        for network in _networks(visits.network.names):
            one, other = visits.device.number(device), visits.network.number(network)
            [p50] = visits.landing.quantiles(pair(one, other), (0.5,))
            yield Cell(device, network, int(visits.by_device.at(one, other)), _s(p50))


def models(events: EventTally) -> Iterator[Cell]:
    """Yield visits and median load of all pages by device model."""
    for device in _by_size(events.device.names, events.landings.values.sum(axis=1)):
        for network in _networks(events.network.names):
            one, other = events.device.number(device), events.network.number(network)
            [p50] = events.loading.quantiles(pair(one, other), (0.5,))
            yield Cell(device, network, int(events.landings.at(one, other)), _s(p50))


def _by_size(names: list[str], sizes: NDArray[np.float64]) -> list[str]:
    size = dict(zip(names, sizes.tolist(), strict=False))
    return sorted(names, key=lambda name: (-size.get(name, 0.0), name))


def _networks(names: list[str]) -> list[str]:
    return [name for name in TECHNOLOGIES if name in names] + sorted(set(names) - set(TECHNOLOGIES))


def _s(value_us: float | None) -> float | None:
    return None if value_us is None else value_us / US


def personas(visits: VisitTally, events: EventTally, known: Mapping[str, Theory]) -> Iterator[PersonaData]:
    """Yield each persona, the most frequent first, beside its theory where there is one."""
    for name in _by_size(visits.persona.names, visits.causes.values.sum(axis=1)):
        number = visits.persona.number(name)
        causes = causes_of(visits, (number,))
        ended = {cause: share for cause, share in causes.items() if cause != CAUSES[0]}
        engaged = visits.engaged.quantiles(number, SHARES)
        yield PersonaData(
            name,
            int(visits.causes.row(number).sum()),
            causes,
            1.0 - _ratio(ended.get("done", 0.0), sum(ended.values())),
            _figures({key: grid.at(number, 0) for key, grid in visits.sums.items()}),
            dict(zip(NAMES, (_count_quantile(visits.lengths.row(number), share) for share in SHARES), strict=True)),
            dict(zip(NAMES, map(_s, engaged), strict=True)),
            known.get(name),
            list(_thinking(events, name, known.get(name))),
        )


def _figures(sums: Mapping[str, float]) -> dict[str, float | None]:
    """Return the figures that the closed form has too, of visits that came to their end."""
    n = sums["visits"]
    if not n:
        return dict.fromkeys(("pages", "pages_sd", "bounce", "conversion", "cart_reached", "abandonment", "engaged_s"))
    pages = sums["pages"] / n
    return {
        "pages": pages,
        "pages_sd": max(sums["pages2"] / n - pages**2, 0.0) ** 0.5,
        "bounce": sums["bounced"] / n,
        "conversion": sums["bought"] / n,
        "cart_reached": sums["carted"] / n,
        "abandonment": 1.0 - sums["bought"] / sums["carted"] if sums["carted"] else None,
        "engaged_s": sums["engaged_us"] / US / n,
    }


def _count_quantile(counts: NDArray[np.float64], share: float) -> int | None:
    """Return the smallest number that a share of visits is not above."""
    total = counts.sum()
    return int(np.searchsorted(np.cumsum(counts), share * total - 1e-9)) if total else None


def _thinking(events: EventTally, persona: str, theory: Theory | None) -> Iterator[Thinking]:
    if persona not in events.persona.names:
        return
    number = events.persona.number(persona)
    for page in _by_size(events.page.names, events.pages.values.sum(axis=0)):
        group = pair(number, events.page.number(page))
        if n := events.thinking.count(group):
            seen = dict(zip(NAMES, map(_s, events.thinking.quantiles(group, SHARES)), strict=True))
            yield Thinking(page, n, seen, theory.thinking.get(page) if theory else None)
