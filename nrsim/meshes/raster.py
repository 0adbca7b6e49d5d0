"""A z-buffer renderer, in NumPy or Numba: which triangle is seen at each pixel, and where in it."""

from __future__ import annotations

import time

import numpy as np

from nrsim.errors import need
from nrsim.meshes.backends import choose, kernels, note
from nrsim.meshes.zbuffer import empty_buffers, zbuffer
from nrsim.quantities import whole

_CHUNK = 1 << 13  # places that are interpolated at once, so that what is between stays in the cache (measured)


def rasterise(
    points: np.ndarray, corners: np.ndarray, height: int, width: int, *, backend: str = "auto"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what is seen at each pixel.

    A pixel is covered when its centre (x + ½, y + ½) lies in a triangle's projection, edges included; of several the
    nearest is seen, and at equal depth that of the highest number. Triangles that face away (clockwise with y up) or
    are seen edge on are left out.

    Parameters
    ----------
    points
        ``(vertex, 3)``: x and y in pixels, 0 = left and top edge, y down; z, larger is nearer.
    corners
        ``(triangle, 3)`` vertex numbers, counter-clockwise seen from the front with y up.
    height, width
        Size of the picture in pixels.
    backend
        ``"numpy"``, ``"numba"`` (the extra ``nrsim[fast]``) or ``"auto"``, the default: Numba once it pays
        (:func:`nrsim.meshes.backends.choose`). They agree to the bit.

    Returns
    -------
    pixel
        ``(seen,)`` flat numbers of the covered pixels, ascending.
    triangle
        ``(seen,)`` the triangle seen there.
    weights
        ``(seen, 3)`` its barycentric weights there.

    Raises
    ------
    ValueError, TypeError
        For arrays of another shape, points that are not finite, corners that are no vertex, no size, or an unknown
        backend.
    ImportError
        For ``backend="numba"`` where Numba is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> points = np.array([[0.0, 4, 0], [4, 4, 0], [0, 0, 0]])
    >>> pixel, triangle, weights = rasterise(points, np.array([[0, 1, 2]]), 4, 4)
    >>> pixel.tolist()
    [0, 4, 5, 8, 9, 10, 12, 13, 14, 15]
    >>> (weights[0] @ points).tolist()  # the centre of pixel 0
    [0.5, 0.5, 0.0]
    """
    height, width = whole(height, "height", low=1), whole(width, "width", low=1)
    points = np.require(points, np.float64, ("C", "W"))
    if points.ndim != 2 or points.shape[1] != 3:
        raise need("points (vertex, 3)", f"an array of shape {points.shape}")
    if not np.isfinite(points).all():
        first = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
        raise need("finite points", f"{points[first].tolist()} at vertex {first}")
    corners = _corners(corners, len(points))
    if choose(backend) == "numba":
        buffers = empty_buffers(height * width)
        kernels()[0](points, corners, height, width, *buffers)
    else:
        start = time.perf_counter()
        buffers = zbuffer(points, corners, height, width)
        note(time.perf_counter() - start)
    _, shown, w1, w2 = buffers
    pixel = np.flatnonzero(shown >= 0)
    weights = np.empty((len(pixel), 3))
    weights[:, 1], weights[:, 2] = w1[pixel], w2[pixel]
    weights[:, 0] = 1.0 - weights[:, 1] - weights[:, 2]
    return pixel, shown[pixel], weights


def interpolate(
    values: np.ndarray, corners: np.ndarray, triangle: np.ndarray, weights: np.ndarray, *, backend: str = "auto"
) -> np.ndarray:
    """Return vertex ``values (vertex, channel)`` at the seen places, ``(seen, channel)``.

    Linear across the picture of a triangle, not across the triangle in space: on a head at a portrait's distance the
    two differ by less than a hundredth of a triangle (tested).

    Parameters
    ----------
    values
        ``(vertex, channel)``.
    corners
        ``(triangle, 3)`` vertex numbers.
    triangle, weights
        ``(seen,)`` and ``(seen, 3)``, as from :func:`rasterise`.
    backend
        As for :func:`rasterise`.

    Raises
    ------
    ValueError, TypeError
        For arrays of another shape, numbers of no vertex or triangle, or an unknown backend.
    ImportError
        For ``backend="numba"`` where Numba is not installed.
    """
    values = np.require(values, np.float64, ("C", "W"))
    if values.ndim != 2:
        raise need("values (vertex, channel)", f"an array of shape {values.shape}")
    corners = _corners(corners, len(values))
    triangle = np.require(triangle, np.int64, ("C", "W"))
    weights = np.require(weights, np.float64, ("C", "W"))
    if triangle.ndim != 1 or weights.shape != (len(triangle), 3):
        raise need("triangle (seen,) and weights (seen, 3)", f"shapes {triangle.shape} and {weights.shape}")
    if triangle.size and not (triangle.min() >= 0 and triangle.max() < len(corners)):
        raise need(f"numbers of the {len(corners)} triangles, from 0", f"numbers {triangle.min()} to {triangle.max()}")
    out = np.empty((len(triangle), values.shape[1]))
    if choose(backend) == "numba":
        kernels()[1](values, corners, triangle, weights, out)
        return out
    for start in range(0, len(out), _CHUNK):
        part, share = out[start : start + _CHUNK], weights[start : start + _CHUNK]
        at = corners.take(triangle[start : start + _CHUNK], axis=0)
        np.multiply(values.take(at[:, 0], axis=0), share[:, 0:1], out=part)
        for corner in (1, 2):
            more = values.take(at[:, corner], axis=0)
            more *= share[:, corner : corner + 1]
            part += more
    return out


def _corners(corners: np.ndarray, vertices: int) -> np.ndarray:
    """Return ``corners`` as int64, once it is known that each is a vertex: neither kernel looks again."""
    given = np.asarray(corners)
    if given.dtype.kind not in "iu":
        raise need("vertex numbers as corners", f"an array of {given.dtype}", kind=TypeError)
    if given.ndim != 2 or given.shape[1] != 3:
        raise need("corners (triangle, 3)", f"an array of shape {given.shape}")
    if given.size and not (given.min() >= 0 and given.max() < vertices):
        raise need(f"corners among the {vertices} vertices, from 0", f"numbers {given.min()} to {given.max()}")
    return np.require(given, np.int64, ("C", "W"))


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

    Raises
    ------
    ValueError
        If a vertex does not lie in front of the camera.
    """
    turned = (vertices - centre) @ rotation.T
    before = distance * half - turned[:, 2]
    if not (before > 0).all():
        raise need(
            "every vertex in front of the camera",
            f"one {np.nanmax(turned[:, 2]):g} in front of the centre, the camera at {distance * half:g}",
            "move the camera back (distance), or check the vertices",
        )
    nearness = distance * half / before
    x = (turned[:, 0] * nearness / half * 0.5 + 0.5) * size
    y = (0.5 - turned[:, 1] * nearness / half * 0.5) * size
    return np.stack([x, y, turned[:, 2]], axis=1)
