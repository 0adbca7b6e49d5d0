"""Results that take long: whole or absent, kept in a hidden folder while they grow, resumed only if of the same.

A run works in a hidden folder beside its result, ``.<name>.partial``. There lie the data, ``made_from.json`` (what the
run is of) and ``done.txt`` (a line for every whole block). The data are moved into place at the end.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import xarray as xr

from nrsim import provenance
from nrsim.containers import need_zarr, open_lazily
from nrsim.errors import need


class PartialResult:
    """The hidden folder of one run, taken for this run alone.

    Parameters
    ----------
    path
        The result, ``.zarr`` or ``.nc``.
    noun
        What it holds; an earlier result of the same noun may be replaced.
    made_from
        What it is of, part by part, as JSON can hold it.
    """

    def __init__(self, path: str | os.PathLike[str], noun: str, made_from: Mapping[str, Any]) -> None:
        self.target = checked_target(path, noun)
        self.folder = self.target.with_name(f".{self.target.name}.partial")
        self.made_from = json.loads(provenance.as_json(made_from))
        self._open = ExitStack()
        self._data = self.folder / ("data" + self.target.suffix)
        self._said, self._log = self.folder / "made_from.json", self.folder / "done.txt"

    def __enter__(self) -> Any:
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

    def left(self) -> dict[str, Any] | None:
        """Return what an earlier run said that it is of, if there was one."""
        try:
            left: dict[str, Any] = json.loads(self._said.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return left

    def differences(self, left: Mapping[str, Any]) -> list[str]:
        """Return in which parts an earlier run was of something else."""
        then, now = left["made_from"], self.made_from
        return [f"other {name}" for name in {**then, **now} if then.get(name) != now.get(name)]

    def log_lines(self) -> list[list[str]]:
        """Return the words of every line about a whole block; a line that was cut off is not done."""
        if not self._log.is_file():
            return []
        return [line.split() for line in self._log.read_text(encoding="ascii").split("\n")[:-1]]

    def log(self, *words: object) -> None:
        """Add a line: a block is done."""
        with self._log.open("a", encoding="ascii", newline="\n") as log:
            log.write(log_line(*words))

    def keep_log(self, lines: list[list[str]]) -> None:
        """Write the log afresh, without what was cut off."""
        fresh = self._log.with_suffix(".new")
        fresh.write_text("".join(log_line(*words) for words in lines), encoding="ascii", newline="\n")
        fresh.replace(self._log)

    def clear(self) -> None:
        """Throw away what an earlier run left."""
        for path in self.folder.iterdir():
            if path.name != "lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def say(self, **more: Any) -> None:
        """Write down what this run is of; with this it can be resumed."""
        fresh = self._said.with_suffix(".new")
        text = json.dumps({"made_from": self.made_from, **more}, indent=1, sort_keys=True, ensure_ascii=False)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._said)

    def put_in_place(self) -> xr.Dataset:
        """Move the data to their name, drop the folder, and return the result opened."""
        if self.target.is_dir():
            self.target.replace(self.folder / "replaced.zarr")
        self._data.replace(self.target)
        self._open.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return open_lazily(self.target)

    def kept(self) -> str:
        """Return what is done as words, ``""`` for nothing."""
        raise NotImplementedError

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        """Keep what is done; where nothing is, leave nothing."""
        self._open.close()
        if error is None:
            return
        if kept := self.kept():
            error.add_note(f"{kept} are kept in {str(self.folder)!r}; the same call goes on from there")
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in self._created[1:]:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


@contextmanager
def on_disk(target: Path) -> Iterator[None]:
    """Say it clearly when the disk becomes full within the block.

    Raises
    ------
    OSError
        With ``errno`` ENOSPC, the folder, and what to do.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)) and "No space left" not in str(
            error
        ):
            raise
        free = shutil.disk_usage(existing(target)).free
        full = need(
            f"room on the disk of {str(target)!r}",
            f"{error.strerror or error} ({free / 1e9:.2f} GB are free)",
            "Free some, then call again",
            kind=OSError,
        )
        full.errno = errno.ENOSPC  # type: ignore[attr-defined]
        raise full from error


def existing(path: Path) -> Path:
    """Return the innermost folder of ``path`` that exists."""
    place = path.absolute()
    return next(each for each in (place, *place.parents) if each.is_dir())


def checked_target(path: str | os.PathLike[str], noun: str) -> Path:
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


def tell(text: str, stacklevel: int = 6) -> None:
    """Warn of what became of an earlier run."""
    warnings.warn(text, stacklevel=stacklevel)


def log_line(*words: object) -> str:
    """Return a line of the log."""
    return " ".join(str(word) for word in words) + "\n"


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
