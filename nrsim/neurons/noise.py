"""Standard normal noise as a pure function of a key and a step.

A 64-bit hash of (key, step // 4) holds four 16-bit numbers; each picks a value from a table of normal quantiles.
Nothing is drawn in sequence, so a value does not depend on which others were computed, in what order, or where.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.special import ndtri

from nrsim import seeds

# Constants of SplitMix64 (Steele, Lea & Flood 2014): the increment, and the two multipliers of its finaliser.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LEVELS = 1 << 16

# Steps before the first one are kept for what is drawn once a trial.
GAIN_STEP, START_STEP = -1, -2


@cache
def quantile_table() -> np.ndarray:
    """Return 65,536 normal quantiles ``(level,)`` at the midpoints of equal probabilities, variance exactly 1."""
    half = ndtri((np.arange(_LEVELS // 2) + 0.5) / _LEVELS)
    table = np.concatenate([half, -half[::-1]])
    table /= np.sqrt(np.mean(table**2))
    table.flags.writeable = False
    return table


def mix(values: np.ndarray) -> np.ndarray:
    """Return 64-bit hashes of uint64 ``values``, any shape (SplitMix64's finaliser)."""
    mixed = (values ^ (values >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def presentation_keys(seed: int, stimulus_ids: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """Return a key ``(stimulus, trial)`` uint64 for each presentation."""
    stimulus = seeds.keys(seed, "stimulus", stimulus_ids)
    return mix(stimulus[:, None] + (trials.astype(np.uint64) + np.uint64(1)) * _INCREMENT)


def element_keys(seed: int, presentations: np.ndarray, neuron_ids: np.ndarray) -> np.ndarray:
    """Return a key ``(presentation, neuron)`` uint64 for each neuron in each of ``presentations (presentation,)``."""
    return mix(presentations[:, None] ^ seeds.keys(seed, "neuron", neuron_ids))


def stream_key(name: str) -> int:
    """Return what the keys of a named stream are mixed with; 0 for the stream without a name."""
    return seeds.key(0, "noise", name) if name else 0


class Noise:
    """Standard normal noise of one population, as a function of ``(key, step)``.

    Values for the whole population are remembered for the four steps that one hash serves.

    Parameters
    ----------
    keys
        ``(element,)`` uint64, one a neuron, trial and stimulus.
    stream
        Name of the stream: others are independent.
    """

    def __init__(self, keys: np.ndarray, stream: str = "") -> None:
        self.keys = np.ascontiguousarray(keys, dtype=np.uint64) ^ np.uint64(stream_key(stream))
        self._stream = np.uint64(stream_key(stream))
        self._hash = np.empty_like(self.keys)
        self._scratch = np.empty_like(self.keys)
        self._counter: int | None = None

    def at(self, step: int) -> np.ndarray:
        """Return the noise ``(element,)`` at a step."""
        counter, lane = divmod(int(step), 4)
        if counter != self._counter:
            self._fill(counter)
        return quantile_table().take(self._hash.view("<u2")[lane::4])

    def of(self, key: np.ndarray, step: int | np.ndarray) -> np.ndarray:
        """Return the noise ``(n,)`` at a step for all of the population's keys, or for some."""
        key, at = np.asarray(key), int(np.ravel(step)[0])
        if key.shape == self.keys.shape:
            return self.at(at)
        return normal(key.view(np.uint64) ^ self._stream, at)

    def _fill(self, counter: int) -> None:
        z, shifted = self._hash, self._scratch
        np.add(self.keys, _offset(counter), out=z)
        for shift, factor in ((30, _FIRST), (27, _SECOND)):
            np.right_shift(z, np.uint64(shift), out=shifted)
            np.bitwise_xor(z, shifted, out=z)
            np.multiply(z, factor, out=z)
        np.right_shift(z, np.uint64(31), out=shifted)
        np.bitwise_xor(z, shifted, out=z)
        self._counter = counter


def uniform(keys: np.ndarray, step: int) -> np.ndarray:
    """Return uniform numbers between 0 and 1, neither included, for ``keys``, any shape, at one step."""
    hashed = mix(keys + _offset(int(step)))
    return ((hashed >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def normal(keys: np.ndarray, step: int) -> np.ndarray:
    """Return standard normal noise for ``keys``, any shape, at one step; the same numbers as :class:`Noise`."""
    counter, lane = divmod(int(step), 4)
    level = (mix(keys + _offset(counter)) >> np.uint64(16 * lane)) & np.uint64(_LEVELS - 1)
    return quantile_table()[level.astype(np.intp)]


def _offset(counter: int) -> np.uint64:
    return np.uint64(((counter + 1) * int(_INCREMENT)) % (1 << 64))
