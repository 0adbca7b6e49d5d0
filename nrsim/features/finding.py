"""Landmarks of new faces, found from V1 responses alone by a few faces on which they are marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from tqdm import tqdm

from nrsim import labels, pixels
from nrsim.errors import need
from nrsim.features import graph, profiles
from nrsim.features.marks import names_of
from nrsim.quantities import bare
from nrsim.schema import check

_FEWEST = 3  # points that give a face a place, a size and an aspect


def find_landmarks(
    faces: xr.Dataset,
    *,
    like: xr.Dataset,
    points: Sequence[str] | None = None,
    size: Sequence[float] = (0.5, 1.7),
    aspect: Sequence[float] = (0.7, 1.4),
    deformation: float = 0.12,
    progress: bool = False,
) -> xr.DataArray:
    """Return the landmarks of faces, found where V1 shows what it shows at the landmarks of a few marked faces.

    An elastic graph (after Wiskott, Fellous, Krüger & von der Malsburg 1997), for upright faces seen from the front.
    What a place shows is the profile of its energy over orientations, A / (√(mean A²) + floor) at each frequency, which
    depends little on contrast and on how light the skin is. First the whole marked face is matched at every place,
    size and aspect with the low frequencies. Then each point moves to where the profiles in a Gaussian window around it
    correlate best with the marked ones, from low to high frequencies. A prior holds the points together: a head differs
    from the marked ones by a smooth field of displacements, nearly the same on both sides of the face where the marked
    points are symmetric. Of a face of another size the frequencies are read as much lower or higher.

    Parameters
    ----------
    faces
        A V1Response of the new faces, ``energy (stimulus, frequency, orientation, y, x)``, dense, of still faces.
        Neutral ones: an open mouth is not where a closed one is. Half an octave between the frequencies is best: for
        faces of other sizes what lies between them is read. Energy from disk is read one face at a time.
    like
        A V1Response of one or a few faces with ``landmark``, of the same bank: in px of the picture as stored, or of
        its file, as :func:`nrsim.read_landmarks` returns them, where :func:`nrsim.load_folder` resized it.
    points
        Which of the landmarks of ``like``, three or more. Default: all.
    size
        The smallest and the largest size tried, of the face in degrees, relative to the marked ones. Default 0.5 to 1.7
        (chosen).
    aspect
        The narrowest and the widest, width over height relative to the marked ones. Default 0.7 to 1.4 (chosen).
    deformation
        Standard deviation of the field of displacements, in the RMS distance of the points from their middle. Default
        0.12 (chosen: random identities of the renderer have half of it).
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.DataArray
        ``landmark (stimulus, point, axis)`` in px, 0 = left, top edge, as :func:`nrsim.read_landmarks` returns it, with
        the labels of ``faces`` and ``confidence (stimulus, point)``: how alike the place found is to the marked ones,
        the correlation of the profiles around both, averaged over frequencies; 1 = the same.

    Raises
    ------
    SchemaError, ValueError, TypeError
        If these are no V1Responses with dense energy of still faces, ``like`` has no landmarks, some outside of the
        picture or missing, the channels differ, or a picture is too small for the smallest size.

    Examples
    --------
    >>> import nrsim as nr
    >>> both = nr.render_faces([{"domain": "human"}, {"domain": "macaque"}], size=96, landmarks="alignment")
    >>> seen = nr.V1Bank([1, 1.4, 2, 2.8, 4, 5.6]).transform(both)
    >>> found = nr.find_landmarks(nr.select(seen, domain="macaque"), like=nr.select(seen, domain="human"))
    >>> apart = abs(found - both["landmark"].isel(stimulus=1)).max()
    >>> found.dims, bool(apart < 3)
    (('stimulus', 'point', 'axis'), True)
    """
    energy = _energy(faces, "faces")
    marked = _energy(like, "like")
    for name in ("frequency", "orientation"):
        _same(faces[name].values, like[name].values, name)
    channels = profiles.Channels(faces["frequency"].values.astype(float), faces["orientation"].values.astype(float))
    if len(channels.orientation) < 2:
        raise need("energy of two or more orientations", f"{len(channels.orientation)}")
    if not marked.sizes["stimulus"]:
        raise need("like: one or more marked faces", "none")
    names, places = _marked(like, points)
    sizes, aspects = (_steps(pair, what) for pair, what in ((size, "size"), (aspect, "aspect")))
    deformation = bare(deformation, "1", "deformation", above=0)
    there = _pixel(like)
    elastic = graph.Graph(channels, [_seen(marked, i, there) for i in range(len(marked))], places * there, deformation)
    here = _pixel(faces)
    ids = [str(name) for name in faces["stimulus_id"].values]
    found = np.empty((len(ids), len(names), 2))
    alike = np.empty((len(ids), len(names)))
    shown = tqdm(ids, desc="landmarks", unit="face", disable=None if progress else True)
    for i, name in enumerate(shown):
        one = elastic.find(_seen(energy, i, here), sizes, aspects)
        if one is None:
            todo = "Show it on a larger picture, or let size= begin lower"
            smallest = f"a picture in which a face of {sizes[0]:g} times the marked one's size has room"
            raise need(smallest, f"one of {energy.sizes['x']} by {energy.sizes['y']} px ({name!r})", todo)
        found[i], alike[i] = one.points / here, one.alike
    about = {"units": "1", "long_name": "correlation with the marked faces"}
    coords = {
        **labels.carried(faces),
        "point": ("point", names),
        "axis": ("axis", ["x", "y"]),
        "confidence": (("stimulus", "point"), alike, about),
    }
    told = {"units": "px", "long_name": "landmark, 0 = left, top edge", "picture": "stored"}
    return xr.DataArray(found, coords, ("stimulus", "point", "axis"), name="landmark", attrs=told)


def _energy(seen: xr.Dataset, what: str) -> xr.DataArray:
    """Return the energy of still faces at every pixel, ``(stimulus, frequency, orientation, y, x)``."""
    if not isinstance(seen, xr.Dataset):
        raise need(f"{what}: a V1Response, which is an xarray.Dataset", type(seen).__name__, kind=TypeError)
    check(seen, "V1Response", values=False)
    if "energy" not in seen:
        raise need(f"{what} with energy", ", ".join(map(str, seen.data_vars)), "V1Bank.transform returns it")
    if "frame" in seen["energy"].dims:
        todo = "Take one frame of each, nr.stack_frames(faces, frames=[0]), before V1"
        raise need(f"{what}: energy of still faces", f"{seen.sizes['frame']} frames", todo)
    if "pool" in seen.attrs or "place" in seen["energy"].dims:
        raise need(f"{what}: energy at every pixel", "energy that is pooled", "Call V1Bank.transform without pool=")
    return seen["energy"].transpose("stimulus", "frequency", "orientation", "y", "x")


def _same(here: np.ndarray, there: np.ndarray, what: str) -> None:
    if here.shape != there.shape or not np.allclose(here, there):
        shown = [", ".join(f"{each:g}" for each in values) for values in (there, here)]
        todo = "Let one bank see both"
        raise need(f"faces seen with the {what} of like ({shown[0]})", shown[1], todo)


def _marked(like: xr.Dataset, points: Sequence[str] | None) -> tuple[list[str], np.ndarray]:
    """Return the points' names and where they are marked, ``(stimulus, point, 2)`` px."""
    if "landmark" not in like.coords:
        todo = "like = like.assign_coords(landmark=nr.read_landmarks(…)) where the rows are the same faces"
        raise need("like: faces with landmark (stimulus, point, axis)", "faces without", todo)
    landmark = like["landmark"].transpose("stimulus", "point", "axis").sel(axis=["x", "y"])
    known = [str(name) for name in landmark["point"].values]
    names = known if points is None else names_of(points, known)
    if len(names) < _FEWEST:
        raise need(f"{_FEWEST} or more landmarks", f"{len(names)}")
    values = landmark.values[:, [known.index(name) for name in names]].astype(float)
    values = np.stack([pixels.stored(each, like["landmark"], like, i) for i, each in enumerate(values)])
    edge = np.array([like.sizes["x"], like.sizes["y"]], dtype=float)
    for wrong, came in (
        (~np.isfinite(values).all(axis=2), "is missing"),
        (((values < 0) | (values > edge)).any(axis=2), "lies outside of it"),
    ):
        if wrong.any():
            face, point = np.argwhere(wrong)[0]
            who = str(like["stimulus_id"].values[face])
            todo = (
                "Name the points to find, points=[…]" if came == "is missing" else "Landmarks are in px of the picture"
            )
            raise need(
                "landmarks within the picture of every face of like", f"{names[point]!r} of {who!r}, which {came}", todo
            )
    spread = values.max(axis=1) - values.min(axis=1)
    if (spread < 4).any():
        who = str(like["stimulus_id"].values[int(np.argwhere(spread < 4)[0, 0])])
        raise need("landmarks that span 4 px or more along x and y", f"those of {who!r}, which do not")
    return names, values


