"""Cartoon faces to order: rows of feature and value become a StimulusSet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import provenance
from nrsim.cartoons.draw import Pen
from nrsim.cartoons.features import CARTOON_FEATURES, PARTS, Cartoon, cartoon_of, parts_of
from nrsim.cartoons.geometry import LANDMARKS, Geometry, shift
from nrsim.errors import need
from nrsim.pixels import coordinates
from nrsim.quantities import bare, whole
from nrsim.schema import check

_SOURCE = "features of Freiwald, Tsao & Livingstone 2009 (doi:10.1038/nn.2363); drawing ours"


def render_cartoons(
    rows: Sequence[Mapping[str, Any]],
    *,
    parts: Sequence[str] | None = None,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    progress: bool = False,
) -> xr.Dataset:
    """Render cartoon faces with the 19 features of Freiwald, Tsao & Livingstone 2009.

    Parameters
    ----------
    rows
        One mapping a face: feature → value, −5 to 5; features left out are 0, so ``{}`` is the average face.
        ``nr.CARTOON_FEATURES`` lists the features and what −5 and 5 look like. The key ``parts`` of a row takes the
        place of the parameter. A matrix ``(stimulus, feature)`` becomes rows by
        ``[dict(zip(nr.CARTOON_FEATURES, values)) for values in matrix]``.
    parts
        The parts drawn: any of outline, hair, eyes, irises, eyebrows, nose, mouth. Default all seven; an empty list
        is a blank picture.
    size
        Width and height in pixels. Default 128 (chosen).
    degrees
        Width and height in degrees of visual angle. Default 4 (chosen; the average face is then 2.4 degrees wide).
    background
        Luminance around the face, 0..1. Default 0.5, mid grey (chosen).
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)`` float32. Along stimulus: a label ``cartoon_<feature>`` each, −5..5;
        ``varied``, the features that are not 0 (none, one name, two joined by +, or several); ``parts``, and
        ``part_<part>``, 0 or 1, where some are missing; ``category``, face, face_part or blank; ``intensity``: 0 is
        the average, 1 the border of the feature space, that is max |value| / 5, signed where one feature alone varies;
        ``norm_id``, the average of the same parts where the set holds it; ``norm_distance``: RMS shift of the contours
        from it, each part weighing the same, in interocular distances. ``landmark (stimulus, point, axis)`` in px are
        exact; those of parts not drawn are NaN.

    Raises
    ------
    ValueError, TypeError
        For an unknown feature or part (the nearest is named), a value that is no number or beyond −5..5, a face that
        comes twice, or no face at all.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_cartoons([{}, {"iris_size": 5}, {"mouth_top": -5, "eye_size": 2.5}], size=64)
    >>> faces["varied"].values.tolist()
    ['none', 'iris_size', 'eye_size+mouth_top']
    >>> faces["intensity"].values.tolist()
    [0.0, 1.0, 1.0]
    """
    if isinstance(rows, str) or not isinstance(rows, Sequence):
        todo = "Put a single face into a list; of a pandas table take .to_dict('records')"
        raise need("rows: a list of mappings", type(rows).__name__, todo, kind=TypeError)
    drawn = parts_of(parts)
    cartoons = [cartoon_of(row, i, drawn) for i, row in enumerate(rows)]
    settings = {"parts": list(drawn), "faces": len(cartoons)}
    return stimulus_set(cartoons, "render_cartoons", settings, size, degrees, background, progress)


def stimulus_set(
    cartoons: Sequence[Cartoon],
    step: str,
    settings: Mapping[str, Any],
    size: int,
    degrees: float,
    background: float,
    progress: bool,
    seed: int | None = None,
) -> xr.Dataset:
    """Return the StimulusSet of ``cartoons``, stamped as ``step`` with its ``settings``."""
    size, degrees = whole(size, "size", low=8), bare(degrees, "degree", "degrees", above=0)
    background = bare(background, "1", "background", low=0, high=1)
    if not cartoons:
        raise need("at least one face to render", "no rows")
    ids = [cartoon.identifier for cartoon in cartoons]
    if len(set(ids)) < len(ids):
        doubles = sorted({name for name in ids if ids.count(name) > 1})
        raise need("every face once", f"{', '.join(doubles[:3])} more than once")

    pen, average = Pen(size), Geometry([0.0] * len(CARTOON_FEATURES))
    images = np.empty((len(cartoons), size, size), dtype=np.float32)
    places = np.full((len(cartoons), len(LANDMARKS), 2), np.nan)
    distances = np.empty(len(cartoons))
    for i, cartoon in enumerate(tqdm(cartoons, desc="cartoons", unit="face", disable=None if progress else True)):
        face = Geometry(cartoon.values)
        images[i] = pen.draw(face, cartoon.parts, background)
        distances[i] = shift(face, average, cartoon.parts)
        for k, (name, part) in enumerate(LANDMARKS.items()):
            if part in cartoon.parts:
                places[i, k] = face.landmarks[name]
    places = (places * [1, -1] + 1) * size / 2

    norms = {cartoon.parts: cartoon.identifier for cartoon in cartoons if not any(cartoon.values)}
    one = {"units": "1"}
    coords: dict[str, Any] = {
        "stimulus_id": ("stimulus", ids),
        "domain": ("stimulus", ["cartoon2d"] * len(ids)),
        "category": ("stimulus", [_category(cartoon.parts) for cartoon in cartoons]),
        "identity": ("stimulus", [_identity(cartoon) for cartoon in cartoons]),
        "intensity": ("stimulus", [cartoon.intensity for cartoon in cartoons], one),
        "view": ("stimulus", ["frontal"] * len(ids)),
        "varied": ("stimulus", [cartoon.varied for cartoon in cartoons]),
        "parts": ("stimulus", [_parts_label(cartoon.parts) for cartoon in cartoons]),
        "norm_id": ("stimulus", [norms.get(cartoon.parts, "") for cartoon in cartoons]),
        "norm_kind": ("stimulus", ["average_identity"] * len(ids)),
        "norm_distance": ("stimulus", distances, {"units": "interocular distance"}),
        "image_sha256": ("stimulus", [provenance.image_hash(image) for image in images]),
    }
    values = np.array([cartoon.values for cartoon in cartoons])
    coords |= {f"cartoon_{name}": ("stimulus", values[:, i], one) for i, name in enumerate(CARTOON_FEATURES)}
    if any(cartoon.parts != PARTS for cartoon in cartoons):
        coords |= {
            f"part_{part}": ("stimulus", [int(part in cartoon.parts) for cartoon in cartoons], one) for part in PARTS
        }
    coords |= {
        "landmark": (("stimulus", "point", "axis"), places, {"units": "px"}),
        "point": ("point", list(LANDMARKS)),
        "axis": ("axis", ["x", "y"]),
        **coordinates(size, size, degrees),
    }
    image = (("stimulus", "y", "x"), images, {"units": "1", "long_name": "luminance"})
    made = {**settings, "size": size, "degrees": degrees, "background": background}
    dataset = provenance.stamp(
        xr.Dataset({"image": image}, coords),
        "StimulusSet",
        step,
        made,
        title="cartoon faces",
        source=_SOURCE,
        seed=seed,
    )
    return check(dataset, "StimulusSet")


def _category(parts: Sequence[str]) -> str:
    return "face" if len(parts) == len(PARTS) else "face_part" if parts else "blank"


def _parts_label(parts: Sequence[str]) -> str:
    return "all" if len(parts) == len(PARTS) else "+".join(parts) or "none"


def _identity(cartoon: Cartoon) -> str:
    """Return who a cartoon is: along one feature's axis the axis, as a person's name runs along that person's."""
    varied = [name for name, value in zip(CARTOON_FEATURES, cartoon.values, strict=True) if value]
    if not varied:
        return "average"
    return varied[0] if len(varied) == 1 else cartoon.identifier.split("-only-")[0].removeprefix("cartoon-")
