"""Head shapes: human, macaque by a continuous invertible warp, cartoon by identity targets; what lies between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from nrsim.errors import need, unknown
from nrsim.faces.head import Head
from nrsim.faces.identities import BASE

Colour = tuple[float, float, float]


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """Return 0 below ``low``, 1 above ``high``, and a smooth cubic between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _bell(t: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * t * t)


def macaque_warp(points: np.ndarray, amount: float = 1.0) -> np.ndarray:
    """Return points of a human head moved towards where they lie on a macaque's, ``(point, 3)`` mesh units.

    Continuous and without folds (its Jacobian is positive over the head for every amount from 0 to 1; tested): rounder
    and closer eyes, a brow ridge, a low sloping forehead, a flat nose, a muzzle, a receding chin, round ears.
    Expressions are carried by it. Shaped by eye (chosen).

    Parameters
    ----------
    points
        ``(point, 3)``.
    amount
        0 leaves the head as it is, 1 is the macaque.
    """
    a = float(amount)
    x, y, z = points[:, 0].copy(), points[:, 1].copy(), points[:, 2].copy()
    front = smoothstep(0.2, 1.0, z)
    for side in (-1, 1):
        dx, dy = x - side * 0.31, y - 7.285
        eye = a * np.exp(-((dx / 0.25) ** 2 + (dy / 0.21) ** 2)) * front
        x, y = x + 0.12 * dx * eye, y + 0.55 * dy * eye
    x = x * (1 - a * 0.20 * _bell((y - 7.27) / 0.24) * np.exp(-((x / 0.62) ** 4)) * front)
    z = z + a * 0.13 * _bell((y - 7.50) / 0.085) * np.exp(-((x / 0.50) ** 4)) * front
    above = np.clip(y - 7.50, 0, None)
    y, z = y - a * 0.34 * above, z - a * 0.36 * above * above
    nose = a * _bell((y - 7.02) / 0.18) * _bell(x / 0.17) * front
    z = z - 0.62 * nose * np.clip(z - 1.25, 0, 0.6)
    x = x * (1 + a * 0.30 * _bell((y - 6.90) / 0.10) * _bell(x / 0.18) * front)
    muzzle = a * np.exp(-((np.abs(x) / 0.52) ** 3)) * np.exp(-((np.abs(y - 6.70) / 0.37) ** 3)) * front
    z, x, y = z + 0.48 * muzzle, x * (1 + 0.24 * muzzle), y - 0.05 * muzzle
    z = z - a * 0.16 * _bell((y - 6.28) / 0.16) * front
    x = x * (1 + a * 0.12 * _bell((y - 6.95) / 0.38) * smoothstep(0.35, 0.7, np.abs(x)))
    ear = smoothstep(0.70, 0.86, np.abs(x)) * np.exp(-(((y - 7.15) / 0.55) ** 4)) * np.exp(-(((z - 0.45) / 0.55) ** 4))
    ear = a * ear
    x = x + ear * 0.55 * (x - np.sign(x) * 0.72)
    y = y + ear * (0.30 * (y - 7.10) + 0.06)
    z = z + ear * (0.20 * (z - 0.3) + 0.12)
    return np.stack([x, y, z], axis=1)


@dataclass(frozen=True)
class Look:
    """Colours (linear, 0..1) and sizes (radians on the eyeball, mesh units) of what is painted on a head; chosen."""

    skin: Colour = (0.80, 0.62, 0.53)
    lip: Colour = (0.66, 0.36, 0.34)
    brow: Colour = (0.16, 0.10, 0.07)
    brow_strength: float = 0.85
    brow_thickness: float = 1.0
    brow_lift: float = 0.0
    iris: Colour = (0.28, 0.38, 0.42)
    iris_radius: float = 0.50
    pupil_radius: float = 0.20
    sclera: Colour = (0.93, 0.92, 0.90)
    teeth: Colour = (0.93, 0.91, 0.86)
    mouth: Colour = (0.30, 0.09, 0.09)
    tongue: Colour = (0.66, 0.32, 0.32)
    fur: Colour = (0.56, 0.46, 0.34)
    furred: float = 0.0
    ambient: float = 0.20
    shine: float = 0.10
    flat: float = 0.0
    lights: tuple[tuple[Colour, float], ...] = (
        ((0.45, 0.55, 0.80), 0.72),
        ((-0.75, 0.10, 0.55), 0.26),
        ((0.0, -0.60, 0.50), 0.08),
    )


@dataclass(frozen=True)
class Domain:
    """A head shape: identity weights, a warp after the expression, a look, and the half width of its picture.

    ``warp`` takes points and an amount; ``warped`` is the amount. ``frame`` is in distances from the eyes to the mouth;
    chosen so that the whole head is seen. ``head`` is another head than the one that comes with nrsim.
    """

    identity: Mapping[str, float] = field(default_factory=dict)
    warp: Callable[[np.ndarray, float], np.ndarray] | None = None
    warped: float = 1.0
    look: Look = Look()
    frame: float = 2.0
    head: Head | None = None


