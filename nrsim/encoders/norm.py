"""Norm-referenced neurons: a face is a difference from the norm of its head shape."""

from __future__ import annotations

import copy
import warnings
from typing import Self

import numpy as np

from nrsim import seeds
from nrsim.encoders.referenced import NormReferenced
from nrsim.encoders.rules import RULES, WITHOUT_EXPONENT, norm_activity
from nrsim.errors import NotFittedError, need, unknown
from nrsim.quantities import bare, whole

NEUTRAL = "neutral"


class NormEncoder(NormReferenced):
    """The norm-referenced family.

    With u the features of a stimulus, r the norm of its domain, d = u − r, t = u_prototype − r_source,
    n = t / ‖t‖ and cos θ = n·d / ‖d‖, the activity of a neuron is

    - ``"general"``: ‖d‖ ((1 + cos θ) / 2)^ν; at ν = 1 it is ½ (‖d‖ + n·d) (Giese & Leopold 2005)
    - ``"linear"``: ½ (‖d‖₁ + n·d) with n scaled so that max \\|n_j\\| = 1 (Stettler et al. 2020, ICANN): a sum over
      on- and off-difference cells with weights between 0 and 1
    - ``"rectified"``: ‖d‖ [cos θ]₊^ν (Stettler et al. 2020, with ν = 2)
    - ``"direction"``: [cos θ]₊ (same)
    - ``"expressivity"``: (‖d‖ / ‖t‖) [cos θ]₊^ν (same)
    - ``"projection"``: [n·d]₊ (follow-up code of Stettler et al. 2023)
    - ``"landmark"``: [Σ_m (d_m·t_m / ‖t_m‖)^ν]₊, the sum over landmarks m, rectified after the sum (Stettler, Lappe,
      Taubert & Giese 2023, with ν = 1). The label ``landmark`` of the features says which belong together. Terms can be
      negative: a whole ν takes them as they are (so an even one forgets their sign), any other the part above 0. A
      landmark that the prototype does not move contributes nothing.

    The directions are learned once, in the domain of the prototypes; the norms come from every domain.

    Parameters
    ----------
    rule
        Which member of the family. Default: the general rule of Giese & Leopold 2005.
    exponent
        ν, dimensionless, above 0; the width of tuning to direction. Default 1, the linear case of Giese & Leopold
        2005; ``linear``, ``direction`` and ``projection`` have none.
    scale
        ``"prototype"``: each neuron's activity is divided by its activity at its own prototype, so that 1 is the
        prototype (chosen: drives then mean the same for every encoder). It leaves each neuron's tuning as it is but
        gives neurons different gains, so compare activities between neurons, to recognise, with ``"none"``.
    threshold
        θ: activity below it is 0. In the units of the rule's activity before ``scale``, which are feature units for
        most rules and 1 for ``direction`` and ``expressivity``. Default 0: none. Stettler et al. 2023 use 5 units of
        4 px. ``fit`` warns of neurons that are silent at their own prototype.
    neutral
        Whether there is one more neuron, which prefers ``"neutral"``: [1 − ½ ‖d‖ / min_k ‖t_k‖]₊ (Stettler et al.
        2020). It is 1 at the norm, whatever the scale, and has no threshold. Default no.

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
    at_prototype_
        Activity of each neuron at its own prototype, ``(neuron,)``.
    adaptation_
        How the norms moved, see :meth:`adapt`; None before.

    Raises
    ------
    ValueError
        If the rule or scale is unknown (the nearest is named), the exponent is not above 0, or is given to a rule that
        has none, or the threshold is below 0.
        From ``fit``, if the rule is ``landmark`` and some feature is of no landmark, or a prototype of an encoder with
        a neutral neuron is called neutral itself.

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

    def __init__(
        self,
        rule: str = "general",
        exponent: float = 1.0,
        scale: str = "prototype",
        threshold: float = 0.0,
        neutral: bool = False,
    ) -> None:
        if rule not in RULES:
            raise unknown("rule of norm-referenced encoding", rule, RULES)
        if scale not in ("prototype", "none"):
            raise unknown("scale", scale, ("prototype", "none"))
        if not isinstance(neutral, (bool, np.bool_)):
            raise need("neutral: True or False", repr(neutral), kind=TypeError)
        self.rule = rule
        self.exponent = bare(exponent, "1", "exponent", above=0)
        if rule in WITHOUT_EXPONENT and self.exponent != 1.0:
            raise need(
                f"no exponent with the rule {rule!r}, which has none",
                f"exponent={self.exponent:g}",
                "Leave it out, or choose a rule with ν: " + ", ".join(n for n in RULES if n not in WITHOUT_EXPONENT),
            )
        self.scale = scale
        self.threshold = bare(threshold, "1", "threshold", low=0)
        self.neutral = bool(neutral)

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        if self.rule == "landmark":
            need_landmarks(self.landmark_)
        if self.neutral and NEUTRAL in self.prefers_:
            raise need(
                "prototypes that are not called 'neutral' beside the neuron that prefers 'neutral'",
                f"{', '.join(map(repr, self.prefers_))}",
                "Leave the neutral faces out of the prototypes: they are the norm",
            )
        super()._learn(prototypes, norms)
        self.shuffles_ = 0
        self._set_scales()
        self._warn_of_silence()

    def _set_scales(self) -> None:
        """Set the activity of each neuron at its own prototype's place, before threshold, ``(neuron,)``."""
        places = self.directions_ * self.lengths_[:, None]
        self.scales_ = np.diag(self._raw(places)).copy() if self.scale == "prototype" else np.ones(len(places))

    def _warn_of_silence(self) -> None:
        """Say which prototypes stay below the threshold: their neurons answer to caricatures at most."""
        own = np.diag(self._raw(self.directions_ * self.lengths_[:, None]))
        silent = own < self.threshold
        if silent.any():
            names = ", ".join(repr(name) for name, quiet in zip(self.prefers_, silent, strict=True) if quiet)
            warnings.warn(
                f"threshold={self.threshold:g} silences neurons at their own prototype: {names}; activity there is "
                f"{own.min():.3g} to {own.max():.3g} before the scale",
                stacklevel=4,
            )

    def _raw(self, difference: np.ndarray) -> np.ndarray:
        return norm_activity(difference, self.directions_, self.lengths_, self.rule, self.exponent, self.landmark_)

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        difference = value - norm
        activity = self._raw(difference)
        activity = np.where(activity < self.threshold, 0.0, activity) / self.scales_
        if not self.neutral:
            return activity
        distance = np.linalg.norm(difference, axis=1)
        rest = np.clip(1.0 - 0.5 * distance / self.lengths_.min(), 0.0, None)
        return np.concatenate([activity, rest[:, None]], axis=1)

    def _at_prototype(self, prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
        activity = self._respond(prototypes, norms)
        n = len(self.directions_)
        own = activity[np.arange(n) % len(prototypes), np.arange(n)]
        return np.append(own, 1.0) if self.neutral else own  # what the neutral neuron stores is the norm

    def _curve(self) -> str:
        return rule_curve(self.rule)

    def _neuron_labels(self) -> dict[str, np.ndarray]:
        """Return ν, which a read-out needs where activity is its power."""
        n = len(self._prefers())
        return {"exponent": np.full(n, self.exponent)} if self.rule == "landmark" else {}

    def with_shuffled_directions(self, *, seed: int, repeats: int = 10) -> Self:
        """Return a control: the same norms, lengths and rule, each direction's components permuted over features.

        A neutral neuron, which has no direction, is not among them.

        Parameters
        ----------
        seed
            Seed of the permutations.
        repeats
            Controls per neuron. Their neurons are named ``norm-shuffled-<repeat>-<prefers>``, their encoder
            ``"norm-shuffled"``.

        Raises
        ------
        NotFittedError
            If the encoder was not fitted.
        """
        if not hasattr(self, "directions_"):
            raise NotFittedError("needed a fitted encoder to shuffle; call fit(features, prototypes=…, norms=…) first")
        repeats = whole(repeats, "repeats", low=1)
        control = copy.copy(self)
        control.name = "norm-shuffled"
        control.shuffles_ = repeats
        control.neutral = False
        control.directions_ = np.stack(
            [
                seeds.stream(seed, "shuffled direction", i, name).permutation(direction)
                for i in range(repeats)
                for name, direction in zip(self.prefers_, self.directions_, strict=True)
            ]
        )
        control.lengths_ = np.tile(self.lengths_, repeats)
        control._set_scales()
        control.at_prototype_ = control._at_prototype(*self.learned_from_)
        control.baseline_ = control._baseline(self.learned_from_[1])
        control.fitted_with_ = {**self.fitted_with_, "shuffles": repeats, "shuffle_seed": seed}
        return control

    def _neuron_ids(self) -> list[str]:
        if not self.shuffles_:
            return [f"{self.name}-{name}" for name in self._prefers()]
        return [f"{self.name}-{i}-{name}" for i in range(self.shuffles_) for name in self.prefers_]

    def _prefers(self) -> list[str]:
        return list(self.prefers_) * max(self.shuffles_, 1) + [NEUTRAL] * self.neutral


def rule_curve(rule: str) -> str:
    """Return how a rule's activity grows with ‖d‖, the direction held: all but two are linear."""
    return {"direction": "", "landmark": "power"}.get(rule, "linear")


def need_landmarks(landmark: np.ndarray | None) -> np.ndarray:
    """Return the landmark of each feature, ``(feature,)``, if all have one."""
    if landmark is None or (landmark == "").any():
        got = "none has it" if landmark is None else f"{int((landmark == '').sum())} of {len(landmark)} are ''"
        raise need(
            "the label 'landmark' on all features for the rule 'landmark'",
            got,
            "Use features of landmarks alone, or another rule",
        )
    return landmark
