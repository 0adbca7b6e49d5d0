"""Leaky integrate-and-fire neurons, solved exactly over each step, without a transcendental function in the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nrsim.errors import need
from nrsim.neurons.parameters import Parameter, Parameters, Plan, refractory_steps

# ζ(1/2)/√(2π): how far, in standard deviations of one step, a threshold that is looked at only between steps
# must be lowered to be met as often as one looked at all the time (Broadie, Glasserman & Kou 1997, theorem 1).
_CONTINUITY = 0.5826


@dataclass(frozen=True)
class LIF(Parameters):
    r"""Leaky integrate-and-fire neurons with membrane noise.

    .. math::

        \tau \dot v = I(t) - v + \sigma \sqrt{2\tau}\, \xi(t)

    A spike when v reaches the rheobase; then v = ``reset``, held there for the refractory period. v is the
    depolarisation from rest divided by the membrane resistance, in nA: with a resistance of 100 MΩ, 0.15 nA are 15 mV.
    Between spikes each step is the exact solution, noise included; the threshold is lowered by 0.58 standard
    deviations of one step's noise, which undoes to first order what is missed between steps (Broadie, Glasserman & Kou
    1997). The same seed gives the same spikes on every target.

    Each parameter may be a number, a distribution such as ``{"distribution": "lognormal", "median": 0.02,
    "sigma": 0.2}`` (see :mod:`nrsim.distributions`), or one value a neuron. What varies becomes a label of the
    recording.

    Parameters
    ----------
    rheobase
        The constant current that just makes the neuron fire, in nA. Default 0.15, chosen.
    reset
        v after a spike, in nA. Default 0, chosen.
    time_constant
        Membrane time constant τ, in s. Default 0.02, a usual value for cortical pyramidal cells; chosen.
    refractory
        Absolute refractory period, in s; at least one step. Default 0.002, chosen.
    noise
        Standard deviation σ that v would have without a threshold, in nA. Default 0.05, chosen with the gain of
        :func:`nrsim.simulate` for AM's Fano factors.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.LIF(noise=0.0).get_params()["noise"]
    0.0
    """

    rheobase: Parameter = 0.15
    reset: Parameter = 0.0
    time_constant: Parameter = 0.02
    refractory: Parameter = 0.002
    noise: Parameter = 0.05

    exact: ClassVar[bool] = True
    units: ClassVar[Mapping[str, str]] = {
        "rheobase": "nA",
        "reset": "nA",
        "time_constant": "s",
        "refractory": "s",
        "noise": "nA",
    }
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "rheobase": {"above": 0.0},
        "time_constant": {"above": 0.0},
        "refractory": {"low": 0.0},
        "noise": {"low": 0.0},
    }
    states: ClassVar[Mapping[str, str]] = {"v": "nA"}
    equations: ClassVar[str] = """
        dv/dt = (gain*drive(row(t_in_timesteps), column) - v)/tau + sigma*sqrt(2/tau)*xi : amp
        until : integer
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        free = int(t_in_timesteps >= until)
        v = free*(keep*v + admit*drive(now, column) + spread*noise(key, t_in_timesteps)) + (1 - free)*v_reset
        """
    threshold: ClassVar[str] = "v >= v_threshold"
    reset_code: ClassVar[str] = "v = v_reset; until = t_in_timesteps + hold"

    def _agree(self, **values: np.ndarray) -> None:
        reset, rheobase = np.broadcast_arrays(values["reset"], values["rheobase"])
        wrong = reset >= rheobase
        if wrong.any():
            raise need(
                "a reset below the rheobase", f"reset {reset[wrong][0]:g} nA, rheobase {rheobase[wrong][0]:g} nA"
            )

    def constants(self, dt: float) -> dict[str, tuple[Any, str]]:
        """Return what the equations and the step name, each with its unit, for steps of ``dt`` s."""
        tau = np.asarray(self.time_constant)
        return {
            "tau": (tau, "s"),
            "sigma": (self.noise, "nA"),
            "keep": (np.exp(-dt / tau), "1"),
            "spread": (self.noise * np.sqrt(-np.expm1(-2.0 * dt / tau)), "nA"),
            "v_threshold": (self.threshold_at(dt), "nA"),
            "v_reset": (self.reset, "nA"),
            "hold": (refractory_steps(self.refractory, dt), "steps"),
        }

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        constants = self.constants(dt)
        return Plan(
            self.equations, self.step, self.threshold, self.reset_code, constants, admit=1.0 - constants["keep"][0]
        )

    def threshold_at(self, dt: float) -> Any:
        """Return the threshold in nA at which v, looked at every ``dt`` s, stands for the rheobase."""
        return self.rheobase - _CONTINUITY * np.asarray(self.noise) * np.sqrt(2.0 * dt / np.asarray(self.time_constant))

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: v as without a threshold; at reset where above it."""
        v = current + self.noise * normal("v")
        return {"v": 1e-9 * np.where(v < self.threshold_at(dt), v, self.reset)}


@dataclass(frozen=True)
class AdaptiveLIF(LIF):
    r"""Leaky integrate-and-fire neurons with a spike-triggered adaptation current and membrane noise.

    .. math::

        \tau \dot v = I(t) - w - v + \sigma \sqrt{2\tau}\, \xi(t), \qquad \tau_w \dot w = -w

    As :class:`LIF`, and w grows by ``adaptation`` with every spike.

    Parameters
    ----------
    rheobase, reset, time_constant, refractory, noise
        As for :class:`LIF`.
    adaptation
        What each spike adds to w, in nA. Default 0.006, chosen.
    adaptation_time
        Time constant τ_w of the adaptation current, in s. Default 0.1, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.AdaptiveLIF(noise=0.0).get_params()["noise"]
    0.0
    """

    adaptation: Parameter = 0.006
    adaptation_time: Parameter = 0.1

    units: ClassVar[Mapping[str, str]] = {**LIF.units, "adaptation": "nA", "adaptation_time": "s"}
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        **LIF.limits,
        "adaptation": {"low": 0.0},
        "adaptation_time": {"above": 0.0},
    }
    states: ClassVar[Mapping[str, str]] = {"v": "nA", "w": "nA"}
    equations: ClassVar[str] = """
        dv/dt = (gain*drive(row(t_in_timesteps), column) - w - v)/tau + sigma*sqrt(2/tau)*xi : amp
        dw/dt = -w/tau_w : amp
        until : integer
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        free = int(t_in_timesteps >= until)
        fresh = keep*v + admit*drive(now, column) - spill*w + spread*noise(key, t_in_timesteps)
        v = free*fresh + (1 - free)*v_reset
        w = keep_w*w
        """
    reset_code: ClassVar[str] = "v = v_reset; w += w_jump; until = t_in_timesteps + hold"

    def constants(self, dt: float) -> dict[str, tuple[Any, str]]:
        """Return what the equations and the step name, each with its unit, for steps of ``dt`` s."""
        tau, tau_w = np.asarray(self.time_constant), np.asarray(self.adaptation_time)
        between = dt / tau - dt / tau_w
        spill = np.exp(-dt / tau) * (dt / tau) * _mean_growth(between)
        return {
            **super().constants(dt),
            "tau_w": (tau_w, "s"),
            "spill": (spill, "1"),
            "keep_w": (np.exp(-dt / tau_w), "1"),
            "w_jump": (self.adaptation, "nA"),
        }


def _mean_growth(x: np.ndarray) -> np.ndarray:
    """Return (eˣ − 1) / x, 1 at 0."""
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, 1.0, np.expm1(safe) / safe)
