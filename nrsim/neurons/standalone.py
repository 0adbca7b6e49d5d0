"""Brian2's C++ standalone target as a pure function: the project is built once, kept, and run on files.

A project's source holds the equations and the sizes, not the numbers: these are files that the program reads. It is
compiled once and kept by the hash of its source in ``$NRSIM_CACHE`` or ``$XDG_CACHE_HOME/nrsim`` or ``~/.cache/nrsim``;
each run executes it in a folder of its own.
"""

from __future__ import annotations

import gc
import hashlib
import math
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nrsim.neurons import brian
from nrsim.neurons.grid import Grid
from nrsim.neurons.parameters import Parameters
from nrsim.neurons.population import (
    Inputs,
    Part,
    Record,
    Report,
    build,
    chosen_elements,
    must_be_finite,
    spikes,
)

_DATA = ("static_arrays", "results")


def cache_folder() -> Path:
    """Return where compiled programs and stamps are kept."""
    own = os.environ.get("NRSIM_CACHE")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "nrsim"


def run(
    model: Parameters, inputs: Inputs, grid: Grid, record: Record | None, threads: int, report: Report = None
) -> Part:
    """Run one population as a compiled C++ program, with OpenMP where ``threads`` is more than 1.

    Raises
    ------
    RuntimeError
        If the program does not compile or fails, with its last words.
    ValueError
        If a state variable is not finite at the end.
    """
    gc.collect()  # names of code objects that are still alive would be numbered, and the source another
    with tempfile.TemporaryDirectory(prefix="nrsim-") as folder:
        project = Path(folder)
        with brian.guest("cpp_standalone", threads, folder) as brian2:
            device, files = _write(brian2, model, inputs, grid, record, project)
            program = _program(project, threads)
        part = _execute(program, project, files, model, inputs, grid, record)
    if report is not None:
        report(1.0)
    return part


def _write(
    brian2: ModuleType, model: Parameters, inputs: Inputs, grid: Grid, record: Record | None, project: Path
) -> tuple[Any, dict[str, tuple[str, Any]]]:
    """Write the project; return the device, and result → (file, dtype)."""
    device = brian2.get_device()
    group, values = build(brian2, model, inputs, grid)
    _fill(device, group, model, grid, values)
    wanted: dict[str, Any] = {name: group.variables[name] for name in group.equations.diff_eq_names}
    objects = []
    if model.spiking:
        monitor = brian2.SpikeMonitor(group, name="nrsim_spikes")
        wanted |= {"spike_t": monitor.variables["t"], "spike_i": monitor.variables["i"]}
    else:
        every = _every(grid, grid.steps_per_bin) * grid.dt * brian2.second
        monitor = brian2.StateMonitor(group, "total", record=True, dt=every, name="nrsim_totals")
        wanted["totals"] = monitor.variables["total"]
    objects.append(monitor)
    if record is not None:
        every = _every(grid, record.steps) * grid.dt * brian2.second
        chosen = chosen_elements(record, inputs.gain.shape)
        sampler = brian2.StateMonitor(group, list(record.names), record=chosen, dt=every, name="nrsim_samples")
        wanted |= {f"sample {name}": sampler.variables[name] for name in record.names}
        objects.append(sampler)
    network = brian2.Network(group, *objects, name="nrsim_network")
    # one step more, so that what is read at the start of a step is there for the end of the last
    network.run((grid.n_steps + 1) * grid.dt * brian2.second, namespace={})
    device.build(directory=str(project), compile=False, run=False, with_output=False)
    return device, {name: (device.get_array_filename(variable), variable.dtype) for name, variable in wanted.items()}


def _fill(device: Any, group: Any, model: Parameters, grid: Grid, values: dict[str, np.ndarray]) -> None:
    """Give the variables their values from files; a number in the source would be compiled again for every value."""
    single = {name: float(value) for name, value in values.items() if value.ndim == 0}
    if single:
        table = device.static_array("nrsim_constants", np.array([*single.values(), 0.0]))
        for k, name in enumerate(single):
            device.insert_code("main", f"{device.get_array_name(group.variables[name])}[0] = {table}[{k}];")
    for name, value in values.items():
        if value.ndim:
            variable = group.variables[name]
            variable.set_value(value.astype(variable.dtype))
    for name, text in model.plan(grid.dt).initial.items():
        setattr(group, name, text)


