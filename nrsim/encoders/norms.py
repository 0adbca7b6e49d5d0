"""The norms of domains: chosen, averaged, inferred, found for a stimulus of unknown domain, and moved by adaptation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels
from nrsim.encoders.prototypes import mean_seen, texts
from nrsim.errors import need, unknown

WHICH = ("label", "nearest", "distance")


def domain_norms(features: xr.Dataset, norms: Any, norm_by: str) -> xr.DataArray:
    """Return the norm of each domain, ``(domain, feature)``: the mean of the stimuli that ``norms`` chooses in it.

    ``norms`` is labels → values, such as ``{"intensity": 0.0}``; domain → labels → values; ``"average"``, all stimuli
    of the domain; or the norms themselves as a DataArray ``(domain, feature)``.
    """
    if isinstance(norms, xr.DataArray):
        return _given(features, norms)
    if norm_by not in features.coords:
        raise need(
            f"the label {norm_by!r} on the stimuli, whose values each have a norm",
            f"labels {labels.names(features, 'stimulus')}",
            "Name another label with norm_by=",
        )
    domains = texts(features, norm_by)
    masks: dict[str, np.ndarray] = {}
    if isinstance(norms, Mapping) and norms and all(isinstance(wanted, Mapping) for wanted in norms.values()):
        for name, wanted in norms.items():
            own = {norm_by: name, **wanted}
            masks[str(name)] = labels.where(features, own, what=f"stimuli for the norm of {name!r}")
    elif isinstance(norms, Mapping):
        chosen = labels.where(features, norms, what="stimuli for the norms")
        masks = {name: chosen & (domains == name) for name in dict.fromkeys(domains[chosen].tolist())}
    elif isinstance(norms, str) and norms == "average":
        masks = {name: domains == name for name in dict.fromkeys(domains.tolist())}
    else:
        raise need(
            'norms as labels, {"intensity": 0.0}, as labels for each domain, as "average" or as a DataArray',
            repr(norms),
            kind=TypeError,
        )
    value = features["value"].values.astype(np.float64)
    return as_norms({name: mean_seen(value[mask]) for name, mask in masks.items()}, features["feature_id"])


def as_norms(vectors: Mapping[str, np.ndarray], feature_id: Any) -> xr.DataArray:
    """Return domain → vector as ``norm (domain, feature)``."""
    names = [str(name) for name in np.asarray(feature_id)]
    return xr.DataArray(
        np.stack(list(vectors.values())),
        dims=("domain", "feature"),
        coords={"domain": list(vectors), "feature_id": ("feature", names)},
        name="norm",
        attrs={"units": "1"},
    )


def _given(features: xr.Dataset, norms: xr.DataArray) -> xr.DataArray:
    """Return norms that came as numbers, if they fit the features."""
    if set(norms.dims) != {"domain", "feature"} or "domain" not in norms.coords:
        raise need("norms (domain, feature) with the names of the domains", f"({', '.join(map(str, norms.dims))})")
    norms = norms.transpose("domain", "feature")
    ids = texts(features, "feature_id")
    if norms.sizes["feature"] != len(ids) or (
        "feature_id" in norms.coords and not np.array_equal(norms["feature_id"].values.astype(str), ids)
    ):
        raise need(
            f"norms of the {len(ids)} features that are fitted", f"{norms.sizes['feature']} whose feature_id differ"
        )
    names = [str(name) for name in norms["domain"].values]
    if len(set(names)) < len(names) or not names:
        raise need("one norm for each domain", f"the domains {names}")
    value = norms.values.astype(np.float64)
    landmark = texts(features, "landmark") != "" if "landmark" in features.coords else np.zeros(len(ids), dtype=bool)
    if np.isinf(value).any() or np.isnan(value[:, ~landmark]).any():
        raise need("norms that are finite (NaN only for a landmark that was not seen)", "some that are not")
    return as_norms(dict(zip(names, value, strict=True)), ids)


def inferred_norm(
    features: xr.Dataset,
    wanted: Mapping[str, Any],
    domain: str,
    norm_by: str,
    prefers_by: str,
    displacements: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Return a domain's norm ``(feature,)`` from its expressive faces: the mean of u − intensity · t of its expression.

    ``displacements`` is expression → t, as learned on another domain.
    """
    if not isinstance(wanted, Mapping):
        raise need(f"labels of the faces that the norm of {domain!r} is inferred from", repr(wanted), kind=TypeError)
    for name in (prefers_by, "intensity"):
        if name not in features.coords:
            raise need(
                f"the label {name!r} on the faces that a norm is inferred from",
                f"labels {labels.names(features, 'stimulus')}",
            )
    chosen = labels.where(features, {norm_by: domain, **wanted}, what=f"stimuli to infer the norm of {domain!r} from")
    shown, level = texts(features, prefers_by)[chosen].tolist(), features["intensity"].values[chosen].astype(np.float64)
    if not np.isfinite(level).all():
        raise need(f"the intensity of the faces that the norm of {domain!r} is inferred from", "NaN")
    for name, strength in zip(shown, level, strict=True):
        if name not in displacements and strength != 0.0:  # a face of intensity 0 is the norm, whatever it is called
            hint = "A norm is inferred from an expression that was learned"
            raise unknown(f"{prefers_by} to infer the norm of {domain!r} from", name, displacements, hint=hint)
    value = features["value"].values[chosen].astype(np.float64)
    still = np.zeros(value.shape[1])
    moved = [strength * displacements.get(name, still) for name, strength in zip(shown, level, strict=True)]
    return mean_seen(value - np.stack(moved))


def explaining_norm(value: np.ndarray, norms: np.ndarray, directions: np.ndarray | None = None) -> np.ndarray:
    """Return which norm explains each stimulus best, ``(stimulus,)``.

    That of the smallest squared difference d = u − r over what was seen of u and r, summed over frames; with
    ``directions``, of d without its part in their span.

    Parameters
    ----------
    value
        ``(stimulus, frame, feature)``.
    norms
        ``(domain, feature)``.
    directions
        ``(neuron, feature)``.
    """
    basis = None if directions is None else _orthonormal(directions)
    left = np.empty((len(norms), len(value)))
    for i, norm in enumerate(norms):
        difference = value - norm
        seen = np.isfinite(difference)
        difference = np.where(seen, difference, 0.0)
        squared = (difference**2).sum(axis=(1, 2))
        if basis is not None:
            squared = squared - ((difference @ basis.T) ** 2).sum(axis=(1, 2))
        left[i] = squared / np.maximum(seen.sum(axis=(1, 2)), 1)
    return left.argmin(axis=0)


def _orthonormal(directions: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis ``(component, feature)`` of the span of the directions."""
    _, strength, basis = np.linalg.svd(directions, full_matrices=False)
    return basis[strength > 1e-9 * strength[0]]


def moved(norm: np.ndarray, value: np.ndarray, rate: float) -> np.ndarray:
    """Return r + rate (u − r), ``(feature,)``: what was not seen leaves the norm where it is."""
    known = np.where(np.isnan(norm), value, norm)
    return known + rate * np.where(np.isnan(value), 0.0, value - known)
