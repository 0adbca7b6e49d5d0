"""Warps of pictures: piecewise affine between landmarks, and by a similarity. Plain arrays; no labels.

Points are (x, y) in px with 0 = the left and top edge, so the middle of pixel i lies at i + ½.
"""

from __future__ import annotations

import numpy as np

_THINNEST = 1e-3  # px²: a triangle of less area covers nothing (chosen: far below anything that can be seen)


def frame_points(height: int, width: int) -> np.ndarray:
    """Return the corners of a picture and the middles of its sides, ``(8, 2)``, which stay where they are."""
    x, y = width, height
    corners = [(0, 0), (x, 0), (x, y), (0, y)]
    middles = [(x / 2, 0), (x, y / 2), (x / 2, y), (0, y / 2)]
    return np.array(corners + middles, dtype=float)


def triangulate(points: np.ndarray) -> np.ndarray:
    """Return the Delaunay triangles of points ``(point, 2)``: corners' numbers ``(triangle, 3)``, of positive area."""
    from scipy.spatial import Delaunay

    triangles = Delaunay(points).simplices.astype(np.int64)
    areas = signed_areas(points, triangles)
    triangles[areas < 0] = triangles[areas < 0][:, ::-1]
    return triangles[np.abs(areas) > _THINNEST]


def signed_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return twice the signed area of each triangle, px²; its sign changes when the triangle turns over."""
    a, b, c = (points[triangles[:, i]] for i in range(3))
    return _cross(b - a, c - a)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def safe_levels(a: np.ndarray, b: np.ndarray, triangles: np.ndarray) -> tuple[float, float]:
    """Return the levels around ½ between which no triangle folds when points go from ``a`` (0) to ``b`` (1).

    With points p(t) = (1 − t)·a + t·b the signed area of a triangle is the quadratic
    A(t) = A(0) + t·(u×v' + u'×v) + t²·u'×v', where u and v are two of its sides at t = 0 and u', v' how they change.
    The nearest roots on either side of ½ over all triangles are the bounds. A triangle may become thin; it may not turn
    over.
    """
    sides = [a[triangles[:, i]] - a[triangles[:, 0]] for i in (1, 2)]
    change = [(b - a)[triangles[:, i]] - (b - a)[triangles[:, 0]] for i in (1, 2)]
    constant = _cross(sides[0], sides[1]) + _THINNEST
    linear = _cross(sides[0], change[1]) + _cross(change[0], sides[1])
    square = _cross(change[0], change[1])
    low, high = -np.inf, np.inf
    for coefficients in zip(square, linear, constant, strict=True):
        for root in np.roots(np.trim_zeros(np.array(coefficients), "f")):
            if abs(root.imag) < 1e-9:
                low, high = (max(low, root.real), high) if root.real < 0.5 else (low, min(high, root.real))
    return float(low), float(high)


def locate(points: np.ndarray, triangles: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for every pixel the triangle its middle lies in, ``(y, x)``, and its weights there, ``(y, x, 3)``.

    The triangles must cover the picture and not overlap. A pixel on an edge goes to one of its triangles; because each
    pixel takes the triangle in which its smallest weight is largest, rounding leaves no hole.
    """
    best = np.full((height, width), -np.inf)
    where = np.zeros((height, width), dtype=np.int64)
    weights = np.zeros((height, width, 3))
    seen = np.flatnonzero(signed_areas(points, triangles) > _THINNEST)
    for number, corners in zip(seen, triangles[seen], strict=True):
        a, b, c = points[corners]
        x0, y0 = np.maximum(np.floor(points[corners].min(axis=0) - 1), 0).astype(int)
        x1, y1 = np.minimum(np.ceil(points[corners].max(axis=0) + 1), (width, height)).astype(int)
        if x0 >= x1 or y0 >= y1:
            continue
        px, py = np.arange(x0, x1) + 0.5, np.arange(y0, y1)[:, None] + 0.5
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        w1 = ((px - a[0]) * (c[1] - a[1]) - (py - a[1]) * (c[0] - a[0])) / area
        w2 = ((b[0] - a[0]) * (py - a[1]) - (b[1] - a[1]) * (px - a[0])) / area
        here = np.stack([1 - w1 - w2, w1, w2], axis=-1)
        smallest = here.min(axis=-1)
        box = np.s_[y0:y1, x0:x1]
        better = smallest > best[box]
        best[box][better] = smallest[better]
        where[box][better] = number
        weights[box][better] = here[better]
    return where, weights


