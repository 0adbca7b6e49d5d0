"""Time courses: how the intensity of a moving face runs, as a fraction of its peak."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nrsim.errors import need, unknown
from nrsim.quantities import bare

_ONSET, _APEX = 0.35, 0.60  # of the whole: the rise ends, the fall begins (chosen)
_RHYTHM = 5.0  # Hz, macaque lip-smacking (Ghazanfar, Chandrasekaran & Morrill 2010, Eur J Neurosci 31:1807: 3-8 Hz)


def _smooth(t: np.ndarray) -> np.ndarray:
    """Return the minimum-jerk rise from 0 to 1 (Flash & Hogan 1985)."""
    t = np.clip(t, 0.0, 1.0)
    return t**3 * (10 - 15 * t + 6 * t**2)


COURSES = ("hold", "ramp", "ramp_down", "expression", "expression_reversed", "rhythmic")


def time_course(name: str | Sequence[float], n_frames: int, frame_rate: float) -> np.ndarray:
    """Return a moving face's intensity at each frame as a fraction of its peak, ``(frame,)``.

    Parameters
    ----------
    name
        ``"hold"`` (1 throughout), ``"ramp"`` (0 to 1, linear), ``"ramp_down"``, ``"expression"`` (smooth onset, apex,
        slower offset), ``"expression_reversed"`` (the same backwards), ``"rhythmic"`` (a raised cosine at 5 Hz, as a
        lip-smack), or a number for each frame.
    n_frames
        Frames.
    frame_rate
        Hz.

    Raises
    ------
    ValueError, TypeError
        For an unknown name (the nearest is named), or another number of values than frames.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.time_course("ramp", 5, 30.0).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    if not isinstance(name, str):
        try:
            values = [bare(value, "1", "course") for value in name]
        except TypeError:
            raise need("course: a name or a number for each frame", repr(name), kind=TypeError) from None
        if len(values) != n_frames:
            raise need(f"course: {n_frames} numbers, one a frame", len(values))
        return np.array(values)
    t = np.arange(n_frames) / max(n_frames - 1, 1)
    if name == "hold":
        return np.ones(n_frames)
    if name in ("ramp", "ramp_down"):
        return t if name == "ramp" else t[::-1].copy()
    if name in ("expression", "expression_reversed"):
        rise, fall = _smooth(t / _ONSET), 1 - _smooth((t - _APEX) / (1 - _APEX))
        course = np.minimum(rise, fall)
        return course if name == "expression" else course[::-1].copy()
    if name == "rhythmic":
        return 0.5 - 0.5 * np.cos(2 * np.pi * _RHYTHM * np.arange(n_frames) / frame_rate)
    raise unknown("time course", name, COURSES)
