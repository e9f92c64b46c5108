"""The answers beside the data: traits, hazards, counterfactuals, planted effects; and the data without them."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from simulator.analysis import estimates
from simulator.export import dataset
from simulator.export.churn import REPLAYS, chance_of_staying_away, cutoff_us
from simulator.export.dataset import Shard, play_shard, source_of, write_dataset
from simulator.export.effects import METRICS, tables_digest, truth
from simulator.export.made import Wanted, all_tables, in_one_arm, without_answers
from simulator.export.source import Source
from simulator.export.truth import STEPS, VISITS, assigned_arms, is_truth, truth_tables
from simulator.journey.closed_form import expectations
from simulator.journey.hazards import waiting_hazards
from simulator.journey.kernel import hazard_sum
from simulator.journey.plan import draw_shoppers
from simulator.journey.records import LONGEST_WAIT_US
from simulator.journey.tables import SCHEMAS
from simulator.model.states import STATE_INDEX
from simulator.scenario.load import load_scenario

SHOPPERS = 3_000
ARMS = [
    {"name": "slower", "share": 0.3, "delay": {"all": "1500ms"}},
    {"name": "pushy", "share": 0.2, "pull": {"exit": 0.8, "add_to_cart": 1.5}},
]
US = 1_000_000


@pytest.fixture(scope="module")
def scenario():
    """Return three days of shoppers in control, a slower arm, and one that pulls them on."""
    return load_scenario("demo", {"shoppers": SHOPPERS, "horizon": "3d", "arms": ARMS})


@pytest.fixture(scope="module")
def played(scenario):
    """Return their tables."""
    return play_shard(scenario, Shard(0, 0, SHOPPERS))


@pytest.fixture(scope="module")
def answers(scenario, played):
    """Return the truth tables beside them."""
    return truth_tables(source_of(scenario, played))


@pytest.fixture(scope="module")
def data(scenario, tmp_path_factory):
    """Return a data set of them with its truth, in several small shards."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SHARD_SHOPPERS", 1_100)
        write_dataset(scenario, folder, "parquet", also=("truth",))
    return folder


def column(table, name):
    """Return a column as numpy, names as text."""
    values = table[name]
    return np.array(values.to_pylist()) if pa.types.is_dictionary(values.type) else values.to_numpy()


def test_every_column_is_marked_as_truth(answers):
    """All columns of the truth tables but keys of shoppers say that they are truth, and what they mean."""
    assert answers["truth_visits"].schema.equals(VISITS)
    assert answers["truth_steps"].schema.equals(STEPS)
    plain = [f.name for table in answers.values() for f in table.schema if not is_truth(f)]
    assert set(plain) <= {"shopper", "persona"}


def test_traits_are_those_of_the_shoppers(answers, played):
    """Every latent trait of the shoppers table is there, shopper by shopper."""
    table = answers["truth_shoppers"]
    hidden = [field.name for field in SCHEMAS["shoppers"] if is_truth(field)]
    assert {"favourite", "price_sensitivity", "frailty", "visits_per_week"} <= set(hidden)
    for name in ("shopper", "persona", *hidden):
        assert table[name].equals(played["shoppers"][name])
    visits = played["visits"].filter(pc.equal(played["visits"]["arm"], "control"))
    counts = dict.fromkeys(range(SHOPPERS), 0)
    for who in visits["shopper"].to_pylist():
        counts[who] += 1
    assert table["visits"].to_pylist() == list(counts.values())


def test_churned_is_who_has_no_visit_in_the_last_third(answers, played, scenario):
    """The label is told by the visits alone, and by the same visits in every arm."""
    assert cutoff_us(scenario) == 2 * 86_400 * US
    late = column(played["visits"], "start_at_us") >= cutoff_us(scenario)
    for arm in scenario.arm_names:
        here = late & (column(played["visits"], "arm") == arm)
        back = set(column(played["visits"], "shopper")[here].tolist())
        assert column(answers["truth_shoppers"], "churned").tolist() == [who not in back for who in range(SHOPPERS)]


def test_the_chance_of_churning_is_calibrated(answers):
    """In each fifth of chances as many stay away as they say; the six figures leave it in one of 3,000 runs by luck.

    The seed of the run is not among the replays, so this is an honest forecast.
    """
    table = answers["truth_shoppers"]
    away, chance = column(table, "churned").astype(float), column(table, "churn_p")
    order = np.argsort(chance, kind="stable")
    for part in (order, *np.array_split(order, 5)):
        p = chance[part]
        spread = math.sqrt((p * (1 - p)).sum() * (1 + 1 / REPLAYS))
        assert abs(away[part].sum() - p.sum()) < 4 * spread
    assert np.corrcoef(chance, column(table, "visits_per_week"))[0, 1] < -0.5


