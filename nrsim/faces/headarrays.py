"""The arrays of a head's file, looked at one by one: what is wrong with one is said by its name."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.faces.head import EYE, SKIN, TEETH, TONGUE
from nrsim.meshes.surface import triangles

_NEEDED = ("neutral", "expr_names", "expr")
_ALLOWED = (
    *("neutral", "quads", "triangles", "expr_names", "expr", "expr_scale", "ident", "ident_names", "ident_scale"),
    *("mat", "mat_names", "part", "colour", "landmark_names", "landmark_vertices", "orig_index"),
)
# What a material's name says of the part it paints; the first that fits counts
_MATERIALS = (
    (re.compile(r"lash|lacrimal|occlusion|eyeblend|tearline|shadow", re.I), None),
    (re.compile(r"brow", re.I), SKIN),
    (re.compile(r"sclera|iris|cornea|pupil|eyeball|eyewhite|^(m_)?eye(left|right|_l|_r|s)?$", re.I), EYE),
    (re.compile(r"teeth|tooth", re.I), TEETH),
    (re.compile(r"tongue|gum", re.I), TONGUE),
)


def part_of_material(name: str) -> int | None:
    """Return the part a material paints (skin unless its name says otherwise), None where it is left out."""
    for pattern, part in _MATERIALS:
        if pattern.search(name):
            return part
    return SKIN


def read(place: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz``.

    Raises
    ------
    ValueError
        If it is none.
    """
    if not zipfile.is_zipfile(place):
        raise need("a head as NumPy arrays (.npz)", f"{place.name!r}, which is no .npz")
    try:
        with place.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return dict(archive)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"needed a head as NumPy arrays (.npz); {place.name!r} cannot be read: {error}") from None


def _numbers(arrays: Mapping[str, np.ndarray], key: str, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """Return an array of finite numbers of a shape, where None stands for any length above 0."""
    values = np.asarray(arrays[key])
    fits = values.ndim == len(shape) and all(
        have > 0 if want is None else have == want for have, want in zip(values.shape, shape, strict=True)
    )
    if not fits or values.dtype.kind not in "iuf":
        raise need(f"{key}: {what}", f"{values.dtype} {values.shape}")
    if not np.isfinite(values).all():
        raise need(f"{key}: finite numbers", f"{int((~np.isfinite(values)).sum())} that are NaN or infinite")
    return values


def _integers(
    arrays: Mapping[str, np.ndarray], key: str, shape: tuple[int | None, ...], below: int, what: str
) -> np.ndarray:
    """Return an array of whole numbers from 0 to below ``below``."""
    values = _numbers(arrays, key, shape, what)
    if (values != np.rint(values)).any() or values.min() < 0 or values.max() >= below:
        raise need(f"{key}: {what}", f"{values.dtype} from {values.min():g} to {values.max():g}")
    return values.astype(np.int64)


def parts(name: str, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what a head is built of, checked: the arguments of :func:`nrsim.faces.headfile.build`.

    Raises
    ------
    ValueError, TypeError
        For arrays that are missing, unknown, not finite or do not fit together.
    """
    for key in arrays:
        if key not in _ALLOWED:
            raise unknown(f"array in the head {name!r}", key, _ALLOWED)
    missing = [key for key in _NEEDED if key not in arrays]
    if "quads" not in arrays and "triangles" not in arrays:
        missing.append("quads or triangles")
    if missing:
        raise need(f"the arrays {', '.join(missing)} in the head {name!r}", f"only {', '.join(arrays) or 'none'}")
    if "quads" in arrays and "triangles" in arrays:
        raise need(f"either quads or triangles in the head {name!r}", "both")
    vertices = _numbers(arrays, "neutral", (None, 3), "finite numbers (vertex, 3)").astype(np.float64)
    if not (np.ptp(vertices, axis=0) > 0).all():
        raise need("neutral: vertices that span a head", f"an extent of {np.ptp(vertices, axis=0).tolist()}")
    n = len(vertices)
    quads = "quads" in arrays
    key, sides = ("quads", 4) if quads else ("triangles", 3)
    faces = _integers(arrays, key, (None, sides), n, f"faces of {sides} vertices from 0 to {n - 1}")
    units = _shifts(arrays, "expr", vertices)
    identities = _shifts(arrays, "ident", vertices) if "ident" in arrays else {}
    if "mat" in arrays:
        if "mat_names" not in arrays:
            raise need("mat_names beside mat", "none")
        material = [part_of_material(str(word)) for word in np.ravel(arrays["mat_names"])]
        painted = _integers(
            arrays, "mat", (len(faces),), len(material), f"the number of one of {len(material)} materials for each face"
        )
        kept = np.array([material[i] is not None for i in painted])
        if not kept.any():
            raise need("materials of skin, eyes or teeth", ", ".join(map(str, np.ravel(arrays["mat_names"]))))
        part = np.zeros(n, dtype=np.int64)
        for number, what in enumerate(material):
            if what is not None:
                part[faces[painted == number]] = what
        faces = faces[kept]
    elif "part" in arrays:
        part = _integers(arrays, "part", (n,), 4, "0 (skin), 1 (eye), 2 (teeth) or 3 (tongue) for each vertex")
    else:
        part = np.zeros(n, dtype=np.int64)
    colour = None
    if "colour" in arrays:
        channels = 4 if np.shape(arrays["colour"])[1:] == (4,) else 3
        colour = _numbers(arrays, "colour", (n, channels), "red, green and blue, 0..1, for each vertex")[:, :3]
        if colour.min() < -1e-6 or colour.max() > 1 + 1e-6:
            raise need(
                "colour: linear, 0..1", f"values from {colour.min():g} to {colour.max():g}", "Divide them by 255"
            )
    points: dict[str, int] = {}
    if "landmark_names" in arrays or "landmark_vertices" in arrays:
        words, own = (np.ravel(arrays.get(key, [])) for key in ("landmark_names", "landmark_vertices"))
        if len(words) != len(own):
            raise need("a vertex in landmark_vertices for each of landmark_names", f"{len(own)} for {len(words)}")
        own = _integers(arrays, "landmark_vertices", (None,), n, f"vertices from 0 to {n - 1}")
        points = {str(point): int(vertex) for point, vertex in zip(words, own, strict=True)}
    corners = triangles(faces) if quads else faces
    made = {"vertices": vertices, "corners": corners, "units": units, "identities": identities}
    return made | {"part": part, "colour": colour, "landmarks": points}


def _shifts(arrays: Mapping[str, np.ndarray], key: str, vertices: np.ndarray) -> dict[str, np.ndarray]:
    values = _numbers(
        arrays, key, (None, *vertices.shape), f"finite numbers (name, vertex, 3) for {len(vertices)} vertices"
    )
    scale = float(_numbers(arrays, f"{key}_scale", (), "one number")) if f"{key}_scale" in arrays else 1.0
    names = [str(word) for word in arrays.get(f"{key}_names", [f"{key}_{i:02d}" for i in range(len(values))])]
    if len(names) != len(values):
        raise need(f"{key} (name, vertex, 3) with a name each", f"{values.shape} and {len(names)} names")
    doubled = sorted({word for word in names if names.count(word) > 1})
    if doubled:
        raise need(f"{key}_names that differ", f"{', '.join(doubled[:3])} more than once")
    return {word: values[i] * scale for i, word in enumerate(names)}
