"""The report: one self-contained HTML page, and its figures as files."""

from __future__ import annotations

import base64
import io
import json
import platform
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tomli_w
import xarray as xr
from jinja2 import Environment
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from nrsim import plot, tuning
from nrsim.features import FaceGrid

CAPTIONS = {
    "stimuli": "The stimuli. Rows are heads and expressions, columns intensities: 0 is the norm, 1 the prototype, "
    "below 0 its opposite.",
    "face_grid": "Where receptive fields lie on each head: the grid over the reference's picture, carried to other "
    "heads by the points of their norms (blue: named left, orange: named right). Where points were found, the title "
    "says how sure: look at those below 0.43. The first six heads.",
    "intensity_response": "Intensity-response curves of the norm-referenced neurons (rows) on each head (columns): "
    "what the neuron prefers strong, everything else fine. Points are means over trials with standard errors, "
    "lines the fits that cross-validation over trials chose (dashed where it cannot tell).",
    "slopes": "Slope of the firing rate along the preferred expression minus the mean slope along the others. Marks "
    "are neurons with 95 % intervals over trials, the grey bar is the central 95 % of neurons with shuffled "
    "directions.",
    "recognition": "Recognition on the heads never learned: accuracy with 95 % intervals, by intensity, what was "
    "answered for what over all heads, and the intensity that each category's own neuron says: its activity over that "
    "at its own prototype, single categories fine, their mean strong, beside the identity (dotted).",
    "tuning": "Tuning of one norm-referenced neuron to everything that was shown.",
    "raster": "Spikes of that neuron to what it prefers and to the norm, a line for each trial, and the peristimulus "
    "time histogram under them; grey: the stimulus is on.",
    "population": "Mean firing rate of every neuron (rows) to every stimulus (columns) in the analysis window.",
    "time_course": "Mean firing rate of every neuron over time, averaged over stimuli; 0 is stimulus onset.",
    "strength": "Strength tuning on the macaque head (line, with its 95 % interval where it has one) over the "
    "published curves (marks), baseline subtracted and divided by the value "
    "at intensity 1. The published neurons were shown other stimuli; "
    "their threat is held against our angry faces; the projection rule is the model in the same paper (Stettler et al. "
    "2023); nine free points, no pass mark.",
}


