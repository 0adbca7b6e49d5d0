"""What gratings there can be: what pixels and frames resolve, what luminance allows, what fits into the picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.quantities import bare


def numbers(
    values: Any,
    unit: str,
    name: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
) -> list[float]:
    """Return a list of floats, at least one, each once."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise need(f"{name}: a list of numbers in {unit}", repr(values), f"Write {name}=[{values!r}]", kind=TypeError)
    numbers = [bare(value, unit, name, low=low, high=high, above=above) + 0.0 for value in values]
    if not numbers:
        raise need(f"{name}: at least one number in {unit}", "an empty list")
    doubled = sorted({number for number in numbers if numbers.count(number) > 1})
    if doubled:
        raise need(f"{name}: every value once", f"{', '.join(f'{number:g}' for number in doubled)} more than once")
    return numbers


def resolved(frequencies: list[list[float]], size: int, degrees: float) -> None:
    """Refuse frequencies, in cycles/degree, that the pixels cannot show."""
    limit, highest = size / degrees / 2, max(map(max, frequencies))
    if highest >= limit:
        raise need(
            f"frequencies below {limit:g} cycles/degree, half of the {size / degrees:g} px/degree",
            f"{highest:g} cycles/degree",
            f"Use lower frequencies, or a size of more than {2 * highest * degrees:.0f} px",
        )


def within(levels: dict[str, list[float]], luminance: float) -> None:
    """Refuse contrasts whose luminances would leave 0..1."""
    limit = min(1.0, 1 / luminance - 1)
    together, around = max(levels["contrasts"]) + max(levels["mask_contrasts"]), max(levels["surround_contrasts"])
    if (most := max(together, around)) > limit + 1e-9:
        masked = any(levels["mask_contrasts"])
        what = "contrasts of grating and mask that add up to at most" if masked else "contrasts of at most"
        raise need(
            f"{what if together >= around else 'surround contrasts of at most'} {limit:.4g}, for a luminance in 0..1 "
            f"about the mean {luminance:g}",
            f"{most:g}",
            "Lower the contrasts" + (" or the mean luminance" if luminance > 0.5 else ""),
        )


def centres_of(positions: Any) -> list[tuple[float, float]]:
    """Return the centres ``(x, y)`` in degrees."""
    if isinstance(positions, (str, bytes)) or not isinstance(positions, Iterable):
        raise need("positions: a list of centres [x, y] in degrees", repr(positions), kind=TypeError)
    centres = []
    for position in positions:
        if isinstance(position, (str, bytes)) or not isinstance(position, Iterable) or len(list(position)) != 2:
            raise need(
                "positions: a list of centres [x, y] in degrees",
                f"{position!r} in it",
                "Write positions=[[0, 0]]",
                kind=TypeError,
            )
        x, y = position
        centres.append((bare(x, "degree", "positions x") + 0.0, bare(y, "degree", "positions y") + 0.0))
    if not centres:
        raise need("positions: at least one centre [x, y]", "an empty list")
    if len(set(centres)) < len(centres):
        raise need("positions: every centre once", str(centres))
    return centres


def widths_of(aperture: str, diameters: Any, degrees: float) -> list[float] | list[None]:
    """Return the diameters in degrees, None for a full field."""
    if aperture == "full":
        if diameters is not None:
            raise need(
                "no diameters with the aperture 'full'", repr(diameters), "Use the aperture 'disc' or 'gaussian'"
            )
        return [None]
    if diameters is None:
        return [degrees / 2]
    return numbers(diameters, "degree", "diameters", above=0)


def fits(widths: Sequence[float | None], edge: float, centres: list[tuple[float, float]], degrees: float) -> None:
    """Refuse discs that the picture cuts off or that are narrower than their edge."""
    known = [width for width in widths if width is not None]
    if edge > min(known):
        raise need(
            f"an edge of at most the smallest diameter, {min(known):g} degrees", f"{edge:g}", "Use a narrower edge"
        )
    for x, y in centres:
        room = degrees - 2 * max(abs(x), abs(y)) - edge
        if max(known) > room + 1e-9:
            raise need(
                f"discs inside the picture: at ({x:g}, {y:g}), with an edge of {edge:g}, diameters "
                f"of at most {max(room, 0):g} degrees",
                f"{max(known):g}",
                "Use smaller discs or a picture of more degrees",
            )


def surrounded(
    aperture: str,
    widths: Sequence[float | None],
    edge: float,
    gap: float,
    outer: float | None,
    centres: list[tuple[float, float]],
    degrees: float,
) -> None:
    """Refuse surrounds that leave no annulus around the disc."""
    if aperture != "disc":
        raise need("the aperture 'disc' inside a surround", repr(aperture), "Use aperture='disc'")
    inner = max(width for width in widths if width is not None) + 2 * gap
    room = degrees - edge if outer is None else outer
    if inner + edge > room + 1e-9:
        raise need(
            f"a surround that is wider than the disc, the gap and an edge: {inner + edge:g} degrees",
            f"{room:g}" + (" degrees of picture" if outer is None else ""),
            "Use a larger surround_diameter" if outer is not None else "Use smaller discs or a picture of more degrees",
        )
    if outer is not None:
        fits([outer], edge, centres, degrees)


def frames_of(
    temporal_frequencies: Any, frame_rate: float, duration: float
) -> tuple[np.ndarray, list[float] | list[None]]:
    """Return the frames' times ``(frame,)`` in s and the temporal frequencies in Hz; none for still pictures."""
    if temporal_frequencies is None:
        return np.zeros(0), [None]
    frame_rate, duration = bare(frame_rate, "Hz", "frame_rate", above=0), bare(duration, "s", "duration", above=0)
    speeds = numbers(temporal_frequencies, "Hz", "temporal_frequencies", low=0)
    if max(speeds) >= frame_rate / 2:
        raise need(
            f"temporal frequencies below {frame_rate / 2:g} Hz, half of the frame rate",
            f"{max(speeds):g} Hz",
            "Use slower gratings or more frames per second",
        )
    frames = int(np.floor(duration * frame_rate + 1e-6))
    if frames < 1:
        raise need(f"a duration of at least one frame, {1 / frame_rate:.4g} s", f"{duration:g} s")
    return np.arange(frames) / frame_rate, speeds
