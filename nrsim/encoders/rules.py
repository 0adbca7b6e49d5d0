"""The norm-referenced family as plain NumPy, without labels: the activity, and its tuning curves in closed form."""

from __future__ import annotations

import numpy as np

from nrsim.errors import unknown

RULES = {
    "general": "‖d‖ ((1 + cos θ) / 2)^ν",
    "linear": "½ (‖d‖₁ + n·d), n scaled so that max |n_j| = 1",
    "rectified": "‖d‖ [cos θ]₊^ν",
    "direction": "[cos θ]₊",
    "expressivity": "(‖d‖ / ‖t‖) [cos θ]₊^ν",
    "projection": "[n·d]₊",
    "landmark": "[Σ_m (d_m·t_m / ‖t_m‖)^ν]₊ over landmarks m",
}
WITHOUT_EXPONENT = ("linear", "direction", "projection")
_STILL = 1e-9  # share of a prototype's displacement below which a landmark has not moved


def norm_activity(
    difference: np.ndarray,
    directions: np.ndarray,
    lengths: np.ndarray,
    rule: str,
    exponent: float | np.ndarray,
    landmarks: np.ndarray | None = None,
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
        ν, one for all neurons or ``(neuron,)``.
    landmarks
        Which landmark each feature is a coordinate of, ``(feature,)``; the rule ``landmark`` needs it.

    Returns
    -------
    numpy.ndarray
        ``(stimulus, neuron)``. A stimulus that is its norm gives 0.

    Raises
    ------
    ValueError
        If there is no such rule.
    """
    if rule == "landmark":
        return _per_landmark(difference, directions, exponent, landmarks)
    along = difference @ directions.T
    if rule == "projection":
        return np.clip(along, 0.0, None)
    if rule == "linear":
        largest = np.abs(directions).max(axis=1)
        return 0.5 * (np.abs(difference).sum(axis=1)[:, None] + along / largest)
    distance = np.linalg.norm(difference, axis=1)[:, None]
    cosine = np.divide(along, distance, out=np.zeros_like(along), where=distance > 0)
    cosine = np.clip(cosine, -1.0, 1.0)
    if rule == "general":
        return distance * ((1.0 + cosine) / 2.0) ** exponent
    positive = np.clip(cosine, 0.0, None)
    if rule == "direction":
        return positive
    if rule == "rectified":
        return distance * positive**exponent
    if rule == "expressivity":
        return distance / lengths * positive**exponent
    raise unknown("rule of norm-referenced encoding", rule, RULES)


def _per_landmark(
    difference: np.ndarray, directions: np.ndarray, exponent: float | np.ndarray, landmarks: np.ndarray | None
) -> np.ndarray:
    """Sum over landmarks what each moved along its own direction, and rectify the sum.

    Terms are negative where a landmark moved the other way: a whole ν takes them as they are, any other the part
    above 0.
    """
    if landmarks is None:
        raise ValueError("needed the landmark of each feature for the rule 'landmark'; got none")
    nu = np.asarray(exponent, dtype=np.float64)
    whole = nu == np.round(nu)
    summed = np.zeros((len(difference), len(directions)))
    for name in dict.fromkeys(landmarks.tolist()):
        of = landmarks == name
        size = np.linalg.norm(directions[:, of], axis=1)
        moved = size > _STILL
        own = np.where(moved[:, None], directions[:, of] / np.where(moved, size, 1.0)[:, None], 0.0)
        along = difference[:, of] @ own.T
        summed += np.where(whole, along, np.clip(along, 0.0, None)) ** nu
    return np.clip(summed, 0.0, None)


def tuning(
    rule: str,
    exponent: float,
    along: float | np.ndarray,
    orthogonal: float | np.ndarray = 0.0,
    *,
    length: float = 1.0,
) -> np.ndarray:
    r"""Return the activity in closed form, from where a face lies: along the preferred direction, and across it.

    With p = n·d and o = ‖d − p n‖, and h = √(p² + o²):

    .. math::

        \text{general}: h\Big(\frac{1 + p/h}{2}\Big)^\nu \qquad \text{rectified}: [p]_+^\nu\, h^{1-\nu} \qquad
        \text{direction}: [p]_+ / h

        \text{expressivity}: [p]_+^\nu\, h^{1-\nu} / \|t\| \qquad \text{projection}: [p]_+ \qquad
        \text{linear}: \tfrac12(|p| + |o| + p) \qquad \text{landmark}: [p^\nu]_+

    So at fixed p > 0 and growing o the rectified rule is flat at ν = 1 only and falls above; ½(‖d‖ + n·d) rises.
    ``linear`` and ``landmark`` depend on the features as well: the curves are those of a direction along one feature,
    or one landmark, and a displacement of another one across it.

    Parameters
    ----------
    rule
        One of the rules of :class:`nrsim.NormEncoder`.
    exponent
        ν.
    along
        p, in feature units.
    orthogonal
        o, in feature units; its sign does not matter.
    length
        ‖t‖, which only ``expressivity`` uses.

    Returns
    -------
    numpy.ndarray
        The activity before threshold and scale, in the shape that ``along`` and ``orthogonal`` have together.

    Raises
    ------
    ValueError
        If there is no such rule.

    Examples
    --------
    >>> from nrsim.encoders.rules import tuning
    >>> tuning("rectified", 2.0, along=3.0, orthogonal=[0.0, 4.0]).round(3).tolist()
    [3.0, 1.8]
    """
    if rule not in RULES:
        raise unknown("rule of norm-referenced encoding", rule, RULES)
    p, o = np.broadcast_arrays(np.asarray(along, dtype=np.float64), np.asarray(orthogonal, dtype=np.float64))
    h, ahead = np.hypot(p, o), np.clip(p, 0.0, None)
    if rule == "linear":
        return 0.5 * (np.abs(p) + np.abs(o) + p)
    if rule == "projection":
        return ahead
    if rule == "landmark":
        return np.clip((p if float(exponent).is_integer() else ahead) ** exponent, 0.0, None)
    cosine = np.divide(p, h, out=np.zeros_like(h), where=h > 0)
    if rule == "general":
        return h * ((1.0 + cosine) / 2.0) ** exponent
    positive = np.clip(cosine, 0.0, None)
    if rule == "direction":
        return positive
    sharpened = h * positive**exponent  # [p]₊^ν h^(1−ν), without a power of 0
    return sharpened / length if rule == "expressivity" else sharpened
