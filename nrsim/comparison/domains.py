"""Recognition on head shapes that were never learned: one neutral image each, directions from one head."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.comparison import scoring
from nrsim.comparison.protocol import NORM, STORED_AS, Task, drawn, task
from nrsim.encoders import NormEncoder
from nrsim.encoders.base import Encoder
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
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
    draws: int = 0,
    seed: int | None = None,
    neutral: bool | str = False,
    threshold: float | str | None = "half",
    one_norm: bool = False,
    inferred: Mapping[str, Mapping[str, Any]] | None = None,
) -> xr.Dataset:
    """Return how well categories learned on one head are recognised on the others.

    The protocol of Stettler et al. (2023), for any features: one image for each category is stored on the source,
    one norm for each domain, and everything else is tested. Twelve images are stored for six expressions on six heads.
    The encoder is fitted on the stored images alone. Of neurons that prefer the same, as in a population, the mean
    counts; neurons that prefer none of the categories (``''``) do not, and one of a random direction counts for the
    prototype nearest to it. A stimulus is answered by the largest of these means; where all are equal, as where no
    neuron is active, there is no answer, which is wrong. Tested are the stimuli whose label is one of the categories,
    of intensity above 0 where there are intensities, but for those that are stored.

    Parameters
    ----------
    features
        Features, ``value (stimulus, feature)``, with the labels ``norm_by`` and ``label``; without the label
        ``intensity`` what depends on it is left out.
    source
        The domain that is learned from.
    encoder
        An encoder with ``fit`` and ``transform``; a copy is fitted. Default: ``NormEncoder("projection",
        scale="none")``. Gains that differ between neurons, as ``scale="prototype"`` sets them, decide who answers.
    prototypes
        Labels → values, within the source; or name → labels → values. Default ``{"intensity": 1.0}``; without
        intensities everything on the source that is no norm.
    norms
        Labels → values of the norm stimuli; domain → labels → values; ``"average"``, the mean of everything in the
        domain, test stimuli included; or the norms themselves, ``norm (domain, feature)``. Default
        ``{"intensity": 0.0}``; without intensities ``{label: "neutral"}``.
    label
        What is recognised.
    norm_by
        The label whose values are the heads.
    draws
        How often the stored images are drawn at random among those that the labels choose, one for each prototype and
        one for each norm; results then have the dim ``draw``. With 0 (default) all of them are stored, and averaged.
    seed
        Of the draws.
    neutral
        Whether "neutral" is an answer too, and what shows the norm (but is not stored) is tested as well; a text is
        how ``label`` calls it. The answer is neutral where the largest activity is below ``threshold``; of an encoder
        that has a neuron for it, also where that neuron is the most active (``threshold=None``: only there).
    threshold
        As for :func:`nrsim.read_out`, of which this takes the answers, θ and intensities. ``"half"``: the activity
        midway between the norm and its own prototype of the neuron for which that is least, which asks for no image but
        the stored ones (chosen); or a number in the units of activity; or None: no threshold.
    one_norm
        The control: the norm of the source serves all domains. Stored and tested images stay the same.
    inferred
        Domain → labels → values, ``{"macaque": {"expression": "happy", "intensity": 1.0}}``: the norm of that domain is
        inferred from these expressive faces, as :meth:`NormEncoder.fit` does; they are stored in the place of its norm.

    Returns
    -------
    xarray.Dataset
        ``([draw,] …)`` without ``draw`` where nothing is drawn:

        - ``accuracy ([draw,] domain)``, the source excluded, with ``accuracy_low``, ``accuracy_high (domain)``:
          Wilson's 95 % interval, or with draws the central 95 % of them; ``n_stimuli ([draw,] domain)``. Wilson's
          takes pictures as independent, which those of one head, or grades of one expression, are not: it says how
          much other pictures of the same kind on this head would matter, and is too narrow for that where they are
          alike; nothing of one head says how other heads would do.
        - ``accuracy_transfer``, ``accuracy_source``, ``accuracy_overall ([draw])``: of all stimuli tested in other
          domains, in the source (NaN where none is), and in all
        - ``accuracy_by_intensity ([draw,] domain, intensity)``
        - ``confusion ([draw,] domain, category, answer)``, counts
        - the same with ``_with_neutral``, where ``neutral`` is asked for, and ``threshold ([draw])``
        - ``readout ([draw,] read_from, test_domain, category, readout_intensity)``: mean intensity read out, that at
          which the prototype would give this activity (:func:`nrsim.read_out`), of the neurons of the category
          (``"own"``) or of the most active ones (``"winner"``), in all domains, the source first. The stored images are
          among them, as in the published curve. NaN for encoders whose activity says nothing of it: the rule
          ``direction``, and one's own that does not say its ``curve``.
        - ``readout_rmse ([draw,] read_from, test_domain)``, root mean squared error of the mean curve over categories
          from the identity, intensities 0 to 1; ``readout_rmse_category`` of each category's mean curve;
          ``readout_rmse_image`` over the single images tested, of intensities above 0 to 1
        - for each stimulus, ``stored``, ``correct`` (NaN where not tested), ``winner`` and ``readout_image``, beside
          what it was: ``stimulus_id``, ``shown_domain``, ``shown``, ``shown_intensity``

        and the attributes ``chance``, ``mean_accuracy`` (over domains, and draws), ``stored_sets``: how many
        different sets of images could be stored. With 1, as on rendered heads, all draws are the same.

    Raises
    ------
    TypeError, ValueError
        If the source does not occur, is the only domain, a domain has no norm, an image is norm and prototype, or
        draws lack a seed.

    Examples
    --------
    >>> import nrsim as nr
    >>> result = nr.cross_domain_accuracy(nr.example("Features"), source="human")
    >>> float(result["accuracy"].sel(domain="macaque"))
    1.0
    """
    features = check(features, "Features")
    if not isinstance(source, str):
        raise need(f"source: the {norm_by} that is learned from, a text", repr(source), kind=TypeError)
    source = str(source)  # not numpy's kind of text, which messages would show
    draws = whole(draws, "draws", low=0)
    if seed is not None and not draws:
        raise need(
            "draws= beside seed=, which draws the stored images", "seed alone", "Write draws=100, or leave it out"
        )
    _check_threshold(threshold, neutral)
    called = _called(features, neutral, label)
    who = task(features, source, prototypes, norms, label, norm_by, called, inferred or {})
    if draws and not who.norms:
        raise need("norms chosen by labels, to draw an image of each domain", repr(norms), "Leave draws=0")
    if one_norm and not who.norms:
        raise need("norms chosen by labels, for one norm", repr(norms))
    if one_norm and inferred:
        raise need("one norm for all, or norms that are inferred", "both")
    if not (who.expressive & (who.domain != source)).any():
        raise need(
            f"stimuli of intensity above 0 in other domains than {source!r}",
            f"domains {', '.join(map(repr, sorted(set(who.domain.tolist()))))}",
        )
    encoder = NormEncoder("projection", scale="none") if encoder is None else encoder
    if isinstance(encoder, type) or not all(hasattr(encoder, name) for name in ("fit", "transform")):
        raise need('an encoder with fit and transform, nr.NormEncoder("general")', repr(encoder), kind=TypeError)
    seen, norm = features, norms
    if one_norm:
        seen = features.assign_coords({norm_by: ("stimulus", np.full(len(who.ids), source))})
    scored = []
    for stored in drawn(who, draws, seed):
        used = {name: rows for name, rows in stored.items() if not one_norm or name in (*who.categories, NORM + source)}
        code = _run(copy.deepcopy(encoder), seen, used, norm, norm_by, who)
        held = np.zeros(len(who.ids), dtype=bool)
        held[np.concatenate(list(stored.values()))] = True
        scored.append(scoring.score(who, code, held, called if neutral else None, threshold))
    result = scoring.assemble(who, scored, bool(draws), called if neutral else None)
    settings = {
        **{"source": source, "encoder": encoder, "prototypes": _said(prototypes), "norms": _said(norms)},
        **{"label": label, "norm_by": norm_by, "draws": draws, "neutral": neutral, "threshold": threshold},
        **{"one_norm": one_norm, "inferred": inferred},
    }
    return provenance.stamp(
        result,
        "CrossDomainAccuracy",
        "cross_domain_accuracy",
        settings,
        parents=[features],
        seed=seed if draws else None,
        chance=1.0 / len(who.categories),
        mean_accuracy=float(result["accuracy"].mean()),
        learned_from=source,
        stored_sets=str(who.sets()),
        interval="central 95 % of draws" if draws else "Wilson's 95 %",
    )


def _check_threshold(threshold: Any, neutral: bool | str) -> None:
    """Refuse a threshold that is no threshold, or that nothing would use."""
    if isinstance(threshold, str) and threshold != "half":
        raise unknown("threshold", threshold, ("half",), hint="Or give a number, or None: never neutral")
    if threshold is not None and not isinstance(threshold, str):
        bare(threshold, "1", "threshold")
    if threshold != "half" and not neutral:
        raise need("neutral=True beside threshold=, which decides what is neutral", "threshold alone")


def _called(features: xr.Dataset, neutral: bool | str, label: str) -> str:
    """Return what the label calls neutral."""
    if not isinstance(neutral, str):
        return "neutral"
    if label in features.coords and neutral not in (known := set(features[label].values.astype(str).tolist())):
        hint = f"neutral= says how the label {label!r} calls it; write neutral=True for 'neutral'"
        raise unknown(f"{label} for neutral", neutral, known, hint=hint)
    return neutral


def _run(
    encoder: Encoder, features: xr.Dataset, stored: Mapping[str, np.ndarray], norms: Any, norm_by: str, who: Task
) -> xr.Dataset:
    """Return the FaceCode of all stimuli by an encoder that is fitted on the stored ones."""
    stored_as = np.full(len(who.ids), "", dtype=object)
    for name, rows in stored.items():
        if name.startswith(NORM) and name.removeprefix(NORM) in who.inferred:
            stored_as[rows] = who.truth[rows]
        else:
            stored_as[rows] = NORM if name.startswith(NORM) else name
    known = features.assign_coords({STORED_AS: ("stimulus", stored_as.astype(str))})
    if who.norms:  # nothing but the stored images, and their labels, reaches the encoder
        norms = {STORED_AS: NORM}
    if norms is None or not isinstance(norms, str):
        known = known.isel(stimulus=np.flatnonzero(stored_as != ""))
    prototypes = {name: {STORED_AS: name, norm_by: who.source} for name in who.categories}
    inferred = {name: {STORED_AS: who.categories} for name in who.inferred}
    encoder.fit(
        known,
        prototypes=prototypes,
        norms=norms,
        norm_by=norm_by,
        prefers_by=STORED_AS,
        **({"inferred": inferred} if inferred else {}),  # encoders of one's own need not know it
    )
    code = encoder.transform(features)
    for name, stored_for in (("at_prototype", lambda prefers: prefers), ("baseline", lambda _: NORM + who.source)):
        if name not in code.coords:  # an encoder of one's own need not say it: the stored images do
            own = [
                _mean_at(code, stored.get(stored_for(str(each))), i) for i, each in enumerate(code["prefers"].values)
            ]
            code = code.assign_coords({name: ("neuron", own, {"units": "1"})})
    return code


def _mean_at(code: xr.Dataset, rows: np.ndarray | None, neuron: int) -> float:
    """Return a neuron's mean activity at stored stimuli; NaN where none is stored."""
    return np.nan if rows is None else float(code["activity"].values[rows, neuron].mean())


def _said(chosen: Any) -> Any:
    """Return a choice of stimuli as provenance can hold it."""
    return "given" if isinstance(chosen, xr.DataArray) else chosen
