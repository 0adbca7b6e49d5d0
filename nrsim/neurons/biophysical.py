"""Neurons in millivolt: adaptive exponential, and conductance-based integrate-and-fire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nrsim.errors import need
from nrsim.neurons.parameters import Parameter, Parameters, Plan, fits, refractory_steps


def _below(values: Mapping[str, np.ndarray], *names: str) -> None:
    """Raise unless the named values increase."""
    for low, high in zip(names[:-1], names[1:], strict=True):
        a, b = np.broadcast_arrays(values[low], values[high])
        if (a >= b).any():
            k = np.flatnonzero(a >= b)[0]
            raise need(f"{low} below {high}", f"{low} {a.flat[k]:g}, {high} {b.flat[k]:g}")


def _leak_fits(dt: float, capacitance: Parameter, leak: Parameter) -> None:
    if not isinstance(capacitance, Mapping) and not isinstance(leak, Mapping):
        fits(dt, "capacitance/leak", float(np.min(np.asarray(capacitance) / np.asarray(leak))) * 1e-3)


@dataclass(frozen=True)
class AdEx(Parameters):
    r"""Adaptive exponential integrate-and-fire neurons (Brette & Gerstner 2005) with membrane noise.

    .. math::

        C \dot v &= -g_L (v - E_L) + g_L \Delta_T e^{(v - V_T)/\Delta_T} - w + I(t)
        + \sigma\, C \sqrt{2/\tau}\, \xi(t), \qquad \tau = C/g_L \\
        \tau_w \dot w &= a (v - E_L) - w

    A spike when v passes ``peak``; then v = ``reset``, held for the refractory period, and w grows by b
    (``spike_adaptation``). Each step is exact in the leak and the noise and of second order in the exponential
    (exponential time differencing with one predictor). At 0.1 ms firing rates are within 0.5 % of the limit; the
    exponential wants steps of 0.5 ms or less.

    Parameters may vary from neuron to neuron, as in :class:`nrsim.LIF`.

    Parameters
    ----------
    capacitance
        C, in pF. Default 200, chosen for a membrane time constant of 20 ms.
    leak
        g_L, in nS. Default 10, chosen (100 MΩ).
    rest
        E_L, in mV. Default -70, chosen.
    threshold
        V_T, in mV: where the exponential takes off. Default -53, chosen for a rheobase of 0.15 nA, as
        :class:`nrsim.LIF` has.
    sharpness
        Δ_T, in mV. Default 2, the value of Brette & Gerstner 2005.
    peak
        Where a spike is counted, in mV; more than V_T. Default 0, chosen.
    reset
        v after a spike, in mV. Default -65, chosen.
    refractory
        Absolute refractory period, in s; at least one step. Default 0.002, chosen.
    noise
        Standard deviation σ that v would have with the leak alone, in mV. Default 4, chosen.
    adaptation
        a, in nS. Default 0.5, chosen.
    spike_adaptation
        b, in nA. Default 0.006, chosen.
    adaptation_time
        τ_w, in s. Default 0.1, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.AdEx(sharpness=3).get_params()["sharpness"]
    3.0
    """

    capacitance: Parameter = 200.0
    leak: Parameter = 10.0
    rest: Parameter = -70.0
    threshold: Parameter = -53.0
    sharpness: Parameter = 2.0
    peak: Parameter = 0.0
    reset: Parameter = -65.0
    refractory: Parameter = 0.002
    noise: Parameter = 4.0
    adaptation: Parameter = 0.5
    spike_adaptation: Parameter = 0.006
    adaptation_time: Parameter = 0.1

    units: ClassVar[Mapping[str, str]] = {
        "capacitance": "pF",
        "leak": "nS",
        "rest": "mV",
        "threshold": "mV",
        "sharpness": "mV",
        "peak": "mV",
        "reset": "mV",
        "refractory": "s",
        "noise": "mV",
        "adaptation": "nS",
        "spike_adaptation": "nA",
        "adaptation_time": "s",
    }
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        **{name: {"above": 0.0} for name in ("capacitance", "leak", "sharpness", "adaptation_time")},
        **{name: {"low": 0.0} for name in ("refractory", "noise")},
    }
    states: ClassVar[Mapping[str, str]] = {"v": "mV", "w": "nA"}
    equations: ClassVar[str] = """
        dv/dt = (e_leak - v + delta*exp((v - v_soft)/delta) + (admit*drive(row(t_in_timesteps), column) - w)/g_leak)/tau
                + sigma*sqrt(2/tau)*xi : volt
        dw/dt = (a*(v - e_leak) - w)/tau_w : amp
        until : integer
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        free = int(t_in_timesteps >= until)
        first = delta*exp((clip(v, -inf*volt, v_peak) - v_soft)/delta)
        guess = keep*v + (1 - keep)*(e_leak + first + (admit*drive(now, column) - w)/g_leak)
        second = delta*exp((clip(guess, -inf*volt, v_peak) - v_soft)/delta)
        fresh = guess + late*(second - first) + spread*noise(key, t_in_timesteps)
        next_v = free*clip(fresh, -inf*volt, v_peak) + (1 - free)*v_reset
        w = keep_w*w + (1 - keep_w)*a*(0.5*(v + next_v) - e_leak)
        v = next_v
        """

    def _agree(self, **values: np.ndarray) -> None:
        _below(values, "reset", "peak")
        _below(values, "threshold", "peak")

    def check(self, dt: float) -> None:
        """Raise where a step of ``dt`` s is too long for a time constant."""
        super().check(dt)
        _leak_fits(dt, self.capacitance, self.leak)

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        tau = np.asarray(self.capacitance) / np.asarray(self.leak) * 1e-3
        keep, keep_w = np.exp(-dt / tau), np.exp(-dt / np.asarray(self.adaptation_time))
        constants = {
            "tau": (tau, "s"),
            "tau_w": (self.adaptation_time, "s"),
            "sigma": (self.noise, "mV"),
            "e_leak": (self.rest, "mV"),
            "g_leak": (self.leak, "nS"),
            "delta": (self.sharpness, "mV"),
            "v_soft": (self.threshold, "mV"),
            "v_peak": (self.peak, "mV"),
            "v_reset": (self.reset, "mV"),
            "a": (self.adaptation, "nS"),
            "w_jump": (self.spike_adaptation, "nA"),
            "keep": (keep, "1"),
            "keep_w": (keep_w, "1"),
            "late": (1.0 - (1.0 - keep) * tau / dt, "1"),
            "spread": (self.noise * np.sqrt(-np.expm1(-2.0 * dt / tau)), "mV"),
            "hold": (refractory_steps(self.refractory, dt), "steps"),
        }
        reset = "v = v_reset; w += w_jump; until = t_in_timesteps + hold"
        return Plan(self.equations, self.step, "v >= v_peak", reset, constants)

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: v as with the leak alone, at rest where that would spike soon."""
        v = self.rest + current * 1e3 / self.leak + self.noise * normal("v")
        return {"v": 1e-3 * np.where(v < self.threshold, v, self.rest), "w": np.zeros_like(v)}


