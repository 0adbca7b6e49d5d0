"""What all model neurons share: parameters that may vary from neuron to neuron, and what Brian2 is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import ModuleType
from typing import Any, ClassVar, TypeVar

import numpy as np
import xarray as xr

from nrsim.distributions import checked, draw_for
from nrsim.errors import need
from nrsim.quantities import bare

# A number for all neurons, a distribution (a mapping), or one value a neuron.
Parameter = Any

# Each unit of a parameter: Brian2's name of the SI unit, and how many of it one is.
SI = {
    "1": ("1", 1.0),
    "s": ("second", 1.0),
    "Hz": ("Hz", 1.0),
    "nA": ("amp", 1e-9),
    "mV": ("volt", 1e-3),
    "nS": ("siemens", 1e-9),
    "pF": ("farad", 1e-12),
    "1/nS": ("ohm", 1e9),
    "steps": ("integer", 1.0),
}

Model = TypeVar("Model", bound="Parameters")


@dataclass(frozen=True)
class Plan:
    """What Brian2 is given for one model.

    Parameters
    ----------
    equations
        Brian2 equations, without constants and inputs.
    step
        What solves them over one step: abstract code, a method's name or a function that gives the code.
    threshold, reset
        Of neurons that spike; empty for others, whose ``total`` adds up their firing rate in Hz.
    constants
        Name → (number or ``(neuron,)``, unit): declared and filled in by the engine.
    admit
        Number or ``(neuron,)``: the factor, besides the gain, on the current.
    namespace, refractory, functions, initial
        Of the user's own equations: names from outside, Brian2's refractory, functions that give noise by (kind,
        stream), and expressions for values at the start.
    """

    equations: str
    step: str | Callable[..., str]
    threshold: str = ""
    reset: str = ""
    constants: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    admit: Any = 1.0
    namespace: Mapping[str, Any] = field(default_factory=dict)
    refractory: Any = False
    functions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)


class Parameters:
    """Base of the models: parameters by name, checked, and drawn where they vary."""

    spiking: ClassVar[bool] = True
    exact: ClassVar[bool] = False
    standalone: ClassVar[bool] = True  # whether all of it can be written in C++
    units: ClassVar[Mapping[str, str]]
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    states: ClassVar[Mapping[str, str]]

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        for name, unit in self.units.items():
            value = varying(getattr(self, name), name, unit, **self.limits.get(name, {}))
            object.__setattr__(self, name, value)
        fixed = {name: getattr(self, name) for name in self.units}
        if not any(isinstance(value, Mapping) for value in fixed.values()):
            self._agree(**{name: np.asarray(value) for name, value in fixed.items()})

    def get_params(self) -> dict[str, Any]:
        """Return the parameters by name, in the units of the docstring."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}  # type: ignore[arg-type]

    def _agree(self, **values: np.ndarray) -> None:
        """Raise where parameters contradict each other."""

    def labels(self, seed: int, neuron_ids: np.ndarray) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
        """Return the parameters that vary, as coordinates along ``neuron``."""
        drawn = self.resolved(seed, neuron_ids)
        return {
            name: ("neuron", getattr(drawn, name), {"units": unit})
            for name, unit in self.units.items()
            if isinstance(getattr(self, name), (Mapping, tuple))
        }

    def resolved(self: Model, seed: int, neuron_ids: np.ndarray) -> Model:
        """Return the same model with every parameter a number or an array ``(neuron,)``.

        A draw depends on the seed, the parameter's name and the ``neuron_id`` alone.

        Raises
        ------
        ValueError
            If there are not as many values as neurons, a draw is out of range, or parameters contradict each other.
        """
        values = {}
        for name in self.units:
            value = getattr(self, name)
            if isinstance(value, Mapping):
                value = draw_for(value, name, neuron_ids, seed, **_inner(self.limits.get(name, {})))
            elif isinstance(value, tuple):
                if len(value) != len(neuron_ids):
                    raise need(f"{name}: one value for each of the {len(neuron_ids)} neurons", f"{len(value)}")
                value = np.array(value)
            values[name] = value
        self._agree(**{name: np.asarray(value) for name, value in values.items()})
        return self._with(**values)

    def _with(self: Model, **values: Any) -> Model:
        """Return a copy that has other values, which are taken as they are."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        for name, value in values.items():
            object.__setattr__(made, name, value)
        return made

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        raise NotImplementedError

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start ``(presentation, neuron)``, in SI units.

        Parameters
        ----------
        current
            ``(presentation, neuron)`` in nA, gain included.
        normal
            Gives standard normal numbers ``(presentation, neuron)`` for a name.
        dt
            Step, in s.
        """
        raise NotImplementedError

    def operations(self, brian2: ModuleType, group: Any, shape: tuple[int, ...], grid: Any) -> list[Any]:
        """Return further objects of the network: what acts between the neurons of a presentation.

        Parameters
        ----------
        brian2
            The module.
        group
            The group, its elements in the order of ``shape`` (presentation, neuron).
        shape, grid
            Presentations and neurons, and the grid.
        """
        return []

    def check(self, dt: float) -> None:
        """Raise where a step of ``dt`` s is too long for a time constant.

        Raises
        ------
        ValueError
            With the time constant.
        """
        for name, unit in self.units.items():
            value = getattr(self, name)
            if unit == "s" and not isinstance(value, Mapping):
                fits(dt, name, float(np.min(value)))


def varying(value: Any, name: str, unit: str, **limits: float) -> Parameter:
    """Return a float, a checked distribution, or one value a neuron as a tuple.

    Raises
    ------
    TypeError, ValueError
        If it is none of them, of another unit or out of range.
    """
    if isinstance(value, xr.DataArray):
        if value.dims not in ((), ("neuron",)):
            raise need(f"{name}: one value a neuron, dims ('neuron',)", f"dims {value.dims}")
        value = value.values
    if isinstance(value, Mapping):
        return checked(value, name, unit=unit)
    many = isinstance(value, Sequence) and not isinstance(value, (str, bytes))
    if many or (isinstance(value, np.ndarray) and value.ndim == 1):
        if not len(value):
            raise need(f"{name}: a number, a distribution, or one value a neuron", "no value")
        return tuple(bare(one, unit, f"{name}, neuron {k}", **limits) for k, one in enumerate(value))
    return bare(value, unit, name, **limits)


def _inner(limits: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in limits.items() if name in ("low", "above")}


def fits(dt: float, name: str, value: float) -> None:
    """Raise if a step of ``dt`` s is longer than a time of ``value`` s.

    Raises
    ------
    ValueError
        With both.
    """
    if dt > value * (1 + 1e-9):
        raise need(f"a step dt no longer than {name} = {value:g} s", f"dt = {dt:g} s", f"Use dt={value / 2:g} or less")


def refractory_steps(refractory: Any, dt: float) -> Any:
    """Return the refractory period in whole steps, as Brian2 counts it."""
    return np.floor(np.asarray(refractory) / dt + 1e-3)
