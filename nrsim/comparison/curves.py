"""Model curves held against measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nrsim import provenance, seeds
from nrsim.errors import need, unknown
from nrsim.quantities import whole
from nrsim.schema import check
from nrsim.tuning.models import pearson, ranks
from nrsim.tuning.resampling import CONFIDENCE, interval

_FEW = 5
"""Fewer neurons than this are not resampled (chosen: the bootstrap of a handful is far too narrow)."""

SCALES = ("Hz", "baseline_subtracted", "normalised")
_SCALED = ("rmse", "slope_model", "slope_monkey", "slope_ratio")
_AT_ZERO, _DONE, _SMALLEST = "response at 0", "already subtracted", "response at the smallest shared value"


def compare_curves(
    model: xr.Dataset,
    monkey: xr.Dataset,
    *,
    match: Mapping[str, str] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Hold model curves against measured ones, over the labels and intensities they share.

    Labels that both have, with values in common, are compared value by value; over every other label curves are
    averaged. Model neurons are averaged: where they carry ``prefers``, each counts along what it prefers only; where
    they carry ``encoder``, each encoder is compared by itself. Each neuron of the monkey is compared by itself. Model
    curves are interpolated linearly onto the monkey's intensities, never beyond the range shown.

    Parameters
    ----------
    model, monkey
        TuningCurves along the same label.
    match
        Labels of the model that mean what a differently named label of the monkey means:
        ``{"happy": "lip-smack", "angry": "threat"}``.
    n_bootstrap
        Bootstrap samples. Default 1000 (chosen).
    seed
        Draws the samples.

    Returns
    -------
    xarray.Dataset
        On ``([encoder,] monkey_neuron, <shared labels>)``: ``pearson``, ``spearman``; and with ``scale``: ``rmse``,
        ``slope_model``, ``slope_monkey`` (least squares, per unit of the label the curves run along), ``slope_ratio``
        (model / monkey), and the compared curves themselves, ``model`` and ``monkey (…, scale, <along>)``; each with
        ``_low`` and ``_high``, a 95 % percentile interval.

        Scales, whose units stand in ``scale_units``: ``Hz``, where both curves are in Hz, else NaN;
        ``baseline_subtracted``, where both have the same units; ``normalised``, which is baseline-subtracted and then
        divided by the value at the largest shared intensity (NaN where that is not positive).

        The attributes say what was averaged (``averaged``, ``model_neurons``), how each baseline was taken
        (``baseline_model``, ``baseline_monkey``: the response at 0; nothing more where the table says it is
        subtracted; else, for both, the response at the smallest shared value) and what was resampled
        (``resampled_model``, ``resampled_monkey``: neurons where five or more were averaged, else a normal
        distribution with the ``sem`` of the mean curve; nothing where there is none).

    Raises
    ------
    SchemaError
        If one is no valid TuningCurves.
    ValueError
        If they run along different labels, ``match`` names an unknown label, or no two intensities are shared.

    Examples
    --------
    >>> import nrsim as nr
    >>> model = nr.example("TuningCurves")
    >>> published = nr.published_curves("stettler2023")
    >>> result = nr.compare_curves(model, published, match={"happy": "lip-smack", "angry": "threat"}, n_bootstrap=50)
    >>> dict(result["rmse"].sizes)
    {'encoder': 1, 'monkey_neuron': 2, 'expression': 2, 'scale': 3}
    """
    check(model, "TuningCurves")
    check(monkey, "TuningCurves")
    n_bootstrap = whole(n_bootstrap, "n_bootstrap", low=1)
    along = str(monkey.attrs["along"])
    if model.attrs["along"] != along:
        raise need(f"model curves along {along!r}, as the monkey's", f"curves along {model.attrs['along']!r}")
    model = _matched(model, monkey, match or {}, along)
    shared, averaged = _shared_labels(model, monkey, along)
    x = _shared_values(model, monkey, along)
    x_all = np.append(x, 0.0)
    groups = list(dict.fromkeys(model["encoder"].values.tolist())) if "encoder" in model.coords else [None]
    combinations = list(np.ndindex(*(len(values) for values in shared.values())))

    baselines = _baselines(model, monkey, along)
    smallest = int(np.abs(x).argmin())
    same_units = model["firing_rate"].attrs["units"] == monkey["firing_rate"].attrs["units"]
    in_hz = same_units and monkey["firing_rate"].attrs["units"] == "Hz"
    usable = np.array([in_hz, same_units, True])

    own = _own_curves(model)
    monkey_ids = [str(value) for value in monkey["neuron_id"].values]
    how: dict[str, set[str]] = {"model": set(), "monkey": set()}
    rows: list[dict[str, np.ndarray]] = []
    for group in groups:
        chosen = own if group is None else own.isel(neuron=np.flatnonzero(model["encoder"].values == group))
        for place, name in enumerate(monkey_ids):
            measured = monkey.isel(neuron=[place])
            for combination in combinations:
                at = {label: str(values[i]) for (label, values), i in zip(shared.items(), combination, strict=True)}
                one = _curves_at(chosen, at, along, x_all)
                two = _curves_at(measured, at, along, x_all)
                words = tuple(at.values())
                # the same draws of the model for every neuron of the monkey, and the reverse
                drawn_model, how_model = one.samples(n_bootstrap, seeds.stream(seed, "model", group, *words))
                drawn_monkey, how_monkey = two.samples(n_bootstrap, seeds.stream(seed, "monkey", name, *words))
                how["model"].add(how_model)
                how["monkey"].add(how_monkey)
                pairs = (one.mean[None], two.mean[None]), (drawn_model, drawn_monkey)
                scaled = [
                    [
                        _scaled(curve, how_zero, smallest, usable)
                        for curve, how_zero in zip(pair, baselines, strict=True)
                    ]
                    for pair in pairs
                ]
                estimate, drawn = (
                    _metrics(x, *curves) | _correlations(*pair) for curves, pair in zip(scaled, pairs, strict=True)
                )
                row = {key: value[0] for key, value in estimate.items()}
                row |= {"model": scaled[0][0][0], "monkey": scaled[0][1][0]}
                drawn |= {"model": scaled[1][0], "monkey": scaled[1][1]}
                for key, values in drawn.items():
                    row[f"{key}_low"], row[f"{key}_high"] = interval(values)
                rows.append(row)

    dims: dict[str, list] = {} if groups == [None] else {"encoder": groups}
    dims |= {"monkey_neuron": monkey_ids, **{label: list(values) for label, values in shared.items()}}
    result = _assembled(rows, dims, along, x, monkey)
    parameters = {"match": dict(match or {}), "n_bootstrap": n_bootstrap}
    return provenance.stamp(
        result,
        "CurveComparison",
        "compare_curves",
        parameters,
        parents=(model, monkey),
        seed=seed,
        along=along,
        confidence=CONFIDENCE,
        averaged=", ".join(averaged) or "none",
        model_neurons="along what they prefer" if "prefers" in model.coords else "all",
        baseline_model=baselines[0],
        baseline_monkey=baselines[1],
        resampled_model=", ".join(sorted(how["model"])),
        resampled_monkey=", ".join(sorted(how["monkey"])),
    )


