"""PsychoMorph and WebMorph templates (.tem): the number of points, x and y of each, then the lines between them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nrsim import files
from nrsim.errors import need
from nrsim.images.tables import maybe_number


def write_tem(landmarks: xr.DataArray, folder: str | os.PathLike[str]) -> list[Path]:
    """Write landmarks as PsychoMorph and WebMorph templates, one ``<stimulus_id>.tem`` a picture.

    Parameters
    ----------
    landmarks
        ``landmark (stimulus, point, axis)`` in px: from :func:`read_landmarks`, or ``stimuli["landmark"]``. Templates
        hold no names; the order of the points is kept.
    folder
        Where to write; it is made if need be.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ValueError, TypeError
        If landmarks have other dims, no ``stimulus_id`` or missing points (NaN).

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human", "expression": "neutral", "intensity": 0.0}], size=32)
    >>> [path.name for path in nr.write_tem(faces["landmark"], "templates")]
    ['human-neutral.tem']
    """
    if not isinstance(landmarks, xr.DataArray) or landmarks.dims != ("stimulus", "point", "axis"):
        came = landmarks.dims if isinstance(landmarks, xr.DataArray) else type(landmarks).__name__
        raise need("landmark (stimulus, point, axis)", came, kind=TypeError)
    if "stimulus_id" not in landmarks.coords:
        raise need("landmarks with the coordinate stimulus_id", list(landmarks.coords))
    written = []
    for row in landmarks.transpose("stimulus", "point", "axis"):
        identifier, places = str(row["stimulus_id"].values), row.sel(axis=["x", "y"]).values
        if not np.isfinite(places).all():
            raise need(f"every point of {identifier!r}, since templates have no missing ones", "NaN")
        lines = [str(len(places)), *(f"{x:.6g}\t{y:.6g}" for x, y in places), "0"]
        target = Path(folder) / f"{identifier}.tem"
        with files.replacing(target) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written.append(target)
    return written


def read_templates(sources: Sequence[Path], names: Sequence[str] | None) -> xr.DataArray:
    """Return the landmarks of templates, ``landmark (stimulus, point, axis)`` in px, named as the files are."""
    places = [_template(path) for path in sources]
    counts = [len(points) for points in places]
    if len(set(counts)) > 1:
        other = next(i for i, count in enumerate(counts) if count != counts[0])
        came = f"{counts[0]} in {sources[0].name!r} and {counts[other]} in {sources[other].name!r}"
        raise need("templates with the same points", came)
    points = [str(i) for i in range(counts[0])] if names is None else [str(name) for name in names]
    if isinstance(names, str) or len(points) != counts[0] or len(set(points)) < len(points):
        raise need(f"{counts[0]} unlike names, one for each point of the templates", repr(names))
    return as_landmarks(np.stack(places), [path.stem for path in sources], points, {})


def _template(path: Path) -> np.ndarray:
    """Return the points of one template, ``(point, 2)``."""
    if not path.is_file():
        raise FileNotFoundError(f"needed a template; there is no file {str(path)!r}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"needed a template as text; {path.name!r} is none") from None
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    try:
        (first,) = lines[0]
        count = int(first)
        if count < 1:
            raise ValueError
    except (ValueError, IndexError):
        came = repr(" ".join(lines[0])[:40]) if lines else "an empty file"
        raise need(f"the number of points in the first line of {path.name!r}", came) from None
    places = np.full((count, 2), np.nan)
    if len(lines) - 1 < count:
        raise need(f"{count} points in {path.name!r}, as its first line says", f"{len(lines) - 1} lines after it")
    for i, line in enumerate(lines[1 : count + 1]):
        xy = [maybe_number(cell) for cell in line]
        if len(xy) != 2 or None in xy:
            raise need(f"x and y of point {i} in {path.name!r}", repr(" ".join(line)[:40]))
        places[i] = xy
    return places


def as_landmarks(places: np.ndarray, ids: list[str], points: list[str], coords: Mapping[str, Any]) -> xr.DataArray:
    """Return ``places (picture, point, 2)`` in px with their labels: ``landmark (stimulus, point, axis)``."""
    labels = {
        **coords,
        "stimulus_id": ("stimulus", np.array(ids, dtype=object)),
        "point": ("point", points),
        "axis": ("axis", ["x", "y"]),
    }
    about = {"units": "px", "long_name": "landmark, 0 = left, top edge", "picture": "file"}
    return xr.DataArray(places, labels, ("stimulus", "point", "axis"), name="landmark", attrs=about)
