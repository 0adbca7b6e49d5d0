"""One's own rule as a plain function, with the interface of the other encoders."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from nrsim.encoders.prototypes import direction_vectors
from nrsim.encoders.referenced import NormReferenced
from nrsim.errors import need, unknown

_GIVEN = ("difference", "value", "norm", "directions", "lengths", "prototypes", "learned")
_CURVES = ("linear", "gaussian", "")
_OF_NORMS = {"difference", "norm", "directions", "lengths"}


class CustomEncoder(NormReferenced):
    """An encoder whose activity is a function of one's own.

    The function is called with what its parameters are named after:

    - ``difference``: d = u − r, ``(stimulus, feature)``; 0 where a landmark was not seen
    - ``value``: u, ``(stimulus, feature)``
    - ``norm``: r, the norm of each stimulus's domain, ``(stimulus, feature)``
    - ``directions``: n, unit vectors from the norm to each prototype, ``(neuron, feature)``
    - ``lengths``: ‖t‖, ``(neuron,)``
    - ``prototypes``: the stored faces, ``(neuron, feature)``
    - ``learned``: what ``learn`` returned

    It returns the activity ``(stimulus, neuron)``, one neuron a prototype. It uses norms if it takes any of difference,
    norm, directions and lengths; without, ``value`` holds NaN where a landmark was not seen, and domains need no norm.
    Frames of moving faces come as further rows.

    Parameters
    ----------
    activity
        The function.
    learn
        A function ``learn(prototypes, norms)`` of arrays ``(neuron, feature)``, called by ``fit``; ``norms`` is None
        where ``fit`` was given none. Default: none.
    name
        What the encoder and the ids of its neurons are called.
    curve
        How activity grows as the face of a prototype grows from its norm to itself, for a read-out of intensity:
        ``"linear"``, ``"gaussian"`` (of the distance from the prototype), or ``""``: that is not known, and no
        intensity is read (default).

    Raises
    ------
    TypeError
        If ``activity`` or ``learn`` is no function, does not say what its parameters are called, or ``activity``
        returns no real numbers.
    ValueError
        If a parameter of ``activity`` has another name (the nearest is named), or what it returns has another shape or
        is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> def saturating(difference, directions, lengths):
    ...     along = np.clip(difference @ directions.T / lengths, 0, None)
    ...     return along / (along + 0.5)
    >>> mine = nr.CustomEncoder(saturating, name="saturating").fit(
    ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    >>> code = mine.transform(features)
    >>> code["neuron_id"].values.tolist(), float(code["at_prototype"][0].round(3))
    (['saturating-happy', 'saturating-angry'], 0.667)
    """

    def __init__(
        self,
        activity: Callable[..., np.ndarray],
        learn: Callable[[np.ndarray, np.ndarray | None], Any] | None = None,
        name: str = "custom",
        curve: str = "",
    ) -> None:
        for called, function in (("activity", activity), ("learn", learn)):
            if not callable(function) and not (called == "learn" and function is None):
                raise need(f"{called}: a function", repr(function), kind=TypeError)
        if not isinstance(name, str) or not name:
            raise need("name: a text", repr(name), kind=TypeError)
        if curve not in _CURVES:
            raise unknown("curve of an encoder", curve, _CURVES, hint="Leave it out where that is not known")
        try:
            taken = inspect.signature(activity).parameters
        except ValueError:
            raise need(
                "activity: a function whose parameters have names",
                f"{activity!r}, which does not say them",
                "Write def mine(difference, directions): return … around it",
                kind=TypeError,
            ) from None
        for parameter in taken.values():
            optional = parameter.default is not inspect.Parameter.empty
            if parameter.name not in _GIVEN and not optional:
                raise unknown("parameter of the function activity", parameter.name, _GIVEN)
        self.activity = activity
        self.learn = learn
        self.name = name
        self.curve = curve
        self._takes = tuple(each for each in taken if each in _GIVEN)
        if "learned" in self._takes and learn is None:
            raise need("learn= beside an activity that takes 'learned'", "none")
        self.uses_norm = bool(_OF_NORMS & set(self._takes))

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        self.prototypes_ = prototypes
        self.learned_from_ = prototypes, norms
        self.adaptation_ = None
        if norms is not None and self.uses_norm:
            self.directions_, self.lengths_ = direction_vectors(prototypes, norms, self.prefers_)
            self.learned_directions_ = self.directions_
        self.learned_ = self.learn(prototypes, norms) if self.learn is not None else None

    def _respond(self, value: np.ndarray, norm: np.ndarray | None) -> np.ndarray:
        known: dict[str, Any] = {"value": value, "prototypes": self.prototypes_, "learned": self.learned_}
        if norm is not None:
            known |= {"norm": norm, "difference": value - norm}
            known |= {"directions": self.directions_, "lengths": self.lengths_}
        made = self.activity(**{each: known[each] for each in self._takes})
        if np.iscomplexobj(made):
            raise need(f"real numbers from {self.name!r}", "complex ones", "Such as np.abs of them", kind=TypeError)
        try:
            activity = np.asarray(made, dtype=np.float64)
        except (TypeError, ValueError):
            raise need(f"an array of numbers from {self.name!r}", type(made).__name__, kind=TypeError) from None
        shape = (len(value), len(self.prefers_))
        if activity.shape != shape:
            raise need(f"activity (stimulus, neuron) of shape {shape} from {self.name!r}", f"shape {activity.shape}")
        if not np.isfinite(activity).all():
            raise need(f"finite activity from {self.name!r}", f"{int((~np.isfinite(activity)).sum())} NaN or infinite")
        return activity
