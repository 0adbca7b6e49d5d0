"""Impulse responses over time and how a pair of them is scaled. Plain NumPy, no labels.

A filter's parts are an impulse response h(t), 0 before t = 0, its integral from 0 on (the response to a step) and its
transfer function H(f) = ∫ h(t) exp(−2πi f t) dt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import gammainc, gammaincinv, gammaln, xlogy

from nrsim.errors import need

_GRID = 1000  # frequencies, evenly spaced in octaves, among which a peak is looked for before it is refined
_OVER = 1e-4  # of its integral: where a gamma-shaped response has ended


class Part(Protocol):
    """An unscaled impulse response."""

    @property
    def highest(self) -> float:
        """The highest frequency that is looked at, Hz."""

    @property
    def end(self) -> float:
        """When the response is over, s."""

    def density(self, t: np.ndarray) -> np.ndarray:
        """Return h at times ``t`` (s), 1/s."""

    def step(self, t: np.ndarray) -> np.ndarray:
        """Return the integral of h from 0 to ``t``, which may be infinite."""

    def transfer(self, f: np.ndarray) -> np.ndarray:
        """Return H at frequencies ``f`` (Hz)."""


@dataclass(frozen=True)
class Gamma:
    """k (kt)^n exp(−kt) [1/n! − b (kt)²/(n + 2)!]: Adelson & Bergen 1985's eq. 1 times k, with a weight b."""

    order: int
    rate: float
    undershoot: float

    @property
    def highest(self) -> float:
        """The highest frequency that is looked at, Hz."""
        return 2 * self.rate

    @property
    def end(self) -> float:
        """When the response is over, s."""
        return float(gammaincinv(self.order + 3, 1 - _OVER)) / self.rate

    def density(self, t: np.ndarray) -> np.ndarray:
        """Return h at times ``t`` (s), 1/s."""
        x = self.rate * np.maximum(t, 0.0)
        first, second = (np.exp(xlogy(n, x) - x - gammaln(n + 1)) for n in (self.order, self.order + 2))
        return self.rate * (first - self.undershoot * second)

    def step(self, t: np.ndarray) -> np.ndarray:
        """Return the integral of h from 0 to ``t``, which may be infinite."""
        x = self.rate * np.maximum(t, 0.0)
        return gammainc(self.order + 1, x) - self.undershoot * gammainc(self.order + 3, x)

    def transfer(self, f: np.ndarray) -> np.ndarray:
        """Return H at frequencies ``f`` (Hz)."""
        q = 1 / (1 + 2j * np.pi * np.asarray(f) / self.rate)
        return q ** (self.order + 1) - self.undershoot * q ** (self.order + 3)


@dataclass(frozen=True)
class Sampled:
    """An impulse response that is constant over steps of ``width`` s: a histogram over the time since the impulse."""

    values: tuple[float, ...]
    width: float

    @property
    def highest(self) -> float:
        """The highest frequency that is looked at, Hz."""
        return 0.5 / self.width

    @property
    def end(self) -> float:
        """When the response is over, s."""
        return len(self.values) * self.width

    def density(self, t: np.ndarray) -> np.ndarray:
        """Return h at times ``t`` (s), 1/s."""
        bins = np.floor(np.asarray(t, dtype=float) / self.width + 1e-9)
        inside = (bins >= 0) & (bins < len(self.values))
        return np.where(inside, np.array(self.values)[np.where(inside, bins, 0).astype(int)], 0.0)

    def step(self, t: np.ndarray) -> np.ndarray:
        """Return the integral of h from 0 to ``t``, which may be infinite."""
        edges = np.arange(len(self.values) + 1) * self.width
        return np.interp(t, edges, np.concatenate([[0.0], np.cumsum(self.values)]) * self.width)

    def transfer(self, f: np.ndarray) -> np.ndarray:
        """Return H at frequencies ``f`` (Hz)."""
        f = np.asarray(f, dtype=float)
        middles = (np.arange(len(self.values)) + 0.5) * self.width
        waves = np.exp(-2j * np.pi * f[..., None] * middles)
        return self.width * np.sinc(f * self.width) * (waves @ np.array(self.values))


