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
from nrsim.schema import STIMULUS_LABELS, check

# Labels that name a row, from the outside in; further ones of the schema follow where these do not tell all apart
_ROWS = (
    *("category", "domain", "varied", "identity", "morph_fraction", "species_fraction", "expression_fraction"),
    *("expression", "view", "light", "skin", "trajectory", "parts"),
)
_NEVER = ("stimulus_id", "norm_id", "image_sha256", "file", "norm_distance", "fraction_outside", "norm_kind")
_NO_COLUMNS = ("category", "domain", "identity", "varied", "parts", "trajectory", "morph_fraction")
_MOST_COLUMNS, _MOST_ROWS = 16, 60
_FILLED = 0.20  # of rows × columns: a sheet with less in it says nothing by its places
_GAP = 0.04
Key = tuple[str, ...]
Layout = tuple[list[Key], str, list[Any], dict[tuple[int, int], int]]


def stimulus_sheet(
    faces: xr.Dataset,
    *,
    columns: str | None = None,
    rows: Sequence[str] | None = None,
    ax: Axes | None = None,
    pixels: int = 128,
) -> Axes:
    """Draw the stimuli on one sheet: a row for each head and expression, a column for each intensity.

    A stimulus of intensity 0 that others name as their norm stands in each of their rows. Stimuli without an intensity
    in a set that has some, such as objects beside faces, follow side by side.

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


def _layout(faces: xr.Dataset, columns: str | None, rows: Sequence[str] | None) -> Layout:
    """Return the rows' labels, the columns' label and values, and which stimulus stands where."""
    whole = np.ones(faces.sizes["stimulus"], dtype=bool)
    if "intensity" in faces.coords and columns is None and rows is None:
        whole = np.isfinite(faces["intensity"].values)
    if whole.all() or not whole.any():
        return _ordered(faces, columns, rows)
    graded, loose = np.flatnonzero(whole), np.flatnonzero(~whole)
    keys, along, values, inner = _ordered(faces.isel(stimulus=graded), None, None)
    cells = {place: int(graded[i]) for place, i in inner.items()}
    return _packed(faces, [int(i) for i in loose], len(values), keys, along, values, cells)


def _packed(
    faces: xr.Dataset,
    numbers: Sequence[int],
    wide: int,
    keys: list[Key],
    along: str,
    values: list[Any],
    cells: dict[tuple[int, int], int],
) -> Layout:
    """Add rows of stimuli side by side, those of one category together."""
    category = faces["category"].values if "category" in faces.coords else np.full(faces.sizes["stimulus"], "")
    depth = len(keys[0]) if keys else 1
    for name in dict.fromkeys(str(category[i]) for i in numbers):
        members = [i for i in numbers if str(category[i]) == name]
        cells |= {(len(keys) + k // wide, k % wide): i for k, i in enumerate(members)}
        rest = (name if depth > 1 else "", *[""] * (depth - 1))
        keys = [*keys, (name, *[""] * (depth - 1)), *[rest] * (-(-len(members) // wide) - 1)]
    return keys, along, values, cells


def _ordered(faces: xr.Dataset, columns: str | None, rows: Sequence[str] | None) -> Layout:
    n = faces.sizes["stimulus"]
    labels = {
        name: _values(faces, name)
        for name in names(faces, "stimulus")
        if name in (columns, *(rows or ())) or ((name in STIMULUS_LABELS or name in _ROWS) and name not in _NEVER)
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
    order = list(dict.fromkeys(keys.values()))
    values = list({_word(labels[along][i]): labels[along][i] for i in range(n)}.values()) if along else []
    told = bool(along) and _told(keys, labels, along, proper)
    asked = columns is not None or rows is not None
    sprawls = len(proper) < _FILLED * len(order) * len(values) or len(order) > max(_MOST_ROWS, len(proper) / 2)
    if not told or (sprawls and not asked):
        wide = min(n, _MOST_COLUMNS)
        return _packed(faces, list(range(n)), wide, [], "", [float(i + 1) for i in range(wide)], {})
    if not isinstance(values[0], str):
        values = sorted(values, key=lambda value: (np.isnan(value), value))
    words = [_word(value) for value in values]
    cells: dict[tuple[int, int], int] = {}
    for i, key in keys.items():
        cells[order.index(key), words.index(_word(labels[along][i]))] = i
        if norms[i] in ids and zero[ids.index(norms[i])]:
            cells.setdefault((order.index(key), words.index("0")), ids.index(norms[i]))
    return order, along, values, cells


def _key(labels: dict[str, list[Any]], kept: Sequence[str], i: int) -> Key:
    return tuple(_named(name, labels[name][i]) for name in kept) or ("",)


def _named(name: str, value: Any) -> str:
    """Return a value as words; a number with what it is a number of."""
    if isinstance(value, str):
        return _word(value)
    return f"{name.split('_')[-1]} {_word(value)}" if _word(value) else ""


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
