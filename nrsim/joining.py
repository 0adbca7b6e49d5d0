"""Joining datasets of one noun: labels that only some of them have are filled, sets of stimuli become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need
from nrsim.quantities import whole
from nrsim.schema import check


def with_all_labels(parts: Sequence[xr.Dataset], dim: str) -> list[xr.Dataset]:
    """Return the datasets, each with every label along ``dim`` that any of them has.

    A text that a dataset lacks becomes ``''``, a number NaN.

    Raises
    ------
    ValueError
        If a label is text in one and a number in another, or comes in different units.
    """
    texts: dict[str, bool] = {}
    units: dict[str, Any] = {}
    for part in parts:
        for name in labels.names(part, dim):
            text = part[name].dtype.kind not in "iufb"
            unit = part[name].attrs.get("units")
            if texts.setdefault(name, text) != text:
                raise need(f"{name}: text in all or numbers in all that are joined", "text in one, numbers in another")
            if units.setdefault(name, unit) != unit:
                raise need(f"{name}: one unit in all that are joined", f"{units[name]!r} and {unit!r}")
    filled = []
    for part in parts:
        lacking = {
            name: (dim, np.full(part.sizes[dim], "" if text else np.nan), {"units": units[name]} if units[name] else {})
            for name, text in texts.items()
            if name not in part.coords
        }
        filled.append(part.assign_coords(lacking))
    return filled


def join_stimuli(sets: Sequence[xr.Dataset], *, categories: Sequence[str] | None = None) -> xr.Dataset:
    """Return several sets of stimuli as one: faces and objects, say, to score face selectivity.

    Parameters
    ----------
    sets
        StimulusSets whose pictures have the same size in pixels and degrees, all still or all with the same
        ``frame_time``; every stimulus_id must be unique over all. A label that a set lacks becomes ``''`` or NaN there.
        So do landmarks, if those that have them have the same points; else they are left out, and the history says so,
        as it does for other variables that not all have.
    categories
        One a set: the ``category`` of its stimuli that have none.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, in the order of the sets.

    Raises
    ------
    TypeError
        If it is no list of datasets.
    SchemaError
        If one is no valid StimulusSet.
    ValueError
        If there is none, sizes, degrees or frames differ, or a stimulus_id comes twice.

    Examples
    --------
    >>> import nrsim as nr
    >>> things = nr.render_objects(["mug", "chair"], size=32)
    >>> both = nr.join_stimuli([nr.example("StimulusSet"), things], categories=["face", "object"])
    >>> both.sizes["stimulus"], both["category"].values[[0, -1]].tolist()
    (16, ['face', 'object'])
    """
    if isinstance(sets, xr.Dataset) or not all(isinstance(one, xr.Dataset) for one in sets):
        got = type(sets).__name__ if isinstance(sets, xr.Dataset) else str([type(one).__name__ for one in sets])
        raise need("a list of StimulusSets", got, "Write join_stimuli([faces, objects])", kind=TypeError)
    if not sets:
        raise need("at least one StimulusSet to join", "none")
    if categories is not None and (isinstance(categories, str) or len(categories) != len(sets)):
        raise need(f"categories: one for each of the {len(sets)} sets", repr(categories))
    parts = [check(one, "StimulusSet").drop_vars("stimulus", errors="ignore") for one in sets]
    if categories is not None:
        parts = [_categorised(part, str(name)) for part, name in zip(parts, categories, strict=True)]
    _alike(parts)
    ids = np.concatenate([part["stimulus_id"].values.astype(str) for part in parts])
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        doubled = ", ".join(repr(str(name)) for name in names[counts > 1][:3])
        raise need("every stimulus_id once in all sets", f"{doubled} more than once", "Join sets of other stimuli")

    parts, dropped = _arrays(with_all_labels(parts, "stimulus"))
    joined = xr.concat(
        parts,
        "stimulus",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )
    about = [{"title": one.attrs["title"], "stimuli": one.sizes["stimulus"]} for one in sets]
    settings = {"sets": about} | ({"left_out": dropped} if dropped else {})
    joined = provenance.stamp(
        joined,
        "StimulusSet",
        "join_stimuli",
        settings,
        parents=list(sets),
        title=" + ".join(dict.fromkeys(str(one.attrs["title"]) for one in sets)),
        source="; ".join(dict.fromkeys(str(one.attrs["source"]) for one in sets)),
    )
    for name in ("recipe", "recipe_sha256", "seed"):  # stamp takes the first set's
        if len({one.attrs.get(name) for one in sets}) > 1:
            joined.attrs.pop(name, None)
    return check(joined, "StimulusSet")


def _categorised(part: xr.Dataset, category: str) -> xr.Dataset:
    now = part["category"].values.astype(str) if "category" in part else np.full(part.sizes["stimulus"], "")
    return part.assign_coords(category=("stimulus", np.where(now == "", category, now)))


def _alike(parts: list[xr.Dataset]) -> None:
    """Refuse pictures that differ in pixels, degrees or frames."""

    def described(part: xr.Dataset) -> str:
        ny, nx = part.sizes["y"], part.sizes["x"]
        step = float(np.abs(np.diff(part["x"].values)).mean()) if nx > 1 else np.nan
        frames = f"{part.sizes['frame']} frames of " if "frame" in part["image"].dims else ""
        return f"{frames}{ny} × {nx} px and {nx * step:.4g} degrees"

    first = parts[0]
    for part in parts[1:]:
        same = all(
            (name in part) == (name in first)
            and (
                name not in first
                or (first[name].shape == part[name].shape and np.allclose(first[name], part[name], rtol=0, atol=1e-6))
            )
            for name in ("y", "x", "frame_time")
        )
        if not same or part["image"].dims != first["image"].dims or part.sizes.get("frame") != first.sizes.get("frame"):
            here, there = described(first), described(part)
            other = "pictures at other places in degrees, or frames at other times"
            raise need(
                "stimuli of the same size, degrees and frames to join",
                f"{here} in one set and {there if there != here else other} in another",
                "Make them with the same size and degrees",
            )


def _arrays(parts: list[xr.Dataset]) -> tuple[list[xr.Dataset], list[str]]:
    """Return the sets with the same arrays in all, and why others were left out.

    Coordinates such as landmarks are NaN in a set without them; variables, and coordinates of other places, are left
    out.
    """
    names = dict.fromkeys(str(name) for part in parts for name in part.variables if "stimulus" in part[name].dims)
    dropped = []
    for name in names:
        having = [part for part in parts if name in part.variables]
        first = having[0][name]
        others = [dim for dim in first.dims if dim != "stimulus"]
        alike = all(
            part[name].dims == first.dims
            and all(part.sizes[dim] == having[0].sizes[dim] for dim in others)
            and all(
                np.array_equal(part[dim].values, having[0][dim].values)
                for dim in others
                if dim in having[0].coords and dim in part.coords and dim not in ("y", "x")
            )
            for part in having
        )
        fillable = name in having[0].coords and first.dtype.kind == "f"
        if alike and (len(having) == len(parts) or fillable):
            own = {dim: having[0][dim] for dim in others if dim in having[0].coords}
            blank = [1 if dim == "stimulus" else having[0].sizes[dim] for dim in first.dims]
            for i, part in enumerate(parts):
                if name not in part.variables:
                    repeats = [part.sizes["stimulus"] if dim == "stimulus" else 1 for dim in first.dims]
                    empty = np.tile(np.full(blank, np.nan, dtype=first.dtype), repeats)
                    parts[i] = part.assign_coords({**own, name: (first.dims, empty, first.attrs)})
        else:
            dropped.append(f"{name}: not in all sets" if alike else f"{name}: {', '.join(map(str, others))} differ")
            parts = [part.drop_vars(name, errors="ignore") for part in parts]
    used = {
        dim for part in parts for name in part.variables if "stimulus" in part[name].dims for dim in part[name].dims
    }
    spare = [str(name) for part in parts for name in part.coords if not set(part[name].dims) <= used]
    return [part.drop_vars(spare, errors="ignore") for part in parts], dropped


def stack_frames(faces: xr.Dataset, frames: Sequence[int] | None = None) -> xr.Dataset:
    """Return the frames of moving faces as still pictures, each a stimulus of its own.

    Parameters
    ----------
    faces
        A StimulusSet, ``image (stimulus, frame, y, x)``.
    frames
        Numbers of the frames to take. Default: all.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)``, frame after frame of each face: ``intensity`` is that of the frame,
        ``peak_intensity`` that of the movement, ``time`` is kept as ``shown_at`` (s), ``movement_id`` names the moving
        face, and ``norm_id`` is the norm's frame at the same time.

    Raises
    ------
    SchemaError, ValueError, TypeError
        If these are no moving faces, or have no such frame.

    Examples
    --------
    >>> import nrsim as nr
    >>> row = {"domain": "human", "expression": "happy", "intensity": 1.0, "course": "ramp"}
    >>> stills = nr.stack_frames(nr.render_faces([row], size=16, frames=3))
    >>> stills["intensity"].values.tolist()
    [0.0, 0.5, 1.0]
    """
    faces = check(faces, "StimulusSet")
    if "frame" not in faces["image"].dims:
        raise need("moving faces, image (stimulus, frame, y, x)", "still ones")
    n, total = faces.sizes["stimulus"], faces.sizes["frame"]
    chosen = list(range(total)) if frames is None else [whole(frame, "frames") for frame in frames]
    if not chosen or max(chosen) >= total or len(set(chosen)) < len(chosen):
        raise need(f"frames: each once, from 0 to {total - 1}", repr(frames))
    stimulus, frame = (grid.ravel() for grid in np.meshgrid(np.arange(n), chosen, indexing="ij"))
    coords = frame_labels(faces, stimulus, frame)
    for name in ("y", "x", "point", "axis", "channel"):
        if name in faces.coords:
            coords[name] = faces[name]
    variables: dict[str, Any] = {}
    for name in [name for name in ("image", "colour", "landmark") if name in faces.variables]:
        array = faces[name]
        if "frame" in array.dims:
            values = array.transpose("stimulus", "frame", ...).values[stimulus, frame]
            dims = tuple(dim for dim in array.dims if dim != "frame")
        else:
            values, dims = array.values[stimulus], array.dims
        (coords if name == "landmark" else variables)[name] = (dims, values, array.attrs)
    coords["image_sha256"] = ("stimulus", [provenance.image_hash(image) for image in variables["image"][1]])
    made = xr.Dataset(variables, coords)
    settings = {"frames": chosen} if frames is not None else {}
    return check(provenance.stamp(made, "StimulusSet", "stack_frames", settings, parents=[faces]), "StimulusSet")


def frame_labels(faces: xr.Dataset, stimulus: np.ndarray, frame: np.ndarray) -> dict[str, Any]:
    """Return the labels of frames as stimuli of their own; ``stimulus`` and ``frame`` say which, ``(picture,)``."""
    own = labels.carried(faces)
    coords: dict[str, Any] = {name: ("stimulus", coord.values[stimulus], coord.attrs) for name, coord in own.items()}
    ids = own["stimulus_id"].values.astype(str)
    coords["movement_id"] = ("stimulus", ids[stimulus])
    coords["stimulus_id"] = ("stimulus", [f"{ids[i]}-frame{k:03d}" for i, k in zip(stimulus, frame, strict=True)])
    if "norm_id" in own:
        norms = own["norm_id"].values.astype(str)
        coords["norm_id"] = (
            "stimulus",
            [f"{norms[i]}-frame{k:03d}" if norms[i] else "" for i, k in zip(stimulus, frame, strict=True)],
        )
    if "frame_time" in faces.coords:
        coords["shown_at"] = ("stimulus", faces["frame_time"].values[frame], {"units": "s"})
    if "frame_intensity" in faces.coords:
        now = faces["frame_intensity"].values[stimulus, frame]
        if "intensity" in own:
            peak = own["intensity"].values[stimulus]
            coords["peak_intensity"] = ("stimulus", peak, {"units": "1"})
            if "norm_distance" in own:  # linear in the intensity
                share = np.divide(np.abs(now), np.abs(peak), out=np.zeros(len(now)), where=peak != 0)
                distance = own["norm_distance"].values[stimulus] * share
                coords["norm_distance"] = ("stimulus", distance, own["norm_distance"].attrs)
        coords["intensity"] = ("stimulus", now, {"units": "1"})
    return coords
