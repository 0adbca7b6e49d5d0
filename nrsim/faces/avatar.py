"""A laboratory's own avatar, a glTF or VRM file, as a head: its face in the rest pose, its morph targets as units."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from nrsim.errors import need, unknown
from nrsim.faces import vrm
from nrsim.faces.avatar_points import found, motion_centre, quarter_turn
from nrsim.faces.avatar_surface import both_sides, cut_out, frame_of, inside_mouth, joined, paint_of, parts_of
from nrsim.faces.correspondence import fitted, shared
from nrsim.faces.gltf import Document
from nrsim.faces.gltf_scene import Scene
from nrsim.faces.head import OTHER, SIDES, SKIN, Head, template
from nrsim.faces.headfile import anchors_of, build, place_of, template_anchors, unit_name
from nrsim.faces.landmarks import PLACES

_ENOUGH = 12  # units with ARKit's names from which a head is placed by them alone (chosen)
# What is kept of an avatar with a body, in the template's frame, mesh units: above the height where the neck has faded
# out, and around the head (chosen; the template reaches from 6.07 to 8.49)
_LOWEST, _MIDDLE, _REACH = 5.8, (0.0, 7.2, 0.4), 3.3

Place = int | Sequence[float]


def load_avatar(place: Path, landmarks: Mapping[str, Place]) -> Head:
    """Return the head of a glTF or VRM file; see :func:`nrsim.load_head`.

    Parameters
    ----------
    place
        The file.
    landmarks
        Name → vertex, counted through the file, or x, y, z in the file's scene.

    Raises
    ------
    ModuleNotFoundError
        Without pygltflib.
    FileNotFoundError
        If a file that it refers to is missing.
    ValueError, TypeError
        If it is no glTF, damaged or compressed, has no morph targets, or too few that say where the face is.
    """
    document = Document(place)
    try:
        avatar = _Avatar(document, Scene(document))
        avatar.name_units(bool(landmarks))
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError) as error:  # JSON of another shape
        raise document.damaged(f"its JSON ({error})") from error
    return avatar.head(place.stem, landmarks)


class _Avatar:
    """The scene's surfaces put together, and what is known of them.

    ``turn`` is the rotation from the scene's frame to one with x to the head's left, y up, z forward.
    """

    def __init__(self, document: Document, scene: Scene) -> None:
        self.document, self.scene = document, scene
        part = parts_of(scene.pieces, coloured=scene.coloured)
        kept = [(piece, what) for piece, what in zip(scene.pieces, part, strict=True) if what is not None]
        if not kept:
            raise need(f"a face in {document.name!r}", "only surfaces that are left out, such as lashes")
        self.pieces, parts = [piece for piece, _ in kept], [what for _, what in kept]
        counts = [len(piece.vertices) for piece in self.pieces]
        self.first = np.concatenate([[0], np.cumsum(counts)])
        self.vertices = np.concatenate([piece.vertices for piece in self.pieces])
        self.corners = np.concatenate([p.corners + at for p, at in zip(self.pieces, self.first[:-1], strict=True)])
        self.owner = np.repeat(np.arange(len(self.pieces)), [len(piece.corners) for piece in self.pieces])
        self.part = np.repeat(np.array(parts), counts)
        self.tint = np.concatenate([piece.tint for piece in self.pieces])
        self.number = np.concatenate([piece.number for piece in self.pieces])
        self.uv = np.concatenate(
            [np.zeros((len(piece.vertices), 2)) if piece.uv is None else piece.uv for piece in self.pieces]
        )
        self.units: dict[str, sp.csr_matrix] = {}
        self.expressions: dict[str, dict[str, float]] = {}
        self.motions: dict[str, sp.csr_matrix] = {}
        self.marked: dict[str, np.ndarray] = {}
        self.bones = {
            bone: scene.places[node][:3, 3] for bone, node in vrm.bones(document).items() if node in scene.places
        }
        self.turn = np.diag([-1.0, 1.0, -1.0]) if vrm.version(document) == 0 else np.eye(3)

    @property
    def skin(self) -> np.ndarray:
        """Which vertices are skin."""
        return self.part == SKIN

    def _shift(self, binds: Mapping[tuple[int, int], float]) -> sp.csr_matrix:
        """Return the weighted sum of morph targets, (mesh, target) → weight, as shift of all vertices."""
        total = sp.csr_matrix(self.vertices.shape)
        for piece, at in zip(self.pieces, self.first[:-1], strict=True):
            for index, shift in piece.shifts.items():
                weight = binds.get((piece.mesh, index), 0.0)
                if weight:
                    rows = np.flatnonzero(shift.any(axis=1))
                    place = (np.repeat(rows + at, 3), np.tile([0, 1, 2], len(rows)))
                    total = total + sp.csr_matrix((weight * shift[rows].ravel(), place), self.vertices.shape)
        return total.tocsr()

    def name_units(self, placed: bool) -> None:
        """Find the units and expressions of the file; ``placed`` where the user marks points."""
        presets = vrm.presets(self.document)
        targets: dict[tuple[int, int], str] = {}
        unnamed = 0
        for mesh in dict.fromkeys(piece.mesh for piece in self.pieces):
            taken: dict[str, int] = {}
            for index, name in enumerate(self.scene.target_names(mesh)):
                unnamed += name is None
                unit = _plain(name or f"{self._mesh_name(mesh)}_{index}")
                taken[unit] = taken.get(unit, 0) + 1
                targets[mesh, index] = unit if taken[unit] == 1 else f"{unit}_{taken[unit]}"
        if not targets:
            raise need(
                f"an avatar with morph targets (blend shapes, shape keys), {self.document.name!r}",
                "a mesh that cannot move its face",
                "Give it expression units with ARKit's names, such as jawOpen, and export them as morph targets",
            )
        if unnamed == len(targets) and not presets and not placed:
            raise need(
                f"names of the morph targets (targetNames) in {self.document.name!r}",
                f"{unnamed} without a name",
                "Export them with names, such as jawOpen; or pass landmarks={'nose_tip': (x, y, z), …}",
            )
        groups: dict[str, dict[tuple[int, int], float]] = {}
        for key, unit in targets.items():
            groups.setdefault(unit, {})[key] = 1.0
        self.units = {unit: self._shift(binds) for unit, binds in groups.items()}
        for unit, shift in self.units.items():
            self._means(unit, shift)
        for preset in presets:
            self._add_preset(preset, targets, groups)

    def _mesh_name(self, mesh: int) -> str:
        return str(self.document.entry("meshes", mesh).name or f"mesh{mesh}")

    def _means(self, name: str, shift: sp.csr_matrix) -> None:
        what = vrm.meaning(name)
        if what is not None and shift.nnz:
            self.motions.setdefault(what, shift)

    def _add_preset(
        self,
        preset: vrm.Preset,
        targets: Mapping[tuple[int, int], str],
        groups: Mapping[str, Mapping[tuple[int, int], float]],
    ) -> None:
        binds = {key: weight for key, weight in preset.binds.items() if key in targets and weight}
        if not binds:
            return
        self._means(preset.name, self._shift(binds))
        unit = unit_name(preset.name)
        if unit in template().units:  # the file's own way to ARKit's units
            if unit not in self.units:
                self.units[unit] = self._shift(binds)
            return
        name = vrm.SAME.get(preset.name.lower(), preset.name)
        if name in self.expressions:
            name = preset.name
        weights: dict[str, float] = {}
        for key, weight in binds.items():
            weights.setdefault(targets[key], weight)
        whole = all(binds.get(key) == weight for each, weight in weights.items() for key in groups[each])
        if not whole:  # it moves some of the meshes that share a name: a unit of its own
            own = preset.name if preset.name not in self.units else f"{preset.name}_preset"
            self.units[own] = self._shift(binds)
            weights = {own: 1.0}
        self.expressions[name] = weights

    @cached_property
    def points(self) -> dict[str, np.ndarray]:
        """Points of the face that the template has too, in the frame turned by ``turn``, which is found first."""
        eyes = {side: self.bones[f"{side}Eye"] for side in ("left", "right") if f"{side}Eye" in self.bones}
        units = {name: shift for name, shift in self.units.items() if _arkit(name) and shift.nnz}
        if vrm.version(self.document) is None:  # which side is which is known from names alone
            named = {k: p for k, p in anchors_of(self.vertices, units, self.part).items() if "eyeball" not in k}
            named |= {f"eyeball_{side}": place for side, place in eyes.items()}
            for what, shift in self.motions.items():
                centre = motion_centre(self.vertices, shift.toarray(), self.skin)
                if what != "blink" and centre is not None:
                    named.setdefault(what if what.startswith("eye") else "point:mouth", centre)
            named |= {f"point:{name}": place for name, place in self.marked.items()}
            self.turn = quarter_turn(named, template_anchors())
        turn = self.turn.T
        turned = self.vertices @ turn
        points = anchors_of(turned, {name: sp.csr_matrix(shift @ turn) for name, shift in units.items()}, self.part)
        if len(units) < _ENOUGH:
            motions = {what: np.asarray(shift @ turn) for what, shift in self.motions.items()}
            points = found(turned, self.skin, motions, {side: eye @ turn for side, eye in eyes.items()}) | points
        return points | {f"point:{name}": place @ turn for name, place in self.marked.items()}

    def _of_head(self) -> np.ndarray:
        """Return which vertices hang on the neck or what is above it, ``(vertex,)``; all where no bones say so."""
        node = vrm.bones(self.document)
        root = node.get("neck", node.get("head"))
        skinned = any(piece.joints is not None for piece in self.pieces)
        held = np.ones(len(self.vertices))
        if root is None or not skinned:
            return held > 0
        inside = self.scene.below(root)
        for piece, at in zip(self.pieces, self.first[:-1], strict=True):
            if piece.joints is not None and piece.weights is not None:
                on = np.isin(piece.joints, list(inside))
                held[at : at + len(piece.vertices)] = (piece.weights * on).sum(axis=1)
        moved = self._moved()
        return held >= 0.5 if held[moved].mean() > 0.9 else held >= 0

    def _moved(self) -> np.ndarray:
        moved = np.zeros(len(self.vertices), dtype=bool)
        for shift in self.units.values():
            moved[np.diff(shift.indptr) > 0] = True
        return moved

    def _kept(self) -> np.ndarray:
        """Return which triangles belong to the head, ``(triangle,)``."""
        points, target = self.points, template_anchors()
        names = shared(points, target, self.document.name)
        here, there = (np.stack([each[name] for name in names]) for each in (points, target))
        sure = np.array([name.startswith(("point:", "eyeball")) for name in names])
        scale, _, shift, _ = fitted(here, there, sure, upright=True)
        placed = scale * self.vertices @ self.turn.T + shift
        near = (placed[:, 1] > _LOWEST) & (np.linalg.norm(placed - _MIDDLE, axis=1) < _REACH)
        kept = (self._of_head() & near)[self.corners].all(axis=1)
        if not kept.any():
            raise need(f"a head in {self.document.name!r}", "no surface where its morph targets place the face")
        return kept

    def _marked(self, landmarks: Mapping[str, Place]) -> dict[str, np.ndarray]:
        """Return the places of the user's points, ``(3,)``, in the scene's frame."""
        places = {}
        for name, place in landmarks.items():
            if name not in PLACES:
                raise unknown("landmark", name, PLACES)
            if isinstance(place, (int, np.integer)) and not isinstance(place, bool):
                row = np.flatnonzero(self.number == place)
                if not len(row):
                    raise need(f"landmark {name}: a vertex that a triangle uses", place)
                places[name] = self.vertices[row[0]]
            else:
                places[name] = place_of(name, place)
        return places

    def head(self, name: str, landmarks: Mapping[str, Place]) -> Head:
        """Return the head, its points found or marked by the user."""
        self.marked = self._marked(landmarks)
        kept, painted = self._kept(), not self.scene.coloured
        corners, rows, owner = cut_out(
            self.corners[kept], self.owner[kept], self.pieces, self.vertices, self.uv, self.tint[:, 3]
        )
        uv = (rows @ self.uv)[corners]
        used, corners = np.unique(corners, return_inverse=True)
        rows, corners = rows[used], corners.reshape(-1, 3)
        part, tint = np.asarray(self.part[rows.argmax(axis=1)]).ravel(), rows @ self.tint
        motion = sp.csr_matrix(self.vertices.shape)
        for i, shift in enumerate(self.units.values()):
            motion = motion + (1.0 + 0.5 * np.cos(1.7 * i)) * shift  # no two units are alike in this sum
        first, one = joined(rows @ self.vertices, (rows @ motion).toarray(), part, tint)
        rows, part, tint, corners = rows[first], part[first], tint[first], one[corners]
        solid = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
        corners, owner, uv = corners[solid], owner[solid], uv[solid]
        numbers = self._nearest(rows @ self.vertices, part == SKIN)
        cards = np.array([piece.material.double_sided for piece in self.pieces])[owner]
        cards &= (part[corners] == OTHER).all(axis=1)
        if cards.any():  # hair and clothes of one layer are seen from behind as well
            behind, turned = both_sides(corners, cards, rows.shape[0])
            rows = sp.vstack([rows, rows[behind]]).tocsr()
            part, tint = np.concatenate([part, part[behind]]), np.concatenate([tint, tint[behind]])
            corners, owner = np.concatenate([corners, turned]), np.concatenate([owner, owner[cards]])
            uv = np.concatenate([uv, uv[cards][:, ::-1]])

        turn = self.turn.T
        made = build(
            name,
            rows @ self.vertices @ turn,
            corners,
            {unit: sp.csr_matrix((rows @ shift) @ turn) for unit, shift in self.units.items()},
            {},
            part,
            colour=None if painted else tint[:, :3],
            landmarks=numbers,
            expressions=self.expressions,
            anchors=self.points,
            upright=True,
        )
        return replace(
            made,
            surface={**made.surface, "inside_mouth": inside_mouth(made)},
            paint=None if painted else paint_of(self.pieces, uv, owner),
            frame=frame_of(made),
        )

    def _nearest(self, places: np.ndarray, skin: np.ndarray) -> dict[str, int]:
        """Return the vertices of the head nearest to the user's points."""
        numbers = np.flatnonzero(skin)
        size = float(np.ptp(places, axis=0).max())
        found_ = {}
        for name, place in self.marked.items():
            distance, index = cKDTree(places[numbers]).query(place)
            if distance > 0.1 * size:
                shown = ", ".join(f"{value:.3g}" for value in place)
                raise need(f"landmark {name} on the skin of {self.document.name!r}", f"({shown}), {distance:.3g} away")
            found_[name] = int(numbers[index])
        return found_


def _plain(name: str) -> str:
    """Return a morph target's name: ARKit's where it means that, without what another program puts before it."""
    for word in (name, re.split(r"[.:/|]", name)[-1]):
        unit = unit_name(word)
        side = next((each for each in SIDES if unit.endswith(each)), "")
        whole = unit_name(unit.removesuffix(side))
        if unit in template().units:
            return unit
        if side and whole in template().units:  # halves of what ARKit has whole
            return whole + side
    return name


def _arkit(unit: str) -> bool:
    known = template().units
    return unit in known or any(unit.removesuffix(side) in known for side in SIDES)
