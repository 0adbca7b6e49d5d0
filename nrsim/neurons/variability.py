"""What differs from trial to trial and from neuron to neuron besides the noise of the membrane."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.neurons.noise import GAIN_STEP, normal
from nrsim.quantities import bare
from nrsim.seeds import keys as label_keys


@dataclass(frozen=True)
class Variability:
    r"""Gains of each trial, and neurons that answer earlier or later than others.

    On every trial a neuron's current is multiplied by a gain of its own,

    .. math::

        G = e^{\sigma_p z_p - \sigma_p^2 / 2}\; e^{\sigma_s z_s - \sigma_s^2 / 2}

    with standard normal z; z_p belongs to one neuron and trial, z_s to one trial and all its neurons. With the noise
    of the membrane this makes the Fano factor grow with the mean count, as in face patch AM (1.03 at 0.2 spikes in
    300 ms, 1.2 at 2, 1.4 at 4.5, 2.5 at 10.7; Freiwald & Tsao 2010, recordings).

    Parameters
    ----------
    private_gain_sd
        σ_p, the standard deviation of the logarithm of the private gain. Default 0.3, chosen to give AM's Fano
        factors.
    shared_gain_sd
        σ_s, the same for the gain that all neurons share in a trial. Default 0: off, because AM's neurons were not
        recorded together.
    latency_sd
        Standard deviation across neurons of a delay of the whole drive, in s, cut at two standard deviations and
        rounded to the drive's step. Default 0.012, chosen (AM's latencies have quartiles 97 and 142 ms, in which the
        error of measuring them is included); 0 turns it off.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.Variability(latency_sd=0.02).get_params()["latency_sd"]
    0.02
    """

    private_gain_sd: float = 0.3
    shared_gain_sd: float = 0.0
    latency_sd: float = 0.012

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        for name, unit in (("private_gain_sd", "1"), ("shared_gain_sd", "1"), ("latency_sd", "s")):
            object.__setattr__(self, name, bare(getattr(self, name), unit, name, low=0.0))

    def get_params(self) -> dict[str, float]:
        """Return the parameters by name, in the units of the docstring."""
        return asdict(self)

    def gains(self, presentations: np.ndarray, elements: np.ndarray) -> np.ndarray:
        """Return the factor on the current ``(presentation, neuron)``.

        Parameters
        ----------
        presentations
            ``(presentation,)`` uint64 keys of the presentations.
        elements
            ``(presentation, neuron)`` uint64 keys of each neuron in each presentation.
        """
        private = self.private_gain_sd * normal(elements, GAIN_STEP) - self.private_gain_sd**2 / 2
        shared = self.shared_gain_sd * normal(presentations, GAIN_STEP) - self.shared_gain_sd**2 / 2
        return np.exp(private + shared[:, None])

    def delays(self, seed: int, neuron_ids: np.ndarray) -> np.ndarray:
        """Return how much later each neuron's drive comes, ``(neuron,)`` in s."""
        return np.clip(normal(label_keys(seed, "latency", neuron_ids), 0), -2.0, 2.0) * self.latency_sd


PRESETS = {"AM": Variability(), "none": Variability(private_gain_sd=0.0, latency_sd=0.0)}


def variability_of(value: Any) -> Variability:
    """Return ``value`` if it is a Variability, or the preset of this name.

    Raises
    ------
    TypeError, ValueError
        With what came; an unknown name is told the nearest.
    """
    if isinstance(value, Variability):
        return value
    if isinstance(value, str):
        if value not in PRESETS:
            raise unknown("variability", value, PRESETS)
        return PRESETS[value]
    hint = "Write nr.Variability()" if value is Variability else ""
    names = ", ".join(repr(name) for name in PRESETS)
    raise need(f"variability: one of {names}, or nr.Variability(...)", repr(value), hint, kind=TypeError)
