"""Receptive fields on a grid that each head's own norm defines: the same place of the face, whatever the head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, windows
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
from nrsim.schema import check

# Nine points that anybody can mark on any face; the renderer's set of that name
POINTS = (
    *("eye_left", "eye_right", "brow_left", "brow_right", "nose_tip", "mouth_corner_left", "mouth_corner_right"),
    *("mouth", "chin"),
)
_STEP = 0.01  # degree: over which the map's derivative is taken (chosen)
_NARROWEST, _WIDEST = 0.3, 3.0  # times the reference's, of a window on another head (chosen)


class FaceGrid:
    """A grid of places on one head, and where the same places of the face lie on every other.

    The grid is laid over the picture of the reference head. The points marked on each head's norm (its neutral image)
    carry it to that head by the thin-plate spline that takes the reference's points to the head's (Bookstein 1989): no
    picture is warped, the receptive fields move and grow instead. A place's window on another head is a Gaussian whose
    standard deviations along x and y are those of the reference's window, as the spline stretches it there. A place
    that falls outside the picture is moved to its border.

    Give it to :class:`nrsim.PooledEnergy` or :class:`nrsim.PhaseDisplacement` as ``places=``.

    Parameters
    ----------
    faces
        A StimulusSet with the norm of every head, and its landmarks ``landmark (stimulus, point, axis)``; further
        stimuli are left out of account.
    reference
        The head whose frame the grid is laid over: the one that is learned from.
    landmarks
        Instead of the set's own: ``landmark (stimulus, point, axis)`` in px, such as :func:`nrsim.read_landmarks` or
        :func:`nrsim.find_landmarks` return. Norms are found in it by their ``stimulus_id``.
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

    Raises
    ------
    SchemaError, TypeError
        If ``faces`` are no StimulusSet.
    ValueError
        If a head has no norm or no landmarks, points are missing, unknown, too few or on a line.

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
        self.norm_by = norm_by
        both = size if isinstance(size, (Sequence, np.ndarray)) and not isinstance(size, str) else (size, size)
        if len(both) != 2:
            raise need("size: places a side, or (rows, columns)", repr(size))
        self.size = [whole(each, "size", low=1) for each in both]
        chosen = labels.where(faces, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
        self._y, self._x = faces["y"].values.astype(float), faces["x"].values.astype(float)
        self.points, marked = _marked(faces, chosen, landmarks, norm_by, points)
        self._marked = {name: self._degrees(px) for name, px in marked.items()}
        if reference not in self._marked:
            raise unknown("reference head", reference, self._marked)
        missing = sorted({str(name) for name in faces[norm_by].values} - set(self._marked) - {""})
        if missing:
            came = f"none for {', '.join(map(repr, missing[:5]))}"
            raise need(f"a norm with landmarks for each {norm_by}", came, "Add its neutral image to the set")
        self.reference = str(reference)
        rows, columns = (axis[0] + (axis[-1] - axis[0]) / max(len(axis) - 1, 1) * _cells(len(axis), n)
                         for axis, n in zip((self._y, self._x), self.size, strict=True))  # fmt: skip
        spacing = [abs(axis[-1] - axis[0]) / max(len(axis) - 1, 1) * len(axis) / n
                   for axis, n in zip((self._y, self._x), self.size, strict=True)]  # fmt: skip
        set_to = None if tolerance is None else bare(tolerance, "degree", "tolerance", above=0)
        self.tolerance = set_to
        self._spread = np.array([spacing[1] / 2, spacing[0] / 2]) if set_to is None else np.array([set_to, set_to])
        self._lattice = rows, columns
        self._refuse_lines()

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
        }

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
        return at if head in (None, self.reference) else self._carried(self._known(str(head)), at)

    def stretch(self, head: str, *, finer: int = 1) -> np.ndarray:
        """Return how a head's face is stretched at each place against the reference's, ``(place, 2, 2)``.

        Entry (a, b) is by how many degrees the place on the head moves along a (x, y) when that on the reference moves
        by one along b.
        """
        at = self._reference(finer)
        if head == self.reference:
            return np.broadcast_to(np.eye(2), (len(at), 2, 2)).copy()
        name = self._known(head)
        steps = [self._spline(name, at + step) - self._spline(name, at - step) for step in (np.eye(2) * _STEP)]
        return np.stack(steps, -1) / (2 * _STEP)

    def windows(self, head: str, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a head's windows over pixels at ``y`` and ``x``, ``(place, y)`` and ``(place, x)``; rows sum to 1."""
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
        if head not in self._marked:
            hint = "Make the grid from a set with the norms of all heads"
            raise unknown(f"{self.norm_by} of the grid", str(head), self._marked, hint=hint)
        return head

    def _degrees(self, px: np.ndarray) -> np.ndarray:
        steps = [(axis[-1] - axis[0]) / max(len(axis) - 1, 1) for axis in (self._x, self._y)]
        return np.stack([axis[0] + (px[:, i] - 0.5) * step for i, (axis, step) in
                         enumerate(zip((self._x, self._y), steps, strict=True))], -1)  # fmt: skip

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

    def _refuse_lines(self) -> None:
        for name, at in self._marked.items():
            away = at - at.mean(axis=0)
            if len(at) < 3 or np.linalg.svd(away, compute_uv=False)[1] < 1e-3 * np.abs(away).max():
                raise need("three or more points that lie not on a line", f"{len(at)} on {name!r}")


def _marked(
    faces: xr.Dataset,
    chosen: np.ndarray,
    landmarks: xr.DataArray | None,
    norm_by: str,
    points: Sequence[str] | None,
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Return the points' names and where they lie on each head's norm, px ``(point, 2)``."""
    if landmarks is None:
        if "landmark" not in faces.coords:
            todo = "Render faces (they have landmarks), read a file of points, or find them with nr.find_landmarks"
            raise need("faces with landmarks, landmark (stimulus, point, axis)", "none", todo)
        landmarks = faces["landmark"]
    if not isinstance(landmarks, xr.DataArray) or set(landmarks.dims) != {"stimulus", "point", "axis"}:
        came = landmarks.dims if isinstance(landmarks, xr.DataArray) else type(landmarks).__name__
        raise need("landmarks as an array landmark (stimulus, point, axis) in px", came, kind=TypeError)
    known = [str(name) for name in landmarks["point"].values]
    if points is None:
        points = POINTS if set(POINTS) <= set(known) else known
    for name in points:
        if name not in known:
            raise unknown("point", name, known)
    at = landmarks.transpose("stimulus", "point", "axis").values[:, [known.index(str(name)) for name in points]]
    rows = {str(name): i for i, name in enumerate(landmarks["stimulus_id"].values)}
    heads: dict[str, list[np.ndarray]] = {}
    for i in np.flatnonzero(chosen):
        head, name = str(faces[norm_by].values[i]), str(faces["stimulus_id"].values[i])
        if head and name in rows:
            px = at[rows[name]]
            if not np.isfinite(px).all():
                lost = [str(point) for point, pair in zip(points, px, strict=True) if not np.isfinite(pair).all()]
                raise need(f"all points on the norm {name!r}", f"none for {', '.join(lost)}", "Leave them out: points=")
            heads.setdefault(head, []).append(px)
    return [str(name) for name in points], {head: np.mean(several, axis=0) for head, several in heads.items()}


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
