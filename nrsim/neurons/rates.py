"""Neurons that give a firing rate instead of spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nrsim.neurons.parameters import Parameter, Parameters, Plan


@dataclass(frozen=True)
class RateUnits(Parameters):
    r"""Neurons that give a firing rate instead of spikes: rectified, saturating, with a time constant and noise.

    .. math::

        \tau \dot x = f(I(t)) - x + \sigma \sqrt{2\tau}\, \xi(t), \qquad
        f(I) = r_{max} \frac{[I - I_0]_+}{[I - I_0]_+ + I_{half}}, \qquad \text{firing rate} = [x]_+

    Each step is the exact solution, noise included. Parameters may vary from neuron to neuron, as in
    :class:`nrsim.LIF`.

    Parameters
    ----------
    max_firing_rate
        r_max, in Hz. Default 100, chosen.
    threshold_current
        I₀, in nA. Default 0.032, chosen.
    half_current
        How far above I₀ the current must be for half of r_max, in nA. Default 0.42, chosen with I₀ so that
        :func:`nrsim.present` gives about 4 Hz at rest and about 20 Hz for a prototype.
    time_constant
        τ, in s. Default 0.01, chosen.
    noise
        Standard deviation σ of x, in Hz. Default 5, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.RateUnits(max_firing_rate=80).get_params()["max_firing_rate"]
    80.0
    """

    max_firing_rate: Parameter = 100.0
    threshold_current: Parameter = 0.032
    half_current: Parameter = 0.42
    time_constant: Parameter = 0.01
    noise: Parameter = 5.0

    spiking: ClassVar[bool] = False
    units: ClassVar[Mapping[str, str]] = {
        "max_firing_rate": "Hz",
        "threshold_current": "nA",
        "half_current": "nA",
        "time_constant": "s",
        "noise": "Hz",
    }
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        "max_firing_rate": {"above": 0.0},
        "half_current": {"above": 0.0},
        "time_constant": {"above": 0.0},
        "noise": {"low": 0.0},
    }
    states: ClassVar[Mapping[str, str]] = {"x": "Hz"}
    equations: ClassVar[str] = """
        dx/dt = (target - x)/tau + sigma*sqrt(2/tau)*xi : Hz
        above = clip(admit*drive(row(t_in_timesteps), column) - i_threshold, 0*amp, inf*amp) : amp
        target = x_max*above/(above + i_half) : Hz
        total : Hz
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        over = clip(admit*drive(now, column) - i_threshold, 0*amp, inf*amp)
        x = keep*x + (1 - keep)*(x_max*over/(over + i_half)) + spread*noise(key, t_in_timesteps)
        total = total + clip(x, 0*Hz, inf*Hz)
        """

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        tau = np.asarray(self.time_constant)
        constants = {
            "tau": (tau, "s"),
            "sigma": (self.noise, "Hz"),
            "keep": (np.exp(-dt / tau), "1"),
            "spread": (self.noise * np.sqrt(-np.expm1(-2.0 * dt / tau)), "Hz"),
            "x_max": (self.max_firing_rate, "Hz"),
            "i_threshold": (self.threshold_current, "nA"),
            "i_half": (self.half_current, "nA"),
        }
        return Plan(self.equations, self.step, constants=constants)

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: as after a long time at this current."""
        above = np.clip(current - self.threshold_current, 0.0, None)
        return {"x": self.max_firing_rate * above / (above + self.half_current) + self.noise * normal("x")}
