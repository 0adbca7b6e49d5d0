"""Measured tuning curves from a table: a user's own, and published ones."""

from __future__ import annotations

import csv as csv_reader
import io
import math
import os
from pathlib import Path

import numpy as np
import xarray as xr

from nrsim import files, provenance
from nrsim.errors import need, unknown
from nrsim.schema import NOUNS, STIMULUS_LABELS, check

_PUBLISHED = {"stettler2023": "strength_curves.csv"}
_HEADER = ("title", "source", "units", "along", "baseline")
_BASELINES = ("none", "subtracted")


def published_curves(name: str = "stettler2023") -> xr.Dataset:
    """Return published tuning curves that nrsim ships.

    Parameters
    ----------
    name
        ``"stettler2023"``: responses to faces of 25, 50, 75 and 100 % expression strength, of macaque neurons
        (``neuron_id`` "macaque neurons") and of the projection rule ("projection rule") on the same stimuli:
        fear, lip-smack and threat, baseline subtracted, normalised to 100 %. See ``nrsim/data/strength_curves.md``.

    Returns
    -------
    xarray.Dataset
        TuningCurves in units of 1.

    Raises
    ------
    ValueError
        If there are none of this name; the nearest is named.

    Examples
    --------
    >>> import nrsim as nr
    >>> curves = nr.published_curves("stettler2023")
    >>> float(curves["firing_rate"].sel(expression="lip-smack", intensity=0.25)[0])
    -0.134
    """
    if name not in _PUBLISHED:
        raise unknown("published curves", name, _PUBLISHED)
    return read_curves(files.asset(_PUBLISHED[name]))


def read_curves(csv: str | os.PathLike[str], *, along: str | None = None, units: str | None = None) -> xr.Dataset:
    """Read measured tuning curves from a table, one row for each mean firing rate.

    Parameters
    ----------
    csv
        A comma-separated file in UTF-8. It may begin with lines ``# key: value``: ``title``, ``source``, ``units``,
        ``along``, ``baseline`` ("none", or "subtracted" where a resting firing rate was already taken off). Columns:
        ``firing_rate`` and the one the curve runs along, ``intensity``; if known ``sem`` (same units) and ``n``
        (trials); ``neuron``, unless there is one only; and any label (``domain``, ``expression``, ``subject``, …).
    along
        The numeric column the curves run along. Default: what the header says, else ``"intensity"``.
    units
        ``"Hz"``, or ``"1"`` for normalised curves. Default: what the header says, else ``"Hz"``.

    Returns
    -------
    xarray.Dataset
        TuningCurves: ``firing_rate``, ``sem``, ``n_trials (neuron, <labels>, along)``. What the table lacks is NaN;
        ``n_trials`` is then 0, or NaN where the firing rate is known but ``n`` is not. Labels of neurons (``subject``,
        ``face_patch``, …) are coordinates of ``neuron``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        With the row at fault: missing columns (the nearest are named), a value that is no number, a negative ``sem``,
        doubled rows, an empty table.

    Examples
    --------
    >>> import nrsim as nr
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder, "monkey.csv")
    ...     _ = table.write_text("intensity,firing_rate,sem,n\\n0,5,1,12\\n1,21,2,12\\n")
    ...     curves = nr.read_curves(table)
    >>> curves["firing_rate"].values.tolist()
    [[5.0, 21.0]]
    """
    path = Path(csv)
    if not path.is_file():
        raise FileNotFoundError(f"needed a table of curves; got {str(path)!r}, which is no file. Check the path")
    header, columns, rows = _table(path)
    along = along or header.get("along", "intensity")
    units = units or header.get("units", "Hz")
    if units not in ("Hz", "1"):
        raise need("units 'Hz' or '1'", repr(units))
    baseline = header.get("baseline", "none")
    if baseline not in _BASELINES:
        raise unknown("value of the header line baseline", baseline, _BASELINES)
    for needed in (along, "firing_rate"):
        if needed not in columns:
            columns_known = ", ".join(columns) or "none"
            near = unknown("column", needed, columns)
            raise ValueError(f"{path.name}: needed the column {needed!r}; got {columns_known} ({near})")

    numeric = [name for name in (along, "firing_rate", "sem", "n") if name in columns]
    numbers = {
        name: np.array([_number(row[name], name, line, path, name not in ("sem", "n")) for line, row in rows])
        for name in numeric
    }
    for name in ("sem", "n"):
        for value, (line, _) in zip(numbers.get(name, ()), rows, strict=False):
            if value < 0:
                raise ValueError(f"{path.name}, row {line}: needed {name} of at least 0; got {value:g}")
    neurons = [row.get("neuron", header.get("title", path.stem)) for _, row in rows]
    texts = {name: [row[name] for _, row in rows] for name in columns if name not in (*numeric, "neuron")}
    _no_stray_numbers(texts, columns, path)
    of_neurons = {
        name: texts.pop(name)
        for name in tuple(texts)
        if NOUNS["TuningCurves"].coords.get(name) is not None and name not in STIMULUS_LABELS
    }
    data = _cube(numbers, texts, neurons, of_neurons, along, units, [line for line, _ in rows], path)
    stamped = provenance.stamp(
        data,
        "TuningCurves",
        "read_curves",
        {"csv": path.name, "sha256": provenance.text_hash(path.read_text(encoding="utf-8-sig"))},
        title=header.get("title", path.stem),
        source=header.get("source", path.name),
        along=along,
        baseline=baseline,
    )
    return check(stamped, "TuningCurves")


