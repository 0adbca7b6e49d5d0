"""Avatars by file: what is written as glTF by hand comes back as the head that it was."""

import json
import re
import struct
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from gltf_writer import VRM_WEIGHTS, Writer, of_part, vrm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import nrsim as nr
from nrsim.faces.avatar_points import found, parting, quarter_turn
from nrsim.faces.avatar_surface import cut_out, joined
from nrsim.faces.gltf import Document
from nrsim.faces.gltf_scene import Scene
from nrsim.faces.vrm import meaning
from nrsim.meshes.texture import LINEAR, Paint, Texture, encoded, halved

UNITS = (
    *("jawOpen", "mouthSmileLeft", "mouthSmileRight", "browInnerUp", "eyeBlinkLeft", "eyeBlinkRight", "mouthPucker"),
    *("browOuterUpLeft", "browOuterUpRight", "noseSneerLeft", "noseSneerRight", "mouthFrownLeft", "mouthFrownRight"),
    *("cheekSquintLeft", "cheekSquintRight", "jawForward"),
)


def written(w, head, *, scale=1.0, sparse=True, units=UNITS, material=None, turn=None, parts=(0, 1, 2, 3), **targets):
    """Add a head to a writer, a mesh a part; return the meshes and which drawn vertices they hold, in order."""
    names = {0: "skin", 1: "eyes", 2: "teeth", 3: "tongue"}
    turn = np.eye(3) if turn is None else turn
    meshes, order = [], []
    for part in parts:
        vertices, corners, all_units, used = of_part(head, [part])
        moved = {targets.get(name, name): scale * all_units[name] @ turn.T for name in units}
        number = w.put("materials", {"name": names[part], **(material or {})})
        attributes = {}
        if material and "baseColorTexture" in str(material):
            attributes["TEXCOORD_0"] = w.array(uv_of(vertices))
        meshes.append(
            w.mesh(names[part], scale * vertices @ turn.T, corners, moved, material=number, sparse=sparse, **attributes)
        )
        order.append(used)
    return meshes, np.concatenate(order)


def uv_of(vertices):
    """Return places in a picture that lies on the face from the front: its upper half above y = 7.28."""
    return np.stack([0.5 + vertices[:, 0] / 2, 0.5 - (vertices[:, 1] - 7.28) / 3], axis=1)


def drawn(head, *expressions, size=96, colour=False):
    rows = [
        {"domain": "mine"} | ({} if e == "neutral" else {"expression": e, "intensity": 1.0})
        for e in expressions or ("neutral", "jawOpen")
    ]
    return nr.render_faces(rows, heads={"mine": head}, size=size, colour=colour)


@pytest.fixture(scope="module")
def template():
    return nr.load_head()


@pytest.fixture(scope="module")
def plain(template, tmp_path_factory):
    """The template as a GLB without colours, in centimetres on a node that is scaled and lifted; and its writer."""
    w = Writer()
    meshes, order = written(w, template, scale=10.0)
    children = [w.node(root=False, mesh=mesh, name=f"part{mesh}") for mesh in meshes]
    w.node(children=children, scale=[0.01] * 3, translation=[0.0, 1.0, 0.2])
    path = w.glb(tmp_path_factory.mktemp("avatar") / "plain.glb")
    return w, path, order


@pytest.fixture(scope="module")
def pictures(template):
    return drawn(template)


# ---------------------------------------------------------------- heads


def test_the_template_comes_back_with_its_units_and_its_face(template, plain, pictures):
    _, path, order = plain
    head = nr.load_head(path)
    assert list(head.units) == list(UNITS)
    assert head.name == "plain"
    base = template.subdivision @ template.vertices
    factor = np.linalg.norm(np.ptp(head.vertices, axis=0)) / np.linalg.norm(np.ptp(base, axis=0))
    assert factor == pytest.approx(1.0, abs=0.01)
    middle = factor * base[order] - head.vertices
    assert np.ptp(middle, axis=0) == pytest.approx(0, abs=1e-5)  # moved and scaled, nothing else
    for unit in UNITS:
        expected = factor * (template.subdivision @ template.units[unit].toarray())[order]
        np.testing.assert_allclose(head.units[unit].toarray(), expected, atol=2e-6)
    assert list(np.bincount(head.part)) == list(np.bincount(template.surface["part"]))
    faces = drawn(head)
    assert np.abs(faces["image"].values - pictures["image"].values).mean() < 0.004
    assert np.abs(faces["landmark"].values - pictures["landmark"].values).max() < 1.0
    assert head.paint is None
    assert "colour" not in head.surface  # painted as the human head


def test_text_with_the_buffer_inside_or_beside_is_the_same_head(plain, tmp_path):
    w, path, _ = plain
    binary = nr.load_head(path)
    for other in (w.gltf(tmp_path / "inside.gltf"), w.gltf(tmp_path / "out.GLTF", beside="a buffer.bin")):
        head = nr.load_head(other)
        np.testing.assert_array_equal(head.vertices, binary.vertices)
        assert (head.units["jawOpen"] != binary.units["jawOpen"]).nnz == 0