def test_the_chance_of_churning_is_the_frequency_of_other_luck(scenario):
    """More replays tell the same, within their standard errors, and a shopper's chance hangs on nobody else."""
    drawn = draw_shoppers(scenario.population, scenario.spec.seed, 0, 200)
    few, many = (chance_of_staying_away(scenario, 0, 200, drawn, replays) for replays in (64, 256))
    spread = np.sqrt(np.maximum(many * (1 - many), 0.01) * (1 / 64 + 1 / 256))
    assert np.abs((few - many) / spread).max() < 5
    alone = chance_of_staying_away(scenario, 70, 80, drawn[70:80], 64)
    assert np.array_equal(alone, few[70:80])


def test_hazards_are_the_kernels(scenario, played, answers):
    """The hazard of each step is the kernel's cumulative hazard at its load time; frailty turns it into a chance."""
    steps, events = answers["truth_steps"], played["events"]
    frailty = column(played["shoppers"], "frailty")
    names = scenario.roster.personas
    for row in range(0, events.num_rows, 997):
        event, step = events.slice(row, 1).to_pylist()[0], steps.slice(row, 1).to_pylist()[0]
        persona = scenario.population.personas[names.index(event["persona"])]
        rate = persona["hazard_per_s"][STATE_INDEX[event["page"]]]
        fcp, load = event["fcp_us"] / US, event["load_us"] / US
        expected = hazard_sum(rate, persona["patience_shape"], persona["feedback"], fcp, load)
        assert step["hazard"] == pytest.approx(expected, rel=1e-12)
        assert step["leave_p"] == pytest.approx(
            1 - math.exp(-frailty[event["shopper"]] * expected), rel=1e-9, abs=1e-12
        )
        assert {name: event[name] for name in ("shopper", "visit", "step", "arm", "page", "nth", "cause")} == {
            name: step[name] for name in ("shopper", "visit", "step", "arm", "page", "nth", "cause")
        }


def test_nobody_waits_for_a_page_that_never_comes(scenario):
    """The hazard of a page slower than anybody waits is infinite."""
    one, never = np.zeros(1, np.int64), np.full(1, LONGEST_WAIT_US + 1)
    assert waiting_hazards(scenario.population.personas, one, one, never, never)[0] == np.inf


@pytest.mark.parametrize("arm", ["control", "slower", "pushy"])
def test_chances_of_leaving_are_met(answers, arm):
    """As many leave while waiting, and put off, as the chances of all steps add up to (4 standard errors each)."""
    steps = answers["truth_steps"].filter(pc.equal(answers["truth_steps"]["arm"], arm))
    causes = np.array([cause or "" for cause in steps["cause"].to_pylist()])
    leave = column(steps, "leave_p")
    assert abs((causes == "impatient").sum() - leave.sum()) < 4 * math.sqrt((leave * (1 - leave)).sum())
    stayed = causes != "impatient"
    put_off = column(steps, "put_off_p")[stayed].astype(float)
    assert abs((causes == "put_off").sum() - put_off.sum()) < 4 * math.sqrt((put_off * (1 - put_off)).sum())


def test_arms_stand_side_by_side(answers, played):
    """Each row has its own outcome, control's outcome of the same visit, and their difference."""
    rows = {(r["shopper"], r["visit"], r["arm"]): r for r in played["visits"].to_pylist()}
    for row in answers["truth_visits"].slice(0, 3_000).to_pylist():
        own, control = rows[row["shopper"], row["visit"], row["arm"]], rows[row["shopper"], row["visit"], "control"]
        for name in ("pages", "engaged_us", "orders", "revenue_cents"):
            assert row[name] == own[name]
            assert row[f"control_{name}"] == control[name]
            assert row[f"more_{name}"] == own[name] - control[name]
        if own["pages"] < control["pages"]:
            assert (row["lost_step"], row["lost_page"]) == (own["pages"] - 1, own["last"])
        else:
            assert row["lost_step"] is row["lost_page"] is None


def test_waiting_only_takes_away(answers):
    """With pages that take no time nobody has fewer pages, orders or engaged time, and a delay alone adds none."""
    table = answers["truth_visits"]
    for name in ("pages", "engaged_us", "orders"):
        assert np.all(column(table, f"undisturbed_{name}") >= column(table, name))
    slower = table.filter(pc.equal(table["arm"], "slower"))
    assert column(slower, "more_pages").max() == 0
    assert column(slower, "more_pages").min() < 0
    assert np.array_equal(column(slower, "lost_step") >= 0, column(slower, "more_pages") < 0)


