"""A z-buffer renderer in NumPy: which triangle is seen at each pixel, and where in it."""

from __future__ import annotations

import numpy as np


def rasterise(
    points: np.ndarray, corners: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is seen at each pixel.

    A pixel is covered when its centre (x + ½, y + ½) lies in a triangle's projection; of several the nearest is seen.
    Triangles that face away (clockwise with y down) are left out.

    Parameters
    ----------
    points
        ``(vertex, 3)``: x and y in pixels, 0 = left and top edge, y down; z, larger is nearer.
    corners
        ``(triangle, 3)`` vertex numbers, counter-clockwise seen from the front with y up.
    height, width
        Size of the picture in pixels.

    Returns
    -------
    pixel
        ``(seen,)`` flat numbers of the covered pixels, ascending.
    triangle
        ``(seen,)`` the triangle seen there.
    weights
        ``(seen, 3)`` its barycentric weights there.
    """
    x, y, z = (np.ascontiguousarray(points[:, i])[corners] for i in range(3))  # each (triangle, 3)
    area = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    left = np.maximum(np.ceil(x.min(axis=1) - 0.5), 0).astype(np.int64)
    right = np.minimum(np.floor(x.max(axis=1) - 0.5), width - 1).astype(np.int64)
    top = np.maximum(np.ceil(y.min(axis=1) - 0.5), 0).astype(np.int64)
    bottom = np.minimum(np.floor(y.max(axis=1) - 0.5), height - 1).astype(np.int64)
    seen = np.flatnonzero((area < -1e-9) & (right >= left) & (bottom >= top))

    # one fragment per pixel of each bounding box
    columns, rows = (right - left + 1)[seen], (bottom - top + 1)[seen]
    counts = columns * rows
    triangle = np.repeat(seen, counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    row, column = np.divmod(within, np.repeat(columns, counts))
    row += top[triangle]
    column += left[triangle]

    px, py = column + 0.5, row + 0.5
    xt, yt, inverse = x[triangle], y[triangle], 1.0 / area[triangle]
    w1 = ((px - xt[:, 0]) * (yt[:, 2] - yt[:, 0]) - (xt[:, 2] - xt[:, 0]) * (py - yt[:, 0])) * inverse
    w2 = ((xt[:, 1] - xt[:, 0]) * (py - yt[:, 0]) - (px - xt[:, 0]) * (yt[:, 1] - yt[:, 0])) * inverse
    weights = np.stack([1.0 - w1 - w2, w1, w2], axis=1)
    inside = np.flatnonzero((weights >= -1e-9).all(axis=1))

    weights, triangle = weights[inside], triangle[inside]
    flat = row[inside] * width + column[inside]
    depth = (weights * z[triangle]).sum(axis=1)
    order = np.lexsort((triangle, depth))  # ties go to the triangle of the highest number, on every machine
    nearest = np.full(height * width, -1, dtype=np.int64)
    nearest[flat[order]] = order  # of repeated pixels the last, that is the nearest, stays
    pixel = np.flatnonzero(nearest >= 0)
    chosen = nearest[pixel]
    return pixel, triangle[chosen], weights[chosen]


def interpolate(values: np.ndarray, corners: np.ndarray, triangle: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return vertex ``values (vertex, channel)`` at the seen places, ``(seen, channel)``."""
    at = corners[triangle]
    return sum(weights[:, i : i + 1] * values[at[:, i]] for i in range(3))  # type: ignore[return-value]


def turn(yaw: float, pitch: float) -> np.ndarray:
    """Return the rotation ``(3, 3)`` by yaw (the head to its left) and pitch (down), in degrees."""
    a, b = np.deg2rad(yaw), np.deg2rad(pitch)
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return about_x @ about_y


def project(
    vertices: np.ndarray, centre: np.ndarray, half: float, size: int, distance: float, rotation: np.ndarray
) -> np.ndarray:
    """Return ``(vertex, 3)``: x and y in pixels (y down) and depth, by a pinhole camera in front of ``centre``.

    Parameters
    ----------
    vertices
        ``(vertex, 3)``, mesh units; x to the right of the picture, y up, z to the viewer.
    centre
        The point in the middle of the picture.
    half
        Half the picture's width at ``centre``, mesh units.
    size
        Width and height of the picture in pixels.
    distance
        Distance of the camera in units of ``half``.
    rotation
        ``(3, 3)``.
    """
    turned = (vertices - centre) @ rotation.T
    nearness = distance * half / (distance * half - turned[:, 2])
    x = (turned[:, 0] * nearness / half * 0.5 + 0.5) * size
    y = (0.5 - turned[:, 1] * nearness / half * 0.5) * size
    return np.stack([x, y, turned[:, 2]], axis=1)