def test_a_file_that_lies_or_faces_backwards_is_turned(template, plain, tmp_path):
    upright = nr.load_head(plain[1])
    for turn in (
        [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
        [[-1, 0, 0], [0, 1, 0], [0, 0, -1]],
        [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
    ):
        w = Writer()
        meshes, _ = written(w, template, turn=np.array(turn, float))
        for mesh in meshes:
            w.node(mesh=mesh)
        head = nr.load_head(w.glb(tmp_path / "turned.glb"))
        np.testing.assert_allclose(head.vertices, upright.vertices, atol=1e-5)


def test_rotations_matrices_and_mirrors_of_nodes(template, plain, tmp_path):
    upright = nr.load_head(plain[1])
    half = np.sqrt(0.5)
    lying = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)  # each node stands it up again
    for node, turn in (
        ({"rotation": [half, 0, 0, half]}, lying),
        ({"matrix": [2, 0, 0, 0, 0, 0, 2, 0, 0, -2, 0, 0, 5, 6, 7, 1]}, lying),
        ({"scale": [-1, 1, 1]}, np.diag([-1.0, 1, 1])),  # a mirrored surface, its triangles clockwise
    ):
        w = Writer()
        meshes, _ = written(w, template, turn=turn)
        if "scale" in node:
            for mesh in meshes:
                accessor = w.says["meshes"][mesh]["primitives"][0]["indices"]
                view = w.says["bufferViews"][w.says["accessors"][accessor]["bufferView"]]
                start, length = view["byteOffset"], view["byteLength"]
                indices = np.frombuffer(w.blob[start : start + length], "<u4").reshape(-1, 3)[:, ::-1]
                w.blob = w.blob[:start] + indices.tobytes() + w.blob[start + length :]
        w.node(children=[w.node(root=False, mesh=mesh) for mesh in meshes], **node)
        head = nr.load_head(w.glb(tmp_path / "node.glb"))
        np.testing.assert_allclose(head.vertices, upright.vertices, atol=1e-5)
        np.testing.assert_allclose(drawn(head)["image"], drawn(upright)["image"], atol=0.02)


def test_nodes_stand_where_translation_rotation_and_scale_say(tmp_path):
    w = mini()
    quaternion = np.array([0.1, -0.5, 0.3, 0.8]) / np.linalg.norm([0.1, -0.5, 0.3, 0.8])
    turn = Rotation.from_quat(quaternion).as_matrix()
    w.says["nodes"][0] |= {"rotation": quaternion.tolist(), "translation": [1, 2, 3], "scale": [2, 3, 4]}
    above = np.array([[0, 2, 0, 5], [1, 0, 0, 6], [0, 0, -1, 7], [0, 0, 0, 1.0]])
    w.says["scenes"][0]["nodes"] = [w.node(root=False, children=[0], matrix=above.T.ravel().tolist())]
    (piece,) = Scene(Document(w.glb(tmp_path / "node.glb"))).pieces
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    expected = (vertices * [2, 3, 4] @ turn.T + [1, 2, 3]) @ above[:3, :3].T + above[:3, 3]
    np.testing.assert_allclose(piece.vertices, expected, atol=1e-6)
    np.testing.assert_allclose(piece.shifts[0], 0.1 * (expected - expected[0]), atol=1e-6)


def test_another_head_by_npz_and_by_glb_is_the_same(real_data, tmp_path):
    npz = nr.load_head(real_data / "ict_head" / "ict_head_arkit57_id20.npz")
    w = Writer()
    for part, name in enumerate(("skin", "eyeball", "teeth", "tongue")):
        vertices, corners, units, _ = of_part(npz, [part])
        moved = {re.sub("Left$", "_L", re.sub("Right$", "_R", unit)): shift for unit, shift in units.items()}
        w.node(mesh=w.mesh(name, vertices, corners, moved, sparse=True))
    head = nr.load_head(w.glb(tmp_path / "ict.glb"))
    own = {"PupilDilateLeft", "PupilDilateRight", "cheekRaiserLeft", "cheekRaiserRight"}
    assert set(head.units) == set(npz.units) - own | {re.sub("Left$", "_L", re.sub("Right$", "_R", u)) for u in own}
    one, other = drawn(npz, "neutral", "happy"), drawn(head, "neutral", "happy")
    assert np.abs(one["landmark"].values - other["landmark"].values).max() < 2.0  # the file is upright, npz is fitted
    assert np.abs(one["image"].values - other["image"].values).mean() < 0.015


# ---------------------------------------------------------------- VRM


@pytest.fixture(scope="module")
def vrms(template, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vrm")
    return [nr.load_head(vrm(folder / f"avatar{version}.vrm", template, version)) for version in (0, 1)]


def test_both_versions_of_vrm_are_the_same_face_with_presets_only(template, vrms):
    old, new = vrms
    np.testing.assert_allclose(old.vertices, new.vertices, atol=1e-6)
    assert {"happy", "sad", "angry", "fun", "blink", "blink_l", "a"} <= set(old.expressions)
    assert {"happy", "sad", "angry", "relaxed", "blink", "blinkLeft", "aa"} <= set(new.expressions)
    assert "neutral" not in old.expressions
    assert set(old.units) == {f"Fcl_{name}_L" for name in VRM_WEIGHTS}  # their own names, as they are
    assert len(old.vertices) == len(template.surface["rest"])  # no body, and all of the head
    faces = [drawn(head, "neutral", "happy", "sad") for head in vrms]
    np.testing.assert_array_equal(faces[0]["image"], faces[1]["image"])
    weights = VRM_WEIGHTS["joy"]
    own = nr.render_faces(
        [{"domain": "t"}, {"domain": "t", "expression": "joy", "intensity": 1.0}],
        heads={"t": template},
        expressions={"joy": weights},
        size=96,
    )
    off = np.abs(faces[0]["landmark"].values[:2] - own["landmark"].values)
    assert np.median(off) < 1.0
    assert off.max() < 3.5
    distances = [each["norm_distance"].values[1] for each in (faces[0], own)]
    assert distances[0] == pytest.approx(distances[1], rel=0.05)


def test_weights_of_presets_and_units_that_only_presets_name(template, tmp_path):
    w = Writer()
    meshes, _ = written(w, template, parts=(0, 1), jawOpen="M_Open")
    for mesh in meshes:
        w.node(mesh=mesh)
    at = UNITS.index("jawOpen")
    smile, frown = UNITS.index("mouthSmileLeft"), UNITS.index("mouthFrownLeft")
    groups = [
        {"presetName": "unknown", "name": "JawOpen", "binds": [{"mesh": 0, "index": at, "weight": 50}]},
        {"presetName": "joy", "binds": [{"mesh": m, "index": smile, "weight": 80} for m in (0, 1)]},
        {"presetName": "sorrow", "binds": [{"mesh": 0, "index": frown, "weight": 100}]},  # on one mesh of two
        {"presetName": "unknown", "name": "Surprised", "binds": [{"mesh": 0, "index": at, "weight": 100}]},
        {"presetName": "fun", "binds": [{"mesh": 7, "index": 999, "weight": 100}]},  # of a mesh that was taken away
        {"presetName": "neutral", "binds": [{"mesh": 0, "index": at, "weight": 100}]},
    ]
    w.says["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}
    # 0.x says that it faces -z: write it so
    head = nr.load_head(turned_back(w, tmp_path / "weights.vrm"))
    assert {"M_Open", "jawOpen"} <= set(head.units)
    np.testing.assert_allclose(head.units["jawOpen"].toarray(), 0.5 * head.units["M_Open"].toarray(), atol=1e-9)
    assert head.expressions["happy"] == {"mouthSmileLeft": 0.8}
    assert set(head.expressions) == {"happy", "sad", "surprised"}
    (own,) = head.expressions["sad"]
    assert own not in ("mouthFrownLeft", *UNITS)
    moved, whole = head.units[own].toarray(), head.units["mouthFrownLeft"].toarray()
    np.testing.assert_array_equal(moved, whole * (head.part == 0)[:, None])


def turned_back(w, path):
    w.says["scenes"][0]["nodes"] = [w.node(root=False, children=w.says["scenes"][0]["nodes"], rotation=[0, 1, 0, 0])]
    return w.glb(path)


def test_what_names_mean():
    assert meaning("Face.M_F00_000_00_Fcl_EYE_Close_L") == "eyeBlinkLeft"
    assert meaning("blendShape1.blink_R") == "eyeBlinkRight"
    assert meaning("vrc.v_aa") == meaning("A") == meaning("viseme_aa") == "mouth_open"
    assert meaning("Fcl_ALL_Joy") is None
    assert meaning("hair") is None


def test_names_of_other_programs(template, tmp_path):
    w = Writer()
    renamed = {"jawOpen": "blendShape1.JawOpen", "eyeBlinkLeft": "EyeBlink_L", "browInnerUp": "Head|browinnerup"}
    meshes, _ = written(w, template, parts=(0,), **renamed, jawForward="Fcl_own_L", cheekSquintLeft="mouthPucker")
    w.node(mesh=meshes[0])
    head = nr.load_head(w.glb(tmp_path / "names.glb"))
    assert {"jawOpen", "eyeBlinkLeft", "browInnerUp", "Fcl_own_L", "mouthPucker"} <= set(head.units)


# ---------------------------------------------------------------- skins and cuts


def test_skinned_vertices_follow_their_bones_as_computed_by_hand(tmp_path):
    w = Writer()
    vertices = np.random.default_rng(1).normal(size=(5, 3))
    shift = np.random.default_rng(2).normal(size=(5, 3))
    weight = np.array([[1, 0], [0, 1], [0.25, 0.75], [0.5, 0.5], [0, 0]])
    joints = np.tile([1, 0, 0, 0], (5, 1))
    weights = np.concatenate([weight * 2, np.zeros((5, 2))], axis=1)  # their sum is not 1: it is taken out
    bind = [np.array([[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]]), np.diag([2.0, 2, 2, 1])]
    corners = [[0, 1, 2], [2, 3, 4]]
    mesh = w.mesh(
        "m", vertices, corners, {"u": shift}, JOINTS_0=w.array(joints, "u2"), WEIGHTS_0=w.array(weights)
    )  # fmt: skip
    bones = [w.node(translation=[1, 0, 0]), w.node(scale=[3, 3, 3])]
    inverse = w.array(np.stack([m.T.ravel() for m in bind]))
    skin = w.put("skins", {"joints": bones, "inverseBindMatrices": inverse})
    w.node(mesh=mesh, skin=skin, translation=[100, 0, 0])  # where a skinned mesh stands means nothing
    (piece,) = Scene(Document(w.glb(tmp_path / "skin.glb"))).pieces
    lift = np.eye(4)
    lift[0, 3] = 1
    poses = [np.diag([3.0, 3, 3, 1]) @ bind[1], lift @ bind[0]]  # joints 1 and 0
    for i in range(4):
        total = sum(weight[i, k] * poses[k] for k in range(2))
        np.testing.assert_allclose(piece.vertices[i], (total @ [*vertices[i], 1])[:3], rtol=1e-5)
        np.testing.assert_allclose(piece.shifts[0][i], total[:3, :3] @ shift[i], rtol=1e-5)
    np.testing.assert_allclose(piece.vertices[4], vertices[4] + [100, 0, 0], rtol=1e-5)  # hangs on nothing


def test_a_body_without_bones_is_cut_by_its_distance(template, tmp_path):
    w = Writer()
    meshes, _ = written(w, template, scale=0.1)
    box = np.array([[x, y, z] for x in (-0.2, 0.2) for y in (0.0, 0.45) for z in (-0.1, 0.15)])
    meshes.append(w.mesh("Body_skin", box, [[0, 1, 2], [1, 3, 2], [4, 6, 5], [5, 6, 7], [1, 5, 3], [3, 5, 7]]))
    for mesh in meshes:
        w.node(mesh=mesh)
    head = nr.load_head(w.glb(tmp_path / "body.glb"))
    assert len(head.vertices) == len(template.surface["rest"])


# ---------------------------------------------------------------- accessors


def test_arrays_of_every_kind(tmp_path):
    w = Writer()
    random = np.random.default_rng(3)
    floats = random.normal(size=(7, 3)).astype(np.float32)
    bytes_, shorts = random.integers(-128, 128, (7, 3)), random.integers(0, 65536, (7, 2))
    numbers = {
        "plain": w.array(floats),
        "strided": w.array(floats, stride=20),
        "signed": w.array(bytes_, "i1", normalized=True, stride=4),
        "unsigned": w.array(shorts, "u2", normalized=True),
        "raw": w.array(bytes_, "i1"),
        "zeros": w.put("accessors", {"componentType": 5126, "count": 4, "type": "VEC2"}),
    }
    base = w.array(floats)
    rows, values = np.array([1, 5], "u1"), np.array([[9, 8, 7], [6, 5, 4]], "f4")
    sparse = {"count": 2, "indices": {"bufferView": w.view(rows.tobytes()), "componentType": 5121}}
    sparse["values"] = {"bufferView": w.view(b"\0" * 8 + values.tobytes()), "byteOffset": 8}
    numbers["sparse"] = w.put("accessors", dict(w.says["accessors"][base], sparse=sparse))
    document = Document(w.glb(tmp_path / "arrays.glb"))
    read = {name: document.array(number) for name, number in numbers.items()}
    np.testing.assert_array_equal(read["plain"], floats)
    np.testing.assert_array_equal(read["strided"], floats)
    np.testing.assert_allclose(read["signed"], np.maximum(bytes_ / 127, -1))
    np.testing.assert_allclose(read["unsigned"], shorts / 65535)
    np.testing.assert_array_equal(read["raw"], bytes_)
    assert read["raw"].dtype == np.int64
    np.testing.assert_array_equal(read["zeros"], np.zeros((4, 2)))
    expected = floats.copy()
    expected[[1, 5]] = values
    np.testing.assert_array_equal(read["sparse"], expected)
    np.testing.assert_array_equal(document.array(base), floats)  # the one beneath stays


def test_a_quantised_mesh(template, plain, pictures, tmp_path):
    w = Writer()
    w.says |= {"extensionsUsed": ["KHR_mesh_quantization"], "extensionsRequired": ["KHR_mesh_quantization"]}
    step = 2.0 / 8000
    for part, name in enumerate(("skin", "eyes", "teeth", "tongue")):
        vertices, corners, units, _ = of_part(template, [part])
        target = [
            {"POSITION": w.array(np.rint(units[unit] / step), "i2", stride=8)} for unit in UNITS
        ]  # fmt: skip
        primitive = {
            "attributes": {"POSITION": w.array(np.rint((vertices - [0, 7, 0]) / step), "i2", stride=8)},
            "indices": w.array(corners.ravel(), "u2"),
            "targets": target,
        }
        entry = {"name": name, "primitives": [primitive], "extras": {"targetNames": list(UNITS)}}
        w.node(mesh=w.put("meshes", entry), scale=[step] * 3)
    head = nr.load_head(w.glb(tmp_path / "short.glb"))
    faces = drawn(head)
    assert np.abs(faces["landmark"].values - pictures["landmark"].values).max() < 1.0
    assert np.abs(faces["image"].values - pictures["image"].values).mean() < 0.005


def test_strips_and_fans_are_their_triangles(tmp_path):
    w = Writer()
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 2, 0]]
    mesh = w.mesh("m", vertices, np.zeros((0, 3)))
    primitive = w.says["meshes"][mesh]["primitives"][0]
    del primitive["indices"]
    modes = [dict(primitive, mode=mode) for mode in (5, 6, 0)]  # the last are points: nothing to see
    w.says["meshes"][mesh]["primitives"] = modes
    w.node(mesh=mesh)
    strip, fan = Scene(Document(w.glb(tmp_path / "strip.glb"))).pieces
    assert strip.corners.tolist() == [[0, 1, 2], [1, 3, 2], [2, 3, 4]]
    assert fan.corners.tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 4]]


