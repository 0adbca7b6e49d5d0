"""Recognition on head shapes that were never learned: one neutral image each, directions from one head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.encoders import NormEncoder
from nrsim.encoders.base import Encoder
from nrsim.errors import need
from nrsim.schema import check


def cross_domain_accuracy(
    features: xr.Dataset,
    source: str,
    *,
    encoder: Encoder | None = None,
    prototypes: Mapping[str, Any] | None = None,
    norms: Any = None,
    label: str = "expression",
    norm_by: str = "domain",
) -> xr.Dataset:
    """Return how well categories learned on one head are recognised on the others.

    One neuron per category is learned from the prototypes of the source; every other domain contributes its norm
    only. A stimulus is answered by the neuron of largest activity, forced choice, without a neutral answer. Scored
    are the stimuli of intensity above 0 whose label is one of the categories; the source is excluded.

    Parameters
    ----------
    features
        Features, ``value (stimulus, feature)``, with the labels ``norm_by``, ``label`` and ``intensity``.
    source
        The domain that is learned from.
    encoder
        An encoder with ``fit`` and ``transform``. Default: ``NormEncoder(scale="none")``: in feature units the largest
        activity of the general rule at ν = 1 is the largest n·d, as for the projection rule; gains that differ between
        neurons, as ``scale="prototype"`` sets them, would decide instead.
    prototypes
        Labels → values, within the source. Default ``{"intensity": 1.0}``.
    norms
        Labels → values of the norm stimuli, or ``"average"``. Default ``{"intensity": 0.0}``.
    label
        What is recognised.
    norm_by
        The label whose values are the heads.

    Returns
    -------
    xarray.Dataset
        ``accuracy (domain)`` with its Wilson 95 % interval ``accuracy_low``, ``accuracy_high``; ``n_stimuli (domain)``;
        ``accuracy_by_intensity (domain, intensity)``; ``confusion (domain, category, answer)`` in counts; the
        attributes ``chance`` and ``mean_accuracy``.

    Raises
    ------
    ValueError
        If the source does not occur, is the only domain, or a domain has no norm.

    Examples
    --------
    >>> import nrsim as nr
    >>> result = nr.cross_domain_accuracy(nr.example("Features"), source="human")
    >>> float(result["accuracy"].sel(domain="macaque"))
    1.0
    """
    features = check(features, "Features")
    for name in (norm_by, label, "intensity"):
        if name not in features.coords:
            raise need(f"the label {name!r} on the stimuli", f"labels {labels.names(features, 'stimulus')}")
    source_only = {norm_by: source}
    labels.where(features, source_only, what="stimuli of the source")
    encoder = NormEncoder(scale="none") if encoder is None else encoder
    encoder.fit(
        features,
        prototypes={**source_only, **({"intensity": 1.0} if prototypes is None else prototypes)},
        norms={"intensity": 0.0} if norms is None else norms,
        norm_by=norm_by,
        prefers_by=label,
    )
    code = encoder.transform(features)
    categories = [str(name) for name in code["prefers"].values]
    truth = np.array([str(name) for name in code[label].values])
    domain = np.array([str(name) for name in code[norm_by].values])
    intensity = code["intensity"].values.astype(float)
    scored = (domain != source) & (intensity > 0) & np.isin(truth, categories)
    if not scored.any():
        raise need(
            f"stimuli of intensity above 0 in other domains than {source!r}",
            f"domains {sorted({str(name) for name in domain})}",
        )
    answer = np.array(categories)[code["activity"].values.argmax(axis=1)]
    domains = list(dict.fromkeys(domain[scored]))
    levels = np.unique(intensity[scored].round(6))
    confusion = np.zeros((len(domains), len(categories), len(categories)), dtype=int)
    by_level = np.full((len(domains), len(levels)), np.nan)
    for i, name in enumerate(domains):
        here = scored & (domain == name)
        for category, given in zip(truth[here], answer[here], strict=True):
            confusion[i, categories.index(category), categories.index(given)] += 1
        for j, level in enumerate(levels):
            at = here & (np.abs(intensity - level) < 1e-6)
            if at.any():
                by_level[i, j] = (truth[at] == answer[at]).mean()
    n = confusion.sum(axis=(1, 2))
    accuracy = np.trace(confusion, axis1=1, axis2=2) / n
    low, high = _wilson(accuracy, n)
    result = xr.Dataset(
        {
            "accuracy": ("domain", accuracy, {"units": "1"}),
            "accuracy_low": ("domain", low, {"units": "1"}),
            "accuracy_high": ("domain", high, {"units": "1"}),
            "n_stimuli": ("domain", n, {"units": "1"}),
            "accuracy_by_intensity": (("domain", "intensity"), by_level, {"units": "1"}),
            "confusion": (("domain", "category", "answer"), confusion, {"units": "1"}),
        },
        {"domain": domains, "intensity": levels, "category": categories, "answer": categories},
    )
    result["intensity"].attrs["units"] = "1"
    settings = {"source": source, "encoder": encoder, "label": label, **encoder.fitted_with_}
    return provenance.stamp(
        result,
        "CrossDomainAccuracy",
        "cross_domain_accuracy",
        settings,
        parents=[features],
        chance=1.0 / len(categories),
        mean_accuracy=float(accuracy.mean()),
    )


def _wilson(share: np.ndarray, n: np.ndarray, z: float = 1.959964) -> tuple[np.ndarray, np.ndarray]:
    """Return the Wilson 95 % interval of a proportion."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
