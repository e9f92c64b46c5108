"""The answers beside the data: who the shoppers are, what made them leave, what each arm would have done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from simulator.export.churn import chance_of_staying_away, cutoff_us, stays_away
from simulator.export.columns import blanked, codes
from simulator.export.source import Part
from simulator.journey.arms import choose_arm
from simulator.journey.hazards import waiting_hazards
from simulator.journey.plan import Plan, draw_shoppers
from simulator.journey.records import CAUSES, NEVER_US
from simulator.journey.tables import CODE, NAME
from simulator.model.states import STATE_INDEX
from simulator.page.card import compile_pages, page_file
from simulator.worlds.crowd import World, play

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simulator.export.source import Source
    from simulator.scenario.load import Scenario

OUTCOMES = {"pages": "pages", "engaged_us": "engaged_us", "orders": "orders", "revenue_cents": "revenue_cents"}
"""What an arm does to a visit: column of the truth → field of a played visit."""
BY_WAITING = ("impatient", "put_off")


def _fields(*columns: tuple[str, pa.DataType, str]) -> pa.Schema:
    return pa.schema([pa.field(name, kind, metadata={"meaning": f"truth: {told}"}) for name, kind, told in columns])


KEY = (("shopper", pa.int64(), "who"), ("visit", pa.int32(), "which of their visits"), ("arm", CODE, "treatment"))
STEPS = _fields(
    *KEY,
    ("step", pa.int32(), "which page of the visit, from 0"),
    ("page", CODE, "state"),
    ("nth", pa.int16(), "how often this state was entered before in the visit"),
    ("patience_us", pa.int32(), "how long this shopper would have waited for this page"),
    ("hazard", pa.float64(), "cumulative hazard of leaving before this page was usable, for an average shopper"),
    ("leave_p", pa.float64(), "chance that this shopper leaves while waiting: 1 − exp(−frailty · hazard)"),
    ("put_off_p", pa.float32(), "chance of leaving after the page because of this and earlier waits"),
    ("cause", CODE, "why the visit ended here; null while it goes on"),
    ("by_waiting", pa.bool_(), "the visit ended here because of waiting, as in truth_visits"),
)
VISITS = _fields(
    *KEY,
    ("persona", NAME, "kind of shopper"),
    ("assigned", pa.bool_(), "this is the arm that the shopper is in where each is in one"),
    ("cause", CODE, "why the visit ended in this arm"),
    ("by_waiting", pa.bool_(), "impatient, put off, or out of time that waiting had used up"),
    *(
        (f"{prefix}{name}", pa.int64(), f"{told}{name}")
        for name in OUTCOMES
        for prefix, told in (
            ("", "in this arm: "),
            ("control_", "in control: "),
            ("more_", "in this arm less control: "),
        )
    ),
    *((f"undisturbed_{name}", pa.int64(), f"with pages that take no time: {name}") for name in OUTCOMES),
    ("lost_step", pa.int32(), "the step that lost pages against control, the last of this arm; null where none was"),
    ("lost_page", CODE, "its state"),
)


def truth_tables(source: Source) -> dict[str, pa.Table]:
    """Return the tables `truth_shoppers`, `truth_visits` and `truth_steps` of a shard.

    Raises `ValueError` for a source without a scenario: what was measured of real pages has no answers.
    """
    if source.scenario is None:
        raise ValueError("truth is known of generated data only")
    visits = _visits(source, source.scenario)
    return {
        "truth_shoppers": _shoppers(source, source.scenario),
        "truth_visits": visits,
        "truth_steps": _steps(source, source.scenario, visits),
    }


PART = Part("truth", "traits, hazards and counterfactuals, and truth.json with the planted effects", truth_tables)


def assigned_arms(scenario: Scenario, shoppers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the arm of each shopper where each is in one, as in a real experiment."""
    return np.array([choose_arm(scenario.arms, scenario.spec.seed, int(who)) for who in shoppers], np.int64)


def _shoppers(source: Source, scenario: Scenario) -> pa.Table:
    """Return the latent traits, which are the columns of the shoppers table that are marked so, and who stays away."""
    table = source.shoppers
    who = table["shopper"].to_numpy()
    first, last = (int(who[0]), int(who[-1]) + 1) if len(who) else (0, 0)
    arm, start = codes(source.visits["arm"], scenario.arm_names), source.visits["start_at_us"].to_numpy()
    plan = Plan(source.visits["shopper"].to_numpy(), source.visits["visit"].to_numpy(), arm, start)
    drawn = draw_shoppers(scenario.population, scenario.spec.seed, first, last)
    away = stays_away(plan, first, last, cutoff_us(scenario))
    chance = chance_of_staying_away(scenario, first, last, drawn)
    traits = [name for name in table.column_names if name in ("shopper", "persona") or is_truth(table.field(name))]
    assigned = pa.DictionaryArray.from_arrays(
        assigned_arms(scenario, who).astype(np.int8), pa.array(scenario.arm_names)
    )
    made = table.select(traits)
    for name, column, told in (
        ("assigned_arm", assigned, "the arm that the shopper is in where each is in one"),
        ("visits", pa.array(_visit_counts(plan, first, last)), "visits in the horizon"),
        ("churned", pa.array(away), "no visit starts in the last third of the horizon"),
        ("churn_p", pa.array(chance), "chance of that for this shopper, over other luck in when they come"),
    ):
        field = pa.field(name, column.type, metadata={"meaning": f"truth: {told}"})
        made = made.append_column(field, column)
    return made


