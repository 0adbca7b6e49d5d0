"""Lines and outlines to build objects from: curves, circles, helices, polygons and their triangles. Plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import CubicSpline

Points = np.ndarray | Sequence[Sequence[float]]


def smooth(points: Points, n: int = 24) -> np.ndarray:
    """Return ``n`` points along a smooth curve through ``points (point, axis)``: a cubic spline over chord length."""
    places = np.asarray(points, dtype=float)
    steps = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    return CubicSpline(steps, places, axis=0)(np.linspace(0, steps[-1], n))


def circle(radius: float, n: int = 32, x: float = 0.0, y: float = 0.0, start: float = 0.0) -> np.ndarray:
    """Return ``n`` points of a circle, ``(point, 2)``, counter-clockwise from ``start`` degrees."""
    angle = np.deg2rad(start) + 2 * np.pi * np.arange(n) / n
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def arc(radius: float, start: float, end: float, n: int = 24, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Return ``n`` points of a circle from ``start`` to ``end`` degrees, ``(point, 2)``."""
    angle = np.deg2rad(np.linspace(start, end, n))
    return np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])


def in_space(points: Points, z: float = 0.0) -> np.ndarray:
    """Return points ``(point, 2)`` of a plane as ``(point, 3)`` at depth ``z``."""
    places = np.asarray(points, dtype=float)
    return np.column_stack([places, np.full(len(places), z)])


def helix(radius: float, turns: float, height: float, n: int = 240) -> np.ndarray:
    """Return the points of a helix about the y axis, centred, ``(point, 3)``."""
    t = np.linspace(0, 1, n)
    angle = 2 * np.pi * turns * t
    return np.column_stack([radius * np.cos(angle), height * (t - 0.5), radius * np.sin(angle)])


def ears(outline: np.ndarray) -> np.ndarray:
    """Return the triangles ``(point − 2, 3)`` of a polygon that runs counter-clockwise: its ears are cut one by one."""
    left = list(range(len(outline)))
    cut = []
    while len(left) > 3:
        sizes = []
        for k in range(len(left)):
            triple = [left[k - 1], left[k], left[(k + 1) % len(left)]]
            a, b, c = outline[triple]
            double = _cross(b - a, c - b)
            rest = outline[[i for i in left if i not in triple]]
            within = (_cross(b - a, rest - a) >= 0) & (_cross(c - b, rest - b) >= 0) & (_cross(a - c, rest - c) >= 0)
            sizes.append(-np.inf if double <= 0 or within.any() else double / (1e-12 + ((c - a) ** 2).sum()))
        k = int(np.argmax(sizes))  # the roundest ear, which keeps slivers away
        cut.append([left[k - 1], left[k], left[(k + 1) % len(left)]])
        del left[k]
    return np.array([*cut, left])


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def signed_area(ring: np.ndarray) -> float:
    """Return the area of a polygon ``(point, 2)``, above 0 where it runs counter-clockwise."""
    return float(_cross(ring, np.roll(ring, -1, axis=0)).sum() / 2)


def inset(ring: np.ndarray, by: float) -> np.ndarray:
    """Return a counter-clockwise polygon whose sides lie ``by`` further in."""
    step = np.roll(ring, -1, axis=0) - ring
    normal = np.column_stack([-step[:, 1], step[:, 0]]) / np.linalg.norm(step, axis=1, keepdims=True)
    before = np.roll(normal, 1, axis=0)
    both = normal + before
    return ring + by * both / np.maximum(1 + (normal * before).sum(axis=1, keepdims=True), 0.5)
