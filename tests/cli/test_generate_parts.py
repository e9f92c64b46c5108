"""`footfall generate --also`: the relational set with the people in it, or without, and the same for any workers."""

from __future__ import annotations

import csv
import json
import re

import pyarrow.parquet as pq

from simulator.runfolder.files import sha256

RELATIONAL = {"devices", "orders", "order_lines", "products", "push_messages", "experiments"}
BASE = {"shoppers", "visits", "events"}


def tables(folder):
    """Return the names of the tables that a folder holds."""
    return {path.name for path in folder.iterdir() if path.is_dir()}


def test_the_relational_set_has_the_people_in_it(footfall, tmp_path):
    """One option brings all tables; the manifest lists each with its rows and digest."""
    said = footfall("generate", "--shoppers", 120, "--also", "relational", "--out", tmp_path / "d")
    assert said.code == 0, said.err
    assert tables(tmp_path / "d") == BASE | RELATIONAL | {"people"}
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    assert set(manifest["tables"]) == tables(tmp_path / "d")
    for entries in manifest["tables"].values():
        for entry in entries:
            assert entry["rows"] == pq.read_metadata(tmp_path / "d" / entry["file"]).num_rows
            assert entry["sha256"] == sha256(tmp_path / "d" / entry["file"])


def test_without_personal_data_there_is_none(footfall, tmp_path):
    """With --no-pii no file holds an e-mail address, a phone, a card number or anybody's name."""
    options = ("generate", "--shoppers", 120, "--also", "relational", "--format", "csv")
    assert footfall(*options, "--out", tmp_path / "with").code == 0
    assert footfall(*options, "--out", tmp_path / "without", "--no-pii").code == 0
    assert tables(tmp_path / "without") == BASE | RELATIONAL
    with (tmp_path / "with" / "people" / "part-00000.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    personal = {
        row[name] for row in people for name in ("name", "email", "phone", "card_number", "street", "customer_id")
    }
    cells = set()
    for path in (tmp_path / "without").rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells |= {cell for row in csv.reader(file) for cell in row}
    assert len(people) == 120
    assert not personal & cells
    assert not any(re.search(r"@|\+\d", cell) for cell in cells)


def test_the_rest_is_the_same_without_personal_data(footfall, tmp_path):
    """Leaving people out changes no other table by a byte."""
    options = ("generate", "--shoppers", 60, "--also", "relational", "--format", "jsonl")
    assert footfall(*options, "--out", tmp_path / "with").code == 0
    assert footfall(*options, "--out", tmp_path / "without", "--no-pii").code == 0
    for table in BASE | RELATIONAL:
        one, other = (list((tmp_path / name / table).iterdir()) for name in ("with", "without"))
        assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_asking_for_people_without_personal_data(footfall, tmp_path):
    """A contradiction is a usage error, and nothing is written."""
    said = footfall("generate", "--also", "people", "--no-pii", "--out", tmp_path / "d")
    assert said.code == 2
    assert "--no-pii leaves out what --also people asks for" in said.err
    assert not (tmp_path / "d").exists()