def _visit_counts(plan: Plan, first: int, last: int) -> NDArray[np.int64]:
    once = plan.arm == plan.arm.min(initial=0)
    return np.bincount(plan.shopper[once] - first, minlength=last - first)


def is_truth(field: pa.Field) -> bool:
    """Return whether a column is an answer: its meaning begins with `truth:`."""
    return bool((field.metadata or {}).get(b"meaning", b"").startswith(b"truth:"))


def _visits(source: Source, scenario: Scenario) -> pa.Table:
    """Return what each visit did in its arm, beside control and beside pages that take no time."""
    visits = source.visits
    arm = codes(visits["arm"], scenario.arm_names)
    who, which = visits["shopper"].to_numpy(), visits["visit"].to_numpy()
    control = _control_rows(who, which, arm)
    cause = codes(visits["cause"], CAUSES)
    twins = undisturbed(scenario, Plan(who, which.astype(np.int64), arm, visits["start_at_us"].to_numpy()))
    here = {name: visits[name].to_numpy().astype(np.int64) for name in OUTCOMES}
    there = {name: values[control] for name, values in here.items()}
    columns: dict[str, Any] = {"shopper": who, "visit": which, "arm": visits["arm"], "persona": visits["persona"]}
    columns |= {"cause": visits["cause"], "assigned": arm == np.repeat(*_by_shopper(scenario, who))}
    columns |= here | {f"control_{name}": values for name, values in there.items()}
    columns |= {f"more_{name}": here[name] - there[name] for name in OUTCOMES}
    columns |= {f"undisturbed_{name}": twins[field].astype(np.int64) for name, field in OUTCOMES.items()}
    columns["by_waiting"] = np.isin(cause, [CAUSES.index(name) for name in BY_WAITING]) | (
        (cause == CAUSES.index("budget")) & (columns["undisturbed_pages"] > here["pages"])
    )
    kept_all = here["pages"] >= there["pages"]
    columns["lost_step"] = pa.array((here["pages"] - 1).astype(np.int32), mask=kept_all)
    columns["lost_page"] = blanked(visits["last"], kept_all)
    return _table(VISITS, columns)


def undisturbed(scenario: Scenario, plan: Plan) -> NDArray[Any]:
    """Return the VISIT rows of a plan played with pages that take no time, each in its own arm but for its delays."""
    arms = scenario.arms.copy()
    arms["delay_us"] = 0
    instant = compile_pages(page_file(), instant=True)
    return play(World(scenario.population, instant, arms, scenario.spec.seed), plan).visits


def _control_rows(who: NDArray[np.int64], which: NDArray[np.int32], arm: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each row the position of the same visit's row in control; arms of a visit stand side by side."""
    starts = np.flatnonzero(np.append(True, (who[1:] != who[:-1]) | (which[1:] != which[:-1]))) if len(who) else who
    group = np.cumsum(np.isin(np.arange(len(who)), starts)) - 1
    control = np.flatnonzero(arm == 0)
    assert np.array_equal(group[control], np.arange(len(starts))), "every visit is played in control"
    rows: NDArray[np.int64] = control[group]
    return rows


def _by_shopper(scenario: Scenario, who: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    shoppers, rows = np.unique(who, return_counts=True)
    return assigned_arms(scenario, shoppers), rows


def _steps(source: Source, scenario: Scenario, visits: pa.Table) -> pa.Table:
    """Return the hazards of each step. Visits and events stand in the same order."""
    events, pages = source.events, source.visits["pages"].to_numpy()
    fcp, load = (events[name].fill_null(NEVER_US).to_numpy().astype(np.int64) for name in ("fcp_us", "load_us"))
    persona = codes(events["persona"], scenario.roster.personas)
    state = codes(events["page"], tuple(STATE_INDEX))
    hazards = waiting_hazards(scenario.population.personas, persona, state, fcp, load)
    place = np.searchsorted(source.shoppers["shopper"].to_numpy(), events["shopper"].to_numpy())
    with np.errstate(invalid="ignore"):  # nobody without frailty leaves, however long the page takes
        leave = -np.expm1(-source.shoppers["frailty"].to_numpy()[place] * hazards)
    ended = np.zeros(events.num_rows, np.bool_)
    ended[np.cumsum(pages) - 1] = visits["by_waiting"].to_numpy()
    columns = {name: events[name] for name in STEPS.names if name in events.column_names}
    return _table(STEPS, columns | {"hazard": hazards, "leave_p": np.nan_to_num(leave), "by_waiting": ended})


def _table(schema: pa.Schema, columns: dict[str, Any]) -> pa.Table:
    arrays = [columns[field.name] for field in schema]
    made = [pa.array(values) if isinstance(values, np.ndarray) else values for values in arrays]
    return pa.Table.from_arrays([array.cast(f.type) for array, f in zip(made, schema, strict=True)], schema=schema)
