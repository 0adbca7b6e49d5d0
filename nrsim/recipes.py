"""Recipes: a TOML file becomes a StimulusSet, and its text travels with the result."""

from __future__ import annotations

import inspect
import os
import textwrap
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from nrsim import files, labels, provenance
from nrsim.cartoons.sets import cartoon_faces
from nrsim.errors import need, unknown
from nrsim.faces.sets import graded_faces, head_shapes, identity_trajectories, motion_space
from nrsim.gratings import render_gratings
from nrsim.images.ferg import ferg
from nrsim.images.folder import pictures
from nrsim.images.matching import match_images
from nrsim.joining import join_stimuli
from nrsim.objects.render import render_objects
from nrsim.quantities import whole
from nrsim.schema import check

_KEYS = ("title", "source", "doi", "published", "resolved", "generator", "seed", "parameters")


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
        text = str(base / name) if name.endswith((".toml", ".nc")) else name
        parts.append(
            _saved(Path(text)) if text.endswith(".nc") else _make(recipe_path(text), {}, None, progress, within)
        )
    return join_stimuli(parts, categories=categories)


# What a recipe can be made by: every keyword of the function is a parameter of the recipe. ``progress`` (show what is
# done), ``base`` (the recipe's folder, where relative paths start), ``out`` (a file to stream to), ``within`` (the
# recipes that are being made) and ``seed`` (the recipe's own) are filled in where a function takes them.
_GENERATORS: dict[str, Callable[..., xr.Dataset]] = {
    "faces": graded_faces,
    "identities": identity_trajectories,
    "motion_space": motion_space,
    "head_shapes": head_shapes,
    "cartoons": cartoon_faces,
    "gratings": render_gratings,
    "objects": render_objects,
    "folder": pictures,
    "ferg": ferg,
    "join": joined,
}
# Parameters of every recipe: how the pictures are matched once they are made (nrsim.match_images)
_MATCHING = ("match", "mask", "out_of_range")
_FILLED_IN = ("progress", "base", "out", "within", "seed")
_SMALL = 32  # px, where a set is made only to be described


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


def load_stimuli(
    name: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
    **parameters: Any,
) -> xr.Dataset:
    """Return a StimulusSet, ``image (stimulus, y, x)``.

    Parameters
    ----------
    name
        The name of a recipe that comes with nrsim, or the path of a recipe (``.toml``) or of a saved StimulusSet
        (``.nc``).
    out
        Path of a netCDF file to write to. Rendered sets are written picture by picture, so that a set of any number
        needs the memory of a few; the result is opened from the file, and pictures are read when they are asked for.
    progress
        Show what is done and what is left.
    **parameters
        Parameters of the recipe to be changed: ``load_stimuli("expressions", size=224)``.

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
    >>> faces = nr.load_stimuli("expressions", domains=["human"], intensities=[0.0, 1.0], size=32)
    >>> faces.sizes["stimulus"]
    7
    """
    text = os.fspath(name)
    if text.endswith(".nc"):
        if parameters or out is not None:
            given = [*parameters, *(["out"] if out is not None else [])]
            raise need("no parameters and no out for a saved StimulusSet", ", ".join(given))
        return _saved(Path(text))
    return _make(recipe_path(text), parameters, out, progress, ())


