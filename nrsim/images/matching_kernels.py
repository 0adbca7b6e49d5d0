"""Kernels of image matching: luminance, grey levels, amplitude spectra and structural similarity, without labels.

A picture is ``image (frame, y, x)`` in float64, a still one with one frame; ``included (frame, y, x)`` of bool says
which pixels count and may change. Everything is done over all frames at once, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import fft, ndimage

_DISKS = (1, 2, 4, 5, 8)  # squared radii in px: the neighbourhoods of 5, 9, 13, 21 and 25 px of Coltuc et al. 2006
_PLASTIC = (0.7548776662466927, 0.5698402909980532)  # 1/p, 1/p² of the plastic number p: evenly spread in the plane
_ROUNDING = 9  # decimals: sums of the same neighbours in another order are the same
_SSIM_SIGMA, _SSIM_TRUNCATE = 1.5, 3.5  # px: the 11 × 11 px window of Wang et al. 2004
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2  # (K L)², Wang et al. 2004, for luminance 0..1


# Luminance


def mean_and_contrast(image: np.ndarray, included: np.ndarray) -> tuple[float, float]:
    """Return the mean and the RMS contrast (standard deviation, divided by n) of the included pixels."""
    values = image[included].astype(np.float64)
    return float(values.mean()), float(values.std())


def background(image: np.ndarray, tolerance: float) -> tuple[np.ndarray, float]:
    """Return the uniform surround ``(frame, y, x)`` of bool, and the fraction of the picture's edge that it holds.

    The surround has, within ``tolerance``, the luminance that is most common along the edge, and touches the edge.
    """
    ring = np.ones(image.shape[1:], dtype=bool)
    ring[1:-1, 1:-1] = False
    values, counts = np.unique(np.rint(image[:, ring] / tolerance), return_counts=True)
    same = np.abs(image - values[counts.argmax()] * tolerance) <= tolerance
    inside = np.zeros_like(same)
    for frame, flat in enumerate(same):
        pieces, _ = ndimage.label(flat)
        touching = np.unique(pieces[ring & flat])
        inside[frame] = np.isin(pieces, touching[touching > 0])
    return inside, float(same[:, ring].mean())


# Grey levels


def resample_levels(levels: np.ndarray, n: int) -> np.ndarray:
    """Return ``n`` sorted grey levels with the distribution of the sorted ``levels``.

    Level r is the mean of the quantile function, a step for each given level, between r/n and (r + 1)/n. The mean is
    kept; for ``n = len(levels)`` nothing changes.
    """
    if n == len(levels):
        return levels.astype(np.float64)
    total = np.concatenate([[0.0], np.cumsum(levels, dtype=np.float64)])
    return np.diff(np.interp(np.linspace(0.0, len(levels), n + 1), np.arange(len(levels) + 1), total)) * n / len(levels)


def mean_levels(pictures: Iterable[np.ndarray]) -> np.ndarray:
    """Return the sorted grey levels of the mean histogram of several pictures, each given as sorted levels.

    Every picture weighs the same. The result has as many levels as the largest picture.
    """
    pictures = list(pictures)
    n = max(len(levels) for levels in pictures)
    if all(len(levels) == n for levels in pictures):
        pooled = np.concatenate(pictures)
    else:
        pooled = np.concatenate([resample_levels(levels, n) for levels in pictures])
    pooled.sort()
    return pooled.reshape(n, len(pictures)).mean(axis=1, dtype=np.float64)


def strict_order(image: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Return the included pixels from dark to bright, as positions in ``image[included]``.

    Pixels of one luminance are ordered by the means of growing neighbourhoods (Coltuc, Bolon & Chassery 2006, IEEE
    Trans Image Process 15:1143), at the picture's edge mirrored. What is still equal, as in a flat region, is ordered
    by a fixed sequence that spreads evenly over the plane, and last by frame.
    """
    values = image[included]
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    if (ascending[1:] > ascending[:-1]).all():
        return order
    frame, y, x = np.nonzero(included)
    keys = [frame, (_PLASTIC[0] * x + _PLASTIC[1] * y) % 1.0]
    means = []
    for radius in _DISKS:
        reach = int(np.sqrt(radius))
        at = np.arange(-reach, reach + 1)
        disk = (at[:, None] ** 2 + at**2 <= radius).astype(np.float64)
        mean = ndimage.correlate(image.astype(np.float64), disk[None] / disk.sum(), mode="reflect")
        means.append(mean[included].round(_ROUNDING))
    return np.lexsort([*keys, *means[::-1], values])


