"""One large labelled variable in a Zarr group or a netCDF file that is filled from its first stimulus to its last."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr

from nrsim.errors import need

CHUNK = 2**23  # bytes: the largest chunk of a Zarr array


@dataclass(frozen=True)
class Layout:
    """The one large variable of a result: ``name (stimulus, …)`` float32."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def row(self) -> int:
        """Bytes of one stimulus."""
        return 4 * int(np.prod(self.shape[1:], dtype=np.int64))

    def chunk(self, step: int) -> int:
        """Return how many stimuli, a divisor of ``step``, lie in a chunk of a Zarr array."""
        return _divisor(step, CHUNK // max(1, self.row))


class ZarrGroup:
    """A Zarr group of format 2: format 3 has no settled form for text, which labels are."""

    def __init__(self, path: Path, layout: Layout) -> None:
        import zarr

        self.path, self.layout = path, layout
        self.array: Any = zarr.open_group(path, mode="r+", zarr_format=2)[layout.name]

    @staticmethod
    def create(path: Path, labels: xr.Dataset, layout: Layout, chunk: int) -> None:
        """Make an empty array; labels come at the end."""
        import zarr

        inner = list(layout.shape[1:])
        if chunk == 1 and layout.row > CHUNK:  # maps of many frames, or of very many pixels
            for i, size in enumerate(inner):
                inner[i] = _divisor(size, max(1, CHUNK * size // (4 * int(np.prod(inner)))))
                if 4 * np.prod(inner) <= CHUNK:
                    break
        zarr.open_group(path, mode="w", zarr_format=2).create_array(
            layout.name,
            shape=layout.shape,
            chunks=(chunk, *inner),
            dtype="<f4",
            fill_value=float("nan"),
            attributes={"_ARRAY_DIMENSIONS": list(layout.dims), "units": "1"},
        )

    def write(self, start: int, values: np.ndarray) -> None:
        """Write whole chunks."""
        self.array[start : start + len(values)] = values

    def close(self) -> None:
        """There is nothing to close."""

    def label(self, labels: xr.Dataset, changed: bool) -> None:
        """Write the labels, whatever there was of them."""
        import zarr

        group = zarr.open_group(self.path, mode="r+", zarr_format=2)
        for name in list(group.array_keys()):
            if name != self.layout.name:
                del group[name]
        labels.to_zarr(self.path, mode="a", zarr_format=2, consolidated=False)
        zarr.consolidate_metadata(self.path, zarr_format=2)


class NetCDFFile:
    """A netCDF4 file whose values lie in one run of bytes, uncompressed.

    HDF5 makes the file once and closes it; the values are then written at their place without it. So the file is sound
    whenever the run is killed, as no file is that HDF5 was writing to.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        import h5py

        self.path, self.layout = path, layout
        with h5py.File(path, "r") as file:
            self.offset = int(file[layout.name].id.get_offset() or 0)
        self.bytes = path.open("r+b", buffering=0)

    @staticmethod
    def create(path: Path, labels: xr.Dataset, layout: Layout, chunk: int = 1) -> None:
        """Make a file with labels and room for the values."""
        import h5netcdf
        import h5py

        labels.to_netcdf(path, engine="h5netcdf")
        room = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        room.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        room.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        with h5netcdf.File(path, "a") as file:
            for dim, size in zip(layout.dims, layout.shape, strict=True):
                if dim not in file.dimensions:
                    file.dimensions[dim] = size
            variable = file.create_variable(layout.name, layout.dims, "<f4", dcpl=room)
            variable.attrs["units"] = "1"

    def write(self, start: int, values: np.ndarray) -> None:
        """Write at the place of the first stimulus."""
        self.bytes.seek(self.offset + start * self.layout.row)
        left = values.data.cast("B")
        while left:
            left = left[self.bytes.write(left) :]

    def close(self) -> None:
        """Close the file."""
        self.bytes.close()

    def label(self, labels: xr.Dataset, changed: bool) -> None:
        """Copy the values into a new file if the labels have changed."""
        if not changed:
            return
        fresh = self.path.with_name("labelled.nc")
        self.create(fresh, labels, self.layout)
        copy = NetCDFFile(fresh, self.layout)
        step = max(1, CHUNK // max(1, self.layout.row))
        try:
            with self.path.open("rb") as old:
                for start in range(0, self.layout.shape[0], step):
                    n = min(step, self.layout.shape[0] - start)
                    old.seek(self.offset + start * self.layout.row)
                    copy.write(start, np.frombuffer(old.read(n * self.layout.row), dtype="<f4"))
        finally:
            copy.close()
        fresh.replace(self.path)


class File(Protocol):
    """What the containers have in common."""

    def write(self, start: int, values: np.ndarray) -> None:
        """Write the values of the stimuli from ``start`` on, contiguous little-endian float32."""

    def close(self) -> None:
        """Close what is open."""

    def label(self, labels: xr.Dataset, changed: bool) -> None:
        """Give it its labels; ``changed`` says whether they are others than those it was created with."""


def open_lazily(path: str | os.PathLike[str]) -> xr.Dataset:
    """Return a written result whose values stay on disk until they are asked for; labels are in memory."""
    engine = "zarr" if Path(path).suffix == ".zarr" else "h5netcdf"
    dataset = xr.open_dataset(path, engine=engine, cache=False, chunks=None)
    loaded = {name: coord.load() for name, coord in dataset.coords.items()}
    text = {name: coord.astype(object) for name, coord in loaded.items() if coord.dtype.kind == "T"}
    labelled = dataset.assign_coords({**loaded, **text})
    labelled.set_close(dataset.close)
    return labelled


def need_zarr() -> None:
    """Refuse to go on without zarr 3."""
    try:
        import zarr
    except ImportError:
        found = "none"
    else:
        found = zarr.__version__
    if not found.split(".")[0].isdigit() or int(found.split(".")[0]) < 3:
        todo = "pip install 'nrsim[zarr]', or write netCDF: out=\"….nc\""
        raise need("zarr 3 or later to write .zarr", found, todo, kind=ImportError)


def _divisor(number: int, most: int) -> int:
    """Return the largest divisor of ``number`` that is no larger than ``most``; at least 1."""
    return max((d for d in range(1, min(number, most) + 1) if number % d == 0), default=1)
