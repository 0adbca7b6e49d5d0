"""Faces to order: rows of head shape, identity, expression and view become a StimulusSet."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from nrsim import files, provenance
from nrsim.errors import need
from nrsim.faces.courses import time_course
from nrsim.faces.head import Head
from nrsim.faces.painter import Painter
from nrsim.faces.rows import order
from nrsim.faces.spec import Between, FaceSpec, Order, decimals
from nrsim.faces.views import aperture_mask, view_of
from nrsim.faces.vocabulary import Vocabulary
from nrsim.pixels import coordinates
from nrsim.quantities import bare, whole
from nrsim.schema import STIMULUS_LABELS, check


def render_faces(
    rows: Iterable[Mapping[str, Any]],
    *,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    aperture: str = "none",
    colour: bool = False,
    equal_size: float | None = None,
    heads: Mapping[str, Head] | None = None,
    identities: Mapping[str, Mapping[str, float]] | None = None,
    expressions: Mapping[str, Mapping[str, float]] | None = None,
    landmarks: str | Sequence[str | int] = "standard",
    frames: int | None = None,
    frame_rate: float = 30.0,
    out: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return rendered faces as a StimulusSet, ``image (stimulus, y, x)``, of moving ones ``(stimulus, frame, y, x)``.

    Parameters
    ----------
    rows
        One mapping a face, with the keys

        - ``domain``: head shape: ``"human"``, ``"macaque"``, ``"cartoon"`` or one of ``heads``;
        - ``expression``: one of yours (``expressions``), ``"happy"``, ``"sad"``, ``"angry"``, ``"fearful"``,
          ``"disgusted"``, ``"surprised"``, a macaque's ``"threat"``, ``"fear_grimace"``, ``"lip_smack"``, a single unit
          (``"jawOpen"``), or ``"neutral"``, the default;
        - ``intensity``: 0 = neutral, 1 = the prototype, up to 1.5 (caricature) and down to −0.5 (anti-expression);
        - ``identity``: one of ``identities``, of :func:`named_identities`, or ``"average"``, the default;
          ``identity_level``: 0 = average, 1 = the identity (default), −1 = its anti-face, from −1.5 to 1.5. Where a
          face has an identity but no ``intensity``, its trajectory is the identity's: ``intensity`` is the level, and
          the norm is the average face;
        - ``morph_from``, ``morph_to``, ``morph_fraction``: instead of ``expression``, ``identity`` or ``domain``, a
          place between two of them; between identities at a constant distance from the average;
        - ``stretch``: factor of the head's width, 0.5 to 2;
        - ``view``: ``"frontal"``, ``"left_half_profile"``, ``"left_profile"`` (the head turned to its own left), …,
          ``"up"``, ``"down"``, ``"back"``; or ``yaw`` (to its left) and ``pitch`` (down) in degrees;
        - ``light``: ``"standard"``, ``"frontal"``, ``"left"``, ``"right"``, ``"top"``, ``"bottom"``;
          ``skin``: ``"light"``, ``"tan"``, ``"brown"``, ``"dark"``, or the head's own;
        - ``scale``: factor of the face's size in the picture; ``x``, ``y``: its place in degrees, y up;
        - ``course``: how the intensity runs over ``frames``: ``"hold"``, ``"ramp"``, ``"ramp_down"``,
          ``"expression"``, ``"expression_reversed"``, ``"rhythmic"``, or a number a frame; ``intensity`` is the peak;
        - ``labels``: further labels of your own; ``stimulus_id``: instead of the one that is made from the rest.
    size
        Width and height of a picture, px. Default 128 (chosen).
    degrees
        Width of a picture, degrees of visual angle. Default 4 (chosen: a face of about 3 degrees, near the 3.5 to 7
        of face-patch recordings).
    background
        Luminance around the head. Default 0.5 (chosen).
    aperture
        ``"none"``, ``"oval"`` (about the inner face, hiding ears and outline) or ``"circle"``.
    colour
        Add ``colour (stimulus, y, x, channel)``, linear, for showing; ``image`` stays the luminance.
    equal_size
        Scale every expression to this RMS shift of the skin at intensity 1, in interocular distances: 100 % is not the
        same size for all of them. 0.045 is about their mean. Blends of two have it too. Default: as they are.
    heads
        Your own heads, name → :func:`load_head`.
    identities
        Your own people, name → weights on :func:`identity_axes`; :func:`random_identities` makes some.
    expressions
        Your own expressions, name → weights of expression units.
    landmarks
        ``"standard"``, ``"stettler"`` (the ten of Stettler et al. 2023), ``"alignment"`` (eyes, brows, nose, mouth and
        chin: nine to bring faces into one frame), ``"68"`` (``point_01`` to ``point_68``, the numbers of iBUG and dlib,
        which count from the picture's left), or names and numbers of vertices of the surface drawn. Points stay on
        their spot of the skin, also where it is hidden.
    frames, frame_rate
        Frames of moving faces and their rate in Hz. Default: still pictures.
    out
        Path of a netCDF file that the pictures are written to one by one, so that a set of any number needs the memory
        of one; it is moved into place at the end, and the result is opened from it.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A StimulusSet with the labels above, ``landmark (stimulus, point, axis)`` in px, ``norm_id`` where the set
        holds the face at intensity 0, and ``norm_distance``: the RMS shift of the skin from it, in interocular
        distances. Moving faces also have ``frame_time`` (s) and ``frame_intensity (stimulus, frame)``.

    Raises
    ------
    ValueError, TypeError
        For an unknown name (the nearest is named), a number out of range, a face that comes twice, or no face at all.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human", "expression": "happy", "intensity": 1.0}], size=32)
    >>> faces["image"].shape
    (1, 32, 32)
    """
    size, degrees = whole(size, "size", low=8), bare(degrees, "degree", "degrees", above=0)
    background = bare(background, "1", "background", low=0, high=1)
    if equal_size is not None:
        equal_size = bare(equal_size, "1", "equal_size", above=0, high=0.15)
    if not isinstance(colour, (bool, np.bool_)):
        raise need("colour: True or False", repr(colour), kind=TypeError)
    aperture_mask(aperture, 8)  # an unknown one is said before anything is drawn
    words = Vocabulary.checked(heads, identities, expressions)
    if not isinstance(rows, Iterable) or isinstance(rows, (Mapping, str)):
        raise need("a list of faces, a mapping each", type(rows).__name__, kind=TypeError)
    table = [order(row, i, words) for i, row in enumerate(rows)]
    if not table:
        raise need("at least one face to render", "no rows")
    for i, each in enumerate(table):
        if max(abs(each.face.x), abs(each.face.y)) > degrees / 2:
            came = f"x = {each.face.x:g}, y = {each.face.y:g} degrees for face {i}"
            raise need(f"places within the picture, up to {degrees / 2:g} degrees from its middle", came)
    ids = [each.stimulus_id for each in table]
    doubles = sorted(name for name, count in Counter(ids).items() if count > 1)
    if doubles:
        raise need("every face once", f"{', '.join(doubles[:3])} more than once", "Give them a stimulus_id")
    moving = _frames(table, frames, frame_rate)

    painter = Painter(words, size, degrees, background, aperture, equal_size, colour)
    points = painter.points(table, landmarks)
    shape = (size, size) if moving is None else (len(moving[0]), size, size)
    variables = {"image": (shape, ("frame", "y", "x") if moving is not None else ("y", "x"))}
    if colour:
        variables["colour"] = ((*shape, 3), (*variables["image"][1], "channel"))
    units = {name: {"units": "1"} for name in variables}
    units["image"]["long_name"] = "luminance"
    bar = tqdm(table, desc="faces", unit="face", disable=None if progress else True)
    with nullcontext() if out is None else files.StimulusWriter(out, len(table), variables, units) as writer:
        images: dict[str, np.ndarray] = {}
        if writer is None:
            images = {name: np.empty((len(table), *of_one), np.float32) for name, (of_one, _) in variables.items()}
        places, distances, hashes = [], [], []
        for i, each in enumerate(bar):
            courses = moving[1][i] if moving is not None else np.ones(1)
            pictures, marks, distance = painter.paint(each, courses, points)
            drawn = {name: np.stack(parts) if moving is not None else parts[0] for name, parts in pictures.items()}
            places.append(marks if moving is not None else marks[0])
            distances.append(distance)
            hashes.append(provenance.image_hash(drawn["image"]))
            if writer is None:
                for name, picture in drawn.items():
                    images[name][i] = picture
            else:
                writer.write(i, drawn)
        coords = _labels(table) | {
            "norm_distance": ("stimulus", distances, {"units": "interocular distance"}),
            "image_sha256": ("stimulus", hashes),
            "point": ("point", list(points)),
            "axis": ("axis", ["x", "y"]),
            **coordinates(size, size, degrees),
        }
        dims = ("stimulus", "point", "axis") if moving is None else ("stimulus", "frame", "point", "axis")
        coords["landmark"] = (dims, np.stack(places), {"units": "px"})
        if colour:
            coords["channel"] = ("channel", ["red", "green", "blue"])
        if moving is not None:
            peaks = np.array([each.intensity for each in table])
            coords["frame_time"] = ("frame", moving[0], {"units": "s"})
            coords["frame_intensity"] = (("stimulus", "frame"), moving[1] * peaks[:, None], {"units": "1"})
        settings: dict[str, Any] = {"size": size, "degrees": degrees, "background": background, "faces": len(table)}
        settings |= {"aperture": aperture} if aperture != "none" else {}
        settings |= {"equal_size": equal_size} if equal_size is not None else {}
        settings |= {"identities": words.identities} if words.identities else {}
        settings |= {"expressions": words.expressions} if words.expressions else {}
        settings |= {"heads": sorted(words.heads)} if words.heads else {}
        labels = provenance.stamp(
            xr.Dataset(coords=coords), "StimulusSet", "render_faces", settings, title="rendered faces"
        )
        if writer is not None:
            writer.finish(labels)
    if out is not None:
        return check(files.open_stimuli(out), "StimulusSet")
    made = {name: (("stimulus", *variables[name][1]), picture, units[name]) for name, picture in images.items()}
    return check(labels.assign(made), "StimulusSet")


