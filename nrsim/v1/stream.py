"""A bank's responses to any number of pictures, block by block: into memory, or into a file that resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim import blocks, provenance, stores
from nrsim._version import __version__
from nrsim.errors import need
from nrsim.quantities import whole
from nrsim.schema import check, check_images
from nrsim.v1.noise import ResponseNoise

LIMIT = 2.0  # GB of responses that are still returned in memory
KNOWN = 2**28  # bytes of pictures in memory that are looked at before anything else


@dataclass(frozen=True)
class Writing:
    """How many pictures are filtered at once, and where responses go: arguments of :meth:`nrsim.V1Bank.transform`."""

    block: int
    progress: bool
    out: str | os.PathLike[str] | None
    movies: bool = False  # whether the frames of a stimulus are seen together


def respond(
    faces: xr.Dataset,
    work: Callable[[np.ndarray, np.ndarray], np.ndarray],
    labelled: xr.Dataset,
    name: str,
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    noise: ResponseNoise | None,
    how: Writing,
) -> xr.Dataset:
    """Return the V1Response ``name (stimulus, [frame,] …)``.

    Parameters
    ----------
    faces
        A StimulusSet, checked but for the values of large ones.
    work
        Pictures ``(image, y, x)``, or movies ``(stimulus, frame, y, x)``, and the numbers of their stimuli → responses
        float32.
    labelled
        Labels and attributes of the result.
    name, dims
        The variable.
    shape
        Of the response to one picture.
    noise, how
        As :meth:`nrsim.V1Bank.transform`.
    """
    if noise is not None and not isinstance(noise, ResponseNoise):
        raise need("noise: a nr.ResponseNoise(seed=…)", repr(noise), kind=TypeError)
    frames = (faces.sizes["frame"],) if "frame" in faces["image"].dims else ()
    lead = (faces.sizes["stimulus"], *frames)
    size = np.prod((*lead, *shape), dtype=float) * 4e-9
    if how.out is None and size > LIMIT:
        raise need(
            f"responses that fit into {LIMIT:g} GB",
            f"{size:.1f} GB for {' × '.join(map(str, lead))} pictures",
            "Write them block by block, out='responses.zarr', or pool while filtering, pool=nr.PooledEnergy(size=16)",
        )
    if noise is not None:
        labelled = noise.stamp(labelled)
    ids, known = faces["stimulus_id"].values, in_memory(faces)

    def one(start: int, images: np.ndarray) -> np.ndarray:
        names = ids[start : start + len(images)]
        if not known:
            check_images(images, names)
        looked = images if how.movies else images.reshape(-1, *images.shape[-2:])
        numbers = np.repeat(np.arange(start, start + len(images)), len(looked) // max(len(images), 1))
        seen = work(looked, numbers).reshape(len(images), *frames, *shape)
        return seen if noise is None else noise.add(seen, names, name)

    made = stores.compute(
        faces["image"],
        one,
        labelled,
        stores.Layout(name, dims, (*lead, *shape)),
        step=max(1, whole(how.block, "block", low=1) // (frames[0] if frames else 1)),
        out=how.out,
        made_from=_origin(faces, labelled) if how.out is not None else None,
        progress=how.progress,
        said="V1",
    )
    return check(made, "V1Response", values=how.out is None)


def in_memory(faces: Any) -> bool:
    """Return whether the pictures are few enough, and no Dask array, to be looked at before anything else."""
    if not isinstance(faces, xr.Dataset) or "image" not in faces:
        return True
    return faces["image"].nbytes <= KNOWN and not blocks.in_graph(faces["image"])


def _origin(faces: xr.Dataset, labelled: xr.Dataset) -> dict[str, Any]:
    """Return what responses are made from, part by part."""
    y, x = (faces[name].values for name in ("y", "x"))
    times = faces["frame_time"].values.tolist() if "frame_time" in faces.coords else None
    return {
        "nrsim version": __version__,
        "settings": [json.loads(labelled.attrs["parameters"]), labelled.attrs["history"]],
        "stimuli": provenance.text_hash("\n".join(map(str, faces["stimulus_id"].values))),
        "times of the frames": times,
        "size of the pictures": [dict(faces["image"].sizes), *(float(axis[i]) for axis in (y, x) for i in (0, -1))],
    }
