"""`--dask`: shards as tasks of a real cluster of two worker processes; what it writes is what one process writes."""

from __future__ import annotations

import importlib.util
import os
import pickle
import signal

import pytest
from distributed import Client, LocalCluster

from simulator.export.dask_pool import _work, cluster
from simulator.export.finish import finish, unmade
from simulator.export.output import Output
from simulator.runfolder.files import CannotWrite


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
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


def test_the_command_on_a_cluster_writes_the_same_bytes(footfall, scaling, whole, workers, tmp_path):
    """`--dask` with two workers: the same files and manifest as one process writes, and nothing else in the folder."""
    words = ("generate", "--shoppers", scaling.SHOPPERS, "--out", tmp_path / "data")
    code, err = footfall(*words, "--dask", workers.scheduler_address)
    assert code == 0, err
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_a_worker_killed_half_way_does_not_show(scaling, whole, workers, tmp_path):
    """SIGKILL to one of two workers while they write: the others make its shards, and the bytes are the same."""
    one = scaling.job(tmp_path / "data")
    todo = unmade(one, range(9))
    with cluster(workers.scheduler_address) as make, Client(workers.scheduler_address, set_as_default=False) as client:
        pids = client.run(os.getpid)
        assert len(set(pids.values()) | {os.getpid()}) == 3
        made = make(one, todo)
        done = [next(made)]
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert finish(one) is None
        done += made
    assert len(done) == 9
    finish(one)
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


def test_what_a_cluster_began_one_process_can_end(scaling, whole, workers, tmp_path):
    """A run that is given up half-way hands out no more shards; another, without the cluster, makes the rest."""
    one = scaling.job(tmp_path / "data")
    with cluster(workers.scheduler_address) as make:
        made = make(one, unmade(one, range(9)))
        next(made)
        made.close()
        assert 1 <= one.receipts.count(9) < 9
    assert scaling.make_some(one, range(9)) != []
    finish(one)
    assert scaling.files(tmp_path / "data") == scaling.files(whole)


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
