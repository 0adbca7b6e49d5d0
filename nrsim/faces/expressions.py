"""Expressions as weights of expression units: the six basic ones, a macaque's, single units and your own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nrsim.errors import need, unknown
from nrsim.faces.head import Head
from nrsim.quantities import bare

# Weights at intensity 1; the sizes are chosen so that the pictures are named correctly. The six are made after the
# prototypes of the Facial Action Coding System (Ekman & Friesen 1978), the macaque's after its counterpart for macaques
# (Parr et al. 2010, Am J Phys Anthropol 143:625) and the descriptions of van Hooff (1967).
BASIC: Mapping[str, Mapping[str, float]] = {
    "happy": {"mouthSmile": 0.85, "cheekSquint": 0.7, "eyeSquint": 0.45, "mouthUpperUp": 0.25, "jawOpen": 0.06},
    "sad": {
        "browInnerUp": 1.0,
        "browDown": 0.25,
        "mouthFrown": 0.95,
        "mouthShrugLower": 0.5,
        "eyeBlink": 0.22,
        "eyeLookDown": 0.3,
    },
    "angry": {
        "browDown": 1.0,
        "noseSneer": 0.45,
        "eyeSquint": 0.35,
        "eyeWide": 0.35,
        "mouthPress": 0.6,
        "mouthRollLower": 0.25,
        "mouthFrown": 0.35,
        "mouthShrugUpper": 0.15,
    },
    "fearful": {
        "browInnerUp": 1.0,
        "browOuterUp": 0.45,
        "browDown": 0.3,
        "eyeWide": 1.0,
        "mouthStretch": 0.9,
        "mouthLowerDown": 0.45,
        "jawOpen": 0.22,
    },
    "disgusted": {
        "noseSneer": 1.0,
        "browDown": 0.55,
        "eyeSquint": 0.6,
        "cheekSquint": 0.6,
        "mouthUpperUp": 0.9,
        "mouthFrown": 0.35,
        "mouthShrugLower": 0.4,
    },
    "surprised": {"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.9, "jawOpen": 0.62, "mouthFunnel": 0.2},
}
MACAQUE: Mapping[str, Mapping[str, float]] = {
    # open-mouthed threat: mouth open and rounded, teeth covered by the lips, a stare under raised brows
    "threat": {"jawOpen": 0.85, "mouthFunnel": 0.45, "eyeWide": 1.0, "browDown": 0.6, "browOuterUp": 0.4},
    # silent bared teeth: lips drawn far back and apart over closed teeth, brows back
    "fear_grimace": {
        "mouthStretch": 1.0,
        "mouthSmile": 0.3,
        "mouthUpperUp": 1.3,
        "mouthLowerDown": 1.4,
        "browInnerUp": 0.6,
        "browOuterUp": 0.7,
        "jawOpen": 0.08,
    },
    # lip-smack at the pucker of its cycle, brows and scalp raised
    "lip_smack": {
        "mouthPucker": 1.2,
        "mouthFunnel": 0.6,
        "jawOpen": 0.12,
        "browInnerUp": 0.6,
        "browOuterUp": 0.8,
        "eyeSquint": 0.3,
    },
}
EXPRESSIONS = tuple(BASIC)
NEUTRAL = "neutral"
LOWEST, HIGHEST = -0.5, 1.5  # below, the opposite of a surprised jaw crosses itself; above, skin folds


def expression_weights(name: str, head: Head, own: Mapping[str, Mapping[str, float]] | None = None) -> dict[str, float]:
    """Return the weights of a head's expression units at intensity 1; none for ``"neutral"``.

    Parameters
    ----------
    name
        One of yours, of the head's own, of nrsim's (the six basic ones, ``threat``, ``fear_grimace``, ``lip_smack``),
        or a single unit (``jawOpen``; ``mouthSmile`` for both sides).
    head
        Whose units they are.
    own
        Your expressions: name → weights of units.

    Raises
    ------
    ValueError
        For an unknown expression (the nearest is named), or one that needs units which the head lacks.
    """
    if name == NEUTRAL:
        return {}
    weights: dict[str, float] = {}
    for defined in (own or {}, head.expressions):
        if name in defined:
            for unit, weight in defined[name].items():
                for side in head.sides(unit):  # both sides and one of them may be given: they add up
                    weights[side] = weights.get(side, 0.0) + float(weight)
            return weights
    ours = {**BASIC, **MACAQUE}
    if name not in ours:
        try:
            return dict.fromkeys(head.sides(name), 1.0)
        except ValueError:
            known = {*ours, *(own or {}), *head.expressions, *head.units, *head.whole_units(), NEUTRAL}
            raise unknown("expression", name, known) from None
    lacking = []
    for unit, weight in ours[name].items():
        try:
            weights |= {side: weight * head.gain.get(unit, 1.0) for side in head.sides(unit)}
        except ValueError:
            lacking.append(unit)
    if lacking:
        raise need(
            f"a head with the units of the expression {name!r}",
            f"the head {head.name!r} without {', '.join(lacking)}",
            "Define the expression for this head with expressions={...}",
        )
    return weights


def blended(first: Mapping[str, float], second: Mapping[str, float], fraction: float) -> dict[str, float]:
    """Return (1 − fraction)·first + fraction·second, unit by unit."""
    return {
        unit: (1 - fraction) * first.get(unit, 0.0) + fraction * second.get(unit, 0.0) for unit in {**first, **second}
    }


def checked(expressions: Mapping[str, Mapping[str, float]] | None) -> dict[str, dict[str, float]]:
    """Return your own expressions as name → weights of units, every weight a finite number.

    Raises
    ------
    TypeError, ValueError
        If they are no mapping of mappings, a weight is no number, or a name is taken by nrsim.
    """
    if expressions is None:
        return {}
    if not isinstance(expressions, Mapping):
        raise need("expressions: name → weights of units", repr(expressions), kind=TypeError)
    result: dict[str, dict[str, float]] = {}
    for name, weights in expressions.items():
        if not isinstance(weights, Mapping) or not weights:
            raise need(f"expression {name}: weights of units", repr(weights), kind=TypeError)
        if name == NEUTRAL:
            raise need("another name than 'neutral' for an expression of your own", repr(name))
        result[str(name)] = {str(unit): bare(weight, "1", f"{name}: {unit}") for unit, weight in weights.items()}
    return result


def rms(shift: np.ndarray, skin: np.ndarray) -> float:
    """Return the root mean square shift of the skin, ``shift (vertex, 3)``, in the units of the mesh."""
    return float(np.sqrt((shift[skin] ** 2).sum(axis=1).mean()))
