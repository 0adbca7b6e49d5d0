"""The light on objects: the same lamps as in front of the faces, in luminance."""

from __future__ import annotations

import numpy as np

AMBIENT = 0.20
SHINE = 0.10  # strength of the highlight
# Directions to the lamps and their strengths: a key light from above on the right, a weaker one from the left, and what
# the ground throws back. Chosen: those of the faces, so that light does not tell the categories apart.
LIGHTS = (((0.45, 0.55, 0.80), 0.72), ((-0.75, 0.10, 0.55), 0.26), ((0.0, -0.60, 0.50), 0.08))
# Their distance in half widths of the picture (chosen): near enough that a flat side, which lamps at infinity would
# light evenly, is lit unevenly, as the rounded parts of a face are
AWAY = 5.0


def shade(place: np.ndarray, normals: np.ndarray, paint: np.ndarray) -> np.ndarray:
    """Return the luminance of seen places, ``(seen,)``: Lambert's law, an ambient part and a highlight.

    L = ρ (a + Σ_i s_i (d/‖q_i − p‖)² [n·l_i]₊) + k Σ_i s_i [n·h_i]₊²⁵, with the reflectance ρ (``paint``, 0..1), the
    ``place (seen, 3)`` p in half widths of the picture from its middle, unit ``normals (seen, 3)``, lamps of strength
    s_i at q_i, d from the middle, in the direction l_i from the place, and h_i halfway between l_i and the viewer
    (Blinn 1977).
    """
    light, highlight = np.full(len(normals), AMBIENT), np.zeros(len(normals))
    for towards, strength in LIGHTS:
        lamp = AWAY * np.array(towards) / np.linalg.norm(towards)
        ray = lamp - place
        distance = np.linalg.norm(ray, axis=1, keepdims=True)
        direction = ray / distance
        halfway = direction + [0, 0, 1]
        halfway /= np.linalg.norm(halfway, axis=1, keepdims=True)
        light += strength * (AWAY / distance[:, 0]) ** 2 * np.clip((normals * direction).sum(axis=1), 0, None)
        highlight += strength * np.clip((normals * halfway).sum(axis=1), 0, None) ** 25
    return np.clip(paint * light + SHINE * highlight, 0, 1)
