"""nrsim in bench_v1.py. All that the benchmark knows of nrsim is here; when the bank changes, only this file does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial
from typing import Any

import numpy as np
import xarray as xr
from v1_bound import Work
from v1_contestant import Contestant
from v1_reference import GRID, Task

import nrsim as nr
from nrsim.v1.plan import Plan

PER_DEGREE = 32.0  # px/degree
KERNEL, PUBLIC = "nrsim, kernel", "nrsim, transform"  # the two that ratios are against
_WAYS: dict[str, dict[str, Any]] = {  # nrsim's rows; what this version lacks is left out, and said
    "": {},
    ', accuracy="exact"': {"accuracy": "exact"},
    ', normalise="divisive" (before pooling)': {"normalise": "divisive"},
    ', normalise="divisive_pooled"': {"normalise": "divisive_pooled"},
    ', normalise="local_contrast"': {"normalise": "local_contrast"},
}
SET = 64  # pictures in a set for transform
_LIMITS = {"fast": 5e-3, "exact": 1e-3}  # the greatest error that V1Bank promises


def backends() -> Iterator[tuple[str, Callable[[], AbstractContextManager[Any]]]]:
    """Yield what can compute the bank here, "core" first: a name, and what makes a context in which it does.

    HOOK: once Numba or pyFFTW can, also yield ("numba", …) where it is installed, and let "core" exclude it.
    """
    yield "core", nullcontext


def bank(task: Task, **settings: Any) -> nr.V1Bank:
    """Return the benchmark's bank; ``settings`` are more of the constructor's."""
    frequencies = (PER_DEGREE / task.wavelengths).tolist()
    return nr.V1Bank(frequencies, 8, bandwidth=1, aspect_ratio=1, threads=task.threads, **settings)


def has(settings: dict[str, Any]) -> bool:
    """Return whether this version knows the settings."""
    try:
        nr.V1Bank(**settings)
    except (TypeError, ValueError):
        return False
    return True


def pool(task: Task) -> nr.PooledEnergy:
    """Return the pooling: windows whose standard deviation is half the distance of their centres."""
    return nr.PooledEnergy(size=GRID, tolerance=0.5 * task.size / GRID / PER_DEGREE)


def stimuli(pictures: np.ndarray) -> xr.Dataset:
    """Return pictures as a StimulusSet."""
    n, ny, nx = pictures.shape
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(n)]),
        "y": ("y", (ny / 2 - 0.5 - np.arange(ny)) / PER_DEGREE, {"units": "degree"}),
        "x": ("x", (np.arange(nx) + 0.5 - nx / 2) / PER_DEGREE, {"units": "degree"}),
    }
    image = (("stimulus", "y", "x"), pictures, {"units": "1"})
    return xr.Dataset({"image": image}, coords, nr.example("StimulusSet").attrs)


def engine(task: Task, **settings: Any) -> Plan:
    """Return what computes the energy of plain arrays, without labels. HOOK: for another engine."""
    nothing = stimuli(np.zeros((1, task.size, task.size), dtype=np.float32))
    return bank(task, **settings)._plan(nothing, pool(task))[0]


@cache
def _exact_engine(task: Task, way: str) -> Plan:
    return engine(task, **(_WAYS[way] | {"accuracy": "exact"}))


def _exactly(task: Task, way: str, pictures: np.ndarray) -> np.ndarray:
    return _exact_engine(task, way).energy(pictures)


def _public(task: Task, settings: dict[str, Any]) -> Callable[[xr.Dataset], np.ndarray]:
    used, pooled = bank(task, **settings), pool(task)
    return lambda faces: used.transform(faces, pool=pooled)["energy"].values


def contestants(task: Task) -> tuple[list[Contestant], list[str]]:
    """Return nrsim's rows, and remarks."""
    found, remarks = [], []
    for backend, within in backends():
        suffix = "" if backend == "core" else f", {backend}"
        for way, settings in _WAYS.items():
            if not has(settings):
                remarks.append(f"nrsim, {way}: not in this version.")
                continue
            given: dict[str, Any] = {
                "exact": partial(_exactly, task, way) if "normalise" in settings else None,
                "promised": _LIMITS[settings.get("accuracy", "fast")],
                "block": 4,
                "within": within,
            }
            with within():
                kernel = engine(task, **settings).energy
            name = f"{KERNEL}{way}{suffix}", f"{PUBLIC}{way}{suffix}"
            found.append(Contestant(name[0], kernel, **given))
            found.append(Contestant(name[1], _public(task, settings), stimuli, turn=SET, **given))
            if not settings:
                alone = f"{PUBLIC} of one picture{suffix}"
                found.append(Contestant(alone, _public(task, {}), stimuli, turn=1, **given))
    return found, remarks


def plan(task: Task) -> list[Work]:
    """Return the transforms and the matrix products that the kernel does for one picture. HOOK: for another engine."""
    cropped = engine(task).cropped
    pairs = len(cropped.pairs)
    work = [Work("dct2", cropped.shape)]
    for scale in cropped.scales:
        my, mx = scale.size
        work.append(Work("rfft2", (my, mx), pairs))
        work.append(Work("gemm", (my, mx // 2 + 1, scale.to_x.shape[1]), pairs))
        work.append(Work("gemm", (scale.to_y.shape[0], my, GRID), pairs))
    return work
