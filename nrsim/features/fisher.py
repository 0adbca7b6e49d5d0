"""A metric in which what varies within a category counts less: Fisher's, with a covariance from other faces."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import NotFittedError, need
from nrsim.features.base import same_features
from nrsim.quantities import bare
from nrsim.schema import check

_MOST = 4096  # features; the covariance of more asks for principal components first


class FisherMetric:
    """Features turned so that the ways in which one expression varies, from face to face, count less than others.

    With W the covariance of differences from the norm within a category, averaged over categories, w its mean variance
    (trace over number of features) and ρ the ridge, the features become A u with A = c (W/w + ρ 1)^−½, symmetric, c so
    that the mean of A's diagonal is 1. Norms, prototypes and stimuli are turned alike, so that a norm-referenced
    neuron's direction in the new features is (W/w + ρ 1)^−½ t: Fisher's discriminant for a prototype against its norm.
    With large ρ the features stay as they are.

    W comes from faces of which there are many, such as those of :func:`nrsim.render_expression_variants`, and not from
    those that are tested.

    Parameters
    ----------
    ridge
        ρ: independent variance of each feature, such as errors of clicking, in mean variances within categories.
        Default 3: the best of 0.3, 1, 3, 10 and 30 on landmarks of rendered faces, over independent errors of 0.3 and
        1 px of 224 px (analyses/run_stettler2023_metric.py).

    Attributes
    ----------
    covariance_
        W/w, ``(feature, feature)``.
    matrix_
        A, ``(feature, feature)``.
    feature_id_
        What the features are.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> metric = nr.FisherMetric().fit(features, label="expression")
    >>> metric.transform(features).sizes["feature"]
    12
    """

    def __init__(self, ridge: float = 3.0) -> None:
        self.ridge = bare(ridge, "1", "ridge", above=0)

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {"ridge": self.ridge}

    def fit(self, features: xr.Dataset, *, label: str, norms: Any = None, norm_by: str = "domain") -> Self:
        """Learn the covariance within categories.

        Differences from the norm are taken within each value of ``norm_by``, and divided there by their root mean
        square, so that a large face, or one that moves more, counts no more than another.

        Parameters
        ----------
        features
            Features of still faces, with several stimuli of each category.
        label
            The label whose values are the categories.
        norms
            Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``.
        norm_by
            The label each of whose values has a norm of its own.

        Raises
        ------
        SchemaError, ValueError
            If these are no Features, values are missing, there is no norm, or no category comes twice.
        """
        value = check(features, "Features")["value"].values.astype(np.float64)
        if value.ndim != 2:
            raise need("Features of still faces to learn from", "moving ones with a frame dim", "Select one frame")
        if value.shape[1] > _MOST:
            raise need(f"at most {_MOST} features", value.shape[1], "Take nr.PrincipalComponents first")
        _whole(value)
        for name in (label, norm_by):
            if name not in features.coords:
                raise need(f"the label {name!r} on the stimuli", f"labels {labels.names(features, 'stimulus')}")
        norm = labels.where(features, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
        face = np.array([str(name) for name in features[norm_by].values])
        difference = np.empty_like(value)
        for name in dict.fromkeys(face):
            here = face == name
            if not (here & norm).any():
                raise need(f"a norm for each {norm_by}", f"none for {str(name)!r}")
            away = value[here] - value[here & norm].mean(axis=0)
            size = np.sqrt((away[~norm[here]] ** 2).mean()) if (~norm[here]).any() else 0.0
            difference[here] = away / size if size > 0 else away
        category = np.array([str(name) for name in features[label].values])
        within = [difference[(category == name) & ~norm] for name in dict.fromkeys(category[~norm])]
        within = [rows for rows in within if len(rows) > 1]
        if not within:
            raise need(f"two or more stimuli of a category ({label})", "each only once")
        covariance = np.mean([np.cov(rows.T).reshape(value.shape[1], -1) for rows in within], axis=0)
        mean = np.trace(covariance) / len(covariance)
        if mean <= 0:
            raise need("stimuli of a category that differ", "the same features in all")
        self.covariance_ = covariance / mean
        strengths, axes = np.linalg.eigh(self.covariance_)
        matrix = (axes / np.sqrt(np.clip(strengths, 0, None) + self.ridge)) @ axes.T
        self.matrix_ = matrix * len(matrix) / np.trace(matrix)
        self.feature_id_ = np.array([str(name) for name in features["feature_id"].values])
        return self

    def transform(self, features: xr.Dataset) -> xr.Dataset:
        """Return Features A u, of the same names: each new feature is the nearest to its old one.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SchemaError, ValueError
            If these are no Features, others than were fitted, or values are missing.
        """
        if not hasattr(self, "matrix_"):
            raise NotFittedError("this FisherMetric is not fitted; call fit(features, label=…) first")
        got = np.array([str(name) for name in check(features, "Features")["feature_id"].values])
        same_features(self.feature_id_, got, "features")
        value = features["value"].values.astype(np.float64)
        _whole(value)
        made = features.assign(value=(features["value"].dims, value @ self.matrix_, features["value"].attrs))
        step = "FisherMetric.transform"
        return check(provenance.stamp(made, "Features", step, self.get_params(), parents=[features]), "Features")


def _whole(value: np.ndarray) -> None:
    if not np.isfinite(value).all():
        raise need("features without NaN, to mix them", "landmarks that were not seen", "Leave out those points")
