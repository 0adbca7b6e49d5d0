"""Alignment of pictures by their landmarks: moved, turned and scaled, never bent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import pixels, provenance
from nrsim.errors import need, unknown
from nrsim.images import warp
from nrsim.images.shapes import check_points
from nrsim.quantities import bare
from nrsim.schema import check

_SMALLEST, _LARGEST = 1 / 8, 8.0  # scales beyond these are taken as a mistake in the landmarks (chosen)


def align(
    stimuli: xr.Dataset,
    points: Sequence[str] | None = None,
    *,
    to: Mapping[str, tuple[float, float]] | None = None,
    scale: bool = True,
    background: float | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return pictures moved, turned and scaled so that their landmarks lie alike.

    Each picture gets the similarity z → s·z + d (z = x + iy) that takes its landmarks to the target with least squared
    error. Pictures are drawn once, by cubic splines, low-pass filtered first where they shrink; all of their landmarks
    move along.

    Parameters
    ----------
    stimuli
        A StimulusSet of still pictures with ``landmark (stimulus, point, axis)``.
    points
        Names of the landmarks that count, at least two; others only move along. Default: those of ``to``, else all.
        Points that an expression moves (the mouth) had better not count, or alignment undoes a part of it.
    to
        Where points shall lie, (x, y) in degrees from the middle, y up:
        ``{"left_eye": (-0.6, 0.4), "right_eye": (0.6, 0.4)}``. Default: the mean shape of the set (full Procrustes
        mean) at its mean size, place and angle.
    scale
        Whether pictures may be scaled. Default True (chosen); otherwise they are only moved and turned.
    background
        Luminance of what comes in from beyond a picture's edge, 0..1. Default: the edge goes on.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        The StimulusSet with new ``image``, ``colour`` where it has that, ``landmark`` and ``image_sha256``, and the
        labels ``aligned_scale``, ``aligned_rotation`` (degree, counter-clockwise) and ``aligned_error`` (px, RMS
        distance of the points that count from the target).

    Raises
    ------
    ValueError, TypeError
        If there are no landmarks, fewer than two points count, a name is unknown (the nearest is named), a point is
        NaN, outside its picture or on top of another, a target lies outside the picture, or a picture would change
        more than 8-fold in size.

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = [{"domain": name, "expression": "neutral", "intensity": 0.0} for name in ("human", "macaque")]
    >>> faces = nr.render_faces(rows, size=64)
    >>> eyes = {"eye_outer_left": (0.8, 0.4), "eye_outer_right": (-0.8, 0.4)}
    >>> aligned = nr.align(faces, to=eyes)
    >>> aligned["landmark"].sel(point="eye_outer_left", axis="x").values.round(2)
    array([44.8, 44.8])
    """
    check(stimuli, "StimulusSet")
    if "landmark" not in stimuli.coords or stimuli["landmark"].dims != ("stimulus", "point", "axis"):
        came = "moving ones" if "landmark" in stimuli.coords else "none"
        raise need("still pictures with landmark (stimulus, point, axis)", came, "Load them with landmarks=")
    if "frame" in stimuli["image"].dims:
        raise need("still pictures", "moving ones", "Align the pictures before they are joined to a movie")
    outside = None if background is None else bare(background, "1", "background", low=0, high=1)
    chosen = _chosen(stimuli, points, to)
    ids = [str(name) for name in stimuli["stimulus_id"].values]
    marks = stimuli["landmark"].sel(axis=["x", "y"])
    every, counted = marks.values.astype(float), marks.sel(point=chosen).values.astype(float)
    shape = (stimuli.sizes["y"], stimuli.sizes["x"])
    for places, name in zip(counted, ids, strict=True):
        check_points(places, chosen, shape, repr(name), least=2, spread=False)
    target = warp.mean_shape(counted) if to is None else _targets(stimuli, to, chosen, shape)

    colours = "colour" in stimuli
    images, coloured, landmarks, scales, turns, errors = [], [], [], [], [], []
    for i, name in enumerate(tqdm(ids, "align", unit="picture", disable=None if progress else True)):
        s, d = warp.similarity(counted[i], target)
        if not scale:
            s, d = warp.unscaled(counted[i], target)
        if not _SMALLEST <= abs(s) <= _LARGEST:
            raise need("landmarks that change a picture's size 8-fold at most", f"{abs(s):.3g}-fold for {name!r}")
        drawn = warp.warp_similarity(stimuli["image"][i].values, s, d, outside=outside)
        images.append(np.clip(drawn, 0, 1).astype(np.float32))
        if colours:
            planes = np.moveaxis(stimuli["colour"][i].values, -1, 0)
            drawn = np.stack([warp.warp_similarity(plane, s, d, outside=outside) for plane in planes], axis=-1)
            coloured.append(np.clip(drawn, 0, 1).astype(np.float32))
        landmarks.append(warp.moved(every[i], s, d))
        scales.append(abs(s))
        turns.append(-np.rad2deg(np.angle(s)))  # y runs down in px
        errors.append(np.sqrt(((warp.moved(counted[i], s, d) - target) ** 2).sum(axis=1).mean()))

    gone = ["image", "colour", "landmark", "axis", "image_sha256", *pixels.FILE_SIZE]
    made = stimuli.drop_vars(gone, errors="ignore")
    made["image"] = (("stimulus", "y", "x"), np.stack(images), dict(stimuli["image"].attrs))
    if colours:
        made["colour"] = (stimuli["colour"].dims, np.stack(coloured), dict(stimuli["colour"].attrs))
    made = made.assign_coords(
        landmark=(("stimulus", "point", "axis"), np.stack(landmarks), {"units": "px"}),
        axis=("axis", ["x", "y"]),
        image_sha256=("stimulus", [provenance.image_hash(image) for image in images]),
        aligned_scale=("stimulus", scales, {"units": "1"}),
        aligned_rotation=("stimulus", turns, {"units": "degree"}),
        aligned_error=("stimulus", errors, {"units": "px"}),
    )
    settings = {"points": chosen, "to": to, "scale": scale, "background": outside}
    return check(provenance.stamp(made, "StimulusSet", "align", settings, parents=[stimuli]), "StimulusSet")


