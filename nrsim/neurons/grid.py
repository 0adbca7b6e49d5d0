"""Time in whole steps: the drive's grid, the simulation's, and the bins'."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nrsim.errors import need


@dataclass(frozen=True)
class Grid:
    """Steps of ``dt`` s from ``start``; rows of the drive and bins are whole numbers of steps."""

    dt: float
    start: float
    steps_per_row: int
    n_rows: int
    warm_up: int
    bin_start: int
    steps_per_bin: int
    n_bins: int

    @property
    def edges(self) -> np.ndarray:
        """Edges of the bins, ``(n_bins + 1,)`` in s."""
        steps = self.bin_start + np.arange(self.n_bins + 1) * self.steps_per_bin
        return (self.start + steps * self.dt).round(9)

    @property
    def row(self) -> float:
        """Step of the drive, in s."""
        return self.steps_per_row * self.dt

    @property
    def n_steps(self) -> int:
        """Steps of one run, the warm-up included."""
        return self.warm_up + self.n_rows * self.steps_per_row


def ratio(whole_part: float, part: float) -> int:
    """Return how often ``part`` fits into ``whole_part``, 0 if not a whole number of times (to 1e-6)."""
    times = whole_part / part
    return round(times) if abs(times - round(times)) < 1e-6 * max(1.0, times) else 0


def make_grid(time: np.ndarray, dt: float, width: float, warm_up: float) -> Grid:
    """Return the grid of a drive at ``time (time,)`` simulated in steps of ``dt`` and counted in bins of ``width`` s.

    Raises
    ------
    ValueError
        If they do not fit each other.
    """
    if len(time) < 2:
        raise need("a drive of at least two times", f"{len(time)}")
    row = float(time[-1] - time[0]) / (len(time) - 1)
    if row <= 0 or not np.allclose(np.diff(time), row, rtol=1e-3, atol=0):
        raise need(
            "a drive at even times that increase", f"steps from {np.diff(time).min():g} to {np.diff(time).max():g} s"
        )
    row, start = round(row, 9), round(float(time[0]), 9)
    steps_per_row, steps_per_bin = ratio(row, dt), ratio(width, dt)
    if not steps_per_row:
        raise need("a step of the drive that is a multiple of dt", f"{row:g} s and dt = {dt:g} s", f"Use dt={row:g}")
    if not steps_per_bin:
        raise need("a bin that is a multiple of dt", f"bin = {width:g} s and dt = {dt:g} s")
    offset = start / dt
    if abs(offset - round(offset)) > 1e-4:
        raise need("a drive with time 0 on its grid", f"the first time {start:g} s and dt = {dt:g} s")
    bin_start = -round(offset) % steps_per_bin
    n_bins = (len(time) * steps_per_row - bin_start) // steps_per_bin
    if n_bins < 1:
        raise need("a drive that covers at least one bin", f"{len(time) * row:g} s and bin = {width:g} s")
    return Grid(dt, start, steps_per_row, len(time), round(warm_up / dt), bin_start, steps_per_bin, n_bins)
