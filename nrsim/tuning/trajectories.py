"""Which stimuli make up which curve: the labels that separate curves, and the norm that several curves share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown

_SEPARATING = ("domain", "identity", "expression", "view", "light", "skin")
_SHARING = ("intensity", "norm_distance")
_DIGITS = 6


@dataclass(frozen=True)
class Trajectories:
    """The curves in a set of stimuli.

    Attributes
    ----------
    along
        The label the curves run along.
    by
        The labels that separate them, one dim each.
    coords
        Coordinates of the dims ``by`` and ``along``, and of labels that one of ``by`` determines.
    values
        The levels of ``along``, ascending, ``(level,)``.
    stimulus, trajectory, level
        One entry per membership ``(member,)``: position of the stimulus, of the curve (flat over ``by``), of the level.
    """

    along: str
    by: tuple[str, ...]
    coords: Mapping[str, xr.DataArray]
    values: np.ndarray
    stimulus: np.ndarray
    trajectory: np.ndarray
    level: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dims ``by``."""
        return tuple(self.coords[name].size for name in self.by)

    @property
    def count(self) -> int:
        """Number of curves, shown or not."""
        return int(np.prod(self.shape))

    def members(self, trajectory: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the stimuli ``(member,)`` and levels ``(member,)`` of one curve."""
        here = self.trajectory == trajectory
        return self.stimulus[here], self.level[here]

    def unfold(self, values: np.ndarray) -> np.ndarray:
        """Turn ``(trajectory, neuron, …)`` into ``(neuron, <by>, …)``."""
        return np.moveaxis(values.reshape(*self.shape, *values.shape[1:]), len(self.shape), 0)


def trajectories(data: xr.DataArray, along: str = "intensity", by: str | Sequence[str] | None = None) -> Trajectories:
    """Find the curves in data with a dim ``stimulus``.

    A stimulus at 0 that others name as ``norm_id`` is the zero of each of their curves; its own labels make no curve.
    This holds along ``intensity`` and ``norm_distance``, whose 0 is the norm. Stimuli without a value of ``along``
    belong to no curve.

    Parameters
    ----------
    data
        With stimulus labels as coordinates.
    along
        A numeric label.
    by
        The labels that separate curves. Default: of domain, identity and expression (and ``morph_from``, ``morph_to``
        along ``morph_fraction``) those that take several values, without those that another one determines.

    Raises
    ------
    ValueError
        If a label is unknown, ``along`` is not numeric or has no finite value.
    """
    labels = {str(name): c for name, c in data.coords.items() if c.dims == ("stimulus",) and name != "stimulus"}
    if along not in labels:
        raise unknown("stimulus label", along, labels)
    if labels[along].dtype.kind not in "iuf":
        raise need(f"a numeric label to run along, {along!r}", f"{labels[along].dtype}", "Choose another label")
    x = np.round(labels[along].values.astype(np.float64), _DIGITS) + 0.0
    known = np.isfinite(x)
    if not known.any():
        raise need(f"stimuli with a value of {along!r}", "none", "Label the stimuli")
    ids = [str(value) for value in labels["stimulus_id"].values]
    norms = [str(value) for value in labels["norm_id"].values] if "norm_id" in labels else [""] * len(ids)
    named = {norm for norm, stimulus in zip(norms, ids, strict=True) if norm != stimulus}
    zero = np.array([i in named for i in ids]) & (x == 0) & (along in _SHARING)
    proper = known & ~zero if (known & ~zero).any() else known
    rows = np.flatnonzero(proper)
    names = _separating(labels, rows, along) if by is None else _chosen(labels, by, along)

    codes, coords = [], {}
    for name in names:
        values = labels[name].values
        seen = list(dict.fromkeys(values[rows].tolist()))
        coords[name] = xr.DataArray(np.array(seen, dtype=values.dtype), dims=name, attrs=labels[name].attrs)
        codes.append(np.array([seen.index(value) for value in values[rows].tolist()]))
    for name, (dim, values) in _determined(labels, rows, names).items():
        coords[name] = xr.DataArray(values, dims=dim, attrs=labels[name].attrs)
    shape = tuple(coords[name].size for name in names)
    flat = np.ravel_multi_index(tuple(codes), shape) if names else np.zeros(len(rows), dtype=int)
    curve = dict(zip(rows.tolist(), np.asarray(flat).tolist(), strict=True))
    pairs = set(curve.items())
    for shared in np.flatnonzero(zero & ~proper):
        pairs |= {(int(shared), curve[row]) for row in rows.tolist() if norms[row] == ids[shared]}
    ordered = np.array(sorted(pairs))
    values, level = np.unique(x[ordered[:, 0]], return_inverse=True)
    attributes = {"units": labels[along].attrs.get("units", "1")}
    coords[along] = xr.DataArray(values, dims=along, attrs=attributes)
    return Trajectories(along, names, coords, values, ordered[:, 0], ordered[:, 1], level)


def _chosen(labels: Mapping[str, xr.DataArray], by: str | Sequence[str], along: str) -> tuple[str, ...]:
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in labels:
            raise unknown("stimulus label", name, labels)
        if name == along or names.count(name) > 1:
            raise need("labels 'by' that differ from each other and from 'along'", f"by={names}, along={along!r}")
    return names


def _separating(labels: Mapping[str, xr.DataArray], rows: np.ndarray, along: str) -> tuple[str, ...]:
    """Labels that take several values, each dropped if another that stays determines it; of equals the first stays."""
    candidates = _SEPARATING + (("morph_from", "morph_to") if along == "morph_fraction" else ())
    stays = [
        name
        for name in candidates
        if name in labels and name != along and len(set(labels[name].values[rows].tolist())) > 1
    ]
    for name in reversed(tuple(stays)):
        if any(_determines(labels[other], labels[name], rows) for other in stays if other != name):
            stays.remove(name)
    return tuple(stays)


def _determines(one: xr.DataArray, other: xr.DataArray, rows: np.ndarray) -> bool:
    """Whether each value of ``one`` comes with a single value of ``other``."""
    pairs = set(zip(one.values[rows].tolist(), other.values[rows].tolist(), strict=True))
    return len(pairs) == len({pair[0] for pair in pairs})


def _determined(
    labels: Mapping[str, xr.DataArray], rows: np.ndarray, names: tuple[str, ...]
) -> dict[str, tuple[str, np.ndarray]]:
    """Return the separating labels that are not dims themselves but follow from one dim, ``{label: (dim, values)}``."""
    found: dict[str, tuple[str, np.ndarray]] = {}
    for name in _SEPARATING:
        for dim in names:
            if name in labels and name not in names and _determines(labels[dim], labels[name], rows):
                mapping: dict[Hashable, Hashable] = dict(
                    zip(labels[dim].values[rows].tolist(), labels[name].values[rows].tolist(), strict=True)
                )
                found[name] = (dim, np.array(list(mapping.values()), dtype=labels[name].dtype))
                break
    return found
