"""What a bank's channels are: a receptive field, and all channels in the frequency plane with their tuning."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MultipleLocator, NullLocator

from nrsim.errors import need
from nrsim.plot import style
from nrsim.quantities import bare

_HALF = np.log(2) / (2 * np.pi**2)  # (σ Δf)² of a Gaussian transfer function at half its height
_NEEDED = ("sigma_across", "sigma_along", "bandwidth", "orientation_bandwidth")
_FIELD_COLOURS = "RdBu_r"  # of weights below and above 0 (chosen: told apart by colour-blind readers)


def receptive_field(field: xr.DataArray, *, ax: Axes | None = None) -> Axes:
    """Draw a receptive field: red where light excites, blue where it inhibits.

    Parameters
    ----------
    field
        What ``V1Bank.receptive_field`` returns, or any weights ``(y, x)`` with ``y`` and ``x`` in degrees.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Colours are centred on 0.

    Raises
    ------
    TypeError, ValueError
        If it is no DataArray ``(y, x)`` with coordinates, or holds what is not finite.

    Examples
    --------
    >>> import nrsim as nr
    >>> field = nr.V1Bank().receptive_field(2.0, 45.0, phase=90.0)
    >>> nr.plot.receptive_field(field).get_title()
    '2 cycles/degree, 45°, phase 90°'
    """
    if not isinstance(field, xr.DataArray):
        came = field.attrs.get("schema") if isinstance(field, xr.Dataset) else None
        todo = "V1Bank.receptive_field returns one"
        raise need("a DataArray (y, x) of weights", came or type(field).__name__, todo, kind=_kind(field))
    if set(field.dims) != {"y", "x"} or not {"y", "x"} <= set(field.coords):
        todo = "V1Bank.receptive_field returns them"
        raise need("weights (y, x) with the coordinates y and x", f"the dims {field.dims}", todo)
    weights = field.transpose("y", "x").values
    if not np.isfinite(weights).all():
        raise need("finite weights", "NaN or infinity")
    ax = style.axes_or_new(ax, (4.6, 3.4))
    most = float(np.abs(weights).max()) or 1.0
    y, x = field["y"].values, field["x"].values
    image = ax.pcolormesh(x, y, weights, cmap=_FIELD_COLOURS, vmin=-most, vmax=most, shading="nearest", rasterized=True)
    ax.set_aspect("equal")
    ax.set(
        xlabel=style.quantity("x", field["x"].attrs.get("units")),
        ylabel=style.quantity("y", field["y"].attrs.get("units")),
        title=_name(field.attrs),
    )
    style.scale_beside(ax, image, style.quantity("weight of a pixel", field.attrs.get("units")))
    return ax


def _name(attrs: Any) -> str:
    """Return the channel in words, as far as it is known."""
    words = [f"{attrs['frequency']:g} cycles/degree"] if "frequency" in attrs else []
    words += [f"{attrs['orientation']:g}°"] if "orientation" in attrs else []
    words += [f"phase {attrs['phase']:g}°"] if "phase" in attrs else []
    return ", ".join(words)


def v1_bank(channels: xr.Dataset, *, degrees_per_pixel: float | None = None, ax: Axes | None = None) -> Axes:
    """Draw a bank: each channel's contour at half height in the frequency plane, and its tuning.

    Left, the plane of spatial frequencies to the right and up, one ellipse a channel (two, one on each side of 0, as a
    grating has no sign; of direction-selective cells one for each direction of drift): where the amplitude is half of
    its maximum. Right, amplitude against the frequency of a grating at the preferred orientation, and against its
    orientation, or direction of drift, at the preferred frequency. All are of the Gabor before its mean is taken away,
    as bandwidths are stated.

    Parameters
    ----------
    channels
        ``V1Bank.channels``.
    degrees_per_pixel
        Of the pictures: the Nyquist frequency, beyond which they hold nothing, is drawn, or named where it is more than
        twice as far out as the channels. Default: neither.
    ax
        Where to draw; a new figure by default. It becomes the frame of three: ``ax.child_axes``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If it is no such dataset.

    Examples
    --------
    >>> import nrsim as nr
    >>> ax = nr.plot.v1_bank(nr.V1Bank([1, 2, 4]).channels, degrees_per_pixel=1 / 32)
    >>> ax.child_axes[1].get_xlabel()
    'spatial frequency (cycles/degree)'
    """
    if not isinstance(channels, xr.Dataset):
        todo = "Give bank.channels"
        raise need("the channels of a V1Bank", type(channels).__name__, todo, kind=TypeError)
    if not all(name in channels for name in _NEEDED) or not {"frequency", "orientation"} <= set(channels.coords):
        came = str(channels.attrs.get("schema") or ", ".join(map(str, channels.data_vars)) or "an empty dataset")
        raise need("the channels of a V1Bank", came, "Give bank.channels")
    nyquist = None
    if degrees_per_pixel is not None:
        nyquist = 0.5 / bare(degrees_per_pixel, "degree", "degrees_per_pixel", above=0)
    ax = style.axes_or_new(ax, (10.4, 3.3))
    ax.set_axis_off()
    plane = ax.inset_axes((0.0, 0.0, 0.30, 1.0))
    tuning, turning = (ax.inset_axes((left, 0.0, 0.26, 1.0)) for left in (0.40, 0.74))
    frequency, orientation = channels["frequency"].values, channels["orientation"].values
    across, along = (
        channels[name].transpose("frequency", "orientation").values for name in ("sigma_across", "sigma_along")
    )
    colours = dict(zip(np.argsort(frequency), style.colours(len(frequency)), strict=True))
    turn, reach, tick = style.turning(orientation)
    drifting = reach > 180.0
    circle = np.linspace(0, 2 * np.pi, 73)
    for i, f in enumerate(frequency):
        for j, angle in enumerate(np.deg2rad(orientation)):
            p = f + np.sqrt(_HALF) / across[i, j] * np.cos(circle)
            q = np.sqrt(_HALF) / along[i, j] * np.sin(circle)
            u, v = p * np.cos(angle) - q * np.sin(angle), p * np.sin(angle) + q * np.cos(angle)
            for sign in (1,) if drifting else (1, -1):  # of a pair of directions each is the other's second ellipse
                plane.plot(sign * u, sign * v, color=colours[i], linewidth=1.0)
    _plane(plane, nyquist, float((frequency[:, None] + np.sqrt(_HALF) / across).max()))
    grid = np.geomspace(frequency.min() / 4, frequency.max() * 3, 400)
    for i, f in enumerate(frequency):
        amplitude = np.exp(-2 * (np.pi * across[i, 0] * (grid - f)) ** 2)
        tuning.plot(grid, amplitude, color=colours[i], linewidth=1.5)
    _half(tuning, "spatial frequency", channels["frequency"].attrs.get("units"))
    if nyquist is not None and nyquist < grid.max():
        tuning.axvline(nyquist, color=style.GREY, linestyle="--", linewidth=1.0)
    octaves = float(channels["bandwidth"].values.flat[0])
    tuning.set(xscale="log", title=_width(octaves, " octaves"))
    ticks = list(frequency) if 1 < len(frequency) <= 8 else []
    if len(frequency) == 1:
        ticks = [float(frequency[0]) * step for step in (0.25, 0.5, 1.0, 2.0)]
    tuning.xaxis.set_major_locator(FixedLocator(ticks))
    tuning.xaxis.set_major_formatter("{x:g}")
    tuning.xaxis.set_minor_locator(NullLocator())
    lowest = int(np.argmin(frequency))
    low, high = (0.0, 360.0) if drifting else (-90.0, 90.0)
    degrees = np.linspace(low, high, int(2 * (high - low)) + 1)
    for j, angle in enumerate(orientation):
        delta = np.deg2rad(degrees - angle)
        n_x, n_y = across[lowest, j] * frequency[lowest], along[lowest, j] * frequency[lowest]
        both = [
            np.exp(-2 * np.pi**2 * ((n_x * (1 - c)) ** 2 + (n_y * np.sin(delta)) ** 2))
            for c in ((np.cos(delta),) if drifting else (np.cos(delta), -np.cos(delta)))
        ]
        first = j == 0
        colour, width = (style.PALETTE[-1], 1.6) if first else (style.GREY, 0.8)
        turning.plot(degrees, np.max(both, axis=0), color=colour, linewidth=width, zorder=3 if first else 2)
    _half(turning, turn, channels["orientation"].attrs.get("units"))
    turning.xaxis.set_major_locator(MultipleLocator(tick))
    turning.set(xlim=(low, high), title=_width(float(channels["orientation_bandwidth"].values.flat[0]), "°"))
    return ax


def _width(value: float, unit: str) -> str:
    return f"{value:.3g}{unit} wide at half height" if np.isfinite(value) else "half height is never reached"


def _half(ax: Axes, name: str, units: object) -> None:
    """Give a tuning curve its axes and the line of half height."""
    ax.axhline(0.5, color=style.GREY, linewidth=0.8, linestyle=":")
    ax.set(ylim=(0, 1.05), xlabel=style.quantity(name, units), ylabel="amplitude")
    ax.title.set_fontsize("medium")
    style.tidy(ax)


def _plane(ax: Axes, nyquist: float | None, reach: float) -> None:
    """Give the frequency plane its axes, and the square of the Nyquist frequency."""
    side = 1.06 * max(reach, nyquist if nyquist is not None and nyquist < 2 * reach else 0.0)
    if nyquist is not None and nyquist <= side:
        corners = nyquist * np.array([-1, 1, 1, -1, -1])
        ax.plot(corners, nyquist * np.array([-1, -1, 1, 1, -1]), color=style.GREY, linestyle="--", linewidth=1.0)
        ax.annotate("Nyquist", (0, nyquist), (0, -2), textcoords="offset points", ha="center", va="top", color="0.35")
    elif nyquist is not None:
        ax.set_title(f"Nyquist at {nyquist:.3g} cycles/degree", size="medium", color="0.35")
    ax.axhline(0, color=style.GREY, linewidth=0.5, zorder=0)
    ax.axvline(0, color=style.GREY, linewidth=0.5, zorder=0)
    ax.set(xlim=(-side, side), ylim=(-side, side), xlabel="to the right (cycles/degree)", ylabel="up (cycles/degree)")
    ax.set_aspect("equal")
    style.tidy(ax)


def _kind(data: object) -> type[Exception]:
    return ValueError if isinstance(data, xr.Dataset) else TypeError
