"""Several cues as one set of features, each with its fair share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need, unknown
from nrsim.schema import check


def join_features(
    features: Sequence[xr.Dataset],
    *,
    equal: Mapping[str, Any] | None = None,
    norms: Mapping[str, Any] | None = None,
    norm_by: str = "domain",
    names: Sequence[str] | None = None,
) -> xr.Dataset:
    """Return the features of several cues as one, such as pooled energy and displacement.

    Cues come in different units. With ``equal`` each is divided by the root mean square length of the differences from
    the norm that the chosen stimuli have in it, so that all cues tell these stimuli from their norms equally well, and
    what they say adds up. Choose the prototypes, which are stored anyway: ``equal={"domain": "human",
    "intensity": 1.0}``.

    Parameters
    ----------
    features
        Features, ``value (stimulus, feature)``, of the same stimuli in the same order.
    equal
        Labels → values of the stimuli whose differences count. Default: the cues stay as they are.
    norms
        Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``.
    norm_by
        The label each of whose values has its norm.
    names
        Names of the cues, the label ``cue`` of every feature, which its ``feature_id`` begins with. Default: ``cue-1``
        and so on.

    Returns
    -------
    xarray.Dataset
        Features; the attribute ``parameters`` holds the lengths.

    Raises
    ------
    ValueError, TypeError
        If it is no list, the stimuli differ, a chosen stimulus's head has no norm, or the chosen stimuli do not differ
        from it.

    Examples
    --------
    >>> import nrsim as nr
    >>> one = nr.example("Features")
    >>> both = nr.join_features([one, one], equal={"domain": "human", "intensity": 1.0})
    >>> both.sizes["feature"] == 2 * one.sizes["feature"]
    True
    """
    if isinstance(features, (xr.Dataset, str)) or not isinstance(features, Iterable):
        came = "one set" if isinstance(features, xr.Dataset) else type(features).__name__
        raise need("a list of Features to join, [energy, displacement]", came, kind=TypeError)
    features = list(features)
    if not features:
        raise need("one or more sets of features to join", "none")
    if isinstance(names, str):
        raise need("names: a list of names of the cues", repr(names), kind=TypeError)
    ids = [str(name) for name in check(features[0], "Features")["stimulus_id"].values]
    names = [f"cue-{i + 1}" for i in range(len(features))] if names is None else [str(name) for name in names]
    if len(names) != len(features) or len(set(names)) < len(names):
        raise need(f"{len(features)} names, each once", ", ".join(names))
    parts, lengths = [], []
    for each, name in zip(features, names, strict=True):
        if [str(one) for one in check(each, "Features")["stimulus_id"].values] != ids:
            raise need("features of the same stimuli in the same order", f"others in {name!r}")
        if each["value"].dims != features[0]["value"].dims:
            raise need("features of still faces only, or of moving ones only", "both")
        length = 1.0 if equal is None else _length(each, equal, norms, norm_by, name)
        own = [label for label in each.coords if each[label].dims == ("feature",)]
        told = np.array([f"{name} {one}" for one in each["feature_id"].values])
        part = each[["value"]].drop_vars([label for label in each.coords if label not in own])
        part = part.assign_coords(feature_id=("feature", told), cue=("feature", np.full(len(told), name)))
        parts.append(part.assign(value=each["value"].drop_vars(list(each.coords)) / length))
        lengths.append(length)
    made = xr.concat(_alike(parts), "feature", join="exact", combine_attrs="override")
    travelling = ("frame_time", "frame_intensity")
    made = made.assign_coords(labels.carried(features[0]))
    made = made.assign_coords({name: features[0][name] for name in travelling if name in features[0].coords})
    units = {str(each["value"].attrs["units"]) for each in features}
    made["value"].attrs = {"units": units.pop() if equal is None and len(units) == 1 else "1"}
    settings = {"names": names, "equal": equal, "norms": norms, "norm_by": norm_by, "lengths": lengths}
    made = provenance.stamp(made, "Features", "join_features", settings, parents=list(features))
    return check(made, "Features")


def _length(
    features: xr.Dataset, equal: Mapping[str, Any], norms: Mapping[str, Any] | None, norm_by: str, name: str
) -> float:
    """Return the root mean square length of the chosen stimuli's differences from their norms."""
    if norm_by not in features.coords:
        raise unknown("label of the stimuli", norm_by, labels.names(features, "stimulus"))
    if "frame" in features.dims:
        raise need("still faces to make cues equal on", "moving ones", "nr.stack_frames makes stills of them")
    chosen = labels.where(features, equal, what="stimuli to make the cues equal on")
    is_norm = labels.where(features, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
    heads = np.array([str(head) for head in features[norm_by].values])
    value = features["value"].values.astype(np.float64)
    squares = []
    for head in dict.fromkeys(heads[chosen]):
        if not (is_norm & (heads == head)).any():
            raise need(f"a norm for the {norm_by} {head!r}", "none", "Name the norm stimuli with norms=")
        away = value[chosen & (heads == head)] - np.nanmean(value[is_norm & (heads == head)], axis=0)
        squares.append(np.nansum(away**2, axis=1))
    length = float(np.sqrt(np.concatenate(squares).mean()))
    if not length > 0:
        raise need("stimuli that differ from their norm, to make the cues equal on", f"none in {name!r}")
    return length


def _alike(parts: list[xr.Dataset]) -> list[xr.Dataset]:
    """Give all parts the labels along ``feature`` that any has: '' or NaN where it has none."""
    from nrsim.joining import with_all_labels

    return with_all_labels(parts, "feature")
