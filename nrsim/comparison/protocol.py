"""The images of the protocol: which are stored, drawn where several qualify, and which are tested."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, seeds
from nrsim.errors import need

STORED_AS = "stored_as"  # label of the stored stimuli: a category's name, or NORM
NORM = "\x00norm"


@dataclass
class Task:
    """Who is who among the stimuli.

    Attributes
    ----------
    ids, domain, truth
        ``(stimulus,)`` text.
    intensity
        ``(stimulus,)``, NaN where there is none; None without the label.
    source
        The domain learned from.
    categories
        What is recognised.
    prototypes
        Category → ``(stimulus,)`` of bool: which may be stored as its prototype.
    norms
        Domain → ``(stimulus,)`` of bool: which may be stored as its norm, or to infer it from. Empty where the norms
        are not images.
    neutral
        ``(stimulus,)`` of bool: which show the norm itself.
    inferred
        Domains whose norm is inferred from an expression.
    """

    ids: np.ndarray
    domain: np.ndarray
    truth: np.ndarray
    intensity: np.ndarray | None
    source: str
    categories: list[str]
    prototypes: dict[str, np.ndarray]
    norms: dict[str, np.ndarray]
    neutral: np.ndarray
    inferred: list[str] = field(default_factory=list)

    @property
    def expressive(self) -> np.ndarray:
        """Which show one of the categories, at an intensity above 0 where there are intensities."""
        shown = np.isin(self.truth, self.categories) & ~self.neutral
        return shown if self.intensity is None else shown & (np.nan_to_num(self.intensity) > 0)

    def sets(self) -> int:
        """Return how many different sets of stored images there are."""
        return math.prod(int(mask.sum()) for mask in (*self.prototypes.values(), *self.norms.values()))


def task(
    features: xr.Dataset,
    source: str,
    prototypes: Any,
    norms: Any,
    label: str,
    domain_by: str,
    neutral: str,
    inferred: Mapping[str, Any],
) -> Task:
    """Return who is who, from the labels."""
    for name in (domain_by, label):
        if name not in features.coords:
            raise need(f"the label {name!r} on the stimuli", f"labels {labels.names(features, 'stimulus')}")
    ids, domain, truth = (_text(features, name) for name in ("stimulus_id", domain_by, label))
    graded = "intensity" in features.coords
    intensity = features["intensity"].values.astype(float) if graded else None
    ours = {domain_by: source}
    of_source = labels.where(features, ours, what="stimuli of the source")
    if norms is None:
        norms = {"intensity": 0.0} if graded else {label: neutral}
    masks = _norm_masks(features, norms, domain)
    shows_norm = np.any([*masks.values(), truth == neutral], axis=0)
    if prototypes is None:
        prototypes = {"intensity": 1.0} if graded else {label: lambda values: values.astype(str) != neutral}
    if not isinstance(prototypes, Mapping) or not prototypes:
        raise need('prototypes as labels, {"intensity": 1.0}', repr(prototypes), kind=TypeError)
    may: dict[str, np.ndarray] = {}
    if all(isinstance(wanted, Mapping) for wanted in prototypes.values()):
        for name, wanted in prototypes.items():
            may[str(name)] = labels.where(features, {**ours, **wanted}, what=f"stimuli for the prototype {name!r}")
    else:
        chosen = labels.where(features, {**ours, **prototypes}, what="stimuli for the prototypes")
        may = {str(name): chosen & (truth == name) for name in dict.fromkeys(truth[chosen])}
    for name, mask in may.items():
        elsewhere = sorted(set(domain[mask].tolist()) - {source})
        if elsewhere:
            raise need(
                f"prototypes of the source, {domain_by} {source!r}",
                f"{', '.join(map(repr, elsewhere))} for {name!r}",
                f"Leave {domain_by!r} out of prototypes, or learn from source={elsewhere[0]!r}",
            )
    if not may:
        raise need("stimuli for the prototypes", "none")
    expressive = _inferred_masks(features, inferred, domain, list(may), truth, masks, source)
    masks |= expressive
    if masks and source not in masks:
        raise need(f"a norm of the source {source!r}", "none", f"Norms are chosen by {norms!r}")
    both = [
        name for name, mask in may.items() if (mask & np.any([np.zeros_like(of_source), *masks.values()], axis=0)).any()
    ]
    if both:
        raise need("prototypes that are no norms", f"stimuli of {', '.join(map(repr, both))} that are both")
    return Task(ids, domain, truth, intensity, source, list(may), may, masks, shows_norm, list(expressive))


def drawn(who: Task, draws: int, seed: int | None) -> Iterator[dict[str, np.ndarray]]:
    """Yield the stored images of each draw, name → indices; without draws, once, all that qualify.

    Names are the categories, and ``NORM`` with the domain. An image is drawn by the seed, the draw, what it is stored
    as and its stimulus_id, whatever the order of the stimuli.
    """
    pools = {**who.prototypes, **{NORM + name: mask for name, mask in who.norms.items()}}
    for draw in range(max(draws, 1)):
        if not draws:
            yield {name: np.flatnonzero(mask) for name, mask in pools.items()}
            continue
        chosen = {}
        for name, mask in pools.items():
            candidates = np.flatnonzero(mask)
            candidates = candidates[np.argsort(who.ids[candidates])]
            if seed is None:
                raise need("a seed for random draws", "none", "Pass seed=1, or any other whole number")
            stream = seeds.stream(seed, "stored image", draw, name)
            chosen[name] = candidates[stream.integers(len(candidates), size=1)]
        yield chosen


def _norm_masks(features: xr.Dataset, norms: Any, domain: np.ndarray) -> dict[str, np.ndarray]:
    """Return domain → which stimuli may be its norm."""
    if isinstance(norms, xr.DataArray) or norms == "average":
        return {}
    if not isinstance(norms, Mapping) or not norms:
        raise need('norms as labels, {"intensity": 0.0}, or "average"', repr(norms), kind=TypeError)
    if all(isinstance(wanted, Mapping) for wanted in norms.values()):
        masks = {}
        for name, wanted in norms.items():
            if str(name) not in domain:
                raise need(f"norms of domains that occur: {labels.occurring(domain)}", repr(name))
            masks[str(name)] = labels.where(features, wanted, what=f"stimuli for the norm of {name!r}")
            masks[str(name)] &= domain == str(name)
            if not masks[str(name)].any():
                raise need(f"stimuli of {name!r} for its norm", f"none with {dict(wanted)}")
        return masks
    chosen = labels.where(features, norms, what="stimuli for the norms")
    return {str(name): chosen & (domain == name) for name in dict.fromkeys(domain[chosen])}


def _inferred_masks(
    features: xr.Dataset,
    inferred: Mapping[str, Any],
    domain: np.ndarray,
    categories: list[str],
    truth: np.ndarray,
    norms: Mapping[str, np.ndarray],
    source: str,
) -> dict[str, np.ndarray]:
    """Return domain → which stimuli its norm may be inferred from."""
    if inferred and not norms:
        raise need("norms chosen by labels, beside those that are inferred", "others")
    if inferred and "intensity" not in features.coords:
        raise need(
            "the label 'intensity' on the stimuli, to infer a norm", f"labels {labels.names(features, 'stimulus')}"
        )
    masks = {}
    for name, wanted in inferred.items():
        if str(name) not in domain or str(name) == source:
            raise need(f"inferred norms of other domains than {source!r}: {labels.occurring(domain)}", repr(name))
        if not isinstance(wanted, Mapping):
            raise need(f"labels of the faces that the norm of {name!r} is inferred from", repr(wanted), kind=TypeError)
        masks[str(name)] = labels.where(features, wanted, what=f"stimuli to infer the norm of {name!r} from")
        masks[str(name)] &= (domain == str(name)) & np.isin(truth, categories)
        if not masks[str(name)].any():
            raise need(f"stimuli of {name!r} that show one of {', '.join(categories)}", f"none with {dict(wanted)}")
    return masks


def _text(features: xr.Dataset, name: str) -> np.ndarray:
    return np.array([str(value) for value in features[name].values])
