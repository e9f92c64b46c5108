"""H7: whether messages still come after a shopper wanted no more of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from simulator.target.probes.hours import where_it_is
from simulator.target.probes.mail import SEND, Mail, messages_of, new_in, noon
from simulator.target.probes.probe import CHECKED, Difference, Ruling, total
from simulator.target.probes.steps import ALONE, AMONG, Ask, Now, Script, Wait
from simulator.target.sends import sends_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.target.probes.mail import Play
    from simulator.target.probes.probe import Key
    from simulator.target.probes.seen import Seen, Visitor
    from simulator.target.probes.steps import People

MOST_GRACE_S, SHORT_GRACE_S = 45.0, 1.0
"""The longest grace after an opt-out that a run waits for, and the longest while nobody else may ask."""
UNPROVOKED_S = 5.0
"""How long messages are waited for where nothing can make a target send one."""


@dataclass(slots=True)
class OptOut(Mail):
    """Nothing that was not there when the grace after an opt-out was over comes later.

    It compares two readings of the inbox, so no clock of the target's is believed.
    """

    code: ClassVar[str] = "H7"

    def scripts(self) -> Iterable[Script]:
        """Be sent a message, opt out, wait, be sent another."""
        grace_s, by = self.ground.promises.opt_out_grace, self._opts_out_by()
        if not by or not self.reads or grace_s > MOST_GRACE_S:
            return

        def leave(people: People, nth: int) -> Play:
            del nth
            promises = self.ground.promises
            visitor = yield from self.somebody_there(people, where_it_is(noon(promises.quiet_hours), (yield Now())))
            yield from self.send(visitor, "before")
            before = yield from self.first_inbox(visitor)
            if not messages_of(before):
                return
            visitor.context.withdraw("push")
            told = yield Ask(visitor, by)
            if told is None or told.error:
                return
            yield from self._after_opt_out(visitor, told)

        when = frozenset((ALONE, AMONG)) if grace_s <= SHORT_GRACE_S else frozenset((AMONG,))
        yield Script("opt-out", 7 + len(self.ground.target.opening), leave, when=when)

    def _after_opt_out(self, visitor: Visitor, told: Seen) -> Play:
        if grace_s := self.ground.promises.opt_out_grace:
            yield Wait(grace_s)
        first = yield from self.inbox_after_lag(visitor)
        yield from self.send(visitor, "after")
        if not self.ground.mapped(SEND):
            yield Wait(UNPROVOKED_S)
        last = yield from self.inbox_after_lag(visitor)
        if first is None or last is None or first.error or not last.ok:
            return
        came = new_in(messages_of(last), messages_of(first))
        grace_s = self.ground.promises.opt_out_grace
        says = f"a message was sent after an opt-out{f' and {grace_s:g} s of grace' if grace_s else ''}"
        differs = [Difference("message", one._asdict(), None) for one in came[:1]]
        self.check(last, not came, says, other=told, differs=differs)

    def _opts_out_by(self) -> str:
        sends = sends_of(self.ground.target)
        for name in self.ground.mapped("consent_set", "push_register"):
            if any(field == "consent.push" for field in sends[name].fields):
                return name
        return ""

    def rule(self, counts: Mapping[Key, int]) -> Ruling:
        """Say why nothing was checked, where that is so."""
        if total(counts, CHECKED):
            return super(OptOut, self).rule(counts)
        if not self._opts_out_by():
            return Ruling(
                None, "no request tells the target that push messages are refused: {consent.push} is not sent"
            )
        if self.ground.promises.opt_out_grace > MOST_GRACE_S:
            return Ruling(None, f"promises.opt_out_grace is longer than {MOST_GRACE_S:g} s, which no run waits for")
        return Ruling(None, "no message came before the opt-out, so none that stays away says anything")
