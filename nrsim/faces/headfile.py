"""Another head by file: arrays in an .npz, or a glTF avatar, brought into the template's frame."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from nrsim.errors import need, unknown
from nrsim.faces import landmarks as points_of
from nrsim.faces.correspondence import fitted, motion_centres, onto_template, sampled, shared
from nrsim.faces.form import by_form
from nrsim.faces.head import EYE, SKIN, Head, template
from nrsim.faces.headarrays import part_of_material as part_of_material
from nrsim.faces.headarrays import parts, read
from nrsim.faces.shading import EYE_CENTRE

_AVATARS = (".glb", ".gltf", ".vrm")
_GAZE = ("eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut")  # move the eyeball, hardly the skin
_EYE_RADIUS = 0.138  # of the template's eyeball, mesh units


def unit_name(name: str) -> str:
    """Return ARKit's name of a unit: ``mouthSmile_L`` and ``mouthsmileleft`` become ``mouthSmileLeft``."""
    stem = re.sub(r"[_.\- ]+(l|left)$", "Left", name, flags=re.I)
    stem = re.sub(r"[_.\- ]+(r|right)$", "Right", stem, flags=re.I)
    known = {unit.lower(): unit for unit in template().units}
    return known.get(stem.lower(), stem)


def load_head(
    path: str | os.PathLike[str] | None = None, *, landmarks: Mapping[str, int | Sequence[float]] | None = None
) -> Head:
    """Return a head: the one that comes with nrsim, or one of your own.

    Your own head is brought into the template's frame. Which of its points is which is found from the motion of the
    expression units that it shares with the template, so that brows, landmarks, framing and the macaque's warp work on
    it; where it brings colours of its own, it keeps them.

    Parameters
    ----------
    path
        A glTF 2.0 avatar (``.glb``, ``.gltf``, ``.vrm`` of either version; with ``pip install 'nrsim[gltf]'``): its
        morph targets become units, the expressions that a VRM file defines become the head's, its colours and pictures
        stay, and its body is left out. Or an ``.npz`` with the arrays ``neutral (vertex, 3)`` (x to the head's left, y
        up, z forward), ``quads`` or ``triangles``, ``expr_names`` (ARKit's names, sides as ``Left``/``Right`` or
        ``_L``/``_R``) and ``expr (unit, vertex, 3)``; optional: ``expr_scale``, ``ident (identity, vertex, 3)`` with
        ``ident_names`` and ``ident_scale``, ``mat (face)`` with ``mat_names`` (materials, from whose names eyes and
        teeth are known) or ``part (vertex)`` (0 skin, 1 eye, 2 teeth, 3 tongue), ``colour (vertex, 3)``,
        ``landmark_names`` with ``landmark_vertices``. Default: MakeHuman's base mesh (CC0; see ``nrsim/data/head.md``).
    landmarks
        Name → vertex of the file, or x, y, z in its frame, for points that are found wrongly or not at all.

    Returns
    -------
    Head
        To be given to :func:`nrsim.render_faces` as ``heads={"mine": head}``.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or one that it refers to is missing.
    ModuleNotFoundError
        For a glTF file without pygltflib.
    ValueError, TypeError
        If it is no head: arrays that are missing, unknown or do not fit together, a glTF file that is damaged,
        compressed or without morph targets, too few units with ARKit's names, vertices that are not finite, a head
        that faces backwards.

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
    if place.suffix.lower() in _AVATARS:
        from nrsim.faces.avatar import load_avatar

        return load_avatar(place, landmarks or {})
    if place.suffix.lower() != ".npz":
        raise need("a head as .npz, .glb, .gltf or .vrm", repr(place.name))
    if landmarks is not None and not isinstance(landmarks, Mapping):
        raise need("landmarks: name → vertex", repr(landmarks), kind=TypeError)
    made = parts(place.stem, read(place))
    made["units"] = _named(place.stem, made["units"])
    marked = {str(point): _vertex(point, mark, made["vertices"]) for point, mark in (landmarks or {}).items()}
    made["landmarks"] = made["landmarks"] | marked
    return build(place.stem, **made)


def _named(name: str, units: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return units by ARKit's names."""
    named: dict[str, np.ndarray] = {}
    for word, shift in units.items():
        if unit_name(word) in named:
            raise need(f"units of the head {name!r} that differ, however sides are written", f"two {unit_name(word)}")
        named[unit_name(word)] = shift
    return named


