"""What all plots share: colours, markers, labels with units, and a place to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from nrsim.errors import need, unknown

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D3A9B", "#000000")
"""Colours that stay apart for colour-blind readers (Okabe & Ito 2008, yellow replaced by a purple)."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
GREY = "0.55"
_SEQUENTIAL = "viridis"


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return ``ax``, or the Axes of a new figure of ``size`` in inches."""
    if ax is None:
        return plt.subplots(figsize=size, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise need("matplotlib Axes", type(ax).__name__, kind=TypeError)
    return ax


def colours(n: int) -> list[Any]:
    """Return ``n`` colours, from the palette or, where it is too short, from a perceptually even map."""
    if n <= len(PALETTE):
        return list(PALETTE[:n])
    return list(mpl.colormaps[_SEQUENTIAL](np.linspace(0.0, 0.92, n)))


def quantity(name: str, units: object) -> str:
    """Return an axis label: ``"firing rate (Hz)"``; a pure number has no unit."""
    words = name.replace("_", " ")
    return words if units in (None, "", "1") else f"{words} ({units})"


def turning(orientation: Any) -> tuple[str, float, float]:
    """Return what an axis of orientations is called, how far it reaches, degree, and the step of its ticks.

    Where some stand together with their opposites, they are directions of drift.
    """
    angles = {round(float(angle) % 360.0, 6) % 360.0 for angle in np.ravel(orientation)}
    if any(round(angle + 180.0, 6) % 360.0 in angles for angle in angles):
        return "direction of drift", 360.0, 90.0
    return "orientation", 180.0, 45.0


def tidy(ax: Axes) -> None:
    """Take away the frame's top and right, which carry nothing."""
    ax.spines[["top", "right"]].set_visible(False)


def legend_outside(ax: Axes, **settings: Any) -> None:
    """Put the legend right of the data."""
    handles, _ = ax.get_legend_handles_labels()
    if handles or "handles" in settings:
        defaults = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "frameon": False, "borderaxespad": 0.0}
        ax.legend(**(defaults | settings))


def scale_beside(ax: Axes, image: ScalarMappable, label: str, *, width: float = 0.15) -> None:
    """Draw the scale of colours right of the data, as tall as they are; ``width`` in inches."""
    figure = ax.get_figure(root=True)
    wide = ax.get_window_extent().width / figure.dpi if figure is not None else 1.0
    bar = plt.colorbar(image, cax=ax.inset_axes((1 + 0.6 * width / wide, 0.0, width / wide, 1.0)))
    bar.set_label(label)
    bar.outline.set_visible(False)


def position(data: xr.Dataset, name: str, wanted: object, coordinate: str | None = None) -> int:
    """Return where a label's value stands; the first where none is wanted.

    Raises
    ------
    ValueError
        If there is no such value; the nearest are named.
    """
    known = [str(value) for value in data[coordinate or name].values]
    if wanted is None:
        return 0
    if str(wanted) not in known:
        raise unknown(name, wanted, known)
    return known.index(str(wanted))


def combinations(dims: Sequence[str], data: xr.Dataset) -> list[dict[str, int]]:
    """Return every position on ``dims``, one mapping each; one empty mapping where there is no dim."""
    places = np.ndindex(*(data.sizes[dim] for dim in dims))
    return [dict(zip(dims, place, strict=True)) for place in places]


def named(at: Mapping[str, int], data: xr.Dataset) -> str:
    """Return the labels at a position as words."""
    return ", ".join(f"{data[dim].values[place]}" for dim, place in at.items())


def neuron_title(data: xr.Dataset, place: int) -> str:
    """Return a neuron's name and, where the name does not say it, what it prefers."""
    name = str(data["neuron_id"].values[place])
    prefers = str(data["prefers"].values[place]) if "prefers" in data.coords else ""
    return f"{name} (prefers {prefers})" if prefers and prefers not in name else name
