"""Numbers at the door: a bare number or a Brian2 quantity becomes a float in nrsim's units.

Bare numbers mean s, Hz, nA, mV, nS, pF, degree and cycles/degree. Kernels never see quantities.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

# Exponents of (length, mass, time, current, temperature, substance, luminosity), as Brian2 orders them,
# and the factor from the SI base unit to the unit that a bare number means.
_DIMENSIONS: dict[str, tuple[tuple[float, ...], float]] = {
    "s": ((0, 0, 1, 0, 0, 0, 0), 1.0),
    "Hz": ((0, 0, -1, 0, 0, 0, 0), 1.0),
    "nA": ((0, 0, 0, 1, 0, 0, 0), 1e9),
    "mV": ((2, 1, -3, -1, 0, 0, 0), 1e3),
    "nS": ((-2, -1, 3, 2, 0, 0, 0), 1e9),
    "pF": ((-2, -1, 4, 2, 0, 0, 0), 1e12),
    "1": ((0, 0, 0, 0, 0, 0, 0), 1.0),
    "degree": ((0, 0, 0, 0, 0, 0, 0), 1.0),
    "cycles/degree": ((0, 0, 0, 0, 0, 0, 0), 1.0),
}


def bare(
    value: Any, unit: str, name: str, *, low: float | None = None, high: float | None = None, above: float | None = None
) -> float:
    """Return ``value`` as a finite float in ``unit``.

    Parameters
    ----------
    value
        A number, or a Brian2 quantity of the right dimension (recognised without importing Brian2).
    unit
        ``"s"``, ``"Hz"``, ``"nA"``, ``"mV"``, ``"nS"``, ``"pF"``, ``"degree"``, ``"cycles/degree"`` or ``"1"``.
    name
        The parameter's name, for the message.
    low, high
        Inclusive bounds, in ``unit``.
    above
        Exclusive lower bound, in ``unit``.

    Raises
    ------
    TypeError
        If it is no number, or a quantity of another dimension.
    ValueError
        If it is not finite or out of bounds.
    """
    within, measured = ("", "") if unit == "1" else (f" in {unit}", f" {unit}")
    if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
        raise TypeError(f"{name}: needed a number{within}; got {value!r}")
    dimension = getattr(value, "dim", None)
    factor = 1.0
    if dimension is not None and hasattr(dimension, "_dims"):
        wanted, factor = _DIMENSIONS[unit]
        if tuple(dimension._dims) != wanted:
            raise TypeError(f"{name}: needed {f'a quantity{within}' if within else 'a bare number'}; got {value!r}")
    try:
        array = np.asarray(value)
        if array.ndim:
            raise TypeError
        number = float(array) * factor
    except (TypeError, ValueError):
        raise TypeError(f"{name}: needed one number{within}; got {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}: needed a finite number{within}; got {number}")
    if low is not None and number < low:
        raise ValueError(f"{name}: needed at least {low:g}{measured}; got {number:g}")
    if above is not None and number <= above:
        raise ValueError(f"{name}: needed more than {above:g}{measured}; got {number:g}")
    if high is not None and number > high:
        raise ValueError(f"{name}: needed at most {high:g}{measured}; got {number:g}")
    return number


def whole(value: Any, name: str, *, low: int = 0) -> int:
    """Return ``value`` as an int of at least ``low``.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is smaller than ``low``.
    """
    counted = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not counted and not (isinstance(value, (float, np.floating)) and float(value).is_integer()):
        raise TypeError(f"{name}: needed a whole number; got {value!r}")
    number = int(value)
    if number < low:
        raise ValueError(f"{name}: needed at least {low}; got {number}")
    return number


def window_of(value: Any, name: str = "window") -> tuple[float, float]:
    """Return a time window ``(start, end)`` in s, ``start < end``.

    Raises
    ------
    TypeError, ValueError
        If it is not two numbers in s, the first smaller.
    """
    try:
        start, end = value
    except (TypeError, ValueError):
        raise TypeError(f"{name}: needed (start, end) in s; got {value!r}") from None
    pair = bare(start, "s", f"{name} start"), bare(end, "s", f"{name} end")
    if not pair[0] < pair[1]:
        raise ValueError(f"{name}: needed start < end in s; got {pair}")
    return pair
