"""Populations of norm-referenced neurons that differ: in direction, width of tuning, gain and baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import seeds
from nrsim.distributions import Spec, checked, draw
from nrsim.encoders.norm import need_landmarks, rule_curve
from nrsim.encoders.prototypes import texts
from nrsim.encoders.referenced import NormReferenced
from nrsim.encoders.rules import RULES, WITHOUT_EXPONENT, norm_activity
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole

DIRECTIONS = ("prototypes", "scattered", "random")

# Fitted to every other of 193 neurons of face patch AM by tools/fit_population.py and rounded; docs/encoders.md says
# how the other half compares
AM_EXPONENT: Mapping[str, Any] = {"distribution": "lognormal", "median": 4.2, "sigma": 0.5}
AM_GAIN: Mapping[str, Any] = {"distribution": "lognormal", "median": 1.85, "sigma": 0.3}
AM_BASELINE: Mapping[str, Any] = {"distribution": "normal", "mean": -0.3, "sd": 0.5}


class NormPopulation(NormReferenced):
    r"""Many norm-referenced neurons, no two alike.

    .. math:: a_i(d) = b_i + g_i\, \frac{f(d; n_i, \nu_i)}{f(\|t_i\| n_i; n_i, \nu_i)}

    f is a rule of :class:`nrsim.NormEncoder`; b_i, the baseline, is the activity at the norm, and b_i + g_i that of a
    face that lies in the neuron's direction n_i as far out as a prototype. Each of ν, g and b is one number, or a
    distribution that every neuron draws from: ``{"distribution": "lognormal", "median": 1.0, "sigma": 0.5}``,
    ``"normal"`` (mean, sd), ``"uniform"`` (low, high), ``"gamma"`` (mean, shape). Draws depend on the seed and the
    neuron's number alone: the first 50 of 200 neurons are those of a population of 50.

    Parameters
    ----------
    n
        How many neurons. Default 200, about what was recorded in AM (Freiwald & Tsao 2010: 193), and about what
        suffices to tell faces apart (Chang & Tsao 2017).
    directions
        ``"prototypes"``: neuron i has the direction of prototype i modulo their number. ``"scattered"``: that direction
        turned by an angle α towards a random direction of face space. ``"random"``: a random direction of face space.
        Random directions are Gaussian combinations Σ_s w_s d_s, w_s ~ N(0, 1), of the differences of all fitted stimuli
        from their norms: normally distributed with the second moments of the faces about the norm, the same as
        combining their principal components with their variances. Where faces do not vary, no neuron looks.
    scatter
        The angle in degrees: α = \|N(0, scatter)\|, at most 180; only ``"scattered"`` uses it. Default 30, chosen.
    rule
        As for :class:`nrsim.NormEncoder`. Default: the general rule.
    exponent, gain, baseline
        ν, g and b. Defaults: lognormal of median 4.2 and sigma 0.5; lognormal of median 1.85 and sigma 0.3; normal
        of mean −0.3 and standard deviation 0.5. They were fitted to AM neurons (tools/fit_population.py), for the
        general rule, random directions and the drive and neurons that come with nrsim, where activity 0 is about 4.5
        Hz, 1 about 20 Hz and −0.5 about 1 Hz; docs/encoders.md says what they match and what not.
    seed
        Draws everything.

    Attributes
    ----------
    norms_, directions_, lengths_, adaptation_
        As of :class:`nrsim.NormEncoder`; ``lengths_`` is that of the neuron's prototype, of random directions the mean
        of all.
    exponents_, gains_, baselines_
        ``(neuron,)``. They travel as the labels ``exponent``, ``gain`` and ``baseline``.
    prefers_
        The prototypes. The label ``prefers`` of a neuron is the prototype that its direction comes from; of random
        directions the one that lies nearest to it, by angle.

    Raises
    ------
    TypeError, ValueError
        For unknown names (the nearest is given), values out of range, or draws of exponents or gains that are not above
        0. From ``fit``, if the stimuli do not vary about their norms.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> population = nr.NormPopulation(20, exponent=1.0, seed=1).fit(
    ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    >>> code = population.transform(features)
    >>> str(code["neuron_id"].values[0]), dict(code.sizes)
    ('norm-population-000', {'stimulus': 14, 'neuron': 20})
    """

    name = "norm-population"

    def __init__(
        self,
        n: int = 200,
        *,
        directions: str = "scattered",
        scatter: float = 30.0,
        rule: str = "general",
        exponent: Spec = AM_EXPONENT,
        gain: Spec = AM_GAIN,
        baseline: Spec = AM_BASELINE,
        seed: int,
    ) -> None:
        if directions not in DIRECTIONS:
            raise unknown("directions of a population", directions, DIRECTIONS)
        if rule not in RULES:
            raise unknown("rule of norm-referenced encoding", rule, RULES)
        self.n = whole(n, "n", low=1)
        self.directions = directions
        self.scatter = bare(scatter, "degree", "scatter", low=0.0)
        self.rule = rule
        self.exponent = checked(exponent, "exponent", above=0.0)
        if rule in WITHOUT_EXPONENT and self.exponent not in (1.0, dict(AM_EXPONENT)):
            raise need(f"no exponent with the rule {rule!r}, which has none", f"exponent={exponent!r}", "Leave it out")
        self.gain = checked(gain, "gain", above=0.0)
        self.baseline = checked(baseline, "baseline")
        self.seed = whole(seed, "seed")

    def _look_at(self, features: xr.Dataset) -> None:
        """Draw the random directions ``(neuron, feature)`` that the fitted stimuli span."""
        if self.directions == "prototypes":
            return
        value = features["value"].values.astype(np.float64)
        rows = self._norm_rows_of(features, value[:, None], "label", None)
        difference = np.nan_to_num(value - self._norms.values[rows], nan=0.0)
        ids = texts(features, "stimulus_id")
        weights = np.stack([seeds.stream(self.seed, "random direction", name).standard_normal(self.n) for name in ids])
        drawn = weights.T @ difference
        size = np.linalg.norm(drawn, axis=1, keepdims=True)
        if (size <= 1e-12 * (1.0 + np.abs(value[np.isfinite(value)]).max())).any():
            raise need("stimuli that vary about their norms, to draw directions from", "stimuli that are their norms")
        self.drawn_ = drawn / size

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        if self.rule == "landmark":
            need_landmarks(self.landmark_)
        super()._learn(prototypes, norms)
        learned, lengths = self.directions_, self.lengths_
        self.parents_ = np.arange(self.n) % len(learned)
        if self.directions == "random":
            self.parents_ = (self.drawn_ @ learned.T).argmax(axis=1)
            self.directions_, self.lengths_ = self.drawn_, np.full(self.n, lengths.mean())
        else:
            self.directions_, self.lengths_ = learned[self.parents_], lengths[self.parents_]
        if self.directions == "scattered":
            self.directions_ = turned(self.directions_, self.drawn_, self._angles())
        self.exponents_ = draw(self.exponent, "exponent", self.n, self.seed, above=0.0)
        self.gains_ = draw(self.gain, "gain", self.n, self.seed, above=0.0)
        self.baselines_ = draw(self.baseline, "baseline", self.n, self.seed)
        self.scales_ = np.diag(self._raw(self.directions_ * self.lengths_[:, None])).copy()

    def _angles(self) -> np.ndarray:
        spread = {"distribution": "normal", "mean": 0.0, "sd": self.scatter}
        return np.minimum(np.abs(draw(spread, "scatter", self.n, self.seed)), 180.0)

    def _raw(self, difference: np.ndarray) -> np.ndarray:
        return norm_activity(difference, self.directions_, self.lengths_, self.rule, self.exponents_, self.landmark_)

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        return self.baselines_ + self.gains_ * self._raw(value - norm) / self.scales_

    def _at_prototype(self, prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
        return self._respond(prototypes, norms)[self.parents_, np.arange(self.n)]

    def _neuron_ids(self) -> list[str]:
        return [f"{self.name}-{i:03d}" for i in range(self.n)]

    def _prefers(self) -> list[str]:
        return [self.prefers_[i] for i in self.parents_]

    def _neuron_labels(self) -> dict[str, np.ndarray]:
        return {"exponent": self.exponents_, "gain": self.gains_}  # the baseline is a label of every encoder

    def _curve(self) -> str:
        return rule_curve(self.rule)


def turned(directions: np.ndarray, towards: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return unit vectors ``(neuron, feature)`` at ``angles``, degree, from ``directions``, turned ``towards`` others.

    Where the other is parallel, as it must be where faces vary along one direction only, there is nowhere to turn to.
    """
    across = towards - (towards * directions).sum(axis=1, keepdims=True) * directions
    size = np.linalg.norm(across, axis=1, keepdims=True)
    across = np.divide(across, size, out=np.zeros_like(across), where=size > 1e-9)
    angle = np.deg2rad(angles)[:, None] * (size > 1e-9)
    return np.cos(angle) * directions + np.sin(angle) * across
