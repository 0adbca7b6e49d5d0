"""Two pictures warped to a shape between or beyond theirs, and mixed. Plain arrays; no labels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nrsim.errors import need
from nrsim.images import warp

_NEAR = 0.5  # px: a landmark this near to a corner or the middle of a side takes its place (chosen)
Draw = Callable[[float, float], tuple[np.ndarray, np.ndarray, float]]


def drawer(
    images: tuple[np.ndarray, np.ndarray], points: tuple[np.ndarray, np.ndarray], names: list[str], levels: np.ndarray
) -> Draw:
    """Return a function that draws one morph: level of shape, level of texture → image, landmarks, share clipped.

    Parameters
    ----------
    images
        Two pictures of one size, ``(y, x)`` from 0 to 1.
    points
        Their landmarks, ``(point, 2)`` in px, already checked.
    names
        What the points are called.
    levels
        The levels of shape that will be drawn.

    Raises
    ------
    ValueError
        If a triangle folds in one of the pictures or at a level; its points and the safe levels are named.
    """
    height, width = images[0].shape
    frame = warp.frame_points(height, width)
    near = [np.linalg.norm(frame[:, None] - each[None], axis=-1).min(axis=1) for each in points]
    frame = frame[(near[0] > _NEAR) & (near[1] > _NEAR)]
    a, b = (np.concatenate([each, frame]) for each in points)
    triangles = warp.triangulate((a + b) / 2)
    _refuse_folds(a, b, triangles, names, levels)

    def draw(shape: float, texture: float) -> tuple[np.ndarray, np.ndarray, float]:
        at = (1 - shape) * a + shape * b
        where, weights = warp.locate(at, triangles, height, width)
        one, other = (
            warp.sample(each, warp.piecewise_affine(source, triangles, where, weights))
            for each, source in zip(images, (a, b), strict=True)
        )
        mixed = (1 - texture) * one + texture * other
        image = np.clip(mixed, 0, 1)
        return image.astype(np.float32), at[: len(names)], float((np.abs(mixed - image) > 1 / 255).mean())

    return draw


def _refuse_folds(a: np.ndarray, b: np.ndarray, triangles: np.ndarray, names: list[str], levels: np.ndarray) -> None:
    low, high = warp.safe_levels(a, b, triangles)
    for level in [0.0, 1.0, *levels]:
        if not low <= level <= high:
            worst = triangles[warp.signed_areas((1 - level) * a + level * b, triangles).argmin()]
            corners = ", ".join(names[i] if i < len(names) else "the picture's edge" for i in worst)
            if low > 0 or high < 1:
                todo = "Are left and right, or two points, exchanged in one of them?"
                raise need("landmarks that lie in a like arrangement in both pictures", f"{corners} turned over", todo)
            ends = [f"from {np.ceil(low * 100) / 100:.2f}"] if np.isfinite(low) else []
            ends += [f"to {np.floor(high * 100) / 100:.2f}"] if np.isfinite(high) else []
            raise need(
                "levels of shape at which no triangle of landmarks folds",
                f"{level:g}, where {corners} turns over",
                f"Levels {' '.join(ends)} are safe",
            )
