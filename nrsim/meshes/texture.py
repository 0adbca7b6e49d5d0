"""Pictures laid on a surface: sampled at each pixel, at the resolution at which it is seen. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST = 2048  # px; larger pictures are halved (chosen: a face fills at most some hundred pixels)
REPEAT, CLAMP, MIRROR = "repeat", "clamp", "mirror"


def _linear() -> np.ndarray:
    encoded = np.arange(256) / 255.0
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


LINEAR = _linear()  # 8-bit sRGB value → linear (IEC 61966-2-1)


def encoded(linear: np.ndarray) -> np.ndarray:
    """Return 8-bit sRGB values of linear ones, 0..1."""
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-12) ** (1 / 2.4) - 0.055)
    return np.rint(255 * np.clip(curve, 0, 1)).astype(np.uint8)


def halved(picture: np.ndarray) -> np.ndarray:
    """Return a picture of half the size: means of 2 × 2 texels of linear light, weighted by their alpha.

    Parameters
    ----------
    picture
        ``(y, x, 4)``: 8-bit sRGB and alpha. An odd last row or column is repeated.
    """
    high, wide = picture.shape[:2]
    odd = ((0, high % 2 if high > 1 else 1), (0, wide % 2 if wide > 1 else 1), (0, 0))
    even = np.pad(picture, odd, mode="edge")
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, 4)
    alpha = blocks[..., 3].astype(np.float64)
    weight = np.where(alpha.sum(axis=(1, 3), keepdims=True) > 0, alpha, 1.0)
    colour = (LINEAR[blocks[..., :3]] * weight[..., None]).sum(axis=(1, 3)) / weight.sum(axis=(1, 3))[..., None]
    return np.concatenate([encoded(colour), np.rint(alpha.mean(axis=(1, 3)))[..., None].astype(np.uint8)], axis=2)


class Texture:
    """A picture to be laid on a surface, with its halvings.

    Parameters
    ----------
    picture
        ``(y, x, 4)``: 8-bit sRGB and alpha.
    wrap
        Beyond its edges, along x and y: ``"repeat"``, ``"clamp"`` or ``"mirror"``.
    """

    def __init__(self, picture: np.ndarray, wrap: tuple[str, str] = (REPEAT, REPEAT)) -> None:
        picture = np.asarray(picture, dtype=np.uint8)
        while max(picture.shape[:2]) > LARGEST:
            picture = halved(picture)
        self.levels, self.wrap = [picture], wrap
        while max(self.levels[-1].shape[:2]) > 1:
            self.levels.append(halved(self.levels[-1]))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, texels."""
        return self.levels[0].shape[1], self.levels[0].shape[0]

    def sample(self, uv: np.ndarray, level: np.ndarray | int = 0) -> np.ndarray:
        """Return linear red, green, blue and alpha, 0..1, at places, ``(place, 4)``: between the four nearest texels.

        Parameters
        ----------
        uv
            ``(place, 2)``: 0, 0 is the left top corner, 1, 1 the right bottom one.
        level
            How many times the picture is halved, ``(place,)``.
        """
        result = np.empty((len(uv), 4))
        levels = np.clip(np.broadcast_to(level, len(uv)), 0, len(self.levels) - 1)
        for number in np.unique(levels):
            where = np.flatnonzero(levels == number)
            result[where] = self._bilinear(self.levels[number], uv[where])
        return result

    def _bilinear(self, picture: np.ndarray, uv: np.ndarray) -> np.ndarray:
        high, wide = picture.shape[:2]
        x, y = uv[:, 0] * wide - 0.5, uv[:, 1] * high - 0.5
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        fx, fy = (x - left)[:, None], (y - top)[:, None]
        columns = [_wrapped(left + i, wide, self.wrap[0]) for i in (0, 1)]
        rows = [_wrapped(top + i, high, self.wrap[1]) for i in (0, 1)]
        total = np.zeros((len(uv), 4))
        for row, weight_y in zip(rows, (1 - fy, fy), strict=True):
            for column, weight_x in zip(columns, (1 - fx, fx), strict=True):
                texel = picture[row, column]
                linear = np.concatenate([LINEAR[texel[:, :3]], texel[:, 3:] / 255.0], axis=1)
                total += weight_x * weight_y * linear
        return total


def _wrapped(number: np.ndarray, size: int, wrap: str) -> np.ndarray:
    if wrap == CLAMP:
        return np.clip(number, 0, size - 1)
    if wrap == MIRROR:
        within = number % (2 * size)
        return np.minimum(within, 2 * size - 1 - within)
    return number % size


@dataclass(frozen=True, eq=False)
class Paint:
    """The pictures on a surface: which lies on which triangle, and where.

    Attributes
    ----------
    uv
        ``(triangle, 3, 2)``: the place of each corner in the triangle's picture.
    texture
        ``(triangle,)``: number of its picture, −1 for none.
    textures
        The pictures.
    """

    uv: np.ndarray
    texture: np.ndarray
    textures: tuple[Texture, ...]

    def seen(self, triangle: np.ndarray, weights: np.ndarray, corners: np.ndarray) -> np.ndarray:
        """Return the linear colours of the pictures at seen places, ``(seen, 3)``; white where there is none.

        Each triangle shows its picture halved until a texel is about as large as a pixel, so that nothing flickers.

        Parameters
        ----------
        triangle, weights
            What is seen, as :func:`nrsim.meshes.raster.rasterise` returns it: ``(seen,)`` and ``(seen, 3)``.
        corners
            The triangles' corners in the picture drawn, px, ``(triangle, 3, 2)``.
        """
        colour = np.ones((len(triangle), 3))
        for number, texture in enumerate(self.textures):
            here = np.flatnonzero(self.texture[triangle] == number)
            if not len(here):
                continue
            which, back = np.unique(triangle[here], return_inverse=True)
            texels = _area(self.uv[which] * texture.size)
            pixels = np.maximum(_area(corners[which]), 1e-9)
            level = np.rint(0.5 * np.log2(np.maximum(texels / pixels, 1.0))).astype(np.int64)
            uv = np.einsum("nc,nck->nk", weights[here], self.uv[triangle[here]])
            colour[here] = texture.sample(uv, level[back])[:, :3]
        return colour


def _area(corners: np.ndarray) -> np.ndarray:
    """Return the areas of triangles of the plane, ``(triangle, 3, 2)``."""
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / 2
