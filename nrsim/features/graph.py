"""An elastic graph on a face: points found where V1 energy looks as it does at the points of marked faces.

Plain NumPy. Positions are in degrees from the picture's left, top corner, y down; those of the graph in cells of a
frame of its own, from the middle of its points: a place of the picture is ``middle + cells · step``, step (x, y) in
degrees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.optimize import linear_sum_assignment

CELLS = 30.0  # cells of the frame in one face size, the points' RMS distance from their middle (chosen)
_FLOOR = 0.6  # of a frequency's RMS amplitude in the picture, below which a place has no orientation (chosen)
_AROUND = 0.45  # face sizes around the points that the whole face is matched by (chosen)
_BEYOND = 0.25  # face sizes that this may lie beyond the picture's edge (chosen)
_COARSE = 2.7  # cycles in a face size, up to which the whole face is matched (chosen)
_STRIDE = 3  # cells between the samples that the whole face is matched on (chosen)
OCTAVES = 0.25  # between the sizes and the aspects tried (chosen)
_STARTS = 4  # places of the whole face that are followed (chosen)
_JET = 0.6  # cycles: standard deviation of the window around a point in which it is compared (chosen)
_TAPS = 4  # samples of such a window on either side, to 1.5 standard deviations
_SHARPNESS = 20.0  # how much likelier a place is where the correlation is higher by one: e^20 times (chosen)
_OWN = 0.45  # cells², the least variance of where a point was seen (chosen)
# Prior of how another head differs (chosen, about twice what random identities of the renderer differ)
_REACH = 0.5  # face sizes over which points move together
_ASYMMETRY = 0.1  # of a displacement, in that of both sides alike
_WIDER, _TURNED, _SHIFTED = 0.15, 0.02, 0.3  # standard deviations: log size along each axis; radian; face sizes


@dataclass(frozen=True)
class Level:
    """One step from coarse to fine: frequencies (cycles in a face size), reach and steps of the search (cells)."""

    low: float
    high: float
    reach: float
    step: float


LEVELS = (Level(0.0, 2.2, 12.0, 2.0), Level(1.7, 4.3, 6.0, 1.0), Level(3.4, np.inf, 3.0, 0.5))


@dataclass(frozen=True)
class Channels:
    """The channels of a bank: ``frequency (frequency,)`` cycles/degree, ``orientation (orientation,)`` degree."""

    frequency: np.ndarray
    orientation: np.ndarray

    def seen_at(self, zoom: np.ndarray) -> np.ndarray:
        """Return the matrix that turns the channels of a picture into those of one magnified 1/zoom, (x, y).

        A grating of frequency f in the magnified picture is one of f/zoom in the picture. Between channels it is
        interpolated, linear in log frequency and in orientation; beyond the bank the last frequency is taken.
        """
        n, m = len(self.frequency), len(self.orientation)
        turn = np.deg2rad(self.orientation)
        kx, ky = np.cos(turn) / zoom[0], np.sin(turn) / zoom[1]
        by_frequency, by_orientation = np.argsort(self.frequency), np.argsort(self.orientation % 180.0)
        matrix = np.zeros((n, m, n, m))
        known = np.log(self.frequency[by_frequency])
        wanted = np.log(self.frequency)[:, None] + np.log(np.hypot(kx, ky))
        at = np.interp(wanted, known, np.arange(n))
        low = np.minimum(at.astype(int), max(n - 2, 0))
        around = np.append(
            self.orientation[by_orientation] % 180.0, self.orientation[by_orientation[0]] % 180.0 + 180.0
        )
        angle = np.rad2deg(np.arctan2(ky, kx)) % 180.0
        angle = np.where(angle < around[0], angle + 180.0, angle)
        left = np.clip(np.searchsorted(around, angle, side="right") - 1, 0, m - 1)
        beside = (angle - around[left]) / (around[left + 1] - around[left])
        for i in range(n):
            for j in range(m):
                up = at[i, j] - low[i, j]
                for f, wf in ((low[i, j], 1 - up), (min(low[i, j] + 1, n - 1), up)):
                    for o, wo in ((left[j], 1 - beside[j]), ((left[j] + 1) % m, beside[j])):
                        matrix[i, j, by_frequency[f], by_orientation[o]] += wf * wo
        return matrix.reshape(n * m, n * m).astype(np.float32)

    def mirrored(self) -> np.ndarray:
        """Return the matrix that turns the channels of a picture into those of its mirror image."""
        turned = Channels(self.frequency, (180.0 - self.orientation) % 180.0)
        n, m = len(self.frequency), len(self.orientation)
        where = [int(np.argmin(np.abs((turned.orientation - o + 90) % 180 - 90))) for o in self.orientation]
        matrix = np.zeros((n, m, n, m), dtype=np.float32)
        for j, o in enumerate(where):
            matrix[np.arange(n), j, np.arange(n), o] = 1.0
        return matrix.reshape(n * m, n * m)


def profile(energy: np.ndarray) -> np.ndarray:
    """Return which orientations a place shows, whatever its contrast, ``(frequency, orientation, y, x)`` float32.

    A / (√(mean of A² over orientations) + floor), A = √energy; the floor, 0.6 of the frequency's RMS amplitude in the
    picture, keeps faint places near 0.
    """
    squares = np.maximum(energy, 0).astype(np.float32)
    total = np.sqrt(squares.mean(axis=1, keepdims=True))
    typical = np.sqrt(squares.mean(axis=(1, 2, 3), keepdims=True))
    return np.sqrt(squares) / (total + _FLOOR * typical + np.finfo(np.float32).tiny)


def read_at(maps: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return ``maps (channel, y, x)`` at pixels ``x``, ``y`` (0 = left, top edge), linear between; edges go on."""
    height, width = maps.shape[1:]
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    across, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    right, below = min(1, width - 1), min(1, height - 1) * width
    flat, at = maps.reshape(len(maps), -1), top * width + left
    upper = (1 - across) * flat[:, at] + across * flat[:, at + right]
    lower = (1 - across) * flat[:, at + below] + across * flat[:, at + below + right]
    return (1 - down) * upper + down * lower


