"""An elastic graph on a face: points found where V1 energy looks as it does at the points of marked faces.

Plain NumPy. Positions are in degrees from the picture's left, top corner, y down; those of the graph in cells of a
frame of its own, from the middle of its points: a place of the picture is ``middle + cells · step``, step (x, y) in
degrees.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from nrsim.features.profiles import Channels, Seen, correlation, looks_at

CELLS = 30.0  # cells of the frame in one face size, the points' RMS distance from their middle (chosen)
_AROUND = 0.45  # face sizes around the points that the whole face is matched by (chosen)
_BEYOND = 0.25  # face sizes that this may lie beyond the picture's edge (chosen)
_COARSE = 4.3  # cycles in a face size, up to which the whole face is matched (chosen)
_STRIDE = 3  # cells between the samples that the whole face is matched on (chosen)
OCTAVES = 0.25  # between the sizes and the aspects tried (chosen)
_STARTS = 5  # places of the whole face that are followed (chosen)
_JET = 0.8  # cycles: standard deviation of the window around a point in which it is compared (chosen)
# Of what a place of the whole face scores by, beside how alike its points are: its own correlation twice, less the
# square of its aspect in octaves, a prior with a standard deviation of a quarter octave (chosen)
_WHOLE, _ASPECT = 2.0, 0.24
_TINY = 1e-6  # against division by 0 where a picture is blank
_TAPS = 4  # samples of such a window on either side, to 1.5 standard deviations
_SHARPNESS = 20.0  # how much likelier a place is where the correlation is higher by one: e^20 times (chosen)
_MIDMOST = 0.7  # standard deviation of the preference for staying, in how far the search reaches (chosen)
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
class Place:
    """Where a face lies: the ``middle`` of its points, degree, and the size of a ``step`` of one cell, both (x, y)."""

    middle: np.ndarray
    step: np.ndarray

    def points(self, cells: np.ndarray) -> np.ndarray:
        """Return where ``cells (…, 2)`` are, degree."""
        return self.middle + cells * self.step

    def cells(self, points: np.ndarray) -> np.ndarray:
        """Return the cells of ``points (…, 2)``, degree."""
        return (points - self.middle) / self.step


@dataclass(frozen=True)
class Found:
    """Points of one picture: ``points (point, 2)`` degree, ``alike (point,)`` correlation with the marked faces."""

    points: np.ndarray
    alike: np.ndarray


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

    def __init__(self, channels: Channels, seen: Sequence[Seen], points: np.ndarray, deformation: float) -> None:
        self.channels = channels
        middle = points.mean(axis=1, keepdims=True)
        centred = points - middle
        mean = centred.mean(axis=0)
        size = (centred * mean).sum(axis=1) / (mean**2).sum(axis=0)  # (face, 2): of each face along x and y
        mean = (centred / size[:, None]).mean(axis=0)
        scale = CELLS / np.sqrt((mean**2).sum(axis=1).mean())
        self.shape = mean * scale
        self.step = np.exp(np.log(size).mean(axis=0)) / scale
        self._cycles = channels.frequency * np.sqrt(self.step.prod())  # in a cell
        self._covariance = prior(self.shape, mirror_axis(self.shape), deformation)
        places = [Place(each[0], factor / scale) for each, factor in zip(middle, size, strict=True)]
        self._marked = [
            (face, place, place.cells(each)) for face, place, each in zip(seen, places, points, strict=True)
        ]
        self._coarse = self._between(0.0, _COARSE)
        self._first, self._template = self._average()
        self._jets: dict[tuple[int, float], np.ndarray] = {}

    def find(self, face: Seen, sizes: Sequence[float], aspects: Sequence[float]) -> Found | None:
        """Return the points of a face, or None where none of the sizes fits into the picture."""
        best: tuple[float, np.ndarray] | None = None
        for whole, place in self.places(face, sizes, aspects):
            points = self.refine(face, place.points(self.shape), LEVELS[:2])
            width, height = self._fit(points).step / self.step
            score = _WHOLE * whole - _ASPECT * np.log2(width / height) ** 2 + self.alike_at(face, points).mean()
            if best is None or score > best[0]:
                best = score, points
        if best is None:
            return None
        points = self.refine(face, best[1], LEVELS[2:])
        return Found(points, self.alike_at(face, points))

    def _rows(self, frequencies: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the numbers of the channels of some frequencies, all orientations of each."""
        m = len(self.channels.orientation)
        return (np.asarray(frequencies)[:, None] * m + np.arange(m)).ravel()

    def _between(self, low: float, high: float) -> np.ndarray:
        """Return the frequencies from ``low`` to ``high`` cycles in a face size, or else the nearest one."""
        cycles = self._cycles * CELLS
        inside = np.flatnonzero((cycles >= low) & (cycles <= high))
        if len(inside):
            return inside
        return np.array([np.argmin(np.maximum(np.log(max(low, 1e-9) / cycles), np.log(cycles / min(high, 1e9))))])

    def _fit(self, points: np.ndarray) -> Place:
        """Return the place whose step fits the mean shape to ``points (point, 2)``, degree, along each axis."""
        middle = points.mean(axis=0)
        return Place(middle, ((points - middle) * self.shape).sum(axis=0) / (self.shape**2).sum(axis=0))

    def _read(self, face: Seen, place: Place, x: np.ndarray, y: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
        """Return what a face shows at cells ``x``, ``y (…)``, as large as the marked ones, ``(channel, …)``."""
        mix = self.channels.seen_at(place.step / self.step)[self._rows(frequencies)]
        return face.at(place.middle[0] + x * place.step[0], place.middle[1] + y * place.step[1], mix)

    # The whole face ---------------------------------------------------------------------------------------------------

    def _average(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the first cell and the values of the marked faces' mean, ``(frequency, orientation, y, x)``."""
        around = _AROUND * CELLS
        low, high = self.shape.min(axis=0) - around, self.shape.max(axis=0) + around
        x, y = np.meshgrid(*(np.arange(a, b + 1e-9, _STRIDE) for a, b in zip(low, high, strict=True)))
        read = [self._read(face, place, x, y, self._coarse) for face, place, _ in self._marked]
        mean = np.mean(read, axis=0).reshape(len(self._coarse), -1, *x.shape)
        mean = mean - mean.mean(axis=(2, 3), keepdims=True)
        return low, mean / (np.sqrt((mean**2).sum(axis=(1, 2, 3), keepdims=True)) + _TINY)

    def places(self, face: Seen, sizes: Sequence[float], aspects: Sequence[float]) -> list[tuple[float, Place]]:
        """Return where the whole face may be and how well it correlates there, the best first, a few unlike ones."""
        tall, wide = self._template.shape[2:]
        tried: list[tuple[float, Place]] = []
        for size, aspect in itertools.product(sizes, aspects):
            step = self.step * size * np.array([aspect**0.5, aspect**-0.5])
            stride, beyond = _STRIDE * step, _BEYOND * CELLS * step
            x, y = (np.arange(stride[a] / 2 - beyond[a], face.extent[a] + beyond[a], stride[a]) for a in (0, 1))
            if len(x) < wide or len(y) < tall:
                continue
            across, down = np.meshgrid(x / step[0], y / step[1])
            maps = self._read(face, Place(np.zeros(2), step), across, down, self._coarse)
            score = correlation(maps.reshape(*self._template.shape[:2], len(y), len(x)), self._template)
            row, column = np.unravel_index(int(score.argmax()), score.shape)
            tried.append((float(score[row, column]), Place(np.array([x[column], y[row]]) - self._first * step, step)))
        kept: list[tuple[float, Place]] = []
        for each in sorted(tried, key=lambda one: -one[0]):
            if len(kept) < _STARTS and not any(_near(each[1], other) for _, other in kept):
                kept.append(each)
        return kept

    # Point by point ---------------------------------------------------------------------------------------------------

    def _window(self, frequency: int, stride: float) -> tuple[int, np.ndarray, np.ndarray]:
        """Return how many strides apart the samples of a jet lie, where (cells), and their weights, summing to 1."""
        spread = _JET / self._cycles[frequency]
        apart = max(1, round(1.5 * spread / _TAPS / stride))
        at = np.arange(-_TAPS, _TAPS + 1) * apart * stride
        weights = np.exp(-(at**2) / 2 / spread**2)
        weights = np.outer(weights, weights)
        return apart, at, (weights / weights.sum()).astype(np.float32)

    def _jet(self, frequency: int, stride: float) -> np.ndarray:
        """Return the mean of what the marked faces show around each point, ``(point, orientation, tap, tap)``.

        Each face's is of unit size, weighted, and has means over the window of 0.
        """
        if (frequency, stride) not in self._jets:
            _, at, weights = self._window(frequency, stride)
            made = []
            for face, place, cells in self._marked:
                jet = self._read(face, place, *_around(cells, at), np.array([frequency]))
                jet = jet - (jet * weights).sum(axis=(2, 3), keepdims=True)
                jet /= np.sqrt((jet**2 * weights).sum(axis=(0, 2, 3), keepdims=True)) + _TINY
                made.append((jet * weights).transpose(1, 0, 2, 3))
            self._jets[frequency, stride] = np.mean(made, axis=0)
        return self._jets[frequency, stride]

    def alike(self, face: Seen, points: np.ndarray, frequencies: np.ndarray, reach: float, stride: float) -> np.ndarray:
        """Return how alike places around ``points (point, 2)`` are to the marked ones, ``(point, y, x)``, −1..1.

        The correlation of jets, averaged over marked faces and frequencies, at every ``stride`` up to ``reach`` cells.
        """
        place = self._fit(points)
        half = round(reach / stride)
        total = np.zeros((len(points), 2 * half + 1, 2 * half + 1))
        for frequency in frequencies:
            apart, _, weights = self._window(int(frequency), stride)
            beyond = half + _TAPS * apart
            around = _around(place.cells(points), np.arange(-beyond, beyond + 1) * stride)
            maps = self._read(face, place, *around, np.array([frequency])).transpose(1, 0, 2, 3)
            looks = looks_at(maps, 2 * _TAPS * apart + 1)[..., ::apart, ::apart]  # point, orientation, y, x, tap, tap
            mean = np.einsum("poyxab,ab->poyx", looks, weights, optimize=True)
            power = np.einsum("poyxab,ab->pyx", looks**2, weights, optimize=True) - (mean**2).sum(axis=1)
            product = np.einsum("poyxab,poab->pyx", looks, self._jet(int(frequency), stride), optimize=True)
            total += product / np.sqrt(np.maximum(power, _TINY))
        return total / len(frequencies)

    def alike_at(self, face: Seen, points: np.ndarray) -> np.ndarray:
        """Return how alike ``points (point, 2)``, degree, are to the marked ones, of all frequencies, ``(point,)``."""
        return self.alike(face, points, np.arange(len(self.channels.frequency)), 0.0, 1.0)[:, 0, 0]

    def refine(self, face: Seen, points: np.ndarray, levels: Sequence[Level]) -> np.ndarray:
        """Return ``points (point, 2)``, degree, moved to where they look alike, as far as the prior lets them.

        Where each point was seen is a mean and a variance along x and y, those of exp(sharpness · correlation) over the
        places around it; the points returned are the posterior mean of the prior given those.
        """
        n = len(points)
        for level in levels:
            frequencies = self._between(level.low, level.high)
            place = self._fit(points)
            for _ in range(2):
                cells = place.cells(points)
                alike = self.alike(face, points, frequencies, level.reach, level.step)
                half = alike.shape[1] // 2
                at = np.arange(-half, half + 1) * level.step
                near = np.exp(-(at**2) / 2 / (_MIDMOST * level.reach) ** 2)
                weight = np.exp(_SHARPNESS * (alike - alike.max(axis=(1, 2), keepdims=True))) * np.outer(near, near)
                weight /= weight.sum(axis=(1, 2), keepdims=True)
                along = np.stack([weight.sum(axis=1), weight.sum(axis=2)])  # (x or y, point, at)
                found = along @ at
                variance = along @ at**2 - found**2 + _OWN**2
                seen = (cells.T + found - self.shape.T).ravel()
                noisy = self._covariance + np.diag(variance.ravel())
                moved = self._covariance @ np.linalg.solve(noisy, seen)
                points = place.points(self.shape + moved.reshape(2, n).T)
        return points


def _around(cells: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a square of places around each of ``cells (point, 2)``, ``(point, y, x)``."""
    shape = (len(cells), len(at), len(at))
    x = np.broadcast_to(cells[:, 0, None, None] + at[None, None, :], shape)
    return x, np.broadcast_to(cells[:, 1, None, None] + at[None, :, None], shape)


def _near(one: Place, other: Place) -> bool:
    """Return whether two places of the whole face would be followed to the same end."""
    apart = np.hypot(*((one.middle - other.middle) / other.step))
    return bool(apart < 0.15 * CELLS and np.abs(np.log2(one.step / other.step)).max() < 0.3)


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
