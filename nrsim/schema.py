"""The nouns: what each dataset of nrsim must hold, and a check at the door that reports every fault at once.

A noun is a plain :class:`xarray.Dataset`. Stages never import stages: they meet only here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from nrsim.errors import SchemaError, unknown

Dims = tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """One variable or coordinate of a noun.

    Attributes
    ----------
    dims
        The allowed shapes, each a tuple of named dims; empty when any will do.
    kind
        What the values are: ``"number"``, ``"integer"``, ``"text"`` or ``"boolean"``.
    units
        The allowed units; the first is the usual one. Empty for text.
    about
        What it means.
    finite
        Whether every value must be finite.
    missing_where
        The label, along the last dim, that allows NaN: where it is not ``''``. Empty where none does.
    """

    dims: tuple[Dims, ...]
    kind: str
    units: tuple[str, ...] = ()
    about: str = ""
    finite: bool = False
    missing_where: str = ""


@dataclass(frozen=True)
class Noun:
    """One kind of dataset: what it must hold and what it may hold."""

    about: str
    main: tuple[str, ...]
    variables: Mapping[str, Variable]
    coords: Mapping[str, Variable]
    required: tuple[str, ...] = ()
    attrs: Mapping[str, str] = field(default_factory=dict)


def _text(*dims: str, about: str) -> Variable:
    return Variable((dims,), "text", about=about)


def _number(*dims: str, units: str | tuple[str, ...] = "1", about: str = "", finite: bool = False) -> Variable:
    return Variable((dims,), "number", (units,) if isinstance(units, str) else units, about, finite)


STIMULUS_LABELS: dict[str, Variable] = {
    "stimulus_id": _text("stimulus", about="the one required label, unique"),
    "domain": _text("stimulus", about="head shape: human, macaque, cartoon, an avatar, a person"),
    "category": _text("stimulus", about="face, object or grating: what face selectivity is scored on"),
    "identity": _text("stimulus", about="who"),
    "identity_level": _number("stimulus", about="0 = the average face, 1 = the identity, < 0 its anti-face"),
    "expression": _text("stimulus", about="which expression; 'neutral' for the norm of a head"),
    "intensity": _number(
        "stimulus", about="0 = the norm of this trajectory, 1 = the prototype, > 1 caricature, < 0 anti-face"
    ),
    "view": _text("stimulus", about="name of the view"),
    "yaw": _number("stimulus", units="degree", about="head turned to its left"),
    "pitch": _number("stimulus", units="degree", about="head turned down"),
    "light": _text("stimulus", about="name of the lighting"),
    "skin": _text("stimulus", about="name of the skin; '' for the head's own"),
    "scale": _number("stimulus", about="factor of the face's size in the picture"),
    "position_x": _number("stimulus", units="degree", about="place of the face in the picture"),
    "position_y": _number("stimulus", units="degree", about="place of the face in the picture, up"),
    "trajectory": _text("stimulus", about="radial or tangential to the average face"),
    "expression_fraction": _number("stimulus", about="between two expressions, 0 and 1"),
    "species_fraction": _number("stimulus", about="between two species' motion, 0 and 1"),
    "prototypes": _text("stimulus", about="what a motion lies between"),
    "varied": _text("stimulus", about="which features of a cartoon face are not average"),
    "parts": _text("stimulus", about="which parts of a cartoon face are drawn"),
    "fraction_outside": _number("stimulus", about="share of the picture that matching drove out of 0..1"),
    "clipped": _number("stimulus", about="share of a morph's pixels that left 0..1"),
    "object_coverage": _number("stimulus", about="share of the picture that an object covers"),
    "object_luminance": _number("stimulus", about="mean luminance of an object"),
    "object_contrast": _number("stimulus", about="RMS contrast of an object"),
    "movement_id": _text("stimulus", about="the moving face that a frame is of"),
    "shown_at": _number("stimulus", units="s", about="when a frame is shown"),
    "peak_intensity": _number("stimulus", about="intensity at the peak of the movement"),
    "course": _text("stimulus", about="how intensity runs over time in a moving face; intensity is its peak"),
    "norm_id": _text("stimulus", about="stimulus_id of this stimulus's norm, '' where it has none in the set"),
    "norm_kind": _text("stimulus", about="neutral, average_identity, midpoint or adapted"),
    "morph_from": _text("stimulus", about="one end of a morph between two faces"),
    "morph_to": _text("stimulus", about="the other end"),
    "morph_fraction": _number("stimulus", about="0 = morph_from, 1 = morph_to"),
    "norm_distance": _number("stimulus", units=("interocular distance", "1"), about="physical size of the change"),
    "grating_orientation": _number(
        "stimulus",
        units="degree",
        about="0 = vertical, counter-clockwise positive; of a drifting grating 0..360, also its direction",
    ),
    "grating_frequency": _number("stimulus", units="cycles/degree", about="spatial frequency"),
    "grating_phase": _number("stimulus", units="degree", about="0 = even about the grating's centre"),
    "grating_contrast": _number("stimulus", about="Michelson contrast"),
    "grating_diameter": _number("stimulus", units="degree", about="full width at half height of its window"),
    "grating_x": _number("stimulus", units="degree", about="its centre, positive to the right"),
    "grating_y": _number("stimulus", units="degree", about="its centre, positive up"),
    "mask_orientation": _number("stimulus", units="degree", about="of a second grating over the first, as its own"),
    "mask_frequency": _number("stimulus", units="cycles/degree", about="of the second grating"),
    "mask_contrast": _number("stimulus", about="Michelson contrast of the second grating"),
    "surround_orientation": _number("stimulus", units="degree", about="of a grating around the first, as its own"),
    "surround_frequency": _number("stimulus", units="cycles/degree", about="of the grating around"),
    "surround_contrast": _number("stimulus", about="Michelson contrast of the grating around"),
    "temporal_frequency": _number("stimulus", units="Hz", about="cycles per second of a drifting grating"),
    "image_sha256": _text("stimulus", about="hash of the image at 8 bits"),
    "norm_used": _text("stimulus", about="the domain whose norm the stimulus was held against"),
    "file": _text("stimulus", about="the picture's file name"),
}

_NEURON_LABELS: dict[str, Variable] = {
    "neuron_id": _text("neuron", about="unique"),
    "encoder": _text("neuron", about="the rule that drives a model neuron"),
    "prefers": _text("neuron", about="what the neuron's prototype was"),
    "at_prototype": _number("neuron", about="activity of a model neuron at its own prototype"),
    "exponent": _number("neuron", about="ν of a model neuron, the width of its tuning to direction"),
    "gain": _number("neuron", about="factor of a model neuron's activity"),
    "baseline": _number("neuron", about="activity of a model neuron at the norm"),
    "intensity_curve": _text(
        "neuron",
        about="how a model neuron's activity grows from baseline to at_prototype as its prototype grows: 'linear', "
        "'power' (of the label exponent), 'gaussian', or '' where that is not known",
    ),
    "face_patch": _text("neuron", about="ML, AL, AM, …"),
    "region": _text("neuron", about="area"),
    "hemisphere": _text("neuron", about="left or right"),
    "subject": _text("neuron", about="animal"),
    "session": _text("neuron", about="recording session"),
    "isolation": _text("neuron", about="single, multi or site"),
    "depth": _number("neuron", units=("mm", "um", "µm"), about="electrode depth"),
}

_ATTRS = {
    "schema": "the noun's name",
    "title": "what this is, for a figure's title",
    "source": "where it comes from: a DOI, a file, 'nrsim'",
    "history": "one step a line",
    "parameters": "settings of every step, JSON",
    "nrsim_version": "the version that made it",
}

_PLACE = {
    "y": _number("y", units="degree", about="positive up; the top row is stored first", finite=True),
    "x": _number("x", units="degree", about="positive to the right", finite=True),
}


_FRAMES = {  # the second shape is what is left of it where one frame was selected
    "frame_time": Variable((("frame",), ()), "number", ("s",), "0 = stimulus onset"),
    "frame_intensity": Variable(
        (("stimulus", "frame"), ("stimulus",)), "number", ("1",), "intensity at each frame of a moving face"
    ),
}


def _pooled(*dims: str) -> tuple[Dims, ...]:
    """Return the shapes of V1 responses: still or moving, at places of a grid or at chosen ones."""
    still = [(*dims, "y", "x"), (*dims, "place")]
    return (*still, *((shape[0], "frame", *shape[1:]) for shape in still))


NOUNS: dict[str, Noun] = {
    "StimulusSet": Noun(
        about="images with labels",
        main=("image",),
        variables={
            "image": Variable(
                (("stimulus", "y", "x"), ("stimulus", "frame", "y", "x")), "number", ("1",), "luminance 0..1", True
            ),
            "colour": Variable(
                (("stimulus", "y", "x", "channel"), ("stimulus", "frame", "y", "x", "channel")),
                "number",
                ("1",),
                "red, green, blue 0..1, for showing; nrsim sees the luminance in image",
            ),
        },
        coords={
            **STIMULUS_LABELS,
            **_PLACE,
            "landmark": Variable(
                (("stimulus", "point", "axis"), ("stimulus", "frame", "point", "axis")),
                "number",
                ("px",),
                "(x, y) in pixels of the picture as stored, 0 = left, top edge; NaN where a point is not marked",
            ),
            "point": _text("point", about="the landmark's name"),
            "axis": _text("axis", about="x, y"),
            "channel": _text("channel", about="red, green, blue"),
            **_FRAMES,
        },
        required=("stimulus_id", "y", "x"),
        attrs=_ATTRS,
    ),
    "V1Response": Noun(
        about="energy and signed responses of a bank of V1 channels",
        main=("energy", "response"),
        variables={
            "energy": Variable(
                _pooled("stimulus", "frequency", "orientation"),
                "number",
                ("1",),
                "complex-cell energy; on the pixels, on a grid of pools, or in pools at places",
                True,
            ),
            "response": Variable(
                _pooled("stimulus", "frequency", "orientation", "phase"),
                "number",
                ("1",),
                "simple-cell response, signed or rectified",
                True,
            ),
        },
        coords={
            **STIMULUS_LABELS,
            **_PLACE,
            "place_y": _number("place", units="degree", about="centre of a pool, positive up", finite=True),
            "place_x": _number("place", units="degree", about="centre of a pool, positive to the right", finite=True),
            **_FRAMES,
            "frequency": _number("frequency", units="cycles/degree", about="preferred spatial frequency", finite=True),
            "orientation": _number(
                "orientation",
                units="degree",
                about="0 = vertical grating, counter-clockwise positive; of direction-selective cells 0..360, "
                "the direction of motion",
                finite=True,
            ),
            "phase": _number("phase", units="degree", about="0 even, 90 odd", finite=True),
        },
        required=("stimulus_id", "frequency", "orientation"),
        attrs=_ATTRS,
    ),
    "Features": Noun(
        about="one vector a stimulus",
        main=("value",),
        variables={
            "value": Variable(
                (("stimulus", "feature"), ("stimulus", "frame", "feature")),
                "number",
                ("1", "px", "degree"),
                "NaN only in features of a landmark that was not seen",
                True,
                missing_where="landmark",
            )
        },
        coords={
            **STIMULUS_LABELS,
            **_FRAMES,
            "feature_id": _text("feature", about="unique; what the feature is"),
            "frequency": _number("feature", units="cycles/degree", about="channel"),
            "orientation": _number("feature", units="degree", about="channel"),
            "feature_y": _number("feature", units="degree", about="place"),
            "feature_x": _number("feature", units="degree", about="place"),
            "landmark": _text("feature", about="the point whose coordinate the feature is, '' for other features"),
            "feature_axis": _text("feature", about="x or y: which coordinate of the landmark"),
            "cue": _text("feature", about="which kind of feature it is, where several are joined"),
        },
        required=("stimulus_id", "feature_id"),
        attrs=_ATTRS,
    ),
    "FaceCode": Noun(
        about="activity of encoding neurons, before spikes",
        main=("activity",),
        variables={
            "activity": Variable((("stimulus", "neuron"), ("stimulus", "frame", "neuron")), "number", ("1",), "", True)
        },
        coords={
            **STIMULUS_LABELS,
            **_NEURON_LABELS,
            **_FRAMES,
            "distance": Variable(
                (("stimulus",), ("stimulus", "frame")), "number", ("1",), "‖d‖ from the norm used, in feature units"
            ),
        },
        required=("stimulus_id", "neuron_id", "encoder", "prefers"),
        attrs=_ATTRS,
    ),
    "Drive": Noun(
        about="input current of neurons over time",
        main=("current",),
        variables={"current": _number("stimulus", "neuron", "time", units="nA", about="input current", finite=True)},
        coords={
            **STIMULUS_LABELS,
            **_NEURON_LABELS,
            "time": _number("time", units="s", about="start of the step; 0 = stimulus onset", finite=True),
        },
        required=("stimulus_id", "neuron_id", "time"),
        attrs=_ATTRS | {"stimulus_duration": "s", "stimulus_onset": "s"},
    ),
    "Recording": Noun(
        about="spike counts (or rates) of neurons, model or monkey, by stimulus and repeat",
        main=("spike_count", "firing_rate"),
        variables={
            "spike_count": Variable(
                (("stimulus", "trial", "neuron", "time"),), "integer", ("1",), "spikes in the bin, -1 = not presented"
            ),
            "firing_rate": _number(
                "stimulus", "trial", "neuron", "time", units="Hz", about="rate units; NaN = no trial"
            ),
            "presented": Variable((("stimulus", "trial", "neuron"),), "boolean", (), "whether this repeat took place"),
            "spike_time": _number("spike", units="s", about="0 = stimulus onset", finite=True),
            "spike_stimulus": Variable((("spike",),), "integer", ("1",), "value of the coordinate stimulus"),
            "spike_trial": Variable((("spike",),), "integer", ("1",), "value of the coordinate trial"),
            "spike_neuron": Variable((("spike",),), "integer", ("1",), "value of the coordinate neuron"),
        },
        coords={
            **STIMULUS_LABELS,
            **_NEURON_LABELS,
            "stimulus": Variable((("stimulus",),), "integer", ("1",), "a number that survives selection"),
            "trial": Variable((("trial",),), "integer", ("1",), "repeat"),
            "neuron": Variable((("neuron",),), "integer", ("1",), "a number that survives selection"),
            "time": _number("time", units="s", about="centre of the bin; 0 = stimulus onset", finite=True),
            "time_bin_start": _number("time", units="s", about="start of the bin", finite=True),
            "time_bin_end": _number("time", units="s", about="end of the bin", finite=True),
        },
        required=("stimulus_id", "neuron_id", "stimulus", "trial", "neuron", "time", "time_bin_start", "time_bin_end"),
        attrs=_ATTRS | {"stimulus_duration": "s", "simultaneous": "1 if the neurons were recorded together, else 0"},
    ),
    "TuningCurves": Noun(
        about="mean firing rate along labels",
        main=("firing_rate",),
        variables={
            "firing_rate": Variable((), "number", ("Hz", "1"), "(neuron, <labels>); units 1 when normalised"),
            "sem": Variable((), "number", ("Hz", "1"), "standard error of the mean over trials"),
            "n_trials": Variable((), "number", ("1",), "trials in the mean"),
        },
        coords={**_NEURON_LABELS, "intensity": _number("intensity", about="as on stimuli", finite=True)},
        required=("neuron_id", "sem", "n_trials"),
        attrs=_ATTRS | {"along": "the label the curve runs along"},
    ),
}

_DIMS = {
    *("stimulus", "frame", "y", "x", "channel", "point", "axis", "frequency", "orientation", "phase", "feature"),
    *("place", "neuron", "time", "trial", "spike"),
}
_BLOCK = 2**22  # bytes looked at in one piece (measured: smaller ones take longer to read from a file)
_NAMED = 3  # stimuli at fault that a message names
_KINDS = {"number": "iuf", "integer": "iu", "boolean": "b", "text": "UOT"}
_UNIQUE = {"stimulus_id": "stimulus", "neuron_id": "neuron", "feature_id": "feature"}


def noun_of(dataset: xr.Dataset) -> str:
    """Return the noun a dataset says it is.

    Raises
    ------
    SchemaError
        If it does not say, or names none.
    """
    name = dataset.attrs.get("schema", "")
    if name not in NOUNS:
        raise SchemaError(f"needed a dataset whose attribute 'schema' names a noun ({', '.join(NOUNS)}); got {name!r}")
    return str(name)


def check(dataset: xr.Dataset, noun: str, *, values: bool = True) -> xr.Dataset:
    """Return ``dataset`` if it is a valid ``noun``, else raise with every fault at once.

    Parameters
    ----------
    dataset
        What to check.
    noun
        ``"StimulusSet"``, ``"V1Response"``, ``"Features"``, ``"FaceCode"``, ``"Drive"``, ``"Recording"`` or
        ``"TuningCurves"``.
    values
        Whether to read the noun's main variable, which must be finite and, for pictures, within 0..1. A stage that
        reads the values of a large set anyway, block by block, says False and uses :func:`check_images`.

    Raises
    ------
    TypeError
        If it is no :class:`xarray.Dataset`.
    SchemaError
        With all faults: what was needed, what came, what to do.

    Examples
    --------
    >>> import nrsim as nr
    >>> recording = nr.schema.check(nr.example("Recording"), "Recording")
    """
    if noun not in NOUNS:
        raise unknown("noun", noun, NOUNS)
    if not isinstance(dataset, xr.Dataset):
        raise TypeError(f"needed a {noun}, which is an xarray.Dataset; got {type(dataset).__name__}")
    faults = _faults(dataset, noun, values)
    if faults:
        said = dataset.attrs.get("schema")
        hint = f" (the dataset says it is a {said})" if said in NOUNS and said != noun else ""
        raise SchemaError(f"not a valid {noun}{hint}:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return dataset


def _faults(dataset: xr.Dataset, noun: str, values: bool) -> list[str]:
    spec = NOUNS[noun]
    faults: list[str] = []
    if not any(name in dataset for name in spec.main):
        wanted = " or ".join(_signature(name, spec.variables[name]) for name in spec.main)
        have = ", ".join(str(name) for name in dataset.data_vars) or "no variable"
        faults.append(f"needed the variable {wanted}; got {have}")
    for name in (*spec.required, *(_places(dataset) if noun == "V1Response" else ())):
        if name not in dataset.variables:
            variable = spec.coords.get(name) or spec.variables[name]
            faults.append(f"needed {_signature(name, variable)}: {variable.about or 'see the schema'}; it is missing")
    for name, variable in {**spec.coords, **spec.variables}.items():
        if name in dataset.variables:
            look = values or name not in spec.main
            faults += _variable_faults(dataset[name], name, variable, look)
    for name, dim in _UNIQUE.items():
        if name in spec.required and name in dataset.variables and dataset[name].dims == (dim,):
            names, counts = np.unique(dataset[name].values.astype(str), return_counts=True)
            doubles = [str(each) for each in names[counts > 1]]
            if doubles:
                faults.append(f"{name}: needed unique labels; {', '.join(map(repr, doubles[:3]))} come more than once")
    if noun == "TuningCurves" and "firing_rate" in dataset and "neuron" not in dataset["firing_rate"].dims:
        faults.append(f"firing_rate: needed the dim 'neuron'; got {dataset['firing_rate'].dims}")
    if noun == "Recording":
        faults += _spike_faults(dataset)
    if noun == "StimulusSet":
        for name, wanted, sign in (("y", "fall: the top row is stored first", -1), ("x", "rise", 1)):
            if (
                name in dataset.variables
                and dataset[name].ndim == 1
                and (np.diff(dataset[name].values) * sign <= 0).any()
            ):
                todo = f"sort with dataset.sortby({name!r}, ascending={sign > 0})"
                faults.append(f"{name}: needed values that {wanted}; they do not; {todo}")
    if noun == "StimulusSet" and values and "image" in dataset and not faults and dataset["image"].size:
        spans = [(float(block.min()), float(block.max())) for block in _blocks(dataset["image"])]
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        faults += _luminance_faults(low, high, dataset["image"].dtype)
    for name in _DIMS - {"stimulus"}:
        if name in dataset.coords and dataset[name].dims == ("stimulus",):
            faults.append(f"{name}: needed another name for a label of the stimuli; {name!r} is a dim of later stages")
    for name, about in spec.attrs.items():
        if name not in dataset.attrs:
            faults.append(f"needed the attribute {name!r} ({about}); it is missing")
    for name, value in dataset.attrs.items():
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (str, int, float, np.integer, np.floating)):
            faults.append(
                f"attribute {name!r}: needed a str or a number, as netCDF holds; got {type(value).__name__}; "
                "write structure as a JSON string"
            )
    return faults


def check_images(images: np.ndarray, stimulus_ids: np.ndarray) -> np.ndarray:
    """Return ``images (stimulus, …)`` if they are finite and within 0..1, else raise with the stimuli at fault.

    Raises
    ------
    SchemaError
        Naming the first stimuli.
    """
    low, high = images.min(axis=tuple(range(1, images.ndim))), images.max(axis=tuple(range(1, images.ndim)))
    wrong = ~((low >= -1e-6) & (high <= 1 + 1e-6))
    if wrong.any():
        faults = ["image: needed finite values; some are NaN or infinite"] if not np.isfinite(low + high).all() else []
        faults = faults or _luminance_faults(float(low.min()), float(high.max()), images.dtype)
        shown = ", ".join(repr(str(name)) for name in stimulus_ids[wrong][:_NAMED])
        raise SchemaError(f"not a valid StimulusSet:\n  - {faults[0]} (stimuli {shown})")
    return images


def _luminance_faults(low: float, high: float, dtype: np.dtype) -> list[str]:
    if low < -1e-6 or high > 1 + 1e-6:
        todo = "divide by the largest level"
        if dtype.kind in "iu":
            level = np.iinfo(dtype).max if dtype.kind == "u" else int(high)
            divided = f'(faces["image"] / {level}).astype("float32").assign_attrs(units="1")'
            todo = f'levels become luminance by faces["image"] = {divided}, block by block if they are a Dask array'
        return [f"image: needed luminance in 0..1; got {low:.3g}..{high:.3g} ({dtype}); {todo}"]
    return []


def _places(dataset: xr.Dataset) -> tuple[str, str]:
    """Return the coordinates that V1 responses need: where the pools are."""
    return ("place_y", "place_x") if "place" in dataset.dims else ("y", "x")


def _blocks(array: xr.DataArray) -> Iterator[np.ndarray]:
    """Return the values in runs along the first dim, so that an array on disk is never whole in memory."""
    if not array.ndim or array.nbytes <= _BLOCK:
        yield array.values
        return
    step = max(1, int(_BLOCK * len(array) / array.nbytes))
    for start in range(0, len(array), step):
        yield array[start : start + step].values


def _signature(name: str, variable: Variable) -> str:
    shapes = " or ".join(f"({', '.join(dims)})" for dims in variable.dims) or "(neuron, <labels>)"
    return f"{name} {shapes}"


def _variable_faults(array: xr.DataArray, name: str, variable: Variable, look: bool) -> list[str]:
    faults = []
    if variable.dims and array.dims not in variable.dims:
        faults.append(f"{_signature(name, variable)}: got the dims ({', '.join(map(str, array.dims))})")
    if array.dtype.kind not in _KINDS[variable.kind]:
        faults.append(f"{name}: needed {variable.kind} values; got {array.dtype}")
        return faults
    if variable.units:
        units = array.attrs.get("units")
        if units not in variable.units:
            wanted = " or ".join(map(repr, variable.units))
            faults.append(f"{name}: needed the attribute units = {wanted}; got {units!r}")
    if variable.finite and look and array.dtype.kind == "f":
        count, first, start, ids = 0, "", 0, _stimulus_ids(array)
        named: list[str] = []
        may_miss = _may_be_missing(array, variable)
        for block in _blocks(array):
            bad = ~np.isfinite(block) if may_miss is None else ~np.isfinite(block) & ~(np.isnan(block) & may_miss)
            if bad.any():
                at = np.argwhere(bad)[0]
                first = first or str((start + int(at[0]), *(int(i) for i in at[1:])) if at.size else ())
                count += int(bad.sum())
                if ids is not None and len(named) < _NAMED:
                    rows = start + np.flatnonzero(bad.reshape(len(bad), -1).any(axis=1))
                    named += [repr(str(each)) for each in ids[rows[: _NAMED - len(named)]]]
            start += len(block) if block.ndim else 0
        if count:
            shown = f" (stimuli {', '.join(named)})" if named else ""
            faults.append(f"{name}: needed finite values; {count} are NaN or infinite, the first at {first}{shown}")
    return faults


def _may_be_missing(array: xr.DataArray, variable: Variable) -> np.ndarray | None:
    """Return which entries along the last dim may be NaN; None if none."""
    name = variable.missing_where
    if not name or name not in array.coords or array[name].dims != array.dims[-1:]:
        return None
    return np.array([str(each) != "" for each in array[name].values], dtype=bool)


def _stimulus_ids(array: xr.DataArray) -> np.ndarray | None:
    """Return the ``stimulus_id`` of each entry along the first dim, where that is the stimuli."""
    named = "stimulus_id" in array.coords and array["stimulus_id"].dims == ("stimulus",) == array.dims[:1]
    return np.asarray(array["stimulus_id"].values) if named else None


def _spike_faults(dataset: xr.Dataset) -> list[str]:
    faults = []
    for dim in ("stimulus", "trial", "neuron"):
        name = f"spike_{dim}"
        if "spike_time" in dataset and name not in dataset:
            faults.append(f"needed {name} (spike) beside spike_time; it is missing")
        elif name in dataset and dim in dataset.coords and dataset.sizes.get("spike", 0):
            labels = dataset[dim].values
            if len(np.unique(labels)) < len(labels):
                faults.append(f"{dim}: needed unique numbers, which {name} refers to; some come more than once")
            strays = ~np.isin(dataset[name].values, labels)
            if strays.any():
                faults.append(
                    f"{name}: {int(strays.sum())} spikes belong to no {dim} of this recording; "
                    "use nr.select, which filters counts and spikes together"
                )
    return faults
