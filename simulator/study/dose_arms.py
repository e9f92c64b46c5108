"""Changes compiled to what the kernel plays: each arm's personas, page cards, delays and devices beside control's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import norm

from simulator.journey.arms import CONTROL, compile_arms
from simulator.model.distributions import (
    CONSTANT,
    EXPONENTIAL,
    LOGNORMAL,
    MOST_TABLES,
    TABLE,
    TABLE_SCORES,
    UNIFORM,
    WEIBULL,
    TableBook,
    sample,
)
from simulator.model.faults import COMMAND_LINE, Fault, FileFaults, suggestion
from simulator.model.networks import network_table
from simulator.model.schema import TECHNOLOGIES
from simulator.model.states import STATE_NAMES
from simulator.page.card import LCP, OPERATIONS, PLACEMENTS
from simulator.study.dose_change import ALL, Amount, Change, Link, Server
from simulator.worlds.paired import Arms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from simulator.worlds.crowd import World

LEAST_S = 1e-9
"""A shifted law is never shorter: tables hold logarithms, and a nanosecond is no microsecond."""


def compile_changes(world: World, changes: Sequence[Change]) -> Arms:
    """Return control and an arm for each change. Raises `FileFaults` with every fault of every change."""
    found = [fault for change in changes for fault in _faults(change)]
    if found:
        raise FileFaults(found)
    population, pages = world.population, world.pages
    tables, page_tables = population.tables.copy(), pages.tables.copy()
    personas, cards, of_personas, of_cards = [population.personas], [pages.cards], [0], [0]
    for change in changes:
        of_personas.append(len(personas) if change.link else 0)
        if change.link:
            personas.append(_linked(population.personas, tables, change.link))
        carded = bool(change.pages or change.placements or change.server)
        of_cards.append(len(cards) if carded else 0)
        if carded:
            changed, page_tables = _carded(pages.cards, page_tables, change)
            cards.append(changed)
    delays = ((change.name, change.delay_s) for change in changes)
    cpu = [Amount(), *(change.cpu for change in changes)]
    return Arms(
        np.array(personas),
        tables,
        np.array(cards),
        page_tables,
        compile_arms([(CONTROL, 1.0, {}, {}), *((name, 0.0, seconds, {}) for name, seconds in delays)]),
        np.array(of_personas),
        np.array(of_cards),
        np.array([(0.0, one.replace) if one.replace is not None else (one.factor, 0.0) for one in cpu]),
    )


def _linked(before: NDArray[Any], tables: NDArray[Any], link: Link) -> NDArray[Any]:
    """Return personas on other links; laws that need a table have it added to `tables`."""
    personas = before.copy()
    promoted = ("rtt_ms", "down_kbps", "up_kbps", "promotion_s", "good_loss", "bad_loss", "burst_share")
    for row, old in zip(personas, before, strict=True):
        for place, name in enumerate(TECHNOLOGIES):
            other = TECHNOLOGIES.index(link.swap.get(name, name))  # type: ignore[call-overload] # its keys are these
            for column in promoted:
                row[column][place] = old[column][other]
            if link.profile is not None:
                profile = network_table().profiles[link.profile]
                for column in ("rtt_ms", "down_kbps", "up_kbps"):
                    row[column][place] = (CONSTANT, getattr(profile, column), 0.0, -math.inf, math.inf)
            rtt, down, loss = (_of(factors, name, 1.0) for factors in (link.rtt, link.down, link.loss))
            row["rtt_ms"][place] = scaled(row["rtt_ms"][place], tables, rtt)
            row["down_kbps"][place] = scaled(row["down_kbps"][place], tables, down)
            for column in ("good_loss", "bad_loss"):
                row[column][place] = min(1.0, loss * row[column][place])
    return personas


def _carded(before: NDArray[Any], tables: NDArray[Any], change: Change) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the cards of a change and the tables with what its servers need."""
    cards = before.copy()
    for name, row in zip(STATE_NAMES, cards, strict=True):
        for column, amount in {**change.pages.get(ALL, {}), **change.pages.get(name, {})}.items():
            row[column] = amount.of(float(row[column]))
        row["warm_share"] = min(1.0, row["warm_share"])
        for place in range(row["calls"]):
            operation = OPERATIONS[row["operation"][place]]
            if (where := _of(change.placements, operation, None)) is not None:
                row["placement"][place] = PLACEMENTS.index(where)
                # What holds a page is always called for.
                row["share"][place] = row["share"][place] if where == "deferred" else 1.0
            server = _of(change.server, operation, None)
            # An instant page's calls take no time, and keep to that.
            if server is not None and not row["instant"]:
                tables, row["service"][place] = served(row["service"][place], tables, server)
        row["has_lcp_call"] = bool((row["placement"][: row["calls"]] == LCP).any())
    return cards, tables


def _of(named: Mapping[str, Any], name: str, otherwise: Any) -> Any:  # noqa: ANN401 - whatever the mapping holds
    return named.get(name, named.get(ALL, otherwise))


def served(law: Any, tables: NDArray[Any], server: Server) -> tuple[NDArray[Any], Any]:  # noqa: ANN401 - rows of DIST
    """Return (tables, law) of an operation's time on a changed server."""
    if server.law is not None:
        book = TableBook(tables)
        law = np.array(book.row(server.law), law.dtype)[()]
        tables = book.tables()
    return tables, shifted(scaled(law, tables, server.factor), tables, server.add_s)