# ---------------------------------------------------------------- colours


def test_textures_between_texels_at_edges_and_halved():
    picture = np.zeros((2, 4, 4), np.uint8)
    picture[..., 3] = 255
    picture[:, 1] = [255, 255, 255, 255]
    texture = Texture(picture)
    u = np.array([0.125, 0.25, 0.375, 0.5])  # middle of texel 0, its edge, middle of 1, its edge
    np.testing.assert_allclose(texture.sample(np.stack([u, 0 * u], 1))[:, 0], [0, 0.5, 1, 0.5])
    assert texture.sample(np.array([[1.375, -3.2]]))[0, 0] == 1  # repeats
    assert Texture(picture, ("clamp", "clamp")).sample(np.array([[-9.0, 0.5]]))[0, 0] == 0
    assert Texture(picture, ("mirror", "clamp")).sample(np.array([[-0.375, 0.5]]))[0, 0] == 1
    assert len(texture.levels) == 3
    assert LINEAR[texture.levels[1][0, 0, 0]] == pytest.approx(0.5, abs=0.005)  # means are of light, not of values
    np.testing.assert_array_equal(encoded(LINEAR), np.arange(256))
    clear = np.array([[[255, 0, 0, 255], [0, 255, 0, 0]]], np.uint8)
    assert halved(clear)[0, 0].tolist() == [255, 0, 0, 128]  # what cannot be seen has no colour
    big = Texture(np.zeros((1, 5000, 4), np.uint8))
    assert big.size == (1250, 1)


