"""Where a run is written: never over something else, and never where it cannot be."""

from __future__ import annotations

import os

import pytest

from simulator.runfolder.files import CannotWrite, prepare_folder, whole_file

GENERATE = ("generate", "--shoppers", "20", "--out")


def content(folder):
    """Return every file below a folder with its text."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(
    "command",
    [GENERATE, ("capacity", "--backend", "uncontended", "--duration", "1s", "--out")],
    ids=lambda words: words[0],
)
def test_a_folder_that_holds_something_is_refused(footfall, tmp_path, command):
    """An --out that is not empty is refused with a hint, exit code 2, and nothing in it changes."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")
    said = footfall(*command, tmp_path / "run")
    text = f"error: {tmp_path / 'run'} is not empty. Hint: choose another --out, or give --overwrite\n"
    assert said == (2, "", text)
    assert content(tmp_path / "run") == {"manifest.json": "{}"}


def test_an_earlier_run_is_replaced_with_overwrite(footfall, tmp_path):
    """With --overwrite the files of the earlier run go, whatever their format, and the new ones come."""
    folder = tmp_path / "run"
    assert footfall(*GENERATE, folder, "--format", "csv").code == 0
    assert footfall(*GENERATE, folder, "--overwrite").code == 0
    assert {path.suffix for path in folder.rglob("*.*")} == {".parquet", ".json"}


FOREIGN = [
    "notes.txt", "README.md", "package.json", "data.csv", "index.html", "my.parquet", "sub/summary.json",
    "events/mine.parquet", "events/part-1.parquet", "shoppers/notes.md", ".env", "report.html.bak", "manifest.json/x",
    "orders.csv", "events.csv.gz", "events/part-00000.csv.bz2", "unfinished/notes.txt", "unfinished/parts/mine.csv",
    "mine/parts/events/part-00000.csv",
]  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_what_no_run_wrote_is_never_deleted(tmp_path, name):
    """One file that is not ours, whatever its kind, and --overwrite refuses and deletes nothing at all."""
    ours = ["report.md", "visits.parquet", "events/part-00000.jsonl"]
    for path in (tmp_path / "run" / each for each in (name, *ours)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
    before = content(tmp_path)
    with pytest.raises(CannotWrite) as refused:
        prepare_folder(tmp_path / "run", overwrite=True)
    assert str(refused.value) == f"{tmp_path / 'run'} holds {name}, which no run wrote. Hint: choose another --out"
    assert content(tmp_path) == before


def test_the_demo_deletes_nothing_of_yours(footfall, tmp_path, monkeypatch):
    """`footfall demo`, which replaces an earlier demo unasked, refuses a folder that holds anything else."""
    (tmp_path / "notes.md").write_text("precious")
    monkeypatch.chdir(tmp_path)
    said = footfall("demo", "--out", ".")
    assert (said.code, said.out) == (2, "")
    assert said.err == "error: . holds notes.md, which no run wrote. Hint: choose another --out\n"
    assert content(tmp_path) == {"notes.md": "precious"}


def test_an_earlier_demo_can_be_kept(footfall, tmp_path):
    """With --keep the demo refuses a folder that holds an earlier one."""
    (tmp_path / "report.md").write_text("the last one")
    said = footfall("demo", "--keep", "--out", tmp_path)
    assert said == (2, "", f"error: {tmp_path} is not empty. Hint: choose another --out, or give --overwrite\n")
    assert content(tmp_path) == {"report.md": "the last one"}


OURS = [
    "manifest.json", "job.json", "live.log", "report.html", "report.md", "junit.xml", "summary.json",
    "shoppers.parquet", "latency.parquet", "requests.parquet", "events/part-00012.csv", "visits/part-123456.jsonl",
    ".manifest.json.partial", "events/.part-00000.parquet.partial", ".report.html.ab_c1234",
    "events/part-00000.csv.gz", "events/part-00000.jsonl.zst", "events/.part-00000.csv.gz.0123abcd.partial",
    ".manifest.json.0123abcd.partial", ".write-test.0123abcd", "unfinished/settings.json",
    "unfinished/shard-00007.json", "unfinished/table-order_lines.json", "unfinished/.shard-00007.json.0123abcd.partial",
    "unfinished/parts/events/part-00000.csv.gz", "unfinished/parts/events/.part-00001.parquet.0123abcd.partial",
]  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_what_a_run_may_leave_is_ours(tmp_path, name):
    """Every file that a run writes, whole or cut short, is removed by --overwrite."""
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    path.touch()
    prepare_folder(tmp_path / "run", overwrite=True)
    assert content(tmp_path / "run") == {}


def test_a_link_to_elsewhere_is_not_followed(tmp_path):
    """A folder that is linked into the run's is nothing that a run wrote; what is behind it stays."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "report.md").write_text("precious")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "linked").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotWrite, match="holds linked, which no run wrote"):
        prepare_folder(tmp_path / "run", overwrite=True)
    assert (tmp_path / "elsewhere" / "report.md").read_text() == "precious"


def test_a_file_is_no_folder(footfall, tmp_path):
    """An --out that is a file, or lies below one, is an error that says so."""
    (tmp_path / "taken").write_text("")
    exists = footfall(*GENERATE, tmp_path / "taken")
    below = footfall(*GENERATE, tmp_path / "taken" / "run")
    assert exists == (2, "", f"error: cannot write to {tmp_path / 'taken'}: File exists\n")
    assert below == (2, "", f"error: cannot write to {tmp_path / 'taken' / 'run'}: Not a directory\n")


@pytest.fixture
def powerless():
    """Let the test run without the powers of root, for whom every folder can be written."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65_534)
    yield
    if root:
        os.seteuid(0)


def test_a_folder_without_permission_is_an_error(tmp_path, powerless):
    """A folder that we may not write to is told with the reason, before anything is played."""
    del powerless
    folder = tmp_path / "run" if os.geteuid() == 65_534 else tmp_path / "closed" / "run"
    if os.geteuid() != 65_534:
        (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(CannotWrite) as refused:
        prepare_folder(folder, overwrite=False)
    assert str(refused.value) == f"cannot write to {folder}: Permission denied"


def test_a_file_is_whole_or_not_there(tmp_path):
    """What fails while a file is written leaves the old one as it was, and nothing beside it."""
    path = tmp_path / "table.csv"
    path.write_text("old")

    def break_off():
        with whole_file(path) as partial:
            partial.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert content(tmp_path) == {"table.csv": "old"}
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert content(tmp_path) == {"table.csv": "new"}


def test_brackets_in_a_path_are_just_brackets(footfall, tmp_path):
    """A path is printed as it is, whatever markup it looks like, in one piece however long it is."""
    folder = tmp_path / ("x" * 90) / "[red]run[/]"
    said = footfall(*GENERATE, folder)
    assert said.code == 0, said.err
    assert said.err.endswith(f" in {folder}\n")
