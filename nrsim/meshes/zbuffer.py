"""The z-buffer kernel in NumPy. :mod:`nrsim.meshes.compiled` does the same sums, in the same order, in Numba.

A triangle's corners 0, 1, 2 lie at (x, y, z). Barycentric weights are linear over the picture,

    w1 = dx · (y2 − y0)/A − dy · (x2 − x0)/A,    w2 = dy · (x1 − x0)/A − dx · (y1 − y0)/A,    w0 = 1 − w1 − w2,

where dx, dy lead from corner 0 to the pixel's centre and A is twice the signed area; depth is z0 + w1 (z1 − z0) +
w2 (z2 − z0). Triangles are sorted by the size of their bounding boxes, so that all boxes of about one size are tested
as one array ``(row, column, triangle)``: its inner loop is long, and nothing is gathered before the test for coverage.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

# How far outside of a triangle, in barycentric weight, a pixel's centre still counts as on its edge, so that rounding
# leaves no gaps between neighbours; and the area, px², below which a triangle is seen edge on (chosen)
EDGE = 1e-9
_CHUNK = 1 << 16  # fragments that are tested at once, and covered ones kept before the nearest are found (measured)

Buffers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def empty_buffers(n: int) -> Buffers:
    """Return depth (−∞), triangle (−1) and weights w1, w2 of ``n`` pixels where nothing is seen."""
    return np.full(n, -np.inf), np.full(n, -1, dtype=np.int64), np.empty(n), np.empty(n)


def zbuffer(points: np.ndarray, corners: np.ndarray, height: int, width: int) -> Buffers:
    """Return depth, triangle and weights w1, w2 of every pixel, each ``(height × width,)``; triangle −1 is nothing.

    Parameters
    ----------
    points
        ``(vertex, 3)`` float64.
    corners
        ``(triangle, 3)`` int64.
    height, width
        Size of the picture in pixels.
    """
    buffers = empty_buffers(height * width)
    setup = _setup(points, corners, height, width)
    waiting: list[tuple[np.ndarray, ...]] = []
    covered = 0
    for rows, columns, part in _chunks(setup["rows"], setup["columns"]):
        waiting.append(_cover({name: values[part] for name, values in setup.items()}, rows, columns, width))
        covered += len(waiting[-1][0])
        if covered > _CHUNK:
            _keep_nearest(waiting, buffers)
            waiting, covered = [], 0
    if covered:
        _keep_nearest(waiting, buffers)
    return buffers


def _setup(points: np.ndarray, corners: np.ndarray, height: int, width: int) -> dict[str, np.ndarray]:
    """Return what is needed of each triangle that may be seen, ``(triangle,)``, sorted by the size of its box."""
    x, y, z = (np.ascontiguousarray(points[:, axis]) for axis in range(3))
    a, b, c = (np.ascontiguousarray(corners[:, corner]) for corner in range(3))
    area = (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a])
    front = np.flatnonzero(area < -EDGE)
    a, b, c = a[front], b[front], c[front]
    left, columns = _box(x[a], x[b], x[c], width)
    top, rows = _box(y[a], y[b], y[c], height)
    boxed = np.flatnonzero((rows > 0) & (columns > 0))
    code = (_doublings(rows[boxed]) * 64 + _doublings(columns[boxed])).astype(np.uint16)
    order = boxed[np.argsort(code, kind="stable")]

    a, b, c, front, left, top = a[order], b[order], c[order], front[order], left[order], top[order]
    x0, y0, z0, inverse = x[a], y[a], z[a], 1.0 / area[front]
    return {
        "triangle": front,
        "first": (top * width + left).astype(np.int64),
        "rows": rows[order],
        "columns": columns[order],
        "dx": (left + 0.5) - x0,
        "dy": (top + 0.5) - y0,
        "x1": (x[b] - x0) * inverse,
        "y1": (y[b] - y0) * inverse,
        "x2": (x[c] - x0) * inverse,
        "y2": (y[c] - y0) * inverse,
        "z0": z0,
        "z1": z[b] - z0,
        "z2": z[c] - z0,
    }


def _box(at0: np.ndarray, at1: np.ndarray, at2: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first pixel along an axis whose centre lies within each triangle's box, and how many do."""
    low, high = np.minimum(np.minimum(at0, at1), at2), np.maximum(np.maximum(at0, at1), at2)
    first = np.clip(np.ceil(low - 0.5), 0, size)
    return first, (np.clip(np.floor(high - 0.5), -1, size - 1) - first + 1).astype(np.int64)


