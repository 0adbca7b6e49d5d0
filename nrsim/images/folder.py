"""A user's own pictures: a folder and a table of labels become a StimulusSet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
from nrsim.schema import STIMULUS_LABELS, check

_LABELS = [name for name in STIMULUS_LABELS if name not in ("image_sha256",)]


def load_folder(
    folder: str | os.PathLike[str], table: str | os.PathLike[str], *, size: int | None = None, degrees: float = 4.0
) -> xr.Dataset:
    """Return a user's own pictures as a StimulusSet, ``image (stimulus, y, x)``.

    Parameters
    ----------
    folder
        Where the pictures are: any format that Pillow reads, 8 or 16 bits, grey or colour. Colour becomes
        luminance (Rec. 709 weights); what is transparent becomes mid grey.
    table
        A CSV file with the column ``file`` (relative to the folder) and any stimulus labels: ``domain``, ``identity``,
        ``expression``, ``intensity``, ``view``, ``norm_id``, ``norm_kind``, ``morph_from``, ``morph_to``,
        ``morph_fraction``, … and ``degrees`` per picture. ``stimulus_id`` is the file's name without its ending where
        the column is missing. Where ``norm_id`` is missing, the only picture of intensity 0 in a domain (and identity,
        where given) becomes the norm of its pictures.
    size
        Resize every picture to ``size`` × ``size`` px, with anti-aliasing. Default: as they are, all of one size.
    degrees
        Width of a picture in degrees of visual angle, where the table has no such column. Default 4 (chosen).

    Raises
    ------
    FileNotFoundError
        If the folder, the table or a picture is missing.
    ValueError, TypeError
        For an unknown column (the nearest is named), no column ``file``, a number that is none, a file that is no
        picture, pictures of different sizes or degrees, or a stimulus_id that comes twice.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.load_folder("pictures", "pictures.csv", size=128, degrees=6.0)  # doctest: +SKIP
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(f"needed a folder of pictures; there is no folder {str(place)!r}")
    if size is not None:
        size = whole(size, "size", low=8)
    rows = _read_table(Path(table))
    n = len(rows)
    images = [_read_picture(place / name, size) for name in rows["file"]]
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        shown = ", ".join(f"{h} × {w}" for h, w in sorted(shapes)[:4])
        raise need("pictures of one size", f"{shown} px", "Pass size=, to which all are resized")
    widths = (
        rows.pop("degrees").to_numpy(float) if "degrees" in rows else np.full(n, bare(degrees, "degree", "degrees"))
    )
    if (widths <= 0).any() or np.ptp(widths) > 1e-6:
        raise need("one width above 0 in degrees for all pictures", f"{widths.min():g} to {widths.max():g}")
    if "stimulus_id" not in rows:
        rows["stimulus_id"] = [Path(name).stem for name in rows["file"]]
    doubled = rows["stimulus_id"][rows["stimulus_id"].duplicated()]
    if len(doubled):
        raise need("a stimulus_id for each picture", f"{doubled.iloc[0]!r} more than once", "Add a column stimulus_id")
    if "norm_id" not in rows and "intensity" in rows:
        rows["norm_id"] = _norm_ids(rows)

    ny, nx = images[0].shape
    step = float(widths[0]) / nx
    coords: dict[str, Any] = {
        name: ("stimulus", rows[name].to_numpy(), _units(name)) for name in rows.columns if name in STIMULUS_LABELS
    }
    coords["image_sha256"] = ("stimulus", [provenance.image_hash(image) for image in images])
    coords["y"] = ("y", (ny / 2 - 0.5 - np.arange(ny)) * step, {"units": "degree"})
    coords["x"] = ("x", (np.arange(nx) + 0.5 - nx / 2) * step, {"units": "degree"})
    made = xr.Dataset({"image": (("stimulus", "y", "x"), np.stack(images), {"units": "1"})}, coords)
    settings = {"pictures": n, "size": size, "degrees": float(widths[0])}
    made = provenance.stamp(made, "StimulusSet", "load_folder", settings, title=place.name, source="own pictures")
    return check(made, "StimulusSet")


