"""Kernels: what a tuning curve's shape is, by cubic splines through its points. Plain NumPy and SciPy, no labels.

Curves are ``(curve, point)`` throughout, and what is found of each is ``(curve,)``.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

HALF = 0.5
ROOT = 1 / np.sqrt(2)
SUMMED = 0.95  # of the greatest response, and of the fall beyond it
_FINE = 3600  # samples of the spline: 0.05 degree of 180


def closed(x: np.ndarray, y: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Return fine samples of the periodic cubic spline through ``y`` at ``x (point,)``: places and values."""
    places = np.append(x, x[0] + period)
    spline = CubicSpline(places, np.append(y, y[:, :1], axis=1), axis=1, bc_type="periodic")
    fine = np.arange(_FINE) * period / _FINE
    return fine, spline(fine)


def opened(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return fine samples of the cubic spline through ``y`` at increasing ``x (point,)``: places and values."""
    fine = np.linspace(x[0], x[-1], _FINE)
    return fine, CubicSpline(x, y, axis=1)(fine)


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """Return where ``y (point,)``, which begins at its peak, first falls to ``level``; NaN if it does not."""
    below = np.flatnonzero(y <= level)
    if not below.size:
        return float("nan")
    i = int(below[0])
    if i == 0:
        return float(x[0])
    share = (y[i - 1] - level) / (y[i - 1] - y[i])
    return float(x[i - 1] + share * (x[i] - x[i - 1]))


def width_on_circle(fine: np.ndarray, y: np.ndarray, share: float, period: float) -> np.ndarray:
    """Return the full width at ``share`` of the greatest value, of curves that close on themselves."""
    turn = np.arange(y.shape[1]) * period / y.shape[1]
    widths = []
    for curve in y:
        from_peak = np.roll(curve, -int(curve.argmax()))
        back = np.append(from_peak[:1], from_peak[:0:-1])
        widths.append(sum(crossing(turn, side, share * curve.max()) for side in (from_peak, back)))
    return np.array(widths)


def edges(fine: np.ndarray, y: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where curves fall to ``share`` of their greatest value, below and above the peak; NaN beyond the ends."""
    low, high = [], []
    for curve in y:
        peak = int(curve.argmax())
        low.append(crossing(fine[peak::-1], curve[peak::-1], share * curve[peak]))
        high.append(crossing(fine[peak:], curve[peak:], share * curve[peak]))
    return np.array(low), np.array(high)


def circular_variance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return 1 − |Σ r exp(2iθ)| / Σ r for orientations ``x (point,)`` in degrees, evenly spaced."""
    total = y.sum(axis=1)
    around = np.abs((y * np.exp(2j * np.deg2rad(x))).sum(axis=1))
    return np.where(total > 0, 1 - around / np.where(total > 0, total, 1.0), np.nan)


def summation(fine: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where size-tuning curves reach 95 % of their peak, and where 95 % of the fall beyond it is over.

    The second is NaN where there is no fall.
    """
    reached, over = [], []
    for curve in y:
        peak = int(curve.argmax())
        reached.append(float(fine[np.flatnonzero(curve >= SUMMED * curve[peak])[0]]))
        fall = curve[peak] - curve[-1]
        beyond = crossing(fine[peak:], curve[peak:], curve[peak] - SUMMED * fall) if fall > 0 else float("nan")
        over.append(beyond)
    return np.array(reached), np.array(over)
