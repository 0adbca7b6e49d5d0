"""Places where responses are pooled: what they are called, and a pool at those of one head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need
from nrsim.quantities import bare


@dataclass(frozen=True)
class OnHead:
    """A pool at the places of one head.

    Attributes
    ----------
    pool
        The pool of all heads, whose names and settings it shares.
    made
        (y, x) → this head's windows.
    """

    pool: Any
    made: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

    @property
    def statistic(self) -> str:
        """What is taken of a window."""
        return str(self.pool.statistic)

    @property
    def place_names(self) -> list[str]:
        """The places' names, the same on all heads."""
        return list(self.pool.place_names)

    def windows(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows on this head."""
        return self.made(y, x)

    def get_params(self) -> dict[str, Any]:
        """Return the pool's settings."""
        return dict(self.pool.get_params())


def extent(axis: np.ndarray) -> tuple[float, float]:
    """Return where the pixels along an axis begin and end, degree."""
    half = abs(axis[-1] - axis[0]) / max(len(axis) - 1, 1) / 2
    return float(axis.min() - half), float(axis.max() + half)


def centres(places: Mapping[str, Sequence[float]] | Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """Return name → (x, y) of places that were given with names or without."""
    if isinstance(places, str) or not isinstance(places, Iterable) or getattr(places, "ndim", 1) == 0:
        what = "places: a list of (x, y) in degrees, or a mapping from names to them"
        raise need(what, repr(places), kind=TypeError)
    named = places if isinstance(places, Mapping) else {f"place-{i + 1}": each for i, each in enumerate(places)}
    made = {}
    for name, pair in named.items():
        values = np.asarray(pair, dtype=object).ravel()
        if len(values) != 2:
            todo = "One place is written [(x, y)]" if isinstance(pair, (int, float)) else ""
            raise need("places: (x, y) in degrees", f"{pair!r} at {name!r}", todo)
        made[str(name)] = [bare(each, "degree", f"places[{name!r}]") for each in values]
    if not made:
        raise need("places: one or more", "none")
    return made


def channels(pooled: xr.Dataset) -> dict[str, Any]:
    """Return what each feature is: channel and place."""
    dims = ("frequency", "orientation", "place") if "place" in pooled.dims else ("frequency", "orientation", "y", "x")
    grid = np.meshgrid(*(np.arange(pooled.sizes[dim]) for dim in dims), indexing="ij")
    at = {dim: index.ravel() for dim, index in zip(dims, grid, strict=True)}
    y, x = (("place_y", "place"), ("place_x", "place")) if "place" in dims else (("y", "y"), ("x", "x"))
    return {
        "frequency": ("feature", pooled["frequency"].values[at["frequency"]], {"units": "cycles/degree"}),
        "orientation": ("feature", pooled["orientation"].values[at["orientation"]], {"units": "degree"}),
        "feature_y": ("feature", pooled[y[0]].values[at[y[1]]], {"units": "degree"}),
        "feature_x": ("feature", pooled[x[0]].values[at[x[1]]], {"units": "degree"}),
    }


def names(pooled: xr.Dataset) -> np.ndarray:
    """Return the names of features: channel and place."""
    if "place" in pooled.dims:
        where = [str(name) for name in pooled["place"].values]
    else:
        where = [f"y{y:+.3f} x{x:+.3f}" for y in pooled["y"].values for x in pooled["x"].values]
    each = [f"{f:g}c/deg {o:g}deg" for f in pooled["frequency"].values for o in pooled["orientation"].values]
    return np.array([f"{channel} {place}" for channel in each for place in where])
