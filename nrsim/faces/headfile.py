"""Another head by file: arrays in an .npz, or a glTF avatar, brought into the template's frame."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from nrsim.errors import need, unknown
from nrsim.faces import landmarks as points_of
from nrsim.faces.correspondence import fitted, motion_centres, onto_template, sampled, shared
from nrsim.faces.head import EYE, SKIN, Head, template
from nrsim.faces.headarrays import part_of_material as part_of_material
from nrsim.faces.headarrays import parts, read
from nrsim.faces.shading import EYE_CENTRE

_GAZE = ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")  # move the eyeball, hardly the skin
_EYE_RADIUS = 0.138  # of the template's eyeball, mesh units


def unit_name(name: str) -> str:
    """Return ARKit's name of a unit: ``mouthSmile_L`` and ``mouthsmileleft`` become ``mouthSmileLeft``."""
    stem = re.sub(r"[_.\- ]+(l|left)$", "Left", name, flags=re.I)
    stem = re.sub(r"[_.\- ]+(r|right)$", "Right", stem, flags=re.I)
    known = {unit.lower(): unit for unit in template().units}
    return known.get(stem.lower(), stem)


def load_head(path: str | os.PathLike[str] | None = None, *, landmarks: Mapping[str, int] | None = None) -> Head:
    """Return a head: the one that comes with nrsim, or one of your own.

    Your own head is brought into the template's frame. Which of its points is which is found from the motion of the
    expression units that it shares with the template, so that brows, landmarks, framing and the macaque's warp work on
    it; where it brings colours of its own, it keeps them.

    Parameters
    ----------
    path
        An ``.npz`` with the arrays ``neutral (vertex, 3)`` (x to the head's left, y up, z forward), ``quads`` or
        ``triangles``, ``expr_names`` (ARKit's names, sides as ``Left``/``Right`` or ``_L``/``_R``) and
        ``expr (unit, vertex, 3)``; optional: ``expr_scale``, ``ident (identity, vertex, 3)`` with ``ident_names`` and
        ``ident_scale``, ``mat (face)`` with ``mat_names`` (materials, from whose names eyes and teeth are known) or
        ``part (vertex)`` (0 skin, 1 eye, 2 teeth, 3 tongue), ``colour (vertex, 3)``, ``landmark_names`` with
        ``landmark_vertices``. Default: MakeHuman's base mesh (CC0; see ``nrsim/data/head.md``).
    landmarks
        Name → vertex of the file, for points that are found wrongly or that you want to add.

    Returns
    -------
    Head
        To be given to :func:`nrsim.render_faces` as ``heads={"mine": head}``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError, TypeError
        If it is no head: arrays that are missing, unknown or do not fit together, too few units with ARKit's names,
        vertices that are not finite, a head that faces backwards.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.load_head()
    Head(4742 vertices, 52 units, 338 identity targets)
    """
    if path is None:
        if landmarks:
            raise need("landmarks only with a head of your own", "no path")
        return template()
    place = Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"needed a head (.npz, .glb, .gltf or .vrm); there is no file {str(place)!r}")
    if place.suffix.lower() != ".npz":
        raise need("a head as .npz", repr(place.name))
    if landmarks is not None and not isinstance(landmarks, Mapping):
        raise need("landmarks: name → vertex", repr(landmarks), kind=TypeError)
    return build(place.stem, **parts(place.stem, read(place), landmarks or {}))


