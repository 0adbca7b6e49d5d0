"""Choosing stimuli or neurons by their labels, in one way everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown

Wanted = Mapping[str, Any]


def names(dataset: xr.Dataset, dim: str) -> list[str]:
    """Return the names of the labels, that is the coordinates, along ``dim`` alone."""
    return [str(name) for name, coord in dataset.coords.items() if coord.dims == (dim,)]


def carried(dataset: xr.Dataset | xr.DataArray) -> dict[str, xr.DataArray]:
    """Return all labels of the stimuli, the user's own among them: they travel from the picture to the last result.

    The numbers that ragged spikes refer to do not travel: they belong to a recording.
    """
    return {
        str(name): coord for name, coord in dataset.coords.items() if coord.dims == ("stimulus",) and name != "stimulus"
    }


def where(dataset: xr.Dataset, wanted: Wanted, dim: str = "stimulus", *, what: str = "stimuli") -> np.ndarray:
    """Return which entries along ``dim`` carry the wanted labels, ``(dim,)`` of bool.

    Parameters
    ----------
    dataset
        Any noun with ``dim``.
    wanted
        Label → value, list of values, or a function of the label's values that returns booleans. Numbers match
        within 1e-6. An empty mapping chooses everything.
    dim
        The dimension the labels lie on.
    what
        What is chosen, for the message.

    Raises
    ------
    ValueError
        If there is no such label (the nearest is named) or nothing carries it (the values that occur are named).
    TypeError
        If ``wanted`` is no mapping.
    """
    if not isinstance(wanted, Mapping):
        todo = 'Such as {"intensity": 0.0}'
        raise need(f"labels → values that choose the {what}", repr(wanted), todo, kind=TypeError)
    mask = np.ones(dataset.sizes[dim], dtype=bool)
    for label, value in wanted.items():
        if label not in dataset.coords or dataset[label].dims != (dim,):
            raise unknown(f"label of the {what}", label, names(dataset, dim))
        mask &= _matches(dataset[label].values, value, label)
    if not mask.any():
        shown = "; ".join(f"{label} is one of {occurring(dataset[label].values)}" for label in wanted)
        raise ValueError(f"no {what} with {_plain(wanted)}; {shown or 'there are none at all'}")
    return mask


def _matches(values: np.ndarray, value: Any, label: str) -> np.ndarray:
    if isinstance(value, Callable):  # type: ignore[arg-type]
        answer = np.asarray(value(values))
        if answer.shape != values.shape or answer.dtype != bool:
            raise TypeError(
                f"{label}: needed a function that returns one bool per value; got {answer.dtype} {answer.shape}"
            )
        return answer
    options = list(value) if isinstance(value, (list, tuple, set, np.ndarray)) else [value]
    if values.dtype.kind in "iuf":
        try:
            numbers = np.array(options, dtype=float)
        except (TypeError, ValueError):
            raise TypeError(f"{label}: needed a number; got {value!r}") from None
        return (np.abs(values[:, None] - numbers[None]) < 1e-6).any(axis=1)
    texts = {str(option) for option in options}
    return np.array([str(item) in texts for item in values])


def occurring(values: np.ndarray) -> str:
    """Return the values that occur, as words; of many, the first."""
    if values.dtype.kind in "iuf":
        shown = [f"{value:g}" for value in np.unique(values[np.isfinite(values)])]
    else:
        shown = [repr(value) for value in sorted({str(value) for value in values})]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _plain(wanted: Wanted) -> dict[str, Any]:
    """Return what is wanted without NumPy's kinds of text and numbers, which would show in a message."""
    plain = {}
    for name, value in wanted.items():
        if isinstance(value, (list, tuple, set)):
            value = [each.item() if isinstance(each, np.generic) else each for each in value]
        plain[str(name)] = value.item() if isinstance(value, np.generic) else value
    return plain
