"""Tables of a StimulusSet beside its pictures: what a presentation computer, or another program, reads."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr

from nrsim import labels


def width(faces: xr.Dataset) -> float:
    """Return the width of the pictures in degrees of visual angle."""
    x = faces["x"].values
    return float(abs(x[-1] - x[0]) * len(x) / max(len(x) - 1, 1))


def stimuli(faces: xr.Dataset) -> pd.DataFrame:
    """Return a row a stimulus with its labels and the picture's width in degrees; :func:`nrsim.load_folder` reads it.

    The pictures' hash is left out, which reading the table makes again.
    """
    columns = {name: coord.values for name, coord in labels.carried(faces).items() if name != "image_sha256"}
    return pd.DataFrame(columns).assign(degrees=round(width(faces), 6))


def frames(faces: xr.Dataset, names: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return a row a frame of moving faces: ``stimulus_id``, ``frame``, ``file``, ``time`` (s), ``intensity``."""
    time, ids = faces["frame_time"].values, faces["stimulus_id"].values
    rows = []
    for i, files in enumerate(names):
        for frame, name in enumerate(files):
            row = {"stimulus_id": str(ids[i]), "frame": frame, "file": name, "time": round(float(time[frame]), 6)}
            if "frame_intensity" in faces.coords:
                row["intensity"] = float(faces["frame_intensity"].values[i, frame])
            rows.append(row)
    return pd.DataFrame(rows)


def landmarks(faces: xr.Dataset) -> pd.DataFrame:
    """Return a row a landmark, ``file``, ``point``, ``x``, ``y`` in px; :func:`nrsim.read_landmarks` reads it."""
    files, points, places = faces["file"].values, faces["point"].values, faces["landmark"].values
    rows = [
        {"file": str(files[i]), "point": str(point), "x": round(float(x), 3), "y": round(float(y), 3)}
        for i in range(len(files))
        for point, (x, y) in zip(points, places[i], strict=True)
    ]
    return pd.DataFrame(rows)
