"""One population in one Brian2 group: built, run, and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.neurons.functions import functions
from nrsim.neurons.grid import Grid
from nrsim.neurons.parameters import SI, Parameters, Plan

Report = Callable[[float], None] | None


@dataclass(frozen=True)
class Part:
    """What some elements did, numbered from 0.

    Parameters
    ----------
    spike_step, spike_element
        ``(spike,)`` int64: the step (from the end of the warm-up) and the element of each spike, in order of time.
    firing_rate
        ``(bin, element)`` mean firing rate in Hz, float32, of neurons that do not spike.
    states
        State variable → ``(sample, presentation, recorded)`` float32, in SI units.
    """

    spike_step: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    spike_element: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    firing_rate: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    states: dict[str, np.ndarray] = field(default_factory=dict)

    def cut(self, first: int, last: int, n_neurons: int) -> Part:
        """Return what presentations ``first`` to ``last`` (not included) did, numbered from 0."""
        low, high = first * n_neurons, last * n_neurons
        mine = (self.spike_element >= low) & (self.spike_element < high)
        return Part(
            self.spike_step[mine],
            self.spike_element[mine] - low,
            self.firing_rate[:, low:high],
            {name: value[:, first:last] for name, value in self.states.items()},
        )


@dataclass(frozen=True)
class Record:
    """Which state variables are kept, of which neurons, every how many steps."""

    names: tuple[str, ...]
    neurons: np.ndarray
    steps: int

    def samples(self, grid: Grid) -> int:
        """Return how many samples the bins of ``grid`` hold."""
        return -(-grid.n_bins * grid.steps_per_bin // self.steps)


@dataclass(frozen=True)
class Inputs:
    """What drives a population.

    Parameters
    ----------
    rows
        ``(time, column)`` input current in nA, constant for a row of the grid.
    column, keys, gain
        ``(presentation, neuron)``: which column drives an element, the uint64 key of its noise, the factor on its
        current.
    normal
        Gives standard normal numbers ``(presentation, neuron)`` for a name, for the state at the start.
    """

    rows: np.ndarray
    column: np.ndarray
    keys: np.ndarray
    gain: np.ndarray
    normal: Callable[[str], np.ndarray]

    @property
    def elements(self) -> int:
        """Neurons × presentations."""
        return int(self.column.size)


def build(brian2: ModuleType, model: Parameters, inputs: Inputs, grid: Grid) -> tuple[Any, dict[str, np.ndarray]]:
    """Return the Brian2 group of a model, and the values its variables have at the start.

    Parameters
    ----------
    brian2
        The module, from :func:`nrsim.neurons.brian.guest`.
    model
        The model, its parameters resolved.
    inputs, grid
        What drives it, and when.
    """
    plan = model.plan(grid.dt)
    called = functions(
        brian2,
        inputs.keys.ravel(),
        inputs.rows * 1e-9,
        grid.steps_per_row,
        grid.warm_up,
        {"noise": ("normal", ""), **plan.functions},
    )
    values: dict[str, np.ndarray] = {
        "column": inputs.column.ravel().astype(np.int32),
        "key": inputs.keys.ravel().view(np.int64),
        "gain": inputs.gain.ravel(),
        "admit": (inputs.gain * plan.admit).ravel(),
    }
    lines = ["column : integer (constant)", "key : integer (constant)", "gain : 1 (constant)", "admit : 1 (constant)"]
    for name, (value, unit) in plan.constants.items():
        dimension, size = SI.get(unit, (unit, 1.0))
        flags = "constant" if np.ndim(value) else "constant, shared"
        lines.append(f"{name} : {dimension} ({flags})")
        scaled = np.asarray(value, dtype=np.float64) * size
        values[name] = np.broadcast_to(scaled, inputs.gain.shape).ravel() if np.ndim(value) else scaled
    drive = inputs.gain * inputs.rows[0, inputs.column]
    values |= {name: value.ravel() for name, value in model.start(drive, inputs.normal, grid.dt).items()}
    group = brian2.NeuronGroup(
        inputs.elements,
        plan.equations + "\n" + "\n".join(lines),
        method=_step(plan),
        clock=brian2.Clock(dt=grid.dt * brian2.second, name="nrsim_clock"),
        namespace={**plan.namespace, **called},
        dtype={"key": np.int64},
        name="nrsim_neurons",
        threshold=plan.threshold or None,
        reset=plan.reset or None,
        refractory=plan.refractory,
    )
    return group, values


def fill(group: Any, plan: Plan, values: dict[str, np.ndarray]) -> None:
    """Give the variables of ``group`` the ``values`` at the start, then what the plan says in words."""
    for name, value in values.items():
        variable = group.variables[name]
        variable.set_value(value.astype(variable.dtype))
    for name, text in plan.initial.items():
        setattr(group, name, text)


def run(
    brian2: ModuleType, model: Parameters, inputs: Inputs, grid: Grid, record: Record | None, report: Report = None
) -> Part:
    """Run one population in one Brian2 group, on the NumPy or Cython target.

    Raises
    ------
    KeyboardInterrupt
        If Brian2 was stopped before the end.
    ValueError
        If a state variable is not finite at the end.
    """
    group, values = build(brian2, model, inputs, grid)
    fill(group, model.plan(grid.dt), values)
    clock = group.clock
    objects: list[Any] = []
    rates = np.zeros((0, 0), dtype=np.float32)
    if model.spiking:
        objects.append(brian2.SpikeMonitor(group, name="nrsim_spikes"))
    else:
        rates = np.zeros((grid.n_bins, inputs.elements), dtype=np.float32)
        objects.append(_bin_means(brian2, group, clock, rates, grid))
    states: dict[str, np.ndarray] = {}
    if record is not None:
        chosen = chosen_elements(record, inputs.gain.shape)
        states = {name: np.zeros((record.samples(grid), chosen.size), dtype=np.float32) for name in record.names}
        objects.append(_samples(brian2, group, clock, states, chosen, record.steps, grid))
    objects += model.operations(brian2, group, inputs.gain.shape, grid)
    network = brian2.Network(group, *objects, name="nrsim_network")
    told = None if report is None else lambda _elapsed, completed, _start, _duration: report(float(completed))
    duration = grid.n_steps * grid.dt * brian2.second
    with np.errstate(all="ignore"):  # what is not finite is told below
        network.run(duration, report=told, report_period=0.2 * brian2.second, namespace={})
    if int(clock.variables["timestep"].get_value()[0]) < grid.n_steps:
        raise KeyboardInterrupt("the simulation was stopped before its end")
    ends = {name: group.variables[name].get_value() for name in group.equations.diff_eq_names}
    must_be_finite(ends, grid.dt)
    shape = (-1, inputs.gain.shape[0], 0 if record is None else record.neurons.size)
    states = {name: value.reshape(shape) for name, value in states.items()}
    if not model.spiking:
        return Part(firing_rate=rates, states=states)
    monitor = objects[0]
    return Part(*spikes(np.asarray(monitor.t_[:]), np.asarray(monitor.i[:]), grid), states=states)


def spikes(time: np.ndarray, element: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return step after the warm-up and element of each spike, from times in s."""
    step = np.rint(time / grid.dt).astype(np.int64) - grid.warm_up
    return step[step >= 0], element.astype(np.int64)[step >= 0]


