"""The head: a surface with expression units and identity targets, in one frame whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import scipy.sparse as sp

from nrsim import files
from nrsim.errors import unknown
from nrsim.faces import landmarks
from nrsim.meshes.surface import subdivide, triangles
from nrsim.meshes.texture import Paint

SKIN, EYE, TEETH, TONGUE, OTHER = 0, 1, 2, 3, 4
SIDES = ("Left", "Right")
# Some units of the template move less than the muscle does; these gains bring them to a visible size (chosen by eye)
_TEMPLATE_GAIN = {
    "browDown": 1.6,
    "browInnerUp": 1.25,
    "noseSneer": 1.5,
    "eyeWide": 1.2,
    "mouthFrown": 1.15,
    "mouthStretch": 1.2,
}


@dataclass(frozen=True, eq=False)
class Head:
    """A head with linear expression units and identity targets, in mesh units (about a decimetre).

    Attributes
    ----------
    name
        What it is called, for messages.
    vertices
        ``(vertex, 3)``: x to the head's left, y up, z forward; the eyes where the template's are.
    units
        Name → shift of every vertex at weight 1, ``(vertex, 3)`` sparse; ARKit's names.
    identities
        Name → shift at weight 1.
    part
        ``(vertex,)``: 0 skin, 1 eye, 2 teeth, 3 tongue, 4 another (hair, glasses).
    subdivision
        Matrix from the vertices to those of the surface drawn.
    corners
        Triangles of the surface drawn, ``(triangle, 3)``.
    surface
        Attributes of the vertices drawn: ``rest`` ``(n, 3)``, where each lies on the template, ``lip``,
        ``inside_mouth``, ``part``; ``colour`` ``(n, 3)``, where the head brings its own paint.
    landmarks
        Name → vertices of the surface drawn, whose mean is the point.
    expressions
        Expressions that the head itself defines: name → weights of units.
    gain
        Unit without its side → factor by which nrsim's own expressions use it.
    paint
        Pictures on the surface drawn, by which ``colour`` is multiplied; None without.
    frame
        Half width of its picture, in distances from the eyes to the mouth.
    """

    name: str
    vertices: np.ndarray
    units: Mapping[str, sp.csr_matrix]
    identities: Mapping[str, sp.csr_matrix]
    part: np.ndarray
    subdivision: sp.csr_matrix
    corners: np.ndarray
    surface: Mapping[str, np.ndarray]
    landmarks: Mapping[str, tuple[int, ...]]
    expressions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    gain: Mapping[str, float] = field(default_factory=dict)
    paint: Paint | None = None
    frame: float = 2.0

    def __repr__(self) -> str:
        """Say what the head holds."""
        return f"Head({len(self.vertices)} vertices, {len(self.units)} units, {len(self.identities)} identity targets)"

    def sides(self, unit: str) -> tuple[str, ...]:
        """Return the head's units that a name stands for: itself, or its left and right.

        Raises
        ------
        ValueError
            For an unknown unit; the nearest is named.
        """
        if unit in self.units:
            return (unit,)
        both = tuple(unit + side for side in SIDES if unit + side in self.units)
        if not both:
            raise unknown(f"expression unit of the head {self.name!r}", unit, {*self.units, *self.whole_units()})
        return both

    def whole_units(self) -> set[str]:
        """Return the names that stand for a left and a right unit."""
        pairs = {name.removesuffix(SIDES[0]) for name in self.units if name.endswith(SIDES[0])}
        return {name for name in pairs if name + SIDES[1] in self.units}

    def expression(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the shift of every vertex for weights of expression units, ``(vertex, 3)``; linear in the weights.

        A unit that comes in pairs may be named without its side (``mouthSmile``) for both.

        Raises
        ------
        ValueError
            For an unknown unit; the nearest is named.
        """
        total = np.zeros_like(self.vertices)
        for unit, weight in weights.items():
            for name in self.sides(unit):
                total += self.units[name].toarray() * float(weight)
        return total

    def identity(self, weights: Mapping[str, float]) -> np.ndarray:
        """Return the shift of every vertex for weights of identity targets, ``(vertex, 3)``, eyes kept in place.

        Raises
        ------
        ValueError
            For an unknown target; the nearest is named.
        """
        total = np.zeros_like(self.vertices)
        for name, weight in weights.items():
            if name not in self.identities:
                raise unknown(f"identity target of the head {self.name!r}", name, self.identities)
            total += self.identities[name].toarray() * float(weight)
        moved = self.vertices + total
        here, there = self.eye_centres(self.vertices), self.eye_centres(moved)
        scale = np.linalg.norm(here[0] - here[1]) / np.linalg.norm(there[0] - there[1])
        return (moved - there.mean(axis=0)) * scale + here.mean(axis=0) - self.vertices

    def eye_centres(self, vertices: np.ndarray) -> np.ndarray:
        """Return the centres of the left and the right eye, ``(2, 3)``: of the eyeballs, else of the landmarks."""
        sides = [(self.part == EYE) & (sign * self.vertices[:, 0] > 0) for sign in (1, -1)]
        if all(side.any() for side in sides):
            return np.stack([vertices[side].mean(axis=0) for side in sides])
        drawn = self.subdivision @ vertices
        return np.stack([drawn[list(self.landmarks[f"eye_{side}"])].mean(axis=0) for side in ("left", "right")])


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
def template() -> Head:
    """Return the head that comes with nrsim, MakeHuman's base mesh: the frame that every head is brought into."""
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
        "template",
        vertices,
        _targets(arrays, "fu_", len(vertices)),
        _targets(arrays, "id_", len(vertices)),
        part,
        subdivision,
        triangles(fine),
        surface,
        landmarks.on_surface(surface["rest"], surface["part"] == SKIN),
        gain=_TEMPLATE_GAIN,
    )
