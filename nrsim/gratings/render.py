"""Gratings, the probes for V1: series of orientation, frequency, contrast and size, plaids, surrounds, drift."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.gratings import limits
from nrsim.gratings.waves import APERTURES, Grating, draw
from nrsim.pixels import coordinates, places
from nrsim.quantities import bare, whole
from nrsim.schema import STIMULUS_LABELS, check

_LIMIT = 2.0  # GB of pictures that are still made at once


def render_gratings(
    *,
    orientations: Sequence[float] = tuple(range(0, 180, 15)),
    frequencies: Sequence[float] = (0.5, 1.0, 2.0, 4.0, 8.0),
    phases: Sequence[float] = (0.0,),
    contrasts: Sequence[float] = (1.0,),
    aperture: str = "full",
    diameters: Sequence[float] | None = None,
    edge: float = 0.1,
    positions: Sequence[Sequence[float]] = ((0.0, 0.0),),
    luminance: float = 0.5,
    mask_contrasts: Sequence[float] = (0.0,),
    mask_angles: Sequence[float] = (90.0,),
    mask_frequencies: Sequence[float] | None = None,
    surround_contrasts: Sequence[float] = (0.0,),
    surround_angles: Sequence[float] = (0.0,),
    surround_gap: float = 0.0,
    surround_diameter: float | None = None,
    temporal_frequencies: Sequence[float] | None = None,
    frame_rate: float = 60.0,
    duration: float = 0.5,
    blank: bool = False,
    size: int = 128,
    degrees: float = 4.0,
) -> xr.Dataset:
    """Draw sinusoidal gratings: every combination of the lists, each stimulus once.

    With the mean luminance L, the window w and the waves s = cos(2π f (x cos θ + y sin θ) + φ) of the grating, the mask
    and the surround, which lies between the window and an outer one, the luminance is

        L [1 + w (c s + c_mask s_mask) + w_surround c_surround s_surround].

    What a stimulus has not (the orientation of a grating of contrast 0, a mask of contrast 0) is NaN among its labels,
    and combinations that differ in nothing else are one stimulus.

    Parameters
    ----------
    orientations
        Degree, 0 = a vertical grating, counter-clockwise positive: from 0 to below 180; of drifting gratings to below
        360, and then also the direction of drift, 0 = to the right, 90 = up. Default every 15 (chosen).
    frequencies
        Cycles/degree, below half of the picture's pixels per degree. Default octaves from 0.5 to 8: the range of
        preferred frequencies in macaque V1 at 2–5 degrees (Foster, Gaska, Nagler & Pollen 1985; De Valois, Albrecht &
        Thorell 1982 for the fovea).
    phases
        Degree, of the grating, its mask and its surround; 0 = even, a bright bar through the centre. Default 0.
    contrasts
        Michelson contrasts, 0..1. Default 1, for which :class:`nrsim.V1Bank` answers with energy 1.
    aperture
        ``"full"`` (the whole picture), ``"disc"`` with a raised-cosine edge, or ``"gaussian"``, which makes Gabors.
        Default full.
    diameters
        Degree, full width at half height of a disc or a Gaussian: several are a size-tuning series. Default half the
        picture's width (chosen).
    edge
        Width of the disc's raised-cosine edge, degree, up to the smallest diameter. Default 0.1 (chosen: three pixels
        of the default picture).
    positions
        Centres ``(x, y)`` of the gratings, degree, y up. Default the middle of the picture.
    luminance
        Mean luminance L, between 0 and 1. Default 0.5, for which contrast 1 is possible.
    mask_contrasts
        Contrasts of a second grating in the same window: with the first a plaid. Default 0: none.
    mask_angles
        Degree, from the grating to the mask, counter-clockwise. Default 90: cross-orientation masking.
    mask_frequencies
        Cycles/degree. Default the grating's.
    surround_contrasts
        Contrasts of a grating of the same frequency around a disc. Default 0: none.
    surround_angles
        Degree, from the grating to the surround, counter-clockwise. Default 0: iso-oriented.
    surround_gap
        Degree of mean luminance between the disc and the surround. Default 0: they meet.
    surround_diameter
        Outer diameter of the surround, degree. Default: it fills the picture.
    temporal_frequencies
        Hz, from 0 to below half the frame rate: the gratings, masks and surrounds drift. Default None: still pictures.
        Most macaque V1 neurons follow up to 5.6–8 Hz (Foster et al. 1985).
    frame_rate
        Frames per second, Hz. Default 60 (chosen: a common monitor). Of drifting gratings only.
    duration
        s. Default 0.5 (chosen). Of drifting gratings only.
    blank
        Add a picture of the mean luminance.
    size
        Width and height in pixels. Default 128 (chosen, as the faces).
    degrees
        Width and height in degrees of visual angle. Default 4 (chosen, as the faces).

    Returns
    -------
    xarray.Dataset
        A StimulusSet, ``image (stimulus, y, x)`` float32, or ``image (stimulus, frame, y, x)`` with ``frame_time``.
        Labels: ``category`` = grating, ``grating_orientation``, ``grating_frequency``, ``grating_phase``,
        ``grating_contrast``, ``grating_diameter``, ``grating_x``, ``grating_y``; with masks ``mask_orientation``,
        ``mask_frequency``, ``mask_contrast``; with surrounds the same of ``surround_``; with drift
        ``temporal_frequency``.

    Raises
    ------
    ValueError, TypeError
        For an unknown aperture (the nearest is named), an empty list or a value that comes twice, a frequency that the
        pixels or frames cannot show (the limit is named), contrasts outside 0..1 or that add up to luminances outside
        0..1, a disc that the picture cuts off, a surround without a disc, or pictures that fill more than 2 GB.

    Examples
    --------
    >>> import nrsim as nr
    >>> probes = nr.render_gratings(orientations=[0, 45, 90, 135], frequencies=[2.0], blank=True)
    >>> probes["grating_orientation"].values.tolist()
    [0.0, 45.0, 90.0, 135.0, nan]
    """
    size, degrees = whole(size, "size", low=8), bare(degrees, "degree", "degrees", above=0)
    luminance = bare(luminance, "1", "luminance", above=0, high=1)
    if aperture not in APERTURES:
        raise unknown("aperture", aperture, APERTURES)
    if not isinstance(blank, (bool, np.bool_)):
        raise need("blank: true or false", repr(blank), kind=TypeError)
    drifts = temporal_frequencies is not None
    turn = 360.0 if drifts else 180.0
    angles = {
        "orientations": limits.numbers(orientations, "degree", "orientations", low=0),
        "mask_angles": limits.numbers(mask_angles, "degree", "mask_angles"),
        "surround_angles": limits.numbers(surround_angles, "degree", "surround_angles"),
    }
    for angle in angles["orientations"]:
        if angle >= turn:
            raise need(
                f"orientations from 0 to below {turn:g} degrees"
                + ("" if drifts else ", beyond which still gratings repeat"),
                f"{angle:g}",
                f"Give {angle % turn:g}",
            )
    seen = [limits.numbers(frequencies, "cycles/degree", "frequencies", above=0)]
    if mask_frequencies is not None:
        seen.append(limits.numbers(mask_frequencies, "cycles/degree", "mask_frequencies", above=0))
    limits.resolved(seen, size, degrees)
    levels = {
        name: limits.numbers(values, "1", name, low=0, high=1)
        for name, values in (
            ("contrasts", contrasts),
            ("mask_contrasts", mask_contrasts),
            ("surround_contrasts", surround_contrasts),
        )
    }
    limits.within(levels, luminance)
    centres = limits.centres_of(positions)
    widths = limits.widths_of(aperture, diameters, degrees)
    edge = bare(edge, "degree", "edge", low=0)
    if aperture == "disc":
        limits.fits(widths, edge, centres, degrees)
    gap = bare(surround_gap, "degree", "surround_gap", low=0)
    outer = None if surround_diameter is None else bare(surround_diameter, "degree", "surround_diameter", above=0)
    if any(levels["surround_contrasts"]):
        limits.surrounded(aperture, widths, edge, gap, outer, centres, degrees)
    times, speeds = limits.frames_of(temporal_frequencies, frame_rate, duration)

    masks = [None] if mask_frequencies is None else seen[1]
    rows = list(
        dict.fromkeys(
            _row(centre, width, speed, frequency, orientation, phase, *around, turn)
            for centre, width, speed, frequency, orientation, phase in itertools.product(
                centres, widths, speeds, seen[0], angles["orientations"], limits.numbers(phases, "degree", "phases")
            )
            for around in itertools.product(
                levels["contrasts"],
                levels["mask_contrasts"],
                angles["mask_angles"],
                masks,
                levels["surround_contrasts"],
                angles["surround_angles"],
            )
        )
    )
    nothing = Grating(None, None, None, 0.0, None, None, None, None, None, 0.0, None, None, 0.0, None)
    if blank and nothing not in rows:
        rows.append(nothing)
    if (needed := len(rows) * max(len(times), 1) * size**2 * 4e-9) > _LIMIT:
        raise need(
            f"pictures that fit into {_LIMIT:g} GB",
            f"{needed:.1f} GB for {len(rows)} gratings",
            "Ask for fewer combinations, frames or pixels",
        )

    _, place = places(size, size, degrees)
    shape = (len(rows), len(times), size, size) if drifts else (len(rows), size, size)
    images = np.empty(shape, dtype=np.float32)
    for number, row in enumerate(rows):
        images[number] = draw(row, place, times if drifts else None, aperture, edge, gap, outer, luminance)

    dims = ("stimulus", "frame", "y", "x") if drifts else ("stimulus", "y", "x")
    coords: dict[str, Any] = {
        "stimulus_id": ("stimulus", [row.name() for row in rows]),
        "category": ("stimulus", ["grating"] * len(rows)),
        **_labels(rows),
        "image_sha256": ("stimulus", [provenance.image_hash(image) for image in images]),
        **coordinates(size, size, degrees),
    }
    if drifts:
        coords["frame_time"] = ("frame", times, {"units": "s"})
    made = xr.Dataset({"image": (dims, images, {"units": "1", "long_name": "luminance"})}, coords)
    settings = {
        "gratings": len(rows),
        "aperture": aperture,
        "luminance": luminance,
        "size": size,
        "degrees": degrees,
        **({"edge": edge} if aperture == "disc" else {}),
        **({"surround_gap": gap, "surround_diameter": outer} if any(levels["surround_contrasts"]) else {}),
        **({"frame_rate": float(frame_rate), "duration": float(duration)} if drifts else {}),
    }
    made = provenance.stamp(made, "StimulusSet", "render_gratings", settings, title="gratings")
    return check(made, "StimulusSet")


def _row(
    centre: tuple[float, float],
    diameter: float | None,
    speed: float | None,
    frequency: float,
    orientation: float,
    phase: float,
    contrast: float,
    mask_contrast: float,
    mask_angle: float,
    mask_frequency: float | None,
    surround_contrast: float,
    surround_angle: float,
    turn: float,
) -> Grating:
    """Return one stimulus without what it has not."""
    something = bool(contrast or mask_contrast or surround_contrast)
    return Grating(
        orientation if contrast else None,
        frequency if contrast else None,
        phase if something else None,
        contrast,
        diameter if something else None,
        centre[0] if something else None,
        centre[1] if something else None,
        (orientation + mask_angle) % turn if mask_contrast else None,
        (mask_frequency or frequency) if mask_contrast else None,
        mask_contrast,
        (orientation + surround_angle) % turn if surround_contrast else None,
        frequency if surround_contrast else None,
        surround_contrast,
        speed if something else None,
    )


def _labels(rows: list[Grating]) -> dict[str, Any]:
    """Return the labels; those of masks, surrounds, windows and drift only where a stimulus has them."""
    coords = {}
    for label in (field.name for field in fields(Grating)):
        part = label.split("_")[0]
        values = [getattr(row, label) for row in rows]
        if part in ("mask", "surround") and not any(getattr(row, f"{part}_contrast") for row in rows):
            continue
        if label in ("grating_diameter", "temporal_frequency") and all(value is None for value in values):
            continue
        numbers = np.array([np.nan if value is None else value for value in values], dtype=float)
        coords[label] = ("stimulus", numbers, {"units": STIMULUS_LABELS[label].units[0]})
    return coords