@dataclass(frozen=True)
class Filters:
    """One filter, or a fast and a slow one, as sums of parts: ``mix (filter, part)``.

    Attributes
    ----------
    parts
        Unscaled.
    mix
        What each filter takes of each part.
    preferred
        Hz, where the filter, or of a pair the preferred direction, answers with amplitude 1, its largest.
    upper
        Hz, above ``preferred``, where the amplitude has fallen to half.
    """

    parts: tuple[Part, ...]
    mix: np.ndarray
    preferred: float
    upper: float

    def density(self, t: np.ndarray) -> np.ndarray:
        """Return the impulse responses ``(filter, …)``, 1/s."""
        return np.tensordot(self.mix, np.stack([part.density(t) for part in self.parts]), 1)

    def step(self, t: np.ndarray) -> np.ndarray:
        """Return the responses to a step ``(filter, …)``."""
        return np.tensordot(self.mix, np.stack([part.step(t) for part in self.parts]), 1)

    def transfer(self, f: np.ndarray) -> np.ndarray:
        """Return the transfer functions ``(filter, …)``."""
        return np.tensordot(self.mix, np.stack([part.transfer(f) for part in self.parts]), 1)

    def amplitude(self, f: np.ndarray) -> np.ndarray:
        """Return |H_fast + i H_slow| at ``f`` (Hz): of the preferred direction if f > 0, of the opposite if f < 0."""
        return _amplitude(self.transfer(f))

    def weights(self, times: np.ndarray, held: bool) -> np.ndarray:
        """Return what each frame contributes to the response at each frame's onset, ``(filter, onset, frame)``.

        A frame stays from its onset until the next, so that its weight is the integral of h over that interval, exact
        for even and uneven ones. Before the first frame there is the first frame if ``held``, else uniform luminance,
        to which channels do not answer.
        """
        begin = times[:, None] - times[None]
        if held:
            begin[:, 0] = np.inf
        finish = np.concatenate([begin[:, 1:], np.zeros((len(times), 1))], axis=1)
        return self.step(np.maximum(begin, 0)) - self.step(np.maximum(finish, 0))


def _amplitude(transfers: np.ndarray) -> np.ndarray:
    return np.abs(transfers[0] + 1j * transfers[1]) if len(transfers) == 2 else np.abs(transfers[0])


def scaled(parts: Sequence[Part], exact: bool = False) -> Filters:
    """Return filters whose amplitude at their preferred frequency is 1.

    Of a pair, each has the same gain there, and ``exact`` replaces the slow one by its part a quarter of a cycle behind
    the fast one: (slow/|S| − cos ψ · fast/|F|) / sin ψ, ψ being the phase between them at the preferred frequency.

    Raises
    ------
    ValueError
        If two filters have no such frequency, or the second does not lag behind the first.
    """
    from scipy.optimize import brentq, minimize_scalar  # slow to import

    highest = min(part.highest for part in parts)
    grid = np.geomspace(0.02 / max(part.end for part in parts), 0.999 * highest, _GRID)
    if len(parts) == 1:
        grid = np.concatenate([[0.0], grid])
        gain = np.abs(parts[0].transfer(grid))
        best = int(gain.argmax())
        preferred = 0.0
        if best:
            span = (grid[best - 1], grid[min(best + 1, len(grid) - 1)])
            preferred = float(
                minimize_scalar(
                    lambda f: -np.abs(parts[0].transfer(np.array(f))),
                    bounds=span,
                    method="bounded",
                    options={"xatol": 1e-9 * highest},
                ).x
            )
        mix = np.array([[1 / np.abs(parts[0].transfer(np.array(preferred)))]])
    else:
        preferred = _peak(parts, grid, exact)
        mix = _mixed(parts, preferred, exact)
    made = Filters(tuple(parts), mix, preferred, 0.0)
    if len(parts) == 2 and not made.amplitude(np.array(-preferred)) < 1 - 1e-6:
        raise need("two filters, the second of which lags behind the first", "others", "Give the fast one first")
    above = grid[grid > preferred]
    below_half = np.flatnonzero(made.amplitude(above) < 0.5)
    upper = highest
    if len(below_half):
        last = int(below_half[0])
        begin = float(above[last - 1]) if last else preferred
        upper = float(brentq(lambda f: float(made.amplitude(np.array(f))) - 0.5, begin, above[last]))
    return Filters(made.parts, mix, preferred, upper)


def _mixed(parts: Sequence[Part], at: float, exact: bool) -> np.ndarray:
    """Return ``mix (filter, part)`` that scales both parts at the frequency ``at``."""
    fast, slow = (complex(part.transfer(np.array(at))) for part in parts)
    mix = np.diag([1 / abs(fast), 1 / abs(slow)])
    if exact:
        turn = np.angle(fast / slow)
        mix[1] = mix[1] / np.sin(turn) - mix[0] / np.tan(turn)
    both = mix @ np.array([fast, slow])
    return mix / abs(both[0] + 1j * both[1])


def _peak(parts: Sequence[Part], grid: np.ndarray, exact: bool) -> float:
    """Return the frequency at which the preferred direction's amplitude has its maximum, the parts scaled there."""

    from scipy.optimize import brentq

    def slope(f: float) -> float:
        around = np.array([f * (1 - 1e-5), f * (1 + 1e-5)])
        low, high = _amplitude(_mixed(parts, f, exact) @ np.stack([part.transfer(around) for part in parts]))
        return float(high - low)

    slopes = np.array([slope(f) for f in grid])
    tops = np.flatnonzero((slopes[:-1] > 0) & (slopes[1:] <= 0))
    if not len(tops):
        raise need("two filters that together prefer a temporal frequency above 0", "filters without a peak")
    passed = np.prod([np.abs(part.transfer(grid[tops])) for part in parts], axis=0)
    best = tops[int(passed.argmax())]
    return float(brentq(slope, grid[best], grid[best + 1], xtol=1e-12 * grid[-1]))
