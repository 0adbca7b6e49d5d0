"""Landmark files: named points of pictures, from CSV tables and PsychoMorph or WebMorph templates."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.images.tables import number, read_table
from nrsim.images.templates import as_landmarks, read_templates

# What a column may be called; the first is our own name
_PICTURE = ("stimulus_id", "file", "image", "picture")
_POINT = ("point", "landmark")
_X = ("x", "x_px")
_Y = ("y", "y_px")


def read_landmarks(path: str | os.PathLike[str], *, names: Sequence[str] | None = None) -> xr.DataArray:
    """Return the landmarks of pictures, ``landmark (stimulus, point, axis)`` in px, 0 = left, top edge.

    Parameters
    ----------
    path
        A CSV file, a PsychoMorph or WebMorph template (``.tem``), or a folder of templates.

        A CSV file names the picture in the column ``stimulus_id``, ``file``, ``image`` or ``picture``. In its long
        form each row is one point: ``point`` (or ``landmark``), ``x`` and ``y`` (or ``x_px`` and ``y_px``). In its wide
        form each row is one picture, with the columns ``<point>_x`` and ``<point>_y``. Capitals in these names do not
        matter. Further columns that are the same for all rows of a picture become labels along ``stimulus``. A point
        that has no row or empty cells is NaN.

        A template holds the number of points, then a line with x and y for each; the lines that connect them, which
        follow, are left out.
    names
        Names of the points of templates, which have none; without them they are ``"0"``, ``"1"``, … as WebMorph
        counts.

    Returns
    -------
    xarray.DataArray
        ``landmark (stimulus, point, axis)`` with the coordinates ``stimulus_id``, ``file`` where the table has it,
        ``point`` and ``axis``. Where pictures are named by a file, ``stimulus_id`` is its name without folder and
        ending. y runs down, as in pictures. Points are in px of the picture's file: the attribute ``picture`` is
        ``"file"``, so that who takes them for a picture that :func:`nrsim.load_folder` resized can scale them.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no template in the folder.
    ValueError, TypeError
        For columns that are missing or come in halves, a point that comes twice, something that is no number,
        templates of unlike numbers of points, or names that do not fit.

    Examples
    --------
    >>> import nrsim as nr
    >>> from pathlib import Path
    >>> _ = Path("points.csv").write_text("file,point,x,y\\na.png,nose,60,70\\na.png,chin,61,120.5\\n")
    >>> points = nr.read_landmarks("points.csv")
    >>> points.sel(point="chin").values
    array([[ 61. , 120.5]])
    """
    if not isinstance(path, (str, os.PathLike)):
        came = type(path).__name__ if isinstance(path, (xr.DataArray, xr.Dataset)) else repr(path)
        raise need("the path of a landmark file or of a folder of templates", came, kind=TypeError)
    place = Path(path)
    if place.is_dir() or place.suffix.lower() == ".tem":
        sources = (
            sorted(each for each in place.iterdir() if each.suffix.lower() == ".tem") if place.is_dir() else [place]
        )
        if not sources:
            raise FileNotFoundError(f"needed templates (.tem) in the folder {str(place)!r}; there is none")
        return read_templates(sources, names)
    if names is not None:
        raise need("names= only for templates (.tem)", f"the table {place.name!r}, which names its points")
    rows = _lower(read_table(place, "a table of landmarks"))
    return _long(rows, place.name) if _first(rows, _POINT) else _wide(rows, place.name)


def check_files(landmarks: Any, size: int | None) -> None:
    """Refuse points of pictures as stored for files that are resized on loading.

    Raises
    ------
    ValueError
        Saying how to give them.
    """
    if size is not None and isinstance(landmarks, xr.DataArray) and landmarks.attrs.get("picture") == "stored":
        todo = "Give them to the faces once these are loaded: landmarks= of nr.FaceGrid or nr.aligned_features"
        raise need("landmarks in px of the files, which are resized", "landmarks found on pictures as stored", todo)


def for_pictures(
    source: xr.DataArray | str | os.PathLike[str], names: Sequence[str], ids: Sequence[str]
) -> tuple[np.ndarray, list[str]]:
    """Return the points of each picture, ``(picture, point, 2)`` in px of its file, and the points' names.

    Parameters
    ----------
    source
        Landmarks, a landmark file, or a folder with a template for each picture of the same name.
    names
        The pictures' files, as their table names them.
    ids
        Their stimulus_id.

    Raises
    ------
    ValueError
        If no picture has landmarks, or two rows of landmarks could be meant.

    Warns
    -----
    UserWarning
        If some pictures have none: their points are NaN.
    """
    if not isinstance(source, xr.DataArray) and Path(source).is_dir():
        found = [_template_of(Path(source), name) for name in names]
        there = [i for i, path in enumerate(found) if path is not None]
        if not there:
            known = [path.stem for path in Path(source).rglob("*.tem")]
            stem = PurePosixPath(_posix(names[0])).stem
            raise unknown(f"template in {str(source)!r}", stem, known, hint=f"Needed {stem}.tem for {names[0]!r}")
        read = read_templates([path for path in found if path is not None], None)
        return _filled(read.values, there, names), [str(point) for point in read["point"].values]
    read = source if isinstance(source, xr.DataArray) else read_landmarks(source)
    if set(read.dims) != {"stimulus", "point", "axis"} or "stimulus_id" not in read.coords:
        raise need("landmark (stimulus, point, axis) with stimulus_id, as nr.read_landmarks returns", f"{read.dims}")
    by_file = "file" in read.coords
    key = [_posix(str(value)) for value in read["file" if by_file else "stimulus_id"].values]
    doubled = sorted({name for name in key if key.count(name) > 1}) if len(set(key)) < len(key) else []
    if doubled:
        raise need("landmarks with each picture once", f"{doubled[0]!r} more than once")
    at = {name: i for i, name in enumerate(key)}
    wanted = [_posix(name) for name in names] if by_file else [str(name) for name in ids]
    there = [i for i, name in enumerate(wanted) if name in at]
    if not there:
        hint = f"None of the {len(wanted)} pictures has landmarks in it"
        raise unknown("picture in the landmarks", wanted[0], key, hint=hint)
    ordered = read.transpose("stimulus", "point", "axis").sel(axis=["x", "y"]).values.astype(float)
    places = _filled(ordered[[at[wanted[i]] for i in there]], there, wanted)
    return places, [str(point) for point in read["point"].values]


def _filled(places: np.ndarray, there: Sequence[int], names: Sequence[str]) -> np.ndarray:
    """Return the points of all pictures, NaN of those that have none, and warn of these."""
    every = np.full((len(names), *places.shape[1:]), np.nan)
    every[list(there)] = places
    lost = [name for i, name in enumerate(names) if i not in set(there)]
    if lost:
        said = f"{len(lost)} of {len(names)} pictures have no landmarks (NaN), such as {lost[0]!r}"
        warnings.warn(f"{said}; for aligned features the norms' are enough", stacklevel=4)
    return every


def _posix(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _template_of(folder: Path, picture: str) -> Path | None:
    """Return the template of a picture, if it has one: in the same subfolder, or straight in the folder."""
    name = PurePosixPath(_posix(picture))
    for place in (folder / name.with_suffix(".tem"), folder / f"{name.stem}.tem"):
        if place.is_file():
            return place
    return None


def _lower(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the columns that have a meaning in small letters, where no other has that name."""
    every = list(rows.columns)
    known, renamed = {*_PICTURE, *_POINT, *_X, *_Y}, {}
    for name in every:
        small = name.lower()
        if small not in known:
            small = name[:-2] + small[-2:] if small.endswith(("_x", "_y")) else name
        if small not in every and [each.lower() for each in every].count(small.lower()) == 1:
            renamed[name] = small
    return rows.rename(columns=renamed)


