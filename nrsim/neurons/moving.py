"""The circuit that reads out moving faces, as rate units in Brian2: in seconds, with noise and trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.neurons.drive import between_frames, frame_times
from nrsim.neurons.grid import Grid, ratio
from nrsim.neurons.parameters import Parameter, Parameters, Plan
from nrsim.neurons.simulation import simulate
from nrsim.quantities import bare
from nrsim.schema import check

STAGES = ("v", "u_on", "u_off", "y", "D")


@dataclass(frozen=True)
class MovingCircuit(Parameters):
    """The stages v, u₊, u₋, y and D of :func:`simulate_moving`, one of each a neuron; times in s, noise in units of D.

    ``at_norm`` is where v begins (None: at the first drive), ``firing_rate`` what a D of 1 fires, in Hz.
    """

    tau_u: Parameter
    tau_v: Parameter
    tau_y: Parameter
    tau_d: Parameter
    inhibition: Parameter
    spared: Parameter
    noise: Parameter
    firing_rate: Parameter
    at_norm: Any

    spiking: ClassVar[bool] = False
    standalone: ClassVar[bool] = False
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("tau_u", "tau_v", "tau_y", "tau_d"), "s"),
        **dict.fromkeys(("inhibition", "spared", "noise"), "1"),
        "firing_rate": "Hz",
    }
    limits: ClassVar[Mapping[str, Mapping[str, float]]] = {
        **dict.fromkeys(("tau_u", "tau_v", "tau_y", "tau_d", "firing_rate"), {"above": 0.0}),
        "inhibition": {"low": 0.0},
        "spared": {"low": 0.0, "high": 1.0},
        "noise": {"low": 0.0},
    }
    states: ClassVar[Mapping[str, str]] = dict.fromkeys(STAGES, "1")
    equations: ClassVar[str] = """
        dv/dt = (s - v)/tau_v : 1
        du_on/dt = (clip(s - v, 0, inf) - u_on)/tau_u : 1
        du_off/dt = (clip(v - s, 0, inf) - u_off)/tau_u : 1
        dy/dt = (u_on + u_off - y)/tau_y : 1
        dD/dt = (y - D - weight*(others - spare*D))/tau_d + sigma*sqrt(2/tau_d)*xi : 1
        s = admit*drive(row(t_in_timesteps), column)/one : 1
        others : 1
        total : Hz
        """
    step: ClassVar[str] = """
        now = row(t_in_timesteps)
        apart = admit*drive(now, column)/one - v
        total = total + peak*D
        D = clip(D + (y - D - weight*(others - spare*D))*by_d + spread*noise(key, t_in_timesteps), 0, inf)
        y = y + (u_on + u_off - y)*by_y
        u_on = u_on + (clip(apart, 0, inf) - u_on)*by_u
        u_off = u_off + (clip(-apart, 0, inf) - u_off)*by_u
        v = v + apart*by_v
        """

    def plan(self, dt: float) -> Plan:
        """Return what Brian2 is given for steps of ``dt`` s."""
        constants: dict[str, tuple[Any, str]] = {
            **{name: (getattr(self, name), "s") for name in ("tau_u", "tau_v", "tau_y", "tau_d")},
            **{f"by_{name[-1]}": (dt / getattr(self, name), "1") for name in ("tau_u", "tau_v", "tau_y", "tau_d")},
            "weight": (self.inhibition, "1"),
            "spare": (self.spared, "1"),
            "sigma": (self.noise, "1"),
            "spread": (self.noise * np.sqrt(2.0 * dt / self.tau_d), "1"),
            "peak": (self.firing_rate, "Hz"),
            "one": (1.0, "nA"),
        }
        return Plan(self.equations, self.step, constants=constants)

    def start(self, current: np.ndarray, normal: Callable[[str], np.ndarray], dt: float) -> dict[str, np.ndarray]:
        """Return the state at the start: v at the norm, or at what is shown first."""
        return {"v": current if self.at_norm is None else np.broadcast_to(self.at_norm, current.shape).copy()}

    def operations(self, brian2: ModuleType, group: Any, shape: tuple[int, ...], grid: Grid) -> list[Any]:
        """Return what adds up D over the neurons of each presentation, at the start of every step."""
        d, others = (group.variables[name].get_value().reshape(shape) for name in ("D", "others"))

        def add_up() -> None:
            others[:] = d.sum(axis=1, keepdims=True)

        return [brian2.NetworkOperation(add_up, clock=group.clock, when="start", name="nrsim_sums")]


def simulate_moving(
    code: xr.Dataset,
    *,
    seed: int,
    trials: int = 1,
    dt: Any = None,
    frame: Any = None,
    tau_u: float = 3.0,
    tau_v: float = 3.0,
    tau_y: float = 15.0,
    tau_d: float = 5.0,
    inhibition: float = 0.8,
    spared: float = 0.8,
    noise: float = 0.0,
    firing_rate: Any = 100.0,
    start: str = "norm",
    bin: Any = None,  # noqa: A002
    record: Any = None,
    **options: Any,
) -> xr.Dataset:
    r"""Simulate the circuit that reads out moving faces as rate units: from a code with frames to firing rates.

    .. math::

        \tau_v \dot v &= s - v \\
        \tau_u \dot u_\pm &= [\pm(s - v)]_+ - u_\pm \\
        \tau_y \dot y &= u_+ + u_- - y \\
        \tau_d \dot D &= y - D - w\,(\textstyle\sum_k D_k - c D) + \sigma \sqrt{2\tau_d}\, \xi(t), \qquad D \ge 0

    Face neurons s, a unit each, drive differentiators v and u±, whose changes y are summed up and compete in D, within
    a presentation (Stettler et al. 2020, ICANN). Solved by Euler's rule, everything on the right being the step before:
    with ``dt`` of one frame these are the equations of their code, one step a frame, as
    :func:`nrsim.read_out_over_time` has them; with a smaller one, s is interpolated between frames (the last one is
    held) and the result goes to that of the differential equations. The firing rate is ``firing_rate`` × D.

    Parameters
    ----------
    code
        A FaceCode of moving faces, ``activity (stimulus, frame, neuron)``, of one encoder, with ``frame_time (frame)``
        in s, at even times.
    seed
        A whole number. The same seed gives the same recording.
    trials
        Repeats of each stimulus. Default 1; without noise all are the same.
    dt
        Step, in s: a frame or a whole fraction of it. Default: the time between frames.
    frame
        Length of the frame that the time constants count in, in s. Default: the time between the frames shown. The
        source does not state its frame rate; ``frame=1/60`` makes τ_y 0.25 s.
    tau_u, tau_v, tau_y, tau_d
        Time constants, in frames. Default 3, 3, 15 and 5 (Stettler et al. 2020). None may be shorter than ``dt``.
    inhibition
        w, strength of the competition. Default 0.8 (same).
    spared
        c, the share of the inhibition that a neuron spares itself, 0 to 1. Default 0.8 (same).
    noise
        σ, standard deviation that D would have by itself, without competition or rectification, in units of activity.
        Default 0: none, as in the source.
    firing_rate
        Firing rate at D = 1, in Hz. Default 100, chosen.
    start
        What was seen before the first frame: ``"norm"``, the label ``baseline`` (0 where there is none), or
        ``"first"``, the first frame.
    bin
        Width of the bins, in s, a multiple of ``dt``. Default: the time between frames. With ``bin`` = ``dt``, a bin
        holds D at its start.
    record
        Stages to keep, of ``v``, ``u_on``, ``u_off``, ``y`` and ``D``, as :func:`nrsim.simulate` takes it.
    **options
        ``target``, ``block``, ``workers``, ``scheduler``, ``out``, ``progress``, ``record_step`` and ``variability``
        as :func:`nrsim.simulate` takes them, but ``variability`` is ``"none"`` by default; its gains multiply s.

    Returns
    -------
    Recording
        ``firing_rate (stimulus, trial, neuron, time)`` in Hz, one decision neuron for each neuron of the code.

    Raises
    ------
    SchemaError
        If it is no FaceCode, or has no ``frame_time``.
    TypeError, ValueError
        If the faces do not move, there are several encoders, frames are not even, ``dt`` is no fraction of a frame, a
        constant is out of range, the competition would not settle, or as :func:`nrsim.simulate`.

    Examples
    --------
    >>> import numpy as np
    >>> import nrsim as nr
    >>> code = nr.example("FaceCode")
    >>> course = nr.time_course("expression", 60, 60.0)
    >>> moving = code.assign(activity=code["activity"].expand_dims(frame=60, axis=1) * course[:, None])
    >>> moving = moving.assign_coords(frame_time=("frame", np.arange(60) / 60, {"units": "s"}))
    >>> moving["activity"].attrs["units"] = "1"
    >>> recording = nr.simulate_moving(moving, seed=1)
    >>> dict(recording["firing_rate"].sizes)
    {'stimulus': 14, 'trial': 1, 'neuron': 2, 'time': 60}
    """
    check(code, "FaceCode")
    if "warm_up" in options:
        raise need("no warm_up", "one", "The circuit begins with the first frame; start says what was seen before")
    between = _between(code)
    step = between if dt is None else bare(dt, "s", "dt", above=0.0)
    per_frame = ratio(between, step)
    if not per_frame:
        raise need(f"dt: a frame of {between:g} s or a whole fraction of it", f"{step:g} s", f"Use dt={between / 2:g}")
    step = between / per_frame
    length = between if frame is None else bare(frame, "s", "frame", above=0.0)
    taus = {"tau_u": tau_u, "tau_v": tau_v, "tau_y": tau_y, "tau_d": tau_d}
    if start not in ("norm", "first"):
        raise unknown("start", start, ("norm", "first"))
    circuit = MovingCircuit(
        **{name: bare(value, "1", name, above=0.0) * length for name, value in taus.items()},
        inhibition=inhibition,
        spared=spared,
        noise=noise,
        firing_rate=firing_rate,
        at_norm=_at_norm(code) if start == "norm" else None,
    )
    n = code.sizes["neuron"]
    fastest = (1.0 + circuit.inhibition * (n - circuit.spared)) / 2.0
    if circuit.tau_d / step < fastest * (1 - 1e-9):
        raise need(
            f"dt of {circuit.tau_d / fastest:g} s at most, so that {n} neurons that inhibit each other settle",
            f"{step:g} s",
            "Make dt smaller, tau_d larger, or inhibition weaker",
        )
    return simulate(
        _drive(code, between, per_frame, {"frame": length, "start": start}),
        circuit,
        trials=trials,
        seed=seed,
        bin=between if bin is None else bin,
        dt=step,
        warm_up=0.0,
        record=record,
        **{"variability": "none", **options},
    )


def _between(code: xr.Dataset) -> float:
    """Return the time between frames in s, of faces that move evenly and one encoder's neurons."""
    if "frame" not in code["activity"].dims:
        raise need("moving faces, activity (stimulus, frame, neuron)", "still ones")
    encoders = list(dict.fromkeys(code["encoder"].values.astype(str).tolist()))
    if len(encoders) > 1:
        raise need(
            "the neurons of one encoder, which compete",
            f"those of {', '.join(map(repr, encoders))}",
            f"Choose one: code.sel(neuron=code['encoder'] == {encoders[0]!r})",
        )
    times = frame_times(code)
    if len(times) < 2:
        raise need("moving faces of two frames at least", f"{len(times)}")
    between = float(times[-1] - times[0]) / (len(times) - 1)
    if not np.allclose(np.diff(times), between, rtol=1e-3, atol=0.0):
        steps = np.diff(times)
        raise need("frames at even times", f"steps from {steps.min():g} to {steps.max():g} s")
    return between