def test_a_picture_is_halved_until_its_texels_are_as_large_as_pixels():
    stripes = np.zeros((256, 256, 4), np.uint8)
    stripes[:, ::2, :3], stripes[..., 3] = 255, 255
    corners = np.array([[[0, 0], [8, 0], [0, 8.0]]])  # px: 32 texels a pixel
    paint = Paint(np.array([[[0, 0], [1, 0], [0, 1.0]]]), np.array([0]), (Texture(stripes),))
    weights = np.random.default_rng(4).dirichlet([1, 1, 1], 50)
    seen = paint.seen(np.zeros(50, int), weights, corners)
    assert seen == pytest.approx(0.5, abs=0.01)
    near = paint.seen(np.zeros(50, int), weights, 256 * corners)
    assert np.ptp(near) == pytest.approx(1, abs=0.2)  # near, the stripes are there


def test_pictures_colours_and_factors_multiply(template, tmp_path):
    w = Writer()
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:32], pixels[32:] = [255, 0, 0, 0], [0, 0, 255, 0]  # an opaque material: its alpha says nothing
    base = {"baseColorTexture": {"index": w.picture(pixels)}, "baseColorFactor": [0.5, 1, 1, 1]}
    meshes, _ = written(w, template, material={"pbrMetallicRoughness": base})
    for mesh in meshes:
        w.node(mesh=mesh)
    head = nr.load_head(w.glb(tmp_path / "colours.glb"))
    assert head.surface["colour"][0].tolist() == [0.5, 1, 1]
    face = drawn(head, "neutral", colour=True)["colour"].values[0]
    eyes_y = int(96 * (0.5 - 0.05))
    above, below = face[eyes_y - 14, 48], face[eyes_y + 14, 48]
    assert above[0] > 0.15
    assert above[2] < 0.1 * above[0] + 0.03  # red above, blue below, but for the gloss
    assert below[2] > 0.3
    assert below[0] < 0.1
    coloured = Writer()
    meshes, order = written(coloured, template)
    for mesh in meshes:
        primitive = coloured.says["meshes"][mesh]["primitives"][0]
        n = coloured.says["accessors"][primitive["attributes"]["POSITION"]]["count"]
        primitive["attributes"]["COLOR_0"] = coloured.array(np.tile([51, 102, 204, 255], (n, 1)), "u1", normalized=True)
        coloured.node(mesh=mesh)
    head = nr.load_head(coloured.glb(tmp_path / "vertex.glb"))
    np.testing.assert_allclose(head.surface["colour"], np.tile([0.2, 0.4, 0.8], (len(order), 1)))


