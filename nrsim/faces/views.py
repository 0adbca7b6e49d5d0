"""Views, lighting and apertures by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nrsim.errors import unknown
from nrsim.faces.domains import Colour, Look, smoothstep

# (yaw, pitch) in degrees: the head turned to its own left, and down. The eight of Freiwald & Tsao 2010; angles are
# those of the names (up and down: 30 chosen).
VIEWS: Mapping[str, tuple[float, float]] = {
    "frontal": (0.0, 0.0),
    "left_half_profile": (45.0, 0.0),
    "left_profile": (90.0, 0.0),
    "right_half_profile": (-45.0, 0.0),
    "right_profile": (-90.0, 0.0),
    "up": (0.0, -30.0),
    "down": (0.0, 30.0),
    "back": (180.0, 0.0),
}
# Towards the light: to the head's left, up, to the viewer (chosen)
LIGHTS: Mapping[str, Colour] = {
    "frontal": (0.0, 0.15, 1.0),
    "left": (1.0, 0.25, 0.45),
    "right": (-1.0, 0.25, 0.45),
    "top": (0.0, 1.0, 0.45),
    "bottom": (0.0, -1.0, 0.55),
}
STANDARD_LIGHT = "standard"
# Linear colours of skin and the factor for lips and ears' blood (chosen)
SKINS: Mapping[str, Colour] = {
    "light": (0.80, 0.62, 0.53),
    "tan": (0.60, 0.42, 0.32),
    "brown": (0.40, 0.26, 0.18),
    "dark": (0.24, 0.15, 0.105),
}
APERTURES = ("none", "oval", "circle")


def view_named(name: str) -> tuple[float, float]:
    """Return yaw and pitch of a view in degrees.

    Raises
    ------
    ValueError
        For an unknown one; the nearest is named.
    """
    if name not in VIEWS:
        raise unknown("view", name, VIEWS)
    return VIEWS[name]


def view_of(yaw: float, pitch: float) -> str:
    """Return the name of a view, or its angles as words."""
    for name, angles in VIEWS.items():
        if np.allclose(angles, (yaw, pitch), atol=1e-6):
            return name
    return f"yaw{yaw:+g}" + (f"_pitch{pitch:+g}" if pitch else "")


def lit(look: Look, light: str, skin: str) -> Look:
    """Return a look under another light and with another skin; ``"standard"`` and ``""`` leave the head its own.

    Raises
    ------
    ValueError
        For an unknown light or skin; the nearest is named.
    """
    if light != STANDARD_LIGHT:
        if light not in LIGHTS:
            raise unknown("light", light, {*LIGHTS, STANDARD_LIGHT})
        dark = ((0.0, 0.0, 1.0), 0.0)
        look = replace(look, ambient=0.20, lights=((LIGHTS[light], 0.80), dark, dark))
    if skin:
        if skin not in SKINS:
            raise unknown("skin", skin, SKINS)
        tone = SKINS[skin]
        darker = [a / b for a, b in zip(tone, SKINS["light"], strict=True)]
        lip = tuple(0.35 * paint + 0.65 * paint * factor for paint, factor in zip(look.lip, darker, strict=True))
        look = replace(look, skin=tone, lip=(lip[0], lip[1], lip[2]), shine=look.shine * (0.7 + 0.3 * darker[1]))
    return look


def aperture_mask(
    kind: str, size: int, centre: tuple[float, float] = (0.0, 0.0), radii: tuple[float, float] = (1.0, 1.0)
) -> np.ndarray | None:
    """Return how much of the picture is seen through an aperture, ``(y, x)``, 0..1; None for ``"none"``.

    Parameters
    ----------
    kind
        ``"none"``; ``"oval"``, an ellipse about the inner face; ``"circle"``, a disc that fills the picture.
    size
        Width and height in px.
    centre, radii
        Of the oval, px: x and y.

    Raises
    ------
    ValueError
        For an unknown kind; the nearest is named.
    """
    if kind not in APERTURES:
        raise unknown("aperture", kind, APERTURES)
    if kind == "none":
        return None
    if kind == "circle":
        centre, radii = (size / 2, size / 2), (0.94 * size / 2, 0.94 * size / 2)
    place = np.arange(size) + 0.5
    across, down = (place[None] - centre[0]) / radii[0], (place[:, None] - centre[1]) / radii[1]
    edge = max(0.05, 1.5 / min(radii))  # soft over a twentieth of the radius, or a pixel and a half
    return 1 - smoothstep(1 - edge, 1 + edge, np.hypot(across, down))
