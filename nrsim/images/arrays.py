"""Pictures that are arrays already become a StimulusSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from nrsim import pixels, provenance
from nrsim.errors import need
from nrsim.quantities import bare
from nrsim.schema import NOUNS, STIMULUS_LABELS, check

_TAKEN = {*NOUNS["StimulusSet"].variables, *NOUNS["StimulusSet"].coords, "stimulus", "frame"} - set(STIMULUS_LABELS)
_WIDE = 12  # rows and columns from which (y, x, 3) is a picture in colour, and not a stack of pictures 3 px wide
_HASHED = 2**28  # bytes of pictures that are hashed; more may lie on a disk, and stay there


def stimuli_from_arrays(
    images: Any,
    *,
    degrees: float | None = None,
    degrees_per_pixel: float | None = None,
    labels: Mapping[str, Sequence[Any]] | pd.DataFrame | None = None,
    frame_times: Sequence[float] | None = None,
    title: str = "own pictures",
) -> xr.Dataset:
    """Return pictures that are arrays as a StimulusSet, ``image (stimulus, y, x)``.

    Parameters
    ----------
    images
        Grey pictures, ``(stimulus, y, x)``, one ``(y, x)``, or a list of such; with ``frame_times`` moving ones,
        ``(stimulus, frame, y, x)``. Luminance 0..1, or whole numbers of 8 or 16 bits, which are divided by the type's
        largest value. The first row is the top. NumPy, or a Dask array, which stays lazy.
    degrees, degrees_per_pixel
        Width of a picture, or of a pixel, in degrees of visual angle. One of them is needed: frequencies in
        cycles/degree mean nothing without.
    labels
        Label → one value a picture: ``{"expression": [...], "intensity": [...]}``, or a table. Any label of a
        StimulusSet, and your own. Default: ``stimulus_id`` alone, ``image-0001`` and so on.
    frame_times
        When each frame is shown, s, for moving pictures.
    title
        What these are.

    Raises
    ------
    ValueError, TypeError
        For pictures of different sizes, in colour, outside 0..1 or not finite, neither or both widths, labels that are
        not one a picture or whose names are taken.

    Examples
    --------
    >>> import numpy as np, nrsim as nr
    >>> noise = np.random.default_rng(1).random((3, 64, 64))
    >>> faces = nr.stimuli_from_arrays(noise, degrees=4.0, labels={"expression": ["a", "b", "c"]})
    >>> nr.V1Bank([2.0, 4.0]).transform(faces)["energy"].shape
    (3, 2, 8, 64, 64)
    """
    if (degrees is None) == (degrees_per_pixel is None):
        raise need(
            "degrees, the width of a picture, or degrees_per_pixel",
            "neither" if degrees is None else "both",
            "Pictures have no size on the retina by themselves: a 128 px picture shown 4 degrees wide is degrees=4",
            kind=TypeError,
        )
    values = _pictures(images, moving=frame_times is not None)
    height, width = values.shape[-2:]
    if degrees is not None:
        across = bare(degrees, "degree", "degrees", above=0)
    else:
        across = bare(degrees_per_pixel, "degree", "degrees_per_pixel", above=0) * width
    dims: tuple[str, ...] = ("stimulus", "y", "x")
    coords: dict[str, Any] = {**_labels(labels, len(values)), **pixels.coordinates(height, width, across)}
    if frame_times is not None:
        dims = ("stimulus", "frame", "y", "x")
        times = np.asarray(frame_times, dtype=float)
        if times.shape != (values.shape[1],):
            raise need(f"frame_times: {values.shape[1]}, one a frame", f"{times.size}")
        coords["frame_time"] = ("frame", times, {"units": "s"})
    made = xr.Dataset({"image": (dims, values, {"units": "1"})}, coords)
    settings = {"pictures": len(values), "degrees": across}
    made = provenance.stamp(made, "StimulusSet", "stimuli_from_arrays", settings, title=title, source="own pictures")
    here = isinstance(values, np.ndarray)
    check(made, "StimulusSet", values=here)
    if here and values.nbytes <= _HASHED:
        made = made.assign_coords(image_sha256=("stimulus", [provenance.image_hash(image) for image in values]))
    return made


def _pictures(images: Any, *, moving: bool) -> Any:
    """Return the pictures as float32 in one array, with a dim for the stimuli."""
    if isinstance(images, (xr.Dataset, xr.DataArray)):
        raise need("arrays of pictures", type(images).__name__, "Pass dataset['image'].data", kind=TypeError)
    if isinstance(images, Sequence) and not isinstance(images, (str, bytes)):
        each = [np.asarray(image) for image in images]
        sizes = sorted({image.shape for image in each})
        if len(sizes) > 1:
            shown = ", ".join(" × ".join(map(str, size)) for size in sizes[:4])
            todo = "Crop or resize them to one size, in pixels and in degrees (skimage.transform.resize)"
            raise need("pictures of one size", shown, todo)
        images = np.stack(each) if each else np.empty((0, 0, 0))
    if not hasattr(images, "shape") or not hasattr(images, "dtype"):
        raise need("pictures: an array (stimulus, y, x) or a list of arrays (y, x)", repr(images)[:60], kind=TypeError)
    wanted = "(stimulus, frame, y, x)" if moving else "(stimulus, y, x)"
    if _in_colour(images.shape, 4 if moving else 3):
        todo = (
            f"Make them luminance first: skimage.color.rgb2gray(images{'[..., :3]' if images.shape[-1] == 4 else ''})"
        )
        raise need(f"grey pictures {wanted}", f"colour: shape {tuple(images.shape)}", todo)
    if images.ndim == (3 if moving else 2):
        images = images[None]
    if images.ndim != (4 if moving else 3):
        todo = "" if moving else "Moving pictures need frame_times"
        raise need(f"pictures {wanted}", f"shape {tuple(images.shape)}", todo)
    if 0 in images.shape:
        raise need("one or more pictures", f"shape {tuple(images.shape)}")
    kind = images.dtype
    if kind.kind == "b":
        return images.astype(np.float32)
    if kind.kind == "u" and kind.itemsize <= 2:
        return images.astype(np.float32) / np.float32(np.iinfo(kind).max)
    if kind.kind != "f":
        todo = "Divide by the level of white: images / 255.0"
        raise need("luminance 0..1, or whole numbers of 8 or 16 bits without sign", str(kind), todo, kind=TypeError)
    return images.astype(np.float32)


def _in_colour(shape: tuple[int, ...], dims: int) -> bool:
    """Return whether the last axis is one of colours: one dim too many, or one picture (y, x, 3) for 3 px wide ones."""
    if len(shape) < 3 or shape[-1] not in (3, 4):
        return False
    return len(shape) == dims + 1 or min(shape[-3:-1]) >= _WIDE


def _labels(labels: Mapping[str, Sequence[Any]] | pd.DataFrame | None, n: int) -> dict[str, Any]:
    table: dict[str, Any] = {str(name): values for name, values in ({} if labels is None else labels).items()}
    made: dict[str, Any] = {"stimulus_id": ("stimulus", [f"image-{i + 1:04d}" for i in range(n)])}
    for name, values in table.items():
        if name in _TAKEN:
            raise need("another name for a label", repr(name), f"{name!r} means something else on a StimulusSet")
        column = np.asarray(values)
        if column.shape != (n,):
            raise need(f"labels[{name!r}]: {n} values, one a picture", f"{column.size}")
        spec = STIMULUS_LABELS.get(name)
        number = spec.kind == "number" if spec is not None else column.dtype.kind in "iuf"
        if number and column.dtype.kind not in "iuf":
            raise need(f"labels[{name!r}]: numbers", repr(column.flat[0]), kind=TypeError)
        units = {"units": spec.units[0] if spec is not None and spec.units else "1"} if number else {}
        made[name] = ("stimulus", column.astype(float if number else str), units)
    return made
