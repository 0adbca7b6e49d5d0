"""The landmarks of all heads' norms, from those of one: found from V1."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, pixels
from nrsim.errors import need, unknown
from nrsim.features import find_landmarks, marks
from nrsim.schema import check
from nrsim.v1 import V1Bank

FREQUENCIES = (1.0, 2.0, 4.0, 8.0)
# Confidence below which a warning says so, of a head's points on average and of one (docs/landmarks.md)
UNSURE, UNSURE_POINT = 0.43, 0.25


def norm_landmarks(
    faces: xr.Dataset,
    reference: str,
    *,
    marked: xr.DataArray | None = None,
    norms: Mapping[str, Any] | None = None,
    norm_by: str = "domain",
    points: Sequence[str] | None = None,
    bank: V1Bank | None = None,
    progress: bool = False,
) -> xr.DataArray:
    """Return the landmarks of every head's norm: the reference's as they are marked, all others found from V1.

    What :func:`nrsim.aligned_features` does with ``landmarks="find"``. Look at them with :func:`nrsim.plot.landmarks`,
    mend what is wrong, and give them to :class:`nrsim.FaceGrid` or to ``aligned_features(landmarks=…)``.

    Parameters
    ----------
    faces
        A StimulusSet of still faces with the norm of every head.
    reference
        The head whose norm is marked.
    marked
        Its landmarks, ``landmark (stimulus, point, axis)``: :func:`nrsim.read_landmarks` of a file with the
        reference's norm, found by ``stimulus_id`` or ``file``. Points in px of the file are scaled to the picture as
        stored. Default: the set's own. What it says of other heads is left out of account.
    norms
        Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``.
    norm_by
        The label whose values are the heads.
    points
        Which points. Default: the nine of ``landmarks="alignment"`` where they are known, else all that are marked.
    bank
        A :class:`nrsim.V1Bank` whose range of frequencies is taken, in half octaves. Default 1 to 8 cycles/degree.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.DataArray
        ``landmark (stimulus, point, axis)`` of the norms in px of the picture as stored, with ``confidence (stimulus,
        point)``, as :func:`nrsim.find_landmarks` returns it; NaN of those that are marked. A point that is found beyond
        the picture by more than a tenth of its side is moved to there.

    Raises
    ------
    ValueError, TypeError
        If the reference has no norm or its norm no points, or points are unknown or outside of the picture.

    Warns
    -----
    UserWarning
        If the mean confidence of a head is below 0.43 or that of a point below 0.25. A guide: on 62 rendered heads the
        one whose face was missed had 0.41, the others 0.44 (macaques) and more.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human"}, {"domain": "macaque"}], size=96)
    >>> found = nr.norm_landmarks(faces, "human", bank=nr.V1Bank([1, 2, 4]))
    >>> found.sel(point="chin").dims, bool(found["confidence"][1].mean() > 0.45)
    (('stimulus', 'axis'), True)
    """
    check(faces, "StimulusSet", values=False)
    if "frame" in faces["image"].dims:
        raise need("still faces", "moving ones", "nr.stack_frames makes stills of them")
    if norm_by not in faces.coords:
        raise unknown("label of the stimuli", norm_by, labels.names(faces, "stimulus"))
    check_bank(bank)
    heads = np.array([str(name) for name in faces[norm_by].values])
    if not (heads == reference).any():
        raise unknown(f"{norm_by} as reference", reference, set(heads.tolist()) - {""})
    chosen = labels.where(faces, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
    own = np.flatnonzero(chosen & (heads == reference))
    if not len(own):
        raise need(f"a norm of the reference {reference!r}", "none", "Say what is the norm: norms=")
    names, like = _like(faces, own, reference, marked, points)
    new = faces.isel(stimulus=np.flatnonzero(chosen & (heads != reference) & (heads != "")))
    px = like["landmark"].values
    confidence = np.full(px.shape[:2], np.nan)
    if new.sizes["stimulus"]:
        fine = _fine(V1Bank(FREQUENCIES) if bank is None else bank)
        seen = fine.transform(_bare(new)), fine.transform(like)
        found = find_landmarks(seen[0], like=seen[1], points=names, progress=progress)
        at = found.transpose("stimulus", "point", "axis").values
        edge = np.array([faces.sizes["x"], faces.sizes["y"]])
        px = np.concatenate([px, np.clip(at, -marks.BEYOND * edge, (1 + marks.BEYOND) * edge)])
        confidence = np.concatenate([confidence, found["confidence"].values])
        _warn(found, [str(name) for name in new[norm_by].values])
    rows = [*like["stimulus_id"].values.tolist(), *new["stimulus_id"].values.tolist()]
    ids = faces["stimulus_id"].values.tolist()
    order = [ids.index(each) for each in rows]
    about = {"units": "1", "long_name": "correlation with the marked faces"}
    coords: dict[str, Any] = {name: each[order] for name, each in labels.carried(faces).items()}
    coords |= {"point": ("point", names), "axis": ("axis", ["x", "y"])}
    coords["confidence"] = (("stimulus", "point"), confidence, about)
    told = {"units": "px", "long_name": "landmark, 0 = left, top edge", "picture": "stored"}
    return xr.DataArray(px, coords, ("stimulus", "point", "axis"), "landmark", told)


def check_bank(bank: Any) -> None:
    """Refuse what is no V1Bank.

    Raises
    ------
    TypeError
        Saying what came.
    """
    if bank is not None and not isinstance(bank, V1Bank):
        came = f"the class {bank.__name__}" if isinstance(bank, type) else repr(bank)
        raise need("bank: a nr.V1Bank, such as nr.V1Bank([1, 2, 4, 8])", came, kind=TypeError)


def _like(
    faces: xr.Dataset, own: np.ndarray, reference: str, marked: Any, points: Sequence[str] | None
) -> tuple[list[str], xr.Dataset]:
    """Return the points' names and the reference's norms that are marked, with their landmarks in px as stored."""
    if marked is None and "landmark" not in faces.coords:
        todo = 'Give them: landmarks="find" with marked=nr.read_landmarks(…), or load the pictures with landmarks='
        raise need(f"landmarks on the norm of {reference!r}, to find those of the others by", "none", todo)
    array = marks.array_of(marked, faces)
    known = [str(name) for name in array["point"].values]
    names = marks.names_of(points, known)
    rows = marks.rows_of(array, faces, own)
    at = array.values.astype(float)
    rows = {i: row for i, row in rows.items() if np.isfinite(at[row]).any()}
    if not rows:
        ids = ", ".join(repr(str(faces["stimulus_id"].values[i])) for i in own[:3])
        have = ", ".join(repr(str(name)) for name in array["stimulus_id"].values[np.isfinite(at).any(axis=(1, 2))][:4])
        raise need(f"landmarks on the norm of {reference!r} ({ids})", f"landmarks of {have or 'no picture'}")
    if points is None:  # those that are marked on all of them
        seen = np.isfinite(at[list(rows.values())]).all(axis=(0, 2))
        names = [name for name in names if seen[known.index(name)]] or names
    at = at[:, [known.index(name) for name in names]]
    px = np.stack([pixels.stored(at[row], array, faces, i) for i, row in rows.items()])
    for each in px:
        marks.check_order(each, names, reference)
    like = _bare(faces.isel(stimulus=list(rows)))
    where = (("stimulus", "point", "axis"), px, {"units": "px"})
    return names, like.assign_coords(landmark=where, point=("point", names), axis=("axis", ["x", "y"]))


def _bare(faces: xr.Dataset) -> xr.Dataset:
    return faces.drop_vars(["landmark", "point", "axis"], errors="ignore")


def _fine(bank: V1Bank) -> V1Bank:
    """Return a bank in half octaves over the same range, that landmarks are found with."""
    low, high = min(bank.frequencies), max(bank.frequencies)
    steps = max(1, round(2 * np.log2(high / low)))
    return V1Bank([float(each) for each in np.geomspace(low, high, steps + 1)] if high > low else [low])


def _warn(found: xr.DataArray, heads: Sequence[str]) -> None:
    """Say which heads or points were probably missed."""
    low = []
    for head, sure in zip(heads, found["confidence"].values, strict=True):
        if sure.mean() < UNSURE:
            low.append(f"{head!r} ({sure.mean():.2f})")
        elif sure.min() < UNSURE_POINT:
            low.append(f"{str(found['point'].values[sure.argmin()])!r} of {head!r} ({sure.min():.2f})")
    if low:
        more = f" and {len(low) - 4} more" if len(low) > 4 else ""
        said = f"landmarks were found with low confidence: {', '.join(low[:4])}{more}"
        warnings.warn(f"{said}. Look at them with nr.plot.landmarks, or mark these norms", stacklevel=3)
