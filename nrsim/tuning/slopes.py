"""Slopes along the preferred expression and along the others: what tells a direction from a distance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim.errors import need
from nrsim.quantities import whole
from nrsim.schema import check
from nrsim.tuning import models
from nrsim.tuning.curves import neuron_coords
from nrsim.tuning.resampling import CONFIDENCE, interval, resampled_deviations
from nrsim.tuning.trajectories import Trajectories, trajectories
from nrsim.tuning.windows import window_rates


def preferred_slopes(
    recording: xr.Dataset,
    along: str = "intensity",
    window: Any = (0.07, 0.37),
    label: str = "expression",
    by: str = "domain",
    n_bootstrap: int = 1000,
    seed: int = 0,
    *,
    progress: bool = False,
) -> xr.Dataset:
    r"""Return how steeply each neuron rises along what it prefers, and along everything else.

    A response that grows with any distance from the norm, such as :math:`\tfrac12(\|d\| + n\cdot d)`, rises along
    every expression; the difference between the slope for the preferred expression and the mean slope for the others
    is what shows a direction.

    Parameters
    ----------
    recording
        A Recording whose neurons carry ``prefers``, a value of ``label``. Neurons of several encoders may lie in it.
    along
        Numeric stimulus label. Default ``"intensity"``.
    window
        ``(start, end)`` in s. Default 0.07 to 0.37 (chosen, see :func:`nrsim.window_rates`).
    label
        The stimulus label that ``prefers`` refers to.
    by
        The label to keep apart: a result for each of its values.
    n_bootstrap
        Bootstrap samples of trials within stimuli. Default 1000 (chosen).
    seed
        Draws the samples, by the names of stimuli and trials.
    progress
        Whether to show progress over values of ``by``.

    Returns
    -------
    xarray.Dataset
        On ``(neuron, <by>)``: ``rho``, Spearman's correlation of the mean firing rate with ``along`` for the preferred
        expression; ``slope_preferred``, least squares over all trials of all intensities shown, in Hz per unit of
        ``along``; ``slope_other``, the mean of the slopes for the others; ``slope_difference``; each with ``_low`` and
        ``_high``, a 95 % percentile interval over resampled trials. NaN where the preferred expression was not shown.

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If neurons have no ``prefers``, a label is unknown, or no neuron prefers a value of ``label``.

    Examples
    --------
    >>> import nrsim as nr
    >>> slopes = nr.preferred_slopes(nr.example("Recording"), window=(0.1, 0.4), n_bootstrap=200)
    >>> bool((slopes["slope_difference_low"] > 0).all())
    True
    """
    check(recording, "Recording")
    if "prefers" not in recording.coords:
        raise need(
            "the neuron label 'prefers'", "a recording without it", "Assign it, or use nr.fit_intensity_response"
        )
    n_bootstrap = whole(n_bootstrap, "n_bootstrap", low=1)
    rates = window_rates(recording, window)
    found = trajectories(rates, along, (by, label))
    options = [str(value) for value in found.coords[label].values]
    wanted = [str(value) for value in rates["prefers"].values]
    if not set(wanted) & set(options):
        raise need(f"neurons that prefer a value of {label!r} ({', '.join(options)})", ", ".join(sorted(set(wanted))))
    own = np.array([options.index(name) if name in options else -1 for name in wanted])
    n_by = found.coords[by].size
    results = [
        _one_domain(rates, found, range(place * len(options), (place + 1) * len(options)), own, n_bootstrap, seed)
        for place in tqdm(range(n_by), desc="slopes", disable=None if progress else True)
    ]
    unit = found.coords[along].attrs["units"]
    slope_unit = "Hz per unit" if unit == "1" else f"Hz/{unit}"
    data = {
        name: (
            ("neuron", by),
            np.stack([result[name] for result in results], 1),
            {"units": "1" if name.startswith("rho") else slope_unit},
        )
        for name in results[0]
    }
    coords = {**neuron_coords(rates), by: found.coords[by]}
    return provenance.stamp(
        xr.Dataset(data, coords),
        "Slopes",
        "preferred_slopes",
        {"along": along, "window": window, "label": label, "by": by, "n_bootstrap": n_bootstrap},
        parents=(recording,),
        seed=seed,
        along=along,
        label=label,
        confidence=CONFIDENCE,
    )


def _one_domain(
    rates: xr.DataArray, found: Trajectories, curves: range, own: np.ndarray, n_bootstrap: int, seed: int
) -> dict[str, np.ndarray]:
    """Return every variable ``(neuron,)`` for the curves of one domain, one for each value of the label."""
    n_neurons = rates.sizes["neuron"]
    rows = np.unique(np.concatenate([found.members(curve)[0] for curve in curves]))
    values = rates.values[rows]
    shown = np.isfinite(values)
    n = shown.sum(1).astype(np.float64)
    mean = np.where(shown, values, 0.0).sum(1) / np.maximum(n, 1)
    weights = np.zeros((len(curves), len(rows), n_neurons))
    exists = np.zeros((len(curves), n_neurons), dtype=bool)
    pools = np.zeros((len(curves), len(found.values), len(rows)))
    for place, curve in enumerate(curves):
        members, level = found.members(curve)
        at = np.searchsorted(rows, members)
        weights[place, at] = models.slope_weights(found.values[level], n[at])
        exists[place] = (weights[place] != 0).any(0)
        pools[place, level, at] = 1.0
    neurons = np.arange(n_neurons)
    has_own = (own >= 0) & exists[own, neurons]
    mine = weights[own, :, neurons].T
    others = exists & (np.arange(len(curves))[:, None] != own)
    n_others = others.sum(0)
    rest = (weights * others[:, None]).sum(0) / np.maximum(n_others, 1)
    pool = pools[own]
    pooled_n = np.einsum("jls,sj->lj", pool, n)
    level_mean = np.einsum("jls,sj->lj", pool, n * mean) / np.maximum(pooled_n, 1)
    level_mean = np.where(pooled_n > 0, level_mean, np.nan)

    samples = np.tile(level_mean, (n_bootstrap, 1, 1))
    slopes = {"slope_preferred": mine, "slope_other": rest, "slope_difference": mine - rest}
    spread = {name: np.zeros((n_bootstrap, n_neurons)) for name in slopes}
    stimulus_ids = rates["stimulus_id"].values[rows]
    for row, deviation in enumerate(
        resampled_deviations(values, stimulus_ids, rates["trial"].values, n_bootstrap, seed)
    ):
        for name, weight in slopes.items():
            spread[name] += weight[row] * deviation
        share = pool[:, :, row].T * n[row] / np.maximum(pooled_n, 1)
        for which in np.flatnonzero(share.any(1)):
            samples[:, which] += share[which] * deviation
    low, high = interval(models.spearman(found.values, samples))
    rho = {"rho": models.spearman(found.values, level_mean), "rho_low": low, "rho_high": high}
    result = {name: np.where(has_own, value, np.nan) for name, value in rho.items()}
    for name, weight in slopes.items():
        valid = has_own if name == "slope_preferred" else has_own & (n_others > 0)
        estimate = (weight * mean).sum(0)
        low, high = interval(spread[name])
        for suffix, value in (("", estimate), ("_low", estimate + low), ("_high", estimate + high)):
            result[name + suffix] = np.where(valid, value, np.nan)
    return result


def summarise_slopes(slopes: xr.Dataset) -> pd.DataFrame:
    """Return a table of slopes, one row for each encoder, domain and preferred expression.

    Parameters
    ----------
    slopes
        What :func:`nrsim.preferred_slopes` returns.

    Returns
    -------
    pandas.DataFrame
        Columns ``encoder`` (where neurons carry it), the dim beside neuron (``domain``), ``prefers``, ``n_neurons``,
        and the mean over neurons of ``rho``, ``slope_preferred``, ``slope_other``, ``slope_difference``;
        ``slope_difference_low`` and ``_high`` hold what ``range_over`` says: "trials", the interval of a single
        neuron, or "neurons", the central 95 % of several: for shuffled directions the range of the null.

    Raises
    ------
    ValueError
        If it is no result of :func:`nrsim.preferred_slopes`.

    Examples
    --------
    >>> import nrsim as nr
    >>> slopes = nr.preferred_slopes(nr.example("Recording"), window=(0.1, 0.4), n_bootstrap=100)
    >>> list(nr.summarise_slopes(slopes)["prefers"])
    ['happy', 'happy', 'angry', 'angry']
    """
    if not isinstance(slopes, xr.Dataset) or "slope_difference" not in slopes:
        raise need("the result of nr.preferred_slopes", type(slopes).__name__)
    (by,) = (str(dim) for dim in slopes["slope_difference"].dims if dim != "neuron")
    keys = [name for name in ("encoder", by, "prefers") if name in slopes.coords]
    tall = slopes.reset_coords(drop=False).to_dataframe().reset_index()
    tall = tall[tall["slope_difference"].notna()]
    rows = []
    for values, group in tall.groupby(keys, sort=False, observed=True):
        row = dict(zip(keys, values, strict=True)) | {"n_neurons": len(group)}
        row |= {name: group[name].mean() for name in ("rho", "slope_preferred", "slope_other", "slope_difference")}
        if len(group) == 1:
            low, high = group["slope_difference_low"].iloc[0], group["slope_difference_high"].iloc[0]
            over = "trials"
        else:
            tail = (1 - CONFIDENCE) / 2
            low, high = group["slope_difference"].quantile([tail, 1 - tail])
            over = "neurons"
        rows.append(row | {"slope_difference_low": low, "slope_difference_high": high, "range_over": over})
    return pd.DataFrame(rows)
