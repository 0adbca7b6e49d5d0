"""Firing rates of single trials in a time window: what every tuning measure builds on."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need
from nrsim.quantities import window_of
from nrsim.schema import check

_TOLERANCE = 1e-6
"""Edges of bins are compared to within this time, s (chosen: far below any bin, far above rounding)."""


def window_rates(recording: xr.Dataset, window: Any = (0.07, 0.37), baseline: Any = None) -> xr.DataArray:
    r"""Return the firing rate of every trial in a time window.

    .. math:: r_{stn} = \frac{1}{T} \sum_{b \in \text{window}} k_{stnb}

    with :math:`k` the spike counts and :math:`T` the summed width of the bins. For rate units it is the mean of
    ``firing_rate`` over the bins, weighted by their widths.

    Parameters
    ----------
    recording
        A Recording, ``spike_count`` or ``firing_rate (stimulus, trial, neuron, time)``.
    window
        ``(start, end)`` in s after stimulus onset. Only whole bins are used: each end moves to the nearest edge of a
        bin, and the window that was used stands in the attributes ``window_start`` and ``window_end``.
        Default 0.07 to 0.37 s (chosen: 300 ms from the onset of the response in anterior face patches).
    baseline
        A second window. The mean firing rate of each neuron in it, over all trials, is subtracted (not trial by
        trial, which would add the baseline's noise to every trial). Default: nothing is subtracted.

    Returns
    -------
    xarray.DataArray
        ``firing_rate (stimulus, trial, neuron)`` in Hz with all labels; NaN where a stimulus was not presented.

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If a window reaches beyond the recorded time or holds no whole bin, or if bins overlap.

    Examples
    --------
    >>> import nrsim as nr
    >>> firing_rate = nr.window_rates(nr.example("Recording"), window=(0.1, 0.4))
    >>> firing_rate.dims
    ('stimulus', 'trial', 'neuron')
    """
    check(recording, "Recording")
    values, used = _window_mean(recording, window, "window")
    attributes: dict[str, str | float] = {
        "units": "Hz",
        "long_name": "firing rate",
        "window_start": used[0],
        "window_end": used[1],
    }
    if baseline is not None:
        resting, used = _window_mean(recording, baseline, "baseline")
        shown = np.isfinite(resting)
        total = np.where(shown, resting, 0).sum((0, 1))
        values = values - total / np.maximum(shown.sum((0, 1)), 1)
        attributes |= {"baseline_start": used[0], "baseline_end": used[1]}
    coords = {name: c for name, c in recording.coords.items() if set(c.dims) <= {"stimulus", "trial", "neuron"}}
    return xr.DataArray(values, coords, ("stimulus", "trial", "neuron"), "firing_rate", attributes)


def _window_mean(recording: xr.Dataset, window: Any, name: str) -> tuple[np.ndarray, tuple[float, float]]:
    """Return firing rates ``(stimulus, trial, neuron)`` in Hz, NaN where not presented, and the window used."""
    start, end = window_of(window, name)
    first, last = recording["time_bin_start"].values, recording["time_bin_end"].values
    used = float(first[np.abs(first - start).argmin()]), float(last[np.abs(last - end).argmin()])
    recorded = float(first.min()), float(last.max())
    if start < recorded[0] - _TOLERANCE or end > recorded[1] + _TOLERANCE:
        raise need(
            f"a {name} inside the recorded time, {recorded[0]:g} to {recorded[1]:g} s", f"{start:g} to {end:g} s"
        )
    inside = (first >= used[0] - _TOLERANCE) & (last <= used[1] + _TOLERANCE)
    if not inside.any():
        width = float(np.median(last - first))
        todo = f"The bins are {width:g} s wide: choose a longer window or record in finer bins"
        raise need(f"a {name} that holds a whole bin", f"{start:g} to {end:g} s", todo)
    order = np.argsort(first[inside])
    if (first[inside][order][1:] < last[inside][order][:-1] - _TOLERANCE).any():
        raise need("time bins that do not overlap", "overlapping bins", "Bin the spikes again without overlap")
    widths = (last - first)[inside]
    if "spike_count" in recording:
        counts = recording["spike_count"].values[..., inside]
        shown = (counts >= 0).all(-1)
        values = counts.sum(-1, dtype=np.float64) / widths.sum()
    else:
        values = recording["firing_rate"].values[..., inside].astype(np.float64) @ (widths / widths.sum())
        shown = np.isfinite(values)
    if "presented" in recording:
        shown = shown & recording["presented"].values
    return np.where(shown, values, np.nan), used
