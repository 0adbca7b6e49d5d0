"""What the pool of a divisive bank counts beyond the bank's first and last frequency. Plain NumPy, no labels.

In the cortex there are cells of lower and higher frequencies than those that a bank returns, and they normalise too.
Without them the pool falls off beyond the bank, and its first and last channels would prefer frequencies out there.
Each end is not as many channels but one real filter that passes the power of all of them,

    g(k)² = ½ Σ (H(k)² + H(−k)²),

so that by Parseval its squared response r² has the spatial mean of the sum of their energies, Σ A². Unlike that it
ripples at twice the picture's frequency; averaged over the end's neighbourhood the ripple is gone. Where each
orientation's mirror image is among the orientations g is the same in all four quadrants, and r is one cosine transform
of g times the picture's cosines; else what is antisymmetric in both axes needs a sine transform too.

The picture holds nothing beyond its Nyquist frequency, so g ends there and nothing folds back. An end whose receptive
field is larger than the picture averages all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

from nrsim.v1.gabor import Channels, Gabor

OCTAVE = 2.0  # how far beyond the bank the pool counts at least, and the spacing of one frequency alone (chosen)
MOST = 16  # frequencies that an end counts (chosen)
NARROWEST = 0.5  # cycles: least neighbourhood of an end, below which its ripple would be seen (chosen)
SMALL = 1e-4  # of a channel's largest value: frequencies where it is smaller are left out
FALLEN = 4.0  # standard deviations of a blur's transfer function beyond which it counts as 0


@dataclass(frozen=True)
class End:
    """What is beyond one end of a bank.

    Attributes
    ----------
    channels
        ``channels[frequency][orientation]``, in pixels.
    spread
        Standard deviation of the neighbourhood, px.
    share
        Σ A^n over (Σ A²)^(n/2) for a grating that one of the channels prefers.
    """

    channels: Channels
    spread: float
    share: float

    def count(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the cosines that :meth:`cosines` returns."""
        return _blur(self, shape).shape  # type: ignore[return-value]

    def cosines(self, spectrum: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return Σ A² averaged over the neighbourhood, as the coefficients of a cosine series, ``(…, y, x)``.

        Parameters
        ----------
        spectrum
            The cosine spectrum of pictures, ``(…, y, x)``, or of the frames of a movie, ``(frame, y, x)``.
        weights
            Of a movie: what each frame contributes to the response at each onset, ``(filter, onset, frame)``.
        """
        shape = spectrum.shape[-2], spectrum.shape[-1]
        symmetric, antisymmetric = _filter(self.channels, shape)
        blur = _blur(self, shape)
        ky, kx = symmetric.shape
        # as many samples as keep the ripple from folding into what the blur leaves
        my, mx = (fft.next_fast_len(k + count // 2, real=True) for k, count in zip((ky, kx), blur.shape, strict=True))
        part = spectrum[..., :ky, :kx]
        seen = fft.dct(fft.dct(part * symmetric, type=3, n=my, axis=-2), type=3, n=mx, axis=-1)
        if antisymmetric is not None:
            sines = (part * antisymmetric)[..., 1:, 1:]
            seen -= fft.dst(fft.dst(sines, type=3, n=my, axis=-2), type=3, n=mx, axis=-1)
        if weights is None:
            squares = np.multiply(seen, seen, out=seen)
        else:
            flat = seen.reshape(len(seen), -1)
            filtered = (weights.reshape(-1, weights.shape[-1]) @ flat).reshape(*weights.shape[:2], my, mx)
            # the energies of both directions, |z ∗ (fast − i slow)|² + |z ∗ (fast + i slow)|², are 2 Σ |z ∗ each|²
            squares = np.float32(len(weights)) * (filtered * filtered).sum(axis=0)
        series = fft.dct(squares, axis=-1)[..., : blur.shape[1]]
        series = fft.dct(series, axis=-2)[..., : blur.shape[0], :]
        return series * (blur / np.float32(4 * my * mx))

    def squares(self, spectrum: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return Σ A² averaged over the neighbourhood at every pixel, ``(…, y, x)``; as :meth:`cosines`."""
        ny, nx = spectrum.shape[-2:]
        series = self.cosines(spectrum, weights)
        return np.maximum(fft.dct(fft.dct(series, type=3, n=nx, axis=-1), type=3, n=ny, axis=-2), 0)

    def powered(self, squares: np.ndarray, exponent: float) -> np.ndarray:
        """Return Σ A^n from Σ A²."""
        return squares if exponent == 2 else np.float32(self.share) * squares ** np.float32(exponent / 2)


def ends(channels: Channels, spreads: Sequence[float], exponent: float, opposite: float | None) -> tuple[End, End]:
    """Return what is beyond the lowest and the highest frequency of a bank.

    At the spacing that the bank has there: as many frequencies as an octave holds, but at least one and at most MOST;
    one of a bank of one frequency, an octave away. Their neighbourhood is in cycles that of the bank, but at least half
    a cycle.
    """
    order = sorted(range(len(channels)), key=lambda i: channels[i][0].frequency)
    made = []
    for side, last, inner in ((-1, order[0], order[1:2]), (1, order[-1], order[-2:-1])):
        row = channels[last]
        own = row[0].frequency
        ratio = OCTAVE**side if not inner else own / channels[inner[0]][0].frequency
        octaves = abs(np.log2(ratio))
        many = min(max(1, int(np.log2(OCTAVE) / octaves + 1e-6)), MOST)
        rows = tuple(
            tuple(Gabor(own * by, g.orientation, g.across / by, g.along / by) for g in row)
            for by in (float(ratio ** (i + 1)) for i in range(many))
        )
        energies = answers(rows, rows[many // 2][0], opposite)
        share = float((energies ** (exponent / 2)).sum() / energies.sum() ** (exponent / 2))
        cycles = max(spreads[last] * own, NARROWEST)
        middle = own * float(ratio) ** ((many + 1) / 2)
        made.append(End(rows, cycles / middle, share))
    return made[0], made[1]


def answers(channels: Channels, to: Gabor, opposite: float | None = None) -> np.ndarray:
    """Return the mean energy of every channel for a full-contrast grating that the channel ``to`` prefers.

    With ``opposite`` each channel stands for both directions of drift, and the grating drifts as one of them prefers.
    """
    angle = np.deg2rad(to.orientation)
    u, v = np.array([to.frequency * np.cos(angle)]), np.array([to.frequency * np.sin(angle)])
    parts = [each.parts(v, u) for row in channels for each in row]
    # a grating is two waves, ahead and back, each of which a channel passes: the mean energy of all phases
    ahead = np.array([float(even[0] + odd[0]) ** 2 / 16 for even, odd in parts])
    back = np.array([float(even[0] - odd[0]) ** 2 / 16 for even, odd in parts])
    if opposite is None:
        return ahead + back
    return np.concatenate([ahead + opposite * back, opposite * ahead + back])


@lru_cache(maxsize=16)
def _filter(channels: Channels, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the parts of g that are symmetric and antisymmetric in both axes, ``(y, x)``, as far as they reach.

    Scaled for cosine spectra of pictures of ``shape``.
    """
    places = []
    for axis, n in enumerate(shape):
        reach = max(each.reach(axis, SMALL) for row in channels for each in row)
        places.append(np.arange(min(n, int(np.ceil(2 * n * reach)) + 1)) / (2 * n))
    rows, columns = places[0][:, None], places[1][None]
    same, other = (
        np.sqrt(sum(np.square(each.parts(side * rows, columns)).sum(axis=0) for row in channels for each in row))
        for side in (-1, 1)  # rows run down, so the first has both frequencies above 0
    )
    scale = 4 * shape[0] * shape[1]
    symmetric, antisymmetric = (same + other) / (2 * scale), (same - other) / (2 * scale)
    if np.abs(antisymmetric).max() < SMALL * symmetric.max():
        return symmetric.astype(np.float32), None
    return symmetric.astype(np.float32), antisymmetric.astype(np.float32)


@lru_cache(maxsize=16)
def _blur(end: End, shape: tuple[int, int]) -> np.ndarray:
    """Return what the neighbourhood does to cosines, ``(y, x)`` float32, as far as anything is left."""
    falls = []
    for kept, n in zip(_filter(end.channels, shape)[0].shape, shape, strict=True):
        count = min(int(np.ceil(FALLEN * 2 * n / (2 * np.pi * end.spread))) + 1, n, 2 * kept - 1)
        falls.append(np.exp(-2 * (np.pi * end.spread * np.arange(count) / (2 * n)) ** 2))
    return np.outer(*falls).astype(np.float32)
