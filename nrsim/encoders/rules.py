"""The norm-referenced family as plain NumPy: one function, no labels."""

from __future__ import annotations

import numpy as np

RULES = {
    "general": "‖d‖ ((1 + cos θ) / 2)^ν",
    "rectified": "‖d‖ [cos θ]₊^ν",
    "direction": "[cos θ]₊",
    "expressivity": "(‖d‖ / ‖t‖) [cos θ]₊^ν",
    "projection": "[n·d]₊",
}


def norm_activity(
    difference: np.ndarray, directions: np.ndarray, lengths: np.ndarray, rule: str, exponent: float
) -> np.ndarray:
    """Return the activity of norm-referenced neurons.

    Parameters
    ----------
    difference
        d = u − r, ``(stimulus, feature)``: the stimulus minus the norm of its domain.
    directions
        Unit vectors n, ``(neuron, feature)``.
    lengths
        ‖t‖ of each neuron's prototype, ``(neuron,)``.
    rule
        One of :data:`RULES`.
    exponent
        ν.

    Returns
    -------
    numpy.ndarray
        ``(stimulus, neuron)``. A stimulus that is its norm gives 0.
    """
    distance = np.linalg.norm(difference, axis=1)[:, None]
    along = difference @ directions.T
    if rule == "projection":
        return np.clip(along, 0.0, None)
    cosine = np.divide(along, distance, out=np.zeros_like(along), where=distance > 0)
    cosine = np.clip(cosine, -1.0, 1.0)
    if rule == "general":
        return distance * ((1.0 + cosine) / 2.0) ** exponent
    positive = np.clip(cosine, 0.0, None)
    if rule == "direction":
        return positive
    sharpened = np.where(positive > 0, positive, 0.0) ** exponent
    return distance * sharpened if rule == "rectified" else distance / lengths * sharpened
