"""The wheel alone: it holds all that runs, nothing more, and works where the source tree is not."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN = {"report.html", "report.md", "junit.xml", "summary.json", "manifest.json"}
TABLES = {"shoppers.parquet", "visits.parquet", "events.parquet", "requests.parquet", "latency.parquet"}

pytestmark = pytest.mark.timeout(300)


def run(*command, folder, check=True):
    """Run a command in a folder, as somebody who knows nothing of the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    # A cache of its own: what is compiled here must not depend on what was compiled before.
    environment = kept | {"XDG_CACHE_HOME": str(folder.parent / "cache")}
    done = subprocess.run(
        [str(word) for word in command],
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Return the wheel, built from the checkout as `pip install .` builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, folder=folder)
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """Return the programs of a new environment with the wheel in it; only dependencies are borrowed from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, folder=folder)
    [site] = (folder / "lib").glob("python*/site-packages")
    # A path file adds the folder itself; path files in it, such as that of an editable install, are not read.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.fixture
def empty(tmp_path):
    """Return an empty folder."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


def test_wheel_holds_what_runs(wheel):
    """Every file that is read when the program runs is inside, the libraries of personas and targets included."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("personas", "locustfiles"):
        shipped = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert {f"simulator/_library/{path.relative_to(ROOT)}" for path in shipped} <= names
    assert "simulator/_library/docs/estimators.md" in names
    read = {path for kind in ("sql", "json", "html", "j2", "css") for path in (ROOT / "simulator").rglob(f"*.{kind}")}
    assert {str(path.relative_to(ROOT)) for path in read} <= names
    assert {"simulator/storefront/schema.sql", "simulator/report/summary.schema.json"} <= names
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "simulator").rglob("*.py")} <= names


def test_wheel_holds_nothing_else(wheel):
    """No tests, of the documentation only what a report shows, no compiled leftovers; and the licence is there."""
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"simulator", "footfall"}
    left = [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".nbi", ".nbc", ".parquet"))]
    assert left == []
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_installed_package_is_the_wheels(installed, empty):
    """The environment imports the package from its own folder and does not know the checkout at all."""
    said = run(installed / "python", "-c", "import simulator, sys; print(simulator.__file__, *sys.path)", folder=empty)
    imported, *path = said.stdout.split()
    assert Path(imported).is_relative_to(installed.parent)
    assert str(ROOT) not in path


def test_installed_commands_work_in_an_empty_folder(installed, empty):
    """`generate` and `demo` find their personas, compile, run and report with nothing around them."""
    footfall = installed / "footfall"
    run(footfall, "generate", "smoke", "--shoppers", 50, "--out", "data", folder=empty)
    parts = {str(path.relative_to(empty / "data")) for path in (empty / "data").rglob("*.parquet")}
    assert parts == {f"{table}/part-00000.parquet" for table in ("shoppers", "visits", "events")}

    done = run(footfall, "demo", "--duration", "5s", "--rate", "3/s", folder=empty, check=False)
    demo = empty / "reports" / "demo"
    assert {path.name for path in demo.iterdir()} == RUN | TABLES, done.stdout
    summary = json.loads((demo / "summary.json").read_text())
    # So short a run cannot judge every threshold. What it could judge must hold, and nothing else may be wrong.
    assert done.returncode == summary["verdict"]["exit_code"], done.stdout
    assert summary["verdict"]["state"] in {"passed", "failed"}
    assert {one["state"] for one in summary["thresholds"]} <= {"passed", "too_few"}, done.stdout
