"""Named points of the face, as vertices of the surface drawn, so that they are exact in every picture.

They stay on the same spot of the skin whatever the face does and wherever it looks: in a turned head the points of the
jaw do not slide to its outline, and a point may be hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from nrsim.errors import need, unknown

Place = tuple[float, float, float]

# The 68 points of the iBUG group (300-W; Sagonas et al. 2016, Image Vis Comput 47:3), which dlib and most landmark
# detectors use, numbered from 1 as there, as vertices of the template, mesh units. Of a pair, the point on the head's
# left is given (x > 0, to the right in the picture) after both numbers, left first.
_PAIRS: Mapping[tuple[int, int], Place] = {
    # The face's outline seen from the front, in equal steps from the chin to where the ear begins at the eyes' height
    (10, 8): (0.1849, 6.2125, 1.3236),
    (11, 7): (0.3232, 6.3005, 1.2028),
    (12, 6): (0.4552, 6.4490, 1.0997),
    (13, 5): (0.5518, 6.5835, 0.9715),
    (14, 4): (0.6331, 6.7641, 0.8510),
    (15, 3): (0.6739, 6.9241, 0.8297),
    (16, 2): (0.7028, 7.1114, 0.7380),
    (17, 1): (0.7130, 7.2922, 0.6888),
    # The middle of the brow as painted (shading._BROW_*), in equal steps from its inner end
    (23, 22): (0.0963, 7.4378, 1.5022),
    (24, 21): (0.2118, 7.4648, 1.4708),
    (25, 20): (0.3377, 7.4813, 1.4208),
    (26, 19): (0.4512, 7.4668, 1.3509),
    (27, 18): (0.5402, 7.4374, 1.2585),
    # The sill of the nostril and the lower end of the nose's wing
    (35, 33): (0.0707, 6.8236, 1.5421),
    (36, 32): (0.1400, 6.8500, 1.5142),
    # The front edge of the lids' margins: inner corner, upper lid at thirds, outer corner, lower lid at thirds
    (43, 40): (0.2009, 7.2718, 1.3664),
    (44, 39): (0.2724, 7.3231, 1.4045),
    (45, 38): (0.3656, 7.3314, 1.4042),
    (46, 37): (0.4369, 7.2876, 1.3452),
    (47, 42): (0.3512, 7.2407, 1.3994),
    (48, 41): (0.2758, 7.2427, 1.3978),
    # The border of the lips' red, where their mask is one half: peak of Cupid's bow, corner, lower lip
    (53, 51): (0.0650, 6.7150, 1.5879),
    (54, 50): (0.1605, 6.6979, 1.5325),
    (55, 49): (0.2489, 6.6103, 1.4231),
    (56, 60): (0.1580, 6.5289, 1.4912),
    (57, 59): (0.0929, 6.5065, 1.5246),
    # The line where the lips touch: lowest of the upper lip, corner, highest of the lower lip
    (64, 62): (0.1086, 6.6168, 1.5222),
    (65, 61): (0.2437, 6.6101, 1.4152),
    (66, 68): (0.1072, 6.6057, 1.5072),
}
_MIDDLES: Mapping[int, Place] = {
    9: (0.0, 6.1702, 1.3741),  # the lowest of the chin seen from the front
    28: (0.0, 7.2907, 1.5073),  # the nose's ridge, in equal steps from between the eyes to its tip
    29: (0.0, 7.1704, 1.5463),
    30: (0.0, 7.0490, 1.6173),
    31: (0.0, 6.9248, 1.6784),
    34: (0.0, 6.7984, 1.5687),  # under the septum
    52: (0.0, 6.6981, 1.5946),
    58: (0.0, 6.4944, 1.5488),
    63: (0.0, 6.6121, 1.5324),
    67: (0.0, 6.6048, 1.5270),
}
# What nrsim's own names stand for: the number of the 68 on the left and right, or in the middle
_PAIRED = {
    "brow_inner": (23, 22),
    "brow": (25, 20),
    "brow_outer": (27, 18),
    "eye_inner": (43, 40),
    "eye_outer": (46, 37),
    "mouth_corner": (55, 49),
}
_MIDLINE = {"nose_tip": 31, "upper_lip": 52, "lower_lip": 58, "chin": 9}
# Points of nrsim's own: the middles of the lids' margins
_LIDS: Mapping[str, Place] = {"upper_lid": (0.3102, 7.3334, 1.4106), "lower_lid": (0.3117, 7.2394, 1.4027)}
# Points between others: their mean
_BETWEEN = {f"eye_{side}": (f"eye_inner_{side}", f"eye_outer_{side}") for side in ("left", "right")} | {
    "mouth": ("upper_lip", "lower_lip")
}


def _mirrored(place: Place) -> Place:
    return (-place[0], place[1], place[2])


def _numbered(number: int) -> str:
    return f"point_{number:02d}"


_IBUG_PLACES: dict[int, Place] = dict(_MIDDLES)
for (_left, _right), _place in _PAIRS.items():
    _IBUG_PLACES |= {_left: _place, _right: _mirrored(_place)}

# Name → place on the template, mesh units
PLACES: Mapping[str, Place] = {
    **{f"{name}_left": _IBUG_PLACES[left] for name, (left, _) in _PAIRED.items()},
    **{f"{name}_left": place for name, place in _LIDS.items()},
    **{f"{name}_right": _IBUG_PLACES[right] for name, (_, right) in _PAIRED.items()},
    **{f"{name}_right": _mirrored(place) for name, place in _LIDS.items()},
    **{name: _IBUG_PLACES[number] for name, number in _MIDLINE.items()},
    **{_numbered(number): _IBUG_PLACES[number] for number in sorted(_IBUG_PLACES)},
}

# The ten points of Stettler et al. 2023: four on the brows, four on the mouth, two on the lower lids
STETTLER = tuple(
    [f"{end}_{side}" for side in ("left", "right") for end in ("brow_inner", "brow_outer")]
    + ["mouth_corner_left", "mouth_corner_right", "upper_lip", "lower_lip", "lower_lid_left", "lower_lid_right"]
)
# Nine points that anybody can mark on any face's picture, to bring faces into one frame
ALIGNMENT = (
    *("eye_left", "eye_right", "brow_left", "brow_right", "nose_tip", "mouth_corner_left", "mouth_corner_right"),
    *("mouth", "chin"),
)
IBUG = tuple(_numbered(number) for number in range(1, 69))
STANDARD = (*(name for name in PLACES if name not in IBUG), *_BETWEEN)
_SETS: Mapping[str, tuple[str, ...]] = {
    "standard": STANDARD,
    "stettler": STETTLER,
    "alignment": ALIGNMENT,
    "68": IBUG,
}

_BROWS = frozenset(
    {_numbered(number) for number in range(18, 28)} | {name for name in STANDARD if name.startswith("brow")}
)

# Units whose motion tells what lies close together apart: the upper lid and lip from the lower ones
_TELLING = ("eyeBlink", "eyeWide", "eyeSquint", "mouthUpperUp", "mouthLowerDown", "jawOpen")
# Mesh units that a motion from none to a unit's largest counts as, when points are found on another head: the height of
# a lip (chosen)
_MOTION = 0.09


def motion(units: Mapping[str, sp.csr_matrix], subdivision: sp.csr_matrix) -> dict[str, np.ndarray]:
    """Return unit → how far it moves each vertex drawn, as a share of the farthest, ``(n,)``, 0..1.

    Only the units that tell lips and lids apart, both sides together.

    Parameters
    ----------
    units
        Name → shift of the head's vertices, ``(vertex, 3)`` sparse.
    subdivision
        Matrix from the head's vertices to those drawn.
    """
    shares = {}
    for unit in _TELLING:
        sides = [units[name] for name in (unit, f"{unit}Left", f"{unit}Right") if name in units]
        if sides:
            size = np.linalg.norm((subdivision @ sum(sides[1:], sides[0])).toarray(), axis=1)
            if size.max() > 0:
                shares[unit] = size / size.max()
    return shares


def on_surface(
    rest: np.ndarray,
    skin: np.ndarray,
    *,
    moves: Mapping[str, np.ndarray] | None = None,
    like: Mapping[str, np.ndarray] | None = None,
    marked: Mapping[str, int] | None = None,
) -> dict[str, tuple[int, ...]]:
    """Return name → vertices drawn, whose mean is the point: the vertices of the skin nearest to each place.

    Parameters
    ----------
    rest
        Where every vertex drawn lies on the template, ``(n, 3)`` mesh units.
    skin
        ``(n,)`` bool.
    moves, like
        On another head, :func:`motion` of its units, and how the template's points move, unit → ``(point,)`` in the
        order of ``PLACES``. Lips and lids touch: what lies nearest may be the other lip's, but it moves another way.
        Both count, one height of a lip for the whole motion.
    marked
        Name → vertex, instead of where the point would be found; it stands for the point's other names too.
    """
    numbers = np.flatnonzero(skin)
    at, wanted = [rest[numbers]], [np.array(list(PLACES.values()))]
    for unit in sorted(set(moves or {}) & set(like or {})):
        at.append(_MOTION * moves[unit][numbers, None])  # type: ignore[index]
        wanted.append(_MOTION * like[unit][:, None])  # type: ignore[index]
    _, nearest = cKDTree(np.hstack(at)).query(np.hstack(wanted))
    single = {name: int(numbers[i]) for name, i in zip(PLACES, nearest, strict=True)}
    for name, vertex in (marked or {}).items():
        single |= {other: vertex for other, place in PLACES.items() if place == PLACES[name]}
    between = {name: tuple(single[end] for end in ends) for name, ends in _BETWEEN.items()}
    return {**{name: (vertex,) for name, vertex in single.items()}, **between}


def lifted(
    points: Mapping[str, tuple[int, ...]], rest: np.ndarray, skin: np.ndarray, lift: float
) -> Mapping[str, tuple[int, ...]]:
    """Return the points of a head whose brows are painted ``lift`` mesh units higher, the brows' among them moved."""
    if lift == 0:
        return points
    names = [name for name in points if name in _BROWS]
    numbers = np.flatnonzero(skin)
    _, nearest = cKDTree(rest[numbers]).query(np.array([PLACES[name] for name in names]) + [0.0, lift, 0.0])
    return {**points, **{name: (int(numbers[i]),) for name, i in zip(names, nearest, strict=True)}}


def chosen(
    wanted: str | Sequence[str | int], known: Mapping[str, tuple[int, ...]], n_vertices: int
) -> dict[str, tuple[int, ...]]:
    """Return the points a user asks for, name → vertices drawn.

    Parameters
    ----------
    wanted
        ``"standard"``, ``"stettler"`` (the ten of Stettler et al. 2023), ``"alignment"`` (the nine to bring faces into
        one frame), ``"68"`` (``point_01`` to ``point_68``, numbered as by iBUG and dlib, from the left in the
        picture), or names and vertex numbers.
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
    if not isinstance(wanted, Iterable):
        raise need("landmarks: a set by name, or names and numbers of vertices", repr(wanted), kind=TypeError)
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
