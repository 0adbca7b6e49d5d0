"""Tools and hardware; each function returns one object, its front to the viewer."""

from __future__ import annotations

import numpy as np

from nrsim.objects.lines import arc, circle, helix, in_space, smooth
from nrsim.objects.solids import Solid, box, cylinder, plate, prism, revolve, superquadric, together, tube


def hammer() -> Solid:
    """A claw hammer."""
    handle = tube([(0, -1.2, 0), (0, -0.6, 0), (0, 0.1, 0), (0, 0.9, 0)], [0.13, 0.14, 0.1, 0.09], flat=0.8).painted(
        0.6
    )
    face = cylinder(0.21, 0.28).turned("z", 90).moved(0.56, 0.95)
    neck = cylinder(0.14, 0.5).turned("z", 90).moved(0.25, 0.95)
    claw = tube(
        in_space(smooth([(0.1, 0.95), (-0.25, 0.98), (-0.55, 0.86), (-0.78, 0.6)], 20)),
        np.linspace(0.17, 0.05, 20),
        flat=1.2,
    )
    return (handle + together(face, neck, claw).painted(0.25)).turned("y", -18).turned("z", -28)


def key() -> Solid:
    """A door key."""
    bow = plate(circle(0.42, 40, 0, 0.95), circle(0.24, 40, 0, 0.95), 0.14, 0.03)
    shaft = cylinder(0.085, 1.6).moved(y=-0.2)
    bit = prism(
        [
            (0, -0.9),
            (0.42, -0.9),
            (0.42, -0.75),
            (0.25, -0.75),
            (0.25, -0.62),
            (0.42, -0.62),
            (0.42, -0.42),
            (0, -0.42),
        ],
        0.1,
        0.02,
    )
    collar = cylinder(0.13, 0.08).moved(y=0.42)
    return together(bow, shaft, bit, collar).turned("y", -20).turned("z", -38).painted(0.6)


def wrench() -> Solid:
    """An open-ended spanner."""
    jaw = [
        (-0.17, 0.75),
        *arc(0.4, 215, 122, 12, 0, 1.05).tolist(),
        (-0.19, 1.2),
        (-0.17, 0.98),
        (0, 0.88),
        (0.17, 0.98),
        (0.19, 1.2),
    ]
    jaw += [*arc(0.4, 58, -35, 12, 0, 1.05).tolist(), (0.17, 0.75)]
    body = prism([(-0.13, -0.9), *jaw, (0.13, -0.9)], 0.16, 0.03)
    eye = plate(circle(0.3, 36, 0, -1.05), circle(0.17, 36, 0, -1.05), 0.2, 0.03)
    return together(body, eye).turned("y", -20).turned("z", -35).painted(0.55)


def scissors() -> Solid:
    """A pair of scissors, half open."""
    blades = []
    for s in (-1, 1):
        blade = prism([(-0.11, -0.1), (0.11, -0.1), (0.1, 0.7), (-0.1 * s, 1.3)], 0.06, 0.01).painted(0.75)
        grip = tube(in_space(circle(0.27, 36, s * 0.2, -0.78) * [0.85, 1.25] + [0, 0.15]), 0.07, loop=True)
        stem = tube(in_space([(0, 0, 0)[:2], (s * 0.06, -0.4)]), 0.085, flat=0.6)
        blades.append((blade + together(grip, stem).painted(0.15)).turned("z", s * 17).moved(z=0.035 * s))
    return together(*blades, cylinder(0.07, 0.2).turned("x", 90).painted(0.3)).turned("y", -20).turned("z", 10)


def screwdriver() -> Solid:
    """A screwdriver."""
    profile = smooth([(0.16, -1.1), (0.22, -0.95), (0.19, -0.5), (0.22, -0.25), (0.12, -0.08)], 24)
    grip = revolve([(0, -1.12), *profile, (0, -0.05)], 48)
    angle = np.arctan2(grip.vertices[:, 2], grip.vertices[:, 0])
    fluted = grip.vertices * np.stack([f := 1 - 0.1 * np.cos(8 * angle), np.ones_like(f), f], axis=1)
    blade = cylinder(0.06, 1.0).moved(y=0.4) + prism(
        [(-0.06, 0.85), (-0.11, 1.05), (-0.1, 1.2), (0.1, 1.2), (0.11, 1.05), (0.06, 0.85)], 0.05
    )
    return (Solid(fluted, grip.corners, grip.paint).painted(0.3) + blade.painted(0.7)).turned("z", -38)


