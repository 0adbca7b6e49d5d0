"""Files: what nrsim ships, and results that are whole or absent."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """Return the folder ``"stimuli"`` or ``"analyses"`` that came with nrsim.

    In a wheel it lies inside the package; in a checkout or an editable install, beside it.

    Raises
    ------
    FileNotFoundError
        If this installation has neither.
    """
    inside = _PACKAGE / "_shipped" / folder
    if inside.is_dir():
        return inside
    beside = _PACKAGE.parent / folder
    if beside.is_dir() and (_PACKAGE.parent / "setup.cfg").is_file():
        return beside
    raise FileNotFoundError(f"nrsim's own folder {folder!r} is missing from this installation; reinstall nrsim")


def asset(name: str) -> Path:
    """Return the path of a small data file in ``nrsim/data``.

    Raises
    ------
    FileNotFoundError
        If this installation lacks it.
    """
    path = _PACKAGE / "data" / name
    if not path.is_file():
        raise FileNotFoundError(f"nrsim's own data file {name!r} is missing from this installation; reinstall nrsim")
    return path


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside ``path``; move it into place only when the block ends well.

    Raises
    ------
    IsADirectoryError, PermissionError, OSError
        If ``path`` is a folder, or its folder cannot be written to.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"needed the name of a file to write to; got the folder {str(target)!r}")
    created = _missing(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial" + target.suffix, dir=target.parent)
    except OSError as error:
        _drop_empty(created)
        raise _unwritable(target.parent, error) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        _drop_empty(created)


def _missing(folder: Path) -> list[Path]:
    """Return the folders that are to be created for ``folder``, the innermost first."""
    return [each for each in (folder, *folder.parents) if not each.exists()]


def _drop_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _unwritable(folder: Path, error: OSError) -> OSError:
    reason = error.strerror or str(error)
    return type(error)(f"needed a folder that can be written to; {str(folder)!r} cannot be: {reason}")


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; move its files into ``path`` only when the block ends well.

    Files of the same name are replaced; others that lie in ``path`` stay.

    Raises
    ------
    NotADirectoryError, PermissionError, OSError
        If ``path`` is a file, or its folder cannot be written to.
    """
    target = Path(path)
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(f"needed a folder to write to; got the file {str(target)!r}. Choose another --out")
    created = _missing(target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    except OSError as error:
        _drop_empty(created)
        raise _unwritable(target, error) from None
    try:
        yield temporary
        for source in sorted(temporary.rglob("*")):
            if source.is_file():
                place = target / source.relative_to(temporary)
                place.parent.mkdir(parents=True, exist_ok=True)
                source.replace(place)
        created = []
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _drop_empty(created)


def write_netcdf(dataset: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a noun to netCDF4 through h5netcdf, numbers compressed, whole or not at all."""
    encoding = {
        str(name): {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iufb" and variable.size > 1000
    }
    with replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)


class StimulusWriter:
    """Writes the pictures of a StimulusSet one by one, so that a set of any number needs the memory of one.

    Parameters
    ----------
    path
        The netCDF file; it appears when :meth:`finish` was called and the block ends well.
    n_stimuli
        How many pictures will come.
    variables
        Name → (shape, dims) of one stimulus's values, float32.
    attributes
        Name → attributes of the variable. Default: ``units`` 1.

    Raises
    ------
    OSError
        As :func:`replacing`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        n_stimuli: int,
        variables: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]],
        attributes: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._replacing = replacing(path)
        self._file: Any = None
        self._n, self._variables, self._attributes = n_stimuli, variables, attributes or {}

    def __enter__(self) -> StimulusWriter:
        """Open a temporary file beside the path."""
        import h5netcdf

        self._temporary = self._replacing.__enter__()
        try:
            self._file = h5netcdf.File(self._temporary, "w")
            self._create()
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _create(self) -> None:
        sizes = {"stimulus": self._n}
        for shape, dims in self._variables.values():
            sizes |= dict(zip(dims, shape, strict=True))
        self._file.dimensions = sizes
        for name, (shape, dims) in self._variables.items():
            variable = self._file.create_variable(
                name,
                ("stimulus", *dims),
                "f4",
                chunks=(1, *shape),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
                fillvalue=np.float32("nan"),
            )
            variable.attrs.update(self._attributes.get(name, {"units": "1"}))

    def write(self, number: int, values: Mapping[str, np.ndarray]) -> None:
        """Write one stimulus's values."""
        for name, value in values.items():
            self._file[name][number] = value

    def finish(self, labels: xr.Dataset) -> None:
        """Add coordinates and attributes, which are known at the end."""
        self._file.close()
        labels.to_netcdf(self._temporary, engine="h5netcdf", mode="a")

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Move the file into place if nothing went wrong."""
        try:
            if self._file is not None:
                self._file.close()
        except BaseException as failure:
            self._replacing.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._replacing.__exit__(kind, error, trace)


def open_stimuli(path: str | os.PathLike[str]) -> xr.Dataset:
    """Return a written StimulusSet whose pictures stay on disk until they are asked for; labels are in memory."""
    dataset = xr.open_dataset(path, engine="h5netcdf", cache=False)
    labelled = dataset.assign_coords({name: coord.load() for name, coord in dataset.coords.items()})
    labelled.set_close(dataset.close)
    return labelled


def write_attributes(path: str | os.PathLike[str], attributes: Mapping[str, Any]) -> None:
    """Replace the attributes of a netCDF file, whole or not at all; the rest of it stays where it is."""
    import h5netcdf

    target = Path(path)
    with replacing(target) as temporary:
        target.replace(temporary)
        try:
            with h5netcdf.File(temporary, "a") as file:
                for name in list(file.attrs):
                    if name not in attributes and name != "coordinates":
                        del file.attrs[name]
                file.attrs.update(attributes)
        except BaseException:
            temporary.replace(target)
            raise


def write_pictures(
    stimuli: xr.Dataset, folder: str | os.PathLike[str], kind: str = "png", *, progress: bool = False
) -> list[list[str]]:
    """Write every stimulus as a picture, one at a time, and return their names.

    Values are written as they are (1 is the largest level), in colour where the set has ``colour``. Moving faces
    become a picture a frame.

    Parameters
    ----------
    stimuli
        A StimulusSet.
    folder
        Where to write.
    kind
        ``"png"`` (8 bits) or ``"tiff"`` (32-bit floating point).
    progress
        Show what is done and what is left.

    Returns
    -------
    list of list of str
        For each stimulus the names of its frames, one for a still picture, relative to the folder's parent.
    """
    from PIL import Image
    from tqdm.auto import tqdm

    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    source = stimuli["colour" if "colour" in stimuli and kind == "png" else "image"]
    names: list[list[str]] = []
    taken: set[str] = set()
    for i in tqdm(range(stimuli.sizes["stimulus"]), desc="pictures", disable=None if progress else True):
        stem = re.sub(r"[^\w.+\-]+", "_", str(stimuli["stimulus_id"].values[i]))
        while stem.lower() in taken:
            stem += "_"
        taken.add(stem.lower())
        values = source[i].values
        frames = list(values) if "frame" in source.dims else [values]
        names.append([])
        for number, frame in enumerate(frames):
            name = f"{stem}_{number:03d}.{kind}" if len(frames) > 1 else f"{stem}.{kind}"
            levels = np.rint(frame * 255).astype(np.uint8) if kind == "png" else frame.astype(np.float32)
            Image.fromarray(levels).save(place / name)
            names[-1].append(f"{place.name}/{name}")
    return names
