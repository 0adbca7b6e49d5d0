"""Windows over the pixels of a picture, and maps pooled in them. Plain NumPy, for front end and features."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from nrsim.errors import need

STATISTICS = ("energy", "mean", "max")
_EDGE = np.exp(-2.0)  # of a window's largest weight, two standard deviations away: where "max" ends


class Pool(Protocol):
    """What ``pool=`` takes: windows, what is taken of them, and their names where they are no grid."""

    @property
    def statistic(self) -> str:
        """What is taken of a window: one of STATISTICS."""

    @property
    def place_names(self) -> list[str] | None:
        """The names of places, or None for a grid."""

    def windows(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return weights ``(window, y)`` and ``(window, x)``."""

    def get_params(self) -> dict[str, Any]:
        """Return the settings."""


def grid(positions: np.ndarray, size: int, spread: float | None) -> np.ndarray:
    """Return ``size`` Gaussian windows that evenly cover ``positions`` (degree), ``(window, position)``.

    Parameters
    ----------
    positions
        Evenly spaced.
    size
        How many.
    spread
        Standard deviation, degree. Default: half the distance between neighbouring centres.

    Raises
    ------
    ValueError
        If there are fewer positions than windows.
    """
    if len(positions) < size:
        raise need(f"at least {size} pixels along each side to pool on", f"{len(positions)}", "Use a smaller size")
    step = (positions[-1] - positions[0]) / (len(positions) - 1) if len(positions) > 1 else 1.0
    distance = step * len(positions) / size
    centres = positions[0] - step / 2 + distance * (np.arange(size) + 0.5)
    return gaussian(positions, centres, abs(distance) / 2 if spread is None else spread)


def gaussian(positions: np.ndarray, centres: np.ndarray, spread: float | np.ndarray) -> np.ndarray:
    """Return Gaussian windows about ``centres`` that sum to 1, ``(window, position)``; ``spread`` one or one each."""
    apart = (positions[None] - centres[:, None]) ** 2
    nearest = apart.min(axis=1, keepdims=True)  # a window narrower than a pixel is the nearest pixel
    weights = np.exp((nearest - apart) / (2 * np.reshape(spread, (-1, 1)) ** 2))
    return weights / weights.sum(axis=1, keepdims=True)


def pool_maps(maps: np.ndarray, wy: np.ndarray, wx: np.ndarray, statistic: str, paired: bool) -> np.ndarray:
    """Return maps ``(…, y, x)`` pooled in windows: ``(…, row, column)``, or ``(…, place)`` where they go in pairs.

    ``"energy"`` is Σ w m, ``"mean"`` (Σ w √m)², ``"max"`` the largest m within two standard deviations.
    """
    if statistic == "max":
        return _largest(maps, wy, wx, paired)
    if paired and _spots(wy) and _spots(wx):
        return maps[..., wy.argmax(axis=1), wx.argmax(axis=1)]
    wy, wx = wy.astype(maps.dtype), wx.astype(maps.dtype)
    pooled = np.sqrt(np.maximum(maps, 0)) if statistic == "mean" else maps
    rows = pooled @ wx.T
    pooled = np.einsum("...yp,py->...p", rows, wy) if paired else wy @ rows
    return pooled**2 if statistic == "mean" else pooled


def _spots(weights: np.ndarray) -> bool:
    """Return whether every window is a single pixel."""
    return bool((np.count_nonzero(weights, axis=1) == 1).all())


def _largest(maps: np.ndarray, wy: np.ndarray, wx: np.ndarray, paired: bool) -> np.ndarray:
    rows, columns = (_spans(weights) for weights in (wy, wx))
    across = [maps[..., a:b].max(axis=-1) for a, b in columns]
    if paired:
        return np.stack([m[..., a:b].max(axis=-1) for m, (a, b) in zip(across, rows, strict=True)], axis=-1)
    return np.stack([np.stack([m[..., a:b].max(axis=-1) for m in across], axis=-1) for a, b in rows], axis=-2)


def _spans(weights: np.ndarray) -> list[tuple[int, int]]:
    within = weights >= _EDGE * weights.max(axis=1, keepdims=True)
    return [(int(np.argmax(row)), len(row) - int(np.argmax(row[::-1]))) for row in within]


def coordinates(pool: Pool, y: np.ndarray, x: np.ndarray) -> dict[str, Any]:
    """Return the coordinates of a pool's windows over pixels at ``y`` and ``x``, ready for xarray: their means."""
    wy, wx = pool.windows(y, x)
    units = {"units": "degree"}
    if pool.place_names is None:
        return {"y": ("y", wy @ y, units), "x": ("x", wx @ x, units)}
    return {
        "place": ("place", pool.place_names),
        "place_y": ("place", wy @ y, units),
        "place_x": ("place", wx @ x, units),
    }
