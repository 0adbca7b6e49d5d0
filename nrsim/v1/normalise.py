"""Gain control: divisive normalisation over channels and space, before or after pooling, and of local contrast.

Plain NumPy. The pool D of a place is the sum of A^n over all channels, averaged over a Gaussian neighbourhood whose
size goes with each contributing channel's wavelength, and scaled so that a full-contrast grating that one channel
prefers gives D = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from nrsim.v1.gabor import Gabor


@dataclass(frozen=True)
class Divisive:
    """R = A^n / (c₅₀^n + D).

    Attributes
    ----------
    semi_saturation
        c₅₀, contrast.
    exponent
        n.
    spreads
        Standard deviation of the neighbourhood of each frequency's energy, px.
    total
        Σ A^n over all channels for a full-contrast grating that one of them prefers.
    """

    semi_saturation: float
    exponent: float
    spreads: tuple[float, ...]
    total: float

    def powered(self, energy: np.ndarray) -> np.ndarray:
        """Return A^n from A²."""
        return energy if self.exponent == 2 else energy ** np.float32(self.exponent / 2)

    def pool(self, powered: np.ndarray) -> np.ndarray:
        """Return D ``(y, x)`` from A^n ``(frequency, orientation, y, x)``, reflected at the border."""
        total = np.zeros(powered.shape[2:], dtype=np.float32)
        for maps, spread in zip(powered.sum(axis=1), self.spreads, strict=True):
            total += gaussian_filter(maps, spread, mode="reflect", truncate=5) if spread else maps
        return total / np.float32(self.total)

    def divide(self, energy: np.ndarray) -> np.ndarray:
        """Return R ``(frequency, orientation, y, x)`` from A²."""
        powered = self.powered(energy)
        return powered / (self.pool(powered) + np.float32(self.semi_saturation**self.exponent))

    def divide_pooled(self, energy: np.ndarray, neighbours: Sequence[np.ndarray]) -> np.ndarray:
        """Return R from pooled A², ``(image, frequency, orientation, window)``, the windows being neighbours.

        ``neighbours`` holds, for each frequency, the weights of all windows in the pool of each, ``(window, window)``.
        """
        powered = self.powered(energy)
        drive = np.zeros((len(energy), energy.shape[-1]), dtype=np.float32)
        for i, weights in enumerate(neighbours):
            for one, into in zip(powered[:, i].sum(axis=1), drive, strict=True):  # the same to the bit in any company
                into += weights @ one
        drive = drive / np.float32(self.total) + np.float32(self.semi_saturation**self.exponent)
        return powered / drive[:, None, None]


def summed(channels: list[list[Gabor]], exponent: float) -> float:
    """Return Σ A^n over all channels for a full-contrast grating that one prefers, averaged over the frequencies."""
    sums = []
    for own in channels:
        angle = np.deg2rad(own[0].orientation)
        u = np.array([own[0].frequency * np.cos(angle)])
        v = np.array([own[0].frequency * np.sin(angle)])
        parts = [each.parts(v, u) for row in channels for each in row]
        # even and odd parts take turns with the grating's phase: the mean energy of all phases
        energy = np.array([(float(even[0]) ** 2 + float(odd[0]) ** 2) / 8 for even, odd in parts])
        sums.append(float((energy ** (exponent / 2)).sum()))
    return float(np.mean(sums))


def neighbours(y: np.ndarray, x: np.ndarray, spreads: Sequence[float]) -> list[np.ndarray]:
    """Return Gaussian weights of windows at ``y``, ``x`` (px) in each other's pools, ``(window, window)``."""
    apart = (y[:, None] - y[None]) ** 2 + (x[:, None] - x[None]) ** 2
    made = []
    for spread in spreads:
        weights = np.exp(-apart / (2 * max(spread, 1e-6) ** 2))
        made.append((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))
    return made


def local_contrast(images: np.ndarray, spread: float, semi_saturation: float, exponent: float) -> np.ndarray:
    """Return pictures ``(image, y, x)`` less their local mean and divided by their local contrast.

    out = ½ (2(I − L)) / (c₅₀^n + C^n)^(1/n), L being the luminance averaged over a Gaussian neighbourhood of standard
    deviation ``spread`` (px) and C = 2√2 times the standard deviation there, which of a grating about luminance ½ is
    its contrast.
    """
    sizes = (0, spread, spread)
    pictures = images.astype(np.float32)
    mean = gaussian_filter(pictures, sizes, mode="reflect")
    away = pictures - mean
    contrast = np.sqrt(8 * gaussian_filter(away * away, sizes, mode="reflect"))
    divisor = (np.float32(semi_saturation**exponent) + contrast**exponent) ** np.float32(1 / exponent)
    return away / divisor
