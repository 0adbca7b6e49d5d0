"""Measured numbers beside published ones."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator

from nrsim.errors import need, unknown
from nrsim.plot import style

_NEEDED = ("statistic", "value", "low", "high", "unit", "definition", "source", "read")
_SIZE = 7  # of names and definitions, points
_LINE = 0.15  # height of a line of them, inch
_AXIS = 0.52  # height of an axis with its ticks and label, inch
_OWN = 0.7  # height of a measured value, in lines
_ALONE = "measured"


def beside_published(
    measured: Mapping[str, Mapping[str, float] | float],
    published: Mapping[str, pd.DataFrame] | pd.DataFrame,
    *,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw what was measured, an axis with its unit a measure, with the published values of it below.

    Parameters
    ----------
    measured
        Measure → what it was measured of → value: ``{"circular variance": {"simple": 0.25, "complex": 0.13}}``, or
        measure → value. In the unit of the published values; what those state in %, as a fraction.
    published
        Measure → rows of :func:`nrsim.published_v1`, for as many of the measures as there are any; or such a table, of
        which each measure takes the rows of the ``quantity`` of its name (a single measure, those of the only
        quantity). A value is a bar, hollow where it was recalled and not looked up; a line between its quartiles, or
        what ``low`` and ``high`` are, unless they are the range of all cells. Where definitions differ each stands
        above its values: compare what was measured with those of its own definition.
    ax
        Where to draw; a new figure by default. It becomes the frame of one axis a measure, ``ax.child_axes``.
    legend
        Whether to name what was measured, above.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If what was measured is no number, or published rows belong to nothing measured, lack a column, or are of
        different units in one measure.

    Examples
    --------
    >>> import nrsim as nr
    >>> measured = {"circular variance": 0.13, "orientation bandwidth": {"simple": 38.0, "complex": 36.0}}
    >>> ax = nr.plot.beside_published(measured, nr.published_v1())
    >>> [row.get_xlabel() for row in ax.child_axes]
    ['circular variance', 'orientation bandwidth (degree)']
    """
    own = _numbers(measured)
    tables = _tables(own, published)
    units = {name: _unit(name, table) for name, table in tables.items()}
    kinds = list(dict.fromkeys(kind for values in own.values() for kind in values))
    looks: dict[str, dict[str, Any]] = {
        kind: {"color": colour, "marker": style.MARKERS[i % len(style.MARKERS)], "label": kind}
        for i, (kind, colour) in enumerate(zip(kinds, style.colours(len(kinds)), strict=True))
    }
    rows = {name: tables[name].to_dict("records") if name in tables else [] for name in own}
    room = (max((_long(_said(row)) for each in rows.values() for row in each), default=0.0) + 8) / 72
    new = ax is None
    width = max(4.6, room + 3.2) if ax is None else _inches(ax)[0]
    room = min(room, 0.6 * width)
    letters = int(72 * (width - room) / (0.5 * _SIZE))
    drawn = {name: _lines(own[name], rows[name], letters) for name in own}
    heights = {name: lines[-1][0] + 1.0 for name, lines in drawn.items()}
    tall = sum(_LINE * height + _AXIS for height in heights.values())
    ax = style.axes_or_new(ax, (width, 0.35 + tall))
    ax.set_axis_off()
    axis = min(_AXIS / _inches(ax)[1], 0.6 / len(own)) if not new else _AXIS / tall
    line, top = (1 - axis * len(own)) / sum(heights.values()), 1.0
    handles: dict[str, Any] = {}
    look: dict[str, Any]
    for name, lines in drawn.items():
        panel = ax.inset_axes((room / width, top - line * heights[name], 1 - room / width, line * heights[name]))
        top -= line * heights[name] + axis
        ticks = {}
        for at, what, content in lines:
            if what == "own":
                look = {"linestyle": "none", "markersize": 6, "zorder": 3, "clip_on": False, **looks[content]}
                handles[content] = panel.plot(own[name][content], -at, **look)[0]
            elif what == "definition":
                look = {"size": _SIZE, "color": "0.45", "style": "italic", "va": "center"}
                panel.text(0.01, -at, content, transform=panel.get_yaxis_transform(), **look)
            else:
                ticks[-at] = _said(content)
                _mark(panel, content, -at)
        panel.set_yticks(list(ticks), list(ticks.values()), size=_SIZE)
        panel.tick_params(axis="y", length=0)
        panel.set_ylim(-heights[name], 0.0)
        _limits(panel, width - room)
        unit = units.get(name)
        label = name if unit is None or f"({unit})" in name else style.quantity(name, unit)
        long = 10 / _SIZE * _long(label) / 72 > width - room  # must not reach into what stands right of the axes
        panel.set_xlabel(label, labelpad=2, loc="right" if long else "center")
        style.tidy(panel)
        panel.spines["left"].set_visible(False)
    if legend:
        ax.legend(
            handles.values(),
            list(handles),
            frameon=False,
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=2,
            borderaxespad=0,
        )
    return ax


def _numbers(measured: Any) -> dict[str, dict[str, float]]:
    """Return measure → of what → number."""
    wanted = "measured values as {measure: {of what: number}} or {measure: number}"
    if not isinstance(measured, Mapping):
        raise need(wanted, type(measured).__name__, kind=TypeError)
    if not measured:
        raise need("one or more measures", "none")
    own: dict[str, dict[str, float]] = {}
    for name, values in measured.items():
        own[name] = {}
        for kind, value in (values if isinstance(values, Mapping | pd.Series) else {_ALONE: values}).items():
            number = np.asarray(value)
            if number.size != 1 or number.dtype.kind not in "iuf":
                raise need(wanted, f"{name!r} of {kind!r}: {value!r}", kind=TypeError)
            own[name][str(kind)] = float(number.item())
        if not own[name]:
            raise need(wanted, f"{name!r} without a number")
    return own


