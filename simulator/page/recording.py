"""Recordings (tier T3): what a page asked for and computed, in one JSON file.

A recording keeps observations, in the browser's own words where it has some; what follows from what is inferred when it
is read (`simulator.page.graph`), so that old recordings gain when the inference does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.model.faults import Fault, FileFaults, one_fault

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
MOST_REQUESTS = 5_000
"""Requests a page may have: more is no page but a session, or a page that never stops loading."""
Ms = float
Index = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of a recording; unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Initiator(Part):
    """Why a request was made: the parser (at a share of the document), a request's content, a redirect, or a script."""

    kind: Literal["parser", "script", "preload", "redirect", "other"]
    request: Index | None = None
    at: Annotated[float, Field(ge=0, le=1)] | None = None


class Request(Part):
    """One request. Times are milliseconds from the navigation's start."""

    url: str
    host: str
    kind: Literal["document", "style", "script", "image", "font", "fetch", "media", "other"]
    priority: Literal["VeryHigh", "High", "Medium", "Low", "VeryLow"]
    raised: Literal["VeryHigh", "High", "Medium", "Low", "VeryLow"] | None = None
    """The priority at the end, where layout changed it."""
    protocol: Literal["h1", "h2", "h3"]
    secure: bool
    anonymous: bool = False
    """Without credentials: such requests have connections of their own."""
    initiator: Initiator
    blocking: bool = False
    """Holds the first paint."""
    script: Literal["sync", "defer", "async"] | None = None
    start_ms: Ms
    wait_ms: Annotated[Ms, Field(ge=0)]
    """From the last byte sent to the first byte of the answer, less the round trip."""
    end_ms: Ms
    sent_bytes: Annotated[int, Field(ge=0)]
    wire_bytes: Annotated[int, Field(ge=0)]
    """Head and body as they came."""


class Task(Part):
    """One piece of work of the main thread."""

    start_ms: Ms
    ms: Annotated[float, Field(ge=0)]
    """Processor time: on a shared machine the wall's is others' work, too."""
    waited_ms: Annotated[float, Field(ge=0)] = 0.0
    """What the wall's clock says more."""
    kind: Literal["commit", "parse", "script", "render", "other"]
    needs: list[Index] = []
    """Requests whose content it works on."""
    sends: list[Index] = []


class Seen(Part):
    """What a shopper saw and when, in milliseconds; None where it never came."""

    ttfb_ms: Ms | None
    fcp_ms: Ms | None
    lcp_ms: Ms | None
    load_ms: Ms | None
    idle_ms: Ms | None


class Load(Part):
    """One load of the page."""

    requests: Annotated[list[Request], Field(min_length=1, max_length=MOST_REQUESTS)]
    tasks: list[Task]
    seen: Seen
    lcp_kind: Literal["image", "text"] | None
    lcp_request: Index | None = None

    @property
    def document(self) -> int:
        """Return which request brings the document: the first, or the last of the redirects that it leads to."""
        found = 0
        for number, one in enumerate(self.requests):
            if one.initiator.kind == "redirect" and one.initiator.request == found:
                found = number
        return found

    @property
    def address(self) -> str:
        """Return the URL of the document."""
        return self.requests[self.document].url


class Recording(Part):
    """A page, loaded a few times on the same machine without throttling."""

    footfall_page: Literal[1] = 1
    url: str
    browser: str
    rtt_ms: Annotated[float, Field(ge=0)] = 0.0
    """The round trip to the shop at the time, taken off what waits were seen."""
    benchmark: Annotated[float, Field(gt=0)] | None = None
    """Lighthouse's benchmark index of the machine that recorded it."""
    loads: Annotated[list[Load], Field(min_length=1, max_length=20)]


def read_recording(path: Path, data: bytes) -> Recording:
    """Return a recording. Raises `FileFaults` with everything that is wrong."""
    try:
        made = Recording.model_validate(orjson.loads(data))
    except orjson.JSONDecodeError as error:
        raise one_fault(str(path), f"no JSON: {error}", hint="was the file cut off?") from None
    except ValidationError as error:
        raise FileFaults(
            Fault(str(path), 0, ".".join(map(str, one["loc"])), _found(one.get("input")), one["msg"])
            for one in error.errors()
        ) from None
    faults = [
        Fault(str(path), 0, f"loads.{number}", "refers to a request", "that it does not have")
        for number, load in enumerate(made.loads)
        if not _refers_to_itself(load)
    ]
    if faults:
        raise FileFaults(faults)
    return made


def _found(value: object) -> str:
    return f"{value!r}" if isinstance(value, str | int | float) else type(value).__name__


def _refers_to_itself(load: Load) -> bool:
    """Return whether every request that is named is there, and no request begins itself."""
    named = [index for task in load.tasks for index in (*task.needs, *task.sends)]
    named += [load.lcp_request] if load.lcp_request is not None else []
    parents = [(number, request.initiator.request) for number, request in enumerate(load.requests)]
    early = all(parent is None or parent < number for number, parent in parents)
    return early and all(index < len(load.requests) for index in named)


def recording_text(recording: Recording) -> bytes:
    """Return the file of a recording; times are rounded to hundredths of a millisecond."""
    return orjson.dumps(_rounded({"footfall_page": VERSION} | recording.model_dump(exclude_defaults=True))) + b"\n"


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
