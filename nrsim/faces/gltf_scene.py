"""What stands in a glTF scene: surfaces in its rest pose, their morph targets, colours and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.faces.gltf import Document, packed
from nrsim.faces.gltf_materials import GREY, Material, Materials

_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass
class Piece:
    """One surface of one material, in the scene's frame.

    Attributes
    ----------
    mesh, node
        Their numbers in the file.
    names
        Of the mesh and of the node.
    material
        Its material.
    vertices, corners
        ``(vertex, 3)`` and ``(triangle, 3)``; only vertices that a triangle uses.
    number
        ``(vertex,)``: number of each vertex among all of the scene's, in the file's order.
    uv
        ``(vertex, 2)``, where it has a picture.
    tint
        Linear red, green, blue and alpha of each vertex, ``(vertex, 4)``.
    shifts
        Number of the morph target → shift of the vertices, ``(vertex, 3)``.
    joints, weights
        Nodes that each vertex hangs on, and how much, ``(vertex, joint)``; None without a skin.
    """

    mesh: int
    node: int
    names: tuple[str, str]
    material: Material
    vertices: np.ndarray
    corners: np.ndarray
    number: np.ndarray
    uv: np.ndarray | None
    tint: np.ndarray
    shifts: dict[int, np.ndarray]
    joints: np.ndarray | None = None
    weights: np.ndarray | None = None


class Scene:
    """The scene of a glTF file that is shown by default.

    Parameters
    ----------
    document
        The file.

    Attributes
    ----------
    places
        Node → the matrix from its own frame to the scene's, ``(4, 4)``.
    children
        Node → its children.
    pieces
        The surfaces.

    Raises
    ------
    FileNotFoundError, ValueError
        For a damaged file, a compressed one, one that refers to a file that is missing, or one without surfaces.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.places: dict[int, np.ndarray] = {}
        self.children: dict[int, list[int]] = {}
        self._materials = Materials(document)
        self._tinted = False
        for root in self._roots():
            self._stand(root, np.eye(4))
        self.pieces: list[Piece] = []
        self._count = 0
        for number in self.places:
            if document.entry("nodes", number).mesh is not None:
                self.pieces += self._surfaces(number)
        if not self.pieces:
            raise need(f"a glTF file with surfaces of triangles, {document.name!r}", "one without", "Export the mesh")

    @property
    def coloured(self) -> bool:
        """Whether the file says anything of colours: pictures, colours of vertices, materials that are not grey."""
        return self._tinted or self._materials.coloured

    def _roots(self) -> list[int]:
        gltf = self.document.gltf
        if gltf.scenes:
            return self.document.entry("scenes", gltf.scene or 0).nodes or []
        below = {child for node in gltf.nodes or [] for child in node.children or []}
        return [number for number in range(len(gltf.nodes or [])) if number not in below]

    def _stand(self, root: int, matrix: np.ndarray) -> None:
        waiting = [(root, matrix)]
        while waiting:
            number, above = waiting.pop()
            if number in self.places:
                raise self.document.damaged(f"node {number} has two parents")
            node = self.document.entry("nodes", number)
            self.places[number] = above @ _own(node, self.document)
            self.children[number] = list(node.children or [])
            waiting += [(child, self.places[number]) for child in reversed(self.children[number])]

    def below(self, number: int) -> set[int]:
        """Return a node and all that hang on it."""
        found, waiting = set(), [number]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found.add(each)
                waiting += self.children.get(each, [])
        return found

    def target_names(self, mesh: int) -> list[str | None]:
        """Return the names of a mesh's morph targets, None for those without."""
        entry = self.document.entry("meshes", mesh)
        n = max((len(primitive.targets or []) for primitive in entry.primitives), default=0)
        says = [entry.extras, *(primitive.extras for primitive in entry.primitives)]
        for extras in says:
            names = extras.get("targetNames") if isinstance(extras, dict) else None
            if isinstance(names, list):
                return [str(names[i]) if i < len(names) and names[i] else None for i in range(n)]
        return [None] * n

    def _surfaces(self, node_number: int) -> Iterator[Piece]:
        document = self.document
        node = document.entry("nodes", node_number)
        mesh = document.entry("meshes", node.mesh)
        for primitive in mesh.primitives:
            for extension in primitive.extensions or {}:
                if extension == "KHR_draco_mesh_compression":
                    raise packed(document.name, "Draco")
            attributes = primitive.attributes
            if attributes is None or attributes.POSITION is None:
                continue
            own = self._numbers(attributes.POSITION, 3, "POSITION")
            first, self._count = self._count, self._count + len(own)
            corners = self._corners(primitive, len(own))
            if not len(corners):
                continue
            used, corners = np.unique(corners, return_inverse=True)
            corners = corners.reshape(-1, 3)
            material = self._materials[primitive.material]
            matrix, joints, weights = self._pose(node, node_number, attributes, len(own))
            if matrix.ndim == 3:
                matrix = matrix[used]
            linear = matrix[..., :3, :3]
            shifts = {}
            for i, target in enumerate(primitive.targets or []):
                place = target.get("POSITION") if isinstance(target, dict) else getattr(target, "POSITION", None)
                if place is not None:
                    shift = self._numbers(place, 3, "a morph target", len(own))[used]
                    shifts[i] = np.einsum("...ij,...j->...i", linear, shift)
            turned = np.linalg.det(linear) < 0
            if np.mean(turned) > 0.5:  # a mirrored surface is seen from the other side
                corners = corners[:, ::-1]
            yield Piece(
                node.mesh,
                node_number,
                (str(mesh.name or ""), str(node.name or "")),
                material,
                np.einsum("...ij,...j->...i", linear, own[used]) + matrix[..., :3, 3],
                corners,
                first + used,
                self._uv(attributes, material, used, len(own)),
                material.factor * self._tint(attributes, used, len(own)),
                shifts,
                None if joints is None else joints[used],
                None if weights is None else weights[used],
            )

    def _numbers(self, number: Any, width: int, what: str, count: int | None = None) -> np.ndarray:
        values = self.document.array(number)
        if values.shape[1] != width or (count is not None and len(values) != count):
            raise self.document.damaged(f"{what} has the shape {values.shape}")
        if not np.isfinite(values).all():
            raise self.document.damaged(f"{what} has numbers that are not finite")
        return values.astype(np.float64)

    def _corners(self, primitive: Any, n: int) -> np.ndarray:
        mode = _TRIANGLES if primitive.mode is None else primitive.mode
        if mode not in (_TRIANGLES, _STRIP, _FAN):  # points and lines
            return np.zeros((0, 3), dtype=np.int64)
        if primitive.indices is None:
            order = np.arange(n)
        else:
            order = self.document.array(primitive.indices)[:, 0]
            if order.dtype.kind != "i" or order.max() >= n or order.min() < 0:
                raise self.document.damaged(f"a triangle has the vertex {order.max()} of {n}")
        if mode == _TRIANGLES:
            return order[: len(order) // 3 * 3].reshape(-1, 3)
        if len(order) < 3:
            return np.zeros((0, 3), dtype=np.int64)
        i = np.arange(len(order) - 2)
        if mode == _FAN:
            return np.stack([np.full_like(i, order[0]), order[i + 1], order[i + 2]], axis=1)
        odd = i % 2
        return np.stack([order[i], order[i + 1 + odd], order[i + 2 - odd]], axis=1)

    def _pose(
        self, node: Any, number: int, attributes: Any, n: int
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return the matrix to the scene's frame, of all vertices or of each, and what each vertex hangs on."""
        if node.skin is None or attributes.JOINTS_0 is None or attributes.WEIGHTS_0 is None:
            return self.places[number], None, None
        skin = self.document.entry("skins", node.skin)
        nodes = list(skin.joints or [])
        lost = [joint for joint in nodes if joint not in self.places]
        if lost or not nodes:
            raise self.document.damaged(f"a skin hangs on node {lost[0] if lost else 'none'}, outside the scene")
        matrices = np.stack([self.places[joint] for joint in nodes])
        if skin.inverseBindMatrices is not None:
            inverse = self._numbers(skin.inverseBindMatrices, 16, "inverseBindMatrices")
            if len(inverse) < len(nodes):
                raise self.document.damaged(f"{len(inverse)} inverseBindMatrices for {len(nodes)} joints")
            matrices = matrices @ inverse[: len(nodes)].reshape(-1, 4, 4).swapaxes(1, 2)  # stored column by column
        sets = [i for i in range(4) if getattr(attributes, f"WEIGHTS_{i}", None) is not None]
        which = np.concatenate([self._numbers(getattr(attributes, f"JOINTS_{i}"), 4, "JOINTS", n) for i in sets], 1)
        weight = np.concatenate([self._numbers(getattr(attributes, f"WEIGHTS_{i}"), 4, "WEIGHTS", n) for i in sets], 1)
        which = which.astype(np.int64)
        if which.min() < 0 or which[weight > 0].max(initial=0) >= len(nodes):
            raise self.document.damaged(f"a vertex hangs on joint {which.max()} of {len(nodes)}")
        which = np.minimum(which, len(nodes) - 1)
        total = weight.sum(axis=1, keepdims=True)
        weight = np.where(total > 0, weight / np.where(total > 0, total, 1.0), 0.0)
        blended = np.zeros((n, 4, 4))
        for column in range(which.shape[1]):
            blended += weight[:, column, None, None] * matrices[which[:, column]]
        blended[total[:, 0] == 0] = self.places[number]
        return blended, np.array(nodes)[which], weight

    def _uv(self, attributes: Any, material: Material, used: np.ndarray, n: int) -> np.ndarray | None:
        if material.texture is None:
            return None
        place = getattr(attributes, f"TEXCOORD_{material.texcoord}", None)
        if place is None:
            return None
        uv = self._numbers(place, 2, "TEXCOORD", n)[used]
        return uv @ material.transform[:2, :2].T + material.transform[:2, 2]

    def _tint(self, attributes: Any, used: np.ndarray, n: int) -> np.ndarray:
        if attributes.COLOR_0 is None:
            return np.ones((len(used), 4))
        colour = self.document.array(attributes.COLOR_0)
        if len(colour) != n or colour.shape[1] not in (3, 4):
            raise self.document.damaged(f"COLOR_0 has the shape {colour.shape}")
        colour = colour[used].astype(np.float64)
        if np.ptp(colour[:, :3]) > GREY:
            self._tinted = True
        return np.concatenate([colour, np.ones((len(used), 1))], axis=1)[:, :4]


def _own(node: Any, document: Document) -> np.ndarray:
    """Return a node's matrix to its parent's frame: as it stands, or translation · rotation · scale."""
    matrix = np.eye(4)
    if node.matrix:
        matrix = np.asarray(node.matrix, dtype=np.float64)
        if matrix.shape != (16,):
            raise document.damaged(f"the matrix of node {node.name!r}")
        matrix = matrix.reshape(4, 4).T  # stored column by column
    else:
        for what, n in (("translation", 3), ("rotation", 4), ("scale", 3)):
            value = getattr(node, what)
            if value and len(value) != n:
                raise document.damaged(f"the {what} of node {node.name!r}")
        if node.rotation:
            x, y, z, w = np.asarray(node.rotation, dtype=np.float64) / max(float(np.linalg.norm(node.rotation)), 1e-12)
            matrix[:3, :3] = [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        if node.scale:
            matrix[:3, :3] *= np.asarray(node.scale, dtype=np.float64)
        if node.translation:
            matrix[:3, 3] = node.translation
    if not np.isfinite(matrix).all():
        raise document.damaged(f"the place of node {node.name!r}")
    return matrix
