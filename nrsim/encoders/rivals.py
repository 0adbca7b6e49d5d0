"""The rivals, in their simplest form and trained on the same stimuli: axis and exemplar coding."""

from __future__ import annotations

import numpy as np

from nrsim.encoders.base import Encoder
from nrsim.quantities import bare


class AxisEncoder(Encoder):
    """Axis coding: activity is linear in the features, and flat on all orthogonal axes (Chang & Tsao 2017).

    With c the mean of the training stimuli (the prototypes and the norms of their domains) and u_k a prototype,
    the activity is w·(u − c) with w = (u_k − c) / ‖u_k − c‖²: 0 at the mean, 1 at the prototype, negative beyond.
    One mean serves all domains: that is what sets it apart from a norm for each.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> axis = nr.AxisEncoder().fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0})
    >>> axis.transform(features).sizes["neuron"]
    2
    """

    name = "axis"

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        self.centre_ = _training(prototypes, norms).mean(axis=0)
        difference = prototypes - self.centre_
        squared = (difference**2).sum(axis=1)
        if (squared <= 1e-18 * (1.0 + (self.centre_**2).sum())).any():
            raise ValueError(
                "needed a prototype that differs from the mean of the training stimuli; add norms or prototypes"
            )
        self.axes_ = difference / squared[:, None]

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        return (value - self.centre_) @ self.axes_.T


class ExemplarEncoder(Encoder):
    """Exemplar coding: activity falls with the distance from a stored face, exp(−‖u − u_k‖² / 2σ²).

    Parameters
    ----------
    width
        σ in units of the median distance between the training stimuli (the prototypes and the norms of their
        domains). Default 1 (chosen).

    Raises
    ------
    ValueError
        If the width is not above 0.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> exemplar = nr.ExemplarEncoder().fit(
    ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0})
    >>> float(exemplar.transform(features)["activity"].max())
    1.0
    """

    name = "exemplar"

    def __init__(self, width: float = 1.0) -> None:
        self.width = bare(width, "1", "width", above=0)

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        training = _training(prototypes, norms)
        apart = np.sqrt(_squared_distances(training, training))[np.triu_indices(len(training), 1)]
        apart = apart[apart > 0]
        if apart.size == 0:
            raise ValueError("needed at least two different training stimuli, whose distance sets the width; add norms")
        self.sigma_ = self.width * float(np.median(apart))
        self.exemplars_ = prototypes

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        return np.exp(-_squared_distances(value, self.exemplars_) / (2 * self.sigma_**2))


def _training(prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
    return prototypes if norms is None else np.concatenate([prototypes, np.unique(norms, axis=0)])


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.stack([((a - row) ** 2).sum(axis=1) for row in b], axis=1)