def _first(rows: pd.DataFrame, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in rows), None)


def _picture_column(rows: pd.DataFrame, table: str) -> str:
    column = _first(rows, _PICTURE)
    if column is None:
        todo = f"Name the picture in the column {', '.join(_PICTURE[:-1])} or {_PICTURE[-1]}"
        raise need(f"a column that names the picture in {table!r}", f"{', '.join(rows.columns)}", todo)
    if not len(rows):
        raise need(f"at least one row in {table!r}", "none")
    empty = rows.index[rows[column] == ""]
    if len(empty):
        raise need(f"a picture's name in the column {column!r}", f"an empty cell in row {empty[0]} of {table!r}")
    return column


def _long(rows: pd.DataFrame, table: str) -> xr.DataArray:
    picture, point = _picture_column(rows, table), str(_first(rows, _POINT))
    x, y = _first(rows, _X), _first(rows, _Y)
    if x is None or y is None:
        raise need(f"the columns x and y (in px) in {table!r}, where each row is a point", ", ".join(rows.columns))
    pictures, points = list(dict.fromkeys(rows[picture])), list(dict.fromkeys(rows[point]))
    if "" in points:
        raise need("a point's name in each row", f"none in row {rows.index[rows[point] == ''][0]} of {table!r}")
    doubled = rows.index[rows.duplicated([picture, point])]
    if len(doubled):
        again = rows.loc[doubled[0]]
        raise need(
            f"each point of a picture once in {table!r}",
            f"{again[point]!r} of {again[picture]!r} again in row {doubled[0]}",
        )
    places = np.full((len(pictures), len(points), 2), np.nan)
    row_of, column_of = ({name: i for i, name in enumerate(each)} for each in (pictures, points))
    at = [row_of[name] for name in rows[picture]], [column_of[name] for name in rows[point]]
    for axis, column in enumerate((x, y)):
        places[(*at, axis)] = _numbers(rows, column, table)
    rest = [name for name in rows.columns if name not in (picture, point, x, y)]
    return _labelled(places, rows, picture, pictures, points, rest)


