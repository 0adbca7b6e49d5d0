"""Results written block by block to Zarr or netCDF: whole or absent, and an interrupted run goes on where it stopped.

A run works in a hidden folder beside its result, ``.<name>.partial``. There lie the data, ``made_from.json`` (what the
run is of) and ``done.txt`` (a line for every whole block). The data are moved into place at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import blocks, provenance
from nrsim.containers import File, Layout, NetCDFFile, ZarrGroup, need_zarr, open_lazily
from nrsim.errors import need


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


class BlockStore:
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
        self.target = _target(path, str(labels.attrs.get("schema", "")))
        self.folder = self.target.with_name(f".{self.target.name}.partial")
        self.labels, self.layout, self.step = labels, layout, step
        self.made_from = json.loads(provenance.as_json(made_from))
        self.done = 0
        self._open = ExitStack()
        self._kind = ZarrGroup if self.target.suffix == ".zarr" else NetCDFFile
        self._data = self.folder / ("data" + self.target.suffix)
        self._said, self._log = self.folder / "made_from.json", self.folder / "done.txt"

    def __enter__(self) -> BlockStore:
        """Take the folder for this run alone."""
        self._created = [each for each in (self.folder, *self.folder.parents) if not each.exists()]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._open.enter_context(_alone(self.folder / "lock", self.target))
        except OSError as error:
            reason = error.strerror or str(error)
            text = f"needed a name that can be written to; {str(self.target)!r} cannot be: {reason}"
            raise type(error)(text) from None
        return self

    def resume(self, source: xr.DataArray) -> None:
        """Go on with what an earlier run left if it was of the same, else begin."""
        left = self._left()
        if left is not None:
            reasons, lines, chunk = self._differences(left, source), self._lines(), int(left["chunk"])
            done = lines[-1][1] if lines else 0
            if not reasons:
                self.done, self.step = done, max(chunk, self.step // chunk * chunk)
                self._log.write_text("".join(_line(*line) for line in lines), encoding="ascii")
                if done:
                    _tell(f"{self.target.name}: going on after {done} of {self.layout.shape[0]} stimuli")
            else:
                if done:
                    had = f"an interrupted run ({done} of {left['n']} stimuli)"
                    _tell(f"{self.target.name}: {had} is of {', '.join(reasons)}; starting again")
                left = None
        if left is None:
            self._begin()
        self._file: File = self._open.enter_context(_closing(self._kind(self._data, self.layout)))

    def _left(self) -> dict[str, Any] | None:
        try:
            left: dict[str, Any] = json.loads(self._said.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return left

    def _differences(self, left: dict[str, Any], source: xr.DataArray) -> list[str]:
        """Return what else the earlier run was made from; of the values the first and the last block are looked at."""
        lines = self._lines()
        then, now = left["made_from"], self.made_from
        reasons = [f"other {name}" for name in {**then, **now} if then.get(name) != now.get(name)]
        if not reasons and any(mark != self._mark(start, stop) for start, stop, mark, _ in lines):
            reasons = ["other pictures (image_sha256)"]
        if not reasons:
            for start, stop, _, seen in [*lines[:1], *lines[1:][-1:]]:
                if _checksum(source[start:stop].values) != seen:
                    reasons = ["other values of the same stimuli"]
        return reasons

    def _lines(self) -> list[tuple[int, int, str, str]]:
        """Return (start, stop, mark of the labels, checksum of what was read) of every whole block."""
        if not self._log.is_file():
            return []
        whole = self._log.read_text(encoding="ascii").split("\n")[:-1]  # a line that was cut off is not done
        split = [line.split() for line in whole]
        return [(int(start), int(stop), mark, seen) for start, stop, mark, seen in split]

    def _mark(self, start: int, stop: int) -> str:
        """Return a hash of the pictures' hashes, where the labels have them."""
        if "image_sha256" not in self.labels.coords:
            return "-"
        names = self.labels["image_sha256"].values[start:stop]
        return provenance.text_hash("\n".join(str(name) for name in names))[:16]

    def _begin(self) -> None:
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        chunk = self.layout.chunk(self.step)
        self._kind.create(self._data, self.labels, self.layout, chunk)
        left = {"made_from": self.made_from, "chunk": chunk, "n": self.layout.shape[0], "labels": _digest(self.labels)}
        fresh = self._said.with_suffix(".new")
        fresh.write_text(json.dumps(left, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self._said)

    def write(self, start: int, values: np.ndarray, source: np.ndarray) -> None:
        """Write the results of a block; then it is done."""
        if not np.isfinite(values).all():
            names = self.labels["stimulus_id"].values[start : start + len(values)]
            bad = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
            raise need(f"finite {self.layout.name}", f"NaN or infinity at stimulus {str(names[bad][0])!r}")
        self._file.write(start, np.ascontiguousarray(values, dtype="<f4"))
        self.done = start + len(values)
        with self._log.open("a", encoding="ascii", newline="\n") as log:
            log.write(_line(start, self.done, self._mark(start, self.done), _checksum(source)))

    def finish(self) -> xr.Dataset:
        """Give the data their labels, move them into place and return them opened."""
        self._file.close()
        left = self._left()
        self._file.label(self.labels, changed=left is None or left["labels"] != _digest(self.labels))
        if self.target.is_dir():
            self.target.replace(self.folder / "replaced.zarr")
        self._data.replace(self.target)
        self._open.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return open_lazily(self.target)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Keep what is done; where nothing is, leave nothing."""
        self._open.close()
        if error is None:
            return
        if lines := self._lines():
            kept = f"{lines[-1][1]} of {self.layout.shape[0]} stimuli are kept in {str(self.folder)!r}"
            error.add_note(f"{kept}; the same call goes on from there")
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in self._created[1:]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _target(path: str | os.PathLike[str], noun: str) -> Path:
    """Return where a result is to go, refusing what cannot be replaced: all but an earlier ``noun`` of nrsim's."""
    if not isinstance(path, (str, os.PathLike)):
        raise need("out: a file name that ends in .zarr or .nc", repr(path), kind=TypeError)
    target = Path(path)
    if target.suffix == ".zarr":
        need_zarr()
        if target.exists() and not any((target / name).is_file() for name in (".zgroup", "zarr.json")):
            raise need("out: the name of a Zarr group, new or to be replaced", f"{str(target)!r}, which is none")
    elif target.suffix == ".nc":
        if target.is_dir():
            raise IsADirectoryError(f"needed the name of a file to write to; got the folder {str(target)!r}")
    else:
        raise need("out: a file name that ends in .zarr or .nc", repr(str(path)))
    if target.exists() and (found := _noun(target)) != noun:
        todo = "It would be lost: choose another name, or delete it yourself"
        raise need(f"out: a name that is free or of an earlier {noun}", f"{str(target)!r}, which is {found}", todo)
    return target


def _noun(target: Path) -> str:
    """Return which noun a file holds, or what it is instead."""
    try:
        with open_lazily(target) as found:
            return str(found.attrs.get("schema", "no result of nrsim's"))
    except Exception:  # whatever it is, it is not ours
        return "no result of nrsim's"


@contextmanager
def _alone(path: Path, target: Path) -> Iterator[None]:
    """Refuse to work where another process does, as far as the system has locks; a killed one leaves none."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise need(f"to be alone in writing {str(target)!r}", "another run that writes it now") from None
        except OSError:  # a file system without locks
            pass
        yield


@contextmanager
def _closing(file: File) -> Iterator[File]:
    try:
        yield file
    finally:
        file.close()


def _tell(text: str) -> None:
    warnings.warn(text, stacklevel=6)


def _line(start: int, stop: int, mark: str, seen: str) -> str:
    return f"{start} {stop} {mark} {seen}\n"


def _checksum(values: np.ndarray) -> str:
    return f"{zlib.crc32(np.ascontiguousarray(values).data):08x}"


def _digest(labels: xr.Dataset) -> str:
    """Return a hash of all labels and attributes but the time they were made."""
    made = hashlib.sha256()
    for name, coord in sorted(labels.coords.items(), key=lambda item: str(item[0])):
        made.update(f"{name}{coord.dims}{coord.shape}{provenance.as_json(coord.attrs)}".encode())
        values = np.ascontiguousarray(coord.values)
        made.update(values.tobytes() if values.dtype.kind in "biufcmM" else provenance.as_json(values).encode())
    made.update(provenance.as_json({key: value for key, value in labels.attrs.items() if key != "created"}).encode())
    return made.hexdigest()
