"""Features that mean the same on every head, from pictures in one call: V1, grids of the face, cues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels
from nrsim.comparison.norm_points import FREQUENCIES, check_bank, norm_landmarks
from nrsim.errors import need, unknown
from nrsim.features import FaceGrid, PhaseDisplacement, PooledEnergy, join_features
from nrsim.schema import check
from nrsim.v1 import V1Bank

LOWEST = 0.5  # cycles/degree: displacement also needs what turns by less than half a cycle when a jaw drops
CUES = ("energy", "displacement")


def aligned_features(
    faces: xr.Dataset,
    reference: str,
    *,
    landmarks: xr.DataArray | str | None = None,
    marked: xr.DataArray | None = None,
    cues: str | Sequence[str] = "energy",
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
    :class:`nrsim.V1Bank` in its windows (:class:`nrsim.PooledEnergy`). With both cues also the displacement from the
    norm at its places, with half a cycle/degree added to the bank (:class:`nrsim.PhaseDisplacement`), and both as one
    set in which the prototypes of the reference differ from their norm equally (:func:`nrsim.join_features`). All is
    fitted on the reference's prototypes and norms alone: the features of a face do not depend on the rest of the set.

    Parameters
    ----------
    faces
        A StimulusSet, with the norm of every head in it.
    reference
        The head that is learned from.
    landmarks
        Where the face lies on each norm, ``landmark (stimulus, point, axis)`` in px of the picture as stored, or as
        :func:`nrsim.read_landmarks` returns it. Default: the set's own. ``"find"``: only the reference's norm is
        marked, those of all other heads are found from V1 (:func:`nrsim.norm_landmarks`, which shows what is found).
        ``"none"``: nothing is aligned, the grid lies over the picture.
    marked
        With ``"find"``: where the reference's norm is marked, such as ``nr.read_landmarks("points.csv")``. Default: the
        set's own landmarks.
    cues
        ``"energy"`` (default), ``"displacement"`` or both, as a list. On heads that move by the same expression shapes
        both recognise best; on an independent head displacement cost accuracy (docs/transfer.md).
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
        Features, ``value (stimulus, feature)``, with the label ``cue`` on features. The points and their confidence are
        in the attribute ``parameters``: ``nr.FaceGrid.of(features)`` returns the grid, which
        :func:`nrsim.plot.face_grid` draws. A stimulus without a head (``''``) is seen at the reference's places, and
        has no displacement.

    Raises
    ------
    ValueError, TypeError
        If a head has no norm or no landmarks, prototypes are of another head, or a cue is unknown (the nearest is
        named).

    Examples
    --------
    >>> import nrsim as nr
    >>> rows = [{"domain": head, "expression": name, "intensity": level} for head in ("human", "macaque")
    ...     for name in ("happy", "angry") for level in (0.5, 1.0)]
    >>> faces = nr.render_faces([{"domain": "human"}, {"domain": "macaque"}, *rows], size=64)
    >>> features = nr.aligned_features(faces, "human", size=8, bank=nr.V1Bank([1, 2, 4]))
    >>> dict(features.sizes), set(features["cue"].values.tolist())
    ({'stimulus': 10, 'feature': 1536}, {'energy'})
    >>> accuracy = nr.cross_domain_accuracy(features, "human")["accuracy"]
    """
    check(faces, "StimulusSet", values=False)
    if "frame" in faces["image"].dims:
        raise need("still faces", "moving ones", "Do the steps one by one: docs/readout.md")
    if norm_by not in faces.coords:
        raise unknown("label of the stimuli", norm_by, labels.names(faces, "stimulus"))
    if not (faces[norm_by].values.astype(str) == reference).any():
        raise unknown(f"{norm_by} as reference", reference, faces[norm_by].values)
    wanted = _cues(cues)
    check_bank(bank)
    norms = {"intensity": 0.0} if norms is None else norms
    prototypes = {"intensity": 1.0} if prototypes is None else prototypes
    for name, each in (("prototypes", prototypes), ("norms", norms)):
        if not isinstance(each, Mapping):
            raise need(
                f'{name}: labels → values, such as {{"intensity": {1.0 if name == "prototypes" else 0.0}}}',
                repr(each),
                kind=TypeError,
            )
    if prototypes.get(norm_by, reference) != reference:
        came = f"prototypes of {prototypes[norm_by]!r}"
        raise need(f"prototypes of the reference, {reference!r}", came, "One head is learned from: reference=")
    if marked is not None and not (isinstance(landmarks, str) and landmarks == "find"):
        raise need('landmarks="find" beside marked=', f"landmarks={landmarks!r:.40}", "Give them as landmarks=")
    grid = None
    of: dict[str, Any] = {"norms": norms, "norm_by": norm_by}
    if isinstance(landmarks, str):
        if landmarks not in ("find", "none"):
            if Path(landmarks).suffix:
                todo = f"nr.read_landmarks({landmarks!r}) reads a file"
                raise need('landmarks as an array, "find" or "none"', repr(landmarks), todo, kind=TypeError)
            raise unknown("way to landmarks", landmarks, ("find", "none"))
        if landmarks == "find":
            landmarks = norm_landmarks(
                faces, reference, marked=marked, bank=bank, points=points, progress=progress, **of
            )
            points = None  # all that were found
    if not isinstance(landmarks, str):
        grid = FaceGrid(faces, reference, landmarks=landmarks, points=points, size=size, **of)
    bank = V1Bank(FREQUENCIES) if bank is None else bank
    equal = {norm_by: reference, **prototypes}
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


def _cues(cues: Any) -> list[str]:
    """Return the cues that were asked for."""
    if not isinstance(cues, (str, Sequence)):
        raise need('cues: "energy", "displacement" or both', repr(cues), kind=TypeError)
    wanted = [cues] if isinstance(cues, str) else list(cues)
    for cue in wanted:
        if cue not in CUES:
            raise unknown("cue", cue, CUES, hint='Both are ["energy", "displacement"]')
    if not wanted or len(set(wanted)) < len(wanted):
        raise need("one cue or more, each once", ", ".join(wanted) or "none")
    return wanted


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
