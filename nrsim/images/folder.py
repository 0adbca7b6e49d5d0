"""A user's own pictures: a folder and a table of labels become a StimulusSet."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.images import landmarks as points
from nrsim.images.collect import collect
from nrsim.images.reading import read_picture
from nrsim.images.tables import labels_of, number, read_table
from nrsim.pixels import FILE_SIZE
from nrsim.quantities import bare, whole
from nrsim.schema import NOUNS, STIMULUS_LABELS

_OF_CARTOONS = ("cartoon_", "part_")  # columns that nrsim's own tables of cartoon faces have
_MOST = 5.0  # of intensity; more is a percentage (chosen)
_LABELS = [name for name in STIMULUS_LABELS if name != "image_sha256"]
_NORM_KINDS = ("neutral", "average_identity", "midpoint", "adapted")
# Names that mean something else on a StimulusSet: a label of a user's cannot be called so
_TAKEN = {*NOUNS["StimulusSet"].variables, *NOUNS["StimulusSet"].coords, "stimulus", "frame", "degrees"} - set(_LABELS)
_TAKEN |= set(FILE_SIZE)


def load_folder(
    folder: str | os.PathLike[str],
    table: str | os.PathLike[str],
    *,
    size: int | None = None,
    degrees: float = 4.0,
    labels: Sequence[str] = (),
    landmarks: xr.DataArray | str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return a user's own pictures as a StimulusSet, ``image (stimulus, y, x)``.

    Parameters
    ----------
    folder
        Where the pictures are: any still format that Pillow reads, grey of 8 or 16 bits or of floating point in 0..1,
        or colour of 8 bits. They are turned upright as the camera noted (EXIF). Colour becomes luminance (Rec. 709
        weights); what is transparent becomes mid grey.
    table
        A CSV file with the column ``file`` (relative to the folder) and any stimulus labels: ``domain``, ``identity``,
        ``expression``, ``intensity``, ``view``, ``norm_id``, ``norm_kind``, ``morph_from``, ``morph_to``,
        ``morph_fraction``, … and ``degrees`` per picture. ``stimulus_id`` is the file's name without its ending where
        the column is missing. Where ``norm_id`` is missing, the only picture of intensity 0 in a domain (and identity,
        where given) becomes the norm of its pictures. Lines that start with ``#`` above the header are comments.
    size
        Resize every picture to ``size`` × ``size`` px, with anti-aliasing; the labels ``file_width`` and
        ``file_height`` then say how large the files are, px. Default: as they are, all of one size.
    degrees
        Width of a picture in degrees of visual angle, where the table has no such column. Default 4 (chosen).
    labels
        Further columns of the table to keep as labels: ``labels=["age", "session"]``. A column of numbers becomes
        numbers (units 1; an empty cell is NaN), any other text.
    landmarks
        Landmarks of pictures in px of their files, held upright: a landmark file (:func:`nrsim.read_landmarks`), what
        that returned, or a folder with a template ``<picture>.tem`` for each. They become the coordinate
        ``landmark (stimulus, point, axis)`` in px of the image as it is stored, after resizing. A picture without
        landmarks has NaN, and a warning counts them: to align features only the norms need theirs.
    out
        A netCDF file (``.nc``) to write to, picture by picture, for more pictures than fit in memory. The
        StimulusSet is then opened from it, and pictures are read when needed.
    progress
        Show what is done and what is left.

    Raises
    ------
    FileNotFoundError
        If the folder, the table or a picture is missing.
    ValueError, TypeError
        For an unknown column (the nearest is named), no column ``file``, a row with too many or too few fields, a
        number that is none, a ``norm_id`` that is no picture's, a file that is no picture, floating-point luminance
        outside 0..1, pictures of different sizes or degrees, a stimulus_id that comes twice, or landmarks of none of
        the pictures.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.load_folder("pictures", "pictures.csv", size=128, degrees=6.0)  # doctest: +SKIP
    """
    place, path = Path(folder), Path(table)
    if not place.is_dir():
        raise FileNotFoundError(f"needed a folder of pictures; there is no folder {str(place)!r}")
    if size is not None:
        size = whole(size, "size", low=8)
    rows = _read_rows(path, labels)
    _all_there(place, rows, path.name)
    width = _width(rows, degrees, path.name)
    _identify(rows, path.name)
    names = list(rows["file"])
    found = None
    if landmarks is not None:
        points.check_files(landmarks, size)
        found = points.for_pictures(landmarks, names, list(rows["stimulus_id"]))
    return collect(
        names,
        partial(_read, place, size),
        _coords(rows, labels),
        step="load_folder",
        settings={"pictures": len(rows), "size": size, "degrees": width},
        degrees=width,
        title=place.name,
        source="own pictures",
        points=found,
        out=out,
        progress=progress,
    )


def pictures(
    *,
    folder: str,
    table: str,
    size: int | None = None,
    degrees: float = 4.0,
    labels: Sequence[str] = (),
    landmarks: str | None = None,
    progress: bool = False,
    base: Path = Path(),
) -> xr.Dataset:
    """Return own pictures as a recipe names them: paths start from the recipe's folder ``base``."""
    marks = None if landmarks is None else base / landmarks
    where = {"size": size, "degrees": degrees, "labels": labels, "landmarks": marks}
    return load_folder(base / folder, base / table, progress=progress, **where)  # type: ignore[arg-type]


def _read(place: Path, size: int | None, name: str) -> tuple[np.ndarray, tuple[int, int]]:
    return read_picture(place / name, size)


