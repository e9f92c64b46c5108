"""`--dask`: shards as tasks of a real cluster of two worker processes; what it writes is what one process writes."""

from __future__ import annotations

import importlib.util
import os
import pickle
import signal

import pytest
from distributed import Client, LocalCluster

from simulator.export.dask_pool import _work
from simulator.export.output import Output
from simulator.runfolder.files import CannotWrite

MANY, SIZE = 16_000, 400
"""Shoppers in 40 shards: long enough for a worker to be killed half-way."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return a cluster of two worker processes on this machine, without a dashboard."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
        local_directory=str(tmp_path_factory.mktemp("dask")),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def local(scaling, tmp_path_factory):
    """Return the same data set, written by this process alone."""
    one = scaling.job(tmp_path_factory.mktemp("local") / "data", shoppers=MANY, shard=SIZE)
    scaling.make_all(one)
    return one.folder


def receipts(folder):
    """Return how many shards have a receipt."""
    return len(list((folder / "unfinished").glob("shard-*.json")))


def test_a_worker_killed_half_way_does_not_show(scaling, cluster, local, tmp_path):
    """SIGKILL to one of two workers while they write: the run ends well, byte for byte as one process writes it."""
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        workers = client.run(os.getpid)
    assert len(set(workers.values())) == 2
    words = ("generate", "--shoppers", MANY, "--out", tmp_path / "data", "--dask", cluster.scheduler_address)
    process = scaling.start(*words, shard=SIZE)
    assert scaling.within(60, lambda: receipts(tmp_path / "data") >= 4)
    os.kill(next(iter(workers.values())), signal.SIGKILL)
    assert receipts(tmp_path / "data") < 40
    code, err = scaling.ended(process)
    assert code == 0, err
    assert scaling.files(tmp_path / "data") == scaling.files(local)


def test_what_a_cluster_began_one_process_can_end(scaling, cluster, local, tmp_path):
    """Ctrl-C during a run on the cluster: exit code 130; --resume on this machine alone completes the same bytes."""
    words = ("generate", "--shoppers", MANY, "--out", tmp_path / "data")
    process = scaling.start(*words, "--dask", cluster.scheduler_address, shard=SIZE)
    assert scaling.within(60, lambda: receipts(tmp_path / "data") >= 4)
    process.send_signal(signal.SIGINT)
    code, err = scaling.ended(process)
    assert (code, err.splitlines()[-1]) == (130, "interrupted")
    assert "To go on, give the same command with --resume" in err
    code, err = scaling.ended(scaling.start(*words, "--resume", shard=SIZE))
    assert code == 0, err
    assert scaling.files(tmp_path / "data") == scaling.files(local)


def test_a_job_travels_without_the_files_it_was_made_of(scaling, whole, tmp_path, monkeypatch):
    """A job that is unpacked elsewhere makes the same bytes though no scenario can be read there."""
    sent = pickle.dumps(scaling.job(tmp_path / "data", Output()))
    monkeypatch.setattr("simulator.model.library.PACKAGE", tmp_path / "empty")
    job = pickle.loads(sent)
    scaling.make_all(job)
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_a_worker_without_the_folder_says_so(scaling, tmp_path):
    """Where --out is not shared, a worker refuses to write into a folder of its own that nobody would find."""
    one = scaling.job(tmp_path / "data")
    with pytest.raises(CannotWrite, match="--out must be a folder that all of them share"):
        _work(one, one.shards()[0])
    assert not (tmp_path / "data").exists()


def test_a_worker_of_another_version_says_so(scaling, tmp_path, monkeypatch):
    """A worker whose libraries would make other bytes refuses, with the difference named."""
    one = scaling.job(tmp_path / "data")
    one.receipts.begin()
    monkeypatch.setattr("simulator.runfolder.manifest.numba.__version__", "0.1")
    elsewhere = pickle.loads(pickle.dumps(one))
    with pytest.raises(CannotWrite, match=r"would write other data: .*versions\.numba is 0\.1 now"):
        _work(elsewhere, one.shards()[0])


def test_a_scheduler_that_does_not_answer_is_said(footfall, tmp_path, monkeypatch):
    """Nothing at that address: exit code 4, the address, and --out is not touched."""
    monkeypatch.setattr("simulator.export.dask_pool.PATIENCE_S", 0.2)
    code, err = footfall("generate", "--out", tmp_path / "data", "--dask", "tcp://127.0.0.1:9")
    assert code == 4
    assert err.startswith("error: no Dask scheduler answers at tcp://127.0.0.1:9 (")
    assert not (tmp_path / "data").exists()


def test_without_the_library_it_says_what_to_install(footfall, tmp_path, monkeypatch):
    """Where Dask is not installed that is an error before anything is generated, with the command that mends it."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "simulator.export.dask_pool.find_spec", lambda name: None if name == "distributed" else found(name)
    )
    code, err = footfall("generate", "--out", tmp_path / "data", "--dask", "tcp://127.0.0.1:9")
    hint = "Hint: pip install 'footfall[dask]'"
    assert (code, err) == (2, f"error: command line: dask needs the library distributed. {hint}\n")
    assert not (tmp_path / "data").exists()
