"""Solids that nobody has seen before: smooth random blobs and assemblies of parts, drawn from a seed."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre

from nrsim import seeds
from nrsim.meshes.surface import subdivide, triangles
from nrsim.objects.lines import smooth
from nrsim.objects.solids import Solid, cylinder, outward, superquadric, together, tube

_CUBE = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
_LEVELS = 5  # 4⁵ · 6 = 6144 quads
# Standard deviation over the sphere of each degree of a blob's log radius (chosen by eye: lumpy, without spikes)
_DEGREES = {2: 0.16, 3: 0.13, 4: 0.10, 5: 0.08}


def sphere() -> tuple[np.ndarray, np.ndarray]:
    """Return even directions ``(vertex, 3)`` and triangles ``(triangle, 3)``: a cube subdivided to a sphere."""
    points, quads = _CUBE, _QUADS
    for _ in range(_LEVELS):
        rows, quads = subdivide(len(points), quads)
        points = rows @ points
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, triangles(quads)


def blob(seed: int, name: str) -> Solid:
    """Return a smooth random solid: its log radius is a random sum of spherical harmonics.

    By the addition theorem P_l(u·d) is a spherical harmonic of degree l in u; with 2l + 1 random directions d and
    weights, every harmonic of that degree can occur.
    """
    random = seeds.stream(seed, "object", name)
    directions, corners = sphere()
    log_radius = np.zeros(len(directions))
    for degree, deviation in _DEGREES.items():
        poles = random.normal(size=(2 * degree + 1, 3))
        poles /= np.linalg.norm(poles, axis=1, keepdims=True)
        only = np.eye(degree + 1)[degree]
        field = legendre.legval(directions @ poles.T, only) @ random.normal(size=len(poles))
        log_radius += deviation * field / field.std()
    return outward(directions * np.exp(log_radius)[:, None], corners)


def assembly(seed: int, name: str) -> Solid:
    """Return a random body with four to six parts that stick out of it: bent horns, rods, balls and discs."""
    random = seeds.stream(seed, "object", name)
    body_size = random.uniform([0.55, 0.65, 0.55], [0.8, 0.9, 0.8])
    body = superquadric(*body_size, *random.uniform(0.35, 1.6, 2)).painted(random.uniform(0.45, 0.8))
    parts, taken = [body], np.zeros((0, 3))
    for kind in random.permutation(["horn", "horn", "rod", "ball", "disc", "horn"])[: random.integers(4, 7)]:
        for _ in range(100):  # a place away from the others
            place = random.normal(size=3)
            place /= np.linalg.norm(place)
            if place[2] > -0.5 and (taken @ place < 0.45).all():
                break
        taken = np.concatenate([taken, place[None]])
        parts.append(_part(str(kind), random).painted(random.uniform(0.3, 0.9)))
        parts[-1] = _pointing(parts[-1], place, random.uniform(0, 360)).moved(*(0.75 * body_size * place))
    return together(*parts)


def _part(kind: str, random: np.random.Generator) -> Solid:
    """Return a part that starts at the origin and points up."""
    length = random.uniform(0.4, 0.75)
    if kind == "horn":
        bend = random.uniform(0.15, 0.5)
        line = smooth([(0, 0, 0), (0, 0.45 * length, 0), (bend, length, 0)], 24)
        return tube(line, np.linspace(random.uniform(0.16, 0.26), 0.05, 24))
    if kind == "rod":
        return cylinder(random.uniform(0.12, 0.2), length).moved(y=length / 2)
    if kind == "ball":
        size = random.uniform(0.24, 0.36)
        return superquadric(size, size, size).moved(y=0.3) + cylinder(0.1, 0.4).moved(y=0.12)
    return cylinder(random.uniform(0.3, 0.42), 0.12).moved(y=0.4) + cylinder(0.1, 0.5).moved(y=0.2)


def _pointing(part: Solid, towards: np.ndarray, spin: float) -> Solid:
    """Return a part that pointed up turned about itself by ``spin`` degrees and then ``towards`` a direction."""
    tilt = np.rad2deg(np.arccos(np.clip(towards[1], -1, 1)))
    around = np.rad2deg(np.arctan2(towards[0], towards[2]))
    return part.turned("y", spin).turned("x", tilt).turned("y", around)
