"""Choosing stimuli, neurons and trials by their labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.schema import check, noun_of

_SPIKE_DIMS = ("stimulus", "trial", "neuron")
_RESTAMPED = ("schema", "title", "source", "parameters", "history", "nrsim_version", "created")


def select(data: xr.Dataset, **labels: Any) -> xr.Dataset:
    """Return the part of a noun that carries the given labels.

    Counts and ragged spikes of a Recording are filtered together, and numbers of stimuli, trials and neurons stay what
    they were. No dim is dropped.

    Parameters
    ----------
    data
        A noun: Recording, StimulusSet, FaceCode, TuningCurves, …
    **labels
        For each label a value, a list of values or a function from a value to True or False; all must hold. Labels are
        coordinates of one dim: ``domain``, ``expression``, ``intensity``, ``encoder``, ``neuron_id``, ``trial``, …
        Numbers match to a relative precision of 1e-6. A norm is chosen like any other stimulus: to keep the zero of
        an expression's curve ask for ``expression=["happy", "neutral"]``. ``norm_id`` becomes "" where the norm was
        left out.

    Returns
    -------
    xarray.Dataset
        The same noun.

    Raises
    ------
    SchemaError
        If ``data`` is no valid noun.
    ValueError
        If a label or a value is unknown (the nearest are named), or nothing is left.

    Examples
    --------
    >>> import nrsim as nr
    >>> part = nr.select(nr.example("Recording"), domain="human", intensity=lambda x: x >= 0)
    >>> part.sizes["stimulus"]
    5
    """
    if not isinstance(data, xr.Dataset):
        raise need("a noun of nrsim, which is an xarray.Dataset", type(data).__name__, kind=TypeError)
    noun = noun_of(data)
    check(data, noun)
    known = {str(name): coord for name, coord in data.coords.items() if coord.ndim == 1}
    kept: dict[str, np.ndarray] = {}
    for name, wanted in labels.items():
        if name not in known:
            raise unknown(f"label of this {noun}", name, known)
        (dim,) = (str(d) for d in known[name].dims)
        if dim == "time" and "spike_time" in data:
            raise need("labels of stimuli, trials or neurons", f"{name!r}, a label of time", "Pass a window instead")
        matches = _matches(known[name].values, wanted, name)
        kept[dim] = kept.get(dim, np.ones(data.sizes[dim], dtype=bool)) & matches
        if not kept[dim].any():
            asked = ", ".join(f"{label}={_shown(value)}" for label, value in labels.items())
            raise need(f"labels that leave at least one {dim}", f"{asked}, which leave none", "Relax one of them")
    part = data.isel({dim: np.flatnonzero(mask) for dim, mask in kept.items()})
    if "spike_time" in part:
        inside = np.ones(part.sizes["spike"], dtype=bool)
        for dim in _SPIKE_DIMS:
            inside &= np.isin(part[f"spike_{dim}"].values, part[dim].values)
        part = part.isel(spike=np.flatnonzero(inside))
    if "norm_id" in part.coords and "stimulus" in kept:
        norms, ids = part["norm_id"].values, part["stimulus_id"].values
        blanked = np.where(np.isin(norms, ids), norms, "")
        part = part.assign_coords(norm_id=("stimulus", blanked, part["norm_id"].attrs))
    settings = {name: _shown(value) for name, value in labels.items()}
    more = {str(name): value for name, value in data.attrs.items() if name not in _RESTAMPED}
    return check(provenance.stamp(part, noun, "select", settings, parents=(data,), **more), noun)


def _matches(values: np.ndarray, wanted: Any, name: str) -> np.ndarray:
    if callable(wanted):
        return _tested(values, wanted, name)
    options = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset, np.ndarray)) else [wanted]
    mask = np.zeros(len(values), dtype=bool)
    for option in options:
        if values.dtype.kind in "iuf":
            if isinstance(option, (str, bytes)) or not np.isscalar(option):
                raise need(f"a number for {name}", repr(option), kind=TypeError)
            found = np.isclose(values, float(option), rtol=1e-6, atol=1e-9)  # type: ignore[arg-type]
        else:
            found = np.array([value == option for value in values.tolist()], dtype=bool)
        if not found.any():
            raise unknown(f"value of {name}", option, values.tolist())
        mask |= found
    return mask


def _tested(values: np.ndarray, test: Callable[[Any], Any], name: str) -> np.ndarray:
    answers = [test(value) for value in values.tolist()]
    wrong = [answer for answer in answers if not isinstance(answer, (bool, np.bool_))]
    if wrong:
        raise need(f"a function for {name} that says True or False", repr(wrong[0]), kind=TypeError)
    return np.array(answers, dtype=bool)


def _shown(value: Any) -> Any:
    return getattr(value, "__name__", "function") if callable(value) else provenance.plain(value)
