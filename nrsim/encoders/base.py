"""What every encoder shares: prototypes and norms chosen by labels, features checked at the door."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import NotFittedError, need
from nrsim.schema import check

Prototypes = Mapping[str, Any]


def prototype_vectors(
    features: xr.Dataset, prototypes: Prototypes, prefers_by: str
) -> tuple[list[str], np.ndarray, list[np.ndarray]]:
    """Return the names, mean vectors ``(neuron, feature)`` and masks of the prototypes.

    ``prototypes`` is either labels → values, one neuron per value of ``prefers_by`` among the stimuli chosen, or
    name → labels → values, one neuron per name.
    """
    if not isinstance(prototypes, Mapping) or not prototypes:
        raise need('prototypes as labels, {"domain": "human", "intensity": 1.0}', repr(prototypes), kind=TypeError)
    masks: dict[str, np.ndarray] = {}
    if all(isinstance(value, Mapping) for value in prototypes.values()):
        for name, wanted in prototypes.items():
            masks[str(name)] = labels.where(features, wanted, what=f"stimuli for the prototype {name!r}")
    else:
        chosen = labels.where(features, prototypes, what="stimuli for the prototypes")
        if prefers_by not in features.coords:
            raise need(
                f"the label {prefers_by!r}, which names the neurons", f"labels {labels.names(features, 'stimulus')}"
            )
        named = np.array([str(value) for value in features[prefers_by].values])
        masks = {str(name): chosen & (named == name) for name in dict.fromkeys(named[chosen])}
    value = features["value"].values.astype(np.float64)
    return list(masks), np.stack([value[mask].mean(axis=0) for mask in masks.values()]), list(masks.values())


def domain_norms(features: xr.Dataset, norms: Any, norm_by: str) -> xr.DataArray:
    """Return the norm of each domain, ``(domain, feature)``: the mean of the stimuli that ``norms`` chooses in it.

    ``norms`` is labels → values, such as ``{"intensity": 0.0}``, or ``"average"``: all stimuli of the domain.
    """
    if norm_by not in features.coords:
        raise need(
            f"the label {norm_by!r} on the stimuli, whose values each have a norm",
            f"labels {labels.names(features, 'stimulus')}",
            "Name another label with norm_by=",
        )
    domains = np.array([str(value) for value in features[norm_by].values])
    if isinstance(norms, Mapping):
        chosen = labels.where(features, norms, what="stimuli for the norms")
    elif norms == "average":
        chosen = np.ones(len(domains), dtype=bool)
    else:
        raise need('norms as labels, {"intensity": 0.0}, or "average"', repr(norms), kind=TypeError)
    value = features["value"].values.astype(np.float64)
    vectors = {name: value[chosen & (domains == name)].mean(axis=0) for name in dict.fromkeys(domains[chosen])}
    return xr.DataArray(
        np.stack(list(vectors.values())),
        dims=("domain", "feature"),
        coords={"domain": list(vectors), "feature_id": features["feature_id"]},
        name="norm",
    )


class Encoder:
    """Base of the encoders: ``fit`` on Features, ``transform`` Features to a FaceCode.

    A colleague's own rule is a subclass with ``_learn`` and ``_respond``, and a ``name``.
    """

    name = "encoder"

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {key: getattr(self, key) for key in inspect.signature(type(self)).parameters}

    def fit(
        self,
        features: xr.Dataset,
        *,
        prototypes: Prototypes,
        norms: Any = None,
        norm_by: str = "domain",
        prefers_by: str = "expression",
    ) -> Self:
        """Learn one neuron per prototype.

        Parameters
        ----------
        features
            Features, ``value (stimulus, feature)``.
        prototypes
            Labels → values of the prototype stimuli, ``{"domain": "human", "intensity": 1.0}``: one neuron for each
            value of ``prefers_by`` among them. Or name → labels → values: one neuron per name. Several stimuli of
            one neuron are averaged.
        norms
            Labels → values of the norm stimuli, ``{"intensity": 0.0}``, averaged within each domain; or
            ``"average"``, the mean of all stimuli of the domain. Encoders without a norm use only those of the
            domains that prototypes come from, as further training stimuli.
        norm_by
            The label each of whose values has its own norm.
        prefers_by
            The label that names the neurons.

        Raises
        ------
        SchemaError
            If ``features`` are no valid Features.
        ValueError
            If no stimulus carries the labels, a prototype's domain has no norm, or a prototype equals its norm.
        """
        features = check(features, "Features")
        if "frame" in features["value"].dims:
            raise need("Features of still faces to learn from", "moving ones with a frame dim", "Select one frame")
        if features["feature_id"].size == 0:
            raise need("at least one feature", "none")
        self.feature_id_ = np.array([str(name) for name in features["feature_id"].values])
        self.prefers_, vectors, masks = prototype_vectors(features, prototypes, prefers_by)
        self.norm_by_ = norm_by
        self.norms_ = domain_norms(features, norms, norm_by) if norms is not None else None
        self.fitted_with_ = {"prototypes": prototypes, "norms": norms, "norm_by": norm_by, "prefers_by": prefers_by}
        norm = self._prototype_norms(features, masks)
        self._learn(vectors, norm)
        self.at_prototype_ = self._at_prototype(vectors, norm)
        return self

    def transform(self, features: xr.Dataset) -> xr.Dataset:
        """Return the FaceCode, ``activity (stimulus, neuron)``, of features with the same feature_id.

        A stimulus without a domain (its label ``norm_by`` is ``''``), such as an object, is held against the nearest
        norm.

        Raises
        ------
        NotFittedError
            If the encoder was not fitted.
        ValueError
            If the features are others than those fitted, or a stimulus's domain has no norm.
        """
        if not hasattr(self, "prefers_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(features, prototypes=…) first")
        features = check(features, "Features")
        if "frame" in features["value"].dims:
            raise need("Features of still faces", "moving ones with a frame dim", "Select one frame")
        got = np.array([str(name) for name in features["feature_id"].values])
        if not np.array_equal(got, self.feature_id_):
            raise need(
                f"the {len(self.feature_id_)} features it was fitted on",
                f"{len(got)} whose feature_id differ",
                "Transform with the same V1 bank and the same fitted features",
            )
        value = features["value"].values.astype(np.float64)
        norm = self._norm_of(features, value)
        activity = self._respond(value, norm)
        distance = None if norm is None else np.linalg.norm(value - norm, axis=1)
        coords = labels.carried(features)
        code = xr.Dataset({"activity": (("stimulus", "neuron"), activity)}, coords)
        code = code.assign_coords(
            neuron_id=("neuron", self._neuron_ids()),
            encoder=("neuron", [self.name] * activity.shape[1]),
            prefers=("neuron", self._prefers()),
            at_prototype=("neuron", self.at_prototype_, {"units": "1"}),
        )
        if distance is not None:
            code = code.assign_coords(distance=("stimulus", distance, {"units": "1"}))
        code["activity"].attrs = {"units": "1", "long_name": "activity"}
        step = f"{type(self).__name__}.transform"
        settings = {**self.get_params(), **self.fitted_with_}
        return provenance.stamp(code, "FaceCode", step, settings, parents=[features])

    def _neuron_ids(self) -> list[str]:
        return [f"{self.name}-{name}" for name in self.prefers_]

    def _prefers(self) -> list[str]:
        return list(self.prefers_)

    def _norm_rows(self, domains: np.ndarray, what: str, value: np.ndarray | None = None) -> np.ndarray:
        """Return the row of each domain in ``norms_``; with ``value (stimulus, feature)``, of '' the nearest norm."""
        if self.norms_ is None:
            raise need("norms, the stimuli that are the norm of each domain", "none", 'Pass norms={"intensity": 0.0}')
        known = [str(name) for name in self.norms_["domain"].values]
        nameless = np.array([str(name) == "" for name in domains], dtype=bool) & ("" not in known)
        missing = sorted({str(name) for name in domains} - set(known) - ({""} if value is not None else set()))
        if missing:
            raise need(
                f"a norm for each {self.norm_by_} {what}",
                f"none for {', '.join(map(repr, missing))} (there are norms for {', '.join(map(repr, known))})",
                "Add a stimulus that `norms` chooses to each of them and fit again",
            )
        rows = np.array([known.index(str(name)) if str(name) in known else 0 for name in domains], dtype=int)
        if value is not None and nameless.any():
            away = value[nameless, None, :] - self.norms_.values[None]
            rows[nameless] = np.linalg.norm(away, axis=2).argmin(axis=1)
        return rows

    def _prototype_norms(self, features: xr.Dataset, masks: list[np.ndarray]) -> np.ndarray | None:
        """Return the norm of each prototype's domain, ``(neuron, feature)``, averaged over its stimuli."""
        if self.norms_ is None:
            return None
        domains = np.array([str(value) for value in features[self.norm_by_].values])
        rows = [self._norm_rows(domains[mask], "that a prototype comes from") for mask in masks]
        return np.stack([self.norms_.values[row].mean(axis=0) for row in rows])

    def _norm_of(self, features: xr.Dataset, value: np.ndarray) -> np.ndarray | None:
        """Return the norm of each stimulus, ``(stimulus, feature)``; None for encoders without a norm."""
        return None

    def _at_prototype(self, prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
        """Return the activity of each neuron at its own prototype, ``(neuron,)``, as ``transform`` would."""
        activity = self._respond(prototypes, norms)
        return activity[np.arange(activity.shape[1]) % len(prototypes), np.arange(activity.shape[1])]

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        raise TypeError(f"{type(self).__name__} needs a method _learn(prototypes, norms)")

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} needs a method _respond(value, norm)")
