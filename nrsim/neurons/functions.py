"""The functions that Brian2's equations call, for each of its targets: noise, the drive and its rows.

The C code is the NumPy code operation by operation, on the same numbers; compiled without contraction or fast-math
(:mod:`nrsim.neurons.targets`) it gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from nrsim.neurons.noise import Noise, quantile_table, stream_key, uniform

_HASH = """
        uint64_t z = ((uint64_t)key ^ {stream}ULL) + ((uint64_t)counter + 1) * 0x9E3779B97F4A7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
        z = z ^ (z >> 31);
"""
_NORMAL = (
    """
        const int64_t counter = step >> 2;
        const int lane = (int)(step & 3);
"""
    + _HASH
    + "        return values[(z >> (16 * lane)) & 0xFFFF];"
)
_UNIFORM = (
    "        const int64_t counter = step;"
    + _HASH
    + "        return ((double)(z >> 11) + 0.5) * 1.1102230246251565e-16;"
)
_DRIVE = "        return values[now + column];"
_ROW = "        return step > values[0] ? (step - values[0]) / values[1] * values[2] : 0;"


def functions(
    brian2: ModuleType,
    keys: np.ndarray,
    rows: np.ndarray,
    steps_per_row: int,
    warm_up: int,
    streams: dict[str, tuple[str, str]],
) -> dict[str, Any]:
    """Return the functions of one run by name, for Brian2's namespace.

    Parameters
    ----------
    brian2
        The module.
    keys
        ``(element,)`` uint64 keys of the noise.
    rows
        ``(time, column)`` current in A.
    steps_per_row, warm_up
        Steps per row, and before the first row, which is held meanwhile.
    streams
        Name of a function → ("normal" or "uniform", name of its stream).
    """
    values = np.ascontiguousarray(rows)
    flat, width = values.ravel(), values.shape[1]
    layout = np.array([warm_up, steps_per_row, width], dtype=np.int64)

    def drive(now: Any, column: np.ndarray) -> np.ndarray:
        first = int(np.ravel(now)[0])
        return flat[first : first + width].take(column)

    def row(step: Any) -> int:
        return max(int(np.ravel(step)[0]) - warm_up, 0) // steps_per_row * width

    made = {
        "drive": _function(brian2, "nrsim_drive", drive, _DRIVE, ["now", "column"], flat, "float", brian2.amp),
        "row": _function(brian2, "nrsim_row", row, _ROW, ["step"], layout, "integer", 1),
    }
    for name, (kind, stream) in streams.items():
        made[name] = _noise(brian2, name, kind, stream, keys)
    return made


def _noise(brian2: ModuleType, name: str, kind: str, stream: str, keys: np.ndarray) -> Any:
    constant = stream_key(stream)
    if kind == "normal":
        compute: Callable[..., Any] = Noise(keys, stream).of
        source, values = _NORMAL, quantile_table().copy()
    else:

        def compute(key: np.ndarray, step: Any) -> np.ndarray:
            return uniform(np.asarray(key).view(np.uint64) ^ np.uint64(constant), int(np.ravel(step)[0]))

        source, values = _UNIFORM, np.zeros(1)
    text = source.replace("{stream}", hex(constant))
    return _function(brian2, f"nrsim_{name}", compute, text, ["key", "step"], values, "float", 1)


def _function(
    brian2: ModuleType,
    name: str,
    compute: Callable[..., Any],
    body: str,
    arguments: Sequence[str],
    values: np.ndarray,
    returns: str,
    unit: Any,
) -> Any:
    """Return a Brian2 function of whole numbers that also knows the array ``values``."""
    result = {"float": "double", "integer": "int64_t"}[returns]
    element = {"f": "double", "i": "int64_t"}[values.dtype.kind]
    given = ", ".join(f"const int64_t {argument}" for argument in arguments)
    kernel = (
        f"    static inline {result} {name}_c({given}, const {element}* values) {{\n{body}\n    }}\n"  # one definition
    )
    held = f"_namespace{name}_values"
    passed = ", ".join([*arguments, held])
    cython = (
        'cdef extern from *:\n    """\n    #include <stdint.h>\n'
        + kernel
        + f'    """\n    {result} {name}_c({given.replace("const ", "")}, const {element}* values) noexcept nogil\n'
        + f"cdef inline {result} {name}({given}) noexcept nogil:\n    return {name}_c({passed})\n"
    )
    cpp = kernel + f"    static inline {result} {name}({given}) {{ return {name}_c({passed}); }}\n"
    function = brian2.Function(
        compute,
        arg_units=[1] * len(arguments),
        return_unit=unit,
        arg_types=["integer"] * len(arguments),
        return_type=returns,
        stateless=True,
    )
    function.implementations.add_implementation("numpy", compute)
    for target, source in (("cython", cython), ("cpp", cpp)):
        function.implementations.add_implementation(target, source, name=name, namespace={f"{name}_values": values})
    return function