def set_levels(image: np.ndarray, included: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the picture with exactly the grey ``levels``, sorted and one for each included pixel, in its own order."""
    values = np.empty(len(levels))
    values[strict_order(image, included)] = levels
    matched = image.astype(np.float64)
    matched[included] = values
    return matched


def set_levels_like(
    image: np.ndarray, included: np.ndarray, levels: np.ndarray, iterations: int, step: float
) -> np.ndarray:
    """Return the picture with exactly the grey ``levels``, as similar to ``image`` as gradient ascent finds.

    Avanaki 2009 (Opt Rev 16:613): climb the gradient of the structural similarity, take the levels again, repeat. The
    most similar picture met on the way is returned.

    Parameters
    ----------
    image, included, levels
        As for :func:`set_levels`.
    iterations
        Steps; 0 is :func:`set_levels`.
    step
        Length of a step in units of the gradient times the number of pixels.
    """
    current = set_levels(image, included, levels)
    if not iterations:
        return current
    best, best_similarity = current, ssim_map(image, current)[included].mean()
    for _ in range(iterations):
        climbed = current + step * included.sum() * ssim_gradient(image, current, included)
        current = set_levels(np.where(included, climbed, image), included, levels)
        similarity = ssim_map(image, current)[included].mean()
        if similarity > best_similarity:
            best, best_similarity = current, similarity
    return best


# Structural similarity


def _blur(image: np.ndarray) -> np.ndarray:
    sigma = (0.0, _SSIM_SIGMA, _SSIM_SIGMA)
    return ndimage.gaussian_filter(image, sigma, mode="reflect", truncate=_SSIM_TRUNCATE)


def _ssim_terms(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, ...]:
    mean_1, mean_2 = _blur(first), _blur(second)
    a1 = 2 * mean_1 * mean_2 + _SSIM_C1
    a2 = 2 * (_blur(first * second) - mean_1 * mean_2) + _SSIM_C2
    b1 = mean_1**2 + mean_2**2 + _SSIM_C1
    b2 = _blur(first**2) + _blur(second**2) - mean_1**2 - mean_2**2 + _SSIM_C2
    return mean_1, mean_2, a1, a2, b1, b2


def ssim_map(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the structural similarity at every pixel ``(frame, y, x)`` (Wang et al. 2004, IEEE TIP 13:600, eq. 13)."""
    _, _, a1, a2, b1, b2 = _ssim_terms(first, second)
    return a1 * a2 / (b1 * b2)


def ssim_gradient(first: np.ndarray, second: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Return the derivative of the mean similarity over the included pixels by each pixel of ``second``.

    With S = A₁A₂/(B₁B₂) and the window w, which is its own adjoint at a mirrored edge:
    (2/n) [ x · w∗(A₁/(B₁B₂)) − y · w∗(S/B₂) + w∗((μₓ(A₂ − A₁) + S μ_y (B₁ − B₂)) / (B₁B₂)) ].
    """
    mean_1, mean_2, a1, a2, b1, b2 = _ssim_terms(first, second)
    weight = included / (included.sum() * b1 * b2)
    similarity = a1 * a2 / (b1 * b2)
    slope = first * _blur(weight * a1) - second * _blur(weight * similarity * b1)
    return 2 * (slope + _blur(weight * (mean_1 * (a2 - a1) + similarity * mean_2 * (b1 - b2))))


# Amplitude spectra


def amplitude(image: np.ndarray) -> np.ndarray:
    """Return the mean over frames of the amplitude spectrum, ``(ky, kx)`` on the half plane kx ≥ 0, over n pixels.

    Amplitude 0, 0 is the mean luminance.
    """
    found = np.abs(fft.rfft2(image)).mean(axis=0) / (image.shape[1] * image.shape[2])
    twice = [0] if image.shape[2] % 2 else [0, -1]  # these columns hold both k and −k
    mirrored = -np.arange(image.shape[1])
    found[:, twice] = (found[:, twice] + found[mirrored][:, twice]) / 2
    return found


def radius_bins(shape: tuple[int, int], steps: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the ring of every frequency ``(ky, kx)`` of the half plane, and the rings' frequencies.

    Parameters
    ----------
    shape
        Pixels along y and x.
    steps
        Degrees a pixel along y and x. A ring is as wide as the coarser resolution of the two axes, 1/extent.
    """
    fy, fx = np.fft.fftfreq(shape[0], steps[0]), np.fft.rfftfreq(shape[1], steps[1])
    width = 1 / min(shape[0] * steps[0], shape[1] * steps[1])
    rings = np.rint(np.hypot(fy[:, None], fx[None]) / width).astype(np.intp)
    return rings, np.arange(rings.max() + 1) * width


def ring_means(spectrum: np.ndarray, rings: np.ndarray, columns: int) -> np.ndarray:
    """Return the mean over each ring, ``(ring,)``; ``columns`` is the picture's width in pixels."""
    weight = np.full(rings.shape, 2.0)
    weight[:, 0] = 1.0
    if columns % 2 == 0:
        weight[:, -1] = 1.0
    counts = np.bincount(rings.ravel(), weight.ravel())
    return np.bincount(rings.ravel(), (weight * spectrum).ravel()) / np.maximum(counts, 1.0)


def spectral_gain(own: np.ndarray, wanted: np.ndarray, floor: float) -> tuple[np.ndarray, float]:
    """Return wanted/own amplitude, 1 where own is not above ``floor``, and how much of what is wanted is lost there.

    The loss is a fraction of the wanted energy without the mean luminance, which stands first.
    """
    present = own > floor
    gain = np.divide(wanted, own, out=np.ones_like(wanted), where=present)
    energy = wanted**2
    energy.flat[0] = 0.0
    return gain, float(energy[~present].sum() / max(energy.sum(), np.finfo(float).tiny))


def filtered(image: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return every frame with its amplitude spectrum multiplied by ``gain (ky, kx)`` ≥ 0; phases stay."""
    return fft.irfft2(fft.rfft2(image) * gain, s=image.shape[1:])
