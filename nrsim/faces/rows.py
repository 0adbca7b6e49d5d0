"""What a user orders, one mapping a face, becomes a checked description of its geometry and its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nrsim.errors import need, unknown
from nrsim.faces import expressions as of_expressions
from nrsim.faces import identities as of_identities
from nrsim.faces.domains import DOMAINS, domain_named
from nrsim.faces.expressions import NEUTRAL, expression_weights
from nrsim.faces.head import Head, template
from nrsim.faces.identities import AVERAGE, named_identities
from nrsim.faces.views import LIGHTS, SKINS, STANDARD_LIGHT, view_named, view_of
from nrsim.quantities import bare

KEYS = (
    *("domain", "expression", "intensity", "identity", "identity_level", "morph_from", "morph_to", "morph_fraction"),
    *("stretch", "view", "yaw", "pitch", "light", "skin", "scale", "x", "y", "course", "labels", "stimulus_id"),
)
_STRETCH = (0.5, 2.0)
_SCALE = (0.05, 3.0)


@dataclass(frozen=True)
class Between:
    """One name, or a place between two: ``fraction`` 0 is the first, 1 the second."""

    first: str
    second: str = ""
    fraction: float = 0.0

    def __str__(self) -> str:
        """Return the name, or both with the fraction."""
        return f"{self.first}-{self.second}-{self.fraction:.2f}" if self.second else self.first

    @property
    def name(self) -> str:
        """The name a label carries: the end where it is one, else both."""
        if not self.second or self.fraction == 0:
            return self.first
        return self.second if self.fraction == 1 else f"{self.first}-{self.second}"

    def plain(self) -> Between:
        """Return the same place with the ends of a morph as single names."""
        return self if 0 < self.fraction < 1 else Between(self.name)


@dataclass(frozen=True)
class FaceSpec:
    """One face: what is seen, from where, in which light. Equal ones are the same picture."""

    domain: Between
    identity: Between = Between(AVERAGE)
    identity_level: float = 0.0
    expression: Between = Between(NEUTRAL)
    intensity: float = 0.0
    stretch: float = 1.0
    yaw: float = 0.0
    pitch: float = 0.0
    light: str = STANDARD_LIGHT
    skin: str = ""
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    course: str | tuple[float, ...] = ""


@dataclass(frozen=True)
class Order:
    """A face ordered: its picture, its id, and the labels that the picture does not say."""

    face: FaceSpec
    stimulus_id: str
    along: str  # the trajectory that intensity runs along: "expression" or "identity"
    morph: Between | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)

    @property
    def intensity(self) -> float:
        """Where the face lies on its trajectory; 0 is the norm."""
        return self.face.intensity if self.along == "expression" else self.face.identity_level

    def norm(self) -> FaceSpec:
        """Return the face at intensity 0 of this one's trajectory, the rest being equal."""
        if self.along == "expression":
            return replace(self.face, expression=Between(NEUTRAL), intensity=0.0, course="")
        return replace(self.face, identity=Between(AVERAGE), identity_level=0.0, course="")


@dataclass(frozen=True)
class Vocabulary:
    """The names that rows may use beside nrsim's own."""

    heads: Mapping[str, Head]
    identities: Mapping[str, Mapping[str, float]]
    expressions: Mapping[str, Mapping[str, float]]

    @classmethod
    def checked(
        cls,
        heads: Mapping[str, Head] | None,
        identities: Mapping[str, Mapping[str, float]] | None,
        expressions: Mapping[str, Mapping[str, float]] | None,
    ) -> Vocabulary:
        """Return the names after a look at what stands behind them.

        Raises
        ------
        TypeError, ValueError
            If heads are no heads or take a name of nrsim's, or identities or expressions are no weights.
        """
        if heads is not None and not isinstance(heads, Mapping):
            raise need("heads: name → Head", repr(heads), kind=TypeError)
        for name, head in (heads or {}).items():
            if not isinstance(head, Head):
                raise need(f"heads: a Head for {name!r}", type(head).__name__, "nr.load_head reads one", kind=TypeError)
            if name in DOMAINS:
                raise need("another name for a head of your own", f"{name!r}, which is nrsim's")
        return cls(dict(heads or {}), of_identities.checked(identities), of_expressions.checked(expressions))

    def head(self, domain: Between) -> Head:
        """Return the head a domain is made of."""
        return domain_named(domain.first, self.heads).head or template()

    def kind(self, name: str, head: Head) -> str:
        """Return what a morph's end is: ``"domain"``, ``"identity"`` or ``"expression"``."""
        if name in DOMAINS or name in self.heads:
            return "domain"
        if name in self.identities or (head is template() and name in named_identities()) or name in head.identities:
            return "identity"
        return "expression"

    def weights_of_identity(self, name: str, head: Head) -> Mapping[str, float]:
        """Return an identity's weights.

        Raises
        ------
        ValueError
            For an unknown one; the nearest is named.
        """
        if name == AVERAGE:
            return {}
        if name in self.identities:
            return self.identities[name]
        if head is template() and name in named_identities():
            return named_identities()[name]
        if name in head.identities:
            return {name: 1.0}
        named = named_identities() if head is template() else head.identities
        raise unknown("identity", name, {AVERAGE, *self.identities, *named})


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
    name = str(row["stimulus_id"]) if "stimulus_id" in row else _identifier(face, given)
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


def _identifier(face: FaceSpec, given: Mapping[str, Any]) -> str:
    """Return an id that says what differs from a frontal face in its head's own light."""
    parts = [str(given["domain"])]
    if face.stretch != 1:
        parts.append(f"x{face.stretch:.2f}")
    identity, expression = given["identity"], given["expression"]
    if identity != Between(AVERAGE):
        parts.append(str(identity))
        if given["along"] == "identity" or given["level"] != 1:
            parts.append(f"{given['level']:+.2f}")
    elif given["along"] == "identity":
        parts.append(AVERAGE)
    if given["along"] == "expression":
        parts.append(str(expression))
        if expression != Between(NEUTRAL):
            parts.append(f"{face.intensity:+.2f}")
    if (face.yaw, face.pitch) != (0, 0):
        parts.append(view_of(face.yaw, face.pitch))
    parts += [word for word in (face.light if face.light != STANDARD_LIGHT else "", face.skin) if word]
    if face.scale != 1:
        parts.append(f"scale{face.scale:g}")
    if (face.x, face.y) != (0, 0):
        parts.append(f"at{face.x:+g}{face.y:+g}")
    if face.course:
        parts.append(face.course if isinstance(face.course, str) else "course")
    return "-".join(parts)
