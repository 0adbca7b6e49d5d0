"""What a user orders, one mapping a face, becomes a checked description of its geometry and its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.faces import expressions as of_expressions
from nrsim.faces import identities as of_identities
from nrsim.faces.courses import COURSES
from nrsim.faces.domains import domain_named, mixed
from nrsim.faces.expressions import NEUTRAL, expression_weights
from nrsim.faces.head import template
from nrsim.faces.identities import AVERAGE
from nrsim.faces.spec import Between, FaceSpec, Order, identifier
from nrsim.faces.views import LIGHTS, SKINS, STANDARD_LIGHT, view_named
from nrsim.faces.vocabulary import Vocabulary
from nrsim.quantities import bare

KEYS = (
    *("domain", "expression", "intensity", "identity", "identity_level", "morph_from", "morph_to", "morph_fraction"),
    *("stretch", "view", "yaw", "pitch", "light", "skin", "scale", "x", "y", "course", "labels", "stimulus_id"),
)
# What a StimulusSet of faces gives itself: no label of a user's can be called so
GIVEN = (
    *("stimulus", "frame", "image", "colour", "stimulus_id", "category", "domain", "identity", "identity_level"),
    *("expression", "intensity", "view", "yaw", "pitch", "light", "skin", "scale", "position_x", "position_y"),
    *("course", "norm_id", "norm_kind", "morph_from", "morph_to", "morph_fraction", "norm_distance", "image_sha256"),
    *("point", "axis", "landmark", "y", "x", "channel", "frame_time", "frame_intensity"),
)
_STRETCH = (0.5, 2.0)
_SCALE = (0.05, 3.0)


def order(row: Mapping[str, Any], number: int, words: Vocabulary) -> Order:
    """Return a checked order.

    Raises
    ------
    TypeError, ValueError
        With the number of the face and what was wrong.
    """
    if not isinstance(row, Mapping):
        raise need("a mapping with domain, expression and intensity for each face", repr(row), kind=TypeError)
    for key in row:
        if key not in KEYS:
            raise unknown("key of a face", key, KEYS)
    morph = _morph(row, number)
    domain, identity, expression = _places(row, number, morph, words)
    head = words.head(domain)
    for end in (identity.first, identity.second):
        if end:
            of_identities.known(words.weights_of_identity(end, head), head)
    for end in (expression.first, expression.second):
        if end:
            expression_weights(end, head, words.expressions)

    along = "expression"
    if "identity_level" in row and "identity" not in row and not identity.second:
        raise need(f"an identity beside identity_level of face {number}", "none")
    level = _number(row, "identity_level", number, 1.0, of_identities.LOWEST, of_identities.HIGHEST)
    if expression == Between(NEUTRAL):
        intensity = _number(row, "intensity", number, 0.0, None, None)
        if intensity != 0:
            raise need("intensity 0 for the expression 'neutral'", f"{intensity:g} (face {number})")
        if "intensity" not in row and ("identity" in row or identity.second):
            along = "identity"
    else:
        if "intensity" not in row and not expression.second:
            raise need(f"an intensity for face {number}, whose expression is {expression.name!r}", "no intensity")
        intensity = _number(row, "intensity", number, 1.0, of_expressions.LOWEST, of_expressions.HIGHEST)
    yaw, pitch = _view(row, number)
    light = _name(row, "light", number, STANDARD_LIGHT)
    skin = _name(row, "skin", number, "", empty=True)
    if light not in LIGHTS and light != STANDARD_LIGHT:
        raise unknown("light", light, {*LIGHTS, STANDARD_LIGHT})
    if skin and skin not in SKINS:
        raise unknown("skin", skin, SKINS)
    average = identity == Between(AVERAGE)
    peak = intensity if along == "expression" else 0.0 if average else level
    course = _course(row, number, peak, of_expressions if along == "expression" else of_identities)
    face = FaceSpec(
        domain.plain(),
        Between(AVERAGE) if level == 0 else identity.plain(),
        0.0 if average else level,
        Between(NEUTRAL) if intensity == 0 else expression.plain(),
        intensity,
        _number(row, "stretch", number, 1.0, *_STRETCH),
        yaw,
        pitch,
        light,
        skin,
        _number(row, "scale", number, 1.0, *_SCALE),
        _number(row, "x", number, 0.0, None, None, "degree"),
        _number(row, "y", number, 0.0, None, None, "degree"),
        course if peak != 0 else "",
    )
    given = {"domain": domain, "identity": identity, "expression": expression, "level": level, "along": along}
    name = _name(row, "stimulus_id", number, "") or identifier(face, given)
    return Order(face, name, along, morph, _labels(row, number))


def _number(
    row: Mapping[str, Any],
    key: str,
    number: int,
    default: float,
    low: float | None,
    high: float | None,
    unit: str = "1",
) -> float:
    return bare(row.get(key, default), unit, f"{key} of face {number}", low=low, high=high) + 0.0


def _name(row: Mapping[str, Any], key: str, number: int, default: str, *, empty: bool = False) -> str:
    """Return a name that a row holds; whole numbers, such as a table's identities, become names."""
    value = row.get(key, default)
    if not isinstance(value, (str, int, np.integer)) or isinstance(value, bool):
        raise need(f"{key} of face {number}: a name", repr(value), kind=TypeError)
    if key in row and value == "" and not empty:
        raise need(f"{key} of face {number}: a name", "an empty one")
    return str(value)


