"""Where the places of a face lie on every head, and how far what is seen there has moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from nrsim.errors import need, unknown
from nrsim.plot import style


class Grid(Protocol):
    """What :class:`nrsim.FaceGrid` has."""

    norm_by: str
    size: list[int]
    points: list[str]

    @property
    def heads(self) -> list[str]:
        """Names of the heads."""

    def places(self, head: str | None = None, *, finer: int = 1) -> np.ndarray:
        """Return the places on a head, degree."""

    def marked(self, head: str) -> np.ndarray:
        """Return the points on a head's norm, degree."""


def face_grid(grid: Grid, faces: xr.Dataset, *, heads: Sequence[str] | None = None) -> np.ndarray:
    """Draw a grid of the face on the picture of each head, in a new figure.

    Parameters
    ----------
    grid
        A :class:`nrsim.FaceGrid`.
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
    ValueError
        If a head is unknown, or there is no picture of it.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": name} for name in ("human", "macaque")], size=64)
    >>> axes = nr.plot.face_grid(nr.FaceGrid(faces, "human"), faces)
    """
    shown = list(grid.heads)[:6] if heads is None else [str(name) for name in heads]
    for name in shown:
        if name not in grid.heads:
            raise unknown("head of the grid", name, grid.heads)
    figure, axes = plt.subplots(1, len(shown), figsize=(2.6 * len(shown), 3.0), layout="constrained", squeeze=False)
    for ax, name in zip(axes[0], shown, strict=True):
        _picture(ax, faces, grid.norm_by, name)
        rows = grid.places(name).reshape(*grid.size, 2)
        for lines in (rows, np.swapaxes(rows, 0, 1)):
            ax.plot(*np.moveaxis(np.concatenate([lines, np.full_like(lines[:, :1], np.nan)], 1).reshape(-1, 2), -1, 0),
                    color=style.PALETTE[5], linewidth=0.5)  # fmt: skip
        ax.plot(*grid.marked(name).T, ".", color=style.PALETTE[1], markersize=5)
        ax.set_title(name)
    return axes[0]


def displacement(features: xr.Dataset, faces: xr.Dataset, stimulus_id: str, *, ax: Axes | None = None) -> Axes:
    """Draw the displacement of what is seen, an arrow at each place, over the picture of a stimulus.

    Parameters
    ----------
    features
        Features of :meth:`nrsim.PhaseDisplacement.transform`.
    faces
        The pictures. With a FaceGrid, arrows are drawn where the places lie on the reference head.
    stimulus_id
        Which stimulus.
    ax
        Axes to draw into.

    Raises
    ------
    ValueError
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
    if "feature_axis" not in features.coords or "feature_x" not in features.coords:
        raise need("features of PhaseDisplacement", "others", "Of several cues choose it by the label cue")
    ids = [str(name) for name in features["stimulus_id"].values]
    if stimulus_id not in ids or stimulus_id not in faces["stimulus_id"].values.tolist():
        raise unknown("stimulus", stimulus_id, ids)
    ax = style.axes_or_new(ax, (3.6, 3.6))
    _picture(ax, faces.isel(stimulus=[faces["stimulus_id"].values.tolist().index(stimulus_id)]), None, stimulus_id)
    value = features["value"].values[ids.index(stimulus_id)].reshape(-1, 2)
    at = np.stack([features["feature_x"].values, features["feature_y"].values], -1).reshape(-1, 2, 2)[:, 0]
    ax.quiver(*at.T, *value.T, color=style.PALETTE[5], angles="xy", scale_units="xy", scale=0.5, width=0.004)
    ax.set_title(f"{stimulus_id}, displacement × 2")
    return ax


def _picture(ax: Any, faces: xr.Dataset, norm_by: str | None, name: str) -> None:
    number = 0
    if norm_by is not None:
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
