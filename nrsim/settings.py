"""Study files: TOML with known keys, defaults filled in, every wrong key or value named."""

from __future__ import annotations

import copy
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nrsim.errors import need, unknown

# Tables whose keys are the user's own (labels, parameters of a model) and are checked by the stage they go to.
_FREE = {"encoder.prototypes", "encoder.norms", "neurons.parameters", "presentation", "stimuli.parameters"}

DEFAULTS: dict[str, Any] = {
    "title": "Norm-referenced face neurons",
    "seed": 1,
    "stimuli": {"recipe": "expressions"},
    "v1": {
        "frequencies": [1.0, 2.0, 4.0, 8.0],
        "orientations": 8,
        "normalise": "divisive",
    },
    "features": {"size": 16, "log": True, "components": 0, "align": "none", "cues": ["energy"]},
    "encoder": {
        "rule": "general",
        "exponent": 1.0,
        "scale": "prototype",
        "threshold": 0.0,
        "neutral": False,
        "prototypes": {"domain": "human", "intensity": 1.0},
        "norms": {"intensity": 0.0},
        "norm_by": "domain",
        "prefers_by": "expression",
        "controls": ["norm-shuffled", "axis", "exemplar"],
        "shuffles": 5,
    },
    "presentation": {"onset": 0.0, "duration": 0.3},
    "neurons": {"model": "AdaptiveLIF", "trials": 20, "bin": 0.01, "target": "auto", "parameters": {}},
    "tuning": {"along": "intensity", "window": [0.07, 0.37], "by": "auto"},
}

_OF_RECIPES, _OF_FOLDERS = {"parameters"}, {"table", "size", "degrees", "labels", "landmarks"}
# Of [neurons]: arguments of nrsim.simulate that are left at their defaults where a study does not name them
_OPTIONAL: dict[str, set[str]] = {
    "stimuli": {"recipe", "folder", "match", "mask", "out_of_range", *_OF_RECIPES, *_OF_FOLDERS},
    "v1": {
        *("bandwidth", "orientation_bandwidth", "aspect_ratio", "envelope", "semi_saturation", "exponent"),
        *("neighbourhood", "accuracy"),
    },
    "neurons": {"dt", "variability", "record", "record_step", "warm_up"},
    "features": {"tolerance", "places", "statistic", "floor", "reference"},
}


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the tables of a study file as they stand.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not TOML.
    """
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"needed a study file (TOML); there is no file {str(place)!r}")
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"needed a study in TOML; {str(place)!r} is not: {error}") from None


def resolve(given: Mapping[str, Any], *, base: Path | None = None) -> dict[str, Any]:
    """Return ``given`` with all defaults filled in.

    Parameters
    ----------
    given
        The tables of a study, as a mapping.
    base
        The folder that relative paths start from. Default: the current folder.

    Raises
    ------
    ValueError, TypeError
        For unknown keys (the nearest is named) and values of the wrong type.
    """
    study = copy.deepcopy(DEFAULTS)
    for key, value in given.items():
        if key not in DEFAULTS:
            raise unknown("key of a study", key, DEFAULTS)
        if isinstance(DEFAULTS[key], dict):
            if not isinstance(value, Mapping):
                raise need(f"a table [{key}]", repr(value), kind=TypeError)
            _merge(study[key], value, key)
        else:
            study[key] = _typed(value, DEFAULTS[key], key)
    stimuli = given.get("stimuli", {})
    if "folder" in stimuli or "table" in stimuli:
        if "recipe" in stimuli:
            raise ValueError("stimuli: needed either recipe, or folder and table; got both")
        if not {"folder", "table"} <= set(stimuli):
            raise ValueError(f"stimuli: needed folder and table together; got only {sorted(stimuli)}")
        del study["stimuli"]["recipe"]
    source, foreign = ("recipe", _OF_FOLDERS) if "recipe" in study["stimuli"] else ("folder", _OF_RECIPES)
    stray = sorted(foreign & set(study["stimuli"]))
    if stray:
        todo = "Put a recipe's own parameters into [stimuli.parameters]" if source == "recipe" else ""
        raise need(f"in [stimuli] only keys that go with {source}", ", ".join(stray), todo)
    for key in ("mask", "out_of_range"):
        if key in study["stimuli"] and "match" not in study["stimuli"]:
            raise need(f"match beside {key} in [stimuli]", f"{key} alone")
    start = Path.cwd() if base is None else base
    for key in ("folder", "table", "landmarks"):
        if key in study["stimuli"]:
            study["stimuli"][key] = str((start / study["stimuli"][key]).resolve())
    recipe = study["stimuli"].get("recipe", "")
    if recipe.endswith((".toml", ".nc")):
        study["stimuli"]["recipe"] = str((start / recipe).resolve())
    return study


def override(study: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Return ``study`` (as given, before defaults) with ``"table.key=value"`` assignments; values are TOML or text.

    Raises
    ------
    ValueError
        If an assignment has no ``=``.
    """
    result = copy.deepcopy(dict(study))
    for assignment in assignments:
        dotted, equals, text = assignment.partition("=")
        if not equals or not dotted.strip():
            raise need("an assignment like neurons.trials=50", repr(assignment))
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        *tables, key = [part.strip() for part in dotted.split(".")]
        here = result
        for table in tables:
            here = here.setdefault(table, {})
            if not isinstance(here, dict):
                raise need(f"a table {table!r} in {assignment!r}", repr(here))
        here[key] = value
    return result


def _merge(target: dict[str, Any], given: Mapping[str, Any], path: str) -> None:
    known = set(target) | _OPTIONAL.get(path, set())
    for key, value in given.items():
        dotted = f"{path}.{key}"
        if path not in _FREE and key not in known:
            raise unknown(f"key in [{path}]", key, known)
        if dotted in _FREE or path in _FREE:
            target[key] = value
        else:
            target[key] = _typed(value, target.get(key), dotted)


def _typed(value: Any, default: Any, name: str) -> Any:
    if default is None:
        return value
    if isinstance(default, bool) or isinstance(value, bool):
        fits = isinstance(default, bool) and isinstance(value, bool)
    elif isinstance(default, float):
        fits = isinstance(value, (int, float))
        value = float(value) if fits else value
    elif name == "tuning.by":
        fits = isinstance(value, (str, list))
    elif name in ("v1.orientations", "features.size"):
        fits = isinstance(value, (int, list))
    else:
        fits = isinstance(value, type(default))
    if not fits:
        kinds = {
            bool: "true or false",
            int: "a whole number",
            float: "a number",
            str: "a text in quotes",
            list: "a list",
        }
        raise need(f"{name} = {kinds.get(type(default), type(default).__name__)}", repr(value), kind=TypeError)
    return value
