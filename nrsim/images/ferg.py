"""FERG-DB: drawn faces of six avatars with seven expressions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.images import landmarks as points
from nrsim.images.collect import collect
from nrsim.images.reading import read_picture
from nrsim.quantities import bare, whole

EXPRESSIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
_SOURCE = (
    "FERG-DB: Aneja, Colburn, Faigin, Shapiro & Mones, Modeling stylized character expressions via deep learning, "
    "ACCV 2016"
)


class _Picture(NamedTuple):
    avatar: str
    expression: str
    number: int
    file: str  # relative to the folder of the avatars

    @property
    def name(self) -> str:
        return Path(self.file).stem


def load_ferg(
    path: str | os.PathLike[str],
    *,
    avatars: Sequence[str] | None = None,
    expressions: Sequence[str] | None = None,
    limit: int | None = None,
    size: int | None = None,
    degrees: float = 4.0,
    norms: Mapping[str, str] | None = None,
    landmarks: xr.DataArray | str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return pictures of the Facial Expression Research Group database (FERG-DB) as a StimulusSet.

    The database (55,767 pictures of 256 × 256 px) is had from its authors on request [1]_.

    Parameters
    ----------
    path
        Its folder ``FERG_DB_256``, or the folder that holds it:
        ``FERG_DB_256/<avatar>/<avatar>_<expression>/<avatar>_<expression>_<number>.png``.
    avatars
        Which of aia, bonnie, jules, malcolm, mery and ray, or of whatever avatars the folder holds. Default: all.
    expressions
        Which of anger, disgust, fear, joy, neutral, sadness and surprise. Default: all.
    limit
        At most this many pictures of each avatar and expression, spread evenly over their numbers: the middle ones of
        ``limit`` equal parts. (Neighbours are frames of one animation and much alike.) Default: all.
    size
        Resize every picture to ``size`` × ``size`` px, with anti-aliasing. Default: 256, as they are.
    degrees
        Width of a picture in degrees of visual angle. Default 4 (chosen).
    norms
        Avatar → ``stimulus_id`` of the neutral picture that is its norm: ``{"aia": "aia_neutral_12"}``. It is loaded
        in any case. An avatar that is not named has a norm only if exactly one of its neutral pictures is loaded.
    landmarks
        Landmarks of pictures that are loaded, as for :func:`nrsim.load_folder`; their ``file`` is relative to the
        folder of the avatars.
    out
        A netCDF file (``.nc``) to write to, picture by picture. The StimulusSet is then opened from it, and pictures
        are read when needed. Required above 4 GiB of pictures.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)``, with ``domain`` = the avatar, ``expression`` in the database's
        words, ``file``, ``norm_id`` and ``norm_kind`` = "neutral". The database grades nothing: ``intensity`` is 0 for
        neutral pictures and 1 for all others, which says no more than that.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or nothing in it that is laid out so.
    ValueError, TypeError
        For an avatar, expression or norm that is not there (the nearest is named), a picture of another name, or more
        pictures than fit in memory.

    References
    ----------
    .. [1] Aneja, Colburn, Faigin, Shapiro & Mones (2016), Modeling stylized character expressions via deep learning,
       Asian Conference on Computer Vision. https://grail.cs.washington.edu/projects/deepexpr/ferg-2d-db.html

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.load_ferg("FERG_DB_256", avatars=["aia", "ray"], limit=20, size=128)  # doctest: +SKIP
    """
    root, found = _find(Path(path))
    width = bare(degrees, "degree", "degrees", above=0)
    size = None if size is None else whole(size, "size", low=8)
    limit = None if limit is None else whole(limit, "limit", low=1)
    who = _chosen("avatar", avatars, found)
    which = _chosen("expression", expressions, EXPRESSIONS)
    everyone = {name: _pictures(root, name, found[name]) for name in who}
    named = _named_norms(norms, everyone)
    kept: list[_Picture] = []
    for name in who:
        for expression in EXPRESSIONS:
            there = everyone[name].get(expression, [])
            wanted = {there[i].name for i in _spread(len(there), limit)} if expression in which else set()
            kept += [picture for picture in there if picture.name in wanted or picture.name == named.get(name)]
    if not kept:
        raise need(f"pictures of {', '.join(which)}", f"none of {', '.join(who)} in {str(root)!r}")
    ids = [picture.name for picture in kept]
    points.check_files(landmarks, size)
    marks = None if landmarks is None else points.for_pictures(landmarks, [picture.file for picture in kept], ids)
    intensity = np.array([0.0 if picture.expression == "neutral" else 1.0 for picture in kept])
    norm = _norms(kept, named)
    labels = {
        "stimulus_id": ("stimulus", ids),
        "domain": ("stimulus", [picture.avatar for picture in kept]),
        "expression": ("stimulus", [picture.expression for picture in kept]),
        "intensity": ("stimulus", intensity, {"units": "1"}),
        "norm_id": ("stimulus", [norm.get(picture.avatar, "") for picture in kept]),
        "norm_kind": ("stimulus", ["neutral"] * len(kept)),
        "file": ("stimulus", [picture.file for picture in kept]),
    }
    settings = {"avatars": who, "expressions": which, "limit": limit, "size": size, "degrees": width, "norms": named}
    return collect(
        [picture.file for picture in kept],
        partial(_read, root, size),
        labels,
        step="load_ferg",
        settings=settings,
        degrees=width,
        title="FERG-DB",
        source=_SOURCE,
        points=marks,
        out=out,
        progress=progress,
    )