def pictures(
    *, folder: str, table: str, size: int | None = None, degrees: float = 4.0, base: Path = Path()
) -> xr.Dataset:
    """Return own pictures as a recipe names them: paths start from the recipe's folder ``base``."""
    return load_folder(base / folder, base / table, size=size, degrees=degrees)


def _units(name: str) -> dict[str, str]:
    units = STIMULUS_LABELS[name].units
    return {"units": units[0]} if units else {}


def _read_table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise FileNotFoundError(f"needed a table of pictures (CSV); there is no file {str(path)!r}")
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, comment="#")
    except pd.errors.EmptyDataError:
        raise need("a table of pictures with the column 'file'", f"the empty file {path.name!r}") from None
    except (UnicodeDecodeError, pd.errors.ParserError) as error:
        raise ValueError(f"needed a table of pictures as CSV in UTF-8; {path.name!r} is not: {error}") from None
    known = [*_LABELS, "degrees"]
    for column in rows.columns:
        if column not in known:
            raise unknown(f"column in {path.name!r}", column, known)
    if "file" not in rows or not len(rows):
        raise need(
            "a column 'file' and at least one row", f"{list(rows.columns)} and {len(rows)} rows in {path.name!r}"
        )
    for column in rows.columns:
        if column == "degrees" or STIMULUS_LABELS[column].kind == "number":
            rows[column] = [_number(text, column, i, path.name) for i, text in enumerate(rows[column])]
    return rows


def _number(text: str, column: str, row: int, table: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise need(f"{column}: a number", f"{text!r} in row {row + 2} of {table!r}")
    return number


def _read_picture(path: Path, size: int | None) -> np.ndarray:
    from PIL import Image
    from skimage import color, transform, util

    if not path.is_file():
        raise FileNotFoundError(f"needed the picture {path.name!r}; there is no such file in {str(path.parent)!r}")
    try:
        with Image.open(path) as picture:
            raw = np.asarray(picture.convert("RGBA") if picture.mode in ("P", "CMYK", "YCbCr", "1") else picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(f"needed a picture; {path.name!r} cannot be read as one") from None
    image = util.img_as_float32(raw.astype(np.uint16) if raw.dtype == np.int32 else raw)
    if image.ndim == 3 and image.shape[2] in (2, 4):
        alpha = image[..., -1:]
        image = image[..., :-1] * alpha + 0.5 * (1 - alpha)
    if image.ndim == 3 and image.shape[2] in (1, 3):
        image = color.rgb2gray(image) if image.shape[2] == 3 else image[..., 0]
    if image.ndim != 2:
        raise need("a still picture, grey or colour", f"{path.name!r} with the shape {raw.shape}")
    if size is not None and image.shape != (size, size):
        if image.shape[0] != image.shape[1]:
            h, w = image.shape
            raise need("square pictures, where size is given", f"{path.name!r} with {h} × {w} px", "Crop them first")
        image = transform.resize(image, (size, size), anti_aliasing=image.shape[0] > size)
    return np.clip(image, 0, 1).astype(np.float32)


def _norm_ids(rows: pd.DataFrame) -> list[str]:
    """Return for each picture the only one of intensity 0 in its domain and identity, '' where there is not one."""
    keys = [name for name in ("domain", "identity") if name in rows]
    group = rows[keys].agg("\x1f".join, axis=1) if keys else pd.Series([""] * len(rows))
    found = {}
    for name in group.unique():
        zeros = rows["stimulus_id"][(group == name) & (rows["intensity"].astype(float).abs() < 1e-9)]
        found[name] = str(zeros.iloc[0]) if len(zeros) == 1 else ""
    return [found[name] for name in group]
