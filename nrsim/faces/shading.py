"""What a point of the head looks like: skin, lips, brows, eyes, teeth, fur, and the light on them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nrsim.faces.domains import Colour, Look, smoothstep
from nrsim.faces.head import EYE, SKIN, TEETH, TONGUE

# The brow on the template: height of its middle and its half thickness at distances from the midline, mesh units
_BROW_X = np.array([0.085, 0.16, 0.26, 0.37, 0.46, 0.55])
_BROW_Y = np.array([7.435, 7.455, 7.475, 7.485, 7.470, 7.425])
_BROW_THICK = np.array([0.030, 0.036, 0.036, 0.030, 0.024, 0.012])
EYE_CENTRE = np.array([0.308, 7.285, 1.245])  # of the template's left eyeball
# Little light reaches the back of the mouth and what shows between closed lips: how much, and between which depths of
# the template it fades (by eye)
_CAVE, _CAVE_DEPTH = 0.12, (1.12, 1.42)
_GLOSS = np.array([1.0, 0.5, 0.3, 0.3, 0.3])  # of skin, eye, teeth, tongue, others
COLOURS = np.eye(3)
LUMINANCE = np.array([[0.2126], [0.7152], [0.0722]])  # Rec. 709, of linear colours


def _brow(place: np.ndarray, look: Look) -> np.ndarray:
    """Return how much of a place of the template, ``(3, n)``, a brow covers."""
    x = np.abs(place[0])
    off = np.abs(place[1] - look.brow_lift - np.interp(x, _BROW_X, _BROW_Y))
    off = off / (look.brow_thickness * np.interp(x, _BROW_X, _BROW_THICK))
    across = smoothstep(0.05, 0.15, x) * (1 - smoothstep(0.50, 0.60, x))
    return (1 - smoothstep(0.55, 1.15, off)) * across


def _near_brow(place: np.ndarray, look: Look) -> np.ndarray:
    x, y, z = place
    return (z > 0.9) & (np.abs(x) < 0.60) & (np.abs(y - look.brow_lift - 7.45) < 0.10 * look.brow_thickness)


def _texture(place: np.ndarray, frequency: float, number: int) -> np.ndarray:
    """Return a fixed smooth random field of about unit variance over the template."""
    random = np.random.default_rng(number)
    total = np.zeros(len(place))
    for _ in range(14):
        direction = random.normal(size=3)
        direction *= frequency * random.uniform(0.6, 1.6) / np.linalg.norm(direction)
        total += np.sin(place @ direction + random.uniform(0, 2 * np.pi))
    return total / np.sqrt(14)


def fur(place: np.ndarray, skin: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the colours of a furred head at places of the template: bare around the eyes, on the muzzle and ears."""
    x, y, z = place.T
    around_eyes = ((np.abs(x) - 0.27) / 0.36) ** 2 + ((y - 7.28) / 0.27) ** 2
    muzzle = (x / 0.46) ** 2 + ((y - 6.80) / 0.48) ** 2
    edge = np.minimum(around_eyes, muzzle) + 0.10 * _texture(place, 60, 1)
    bare = (1 - smoothstep(0.80, 1.15, edge)) * smoothstep(0.55, 0.9, z)
    ear = smoothstep(0.72, 0.80, np.abs(x)) * (1 - smoothstep(0.6, 0.75, np.abs(y - 7.15)))
    bare = np.clip(bare + 0.75 * ear, 0, 1)[:, None]
    strands = 1 + 0.16 * _texture(place * [1, 0.35, 1], 90, 2) + 0.10 * _texture(place, 25, 3)
    spots = 1 - 0.10 * smoothstep(0.2, 1.0, _texture(place, 14, 5))
    return colour * strands[:, None] * (1 - bare) + skin * spots[:, None] * bare


def albedo(surface: Mapping[str, np.ndarray], look: Look) -> np.ndarray:
    """Return what the parts that do not depend on the view are painted with, per vertex drawn, ``(vertex, 3)``."""
    place = surface["rest"]
    if "colour" in surface:
        return np.asarray(surface["colour"])
    colour = np.tile(np.array(look.skin), (len(place), 1))
    if not look.furred:
        return colour
    return (1 - look.furred) * colour + look.furred * fur(place, colour, np.array(look.fur))


