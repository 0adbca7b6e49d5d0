"""Responses at every pixel under a reflecting border, by cosine and sine transforms. Plain NumPy, no labels.

A picture reflected at its border (half-sample symmetric) has a spectrum made of cosines, C, so a filter with a real
transfer function H needs no padding: with H's parts that are symmetric (c) or antisymmetric (s) in each axis,

    even = cos cos (H_cc C) − sin sin (H_ss C),   odd = cos sin (H_cs C) + sin cos (H_sc C),

and the mirrored orientation, 180° − θ, is the same four transforms with other signs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import fft

from nrsim.v1.gabor import Channels, Gabor

SMALL = 1e-7  # of the filter's largest value: columns of the spectrum below are left out


def mirror_pairs(orientations: np.ndarray) -> list[tuple[int, int | None]]:
    """Return pairs of places in ``orientations``, each with that of its mirror image 180° − θ, or None without one."""
    angles = np.mod(np.asarray(orientations, dtype=float), 180.0)
    taken: set[int] = set()
    pairs: list[tuple[int, int | None]] = []
    for i, angle in enumerate(angles):
        if i in taken:
            continue
        partner = None
        for j in range(i + 1, len(angles)):
            apart = abs(angles[j] - (180.0 - angle))
            if j not in taken and min(apart, 180.0 - apart) < 1e-9:
                partner = j
                taken.add(j)
                break
        pairs.append((i, partner))
    return pairs


def opposed(orientation: float, partner: float) -> bool:
    """Return whether ``partner`` points against the mirror image of ``orientation``, so that its odd part turns."""
    return bool(abs(np.mod(partner - (180.0 - orientation) + 180.0, 360.0) - 180.0) > 90.0)


def cosines(images: np.ndarray) -> np.ndarray:
    """Return the cosine spectrum of ``images (…, y, x)`` as float32, without their mean, which no channel sees."""
    spectrum = fft.dctn(images.astype(np.float32), axes=(-2, -1), overwrite_x=True)
    spectrum[..., 0, 0] = 0
    return spectrum


class DenseBank:
    """Channels on pictures of one shape, at every pixel.

    Parameters
    ----------
    shape
        ``(y, x)``.
    channels
        ``channels[frequency][orientation]``, in pixels.
    """

    def __init__(self, shape: tuple[int, int], channels: Channels) -> None:
        self.shape = shape
        self.n_frequencies, self.n_orientations = len(channels), len(channels[0])
        self._pairs = mirror_pairs(np.array([each.orientation for each in channels[0]]))
        self._channels = channels
        self._plans: dict[tuple[int, int], tuple[slice, list[np.ndarray | None]]] = {}

    def spectrum(self, images: np.ndarray) -> np.ndarray:
        """Return the cosine spectrum of ``images (…, y, x)``."""
        return cosines(images)

    def _plan(self, i: int, j: int) -> tuple[slice, list[np.ndarray | None]]:
        """Return the columns in use and H's four parts there (cc, ss, cs, sc), None where all are 0."""
        if (i, j) not in self._plans:
            ny, nx = self.shape
            gabor = self._channels[i][j]
            columns = slice(0, min(nx, int(np.ceil(2 * nx * gabor.reach(1, SMALL))) + 1))
            parts = [part / (4 * ny * nx) for part in _parts(gabor, ny, nx, columns.stop)]
            largest = max(float(np.abs(part).max()) for part in parts)
            kept = [part.astype(np.float32) if np.abs(part).max() > SMALL * largest else None for part in parts]
            self._plans[i, j] = columns, kept
        return self._plans[i, j]

    def responses(self, spectrum: np.ndarray) -> Iterator[tuple[int, int, np.ndarray, np.ndarray]]:
        """Yield (frequency, orientation, even, odd) for one picture's ``spectrum (…, y, x)``."""
        for i in range(self.n_frequencies):
            for j, partner in self._pairs:
                columns, (cc, ss, cs, sc) = self._plan(i, j)
                part = spectrum[..., columns]
                first, second = _back(part, cc, columns, self.shape, 0, 0), _back(part, ss, columns, self.shape, 1, 1)
                third, fourth = _back(part, cs, columns, self.shape, 0, 1), _back(part, sc, columns, self.shape, 1, 0)
                yield i, j, _sum(first, second, -1), _sum(third, fourth, 1)
                if partner is not None:
                    odd = _sum(fourth, third, -1)  # H(−u, v)
                    turn = opposed(self._channels[i][j].orientation, self._channels[i][partner].orientation)
                    yield i, partner, _sum(first, second, 1), -odd if turn else odd

    def energy(self, image: np.ndarray) -> np.ndarray:
        """Return even² + odd², ``(frequency, orientation, y, x)`` float32, of one ``image (y, x)``."""
        maps = np.empty((self.n_frequencies, self.n_orientations, *self.shape), dtype=np.float32)
        for i, j, even, odd in self.responses(self.spectrum(image)):
            np.multiply(even, even, out=maps[i, j])
            maps[i, j] += odd * odd
        return maps


def _parts(gabor: Gabor, ny: int, nx: int, n_columns: int) -> list[np.ndarray]:
    """Return H's parts that are symmetric (c) or antisymmetric (s) in y and x: cc, ss, cs, sc, at k ≥ 0, ``(y, x)``.

    Frequencies beyond Nyquist fold back, as those of a kernel that is sampled at the pixels do.
    """
    turns_y, turns_x = ((-1, 0, 1) if gabor.reach(axis, SMALL) > 0.5 else (0,) for axis in (0, 1))
    rows, columns = np.arange(ny)[:, None] / (2 * ny), np.arange(n_columns)[None] / (2 * nx)
    # rows run down, so a row frequency of +1 is −1 upwards
    quarter = {
        (a, b): sum(gabor.transfer(-(a * rows + ty), b * columns + tx) for ty in turns_y for tx in turns_x) / 4
        for a in (1, -1)
        for b in (1, -1)
    }
    signs = {"cc": lambda a, b: 1, "ss": lambda a, b: a * b, "cs": lambda a, b: b, "sc": lambda a, b: a}
    return [sum(sign(a, b) * part for (a, b), part in quarter.items()) for sign in signs.values()]


def _back(
    spectrum: np.ndarray, part: np.ndarray | None, columns: slice, shape: tuple[int, int], sin_y: int, sin_x: int
) -> np.ndarray | None:
    """Return the transform of ``part · spectrum`` with sines where asked, else cosines, ``(…, y, x)``."""
    if part is None:
        return None
    made = part * spectrum
    if sin_y:
        made = np.concatenate([made[..., 1:, :], np.zeros_like(made[..., :1, :])], axis=-2)
    made = (fft.dst if sin_y else fft.dct)(made, type=3, axis=-2, overwrite_x=True)
    wide = np.zeros((*made.shape[:-1], shape[1]), dtype=np.float32)
    start, stop = columns.start - sin_x, columns.stop - sin_x
    wide[..., max(start, 0) : stop] = made[..., max(-start, 0) :]
    return (fft.dst if sin_x else fft.dct)(wide, type=3, axis=-1, overwrite_x=True)


def _sum(a: np.ndarray | None, b: np.ndarray | None, sign: int) -> np.ndarray:
    """Return a + sign·b, either of which may be absent."""
    if a is None:
        return np.multiply(b, np.float32(sign)) if b is not None else np.float32(0)  # type: ignore[return-value]
    if b is None:
        return a.copy()
    return a + b if sign > 0 else a - b
