"""Faces to order: rows of domain, expression and intensity become a StimulusSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.faces.domains import Domain, domain_named
from nrsim.faces.expressions import HIGHEST, LOWEST, NEUTRAL, expression_weights
from nrsim.faces.head import SKIN, TEETH, TONGUE, Head, load_head
from nrsim.faces.landmarks import landmark_vertices
from nrsim.faces.shading import albedo, opacity, shade
from nrsim.meshes.raster import interpolate, project, rasterise, turn
from nrsim.meshes.surface import vertex_normals
from nrsim.quantities import bare, whole
from nrsim.schema import check

_CAMERA = 7.0  # distance of the camera in half widths of the picture (chosen: a photographer's portrait distance)
# In every neutral picture the eyes lie at the same height, as laboratories align their faces (chosen)
_EYE_HEIGHT = 0.10  # of the eyes above the middle of the picture, in half widths
_DEPTH = 0.7  # of the plane that is shown at its true size, mesh units
# How far teeth and tongue lie further back when hidden surfaces are found, mesh units: skin that identity targets pull
# across them then stays in front (chosen by eye)
_MOUTH_DEPTH = 0.10
_KEYS = ("domain", "expression", "intensity")


class Face:
    """One head shape, ready to be drawn with any expression."""

    def __init__(self, domain: Domain, head: Head | None = None) -> None:
        self.head = load_head() if head is None else head
        self.domain = domain
        self._base = self.head.vertices + self.head.identity(domain.identity)
        surface = self.head.surface
        colours = albedo(surface, domain.look)
        masks = np.stack([surface["lip"], surface["inside_mouth"], surface["part"].astype(float)], axis=1)
        self._painted = np.concatenate([surface["rest"], colours, masks], axis=1)
        places, names = self.vertices({}, 0.0), landmark_vertices()
        eyes = np.mean(
            [places[names[f"eye_{end}_{side}"], 1] for end in ("inner", "outer") for side in ("left", "right")]
        )
        mouth = np.mean([places[names[f"{lip}_lip"], 1] for lip in ("upper", "lower")])
        self.half = domain.frame * float(eyes - mouth)
        self.centre = np.array([0.0, eyes - _EYE_HEIGHT * self.half, _DEPTH])

    def vertices(self, weights: Mapping[str, float], intensity: float) -> np.ndarray:
        """Return the vertices drawn, ``(vertex, 3)``; before the warp they are linear in ``intensity``."""
        coarse = self._base + intensity * self.head.expression(weights)
        fine = self.head.subdivision @ coarse
        return self.domain.warp(fine) if self.domain.warp else fine

    def interocular(self) -> float:
        """Return the distance between the eyes' centres, mesh units."""
        points, names = self.vertices({}, 0.0), landmark_vertices()
        ends = [
            points[[names[f"eye_{end}_{side}"] for end in ("inner", "outer")]].mean(0) for side in ("left", "right")
        ]
        return float(np.linalg.norm(ends[0] - ends[1]))

    def draw(
        self,
        points: np.ndarray,
        size: int,
        *,
        yaw: float = 0.0,
        pitch: float = 0.0,
        background: float = 0.5,
        sharpness: int = 2,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture ``(y, x)``, luminance 0..1, and the vertices' places in it ``(vertex, 2)`` in px.

        ``sharpness`` is the number of samples along each side of a pixel, which are averaged.
        """
        corners, fine = self.head.corners, size * sharpness
        rotation = turn(yaw, pitch)
        projected = project(points, self.centre, self.half, fine, _CAMERA, rotation)
        behind = np.isin(self.head.surface["part"], (TEETH, TONGUE))
        projected[behind, 2] -= _MOUTH_DEPTH
        pixel, triangle, weights = rasterise(projected, corners, fine, fine)
        values = np.concatenate([vertex_normals(points, corners) @ rotation.T, self._painted], axis=1)
        at = interpolate(values, corners, triangle, weights)
        normals = at[:, :3] / np.maximum(np.linalg.norm(at[:, :3], axis=1, keepdims=True), 1e-9)
        seen = {
            "rest": at[:, 3:6],
            "albedo": at[:, 6:9],
            "lip": at[:, 9],
            "inside_mouth": at[:, 10],
            "part": np.rint(at[:, 11]).astype(np.int64),
        }
        picture = np.full(fine * fine, background)
        visible = opacity(seen["rest"])
        picture[pixel] = visible * shade(seen, normals, self.domain.look) + (1 - visible) * background
        mean = picture.reshape(size, sharpness, size, sharpness).mean(axis=(1, 3))
        return mean.astype(np.float32), projected[:, :2] / sharpness


def render_faces(
    rows: Sequence[Mapping[str, Any]],
    *,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    progress: bool = False,
) -> xr.Dataset:
    """Render faces.

    Parameters
    ----------
    rows
        One mapping a face: ``domain`` (human, macaque, cartoon), ``expression`` (happy, sad, angry, fearful, disgusted,
        surprised or neutral) and ``intensity`` (−0.5 to 1.5; 0 for neutral). Intensity is linear in vertex space.
    size
        Width and height in pixels. Default 128 (chosen).
    degrees
        Width and height in degrees of visual angle. Default 4 (chosen: 32 px/degree resolve 8 cycles/degree).
    background
        Luminance around the head, 0..1. Default 0.5, mid grey (chosen).
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)`` float32, with ``landmark (stimulus, point, axis)`` in px,
        ``norm_id`` where the set holds the head's neutral face, and ``norm_distance``: the RMS shift of the skin from
        the neutral, in interocular distances.

    Raises
    ------
    ValueError, TypeError
        For an unknown domain, expression or key (the nearest is named), an intensity that is no number or out of
        range, a face that comes twice, or no face at all.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human", "expression": "happy", "intensity": 1.0}], size=32)
    >>> faces["image"].shape
    (1, 32, 32)
    """
    size, degrees = whole(size, "size", low=8), bare(degrees, "degree", "degrees", above=0)
    background = bare(background, "1", "background", low=0, high=1)
    table = [_row(row, i) for i, row in enumerate(rows)]
    if not table:
        raise need("at least one face to render", "no rows")
    ids = [_identifier(*row) for row in table]
    doubles = sorted({name for name in ids if ids.count(name) > 1})
    if doubles:
        raise need("every face once", f"{', '.join(doubles[:3])} more than once")

    faces = {name: Face(domain_named(name)) for name in dict.fromkeys(row[0] for row in table)}
    neutral = {name: face.vertices({}, 0.0) for name, face in faces.items()}
    scale = {name: face.interocular() for name, face in faces.items()}
    skin = load_head().surface["part"] == SKIN
    numbers = list(landmark_vertices().values())
    images, landmarks, distances = [], [], []
    for domain, expression, intensity in tqdm(table, desc="faces", unit="face", disable=None if progress else True):
        points = faces[domain].vertices(expression_weights(expression), intensity)
        image, places = faces[domain].draw(points, size, background=background)
        images.append(image)
        landmarks.append(places[numbers])
        shift = ((points - neutral[domain])[skin] ** 2).sum(axis=1).mean()
        distances.append(np.sqrt(shift) / scale[domain])

    norms = {domain: name for name, (domain, expression, _) in zip(ids, table, strict=True) if expression == NEUTRAL}
    edge = (np.arange(size) + 0.5) * degrees / size - degrees / 2
    dataset = xr.Dataset(
        {"image": (("stimulus", "y", "x"), np.stack(images), {"units": "1", "long_name": "luminance"})},
        {
            "stimulus_id": ("stimulus", ids),
            "domain": ("stimulus", [row[0] for row in table]),
            "identity": ("stimulus", ["average"] * len(table)),
            "expression": ("stimulus", [row[1] for row in table]),
            "intensity": ("stimulus", [row[2] for row in table], {"units": "1"}),
            "view": ("stimulus", ["frontal"] * len(table)),
            "norm_id": ("stimulus", [norms.get(row[0], "") for row in table]),
            "norm_kind": ("stimulus", ["neutral"] * len(table)),
            "norm_distance": ("stimulus", distances, {"units": "interocular distance"}),
            "image_sha256": ("stimulus", [provenance.image_hash(image) for image in images]),
            "landmark": (("stimulus", "point", "axis"), np.stack(landmarks), {"units": "px"}),
            "point": ("point", list(landmark_vertices())),
            "axis": ("axis", ["x", "y"]),
            "y": ("y", edge[::-1], {"units": "degree"}),
            "x": ("x", edge, {"units": "degree"}),
        },
    )
    settings = {"size": size, "degrees": degrees, "background": background, "faces": len(table)}
    dataset = provenance.stamp(dataset, "StimulusSet", "render_faces", settings, title="rendered faces")
    return check(dataset, "StimulusSet")


def _row(row: Mapping[str, Any], number: int) -> tuple[str, str, float]:
    if not isinstance(row, Mapping):
        raise need("a mapping with domain, expression and intensity for each face", repr(row), kind=TypeError)
    for key in row:
        if key not in _KEYS:
            raise unknown("key of a face", key, _KEYS)
    missing = [key for key in _KEYS if key not in row]
    if missing:
        raise need(f"domain, expression and intensity of face {number}", f"no {' and no '.join(missing)}")
    domain, expression = str(row["domain"]), str(row["expression"])
    domain_named(domain)
    expression_weights(expression)
    intensity = bare(row["intensity"], "1", f"intensity of face {number}", low=LOWEST, high=HIGHEST)
    if expression == NEUTRAL and intensity != 0:
        raise need("intensity 0 for the expression 'neutral'", f"{intensity:g} (face {number})")
    return domain, expression, intensity


def _identifier(domain: str, expression: str, intensity: float) -> str:
    return f"{domain}-{expression}" if expression == NEUTRAL else f"{domain}-{expression}-{intensity:+.2f}"
