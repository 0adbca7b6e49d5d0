"""Kernels: straight-line models of a firing rate, Naka-Rushton functions and Spearman's rho. No labels here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SHAPES = ("constant", "line", "ramp", "V")

_EXPONENTS = np.geomspace(0.5, 8.0, 17)
_HALVES = np.geomspace(0.05, 2.0, 22)
_ZOOMS = 5


def basis(model: str, x: np.ndarray) -> np.ndarray:
    """Return f(x) of the model a + b f(x): 0, x, max(x, 0) or |x|."""
    functions = {"constant": np.zeros_like(x), "line": x, "ramp": np.maximum(x, 0.0), "V": np.abs(x)}
    return functions[model]


def shapes_differ(x: np.ndarray) -> bool:
    """Return whether line, ramp and V are different functions at ``x``: both signs, three values."""
    if len(x) < 3:
        return False
    columns = np.stack([np.ones_like(x), np.maximum(x, 0.0), np.minimum(x, 0.0)], 1)
    return bool(np.linalg.matrix_rank(columns) == 3)


def regress(f: np.ndarray, n: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return intercept and slope of y = a + b f by least squares over trials.

    Parameters
    ----------
    f
        ``(stimulus,)``.
    n, total
        Number of trials and sum of y over them, ``(…, stimulus, neuron)``.

    Returns
    -------
    tuple of numpy.ndarray
        ``(…, neuron)`` each; slope 0 where f does not vary, NaN where there is no trial.
    """
    column = f[:, None]
    weight = n.sum(-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        f_mean = (n * column).sum(-2) / weight
        y_mean = total.sum(-2) / weight
        centred = column - f_mean[..., None, :]
        spread = (n * centred**2).sum(-2)
        varies = spread > 1e-12
        slope = np.where(varies, (centred * total).sum(-2) / np.where(varies, spread, 1.0), 0.0)
        slope = np.where(weight > 0, slope, np.nan)
    return y_mean - slope * np.where(weight > 0, f_mean, 0.0), slope


def slope_weights(f: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return c ``(stimulus, neuron)`` such that the slope of :func:`regress` is the sum of c times the means."""
    weight = np.maximum(n.sum(0), 1)
    centred = f[:, None] - (n * f[:, None]).sum(0) / weight
    spread = (n * centred**2).sum(0)
    varies = spread > 1e-12
    return np.where(varies, n * centred / np.where(varies, spread, 1.0), 0.0)


def ranks(values: np.ndarray, axis: int) -> np.ndarray:
    """Return mean ranks along an axis, from 0, ties shared; NaN is not ranked and counts for nothing.

    Values that differ by rounding alone (beyond nine decimals) are ties.
    """
    moved = np.round(np.moveaxis(values, axis, 0), 9)
    result = np.zeros(moved.shape)
    for other in moved:
        result += (moved > other) + 0.5 * (moved == other)
    return np.moveaxis(np.where(np.isfinite(moved), result - 0.5, np.nan), 0, axis)


def pearson(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    """Return Pearson's r along an axis over what is finite in both; NaN where one of them does not vary."""
    both = np.isfinite(first) & np.isfinite(second)
    count = np.maximum(both.sum(axis, keepdims=True), 1)
    one, two = (np.where(both, values, 0.0) for values in (first, second))
    one = np.where(both, one - one.sum(axis, keepdims=True) / count, 0.0)
    two = np.where(both, two - two.sum(axis, keepdims=True) / count, 0.0)
    scale = np.sqrt((one**2).sum(axis) * (two**2).sum(axis))
    varies = scale > 1e-12
    return np.where(varies, (one * two).sum(axis) / np.where(varies, scale, 1.0), np.nan)


def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Spearman's rho of ``y (…, level, neuron)`` with ``x (level,)`` over the levels where y is finite."""
    x_full = np.where(np.isfinite(y), x[:, None], np.nan)
    return pearson(ranks(x_full, -2), ranks(y, -2), -2)


@dataclass(frozen=True)
class NakaRushton:
    """Parameters ``(series,)`` of r0 + r_max c^n / (c^n + c50^n), and the summed squared error."""

    baseline: np.ndarray
    maximum: np.ndarray
    exponent: np.ndarray
    half: np.ndarray
    error: np.ndarray

    def predict(self, c: np.ndarray) -> np.ndarray:
        """Return the firing rate at ``c (level,)``, ``(series, level)``."""
        rise = saturation(c, self.exponent[:, None], self.half[:, None])
        return self.baseline[:, None] + self.maximum[:, None] * rise


def saturation(c: np.ndarray, exponent: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Return c^n / (c^n + c50^n) for c ≥ 0."""
    powered = c**exponent
    return powered / (powered + half**exponent)


def fit_naka_rushton(c: np.ndarray, n: np.ndarray, mean: np.ndarray, nonnegative: bool) -> NakaRushton:
    """Fit Naka-Rushton functions by variable projection.

    For every exponent and c50 of a grid, r0 and r_max follow by linear least squares with r_max ≥ 0; the grid is then
    refined around the best. Exponents lie in 0.5 to 8 and c50 in 0.05 to 2 times the largest c (chosen: beyond them the
    function is a straight line or a step at the usual spacing of intensities).

    Parameters
    ----------
    c
        ``(level,)``, ≥ 0.
    n, mean
        Number of trials and their mean, ``(series, level)``.
    nonnegative
        Whether r0 ≥ 0 as well, as for firing rates without a subtracted baseline.
    """
    mean = np.where(n > 0, mean, 0.0)
    exponents, halves = (grid.ravel() for grid in np.meshgrid(_EXPONENTS, _HALVES * c.max(), indexing="ij"))
    rise = saturation(c, exponents[:, None], halves[:, None])
    best = _projected(np.broadcast_to(rise, (len(n), *rise.shape)), n, mean, nonnegative)
    exponent, half = exponents[best[3]], halves[best[3]]
    steps = np.log(_EXPONENTS[1] / _EXPONENTS[0]), np.log(_HALVES[1] / _HALVES[0])
    offsets = np.linspace(-1.0, 1.0, 5)
    grid = np.stack(np.meshgrid(offsets, offsets, indexing="ij"), -1).reshape(-1, 2)
    rows = np.arange(len(n))
    for zoom in range(_ZOOMS):
        tried_n = np.clip(exponent[:, None] * np.exp(grid[:, 0] * steps[0] / 2**zoom), 0.5, 8.0)
        tried_c = np.clip(half[:, None] * np.exp(grid[:, 1] * steps[1] / 2**zoom), 0.05 * c.max(), 2.0 * c.max())
        best = _projected(saturation(c, tried_n[..., None], tried_c[..., None]), n, mean, nonnegative)
        exponent, half = tried_n[rows, best[3]], tried_c[rows, best[3]]
    return NakaRushton(best[0], best[1], exponent, half, best[2])


def _projected(rise: np.ndarray, n: np.ndarray, mean: np.ndarray, nonnegative: bool) -> tuple[np.ndarray, ...]:
    """Return r0, r_max, error and place ``(series,)`` of the best of ``rise (series, grid, level)``."""
    weight = np.maximum(n.sum(-1), 1)[:, None]
    f = np.einsum("sgl,sl->sg", rise, n)
    ff = np.einsum("sgl,sl->sg", rise**2, n)
    fy = np.einsum("sgl,sl->sg", rise, n * mean)
    y, yy = (n * mean).sum(-1)[:, None], (n * mean**2).sum(-1)[:, None]
    spread = ff - f**2 / weight
    maximum = np.maximum((fy - f * y / weight) / np.maximum(spread, 1e-12), 0.0)
    baseline = (y - maximum * f) / weight
    if nonnegative:
        below = baseline < 0
        maximum = np.where(below, np.maximum(fy / np.maximum(ff, 1e-12), 0.0), maximum)
        baseline = np.where(below, 0.0, baseline)
    error = yy - 2 * (baseline * y + maximum * fy) + baseline**2 * weight + 2 * baseline * maximum * f + maximum**2 * ff
    place = error.argmin(-1)
    rows = np.arange(len(place))
    return baseline[rows, place], maximum[rows, place], np.maximum(error[rows, place], 0.0), place
