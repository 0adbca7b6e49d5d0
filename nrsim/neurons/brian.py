"""Brian2 as a guest: imported late, used through one explicit network, and everything global left as it was."""

from __future__ import annotations

import logging
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.neurons.models import Neurons
from nrsim.neurons.noise import C_SOURCE, Noise, quantile_table


@dataclass(frozen=True)
class Part:
    """What some elements did, numbered from 0.

    Parameters
    ----------
    spike_step, spike_element
        ``(spike,)`` int64: the step (from the end of the warm-up) and the element of each spike, in order of time.
    firing_rate
        ``(bin, element)`` mean firing rate in Hz, float32, of neurons that do not spike.
    """

    spike_step: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    spike_element: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    firing_rate: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))


TARGETS = ("auto", "numpy", "cython")

# Neuron-steps from which Cython saves more than the 10 to 20 s it takes to compile when its cache is cold
# (NumPy takes about 22 ns a neuron-step, Cython 14).
LARGE = 2_000_000_000


def load() -> ModuleType:
    """Import Brian2 and undo what its import does to the process; where it was imported before, leave it alone."""
    if "brian2" in sys.modules:
        return sys.modules["brian2"]
    hook, state = sys.excepthook, np.random.get_state()  # noqa: NPY002
    if threading.current_thread() is not threading.main_thread():
        raise need("the first use of Brian2 in the main thread", "another thread", "Run it in a process of its own")
    handler = signal.getsignal(signal.SIGINT)
    showwarning = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import brian2

        if warnings.showwarning is not showwarning:
            logging.captureWarnings(False)
    sys.excepthook = hook
    np.random.set_state(state)  # noqa: NPY002
    if handler is not None:
        signal.signal(signal.SIGINT, handler)
    logger = brian2.BrianLogger
    logging.getLogger("py.warnings").removeHandler(logger.console_handler)
    if logger.file_handler is not None:
        logging.getLogger("brian2").removeHandler(logger.file_handler)
        logger.file_handler.close()
        logger.file_handler = None
    for name in ("tmp_log", "tmp_script"):
        if getattr(logger, name) is not None:
            with suppress(OSError):
                Path(getattr(logger, name)).unlink()
            setattr(logger, name, None)
    return brian2


def version() -> str:
    """Return Brian2's version."""
    return str(load().__version__)


def has_compiler() -> bool:
    """Return whether what Cython needs is here: Cython itself and a C++ compiler."""
    from importlib.util import find_spec

    return find_spec("Cython") is not None and any(shutil.which(name) for name in ("c++", "g++", "clang++", "cl"))


def choose_target(target: str, neuron_steps: int) -> str:
    """Return the code target for a job of ``neuron_steps``; see :func:`nrsim.simulate` for the rule.

    Raises
    ------
    ValueError
        If there is no such target (the nearest is named), or Cython is asked for and there is no compiler.
    """
    if target not in TARGETS:
        raise unknown("target", target, TARGETS)
    if target == "cython" and not has_compiler():
        raise need("Cython and a C++ compiler for target='cython'", "a machine without", "Use target='numpy'")
    if target == "auto":
        return "cython" if neuron_steps >= LARGE and has_compiler() else "numpy"
    return target


@contextmanager
def guest(target: str) -> Iterator[ModuleType]:
    """Give Brian2 with a code target, and put back its preferences and NumPy's global random state."""
    brian2 = load()
    wanted = {
        "codegen.target": target,
        "codegen.loop_invariant_optimisations": True,
        "core.default_float_dtype": np.float64,
        "core.stop_on_keyboard_interrupt": False,
    }
    before = {name: brian2.prefs[name] for name in wanted}
    state = np.random.get_state()  # noqa: NPY002
    level = brian2.BrianLogger.console_handler.level
    try:
        brian2.BrianLogger.console_handler.setLevel(logging.ERROR)
        for name, value in wanted.items():
            brian2.prefs[name] = value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Brian2 2.9 calls pyparsing by old names
            yield brian2
    finally:
        brian2.Network._globally_running = False
        for name, value in before.items():
            brian2.prefs[name] = value
        brian2.BrianLogger.console_handler.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002


