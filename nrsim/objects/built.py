"""Furniture, buildings, vehicles and clothes; each function returns one object, its front to the viewer."""

from __future__ import annotations

import numpy as np

from nrsim.objects.lines import arc, circle, in_space, smooth
from nrsim.objects.solids import Solid, box, cylinder, hollow, loft, plate, prism, revolve, superquadric, together, tube

DARK = 0.12  # reflectance


def chair() -> Solid:
    """A chair with four legs and slats in its back."""
    seat = box(1.0, 0.1, 1.0).moved(y=0.95)
    legs = [box(0.11, 0.95, 0.11).moved(x, 0.47, z) for x in (-0.42, 0.42) for z in (-0.42, 0.42)]
    posts = [box(0.11, 1.05, 0.11).moved(x, 1.5, -0.44) for x in (-0.42, 0.42)]
    slats = [box(0.8, 0.2, 0.07).moved(0, y, -0.44) for y in (1.35, 1.65, 1.92)]
    return together(seat, *legs, *posts, *slats).painted(0.6)


def table() -> Solid:
    """A table with four legs."""
    top = box(1.9, 0.1, 1.2).moved(y=1.0).painted(0.7)
    legs = [box(0.13, 0.95, 0.13).moved(x, 0.47, z).painted(0.5) for x in (-0.84, 0.84) for z in (-0.5, 0.5)]
    return together(top, *legs)


def stool() -> Solid:
    """A round seat on three legs."""
    seat = revolve([(0, 0.95), (0.5, 0.95), (0.54, 1.0), (0.54, 1.06), (0.48, 1.1), (0, 1.1)]).painted(0.7)
    legs = []
    for a in np.deg2rad([30, 150, 270]):
        legs.append(tube([(0.3 * np.cos(a), 0.97, 0.3 * np.sin(a)), (0.58 * np.cos(a), 0, 0.58 * np.sin(a))], 0.06))
    ring = tube(np.column_stack([circle(0.45, 32)[:, 0], np.full(32, 0.42), circle(0.45, 32)[:, 1]]), 0.03, loop=True)
    return together(seat, *legs, ring)


def bed() -> Solid:
    """A bed with boards, a blanket and a pillow."""
    frame = box(1.3, 0.25, 2.1).moved(y=0.35).painted(0.3)
    boards = [
        box(1.3, 0.95, 0.1).moved(0, 0.5, -1.08).painted(0.3),
        box(1.3, 0.6, 0.1).moved(0, 0.32, 1.08).painted(0.3),
    ]
    mattress = superquadric(0.62, 0.17, 1.02, 0.2, 0.2).moved(y=0.58).painted(0.9)
    blanket = superquadric(0.65, 0.18, 0.68, 0.2, 0.2).moved(0, 0.6, 0.36).painted(0.5)
    pillow = superquadric(0.45, 0.14, 0.25, 0.6, 0.5).moved(0, 0.8, -0.68).painted(1.0)
    return together(frame, *boards, mattress, blanket, pillow)


def sofa() -> Solid:
    """A sofa with two cushions."""
    base = box(2.0, 0.35, 0.9).moved(y=0.25)
    back = superquadric(1.0, 0.55, 0.16, 0.25, 0.25).moved(0, 0.75, -0.4)
    arms = [superquadric(0.16, 0.42, 0.5, 0.3, 0.3).moved(x, 0.45, 0.0) for x in (-0.98, 0.98)]
    cushions = [superquadric(0.41, 0.13, 0.42, 0.35, 0.3).moved(x, 0.53, 0.08).painted(0.75) for x in (-0.41, 0.41)]
    return together(base.painted(0.4), *(part.painted(0.45) for part in (back, *arms)), *cushions)


def lamp() -> Solid:
    """A table lamp with a shade."""
    foot = revolve(
        [
            (0, 0),
            (0.45, 0),
            (0.45, 0.06),
            (0.12, 0.14),
            *smooth([(0.09, 0.2), (0.2, 0.5), (0.07, 0.95), (0.05, 1.1)], 20),
            (0, 1.1),
        ]
    )
    shade = hollow([(0, 1.02), (0.72, 1.0), (0.34, 1.75)], 0.03).painted(0.9)
    return foot.painted(0.3) + shade + cylinder(0.345, 0.02).moved(y=1.74).painted(0.9)


def desk_lamp() -> Solid:
    """A lamp on a jointed arm."""
    foot = cylinder(0.42, 0.1).moved(y=0.05)
    arms = [tube([(0, 0.08, 0), (-0.45, 0.85, 0)], 0.045), tube([(-0.45, 0.85, 0), (0.25, 1.5, 0)], 0.045)]
    joints = [superquadric(0.09, 0.09, 0.09).moved(*at) for at in ((-0.45, 0.85, 0), (0.25, 1.5, 0))]
    line = smooth([(0.1, 0.0), (0.16, 0.16), (0.3, 0.34), (0.46, 0.6)], 20)
    shade = hollow([(0, 0), *line], 0.03).turned("z", 215).moved(0.22, 1.56)
    return together(foot, *arms, *joints).painted(0.35) + shade.painted(0.75)


