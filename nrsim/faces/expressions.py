"""The six basic expressions as weights of expression units."""

from __future__ import annotations

from nrsim.errors import unknown

_PAIRED = [
    "browDown",
    "browOuterUp",
    "cheekSquint",
    "eyeBlink",
    "eyeLookDown",
    "eyeLookIn",
    "eyeLookOut",
    "eyeLookUp",
    "eyeSquint",
    "eyeWide",
    "mouthDimple",
    "mouthFrown",
    "mouthLowerDown",
    "mouthPress",
    "mouthSmile",
    "mouthStretch",
    "mouthUpperUp",
    "noseSneer",
]

# Some units of the mesh move less than the muscle does; these gains bring them to a visible size (chosen by eye).
_GAIN = {
    "browDown": 1.6,
    "browInnerUp": 1.25,
    "noseSneer": 1.5,
    "eyeWide": 1.2,
    "mouthFrown": 1.15,
    "mouthStretch": 1.2,
}

# Weights at intensity 1, after the prototypes of the Facial Action Coding System (Ekman & Friesen 1978); the sizes are
# chosen so that the pictures are named correctly.
_WEIGHTS: dict[str, dict[str, float]] = {
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

EXPRESSIONS = tuple(_WEIGHTS)
NEUTRAL = "neutral"
LOWEST, HIGHEST = -0.5, 1.5  # below, the opposite of a surprised jaw crosses itself; above, skin folds


def expression_weights(name: str) -> dict[str, float]:
    """Return the weights of the expression units at intensity 1; none for ``"neutral"``.

    Raises
    ------
    ValueError
        For an unknown expression; the nearest is named.
    """
    if name == NEUTRAL:
        return {}
    if name not in _WEIGHTS:
        raise unknown("expression", name, (*EXPRESSIONS, NEUTRAL))
    weights: dict[str, float] = {}
    for unit, weight in _WEIGHTS[name].items():
        sides = ("Left", "Right") if unit in _PAIRED else ("",)
        weights |= {unit + side: weight * _GAIN.get(unit, 1.0) for side in sides}
    return weights