def test_who_was_not_cut_by_waiting_lost_nothing(answers):
    """A visit that waiting did not end is the undisturbed one, page for page; one that it ended is not longer."""
    table = answers["truth_visits"]
    calm = ~column(table, "by_waiting")
    for name in ("pages", "engaged_us", "orders", "revenue_cents"):
        assert np.array_equal(column(table, name)[calm], column(table, f"undisturbed_{name}")[calm])
    causes = column(table, "cause")
    assert np.all(~calm[np.isin(causes, ["impatient", "put_off"])])
    assert np.all(calm[causes == "done"])
    by_budget = ~calm & (causes == "budget")
    assert 0 < by_budget.sum() < (causes == "budget").sum()
    assert np.all(column(table, "undisturbed_engaged_us")[~calm] >= column(table, "engaged_us")[~calm])


def test_the_step_that_was_cut_is_the_visits_last(answers):
    """Of each visit that waiting ended exactly its last step says so."""
    steps, visits = answers["truth_steps"], answers["truth_visits"]
    assert column(steps, "by_waiting").sum() == column(visits, "by_waiting").sum()
    last = np.cumsum(column(visits, "pages")) - 1
    assert np.array_equal(column(steps, "by_waiting")[last], column(visits, "by_waiting"))


def test_measured_data_has_no_truth(played, scenario):
    """A source without its scenario is refused: nobody knows the answers."""
    with pytest.raises(ValueError, match="generated data only"):
        truth_tables(Source(scenario.spec.seed, scenario.spec.reference, **played))


def test_truth_json_holds_what_was_planted(data, scenario):
    """Arms with delays, pulls and shares, segments, definitions, units and the digests of what was generated."""
    told = json.loads((data / "truth.json").read_text())
    assert told["digest"] == scenario.digest()
    assert told["tables"] == tables_digest(data)
    assert set(told["arms"]) == {"control", "slower", "pushy"}
    assert set(told["arms"]["slower"]["delay_s"].values()) == {1.5}
    assert told["arms"]["pushy"]["pull"] == {"exit": 0.8, "add_to_cart": 1.5}
    assert told["arms"]["control"] == {"share": pytest.approx(0.5), "delay_s": {}, "pull": {}}
    assert sum(size["shoppers"] for size in told["segments"].values()) == SHOPPERS
    assert set(told["metrics"]) == set(METRICS)
    assert {"lift", "closed_form", "churned", "churn_p"} <= set(told["definitions"])


def test_closed_forms_know_the_pull(data, scenario):
    """Control's figures are theory's; a delay leaves the undisturbed visit as it is; a pull changes it."""
    told = json.loads((data / "truth.json").read_text())["closed_form"]
    for index, persona in enumerate(scenario.roster.personas):
        expected = expectations(scenario.population, index)
        assert told["control"][persona]["pages"] == pytest.approx(expected.pages, rel=1e-12)
        assert told["control"][persona]["conversion"] == pytest.approx(expected.conversion, rel=1e-12)
        assert told["slower"][persona] == told["control"][persona]
        assert told["pushy"][persona]["pages"] > told["control"][persona]["pages"]


@pytest.mark.parametrize("arm", ["control", "pushy"])
def test_closed_forms_are_met_by_visits_that_nothing_disturbs(arm):
    """Pages and bounce of instant visits without a time budget are theory's, pull included (4 standard errors)."""
    scenario = load_scenario("demo", {"shoppers": 4_000, "pages": "instant", "horizon": "1d", "arms": ARMS})
    personas = scenario.population.personas
    personas["budget"]["kind"] = 0
    index = scenario.arm_names.index(arm)
    tables = play_shard(scenario, Shard(0, 0, 4_000))
    visits = tables["visits"].filter(pc.equal(tables["visits"]["arm"], arm))
    pulled = personas.copy()
    pulled["transition"] *= scenario.arms[index]["pull"]
    for place, name in enumerate(scenario.roster.personas):
        own = visits.filter(pc.equal(visits["persona"], name))
        expected = expectations(scenario.population._replace(personas=pulled), place)
        pages, who = column(own, "pages").astype(float), column(own, "shopper")
        for found, theory in ((pages, expected.pages), ((pages == 1) * 1.0, expected.bounce)):
            variance, _ = estimates.variance_of_mean(found, who)
            assert abs(found.mean() - theory) < 4 * math.sqrt(variance)


