"""Vessels, fruit and plants; each function returns one object, standing upright, its front to the viewer."""

from __future__ import annotations

import numpy as np

from nrsim.objects.lines import arc, circle, in_space, smooth
from nrsim.objects.solids import Solid, ball, cylinder, hollow, plate, prism, revolve, superquadric, together, tube

DARK, LIGHT = 0.15, 0.85  # reflectances


def mug() -> Solid:
    """A cylinder with a handle."""
    body = hollow([(0, 0), (0.46, 0), (0.5, 0.04), (0.5, 1.1)], 0.06)
    handle = tube(in_space(smooth([(0.5, 0.92), (0.76, 0.9), (0.86, 0.55), (0.72, 0.22), (0.5, 0.2)], 30)), 0.065)
    return together(body, handle).painted(0.7)


def bottle() -> Solid:
    """A wine bottle with a label."""
    shoulder = smooth([(0.36, 1.25), (0.34, 1.4), (0.2, 1.62), (0.13, 1.8), (0.125, 2.1)], 20)
    glass = revolve([(0, 0), (0.33, 0), (0.36, 0.04), *shoulder, (0.15, 2.1), (0.15, 2.2), (0, 2.2)]).painted(0.25)
    return glass + cylinder(0.368, 0.62).moved(y=0.72).painted(LIGHT)


def wineglass() -> Solid:
    """A bowl on a stem and a foot."""
    bowl = smooth([(0.05, 0.95), (0.3, 1.05), (0.44, 1.4), (0.4, 1.75), (0.34, 1.95)], 24)
    cup = hollow([(0, 0.93), *bowl], 0.03)
    foot = revolve([(0, 0), (0.4, 0), (0.4, 0.03), (0.12, 0.08), (0.05, 0.2), (0.045, 0.9), (0.06, 1), (0, 1)])
    return together(cup, foot).painted(0.8)


def bowl() -> Solid:
    """A wide open vessel on a foot."""
    side = smooth([(0.3, 0.08), (0.62, 0.22), (0.86, 0.5), (0.95, 0.8)], 20)
    return hollow([(0, 0), (0.28, 0), (0.3, 0.08), *side[1:]], 0.06, 64).painted(0.7)


def vase() -> Solid:
    """A bellied vessel with a narrow neck and a wide lip."""
    line = [(0.3, 0), (0.42, 0.25), (0.58, 0.75), (0.45, 1.25), (0.2, 1.55), (0.18, 1.7), (0.36, 1.95)]
    body = hollow([(0, 0), *smooth(line, 40)], 0.04).painted(0.65)
    return body + revolve([(0, 0.66), (0.575, 0.66), (0.592, 0.75), (0.575, 0.84), (0, 0.84)]).painted(0.2)


def teapot() -> Solid:
    """A round pot with a spout, a handle and a lid."""
    belly = smooth([(0.35, 0), (0.62, 0.2), (0.72, 0.5), (0.56, 0.85), (0.3, 0.98)], 30)
    body = revolve([(0, 0), *belly, (0, 1.0)])
    lid = revolve(
        [(0, 0.96), (0.34, 0.96), (0.3, 1.04), (0.1, 1.12), (0.06, 1.16), (0.1, 1.24), (0.07, 1.3), (0, 1.32)]
    )
    spout = tube(
        in_space(smooth([(-0.6, 0.35), (-0.88, 0.45), (-0.98, 0.75), (-1.15, 0.98)], 20)), np.linspace(0.16, 0.07, 20)
    )
    handle = tube(in_space(smooth([(0.55, 0.82), (0.95, 0.88), (1.08, 0.6), (0.92, 0.3), (0.62, 0.22)], 26)), 0.06)
    return together(body, lid, spout, handle).painted(0.7)


def pan() -> Solid:
    """A frying pan."""
    dish = hollow([(0, 0), (0.62, 0), (0.75, 0.2)], 0.05, 64).painted(0.3)
    handle = tube([(0.7, 0.14, 0), (1.1, 0.24, 0), (1.75, 0.3, 0)], [0.05, 0.06, 0.085], flat=0.6).painted(DARK)
    return (dish + handle).turned("x", 25).turned("z", 32)


