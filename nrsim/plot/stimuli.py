"""The stimuli on one sheet."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nrsim.plot.style import axes_or_new
from nrsim.schema import check

_ROW_LABELS = ("domain", "identity", "expression")
_GAP = 0.04
_WIDE = 16  # stimuli side by side where no label says which belong together


def stimulus_sheet(faces: xr.Dataset, *, ax: Axes | None = None, pixels: int = 128) -> Axes:
    """Draw all stimuli on one sheet: a row for each head and expression, a column for each intensity.

    A stimulus of intensity 0 that others name as their norm stands in each of their rows. Stimuli without an intensity,
    such as objects, stand side by side.

    Parameters
    ----------
    faces
        A StimulusSet. Of moving faces the middle frame is drawn; of several stimuli in one place, the first.
    ax
        Where to draw; a new figure by default.
    pixels
        Largest side of a face on the sheet, in pixels; larger ones are thinned out. Default 128 (chosen: sharp in
        print at the sheet's size).

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError
        If it is no valid StimulusSet.

    Examples
    --------
    >>> import nrsim as nr
    >>> ax = nr.plot.stimulus_sheet(nr.example("StimulusSet"))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['−0.5', '0', '0.5', '1']
    """
    check(faces, "StimulusSet")
    images = faces["image"]
    if "frame" in images.dims:
        images = images.isel(frame=images.sizes["frame"] // 2)
    values = images.values
    step = max(1, -(-max(values.shape[1:]) // pixels))
    values = values[:, ::step, ::step]
    rows, columns, cells = _layout(faces)
    height, width = values.shape[1:]
    pad_y, pad_x = max(1, round(_GAP * height)), max(1, round(_GAP * width))
    tall, wide = height + pad_y, width + pad_x
    # A wider gap between heads
    heads = [row[0] for row in rows]
    breaks = np.cumsum([0] + [int(heads[i] != heads[i - 1] and len(rows[i]) > 1) for i in range(1, len(rows))])
    tops = np.arange(len(rows)) * tall + breaks * 3 * pad_y
    sheet = np.ones((tops[-1] + height, len(columns) * wide - pad_x))
    for (row, column), stimulus in cells.items():
        top, left = tops[row], column * wide
        sheet[top : top + height, left : left + width] = values[stimulus]
    inch = 0.62
    ax = axes_or_new(ax, (inch * len(columns) + 1.6, inch * (len(rows) + 0.2 * breaks[-1]) * height / width + 0.6))
    ax.imshow(sheet, cmap="gray", vmin=0.0, vmax=1.0, interpolation="antialiased")
    ax.set_xticks(np.arange(len(columns)) * wide + width / 2, [_level(value) for value in columns])
    ax.set_yticks(tops + height / 2, [row[-1] for row in rows])
    ax.xaxis.set_ticks_position("top")
    ax.xaxis.set_label_position("top")
    ax.set_xlabel("intensity" if "intensity" in faces.coords else "stimulus")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if len(rows[0]) > 1:
        for head in dict.fromkeys(" ".join(row[:-1]) for row in rows):
            inside = [i for i, row in enumerate(rows) if " ".join(row[:-1]) == head]
            middle = (tops[inside[0]] + tops[inside[-1]] + height) / 2
            ax.annotate(
                head,
                (1.015, middle),
                xycoords=("axes fraction", "data"),
                rotation=270,
                ha="left",
                va="center",
                weight="bold",
            )
    return ax


def _level(value: float) -> str:
    return f"{value:g}".replace("-", "−")


_Layout = tuple[list[tuple[str, ...]], list[float], dict[tuple[int, int], int]]


def _layout(faces: xr.Dataset) -> _Layout:
    """Return the rows' labels, the columns' intensities and which stimulus stands where."""
    n = faces.sizes["stimulus"]
    loose = ~np.isfinite(faces["intensity"].values) if "intensity" in faces.coords else np.ones(n, dtype=bool)
    if loose.all():
        rows, columns, cells = _graded(faces)
        sprawls = len(columns) > _WIDE or (len(rows) > _WIDE and len(rows) > n / 2)
        return _packed(faces, np.arange(n), 1, _WIDE) if sprawls else (rows, columns, cells)
    if not loose.any():
        return _graded(faces)
    graded = np.flatnonzero(~loose)
    rows, columns, cells = _graded(faces.isel(stimulus=graded))
    cells = {place: int(graded[i]) for place, i in cells.items()}
    more, _, others = _packed(faces, np.flatnonzero(loose), len(rows[0]), len(columns))
    cells |= {(len(rows) + row, column): i for (row, column), i in others.items()}
    return rows + more, columns, cells


def _packed(faces: xr.Dataset, numbers: np.ndarray, depth: int, wide: int) -> _Layout:
    """Lay stimuli without an intensity side by side, those of one category together."""
    category = (
        faces["category"].values.astype(str) if "category" in faces.coords else np.full(faces.sizes["stimulus"], "")
    )
    rows: list[tuple[str, ...]] = []
    cells: dict[tuple[int, int], int] = {}
    for name in dict.fromkeys(category[numbers].tolist()):
        members = numbers[category[numbers] == name]
        cells |= {(len(rows) + k // wide, k % wide): int(i) for k, i in enumerate(members)}
        more = -(-len(members) // wide) - 1
        rows += [(name, *[""] * (depth - 1))] + [(name if depth > 1 else "", *[""] * (depth - 1))] * more
    return rows, [float(k + 1) for k in range(min(wide, len(numbers)))], cells


def _graded(faces: xr.Dataset) -> _Layout:
    """A row for each head and expression, a column for each intensity or, without any, for each stimulus of the row."""
    n = faces.sizes["stimulus"]
    ids = [str(value) for value in faces["stimulus_id"].values]
    norms = [str(value) for value in faces["norm_id"].values] if "norm_id" in faces.coords else [""] * n
    if "intensity" in faces.coords:
        x = np.round(faces["intensity"].values.astype(np.float64), 6) + 0.0
        named = {norm for norm, name in zip(norms, ids, strict=True) if norm != name}
        zero = np.array([name in named for name in ids]) & (x == 0)
        zero = zero if not zero.all() else np.zeros(n, dtype=bool)
    else:
        x, zero = np.full(n, np.nan), np.zeros(n, dtype=bool)
    proper = np.flatnonzero(~zero)
    labels = [name for name in _ROW_LABELS if name in faces.coords]
    kept: list[str] = []
    for name in labels:
        trial = [tuple(str(faces[one].values[i]) for one in (*kept, name)) for i in proper]
        before = {row[:-1] for row in trial}
        if len(set(trial)) > len(before):
            kept.append(name)
    names = {int(i): tuple(str(faces[one].values[i]) for one in kept) or ("",) for i in proper}
    rows = list(dict.fromkeys(names.values()))
    if not np.isfinite(x).all():
        order = dict.fromkeys(rows, 0)
        x = np.zeros(n)
        for place in proper:
            x[place] = order[names[int(place)]] = order[names[int(place)]] + 1
    columns = np.unique(x).tolist()
    cells: dict[tuple[int, int], int] = {}
    for i, row in names.items():
        cells.setdefault((rows.index(row), columns.index(x[i])), i)
        if norms[i] in ids and zero[ids.index(norms[i])]:
            cells.setdefault((rows.index(row), columns.index(0.0)), ids.index(norms[i]))
    return rows, columns, cells