def run(
    brian2: ModuleType,
    neurons: Neurons,
    drive: np.ndarray,
    column: np.ndarray,
    keys: np.ndarray,
    gain: np.ndarray,
    *,
    start: np.ndarray,
    dt: float,
    steps_per_row: int,
    warm_up: int,
    bin_start: int,
    steps_per_bin: int,
    n_bins: int,
    report: Callable[[float], None] | None = None,
) -> Part:
    """Run one population in one Brian2 group.

    Parameters
    ----------
    brian2
        The module, from :func:`guest`.
    neurons
        The model.
    drive
        ``(time, column)`` input current in nA, constant for ``steps_per_row`` steps.
    column
        ``(element,)`` which column drives which element.
    keys
        ``(element,)`` uint64 keys of the noise.
    gain
        ``(element,)`` factor on the current.
    start
        ``(element,)`` standard normal numbers for the state at the start.
    dt
        Step, in s.
    steps_per_row, warm_up
        Steps per row of the drive, and before its first row, which is held meanwhile.
    bin_start, steps_per_bin, n_bins
        Steps from the end of the warm-up to the first bin, steps in a bin, and bins (rate units only).
    report
        Called with the fraction done.

    Returns
    -------
    Part
        Spikes, or firing rates.

    Raises
    ------
    KeyboardInterrupt
        If Brian2 was stopped before the end.
    """
    n_steps = len(drive) * steps_per_row
    noise = Noise(keys)
    units = {"1": 1.0, "second": brian2.second, "namp": brian2.namp, "Hz": brian2.Hz}
    namespace: dict[str, Any] = {name: value * units[unit] for name, (value, unit) in neurons.constants(dt).items()}
    namespace["noise"] = _noise_function(brian2, noise)
    namespace["drive"] = _drive_function(brian2, drive, steps_per_row, warm_up)
    kind = {"threshold": neurons.threshold, "reset": neurons.reset_code} if neurons.spiking else {}
    if neurons.spiking:
        kind["refractory"] = neurons.refractory * brian2.second
    clock = brian2.Clock(dt=dt * brian2.second, name="nrsim_clock")
    group = brian2.NeuronGroup(
        len(column),
        neurons.equations,
        method=_exact_step(neurons),
        clock=clock,
        namespace=namespace,
        name="nrsim_neurons",
        **kind,
    )
    scale = {"v": 1e-9, "x": 1.0}
    group.variables["column"].set_value(column.astype(np.int32))
    group.variables["gain"].set_value(gain)
    for name, value in neurons.start(gain * drive[0, column], start, dt).items():
        group.variables[name].set_value(value * scale[name])
    if neurons.spiking:
        observer = brian2.SpikeMonitor(group, name="nrsim_spikes")
    else:
        rates = np.zeros((n_bins, len(column)), dtype=np.float32)
        observer = _bin_means(brian2, group, clock, rates, warm_up + bin_start, steps_per_bin)
    network = brian2.Network(group, observer, name="nrsim_network")
    duration = (warm_up + n_steps) * dt * brian2.second
    told = None if report is None else lambda _elapsed, completed, _start, _duration: report(float(completed))
    network.run(duration, report=told, report_period=0.2 * brian2.second, namespace={})
    if int(clock.variables["timestep"].get_value()[0]) < warm_up + n_steps:
        raise KeyboardInterrupt("the simulation was stopped before its end")
    if not neurons.spiking:
        return Part(firing_rate=rates)
    step = np.rint(np.asarray(observer.t_[:]) / dt).astype(np.int64) - warm_up
    return Part(step[step >= 0], np.asarray(observer.i[:], dtype=np.int64)[step >= 0])


def _exact_step(neurons: Neurons) -> Callable[..., str]:
    code = "\n".join(line.strip() for line in neurons.step.strip().splitlines())

    def exact(equations: Any, variables: Any, method_options: Any = None) -> str:
        return code

    return exact


def _noise_function(brian2: ModuleType, noise: Noise) -> Any:
    function = brian2.Function(
        noise.of, arg_units=[1, 1], return_unit=1, arg_types=["integer", "integer"], return_type="float"
    )
    function.implementations.add_implementation("numpy", noise.of)
    function.implementations.add_implementation(
        "cython",
        C_SOURCE,
        name="nrsim_noise",
        namespace={"nrsim_noise_keys": noise.keys, "nrsim_noise_quantiles": quantile_table().copy()},
    )
    return function


_DRIVE_SOURCE = """
    cdef double nrsim_drive(const int64_t step, const int column):
        global _namespacenrsim_drive_values, _namespacenrsim_drive_layout
        cdef int64_t row = 0
        if step > _namespacenrsim_drive_layout[0]:
            row = (step - _namespacenrsim_drive_layout[0]) // _namespacenrsim_drive_layout[1]
        return _namespacenrsim_drive_values[row * _namespacenrsim_drive_layout[2] + column]
"""


def _drive_function(brian2: ModuleType, drive: np.ndarray, steps_per_row: int, warm_up: int) -> Any:
    values = np.ascontiguousarray(drive * 1e-9)

    def at(step: Any, column: np.ndarray) -> np.ndarray:
        return values[max(int(np.ravel(step)[0]) - warm_up, 0) // steps_per_row].take(column)

    function = brian2.Function(
        at, arg_units=[1, 1], return_unit=brian2.amp, arg_types=["integer", "integer"], return_type="float"
    )
    function.implementations.add_implementation("numpy", at)
    layout = np.array([warm_up, steps_per_row, values.shape[1]], dtype=np.int64)
    function.implementations.add_implementation(
        "cython",
        _DRIVE_SOURCE,
        name="nrsim_drive",
        namespace={"nrsim_drive_values": values.ravel(), "nrsim_drive_layout": layout},
    )
    return function


def _bin_means(brian2: ModuleType, group: Any, clock: Any, rates: np.ndarray, skip: int, steps_per_bin: int) -> Any:
    """Return the operation that fills ``rates (bin, element)`` with means over the steps of each bin."""
    total = group.variables["total"].get_value()
    timestep = clock.variables["timestep"].get_value()

    def collect() -> None:
        done = int(timestep[0]) + 1 - skip
        if done >= 0 and done % steps_per_bin == 0:
            if 0 < done <= len(rates) * steps_per_bin:
                rates[done // steps_per_bin - 1] = total / steps_per_bin
            total[:] = 0.0

    return brian2.NetworkOperation(collect, clock=clock, when="end", name="nrsim_bins")
