"""What a face is: its place in the face space, its id, and its norm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nrsim.faces.expressions import NEUTRAL
from nrsim.faces.identities import AVERAGE
from nrsim.faces.views import STANDARD_LIGHT, view_of


def decimals(value: float, sign: str = "") -> str:
    """Return a number with two decimals, or with as many as tell it from its neighbours."""
    return f"{value:{sign}.2f}" if abs(round(value, 2) - value) < 1e-9 else f"{value:{sign}.6g}"


@dataclass(frozen=True)
class Between:
    """One name, or a place between two: ``fraction`` 0 is the first, 1 the second."""

    first: str
    second: str = ""
    fraction: float = 0.0

    def __str__(self) -> str:
        """Return the name, or both with the fraction."""
        return f"{self.first}-{self.second}-{decimals(self.fraction)}" if self.second else self.first

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


def identifier(face: FaceSpec, given: Mapping[str, Any]) -> str:
    """Return an id that says what differs from a frontal face in its head's own light."""
    parts = [str(given["domain"])]
    if face.stretch != 1:
        parts.append(f"x{decimals(face.stretch)}")
    identity, expression = given["identity"], given["expression"]
    if identity != Between(AVERAGE):
        parts.append(str(identity))
        if given["along"] == "identity" or given["level"] != 1:
            parts.append(decimals(given["level"], "+"))
    elif given["along"] == "identity":
        parts.append(AVERAGE)
    if given["along"] == "expression":
        parts.append(str(expression))
        if expression != Between(NEUTRAL):
            parts.append(decimals(face.intensity, "+"))
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
