"""`footfall target check`: one shopper walks through every mapped operation, and each answer is read aloud.

Nothing here prints; the command line does.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from time import perf_counter, sleep, time_ns
from typing import TYPE_CHECKING, Any

import httpx

from simulator.model.devices import device_table
from simulator.model.places import city_table, country_table
from simulator.model.schema import CATEGORIES, CONSENTS
from simulator.page.card import OPERATIONS
from simulator.target.context import Context, Who, open_context
from simulator.target.evidence import Violation, read_evidence
from simulator.target.login import address_of, basic, split_login
from simulator.target.probes.hours import is_quiet, local, where_it_is
from simulator.target.redaction import redacted, redacted_tree
from simulator.target.request import Request, Skipped, Target
from simulator.target.schema import Evidence, parse_host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.target.answers import Answer

REACH_S = 5.0
"""A target that has not answered by then is unreachable."""
REMOVE = "remove_from_cart"
NOON = 12.0
_WALK = (
    "session", "identify", "consent_set", "decide", "home", "search", "suggest", "category", "recommend", "rank",
    "product", "price", "ar_asset", "offers", "geofence", "store_near", "next_action", "content", "loyalty_balance",
    "add_to_cart", "cart", REMOVE, "checkout", "payment", "purchase", "loyalty_earn", "loyalty_redeem", "login",
    "exposure",
)  # fmt: skip
ORDER = (*_WALK, *(operation for operation in OPERATIONS if operation not in {*_WALK, "track"}), "track")
"""The order in which operations are tried; one that needs what a later one extracts waits for it."""


class TargetUnreachable(Exception):  # noqa: N818 - a fact about the target, not a defect of ours
    """Nobody answers at `host`; the command line exits with 4."""

    def __init__(self, host: str, reason: str) -> None:
        self.host, self.reason = host, reason
        super().__init__(f"{host} is unreachable: {reason}")


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One operation: the request, what came back, what it told.

    `status` is None where there was no answer; `problem` is "" for a good answer, else why it is bad or, with
    `skipped`, why no request was sent. Of the evidence, `observable` is what the answer showed, `absent` what the file
    points to and the answer lacks, `unmapped` what no path points to; `violations` tells what is not of its type, and
    what is missing. `requests` is how many the call took.
    """

    operation: str
    method: str = ""
    url: str = ""
    status: int | None = None
    elapsed_ms: float | None = None
    skipped: bool = False
    problem: str = ""
    extracted: dict[str, Any] = field(default_factory=dict)
    observable: dict[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    requests: int = 1

    @property
    def ok(self) -> bool:
        """Whether the answer was good and of the promised types; a skipped operation is not.

        Evidence that is absent is told beside it: one answer may rightly say nothing of it.
        """
        return not self.problem and all(one.kind == "missing" for one in self.violations)


def somebody(target: Target, *, run: str = "check", now_ms: int | None = None) -> Context:
    """Return the visit of a shopper who agrees to everything, in London, with the first Chromium phone of the table.

    With the time of day (`now_ms` since 1970), where it is about noon if it is night in London and the target sends
    messages: no shop owes anybody one at night. That is in a country whose currency it promises, if it promises any.
    """
    device = next(device for device in device_table().devices if device.client_hints)
    city = next(city for city in city_table() if city.name == "London")
    if now_ms is not None and "push_send" in target.operations:
        night = is_quiet(local(now_ms * 1_000, city.timezone), target.file.promises.quiet_hours)
        city = where_it_is(NOON, now_ms, _markets(target)) if night else city
    everything, place = frozenset(CONSENTS), (city.latitude_deg, city.longitude_deg)
    who = Who(0, city.country, device, *place, everything, CATEGORIES[0], city.name)
    return open_context(target, who, seed=0, visit=0, run=run)


def _markets(target: Target) -> set[str]:
    """Return the countries in which a target sells: London's, and those whose currency it promises."""
    promised = target.file.promises.currencies
    return {"GB"} | {code for code, row in country_table().items() if not promised or row.currency in promised}


def walk(
    target: Target,
    host: str,
    context: Context | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
    verify: bool = True,
) -> Iterator[CheckLine]:
    """Walk a shopper (default: `somebody`) through setup and every operation, yielding one line each.

    Raises `TargetUnreachable` if nobody answers the first request, and `ValueError` for a host that is no base URL
    or names a secret that cannot be read. `transport` replaces real connections; without `verify` any
    certificate will do. Secrets stand in no line.
    """
    target.login = basic(split_login(parse_host(host))[1])
    base = target.base_url = address_of(host)
    shopper = context or somebody(target, now_ms=time_ns() // 1_000_000)
    if transport is None:
        reach(base)
    waiting = [*target.setup, *(operation for operation in ORDER if operation in target.operations)]
    answered = False
    # An explicit transport takes no proxy from the environment: a load run goes straight to the target as well.
    with httpx.Client(base_url=base, transport=transport or httpx.HTTPTransport(verify=verify)) as client:
        while (request := _next(target, shopper, waiting)) is not None:
            waiting.remove(request.operation)
            try:
                yield _ask(client, target, shopper, request, longest_s=request.timeout_s if answered else REACH_S)
            except httpx.RequestError as error:
                if not answered and isinstance(error, httpx.TransportError):
                    raise TargetUnreachable(base, _reason(error)) from None
                yield CheckLine(request.operation, request.method, redacted(request.url), problem=_reason(error))
            answered = True
            if request.operation == REMOVE:
                _put_back(client, target, shopper)
    for operation in waiting:
        skipped = target.build(operation, shopper)
        assert isinstance(skipped, Skipped)
        yield CheckLine(operation, skipped=True, problem=skipped.reason)


def _put_back(client: httpx.Client, target: Target, context: Context) -> None:
    """Put into the cart again what was taken out, so that there is something to pay; who cannot has nothing to pay."""
    request = target.build("add_to_cart", context)
    if isinstance(request, Request):
        with suppress(httpx.RequestError):
            _ask(client, target, context, request, longest_s=request.timeout_s)


def _next(target: Target, context: Context, waiting: list[str]) -> Request | None:
    """Return the first request that can be made now."""
    for operation in waiting:
        context.tell(next(iter(target.events), "view") if operation == "track" else operation, 0)
        request = target.build(operation, context)
        if isinstance(request, Request):
            return request
    return None


def _ask(client: httpx.Client, target: Target, context: Context, request: Request, *, longest_s: float) -> CheckLine:
    first, took_ms = request, 0.0
    while True:
        sent_s = perf_counter()
        response = client.request(
            request.method,
            request.url,
            headers=request.headers,
            content=request.body,
            timeout=min(request.timeout_s, longest_s),
        )
        took_ms += (perf_counter() - sent_s) * 1e3
        answer = target.read(request.operation, response.status_code, _headers(response), response.content)
        again = target.again(request, answer, context)
        context.learn(answer)
        if again is None:
            return _line(first, request.nth, response.status_code, took_ms, target, answer)
        request, wait_s = again
        sleep(wait_s)


def _headers(response: httpx.Response) -> dict[str, list[str]]:
    """Return headers by lower-case name, each line its own: cookies cannot be joined by commas."""
    return {name.lower(): response.headers.get_list(name) for name in response.headers}


def _line(first: Request, requests: int, status: int, took_ms: float, target: Target, answer: Answer) -> CheckLine:
    mapped, shown = target.observable(first.operation), answer.evidence if answer.ok else {}
    violations = read_evidence(answer).violations if answer.ok else ()
    return CheckLine(
        first.operation,
        first.method,
        redacted(first.url),
        status,
        took_ms,
        problem=redacted(answer.error),
        extracted=redacted_tree(answer.extracted),
        observable=redacted_tree(shown),
        absent=tuple(name for name in Evidence.model_fields if name in mapped and name not in shown),
        unmapped=tuple(name for name in Evidence.model_fields if name not in mapped),
        violations=violations,
        requests=requests,
    )


def reach(host: str, timeout_s: float = REACH_S) -> None:
    """Open and close a connection to a base URL.

    Raises `TargetUnreachable` within `timeout_s`, name look-up included.
    """
    url = httpx.URL(host)
    port = url.port or (443 if url.scheme == "https" else 80)
    outcome: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection((url.host, port), timeout_s).close()
            outcome.append("")
        except OSError as error:
            outcome.append(_reason(error))

    # A look-up has no time limit of its own, so it happens where nobody has to wait for its end.
    thread = Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s)
    reason = outcome[0] if outcome else f"no answer within {timeout_s:g} s"
    if reason:
        raise TargetUnreachable(host, reason)


def _reason(error: BaseException) -> str:
    """Return a short name for what went wrong on the way."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, httpx.TimeoutException | TimeoutError):
            return "no answer in time"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, socket.gaierror):
            return "no such name"
        cause = cause.__cause__ or cause.__context__
    text = str(error).strip()
    return redacted(text.splitlines()[0]) if text else type(error).__name__
