"""The surface of an avatar's head: what its pieces are part of, what is seen of them, and how they hang together."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from nrsim.faces.avatar_points import hidden
from nrsim.faces.domains import Domain
from nrsim.faces.gltf_scene import Piece
from nrsim.faces.head import EYE, OTHER, SKIN, Head
from nrsim.faces.headfile import part_of_material
from nrsim.meshes.texture import Paint

_FINE = 8  # parts of the side of a triangle that its picture's alpha cuts (chosen)
_SAME = 1e-5  # of the head's size: vertices that lie closer are one, split for their pictures' sake (chosen)
_EYE_HEIGHT = 0.1  # of the eyes above the middle of the picture, as in nrsim.faces.shape
_WIDEST = 3.5  # of a head's picture, in distances from the eyes to the mouth (chosen)
_OF_OTHERS = re.compile(
    r"hair|fringe|ponytail|beard|lash|glass|hat\b|cap\b|cloth|shirt|jacket|tops|bottom|shoe|outfit|earring|accessor|"
    r"ribbon|horn|collar|tie\b",
    re.I,
)
_OF_SKIN = re.compile(r"skin|face|head|body|brow|mouth|lip|ear\b|ears\b", re.I)
LOOSE = re.compile(r"hair|fringe|ponytail|beard|lash", re.I)  # what is left out where a head has no colours


def part_of(piece: Piece, *, coloured: bool) -> int | None:
    """Return what a surface is part of, None where it is left out: judged by its names, and by whether it moves."""
    mesh, node = piece.names
    words = [piece.material.name, node, mesh]
    lash = any(re.search("lash", word, re.I) for word in words)
    if not lash or not coloured:
        for word in words:
            part = part_of_material(word)
            if part != SKIN:
                return part
    if re.search(r"eye.?(highlight|extra)|_EYE\b", piece.material.name):
        return EYE
    if any(_OF_OTHERS.search(word) for word in words):
        return OTHER
    moves = any(shift.any() for shift in piece.shifts.values())
    return SKIN if moves or any(_OF_SKIN.search(word) for word in words) else OTHER


def cut_out(
    corners: np.ndarray, owner: np.ndarray, pieces: Sequence[Piece], uv: np.ndarray, tint: np.ndarray
) -> tuple[np.ndarray, sp.csr_matrix, np.ndarray]:
    """Cut away what the pictures' alpha says is not there.

    Triangles that are partly there are divided, and the small ones that are not there are left out.

    Parameters
    ----------
    corners, owner
        Triangles ``(triangle, 3)``, and the number of each one's piece.
    pieces
        The surfaces.
    uv, tint
        Of the vertices, ``(vertex, 2)`` and ``(vertex, 4)``.

    Returns
    -------
    tuple
        Triangles ``(triangle, 3)``; the matrix from the vertices to those that they use; the piece of each.
    """
    small, inner = _divided(_FINE)
    whole = np.ones(len(corners), dtype=bool)
    rows = [sp.identity(len(tint), format="csr")]
    added: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    count = len(tint)
    for number in np.unique(owner):
        piece = pieces[number]
        cut = piece.material.cut
        if cut is None:
            continue
        mine = np.flatnonzero(owner == number)
        middles = inner[small].mean(axis=1)  # (part, 3)
        alpha = np.einsum("pc,tc->tp", middles, tint[corners[mine], 3])
        if piece.uv is not None and piece.material.texture is not None:
            place = np.einsum("pc,tck->tpk", middles, uv[corners[mine]])
            alpha = alpha * piece.material.texture.sample(place.reshape(-1, 2))[:, 3].reshape(alpha.shape)
        there = alpha >= cut
        whole[mine[~there.all(axis=1)]] = False
        parted = there.any(axis=1) & ~there.all(axis=1)
        if not parted.any():
            continue
        old = corners[mine[parted]]  # (triangle, 3)
        n, k = len(old), len(inner)
        row = np.repeat(np.arange(n * k), 3)
        weight = np.broadcast_to(inner, (n, k, 3)).ravel()
        column = np.broadcast_to(old[:, None, :], (n, k, 3)).ravel()
        rows.append(sp.csr_matrix((weight, (row, column)), (n * k, len(tint))))
        new = (small[None] + count + k * np.arange(n)[:, None, None])[there[parted]]
        added.append(new)
        owners.append(np.full(len(new), number))
        count += n * k
    return (
        np.concatenate([corners[whole], *added]),
        sp.vstack(rows).tocsr(),
        np.concatenate([owner[whole], *owners]),
    )


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
