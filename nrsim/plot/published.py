"""Measured numbers beside published ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from nrsim.errors import need
from nrsim.plot import style

_NEEDED = ("statistic", "value", "low", "high", "unit", "definition", "source", "read")
_STEP = 0.17  # between marks, in the height of a row
_ROOM = 1.9  # of the data's width, for the names of published values right of them


def beside_published(
    measured: Mapping[str, Mapping[str, float]],
    published: Mapping[str, pd.DataFrame],
    *,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw what was measured, a row a measure, with the published values of it below.

    Parameters
    ----------
    measured
        Measure → what it was measured of → value: ``{"circular variance": {"simple": 0.25, "complex": 0.13}}``.
    published
        Measure → rows of :func:`nrsim.published_v1`, for as many of the measures as there are any. A value is a bar,
        hollow where it was recalled and not looked up; a line between its quartiles, or what ``low`` and ``high``
        are, unless they are the range of all cells. What is in % is drawn as a fraction.
    ax
        Where to draw; a new figure by default.
    legend
        Whether to name what was measured, above.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If published rows belong to nothing measured, or lack a column.

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = nr.published_v1("circular variance")
    >>> ax = nr.plot.beside_published({"circular variance": {"model": 0.13}}, {"circular variance": rows})
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['circular variance']
    """
    for name, table in published.items():
        if name not in measured:
            raise need(f"published rows of what was measured: {', '.join(measured)}", repr(name))
        if missing := [column for column in _NEEDED if column not in table]:
            raise need("rows of nr.published_v1", f"{name!r} without {', '.join(missing)}")
    ax = style.axes_or_new(ax, (4.6, 0.4 + 1.0 * len(measured)))
    kinds = list(dict.fromkeys(kind for values in measured.values() for kind in values))
    looks = dict(
        zip(kinds, zip(style.colours(len(kinds)), np.resize(style.MARKERS, len(kinds)), strict=True), strict=True)
    )
    y, ticks, named = 0.0, [], set()
    for name, values in measured.items():
        top = y
        for kind, value in values.items():
            colour, marker = looks[kind]
            label = kind if kind not in named else None
            named.add(kind)
            ax.plot(value, y, linestyle="none", marker=str(marker), color=colour, markersize=6, label=label, zorder=3)
            y -= 0.6 * _STEP
        for row in published[name].to_dict("records") if name in published else []:
            y -= _STEP
            _mark(ax, row, y)
        ticks.append((top + y) / 2)
        y -= 3 * _STEP
    ax.set_yticks(ticks, list(measured))
    ax.set_ylim(y + 2 * _STEP, 2 * _STEP)
    left, right = ax.get_xlim()
    ax.set_xlim(left, left + _ROOM * (right - left))
    if legend:
        ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    style.tidy(ax)
    return ax


def _who(source: str) -> str:
    """Return first author and year."""
    author, year = re.match(r"[^,&\d]*", source), re.search(r"\b(19|20)\d\d\b", source)
    return f"{author[0].strip() if author else ''} {year[0] if year else ''}".strip()


def _mark(ax: Axes, row: Mapping[Any, Any], y: float) -> None:
    """Draw one published statistic."""
    scale = 0.01 if row["unit"] == "%" else 1.0
    value, low, high = (scale * float(row[name]) for name in ("value", "low", "high"))
    if np.isfinite(low) and np.isfinite(high) and "are the range" not in str(row["definition"]):
        ax.plot([low, high], [y, y], color="0.3", linewidth=1.4)
    if np.isfinite(value):
        look: dict[str, Any] = (
            {"marker": "|", "mew": 2.2} if row["read"] == "text" else {"marker": "o", "mfc": "white", "mew": 1.2}
        )
        ax.plot(value, y, linestyle="none", color="0.2", markersize=8 if row["read"] == "text" else 5, **look)
    end = np.nanmax([value, high if "are the range" not in str(row["definition"]) else value])
    said = f"{_who(str(row['source']))}, {row['statistic']}"
    ax.annotate(said, (end, y), (7, 0), textcoords="offset points", fontsize=7, va="center")
