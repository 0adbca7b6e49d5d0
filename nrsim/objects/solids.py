"""Closed surfaces to build objects from: revolved, lofted, extruded and bent. Plain NumPy and SciPy; y up, z to us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from nrsim.meshes.raster import turn
from nrsim.objects.lines import Points, ears, inset, signed_area


@dataclass(frozen=True)
class Solid:
    """A closed surface, or several that overlap, with what it is painted with.

    Attributes
    ----------
    vertices
        ``(vertex, 3)``: x to the right, y up, z to the viewer, in any unit.
    corners
        ``(triangle, 3)`` vertex numbers, counter-clockwise seen from outside.
    paint
        ``(vertex,)`` reflectance, 0..1.
    """

    vertices: np.ndarray
    corners: np.ndarray
    paint: np.ndarray

    def __add__(self, other: Solid) -> Solid:
        """Return both; where they overlap, the nearer surface is seen."""
        return Solid(
            np.concatenate([self.vertices, other.vertices]),
            np.concatenate([self.corners, other.corners + len(self.vertices)]),
            np.concatenate([self.paint, other.paint]),
        )

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Solid:
        """Return it shifted."""
        return Solid(self.vertices + [x, y, z], self.corners, self.paint)

    def turned(self, axis: str, angle: float) -> Solid:
        """Return it turned about ``"x"``, ``"y"`` or ``"z"`` by ``angle`` degrees, counter-clockwise from its tip."""
        a = np.deg2rad(angle)
        if axis == "z":
            rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        else:
            rotation = turn(angle, 0) if axis == "y" else turn(0, angle)
        return Solid(self.vertices @ rotation.T, self.corners, self.paint)

    def stretched(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Solid:
        """Return it stretched by factors above 0."""
        return Solid(self.vertices * [x, y, z], self.corners, self.paint)

    def painted(self, reflectance: float) -> Solid:
        """Return it in one colour."""
        return Solid(self.vertices, self.corners, np.full(len(self.vertices), float(reflectance)))

    def volume(self) -> float:
        """Return the signed volume enclosed, > 0 when the surface faces outwards: Σ a·(b × c) / 6."""
        a, b, c = (self.vertices[self.corners[:, i]] for i in range(3))
        return float((a * np.cross(b, c)).sum() / 6)


def together(*solids: Solid) -> Solid:
    """Return all of them as one."""
    whole = solids[0]
    for solid in solids[1:]:
        whole = whole + solid
    return whole


def outward(vertices: Points, corners: np.ndarray) -> Solid:
    """Return a solid of reflectance 0.6 from a closed surface, facing outwards whichever way it came."""
    solid = Solid(np.asarray(vertices, dtype=float), np.asarray(corners, dtype=np.int64), np.full(len(vertices), 0.6))
    return solid if solid.volume() > 0 else Solid(solid.vertices, solid.corners[:, ::-1], solid.paint)


def loft(rings: np.ndarray, ends: tuple[Sequence[float], Sequence[float]] | None) -> Solid:
    """Return the surface through ``rings (ring, point, 3)``, each closed.

    The first and last are closed by fans to the points ``ends``; with None the last is joined to the first.
    """
    n, m = rings.shape[:2]
    number = np.arange(n * m).reshape(n, m)
    low, high = (number, np.roll(number, -1, axis=0)) if ends is None else (number[:-1], number[1:])
    a, b, c, d = low, np.roll(low, -1, axis=1), np.roll(high, -1, axis=1), high
    corners = [np.stack([a, b, c], axis=-1).reshape(-1, 3), np.stack([a, c, d], axis=-1).reshape(-1, 3)]
    vertices = rings.reshape(-1, 3)
    if ends is not None:
        for ring, tip in ((number[0][::-1], n * m), (number[-1], n * m + 1)):
            corners.append(np.stack([ring, np.roll(ring, -1), np.full(m, tip)], axis=-1))
        vertices = np.concatenate([vertices, np.asarray(ends, dtype=float)])
    return outward(vertices, np.concatenate(corners))


def revolve(profile: Points, segments: int = 48) -> Solid:
    """Return the surface that ``profile (point, 2)``, radius and height, sweeps around the y axis.

    The first and last points lie on the axis, radius 0; those between do not.
    """
    places = np.asarray(profile, dtype=float)
    inner = np.array([np.maximum(places[1:-1, 0], 1e-4), places[1:-1, 1]]).T
    angle = 2 * np.pi * np.arange(segments) / segments
    rings = np.stack(
        [
            inner[:, :1] * np.cos(angle),
            np.broadcast_to(inner[:, 1:], (len(inner), segments)),
            inner[:, :1] * np.sin(angle),
        ],
        axis=-1,
    )
    return loft(rings, ((0, places[0, 1], 0), (0, places[-1, 1], 0)))


def hollow(profile: Points, wall: float, segments: int = 48) -> Solid:
    """Return an open vessel: ``profile`` runs from the axis at the bottom up the outside to the rim.

    The inside lies ``wall`` further in and, at the bottom, further up.
    """
    places = np.asarray(profile, dtype=float)
    floor = places[0, 1] + wall
    inside = [(max(r - wall, 0.01), max(y, floor)) for r, y in places[::-1] if r > wall]
    inside = [point for i, point in enumerate(inside) if i == 0 or point != inside[i - 1]]
    return revolve([*places.tolist(), *inside, (0, floor)], segments)


def superquadric(x: float, y: float, z: float, north: float = 1.0, east: float = 1.0, n: int = 32) -> Solid:
    """Return a superquadric with the half axes ``x, y, z`` (Barr 1981).

    The exponents shape it: 1 and 1 an ellipsoid; near 0 a box; 2 and 2 an octahedron. ``north`` is that of the outline
    seen from the side, ``east`` of that seen from above.
    """
    latitude = np.linspace(-np.pi / 2, np.pi / 2, n + 1)[1:-1, None]
    longitude = 2 * np.pi * np.arange(2 * n)[None] / (2 * n)

    def power(value: np.ndarray, exponent: float) -> np.ndarray:
        return np.sign(value) * np.abs(value) ** exponent

    around = power(np.cos(latitude), north)
    rings = np.stack(
        [
            x * around * power(np.cos(longitude), east),
            np.broadcast_to(y * power(np.sin(latitude), north), (n - 1, 2 * n)),
            z * around * power(np.sin(longitude), east),
        ],
        axis=-1,
    )
    return loft(rings, ((0, -y, 0), (0, y, 0)))


def ball(radius: float, n: int = 16) -> Solid:
    """Return a sphere."""
    return superquadric(radius, radius, radius, n=n)


def cylinder(radius: float, height: float, top: float | None = None, segments: int = 48) -> Solid:
    """Return a cylinder about the y axis, centred; with ``top``, the radius there, a truncated cone."""
    half = height / 2
    return revolve([(0, -half), (radius, -half), (radius if top is None else top, half), (0, half)], segments)


def box(x: float, y: float, z: float) -> Solid:
    """Return a box with the sides ``x, y, z``, centred."""
    return prism([(-x / 2, -y / 2), (x / 2, -y / 2), (x / 2, y / 2), (-x / 2, y / 2)], z)


def tube(
    path: Points,
    radius: float | Sequence[float] | np.ndarray,
    *,
    sides: int = 20,
    flat: float = 1.0,
    loop: bool = False,
) -> Solid:
    """Return a tube along ``path (point, 3)``, its frame turning as little as it can.

    Parameters
    ----------
    path
        The middle line.
    radius
        One, or one per point.
    sides
        Sides of its section.
    flat
        The section's second half axis in units of the first.
    loop
        The last point is joined to the first; otherwise the ends are rounded.
    """
    line = np.asarray(path, dtype=float)
    radii = np.broadcast_to(np.asarray(radius, dtype=float), len(line)).copy()
    steps = np.roll(line, -1, axis=0) - np.roll(line, 1, axis=0) if loop else np.gradient(line, axis=0)
    along = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    helper = np.eye(3)[np.argmin(np.abs(along[0]))]
    across = np.empty_like(line)
    across[0] = np.cross(along[0], helper)
    for i in range(1, len(line)):
        across[i] = across[i - 1] - (across[i - 1] @ along[i]) * along[i]
        across[i] /= np.linalg.norm(across[i])
    across[0] /= np.linalg.norm(across[0])
    if loop:  # spread the twist that is left when the loop closes
        last = across[-1] - (across[-1] @ along[0]) * along[0]
        twist = np.arctan2(np.cross(across[0], last) @ along[0], across[0] @ last)
        angle = -twist * np.arange(len(line)) / len(line)
        side = np.cross(along, across)
        across = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * side
    else:  # round the ends by rings of an ellipsoid's cap
        cap = np.deg2rad([75, 50, 25])
        bulge = 0.7 * np.sin(cap)[:, None]
        line = np.concatenate(
            [line[:1] - bulge * radii[0] * along[:1], line, line[-1:] + bulge[::-1] * radii[-1] * along[-1:]]
        )
        radii = np.concatenate([np.cos(cap) * radii[0], radii, np.cos(cap)[::-1] * radii[-1]])
        along = np.concatenate([along[[0] * 3], along, along[[-1] * 3]])
        across = np.concatenate([across[[0] * 3], across, across[[-1] * 3]])
    around = 2 * np.pi * np.arange(sides) / sides
    side = np.cross(along, across)
    circle = np.cos(around)[None, :, None] * across[:, None] + flat * np.sin(around)[None, :, None] * side[:, None]
    rings = line[:, None] + radii[:, None, None] * circle
    if loop:
        return loft(rings, None)
    tips = (line[0] - 0.03 * radii[3] * along[0], line[-1] + 0.03 * radii[-4] * along[-1])
    return loft(rings, tips)


def prism(outline: Points, depth: float, bevel: float = 0.0) -> Solid:
    """Return ``outline (point, 2)``, any polygon that does not cross itself, extruded along z, centred.

    With ``bevel`` the edges of its two faces are cut off by so much.
    """
    edge = np.asarray(outline, dtype=float)
    if signed_area(edge) < 0:
        edge = edge[::-1]
    m, half = len(edge), depth / 2
    levels = [(edge, -half), (edge, half)]
    if bevel:
        face = inset(edge, bevel)
        levels = [(face, -half), (edge, bevel - half), (edge, half - bevel), (face, half)]
    vertices = np.concatenate([np.column_stack([ring, np.full(m, z)]) for ring, z in levels])
    number = np.arange(len(vertices)).reshape(len(levels), m)
    low, high = number[:-1], number[1:]
    a, b, c, d = low, np.roll(low, -1, axis=1), np.roll(high, -1, axis=1), high
    front = ears(levels[-1][0])
    corners = [
        np.stack([a, b, c], axis=-1).reshape(-1, 3),
        np.stack([a, c, d], axis=-1).reshape(-1, 3),
        number[-1][front],
        number[0][front[:, ::-1]],
    ]
    return outward(vertices, np.concatenate(corners))


def plate(outline: Points, hole: Points, depth: float, bevel: float = 0.0) -> Solid:
    """Return ``outline`` with a ``hole``, both ``(point, 2)`` of as many points around one centre, extruded along z."""
    outer, inner = np.asarray(outline, dtype=float), np.asarray(hole, dtype=float)
    outer, inner = (ring[::-1] if signed_area(ring) < 0 else ring for ring in (outer, inner))
    half = depth / 2
    levels = [(outer, -half), (outer, half), (inner, half), (inner, -half)]
    if bevel:
        face, rim = inset(outer, bevel), inset(inner, -bevel)
        levels = [(face, -half), (outer, bevel - half), (outer, half - bevel), (face, half)]
        levels += [(rim, half), (inner, half - bevel), (inner, bevel - half), (rim, -half)]
    return loft(np.stack([np.column_stack([ring, np.full(len(ring), z)]) for ring, z in levels]), None)


def corner_normals(solid: Solid, crease: float = 40.0) -> np.ndarray:
    """Return unit normals at each triangle's corners, ``(triangle, 3, 3)``.

    The mean of the triangles that meet there, weighted by their areas, but only of those that are bent from this one by
    less than ``crease`` degrees: what bends more is an edge.
    """
    a, b, c = (solid.vertices[solid.corners[:, i]] for i in range(3))
    area = np.cross(b - a, c - a)
    face = area / np.maximum(np.linalg.norm(area, axis=1, keepdims=True), 1e-15)
    flat = solid.corners.ravel()
    n = len(flat)
    at = sp.csr_matrix((np.ones(n), (flat, np.arange(n))), (len(solid.vertices), n))
    pairs = (at.T @ at).tocoo()  # corners that share a vertex
    mine, other = pairs.row // 3, pairs.col // 3
    keep = ((face[mine] * face[other]).sum(axis=1) > np.cos(np.deg2rad(crease))) | (mine == other)
    row, weight = pairs.row[keep], area[other[keep]]
    summed = np.stack([np.bincount(row, weight[:, axis], n) for axis in range(3)], axis=1)
    return (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-15)).reshape(-1, 3, 3)
