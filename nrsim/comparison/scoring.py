"""Scores of the protocol: answers, confusions and intensities read out, of one draw and of many."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim.comparison.protocol import NORM, Task
from nrsim.encoders.norm import NEUTRAL
from nrsim.errors import need
from nrsim.readout.pools import pools_of, threshold_of
from nrsim.readout.still import decide

READ_FROM = ("own", "winner")
_LEVEL = 6  # decimals to which intensities are the same


@dataclass
class Score:
    """What one set of stored images led to.

    Attributes
    ----------
    stored
        ``(stimulus,)`` of bool.
    answer
        Index of the category of the most active neurons, ``(stimulus,)``; −1 where all are equally active.
    neutral
        Whether the answer with neutral is neutral, ``(stimulus,)``; None where it is not asked for.
    threshold
        θ, units of activity; NaN where there is none, or neutral is not asked for.
    readout
        ``(read_from, stimulus)``: intensity read from the own category's neurons, and from the most active ones.
    resting
        ``(category, stimulus)``: intensity that each category's neurons say.
    """

    stored: np.ndarray
    answer: np.ndarray
    neutral: np.ndarray | None
    threshold: float
    readout: np.ndarray
    resting: np.ndarray


def score(who: Task, code: xr.Dataset, stored: np.ndarray, neutral: str | None, threshold: float | str | None) -> Score:
    """Return the answers that :func:`nrsim.read_out` reads from a code, with the same functions.

    Parameters
    ----------
    who
        The stimuli.
    code
        FaceCode of all of them. Neurons that prefer the same are averaged; those that prefer none of the categories do
        not count.
    stored
        ``(stimulus,)`` of bool.
    neutral
        What the label calls neutral, where it is an answer.
    threshold
        θ, ``"half"``, or None.
    """
    prefers = code["prefers"].values.astype(str)
    if neutral is not None and neutral not in prefers:
        prefers = np.where(prefers == NEUTRAL, neutral, prefers)  # the encoder's neuron, in the label's words
        code = code.assign_coords(prefers=("neuron", prefers))
    missing = [name for name in who.categories if name not in prefers]
    if missing:
        raise need("a neuron for each category", f"none that prefers {', '.join(map(repr, missing))}")
    mine = np.isin(prefers, [*who.categories, *([neutral] if neutral else [])])
    pools = pools_of(code.isel(neuron=np.flatnonzero(mine)), None, neutral or NORM)
    order = [pools.names.index(name) for name in who.categories]
    votes = pools.activity[:, order]
    answer = votes.argmax(axis=1)
    if votes.shape[1] > 1:
        answer[votes.max(axis=1) <= votes.min(axis=1)] = -1  # all alike, as where all are silent
    said, theta = None, np.nan
    if neutral is not None:
        theta = threshold_of(threshold, pools)
        said = decide(pools.activity, pools, theta)["answer"] == neutral
        theta = theta if np.isfinite(theta) else np.nan
    n = np.arange(len(who.ids))
    resting = np.stack([pools.intensity(pools.activity[:, k], np.full(len(n), k)) for k in order])
    truth = np.array([who.categories.index(name) if name in who.categories else 0 for name in who.truth])
    own = np.where(np.isin(who.truth, who.categories), resting[truth, n], np.nan)
    readout = np.stack([own, resting[votes.argmax(axis=1), n]])
    return Score(stored, answer, said, theta, readout, resting)


def assemble(who: Task, scores: Sequence[Score], drawn: bool, neutral: str | None) -> xr.Dataset:
    """Return the result of all draws."""
    names = np.array([*who.categories, *([neutral] if neutral else [])])
    truth = np.array([list(names).index(name) if name in names else -1 for name in who.truth])
    truth[who.neutral] = len(who.categories) if neutral else -1
    stored = np.stack([one.stored for one in scores])
    expressive = who.expressive & ~stored
    given = np.stack([one.answer for one in scores])
    lead: tuple[str, ...] = ("draw",) if drawn else ()
    make = _Maker(who, stored, lead, names)
    made = make.recognition(expressive, truth, given, "")
    if neutral:
        said = np.stack([one.neutral for one in scores if one.neutral is not None])
        tested = (who.expressive | who.neutral) & ~stored
        made |= make.recognition(tested, truth, np.where(said, len(who.categories), given), "_with_neutral")
        made["threshold"] = make.wrap((), np.array([one.threshold for one in scores]))
    answers = np.array([*names, ""])[given]
    made["winner"] = make.wrap(("stimulus",), np.where(expressive, answers, ""))[:2]
    made["stored"] = make.wrap(("stimulus",), stored)[:2]
    coords: dict[str, Any] = {
        "domain": make.domains,
        "category": names,
        "answer": names,
        "stimulus_id": ("stimulus", who.ids),
        "shown_domain": ("stimulus", who.domain),
        "shown": ("stimulus", who.truth),
    }
    if who.intensity is not None:
        coords["intensity"] = ("intensity", make.levels, {"units": "1"})
        coords["shown_intensity"] = ("stimulus", who.intensity, {"units": "1"})
        readout = _readout(who, make, scores)
        if readout:
            coords |= {
                "read_from": list(READ_FROM),
                "test_domain": make.all_domains,
                "readout_intensity": ("readout_intensity", make.readout_levels, {"units": "1"}),
            }
            made |= readout
    if drawn:
        coords["draw"] = ("draw", np.arange(len(scores)), {"units": "1"})
    return xr.Dataset(made, coords)


class _Maker:
    """What all results share: dims, domains and intensities."""

    def __init__(self, who: Task, stored: np.ndarray, lead: tuple[str, ...], names: np.ndarray) -> None:
        self.who, self.lead, self.names, self.stored = who, lead, names, stored
        away = who.expressive & (who.domain != who.source)
        self.domains = list(dict.fromkeys(who.domain[away]))
        self.all_domains = [who.source, *self.domains]
        levels = np.full(len(who.ids), np.nan) if who.intensity is None else who.intensity.round(_LEVEL)
        self.level = np.where(who.neutral, 0.0, levels)
        self.levels = np.unique(levels[away & np.isfinite(levels)])
        near = np.isin(who.domain, self.all_domains) & (who.expressive | who.neutral)
        self.readout_levels = np.unique(self.level[near & np.isfinite(self.level)])

    def wrap(self, dims: tuple[str, ...], values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
        """Return a variable from values whose first axis is the draw."""
        return (*self.lead, *dims), values if self.lead else values[0], {"units": "1"}

    def recognition(self, tested: np.ndarray, truth: np.ndarray, given: np.ndarray, end: str) -> dict[str, Any]:
        """Return accuracies and confusions, names ending in ``end``; ``tested``, ``given (draw, stimulus)``."""
        correct = np.where(tested, (given == truth).astype(np.float32), np.float32(np.nan))
        at = [self.who.domain == name for name in self.domains]
        ours = self.who.domain == self.who.source
        away = np.isin(self.who.domain, self.domains)
        n = np.stack([tested[:, here].sum(axis=1) for here in at], axis=1)
        accuracy = np.stack([_mean(correct[:, here]) for here in at], axis=1)
        if self.lead:
            low, high = _quantiles(accuracy)
        else:
            low, high = wilson(accuracy[0], n[0])
        size = len(self.names)
        confusion = np.zeros((len(given), len(at), size, size), dtype=int)
        for draw in range(len(given)):
            for i, here in enumerate(at):
                rows = here & tested[draw] & (given[draw] >= 0)
                np.add.at(confusion[draw, i], (truth[rows], given[draw, rows]), 1)
        by_level = np.full((len(given), len(at), len(self.levels)), np.nan)
        for i, here in enumerate(at):
            for j, level in enumerate(self.levels):
                by_level[:, i, j] = _mean(correct[:, here & (self.level == level)])
        made: dict[str, Any] = {
            "accuracy": self.wrap(("domain",), accuracy),
            "accuracy_low": ("domain", low, {"units": "1"}),
            "accuracy_high": ("domain", high, {"units": "1"}),
            "n_stimuli": self.wrap(("domain",), n),
            "accuracy_transfer": self.wrap((), _mean(correct[:, away])),
            "accuracy_source": self.wrap((), _mean(correct[:, ours])),
            "accuracy_overall": self.wrap((), _mean(correct[:, ours | away])),
            "confusion": self.wrap(("domain", "category", "answer"), confusion),
            "correct": self.wrap(("stimulus",), correct),
        }
        if len(self.levels):
            made["accuracy_by_intensity"] = self.wrap(("domain", "intensity"), by_level)
        return {name + end: value for name, value in made.items()}


def _readout(who: Task, make: _Maker, scores: Sequence[Score]) -> dict[str, Any]:
    """Return intensities read out: mean curves, their errors, and those of single images."""
    levels = make.readout_levels
    if not len(levels):
        return {}
    shape = (len(scores), len(READ_FROM), len(make.all_domains), len(who.categories), len(levels))
    curves = np.full(shape, np.nan)
    image = np.stack([one.readout for one in scores])
    resting = np.stack([one.resting for one in scores])
    image[:, 0, who.neutral] = np.nan
    single = np.full((len(scores), len(READ_FROM), len(make.all_domains)), np.nan)
    with np.errstate(invalid="ignore"):
        squared = (image - make.level) ** 2
    within = who.expressive & (make.level > 0) & (make.level <= 1)
    for i, domain in enumerate(make.all_domains):
        here = who.domain == domain
        for k, category in enumerate(who.categories):
            for j, level in enumerate(levels):
                at = here & (make.level == level)
                neutral, own = at & who.neutral, at & who.expressive & (who.truth == category)
                rest = np.stack([resting[:, k, neutral], image[:, 1, neutral]], axis=1)
                curves[:, :, i, k, j] = _mean(np.concatenate([rest, image[:, :, own]], axis=2))
        tested = np.where(within & here & ~make.stored, 0.0, np.nan)
        single[:, :, i] = np.sqrt(_mean(squared + tested[:, None]))
    upto = (levels >= 0) & (levels <= 1)
    off = (curves - levels)[..., upto]
    mean = _mean(np.moveaxis(off, 3, -1))
    dims = ("read_from", "test_domain")
    padded = _padded(curves, len(make.names), 3)
    error = _padded(np.sqrt(_mean(off**2)), len(make.names), 3)
    return {
        "readout": make.wrap((*dims, "category", "readout_intensity"), padded),
        "readout_rmse": make.wrap(dims, np.sqrt(_mean(mean**2))),
        "readout_rmse_category": make.wrap((*dims, "category"), error),
        "readout_rmse_image": make.wrap(dims, single),
        "readout_image": make.wrap(("read_from", "stimulus"), image),
    }


def _padded(values: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Return values with NaN for the categories that have no neuron (neutral)."""
    widths = [(0, n - size if i == axis else 0) for i, size in enumerate(values.shape)]
    return np.pad(values, widths, constant_values=np.nan)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is no NaN; NaN where there is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(values, axis=-1, dtype=np.float64) if values.shape[-1] else np.full(values.shape[:-1], np.nan)
    return np.asarray(mean)


def _quantiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    low, high = np.nanquantile(values, [0.025, 0.975], axis=0)
    return low, high


def wilson(share: np.ndarray, n: np.ndarray, z: float = 1.959964) -> tuple[np.ndarray, np.ndarray]:
    """Return the Wilson 95 % interval of a proportion."""
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
