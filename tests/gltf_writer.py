"""Writes glTF files by hand, so that nrsim's reader is tested against something else than itself."""

import base64
import io
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image

_KINDS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Writer:
    """A glTF file in the making: ``says`` is its JSON, ``blob`` its one buffer."""

    def __init__(self):
        self.blob = b""
        self.says = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}]}

    def put(self, kind, entry):
        """Add an entry to one of the lists and return its number."""
        self.says.setdefault(kind, []).append(entry)
        return len(self.says[kind]) - 1

    def view(self, data, **more):
        self.blob += b"\0" * (-len(self.blob) % 4)
        start = len(self.blob)
        self.blob += data
        return self.put("bufferViews", {"buffer": 0, "byteOffset": start, "byteLength": len(data), **more})

    def array(self, values, kind="f4", *, normalized=False, stride=None, sparse=False):
        """Add an accessor; ``stride`` leaves bytes between the elements, ``sparse`` writes the rows that are not 0."""
        values = np.atleast_2d(np.asarray(values).T).T.astype("<" + kind)
        entry = {"componentType": _KINDS[kind], "count": len(values), "type": _TYPES[values.shape[1]]}
        if normalized:
            entry["normalized"] = True
        rows = np.flatnonzero(values.any(axis=1))
        if sparse and len(rows) > 0:
            indices = {"bufferView": self.view(rows.astype("<u2").tobytes()), "componentType": 5123}
            entry["sparse"] = {
                "count": len(rows),
                "indices": indices,
                "values": {"bufferView": self.view(values[rows].tobytes())},
            }
        elif sparse:
            pass  # no view: all zeros
        elif stride:
            item = values.dtype.itemsize * values.shape[1]
            raw = np.zeros((len(values), stride), np.uint8)
            raw[:, :item] = np.frombuffer(values.tobytes(), np.uint8).reshape(len(values), item)
            entry |= {"bufferView": self.view(raw.tobytes(), byteStride=stride)}
        else:
            entry["bufferView"] = self.view(values.tobytes())
        return self.put("accessors", entry)

    def picture(self, pixels, kind="PNG"):
        """Add an image ``(y, x, channel)``, 8 bits, and return the number of its texture."""
        file = io.BytesIO()
        Image.fromarray(np.asarray(pixels, np.uint8)).save(file, kind, **({"quality": 95} if kind == "JPEG" else {}))
        image = {"bufferView": self.view(file.getvalue()), "mimeType": f"image/{kind.lower()}"}
        return self.put("textures", {"source": self.put("images", image)})

    def mesh(self, name, vertices, corners, targets=None, *, material=None, sparse=False, **attributes):
        """Add a mesh of one primitive; ``attributes`` are numbers of accessors."""
        primitive = {
            "attributes": {"POSITION": self.array(vertices), **attributes},
            "indices": self.array(np.asarray(corners).ravel(), "u4"),
        }
        if material is not None:
            primitive["material"] = material
        entry = {"name": name, "primitives": [primitive]}
        if targets:
            primitive["targets"] = [{"POSITION": self.array(shift, sparse=sparse)} for shift in targets.values()]
            entry["extras"] = {"targetNames": list(targets)}
        return self.put("meshes", entry)

    def node(self, *, root=True, **entry):
        number = self.put("nodes", entry)
        if root:
            self.says["scenes"][0]["nodes"].append(number)
        return number

    def glb(self, path):
        says = dict(self.says, buffers=[{"byteLength": len(self.blob)}])
        text = json.dumps(says).encode()
        text += b" " * (-len(text) % 4)
        blob = self.blob + b"\0" * (-len(self.blob) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(blob), 0x004E4942) + blob
        Path(path).write_bytes(b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks)
        return path

    def gltf(self, path, *, beside=None):
        """Write as text, with the buffer inside it or in the file ``beside`` it."""
        if beside:
            (Path(path).parent / beside).write_bytes(self.blob)
            uri = beside.replace(" ", "%20")
        else:
            uri = "data:application/gltf-buffer;base64," + base64.b64encode(self.blob).decode()
        says = dict(self.says, buffers=[{"byteLength": len(self.blob), "uri": uri}])
        Path(path).write_text(json.dumps(says), encoding="utf-8")
        return path


def of_part(head, parts, vertices=None):
    """Return vertices, triangles and units (name → shift) of parts of a head, and which vertices they are."""
    drawn = head.subdivision @ (head.vertices if vertices is None else vertices)
    corners = head.corners[np.isin(head.surface["part"][head.corners], parts).all(axis=1)]
    used, corners = np.unique(corners, return_inverse=True)
    units = {name: (head.subdivision @ shift.toarray())[used] for name, shift in head.units.items()}
    return drawn[used], corners.reshape(-1, 3), units, used


