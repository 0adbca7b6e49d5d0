"""Files: what nrsim ships, and results that are whole or absent."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    """Give a temporary name beside ``path``; move it into place only when the block ends well."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial" + target.suffix, dir=target.parent)
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
    created = [folder for folder in (target, *target.parents) if not folder.exists()]
    try:
        target.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".partial-", dir=target))
    except OSError as error:
        reason = error.strerror or str(error)
        raise type(error)(f"needed a folder that can be written to; {str(target)!r} cannot be: {reason}") from None
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
        for folder in created:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def write_netcdf(dataset: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write a noun to netCDF4 through h5netcdf, numbers compressed, whole or not at all."""
    encoding = {
        str(name): {"zlib": True, "complevel": 1, "shuffle": True}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "iufb" and variable.size > 1000
    }
    with replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
