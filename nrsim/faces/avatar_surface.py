"""The surface of an avatar's head: what its pieces are part of, what is seen of them, and how they hang together."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from nrsim.faces.avatar_points import hidden
from nrsim.faces.domains import Domain
from nrsim.faces.gltf_scene import Piece
from nrsim.faces.head import EYE, OTHER, SKIN, TEETH, TONGUE, Head
from nrsim.faces.headfile import part_of_material
from nrsim.meshes.texture import Paint

_GRAIN = 0.005  # of the head's size: parts of a triangle that its picture's alpha cuts (chosen: a pixel of 256)
_MOST = 150_000  # such parts, which are made larger where they would be more (chosen)
_SAME = 1e-5  # of the head's size: vertices that lie closer are one, split for their pictures' sake (chosen)
_EYE_HEIGHT = 0.1  # of the eyes above the middle of the picture, as in nrsim.faces.shape
_WIDEST = 3.5  # of a head's picture, in distances from the eyes to the mouth (chosen)
_OF_OTHERS = re.compile(
    r"hair|fringe|ponytail|beard|lash|glass|hat\b|cap\b|cloth|shirt|jacket|tops|bottom|shoe|outfit|earring|accessor|"
    r"ribbon|horn|collar|tie\b",
    re.I,
)
_OF_SKIN = re.compile(r"skin|face|head|body|brow|mouth|lip|ear\b|ears\b", re.I)
_LOOSE = re.compile(r"hair|fringe|ponytail|beard|lash", re.I)  # what is left out where a head has no colours


def parts_of(pieces: Sequence[Piece], *, coloured: bool) -> list[int | None]:
    """Return what each surface is part of, None where it is left out.

    Names of materials, nodes and meshes say so; where they would leave no skin that moves, what moves is skin.

    Parameters
    ----------
    pieces
        The surfaces.
    coloured
        Whether the file has colours; hair and lashes without any are left out.
    """
    moves = [any(shift.any() for shift in piece.shifts.values()) for piece in pieces]
    parts = [_part(piece, moving, coloured) for piece, moving in zip(pieces, moves, strict=True)]
    for doubtful in ((OTHER, None), (EYE, TEETH, TONGUE)):
        if SKIN not in [part for part, moving in zip(parts, moves, strict=True) if moving]:
            parts = [SKIN if m and part in doubtful else part for part, m in zip(parts, moves, strict=True)]
    return parts


def _part(piece: Piece, moves: bool, coloured: bool) -> int | None:
    words = (piece.material.name, *reversed(piece.names))
    lash = any(re.search("lash", word, re.I) for word in words)
    if not coloured and any(_LOOSE.search(word) for word in words):
        return None
    known = [OTHER if lash else part_of_material(words[0]), *map(part_of_material, words[1:])]
    for what in (known[0], *(part for part in known[1:] if part is not None)):  # only a material leaves out
        if what != SKIN:
            return what
    if re.search(r"eye.?(highlight|extra)|_EYE\b", words[0]):
        return EYE
    if any(_OF_OTHERS.search(word) for word in words):
        return OTHER
    skin = moves or not coloured or any(_OF_SKIN.search(word) for word in words)
    return SKIN if skin else OTHER


def cut_out(
    corners: np.ndarray,
    owner: np.ndarray,
    pieces: Sequence[Piece],
    vertices: np.ndarray,
    uv: np.ndarray,
    alpha: np.ndarray,
) -> tuple[np.ndarray, sp.csr_matrix, np.ndarray]:
    """Cut away what the pictures' alpha says is not there.

    Triangles that are partly there are divided, the larger the finer, and the small ones that are not there left out.

    Parameters
    ----------
    corners, owner
        Triangles ``(triangle, 3)``, and the number of each one's piece.
    pieces
        The surfaces.
    vertices, uv, alpha
        Of the vertices: place ``(vertex, 3)``, place in the picture ``(vertex, 2)``, opacity ``(vertex,)``.

    Returns
    -------
    tuple
        Triangles ``(triangle, 3)``; the matrix from the vertices to those that they use; the piece of each.
    """
    cut = np.array([0.0 if piece.material.cut is None else piece.material.cut for piece in pieces])[owner]
    ends = vertices[corners]
    edge = np.linalg.norm(ends - np.roll(ends, 1, axis=1), axis=2).max(axis=1)
    part = _GRAIN * float(np.ptp(vertices[np.unique(corners)], axis=0).max()) + 1e-300
    fine = 2 ** np.clip(np.ceil(np.log2(np.maximum(edge / part, 1.0))), 0, 6).astype(np.int64)  # parts of each side
    while (fine[cut > 0] ** 2).sum() > _MOST and fine.max() > 1:
        fine = np.maximum(fine // 2, 1)
    whole = cut <= 0
    rows, count = [sp.identity(len(vertices), format="csr")], len(vertices)
    added, owners = [corners[whole]], [owner[whole]]
    for number, n in np.unique(np.stack([owner[~whole], fine[~whole]], axis=1), axis=0):
        old = corners[(owner == number) & (fine == n)]
        small, inner = _divided(int(n))
        middles = inner[small].mean(axis=1)  # (part, 3), barycentric
        opaque = np.einsum("pc,tc->tp", middles, alpha[old])
        texture = pieces[number].material.texture
        if texture is not None and pieces[number].uv is not None:
            place = np.einsum("pc,tck->tpk", middles, uv[old])
            opaque = opaque * texture.sample(place.reshape(-1, 2))[:, 3].reshape(opaque.shape)
        there = opaque > pieces[number].material.cut - 1e-9
        parted = there.any(axis=1) & ~there.all(axis=1)
        added.append(old[there.all(axis=1)])
        new = old[parted]
        points, k = len(new) * len(inner), len(inner)
        place_of = np.broadcast_to(new[:, None, :], (len(new), k, 3)).ravel()
        weight = np.broadcast_to(inner, (len(new), k, 3)).ravel()
        rows.append(sp.csr_matrix((weight, place_of, np.arange(0, 3 * points + 1, 3)), (points, len(vertices))))
        added.append((small[None] + count + k * np.arange(len(new))[:, None, None])[there[parted]])
        owners.append(np.full(len(added[-2]) + len(added[-1]), number))
        count += points
    return np.concatenate(added), sp.vstack(rows).tocsr(), np.concatenate(owners)


def _divided(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the n² parts of a triangle: ``(part, 3)`` numbers of points, and these, ``(point, 3)`` barycentric."""
    number: dict[tuple[int, int], int] = {}
    points: list[tuple[float, float, float]] = []
    for i in range(n + 1):
        for j in range(n + 1 - i):
            number[i, j] = len(points)
            points.append(((n - i - j) / n, i / n, j / n))
    parts = []
    for i in range(n):
        for j in range(n - i):
            parts.append((number[i, j], number[i + 1, j], number[i, j + 1]))
            if i + j < n - 1:
                parts.append((number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]))
    return np.array(parts), np.array(points)


