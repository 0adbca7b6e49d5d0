"""What a simulation is of, and the running of any part of it: the result of a presentation depends on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nrsim.neurons import brian, population, standalone, targets
from nrsim.neurons.grid import Grid
from nrsim.neurons.models import Neurons
from nrsim.neurons.noise import START_STEP, element_keys, normal, presentation_keys, stream_key
from nrsim.neurons.population import Inputs, Part, Record
from nrsim.neurons.variability import Variability


@dataclass(frozen=True)
class Job:
    """All that determines a recording's numbers; it can be pickled and run in parts, anywhere, in any order.

    A presentation is one stimulus in one trial, number stimulus · trials + trial. An element is one neuron in one
    presentation.

    Parameters
    ----------
    current
        ``(stimulus, neuron, time)`` in nA, each value held for a row of the grid.
    stimulus_ids, neuron_ids
        ``(stimulus,)`` and ``(neuron,)``: what noise, gains and latencies are keyed by.
    neurons
        The model.
    trials, seed, variability, grid
        As for :func:`nrsim.simulate`.
    target
        Brian2's code target.
    record
        State variables to keep.
    block
        Presentations of the largest part: the standalone target fills smaller ones up to it, so as to compile once.
    threads
        OpenMP threads of the standalone target.
    """

    current: np.ndarray
    stimulus_ids: np.ndarray
    neuron_ids: np.ndarray
    neurons: Neurons
    trials: int
    seed: int
    variability: Variability
    grid: Grid
    target: str
    record: Record | None = None
    block: int = 0
    threads: int = 1

    @property
    def n_presentations(self) -> int:
        """Stimuli × trials."""
        return len(self.stimulus_ids) * self.trials

    @property
    def n_neurons(self) -> int:
        """Neurons."""
        return len(self.neuron_ids)

    def run(self, first: int, last: int, report: Callable[[float], None] | None = None) -> Part:
        """Simulate presentations ``first`` to ``last`` (not included) in one Brian2 group.

        Returns
        -------
        Part
            Its elements are numbered from 0 for the first neuron of the first presentation.
        """
        model = self.neurons.resolved(self.seed, self.neuron_ids)
        if self.target == "cpp_standalone":
            inputs = self._inputs(first, last, max(self.block, last - first))
            part = standalone.run(model, inputs, self.grid, self.record, self.threads, report)
            return part.cut(0, last - first, self.n_neurons)
        with brian.guest(self.target) as brian2:
            part = population.run(brian2, model, self._inputs(first, last), self.grid, self.record, report)
        if self.target == "cython" and not targets.is_warm(model, self.grid):
            targets.set_stamp(model, self.grid)
        return part

    def _inputs(self, first: int, last: int, fill: int = 0) -> Inputs:
        """Return what drives presentations ``first`` to ``last``, the last one repeated until there are ``fill``."""
        here = np.arange(first, last)
        stimuli, trial = np.divmod(here, self.trials)
        shown = np.unique(stimuli)
        presentations = presentation_keys(self.seed, self.stimulus_ids[shown], np.arange(self.trials))
        presentations = presentations[stimuli - shown[0], trial]
        keys = element_keys(self.seed, presentations, self.neuron_ids)
        column = (stimuli - shown[0])[:, None] * self.n_neurons + np.arange(self.n_neurons)
        gains = self.variability.gains(presentations, keys)
        rows = self._rows(shown)
        if fill:
            again = np.minimum(np.arange(fill), last - first - 1)
            keys, column, gains = keys[again], column[again], gains[again]
            most = (fill + self.trials - 2) // self.trials + 1
            rows = np.pad(rows, ((0, 0), (0, max(0, most * self.n_neurons - rows.shape[1]))))

        def start(name: str) -> np.ndarray:
            return normal(keys ^ np.uint64(stream_key("" if name in ("v", "x") else name)), START_STEP)

        return Inputs(rows, column, keys, gains, start)

    def _rows(self, shown: np.ndarray) -> np.ndarray:
        """Return the delayed current of some stimuli as ``(time, stimulus and neuron)``, in nA."""
        delays = np.rint(self.variability.delays(self.seed, self.neuron_ids) / self.grid.row).astype(int)
        current = _delayed(self.current[shown], delays)
        return np.ascontiguousarray(current.transpose(2, 0, 1).reshape(self.grid.n_rows, -1), dtype=np.float64)


def _delayed(current: np.ndarray, delays: np.ndarray) -> np.ndarray:
    """Return ``current (stimulus, neuron, time)`` with each neuron's delayed; its first or last value fills the gap."""
    n = current.shape[-1]
    source = np.clip(np.arange(n) - delays[:, None], 0, n - 1)
    return np.take_along_axis(current, np.broadcast_to(source, current.shape), axis=-1)
