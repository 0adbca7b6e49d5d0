"""What a user orders, one mapping a face, becomes a checked description of its geometry and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nrsim.errors import need, unknown
from nrsim.faces import expressions as of_expressions
from nrsim.faces import identities as of_identities
from nrsim.faces.domains import domain_named
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
            words.weights_of_identity(end, head)
    for end in (expression.first, expression.second):
        if end:
            expression_weights(end, head, words.expressions)

    along = "expression"
    level = _number(row, "identity_level", number, 1.0, of_identities.LOWEST, of_identities.HIGHEST)
    if expression == Between(NEUTRAL):
        intensity = _number(row, "intensity", number, 0.0, None, None)
        if intensity != 0:
            raise need("intensity 0 for the expression 'neutral'", f"{intensity:g} (face {number})")
        if "intensity" not in row and ("identity" in row or identity.second):
            along = "identity"
    else:
        if "intensity" not in row and not expression.second:
            raise need(f"domain, expression and intensity of face {number}", "no intensity")
        intensity = _number(row, "intensity", number, 1.0, of_expressions.LOWEST, of_expressions.HIGHEST)
    yaw, pitch = _view(row, number)
    light, skin = str(row.get("light", STANDARD_LIGHT)), str(row.get("skin", ""))
    if light not in LIGHTS and light != STANDARD_LIGHT:
        raise unknown("light", light, {*LIGHTS, STANDARD_LIGHT})
    if skin and skin not in SKINS:
        raise unknown("skin", skin, SKINS)
    course = row.get("course", "")
    still = expression == Between(NEUTRAL) and along == "expression"
    average = identity == Between(AVERAGE)
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
        _number(row, "x", number, 0.0, None, None),
        _number(row, "y", number, 0.0, None, None),
        "" if still else (course if isinstance(course, str) else tuple(course)),
    )
    labels = row.get("labels", {})
    if not isinstance(labels, Mapping):
        raise need(f"labels of face {number}: name → text or number", repr(labels), kind=TypeError)
    given = {"domain": domain, "identity": identity, "expression": expression, "level": level, "along": along}
    name = str(row["stimulus_id"]) if "stimulus_id" in row else identifier(face, given)
    return Order(face, name, along, morph, dict(labels))


def _number(
    row: Mapping[str, Any], key: str, number: int, default: float, low: float | None, high: float | None
) -> float:
    return bare(row.get(key, default), "1", f"{key} of face {number}", low=low, high=high) + 0.0


def _morph(row: Mapping[str, Any], number: int) -> Between | None:
    given = [key for key in ("morph_from", "morph_to", "morph_fraction") if key in row]
    if not given:
        return None
    if len(given) < 3:
        raise need(f"morph_from, morph_to and morph_fraction of face {number}", f"only {', '.join(given)}")
    first, second = str(row["morph_from"]), str(row["morph_to"])
    if first == second:
        raise need(f"two ends of the morph of face {number}", f"{first!r} twice")
    fraction = bare(row["morph_fraction"], "1", f"morph_fraction of face {number}", low=0, high=1) + 0.0
    return Between(first, second, fraction)


def _places(
    row: Mapping[str, Any], number: int, morph: Between | None, words: Vocabulary
) -> tuple[Between, Between, Between]:
    """Return domain, identity and expression; a morph stands for the one of the three that its ends are."""
    places = {
        "domain": Between(str(row["domain"])) if "domain" in row else None,
        "identity": Between(str(row.get("identity", AVERAGE))),
        "expression": Between(str(row.get("expression", NEUTRAL))),
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
        missing = [key for key in ("domain", "expression", "intensity") if key not in row]
        raise need(f"domain, expression and intensity of face {number}", f"no {' and no '.join(missing)}")
    for end in (places["domain"].first, places["domain"].second):
        if end:
            domain_named(end, words.heads)
    return places["domain"], places["identity"], places["expression"]  # type: ignore[return-value]


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _view(row: Mapping[str, Any], number: int) -> tuple[float, float]:
    if "view" in row:
        if "yaw" in row or "pitch" in row:
            raise need(f"either view or yaw and pitch of face {number}", "both")
        return view_named(str(row["view"]))
    yaw = bare(row.get("yaw", 0.0), "degree", f"yaw of face {number}", low=-180, high=180) + 0.0
    return yaw, bare(row.get("pitch", 0.0), "degree", f"pitch of face {number}", low=-90, high=90) + 0.0
