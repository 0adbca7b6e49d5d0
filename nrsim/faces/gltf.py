"""glTF 2.0 files: what they say, their arrays and their pictures. pygltflib reads the container; NumPy the numbers."""

from __future__ import annotations

import base64
import binascii
import io
import struct
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np

from nrsim.errors import need

_MAGIC = b"glTF"
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_KINDS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
# Extensions that a file may require because they are read here, or change nothing that is drawn
_READ = ("KHR_mesh_quantization", "KHR_texture_transform", "EXT_texture_webp", "VRM", "VRMC_vrm")
_HARMLESS = ("KHR_materials_", "KHR_lights_", "VRMC_", "KHR_xmp", "KHR_animation_", "MSFT_lod", "KHR_node_visibility")
_PACKED = {
    "KHR_draco_mesh_compression": "Draco",
    "EXT_meshopt_compression": "meshopt",
    "KHR_meshopt_compression": "meshopt",
    "KHR_texture_basisu": "KTX2 textures",
}
_UNPACK = {
    "Draco": "Export it without mesh compression, or import it into Blender and export it again",
    "meshopt": "Export it without compression (gltfpack without -c), or import it into Blender and export it again",
    "KTX2 textures": "Export it with PNG or JPEG textures",
}


def packed(name: str, kind: str) -> Exception:
    """Return the error for what is compressed in a way that is not read here."""
    return need(f"a glTF file whose meshes and textures are not compressed, in {name!r}", kind, _UNPACK[kind])


