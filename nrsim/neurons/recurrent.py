"""Recurrent inhibition: what a population does in one presentation inhibits all of its neurons a little later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from nrsim.errors import need
from nrsim.neurons.grid import Grid
from nrsim.neurons.lif import LIF, AdaptiveLIF
from nrsim.neurons.parameters import Parameters, Plan
from nrsim.neurons.rates import RateUnits
from nrsim.quantities import bare

_DRIVE = ("drive(now, column)", "drive(row(t_in_timesteps), column)")


@dataclass(frozen=True)
class Recurrent(Parameters):
    r"""Neurons that inhibit each other evenly, through one inhibitory pool a presentation.

    .. math::

        \tau_p \dot g_p = \bar r_p(t - \delta) - g_p, \qquad I_{pn}(t) \to I_{pn}(t) - J\, g_p(t)

    r̄_p is the mean firing rate of all neurons in presentation p (a stimulus in a trial): spikes of a step, or the rates
    of rate units. Every neuron of the presentation loses the same current; presentations do not touch each other. Each
    step of g is the exact solution with r̄ constant within it, from g = 0 at the beginning of the warm-up; a step's
    activity acts from the next step on. ``record="inhibition"`` keeps J g, in nA.

    What a neuron does now depends on which other neurons are simulated, but not on their order, ``block`` or
    ``workers``. With one neuron it inhibits itself. Runs on the NumPy and Cython targets.

    Parameters
    ----------
    neurons
        :class:`nrsim.LIF`, :class:`nrsim.AdaptiveLIF` or :class:`nrsim.RateUnits`.
    inhibition
        J, in nA for each Hz of the population's mean rate. 0 is no inhibition. Default 0.004, chosen: 20 Hz take
        away 0.08 nA, somewhat more than half of what a prototype adds by :func:`nrsim.present`.
    time_constant
        τ_p, in s. Default 0.03, chosen.
    delay
        δ, in s; in whole steps. Default 0.02, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range, or the neurons are of another model.

    Examples
    --------
    >>> import nrsim as nr
    >>> recording = nr.simulate(nr.example("Drive"), nr.Recurrent(nr.AdaptiveLIF()), trials=2, seed=1)
    >>> recording["spike_count"].dims
    ('stimulus', 'trial', 'neuron', 'time')
    """

    neurons: Any
    inhibition: float = 0.004
    time_constant: float = 0.03
    delay: float = 0.02

    standalone: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        if not isinstance(self.neurons, (LIF, AdaptiveLIF, RateUnits)):
            known = {"LIF": LIF, "AdaptiveLIF": AdaptiveLIF, "RateUnits": RateUnits}
            is_class = any(self.neurons is model for model in known.values())
            raise need(
                "neurons driven by a current alone: nr.LIF(), nr.AdaptiveLIF() or nr.RateUnits()",
                repr(self.neurons),
                f"Write nr.{self.neurons.__name__}()" if is_class else "",
                kind=TypeError,
            )
        for name, unit, limits in (
            ("inhibition", "1", {"low": 0.0}),
            ("time_constant", "s", {"above": 0.0}),
            ("delay", "s", {"low": 0.0}),
        ):
            object.__setattr__(self, name, bare(getattr(self, name), unit, name, **limits))

    @property
    def spiking(self) -> bool:  # type: ignore[override]
        """Whether the neurons spike."""
        return bool(self.neurons.spiking)

    @property
    def states(self) -> Mapping[str, str]:  # type: ignore[override]
        """State variables → units."""
        return {**self.neurons.states, "inhibition": "nA"}

    def labels(self, seed: int, neuron_ids: np.ndarray) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
        """Return the neurons' parameters that vary, as coordinates along ``neuron``."""
        labels: dict[str, tuple[str, np.ndarray, dict[str, str]]] = self.neurons.labels(seed, neuron_ids)
        return labels

    def resolved(self, seed: int, neuron_ids: np.ndarray) -> Recurrent:
        """Return the same with every parameter of the neurons a number or an array ``(neuron,)``."""
        return self._with(neurons=self.neurons.resolved(seed, neuron_ids))

    def check(self, dt: float) -> None:
        """Raise where a step of ``dt`` s is too long for a time constant."""
        self.neurons.check(dt)
        if dt > self.time_constant * (1 + 1e-9):
            raise need(
                f"a step dt no longer than the pool's time_constant = {self.time_constant:g} s", f"dt = {dt:g} s"
            )
        steps = self.delay / dt
        if abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
            raise need("a delay of the pool that is a multiple of dt", f"delay = {self.delay:g} s and dt = {dt:g} s")

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s: the neurons' own, with the inhibition taken off."""
        plan: Plan = self.neurons.plan(dt)
        equations, step = plan.equations, str(plan.step)
        for call in _DRIVE:
            equations = equations.replace(call, f"({call} - inhibition/gain)")
            step = step.replace(call, f"({call} - inhibition/gain)")
        return replace(plan, equations=equations.rstrip() + "\n        inhibition : amp\n", step=step)

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: that of the neurons, without inhibition."""
        state: dict[str, np.ndarray] = self.neurons.start(current, normal, dt)
        return state

    def operations(self, brian2: ModuleType, group: Any, shape: tuple[int, ...], grid: Grid) -> list[Any]:
        """Return the pools of all presentations, as an operation at the end of every step."""
        pool = Pool(shape[0], self.inhibition * 1e-9, self.time_constant, round(self.delay / grid.dt), grid.dt)
        inhibition = group.variables["inhibition"].get_value().reshape(shape)
        rate = self._rates(group, shape, grid.dt)

        def act() -> None:
            inhibition[:] = pool.after(rate())[:, None]

        return [brian2.NetworkOperation(act, clock=group.clock, when="end", name="nrsim_pool")]

    def _rates(self, group: Any, shape: tuple[int, ...], dt: float) -> Callable[[], np.ndarray]:
        """Return what gives the mean firing rate ``(presentation,)`` in Hz in the present step."""
        if not self.spiking:
            x = group.variables["x"].get_value().reshape(shape)
            return lambda: np.maximum(x, 0.0).mean(axis=1)
        spikes = group.variables["_spikespace"].get_value()

        def mean() -> np.ndarray:
            here = spikes[: spikes[-1]] // shape[1]
            return np.bincount(here, minlength=shape[0]) / (shape[1] * dt)

        return mean


class Pool:
    """The inhibitory pools of some presentations: delayed, low-passed rates.

    Parameters
    ----------
    n
        Presentations.
    weight
        Inhibition for each Hz.
    time_constant, delay, dt
        In s, in steps, in s.
    """

    def __init__(self, n: int, weight: float, time_constant: float, delay: int, dt: float) -> None:
        self._weight, self._keep = weight, float(np.exp(-dt / time_constant))
        self._level = np.zeros(n)
        self._waiting = np.zeros((delay + 1, n))
        self._now = 0

    def after(self, rate: np.ndarray) -> np.ndarray:
        """Return the inhibition ``(presentation,)`` that follows a step of mean ``rate (presentation,)`` in Hz."""
        self._waiting[self._now] = rate
        self._now = (self._now + 1) % len(self._waiting)
        self._level += (1.0 - self._keep) * (self._waiting[self._now] - self._level)
        return self._weight * self._level
