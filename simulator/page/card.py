"""Page cards: what each state's page calls and weighs, and how long an unloaded server takes for each operation."""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.model.compiled import record_dtype
from simulator.model.distributions import DIST, AnyDistribution, Constant, TableBook
from simulator.model.library import library_folder
from simulator.model.states import STATE_NAMES
from simulator.model.units import Share
from simulator.model.yamlfile import read_yaml, validate

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPERATIONS = (
    "session", "identify", "home", "search", "suggest", "category", "product", "recommend", "rank", "next_action",
    "offers", "geofence", "store_near", "price", "decide", "exposure", "track", "push_register", "push_receipt",
    "consent_set", "login", "auth_begin", "auth_finish", "loyalty_balance", "loyalty_earn", "loyalty_redeem", "content",
    "ar_asset", "support", "cart", "add_to_cart", "remove_from_cart", "checkout", "payment", "purchase", "share",
    "push_send", "push_fetch", "share_open",
)  # fmt: skip
"""The canonical operations; a target file maps each to a request."""
Operation = Literal[OPERATIONS]  # type: ignore[valid-type] # a Literal of one tuple, so that the names stand once
PLACEMENTS = ("blocking", "lcp", "deferred")
Placement = Literal["blocking", "lcp", "deferred"]
"""How a call matters: `blocking` holds the first byte, `lcp` holds the main content, `deferred` holds nothing."""
Bytes = Annotated[int, Field(ge=0)]


class Call(BaseModel):
    """One operation of a page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    op: Operation
    placement: Placement
    share: Annotated[
        Share, Field(description="of deferred calls: how often the page makes it; 1 unless told, 0 is no call")
    ] = 1.0

    @model_validator(mode="after")
    def _holds_always(self) -> Call:
        if self.share < 1 and self.placement != "deferred":
            raise ValueError("only deferred calls have a share: what holds a page is always there")
        return self


class PageCard(BaseModel):
    """A page's calls and weights: bytes until FCP, until LCP, and script work in kB."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: Annotated[list[Call], Field(max_length=8)]
    document_bytes: Bytes
    critical_bytes: Bytes
    content_bytes: Bytes
    script_kb: Annotated[float, Field(ge=0)]
    warm_share: Annotated[Share, Field(description="share of critical bytes and script work left on a warm page")] = 0.2
    evidence: str | None = None


class PageFile(BaseModel):
    """Cards by state, and the server's time by operation when nobody waits for anybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    evidence: str
    pages: dict[Literal[STATE_NAMES], PageCard]  # type: ignore[valid-type] # as above
    server: dict[Operation, AnyDistribution]


@cache
def page_file() -> PageFile:
    """Return the shipped cards."""
    return validate(PageFile, read_yaml(library_folder("personas") / "pages.yaml"))


MOST_CALLS = 8
"""Calls a page may have."""
PAGE = record_dtype(
    [
        ("document_bytes", "f8"),
        ("critical_bytes", "f8"),
        ("content_bytes", "f8"),
        ("script_kb", "f8"),
        ("warm_share", "f8"),
        ("has_lcp_call", "i8"),
        ("instant", "i8"),
        ("calls", "i8"),
        ("operation", "i8", (MOST_CALLS,)),
        ("placement", "i8", (MOST_CALLS,)),
        ("share", "f8", (MOST_CALLS,)),
        ("made_key", "u8", (MOST_CALLS,)),
        ("service", DIST, (MOST_CALLS,)),
        ("service_key", "u8", (MOST_CALLS,)),
    ]
)
"""One row a state, in the order of `STATE_NAMES`; an `instant` page takes no time at all.

`share` is how often the page makes each call, `made_key` the purpose of the draw that decides it; `service` the
unloaded server's time for each call, a compiled distribution in seconds, `service_key` the purpose of its draw.
"""
BLOCKING, LCP, DEFERRED = range(len(PLACEMENTS))


class Pages(NamedTuple):
    """Cards for the kernel."""

    cards: NDArray[Any]
    """(S,) of PAGE."""
    tables: NDArray[Any]
    """(1,) of TABLES."""


def made_purpose(operation: str) -> int:
    """Return the key of the draw that decides whether a page makes a call that it does not always make."""
    return zlib.crc32(f"made.{operation}".encode())


def service_purpose(operation: str) -> int:
    """Return the key of the draw for the server's time of an operation."""
    return zlib.crc32(f"service.{operation}".encode())


def compile_pages(file: PageFile, *, instant: bool = False) -> Pages:
    """Return the cards as arrays; `instant` pages take no time, for checks against closed forms."""
    book, cards = TableBook(), np.zeros(len(STATE_NAMES), PAGE)
    nothing = Constant(dist="constant", value=0.0)
    for row, state in zip(cards, STATE_NAMES, strict=True):
        card = file.pages[state]
        for name in ("document_bytes", "critical_bytes", "content_bytes", "script_kb", "warm_share"):
            row[name] = getattr(card, name)
        row["has_lcp_call"] = any(call.placement == "lcp" for call in card.calls)
        row["instant"], row["calls"] = instant, len(card.calls)
        for place, call in enumerate(card.calls):
            row["operation"][place] = OPERATIONS.index(call.op)
            row["placement"][place] = PLACEMENTS.index(call.placement)
            row["share"][place], row["made_key"][place] = call.share, made_purpose(call.op)
            row["service"][place] = book.row(nothing if instant else file.server.get(call.op, nothing))
            row["service_key"][place] = service_purpose(call.op)
    return Pages(cards, book.tables())
