"""Morphs between two pictures by their landmarks: shape and texture, each at any level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import pixels, provenance
from nrsim.errors import need, unknown
from nrsim.images.blend import drawer
from nrsim.images.shapes import check_points, points_of
from nrsim.labels import names as label_names
from nrsim.quantities import bare
from nrsim.schema import STIMULUS_LABELS, check

_NORM_KINDS = ("neutral", "average_identity")
# Labels that say something of one picture only, which a morph does not inherit
_OWN = {"stimulus_id", "file", "image_sha256", "norm_id", "norm_kind", "norm_distance", "intensity", "identity_level"}
_OWN |= {"morph_from", "morph_to", "morph_fraction", "clipped"}


class _Picture(NamedTuple):
    image: np.ndarray  # (y, x)
    points: np.ndarray  # (point, 2) px
    names: list[str] | None
    data: xr.Dataset | None  # what it was taken from

    @property
    def labels(self) -> dict[str, xr.Variable]:
        if self.data is None:
            return {}
        return {name: self.data[name].variable for name in label_names(self.data, "stimulus")}


def morph(
    a: xr.Dataset | np.ndarray,
    b: xr.Dataset | np.ndarray,
    levels: Sequence[float] | float,
    landmarks_a: Any = None,
    landmarks_b: Any = None,
    *,
    shape: float | None = None,
    texture: float | None = None,
    norm: str | None = None,
    norm_kind: str = "neutral",
    names: tuple[str, str] | None = None,
    labels: Mapping[str, str | float] | None = None,
    degrees: float = 4.0,
    progress: bool = False,
) -> xr.Dataset:
    """Return morphs between two pictures, and beyond them, as a StimulusSet.

    Landmarks go from one picture's places to the other's, p(t) = (1 − t)·p_a + t·p_b; with the corners of the picture
    and the middles of its sides, which stay, they are the corners of triangles (Delaunay, on the mean shape p(½)). Each
    picture is warped to p(t), affinely in each triangle, by cubic splines, and the two are mixed,
    I(t) = (1 − t)·I_a + t·I_b. Shape and texture may have different levels. Level 0 is picture ``a``, 1 is ``b``; below
    0 and above 1 both are extrapolated. Luminance that leaves 0..1 is clipped, and the label ``clipped`` says in which
    share of the pixels by more than 1/255.

    Parameters
    ----------
    a, b
        Two pictures of one size: luminance ``(y, x)`` from 0 to 1, or StimulusSets of one stimulus each.
    levels
        The levels t, each once.
    landmarks_a, landmarks_b
        (x, y) of each point in px with 0 = left, top edge: numbers ``(point, 2)``, or a DataArray ``(point, axis)``, as
        one row of :func:`nrsim.read_landmarks` is. Where they are not given they are taken from the StimulusSets.
    shape
        Hold the shape at this level, so that only the texture follows ``levels``. Default: it follows too.
    texture
        Hold the texture at this level, so that only the shape follows ``levels``. Default: it follows too.
    norm
        ``"a"``: picture ``a`` is the norm of the trajectory, and ``intensity`` = t. Default: a morph between two faces
        has no norm of its own; ``norm_kind`` is "midpoint" and ``intensity`` = 2t − 1, so that 0 is the middle and
        ±1 are the two pictures.
    norm_kind
        What norm ``a`` is, where ``norm="a"``: ``"neutral"`` or ``"average_identity"``.
    names
        What the two pictures are called in ``morph_from`` and ``morph_to``. Default: their ``stimulus_id``, or
        ``("a", "b")``.
    labels
        Labels that all morphs get: ``{"domain": "anna", "expression": "happy"}``. From StimulusSets, the labels on
        which both pictures agree are kept. Where they do not, ``expression`` is that of ``b``; with ``norm="a"`` so is
        ``identity``, and the norm itself keeps those of ``a``.
    degrees
        Width of the pictures in degrees, where they are bare numbers. Default 4 (chosen).
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)``, with ``landmark (stimulus, point, axis)``, ``morph_from``,
        ``morph_to``, ``morph_fraction`` = t, ``intensity``, ``norm_kind``, ``norm_id`` where the norm is in the set,
        and ``clipped``.

    Raises
    ------
    ValueError, TypeError
        If the pictures differ in size, or landmarks are missing, fewer than three, of unequal numbers or names, NaN,
        outside the picture, double or all on one line; or if a triangle folds at a level: the message names its points
        and the levels that are safe.

    Notes
    -----
    Mark what stays as well as what moves: between the outermost landmark and the edge of the picture everything is
    dragged along, so a head whose outline is not marked moves with its brows. What one picture shows and the other
    hides (teeth) cannot be moved; it is faded in. Where the true picture of an intensity is known, as of rendered
    faces, prefer it: on the rendered human head a morph of neutral and happy at ½ is off by an RMS luminance of 0.009,
    a fade without landmarks by 0.015.

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = [{"domain": "human", "expression": "neutral", "intensity": 0.0},
    ...         {"domain": "human", "expression": "happy", "intensity": 1.0}]
    >>> faces = nr.render_faces(rows, size=64)
    >>> smiles = nr.morph(faces.isel(stimulus=[0]), faces.isel(stimulus=[1]), [0, 0.5, 1], norm="a")
    >>> smiles["intensity"].values
    array([0. , 0.5, 1. ])
    """
    first, second = _picture(a, landmarks_a, "a"), _picture(b, landmarks_b, "b")
    points = _same_points(first, second)
    steps = _levels(levels)
    if norm not in (None, "a"):
        raise unknown("norm", norm, ["a"], hint="Give the picture that is the norm as a")
    if norm_kind not in _NORM_KINDS:
        raise unknown("norm_kind", norm_kind, _NORM_KINDS)
    if shape is not None and texture is not None:
        raise need("shape or texture to follow the levels", "both held", "Leave one of them out")
    shapes, textures = (
        steps if held is None else np.full(len(steps), bare(held, "1", name))
        for name, held in (("shape", shape), ("texture", texture))
    )
    chosen = _chosen_labels(labels)
    called = _called(names, first, second)
    y, x = _place(first, second, degrees)

    images, places, clipped = [], [], []
    draw = drawer((first.image, second.image), (first.points, second.points), points, shapes)
    for each, mix in zip(
        tqdm(shapes, "morph", unit="picture", disable=None if progress else True), textures, strict=True
    ):
        image, at, share = draw(each, mix)
        images.append(image)
        places.append(at)
        clipped.append(share)
    ids = _identifiers(called, steps)
    at_a = (np.abs(shapes) < 1e-9) & (np.abs(textures) < 1e-9)
    coords: dict[str, Any] = _inherited(first, second, norm == "a", at_a)
    coords |= _about_norm(ids, steps, at_a, norm_kind if norm == "a" else "midpoint")
    coords |= {name: ("stimulus", np.full(len(steps), value), about) for name, (value, about) in chosen.items()}
    coords |= {
        "stimulus_id": ("stimulus", ids),
        "morph_from": ("stimulus", [called[0]] * len(steps)),
        "morph_to": ("stimulus", [called[1]] * len(steps)),
        "morph_fraction": ("stimulus", steps, {"units": "1"}),
        "clipped": ("stimulus", clipped, {"units": "1"}),
        "image_sha256": ("stimulus", [provenance.image_hash(image) for image in images]),
        "landmark": (("stimulus", "point", "axis"), np.stack(places), {"units": "px"}),
        "point": ("point", points),
        "axis": ("axis", ["x", "y"]),
        "y": ("y", y, {"units": "degree"}),
        "x": ("x", x, {"units": "degree"}),
    }
    about = {"units": "1", "long_name": "luminance"}
    made = xr.Dataset({"image": (("stimulus", "y", "x"), np.stack(images), about)}, coords)
    settings = {"a": called[0], "b": called[1], "levels": steps, "shape": shape, "texture": texture, "norm": norm}
    settings |= {"points": len(points)}
    parents = [picture.data for picture in (first, second) if picture.data is not None]
    title = f"morphs from {called[0]} to {called[1]}"
    made = provenance.stamp(made, "StimulusSet", "morph", settings, parents=parents, title=title)
    return check(made, "StimulusSet")


def _picture(given: xr.Dataset | np.ndarray, landmarks: Any, which: str) -> _Picture:
    """Return a picture and its landmarks, each checked by itself."""
    data = None
    if isinstance(given, xr.Dataset):
        data = check(given, "StimulusSet")
        if data.sizes["stimulus"] != 1 or "frame" in data["image"].dims:
            shown = ", ".join(f"{name}: {size}" for name, size in data["image"].sizes.items())
            raise need(
                f"{which}: a StimulusSet of one still picture", f"({shown})", "Choose one with .isel(stimulus=[0])"
            )
        image = data["image"].values[0]
        if landmarks is None:
            if "landmark" not in data.coords:
                raise need(f"landmarks of {which}", "a StimulusSet without them", f"Pass landmarks_{which}=")
            landmarks = data["landmark"]
    else:
        image = np.asarray(given)
        if image.ndim != 2 or image.dtype.kind not in "iuf" or not image.size:
            todo = "Pass luminance (y, x) from 0 to 1"
            raise need(
                f"{which}: a picture (y, x)", f"{image.dtype} values of the shape {image.shape}", todo, kind=TypeError
            )
        if not np.isfinite(image).all() or image.min() < -1e-6 or image.max() > 1 + 1e-6:
            came = f"{image.min():g} to {image.max():g}"
            raise need(f"{which}: luminance in 0..1", came, "Divide by the level of white, as 255 at 8 bits")
        if landmarks is None:
            raise need(f"landmarks of {which}", "none", f"Pass landmarks_{which}=, (x, y) of each point in px")
    places, names = points_of(landmarks, f"landmarks_{which}")
    return _Picture(np.asarray(image, dtype=float), places, names, data)


def _same_points(first: _Picture, second: _Picture) -> list[str]:
    """Return the names of the points, once the two pictures are known to fit together."""
    if first.image.shape != second.image.shape:
        (h, w), (k, v) = first.image.shape, second.image.shape
        raise need("two pictures of one size", f"{h} × {w} px and {k} × {v} px", "Load them with size=")
    if len(first.points) != len(second.points):
        raise need("the same landmarks in both pictures", f"{len(first.points)} in a and {len(second.points)} in b")
    if first.names and second.names and first.names != second.names:
        one, other = next(pair for pair in zip(first.names, second.names, strict=True) if pair[0] != pair[1])
        todo = "Put the points of both in the same order, with .sel(point=[…])"
        raise need("landmarks of the same names in the same order", f"{one!r} in a where b has {other!r}", todo)
    names = first.names or second.names or [str(i) for i in range(len(first.points))]
    for picture, which in ((first, "a"), (second, "b")):
        check_points(picture.points, names, picture.image.shape, which, least=3, spread=True)
    mean = (first.points + second.points) / 2
    try:
        check_points(mean, names, first.image.shape, "their mean", least=3, spread=True)
    except ValueError as error:
        todo = "Are left and right, or two points, exchanged in one of them?"
        raise need(
            "landmarks that lie in a like arrangement in both pictures", f"ones whose mean is at fault ({error})", todo
        ) from None
    return names


def _levels(levels: Sequence[float] | float) -> np.ndarray:
    listed = np.atleast_1d(np.asarray(levels, dtype=object)).ravel()
    steps = np.array([bare(level, "1", "levels") for level in listed])
    if not len(steps):
        raise need("levels: at least one number", "none")
    ordered = np.sort(steps)
    doubled = ordered[1:][np.diff(ordered) < 1e-6]
    if len(doubled):
        raise need("every level once", f"{doubled[0]:g} more than once")
    return steps


def _chosen_labels(labels: Mapping[str, str | float] | None) -> dict[str, tuple[str | float, dict[str, str]]]:
    chosen: dict[str, tuple[str | float, dict[str, str]]] = {}
    if labels is not None and not isinstance(labels, Mapping):
        raise need("labels: a mapping of a label's name to its value", repr(labels), kind=TypeError)
    for name, value in (labels or {}).items():
        if name in _OWN or name in ("landmark", "point", "axis", "y", "x", "image", "stimulus"):
            raise need("labels beside those of a morph", f"{name!r}, which nr.morph itself says")
        if isinstance(value, str):
            chosen[name] = value, {}
        else:
            units = STIMULUS_LABELS[name].units if name in STIMULUS_LABELS else ("1",)
            chosen[name] = bare(value, "1", f"label {name}"), {"units": units[0]} if units else {}
    return chosen


def _called(names: tuple[str, str] | None, first: _Picture, second: _Picture) -> tuple[str, str]:
    if names is not None:
        if isinstance(names, str) or len(names) != 2 or str(names[0]) == str(names[1]):
            raise need("names: two unlike names, of a and of b", repr(names))
        return str(names[0]), str(names[1])
    one, other = (
        default if picture.data is None else str(picture.data["stimulus_id"].values[0])
        for picture, default in ((first, "a"), (second, "b"))
    )
    return one, other


def _place(first: _Picture, second: _Picture, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Return y and x of the pixels in degrees."""
    places = [(each.data["y"].values, each.data["x"].values) for each in (first, second) if each.data is not None]
    if len(places) == 2 and not all(np.allclose(one, other) for one, other in zip(*places, strict=True)):
        spans = " and ".join(f"{np.ptp(x):.3g}" for _, x in places)
        raise need("two pictures of one size in degrees", f"x over {spans} degrees")
    if places:
        return places[0]
    height, width = first.image.shape
    return pixels.places(height, width, bare(degrees, "degree", "degrees", above=0))


