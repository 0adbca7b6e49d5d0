"""Receptive fields on a grid that each head's own norm defines: the same place of the face, whatever the head."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, pixels, windows
from nrsim.errors import need, unknown
from nrsim.features import marks
from nrsim.quantities import bare, whole
from nrsim.schema import check

_STEP = 0.01  # degree: over which the map's derivative is taken (chosen)
_NARROWEST, _WIDEST = 0.3, 3.0  # times the reference's, of a window on another head (chosen)


class FaceGrid:
    """A grid of places on one head, and where the same places of the face lie on every other.

    The grid is laid over the picture of the reference head. The points marked on each head's norm (its neutral image)
    carry it to that head by the thin-plate spline that takes the reference's points to the head's (Bookstein 1989): no
    picture is warped, the receptive fields move and grow instead. A place's window on another head is a Gaussian whose
    standard deviations along x and y are those of the reference's window, as the spline stretches it there. A place
    that falls outside the picture is moved to its border. A grid belongs to pictures of one size in pixels and degrees.

    Give it to :class:`nrsim.PooledEnergy` or :class:`nrsim.PhaseDisplacement` as ``places=``.

    Parameters
    ----------
    faces
        A StimulusSet with the norm of every head, and its landmarks ``landmark (stimulus, point, axis)`` in px of the
        picture as stored; further stimuli are left out of account, and need no landmarks (NaN). Stimuli whose head is
        ``''``, objects beside faces, are seen at the reference's places.
    reference
        The head whose frame the grid is laid over: the one that is learned from.
    landmarks
        Instead of the set's own: ``landmark (stimulus, point, axis)`` in px of the picture as stored, such as
        :func:`nrsim.norm_landmarks` returns, or in px of its file, as :func:`nrsim.read_landmarks` does: these are
        scaled where :func:`nrsim.load_folder` resized the picture. Norms are found in it by their ``stimulus_id``, or
        else by ``file``.
    norms
        Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``; the points of several norms of a head are
        averaged.
    norm_by
        The label whose values are the heads. Default ``"domain"``.
    points
        Names of the points to use, three or more that lie not on a line. Default: the nine of
        ``landmarks="alignment"`` where the set has them, else all.
    size
        Places along each side of the reference's picture, or ``(rows, columns)``. Default 16 (chosen, as
        :class:`nrsim.PooledEnergy`).
    tolerance
        Standard deviation of the windows on the reference, degree. Default: half the distance between neighbouring
        places (chosen).

    Attributes
    ----------
    heads
        Names of the heads.
    confidence
        Head → confidence of its points, ``(point,)``, of heads whose landmarks were found.

    Raises
    ------
    SchemaError, TypeError
        If ``faces`` are no StimulusSet, or landmarks and points are something else.
    ValueError
        If a head has no norm or no landmarks, points are missing, unknown, far outside of the picture, too few, at one
        place or on a line, or the face turns over between them, because two points (left and right, say) or x and y
        are exchanged on a head. Later, if pictures are of another size than those the grid was made on.

    References
    ----------
    Bookstein (1989), Principal warps: thin-plate splines and the decomposition of deformations, IEEE PAMI 11:567.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": name} for name in ("human", "macaque")], size=64)
    >>> grid = nr.FaceGrid(faces, "human", size=8)
    >>> pool = nr.PooledEnergy(places=grid)
    >>> seen = nr.V1Bank(frequencies=[1, 2]).transform(faces, pool=pool)
    >>> seen["energy"].sizes["place"]
    64
    """

    def __init__(
        self,
        faces: xr.Dataset,
        reference: str,
        *,
        landmarks: xr.DataArray | None = None,
        norms: Mapping[str, Any] | None = None,
        norm_by: str = "domain",
        points: Sequence[str] | None = None,
        size: int | Sequence[int] = 16,
        tolerance: float | None = None,
    ) -> None:
        check(faces, "StimulusSet", values=False)
        if norm_by not in faces.coords:
            raise unknown("label of the stimuli", norm_by, labels.names(faces, "stimulus"))
        both = size if isinstance(size, (Sequence, np.ndarray)) and not isinstance(size, str) else (size, size)
        if len(both) != 2:
            raise need("size: places a side, or (rows, columns)", repr(size))
        heads = {str(name) for name in faces[norm_by].values} - {""}
        if str(reference) not in heads:
            raise unknown("reference head", reference, heads)
        chosen = labels.where(faces, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
        found = marks.on_norms(faces, chosen, landmarks, norm_by, points, str(reference))
        self.confidence = found.confidence
        spread = None if tolerance is None else bare(tolerance, "degree", "tolerance", above=0)
        sides = [whole(each, "size", low=1) for each in both]
        self._y, self._x = faces["y"].values.astype(float), faces["x"].values.astype(float)
        at = {name: pixels.degrees(px, self._y, self._x) for name, px in found.places.items()}
        self._lay(str(reference), norm_by, sides, spread, found.points, at)
        turns = {name: self._turn(name) for name in self.heads if name != self.reference}
        marks.check_turn(turns, self._marked, self.points)

    @classmethod
    def of(cls, made: xr.Dataset) -> Self:
        """Return the grid that features (or V1 responses) were made with, from what they say of themselves.

        Parameters
        ----------
        made
            Features of :func:`nrsim.aligned_features`, :class:`nrsim.PooledEnergy` or :class:`nrsim.PhaseDisplacement`.

        Raises
        ------
        ValueError
            If they were made without a FaceGrid.
        """
        told = _told(json.loads(made.attrs.get("parameters", "{}"))) if isinstance(made, xr.Dataset) else None
        if told is None:
            raise need("features that were made with a FaceGrid", "others")
        grid = cls.__new__(cls)
        (left, right), (top, bottom), (across, down) = told["x"], told["y"], told["pixels"]
        grid._x, grid._y = np.linspace(left, right, across), np.linspace(top, bottom, down)
        grid.confidence = {name: np.array(each) for name, each in told["confidence"].items()}
        order = sorted(told["marked"], key=lambda name: name != told["reference"])
        at = {name: np.array(told["marked"][name]) for name in order}
        grid._lay(told["reference"], told["norm_by"], told["size"], told["tolerance"], told["points"], at)
        return grid

    def _lay(
        self,
        reference: str,
        norm_by: str,
        size: Sequence[int],
        tolerance: float | None,
        points: Sequence[str],
        marked: Mapping[str, np.ndarray],
    ) -> None:
        """Lay the grid over the reference's picture."""
        self.reference, self.norm_by, self.tolerance = reference, norm_by, tolerance
        self.size, self.points, self._marked = list(size), list(points), dict(marked)
        axes = list(zip((self._y, self._x), self.size, strict=True))
        steps = [(axis[-1] - axis[0]) / max(len(axis) - 1, 1) for axis, _ in axes]
        rows, columns = (axis[0] + step * _cells(len(axis), n) for (axis, n), step in zip(axes, steps, strict=True))
        apart = [abs(step) * len(axis) / n for (axis, n), step in zip(axes, steps, strict=True)]
        self._spread = np.array([apart[1], apart[0]]) / 2 if tolerance is None else np.array([tolerance, tolerance])
        self._lattice = rows, columns

    @property
    def heads(self) -> list[str]:
        """Names of the heads."""
        return list(self._marked)

    def marked(self, head: str) -> np.ndarray:
        """Return the points on a head's norm, ``(point, 2)``: x and y in degrees, y up.

        Raises
        ------
        ValueError
            If there is no such head.
        """
        return self._marked[self._known(str(head))].copy()

    @property
    def place_names(self) -> list[str]:
        """Names of the places, row by row from the top left."""
        rows, columns = self._lattice
        return [f"y{y:+.3f} x{x:+.3f}" for y in rows for x in columns]

    def get_params(self) -> dict[str, Any]:
        """Return what the grid was made with, its points in degrees."""
        return {
            "reference": self.reference,
            "norm_by": self.norm_by,
            "size": self.size,
            "tolerance": self.tolerance,
            "points": list(self.points),
            "marked": {name: np.round(at, 6).tolist() for name, at in self._marked.items()},
            "confidence": {name: np.round(each, 3).tolist() for name, each in self.confidence.items()},
            "pixels": [len(self._x), len(self._y)],
            "x": [round(float(self._x[i]), 6) for i in (0, -1)],
            "y": [round(float(self._y[i]), 6) for i in (0, -1)],
        }

    def check_pictures(self, y: np.ndarray, x: np.ndarray) -> None:
        """Refuse pictures whose pixels lie elsewhere than those the grid was made on.

        Parameters
        ----------
        y, x
            Where the pixels lie, degree.

        Raises
        ------
        ValueError
            If they differ in number, or in degrees.
        """
        theirs, ours = ((np.asarray(x, float), np.asarray(y, float)), (self._x, self._y))
        step = abs(self._x[-1] - self._x[0]) / max(len(self._x) - 1, 1)
        if any(len(a) != len(b) or np.abs(a - b).max() > 0.01 * step for a, b in zip(theirs, ours, strict=True)):
            todo = "Make the grid on pictures like these: its points and places belong to them"
            raise need(f"pictures like those the FaceGrid was made on, {_extent(*ours)}", _extent(*theirs), todo)

    def places(self, head: str | None = None, *, finer: int = 1) -> np.ndarray:
        """Return the places on a head, ``(place, 2)``: x and y in degrees, y up. Default: on the reference.

        Parameters
        ----------
        head
            One of :attr:`heads`.
        finer
            Return a grid that is finer by this factor along each side.

        Raises
        ------
        ValueError
            If there is no such head.
        """
        at = self._reference(finer)
        name = self.reference if head is None else self._known(str(head))
        return at if name == self.reference else self._carried(name, at)

    def stretch(self, head: str, *, finer: int = 1) -> np.ndarray:
        """Return how a head's face is stretched at each place against the reference's, ``(place, 2, 2)``.

        Entry (a, b) is by how many degrees the place on the head moves along a (x, y) when that on the reference moves
        by one along b.
        """
        at, name = self._reference(finer), self._known(str(head))
        if name == self.reference:
            return np.broadcast_to(np.eye(2), (len(at), 2, 2)).copy()
        return self._derivative(name, at)

    def windows(self, head: str, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a head's windows over pixels at ``y`` and ``x``, ``(place, y)`` and ``(place, x)``; rows sum to 1.

        Raises
        ------
        ValueError
            If there is no such head, or the pixels are not those of the pictures that the grid was made on.
        """
        self.check_pictures(y, x)
        at = self.places(head)
        spread = np.sqrt((self.stretch(head) ** 2 @ (self._spread**2)[:, None])[..., 0])
        spread = np.clip(spread, _NARROWEST * self._spread, _WIDEST * self._spread)
        return windows.gaussian(y, at[:, 1], spread[:, 1]), windows.gaussian(x, at[:, 0], spread[:, 0])

    def groups(self, faces: xr.Dataset) -> dict[str, np.ndarray]:
        """Return which stimuli are of which head: name → numbers.

        Raises
        ------
        ValueError
            If a stimulus's head is not of the grid.
        """
        if self.norm_by not in faces.coords:
            raise need(f"the label {self.norm_by!r}, which says whose places to take", "none")
        names = np.array([str(name) for name in faces[self.norm_by].values])
        for name in dict.fromkeys(names.tolist()):
            self._known(name)
        return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())}

    def _known(self, head: str) -> str:
        if head == "":  # an object beside faces
            return self.reference
        if head not in self._marked:
            hint = "Make the grid from a set with the norms of all heads"
            raise unknown(f"{self.norm_by} of the grid", str(head), self._marked, hint=hint)
        return head

    def _reference(self, finer: int) -> np.ndarray:
        rows, columns = (_finer(axis, finer) for axis in self._lattice)
        return np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)

    def _carried(self, head: str, at: np.ndarray) -> np.ndarray:
        low = np.array([self._x.min(), self._y.min()])
        high = np.array([self._x.max(), self._y.max()])
        return np.clip(self._spline(head, at), low, high)

    def _spline(self, head: str, at: np.ndarray) -> np.ndarray:
        from scipy.interpolate import RBFInterpolator

        source, target = self._marked[self.reference], self._marked[head]
        made = RBFInterpolator(source, target, kernel="thin_plate_spline", degree=1)(at)
        return np.asarray(made, dtype=float)

    def _derivative(self, head: str, at: np.ndarray) -> np.ndarray:
        steps = [self._spline(head, at + step) - self._spline(head, at - step) for step in (np.eye(2) * _STEP)]
        return np.stack(steps, -1) / (2 * _STEP)

    def _turn(self, head: str) -> np.ndarray:
        """Return the map's determinant at the points; below 0 the face is turned over there."""
        return np.asarray(np.linalg.det(self._derivative(head, self._marked[self.reference])))


def _cells(n_pixels: int, n: int) -> np.ndarray:
    """Return the centres of ``n`` equal parts of ``n_pixels``, in pixels from the first's centre."""
    return (np.arange(n) + 0.5) * n_pixels / n - 0.5


def _finer(axis: np.ndarray, factor: int) -> np.ndarray:
    """Return the centres of the parts into which ``factor`` divides the cells about ``axis``."""
    if factor == 1:
        return axis
    step = (axis[-1] - axis[0]) / (len(axis) - 1) if len(axis) > 1 else 0.0
    within = ((np.arange(factor) + 0.5) / factor - 0.5) * step
    return (axis[:, None] + within).ravel()


def _extent(x: np.ndarray, y: np.ndarray) -> str:
    """Return how large pictures are, and where they lie, as words."""
    sides = [abs(axis[-1] - axis[0]) * len(axis) / max(len(axis) - 1, 1) for axis in (x, y)]
    middle = [(axis[-1] + axis[0]) / 2 for axis in (x, y)]
    about = f" about ({middle[0]:.3g}, {middle[1]:.3g})" if max(map(abs, middle)) > 1e-6 else ""
    return f"{len(x)} by {len(y)} px over {sides[0]:.4g} by {sides[1]:.4g} degrees{about}"


def _told(parameters: Any) -> dict[str, Any] | None:
    """Return the settings of the first FaceGrid in the history of a dataset."""
    if isinstance(parameters, Mapping):
        if parameters.get("class") == "FaceGrid" and "pixels" in parameters:
            return dict(parameters)
        return next((found for each in parameters.values() if (found := _told(each)) is not None), None)
    return None
