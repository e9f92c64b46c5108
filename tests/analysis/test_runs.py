"""Run folders: read whole or refused with a sentence that says what is wrong and where."""

from __future__ import annotations

import json

import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from simulator.analysis.runs import read_run
from simulator.model.faults import FileFaults


def refused(folder):
    """Return the sentence with which a folder is refused."""
    with pytest.raises(FileFaults) as error:
        read_run(folder)
    return str(error.value)


def edit(folder, change):
    """Change the manifest in place."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_parts_read_as_one_table(crowd_folder, playing):
    """A table in parts has the rows of all parts, in order, with one dictionary."""
    tables, _ = playing.played()
    run = read_run(crowd_folder)
    assert len(run.visits) == len(tables["visits"])
    persona = run.visits.labels("persona")
    assert [persona.names[code] for code in persona.codes] == tables["visits"]["persona"].to_pylist()


def test_a_missing_folder_is_named(tmp_path):
    """A folder that is not there is an error, not an empty report."""
    assert refused(tmp_path / "nowhere").endswith("nowhere: does not exist, a run folder is needed")


def test_a_folder_without_manifest_says_what_writes_one(tmp_path):
    """Any other folder is refused with a hint."""
    assert "has no manifest.json, a run folder is needed. Hint: footfall generate" in refused(tmp_path)


def test_a_cut_manifest_is_named_with_its_line(damaged):
    """Half a manifest is not JSON, and the error says in which line it breaks off."""
    path = damaged / "manifest.json"
    path.write_text(path.read_text()[:60])
    assert "manifest.json:" in refused(damaged)
    assert "is not JSON" in refused(damaged)


def test_all_faults_of_a_manifest_come_at_once(damaged):
    """Two wrong fields are two faults with their paths."""
    edit(damaged, lambda manifest: manifest.update(world="moon", seed="seven"))
    said = refused(damaged)
    assert "manifest.json: world" in said
    assert "manifest.json: seed" in said


def test_a_missing_table_is_named(damaged):
    """A table that the manifest names but that is gone is an error with its file."""
    (damaged / "visits.parquet").unlink()
    assert "visits.parquet: is named in the manifest but does not exist" in refused(damaged)


def test_a_cut_table_is_no_parquet(damaged):
    """Half a Parquet file is refused, not read as far as it goes."""
    path = damaged / "events.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "events.parquet: cannot be read as Parquet" in refused(damaged)


def test_a_changed_table_is_noticed(damaged):
    """A table that is no longer the one the run wrote is refused: by its rows, else by its digest."""
    path = damaged / "visits.parquet"
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    assert f"has {len(table) - 1} rows, the manifest says {len(table)}" in refused(damaged)
    pq.write_table(table.take(list(reversed(range(len(table))))), path)
    assert "SHA-256 differs" in refused(damaged)


def test_a_table_without_a_column_is_refused(damaged):
    """A table of another version is refused with the name of the missing column."""
    path = damaged / "visits.parquet"
    pq.write_table(pq.read_table(path).drop_columns("waited_us"), path)
    assert "visits.parquet: has no column waited_us" in refused(damaged)


def test_csv_alone_is_refused_with_a_way_out(damaged):
    """Generated CSV is no run to report on; the hint names the option that makes one."""
    for name in ("shoppers", "visits", "events"):
        (damaged / name).mkdir()
        pc.write_csv(pq.read_table(damaged / f"{name}.parquet"), damaged / name / "part-00000.csv")
        (damaged / f"{name}.parquet").unlink()
    edit(damaged, lambda manifest: manifest.update(tables={}))
    said = refused(damaged)
    assert said.count("table as csv only, Parquet tables are needed") == 3
    assert "generate with --format parquet" in said


def test_tables_of_two_runs_are_noticed(damaged):
    """Visits of shoppers whom the shoppers table does not know cannot be of the same run."""
    table = pq.read_table(damaged / "shoppers.parquet")
    pq.write_table(table.slice(5), damaged / "shoppers.parquet")
    edit(damaged, lambda manifest: manifest.update(tables={}))
    assert "who is not in the shoppers table" in refused(damaged)


def test_what_a_newer_version_adds_is_ignored(damaged):
    """Unknown fields of a manifest are no faults: an older report reads a newer run."""
    edit(damaged, lambda manifest: manifest.update(colour="green"))
    assert read_run(damaged).manifest.name == "demo"
