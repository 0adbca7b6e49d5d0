"""Points marked on the norm of each head: looked up, and what is wrong with them said in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim import pixels
from nrsim.errors import need, unknown

# Nine points that anybody can mark on any face; the renderer's set of that name
POINTS = (
    *("eye_left", "eye_right", "brow_left", "brow_right", "nose_tip", "mouth_corner_left", "mouth_corner_right"),
    *("mouth", "chin"),
)
BEYOND = 0.1  # of a side: by how much a point may lie outside of the picture (chosen)
_APART = 1e-3  # of the points' RMS distance from their middle: nearer ones are the same (chosen)


@dataclass(frozen=True)
class Marks:
    """Points of the norms.

    Attributes
    ----------
    points
        Their names.
    places
        Head → where they lie on its norm, px of the picture as stored, ``(point, 2)``.
    confidence
        Head → how sure they are, ``(point,)``, of heads whose points were found.
    """

    points: list[str]
    places: dict[str, np.ndarray]
    confidence: dict[str, np.ndarray]


def array_of(landmarks: Any, faces: xr.Dataset) -> xr.DataArray:
    """Return landmarks that were given, or the set's own, ``landmark (stimulus, point, axis)``.

    Raises
    ------
    TypeError, ValueError
        If they are something else, or there are none.
    """
    if landmarks is None:
        if "landmark" not in faces.coords:
            todo = "Render faces (they have landmarks), read a file of points, or find them with nr.find_landmarks"
            raise need("faces with landmarks, landmark (stimulus, point, axis)", "none", todo)
        landmarks = faces["landmark"]
    dims = {"stimulus", "point", "axis"}
    if not isinstance(landmarks, xr.DataArray) or set(landmarks.dims) != dims or "stimulus_id" not in landmarks.coords:
        came = landmarks.dims if isinstance(landmarks, xr.DataArray) else type(landmarks).__name__
        todo = f"nr.read_landmarks({landmarks!r}) reads a file" if isinstance(landmarks, str) else ""
        raise need("landmarks as an array landmark (stimulus, point, axis) in px", came, todo, kind=TypeError)
    return landmarks.transpose("stimulus", "point", "axis").sel(axis=["x", "y"])


def names_of(points: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return the names of the points to use. Default: the nine of ``"alignment"`` where all are known, else all.

    Raises
    ------
    TypeError, ValueError
        If they are no names, unknown (the nearest is named), or one comes twice.
    """
    if points is None:
        return list(POINTS if set(POINTS) <= set(known) else known)
    if isinstance(points, str) or not isinstance(points, Iterable):
        raise need("points: a list of names", repr(points), kind=TypeError)
    names = [str(name) for name in points]
    for name in names:
        if name not in known:
            raise unknown("point", name, known)
    if len(set(names)) < len(names):
        raise need("points, each once", ", ".join(names))
    return names


def rows_of(landmarks: xr.DataArray, faces: xr.Dataset, numbers: Iterable[int]) -> dict[int, int]:
    """Return number of a stimulus → its row of the landmarks: by ``stimulus_id``, else by ``file``."""
    found: dict[int, int] = {}
    for name in ("stimulus_id", "file"):
        if name in landmarks.coords and name in faces.coords and landmarks[name].dims == ("stimulus",):
            rows = {str(each): row for row, each in enumerate(landmarks[name].values)}
            for i in numbers:
                key = str(faces[name].values[i])
                if key and key in rows:
                    found.setdefault(int(i), rows[key])
    return found


