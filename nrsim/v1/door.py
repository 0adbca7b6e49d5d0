"""What comes to the bank from outside is looked at here: the pictures, where their pixels lie, and the pool."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import xarray as xr

from nrsim import windows
from nrsim.errors import SchemaError, need, unknown
from nrsim.schema import check

_EVEN = 1e-3  # by which steps between pixels may differ, of their mean


def check_faces(faces: Any, *, values: bool) -> xr.Dataset:
    """Return ``faces`` if they are a StimulusSet with pictures in it, else raise and say what to do.

    Raises
    ------
    TypeError
        If it is no dataset.
    SchemaError
        With all faults; if there are no stimuli.
    """
    if not isinstance(faces, xr.Dataset):
        raise need("a StimulusSet, which is an xarray.Dataset", type(faces).__name__, _instead(faces), kind=TypeError)
    try:
        check(faces, "StimulusSet", values=values)
    except SchemaError as fault:
        todo = _mend(faces)
        raise SchemaError(f"{fault}\n{todo}") if todo else fault from None
    if not faces.sizes["stimulus"]:
        todo = "A selection before this one has left none"
        raise need("one or more stimuli", "none", todo, kind=SchemaError)
    return faces


def _instead(faces: Any) -> str:
    """Return what to give instead of something that is no dataset."""
    if isinstance(faces, xr.DataArray):
        return "Give the whole set: faces, not faces['image']"
    if isinstance(faces, (str, os.PathLike)):
        return "Open a file first, xarray.open_dataset(path); a recipe's name goes to nr.load_stimuli(name)"
    if isinstance(faces, (list, tuple)) and faces and all(isinstance(each, xr.Dataset) for each in faces):
        return "Make one set of several: nr.join_stimuli([…])"
    return "nr.load_folder makes one of picture files; docs/v1.md shows how to make one of an array"


def _mend(faces: xr.Dataset) -> str:
    """Return what to do about the commonest faults of a StimulusSet, or nothing."""
    if "image" not in faces:
        return ""
    image = faces["image"]
    if "channel" in image.dims or image.dims[-1] in ("rgb", "band", "colour", "color"):
        return (
            "V1 sees luminance: give image without colours, such as (0.2126 R + 0.7152 G + 0.0722 B); "
            "colours may stay beside it as the variable 'colour'"
        )
    if "stimulus" not in image.dims and {"y", "x"} <= set(image.dims):
        return "Keep the dimension of a single picture: faces.isel(stimulus=[0])"
    if {"stimulus", "y", "x"} <= set(image.dims) and image.dims[-2:] != ("y", "x"):
        return "Order the dimensions: faces.transpose('stimulus', …, 'y', 'x')"
    if {"y", "x"} <= set(image.dims) and any(
        name not in faces.coords or faces[name].attrs.get("units") != "degree" for name in ("y", "x")
    ):
        ny, nx = image.sizes["y"], image.sizes["x"]
        return (
            "V1 needs to know how large the pictures are seen: from nrsim.pixels import coordinates, then "
            f"faces.assign_coords(coordinates({ny}, {nx}, width_in_degrees))"
        )
    return ""


def spacing_of(y: np.ndarray, x: np.ndarray) -> float:
    """Return the distance between pixels, degree.

    Raises
    ------
    ValueError
        If pixels are not square or not evenly spaced.
    """
    steps = [np.abs(np.diff(axis)) for axis in (y, x)]
    both = np.concatenate(steps)
    if both.size and both.min() > 0 and np.ptp(both) <= _EVEN * both.mean():
        return float(both.mean())
    came = [f"{name} in steps of {_range(each)}" for name, each in zip("yx", steps, strict=True)]
    todo = "Resample the pictures; a part of one is cut out with slices, such as isel(y=slice(8, 56))"
    raise need(
        "pixels that are square and evenly spaced in degrees (coordinates y and x)",
        f"{' and '.join(came)} degrees",
        todo,
    )


def _range(steps: np.ndarray) -> str:
    if not steps.size:
        return "no"
    low, high = steps.min(), steps.max()
    return f"{low:.4g}" if high - low <= _EVEN * high else f"{low:.4g} to {high:.4g}"


def check_pool(pool: Any) -> windows.Pool | None:
    """Return ``pool`` if it is one or None.

    Raises
    ------
    TypeError
        If it lacks what a pool has, or is a class.
    ValueError
        If its statistic does not exist.
    """
    lacks = [name for name in ("windows", "statistic", "place_names", "get_params") if not hasattr(pool, name)]
    if pool is None:
        return None
    if not (lacks or isinstance(pool, type)):
        if pool.statistic not in windows.STATISTICS:
            raise unknown("statistic", pool.statistic, windows.STATISTICS)
        return pool  # type: ignore[no-any-return]
    if isinstance(pool, type):
        came, todo = f"the class {pool.__name__}", f"Make one: {pool.__name__}()"
    else:
        came, todo = repr(pool) if isinstance(pool, (str, int, float, tuple, list)) else type(pool).__name__, ""
        if isinstance(pool, int) and not isinstance(pool, bool):
            todo = f"Did you mean pool=nr.PooledEnergy(size={pool})?"
        elif not isinstance(pool, (str, float, tuple, list, bool)):
            todo = f"It lacks {', '.join(lacks)}"
    raise need("a pool, such as nr.PooledEnergy(size=16), or None", came, todo, kind=TypeError)


def windows_of(pool: windows.Pool, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a pool's windows over pixels at ``y`` and ``x``, ``(window, y)`` and ``(window, x)``.

    Raises
    ------
    ValueError
        If their shapes are others, they hold what is not finite, or do not go in pairs at places.
    """
    made = pool.windows(y, x)
    both = [np.asarray(each, dtype=float) for each in made]
    shapes = [each.shape for each in both]
    fits = len(both) == 2 and all(each.ndim == 2 and len(each) for each in both)
    if not fits or [shape[1] for shape in shapes] != [len(y), len(x)]:
        what = f"weights (window, {len(y)}) and (window, {len(x)}) from the pool's windows(y, x)"
        raise need(what, " and ".join(map(str, shapes)))
    if pool.place_names is not None and not (len(pool.place_names) == len(both[0]) == len(both[1])):
        raise need(
            "a row and a column window for each place", f"{shapes[0][0]} and {shapes[1][0]} for {pool.place_names}"
        )
    if not all(np.isfinite(each).all() for each in both):
        raise need("finite weights from the pool's windows(y, x)", "NaN or infinity")
    return both[0], both[1]
