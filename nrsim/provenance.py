"""How a dataset was made: history, parameters, seed, versions, hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr

from nrsim._version import __version__


def plain(value: Any) -> Any:
    """Return ``value`` as something JSON and TOML can hold; arrays become lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "get_params"):
        return {"class": type(value).__name__, **plain(value.get_params())}
    if isinstance(value, xr.DataArray):
        return {"dims": list(value.dims), "shape": list(value.shape), "sha256": _values_hash(value.values)}
    if callable(value) and hasattr(value, "__qualname__"):  # str would name its place in memory, which does not repeat
        return value.__qualname__
    return str(value)


def as_json(value: Any) -> str:
    """Return ``value`` as a compact JSON string with sorted keys."""
    return json.dumps(plain(value), sort_keys=True, ensure_ascii=False)


def text_hash(text: str) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _values_hash(values: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


def image_hash(image: np.ndarray) -> str:
    """Return the SHA-256 of an image ``(y, x)`` or ``(frame, y, x)`` at 8 bits, with its shape."""
    levels = np.clip(np.rint(np.asarray(image, dtype=np.float64) * 255), 0, 255).astype(np.uint8)
    return hashlib.sha256(str(levels.shape).encode() + levels.tobytes()).hexdigest()


def labels_hash(labels: xr.Dataset) -> str:
    """Return the SHA-256 of all coordinates and attributes of a dataset but the time it was made."""
    made = hashlib.sha256()
    for name, coord in sorted(labels.coords.items(), key=lambda item: str(item[0])):
        made.update(f"{name}{coord.dims}{coord.shape}{as_json(coord.attrs)}".encode())
        values = np.ascontiguousarray(coord.values)
        made.update(values.tobytes() if values.dtype.kind in "biufcmM" else as_json(values).encode())
    made.update(as_json({key: value for key, value in labels.attrs.items() if key != "created"}).encode())
    return made.hexdigest()


def stamp(
    dataset: xr.Dataset,
    noun: str,
    step: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    parents: Sequence[xr.Dataset] = (),
    title: str | None = None,
    source: str | None = None,
    seed: int | None = None,
    **attributes: str | int | float,
) -> xr.Dataset:
    """Return ``dataset`` with the attributes that say what it is and how it was made.

    Parameters
    ----------
    dataset
        The dataset; its attributes are replaced.
    noun
        The schema's name: ``"Recording"``.
    step
        What was done, as a user would write it: ``"V1Bank.transform"``.
    parameters
        The settings of this step; kept as JSON under the step's name.
    parents
        The datasets it was made from: their history, parameters, title and source are carried on.
    title, source
        Given here, or taken from the first parent.
    seed
        The seed, where something was drawn.
    **attributes
        Further attributes, str or number.
    """
    history: list[str] = []
    merged: dict[str, Any] = {}
    carried: dict[str, str | int | float] = {}
    for parent in parents:
        history += [line for line in str(parent.attrs.get("history", "")).splitlines() if line not in history]
        merged |= json.loads(parent.attrs.get("parameters", "{}"))
        for name in ("title", "source", "seed", "recipe", "recipe_sha256"):
            if name in parent.attrs:
                carried.setdefault(name, parent.attrs[name])
    chosen = plain(parameters or {})
    history.append(f"{step} {as_json(chosen)}")
    merged[step] = chosen
    attrs: dict[str, str | int | float] = {
        **carried,
        "schema": noun,
        "title": title or str(carried.get("title", noun)),
        "source": source or str(carried.get("source", "nrsim")),
        "parameters": as_json(merged),
        "history": "\n".join(history),
        "nrsim_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **attributes,
    }
    if seed is not None:
        attrs["seed"] = int(seed)
    return dataset.assign_attrs(attrs) if not dataset.attrs else dataset.drop_attrs(deep=False).assign_attrs(attrs)


def identical(first: xr.Dataset, second: xr.Dataset) -> bool:
    """Return whether two datasets are the same in every value, label and attribute but the time they were made.

    How many threads of a processor worked on them (``threads``) does not count either.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.identical(nr.example("Recording"), nr.example("Recording"))
    True
    """

    def timeless(dataset: xr.Dataset) -> xr.Dataset:
        attrs = {key: value for key, value in dataset.attrs.items() if key not in ("created", "threads")}
        return dataset.drop_attrs(deep=False).assign_attrs(attrs)

    return bool(timeless(first).identical(timeless(second)))
