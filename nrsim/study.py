"""Run a study: the stages in order, from stimuli to a report, whole or not at all."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
import xarray as xr

from nrsim import files, labels, neurons, provenance, report, settings, tuning
from nrsim.comparison import compare_curves, cross_domain_accuracy
from nrsim.encoders import AxisEncoder, ExemplarEncoder, NormEncoder, join_codes
from nrsim.errors import need, unknown
from nrsim.features import PooledEnergy
from nrsim.images import load_folder, match_images
from nrsim.neurons.variability import variability_of
from nrsim.quantities import whole
from nrsim.readout import read_out, score_read_out
from nrsim.recipes import load_stimuli
from nrsim.recordings import published_curves, select
from nrsim.study_features import NO_POOL, check_alignment, features_of, is_aligned, reference_of
from nrsim.v1 import V1Bank

_MODELS = {
    model.__name__: model
    for model in (neurons.AdaptiveLIF, neurons.LIF, neurons.AdEx, neurons.ConductanceLIF, neurons.RateUnits)
}
# What the published strength curves call our expressions; lip-smacking has no counterpart among the six
_PUBLISHED_NAMES = {"fearful": "fear", "angry": "threat"}
_STAND_INS = 16  # features of a rehearsal; any few will do
_RIVALS = {"axis": AxisEncoder, "exemplar": ExemplarEncoder}


def run_study(
    study: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    assignments: Iterable[str] = (),
    progress: bool = False,
) -> dict[str, xr.Dataset]:
    """Run a study and return its datasets; with ``out``, write them, the figures and the report as well.

    Parameters
    ----------
    study
        Path of a study file, its tables as a mapping, or nothing for the default study.
    out
        Folder for ``stimuli.nc``, ``recording.nc``, ``tuning.nc``, ``study.toml``, ``report.html`` and the figures.
        Everything is written to a temporary folder in it and moved into place at the end.
    assignments
        Settings to change, as on the command line: ``["neurons.trials=50"]``.
    progress
        Show what is done and what is left.

    Returns
    -------
    dict
        ``stimuli``, ``features``, ``code``, ``recording``, ``tuning`` (TuningCurves), ``fits``, and, where the
        labels allow it, ``slopes``, ``accuracy`` (several domains), ``readout`` and ``readout_scores`` (what each
        stimulus is taken for, how strong, and how often rightly) and ``comparison`` (with published curves).

    Raises
    ------
    ValueError, TypeError, OSError
        For an unknown key, a wrong value, a missing file, or a folder that cannot be written to.

    Examples
    --------
    >>> import nrsim as nr
    >>> results = nr.run_study({"neurons": {"trials": 2}})  # doctest: +SKIP
    """
    plan = _plan(study, assignments)
    if out is None:
        return _run(plan, progress)
    with files.replacing_folder(out) as folder:
        results = _run(plan, progress)
        (folder / "study.toml").write_text(tomli_w.dumps(plan), encoding="utf-8")
        for name in ("stimuli", "recording", "tuning"):
            files.write_netcdf(results[name], folder / f"{name}.nc")
        _say(progress, "figures and report")
        report.write_report(results, plan, folder)
    return results


def _plan(study: str | os.PathLike[str] | Mapping[str, Any] | None, assignments: Iterable[str]) -> dict[str, Any]:
    """Return the settings with all defaults filled in, the model's and the presentation's own included."""
    given, base = tables_of(study)
    given = settings.override(given, assignments)
    if "sweep" in given:
        raise need("a study without [sweep] for nrsim run", "one with", "Use nrsim simulate, or nr.simulate_study")
    return plan_of(given, base)


def tables_of(study: str | os.PathLike[str] | Mapping[str, Any] | None) -> tuple[dict[str, Any], Path | None]:
    """Return the tables of a study as given, and the folder that its paths start from."""
    if study is None or isinstance(study, Mapping):
        return dict(study or {}), None
    return settings.read_toml(study), Path(study).resolve().parent


def plan_of(given: Mapping[str, Any], base: Path | None) -> dict[str, Any]:
    """Return the settings of a study, given in part, with all defaults filled in; errors as :func:`run_study`."""
    plan = settings.resolve(given, base=base)
    whole(plan["seed"], "seed")
    whole(plan["neurons"]["trials"], "neurons.trials", low=1)
    for control in plan["encoder"]["controls"]:
        if control not in (*_RIVALS, "norm-shuffled"):
            raise unknown("control", control, (*_RIVALS, "norm-shuffled"))
    plan["v1"] = _stated(_call(V1Bank, "v1", plan["v1"]), but=("threads", "phases"))
    _call(PooledEnergy, "features", {key: value for key, value in plan["features"].items() if key not in NO_POOL})
    if is_aligned(plan):
        if "reference" not in plan["features"]:
            plan["features"]["reference"] = reference_of(plan)
    else:
        pool = {key: value for key, value in plan["features"].items() if key not in NO_POOL}
        plan["features"] |= _stated(PooledEnergy(**pool))
    plan["neurons"]["parameters"] = provenance.plain(_model(plan).get_params())
    simulation_of(plan)
    presented = _known_parameters(neurons.present) | plan["presentation"]
    plan["presentation"] = {key: value for key, value in presented.items() if value is not None}
    return plan


def _stated(transformer: Any, but: Iterable[str] = ()) -> dict[str, Any]:
    """Return a transformer's settings as TOML can hold them: without what is not set, and without ``but``."""
    given = provenance.plain(transformer.get_params())
    return {key: value for key, value in given.items() if value is not None and key not in but}


