"""Instruments, games and books; each function returns one object, its front to the viewer."""

from __future__ import annotations

import numpy as np

from nrsim.objects.lines import arc, circle, in_space, smooth
from nrsim.objects.solids import Solid, ball, box, cylinder, hollow, plate, prism, revolve, superquadric, together, tube


def bell() -> Solid:
    """A hand bell with a wooden handle."""
    side = smooth([(0.78, 0.0), (0.62, 0.2), (0.5, 0.6), (0.42, 0.95), (0.2, 1.1)], 30)
    body = revolve([(0, 0.1), (0.68, 0.1), (0.72, 0.0), *side, (0, 1.12)]).painted(0.65)
    grip = revolve(
        [(0, 1.05), *smooth([(0.08, 1.05), (0.07, 1.2), (0.15, 1.5), (0.1, 1.75), (0.03, 1.84)], 20), (0, 1.84)]
    )
    return together(body, grip.painted(0.2), ball(0.14).moved(y=-0.05).painted(0.3))


def pawn() -> Solid:
    """A chess pawn."""
    line = [
        (0.5, 0),
        (0.5, 0.14),
        (0.42, 0.2),
        (0.42, 0.28),
        *smooth([(0.36, 0.3), (0.2, 0.6), (0.15, 1.0)], 16).tolist(),
        (0.28, 1.02),
        (0.26, 1.1),
        (0.12, 1.12),
    ]
    return together(revolve([(0, 0), *line, (0, 1.14)]), ball(0.29, 32).moved(y=1.34)).painted(0.6)


def guitar() -> Solid:
    """A guitar."""
    half = smooth([(0.0, -1.1), (0.4, -1.02), (0.58, -0.65), (0.34, -0.2), (0.42, 0.12), (0.25, 0.36), (0.0, 0.4)], 36)
    body = prism(np.concatenate([half, (half * [-1, 1])[-2:0:-1]]), 0.26, 0.03).painted(0.65)
    neck = box(0.14, 1.35, 0.08).moved(0, 0.85, 0.12).painted(0.2)
    head = prism([(-0.07, 1.5), (-0.13, 1.58), (-0.12, 1.95), (0.12, 1.95), (0.13, 1.58), (0.07, 1.5)], 0.08).moved(
        z=0.1
    )
    hole = cylinder(0.17, 0.02).turned("x", 90).moved(0, -0.1, 0.13).painted(0.04)
    bridge = box(0.4, 0.07, 0.05).moved(0, -0.68, 0.14).painted(0.1)
    pegs = [box(0.1, 0.05, 0.05).moved(s * 0.18, y, 0.1) for s in (-1, 1) for y in (1.66, 1.78, 1.9)]
    return together(body, neck, head.painted(0.3), hole, bridge, *(peg.painted(0.8) for peg in pegs)).turned("z", -32)


def drum() -> Solid:
    """A drum with its sticks."""
    shell = cylinder(0.75, 0.75).painted(0.4)
    skin = cylinder(0.72, 0.02).moved(y=0.385).painted(0.95)
    hoops = [
        plate(circle(0.8, 48), circle(0.71, 48), 0.12).turned("x", 90).moved(y=y).painted(0.75) for y in (-0.34, 0.36)
    ]
    cords = []
    for k in range(10):
        a, b = np.deg2rad(36 * k), np.deg2rad(36 * k + 18)
        low, high = (0.76 * np.cos(b), -0.34, 0.76 * np.sin(b)), (0.76 * np.cos(a), 0.34, 0.76 * np.sin(a))
        after = (0.76 * np.cos(a + np.deg2rad(36)), 0.34, 0.76 * np.sin(a + np.deg2rad(36)))
        cords += [tube([high, low], 0.025, sides=8), tube([low, after], 0.025, sides=8)]
    sticks = [
        tube([(s * 0.1, 0.44, 0.1), (s * 0.85, 0.75, 0.55)], 0.045) + ball(0.08).moved(s * 0.1, 0.45, 0.1)
        for s in (-1, 1)
    ]
    return together(
        shell, skin, *hoops, *(cord.painted(0.9) for cord in cords), *(stick.painted(0.6) for stick in sticks)
    )


def trumpet() -> Solid:
    """A trumpet."""
    flare = smooth([(0.07, -0.5), (0.075, 0.2), (0.13, 0.65), (0.42, 0.98)], 30)
    horn = hollow([(0, -0.5), *flare], 0.02).turned("z", -90).moved(x=0.35)
    loop = tube(
        in_space(np.concatenate([[(0.55, -0.5)], arc(0.24, -90, -270, 20, -0.75, -0.24), [(-0.1, 0.0)]])), 0.055
    )
    front = tube(
        in_space(np.concatenate([[(-0.75, -0.5)], arc(0.13, -90, 90, 16, 0.55, -0.36), [(-1.15, -0.22)]])), 0.055
    )
    mouth = revolve([(0, 0), (0.07, 0), (0.07, 0.1), (0.13, 0.22), (0, 0.2)]).turned("z", 90).moved(-1.1, -0.22)
    valves = [
        cylinder(0.095, 0.62).moved(x, -0.24)
        + cylinder(0.035, 0.95).moved(x, -0.1)
        + cylinder(0.08, 0.05).moved(x, 0.38)
        for x in (-0.3, -0.07, 0.16)
    ]
    return together(horn, loop, front, mouth, *valves).painted(0.65).turned("y", -8)


def book() -> Solid:
    """A closed book lying on its side."""
    covers = [box(1.1, 0.06, 1.5).moved(y=y).painted(0.3) for y in (-0.17, 0.17)]
    spine = superquadric(0.08, 0.2, 0.75, 0.6, 0.3).moved(x=-0.55).painted(0.3)
    pages = box(1.04, 0.3, 1.42).painted(0.95)
    title = box(0.6, 0.02, 0.25).moved(0.02, 0.2, -0.35).painted(0.85)
    return together(*covers, spine, pages, title).turned("y", 150).turned("x", 14)


def die() -> Solid:
    """A die with its pips."""
    body = superquadric(1, 1, 1, 0.25, 0.25, 48).painted(0.85)
    faces = {
        "front": [(0, 0), (-0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (0.5, -0.5)],
        "top": [(-0.45, -0.45), (0.45, 0.45), (0, 0)],
        "left": [(-0.45, 0.45), (0.45, -0.45)],
    }
    pips = []
    for face, places in faces.items():
        for a, b in places:
            pip = cylinder(0.19, 0.04)
            if face == "top":
                pips.append(pip.moved(a, 0.995, b))
            else:
                pip = pip.turned("x", 90).moved(a, b, 0.995)
                pips.append(pip if face == "front" else pip.turned("y", -90))
    return together(body, *(pip.painted(0.03) for pip in pips))


OBJECTS = {f.__name__: f for f in (bell, pawn, guitar, drum, trumpet, book, die)}