def shelf() -> Solid:
    """A bookcase with books."""
    sides = [box(0.08, 2.0, 0.45).moved(x, 1.0) for x in (-0.66, 0.66)]
    boards = [box(1.3, 0.08, 0.45).moved(y=y) for y in (0.04, 0.68, 1.32, 1.96)]
    back = box(1.3, 2.0, 0.04).moved(0, 1.0, -0.2)
    books, tones = [], (0.9, 0.25, 0.6, 0.4, 0.8, 0.2, 0.7, 0.5)
    for row, y in enumerate((0.08, 0.72, 1.36)):
        x = -0.58
        for k in range(5 + row % 2):
            wide, tall = 0.12 + 0.03 * ((k + row) % 3), 0.38 + 0.05 * ((2 * k + row) % 3)
            books.append(
                box(wide, tall, 0.34).moved(x + wide / 2, y + tall / 2, 0.02).painted(tones[(3 * row + k) % 8])
            )
            x += wide + 0.015
    return together(*(part.painted(0.5) for part in (*sides, *boards, back)), *books)


def ladder() -> Solid:
    """A ladder of six rungs."""
    rails = [box(0.1, 2.4, 0.08).moved(x) for x in (-0.4, 0.4)]
    rungs = [box(0.8, 0.09, 0.07).moved(y=y) for y in np.linspace(-1.0, 1.0, 6)]
    return together(*rails, *rungs).turned("x", -18).painted(0.6)


def house() -> Solid:
    """A house with a gabled roof, a door, windows and a chimney."""
    walls = prism([(-0.8, 0), (0.8, 0), (0.8, 0.9), (0, 1.6), (-0.8, 0.9)], 1.5).painted(0.75)
    slope = np.rad2deg(np.arctan2(0.7, 0.8))
    roof = [box(1.25, 0.09, 1.7).turned("z", -s * slope).moved(s * 0.43, 1.27).painted(0.25) for s in (-1, 1)]
    door = box(0.36, 0.62, 0.04).moved(0, 0.31, 0.75).painted(DARK)
    front = [box(0.3, 0.3, 0.04).moved(x, 0.62, 0.75).painted(DARK) for x in (-0.5, 0.5)]
    sides = [box(0.04, 0.32, 0.36).moved(-0.8, 0.5, z).painted(DARK) for z in (-0.35, 0.35)]
    chimney = box(0.22, 0.6, 0.22).moved(0.42, 1.55, -0.3).painted(0.5)
    return together(walls, *roof, door, *front, *sides, chimney).turned("y", 8)


def castle() -> Solid:
    """A tower with battlements, a gate and slits."""
    wall = cylinder(0.62, 1.6, 0.55).moved(y=0.8)
    crown = hollow([(0, 1.5), (0.55, 1.5), (0.72, 1.65), (0.72, 1.85)], 0.12)
    teeth = []
    for a in range(0, 360, 40):
        teeth.append(box(0.26, 0.24, 0.13).moved(0, 1.95, 0.655).turned("y", a))
    gate = [(-0.17, 0), (0.17, 0), *[(0.17 * np.cos(a), 0.36 + 0.17 * np.sin(a)) for a in np.linspace(0, np.pi, 12)]]
    slits = [box(0.08, 0.26, 0.1).moved(0, y, 0.56).turned("y", a) for y, a in ((1.2, 0), (0.85, -45), (1.2, -80))]
    holes = [prism(gate, 0.12).moved(z=0.58), *slits]
    return together(wall, crown, *teeth).painted(0.65) + together(*(hole.painted(0.06) for hole in holes)).turned(
        "y", -20
    )


def windmill() -> Solid:
    """A tower with four sails."""
    tower = cylinder(0.55, 1.5, 0.34).moved(y=0.75).painted(0.75)
    cap = revolve([(0, 1.5), (0.42, 1.5), (0.3, 1.75), (0.1, 1.9), (0, 1.92)]).painted(0.3)
    sails = [box(0.3, 1.0, 0.03).moved(0.15, 0.7).turned("z", 90 * k + 20).painted(0.95) for k in range(4)]
    spars = [box(0.06, 1.25, 0.06).moved(0, 0.6).turned("z", 90 * k + 20).painted(DARK) for k in range(4)]
    hub = cylinder(0.09, 0.3).turned("x", 90).painted(DARK)
    door = box(0.3, 0.5, 0.1).moved(0, 0.25, 0.5).painted(DARK)
    return together(tower, cap, door) + together(*sails, *spars, hub).moved(0, 1.55, 0.6).turned("y", -14)


