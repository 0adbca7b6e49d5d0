"""Tables of pictures and of points: CSV in which every row is whole, and a fault is named by its row."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from nrsim.errors import need


def read_table(path: Path, what: str) -> pd.DataFrame:
    """Return a CSV file as text, one row of the file a row, indexed by its line in the file (the header is line 1).

    Fields are separated by commas and may be quoted; blanks around them go. Lines that start with ``#`` are a comment
    above the header and nowhere else, because a ``#`` may stand in a value.

    Parameters
    ----------
    path
        The file, in UTF-8 (with or without a byte order mark).
    what
        What it should be, for the messages: ``"a table of pictures"``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is empty, no UTF-8 or no CSV, a column has no name or comes twice, or a row has another number of fields
        than the header; the row is named.
    """
    if not path.is_file():
        raise FileNotFoundError(f"needed {what} (CSV); there is no file {str(path)!r}")
    lines, rows, header = [], [], None
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            for fields in reader:
                cells = [field.strip() for field in fields]
                if not any(cells) and len(cells) < 2:
                    continue
                if header is None:
                    if not cells[0].startswith("#"):
                        header = _header(cells, path.name, what)
                    continue
                if len(cells) != len(header):
                    raise need(
                        f"{len(header)} fields in each row of {path.name!r} ({', '.join(header)})",
                        f"{len(cells)} in row {reader.line_num}: {','.join(fields)!r}",
                        'Take out a comma too many, also at the end; quote a value that holds one: "a, b"',
                    )
                rows.append(cells)
                lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"needed {what} as CSV in UTF-8; {path.name!r} is not: {error}") from None
    if header is None:
        raise need(f"{what} with a header", f"the empty file {path.name!r}")
    return pd.DataFrame(rows, columns=header, index=lines, dtype=str)


def _header(cells: list[str], name: str, what: str) -> list[str]:
    if "" in cells:
        raise need(
            f"a name for each column of {name!r}",
            f"none for column {cells.index('') + 1} of {', '.join(map(repr, cells))}",
            "Take out a comma too many at the end of the header",
        )
    doubled = sorted({cell for cell in cells if cells.count(cell) > 1})
    if doubled:
        raise need(f"every column of {name!r} once", f"{doubled[0]!r} more than once")
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
        raise need(
            f"{what} whose fields are separated by commas", f"{cells[0]!r} in {name!r}", "Save it as CSV (comma)"
        )
    return cells


def number(text: str, column: str, row: object, table: str) -> float:
    """Return the number in a cell, or raise a ValueError that names column, row and table."""
    value = maybe_number(text)
    if value is None:
        raise need(f"{column}: a number", f"{text!r} in row {row} of {table!r}")
    return value


def maybe_number(text: str) -> float | None:
    """Return the finite number that a text is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def labels_of(cells: Collection[str]) -> np.ndarray:
    """Return a user's own column: numbers where every filled cell is one (an empty cell is NaN), else text."""
    filled = [maybe_number(cell) for cell in cells if cell]
    if not filled or None in filled:
        return np.array(list(cells), dtype=object)
    return np.array([float(cell) if cell else np.nan for cell in cells])
