"""How firing rates depend on intensity: cross-validated shapes, slopes and Naka-Rushton functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim.quantities import whole
from nrsim.schema import check
from nrsim.tuning import models
from nrsim.tuning.curves import neuron_coords
from nrsim.tuning.resampling import CONFIDENCE, interval, resampled_deviations, trial_folds
from nrsim.tuning.trajectories import trajectories
from nrsim.tuning.windows import window_rates

BRANCHES = ("negative", "positive")
_PARAMETERS = 4
_FINE = 61
_HZ_PER_UNIT = "Hz per unit"


def fit_intensity_response(
    recording: xr.Dataset,
    *,
    along: str = "intensity",
    by: str | Sequence[str] | None = None,
    window: Any = (0.07, 0.37),
    baseline: Any = None,
    folds: int = 5,
    n_bootstrap: int = 1000,
    seed: int = 0,
    progress: bool = False,
) -> xr.Dataset:
    r"""Fit how the firing rate of each neuron depends on intensity, cross-validated over trials.

    Four models are linear in a fixed basis, by least squares over trials: ``constant`` :math:`a`, ``line``
    :math:`a + bx`, ``ramp`` :math:`a + b[x]_+` and ``V`` :math:`a + b|x|`. On one side of 0 the last three are the same
    function. Beside them, on each side of 0 by itself (the ``branch``), a Naka-Rushton function

    .. math:: r(x) = r_0 + r_{max} \frac{|x|^n}{|x|^n + c_{50}^n}, \qquad r_{max} \ge 0

    with :math:`r_0 \ge 0` where no baseline is subtracted; it needs four values of \|x\|.
    A c50 at its bound, twice the largest \|x\|, says that the neuron does not saturate: then r_max means nothing.

    The trials of each stimulus are dealt into folds. A model is fitted to all folds but one and predicts the single
    trials of that one. ``preferred_model`` follows one rule: the shape with the least error is ``constant`` unless it
    beats the constant by more than one standard error of the difference over folds; then it is ``not identifiable``
    where both signs of ``along`` and three values were not shown; ``undecided`` unless it beats the next best shape by
    more than one standard error as well; else the best shape. Curves never shown are ``not shown``.

    Parameters
    ----------
    recording
        A Recording.
    along, by, window, baseline
        As in :func:`nrsim.tuning_curves`.
    folds
        Number of folds. Default 5 (chosen, the usual compromise between bias and time).
    n_bootstrap
        Bootstrap samples for the intervals. Default 1000 (chosen: enough for a 95 % interval).
    seed
        Draws folds and bootstrap samples, by the names of stimuli and trials. Default 0 (chosen).
    progress
        Whether to show progress over curves.

    Returns
    -------
    xarray.Dataset
        On ``(neuron, <by>, …)``: ``cv_score (…, model)``, the explained variance of left-out trials relative to the
        constant (0 for it, 1 without error); ``preferred_model``; ``intercept``, ``slope``, ``slope_low``,
        ``slope_high (…, model)``; ``rho``, ``rho_low``, ``rho_high``, Spearman's correlation of the mean firing rate
        with ``along``; ``predicted (…, model, <along>_fine)`` within the range shown; ``naka_rushton_baseline``,
        ``_maximum``, ``_exponent``, ``_half``, ``_cv_score (…, branch)`` and ``naka_rushton_predicted
        (…, <along>_fine)``. Intervals are 95 % percentile intervals over resampled trials; for ρ the noise of
        resampling pulls towards 0, so that its interval is cautious.

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If a label is unknown, the window does not fit, or ``folds`` is less than 2.

    Examples
    --------
    >>> import nrsim as nr
    >>> fits = nr.fit_intensity_response(nr.example("Recording"), window=(0.1, 0.4), n_bootstrap=100)
    >>> preferred = fits.sel(neuron=0, domain="human", expression="happy")
    >>> bool(preferred["cv_score"].sel(model="ramp") > 0.5)
    True
    """
    check(recording, "Recording")
    folds, n_bootstrap = whole(folds, "folds", low=2), whole(n_bootstrap, "n_bootstrap", low=1)
    rates = window_rates(recording, window, baseline)
    found = trajectories(rates, along, by)
    fold = trial_folds(rates, folds, seed)
    fine = np.linspace(found.values[0], found.values[-1], _FINE)
    ids, trials = rates["stimulus_id"].values, rates["trial"].values
    fitted = []
    for trajectory in tqdm(range(found.count), desc="fits", unit="curve", disable=None if progress else True):
        members, level = found.members(trajectory)
        values = rates.values[members]
        curve = _Curve(found.values[level], values, fold[members], folds)
        deviations = resampled_deviations(values, ids[members], trials, n_bootstrap, seed)
        fitted.append(
            curve.shapes(fine) | curve.intervals(deviations, n_bootstrap) | curve.naka_rushton(fine, baseline is None)
        )
    dims = ("neuron", *found.by)
    units = _units(found.coords[along].attrs["units"])
    data = {}
    for name, (tail, unit) in units.items():
        tail = tuple(f"{along}_fine" if dim == "fine" else dim for dim in tail)
        stacked = np.stack([one[name] for one in fitted])
        attributes = {"units": unit} if unit else {}
        data[name] = ((*dims, *tail), found.unfold(stacked), attributes)
    coords = {
        **neuron_coords(rates),
        **found.coords,
        "model": ("model", list(models.SHAPES)),
        "branch": ("branch", list(BRANCHES)),
        f"{along}_fine": (f"{along}_fine", fine, found.coords[along].attrs),
    }
    coords.pop(along)
    parameters = {
        "along": along,
        "by": found.by,
        "window": window,
        "baseline": baseline,
        "folds": folds,
        "n_bootstrap": n_bootstrap,
    }
    return provenance.stamp(
        xr.Dataset(data, coords),
        "IntensityFits",
        "fit_intensity_response",
        parameters,
        parents=(recording,),
        seed=seed,
        along=along,
        confidence=CONFIDENCE,
        window_start=rates.attrs["window_start"],
        window_end=rates.attrs["window_end"],
    )


def _units(along: str) -> dict[str, tuple[tuple[str, ...], str]]:
    slope = _HZ_PER_UNIT if along == "1" else f"Hz/{along}"
    branch = ("branch",)
    return {
        "cv_score": (("model",), "1"),
        "preferred_model": ((), ""),
        "intercept": (("model",), "Hz"),
        "slope": (("model",), slope),
        "slope_low": (("model",), slope),
        "slope_high": (("model",), slope),
        "rho": ((), "1"),
        "rho_low": ((), "1"),
        "rho_high": ((), "1"),
        "predicted": (("model", "fine"), "Hz"),
        "naka_rushton_baseline": (branch, "Hz"),
        "naka_rushton_maximum": (branch, "Hz"),
        "naka_rushton_exponent": (branch, "1"),
        "naka_rushton_half": (branch, along),
        "naka_rushton_cv_score": (branch, "1"),
        "naka_rushton_predicted": (("fine",), "Hz"),
    }


class _Curve:
    """The trials of one curve for all neurons, reduced to sums by stimulus and fold.

    ``x (stimulus,)``; ``n``, ``total`` and ``square (fold, stimulus, neuron)``, of firing rates about ``centre``.
    """

    def __init__(self, x: np.ndarray, values: np.ndarray, fold: np.ndarray, folds: int) -> None:
        shown = np.isfinite(values)
        self.x = x
        self.centre = np.where(shown, values, 0.0).sum((0, 1)) / np.maximum(shown.sum((0, 1)), 1)
        centred = np.where(shown, values - self.centre, 0.0)
        member = np.stack([fold == k for k in range(folds)])
        self.n = member.sum(2).astype(np.float64)
        self.total = np.where(member, centred, 0.0).sum(2)
        self.square = np.where(member, centred**2, 0.0).sum(2)
        self.n_all, self.total_all = self.n.sum(0), self.total.sum(0)
        self.n_train, self.total_train = self.n_all - self.n, self.total_all - self.total
        self.some = self.n_all.sum(0) > 0
        self.levels = np.unique(x)
        self.pool = (self.levels[:, None] == x).astype(np.float64)

    def errors(self, predicted: np.ndarray) -> np.ndarray:
        """Return the summed squared error of left-out trials, ``(fold, stimulus, neuron)``."""
        return self.square - 2 * predicted * self.total + predicted**2 * self.n

    def shapes(self, fine: np.ndarray) -> dict[str, np.ndarray]:
        """Fit and compare the linear models, ``(neuron, model, …)``."""
        error, intercept, slope, predicted = [], [], [], []
        inside = (fine >= self.levels[0]) & (fine <= self.levels[-1]) if self.levels.size else np.zeros(len(fine), bool)
        for model in models.SHAPES:
            f = models.basis(model, self.x)
            a, b = models.regress(f, self.n_train, self.total_train)
            left_out = self.errors(a[:, None] + b[:, None] * f[:, None])
            error.append(np.where(self.n > 0, left_out, 0.0).sum(1))
            a, b = models.regress(f, self.n_all, self.total_all)
            intercept.append(a + self.centre)
            slope.append(b)
            curve = (a + self.centre)[:, None] + b[:, None] * models.basis(model, fine)
            predicted.append(np.where(inside, curve, np.nan))
        trials = self.n.sum(1)
        per_trial = np.stack(error) / np.where(trials > 0, trials, np.nan)
        summed = np.stack(error).sum(1)
        preferred = choose(per_trial, self._identifiable())
        return {
            "cv_score": relative_score(summed, summed[0]).T,
            "preferred_model": np.where(self.some, preferred, "not shown"),
            "intercept": np.stack(intercept, 1),
            "slope": np.stack(slope, 1),
            "predicted": np.stack(predicted, 1),
        }

    def _identifiable(self) -> np.ndarray:
        patterns, which = np.unique(self.n_all > 0, axis=1, return_inverse=True)
        differ = [models.shapes_differ(self.x[pattern]) for pattern in patterns.T]
        return np.array(differ)[which.ravel()]

    def intervals(self, deviations: Any, n_bootstrap: int) -> dict[str, np.ndarray]:
        """Bootstrap the slopes ``(neuron, model)`` and Spearman's rho ``(neuron,)``."""
        n_neurons = self.n_all.shape[1]
        weights = [models.slope_weights(models.basis(model, self.x), self.n_all) for model in models.SHAPES]
        slopes = np.zeros((len(models.SHAPES), n_bootstrap, n_neurons))
        pooled_n = self.pool @ self.n_all
        shown = pooled_n > 0
        mean = np.where(shown, self.pool @ self.total_all / np.maximum(pooled_n, 1), np.nan)
        samples = np.tile(mean, (n_bootstrap, 1, 1))
        for row, deviation in enumerate(deviations):
            for shape, weight in zip(slopes, weights, strict=True):
                shape += weight[row] * deviation
            place = self.pool[:, row].argmax()
            samples[:, place] += deviation * self.n_all[row] / np.maximum(pooled_n[place], 1)
        low, high = interval(slopes, axis=1)
        slope = np.stack([(weight * self.means()).sum(0) for weight in weights])
        rho_low, rho_high = interval(models.spearman(self.levels, samples))
        return {
            "slope_low": np.where(self.some, slope + low, np.nan).T,
            "slope_high": np.where(self.some, slope + high, np.nan).T,
            "rho": models.spearman(self.levels, mean),
            "rho_low": rho_low,
            "rho_high": rho_high,
        }

    def means(self) -> np.ndarray:
        """Return mean firing rates about ``centre``, 0 where nothing was shown, ``(stimulus, neuron)``."""
        return self.total_all / np.maximum(self.n_all, 1)

    def naka_rushton(self, fine: np.ndarray, nonnegative: bool) -> dict[str, np.ndarray]:
        """Fit a Naka-Rushton function to each side of 0, ``(neuron, branch)``."""
        n_neurons = self.n_all.shape[1]
        empty = np.full((n_neurons, len(BRANCHES)), np.nan)
        keys = ("baseline", "maximum", "exponent", "half", "cv_score")
        result = {f"naka_rushton_{key}": empty.copy() for key in keys}
        predicted = np.full((n_neurons, len(fine)), np.nan)
        for place, sign in enumerate((-1.0, 1.0)):
            side = self.x * sign >= 0
            c, member = np.unique(np.abs(self.x[side]), return_inverse=True)
            if len(c) < _PARAMETERS:
                continue
            pool = (np.arange(len(c))[:, None] == member).astype(np.float64)
            n_all = pool @ self.n_all[side]
            enough = ((n_all > 0).sum(0) >= _PARAMETERS) & self.some
            if not enough.any():
                continue
            n = np.concatenate([n_all[None], pool @ self.n_train[:, side]])[..., enough]
            total = np.concatenate([(pool @ self.total_all[side])[None], pool @ self.total_train[:, side]])[..., enough]
            mean = total / np.maximum(n, 1) + self.centre[enough]
            series = n.swapaxes(1, 2).reshape(-1, len(c)), mean.swapaxes(1, 2).reshape(-1, len(c))
            fit = models.fit_naka_rushton(c, *series, nonnegative)
            whole_fit = {key: getattr(fit, key)[: enough.sum()] for key in keys[:4]}
            for key, values in whole_fit.items():
                result[f"naka_rushton_{key}"][enough, place] = values
            rates = fit.predict(c)[:, member].reshape(len(n), int(enough.sum()), -1).swapaxes(1, 2)
            score = self._branch_score(side, enough, rates[1:] - self.centre[enough])
            result["naka_rushton_cv_score"][enough, place] = score
            inside = (fine * sign >= 0) & (np.abs(fine) >= c[0]) & (np.abs(fine) <= c[-1])
            whole_curve = models.NakaRushton(**whole_fit, error=fit.error).predict(np.abs(fine[inside]))
            predicted[np.ix_(enough, inside)] = whole_curve
        return result | {"naka_rushton_predicted": predicted}

    def _branch_score(self, side: np.ndarray, enough: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        flat = np.ix_(np.arange(len(self.n)), side, enough)
        constant, _ = models.regress(np.zeros(side.sum()), self.n_train[flat], self.total_train[flat])
        square, total, n = self.square[flat], self.total[flat], self.n[flat]

        def error(rate: np.ndarray) -> np.ndarray:
            return np.where(n > 0, square - 2 * rate * total + rate**2 * n, 0.0).sum((0, 1))

        return relative_score(error(predicted), error(np.broadcast_to(constant[:, None], n.shape)))


def relative_score(error: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Return 1 - error / error of the constant; NaN where the constant makes none."""
    some = constant > 1e-12
    return np.where(some, 1 - error / np.where(some, constant, 1.0), np.nan)


def choose(error: np.ndarray, identifiable: np.ndarray) -> np.ndarray:
    """Return the preferred model, by the rule of :func:`fit_intensity_response`.

    Parameters
    ----------
    error
        Mean squared error of left-out trials, ``(model, fold, neuron)`` with the constant first; NaN in empty folds.
    identifiable
        Whether the shapes differ, ``(neuron,)``.
    """
    names = np.array(models.SHAPES)
    columns = np.arange(error.shape[2])
    filled = np.isfinite(error)
    n_folds = np.maximum(filled.sum(1), 1)
    mean = np.where(filled, error, 0.0).sum(1) / n_folds
    order = 1 + np.argsort(mean[1:], axis=0, kind="stable")
    best = np.where(identifiable, order[0], 1)

    def beats(winner: np.ndarray, loser: np.ndarray) -> np.ndarray:
        difference = error[loser, :, columns] - error[winner, :, columns]
        known = np.isfinite(difference)
        count = known.sum(1)
        average = np.where(known, difference, 0.0).sum(1) / np.maximum(count, 1)
        spread = np.where(known, (difference - average[:, None]) ** 2, 0.0).sum(1)
        standard_error = np.sqrt(spread / np.maximum(count - 1, 1) / np.maximum(count, 1))
        return (count > 1) & (average > standard_error + 1e-9 * np.abs(mean[0]))

    shaped = np.where(identifiable, np.where(beats(best, order[1]), names[best], "undecided"), "not identifiable")
    return np.where(beats(best, np.zeros_like(best)), shaped, names[0])
