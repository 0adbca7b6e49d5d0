"""Sets of faces as recipes name them: each function's keywords are the parameters of a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import xarray as xr

from nrsim.errors import need
from nrsim.faces.expressions import NEUTRAL, expression_weights
from nrsim.faces.head import Head, template
from nrsim.faces.headfile import load_head
from nrsim.faces.identities import AVERAGE, random_identities
from nrsim.faces.render import render_faces
from nrsim.quantities import bare, whole

_PERSON_SIZE = 0.10


def graded_faces(
    *,
    domains: list[str],
    expressions: list[str] | None = None,
    intensities: list[float] | None = None,
    own_expressions: Mapping[str, Mapping[str, float]] | None = None,
    people: int | list[str] = 0,
    own_identities: Mapping[str, Mapping[str, float]] | None = None,
    person_size: float = _PERSON_SIZE,
    seed: int | None = None,
    stretches: list[float] | None = None,
    views: list[str] | None = None,
    lights: list[str] | None = None,
    skins: list[str] | None = None,
    heads: Mapping[str, str] | None = None,
    equal_size: float | None = None,
    course: str | list[float] = "",
    frames: int | None = None,
    frame_rate: float = 30.0,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    aperture: str = "none",
    colour: bool = False,
    landmarks: str | list[str] = "standard",
    out: str | os.PathLike[str] | None = None,
    base: Path = Path(),
    progress: bool = False,
) -> xr.Dataset:
    """Return all combinations: head shapes, widths, people, views, lights, skins, expressions and intensities.

    Each combination's neutral face comes once, where 0 is among the intensities. Without expressions the faces are
    neutral people. ``heads`` names files of heads, from the recipe's folder; ``people`` is a number of random ones,
    drawn by ``seed``, or names; the rest is as in :func:`nrsim.render_faces`.
    """
    domains = _listed("domains", domains)
    expressions = _listed("expressions", expressions) if expressions is not None else []
    levels = [bare(level, "1", "intensities") for level in _listed("intensities", intensities or [1.0])]
    identities = dict(own_identities or {})
    persons: list[str] = [AVERAGE]
    if isinstance(people, list):
        persons = _listed("people", people)
    elif whole(people, "people"):
        drawn = _drawn(people, seed, person_size)
        identities |= drawn
        persons = list(drawn)
    others = {
        "stretch": _listed("stretches", stretches or [1.0]),
        "view": _listed("views", views or ["frontal"]),
        "light": _listed("lights", lights or ["standard"]),
        "skin": _listed("skins", skins or [""]),
    }
    rows: list[dict[str, Any]] = []
    for domain, stretch, person, view, light, skin in product(
        domains, others["stretch"], persons, others["view"], others["light"], others["skin"]
    ):
        face: dict[str, Any] = {"domain": domain, "stretch": stretch, "view": view, "light": light, "skin": skin}
        if person != AVERAGE or not expressions:
            face["identity"] = person
        if not expressions:
            rows.append(face | ({"course": course} if course and person != AVERAGE else {}))
            continue
        if 0.0 in levels or expressions == [NEUTRAL]:
            rows.append(face | {"expression": NEUTRAL, "intensity": 0.0})
        rows += [
            face | {"expression": expression, "intensity": level} | ({"course": course} if course else {})
            for expression in expressions
            if expression != NEUTRAL
            for level in levels
            if level != 0.0
        ]
    return render_faces(
        rows,
        size=size,
        degrees=degrees,
        background=background,
        aperture=aperture,
        colour=colour,
        equal_size=equal_size,
        heads=_heads(heads, base),
        identities=identities,
        expressions=own_expressions,
        landmarks=landmarks,
        frames=frames,
        frame_rate=frame_rate,
        out=out,
        progress=progress,
    )


def identity_trajectories(
    *,
    people: int | list[str],
    levels: list[float],
    fractions: list[float] | None = None,
    own_identities: Mapping[str, Mapping[str, float]] | None = None,
    person_size: float = _PERSON_SIZE,
    seed: int | None = None,
    domain: str = "human",
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    aperture: str = "none",
    skin: str = "",
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return people along their trajectories through the average face, and between them at the distance of level 1.

    ``levels`` run along each person's trajectory: 0 is the average face, which comes once, 1 the person, below 0 the
    anti-face. ``fractions``, between 0 and 1, run between every two people around the average (tangential morphs).
    """
    identities = dict(own_identities or {})
    if isinstance(people, list):
        persons = _listed("people", people)
    else:
        drawn = _drawn(people, seed, person_size)
        identities |= drawn
        persons = list(drawn)
    along = [bare(level, "1", "levels") for level in _listed("levels", levels)]
    face = {"domain": domain, "skin": skin}
    rows: list[dict[str, Any]] = []
    if 0.0 in along:
        rows.append(face | {"identity": AVERAGE})
    rows += [
        face | {"identity": person, "identity_level": level, "labels": {"trajectory": "radial"}}
        for person in persons
        for level in along
        if level != 0
    ]
    across = [bare(step, "1", "fractions", low=0, high=1) for step in fractions or []]
    for i, first in enumerate(persons):
        for second in persons[i + 1 :]:
            rows += [
                face
                | {"morph_from": first, "morph_to": second, "morph_fraction": step}
                | {"labels": {"trajectory": "tangential"}}
                for step in across
                if 0 < step < 1  # the ends are on the radial trajectories
            ]
    return render_faces(
        rows,
        size=size,
        degrees=degrees,
        background=background,
        aperture=aperture,
        identities=identities,
        out=out,
        progress=progress,
    )


