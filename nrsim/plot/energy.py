"""What V1 answers to one stimulus: a map for each channel, or curves at places."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.ticker import MultipleLocator

from nrsim.errors import need, unknown
from nrsim.plot import style
from nrsim.schema import check

_GAP = 0.06  # between maps, of a map's side
_SIDE = 0.85  # of a map in inches (chosen)
_MOST_PIXELS = 256  # of a map's side; finer maps are averaged over blocks
_PANELS = 12  # places at most


def v1_response(
    seen: xr.Dataset,
    *,
    stimulus: str | None = None,
    phase: float | None = None,
    frame: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what V1 answers to one stimulus: a map for each frequency and orientation, or curves at places.

    Parameters
    ----------
    seen
        A V1Response: at every pixel or in a grid of pools (maps, a row for each frequency, a column for each
        orientation), or at places (a panel for each of up to 12 places, with a line for each frequency).
    stimulus
        A ``stimulus_id``. Default: the first.
    phase
        Of simple cells, degree. Default: the first. Signed responses are drawn red above 0 and blue below.
    frame
        Of a moving stimulus, from 0. Default: the middle one.
    ax
        Where to draw; a new figure by default. At places it becomes the frame of the panels, ``ax.child_axes``.

    Returns
    -------
    matplotlib.axes.Axes
        All maps and curves have one scale; the colours of energy go with its square root, the amplitude.

    Raises
    ------
    SchemaError, ValueError
        If it is no valid V1Response, or has no such stimulus, phase or frame (the nearest is named).

    Examples
    --------
    >>> import nrsim as nr
    >>> ax = nr.plot.v1_response(nr.example("V1Response"), stimulus="human-happy-+1.00")
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['0', '45', '90', '135']
    """
    array, title, row = chosen(seen, stimulus, phase, frame)
    if "place" in array.dims:
        return _at_places(array.transpose("place", "frequency", "orientation"), title, ax)
    order = np.argsort(array["frequency"].values)
    maps = array.transpose("frequency", "orientation", "y", "x").values[order]
    step = max(1, -(-max(maps.shape[2:]) // _MOST_PIXELS))
    height, width = maps.shape[2] // step, maps.shape[3] // step
    maps = maps[..., : height * step, : width * step]
    maps = maps.reshape(*maps.shape[:2], height, step, width, step).mean((3, 5))
    # a grid of few pools is drawn larger, so that gaps are narrower than a pool
    times = max(1, -(-64 // max(height, width)))
    maps = maps.repeat(times, axis=2).repeat(times, axis=3)
    height, width = maps.shape[2:]
    pad = max(1, round(_GAP * max(height, width)))
    rows, columns = maps.shape[:2]
    sheet = np.full((rows * (height + pad) - pad, columns * (width + pad) - pad), np.nan)
    for i in range(rows):
        for j in range(columns):
            top, left = i * (height + pad), j * (width + pad)
            sheet[top : top + height, left : left + width] = maps[i, j]
    ratio = height / width
    ax = style.axes_or_new(ax, (max(3.0, _SIDE * columns + 1.6), max(2.2, _SIDE * ratio * rows + 0.9)))
    least, most = float(np.nanmin(sheet)), float(np.nanmax(sheet)) or 1.0
    if least < 0:
        most = max(most, -least)
        look: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    else:
        look = {"cmap": "viridis", "norm": PowerNorm(0.5, 0.0, most)}
    image = ax.imshow(sheet, interpolation="none", **look)
    ax.set_xticks(np.arange(columns) * (width + pad) + width / 2 - 0.5, [f"{o:g}" for o in array["orientation"].values])
    names = [f"{f:g}" for f in array["frequency"].values[order]]
    ax.set_yticks(np.arange(rows) * (height + pad) + height / 2 - 0.5, names)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    short = rows * ratio * _SIDE < 1.8  # lower than the words are long
    ax.set(xlabel=f"{style.turning(array['orientation'])[0]} (degree)", title=title)
    ax.set_ylabel("frequency\n(cycles/\ndegree)" if short else "frequency (cycles/degree)")
    scale = style.quantity(row, array.attrs.get("units"))
    style.scale_beside(ax, image, scale)
    return ax


def chosen(
    seen: xr.Dataset, stimulus: str | None, phase: float | None, frame: int | None
) -> tuple[xr.DataArray, str, str]:
    """Return one stimulus's response, its title and what it is."""
    check(seen, "V1Response")
    name = "energy" if "energy" in seen else "response"
    if not seen.sizes["stimulus"]:
        raise need("one or more stimuli", "none")
    at = style.position(seen, "stimulus", stimulus, "stimulus_id")
    array = seen[name].isel(stimulus=at)
    words = [str(seen["stimulus_id"].values[at])]
    if "phase" in array.dims:
        known = [float(each) for each in seen["phase"].values]
        wanted = known[0] if phase is None else phase
        if wanted not in known:
            raise unknown("phase", wanted, [f"{each:g}" for each in known])
        array = array.isel(phase=known.index(wanted))
        words.append(f"simple cells of phase {wanted:g}°")
    elif phase is not None:
        raise need("simple cells, response (…, phase, y, x), for a phase", name, "V1Bank.responses returns them")
    if "frame" in array.dims:
        n = array.sizes["frame"]
        shown = n // 2 if frame is None else frame
        if isinstance(shown, bool) or not isinstance(shown, (int, np.integer)) or not 0 <= shown < n:
            raise need(f"a frame from 0 to {n - 1}", repr(frame))
        array = array.isel(frame=int(shown))
        timed = "frame_time" in seen.coords
        words.append(f"at {float(seen['frame_time'][shown]):.3g} s" if timed else f"frame {shown}")
    elif frame is not None:
        raise need("moving stimuli for a frame", "still ones")
    return array, ", ".join(words), name


def _at_places(array: xr.DataArray, title: str, ax: Axes | None) -> Axes:
    """Draw the response against orientation, a panel for each place and a line for each frequency."""
    names = [str(name) for name in array["place"].values]
    n = min(len(names), _PANELS)
    columns = min(n, 4)
    rows = -(-n // columns)
    ax = style.axes_or_new(ax, (2.3 * columns + 1.6, 2.1 * rows + 0.6))
    ax.set_axis_off()
    ax.set_title(title + (f" (the first {n} of {len(names)} places)" if len(names) > n else ""), pad=22)
    order = np.argsort(array["frequency"].values)
    frequencies, orientation = array["frequency"].values[order], array["orientation"].values
    turned = np.argsort(orientation)
    turn, _, tick = style.turning(orientation)
    values = array.values[:, order][:, :, turned]
    low, high = min(0.0, float(values.min())), float(values.max()) or 1.0
    wide, high_panel = 1 / (columns + 0.25 * (columns - 1)), 1 / (rows + 0.6 * (rows - 1))
    last = ax
    for k in range(n):
        i, j = divmod(k, columns)
        box = (1.25 * wide * j, 1 - high_panel * (1 + 1.6 * i), wide, high_panel)
        panel = ax.inset_axes(box)
        last = panel if j == columns - 1 and not i else last
        for f, curve, colour, (place, mark) in zip(
            frequencies, values[k], style.colours(len(frequencies)), enumerate(_marks(len(frequencies))), strict=True
        ):
            panel.plot(
                orientation[turned],
                curve,
                color=colour,
                marker=mark,
                markersize=3.5,
                label=f"{f:g}",
                zorder=3 - 0.01 * place,
            )
        panel.set(ylim=(low - 0.03 * (high - low), high * 1.05), title=names[k].replace("_", " "))
        panel.title.set_fontsize("medium")
        panel.set_xlabel(f"{turn} (degree)" if k + columns >= n else "")
        panel.set_ylabel(style.quantity(str(array.name), array.attrs.get("units")) if j == 0 else "")
        if j:
            panel.set_yticklabels([])
        panel.xaxis.set_major_locator(MultipleLocator(tick))
        style.tidy(panel)
    style.legend_outside(last, title="cycles/degree")
    return ax


def _marks(n: int) -> list[str]:
    return [style.MARKERS[i % len(style.MARKERS)] for i in range(n)]
