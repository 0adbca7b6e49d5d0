"""The recording of a study, or of every point of a sweep over its settings: long, in parallel, resumed."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nrsim import files, provenance, settings, study
from nrsim._version import __version__
from nrsim.containers import open_lazily
from nrsim.errors import need
from nrsim.neurons import simulate
from nrsim.schema import NOUNS, STIMULUS_LABELS

# Stages in their order: settings of early ones vary slowest, so that nothing is computed twice
_ORDER = ("stimuli", "v1", "features", "encoder", "presentation", "neurons")
_FIXED = {"neurons.trials", "neurons.bin", "neurons.model", "neurons.record", "neurons.record_step"} | {
    f"presentation.{name}" for name in ("onset", "duration", "before", "after", "dt")
}
_POINTS = ".sweep-points"


def simulate_study(
    study_file: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    assignments: Iterable[str] = (),
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Simulate a study's neurons, or those of every point of its ``[sweep]``, and return the recording.

    Stages before the neurons are computed once for all points that share their settings.

    Parameters
    ----------
    study_file
        Path of a study file, its tables as a mapping, or nothing for the default study. A table ``[sweep]`` has lists
        of values by dotted key: ``"encoder.exponent" = [0.5, 1, 2]``.
    out
        Folder for ``recording.zarr`` (``recording.nc`` where zarr is not installed), or ``sweep.nc``. What is done is
        kept in it, and the same call goes on after an interruption. Default: nothing is written.
    assignments
        Settings to change, as on the command line: ``["neurons.trials=50"]``.
    workers, scheduler
        As for :func:`nrsim.simulate`.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        A Recording. Of a sweep: the same with a dim for each parameter in front, named by the last word of its key
        (``noise``), or by the whole key where that is a label of a Recording (``encoder_exponent``), and without single
        spikes: ``spike_count (noise, stimulus, trial, neuron, time)``. ``sweep.sel(noise=0.05)`` is a Recording.

    Raises
    ------
    ValueError, TypeError, OSError
        As :func:`nrsim.run_study`; and if a sweep's key is unknown, its list empty or with a value twice, or its points
        differ in stimuli, neurons, trials or times.

    Examples
    --------
    >>> import nrsim as nr
    >>> sweep = nr.simulate_study({"sweep": {"neurons.parameters.noise": [0.02, 0.05]}})  # doctest: +SKIP
    """
    given, base = study.tables_of(study_file)
    given = settings.override(given, assignments)
    swept = _swept(given.pop("sweep", {}))
    axes = [(key, values) for key, values in swept.items()]
    plans = {}
    for index in np.ndindex(*(len(values) for _, values in axes)):
        point = copy.deepcopy(given)
        for (key, values), k in zip(axes, index, strict=True):
            _set(point, key, values[k])
        plans[index] = study.plan_of(point, base)
    folder = None if out is None else Path(out)
    stages = _Stages(progress)
    how: dict[str, Any] = {"workers": workers, "scheduler": scheduler, "progress": progress}
    if not axes:
        name = "recording.zarr" if find_spec("zarr") else "recording.nc"
        return stages.record(plans[()], None if folder is None else folder / name, how)
    recordings, places = {}, []
    for number, index in enumerate(sorted(plans, key=lambda one: _slowest_first(one, axes))):
        if progress:
            said = ", ".join(f"{key} = {values[k]}" for (key, values), k in zip(axes, index, strict=True))
            print(f"nrsim: point {number + 1} of {len(plans)}: {said}", flush=True)
        place = None if folder is None else folder / _POINTS / f"{stages.mark(plans[index])}.nc"
        if place is not None and place.exists():
            recordings[index] = open_lazily(place).load()
        else:
            recordings[index] = stages.record(plans[index], place, how)
        if place is not None:
            places.append(place)
        recordings[index] = recordings[index].drop_dims("spike", errors="ignore").load()
    sweep = _joined(recordings, axes)
    if folder is not None:
        files.write_netcdf(sweep, folder / "sweep.nc")
        for place in places:
            place.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # points of another sweep that was interrupted
            (folder / _POINTS).rmdir()
    return sweep


class _Stages:
    """The stages before the neurons, each kept for as long as its settings stay."""

    def __init__(self, progress: bool) -> None:
        self.progress = progress
        self._kept: dict[str, tuple[str, Any]] = {}

    def record(self, plan: Mapping[str, Any], out: Path | None, how: Mapping[str, Any]) -> xr.Dataset:
        """Return the recording of a plan."""
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
        return simulate(self._drive(plan), out=out, **study.simulation_of(plan), **how)

    def mark(self, plan: Mapping[str, Any]) -> str:
        """Return a hash of all that a plan's recording is of."""
        drive = self._drive(plan)
        current = hashlib.sha256(np.ascontiguousarray(drive["current"].values).tobytes()).hexdigest()
        of = [plan, provenance.labels_hash(drive), current, __version__, version("brian2")]
        return provenance.text_hash(provenance.as_json(of))[:20]

    def _drive(self, plan: Mapping[str, Any]) -> xr.Dataset:
        stimuli = self._once("stimuli", [plan["stimuli"]], lambda: study.stimuli_of(plan, self.progress))
        features = self._once(
            "features",
            [plan[stage] for stage in ("stimuli", "v1", "features")]
            + [plan["encoder"][name] for name in ("prototypes", "norms", "norm_by")],
            lambda: study.rehearsed_features(plan, stimuli, self.progress),
        )
        return study.drive_of(plan, features)

    def _once(self, stage: str, of: list[Any], make: Callable[[], Any]) -> Any:
        key = provenance.as_json(of)
        if stage not in self._kept or self._kept[stage][0] != key:
            self._kept[stage] = (key, make())
        return self._kept[stage][1]