def _frames(table: Sequence[Order], frames: int | None, rate: float) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the frames' times and each stimulus's course, ``(frame,)`` and ``(stimulus, frame)``."""
    if frames is None:
        moved = [each.stimulus_id for each in table if each.face.course]
        if moved:
            raise need("frames, the number of frames, for faces with a course", f"{moved[0]!r} without")
        return None
    frames, rate = whole(frames, "frames", low=2), bare(rate, "Hz", "frame_rate", above=0)
    courses = [time_course(each.face.course or "hold", frames, rate) for each in table]
    return np.arange(frames) / rate, np.stack(courses)


def _labels(table: Sequence[Order]) -> dict[str, Any]:
    """Return the labels along stimulus; those that nothing differs in are left out, but for the usual ones."""
    places: dict[FaceSpec | tuple[FaceSpec, str], str] = {}
    for each in table:
        places.setdefault(each.face, each.stimulus_id)
        places.setdefault((each.face, each.along), each.stimulus_id)
    # A picture of the norm that lies on the same trajectory comes before one that lies on another
    norms = [places.get((each.norm(), each.along), places.get(each.norm(), "")) for each in table]
    faces = [each.face for each in table]
    identities = [each.morph if each.morph and each.along == "identity" else each.face.identity for each in table]
    columns: dict[str, list[Any]] = {
        "stimulus_id": [each.stimulus_id for each in table],
        "category": ["face"] * len(table),
        "domain": [_domain_label(face) for face in faces],
        "identity": [place.name for place in identities],
        "identity_level": [face.identity_level for face in faces],
        "expression": [face.expression.name for face in faces],
        "intensity": [each.intensity for each in table],
        "view": [view_of(face.yaw, face.pitch) for face in faces],
        "yaw": [face.yaw for face in faces],
        "pitch": [face.pitch for face in faces],
        "light": [face.light for face in faces],
        "skin": [face.skin for face in faces],
        "scale": [face.scale for face in faces],
        "position_x": [face.x for face in faces],
        "position_y": [face.y for face in faces],
        "course": [face.course if isinstance(face.course, str) else "own" for face in faces],
        "norm_id": norms,
        "norm_kind": ["neutral" if each.along == "expression" else "average_identity" for each in table],
        "morph_from": [each.morph.first if each.morph else "" for each in table],
        "morph_to": [each.morph.second if each.morph else "" for each in table],
        "morph_fraction": [each.morph.fraction if each.morph else np.nan for each in table],
    }
    plain = FaceSpec(Between(""))
    usual = {"skin": "", "position_x": 0.0, "position_y": 0.0, "course": "", "morph_from": "", "morph_to": ""}
    usual |= {name: getattr(plain, name) for name in ("identity_level", "yaw", "pitch", "light", "scale")}
    for name, value in usual.items():
        if all(entry == value for entry in columns[name]):
            del columns[name]
    if "morph_from" not in columns:
        del columns["morph_fraction"]
    units = {"yaw": "degree", "pitch": "degree", "position_x": "degree", "position_y": "degree"}
    for name in dict.fromkeys(name for each in table for name in each.labels):
        entries = [each.labels.get(name) for each in table]
        numbers = all(isinstance(e, (int, float, np.number)) and not isinstance(e, bool) or e is None for e in entries)
        if name in STIMULUS_LABELS and (STIMULUS_LABELS[name].kind == "number") != numbers:
            raise need(f"{STIMULUS_LABELS[name].kind} for the label {name!r}", repr(entries[0]))
        columns[name] = (
            [np.nan if e is None else float(e) for e in entries]
            if numbers
            else ["" if e is None else str(e) for e in entries]
        )
    return {
        name: ("stimulus", entries, {"units": units.get(name, "1")} if isinstance(entries[0], (int, float)) else {})
        for name, entries in columns.items()
    }


def _domain_label(face: FaceSpec) -> str:
    """Return the head shape's name: what shares a norm. A morph and a stretched head are heads of their own."""
    return str(face.domain) + (f"-x{decimals(face.stretch)}" if face.stretch != 1 else "")
