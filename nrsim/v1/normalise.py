"""Gain control: divisive normalisation over channels and space, before or after pooling, and of local contrast.

Plain NumPy. The pool D of a place is the sum of A^n over all channels and over those beyond the bank's first and last
frequency (:mod:`nrsim.v1.ends`), averaged over a Gaussian neighbourhood whose size goes with each contributing
channel's wavelength, and scaled so that a full-contrast grating that one channel prefers gives D = 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from nrsim.v1.ends import End, answers
from nrsim.v1.gabor import Channels


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
        Σ A^n over all channels for a full-contrast grating that one of them prefers, with what is beyond the bank.
    ends
        What is beyond the bank.
    """

    semi_saturation: float
    exponent: float
    spreads: tuple[float, ...]
    total: float
    ends: tuple[End, ...] = ()

    def powered(self, energy: np.ndarray) -> np.ndarray:
        """Return A^n from A²."""
        return energy if self.exponent == 2 else energy ** np.float32(self.exponent / 2)

    def pool(self, powered: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
        """Return D ``(y, x)`` from A^n ``(frequency, orientation, y, x)``, reflected at the border.

        ``spectrum`` is the picture's cosine spectrum, ``(y, x)``.
        """
        return (self.blurred(powered.sum(axis=1)) + self.beyond(spectrum)) / np.float32(self.total)

    def blurred(self, sums: np.ndarray) -> np.ndarray:
        """Return the sum over frequencies of ``sums (frequency, …, y, x)``, each averaged over its neighbourhood."""
        waves = fft.dctn(sums, axes=(-2, -1))
        for each, spread in zip(waves, self.spreads, strict=True):
            each *= gaussian((sums.shape[-2], sums.shape[-1]), spread)
        return np.maximum(fft.idctn(waves.sum(axis=0), axes=(-2, -1), overwrite_x=True), 0)

    def beyond(self, spectrum: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return what is beyond the bank of D times ``total``, ``(…, y, x)``; as :meth:`nrsim.v1.ends.End.cosines`."""
        shape = spectrum.shape if weights is None else (weights.shape[1], *spectrum.shape[1:])
        out = np.zeros(shape, dtype=np.float32)
        for end in self.ends:
            out += end.powered(end.squares(spectrum, weights), self.exponent)
        return out

    def divide(self, energy: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
        """Return R ``(frequency, orientation, y, x)`` from A² and the picture's cosine spectrum."""
        powered = self.powered(energy)
        return powered / (self.pool(powered, spectrum) + np.float32(self.semi_saturation**self.exponent))

    def divide_pooled(
        self, energy: np.ndarray, neighbours: Sequence[np.ndarray], beyond: Sequence[np.ndarray] = ()
    ) -> np.ndarray:
        """Return R from pooled A², ``(image, frequency, orientation, window)``, the windows being neighbours.

        ``neighbours`` holds, for each frequency and then each end, the weights of all windows in the pool of each,
        ``(window, window)``; ``beyond``, for each end, its pooled Σ A², ``(image, window)``.
        """
        powered = self.powered(energy)
        drive = np.zeros((len(energy), 1, energy.shape[-1]), dtype=np.float32)
        for i, weights in enumerate(neighbours[: energy.shape[1]]):
            drive += powered[:, i].sum(axis=1)[:, None] @ weights.T  # a product an image: its company does not count
        for end, squares, weights in zip(self.ends, beyond, neighbours[energy.shape[1] :], strict=True):
            drive += end.powered(squares[:, None] @ weights.T, self.exponent)
        drive = drive / np.float32(self.total) + np.float32(self.semi_saturation**self.exponent)
        return powered / drive[:, None]


@lru_cache(maxsize=64)
def gaussian(shape: tuple[int, int], spread: float) -> np.ndarray:
    """Return what a Gaussian blur with reflecting border does to a picture's cosines, ``shape`` float32."""
    falls = [np.exp(-2 * (np.pi * spread * np.arange(n) / (2 * n)) ** 2) for n in shape]
    return np.outer(*falls).astype(np.float32)


@lru_cache(maxsize=16)
def summed(channels: Channels, ends: tuple[End, ...], exponent: float, opposite: float | None = None) -> float:
    """Return Σ A^n for a full-contrast grating that one channel prefers, averaged over the channels.

    The sum is over all channels and what is beyond the bank. With ``opposite`` each channel stands for both directions
    of drift, and the grating drifts as one of them prefers.
    """
    sums = []
    for own in (channel for row in channels for channel in row):
        within = (answers(channels, own, opposite) ** (exponent / 2)).sum()
        beyond = (end.powered(answers(end.channels, own, opposite).sum(), exponent) for end in ends)
        sums.append(float(within) + float(sum(beyond)))
    return float(np.mean(sums))


def neighbours(y: np.ndarray, x: np.ndarray, spreads: Sequence[float]) -> list[np.ndarray]:
    """Return Gaussian weights of windows at ``y``, ``x`` (px) in each other's pools, ``(window, window)``."""
    apart = (y[:, None] - y[None]) ** 2 + (x[:, None] - x[None]) ** 2
    made = []
    for spread in spreads:
        weights = np.exp(-apart / (2 * max(spread, 1e-6) ** 2))
        made.append((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))
    return made


def waves(windows: np.ndarray) -> np.ndarray:
    """Return what each term of a cosine series gives in ``windows (window, pixel)``, ``(window, cosine)``."""
    made = fft.dct(windows, axis=1)
    made[:, 0] /= 2
    return made.astype(np.float32)


def local_contrast(images: np.ndarray, spread: float, semi_saturation: float, exponent: float) -> np.ndarray:
    """Return pictures ``(image, y, x)`` less their local mean and divided by their local contrast.

    out = ½ (2(I − L)) / (c₅₀^n + C^n)^(1/n), L being the luminance averaged over a Gaussian neighbourhood of standard
    deviation ``spread`` (px) and C = 2√2 times the standard deviation there, which of a grating about luminance ½ is
    its contrast.
    """
    blur = gaussian(images.shape[1:], spread)
    pictures = images.astype(np.float32)
    away = pictures - fft.idctn(fft.dctn(pictures, axes=(1, 2)) * blur, axes=(1, 2), overwrite_x=True)
    squares = fft.idctn(fft.dctn(away * away, axes=(1, 2), overwrite_x=True) * blur, axes=(1, 2), overwrite_x=True)
    contrast = np.sqrt(8 * np.maximum(squares, 0))
    divisor = (np.float32(semi_saturation**exponent) + contrast**exponent) ** np.float32(1 / exponent)
    return away / divisor
