"""Draws faces that were ordered; keeps the head shapes, identities and paints that the last ones needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import scipy.sparse as sp

from nrsim.faces import landmarks as points_of
from nrsim.faces.domains import Domain, domain_named, mixed
from nrsim.faces.expressions import blended, expression_weights, rms
from nrsim.faces.identities import AVERAGE, between, displacement, interocular
from nrsim.faces.shape import Shape
from nrsim.faces.spec import Between, FaceSpec, Order
from nrsim.faces.views import aperture_mask, lit
from nrsim.faces.vocabulary import Vocabulary

_KEPT = 24  # head shapes and identities kept for the faces to come; a set of many people needs no more memory
T = TypeVar("T")


@dataclass
class Painter:
    """Draws orders at one size, on one background, through one aperture."""

    words: Vocabulary
    size: int
    degrees: float
    background: float
    aperture: str
    equal_size: float | None
    colour: bool

    def __post_init__(self) -> None:
        """Start with nothing kept."""
        self._kept: dict[str, OrderedDict[Any, Any]] = {}

    def points(
        self, table: Sequence[Order], wanted: str | Sequence[str | int]
    ) -> dict[str, dict[str, tuple[int, ...]]]:
        """Return the landmarks of every head that occurs: point → domain → vertices."""
        found: dict[str, dict[str, tuple[int, ...]]] = {}
        for each in table:
            domain = str(each.face.domain)
            if domain not in found:
                shape = self._shape(each.face)
                rest, lift = shape.head.surface["rest"], shape.domain.look.brow_lift
                known = points_of.lifted(shape.head.landmarks, rest, shape.skin, lift)
                found[domain] = points_of.chosen(wanted, known, len(rest))
        return {point: {domain: found[domain][point] for domain in found} for point in next(iter(found.values()))}

    def _remembered(self, kind: str, key: Any, make: Callable[[], T]) -> T:
        kept = self._kept.setdefault(kind, OrderedDict())
        if key not in kept:
            kept[key] = make()
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]  # type: ignore[no-any-return]

    def _shape(self, face: FaceSpec) -> Shape:
        def make() -> Shape:
            domain = self._domain(face.domain)
            return Shape(domain, face.stretch)

        return self._remembered("shape", (face.domain, face.stretch), make)

    def _domain(self, place: Between) -> Domain:
        first = domain_named(place.first, self.words.heads)
        if not place.second:
            return first
        return mixed(first, domain_named(place.second, self.words.heads), place.fraction)

    def _identity(self, face: FaceSpec, shape: Shape) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the identity at level 1: the head's own shift ``(vertex, 3)``, and that of the surface ``(n, 3)``.

        On a warped head it has the size, in interocular distances, that it has on the head itself.
        """
        if face.identity == Between(AVERAGE):
            return None
        place, head = face.identity, shape.head

        def make() -> tuple[np.ndarray, np.ndarray]:
            names = [end for end in (place.first, place.second) if end]
            own = [displacement(self.words.weights_of_identity(end, head), head) for end in names]
            drawn = [shape.carried(shift) for shift in own]
            if shape.warped:
                straight = [rms(np.asarray(head.subdivision @ shift), shape.skin) / interocular(head) for shift in own]
                moved = [shape.distance(shift, np.zeros_like(shift)) for shift in drawn]
                drawn = [
                    size / max(now, 1e-12) * shift for size, now, shift in zip(straight, moved, drawn, strict=True)
                ]
            if len(own) == 1:
                return own[0], drawn[0]
            skin = sp.identity(len(shape.skin), format="csr")[shape.skin]
            return (
                between(own[0], own[1], place.fraction, head.subdivision[shape.skin]),
                between(drawn[0], drawn[1], place.fraction, skin),
            )

        return self._remembered("identity", (face.domain, face.stretch, place), make)

    def _expression(self, face: FaceSpec, shape: Shape, person: np.ndarray | None) -> np.ndarray | None:
        """Return how the expression at intensity 1 moves the surface of a person, ``(n, 3)``."""
        place, head = face.expression, shape.head

        def sized(weights: dict[str, float]) -> tuple[dict[str, float], np.ndarray]:
            moved = shape.carried(head.expression(weights), person)
            size = shape.distance(moved, np.zeros_like(moved))
            factor = 1.0 if self.equal_size is None or size == 0 else self.equal_size / size
            return {unit: factor * weight for unit, weight in weights.items()}, factor * moved

        def make() -> np.ndarray | None:
            ends = [
                expression_weights(name, head, self.words.expressions) for name in (place.first, place.second) if name
            ]
            if self.equal_size is not None and len(ends) == 2:
                ends = [sized(weights)[0] for weights in ends]
            weights = ends[0] if len(ends) == 1 else blended(ends[0], ends[1], place.fraction)
            return sized(weights)[1] if weights else None

        of_person = (face.identity, face.identity_level) if shape.warped else None  # elsewhere shifts just add up
        return self._remembered("expression", (face.domain, face.stretch, place, of_person), make)

    def paint(
        self, each: Order, courses: np.ndarray, points: Mapping[str, Mapping[str, tuple[int, ...]]]
    ) -> tuple[dict[str, list[np.ndarray]], np.ndarray, float]:
        """Return the pictures of every frame, the landmarks ``(frame, point, axis)`` and the distance from the norm."""
        face = each.face
        shape = self._shape(face)
        identity = self._identity(face, shape)
        person = None if identity is None else face.identity_level * identity[0]
        who = None if identity is None else face.identity_level * identity[1]
        expression = self._expression(face, shape, person)
        look = lit(shape.domain.look, face.light, face.skin)
        painted = self._remembered(
            "paint", (face.domain, face.light, face.skin), lambda: shape.painted(look, self.colour)
        )
        pixels = self.size / self.degrees
        offset = (face.x * pixels, -face.y * pixels)
        where: dict[str, Any] = {"scale": face.scale, "offset": offset}
        mask = self._mask(shape, face, where)

        def surface(fraction: float) -> np.ndarray:
            along = each.along == "expression"
            points = shape.neutral
            if who is not None:
                points = points + (1.0 if along else fraction) * who
            if expression is not None:
                points = points + face.intensity * (fraction if along else 1.0) * expression
            return points

        pictures: dict[str, list[np.ndarray]] = {"image": [], **({"colour": []} if self.colour else {})}
        marks = np.zeros((len(courses), len(points), 2))
        numbers = [list(vertices[str(face.domain)]) for vertices in points.values()]
        last: tuple[float, dict[str, np.ndarray], np.ndarray] | None = None
        for frame, fraction in enumerate(courses):
            if last is None or last[0] != fraction:
                image, colour, places = shape.draw(
                    surface(float(fraction)),
                    self.size,
                    look,
                    painted,
                    yaw=face.yaw,
                    pitch=face.pitch,
                    background=self.background,
                    **where,
                )
                drawn = {"image": image} | ({"colour": colour} if colour is not None else {})
                if mask is not None:
                    drawn = {name: self._through(mask, picture) for name, picture in drawn.items()}
                last = (float(fraction), drawn, np.array([places[each].mean(axis=0) for each in numbers]))
            for name, picture in last[1].items():
                pictures[name].append(picture)
            marks[frame] = last[2]
        peak = surface(1.0)
        norm = surface(0.0) if each.intensity != 0 else peak
        return pictures, marks, shape.distance(peak, norm)

    def _through(self, mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
        seen = mask[..., None] if picture.ndim == 3 else mask
        return (seen * picture + (1 - seen) * self.background).astype(np.float32)

    def _mask(self, shape: Shape, face: FaceSpec, where: Mapping[str, Any]) -> np.ndarray | None:
        """Return the aperture; an oval is the outline of an ellipsoid about the inner face, and turns with the head."""
        if self.aperture != "oval":
            return aperture_mask(self.aperture, self.size)
        centre, radii = shape.inner_face
        yaw, pitch = np.deg2rad(face.yaw), np.deg2rad(face.pitch)
        ends = np.stack([centre, centre + [0.0, radii[1], 0.0]])
        here = shape.project(ends[:1], self.size, yaw=face.yaw, pitch=face.pitch, **where)[0, :2]
        upright = shape.project(ends, self.size, yaw=0.0, pitch=0.0, **where)
        pixels = float(upright[0, 1] - upright[1, 1]) / radii[1]  # px of a mesh unit there
        across = np.hypot(radii[0] * np.cos(yaw), radii[2] * np.sin(yaw))
        down = np.hypot(radii[1] * np.cos(pitch), radii[2] * np.sin(pitch))
        return aperture_mask("oval", self.size, (here[0], here[1]), (across * pixels, down * pixels))
