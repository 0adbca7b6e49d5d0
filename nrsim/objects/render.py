"""Objects to order: names, views and seeds become a StimulusSet whose size and contrast match those of a face."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.meshes.raster import interpolate, project, rasterise, turn
from nrsim.objects import built, kitchen, novel, pastimes, plain, tools
from nrsim.objects.shading import shade
from nrsim.objects.solids import Solid, corner_normals
from nrsim.pixels import coordinates
from nrsim.quantities import bare, whole
from nrsim.schema import check

OBJECTS: dict[str, Callable[[], Solid]] = {
    **kitchen.OBJECTS,
    **built.OBJECTS,
    **tools.OBJECTS,
    **pastimes.OBJECTS,
    **plain.OBJECTS,
}
NOVEL: dict[str, Callable[[int, str], Solid]] = {"blob": novel.blob, "assembly": novel.assembly}

# A rendered face: means over the 43 human faces of the recipe "expressions" at 128 px, over the pixels that are half
# covered or more (measured; their standard deviations over faces are 0.002, 0.003 and 0.003)
COVERAGE, LUMINANCE, CONTRAST = 0.409, 0.494, 0.278

_CAMERA = 7.0  # distance of the camera in half widths of the picture, as for the faces
_WIDEST = 0.9  # of the picture's width that an object may fill, so that long ones stay inside (a face is 0.86 high)
_SAMPLES = 2  # along each side of a pixel
_CLOSE = 1e-3  # of luminance and contrast, at which matching stops
_NUMBERED = re.compile(r"(\w+)-(\d+)")


def render_objects(
    names: Sequence[str] | None = None,
    *,
    blobs: int = 0,
    assemblies: int = 0,
    views: Sequence[Sequence[float]] = ((30.0, 20.0),),
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    match_face: bool = True,
    coverage: float = COVERAGE,
    luminance: float = LUMINANCE,
    contrast: float = CONTRAST,
    seed: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Render things that are no faces, matched to a face in size, luminance and contrast.

    Every picture is scaled until the object covers as much of it as a face does, or fills nine tenths of its width or
    height, where it is long and thin. Then the luminance of its own pixels, L, becomes g L + o, with the gain g and the
    offset o that give the mean and the RMS contrast of a face. What came out is among the labels.

    Parameters
    ----------
    names
        Which objects: names from ``nrsim.objects.OBJECTS``, or ``"blob-1"``, ``"assembly-7"``, … for solids that nobody
        has seen before, drawn from the seed and the name. Default: all that have a name.
    blobs, assemblies
        How many numbered blobs (smooth random solids) and assemblies (a body with parts) to add. Default 0.
    views
        Yaw (its front turned to its left) and pitch (its top towards the viewer), degree, of each view. Default one,
        (30, 20): a three-quarter view from above, near which objects are named best (Palmer, Rosch & Chase 1981).
    size
        Width and height in pixels. Default 128 (chosen, as the faces).
    degrees
        Width and height in degrees of visual angle. Default 4 (chosen, as the faces).
    background
        Luminance around the object, 0..1. Default 0.5, mid grey (chosen, as the faces).
    match_face
        Whether size, luminance and contrast are matched. Without, each object fills nine tenths of the picture and is
        as light as its paint.
    coverage
        Fraction of the picture to cover, above 0. Default that of a rendered human face (measured).
    luminance
        Mean luminance over the object's own pixels, those at least half covered. Default a rendered human face's
        (measured).
    contrast
        RMS contrast over them: standard deviation over mean of the luminance. Default a rendered human face's
        (measured).
    seed
        What novel solids are drawn from; needed for them alone.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)`` float32, with ``category`` = object, ``identity`` (its name),
        ``view``, ``yaw``, ``pitch``, and as measured ``object_coverage``, ``object_luminance``, ``object_contrast``.

    Raises
    ------
    ValueError, TypeError
        For an unknown name (the nearest is named), an object or view that comes twice, no object at all, novel solids
        without a seed, or a luminance and contrast that cannot be reached within 0..1.

    Examples
    --------
    >>> import nrsim as nr
    >>> things = nr.render_objects(["mug", "chair"], size=32)
    >>> things["identity"].values.tolist()
    ['mug', 'chair']
    """
    size, degrees = whole(size, "size", low=8), bare(degrees, "degree", "degrees", above=0)
    background = bare(background, "1", "background", low=0, high=1)
    if not isinstance(match_face, (bool, np.bool_)):
        raise need("match_face: true or false", repr(match_face), kind=TypeError)
    target = (
        bare(coverage, "1", "coverage", above=0, high=0.8),
        bare(luminance, "1", "luminance", above=0, high=1),
        bare(contrast, "1", "contrast", low=0),
    )
    chosen = _names(names, whole(blobs, "blobs"), whole(assemblies, "assemblies"))
    turns = _views(views)
    drawn = [name for name in chosen if name not in OBJECTS]
    if drawn and seed is None:
        raise need("a seed, from which novel solids are drawn", f"none, with {', '.join(drawn[:3])}", "Pass seed=1")
    number = None if seed is None else whole(seed, "seed")

    rows = [(name, yaw, pitch) for name in chosen for yaw, pitch in turns]
    images, measured = [], []
    solid, normals, last = None, np.zeros((0, 3, 3)), ""
    for name, yaw, pitch in tqdm(rows, desc="objects", unit="picture", disable=None if progress else True):
        if solid is None or name != last:
            solid, last = _solid(name, number), name
            normals = corner_normals(solid)
        image, numbers = _picture(solid, normals, yaw, pitch, size, background, target if match_face else None, name)
        images.append(image)
        measured.append(numbers)

    found = np.array(measured)
    dataset = xr.Dataset(
        {"image": (("stimulus", "y", "x"), np.stack(images), {"units": "1", "long_name": "luminance"})},
        {
            "stimulus_id": ("stimulus", [_identifier(*row) for row in rows]),
            "category": ("stimulus", ["object"] * len(rows)),
            "identity": ("stimulus", [row[0] for row in rows]),
            "view": ("stimulus", [_view(*row[1:]) for row in rows]),
            "yaw": ("stimulus", [row[1] for row in rows], {"units": "degree"}),
            "pitch": ("stimulus", [row[2] for row in rows], {"units": "degree"}),
            "object_coverage": ("stimulus", found[:, 0], {"units": "1"}),
            "object_luminance": ("stimulus", found[:, 1], {"units": "1"}),
            "object_contrast": ("stimulus", found[:, 2], {"units": "1"}),
            "image_sha256": ("stimulus", [provenance.image_hash(image) for image in images]),
            **coordinates(size, size, degrees),
        },
    )
    settings = {
        "pictures": len(rows),
        "size": size,
        "degrees": degrees,
        "background": background,
        "match_face": bool(match_face),
    }
    if match_face:
        settings |= dict(zip(("coverage", "luminance", "contrast"), target, strict=True))
    dataset = provenance.stamp(
        dataset, "StimulusSet", "render_objects", settings, title="rendered objects", seed=number if drawn else None
    )
    return check(dataset, "StimulusSet")


