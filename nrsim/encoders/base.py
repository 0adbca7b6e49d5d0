"""What every encoder shares: prototypes and norms chosen by labels, features checked at the door."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.encoders import norms as norms_of
from nrsim.encoders.prototypes import Prototypes, need_both_axes, prototype_vectors, texts
from nrsim.errors import NotFittedError, need, unknown
from nrsim.schema import check

CURVES = ("linear", "power", "gaussian", "")


class Encoder:
    """Base of the encoders: ``fit`` on Features, ``transform`` Features to a FaceCode.

    A colleague's own rule is a function given to :class:`nrsim.CustomEncoder`; or a subclass with a ``name`` and

    - ``_learn(prototypes, norms)``: both ``(neuron, feature)``, the norms None where ``fit`` was given none;
    - ``_respond(value, norm)``: both ``(stimulus, feature)``, the activity ``(stimulus, neuron)``. With ``uses_norm``,
      ``norm`` is the norm of each stimulus, and what was not seen (NaN) of either has been made equal to the other, so
      that it differs by 0. Without, ``norm`` is None and NaN stays.

    ``curve`` says how activity grows as the face of a neuron's prototype grows from its norm (0) to itself (1): one of
    :data:`CURVES`, ``""`` where that is not known. A read-out of intensity inverts it.
    """

    name = "encoder"
    uses_norm: bool = False
    curve: str = ""
    learned_directions_: np.ndarray  # (prototype, feature), of those that use a norm

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
        inferred: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Self:
        """Learn from the prototypes, and the norm of every domain.

        Parameters
        ----------
        features
            Features, ``value (stimulus, feature)``.
        prototypes
            Labels → values of the prototype stimuli, ``{"domain": "human", "intensity": 1.0}``: one neuron for each
            value of ``prefers_by`` among them. Or name → labels → values: one neuron per name. Several stimuli of
            one neuron are averaged.
        norms
            Labels → values of the norm stimuli, ``{"intensity": 0.0}``, averaged within each domain; or domain →
            labels → values; or ``"average"``, the mean of all stimuli of the domain; or a DataArray
            ``norm (domain, feature)``. Encoders without a norm use only those of the domains that prototypes come
            from, as further training stimuli.
        norm_by
            The label each of whose values has its own norm.
        prefers_by
            The label that names the neurons.
        inferred
            Domain → labels → values, ``{"macaque": {"expression": "happy", "intensity": 1.0}}``: the norm of that
            domain is inferred from these faces, the mean of u − intensity · t, with t what was learned of the
            expression that each shows (Stettler et al. 2023: r_a = u_a(e) − t_e). It replaces a norm that ``norms``
            chose.

        Raises
        ------
        SchemaError
            If ``features`` are no valid Features.
        TypeError, ValueError
            If no stimulus carries the labels, two prototypes are the same stimuli, a prototype's domain has no norm or
            an inferred one, or a prototype equals its norm.
        """
        features = check(features, "Features")
        if "frame" in features["value"].dims:
            raise need("Features of still faces to learn from", "moving ones with a frame dim", "Select one frame")
        if features["feature_id"].size == 0:
            raise need("at least one feature", "none")
        if not features.sizes["stimulus"]:
            raise need("Features of at least one stimulus to learn from", "none")
        if inferred is not None and not isinstance(inferred, Mapping):
            raise need(
                'inferred: domain → labels, {"macaque": {"expression": "happy", "intensity": 1.0}}',
                repr(inferred),
                kind=TypeError,
            )
        need_both_axes(features)
        self.feature_id_ = texts(features, "feature_id")
        self.landmark_ = texts(features, "landmark") if "landmark" in features.coords else None
        self.prefers_, vectors, masks = prototype_vectors(features, prototypes, prefers_by)
        self.norm_by_ = norm_by
        self.norms_ = norms_of.domain_norms(features, norms, norm_by) if norms is not None else None
        norm = self._prototype_norms(features, masks, dict(inferred or {}))
        if inferred:
            self._infer(features, inferred, prefers_by, masks, vectors, norm)
        self.fitted_with_ = {"prototypes": prototypes, "norms": norms, "norm_by": norm_by, "prefers_by": prefers_by}
        self.fitted_with_ |= {"inferred": inferred} if inferred else {}
        self._look_at(features)
        if norm is not None and self.uses_norm:
            vectors, norm = _alike_where_unseen(vectors, norm)
        self._learn(vectors, norm)
        self.at_prototype_ = self._at_prototype(vectors, norm if self.uses_norm else None)
        self.baseline_ = self._baseline(norm)
        return self

    def transform(self, features: xr.Dataset, *, which_norm: str = "label") -> xr.Dataset:
        """Return the FaceCode, ``activity (stimulus, neuron)``, of features with the same feature_id.

        Of moving faces, ``value (stimulus, frame, feature)``, it is ``activity (stimulus, frame, neuron)``. A landmark
        that was not seen contributes nothing: it counts as being where it is in the norm.

        Parameters
        ----------
        features
            Features, with the feature_id of those that were fitted.
        which_norm
            Which norm a stimulus is held against. ``"label"``: that of its domain, its label ``norm_by``; a stimulus
            without one (``''``), such as an object, is held against the nearest. ``"nearest"``: whatever the label
            says, the norm that explains it best: the one of the smallest ‖d − the part of d in the span of the learned
            directions‖, so that what an expression does to a face does not count. ``"distance"``: that of the smallest
            ‖d‖, which confuses more heads (docs/encoders.md). The label ``norm_used`` of the result says which it was,
            one for all frames of a moving face. Encoders without a norm do not care.

        Raises
        ------
        NotFittedError
            If the encoder was not fitted.
        ValueError
            If the features are others than those fitted, a stimulus's domain has no norm, or nothing was seen of a
            stimulus.
        """
        if not hasattr(self, "at_prototype_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(features, prototypes=…) first")
        value = self._values(features)  # (stimulus, frame, feature)
        flat = value.reshape(-1, value.shape[-1])
        norm, used = None, None
        if which_norm not in norms_of.WHICH:
            raise unknown("which_norm", which_norm, norms_of.WHICH)
        if self.uses_norm:
            rows = self._norm_rows_of(features, value, which_norm, self.learned_directions_)
            used = self._norms["domain"].values[rows]
            norm = np.repeat(self._norms.values[rows], value.shape[1], axis=0)
            flat, norm = _alike_where_unseen(flat, norm)
        activity = self._respond(flat, norm)
        distance = None if norm is None else np.linalg.norm(flat - norm, axis=1)
        moving = "frame" in features["value"].dims
        coords = labels.carried(features)
        if moving:
            coords |= {name: features[name] for name in ("frame_time", "frame_intensity") if name in features.coords}
        seen = ("stimulus", "frame") if moving else ("stimulus",)
        shape = value.shape[: len(seen)]
        code = xr.Dataset({"activity": ((*seen, "neuron"), activity.reshape(*shape, -1))}, coords)
        code = code.assign_coords(
            neuron_id=("neuron", self._neuron_ids()),
            encoder=("neuron", [self.name] * activity.shape[1]),
            prefers=("neuron", self._prefers()),
            at_prototype=("neuron", self.at_prototype_, {"units": "1"}),
        )
        code = code.assign_coords(
            {name: ("neuron", own, {"units": "1"}) for name, own in self._neuron_labels().items()}
        )
        if self.baseline_ is not None:
            code = code.assign_coords(baseline=("neuron", self.baseline_, {"units": "1"}))
        code = code.assign_coords(intensity_curve=("neuron", [self._curve()] * activity.shape[1]))
        if distance is not None and used is not None:
            code = code.assign_coords(distance=(seen, distance.reshape(shape), {"units": "1"}))
            code = code.assign_coords(norm_used=("stimulus", [str(name) for name in used]))
        code["activity"].attrs = {"units": "1", "long_name": "activity"}
        step = f"{type(self).__name__}.transform"
        settings = {**self.get_params(), **self.fitted_with_}
        settings |= {"which_norm": which_norm} if which_norm != "label" else {}
        return check(provenance.stamp(code, "FaceCode", step, settings, parents=[features]), "FaceCode")

    def _values(self, features: xr.Dataset) -> np.ndarray:
        """Return the values ``(stimulus, frame, feature)`` of features that may be transformed; one frame if still."""
        features = check(features, "Features")
        got = texts(features, "feature_id")
        if not np.array_equal(got, self.feature_id_):
            raise need(
                f"the {len(self.feature_id_)} features it was fitted on",
                f"{len(got)} whose feature_id differ",
                "Transform with the same V1 bank and the same fitted features",
            )
        need_both_axes(features)
        value = features["value"].values.astype(np.float64)
        value = value if value.ndim == 3 else value[:, None]
        unseen = np.isnan(value).all(axis=(1, 2))
        if unseen.any():
            ids = ", ".join(repr(str(name)) for name in features["stimulus_id"].values[unseen][:3])
            raise need(
                "at least one landmark of each stimulus", f"none of {ids} ({int(unseen.sum())} stimuli)", "Leave it out"
            )
        return value

    @property
    def _norms(self) -> xr.DataArray:
        if self.norms_ is None:
            raise need("norms, the stimuli that are the norm of each domain", "none", 'Pass norms={"intensity": 0.0}')
        return self.norms_

    def _norm_rows_of(
        self, features: xr.Dataset, value: np.ndarray, which_norm: str, directions: np.ndarray | None
    ) -> np.ndarray:
        """Return the row in ``norms_`` of each stimulus, ``(stimulus,)``; ``directions`` are set aside to find it."""
        norms = self._norms.values
        if which_norm != "label":
            return norms_of.explaining_norm(value, norms, directions if which_norm == "nearest" else None)
        if self.norm_by_ not in features.coords:
            raise ValueError(
                f"needed the label {self.norm_by_!r} on the stimuli, to know their norm; it is missing. "
                'Write which_norm="nearest" to find it without'
            )
        domains = texts(features, self.norm_by_)
        nameless = (domains == "") & ("" not in self._norms["domain"].values)
        rows = np.zeros(len(domains), dtype=int)
        rows[~nameless] = self._rows(domains[~nameless], "among the stimuli")
        if nameless.any():
            rows[nameless] = norms_of.explaining_norm(value[nameless], norms, directions)
        return rows

    def _rows(self, domains: np.ndarray, what: str) -> np.ndarray:
        """Return the row of each domain in ``norms_``."""
        known = [str(name) for name in self._norms["domain"].values]
        missing = sorted({str(name) for name in domains} - set(known))
        if missing:
            raise need(
                f"a norm for each {self.norm_by_} {what}",
                f"none for {', '.join(map(repr, missing))} (there are norms for {', '.join(map(repr, known))})",
                "Add a stimulus that `norms` chooses to each of them and fit again",
            )
        return np.array([known.index(str(name)) for name in domains], dtype=int)

    def _prototype_norms(
        self, features: xr.Dataset, masks: list[np.ndarray], inferred: Mapping[str, Any]
    ) -> np.ndarray | None:
        """Return the norm of each prototype's domain, ``(neuron, feature)``, averaged over its stimuli."""
        if self.norms_ is None and not (self.uses_norm or inferred):
            return None
        self._norms  # noqa: B018 (raises where there is none)
        if self.norm_by_ not in features.coords:
            raise need(
                f"the label {self.norm_by_!r} on the prototypes, to know their norm",
                f"labels {labels.names(features, 'stimulus')}",
            )
        domains = texts(features, self.norm_by_)
        circular = sorted({name for mask in masks for name in domains[mask].tolist()} & set(map(str, inferred)))
        if circular:
            raise need(
                "inferred norms of domains that no prototype comes from",
                f"{', '.join(map(repr, circular))}, whose prototypes are differences from it",
                "Give this domain a norm with norms=",
            )
        rows = [self._rows(domains[mask], "that a prototype comes from") for mask in masks]
        return np.stack([self._norms.values[row].mean(axis=0) for row in rows])

    def _infer(
        self,
        features: xr.Dataset,
        inferred: Mapping[str, Any],
        prefers_by: str,
        masks: list[np.ndarray],
        prototypes: np.ndarray,
        norm: np.ndarray | None,
    ) -> None:
        """Put the inferred norms among ``norms_``."""
        displacement = {}
        for name, mask, each in zip(self.prefers_, masks, np.nan_to_num(prototypes - norm, nan=0.0), strict=True):
            displacement[name] = each
            if prefers_by in features.coords and len(shown := set(texts(features, prefers_by)[mask])) == 1:
                displacement.setdefault(str(shown.pop()), each)  # a prototype with a name of its own
        own = {str(name): row for name, row in zip(self._norms["domain"].values, self._norms.values, strict=True)}
        for name, wanted in inferred.items():
            own[str(name)] = norms_of.inferred_norm(
                features, wanted, str(name), self.norm_by_, prefers_by, displacement
            )
        self.norms_ = norms_of.as_norms(own, self.feature_id_)

    def _at_prototype(self, prototypes: np.ndarray, norms: np.ndarray | None) -> np.ndarray:
        """Return the activity of each neuron at its own prototype, ``(neuron,)``, as ``transform`` would."""
        activity = self._respond(prototypes, norms)
        return activity[np.arange(activity.shape[1]) % len(prototypes), np.arange(activity.shape[1])]

    def _baseline(self, norms: np.ndarray | None) -> np.ndarray | None:
        """Return the activity of each neuron at the norm of its own prototype, ``(neuron,)``; None without norms."""
        return None if norms is None else self._at_prototype(norms, norms if self.uses_norm else None)

    def _curve(self) -> str:
        return self.curve

    def _neuron_ids(self) -> list[str]:
        return [f"{self.name}-{name}" for name in self.prefers_]

    def _prefers(self) -> list[str]:
        return list(self.prefers_)

    def _neuron_labels(self) -> dict[str, np.ndarray]:
        """Return further numbers of each neuron, label → ``(neuron,)``."""
        return {}

    def _look_at(self, features: xr.Dataset) -> None:
        """Look at all stimuli that are fitted, before the prototypes are learned."""

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        raise TypeError(f"{type(self).__name__} needs a method _learn(prototypes, norms)")

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        raise TypeError(f"{type(self).__name__} needs a method _respond(value, norm)")


def _alike_where_unseen(value: np.ndarray, norm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both without NaN: what was not seen of one is what the other shows, and 0 where neither does."""
    if np.isfinite(value).all() and np.isfinite(norm).all():
        return value, norm
    return (
        np.nan_to_num(np.where(np.isnan(value), norm, value), nan=0.0),
        np.nan_to_num(np.where(np.isnan(norm), value, norm), nan=0.0),
    )
