"""Named points of the face, as vertices of the surface drawn, so that they are exact in every picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from nrsim.errors import need, unknown

# Places on the template, mesh units; paired points have a positive x and exist on both sides.
_PAIRED = {
    "brow_inner": (0.12, 7.445, 1.50),
    "brow_outer": (0.50, 7.455, 1.38),
    "eye_inner": (0.195, 7.262, 1.36),
    "eye_outer": (0.435, 7.290, 1.31),
    "upper_lid": (0.310, 7.333, 1.411),
    "lower_lid": (0.311, 7.239, 1.403),
    "mouth_corner": (0.2483, 6.6197, 1.439),
}
_MIDLINE = {
    "nose_tip": (0.0, 6.93, 1.72),
    "upper_lip": (0.0, 6.683, 1.601),
    "lower_lip": (0.0, 6.509, 1.556),
    "chin": (0.0, 6.274, 1.478),
}
# Points between others: their mean
_BETWEEN = {f"eye_{side}": (f"eye_inner_{side}", f"eye_outer_{side}") for side in ("left", "right")} | {
    "mouth": ("upper_lip", "lower_lip")
}
PLACES: Mapping[str, tuple[float, float, float]] = {
    **{f"{name}_left": place for name, place in _PAIRED.items()},
    **{f"{name}_right": (-x, y, z) for name, (x, y, z) in _PAIRED.items()},
    **_MIDLINE,
}

# The ten points of Stettler et al. 2023: four on the brows, four on the mouth, two on the lower lids
STETTLER = tuple(
    [f"{end}_{side}" for side in ("left", "right") for end in ("brow_inner", "brow_outer")]
    + ["mouth_corner_left", "mouth_corner_right", "upper_lip", "lower_lip", "lower_lid_left", "lower_lid_right"]
)
STANDARD = (*PLACES, *_BETWEEN)
_SETS: Mapping[str, tuple[str, ...]] = {"standard": STANDARD, "stettler": STETTLER}


def on_surface(rest: np.ndarray, skin: np.ndarray) -> dict[str, tuple[int, ...]]:
    """Return name → vertices drawn, the nearest of the skin ``(n,)`` to each place of the template ``rest (n, 3)``."""
    numbers = np.flatnonzero(skin)
    _, nearest = cKDTree(rest[numbers]).query(np.array(list(PLACES.values())))
    return with_between({name: int(numbers[i]) for name, i in zip(PLACES, nearest, strict=True)})


def with_between(single: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Return name → vertices, with the points that lie between others added."""
    between = {name: tuple(single[end] for end in ends) for name, ends in _BETWEEN.items()}
    return {**{name: (vertex,) for name, vertex in single.items()}, **between}


def chosen(
    wanted: str | Sequence[str | int], known: Mapping[str, tuple[int, ...]], n_vertices: int
) -> dict[str, tuple[int, ...]]:
    """Return the points a user asks for, name → vertices drawn.

    Parameters
    ----------
    wanted
        ``"standard"``, ``"stettler"`` (the ten of Stettler et al. 2023), ``"68"``, or names and vertex numbers.
    known
        The head's points.
    n_vertices
        Vertices of the surface drawn.

    Raises
    ------
    ValueError, TypeError
        For an unknown set or point (the nearest is named), a vertex that the head does not have, or an empty list.
    """
    if isinstance(wanted, str):
        if wanted not in _SETS:
            raise unknown("set of landmarks", wanted, _SETS)
        wanted = _SETS[wanted]
    points: dict[str, tuple[int, ...]] = {}
    for point in wanted:
        if isinstance(point, (int, np.integer)) and not isinstance(point, bool):
            if not 0 <= point < n_vertices:
                raise need(f"a vertex from 0 to {n_vertices - 1} as landmark", point)
            points[f"vertex_{int(point)}"] = (int(point),)
        elif isinstance(point, str):
            if point not in known:
                raise unknown("landmark", point, known)
            points[point] = known[point]
        else:
            raise need("landmarks: names of points or numbers of vertices", repr(point), kind=TypeError)
    if not points:
        raise need("at least one landmark", "an empty list")
    return points