def _at_norm(code: xr.Dataset) -> np.ndarray:
    if "baseline" not in code.coords:
        return np.zeros(code.sizes["neuron"])
    return np.nan_to_num(np.asarray(code["baseline"].values, dtype=np.float64))


def _drive(code: xr.Dataset, between: float, per_frame: int, settings: dict[str, Any]) -> xr.Dataset:
    """Return s as a current, 1 nA for an activity of 1, on steps of a fraction of a frame from the first frame on."""
    frames = np.arange(code.sizes["frame"], dtype=np.float64)
    steps = np.arange(len(frames) * per_frame)
    values = code["activity"].values.astype(np.float64)
    shown = values.transpose(0, 2, 1) if per_frame == 1 else between_frames(values, frames, steps / per_frame)
    drive = code.drop_vars("activity").drop_dims("frame", errors="ignore")
    drive["current"] = (("stimulus", "neuron", "time"), shown, {"units": "nA"})
    first = round(float(code["frame_time"].values[0]) / (between / per_frame)) * (between / per_frame)
    drive = drive.assign_coords(time=("time", first + steps * (between / per_frame), {"units": "s"}))
    stamped = provenance.stamp(
        drive,
        "Drive",
        "simulate_moving",
        settings,
        parents=[code],
        stimulus_onset=0.0,
        stimulus_duration=between * code.sizes["frame"],
    )
    return check(stamped, "Drive")
