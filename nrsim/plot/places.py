"""Where each stimulus stands on a sheet: rows, columns and captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from nrsim.labels import names
from nrsim.schema import STIMULUS_LABELS

# Labels that name a row, from the outside in; further ones of the schema follow where these do not tell all apart
_ROWS = (
    *("category", "domain", "varied", "identity", "morph_fraction", "species_fraction", "expression_fraction"),
    *("expression", "view", "light", "skin", "trajectory", "parts"),
)
_NEVER = ("stimulus_id", "norm_id", "image_sha256", "file", "norm_distance", "fraction_outside", "norm_kind")
_NO_COLUMNS = ("category", "domain", "identity", "varied", "parts", "trajectory", "morph_fraction")
_MOST_COLUMNS, MOST_ROWS = 16, 60
_FILLED = 0.20  # of rows × columns: a sheet with less in it says nothing by its places
_FILM_STIMULI, _FILM_FRAMES = 8, 12
Key = tuple[str, ...]


@dataclass
class Places:
    """A sheet's plan: names of the rows from the outside in, heads of the columns, and what stands where."""

    keys: list[Key]
    along: str  # the label that the columns' heads are of; '' where they have none
    heads: list[str]
    cells: dict[tuple[int, int], int]  # (row, column) → number of the stimulus
    wide: int  # number of columns, with and without heads
    captions: dict[int, str] = field(default_factory=dict)  # stimulus → words under its picture
    frames: list[int] = field(default_factory=list)  # of a film strip, one for each column


def places(faces: xr.Dataset, columns: str | None, rows: Sequence[str] | None) -> Places:
    """Return the plan of a sheet: a film strip of few moving stimuli, else rows and columns by the labels."""
    if columns is None and rows is None:
        if "frame" in faces["image"].dims and faces.sizes["stimulus"] <= _FILM_STIMULI:
            return _film(faces)
        return _graded(faces)
    return _ordered(faces, columns, rows)


