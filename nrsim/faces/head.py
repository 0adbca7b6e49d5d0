"""The head: a mesh with expression units and identity targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.sparse as sp

from nrsim import files
from nrsim.errors import unknown
from nrsim.meshes.surface import subdivide, triangles

SKIN, EYE, TEETH, TONGUE = 0, 1, 2, 3


@dataclass(frozen=True, eq=False)
class Head:
    """A head with linear expression units and identity targets, in mesh units (about a decimetre).

    Attributes
    ----------
    vertices
        ``(vertex, 3)``: x to the head's left, y up, z forward.
    units
        Name → shift of every vertex at weight 1, ``(vertex, 3)`` sparse; ARKit's names.
    identities
        Name → shift at weight 1.
    part
        ``(vertex,)``: 0 skin, 1 eye, 2 teeth, 3 tongue.
    subdivision
        Matrix from the vertices to those of the surface drawn.
    corners
        Triangles of the surface drawn, ``(triangle, 3)``.
    surface
        Attributes of the vertices drawn: ``rest`` ``(n, 3)``, ``lip``, ``inside_mouth``, ``part``.
    """

    vertices: np.ndarray
    units: Mapping[str, sp.csr_matrix]
    identities: Mapping[str, sp.csr_matrix]
    part: np.ndarray
    subdivision: sp.csr_matrix
    corners: np.ndarray
    surface: Mapping[str, np.ndarray]

    def __repr__(self) -> str:
        """Say what the head holds."""
        return f"Head({len(self.vertices)} vertices, {len(self.units)} units, {len(self.identities)} identity targets)"

    def expression(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the shift of every vertex for weights of expression units, ``(vertex, 3)``; linear in the weights.

        Raises
        ------
        ValueError
            For an unknown unit; the nearest is named.
        """
        return self._sum(self.units, weights, "expression unit")

    def identity(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the shift of every vertex for weights of identity targets, ``(vertex, 3)``, eyes kept in place.

        Raises
        ------
        ValueError
            For an unknown target; the nearest is named.
        """
        moved = self.vertices + self._sum(self.identities, weights, "identity target")
        here, there = self._eye_centres(self.vertices), self._eye_centres(moved)
        scale = np.linalg.norm(here[0] - here[1]) / np.linalg.norm(there[0] - there[1])
        return (moved - there.mean(axis=0)) * scale + here.mean(axis=0) - self.vertices

    def _eye_centres(self, vertices: np.ndarray) -> np.ndarray:
        left = (self.part == EYE) & (self.vertices[:, 0] > 0)
        right = (self.part == EYE) & (self.vertices[:, 0] < 0)
        return np.stack([vertices[left].mean(axis=0), vertices[right].mean(axis=0)])

    def _sum(self, targets: Mapping[str, sp.csr_matrix], weights: Mapping[str, float], kind: str) -> np.ndarray:
        total = np.zeros_like(self.vertices)
        for name, weight in weights.items():
            if name not in targets:
                raise unknown(kind, name, targets)
            total += targets[name].toarray() * float(weight)
        return total


def _targets(archive: Mapping[str, np.ndarray], prefix: str, n: int) -> dict[str, sp.csr_matrix]:
    index, value = archive[prefix + "idx"].astype(np.int64), archive[prefix + "val"] * float(archive[prefix + "scale"])
    pointer = archive[prefix + "ptr"]
    targets = {}
    for i, name in enumerate(archive[prefix + "names"]):
        rows, shift = index[pointer[i] : pointer[i + 1]], value[pointer[i] : pointer[i + 1]]
        moved = sp.csr_matrix((shift.ravel(), (np.repeat(rows, 3), np.tile([0, 1, 2], len(rows)))), (n, 3))
        targets[str(name)] = moved
    return targets


@cache
def load_head() -> Head:
    """Return the head that comes with nrsim: MakeHuman's base mesh (CC0; see ``nrsim/data/head.md``).

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.load_head()
    Head(4742 vertices, 52 units, 338 identity targets)
    """
    with np.load(files.asset("head.npz")) as archive:
        arrays = dict(archive)
    vertices = arrays["V"].astype(np.float64)
    quads, part = arrays["quads"].astype(np.int64), arrays["part"].astype(np.int64)
    subdivision, fine = subdivide(len(vertices), quads)
    surface = {
        "rest": subdivision @ vertices,
        "lip": np.clip(subdivision @ (arrays["lip"] / 255.0), 0, 1),
        "inside_mouth": np.clip(subdivision @ (arrays["inm"] / 255.0), 0, 1),
        "part": np.rint(subdivision @ part).astype(np.int64),
    }
    return Head(
        vertices,
        _targets(arrays, "fu_", len(vertices)),
        _targets(arrays, "id_", len(vertices)),
        part,
        subdivision,
        triangles(fine),
        surface,
    )
