"""Models are files that other programs can read: GLB by the glTF 2.0 rules, USDZ by those of ZIP and its own."""

from __future__ import annotations

import re
from io import BytesIO
from struct import unpack_from
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import orjson
import pytest

from simulator.storefront.box import unit_box
from simulator.storefront.models import size_of

if TYPE_CHECKING:
    from conftest import Visitor

    from simulator.storefront.shop import Shop

IPHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"}
PIXEL = {"user-agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36"}
WIDTHS = {"VEC3": 3, "VEC2": 2, "SCALAR": 1}
TYPES = {5126: "<f4", 5123: "<u2"}


def chunks(glb: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON and the binary of a GLB, insisting on what section 4.4 of glTF 2.0 says of the container."""
    magic, version, total = unpack_from("<4sII", glb)
    assert (magic, version, total) == (b"glTF", 2, len(glb))
    json_length, json_type = unpack_from("<I4s", glb, 12)
    bin_length, bin_type = unpack_from("<I4s", glb, 20 + json_length)
    assert (json_type, bin_type) == (b"JSON", b"BIN\0")
    assert json_length % 4 == bin_length % 4 == 0
    assert 28 + json_length + bin_length == total
    return orjson.loads(glb[20 : 20 + json_length]), glb[28 + json_length :]


def accessor(document: dict[str, Any], data: bytes, number: int) -> np.ndarray:
    """Return what an accessor points to, which must fill its view."""
    found = document["accessors"][number]
    view = document["bufferViews"][found["bufferView"]]
    kind, width = np.dtype(TYPES[found["componentType"]]), WIDTHS[found["type"]]
    assert view["byteOffset"] % kind.itemsize == 0
    assert view["byteLength"] == found["count"] * width * kind.itemsize
    return np.frombuffer(data, kind, found["count"] * width, view["byteOffset"]).reshape(-1, width)


def volume(points: np.ndarray, triangles: np.ndarray) -> float:
    """Return the volume inside a closed surface by the divergence theorem; negative if it is inside out."""
    a, b, c = (points[triangles[:, n]].astype(float) for n in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("cells", [1, 2, 7, 103])
def test_the_box_is_closed_and_faces_outward(cells: int):
    """Its volume is 1 and its surface 6, every normal is its triangle's own, and all vertices are used."""
    mesh = unit_box(cells)
    a, b, c = (mesh.points[mesh.triangles[:, n]].astype(float) for n in range(3))
    across = np.cross(b - a, c - a)
    assert volume(mesh.points, mesh.triangles) == pytest.approx(1, rel=1e-6)
    assert np.linalg.norm(across, axis=1).sum() / 2 == pytest.approx(6, rel=1e-6)
    assert np.allclose(across / np.linalg.norm(across, axis=1)[:, None], mesh.normals[mesh.triangles[:, 0]], atol=1e-4)
    assert set(mesh.triangles.ravel().tolist()) == set(range(len(mesh.points)))


def test_android_gets_a_glb_that_holds_what_it_says(vera: Visitor, shop: Shop):
    """Chunks, views, accessors and bounds agree; the mesh is closed; the node has the product's size and name."""
    answer = vera.ask("GET", "/ar/BAG-0007", headers=PIXEL)
    assert answer.headers["content-type"] == "model/gltf-binary"
    document, data = chunks(answer.content)
    assert document["buffers"] == [{"byteLength": len(data)}]
    (primitive,) = document["meshes"][0]["primitives"]
    points = accessor(document, data, primitive["attributes"]["POSITION"])
    triangles = accessor(document, data, primitive["indices"]).reshape(-1, 3)
    bounds = document["accessors"][primitive["attributes"]["POSITION"]]
    assert (points.min(0).tolist(), points.max(0).tolist()) == (bounds["min"], bounds["max"])
    assert triangles.max() == len(points) - 1
    (node,) = document["nodes"]
    product = shop.catalogue.products["BAG-0007"]
    assert node["name"] == product.name
    assert volume(points * node["scale"], triangles) == pytest.approx(np.prod(size_of(product)), rel=1e-6)
    assert all(0 <= part <= 1 for part in document["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"])
    assert 2e6 < len(answer.content) < 4e6, "as heavy as the page card says"


def test_apple_gets_a_usdz_with_one_aligned_stored_file(vera: Visitor):
    """The archive is whole, stores its file without compression at a multiple of 64 bytes, and the mesh adds up."""
    answer = vera.ask("GET", "/ar/BAG-0007", headers=IPHONE)
    assert answer.headers["content-type"] == "model/vnd.usdz+zip"
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        (entry,) = archive.infolist()
        assert entry.compress_type == ZIP_STORED
        text = archive.read(entry).decode()
    name, extra = unpack_from("<HH", answer.content, 26)
    assert (30 + name + extra) % 64 == 0
    assert answer.content[30 + name + extra :].startswith(b"#usda 1.0\n")
    assert text.count("{") == text.count("}")
    assert text.count("(") == text.count(")")
    points = numbers(text, "points").reshape(-1, 3)
    triangles = numbers(text, "faceVertexIndices").astype(int).reshape(-1, 3)
    assert set(numbers(text, "faceVertexCounts").tolist()) == {3}
    assert volume(points, triangles) == pytest.approx(1, rel=1e-3)


def numbers(text: str, name: str) -> np.ndarray:
    """Return the numbers of an attribute's list."""
    found = re.search(rf" {name} = \[([^\]]*)\]", text)
    assert found
    return np.array(found[1].replace("(", "").replace(")", "").split(","), float)


@pytest.mark.parametrize("phone", [IPHONE, PIXEL])
def test_who_has_the_model_need_not_fetch_it_again(vera: Visitor, phone: dict[str, str]):
    """The tag of before is answered with 304 and no body, in a list and weak as well; another tag with the file."""
    first = vera.ask("GET", "/ar/BAG-0007", headers=phone)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=86400"
    assert first.headers["vary"] == "User-Agent"
    for known in (tag, f'"x", W/{tag}', "*"):
        again = vera.ask("GET", "/ar/BAG-0007", headers=phone | {"if-none-match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert vera.ask("GET", "/ar/BAG-0007", headers=phone | {"if-none-match": '"x"'}).content == first.content
    assert vera.ask("GET", "/ar/SHO-0002", headers=phone).headers["etag"] != tag


def test_platforms_and_people(vera: Visitor, nobody: Visitor):
    """The two formats have tags of their own, a model is the same for everybody, and there is none of nothing."""
    tags = {vera.ask("GET", "/ar/BAG-0007", headers=phone).headers["etag"] for phone in (IPHONE, PIXEL)}
    assert len(tags) == 2
    assert nobody.ask("GET", "/ar/BAG-0007", headers=PIXEL).headers["etag"] in tags
    assert vera.refused("GET", "/ar/NOPE") == (404, "not_found")


@pytest.mark.parametrize("phone", [IPHONE, PIXEL])
def test_a_part_of_a_model_is_sent_where_a_part_is_asked_for(vera: Visitor, phone: dict[str, str]):
    """First bytes, last bytes and a middle are 206 with their place; what cannot be is 416, and what is odd is all."""
    whole = vera.ask("GET", "/ar/BAG-0007", headers=phone)
    total = len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    for wanted, first, last in (("0-9", 0, 9), ("-5", total - 5, total - 1), (f"{total - 3}-", total - 3, total - 1),
                                ("7-99999999999", 7, total - 1), ("-99999999999", 0, total - 1)):  # fmt: skip
        part = vera.ask("GET", "/ar/BAG-0007", headers=phone | {"range": f"bytes={wanted}"})
        assert (part.status_code, part.content) == (206, whole.content[first : last + 1])
        assert part.headers["content-range"] == f"bytes {first}-{last}/{total}"
    for wanted in (f"{total}-", "9-3", "-0"):
        refused = vera.ask("GET", "/ar/BAG-0007", headers=phone | {"range": f"bytes={wanted}"})
        assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{total}")
    for odd in ("bytes=0-1,4-5", "lines=1-2", "bytes=-", "bytes=a-b"):
        assert vera.ask("GET", "/ar/BAG-0007", headers=phone | {"range": odd}).content == whole.content
    for tag, status in ((whole.headers["etag"], 206), ('"old"', 200)):
        answer = vera.ask("GET", "/ar/BAG-0007", headers=phone | {"range": "bytes=0-9", "if-range": tag})
        assert answer.status_code == status