def _every(grid: Grid, steps: int) -> int:
    """Return the greatest step of a clock that starts at 0 and meets every one of the wanted steps."""
    return math.gcd(grid.warm_up + grid.bin_start, steps)


def _program(project: Path, threads: int) -> Path:
    """Return the compiled program of a project, from the cache or compiled now."""
    kept = cache_folder() / "cpp" / _hash(project, threads) / "main"
    if kept.exists():
        return kept
    kept.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=kept.parent.parent) as building:
        place = Path(building) / "project"
        shutil.copytree(project, place, ignore=shutil.ignore_patterns(*_DATA))
        jobs = f"-j{max(1, os.cpu_count() or 1)}"
        done = subprocess.run(["make", jobs], cwd=place, capture_output=True, text=True)
        if done.returncode or not (place / "main").exists():
            raise RuntimeError(f"the C++ program does not compile:\n{(done.stdout + done.stderr)[-3000:]}")
        ready = Path(building) / "ready"
        ready.mkdir()
        shutil.move(place / "main", ready / "main")
        try:
            ready.rename(kept.parent)
        except OSError:
            if not kept.exists():  # another process was first, or the disk is full
                raise
    return kept


def _hash(project: Path, threads: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(project.rglob("*")):
        inside = path.relative_to(project)
        if path.is_file() and inside.parts[0] not in _DATA:
            digest.update(f"{inside.as_posix()}\0".encode() + path.read_bytes())
    digest.update(f"{threads} {machine()}".encode())
    return digest.hexdigest()


def machine() -> str:
    """Return what code compiled for this machine depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    return f"{platform.system()} {platform.machine()} {flags}"


def _execute(
    program: Path,
    project: Path,
    files: dict[str, tuple[str, Any]],
    model: Parameters,
    inputs: Inputs,
    grid: Grid,
    record: Record | None,
) -> Part:
    results = project / "results"
    results.mkdir(exist_ok=True)
    # Threads that wait for each other by spinning take each other's time where the cores are busy: 10 s instead of 2
    calm = {"OMP_WAIT_POLICY": "passive", **os.environ}
    command = [str(program), "--results_dir", f"{results}{os.sep}"]
    done = subprocess.run(command, cwd=project, env=calm, capture_output=True, text=True)
    if done.returncode:
        said = (done.stdout + done.stderr)[-2000:] or "nothing"
        raise RuntimeError(f"the C++ program failed with code {done.returncode} and said: {said}")
    found = {name: np.fromfile(results / file, dtype=dtype) for name, (file, dtype) in files.items()}
    plain = {name: value for name, value in found.items() if not name.startswith(("spike_", "totals", "sample "))}
    must_be_finite(plain, grid.dt)
    skip = grid.warm_up + grid.bin_start
    states = {}
    if record is not None:
        every, n = _every(grid, record.steps), record.samples(grid)
        at = (skip + record.steps * np.arange(n)) // every
        shape = (-1, inputs.gain.shape[0], record.neurons.size)
        for name in record.names:
            states[name] = found[f"sample {name}"].reshape(shape)[at].astype(np.float32)
    if model.spiking:
        step, element = spikes(found["spike_t"], found["spike_i"], grid)
        inside = step < grid.n_steps - grid.warm_up
        return Part(step[inside], element[inside], states=states)
    every = _every(grid, grid.steps_per_bin)
    at = (skip + grid.steps_per_bin * np.arange(grid.n_bins + 1)) // every
    totals = found["totals"].reshape(-1, inputs.elements)[at]
    rates = (np.diff(totals, axis=0) / grid.steps_per_bin).astype(np.float32)
    return Part(firing_rate=rates, states=states)
