"""Which renderer draws: NumPy always can; Numba, the extra ``nrsim[fast]``, is faster once it is loaded."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nrsim.errors import need, unknown

BACKENDS = ("auto", "numpy", "numba")
# "auto" changes to Numba when NumPy has drawn for so many seconds in this process: about what loading and compiling
# Numba's kernels takes (measured: 0.25 s with, 0.8 s without machine code kept from before), so that the choice
# costs at most about twice the better one
PAYS = 0.5

_log = logging.getLogger(__name__)
_drawn = 0.0  # s that NumPy has drawn in this process
_broken = ""  # why "auto" found no Numba
_only = ""  # what "auto" means, if it is fixed


def choose(backend: str = "auto") -> str:
    """Return which renderer draws the next picture, ``"numpy"`` or ``"numba"``.

    Both give the same pixels, triangles and weights, to the bit; so ``"auto"``, which begins with NumPy and changes to
    Numba where it is installed and the set is long enough to pay for loading it, gives the same pictures too.

    Parameters
    ----------
    backend
        ``"auto"``, ``"numpy"`` or ``"numba"``.

    Raises
    ------
    ValueError
        For an unknown backend.
    ImportError
        For ``"numba"`` where it is not installed or cannot be loaded.

    Examples
    --------
    >>> choose("numpy")
    'numpy'
    """
    global _broken
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if backend == "auto" and _only:
        backend = _only
    if backend == "numba":
        kernels()
        return "numba"
    if backend == "auto" and _drawn >= PAYS and not _broken:
        try:
            kernels()
        except Exception as error:  # whatever ails Numba, NumPy draws
            _broken = str(error)
            _log.info("faces are drawn by NumPy: %s", error)
        else:
            return "numba"
    return "numpy"


@contextmanager
def only(backend: str) -> Iterator[None]:
    """Let ``backend="auto"`` mean one renderer, for a comparison or to look for a fault.

    Raises
    ------
    ValueError, ImportError
        As :func:`choose` does.

    Examples
    --------
    >>> with only("numpy"):
    ...     choose()
    'numpy'
    """
    global _only
    choose(backend)
    before, _only = _only, "" if backend == "auto" else backend
    try:
        yield
    finally:
        _only = before


def kernels() -> tuple[Callable[..., None], Callable[..., None]]:
    """Return Numba's kernels (see :mod:`nrsim.meshes.compiled`).

    Raises
    ------
    ImportError
        Where Numba is not installed or cannot be loaded; the message says what to do.
    """
    if importlib.util.find_spec("numba") is None:
        raise need(
            "Numba for the backend 'numba'",
            "none installed",
            "pip install 'nrsim[fast]', or backend='numpy'",
            kind=ImportError,
        )
    from nrsim.meshes import compiled

    try:
        return compiled.kernels()
    except ImportError as error:  # a Numba that does not fit this NumPy
        raise need(
            "a Numba that loads for the backend 'numba'",
            f"{error}",
            "pip install --upgrade 'nrsim[fast]', or backend='numpy'",
            kind=ImportError,
        ) from error


def note(seconds: float) -> None:
    """Add what NumPy took for a picture; :func:`choose` weighs it against loading Numba."""
    global _drawn
    _drawn += seconds
