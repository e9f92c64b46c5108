"""The desk where scripts are played: it turns their steps into requests, and what comes back into what probes see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from simulator.target.call import Skipped
from simulator.target.evidence import read_evidence
from simulator.target.probes.seen import Seen
from simulator.target.probes.steps import Ask, Now, Together, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.target.answers import Answer
    from simulator.target.call import Request
    from simulator.target.evidence import Evidence
    from simulator.target.probes.seen import Visitor
    from simulator.target.probes.steps import People, Script
    from simulator.target.request import Target

_ABSENT: Any = object()
LOOKED = "product"
"""What a visitor's events say that happened, unless their script says otherwise: the page of a product was opened."""
CREDENTIALS = ("authorization", "cookie", "x-csrf-token")


class Got(NamedTuple):
    """What came of a request: `error` names why there is no answer, times are seconds of the run."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str
    at_s: float
    took_s: float
    cookie: Callable[[], str] = str


class Wire(Protocol):
    """Whoever really sends requests, and knows the time."""

    def send(self, visitor: Visitor, request: Request, *, bare: bool) -> Got:
        """Send a visitor's request, with their cookies unless it is `bare`; never raises for what the target did."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""

    def together(self, jobs: list[Callable[[], Seen | None]]) -> list[Seen | None]:
        """Do all jobs at the same moment, also where they are one visitor's; return what each came to, in order."""


class Desk:
    """Plays scripts. `see` is told of every answer; `requests` counts what was sent."""

    def __init__(
        self,
        target: Target,
        wire: Wire,
        see: Callable[[Seen], None],
        read: Callable[[Answer], Evidence] = read_evidence,
    ) -> None:
        self._target, self._wire, self._see, self._read = target, wire, see, read
        self.requests = 0

    def play(self, script: Script, people: People, nth: int, *, alone: bool) -> None:
        """Play a script to its end."""
        steps = script.play(people, nth)
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration:
                return
            came = self._take(step, alone=alone)

    def _take(self, step: object, *, alone: bool) -> Any:  # noqa: ANN401 - each kind of step comes to something else
        if isinstance(step, Ask):
            return self.ask(step, alone=alone)
        if isinstance(step, Together):
            for ask in step.asks:
                self._open(ask.visitor, alone=alone)
            return self._wire.together([lambda ask=ask: self.ask(ask, alone=False) for ask in step.asks])  # type: ignore[misc] # mypy cannot infer a default
        if isinstance(step, Now):
            return self._wire.now_ms()
        assert isinstance(step, Wait)
        return self._wire.wait(step.seconds)

    def ask(self, ask: Ask, *, alone: bool) -> Seen | None:
        """Make a call, with all requests that it takes; return its last answer, or None if it was skipped."""
        self._open(ask.visitor, alone=alone)
        request = None if ask.visitor.unknown else self._built(ask)
        return None if request is None else self._asked(ask, request, alone=alone)

    def _open(self, visitor: Visitor, *, alone: bool) -> None:
        """Make the calls that come before a visit's first page, once."""
        if visitor.opened:
            return
        visitor.opened = True
        for operation in self._target.opening:
            told = self.ask(Ask(visitor, operation), alone=alone)
            # Whom the target does not know, its answers say nothing of.
            visitor.unknown |= told is not None and bool(told.error)

    def _built(self, ask: Ask) -> Request | None:
        values = ask.visitor.context.values
        ask.visitor.context.tell(values.get("event.type", LOOKED), self._wire.now_ms())
        before = {name: values.get(name, _ABSENT) for name in ask.values}
        values.update(ask.values)
        request = self._follow(ask) if ask.link else self._target.build(ask.operation, ask.visitor.context)
        for name, value in before.items():
            if value is _ABSENT:
                del values[name]
            else:
                values[name] = value
        if isinstance(request, Skipped):
            return None
        if ask.url_of is not None:
            request.url = ask.url_of.request.url
        changed = {name.lower() for name in ask.headers}
        gone = changed | self._credentials() if ask.bare else changed
        request.headers = {name: value for name, value in request.headers.items() if name.lower() not in gone}
        request.headers |= {name: value for name, value in ask.headers.items() if value is not None}
        return request

    def _follow(self, ask: Ask) -> Request | Skipped:
        """Return a GET of a link, with the headers of whatever the visitor can ask for."""
        names = (ask.operation, *self._target.opening, *self._target.operations)
        built = (self._target.build(name, ask.visitor.context) for name in names)
        request = next((one for one in built if not isinstance(one, Skipped)), None)
        if request is None:
            return Skipped(ask.operation, "nothing can be asked for yet")
        request.operation, request.method, request.url, request.body = ask.operation, "GET", ask.link, None
        request.headers.pop("Content-Type", None)
        return request

    def _credentials(self) -> set[str]:
        header = self._target.file.auth.header
        return {*CREDENTIALS, *([header.lower()] if header else [])}

    def _asked(self, ask: Ask, request: Request, *, alone: bool) -> Seen:
        visitor = ask.visitor
        odd = ask.odd or visitor.odd
        while True:
            got = self._wire.send(visitor, request, bare=ask.bare)
            self.requests += 1
            answer = self._target.read(request.operation, got.status, got.headers, got.body)
            again = None if got.error or ask.odd else self._target.again(request, answer, visitor.context)
            read = read_evidence if odd else self._read
            evidence = {} if got.error else read(answer).values
            if not ask.odd and not got.error:
                visitor.context.learn(answer)
            error = got.error or answer.error
            seen = Seen(
                visitor, ask.operation, request, got.status, got.headers, got.body, evidence, error,
                got.at_s, got.took_s, alone, odd, cookie=got.cookie,
            )  # fmt: skip
            self._see(seen)
            if again is None:
                return seen
            request, wait_s = again
            self._wire.wait(wait_s)