def _course(row: Mapping[str, Any], number: int, peak: float, limits: Any) -> str | tuple[float, ...]:
    """Return how the intensity runs: a course's name, or its values."""
    course = row.get("course", "")
    if isinstance(course, str):
        if course and course not in COURSES:
            raise unknown("time course", course, COURSES)
        return course
    if not isinstance(course, (Sequence, np.ndarray)):
        raise need(f"course of face {number}: a name or a number for each frame", repr(course), kind=TypeError)
    values = tuple(bare(value, "1", f"course of face {number}") for value in course)
    if not values:
        raise need(f"course of face {number}: a name or a number for each frame", "none")
    for value in values:
        bare(value * peak, "1", f"intensity × course of face {number}", low=limits.LOWEST, high=limits.HIGHEST)
    return values


def _labels(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return the labels that a user adds."""
    labels = row.get("labels", {})
    if not isinstance(labels, Mapping):
        raise need(f"labels of face {number}: name → text or number", repr(labels), kind=TypeError)
    for name, value in labels.items():
        if not isinstance(name, str) or not name or "/" in name:
            raise need(f"labels of face {number}: names without '/'", repr(name))
        if name in GIVEN:
            raise need("labels beside those that nrsim gives", f"{name!r} in labels of face {number}", "Rename it")
        if value is not None and not isinstance(value, (str, bool, np.bool_, int, float, np.integer, np.floating)):
            raise need(f"label {name!r} of face {number}: text or a number", repr(value), kind=TypeError)
    return dict(labels)


def _morph(row: Mapping[str, Any], number: int) -> Between | None:
    given = [key for key in ("morph_from", "morph_to", "morph_fraction") if key in row]
    if not given:
        return None
    if len(given) < 3:
        raise need(f"morph_from, morph_to and morph_fraction of face {number}", f"only {', '.join(given)}")
    first, second = _name(row, "morph_from", number, ""), _name(row, "morph_to", number, "")
    if first == second:
        raise need(f"two ends of the morph of face {number}", f"{first!r} twice")
    for norm, instead in ((NEUTRAL, "intensity"), (AVERAGE, "identity_level")):
        if norm in (first, second):
            raise need(f"two ends of the morph of face {number} apart from the norm", repr(norm), f"Use {instead}")
    fraction = bare(row["morph_fraction"], "1", f"morph_fraction of face {number}", low=0, high=1) + 0.0
    return Between(first, second, fraction)


def _places(
    row: Mapping[str, Any], number: int, morph: Between | None, words: Vocabulary
) -> tuple[Between, Between, Between]:
    """Return domain, identity and expression; a morph stands for the one of the three that its ends are."""
    places = {
        "domain": Between(_name(row, "domain", number, "")) if "domain" in row else None,
        "identity": Between(_name(row, "identity", number, AVERAGE)),
        "expression": Between(_name(row, "expression", number, NEUTRAL)),
    }
    if morph is not None:
        head = template() if places["domain"] is None else words.head(places["domain"])
        kinds = [words.kind(end, head) for end in (morph.first, morph.second)]
        if kinds[0] != kinds[1]:
            raise need(
                f"a morph between two expressions, two identities or two head shapes (face {number})",
                f"{morph.first!r}, taken for {_a(kinds[0])}, and {morph.second!r}, taken for {_a(kinds[1])}",
            )
        if kinds[0] in row:
            raise need(
                f"either {kinds[0]} or a morph between two (face {number})",
                f"{row[kinds[0]]!r} and {morph.first!r} → {morph.second!r}",
            )
        places[kinds[0]] = morph
    if places["domain"] is None:
        raise need(f"the domain (head shape) of face {number}", f"only {', '.join(row)}" if row else "an empty row")
    ends = [domain_named(end, words.heads) for end in (places["domain"].first, places["domain"].second) if end]
    if len(ends) == 2:
        mixed(ends[0], ends[1], places["domain"].fraction)  # says so where the two cannot be morphed
    return places["domain"], places["identity"], places["expression"]  # type: ignore[return-value]


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _view(row: Mapping[str, Any], number: int) -> tuple[float, float]:
    if "view" in row:
        if "yaw" in row or "pitch" in row:
            raise need(f"either view or yaw and pitch of face {number}", "both")
        return view_named(_name(row, "view", number, ""))
    yaw = bare(row.get("yaw", 0.0), "degree", f"yaw of face {number}", low=-180, high=180) + 0.0
    return yaw, bare(row.get("pitch", 0.0), "degree", f"pitch of face {number}", low=-90, high=90) + 0.0
