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
        if sparse and 0 < len(rows):
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