def _doublings(lengths: np.ndarray) -> np.ndarray:
    """Return which of 1, 2, 4, 8, … px holds each length: the smallest k with 2^k ≥ length."""
    return np.frexp(lengths - 1.0)[1]


def _chunks(rows: np.ndarray, columns: np.ndarray) -> Iterator[tuple[int, int, slice]]:
    """Yield the padded height and width of boxes, and which of the sorted triangles have about that size."""
    row_class, column_class = _doublings(rows), _doublings(columns)
    changes = np.flatnonzero((np.diff(row_class) != 0) | (np.diff(column_class) != 0)) + 1
    ends = [0, *changes.tolist(), len(rows)]
    for start, stop in zip(ends[:-1], ends[1:], strict=True):
        if stop > start:
            high, wide = int(rows[start:stop].max()), int(columns[start:stop].max())
            step = max(1, _CHUNK // (high * wide))
            for first in range(start, stop, step):
                yield high, wide, slice(first, min(first + step, stop))


def _cover(setup: dict[str, np.ndarray], rows: int, columns: int, width: int) -> tuple[np.ndarray, ...]:
    """Return pixel, triangle, w1, w2 and depth of the covered fragments of boxes of about one size."""
    column, row = np.arange(columns)[:, None], np.arange(rows)[:, None]
    dx, dy = setup["dx"] + column, setup["dy"] + row
    if columns > 1:
        dx[column >= setup["columns"]] = np.nan  # padding: no comparison with it holds
    if rows > 1:
        dy[row >= setup["rows"]] = np.nan
    w1 = ((dx * setup["y2"])[None] - (dy * setup["x2"])[:, None]).ravel()
    w2 = ((dy * setup["x1"])[:, None] - (dx * setup["y1"])[None]).ravel()
    w0 = 1.0 - w1
    w0 -= w2
    inside = np.flatnonzero((w0 >= -EDGE) & (w1 >= -EDGE) & (w2 >= -EDGE))
    cell, number = np.divmod(inside, len(setup["first"]))
    row, column = np.divmod(cell, columns)
    w1, w2 = w1[inside], w2[inside]
    depth = setup["z0"][number] + w1 * setup["z1"][number] + w2 * setup["z2"][number]
    return setup["first"][number] + (row * width + column), setup["triangle"][number], w1, w2, depth


def _keep_nearest(waiting: list[tuple[np.ndarray, ...]], buffers: Buffers) -> None:
    """Write fragments that are nearer than what is seen; at equal depth the triangle of the highest number stays."""
    pixel, triangle, w1, w2, depth = (np.concatenate(parts) for parts in zip(*waiting, strict=True))
    deepest, shown, shown_w1, shown_w2 = buffers
    before = deepest[pixel]
    np.maximum.at(deepest, pixel, depth)
    winner = depth == deepest[pixel]
    shown[pixel[winner & (depth > before)]] = -1  # the triangle seen there so far lies behind
    kept = np.flatnonzero(winner)
    pixel, triangle = pixel[kept], triangle[kept]
    np.maximum.at(shown, pixel, triangle)
    last = shown[pixel] == triangle
    pixel, kept = pixel[last], kept[last]
    shown_w1[pixel], shown_w2[pixel] = w1[kept], w2[kept]
