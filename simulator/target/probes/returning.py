"""H24: whether somebody who comes back is known again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from simulator.target.hazards import SHOWN
from simulator.target.probes.pairs import shortened
from simulator.target.probes.probe import CHECKED, VIOLATED, Difference, Probe, Ruling, total
from simulator.target.probes.steps import Ask, Script, Wait

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from typing import Any

    from simulator.target.fields import Json
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen
    from simulator.target.probes.steps import People

LOOKS = 2
STRANGER = "stayed a stranger"


class Visits(NamedTuple):
    """Answers of one and the same page: when they were new, when they were known, and in their next visit.

    While they are back, the first visit goes on and is asked too: what is wrong there has another cause.
    """

    new: Seen
    known: Seen
    back: Seen
    still: Seen
    again: Seen


@dataclass(slots=True)
class Returning(Probe):
    """Who became known in a first visit is known at the beginning of the next one, under the same name.

    Known is who is answered otherwise than when they were new: no longer by a fallback, in other segments. Forgotten
    is who is answered exactly as when they were new, in all that had changed, each time, while the first visit is not.
    """

    code: ClassVar[str] = "H24"

    def scripts(self) -> Iterable[Script]:
        """Come, look around, and come back."""
        ground = self.ground
        shown = [
            name
            for name in ground.mapped("home", "recommend", *SHOWN)
            if any(ground.observable(name, what) for what in ("segments", "fallback", "subject"))
        ]
        # A page that says how well one is known is worth more than one that says one's name.
        shown.sort(key=lambda name: not any(ground.observable(name, what) for what in ("segments", "fallback")))
        if not shown:
            return
        page, looks = shown[0], ground.mapped("product", "track")

        def come(people: People, nth: int) -> Generator[Any, Any, None]:
            one = people.somebody()
            new = yield Ask(one, page)
            for pick in range(LOOKS):
                one.context.turn_to(None, nth + pick)
                for name in looks:
                    yield Ask(one, name)
            yield Wait(ground.promises.event_lag)
            known = yield Ask(one, page)
            two = people.again(one)
            back = yield Ask(two, page)
            still = yield Ask(one, page)
            again = yield Ask(two, page)
            if all(seen is not None and seen.ok for seen in (new, known, back, still, again)):
                self._judge(Visits(new, known, back, still, again))

        yield Script("returning", 2 * len(ground.target.opening) + 5 + LOOKS * len(looks), come)

    def _judge(self, visits: Visits) -> None:
        new, known, back, still, again = visits
        learned = [
            name for name in ("segments", "fallback") if _learned(name, new, known) and _learned(name, new, still)
        ]
        lost = [name for name in learned if all(_value(name, seen) == _value(name, new) for seen in (back, again))]
        if learned:
            self.check(
                back,
                len(lost) < len(learned),
                f"{back.operation} takes somebody who was here before for a stranger",
                other=known,
                differs=[
                    Difference(name, shortened(_value(name, back)), shortened(_value(name, known))) for name in lost
                ],
            )
            return
        before, after = known.evidence.get("subject"), back.evidence.get("subject")
        if before is None or after is None:
            self.count(back, STRANGER)
            return
        says = f"{back.operation} has another name for somebody who was here before"
        self.check(back, before == after, says, other=known, differs=(Difference("subject", after, before),))

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say violated if most are forgotten: whoever is met by a fallback now and then was not."""
        checked, violated = total(counts, CHECKED), total(counts, VIOLATED)
        if 2 * violated > checked:
            return Ruling(held=False)
        if checked:
            return Ruling(held=True)
        strange = total(counts, STRANGER)
        return Ruling(None, "nobody became known in a first visit" if strange else "nothing to check came")


def _learned(name: str, new: Seen, known: Seen) -> bool:
    """Return whether a piece of evidence shows that somebody is no longer new."""
    before, after = _value(name, new), _value(name, known)
    return before is not None and after is not None and before != after and not (name == "fallback" and after)


def _value(name: str, seen: Seen) -> Json:
    value = seen.evidence.get(name)
    return tuple(sorted(value)) if isinstance(value, tuple) else value
