"""Tuning curves and intensity-response fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from nrsim.errors import need
from nrsim.plot import style
from nrsim.schema import check

_SHAPES = ("constant", "line", "ramp", "V")


def tuning_curves(curves: xr.Dataset, *, neuron: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw all curves of one neuron, mean ± standard error over trials.

    Parameters
    ----------
    curves
        TuningCurves. The last label (expression) gives the colour, those before it (domain) dash and marker.
    neuron
        Its ``neuron_id``. Default: the first.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError
        If it is no valid TuningCurves.
    ValueError
        If there is no such neuron; the nearest is named.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.plot.tuning_curves(nr.example("TuningCurves"), neuron="norm-happy").get_ylabel()
    'firing rate (Hz)'
    """
    check(curves, "TuningCurves")
    place = style.position(curves, "neuron", neuron, "neuron_id")
    along = str(curves.attrs["along"])
    one = curves.isel(neuron=place)
    labels = _labels(curves, along)
    last, before = labels[-1:], labels[:-1]
    ax = style.axes_or_new(ax, (5.2, 3.4))
    palette = style.colours(max(1, one.sizes[last[0]] if last else 1))
    handles = []
    for row, at in enumerate(style.combinations(before, one)):
        dash, marker = style.DASHES[row % len(style.DASHES)], style.MARKERS[row % len(style.MARKERS)]
        for column, end in enumerate(style.combinations(last, one)):
            curve = one.isel(at | end)
            _points(ax, curve, along, palette[column], linestyle=dash, marker=marker, linewidth=1.4)
        if before:
            handles.append(Line2D([], [], color="0.3", linestyle=dash, marker=marker, label=style.named(at, one)))
    for column, end in enumerate(style.combinations(last, one) if last else []):
        handles.insert(column, Line2D([], [], color=palette[column], linewidth=2.5, label=style.named(end, one)))
    _axis_labels(ax, curves, along)
    ax.set_title(style.neuron_title(curves, place))
    if len(handles) > 1:
        style.legend_outside(ax, handles=handles)
    return ax


