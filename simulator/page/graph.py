"""The dependency graph of a page: what is asked for when, and what the main thread does with it.

A load, recorded or read from a HAR, says what happened once, on one network. The graph says why: which request waits
for which byte of the document or which piece of work, and which work waits for which content. It is what the
event-driven model plays on other networks and devices.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.model.compiled import record_dtype

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.page.recording import Load, Request, Task

PRIORITIES = ("VeryHigh", "High", "Medium", "Low", "VeryLow")
DELAYABLE = PRIORITIES.index("Medium")
"""From here on Chromium holds requests back (services/network/resource_scheduler: below net::MEDIUM)."""
PROTOCOLS = ("h1", "h2", "h3")
NEVER, ON_BYTES, ON_END = -1, 0, 1
"""How a request is discovered besides by work: by a share of the document's bytes, or by its parent's end."""
FRAME_S = 1 / 60
PAINT_MS = (10.0, 60.0, 250.0)
"""From the end of drawing until a shopper sees it: least, where nothing was recorded, and most (calibration study)."""
STATIC = frozenset(("style", "script", "image", "font", "media"))
"""Kinds that wait for nobody: what a file waited longer than its host's fastest was for others of the load."""
QUEUED_MS = 100.0
"""Unless it is more than this: then the file itself is slow."""
HOLDS_LOAD = frozenset(("document", "style", "script", "image", "font", "media", "other"))
TEXT_LATER_MS = 40.0
"""Text that comes so much after the first paint was put there by work of its own."""
SHOWN_WITHIN_MS = 250.0
"""An answer that came so shortly before late text was seen is taken for its cause, before any script."""

REQUEST = record_dtype(
    [
        ("pool", "i8"),
        ("protocol", "i8"),
        ("setups", "i8"),
        ("priority", "i8"),
        ("raised", "i8"),
        ("sent_bytes", "f8"),
        ("wire_bytes", "f8"),
        ("wait_s", "f8"),
        ("begins", "i8"),
        ("parent", "i8"),
        ("at_bytes", "f8"),
        ("head", "i8"),
    ]
)
"""One row a request; `setups` are round trips of a cold connection after TCP's own, `begins` a constant above, `head`
is 1 where the parser cannot leave the document's head before the request has ended."""
TASK = record_dtype([("work_s", "f8"), ("after_s", "f8"), ("unmet", "i8"), ("head", "i8")])
"""One row a task: seconds of work on the recording's machine, a wait once ready, how much must happen first, and 1
where the parser cannot leave the document's head before it has run."""


class PageGraph(NamedTuple):
    """A page as arrays. Edges are in rows: those of node i are `targets[starts[i]:starts[i + 1]]`."""

    requests: NDArray[Any]
    """(R,) of REQUEST; the navigation's is first."""
    tasks: NDArray[Any]
    """(T,) of TASK; the commit is first."""
    scan: NDArray[np.int64]
    """Requests that the parser finds, in the order of the document."""
    request_tasks: tuple[NDArray[np.int64], NDArray[np.int64]]
    task_tasks: tuple[NDArray[np.int64], NDArray[np.int64]]
    task_requests: tuple[NDArray[np.int64], NDArray[np.int64]]
    request_requests: tuple[NDArray[np.int64], NDArray[np.int64]]
    pools: int
    document: int
    """The request that brings the document: those before it are redirects."""
    first_paint: int
    """The task that draws first."""
    largest_paint: int
    """The task that draws the largest content."""
    paint_s: tuple[float, float]
    """From the end of those two until they are seen."""
    parser_end: int
    """The task after which the document and its deferred scripts are done."""
    holds_load: NDArray[np.bool_]
    """(R,) requests that the load event waits for."""
    handled: NDArray[np.int64]
    """(R,) the task that takes each request's content, or -1."""


def graph_of(load: Load, rtt_ms: float = 0.0) -> PageGraph:
    """Return the graph that explains a load."""
    return _Builder(load, rtt_ms).build()


