"""Points of an avatar's face that are found by its shape and motion, where names of morph targets do not say them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.spatial import cKDTree

from nrsim.faces.correspondence import similarity
from nrsim.meshes.raster import rasterise, turn

_PARTED = 0.3  # of the largest motion: neighbours that move apart by more belong to different lips (chosen)
_NEAR = 0.035  # eye distances: how far apart closed lips lie at most (chosen: 2 mm on a human face)


def motion_centre(vertices: np.ndarray, shift: np.ndarray, within: np.ndarray) -> np.ndarray | None:
    """Return the centre of a motion, Σ v·‖δ(v)‖⁴ / Σ ‖δ(v)‖⁴, ``(3,)``; None where nothing moves.

    Parameters
    ----------
    vertices, shift
        ``(vertex, 3)``.
    within
        ``(vertex,)`` bool: the vertices that count.
    """
    size = np.linalg.norm(shift, axis=1) * within
    if size.max(initial=0.0) <= 0:
        return None
    weight = (size / size.max()) ** 4
    return np.asarray(weight @ vertices / weight.sum())


def sides(vertices: np.ndarray, shift: np.ndarray, within: np.ndarray) -> dict[str, np.ndarray]:
    """Return the centres of a motion of both eyes, ``"Left"`` (at larger x) and ``"Right"``."""
    middle = motion_centre(vertices, shift, within)
    if middle is None:
        return {}
    found = {}
    for side, sign in (("Left", 1), ("Right", -1)):
        centre = motion_centre(vertices, shift, within & (sign * (vertices[:, 0] - middle[0]) > 0))
        if centre is not None:
            found[side] = centre
    return found


def parting(vertices: np.ndarray, shift: np.ndarray, within: np.ndarray, near: float) -> np.ndarray:
    """Return the vertices of the line along which lips part, ``(n,)``: neighbours that an opening mouth moves apart.

    Parameters
    ----------
    vertices, shift
        The closed mouth, and the motion that opens it, ``(vertex, 3)``.
    within
        ``(vertex,)`` bool: the vertices that count.
    near
        How far apart neighbours are at most, in the units of ``vertices``.
    """
    size = np.linalg.norm(shift, axis=1) * within
    if size.max(initial=0.0) <= 0:
        return np.zeros(0, dtype=np.int64)
    around = motion_centre(vertices, shift, within)
    moved = vertices[size > 0.05 * size.max()]
    reach = 2.0 * np.linalg.norm(moved - around, axis=1).max()
    numbers = np.flatnonzero(within & (np.linalg.norm(vertices - around, axis=1) < reach))
    pairs = cKDTree(vertices[numbers]).query_pairs(near, output_type="ndarray")
    if not len(pairs):
        return np.zeros(0, dtype=np.int64)
    first, second = numbers[pairs[:, 0]], numbers[pairs[:, 1]]
    apart = np.linalg.norm(shift[first] - shift[second], axis=1) > _PARTED * size.max()
    return np.unique(np.concatenate([first[apart], second[apart]]))


def found(
    vertices: np.ndarray,
    skin: np.ndarray,
    motions: Mapping[str, np.ndarray],
    eyes: Mapping[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return points of the face by the names that the template has for them.

    Parameters
    ----------
    vertices
        ``(vertex, 3)``: x to the head's left, y up, z forward.
    skin
        ``(vertex,)`` bool.
    motions
        What morph targets do (:data:`nrsim.faces.vrm.MEANING`) → shift ``(vertex, 3)``.
    eyes
        ``"left"``, ``"right"`` → centre of the eyeball, where known.
    """
    points = {f"eyeball_{side}": place for side, place in eyes.items()}
    for side in ("Left", "Right"):
        if f"eyeBlink{side}" in motions:
            centre = motion_centre(vertices, motions[f"eyeBlink{side}"], skin)
            if centre is not None:
                points[f"eyeBlink{side}"] = centre
    if "blink" in motions:
        points |= {
            f"eyeBlink{side}": centre
            for side, centre in sides(vertices, motions["blink"], skin).items()
            if f"eyeBlink{side}" not in points
        }
    ends = [points.get(f"eyeBlink{side}", eyes.get(side.lower())) for side in ("Left", "Right")]
    if ends[0] is None or ends[1] is None:
        return points
    apart, between = float(np.linalg.norm(ends[0] - ends[1])), (ends[0] + ends[1]) / 2
    mouth = None
    if "mouth_open" in motions:
        lips = vertices[parting(vertices, motions["mouth_open"], skin, _NEAR * apart)]
        if len(lips) >= 4 and np.ptp(lips[:, 0]) > 0.1 * apart:
            front = lips[lips[:, 2] > lips[:, 2].max() - 0.35 * apart]  # not the back of the mouth
            points["point:mouth_corner_left"] = front[front[:, 0].argmax()]
            points["point:mouth_corner_right"] = front[front[:, 0].argmin()]
            central = front[np.abs(front[:, 0] - between[0]) < 0.12 * apart]
            if len(central):
                foremost = central[central[:, 2] > central[:, 2].max() - 0.08 * apart]
                mouth = foremost.mean(axis=0)
    for motion in ("mouth_open", "mouth"):
        if mouth is None and motion in motions:
            mouth = motion_centre(vertices, motions[motion], skin)
    if mouth is None:
        return points
    points["point:mouth"] = mouth
    height = between[1] - mouth[1]
    strip = skin & (np.abs(vertices[:, 0] - between[0]) < 0.2 * apart)
    strip &= (vertices[:, 1] > mouth[1] + 0.15 * height) & (vertices[:, 1] < between[1] - 0.1 * height)
    strip &= np.linalg.norm(vertices - (between + mouth) / 2, axis=1) < 1.5 * apart
    if strip.any():
        numbers = np.flatnonzero(strip)
        points["point:nose_tip"] = vertices[numbers[vertices[numbers, 2].argmax()]]
    below = skin & (np.abs(vertices[:, 0] - between[0]) < 0.12 * apart) & (vertices[:, 2] > mouth[2] - 0.6 * apart)
    below &= (vertices[:, 1] < mouth[1] - 0.2 * height) & (vertices[:, 1] > mouth[1] - 0.85 * height)
    if below.any():  # where the profile turns back: farthest forward and down
        numbers = np.flatnonzero(below)
        points["point:chin"] = vertices[numbers[(vertices[numbers, 2] - vertices[numbers, 1]).argmax()]]
    return points