def _chosen(
    stimuli: xr.Dataset, points: Sequence[str] | None, to: Mapping[str, tuple[float, float]] | None
) -> list[str]:
    """Return the names of the points that count."""
    known = [str(name) for name in stimuli["point"].values] if "point" in stimuli.coords else []
    if not known:
        raise need("landmarks with names, in the coordinate point", "none")
    if points is not None and not _are_names(points):
        raise need("points: a list of names of landmarks", repr(points), kind=TypeError)
    if to is not None and not isinstance(to, Mapping):
        raise need("to: a mapping of a landmark's name to (x, y) in degrees", repr(to), kind=TypeError)
    chosen = [str(name) for name in dict.fromkeys(points if points is not None else to if to is not None else known)]
    for name in [*chosen, *(to or {})]:
        if name not in known:
            raise unknown("landmark", name, known)
    if len(chosen) < 2:
        raise need("at least two landmarks to align by", f"{len(chosen)}: {', '.join(chosen) or 'none'}")
    lost = [name for name in chosen if to is not None and name not in to]
    if lost:
        raise need("a place in to= for every point that counts", f"none for {lost[0]!r}")
    return chosen


def _are_names(points: Any) -> bool:
    return (
        isinstance(points, (Sequence, np.ndarray))
        and not isinstance(points, str)
        and all(isinstance(name, str) for name in points)
    )


def _targets(
    stimuli: xr.Dataset, to: Mapping[str, tuple[float, float]], chosen: Sequence[str], shape: tuple[int, int]
) -> np.ndarray:
    """Return the places named in degrees, ``(point, 2)`` in px."""
    places = np.empty((len(chosen), 2))
    for i, name in enumerate(chosen):
        try:
            x, y = to[name]
        except (TypeError, ValueError):
            raise need(f"to: (x, y) in degrees for {name!r}", repr(to[name]), kind=TypeError) from None
        for axis, value in enumerate((x, y)):
            grid = stimuli["xy"[axis]].values
            step = (grid[-1] - grid[0]) / (len(grid) - 1)
            places[i, axis] = (bare(value, "degree", f"to {name}") - grid[0]) / step + 0.5
    check_points(places, chosen, shape, "to=", least=2, spread=False)
    return places
