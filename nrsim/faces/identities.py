"""Identities: named and random people about the average face, their caricatures, anti-faces and morphs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import scipy.sparse as sp

from nrsim import seeds
from nrsim.errors import need, unknown
from nrsim.faces.expressions import rms
from nrsim.faces.head import SKIN, Head, template
from nrsim.quantities import bare, whole

AVERAGE = "average"
LOWEST, HIGHEST = -1.5, 1.5  # anti-faces and caricatures that stay faces (chosen by eye)
LARGEST = 0.3  # RMS shift of a random identity at most, interocular distances (chosen by eye)
_SIZE = 0.10  # RMS shift of a random identity, interocular distances (chosen: strangers who are easily told apart)
_POLES = (
    *(("incr", "decr"), ("up", "down"), ("out", "in"), ("forward", "backward")),
    *(("convex", "concave"), ("uncompress", "compress")),
)
# Shifts of the whole head, and of midline parts to one side, are no identity
_NO_IDENTITY = re.compile(r"^(head-trans-|(nose|mouth)-trans-(in|out)$|head-angle-|neck|measure)")
# Axes that look like an expression are left out of random people, and those that change the whole head count for less
_LIKE_EXPRESSIONS = re.compile(r"angle|eyefold-(down|concave|convex)|eye-corner|eye-height|lip-(middle|ext)|squint")
_OF_THE_HEAD = re.compile(r"^(head-scale|head-age|head-fat|sex|age|african|asian)")
_HEAD_SHARE = 0.4  # their standard deviation, in that of the others (chosen)
_AGES, _SEXES, _PEOPLES = ("young", "old", "child"), ("female", "male"), ("african", "asian", "caucasian")


def _macro(people: str, sex: str, age: str, weight: float = 1.0) -> dict[str, float]:
    body = f"macro/universal-{sex}-{age}-averagemuscle-averageweight"
    return {f"macro/{people}-{sex}-{age}": weight, body: weight}


# The average face: the mean of a young woman and a young man, on which the human head is built
BASE: Mapping[str, float] = {**_macro("caucasian", "male", "young", 0.5), **_macro("caucasian", "female", "young", 0.5)}
_AXES_OF_MACROS = {
    "sex": (("caucasian", "male", "young"), ("caucasian", "female", "young")),
    "age": (("caucasian", "female", "old"), ("caucasian", "female", "young")),
    "african": (("african", "female", "young"), ("caucasian", "female", "young")),
    "asian": (("asian", "female", "young"), ("caucasian", "female", "young")),
}


def _combined(*parts: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for target, weight in part.items():
            total[target] = total.get(target, 0.0) + weight
    return {target: weight for target, weight in total.items() if weight}


def _times(factor: float, weights: Mapping[str, float]) -> dict[str, float]:
    return {target: factor * weight for target, weight in weights.items()}


def identity_axes() -> dict[str, dict[str, float]]:
    """Return the axes of the template's identity space: name → weights of targets at +1; −1 is the opposite.

    Each joins two opposite targets (``nose-hump``: more, less), both sides of the face at once; ``sex``, ``age``,
    ``african`` and ``asian`` are differences of MakeHuman's macro targets.

    Examples
    --------
    >>> import nrsim as nr
    >>> axes = nr.identity_axes()
    >>> axes["nose-hump"]
    {'nose/nose-hump-incr': 0.5, 'nose/nose-hump-decr': -0.5}
    """
    return {name: dict(weights) for name, weights in _axes().items()}


@cache
def _axes() -> Mapping[str, Mapping[str, float]]:
    axes: dict[str, dict[str, float]] = {}
    targets = set(template().identities)
    for target in sorted(targets):
        group, _, stem = target.partition("/")
        if group == "macro" or stem.startswith("r-") or _NO_IDENTITY.match(stem):
            continue
        for high, low in _POLES:
            if not stem.endswith(f"-{high}"):
                continue
            other = f"{target[: -len(high)]}{low}"
            if other not in targets:
                continue
            name = stem.removeprefix("l-")[: -len(high) - 1]
            rivals = [f"{target[: -len(high)]}{pole}" for pole, _ in _POLES if pole != high]
            if any(rival in targets for rival in rivals):  # several axes of one name: it says which
                name = f"{name}-{high}"
            sides = [(target, other)]
            if stem.startswith("l-"):
                sides.append((target.replace("/l-", "/r-"), other.replace("/l-", "/r-")))
            axes[name] = {end: sign * 0.5 for pair in sides for end, sign in zip(pair, (1, -1), strict=True)}
    for name, (here, there) in _AXES_OF_MACROS.items():
        axes[name] = _combined(_macro(*here), _times(-1, _macro(*there)))
    return axes


def named_identities() -> dict[str, dict[str, float]]:
    """Return people by name (``asian_female``, ``african_male_old``, …): weights of targets beside the average face.

    Examples
    --------
    >>> import nrsim as nr
    >>> len(nr.named_identities())
    18
    """
    return {
        f"{people}_{sex}" + ("" if age == "young" else f"_{age}"): _combined(_macro(people, sex, age), _times(-1, BASE))
        for age in _AGES
        for people in _PEOPLES
        for sex in _SEXES
    }


def random_identities(n: int, *, seed: int, size: float = _SIZE, prefix: str = "person") -> dict[str, dict[str, float]]:
    """Return random people, all at the same distance from the average face.

    Parameters
    ----------
    n
        How many.
    seed
        Draws them; person i does not depend on ``n``.
    size
        RMS shift of the skin from the average face, in interocular distances, on every head of the template. Default
        0.10 (chosen).
    prefix
        Their names are ``person-01``, ``person-02``, …

    Returns
    -------
    dict
        Name → weights on :func:`identity_axes`, drawn from a normal distribution and scaled to ``size``; axes that look
        like an expression (slanted brows, raised lips) are left out. To be given to :func:`nrsim.render_faces` as
        ``identities``.

    Raises
    ------
    ValueError, TypeError
        For no whole number of people, or a size that is not above 0.

    Examples
    --------
    >>> import nrsim as nr
    >>> people = nr.random_identities(2, seed=1)
    >>> list(people)
    ['person-01', 'person-02']
    """
    n, size = whole(n, "n", low=1), bare(size, "1", "size", above=0, high=LARGEST)
    axes, head = _axes(), template()
    skin = head.surface["part"] == SKIN
    spread = np.array(
        [0.0 if _LIKE_EXPRESSIONS.search(axis) else _HEAD_SHARE if _OF_THE_HEAD.match(axis) else 1.0 for axis in axes]
    )
    people = {}
    for i in range(1, n + 1):
        draw = seeds.stream(seed, "identity", i).normal(size=len(axes)) * spread
        weights = {axis: weight for axis, weight in zip(axes, draw, strict=True) if weight}
        for _ in range(4):  # the eyes are kept in place, which is not quite linear in the weights
            factor = size * interocular(head) / rms(head.subdivision @ displacement(weights, head), skin)
            weights = {axis: weight * factor for axis, weight in weights.items()}
        people[f"{prefix}-{i:02d}"] = {axis: round(float(weight), 6) for axis, weight in weights.items()}
    return people


def interocular(head: Head) -> float:
    """Return the distance between the centres of a head's eyes, mesh units."""
    left, right = head.eye_centres(head.vertices)
    return float(np.linalg.norm(left - right))