def pot() -> Solid:
    """A cooking pot with a lid and two handles."""
    body = revolve([(0, 0), (0.68, 0), (0.72, 0.05), (0.72, 0.75), (0, 0.75)]).painted(0.55)
    lid = revolve([(0, 0.75), (0.76, 0.75), (0.76, 0.8), (0.5, 0.92), (0.1, 0.98), (0, 0.98)]).painted(0.7)
    knob = revolve([(0, 0.96), (0.07, 0.96), (0.06, 1.04), (0.13, 1.08), (0.12, 1.15), (0, 1.17)]).painted(DARK)
    grips = [
        tube(
            smooth([(s * 0.68, 0.6, -0.22), (s * 0.93, 0.62, -0.16), (s * 0.93, 0.62, 0.16), (s * 0.68, 0.6, 0.22)]),
            0.05,
        )
        for s in (-1, 1)
    ]
    return together(body, lid, knob, *(grip.painted(DARK) for grip in grips))


def spoon() -> Solid:
    """A spoon, upright, its hollow to the front."""
    dish = hollow([(0, 0), *[(0.5 * np.sin(a), 0.28 * (1 - np.cos(a))) for a in np.linspace(0.2, np.pi / 2, 14)]], 0.04)
    dish = dish.turned("x", 90).stretched(x=0.8, y=1.15).moved(y=1.9, z=-0.25)
    line = smooth([(0, 1.38, -0.03), (0, 1.1, -0.12), (0, 0.4, 0.0), (0, -0.6, 0.05)], 30)
    handle = tube(line, np.interp(np.linspace(0, 1, 30), [0, 0.2, 0.8, 1], [0.1, 0.07, 0.11, 0.15]), flat=0.4)
    return together(dish, handle).turned("z", -35).painted(0.75)


def fork() -> Solid:
    """A fork with four tines."""
    tines = []
    for k in range(4):
        x = -0.33 + 0.22 * k
        tines += [(x - 0.065, 1.25), (x - 0.04, 2.1), (x + 0.04, 2.1), (x + 0.065, 1.25)]
    left = [(-0.07, -0.2), (-0.07, 0.6), (-0.2, 0.78), (-0.4, 1.0)]
    right = [(-x, y) for x, y in left[::-1]]
    head = prism([*left, *tines, *right], 0.09, 0.02)
    handle = prism([(-0.07, 0.0), (-0.13, -1.2), (-0.08, -1.3), (0.08, -1.3), (0.13, -1.2), (0.07, 0.0)], 0.1, 0.03)
    return together(head, handle).turned("y", -22).turned("z", -32).painted(0.75)


def bucket() -> Solid:
    """A bucket with its bail up."""
    body = hollow([(0, 0), (0.5, 0), (0.54, 0.04), (0.74, 1.1), (0.79, 1.12), (0.79, 1.16)], 0.05).painted(0.6)
    bail = tube(in_space(arc(0.77, 0, 180, 30) * [1, 1.05] + [0, 1.08]), 0.035).painted(DARK)
    return body + bail.turned("y", 12)


def barrel() -> Solid:
    """A wooden barrel with hoops."""
    side = [(0.52 + 0.16 * np.cos(np.pi * (t - 0.5)), 1.5 * t) for t in np.linspace(0, 1, 20)]
    body = revolve([(0, 0.05), (0.45, 0.05), (0.45, 0), *side, (0.45, 1.5), (0.45, 1.44), (0, 1.44)]).painted(0.6)
    hoops = [cylinder(0.545 + 0.16 * np.sin(np.pi * t), 0.12).moved(y=1.5 * t) for t in (0.27, 0.73)]
    ends = [plate(circle(0.575, 48), circle(0.5, 48), 0.12).turned("x", 90).moved(y=y) for y in (0.09, 1.41)]
    return together(body, *(hoop.painted(DARK) for hoop in (*hoops, *ends)))


def candle() -> Solid:
    """A burning candle in a holder with a ring."""
    dish = revolve([(0, 0), (0.5, 0), (0.62, 0.14), (0.58, 0.15), (0.48, 0.06), (0, 0.06)]).painted(0.4)
    ring = tube(in_space(circle(0.17, 24, 0.75, 0.12)), 0.04, loop=True).painted(0.4)
    wax = cylinder(0.2, 1.1).moved(y=0.6).painted(0.8) + tube([(0, 1.1, 0), (0, 1.28, 0)], 0.02).painted(0.05)
    flame = revolve([(0, 1.2), *smooth([(0.06, 1.22), (0.13, 1.38), (0.08, 1.58), (0.015, 1.78)], 16), (0, 1.8)])
    return together(dish, ring, wax, flame.painted(1.0))


