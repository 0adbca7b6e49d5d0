"""Landmarks at the door of morphs and alignment: what is wrong with them is said in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need


def points_of(value: Any, what: str) -> tuple[np.ndarray, list[str] | None]:
    """Return the landmarks of one picture, ``(point, 2)`` in px, and the points' names where they have any.

    Parameters
    ----------
    value
        Numbers ``(point, 2)``, a DataArray ``(point, axis)``, or one of a single stimulus ``(stimulus, point, axis)``.
    what
        Whose they are, for the messages: ``"landmarks_a"``.

    Raises
    ------
    TypeError, ValueError
        If it is something else.
    """
    if isinstance(value, xr.Dataset):
        raise need(
            f"{what} (point, axis)", "an xarray.Dataset", 'Pass its coordinate: stimuli["landmark"]', kind=TypeError
        )
    if isinstance(value, xr.DataArray):
        if value.sizes.get("stimulus") == 1:
            value = value.isel(stimulus=0)
        if set(value.dims) != {"point", "axis"}:
            shown = ", ".join(f"{name}: {size}" for name, size in value.sizes.items())
            raise need(f"{what} (point, axis) of one picture", f"({shown})", "Choose one with .isel(stimulus=…)")
        ordered = value.transpose("point", "axis")
        if "axis" in ordered.coords:
            ordered = ordered.sel(axis=["x", "y"])
        names = [str(name) for name in ordered["point"].values] if "point" in ordered.coords else None
        return np.asarray(ordered.values, dtype=float), names
    try:
        places = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise need(f"{what}: (x, y) of each point in px", repr(value)[:60], kind=TypeError) from None
    if places.ndim != 2 or places.shape[1] != 2:
        raise need(f"{what}: (x, y) of each point in px, (point, 2)", f"the shape {places.shape}")
    return places, None


def check_points(
    places: np.ndarray, names: Sequence[str], shape: tuple[int, ...], what: str, *, least: int, spread: bool
) -> None:
    """Raise if the points ``(point, 2)`` of a picture are too few, missing, outside it, double, or all on one line.

    Parameters
    ----------
    places, names
        The points, in px, and what they are called.
    shape
        Height and width of the picture, px.
    what
        Whose points they are, for the messages.
    least
        How many are needed.
    spread
        Whether they must not all lie on one line.

    Raises
    ------
    ValueError
        With the point that is at fault.
    """
    height, width = shape
    if len(places) < least:
        raise need(f"at least {least} landmarks", f"{len(places)} in {what}")
    bad = np.flatnonzero(~np.isfinite(places).all(axis=1))
    if len(bad):
        todo = "Leave the point out of every picture, or mark it"
        raise need(f"a finite x and y of every point of {what}", f"NaN or infinite for {names[bad[0]]!r}", todo)
    out = np.flatnonzero(((places < 0) | (places > (width, height))).any(axis=1))
    if len(out):
        x, y = places[out[0]]
        todo = "Are they in px of this picture at this size, with 0 at the left and top edge?"
        raise need(
            f"landmarks inside the picture ({width} × {height} px)",
            f"({x:g}, {y:g}) for {names[out[0]]!r} of {what}",
            todo,
        )
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.diag(np.full(len(places), np.inf))
    i, j = divmod(int(apart.argmin()), len(places))
    if apart[i, j] < 1e-6:
        raise need(
            f"every landmark of {what} at a place of its own", f"{names[i]!r} and {names[j]!r} at the same place"
        )
    if spread:
        strengths = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
        if strengths[1] < 1e-6 * strengths[0]:
            raise need(f"landmarks of {what} that do not all lie on one line", f"{len(places)} on one line")
