"""A product to stand in one's room: GLB (glTF 2.0 binary) for most phones, USDZ for Apple's.

The mesh is the same for all and made once; a product gives it size and colour, so a model is put together in about a
millisecond and need not be kept.
"""

import zlib
from colorsys import hls_to_rgb
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from struct import pack
from typing import TYPE_CHECKING, Any

import orjson

from simulator.storefront.box import Mesh, unit_box
from simulator.storefront.catalogue import Product
from simulator.storefront.pictures import hue_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GLB_TYPE, USDZ_TYPE = "model/gltf-binary", "model/vnd.usdz+zip"
GLB_CELLS = 103
"""Squares along an edge: 127,308 triangles, 2.8 MB. Page cards say about 3 MB of a model."""
USDZ_CELLS = 72
"""USD is written as text here, which takes about twice the bytes for a triangle."""
_SIZES_M = {
    "shoes": (0.30, 0.12, 0.11), "bags": (0.38, 0.30, 0.14), "jackets": (0.55, 0.75, 0.06),
    "dresses": (0.45, 1.10, 0.05), "shirts": (0.50, 0.72, 0.04), "sportswear": (0.40, 0.90, 0.04),
    "watches": (0.04, 0.24, 0.012), "beauty": (0.05, 0.16, 0.05), "home-living": (0.28, 0.45, 0.28),
    "electronics": (0.20, 0.16, 0.08), "toys": (0.26, 0.20, 0.18),
}  # fmt: skip
"""Width, height and depth by department (assumed)."""


@dataclass(frozen=True, slots=True)
class Model:
    """A file to be sent; `etag` changes with its bytes."""

    media_type: str
    content: bytes
    etag: str


def size_of(product: Product) -> tuple[float, float, float]:
    """Return width, height and depth in metres."""
    return _SIZES_M[product.department]


def glb(product: Product) -> Model:
    """Return the product as GLB: header, JSON chunk, BIN chunk (glTF 2.0, section 4)."""
    shared, mesh, digest = _buffer()
    json = orjson.dumps(_gltf(product, mesh, len(shared)))
    json += b" " * (-len(json) % 4)
    total = 12 + 8 + len(json) + 8 + len(shared)
    head = pack("<4sIIII", b"glTF", 2, total, len(json), 0x4E4F534A)
    content = b"".join((head, json, pack("<II", len(shared), 0x004E4942), shared))
    return Model(GLB_TYPE, content, _etag(digest, json))


def usdz(product: Product) -> Model:
    """Return the product as USDZ: one stored file whose data begins at a multiple of 64 (USDZ specification 1.3)."""
    mesh, digest = _usda_mesh()
    head = _usda_head(product)
    return Model(USDZ_TYPE, _stored_zip(b"product.usda", head + mesh), _etag(digest, head))


_APPLE = ("iPhone", "iPad", "iPod")


def by_platform(product: Product, agent: str) -> Model:
    """Return the product in the format of the phone that this user agent is: USDZ for Apple's, GLB for others."""
    return (usdz if any(name in agent for name in _APPLE) else glb)(product)


def warm_up() -> None:
    """Make the meshes now, a tenth of a second that no shopper should wait for."""
    _buffer()
    _usda_mesh()


def _etag(digest: bytes, own: bytes) -> str:
    return f'"{blake2b(digest + own, digest_size=12).hexdigest()}"'


@cache
def _buffer() -> tuple[bytes, Mesh, bytes]:
    mesh = unit_box(GLB_CELLS)
    data = b"".join(part.tobytes() for part in mesh)
    data += b"\0" * (-len(data) % 4)
    return data, mesh, blake2b(data).digest()


def _gltf(product: Product, mesh: Mesh, length: int) -> dict[str, Any]:
    parts: tuple[NDArray[Any], ...] = mesh
    views, start = [], 0
    for part, target in zip(parts, (34962, 34962, 34962, 34963), strict=True):
        views.append({"buffer": 0, "byteOffset": start, "byteLength": part.nbytes, "target": target})
        start += part.nbytes
    count = len(mesh.points)
    return {
        "asset": {"version": "2.0", "generator": "Footfall storefront"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": product.name, "mesh": 0, "scale": size_of(product)}],
        "meshes": [{"primitives": [
            {"attributes": {"POSITION": 0, "NORMAL": 1, "TEXCOORD_0": 2}, "indices": 3, "material": 0}]}],
        "materials": [{"name": product.colour, "pbrMetallicRoughness": {
            "baseColorFactor": [*_colour(product), 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.7}}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": count, "type": "VEC3",
             "min": [-0.5, -0.5, -0.5], "max": [0.5, 0.5, 0.5]},
            {"bufferView": 1, "componentType": 5126, "count": count, "type": "VEC3"},
            {"bufferView": 2, "componentType": 5126, "count": count, "type": "VEC2"},
            {"bufferView": 3, "componentType": 5123, "count": mesh.triangles.size, "type": "SCALAR"},
        ],
        "bufferViews": views,
        "buffers": [{"byteLength": length}],
    }  # fmt: skip


def _colour(product: Product) -> tuple[float, float, float]:
    red, green, blue = (round(part, 4) for part in hls_to_rgb(hue_of(product) / 360, 0.45, 0.35))
    return red, green, blue


def _usda_head(product: Product) -> bytes:
    width, height, depth = size_of(product)
    return f"""#usda 1.0
(
    defaultPrim = "Product"
    metersPerUnit = 1
    upAxis = "Y"
)
def Xform "Product" (
    doc = "{product.name}"
)
{{
    float3 xformOp:scale = ({width}, {height}, {depth})
    uniform token[] xformOpOrder = ["xformOp:scale"]
    color3f[] primvars:displayColor = [({", ".join(map(str, _colour(product)))})]
""".encode()


@cache
def _usda_mesh() -> tuple[bytes, bytes]:
    """Return the end of the file, which is the same for every product, and its digest."""
    mesh = unit_box(USDZ_CELLS)
    points, normals = (
        ", ".join(f"({x:.5g}, {y:.5g}, {z:.5g})" for x, y, z in part.tolist()) for part in (mesh.points, mesh.normals)
    )
    indices = ", ".join(map(str, mesh.triangles.ravel().tolist()))
    counts = ", ".join(["3"] * len(mesh.triangles))
    text = f"""    def Mesh "Box"
    {{
        uniform token subdivisionScheme = "none"
        int[] faceVertexCounts = [{counts}]
        int[] faceVertexIndices = [{indices}]
        point3f[] points = [{points}]
        normal3f[] normals = [{normals}] (
            interpolation = "vertex"
        )
        float3[] extent = [(-0.5, -0.5, -0.5), (0.5, 0.5, 0.5)]
    }}
}}
"""
    data = text.encode()
    return data, blake2b(data).digest()


def _stored_zip(name: bytes, data: bytes) -> bytes:
    """Return a ZIP of one stored file, dated 1980-01-01, its data aligned to 64 bytes by an extra field.

    By hand, because the standard library pads no extra field to an alignment (APPNOTE.TXT 4.3.7, 4.3.12, 4.3.16).
    """
    # An extra field has a head of four bytes, so padding is at least that.
    padding = 4 + -(30 + len(name) + 4) % 64
    extra = pack("<HH", 0x1986, padding - 4) + b"\0" * (padding - 4)
    common = pack("<HHHHHIIIH", 10, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(name))
    local = b"PK\x03\x04" + common + pack("<H", len(extra)) + name + extra
    central = b"PK\x01\x02" + pack("<H", 10) + common + pack("<HHHHII", 0, 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return b"".join((local, data, central, end))