def _model(plan: Mapping[str, Any]) -> Any:
    name = plan["neurons"]["model"]
    if name not in _MODELS:
        raise unknown("neuron model", name, _MODELS)
    return _call(_MODELS[name], "neurons.parameters", plan["neurons"]["parameters"])


def _known_parameters(function: Any) -> dict[str, Any]:
    """Return the parameters of a function or class that have a default, with it."""
    signature = inspect.signature(function).parameters
    return {name: each.default for name, each in signature.items() if each.default is not inspect.Parameter.empty}


def _call(function: Any, table: str, parameters: Mapping[str, Any], *arguments: Any) -> Any:
    """Call with a table's keys as parameters; an unknown key is named with the nearest."""
    known = _known_parameters(function)
    for key in parameters:
        if key not in known:
            raise unknown(f"key in [{table}]", key, known)
    return function(*arguments, **parameters)


def _run(plan: Mapping[str, Any], progress: bool) -> dict[str, xr.Dataset]:
    stimuli = stimuli_of(plan, progress)
    features = rehearsed_features(plan, stimuli, progress)
    code, encoder = _encode(plan, features)
    drive = _presented(plan, code)
    trials = plan["neurons"]["trials"]
    _say(progress, f"neurons: {code.sizes['neuron']} × {code.sizes['stimulus']} stimuli × {trials} trials")
    recording = neurons.simulate(drive, **simulation_of(plan), progress=progress)
    _say(progress, "tuning curves and fits")
    along, window = plan["tuning"]["along"], plan["tuning"]["window"]
    by = None if plan["tuning"]["by"] == "auto" else plan["tuning"]["by"]
    results = {"stimuli": stimuli, "features": features, "code": code, "recording": recording}
    results["tuning"] = tuning.tuning_curves(recording, along=along, by=by, window=window)
    own = select(recording, encoder=lambda encoder: encoder != "norm-shuffled")
    results["fits"] = tuning.fit_intensity_response(own, along=along, by=by, window=window, seed=plan["seed"])
    return {**results, **_tests(plan, results, encoder)}


