"""Expressions that vary from face to face: the same one, shown by many people in many ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from nrsim import seeds
from nrsim.errors import need
from nrsim.faces.expressions import BASIC, checked
from nrsim.faces.identities import random_identities
from nrsim.faces.render import render_faces
from nrsim.quantities import bare, whole

_MOST = 1.4  # weight of a unit; above, skin folds


def render_expression_variants(
    domains: Sequence[str] = ("human", "macaque", "cartoon"),
    *,
    seed: int,
    people: int = 4,
    variants: int = 6,
    expressions: Mapping[str, Mapping[str, float]] | None = None,
    spread: float = 0.5,
    extra: float = 0.25,
    size: int = 32,
    landmarks: str | Sequence[str | int] = "standard",
    progress: bool = False,
) -> xr.Dataset:
    """Return faces that show each expression in many ways, to learn how expressions vary.

    Each picture's weights of expression units are those of the prototype times exp(spread · z), z normal and
    independent for each unit, plus two units drawn from those of all expressions, of weight extra · \\|z\\|.

    Parameters
    ----------
    domains
        Head shapes.
    seed
        Draws people and weights.
    people
        Random people on each head shape.
    variants
        Pictures of each expression and person, at intensity 1; each person's neutral face comes once.
    expressions
        Name → weights of expression units. Default: the six basic ones.
    spread
        Standard deviation of the logarithm of weights. Default 0.5 (chosen: two of three pictures have between 0.6 and
        1.6 times the prototype's weight).
    extra
        Weight of the added units. Default 0.25 (chosen).
    size
        px. Default 32: landmarks are exact at any size.
    landmarks
        As in :func:`nrsim.render_faces`.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet as :func:`nrsim.render_faces` returns it, with the label ``shows``: which of the expressions
        a picture is a variant of, or ``"neutral"``. The norm of a face is that of its ``identity``; nobody is on
        two head shapes.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range, or what :func:`nrsim.render_faces` refuses.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_expression_variants(["human"], seed=1, people=1, variants=2)
    >>> faces.sizes["stimulus"]
    13
    """
    if isinstance(domains, str) or not domains:
        raise need("domains: a list of head shapes", repr(domains), kind=TypeError)
    people, variants = whole(people, "people", low=1), whole(variants, "variants", low=1)
    spread, extra = bare(spread, "1", "spread", low=0, high=2), bare(extra, "1", "extra", low=0, high=1)
    shown = {name: dict(weights) for name, weights in BASIC.items()} if expressions is None else checked(expressions)
    units = sorted({unit for weights in shown.values() for unit in weights})
    who = random_identities(people * len(domains), seed=seed)
    rows, own = [], {}
    for i, person in enumerate(who):
        face = {"domain": domains[i // people], "identity": person}
        rows.append({**face, "intensity": 0.0, "labels": {"shows": "neutral"}})
        for name, weights in shown.items():
            for number in range(variants):
                variant = f"{name}-{person}-{number + 1:02d}"
                own[variant] = _variant(weights, units, seeds.stream(seed, "variant", variant), spread, extra)
                rows.append({**face, "expression": variant, "intensity": 1.0, "labels": {"shows": name}})
    return render_faces(
        rows, size=size, identities=who, expressions=own, landmarks=landmarks, aperture="none", progress=progress
    )


def _variant(
    weights: Mapping[str, float], units: Sequence[str], stream: np.random.Generator, spread: float, extra: float
) -> dict[str, float]:
    varied = {unit: weight * float(np.exp(spread * stream.normal())) for unit, weight in weights.items()}
    for unit in stream.choice(units, size=min(2, len(units)), replace=False):
        varied[str(unit)] = varied.get(str(unit), 0.0) + extra * abs(float(stream.normal()))
    return {unit: min(weight, _MOST) for unit, weight in varied.items()}