def bulb() -> Solid:
    """A light bulb, its screw cap down."""
    glass = smooth([(0.22, 0.5), (0.3, 0.72), (0.55, 1.1), (0.52, 1.5), (0.3, 1.76), (0.05, 1.84)], 36)
    top = revolve([(0, 0.5), *glass, (0, 1.84)]).painted(0.9)
    ridges = [(0.21 + 0.025 * (i % 2), 0.1 + 0.05 * i) for i in range(9)]
    return top + revolve([(0, 0), (0.09, 0), (0.1, 0.06), *ridges, (0.22, 0.55), (0, 0.55)]).painted(0.3)


def hourglass() -> Solid:
    """Two glass bulbs between boards and posts."""
    line = smooth([(0.42, 0.1), (0.43, 0.35), (0.25, 0.68), (0.05, 0.8), (0.25, 0.92), (0.43, 1.25), (0.42, 1.5)], 40)
    glass = revolve([(0, 0.1), *line, (0, 1.5)]).painted(0.85)
    boards = [cylinder(0.62, 0.12).moved(y=y).painted(0.3) for y in (0.04, 1.56)]
    posts = [
        tube([(0.53 * np.cos(a), 0.05, 0.53 * np.sin(a)), (0.53 * np.cos(a), 1.55, 0.53 * np.sin(a))], 0.045).painted(
            0.3
        )
        for a in np.deg2rad([40, 160, 280])
    ]
    return together(glass, *boards, *posts)


def apple() -> Solid:
    """An apple with its stalk and a leaf."""
    line = smooth([(0.02, 0.14), (0.2, 0.0), (0.5, 0.16), (0.7, 0.62), (0.55, 1.06), (0.25, 1.14), (0.02, 0.95)], 40)
    body = revolve([(0, 0.14), *line, (0, 0.95)]).painted(0.55)
    stalk = tube(smooth([(0, 0.92, 0), (0.03, 1.15, 0), (0.1, 1.4, 0)], 8), [0.035] * 7 + [0.05]).painted(0.12)
    leaf = superquadric(0.26, 0.035, 0.12, 1, 1.6).turned("z", 28).moved(0.3, 1.33).painted(0.3)
    return together(body, stalk, leaf)


def pear() -> Solid:
    """A pear with its stalk."""
    line = smooth([(0.1, 0.02), (0.42, 0.1), (0.62, 0.5), (0.48, 0.95), (0.3, 1.3), (0.24, 1.55), (0.06, 1.7)], 40)
    stalk = tube(smooth([(0, 1.66, 0), (0.03, 1.85, 0), (0.12, 2.02, 0)], 8), [0.035] * 7 + [0.05]).painted(0.12)
    return revolve([(0, 0.03), *line, (0, 1.7)]).painted(0.65) + stalk


def banana() -> Solid:
    """A bent tapered tube of five sides."""
    t = np.linspace(0, 1, 40)
    line = in_space(arc(1.25, 200, 330, 40))
    radius = np.interp(t, [0, 0.05, 0.16, 0.5, 0.85, 0.96, 1], [0.06, 0.1, 0.22, 0.29, 0.23, 0.1, 0.06])
    body = tube(line, radius, sides=6).painted(0.75)
    tips = [tube(in_space(arc(1.25, a, b, 5)), 0.065, sides=6).painted(DARK) for a, b in ((195, 200), (329, 342))]
    return together(body, *tips)


def carrot() -> Solid:
    """A carrot with its leaves."""
    root = revolve(
        [(0, 0), *smooth([(0.03, 0.02), (0.14, 0.5), (0.27, 1.3), (0.3, 1.62), (0.14, 1.74)], 36), (0, 1.72)]
    )
    leaves = []
    for k, lean in enumerate((42, 36, 40, 20, 30, 4)):
        leaf = superquadric(0.12, 0.5, 0.06, 1.2, 1.2, 16).moved(y=0.42)
        leaves.append(leaf.turned("z", -lean).turned("y", 72 * k).moved(y=1.64).painted(0.25))
    return together(root.painted(0.7), *leaves).turned("z", 30)


