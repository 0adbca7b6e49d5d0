"""A bank of V1 channels: Gabor filters in cycles/degree, complex-cell energy, divisive normalisation, pooling."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter
from tqdm.auto import tqdm

from nrsim import labels, provenance
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
from nrsim.schema import check
from nrsim.v1.kernels import Channel, divide, envelope

DENSE_LIMIT = 2.0  # GB of unpooled maps that are still returned
REACH_DRAWN = 3.5  # standard deviations of the envelope that receptive_field returns
_NORMALISE = ("none", "divisive")


class Pool(Protocol):
    """What ``pool=`` takes: a grid, and the weights of its windows along one axis."""

    size: int

    def weights(self, positions: np.ndarray) -> np.ndarray:
        """Return ``(size, positions)``."""

    def get_params(self) -> dict[str, Any]:
        """Return the settings."""


class V1Bank:
    """Quadrature Gabor channels at every place of an image.

    Each channel is one complex Gabor with an isotropic Gaussian envelope whose even part has its mean removed, so
    that uniform luminance gives no response. Complex-cell energy is even² + odd² of the same channel (Adelson &
    Bergen 1985): 1 for a grating of contrast 1 about mean luminance ½ at the preferred frequency and orientation,
    at any phase. The image is reflected at its border (half-sample symmetric), so nothing wraps around.

    With ``normalise="divisive"`` (Heeger 1992; Carandini & Heeger 2012), at every place and before pooling,

        R = A^n / (c₅₀^n + D),  A = √energy,

    D being the sum of A^n over all channels, averaged over a Gaussian neighbourhood and scaled so that a grating that
    one channel prefers gives D = contrast^n: its response is half its maximum at contrast c₅₀.

    Parameters
    ----------
    frequencies
        Preferred spatial frequencies, cycles/degree, above 0. Default 1, 2, 4, 8 (chosen: octaves that the default
        faces of 32 px/degree resolve).
    n_orientations
        Orientations, evenly spaced over 180 degrees from 0 = vertical, counter-clockwise. Default 8 (Giese & Leopold
        2005).
    bandwidth
        Full width at half height, octaves. Default 1 (chosen; macaque V1 has a median near 1.4: De Valois, Albrecht &
        Thorell 1982).
    normalise
        ``"none"`` or ``"divisive"``.
    semi_saturation
        c₅₀, contrast. Default 0.1 (chosen).
    exponent
        n. Default 2 (Heeger 1992).
    neighbourhood
        Standard deviation of the Gaussian neighbourhood of D, degree. Default 0.25 (chosen).
    threads
        Threads that filter images; the result does not depend on it. Default 2.

    Raises
    ------
    ValueError, TypeError
        For frequencies that are not above 0 or come twice, and other values out of range.

    Examples
    --------
    >>> import nrsim as nr
    >>> seen = nr.V1Bank(frequencies=[1, 2]).transform(nr.example("StimulusSet"))
    >>> dict(seen["energy"].sizes)
    {'stimulus': 14, 'frequency': 2, 'orientation': 8, 'y': 32, 'x': 32}
    """

    def __init__(
        self,
        frequencies: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
        n_orientations: int = 8,
        *,
        bandwidth: float = 1.0,
        normalise: str = "none",
        semi_saturation: float = 0.1,
        exponent: float = 2.0,
        neighbourhood: float = 0.25,
        threads: int = 2,
    ) -> None:
        if isinstance(frequencies, (str, bytes)) or not isinstance(frequencies, Iterable):
            raise need("frequencies: a list in cycles/degree", repr(frequencies), kind=TypeError)
        self.frequencies = [bare(f, "cycles/degree", "frequencies", above=0) for f in frequencies]
        if not self.frequencies or len(set(self.frequencies)) < len(self.frequencies):
            raise need("frequencies: one or more, each once", str(self.frequencies))
        self.n_orientations = whole(n_orientations, "n_orientations", low=1)
        self.bandwidth = bare(bandwidth, "1", "bandwidth", above=0, high=5)
        if normalise not in _NORMALISE:
            raise unknown("normalisation", normalise, _NORMALISE)
        self.normalise = normalise
        self.semi_saturation = bare(semi_saturation, "1", "semi_saturation", above=0)
        self.exponent = bare(exponent, "1", "exponent", above=0)
        self.neighbourhood = bare(neighbourhood, "degree", "neighbourhood", low=0)
        self.threads = whole(threads, "threads", low=1)

    @property
    def orientations(self) -> np.ndarray:
        """Preferred orientations, ``(orientation,)`` degree."""
        return np.arange(self.n_orientations) * 180.0 / self.n_orientations

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def transform(self, faces: xr.Dataset, *, pool: Pool | None = None, progress: bool = False) -> xr.Dataset:
        """Return the energy of every channel.

        Parameters
        ----------
        faces
            A StimulusSet, ``image (stimulus, y, x)``.
        pool
            Pool each map on a grid as soon as it is made, so that the dense maps of many images never exist at once:
            any object with ``size`` and ``weights``, such as :class:`nrsim.PooledEnergy`. Memory is then bounded by one
            image's maps per thread.
        progress
            Show what is done and what is left.

        Returns
        -------
        xarray.Dataset
            A V1Response, ``energy (stimulus, frequency, orientation, y, x)`` float32.

        Raises
        ------
        SchemaError
            If ``faces`` are no valid StimulusSet.
        ValueError
            If a frequency lies beyond what the pixels resolve, a receptive field is larger than the picture, or the
            dense maps would need more than 2 GB.
        """
        images, spacing, channels = self._prepare(faces)
        ny, nx = images.shape[1:]
        grid = (ny, nx) if pool is None else (pool.size, pool.size)
        shape = (len(images), len(self.frequencies), self.n_orientations, *grid)
        if pool is None and (size := np.prod(shape, dtype=float) * 4e-9) > DENSE_LIMIT:
            raise need(
                f"maps that fit into {DENSE_LIMIT:g} GB",
                f"{size:.1f} GB for {len(images)} pictures of {ny} × {nx} px",
                "Pool while filtering: transform(faces, pool=nr.PooledEnergy(size=16))",
            )
        wy = None if pool is None else pool.weights(faces["y"].values).astype(np.float32)
        wx = None if pool is None else pool.weights(faces["x"].values).astype(np.float32)
        y = faces["y"].values if wy is None else wy @ faces["y"].values
        x = faces["x"].values if wx is None else wx @ faces["x"].values
        energy = np.empty(shape, dtype=np.float32)

        def one(number: int) -> None:
            maps = self._energy(images[number], channels, spacing)
            energy[number] = maps if wy is None else wy @ maps @ wx.T  # type: ignore[union-attr]

        self._each(one, len(images), progress)
        made = xr.Dataset({"energy": (("stimulus", "frequency", "orientation", "y", "x"), energy, {"units": "1"})})
        settings = self.get_params() | {"pool": None if pool is None else pool}
        extra: dict[str, Any] = {"degrees_per_pixel": spacing}
        if pool is not None:
            extra["pool"] = provenance.as_json({"class": type(pool).__name__, **pool.get_params()})
        return self._label(made, faces, y, x, "V1Bank.transform", settings, extra)

    def responses(self, faces: xr.Dataset, *, progress: bool = False) -> xr.Dataset:
        """Return signed even (phase 0) and odd (phase 90) responses, without normalisation or pooling.

        Returns
        -------
        xarray.Dataset
            A V1Response, ``response (stimulus, frequency, orientation, phase, y, x)`` float32; a grating of contrast 1
            at the preferred frequency and orientation peaks at 1.

        Raises
        ------
        SchemaError, ValueError
            As :meth:`transform`.
        """
        images, spacing, channels = self._prepare(faces)
        shape = (len(images), len(self.frequencies), self.n_orientations, 2, *images.shape[1:])
        if (size := np.prod(shape, dtype=float) * 4e-9) > DENSE_LIMIT:
            raise need(f"maps that fit into {DENSE_LIMIT:g} GB", f"{size:.1f} GB", "Pass fewer pictures at a time")
        signed = np.empty(shape, dtype=np.float32)

        def one(number: int) -> None:
            for i, channel in enumerate(channels):
                z = channel.respond(images[number])
                signed[number, i, :, 0], signed[number, i, :, 1] = z.real, z.imag

        self._each(one, len(images), progress)
        dims = ("stimulus", "frequency", "orientation", "phase", "y", "x")
        made = xr.Dataset(
            {"response": (dims, signed, {"units": "1"})}, {"phase": ("phase", [0.0, 90.0], {"units": "degree"})}
        )
        y, x = faces["y"].values, faces["x"].values
        return self._label(made, faces, y, x, "V1Bank.responses", self.get_params(), {"degrees_per_pixel": spacing})

    def receptive_field(
        self, frequency: float, orientation: float, phase: float = 0.0, *, degrees_per_pixel: float = 1 / 32
    ) -> xr.DataArray:
        """Return a channel's receptive field, ``(y, x)``: its response to a picture is the sum of their product.

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
        frequency = bare(frequency, "cycles/degree", "frequency", above=0)
        self._resolved(frequency, spacing)
        sigma = envelope(frequency, self.bandwidth)
        reach = int(np.ceil(REACH_DRAWN * sigma / spacing))
        place = np.arange(-reach, reach + 1) * spacing
        x, y = place[None], place[::-1][:, None]
        angle = np.deg2rad(orientation)
        along = x * np.cos(angle) + y * np.sin(angle)
        gauss = np.exp(-(x**2 + y**2) / (2 * sigma**2)) * spacing**2 / (2 * np.pi * sigma**2)
        leak = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
        # correlating with the picture, the odd filter is the mirror image of the convolution kernel
        wave = np.exp(-2j * np.pi * frequency * along) - leak
        field = 4 * gauss * (wave * np.exp(-1j * np.deg2rad(phase))).real
        coords = {"y": ("y", place[::-1], {"units": "degree"}), "x": ("x", place, {"units": "degree"})}
        return xr.DataArray(field, coords, ("y", "x"), "receptive_field", {"units": "1"})

    def _prepare(self, faces: xr.Dataset) -> tuple[np.ndarray, float, list[Channel]]:
        faces = check(faces, "StimulusSet")
        if "frame" in faces["image"].dims:
            todo = "nr.stack_frames(faces) makes a still picture of each frame"
            raise need("still pictures, image (stimulus, y, x)", "moving ones with a frame dim", todo)
        steps = np.abs(np.concatenate([np.diff(faces["y"].values), np.diff(faces["x"].values)]))
        if steps.size == 0 or np.ptp(steps) > 1e-3 * steps.mean() or steps.min() <= 0:
            raise need("pixels that are square and evenly spaced in degrees (coordinates y and x)", "others")
        spacing = float(steps.mean())
        images = faces["image"].values
        channels = []
        for frequency in self.frequencies:
            self._resolved(frequency, spacing)
            sigma = envelope(frequency, self.bandwidth) / spacing
            if 2 * sigma > min(images.shape[1:]):
                lowest = envelope(1.0, self.bandwidth) * 2 / (min(images.shape[1:]) * spacing)
                raise need(
                    "receptive fields smaller than the picture",
                    f"{frequency:g} cycles/degree, whose envelope is {2 * sigma * spacing:.3g} degrees wide",
                    f"On these pictures use at least {lowest:.3g} cycles/degree",
                )
            channels.append(Channel(images.shape[1:], frequency * spacing, self.orientations, sigma))
        return images, spacing, channels

    def _resolved(self, frequency: float, spacing: float) -> None:
        """Refuse a channel whose upper half-height lies beyond the Nyquist frequency."""
        upper = 2 * 2**self.bandwidth / (1 + 2**self.bandwidth)  # upper half-height frequency over the preferred one
        highest = 0.5 / spacing / upper
        if frequency > highest:
            raise need(
                f"frequencies up to {highest:.3g} cycles/degree, which {1 / spacing:.3g} px/degree resolve "
                f"at a bandwidth of {self.bandwidth:g} octaves",
                f"{frequency:g} cycles/degree",
                "Use lower frequencies, or pictures with more pixels per degree",
            )

    def _energy(self, image: np.ndarray, channels: list[Channel], spacing: float) -> np.ndarray:
        energy = np.empty((len(channels), self.n_orientations, *image.shape), dtype=np.float32)
        for i, channel in enumerate(channels):
            z = channel.respond(image)
            energy[i] = z.real**2 + z.imag**2
        if self.normalise == "none":
            return energy
        powered = energy if self.exponent == 2 else energy ** (self.exponent / 2)
        drive = powered.sum(axis=(0, 1)) / self._summed()
        if self.neighbourhood:
            drive = gaussian_filter(drive, self.neighbourhood / spacing, mode="reflect")
        return divide(energy, drive, self.semi_saturation, self.exponent)

    def _summed(self) -> float:
        """Return Σ A^n over all channels for a grating of contrast 1 that one prefers, averaged over frequencies."""
        f, angles = np.array(self.frequencies), np.deg2rad(self.orientations)
        fx, fy = (np.outer(f, wave(angles)).ravel() for wave in (np.cos, np.sin))
        spread = 2 * np.pi**2 * np.array([envelope(each, self.bandwidth) for each in f]).repeat(len(angles)) ** 2
        grating = np.stack([f, np.zeros_like(f)])  # vertical gratings at each preferred frequency
        away, back = (
            (fx[:, None] - sign * grating[0]) ** 2 + (fy[:, None] - sign * grating[1]) ** 2 for sign in (1, -1)
        )
        amplitude = np.exp(-spread[:, None] * np.minimum(away, back))
        return float((amplitude**self.exponent).sum(axis=0).mean())

    def _each(self, one: Any, n: int, progress: bool) -> None:
        numbers: Iterator[int] | range = range(n)
        with ThreadPoolExecutor(self.threads) as workers:
            done = workers.map(one, numbers)
            for _ in tqdm(done, total=n, desc="V1", unit="image", disable=None if progress else True):
                pass

    def _label(
        self,
        made: xr.Dataset,
        faces: xr.Dataset,
        y: np.ndarray,
        x: np.ndarray,
        step: str,
        settings: dict[str, Any],
        extra: dict[str, Any],
    ) -> xr.Dataset:
        points = {name: faces[name] for name in ("landmark", "point", "axis") if name in faces.coords}
        made = made.assign_coords({**labels.carried(faces), **points})
        made = made.assign_coords(
            frequency=("frequency", self.frequencies, {"units": "cycles/degree"}),
            orientation=("orientation", self.orientations, {"units": "degree"}),
            y=("y", y, {"units": "degree"}),
            x=("x", x, {"units": "degree"}),
        )
        return check(provenance.stamp(made, "V1Response", step, settings, parents=[faces], **extra), "V1Response")