def saw() -> Solid:
    """A hand saw."""
    teeth = [(x, 0.0 if i % 2 else 0.09) for i, x in enumerate(np.linspace(-0.5, 1.5, 31))]
    blade = prism([*teeth, (1.5, 0.25), (-0.5, 0.62)], 0.04).painted(0.75)
    outer = smooth(
        [(-0.42, 0.62), (-0.8, 0.74), (-1.08, 0.6), (-1.0, 0.3), (-1.05, -0.05), (-0.75, -0.12), (-0.42, 0.05)], 40
    )
    hole = circle(0.15, 41, -0.78, 0.32) * [1, 1.3] + [0, -0.09]
    outline = np.concatenate([outer, [[-0.36, 0.34]]])[::-1]
    start = int(np.argmin(np.abs(np.arctan2(outline[:, 1] - 0.32, outline[:, 0] + 0.78))))
    grip = plate(np.roll(outline, -start, axis=0), hole, 0.2, 0.03).painted(0.35)
    return (blade + grip).turned("y", -20).turned("z", 18)


def axe() -> Solid:
    """An axe."""
    handle = tube(smooth([(0.06, -1.3, 0), (0, -0.7, 0), (0.02, 0.2, 0), (0, 1.0, 0)], 24), 0.085, flat=0.7).painted(
        0.65
    )
    head = [
        (-0.16, 0.62),
        (-0.16, 0.98),
        (0.12, 1.0),
        *smooth([(0.62, 1.22), (0.72, 0.8), (0.6, 0.3)], 14).tolist(),
        (0.14, 0.62),
    ]
    return (handle + prism(head, 0.16, 0.05).painted(0.3)).turned("y", -18).turned("z", -25)


def screw() -> Solid:
    """A wood screw, its head up."""
    shank = revolve([(0, -1.25), (0.03, -1.22), (0.16, -0.75), (0.17, 0.6), (0, 0.6)])
    t = np.linspace(0, 1, 300)
    radius = np.interp(t, [0, 0.27, 1], [0.05, 0.19, 0.2])[:, None]
    line = helix(1.0, 8.0, 1.55, 300) * np.concatenate([radius, np.ones_like(radius), radius], axis=1) - [0, 0.4, 0]
    thread = tube(line, 0.055, sides=8)
    head = revolve([(0, 0.55), (0.17, 0.55), (0.44, 0.85), (0.44, 0.93), (0.3, 1.0), (0, 1.02)]).painted(0.6)
    cross = [box(0.5, 0.1, 0.09).moved(y=0.985).turned("y", a).painted(0.05) for a in (0, 90)]
    return together(shank, thread).painted(0.6) + together(head, *cross)


def bolt() -> Solid:
    """A hexagonal bolt with its nut."""
    head = prism(circle(0.5, 6), 0.34, 0.04).turned("x", 90).moved(y=0.95)
    shank = cylinder(0.24, 1.9)
    thread = tube(helix(0.245, 9, 0.95, 300) - [0, 0.45, 0], 0.05, sides=8)
    nut = plate(circle(0.5, 48) * _hexagon(48)[:, None], circle(0.2, 48), 0.32, 0.03).turned("x", 90).moved(y=-0.35)
    return together(head, shank, thread, nut).turned("z", -25).painted(0.6)


def _hexagon(n: int) -> np.ndarray:
    angle = np.mod(2 * np.pi * np.arange(n) / n, np.pi / 3) - np.pi / 6
    return np.cos(np.pi / 6) / np.cos(angle)


def gear() -> Solid:
    """A cog wheel with twelve teeth."""
    outline = []
    for k in range(12):
        for offset, radius in ((-10, 0.76), (-5.5, 1.0), (5.5, 1.0), (10, 0.76)):
            a = np.deg2rad(30 * k + offset)
            outline.append((radius * np.cos(a), radius * np.sin(a)))
    start = np.rad2deg(np.arctan2(outline[0][1], outline[0][0]))
    ring = plate(outline, circle(0.24, 48, start=start), 0.36, 0.03)
    return (ring + plate(circle(0.42, 48), circle(0.24, 48), 0.55, 0.03)).painted(0.55)


