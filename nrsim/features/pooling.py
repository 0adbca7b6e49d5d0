"""Pooled energy: each channel averaged in overlapping Gaussian windows on a grid."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import blocks, labels, provenance, stores, windows
from nrsim._version import __version__
from nrsim.errors import NotFittedError, need, unknown
from nrsim.features.base import same_features
from nrsim.features.face_grid import FaceGrid
from nrsim.features.places import OnHead, centres, channels, extent, names
from nrsim.quantities import bare, whole
from nrsim.schema import check
from nrsim.windows import Pool

_BLOCK = 2**24  # bytes of responses that are read at once
_POOL = ("size", "tolerance", "places", "statistic")


class PooledEnergy:
    """Channel energy pooled in overlapping windows, one feature per channel and place.

    Each window is a Gaussian whose weights sum to 1: the position tolerance of complex cells in the hierarchy of Giese
    & Leopold 2005. Also serves as ``pool=`` of :meth:`nrsim.V1Bank.transform`, which is far faster than pooling dense
    maps.

    Parameters
    ----------
    size
        Windows along each side of the picture, or ``(rows, columns)``; their centres are evenly spaced and cover it.
        Default 16 (chosen).
    tolerance
        Standard deviation of a window, degree. Windows overlap more as it grows. Default: half the distance between
        neighbouring centres (chosen).
    places
        Instead of a grid, the centres of the windows, ``(x, y)`` in degrees, y up: a list of pairs, or a mapping from
        the name of each place to its pair. ``tolerance`` is then needed. Or a :class:`nrsim.FaceGrid`, whose places are
        those of each head's face; it has its own size and tolerance. Stimuli without a head (``''``) are seen at the
        places of the reference.
    statistic
        ``"energy"``: the mean Σ w A², w being the window. ``"mean"``: the squared mean amplitude, (Σ w A)². ``"max"``:
        the largest A² within two tolerances along each axis (a square, as in Riesenhuber & Poggio 1999). All three give
        1 for a grating that gives energy 1 everywhere. With normalised responses read R for A².
    log
        Take log(e + ε), ε being ``floor`` times the mean pooled energy of the stimuli that ``fit`` saw.
    floor
        Default 0.01 (chosen).

    Raises
    ------
    ValueError, TypeError
        For values out of range, and places that are not pairs of numbers.

    Examples
    --------
    >>> import nrsim as nr
    >>> seen = nr.example("V1Response")
    >>> nr.PooledEnergy(size=4).fit(seen).transform(seen).sizes["feature"]
    128
    >>> eyes = nr.PooledEnergy(places={"left eye": (-0.3, 0.2), "right eye": (0.3, 0.2)}, tolerance=0.15)
    >>> eyes.fit(seen).transform(seen)["feature_id"].values[:2].tolist()
    ['1c/deg 0deg left eye', '1c/deg 0deg right eye']
    """

    def __init__(
        self,
        size: int | Sequence[int] = 16,
        *,
        tolerance: float | None = None,
        places: Mapping[str, Sequence[float]] | Sequence[Sequence[float]] | FaceGrid | None = None,
        statistic: str = "energy",
        log: bool = False,
        floor: float = 0.01,
    ) -> None:
        if isinstance(size, (Sequence, np.ndarray)) and not isinstance(size, str):
            if len(size) != 2:
                raise need("size: windows a side, or (rows, columns)", repr(size))
            self.size: int | list[int] = [whole(each, "size", low=1) for each in size]
        else:
            self.size = whole(size, "size", low=1)
        self.tolerance = None if tolerance is None else bare(tolerance, "degree", "tolerance", above=0)
        self.grid = places if isinstance(places, FaceGrid) else None
        if self.grid is not None:
            if tolerance is not None:
                raise need(
                    "the tolerance in the FaceGrid", f"tolerance={tolerance!r} beside it", "FaceGrid(tolerance=…)"
                )
            if self.size not in (16, self.grid.size) and [self.size] * 2 != self.grid.size:
                came = f"size={size!r} beside a grid of {self.grid.size[0]} × {self.grid.size[1]}"
                raise need("the size in the FaceGrid", came, "FaceGrid(size=…)")
            self.size = self.grid.size
        self.places = None if places is None or self.grid is not None else centres(places)  # type: ignore[arg-type]
        if self.places is not None and tolerance is None:
            raise need("tolerance, the windows' standard deviation in degrees, with places", "none", "Such as 0.2")
        if statistic not in windows.STATISTICS:
            raise unknown("statistic", statistic, windows.STATISTICS)
        self.statistic = statistic
        if not isinstance(log, bool):
            raise need("log: True or False", repr(log), kind=TypeError)
        self.log = log
        self.floor = bare(floor, "1", "floor", above=0)

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return self._pooling() | {"log": self.log, "floor": self.floor}

    def _pooling(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _POOL} | ({"places": self.grid} if self.grid is not None else {})

    @property
    def place_names(self) -> list[str] | None:
        """The names of the places, or None for a grid."""
        if self.grid is not None:
            return self.grid.place_names
        return None if self.places is None else list(self.places)

    def windows(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows over pixels at ``y`` and ``x`` (evenly spaced, degree), ``(window, y)``, ``(window, x)``.

        Each row sums to 1. On a grid every row window goes with every column window; at places they go in pairs.

        Raises
        ------
        ValueError
            If there are fewer pixels than windows along a side, a place lies outside the picture, or several windows
            would each be wider than the picture.
        """
        rows, columns = (np.asarray(axis, dtype=float) for axis in (y, x))
        if self.grid is not None:
            return self.grid.windows(self.grid.reference, rows, columns)
        self._narrow(rows, columns)
        if self.places is None:
            down, across = self.size if isinstance(self.size, list) else (self.size, self.size)
            return windows.grid(rows, down, self.tolerance), windows.grid(columns, across, self.tolerance)
        middles = np.array(list(self.places.values()))
        (left, right), (low, high) = extent(columns), extent(rows)
        outside = (middles[:, 0] < left) | (middles[:, 0] > right) | (middles[:, 1] < low) | (middles[:, 1] > high)
        if outside.any():
            named = np.array(list(self.places))[outside]
            came = [f"{str(name)!r} at ({a:g}, {b:g})" for name, (a, b) in zip(named, middles[outside], strict=True)]
            raise need(
                f"places within the picture (x from {left:.3g} to {right:.3g} degrees, y from {low:.3g} to {high:.3g})",
                ", ".join(came[:3]) + (f" and {len(came) - 3} more" if len(came) > 3 else ""),
                "Places are (x, y) in degrees from the middle, y up",
            )
        spread = self.tolerance or 0.0
        return windows.gaussian(rows, middles[:, 1], spread), windows.gaussian(columns, middles[:, 0], spread)

    def groups(self, faces: xr.Dataset) -> dict[str, tuple[np.ndarray, Pool]] | None:
        """Return name → (numbers of the stimuli, their pool) of the heads whose places differ, or None."""
        if self.grid is None:
            return None
        return {
            name: (rows, OnHead(self, partial(self.grid.windows, name)))
            for name, rows in self.grid.groups(faces).items()
        }

    def _narrow(self, rows: np.ndarray, columns: np.ndarray) -> None:
        """Refuse several windows that are wider than the picture: they would all see the same."""
        one = len(self.places) == 1 if self.places is not None else self.size in (1, [1, 1])
        side = max(high - low for low, high in (extent(rows), extent(columns)))
        if self.tolerance is not None and self.tolerance > side and not one:
            raise need(
                f"a tolerance below the picture's side, {side:.3g} degrees",
                f"{self.tolerance:g}",
                "It is in degrees, not pixels; one window over the whole picture is size=1",
            )

    def fit(self, seen: xr.Dataset) -> Self:
        """Learn the channels and places, and the mean energy; of responses on disk a block is read at a time.

        Raises
        ------
        SchemaError, ValueError
            If ``seen`` is no V1Response with energy, or pooled otherwise.
        """
        self._check(seen)
        energy = self._energy(seen)
        sums: list[float] = []
        for start, block in blocks.read(energy, _step(energy)):
            pooled = self._pool(seen, block, start)
            sums += pooled.reshape(len(pooled), -1).sum(axis=1, dtype=np.float64).tolist()
            del block, pooled
        _finite(seen, np.array(sums))
        self.feature_id_ = names(self._layout(seen))
        values = len(sums) * len(self.feature_id_) * seen.sizes.get("frame", 1)
        self.mean_energy_ = math.fsum(sums) / values if values else math.nan
        return self

    def transform(
        self, seen: xr.Dataset, *, out: str | os.PathLike[str] | None = None, progress: bool = False
    ) -> xr.Dataset:
        """Return Features, ``value (stimulus, feature)``.

        Parameters
        ----------
        seen
            A V1Response with energy, dense or pooled by ``V1Bank.transform(faces, pool=…)`` with the same settings.
            Of responses on disk a block is read at a time.
        out
            Write the features to this file block by block, ``.zarr`` or ``.nc``, and return them opened, as
            :meth:`nrsim.V1Bank.transform` does. Default: into memory, 4 bytes a stimulus and feature.
        progress
            Show what is done and what is left.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SchemaError, ValueError
            If ``seen`` is no V1Response with energy, pooled otherwise, or of other channels than were fitted.
        """
        if not hasattr(self, "feature_id_"):
            raise NotFittedError("this PooledEnergy is not fitted; call fit(v1_response) first")
        self._check(seen)
        layout = self._layout(seen)
        same_features(self.feature_id_, names(layout), "channels and places")
        energy = self._energy(seen)
        moving = "frame" in energy.dims
        lead = energy.shape[: 2 if moving else 1]

        def one(start: int, block: np.ndarray) -> np.ndarray:
            value = self._pool(seen, block, start).reshape(len(block), *lead[1:], -1)
            _finite(seen, value)
            return np.log(value + self.floor * self.mean_energy_) if self.log else value

        travelling = ("frame_time", "frame_intensity") if moving else ()
        frames = {name: seen[name] for name in travelling if name in seen.coords}
        features = xr.Dataset(
            coords={**labels.carried(seen), **frames, "feature_id": ("feature", self.feature_id_), **channels(layout)}
        )
        features = provenance.stamp(features, "Features", "PooledEnergy.transform", self.get_params(), parents=[seen])
        dims = ("stimulus", "frame", "feature") if moving else ("stimulus", "feature")
        made = stores.compute(
            energy,
            one,
            features,
            stores.Layout("value", dims, (*lead, len(self.feature_id_))),
            step=_step(energy),
            out=out,
            made_from={
                "nrsim version": __version__,
                "settings": [features.attrs["history"], self.mean_energy_ if self.log else None],
                "stimuli": provenance.text_hash("\n".join(map(str, seen["stimulus_id"].values))),
                "features": provenance.text_hash("\n".join(self.feature_id_)),
            },
            progress=progress,
            said="pooled energy",
        )
        return check(made, "Features", values=out is None)

    def _check(self, seen: xr.Dataset) -> None:
        check(seen, "V1Response", values=False)
        if "energy" not in seen:
            came, todo = ", ".join(map(str, seen.data_vars)), "V1Bank.transform returns it"
            raise need("energy (stimulus, frequency, orientation, y, x) to pool", came, todo)
        if "pool" in seen.attrs:
            had = json.loads(seen.attrs["pool"])
            wanted = {"class": "PooledEnergy"} | provenance.plain(self._pooling())
            if any(had.get(key) != value for key, value in wanted.items()):
                other = [key for key, value in wanted.items() if had.get(key) != value]
                asked, came = (", ".join(f"{key}={each.get(key)!r}" for key in other) for each in (wanted, had))
                todo = "Pool both alike: pool = nr.PooledEnergy(…) for transform(faces, pool=pool) and for pool.fit"
                raise need(f"energy that is dense or pooled with {asked}", f"energy pooled with {came}", todo)

    def _energy(self, seen: xr.Dataset) -> xr.DataArray:
        last = ["place"] if "place" in seen["energy"].dims else ["y", "x"]
        dims = ["stimulus", "frame", "frequency", "orientation", *last]
        return seen["energy"].transpose(*[dim for dim in dims if dim in seen["energy"].dims])

    def _pool(self, seen: xr.Dataset, block: np.ndarray, start: int) -> np.ndarray:
        """Return a block of energy, from the stimulus ``start`` on, pooled if it is not yet."""
        if "pool" in seen.attrs:
            return block
        y, x, paired = seen["y"].values, seen["x"].values, self.place_names is not None
        if self.grid is None:
            wy, wx = self.windows(y, x)
            return np.stack([windows.pool_maps(each, wy, wx, self.statistic, paired) for each in block])
        heads = [str(name) for name in seen[self.grid.norm_by].values[start : start + len(block)]]
        made = {name: self.grid.windows(name, y, x) for name in dict.fromkeys(heads)}
        return np.stack(
            [
                windows.pool_maps(each, *made[name], self.statistic, True)
                for each, name in zip(block, heads, strict=True)
            ]
        )

    def _layout(self, seen: xr.Dataset) -> xr.Dataset:
        """Return the channels and places of pooled energy."""
        if "pool" in seen.attrs:
            names = ("frequency", "orientation", "place", "place_y", "place_x", "y", "x")
            return xr.Dataset(coords={name: seen[name] for name in names if name in seen.coords})
        coords = {name: seen[name] for name in ("frequency", "orientation")}
        return xr.Dataset(coords={**coords, **windows.coordinates(self, seen["y"].values, seen["x"].values)})


def _step(energy: xr.DataArray) -> int:
    """Return how many stimuli are read at once."""
    return max(1, _BLOCK * len(energy) // max(1, energy.nbytes))


def _finite(seen: xr.Dataset, values: np.ndarray) -> None:
    """Refuse values that are not finite, in the words of the check that looks for where they are."""
    if not np.isfinite(values).all():
        check(seen, "V1Response")
        raise need("finite energies", "NaN or infinity")
