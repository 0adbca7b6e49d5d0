"""Moving faces read out by a circuit: which expression, since when, and how strong at every moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need, unknown
from nrsim.quantities import bare
from nrsim.readout.circuit import Circuit, peak_after_step, run
from nrsim.readout.pools import Pools, pools_of, threshold_of
from nrsim.readout.still import decide

_ABOUT = {
    "activity": "s, face neurons",
    "v": "v, activity a little while ago",
    "u_on": "u₊, rise",
    "u_off": "u₋, fall",
    "y": "y, change of late",
    "D": "D, decision neurons",
}


def read_out_over_time(
    code: xr.Dataset,
    *,
    threshold: Any = "half",
    neutral: str = "neutral",
    encoder: str | None = None,
    tau_u: float = 3.0,
    tau_v: float = 3.0,
    tau_y: float = 15.0,
    tau_d: float = 5.0,
    inhibition: float = 0.8,
    spared: float = 0.8,
    step: float | None = None,
    start: str = "norm",
) -> xr.Dataset:
    """Return what a circuit reads out of moving faces: every stage over time, the decision and when it was made.

    Face neurons s drive differentiators, whose changes are summed up and compete (Stettler et al. 2020, ICANN; the
    constants and the order of the updates are those of the authors' code). One step a frame, everything on the right
    being the step before:

    - v ← ((τ_v − 1) v + s) / τ_v
    - u± ← ((τ_u − 1) u± + [±(s − v)]₊) / τ_u
    - y ← ((τ_y − 1) y + u₊ + u₋) / τ_y
    - D ← [((τ_d − 1) D + y − W·D) / τ_d]₊, W = w (1 − c I), 1 being the matrix of ones

    The circuit answers to change alone: a face that does not move leaves all stages but v at 0, and rise and fall count
    alike, so that a movement and its reverse are read out alike. The answer is the neuron of the largest peak of D.
    For an answer of each frame by itself use :func:`nrsim.read_out`.

    Parameters
    ----------
    code
        A FaceCode of moving faces, ``activity (stimulus, frame, neuron)``. Neurons that prefer the same are averaged:
        one decision neuron for each answer.
    threshold
        What D must reach for an answer other than ``neutral``. ``"half"``: half the peak of D if the weakest neuron's
        activity stepped from its norm to its prototype and stayed, the others being silent; known from the stored
        images alone (chosen). A step is the fastest movement there is; a slow one brings less. Or a number, in units of
        activity; or None: never neutral, unless nothing moved.
    neutral, encoder
        As in :func:`nrsim.read_out`.
    tau_u, tau_v, tau_y, tau_d
        Time constants in steps, 1 or more. Default 3, 3, 15 and 5 (Stettler et al. 2020).
    inhibition
        w, strength of the competition. Default 0.8 (same).
    spared
        c, the share of the inhibition that a neuron spares itself, 0 to 1. Default 0.8 (same).
    step
        Length of a step, s, at most that of a frame: activity is interpolated between frames, and all results stand on
        the steps. Default: a step is a frame, as in the source, whose frame rate is not stated. With 15 frames a second
        τ_y would be a whole second; ``step=1/60`` makes it 0.25 s.
    start
        What was seen before the first frame: ``"norm"``, so that a face that is expressive at once is a change (as in
        the source), or ``"first"``, the first frame itself.

    Returns
    -------
    xarray.Dataset
        The stages ``activity`` (s), ``v``, ``u_on``, ``u_off``, ``y`` and ``D``, each ``(stimulus, frame, neuron)``;
        over time ``(stimulus, frame)``: ``answer_over_time`` (whose D is the largest now, ``neutral`` below θ) and
        ``intensity_over_time``, read as in :func:`nrsim.read_out` from the activity s of the forced answer; and of the
        whole movement ``(stimulus)``: ``answer``, ``forced_answer``, ``read_intensity`` (the largest over time),
        ``peak`` of D, ``margin`` (in D, ahead of the next answer's peak or of θ), ``decision_frame`` (the first at
        which the answer's D is at θ or above; −1 where it is ``neutral``) and, where frames have times,
        ``decision_time`` in s (NaN where it is ``neutral``).

    Raises
    ------
    SchemaError
        If it is no valid FaceCode.
    ValueError, TypeError
        If the faces do not move, a constant is out of range, the competition would not settle, or as
        :func:`nrsim.read_out`.

    Examples
    --------
    >>> import numpy as np
    >>> import nrsim as nr
    >>> code = nr.example("FaceCode")
    >>> course = nr.time_course("expression", 60, 60.0)
    >>> moving = code.assign(activity=code["activity"].expand_dims(frame=60, axis=1) * course[:, None])
    >>> moving = moving.assign_coords(frame_time=("frame", np.arange(60) / 60, {"units": "s"}))
    >>> moving["activity"].attrs["units"] = "1"
    >>> said = nr.read_out_over_time(moving, threshold=0.01)
    >>> str(said["answer"].values[3]), float(said["decision_time"][3].round(2))
    ('happy', 0.2)
    """
    circuit = _circuit(tau_u, tau_v, tau_y, tau_d, inhibition, spared)
    if start not in ("norm", "first"):
        raise unknown("start", start, ("norm", "first"))
    pools = pools_of(code, encoder, neutral)
    if "frame" not in code["activity"].dims:
        raise need(
            "moving faces, activity (stimulus, frame, neuron)",
            "still ones",
            "Use nr.read_out for faces that do not move",
        )
    if not code.sizes["frame"]:
        raise need("moving faces of one frame at least", "no frames")
    n = len(pools.names)
    if circuit.tau_d < circuit.fastest(n):
        raise need(
            f"tau_d of {circuit.fastest(n):g} steps at least, so that {n} answers that inhibit each other settle",
            f"{circuit.tau_d:g}",
            "Make tau_d larger (and step smaller), or inhibition weaker",
        )
    level = threshold_of(threshold, pools, peak_after_step(circuit))
    activity, coords = _on_steps(code, pools.activity, step)
    traces = run(activity, circuit, activity[..., 0, :] if start == "first" else _at_norm(pools))
    data = _decided(activity, traces, coords, pools, level)
    data = data.assign_coords(labels.carried(code) | coords)
    data = data.assign_coords(
        neuron_id=("neuron", pools.neuron_ids), encoder=("neuron", [pools.encoder] * n), prefers=("neuron", pools.names)
    )
    settings = {"threshold": threshold, "neutral": neutral, "encoder": pools.encoder, "step": step, "start": start}
    constants = {name: getattr(circuit, name) for name in circuit.__dataclass_fields__}
    return provenance.stamp(
        data,
        "ReadoutOverTime",
        "read_out_over_time",
        settings | constants,
        parents=[code],
        threshold=level if np.isfinite(level) else "none",
        neutral=neutral,
        answers=provenance.as_json(pools.names),
    )


def _circuit(tau_u: float, tau_v: float, tau_y: float, tau_d: float, inhibition: float, spared: float) -> Circuit:
    taus = {"tau_u": tau_u, "tau_v": tau_v, "tau_y": tau_y, "tau_d": tau_d}
    return Circuit(
        **{name: bare(value, "1", name, low=1.0) for name, value in taus.items()},
        inhibition=bare(inhibition, "1", "inhibition", low=0.0),
        spared=bare(spared, "1", "spared", low=0.0, high=1.0),
    )


def _at_norm(pools: Pools) -> np.ndarray:
    return np.nan_to_num(pools.at_norm)


def _on_steps(code: xr.Dataset, activity: np.ndarray, step: float | None) -> tuple[np.ndarray, dict[str, Any]]:
    """Return ``activity (stimulus, frame, answer)`` on the circuit's steps, and the labels of the steps."""
    coords: dict[str, Any] = {name: code[name] for name in ("frame_time", "frame_intensity") if name in code.coords}
    if step is None:
        return activity, coords
    if "frame_time" not in coords:
        raise need("frame_time (frame) in s beside step", "none", "Leave step out: a step is then a frame")
    times = coords["frame_time"].values.astype(np.float64)
    if len(times) < 2 or (np.diff(times) <= 0).any():
        raise need("frame_time (s) that rises from frame to frame", f"{times[:6].tolist()}")
    step = bare(step, "s", "step", above=0.0)
    longest = float(np.diff(times).min())
    if step > longest * (1 + 1e-9):
        raise need(
            f"step of {longest:g} s at most, a frame", f"{step:g}", "Frames that a step passes over would be lost"
        )
    fine = times[0] + step * np.arange(int(np.floor((times[-1] - times[0]) / step + 1e-9)) + 1)
    after = np.clip(np.searchsorted(times, fine, side="right"), 1, len(times) - 1)
    share = ((fine - times[after - 1]) / np.diff(times)[after - 1]).clip(0.0, 1.0)

    def between(values: np.ndarray, axis: int) -> np.ndarray:
        moved = np.moveaxis(values.astype(np.float64), axis, -1)
        return np.moveaxis(moved[..., after - 1] * (1 - share) + moved[..., after] * share, -1, axis)

    coords["frame_time"] = ("frame", fine, {"units": "s"})
    if "frame_intensity" in coords:
        intensity = coords["frame_intensity"]
        coords["frame_intensity"] = (("stimulus", "frame"), between(intensity.values, 1), dict(intensity.attrs))
    return between(activity, 1), coords


def _decided(
    activity: np.ndarray, traces: dict[str, np.ndarray], coords: dict[str, Any], pools: Pools, level: float
) -> xr.Dataset:
    """Return the stages, and what is decided at each step and of the whole movement."""
    d = traces["D"]
    now, whole = decide(d, pools, level), decide(d.max(axis=1, initial=0.0), pools, level)
    index = {name: i for i, name in enumerate(pools.names)}

    def of(answers: np.ndarray) -> np.ndarray:
        return np.vectorize(lambda name: index.get(str(name), 0), otypes=[int])(answers)

    leading = of(now["forced_answer"])
    s_now = np.take_along_axis(activity, leading[..., None], -1)[..., 0]
    chosen = of(whole["forced_answer"])
    s_chosen = np.take_along_axis(activity, chosen[:, None, None], -1)[..., 0]
    read = pools.intensity(s_chosen, np.broadcast_to(chosen[:, None], s_chosen.shape))
    given = of(whole["answer"])
    above = np.take_along_axis(d, given[:, None, None], -1)[..., 0]
    above = (above >= level) & (above > 0)
    decided = (whole["answer"] != pools.neutral) & above.any(axis=1)
    frame = np.where(decided, above.argmax(axis=1), -1)
    three, two, one = ("stimulus", "frame", "neuron"), ("stimulus", "frame"), "stimulus"
    unit = {"units": "1"}
    data: dict[str, Any] = {
        name: (three, values, unit | {"long_name": _ABOUT[name]})
        for name, values in ({"activity": activity} | traces).items()
    }
    data |= {
        "answer_over_time": (two, now["answer"]),
        "intensity_over_time": (two, pools.intensity(s_now, leading), unit),
        "answer": (one, whole["answer"]),
        "forced_answer": (one, whole["forced_answer"]),
        "read_intensity": (one, read.max(axis=1), unit),
        "peak": (one, whole["largest_activity"], unit),
        "margin": (one, whole["margin"], unit),
        "decision_frame": (one, frame, unit),
    }
    if "frame_time" in coords:
        times = coords["frame_time"]
        shown = np.asarray(times[1] if isinstance(times, tuple) else times.values, dtype=np.float64)
        data["decision_time"] = (one, np.where(decided, shown[np.maximum(frame, 0)], np.nan), {"units": "s"})
    return xr.Dataset(data)