VRM_WEIGHTS = {
    "blink_l": {"eyeBlinkLeft": 1.0},
    "blink_r": {"eyeBlinkRight": 1.0},
    "blink": {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0},
    "a": {"jawOpen": 0.7},
    "i": {"mouthStretch": 0.8},
    "u": {"mouthPucker": 1.0},
    "o": {"mouthFunnel": 1.0, "jawOpen": 0.3},
    "joy": {"mouthSmile": 1.0, "cheekSquint": 0.8},
    "sorrow": {"browInnerUp": 1.0, "mouthFrown": 1.0},
    "angry": {"browDown": 1.5, "mouthFrown": 0.5},
    "fun": {"mouthSmile": 0.6, "eyeSquint": 0.5},
    "neutral": {},
}
_VRM1 = {"blink_l": "blinkLeft", "blink_r": "blinkRight", "a": "aa", "i": "ih", "u": "ou", "o": "oh", "joy": "happy"}
_VRM1 |= {"sorrow": "sad", "fun": "relaxed"}


def vrm(path, head, version, *, body=True):
    """Write a head as a VRM file with presets only, on a body that hangs on bones.

    VRM 0.x faces −z, and binds weights of 0 to 100 to meshes; VRM 1.0 faces +z, and binds 0 to 1 to nodes.
    """
    w = Writer()
    turn = np.array([-1.0, 1.0, -1.0]) if version == 0 else np.ones(3)
    names = list(VRM_WEIGHTS)
    bone_heights = (0.9, 1.2, 1.4, 1.5)  # hips, chest, neck, head
    shifts = {name: head.subdivision @ head.expression(weights) for name, weights in VRM_WEIGHTS.items()}

    def place(points):
        return ((points - [0, 6.2, 0]) * 0.1 + [0, 1.45, 0]) * turn

    def hung(n, joint):
        joints = np.zeros((n, 4), int)
        joints[:, 0] = joint
        return {
            "JOINTS_0": w.array(joints, "u1"),
            "WEIGHTS_0": w.array(np.eye(4)[[0] * n] * 255, "u1", normalized=True),
        }

    meshes = []
    for name, parts, material in (("Face", [0], "Face_SKIN"), ("Eyes", [1], "EyeIris_EYE"), ("Mouth", [2, 3], "Teeth")):
        vertices, corners, _, used = of_part(head, parts)
        targets = {f"Fcl_{target}_L": 0.1 * shift[used] * turn for target, shift in shifts.items()}
        number = w.put("materials", {"name": material, "pbrMetallicRoughness": {"baseColorFactor": [0.8, 0.6, 0.5, 1]}})
        attributes = hung(len(used), 3)
        meshes.append(w.mesh(name, place(vertices), corners, targets, material=number, sparse=True, **attributes))
    if body:  # a tube from the floor to the neck
        angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 24, endpoint=False), np.linspace(0, 1.42, 20))
        tube = np.stack([0.16 * np.sin(angle), height, 0.16 * np.cos(angle)], axis=-1).reshape(-1, 3) * turn
        at = np.arange(19 * 24)
        beside = at // 24 * 24 + (at + 1) % 24
        corners = np.concatenate([np.stack([at, beside, at + 24], 1), np.stack([beside, beside + 24, at + 24], 1)])
        number = w.put("materials", {"name": "Body_SKIN"})
        meshes.append(w.mesh("Body", tube, corners, material=number, **hung(len(tube), 1)))
    bones = {"hips": 0, "chest": 1, "neck": 2, "head": 3, "leftEye": 4, "rightEye": 5}
    steps = np.diff([0.0, *bone_heights])
    for i, name in enumerate(("hips", "chest", "neck", "head")):
        children = [i + 1] if i < 3 else [4, 5]
        w.node(root=i == 0, name=f"J_{name}", translation=[0, float(steps[i]), 0], children=children)
    for name, eye in zip(("leftEye", "rightEye"), place(head.eye_centres(head.vertices)), strict=True):
        w.node(root=False, name=f"J_{name}", translation=(eye - [0, bone_heights[3], 0]).tolist())
    inverse = np.tile(np.eye(4), (4, 1, 1))
    inverse[:, 1, 3] = -np.array(bone_heights)
    matrices = w.array(inverse.swapaxes(1, 2).reshape(4, 16))
    skin = w.put("skins", {"joints": [0, 1, 2, 3], "inverseBindMatrices": matrices})
    nodes = [w.node(mesh=mesh, skin=skin, name=f"mesh{mesh}") for mesh in meshes]
    if version == 0:
        groups = [
            {"name": name.upper(), "presetName": name}
            | {"binds": [{"mesh": mesh, "index": i, "weight": 100} for mesh in meshes[:3]]}
            for i, name in enumerate(names)
        ]
        listed = [{"bone": bone, "node": node} for bone, node in bones.items()]
        says = {"VRM": {"humanoid": {"humanBones": listed}, "blendShapeMaster": {"blendShapeGroups": groups}}}
    else:
        preset = {
            _VRM1.get(name, name): {
                "morphTargetBinds": [{"node": node, "index": i, "weight": 1.0} for node in nodes[:3]]
            }
            for i, name in enumerate(names)
        }
        listed = {bone: {"node": node} for bone, node in bones.items()}
        says = {"VRMC_vrm": {"humanoid": {"humanBones": listed}, "expressions": {"preset": preset}}}
    w.says |= {"extensions": says, "extensionsUsed": list(says)}
    return w.glb(path)