def shade(
    seen: Mapping[str, np.ndarray],
    normals: np.ndarray,
    look: Look,
    tint: np.ndarray,
    *,
    painted: bool = True,
    opened: float = 1.0,
) -> np.ndarray:
    """Return how bright seen places are, ``(channel, seen)``, linear; 1 is the largest a picture shows.

    Colours are mixed and lit linearly, so that a luminance may be mixed and lit in their stead.

    Parameters
    ----------
    seen
        At each place: ``rest`` ``(3, seen)`` (template coordinates), ``albedo`` ``(channel, seen)``, and ``lip``,
        ``inside_mouth``, ``part`` ``(seen,)``.
    normals
        Unit normals towards the viewer's space, ``(3, seen)``.
    look
        Colours and lights.
    tint
        What becomes of red, green and blue, ``(3, channel)``: :data:`COLOURS` or :data:`LUMINANCE`.
    painted
        Whether brows, lips, eyes and teeth are painted; not on a head that brings its own colours.
    opened
        How open the mouth is, 0..1: how much light falls into it.
    """
    place, part = seen["rest"], seen["part"]
    colour = np.array(seen["albedo"])

    def paint(which: np.ndarray | slice, mask: np.ndarray, what: Colour) -> None:
        colour[:, which] += mask * ((np.array(what) @ tint)[:, None] - colour[:, which])

    if painted:
        paint(slice(None), seen["lip"], look.lip)
        brow = np.flatnonzero((part == SKIN) & _near_brow(place, look))
        paint(brow, _brow(place[:, brow], look) * look.brow_strength, look.brow)
        paint(slice(None), seen["inside_mouth"], look.mouth)
        for which, what in ((TEETH, look.teeth), (TONGUE, look.tongue)):
            colour[:, part == which] = (np.array(what) @ tint)[:, None]
        eye = np.flatnonzero(part == EYE)
        colour[:, eye] = (_eye(place[:, eye].T, look) @ tint).T

    light, highlight = np.full(place.shape[1], look.ambient), np.zeros(place.shape[1])
    for towards, strength in look.lights:
        if strength == 0:
            continue
        direction = np.array(towards) / np.linalg.norm(towards)
        falling = np.maximum(direction @ normals, 0)
        if look.flat:
            falling += look.flat * 0.5 * (smoothstep(0.1, 0.6, falling) - falling)
        light += strength * falling
        halfway = direction + [0, 0, 1]
        highlight += strength * _power25(np.maximum((halfway / np.linalg.norm(halfway)) @ normals, 0))
    gloss = _GLOSS[part] * look.shine * (1 + 1.5 * seen["lip"]) * highlight
    mouth = np.flatnonzero((part == TEETH) | (part == TONGUE) | (seen["inside_mouth"] > 0.5))
    cave = _CAVE + (1 - _CAVE) * opened * smoothstep(*_CAVE_DEPTH, place[2, mouth])
    light[mouth] *= cave
    gloss[mouth] *= cave
    return colour * light + gloss


def _power25(x: np.ndarray) -> np.ndarray:
    x2 = x * x
    x4 = x2 * x2
    x8 = x4 * x4
    return x8 * x8 * x8 * x


def opacity(place: np.ndarray) -> np.ndarray:
    """Return how much of the head is seen at places of the template ``(3, n)``: the neck fades out below the jaw."""
    neck = 1 - smoothstep(0.95, 1.15, place[2])
    return 1 - neck * (1 - smoothstep(6.10, 6.42, place[1]))


def _eye(place: np.ndarray, look: Look) -> np.ndarray:
    side = np.where(place[:, 0] < 0, -1.0, 1.0)
    centre = np.stack([side * EYE_CENTRE[0], np.full_like(side, EYE_CENTRE[1]), np.full_like(side, EYE_CENTRE[2])], 1)
    ray = place - centre
    angle = np.arccos(np.clip(ray[:, 2] / np.maximum(np.linalg.norm(ray, axis=1), 1e-9), -1, 1))
    iris = 1 - smoothstep(look.iris_radius - 0.04, look.iris_radius + 0.04, angle)[:, None]
    pupil = 1 - smoothstep(look.pupil_radius - 0.03, look.pupil_radius + 0.03, angle)[:, None]
    colour = np.array(look.sclera) * (1 - iris) + np.array(look.iris) * iris
    return colour * (1 - pupil) + 0.03 * pupil
