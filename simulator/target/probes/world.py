"""One journey round the world that several probes learn from: the same pages from far-apart places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.target.probes.steps import Ask, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any

    from simulator.target.probes.probe import Ground
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

    Journey = list[dict[str, Seen]]

NAME = "world"
STOPS = (
    ("GB", "London"), ("IE", "Dublin"), ("GB", "London"), ("US", "New York City"), ("US", "Los Angeles"),
    ("AU", "Sydney"), ("IN", "Mumbai"),
)  # fmt: skip
"""London comes twice, for noise, and Dublin between has its clock; the others stand round the clock, no two neighbours
more than seven hours apart, in summer neither."""
TWINS = 0, 2


def around_the_world(
    ground: Ground, operations: Sequence[str], judge: Callable[[Journey], None] = lambda _: None
) -> Script:
    """Return the script that asks all operations at every stop, each as somebody else; `judge` gets the journey.

    Of each stop there are the answers by operation, good ones alone.
    """

    def travel(people: People, nth: int) -> Generator[Any, Any, None]:
        del nth
        journey: Journey = []
        for country, city in STOPS:
            visitor = people.somebody(country=country, city=city)
            answers: dict[str, Seen] = {}
            for name in operations:
                seen = yield Ask(visitor, name)
                if seen is not None and seen.ok:
                    answers[name] = seen
            journey.append(answers)
        judge(journey)

    return Script(NAME, len(STOPS) * (len(operations) + len(ground.target.opening)), travel)