def _read_rows(path: Path, labels: Sequence[str]) -> pd.DataFrame:
    if isinstance(labels, str) or not all(isinstance(name, str) for name in labels):
        raise need("labels: a list of names of columns", repr(labels), kind=TypeError)
    rows = read_table(path, "a table of pictures")
    taken = [name for name in labels if name in _TAKEN]
    if taken:
        raise need(
            "labels with names of their own", f"{taken[0]!r}, which means something else here", "Rename the column"
        )
    lost = [name for name in labels if name not in rows]
    if lost:
        raise unknown(f"column of {path.name!r} in labels", lost[0], rows.columns)
    known = [*_LABELS, "degrees"]
    if "file" not in rows or not len(rows):
        have = f"{list(rows.columns)} and {len(rows)} rows in {path.name!r}"
        raise need("a column 'file' and at least one row", have)
    for column in rows.columns:
        if column not in known and column not in labels and not column.startswith(_OF_CARTOONS):
            own = [*labels, column]
            raise unknown(f"column in {path.name!r}", column, known, hint=f"To keep it as a label, pass labels={own!r}")
    for column in rows.columns:
        if column == "degrees" or (column in known and STIMULUS_LABELS[column].kind == "number"):
            needed = column in ("intensity", "degrees")  # of others an empty cell says that there is none
            rows[column] = [
                number(cell, column, row, path.name) if needed or cell.strip() else np.nan
                for row, cell in rows[column].items()
            ]
    large = list(rows.index[rows["intensity"].abs() > _MOST]) if "intensity" in rows else []
    if len(large):
        came = f"{rows['intensity'][large[0]]:g} in row {large[0]} of {path.name!r}"
        raise need(f"intensity: 0 = the norm, 1 = the prototype, at most {_MOST:g}", came, "50 % is 0.5")
    return rows


def _all_there(place: Path, rows: pd.DataFrame, table: str) -> None:
    """Raise if a row names no file, before the first picture is read."""
    empty = rows.index[rows["file"] == ""]
    if len(empty):
        raise need("a picture's name in the column 'file'", f"an empty cell in row {empty[0]} of {table!r}")
    lost = [(row, name) for row, name in rows["file"].items() if not (place / name).is_file()]
    if lost:
        row, name = lost[0]
        more = f" (nor {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise FileNotFoundError(
            f"needed the picture {name!r} (row {row} of {table!r}); there is no such file in {str(place)!r}{more}"
        )


def _width(rows: pd.DataFrame, degrees: float, table: str) -> float:
    if "degrees" not in rows:
        return bare(degrees, "degree", "degrees", above=0)
    widths = rows["degrees"].to_numpy(float)
    if (widths <= 0).any() or np.ptp(widths) > 1e-6:
        came = f"{widths.min():g} to {widths.max():g} in {table!r}"
        raise need("one width above 0 in degrees for all pictures", came, "Load each width as a set of its own")
    return float(widths[0])


def _identify(rows: pd.DataFrame, table: str) -> None:
    """Fill in stimulus_id and norm_id where they are missing, and check them where they are not."""
    if "stimulus_id" not in rows:
        rows["stimulus_id"] = [Path(name).stem for name in rows["file"]]
    empty = rows.index[rows["stimulus_id"] == ""]
    if len(empty):
        raise need("a stimulus_id for each picture", f"an empty cell in row {empty[0]} of {table!r}")
    doubled = rows.index[rows["stimulus_id"].duplicated()]
    if len(doubled):
        came = f"{rows.loc[doubled[0], 'stimulus_id']!r} more than once, again in row {doubled[0]} of {table!r}"
        raise need("a stimulus_id for each picture", came, "Add a column stimulus_id")
    if "norm_id" in rows:
        known = set(rows["stimulus_id"])
        for row, name in rows["norm_id"].items():
            if name and name not in known:
                hint = "It is the stimulus_id of the picture's norm, or empty where the table has none"
                raise unknown(f"norm_id in row {row} of {table!r}", name, known, hint=hint)
    elif "intensity" in rows:
        rows["norm_id"] = _norm_ids(rows)
    if "norm_kind" in rows:
        for row, name in rows["norm_kind"].items():
            if name and name not in _NORM_KINDS:
                raise unknown(f"norm_kind in row {row} of {table!r}", name, _NORM_KINDS)


def _norm_ids(rows: pd.DataFrame) -> list[str]:
    """Return for each picture the only one of intensity 0 in its domain and identity, '' where there is not one."""
    keys = [name for name in ("domain", "identity") if name in rows]
    group = rows[keys].agg("\x1f".join, axis=1) if keys else pd.Series([""] * len(rows), index=rows.index)
    zero = rows["intensity"].astype(float).abs() < 1e-9
    found = {name: list(rows.loc[(group == name) & zero, "stimulus_id"]) for name in group.unique()}
    return [found[name][0] if len(found[name]) == 1 else "" for name in group]


def _coords(rows: pd.DataFrame, labels: Sequence[str]) -> dict[str, Any]:
    coords: dict[str, Any] = {}
    for name in rows.columns:
        if name in STIMULUS_LABELS:
            units = STIMULUS_LABELS[name].units
            kind = float if units else object
            coords[name] = ("stimulus", rows[name].to_numpy(dtype=kind), {"units": units[0]} if units else {})
        elif name in labels or str(name).startswith(_OF_CARTOONS):
            values = labels_of(list(rows[name]))
            coords[name] = ("stimulus", values, {"units": "1"} if values.dtype.kind == "f" else {})
    return coords