def known(weights: Mapping[str, float], head: Head) -> None:
    """Raise unless all are identity axes or targets of a head.

    Raises
    ------
    ValueError
        For an unknown axis or target; the nearest is named.
    """
    names = {*(_axes() if head is template() else ()), *head.identities}
    for name in weights:
        if name not in names:
            raise unknown(f"identity axis or target of the head {head.name!r}", name, names)


def displacement(weights: Mapping[str, float], head: Head) -> np.ndarray:
    """Return the shift from the average face, ``(vertex, 3)``, for weights of identity axes and targets.

    Raises
    ------
    ValueError
        For an unknown axis or target; the nearest is named.
    """
    known(weights, head)
    axes = _axes() if head is template() else {}
    targets = _combined(*(_times(weight, axes.get(name, {name: 1.0})) for name, weight in weights.items()))
    if head is not template():
        return head.identity(targets)
    return head.identity(_combined(BASE, targets)) - head.identity(BASE)


def between(first: np.ndarray, second: np.ndarray, fraction: float, skin: sp.csr_matrix) -> np.ndarray:
    """Return the tangential morph of two identities: their directions turned into one another about the average face.

    With unit directions a, b at the angle θ and lengths A, B (over the skin as it is drawn), the morph is
    ((1 − f)·A + f·B) · (sin((1 − f)θ)·a + sin(fθ)·b) / sin θ: at a constant distance from the average where A = B.

    Parameters
    ----------
    first, second
        Shifts from the average face, ``(vertex, 3)``.
    fraction
        f: 0 is the first, 1 the second.
    skin
        Matrix from the vertices to those of the skin drawn.

    Raises
    ------
    ValueError
        If the two lie in the same or in opposite directions: between those no direction is the shortest.
    """
    drawn = skin @ first, skin @ second
    lengths = float(np.linalg.norm(drawn[0])), float(np.linalg.norm(drawn[1]))
    if min(lengths) <= 0:
        raise need("two identities apart from the average face", "an average one", "Use identity_level for that")
    a, b = first / lengths[0], second / lengths[1]
    angle = float(np.arccos(np.clip((drawn[0] * drawn[1]).sum() / (lengths[0] * lengths[1]), -1, 1)))
    if np.sin(angle) < 1e-3:
        raise need("two identities in different directions from the average", f"an angle of {np.rad2deg(angle):.1f}°")
    length = (1 - fraction) * lengths[0] + fraction * lengths[1]
    return length * (np.sin((1 - fraction) * angle) * a + np.sin(fraction * angle) * b) / np.sin(angle)


def checked(identities: Mapping[str, Mapping[str, float]] | None) -> dict[str, dict[str, float]]:
    """Return identities as name → weights, every weight a finite number.

    Raises
    ------
    TypeError, ValueError
        If they are no mapping of mappings, or a weight is no number.
    """
    if identities is None:
        return {}
    if not isinstance(identities, Mapping):
        raise need("identities: name → weights of identity axes", repr(identities), kind=TypeError)
    result: dict[str, dict[str, float]] = {}
    for name, weights in identities.items():
        if not isinstance(weights, Mapping):
            raise need(f"identity {name}: weights of identity axes", repr(weights), kind=TypeError)
        if name == AVERAGE:
            raise need("another name than 'average' for an identity of your own", repr(name))
        result[str(name)] = {str(axis): bare(weight, "1", f"{name}: {axis}") for axis, weight in weights.items()}
    return result
