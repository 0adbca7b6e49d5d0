"""What was read out: a circuit's stages over time, and answers against what was shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from nrsim.errors import need, unknown
from nrsim.plot import style

_MOST = 6  # movements drawn unless more are asked for
_ROWS = {
    "activity": "s, face neurons\n(dotted: v)",
    "u_on": "rise u₊\n(dotted: fall u₋)",
    "y": "change y",
    "D": "decision D",
}
_BESIDE = {"activity": "v", "u_on": "u_off"}


def readout_over_time(said: xr.Dataset, *, stimuli: Sequence[str] | None = None) -> np.ndarray:
    """Draw every stage of the circuit that reads out moving faces, one face a column, in a new figure.

    Rows from above: the intensity that is shown (grey) and read (black), where the code says what is shown; activity s
    of the face neurons with v; rise and fall; change y; decision neurons D with the threshold (dashed) and the moment
    of the decision (vertical line). Each colour is an answer.

    Parameters
    ----------
    said
        The result of :func:`nrsim.read_out_over_time`.
    stimuli
        Their ``stimulus_id``. Default: for each answer the movement in which its decision neuron's peak is largest,
        six at most.

    Returns
    -------
    numpy.ndarray
        The Axes, ``(stage, stimulus)``; their figure is ``axes[0, 0].figure``.

    Raises
    ------
    ValueError
        If it is no such result, or there is no such stimulus (the nearest is named).

    Examples
    --------
    >>> import nrsim as nr
    >>> code = nr.example("FaceCode")
    >>> course = nr.time_course("expression", 60, 60.0)
    >>> moving = code.assign(activity=code["activity"].expand_dims(frame=60, axis=1) * course[:, None])
    >>> moving["activity"].attrs["units"] = "1"
    >>> axes = nr.plot.readout_over_time(nr.read_out_over_time(moving, threshold=0.01))
    >>> axes.shape, axes[-1, 0].get_xlabel()
    ((4, 2), 'step')
    """
    if not isinstance(said, xr.Dataset) or "D" not in said or "answer_over_time" not in said:
        raise need("the result of nr.read_out_over_time", type(said).__name__)
    ids = [str(name) for name in said["stimulus_id"].values]
    for name in stimuli or []:
        if str(name) not in ids:
            raise unknown("stimulus", name, ids)
    columns = _strongest(said) if stimuli is None else [ids.index(str(name)) for name in stimuli]
    if not columns:
        raise need("stimuli to draw", "none")
    timed = "frame_time" in said.coords
    time = said["frame_time"].values if timed else np.arange(said.sizes["frame"])
    answers = [str(name) for name in said["prefers"].values]
    palette = style.colours(len(answers))
    intensity = "frame_intensity" in said.coords
    rows = [*(["intensity"] if intensity else []), *_ROWS]
    figure, axes = plt.subplots(
        len(rows),
        len(columns),
        figsize=(2.1 * len(columns) + 1.9, 1.25 * len(rows) + 0.7),
        sharex=True,
        sharey="row",
        squeeze=False,
        layout="constrained",
    )
    for j, column in enumerate(columns):
        one = said.isel(stimulus=column)
        for i, row in enumerate(rows):
            ax = axes[i, j]
            if row == "intensity":
                ax.fill_between(time, 0.0, one["frame_intensity"].values, color="0.85", linewidth=0)
                ax.plot(time, one["intensity_over_time"].values, color="0.1", linewidth=1.4)
            else:
                _stage(ax, time, one, row, palette)
            if j == 0:
                ax.set_ylabel("intensity\n(grey: shown)" if row == "intensity" else _ROWS[row])
            style.tidy(ax)
        below = axes[-1, j]
        if str(said.attrs.get("threshold", "none")) != "none":
            below.axhline(float(said.attrs["threshold"]), color="0.4", linestyle="--", linewidth=0.9, zorder=1)
        frame = int(one["decision_frame"])
        if frame >= 0:
            below.axvline(time[frame], color="0.4", linewidth=0.9, zorder=1)
        below.set_xlabel("time (s)" if timed else "step")
        axes[0, j].set_title(f"{_named(one)}\n→ {one['answer'].item()}", fontsize="medium")
    axes[-1, 0].set_ylim(bottom=0.0)  # shared, and last: it ends the search for limits
    handles: list[Any] = [
        Line2D([], [], color=colour, linewidth=2.0, label=name) for colour, name in zip(palette, answers, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return axes


def _stage(ax: Axes, time: np.ndarray, one: xr.Dataset, row: str, palette: list[Any]) -> None:
    for k, colour in enumerate(palette):
        ax.plot(time, one[row].isel(neuron=k).values, color=colour, linewidth=1.5)
        if row in _BESIDE:
            ax.plot(time, one[_BESIDE[row]].isel(neuron=k).values, color=colour, linewidth=1.1, linestyle=":")


def _strongest(said: xr.Dataset) -> list[int]:
    """Return for each answer the movement in which its decision neuron is the strongest of all and peaks highest."""
    forced = said["forced_answer"].values.astype(str)
    chosen = [int(np.where(forced == name, said["peak"].values, -np.inf).argmax()) for name in dict.fromkeys(forced)]
    return sorted(chosen)[:_MOST]


def _named(one: xr.Dataset) -> str:
    """Return a movement's labels as words, or its id."""
    words = [str(one[name].item()) for name in ("domain", "expression") if name in one.coords]
    if not any(words):
        return str(one["stimulus_id"].item())
    level = f" {float(one['intensity']):g}" if "intensity" in one.coords else ""
    return ", ".join(word for word in words if word).replace("_", " ") + level


