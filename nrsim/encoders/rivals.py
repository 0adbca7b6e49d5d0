"""The rivals, in their simplest form and trained on the same stimuli: axis and exemplar coding."""

from __future__ import annotations

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.encoders.base import Encoder
from nrsim.encoders.prototypes import mean_seen
from nrsim.errors import NotFittedError
from nrsim.quantities import bare
from nrsim.schema import check


class AxisEncoder(Encoder):
    """Axis coding: activity is linear in the features, and flat on all orthogonal axes (Chang & Tsao 2017).

    With c the mean of the training stimuli (the prototypes and the norms of their domains) and u_k a prototype,
    the activity is w·(u − c) with w = (u_k − c) / ‖u_k − c‖²: 0 at the mean, 1 at the prototype, negative beyond.
    One mean serves all domains: that is what sets it apart from a norm for each. What changes a face along no axis
    changes no neuron: the null space, see :meth:`null_projection`. A landmark that was not seen counts as being at the
    mean.

    Attributes
    ----------
    axes_
        w, ``(neuron, feature)``.
    centre_
        c, ``(feature,)``.
    baseline_
        Activity at the norm that each prototype came with, ``(neuron,)``; None without norms. It travels as the label
        ``baseline``: a read-out needs it to know where intensity 0 is.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> axis = nr.AxisEncoder().fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0})
    >>> axis.transform(features).sizes["neuron"]
    2
    """

    name = "axis"
    curve = "linear"

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        self.centre_ = mean_seen(_training(prototypes, norms))
        difference = np.nan_to_num(prototypes - self.centre_, nan=0.0)
        squared = (difference**2).sum(axis=1)
        if (squared <= 1e-18 * (1.0 + np.nansum(self.centre_**2))).any():
            raise ValueError(
                "needed a prototype that differs from the mean of the training stimuli; add norms or prototypes"
            )
        self.axes_ = difference / squared[:, None]

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        return np.nan_to_num(value - self.centre_, nan=0.0) @ self.axes_.T

    def null_projection(self, features: xr.Dataset) -> xr.Dataset:
        """Return what of the features no axis sees: u without the part of u − c in the span of the axes.

        All neurons are at 0 for it. Two faces with the same null projection, and the same activity, are the same.

        Parameters
        ----------
        features
            Features, with the feature_id of those that were fitted.

        Returns
        -------
        xarray.Dataset
            Features of the same shape. A landmark that was not seen stays NaN.

        Raises
        ------
        NotFittedError
            If the encoder was not fitted.
        ValueError
            If the features are others than those fitted.

        Examples
        --------
        >>> import nrsim as nr
        >>> features = nr.example("Features")
        >>> axis = nr.AxisEncoder().fit(
        ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0})
        >>> bool(abs(axis.transform(axis.null_projection(features))["activity"]).max() < 1e-9)
        True
        """
        if not hasattr(self, "axes_"):
            raise NotFittedError("this AxisEncoder is not fitted; call fit(features, prototypes=…) first")
        value = self._values(features)
        _, strength, basis = np.linalg.svd(self.axes_, full_matrices=False)
        basis = basis[strength > 1e-9 * strength[0]]
        difference = np.nan_to_num(value - self.centre_, nan=0.0)
        left = value - (difference @ basis.T) @ basis
        made = features.copy()
        made["value"] = (features["value"].dims, left.reshape(features["value"].shape), features["value"].attrs)
        step = "AxisEncoder.null_projection"
        return check(provenance.stamp(made, "Features", step, self.fitted_with_, parents=[features]), "Features")


class ExemplarEncoder(Encoder):
    """Exemplar coding: activity falls with the distance from a stored face, exp(−‖u − u_k‖² / 2σ²).

    Of a landmark that was not seen, in the stimulus or in the stored face, the distance knows nothing: it counts as
    the mean of what was seen does (‖u − u_k‖² is the mean over what was seen times the number of features). A face that
    shows nothing of what was stored gives 0.

    Parameters
    ----------
    width
        σ in units of the median distance between the training stimuli (the prototypes and the norms of their
        domains). Default 1 (chosen).

    Attributes
    ----------
    exemplars_
        The stored faces u_k, ``(neuron, feature)``.
    sigma_
        σ, feature units.
    baseline_
        Activity at the norm that each prototype came with, ``(neuron,)``; None without norms.

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
    curve = "gaussian"

    def __init__(self, width: float = 1.0) -> None:
        self.width = bare(width, "1", "width", above=0)

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        training = _training(prototypes, norms)
        apart = np.sqrt(_squared_distances(training, training))[np.triu_indices(len(training), 1)]
        apart = apart[(apart > 0) & np.isfinite(apart)]
        if apart.size == 0:
            raise ValueError("needed at least two different training stimuli, whose distance sets the width; add norms")
        self.sigma_ = self.width * float(np.median(apart))
        self.exemplars_ = prototypes

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        return np.exp(-_squared_distances(value, self.exemplars_) / (2 * self.sigma_**2))


def _training(prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
    """Return the prototypes and each norm once."""
    if norms is None:
        return prototypes
    first = np.unique(np.nan_to_num(norms, nan=np.inf), axis=0, return_index=True)[1]  # NaN equals nothing
    return np.concatenate([prototypes, norms[first]])


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return ``(row of a, row of b)``: the mean over what was seen of both, times the number of features.

    Of rows that show nothing in common it is infinite.
    """
    made = np.empty((len(a), len(b)))
    for i, row in enumerate(b):
        squared = (a - row) ** 2
        seen = np.isfinite(squared).sum(axis=1)
        mean = np.nansum(squared, axis=1) / np.maximum(seen, 1)
        made[:, i] = np.where(seen > 0, mean * squared.shape[1], np.inf)
    return made
