"""One head shape, ready to be drawn with any identity, expression, view and light."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from nrsim.faces.domains import Domain, Look, smoothstep
from nrsim.faces.expressions import rms
from nrsim.faces.head import EYE, SKIN, TEETH, TONGUE, template
from nrsim.faces.shading import COLOURS, LUMINANCE, albedo, opacity, shade
from nrsim.meshes.raster import interpolate, project, rasterise, turn
from nrsim.meshes.surface import vertex_normals

_CAMERA = 7.0  # distance of the camera in half widths of the picture (chosen: a photographer's portrait distance)
# In every neutral picture the eyes lie at the same height, as laboratories align their faces (chosen)
_EYE_HEIGHT = 0.10  # of the eyes above the middle of the picture, in half widths
_DEPTH = 0.7  # of the plane that is shown at its true size, mesh units
# How far teeth and tongue lie further back when hidden surfaces are found, mesh units: skin that identity targets pull
# across them then stays in front (chosen by eye)
_MOUTH_DEPTH = 0.10
_BEFORE_EARS = 0.75  # depth on the template, mesh units: what lies before it has no ears (by eye)
_CHUNK = 2**14  # places shaded at once: what they need then stays in the cache
_OPEN = 0.10  # interocular distances that the lips part until light falls between them (chosen by eye)


class Shape:
    """A head shape: its neutral average face, and how the surface follows identities and expressions.

    Parameters
    ----------
    domain
        Head, identity weights, warp, look and framing.
    stretch
        Factor of the head's width.
    """

    def __init__(self, domain: Domain, stretch: float = 1.0) -> None:
        self.domain, self.stretch = domain, stretch
        self.head = domain.head or template()
        self._base = self.head.vertices + (self.head.identity(domain.identity) if domain.identity else 0.0)
        self.skin = self.head.surface["part"] == SKIN
        eyes, mouth = (self.middle(names)[1] for names in (("eye_left", "eye_right"), ("mouth",)))
        self.half = domain.frame * float(eyes - mouth)
        self.centre = np.array([0.0, eyes - _EYE_HEIGHT * self.half, _DEPTH])
        above = self.neutral[self.skin & (self.neutral[:, 1] > mouth), 2]
        self.axis = float(above.max() + above.min()) / 2  # depth of the axis that the head turns about

    def vertices(self, shift: np.ndarray | None = None) -> np.ndarray:
        """Return the vertices drawn, ``(n, 3)``, for a shift of the head's own ``(vertex, 3)``, warped."""
        coarse = self._base if shift is None else self._base + shift
        fine = np.asarray(self.head.subdivision @ coarse)
        if self.warped:
            fine = self.domain.warp(fine, self.domain.warped)  # type: ignore[misc]
        if self.stretch != 1:
            fine = fine * [self.stretch, 1.0, 1.0]
        return fine

    @property
    def warped(self) -> bool:
        """Whether a warp carries this head's surface."""
        return self.domain.warp is not None and self.domain.warped != 0

    def carried(self, shift: np.ndarray, at: np.ndarray | None = None) -> np.ndarray:
        """Return how a shift of the head's own moves the surface drawn, ``(n, 3)``, on the face shifted by ``at``.

        Warp and subdivision are applied to the prototype once; what is drawn of an expression or a person is a multiple
        of this, so that intensity is linear on every head by construction.
        """
        return self.vertices(shift if at is None else at + shift) - self.vertices(at)

    @cached_property
    def neutral(self) -> np.ndarray:
        """The vertices drawn of the neutral average face, ``(n, 3)``."""
        return self.vertices()

    def middle(self, names: tuple[str, ...]) -> np.ndarray:
        """Return the mean place of points of the neutral average face, ``(3,)``."""
        vertices = [vertex for name in names for vertex in self.head.landmarks[name]]
        return np.asarray(self.neutral[vertices].mean(axis=0))

    @cached_property
    def interocular(self) -> float:
        """Distance between the eyes' centres of the neutral average face, mesh units."""
        eyes = [
            self.neutral[(self.head.surface["part"] == EYE) & (side * self.head.surface["rest"][:, 0] > 0)]
            for side in (1, -1)
        ]
        if all(len(eye) for eye in eyes):
            return float(np.linalg.norm(eyes[0].mean(axis=0) - eyes[1].mean(axis=0)))
        return float(np.linalg.norm(self.middle(("eye_left",)) - self.middle(("eye_right",))))

    @cached_property
    def inner_face(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre and semi-axes of an ellipsoid about the inner face, ``(3,)`` mesh units: brows to chin, without ears.

        Its width is 1.6 times that of the outer corners of the eyes, at most 0.92 of the head before the ears, its
        height from above the brows to the chin, its depth from before the nose to behind the eyes (chosen by eye on the
        three heads).
        """
        eyes, mouth = self.middle(("eye_left", "eye_right")), self.middle(("mouth",))
        corners = [self.middle((f"eye_outer_{side}",)) for side in ("left", "right")]
        unit = float(eyes[1] - mouth[1])
        front = max(self.middle((name,))[2] for name in ("nose_tip", "mouth", "chin")) + 0.05 * unit
        back = min(corner[2] for corner in corners) - 0.85 * unit
        middle = eyes + 0.30 * (mouth - eyes)
        centre = np.array([middle[0], middle[1], (front + back) / 2])
        before_ears = self.skin & (self.head.surface["rest"][:, 2] > _BEFORE_EARS)
        wide = float(np.abs(self.neutral[before_ears, 0] - middle[0]).max())
        width = min(1.60 * abs(float(corners[0][0] - corners[1][0])) / 2, 0.92 * wide)
        return centre, np.array([width, 1.42 * unit, (front - back) / 2])

    def distance(self, points: np.ndarray, norm: np.ndarray) -> float:
        """Return the RMS shift of the skin between two surfaces ``(n, 3)``, in interocular distances."""
        return rms(points - norm, self.skin) / self.interocular

    def _opened(self, points: np.ndarray) -> float:
        """Return how far the lips are apart, 0 (as in the neutral face) to 1."""
        lips = [
            [points_[list(self.head.landmarks[f"{lip}_lip"])] for lip in ("upper", "lower")]
            for points_ in (points, self.neutral)
        ]
        gaps = [float(np.linalg.norm(upper.mean(axis=0) - lower.mean(axis=0))) for upper, lower in lips]
        return float(smoothstep(0.0, _OPEN, np.array((gaps[0] - gaps[1]) / self.interocular)))

    def painted(self, look: Look, colour: bool = False) -> np.ndarray:
        """Return what is painted on the vertices: place on the template, lip, mouth, part, and albedo, ``(n, 7 or 9)``.

        The albedo is a luminance, or with ``colour`` red, green and blue.
        """
        surface = self.head.surface
        masks = np.stack([surface["lip"], surface["inside_mouth"], surface["part"].astype(float)], axis=1)
        tint = COLOURS if colour else LUMINANCE
        return np.concatenate([surface["rest"], masks, albedo(surface, look) @ tint], axis=1)

    def project(
        self, points: np.ndarray, size: int, *, yaw: float, pitch: float, scale: float, offset: tuple[float, float]
    ) -> np.ndarray:
        """Return places in a picture of ``size`` px, x right, y down, and depth, ``(n, 3)``; ``offset`` in px.

        ``scale`` and ``offset`` are the picture's, as on a screen: they leave the perspective as it is.
        """
        pivot = np.array([0.0, self.centre[1], self.axis])
        turned = (points - pivot) @ turn(yaw, pitch).T + pivot
        placed = project(turned, self.centre, self.half, size, _CAMERA, np.eye(3))
        placed[:, :2] = size / 2 + scale * (placed[:, :2] - size / 2) + offset
        return placed

    def draw(
        self,
        points: np.ndarray,
        size: int,
        look: Look,
        painted: np.ndarray,
        *,
        yaw: float = 0.0,
        pitch: float = 0.0,
        scale: float = 1.0,
        offset: tuple[float, float] = (0.0, 0.0),
        background: float = 0.5,
        samples: int = 2,
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Return the picture and the vertices' places in it.

        Parameters
        ----------
        points
            The surface, ``(n, 3)``.
        size
            Width and height, px.
        look, painted
            From the domain, and :meth:`painted` for it.
        yaw, pitch
            Degrees.
        scale
            Factor of the face's size.
        offset
            Shift in px, right and down.
        background
            Luminance.
        samples
            Along each side of a pixel; they are averaged.

        Returns
        -------
        image
            Luminance ``(y, x)``, 0..1.
        colour
            Red, green and blue ``(y, x, 3)``, linear, 0..1, where ``painted`` has colours; else None.
        places
            ``(n, 2)``, px.
        """
        corners, fine = self.head.corners, size * samples
        shift = (offset[0] * samples, offset[1] * samples)
        projected = self.project(points, fine, yaw=yaw, pitch=pitch, scale=scale, offset=shift)
        drawn = projected.copy()
        drawn[np.isin(self.head.surface["part"], (TEETH, TONGUE)), 2] -= _MOUTH_DEPTH
        pixel, triangle, weights = rasterise(drawn, corners, fine, fine)
        values = np.concatenate([vertex_normals(points, corners) @ turn(yaw, pitch).T, painted], axis=1)
        coloured, opened = painted.shape[1] > 7, self._opened(points)
        tint = COLOURS if coloured else LUMINANCE
        image = np.full(fine * fine, background)
        colour = np.full((3, fine * fine), background) if coloured else None
        for start in range(0, len(pixel), _CHUNK):
            part = slice(start, start + _CHUNK)
            at = np.ascontiguousarray(interpolate(values, corners, triangle[part], weights[part]).T)
            normals = at[:3] / np.maximum(np.sqrt(at[0] ** 2 + at[1] ** 2 + at[2] ** 2), 1e-9)
            seen = {
                "rest": at[3:6],
                "lip": at[6],
                "inside_mouth": at[7],
                "part": np.rint(at[8]).astype(np.int64),
                "albedo": at[9:],
            }
            if self.head.paint is not None:
                own = interpolate(self.head.surface["colour"], corners, triangle[part], weights[part])
                pictures = self.head.paint.seen(triangle[part], weights[part], projected[corners, :2])
                seen["albedo"] = (own * pictures @ tint).T
            shaded = shade(seen, normals, look, tint, painted="colour" not in self.head.surface, opened=opened)
            visible, where = opacity(at[3:6]), pixel[part]
            lit = (LUMINANCE.T @ shaded if coloured else shaded)[0]
            image[where] = visible * np.clip(lit, 0, 1) + (1 - visible) * background
            if colour is not None:
                colour[:, where] = visible * np.clip(shaded, 0, 1) + (1 - visible) * background
        places = projected[:, :2] / samples
        whole = _averaged(image.reshape(fine, fine), samples)
        if colour is None:
            return whole, None, places
        return whole, np.stack([_averaged(each.reshape(fine, fine), samples) for each in colour], axis=-1), places


def _averaged(picture: np.ndarray, samples: int) -> np.ndarray:
    """Return the mean of every ``samples`` × ``samples`` of a picture, float32."""
    size = len(picture) // samples
    total = np.zeros((size, size))
    for row in range(samples):
        for column in range(samples):
            total += picture[row::samples, column::samples]
    return (total / samples**2).astype(np.float32)