def _tables(own: Mapping[str, Any], published: Any) -> dict[str, pd.DataFrame]:
    """Return measure → its published rows."""
    if isinstance(published, pd.DataFrame):
        if "quantity" not in published:
            raise need("rows of nr.published_v1", "a table without quantity")
        quantities = list(dict.fromkeys(published["quantity"]))
        if len(own) == 1 == len(quantities):
            published = {next(iter(own)): published}
        else:
            found = [name for name in own if name in quantities]
            if not found:
                raise unknown("published quantity", next(iter(own)), quantities)
            published = {name: published[published["quantity"] == name] for name in found}
    if not isinstance(published, Mapping):
        raise need("rows of nr.published_v1, or {measure: rows}", type(published).__name__, kind=TypeError)
    for name, table in published.items():
        if name not in own:
            raise need(f"published rows of what was measured: {', '.join(own)}", repr(name))
        if not isinstance(table, pd.DataFrame):
            raise need("rows of nr.published_v1", f"{name!r}: {type(table).__name__}", kind=TypeError)
        if missing := [column for column in _NEEDED if column not in table]:
            raise need("rows of nr.published_v1", f"{name!r} without {', '.join(missing)}")
    return dict(published)


def _unit(name: str, table: pd.DataFrame) -> str | None:
    """Return the one unit of a measure; what is in % is drawn as a fraction."""
    units = sorted({"1" if unit == "%" else str(unit) for unit in table["unit"].dropna()})
    if len(units) > 1:
        todo = "Measures of different units stand on different axes: give each a name of its own"
        raise need(f"published rows of {name!r} in one unit", ", ".join(units), todo)
    return units[0] if units else None


def _lines(own: Mapping[str, float], rows: list[Any], letters: int) -> list[tuple[float, str, Any]]:
    """Return what is drawn from the top: (its distance in lines, ``own``, ``definition`` or ``row``, content)."""
    at, lines = 0.3 - 0.5 * _OWN, []
    for kind in own:
        at += _OWN
        lines.append((at, "own", kind))
    at += 0.5 * _OWN - 0.4
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(str(row["definition"]).split(";")[0].strip(), []).append(row)
    for definition, group in groups.items():
        if len(groups) > 1:
            at += 0.3
            for part in textwrap.wrap(definition, max(20, letters)):
                at += 1.0
                lines.append((at, "definition", part))
        for row in group:
            at += 1.0
            lines.append((at, "row", row))
    return lines


def _inches(ax: Axes) -> tuple[float, float]:
    size = ax.figure.dpi_scale_trans.inverted().transform((ax.bbox.width, ax.bbox.height))
    return float(size[0]), float(size[1])


def _long(text: str) -> float:
    """Return the width of a name in points."""
    return float(TextPath((0, 0), text, size=_SIZE).get_extents().width)


def _limits(ax: Axes, width: float) -> None:
    """Let the axis, ``width`` inches long, reach from 0 to all that is drawn, with a little room."""
    drawn = np.concatenate([np.asarray(line.get_xdata(), dtype=float) for line in ax.lines])
    drawn = drawn[np.isfinite(drawn)]
    least, most = (min(0.0, drawn.min()), max(0.0, drawn.max())) if drawn.size else (0.0, 1.0)
    span = (most - least) or 1.0
    ax.set_xlim(least - 0.02 * span, most + 0.05 * span)
    ax.xaxis.set_major_locator(MaxNLocator(int(np.clip(width / 0.33, 3, 5)), steps=[1, 2, 2.5, 5, 10]))


def _who(source: str) -> str:
    """Return first author and year."""
    author, year = re.match(r"[^,&\d]*", source), re.search(r"\b(19|20)\d\d\b", source)
    return f"{author[0].strip() if author else ''} {year[0] if year else ''}".strip()


def _said(row: Mapping[Any, Any]) -> str:
    """Return who found which statistic."""
    return f"{_who(str(row['source']))}, {row['statistic']}" + (" (recalled)" if row["read"] == "memory" else "")


def _mark(ax: Axes, row: Mapping[Any, Any], y: float) -> None:
    """Draw one published statistic, or say that there is no number."""
    scale = 0.01 if row["unit"] == "%" else 1.0
    value, low, high = (scale * float(row[name]) for name in ("value", "low", "high"))
    between = bool(np.isfinite(low) and np.isfinite(high))
    ranging = "are the range" in str(row["definition"])
    if between and not ranging:
        ax.plot([low, high], [y, y], color="0.3", linewidth=1.4)
    if np.isfinite(value):
        look: dict[str, Any] = (
            {"marker": "|", "mew": 2.2} if row["read"] == "text" else {"marker": "o", "mfc": "white", "mew": 1.2}
        )
        ax.plot(value, y, linestyle="none", color="0.2", markersize=8 if row["read"] == "text" else 5, **look)
    elif ranging or not between:
        said = f"range {low:g} to {high:g}" if between else "no number"
        ax.text(0.02, y, said, size=_SIZE, color="0.45", va="center", transform=ax.get_yaxis_transform())