def on_norms(
    faces: xr.Dataset, chosen: np.ndarray, landmarks: Any, norm_by: str, points: Sequence[str] | None, reference: str
) -> Marks:
    """Return the points of each head's norm, averaged over the norms that are marked.

    Parameters
    ----------
    faces
        A StimulusSet.
    chosen
        Which stimuli are norms, ``(stimulus,)`` bool.
    landmarks
        ``landmark (stimulus, point, axis)``, or None: the set's own.
    norm_by
        The label whose values are the heads.
    points
        Which points, or None.
    reference
        The head that is learned from, for the messages.

    Raises
    ------
    ValueError, TypeError
        If a head has no norm or no points, some are missing or lie outside of the picture by more than a tenth of its
        side, or names are unknown.
    """
    marks = array_of(landmarks, faces)
    names = names_of(points, [str(name) for name in marks["point"].values])
    heads = [str(name) for name in faces[norm_by].values]
    norms = [int(i) for i in np.flatnonzero(chosen) if heads[i]]
    rows = rows_of(marks, faces, norms)
    if norms and not rows:
        theirs, ours = (_some(each["stimulus_id"].values) for each in (marks, faces.isel(stimulus=norms)))
        raise need(f"landmarks of the norms, {ours}, by stimulus_id", f"landmarks of {theirs}")
    at = marks.sel(point=names).values.astype(float)
    sure = marks["confidence"].sel(point=names).values if "confidence" in marks.coords else None
    places: dict[str, list[np.ndarray]] = {}
    known: dict[str, list[np.ndarray]] = {}
    for i, row in rows.items():
        seen = np.isfinite(at[row]).all(axis=1)
        if not seen.any():
            continue
        who = str(faces["stimulus_id"].values[i])
        if not seen.all():
            lost = ", ".join(name for name, there in zip(names, seen, strict=True) if not there)
            raise need(f"all points on the norm {who!r}", f"none for {lost}", "Leave them out: points=")
        px = pixels.stored(at[row], marks, faces, i)
        _inside(px, names, who, (faces.sizes["x"], faces.sizes["y"]))
        places.setdefault(heads[i], []).append(px)
        if sure is not None:
            known.setdefault(heads[i], []).append(sure[row])
    _each_head(faces, heads, norms, places, norm_by, reference)
    shape = {head: np.mean(several, axis=0) for head, several in places.items()}
    for head, px in shape.items():
        check_shape(px, names, head)
    certain = {head: np.mean(several, axis=0) for head, several in known.items()}
    return Marks(names, shape, {head: each for head, each in certain.items() if np.isfinite(each).all()})


def _each_head(
    faces: xr.Dataset, heads: list[str], norms: list[int], places: Mapping[str, Any], norm_by: str, reference: str
) -> None:
    """Refuse a head without a norm, or whose norm has no points."""
    missing = [name for name in dict.fromkeys(heads) if name and name not in places]
    if not missing:
        return
    what = f"a norm with landmarks for each {norm_by}"
    unmarked = {heads[i]: str(faces["stimulus_id"].values[i]) for i in reversed(norms) if heads[i] in missing}
    if unmarked:
        shown = ", ".join(f"{name!r}, the norm of {head!r}" for head, name in list(unmarked.items())[:3])
        more = f" and {len(unmarked) - 3} more" if len(unmarked) > 3 else ""
        todo = 'Mark them too, or have them found: nr.norm_landmarks, or nr.aligned_features(landmarks="find")'
        if reference in unmarked:
            todo = "The reference's norm has to be marked by hand"
        raise need(what, f"no points on {shown}{more}", todo)
    raise need(what, f"none for {_some(missing)}", "Add its neutral image to the set, or say what is the norm: norms=")


def _inside(px: np.ndarray, names: Sequence[str], who: str, edge: tuple[int, int]) -> None:
    """Refuse points outside of the picture, but for a chin, say, that lies just below its edge."""
    margin = BEYOND * np.array(edge)
    outside = np.flatnonzero(((px < -margin) | (px > edge + margin)).any(axis=1))
    if len(outside):
        x, y = px[outside[0]]
        raise need(
            f"points within the picture of {who!r}, {edge[0]} by {edge[1]} px",
            f"{names[outside[0]]!r} at ({x:g}, {y:g})",
            "Points are in px of the picture as stored, 0 = left, top edge; were they marked at another size?",
        )


