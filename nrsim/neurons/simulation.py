"""Simulate all stimuli, trials and neurons together."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim._version import __version__
from nrsim.errors import need
from nrsim.neurons import brian, targets
from nrsim.neurons.assembly import labels_of
from nrsim.neurons.grid import Grid, make_grid
from nrsim.neurons.job import Job
from nrsim.neurons.models import Neurons, neurons_of
from nrsim.neurons.parts import PartStore, load, merge, ranges
from nrsim.neurons.population import Part
from nrsim.neurons.recorded import record_of
from nrsim.neurons.variability import Variability, variability_of
from nrsim.neurons.workers import on_dask, on_this_machine
from nrsim.partial import on_disk
from nrsim.quantities import bare, whole
from nrsim.schema import check

# Neurons × presentations in one group when the user does not say: about 0.3 GB of state and buffers.
_ELEMENTS = 2_000_000
_BYTES_PER_ELEMENT = 150
# To a file one block at a time is enough, and a smaller one keeps fewer spikes in memory.
_ELEMENTS_TO_FILE = 500_000
# Guess at the rate of spikes for the forecast of memory, in Hz, and the bytes that one spike takes while it is read
# and sorted (measured: 100 to 140).
_FORECAST_HZ = 20.0
_BYTES_PER_SPIKE = 120


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
    workers: int = 1,
    scheduler: str | None = None,
    out: str | os.PathLike[str] | None = None,
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
        2,000,000 neurons × presentations, 500,000 with ``out``: about 150 bytes each, and 120 bytes a spike. With
        several workers at most a quarter of a worker's share.
    workers
        So many processes on this machine. Default 1: this one. Each takes 2 s to start.
    scheduler
        Address of a Dask scheduler, ``"tcp://host:8786"``, whose workers compute instead; they must have the same
        version of nrsim.
    out
        A name that ends in ``.zarr`` or ``.nc``, where the recording is written. Each block is kept as soon as it is
        done, in a hidden folder beside it, and the same call goes on after an interruption; the recording is whole or
        absent. ``.zarr`` never holds all in memory. It comes back opened, its values still on disk.
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
    trials, seed, workers = whole(trials, "trials", low=1), whole(seed, "seed"), whole(workers, "workers", low=1)
    if scheduler is not None and workers > 1:
        raise need("workers on this machine or a scheduler", "both", "A scheduler has workers of its own")
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
    used = _left_target(out) if target == "auto" and out is not None else None
    used = used or targets.choose_target(
        target, size, target == "auto" and targets.is_warm(model, grid), neurons.standalone
    )
    threads = targets.threads_of(used) if workers == 1 and scheduler is None else 1
    if block is None:
        per_block = max(1, (_ELEMENTS if out is None else _ELEMENTS_TO_FILE) // n_neurons)
        if workers > 1 or scheduler is not None:
            shares = 256 if scheduler is not None else 4 * max(workers, 4)
            per_block = min(per_block, max(1, -(-presentations // shares)))
    else:
        per_block = whole(block, "block", low=1)
    per_block = min(per_block, presentations)
    _fits_memory(drive, trials, grid, neurons.spiking, per_block * n_neurons * workers, out is not None)
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
    store = None if out is None else PartStore(out, job, _made_from(job, drive, settings))
    labels = labels_of(drive, trials, grid).assign_coords(neurons.labels(seed, neuron_ids))

    def stamped(dataset: xr.Dataset) -> xr.Dataset:
        return provenance.stamp(
            dataset,
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

    with tqdm(total=presentations, unit="presentation", desc="simulate", disable=None if progress else True) as bar:
        if store is None:
            whole_job = ranges([(0, presentations)], per_block)
            parts = _collected(job, whole_job, workers, scheduler, bar)
            return check(stamped(merge(labels, parts, job)), "Recording")
        with store:
            missing = store.resume()
            bar.update(presentations - sum(last - first for first, last in missing))
            _kept(job, ranges(missing, per_block), workers, scheduler, store, bar)
            recording = store.finish(stamped(labels))
    check(recording.isel(stimulus=[0]).drop_dims("spike", errors="ignore"), "Recording")  # not all of the file is read
    return recording


def _collected(
    job: Job, wanted: list[tuple[int, int]], workers: int, scheduler: str | None, bar: tqdm
) -> list[tuple[int, Part]]:
    """Return the parts (first presentation, part) in order."""
    if scheduler is not None:
        found = []
        for first, last, part in on_dask(job, wanted, scheduler):
            found.append((first, part))
            bar.update(last - first)
        return sorted(found, key=lambda one: one[0])
    if workers > 1:
        with tempfile.TemporaryDirectory(prefix="nrsim-parts-") as folder:
            place = Path(folder)
            for first, last in on_this_machine(job, wanted, workers, place):
                bar.update(last - first)
            return [(first, load(place / f"part-{first}-{last}.npz")) for first, last in wanted]
    return [(first, job.run(first, last, _reporter(bar, first, last - first))) for first, last in wanted]


def _kept(
    job: Job, wanted: list[tuple[int, int]], workers: int, scheduler: str | None, store: PartStore, bar: tqdm
) -> None:
    """Compute parts into the store, each kept as soon as it is done."""
    if not wanted:
        return
    if scheduler is not None:
        for first, last, part in on_dask(job, wanted, scheduler):
            store.add(first, last, part)
            bar.update(last - first)
    elif workers > 1:
        with on_disk(store.target):
            for first, last in on_this_machine(job, wanted, workers, store.place):
                bar.update(last - first)
    else:
        for first, last in wanted:
            before = int(bar.n)
            store.add(first, last, job.run(first, last, _reporter(bar, before, last - first)))


def _made_from(job: Job, drive: xr.Dataset, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what a recording is of, part by part."""
    return {
        "drive": hashlib.sha256(np.ascontiguousarray(job.current).tobytes()).hexdigest(),
        "labels": provenance.labels_hash(drive),
        "settings": provenance.as_json(settings),
        "seed": job.seed,
        "grid": provenance.as_json(asdict(job.grid)),
        "target": job.target,
        "version of nrsim": __version__,
        "version of Brian2": brian.version(),
    }


def _left_target(out: str | os.PathLike[str]) -> str | None:
    """Return the target of an interrupted run that is to be gone on with, so that it does not change half-way."""
    try:
        target = Path(out)
        text = (target.with_name(f".{target.name}.partial") / "made_from.json").read_text(encoding="utf-8")
        found = json.loads(text)["made_from"]["target"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(found) if found in targets.TARGETS else None


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


def _fits_memory(drive: xr.Dataset, trials: int, grid: Grid, spiking: bool, elements: int, to_file: bool) -> None:
    repeats = drive.sizes["stimulus"] * trials * drive.sizes["neuron"]
    each = grid.n_bins * (2 if spiking else 8)
    if spiking:
        each += int(grid.n_rows * grid.steps_per_row * grid.dt * _FORECAST_HZ * _BYTES_PER_SPIKE)
    result = each * (elements if to_file else repeats)
    needed = result + 24 * drive["current"].size + _BYTES_PER_ELEMENT * elements
    have = _memory()
    if have is not None and needed > have:
        raise need(
            f"about {needed / 1e9:.1f} GB of memory for {drive.sizes['stimulus']} stimuli × {trials} trials × "
            f"{drive.sizes['neuron']} neurons × {grid.n_bins} bins",
            f"{have / 1e9:.1f} GB",
            "Write to a file (out='….zarr'), use a smaller block or fewer workers, wider bins, or fewer trials",
            kind=MemoryError,
        )
