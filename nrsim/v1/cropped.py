"""Pooled energy from each channel's own band of one cosine spectrum. Plain NumPy, no labels.

Energy that is pooled needs no response at every pixel. The picture, reflected at its border, has a real spectrum C on
a torus of twice its size. Of each channel only the box of frequencies that it passes is kept,

    z(m) = Σ_j H(k₀ + j) C(k₀ + j) exp(2πi j m / M),

a response without its carrier, sampled as coarsely as its band allows. H and C are real, so one transform of real
numbers gives half the torus, and the torus's lower half is the mirrored orientation, 180° − θ. |z|² is pooled by two
matrix products, W_y |z|² W_xᵀ, whose matrices are the windows composed with the interpolation from the samples to the
pixels (Dirichlet kernel).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from scipy import fft

from nrsim.v1.dense import cosines, mirror_pairs
from nrsim.v1.gabor import Channels, Gabor
from nrsim.v1.gain import Gain
from nrsim.v1.normalise import Divisive

LOST = (5e-3, 5e-4)  # share of a filter's amplitude, on pictures with a 1/f spectrum, that may lie outside its box
ALIASED = 5e-4  # share of an energy's fluctuations that may fold into a window
COARSE = 60  # boxes of fewer frequencies a side cost little, and the second share holds for them
DIVIDED = 8.0  # samples per standard deviation of a band whose energy is divided by what may have hard edges
PASSED = 3e-3  # share of a fluctuation that a window lets pass, below which it need not be shown
FINE = 16.0  # samples per standard deviation of a band that show all of its energy's fluctuations
SMALL = 160 * 160  # pixels: small pictures are transformed four together, larger ones two (measured: what caches hold)


@dataclass(frozen=True)
class Scale:
    """What one frequency needs: ``K`` frequencies a side are kept, of ``M`` samples, from ``start`` on."""

    size: tuple[int, int]
    kept: tuple[int, int]
    start: list[tuple[int, int]]
    filters: np.ndarray
    to_x: np.ndarray
    to_y: np.ndarray
    back: np.ndarray


class CroppedBank:
    """Channels on pictures of one shape, pooled in windows.

    Parameters
    ----------
    shape
        ``(y, x)``.
    channels
        ``channels[frequency][orientation]``, in pixels.
    windows_y, windows_x
        Weights of the pixels along each axis, ``(window, y)`` and ``(window, x)``; each row sums to 1.
    paired
        Whether windows are pairs, one of each axis (places), instead of all combinations (a grid).
    divisive
        Normalise before pooling; needs exponent 2 and :func:`normalisable` orientations.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        channels: Channels,
        windows_y: np.ndarray,
        windows_x: np.ndarray,
        *,
        paired: bool = False,
        divisive: Divisive | None = None,
    ) -> None:
        self.shape, self.paired, self.divisive = shape, paired, divisive
        self.pairs = mirror_pairs(np.array([each.orientation for each in channels[0]]))
        self.windows = windows_y, windows_x
        self.scales = [self._scale([row[i] for i, _ in self.pairs]) for row in channels]
        low = [min(start[axis] for s in self.scales for start in s.start) for axis in (0, 1)]
        high = [max(start[axis] + s.kept[axis] for s in self.scales for start in s.start) for axis in (0, 1)]
        self.reach = [(max(0, -a), max(0, b - n)) for a, b, n in zip(low, high, shape, strict=True)]
        self.own = threading.local()
        sizes = [scale.size for scale in self.scales]
        self.gain = None if divisive is None else Gain(shape, sizes, self.pairs, divisive)

    def _scale(self, channels: list[Gabor]) -> Scale:
        powers = [_power(g, self.shape) for g in channels]
        boxes = [[_box(power, axis, LOST[0]) for axis in (0, 1)] for power in powers]
        if max(size for each in boxes for _, size in each) < COARSE:
            boxes = [[_box(power, axis, LOST[1]) for axis in (0, 1)] for power in powers]
        size, kept = [], []
        for axis in (0, 1):
            length = 2 * self.shape[axis]
            need = max(box[axis][1] for box in boxes)
            spread = max(g.spread(axis) for g in channels)
            enough = max(need, int(np.ceil(length * _samples(spread, self.windows[axis]))))
            if self.divisive is not None:  # energy over c₅₀^n + D may be as fine as the windows let pass, on any scale
                enough = max(enough, min(int(np.ceil(length * 2 * _passed(self.windows[axis]))), length))
                enough = max(enough, int(np.ceil(length * DIVIDED * spread)))
            even = min(_even_length(enough), 2 * length)
            size.append(even)
            kept.append(min(need, even))
        start = [(box[0][0], box[1][0]) for box in boxes]
        filters = []
        for g, (y0, x0) in zip(channels, start, strict=True):
            ky, kx = y0 + np.arange(kept[0])[:, None], x0 + np.arange(kept[1])[None]
            filters.append(g.transfer(-ky / (2 * self.shape[0]), kx / (2 * self.shape[1])))
        scaled = np.stack(filters) / (4 * self.shape[0] * self.shape[1])
        wy, wx = (w @ _dirichlet(n, m) for w, n, m in zip(self.windows, self.shape, size, strict=True))
        half = size[1] // 2 + 1
        back_y, back_x = (-np.arange(m) % m for m in size)
        other = wx[:, back_x][:, :half].copy()
        other[:, [0, half - 1]] = 0  # columns that are their own mirror image
        return Scale(
            (size[0], size[1]),
            (kept[0], kept[1]),
            start,
            scaled.astype(np.float32),
            np.ascontiguousarray(np.concatenate([wx[:, :half], other]).T, dtype=np.float32),
            np.ascontiguousarray(np.concatenate([wy, wy[:, back_y]]), dtype=np.float32),
            back_y,
        )

    def extended(self, spectrum: np.ndarray) -> np.ndarray:
        """Return the cosine ``spectrum`` with its mirror image at negative frequencies and beyond Nyquist."""
        for axis, (before, after) in zip((1, 2), self.reach, strict=True):
            n = spectrum.shape[axis]
            parts, beyond = [spectrum], max(after, before - n + 1)
            if beyond > 0:
                nothing = np.zeros_like(np.take(spectrum, [0], axis))
                parts += [nothing, -np.take(spectrum, range(n - 1, n - beyond, -1), axis)]
            right = np.concatenate(parts, axis) if len(parts) > 1 else spectrum
            left = np.take(right, range(before, 0, -1), axis)
            if before or beyond > 0:
                spectrum = np.concatenate([left, right], axis)
        return spectrum

    def _energies(self, extended: np.ndarray, number: int) -> np.ndarray:
        """Return |z|² on half the torus, ``(image, pair, M_y, M_x / 2 + 1)``."""
        s = self.scales[number]
        n = len(extended)
        held = self.own.__dict__.setdefault("boxes", {})
        if (n, number) not in held:
            held[n, number] = np.zeros((n, len(s.start), *s.size), dtype=np.float32)
        boxes = held[n, number]
        ky, kx = s.kept
        for i, (y0, x0) in enumerate(s.start):
            y, x = y0 + self.reach[0][0], x0 + self.reach[1][0]
            np.multiply(s.filters[i], extended[:, y : y + ky, x : x + kx], out=boxes[:, i, :ky, :kx])
        z = fft.rfft2(boxes, axes=(2, 3))
        squares = z.view(np.float32)
        np.multiply(squares, squares, out=squares)
        return squares[..., 0::2] + squares[..., 1::2]

    def amplitudes(self, extended: np.ndarray, number: int, pair: int) -> np.ndarray:
        """Return the conjugate of z for one pair of orientations on half the torus, ``(image, M_y, M_x / 2 + 1)``."""
        s = self.scales[number]
        (ky, kx), (y0, x0) = s.kept, s.start[pair]
        y, x = y0 + self.reach[0][0], x0 + self.reach[1][0]
        half = s.size[1] // 2 + 1
        out = np.empty((len(extended), s.size[0], half), dtype=np.complex64)
        some = together(self.shape)
        box = np.zeros((some, *s.size), dtype=np.float32)
        for first in range(0, len(extended), some):
            part = extended[first : first + some, y : y + ky, x : x + kx]
            np.multiply(s.filters[pair], part, out=box[: len(part), :ky, :kx])
            out[first : first + len(part)] = fft.rfft2(box[: len(part)], axes=(1, 2))
        return out

    def in_windows(self, energy: np.ndarray, turned: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return ``energy (image, M_y, M_x / 2 + 1)`` pooled, and pooled for the mirrored orientation.

        ``turned`` is the energy of the conjugate, which the other half of the torus holds.
        """
        s = self.scales[number]
        n = s.to_x.shape[1] // 2
        rows = energy @ s.to_x[:, :n] + (turned @ s.to_x[:, n:])[:, s.back]
        if self.paired:
            here, mirrored = np.einsum("bmp,spm->sbp", rows, s.to_y.reshape(2, n, -1), optimize=False)
        else:
            pooled = s.to_y @ rows
            half = pooled.shape[1] // 2
            here, mirrored = pooled[:, :half], pooled[:, half:]
        return np.maximum(here, 0), np.maximum(mirrored, 0)

    def _pool(self, energy: np.ndarray, number: int, out: np.ndarray) -> None:
        """Pool ``energy`` into ``out (image, orientation, …)``."""
        s = self.scales[number]
        n = s.to_x.shape[1] // 2
        rows = energy @ s.to_x
        rows = rows[..., :n] + rows[:, :, s.back, n:]
        if self.paired:
            pooled = np.einsum("bomp,spm->bosp", rows, s.to_y.reshape(2, n, -1), optimize=False)
            here, mirrored = pooled[:, :, 0], pooled[:, :, 1]
        else:
            pooled = s.to_y @ rows
            half = pooled.shape[2] // 2
            here, mirrored = pooled[:, :, :half], pooled[:, :, half:]
        np.maximum(pooled, 0, out=pooled)  # interpolation may fall a little below
        for i, (own, partner) in enumerate(self.pairs):
            out[:, own] = here[:, i]
            if partner is not None:
                out[:, partner] = mirrored[:, i]

    def pooled(self, images: np.ndarray, out: np.ndarray) -> None:
        """Write the pooled energy of ``images (image, y, x)`` into ``out (image, frequency, orientation, …)``."""
        some = together(self.shape)
        for first in range(0, len(images), some):
            spectrum = cosines(images[first : first + some])
            extended = self.extended(spectrum)
            numbers = range(len(self.scales))
            if self.gain is None:
                for number in numbers:
                    self._pool(self._energies(extended, number), number, out[first : first + some, number])
                continue
            energies = [self._energies(extended, number) for number in numbers]
            self.gain.divide(energies, spectrum)
            for number in numbers:
                self._pool(energies[number], number, out[first : first + some, number])


def together(shape: tuple[int, int]) -> int:
    """Return how many pictures of a shape are transformed together."""
    return 4 if shape[0] * shape[1] <= SMALL else 2


def normalisable(orientations: np.ndarray) -> bool:
    """Return whether every orientation's mirror image is among them, so that their sum reflects as a picture does."""
    return all(
        partner is not None or np.mod(orientations[own], 90.0) < 1e-9 for own, partner in mirror_pairs(orientations)
    )


def _power(gabor: Gabor, shape: tuple[int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each axis the frequencies about the channel's and its power there, for pictures with a 1/f spectrum.

    Summed over the other axis.
    """
    turn = np.deg2rad(gabor.orientation)
    centre = gabor.frequency * np.array([-np.sin(turn), np.cos(turn)])
    places = []
    for axis in (0, 1):
        reach = int(np.ceil(5 * gabor.spread(axis) * 2 * shape[axis])) + 1
        middle, most = int(np.rint(centre[axis] * 2 * shape[axis])), 2 * shape[axis] - 1
        low, high = middle - reach, middle + reach
        if gabor.leak**2 > LOST[1]:  # what makes even and odd parts equal adds a little at the opposite frequency
            low, high = min(low, -high), max(high, -low)
        places.append(np.arange(max(low, -most), min(high, most) + 1))
    v, u = -places[0][:, None] / (2 * shape[0]), places[1][None] / (2 * shape[1])
    power = gabor.transfer(v, u) ** 2
    power /= np.maximum(u**2 + v**2, 1 / (2 * max(shape)) ** 2)
    return [(places[axis], power.sum(axis=1 - axis)) for axis in (0, 1)]


def _box(power: list[tuple[np.ndarray, np.ndarray]], axis: int, lost: float) -> tuple[int, int]:
    """Return (start, size) of the shortest run of frequencies along ``axis`` that keeps all but ``lost``."""
    places, mass = power[axis]
    total = np.concatenate([[0.0], np.cumsum(mass)])
    stops = np.searchsorted(total, total[:-1] + total[-1] * (1 - lost**2))
    sizes = np.where(stops < len(total), stops - np.arange(len(stops)), len(total))
    first = int(np.argmin(sizes))
    return int(places[first]), min(int(sizes[first]), len(places) - first)


def _samples(spread: float, windows: np.ndarray) -> float:
    """Return the sampling rate per pixel at which an energy's fluctuations hardly fold into ``windows``."""
    narrow = _narrowest(windows)
    f = np.linspace(0, 0.5, 401)
    for rate in np.linspace(2, FINE, 141) * spread:
        inside = f <= rate / 2
        folded = np.exp(-2 * (np.pi * narrow * f[inside]) ** 2 - ((rate - f[inside]) / (2 * spread)) ** 2)
        if folded.max() <= ALIASED:
            return float(rate)
    return FINE * spread


def _passed(windows: np.ndarray) -> float:
    """Return the frequency, per pixel, above which the narrowest of ``windows`` lets less than PASSED pass."""
    return float(min(np.sqrt(-np.log(PASSED) / 2) / (np.pi * _narrowest(windows)), 0.5))


def _narrowest(windows: np.ndarray) -> float:
    """Return the least standard deviation of ``windows``, px."""
    place = np.arange(windows.shape[1])
    mean = windows @ place
    return float(np.sqrt(max(float(np.min(windows @ place**2 - mean**2)), 1e-6)))


def _even_length(n: int) -> int:
    """Return the next length that transforms fast and is even."""
    return 2 * fft.next_fast_len(int(np.ceil(n / 2)), real=True)


def _dirichlet(n: int, m: int) -> np.ndarray:
    """Return the interpolation from ``m`` (even) samples of a torus of 2n to the n pixels, ``(pixel, sample)``."""
    away = (np.arange(n)[:, None] + 0.5) * m / (2 * n) - np.arange(m)[None]
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.sin(np.pi * away) / (m * np.tan(np.pi * away / m))
    weights[np.abs(np.mod(away + m / 2, m) - m / 2) < 1e-9] = 1.0
    return weights
