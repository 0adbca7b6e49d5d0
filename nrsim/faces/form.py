"""Points of another head that its form shows by itself: the margins of its lids, the ridge and the tip of its nose.

Where skin ends and eyeball begins is seen, and needs no correspondence with another head.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nrsim.faces.landmarks import PLACES
from nrsim.meshes.raster import rasterise

_PIXEL = 1e-3  # mesh units, of the picture in which the eyes' openings are found (chosen: a hundredth of their height)
_REACH = 0.35  # mesh units around an eyeball's centre that are looked at: more than the opening, less than the nose
_NARROW = 0.10  # mesh units, half an eye's width: an opening narrower than this is closed or no eye
_NEAR = 0.03  # mesh units from the opening's edge within which its vertex must lie, a third of the eye's height
_SAME = 0.006  # mesh units: vertices this much further off are as near, and the foremost is the margin's front edge
_MIDDLE = 0.012  # mesh units from the midline within which a vertex lies on it
_CORNERS = ("eye_inner", "eye_outer")
_LIDS = {
    "upper": {"left": ("point_44", "upper_lid_left", "point_45"), "right": ("point_39", "upper_lid_right", "point_38")},
    "lower": {"left": ("point_48", "lower_lid_left", "point_47"), "right": ("point_41", "lower_lid_right", "point_42")},
}


def by_form(
    vertices: np.ndarray, corners: np.ndarray, skin: np.ndarray, eye: np.ndarray, moves: Mapping[str, np.ndarray]
) -> dict[str, int]:
    """Return the points that a head's form shows, name → vertex; fewer where it has no eyeballs or its eyes are closed.

    Parameters
    ----------
    vertices
        The head in the template's frame, ``(n, 3)``.
    corners
        Triangles, ``(triangle, 3)``.
    skin, eye
        ``(n,)`` bool.
    moves
        :func:`nrsim.faces.landmarks.motion` of its units; a vertex of an upper lid follows ``eyeBlink``.
    """
    found = _nose(vertices, skin)
    for side, sign in (("left", 1), ("right", -1)):
        ball = eye & (sign * vertices[:, 0] > 0)
        if ball.any():
            found |= _lids(vertices, corners, skin, ball, moves.get("eyeBlink"), side)
    return found


def _lids(
    vertices: np.ndarray,
    corners: np.ndarray,
    skin: np.ndarray,
    ball: np.ndarray,
    blink: np.ndarray | None,
    side: str,
) -> dict[str, int]:
    size = round(2 * _REACH / _PIXEL)
    sign = 1 if side == "left" else -1
    centre = (vertices[ball].min(axis=0) + vertices[ball].max(axis=0)) / 2
    # in px, the outer end to the right on both sides, y down as in a picture, nearer with a larger depth
    flat = (vertices - centre) * [sign, -1.0, 1.0] / _PIXEL + [size / 2, size / 2, 0.0]
    # mirrored triangles are seen from behind: turn them round
    around = corners if sign > 0 else corners[:, ::-1]
    near = (np.abs(flat[:, :2] - size / 2) < size / 2).all(axis=1)
    around = around[near[around].any(axis=1) & (skin | ball)[around].all(axis=1)]
    pixel, triangle, weights = rasterise(flat, around, size, size)
    depth = np.full(size * size, -np.inf)
    depth[pixel] = (flat[around[triangle], 2] * weights).sum(axis=1)
    y, x = np.divmod(pixel[ball[around[triangle]].all(axis=1)], size)
    if x.size == 0 or np.ptp(x) * _PIXEL < _NARROW:
        return {}
    inner, outer = x.min(), x.max()
    column = np.clip(np.floor(flat[:, :2]).astype(int), 0, size - 1)
    seen = skin & near & (flat[:, 2] > depth[column[:, 1] * size + column[:, 0]] - _NEAR / _PIXEL)

    def nearest(at: np.ndarray, allowed: np.ndarray) -> int | None:
        """Return the foremost of the vertices that lie nearest to a place on the opening's edge."""
        here = np.flatnonzero(seen & allowed)
        away = np.linalg.norm(flat[here, :2] - at, axis=1) * _PIXEL
        if here.size == 0 or away.min() > _NEAR:
            return None
        here = here[away <= away.min() + _SAME]
        return int(here[flat[here, 2].argmax()])

    everywhere = np.ones(len(vertices), dtype=bool)
    found: dict[str, int | None] = {}
    for name, end in zip(_CORNERS, (inner, outer), strict=True):
        found[f"{name}_{side}"] = nearest(np.array([end + 0.5, np.median(y[x == end]) + 0.5]), everywhere)
    start, width = (abs(PLACES[f"{name}_left"][0]) for name in _CORNERS)
    for lid, points in _LIDS.items():
        allowed = everywhere
        if blink is not None:
            allowed = blink > 0.5 if lid == "upper" else blink < 0.5
        for name in points[side]:
            share = (abs(PLACES[name][0]) - start) / (width - start)
            at = round(inner + share * (outer - inner))
            edge = y[x == at]
            if edge.size:
                found[name] = nearest(np.array([at + 0.5, edge.min() if lid == "upper" else edge.max() + 1.0]), allowed)
    return {name: vertex for name, vertex in found.items() if vertex is not None}


def _nose(vertices: np.ndarray, skin: np.ndarray) -> dict[str, int]:
    """Return the foremost vertex between eyes and mouth as the tip, and two in equal steps up to between the eyes."""
    top, mouth = PLACES["point_28"][1], PLACES["upper_lip"][1]
    middle = np.flatnonzero(skin & (np.abs(vertices[:, 0]) < _MIDDLE))
    height = vertices[middle, 1]
    between = middle[(height < top) & (height > mouth)]
    if between.size == 0:
        return {}
    tip = int(between[vertices[between, 2].argmax()])
    found = {"nose_tip": tip}
    for name, share in (("point_30", 1 / 3), ("point_29", 2 / 3), ("point_28", 1.0)):
        at = vertices[tip, 1] + share * (top - vertices[tip, 1])
        near = middle[np.abs(height - at) < _NEAR]
        if near.size == 0:
            return found
        # what lies under the ridge, such as the inside of the nose, is not meant
        ridge = near[vertices[near, 2] > vertices[near, 2].max() - _NEAR]
        found[name] = int(ridge[np.abs(vertices[ridge, 1] - at).argmin()])
    return found