def check_shape(px: np.ndarray, names: Sequence[str], head: str) -> None:
    """Refuse points ``(point, 2)`` of a head that are too few, at one place or on a line."""
    away = px - px.mean(axis=0)
    size = float(np.sqrt((away**2).sum(axis=1).mean()))
    apart = np.linalg.norm(px[:, None] - px[None], axis=-1) + np.diag(np.full(len(px), np.inf))
    if len(px) > 1 and apart.min() <= _APART * size:
        i, j = divmod(int(apart.argmin()), len(px))
        raise need(
            "points at places of their own", f"{names[i]!r} and {names[j]!r} of {head!r} at {px[i].round(3).tolist()}"
        )
    if len(px) < 3 or np.linalg.svd(away, compute_uv=False)[1] < 1e-3 * np.abs(away).max():
        raise need("three or more points that lie not on a line", f"{len(px)} on {head!r}")


def check_order(px: np.ndarray, names: Sequence[str], head: str) -> None:
    """Refuse points ``(point, 2)`` px of an upright face whose brows, eyes, nose, mouth and chin lie in another order.

    Of the nine points those that go by their usual names are looked at.

    Raises
    ------
    ValueError
        Naming the two that are in another order.
    """
    at = {name: px[list(names).index(name)] for name in POINTS if name in names}
    pairs = [(f"brow_{side}", f"eye_{side}") for side in ("left", "right")]
    pairs += [("eye_left", "nose_tip"), ("eye_right", "nose_tip"), ("nose_tip", "mouth"), ("mouth", "chin")]
    todo = "x and y, or two points, exchanged? nr.plot.landmarks shows the points of a picture"
    for above, below in pairs:
        if {above, below} <= set(at) and at[above][1] >= at[below][1]:
            order = f"an upright face on {head!r}: brows above eyes, nose, mouth and chin"
            raise need(order, f"{below!r} above {above!r}", todo)
    if {"eye_left", "eye_right"} <= set(at):
        across, down = np.abs(at["eye_left"] - at["eye_right"])
        if down > across:
            raise need(f"eyes of {head!r} side by side", "one above the other", todo)


def check_turn(turns: Mapping[str, np.ndarray], places: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    """Refuse heads on which the face turns over: two points, or the axes, were exchanged.

    Parameters
    ----------
    turns
        Head → determinant of the map from the reference at each point, ``(point,)``; below 0 it is mirrored there.
    places
        Head → its points, ``(point, 2)``, the reference, which is not in ``turns``, among them.
    names
        The points'.
    """
    wrong = {head: np.flatnonzero(turn <= 0) for head, turn in turns.items() if (turn <= 0).any()}
    if not wrong:
        return
    head, at = next(iter(wrong.items()))
    reference = next(name for name in places if name not in turns)
    what, todo = "points that lie alike on all heads", "nr.plot.landmarks shows the points of a picture"
    who = repr(reference) if len(wrong) == len(turns) > 1 else repr(head)
    if len(turns) == 1:  # either of the two
        who = f"{reference!r} or {head!r}"
    if len(at) == len(names):
        came = f"points that are mirrored between {reference!r} and {head!r}"
        raise need(what, came, f"Left and right, or x and y, exchanged on {who}? {todo}")
    came = f"points of {head!r} between which the face turns over, at {', '.join(names[i] for i in at[:4])}"
    pair = _exchanged(places[reference], places[head])
    which = "Two points" if pair is None else f"{names[pair[0]]!r} and {names[pair[1]]!r}"
    raise need(what, came, f"{which} exchanged on {who}? {todo}; points= leaves some out")


def _exchanged(source: np.ndarray, target: np.ndarray) -> tuple[int, int] | None:
    """Return the two points that, exchanged, make the target most nearly an affine picture of the source."""
    flat = np.column_stack([source, np.ones(len(source))])

    def off(rows: list[int]) -> float:
        at = target[rows]
        return float(((flat @ np.linalg.lstsq(flat, at, rcond=None)[0] - at) ** 2).sum())

    n = len(source)
    same = list(range(n))
    tried = {}
    for i in range(n):
        for j in range(i):
            rows = same.copy()
            rows[i], rows[j] = j, i
            tried[j, i] = off(rows)
    best = min(tried, key=lambda pair: tried[pair])
    return best if tried[best] < 0.5 * off(same) else None


def _some(names: Iterable[object]) -> str:
    each = [repr(str(name)) for name in names]
    return ", ".join(each[:4]) + (f" and {len(each) - 4} more" if len(each) > 4 else "")
