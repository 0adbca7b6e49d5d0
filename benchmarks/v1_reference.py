"""What bench_v1.py asks of every contestant: the bank, the images, the pooling, and the exact answer in float64.

The bank is 5 scales × 8 orientations of one-octave isotropic Gabors in quadrature, their response to uniform luminance
removed, their energy 1 for a grating of contrast 1 about ½. Nothing here uses nrsim.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft

GRID = 16  # pooling windows along each side
ORIENTATIONS = np.arange(8) * 22.5  # degree, 0 = vertical bars, counter-clockwise with the first row on top
BANKS = {"half": 4 * 2 ** (np.arange(5) / 2), "octave": 4 * 2.0 ** np.arange(5)}  # wavelengths, px
GAIN = 4.0  # a grating of contrast 1 about ½ is ¼ exp(2πi f·x) and its conjugate
SIGMA = np.sqrt(np.log(2) / 2) / np.pi * 3  # σ/wavelength at one octave, full width at half height of the amplitude


@dataclass(frozen=True)
class Task:
    """One cell of the benchmark: which bank, on pictures of which size, on how many threads."""

    bank: str
    size: int
    threads: int

    @property
    def wavelengths(self) -> np.ndarray:
        """Of the scales, px."""
        return BANKS[self.bank]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Of one picture's answer: scale, orientation, y, x."""
        return len(self.wavelengths), len(ORIENTATIONS), GRID, GRID


def radius(wavelength: float, reach: float = 3.0) -> int:
    """Return half the width in px of a kernel that is cut off ``reach`` standard deviations from its middle."""
    return int(np.ceil(reach * SIGMA * wavelength))


def waves(wavelength: float, reach: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Return what kernels are products of: a Gaussian ``(x,)`` that sums to 1, and waves ``(orientation, [y, x], x)``.

    The kernel of an orientation is GAIN · gauss_y gauss_x (wave_y wave_x − leak).
    """
    place = np.arange(-radius(wavelength, reach), radius(wavelength, reach) + 1)
    gauss = np.exp(-(place**2) / (2 * (SIGMA * wavelength) ** 2))
    gauss /= gauss.sum()
    angles = np.deg2rad(ORIENTATIONS)
    steps = np.stack([-np.sin(angles), np.cos(angles)], axis=1) / wavelength  # rows count downwards
    return gauss, np.exp(2j * np.pi * steps[..., None] * place)


def kernels(wavelength: float, reach: float = 3.0) -> np.ndarray:
    """Return the convolution kernels ``(orientation, y, x)``, real part even, imaginary odd; each sums to 0."""
    gauss, wave = waves(wavelength, reach)
    envelope = gauss[:, None] * gauss
    made = envelope * wave[:, 0, :, None] * wave[:, 1, None, :]
    return GAIN * (made - made.sum(axis=(1, 2), keepdims=True) * envelope)  # however it is cut off


def images(n: int, size: int, seed: int) -> np.ndarray:
    """Return ``n`` pictures ``(image, y, x)`` with an amplitude spectrum of 1/f, from 0 to 1, float32."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    f[0, 0] = np.inf
    made = fft.irfft2(fft.rfft2(rng.standard_normal((n, size, size), dtype=np.float32)) / f, s=(size, size))
    made -= made.min(axis=(1, 2), keepdims=True)
    return (made / made.max(axis=(1, 2), keepdims=True)).astype(np.float32)


def gratings(size: int, wavelength: float, phases: int = 4) -> np.ndarray:
    """Return gratings of contrast 1 at every orientation and phase, ``(orientation * phase, y, x)``, float32."""
    place, angles = np.arange(size) - size / 2, np.deg2rad(ORIENTATIONS)[:, None, None, None]
    along = np.cos(angles) * place - np.sin(angles) * place[:, None]
    phase = np.arange(phases)[:, None, None] * 2 * np.pi / phases
    return (0.5 + 0.5 * np.cos(2 * np.pi * along / wavelength + phase)).reshape(-1, size, size).astype(np.float32)


def windows(size: int, at: np.ndarray | None = None) -> np.ndarray:
    """Return the Gaussian windows over positions ``at`` in px (default all), ``(GRID, position)``; each sums to 1.

    Their centres are evenly spaced, their standard deviation is half that distance.
    """
    distance = size / GRID
    centres = (np.arange(GRID) + 0.5) * distance - 0.5
    off = centres[:, None] - (np.arange(size) if at is None else at)
    weights = np.exp(-(off**2) / (2 * (distance / 2) ** 2))
    return weights / weights.sum(axis=1, keepdims=True)


def responses(pictures: np.ndarray, wavelength: float, reach: float = 6.0) -> np.ndarray:
    """Return the convolution with the kernels in float64, the border reflected: ``(image, orientation, y, x)``."""
    size, edge = pictures.shape[-1], radius(wavelength, reach)
    wide = np.pad(pictures.astype(float), [(0, 0), (edge, edge), (edge, edge)], mode="symmetric")
    n = fft.next_fast_len(wide.shape[-1])
    spectrum = fft.fft2(wide, s=(n, n))
    found = [
        fft.ifft2(spectrum * fft.fft2(kernel, s=(n, n)))[:, 2 * edge : 2 * edge + size, 2 * edge : 2 * edge + size]
        for kernel in kernels(wavelength, reach)
    ]
    return np.stack(found, axis=1)


def answer(pictures: np.ndarray, wavelengths: np.ndarray) -> np.ndarray:
    """Return the exact pooled energy ``(image, scale, orientation, GRID, GRID)``, float64."""
    weights = windows(pictures.shape[-1])
    return np.stack([weights @ np.abs(responses(pictures, each)) ** 2 @ weights.T for each in wavelengths], axis=1)


def error(got: np.ndarray, exact: np.ndarray) -> float:
    """Return the greatest difference over the greatest energy of its scale, at the worst scale."""
    over = (0, *range(2, exact.ndim))
    return float((np.abs(got - exact).max(axis=over) / exact.max(axis=over)).max())