def test_a_picture_moved_by_its_transform(template, tmp_path):
    """The picture of the quarter in which the face lies looks as the whole picture does."""
    random = np.random.default_rng(5)
    pixels = np.kron(random.integers(0, 256, (16, 16, 3)), np.ones((8, 8, 1)))
    heads = []
    for quarter in (False, True):
        w = Writer()
        image = np.concatenate([np.concatenate([0 * pixels, 0 * pixels], 1), np.concatenate([0 * pixels, pixels], 1)])
        info = {"index": w.picture(image if quarter else pixels)}
        if quarter:
            w.says["extensionsUsed"] = ["KHR_texture_transform"]
            info["extensions"] = {"KHR_texture_transform": {"offset": [0.5, 0.5], "scale": [0.5, 0.5]}}
        meshes, _ = written(w, template, parts=(0,), material={"pbrMetallicRoughness": {"baseColorTexture": info}})
        w.node(mesh=meshes[0])
        heads.append(nr.load_head(w.glb(tmp_path / "moved.glb")))
    one, other = (drawn(head, "neutral", size=64)["image"].values[0] for head in heads)
    assert np.abs(one - other).mean() < 0.003


def test_what_alpha_hides_is_cut_away(template, tmp_path):
    """A plate before the face with a round hole: the face is seen through the hole, the plate around it."""
    w = Writer()
    meshes, _ = written(w, template, material={"pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.6, 0.5, 1]}})
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[..., 3] = np.where(np.hypot(x, y) > 0.5, 255, 0)
    info = {"pbrMetallicRoughness": {"baseColorTexture": {"index": w.picture(pixels)}}, "alphaMode": "MASK"}
    plate = np.array([[-0.8, 6.5, 2.2], [0.8, 6.5, 2.2], [0.8, 8.1, 2.2], [-0.8, 8.1, 2.2]])
    uv = w.array([[0, 1], [1, 1], [1, 0], [0, 0.0]])
    material = w.put("materials", {"name": "glasses", "doubleSided": True, **info})
    meshes.append(w.mesh("glasses", plate, [[0, 1, 2], [0, 2, 3]], material=material, TEXCOORD_0=uv))
    for mesh in meshes:
        w.node(mesh=mesh)
    head = nr.load_head(w.glb(tmp_path / "plate.glb"))
    assert (head.part == 4).sum() > 50
    face = drawn(head, "neutral", size=128)["image"].values[0]
    black = face < 0.05
    assert black.mean() > 0.1
    rows, columns = np.nonzero(black)
    middle = face[rows.min() : rows.max(), columns.min() : columns.max()]
    hole = middle[middle.shape[0] // 2 - 12 : middle.shape[0] // 2 + 12, middle.shape[1] // 2 - 12 :][:, :24]
    assert (hole > 0.1).mean() > 0.95
    share = 1 - black.sum() / ((np.ptp(rows) + 1) * (np.ptp(columns) + 1))
    assert share == pytest.approx(np.pi * 0.5**2 / 4, abs=0.02)  # a disc of half the plate's radius


def test_cut_out_keeps_the_share_that_is_there():
    class Half:
        material = type("M", (), {"cut": 0.5, "texture": None})
        uv = None

    corners, owner = np.array([[0, 1, 2]]), np.array([0])
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]])
    alpha = np.array([1.0, 0, 0])  # falls from one corner to the opposite side: above a half in a quarter of it
    kept, rows, owners = cut_out(corners, owner, [Half], vertices, np.zeros((3, 2)), alpha)
    places = rows @ vertices
    a, b, c = (places[kept[:, i]] for i in range(3))
    area = np.cross(b - a, c - a)[:, 2] / 2
    assert (area > 0).all()  # none is turned over
    assert area.sum() == pytest.approx(0.5 * 0.25, abs=0.005)
    assert len(owners) == len(kept)
    assert len(cut_out(corners, owner, [Half], vertices, np.zeros((3, 2)), 0 * alpha)[0]) == 0
    assert cut_out(corners, owner, [Half], vertices, np.zeros((3, 2)), 0 * alpha + 0.5)[0].tolist() == [[0, 1, 2]]


