"""The protocol's result in one figure."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nrsim.errors import need
from nrsim.plot import style

_END = "_with_neutral"


def cross_domain(result: xr.Dataset) -> np.ndarray:
    """Draw a result of :func:`nrsim.cross_domain_accuracy` in a new figure: all of it.

    Above, accuracy in each domain with its interval, and by intensity; below, which category was answered for which,
    over all domains, and the intensity read out. Of draws, the mean; the interval is what the result says. Hollow marks
    are with neutral among the answers. Where there are no intensities, their two panels are left out.

    Parameters
    ----------
    result
        What :func:`nrsim.cross_domain_accuracy` returned.

    Returns
    -------
    numpy.ndarray
        The Axes, ``(row, column)``; their figure is ``axes[0, 0].figure``.

    Raises
    ------
    TypeError
        If it is no such result.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.plot.cross_domain(nr.cross_domain_accuracy(nr.example("Features"), "human")).shape
    (2, 2)
    """
    if not isinstance(result, xr.Dataset) or result.attrs.get("schema") != "CrossDomainAccuracy":
        raise need("a result of nr.cross_domain_accuracy", type(result).__name__, kind=TypeError)
    graded = "accuracy_by_intensity" in result and "readout" in result
    size = (9.0, 6.6) if graded else (9.0, 3.6)
    figure, axes = plt.subplots(2 if graded else 1, 2, figsize=size, squeeze=False, layout="constrained")
    palette = dict(zip([str(name) for name in _heads(result)], style.colours(len(_heads(result))), strict=True))
    _accuracy(axes[0, 0], result, palette)
    _confusion(axes[1, 0] if graded else axes[0, 1], result)
    if graded:
        _by_intensity(axes[0, 1], result, palette)
        _readout(axes[1, 1], result, palette)
    figure.suptitle(_title(result), fontsize="medium")
    return axes


def _heads(result: xr.Dataset) -> list[str]:
    return [str(result.attrs["learned_from"]), *(str(name) for name in result["domain"].values)]


def _title(result: xr.Dataset) -> str:
    text = f"learned on {result.attrs['learned_from']}"
    if "draw" in result.dims:
        alike = "; only one image for each, so that they are alike" if result.attrs["stored_sets"] == "1" else ""
        text += f", {result.sizes['draw']} draws of the stored images{alike}"
    return text


def _mean(values: xr.DataArray) -> xr.DataArray:
    return values.mean("draw") if "draw" in values.dims else values


def _accuracy(ax: Axes, result: xr.Dataset, palette: dict[str, Any]) -> None:
    """Draw accuracy in each domain, and in all tested stimuli of others."""
    domains = [str(name) for name in result["domain"].values]
    both = [end for end in ("", _END) if f"accuracy{end}" in result]
    for end, shift in zip(both, (-0.12, 0.12) if len(both) > 1 else (0.0,), strict=True):
        look: dict[str, Any] = {"markerfacecolor": "white"} if end else {}
        share = _mean(result[f"accuracy{end}"]).values
        low, high = (result[f"accuracy_{which}{end}"].values for which in ("low", "high"))
        for i, name in enumerate(domains):
            error = np.clip([[share[i] - low[i]], [high[i] - share[i]]], 0, None)
            ax.errorbar(i + shift, share[i], error, color=palette[name], marker="o", markersize=7, **look)
        total = float(_mean(result[f"accuracy_transfer{end}"]))
        ax.plot(len(domains) + shift, total, color="0.2", marker="D", markersize=7, linestyle="none", **look)
    n = result["n_stimuli"].values.reshape(-1, len(domains))[0]
    ax.set_xticks(range(len(domains) + 1), [*(f"{d}\nn = {k}" for d, k in zip(domains, n, strict=True)), "all"])
    ax.axhline(result.attrs["chance"], color=style.GREY, linestyle=":", linewidth=1.2)
    ax.text(len(domains) + 0.45, result.attrs["chance"] + 0.02, "chance", color="0.45", ha="right", size="small")
    if len(both) > 1:
        for name, face in (("forced choice", "0.2"), ("neutral is an answer too", "white")):
            ax.plot([], [], "o", color="0.2", markerfacecolor=face, label=name)
        ax.legend(frameon=False, loc="upper center", ncols=2, fontsize="small")
    ax.set(xlim=(-0.5, len(domains) + 0.5), ylim=(0, 1.2 if len(both) > 1 else 1.04), ylabel="accuracy")
    ax.set_yticks(np.arange(0, 1.01, 0.2))
    ax.set_title(f"on domains never learned (bars: {result.attrs['interval']})", fontsize="small")
    style.tidy(ax)


def _by_intensity(ax: Axes, result: xr.Dataset, palette: dict[str, Any]) -> None:
    share = _mean(result["accuracy_by_intensity"])
    for marker, name in zip(np.resize(style.MARKERS, share.sizes["domain"]), share["domain"].values, strict=True):
        row = share.sel(domain=name)
        ax.plot(row["intensity"], row, color=palette[str(name)], marker=marker, label=str(name), clip_on=False)
        if f"accuracy_by_intensity{_END}" in result:
            row = _mean(result[f"accuracy_by_intensity{_END}"]).sel(domain=name)
            look: dict[str, Any] = {"marker": marker, "mfc": "white", "linestyle": "--", "linewidth": 1.0}
            ax.plot(row["intensity"], row, color=palette[str(name)], clip_on=False, **look)
    ax.axhline(result.attrs["chance"], color=style.GREY, linestyle=":", linewidth=1.2)
    ax.set(ylim=(0, 1.04), xlabel="intensity", ylabel="accuracy")
    ax.legend(frameon=False, fontsize="small")
    style.tidy(ax)


def _confusion(ax: Axes, result: xr.Dataset) -> None:
    """Draw shares of answers over domains and draws; with neutral among them where something neutral was tested."""
    counted = {end: _counts(result, end) for end in ("", _END) if f"confusion{end}" in result}
    names = [str(name) for name in result["category"].values]
    end = _END if _END in counted and counted[_END][-1].any() else ""
    given = counted[end]
    if not end and _END in counted:
        names, given = names[:-1], given[:-1, :-1]
    shown = given.sum(axis=1)
    with np.errstate(invalid="ignore"):
        share = given / shown[:, None]
    image = ax.imshow(share, vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for i, j in np.ndindex(*share.shape):
        if np.isfinite(share[i, j]) and share[i, j] >= 0.005 and len(names) <= 12:
            colour = "white" if share[i, j] > 0.6 else "0.2"
            ax.text(j, i, f"{share[i, j]:.2f}".lstrip("0"), ha="center", va="center", size="small", color=colour)
    ax.set_xticks(range(len(names)), names, rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="answered", ylabel="shown")
    ax.set_title("answers, with neutral among them" if end else "answers, forced choice", fontsize="small")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.9, label="share of those shown")
    bar.outline.set_visible(False)  # type: ignore[operator]


def _counts(result: xr.Dataset, end: str) -> np.ndarray:
    counts = result[f"confusion{end}"]
    return counts.sum([dim for dim in counts.dims if dim not in ("category", "answer")]).values.astype(float)


def _readout(ax: Axes, result: xr.Dataset, palette: dict[str, Any]) -> None:
    """Draw the intensity read out from each category's own neuron: single categories fine, their mean strong."""
    curves = _mean(result["readout"]).sel(read_from="own")
    rmse = _mean(result["readout_rmse"]).sel(read_from="own")
    levels = curves["readout_intensity"].values
    keep = levels >= 0
    ax.plot([0, levels.max()], [0, levels.max()], color=style.GREY, linestyle=":", linewidth=1.2)
    for marker, name in zip(np.resize(style.MARKERS, len(palette)), curves["test_domain"].values, strict=True):
        rows = curves.sel(test_domain=name).values[:, keep]
        ax.plot(levels[keep], rows.T, color=palette[str(name)], linewidth=0.7, alpha=0.4)
        error = float(rmse.sel(test_domain=name))
        known = rows[np.isfinite(rows).any(axis=1)]
        mean = (
            np.nanmean(known, axis=0) if len(known) else np.full(rows.shape[1], np.nan)
        )  # of a rule without intensity
        source = " (source)" if str(name) == result.attrs["learned_from"] else ""
        said = f"{name}{source}: RMSE {error:.3f}"
        ax.plot(levels[keep], mean, color=palette[str(name)], linewidth=2.0, marker=marker, label=said)
    ax.set(xlabel="intensity", ylabel="intensity read out")
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    style.tidy(ax)
