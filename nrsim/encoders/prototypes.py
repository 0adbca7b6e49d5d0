"""Which stimuli are stored as prototypes, and the vectors they make."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels
from nrsim.errors import need

Prototypes = Mapping[str, Any]


def texts(features: xr.Dataset, label: str) -> np.ndarray:
    """Return the values of a label as text, ``(stimulus,)``."""
    return np.array([str(value) for value in features[label].values], dtype=str)


def need_both_axes(features: xr.Dataset) -> None:
    """Refuse a landmark of which one coordinate is given and another NaN: it was seen, or it was not."""
    value = features["value"].values
    if "landmark" not in features.coords or not np.isnan(value).any():
        return
    landmark = texts(features, "landmark")
    for name in dict.fromkeys(landmark[landmark != ""].tolist()):
        missing = np.isnan(value[..., landmark == name])
        half = (missing.any(axis=-1) & ~missing.all(axis=-1)).reshape(len(value), -1).any(axis=1)
        if half.any():
            first = str(features["stimulus_id"].values[half][0])
            raise need(
                f"both coordinates of the landmark {name!r}, or neither",
                f"one of them NaN in {first!r} ({int(half.sum())} stimuli)",
                "A landmark that was not seen is NaN in x and y",
            )


def mean_seen(value: np.ndarray) -> np.ndarray:
    """Return the mean over stimuli ``(feature,)`` of what was seen; NaN for a landmark that none of them shows."""
    if not np.isnan(value).any():
        return value.mean(axis=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice", RuntimeWarning)
        return np.nanmean(value, axis=0)


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
        named = texts(features, prefers_by)
        masks = {str(name): chosen & (named == name) for name in dict.fromkeys(named[chosen])}
    _all_different(masks)
    value = features["value"].values.astype(np.float64)
    return list(masks), np.stack([mean_seen(value[mask]) for mask in masks.values()]), list(masks.values())


def _all_different(masks: Mapping[str, np.ndarray]) -> None:
    seen: dict[bytes, str] = {}
    for name, mask in masks.items():
        other = seen.setdefault(mask.tobytes(), name)
        if other != name:
            raise need(
                "prototypes that are not the same stimuli",
                f"{other!r} and {name!r}, which are ({int(mask.sum())} of them)",
                "Choose other stimuli for one of them; there are never more prototypes than stimuli",
            )


def direction_vectors(
    prototypes: np.ndarray, norms: np.ndarray, names: list[str], what: str = "prototypes"
) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors n ``(neuron, feature)`` and lengths ‖t‖ ``(neuron,)`` of the differences t from the norm.

    A landmark that the prototype or its norm does not show is 0 in the direction: it contributes nothing.
    """
    difference = np.nan_to_num(prototypes - norms, nan=0.0)
    lengths = np.linalg.norm(difference, axis=1)
    tiny = lengths <= 1e-9 * (1.0 + np.linalg.norm(np.nan_to_num(norms, nan=0.0), axis=1))
    if tiny.any():
        same = ", ".join(repr(names[i]) for i in np.flatnonzero(tiny))
        raise ValueError(
            f"needed {what} that differ from their norm; {same} equals it, so it has no direction. "
            "Choose a prototype of higher intensity"
        )
    return difference / lengths[:, None], lengths
