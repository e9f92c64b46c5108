"""H17, H18: what needs requests that overlap is found in a real load, and not before it; over real sockets."""

from __future__ import annotations

import json

import pytest

from simulator.storefront.process import running_storefront

LOAD = ("load", "demo", "--rate", "20/s", "--duration", "40s", "--probe-share", "0.3")


def found_by_load(running, folder, *hazards):
    """Load a shop with hazards for forty seconds; return the findings by code."""
    with running_storefront(hazards=hazards) as shop:
        ended = running.footfall(*LOAD, "--host", shop.url, "--out", folder)
    assert ended.code in {0, 1, 3}, ended.err
    findings = json.loads((folder / "manifest.json").read_text())["probes"]["findings"]
    return {one["code"]: one for one in findings}


@pytest.mark.parametrize(
    ("hazard", "code", "words"),
    [
        ("fallback_under_load", "H17", "personalised share: 100.0 % of"),
        ("crossed_answers", "H18", "leak: held for one shopper at a time, broken among many"),
        ("double_redeem", "H18", ""),
    ],
)
def test_only_together(running, tmp_path, hazard, code, words):
    """The shop is right for one shopper and wrong for many: found at N, not at 1, and blamed on nothing else."""
    found = found_by_load(running, tmp_path / "run", hazard)
    assert [one["code"] for one in found.values() if one["blamed"]] == [code]
    assert found[code]["alone"]["checked"] > 0
    assert found[code]["alone"]["violated"] == 0
    assert found[code]["among"]["violated"] > 0
    assert words in found[code]["why"]
    if hazard == "double_redeem":
        assert "loyalty_redeem was accepted twice" in found[code]["samples"][0]["says"]


def test_a_right_shop_under_the_same_load(running, tmp_path):
    """Nothing is violated, and both hazards were really looked for."""
    found = found_by_load(running, tmp_path / "run")
    assert not [one["code"] for one in found.values() if one["state"] == "violated"]
    assert {found["H17"]["state"], found["H18"]["state"]} == {"held"}
    assert found["H18"]["among"]["checked"] > 0
