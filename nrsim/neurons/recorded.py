"""Which state variables are recorded, of which neurons, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.neurons.grid import Grid, ratio
from nrsim.neurons.parameters import Parameters
from nrsim.neurons.population import Record


def record_of(value: Any, step: float | None, model: Parameters, neuron_ids: np.ndarray, grid: Grid) -> Record | None:
    """Return what is to be recorded, None if nothing.

    Parameters
    ----------
    value
        None, a state variable, several, or variable → neuron_ids.
    step
        Time between samples in s; None for that of the bins.
    model, neuron_ids, grid
        What is simulated.

    Raises
    ------
    TypeError, ValueError
        If a variable or a neuron is unknown, or the step is no multiple of ``dt``.
    """
    if value is None:
        if step is not None:
            raise need("record, what record_step is for", "record=None", "Name a state variable, such as record='v'")
        return None
    names = [value] if isinstance(value, str) else list(value)
    if not names:
        raise need("record: at least one state variable", repr(value), f"One of {', '.join(model.states)}")
    for name in names:
        if name not in model.states:
            raise unknown("state variable in record", name, model.states)
    every = grid.steps_per_bin if step is None else ratio(step, grid.dt)
    if not every:
        raise need("a record_step that is a multiple of dt", f"record_step = {step:g} s and dt = {grid.dt:g} s")
    chosen = np.arange(len(neuron_ids))
    if isinstance(value, Mapping):
        groups = [[group] if isinstance(group, str) else list(np.ravel(group)) for group in value.values()]
        places = {str(label): k for k, label in enumerate(neuron_ids)}
        wanted = dict.fromkeys(str(label) for group in groups for label in group)
        for label in wanted:
            if label not in places:
                raise unknown("neuron_id in record", label, places)
        chosen = np.array([places[label] for label in wanted], dtype=int)
        if not chosen.size:
            raise need("record: at least one neuron_id", repr(value))
    return Record(tuple(dict.fromkeys(names)), chosen, every)
