"""Plain solids; each function returns one, its front to the viewer."""

from __future__ import annotations

import numpy as np

from nrsim.objects.lines import circle, in_space
from nrsim.objects.solids import Solid, box, cylinder, outward, prism, tube


def cube() -> Solid:
    """A cube."""
    return box(1, 1, 1)


def rod() -> Solid:
    """A cylinder."""
    return cylinder(0.6, 1.5, segments=64)


def cone() -> Solid:
    """A cone."""
    return cylinder(0.7, 1.6, 0.003, 64)


def pyramid() -> Solid:
    """A pyramid on a square."""
    base = [(-0.9, 0, -0.9), (0.9, 0, -0.9), (0.9, 0, 0.9), (-0.9, 0, 0.9), (0, 1.4, 0)]
    return outward(base, np.array([[0, 1, 2], [0, 2, 3], [1, 0, 4], [2, 1, 4], [3, 2, 4], [0, 3, 4]]))


def torus() -> Solid:
    """A torus, tipped towards the viewer."""
    return tube(in_space(circle(0.75, 64)), 0.32, sides=32, loop=True).turned("x", -40)


def star() -> Solid:
    """A five-pointed star."""
    outline = [
        (r * np.cos(a), r * np.sin(a)) for k in range(10) for r, a in [((1.0, 0.45)[k % 2], np.pi / 2 + np.pi * k / 5)]
    ]
    return prism(outline, 0.4, 0.06).painted(0.6)


def heart() -> Solid:
    """A heart."""
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    outline = (
        np.stack([16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)], 1) / 16
    )
    return prism(outline, 0.5, 0.08).painted(0.6)


def arrow() -> Solid:
    """An arrow to the right."""
    return prism([(-1, -0.24), (0.1, -0.24), (0.1, -0.62), (1, 0), (0.1, 0.62), (0.1, 0.24), (-1, 0.24)], 0.4, 0.04)


def octahedron() -> Solid:
    """An octahedron."""
    tips = np.concatenate([np.eye(3), -np.eye(3)])
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    return outward(tips, np.array(faces)).turned("y", 12)


OBJECTS = {
    "cube": cube, "cylinder": rod, "cone": cone, "pyramid": pyramid, "torus": torus, "star": star, "heart": heart,
    "arrow": arrow, "octahedron": octahedron,
}  # fmt: skip
