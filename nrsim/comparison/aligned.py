"""Features that mean the same on every head, from pictures in one call: V1, grids of the face, two cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels
from nrsim.errors import need, unknown
from nrsim.features import FaceGrid, PhaseDisplacement, PooledEnergy, find_landmarks, join_features
from nrsim.schema import check
from nrsim.v1 import V1Bank

FREQUENCIES = (1.0, 2.0, 4.0, 8.0)
LOWEST = 0.5  # cycles/degree: displacement also needs what turns by less than half a cycle when a jaw drops
CUES = ("energy", "displacement")


def aligned_features(
    faces: xr.Dataset,
    reference: str,
    *,
    landmarks: xr.DataArray | str | None = None,
    cues: Sequence[str] = CUES,
    size: int = 16,
    bank: V1Bank | None = None,
    prototypes: Mapping[str, Any] | None = None,
    norms: Mapping[str, Any] | None = None,
    norm_by: str = "domain",
    points: Sequence[str] | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Return features in which an expression looks alike on all heads, from pictures.

    The same as, one by one: a :class:`nrsim.FaceGrid` over the norms' landmarks; the log energy of a
    :class:`nrsim.V1Bank` in its windows (:class:`nrsim.PooledEnergy`); the displacement from the norm at its places,
    with half a cycle/degree added to the bank (:class:`nrsim.PhaseDisplacement`); and both as one set in which the
    prototypes of the reference differ from their norm equally (:func:`nrsim.join_features`). Fitted is on
    the reference's prototypes and norms alone: the features of a face do not depend on what else is in the set.

    Parameters
    ----------
    faces
        A StimulusSet, with the norm of every head in it.
    reference
        The head that is learned from.
    landmarks
        Where the face lies on each norm, ``landmark (stimulus, point, axis)`` px. Default: the set's own. ``"find"``:
        only the reference's norm is marked, those of all other heads are found from V1 (:func:`nrsim.find_landmarks`).
        ``"none"``: nothing is aligned, the grid lies over the picture.
    cues
        ``"energy"``, ``"displacement"`` or both (default).
    size
        Places along each side of the picture. Default 16 (chosen).
    bank
        The :class:`nrsim.V1Bank` whose complex cells give the energy. The displacement is read from its simple cells,
        as they are before normalisation, with 0.5 cycles/degree added where it has nothing as low. Default
        ``V1Bank([1, 2, 4, 8])``, not normalised: the logarithm takes gains away.
    prototypes
        Labels → values of the prototypes, within the reference. Default ``{"intensity": 1.0}``.
    norms
        Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``.
    norm_by
        The label whose values are the heads.
    points
        As :class:`nrsim.FaceGrid`.
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        Features, ``value (stimulus, feature)``, with the label ``cue`` on features.

    Raises
    ------
    ValueError, TypeError
        If a head has no norm or no landmarks, or a cue is unknown (the nearest is named).

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = [{"domain": head, "expression": name, "intensity": level} for head in ("human", "macaque")
    ...     for name in ("happy", "angry") for level in (0.5, 1.0)]
    >>> faces = nr.render_faces([{"domain": "human"}, {"domain": "macaque"}, *rows], size=64)
    >>> features = nr.aligned_features(faces, "human", size=8, bank=nr.V1Bank([1, 2, 4]))
    >>> float(nr.cross_domain_accuracy(features, "human")["accuracy"].sel(domain="macaque"))
    1.0
    """
    check(faces, "StimulusSet", values=False)
    if "frame" in faces["image"].dims:
        raise need("still faces", "moving ones", "Do the steps one by one: docs/transfer.md")
    if norm_by not in faces.coords:
        raise unknown("label of the stimuli", norm_by, labels.names(faces, "stimulus"))
    if not (faces[norm_by].values.astype(str) == reference).any():
        raise unknown(f"{norm_by} as reference", reference, faces[norm_by].values)
    wanted = [cues] if isinstance(cues, str) else list(cues)
    for cue in wanted:
        if cue not in CUES:
            raise unknown("cue", cue, CUES)
    if not wanted:
        raise need("one cue or more", "none")
    bank = V1Bank(FREQUENCIES) if bank is None else bank
    norms = {"intensity": 0.0} if norms is None else norms
    grid = None
    if isinstance(landmarks, str):
        if landmarks not in ("find", "none"):
            raise unknown("way to landmarks", landmarks, ("find", "none"))
        if landmarks == "find":
            landmarks = _found(faces, reference, bank, norms, norm_by, points)
    if not isinstance(landmarks, str):
        grid = FaceGrid(faces, reference, landmarks=landmarks, norms=norms, norm_by=norm_by, points=points, size=size)
    equal = {norm_by: reference, **({"intensity": 1.0} if prototypes is None else prototypes)}
    stored = np.flatnonzero(
        labels.where(faces, equal, what="stimuli for the prototypes")
        | labels.where(faces, {norm_by: reference, **norms}, what="stimuli for the reference's norm")
    )
    made = []
    if "energy" in wanted:
        pool = PooledEnergy(size, places=grid, log=True)
        seen = bank.transform(faces, pool=pool, progress=progress)
        made.append(pool.fit(seen.isel(stimulus=stored)).transform(seen))
    if "displacement" in wanted:
        moved = PhaseDisplacement(size, places=grid)
        seen = _simple(bank).responses(faces, pool=moved, progress=progress)
        made.append(moved.fit(seen, norms=norms, norm_by=norm_by).transform(seen))
    names = [cue for cue in CUES if cue in wanted]
    return join_features(made, equal=equal, norms=norms, norm_by=norm_by, names=names)


