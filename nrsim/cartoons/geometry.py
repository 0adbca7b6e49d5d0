"""From the values of 19 features to contours and landmarks, in half widths of the picture (x right, y up, 0 = centre).

All sizes are chosen, by two rules. Every feature moves what it names by equal steps (sizes by equal ratios) and nothing
else, so the eyebrows, say, keep their distance from the eyes' centres when the eyes grow. And at every combination of
values the parts stay apart from each other and within the face and the hairline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nrsim.cartoons.features import CARTOON_FEATURES, HIGHEST

LINE = 0.024  # width of the lines
BROW = 0.045  # thickness of the eyebrows
_STEPS = 64  # points of a closed contour

_FACE_CENTRE = -0.05  # height of the face's widest place
_FACE_AREA, _ASPECT, _ASPECT_SPAN = 0.45, 0.80, 0.25  # product of the half axes; width / height: 0.62 to 1.03
_ROUND, _SQUARE = 2.0, 2.4  # exponents of the outline below and above its widest place: an ellipse, and a squarer skull
_EYE_LINE, _HEIGHT_SPAN, _DIRECTION_SPAN = -0.02, 0.065, 0.05
_EYE_X, _EYE_X_SPAN = 0.220, 0.042  # of an eye's centre from the assembly's middle
_EYE_SIZE, _EYE_SIZE_SPAN = 0.086, 0.27  # geometric mean of an eye's half axes: 0.066 to 0.113
_ECCENTRICITY, _ECCENTRICITY_SPAN = 1.40, 0.30  # width / height of an eye: 1.04 to 1.89
_IRIS, _IRIS_SPAN = 0.046, 0.35  # radius: 0.032 to 0.065
_GAZE_SPAN = 0.04
_BROW_HEIGHT, _BROW_HEIGHT_SPAN = 0.205, 0.035  # above the eye's centre
_BROW_HALF, _BROW_HALF_SPAN = 0.105, 0.030  # half length
_BROW_SLANT = np.deg2rad(18.0)
_BROW_ARCH = 0.018  # height of the eyebrow's arch
_NOSE_Y, _NOSE_HALF, _NOSE_HALF_SPAN = -0.26, 0.075, 0.035  # base below the eye line; half its width
_NOSE_ALTITUDE, _NOSE_ALTITUDE_SPAN = 0.13, 0.05
_MOUTH_GAP, _MOUTH_GAP_SPAN = 0.125, 0.035  # mouth's corners below the nose's base
_MOUTH_HALF, _MOUTH_HALF_SPAN = 0.145, 0.050
_BOW_SPAN = 0.050  # of the upper lip's middle above the corners
_OPENING, _OPENING_SPAN = 0.060, 0.045  # lower lip's middle below the upper lip's
_HAIR, _HAIR_SPAN = 0.085, 0.050  # how far the hair stands off the face
_HAIR_END, _HAIR_END_SPAN = -0.17, 0.43  # height where it ends
_HAIRLINE, _TEMPLE = 0.14, 0.50  # depth of the hair on the forehead, and height of the temples, in the face's height

INTEROCULAR = 2 * _EYE_X  # distance of the eyes' centres in the average face

# Each landmark and the part it lies on; left and right are the face's own
_PAIRED = {
    "brow_inner": "eyebrows",
    "brow_outer": "eyebrows",
    "eye_inner": "eyes",
    "eye_outer": "eyes",
    "upper_lid": "eyes",
    "lower_lid": "eyes",
    "eye_centre": "eyes",
    "iris": "irises",
    "nose_wing": "nose",
    "mouth_corner": "mouth",
}
_MIDLINE = {"nose_bridge": "nose", "nose_tip": "nose", "upper_lip": "mouth", "lower_lip": "mouth", "chin": "outline"}
LANDMARKS = {f"{name}_{side}": part for side in ("left", "right") for name, part in _PAIRED.items()} | _MIDLINE


class Geometry:
    """The contours and landmarks of one face.

    Parameters
    ----------
    values
        The 19 features in the order of ``CARTOON_FEATURES``, each −5..5.

    Attributes
    ----------
    contours
        Part → contours, each ``(point, axis)``; the numbers of points are the same for every face. Eyebrows are open
        lines, all others are closed. Hair is two areas: the mass behind the face and the fringe upon it. Of pairs the
        face's left comes first.
    landmarks
        Name → place ``(axis,)``.
    """

    def __init__(self, values: Sequence[float]) -> None:
        u = dict(zip(CARTOON_FEATURES, np.asarray(values, dtype=float) / HIGHEST, strict=True))
        self.contours: dict[str, list[np.ndarray]] = {}
        self.landmarks: dict[str, np.ndarray] = {}
        self._head(u)
        middle = np.array(
            [_DIRECTION_SPAN * u["face_direction"], _EYE_LINE + _HEIGHT_SPAN * u["feature_assembly_height"]]
        )
        self._eyes(u, middle)
        self._nose(u, middle)
        self._mouth(u, middle)

    def _head(self, u: dict[str, float]) -> None:
        aspect = _ASPECT * np.exp(_ASPECT_SPAN * u["face_aspect_ratio"])
        rx, ry = np.sqrt(_FACE_AREA * aspect), np.sqrt(_FACE_AREA / aspect)
        upper, lower = _arc(rx, ry, _SQUARE, 0.0), -_arc(rx, ry, _ROUND, 0.0)
        outline = np.concatenate([upper[:-1], lower[:-1]]) + [0.0, _FACE_CENTRE]
        self.contours["outline"] = [outline]
        self.landmarks["chin"] = np.array([0.0, _FACE_CENTRE - ry])

        off = _HAIR + _HAIR_SPAN * u["hair_thickness"]
        end = _HAIR_END - _HAIR_END_SPAN * u["hair_length"] - _FACE_CENTRE
        cap = _arc(rx + off, ry + off, _SQUARE, max(end, 0.0))  # from the right of the picture over the top to its left
        mass = np.concatenate([[[cap[0, 0], end]], cap, [[cap[-1, 0], end]]]) + [0.0, _FACE_CENTRE]
        scalp = _arc(rx + LINE, ry + LINE, _SQUARE, _TEMPLE * ry)  # the fringe hides the outline
        across = np.linspace(-1.0, 1.0, _STEPS)
        hairline = np.stack([across * scalp[0, 0], ry * _arch(across)], axis=1)
        self.contours["hair"] = [mass, np.concatenate([scalp, hairline]) + [0.0, _FACE_CENTRE]]

    def _eyes(self, u: dict[str, float], middle: np.ndarray) -> None:
        shift = _EYE_X + _EYE_X_SPAN * u["inter_eye_distance"]
        size = _EYE_SIZE * np.exp(_EYE_SIZE_SPAN * u["eye_size"])
        stretch = np.sqrt(_ECCENTRICITY * np.exp(_ECCENTRICITY_SPAN * u["eye_eccentricity"]))
        half = np.array([size * stretch, size / stretch])
        iris = _IRIS * np.exp(_IRIS_SPAN * u["iris_size"])
        gaze = np.array([_GAZE_SPAN * u["gaze_direction"], 0.0])
        along = np.linspace(-1.0, 1.0, 9)  # from the inner to the outer end of an eyebrow
        brow = np.stack([(_BROW_HALF + _BROW_HALF_SPAN * u["eyebrow_width"]) * along, _BROW_ARCH * (1 - along**2)], 1)
        cos, sin = np.cos(_BROW_SLANT * u["eyebrow_slant"]), np.sin(_BROW_SLANT * u["eyebrow_slant"])
        brow = brow @ np.array([[cos, sin], [-sin, cos]])
        brow[:, 1] += _BROW_HEIGHT + _BROW_HEIGHT_SPAN * u["eyebrow_height"]
        self.contours |= {"eyes": [], "irises": [], "eyebrows": []}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            centre = middle + [sign * shift, 0.0]
            self.contours["eyes"].append(centre + half * _CIRCLE)
            self.contours["irises"].append(centre + gaze + iris * _CIRCLE)
            self.contours["eyebrows"].append(centre + brow * [sign, 1.0])
            self.landmarks |= {
                f"brow_inner_{side}": self.contours["eyebrows"][-1][0],
                f"brow_outer_{side}": self.contours["eyebrows"][-1][-1],
                f"eye_inner_{side}": centre - [sign * half[0], 0.0],
                f"eye_outer_{side}": centre + [sign * half[0], 0.0],
                f"upper_lid_{side}": centre + [0.0, half[1]],
                f"lower_lid_{side}": centre - [0.0, half[1]],
                f"eye_centre_{side}": centre,
                f"iris_{side}": centre + gaze,
            }

    def _nose(self, u: dict[str, float], middle: np.ndarray) -> None:
        base = middle + [0.0, _NOSE_Y]
        half = _NOSE_HALF + _NOSE_HALF_SPAN * u["nose_base"]
        bridge = base + [0.0, _NOSE_ALTITUDE + _NOSE_ALTITUDE_SPAN * u["nose_altitude"]]
        left, right = base + [half, 0.0], base - [half, 0.0]
        self.contours["nose"] = [np.stack([left, bridge, right])]
        self.landmarks |= {"nose_wing_left": left, "nose_wing_right": right, "nose_bridge": bridge, "nose_tip": base}

    def _mouth(self, u: dict[str, float], middle: np.ndarray) -> None:
        centre = middle + [0.0, _NOSE_Y - _MOUTH_GAP - _MOUTH_GAP_SPAN * u["mouth_nose_distance"]]
        half = _MOUTH_HALF + _MOUTH_HALF_SPAN * u["mouth_size"]
        bow = _BOW_SPAN * u["mouth_top"]
        low = bow - _OPENING - _OPENING_SPAN * u["mouth_bottom"]
        along = np.linspace(-1.0, 1.0, _STEPS // 2 + 1)
        upper = np.stack([half * along, bow * (1 - along**2)], axis=1)
        lower = np.stack([half * along, low * (1 - along**2)], axis=1)[-2:0:-1]
        self.contours["mouth"] = [centre + np.concatenate([upper, lower])]
        self.landmarks |= {
            "mouth_corner_left": centre + [half, 0.0],
            "mouth_corner_right": centre - [half, 0.0],
            "upper_lip": centre + [0.0, bow],
            "lower_lip": centre + [0.0, low],
        }


def shift(face: Geometry, norm: Geometry, parts: Sequence[str]) -> float:
    """Return the RMS shift of the contours from ``norm``, each part weighing the same, in interocular distances."""
    squared = []
    for part in parts:
        pairs = zip(face.contours[part], norm.contours[part], strict=True)
        squared.append(np.mean(np.concatenate([((a - b) ** 2).sum(axis=1) for a, b in pairs])))
    return float(np.sqrt(np.mean(squared)) / INTEROCULAR) if squared else 0.0


def _arc(rx: float, ry: float, exponent: float, low: float) -> np.ndarray:
    """Return the part above ``low`` ≥ 0 of |x / rx|ⁿ + |y / ry|ⁿ = 1, from its right over its top to its left end."""
    start = np.arcsin(min(low / ry, 1.0) ** (exponent / 2))
    angle = np.linspace(start, np.pi - start, _STEPS // 2 + 1)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([rx * np.sign(cos) * np.abs(cos) ** (2 / exponent), ry * np.abs(sin) ** (2 / exponent)], axis=1)


def _arch(across: np.ndarray) -> np.ndarray:
    """Return the height of the hairline over −1..1, temple to temple, in units of the face's half height."""
    return _TEMPLE + (1 - _HAIRLINE - _TEMPLE) * (1 - np.abs(across) ** 3)


_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, _STEPS, endpoint=False)) for f in (np.cos, np.sin)], axis=1)
