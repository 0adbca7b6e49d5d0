"""Low-level properties of pictures: grey levels, luminance, contrast and spectra, before matching and after."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from nrsim.errors import need
from nrsim.plot import style

_BINS = 32  # of the histogram (chosen: 8 of the 256 levels each)
_NEEDED = ("histogram", "luminance", "contrast", "amplitude")


def image_statistics(before: xr.Dataset, after: xr.Dataset | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw grey levels, luminance against contrast, and amplitude spectra of a set of pictures.

    Lines are means over the pictures, bands reach from the lowest to the highest picture: where a property is matched,
    the band closes on the line.

    Parameters
    ----------
    before
        The result of :func:`nrsim.measure_images`.
    after
        The same after matching. Default: one set only.
    ax
        Where to draw; a new figure by default. It becomes the frame of three: ``ax.child_axes`` are the histogram (in
        32 bins), the luminance and contrast of each picture, and the rotational average of the amplitude spectrum.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError, TypeError
        If it is no such result.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.example("StimulusSet")
    >>> matched = nr.match_images(faces, ["luminance", "contrast"])
    >>> ax = nr.plot.image_statistics(nr.measure_images(faces), nr.measure_images(matched))
    >>> [child.get_xlabel() for child in ax.child_axes]
    ['luminance', 'mean luminance', 'spatial frequency (cycles/degree)']
    """
    sets = {"before": before} if after is None else {"before": before, "after": after}
    for name, data in sets.items():
        if not isinstance(data, xr.Dataset) or not all(one in data for one in _NEEDED):
            raise need("the result of nr.measure_images", f"{name}: {_what(data)}", "Measure the stimuli first")
    ax = style.axes_or_new(ax, (9.6, 2.9))
    ax.set_axis_off()
    levels, numbers, spectra = (ax.inset_axes((0.36 * i, 0.0, 0.28, 1.0)) for i in range(3))
    looks = zip(sets.items(), style.PALETTE[:2], style.MARKERS[:2], style.DASHES[:2], strict=False)
    for (name, data), colour, marker, dash in looks:
        label = name if after is not None else None
        width = data.sizes["level"] // _BINS
        binned = 100 * data["histogram"].transpose("stimulus", "level").values.reshape(-1, _BINS, width).sum(axis=2)
        edges = np.linspace(0.0, 1.0, _BINS + 1)
        levels.stairs(binned.max(axis=0), edges, baseline=binned.min(axis=0), fill=True, color=colour, alpha=0.22)
        levels.stairs(binned.mean(axis=0), edges, color=colour, linewidth=1.5, linestyle=dash)
        numbers.plot(
            data["luminance"], data["contrast"], marker, color=colour, markersize=4, alpha=0.7, markeredgewidth=0
        )
        amplitude, frequency = data["amplitude"].transpose("stimulus", "frequency").values, data["frequency"].values
        spectra.fill_between(frequency, amplitude.min(axis=0), amplitude.max(axis=0), color=colour, alpha=0.22, lw=0)
        spectra.plot(frequency, amplitude.mean(axis=0), color=colour, linewidth=1.5, linestyle=dash, label=label)
    levels.set(xlabel="luminance", ylabel="pixels (%)", xlim=(0, 1))
    levels.set_yscale("symlog", linthresh=1.0)
    levels.set_ylim(0.0, 100.0)
    levels.set_yticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    numbers.set(xlabel="mean luminance", ylabel="RMS contrast")
    numbers.margins(0.15)
    units = before["frequency"].attrs.get("units")
    spectra.set(xscale="log", yscale="log", xlabel=style.quantity("spatial frequency", units), ylabel="amplitude |F|/n")
    spectra.xaxis.set_major_locator(LogLocator(base=2))
    spectra.xaxis.set_major_formatter("{x:g}")
    spectra.xaxis.set_minor_locator(NullLocator())
    for child in (levels, numbers, spectra):
        style.tidy(child)
    style.legend_outside(spectra)
    return ax


def _what(data: object) -> str:
    if not isinstance(data, xr.Dataset):
        return type(data).__name__
    return str(data.attrs.get("schema") or ", ".join(map(str, data.data_vars)) or "an empty dataset")
