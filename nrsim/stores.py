"""Results written from the first stimulus to the last, block by block, to Zarr or netCDF; resumed where they stop."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import blocks, provenance
from nrsim.containers import File, Layout, NetCDFFile, ZarrGroup
from nrsim.errors import need
from nrsim.partial import PartialResult, on_disk, tell


def compute(
    source: xr.DataArray,
    work: Callable[[int, np.ndarray], np.ndarray],
    labels: xr.Dataset,
    layout: Layout,
    *,
    step: int,
    out: str | os.PathLike[str] | None = None,
    made_from: Mapping[str, Any] | None = None,
    progress: bool = False,
    said: str = "",
) -> xr.Dataset:
    """Return ``labels`` with the variable that ``work`` makes of ``source``, block by block.

    Parameters
    ----------
    source
        What is read, ``(stimulus, …)``.
    work
        (first stimulus, values of a block) → results of the block, ``(stimulus, …)`` float32. Results of a stimulus
        must not depend on the block it is in.
    labels
        Coordinates and attributes of the result.
    layout
        The variable that is made.
    step
        Stimuli in a block.
    out
        Where to write to, ``.zarr`` or ``.nc``. Default: into memory.
    made_from
        What the result is of, as JSON can hold it, part by part. A run that was interrupted goes on only if this is
        the same.
    progress, said
        Show what is done and what is left, under this name.

    Raises
    ------
    ValueError, OSError, ImportError
        If ``out`` cannot be written to.
    """
    n, labels = layout.shape[0], labels.compute().drop_encoding()
    bar: dict[str, Any] = {"total": n, "desc": said, "unit": "stimulus", "disable": None if progress else True}
    if out is None:
        values = np.empty(layout.shape, dtype=np.float32)
        with tqdm(**bar) as shown:
            for start, block in blocks.read(source, step):
                values[start : start + len(block)] = work(start, block)
                shown.update(len(block))
                del block
        return labels.assign({layout.name: (layout.dims, values, {"units": "1"})})
    with BlockStore(out, labels, layout, made_from or {}, step) as store:
        store.resume(source)
        with tqdm(**bar, initial=store.done) as shown:
            for start, block in blocks.read(source, store.step, store.done):
                store.write(start, work(start, block), block)
                shown.update(len(block))
                del block
        return store.finish()


class BlockStore(PartialResult):
    """The data of one run under a temporary name, with what they were made from and what is done.

    Parameters
    ----------
    path
        The result, ``.zarr`` or ``.nc``.
    labels, layout
        What it holds.
    made_from
        What it is of.
    step
        Stimuli in a block.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        labels: xr.Dataset,
        layout: Layout,
        made_from: Mapping[str, Any],
        step: int,
    ) -> None:
        super().__init__(path, str(labels.attrs.get("schema", "")), made_from)
        self.labels, self.layout, self.step = labels, layout, step
        self.done = 0
        self._kind = ZarrGroup if self.target.suffix == ".zarr" else NetCDFFile

    def resume(self, source: xr.DataArray) -> None:
        """Go on with what an earlier run left if it was of the same, else begin."""
        left = self.left()
        if left is not None:
            reasons, lines, chunk = self._differences(left, source), self._lines(), int(left["chunk"])
            done = lines[-1][1] if lines else 0
            if not reasons:
                self.done, self.step = done, max(chunk, self.step // chunk * chunk)
                self.keep_log([[str(word) for word in line] for line in lines])
                if done:
                    tell(f"{self.target.name}: going on after {done} of {self.layout.shape[0]} stimuli")
            else:
                if done:
                    had = f"an interrupted run ({done} of {left['n']} stimuli)"
                    tell(f"{self.target.name}: {had} is of {', '.join(reasons)}; starting again")
                left = None
        if left is None:
            self._begin()
        self._file: File = self._open.enter_context(_closing(self._kind(self._data, self.layout)))

    def _differences(self, left: dict[str, Any], source: xr.DataArray) -> list[str]:
        """Return what else the earlier run was made from; of the values the first and the last block are looked at."""
        lines = self._lines()
        reasons = self.differences(left)
        if not reasons and any(mark != self._mark(start, stop) for start, stop, mark, _ in lines):
            reasons = ["other pictures (image_sha256)"]
        if not reasons:
            for start, stop, _, seen in [*lines[:1], *lines[1:][-1:]]:
                if _checksum(source[start:stop].values) != seen:
                    reasons = ["other values of the same stimuli"]
        return reasons

    def _lines(self) -> list[tuple[int, int, str, str]]:
        """Return (start, stop, mark of the labels, checksum of what was read) of every whole block."""
        return [(int(start), int(stop), mark, seen) for start, stop, mark, seen in self.log_lines()]

    def _mark(self, start: int, stop: int) -> str:
        """Return a hash of the pictures' hashes, where the labels have them."""
        if "image_sha256" not in self.labels.coords:
            return "-"
        names = self.labels["image_sha256"].values[start:stop]
        return provenance.text_hash("\n".join(str(name) for name in names))[:16]

    def _begin(self) -> None:
        self.clear()
        chunk = self.layout.chunk(self.step)
        self._kind.create(self._data, self.labels, self.layout, chunk)
        self.say(chunk=chunk, n=self.layout.shape[0], labels=provenance.labels_hash(self.labels))

    def write(self, start: int, values: np.ndarray, source: np.ndarray) -> None:
        """Write the results of a block; then it is done."""
        if not np.isfinite(values).all():
            names = self.labels["stimulus_id"].values[start : start + len(values)]
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            raise need(f"finite {self.layout.name}", f"NaN or infinity at stimulus {str(names[bad][0])!r}")
        with on_disk(self.target):
            self._file.write(start, np.ascontiguousarray(values, dtype="<f4"))
            self.done = start + len(values)
            self.log(start, self.done, self._mark(start, self.done), _checksum(source))

    def finish(self) -> xr.Dataset:
        """Give the data their labels, move them into place and return them opened."""
        with on_disk(self.target):
            self._file.close()
            left = self.left()
            changed = left is None or left["labels"] != provenance.labels_hash(self.labels)
            self._file.label(self.labels, changed=changed)
        return self.put_in_place()

    def kept(self) -> str:
        """Return what is done as words."""
        lines = self._lines()
        return f"{lines[-1][1]} of {self.layout.shape[0]} stimuli" if lines else ""


@contextmanager
def _closing(file: File) -> Iterator[File]:
    try:
        yield file
    finally:
        file.close()


def _checksum(values: np.ndarray) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(values).data):08x}"