def dumbbell() -> Solid:
    """Two weights on a bar."""
    bar = cylinder(0.09, 1.9).painted(0.75)
    weights = []
    for s in (-1, 1):
        for at, radius in ((0.58, 0.48), (0.78, 0.38)):
            weights.append(
                revolve(
                    [(0, -0.1), (radius - 0.04, -0.1), (radius, -0.06), (radius, 0.06), (radius - 0.04, 0.1), (0, 0.1)]
                ).moved(y=s * at)
            )
    return (bar + together(*weights).painted(0.35)).turned("z", -65).turned("y", -10)


def spring() -> Solid:
    """A helical spring."""
    return tube(helix(0.55, 6, 1.7, 300), 0.085, sides=14).painted(0.65)


def chain() -> Solid:
    """Three links of a chain."""
    links = []
    for k in range(3):
        line = np.concatenate([arc(0.27, 0, 180, 16, 0, 0.25), arc(0.27, 180, 360, 16, 0, -0.25)])
        link = tube(in_space(line), 0.1, loop=True)
        links.append(link.turned("y", 90 * (k % 2)).moved(y=0.8 * (k - 1)))
    return together(*links).turned("y", -25).turned("z", -40).painted(0.6)


def anchor() -> Solid:
    """A ship's anchor."""
    shank = tube([(0, -0.9, 0), (0, 0.8, 0)], 0.1)
    ring = tube(in_space(circle(0.2, 30, 0, 1.05)), 0.06, loop=True)
    stock = tube([(-0.5, 0.6, 0), (0.5, 0.6, 0)], 0.075)
    arms = tube(in_space(arc(0.9, 205, 335, 40, 0, -0.05)), 0.11)
    fluke = prism([(0, 0.5), (0.27, -0.12), (0, -0.02), (-0.27, -0.12)], 0.14, 0.02)
    flukes = [fluke.turned("z", -s * 30).moved(s * 0.82, -0.42) for s in (-1, 1)]
    return together(shank, ring, stock, arms, *flukes).turned("y", -15).painted(0.45)


def padlock() -> Solid:
    """A closed padlock."""
    body = superquadric(0.6, 0.48, 0.24, 0.3, 0.3).painted(0.6)
    shackle = tube(
        in_space([(-0.36, 0.3), (-0.36, 0.7), *arc(0.36, 180, 0, 24, 0, 0.8).tolist(), (0.36, 0.7), (0.36, 0.3)]), 0.09
    )
    hole = cylinder(0.1, 0.04).turned("x", 90).moved(0, 0.02, 0.235) + prism(
        [(-0.04, 0), (0.04, 0), (0.08, -0.28), (-0.08, -0.28)], 0.04
    ).moved(0, 0, 0.235)
    return together(body, shackle.painted(0.8), hole.painted(0.04))


def magnet() -> Solid:
    """A horseshoe magnet."""
    line = [(-0.5, -0.9), *arc(0.5, 180, 0, 30).tolist(), (0.5, -0.9)]
    outer = [
        (-0.75, -0.75),
        *arc(0.75, 180, 0, 30).tolist(),
        (0.75, -0.75),
        (0.3, -0.75),
        *arc(0.3, 0, 180, 30).tolist(),
        (-0.3, -0.75),
    ]
    tips = [box(0.45, 0.36, 0.36).moved(s * 0.525, line[0][1] - 0.03).painted(0.9) for s in (-1, 1)]
    return prism(outer, 0.36, 0.03).painted(0.35) + together(*tips)


def ring() -> Solid:
    """A finger ring with a stone."""
    band = tube(in_space(circle(0.62, 60)), 0.1, flat=0.8, loop=True)
    stone = revolve([(0, -0.2), (0.3, 0.12), (0.2, 0.26), (0, 0.26)], 8).moved(y=0.9).painted(0.95)
    setting = cylinder(0.1, 0.2, 0.2).moved(y=0.75).painted(0.5)
    return together(band.painted(0.55), setting, stone).turned("y", 15)


OBJECTS = {
    f.__name__: f
    for f in (
        hammer, key, wrench, scissors, screwdriver, saw, axe, screw, bolt, gear, dumbbell, spring, chain, anchor,
        padlock, magnet, ring,
    )
}  # fmt: skip
