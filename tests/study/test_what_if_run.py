"""The command on a run that was really played."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a short live run of the demo."""
    folder = tmp_path_factory.mktemp("what-if") / "run"
    command = [sys.executable, "-m", "simulator.cli", "demo", "--rate", "12/s", "--duration", "5s", "--out", folder]
    subprocess.run(command, check=False, timeout=110, capture_output=True)
    return folder


def test_a_real_run_is_played_again(run, footfall):
    """A live run replays as recorded, loses pages in a slower shop, and says what was measured."""
    said = footfall("speed", "what-if", run, "--change", "all +3s", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["changed"]["pages"] < told["recorded"]["pages"]
    assert told["pages"]["measured"] > 0
    same = json.loads(footfall("speed", "what-if", run, "--change", "all x1", "--json").out)
    assert same["changed"] == same["recorded"]
    table = footfall("speed", "what-if", run, "--change", "all p95 +1s")
    assert "Latencies are measured, reactions to them assumed." in table.out
    assert "pages a visit" in table.out


def test_all_faults_at_once(run, footfall):
    """Every wrong change is told, and nothing is played."""
    said = footfall("speed", "what-if", run, "--change", "serch -1s", "--change", "search")
    assert (said.code, said.out) == (2, "")
    assert "did you mean search?" in said.err
    assert "is no change of latency" in said.err


def test_other_personas_are_refused(run, footfall, tmp_path):
    """A run of another library than there is now is refused, with what to do."""
    for file in run.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["digest"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    said = footfall("speed", "what-if", tmp_path, "--change", "all x1")
    assert said.code == 2
    assert "was played with other personas, pages or tables than there are now" in said.err
    assert "run it again" in said.err
