"""A bank of V1 channels: simple and complex cells in cycles/degree, normalised and pooled."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim import labels, provenance, windows
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
from nrsim.v1 import door, gabor, stating
from nrsim.v1.gabor import Gabor
from nrsim.v1.heads import by_group, groups_of
from nrsim.v1.motion import Movies
from nrsim.v1.noise import ResponseNoise
from nrsim.v1.plan import Gains, Plan
from nrsim.v1.stream import Writing, in_memory, respond
from nrsim.v1.temporal import TemporalFilters

REACH_DRAWN = 4.0  # standard deviations of the envelope that receptive_field returns
MOST_DRAWN = 4096  # samples a side of what it returns (chosen: 128 MB)
NORMALISE = ("none", "divisive", "divisive_pooled", "local_contrast")
ACCURACY = ("fast", "exact")


class V1Bank:
    """Quadrature Gabor channels: simple cells of any phase and complex cells, at every place of a picture.

    Each channel is one complex Gabor, g(r) = envelope(r) (exp(2πi f p) − leak), p being the coordinate across the bars
    and leak the constant that takes away the mean, so that uniform luminance gives no response. The picture convolved
    with g is even + i·odd, each scaled to answer with amplitude 1 to a grating of contrast 1 about luminance ½ at the
    preferred frequency and orientation. A simple cell of phase φ answers with cos φ · even + sin φ · odd, signed or
    rectified; its receptive field, envelope · (cos(2πfp + φ) less the leak), prefers that phase of a grating. A complex
    cell is even² + odd² of the same channel (Adelson & Bergen 1985): 1 for that grating at any phase; at other
    frequencies it depends on the phase a little, the more the broader the channel. The picture is reflected at its
    border (half-sample symmetric), so nothing wraps around.

    Parameters
    ----------
    frequencies
        Preferred spatial frequencies, cycles/degree, above 0. Default 1, 2, 4, 8 (octaves that the default faces of
        32 px/degree resolve; the middle half of macaque foveal cells prefer 2.0 to 5.2: De Valois, Albrecht & Thorell
        1982).
    orientations
        How many, evenly spaced over 180 degrees from 0 = vertical, counter-clockwise; or a list in degrees. Default 8
        (Giese & Leopold 2005).
    bandwidth
        Spatial-frequency bandwidth, full width at half height of the amplitude, octaves. Default 1.4, the macaque
        median (De Valois, Albrecht & Thorell 1982). It is that of the Gabor before its mean is taken away: of
        2 octaves 1.8 are left, of 3 octaves 2.0, about a preferred frequency 1.1 times the one that was set.
    orientation_bandwidth
        Full width at half height of the amplitude, degree. Default 50, which with the default bandwidth makes
        n_y = 0.43, near the macaque median .445 (Ringach 2002); the energy's full width is then 35 degrees, where De
        Valois, Yund & Hepler 1982 found a median near 40 of the response. Less selective than this is the median of
        Ringach, Shapley & Hawken 2002, 23.5 degrees half-width at 1/√2 height.
    aspect_ratio
        Instead of ``orientation_bandwidth``: the envelope's length along the bars over its width across.
    envelope
        Instead of all three: the envelope's standard deviations across and along the bars in cycles of the preferred
        frequency, Ringach 2002's (n_x, n_y). n_x is 0.24 or more, that of 3 octaves.
    phases
        Phases of the simple cells that :meth:`responses` returns, degree: 0 even, 90 odd. Default (0, 90).
    normalise
        ``"none"``; ``"divisive"``, over channels and space at every place before pooling, as in the cortex (Heeger
        1992; Carandini & Heeger 2012); ``"divisive_pooled"``, the same formula after pooling, faster, whose pool is
        made of the windows; or ``"local_contrast"``, which divides the picture by its local contrast before it is
        filtered. Divisive:

            R = A^n / (c₅₀^n + D),  A = √energy,

        D being the sum of A^n over all channels, averaged over a Gaussian neighbourhood and scaled so that a grating
        that one channel prefers gives D = contrast^n: its response is half its maximum at contrast c₅₀. This holds for
        banks that are evenly spaced in octaves and in orientation; in others on average over channels. As in the cortex
        there are cells beyond the bank, which D counts though they are not returned: at each end those up to an octave
        away, at the spacing that the bank has there, at least one frequency and at most 16 (of a bank of one frequency
        the octaves above and below it; chosen). Without them the first and last channels would prefer frequencies
        outside the bank, where D falls. Of these only what the picture holds counts, up to its Nyquist frequency, and
        their receptive fields may be larger than the picture. Simple cells give |L|^n / (c₅₀^n + D) with the sign of
        their linear response L.
    semi_saturation
        c₅₀, contrast. Default 0.3 (chosen; the macaque V1 median is near .33: Sclar, Maunsell & Lennie 1990).
    exponent
        n. Default 2 (Heeger 1992; Albrecht & Hamilton 1982 found 2 on average).
    neighbourhood
        Standard deviation of the Gaussian neighbourhood of D in cycles of the channel whose energy is averaged; what is
        beyond the bank is averaged over half a cycle at least. Default 0.85, twice the envelope (Sawada & Petrov 2017).
        For local contrast that of the lowest frequency.
    accuracy
        ``"fast"``: pooled energy within 0.5 % of the picture's largest in that frequency, where pooling allows it
        (statistic ``"energy"``; divisive with exponent 2), for pictures with spectra like natural ones and windows with
        a standard deviation of two pixels or more; of single cells and of noise up to 3 %. ``"exact"``: within 0.1 %,
        from the maps at every pixel. Unpooled responses are exact always.
    threads
        Pictures that are filtered at the same time; the result does not depend on it. Default 2.
    temporal
        How cells see time, a :class:`nrsim.TemporalFilters`. With two filters cells are selective for direction: there
        is one channel for each direction of drift across each orientation's bars, at ``orientation`` and at 180 degrees
        from it, which is the direction, 0 = to the right, 90 = up. Default none: each frame is seen by itself.

    Raises
    ------
    ValueError, TypeError
        For frequencies that are not above 0 or come twice, bandwidths that no Gabor has, and other values out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> bank = nr.V1Bank(frequencies=[1, 2])
    >>> seen = bank.transform(nr.example("StimulusSet"), pool=nr.PooledEnergy(size=4))
    >>> dict(seen["energy"].sizes)
    {'stimulus': 14, 'frequency': 2, 'orientation': 8, 'y': 4, 'x': 4}
    >>> bank.channels["bandwidth"].item(0), bank.channels["orientation_bandwidth"].item(0)
    (1.4, 50.0)
    """

    def __init__(
        self,
        frequencies: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
        orientations: int | Sequence[float] = 8,
        *,
        bandwidth: float | None = None,
        orientation_bandwidth: float | None = None,
        aspect_ratio: float | None = None,
        envelope: Sequence[float] | None = None,
        phases: Sequence[float] = (0.0, 90.0),
        normalise: str = "none",
        semi_saturation: float = 0.3,
        exponent: float = 2.0,
        neighbourhood: float = 0.85,
        accuracy: str = "fast",
        threads: int = 2,
        temporal: TemporalFilters | None = None,
    ) -> None:
        self.frequencies = stating.numbers(frequencies, "cycles/degree", "frequencies", above=0)
        if isinstance(orientations, (int, np.integer)) and not isinstance(orientations, bool):
            n = whole(orientations, "orientations", low=1)
            self.orientations = [i * 180.0 / n for i in range(n)]
        else:
            self.orientations = stating.numbers(orientations, "degree", "orientations", counted=True)
        if len({round(angle % 180.0, 9) % 180.0 for angle in self.orientations}) < len(self.orientations):
            raise need("orientations, each once (0 and 180 degrees are one)", str(self.orientations))
        shape = stating.shape(bandwidth, orientation_bandwidth, aspect_ratio, envelope)
        self.bandwidth, self.orientation_bandwidth = shape.bandwidth, shape.orientation_bandwidth
        self.aspect_ratio, self.envelope = shape.aspect_ratio, shape.envelope
        self._across, self._along = shape.across, shape.along
        self.phases = stating.numbers(phases, "degree", "phases")
        if len({round(angle % 360.0, 9) % 360.0 for angle in self.phases}) < len(self.phases):
            raise need("phases, each once (0 and 360 degrees are one)", str(self.phases))
        if normalise not in NORMALISE:
            raise unknown("normalisation", normalise, NORMALISE)
        self.normalise = normalise
        self.semi_saturation = bare(semi_saturation, "1", "semi_saturation", above=0)
        self.exponent = bare(exponent, "1", "exponent", above=0)
        self.neighbourhood = bare(neighbourhood, "1", "neighbourhood", low=0)
        if accuracy not in ACCURACY:
            raise unknown("accuracy", accuracy, ACCURACY)
        self.accuracy = accuracy
        self.threads = whole(threads, "threads", low=1)
        if temporal is not None and not isinstance(temporal, TemporalFilters):
            raise need("temporal: a TemporalFilters", repr(temporal), "Write nr.TemporalFilters(…)", kind=TypeError)
        self.temporal = temporal

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @property
    def channels(self) -> xr.Dataset:
        """What each channel is, ``(frequency, orientation)``.

        ``bandwidth`` (octave) and ``orientation_bandwidth`` (degree), full width at half height of the amplitude, NaN
        where the channel never falls to half; ``sigma_across`` and ``sigma_along`` the bars, degree.
        """
        shape = (len(self.frequencies), len(self._directions))
        each = np.array(self.frequencies)[:, None] * np.ones(shape)
        values = {
            "bandwidth": (np.full(shape, gabor.bandwidth_from_across(self._across)).round(9), "octave"),
            "orientation_bandwidth": (
                np.full(shape, gabor.orientation_from_along(self._across, self._along)).round(9),
                "degree",
            ),
            "sigma_across": (self._across / each, "degree"),
            "sigma_along": (self._along / each, "degree"),
        }
        dims = ("frequency", "orientation")
        made = xr.Dataset({name: (dims, value, {"units": unit}) for name, (value, unit) in values.items()})
        return made.assign_coords(self._coords())

    def transform(
        self,
        faces: xr.Dataset,
        *,
        pool: windows.Pool | None = None,
        noise: ResponseNoise | None = None,
        out: str | os.PathLike[str] | None = None,
        block: int = 64,
        progress: bool = False,
    ) -> xr.Dataset:
        """Return the response of every complex cell.

        Parameters
        ----------
        faces
            A StimulusSet, ``image (stimulus, y, x)``, or moving faces, ``image (stimulus, frame, y, x)``, each frame of
            which is seen by itself unless the bank has ``temporal`` filters. With them faces have to move, and
            ``frame_time`` says when. In memory, opened from a file, or with Dask.
        pool
            Pool each channel while filtering, so that the dense maps of many pictures never exist at once: a
            :class:`nrsim.PooledEnergy` or any object with its ``windows``, ``statistic`` and ``place_names``.
        noise
            A :class:`nrsim.ResponseNoise`, added last. Default: none.
        out
            Write the responses to this file block by block, ``.zarr`` (``pip install 'nrsim[zarr]'``) or ``.nc``, and
            return them opened: values stay on disk. The file appears, or an earlier one is replaced, at the end. A run
            that was interrupted goes on where it stopped when the same is called again, and begins again if anything
            is different. Default: into memory.
        block
            Pictures that are read and filtered at once: with ``out``, memory does not depend on how many there are.
            Chunks of the file or the Dask array that are larger than a block are in memory whole. Default 64 (chosen).
        progress
            Show what is done and what is left.

        Returns
        -------
        xarray.Dataset
            A V1Response, ``energy (stimulus, frequency, orientation, y, x)`` float32; with a pool at places
            ``(stimulus, frequency, orientation, place)``; with frames after ``stimulus``. Of direction-selective cells
            ``orientation`` is the direction of drift, all orientations first and then their opposites; the opponent
            energy of Adelson & Bergen 1985 is the first half less the second.

        Raises
        ------
        SchemaError
            If ``faces`` are no valid StimulusSet.
        ValueError
            If a frequency lies beyond what the pixels resolve, a receptive field is larger than the picture, or the
            responses would need more than 2 GB and there is no ``out``; with temporal filters, if nothing moves,
            ``frame_time`` is missing or the frames are too few per second (the limit is named).
        ImportError, OSError
            If ``out`` is ``.zarr`` without zarr, or cannot be written to.
        """
        if pool is None and self.normalise == "divisive_pooled":
            todo = 'Give pool=nr.PooledEnergy(size=16), or use normalise="divisive"'
            raise need('a pool with normalise="divisive_pooled"', "none", todo)
        plans, members, spacing = self._plans(faces, door.check_pool(pool))
        plan = plans[0]
        shape = (len(self.frequencies), len(self._directions), *plan.grid)
        seeing = self._seeing(faces, plans)
        work = by_group(lambda group, images: seeing[group].energy(images), members, faces.sizes["stimulus"])
        made = self._label(xr.Dataset(), faces, "V1Bank.transform", pool, spacing)
        how = self._writing(faces, block, progress, out)
        return respond(faces, work, made, "energy", self._dims(faces, (), plan), shape, noise, how)

    def responses(
        self,
        faces: xr.Dataset,
        *,
        rectify: bool = False,
        pool: windows.Pool | None = None,
        noise: ResponseNoise | None = None,
        out: str | os.PathLike[str] | None = None,
        block: int = 64,
        progress: bool = False,
    ) -> xr.Dataset:
        """Return the response of simple cells of each of the bank's ``phases``.

        Parameters
        ----------
        faces
            As :meth:`transform`.
        rectify
            Whether responses below 0 are 0, as firing is.
        pool
            As :meth:`transform`; the windows average the response.
        noise, out, block, progress
            As :meth:`transform`; noise needs rectified responses.

        Returns
        -------
        xarray.Dataset
            A V1Response, ``response (stimulus, frequency, orientation, phase, y, x)`` float32; without normalisation a
            grating of contrast 1 at the preferred frequency and orientation peaks at 1, as does with temporal filters
            one that drifts as preferred. Of a pair of filters the cell of phase φ and the direction of its even part is
            cos φ · (even ∗ h_fast + odd ∗ h_slow) + sin φ · (odd ∗ h_fast − even ∗ h_slow).

        Raises
        ------
        SchemaError, ValueError
            As :meth:`transform`; for ``normalise="divisive_pooled"``, which is of complex cells only; for a pool with
            another statistic than ``"energy"``, or noise, unless the responses are rectified.
        """
        if self.normalise == "divisive_pooled":
            todo = "divisive_pooled is of pooled complex cells: use transform"
            raise need('normalise="none", "divisive" or "local_contrast" for simple cells', repr(self.normalise), todo)
        if not isinstance(rectify, (bool, np.bool_)):
            raise need("rectify: True or False", repr(rectify), kind=TypeError)
        pool = door.check_pool(pool)
        if pool is not None and pool.statistic == "mean":
            todo = 'A window\'s mean response is statistic="energy"; "mean" is of the amplitudes of complex cells'
            raise need('the statistic "energy" or "max" for simple cells', "'mean'", todo)
        if pool is not None and pool.statistic != "energy" and not rectify:
            todo = 'The window\'s mean of signed responses is statistic="energy"'
            raise need(f"rectify=True with the statistic {pool.statistic!r}", "signed responses", todo)
        if noise is not None and not rectify:
            raise need("rectify=True with noise, since spike counts are not below 0", "signed responses")
        plans, members, spacing = self._plans(faces, pool)
        plan = plans[0]
        shape = (len(self.frequencies), len(self._directions), len(self.phases), *plan.grid)
        phases = np.array(self.phases)
        seeing = self._seeing(faces, plans)
        made = xr.Dataset(coords={"phase": ("phase", self.phases, {"units": "degree"})})
        made = self._label(made, faces, "V1Bank.responses", pool, spacing, rectify=rectify)

        def respond_of(group: int, images: np.ndarray) -> np.ndarray:
            return seeing[group].responses(images, phases, rectify)

        work = by_group(respond_of, members, faces.sizes["stimulus"])
        how = self._writing(faces, block, progress, out)
        return respond(faces, work, made, "response", self._dims(faces, ("phase",), plan), shape, noise, how)

    def receptive_field(
        self, frequency: float, orientation: float, phase: float = 0.0, *, degrees_per_pixel: float = 1 / 32
    ) -> xr.DataArray:
        """Return a simple cell's receptive field, ``(y, x)``: its response is the sum of its product with the picture.

        Parameters
        ----------
        frequency
            Cycles/degree.
        orientation, phase
            Degree; phase 0 is even, 90 odd.
        degrees_per_pixel
            Spacing of the samples. Default that of the default faces.

        Raises
        ------
        ValueError
            If the frequency lies beyond what the pixels resolve.
        """
        spacing = bare(degrees_per_pixel, "degree", "degrees_per_pixel", above=0)
        channel = self._channel(
            bare(frequency, "cycles/degree", "frequency", above=0), bare(orientation, "degree", "orientation"), spacing
        )
        reach = int(np.ceil(REACH_DRAWN * max(channel.across, channel.along)))
        if 2 * reach >= MOST_DRAWN:
            coarsest = spacing * (2 * reach + 1) / MOST_DRAWN
            came = f"{spacing:g}, which makes {2 * reach + 1}"
            raise need(f"degrees_per_pixel above {coarsest:.2g} (at most {MOST_DRAWN} samples a side)", came)
        place = np.arange(-reach, reach + 1)
        field = channel.receptive_field(place[::-1][:, None], place[None], bare(phase, "degree", "phase"))
        coords = {
            "y": ("y", place[::-1] * spacing, {"units": "degree"}),
            "x": ("x", place * spacing, {"units": "degree"}),
        }
        attrs = {"units": "1", "frequency": float(frequency), "orientation": float(orientation), "phase": float(phase)}
        return xr.DataArray(field, coords, ("y", "x"), "receptive_field", attrs)

    def _channel(self, frequency: float, orientation: float, spacing: float) -> Gabor:
        """Return a channel in pixels, refusing one whose upper half-height lies beyond the Nyquist frequency."""
        upper = 1 + np.sqrt(gabor.HALF) / self._across
        highest = 0.5 / spacing / upper
        if frequency > highest:
            raise need(
                f"frequencies up to {highest:.3g} cycles/degree, which {1 / spacing:.3g} px/degree resolve "
                f"(Nyquist {0.5 / spacing:.3g} cycles/degree at the band's upper half-height)",
                f"{frequency:g} cycles/degree",
                "Use lower frequencies, or pictures with more pixels per degree",
            )
        across, along = (sigma / (frequency * spacing) for sigma in (self._across, self._along))
        return Gabor(frequency * spacing, orientation, across, along)

    def _plans(self, faces: xr.Dataset, pool: windows.Pool | None) -> tuple[list[Plan], list[np.ndarray | None], float]:
        """Return a plan for each group of stimuli that the pool keeps apart, the groups, and the pixels' spacing."""
        door.check_faces(faces, values=in_memory(faces))
        made = [(self._plan(faces, each), members) for members, each in groups_of(pool, faces)]
        return [plan for (plan, _), _ in made], [members for _, members in made], made[0][0][1]

    def _seeing(self, faces: xr.Dataset, plans: list[Plan]) -> list[Any]:
        if self.temporal is None:
            return plans
        weights = self._weights(faces)
        return [Movies(plan, weights) for plan in plans]

    def _plan(self, faces: xr.Dataset, pool: windows.Pool | None) -> tuple[Plan, float]:
        y, x = faces["y"].values, faces["x"].values
        spacing = door.spacing_of(y, x)
        shape = (len(y), len(x))
        channels = tuple(tuple(self._channel(f, a, spacing) for a in self.orientations) for f in self.frequencies)
        for frequency, row in zip(self.frequencies, channels, strict=True):
            widest = max(row[0].across, row[0].along)
            if 2 * widest > min(shape):
                lowest = 2 * max(self._across, self._along) / (min(shape) * spacing)
                raise need(
                    f"receptive fields smaller than the picture ({min(shape) * spacing:.3g} degrees)",
                    f"{frequency:g} cycles/degree, whose envelope is {2 * widest * spacing:.3g} degrees wide",
                    f"On these pictures use at least {lowest:.3g} cycles/degree, or broader bandwidths",
                )
        spreads = tuple(self.neighbourhood / (f * spacing) for f in self.frequencies)
        plan = Plan(
            shape,
            channels,
            Gains(self.normalise, self.semi_saturation, self.exponent, spreads),
            None if pool is None else door.windows_of(pool, y, x),
            statistic="energy" if pool is None else pool.statistic,
            paired=pool is not None and pool.place_names is not None,
            exact=self.accuracy == "exact",
            threads=self.threads,
            opposite=self.temporal.opposite if self.temporal is not None and self.temporal.directional else None,
        )
        return plan, spacing

    def _weights(self, faces: xr.Dataset) -> np.ndarray:
        """Return what each frame contributes to the response at each frame's onset, ``(filter, onset, frame)``."""
        if self.temporal is None:
            raise ValueError("internal: no temporal filters")
        if "frame" not in faces["image"].dims:
            todo = "Render frames, or use a bank without temporal filters"
            raise need("moving stimuli, image (stimulus, frame, y, x), for temporal filters", "still ones", todo)
        if "frame_time" not in faces.coords:
            raise need("frame_time (frame) in s, when each frame appears", "none")
        return self.temporal.weights(faces["frame_time"].values)

    def _writing(self, faces: xr.Dataset, block: int, progress: bool, out: str | os.PathLike[str] | None) -> Writing:
        size = whole(block, "block", low=1)
        if self.temporal is None:
            return Writing(size, progress, out)
        return Writing(max(size, self.threads * faces.sizes["frame"]), progress, out, movies=True)

    def _dims(self, faces: xr.Dataset, extra: tuple[str, ...], plan: Plan) -> tuple[str, ...]:
        frames = ("frame",) if "frame" in faces["image"].dims else ()
        return ("stimulus", *frames, "frequency", "orientation", *extra, *(("place",) if plan.paired else ("y", "x")))

    @property
    def _directions(self) -> list[float]:
        """The orientations, or of direction-selective cells the directions of drift, 0..360."""
        if self.temporal is None or not self.temporal.directional:
            return self.orientations
        return [angle % 360.0 for angle in self.orientations] + [(angle + 180.0) % 360.0 for angle in self.orientations]

    def _coords(self) -> dict[str, Any]:
        return {
            "frequency": ("frequency", self.frequencies, {"units": "cycles/degree"}),
            "orientation": ("orientation", self._directions, {"units": "degree"}),
        }

    def _label(
        self,
        made: xr.Dataset,
        faces: xr.Dataset,
        step: str,
        pool: windows.Pool | None,
        spacing: float,
        **settings: Any,
    ) -> xr.Dataset:
        """Give the responses their labels and say how they were made."""
        names = ("landmark", "point", "axis", "frame_time", "frame_intensity")
        travelling = {name: faces[name] for name in names if name in faces.coords}
        y, x = faces["y"].values, faces["x"].values
        if pool is None:
            places: dict[str, Any] = {"y": ("y", y, {"units": "degree"}), "x": ("x", x, {"units": "degree"})}
        else:
            places = windows.coordinates(pool, y, x)
        made = made.assign_coords({**labels.carried(faces), **travelling, **self._coords(), **places})
        chosen = {name: value for name, value in self.get_params().items() if name != "threads"}
        extra: dict[str, Any] = {"degrees_per_pixel": spacing}
        if pool is not None:
            extra["pool"] = provenance.as_json({"class": type(pool).__name__, **pool.get_params()})
        settings = {**chosen, **settings, "pool": pool}
        return provenance.stamp(made, "V1Response", step, settings, parents=[faces], **extra)
