"""Answers held against the labels of what was shown: accuracy, confusions, read-out by true intensity."""

from __future__ import annotations

import json
import warnings

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need

_CLOSE = 6  # decimals to which intensities are told apart


def score_read_out(said: xr.Dataset, *, label: str = "expression", by: str = "domain") -> xr.Dataset:
    """Return how often answers are right, on each head and at each intensity, and what intensity was read.

    A stimulus whose intensity is 0, or whose label is the neutral answer, shows ``neutral``. Left out, and counted, are
    stimuli below intensity 0 (anti-faces), those without a label ``by`` (``''``), and, with a warning, those whose
    label no neuron prefers. The labels are used here, after the answers were given.

    Parameters
    ----------
    said
        The result of :func:`nrsim.read_out` (frames are scored one by one, by ``frame_intensity``) or
        :func:`nrsim.read_out_over_time` (whole movements are scored).
    label
        The label that the answers are held against.
    by
        The label each of whose values is scored on its own.

    Returns
    -------
    xarray.Dataset
        ``accuracy (domain)``, ``neutral`` being one of the answers; ``forced_accuracy (domain)``, the largest neuron
        but ``neutral``, over expressive stimuli alone; ``n_stimuli``, ``n_expressive (domain)``; ``confusion (domain,
        category, answer)`` in counts, with ``neutral``; and by true intensity: ``recognised (domain, intensity)``, the
        share answered rightly, ``read_intensity (domain, intensity)``, the mean of what was read from the neurons of
        the forced answer, and ``read_intensity_rmse (domain)``, the root of the mean squared difference of single
        stimuli from the truth, 0 included. The attribute ``left_out`` counts. ``domain`` stands for the values of
        ``by``, whatever that is.

    Raises
    ------
    ValueError
        If it is no such result, lacks the labels, nothing is left to score, or a label differs from an answer by
        capital letters or spaces alone.

    Examples
    --------
    >>> import nrsim as nr
    >>> scored = nr.score_read_out(nr.read_out(nr.example("FaceCode")))
    >>> scored["recognised"].sel(domain="macaque").values.tolist()
    [1.0, 1.0, 1.0]
    """
    if not isinstance(said, xr.Dataset) or "forced_answer" not in said:
        raise need("the result of nr.read_out or nr.read_out_over_time", type(said).__name__)
    frames = "frame" in said["answer"].dims
    truth_name = "frame_intensity" if frames else "intensity"
    for name, argument in ((label, "label"), (by, "by"), (truth_name, "")):
        if name not in said.coords:
            todo = f"{argument}= names another one" if argument else ""
            of = f" of {argument}=" if argument else ""
            what = f"the label {name!r}{of} to hold the answers against"
            raise need(what, f"labels {labels.names(said, 'stimulus')}", todo)
    shape = said["answer"].shape
    answer, forced = (said[name].values.astype(str).ravel() for name in ("answer", "forced_answer"))
    read = said["read_intensity"].values.ravel()
    true = np.broadcast_to(said[truth_name].values.astype(float), shape).ravel()
    intensity = true.round(_CLOSE)
    shown, group = (
        np.broadcast_to(said[name].values.astype(str).reshape(-1, *[1] * frames), shape).ravel() for name in (label, by)
    )
    neutral = str(said.attrs["neutral"])
    answers = [name for name in json.loads(str(said.attrs["answers"])) if name != neutral]
    shown = np.where((intensity == 0) | (shown == neutral), neutral, shown)
    _same_spelling(shown, [*answers, neutral], label)
    scored = (intensity >= 0) & np.isin(shown, [*answers, neutral]) & (group != "")
    if not scored.any():
        raise need(
            f"stimuli whose {label} is one of the answers, {', '.join(answers)}, at intensity 0 or above",
            f"none; {label} is one of {labels.occurring(np.unique(said[label].values.astype(str)))}",
        )
    nameless = (intensity >= 0) & (group != "") & ~np.isin(shown, ["", *answers, neutral])
    if nameless.any():
        names = labels.occurring(np.unique(shown[nameless]))
        warnings.warn(
            f"left out {int(nameless.sum())} of {len(shown)} {'frames' if frames else 'stimuli'} whose {label} "
            f"no neuron prefers: {names}; the accuracy is that of the rest",
            stacklevel=2,
        )
    groups = list(dict.fromkeys(group[scored].tolist()))
    levels = np.unique(intensity[scored])
    categories = [*answers, neutral]
    confusion = np.zeros((len(groups), len(categories), len(categories)), dtype=int)
    right, mean = (np.full((len(groups), len(levels)), np.nan) for _ in range(2))
    forced_share, rmse = (np.full(len(groups), np.nan) for _ in range(2))
    expressive = np.zeros(len(groups), dtype=int)
    for i, name in enumerate(groups):
        here = scored & (group == name)
        np.add.at(
            confusion[i], ([categories.index(s) for s in shown[here]], [categories.index(a) for a in answer[here]]), 1
        )
        strong = here & (shown != neutral)
        expressive[i] = strong.sum()
        if strong.any():
            forced_share[i] = (forced == shown)[strong].mean()
        rmse[i] = np.sqrt(((read - true)[here] ** 2).mean())
        for j, level in enumerate(levels):
            at = here & (intensity == level)
            if at.any():
                right[i, j] = (answer == shown)[at].mean()
                mean[i, j] = read[at].mean()
    n = confusion.sum(axis=(1, 2))
    unit = {"units": "1"}
    result = xr.Dataset(
        {
            "accuracy": ("domain", np.trace(confusion, axis1=1, axis2=2) / n, unit),
            "forced_accuracy": ("domain", forced_share, unit),
            "n_stimuli": ("domain", n, unit),
            "n_expressive": ("domain", expressive, unit),
            "confusion": (("domain", "category", "answer"), confusion, unit),
            "recognised": (("domain", "intensity"), right, unit),
            "read_intensity": (("domain", "intensity"), mean, unit),
            "read_intensity_rmse": ("domain", rmse, unit),
        },
        {"domain": groups, "category": categories, "answer": categories, "intensity": ("intensity", levels, unit)},
    )
    settings = {"label": label, "by": by}
    result["confusion"].attrs["counted"] = "frames" if frames else "stimuli"
    return provenance.stamp(
        result, "ReadoutScores", "score_read_out", settings, parents=[said], left_out=int((~scored).sum())
    )


def _same_spelling(shown: np.ndarray, answers: list[str], label: str) -> None:
    """Refuse labels that are an answer but for capital letters or spaces: they would be left out."""
    known = {name.strip().casefold(): name for name in answers}
    for name in dict.fromkeys(shown.tolist()):
        same = known.get(name.strip().casefold())
        if same is not None and name not in answers:
            raise need(
                f"labels spelt as the neurons' preferences are, {same!r}",
                f"{name!r} in {int((shown == name).sum())} values of {label!r}",
                "Spell both alike: texts are compared as they are",
            )