def piecewise_affine(source: np.ndarray, triangles: np.ndarray, where: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the place in ``source`` shape that each pixel comes from, ``(y, x, 2)``: Σ_i w_i·source_i."""
    corners = triangles[where]
    return sum(weights[..., i, None] * source[corners[..., i]] for i in range(3))  # type: ignore[return-value]


def sample(image: np.ndarray, places: np.ndarray, *, outside: float | None = None) -> np.ndarray:
    """Return an image ``(y, x)`` at places ``(y, x, 2)`` by cubic splines; beyond its edge ``outside``, or the edge.

    Splines pass through every pixel, and blur half-way between pixels less than straight lines do: a blur that depends
    on the level of a morph would look like tuning to V1.
    """
    from scipy.ndimage import map_coordinates

    rows, columns = places[..., 1] - 0.5, places[..., 0] - 0.5
    values = map_coordinates(image.astype(float), [rows, columns], order=3, mode="nearest")
    if outside is None:
        return values
    height, width = image.shape
    # share of the pixel's width that lies inside, so that the edge is not jagged
    x, y = (np.clip(np.minimum(at + 1, n - at), 0, 1) for at, n in ((columns, width), (rows, height)))
    inside = x * y
    return values * inside + outside * (1 - inside)


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """Return (s, d): the similarity z → s·z + d, z = x + iy, that takes points to ``target`` with least squared error.

    s = Σ conj(z − z̄)·(w − w̄) / Σ |z − z̄|², d = w̄ − s·z̄: a linear regression in complex numbers. |s| is the scale,
    the angle of s the rotation; there is no mirroring.
    """
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    dz, dw = z - z.mean(), w - w.mean()
    s = complex((np.conj(dz) * dw).sum() / (np.abs(dz) ** 2).sum())
    return s, complex(w.mean() - s * z.mean())


def unscaled(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """Return (s, d) as :func:`similarity` does, but with |s| = 1: the best move and turn alone.

    The best angle is the same with and without scaling: that of Σ conj(z − z̄)·(w − w̄).
    """
    s, _ = similarity(source, target)
    s /= abs(s)
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    return s, complex(w.mean() - s * z.mean())


def moved(points: np.ndarray, s: complex, d: complex) -> np.ndarray:
    """Return points ``(…, 2)`` after the similarity z → s·z + d."""
    z = s * (points[..., 0] + 1j * points[..., 1]) + d
    return np.stack([z.real, z.imag], axis=-1)


def mean_shape(shapes: np.ndarray) -> np.ndarray:
    """Return the full Procrustes mean of shapes ``(shape, point, 2)``, ``(point, 2)`` px.

    As complex vectors centred at 0, the mean is the eigenvector of the largest eigenvalue of Σ z·z* / |z|² (Kent 1994).
    It has no size, angle or place of its own: it gets the size at which the shapes' scales onto it have the geometric
    mean 1, and the place and the angle at which it fits their plain average best. So an aligned set stays as it is.
    """
    z = shapes[..., 0] + 1j * shapes[..., 1]
    centred = z - z.mean(axis=1, keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(np.einsum("sp,sq->pq", unit, unit.conj()))
    mean = np.stack([vectors[:, -1].real, vectors[:, -1].imag], axis=-1)
    s, d = similarity(mean, shapes.mean(axis=0))
    scales = np.abs(centred.conj() @ vectors[:, -1]) / (np.abs(centred) ** 2).sum(axis=1)
    return moved(mean, s / abs(s) / np.exp(np.log(scales).mean()), d)


def warp_similarity(image: np.ndarray, s: complex, d: complex, *, outside: float | None = None) -> np.ndarray:
    """Return an image ``(y, x)`` moved by the similarity z → s·z + d, low-pass filtered first where it shrinks.

    The filter is a Gaussian of (1/|s| − 1)/2 px, as scikit-image's ``resize`` has.
    """
    from scipy.ndimage import gaussian_filter

    height, width = image.shape
    if abs(s) < 1:
        image = gaussian_filter(image.astype(float), (1 / abs(s) - 1) / 2, mode="nearest")
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    z = (x + 1j * y - d) / s
    return sample(image, np.stack([z.real, z.imag], axis=-1), outside=outside)