@dataclass(frozen=True)
class Seen:
    """A picture as the graph sees it: ``maps (channel, y, x)``, and the size of its pixels (x, y), degree."""

    maps: np.ndarray
    pixel: np.ndarray

    @property
    def extent(self) -> np.ndarray:
        """The picture's width and height, degree."""
        return np.array(self.maps.shape[:0:-1]) * self.pixel

    def at(self, x: np.ndarray, y: np.ndarray, mix: np.ndarray) -> np.ndarray:
        """Return the channels ``mix (wanted, channel)`` makes, at places in degrees."""
        used = np.flatnonzero(mix.any(axis=0))
        read = read_at(self.maps[used], x / self.pixel[0], y / self.pixel[1])
        return (mix[:, used] @ read.reshape(len(used), -1)).reshape(len(mix), *x.shape)


@dataclass
class Found:
    """Points of one picture: ``points (point, 2)`` degree, ``alike (point,)`` correlation with the marked faces."""

    points: np.ndarray
    alike: np.ndarray


@dataclass
class Graph:
    """Points of marked faces, and what V1 shows around them.

    Parameters
    ----------
    channels
        The bank's.
    seen
        The marked faces.
    points
        ``(face, point, 2)`` degree.
    deformation
        Standard deviation of what another head's points are displaced by, face sizes.
    """

    channels: Channels
    seen: Sequence[Seen]
    points: np.ndarray
    deformation: float
    shape: np.ndarray = field(init=False)
    step: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Learn the mean shape and the marked faces' jets."""
        middle = self.points.mean(axis=1, keepdims=True)
        centred = self.points - middle
        mean = centred.mean(axis=0)
        size = (centred * mean).sum(axis=1) / (mean**2).sum(axis=0)  # (face, 2): of each face along x and y
        mean = (centred / size[:, None]).mean(axis=0)
        scale = CELLS / np.sqrt((mean**2).sum(axis=1).mean())
        self.shape = mean * scale
        self.step = np.exp(np.log(size).mean(axis=0)) / scale
        self._cycles = self.channels.frequency * np.sqrt(self.step.prod())  # in a cell
        self._axis = mirror_axis(self.shape)
        self._covariance = prior(self.shape, self._axis, self.deformation)
        self._marked = [
            (face, middle[i, 0], size[i] / scale, centred[i] / size[i] * scale) for i, face in enumerate(self.seen)
        ]
        self._whole = self._template()
        self._jets: dict[tuple[int, float], np.ndarray] = {}

    def _rows(self, frequencies: np.ndarray) -> np.ndarray:
        """Return the numbers of the channels of some frequencies, all orientations of each."""
        m = len(self.channels.orientation)
        return (frequencies[:, None] * m + np.arange(m)).ravel()

    def _between(self, low: float, high: float) -> np.ndarray:
        """Return the frequencies from ``low`` to ``high`` cycles in a face size, or else the nearest one."""
        cycles = self._cycles * CELLS
        inside = np.flatnonzero((cycles >= low) & (cycles <= high))
        if len(inside):
            return inside
        off = np.maximum(np.log(max(low, 1e-9) / cycles), np.log(cycles / high))
        return np.array([int(np.argmin(off))])

    def _mix(self, step: np.ndarray) -> np.ndarray:
        return self.channels.seen_at(step / self.step)

    # The whole face ---------------------------------------------------------------------------------------------------

    def _template(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return frequencies, the marked faces' mean around all points ``(frequency, …, y, x)``, and its first cell."""
        around = _AROUND * CELLS
        low, high = self.shape.min(axis=0) - around, self.shape.max(axis=0) + around
        columns, rows = (np.arange(a, b + 1e-9, _STRIDE) for a, b in zip(low, high, strict=True))
        used = self._between(0.0, _COARSE)
        x, y = np.meshgrid(columns, rows)
        total = np.zeros((len(self._rows(used)), len(rows), len(columns)), dtype=np.float32)
        for face, middle, step, _ in self._marked:
            total += face.at(middle[0] + x * step[0], middle[1] + y * step[1], self._mix(step)[self._rows(used)])
        total = total.reshape(len(used), -1, len(rows), len(columns))
        total -= total.mean(axis=(2, 3), keepdims=True)
        total /= np.sqrt((total**2).sum(axis=(1, 2, 3), keepdims=True)) + 1e-12
        return used, total, np.array([columns[0], rows[0]]), np.array([len(columns), len(rows)])

    def places(
        self, face: Seen, sizes: Sequence[float], aspects: Sequence[float]
    ) -> list[tuple[float, np.ndarray, np.ndarray]]:
        """Return where the whole face may be: correlation, middle and step, the likeliest first, a few.

        The correlation is that of the maps with their mean over the window taken away, averaged over frequencies.
        """
        used, template, first, many = self._whole
        rows = self._rows(used)
        n_frequencies, m = template.shape[:2]
        columns_, rows_ = int(many[0]), int(many[1])
        tried: list[tuple[float, np.ndarray, np.ndarray]] = []
        for size in sizes:
            for aspect in aspects:
                step = self.step * size * np.array([aspect**0.5, aspect**-0.5])
                beyond = _BEYOND * CELLS * step
                x, y = (
                    np.arange(-beyond[a], face.extent[a] + beyond[a], _STRIDE * step[a]) + 0.5 * step[a] for a in (0, 1)
                )
                if len(x) < columns_ or len(y) < rows_:
                    continue
                maps = face.at(*np.meshgrid(x, y), self._mix(step)[rows])
                score = correlation(maps.reshape(n_frequencies, m, len(y), len(x)), template)
                peaks = np.argwhere(score >= np.sort(score, axis=None)[-1])[:1]
                for row, column in peaks:
                    middle = np.array([x[column], y[row]]) - first * step
                    tried.append((float(score[row, column]), middle, step))
        tried.sort(key=lambda each: -each[0])
        kept: list[tuple[float, np.ndarray, np.ndarray]] = []
        for each in tried:
            near = [
                np.hypot(*((each[1] - other[1]) / other[2])) < 0.15 * CELLS
                and np.abs(np.log2(each[2] / other[2])).max() < 0.3
                for other in kept
            ]
            if not any(near):
                kept.append(each)
            if len(kept) == _STARTS:
                break
        return kept

    # Point by point ---------------------------------------------------------------------------------------------------

    def _window(self, frequency: int, step: float) -> tuple[int, np.ndarray]:
        """Return how many steps apart the samples of a jet lie, and their weights, summing to 1."""
        spread = _JET / self._cycles[frequency]
        apart = max(1, round(1.5 * spread / _TAPS / step))
        at = np.arange(-_TAPS, _TAPS + 1) * apart * step
        weights = np.exp(-(at**2) / 2 / spread**2)
        weights = np.outer(weights, weights)
        return apart, (weights / weights.sum()).astype(np.float32)

    def _jet(self, frequency: int, step: float) -> np.ndarray:
        """Return what the marked faces show around each point, ``(face, point, orientation, tap, tap)``, of unit size.

        Weighted, with the mean over the window taken away.
        """
        if (frequency, step) not in self._jets:
            apart, weights = self._window(frequency, step)
            at = np.arange(-_TAPS, _TAPS + 1) * apart * step
            made = []
            for face, middle, cells, points in self._marked:
                x = points[:, 0, None, None] + at[None, None, :] + 0 * at[None, :, None]
                y = points[:, 1, None, None] + at[None, :, None] + 0 * at[None, None, :]
                mix = self._mix(cells)[self._rows(np.array([frequency]))]
                jet = face.at(middle[0] + x * cells[0], middle[1] + y * cells[1], mix)
                jet = jet - (jet * weights).sum(axis=(2, 3), keepdims=True)
                jet /= np.sqrt((jet**2 * weights).sum(axis=(0, 2, 3), keepdims=True)) + 1e-6
                made.append((jet * weights).transpose(1, 0, 2, 3))
            self._jets[frequency, step] = np.stack(made)
        return self._jets[frequency, step]

    def alike(
        self,
        face: Seen,
        middle: np.ndarray,
        step: np.ndarray,
        cells: np.ndarray,
        frequencies: np.ndarray,
        reach: float,
        stride: float,
    ) -> np.ndarray:
        """Return how alike places around ``cells (point, 2)`` are to the marked points, ``(point, y, x)``, −1..1.

        The correlation of jets, averaged over marked faces and frequencies.
        """
        n, side = len(cells), 2 * round(reach / stride) + 1
        total = np.zeros((n, side, side))
        mix = self._mix(step)
        for frequency in frequencies:
            apart, weights = self._window(frequency, stride)
            at = (np.arange(side + 2 * _TAPS * apart) - (side // 2 + _TAPS * apart)) * stride
            x = cells[:, 0, None, None] + at[None, None, :] + 0 * at[None, :, None]
            y = cells[:, 1, None, None] + at[None, :, None] + 0 * at[None, None, :]
            maps = face.at(
                middle[0] + x * step[0], middle[1] + y * step[1], mix[self._rows(np.array([frequency]))]
            ).transpose(1, 0, 2, 3)
            looks = _windows(maps, 2 * _TAPS * apart + 1)[..., ::apart, ::apart]  # point o y x tap tap
            mean = np.einsum("poyxab,ab->poyx", looks, weights, optimize=True)
            power = np.einsum("poyxab,ab->pyx", looks**2, weights, optimize=True) - (mean**2).sum(axis=1)
            jets = self._jet(frequency, stride).mean(axis=0)
            product = np.einsum("poyxab,poab->pyx", looks, jets, optimize=True)
            total += product / np.sqrt(np.maximum(power, 1e-6))
        return total / len(frequencies)

    def refine(
        self, face: Seen, middle: np.ndarray, step: np.ndarray, points: np.ndarray, levels: Sequence[Level]
    ) -> np.ndarray:
        """Return ``points (point, 2)``, degree, moved to where they look alike, as far as the prior lets them."""
        n = len(points)
        for level in levels:
            frequencies = self._between(level.low, level.high)
            for _ in range(2):
                cells = (points - middle) / step
                alike = self.alike(face, middle, step, cells, frequencies, level.reach, level.step)
                side = alike.shape[1]
                at = (np.arange(side) - side // 2) * level.step
                near = np.exp(-(at**2) / 2 / (0.7 * level.reach) ** 2)
                weight = np.exp(_SHARPNESS * (alike - alike.max(axis=(1, 2), keepdims=True))) * np.outer(near, near)
                weight /= weight.sum(axis=(1, 2), keepdims=True)
                found, spread = np.empty((n, 2)), np.empty((n, 2))
                for axis, along in ((0, weight.sum(axis=1)), (1, weight.sum(axis=2))):
                    found[:, axis] = along @ at
                    spread[:, axis] = along @ at**2 - found[:, axis] ** 2
                seen = (cells + found - self.shape).T.ravel()
                noise = np.diag((spread + _OWN**2).T.ravel())
                moved = self._covariance @ np.linalg.solve(self._covariance + noise, seen)
                points = middle + (self.shape + moved.reshape(2, n).T) * step
            middle, step = self._frame(points)
        return points

    def find(self, face: Seen, sizes: Sequence[float], aspects: Sequence[float]) -> Found | None:
        """Return the points of a face, or None where none of the sizes fits into the picture."""
        best: tuple[float, np.ndarray] | None = None
        for whole, middle, step in self.places(face, sizes, aspects):
            points = self.refine(face, middle, step, middle + self.shape * step, LEVELS[:2])
            score = whole + float(self._final(face, points, 0.0, LEVELS[1].high).mean())
            if best is None or score > best[0]:
                best = score, points
        if best is None:
            return None
        points = self.refine(face, *self._frame(best[1]), best[1], LEVELS[2:])
        return Found(points, self._final(face, points, 0.0, np.inf))

    def _frame(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        middle = points.mean(axis=0)
        return middle, ((points - middle) * self.shape).sum(axis=0) / (self.shape**2).sum(axis=0)

    def _final(self, face: Seen, points: np.ndarray, low: float, high: float) -> np.ndarray:
        middle, step = self._frame(points)
        cells = (points - middle) / step
        return self.alike(face, middle, step, cells, self._between(low, high), 0.0, 1.0)[:, 0, 0]


def _windows(maps: np.ndarray, side: int) -> np.ndarray:
    """Return all windows of ``maps (…, y, x)``, ``(…, y, x, side, side)``, as a view."""
    return sliding_window_view(sliding_window_view(maps, side, axis=-1), side, axis=-3).swapaxes(-1, -2)


def correlation(maps: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Return the correlation of ``maps (frequency, orientation, y, x)`` with a template, at each place it fits.

    Means over the window are taken away, map by map; one correlation a frequency, averaged. The template, ``(frequency,
    orientation, y, x)``, has means of 0 and unit size for each frequency.
    """
    (height, width), (tall, wide) = maps.shape[2:], template.shape[2:]
    size = [next_fast_len(height, real=True), next_fast_len(width, real=True)]
    window = np.conj(rfft2(np.ones((tall, wide), dtype=np.float32), size))
    maps = maps - maps.mean(axis=(2, 3), keepdims=True)
    there = (..., slice(height - tall + 1), slice(width - wide + 1))
    product = irfft2((rfft2(maps, size) * np.conj(rfft2(template, size))).sum(axis=1), size)[there]
    means = irfft2(rfft2(maps, size) * window, size)[there]
    squares = irfft2(rfft2((maps**2).sum(axis=1), size) * window, size)[there]
    power = squares - (means**2).sum(axis=1) / (tall * wide)
    floor = 1e-3 * power.max(axis=(1, 2), keepdims=True) + 1e-12
    return (product / np.sqrt(np.maximum(power, floor))).mean(axis=0)


def mirror_axis(shape: np.ndarray) -> float | None:
    """Return x of the axis that the points are mirrored about, or None if they are not symmetric.

    Each point is paired with another's mirror image, or its own; a tenth of a face size is symmetric enough (chosen).
    """
    middle = float((shape[:, 0].min() + shape[:, 0].max()) / 2)
    for _ in range(3):
        image = shape * [-1, 1] + [2 * middle, 0]
        apart = np.hypot(*(shape[:, None] - image[None]).transpose(2, 0, 1))
        rows, partners = linear_sum_assignment(apart**2)
        middle = float((shape[:, 0] + shape[partners, 0]).mean() / 2)
    return middle if apart[rows, partners].max() <= 0.1 * CELLS else None


def prior(shape: np.ndarray, axis: float | None, deformation: float, others: np.ndarray | None = None) -> np.ndarray:
    """Return the covariance of displacements, cells²: ``(2 other, 2 point)``, all x and then all y.

    Smooth fields, exp(−r²/2ℓ²), that are mirror images on both sides of the ``axis`` but for a tenth; and shifts, sizes
    along x and y, and a small turn of the whole.

    Parameters
    ----------
    shape
        ``(point, 2)`` cells.
    axis
        From :func:`mirror_axis`.
    deformation
        Standard deviation of the smooth field, face sizes.
    others
        ``(other, 2)`` cells; the points themselves by default.
    """
    here = (shape if others is None else others) / CELLS
    there, middle = shape / CELLS, np.array([(axis or 0.0) / CELLS, 0.0])
    near = np.exp(-((here[:, None] - there) ** 2).sum(axis=2) / 2 / _REACH**2)
    along_x = along_y = near
    if axis is not None:
        image = (there - middle) * [-1, 1] + middle
        both = (1 - _ASYMMETRY**2) * np.exp(-((here[:, None] - image) ** 2).sum(axis=2) / 2 / _REACH**2)
        along_x, along_y = near - both, near + both
    none = np.zeros_like(near)
    covariance = deformation**2 * np.block([[along_x, none], [none, along_y]])
    for spread, move in (
        (_WIDER, _wider),
        (_WIDER, _taller),
        (_TURNED, _turned),
        (_SHIFTED, _right),
        (_SHIFTED, _down),
    ):
        covariance += spread**2 * np.outer(move(here - middle), move(there - middle))
    return covariance * CELLS**2


def _wider(at: np.ndarray) -> np.ndarray:
    return np.concatenate([at[:, 0], 0 * at[:, 0]])


def _taller(at: np.ndarray) -> np.ndarray:
    return np.concatenate([0 * at[:, 0], at[:, 1]])


def _turned(at: np.ndarray) -> np.ndarray:
    return np.concatenate([-at[:, 1], at[:, 0]])


def _right(at: np.ndarray) -> np.ndarray:
    return np.repeat([1.0, 0.0], len(at))


def _down(at: np.ndarray) -> np.ndarray:
    return np.repeat([0.0, 1.0], len(at))