def must_be_finite(ends: dict[str, np.ndarray], dt: float) -> None:
    """Raise where a state variable has become infinite or not a number.

    Raises
    ------
    ValueError
        With its name, how many, and what to do.
    """
    for name, value in ends.items():
        wrong = int(np.count_nonzero(~np.isfinite(value)))
        if wrong:
            raise need(
                f"a finite {name} at the end of the simulation",
                f"inf or NaN in {wrong} of {value.size} neurons × presentations with dt = {dt:g} s",
                "Use a smaller dt (no longer than the shortest time constant), another method, or look at the drive",
            )


def chosen_elements(record: Record, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of the recorded elements, presentation by presentation."""
    return (np.arange(shape[0])[:, None] * shape[1] + record.neurons).ravel()


def _step(plan: Plan) -> Any:
    if not isinstance(plan.step, str):
        return plan.step
    code = "\n".join(line.strip() for line in plan.step.strip().splitlines())

    def exact(equations: Any, variables: Any, method_options: Any = None) -> str:
        return code

    return exact


def _bin_means(brian2: ModuleType, group: Any, clock: Any, rates: np.ndarray, grid: Grid) -> Any:
    """Return the operation that fills ``rates (bin, element)`` with means over the steps of each bin."""
    total = group.variables["total"].get_value()
    timestep = clock.variables["timestep"].get_value()
    skip, width = grid.warm_up + grid.bin_start, grid.steps_per_bin

    def collect() -> None:
        done = int(timestep[0]) + 1 - skip
        if done >= 0 and done % width == 0:
            if 0 < done <= len(rates) * width:
                rates[done // width - 1] = total / width
            total[:] = 0.0

    return brian2.NetworkOperation(collect, clock=clock, when="end", name="nrsim_bins")


def _samples(
    brian2: ModuleType,
    group: Any,
    clock: Any,
    states: dict[str, np.ndarray],
    chosen: np.ndarray,
    every: int,
    grid: Grid,
) -> Any:
    """Return the operation that fills ``states``, each ``(sample, recorded element)``, at the start of steps."""
    timestep = clock.variables["timestep"].get_value()
    views = {name: getattr(group, f"{name}_") for name in states}
    skip = grid.warm_up + grid.bin_start

    def collect() -> None:
        sample, rest = divmod(int(timestep[0]) - skip, every)
        if rest == 0 and sample >= 0:
            for name, kept in states.items():
                if sample < len(kept):
                    kept[sample] = views[name][:][chosen]

    return brian2.NetworkOperation(collect, clock=clock, when="start", name="nrsim_samples")
