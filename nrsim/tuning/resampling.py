"""Folds and bootstrap samples of trials, drawn from streams keyed by stimulus and trial."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from nrsim import seeds

CONFIDENCE = 0.95
"""Coverage of every interval (chosen, the field's habit)."""


def trial_folds(rates: xr.DataArray, folds: int, seed: int) -> np.ndarray:
    """Return the fold of every trial, ``(stimulus, trial, neuron)``; -1 where a stimulus was not presented.

    The trials of each stimulus and neuron are dealt out in random order, so that folds differ by at most one trial.
    Which fold gets the odd ones differs between stimuli.
    """
    shown = np.isfinite(rates.values)
    result = np.full(shown.shape, -1, dtype=np.int32)
    trials = rates["trial"].values
    for row, name in enumerate(rates["stimulus_id"].values):
        draw = np.array([seeds.stream(seed, "fold", name, trial).random() for trial in trials])
        first = seeds.stream(seed, "first fold", name).integers(folds)
        order = np.argsort(draw, kind="stable")
        rank = np.cumsum(shown[row, order], axis=0) - 1
        result[row, order] = np.where(shown[row, order], (rank + first) % folds, -1)
    return result


def resampled_deviations(
    values: np.ndarray, stimulus_ids: np.ndarray, trials: np.ndarray, n_bootstrap: int, seed: int
) -> Iterator[np.ndarray]:
    """Give, stimulus by stimulus, bootstrap deviations of the mean over trials, ``(bootstrap, neuron)``.

    A Bayesian bootstrap (Rubin 1981 Ann Stat 9:130): trials get exponential weights, so that no sample is empty when
    repeats are few or unequal. Deviations are stretched by sqrt((n + 1) / (n - 1)), which makes their variance that of
    the mean, s² / n (the rescaling for small strata of Rao & Wu 1988 J Am Stat Assoc 83:231). A stimulus with one
    trial does not vary.

    Parameters
    ----------
    values
        ``(stimulus, trial, neuron)``, NaN where there is no trial.
    stimulus_ids, trials
        Names that key the streams.
    n_bootstrap, seed
        Number of samples; the seed.
    """
    for row, name in enumerate(stimulus_ids):
        shown = np.isfinite(values[row])
        n = shown.sum(0)
        used = np.flatnonzero(shown.any(1))
        if not used.size:
            yield np.zeros((n_bootstrap, values.shape[2]))
            continue
        weights = np.stack(
            [seeds.stream(seed, "bootstrap", name, trials[t]).standard_exponential(n_bootstrap) for t in used], 1
        )
        mean = np.where(shown, values[row], 0.0).sum(0) / np.maximum(n, 1)
        centred = np.where(shown[used], values[row][used] - mean, 0.0)
        total = np.maximum(weights @ shown[used], np.finfo(float).tiny)
        yield (weights @ centred) / total * np.where(n > 1, np.sqrt((n + 1) / np.maximum(n - 1, 1)), 0.0)


def interval(samples: np.ndarray, axis: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of samples; NaN where a sample is NaN."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail], axis=axis)
    return low, high
