"""Recordings: spikes of single trials, and the whole population at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable

from nrsim.errors import need, unknown
from nrsim.plot import style
from nrsim.quantities import bare, window_of
from nrsim.schema import check

_GROUPS = {"stimulus": ("domain", "identity", "expression"), "neuron": ("encoder", "face_patch", "prefers")}
_MANY = 40
_PLURAL = {"stimulus": "stimuli", "neuron": "neurons"}
_WORDS = {"prefers": "preference", "face_patch": "face patch"}


def raster(
    recording: xr.Dataset,
    *,
    stimulus: str | Sequence[str] | None = None,
    neuron: str | None = None,
    ax: Axes | None = None,
    bin_width: float = 0.02,
) -> Axes:
    """Draw the spikes of one neuron, a line for each trial, and under them the firing rate over time.

    Parameters
    ----------
    recording
        A Recording with ``spike_time``.
    stimulus
        One or several ``stimulus_id``. Default: the stimulus that drives the neuron most, and its norm.
    neuron
        Its ``neuron_id``. Default: the first.
    ax
        Where to draw; a new figure by default. It becomes the frame of two: ``ax.child_axes`` are the raster and the
        histogram (PSTH).
    bin_width
        Of the histogram, s. Default 0.02 (chosen: fine enough for the onset, coarse enough for 20 trials).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If it holds no ``spike_time``, or a name is unknown (the nearest are given).

    Examples
    --------
    >>> import nrsim as nr
    >>> ax = nr.plot.raster(nr.example("Recording"), neuron="norm-happy")
    >>> [child.get_ylabel() for child in ax.child_axes]
    ['trial', 'firing rate (Hz)']
    """
    check(recording, "Recording")
    if "spike_time" not in recording:
        raise need("a recording with spike_time", "counts or firing rates only", "Use nr.plot.population")
    bin_width = bare(bin_width, "s", "bin_width", above=0.0)
    place = style.position(recording, "neuron", neuron, "neuron_id")
    wanted = [stimulus] if isinstance(stimulus, str) else stimulus
    if wanted is None:
        wanted = _strongest(recording, place)
    ids = [str(value) for value in recording["stimulus_id"].values]
    for name in wanted:
        if name not in ids:
            raise unknown("stimulus", name, ids)
    start, end = float(recording["time_bin_start"].min()), float(recording["time_bin_end"].max())
    edges = np.linspace(start, end, max(1, round((end - start) / bin_width)) + 1)
    centres, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    ax = style.axes_or_new(ax, (6.2, 3.8))
    ax.set_axis_off()
    above = ax.inset_axes((0.0, 0.42, 1.0, 0.58))
    below = ax.inset_axes((0.0, 0.0, 1.0, 0.36))
    mine = recording["spike_neuron"].values == recording["neuron"].values[place]
    row = 0
    for name, colour in zip(wanted, style.colours(len(wanted)), strict=True):
        at = ids.index(name)
        here = mine & (recording["spike_stimulus"].values == recording["stimulus"].values[at])
        trials = _trials(recording, at, place)
        spikes, of = recording["spike_time"].values[here], recording["spike_trial"].values[here]
        lines = [spikes[of == recording["trial"].values[trial]] for trial in trials]
        offsets = list(range(row, row + len(trials)))
        if len(trials):
            above.eventplot(lines, lineoffsets=offsets, linelengths=0.85, linewidths=0.9, colors=[colour])
            counts = np.histogram(np.concatenate(lines), edges)[0]
            below.plot(centres, counts / len(trials) / width, color=colour, linewidth=1.6, label=name)
        row += len(trials)
    above.set(xlim=(start, end), ylim=(row - 0.5, -0.5), ylabel="trial")
    above.tick_params(labelbottom=False)
    below.set(xlim=(start, end), xlabel="time from stimulus onset (s)", ylabel="firing rate (Hz)")
    below.set_ylim(bottom=0.0)
    duration = recording.attrs.get("stimulus_duration")
    onset = float(recording.attrs.get("stimulus_onset", 0.0))
    for child in (above, below):
        style.tidy(child)
        if duration is not None:
            child.axvspan(onset, onset + float(duration), color="0.93", zorder=0, linewidth=0)
    ax.set_title(style.neuron_title(recording, place))
    style.legend_outside(above, handles=below.get_legend_handles_labels()[0])
    return ax


def _trials(recording: xr.Dataset, stimulus: int, neuron: int) -> np.ndarray:
    """Return the positions of the trials that took place."""
    at = {"stimulus": stimulus, "neuron": neuron}
    if "spike_count" in recording:
        took_place = (recording["spike_count"].isel(at).values >= 0).all(1)
    else:
        took_place = np.isfinite(recording["firing_rate"].isel(at).values).all(1)
    if "presented" in recording:
        took_place = took_place & recording["presented"].isel(at).values
    return np.flatnonzero(took_place)


def _strongest(recording: xr.Dataset, neuron: int) -> list[str]:
    rates = np.nan_to_num(_rates(recording.isel(neuron=[neuron])).mean(-1)[:, 0], nan=-1.0)
    best = int(rates.argmax())
    ids = [str(value) for value in recording["stimulus_id"].values]
    norm = str(recording["norm_id"].values[best]) if "norm_id" in recording.coords else ""
    return [ids[best], norm] if norm in ids and norm != ids[best] else [ids[best]]


def _rates(recording: xr.Dataset) -> np.ndarray:
    """Return mean firing rates over trials, ``(stimulus, neuron, time)``, NaN where nothing was presented."""
    if "spike_count" in recording:
        counts = recording["spike_count"].values
        shown = counts >= 0
        widths = recording["time_bin_end"].values - recording["time_bin_start"].values
        values = counts / widths
    else:
        values = recording["firing_rate"].values
        shown = np.isfinite(values)
    if "presented" in recording:
        shown = shown & recording["presented"].values[..., None]
    n = shown.sum(1)
    return np.where(n > 0, np.where(shown, values, 0.0).sum(1) / np.maximum(n, 1), np.nan)


def population(
    recording: xr.Dataset,
    *,
    against: str = "stimulus",
    window: Any = (0.07, 0.37),
    ax: Axes | None = None,
    cmap: str = "viridis",
) -> Axes:
    """Draw the mean firing rates of all neurons as a heat map, against stimuli or against time.

    Up to 40 neurons are named one by one, in the order of the recording. More are put together by encoder, face patch
    and preference, and named by group; of more than 40 groups none is named.

    Parameters
    ----------
    recording
        A Recording.
    against
        ``"stimulus"``: the mean over trials and over the bins whose centres lie in the window; ``"time"``: the mean
        over trials and stimuli. Choose stimuli beforehand with :func:`nrsim.select`.
    window
        ``(start, end)`` in s, for ``against="stimulus"``. Default 0.07 to 0.37 (chosen, see
        :func:`nrsim.window_rates`).
    ax
        Where to draw; a new figure by default.
    cmap
        A matplotlib colour map. Default ``"viridis"`` (chosen: even to the eye, and for colour-blind readers).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError
        If it is no valid Recording.
    ValueError
        If ``against`` is neither of the two, or no bin lies in the window.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.plot.population(nr.example("Recording"), against="time").get_xlabel()
    'time from stimulus onset (s)'
    """
    check(recording, "Recording")
    if against not in ("stimulus", "time"):
        raise unknown("value of against", against, ("stimulus", "time"))
    recording = _by_group(recording)
    rates = _rates(recording)
    n_neurons = recording.sizes["neuron"]
    ax = style.axes_or_new(ax, (7.2, min(8.0, 2.2 + 0.16 * n_neurons)))
    if against == "stimulus":
        start, end = window_of(window)
        centre = recording["time"].values
        inside = (centre >= start) & (centre <= end)
        if not inside.any():
            raise need("a window that holds the centre of a bin", f"{start:g} to {end:g} s")
        drawn = rates[..., inside].mean(-1).T
        image: ScalarMappable = ax.imshow(
            drawn, aspect="auto", cmap=cmap, vmin=min(0.0, float(np.nanmin(drawn))), interpolation="none"
        )
        _group_axis(ax, recording, "stimulus")
    else:
        shown = np.isfinite(rates)
        n = np.maximum(shown.sum(0), 1)
        drawn = np.where(shown.any(0), np.where(shown, rates, 0.0).sum(0) / n, np.nan)
        edges = np.append(recording["time_bin_start"].values, recording["time_bin_end"].values[-1])
        image = ax.pcolormesh(edges, np.arange(n_neurons + 1) - 0.5, drawn, cmap=cmap, rasterized=True)
        ax.invert_yaxis()
        ax.axvline(0.0, color="white", linewidth=1.0, linestyle=":")
        ax.set_xlabel("time from stimulus onset (s)")
    _group_axis(ax, recording, "neuron")
    bar = plt.colorbar(image, ax=ax, pad=0.02)
    bar.set_label("firing rate (Hz)")
    bar.outline.set_visible(False)
    return ax


def _group_axis(ax: Axes, recording: xr.Dataset, dim: str) -> None:
    """Label runs of equal labels along an axis; stimuli on x in two levels, neurons on y by name or by group."""
    axis, line = (ax.xaxis, ax.axvline) if dim == "stimulus" else (ax.yaxis, ax.axhline)
    names = _splitting(recording, _GROUPS[dim])
    size = recording.sizes[dim]
    axis.set_tick_params(length=0)
    if dim == "neuron" and size <= _MANY:
        axis.set_ticks(np.arange(size), [str(value) for value in recording["neuron_id"].values], fontsize=7)
        axis.set_label_text("neuron")
    elif dim == "neuron" and _count(recording, names) > _MANY:
        axis.set_ticks([])
        axis.set_label_text(f"{size} neurons")
    elif names:
        runs = _runs(list(zip(*(recording[name].values.tolist() for name in names), strict=True)))
        shown = names if dim == "neuron" else names[-1:]
        words = [": ".join(str(recording[name].values[start]) for name in shown) for start, _ in runs]
        axis.set_ticks([(start + stop - 1) / 2 for start, stop in runs], words, fontsize=7)
        by = " and ".join(_WORDS.get(name, name) for name in names)
        axis.set_label_text(f"{_PLURAL[dim]}, by {by}")
    else:
        axis.set_label_text(_PLURAL[dim])
    if dim == "stimulus":
        axis.set_tick_params(rotation=90)
    if len(names) < 2:
        return
    for start, stop in _runs(recording[names[0]].values.tolist()):
        if start:
            line(start - 0.5, color="white", linewidth=1.5)
        if dim == "stimulus":
            place = ((start + stop - 1) / 2, 1.01)
            text = str(recording[names[0]].values[start])
            ax.annotate(text, place, xycoords=("data", "axes fraction"), ha="center", va="bottom", weight="bold")


def _by_group(recording: xr.Dataset) -> xr.Dataset:
    """Return many neurons sorted so that those of one group lie together, groups in the order of their first."""
    names = _splitting(recording, _GROUPS["neuron"])
    if recording.sizes["neuron"] <= _MANY or not names:
        return recording
    ranks = []
    for name in names:
        values = [str(value) for value in recording[name].values]
        first = {value: i for i, value in enumerate(dict.fromkeys(values))}
        ranks.append([first[value] for value in values])
    return recording.isel(neuron=np.lexsort(ranks[::-1]))


def _count(recording: xr.Dataset, names: Sequence[str]) -> int:
    return len(_runs(list(zip(*(recording[name].values.tolist() for name in names), strict=True)))) if names else 0


def _splitting(recording: xr.Dataset, candidates: Sequence[str]) -> list[str]:
    """Return the labels that each tell more apart than those before them."""
    kept: list[str] = []
    count = 1
    for name in candidates:
        if name in recording.coords:
            columns = [recording[one].values.tolist() for one in (*kept, name)]
            found = len(set(zip(*columns, strict=True)))
            if found > count:
                kept.append(name)
                count = found
    return kept


def _runs(values: Sequence[Any]) -> list[tuple[int, int]]:
    """Return where equal neighbours start and stop."""
    starts = [i for i in range(len(values)) if i == 0 or values[i] != values[i - 1]]
    return list(zip(starts, [*starts[1:], len(values)], strict=True))
