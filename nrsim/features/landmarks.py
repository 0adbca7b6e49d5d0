"""Landmarks as features: where named points of the face lie, made comparable between heads and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need, unknown
from nrsim.quantities import bare
from nrsim.schema import check

Points = Sequence[str] | Mapping[str, str | Sequence[str]]


def landmark_features(
    source: xr.Dataset | xr.DataArray,
    points: Points | None = None,
    *,
    reference: str | Sequence[str] | None = None,
    scale: float | tuple[str, str] | None = None,
    mirrored: Sequence[tuple[str, str]] | None = None,
) -> xr.Dataset:
    """Return where landmarks lie as Features: two for each point, x and y, positive right and up.

    In this order, as far as asked for: the points are chosen, or made from others; what the picture is measured
    against is subtracted; left and right are averaged; lengths are divided by a unit.

    Parameters
    ----------
    source
        A StimulusSet with ``landmark (stimulus, [frame,] point, axis)``, or landmarks as :func:`nrsim.read_landmarks`
        returns them, whose labels travel. A point that was not seen is NaN, and stays so.
    points
        Names of the points, in the order wanted; or name → point, or points whose mean it is. Default: all.
    reference
        One or several points of the source, whose centre in the same picture is subtracted: features no longer depend
        on where the face is. Default: the top left corner of the picture, as the landmarks are given.
    scale
        The unit of length: a number of px (Stettler et al. 2023 count in 4 px of a 224 px picture), or two points of
        the source whose distance in the same picture it is, such as the eyes. Default: px, the features' units.
    mirrored
        Pairs of features' points, left and right. Each point is averaged with the mirror image of its partner, and a
        point without partner moves vertically only: what is left is the symmetric part of the face, with half the
        variance of independent errors of clicking. Without a reference on the midline x runs from the picture's left
        edge: differences from a norm are symmetric all the same. Default: left and right as they are.

    Returns
    -------
    xarray.Dataset
        Features, ``value (stimulus, [frame,] feature)``, with the labels ``landmark`` and ``feature_axis`` (``"x"`` or
        ``"y"``) of each feature, ``feature_id`` ``"<point> x"``.

    Raises
    ------
    TypeError, ValueError
        If there are no landmarks, a point is unknown (the nearest is named), or the two points that give the unit
        coincide; or one of ``reference`` or ``scale`` was not seen in a picture in which others were: all of them
        would be lost.

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = [{"domain": "human", "expression": "happy", "intensity": level} for level in (0, 1)]
    >>> faces = nr.render_faces(rows, size=32, landmarks="stettler")
    >>> features = nr.landmark_features(faces, reference=["lower_lid_left", "lower_lid_right"])
    >>> [str(name) for name in features["feature_id"].values[:2]]
    ['brow_inner_left x', 'brow_inner_left y']
    """
    places = _landmarks(source)
    known = [str(name) for name in places["point"].values]
    where = places.transpose(..., "point", "axis").sel(axis=["x", "y"]).values.astype(float) * (1.0, -1.0)
    ids = [str(name) for name in places["stimulus_id"].values]
    if points is None or isinstance(points, str) or not isinstance(points, Mapping):
        wanted = {str(name): [str(name)] for name in _names(known if points is None else points, "points")}
    else:
        wanted = {str(name): _names(made_of, f"points[{name!r}]") for name, made_of in points.items()}
    if not wanted:
        raise need("one or more points", "none")
    value = np.stack([_centre(where, made_of, known) for made_of in wanted.values()], axis=-2)
    if reference is not None:
        away_from = _names(reference, "reference")
        centre = _centre(where, away_from, known)
        _seen(value, where, away_from, known, ids, "reference")
        value = value - centre[..., None, :]
    if mirrored is not None:
        value = _symmetric(value, list(wanted), mirrored)
    unit = "px"
    if scale is not None:
        length, unit = _unit(scale, where, known)
        if unit.startswith("the"):
            _seen(value, where, list(scale), known, ids, "scale")  # type: ignore[arg-type]
        value = value / length
    names = list(wanted)
    coords: dict[str, Any] = {
        **labels.carried(source),
        **{name: places[name] for name in ("frame_time", "frame_intensity") if name in places.coords},
        "feature_id": ("feature", [f"{name} {axis}" for name in names for axis in "xy"]),
        "landmark": ("feature", np.repeat(names, 2)),
        "feature_axis": ("feature", ["x", "y"] * len(names)),
    }
    lead = ("stimulus", "frame") if "frame" in places.dims else ("stimulus",)
    features = xr.Dataset({"value": ((*lead, "feature"), value.reshape(*value.shape[:-2], -1))}, coords)
    units = "px" if scale is None else "1"
    features["value"].attrs = {"units": units, "long_name": f"place of a landmark, in units of {unit}"}
    settings = {
        "points": None if points is None else wanted,
        "reference": reference,
        "scale": scale,
        "mirrored": mirrored,
    }
    parents = [source] if isinstance(source, xr.Dataset) else []
    return check(provenance.stamp(features, "Features", "landmark_features", settings, parents=parents), "Features")


def _landmarks(source: xr.Dataset | xr.DataArray) -> xr.DataArray:
    if isinstance(source, xr.Dataset):
        if "landmark" not in source.variables or "point" not in source["landmark"].dims:
            todo = "Load pictures with landmarks=, or give nr.read_landmarks(…); rendered faces have them"
            raise need("a StimulusSet with landmark (stimulus, point, axis)", ", ".join(map(str, source.coords)), todo)
        source = source["landmark"]
    if not isinstance(source, xr.DataArray):
        raise need("a StimulusSet or landmarks of nr.read_landmarks", type(source).__name__, kind=TypeError)
    if set(source.dims) - {"frame"} != {"stimulus", "point", "axis"} or "stimulus_id" not in source.coords:
        raise need("landmark (stimulus, point, axis) with stimulus_id, as nr.read_landmarks returns", f"{source.dims}")
    return source


def _names(given: Any, what: str) -> list[str]:
    names = [given] if isinstance(given, str) else [str(name) for name in given]
    if not names or len(set(names)) < len(names):
        raise need(f"{what}: names of points, each once", repr(given))
    return names


def _centre(where: np.ndarray, names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Return the mean of points, ``(stimulus, [frame,] axis)``; NaN where one of them was not seen."""
    for name in names:
        if name not in known:
            raise unknown("landmark", name, known)
    return where[..., [known.index(name) for name in names], :].mean(axis=-2)