def build(
    name: str,
    vertices: np.ndarray,
    corners: np.ndarray,
    units: Mapping[str, np.ndarray],
    identities: Mapping[str, np.ndarray],
    part: np.ndarray,
    *,
    colour: np.ndarray | None = None,
    landmarks: Mapping[str, int] | None = None,
    expressions: Mapping[str, Mapping[str, float]] | None = None,
) -> Head:
    """Return a head from its parts, in any frame and size: it is placed by the points it shares with the template.

    Parameters
    ----------
    name
        For messages.
    vertices
        ``(vertex, 3)``; x to the head's left, y up, z forward.
    corners
        Triangles, ``(triangle, 3)``, counter-clockwise seen from outside.
    units, identities
        Name → shift at weight 1, ``(vertex, 3)``, in the units of ``vertices``.
    part
        ``(vertex,)``: 0 skin, 1 eye, 2 teeth, 3 tongue.
    colour
        ``(vertex, 3)``, linear, 0..1; painted like the human head by default.
    landmarks
        Name → vertex, instead of where the point would be found.
    expressions
        Expressions that the head defines: name → weights of its units.

    Raises
    ------
    ValueError
        As :func:`load_head`.
    """
    base = template()
    moved = {unit_name(word): sp.csr_matrix(np.asarray(shift, dtype=np.float64)) for word, shift in units.items()}
    if len(moved) < len(units):
        names = [unit_name(word) for word in units]
        doubled = sorted({word for word in names if names.count(word) > 1})
        raise need(f"units of the head {name!r} that differ, however sides are written", f"two for {doubled[0]}")
    marked = dict(landmarks or {})
    for point, vertex in marked.items():
        if point not in points_of.PLACES:
            raise unknown("landmark", point, points_of.PLACES)
        if not 0 <= vertex < len(vertices):
            raise need(f"landmark {point}: a vertex from 0 to {len(vertices) - 1}", vertex)
    skin = part == SKIN
    source = _anchors(vertices, moved, part) | {f"point:{k}": vertices[v] for k, v in marked.items()}
    rest = base.surface["rest"]
    target = _anchors(base.vertices, base.units, base.part)
    target |= {f"point:{k}": rest[list(v)].mean(axis=0) for k, v in base.landmarks.items()}
    names = shared(source, target, name)
    here, there = (np.stack([points[word] for word in names]) for points in (source, target))
    sure = np.array([word.startswith(("point:", "eyeball")) for word in names])
    scale, rotation, shift, agreed = fitted(here, there, sure)
    here, there = here[agreed], there[agreed]
    if rotation[2, 2] < 0.5 or rotation[1, 1] < 0.5:
        raise need(f"a head with y up that faces along +z, {name!r}", "one that is turned", "Turn it in its file")
    placed = scale * vertices @ rotation.T + shift
    eyes = [(part == EYE) & (side * placed[:, 0] > 0) for side in (1, -1)]
    if all(eye.any() for eye in eyes):  # the eyes' distance is the unit of everything later: keep it exact
        ends = np.stack([placed[eye].mean(axis=0) for eye in eyes])
        wanted = base.eye_centres(base.vertices)
        factor = float(np.linalg.norm(wanted[0] - wanted[1]) / np.linalg.norm(ends[0] - ends[1]))
        placed = (placed - ends.mean(axis=0)) * factor + wanted.mean(axis=0)
        scale, shift = scale * factor, (shift - ends.mean(axis=0)) * factor + wanted.mean(axis=0)
    here = scale * here @ rotation.T + shift

    places = onto_template(placed, here, there)
    for side, eye in zip((1, -1), eyes, strict=True):
        if eye.any():
            ball = placed[eye]
            middle = (ball.max(axis=0) + ball.min(axis=0)) / 2
            radius = np.ptp(ball[:, 1]) / 2
            middle[2] = ball[:, 2].max() - radius
            places[eye] = (ball - middle) * (_EYE_RADIUS / radius) + EYE_CENTRE * [side, 1, 1]
    surface: dict[str, Any] = {"rest": places, "part": part}
    theirs = base.surface["part"] == SKIN
    for mask in ("lip", "inside_mouth"):
        surface[mask] = sampled(base.surface[mask][theirs], rest[theirs], places) * skin
    if colour is not None:
        surface["colour"] = np.clip(np.asarray(colour, dtype=np.float64)[:, :3], 0, 1)
    turned = {
        word: sp.csr_matrix(scale * shift.toarray() @ rotation.T)
        for word, shift in {**moved, **{k: sp.csr_matrix(v) for k, v in identities.items()}}.items()
    }
    found = {point: vertices[0] for point, vertices in points_of.on_surface(places, skin).items() if len(vertices) == 1}
    return Head(
        name,
        placed,
        {word: turned[word] for word in moved},
        {word: turned[word] for word in identities},
        part,
        sp.identity(len(vertices), format="csr"),
        corners,
        surface,
        points_of.with_between(found | marked),
        expressions=dict(expressions or {}),
    )


def _anchors(vertices: np.ndarray, units: Mapping[str, sp.csr_matrix], part: np.ndarray) -> dict[str, np.ndarray]:
    skin = part == SKIN
    centres = motion_centres(vertices, units, skin)
    for unit in [word for word in centres if word.removesuffix("Left").removesuffix("Right") in _GAZE]:
        del centres[unit]
    for word in ("browInnerUp", "cheekPuff"):  # whole in one head, in halves in another
        if {word + "Left", word + "Right"} <= set(centres) and word not in centres:
            centres[word] = (centres[word + "Left"] + centres[word + "Right"]) / 2
    middle = float(np.mean([place[0] for place in centres.values()])) if centres else 0.0
    for side, sign in (("left", 1), ("right", -1)):
        eye = (part == EYE) & (sign * (vertices[:, 0] - middle) > 0)
        if eye.any():
            centres[f"eyeball_{side}"] = vertices[eye].mean(axis=0)
    return centres