def mixed(first: Domain, second: Domain, fraction: float) -> Domain:
    """Return the head shape between two: (1 − f) of the first and f of the second in weights, warp and look.

    Raises
    ------
    ValueError
        If they are different heads, or have different warps: only the same vertices can be morphed.
    """
    if first.head is not second.head:
        raise need("two head shapes of the same head to morph", "two heads with different vertices")
    warp = first.warp or second.warp
    if first.warp and second.warp and first.warp is not second.warp:
        raise need("at most one warp between two head shapes", "two")
    names = {**first.identity, **second.identity}
    identity = {
        name: (1 - fraction) * first.identity.get(name, 0.0) + fraction * second.identity.get(name, 0.0)
        for name in names
    }
    amounts = [each.warped if each.warp else 0.0 for each in (first, second)]
    return Domain(
        identity,
        warp,
        (1 - fraction) * amounts[0] + fraction * amounts[1],
        mixed_looks(first.look, second.look, fraction),
        (1 - fraction) * first.frame + fraction * second.frame,
        first.head,
    )


def mixed_looks(first: Look, second: Look, fraction: float) -> Look:
    """Return every colour, size and light between two looks."""

    def between(a: Any, b: Any) -> Any:
        if isinstance(a, tuple):
            return tuple(between(x, y) for x, y in zip(a, b, strict=True))
        return (1 - fraction) * a + fraction * b

    return Look(**{each.name: between(getattr(first, each.name), getattr(second, each.name)) for each in fields(Look)})


_CARTOON = {
    "macro/caucasian-female-child": 1.0,
    "macro/universal-female-child-averagemuscle-averageweight": 1.0,
    "eyes/l-eye-scale-incr": 2.2,
    "eyes/r-eye-scale-incr": 2.2,
    "eyes/l-eye-height2-incr": 0.8,
    "eyes/r-eye-height2-incr": 0.8,
    "eyes/l-eye-trans-out": 0.35,
    "eyes/r-eye-trans-out": 0.35,
    "nose/nose-scale-vert-decr": 0.9,
    "nose/nose-scale-horiz-decr": 0.9,
    "nose/nose-scale-depth-decr": 0.6,
    "nose/nose-point-up": 0.6,
    "mouth/mouth-scale-horiz-incr": 0.5,
    "head/head-round": 0.7,
    "head/head-scale-horiz-incr": 0.7,
    "chin/chin-width-decr": 0.3,
    "cheek/l-cheek-volume-incr": 0.8,
    "cheek/r-cheek-volume-incr": 0.8,
    "forehead/forehead-scale-vert-incr": 0.5,
}

_MACAQUE_LOOK = Look(
    skin=(0.86, 0.66, 0.58),
    lip=(0.58, 0.38, 0.34),
    brow=(0.30, 0.22, 0.16),
    brow_strength=0.65,
    brow_thickness=1.3,
    iris=(0.42, 0.24, 0.08),
    iris_radius=0.72,
    pupil_radius=0.28,
    sclera=(0.50, 0.40, 0.30),
    teeth=(0.92, 0.89, 0.80),
    ambient=0.30,
    furred=1.0,
)

_CARTOON_LOOK = Look(
    skin=(0.88, 0.73, 0.62),
    lip=(0.86, 0.45, 0.45),
    brow=(0.25, 0.12, 0.05),
    brow_thickness=1.5,
    brow_lift=0.05,
    iris=(0.15, 0.45, 0.30),
    iris_radius=0.62,
    pupil_radius=0.30,
    sclera=(0.99, 0.99, 0.99),
    flat=1.0,
    shine=0.02,
    ambient=0.58,
    lights=(((0.3, 0.6, 0.9), 0.40), ((0.0, 0.0, 1.0), 0.0), ((0.0, 0.0, 1.0), 0.0)),
)

DOMAINS: Mapping[str, Domain] = MappingProxyType(
    {
        "human": Domain(identity=BASE),
        "macaque": Domain(warp=macaque_warp, look=_MACAQUE_LOOK, frame=1.9),
        "cartoon": Domain(identity=_CARTOON, look=_CARTOON_LOOK, frame=2.6),
    }
)


def domain_named(name: str, heads: Mapping[str, Head] | None = None) -> Domain:
    """Return a head shape: one of nrsim's, or one of your own heads, painted like the human one.

    Raises
    ------
    ValueError
        For an unknown one; the nearest is named.
    """
    if heads and name in heads:
        return Domain(head=heads[name], frame=heads[name].frame)
    if name not in DOMAINS:
        raise unknown("domain (head shape)", name, {*DOMAINS, *(heads or {})})
    return DOMAINS[name]
