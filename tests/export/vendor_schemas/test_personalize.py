"""Amazon Personalize's three datasets against the documented columns, Avro types and quotas."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter

import pyarrow as pa
import pytest

from simulator.export.products import product_facts
from simulator.export.vendors.personalize import FIELDS, PART, avro_schema, interactions, items, users
from simulator.export.vendors.vocabulary import WORDS
from simulator.model.faults import FileFaults
from simulator.runfolder.tables import write_table

DATASETS = tuple(FIELDS)


@pytest.fixture(scope="module")
def asked(published):
    """Return what Personalize asks for."""
    return published("personalize")


@pytest.fixture(scope="module")
def tables(shard):
    """Return the demo's datasets."""
    return {"interactions": interactions(shard), "users": users(shard), "items": items()}


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_avro_schema_is_as_documented(asked, dataset):
    """Name, namespace, required and reserved fields with their types; own texts are marked categorical."""
    schema, wanted = json.loads(json.dumps(avro_schema(dataset))), asked[dataset]
    assert (schema["type"], schema["name"], schema["version"]) == ("record", dataset.capitalize(), "1.0")
    assert schema["namespace"] == asked["namespace"]
    fields = {field["name"]: field for field in schema["fields"]}
    for name, kind in wanted["required"].items():
        assert fields[name]["type"] == kind
        assert fields[name].get("categorical", False) == (name in wanted.get("categorical", ()))
    for name in set(wanted["reserved"]) & set(fields):
        assert fields[name]["type"] == wanted["reserved"][name]
        assert fields[name].get("textual", False) == (name in wanted.get("textual", ()))
    own = [field for name, field in fields.items() if name not in wanted["required"] | wanted["reserved"]]
    assert all(field["type"] != "string" or field["categorical"] for field in own)
    assert wanted.get("least_metadata", 0) <= len(own) <= wanted["most_metadata"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_columns_stand_in_the_order_of_the_schema(tables, dataset):
    """The file's columns are those of the schema, in its order, with values of its types; only what may be null is."""
    fields = avro_schema(dataset)["fields"]
    table = tables[dataset]
    assert table.column_names == [field["name"] for field in fields]
    types = {"string": pa.string(), "long": pa.int64(), "float": pa.float64()}
    for field in fields:
        kind = field["type"]
        nullable = isinstance(kind, list)
        assert table.schema.field(field["name"]).type == types[kind[0] if nullable else kind]
        assert nullable or table[field["name"]].null_count == 0


def test_quotas_hold(tables, asked):
    """Event types and metadata together, lengths of ids and values stay within the quotas."""
    wanted, table = asked["interactions"], tables["interactions"]
    kinds = set(table["EVENT_TYPE"].to_pylist())
    assert set(wanted["events"]) <= {word.personalize for word in WORDS.values()}
    own = [name for name in table.column_names if name not in {*wanted["required"], *wanted["reserved"]}]
    every_kind = {word.personalize for word in WORDS.values() if word.personalize}
    assert kinds <= every_kind
    assert len(every_kind) + len(own) + len({"EVENT_TYPE", "EVENT_VALUE"}) <= wanted["most_types_and_metadata"]
    for dataset in tables.values():
        for name in dataset.column_names:
            most = asked["most_characters"]["id" if name.endswith("_ID") else "value"]
            if dataset.schema.field(name).type == pa.string():
                assert max(len(value or "") for value in dataset[name].to_pylist()) <= most


def test_keys_hold(tables):
    """Every interaction is of a user and an item that the other files have, each of them once."""
    known_users, known_items = (tables[d][k].to_pylist() for d, k in (("users", "USER_ID"), ("items", "ITEM_ID")))
    assert len(set(known_users)) == len(known_users)
    assert len(set(known_items)) == len(known_items) == 1_200
    assert set(tables["interactions"]["USER_ID"].to_pylist()) <= set(known_users)
    assert set(tables["interactions"]["ITEM_ID"].to_pylist()) <= set(known_items)


def test_times_are_seconds_of_the_run(tables, shard):
    """TIMESTAMP is in seconds since 1970, within the week of the run and the visits that outlast it."""
    start = int(shard.reference.timestamp())
    times = tables["interactions"]["TIMESTAMP"].to_pylist()
    assert start <= min(times)
    assert max(times) < start + 8 * 86_400


def test_an_order_is_one_interaction_a_line(walked):
    """Two products, one of them twice, are two purchases, worth price times quantity."""
    rows = [row for row in interactions(walked).to_pylist() if row["EVENT_TYPE"] == "Purchase"]
    price = product_facts()["price_cents"].to_pylist()
    assert [(row["ITEM_ID"], row["EVENT_VALUE"]) for row in rows] == [
        ("SHO-0007", pytest.approx(2 * price[7] / 100)), ("JAC-0050", pytest.approx(price[250] / 100)),
    ]  # fmt: skip


def test_a_walk_has_each_kind_of_interaction(walked):
    """Every step that Personalize has a word for is there, and only those are."""
    counts = Counter(interactions(walked)["EVENT_TYPE"].to_pylist())
    assert counts == {"View": 4, "AddToCart": 4, "Share": 1, "ViewInAR": 1, "Purchase": 2}


def test_an_impression_holds_the_item(tables):
    """The item was among those shown, which are all different; a list's are ten."""
    lengths = Counter()
    for row in tables["interactions"].to_pylist():
        shown = row["IMPRESSION"].split("|")
        assert row["ITEM_ID"] in shown
        assert len(set(shown)) == len(shown)
        lengths[len(shown)] += 1
    assert set(lengths) == {1, 10}


def test_only_what_was_recommended_has_a_recommendation(walked):
    """Of the walk's four products the one after the recommendations has their id."""
    rows = [row for row in interactions(walked).to_pylist() if row["EVENT_TYPE"] == "View"]
    assert [row["RECOMMENDATION_ID"] is not None for row in rows] == [False, False, True, False]


def test_who_does_not_allow_personalization_is_in_no_file(make):
    """Neither interactions nor the user are there."""
    source = make.source([make.shopper(personalization=False)], make.events())
    assert interactions(source).num_rows == users(source).num_rows == 0


def test_products_are_written_once(shard, make):
    """Only the shard with shopper 0 has the items, which are the same for all."""
    assert set(PART.make(shard)) == {"personalize_interactions", "personalize_users", "personalize_items"}
    other = make.source([make.shopper(shopper=20_000)], make.events(shopper=20_000))
    assert set(PART.make(other)) == {"personalize_interactions", "personalize_users"}


def test_the_csv_is_what_personalize_imports(walked, tmp_path):
    """The first line names the columns, numbers are plain, what is null is empty."""
    write_table(interactions(walked), tmp_path / "t.csv", "csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8"))))
    assert list(rows[0]) == [name for name, *_ in FIELDS["interactions"]]
    assert rows[0]["TIMESTAMP"].isdigit()
    assert {row["EVENT_VALUE"] == "" for row in rows if row["EVENT_TYPE"] != "Purchase"} == {True}


def test_two_arms_are_two_users(make):
    """A shopper played in two arms is a user in each, in both files."""
    walk = [("product", 7)]
    source = make.source([make.shopper()], [*make.events(walk=walk), *make.events(walk=walk, arm="slow")])
    assert (
        interactions(source)["USER_ID"].to_pylist() == users(source)["USER_ID"].to_pylist() == ["ff-7-0", "ff-7-0-slow"]
    )


def test_a_missing_column_is_named(walked, make):
    """The error says which part needs the column."""
    source = make.with_tables(walked, events=walked.events.drop_columns(["product"]))
    with pytest.raises(FileFaults, match="events table: product is missing, but personalize is made from it"):
        interactions(source)
