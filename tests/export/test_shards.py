"""Parts of a data set made apart: by whomever, wherever and in whatever order, together they are one local run."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.export.finish import finish, share
from simulator.export.output import Output


@given(total=st.integers(0, 5_000), of=st.integers(1, 700))
def test_parts_are_ranges_that_cover_everything_once(total, of):
    """Part after part, the ranges join without gap or overlap, and no two differ in length by more than one."""
    ranges = [share(total, number, of) for number in range(1, of + 1)]
    assert [number for one in ranges for number in one] == list(range(total))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_three_parts_in_one_folder_are_one_run(footfall, scaling, whole, tmp_path, single):
    """`--shard 2/3`, `3/3`, `1/3` into one folder: the last one writes the manifest; the bytes are those of one run."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    words += ("--single-file", "--format", "csv") if single else ()
    said = []
    for number in (2, 3, 1):
        assert not (tmp_path / "data" / "manifest.json").exists()
        code, err = footfall(*words, "--shard", f"{number}/3")
        assert code == 0, err
        said.append(err.splitlines()[0])
    assert said[0] == f"shards 4 to 6 are made; 3 of 9 shards are complete in {tmp_path}/data"
    assert said[1] == f"shards 7 to 9 are made; 6 of 9 shards are complete in {tmp_path}/data"
    assert said[2].startswith("500 shoppers, ")
    if single:
        scaling.make_all(scaling.job(tmp_path / "one", Output("csv", None, (), single_file=True)))
        whole = tmp_path / "one"
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_folders_of_many_machines_are_put_together_by_copying(footfall, scaling, whole, tmp_path):
    """Each part into a folder of its own, copied into one: --resume finds every shard and writes the manifest only."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out")
    for number in (1, 2, 3, 4):
        assert footfall(*words, tmp_path / str(number), "--shard", f"{number}/4")[0] == 0
        shutil.copytree(tmp_path / str(number), tmp_path / "all", dirs_exist_ok=True)
    code, err = footfall(*words, tmp_path / "all", "--resume")
    assert code == 0
    assert err.splitlines()[0] == "9 of 9 shards are complete already"
    assert scaling.files(tmp_path / "all") == scaling.files(whole)


def test_a_missing_part_is_made_by_resume(footfall, scaling, whole, tmp_path):
    """A part that never ran is what --resume, without --shard, has left to do."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    for number in (1, 3):
        footfall(*words, "--shard", f"{number}/3")
    code, err = footfall(*words, "--resume")
    assert code == 0
    assert err.splitlines()[0] == "6 of 9 shards are complete already"
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_a_part_can_be_given_twice(footfall, scaling, whole, tmp_path):
    """A scheduler that starts a part again, even when all is done, does no harm and makes nothing twice."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    for part, complete in (("1/2", None), ("1/2", "4 of 4"), ("2/2", None), ("2/2", "5 of 5")):
        code, err = footfall(*words, "--shard", part)
        assert code == 0, err
        assert (f"{complete} shards are complete already" in err) == (complete is not None)
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_more_parts_than_shards(footfall, tmp_path):
    """Of three parts of two shards one is empty; it says so and ends well, and together all is there."""
    words = ("generate", "--shoppers", 100, "--out", tmp_path / "data", "--shard")
    said = [footfall(*words, f"{number}/3") for number in (1, 2, 3)]
    assert [code for code, _ in said] == [0, 0, 0]
    assert said[0][1] == f"no shard is this part's; 0 of 2 shards are complete in {tmp_path}/data\n"
    assert len(list((tmp_path / "data" / "events").iterdir())) == 2
    assert (tmp_path / "data" / "manifest.json").exists()


@pytest.mark.parametrize("single", [False, True], ids=["parts", "single"])
def test_parts_that_end_at_once_agree(scaling, tmp_path, single):
    """Whoever comes last, several at once included, ends with the manifest; nothing is left of the receipts."""
    one = scaling.job(tmp_path / "data", Output("csv", None, (), single))
    scaling.make_some(one, range(9))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(finish, [scaling.job(tmp_path / "data", one.output) for _ in range(4)]))
    assert all(manifest == found[0] for manifest in found)
    assert found[0] is not None
    assert not (tmp_path / "data" / "unfinished").exists()


def test_parts_of_two_data_sets_are_not_mixed(footfall, scaling, tmp_path):
    """A part with another seed is refused in the folder of the first."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data", "--shard")
    assert footfall(*words, "1/2")[0] == 0
    before = scaling.files(tmp_path / "data")
    code, err = footfall(*words, "2/2", "--seed", 8)
    assert code == 2
    assert "scenario.seed is 8 now, the data set was begun with 7" in err
    assert scaling.files(tmp_path / "data") == before


@pytest.mark.parametrize("text", ["0/4", "5/4", "3", "a/b", "3/0", "-1/4", "1.5/4"])
def test_a_part_that_is_none_is_refused(footfall, tmp_path, text):
    """What is no part of a whole is a usage error that shows how to say it."""
    code, err = footfall("generate", "--out", tmp_path / "data", f"--shard={text}")
    assert code == 2
    assert f"{text} is no part of a whole; give it as 3/64" in " ".join(err.split())
    assert not (tmp_path / "data").exists()
