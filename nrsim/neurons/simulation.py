"""Simulate all stimuli, trials and neurons together."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim.errors import need
from nrsim.neurons import brian
from nrsim.neurons.models import Neurons, neurons_of
from nrsim.neurons.noise import GAIN_STEP, START_STEP, element_keys, normal, presentation_keys
from nrsim.quantities import bare, whole
from nrsim.schema import check
from nrsim.seeds import keys as label_keys

# Neurons × presentations in one group when the user does not say: about 0.3 GB of state and buffers.
_ELEMENTS = 2_000_000
_BYTES_PER_ELEMENT = 150
# Guess at the rate of spikes for the forecast of memory, in Hz, and what one stored spike takes while being sorted.
_FORECAST_HZ = 20.0
_BYTES_PER_SPIKE = 60


@dataclass(frozen=True)
class _Grid:
    """Time in whole steps: the drive's grid, the simulation's, and the bins'."""

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
        steps = self.bin_start + np.arange(self.n_bins + 1) * self.steps_per_bin
        return (self.start + steps * self.dt).round(9)


def simulate(
    drive: xr.Dataset,
    neurons: Neurons,
    *,
    trials: int,
    seed: int,
    bin: Any = 0.01,  # noqa: A002
    dt: Any = 0.001,
    gain_sd: float = 0.3,
    shared_gain_sd: float = 0.0,
    latency_sd: Any = 0.012,
    warm_up: Any = 0.1,
    target: str = "auto",
    block: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    r"""Simulate every stimulus, trial and neuron, in one Brian2 group.

    On every trial a neuron's current is multiplied by a gain of its own,

    .. math::

        G = e^{\sigma_p z_p - \sigma_p^2 / 2}\; e^{\sigma_s z_s - \sigma_s^2 / 2}

    with standard normal z; z_p belongs to one neuron and trial, z_s to one trial and all its neurons. With the noise
    of the membrane this makes the Fano factor grow with the mean count, as in face patch AM (1.03 at 0.2 spikes in
    300 ms, 1.2 at 2, 1.4 at 4.5, 2.5 at 10.7; Freiwald & Tsao 2010, recordings). Neurons also differ in latency.

    Noise, gains and latencies are functions of the seed, ``stimulus_id``, trial, ``neuron_id`` and time step. What a
    neuron does in a trial therefore depends neither on which other stimuli, trials or neurons are simulated, nor on
    their order, nor on ``block``.

    Parameters
    ----------
    drive
        A Drive: ``current (stimulus, neuron, time)`` in nA, at even times, each value held until the next.
    neurons
        The model: :class:`nrsim.AdaptiveLIF` or :class:`nrsim.RateUnits`.
    trials
        Repeats of each stimulus, at least 1.
    seed
        A whole number. The same seed gives the same recording.
    bin
        Width of the bins of counts, in s; a multiple of ``dt``. Bin edges are aligned to time 0. Bins that the drive
        does not cover whole are left out, their spikes too. Default 0.01, chosen.
    dt
        Time step, in s; the drive's own step must be a multiple of it. Default 0.001, chosen: firing rates of the
        default neurons are then within 2.5 % of those at 0.0001 up to 30 Hz (measured).
    gain_sd
        σ_p, the standard deviation of the logarithm of the private gain. Default 0.3, chosen to give AM's Fano
        factors.
    shared_gain_sd
        σ_s, the same for the gain that all neurons share in a trial. Default 0: off, because AM's neurons were not
        recorded together.
    latency_sd
        Standard deviation across neurons of a delay of the whole drive, in s, cut at two standard deviations and
        rounded to the drive's step. Default 0.012, chosen (AM's latencies have quartiles 97 and 142 ms, in which the
        error of measuring them is included); 0 turns it off.
    warm_up
        Time simulated before the drive begins, under its first value, and thrown away, in s. Default 0.1, chosen.
    target
        Brian2's code target. ``"numpy"`` needs no compiler; ``"cython"`` compiles, 10 to 20 s when its cache is cold,
        and gives the same spikes. ``"auto"``: ``"cython"`` if the job has at least 2 · 10⁹ neuron-steps
        (stimuli × trials × neurons × steps) and a C++ compiler is there, so that compiling pays, else ``"numpy"``.
    block
        At most so many presentations (a stimulus in a trial) in one Brian2 group. Default: as many as make
        2,000,000 neurons × presentations, about 0.3 GB.
    progress
        Whether to show progress; quiet when not on a terminal.

    Returns
    -------
    Recording
        Spiking neurons: ``spike_count (stimulus, trial, neuron, time)`` int16 and each spike as ``spike_time (spike)``
        (the middle of its step, s after stimulus onset) with ``spike_stimulus, spike_trial, spike_neuron``, sorted in
        this order. Rate units: ``firing_rate (stimulus, trial, neuron, time)`` in Hz, the mean over each bin.

    Raises
    ------
    SchemaError
        If ``drive`` is no Drive or holds NaN.
    TypeError, ValueError
        If a parameter is out of range, the grids of ``dt``, ``bin`` and drive do not fit, ``dt`` is longer than the
        refractory period or a time constant, or the target is unknown.
    MemoryError
        If the recording would not fit into memory, before anything is computed.
    KeyboardInterrupt
        If interrupted; there is no half recording.

    Examples
    --------
    >>> import nrsim as nr
    >>> recording = nr.simulate(nr.example("Drive"), nr.AdaptiveLIF(), trials=2, seed=1)
    >>> recording["spike_count"].dims
    ('stimulus', 'trial', 'neuron', 'time')
    """
    check(drive, "Drive")
    neurons = neurons_of(neurons)
    trials, seed = whole(trials, "trials", low=1), whole(seed, "seed")
    settings: dict[str, Any] = {
        "neurons": neurons,
        "trials": trials,
        "bin": bare(bin, "s", "bin", above=0.0),
        "dt": bare(dt, "s", "dt", above=0.0),
        "gain_sd": bare(gain_sd, "1", "gain_sd", low=0.0),
        "shared_gain_sd": bare(shared_gain_sd, "1", "shared_gain_sd", low=0.0),
        "latency_sd": bare(latency_sd, "s", "latency_sd", low=0.0),
        "warm_up": bare(warm_up, "s", "warm_up", low=0.0),
    }
    neurons.constants(settings["dt"])
    if not drive["current"].size:
        raise need("a drive of at least one stimulus, neuron and time", f"the sizes {dict(drive.sizes)}")
    grid = _grid(drive["time"].values, settings["dt"], settings["bin"], settings["warm_up"])
    n_stimuli, n_neurons = drive.sizes["stimulus"], drive.sizes["neuron"]
    elements = n_stimuli * trials * n_neurons
    used = brian.choose_target(target, elements * (grid.warm_up + grid.n_rows * grid.steps_per_row))
    per_block = max(1, _ELEMENTS // max(n_neurons, 1)) if block is None else whole(block, "block", low=1)
    per_block = min(per_block, n_stimuli * trials)
    _fits_memory(drive, trials, grid, neurons.spiking, per_block * n_neurons)

    neuron_ids = drive["neuron_id"].values
    current = _delayed(drive["current"].values, _delays(neuron_ids, seed, settings["latency_sd"], grid))
    rows = np.ascontiguousarray(current.transpose(2, 0, 1).reshape(grid.n_rows, -1), dtype=np.float64)
    presentations = presentation_keys(seed, drive["stimulus_id"].values, np.arange(trials)).ravel()
    shared = settings["shared_gain_sd"] * normal(presentations, GAIN_STEP) - settings["shared_gain_sd"] ** 2 / 2

    parts = []
    with (
        brian.guest(used) as brian2,
        tqdm(total=n_stimuli * trials, unit="presentation", desc="simulate", disable=None if progress else True) as bar,
    ):
        for first in range(0, n_stimuli * trials, per_block):
            here = np.arange(first, min(first + per_block, n_stimuli * trials))
            keys = element_keys(seed, presentations[here], neuron_ids)
            private = settings["gain_sd"] * normal(keys, GAIN_STEP) - settings["gain_sd"] ** 2 / 2
            column = (here // trials)[:, None] * n_neurons + np.arange(n_neurons)
            parts.append(
                brian.run(
                    brian2,
                    neurons,
                    rows,
                    column.ravel(),
                    keys.ravel(),
                    np.exp(private + shared[here, None]).ravel(),
                    start=normal(keys, START_STEP).ravel(),
                    dt=grid.dt,
                    steps_per_row=grid.steps_per_row,
                    warm_up=grid.warm_up,
                    bin_start=grid.bin_start,
                    steps_per_bin=grid.steps_per_bin,
                    n_bins=grid.n_bins,
                    report=_reporter(bar, first, len(here)),
                )
            )
        version = brian2.__version__

    shape = (n_stimuli, trials, n_neurons)
    recording = _labels(drive, trials, grid)
    if neurons.spiking:
        recording = recording.assign(_spikes(parts, per_block, shape, grid, recording))
    else:
        rate = np.concatenate(parts, axis=1).T.reshape(*shape, grid.n_bins)
        recording["firing_rate"] = (("stimulus", "trial", "neuron", "time"), rate, {"units": "Hz"})
    stamped = provenance.stamp(
        recording,
        "Recording",
        "simulate",
        settings,
        parents=[drive],
        seed=seed,
        simultaneous=1,
        brian2_version=str(version),
        code_target=used,
        **{name: drive.attrs[name] for name in ("stimulus_onset", "stimulus_duration") if name in drive.attrs},
    )
    return check(stamped, "Recording")


def _reporter(bar: tqdm, first: int, n: int) -> Callable[[float], None]:
    """Return what moves ``bar`` to the fraction done of the ``n`` presentations from ``first``."""

    def report(fraction: float) -> None:
        bar.update(round(first + fraction * n) - bar.n)

    return report


def _ratio(whole_part: float, part: float) -> int:
    """Return how often ``part`` fits into ``whole_part``, 0 if not a whole number of times (to 1e-6)."""
    times = whole_part / part
    return round(times) if abs(times - round(times)) < 1e-6 * max(1.0, times) else 0


def _grid(time: np.ndarray, dt: float, width: float, warm_up: float) -> _Grid:
    if len(time) < 2:
        raise need("a drive of at least two times", f"{len(time)}")
    row = float(time[-1] - time[0]) / (len(time) - 1)
    if row <= 0 or not np.allclose(np.diff(time), row, rtol=1e-3, atol=0):
        raise need(
            "a drive at even times that increase", f"steps from {np.diff(time).min():g} to {np.diff(time).max():g} s"
        )
    row, start = round(row, 9), round(float(time[0]), 9)
    steps_per_row, steps_per_bin = _ratio(row, dt), _ratio(width, dt)
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
    return _Grid(dt, start, steps_per_row, len(time), round(warm_up / dt), bin_start, steps_per_bin, n_bins)


def _delays(neuron_ids: np.ndarray, seed: int, latency_sd: float, grid: _Grid) -> np.ndarray:
    """Return the delay of each neuron ``(neuron,)`` in rows of the drive."""
    scatter = np.clip(normal(label_keys(seed, "latency", neuron_ids), 0), -2.0, 2.0) * latency_sd
    return np.rint(scatter / (grid.dt * grid.steps_per_row)).astype(int)


def _delayed(current: np.ndarray, delays: np.ndarray) -> np.ndarray:
    """Return ``current (stimulus, neuron, time)`` with each neuron's delayed; its first or last value fills the gap."""
    n = current.shape[-1]
    source = np.clip(np.arange(n) - delays[:, None], 0, n - 1)
    return np.take_along_axis(current, np.broadcast_to(source, current.shape), axis=-1)


def _memory() -> int | None:
    """Return this machine's memory in bytes, None where it cannot be told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _fits_memory(drive: xr.Dataset, trials: int, grid: _Grid, spiking: bool, elements: int) -> None:
    repeats = drive.sizes["stimulus"] * trials * drive.sizes["neuron"]
    result = repeats * grid.n_bins * (2 if spiking else 8)
    if spiking:
        seconds = grid.n_rows * grid.steps_per_row * grid.dt
        result += int(repeats * seconds * _FORECAST_HZ * _BYTES_PER_SPIKE)
    needed = result + 24 * drive["current"].size + _BYTES_PER_ELEMENT * elements
    have = _memory()
    if have is not None and needed > have:
        raise need(
            f"about {needed / 1e9:.1f} GB of memory for {drive.sizes['stimulus']} stimuli × {trials} trials × "
            f"{drive.sizes['neuron']} neurons × {grid.n_bins} bins",
            f"{have / 1e9:.1f} GB",
            "Simulate fewer stimuli or trials at a time, use wider bins or a smaller block",
            kind=MemoryError,
        )


def _labels(drive: xr.Dataset, trials: int, grid: _Grid) -> xr.Dataset:
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


def _spikes(
    parts: list[Any], per_block: int, shape: tuple[int, int, int], grid: _Grid, labels: xr.Dataset
) -> dict[str, tuple[Any, ...]]:
    """Return counts and single spikes, from the step and element of each spike of each block."""
    step = np.concatenate([part[0] for part in parts]) - grid.bin_start
    element = np.concatenate([part[1] + k * per_block * shape[2] for k, part in enumerate(parts)])
    inside = (step >= 0) & (step < grid.n_bins * grid.steps_per_bin)
    step, element = step[inside], element[inside]
    order = np.argsort(element, kind="stable")
    step, element = step[order], element[order]
    size = int(np.prod(shape)) * grid.n_bins
    counts = np.bincount(element * grid.n_bins + step // grid.steps_per_bin, minlength=size).astype(np.int16)
    where = np.unravel_index(element, shape)
    named = {
        f"spike_{dim}": ("spike", labels[dim].values[index].astype(np.int32), {"units": "1"})
        for dim, index in zip(("stimulus", "trial", "neuron"), where, strict=True)
    }
    time = (grid.start + (step + grid.bin_start + 0.5) * grid.dt).round(9)
    return {
        "spike_count": (("stimulus", "trial", "neuron", "time"), counts.reshape(*shape, grid.n_bins), {"units": "1"}),
        "spike_time": ("spike", time, {"units": "s"}),
        **named,
    }
