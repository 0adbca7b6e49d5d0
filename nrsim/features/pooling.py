"""Pooled energy: each channel averaged in overlapping Gaussian windows on a grid."""

from __future__ import annotations

import json
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import NotFittedError, need
from nrsim.features.base import same_features
from nrsim.quantities import bare, whole
from nrsim.schema import check


class PooledEnergy:
    """Channel energy pooled on a grid, one feature per channel and place.

    pooled = W_y E W_xᵀ, the rows of W being Gaussian windows on ``size`` evenly spaced centres that sum to 1: the
    position tolerance of complex cells in the hierarchy of Giese & Leopold 2005. Also serves as ``pool=`` of
    :meth:`nrsim.V1Bank.transform`.

    Parameters
    ----------
    size
        Windows along each side of the picture. Default 16 (chosen).
    tolerance
        Standard deviation of a window in units of the distance between centres. Default 0.5 (chosen).
    log
        Take log(e + ε), ε being ``floor`` times the mean pooled energy of the stimuli that ``fit`` saw.
    floor
        Default 0.01 (chosen).

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> seen = nr.example("V1Response")
    >>> nr.PooledEnergy(size=4).fit(seen).transform(seen).sizes["feature"]
    128
    """

    def __init__(self, size: int = 16, *, tolerance: float = 0.5, log: bool = False, floor: float = 0.01) -> None:
        self.size = whole(size, "size", low=1)
        self.tolerance = bare(tolerance, "1", "tolerance", above=0)
        if not isinstance(log, bool):
            raise need("log: True or False", repr(log), kind=TypeError)
        self.log = log
        self.floor = bare(floor, "1", "floor", above=0)

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {"size": self.size, "tolerance": self.tolerance, "log": self.log, "floor": self.floor}

    def weights(self, positions: np.ndarray) -> np.ndarray:
        """Return the windows over evenly spaced ``positions``, ``(size, positions)``; each sums to 1.

        Raises
        ------
        ValueError
            If there are fewer positions than windows.
        """
        positions = np.asarray(positions, dtype=float)
        if len(positions) < self.size:
            raise need(
                f"at least {self.size} pixels along each side to pool on", f"{len(positions)}", "Use a smaller size"
            )
        step = (positions[-1] - positions[0]) / (len(positions) - 1) if len(positions) > 1 else 1.0
        distance = step * len(positions) / self.size
        centres = positions[0] - step / 2 + distance * (np.arange(self.size) + 0.5)
        window = np.exp(-((positions[None] - centres[:, None]) ** 2) / (2 * (self.tolerance * distance) ** 2))
        return window / window.sum(axis=1, keepdims=True)

    def fit(self, seen: xr.Dataset) -> Self:
        """Learn the channels and places, and with ``log`` the mean energy.

        Raises
        ------
        SchemaError, ValueError
            If ``seen`` is no V1Response with energy, or pooled otherwise.
        """
        pooled = self._pool(seen)
        self.feature_id_ = _names(pooled)
        self.mean_energy_ = float(pooled["energy"].mean())
        return self

    def transform(self, seen: xr.Dataset) -> xr.Dataset:
        """Return Features, ``value (stimulus, feature)``.

        Parameters
        ----------
        seen
            A V1Response with energy, dense or pooled by ``V1Bank.transform(faces, pool=…)`` with the same settings.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SchemaError, ValueError
            If ``seen`` is no V1Response with energy, pooled otherwise, or of other channels than were fitted.
        """
        if not hasattr(self, "feature_id_"):
            raise NotFittedError("this PooledEnergy is not fitted; call fit(v1_response) first")
        pooled = self._pool(seen)
        same_features(self.feature_id_, _names(pooled), "channels and places")
        energy = pooled["energy"].values.reshape(pooled.sizes["stimulus"], -1)
        value = np.log(energy + self.floor * self.mean_energy_) if self.log else energy
        grid = np.meshgrid(*(pooled[dim].values for dim in ("frequency", "orientation", "y", "x")), indexing="ij")
        frequency, orientation, y, x = (axis.ravel() for axis in grid)
        features = xr.Dataset(
            {"value": (("stimulus", "feature"), value, {"units": "1"})},
            {
                **labels.carried(seen),
                "feature_id": ("feature", self.feature_id_),
                "frequency": ("feature", frequency, {"units": "cycles/degree"}),
                "orientation": ("feature", orientation, {"units": "degree"}),
                "feature_y": ("feature", y, {"units": "degree"}),
                "feature_x": ("feature", x, {"units": "degree"}),
            },
        )
        features = provenance.stamp(features, "Features", "PooledEnergy.transform", self.get_params(), parents=[seen])
        return check(features, "Features")

    def _pool(self, seen: xr.Dataset) -> xr.Dataset:
        seen = check(seen, "V1Response")
        if "energy" not in seen or "frame" in seen["energy"].dims:
            raise need("energy (stimulus, frequency, orientation, y, x) to pool", ", ".join(map(str, seen.data_vars)))
        if "pool" in seen.attrs:
            had = json.loads(seen.attrs["pool"])
            wanted = {"class": "PooledEnergy", "size": self.size, "tolerance": self.tolerance}
            if any(had.get(key) != value for key, value in wanted.items()):
                raise need(f"energy that is dense or pooled with {wanted}", f"energy pooled with {had}")
            return seen
        wy, wx = (self.weights(seen[dim].values).astype(np.float32) for dim in ("y", "x"))
        pooled = np.stack([wy @ maps @ wx.T for maps in seen["energy"].values])
        dims = ("stimulus", "frequency", "orientation", "y", "x")
        return xr.Dataset(
            {"energy": (dims, pooled)},
            {
                "frequency": seen["frequency"],
                "orientation": seen["orientation"],
                "y": ("y", wy @ seen["y"].values),
                "x": ("x", wx @ seen["x"].values),
            },
        )


def _names(pooled: xr.Dataset) -> np.ndarray:
    return np.array(
        [
            f"{f:g}c/deg {o:g}deg y{y:+.3f} x{x:+.3f}"
            for f in pooled["frequency"].values
            for o in pooled["orientation"].values
            for y in pooled["y"].values
            for x in pooled["x"].values
        ]
    )