def confusion(result: xr.Dataset | xr.DataArray, *, ax: Axes | None = None, **labels: str) -> Axes:
    """Draw how often each answer was given to each category: counts, coloured by their share of the row.

    Parameters
    ----------
    result
        Counts ``confusion (…, category, answer)``: of :func:`nrsim.score_read_out`, of
        :func:`nrsim.cross_domain_accuracy`, or the DataArray itself. They are summed over all other dims.
    ax
        Where to draw; a new figure by default.
    **labels
        Values of other dims to draw alone: ``domain="macaque"``.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If it holds no such counts, or a label is unknown (the nearest is named).

    Examples
    --------
    >>> import nrsim as nr
    >>> result = nr.cross_domain_accuracy(nr.example("Features"), source="human")
    >>> nr.plot.confusion(result, domain="macaque").get_title()
    'macaque: 4 of 4 right'
    """
    counts = result.get("confusion") if isinstance(result, xr.Dataset) else result
    if not isinstance(counts, xr.DataArray) or not {"category", "answer"} <= set(counts.dims):
        raise need("counts confusion (…, category, answer)", type(result).__name__, "Such as nr.score_read_out returns")
    for name, value in labels.items():
        if name not in counts.dims or name in ("category", "answer"):
            raise unknown("label", name, [dim for dim in counts.dims if dim not in ("category", "answer")])
        counts = counts.isel({name: style.position(counts.to_dataset(name="confusion"), name, value)})
    rest = [dim for dim in counts.dims if dim not in ("category", "answer")]
    counts = counts.sum(rest, keep_attrs=True).transpose("category", "answer")
    shown = counts.values.astype(float)
    totals = shown.sum(axis=1, keepdims=True)
    share = np.divide(shown, totals, out=np.zeros_like(shown), where=totals > 0)
    categories, answers = ([str(name) for name in counts[dim].values] for dim in ("category", "answer"))
    ax = style.axes_or_new(ax, (0.55 * len(answers) + 1.9, 0.5 * len(categories) + 1.5))
    ax.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for (i, j), count in np.ndenumerate(shown):
        if count:
            weight = "bold" if categories[i] == answers[j] else "normal"
            colour = "white" if share[i, j] > 0.55 else "0.15"
            ax.text(j, i, f"{count:g}", ha="center", va="center", color=colour, weight=weight)
    ax.set_xticks(range(len(answers)), [name.replace("_", " ") for name in answers], rotation=40, ha="right")
    for tick in ax.get_xticklabels():
        tick.set_rotation_mode("anchor")
    ax.set_yticks(range(len(categories)), [name.replace("_", " ") for name in categories])
    ax.set_xlabel("answer")
    ax.set_ylabel("shown")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    right = sum(shown[i, answers.index(name)] for i, name in enumerate(categories) if name in answers)
    head = ", ".join(str(value) for value in labels.values())
    counted = " frames" if counts.attrs.get("counted") == "frames" else ""
    title = f"{right:g} of {shown.sum():g}{counted} right"
    ax.set_title(f"{head}: {title}" if head else title)
    return ax
