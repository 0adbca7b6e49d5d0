"""How fast neurons are simulated, beside a loop of Brian2 runs and a hand-tuned Numba loop; and what a recording costs.

python benchmarks/bench_neurons.py --out benchmarks/results/neurons.md
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import xarray as xr

import nrsim as nr
from nrsim import provenance
from nrsim.neurons import brian
from nrsim.neurons.grid import make_grid
from nrsim.neurons.job import Job
from nrsim.neurons.noise import element_keys, presentation_keys, quantile_table
from nrsim.neurons.variability import PRESETS

ABOUT = """\
Written by `python benchmarks/bench_neurons.py`. Leaky integrate-and-fire neurons (τ 20 ms, noise, 2 ms refractory), the
drive in steps of 1 ms, all stimuli × trials × neurons. All contestants take turns, {rounds} rounds; a ratio is that
of two times of one round, the median over rounds (least and greatest in brackets). Compilation is not in the times.
"Loop of run()" is what one writes first: one network, restored and run for every stimulus and trial, its spikes read;
{naive} runs a round are timed, and the time multiplied (a run does not depend on which it is). "Numba" is a
loop over neurons with the state in registers and the same noise as nrsim's: a lower bound for one thread. "Bare" is
Brian2's part of nrsim alone, its spikes read as arrays; the other rows give the labelled recording.
"""


def drive_of(stimuli: int, neurons: int, seconds: float = 0.5) -> xr.Dataset:
    """Return a Drive in steps of 1 ms: a transient and a sustained part, of another strength in every pair."""
    time_ = (np.arange(round(seconds / 0.001)) * 0.001).round(9)
    since = np.clip(time_ - 0.1, 0.0, None)
    course = (1 - np.exp(-since / 0.02)) * (0.6 + 0.4 * np.exp(-since / 0.1))
    strength = np.random.default_rng(1).gamma(4.0, 0.05, (stimuli, neurons, 1))
    data = xr.Dataset(
        {"current": (("stimulus", "neuron", "time"), 0.05 + strength * course, {"units": "nA"})},
        {
            "stimulus_id": ("stimulus", [f"stimulus-{i}" for i in range(stimuli)]),
            "neuron_id": ("neuron", [f"neuron-{i}" for i in range(neurons)]),
            "time": ("time", time_, {"units": "s"}),
        },
    )
    return provenance.stamp(data, "Drive", "bench", stimulus_onset=0.0, stimulus_duration=seconds)


def job_of(drive: xr.Dataset, trials: int, target: str, threads: int = 1) -> Job:
    """Return the job that nr.simulate would run."""
    grid = make_grid(drive["time"].values, 0.0005, 0.01, 0.0)
    n = drive.sizes["stimulus"] * trials
    ids = drive["stimulus_id"].values, drive["neuron_id"].values
    still = PRESETS["none"]
    return Job(drive["current"].values, *ids, nr.LIF(), trials, 1, still, grid, target, None, n, threads)


def loop_of_runs(drive: xr.Dataset, trials: int, target: str, runs: int) -> float:
    """Return the seconds that a loop of Brian2 runs over all presentations takes, from ``runs`` of them."""
    with brian.guest(target):
        from brian2 import Network, NeuronGroup, SpikeMonitor, TimedArray, ms, nA, second

        current = drive["current"].values
        stimulus = TimedArray(np.ascontiguousarray(current[0].T) * nA, dt=1 * ms, name="bench_stimulus")
        group = NeuronGroup(
            current.shape[1],
            "dv/dt = (bench_stimulus(t, i) - v)/tau + sigma*sqrt(2/tau)*xi : amp (unless refractory)",
            threshold="v > 0.15*nA",
            reset="v = 0*nA",
            refractory=2 * ms,
            method="euler",
            dt=0.5 * ms,
            namespace={"tau": 20 * ms, "sigma": 0.05 * nA, "nA": nA, "bench_stimulus": stimulus},
            name="bench_group",
        )
        monitor = SpikeMonitor(group, name="bench_spikes")
        network = Network(group, monitor, name="bench_network")
        network.run(1 * ms, namespace={})
        network.store()
        began = time.perf_counter()
        for run in range(runs):
            network.restore()
            stimulus.values[:] = current[run % len(current)].T * 1e-9
            network.run(0.5 * second, namespace={})
            np.array(monitor.i), np.array(monitor.t)
        return (time.perf_counter() - began) / runs * current.shape[0] * trials


def numba_loop() -> Callable[..., np.ndarray] | None:
    """Return the hand-tuned loop, compiled; None without Numba."""
    try:
        import numba
    except ImportError:
        return None

    @numba.njit(cache=False, fastmath=True)
    def run(drive, trials, steps, per_row, keep, admit, spread, threshold, hold, keys, table, counts, per_bin):
        n_stimuli, n_neurons, _ = drive.shape
        for element in range(keys.size):
            stimulus, neuron = element // (trials * n_neurons), element % n_neurons
            v, until, key = 0.0, 0, keys[element]
            z = numba.uint64(0)
            for step in range(steps):
                if step & 3 == 0:
                    z = key + numba.uint64((step >> 2) + 1) * numba.uint64(0x9E3779B97F4A7C15)
                    z = (z ^ (z >> numba.uint64(30))) * numba.uint64(0xBF58476D1CE4E5B9)
                    z = (z ^ (z >> numba.uint64(27))) * numba.uint64(0x94D049BB133111EB)
                    z = z ^ (z >> numba.uint64(31))
                if step >= until:
                    noise = table[(z >> numba.uint64(16 * (step & 3))) & numba.uint64(0xFFFF)]
                    v = keep * v + admit * drive[stimulus, neuron, step // per_row] + spread * noise
                    if v >= threshold:
                        v = 0.0
                        until = step + hold
                        counts[element, step // per_bin] += 1
        return counts

    return run


def numba_time(loop: Callable[..., np.ndarray], drive: xr.Dataset, trials: int) -> tuple[float, int]:
    """Return seconds and spikes of the hand-tuned loop."""
    model, dt = nr.LIF(), 0.0005
    keep = float(np.exp(-dt / 0.02))
    current = drive["current"].values
    presentations = presentation_keys(1, drive["stimulus_id"].values, np.arange(trials)).ravel()
    keys = element_keys(1, presentations, drive["neuron_id"].values).ravel()
    steps = 2 * current.shape[2]
    counts = np.zeros((keys.size, steps // 20), dtype=np.uint8)
    spread = float(model.noise * np.sqrt(1 - keep**2))
    began = time.perf_counter()
    loop(
        current,
        trials,
        steps,
        2,
        keep,
        1 - keep,
        spread,
        float(model.threshold_at(dt)),
        4,
        keys,
        quantile_table(),
        counts,
        20,
    )
    return time.perf_counter() - began, int(counts.sum())


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


MEMORY = """
import sys
sys.path.insert(0, {here!r})
import bench_neurons as b, nrsim as nr
from nrsim.neurons import brian
brian.load()
drive = b.drive_of({stimuli}, {neurons})
nr.simulate(drive.isel(stimulus=[0], neuron=[0]), nr.LIF(), trials=1, seed=1, target="numpy")
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
import time
t = time.perf_counter()
run = nr.simulate(
    drive, nr.LIF(), trials={trials}, seed=1, dt=0.0005, variability="none", warm_up=0, target={target!r}, out={out}
)
t = time.perf_counter() - t
after = peak()
print(before / 1024, after / 1024, run.sizes["spike"], t)
"""


def memory(stimuli: int, neurons: int, trials: int, target: str, to_file: bool) -> tuple[float, float, int, float]:
    """Return MB before and at the peak, spikes and seconds of one run in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = repr(str(Path(folder) / "run.zarr")) if to_file else "None"
        script = MEMORY.format(
            here=str(Path(__file__).parent), stimuli=stimuli, neurons=neurons, trials=trials, target=target, out=out
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    before, after, spikes, seconds = done.stdout.split()
    return float(before), float(after), int(spikes), float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="file for the tables (default: print them)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a small job, two rounds, NumPy alone")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    stimuli, trials, neurons, naive = (4, 3, 20, 2) if arguments.quick else (60, 20, 200, 10)
    rounds = 2 if arguments.quick else arguments.rounds
    drive = drive_of(stimuli, neurons)
    steps = stimuli * trials * neurons * 1000
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    kinds = ["numpy"] if arguments.quick else ["numpy", "cython", "cpp_standalone"]
    loop = None if arguments.quick else numba_loop()

    def simulated(target: str) -> Callable[[], object]:
        return lambda: nr.simulate(
            drive, nr.LIF(), trials=trials, seed=1, dt=0.0005, variability="none", warm_up=0.0, target=target
        )

    contestants: dict[str, Callable[[], float]] = {}
    for target in kinds:
        job = job_of(drive, trials, target)
        threads = f", {cores} threads" if target == "cpp_standalone" else ""
        contestants[f"nrsim, {target}{threads}"] = lambda target=target: timed(simulated(target))
        contestants[f"bare, {target}, 1 thread"] = lambda job=job: timed(lambda: job.run(0, job.n_presentations))
    for target in kinds[:2]:
        contestants[f"loop of run(), {target}"] = lambda target=target: loop_of_runs(drive, trials, target, naive)
    if loop is not None:
        contestants["Numba, 1 thread"] = lambda: numba_time(loop, drive, trials)[0]
    for call in contestants.values():
        call()  # compiles, and fills caches
    times = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            times[name].append(contestants[name]())
    found = {name: np.array(values) for name, values in times.items()}

    lines = ["# Neurons", "", ABOUT.format(rounds=rounds, naive=naive)]
    lines += [
        f"{datetime.date.today().isoformat()}, {cores} cores ({platform.machine()}), "
        f"Python {platform.python_version()}, Brian2 {version('brian2')}, NumPy {version('numpy')}: "
        f"{neurons} neurons × {stimuli} stimuli × {trials} trials × 500 ms, dt 0.5 ms.",
        "",
    ]

    def ratio(a: str, b: str) -> str:
        each = found[a] / found[b]
        return f"{np.median(each):.3g} [{each.min():.3g}, {each.max():.3g}]"

    others = [name for name in names if name.startswith(("loop", "Numba"))]
    lines.append("| | s, least | ns a neuron-step | " + " | ".join(f"{name} is slower by" for name in others) + " |")
    lines.append("|---|---|---|" + "---|" * len(others))
    for name in names:
        least = found[name].min()
        cells = [ratio(other, name) for other in others]
        lines.append(f"| {name} | {least:.2f} | {least / steps * 1e9:.2f} | " + " | ".join(cells) + " |")
    lines += ["", "What the recording costs (labels, counts, sorted spikes) over Brian2's part:", ""]
    for target in kinds[:2]:
        lines.append(f"- {target}: {ratio(f'nrsim, {target}', f'bare, {target}, 1 thread')}")
    if loop is not None:
        spikes = numba_time(loop, drive, trials)[1]
        mine = nr.simulate(
            drive, nr.LIF(), trials=trials, seed=1, dt=0.0005, variability="none", warm_up=0.0, target="numpy"
        )
        lines += ["", f"Spikes: nrsim {mine.sizes['spike']}, Numba's loop {spikes} (v starts at 0 there)."]
    shapes = [(2, 20, 50, False)] if arguments.quick else [(60, 200, 20, False), (6, 200, 5000, True)]
    lines += ["", "Peak memory of one run in a process of its own, above its peak before (Linux):", ""]
    lines += ["| stimuli × neurons × trials | out= | target | MB | spikes | s |", "|---|---|---|---|---|---|"]
    for one in shapes:
        target = "numpy" if arguments.quick else "cython"
        before, after, spikes, seconds = memory(*one[:3], target, one[3])
        lines.append(
            f"| {one[0]} × {one[1]} × {one[2]} | {'.zarr' if one[3] else 'none'} | {target} | {after - before:.0f} | "
            f"{spikes} | {seconds:.1f} |"
        )
    text = "\n".join(lines) + "\n"
    if arguments.out:
        Path(arguments.out).write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