def _wide(rows: pd.DataFrame, table: str) -> xr.DataArray:
    picture = _picture_column(rows, table)
    points, other = ([name[:-2] for name in rows.columns if name.endswith(end)] for end in ("_x", "_y"))
    halves = sorted(set(points) ^ set(other))
    if not points and not halves:
        todo = "Give point, x, y in each row, or a row for each picture with <point>_x and <point>_y"
        raise need(f"landmarks in {table!r}", f"the columns {', '.join(rows.columns)}", todo)
    if halves:
        raise need(f"both columns {halves[0]}_x and {halves[0]}_y in {table!r}", "only one of them")
    doubled = rows.index[rows.duplicated(picture)]
    if len(doubled):
        raise need(f"each picture once in {table!r}", f"{rows.loc[doubled[0], picture]!r} again in row {doubled[0]}")
    places = np.full((len(rows), len(points), 2), np.nan)
    for i, point in enumerate(points):
        for axis, column in enumerate((f"{point}_x", f"{point}_y")):
            places[:, i, axis] = _numbers(rows, column, table)
    used = {picture, *(f"{point}_{axis}" for point in points for axis in "xy")}
    rest = [name for name in rows.columns if name not in used]
    return _labelled(places, rows, picture, list(rows[picture]), points, rest)


def _numbers(rows: pd.DataFrame, column: str, table: str) -> list[float]:
    """Return a column's numbers, NaN for an empty cell."""
    return [number(cell, column, row, table) if cell else np.nan for row, cell in rows[column].items()]


def _labelled(
    places: np.ndarray, rows: pd.DataFrame, picture: str, pictures: list[str], points: list[str], rest: list[str]
) -> xr.DataArray:
    half = np.argwhere(np.isnan(places[..., 0]) != np.isnan(places[..., 1]))
    if len(half):
        row, column = half[0]
        raise need("x and y of every point, or neither", f"one of them for {points[column]!r} of {pictures[row]!r}")
    grouped = rows.groupby(picture, sort=False)
    coords: dict[str, Any] = {}
    for name in rest:
        if name not in ("point", "axis", "stimulus") and (grouped[name].nunique() <= 1).all():
            coords[name] = ("stimulus", grouped[name].first()[pictures].to_numpy(dtype=object))
    if picture == "stimulus_id":
        return as_landmarks(places, pictures, points, coords)
    ids = [PurePosixPath(_posix(name)).stem if picture == "file" else name for name in pictures]
    if picture == "file":
        coords["file"] = ("stimulus", np.array(pictures, dtype=object))
    if "stimulus_id" in coords:
        ids = [str(name) for name in coords.pop("stimulus_id")[1]]
    return as_landmarks(places, ids, points, coords)
