"""Where the pixels of a picture lie in degrees of visual angle: one convention for all that draw or read pictures."""

from __future__ import annotations

from typing import Any

import numpy as np


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
