"""Results: model curves over measured ones, and slopes against their controls."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from nrsim.errors import need, unknown
from nrsim.plot import style

_GREYS = ("0.1", "0.45", "0.6")
_SCALE_LABELS = {
    "Hz": "firing rate (Hz)",
    "baseline_subtracted": "firing rate above baseline",
    "normalised": "normalised response",
}


def curve_overlay(
    comparison: xr.Dataset,
    *,
    ax: Axes | None = None,
    scale: str = "normalised",
    encoder: str | None = None,
    legend: bool = True,
    **labels: str,
) -> Axes:
    """Draw model curves over the measured ones.

    Measured curves are marks joined by thin lines, the model a strong line with the 95 % interval of its mean.

    Parameters
    ----------
    comparison
        The result of :func:`nrsim.compare_curves`.
    ax
        Where to draw; a new figure by default.
    scale
        ``"Hz"``, ``"baseline_subtracted"`` or ``"normalised"`` (default: it always exists).
    encoder
        Which model. Default: the first.
    legend
        Whether to put a legend right of the data.
    **labels
        Values of shared labels, ``expression="fear"``. Default: all, a colour for each.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If it is no such result, a name is unknown, or the scale does not exist for these curves.

    Examples
    --------
    >>> import nrsim as nr
    >>> same = {"happy": "lip-smack", "angry": "threat"}
    >>> result = nr.compare_curves(nr.example("TuningCurves"), nr.published_curves(), match=same, n_bootstrap=50)
    >>> nr.plot.curve_overlay(result, expression="threat").get_title()
    'threat'
    """
    one, along, shared = _chosen(comparison, scale, encoder)
    for name, value in labels.items():
        if name not in shared:
            raise unknown("shared label", name, shared)
        one = one.isel({name: [style.position(one, name, value)]})
    places = style.combinations(shared, one)
    many = len(places) > 1
    palette = style.colours(len(places)) if many else [style.PALETTE[0]]
    ax = style.axes_or_new(ax, (5.2, 3.4))
    x = one[along].values
    monkeys = [str(name) for name in one["monkey_neuron"].values]
    model_name = str(one["encoder"].values) if "encoder" in one.coords else "model"
    for colour, at in zip(palette, places, strict=True):
        curve = one.isel(at)
        for i, marker in enumerate(np.resize(style.MARKERS, len(monkeys))):
            measured = curve.isel(monkey_neuron=i)
            look = colour if many else ("0.1" if i == 0 else _GREYS[i % len(_GREYS)])
            y, low, high = (measured[f"monkey{end}"].values for end in ("", "_low", "_high"))
            around = np.maximum(np.stack([y - low, high - y]), 0.0)
            face = look if i == 0 else "white"
            ax.errorbar(
                x, y, around, color=look, marker=str(marker), linestyle=":", linewidth=1.0, markerfacecolor=face
            )
        mine = curve.isel(monkey_neuron=0)
        ax.plot(x, mine["model"].values, color=colour, linewidth=2.4, zorder=4)
        ax.fill_between(x, mine["model_low"].values, mine["model_high"].values, color=colour, alpha=0.18, linewidth=0)
    handles: list[Artist] = [
        Line2D([], [], color="0.3" if many else palette[0], linewidth=2.4, label=f"model: {model_name}")
    ]
    for i, (name, marker) in enumerate(zip(monkeys, np.resize(style.MARKERS, len(monkeys)), strict=True)):
        look = "0.1" if i == 0 else _GREYS[i % len(_GREYS)]
        face = look if i == 0 else "white"
        handles.append(Line2D([], [], color=look, marker=str(marker), linestyle=":", markerfacecolor=face, label=name))
    if many:
        handles += [Patch(color=colour, label=style.named(at, one)) for colour, at in zip(palette, places, strict=True)]
    ax.set_xlabel(style.quantity(along, one[along].attrs.get("units")))
    units = str(comparison["scale_units"].values[list(comparison["scale"].values).index(scale)])
    ax.set_ylabel(
        _SCALE_LABELS[scale] if scale != "baseline_subtracted" else style.quantity(_SCALE_LABELS[scale], units)
    )
    ax.axhline(0.0, color="0.85", linewidth=0.8, zorder=0)
    style.tidy(ax)
    if not many and shared:
        ax.set_title(style.named(places[0], one))
    if legend:
        style.legend_outside(ax, handles=handles)
    return ax


def curve_overlay_grid(comparison: xr.Dataset, *, scale: str = "normalised", encoder: str | None = None) -> np.ndarray:
    """Draw :func:`curve_overlay` in a new figure, a panel for each shared label.

    Parameters
    ----------
    comparison, scale, encoder
        As for :func:`curve_overlay`.

    Returns
    -------
    numpy.ndarray
        The Axes, ``(panel,)``; their figure is ``axes[0].figure``.

    Raises
    ------
    ValueError
        As :func:`curve_overlay`.

    Examples
    --------
    >>> import nrsim as nr
    >>> same = {"happy": "lip-smack", "angry": "threat"}
    >>> result = nr.compare_curves(nr.example("TuningCurves"), nr.published_curves(), match=same, n_bootstrap=50)
    >>> nr.plot.curve_overlay_grid(result).shape
    (2,)
    """
    one, _, shared = _chosen(comparison, scale, encoder)
    places = style.combinations(shared, one)
    _, axes = plt.subplots(
        1, len(places), figsize=(2.5 * len(places) + 1.8, 2.7), sharey=True, squeeze=False, layout="constrained"
    )
    for ax, at in zip(axes[0], places, strict=True):
        words = {name: str(one[name].values[i]) for name, i in at.items()}
        last = ax is axes[0, -1]
        curve_overlay(comparison, ax=ax, scale=scale, encoder=encoder, legend=last, **words)
        ax.label_outer()
    return axes[0]


def _chosen(comparison: xr.Dataset, scale: str, encoder: str | None) -> tuple[xr.Dataset, str, list[str]]:
    if not isinstance(comparison, xr.Dataset) or "monkey" not in comparison:
        raise need("the result of nr.compare_curves", type(comparison).__name__)
    scales = [str(value) for value in comparison["scale"].values]
    if scale not in scales:
        raise unknown("scale", scale, scales)
    one = comparison.isel(scale=scales.index(scale))
    if not np.isfinite(one["monkey"].values).any():
        raise need(f"curves on the scale {scale!r}", "none: the units of the two differ", "Use scale='normalised'")
    if "encoder" in one.dims:
        one = one.isel(encoder=style.position(one, "encoder", encoder))
    along = str(comparison.attrs["along"])
    shared = [str(dim) for dim in one["monkey"].dims if dim not in ("monkey_neuron", along)]
    return one, along, shared


def slopes(slopes: xr.Dataset, *, ax: Axes | None = None, null: str = "shuffled") -> Axes:
    """Draw slopes for the preferred minus the other expressions, by head and encoder, beside the shuffled null.

    Parameters
    ----------
    slopes
        The result of :func:`nrsim.preferred_slopes`. Each neuron is a mark with its 95 % interval over trials.
    ax
        Where to draw; a new figure by default.
    null
        Encoders whose name contains this word are controls: a grey bar over the central 95 % of their neurons, with
        a line at their mean.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If it is no such result.

    Examples
    --------
    >>> import nrsim as nr
    >>> slopes = nr.preferred_slopes(nr.example("Recording"), window=(0.1, 0.4), n_bootstrap=50)
    >>> nr.plot.slopes(slopes).get_ylabel()
    'slope, preferred minus others\\n(Hz per unit)'
    """
    if not isinstance(slopes, xr.Dataset) or "slope_difference" not in slopes:
        raise need("the result of nr.preferred_slopes", type(slopes).__name__)
    (by,) = (str(dim) for dim in slopes["slope_difference"].dims if dim != "neuron")
    n_neurons = slopes.sizes["neuron"]
    of = slopes["encoder"].values if "encoder" in slopes.coords else np.full(n_neurons, "model")
    groups = [str(name) for name in dict.fromkeys(of.tolist())]
    prefers = [str(value) for value in slopes["prefers"].values]
    options = list(dict.fromkeys(prefers))
    palette = dict(zip(options, style.colours(len(options)), strict=True))
    ax = style.axes_or_new(ax, (max(4.5, 0.75 * len(groups) * slopes.sizes[by] + 2.0), 3.6))
    ticks, words = [], []
    for column, head in enumerate(slopes[by].values):
        for row, group in enumerate(groups):
            centre = column * (len(groups) + 0.8) + row
            ticks.append(centre)
            words.append(group)
            mine = np.flatnonzero(of == group)
            drawn = slopes.isel({"neuron": mine, by: column})
            y = drawn["slope_difference"].values
            if null in group:
                _null(ax, centre, y[np.isfinite(y)])
                continue
            offsets = np.linspace(-0.3, 0.3, len(mine)) if len(mine) > 1 else np.zeros(1)
            for offset, neuron, value, low, high in zip(
                offsets,
                mine,
                y,
                drawn["slope_difference_low"].values,
                drawn["slope_difference_high"].values,
                strict=True,
            ):
                at = centre + offset
                colour = palette[prefers[neuron]]
                ax.plot([at, at], [low, high], color=colour, linewidth=1.3)
                ax.plot(at, value, "o", color=colour, markersize=4.5)
        middle = column * (len(groups) + 0.8) + (len(groups) - 1) / 2
        ax.annotate(
            str(head), (middle, 1.02), xycoords=("data", "axes fraction"), ha="center", va="bottom", weight="bold"
        )
    ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    ax.set_xticks(ticks, words, rotation=35, ha="right", rotation_mode="anchor")
    ax.tick_params(axis="x", length=0)
    ax.set_ylabel(f"slope, preferred minus others\n({slopes['slope_difference'].attrs['units']})")
    style.tidy(ax)
    handles: list[Artist] = [Line2D([], [], color=palette[name], marker="o", label=name) for name in options]
    if any(null in group for group in groups):
        handles.append(Patch(color="0.82", label=f"{null}: 95 % of neurons"))
    style.legend_outside(ax, handles=handles)
    return ax


def _null(ax: Axes, centre: float, values: np.ndarray) -> None:
    if not values.size:
        return
    low, high = np.quantile(values, [0.025, 0.975])
    ax.fill_between([centre - 0.36, centre + 0.36], low, high, color="0.82", linewidth=0, zorder=1)
    ax.plot([centre - 0.36, centre + 0.36], [values.mean()] * 2, color="0.4", linewidth=1.5, zorder=2)
