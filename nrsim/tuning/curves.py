"""Tuning curves: mean firing rates along a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.schema import check
from nrsim.tuning.trajectories import trajectories
from nrsim.tuning.windows import window_rates


def cell_means(values: np.ndarray, stimulus: np.ndarray, cell: np.ndarray, n_cells: int) -> tuple[np.ndarray, ...]:
    """Return mean, standard error and number of trials of each cell, ``(cell, neuron)`` each.

    Parameters
    ----------
    values
        ``(stimulus, trial, neuron)``, NaN where there is no trial.
    stimulus, cell
        Which stimulus belongs to which cell, ``(member,)``. Trials of all stimuli of a cell are pooled.
    n_cells
        Number of cells. Those without a trial are NaN; the standard error needs two trials.
    """
    shown = np.isfinite(values)
    filled = np.where(shown, values, 0.0)
    n = np.zeros((n_cells, values.shape[2]))
    total, squares = np.zeros_like(n), np.zeros_like(n)
    np.add.at(n, cell, shown.sum(1)[stimulus])
    np.add.at(total, cell, filled.sum(1)[stimulus])
    mean = np.divide(total, n, out=np.full_like(n, np.nan), where=n > 0)
    for member, place in zip(stimulus, cell, strict=True):
        centre = np.where(n[place] > 0, mean[place], 0.0)
        squares[place] += (np.where(shown[member], filled[member] - centre, 0.0) ** 2).sum(0)
    variance = np.divide(squares, n - 1, out=np.full_like(n, np.nan), where=n > 1)
    return mean, np.sqrt(variance / np.maximum(n, 1)), n.astype(np.int32)


def tuning_curves(
    recording: xr.Dataset,
    *,
    along: str = "intensity",
    by: str | Sequence[str] | None = None,
    window: Any = (0.07, 0.37),
    baseline: Any = None,
) -> xr.Dataset:
    """Return mean firing rates along a label, a curve for each neuron and each combination of other labels.

    Parameters
    ----------
    recording
        A Recording. Only trials that took place count; unequal repeats are respected.
    along
        The numeric stimulus label the curves run along: ``intensity``, ``morph_fraction``, ``yaw``, …
    by
        The labels that separate curves; trials of stimuli alike in them are pooled. Default: of ``domain``,
        ``identity`` and ``expression`` (and ``morph_from``, ``morph_to`` along ``morph_fraction``) those that take
        several values, without those that another determines (two people with a head shape each: ``domain`` alone).
    window
        ``(start, end)`` in s. Default 0.07 to 0.37 (chosen, see :func:`nrsim.window_rates`). Early and late responses
        are two calls.
    baseline
        A window whose mean firing rate is subtracted from each neuron. Default: none.

    Returns
    -------
    xarray.Dataset
        TuningCurves: ``firing_rate``, ``sem`` (over trials, in Hz) and ``n_trials (neuron, <by>, along)``. What was
        never shown is NaN with 0 trials. A stimulus of intensity 0 that others name as ``norm_id`` is the zero of
        each of their curves; its own label ("neutral") is no curve.

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If a label is unknown or not numeric, or the window does not fit.

    Examples
    --------
    >>> import nrsim as nr
    >>> curves = nr.tuning_curves(nr.example("Recording"), window=(0.1, 0.4))
    >>> dict(curves.sizes)
    {'neuron': 2, 'domain': 2, 'expression': 2, 'intensity': 4}
    """
    check(recording, "Recording")
    rates = window_rates(recording, window, baseline)
    found = trajectories(rates, along, by)
    n_levels = len(found.values)
    cell = found.trajectory * n_levels + found.level
    computed = cell_means(rates.values, found.stimulus, cell, found.count * n_levels)
    dims = ("neuron", *found.by, along)
    units = ("Hz", "Hz", "1")
    names = ("firing_rate", "sem", "n_trials")
    curves = xr.Dataset(
        {
            name: (
                dims,
                found.unfold(values.reshape(found.count, n_levels, -1).swapaxes(1, 2)),
                {"units": unit},
            )
            for name, values, unit in zip(names, computed, units, strict=True)
        },
        {**neuron_coords(rates), **found.coords},
    )
    parameters = {"along": along, "by": found.by, "window": window, "baseline": baseline}
    used = {name: rates.attrs[name] for name in ("window_start", "window_end")}
    subtracted = "none" if baseline is None else "subtracted"
    stamped = provenance.stamp(
        curves,
        "TuningCurves",
        "tuning_curves",
        parameters,
        parents=(recording,),
        along=along,
        baseline=subtracted,
        **used,
    )
    return check(stamped, "TuningCurves")


def neuron_coords(rates: xr.DataArray) -> dict[str, xr.DataArray]:
    """Return the labels of neurons."""
    return {str(name): c.variable for name, c in rates.coords.items() if c.dims == ("neuron",)}
