"""Where the places of a face lie on every head, and how far what is seen there has moved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from nrsim.errors import need, unknown
from nrsim.plot import style

_SIDES = {"left": ("<", style.PALETTE[0]), "right": (">", style.PALETTE[1]), "": ("o", style.PALETTE[4])}
_LEAST = 0.01  # degree: shorter displacements are not magnified to the full length of an arrow (chosen)
_FAINTEST = 0.15  # of an arrow of no length (chosen)


class Grid(Protocol):
    """What :class:`nrsim.FaceGrid` has."""

    norm_by: str
    size: list[int]
    points: list[str]
    confidence: dict[str, np.ndarray]

    @property
    def heads(self) -> list[str]:
        """Names of the heads."""

    def places(self, head: str | None = None, *, finer: int = 1) -> np.ndarray:
        """Return the places on a head, degree."""

    def stretch(self, head: str, *, finer: int = 1) -> np.ndarray:
        """Return how the face is stretched at each place."""

    def marked(self, head: str) -> np.ndarray:
        """Return the points on a head's norm, degree."""


def face_grid(grid: Grid, faces: xr.Dataset, *, heads: Sequence[str] | None = None) -> np.ndarray:
    """Draw a grid of the face, and the points that it hangs on, on the picture of each head, in a new figure.

    Points whose name says left are blue triangles to the left, those of the right orange ones to the right, others
    yellow: on a head where left and right were exchanged, the colours are. Where points were found, the title says
    their mean confidence, and a point is the paler the less sure it is.

    Parameters
    ----------
    grid
        A :class:`nrsim.FaceGrid`; of features, ``nr.FaceGrid.of(features)``.
    faces
        The set it was made of: a picture of each head, the one of least intensity, is drawn.
    heads
        Which heads. Default: the first six of the grid.

    Returns
    -------
    numpy.ndarray
        Axes, one a head.

    Raises
    ------
    ValueError, TypeError
        If it is no grid, a head is unknown, or there is no picture of it.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": name} for name in ("human", "macaque")], size=64)
    >>> axes = nr.plot.face_grid(nr.FaceGrid(faces, "human"), faces)
    """
    _check_grid(grid)
    _check_faces(faces)
    shown = list(grid.heads)[:6] if heads is None else [heads] if isinstance(heads, str) else [str(h) for h in heads]
    if not shown:
        raise need("one head or more", "none")
    for name in shown:
        if name not in grid.heads:
            raise unknown("head of the grid", name, grid.heads)
    figure, axes = plt.subplots(1, len(shown), figsize=(2.9 * len(shown), 3.7), layout="constrained", squeeze=False)
    for ax, name in zip(axes[0], shown, strict=True):
        _picture(ax, faces, grid.norm_by, name)
        rows = grid.places(name).reshape(*grid.size, 2)
        for lines in (rows, np.swapaxes(rows, 0, 1)):
            ax.plot(*np.moveaxis(np.concatenate([lines, np.full_like(lines[:, :1], np.nan)], 1).reshape(-1, 2), -1, 0),
                    color=style.PALETTE[5], linewidth=0.5)  # fmt: skip
        sure = grid.confidence.get(name)
        _points(ax, grid.points, grid.marked(name), sure)
        ax.set_title(name if sure is None else f"{name} (found, {sure.mean():.2f})")
    sides = {_side(name) for name in grid.points}
    if len(sides) > 1:
        marks = [
            Line2D([], [], marker=marker, color=colour, linestyle="", label=f"…{side}" if side else "others")
            for side, (marker, colour) in _SIDES.items()
            if side in sides
        ]
        figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False)
    return axes[0]


