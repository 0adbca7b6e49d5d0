"""Quadrature Gabor filters as plain NumPy: complex responses by FFT on a reflected image. No labels, no units."""

from __future__ import annotations

import numpy as np
from scipy import fft

REACH = 4.0  # standard deviations of the envelope that the reflected border covers


def envelope(frequency: float, bandwidth: float) -> float:
    """Return the standard deviation σ of a Gabor's Gaussian envelope in units of 1/frequency's unit.

    σ f = √(ln 2 / 2) / π · (2^b + 1) / (2^b − 1) for a bandwidth of b octaves, full width at half height.
    """
    ratio = 2.0**bandwidth
    return float(np.sqrt(np.log(2) / 2) / np.pi * (ratio + 1) / (ratio - 1) / frequency)


def transfer(shape: tuple[int, int], frequency: float, orientation: float, sigma: float) -> np.ndarray:
    """Return the transfer function of a complex Gabor without response to uniform luminance, ``shape``.

    H(f) = 4 [exp(−2π²σ²|f − f₀|²) − exp(−2π²σ²|f₀|²) exp(−2π²σ²|f|²)]: a grating of contrast 1 about luminance ½ gives
    a response of modulus 1. Frequencies in cycles/px; ``orientation`` in degrees, 0 = vertical grating,
    counter-clockwise with the first row on top.
    """
    fy, fx = -fft.fftfreq(shape[0])[:, None], fft.fftfreq(shape[1])[None]  # y up
    angle = np.deg2rad(orientation)
    f0x, f0y = frequency * np.cos(angle), frequency * np.sin(angle)
    spread = 2 * (np.pi * sigma) ** 2
    band = np.exp(-spread * ((fx - f0x) ** 2 + (fy - f0y) ** 2))
    leak = np.exp(-spread * frequency**2) * np.exp(-spread * (fx**2 + fy**2))
    return (4 * (band - leak)).astype(np.float32)


def _padded(n: int, reach: int) -> int:
    return 2 * n if reach >= n / 2 else min(fft.next_fast_len(n + 2 * reach), 2 * n)


class Channel:
    """All orientations of one frequency on images of one shape."""

    def __init__(self, shape: tuple[int, int], frequency: float, orientations: np.ndarray, sigma: float) -> None:
        reach = int(np.ceil(REACH * sigma))
        self.shape = shape
        # beyond one image length a reflected image repeats, and its period of two lengths is exact
        self.before = min(reach, shape[0] // 2), min(reach, shape[1] // 2)
        self.padded = _padded(shape[0], reach), _padded(shape[1], reach)
        self.filters = np.stack([transfer(self.padded, frequency, angle, sigma) for angle in orientations])

    def respond(self, image: np.ndarray) -> np.ndarray:
        """Return the complex responses ``(orientation, y, x)`` to ``image (y, x)``; real part even, imaginary odd."""
        after = [p - n - b for p, n, b in zip(self.padded, self.shape, self.before, strict=True)]
        wide = np.pad(image, list(zip(self.before, after, strict=True)), mode="symmetric")
        spectrum = fft.fft2(wide.astype(np.float32))
        rows, columns = (slice(b, b + n) for b, n in zip(self.before, self.shape, strict=True))
        by_row = fft.ifft(spectrum * self.filters, axis=1, overwrite_x=True)[:, rows]
        return fft.ifft(by_row, axis=2, overwrite_x=True)[:, :, columns]


def divide(energy: np.ndarray, drive: np.ndarray, semi_saturation: float, exponent: float) -> np.ndarray:
    """Return A^n / (c^n + D) with A = √energy; ``energy (frequency, orientation, y, x)``, ``drive (y, x)`` = D."""
    powered = energy if exponent == 2 else energy ** (exponent / 2)
    return powered / (semi_saturation**exponent + drive)
