"""The tables of bench_v1.py, and what is said beside them."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform

import numpy as np
import v1_adapter
from scipy.stats import binom
from v1_bound import Bound
from v1_contestant import Contestant
from v1_peers import PEERS
from v1_reference import Task

Times = dict[str, np.ndarray]  # a contestant → ms/picture, (round, [wall, CPU])

ABOUT = """\
Written by `python benchmarks/bench_v1.py`. A picture (1/f, new ones in each round) → responses of 5 scales × 8
orientations in quadrature → energy → 16 × 16 Gaussian windows. "half": wavelengths 4 to 16 px in half octaves;
"octave": 4 to 64 px in octaves. Ratios are a contestant's time to nrsim's within a round: the median over rounds, and
in brackets its 95 % interval (order statistics). nrsim is timed as a plain kernel (arrays; its plan made before) and
as the public `V1Bank.transform(faces, pool=…)` of a set of 64 pictures, which also checks, labels and
stamps; what that takes whatever the number of pictures is in the row of one picture. The error is the
greatest difference from the convolution in float64, the border reflected, pooled alike, over the greatest energy of
its scale, at the worst scale, of four pictures; nrsim's normalised responses are held against its own exact ones, and
other filters are checked for tuning and phase.
"Pictures" is how many in a turn, "share" how much of the bank is computed.

What is not equal:

- scikit-image, and PyTorch's dense convolution of the octave bank, do a part of the channels, and times are scaled up:
  scikit-image's four orientations of eight are half the work, since the others' kernels are as large; wavelengths
  above 16 px are reckoned by the number of taps, which flatters them. scikit-image's even kernels are not balanced
  (they see luminance), and are cut off sooner along oblique directions: hence its error. SciPy's, OpenCV's and
  PyTorch's are the bank's own, balanced, cut off at 3 standard deviations. `sepFilter2D` gets the bank taken apart into
  products of cosines and sines, which only Gabors with circular envelopes allow. A strided convolution samples the
  energy: hence its error.
- kymatio's scattering has octave spacing only (2.7 to 43 px), other (Morlet) filters, modulus instead of energy, and a
  blur over about 32 px on a grid of 32 px instead of the 16 × 16 windows: less output. It also blurs the picture.
- The steerable pyramids have octave spacing only (peaks at 4 to 64 px), other filters, and a periodic border: what
  leaves the picture on one side enters on the other. "Mirrored" gives the pyramid a picture of twice the size each
  way, which is the reflected border. They also make high- and low-pass residuals. pyrtools makes its filters anew
  for every picture.
- Threads: scikit-image, SciPy, OpenCV, kymatio's NumPy and pyrtools work at several pictures (scikit-image: channels)
  at a time on Python's threads, which was faster than the threads they bring, if any; PyTorch, kymatio's PyTorch
  and plenoptic use PyTorch's threads, which sleep while they wait (OMP_WAIT_POLICY=PASSIVE): if they spin, as by
  default, a busy machine slows them down many times over. Pictures per call are what was fastest for each.
"""
ABOUT_BOUND = """\
Floating-point operations of the plan's transforms (2.5 n log₂ n of real, 5 n log₂ n of complex ones) and pooling
products, at the rates that this machine reached in the same rounds (SciPy's fastest real transform; float32 product of
768 × 768 matrices; on two threads, one each). "Bare calls": the same transforms and products alone, of their own
shapes, nothing between them. Ratios are of the kernel, medians over rounds.
"""
ABOUT_MEMORY = """\
Resident memory of a process, MiB, the median of three. "More": by how much the peak rises while the pictures are
filtered, above libraries, filters and the pictures themselves, all of which are there before (a first turn was taken
and what it freed was given back); give or take some MiB. Those that do a part of the bank had a turn's pictures.
"""


def middle(values: np.ndarray) -> tuple[float, float, float]:
    """Return the median and its 95 % interval by order statistics (of fewer than six values, all of them)."""
    ordered = np.sort(values)
    low = max(int(binom.ppf(0.025, len(values), 0.5)) - 1, 0)
    return float(np.median(values)), float(ordered[low]), float(ordered[len(values) - 1 - low])


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _error(wrong: float) -> str:
    return "other filters" if np.isnan(wrong) else f"{100 * wrong:.2g} %"


def table(
    task: Task,
    entries: list[Contestant],
    times: Times,
    count: dict[str, int],
    errors: dict[str, float],
    others: float,
) -> list[str]:
    """Return the lines of a cell's table."""
    ways = [name for name in (v1_adapter.KERNEL, v1_adapter.PUBLIC) if name in times]
    lines = [
        f"### {task.bank}, {task.size} px, {task.threads} thread{'s' * (task.threads > 1)}",
        "",
        f"| ms/picture | median | min | CPU | {' | '.join(f'× {name}' for name in ways)} | error | pictures | share |",
        "|---|---:|---:|---:|" + "---:|" * len(ways) + "---:|---:|---:|",
    ]
    for contestant in entries:
        wall, cpu = times[contestant.name].T
        ratios = []
        for way in ways:
            ratio, low, high = (_short(value) for value in middle(wall / times[way][:, 0]))
            ratios.append("1" if way == contestant.name else f"{ratio} [{low}–{high}]")
        lines.append(
            f"| {contestant.name} | {_short(np.median(wall))} | {_short(wall.min())} | {_short(np.median(cpu))} "
            f"| {' | '.join(ratios)} | {_error(errors[contestant.name])} "
            f"| {count[contestant.name]} | {contestant.share:.2g} |"
        )
    rounds = len(next(iter(times.values())))
    return [*lines, "", f"{rounds} rounds, while other processes kept {others:.2f} of {os.cpu_count()} cores busy.", ""]


def bound_row(task: Task, bound: Bound, times: Times) -> str:
    """Return a row of the table of bounds."""
    took = times[v1_adapter.KERNEL][:, 0]
    fourier, product = np.median(np.array(bound.rates), axis=0)
    floors, bare = np.array(bound.floors), np.array(bound.bare)
    return (
        f"| {task.bank}, {task.size} px, {task.threads} | {bound.transforms / 1e6:.1f} | {bound.products / 1e6:.1f} "
        f"| {fourier:.0f} | {product:.0f} | {np.median(floors):.2f} | {np.median(bare):.2f} | {np.median(took):.2f} "
        f"| {np.median(took / floors):.1f} | {np.median(took / bare):.1f} |"
    )


def bound_table(rows: list[str]) -> list[str]:
    """Return the section of the arithmetic bound."""
    columns = "transforms MFLOP | products MFLOP | transforms GFLOP/s | products GFLOP/s"
    head = f"| bank, size, threads | {columns} | floor ms | bare calls ms | kernel ms | × floor | × bare calls |"
    return ["## The arithmetic bound", "", ABOUT_BOUND, head, "|---|" + "---:|" * 9, *rows, ""]


def head(remarks: list[str]) -> list[str]:
    """Return what stands above the tables: what is measured, with which versions, and remarks."""
    versions = []
    for name in ("nrsim", "numpy", "numba", "opencv-python-headless", *(name for name in PEERS if name != "opencv")):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    measured = (
        f"- {datetime.date.today():%Y-%m-%d}; {platform.system()} on {platform.machine()}, {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )
    return ["# The V1 bank, measured", "", ABOUT, measured, *(f"- {text}" for text in remarks), "", "## Speed", ""]