def _simple(bank: V1Bank) -> V1Bank:
    """Return the bank of signed cells that displacement is read from."""
    lowest = [] if min(bank.frequencies) <= LOWEST else [LOWEST]
    changed = {
        "frequencies": [*lowest, *bank.frequencies],
        "phases": (0.0, 90.0),
        "normalise": "none",
        "temporal": None,
    }
    return V1Bank(**{**bank.get_params(), **changed})


def _fine(bank: V1Bank) -> V1Bank:
    """Return a bank in half octaves over the same range, that landmarks are found with."""
    low, high = min(bank.frequencies), max(bank.frequencies)
    steps = max(1, round(2 * np.log2(high / low)))
    return V1Bank([float(each) for each in np.geomspace(low, high, steps + 1)] if high > low else [low])


def _found(
    faces: xr.Dataset,
    reference: str,
    bank: V1Bank,
    norms: Mapping[str, Any],
    norm_by: str,
    points: Sequence[str] | None,
) -> xr.DataArray:
    """Return the landmarks of all heads' norms, those of the reference as marked and all others found."""
    chosen = labels.where(faces, norms, what="stimuli for the norms")
    own = np.array([str(name) == reference for name in faces[norm_by].values])
    if not (chosen & own).any():
        raise need(f"a norm of the reference {reference!r}", "none")
    if "landmark" not in faces.coords:
        raise need(f"landmarks on the norm of {reference!r}, to find those of the others by", "none")
    marked = faces.isel(stimulus=np.flatnonzero(chosen & own))
    fine = _fine(bank)
    if points is None:
        from nrsim.features.face_grid import POINTS

        known = {str(name) for name in faces["point"].values}
        points = POINTS if set(POINTS) <= known else None
    if points is None:
        points = [str(name) for name in faces["point"].values]
    where = marked["landmark"].sel(point=[str(name) for name in points]).transpose("stimulus", "point", "axis").values
    ids = [str(name) for name in marked["stimulus_id"].values]
    new = faces.isel(stimulus=np.flatnonzero(chosen & ~own))
    if new.sizes["stimulus"]:
        found = find_landmarks(fine.transform(new), like=fine.transform(marked), points=points)
        where = np.concatenate([where, found.transpose("stimulus", "point", "axis").values])
        ids += [str(name) for name in new["stimulus_id"].values]
    coords = {"stimulus_id": ("stimulus", ids), "point": list(points), "axis": ["x", "y"]}
    return xr.DataArray(where, coords, ("stimulus", "point", "axis"), "landmark", {"units": "px"})
