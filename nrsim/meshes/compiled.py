"""The kernels of :mod:`nrsim.meshes` in Numba: the same sums in the same order as in NumPy, so the same bits.

Plain Python functions; :func:`kernels` compiles them, and nothing imports Numba before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from nrsim.meshes.zbuffer import EDGE


@cache
def kernels() -> tuple[Callable[..., None], Callable[..., None]]:
    """Return ``fill_zbuffer`` and ``fill_interpolated``, compiled.

    The machine code is kept beside this file or in the user's cache folder (see Numba's ``NUMBA_CACHE_DIR``), where
    one of them can be written to; otherwise every process compiles it again, about a second.

    Raises
    ------
    ImportError
        Where Numba is not installed, or does not fit the NumPy that is.
    """
    import numba

    points, numbers, flat, counts = "float64[:,::1]", "int64[:,::1]", "float64[::1]", "int64[::1]"
    jobs: tuple[tuple[Callable[..., None], str], ...] = (
        (fill_zbuffer, f"void({points},{numbers},int64,int64,{flat},{counts},{flat},{flat})"),
        (fill_interpolated, f"void({points},{numbers},{counts},{points},{points})"),
    )
    try:
        first, second = (numba.njit(types, cache=True, nogil=True)(kernel) for kernel, types in jobs)
    except RuntimeError:  # no folder for the machine code
        first, second = (numba.njit(types, nogil=True)(kernel) for kernel, types in jobs)
    return first, second


def fill_zbuffer(
    points: np.ndarray,
    corners: np.ndarray,
    height: int,
    width: int,
    deepest: np.ndarray,
    shown: np.ndarray,
    shown_w1: np.ndarray,
    shown_w2: np.ndarray,
) -> None:
    """Fill the buffers as :func:`nrsim.meshes.zbuffer.zbuffer` does."""
    for triangle in range(corners.shape[0]):
        a, b, c = corners[triangle, 0], corners[triangle, 1], corners[triangle, 2]
        x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
        x1, y1, x2, y2 = points[b, 0] - x0, points[b, 1] - y0, points[c, 0] - x0, points[c, 1] - y0
        area = x1 * y2 - x2 * y1
        if not area < -EDGE:
            continue
        # as floats until they are cut to the picture: they may lie beyond the largest integer
        left = int(max(np.ceil(min(x0, points[b, 0], points[c, 0]) - 0.5), 0.0))
        right = int(min(np.floor(max(x0, points[b, 0], points[c, 0]) - 0.5), width - 1.0))
        top = int(max(np.ceil(min(y0, points[b, 1], points[c, 1]) - 0.5), 0.0))
        bottom = int(min(np.floor(max(y0, points[b, 1], points[c, 1]) - 0.5), height - 1.0))
        inverse = 1.0 / area
        x1, y1, x2, y2 = x1 * inverse, y1 * inverse, x2 * inverse, y2 * inverse
        z1, z2 = points[b, 2] - z0, points[c, 2] - z0
        for row in range(top, bottom + 1):
            dy = (top + 0.5 - y0) + (row - top)
            along_1, along_2 = dy * x2, dy * x1
            for column in range(left, right + 1):
                dx = (left + 0.5 - x0) + (column - left)
                w1 = dx * y2 - along_1
                w2 = along_2 - dx * y1
                w0 = 1.0 - w1 - w2
                if w0 >= -EDGE and w1 >= -EDGE and w2 >= -EDGE:
                    pixel = row * width + column
                    depth = z0 + w1 * z1 + w2 * z2
                    if depth >= deepest[pixel]:  # at equal depth the later triangle, that of the higher number
                        deepest[pixel] = depth
                        shown[pixel] = triangle
                        shown_w1[pixel] = w1
                        shown_w2[pixel] = w2


def fill_interpolated(
    values: np.ndarray, corners: np.ndarray, triangle: np.ndarray, weights: np.ndarray, out: np.ndarray
) -> None:
    """Fill ``out (seen, channel)`` with the weighted sums of ``values (vertex, channel)``."""
    for seen in range(triangle.shape[0]):
        number = triangle[seen]
        a, b, c = corners[number, 0], corners[number, 1], corners[number, 2]
        w0, w1, w2 = weights[seen, 0], weights[seen, 1], weights[seen, 2]
        for channel in range(values.shape[1]):
            out[seen, channel] = w0 * values[a, channel] + w1 * values[b, channel] + w2 * values[c, channel]