def intensity_response(
    curves: xr.Dataset,
    fits: xr.Dataset | None = None,
    *,
    ax: Axes | None = None,
    domain: str | None = None,
    neuron: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the curves of one neuron on one head, with the fitted functions through the points.

    What the neuron prefers is drawn strong, everything else fine. The line is the preferred shape of the fit; where
    that is ``undecided`` or ``not identifiable``, the best of those compared, dashed.

    Parameters
    ----------
    curves
        TuningCurves.
    fits
        The result of :func:`nrsim.fit_intensity_response` on the same recording. Default: points are joined.
    ax
        Where to draw; a new figure by default.
    domain, neuron
        Values of ``domain`` and ``neuron_id``. Default: the first of each.
    legend
        Whether to put a legend right of the data.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError
        If it is no valid TuningCurves.
    ValueError
        If there is no such neuron or domain (the nearest is named), or ``fits`` are not those of the curves.

    Examples
    --------
    >>> import nrsim as nr
    >>> recording = nr.example("Recording")
    >>> curves = nr.tuning_curves(recording, window=(0.1, 0.4))
    >>> fits = nr.fit_intensity_response(recording, window=(0.1, 0.4), n_bootstrap=50)
    >>> nr.plot.intensity_response(curves, fits, domain="macaque").get_xlabel()
    'intensity'
    """
    check(curves, "TuningCurves")
    along = str(curves.attrs["along"])
    place = style.position(curves, "neuron", neuron, "neuron_id")
    labels = _labels(curves, along)
    chosen = {"neuron": place}
    title = style.neuron_title(curves, place)
    if "domain" in labels:
        chosen["domain"] = style.position(curves, "domain", domain)
        title = f"{curves['domain'].values[chosen['domain']]}\n{title}"
    elif domain is not None:
        raise need("curves with the dim 'domain'", f"the dims {', '.join(map(str, curves['firing_rate'].dims))}")
    if fits is not None:
        _same(curves, fits, along)
    one = curves.isel(chosen)
    fitted = None if fits is None else fits.isel(chosen)
    rest = [label for label in labels if label != "domain"]
    prefers = str(curves["prefers"].values[place]) if "prefers" in curves.coords else None
    ax = style.axes_or_new(ax, (4.8, 3.2))
    places = style.combinations(rest, one)
    palette = style.colours(len(places))
    for colour, marker, at in zip(palette, np.resize(style.MARKERS, len(places)), places, strict=True):
        name = style.named(at, one)
        own = prefers is None or prefers in {str(one[dim].values[i]) for dim, i in at.items()}
        look: dict[str, Any] = {
            "linewidth": 2.2 if own else 1.0,
            "zorder": 4 if own else 2,
            "alpha": 1.0 if own else 0.75,
        }
        curve = one.isel(at)
        joined = "-" if fitted is None else "none"
        size = 5.5 if own else 3.5
        _points(ax, curve, along, colour, linestyle=joined, marker=str(marker), markersize=size, **look)
        dash = "-"
        if fitted is not None:
            function = fitted.isel(at)
            preferred = str(function["preferred_model"].values)
            model = _drawn_model(function, preferred)
            dash = "-" if preferred in _SHAPES else "--"
            ax.plot(
                function[f"{along}_fine"].values,
                function["predicted"].sel(model=model).values,
                color=colour,
                linestyle=dash,
                **look,
            )
            name = f"{name}: {preferred}"
        ax.plot([], [], color=colour, linestyle=dash, marker=str(marker), label=name, linewidth=look["linewidth"])
    _axis_labels(ax, curves, along)
    ax.set_title(title)
    if legend and rest:
        style.legend_outside(ax)
    return ax


def intensity_response_grid(
    curves: xr.Dataset,
    fits: xr.Dataset | None = None,
    *,
    neurons: Sequence[str] | None = None,
    domains: Sequence[str] | None = None,
) -> np.ndarray:
    """Draw :func:`intensity_response` for several neurons (rows) and heads (columns) in a new figure.

    Parameters
    ----------
    curves, fits
        As for :func:`intensity_response`. Marks stand for the points, lines for the fits; whole lines where the
        cross-validation prefers that shape, dashed where it cannot tell.
    neurons
        Their ``neuron_id``. Default: the first six.
    domains
        Default: all.

    Returns
    -------
    numpy.ndarray
        The Axes, ``(neuron, domain)``; their figure is ``axes[0, 0].figure``.

    Raises
    ------
    SchemaError, ValueError
        As :func:`intensity_response`.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.plot.intensity_response_grid(nr.example("TuningCurves")).shape
    (2, 2)
    """
    check(curves, "TuningCurves")
    rows = [str(name) for name in (curves["neuron_id"].values[:6] if neurons is None else neurons)]
    if not rows:
        raise need("neurons to draw", "none")
    columns: list[str | None] = [None]
    if "domain" in curves["firing_rate"].dims:
        columns = [str(name) for name in (curves["domain"].values if domains is None else domains)]
    elif domains is not None:
        raise need("curves with the dim 'domain'", f"the dims {', '.join(map(str, curves['firing_rate'].dims))}")
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(2.5 * len(columns) + _legend_width(curves), 1.9 * len(rows) + 0.6),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            ax = intensity_response(curves, fits, ax=axes[i, j], domain=column, neuron=row, legend=False)
            ax.set_title("" if i or column is None else column)
            ax.label_outer()
        place = style.position(curves, "neuron", row, "neuron_id")
        axes[i, 0].set_ylabel(f"{style.neuron_title(curves, place)}\n{axes[i, 0].get_ylabel()}")
    handles, names = axes[0, 0].get_legend_handles_labels()
    if len(names) > 1:
        handles = [
            Line2D([], [], color=h.get_color(), marker=h.get_marker(), linestyle="-", linewidth=1.8) for h in handles
        ]
        figure.legend(handles, [name.split(":")[0] for name in names], loc="outside right upper", frameon=False)
    return axes


def _legend_width(curves: xr.Dataset) -> float:
    """Return the room in inches that axis labels and the legend's longest entry need beside the panels."""
    dims = [d for d in curves["firing_rate"].dims if d not in ("neuron", "domain", curves.attrs["along"])]
    longest = sum(max((len(str(value)) for value in curves[d].values), default=0) + 2 for d in dims)
    return 1.4 + max(0.0, 0.075 * longest - 0.6)


def _labels(curves: xr.Dataset, along: str) -> list[str]:
    return [str(dim) for dim in curves["firing_rate"].dims if dim not in ("neuron", along)]


def _points(ax: Axes, curve: xr.Dataset, along: str, colour: Any, **look: Any) -> None:
    """Draw one curve where it was shown, with error bars where they are known."""
    rate = curve["firing_rate"].values
    shown = np.isfinite(rate)
    sem = np.where(np.isfinite(curve["sem"].values), curve["sem"].values, 0.0)
    settings: dict[str, Any] = {"markersize": 4.0, "capsize": 0.0, "elinewidth": 1.0} | look
    ax.errorbar(curve[along].values[shown], rate[shown], sem[shown], color=colour, **settings)


def _axis_labels(ax: Axes, curves: xr.Dataset, along: str) -> None:
    units = curves["firing_rate"].attrs["units"]
    ax.set_xlabel(style.quantity(along, curves[along].attrs.get("units")))
    ax.set_ylabel(style.quantity("firing rate" if units == "Hz" else "normalised response", units))
    if curves[along].values.min() < 0 < curves[along].values.max():
        ax.axvline(0.0, color="0.85", linewidth=0.8, zorder=0)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    style.tidy(ax)


def _drawn_model(function: xr.Dataset, preferred: str) -> str:
    if preferred in _SHAPES:
        return preferred
    if preferred == "not identifiable":
        return "line"
    scores = np.nan_to_num(function["cv_score"].values, nan=-np.inf)
    return str(function["model"].values[scores.argmax()])


def _same(curves: xr.Dataset, fits: xr.Dataset, along: str) -> None:
    if not isinstance(fits, xr.Dataset) or "predicted" not in fits:
        raise need("the result of nr.fit_intensity_response", type(fits).__name__)
    for name in ("neuron_id", *_labels(curves, along)):
        if name not in fits.coords or not np.array_equal(fits[name].values, curves[name].values):
            raise need(f"fits with the same {name} as the curves", "others", "Fit the recording the curves are from")