def _film(faces: xr.Dataset) -> Places:
    n = faces.sizes["frame"]
    frames = list(range(0, n, -(-n // _FILM_FRAMES)))
    timed = "frame_time" in faces.coords
    heads = [f"{float(faces['frame_time'][k]):.3g}" if timed else str(k + 1) for k in frames]
    along = "time (s)" if timed else "frame"
    keys: list[Key] = [(str(name),) for name in faces["stimulus_id"].values]
    cells = {(row, column): row for row in range(len(keys)) for column in range(len(frames))}
    return Places(keys, along, heads, cells, len(frames), frames=frames)


def _graded(faces: xr.Dataset) -> Places:
    """Order those that have the columns' label by it; the others follow, side by side."""
    n = faces.sizes["stimulus"]
    apart = np.zeros(n, dtype=bool)
    if "intensity" in faces.coords:
        apart = ~np.isfinite(faces["intensity"].values)
    apart = np.zeros(n, dtype=bool) if apart.all() else apart
    pairs = _pairs(faces, apart)
    apart |= pairs
    plan = _ordered(faces.isel(stimulus=np.flatnonzero(~apart)), None, None)
    if plan.along:
        # Blanks have no orientation, so they belong in no column
        lacking = np.array([not word(value) for value in _values(faces, plan.along)])
        if (lacking & ~apart).any() and not (lacking | apart).all():
            apart |= lacking
            plan = _ordered(faces.isel(stimulus=np.flatnonzero(~apart)), None, None)
    elif apart.any():
        return _packed(faces, range(n))
    inside = np.flatnonzero(~apart)
    plan.cells = {place: int(inside[i]) for place, i in plan.cells.items()}
    plan.captions = {int(inside[i]): words for i, words in plan.captions.items()}
    plan = _morphs(faces, np.flatnonzero(pairs), plan)
    loose = [int(i) for i in np.flatnonzero(apart & ~pairs)]
    return _packed(faces, loose, plan) if loose else plan


def _pairs(faces: xr.Dataset, apart: np.ndarray) -> np.ndarray:
    """Return which stimuli are morphs between two identities, all of one intensity, beside others of many."""
    none = np.zeros(faces.sizes["stimulus"], dtype=bool)
    if not {"morph_fraction", "intensity", "identity"} <= set(faces.coords):
        return none
    fraction, intensity = faces["morph_fraction"].values, faces["intensity"].values
    between = (fraction > 0) & (fraction < 1) & ~apart
    others = ~between & ~apart
    one = len(np.unique(intensity[between])) == 1 and len(np.unique(intensity[others])) > 1
    pairs = set(zip(faces["identity"].values[between], fraction[between], strict=True))
    return between if one and len(pairs) == between.sum() else none


def _morphs(faces: xr.Dataset, numbers: np.ndarray, plan: Places) -> Places:
    """Add a row for each pair of identities, its fractions side by side and written under the pictures."""
    depth = len(plan.keys[0])
    for pair in dict.fromkeys(str(name) for name in faces["identity"].values[numbers]) if len(numbers) else ():
        members = [int(i) for i in numbers if str(faces["identity"].values[i]) == pair]
        members.sort(key=lambda i: float(faces["morph_fraction"][i]))
        for k, i in enumerate(members):
            plan.cells[len(plan.keys) + k // plan.wide, k % plan.wide] = i
            plan.captions[i] = f"{word(100 * float(faces['morph_fraction'][i]))} %"
        plan.keys += [("",) * (depth - 1) + (word(pair),)] * -(-len(members) // plan.wide)
    return plan


def _packed(faces: xr.Dataset, numbers: Sequence[int], plan: Places | None = None) -> Places:
    """Add rows of stimuli side by side, those of one category together, with their names under them."""
    if plan is None:
        n = len(numbers)
        plan = Places([], "", [], {}, n if n <= 8 else min(_MOST_COLUMNS, max(8, int(np.ceil(np.sqrt(2 * n))))))
    category = faces["category"].values if "category" in faces.coords else np.full(faces.sizes["stimulus"], "")
    depth = len(plan.keys[0]) if plan.keys else 1
    for name in dict.fromkeys(str(category[i]) for i in numbers):
        members = [i for i in numbers if str(category[i]) == name]
        for k, i in enumerate(members):
            plan.cells[len(plan.keys) + k // plan.wide, k % plan.wide] = i
        rest = (name if depth > 1 else "", *[""] * (depth - 1))
        more = -(-len(members) // plan.wide) - 1
        plan.keys += [(name, *[""] * (depth - 1)), *[rest] * more]
    for label in ("identity", "stimulus_id"):
        values = [word(str(faces[label].values[i])) for i in numbers] if label in faces.coords else [""]
        if all(values) and len(set(values)) == len(numbers):
            plan.captions |= dict(zip(numbers, values, strict=True))
            break
    return plan


def word(value: Any) -> str:
    """Return a label's value as words; nothing for NaN."""
    if isinstance(value, str):
        return value.replace("_", " ")
    return "" if np.isnan(value) else f"{value:.4g}".replace("-", "−")


def _values(faces: xr.Dataset, label: str) -> list[Any]:
    """Return a label's values, numbers rounded so that equal ones are equal."""
    values = faces[label].values
    if values.dtype.kind in "iuf":
        return [float(value) + 0.0 for value in np.round(values.astype(np.float64), 6)]
    return [str(value) for value in values]


def _ordered(faces: xr.Dataset, columns: str | None, rows: Sequence[str] | None) -> Places:
    n = faces.sizes["stimulus"]
    labels = {
        name: _values(faces, name)
        for name in names(faces, "stimulus")
        if name in (columns, *(rows or ())) or ((name in STIMULUS_LABELS or name in _ROWS) and name not in _NEVER)
    }
    varying = {name: values for name, values in labels.items() if len({word(v) for v in values}) > 1}
    along = columns or _best(varying)
    ids = [str(value) for value in faces["stimulus_id"].values]
    norms = [str(value) for value in faces["norm_id"].values] if "norm_id" in faces.coords else [""] * n
    zero = np.zeros(n, dtype=bool)
    if along == "intensity":
        named = {norm for norm, name in zip(norms, ids, strict=True) if norm != name}
        zero = np.array([name in named for name in ids]) & (np.array(labels[along]) == 0)
        zero = zero if not zero.all() else np.zeros(n, dtype=bool)
    proper = [int(i) for i in np.flatnonzero(~zero)]
    wanted = list(rows) if rows is not None else _outside_in(varying)
    kept: list[str] = []
    keys = {i: _key(labels, kept, i) for i in proper}
    for name in dict.fromkeys(wanted):
        if name == along or (rows is None and _told(keys, labels, along, proper)):
            continue
        trial = {i: _key(labels, [*kept, name], i) for i in proper}
        if rows is not None or len(set(trial.values())) > len(set(keys.values())):
            kept.append(name)
            keys = trial
    order = _gathered(keys.values())
    values = list({word(labels[along][i]): labels[along][i] for i in range(n)}.values()) if along else []
    told = bool(along) and _told(keys, labels, along, proper)
    asked = columns is not None or rows is not None
    sprawls = len(proper) < _FILLED * len(order) * len(values) or len(order) > max(MOST_ROWS, len(proper) / 2)
    if not told or (sprawls and not asked):
        return _packed(faces, range(n))
    if not isinstance(values[0], str):
        values = sorted(values, key=lambda value: (np.isnan(value), value))
    words = [word(value) for value in values]
    cells: dict[tuple[int, int], int] = {}
    for i, key in keys.items():
        cells[order.index(key), words.index(word(labels[along][i]))] = i
        if norms[i] in ids and zero[ids.index(norms[i])]:
            cells.setdefault((order.index(key), words.index("0")), ids.index(norms[i]))
    return Places(order, along, words, cells, len(words))


def _gathered(keys: Iterable[Key]) -> list[Key]:
    """Return the different keys, those that begin alike together, by first occurrence from the outside in."""
    order = list(dict.fromkeys(keys))
    first: dict[Key, int] = {}
    for number, key in enumerate(order):
        for depth in range(1, len(key) + 1):
            first.setdefault(key[:depth], number)
    return sorted(order, key=lambda key: [first[key[:depth]] for depth in range(1, len(key) + 1)])


def _outside_in(varying: Mapping[str, list[Any]]) -> list[str]:
    """Return labels for rows, in order; last those that are there or not, as the orientation of a blank."""
    ordered = [name for name in dict.fromkeys((*_ROWS, *varying)) if name in varying]
    return sorted(ordered, key=lambda name: len({word(value) for value in varying[name]} - {""}) < 2)


def _key(labels: Mapping[str, list[Any]], kept: Sequence[str], i: int) -> Key:
    return tuple(_named(name, labels[name][i], labels) for name in kept) or ("",)


def _named(name: str, value: Any, among: Iterable[str]) -> str:
    """Return a value as words; a number with what it is a number of, at length where that could be two labels."""
    if isinstance(value, str) or not word(value):
        return word(value)
    last = name.split("_")[-1]
    alone = sum(other.split("_")[-1] == last for other in among) == 1
    return f"{last if alone else name.replace('_', ' ')} {word(value)}"


def _told(keys: dict[int, Key], labels: dict[str, list[Any]], along: str, proper: Sequence[int]) -> bool:
    """Return whether rows and columns tell all stimuli apart."""
    places = {(keys[i], word(labels[along][i]) if along else "") for i in proper}
    return len(places) == len(proper)


def _best(varying: dict[str, list[Any]]) -> str:
    """Return the label whose columns make the most of the sheet: few enough values, as many as there are; or none."""
    counts = {name: len({word(value) for value in values}) for name, values in varying.items()}
    fitting = {name: count for name, count in counts.items() if count <= _MOST_COLUMNS and name not in _NO_COLUMNS}
    if not fitting:
        return ""
    most = max(fitting.values())
    first = [name for name in ("intensity", "view", *fitting) if fitting.get(name) == most]
    return first[0]
