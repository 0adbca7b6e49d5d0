"""From activity to input current over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from scipy.signal import lfilter

from nrsim import provenance
from nrsim.errors import SchemaError, need
from nrsim.neurons.dynamics import LateSuppression, later, shifted, suppression_of
from nrsim.quantities import bare
from nrsim.schema import check


def low_pass(signal: np.ndarray, dt: float, time_constant: float) -> np.ndarray:
    """Return ``signal (…, time)``, constant within each step, through a first-order low-pass filter.

    The value at step k is the exact solution of dm/dt = (signal − m) / time_constant at the start of the step,
    from m = 0.
    """
    keep = np.exp(-dt / time_constant)
    return lfilter([0.0, 1.0 - keep], [1.0, -keep], signal, axis=-1)


def adapting(since: np.ndarray, sustained: float, time_constant: float) -> np.ndarray:
    """Return the factor ``(time,)`` by which a response has adapted, ``since`` seconds after it began."""
    return sustained + (1.0 - sustained) * np.exp(-np.clip(since, 0.0, None) / time_constant)


def present(
    activity: xr.Dataset,
    *,
    onset: Any = 0.0,
    duration: Any = 0.3,
    gain: Any = 0.14,
    baseline: Any = 0.05,
    latency: Any = 0.098,
    rise: Any = 0.01,
    sustained: float = 0.65,
    adaptation: Any = 0.04,
    before: Any = 0.1,
    after: Any = 0.2,
    dt: Any = 0.001,
    suppression: LateSuppression | None = None,
    slowing: Any = 0.0,
    slowing_activity: float = 0.5,
) -> xr.Dataset:
    r"""Present each stimulus once: from activity to the input current of the neurons over time.

    .. math::

        I_{sn}(t) = I_0 + g\, m_{sn}(t)\, c(t), \qquad \tau_r \dot m_{sn} = a_{sn}(t - \ell) - m_{sn}, \qquad
        c(t) = \kappa + (1 - \kappa)\, e^{-[t - t_0 - \ell]_+ / \tau_a}

    where a is the activity while the stimulus is shown and 0 otherwise, I₀ the baseline, g the gain, ℓ the latency,
    τ_r the rise, κ the sustained level, τ_a the adaptation and t₀ the onset. The defaults, with the defaults of
    :class:`nrsim.AdaptiveLIF`, give population responses like those of face patch AM (Freiwald & Tsao 2010,
    recordings: half-rise at 110 ms, peak at 132 ms, then a lower sustained level).

    Parameters
    ----------
    activity
        A FaceCode: ``activity (stimulus, neuron)``, about 0 at the norm and 1 at the prototype. For a moving face
        ``activity (stimulus, frame, neuron)`` with the coordinate ``frame_time (frame)`` in s after stimulus onset:
        interpolated between frames, the first and last one held.
    onset
        When the stimulus appears, in s. Default 0, which is what time 0 means everywhere.
    duration
        How long it is shown, in s. Default 0.3, chosen.
    gain
        Current added per unit of activity, in nA. Default 0.14, chosen so that a prototype gives about 20 Hz
        after a first peak of about 28 Hz.
    baseline
        Current without a stimulus, in nA. Default 0.05, chosen so that a neuron at rest fires at 4 to 5 Hz
        (AM: 4.4 Hz).
    latency
        From onset to the first change of current, in s. Default 0.098, chosen for AM's half-rise at 110 ms.
    rise
        Time constant of the rise, and of the fall after the stimulus, in s. Default 0.01, chosen for AM's peak
        at 132 ms.
    sustained
        Current after adaptation as a fraction of that at onset, 0 to 1. Default 0.65, chosen.
    adaptation
        Time constant of the decay to the sustained level, in s. Default 0.04, chosen.
    before, after
        How much time to cover before the onset and after the end of the stimulus, in s. Defaults 0.1 and 0.2, chosen.
    dt
        Step of the current, in s; the current is constant within a step. Default 0.001, chosen.

    suppression
        :class:`nrsim.LateSuppression`: the average face is suppressed after the first response. Default None: not.
    slowing
        δ, in s: a response of activity a begins δ/(1 + \|a\|/a_h) later, so that weak ones come late; of a moving face
        a is the greatest over its frames. In whole steps of ``dt``. Default 0: all begin together.
    slowing_activity
        a_h, the activity at which half of δ is left. Default 0.5, chosen.

    Returns
    -------
    Drive
        ``current (stimulus, neuron, time)`` in nA, float32. All labels of the activity travel.

    Raises
    ------
    SchemaError
        If ``activity`` is no FaceCode, holds NaN or infinity, or has frames without ``frame_time``.
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> drive = nr.present(nr.example("FaceCode"), duration=0.3)
    >>> dict(drive.sizes)
    {'stimulus': 14, 'neuron': 2, 'time': 600}
    """
    check(activity, "FaceCode")
    t = {
        "onset": bare(onset, "s", "onset"),
        "duration": bare(duration, "s", "duration", above=0.0),
        "latency": bare(latency, "s", "latency", low=0.0),
        "rise": bare(rise, "s", "rise", above=0.0),
        "adaptation": bare(adaptation, "s", "adaptation", above=0.0),
        "before": bare(before, "s", "before", low=0.0),
        "after": bare(after, "s", "after", low=0.0),
        "dt": bare(dt, "s", "dt", above=0.0),
    }
    current = {"gain": bare(gain, "nA", "gain"), "baseline": bare(baseline, "nA", "baseline")}
    kept = bare(sustained, "1", "sustained", low=0.0, high=1.0)
    suppression = suppression_of(suppression)
    slow = bare(slowing, "s", "slowing", low=0.0)
    half_at = bare(slowing_activity, "1", "slowing_activity", above=0.0)
    steps = [round((t[name]) / t["dt"]) for name in ("before", "duration", "after")]
    if abs(steps[1] * t["dt"] - t["duration"]) > 1e-6 * t["dt"] or steps[1] < 1:
        raise need("a duration that is a multiple of dt", f"duration {t['duration']:g} s, dt {t['dt']:g} s")
    time = t["onset"] + np.arange(-steps[0], steps[1] + steps[2]) * t["dt"]

    since = time - t["onset"] - t["latency"]
    half = t["dt"] / 2
    shown = ((since > -half) & (since < t["duration"] - half)).astype(float)
    envelope = adapting(since, kept, t["adaptation"])
    values = activity["activity"].values
    if "frame" in activity["activity"].dims:
        moving = between_frames(values, frame_times(activity), since) * shown
        course = low_pass(moving, t["dt"], t["rise"]) * envelope
    else:
        course = values[:, :, None] * (low_pass(shown, t["dt"], t["rise"]) * envelope)
    if suppression is not None:
        course = suppression.applied(low_pass(shown, t["dt"], t["rise"]) * envelope, course, since)
    if slow:
        strongest = np.abs(values).max(axis=1) if "frame" in activity["activity"].dims else values
        course = shifted(course, np.rint(later(strongest, slow, half_at) / t["dt"]).astype(int))
    drive = activity.drop_vars("activity").drop_dims("frame", errors="ignore")
    drive["current"] = (
        ("stimulus", "neuron", "time"),
        (current["baseline"] + current["gain"] * course).astype(np.float32),
        {"units": "nA"},
    )
    drive = drive.assign_coords(time=("time", time.round(9), {"units": "s"}))
    stamped = provenance.stamp(
        drive,
        "Drive",
        "present",
        t
        | current
        | {"sustained": kept}
        | ({} if suppression is None else {"suppression": suppression})
        | ({"slowing": slow, "slowing_activity": half_at} if slow else {}),
        parents=[activity],
        stimulus_onset=t["onset"],
        stimulus_duration=t["duration"],
    )
    return check(stamped, "Drive")


def frame_times(activity: xr.Dataset) -> np.ndarray:
    """Return the times of a code's frames ``(frame,)`` in s.

    Raises
    ------
    SchemaError
        If there are none, or they are not finite or do not increase.
    """
    if "frame_time" not in activity.coords:
        raise SchemaError(
            "needed frame_time (frame), the time of each frame in s after stimulus onset, beside activity "
            f"(stimulus, frame, neuron); got the coordinates {', '.join(map(str, activity.coords))}"
        )
    times = np.asarray(activity["frame_time"].values, dtype=float)
    if not (np.all(np.isfinite(times)) and np.all(np.diff(times) > 0)):
        raise SchemaError(f"frame_time: needed finite times in s that increase; got {times}")
    return times


def between_frames(values: np.ndarray, frame_time: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return ``(stimulus, neuron, time)`` from ``(stimulus, frame, neuron)``, interpolated; held at the ends."""
    position = np.interp(time, frame_time, np.arange(len(frame_time)))
    left = np.minimum(position.astype(int), max(len(frame_time) - 2, 0))
    right = np.minimum(left + 1, len(frame_time) - 1)
    part = (position - left)[:, None, None]
    series = np.moveaxis(values, 1, 0)
    return np.moveaxis(series[left] * (1 - part) + series[right] * part, 0, -1)
