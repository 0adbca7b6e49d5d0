"""On the picture: which orientation V1 sees where, where the windows of a pool lie, and landmarks."""

from __future__ import annotations

import json
from typing import Protocol

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.colors import to_rgb

from nrsim import pixels
from nrsim.errors import need, unknown
from nrsim.plot import style
from nrsim.plot.energy import chosen
from nrsim.quantities import bare
from nrsim.schema import check

_BARS = 22  # a side at most, of the picture of orientations (chosen: each is still seen)
_NAMED = 16  # places at most whose names are written on the picture


class _Pool(Protocol):
    @property
    def place_names(self) -> list[str] | None: ...

    def windows(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]: ...


def v1_orientation(
    seen: xr.Dataset,
    faces: xr.Dataset | None = None,
    *,
    stimulus: str | None = None,
    frequency: float | None = None,
    frame: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which orientation V1 sees where, as bars on the picture.

    Each bar stands for a place: it points along the bars of the grating that the place answers to, and is the longer
    the more the place does so and the less to others, √|Σ e exp(2iθ)| over the orientations θ, relative to the largest,
    which is as long as its block or, at places, as a window is wide (twice the pool's tolerance, where it is known).

    Parameters
    ----------
    seen
        A V1Response with energy, of two or more orientations, at every pixel (averaged over blocks, so that there are
        at most 22 bars a side) or pooled.
    faces
        The StimulusSet that it is of: the picture is drawn under the bars. Default: none.
    stimulus
        A ``stimulus_id``. Default: the first.
    frequency
        Of the channels, cycles/degree. Default: their sum.
    frame
        Of a moving stimulus, from 0. Default: the middle one.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError, ValueError
        If it is no V1Response with energy, or has no such stimulus, frequency or frame.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.example("StimulusSet")
    >>> seen = nr.V1Bank([1.0, 2.0]).transform(faces, pool=nr.PooledEnergy(size=8))
    >>> ax = nr.plot.v1_orientation(seen, faces, stimulus="human-angry-+1.00")
    >>> ax.get_xlabel()
    'x (degree)'
    """
    array, title, name = chosen(seen, stimulus, None, frame)
    if name != "energy":
        raise need("energy", name, "V1Bank.transform returns it")
    if array.sizes["orientation"] < 2:
        raise need("two or more orientations", f"{array.sizes['orientation']}")
    if frequency is not None:
        known = [float(each) for each in array["frequency"].values]
        if frequency not in known:
            raise unknown("frequency", frequency, [f"{each:g}" for each in known])
        array = array.isel(frequency=[known.index(frequency)])
        title += f", {frequency:g} cycles/degree"
    turn = np.exp(2j * np.deg2rad(array["orientation"].values))
    if "place" in array.dims:
        values = array.transpose("frequency", "orientation", "place").values.sum(0)
        x, y = array["place_x"].values, array["place_y"].values
        apart = np.hypot(x[:, None] - x, y[:, None] - y) + np.diag(np.full(len(x), np.inf))
        room = _window(seen) or (float(np.median(apart.min(1))) if len(x) > 1 else 0.0)
    else:
        maps = array.transpose("frequency", "orientation", "y", "x").values.sum(0)
        step = max(1, -(-max(maps.shape[1:]) // _BARS))
        ny, nx = maps.shape[1] // step, maps.shape[2] // step
        blocks = maps[:, : ny * step, : nx * step].reshape(len(maps), ny, step, nx, step).mean((2, 4))
        values = blocks.reshape(len(maps), -1)
        rows, columns = (array[axis].values[: n * step].reshape(n, step).mean(1) for axis, n in (("y", ny), ("x", nx)))
        x, y = (each.ravel() for each in np.meshgrid(columns, rows))
        room = abs(columns[1] - columns[0]) if nx > 1 else 0.0
    total = (values * turn[:, None]).sum(0)
    length = np.sqrt(np.abs(total) / (np.abs(total).max() or 1.0))
    bar = np.angle(total) / 2 + np.pi / 2  # a grating of orientation 0 has vertical bars
    half = 0.5 * (room or 0.5) * length
    dx, dy = half * np.cos(bar), half * np.sin(bar)
    ends = np.stack([np.stack([x - dx, y - dy], -1), np.stack([x + dx, y + dy], -1)], axis=1)
    ax = style.axes_or_new(ax, (4.2, 4.2))
    colour = style.PALETTE[0]
    if faces is not None:
        _picture(faces, seen, stimulus, frame, ax, veil=0.55)
        colour = style.PALETTE[1]
    ax.add_collection(LineCollection(list(ends), colors=colour, linewidths=1.6, capstyle="round"))
    if faces is None:
        margin = 0.6 * (room or 1.0)
        ax.set(xlim=(x.min() - margin, x.max() + margin), ylim=(y.min() - margin, y.max() + margin))
    ax.set_aspect("equal")
    ax.set(xlabel="x (degree)", ylabel="y (degree)", title=title)
    return ax


def _window(seen: xr.Dataset) -> float:
    """Return the width of a place's window, two of its standard deviations, degree; 0 where it is not known."""
    try:
        tolerance = json.loads(seen.attrs["pool"])["tolerance"]
        return 2 * bare(tolerance, "degree", "tolerance", above=0)
    except (KeyError, TypeError, ValueError):
        return 0.0


def _picture(
    faces: xr.Dataset, seen: xr.Dataset | None, stimulus: str | None, frame: int | None, ax: Axes, veil: float = 0.0
) -> None:
    """Draw the picture of a stimulus in degrees; ``veil`` lightens it, so that what lies on it is seen."""
    check(faces, "StimulusSet", values=False)
    name = stimulus if seen is None or stimulus is not None else str(seen["stimulus_id"].values[0])
    picture = faces["image"].isel(stimulus=style.position(faces, "stimulus", name, "stimulus_id"))
    if "frame" in picture.dims:
        picture = picture.isel(frame=picture.sizes["frame"] // 2 if frame is None else frame)
    y, x = picture["y"].values, picture["x"].values
    half = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5
    extent = (x[0] - half, x[-1] + half, y[-1] - half, y[0] + half)
    shown = (1 - veil) * picture.values + veil
    ax.imshow(shown, cmap="gray", vmin=0.0, vmax=1.0, extent=extent, interpolation="antialiased")


def pools(
    faces: xr.Dataset, pool: _Pool, *, stimulus: str | None = None, frame: int | None = None, ax: Axes | None = None
) -> Axes:
    """Draw where a pool's windows lie on a picture: for each a circle of one standard deviation about its centre.

    Parameters
    ----------
    faces
        A StimulusSet.
    pool
        A :class:`nrsim.PooledEnergy`, or any pool of one's own.
    stimulus
        The ``stimulus_id`` of the picture. Default: the first.
    frame
        Of a moving stimulus, from 0. Default: the middle one.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Centre and standard deviation are those of the window's weights: one that reaches beyond the picture is cut
        there. Up to 16 places are named.

    Raises
    ------
    SchemaError, ValueError, TypeError
        If it is no valid StimulusSet, has no such stimulus, or ``pool`` is no pool of these pictures.

    Examples
    --------
    >>> import nrsim as nr
    >>> eyes = nr.PooledEnergy(places={"left": (-0.5, 0.3), "right": (0.5, 0.3)}, tolerance=0.25)
    >>> ax = nr.plot.pools(nr.example("StimulusSet"), eyes)
    >>> [text.get_text() for text in ax.texts]
    ['left', 'right']
    """
    check(faces, "StimulusSet", values=False)
    if isinstance(pool, type) or not hasattr(pool, "windows") or not hasattr(pool, "place_names"):
        came = f"the class {pool.__name__}" if isinstance(pool, type) else type(pool).__name__
        raise need("a pool, such as nr.PooledEnergy(size=16)", came, kind=TypeError)
    y, x = faces["y"].values, faces["x"].values
    (cy, sy), (cx, sx) = (_moments(w, axis) for w, axis in zip(pool.windows(y, x), (y, x), strict=True))
    if pool.place_names is None:
        cx, cy = (each.ravel() for each in np.meshgrid(cx, cy))
        sx, sy = (each.ravel() for each in np.meshgrid(sx, sy))
    ax = style.axes_or_new(ax, (4.2, 4.2))
    _picture(faces, None, stimulus, frame, ax)
    many = len(cx) > 100
    circles = EllipseCollection(
        2 * sx,
        2 * sy,
        np.zeros(len(cx)),
        units="xy",
        offsets=np.stack([cx, cy], -1),
        offset_transform=ax.transData,
        facecolors="none",
        edgecolors=style.PALETTE[1],
        linewidths=0.6 if many else 1.3,
    )
    ax.add_collection(circles)
    ax.plot(cx, cy, ".", color=style.PALETTE[4], markersize=2 if many else 4)
    for name, a, b, up in zip(pool.place_names or [], cx, cy, sy, strict=False):
        if len(cx) <= _NAMED:
            box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1.0}
            ax.annotate(
                name.replace("_", " "), (a, b + up), (0, 3), textcoords="offset points", ha="center", bbox=box, size=8
            )
    ax.set(xlabel="x (degree)", ylabel="y (degree)")
    return ax


def landmarks(
    faces: xr.Dataset,
    found: xr.DataArray | None = None,
    *,
    stimulus: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a face's landmarks on its picture: crosses where they are marked, circles where they were found.

    Parameters
    ----------
    faces
        A StimulusSet of still faces; the crosses are its ``landmark``, where it has them.
    found
        From :func:`nrsim.find_landmarks`: the row of the same ``stimulus_id`` is drawn. Default: none. A circle is
        filled by its ``confidence``, empty at 0 and full at 1 or where it was marked and not found. Points of
        :func:`nrsim.read_landmarks` are scaled where pictures were resized.
    stimulus
        The ``stimulus_id`` of the picture. Default: the first.
    ax
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SchemaError, ValueError
        If it is no valid StimulusSet, has no such stimulus or moves; or there are no landmarks to draw.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "macaque"}], size=64, landmarks="alignment")
    >>> len(nr.plot.landmarks(faces).collections)
    1
    """
    check(faces, "StimulusSet", values=False)
    if "frame" in faces["image"].dims:
        todo = "Take one frame of each, nr.stack_frames(faces, frames=[0])"
        raise need("still faces", f"{faces.sizes['frame']} frames", todo)
    row = style.position(faces, "stimulus", stimulus, "stimulus_id")
    name = str(faces["stimulus_id"].values[row])
    if found is None and "landmark" not in faces.coords:
        raise need("faces with landmark, or found=", "faces without landmarks")
    if found is not None and (
        not isinstance(found, xr.DataArray)
        or set(found.dims) != {"stimulus", "point", "axis"}
        or "stimulus_id" not in found.coords
    ):
        came = f"the dims {found.dims}" if isinstance(found, xr.DataArray) else type(found).__name__
        raise need("found: landmark (stimulus, point, axis) with stimulus_id, as nr.find_landmarks returns", came)
    x, y = faces["x"].values, faces["y"].values
    marked = here = None
    if "landmark" in faces.coords:
        marked = faces["landmark"].isel(stimulus=row).transpose("point", "axis").sel(axis=["x", "y"]).values
        if found is None and not np.isfinite(marked).any():
            raise need(f"landmarks on {name!r}", "a face that is not marked")
    if found is not None:
        ids = [str(each) for each in found["stimulus_id"].values]
        if name not in ids:
            raise unknown("stimulus_id of the landmarks found", name, ids)
        here = found.isel(stimulus=ids.index(name)).transpose("point", "axis").sel(axis=["x", "y"])
        px = pixels.stored(here.values, found, faces, row)
    ax = style.axes_or_new(ax, (4.2, 4.2))
    _picture(faces, None, name, None, ax)
    if marked is not None:
        across, down = pixels.degrees(marked, y, x).T
        ax.scatter(across, down, marker="+", s=50, color=style.PALETTE[0], label="marked")
    if here is not None:
        across, down = pixels.degrees(px, y, x).T
        sure = here["confidence"].values if "confidence" in here.coords else np.ones(here.sizes["point"])
        full = np.where(np.isfinite(sure), sure, 1.0)  # marked, not found
        colour = to_rgb(style.PALETTE[1])
        ax.scatter(
            across,
            down,
            s=30,
            facecolors=[(*colour, alpha) for alpha in np.clip(full, 0, 1)],
            edgecolors=[colour],
            label="found",
        )
    if len(ax.collections) > 1:
        ax.legend(loc="lower right", frameon=True, fontsize=8)
    ax.set(xlabel="x (degree)", ylabel="y (degree)", title=name)
    return ax


def _moments(weights: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each window's centre and standard deviation; at least half a pixel, which no window is narrower than."""
    weights = weights / weights.sum(axis=1, keepdims=True)
    centre = weights @ positions
    spread = np.sqrt(np.maximum(weights @ positions**2 - centre**2, 0))
    half = abs(positions[1] - positions[0]) / 2 if len(positions) > 1 else 0.5
    return centre, np.maximum(spread, half)
