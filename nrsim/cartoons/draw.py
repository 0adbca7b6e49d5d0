"""Contours become a grey picture: exact-area anti-aliasing by Agg, the renderer inside matplotlib."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nrsim.cartoons.geometry import BROW, LINE, Geometry

# Luminances, 0..1 (chosen: black lines on a light face, the white of the eyes lighter still)
_SKIN, _WHITE, _LINE, _HAIR, _IRIS, _BROW, _MOUTH = 0.85, 1.0, 0.0, 0.15, 0.0, 0.0, 0.35

# Where two edges cross a pixel, the coverages do not say how they overlap. So faces are drawn at twice the size, small
# ones at 256 px or more, and averaged: at 128 px this brings the largest error of a pixel from 0.15 down to 0.04.
_FINE = 256


class Pen:
    """Draws faces of one size.

    Each layer's coverage of the pixels (area covered, 256 steps) comes from Agg; layers are laid over each other in
    floating point, so that plain areas have exactly their luminance. No setting of matplotlib changes the picture.

    Parameters
    ----------
    size
        Width and height in px.
    """

    def __init__(self, size: int) -> None:
        from matplotlib.backends.backend_agg import RendererAgg
        from matplotlib.transforms import Affine2D

        self.size = size
        self._sharpness = max(2, -(-_FINE // size))  # samples along each side of a pixel
        self._fine = size * self._sharpness
        self._renderer = RendererAgg(self._fine, self._fine, 72)  # 72 dots per inch: a point is a pixel
        self._seen = np.asarray(self._renderer.buffer_rgba())[..., 3]
        self._to_pixels = Affine2D().translate(1, 1).scale(self._fine / 2)

    def draw(self, face: Geometry, parts: Sequence[str], background: float) -> np.ndarray:
        """Return the picture ``(y, x)`` float32 of the ``parts`` of ``face``, luminance 0..1."""
        picture = np.full((self._fine, self._fine), float(background))
        outline, hair, eyes, irises, brows, nose, mouth = (
            face.contours[part] for part in ("outline", "hair", "eyes", "irises", "eyebrows", "nose", "mouth")
        )
        if "hair" in parts:
            self._lay(picture, _HAIR, hair[:1], outside=outline)
        if "outline" in parts:
            self._lay(picture, _SKIN, outline)
            self._lay(picture, _LINE, outline, width=LINE)
        if "hair" in parts:
            self._lay(picture, _HAIR, hair[1:])
        if "eyes" in parts:
            self._lay(picture, _WHITE, eyes)
        if "irises" in parts:  # the lids cover what leaves the eye
            self._lay(picture, _IRIS, irises, inside=eyes if "eyes" in parts else None)
        if "eyes" in parts:
            self._lay(picture, _LINE, eyes, width=LINE)
        if "eyebrows" in parts:
            self._lay(picture, _BROW, brows, width=BROW, closed=False)
        if "nose" in parts:
            self._lay(picture, _LINE, nose, width=LINE)
        if "mouth" in parts:
            self._lay(picture, _MOUTH, mouth)
            self._lay(picture, _LINE, mouth, width=LINE)
        samples = picture.reshape(self.size, self._sharpness, self.size, self._sharpness)
        return samples.mean(axis=(1, 3)).astype(np.float32)

    def _lay(
        self,
        picture: np.ndarray,
        level: float,
        contours: Sequence[np.ndarray],
        *,
        width: float = 0.0,
        closed: bool = True,
        inside: Sequence[np.ndarray] | None = None,
        outside: Sequence[np.ndarray] | None = None,
    ) -> None:
        """Lay one luminance over the picture: the areas of ``contours``, or with ``width`` the lines along them."""
        corners = np.concatenate(contours)
        low = (np.array([corners[:, 0].min(), -corners[:, 1].max()]) - width + 1) * self._fine / 2 - 1
        high = (np.array([corners[:, 0].max(), -corners[:, 1].min()]) + width + 1) * self._fine / 2 + 1
        left, top = np.clip(np.floor(low), 0, self._fine).astype(int)
        right, bottom = np.clip(np.ceil(high), 0, self._fine).astype(int)
        box = (slice(top, bottom), slice(left, right))
        cover = self._cover(contours, width, closed)[box] / 255.0
        if inside is not None:
            cover = cover * (self._cover(inside)[box] / 255.0)
        if outside is not None:
            cover = cover * (1 - self._cover(outside)[box] / 255.0)
        picture[box] += cover * (level - picture[box])

    def _cover(self, contours: Sequence[np.ndarray], width: float = 0.0, closed: bool = True) -> np.ndarray:
        """Return how much of each pixel is covered, ``(y, x)``, 0..255, valid until the next call."""
        from matplotlib.path import Path

        points, codes = [], []
        for contour in contours:
            points += [contour, contour[:1]] if closed else [contour]
            end = [Path.CLOSEPOLY] if closed else []
            codes += [Path.MOVETO, *[Path.LINETO] * (len(contour) - 1), *end]
        path = Path(np.concatenate(points), codes)
        path.should_simplify = False
        self._renderer.clear()
        context = self._renderer.new_gc()
        context.set_antialiased(True)
        context.set_snap(False)
        context.set_joinstyle("round")
        context.set_capstyle("round")
        context.set_linewidth(width * self._fine / 2)
        self._renderer.draw_path(context, path, self._to_pixels, None if width else (0.0, 0.0, 0.0))
        return self._seen
