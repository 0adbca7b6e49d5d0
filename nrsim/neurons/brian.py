"""Brian2 as a guest: imported late, and everything global left as it was."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from nrsim.errors import need

# Compiled code keeps to IEEE arithmetic in the order written, so that it gives the bits that NumPy gives.
FLAGS = {
    "codegen.cpp.extra_compile_args": None,
    "codegen.cpp.extra_compile_args_gcc": ["-w", "-O3", "-march=native", "-ffp-contract=off", "-std=c++11"],
    "codegen.cpp.extra_compile_args_msvc": ["/Ox", "/w", "/fp:precise", "/MP"],
}


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


@contextmanager
def guest(target: str, threads: int = 1, directory: str | None = None) -> Iterator[ModuleType]:
    """Give Brian2 with a code target; put back its preferences, its device and NumPy's global random state.

    Parameters
    ----------
    target
        ``"numpy"``, ``"cython"`` or ``"cpp_standalone"``.
    threads
        OpenMP threads of the standalone target.
    directory
        Where the standalone target writes its project.
    """
    brian2 = load()
    standalone = target == "cpp_standalone"
    wanted: dict[str, Any] = {
        "codegen.target": "numpy" if standalone else target,
        "codegen.loop_invariant_optimisations": True,
        "core.default_float_dtype": np.float64,
        "core.stop_on_keyboard_interrupt": False,
        **FLAGS,
    }
    if standalone:
        wanted["devices.cpp_standalone.openmp_threads"] = threads if threads > 1 else 0
    before = {name: brian2.prefs[name] for name in wanted}
    state = np.random.get_state()  # noqa: NPY002
    level = brian2.BrianLogger.console_handler.level
    try:
        brian2.BrianLogger.console_handler.setLevel(logging.ERROR)
        for name, value in wanted.items():
            brian2.prefs[name] = value
        with ExitStack() as stack:
            stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore", DeprecationWarning)  # Brian2 2.9 calls pyparsing by old names
            stack.enter_context(_device(brian2, directory if standalone else None))
            yield brian2
    finally:
        brian2.Network._globally_running = False
        for name, value in before.items():
            brian2.prefs[name] = value
        brian2.BrianLogger.console_handler.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002


@contextmanager
def _device(brian2: ModuleType, directory: str | None) -> Iterator[None]:
    """Make Brian2's runtime device the active one, or a standalone device of our own; afterwards what was."""
    devices = sys.modules["brian2.devices.device"]

    if directory is None:
        if isinstance(devices.get_device(), devices.RuntimeDevice):
            yield
            return
        wanted: Any = devices.runtime_device
        options: dict[str, Any] = {}
    else:
        from brian2.devices.cpp_standalone.device import CPPStandaloneDevice

        wanted = CPPStandaloneDevice()
        options = {"build_on_run": False, "directory": directory}
    devices.set_device(wanted, **options)
    try:
        yield
    finally:
        devices.reset_device()