def test_a_surface_split_for_its_picture_is_joined(template, plain, tmp_path):
    whole = nr.load_head(plain[1])
    w = Writer()
    for part, name in enumerate(("skin", "eyes", "teeth", "tongue")):
        vertices, corners, units, _ = of_part(template, [part])
        flat = corners.ravel()  # every triangle with vertices of its own
        moved = {unit: units[unit][flat] for unit in UNITS}
        w.node(mesh=w.mesh(name, vertices[flat], np.arange(len(flat)).reshape(-1, 3), moved))
    head = nr.load_head(w.glb(tmp_path / "split.glb"))
    assert len(head.vertices) == len(whole.vertices)
    np.testing.assert_allclose(drawn(head)["image"], drawn(whole)["image"], atol=0.05)
    apart = joined(np.zeros((2, 3)) + [[1, 2, 3]], np.array([[0, 0, 0], [0, 1, 0.0]]), np.zeros(2), np.ones((2, 4)))
    assert len(apart[0]) == 2  # lips that touch but move apart stay two


def test_hair_and_lashes_of_a_head_without_colours_are_left_out(template, tmp_path):
    w = Writer()
    meshes, _ = written(w, template)
    cap = np.array([[-1, 8, 1.8], [1, 8, 1.8], [0, 9, 1.8]])
    meshes += [w.mesh("Hair", cap, [[0, 1, 2]]), w.mesh("Eyelashes", cap, [[0, 1, 2]])]
    for mesh in meshes:
        w.node(mesh=mesh)
    head = nr.load_head(w.glb(tmp_path / "hair.glb"))
    assert len(head.vertices) == len(template.surface["rest"])
    wide = {"pbrMetallicRoughness": {"baseColorFactor": [0.4, 0.2, 0.1, 1]}}
    w.says["meshes"][meshes[-2]]["primitives"][0]["material"] = w.put("materials", wide)
    head = nr.load_head(w.glb(tmp_path / "hair.glb"))
    assert (head.part == 4).sum() == 6  # kept with their colours, and not as skin
    assert head.frame > 2.0  # all of it is in the picture


def test_names_that_say_hat_or_iris_of_the_whole_leave_a_face(template, tmp_path):
    for name in ("Girl_with_hat", "Iris_all", "Blond_hair_girl", "shadow"):
        w = Writer()
        vertices, corners, units, _ = of_part(template, [0])
        w.node(mesh=w.mesh(name, vertices, corners, {unit: units[unit] for unit in UNITS}, sparse=True), name=name)
        head = nr.load_head(w.glb(tmp_path / "whole.glb"))
        assert (head.part == 0).all(), name
        assert len(head.vertices) == len(vertices)


# ---------------------------------------------------------------- points


def test_lips_part_where_they_are_two(template):
    base = template.subdivision @ template.vertices
    shift = template.subdivision @ template.units["jawOpen"].toarray()
    skin = template.surface["part"] == 0
    line = base[parting(base, shift, skin, 0.02)]
    assert len(line) > 20
    assert np.abs(line[:, 0]).max() == pytest.approx(0.25, abs=0.05)  # the corners of the template's mouth
    assert line[:, 1].mean() == pytest.approx(6.6, abs=0.1)
    assert len(parting(base, 0 * shift, skin, 0.02)) == 0


def test_points_move_with_the_head(template):
    base = template.subdivision @ template.vertices
    skin = template.surface["part"] == 0
    of = {"mouth_open": "jawOpen", "blink": ("eyeBlinkLeft", "eyeBlinkRight")}
    motions = {
        what: template.subdivision
        @ template.expression(dict.fromkeys([units] if isinstance(units, str) else units, 1.0))
        for what, units in of.items()
    }
    points = found(base, skin, motions, {})
    for name in ("nose_tip", "chin", "mouth_corner_left", "mouth_corner_right"):
        there = base[list(template.landmarks[name])].mean(axis=0)
        assert np.linalg.norm(points[f"point:{name}"] - there) < 0.1, name  # a sixth of the eyes' distance
    moved = found(3 * base + [1, 2, 3], skin, {what: 3 * shift for what, shift in motions.items()}, {})
    for name, place in points.items():
        np.testing.assert_allclose(moved[name], 3 * place + [1, 2, 3])


