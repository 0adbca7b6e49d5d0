"""Simulate all stimuli, trials and neurons together."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim.errors import need
from nrsim.neurons import brian, targets
from nrsim.neurons.assembly import assemble, labels_of, states_of
from nrsim.neurons.grid import Grid, make_grid
from nrsim.neurons.job import Job
from nrsim.neurons.models import Neurons, neurons_of
from nrsim.neurons.recorded import record_of
from nrsim.neurons.variability import Variability, variability_of
from nrsim.quantities import bare, whole
from nrsim.schema import check

# Neurons × presentations in one group when the user does not say: about 0.3 GB of state and buffers.
_ELEMENTS = 2_000_000
_BYTES_PER_ELEMENT = 150
# Guess at the rate of spikes for the forecast of memory, in Hz, and what one stored spike takes while being sorted.
_FORECAST_HZ = 20.0
_BYTES_PER_SPIKE = 60


def simulate(
    drive: xr.Dataset,
    neurons: Neurons,
    *,
    trials: int,
    seed: int,
    bin: Any = 0.01,  # noqa: A002
    dt: Any = 0.001,
    variability: str | Variability = "AM",
    warm_up: Any = 0.1,
    record: Any = None,
    record_step: Any = None,
    target: str = "auto",
    block: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate every stimulus, trial and neuron, in one Brian2 group.

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
    variability
        What differs between trials and neurons besides the noise of the membrane: ``"AM"`` (like neurons of face patch
        AM, the default), ``"none"``, or :class:`nrsim.Variability`.
    warm_up
        Time simulated before the drive begins, under its first value, and thrown away, in s. Default 0.1, chosen.
    record
        State variables to keep, as the model names them (``"v"``): one, or several in a list, of all neurons; or a
        mapping from each to the ``neuron_id`` wanted, such as ``{"v": ["norm-happy"]}`` (with several, each is kept of
        all the neurons named).
    record_step
        Time between samples of ``record``, in s; a multiple of ``dt``. Default: ``bin``.
    target
        Brian2's code target. ``"numpy"`` needs no compiler; ``"cython"`` compiles for about 15 s when its cache is
        cold; ``"cpp_standalone"`` compiles a program for about 5 s, once for each model and size, and runs it on all
        cores (one in a worker process). For :class:`nrsim.LIF` and :class:`nrsim.AdaptiveLIF` all give the same spikes,
        for other models the same in distribution. ``"auto"``: the last from 2 · 10⁹ neuron-steps (stimuli × trials
        × neurons × steps), ``"cython"`` from 5 · 10⁷ if it is compiled already, else ``"numpy"``. What was used stands
        in the attributes ``code_target`` and ``threads``.
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
        this order. Rate units: ``firing_rate (stimulus, trial, neuron, time)`` in Hz, the mean over each bin. With
        ``record``, also the state variables ``(stimulus, trial, recorded, sample)`` at ``sample_time``, of the neurons
        ``recorded_neuron_id``. Parameters that vary from neuron to neuron are labels along ``neuron``.

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
        "variability": variability_of(variability),
        "warm_up": bare(warm_up, "s", "warm_up", low=0.0),
        "record": record,
        "record_step": None if record_step is None else bare(record_step, "s", "record_step", above=0.0),
    }
    if not drive["current"].size:
        raise need("a drive of at least one stimulus, neuron and time", f"the sizes {dict(drive.sizes)}")
    neuron_ids = drive["neuron_id"].values
    model = neurons.resolved(seed, neuron_ids)
    model.check(settings["dt"])
    grid = make_grid(drive["time"].values, settings["dt"], settings["bin"], settings["warm_up"])
    presentations, n_neurons = drive.sizes["stimulus"] * trials, drive.sizes["neuron"]
    kept = record_of(record, settings["record_step"], neurons, neuron_ids, grid)
    size = presentations * n_neurons * grid.n_steps
    used = targets.choose_target(target, size, target == "auto" and targets.is_warm(model, grid))
    threads = targets.threads_of(used)
    per_block = max(1, _ELEMENTS // n_neurons) if block is None else whole(block, "block", low=1)
    per_block = min(per_block, presentations)
    _fits_memory(drive, trials, grid, neurons.spiking, per_block * n_neurons)
    job = Job(
        drive["current"].values,
        drive["stimulus_id"].values,
        neuron_ids,
        neurons,
        trials,
        seed,
        settings["variability"],
        grid,
        used,
        kept,
        per_block,
        threads,
    )
    parts = []
    with tqdm(total=presentations, unit="presentation", desc="simulate", disable=None if progress else True) as bar:
        for first in range(0, presentations, per_block):
            last = min(first + per_block, presentations)
            parts.append((first, job.run(first, last, _reporter(bar, first, last - first))))
    labels = labels_of(drive, trials, grid).assign_coords(neurons.labels(seed, neuron_ids))
    recording = assemble(labels, parts, grid, neurons.spiking)
    if kept is not None:
        recording = recording.assign(states_of(parts, kept, neurons, labels, grid))
    stamped = provenance.stamp(
        recording,
        "Recording",
        "simulate",
        settings,
        parents=[drive],
        seed=seed,
        simultaneous=1,
        brian2_version=brian.version(),
        code_target=used,
        threads=threads,
        **{name: drive.attrs[name] for name in ("stimulus_onset", "stimulus_duration") if name in drive.attrs},
    )
    return check(stamped, "Recording")


def _reporter(bar: tqdm, first: int, n: int) -> Callable[[float], None]:
    """Return what moves ``bar`` to the fraction done of the ``n`` presentations from ``first``."""

    def report(fraction: float) -> None:
        bar.update(round(first + fraction * n) - bar.n)

    return report


def _memory() -> int | None:
    """Return this machine's memory in bytes, None where it cannot be told."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _fits_memory(drive: xr.Dataset, trials: int, grid: Grid, spiking: bool, elements: int) -> None:
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
