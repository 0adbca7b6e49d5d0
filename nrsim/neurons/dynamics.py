"""What happens within a response: the average face is suppressed after the first answer, weak responses come later."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.quantities import bare


@dataclass(frozen=True)
class LateSuppression:
    r"""Feed-forward inhibition that comes after the first response and is strongest for faces near the norm.

    .. math::

        A(t) = b\, p(t) + \varepsilon\, a(t) - s(t)\, [b\, p(t) - (1 - \varepsilon)\, a(t)]_+, \qquad
        s(t) = 1 - e^{-[t - \ell - \delta]_+ / \tau_s}

    takes the place of the course of the activity, a(t), in :func:`nrsim.present`; p(t) is the course of an activity of
    1. At first every face drives every neuron by b, and little (ε) of what it is shows; then inhibition takes away what
    lacks to the distance from the norm: of the average face all. What a prototype (activity 1) answers late is what it
    answers without suppression, if b = 1. A sketch of what Koyano et al. (2021, Current Biology) report of three face
    patches: the average face is suppressed after the initial response. It is one account of several; nothing is
    fitted.

    Parameters
    ----------
    shared
        b, the activity that every face gives at first. Default 1, chosen: that of a prototype.
    early
        ε, the fraction of the activity that shows at first, 0 to 1. Default 0.1, chosen.
    delay
        δ, from the beginning of the response to that of the suppression, in s. Default 0.04, chosen.
    time_constant
        τ_s, in s. Default 0.02, chosen.

    Raises
    ------
    TypeError, ValueError
        If a parameter is no number, has the wrong unit or is out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> drive = nr.present(nr.example("FaceCode"), suppression=nr.LateSuppression())
    >>> drive["current"].dims
    ('stimulus', 'neuron', 'time')
    """

    shared: float = 1.0
    early: float = 0.1
    delay: float = 0.04
    time_constant: float = 0.02

    def __post_init__(self) -> None:
        """Convert quantities and check ranges."""
        for name, unit, limits in (
            ("shared", "1", {"above": 0.0}),
            ("early", "1", {"low": 0.0, "high": 1.0}),
            ("delay", "s", {"low": 0.0}),
            ("time_constant", "s", {"above": 0.0}),
        ):
            object.__setattr__(self, name, bare(getattr(self, name), unit, name, **limits))

    def get_params(self) -> dict[str, float]:
        """Return the parameters by name, in the units of the docstring."""
        return asdict(self)

    def applied(self, plain: np.ndarray, activity: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Return A(t).

        Parameters
        ----------
        plain
            p(t), ``(…, time)``: the course of an activity of 1.
        activity
            a(t), ``(…, time)``.
        since
            ``(…, time)`` seconds since the response began.
        """
        rises = -np.expm1(-np.clip(since - self.delay, 0.0, None) / self.time_constant)
        lacking = np.clip(self.shared * plain - (1 - self.early) * activity, 0.0, None)
        return self.shared * plain + self.early * activity - rises * lacking


def suppression_of(value: Any) -> LateSuppression | None:
    """Return ``value`` if it is a LateSuppression or None, else raise TypeError with what came."""
    if value is None or isinstance(value, LateSuppression):
        return value
    hint = "Write nr.LateSuppression()" if value is LateSuppression else ""
    raise need("suppression: None or nr.LateSuppression(...)", repr(value), hint, kind=TypeError)


def later(activity: np.ndarray, slowing: float, half: float) -> np.ndarray:
    """Return how much later than the strongest a response of ``activity`` begins, in s, same shape: δ/(1 + |a|/a_h)."""
    return slowing / (1.0 + np.abs(activity) / half)


def shifted(course: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return ``course (…, time)`` moved by ``steps (…)`` to later times; what is missing is the first value."""
    n = course.shape[-1]
    source = np.clip(np.arange(n) - steps[..., None], 0, n - 1)
    return np.take_along_axis(np.broadcast_to(course, (*steps.shape, n)), source, axis=-1)
