"""Which expression, how strong and how sure, for each stimulus or each frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.readout.pools import Pools, pools_of, threshold_of

_ROUNDING = 1e-9  # a face at half of its prototype is at the threshold, and expressive, whatever is rounded


def read_out(
    code: xr.Dataset, *, threshold: Any = "half", neutral: str = "neutral", encoder: str | None = None
) -> xr.Dataset:
    """Return which expression the face neurons say each stimulus shows, how strong, and how sure they are.

    With a_k the activity of the neurons that prefer k (the mean, where several do), the answer is the k of the largest
    a_k, or ``neutral`` where that stays below the threshold θ (Stettler, Lappe, Taubert & Giese 2023). A neuron that
    prefers ``neutral`` competes like the others. Moving faces are answered frame by frame, without memory;
    :func:`nrsim.read_out_over_time` reads the movement.

    The intensity is that at which the winner's prototype would give this activity: along its prototype's direction a
    norm-referenced neuron of every rule but ``direction`` is linear, so that it is (a − a(norm)) / (a(prototype) −
    a(norm)); of the rule ``landmark``, which sums powers, the ν-th root. Axes are linear as well; the curve of an
    exemplar, exp(−‖u − u_k‖² / 2σ²), is inverted on the norm's side. Which it is the label ``intensity_curve
    (neuron)`` says; it is NaN where that is ``''`` or missing, where the code does not say what the neuron does at its
    norm and its prototype (``baseline``, ``at_prototype``), and, with a warning, where it is no more active there than
    at the norm. Of several neurons that prefer the same, the mean of each of these counts; the mean of different powers
    is none, and reads NaN. A neuron that prefers nothing (``''``) does not count; one of a random direction
    (:class:`nrsim.NormPopulation`) counts for the prototype nearest to it.

    Parameters
    ----------
    code
        A FaceCode, ``activity (stimulus, neuron)`` or ``(stimulus, frame, neuron)``. To recognise, compare activities
        in feature units (``NormEncoder(scale="none")``): a gain for each neuron would decide instead.
    threshold
        θ. ``"half"``: what the weakest neuron's activity would be midway between the norm and its own prototype, known
        from the labels ``baseline`` and ``at_prototype (neuron)``, that is from the stored images. A face is called
        expressive from where it is nearer to the weakest prototype than to the norm; nothing that is tested is used
        (chosen; published thresholds are numbers). Or a number, in units of activity; or None: never neutral.
    neutral
        What the answer is called below θ.
    encoder
        Whose neurons decide; needed where the code has several encoders.

    Returns
    -------
    xarray.Dataset
        For each ``(stimulus)`` or ``(stimulus, frame)``: ``answer``; ``forced_answer``, the largest but for
        ``neutral`` (of equal ones the first); ``read_intensity`` of the forced answer (0 = its norm, 1 = its
        prototype); ``largest_activity``, that of the forced answer; ``margin``, the activity by which the answer is
        ahead of the next (θ counts as that of ``neutral``; NaN where nothing else could be answered). Where all
        neurons are equally active there is nothing to decide, and the answer is ``neutral``. The attribute
        ``threshold`` is θ, "none" where there is none.

    Raises
    ------
    SchemaError
        If it is no valid FaceCode.
    ValueError, TypeError
        If the code has no neurons, has several encoders and none was chosen, or has no labels to set ``"half"`` by.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> encoder = nr.NormEncoder(scale="none").fit(
    ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    >>> said = nr.read_out(encoder.transform(features))
    >>> [str(name) for name in said["answer"].values[:4]]
    ['neutral', 'neutral', 'happy', 'happy']
    >>> said["read_intensity"].values[2:4].round(6).tolist()
    [0.5, 1.0]
    """
    pools = pools_of(code, encoder, neutral)
    level = threshold_of(threshold, pools)
    said = decide(pools.activity, pools, level)
    dims = code["activity"].dims[:-1]
    data = xr.Dataset(
        {name: (dims, values, {} if values.dtype.kind == "U" else {"units": "1"}) for name, values in said.items()},
        labels.carried(code) | times_of(code),
    )
    settings = {"threshold": threshold, "neutral": neutral, "encoder": pools.encoder}
    return provenance.stamp(
        data,
        "Readout",
        "read_out",
        settings,
        parents=[code],
        threshold=level if np.isfinite(level) else "none",
        neutral=neutral,
        answers=provenance.as_json(pools.names),
    )


def times_of(code: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return when frames are shown and what their intensity is, where the code says it."""
    return {name: code[name] for name in ("frame_time", "frame_intensity") if name in code.coords}


def decide(activity: np.ndarray, pools: Pools, level: float) -> dict[str, np.ndarray]:
    """Return the answers to ``activity (…, answer)`` at the threshold ``level``, as :func:`read_out` names them."""
    names = np.array([*pools.names, pools.neutral])
    mine = pools.expressive
    if mine.any():
        forced = np.flatnonzero(mine)[activity[..., mine].argmax(axis=-1)]
        largest = np.take_along_axis(activity, forced[..., None], -1)[..., 0]
    else:
        forced, largest = np.full(activity.shape[:-1], len(names) - 1), np.full(activity.shape[:-1], np.nan)
    at_rest = activity[..., ~mine].max(
        axis=-1, initial=level
    )  # of the neutral answer: θ, or the neuron that prefers it
    level_of_neutral = np.maximum(at_rest, level)
    tied = (np.ptp(activity, axis=-1) == 0) & (activity.shape[-1] > 1)
    slack = _ROUNDING * np.abs(np.where(np.isfinite(level_of_neutral), level_of_neutral, 0.0))
    neutral = ~(largest >= level_of_neutral - slack) | tied
    ranked = np.sort(activity[..., mine], axis=-1)
    second = ranked[..., -2] if mine.sum() > 1 else np.full(largest.shape, -np.inf)
    ahead = np.where(neutral, level_of_neutral - largest, largest - np.maximum(second, level_of_neutral))
    ahead = np.where(tied & ~np.isfinite(ahead), 0.0, np.where(np.isfinite(ahead), ahead, np.nan))
    read = pools.intensity(np.nan_to_num(largest), np.minimum(forced, len(pools.names) - 1))
    return {
        "answer": np.where(neutral, pools.neutral, names[forced]).astype(str),
        "forced_answer": names[forced].astype(str),
        "read_intensity": np.where(np.isfinite(largest), read, np.nan),
        "largest_activity": largest,
        "margin": np.maximum(ahead, 0.0),
    }
