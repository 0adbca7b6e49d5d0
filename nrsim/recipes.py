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
from nrsim.joining import join_stimuli
from nrsim.objects.render import render_objects
from nrsim.schema import check

_KEYS = ("title", "source", "generator", "seed", "parameters")


def joined(
    *,
    sets: list[str],
    categories: list[str] | None = None,
    progress: bool = False,
    base: Path = Path(),
    within: tuple[Path, ...] = (),
) -> xr.Dataset:
    """Return several sets as one: names of recipes that come with nrsim, or files from the folder ``base``."""
    if not isinstance(sets, list) or not sets:
        raise need("sets: a list with the name or file of at least one stimulus set", repr(sets), kind=TypeError)
    parts = []
    for name in sets:
        if not isinstance(name, str):
            raise need("sets: names or files of stimulus sets", repr(name), kind=TypeError)
        parts.append(_load(str(base / name) if name.endswith((".toml", ".nc")) else name, progress, within))
    return join_stimuli(parts, categories=categories)


# What a recipe can be made by: every keyword of the function is a parameter of the recipe. ``progress`` (show what is
# done), ``base`` (the recipe's folder, where relative paths start) and ``within`` (the recipes that are being made) are
# filled in where a function takes them.
_GENERATORS: dict[str, Callable[..., xr.Dataset]] = {
    "faces": graded_faces,
    "gratings": render_gratings,
    "objects": render_objects,
    "folder": pictures,
    "join": joined,
}
_FILLED_IN = ("progress", "base", "within")


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
    return _load(os.fspath(name), progress)


def _load(text: str, progress: bool, within: tuple[Path, ...] = ()) -> xr.Dataset:
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
    return _make(path, progress, within)


def _saved(path: Path) -> xr.Dataset:
    if not path.is_file():
        raise FileNotFoundError(f"needed a saved StimulusSet; there is no file {str(path)!r}")
    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except OSError:
        raise ValueError(f"needed a netCDF4 file; {str(path)!r} is not one") from None
    return check(dataset, "StimulusSet")


def _make(path: Path, progress: bool, within: tuple[Path, ...]) -> xr.Dataset:
    within = (*within, path.resolve())
    if within[-1] in within[:-1]:
        raise need("recipes that do not join themselves", " → ".join(step.name for step in within))
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
    known = [key for key in signature if key not in (*_FILLED_IN, "seed")]
    for key in parameters:
        if key == "seed":
            raise need(f"the seed above [parameters] in the recipe {path.name!r}", "it among them", "Move it up")
        if key not in known:
            raise unknown(f"parameter in the recipe {path.name!r}", key, known)
    needed = [key for key in known if key not in parameters and signature[key].default is inspect.Parameter.empty]
    if needed:
        raise need(f"the parameters {', '.join(needed)} in the recipe {path.name!r}", f"only {', '.join(parameters)}")
    if "seed" in recipe and "seed" not in signature:
        raise need(f"no seed in the recipe {path.name!r}: {generator!r} draws nothing at random", f"{recipe['seed']!r}")
    seed = {"seed": recipe["seed"]} if "seed" in recipe else {}
    filled = {"progress": progress, "base": path.parent, "within": within}
    stimuli = make(**parameters, **seed, **{key: filled[key] for key in _FILLED_IN if key in signature})
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
