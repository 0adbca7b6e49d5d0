"""Displacement from the phases of Gabor responses: plain NumPy, no labels."""

from __future__ import annotations

import numpy as np

from nrsim import windows


def displacement(
    face: np.ndarray,
    norm: np.ndarray,
    frequencies: np.ndarray,
    orientations: np.ndarray,
    size: list[int] | tuple[int, int],
    finer: int,
    prior: float,
    semi_saturation: float,
) -> np.ndarray:
    """Return by how far what is seen has moved against the norm, ``(place, 2)``: along x and y, degree, y up.

    Parameters
    ----------
    face, norm
        Complex responses, even + i odd, ``(frequency, orientation, sample)``; samples row by row on a grid of
        ``finer`` · ``size``.
    frequencies
        Cycles/degree, in any order.
    orientations
        Radian, 0 = vertical, counter-clockwise.
    size
        Rows and columns of places.
    finer
        Samples along each side of a place's cell.
    prior
        Standard deviation of displacements, degree.
    semi_saturation
        Share of a frequency's mean energy below which a place says little.
    """
    correlation, energy = _pooled(face * norm.conj(), size, finer), _pooled(np.abs(face) ** 2, size, finer).real
    own = _pooled(np.abs(norm) ** 2, size, finer).real
    both = np.sqrt(energy * own)
    coherence = np.divide(np.abs(correlation), both, out=np.zeros_like(both), where=both > 0)
    mean = own.mean(axis=(1, 2))
    normal = np.stack([np.cos(orientations), np.sin(orientations)], -1)
    found: np.ndarray = np.zeros((correlation.shape[-1], 2))
    precision = np.broadcast_to(np.eye(2) / prior**2, (len(found), 2, 2)).copy()
    evidence = np.zeros((len(found), 2))
    for i in np.argsort(frequencies):
        turn = 2 * np.pi * frequencies[i]
        expected = turn * normal @ found.T  # (orientation, place)
        phase = expected - np.angle(correlation[i] * np.exp(1j * expected))
        total = both[i].mean(axis=0) + semi_saturation * mean[i]
        gain = np.divide(both[i], total, out=np.zeros_like(both[i]), where=total > 0)
        weight = coherence[i] ** 2 * gain * turn**2
        precision += np.einsum("op,oa,ob->pab", weight, normal, normal)
        evidence += np.einsum("op,oa->pa", weight * phase / turn, normal)
        found = np.linalg.solve(precision, evidence[..., None])[..., 0]
    return found


def _pooled(values: np.ndarray, size: list[int] | tuple[int, int], finer: int) -> np.ndarray:
    """Return ``values (…, sample)`` averaged in Gaussian windows about the places, ``(…, place)``.

    The windows' standard deviation is half the distance between places.
    """
    rows, columns = (windows.grid(np.arange(n * finer, dtype=float), n, finer / 2) for n in size)
    maps = values.reshape(*values.shape[:-1], size[0] * finer, size[1] * finer)
    pooled = rows @ maps @ columns.T
    return pooled.reshape(*pooled.shape[:-2], -1)
