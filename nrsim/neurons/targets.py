"""Which of Brian2's code targets a job is run on."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from nrsim.errors import need, unknown
from nrsim.neurons import brian
from nrsim.neurons.grid import Grid
from nrsim.neurons.parameters import Parameters
from nrsim.neurons.standalone import cache_folder, machine

TARGETS = ("auto", "numpy", "cython", "cpp_standalone")

# Neuron-steps from which a target pays. Measured on two cores of 2023 (LIF; ns a neuron-step): NumPy 6.3, Cython 3.3,
# C++ with two threads 2; Cython compiles for 15 s, C++ for 4 s, and loading compiled modules takes about 0.2 s.
WARM_CYTHON = 50_000_000
CPP = 2_000_000_000


def has_compiler() -> bool:
    """Return whether what Cython needs is here: Cython itself and a C++ compiler."""
    return find_spec("Cython") is not None and any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl"))


def has_make() -> bool:
    """Return whether what the standalone target needs is here: a C++ compiler and make."""
    return all(shutil.which(name) for name in ("make", "g++"))


def choose_target(target: str, neuron_steps: int, warm: bool = False, standalone: bool = True) -> str:
    """Return the code target for a job of ``neuron_steps``; see :func:`nrsim.simulate` for the rule.

    Parameters
    ----------
    target
        What the user said.
    neuron_steps
        Stimuli × trials × neurons × steps.
    warm
        Whether the job's Cython code is compiled already.
    standalone
        Whether the model can be written in C++ as a whole.

    Raises
    ------
    ValueError
        If there is no such target (the nearest is named), or one is asked for and its compiler is not here.
    """
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if target == "cython" and not has_compiler():
        raise need("Cython and a C++ compiler for target='cython'", "a machine without", "Use target='numpy'")
    if target == "cpp_standalone" and not has_make():
        raise need("g++ and make for target='cpp_standalone'", "a machine without", "Use target='numpy'")
    if target == "cpp_standalone" and not standalone:
        raise need(
            "target 'numpy', 'cython' or 'auto' for neurons that act on each other",
            repr(target),
            "What acts between neurons is computed in Python, between the steps",
        )
    if target != "auto":
        return target
    if standalone and neuron_steps >= CPP and has_make():
        return "cpp_standalone"
    return "cython" if warm and neuron_steps >= WARM_CYTHON and has_compiler() else "numpy"


def threads_of(target: str) -> int:
    """Return how many threads a target uses: OpenMP on all cores this process may use, one in a worker process."""
    if target != "cpp_standalone" or multiprocessing.parent_process() is not None:
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def stamp_of(model: Parameters, grid: Grid) -> Path:
    """Return the file that is there once the Cython code of a model has been compiled on this machine."""
    plan = model.plan(grid.dt)
    kinds = {name: unit for name, (_, unit) in plan.constants.items()}
    many = sorted(name for name, (value, _) in plan.constants.items() if np.ndim(value))
    text = [plan.equations, str(plan.step), plan.threshold, plan.reset, str(plan.refractory), str(kinds), str(many)]
    text += [str(brian.FLAGS), *(version(name) for name in ("brian2", "cython", "numpy")), sys.version, machine()]
    name = hashlib.blake2b("\0".join(text).encode(), digest_size=16).hexdigest()
    return cache_folder() / "cython" / name


def is_warm(model: Parameters, grid: Grid) -> bool:
    """Return whether the Cython code of a model is compiled: our stamp names a folder that still holds it."""
    if find_spec("Cython") is None:
        return False
    try:
        folder = Path(stamp_of(model, grid).read_text())
        return folder.is_dir() and any(folder.iterdir())
    except OSError:
        return False


def set_stamp(model: Parameters, grid: Grid) -> None:
    """Say that the Cython code of a model is compiled; where that cannot be written, it is forgotten."""
    from brian2.codegen.runtime.cython_rt.extension_manager import get_cython_cache_dir

    stamp = stamp_of(model, grid)
    try:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        partly = stamp.with_suffix(f".{os.getpid()}")
        partly.write_text(str(get_cython_cache_dir()))
        partly.replace(stamp)
    except OSError:
        return