def _names(names: Any, blobs: int, assemblies: int) -> list[str]:
    if names is None:
        chosen = list(OBJECTS)
    elif isinstance(names, (str, bytes)) or not isinstance(names, Iterable):
        raise need("names: a list of objects", repr(names), f"Write names=[{names!r}]", kind=TypeError)
    else:
        chosen = [str(name) for name in names]
    for kind, count in (("blob", blobs), ("assembly", assemblies)):
        chosen += [f"{kind}-{k + 1}" for k in range(count)]
    for name in chosen:
        numbered = _NUMBERED.fullmatch(name)
        if name not in OBJECTS and not (numbered and numbered[1] in NOVEL):
            hint = "Novel solids are numbered: 'blob-1', 'assembly-1'"
            raise unknown("object", name, [*OBJECTS, *(f"{kind}-1" for kind in NOVEL)], hint=hint)
    if not chosen:
        raise need("at least one object", "none", "Give names, blobs or assemblies")
    doubled = sorted({name for name in chosen if chosen.count(name) > 1})
    if doubled:
        raise need("every object once", f"{', '.join(doubled[:3])} more than once")
    return chosen


def _views(views: Any) -> list[tuple[float, float]]:
    if isinstance(views, (str, bytes)) or not isinstance(views, Iterable):
        raise need("views: a list of [yaw, pitch] in degrees", repr(views), kind=TypeError)
    turns = []
    for view in views:
        if isinstance(view, (str, bytes)) or not isinstance(view, Iterable) or len(list(view)) != 2:
            raise need(
                "views: a list of [yaw, pitch] in degrees", f"{view!r} in it", "Write views=[[30, 20]]", kind=TypeError
            )
        yaw, pitch = view
        turns.append(
            (
                bare(yaw, "degree", "yaw", low=-180, high=180) + 0.0,
                bare(pitch, "degree", "pitch", low=-90, high=90) + 0.0,
            )
        )
    if not turns:
        raise need("views: at least one [yaw, pitch]", "an empty list")
    if len(set(turns)) < len(turns):
        raise need("views: every view once", str(turns))
    return turns


def _view(yaw: float, pitch: float) -> str:
    return "frontal" if yaw == pitch == 0 else f"yaw{yaw:+g}-pitch{pitch:+g}"


def _identifier(name: str, yaw: float, pitch: float) -> str:
    return f"object-{name.replace(' ', '-')}-{_view(yaw, pitch)}"