def _matched(model: xr.Dataset, monkey: xr.Dataset, match: Mapping[str, str], along: str) -> xr.Dataset:
    """Give the model's labels the monkey's names."""
    mine, theirs = _labels(model, along), _labels(monkey, along)
    known = {str(value) for label in mine for value in model[label].values}
    wanted = {str(value) for label in theirs for value in monkey[label].values}
    for old, new in match.items():
        if old not in known:
            raise unknown("label of the model in match", old, known)
        if new not in wanted:
            raise unknown("label of the monkey in match", new, wanted)
    renamed = {}
    for label in (*mine, "prefers"):
        if label in model.coords and model[label].dtype.kind in "UOT":
            values = [match.get(str(value), str(value)) for value in model[label].values]
            if label != "prefers" and len(set(values)) < len(values):
                raise need(f"labels {label} that still differ after match", ", ".join(values))
            renamed[label] = (model[label].dims, np.array(values, dtype=str), model[label].attrs)
    return model.assign_coords(renamed)


def _labels(curves: xr.Dataset, along: str) -> list[str]:
    return [str(dim) for dim in curves["firing_rate"].dims if dim not in ("neuron", along)]


def _shared_labels(model: xr.Dataset, monkey: xr.Dataset, along: str) -> tuple[dict[str, list[str]], list[str]]:
    """Return the values both have of each label, and the labels to average over."""
    mine, theirs = _labels(model, along), _labels(monkey, along)
    shared: dict[str, list[str]] = {}
    for label in theirs:
        if label in mine:
            common = {str(value) for value in model[label].values}
            values = [str(value) for value in monkey[label].values if str(value) in common]
            if values:
                shared[label] = values
    averaged = [f"model {label}" for label in mine if label not in shared]
    return shared, averaged + [f"monkey {label}" for label in theirs if label not in shared]


