"""H3: whether every offer holds where the shopper is, by the tester's own geometry."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulator.target.probes.probe import MOST_DRAWN, Difference, Probe
from simulator.target.probes.steps import Ask, Script
from simulator.target.probes.where import COUNTRY, POSITION, POSITIONS, Telling, countries_of, metres
from simulator.target.sends import named_by

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from typing import Any

    from simulator.target.evidence import Fence
    from simulator.target.fields import Json
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

ELSEWHERE_M = 50_000.0
"""A position that an answer was made for may be so coarse for the sake of privacy (assumed)."""
SEA = 40.0, -40.0
"""Far from every shop, in the middle of the Atlantic."""
STEP_M = 2_000.0
METRES_A_DEGREE = 111_195.0


class Abroad(NamedTuple):
    """An answer that offered what holds in other countries."""

    seen: Seen
    offered: frozenset[str]
    foreign: frozenset[str]


@dataclass(slots=True)
class Fences(Probe):
    """Every offer's circle holds the position that was sent, and its country is one that the shopper may be in.

    Offers of other countries are of a wrong place only where shoppers of other countries are offered others: if all
    are offered the same, the place was not asked at all, which is another hazard. So they wait until that is known.

    What is drawn: `{operation, country, at: [lat, lon], held, fences: [[lat, lon, radius_m, inside], …]}`.
    """

    code: ClassVar[str] = "H3"
    offered: dict[str, dict[frozenset[str], set[str]]] = field(default_factory=lambda: defaultdict(dict))
    waiting: deque[Abroad] = field(default_factory=lambda: deque(maxlen=50))
    cells: set[tuple[float, float, bool]] = field(default_factory=set)
    position: Telling = field(init=False)
    country: Telling = field(init=False)
    late: frozenset[str] = field(init=False)
    """Operations that tell where somebody was, at several moments."""

    def __post_init__(self) -> None:
        """Find out which requests tell the target where somebody is."""
        target = self.ground.target
        self.position, self.country = Telling(target, POSITION, POSITIONS), Telling(target, COUNTRY)
        self.late = frozenset(name for name, rest in target.file.operations.items() if POSITIONS in named_by(rest))

    def see(self, seen: Seen) -> None:
        """Compare positions with circles, and countries with countries."""
        if not seen.ok or seen.odd:
            return
        fences = seen.evidence.get("fences")
        used = seen.evidence.get("geo_used")
        if fences is None and used is None:
            return
        told = self._told(seen)
        if told and isinstance(used, tuple):
            self._used(seen, told, used)
        if told and (circles := [fence for fence in fences or () if fence and not fence.country]):
            self._circles(seen, told, circles)
        countries = frozenset(fence.country for fence in fences or () if fence and fence.country)
        if countries and self.country.told(seen):
            self._countries(seen, countries)

    def _told(self, seen: Seen) -> list[tuple[float, float]]:
        """Return the positions that the target may answer for, the latest last; most operations tell of one."""
        if seen.operation in self.late:
            return [(one["lat"], one["lon"]) for one in seen.visitor.value(POSITIONS) or ()]
        here = seen.visitor.position if self.position.told(seen) else None
        return [here] if here else []

    def _used(self, seen: Seen, told: list[tuple[float, float]], used: tuple[float, float]) -> None:
        away_m = min(metres(there, used) for there in told)
        if away_m > max(ELSEWHERE_M, self.ground.promises.position_error):
            says = f"{seen.operation} was made for a place {away_m / 1_000:,.0f} km away"
            self.check(seen, False, says, differs=(Difference("position", list(used), list(told[-1])),))

    def _circles(self, seen: Seen, told: list[tuple[float, float]], circles: list[Fence]) -> None:
        here, error_m = told[-1], self.ground.promises.position_error
        away_m = [min(metres(there, (one.latitude_deg, one.longitude_deg)) for there in told) for one in circles]
        out = [(m, fence) for m, fence in zip(away_m, circles, strict=True) if m > fence.radius_m + error_m]
        self.check(
            seen,
            not out,
            f"{seen.operation} offers what does not hold where the shopper is",
            differs=[Difference("metres from the offer, and its radius", round(m), round(f.radius_m)) for m, f in out],
        )
        cell = round(here[0], 1), round(here[1], 1), not out
        if len(self.drawn) < MOST_DRAWN and cell not in self.cells:
            self.cells.add(cell)
            self.draw(self._drawing(seen, here, circles, away_m, held=not out))

    def _drawing(
        self, seen: Seen, here: tuple[float, float], circles: list[Fence], away_m: list[float], *, held: bool
    ) -> Json:
        error_m = self.ground.promises.position_error
        fences = [
            [round(f.latitude_deg, 5), round(f.longitude_deg, 5), f.radius_m, m <= f.radius_m + error_m]
            for f, m in zip(circles, away_m, strict=True)
        ]
        country = seen.visitor.value(COUNTRY)
        return {
            "operation": seen.operation,
            "country": str(country or ""),
            "at": list(here),
            "held": held,
            "fences": fences,
        }

    def _countries(self, seen: Seen, offered: frozenset[str]) -> None:
        home, foreign = str(seen.visitor.value(COUNTRY)), offered - countries_of(seen.visitor)
        self.offered[seen.operation].setdefault(offered, set()).add(home)
        if foreign:
            self.waiting.append(Abroad(seen, offered, foreign))
        else:
            self.check(seen, True)
        for _ in range(len(self.waiting)):
            self._judge(self.waiting.popleft())

    def _judge(self, abroad: Abroad) -> None:
        """Count an answer with foreign offers if others are offered others, forget it if all are offered the same."""
        seen = abroad.seen
        groups = self.offered[seen.operation]
        home = str(seen.visitor.value(COUNTRY))
        if len(groups[abroad.offered]) > 1:
            return
        if any(countries - {home} for offered, countries in groups.items() if offered != abroad.offered):
            differs = (Difference("countries of the offers", sorted(abroad.offered), home),)
            self.check(seen, False, f"{seen.operation} offers what holds in another country", differs=differs)
        else:
            self.waiting.append(abroad)

    def scripts(self) -> Iterable[Script]:
        """Stand in a town, just outside of the nearest fence there, and in the sea."""
        asked = [
            name
            for name in self.ground.mapped("offers", "home", "store_near", "next_action")
            if self.ground.observable(name, "fences") and self.position.by(name)
        ][:2]
        if not asked:
            return

        def walk(people: People, nth: int) -> Generator[Any, Any, None]:
            del nth
            inside = people.somebody()
            found = yield Ask(inside, asked[0])
            places = [SEA]
            if found is not None and inside.position and (edge := _outside(inside.position, found)):
                places.append(edge)
            for place in places:
                visitor = people.somebody(at=place)
                for name in asked:
                    yield Ask(visitor, name)

        visits = 1 + len(self.ground.target.opening)
        yield Script("fences", visits + 2 * (visits + len(asked) - 1), walk)


def _outside(here: tuple[float, float], seen: Seen) -> tuple[float, float] | None:
    """Return a position north of the smallest circle that was offered, just outside of it."""
    circles = [fence for fence in seen.evidence.get("fences", ()) if fence and not fence.country]
    if not circles:
        return None
    smallest = min(circles, key=lambda fence: fence.radius_m)
    north_deg = (smallest.radius_m + STEP_M) / METRES_A_DEGREE
    latitude_deg = smallest.latitude_deg + (north_deg if here[0] < 80 else -north_deg)
    return latitude_deg, smallest.longitude_deg