def recipe_path(name: str) -> Path:
    """Return the file of a recipe: one that comes with nrsim by its name, or one of your own by its path.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none; the nearest is named.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise FileNotFoundError(f"needed a recipe; there is no file {name!r}")
        return path
    path = files.shipped("stimuli") / f"{name}.toml"
    if not path.is_file():
        hint = "For a file of your own, give its path with the ending .toml or .nc"
        raise unknown("stimulus set", name, list_stimuli(), hint=hint)
    return path


def describe(name: str | os.PathLike[str], **parameters: Any) -> str:
    """Return what a stimulus set holds, in words: source, what was published, parameters, labels and their values.

    Parameters
    ----------
    name, **parameters
        As for :func:`load_stimuli`. A recipe is made at a small size to count its stimuli.

    Examples
    --------
    >>> from nrsim.recipes import describe
    >>> print(describe("siebert2020_strengths").splitlines()[0])
    A macaque's expressions at four strengths
    """
    text = os.fspath(name)
    lines = []
    if text.endswith(".nc"):
        stimuli = load_stimuli(text, **parameters)
        lines += [stimuli.attrs["title"], f"source: {stimuli.attrs['source']}"]
    else:
        recipe = read_recipe(recipe_path(text))
        lines += [str(recipe.get("title", Path(text).stem)), f"source: {recipe.get('source', 'not stated')}"]
        lines += [f"doi: {recipe['doi']}"] if "doi" in recipe else []
        for key, heading in (("published", "What was published"), ("resolved", "What was left open, and resolved")):
            if key in recipe:
                lines += ["", heading, textwrap.indent(textwrap.fill(" ".join(str(recipe[key]).split()), 98), "  ")]
        known = parameters_of(recipe["generator"])
        lines += ["", f"Made by the generator {recipe['generator']!r} with"]
        lines += [f"  {key} = {value!r}" for key, value in {**recipe["parameters"], **parameters}.items()]
        free = [key for key in known if key not in recipe["parameters"] and key not in parameters]
        lines += ["  and the defaults of " + textwrap.fill(", ".join(free), 90, subsequent_indent="  ")] if free else []
        small = (
            {"size": _SMALL} if "size" in known and "size" not in parameters and recipe["generator"] != "folder" else {}
        )
        stimuli = load_stimuli(text, **(parameters | small))
    dims = {dim: size for dim, size in stimuli["image"].sizes.items() if dim not in ("y", "x")}
    lines += ["", "Holds " + " × ".join(f"{size} {dim}" for dim, size in dims.items())]
    for label in labels.names(stimuli, "stimulus"):
        if label in ("stimulus_id", "norm_id", "image_sha256", "file", "norm_distance"):
            continue
        lines.append(f"  {label}: {labels.occurring(stimuli[label].values)}")
    if "norm_id" in stimuli.coords:
        with_norm = int((stimuli["norm_id"] != "").sum())
        lines.append(f"  {with_norm} of {stimuli.sizes['stimulus']} have their norm in the set")
    if "point" in stimuli.coords:
        lines.append(f"  landmarks: {', '.join(map(str, stimuli['point'].values[:8]))}, … ({stimuli.sizes['point']})")
    return "\n".join(lines)


def _saved(path: Path) -> xr.Dataset:
    if not path.is_file():
        raise FileNotFoundError(f"needed a saved StimulusSet; there is no file {str(path)!r}")
    try:
        dataset = xr.load_dataset(path, engine="h5netcdf")
    except OSError:
        raise ValueError(f"needed a netCDF4 file; {str(path)!r} is not one") from None
    return check(dataset, "StimulusSet")


def read_recipe(path: Path) -> dict[str, Any]:
    """Return a recipe's tables, with the file's text under ``"text"``; keys and generator are known ones.

    Raises
    ------
    ValueError, TypeError
        If it is no TOML, or a key or the generator is unknown; the nearest is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
        recipe = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"needed a recipe in TOML; {path.name!r} is not: {error}") from None
    if "generator" not in recipe:
        known = ", ".join(map(repr, _GENERATORS))
        raise need(f'a line generator = "…" in the recipe {path.name!r}, one of {known}', "none")
    for key in recipe:
        if key not in _KEYS:
            inside = recipe["generator"] in _GENERATORS and key in parameters_of(recipe["generator"])
            raise unknown(
                f"key in the recipe {path.name!r}", key, _KEYS, hint=f"Put {key} under [parameters]" if inside else ""
            )
    if recipe["generator"] not in _GENERATORS:
        raise unknown(f"generator in the recipe {path.name!r}", recipe["generator"], _GENERATORS)
    if not isinstance(recipe.setdefault("parameters", {}), Mapping):
        raise need(f"a table [parameters] in the recipe {path.name!r}", repr(recipe["parameters"]), kind=TypeError)
    return {**recipe, "text": text}


def parameters_of(generator: str) -> list[str]:
    """Return the parameters that a generator takes."""
    own = [key for key in inspect.signature(_GENERATORS[generator]).parameters if key not in _FILLED_IN]
    return [*own, *_MATCHING]


def _make(
    path: Path,
    changes: Mapping[str, Any],
    out: str | os.PathLike[str] | None,
    progress: bool,
    within: tuple[Path, ...],
) -> xr.Dataset:
    within = (*within, path.resolve())
    if within[-1] in within[:-1]:
        raise need("recipes that do not join themselves", " → ".join(step.name for step in within))
    recipe = read_recipe(path)
    make, parameters = _GENERATORS[recipe["generator"]], {**recipe["parameters"], **changes}
    signature, known = inspect.signature(make).parameters, parameters_of(recipe["generator"])
    filled: dict[str, Any] = {"progress": progress, "base": path.parent, "out": out, "within": within}
    if "seed" in recipe["parameters"]:
        raise need(f"the seed above [parameters] in the recipe {path.name!r}", "it among them", "Move it up")
    seed = parameters.pop("seed", recipe.get("seed"))
    if seed is not None:
        if "seed" not in signature:
            raise need(
                f"no seed in the recipe {path.name!r}: {recipe['generator']!r} draws nothing at random", repr(seed)
            )
        filled["seed"] = whole(seed, f"seed of the recipe {path.name!r}")
    for key in parameters:
        if key not in known:
            raise unknown(f"parameter in the recipe {path.name!r}", key, known)
    matching = {key: parameters.pop(key) for key in _MATCHING if key in parameters}
    if matching and "match" not in matching:
        raise need(f"match beside {', '.join(matching)} in the recipe {path.name!r}", f"no match, {matching}")
    if matching:
        filled["out"] = None  # what is matched must be known as a whole
    needed = [key for key in signature if key not in parameters and signature[key].default is inspect.Parameter.empty]
    if needed:
        raise need(
            f"the parameters {', '.join(needed)} in the recipe {path.name!r}", f"only {', '.join(parameters) or 'none'}"
        )
    made = make(**parameters, **{key: filled[key] for key in _FILLED_IN if key in signature and key in filled})
    stimuli = provenance.stamp(
        made,
        "StimulusSet",
        "load_stimuli",
        {"recipe": path.stem} | ({"changed": changes} if changes else {}),
        parents=[made],
        title=str(recipe.get("title", path.stem)),
        source=str(recipe.get("source", "")) or "not stated",
        seed=filled.get("seed"),
        recipe=recipe["text"],
        recipe_sha256=provenance.text_hash(recipe["text"]),
    )
    if matching:
        stimuli = match_images(stimuli, matching.pop("match"), progress=progress, **matching)
    if out is None:
        return stimuli
    if filled["out"] is not None and "out" in signature:
        attributes = dict(stimuli.attrs)
        made.close()
        files.write_attributes(out, attributes)
    else:
        files.write_netcdf(stimuli, out)
    return files.open_stimuli(out)