def scaled(law: Any, tables: NDArray[Any], factor: float) -> Any:  # noqa: ANN401 - rows of DIST
    """Return the law of `factor` times a quantity; one that needs a table has it added to `tables`."""
    new = law.copy()
    if factor == 1.0:
        return new
    for bound in ("low", "high"):
        new[bound] = law[bound] * factor if math.isfinite(law[bound]) else law[bound]
    kind = int(law["kind"])
    if kind in (CONSTANT, UNIFORM, EXPONENTIAL):
        new["a"], new["b"] = law["a"] * factor, law["b"] * factor
    elif kind == WEIBULL:
        new["b"] = law["b"] * factor
    elif kind == LOGNORMAL and factor > 0:
        new["a"] = law["a"] + math.log(factor)
    elif kind == LOGNORMAL:
        new["kind"], new["a"], new["b"] = CONSTANT, 0.0, 0.0
    elif kind == TABLE:
        new["a"] = _table(tables, tables[0]["rows"][int(law["a"])] + math.log(max(factor, LEAST_S)))
    return new


def shifted(law: Any, tables: NDArray[Any], add: float) -> Any:  # noqa: ANN401 - rows of DIST
    """Return the law of a quantity plus `add`, not below zero, as a table of its own; see `model.distributions`."""
    if add == 0.0:
        return law
    values = np.array([sample(law, tables[0], u) for u in norm.cdf(TABLE_SCORES)]) + add
    new = law.copy()
    new["kind"], new["b"], new["low"], new["high"] = TABLE, 0.0, 0.0, math.inf
    new["a"] = _table(tables, np.log(np.maximum(values, LEAST_S)))
    return new


def _table(tables: NDArray[Any], logs: NDArray[np.float64]) -> int:
    place = int(tables[0]["used"])
    if place == MOST_TABLES:
        raise FileFaults([_fault("changes", "need more laws than there is room for", f"at most {MOST_TABLES}")])
    tables[0]["rows"][place] = logs
    tables[0]["used"] += 1
    return place


def _faults(change: Change) -> Iterator[Fault]:
    """Yield what is wrong with a change."""
    yield from _names(change, "delay_s", change.delay_s, STATE_NAMES)
    yield from _names(change, "pages", change.pages, STATE_NAMES)
    yield from _names(change, "placements", change.placements, OPERATIONS)
    yield from _names(change, "server", change.server, OPERATIONS)
    amounts = {f"pages.{state}.{name}": one for state, row in change.pages.items() for name, one in row.items()}
    for name, value in change.delay_s.items():
        if not math.isfinite(value):
            yield _fault(f"{change.name}: delay_s.{name}", f"is {value:g}", "must be a number of seconds")
    values = {name: one.factor if one.replace is None else one.replace for name, one in amounts.items()}
    values |= {f"server.{name}.factor": one.factor for name, one in change.server.items()}
    yield from _values(change, values, above=False)
    yield from _values(change, {"cpu": change.cpu.of(1.0)}, above=True)
    for name, one in change.server.items():
        if not math.isfinite(one.add_s):
            yield _fault(f"{change.name}: server.{name}.add_s", f"is {one.add_s:g}", "must be a number of seconds")
    for name, place in change.placements.items():
        yield from _one_of(f"{change.name}: placements.{name}", place, PLACEMENTS)
    if change.link is not None:
        yield from _link_faults(change, change.link)


def _link_faults(change: Change, link: Link) -> Iterator[Fault]:
    yield from _names(change, "link.swap", link.swap, TECHNOLOGIES)
    for name, other in link.swap.items():
        yield from _one_of(f"{change.name}: link.swap.{name}", other, TECHNOLOGIES)
    if link.profile is not None:
        yield from _one_of(f"{change.name}: link.profile", link.profile, tuple(network_table().profiles))
    for what, factors in (("rtt", link.rtt), ("down", link.down), ("loss", link.loss)):
        yield from _names(change, f"link.{what}", factors, TECHNOLOGIES)
        named = {f"link.{what}.{name}": value for name, value in factors.items()}
        yield from _values(change, named, above=what != "loss")


def _names(change: Change, what: str, named: Iterable[str], known: tuple[str, ...]) -> Iterator[Fault]:
    for name in named:
        if name != ALL:
            yield from _one_of(f"{change.name}: {what}", name, known)


def _one_of(where: str, name: str, known: tuple[str, ...]) -> Iterator[Fault]:
    if name not in known:
        yield _fault(where, f"names {name}", f"allowed are {', '.join(known)}", suggestion(name, known))


def _values(change: Change, values: Mapping[str, float], *, above: bool) -> Iterator[Fault]:
    for name, value in values.items():
        if not math.isfinite(value) or value < 0 or (above and value == 0):
            allowed = "must be above 0" if above else "must be 0 or more"
            yield _fault(f"{change.name}: {name}", f"is {value:g}", allowed)


def _fault(path: str, found: str, allowed: str, hint: str = "") -> Fault:
    return Fault(COMMAND_LINE, 0, path, found, allowed, hint)
