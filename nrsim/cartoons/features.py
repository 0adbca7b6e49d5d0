"""The features and parts of a cartoon face, and the faces a user names by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nrsim.errors import need, unknown
from nrsim.quantities import bare

LEVELS = tuple(range(-5, 6))  # the 11 values of each feature; 0 is the middle (Freiwald et al. 2009)
HIGHEST = 5.0

# The seven parts that Freiwald et al. 2009 took the faces apart into, in the order they are drawn
PARTS = ("outline", "hair", "eyes", "irises", "eyebrows", "nose", "mouth")
_INNER = ("eyes", "irises", "eyebrows", "nose", "mouth")


@dataclass(frozen=True)
class Feature:
    """One feature of a cartoon face.

    Attributes
    ----------
    low, high
        What the face looks like at −5 and at +5.
    parts
        The parts that the feature changes; no other part ever does.
    """

    low: str
    high: str
    parts: tuple[str, ...]


class _Table(dict[str, Feature]):
    """The 19 features of a cartoon face: name → what −5 and +5 look like, and the parts that change.

    The names are those of Freiwald, Tsao & Livingstone 2009; which end is +5 is chosen.
    """


CARTOON_FEATURES: Mapping[str, Feature] = _Table(
    {
        "face_aspect_ratio": Feature("long and narrow", "short and wide", ("outline", "hair")),
        "face_direction": Feature("inner parts shifted to the picture's left", "to its right", _INNER),
        "feature_assembly_height": Feature("inner parts low in the face", "high in the face", _INNER),
        "hair_length": Feature("hair ends at the temples", "at the jaw", ("hair",)),
        "hair_thickness": Feature("thin hair", "thick hair", ("hair",)),
        "eyebrow_slant": Feature("inner ends high", "inner ends low", ("eyebrows",)),
        "eyebrow_width": Feature("short eyebrows", "long eyebrows", ("eyebrows",)),
        "eyebrow_height": Feature("eyebrows close to the eyes", "far above the eyes", ("eyebrows",)),
        "inter_eye_distance": Feature("eyes close together", "far apart", ("eyes", "irises", "eyebrows")),
        "eye_eccentricity": Feature("round eyes", "long, flat eyes", ("eyes", "irises")),
        "eye_size": Feature("small eyes", "large eyes", ("eyes", "irises")),
        "iris_size": Feature("small irises", "large irises", ("irises",)),
        "gaze_direction": Feature("looks to the picture's left", "to its right", ("irises",)),
        "nose_base": Feature("narrow nose", "broad nose", ("nose",)),
        "nose_altitude": Feature("short nose", "long nose", ("nose",)),
        "mouth_nose_distance": Feature("mouth close to the nose", "far below the nose", ("mouth",)),
        "mouth_size": Feature("narrow mouth", "wide mouth", ("mouth",)),
        "mouth_top": Feature("lips bow down in the middle, a smile", "bow up, a frown", ("mouth",)),
        "mouth_bottom": Feature("lips nearly closed", "lower lip far below the upper", ("mouth",)),
    }
)


@dataclass(frozen=True)
class Cartoon:
    """One face to draw: its label, the values of the 19 features in their order, and the parts drawn."""

    identifier: str
    values: tuple[float, ...]
    parts: tuple[str, ...] = PARTS

    @property
    def varied(self) -> str:
        """Which features differ from 0: ``"none"``, one name, two joined by ``"+"``, else ``"several"``."""
        names = [name for name, value in zip(CARTOON_FEATURES, self.values, strict=True) if value]
        return "+".join(names) if 0 < len(names) < 3 else "several" if names else "none"

    @property
    def intensity(self) -> float:
        """0 = the average, 1 = the border of the feature space; signed where one feature alone differs from 0."""
        others = [value for value in self.values if value]
        return (others[0] if len(others) == 1 else max(map(abs, others), default=0.0)) / HIGHEST


def named(values: Mapping[str, float], parts: tuple[str, ...] = PARTS, identifier: str = "") -> Cartoon:
    """Return the face of ``values`` (feature → value, the others 0) and ``parts``, labelled by what it is."""
    row = tuple(float(values.get(name, 0.0)) for name in CARTOON_FEATURES)
    varied = [(name, value) for name, value in zip(CARTOON_FEATURES, row, strict=True) if value]
    if not varied:
        what = "average"
    elif len(varied) < 3:
        what = "-".join(f"{name}{value:+g}" for name, value in varied)
    else:
        what = "".join(f"{value + 0.0:+g}" for value in row)
    if not parts:
        what = "blank"
    elif parts != PARTS:
        what += "-only-" + "-".join(parts)
    return Cartoon(identifier or f"cartoon-{what}", row, parts)


def cartoon_of(row: Mapping[str, Any], number: int, parts: tuple[str, ...]) -> Cartoon:
    """Return the face a user's ``row`` names: feature → value, and ``parts`` where they differ.

    Raises
    ------
    TypeError, ValueError
        If it is no mapping, a key is no feature (the nearest is named), or a value is no number in −5..5.
    """
    if not isinstance(row, Mapping):
        todo = "Wrap a single face in a list: [{'iris_size': 3}]"
        raise need("a mapping of feature and value for each face", repr(row), todo, kind=TypeError)
    values = {}
    for key, value in row.items():
        if key == "parts":
            parts = parts_of(value)
        elif key in CARTOON_FEATURES:
            values[str(key)] = bare(value, "1", f"{key} of face {number}", low=-HIGHEST, high=HIGHEST)
        else:
            raise unknown("feature of a cartoon face", key, [*CARTOON_FEATURES, "parts"])
    return named(values, parts)


def parts_of(parts: Sequence[str] | None) -> tuple[str, ...]:
    """Return the named parts in drawing order; None is all seven, an empty list none (a blank picture)."""
    if parts is None:
        return PARTS
    if isinstance(parts, str) or not isinstance(parts, Sequence):
        raise need(f"parts: a list of {', '.join(PARTS)}", repr(parts), kind=TypeError)
    for part in parts:
        if part not in PARTS:
            raise unknown("part of a cartoon face", part, PARTS)
    return tuple(part for part in PARTS if part in parts)


def features_of(features: Sequence[str] | None) -> tuple[str, ...]:
    """Return the named features in the order given; None is all 19.

    Raises
    ------
    TypeError, ValueError
        If it is no list, is empty, names no feature (the nearest is named), or one twice.
    """
    if features is None:
        return tuple(CARTOON_FEATURES)
    if isinstance(features, str) or not isinstance(features, Sequence) or not features:
        raise need("features: a list with at least one feature", repr(features), kind=TypeError)
    for name in features:
        if name not in CARTOON_FEATURES:
            raise unknown("feature of a cartoon face", name, CARTOON_FEATURES)
    if len(set(features)) < len(features):
        raise need("every feature once", ", ".join(features))
    return tuple(features)
