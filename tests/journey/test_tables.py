"""The tables say what the rows say, in words, with null where nothing was seen."""

import numpy as np
import pyarrow as pa
import pytest

from simulator.journey.columns import BLOCK, columns_of
from simulator.journey.records import CAUSES, NEVER_US, NOT_SEEN, ONGOING
from simulator.journey.tables import (
    COLUMNS,
    SCHEMAS,
    Names,
    events_table,
    shoppers_table,
    visits_table,
)
from simulator.model.states import STATE_NAMES


@pytest.fixture(scope="module")
def rows(week, arms):
    """Return a week in two arms."""
    return week(600, arms=arms(slower={"all": 4.0}))


@pytest.fixture(scope="module")
def names(everyday):
    """Return the words of the run."""
    return Names(everyday[1], ("control", "slower"))


@pytest.fixture(scope="module")
def tables(rows, names):
    """Return the three tables."""
    return {
        "shoppers": shoppers_table(rows.shoppers, names),
        "visits": visits_table(rows.visits, rows.shoppers, rows.events, names),
        "events": events_table(rows.events, names),
    }


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_column_says_what_it_means(table, tables):
    """Each column has its type and, in the schema's metadata, its meaning; truths are marked as such."""
    assert tables[table].schema.equals(SCHEMAS[table], check_metadata=True)
    for column in COLUMNS[table]:
        assert SCHEMAS[table].field(column.name).metadata[b"meaning"].decode() == column.meaning
    truths = {column.name for column in COLUMNS[table] if column.meaning.startswith("truth")}
    assert (
        truths
        == {
            "shoppers": {
                "favourite",
                "price_sensitivity",
                "frailty",
                "visits_per_week",
                "campaign_response",
                "basket_cents",
                "orders_per_year",
                "lifetime_value_cents",
            },
            "visits": set(),
            "events": {"patience_us", "put_off_p"},
        }[table]
    )


def test_words_stand_for_the_codes(rows, tables, everyday):
    """Personas, pages, arms, causes and networks are words, those of the run's own lists."""
    events = tables["events"]
    assert events["page"].to_pylist() == [STATE_NAMES[code] for code in rows.events["state"]]
    assert events["persona"].to_pylist() == [everyday[1].personas[code] for code in rows.events["persona"]]
    assert set(events["arm"].to_pylist()) == {"control", "slower"}
    assert tables["visits"]["cause"].to_pylist() == [CAUSES[code] for code in rows.visits["cause"]]


def test_a_cause_stands_only_where_a_visit_ended(rows, tables):
    """In events the cause is null while the visit goes on, and there is one cause a visit."""
    causes = tables["events"]["cause"]
    assert causes.null_count == (rows.events["cause"] == ONGOING).sum()
    assert len(causes) - causes.null_count == len(rows.visits)


def test_nothing_seen_is_null(rows, names):
    """Load times that never came, relevance that was not observable and products before the first are null."""
    events = rows.events[:5].copy()
    events["load_us"] = events["fcp_us"] = [NEVER_US, 5, 7, NEVER_US, 9]
    events["relevance"] = [NOT_SEEN, 0.25, 1.0, NOT_SEEN, 0.0]
    events["product"], events["category"] = [-1, 3, -1, 4, 5], [-1, 0, -1, 0, 0]
    table = events_table(events, names)
    assert table["load_us"].to_pylist() == table["fcp_us"].to_pylist() == [None, 5, 7, None, 9]
    assert table["relevance"].to_pylist() == [None, 0.25, 1.0, None, 0.0]
    assert table["product"].to_pylist() == [None, 3, None, 4, 5]
    assert table["category"].to_pylist() == [None, "shoes", None, "shoes", "shoes"]


def test_a_landing_page_that_never_came_is_null(rows, names):
    """A visit whose first page was never seen has no landing load time, and still its network."""
    visits, count = rows.visits.copy(), rows.visits["pages"][0]
    visits["landing_load_us"][0] = NEVER_US
    table = visits_table(visits, rows.shoppers, rows.events, names)
    assert table["landing_load_us"].to_pylist()[0] is None
    assert table["network"].null_count == 0
    assert count >= 1


def test_visits_gather_their_events(rows, tables):
    """Landing network, last page, bounce and time of a visit are those of its own events."""
    visits, events = tables["visits"].to_pylist(), tables["events"].to_pylist()
    place = 0
    for visit in visits:
        mine = events[place : place + visit["pages"]]
        place += visit["pages"]
        assert {(event["shopper"], event["visit"], event["arm"]) for event in mine} == {
            (visit["shopper"], visit["visit"], visit["arm"])
        }
        assert (visit["network"], visit["entry"]) == (mine[0]["network"], mine[0]["page"])
        assert (visit["last"], visit["cause"]) == (mine[-1]["page"], mine[-1]["cause"])
        assert visit["bounced"] == (len(mine) == 1)
        assert visit["wall_us"] == sum(event["waited_us"] + event["think_us"] for event in mine)
        assert visit["engaged_us"] == sum(event["think_us"] for event in mine)
        assert visit["carted"] or visit["orders"] == 0
    assert place == len(events) == len(rows.events)


def test_what_follows_from_the_shopper_is_joined(rows, tables):
    """Persona, country, system and tier of visits are their shoppers' own."""
    shoppers = {row["shopper"]: row for row in tables["shoppers"].to_pylist()}
    for visit in tables["visits"].to_pylist():
        for column in ("persona", "country", "os", "tier"):
            assert visit[column] == shoppers[visit["shopper"]][column]
    assert len(shoppers) == len(rows.shoppers)


@pytest.mark.parametrize("count", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_columns_are_whole_whatever_the_block(count):
    """Rows are turned into columns block by block, and none is lost at the edges."""
    rows = np.zeros(count, [("a", "i4"), ("b", "f8"), ("c", "i8", (3,))])
    rows["a"] = np.arange(count)
    columns = columns_of(rows)
    assert columns["a"].tolist() == list(range(count))
    assert "c" not in columns


def test_no_rows_are_a_table_too(names, rows):
    """An empty run has empty tables of the same schema."""
    empty = visits_table(rows.visits[:0], rows.shoppers[:0], rows.events[:0], names)
    assert empty.num_rows == 0
    assert empty.schema == SCHEMAS["visits"]
    assert isinstance(events_table(rows.events[:0], names), pa.Table)