def _swept(table: Any, prefix: str = "") -> dict[str, list[Any]]:
    """Return dotted key → values of a ``[sweep]``, however its keys were nested."""
    if not isinstance(table, Mapping):
        raise need("a table [sweep] of lists by dotted key", repr(table), kind=TypeError)
    found: dict[str, list[Any]] = {}
    for key, values in table.items():
        dotted = f"{prefix}{key}"
        if isinstance(values, Mapping):
            found |= _swept(values, f"{dotted}.")
            continue
        if not isinstance(values, list) or not values:
            raise need(f"sweep, {dotted!r}: a list of at least one value", repr(values), f'"{dotted}" = [1, 2]')
        marks = [json.dumps(value, sort_keys=True) for value in values]
        if len(set(marks)) < len(marks):
            raise need(f"sweep, {dotted!r}: values that differ", repr(values))
        if dotted in _FIXED:
            raise need(f"points of a sweep with the same {dotted}, which its dims hang on", repr(values))
        if dotted.partition(".")[0] not in (*_ORDER, "seed"):
            raise need(f"sweep: keys of {', '.join(_ORDER)}, or seed", repr(dotted))
        found[dotted] = values
    return found


def _set(tables: dict[str, Any], dotted: str, value: Any) -> None:
    *path, key = dotted.split(".")
    for table in path:
        tables = tables.setdefault(table, {})
    tables[key] = value


def _slowest_first(index: tuple[int, ...], axes: list[tuple[str, list[Any]]]) -> list[tuple[int, int]]:
    rank = {name: place for place, name in enumerate(_ORDER)}
    order = sorted(range(len(axes)), key=lambda k: rank.get(axes[k][0].partition(".")[0], len(rank)))
    return [(place, index[k]) for place, k in enumerate(order)]


def _joined(recordings: Mapping[tuple[int, ...], xr.Dataset], axes: list[tuple[str, list[Any]]]) -> xr.Dataset:
    """Return the points as one dataset with a dim for each parameter."""
    shape = tuple(len(values) for _, values in axes)
    first = recordings[(0,) * len(shape)]
    for index, other in recordings.items():
        for name in ("stimulus_id", "neuron_id", "time"):
            if not np.array_equal(first[name].values, other[name].values):
                said = ", ".join(f"{key} = {values[k]!r}" for (key, values), k in zip(axes, index, strict=True))
                raise need(f"points of a sweep with the same {name}", f"others with {said}", "Sweep this one by itself")
        if first.sizes["trial"] != other.sizes["trial"]:
            raise need("points of a sweep with the same neurons.trials", "different ones")
    known = NOUNS["Recording"]
    taken = {str(name) for name in (*first.variables, *first.dims, *known.coords, *known.variables, *STIMULUS_LABELS)}
    names = _names([key for key, _ in axes], taken)
    level = {index: recordings[index] for index in itertools.product(*(range(n) for n in shape))}
    for depth in range(len(shape) - 1, -1, -1):
        key, values = axes[depth]
        labels = values if all(isinstance(v, (int, float, str)) for v in values) else [json.dumps(v) for v in values]
        along = xr.DataArray(labels, dims=names[key], name=names[key], attrs={"key": key, **_unit_of(labels)})
        level = {
            outer: xr.concat(
                [level[(*outer, k)] for k in range(shape[depth])],
                dim=along,
                data_vars="all",
                coords="different",
                compat="equals",
                join="exact",
                combine_attrs="override",
            )
            for outer in itertools.product(*(range(n) for n in shape[:depth]))
        }
    sweep = level[()]
    swept = provenance.as_json(dict(axes))
    each = list(recordings.values())
    parameters = [json.loads(one.attrs["parameters"]) for one in each]
    lines = [str(one.attrs["history"]).splitlines() for one in each]
    history = [
        here[0] if len(set(here)) == 1 else f"{here[0].partition(' ')[0]} (swept)" for here in zip(*lines, strict=False)
    ]
    return sweep.assign_attrs(
        sweep=swept,
        parameters=provenance.as_json(_common(parameters)),
        history="\n".join([*history, f"sweep {swept}"]),
    )


def _common(values: list[Any]) -> Any:
    """Return what all have in common; what differs is said to be swept."""
    if all(value == values[0] for value in values):
        return values[0]
    if all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        return {name: _common([value[name] for value in values]) for name in values[0]}
    return "swept"


def _unit_of(labels: list[Any]) -> dict[str, str]:
    return {} if isinstance(labels[0], str) else {"units": "1"}


def _names(keys: list[str], taken: set[str]) -> dict[str, str]:
    last = [key.rpartition(".")[2] for key in keys]
    return {
        key: name if last.count(name) == 1 and name not in taken else key.replace(".", "_")
        for key, name in zip(keys, last, strict=True)
    }