@given(st.integers(0, 23), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_quarter_turns_are_found(which, seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(8, 3)) * [1, 2, 0.6]
    axes = [np.eye(3)[list(order)] for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))]
    turns = [np.diag(signs) @ axis for axis in axes for signs in np.array(np.meshgrid(*[(1, -1)] * 3)).reshape(3, -1).T]
    turn = [each for each in turns if np.linalg.det(each) > 0][which]
    target = {str(i): place for i, place in enumerate(points)}
    source = {name: place @ turn + 0.02 * random.normal(size=3) for name, place in target.items()}
    np.testing.assert_allclose(quarter_turn(source, target), turn)


def test_the_users_landmarks_place_a_head_whose_targets_have_no_names(template, tmp_path):
    w = Writer()
    meshes, order = written(w, template)
    for mesh in meshes:
        del w.says["meshes"][mesh]["extras"]
        w.node(mesh=mesh)
    path = w.glb(tmp_path / "unnamed.glb")
    with pytest.raises(ValueError, match=r"names of the morph targets.*got 64 without a name.*landmarks="):
        nr.load_head(path)
    base = template.subdivision @ template.vertices
    points = ("nose_tip", "chin", "mouth_corner_left", "mouth_corner_right", "eye_inner_left", "eye_inner_right")
    marks = {name: tuple(base[template.landmarks[name][0]]) for name in points}
    numbers = {name: int(np.flatnonzero(order == template.landmarks[name][0])[0]) for name in points}
    by_place, by_number = nr.load_head(path, landmarks=marks), nr.load_head(path, landmarks=numbers)
    np.testing.assert_array_equal(by_place.vertices, by_number.vertices)
    for name in points:
        assert order[by_place.landmarks[name][0]] == template.landmarks[name][0]
    faces = nr.render_faces([{"domain": "a", "expression": "skin_0", "intensity": 1.0}], heads={"a": by_place}, size=32)
    assert faces["norm_distance"].item() > 0


# ---------------------------------------------------------------- errors


def mini(targets=("jawOpen",)):
    w = Writer()
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    mesh = w.mesh("m", vertices, [[0, 1, 2], [0, 2, 3]], dict.fromkeys(targets, vertices * 0.1))
    w.node(mesh=mesh)
    return w


def first(w):
    return w.says["meshes"][0]["primitives"][0]


def changed(change, targets=("jawOpen",)):
    w = mini(targets)
    change(w)
    return w