def mushroom() -> Solid:
    """A cap on a stalk."""
    cap = [(0.16, 0.75), *smooth([(0.68, 0.72), (0.76, 0.82), (0.62, 1.15), (0.3, 1.36), (0.02, 1.42)], 28)]
    stalk = smooth([(0.26, 0.0), (0.28, 0.15), (0.2, 0.45), (0.18, 0.8)], 16)
    spots = []
    for y, around, size in (
        (1.28, 20, 0.1),
        (1.08, 75, 0.12),
        (1.1, 140, 0.1),
        (1.02, 15, 0.11),
        (1.32, 200, 0.09),
        (0.92, 108, 0.09),
        (0.93, 50, 0.07),
    ):
        radius = np.interp(-y, [-1.42, -1.36, -1.15, -0.82], [0, 0.3, 0.62, 0.76]) * 0.99
        spots.append(
            ball(size)
            .stretched(y=0.55)
            .moved(radius * np.cos(np.deg2rad(around)), y, radius * np.sin(np.deg2rad(around)))
        )
    body = revolve([(0, 0.74), *cap, (0, 1.42)]).painted(0.35) + revolve([(0, 0), *stalk, (0, 0.8)]).painted(0.85)
    return together(body, *(spot.painted(0.9) for spot in spots))


def pumpkin() -> Solid:
    """A ribbed squash with its stalk."""
    body = superquadric(0.9, 0.62, 0.9, n=48)
    angle = np.arctan2(body.vertices[:, 2], body.vertices[:, 0])
    flat = np.hypot(body.vertices[:, 0], body.vertices[:, 2])[:, None]
    ribs = 1 - 0.13 * (1 - np.abs(np.sin(5 * angle)))[:, None] * np.minimum(flat / 0.4, 1)
    sunk = body.vertices * np.where([True, False, True], ribs, 1)
    sunk[:, 1] *= 1 - 0.3 * np.exp(-((flat[:, 0] / 0.3) ** 2))
    stalk = tube(smooth([(0, 0.38, 0), (0.02, 0.6, 0), (0.14, 0.85, 0.02)], 10), np.linspace(0.14, 0.09, 10), sides=6)
    return Solid(sunk, body.corners, body.paint).painted(0.6) + stalk.painted(0.25)


def grapes() -> Solid:
    """A bunch of grapes."""
    berries = []
    for row, (y, ring) in enumerate(((1.15, 7), (0.9, 8), (0.62, 7), (0.35, 5), (0.1, 3))):
        for k in range(ring):
            angle = 2 * np.pi * (k + 0.5 * (row % 2)) / ring
            radius = 0.068 * ring
            berries.append(ball(0.21).moved(radius * np.cos(angle), y, radius * np.sin(angle)))
    berries += [ball(0.2).moved(y=-0.14), ball(0.3).moved(y=0.7), ball(0.3).moved(y=1.1)]
    stalk = tube(smooth([(0, 1.2, 0), (0.02, 1.5, 0), (0.14, 1.72, 0)], 10), 0.045).painted(0.15)
    return together(*(berry.painted(0.4) for berry in berries), stalk)


def tree() -> Solid:
    """A fir: three cones on a trunk."""
    trunk = cylinder(0.16, 0.75).moved(y=0.2).painted(0.2)
    tiers = [
        cylinder(r, h, 0.02).moved(y=y + h / 2) for r, h, y in ((0.8, 0.95, 0.4), (0.62, 0.85, 0.95), (0.44, 0.8, 1.45))
    ]
    return together(trunk, *(tier.painted(0.45) for tier in tiers))


def cactus() -> Solid:
    """A column with two arms, in a pot."""
    stem = tube([(0, 0.5, 0), (0, 1.2, 0), (0, 1.9, 0)], 0.25)
    left = tube(in_space(smooth([(-0.1, 1.0), (-0.45, 1.02), (-0.55, 1.2), (-0.55, 1.6)], 24)), 0.14)
    right = tube(in_space(smooth([(0.1, 0.8), (0.42, 0.82), (0.52, 1.0), (0.52, 1.3)], 24)), 0.14)
    clay = revolve([(0, 0), (0.36, 0), (0.46, 0.45), (0.52, 0.45), (0.52, 0.6), (0, 0.6)]).painted(0.7)
    return together(stem, left, right).painted(0.4) + clay


OBJECTS = {
    f.__name__: f
    for f in (
        mug, bottle, wineglass, bowl, vase, teapot, pan, pot, spoon, fork, bucket, barrel, candle, bulb, hourglass,
        apple, pear, banana, carrot, mushroom, pumpkin, grapes, tree, cactus,
    )
}  # fmt: skip
