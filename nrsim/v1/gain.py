"""Divisive normalisation on the fast way: of energies that are sampled coarsely. Plain NumPy, no labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

from nrsim.v1.normalise import Divisive


class Gain:
    """Divisive normalisation of energies as they are sampled on each frequency's torus.

    The pool D is smooth and reflects at the border, so it is a sum of few cosines: each frequency's summed energy is
    taken to cosines and blurred there by a Gaussian, and what is beyond the bank is added. 1 / (c₅₀^n + D) is worked
    out at the pixels and, through its own cosines, brought to the samples of every frequency.

    Parameters
    ----------
    shape
        Of the pictures, ``(y, x)``.
    sizes
        Samples of each frequency's torus, ``(M_y, M_x)``.
    pairs
        Of orientations, as :func:`nrsim.v1.dense.mirror_pairs`.
    divisive
        The normalisation; its exponent is 2.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        sizes: Sequence[tuple[int, int]],
        pairs: Sequence[tuple[int, int | None]],
        divisive: Divisive,
    ) -> None:
        self.constant = np.float32(divisive.semi_saturation**divisive.exponent)
        self.twice = np.array([partner is not None for _, partner in pairs])
        self.halves = [(my // 2 + 1, mx // 2 + 1) for my, mx in sizes]
        self.folds = []
        for my, _ in sizes:
            rows = np.arange(my)
            self.folds.append(np.minimum(rows, my - rows))
        counts = [
            [
                min(int(np.ceil(4.5 * 2 * n / (2 * np.pi * spread))), half - 1) + 1
                for n, half in zip(shape, halves, strict=True)
            ]
            for spread, halves in zip(divisive.spreads, self.halves, strict=True)
        ]
        self.ends, self.total = divisive.ends, np.float32(divisive.total)
        beyond = [end.count(shape) for end in divisive.ends]
        self.most = [max(each[axis] for each in [*counts, *beyond]) for axis in (0, 1)]
        self.shape = shape
        # of 1 / (c₅₀^n + D) a torus shows the cosines that its samples resolve; faster ones do not pass its windows
        shown = [[min(n, half - 1) for n, half in zip(shape, halves, strict=True)] for halves in self.halves]
        self.analyse, self.synthesise = [], []
        for count, seen, spread, size in zip(counts, shown, divisive.spreads, sizes, strict=True):
            forward, back = [], []
            for axis, (n, m) in enumerate(zip(shape, size, strict=True)):
                place = np.arange(m // 2 + 1)
                waves = np.cos(2 * np.pi * np.arange(max(count[axis], seen[axis]))[:, None] * place / m)
                blur = np.exp(-2 * (np.pi * spread * np.arange(count[axis]) / (2 * n)) ** 2)
                weight = np.where((place == 0) | (place == m // 2), 1.0, 2.0) / m
                forward.append((blur[:, None] * waves[: count[axis]] * weight).astype(np.float32))
                terms = np.where(np.arange(seen[axis]) == 0, 1.0, 2.0)[:, None]
                back.append((terms * waves[: seen[axis]]).T.astype(np.float32))
            forward[0] /= np.float32(divisive.total)
            self.analyse.append((forward[0], np.ascontiguousarray(forward[1].T)))
            self.synthesise.append((back[0], np.ascontiguousarray(back[1].T)))

    def cosines(self, energy: np.ndarray, number: int, twice: np.ndarray) -> np.ndarray:
        """Return what one frequency's ``energy (image, pair, M_y, M_x / 2 + 1)`` adds to D, in cosines.

        ``twice`` says of which pairs the mirrored orientation counts too.
        """
        rows, columns = self.analyse[number]
        half = self.halves[number][0]
        both = energy[:, twice].sum(axis=1)
        total = energy[:, ~twice].sum(axis=1)[:, :half] + both[:, :half]
        total[:, 1 : half - 1] += both[:, : half - 1 : -1]
        total[:, 0] += both[:, 0]
        total[:, half - 1] += both[:, half - 1]
        made = np.zeros((len(energy), *self.most), dtype=np.float32)
        made[:, : len(rows), : columns.shape[1]] = rows @ total @ columns
        return made

    def beyond(self, spectrum: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return what is beyond the bank of D, in cosines, ``(image, y, x)``; as :meth:`nrsim.v1.ends.End.cosines`."""
        made = np.zeros((len(spectrum) if weights is None else weights.shape[1], *self.most), dtype=np.float32)
        for end in self.ends:
            series = end.cosines(spectrum, weights)
            made[:, : series.shape[1], : series.shape[2]] += series
        return made / self.total

    def gains(self, cosines: np.ndarray) -> np.ndarray:
        """Return 1 / (c₅₀^n + D) of D in cosines, itself in as many cosines as the picture has, ``(image, y, x)``."""
        ny, nx = self.shape
        drive = fft.dct(fft.dct(cosines, type=3, n=nx, axis=2), type=3, n=ny, axis=1)
        np.maximum(drive, 0, out=drive)
        drive += self.constant
        np.reciprocal(drive, out=drive)
        made: np.ndarray = fft.dctn(drive, axes=(1, 2), overwrite_x=True)
        made /= np.float32(4 * ny * nx)
        return made

    def factors(self, gains: np.ndarray, number: int) -> np.ndarray:
        """Return what one frequency's energies are multiplied with, ``(image, M_y, M_x / 2 + 1)``."""
        rows, columns = self.synthesise[number]
        shown = rows @ gains[:, : rows.shape[1], : len(columns)] @ columns
        return shown[:, self.folds[number]]

    def divide(self, energies: list[np.ndarray], spectrum: np.ndarray) -> None:
        """Divide ``energies[frequency] (image, pair, M_y, M_x / 2 + 1)`` in place."""
        cosines = self.beyond(spectrum)
        for i, energy in enumerate(energies):
            cosines += self.cosines(energy, i, self.twice)
        gains = self.gains(cosines)
        for i, energy in enumerate(energies):
            energy *= self.factors(gains, i)[:, None]