def _shared_values(model: xr.Dataset, monkey: xr.Dataset, along: str) -> np.ndarray:
    mine, theirs = (curves[along].values.astype(np.float64) for curves in (model, monkey))
    inside = theirs[(theirs >= mine.min() - 1e-9) & (theirs <= mine.max() + 1e-9)]
    if len(inside) < 2:
        raise need(
            f"two values of {along} at least that both share",
            f"the model's {mine.min():g} to {mine.max():g} and the monkey's {', '.join(f'{v:g}' for v in theirs)}",
            f"Show the model the monkey's values of {along}",
        )
    return inside


def _baselines(model: xr.Dataset, monkey: xr.Dataset, along: str) -> tuple[str, str]:
    found = []
    for curves, covers in ((model, True), (monkey, False)):
        values = curves[along].values
        has_zero = bool((np.abs(values) < 1e-9).any() or (covers and values.min() < 0 < values.max()))
        done = curves.attrs.get("baseline") == "subtracted"
        found.append(_AT_ZERO if has_zero else _DONE if done else _SMALLEST)
    return (_SMALLEST, _SMALLEST) if _SMALLEST in found else (found[0], found[1])


def _own_curves(model: xr.Dataset) -> xr.Dataset:
    """Keep of each neuron the curves along what it prefers, where that is a label of a curve."""
    if "prefers" not in model.coords:
        return model
    for label in _labels(model, str(model.attrs["along"])):
        own = model[label] == model["prefers"]
        if own.any():
            return model[["firing_rate", "sem"]].where(own)
    return model


