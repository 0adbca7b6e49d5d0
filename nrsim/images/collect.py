"""Many pictures and their labels become one StimulusSet, in memory or, one by one, in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import files, provenance
from nrsim.errors import need
from nrsim.pixels import FILE_SIZE, coordinates
from nrsim.schema import check

_LARGEST = 4 * 2**30  # bytes of pictures that are made in memory; more go to a file (chosen: half of a small computer)


def collect(
    names: Sequence[str],
    read: Callable[[str], tuple[np.ndarray, tuple[int, int]]],
    labels: Mapping[str, Any],
    *,
    step: str,
    settings: Mapping[str, Any],
    degrees: float,
    title: str,
    source: str,
    points: tuple[np.ndarray, list[str]] | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Read pictures one by one and return them as a checked StimulusSet.

    Parameters
    ----------
    names
        The pictures, as ``read`` takes them.
    read
        Name → luminance ``(y, x)`` and the picture's height and width in px before it was resized.
    labels
        Coordinates along ``stimulus``, ready for xarray.
    step, settings, title, source
        For the history.
    degrees
        Width of the pictures, degree.
    points
        Landmarks ``(picture, point, 2)`` in px of the files, NaN where unknown, and the points' names.
        Pictures that are resized get the labels ``file_width`` and ``file_height``, px.
    out
        A netCDF file to write to, picture by picture; the result is opened from it, and values are read when needed.
    progress
        Show what is done and what is left.

    Raises
    ------
    ValueError
        If pictures differ in size, most landmarks of one lie outside it, or there are more than fit in memory.
    """
    target = None if out is None else Path(out)
    if target is not None and target.suffix != ".nc":
        raise need("out: the name of a netCDF file, ending in .nc", repr(str(out)))
    first, _ = read(names[0])
    height, width = first.shape
    whole_set = first.nbytes * len(names)
    if target is None and whole_set > _LARGEST:
        raise need(
            f"at most {_LARGEST / 2**30:g} GiB of pictures in memory",
            f"{len(names)} pictures of {height} × {width} px, {whole_set / 2**30:.1f} GiB",
            "Pass out='faces.nc' to write them to a file, or choose fewer, or a smaller size=",
        )
    sizes = np.empty((len(names), 2))  # px of the files: width, height
    hashes = []
    bar = tqdm(names, desc=step, unit="picture", disable=None if progress else True)

    def pictures() -> Any:
        for i, name in enumerate(bar):
            image, (h, w) = read(name)
            if image.shape != first.shape:
                came = f"{height} × {width} px in {names[0]!r} and {h} × {w} px in {name!r}"
                raise need("pictures of one size", came, "Pass size=, to which all are resized")
            sizes[i] = w, h
            if points is not None:
                _mostly_inside(points[0][i], name, h, w)
            hashes.append(provenance.image_hash(image))
            yield image

    def labelled() -> xr.Dataset:
        coords = dict(labels)
        coords["image_sha256"] = ("stimulus", hashes)
        coords |= coordinates(height, width, degrees)
        if (sizes != (width, height)).any():
            for name, each in zip(FILE_SIZE, sizes.T, strict=True):
                coords[name] = ("stimulus", each, {"units": "px"})
        if points is not None:
            scales = np.array([width, height]) / sizes
            coords["landmark"] = (("stimulus", "point", "axis"), points[0] * scales[:, None], {"units": "px"})
            coords |= {"point": ("point", points[1]), "axis": ("axis", ["x", "y"])}
        made = xr.Dataset(coords=coords)
        return provenance.stamp(made, "StimulusSet", step, settings, title=title, source=source)

    if target is None:
        images = np.empty((len(names), height, width), dtype=np.float32)
        for i, image in enumerate(pictures()):
            images[i] = image
        made = labelled()
        made["image"] = (("stimulus", "y", "x"), images, _ABOUT)
        return check(made, "StimulusSet")
    variables = {"image": ((height, width), ("y", "x"))}
    with files.StimulusWriter(target, len(names), variables, {"image": _ABOUT}) as writer:
        for i, image in enumerate(pictures()):
            writer.write(i, {"image": image})
        writer.finish(labelled())
    return check(files.open_stimuli(target), "StimulusSet")


_ABOUT = {"units": "1", "long_name": "luminance"}


def _mostly_inside(places: np.ndarray, name: str, height: int, width: int) -> None:
    """Raise if most points lie outside the picture: they were then marked at another size."""
    known = places[np.isfinite(places).all(axis=1)]
    outside = int(((known < 0) | (known > (width, height))).any(axis=1).sum())
    if outside > len(known) / 2:
        todo = "Landmarks are in px of the file, upright, with 0 at the left and top edge"
        raise need(
            f"most landmarks of {name!r} inside it ({height} × {width} px)", f"{outside} of {len(known)} outside", todo
        )
