"""The features of a study: pooled over the picture, or aligned between heads, as its settings say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels
from nrsim.comparison import aligned_features
from nrsim.comparison.aligned import CUES
from nrsim.errors import need, unknown
from nrsim.features import PooledEnergy, PrincipalComponents
from nrsim.v1 import V1Bank

# Settings of [features] that are none of PooledEnergy's, and how heads may be aligned
NO_POOL = ("components", "align", "cues", "reference")
_ALIGN = ("none", "known", "find")


def features_of(plan: Mapping[str, Any], stimuli: xr.Dataset, progress: bool) -> xr.Dataset:
    """Return the features of a study's stimuli."""
    chosen = dict(plan["features"])
    components = chosen.pop("components")
    if is_aligned(plan):
        features = _aligned(plan, stimuli, progress)
    else:
        pool = PooledEnergy(**{key: value for key, value in chosen.items() if key not in NO_POOL})
        seen = V1Bank(**plan["v1"]).transform(stimuli, pool=pool, progress=progress)
        features = pool.fit(seen).transform(seen)
    if components:
        features = PrincipalComponents(components).fit(features).transform(features)
    return features


def is_aligned(plan: Mapping[str, Any]) -> bool:
    """Return whether features are to be aligned between heads or of several cues.

    Raises
    ------
    ValueError
        For an unknown way or cue, and settings of the grid over the picture beside it.
    """
    chosen = plan["features"]
    if chosen["align"] not in _ALIGN:
        raise unknown("value of features.align", chosen["align"], _ALIGN)
    if not chosen["cues"]:
        raise need(f"one cue or more in features.cues, of {', '.join(CUES)}", "none")
    for cue in chosen["cues"]:
        if cue not in CUES:
            raise unknown("cue in features.cues", cue, CUES)
    if chosen["align"] == "none" and chosen["cues"] == ["energy"]:
        if "reference" in chosen:
            raise need("features.align or several features.cues beside features.reference", "neither")
        return False
    foreign = sorted({"tolerance", "places", "statistic", "floor"} & set(chosen))
    if foreign or not chosen["log"]:
        came = ", ".join(foreign) if foreign else "log = false"
        raise need("in [features] only size, components and reference beside align and cues", came)
    return True


def check_alignment(plan: Mapping[str, Any], stimuli: xr.Dataset) -> None:
    """Refuse to align stimuli without the head that is the reference, or without landmarks.

    Raises
    ------
    ValueError
        Saying which label or landmarks are missing; the nearest head is named.
    """
    if not is_aligned(plan):
        return
    chosen, by, norms = plan["features"], plan["encoder"]["norm_by"], plan["encoder"]["norms"]
    if not isinstance(norms, Mapping) or any(isinstance(each, Mapping) for each in norms.values()):
        what = "encoder.norms as labels of all heads' norms, such as {intensity = 0.0}, beside features.align or cues"
        raise need(what, repr(norms))
    if by not in stimuli.coords:
        raise unknown("label in encoder.norm_by", by, labels.names(stimuli, "stimulus"))
    heads = set(stimuli[by].values.astype(str).tolist())
    if chosen["reference"] not in heads:
        raise unknown(f"{by} in features.reference", chosen["reference"], heads)
    if chosen["align"] != "none" and "landmark" not in stimuli.coords:
        marked = "every norm" if chosen["align"] == "known" else "the reference's norm"
        raise need(f"landmarks on {marked}, to align heads by", "stimuli without", 'Or write features.align = "none"')


def reference_of(plan: Mapping[str, Any]) -> str:
    """Return the head that is learned from, where the prototypes say it."""
    by, prototypes = plan["encoder"]["norm_by"], plan["encoder"]["prototypes"]
    each = prototypes.values() if all(isinstance(one, Mapping) for one in prototypes.values()) else [prototypes]
    heads = {str(one.get(by, "")) for one in each}
    if len(heads) != 1 or heads == {""}:
        came = f"prototypes of {len(heads)}"
        raise need(f"features.reference, the {by} whose frame the grid is laid over", came)
    return heads.pop()


def _aligned(plan: Mapping[str, Any], stimuli: xr.Dataset, progress: bool) -> xr.Dataset:
    chosen, learned = plan["features"], plan["encoder"]
    norm_by, norms = learned["norm_by"], learned["norms"]
    if not isinstance(norms, Mapping):
        raise ValueError("internal: norms that are no labels")
    prototypes = learned["prototypes"]
    if all(isinstance(one, Mapping) for one in prototypes.values()):
        prototypes = {"stimulus_id": _ids(stimuli, prototypes.values())}
    return aligned_features(
        stimuli,
        chosen["reference"],
        landmarks=None if chosen["align"] == "known" else chosen["align"],
        cues=chosen["cues"],
        size=chosen["size"],
        bank=V1Bank(**plan["v1"]),
        prototypes={key: value for key, value in prototypes.items() if key != norm_by},
        norms=norms,
        norm_by=norm_by,
        progress=progress,
    )


def _ids(stimuli: xr.Dataset, wanted: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the stimulus_id of all that any of ``wanted`` chooses."""
    chosen = np.any([labels.where(stimuli, one, what="stimuli for a prototype") for one in wanted], axis=0)
    return [str(name) for name in stimuli["stimulus_id"].values[chosen]]
