"""Recipes: a TOML file becomes a StimulusSet, and its text travels with the result."""

from __future__ import annotations

import inspect
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import xarray as xr

from nrsim import files, provenance
from nrsim.errors import need, unknown
from nrsim.faces.sets import graded_faces
from nrsim.gratings import render_gratings
from nrsim.images.folder import pictures
from nrsim.schema import check

_KEYS = ("title", "source", "generator", "seed", "parameters")


# What a recipe can be made by: every keyword of the function is a parameter of the recipe. ``progress`` (show what is
# done) and ``base`` (the recipe's folder, where relative paths start) are filled in where a function takes them.
_GENERATORS: dict[str, Callable[..., xr.Dataset]] = {
    "faces": graded_faces,
    "gratings": render_gratings,
    "folder": pictures,
}
_FILLED_IN = ("progress", "base")


def list_stimuli() -> dict[str, str]:
    """Return the stimulus sets that come with nrsim: name → title.

    Examples
    --------
    >>> import nrsim as nr
    >>> "expressions" in nr.list_stimuli()
    True
    """
    found = {}
    for path in sorted(files.shipped("stimuli").glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", ""))
    return found


def load_stimuli(name: str | os.PathLike[str], *, progress: bool = False) -> xr.Dataset:
    """Return a StimulusSet, ``image (stimulus, y, x)``.

    Parameters
    ----------
    name
        The name of a recipe that comes with nrsim, or the path of a recipe (``.toml``) or of a saved StimulusSet
        (``.nc``).
    progress
        Show what is done and what is left.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If there is no recipe of that name (the nearest is named), the file is no TOML or no StimulusSet, or the recipe
        holds an unknown key or a wrong value.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.load_stimuli("expressions")  # doctest: +SKIP
    """
    text = os.fspath(name)
    if text.endswith(".nc"):
        return _saved(Path(text))
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise FileNotFoundError(f"needed a recipe; there is no file {text!r}")
    else:
        path = files.shipped("stimuli") / f"{text}.toml"
        if not path.is_file():
            hint = "For a file of your own, give its path with the ending .toml or .nc"
            raise unknown("stimulus set", text, list_stimuli(), hint=hint)
    return _make(path, progress)


def _saved(path: Path) -> xr.Dataset:
    if not path.is_file():
        raise FileNotFoundError(f"needed a saved StimulusSet; there is no file {str(path)!r}")
    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except OSError:
        raise ValueError(f"needed a netCDF4 file; {str(path)!r} is not one") from None
    return check(dataset, "StimulusSet")


def _make(path: Path, progress: bool) -> xr.Dataset:
    try:
        text = path.read_text(encoding="utf-8")
        recipe = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"needed a recipe in TOML; {path.name!r} is not: {error}") from None
    for key in recipe:
        if key not in _KEYS:
            raise unknown(f"key in the recipe {path.name!r}", key, _KEYS)
    generator = recipe.get("generator")
    if generator not in _GENERATORS:
        raise unknown(f"generator in the recipe {path.name!r}", generator, _GENERATORS)
    make, parameters = _GENERATORS[generator], recipe.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise need(f"a table [parameters] in the recipe {path.name!r}", repr(parameters), kind=TypeError)
    signature = inspect.signature(make).parameters
    known = [key for key in signature if key not in _FILLED_IN]
    for key in parameters:
        if key not in known:
            raise unknown(f"parameter in the recipe {path.name!r}", key, known)
    needed = [key for key in known if key not in parameters and signature[key].default is inspect.Parameter.empty]
    if needed:
        raise need(f"the parameters {', '.join(needed)} in the recipe {path.name!r}", f"only {', '.join(parameters)}")
    filled = {"progress": progress, "base": path.parent}
    stimuli = make(**parameters, **{key: filled[key] for key in _FILLED_IN if key in signature})
    return provenance.stamp(
        stimuli,
        "StimulusSet",
        "load_stimuli",
        {"recipe": path.stem},
        parents=[stimuli],
        title=str(recipe.get("title", path.stem)),
        source=str(recipe.get("source", "")) or "not stated",
        recipe=text,
        recipe_sha256=provenance.text_hash(text),
    )
