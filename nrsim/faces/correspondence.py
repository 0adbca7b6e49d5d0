"""Which point of another head is which point of the template: found from the expression units that both have.

Each unit moves one place of the face. The centre of that motion is a point that two heads share without anybody having
marked it; some forty of them carry one head's surface onto the other's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from nrsim.errors import need

_SHARPNESS = 4.0  # power of the motion in its centre: the higher, the nearer to its largest motion (chosen)
_STRAY = 0.10  # mesh units, a sixth of the eyes' distance: a unit whose motion lies further off moves another place
_NEIGHBOURS = 6  # that say how a head's proportions differ from the template's at a place (chosen)
_SMOOTHING = 0.05  # of the warp: how far it may leave a point aside (chosen by eye on two heads)
_MANY = 12  # points from which the warp may be sheared (chosen)
_FEWEST = 6  # points without which a head cannot be placed (chosen: a similarity needs 3, a warp more)


def motion_centres(vertices: np.ndarray, units: Mapping[str, sp.csr_matrix], skin: np.ndarray) -> dict[str, np.ndarray]:
    """Return unit → the centre of its motion on the skin, ``(3,)``: Σ v·‖δ(v)‖⁴ / Σ ‖δ(v)‖⁴.

    Parameters
    ----------
    vertices
        ``(vertex, 3)``.
    units
        Name → shift ``(vertex, 3)``, sparse.
    skin
        ``(vertex,)`` bool.
    """
    centres = {}
    for name, shift in units.items():
        size = np.sqrt(np.asarray(shift.multiply(shift).sum(axis=1)).ravel()) * skin
        if size.max(initial=0) > 0:
            weight = (size / size.max()) ** _SHARPNESS
            centres[name] = weight @ vertices / weight.sum()
    return centres


def similarity(
    source: np.ndarray, target: np.ndarray, *, upright: bool = False
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return scale s, rotation R ``(3, 3)`` and shift t so that s·R·p + t is nearest to the target (Umeyama 1991).

    Parameters
    ----------
    source, target
        Points, ``(point, 3)``.
    upright
        Not to rotate: the head is known to be upright and to face forward.
    """
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    if upright:
        scale = float((a * b).sum() / (a**2).sum())
        return scale, np.eye(3), target.mean(axis=0) - scale * source.mean(axis=0)
    u, d, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((d * sign).sum() / (a**2).sum())
    return scale, rotation, target.mean(axis=0) - scale * rotation @ source.mean(axis=0)


def shared(points: Mapping[str, np.ndarray], template: Mapping[str, np.ndarray], name: str) -> list[str]:
    """Return the points that two heads share.

    Raises
    ------
    ValueError
        If they are too few to place a head.
    """
    names = sorted(set(points) & set(template))
    if len(names) < _FEWEST:
        raise need(
            f"at least {_FEWEST} expression units with ARKit's names (such as jawOpen, eyeBlinkLeft), or landmarks, "
            f"to place the head {name!r}",
            f"{len(names)}: {', '.join(names) or 'none'}",
            "Rename its morph targets, or give landmarks",
        )
    return names


def fitted(
    source: np.ndarray, target: np.ndarray, sure: np.ndarray, *, upright: bool = False
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Return the similarity that most points agree on, and which they are.

    A point strays where it lies otherwise than its neighbours do, which follow the head's own proportions. The farthest
    is left aside, one at a time, until all the others lie within a tenth of a mesh unit.

    Parameters
    ----------
    source, target
        Points, ``(point, 3)``.
    sure
        ``(point,)`` bool: never left aside.
    upright
        As in :func:`similarity`.

    Returns
    -------
    tuple
        Scale, rotation ``(3, 3)``, shift ``(3,)``, and ``(point,)`` bool.
    """
    kept = np.ones(len(source), dtype=bool)
    while True:
        scale, rotation, shift = similarity(source[kept], target[kept], upright=upright)
        off = scale * source @ rotation.T + shift - target
        near = np.flatnonzero(kept)
        _, index = cKDTree(target[near]).query(target, k=min(_NEIGHBOURS + 1, len(near)))
        error = np.linalg.norm(off - np.median(off[near[index]], axis=1), axis=1) * (kept & ~sure)
        if error.max() <= _STRAY or kept.sum() <= _FEWEST:
            return scale, rotation, shift, kept
        kept[error.argmax()] = False


def onto_template(points: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return ``points (n, 3)`` carried by the smoothest warp that takes ``source (k, 3)`` to ``target (k, 3)``.

    The warp is the polyharmonic spline of three dimensions, with the kernel −r and a linear part, a little smoothed. Of
    few points, which do not say how a head is sheared, it has no linear part.
    """
    _, first = np.unique(np.round(source, 6), axis=0, return_index=True)
    if len(first) < _MANY:
        moved = target[first] - source[first]
        return points + RBFInterpolator(source[first], moved, kernel="linear", degree=0, smoothing=_SMOOTHING)(points)
    return RBFInterpolator(source[first], target[first], kernel="linear", degree=1, smoothing=_SMOOTHING)(points)


def sampled(values: np.ndarray, places: np.ndarray, at: np.ndarray, nearest: int = 3) -> np.ndarray:
    """Return ``values (n,)``, known at ``places (n, 3)``, as means of the nearest, weighted by 1/distance, ``(m,)``."""
    distance, index = cKDTree(places).query(at, k=nearest)
    weight = 1.0 / np.maximum(distance, 1e-9)
    return (values[index] * weight).sum(axis=1) / weight.sum(axis=1)
