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

    That of the smallest mean squared difference d = u − r over what was seen of u and r, summed over frames. With
    ``directions``, of d without its least-squares part in their span: both over what was seen, and per degree of
    freedom that is left (the number seen less the dimensions of the span there), since norms may differ in what was
    seen of them. A norm that leaves none cannot be judged; where none can be, the directions are not set aside.

    Parameters
    ----------
    value
        ``(stimulus, frame, feature)``.
    norms
        ``(domain, feature)``.
    directions
        ``(neuron, feature)``.
    """
    rows = value.reshape(-1, value.shape[-1])
    shape = value.shape[:2]
    plain, left = (np.empty((len(norms), len(value))) for _ in range(2))
    for i, norm in enumerate(norms):
        difference = rows - norm
        seen = np.isfinite(difference)
        difference = np.where(seen, difference, 0.0)
        squared, count = (difference**2).sum(axis=1), seen.sum(axis=1)
        plain[i] = squared.reshape(shape).sum(axis=1) / np.maximum(count.reshape(shape).sum(axis=1), 1)
        if directions is None:
            continue
        part, rank = _in_span(difference, seen, directions)
        free = (count - rank).reshape(shape).sum(axis=1)
        rest = np.maximum(squared - part, 0.0).reshape(shape).sum(axis=1)
        left[i] = np.where(free > 0, rest / np.maximum(free, 1), np.inf)
    if directions is None:
        return plain.argmin(axis=0)
    return np.where(np.isfinite(left).any(axis=0), left.argmin(axis=0), plain.argmin(axis=0))


def _in_span(difference: np.ndarray, seen: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared length of each row's part in the span of the directions, and the span's dimensions.

    Both of the features that were seen of the row: where some were not, the directions' rest is no longer orthonormal.
    """
    if seen.all():
        basis = _orthonormal(directions)
        return ((difference @ basis.T) ** 2).sum(axis=1), np.full(len(difference), len(basis))
    part, rank = np.zeros(len(difference)), np.zeros(len(difference), dtype=int)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        rows = which.ravel() == i
        basis = _orthonormal(directions[:, pattern])
        part[rows] = ((difference[rows][:, pattern] @ basis.T) ** 2).sum(axis=1)
        rank[rows] = len(basis)
    return part, rank


def _orthonormal(directions: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis ``(component, feature)`` of the span of the directions."""
    if not directions.size:
        return directions[:0]
    _, strength, basis = np.linalg.svd(directions, full_matrices=False)
    return basis[strength > 1e-9 * max(strength[0], 1e-300)]


def moved(norm: np.ndarray, value: np.ndarray, rate: float) -> np.ndarray:
    """Return r + rate (u − r), ``(feature,)``: what was not seen leaves the norm where it is."""
    known = np.where(np.isnan(norm), value, norm)
    return known + rate * np.where(np.isnan(value), 0.0, value - known)