def _wheel(radius: float, width: float) -> Solid:
    tyre = cylinder(radius, width).turned("x", 90).painted(0.08)
    return tyre + cylinder(radius * 0.55, width * 1.1).turned("x", 90).painted(0.7)


def car() -> Solid:
    """A car seen from its side and front."""
    body = smooth([(-1.45, 0.3), (-1.48, 0.62), (-1.3, 0.74), (-0.85, 0.78)], 12).tolist()
    body += [(0.75, 0.78), *smooth([(0.75, 0.78), (1.25, 0.7), (1.5, 0.56), (1.48, 0.3)], 12)[1:].tolist()]
    roof = [(-0.98, 0.76), *smooth([(-0.82, 0.95), (-0.5, 1.2), (0.1, 1.2), (0.4, 1.05)], 14).tolist(), (0.78, 0.76)]
    shell = prism(body, 1.2, 0.06).painted(0.6)
    cabin = prism(roof, 1.02, 0.05).painted(0.6)
    panes = [
        prism([(-0.78, 0.82), (-0.52, 1.12), (-0.22, 1.13), (-0.22, 0.82)], 1.06),
        prism([(-0.14, 0.82), (-0.14, 1.13), (0.1, 1.12), (0.55, 0.82)], 1.06),
    ]
    screen = box(0.52, 0.02, 0.86).turned("z", -38).moved(0.555, 0.96)
    wheels = [_wheel(0.29, 0.2).moved(x, 0.28, z) for x in (-0.9, 0.92) for z in (-0.54, 0.54)]
    lights = [superquadric(0.05, 0.08, 0.12).moved(1.46, 0.52, z).painted(1.0) for z in (-0.4, 0.4)]
    glass = together(*(pane.painted(0.08) for pane in (*panes, screen)))
    return together(shell, cabin, glass, *wheels, *lights).turned("y", -62)


def truck() -> Solid:
    """A lorry with a box behind its cab."""
    load = box(1.7, 1.1, 1.0).moved(-0.45, 0.95).painted(0.75)
    cab = prism([(0.48, 0.3), (1.15, 0.3), (1.15, 0.75), (0.98, 1.2), (0.48, 1.2)], 0.95, 0.04).painted(0.4)
    panes = [
        prism([(0.65, 0.78), (1.06, 0.78), (0.93, 1.1), (0.65, 1.1)], 1.0),
        box(0.03, 0.38, 0.75).turned("z", 20).moved(1.085, 0.96),
    ]
    frame = box(2.4, 0.14, 0.8).moved(-0.1, 0.33).painted(DARK)
    wheels = [_wheel(0.25, 0.2).moved(x, 0.25, z) for x in (-0.95, -0.4, 0.8) for z in (-0.42, 0.42)]
    return together(load, cab, frame, *(pane.painted(0.08) for pane in panes), *wheels).turned("y", -62)


def aeroplane() -> Solid:
    """An airliner."""
    hull = revolve(
        [
            (0, -1.35),
            *smooth([(0.03, -1.33), (0.12, -0.9), (0.18, -0.2), (0.18, 0.7), (0.13, 1.02), (0.03, 1.16)], 40),
            (0, 1.17),
        ]
    )
    hull = hull.turned("x", 90).painted(0.8)
    wing = [(0.1, 0.35), (1.35, -0.5), (1.35, -0.72), (0.1, -0.25)]
    tail = [(0.05, -0.95), (0.55, -1.25), (0.55, -1.4), (0.05, -1.25)]
    flats = []
    for outline in (wing, tail):
        for s in (-1, 1):
            flats.append(prism([(s * x, -z) for x, z in outline], 0.05).turned("x", 90).painted(0.6))
    fin = prism([(-0.85, 0.08), (-1.32, 0.62), (-1.45, 0.62), (-1.3, 0.05)], 0.05).turned("y", -90).painted(0.4)
    engines = [cylinder(0.1, 0.4).turned("x", 90).moved(x, -0.14, 0.12).painted(0.3) for x in (-0.55, 0.55)]
    return together(hull, *flats, fin, *engines).turned("y", 25).turned("x", 12)


def sailing_boat() -> Solid:
    """A hull, a mast and two sails."""
    hull = superquadric(1.0, 0.42, 0.34, 0.9, 1.1, 40)
    v = hull.vertices.copy()
    v[:, 1] = np.minimum(v[:, 1], 0.02)
    hull = Solid(v, hull.corners, hull.paint).moved(y=0.42).painted(0.35)
    deck = prism([(-0.98, -0.02), (0.98, -0.02), (0.98, 0.03), (-0.98, 0.03)], 0.06).moved(y=0.44)
    mast = tube([(0.05, 0.4, 0), (0.05, 2.3, 0)], 0.035).painted(DARK)
    main = prism([(0.0, 0.62), (-0.85, 0.62), (-0.05, 2.2)], 0.03).painted(0.9)
    jib = prism([(0.13, 0.6), (0.9, 0.52), (0.1, 1.95)], 0.03).painted(0.75)
    return together(hull, deck.painted(0.3), mast, main, jib).turned("y", -22)


