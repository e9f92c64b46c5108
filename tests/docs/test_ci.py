"""Workflows, the project's own and those that the documentation shows: valid, pinned, and their commands work."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
SHOWN = dict(re.findall(r"```yaml\n# (\.[\w./-]+\.yml)\n(.*?)```", PAGE, re.DOTALL))
OWN = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*(ROOT / ".github/workflows").glob("*.yml"), ROOT / ".gitlab-ci.yml")
}
ALL = {**{f"own {name}": text for name, text in OWN.items()}, **{f"docs {name}": text for name, text in SHOWN.items()}}
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def schema_of(name):
    """Return the published schema that a workflow file follows."""
    return "vendor.github-workflows" if "github" in name else "vendor.gitlab-ci"


def commands(text):
    """Return every shell command of a workflow."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                steps = inner if isinstance(inner, list) else [inner]
                if key in ("run", "script", "before_script"):
                    found.extend(str(step) for step in steps)
                else:
                    walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(YAML(typ="safe").load(text))
    return found


def test_both_systems_are_shown_and_used():
    """GitHub and GitLab each have an example and a file of our own."""
    assert set(SHOWN) == {".github/workflows/shop.yml", ".gitlab-ci.yml"}
    assert {".github/workflows/ci.yml", ".gitlab-ci.yml"} <= set(OWN)


@pytest.mark.parametrize("name", ALL)
def test_a_workflow_keeps_the_published_schema(name, tmp_path):
    """What the systems' own schemas say of workflow files holds (SchemaStore's copies, another project's checker)."""
    path = tmp_path / "workflow.yml"
    path.write_text(ALL[name], encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema_of(name), str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [name for name in ALL if "github" in name])
def test_actions_are_pinned(name):
    """An action is named by its commit, with its version beside it: a moved tag changes nothing here."""
    uses = re.findall(r"uses: (\S+)( # v\d+\.\d+\.\d+)?", ALL[name])
    assert uses
    assert all(PINNED.fullmatch(action) and version for action, version in uses)


@pytest.mark.parametrize("name", ALL)
def test_the_commands_of_a_workflow_exist(name, assert_parses):
    """Every `footfall …` is read by the command line as it stands."""
    lines = [part for text in commands(ALL[name]) for part in re.split(r"\|\||;|\n|&&", text)]
    found = [re.sub(r"^\s*(then )?", "", line) for line in lines if re.match(r"\s*(then )?footfall ", line)]
    assert found
    for line in found:
        assert_parses(shlex.split(re.sub(r"\s*(>.*|&)$", "", line))[1:])


def steps_of(event):
    """Return the shell steps of GitHub's example that a job of an event would run, as its conditions say."""
    (job,) = YAML(typ="safe").load(SHOWN[".github/workflows/shop.yml"])["jobs"].values()
    wanted = {"pull_request": "pull_request", "push": "refs/heads/main"}[event]
    return [
        step["run"].replace("8090", str(PORT))
        for step in job["steps"]
        if "run" in step and "pip install" not in step["run"] and wanted in step.get("if", wanted)
    ]


def free_port():
    """Return a port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


PORT = free_port()


@pytest.mark.timeout(300)
def test_the_example_of_github_works(tmp_path):
    """A push to main, then a pull request: the steps' shell runs as it stands, keeps a run, compares and summarises."""
    for event in ("push", "pull_request"):
        summary = tmp_path / f"{event}.md"
        environment = os.environ | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        script = "\n".join(steps_of(event)).replace("--out reports/smoke", f"--duration 12s --out reports/{event}")
        script = script.replace("reports/smoke", f"reports/{event}")
        with subprocess.Popen(
            ["bash", "-eo", "pipefail", "-c", f"{script}\n"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                said, _ = process.communicate(timeout=140)
            finally:
                os.killpg(process.pid, signal.SIGTERM)  # the shop goes on in the background
        text = summary.read_text(encoding="utf-8")
        assert process.returncode == 0, said
        assert "::notice title=Footfall%3A passed::" in said
        assert text.startswith("### ✅ Footfall: passed\n")
    assert "### ✅ Footfall against main" in text
    assert (tmp_path / "baselines/main/0001/manifest.json").is_file()