def _seen(
    value: np.ndarray, where: np.ndarray, names: Sequence[str], known: Sequence[str], ids: Sequence[str], what: str
) -> None:
    """Refuse pictures of which points are seen, but not one that all are measured by."""
    others = np.isfinite(value).all(axis=-1).any(axis=-1)
    for name in names:
        lost = others & ~np.isfinite(where[..., known.index(name), :]).all(axis=-1)
        rows = np.flatnonzero(lost.reshape(len(lost), -1).any(axis=1))
        if len(rows):
            more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            came = f"none in {ids[rows[0]]!r}{more}, where other points are"
            todo = f"Choose another {what}, or leave these pictures out"
            raise need(f"the point {name!r}, which {what}= names, in every picture", came, todo)


def _unit(scale: Any, where: np.ndarray, known: Sequence[str]) -> tuple[Any, str]:
    """Return lengths to divide by, and what they are called."""
    if isinstance(scale, (tuple, list)) and len(scale) == 2 and all(isinstance(name, str) for name in scale):
        length = np.linalg.norm(np.subtract(*(_centre(where, [name], known) for name in scale)), axis=-1)
        if (length <= 0).any():
            raise need(f"two points apart, to measure by {scale[0]} and {scale[1]}", "the same place in a picture")
        return length[..., None, None], f"the distance from {scale[0]} to {scale[1]}"
    if isinstance(scale, str):
        raise need("scale: a number of px, or two points", repr(scale), kind=TypeError)
    number = bare(scale, "1", "scale", above=0)
    return number, f"{number:g} px"


def _symmetric(value: np.ndarray, names: Sequence[str], mirrored: Sequence[tuple[str, str]]) -> np.ndarray:
    partner = {name: name for name in names}
    for pair in mirrored:
        if isinstance(pair, str) or len(pair) != 2:
            raise need("mirrored: pairs of points", repr(pair), kind=TypeError)
        for one, other in (tuple(pair), tuple(pair)[::-1]):
            if one not in partner:
                raise unknown("landmark of a mirrored pair", one, names)
            partner[one] = other
    order = [list(names).index(partner[name]) for name in names]
    return (value + value[..., order, :] * (-1.0, 1.0)) / 2
