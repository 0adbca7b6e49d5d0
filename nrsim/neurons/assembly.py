"""From the parts of a simulation to the labelled recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy import sparse

from nrsim.neurons.grid import Grid
from nrsim.neurons.parameters import SI, Parameters
from nrsim.neurons.population import Part, Record


def labels_of(drive: xr.Dataset, trials: int, grid: Grid) -> xr.Dataset:
    """Return the labels of the recording: those of the drive, and the bins."""
    edges = grid.edges
    labels = drive.drop_vars("current").drop_dims("time")
    numbers = {
        dim: (dim, np.arange(size, dtype=np.int32), {"units": "1"})
        for dim, size in (("stimulus", drive.sizes["stimulus"]), ("trial", trials), ("neuron", drive.sizes["neuron"]))
        if dim not in labels.coords
    }
    return labels.assign_coords(numbers).assign_coords(
        time=("time", ((edges[:-1] + edges[1:]) / 2).round(9), {"units": "s"}),
        time_bin_start=("time", edges[:-1], {"units": "s"}),
        time_bin_end=("time", edges[1:], {"units": "s"}),
    )


def assemble(labels: xr.Dataset, parts: Sequence[tuple[int, Part]], grid: Grid, spiking: bool) -> xr.Dataset:
    """Return ``labels`` with what the neurons did.

    Parameters
    ----------
    labels
        From :func:`labels_of`.
    parts
        (first presentation, what :meth:`nrsim.neurons.job.Job.run` gave), in the order of presentations.
    grid
        The grid.
    spiking
        Whether there are spikes; else firing rates.
    """
    shape = (labels.sizes["stimulus"], labels.sizes["trial"], labels.sizes["neuron"])
    if spiking:
        return labels.assign(_spikes(parts, shape, grid, labels))
    rate = np.concatenate([part.firing_rate for _, part in parts], axis=1).T.reshape(*shape, grid.n_bins)
    return labels.assign(firing_rate=(("stimulus", "trial", "neuron", "time"), rate, {"units": "Hz"}))


def samples_of(record: Record, labels: xr.Dataset, grid: Grid) -> dict[str, tuple[Any, ...]]:
    """Return the coordinates of recorded state variables: of which neurons, and when."""
    steps = grid.bin_start + record.steps * np.arange(record.samples(grid))
    return {
        "recorded_neuron_id": ("recorded", labels["neuron_id"].values[record.neurons]),
        "sample_time": ("sample", (grid.start + steps * grid.dt).round(9), {"units": "s"}),
    }


def states_of(
    parts: Sequence[tuple[int, Part]], record: Record, model: Parameters, labels: xr.Dataset, grid: Grid
) -> xr.Dataset:
    """Return the recorded state variables ``(stimulus, trial, recorded, sample)``, in the model's units."""
    coordinates = samples_of(record, labels, grid)
    shape = (labels.sizes["stimulus"], labels.sizes["trial"], len(record.neurons), record.samples(grid))
    found = {}
    for name in record.names:
        value = np.concatenate([part.states[name] for _, part in parts], axis=1)
        unit = model.states[name]
        scale = SI[unit][1] if unit in SI else 1.0
        value = (value / np.float32(scale)).transpose(1, 2, 0).reshape(shape)
        found[name] = (("stimulus", "trial", "recorded", "sample"), value, {"units": unit})
    return xr.Dataset(found, coordinates)


def _spikes(
    parts: Sequence[tuple[int, Part]], shape: tuple[int, int, int], grid: Grid, labels: xr.Dataset
) -> dict[str, tuple[Any, ...]]:
    """Return counts and single spikes, from the step and element of each spike of each block."""
    step = np.concatenate([part.spike_step for _, part in parts]) - grid.bin_start
    element = np.concatenate([part.spike_element + first * shape[2] for first, part in parts])
    inside = (step >= 0) & (step < grid.n_bins * grid.steps_per_bin)
    if not inside.all():
        step, element = step[inside], element[inside]
    n, n_spikes = int(np.prod(shape)), len(step)
    # a counting sort: spikes come in order of time and leave in order of elements
    rows = sparse.coo_array((step, (element, np.arange(n_spikes))), shape=(n, n_spikes)).tocsr()
    step, each = rows.data, np.diff(rows.indptr)
    where = np.repeat(np.arange(n) * grid.n_bins, each)
    where += step // grid.steps_per_bin
    # bins are in order: what is counted is how long each stays the same, and the others are never touched
    begin = np.flatnonzero(np.diff(where, prepend=-1))
    counts = np.zeros(n * grid.n_bins, dtype=np.int16)
    counts[where[begin]] = np.diff(begin, append=n_spikes)
    named = {
        f"spike_{dim}": ("spike", np.repeat(labels[dim].values[index].astype(np.int32), each), {"units": "1"})
        for dim, index in zip(("stimulus", "trial", "neuron"), np.unravel_index(np.arange(n), shape), strict=True)
    }
    times = grid.start + (np.arange(grid.n_bins * grid.steps_per_bin) + grid.bin_start + 0.5) * grid.dt
    return {
        "spike_count": (("stimulus", "trial", "neuron", "time"), counts.reshape(*shape, grid.n_bins), {"units": "1"}),
        "spike_time": ("spike", times.round(9)[step], {"units": "s"}),
        **named,
    }
