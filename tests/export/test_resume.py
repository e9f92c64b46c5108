"""What was cut short is gone on with: nothing half-made counts, nothing whole is made again, and no trace is left."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest

from simulator.export import dataset
from simulator.export.finish import finish, unmade
from simulator.export.output import Output
from simulator.model.faults import FileFaults
from simulator.runfolder.files import CannotWrite
from simulator.worlds.pool import IN_HAND, _in_window, make_all

MANY = ("--shoppers", 16_000)
"""In 40 shards of 400: long enough to be cut short, short enough for a test."""
SIZE = 400


def receipts(folder):
    """Return the names of the receipts in a data set's folder."""
    return sorted(path.name for path in (folder / "unfinished").glob("shard-*.json"))


@pytest.fixture(scope="module")
def uncut(scaling, tmp_path_factory):
    """Return the data set of 40 shards that one uninterrupted process wrote."""
    folder = tmp_path_factory.mktemp("uncut") / "data"
    code, err = scaling.ended(scaling.start("generate", *MANY, "--out", folder, shard=SIZE))
    assert code == 0, err
    return folder


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_is_gone_on_with(scaling, uncut, tmp_path, workers):
    """SIGKILL half-way: no manifest, no worker left; --resume makes the rest only, byte for byte as if uncut."""
    folder = tmp_path / "data"
    words = ("generate", *MANY, "--out", folder)
    process = scaling.start(*words, "--workers", workers, shard=SIZE)
    assert scaling.within(60, lambda: len(receipts(folder)) >= 5)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    scaling.ended(process)
    assert scaling.within(10, lambda: not any(child.is_running() for child in children))
    kept = receipts(folder)
    assert 5 <= len(kept) < 40
    assert not (folder / "manifest.json").exists()
    before = {name: (folder / "unfinished" / name).stat().st_mtime_ns for name in kept}
    inodes = {path: path.stat().st_ino for path in folder.rglob("events/part-*.parquet")}
    resumed = scaling.start(*words, "--resume", shard=SIZE)
    assert scaling.within(60, lambda: len(receipts(folder)) > len(kept))
    known = [name for name in before if (folder / "unfinished" / name).exists()]
    assert all((folder / "unfinished" / name).stat().st_mtime_ns == before[name] for name in known)
    code, err = scaling.ended(resumed)
    assert code == 0, err
    assert err.splitlines()[0] == f"{len(kept)} of 40 shards are complete already"
    again = [path for path, inode in inodes.items() if path.stat().st_ino != inode]
    assert len(again) <= len(inodes) - len(kept)
    assert scaling.files(folder) == scaling.files(uncut)