def _identifiers(called: tuple[str, str], steps: np.ndarray) -> list[str]:
    short = [f"{step:+.2f}" for step in steps]
    if any(abs(float(text) - step) > 1e-9 for text, step in zip(short, steps, strict=True)):
        short = [f"{step:+.6f}" for step in steps]
    return [f"{called[0]}-to-{called[1]}-{text}" for text in short]


def _inherited(first: _Picture, second: _Picture, from_norm: bool, at_a: np.ndarray) -> dict[str, Any]:
    """Return the labels that morphs have from their two pictures."""
    found: dict[str, Any] = {}
    for name, one in first.labels.items():
        other = second.labels.get(name)
        if name in _OWN or other is None:
            continue
        before, after = one.values[0], other.values[0]
        if before == after or name == "expression" or (name == "identity" and from_norm):
            values = np.where(at_a & from_norm, before, after)
            found[name] = ("stimulus", values, dict(one.attrs))
    return found


def _about_norm(ids: list[str], steps: np.ndarray, at_a: np.ndarray, kind: str) -> dict[str, Any]:
    midpoint = kind == "midpoint"
    norm = ids[int(at_a.argmax())] if at_a.any() and not midpoint else ""
    labels: dict[str, Any] = {
        "intensity": ("stimulus", 2 * steps - 1 if midpoint else steps, {"units": "1"}),
        "norm_id": ("stimulus", [norm] * len(ids)),
        "norm_kind": ("stimulus", [kind] * len(ids)),
    }
    if kind == "average_identity":
        labels["identity_level"] = ("stimulus", steps, {"units": "1"})
    return labels
