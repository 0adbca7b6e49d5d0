"""A small valid dataset of each noun, for tests, docstrings and a first look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance, seeds
from nrsim.errors import unknown
from nrsim.schema import check

_DOMAINS = ("human", "macaque")
_EXPRESSIONS = ("happy", "angry")
_LEVELS = (-0.5, 0.5, 1.0)


def _units(dataset: xr.Dataset, **units: str) -> xr.Dataset:
    for name, unit in units.items():
        dataset[name].attrs["units"] = unit
    return dataset


def _labels() -> dict[str, tuple[str, list]]:
    rows = [(domain, "neutral", 0.0) for domain in _DOMAINS]
    rows += [(d, e, level) for d in _DOMAINS for e in _EXPRESSIONS for level in _LEVELS]
    rows.sort(key=lambda row: _DOMAINS.index(row[0]))
    return {
        "stimulus_id": ("stimulus", [f"{d}-{e}-{level:+.2f}" for d, e, level in rows]),
        "domain": ("stimulus", [row[0] for row in rows]),
        "expression": ("stimulus", [row[1] for row in rows]),
        "intensity": ("stimulus", [row[2] for row in rows]),
        "norm_id": ("stimulus", [f"{row[0]}-neutral-+0.00" for row in rows]),
        "norm_kind": ("stimulus", ["neutral"] * len(rows)),
    }


def _place(n: int, degrees: float) -> np.ndarray:
    return (np.arange(n) + 0.5 - n / 2) * degrees / n


def _stimuli() -> xr.Dataset:
    """Blobs whose orientation is the expression, whose contrast is the intensity, whose width is the domain."""
    labels = _labels()
    x, y = _place(32, 4.0), _place(32, 4.0)[::-1]
    images = []
    for domain, expression, level in zip(*(labels[k][1] for k in ("domain", "expression", "intensity")), strict=True):
        width = 0.8 if domain == "human" else 1.0
        blob = np.exp(-(x[None] ** 2 + y[:, None] ** 2) / (2 * width**2))
        angle = 0.0 if expression == "happy" else np.pi / 2
        wave = np.cos(2 * np.pi * (np.cos(angle) * x[None] + np.sin(angle) * y[:, None]))
        images.append(0.3 + 0.3 * blob + 0.2 * level * blob * wave)
    coords = {**labels, "y": ("y", y), "x": ("x", x)}
    data = xr.Dataset({"image": (("stimulus", "y", "x"), np.array(images, dtype=np.float32))}, coords)
    data["image_sha256"] = ("stimulus", [provenance.image_hash(image) for image in images])
    return _units(data.set_coords("image_sha256"), image="1", y="degree", x="degree", intensity="1")


def _v1() -> xr.Dataset:
    rng = seeds.stream(0, "example", "V1Response")
    labels = _labels()
    n = len(labels["stimulus_id"][1])
    coords = {
        **labels,
        "frequency": ("frequency", [1.0, 2.0]),
        "orientation": ("orientation", [0.0, 45.0, 90.0, 135.0]),
        "y": ("y", _place(8, 4.0)[::-1]),
        "x": ("x", _place(8, 4.0)),
    }
    energy = rng.gamma(2.0, 0.5, (n, 2, 4, 8, 8)).astype(np.float32)
    data = xr.Dataset({"energy": (("stimulus", "frequency", "orientation", "y", "x"), energy)}, coords)
    units = {"frequency": "cycles/degree", "orientation": "degree", "y": "degree", "x": "degree", "intensity": "1"}
    return _units(data, energy="1", **units)


def _features() -> xr.Dataset:
    """A norm per domain, a direction per expression, a length per intensity: what the theory expects."""
    rng = seeds.stream(0, "example", "Features")
    labels = _labels()
    norms = {domain: rng.normal(3.0, 1.0, 12) for domain in _DOMAINS}
    directions = {expression: rng.normal(0.0, 1.0, 12) for expression in _EXPRESSIONS}
    value = [
        norms[d] + level * directions.get(e, np.zeros(12))
        for d, e, level in zip(*(labels[k][1] for k in ("domain", "expression", "intensity")), strict=True)
    ]
    coords = {**labels, "feature_id": ("feature", [f"feature-{i}" for i in range(12)])}
    data = xr.Dataset({"value": (("stimulus", "feature"), np.array(value))}, coords)
    return _units(data, value="1", intensity="1")


def _code() -> xr.Dataset:
    labels = _labels()
    expression, level = np.array(labels["expression"][1]), np.array(labels["intensity"][1])
    activity = np.stack([np.where(expression == e, np.clip(level, 0, None), 0.2 * abs(level)) for e in _EXPRESSIONS], 1)
    coords = {
        **labels,
        "neuron_id": ("neuron", [f"norm-{e}" for e in _EXPRESSIONS]),
        "encoder": ("neuron", ["norm"] * 2),
        "prefers": ("neuron", list(_EXPRESSIONS)),
        "at_prototype": ("neuron", np.ones(2)),
        "baseline": ("neuron", np.zeros(2)),
        "intensity_curve": ("neuron", ["linear"] * 2),
        "distance": ("stimulus", abs(level)),
    }
    data = xr.Dataset({"activity": (("stimulus", "neuron"), activity)}, coords)
    return _units(data, activity="1", intensity="1", distance="1", at_prototype="1", baseline="1")


def _drive() -> xr.Dataset:
    code = _code()
    time = np.arange(-0.1, 0.4, 0.01).round(6)
    on = ((time >= 0.1) & (time < 0.4)).astype(float)
    current = 0.2 + 0.8 * code["activity"].values[:, :, None] * on
    data = code.drop_vars("activity").assign(current=(("stimulus", "neuron", "time"), current))
    return _units(data.assign_coords(time=("time", time)), current="nA", time="s")


def _recording() -> xr.Dataset:
    """Poisson spikes of the example code: 5 Hz at rest, 30 Hz at the prototype, 8 trials."""
    rng = seeds.stream(0, "example", "Recording")
    code = _code()
    edges = np.arange(-0.1, 0.41, 0.05).round(6)
    on = (edges[:-1] >= 0.1).astype(float)
    rate = 5 + 25 * code["activity"].values[:, None, :, None] * on
    counts = rng.poisson(np.broadcast_to(rate * 0.05, (code.sizes["stimulus"], 8, 2, len(on))))
    where = np.argwhere(counts > 0).repeat(counts[counts > 0], axis=0)
    times = edges[where[:, 3]] + 0.05 * rng.random(len(where))
    data = code.drop_vars(["activity", "distance"]).assign(
        spike_count=(("stimulus", "trial", "neuron", "time"), counts.astype(np.int16)),
        spike_time=("spike", times),
        spike_stimulus=("spike", where[:, 0].astype(np.int32)),
        spike_trial=("spike", where[:, 1].astype(np.int32)),
        spike_neuron=("spike", where[:, 2].astype(np.int32)),
    )
    data = data.assign_coords(
        stimulus=np.arange(code.sizes["stimulus"]),
        trial=np.arange(8),
        neuron=np.arange(2),
        time=("time", (edges[:-1] + edges[1:]) / 2),
        time_bin_start=("time", edges[:-1]),
        time_bin_end=("time", edges[1:]),
    )
    ones = ("spike_count", "spike_stimulus", "spike_trial", "spike_neuron", "stimulus", "trial", "neuron")
    seconds = ("spike_time", "time", "time_bin_start", "time_bin_end")
    return _units(data, **dict.fromkeys(ones, "1"), **dict.fromkeys(seconds, "s"))


def _curves() -> xr.Dataset:
    level = np.array([-0.5, 0.0, 0.5, 1.0])
    rate = np.full((2, 2, 2, 4), 5.0)
    for i in range(2):
        rate[i, :, i] += 25 * np.clip(level, 0, None)
    data = xr.Dataset(
        {
            "firing_rate": (("neuron", "domain", "expression", "intensity"), rate),
            "sem": (("neuron", "domain", "expression", "intensity"), np.full(rate.shape, 0.8)),
            "n_trials": (("neuron", "domain", "expression", "intensity"), np.full(rate.shape, 8)),
        },
        {
            "neuron_id": ("neuron", [f"norm-{e}" for e in _EXPRESSIONS]),
            "encoder": ("neuron", ["norm"] * 2),
            "prefers": ("neuron", list(_EXPRESSIONS)),
            "domain": ("domain", list(_DOMAINS)),
            "expression": ("expression", list(_EXPRESSIONS)),
            "intensity": ("intensity", level),
        },
    )
    return _units(data, firing_rate="Hz", sem="Hz", n_trials="1", intensity="1")


_MAKERS: dict[str, tuple[Callable[[], xr.Dataset], dict[str, Any]]] = {
    "StimulusSet": (_stimuli, {}),
    "V1Response": (_v1, {}),
    "Features": (_features, {}),
    "FaceCode": (_code, {}),
    "Drive": (_drive, {"stimulus_onset": 0.0, "stimulus_duration": 0.3}),
    "Recording": (_recording, {"stimulus_onset": 0.0, "stimulus_duration": 0.3, "simultaneous": 1}),
    "TuningCurves": (_curves, {"along": "intensity"}),
}


def example(noun: str) -> xr.Dataset:
    """Return a small valid dataset of a noun: two domains, two expressions, both signs of intensity.

    Parameters
    ----------
    noun
        A name from :data:`nrsim.schema.NOUNS`.

    Raises
    ------
    ValueError
        If there is no such noun; the nearest is named.

    Examples
    --------
    >>> import nrsim as nr
    >>> dict(nr.example("Features").sizes)
    {'stimulus': 14, 'feature': 12}
    """
    if noun not in _MAKERS:
        raise unknown("noun", noun, _MAKERS)
    make, attributes = _MAKERS[noun]
    stamped = provenance.stamp(make(), noun, "example", {"noun": noun}, title=f"example {noun}", **attributes)
    return check(stamped, noun)