@dataclass(frozen=True)
class _Curves:
    """Curves ``each (neuron, x)`` that make one mean, with the standard error of each point."""

    each: np.ndarray
    sem: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """``(x,)``; NaN where no neuron has a value."""
        return self.each.mean(0) if len(self.each) else np.full(self.each.shape[1], np.nan)

    def samples(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """Return resampled means ``(n, x)`` and what was resampled."""
        if len(self.each) >= _FEW:
            picked = rng.integers(len(self.each), size=(n, len(self.each)))
            counts = np.zeros((n, len(self.each)))
            np.add.at(counts, (np.arange(n)[:, None], picked), 1.0)
            return counts @ self.each / len(self.each), "neurons"
        drawn = rng.standard_normal((n, self.each.shape[1]))
        if np.isfinite(self.sem).any():
            variance = np.where(np.isfinite(self.sem), self.sem, 0.0) ** 2
            return self.mean + drawn * np.sqrt(variance.sum(0)) / len(self.each), "sem"
        return np.broadcast_to(self.mean, drawn.shape), "nothing"


def _curves_at(curves: xr.Dataset, at: Mapping[str, str], along: str, x: np.ndarray) -> _Curves:
    """Return the curves of all neurons at the shared labels, averaged over the others, at ``x``."""
    rate, sem = curves["firing_rate"], curves["sem"]
    for label, value in at.items():
        place = [str(one) for one in curves[label].values].index(value)
        rate, sem = rate.isel({label: place}), sem.isel({label: place})
    order = ("neuron", ..., along)
    rate_values, sem_values = (array.transpose(*order).values.astype(np.float64) for array in (rate, sem))
    shape = (rate_values.shape[0], -1, rate_values.shape[-1])
    rate_values, sem_values = rate_values.reshape(shape), sem_values.reshape(shape)
    shown = np.isfinite(rate_values)
    n = np.maximum(shown.sum(1), 1)
    squares = np.where(shown & np.isfinite(sem_values), sem_values, 0.0) ** 2
    mean = np.where(shown.any(1), np.where(shown, rate_values, 0.0).sum(1) / n, np.nan)
    error = np.where((shown & np.isfinite(sem_values)).any(1), np.sqrt(squares.sum(1)) / n, np.nan)
    levels = curves[along].values.astype(np.float64)
    each = np.stack([_interpolated(x, levels, row) for row in mean])
    errors = np.stack([_interpolated(x, levels, row) for row in error])
    counts = np.isfinite(each[:, :-1]).all(1)
    return _Curves(each[counts], errors[counts])


def _interpolated(x: np.ndarray, levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(x), np.nan)
    return np.interp(x, levels[known], values[known], left=np.nan, right=np.nan)


def _scaled(curves: np.ndarray, baseline: str, smallest: int, usable: np.ndarray) -> np.ndarray:
    """Return curves ``(sample, x + 1)``, whose last value is at 0, on every scale: ``(sample, scale, x)``."""
    plain = curves[:, :-1]
    zero = {_AT_ZERO: curves[:, -1:], _DONE: np.zeros((1, 1)), _SMALLEST: plain[:, smallest : smallest + 1]}[baseline]
    evoked = plain - zero
    peak = evoked[:, -1:]
    normalised = np.where(peak > 1e-12, evoked / np.where(peak > 1e-12, peak, 1.0), np.nan)
    scaled = np.stack([plain, evoked, normalised], 1)
    return np.where(usable[:, None], scaled, np.nan)


def _metrics(x: np.ndarray, model: np.ndarray, monkey: np.ndarray) -> dict[str, np.ndarray]:
    """Return the measures of agreement of curves ``(sample, scale, x)``."""
    centred = x - x.mean()
    slope_model, slope_monkey = (curve @ centred / (centred @ centred) for curve in (model, monkey))
    steep = np.abs(slope_monkey) > 1e-12
    return {
        "rmse": np.sqrt(((model - monkey) ** 2).mean(-1)),
        "slope_model": slope_model,
        "slope_monkey": slope_monkey,
        "slope_ratio": np.where(steep, slope_model / np.where(steep, slope_monkey, 1.0), np.nan),
    }


def _correlations(model: np.ndarray, monkey: np.ndarray) -> dict[str, np.ndarray]:
    """Return the correlations of curves ``(sample, x + 1)``, which depend on neither baseline nor scale."""
    one, two = model[:, :-1], monkey[:, :-1]
    return {"pearson": pearson(one, two, -1), "spearman": pearson(ranks(one, -1), ranks(two, -1), -1)}


def _assembled(
    rows: list[dict[str, np.ndarray]], dims: dict[str, list], along: str, x: np.ndarray, monkey: xr.Dataset
) -> xr.Dataset:
    shape = tuple(len(values) for values in dims.values())
    data = {}
    for name in rows[0]:
        values = np.stack([row[name] for row in rows])
        tail: tuple[str, ...] = ()
        kind = name.removesuffix("_low").removesuffix("_high")
        if kind in ("model", "monkey"):
            tail = ("scale", along)
        elif kind in _SCALED:
            tail = ("scale",)
        units = "see scale_units" if tail and "ratio" not in name else "1"
        data[name] = ((*dims, *tail), values.reshape(*shape, *values.shape[1:]), {"units": units})
    coords: dict[str, tuple] = {name: (name, np.array(values)) for name, values in dims.items()}
    coords["scale"] = ("scale", list(SCALES))
    coords["scale_units"] = ("scale", ["Hz", monkey["firing_rate"].attrs["units"], "1"])
    coords[along] = (along, x, {"units": monkey[along].attrs["units"]})
    return xr.Dataset(data, coords)