@dataclass(frozen=True)
class ConductanceLIF(Parameters):
    r"""Integrate-and-fire neurons whose input is conductances: it shunts, and it saturates.

    .. math::

        C \dot v &= -g_L (v - E_L) - g_e (v - E_e) - g_i (v - E_i) \\
        \tau_e \dot g_e &= \bar g_e + \frac{[I(t)]_+}{E_e - V_\theta} - g_e + \sigma_e \sqrt{2 \tau_e}\, \xi_e(t),
        \qquad \tau_i \dot g_i = \bar g_i + \frac{[-I(t)]_+}{V_\theta - E_i} - g_i + \sigma_i \sqrt{2 \tau_i}\, \xi_i(t)

    The drive I, in nA, opens as much conductance as would pass this current at the threshold V_θ; a negative drive
    opens inhibitory conductance. Background conductances fluctuate (a point-conductance model, Destexhe et al. 2001);
    below 0 they count as 0. A spike when v reaches V_θ; then v = ``reset``, held for the refractory period. Each step
    is exact for the conductances, and for v with the conductances held at their mean over the step's ends.

    Parameters may vary from neuron to neuron, as in :class:`nrsim.LIF`.

    Parameters
    ----------
    capacitance
        C, in pF. Default 200, chosen.
    leak
        g_L, in nS. Default 10, chosen.
    rest, excitatory_reversal, inhibitory_reversal
        E_L, E_e, E_i, in mV. Defaults -70, 0 and -75, usual values; chosen.
    threshold, reset
        V_θ and v after a spike, in mV. Defaults -55 and -65, chosen.
    refractory
        Absolute refractory period, in s; at least one step. Default 0.002, chosen.
    excitation, inhibition
        Background conductances, in nS. Defaults 1 and 3, chosen.
    excitation_noise, inhibition_noise
        σ_e and σ_i, in nS. Defaults 0.8 and 1.5, chosen.
    excitation_time, inhibition_time
        τ_e and τ_i, in s. Defaults 0.003 and 0.01, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.ConductanceLIF(inhibition=5).get_params()["inhibition"]
    5.0
    """

    capacitance: Parameter = 200.0
    leak: Parameter = 10.0
    rest: Parameter = -70.0
    excitatory_reversal: Parameter = 0.0
    inhibitory_reversal: Parameter = -75.0
    threshold: Parameter = -55.0
    reset: Parameter = -65.0
    refractory: Parameter = 0.002
    excitation: Parameter = 1.0
    inhibition: Parameter = 3.0
    excitation_noise: Parameter = 0.8
    inhibition_noise: Parameter = 1.5
    excitation_time: Parameter = 0.003
    inhibition_time: Parameter = 0.01

    units: ClassVar[Mapping[str, str]] = {
        "capacitance": "pF",
        "leak": "nS",
        "rest": "mV",
        "excitatory_reversal": "mV",
        "inhibitory_reversal": "mV",
        "threshold": "mV",
        "reset": "mV",
        "refractory": "s",
        "excitation": "nS",
        "inhibition": "nS",
        "excitation_noise": "nS",
        "inhibition_noise": "nS",
        "excitation_time": "s",
        "inhibition_time": "s",
    }
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        **{name: {"above": 0.0} for name in ("capacitance", "leak", "excitation_time", "inhibition_time")},
        **{
            name: {"low": 0.0}
            for name in ("refractory", "excitation", "inhibition", "excitation_noise", "inhibition_noise")
        },
    }
    states: ClassVar[Mapping[str, str]] = {"v": "mV", "g_e": "nS", "g_i": "nS"}
    equations: ClassVar[str] = """
        dv/dt = (g_leak*(e_leak - v) + g_e*(e_e - v) + g_i*(e_i - v))/c : volt
        dg_e/dt = (rest_e + opens - g_e)/tau_e + sigma_e*sqrt(2/tau_e)*xi_e : siemens
        dg_i/dt = (rest_i + shuts - g_i)/tau_i + sigma_i*sqrt(2/tau_i)*xi_i : siemens
        opens = clip(admit*drive(row(t_in_timesteps), column), 0*amp, inf*amp)/(e_e - v_threshold) : siemens
        shuts = clip(-admit*drive(row(t_in_timesteps), column), 0*amp, inf*amp)/(v_threshold - e_i) : siemens
        until : integer
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        free = int(t_in_timesteps >= until)
        current = admit*drive(now, column)
        old_e = clip(g_e, 0*siemens, inf*siemens)
        old_i = clip(g_i, 0*siemens, inf*siemens)
        full_e = rest_e + clip(current, 0*amp, inf*amp)/(e_e - v_threshold)
        full_i = rest_i + clip(-current, 0*amp, inf*amp)/(v_threshold - e_i)
        g_e = keep_e*g_e + (1 - keep_e)*full_e + spread_e*noise_e(key, t_in_timesteps)
        g_i = keep_i*g_i + (1 - keep_i)*full_i + spread_i*noise_i(key, t_in_timesteps)
        mean_e = 0.5*(old_e + clip(g_e, 0*siemens, inf*siemens))
        mean_i = 0.5*(old_i + clip(g_i, 0*siemens, inf*siemens))
        g_all = g_leak + mean_e + mean_i
        aim = (g_leak*e_leak + mean_e*e_e + mean_i*e_i)/g_all
        v = free*(aim + (v - aim)*exp(-step_c*g_all)) + (1 - free)*v_reset
        """

    def _agree(self, **values: np.ndarray) -> None:
        _below(values, "reset", "threshold", "excitatory_reversal")
        _below(values, "inhibitory_reversal", "threshold")

    def check(self, dt: float) -> None:
        """Raise where a step of ``dt`` s is too long for a time constant."""
        super().check(dt)
        _leak_fits(dt, self.capacitance, self.leak)

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        constants = {
            "c": (self.capacitance, "pF"),
            "step_c": (dt * 1e3 / np.asarray(self.capacitance), "1/nS"),
            "g_leak": (self.leak, "nS"),
            "e_leak": (self.rest, "mV"),
            "e_e": (self.excitatory_reversal, "mV"),
            "e_i": (self.inhibitory_reversal, "mV"),
            "v_threshold": (self.threshold, "mV"),
            "v_reset": (self.reset, "mV"),
            "hold": (refractory_steps(self.refractory, dt), "steps"),
        }
        for letter, name in (("e", "excitation"), ("i", "inhibition")):
            tau, sigma = np.asarray(getattr(self, f"{name}_time")), getattr(self, f"{name}_noise")
            constants |= {
                f"rest_{letter}": (getattr(self, name), "nS"),
                f"tau_{letter}": (tau, "s"),
                f"sigma_{letter}": (sigma, "nS"),
                f"keep_{letter}": (np.exp(-dt / tau), "1"),
                f"spread_{letter}": (sigma * np.sqrt(-np.expm1(-2.0 * dt / tau)), "nS"),
            }
        noise = {"noise_e": ("normal", "e"), "noise_i": ("normal", "i")}
        reset = "v = v_reset; until = t_in_timesteps + hold"
        return Plan(self.equations, self.step, "v >= v_threshold", reset, constants, functions=noise)

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: conductances as after a long time, v where they pull it, at rest if above."""
        push = np.clip(current, 0, None) * 1e3 / (self.excitatory_reversal - np.asarray(self.threshold))
        pull = np.clip(-current, 0, None) * 1e3 / (np.asarray(self.threshold) - self.inhibitory_reversal)
        g_e, g_i = self.excitation + push, self.inhibition + pull
        aim = self.leak * np.asarray(self.rest) + g_e * self.excitatory_reversal + g_i * self.inhibitory_reversal
        v = aim / (self.leak + g_e + g_i)
        return {
            "v": 1e-3 * np.where(v < self.threshold, v, self.reset),
            "g_e": 1e-9 * (g_e + self.excitation_noise * normal("g_e")),
            "g_i": 1e-9 * (g_i + self.inhibition_noise * normal("g_i")),
        }