def _steps(pair: Sequence[float], what: str) -> list[float]:
    """Return factors from the first to the second, evenly spaced in octaves."""
    if isinstance(pair, str) or not isinstance(pair, Iterable) or len(list(pair)) != 2:
        raise need(f"{what}: (smallest, largest), relative to the marked faces", repr(pair))
    low, high = (bare(each, "1", what, above=0) for each in pair)
    if high < low:
        raise need(f"{what}: (smallest, largest)", f"({low:g}, {high:g})")
    below = np.arange(0.0, np.log2(low) - 1e-9, -graph.OCTAVES)[::-1] if low <= 1 <= high else np.array([np.log2(low)])
    above = np.arange(below[-1], np.log2(high) + 1e-9, graph.OCTAVES)
    return [float(2**each) for each in np.unique(np.concatenate([below, above]).round(9))]


def _pixel(seen: xr.Dataset) -> np.ndarray:
    """Return the size of a pixel along x and y, degree."""
    steps = []
    for axis in ("x", "y"):
        at = seen[axis].values
        if len(at) < 2:
            raise need("pictures of two or more pixels a side", f"{len(at)} along {axis}")
        steps.append(abs(at[-1] - at[0]) / (len(at) - 1))
    return np.array(steps)


def _seen(energy: xr.DataArray, i: int, pixel: np.ndarray) -> profiles.Seen:
    values = np.asarray(energy.isel(stimulus=i).values)
    if not np.isfinite(values).all():
        raise need("finite energies", f"NaN or infinity in {str(energy['stimulus_id'].values[i])!r}")
    return profiles.Seen(profiles.profile(values).reshape(-1, *values.shape[2:]), pixel)