def joined(places: np.ndarray, motion: np.ndarray, part: np.ndarray, tint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Join vertices that lie and move together: a file splits them where their pictures meet.

    Parameters
    ----------
    places, motion
        Of the vertices, ``(vertex, 3)``: ``motion`` is alike where all units move them alike.
    part, tint
        ``(vertex,)`` and ``(vertex, 4)``: what differs in these stays apart.

    Returns
    -------
    tuple
        The vertices that stay, ``(n,)``, in their order, and which of them each vertex is now.
    """
    size = _SAME * float(np.ptp(places, axis=0).max()) + 1e-300
    key = np.concatenate([np.rint(places / size), np.rint(motion / size), part[:, None], np.rint(255 * tint)], 1)
    _, first, which = np.unique(key, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[which.ravel()]


def both_sides(corners: np.ndarray, which: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return triangles that show the backs of some, on vertices of their own, whose normals point the other way.

    Parameters
    ----------
    corners
        ``(triangle, 3)``.
    which
        ``(triangle,)`` bool: those that are seen from behind.
    n
        Vertices so far.

    Returns
    -------
    tuple
        The vertices to be doubled, which are to follow the others, and the new triangles.
    """
    behind, turned = np.unique(corners[which], return_inverse=True)
    return behind, turned.reshape(-1, 3)[:, ::-1] + n


def paint_of(pieces: Sequence[Piece], uv: np.ndarray, owner: np.ndarray) -> Paint | None:
    """Return the pictures on the triangles; ``uv (triangle, 3, 2)``, ``owner (triangle,)``."""
    textures = [piece.material.texture if piece.uv is not None else None for piece in pieces]
    used = list({id(t): t for t in (textures[i] for i in np.unique(owner)) if t is not None}.values())
    if not used:
        return None
    number = [next((k for k, t in enumerate(used) if t is each), -1) for each in textures]
    return Paint(uv.astype(np.float32), np.array(number)[owner], tuple(used))


def inside_mouth(head: Head) -> np.ndarray:
    """Return what lies in the closed mouth, 1, of the vertices drawn: around its line, and not seen from outside."""
    left, right, upper, lower = (
        head.vertices[list(head.landmarks[name])].mean(axis=0)
        for name in ("mouth_corner_left", "mouth_corner_right", "upper_lip", "lower_lip")
    )
    middle, wide = (upper + lower) / 2, float(np.linalg.norm(left - right)) / 2
    off = np.abs(head.vertices - middle)
    near = (off[:, 0] < 1.1 * wide) & (off[:, 1] < 0.9 * wide) & (head.vertices[:, 2] > middle[2] - 4 * wide)
    return np.where(near & hidden(head.vertices, head.corners), 1.0, 0.0)


def frame_of(head: Head) -> float:
    """Return the half width of the picture, in distances from the eyes to the mouth, in which hair and all is seen."""
    drawn = head.surface["rest"].shape[0]
    vertices = (head.subdivision @ head.vertices)[:drawn]
    eyes, mouth = (
        float(vertices[[v for name in names for v in head.landmarks[name]], 1].mean())
        for names in (("eye_left", "eye_right"), ("mouth",))
    )
    seen = vertices[head.surface["rest"][:, 1] > 6.2]
    half = max((float(seen[:, 1].max()) - eyes) / (1 - _EYE_HEIGHT), 1.05 * float(np.abs(seen[:, 0]).max()))
    return float(np.clip(half / max(eyes - mouth, 1e-6), Domain().frame, _WIDEST))
