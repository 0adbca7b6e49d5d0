"""Parts of a simulation on disk: a file for each, whole or absent, and the recording that is made of them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nrsim import files, provenance
from nrsim.errors import need
from nrsim.neurons.assembly import assemble, samples_of, states_of
from nrsim.neurons.job import Job
from nrsim.neurons.population import Part
from nrsim.partial import PartialResult, existing, on_disk, tell

_NAME = re.compile(r"part-(\d+)-(\d+)\.npz")
_GATHERED = 2**26  # bytes of counts that are put together at a time
_CHUNK = 2**22  # spikes, or bytes, in a chunk of a Zarr array
# Bytes that a spike takes in a part and in the recording, and the rate it is forecast from, in Hz
_SPIKE, _FORECAST = 8 + 20, 20.0


def save(part: Part, folder: Path, first: int, last: int) -> Path:
    """Write a part under its name, whole or not at all, and return the path."""
    path = folder / f"part-{first}-{last}.npz"
    partly = folder / f".{path.name}.{os.getpid()}"
    arrays: dict[str, Any] = {f"state {name}": value for name, value in part.states.items()}
    arrays["firing_rate"] = part.firing_rate
    try:
        with partly.open("wb") as file:
            np.savez(
                file,
                spike_step=part.spike_step.astype(np.int32),
                spike_element=part.spike_element.astype(np.int32),
                **arrays,
            )
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)
    return path


def load(path: Path) -> Part:
    """Read what :func:`save` wrote."""
    with np.load(path) as file:
        return Part(
            file["spike_step"].astype(np.int64),
            file["spike_element"].astype(np.int64),
            file["firing_rate"],
            {name[6:]: file[name] for name in file.files if name.startswith("state ")},
        )


def ranges(missing: Sequence[tuple[int, int]], block: int) -> list[tuple[int, int]]:
    """Return (first, last) of the blocks that fill what is missing."""
    return [(at, min(at + block, last)) for first, last in missing for at in range(first, last, block)]


class PartStore(PartialResult):
    """The finished parts of one simulation, and at the end the recording.

    Parameters
    ----------
    path
        The recording, ``.zarr`` or ``.nc``.
    job
        What is simulated.
    made_from
        What it is of, part by part, as JSON can hold it.
    """

    def __init__(self, path: str | os.PathLike[str], job: Job, made_from: Mapping[str, Any]) -> None:
        super().__init__(path, "Recording", made_from)
        self.job = job
        # Of this job alone: a worker that outlives a killed run can then add nothing to a run of something else
        self.place = self.folder / f"parts-{provenance.text_hash(provenance.as_json(self.made_from))[:16]}"

    def resume(self) -> list[tuple[int, int]]:
        """Return (first, last) of the presentations that are missing; what is of something else is thrown away."""
        left = self.left()
        if left is not None and (reasons := self.differences(left)):
            if done := _count(_parts(self.folder.glob("parts-*/part-*.npz"))):
                had = f"an interrupted run ({done} of {left['n']} presentations)"
                tell(f"{self.target.name}: {had} is of {', '.join(reasons)}; starting again", stacklevel=4)
            left = None
        if left is None:
            self.clear()
            self._room()
            self.place.mkdir()
            self.say(n=self.job.n_presentations)
        elif done := _count(self.parts()):
            total = self.job.n_presentations
            tell(f"{self.target.name}: going on after {done} of {total} presentations", stacklevel=4)
        return self._missing()

    def add(self, first: int, last: int, part: Part) -> None:
        """Keep a part."""
        with on_disk(self.target):
            save(part, self.place, first, last)

    def finish(self, labels: xr.Dataset) -> xr.Dataset:
        """Put the parts together under ``labels``, move the recording into place and return it opened."""
        with on_disk(self.target):
            if self.target.suffix == ".nc":
                whole = merge(labels, [(first, load(path)) for first, _, path in self.parts()], self.job)
                files.write_netcdf(whole, self._data)
            else:
                self._write_zarr(labels)
        return self.put_in_place()

    def kept(self) -> str:
        """Return what is done as words."""
        done = _count(self.parts())
        return f"{done} of {self.job.n_presentations} presentations" if done else ""

    def parts(self) -> list[tuple[int, int, Path]]:
        """Return (first, last, file) of each part, in order, none twice."""
        return _parts(self.place.glob("part-*.npz"))

    def _missing(self) -> list[tuple[int, int]]:
        missing, at = [], 0
        for first, last, _ in self.parts():
            if first > at:
                missing.append((at, first))
            at = last
        if at < self.job.n_presentations:
            missing.append((at, self.job.n_presentations))
        return missing

    def _room(self) -> None:
        """Raise if the disk is too small for what is to come."""
        job, grid = self.job, self.job.grid
        elements = job.n_presentations * job.n_neurons
        if job.neurons.spiking:
            seconds = (grid.n_steps - grid.warm_up) * grid.dt
            needed = elements * (2 * grid.n_bins * 0.25 + seconds * _FORECAST * _SPIKE)  # counts are compressed
        else:
            needed = elements * 4.0 * grid.n_bins * 2
        if job.record is not None:
            recorded = len(job.record.names) * len(job.record.neurons) * job.record.samples(grid)
            needed += 8.0 * job.n_presentations * recorded
        free = shutil.disk_usage(existing(self.target)).free
        if needed > free:
            raise need(
                f"about {needed / 1e9:.1f} GB on the disk of {str(self.target)!r}",
                f"{free / 1e9:.1f} GB free",
                "Free some, write elsewhere, or simulate fewer stimuli or trials",
                kind=OSError,
            )

    def _write_zarr(self, labels: xr.Dataset) -> None:
        import zarr

        shutil.rmtree(self._data, ignore_errors=True)
        job, grid = self.job, self.job.grid
        if job.record is not None:
            labels = labels.assign_coords(samples_of(job.record, labels, grid))
        labels.to_zarr(self._data, mode="w", zarr_format=2, consolidated=False)
        group = zarr.open_group(self._data, mode="r+", zarr_format=2)
        arrays: dict[str, Any] = {}
        for stimuli, trials in self._pieces():
            here = labels.isel(stimulus=stimuli, trial=trials)
            first = stimuli.start * job.trials + trials.start
            piece = merge(here, list(self._between(first, first + here.sizes["stimulus"] * here.sizes["trial"])), job)
            for name, variable in piece.data_vars.items():
                if name not in arrays:
                    arrays[str(name)] = _array(group, str(name), variable, len(job.stimulus_ids), job.trials)
                if variable.dims[0] == "spike":
                    arrays[str(name)].append(variable.values)
                else:
                    arrays[str(name)][stimuli, trials] = variable.values
        zarr.consolidate_metadata(self._data, zarr_format=2)

    def _pieces(self) -> Iterator[tuple[slice, slice]]:
        """Give (stimuli, trials) that are put together at a time: whole stimuli, or some trials of one, in order."""
        job = self.job
        n = max(1, _GATHERED // max(1, 4 * job.n_neurons * job.grid.n_bins))  # presentations
        stimuli, trials = max(1, n // job.trials), min(n, job.trials)
        for start in range(0, len(job.stimulus_ids), stimuli):
            for trial in range(0, job.trials, trials):
                yield (
                    slice(start, min(start + stimuli, len(job.stimulus_ids))),
                    slice(trial, min(trial + trials, job.trials)),
                )

    def _between(self, low: int, high: int) -> Iterator[tuple[int, Part]]:
        """Give the parts of presentations ``low`` to ``high``, cut to them, numbered from the first of them."""
        for first, last, path in self.parts():
            if first < high and last > low:
                a, b = max(first, low), min(last, high)
                yield a - low, load(path).cut(a - first, b - first, self.job.n_neurons)


def _parts(paths: Iterable[Path]) -> list[tuple[int, int, Path]]:
    """Return (first, last, file) of each part, in order, none twice."""
    found = []
    for path in paths:
        if match := _NAME.fullmatch(path.name):
            found.append((int(match[1]), int(match[2]), path))
    kept: list[tuple[int, int, Path]] = []
    for first, last, path in sorted(found, key=lambda one: (one[0], -one[1])):
        if not kept or first >= kept[-1][1]:
            kept.append((first, last, path))
    return kept


def _count(parts: Sequence[tuple[int, int, Path]]) -> int:
    return sum(last - first for first, last, _ in parts)


def _array(group: Any, name: str, variable: xr.DataArray, n_stimuli: int, n_trials: int) -> Any:
    """Return a new array for a variable of all stimuli and trials, or for spikes, of which there are none yet."""
    if variable.dims[0] == "spike":
        shape: tuple[int, ...] = (0,)
        chunks: tuple[int, ...] = (_CHUNK,)
    else:
        inner = variable.shape[2:]
        presentation = max(1, int(np.prod(inner)) * variable.dtype.itemsize)
        trials = min(n_trials, max(1, _CHUNK // presentation))
        shape = (n_stimuli, n_trials, *inner)
        chunks = (
            min(n_stimuli, max(1, _CHUNK // (presentation * n_trials))),
            trials,
            *(max(1, size) for size in inner),
        )
    return group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=variable.dtype,
        fill_value=None,
        attributes={"_ARRAY_DIMENSIONS": list(variable.dims), **variable.attrs},
    )


def merge(labels: xr.Dataset, parts: Sequence[tuple[int, Part]], job: Job) -> xr.Dataset:
    """Return the recording of some parts, (first presentation, part) in order, under ``labels``."""
    recording = assemble(labels, parts, job.grid, job.neurons.spiking)
    if job.record is not None:
        recording = recording.assign(states_of(parts, job.record, job.neurons, labels, job.grid))
    return recording