def hidden(vertices: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return which vertices are seen neither from the front nor from 40 degrees aside or 25 above or below, ``(n,)``.

    Parameters
    ----------
    vertices, corners
        ``(n, 3)`` and ``(triangle, 3)``, counter-clockwise seen from outside.
    """
    unseen = np.ones(len(vertices), dtype=bool)
    size = 256
    for yaw, pitch in ((0, 0), (-40, 0), (40, 0), (0, -25), (0, 25)):
        turned = vertices @ turn(yaw, pitch).T
        low, high = turned.min(axis=0), turned.max(axis=0)
        scale = size / float((high - low)[:2].max())
        drawn = (turned - low) * scale
        drawn[:, 1] = size - drawn[:, 1]
        _, triangle, _ = rasterise(drawn, corners, size, size)
        unseen[corners[np.unique(triangle)]] = False
    return unseen


def quarter_turn(source: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the rotation by right angles that brings a head's points nearest to how the template's lie, ``(3, 3)``.

    Parameters
    ----------
    source, target
        Name → place, of the head and of the template.
    """
    names = sorted(set(source) & set(target))
    if len(names) < 3:
        return np.eye(3)
    _, rotation, _ = similarity(*(np.stack([points[name] for name in names]) for points in (source, target)))
    turns = [
        np.array([[sign * (column == axis) for column in range(3)] for axis, sign in zip(order, signs, strict=True)])
        for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
        for signs in np.array(np.meshgrid(*[(1, -1)] * 3)).reshape(3, -1).T
    ]
    proper = [turned for turned in turns if np.linalg.det(turned) > 0]
    return max(proper, key=lambda turned: float((turned * rotation).sum())).astype(np.float64)
