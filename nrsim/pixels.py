"""Where the pixels of a picture lie in degrees of visual angle: one convention for all that draw or read pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need


def places(height: int, width: int, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of rows, y ``(height,)``, the top one first, and of columns, x ``(width,)``, in degrees.

    Parameters
    ----------
    height, width
        Of the picture, px; pixels are square, and 0 is the middle.
    degrees
        Width of the picture, degree.
    """
    y, x = ((np.arange(n) + 0.5 - n / 2) * degrees / width for n in (height, width))
    return y[::-1].copy(), x


def coordinates(height: int, width: int, degrees: float) -> dict[str, Any]:
    """Return the coordinates ``y`` and ``x`` of a StimulusSet, as :func:`places`, ready for xarray."""
    y, x = places(height, width, degrees)
    return {"y": ("y", y, {"units": "degree"}), "x": ("x", x, {"units": "degree"})}


def degrees(px: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return points ``(…, 2)``, x and y in px (0 = left, top edge), in degrees, y up.

    Parameters
    ----------
    px
        The points.
    y, x
        Centres of the picture's pixels, degree, the top row first.
    """
    step = np.array([(axis[-1] - axis[0]) / (len(axis) - 1) if len(axis) > 1 else 1.0 for axis in (x, y)])
    return np.array([x[0], y[0]]) + (px - 0.5) * step


FILE_SIZE = ("file_width", "file_height")
"""Labels of pictures that were resized: the size of their file, px."""


def stored(px: np.ndarray, landmarks: xr.DataArray, faces: xr.Dataset, number: int) -> np.ndarray:
    """Return points ``(point, 2)`` of one picture in px of the picture as it is stored.

    Landmarks with the attribute ``picture = "file"`` (:func:`nrsim.read_landmarks`) are in px of the file; the labels
    ``file_width`` and ``file_height`` of a picture that was resized say how large that was. Others are as they are.

    Parameters
    ----------
    px
        The points.
    landmarks
        Where they come from.
    faces
        What has the picture, with dims ``y`` and ``x``.
    number
        Which stimulus it is.

    Raises
    ------
    ValueError
        If points of a file are meant for a picture that :func:`nrsim.align` moved.
    """
    if landmarks.attrs.get("picture") != "file":
        return px
    if "aligned_scale" in faces.coords:
        todo = "Load the pictures with landmarks=, which move along when they are aligned"
        raise need("points of the pictures as stored", "points of their files, which nr.align has moved since", todo)
    if not set(FILE_SIZE) <= set(faces.coords):
        return px
    size = np.array([float(faces[name].values[number]) for name in FILE_SIZE])
    factor = np.array([faces.sizes["x"], faces.sizes["y"]]) / size
    return px * np.where(np.isfinite(factor), factor, 1.0)
