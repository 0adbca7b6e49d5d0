"""Model neurons: parameters, the equations Brian2 is given, and their exact solution over one step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.linalg import expm

from nrsim.errors import need
from nrsim.quantities import bare

# ζ(1/2)/√(2π): how far, in standard deviations of one step, a threshold that is looked at only between steps
# must be lowered to be met as often as one looked at all the time (Broadie, Glasserman & Kou 1997, theorem 1).
_CONTINUITY = 0.5826


class _Parameters:
    # What neurons that do not spike have; spiking ones say their own.
    spiking: ClassVar[bool] = False
    equations: ClassVar[str]
    step: ClassVar[str]
    threshold: ClassVar[str] = ""
    reset_code: ClassVar[str] = ""
    refractory: float = 0.0

    def get_params(self) -> dict[str, float]:
        """Return the parameters by name, in the units of the docstring."""
        return asdict(self)  # type: ignore[call-overload]

    def _set(self, name: str, unit: str, **limits: float) -> None:
        object.__setattr__(self, name, bare(getattr(self, name), unit, name, **limits))


def _fits(dt: float, **times: float) -> None:
    for name, value in times.items():
        if dt > value * (1 + 1e-9):
            raise need(
                f"a step dt no longer than {name} = {value:g} s", f"dt = {dt:g} s", f"Use dt={value / 2:g} or less"
            )


@dataclass(frozen=True)
class AdaptiveLIF(_Parameters):
    r"""Leaky integrate-and-fire neurons with a spike-triggered adaptation current and membrane noise.

    .. math::

        \tau \dot v = I(t) - w - v + \sigma \sqrt{2\tau}\, \xi(t), \qquad \tau_w \dot w = -w

    A spike when v reaches the rheobase; then v = ``reset``, held there for the refractory period, and w grows by
    ``adaptation``. v is the depolarisation from rest divided by the membrane resistance, in nA: with a resistance of
    100 MΩ, 0.15 nA are 15 mV. Between spikes each step is the exact solution, noise included; the threshold is
    lowered by 0.58 standard deviations of one step's noise, which undoes to first order what is missed between steps
    (Broadie, Glasserman & Kou 1997).

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

    rheobase: float = 0.15
    reset: float = 0.0
    time_constant: float = 0.02
    refractory: float = 0.002
    noise: float = 0.05
    adaptation: float = 0.006
    adaptation_time: float = 0.1

    spiking: ClassVar[bool] = True
    equations: ClassVar[str] = """
        dv/dt = (gain*drive(t_in_timesteps, column) - w - v)/tau + sigma*sqrt(2/tau)*xi : amp (unless refractory)
        dw/dt = -w/tau_w : amp
        gain : 1 (constant)
        column : integer (constant)
        """
    step: ClassVar[str] = """
        v = keep*v + (1 - keep)*gain*drive(t_in_timesteps, column) - spill*w + spread*noise(t_in_timesteps, i)
        w = keep_w*w
        """
    threshold: ClassVar[str] = "v >= v_threshold"
    reset_code: ClassVar[str] = "v = v_reset; w += w_jump"

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        self._set("rheobase", "nA", above=0.0)
        self._set("reset", "nA")
        self._set("time_constant", "s", above=0.0)
        self._set("refractory", "s", low=0.0)
        self._set("noise", "nA", low=0.0)
        self._set("adaptation", "nA", low=0.0)
        self._set("adaptation_time", "s", above=0.0)
        if self.reset >= self.rheobase:
            raise need("a reset below the rheobase", f"reset {self.reset:g} nA, rheobase {self.rheobase:g} nA")

    def constants(self, dt: float) -> dict[str, tuple[float, str]]:
        """Return what the equations and the step name, each with its unit, for steps of ``dt`` s."""
        _fits(dt, refractory=self.refractory, time_constant=self.time_constant, adaptation_time=self.adaptation_time)
        rates = np.array([[-1.0 / self.time_constant, -1.0 / self.time_constant], [0.0, -1.0 / self.adaptation_time]])
        flow = expm(rates * dt)
        spread = self.noise * np.sqrt(-np.expm1(-2.0 * dt / self.time_constant))
        return {
            "tau": (self.time_constant, "second"),
            "tau_w": (self.adaptation_time, "second"),
            "sigma": (self.noise, "namp"),
            "keep": (float(flow[0, 0]), "1"),
            "spill": (float(-flow[0, 1]), "1"),
            "keep_w": (float(flow[1, 1]), "1"),
            "spread": (float(spread), "namp"),
            "v_threshold": (self.threshold_at(dt), "namp"),
            "v_reset": (self.reset, "namp"),
            "w_jump": (self.adaptation, "namp"),
        }

    def threshold_at(self, dt: float) -> float:
        """Return the threshold in nA at which v, looked at every ``dt`` s, stands for the rheobase."""
        return self.rheobase - _CONTINUITY * self.noise * float(np.sqrt(2.0 * dt / self.time_constant))

    def start(self, current: np.ndarray, normal: np.ndarray, dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start, ``(element,)`` in nA: v as without a threshold; at reset where above it."""
        v = current + self.noise * normal
        return {"v": np.where(v < self.threshold_at(dt), v, self.reset)}


@dataclass(frozen=True)
class RateUnits(_Parameters):
    r"""Neurons that give a firing rate instead of spikes: rectified, saturating, with a time constant and noise.

    .. math::

        \tau \dot x = f(I(t)) - x + \sigma \sqrt{2\tau}\, \xi(t), \qquad
        f(I) = r_{max} \frac{[I - I_0]_+}{[I - I_0]_+ + I_{half}}, \qquad \text{firing rate} = [x]_+

    Each step is the exact solution, noise included.

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

    max_firing_rate: float = 100.0
    threshold_current: float = 0.032
    half_current: float = 0.42
    time_constant: float = 0.01
    noise: float = 5.0

    equations: ClassVar[str] = """
        dx/dt = (target - x)/tau + sigma*sqrt(2/tau)*xi : Hz
        above = clip(gain*drive(t_in_timesteps, column) - i_threshold, 0*amp, inf*amp) : amp
        target = x_max*above/(above + i_half) : Hz
        total : Hz
        gain : 1 (constant)
        column : integer (constant)
        """
    step: ClassVar[str] = """
        x = keep*x + (1 - keep)*target + spread*noise(t_in_timesteps, i)
        total = total + clip(x, 0*Hz, inf*Hz)
        """

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        self._set("max_firing_rate", "Hz", above=0.0)
        self._set("threshold_current", "nA")
        self._set("half_current", "nA", above=0.0)
        self._set("time_constant", "s", above=0.0)
        self._set("noise", "Hz", low=0.0)

    def constants(self, dt: float) -> dict[str, tuple[float, str]]:
        """Return what the equations and the step name, each with its unit, for steps of ``dt`` s."""
        _fits(dt, time_constant=self.time_constant)
        keep = float(np.exp(-dt / self.time_constant))
        spread = self.noise * float(np.sqrt(-np.expm1(-2.0 * dt / self.time_constant)))
        return {
            "tau": (self.time_constant, "second"),
            "sigma": (self.noise, "Hz"),
            "keep": (keep, "1"),
            "spread": (spread, "Hz"),
            "x_max": (self.max_firing_rate, "Hz"),
            "i_threshold": (self.threshold_current, "namp"),
            "i_half": (self.half_current, "namp"),
        }

    def start(self, current: np.ndarray, normal: np.ndarray, dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start, ``(element,)`` in Hz: as after a long time at this current."""
        above = np.clip(current - self.threshold_current, 0.0, None)
        return {"x": self.max_firing_rate * above / (above + self.half_current) + self.noise * normal}


Neurons = AdaptiveLIF | RateUnits


def neurons_of(value: Any) -> Neurons:
    """Return ``value`` if it is a model neuron, else raise.

    Raises
    ------
    TypeError
        With what came; a class instead of an instance is recognised.
    """
    if isinstance(value, (AdaptiveLIF, RateUnits)):
        return value
    hint = f"Write {value.__name__}()" if value in (AdaptiveLIF, RateUnits) else ""
    raise need("neurons, such as nr.AdaptiveLIF() or nr.RateUnits()", repr(value), hint, kind=TypeError)
