"""Units in a user's own equations: from text to Brian2's quantities, and back to labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.neurons import brian

WORD = re.compile(r"[A-Za-z_]\w*")
# Units that a constant which differs between neurons may have: the names that Brian2's equations know
_UNITS = (
    "1",
    "second",
    "Hz",
    "volt",
    "amp",
    "siemens",
    "ohm",
    "farad",
    "coulomb",
    "metre",
    "volt/second",
    "amp/second",
)


def quantity(text: str, name: str) -> Any:
    """Return what the text of a number with a unit says, ``"20*ms"``; ``name`` is for the message.

    Raises
    ------
    ValueError
        If it is none, or a unit is unknown (the nearest is named).
    """
    from brian2.units.allunits import all_units

    units = {unit.name: unit for unit in all_units} | {unit.dispname: unit for unit in all_units}
    if not re.fullmatch(r"[\w\s.+*/()^-]+", text):
        raise need(f"namespace, {name}: a number with a unit, such as '20*ms'", repr(text))
    for word in WORD.findall(re.sub(r"\d+\.?\d*[eE][+-]?\d+", "1", text)):
        if word not in units:
            raise unknown(f"unit in namespace, {name}", word, units)
    try:
        return eval(text.replace("^", "**"), {"__builtins__": {}}, units)
    except Exception as error:
        raise need(f"namespace, {name}: a number with a unit, such as '20*ms'", f"{text!r} ({error})") from None


def unit_text(value: Any) -> str:
    """Return the unit of a number, a quantity or Brian2's dimensions as the labels say it: ``"V"``."""
    brian2 = brian.load()
    dimensions = value if hasattr(value, "get_dimension") else brian2.get_dimensions(value)
    if dimensions.is_dimensionless:
        return "1"
    text = str(brian2.get_unit(dimensions))
    return {"second": "s", "hertz": "Hz"}.get(text, text)


def as_text(value: Any) -> Any:
    """Return a value of the user's as JSON can hold it."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    numbers = np.asarray(value, dtype=float).tolist()
    unit = unit_text(value)
    return numbers if unit == "1" else f"{numbers} {unit}"


def name_of_unit(value: Any, name: str) -> str:
    """Return the SI unit of a constant by the name that Brian2's equations know."""
    brian2 = brian.load()
    wanted = brian2.get_dimensions(value)
    namespace = {unit: getattr(brian2, unit) for unit in WORD.findall(" ".join(_UNITS))}
    for text in _UNITS:
        if brian2.get_dimensions(eval(text, {"__builtins__": {}}, namespace)) == wanted:
            return text
    raise need(f"namespace, {name}, one value a neuron: one of the units {', '.join(_UNITS)}", repr(value))