def ferg(
    *,
    path: str,
    avatars: list[str] | None = None,
    expressions: list[str] | None = None,
    limit: int | None = None,
    size: int | None = None,
    degrees: float = 4.0,
    norms: dict[str, str] | None = None,
    progress: bool = False,
    base: Path = Path(),
) -> xr.Dataset:
    """Return FERG-DB as a recipe names it: the path starts from the recipe's folder ``base``."""
    wanted = {"avatars": avatars, "expressions": expressions, "limit": limit, "norms": norms}
    return load_ferg(base / path, size=size, degrees=degrees, progress=progress, **wanted)  # type: ignore[arg-type]


def _read(root: Path, size: int | None, file: str) -> tuple[np.ndarray, tuple[int, int]]:
    return read_picture(root / file, size)


def _find(path: Path) -> tuple[Path, dict[str, list[str]]]:
    """Return the folder of the avatars, and avatar → the expressions it has a folder for."""
    for root in (path, path / "FERG_DB_256"):
        if root.is_dir():
            found = {}
            for folder in sorted(each for each in root.iterdir() if each.is_dir()):
                have = [name for name in EXPRESSIONS if (folder / f"{folder.name}_{name}").is_dir()]
                if have:
                    found[folder.name] = have
            if found:
                return root, found
    what = "with folders <avatar>/<avatar>_<expression>" if path.is_dir() else "of that name"
    raise FileNotFoundError(f"needed the folder FERG_DB_256 of FERG-DB; {str(path)!r} is no folder {what}")


def _pictures(root: Path, avatar: str, expressions: Iterable[str]) -> dict[str, list[_Picture]]:
    """Return an avatar's pictures by expression, in the order of their numbers."""
    found = {}
    for expression in expressions:
        stem = f"{avatar}_{expression}"
        folder = root / avatar / stem
        numbered = []
        for name in (each.name for each in folder.iterdir() if each.suffix.lower() == ".png"):
            if name.startswith("."):
                continue
            match = re.fullmatch(rf"{re.escape(stem)}_(\d+)\.png", name, flags=re.IGNORECASE)
            if match is None:
                raise need(f"pictures {stem}_<number>.png in {str(folder)!r}", repr(name), "Move it elsewhere")
            numbered.append(_Picture(avatar, expression, int(match[1]), f"{avatar}/{stem}/{name}"))
        found[expression] = sorted(numbered, key=lambda picture: (picture.number, picture.file))
    return found


def _chosen(kind: str, wanted: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    if wanted is None:
        return list(known)
    if isinstance(wanted, str) or not len(wanted):
        raise need(f"{kind}s: a list of names", repr(wanted), kind=TypeError)
    for name in wanted:
        if name not in known:
            raise unknown(f"{kind} of FERG-DB", name, known)
    return list(dict.fromkeys(wanted))


def _spread(count: int, limit: int | None) -> list[int]:
    """Return ``limit`` of ``count`` places, the middles of equal parts."""
    if limit is None or limit >= count:
        return list(range(count))
    return [int((i + 0.5) * count / limit) for i in range(limit)]


def _named_norms(
    norms: Mapping[str, str] | None, everyone: Mapping[str, Mapping[str, list[_Picture]]]
) -> dict[str, str]:
    if norms is None:
        return {}
    if not isinstance(norms, Mapping):
        raise need("norms: a mapping of avatar to the stimulus_id of its norm", repr(norms), kind=TypeError)
    for avatar, name in norms.items():
        if avatar not in everyone:
            raise unknown("avatar in norms", avatar, everyone, hint="Only avatars that are loaded have a norm")
        neutral = [picture.name for picture in everyone[avatar].get("neutral", [])]
        if name not in neutral:
            raise unknown(f"neutral picture of {avatar}", name, neutral)
    return {str(avatar): str(name) for avatar, name in norms.items()}


def _norms(kept: Sequence[_Picture], named: Mapping[str, str]) -> dict[str, str]:
    """Return avatar → its norm: as named, or its only neutral picture."""
    neutral: dict[str, list[str]] = {}
    for picture in kept:
        if picture.expression == "neutral":
            neutral.setdefault(picture.avatar, []).append(picture.name)
    return {avatar: names[0] for avatar, names in neutral.items() if len(names) == 1} | dict(named)
