"""Which way a bank's energy is computed, and computing it in blocks on threads. Plain NumPy, no labels.

There are two ways. On the fast one each channel's own band is transformed and pooled (:mod:`nrsim.v1.cropped`); it
gives pooled energy, with divisive normalisation before pooling if its exponent is 2. On the exact one there is a map
of every channel at every pixel, one picture at a time (:mod:`nrsim.v1.dense`), and everything else follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from nrsim import windows
from nrsim.v1 import normalise
from nrsim.v1.cropped import CroppedBank, normalisable, together
from nrsim.v1.dense import DenseBank, cosines
from nrsim.v1.ends import ends
from nrsim.v1.gabor import Channels

FINEST = 0.9  # cycles/px
KEPT = 40 * 320 * 320  # pixels times channels whose filters are kept for the next call: up to about 100 MB (chosen)


@dataclass(frozen=True)
class Gains:
    """How responses are normalised: the bank's settings in pixels."""

    kind: str
    semi_saturation: float
    exponent: float
    spreads: tuple[float, ...]


class Plan:
    """Computes what a bank gives on pictures of one shape.

    Parameters
    ----------
    shape
        ``(y, x)``.
    channels
        ``channels[frequency][orientation]``, in pixels.
    gains
        The normalisation.
    pools
        ``(windows_y, windows_x)`` or None for responses at every pixel.
    statistic, paired
        As in :func:`nrsim.windows.pool_maps`.
    exact
        Whether to take the exact way where the fast one could be taken.
    threads
        Pictures filtered at the same time.
    opposite
        Of direction-selective channels: the energy that one gives to a grating that its opposite prefers.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        channels: Channels,
        gains: Gains,
        pools: tuple[np.ndarray, np.ndarray] | None,
        *,
        statistic: str = "energy",
        paired: bool = False,
        exact: bool = False,
        threads: int = 1,
        opposite: float | None = None,
    ) -> None:
        self.shape, self.channels, self.gains, self.pools = shape, channels, gains, pools
        self.statistic, self.paired, self.threads = statistic, paired, threads
        self.divisive = None
        if gains.kind.startswith("divisive"):
            beyond = ends(channels, gains.spreads, gains.exponent, opposite)
            total = normalise.summed(channels, beyond, gains.exponent, opposite)
            self.divisive = normalise.Divisive(gains.semi_saturation, gains.exponent, gains.spreads, total, beyond)
        orientations = np.array([each.orientation for each in channels[0]])
        before = gains.kind == "divisive"
        smooth = gains.exponent == 2 and min(gains.spreads) > 0 and normalisable(orientations)
        # a channel so fine and broad that it reaches where low frequencies fold to, 1 cycle/px, has no band of its own
        fine = max(each.reach(axis, 1e-4) for row in channels for each in row for axis in (0, 1)) > FINEST
        self.fast = not exact and not fine and pools is not None and statistic == "energy" and (smooth or not before)
        # what is worked out for pictures of one shape serves the next call too, unless it takes much memory
        keep = shape[0] * shape[1] * len(channels) * len(channels[0]) <= KEPT
        self.dense = (_dense if keep else _dense.__wrapped__)(shape, channels)
        if self.fast and pools is not None:
            made = _cropped if keep else _cropped.__wrapped__
            self.cropped = made(shape, channels, _Arrays(pools), paired, self.divisive if before else None)
        if pools is None:
            self.grid: tuple[int, ...] = shape
        elif paired:
            self.grid = (len(pools[0]),)
        else:
            self.grid = len(pools[0]), len(pools[1])
        self.neighbours = self._neighbours() if gains.kind == "divisive_pooled" else None
        self.waves = [] if pools is None else [normalise.waves(weights) for weights in pools]

    def _neighbours(self) -> list[np.ndarray]:
        if self.pools is None or self.divisive is None:
            raise ValueError("internal: divisive_pooled without windows")
        y, x = (weights @ np.arange(weights.shape[1]) for weights in self.pools)
        if not self.paired:
            y, x = (each.ravel() for each in np.meshgrid(y, x, indexing="ij"))
        return normalise.neighbours(y, x, [*self.gains.spreads, *(end.spread for end in self.divisive.ends)])

    def divided(self, pooled: np.ndarray, images: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return pooled energies ``(image, frequency, orientation, …)`` normalised after pooling, if that is asked.

        ``images`` are those seen; ``weights`` filter the frames of a movie, ``(filter, onset, frame)``.
        """
        if self.neighbours is None or self.divisive is None or self.pools is None:
            return pooled
        spectrum, beyond = cosines(images), []
        for end in self.divisive.ends:
            if self.statistic == "energy":  # a sum of cosines' sums in windows
                series = end.cosines(spectrum, weights)
                rows, columns = (waves[:, :n] for waves, n in zip(self.waves, series.shape[1:], strict=True))
                found = np.maximum(windows.pool_maps(series, rows, columns, "energy", self.paired), 0)
            else:
                found = windows.pool_maps(end.squares(spectrum, weights), *self.pools, self.statistic, self.paired)
            beyond.append(found.reshape(len(found), -1))
        flat = pooled.reshape(*pooled.shape[:3], -1)
        return self.divisive.divide_pooled(flat, self.neighbours, beyond).reshape(pooled.shape)

    def look(self, images: np.ndarray) -> np.ndarray:
        """Return ``images`` as the filters see them."""
        if self.gains.kind != "local_contrast":
            return images
        return normalise.local_contrast(
            images, max(self.gains.spreads), self.gains.semi_saturation, self.gains.exponent
        )

    def energy(self, images: np.ndarray) -> np.ndarray:
        """Return complex-cell responses to ``images (image, y, x)``, ``(image, frequency, orientation, …)`` float32."""
        out = np.empty((len(images), len(self.channels), len(self.channels[0]), *self.grid), dtype=np.float32)

        def chunk(first: int) -> None:
            part, into = self.look(images[first : first + some]), out[first : first + some]
            if self.fast:
                self.cropped.pooled(part, into)
            else:
                for image, place in zip(part, into, strict=True):
                    place[...] = self._exact(image)
            if self.gains.kind == "divisive_pooled":
                into[...] = self.divided(into, part)

        some = together(self.shape)
        self.each(chunk, range(0, len(images), some))
        return out

    def _exact(self, image: np.ndarray) -> np.ndarray:
        maps = self.dense.energy(image)
        if self.divisive is not None and self.gains.kind == "divisive":
            maps = self.divisive.divide(maps, self.dense.spectrum(image))
        if self.pools is None:
            return maps
        return windows.pool_maps(maps, *self.pools, self.statistic, self.paired)

    def responses(self, images: np.ndarray, phases: np.ndarray, rectify: bool) -> np.ndarray:
        """Return simple-cell responses, ``(image, frequency, orientation, phase, …)`` float32."""
        turn = np.deg2rad(phases)
        shape = (len(images), len(self.channels), len(self.channels[0]), len(phases), *self.grid)
        out = np.empty(shape, dtype=np.float32)

        def one(number: int) -> None:
            image = self.look(images[number : number + 1])[0]
            spectrum = self.dense.spectrum(image)
            drive = None
            if self.divisive is not None:
                drive = self.divisive.pool(self.divisive.powered(self.dense.energy(image)), spectrum)
                drive += np.float32(self.divisive.semi_saturation**self.divisive.exponent)
            for i, j, even, odd in self.dense.responses(spectrum):
                signed = np.stack([np.float32(np.cos(t)) * even + np.float32(np.sin(t)) * odd for t in turn])
                if rectify:
                    np.maximum(signed, 0, out=signed)
                if drive is not None:
                    signed = np.sign(signed) * np.abs(signed) ** np.float32(self.gains.exponent) / drive
                if self.pools is not None:
                    signed = windows.pool_maps(signed, *self.pools, self.statistic, self.paired)
                out[number, i, j] = signed

        self.each(one, range(len(images)))
        return out

    def each(self, work: Callable[[int], None], numbers: range) -> None:
        """Call ``work`` with each of ``numbers``, on the plan's threads."""
        with _blas().limit(limits=1, user_api="blas"):
            if self.threads == 1 or len(numbers) == 1:
                for number in numbers:
                    work(number)
                return
            with ThreadPoolExecutor(self.threads) as workers:
                for _ in workers.map(work, numbers):
                    pass


class _Arrays:
    """Arrays that count as the same where their values are."""

    def __init__(self, arrays: tuple[np.ndarray, ...]) -> None:
        self.arrays = arrays
        self._key = tuple((each.shape, each.tobytes()) for each in arrays)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Arrays) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=2)
def _dense(shape: tuple[int, int], channels: Channels) -> DenseBank:
    return DenseBank(shape, channels)


@lru_cache(maxsize=4)
def _cropped(
    shape: tuple[int, int], channels: Channels, pools: _Arrays, paired: bool, divisive: normalise.Divisive | None
) -> CroppedBank:
    return CroppedBank(shape, channels, *pools.arrays, paired=paired, divisive=divisive)


@cache
def _blas() -> Any:
    """Return what sets the threads of the matrix products: one inside each of ours."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
