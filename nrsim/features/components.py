"""Principal components of features."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import NotFittedError, need
from nrsim.features.base import same_features
from nrsim.quantities import whole
from nrsim.schema import check


class PrincipalComponents:
    """Features projected on the principal components of those that ``fit`` saw (scikit-learn's PCA, exact).

    Parameters
    ----------
    n_components
        How many, at least 1. Giese & Leopold 2005 place such a step between pooling and the face neurons.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> nr.PrincipalComponents(3).fit(features).transform(features).sizes["feature"]
    3
    """

    def __init__(self, n_components: int) -> None:
        self.n_components = whole(n_components, "n_components", low=1)

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {"n_components": self.n_components}

    def fit(self, features: xr.Dataset) -> Self:
        """Learn the components; the largest loading of each is positive, so that signs repeat.

        Raises
        ------
        SchemaError, ValueError
            If these are no Features, hold landmarks that were not seen, or fewer stimuli or features than components.
        """
        from sklearn.decomposition import PCA

        value = _seen(check(features, "Features"))
        value = value.reshape(-1, value.shape[-1])  # frames of moving faces are looked at one by one
        if self.n_components > min(value.shape[0] - 1, value.shape[1]):  # about their mean, n stimuli span n − 1
            raise need(
                f"at least {self.n_components + 1} stimuli and {self.n_components} features for "
                f"{self.n_components} components",
                f"{value.shape[0]} stimuli and {value.shape[1]} features",
            )
        model = PCA(self.n_components, svd_solver="full").fit(value.astype(np.float64))
        largest = np.abs(model.components_).argmax(axis=1)
        signs = np.sign(model.components_[np.arange(self.n_components), largest])
        self.mean_ = model.mean_
        self.components_ = model.components_ * signs[:, None]
        self.explained_variance_ratio_ = model.explained_variance_ratio_
        self.feature_id_ = np.array([str(name) for name in features["feature_id"].values])
        return self

    def transform(self, features: xr.Dataset) -> xr.Dataset:
        """Return Features, ``value (stimulus, feature)``, the features being components.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SchemaError, ValueError
            If these are no Features, others than were fitted, or hold landmarks that were not seen.
        """
        if not hasattr(self, "components_"):
            raise NotFittedError("this PrincipalComponents is not fitted; call fit(features) first")
        got = np.array([str(name) for name in check(features, "Features")["feature_id"].values])
        same_features(self.feature_id_, got, "features")
        value = (_seen(features) - self.mean_) @ self.components_.T
        own = labels.carried(features)
        own |= {name: features[name] for name in ("frame_time", "frame_intensity") if name in features.coords}
        names = [f"component-{i + 1}" for i in range(self.n_components)]
        made = xr.Dataset({"value": (features["value"].dims, value, {"units": "1"})}, own)
        made = made.assign_coords(feature_id=("feature", names))
        step = "PrincipalComponents.transform"
        return check(provenance.stamp(made, "Features", step, self.get_params(), parents=[features]), "Features")


def _seen(features: xr.Dataset) -> np.ndarray:
    """Return the values; a landmark that was not seen has no place on a component."""
    value = features["value"].values
    missing = np.isnan(value).any(axis=tuple(range(1, value.ndim)))
    if missing.any():
        ids = features["stimulus_id"].values[missing]
        raise need(
            "features that are all there for components",
            f"landmarks that were not seen in {len(ids)} stimuli, such as {str(ids[0])!r}",
            "Leave these stimuli or landmarks out",
        )
    return value