def motion_space(
    *,
    corners: list[list[str]],
    steps: list[float],
    domains: list[str],
    course: str = "expression",
    frames: int = 15,
    frame_rate: float = 15.0,
    neutral: bool = True,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return moving faces in a space of two dimensions, expression and the species whose motion it is, on head shapes.

    ``corners`` are [[first species' first expression, its second], [second species' first, its second]]; the weights of
    units between them are bilinear in ``expression_fraction`` e and ``species_fraction`` s, each through ``steps``:
    w(e, s) = (1 − s)·((1 − e)·w₀₀ + e·w₀₁) + s·((1 − e)·w₁₀ + e·w₁₁).
    """
    if len(corners) != 2 or any(not isinstance(pair, list) or len(pair) != 2 for pair in corners):
        raise need("corners: [[expression, expression], [expression, expression]]", repr(corners))
    weights = [[expression_weights(name, template()) for name in pair] for pair in corners]
    places = [bare(step, "1", "steps", low=0, high=1) for step in _listed("steps", steps)]
    own: dict[str, dict[str, float]] = {}
    rows: list[dict[str, Any]] = []
    ends = ["/".join(dict.fromkeys(pair[i] for pair in corners)) for i in (0, 1)]
    for domain in _listed("domains", domains):
        if neutral:
            rows.append({"domain": domain, "expression": NEUTRAL, "intensity": 0.0})
        for s, e in product(places, places):
            name = f"e{e:.2f}_s{s:.2f}"
            own[name] = {
                unit: (1 - s) * ((1 - e) * weights[0][0].get(unit, 0.0) + e * weights[0][1].get(unit, 0.0))
                + s * ((1 - e) * weights[1][0].get(unit, 0.0) + e * weights[1][1].get(unit, 0.0))
                for pair in weights
                for corner in pair
                for unit in corner
            }
            labels = {"species_fraction": s, "expression_fraction": e, "prototypes": f"{ends[0]} to {ends[1]}"}
            rows.append({"domain": domain, "expression": name, "intensity": 1.0, "course": course, "labels": labels})
    return render_faces(
        rows,
        size=size,
        degrees=degrees,
        background=background,
        expressions=own,
        frames=frames,
        frame_rate=frame_rate,
        out=out,
        progress=progress,
    )


def head_shapes(
    *,
    ends: list[str],
    fractions: list[float],
    expressions: list[str],
    intensities: list[float],
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    equal_size: float | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return heads between two shapes, each with expressions; every head's neutral face is the norm of its own."""
    if len(_listed("ends", ends)) != 2:
        raise need("ends: two head shapes", repr(ends))
    places = [bare(step, "1", "fractions", low=0, high=1) for step in _listed("fractions", fractions)]
    levels = [bare(level, "1", "intensities") for level in _listed("intensities", intensities)]
    rows: list[dict[str, Any]] = []
    for place in places:
        head = {"morph_from": ends[0], "morph_to": ends[1], "morph_fraction": place}
        if 0.0 in levels:
            rows.append(head | {"expression": NEUTRAL, "intensity": 0.0})
        faces = product(_listed("expressions", expressions), levels)
        rows += [head | {"expression": name, "intensity": level} for name, level in faces if level != 0]
    return render_faces(
        rows,
        size=size,
        degrees=degrees,
        background=background,
        equal_size=equal_size,
        out=out,
        progress=progress,
    )


def _listed(name: str, value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise need(f"{name}: a list with at least one entry", repr(value), kind=TypeError)
    return value


def _drawn(n: int, seed: int | None, size: float) -> dict[str, dict[str, float]]:
    if seed is None:
        raise need(f"a seed to draw {n} people", "none", "Give the recipe a line seed = 1 above [parameters]")
    return random_identities(n, seed=seed, size=size)


def _heads(heads: Mapping[str, str] | None, base: Path) -> dict[str, Head]:
    if heads is not None and not isinstance(heads, Mapping):
        raise need("heads: name → file", repr(heads), kind=TypeError)
    return {name: load_head(base / place) for name, place in (heads or {}).items()}
