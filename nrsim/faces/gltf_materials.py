"""Materials of a glTF file: colours, and the pictures that lie on surfaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nrsim.faces.gltf import Document, packed
from nrsim.meshes.texture import CLAMP, MIRROR, REPEAT, Texture

GREY = 0.02  # between red, green and blue: what differs by less is no colour (chosen)
_CUTOFF = 0.5  # of alpha: glTF's default for cut-out materials; chosen for blended ones
_WRAPS = {33071: CLAMP, 33648: MIRROR}


@dataclass
class Material:
    """What a surface looks like.

    Attributes
    ----------
    name
        As in the file.
    factor
        Linear red, green, blue and alpha.
    texture
        The picture on it.
    texcoord, transform
        Which of the surface's coordinates the picture lies on, and the matrix they are changed by, ``(3, 3)``.
    cut
        Alpha below which nothing is seen; None where it is opaque.
    double_sided
        Whether it is seen from behind.
    """

    name: str = ""
    factor: np.ndarray = field(default_factory=lambda: np.ones(4))
    texture: Texture | None = None
    texcoord: int = 0
    transform: np.ndarray = field(default_factory=lambda: np.eye(3))
    cut: float | None = None
    double_sided: bool = False


class Materials:
    """The materials of a file, read when they are first asked for.

    Attributes
    ----------
    coloured
        Whether one of those read so far has a picture, or a colour that is not grey.

    Raises
    ------
    FileNotFoundError, ValueError
        For a picture that is missing, damaged or compressed in a way that is not read.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[int | None, Material] = {None: Material()}
        self._textures: dict[tuple[int, bool], Texture] = {}
        self.coloured = False

    def __getitem__(self, number: int | None) -> Material:
        """Return a material by its number; None is the plain white one."""
        if number not in self._known:
            entry = self._document.entry("materials", number)
            extensions = entry.extensions or {}
            base: Any = entry.pbrMetallicRoughness
            factor, info = (base.baseColorFactor, base.baseColorTexture) if base is not None else (None, None)
            glossy = extensions.get("KHR_materials_pbrSpecularGlossiness")
            if isinstance(glossy, dict):  # the older way to say the same
                factor, info = glossy.get("diffuseFactor", factor), glossy.get("diffuseTexture", info)
            made = Material(str(entry.name or ""), double_sided=bool(entry.doubleSided))
            if factor:
                made.factor = np.asarray(factor, dtype=np.float64)
                if made.factor.shape != (4,) or not np.isfinite(made.factor).all():
                    raise self._document.damaged(f"the colour {factor} of the material {made.name!r}")
            if entry.alphaMode == "MASK":
                made.cut = _CUTOFF if entry.alphaCutoff is None else float(entry.alphaCutoff)
            elif entry.alphaMode == "BLEND":
                made.cut = _CUTOFF
            if info is not None:
                says = info if isinstance(info, dict) else vars(info)
                made.texcoord, made.transform = _laid(says)
                made.texture = self._texture(says.get("index"), opaque=made.cut is None)
            if made.texture is not None or np.ptp(made.factor[:3]) > GREY:
                self.coloured = True
            self._known[number] = made
        return self._known[number]

    def _texture(self, number: Any, *, opaque: bool) -> Texture | None:
        entry = self._document.entry("textures", number)
        source = entry.source
        for extension, says in (entry.extensions or {}).items():
            if extension == "EXT_texture_webp" and isinstance(says, dict):
                source = says.get("source", source)
            elif extension == "KHR_texture_basisu" and source is None:
                raise packed(self._document.name, "KTX2 textures")
        if source is None:
            return None
        key = (int(number), opaque)
        if key not in self._textures:
            picture = self._document.picture(source)
            if opaque:  # what its alpha says means nothing
                picture = picture.copy()
                picture[..., 3] = 255
            wrap = (REPEAT, REPEAT)
            if entry.sampler is not None:
                sampler = self._document.entry("samplers", entry.sampler)
                wrap = (_WRAPS.get(sampler.wrapS, REPEAT), _WRAPS.get(sampler.wrapT, REPEAT))
            self._textures[key] = Texture(picture, wrap)
        return self._textures[key]


def _laid(info: dict[str, Any]) -> tuple[int, np.ndarray]:
    """Return which coordinates a texture lies on, and the matrix of KHR_texture_transform, ``(3, 3)``."""
    texcoord, matrix = int(info.get("texCoord") or 0), np.eye(3)
    says = (info.get("extensions") or {}).get("KHR_texture_transform")
    if isinstance(says, dict):
        texcoord = int(says.get("texCoord", texcoord))
        (x, y), (a, b), turned = says.get("offset", (0, 0)), says.get("scale", (1, 1)), says.get("rotation", 0.0)
        rotation = np.array([[np.cos(turned), np.sin(turned)], [-np.sin(turned), np.cos(turned)]])
        matrix[:2, :2], matrix[:2, 2] = rotation * [a, b], (x, y)
    return texcoord, matrix