WRONG = {
    "too few": (mini(), r"at least 6 expression units.*'wrong.glb'.*got 1: jawOpen.*landmarks"),
    "no targets": (mini(()), r"morph targets \(blend shapes, shape keys\), 'wrong.glb'.*got a mesh that cannot move"),
    "no mesh": (changed(lambda w: w.says.pop("meshes") and w.says["nodes"][0].pop("mesh")), "surfaces of triangles"),
    "draco": (
        changed(lambda w: w.says.update(extensionsRequired=["KHR_draco_mesh_compression"])),
        "not compressed.*got Draco.*without mesh compression",
    ),
    "draco, only used": (
        changed(lambda w: first(w).update(extensions={"KHR_draco_mesh_compression": {}})),
        "not compressed.*got Draco",
    ),
    "meshopt": (
        changed(lambda w: [view.update(extensions={"EXT_meshopt_compression": {}}) for view in w.says["bufferViews"]]),
        "not compressed.*got meshopt.*gltfpack without -c",
    ),
    "foreign": (changed(lambda w: w.says.update(extensionsRequired=["ACME_x"])), "needs the extension ACME_x"),
    "glTF 1": (changed(lambda w: w.says.update(asset={"version": "1.0"})), "needed glTF 2.0.*got version 1.0"),
    "lost vertex": (
        changed(lambda w: first(w).update(indices=w.array([0, 1, 9], "u4"))),
        "triangle has the vertex 9 of 4",
    ),
    "lost accessor": (
        changed(lambda w: first(w).update(indices=99)),
        "refers to number 99 of . accessors",
    ),
    "short view": (changed(lambda w: w.says["bufferViews"][0].update(byteLength=5)), "needs 48 bytes of 5"),
    "not finite": (
        changed(
            lambda w: w.says["meshes"][0]["primitives"][0]["attributes"].update(
                POSITION=w.array(np.full((4, 3), np.nan))
            )
        ),
        "POSITION has numbers that are not finite",
    ),
    "uneven target": (
        changed(lambda w: first(w).update(targets=[{"POSITION": w.array(np.ones((3, 3)))}])),
        r"morph target has the shape \(3, 3\)",
    ),
    "circle": (changed(lambda w: w.says["nodes"][0].update(children=[0])), "node 0 has two parents"),
    "wrong json": (changed(lambda w: w.says.update(nodes=3)), "damaged one: its JSON"),
    "wrong vrm": (
        changed(lambda w: w.says.update(extensions={"VRM": {"blendShapeMaster": {"blendShapeGroups": [3]}}})),
        "damaged one: its JSON",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_files_are_said(name, tmp_path):
    w, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        nr.load_head(w.glb(tmp_path / "wrong.glb"))


def test_files_that_are_missing_or_something_else(template, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"needed a head.*no file .*lost.glb"):
        nr.load_head(tmp_path / "lost.glb")
    w = mini()
    w.gltf(tmp_path / "torn.gltf", beside="its.bin")
    (tmp_path / "its.bin").unlink()
    with pytest.raises(FileNotFoundError, match=r"needed the buffer 'its.bin' that 'torn.gltf' refers to.*\.glb"):
        nr.load_head(tmp_path / "torn.gltf")
    for content, message in (
        (b"Kaydara FBX Binary", "begins with b'Kaydara '.*FBX and OBJ are not read"),
        (b"", "empty"),
    ):
        (tmp_path / "other.glb").write_bytes(content)
        with pytest.raises(ValueError, match=message):
            nr.load_head(tmp_path / "other.glb")
    data = w.glb(tmp_path / "whole.glb").read_bytes()
    (tmp_path / "half.glb").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=rf"ends after {len(data) // 2} of {len(data)} bytes.*Export it again"):
        nr.load_head(tmp_path / "half.glb")
    (tmp_path / "head.obj").write_text("v 0 0 0")
    with pytest.raises(ValueError, match=r"head as .npz, .glb, .gltf or .vrm; got 'head.obj'"):
        nr.load_head(tmp_path / "head.obj")
    w = Writer()
    pixels = np.zeros((2, 2, 3), np.uint8)
    w.picture(pixels)
    w.says["images"][0] = {"uri": "face.png"}
    meshes, _ = written(w, template, parts=(0,), material={"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}})
    w.node(mesh=meshes[0])
    with pytest.raises(FileNotFoundError, match="needed the image 'face.png'"):
        nr.load_head(w.glb(tmp_path / "bald.glb"))
    (tmp_path / "face.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match="image 0 cannot be read"):
        nr.load_head(tmp_path / "bald.glb")


def test_landmarks_that_are_wrong(plain):
    path = plain[1]
    with pytest.raises(ValueError, match="unknown landmark 'nose'.*nearest: 'nose_tip'"):
        nr.load_head(path, landmarks={"nose": 3})
    with pytest.raises(ValueError, match="landmark chin: a vertex that a triangle uses; got 99999999"):
        nr.load_head(path, landmarks={"chin": 99999999})
    with pytest.raises(ValueError, match=r"landmark chin on the skin of 'plain.glb'; got \(50, 0, 0\)"):
        nr.load_head(path, landmarks={"chin": (50.0, 0, 0)})
    for wrong in ("chin", (1.0, 2.0), True):
        with pytest.raises(TypeError, match="landmark chin: a vertex's number, or x, y, z in the file; got"):
            nr.load_head(path, landmarks={"chin": wrong})


def test_landmarks_by_place_in_an_npz(template, tmp_path):
    vertices, corners, units, _ = of_part(template, [0])
    shifts = np.stack([units[unit] for unit in UNITS])
    np.savez(tmp_path / "head.npz", neutral=vertices, triangles=corners, expr_names=UNITS, expr=shifts)
    place = vertices[1234] + 1e-4
    head = nr.load_head(tmp_path / "head.npz", landmarks={"chin": tuple(place)})
    assert head.landmarks["chin"] == (1234,)
    with pytest.raises(TypeError, match="landmark chin: a vertex's number, or x, y, z"):
        nr.load_head(tmp_path / "head.npz", landmarks={"chin": "there"})


def test_without_the_reader(plain, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygltflib", None)
    with pytest.raises(ModuleNotFoundError, match=r"needed pygltflib to read 'plain.glb'.*pip install 'nrsim\[gltf\]'"):
        nr.load_head(plain[1])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_always_said_in_words(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.glb"
    whole = bytearray(mini(("jawOpen", "b")).glb(path).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    with pytest.raises((ValueError, FileNotFoundError)):  # unharmed, it has too few units
        nr.load_head(path)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_file_that_says_something_else_is_always_said_in_words(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "changed.glb"
    raw = vrm_like().glb(path).read_bytes()
    (length,) = struct.unpack("<I", raw[12:16])
    says, blob = json.loads(raw[20 : 20 + length]), raw[20 + length + 8 :]
    spot = says
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = data.draw(st.sampled_from(keys))
        inner = spot[key]
        if isinstance(inner, (dict, list)) and inner and data.draw(st.booleans()):
            spot = inner
            continue
        break
    other = st.sampled_from([None, -1, 0, 3, 10**7, 1.5, "x", [], {}, [1], {"a": 1}, [[]], True])
    spot[key] = data.draw(other)
    w = Writer()
    w.says, w.blob = says, blob
    w.glb(path)
    with pytest.raises((ValueError, FileNotFoundError)):
        nr.load_head(path)


def vrm_like():
    w = mini(("a", "b"))
    material = {"name": "m", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}, "alphaMode": "MASK"}
    w.picture(np.zeros((2, 2, 4), np.uint8))
    w.says["meshes"][0]["primitives"][0]["material"] = w.put("materials", material)
    attributes = w.says["meshes"][0]["primitives"][0]["attributes"]
    attributes |= {"TEXCOORD_0": w.array(np.zeros((4, 2))), "JOINTS_0": w.array(np.zeros((4, 4)), "u1")}
    attributes["WEIGHTS_0"] = w.array(np.ones((4, 4)))
    bone = w.node(name="head")
    w.says["nodes"][0]["skin"] = w.put("skins", {"joints": [bone]})
    binds = {"binds": [{"mesh": 0, "index": 0, "weight": 100}], "presetName": "a", "name": "A"}
    humanoid = {"humanBones": [{"bone": "head", "node": bone}]}
    w.says["extensions"] = {"VRM": {"blendShapeMaster": {"blendShapeGroups": [binds]}, "humanoid": humanoid}}
    return w


# ---------------------------------------------------------------- docs


def test_the_page_runs_as_written(template, tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "avatar.md").read_text(encoding="utf-8")
    w = Writer()
    meshes, _ = written(w, template, scale=0.1, units=tuple(template.units))
    for mesh in meshes:
        w.node(mesh=mesh)
    w.glb(tmp_path / "avatar.glb")
    vrm(tmp_path / "avatar.vrm", template, 1)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        exec(compile(block, "avatar.md", "exec"), names)
    plt.close("all")