def _vertex(point: str, mark: int | Sequence[float], vertices: np.ndarray) -> int:
    if isinstance(mark, (int, np.integer)) and not isinstance(mark, bool):
        return int(mark)
    return int(np.linalg.norm(vertices - place_of(point, mark), axis=1).argmin())


def place_of(point: str, mark: object) -> np.ndarray:
    """Return where the user marks a point, ``(3,)``.

    Raises
    ------
    TypeError
        If it is neither the number of a vertex nor three numbers.
    """
    try:
        place = np.asarray(mark, dtype=np.float64)
    except (TypeError, ValueError):
        place = np.zeros(0)
    if isinstance(mark, (str, bool)) or place.shape != (3,) or not np.isfinite(place).all():
        raise need(f"landmark {point}: a vertex's number, or x, y, z in the file", repr(mark), kind=TypeError)
    return place


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
    anchors: Mapping[str, np.ndarray] | None = None,
    upright: bool = False,
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
        Name → shift at weight 1, ``(vertex, 3)``, in the units of ``vertices``; sparse or not.
    part
        ``(vertex,)``: 0 skin, 1 eye, 2 teeth, 3 tongue, 4 another.
    colour
        ``(vertex, 3)``, linear, 0..1; painted like the human head by default.
    landmarks
        Name → vertex, instead of where the point would be found.
    expressions
        Expressions that the head defines: name → weights of its units.
    anchors
        Points of :func:`template_anchors` that are known otherwise than by units, name → place ``(3,)``.
    upright
        Whether the head is known to be upright and to face forward, so that it needs no rotation.

    Raises
    ------
    ValueError
        As :func:`load_head`.
    """
    base = template()
    moved = {word: sp.csr_matrix(shift, dtype=np.float64) for word, shift in units.items()}
    marked = dict(landmarks or {})
    for point, vertex in marked.items():
        if point not in points_of.PLACES:
            raise unknown("landmark", point, points_of.PLACES)
        if not 0 <= vertex < len(vertices):
            raise need(f"landmark {point}: a vertex from 0 to {len(vertices) - 1}", vertex)
    skin = part == SKIN
    source = {**(anchors or {}), **anchors_of(vertices, moved, part)}
    source |= {f"point:{k}": vertices[v] for k, v in marked.items()}
    rest, target = base.surface["rest"], template_anchors()
    names = shared(source, target, name)
    here, there = (np.stack([points[word] for word in names]) for points in (source, target))
    sure = np.array([word.startswith(("point:", "eyeball")) for word in names])
    scale, rotation, shift, agreed = fitted(here, there, sure, upright=upright)
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

    moves = points_of.motion(moved, sp.identity(len(vertices), format="csr"))
    known = {points_of.PLACES[point] for point in marked}
    shown = by_form(placed, corners, skin, part == EYE, moves)
    shown = {point: vertex for point, vertex in shown.items() if points_of.PLACES[point] not in known}
    places = onto_template(
        placed,
        np.concatenate([here, placed[list(shown.values())]]),
        np.concatenate([there, np.array([points_of.PLACES[point] for point in shown]).reshape(-1, 3)]),
    )
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
    ours = points_of.motion(base.units, base.subdivision)
    alike = [base.landmarks[point][0] for point in points_of.PLACES]
    found = points_of.on_surface(
        places,
        skin,
        moves=moves,
        like={unit: share[alike] for unit, share in ours.items()},
        marked=shown | marked,
    )
    return Head(
        name,
        placed,
        {word: turned[word] for word in moved},
        {word: turned[word] for word in identities},
        part,
        sp.identity(len(vertices), format="csr"),
        corners,
        surface,
        found,
        expressions=dict(expressions or {}),
    )


@cache
def template_anchors() -> dict[str, np.ndarray]:
    """Return the template's points that another head is placed by, name → place ``(3,)``."""
    base = template()
    marked = {f"point:{k}": base.surface["rest"][list(v)].mean(axis=0) for k, v in base.landmarks.items()}
    return anchors_of(base.vertices, base.units, base.part) | marked


def anchors_of(vertices: np.ndarray, units: Mapping[str, sp.csr_matrix], part: np.ndarray) -> dict[str, np.ndarray]:
    """Return the centres of the units' motions, but of those of the gaze, and of the eyeballs, name → place ``(3,)``.

    Parameters
    ----------
    vertices, part
        ``(vertex, 3)`` and ``(vertex,)``.
    units
        Name → shift, ``(vertex, 3)`` sparse.
    """
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
