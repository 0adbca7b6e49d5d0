"""Sets of faces as recipes name them: each function's keywords are the parameters of a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import xarray as xr

from nrsim.errors import need
from nrsim.faces.domains import domain_named
from nrsim.faces.expressions import NEUTRAL, expression_weights
from nrsim.faces.head import template
from nrsim.faces.identities import AVERAGE
from nrsim.faces.parameters import flag, heads_of, listed, numbers, persons
from nrsim.faces.render import render_faces
from nrsim.faces.spec import decimals

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
    scale: float = 1.0,
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
    domains = listed("domains", domains)
    if expressions is None and intensities is not None:
        raise need("expressions beside intensities", "none", "Levels of people are the generator 'identities'")
    names = [] if expressions is None else listed("expressions", expressions)
    levels = numbers("intensities", intensities, 1.0)
    who, identities = persons(people, own_identities, person_size, seed, fewest=0)
    others = {
        "stretch": listed("stretches", stretches, 1.0),
        "view": listed("views", views, "frontal"),
        "light": listed("lights", lights, "standard"),
        "skin": listed("skins", skins, ""),
    }
    moving = {} if isinstance(course, str) and not course else {"course": course}
    rows: list[dict[str, Any]] = []
    for domain, stretch, person, view, light, skin in product(
        domains, others["stretch"], who, others["view"], others["light"], others["skin"]
    ):
        face: dict[str, Any] = {"domain": domain, "stretch": stretch, "view": view, "light": light, "skin": skin}
        face["scale"] = scale
        if person != AVERAGE or not names:
            face["identity"] = person
        if not names:
            rows.append(face | (moving if person != AVERAGE else {}))
            continue
        if 0.0 in levels or names == [NEUTRAL]:
            rows.append(face | {"expression": NEUTRAL, "intensity": 0.0})
        rows += [
            face | {"expression": expression, "intensity": level} | moving
            for expression in names
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
        heads=heads_of(heads, base),
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
    scale: float = 1.0,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return people along their trajectories through the average face, and between them at the distance of level 1.

    ``levels`` run along each person's trajectory: 0 is the average face, which comes once, 1 the person, below 0 the
    anti-face. ``fractions``, between 0 and 1, run between every two people around the average (tangential morphs); at 0
    and 1 lie the people themselves, which are level 1.
    """
    who, identities = persons(people, own_identities, person_size, seed, fewest=1)
    along = numbers("levels", levels)
    none = fractions is None or (isinstance(fractions, (list, tuple)) and not fractions)
    across = [] if none else numbers("fractions", fractions, low=0, high=1)
    face: dict[str, Any] = {"domain": domain, "skin": skin, "scale": scale}
    rows: list[dict[str, Any]] = []
    if 0.0 in along:
        rows.append(face | {"identity": AVERAGE})
    rows += [
        face | {"identity": person, "identity_level": level, "labels": {"trajectory": "radial"}}
        for person in who
        for level in along
        if level != 0
    ]
    for i, first in enumerate(who):
        for second in who[i + 1 :]:
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
    if not _two(corners) or not all(_two(pair) and all(isinstance(name, str) for name in pair) for pair in corners):
        raise need("corners: [[expression, expression], [expression, expression]]", repr(corners))
    weights = [[expression_weights(name, template()) for name in pair] for pair in corners]
    places, neutral = numbers("steps", steps, low=0, high=1), flag("neutral", neutral)
    own: dict[str, dict[str, float]] = {}
    rows: list[dict[str, Any]] = []
    ends = ["/".join(dict.fromkeys(pair[i] for pair in corners)) for i in (0, 1)]
    for domain in listed("domains", domains):
        if neutral:
            rows.append({"domain": domain, "expression": NEUTRAL, "intensity": 0.0})
        for s, e in product(places, places):
            name = f"e{decimals(e)}_s{decimals(s)}"
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
    if not _two(ends) or not all(isinstance(end, str) for end in ends) or ends[0] == ends[1]:
        raise need("ends: two head shapes", repr(ends))
    for end in ends:
        domain_named(end)
    places, levels = numbers("fractions", fractions, low=0, high=1), numbers("intensities", intensities)
    names = [name for name in listed("expressions", expressions) if name != NEUTRAL]
    rows: list[dict[str, Any]] = []
    for place in places:
        head = {"morph_from": ends[0], "morph_to": ends[1], "morph_fraction": place}
        if 0.0 in levels:
            rows.append(head | {"expression": NEUTRAL, "intensity": 0.0})
        faces = product(names, levels)
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


def _two(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2