def rocket() -> Solid:
    """A rocket with fins and a window."""
    line = smooth([(0.24, 0.25), (0.36, 0.7), (0.36, 1.2), (0.22, 1.75), (0.03, 2.12)], 36)
    body = revolve([(0, 0.25), *line, (0, 2.14)]).painted(0.8)
    nozzle = cylinder(0.24, 0.2, 0.15).moved(y=0.2).painted(DARK)
    fin = [(0.22, 0.95), (0.68, 0.35), (0.68, 0.0), (0.2, 0.4)]
    fins = [prism(fin, 0.07).turned("y", a).painted(0.3) for a in (20, 110, 200, 290)]
    window = plate(circle(0.15, 24), circle(0.1, 24), 0.1).moved(0, 1.3, 0.33).painted(0.3)
    pane = cylinder(0.11, 0.05).turned("x", 90).moved(0, 1.3, 0.33).painted(0.08)
    return together(body, nozzle, *fins, window + pane).turned("z", -14)


def hat() -> Solid:
    """A top hat with its band."""
    brim = revolve(
        [
            (0, 0),
            *smooth([(0.5, 0.0), (0.8, 0.03), (0.98, 0.12)], 14),
            (0.98, 0.15),
            (0.8, 0.07),
            (0.5, 0.05),
            (0, 0.05),
        ],
        64,
    )
    crown = revolve([(0, 0.02), (0.53, 0.02), (0.5, 0.4), (0.52, 0.8), (0.58, 1.0), (0, 1.0)]).painted(0.45)
    return together(brim.painted(0.45), crown, cylinder(0.535, 0.2).moved(y=0.16).painted(0.06))


def boot() -> Solid:
    """A high boot."""
    shaft = hollow([(0, 0.35), (0.3, 0.35), (0.3, 0.9), (0.34, 1.5)], 0.04).painted(0.5)
    line = smooth([(-0.1, 0.32, 0), (0.2, 0.28, 0), (0.6, 0.22, 0), (0.8, 0.2, 0)], 20)
    foot = tube(line, np.interp(np.linspace(0, 1, 20), [0, 0.4, 0.85, 1], [0.3, 0.29, 0.2, 0.13])).painted(0.5)
    ankle = superquadric(0.34, 0.36, 0.31).moved(0.0, 0.36).painted(0.5)
    sole_line = smooth(
        [
            (-0.36, 0),
            (-0.2, 0.27),
            (0.3, 0.22),
            (0.72, 0.27),
            (0.95, 0.05),
            (0.72, -0.24),
            (0.3, -0.22),
            (-0.2, -0.27),
            (-0.36, 0),
        ],
        48,
    )
    sole = prism(sole_line[:-1], 0.08).turned("x", 90).moved(y=0.06)
    heel = prism(sole_line[:-1] * [0.4, 0.9] - [0.18, 0], 0.14).turned("x", 90).moved(y=-0.03)
    return together(shaft, foot, ankle, (sole + heel).painted(0.08)).turned("y", -40)


def umbrella() -> Solid:
    """An open umbrella with a hooked handle."""
    ribs, rows = 8, 14
    angle = 2 * np.pi * np.arange(64) / 64
    scallop = 1 - 0.09 * np.abs(np.sin(ribs / 2 * angle))
    t = np.linspace(0.06, 1, rows)[:, None]
    outside = np.stack(
        [
            t * scallop * np.cos(angle),
            0.55 * (1 - t**2) + 0.0 * angle + 0.06 * t**4 * (1 - scallop) / 0.09,
            t * scallop * np.sin(angle),
        ],
        -1,
    )
    inside = outside[::-1] - [0, 0.03, 0]
    canopy = loft(np.concatenate([outside, inside]), ((0, 0.56, 0), (0, 0.53, 0))).moved(y=1.2).painted(0.6)
    hook = [(0, 1.75), (0, 1.0), (0, 0.25), *arc(0.14, 180, 350, 14, 0.14, 0.1).tolist()]
    return canopy + tube(in_space(hook), 0.035).painted(DARK)


OBJECTS = {
    f.__name__.replace("_", " "): f
    for f in (
        chair, table, stool, bed, sofa, lamp, desk_lamp, shelf, ladder, house, castle, windmill, car, truck, aeroplane,
        sailing_boat, rocket, hat, boot, umbrella,
    )
}  # fmt: skip
