"""Norm-referenced neurons: a face is a difference from the norm of its head shape."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import xarray as xr

from nrsim import seeds
from nrsim.encoders.base import Encoder
from nrsim.encoders.rules import RULES, norm_activity
from nrsim.errors import unknown
from nrsim.quantities import bare, whole


class NormEncoder(Encoder):
    """The norm-referenced family.

    With u the features of a stimulus, r the norm of its domain, d = u − r, t = u_prototype − r_source,
    n = t / ‖t‖ and cos θ = n·d / ‖d‖, the activity of a neuron is

    - ``"general"``: ‖d‖ ((1 + cos θ) / 2)^ν; at ν = 1 it is ½ (‖d‖ + n·d) (Giese & Leopold 2005)
    - ``"rectified"``: ‖d‖ [cos θ]₊^ν (Stettler et al. 2020, with ν = 2)
    - ``"direction"``: [cos θ]₊ (same)
    - ``"expressivity"``: (‖d‖ / ‖t‖) [cos θ]₊^ν (same)
    - ``"projection"``: [n·d]₊ (follow-up code of Stettler et al. 2023)

    The directions are learned once, in the domain of the prototypes; the norms come from every domain.

    Parameters
    ----------
    rule
        Which member of the family. Default: the general rule of Giese & Leopold 2005.
    exponent
        ν, dimensionless, above 0; the width of tuning to direction. Default 1, the linear case of Giese & Leopold
        2005; ``direction`` and ``projection`` do not use it.
    scale
        ``"prototype"``: each neuron's activity is divided by its activity at its own prototype, so that 1 is the
        prototype (chosen: drives then mean the same for every encoder). It leaves each neuron's tuning as it is but
        gives neurons different gains, so compare activities between neurons, to recognise, with ``"none"``.

    Attributes
    ----------
    norms_
        ``(domain, feature)``.
    directions_
        Unit vectors n, ``(neuron, feature)``.
    lengths_
        ‖t‖, ``(neuron,)``, feature units.
    prefers_
        What each neuron's prototype was.

    Raises
    ------
    ValueError
        If the rule or scale is unknown (the nearest is named) or the exponent is not above 0.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> encoder = nr.NormEncoder(rule="projection").fit(
    ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    >>> code = encoder.transform(features)
    >>> [str(name) for name in code["prefers"].values]
    ['happy', 'angry']
    """

    name = "norm"

    def __init__(self, rule: str = "general", exponent: float = 1.0, scale: str = "prototype") -> None:
        if rule not in RULES:
            raise unknown("rule of norm-referenced encoding", rule, RULES)
        if scale not in ("prototype", "none"):
            raise unknown("scale", scale, ("prototype", "none"))
        self.rule = rule
        self.exponent = bare(exponent, "1", "exponent", above=0)
        self.scale = scale

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        if norms is None:
            self._norm_rows(np.array([]), "")
            return
        difference = prototypes - norms
        lengths = np.linalg.norm(difference, axis=1)
        tiny = lengths <= 1e-9 * (1.0 + np.linalg.norm(norms, axis=1))
        if tiny.any():
            same = ", ".join(repr(self.prefers_[i]) for i in np.flatnonzero(tiny))
            raise ValueError(
                f"needed prototypes that differ from their norm; {same} equals it, so it has no direction. "
                "Choose a prototype of higher intensity"
            )
        self.lengths_ = lengths
        self.directions_ = difference / lengths[:, None]
        self.shuffles_ = 0
        self.learned_from_ = prototypes, norms

    def _norm_of(self, features: xr.Dataset, value: np.ndarray) -> np.ndarray:
        domains = features[self.norm_by_].values if self.norm_by_ in features.coords else None
        if domains is None:
            raise ValueError(f"needed the label {self.norm_by_!r} on the stimuli, to know their norm; it is missing")
        return self.norms_.values[self._norm_rows(domains, "among the stimuli", value)]  # type: ignore[union-attr]

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        activity = norm_activity(value - norm, self.directions_, self.lengths_, self.rule, self.exponent)
        if self.scale == "prototype" and self.rule in ("general", "rectified", "projection"):
            activity = activity / self.lengths_
        return activity

    def with_shuffled_directions(self, *, seed: int, repeats: int = 10) -> Self:
        """Return a control: the same norms, lengths and rule, each direction's components permuted over features.

        Parameters
        ----------
        seed
            Seed of the permutations.
        repeats
            Controls per neuron. Their neurons are named ``norm-shuffled-<repeat>-<prefers>``, their encoder
            ``"norm-shuffled"``.

        Raises
        ------
        ValueError
            If the encoder was not fitted.
        """
        if not hasattr(self, "directions_"):
            raise ValueError("needed a fitted encoder to shuffle; call fit(features, prototypes=…, norms=…) first")
        repeats = whole(repeats, "repeats", low=1)
        control = copy.copy(self)
        control.name = "norm-shuffled"
        control.shuffles_ = repeats
        control.directions_ = np.stack(
            [
                seeds.stream(seed, "shuffled direction", i, name).permutation(direction)
                for i in range(repeats)
                for name, direction in zip(self.prefers_, self.directions_, strict=True)
            ]
        )
        control.lengths_ = np.tile(self.lengths_, repeats)
        control.at_prototype_ = control._at_prototype(*self.learned_from_)
        control.fitted_with_ = {**self.fitted_with_, "shuffles": repeats, "shuffle_seed": seed}
        return control

    def _neuron_ids(self) -> list[str]:
        if not self.shuffles_:
            return super()._neuron_ids()
        return [f"{self.name}-{i}-{name}" for i in range(self.shuffles_) for name in self.prefers_]

    def _prefers(self) -> list[str]:
        return list(self.prefers_) * max(self.shuffles_, 1)
