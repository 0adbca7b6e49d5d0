"""The stimuli on one sheet."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, cast

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nrsim.errors import need, unknown
from nrsim.labels import names
from nrsim.plot.places import MOST_ROWS, Places, places
from nrsim.plot.style import axes_or_new
from nrsim.schema import check

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PIXELS = 3e6  # of a whole sheet (chosen: sharp at its size in print)
_GAP = 0.04  # between pictures, of a picture's side
_CAPTION_LINES = 2
_LEAST, _MOST = 0.62, 1.3  # side of a cell in inches (chosen: legible in print; few stimuli are shown larger)
_WIDTH, _HEIGHT = 6.0, 9.0  # of the pictures together, in inches, that small cells are enlarged to
_MARGIN = 0.08  # around everything, in inches
_DPI = 200  # of the pictures at the sheet's own size


def stimulus_sheet(
    faces: xr.Dataset,
    *,
    columns: str | None = None,
    rows: Sequence[str] | None = None,
    ax: Axes | None = None,
    pixels: int | None = None,
) -> Axes:
    """Draw the stimuli on one sheet: a row for each head and expression, a column for each intensity.

    A stimulus of intensity 0 that others name as their norm stands in each of their rows. Stimuli without an intensity
    in a set that has some, such as objects beside faces, follow side by side with their names under them; so do blanks
    among gratings. Morphs between two identities stand in a row for each pair. Up to 8 moving stimuli are drawn as
    film strips: a row for each stimulus, a column for each of up to 12 frames at even steps.

    Parameters
    ----------
    faces
        A StimulusSet. Of more than 8 moving stimuli, or where ``columns`` or ``rows`` are given, the middle frame is
        drawn, and the sheet says its time.
    columns
        The label that the columns run along. Default: intensity, or the label of a few values that tells most apart.
    rows
        The labels that name the rows, from the outside in. Default: those that tell the stimuli apart.
    ax
        Where to draw; by default a new figure, just large enough for the sheet and all its labels.
    pixels
        Largest side of a face on the sheet, in pixels; larger ones are averaged over blocks. Default: what 200 dots
        per inch need (chosen: sharp in print at the sheet's size).

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
    if pixels is not None and (not isinstance(pixels, (int, np.integer)) or pixels < 1):
        raise need("pixels: a whole number, 1 or more", repr(pixels))
    plan = places(faces, columns, rows)
    shown = plan.keys[:MOST_ROWS]
    images = faces["image"]
    middle = images.sizes["frame"] // 2 if "frame" in images.dims else 0
    side_y, side_x = images.sizes["y"], images.sizes["x"]
    new = ax is None
    ax = axes_or_new(ax, (_WIDTH, _HEIGHT))
    room_x, room_y = (_WIDTH, _HEIGHT) if new else _inches(ax)
    inch = min(room_x / plan.wide, room_y / len(shown) * side_x / side_y)
    inch = min(_MOST, max(_LEAST, inch)) if new else max(0.05, inch)
    step = max(1, -(-max(side_y, side_x) // pixels) if pixels else max(side_y, side_x) // round(_DPI * inch))
    if not pixels:  # a sheet of many pictures shows each of them coarser, so that memory does not grow with the set
        step = max(step, int(np.ceil(np.sqrt(side_y * side_x * len(shown) * plan.wide / _PIXELS))))
    step = min(step, side_y, side_x)
    height, width = side_y // step, side_x // step
    pad = max(1, round(_GAP * width))
    points = min(9.0, max(6.5, 8 * inch))  # of the captions
    captions = _captions(plan, 72 * inch / points)
    line = 1.15 * points / 72 / inch * width
    tops, bottom = _tops(plan, shown, captions, (height, pad, line))
    sheet = np.ones((bottom, plan.wide * (width + pad) - pad), dtype=np.float32)
    for (row, column), stimulus in plan.cells.items():
        if row < len(shown):
            top, left = tops[row], column * (width + pad)
            picture = images[stimulus]  # one at a time: a set on disk need not fit into memory
            if "frame" in images.dims:
                picture = picture.isel(frame=plan.frames[column] if plan.frames else middle)
            blocks = picture.values[: height * step, : width * step].reshape(height, step, width, step)
            sheet[top : top + height, left : left + width] = blocks.mean((1, 3))
    size = (sheet.shape[1] / width * inch, sheet.shape[0] / width * inch)
    if new:
        _figure(ax).set_layout_engine("none")
        _figure(ax).set_size_inches(size)
        ax.set_position((0, 0, 1, 1))
    ax.imshow(sheet, cmap="gray", vmin=0.0, vmax=1.0, interpolation="antialiased")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.apply_aspect()
    for (row, column), stimulus in plan.cells.items():
        if row < len(shown) and stimulus in captions:
            at = (column * (width + pad) + width / 2 - 0.5, tops[row] + height + 0.02 * width)
            ax.text(*at, captions[stimulus], size=points, ha="center", va="top", linespacing=1.0)
    _head_columns(ax, plan, np.arange(len(plan.heads)) * (width + pad) + width / 2)
    _name_rows(ax, shown, tops, height)
    notes = [f"the first {len(shown)} of {len(plan.keys)} rows"] if len(plan.keys) > len(shown) else []
    if "frame" in images.dims and not plan.frames:
        timed = "frame_time" in faces.coords
        at_time = f"{float(faces['frame_time'][middle]):.3g} s" if timed else f"frame {middle + 1}"
        notes.append(f"moving; shown at {at_time}")
    if notes:
        ax.annotate(
            "; ".join(notes), (0, 0), xycoords="axes fraction", xytext=(0, -6), textcoords="offset points", va="top"
        )
    if new:
        _fit(ax, size)
    return ax


def _tops(
    plan: Places, shown: Sequence[tuple[str, ...]], captions: dict[int, str], pixels: tuple[int, int, float]
) -> tuple[list[int], int]:
    """Return where each row begins, and where the last ends; ``pixels``: of a picture, a gap and a line."""
    height, pad, line = pixels
    lines = [0] * len(shown)
    for (row, _), stimulus in plan.cells.items():
        if row < len(shown) and stimulus in captions:
            lines[row] = max(lines[row], 1 + captions[stimulus].count("\n"))
    tops, bottom = [], 0
    for row, key in enumerate(shown):
        if row:  # a wider gap between heads
            parted = (len(key) > 1 and key[0] != shown[row - 1][0]) or (lines[row] and not lines[row - 1])
            bottom += pad * (4 if parted else 1)
        tops.append(bottom)
        bottom += height + int(np.ceil(line * (lines[row] + 0.25) if lines[row] else 0))
    return tops, bottom


def _captions(plan: Places, ems: float) -> dict[int, str]:
    """Return the words under the pictures, broken to fit into a width in ems; none at all where one does not fit."""
    fits = max(1, int(ems / 0.58))
    broken = {stimulus: textwrap.wrap(words, fits) for stimulus, words in plan.captions.items()}
    fitting = all(len(lines) <= _CAPTION_LINES for lines in broken.values())
    return {i: "\n".join(lines) for i, lines in broken.items()} if fitting else {}


def _head_columns(ax: Axes, plan: Places, centres: np.ndarray) -> None:
    ax.xaxis.set_ticks_position("top")
    ax.xaxis.set_label_position("top")
    ax.set_xticks(centres, labels=plan.heads)
    ax.tick_params(length=0)
    ax.set_xlabel(plan.along.replace("_", " "))
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    gap = 4 * _figure(ax).dpi / 72
    if any(right.x0 - left.x1 < gap for left, right in zip(boxes, boxes[1:], strict=False)):
        ax.set_xticks(centres, labels=plan.heads, rotation=40, ha="left", rotation_mode="anchor")


def _name_rows(ax: Axes, shown: Sequence[tuple[str, ...]], tops: Sequence[int], height: int) -> None:
    """Write the innermost name left of each row, those around it right of the rows that share them."""
    inner = [row[-1] for row in shown]
    groups = []
    for head, members in groupby(range(len(shown)), key=lambda row: shown[row][:-1]):
        group = list(members)
        words = ", ".join(name for name in head if name)
        if words and not any(inner[row] for row in group):
            inner[group[0]] = words  # nothing to tell apart inside: the name goes to the left
        elif words:
            groups.append((words, tops[group[0]], tops[group[-1]] + height))
    ax.set_yticks([top + height / 2 for top in tops], inner)
    texts = [
        ax.annotate(
            words,
            (1, (first + last) / 2),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            rotation=270,
            ha="left",
            va="center",
            weight="bold",
        )
        for words, first, last in groups
    ]
    pixel = abs(np.diff(ax.transData.transform([(0, 0), (0, 1)])[:, 1])[0])
    rooms = [(last - first) * pixel for _, first, last in groups]
    if any(text.get_window_extent().height > room for text, room in zip(texts, rooms, strict=True)):
        for text in texts:
            text.set_rotation(0)


def _figure(ax: Axes) -> Figure:
    return cast("Figure", ax.get_figure(root=True))  # Axes on a sheet always have one


def _inches(ax: Axes) -> tuple[float, float]:
    box, dpi = ax.get_window_extent(), _figure(ax).dpi
    return box.width / dpi, box.height / dpi


def _fit(ax: Axes, size: tuple[float, float]) -> None:
    """Make the figure as large as the sheet of ``size`` in inches with all its labels."""
    figure = _figure(ax)
    box = figure.get_tightbbox()  # in inches
    left, bottom = _MARGIN - min(box.x0, 0.0), _MARGIN - min(box.y0, 0.0)
    wide = left + max(box.x1, size[0]) + _MARGIN
    high = bottom + max(box.y1, size[1]) + _MARGIN
    figure.set_size_inches(wide, high)
    ax.set_position((left / wide, bottom / high, size[0] / wide, size[1] / high))
