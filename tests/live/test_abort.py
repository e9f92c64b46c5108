"""A live run ends early when a threshold that says `abort` is broken for as long as it says."""

from __future__ import annotations

import json


def test_errors_end_a_run_early(recording, running, files, tmp_path):
    """A shop whose `home` always fails ends a run of 20 s after a few: failed, not interrupted, nothing dropped."""
    with recording.Shop() as shop:
        shop.behave["home"] = recording.status(503)
        scenario = files / "aborting_scenario.yaml"
        ended = running.footfall("load", scenario, "--host", shop.url, "--out", tmp_path / "run")
    assert ended.code == 1, ended.err
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["aborted"]["threshold"] == "errors{operation:home} < 1% for 2s with 10 values abort"
    assert 2 <= manifest["aborted"]["at_s"] <= 15
    assert manifest["generator"]["duration_s"] < 19
    assert not manifest["interrupted"]
    assert not any("not started" in reason for reason in manifest["generator"]["saturated"])
    assert "failed The run was ended after" in ended.err
    assert "window broke it" in ended.err or "windows broke it" in ended.err