class Document:
    """A glTF file, ``.gltf``, ``.glb`` or ``.vrm``.

    Parameters
    ----------
    place
        The file; what it refers to is looked for beside it.

    Raises
    ------
    ModuleNotFoundError
        Without pygltflib.
    FileNotFoundError, ValueError
        If there is no such file, it is no glTF 2.0, is damaged, or needs an extension that is not read.
    """

    def __init__(self, place: Path) -> None:
        try:
            from pygltflib import GLTF2
        except ImportError:
            raise ModuleNotFoundError(
                f"needed pygltflib to read {place.name!r}; it is not installed. Do: pip install 'nrsim[gltf]'"
            ) from None
        self.name, self._folder = place.name, place.parent
        self._buffers: dict[int, bytes] = {}
        self._arrays: dict[int, np.ndarray] = {}
        try:
            data = place.read_bytes()
        except OSError as error:
            raise need("a glTF file that can be read", f"{place.name!r}: {error}") from None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of chunks that other programs add
            try:
                if data[:4] == _MAGIC:
                    self._check_container(data)
                    self.gltf: Any = GLTF2.load_from_bytes(data)
                elif data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
                    self.gltf = GLTF2.gltf_from_json(data.decode("utf-8-sig"))
                else:
                    raise need(
                        f"a glTF 2.0 file (.glb, .gltf or .vrm), {self.name!r}",
                        "an empty file" if not data else f"a file that begins with {data[:8]!r}",
                        "Export the avatar as glTF 2.0; FBX and OBJ are not read",
                    )
            except (AttributeError, KeyError, TypeError, IndexError, UnicodeDecodeError, struct.error) as error:
                raise self.damaged(f"its JSON ({error})") from None
            except ValueError as error:
                if str(error).startswith("needed"):
                    raise
                raise self.damaged(f"its JSON ({error})") from None
        if self.gltf is None:
            raise self.damaged("a .glb without a JSON chunk")
        version = str(getattr(self.gltf.asset, "version", "") or "")
        if not version.startswith("2"):
            raise need(f"glTF 2.0, {self.name!r}", f"version {version or 'unknown'}", "Export it as glTF 2.0")
        for extension in self.gltf.extensionsRequired or ():
            if extension in _PACKED:
                raise packed(self.name, _PACKED[extension])
            if extension not in _READ and not str(extension).startswith(_HARMLESS):
                raise need(
                    f"a glTF file that needs none but {', '.join(_READ)}, {self.name!r}",
                    f"one that needs the extension {extension}",
                    "Export it without",
                )

    def _check_container(self, data: bytes) -> None:
        if len(data) < 12:
            raise self.damaged("its header")
        version, length = struct.unpack("<II", data[4:12])
        if version != 2:
            raise need(f"glTF 2.0, {self.name!r}", f"a .glb of version {version}", "Export it as glTF 2.0")
        if length > len(data):
            raise self.damaged(f"it ends after {len(data)} of {length} bytes")

    def damaged(self, what: str) -> Exception:
        """Return the error for a file that is damaged."""
        return need(f"a whole glTF file, {self.name!r}", f"a damaged one: {what}", "Export it again")

    @property
    def extensions(self) -> dict[str, Any]:
        """The extensions of the whole file, name → what they say."""
        return self.gltf.extensions or {}

    def entry(self, kind: str, number: Any) -> Any:
        """Return an entry of one of the file's lists: ``"nodes"``, ``"accessors"`` …"""
        entries = getattr(self.gltf, kind) or []
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(entries):
            raise self.damaged(f"it refers to number {number} of {len(entries)} {kind}")
        return entries[number]

    def array(self, number: Any) -> np.ndarray:
        """Return an accessor's numbers, ``(element, component)``: float64, or int64 where they are plain integers.

        Sparse values are filled in, and normalised integers become what they stand for, 0..1 or −1..1.
        """
        accessor = self.entry("accessors", number)
        if number in self._arrays:
            return self._arrays[number]
        kind, width = _KINDS.get(accessor.componentType), _WIDTHS.get(accessor.type)
        count = accessor.count
        if kind is None or width is None or not isinstance(count, int) or count < 1:
            raise self.damaged(
                f"accessor {number} of {count} elements {accessor.type} of the type {accessor.componentType}"
            )
        dtype = np.dtype(kind)
        if accessor.bufferView is None:
            values = np.zeros((count, width), dtype)
        else:
            values = self._elements(accessor.bufferView, accessor.byteOffset, dtype, width, count, f"accessor {number}")
        sparse = accessor.sparse
        if sparse is not None:
            what = f"the sparse values of accessor {number}"
            index_kind = _KINDS.get(sparse.indices.componentType)
            if index_kind not in ("u1", "<u2", "<u4") or not isinstance(sparse.count, int) or sparse.count < 1:
                raise self.damaged(what)
            where = self._elements(
                sparse.indices.bufferView, sparse.indices.byteOffset, np.dtype(index_kind), 1, sparse.count, what
            )[:, 0]
            if where.max() >= count:
                raise self.damaged(what)
            values = values.copy()
            values[where] = self._elements(
                sparse.values.bufferView, sparse.values.byteOffset, dtype, width, sparse.count, what
            )
        if accessor.normalized and dtype.kind in "iu":
            result = np.maximum(values.astype(np.float64) / np.iinfo(dtype).max, -1.0)
        else:
            result = values.astype(np.float64 if dtype.kind == "f" else np.int64)
        self._arrays[number] = result
        return result

    def _elements(
        self, view_number: Any, offset: int | None, dtype: np.dtype, width: int, count: int, what: str
    ) -> np.ndarray:
        view = self.entry("bufferViews", view_number)
        for extension in view.extensions or {}:
            if extension in _PACKED:
                raise packed(self.name, _PACKED[extension])
        data, start, length = self.bytes_of(view_number)
        size = dtype.itemsize * width
        stride, offset = view.byteStride or size, offset or 0
        if offset < 0 or stride < size or offset + stride * (count - 1) + size > length:
            raise self.damaged(f"{what} needs {offset + stride * (count - 1) + size} bytes of {length}")
        return np.ndarray((count, width), dtype, data, start + offset, (stride, dtype.itemsize))

    def bytes_of(self, view_number: Any) -> tuple[bytes, int, int]:
        """Return a buffer, and where in it a view begins and how many bytes it has."""
        view = self.entry("bufferViews", view_number)
        data = self._buffer(view.buffer)
        start, length = view.byteOffset or 0, view.byteLength
        if not isinstance(length, int) or start < 0 or length < 0 or start + length > len(data):
            raise self.damaged(f"buffer view {view_number} ends beyond the {len(data)} bytes of buffer {view.buffer}")
        return data, start, length

    def _buffer(self, number: Any) -> bytes:
        buffer = self.entry("buffers", number)
        if number not in self._buffers:
            if buffer.uri is None:
                blob = self.gltf.binary_blob()
                if number != 0 or blob is None:
                    raise self.damaged(f"buffer {number} is nowhere")
                data = bytes(blob)
            else:
                data = self.fetched(buffer.uri, "the buffer")
            if isinstance(buffer.byteLength, int) and len(data) < buffer.byteLength:
                raise self.damaged(f"buffer {number} has {len(data)} of {buffer.byteLength} bytes")
            self._buffers[number] = data
        return self._buffers[number]

    def fetched(self, uri: str, what: str) -> bytes:
        """Return what a URI holds: data that it spells out, or a file beside this one."""
        if uri.startswith("data:"):
            head, comma, body = uri.partition(",")
            if not comma:
                raise self.damaged(f"{what} {uri[:40]!r}")
            if not head.endswith(";base64"):
                return unquote_to_bytes(body)
            try:
                return base64.b64decode(body)
            except binascii.Error as error:
                raise self.damaged(f"{what} {uri[:40]!r} ({error})") from None
        place = self._folder / unquote(uri)
        if "://" in uri or not place.is_file():
            raise FileNotFoundError(
                f"needed {what} {unquote(uri)!r} that {self.name!r} refers to; there is no such file in "
                f"{str(self._folder)!r}. Keep the files together, or export as .glb, which is one file"
            )
        return place.read_bytes()

    def picture(self, number: Any) -> np.ndarray:
        """Return an image as 8-bit red, green, blue and alpha, ``(y, x, 4)``."""
        from PIL import Image

        image = self.entry("images", number)
        if image.bufferView is not None:
            data, start, length = self.bytes_of(image.bufferView)
            raw = data[start : start + length]
        elif image.uri:
            raw = self.fetched(image.uri, "the image")
        else:
            raise self.damaged(f"image {number} is nowhere")
        if raw[1:7] == b"KTX 20":
            raise packed(self.name, "KTX2 textures")
        try:
            with Image.open(io.BytesIO(raw)) as picture:
                return np.asarray(picture.convert("RGBA"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self.damaged(f"image {number} cannot be read ({error})") from None
