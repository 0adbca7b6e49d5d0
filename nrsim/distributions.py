"""What differs from neuron to neuron: a number for all, or a distribution with a draw for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from nrsim import seeds
from nrsim.errors import need, unknown
from nrsim.quantities import bare

_KINDS: dict[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sigma"),
    "uniform": ("low", "high"),
    "gamma": ("mean", "shape"),
}
_DRAWS: dict[str, Callable[..., float]] = {
    "normal": lambda rng, mean, sd: mean + sd * rng.standard_normal(),
    "lognormal": lambda rng, median, sigma: median * np.exp(sigma * rng.standard_normal()),
    "uniform": lambda rng, low, high: rng.uniform(low, high),
    "gamma": lambda rng, mean, shape: mean / shape * rng.standard_gamma(shape),
}
_POSITIVE = {"median", "shape"}
_NOT_NEGATIVE = {"sd", "sigma"}
_PURE = {"sigma", "shape"}

Spec = float | Mapping[str, Any]


def checked(spec: Any, name: str, *, unit: str = "1", above: float | None = None, low: float | None = None) -> Any:
    """Return a number, or a distribution as a plain dict: ``{"distribution": "lognormal", "median": 1, "sigma": 0.5}``.

    Distributions are ``normal`` (mean, sd), ``lognormal`` (median, sigma: that of the logarithm), ``uniform`` (low,
    high) and ``gamma`` (mean, shape). All but sigma and shape are in ``unit``.

    Raises
    ------
    TypeError, ValueError
        If it is neither, a parameter is missing, unknown or out of range.
    """
    if not isinstance(spec, Mapping):
        return bare(spec, unit, name, above=above, low=low)
    kind = spec.get("distribution")
    if kind not in _KINDS:
        raise unknown(f"distribution of {name}", kind, _KINDS)
    wanted = _KINDS[kind]
    for key in spec:
        if key not in ("distribution", *wanted):
            raise unknown(f"parameter of the {kind} distribution of {name}", key, wanted)
    missing = [key for key in wanted if key not in spec]
    if missing:
        raise need(f"{' and '.join(wanted)} of the {kind} distribution of {name}", f"none of {', '.join(missing)}")
    limits = {
        key: {"above": 0.0} if key in _POSITIVE else {"low": 0.0} if key in _NOT_NEGATIVE else {} for key in wanted
    }
    values = {key: bare(spec[key], "1" if key in _PURE else unit, f"{name}, {key}", **limits[key]) for key in wanted}
    if kind == "uniform" and values["low"] > values["high"]:
        raise need(f"low below high in the uniform distribution of {name}", f"{values['low']:g}, {values['high']:g}")
    return {"distribution": kind, **values}


def draw(
    spec: Any, name: str, n: int, seed: int, *, above: float | None = None, low: float | None = None
) -> np.ndarray:
    """Return one value a neuron, ``(neuron,)``; neuron i does not depend on ``n``.

    Raises
    ------
    ValueError
        If a draw is out of range.
    """
    streams = (seeds.stream(seed, "population", name, i) for i in range(n))
    return _drawn(spec, name, n, streams, above, low)


def draw_for(
    spec: Any,
    name: str,
    neuron_ids: np.ndarray,
    seed: int,
    *,
    above: float | None = None,
    low: float | None = None,
) -> np.ndarray:
    """Return one value a neuron, ``(neuron,)``, that depends on the seed, the name and its ``neuron_id`` alone.

    Raises
    ------
    ValueError
        If a draw is out of range.
    """
    streams = (seeds.stream(seed, "parameter", name, label) for label in neuron_ids)
    return _drawn(spec, name, len(neuron_ids), streams, above, low)


def _drawn(
    spec: Any, name: str, n: int, streams: Iterable[np.random.Generator], above: float | None, low: float | None
) -> np.ndarray:
    if not isinstance(spec, Mapping):
        return np.full(n, float(spec))
    kind = str(spec["distribution"])
    parameters = {key: spec[key] for key in _KINDS[kind]}
    values = np.array([_DRAWS[kind](rng, **parameters) for rng in streams], dtype=np.float64)
    for wrong, words in (
        (values <= (-np.inf if above is None else above), f"above {above}"),
        (values < (-np.inf if low is None else low), f"of at least {low}"),
    ):
        if wrong.any():
            todo = "A lognormal or gamma distribution has none below 0"
            raise need(f"{name} {words} in every neuron", f"{values[wrong][0]:g} in {int(wrong.sum())} of {n}", todo)
    return values
