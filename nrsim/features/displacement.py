"""How far the face has moved from its norm at each place, from the phases of simple cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import NotFittedError, need
from nrsim.features.base import same_features
from nrsim.features.face_grid import FaceGrid
from nrsim.features.phase import displacement
from nrsim.features.places import OnHead
from nrsim.quantities import bare, whole
from nrsim.schema import check
from nrsim.windows import Pool

FINER = 2  # samples of the responses along each side of a place's cell (chosen: one a cycle of 8 cycles/degree)
# What responses must be made with, so that their phases are those of the picture
_SIGNED: Mapping[str, tuple[Any, ...]] = {"rectify": (False,), "normalise": ("none", "local_contrast")}


class PhaseDisplacement:
    """Displacement of what is seen at each place against the norm of the same head, by the phases of Gabor responses.

    A shift by δ turns the response of a channel of frequency f across the bars' normal n by −2π f n·δ. With z the
    complex response (even + i odd) to a face and r that to its norm, their correlation pooled about a place,
    C = Σ w z r*, carries that turn in its argument (Fleet & Jepson 1990; Wiskott et al. 1997 use it for jets; disparity
    neurons compare the two eyes so: Ohzawa, DeAngelis & Freeman 1990). The displacement at a place is the Gaussian
    posterior mean

        δ = (Σ k k' + λ I)⁻¹ Σ k (−arg C),  k = 2π f n weighted by √p,

    over all channels, from the lowest frequency to the highest: what the lower ones found says which turn of the phase
    is meant. A channel's precision is p = c² g: its coherence c = |C| / e, e = √(Σ w |z|² Σ w |r|²), squared, and its
    share of its frequency's energy at the place, g = e / (mean over orientations of e + σ · mean over places of the
    norm's); λ = 1 / prior².

    The phase turns with the frequencies that the picture has in a channel's band. In smooth pictures these lie below
    the preferred one, and displacements come out too short, alike on all heads: on rendered heads of 128 px by
    a factor of 0.6 at 8 cycles/degree to 1 at 0.5.

    Large receptive fields see a face from afar: around a face on a plain background displacement is not 0 (on rendered
    heads 0.2 to 0.65 of its squared length lies at places 0.25 degrees and more from the head). Making a place count
    only as far as there is energy at 2 and 4 cycles/degree takes that to 0.02 to 0.08, and recognition on heads never
    learned down with it, on three sets of rendered heads from 0.91, 0.81 and 0.92 to 0.86, 0.74 and 0.86 (with pooled
    energy beside it by 0.004 to 0.011). So it is not done.

    Also serves as ``pool=`` of :meth:`nrsim.V1Bank.responses`, which then samples the responses where they are needed:

    >>> import nrsim as nr
    >>> faces = nr.render_faces([{"domain": "human", "intensity": 0.0},
    ...     {"domain": "human", "expression": "surprised", "intensity": 0.5}], size=64)
    >>> moved = nr.PhaseDisplacement(size=8)
    >>> seen = nr.V1Bank(frequencies=[0.5, 1, 2, 4]).responses(faces, pool=moved)
    >>> features = moved.fit(seen).transform(seen)
    >>> features.sizes["feature"], bool(abs(features["value"][0]).max() < 1e-6)
    (128, True)

    Parameters
    ----------
    size
        Places along each side of the picture, or ``(rows, columns)``. Default 16 (chosen, as
        :class:`nrsim.PooledEnergy`).
    places
        Instead, a :class:`nrsim.FaceGrid`: the same places of the face on every head. Displacements are then given in
        the reference head's degrees: taken back by the local stretch of the head's face.
    prior
        How far faces are expected to move, standard deviation in degrees, against a phase error of 1 radian in one
        channel of full coherence that has all the energy. Default 0.6 (chosen). Larger trusts weak contrasts more.
    semi_saturation
        σ: below this share of a frequency's mean energy a place says little. Default 0.1 (chosen).

    Attributes
    ----------
    norms_
        Responses to each norm, complex ``(domain, frequency, orientation, sample)``.

    Raises
    ------
    ValueError, TypeError
        For values out of range.

    References
    ----------
    Fleet & Jepson (1990), Int J Comput Vision 5:77. Ohzawa, DeAngelis & Freeman (1990), Science 249:1037. Wiskott,
    Fellous, Krüger & von der Malsburg (1997), IEEE PAMI 19:775.
    """

    def __init__(
        self,
        size: int | tuple[int, int] = 16,
        *,
        places: FaceGrid | None = None,
        prior: float = 0.6,
        semi_saturation: float = 0.1,
    ) -> None:
        if places is not None and not isinstance(places, FaceGrid):
            raise need("places: a nr.FaceGrid, or None", repr(places), kind=TypeError)
        self.grid = places
        both = tuple(size) if isinstance(size, (list, tuple, np.ndarray)) else (size, size)
        if len(both) != 2:
            raise need("size: places a side, or (rows, columns)", repr(size))
        self.size = [whole(each, "size", low=1) for each in both]
        if places is not None:
            if self.size not in ([16, 16], list(places.size)):
                came = f"size={size!r} beside a grid of {places.size[0]} × {places.size[1]}"
                raise need("the size in the FaceGrid", came, "FaceGrid(size=…)")
            self.size = list(places.size)
        self.prior = bare(prior, "degree", "prior", above=0)
        self.semi_saturation = bare(semi_saturation, "1", "semi_saturation", above=0)

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        size = self.size if self.grid is None else self.grid.size
        return {"size": size, "places": self.grid, "prior": self.prior, "semi_saturation": self.semi_saturation}

    @property
    def statistic(self) -> str:
        """What is taken of a window: its response, the window being one pixel."""
        return "energy"

    @property
    def place_names(self) -> list[str]:
        """Names of the samples, row by row."""
        rows, columns = (FINER * n for n in self.size)
        return [f"row{i:03d} column{j:03d}" for i in range(rows) for j in range(columns)]

    def windows(self, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return single pixels where the responses are sampled, ``(sample, y)`` and ``(sample, x)``.

        Raises
        ------
        ValueError
            If there are fewer pixels than samples along a side, or, with a FaceGrid, pictures are of another size than
            those it was made on.
        """
        if self.grid is not None:
            self.grid.check_pictures(y, x)
            return _pixels(self.grid.places(finer=FINER), y, x)
        return _pixels(_even(np.asarray(y, float), np.asarray(x, float), self.size), y, x)

    def groups(self, faces: xr.Dataset) -> dict[str, tuple[np.ndarray, Pool]] | None:
        """Return name → (numbers of the stimuli, their samples) of the heads whose places differ, or None."""
        if self.grid is None:
            return None
        return {name: (rows, OnHead(self, self._sampler(name))) for name, rows in self.grid.groups(faces).items()}

    def _sampler(self, head: str) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        if self.grid is None:
            raise ValueError("internal: no grid")
        grid, at = self.grid, self.grid.places(head, finer=FINER)

        def sample(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            grid.check_pictures(y, x)
            return _pixels(at, y, x)

        return sample

    def fit(self, seen: xr.Dataset, *, norms: Mapping[str, Any] | None = None, norm_by: str = "domain") -> Self:
        """Keep the responses to the norm of each head.

        Parameters
        ----------
        seen
            A V1Response, ``response (stimulus, frequency, orientation, phase, place)`` with the phases 0 and 90, signed
            and without normalisation, from ``V1Bank.responses(faces, pool=this)``.
        norms
            Labels → values of the norm stimuli. Default ``{"intensity": 0.0}``; of several in a head the responses are
            averaged.
        norm_by
            The label each of whose values has its norm. Default ``"domain"``; with a FaceGrid, the grid's.

        Raises
        ------
        SchemaError, ValueError
            If these are no such responses, or no stimulus is a norm.
        """
        complexes = self._complex(seen)
        self.norm_by_ = norm_by if self.grid is None else self.grid.norm_by
        if self.norm_by_ not in seen.coords:
            raise need(f"the label {self.norm_by_!r} on the stimuli, whose values each have a norm", "none")
        if "frame" in seen.dims:
            raise need(
                "responses to still faces, to take the norms from", "moving ones", "nr.stack_frames makes stills"
            )
        chosen = labels.where(seen, {"intensity": 0.0} if norms is None else norms, what="stimuli for the norms")
        heads = np.array([str(name) for name in seen[self.norm_by_].values])
        self.norms_ = {
            name: np.mean([complexes(int(i)) for i in np.flatnonzero(chosen & (heads == name))], axis=0)
            for name in dict.fromkeys(heads[chosen])
        }
        self.channels_ = _channels(seen)
        return self

    def transform(self, seen: xr.Dataset) -> xr.Dataset:
        """Return Features, ``value (stimulus, feature)``: the displacement along x and y at every place, degree.

        A stimulus without a head (``''``), such as an object beside faces, has no norm that it could have moved from:
        its displacement is 0.

        Raises
        ------
        NotFittedError
            Before ``fit``.
        SchemaError, ValueError
            If these are no such responses, of other channels, or of a head without a norm.
        """
        if not hasattr(self, "norms_"):
            raise NotFittedError("this PhaseDisplacement is not fitted; call fit(v1_response) first")
        complexes = self._complex(seen)
        same_features(self.channels_, _channels(seen), "channels")
        if self.norm_by_ not in seen.coords:
            raise need(f"the label {self.norm_by_!r} on the stimuli, to know their norm", "none")
        heads = [str(name) for name in seen[self.norm_by_].values]
        missing = sorted(set(heads) - set(self.norms_) - {""})
        if missing:
            came = f"none for {', '.join(map(repr, missing[:5]))}"
            raise need(f"a norm for each {self.norm_by_}", came, "Fit on a set that has them")
        orientation = np.deg2rad(seen["orientation"].values.astype(float))
        frequency = seen["frequency"].values.astype(float)
        frames = seen.sizes.get("frame")
        shape = (len(heads), *(() if frames is None else (frames,)), self.size[0] * self.size[1], 2)
        value = np.empty(shape)
        back = {} if self.grid is None else {name: np.linalg.inv(self.grid.stretch(name)) for name in set(heads) - {""}}
        for i, name in enumerate(heads):
            if name not in self.norms_:  # '', no head and no norm
                value[i] = 0.0
                continue
            seen_here = complexes(i)
            each = seen_here if frames is not None else seen_here[None]
            found = [
                displacement(
                    one, self.norms_[name], frequency, orientation, self.size, FINER, self.prior, self.semi_saturation
                )
                for one in each
            ]
            if name in back:
                found = [np.einsum("pab,pb->pa", back[name], one) for one in found]
            value[i] = found if frames is not None else found[0]
        value = value.reshape(*shape[:-2], -1)
        own = labels.carried(seen)
        own |= {name: seen[name] for name in ("frame_time", "frame_intensity") if name in seen.coords}
        dims = ("stimulus", "feature") if frames is None else ("stimulus", "frame", "feature")
        made = xr.Dataset({"value": (dims, value, {"units": "degree", "long_name": "displacement"})}, own)
        made = made.assign_coords(self._labels(seen))
        step = "PhaseDisplacement.transform"
        return check(provenance.stamp(made, "Features", step, self.get_params(), parents=[seen]), "Features")

    def _labels(self, seen: xr.Dataset) -> dict[str, Any]:
        rows, columns = self.size
        at = np.stack([seen["place_x"].values, seen["place_y"].values], -1)
        at = at.reshape(rows, FINER, columns, FINER, 2).mean(axis=(1, 3)).reshape(-1, 2)
        names = [f"displacement {axis} y{y:+.3f} x{x:+.3f}" for x, y in at for axis in "xy"]
        twice = np.repeat(at, 2, axis=0)
        return {
            "feature_id": ("feature", names),
            "feature_axis": ("feature", ["x", "y"] * len(at)),
            "feature_y": ("feature", twice[:, 1], {"units": "degree"}),
            "feature_x": ("feature", twice[:, 0], {"units": "degree"}),
        }

    def _complex(self, seen: xr.Dataset) -> Any:
        """Return a function from a stimulus's number to its complex responses ``([frame,] frequency, …, sample)``."""
        check(seen, "V1Response", values=False)
        if "response" not in seen:
            todo = "V1Bank.responses(faces, pool=this) returns them"
            raise need("simple-cell responses with phases 0 and 90", ", ".join(map(str, seen.data_vars)), todo)
        made = json.loads(seen.attrs.get("parameters", "{}")).get("V1Bank.responses", {})
        wrong = [f"{name}={made[name]!r}" for name, fine in _SIGNED.items() if made.get(name, fine[0]) not in fine]
        if wrong:
            raise need("signed responses without normalisation", " and ".join(wrong), "Their phases are changed")
        if (seen["orientation"].values >= 180).any():
            raise need("cells that are not selective for direction", "orientations of 180 degrees and more")
        phases = seen["phase"].values.tolist()
        if not {0.0, 90.0} <= set(phases):
            raise need("the phases 0 and 90", ", ".join(f"{phase:g}" for phase in phases), "V1Bank(phases=(0, 90))")
        response = seen["response"]
        n = FINER**2 * self.size[0] * self.size[1]
        if "place" not in response.dims or response.sizes["place"] != n:
            came = "responses at every pixel" if "place" not in response.dims else f"{response.sizes['place']} places"
            raise need(f"responses at the {n} samples", came, "Give the same object as pool= to V1Bank.responses")
        had, ours = json.loads(seen.attrs.get("pool", "{}")).get("places"), provenance.plain(self.grid)
        if had != ours:
            which = [str(each["reference"]) if each else "the picture" for each in (ours, had)]
            came = f"at those over {which[1]!r}" + (", another grid" if which[0] == which[1] else "")
            todo = "Give the same object as pool= to V1Bank.responses"
            raise need(f"responses at the places of this object, over {which[0]!r}", came, todo)
        frames = ("frame",) if "frame" in response.dims else ()
        order = response.transpose("stimulus", *frames, "phase", "frequency", "orientation", "place")
        even, odd = phases.index(0.0), phases.index(90.0)

        def one(number: int) -> np.ndarray:
            values = np.moveaxis(order[number].values, len(frames), 0)
            return values[even] + 1j * values[odd]

        return one


def _even(y: np.ndarray, x: np.ndarray, size: list[int]) -> np.ndarray:
    """Return the centres of FINER·size equal parts of the picture, ``(sample, 2)``, x and y in degrees."""
    axes = []
    for axis, n in ((y, FINER * size[0]), (x, FINER * size[1])):
        if len(axis) < n:
            raise need(f"at least {n} pixels along each side to sample", f"{len(axis)}", "Use a smaller size")
        step = (axis[-1] - axis[0]) / max(len(axis) - 1, 1)
        axes.append(axis[0] + step * ((np.arange(n) + 0.5) * len(axis) / n - 0.5))
    return np.stack(np.meshgrid(axes[1], axes[0]), -1).reshape(-1, 2)


def _pixels(at: np.ndarray, y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return windows of one pixel each, the nearest to the places ``at``."""
    made = []
    for axis, wanted in ((np.asarray(y, float), at[:, 1]), (np.asarray(x, float), at[:, 0])):
        nearest = np.abs(axis[None] - wanted[:, None]).argmin(axis=1)
        weights = np.zeros((len(at), len(axis)))
        weights[np.arange(len(at)), nearest] = 1.0
        made.append(weights)
    return made[0], made[1]


def _channels(seen: xr.Dataset) -> np.ndarray:
    return np.array([f"{f:g}c/deg {o:g}deg" for f in seen["frequency"].values for o in seen["orientation"].values])
