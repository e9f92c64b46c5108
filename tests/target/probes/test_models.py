"""H21: models that a phone can show."""

import pytest

from simulator.target.probes.models import Model

CODES = {"H21"}
GLB, USDZ = b"glTF" + bytes(2_000), b"PK\x03\x04" + bytes(2_000)
GLB_TYPE, USDZ_TYPE = {"content-type": "model/gltf-binary"}, {"content-type": "model/vnd.usdz+zip"}


def test_one_model_for_all_is_found(probed, near):
    """An Apple phone that gets a GLB, and a whole file where a part was asked for, are found."""
    every = probed("wrong_model", codes=near)
    assert [code for code, one in every.items() if one.state == "violated"] == ["H21"]
    said = {one["says"] for one in every["H21"].samples}
    assert said == {"ar_asset sent GLB to ios", "ar_asset sent the whole model to who asked for its beginning"}


@pytest.mark.parametrize("begun", [0, 9])
def test_a_right_shop_sends_each_its_own(probed, begun):
    """Format, type, part and size, on both platforms."""
    found = probed(codes=CODES, run=f"run-{begun}")["H21"]
    assert found.state == "held"
    assert found.alone.checked == 8


def test_a_promise_of_size_is_held_to(probed, without):
    """2.8 MB are too much where two were promised."""
    small = without({"\npromises:\n": "\npromises:\n  model_bytes: 2000000\n"})
    found = probed(target=small, codes=CODES)["H21"]
    assert {part[0] for one in found.samples for part in one["differs"]} == {"bytes"}


def test_without_models_nothing_is_said(probed, tmp_path):
    """What is missing is named."""
    path = tmp_path / "plain.yaml"
    path.write_text('{"target": "plain", "operations": {"home": {"path": "/api/home"}}}')
    found = probed(target=str(path), codes=CODES)["H21"]
    assert found.state == "not observable"
    assert found.missing == ("ar_asset",)


@pytest.mark.parametrize(
    ("platform", "answer", "violated"),
    [
        ("android", {"body": GLB, "headers": GLB_TYPE}, 0),
        ("ios", {"body": USDZ, "headers": USDZ_TYPE}, 0),
        ("ios", {"body": USDZ, "headers": {"content-type": "application/octet-stream"}}, 0),
        ("ios", {"body": USDZ, "headers": {"content-type": "text/plain; charset=utf-8"}}, 1),
        ("android", {"body": USDZ, "headers": USDZ_TYPE}, 1),
        ("ios", {"body": GLB, "headers": GLB_TYPE, "url": "/models/chair.glb"}, 0),
        ("android", {"body": USDZ, "headers": USDZ_TYPE, "url": "/models/chair.glb"}, 1),
        ("ios", {"body": b'{"sources": []}', "headers": {"content-type": "application/json"}}, 0),
        ("ios", {"body": b"", "headers": {}}, 0),
        ("ios", {"body": GLB, "headers": GLB_TYPE, "status": 500}, 0),
    ],
)
def test_formats_are_known_by_their_bytes(people, seen, probe, platform, answer, violated):
    """A file asked for by name is judged where that name is right; what is no model is not judged."""
    judged = probe(Model)
    judged.see(seen(people.somebody(platform=platform), "ar_asset", **answer))
    assert sum(number for key, number in judged.counts.items() if key.what == "violated") == violated