def _table(path: Path) -> tuple[dict[str, str], list[str], list[tuple[int, dict[str, str]]]]:
    """Return the header, the columns and the rows with their line numbers."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise need("a table in UTF-8", f"{path.name}, which is not text", "Export it as CSV") from None
    header: dict[str, str] = {}
    start = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        start += 1
        key, colon, value = line.lstrip("#").partition(":")
        if colon and key.strip().lower() in _HEADER:
            header[key.strip().lower()] = value.strip()
    reader = csv_reader.reader(io.StringIO("\n".join(lines[start:])))
    columns = [name.strip() for name in next(reader, [])]
    doubled = sorted({name for name in columns if columns.count(name) > 1})
    if doubled:
        raise ValueError(f"{path.name}: needed columns with different names; got {', '.join(doubled)} twice")
    rows = []
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        line_number = start + reader.line_num
        if len(cells) != len(columns):
            raise ValueError(f"{path.name}, row {line_number}: needed {len(columns)} values; got {len(cells)}")
        rows.append((line_number, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    if not rows:
        raise need(f"rows in {path.name}", "an empty table", "Write one row for each mean firing rate")
    return header, columns, rows


def _number(text: str, name: str, line: int, path: Path, required: bool) -> float:
    if not text and not required:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{path.name}, row {line}: needed a number in the column {name!r}; got {text!r}")
    return value


def _no_stray_numbers(texts: dict[str, list[str]], columns: list[str], path: Path) -> None:
    """Refuse a column of numbers that is no label, most likely a misspelt one."""
    known = {**STIMULUS_LABELS, **NOUNS["TuningCurves"].coords}
    for name, values in texts.items():
        if name not in known and all(_is_number(value) for value in values):
            special = unknown("column of numbers", name, [*known, "sem", "n", "firing_rate", "neuron"])
            raise ValueError(f"{path.name}: {special}. To run the curves along it pass along={name!r}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cube(
    numbers: dict[str, np.ndarray],
    texts: dict[str, list[str]],
    neurons: list[str],
    of_neurons: dict[str, list[str]],
    along: str,
    units: str,
    lines: list[int],
    path: Path,
) -> xr.Dataset:
    """Lay the rows out on (neuron, <labels>, along)."""
    levels, level = np.unique(numbers[along], return_inverse=True)
    axes: dict[str, list] = {"neuron": list(dict.fromkeys(neurons))}
    axes |= {name: list(dict.fromkeys(values)) for name, values in texts.items()}
    places = [[axes[name].index(value) for value in values] for name, values in {"neuron": neurons, **texts}.items()]
    index = (*(np.array(place) for place in places), level)
    shape = (*(len(values) for values in axes.values()), len(levels))
    flat = np.ravel_multi_index(index, shape)
    for row, cell in enumerate(flat):
        first = int(np.flatnonzero(flat == cell)[0])
        if first != row:
            raise ValueError(
                f"{path.name}, row {lines[row]}: needed one row for each neuron, label and {along}; row {lines[first]} "
                "already holds it. Average them, or add a column that tells them apart"
            )
    dims = (*axes, along)
    unknown_n = np.full(len(flat), np.nan)
    columns = {
        "firing_rate": (numbers["firing_rate"], np.nan, units),
        "sem": (numbers.get("sem", unknown_n), np.nan, units),
        "n_trials": (numbers.get("n", unknown_n), 0.0, "1"),
    }
    data = {}
    for name, (values, fill, unit) in columns.items():
        cube = np.full(shape, fill)
        cube[index] = values
        data[name] = (dims, cube, {"units": unit})
    coords: dict[str, tuple] = {"neuron_id": ("neuron", np.array(axes["neuron"], dtype=str))}
    for name in texts:
        coords[name] = _coordinate(name, name, axes[name])
    for name, texts_of_neurons in of_neurons.items():
        by_neuron: dict[str, str] = {}
        for neuron, value, line in zip(neurons, texts_of_neurons, lines, strict=True):
            if by_neuron.setdefault(neuron, value) != value:
                raise ValueError(
                    f"{path.name}, row {line}: needed one {name} for each neuron; {neuron!r} has "
                    f"{by_neuron[neuron]!r} and {value!r}"
                )
        coords[name] = _coordinate(name, "neuron", list(by_neuron.values()))
    unit = STIMULUS_LABELS[along].units[0] if along in STIMULUS_LABELS else "1"
    coords[along] = (along, levels, {"units": unit})
    return xr.Dataset(data, coords)


def _coordinate(name: str, dim: str, values: list[str]) -> tuple:
    """Return the values of a label as numbers where the schema says they are, else as text."""
    variable = STIMULUS_LABELS.get(name) or NOUNS["TuningCurves"].coords.get(name)
    if variable is None or variable.kind != "number":
        return dim, np.array(values, dtype=str)
    if not all(_is_number(value) for value in values):
        raise need(f"numbers in the column {name!r}", ", ".join(map(repr, values[:3])))
    return dim, np.array([float(value) for value in values]), {"units": variable.units[0]}
