"""The stimuli on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nrsim.errors import unknown
from nrsim.labels import names
from nrsim.plot.style import axes_or_new
from nrsim.schema import check

# Labels that name a row, from the outside in; further ones follow where these do not tell the stimuli apart
_ROWS = (
    *("category", "domain", "varied", "identity", "morph_fraction", "species_fraction", "expression_fraction"),
    *("expression", "view", "light", "skin", "trajectory", "parts"),
)
_NEVER = ("stimulus_id", "norm_id", "image_sha256", "file", "norm_distance", "fraction_outside", "norm_kind")
_NO_COLUMNS = ("category", "domain", "identity", "varied", "parts", "trajectory", "morph_fraction")
_MOST_COLUMNS, _MOST_ROWS = 16, 60
_GAP = 0.04
Key = tuple[str, ...]


def stimulus_sheet(
    faces: xr.Dataset,
    *,
    columns: str | None = None,
    rows: Sequence[str] | None = None,
    ax: Axes | None = None,
    pixels: int = 128,
) -> Axes:
    """Draw the stimuli on one sheet: a row for each head and expression, a column for each intensity.

    A stimulus of intensity 0 that others name as their norm stands in each of their rows.

    Parameters
    ----------
    faces
        A StimulusSet. Of moving faces the middle frame is drawn.
    columns
        The label that the columns run along. Default: intensity, or the label of a few values that tells most apart.
    rows
        The labels that name the rows. Default: those that tell the stimuli apart.
    ax
        Where to draw; a new figure by default.
    pixels
        Largest side of a face on the sheet, in pixels; larger ones are thinned out. Default 128 (chosen: sharp in
        print at the sheet's size).

    Returns
    -------
    matplotlib.axes.Axes
        Of more than 60 rows the first are drawn, and the sheet says so.

    Raises
    ------
    SchemaError, ValueError
        If it is no valid StimulusSet, or has no such label (the nearest is named).

    Examples
    --------
    >>> import nrsim as nr
    >>> ax = nr.plot.stimulus_sheet(nr.example("StimulusSet"))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['−0.5', '0', '0.5', '1']
    """
    check(faces, "StimulusSet")
    for label in [*([columns] if columns else []), *(rows or [])]:
        if label not in names(faces, "stimulus"):
            raise unknown("label of the stimuli", label, names(faces, "stimulus"))
    keys, along, values, cells = _layout(faces, columns, rows)
    shown = keys[:_MOST_ROWS]
    images = faces["image"]
    if "frame" in images.dims:
        images = images.isel(frame=images.sizes["frame"] // 2)
    step = max(1, -(-max(images.shape[1:]) // pixels))
    height, width = (len(range(0, n, step)) for n in images.shape[1:])
    pad_y, pad_x = max(1, round(_GAP * height)), max(1, round(_GAP * width))
    tall, wide = height + pad_y, width + pad_x
    # A wider gap between heads
    heads = [row[0] for row in shown]
    breaks = np.cumsum([0] + [int(heads[i] != heads[i - 1] and len(shown[i]) > 1) for i in range(1, len(shown))])
    tops = np.arange(len(shown)) * tall + breaks * 3 * pad_y
    sheet = np.ones((tops[-1] + height, len(values) * wide - pad_x))
    for (row, column), stimulus in cells.items():
        if row < len(shown):
            top, left = tops[row], column * wide
            picture = images[stimulus].values  # one at a time: a set on disk need not fit into memory
            sheet[top : top + height, left : left + width] = picture[::step, ::step]
    inch = 0.62
    ax = axes_or_new(ax, (inch * len(values) + 1.6, inch * (len(shown) + 0.2 * breaks[-1]) * height / width + 0.6))
    ax.imshow(sheet, cmap="gray", vmin=0.0, vmax=1.0, interpolation="antialiased")
    words = [_word(value) for value in values]
    tilted: dict[str, Any] = {"rotation": 40, "ha": "left"} if max(map(len, words)) > 6 else {}
    ax.set_xticks(np.arange(len(values)) * wide + width / 2, labels=words, **tilted)
    ax.set_yticks(tops + height / 2, [row[-1] for row in shown])
    ax.xaxis.set_ticks_position("top")
    ax.xaxis.set_label_position("top")
    ax.set_xlabel(along.replace("_", " ") if along else "stimulus")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if len(keys) > len(shown):
        ax.text(0, -0.01, f"the first {len(shown)} of {len(keys)} rows", transform=ax.transAxes, va="top")
    if len(shown[0]) > 1:
        for head in dict.fromkeys(" ".join(row[:-1]) for row in shown):
            inside = [i for i, row in enumerate(shown) if " ".join(row[:-1]) == head]
            middle = (tops[inside[0]] + tops[inside[-1]] + height) / 2
            ax.annotate(
                head,
                (1.015, middle),
                xycoords=("axes fraction", "data"),
                rotation=270 if len(inside) > 1 else 0,
                ha="left",
                va="center",
                weight="bold",
            )
    return ax


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    return "" if np.isnan(value) else f"{value:.4g}".replace("-", "−")


def _values(faces: xr.Dataset, label: str) -> list[Any]:
    """Return a label's values, numbers rounded so that equal ones are equal."""
    values = faces[label].values
    if values.dtype.kind in "iuf":
        return [float(value) + 0.0 for value in np.round(values.astype(np.float64), 6)]
    return [str(value) for value in values]


def _layout(
    faces: xr.Dataset, columns: str | None, rows: Sequence[str] | None
) -> tuple[list[Key], str, list[Any], dict[tuple[int, int], int]]:
    """Return the rows' labels, the columns' label and values, and which stimulus stands where."""
    n = faces.sizes["stimulus"]
    labels = {
        name: _values(faces, name)
        for name in names(faces, "stimulus")
        if name not in _NEVER and faces[name].dtype.kind in "iufUOT"
    }
    varying = {name: values for name, values in labels.items() if len({_word(v) for v in values}) > 1}
    along = columns or _best(varying)
    ids = [str(value) for value in faces["stimulus_id"].values]
    norms = [str(value) for value in faces["norm_id"].values] if "norm_id" in faces.coords else [""] * n
    zero = np.zeros(n, dtype=bool)
    if along == "intensity":
        named = {norm for norm, name in zip(norms, ids, strict=True) if norm != name}
        zero = np.array([name in named for name in ids]) & (np.array(labels[along]) == 0)
        zero = zero if not zero.all() else np.zeros(n, dtype=bool)
    proper = [int(i) for i in np.flatnonzero(~zero)]
    wanted = list(rows) if rows is not None else [name for name in (*_ROWS, *varying) if name in varying]
    kept: list[str] = []
    keys = {i: _key(labels, kept, i) for i in proper}
    for name in dict.fromkeys(wanted):
        if name == along or (rows is None and _told(keys, labels, along, proper)):
            continue
        trial = {i: _key(labels, [*kept, name], i) for i in proper}
        if rows is not None or len(set(trial.values())) > len(set(keys.values())):
            kept.append(name)
            keys = trial
    if not along or not _told(keys, labels, along, proper):
        return _grid(keys, kept, n, ids, along, labels, proper)
    order = list(dict.fromkeys(keys.values()))
    values = list(dict.fromkeys(labels[along][i] for i in range(n)))
    if not isinstance(values[0], str):
        values = sorted(values)
    cells: dict[tuple[int, int], int] = {}
    for i, key in keys.items():
        cells[order.index(key), values.index(labels[along][i])] = i
        if norms[i] in ids and zero[ids.index(norms[i])]:
            cells.setdefault((order.index(key), values.index(0.0)), ids.index(norms[i]))
    return order, along, values, cells


def _key(labels: dict[str, list[Any]], kept: Sequence[str], i: int) -> Key:
    return tuple(_word(labels[name][i]) for name in kept) or ("",)


def _told(keys: dict[int, Key], labels: dict[str, list[Any]], along: str, proper: Sequence[int]) -> bool:
    """Return whether rows and columns tell all stimuli apart."""
    places = {(keys[i], _word(labels[along][i]) if along else "") for i in proper}
    return len(places) == len(proper)


def _best(varying: dict[str, list[Any]]) -> str:
    """Return the label whose columns make the most of the sheet: few enough values, as many as there are; or none."""
    counts = {name: len({_word(value) for value in values}) for name, values in varying.items()}
    fitting = {name: count for name, count in counts.items() if count <= _MOST_COLUMNS and name not in _NO_COLUMNS}
    if not fitting:
        return ""
    most = max(fitting.values())
    first = [name for name in ("intensity", "view", *fitting) if fitting.get(name) == most]
    return first[0]


def _grid(
    keys: dict[int, Key],
    kept: list[str],
    n: int,
    ids: Sequence[str],
    along: str,
    labels: dict[str, list[Any]],
    proper: Sequence[int],
) -> tuple[list[Key], str, list[Any], dict[tuple[int, int], int]]:
    """Return one after another: in rows of the kept labels where these make some, else in a plain grid."""
    order = list(dict.fromkeys(keys.values()))
    if 1 < len(order) <= n / 2 and len(proper) == n:
        count = dict.fromkeys(order, 0)
        cells = {}
        for i in proper:
            cells[order.index(keys[i]), count[keys[i]]] = i
            count[keys[i]] += 1
        if max(count.values()) <= _MOST_COLUMNS:
            return order, "", [float(i + 1) for i in range(max(count.values()))], cells
    wide = n if n <= _MOST_COLUMNS else min(_MOST_COLUMNS, int(np.ceil(np.sqrt(n))))
    starts = range(0, n, wide)
    return (
        [("",) if n <= _MOST_COLUMNS else (f"{start + 1}",) for start in starts],
        "",
        [float(i + 1) for i in range(min(wide, n))],
        {divmod(i, wide): i for i in range(n)},
    )