def test_an_interrupt_says_how_to_go_on(scaling, uncut, tmp_path):
    """Ctrl-C: exit code 130, how many shards are complete, and which option goes on; then it does."""
    folder = tmp_path / "data"
    process = scaling.start("generate", *MANY, "--out", folder, shard=SIZE)
    assert scaling.within(60, lambda: len(receipts(folder)) >= 3)
    process.send_signal(signal.SIGINT)
    code, err = scaling.ended(process)
    assert code == 130, err
    said = (
        f"{len(receipts(folder))} of 40 shards are complete in {folder}. To go on, give the same command with --resume"
    )
    assert err.splitlines()[0] == said
    assert err.splitlines()[-1] == "interrupted"
    code, err = scaling.ended(scaling.start("generate", *MANY, "--out", folder, "--resume", shard=SIZE))
    assert (code, scaling.files(folder)) == (0, scaling.files(uncut)), err


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no receipt", "half a receipt", "of other settings"])
def test_what_is_not_whole_is_made_again(scaling, whole, tmp_path, damage):
    """A file that is shorter, changed or gone, a receipt that is missing, cut or of other settings: that shard only."""
    one = scaling.job(tmp_path / "data")
    scaling.make_some(one, range(5))
    part = tmp_path / "data" / one.output.part_file("visits", 2)
    receipt = tmp_path / "data" / "unfinished" / "shard-00002.json"
    content, note = part.read_bytes(), receipt.read_text()
    if damage == "cut":
        part.write_bytes(content[:-1])
    elif damage == "changed":
        part.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    elif damage == "gone":
        part.unlink()
    elif damage == "no receipt":
        receipt.unlink()
    elif damage == "half a receipt":
        receipt.write_text(note[: len(note) // 2])
    else:
        receipt.write_text(note.replace(one.receipts.digest, "0" * 64))
    assert scaling.make_some(one, range(9)) == [2, 5, 6, 7, 8]
    assert part.read_bytes() == content
    assert finish(one) is not None
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_a_receipt_comes_after_its_files(scaling, tmp_path, monkeypatch):
    """When a shard breaks off before its last table, it has no receipt, whatever lies in the folder already."""
    one = scaling.job(tmp_path / "data")
    scaling.make_some(one, range(1))
    write = dataset.write_table

    def breaks(table, path, *how, **options):
        if path.parent.name == "events":
            raise KeyboardInterrupt
        write(table, path, *how, **options)

    monkeypatch.setattr(dataset, "write_table", breaks)
    with pytest.raises(KeyboardInterrupt):
        scaling.make_some(one, range(2))
    monkeypatch.undo()
    assert (tmp_path / "data" / "visits" / "part-00001.parquet").exists()
    assert receipts(tmp_path / "data") == ["shard-00000.json"]
    assert [shard.number for shard in unmade(one, range(2))] == [1]


def test_every_difference_is_named(footfall, scaling, tmp_path):
    """Resuming with other settings is refused with each difference, what it was and what it is; nothing changes."""
    scaling.make_some(scaling.job(tmp_path / "data"), range(2))
    before = scaling.files(tmp_path / "data")
    changed = ("--shoppers", 600, "--seed", 8, "--format", "csv", "--compression", "gzip", "--single-file")
    code, err = footfall("generate", *changed, "--out", tmp_path / "data", "--resume")
    place, hint = (
        f"error: {tmp_path}/data/unfinished/settings.json:",
        "give the options it was begun with, or another --out",
    )
    assert code == 2
    assert err.splitlines() == [
        f"{place} {name} is {now} now, the data set was begun with {then}. Hint: {hint}"
        for name, now, then in (
            ("data.compression", "gzip", "snappy"),
            ("data.format", "csv", "parquet"),
            ("data.single_file", "True", "False"),
            ("scenario.seed", "8", "7"),
            ("scenario.shoppers", "600", "500"),
        )
    ]
    assert scaling.files(tmp_path / "data") == before


def test_another_version_does_not_go_on(scaling, tmp_path, monkeypatch):
    """Another version of Footfall, or of a library that makes the bytes, is a difference like any other."""
    scaling.make_some(scaling.job(tmp_path / "data"), range(1))
    monkeypatch.setattr("simulator.runfolder.manifest.__version__", "99.0")
    monkeypatch.setattr("simulator.runfolder.manifest.np.__version__", "0.1")
    with pytest.raises(FileFaults) as refused:
        unmade(scaling.job(tmp_path / "data"), range(9))
    assert {fault.path for fault in refused.value.faults} == {"footfall", "versions.numpy"}


def test_changed_personas_do_not_go_on(scaling, tmp_path):
    """Where the scenario is the same but what it names was edited, that is said."""
    one = scaling.job(tmp_path / "data")
    scaling.make_some(one, range(1))
    settings = tmp_path / "data" / "unfinished" / "settings.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"digest": "of other personas"}))
    with pytest.raises(FileFaults, match="digest is not what it was, the files behind the scenario were changed"):
        unmade(one, range(9))


def test_an_empty_folder_is_begun(footfall, scaling, whole, tmp_path):
    """--resume where nothing is yet begins, so that a scheduler can give it always."""
    code, err = footfall("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data", "--resume")
    assert (code, scaling.files(tmp_path / "data")) == (0, scaling.files(whole)), err


def test_a_whole_data_set_is_left_alone(footfall, scaling, tmp_path):
    """--resume on a complete data set checks its files and writes none; a damaged one is refused."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data", "--resume")
    assert footfall(*words)[0] == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    code, err = footfall(*words)
    assert code == 0
    assert err.splitlines()[0] == "9 of 9 shards are complete already"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")} == before
    (tmp_path / "data" / "visits" / "part-00003.parquet").write_bytes(b"")
    code, err = footfall(*words)
    place = f"{tmp_path}/data/visits/part-00003.parquet"
    said = f"error: {place}: is not the file that the manifest lists. Hint: begin again with --overwrite\n"
    assert (code, err) == (2, said)


def test_a_folder_of_something_else_is_not_gone_on_with(footfall, tmp_path):
    """--resume never writes among files that no run wrote."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("precious")
    code, err = footfall("generate", "--out", tmp_path / "data", "--resume")
    said = f"error: {tmp_path}/data holds notes.txt, which no run wrote. Hint: choose another --out\n"
    assert (code, err) == (2, said)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["notes.txt"]


def test_what_is_unfinished_says_so(footfall, scaling, tmp_path):
    """Without --resume an unfinished data set is refused, and the hint knows both ways out; --overwrite clears it."""
    scaling.make_some(scaling.job(tmp_path / "data", Output(single_file=True)), range(2))
    words = ("generate", "--shoppers", 20, "--out", tmp_path / "data")
    hint = "choose another --out, or give --resume to finish it, or --overwrite"
    assert footfall(*words) == (2, f"error: {tmp_path}/data is not empty. Hint: {hint}\n")
    assert footfall(*words, "--overwrite")[0] == 0
    assert {path.parent.name for path in (tmp_path / "data").rglob("*.parquet")} == {"shoppers", "visits", "events"}
    assert not (tmp_path / "data" / "unfinished").exists()


def test_what_killed_processes_left_is_swept_up(scaling, whole, tmp_path):
    """Half-written files of processes that were killed do not survive the end of the data set."""
    one = scaling.job(tmp_path / "data")
    scaling.make_some(one, range(1))
    for name in ("visits/.part-00004.parquet.0123abcd.partial", ".manifest.json.0123abcd.partial"):
        (tmp_path / "data" / name).write_text("half")
    scaling.make_all(one)
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


CONTRADICTIONS = {
    ("--resume", "--overwrite"): "--resume keeps what --overwrite would remove",
    ("--shard", "1/2", "--overwrite"): "--shard joins what --overwrite would remove",
    ("--shard", "1/2", "--to-duckdb", "x"): "give it to the --resume that ends it",
    ("--dask", "tcp://x:1", "--workers", "2"): "--workers are of this machine, --dask brings its own",
}


@pytest.mark.parametrize("words", CONTRADICTIONS, ids=" ".join)
def test_options_that_contradict_each_other_are_refused(footfall, tmp_path, words):
    """Options that cannot be meant together are a usage error, before anything is written."""
    code, err = footfall("generate", "--out", tmp_path / "data", *words)
    assert code == 2
    assert CONTRADICTIONS[words] in " ".join(err.split())
    assert not (tmp_path / "data").exists()


def test_a_killed_worker_is_said(tmp_path):
    """When one of the worker processes is killed, the error says so instead of hanging."""
    with pytest.raises(CannotWrite, match="a worker process was killed"):
        list(make_all(_kill_itself, [tmp_path, tmp_path], 2))


def _kill_itself(_shard):
    os.kill(os.getpid(), signal.SIGKILL)


class Counting:
    """A pool that does at once what it is given, and counts what is not fetched yet."""

    def __init__(self):
        self.given = 0

    def submit(self, work, shard):
        """Count a shard."""
        from concurrent.futures import Future  # noqa: PLC0415 - used here only

        del work
        self.given += 1
        future = Future()
        future.set_result(shard)
        return future


def test_only_a_few_shards_are_in_hand_at_a_time():
    """Of a million shards the pool holds a few for each worker: nothing grows with the size of the data set."""
    pool, fetched = Counting(), 0
    for _ in _in_window(pool, iter(range(1_000_000)), 2 * IN_HAND):
        fetched += 1
        assert pool.given - fetched < 2 * IN_HAND
        if fetched == 1_000:
            break
    assert fetched == 1_000