def simulation_of(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`nrsim.simulate` is given besides the drive."""
    chosen = {key: value for key, value in plan["neurons"].items() if key not in ("model", "parameters")}
    if isinstance(chosen.get("variability"), Mapping):
        chosen["variability"] = _call(neurons.Variability, "neurons.variability", chosen["variability"])
    elif "variability" in chosen:
        variability_of(chosen["variability"])
    return {"neurons": _model(plan), "seed": plan["seed"], **chosen}


def rehearsed_features(plan: Mapping[str, Any], stimuli: xr.Dataset, progress: bool) -> xr.Dataset:
    """Return the features of a study's stimuli, after a look at whether its labels fit."""
    _rehearse(plan, stimuli)
    _say(progress, f"V1: {stimuli.sizes['stimulus']} images")
    return features_of(plan, stimuli, progress)


def _presented(plan: Mapping[str, Any], code: xr.Dataset) -> xr.Dataset:
    given = dict(plan["presentation"])
    if isinstance(given.get("suppression"), Mapping):
        given["suppression"] = _call(neurons.LateSuppression, "presentation.suppression", given["suppression"])
    drive: xr.Dataset = _call(neurons.present, "presentation", given, code)
    return drive


def drive_of(plan: Mapping[str, Any], features: xr.Dataset) -> xr.Dataset:
    """Return the currents of a study's neurons."""
    return _presented(plan, _encode(plan, features)[0])


def stimuli_of(plan: Mapping[str, Any], progress: bool) -> xr.Dataset:
    """Return a study's stimuli, rendered or read, and matched."""
    source = dict(plan["stimuli"])
    match = source.pop("match", None)
    how = {key: source.pop(key) for key in ("mask", "out_of_range") if key in source}
    if "recipe" in source:
        stimuli = load_stimuli(source["recipe"], progress=progress, **source.get("parameters", {}))
    else:
        stimuli = load_folder(source.pop("folder"), source.pop("table"), progress=progress, **source)
    return stimuli if match is None else match_images(stimuli, match, progress=progress, **how)


def _rehearse(plan: Mapping[str, Any], stimuli: xr.Dataset) -> None:
    """Encode numbers in the place of features, so that what is wrong with labels is said before V1 is computed."""
    check_alignment(plan, stimuli)
    moving = "frame" in stimuli["image"].dims
    dims = ("stimulus", "frame", "feature") if moving else ("stimulus", "feature")
    shape = [*(stimuli.sizes[dim] for dim in dims[:-1]), _STAND_INS]
    value = np.random.default_rng(0).standard_normal(shape)
    stand_in = xr.Dataset(
        {"value": (dims, value, {"units": "1"})},
        labels.carried(stimuli) | {"feature_id": ("feature", [f"stand-in {i}" for i in range(_STAND_INS)])},
    )
    stand_in = provenance.stamp(stand_in, "Features", "rehearsal", {}, parents=[stimuli])
    _encode({**plan, "encoder": {**plan["encoder"], "threshold": 0.0}}, stand_in)


def _encode(plan: Mapping[str, Any], features: xr.Dataset) -> tuple[xr.Dataset, NormEncoder]:
    chosen = plan["encoder"]
    encoder = NormEncoder(**{key: chosen[key] for key in ("rule", "exponent", "scale", "threshold", "neutral")})
    training = {key: chosen[key] for key in ("prototypes", "norms", "norm_by", "prefers_by")}
    codes = [encoder.fit(features, **training).transform(features)]
    for control in chosen["controls"]:
        if control == "norm-shuffled":
            shuffled = encoder.with_shuffled_directions(seed=plan["seed"], repeats=chosen["shuffles"])
            codes.append(shuffled.transform(features))
        else:
            codes.append(_RIVALS[control]().fit(features, **training).transform(features))
    return join_codes(codes), encoder


def _tests(plan: Mapping[str, Any], results: Mapping[str, xr.Dataset], encoder: NormEncoder) -> dict[str, xr.Dataset]:
    """Return what can be said beyond the curves, as far as the labels allow it."""
    chosen, tests = plan["encoder"], {}
    features, recording = results["features"], results["recording"]
    names = {str(name) for name in features.coords}
    if {chosen["prefers_by"], chosen["norm_by"], plan["tuning"]["along"]} <= names:
        slopes = tuning.preferred_slopes(
            recording,
            along=plan["tuning"]["along"],
            window=plan["tuning"]["window"],
            label=chosen["prefers_by"],
            by=chosen["norm_by"],
            seed=plan["seed"],
        )
        if slopes["slope_difference"].notnull().any():  # there were other categories to compare with
            tests["slopes"] = slopes
    names_of = features[chosen["norm_by"]].values
    if "intensity" in names:  # heads that show something; objects beside faces have no intensity
        names_of = names_of[np.nan_to_num(features["intensity"].values.astype(float)) > 0]
    heads = {str(name) for name in names_of} - {""}
    prototypes = chosen["prototypes"]
    source = prototypes.get(chosen["norm_by"]) if isinstance(prototypes, Mapping) else None
    several = len(encoder.prefers_) > 1
    if isinstance(source, str) and several and len(heads) > 1 and "intensity" in names and encoder.norms_ is not None:
        rest = {key: value for key, value in prototypes.items() if key != chosen["norm_by"]}
        fresh = NormEncoder(chosen["rule"], chosen["exponent"], "none")  # a gain per neuron would decide for it
        tests["accuracy"] = cross_domain_accuracy(
            features,
            source,
            encoder=fresh,
            prototypes=rest,
            norms=chosen["norms"],
            label=chosen["prefers_by"],
            norm_by=chosen["norm_by"],
        )
    tests |= _readout(plan, features)
    curves = results["tuning"]
    if {"domain", "expression"} <= set(curves.dims) and curves.attrs["along"] == "intensity":
        same = {name: theirs for name, theirs in _PUBLISHED_NAMES.items() if name in curves["expression"].values}
        if same and "macaque" in curves["domain"].values:
            on_macaque = curves.sel(domain=["macaque"])
            tests["comparison"] = compare_curves(on_macaque, published_curves(), match=same, seed=plan["seed"])
    return tests


def _readout(plan: Mapping[str, Any], features: xr.Dataset) -> dict[str, xr.Dataset]:
    """Return what the norm-referenced neurons say of each stimulus, and how often rightly, where labels tell."""
    chosen = plan["encoder"]
    label, by = chosen["prefers_by"], chosen["norm_by"]
    if not {label, by, "intensity"} <= {str(name) for name in features.coords}:
        return {}
    encoder = NormEncoder(chosen["rule"], chosen["exponent"], "none")  # a gain per neuron would decide for it
    training = {key: chosen[key] for key in ("prototypes", "norms", "norm_by", "prefers_by")}
    code = encoder.fit(features, **training).transform(features)
    prefers, shown = set(code["prefers"].values.tolist()), set(features[label].values.tolist())
    if len(prefers) < 2 or not prefers <= shown:
        return {}
    said = read_out(code)
    with warnings.catch_warnings():  # a study may show more than its neurons learn; the scores count what is left out
        warnings.filterwarnings("ignore", "left out .* no neuron prefers", UserWarning)
        scores = score_read_out(said, label=label, by=by)
    return {"readout": said, "readout_scores": scores}


def _say(progress: bool, text: str) -> None:
    if progress:
        print(f"nrsim: {text}", flush=True)
