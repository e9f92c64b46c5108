"""Presets on the command line: what is played says so, and an observed curve is played under a banner or not at all."""

import json

import pytest

from simulator.analysis.caveats import caveats
from simulator.analysis.manifest import read_manifest

BANNER = "OBSERVATIONAL BEHAVIOUR: the preset google-2017-observed"


def test_an_observed_curve_is_played_under_a_banner(tmp_path, footfall):
    """With --observational the banner is printed first, and stands in the manifest's caveats, which reports show."""
    options = ("demo", "--shoppers", "20", "--behaviour", "google-2017-observed", "--out", tmp_path / "data")
    refused = footfall("generate", *options)
    assert refused.code == 2
    assert "give --observational" in refused.err
    assert not (tmp_path / "data").exists()
    played = footfall("generate", *options, "--observational")
    assert played.code == 0
    assert played.err.startswith(BANNER)
    assert caveats(read_manifest(tmp_path / "data"))[0].startswith(BANNER)


@pytest.mark.parametrize("preset", ["null", "h0.025"])
def test_the_manifest_says_how_shoppers_reacted(tmp_path, footfall, preset):
    """Name, kind and digest of the preset stand in the manifest, and a sentence among what is assumed."""
    said = footfall("generate", "demo", "--shoppers", "20", "--behaviour", preset, "--out", tmp_path / "data")
    assert said.code == 0
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
    assert manifest["behaviour"]["name"] == manifest["scenario"]["behaviour"] == preset
    assert any(preset in sentence for sentence in manifest["assumed"])
    assert not caveats(read_manifest(tmp_path / "data"))


def test_data_of_two_presets_are_not_compared(tmp_path, footfall):
    """Runs under other presets differ in a setting that names the preset; the same preset by its file is the same."""
    digests = {}
    for preset in ("null", "h0.01"):
        footfall("generate", "demo", "--shoppers", "20", "--behaviour", preset, "--out", tmp_path / preset)
        digests[preset] = json.loads((tmp_path / preset / "manifest.json").read_text())["settings"]["behaviour"]
    assert digests["null"] != digests["h0.01"]
