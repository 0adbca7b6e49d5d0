"""Responses to moving stimuli, filtered in time: energy of both directions of every channel. Plain NumPy, no labels.

One movie at a time, and of it one channel at a time: all frames of that channel, z = even + i·odd, are filtered in time
by one matrix product a filter. The drift of a grating towards a channel's orientation turns z as exp(−2πi f t), so the
response of that direction is z ∗ (h_fast − i h_slow); that of the opposite one is the conjugate of
z ∗ (h_fast + i h_slow), which a channel turned by 180 degrees would give. As for still pictures, pooled energy comes
from each channel's own band where it can (:mod:`nrsim.v1.cropped`), else from maps at every pixel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nrsim import windows
from nrsim.v1.dense import cosines, opposed
from nrsim.v1.plan import Plan


class Movies:
    """Computes what a bank gives on movies of one shape.

    Parameters
    ----------
    plan
        The bank's channels, normalisation and pools.
    weights
        ``(filter, onset, frame)``: one filter, or a fast and a slow one.
    """

    def __init__(self, plan: Plan, weights: np.ndarray) -> None:
        self.plan = plan
        self.weights = weights.astype(np.float32)
        self.directions = len(weights)

    def _filtered(self, even: np.ndarray, odd: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return (even, odd) of each direction, ``(frame, y, x)``, from those of the frames."""
        shape = (self.weights.shape[2], *self.plan.shape)
        flat = [np.broadcast_to(part, shape).reshape(len(part), -1) for part in (even, odd)]
        fast = [(self.weights[0] @ part).reshape(shape) for part in flat]
        if self.directions == 1:
            return [(fast[0], fast[1])]
        slow = [(self.weights[1] @ part).reshape(shape) for part in flat]
        return [(fast[0] + slow[1], fast[1] - slow[0]), (fast[0] - slow[1], -(fast[1] + slow[0]))]

    def _each(self, spectra: np.ndarray) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Yield (frequency, channel, even, odd) of every direction of every channel of one movie."""
        turned = self.plan.dense.n_orientations
        for i, j, even, odd in self.plan.dense.responses(spectra):
            for direction, (own, other) in enumerate(self._filtered(even, odd)):
                yield i, j + direction * turned, own, other

    def _drive(self, spectra: np.ndarray) -> np.ndarray | None:
        """Return the divisor of every place of every frame, ``(frame, y, x)``, or None without it."""
        divisive = self.plan.divisive
        if divisive is None or self.plan.gains.kind != "divisive":
            return None
        sums = np.zeros((len(divisive.spreads), *spectra.shape), dtype=np.float32)
        for i, _, even, odd in self._each(spectra):
            sums[i] += divisive.powered(even * even + odd * odd)
        drive = divisive.beyond(spectra, self.weights) / np.float32(divisive.total)
        drive += np.float32(divisive.semi_saturation**divisive.exponent)
        return drive + divisive.blurred(sums) / np.float32(divisive.total)

    def _pooled(self, maps: np.ndarray) -> np.ndarray:
        plan = self.plan
        return maps if plan.pools is None else windows.pool_maps(maps, *plan.pools, plan.statistic, plan.paired)

    def _exact(self, movie: np.ndarray, out: np.ndarray) -> None:
        """Write the energies of one ``movie (frame, y, x)``, from maps at every pixel."""
        plan = self.plan
        spectra = plan.dense.spectrum(movie)
        drive = self._drive(spectra)
        for i, j, even, odd in self._each(spectra):
            energy = even * even
            energy += odd * odd
            if drive is not None and plan.divisive is not None:
                energy = plan.divisive.powered(energy) / drive
            out[:, i, j] = self._pooled(energy)

    def _bands(self, extended: np.ndarray, i: int, pair: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the energies of both directions on half the torus, ``(frame, …)``, which with one filter are one."""
        stored = self.plan.cropped.amplitudes(extended, i, pair)  # conjugates: time runs the other way round
        flat = stored.reshape(len(stored), -1).view(np.float32)
        fast = (self.weights[0] @ flat).view(np.complex64).reshape(stored.shape)
        if self.directions == 1:
            energy = _squared(fast)
            return energy, energy
        slow = (self.weights[1] @ flat).view(np.complex64).reshape(stored.shape)
        slow *= np.complex64(1j)
        return _squared(fast + slow), _squared(fast - slow)

    def _fast(self, movie: np.ndarray, out: np.ndarray) -> None:
        """Write the pooled energies of one ``movie (frame, y, x)``, from each channel's own band."""
        bank, n = self.plan.cropped, self.plan.dense.n_orientations
        spectra = cosines(movie)
        extended = bank.extended(spectra)
        channels = [(i, pair) for i in range(len(bank.scales)) for pair in range(len(bank.pairs))]
        pool = None
        if bank.gain is not None:
            pool = bank.gain.beyond(spectra, self.weights)
            for i, pair in channels:
                there, back = self._bands(extended, i, pair)
                total = there + back if self.directions == 2 else there
                pool += bank.gain.cosines(total[:, None], i, bank.gain.twice[[pair]])
            pool = bank.gain.gains(pool)
        for i, pair in channels:
            there, back = self._bands(extended, i, pair)
            if bank.gain is not None and pool is not None:
                factors = bank.gain.factors(pool, i)
                there, back = there * factors, back * factors
            own, partner = bank.pairs[pair]
            angles = [channel.orientation for channel in self.plan.channels[i]]
            # upside down, a drift towards θ is one towards −θ, against that of the mirrored orientation, 180° − θ
            swapped = partner is not None and not opposed(angles[own], angles[partner])
            for direction, (energy, turned) in enumerate([(there, back), (back, there)][: self.directions]):
                here, mirrored = bank.in_windows(energy, turned, i)
                out[:, i, own + direction * n] = here
                if partner is not None:
                    reached = 1 - direction if swapped and self.directions == 2 else direction
                    out[:, i, partner + reached * n] = mirrored

    def energy(self, movies: np.ndarray) -> np.ndarray:
        """Return energies of ``movies (movie, frame, y, x)``, ``(movie, frame, frequency, channel, …)`` float32.

        The channels are all orientations and, with two filters, then the opposite directions of all.
        """
        plan = self.plan
        out = np.empty((*movies.shape[:2], *self._channels(), *plan.grid), dtype=np.float32)

        def one(number: int) -> None:
            into = out[number]
            movie = plan.look(movies[number])
            (self._fast if plan.fast else self._exact)(movie, into)
            into[...] = plan.divided(into, movie, self.weights)

        plan.each(one, range(len(movies)))
        return out

    def responses(self, movies: np.ndarray, phases: np.ndarray, rectify: bool) -> np.ndarray:
        """Return simple-cell responses, ``(movie, frame, frequency, channel, phase, …)`` float32."""
        plan, turn = self.plan, np.deg2rad(phases)
        out = np.empty((*movies.shape[:2], *self._channels(), len(phases), *plan.grid), dtype=np.float32)

        def one(number: int) -> None:
            spectra = plan.dense.spectrum(plan.look(movies[number]))
            drive = self._drive(spectra)
            for i, j, even, odd in self._each(spectra):
                for k, angle in enumerate(turn):
                    signed = np.float32(np.cos(angle)) * even + np.float32(np.sin(angle)) * odd
                    if rectify:
                        np.maximum(signed, 0, out=signed)
                    if drive is not None:
                        signed = np.sign(signed) * np.abs(signed) ** np.float32(plan.gains.exponent) / drive
                    out[number, :, i, j, k] = self._pooled(signed)

        plan.each(one, range(len(movies)))
        return out

    def _channels(self) -> tuple[int, int]:
        return self.plan.dense.n_frequencies, self.plan.dense.n_orientations * self.directions


def _squared(z: np.ndarray) -> np.ndarray:
    return z.real**2 + z.imag**2