def write_report(results: Mapping[str, xr.Dataset], plan: Mapping[str, Any], folder: Path) -> None:
    """Write ``report.html`` and every figure as PNG and PDF to ``folder``.

    Parameters
    ----------
    results
        The datasets of :func:`nrsim.run_study`.
    plan
        The settings with all defaults filled in.
    folder
        An existing folder.
    """
    figures = []
    backend = plt.get_backend()
    plt.switch_backend("agg")
    try:
        for name, figure in _figures(results):
            for ending, dpi in (("png", 150), ("pdf", 300)):
                figure.savefig(folder / f"{name}.{ending}", dpi=dpi, bbox_inches="tight")
            figures.append((name, CAPTIONS[name], _inline(figure)))
            plt.close(figure)
    finally:
        plt.switch_backend(backend)
    template = Environment(autoescape=True).from_string(
        resources.files("nrsim").joinpath("report_template.html").read_text(encoding="utf-8")
    )
    page = template.render(
        title=plan["title"],
        summary=_summary(results),
        tables=_tables(results),
        figures=figures,
        made=_made(results),
        study=tomli_w.dumps(plan),
        history=results["recording"].attrs["history"].splitlines(),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")


def _figures(results: Mapping[str, xr.Dataset]) -> Any:
    curves, fits, recording = results["tuning"], results["fits"], results["recording"]
    yield "stimuli", plot.stimulus_sheet(results["stimuli"]).figure
    if '"FaceGrid"' in results["features"].attrs.get("parameters", ""):
        yield "face_grid", plot.face_grid(FaceGrid.of(results["features"]), results["stimuli"])[0].figure
    ids = [str(name) for name in recording["neuron_id"].values]
    norm = [name for name, encoder in zip(ids, recording["encoder"].values, strict=True) if encoder == "norm"]
    if curves.attrs["along"] == "intensity" and "domain" in curves.coords:
        fitted = curves.isel(neuron=np.isin(curves["neuron_id"].values, fits["neuron_id"].values))
        yield "intensity_response", plot.intensity_response_grid(fitted, fits, neurons=norm)[0, 0].figure
    if "slopes" in results:
        yield "slopes", plot.slopes(results["slopes"]).figure
    if "accuracy" in results:
        yield "recognition", plot.cross_domain(results["accuracy"])[0, 0].figure
    yield "tuning", plot.tuning_curves(curves, neuron=norm[0]).figure
    if "spike_time" in recording:
        yield "raster", plot.raster(recording, neuron=norm[0], stimulus=_preferred_and_norm(recording, norm[0])).figure
    yield "population", plot.population(recording).figure
    yield "time_course", plot.population(recording, against="time").figure
    if "comparison" in results:
        yield "strength", plot.curve_overlay_grid(results["comparison"], encoder="norm")[0].figure


def _preferred_and_norm(recording: xr.Dataset, neuron: str) -> list[str] | None:
    """Return what the neuron prefers, at its strongest in the first domain that shows it, and its norm."""
    if not {"expression", "intensity", "norm_id"} <= set(recording.coords):
        return None
    prefers = str(recording["prefers"].values[list(recording["neuron_id"].values).index(neuron)])
    shown = np.flatnonzero(recording["expression"].values == prefers)
    if not shown.size:
        return None
    if "domain" in recording.coords:
        shown = shown[recording["domain"].values[shown] == recording["domain"].values[shown[0]]]
    best = shown[recording["intensity"].values[shown].argmax()]
    chosen = [str(recording[name].values[best]) for name in ("stimulus_id", "norm_id")]
    return [name for name in chosen if name in recording["stimulus_id"].values]


def _inline(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return base64.b64encode(buffer.getvalue()).decode()


def _summary(results: Mapping[str, xr.Dataset]) -> list[str]:
    """Return what came out, in sentences made from the numbers."""
    said = []
    if "accuracy" in results:
        accuracy = results["accuracy"]
        heads = ", ".join(
            f"{share:.2f} ({low:.2f} to {high:.2f}) on {head}"
            for head, share, low, high in zip(
                *(accuracy[name].values for name in ("domain", "accuracy", "accuracy_low", "accuracy_high")),
                strict=True,
            )
        )
        said.append(
            f"Recognition on {_what(results)} never learned, from one norm each: {heads}; "
            f"chance {accuracy.attrs['chance']:.2f}. "
            "Intervals are Wilson's 95 %."
        )
    if "slopes" in results:
        table = tuning.summarise_slopes(results["slopes"])
        by = _by(results["slopes"])
        for head, rows in table[table["encoder"] == "norm"].groupby(by, sort=False):
            above = int((rows["slope_difference_low"] > 0).sum())
            text = (
                f"{head}: Spearman's ρ of the preferring neuron {rows['rho'].min():.2f} to {rows['rho'].max():.2f}; "
                f"its slope for the preferred exceeds the mean of the others in {above} of {len(rows)} neurons "
                f"(95 % interval above 0), by {rows['slope_difference'].mean():.1f} Hz per unit of intensity on average"
            )
            null = results["slopes"].sel({by: head})
            null = null["slope_difference"].values[(null["encoder"] == "norm-shuffled").values]
            null = null[np.isfinite(null)]
            if null.size:
                low, high = np.quantile(null, [0.025, 0.975])
                text += f" (shuffled directions: 95 % between {low:.1f} and {high:.1f}"
                rivals = table[(table[by] == head) & ~table["encoder"].isin(["norm", "norm-shuffled"])]
                for name, rival in rivals.groupby("encoder", sort=False):
                    text += f"; {name}: {rival['slope_difference'].mean():.1f}"
                text += ")"
            said.append(f"{text}. {_best(results['tuning'], str(head))}".strip())
    else:
        own = results["fits"].isel(neuron=(results["fits"]["encoder"] == "norm").values)
        for neuron in range(own.sizes["neuron"]):
            rho = own["rho"].isel(neuron=neuron).values
            rho = rho[np.isfinite(rho)]
            if rho.size:
                name = str(own["neuron_id"].values[neuron])
                along = results["tuning"].attrs["along"]
                said.append(
                    f"{name}: Spearman's ρ with {along} {rho.min():.2f} to {rho.max():.2f} over {rho.size} curves."
                )
    if "comparison" in results:
        rmse = results["comparison"]["rmse"].sel(scale="normalised").isel(monkey_neuron=0)
        shown = ", ".join(f"{name} {float(rmse.sel(encoder=name).mean()):.2f}" for name in rmse["encoder"].values)
        said.append(
            f"Strength tuning on the macaque head, RMSE from the published neurons (normalised): {shown}. "
            "So few points do not choose between encoders."
        )
    return said


def _what(results: Mapping[str, xr.Dataset]) -> str:
    """Return what has a norm each, in the plural: heads, or the label that a study chose."""
    settings = json.loads(results["code"].attrs.get("parameters", "{}")).get("NormEncoder.transform", {})
    by = str(settings.get("norm_by", "domain"))
    return "heads" if by == "domain" else f"values of {by!r}"


def _best(curves: xr.Dataset, head: str) -> str:
    """Return in how many neurons of each encoder the preferred expression is the one that fires it most."""
    if set(curves["firing_rate"].dims) != {"neuron", "domain", "expression", "intensity"}:
        return ""
    if 1.0 not in curves["intensity"].values or head not in curves["domain"].values:
        return ""
    at = curves["firing_rate"].sel(domain=head, intensity=1.0).transpose("neuron", "expression").values
    names, counts = curves["expression"].values, []
    for encoder in dict.fromkeys(curves["encoder"].values):
        shown = np.isfinite(at).all(axis=1) & np.isin(curves["prefers"].values, names)  # not the neuron for neutral
        rows = np.flatnonzero((curves["encoder"].values == encoder) & shown)
        own = int((names[at[rows].argmax(axis=1)] == curves["prefers"].values[rows]).sum())
        counts.append(f"{encoder} {own} of {len(rows)}")
    return f"At intensity 1 a neuron fires most to what it prefers: {', '.join(counts)}."


def _by(slopes: xr.Dataset) -> str:
    return next(str(dim) for dim in slopes["slope_difference"].dims if dim != "neuron")


def _tables(results: Mapping[str, xr.Dataset]) -> list[tuple[str, str]]:
    tables = []
    fits = results["fits"]
    own = fits.isel(neuron=(fits["encoder"] == "norm").values)
    tables.append(("Intensity-response fits of the norm-referenced neurons", _html(_fit_rows(own))))
    if "slopes" in results:
        rows = tuning.summarise_slopes(results["slopes"])
        rows = rows.sort_values(_by(results["slopes"]), kind="stable", key=lambda head: head.map(_order(head)))
        rows = rows.rename(columns=lambda name: str(name).replace("_", " "))
        tables.append(("Preferred against other expressions, beside the controls (slopes in Hz per unit)", _html(rows)))
    if "accuracy" in results:
        accuracy = results["accuracy"]
        rows = pd.DataFrame(accuracy["accuracy_by_intensity"].to_pandas())
        rows.columns = [f"intensity {level:g}" for level in rows.columns]
        rows.insert(0, "all", accuracy["accuracy"].values)
        tables.append((f"Recognition by intensity (chance {accuracy.attrs['chance']:.2f})", _html(rows.reset_index())))
    if "readout_scores" in results:
        threshold = float(results["readout"].attrs["threshold"])
        title = (
            f"Read-out with neutral as an answer (below {threshold:.2f}, half of the weakest neuron's activity at its "
            "prototype): share recognised, and mean intensity read, by true intensity"
        )
        tables.append((title, _html(_readout_rows(results["readout_scores"]))))
    if "comparison" in results:
        compared = results["comparison"][["pearson", "spearman", "rmse", "slope_ratio"]].sel(scale="normalised")
        compared = (
            compared.assign_coords(monkey_neuron=compared["monkey_neuron_id"].values)
            if ("monkey_neuron_id" in compared)
            else compared
        )
        rows = compared.reset_coords(drop=True).to_dataframe().reset_index()
        tables.append(("Strength tuning against published curves (normalised)", _html(rows)))
    return tables


def _readout_rows(scores: xr.Dataset) -> pd.DataFrame:
    """Return two rows for each head: share recognised and mean intensity read, a column for each true intensity."""
    rows = []
    for head in scores["domain"].values:
        one = scores.sel(domain=head)
        for name, words in (("recognised", "recognised"), ("read_intensity", "intensity read")):
            levels = {
                f"intensity {level:g}": float(one[name].sel(intensity=level)) for level in one["intensity"].values
            }
            rows.append({"domain": str(head), "": words, **levels})
    return pd.DataFrame(rows)


def _order(values: pd.Series) -> dict[Any, int]:
    """Return each value's rank by first appearance."""
    return {value: rank for rank, value in enumerate(dict.fromkeys(values))}


def _fit_rows(fits: xr.Dataset) -> pd.DataFrame:
    """Return one row for each neuron and curve along what it prefers (all curves, where labels do not say)."""
    labels = [str(dim) for dim in fits["preferred_model"].dims if dim != "neuron"]
    rows = []
    for place in np.ndindex(fits["preferred_model"].shape):
        at = dict(zip(fits["preferred_model"].dims, place, strict=True))
        one = fits.isel(at)
        if str(one["preferred_model"].values) == "not shown":
            continue
        prefers = str(one["prefers"].values)
        if "expression" in labels and prefers in fits["expression"].values and str(one["expression"].values) != prefers:
            continue
        line = one.sel(model="line")
        rows.append(
            {
                "neuron": str(one["neuron_id"].values),
                **{label: str(one[label].values) for label in labels},
                "ρ": float(one["rho"]),
                "slope (Hz per unit)": f"{float(line['slope']):.1f} [{float(line['slope_low']):.1f}, "
                f"{float(line['slope_high']):.1f}]",
                "preferred shape": str(one["preferred_model"].values),
                **{f"cv {model}": float(one["cv_score"].sel(model=model)) for model in ("line", "ramp", "V")},
            }
        )
    return pd.DataFrame(rows)


def _html(rows: pd.DataFrame) -> str:
    return rows.to_html(index=False, float_format=lambda number: f"{number:.2f}", border=0, na_rep="–")


def _made(results: Mapping[str, xr.Dataset]) -> dict[str, str]:
    attrs, stimuli = results["recording"].attrs, results["stimuli"].attrs
    made = {
        "nrsim": attrs["nrsim_version"],
        "Brian2": attrs.get("brian2_version", ""),
        "code target": attrs.get("code_target", ""),
        "Python": platform.python_version(),
        "seed": attrs.get("seed", ""),
        "stimuli": f"{stimuli['title']} ({stimuli['source']})",
        "recipe SHA-256": stimuli.get("recipe_sha256", "none: own pictures"),
        "made": attrs["created"],
    }
    return {name: str(value) for name, value in made.items()}