def _solid(name: str, seed: int | None) -> Solid:
    if name in OBJECTS:
        return OBJECTS[name]()
    kind, _, _ = name.rpartition("-")
    return NOVEL[kind](seed or 0, name)


def _picture(
    solid: Solid,
    bent: np.ndarray,
    yaw: float,
    pitch: float,
    size: int,
    background: float,
    target: tuple[float, float, float] | None,
    name: str,
) -> tuple[np.ndarray, tuple[float, float, float]]:
    """Return a picture ``(y, x)`` and its coverage, mean luminance and RMS contrast; ``bent`` are corner normals."""
    rotation = turn(yaw, pitch)
    centre, half = framed(solid, rotation, None if target is None else target[0])
    fine = size * _SAMPLES
    pixel, triangle, weights = rasterise(
        project(solid.vertices, centre, half, fine, _CAMERA, rotation), solid.corners, fine, fine
    )
    normals = np.einsum("sc,sci->si", weights, bent[triangle]) @ rotation.T
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    at = interpolate(np.column_stack([solid.vertices, solid.paint]), solid.corners, triangle, weights)
    level = shade((at[:, :3] - centre) @ rotation.T / half, normals, at[:, 3])
    covered = _averaged(pixel, np.ones(len(pixel)), size)
    own = covered >= 0.5
    if not own.any():
        raise need(f"pictures of more than {size} px for the object {name!r}", f"{size} px", "Use a larger size")

    def made(gain: float, offset: float) -> np.ndarray:
        shaded = _averaged(pixel, np.clip(gain * level + offset, 0, 1), size)
        return shaded + (1 - covered) * background

    gain, offset = 1.0, 0.0
    image = made(gain, offset)
    if target is not None:
        gain, offset = matched(lambda g, o: made(g, o)[own], target[1], target[1] * target[2], name)
        image = made(gain, offset)
    inside = image[own]
    return image.astype(np.float32), (float(own.mean()), float(inside.mean()), float(inside.std() / inside.mean()))


def _averaged(pixel: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Return the mean over each pixel's samples, ``(y, x)``, of values at ``pixel`` and 0 elsewhere."""
    fine = np.zeros((size * _SAMPLES) ** 2)
    fine[pixel] = values
    return fine.reshape(size, _SAMPLES, size, _SAMPLES).mean(axis=(1, 3))


def framed(solid: Solid, rotation: np.ndarray, coverage: float | None) -> tuple[np.ndarray, float]:
    """Return the centre and the half width of the picture that show a solid in the middle and as large as wanted.

    It fills ``coverage`` of the picture, or less where it would otherwise fill more than nine tenths of its width or
    height; with None it always fills those.
    """
    turned = solid.vertices @ rotation.T
    centre = rotation.T @ ((turned.min(axis=0) + turned.max(axis=0)) / 2)
    half = float(np.ptp(turned[:, :2], axis=0).max()) / 2 / _WIDEST
    n = 256  # px to measure with
    for _ in range(8):
        seen = project(solid.vertices, centre, half, n, _CAMERA, rotation)
        low, high = seen[:, :2].min(axis=0), seen[:, :2].max(axis=0)
        shift = ((low + high) / 2 / n - 0.5) * 2 * half
        centre = centre + rotation.T @ [shift[0], -shift[1], 0]
        widest = float((high - low).max()) / n / _WIDEST  # times too wide
        if coverage is not None:
            covers = len(rasterise(seen, solid.corners, n, n)[0]) / n**2
            widest = max(widest, float(np.sqrt(covers / coverage)))
        half *= widest
        if abs(widest - 1) < 2e-3 and np.abs(shift).max() < 1e-3 * half:
            break
    return centre, half


def matched(
    levels: Callable[[float, float], np.ndarray], mean: float, deviation: float, name: str
) -> tuple[float, float]:
    """Return the gain and offset at which ``levels(gain, offset)`` have that mean and standard deviation.

    Repeated, because levels are clipped to 0..1 and pixels at the edge hold some background.
    """
    gain, offset = 1.0, 0.0
    now = levels(gain, offset)
    for _ in range(60):
        if abs(now.mean() - mean) < _CLOSE * mean / 4 and abs(now.std() - deviation) < _CLOSE * mean / 4:
            return gain, offset
        step = deviation / max(float(now.std()), 1e-6)
        middle = float(now.mean())
        gain, offset = gain * step, mean + (offset - middle) * step
        now = levels(gain, offset)
    raise need(
        f"a luminance and contrast that the object {name!r} can have within 0..1",
        f"luminance {mean:.3g} and contrast {deviation / mean:.3g}; the nearest are {now.mean():.3g} and "
        f"{now.std() / now.mean():.3g}",
        "Ask for less contrast or a luminance nearer to 0.5, or use match_face=False",
    )
