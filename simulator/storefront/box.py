"""The mesh of every preview: a box whose faces are fine grids, as heavy as a scanned product and as simple as a die."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Mesh(NamedTuple):
    """`points` and `normals` (vertices, 3) and `uv` (vertices, 2), float32; `triangles` (triangles, 3), uint16.

    Triangles run counter-clockwise seen from outside, as glTF and USD want it.
    """

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.uint16]


def unit_box(cells: int) -> Mesh:
    """Return the box from -0.5 to 0.5, each face of `cells` by `cells` squares (at most 103, for uint16 indices)."""
    side = cells + 1
    assert 6 * side * side <= 2**16 - 1, "65,535 is the index that restarts a primitive"
    u, v = (grid.ravel() for grid in np.meshgrid(np.linspace(0, 1, side), np.linspace(0, 1, side), indexing="ij"))
    low = (np.arange(cells)[:, None] * side + np.arange(cells)).ravel()
    squares = np.stack([low, low + side, low + side + 1, low, low + side + 1, low + 1], axis=1).reshape(-1, 3)
    points: list[NDArray[Any]] = []
    normals: list[NDArray[Any]] = []
    triangles: list[NDArray[Any]] = []
    for axis in range(3):
        for way in (1.0, -1.0):
            face = np.full((side * side, 3), way / 2)
            # Swapping the two directions of the grid on the far side keeps the winding outward.
            first, second = ((axis + 1) % 3, (axis + 2) % 3)[:: int(way)]
            face[:, first], face[:, second] = u - 0.5, v - 0.5
            triangles.append(squares + len(points) * side * side)
            points.append(face)
            normals.append(np.eye(3)[axis] * way + np.zeros((side * side, 1)))
    uv = np.tile(np.stack([u, v], axis=1), (6, 1))
    return Mesh(
        np.concatenate(points).astype("<f4"),
        np.concatenate(normals).astype("<f4"),
        uv.astype("<f4"),
        np.concatenate(triangles).astype("<u2"),
    )