def test_averages_are_the_visits_own(data, played, scenario):
    """Means, lifts and standard errors are those that the visits table gives, clustered by shopper."""
    told = json.loads((data / "truth.json").read_text())
    visits = played["visits"]
    control = visits.filter(pc.equal(visits["arm"], "control"))
    values = {
        "pages": lambda t: column(t, "pages").astype(float),
        "engaged_time": lambda t: column(t, "engaged_us") / US,
        "bounce": lambda t: column(t, "bounced").astype(float),
        "conversion": lambda t: (column(t, "orders") > 0).astype(float),
        "orders": lambda t: column(t, "orders").astype(float),
        "revenue": lambda t: column(t, "revenue_cents").astype(float),
    }
    assert len(told["lifts"]) == 2 * 6 * (1 + len(scenario.roster.personas))
    for row in told["lifts"]:
        if row["persona"] not in (None, "bargain_hunter"):
            continue
        mine = (
            np.ones(control.num_rows, bool) if row["persona"] is None else column(control, "persona") == row["persona"]
        )
        arm = visits.filter(pc.equal(visits["arm"], row["arm"]))
        here, there = (values[row["metric"]](table)[mine] for table in (arm, control))
        who = column(control, "shopper")[mine]
        assert row["mean"] == pytest.approx(here.mean(), rel=1e-9)
        assert row["lift"] == pytest.approx((here - there).mean(), rel=1e-9, abs=1e-12)
        variance, _ = estimates.variance_of_mean(here - there, who)
        assert row["se"] == pytest.approx(math.sqrt(variance), rel=1e-6, abs=1e-12)


def test_shards_and_formats_never_show(data, scenario, tmp_path):
    """truth.json says the same from one shard or many, and from CSV, JSON lines or Parquet."""
    told = json.loads((data / "truth.json").read_text())
    for kind in ("csv", "jsonl"):
        write_dataset(scenario, tmp_path / kind, kind, also=("truth",))
        other = json.loads((tmp_path / kind / "truth.json").read_text())
        assert near(told | {"tables": ""}, other | {"tables": ""})


def near(one, other):
    """Return whether two JSON values are the same, floats to twelve digits."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(near, one, other))
    return one == (pytest.approx(other, rel=1e-9, abs=1e-12) if isinstance(other, float) else other)


def test_the_same_data_is_the_same_truth(data, scenario, tmp_path):
    """Telling the truth of a data set twice gives the same bytes; changing a table changes the digest."""
    text = (data / "truth.json").read_text()
    assert json.dumps(truth(scenario, data), indent=2, ensure_ascii=False) + "\n" == text
    shutil.copytree(data, tmp_path / "copy")
    path = tmp_path / "copy" / "truth_visits" / "part-00001.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    assert tables_digest(tmp_path / "copy") != json.loads(text)["tables"]


def test_blind_data_has_no_answers(played):
    """No column that is marked as truth is left, nor persona and cause; everything else is as it was."""
    shown = without_answers(played)
    for name, table in shown.items():
        gone = [f.name for f in played[name].schema if f.name not in table.column_names]
        assert gone == [f.name for f in played[name].schema if is_truth(f) or f.name in {"persona", "cause"}]
        assert table.equals(played[name].select(table.column_names))
    assert {"favourite", "frailty", "patience_us", "put_off_p"}.isdisjoint(
        {name for table in shown.values() for name in table.column_names}
    )


def test_blind_data_has_each_shopper_in_one_arm(played, scenario):
    """Of each visit the assigned arm alone is shown, in the shares of the arms; the rows are those of the whole."""
    shown = in_one_arm(source_of(scenario, played))
    arms = assigned_arms(scenario, np.arange(SHOPPERS))
    for name in ("visits", "events"):
        whole, part = played[name], getattr(shown, name)
        mine = column(whole, "arm") == np.array(scenario.arm_names)[arms][column(whole, "shopper")]
        assert part.equals(whole.filter(pa.array(mine)))
    counts = np.bincount(arms) / SHOPPERS
    assert counts == pytest.approx([0.5, 0.3, 0.2], abs=4 * 0.5 / math.sqrt(SHOPPERS))


def test_blind_data_is_blind_in_its_parts_too(played, scenario):
    """Parts are made of the arm that is shown, and lose their answers as the tables do."""
    made = all_tables(source_of(scenario, played), Wanted(("delivered",), blind=True))
    assert set(made) == {"shoppers", "visits", "events", "delivered"}
    assert made["delivered"].num_rows == made["events"].num_rows
    assert not [f.name for table in made.values() for f in table.schema if is_truth(f) or f.name == "persona"]
