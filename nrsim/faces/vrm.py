"""What VRM adds to glTF: named bones and expressions; and what the names of other programs' morph targets mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nrsim.faces.gltf import Document

# A preset of VRM → the expression of nrsim that means the same
SAME = {
    "joy": "happy",
    "happy": "happy",
    "sorrow": "sad",
    "sad": "sad",
    "angry": "angry",
    "surprised": "surprised",
}
# What a morph target or preset does, by its name in lower case without punctuation: VRM 0.x and 1.0, VRoid, Oculus and
# VRChat visemes, MikuMikuDance. "mouth_open" opens the mouth; "mouth" moves it
MEANING: Mapping[str, str] = {
    **dict.fromkeys(("blinkl", "blinkleft", "fcleyeclosel", "eyeblinkl", "eyeclosel"), "eyeBlinkLeft"),
    **dict.fromkeys(("blinkr", "blinkright", "fcleyecloser", "eyeblinkr", "eyecloser"), "eyeBlinkRight"),
    **dict.fromkeys(("blink", "eyesclosed", "eyeclosed", "fcleyeclose", "vrcblink", "まばたき"), "blink"),
    **dict.fromkeys(("a", "aa", "fclmtha", "visemeaa", "vrcvaa", "mouthopen", "jawopen", "あ"), "mouth_open"),
    **dict.fromkeys(("i", "ih", "fclmthi", "visemei", "vrcvih", "い"), "mouth"),
    **dict.fromkeys(("u", "ou", "fclmthu", "visemeu", "vrcvou", "う"), "mouth"),
    **dict.fromkeys(("e", "ee", "fclmthe", "visemee", "vrcve", "え"), "mouth"),
    **dict.fromkeys(("o", "oh", "fclmtho", "visemeo", "vrcvoh", "お"), "mouth"),
}
_BONES = {
    "head": re.compile(r"^(.*[:_ ])?head$", re.I),
    "neck": re.compile(r"^(.*[:_ ])?neck(_?0?1)?$", re.I),
    "leftEye": re.compile(r"^(.*[:_ ])?(left_?eye|eye[_.]?l(eft)?)$", re.I),
    "rightEye": re.compile(r"^(.*[:_ ])?(right_?eye|eye[_.]?r(ight)?)$", re.I),
}


@dataclass(frozen=True)
class Preset:
    """An expression that a VRM file defines.

    Attributes
    ----------
    name
        ``"joy"``, ``"blinkLeft"``, or one of the file's own.
    binds
        (mesh, morph target) → weight.
    """

    name: str
    binds: Mapping[tuple[int, int], float]


def meaning(name: str) -> str | None:
    """Return what a morph target or a preset does, judged by its name: one of the values of ``MEANING``."""
    stem = name[name.lower().find("fcl_") :] if "fcl_" in name.lower() else name
    return MEANING.get(re.sub(r"[\W_]+", "", stem.rsplit(".", 1)[-1] if "vrc." not in stem else stem).lower())


def version(document: Document) -> int | None:
    """Return 0 or 1, the version of VRM; None for other glTF files."""
    if "VRMC_vrm" in document.extensions:
        return 1
    return 0 if "VRM" in document.extensions else None


def bones(document: Document) -> dict[str, int]:
    """Return bone → node: those that a VRM file names; elsewhere head, neck and eyes by the names of nodes."""
    kind, found = version(document), {}
    if kind is not None:
        listed = _inside(document.extensions, "VRM" if kind == 0 else "VRMC_vrm", "humanoid").get("humanBones")
        if kind == 0 and isinstance(listed, list):
            pairs = [(entry.get("bone"), entry.get("node")) for entry in listed if isinstance(entry, dict)]
        elif isinstance(listed, dict):
            pairs = [(bone, entry.get("node")) for bone, entry in listed.items() if isinstance(entry, dict)]
        else:
            pairs = []
        found = {str(bone): node for bone, node in pairs if isinstance(node, int) and node >= 0}
        for node in found.values():
            document.entry("nodes", node)
    else:
        for number, node in enumerate(document.gltf.nodes or []):
            for bone, pattern in _BONES.items():
                if bone not in found and node.mesh is None and pattern.match(str(node.name or "")):
                    found[bone] = number
    return found


def presets(document: Document) -> list[Preset]:
    """Return the expressions that a VRM file defines by morph targets, ``neutral`` left out."""
    kind = version(document)
    made: list[Preset] = []
    if kind == 0:
        groups = _inside(document.extensions, "VRM", "blendShapeMaster").get("blendShapeGroups") or []
        for group in groups:
            name = group.get("presetName") or "unknown"
            name = str(group.get("name") or "") if name == "unknown" else str(name)
            binds = {
                (bind.get("mesh"), bind.get("index")): float(bind.get("weight", 100)) / 100
                for bind in group.get("binds") or []
            }
            made.append(Preset(name, binds))
    elif kind == 1:
        says = _inside(document.extensions, "VRMC_vrm", "expressions")
        for name, expression in [*(says.get("preset") or {}).items(), *(says.get("custom") or {}).items()]:
            binds = {}
            for bind in expression.get("morphTargetBinds") or []:
                mesh = document.entry("nodes", bind.get("node")).mesh
                binds[mesh, bind.get("index")] = float(bind.get("weight", 1.0))
            made.append(Preset(str(name), binds))
    return [each for each in made if each.binds and each.name and each.name.lower() != "neutral"]


def _inside(says: Mapping[str, Any], *path: str) -> dict[str, Any]:
    for key in path:
        inner = says.get(key)
        says = inner if isinstance(inner, dict) else {}
    return dict(says)
