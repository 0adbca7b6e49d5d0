"""What V1 shows at the places of a picture: profiles of energy over orientations, read at any place and magnification.

Plain NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft2, next_fast_len, rfft2

_FLOOR = 0.6  # of a frequency's RMS amplitude in the picture, below which a place has no orientation (chosen)


@dataclass(frozen=True)
class Channels:
    """The channels of a bank: ``frequency (frequency,)`` cycles/degree, ``orientation (orientation,)`` degree."""

    frequency: np.ndarray
    orientation: np.ndarray

    def seen_at(self, zoom: np.ndarray) -> np.ndarray:
        """Return the matrix that turns the channels of a picture into those of one magnified 1/zoom, (x, y).

        A grating of frequency f in the magnified picture is one of f/zoom in the picture. Between channels it is
        interpolated, linear in log frequency and in orientation; beyond the bank the last frequency is taken.
        """
        n, m = len(self.frequency), len(self.orientation)
        turn = np.deg2rad(self.orientation)
        kx, ky = np.cos(turn) / zoom[0], np.sin(turn) / zoom[1]
        by_frequency, by_orientation = np.argsort(self.frequency), np.argsort(self.orientation % 180.0)
        matrix = np.zeros((n, m, n, m))
        known = np.log(self.frequency[by_frequency])
        wanted = np.log(self.frequency)[:, None] + np.log(np.hypot(kx, ky))
        at = np.interp(wanted, known, np.arange(n))
        low = np.minimum(at.astype(int), max(n - 2, 0))
        around = np.append(
            self.orientation[by_orientation] % 180.0, self.orientation[by_orientation[0]] % 180.0 + 180.0
        )
        angle = np.rad2deg(np.arctan2(ky, kx)) % 180.0
        angle = np.where(angle < around[0], angle + 180.0, angle)
        left = np.clip(np.searchsorted(around, angle, side="right") - 1, 0, m - 1)
        beside = (angle - around[left]) / (around[left + 1] - around[left])
        for i in range(n):
            for j in range(m):
                up = at[i, j] - low[i, j]
                for f, wf in ((low[i, j], 1 - up), (min(low[i, j] + 1, n - 1), up)):
                    for o, wo in ((left[j], 1 - beside[j]), ((left[j] + 1) % m, beside[j])):
                        matrix[i, j, by_frequency[f], by_orientation[o]] += wf * wo
        return matrix.reshape(n * m, n * m).astype(np.float32)


def profile(energy: np.ndarray) -> np.ndarray:
    """Return which orientations a place shows, whatever its contrast, ``(frequency, orientation, y, x)`` float32.

    A / (√(mean of A² over orientations) + floor), A = √energy; the floor, 0.6 of the frequency's RMS amplitude in the
    picture, keeps faint places near 0.
    """
    squares = np.maximum(energy, 0).astype(np.float32)
    total = np.sqrt(squares.mean(axis=1, keepdims=True))
    typical = np.sqrt(squares.mean(axis=(1, 2, 3), keepdims=True))
    return np.sqrt(squares) / (total + _FLOOR * typical + np.finfo(np.float32).tiny)


def read_at(maps: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ``maps (channel, y, x)`` at pixels ``x``, ``y`` (0 = left, top edge), linear between; edges go on."""
    height, width = maps.shape[1:]
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    across, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    right, below = min(1, width - 1), min(1, height - 1) * width
    flat, at = maps.reshape(len(maps), -1), top * width + left
    upper = (1 - across) * flat[:, at] + across * flat[:, at + right]
    lower = (1 - across) * flat[:, at + below] + across * flat[:, at + below + right]
    return (1 - down) * upper + down * lower


@dataclass(frozen=True)
class Seen:
    """A picture as the graph sees it: ``maps (channel, y, x)``, and the size of its pixels (x, y), degree."""

    maps: np.ndarray
    pixel: np.ndarray

    @property
    def extent(self) -> np.ndarray:
        """The picture's width and height, degree."""
        return np.array(self.maps.shape[:0:-1]) * self.pixel

    def at(self, x: np.ndarray, y: np.ndarray, mix: np.ndarray) -> np.ndarray:
        """Return the channels ``mix (wanted, channel)`` makes, at places in degrees."""
        used = np.flatnonzero(mix.any(axis=0))
        read = read_at(self.maps[used], x / self.pixel[0], y / self.pixel[1])
        return (mix[:, used] @ read.reshape(len(used), -1)).reshape(len(mix), *x.shape)


def looks_at(maps: np.ndarray, side: int) -> np.ndarray:
    """Return all windows of ``maps (…, y, x)``, ``(…, y, x, side, side)``, as a view."""
    return sliding_window_view(sliding_window_view(maps, side, axis=-1), side, axis=-3).swapaxes(-1, -2)


def correlation(maps: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Return the correlation of ``maps (frequency, orientation, y, x)`` with a template, at each place it fits.

    Means over the window are taken away, map by map; one correlation a frequency, averaged. The template, ``(frequency,
    orientation, y, x)``, has means of 0 and unit size for each frequency.
    """
    (height, width), (tall, wide) = maps.shape[2:], template.shape[2:]
    size = [next_fast_len(height, real=True), next_fast_len(width, real=True)]
    window = np.conj(rfft2(np.ones((tall, wide), dtype=np.float32), size))
    maps = maps - maps.mean(axis=(2, 3), keepdims=True)
    there = (..., slice(height - tall + 1), slice(width - wide + 1))
    product = irfft2((rfft2(maps, size) * np.conj(rfft2(template, size))).sum(axis=1), size)[there]
    means = irfft2(rfft2(maps, size) * window, size)[there]
    squares = irfft2(rfft2((maps**2).sum(axis=1), size) * window, size)[there]
    power = squares - (means**2).sum(axis=1) / (tall * wide)
    floor = 1e-3 * power.max(axis=(1, 2), keepdims=True) + 1e-12
    return (product / np.sqrt(np.maximum(power, floor))).mean(axis=0)