def rows_of(edges: Iterable[tuple[int, int]], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return edges (from, to) as (starts (count + 1,), targets)."""
    ordered = sorted(set(edges))
    starts = np.searchsorted([one for one, _ in ordered], np.arange(count + 1)) if ordered else np.zeros(count + 1, int)
    return starts.astype(np.int64), np.array([to for _, to in ordered], np.int64)


class _Builder:
    """Infers why things happened; one method a question."""

    def __init__(self, load: Load, rtt_ms: float) -> None:
        self.load, self.rtt_ms = load, rtt_ms
        self.requests: Sequence[Request] = load.requests
        self.document = load.document
        self.recorded: Sequence[Task] = load.tasks
        self.sender = {sent: number for number, task in enumerate(self.recorded) for sent in task.sends}
        self.task_edges: set[tuple[int, int]] = set()
        self.content_edges: set[tuple[int, int]] = set()
        self.sends: set[tuple[int, int]] = set()

    def build(self) -> PageGraph:
        first, last = len(self.recorded), len(self.recorded) + 1
        parser = self._parser_chain()
        self._order(parser)
        drawn = self._first_paint_task()
        self._first_paint(first, drawn, parser)
        self._largest_paint(last, first)
        rows = self._request_rows(first, drawn)
        tasks = self._task_rows(drawn)
        count = len(tasks)
        for row, unmet in zip(tasks, self._unmet(count), strict=True):
            row["unmet"] = unmet
        handled = self._handled()
        for number in self._head_scripts():
            (rows[number] if handled[number] < 0 else tasks[handled[number]])["head"] = 1
        chained = [(one.initiator.request, n) for n, one in enumerate(self.requests) if rows[n]["begins"] == ON_END]
        scan = [n for n in range(len(rows)) if rows[n]["begins"] == ON_BYTES]
        return PageGraph(
            requests=rows,
            tasks=tasks,
            scan=np.array(sorted(scan, key=lambda n: (rows[n]["at_bytes"], n)), np.int64),
            request_tasks=rows_of(self.content_edges, len(rows)),
            task_tasks=rows_of(self.task_edges, count),
            task_requests=rows_of(self.sends, count),
            request_requests=rows_of([(self.document if p is None else p, n) for p, n in chained], len(rows)),
            pools=int(rows["pool"].max()) + 1,
            document=self.document,
            first_paint=first,
            largest_paint=last,
            paint_s=self._paint_s(drawn),
            parser_end=parser[-1] if parser else 0,
            holds_load=np.array([one.kind in HOLDS_LOAD for one in self.requests]),
            handled=handled,
        )

    def _parser_chain(self) -> list[int]:
        """Return the tasks that run one after another: commit, parsing, scripts in the document, deferred ones."""
        inline, deferred = [], []
        for number, task in enumerate(self.recorded):
            scripts = [self.requests[n].script for n in task.needs] if task.kind == "script" else []
            if "defer" in scripts:
                deferred.append(number)
            elif task.kind in {"commit", "parse"} or "sync" in scripts:
                inline.append(number)
        return inline + deferred

    def _order(self, parser: Sequence[int]) -> None:
        """Say what each recorded task waits for: the parser's order, its content, or what ran before it."""
        styles = [n for n, one in enumerate(self.requests) if one.blocking and one.kind == "style"]
        self.task_edges.update(pairwise(parser))
        in_chain = set(parser)
        for number, task in enumerate(self.recorded):
            self.content_edges.update((need, number) for need in task.needs)
            if number in in_chain:
                if task.kind == "script":
                    self.content_edges.update((style, number) for style in styles)
                elif number != parser[0]:
                    self.content_edges.add((self.document, number))
            elif not task.needs and number:
                self._follow(number)

    def _follow(self, number: int) -> None:
        """Say what a task without content of its own follows: what ran before it.

        Where it asks for something, it is what came last of an answer to a script and a task that could have led to it.
        """
        task, earlier = self.recorded[number], number - 1
        if task.sends:
            led = (n for n in range(number - 1, -1, -1) if self._can_lead(n))
            earlier = next(led, earlier)
            before = self.recorded[earlier]
            ends = [(one.end_ms, n) for n, one in enumerate(self.requests) if one.kind == "fetch"]
            end_ms, answer = max((one for one in ends if one[0] <= task.start_ms), default=(-1.0, 0))
            if end_ms > _end_ms(before):
                self.content_edges.add((answer, number))
                return
        self.task_edges.add((earlier, number))

    def _can_lead(self, number: int) -> bool:
        one = self.recorded[number]
        fetched = any(self.requests[need].kind == "fetch" for need in one.needs)
        return one.kind in {"script", "commit"} or fetched or bool(one.sends)

    def _first_paint_task(self) -> int | None:
        """Return the recorded task that drew first: the first drawing after all that holds it has come."""
        seen = self.load.seen.fcp_ms or float("inf")
        ready_ms = max((one.end_ms for one in self.requests if one.blocking), default=0.0)
        drawn = [n for n, task in enumerate(self.recorded) if task.kind == "render" and task.start_ms < seen]
        after = [n for n in drawn if self.recorded[n].start_ms >= ready_ms]
        if after:
            return after[0]
        return max(drawn, key=lambda n: self.recorded[n].ms, default=None)

    def _first_paint(self, first: int, drawn: int | None, parser: Sequence[int]) -> None:
        """Say what the first paint waits for: style sheets, scripts in the head, the document as far as it had come."""
        self.content_edges.update((n, first) for n, one in enumerate(self.requests) if one.blocking)
        started = self.recorded[drawn].start_ms if drawn is not None else float("inf")
        for number in parser:
            task = self.recorded[number]
            holds = task.kind != "script" or any(self.requests[need].blocking for need in task.needs)
            if holds and (task.start_ms < started or number == parser[0]):
                self.task_edges.add((number, first))
        if not self.recorded:
            self.content_edges.add((self.document, first))
        if drawn is not None:
            self.task_edges = {(first if a == drawn else a, b) for a, b in self.task_edges if b != drawn}
            self.content_edges = {(a, b) for a, b in self.content_edges if b != drawn}

    def _largest_paint(self, last: int, first: int) -> None:
        """Say what the largest content waits for: the first paint, its image or the work that put its text there."""
        self.task_edges.add((first, last))
        load = self.load
        if load.lcp_kind == "image" and load.lcp_request is not None:
            self.content_edges.add((load.lcp_request, last))
        elif (source := self._text_source()) is not None:
            self.task_edges.add((source, last))

    def _text_source(self) -> int | None:
        """Return the last work on a script or an answer before late text was seen, or None for text that was there."""
        seen = self.load.seen
        if seen.lcp_ms is None or seen.fcp_ms is None or seen.lcp_ms < seen.fcp_ms + TEXT_LATER_MS:
            return None
        for kinds, since_ms in (({"fetch"}, seen.lcp_ms - SHOWN_WITHIN_MS), ({"fetch", "script"}, 0.0)):
            for number in range(len(self.recorded) - 1, -1, -1):
                task = self.recorded[number]
                works = any(self.requests[need].kind in kinds for need in task.needs)
                if works and since_ms < _end_ms(task) < seen.lcp_ms:
                    return number
        return None

    def _request_rows(self, first: int, drawn: int | None) -> NDArray[Any]:
        """Return the rows, and note what is asked for by which work."""
        rows = np.zeros(len(self.requests), REQUEST)
        pools: dict[tuple[str, bool, bool], int] = {}
        floors = _static_waits(self.requests)
        for number, (row, one) in enumerate(zip(rows, self.requests, strict=True)):
            row["pool"] = pools.setdefault((one.host, one.secure, one.anonymous), len(pools))
            row["protocol"], row["setups"] = PROTOCOLS.index(one.protocol), int(one.secure and one.protocol != "h3")
            row["priority"] = PRIORITIES.index(one.priority)
            row["raised"] = PRIORITIES.index(one.raised or one.priority)
            row["sent_bytes"], row["wire_bytes"] = one.sent_bytes, max(one.wire_bytes, 1)
            floor_ms = floors.get(one.host, one.wait_ms) if one.kind in STATIC else one.wait_ms
            wait_ms = floor_ms if one.wait_ms - floor_ms < QUEUED_MS else one.wait_ms
            row["wait_s"] = max(wait_ms - self.rtt_ms, 0.0) / 1e3
            row["parent"] = -1 if one.initiator.request is None else one.initiator.request
            self._begin(number, row, first, drawn)
        return rows

    def _begin(self, number: int, row: Any, first: int, drawn: int | None) -> None:  # noqa: ANN401 - a record
        """Say how a request is discovered."""
        one, sender = self.requests[number].initiator, self.sender.get(number)
        row["begins"] = NEVER
        if number == 0:
            return
        if one.kind == "parser" and one.at is not None:
            row["begins"], row["at_bytes"] = ON_BYTES, one.at * self.requests[self.document].wire_bytes
        elif sender is not None and one.kind != "redirect":
            self.sends.add((first if sender == drawn else sender, number))
        else:
            row["begins"] = ON_END

    def _task_rows(self, drawn: int | None) -> NDArray[Any]:
        """Return rows for the recorded tasks and the two paints; the first drawing became the first paint."""
        rows = np.zeros(len(self.recorded) + 2, TASK)
        rows["work_s"][: len(self.recorded)] = [task.ms / 1e3 for task in self.recorded]
        renders = [task.ms for task in self.recorded if task.kind == "render"]
        if drawn is not None:
            rows["work_s"][-2], rows["work_s"][drawn] = rows["work_s"][drawn], 0.0
        rows["work_s"][-1] = float(np.median(renders)) / 1e3 if renders else 0.0
        rows["after_s"][-2:] = FRAME_S / 2
        return rows

    def _unmet(self, count: int) -> list[int]:
        """Return how many edges lead to each task; the commit waits for the document's first byte besides."""
        unmet = [0] * count
        for edges in (self.task_edges, self.content_edges):
            for _, to in edges:
                unmet[to] += 1
        unmet[0] += 1 if self.recorded else 0
        return unmet

    def _paint_s(self, drawn: int | None) -> tuple[float, float]:
        """Return how long after drawing ended the first paint and the largest were seen."""
        least, usual, most = PAINT_MS
        seen = self.load.seen
        lag = usual
        if drawn is not None and seen.fcp_ms is not None:
            lag = seen.fcp_ms - _end_ms(self.recorded[drawn])
        lag = min(max(lag, least), most)
        return lag / 1e3, min(lag, usual) / 1e3

    def _head_scripts(self) -> list[int]:
        """Return the scripts that hold the parser in the document's head."""
        return [n for n, one in enumerate(self.requests) if one.blocking and one.script == "sync"]

    def _handled(self) -> NDArray[np.int64]:
        """Return the task that takes each request's content: of a script the one that runs it, else the first."""
        handled = np.full(len(self.requests), -1, np.int64)
        for number, task in enumerate(self.recorded):
            for need in task.needs:
                if handled[need] < 0 or task.kind == "script":
                    handled[need] = number
        return handled


def _end_ms(task: Task) -> float:
    return task.start_ms + task.ms + task.waited_ms


def _static_waits(requests: Sequence[Request]) -> Mapping[str, float]:
    """Return by host how long its server takes for a file when it has nothing else to do."""
    waits: dict[str, float] = {}
    for one in requests:
        if one.kind in STATIC:
            waits[one.host] = min(one.wait_ms, waits.get(one.host, one.wait_ms))
    return waits
