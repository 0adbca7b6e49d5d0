"""One picture file becomes luminance, ``(y, x)`` from 0 to 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nrsim.errors import need

_AS_THEY_ARE = ("L", "LA", "RGB", "RGBA", "F")
_CONVERTED = ("1", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX", "La", "RGBa")
_MOVING = ("GIF", "PNG", "WEBP", "TIFF")  # formats whose further pictures are frames or pages, not previews


def read_picture(path: Path, size: int | None = None) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the luminance of a picture file, ``(y, x)`` float32, and its height and width in px before resizing.

    A camera's note on how it was held (EXIF orientation) is applied. Colour becomes luminance by the weights of
    Rec. 709 on the stored values; what is transparent becomes mid grey. Floating-point pictures must lie in 0..1.

    Parameters
    ----------
    path
        Any format that Pillow reads: grey of 8 or 16 bits or floating point, or colour of 8 bits.
    size
        Resize a square picture to ``size`` × ``size`` px, low-pass filtered first where it shrinks.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no picture, moves, has another depth, holds floating-point levels outside 0..1, or is to be resized
        and is not square.
    """
    from skimage import color, transform

    levels = _levels(path)
    if levels.ndim == 3 and levels.shape[2] in (2, 4):
        alpha = levels[..., -1:]
        levels = levels[..., :-1] * alpha + 0.5 * (1 - alpha)
    height, width = int(levels.shape[0]), int(levels.shape[1])
    image: np.ndarray = levels.reshape(height, width, -1)
    image = color.rgb2gray(image) if image.shape[2] == 3 else image[..., 0]
    if size is not None and image.shape != (size, size):
        if height != width:
            raise need("square pictures, where size is given", f"{path.name!r} with {height} × {width} px", "Crop it")
        image = transform.resize(image, (size, size), anti_aliasing=height > size)
    return np.clip(image, 0, 1).astype(np.float32), (height, width)


def _levels(path: Path) -> np.ndarray:
    """Return the upright picture, ``(y, x)`` or ``(y, x, channel)`` from 0 to 1."""
    from PIL import Image, ImageOps

    if not path.is_file():
        raise FileNotFoundError(f"needed the picture {path.name!r}; there is no such file in {str(path.parent)!r}")
    try:
        with Image.open(path) as opened:
            frames = getattr(opened, "n_frames", 1) if opened.format in _MOVING else 1
            kind = opened.format
            picture: Any = ImageOps.exif_transpose(opened)
            if picture.mode in _CONVERTED or (picture.mode in ("L", "RGB") and "transparency" in picture.info):
                picture = picture.convert("RGBA")
            mode, raw = picture.mode, np.asarray(picture)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ValueError(f"needed a picture; {path.name!r} cannot be read as one") from None
    if frames > 1:
        raise need("a still picture", f"{path.name!r} with {frames} frames or pages", "Save each as a file of its own")
    if mode in _AS_THEY_ARE and mode != "F":
        return raw.astype(np.float32) / 255
    if mode.startswith("I;16") or (mode == "I" and kind in ("PNG", "PPM")):  # the latter hold 16 bits at most
        return raw.astype(np.float32) / 65535
    if mode != "F":
        raise need(
            "a picture in grey of 8 or 16 bits or in colour of 8 bits",
            f"{path.name!r} of {kind}'s kind {mode!r}, whose white is not known",
            "Save it as PNG",
        )
    low, high = float(raw.min()), float(raw.max())
    if not (np.isfinite(raw).all() and low >= -1e-6 and high <= 1 + 1e-6):
        todo = "Divide by the level of white, or save it as PNG at 8 or 16 bits"
        raise need("luminance in 0..1 in a floating-point picture", f"{low:g} to {high:g} in {path.name!r}", todo)
    return raw
