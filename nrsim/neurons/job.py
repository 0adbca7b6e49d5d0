"""What a simulation is of, and the running of any part of it: the result of a presentation depends on nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nrsim.neurons import brian
from nrsim.neurons.grid import Grid
from nrsim.neurons.models import Neurons
from nrsim.neurons.noise import START_STEP, element_keys, normal, presentation_keys
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

    @property
    def n_presentations(self) -> int:
        """Stimuli × trials."""
        return len(self.stimulus_ids) * self.trials

    @property
    def n_neurons(self) -> int:
        """Neurons."""
        return len(self.neuron_ids)

    def run(self, first: int, last: int, report: Callable[[float], None] | None = None) -> brian.Part:
        """Simulate presentations ``first`` to ``last`` (not included) in one Brian2 group.

        Returns
        -------
        Part
            Its elements are numbered from 0 for the first neuron of the first presentation.
        """
        grid, here = self.grid, np.arange(first, last)
        stimuli, trial = np.divmod(here, self.trials)
        shown = np.unique(stimuli)
        presentations = presentation_keys(self.seed, self.stimulus_ids[shown], np.arange(self.trials))
        presentations = presentations[stimuli - shown[0], trial]
        keys = element_keys(self.seed, presentations, self.neuron_ids)
        column = (stimuli - shown[0])[:, None] * self.n_neurons + np.arange(self.n_neurons)
        with brian.guest(self.target) as brian2:
            return brian.run(
                brian2,
                self.neurons,
                self._rows(shown),
                column.ravel(),
                keys.ravel(),
                self.variability.gains(presentations, keys).ravel(),
                start=normal(keys, START_STEP).ravel(),
                dt=grid.dt,
                steps_per_row=grid.steps_per_row,
                warm_up=grid.warm_up,
                bin_start=grid.bin_start,
                steps_per_bin=grid.steps_per_bin,
                n_bins=grid.n_bins,
                report=report,
            )

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