def displacement(
    features: xr.Dataset,
    faces: xr.Dataset,
    stimulus_id: str,
    *,
    grid: Grid | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the displacement of what is seen, an arrow at each place, over the picture of a stimulus.

    Arrows are magnified so that the longest reach about as far as one and a half places are apart; the arrow under the
    picture says what is how many degrees. The shorter an arrow, the fainter.

    Parameters
    ----------
    features
        Features of :meth:`nrsim.PhaseDisplacement.transform`.
    faces
        The pictures.
    stimulus_id
        Which stimulus.
    grid
        The :class:`nrsim.FaceGrid` that the features were made with: arrows are drawn where the places lie on the
        stimulus's own head, as what is seen there moved. Default: where they lie on the reference, in its degrees.
    ax
        Axes to draw into.

    Raises
    ------
    ValueError, TypeError
        If there is no such stimulus, or the features are no displacements.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human", "stimulus_id": "neutral"},
    ...     {"domain": "human", "expression": "surprised", "intensity": 1.0, "stimulus_id": "surprised"}], size=64)
    >>> moved = nr.PhaseDisplacement(12)
    >>> seen = nr.V1Bank([0.5, 1, 2, 4]).responses(faces, pool=moved)
    >>> ax = nr.plot.displacement(moved.fit(seen).transform(seen), faces, "surprised")
    """
    if not isinstance(features, xr.Dataset):
        raise need("features of PhaseDisplacement", type(features).__name__, kind=TypeError)
    own = {"feature_axis", "feature_x", "feature_y"} <= set(features.coords)
    if not own or features["value"].attrs.get("units") != "degree" or "frame" in features.dims:
        came = "moving ones" if "frame" in features.dims else "others"
        todo = "Joined cues are no longer in degrees: draw those of PhaseDisplacement.transform, of still faces"
        raise need("features of PhaseDisplacement", came, todo)
    _check_faces(faces)
    ids = [str(name) for name in features["stimulus_id"].values]
    pictures = [str(name) for name in faces["stimulus_id"].values]
    for what, known in (("stimulus of the features", ids), ("stimulus of the pictures", pictures)):
        if stimulus_id not in known:
            raise unknown(what, stimulus_id, known)
    ax = style.axes_or_new(ax, (4.2, 4.6))
    number = pictures.index(stimulus_id)
    _picture(ax, faces.isel(stimulus=[number]), None, stimulus_id)
    value = features["value"].values[ids.index(stimulus_id)].reshape(-1, 2)
    at = np.stack([features["feature_x"].values, features["feature_y"].values], -1).reshape(-1, 2, 2)[:, 0]
    if grid is not None:
        _check_grid(grid)
        head = str(faces[grid.norm_by].values[number])
        at, value = grid.places(head), np.einsum("pab,pb->pa", grid.stretch(head), value)
        if len(at) != len(value):
            raise need("the grid that the features were made with", f"one of {len(at)} places for {len(value)}")
    length = np.linalg.norm(value, axis=1)
    apart = np.linalg.norm(at[:, None] - at[None], axis=-1) + np.diag(np.full(len(at), np.inf))
    step = float(np.median(apart.min(axis=1))) if len(at) > 1 else 0.5
    longest = max(float(np.quantile(length, 0.98)), _LEAST)
    alpha = _FAINTEST + (1 - _FAINTEST) * np.clip(length / longest, 0, 1)
    drawn = ax.quiver(
        *at.T,
        *value.T,
        color=[to_rgba(style.PALETTE[1], float(each)) for each in alpha],
        angles="xy",
        scale_units="xy",
        scale=longest / (1.5 * step),
        units="xy",
        width=0.12 * step,
        headwidth=4,
        minlength=0.5,
    )
    told = _round(longest)
    ax.set_xlabel("\n")  # room for the arrow that says how long is what
    ax.quiverkey(drawn, 0.42, -0.06, told, f"{told:g} degrees", labelpos="E", color=style.PALETTE[1])
    ax.set_title(f"{stimulus_id}: displacement")
    return ax


def _points(ax: Axes, names: Sequence[str], at: np.ndarray, sure: np.ndarray | None) -> None:
    """Draw points, each side in its colour, the paler the less sure they are."""
    sides = [_side(name) for name in names]
    full = np.ones(len(names)) if sure is None else np.clip(np.nan_to_num(sure), 0.1, 1)
    for side, (marker, colour) in _SIDES.items():
        here = [i for i, each in enumerate(sides) if each == side]
        if here:
            faces = [to_rgba(colour, float(full[i])) for i in here]
            across, up = at[here].T
            look: dict[str, Any] = {"s": 34, "marker": marker, "c": faces, "edgecolors": "white", "linewidths": 0.7}
            ax.scatter(across, up, zorder=3, **look)


def _side(name: str) -> str:
    words = set(re.split(r"[^a-z]+", name.lower()))
    return next((side for side in ("left", "right") if side in words), "")


def _round(length: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above ``length``."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(round(max(each for each in (1, 2, 5) if each * power <= length * 1.0001) * power, 12))


def _check_grid(grid: Any) -> None:
    if isinstance(grid, xr.Dataset):
        todo = "Is the order exchanged? Of features, nr.FaceGrid.of(features) returns it"
        raise need("grid: a nr.FaceGrid", "a Dataset", todo, kind=TypeError)
    if isinstance(grid, type) or not all(hasattr(grid, name) for name in ("heads", "places", "marked", "stretch")):
        raise need("grid: a nr.FaceGrid", repr(grid), kind=TypeError)


def _check_faces(faces: Any) -> None:
    if not isinstance(faces, xr.Dataset) or "image" not in faces:
        came = "a Dataset without image" if isinstance(faces, xr.Dataset) else type(faces).__name__
        raise need("faces: a StimulusSet, whose pictures are drawn", came, kind=TypeError)


def _picture(ax: Any, faces: xr.Dataset, norm_by: str | None, name: str) -> None:
    number = 0
    if norm_by is not None:
        if norm_by not in faces.coords:
            raise need(f"faces with the label {norm_by!r}", "none")
        here = np.flatnonzero(np.array([str(each) for each in faces[norm_by].values]) == name)
        if not len(here):
            raise need(f"a picture with {norm_by} = {name!r}", "none")
        level = np.abs(faces["intensity"].values[here]) if "intensity" in faces.coords else np.zeros(len(here))
        number = int(here[np.nanargmin(level)])
    image = faces["image"][number]
    y, x = faces["y"].values, faces["x"].values
    half = abs(x[1] - x[0]) / 2
    if image.ndim != 2:
        raise need("still faces to draw", "moving ones", "nr.stack_frames makes stills of them")
    extent = (x[0] - half, x[-1] + half, y[-1] - half, y[0] + half)
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, extent=extent)
    ax.set(xticks=[], yticks=[])
