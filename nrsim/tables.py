"""Tables of a StimulusSet beside its pictures: what a presentation computer, or another program, reads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nrsim import labels
from nrsim.joining import frame_labels
from nrsim.pixels import FILE_SIZE


def width(faces: xr.Dataset) -> float:
    """Return the width of the pictures in degrees of visual angle."""
    x = faces["x"].values
    return float(abs(x[-1] - x[0]) * len(x) / max(len(x) - 1, 1))


def stimuli(faces: xr.Dataset) -> pd.DataFrame:
    """Return a row a stimulus with its labels and the picture's width in degrees; :func:`nrsim.load_folder` reads it.

    The pictures' hash and the size of the files they came from are left out, which reading the table makes again.
    """
    again = ("image_sha256", *FILE_SIZE)
    columns = {name: coord.values for name, coord in labels.carried(faces).items() if name not in again}
    return pd.DataFrame(columns).assign(degrees=round(width(faces), 6))


def frames(faces: xr.Dataset, names: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return a row a frame of moving faces, as still pictures with their own intensity: ``file``, and the labels of
    :func:`nrsim.stack_frames`, ``shown_at`` (s) among them; :func:`nrsim.load_folder` reads it.
    """
    stimulus, frame = (grid.ravel() for grid in np.indices((faces.sizes["stimulus"], faces.sizes["frame"])))
    of_frames = frame_labels(faces, stimulus, frame)
    columns = {name: coord[1] for name, coord in of_frames.items() if name not in ("image_sha256", *FILE_SIZE)}
    table = pd.DataFrame({"file": [names[i][k] for i, k in zip(stimulus, frame, strict=True)], **columns})
    return table.assign(degrees=round(width(faces), 6))


def pictures_of(folder: str | os.PathLike[str], stem: str) -> set[str]:
    """Return the pictures that an earlier rendering of a set wrote, by its tables in the folder."""
    found: set[str] = set()
    for table in (Path(folder) / f"{stem}.csv", Path(folder) / f"{stem}_frames.csv"):
        try:
            listed = pd.read_csv(table, usecols=["file"], dtype=str)["file"]
        except (OSError, ValueError):
            continue
        found |= {name for name in listed.dropna() if name.startswith(f"{stem}/") and ".." not in name}
    return found


def landmarks(faces: xr.Dataset) -> pd.DataFrame:
    """Return a row a landmark that is known, ``file``, ``point``, ``x``, ``y`` in px; :func:`nrsim.read_landmarks`
    reads it.
    """
    files, points, places = faces["file"].values, faces["point"].values, faces["landmark"].values
    rows = [
        {"file": str(files[i]), "point": str(point), "x": round(float(x), 3), "y": round(float(y), 3)}
        for i in range(len(files))
        for point, (x, y) in zip(points, places[i], strict=True)
        if np.isfinite([x, y]).all()
    ]
    return pd.DataFrame(rows, columns=["file", "point", "x", "y"])
