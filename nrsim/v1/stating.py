"""What a bank's settings mean: lists of numbers, and the receptive field's shape from whichever way it was stated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.quantities import bare
from nrsim.v1 import gabor

BANDWIDTH = 1.4  # octaves
ORIENTATION_BANDWIDTH = 50.0  # degree; the sources of both are in V1Bank
BROADEST = 3.0  # octaves
SHORTEST = 0.24  # cycles: the standard deviation across the bars that BROADEST gives, .241


@dataclass(frozen=True)
class Shape:
    """The envelope's standard deviations in cycles of the preferred frequency, and how they were stated."""

    across: float
    along: float
    bandwidth: float | None = None
    orientation_bandwidth: float | None = None
    aspect_ratio: float | None = None
    envelope: list[float] | None = None


def shape(
    bandwidth: float | None,
    orientation_bandwidth: float | None,
    aspect_ratio: float | None,
    envelope: Sequence[float] | None,
) -> Shape:
    """Return the shape that was stated one way or the other, defaults filled in.

    Raises
    ------
    TypeError, ValueError
        For what is stated twice, is out of range, or no Gabor has.
    """
    given = {"bandwidth": bandwidth, "orientation_bandwidth": orientation_bandwidth, "aspect_ratio": aspect_ratio}
    stated = [name for name, value in given.items() if value is not None]
    if envelope is not None:
        if stated:
            todo = "Each says the shape of the receptive field by itself: leave out one"
            raise need("either envelope or bandwidths", f"envelope and {' and '.join(stated)}", todo, kind=TypeError)
        if not isinstance(envelope, (Sequence, np.ndarray)) or np.size(envelope) != 2:
            raise need("envelope: (across, along) in cycles of the preferred frequency", repr(envelope))
        pair = numbers(envelope, "1", "envelope", above=0, each_once=False)
        if pair[0] < SHORTEST:
            raise need(
                f"envelope: at least {SHORTEST:.2g} cycles across the bars, as {BROADEST:g} octaves have",
                f"{pair[0]:g}",
                "The mean is taken away: what is left of a shorter one prefers higher frequencies than it is set to",
            )
        return Shape(pair[0], pair[1], envelope=pair)
    if orientation_bandwidth is not None and aspect_ratio is not None:
        raise need("orientation_bandwidth or aspect_ratio", "both", "Each gives the other", kind=TypeError)
    octaves = bare(BANDWIDTH if bandwidth is None else bandwidth, "1", "bandwidth", above=0, high=BROADEST)
    across = gabor.across_from_bandwidth(octaves)
    if aspect_ratio is not None:
        ratio = bare(aspect_ratio, "1", "aspect_ratio", above=0)
        return Shape(across, across * ratio, octaves, aspect_ratio=ratio)
    default = ORIENTATION_BANDWIDTH if orientation_bandwidth is None else orientation_bandwidth
    angle = bare(default, "degree", "orientation_bandwidth", above=0, high=180)
    along = gabor.along_from_orientation(across, angle)
    if not along > 0:
        widest = gabor.widest_orientation(across)
        raise need(
            f"an orientation bandwidth below {widest:.3g} degrees, as {octaves:g} octaves allow",
            f"{angle:g}",
            "A broader tuning for orientation needs a broader one for frequency",
        )
    return Shape(across, along, octaves, angle)


def numbers(
    values: Any, unit: str, name: str, *, above: float | None = None, each_once: bool = True, counted: bool = False
) -> list[float]:
    """Return a list of numbers in ``unit``.

    Parameters
    ----------
    values
        What was given.
    unit, name, above
        As :func:`nrsim.quantities.bare`.
    each_once
        Whether a number may come once only.
    counted
        Whether a whole number, how many, could have been given instead; for the message.

    Raises
    ------
    TypeError, ValueError
        If they are none, or out of bounds.
    """
    within = "" if unit == "1" else f" in {unit}"
    several = isinstance(values, Iterable) and getattr(values, "ndim", 1) > 0
    if not several or isinstance(values, (str, bytes, Mapping)):
        number = isinstance(values, (int, float, np.number)) and not isinstance(values, bool)
        todo = f"For one write [{values:g}]" if number else ""
        what = f"{name}: how many, a whole number, or a list{within}" if counted else f"{name}: a list{within}"
        raise need(what, repr(values), todo, kind=TypeError)
    found = [bare(value, unit, name, above=above) for value in values]
    if not found or (each_once and len(set(found)) < len(found)):
        raise need(f"{name}: one or more, each once", str(found))
    return found
