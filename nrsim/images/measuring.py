"""What pictures hold below the level of faces: luminance, contrast, grey levels and amplitude spectra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from nrsim import labels, provenance
from nrsim.errors import need, unknown
from nrsim.images import matching_kernels as kernels
from nrsim.schema import check

Mask = Literal["background"] | np.ndarray | xr.DataArray | None

_LEVELS = 256  # of an 8-bit screen
_SAME = 1e-4  # luminance that counts as the background's: above rounding after resizing, far below an 8-bit step
_SURROUND = 0.5  # of the picture's edge that a background must hold (chosen: shoulders may reach the lower edge)
_FLAT = 1e-6  # RMS contrast below which a picture is constant: rounding of float32
_EVEN = 1e-3  # by how much of a pixel the places of pixels may be uneven


@dataclass(frozen=True)
class Pictures:
    """Pictures ready for the kernels: ``images`` and ``included (stimulus, frame, y, x)``, steps in degrees a pixel."""

    ids: list[str]
    images: np.ndarray
    included: np.ndarray
    steps: tuple[float, float]

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield each picture in float64 and its included pixels, ``(frame, y, x)``."""
        for image, included in zip(self.images, self.included, strict=True):
            yield image.astype(np.float64), included

    @property
    def rings(self) -> tuple[np.ndarray, np.ndarray]:
        """The ring of every frequency ``(ky, kx)`` and the rings' frequencies in cycles/degree."""
        return kernels.radius_bins((self.images.shape[2], self.images.shape[3]), self.steps)

    def constant(self) -> list[str]:
        """Return the stimulus_ids whose included pixels are all of one luminance."""
        flat = [kernels.mean_and_contrast(image, included)[1] < _FLAT for image, included in self]
        return [name for name, one in zip(self.ids, flat, strict=True) if one]


@dataclass(frozen=True)
class SetMeans:
    """What the pictures of a set have in the mean: ``levels`` sorted, ``amplitude (ky, kx)``, ``rings (ring,)``."""

    luminance: float
    contrast: float
    levels: np.ndarray
    amplitude: np.ndarray
    rings: np.ndarray


def measure_images(stimuli: xr.Dataset, *, mask: Mask = None, reference: xr.Dataset | None = None) -> xr.Dataset:
    r"""Measure luminance, contrast, grey levels and amplitude spectrum of each picture.

    Parameters
    ----------
    stimuli
        A StimulusSet. Of a moving face the pixels of all frames count together, and amplitudes are means over frames.
    mask
        Which pixels count. ``None``: all. ``"background"``: all but the uniform background, that is the pixels that
        have the luminance most common along the picture's own edge (within 1e-4) and connect to the edge; it must hold
        at least half of the edge (chosen). Or an array of bool, True = counts: ``(y, x)`` for all stimuli,
        ``(stimulus, y, x)`` or, of moving faces, ``(stimulus, frame, y, x)``. Amplitude spectra are always of the
        whole picture.
    reference
        The set before matching, with at least the same stimuli: the result then holds ``ssim`` and ``rmse`` against it.

    Returns
    -------
    xarray.Dataset
        With all labels of the stimuli:

        - ``luminance (stimulus)``: mean of the included pixels, 0..1;
        - ``contrast (stimulus)``: RMS contrast, their standard deviation (divided by n; Peli 1990, J Opt Soc Am A
          7:2032), in units of full luminance, not of the mean;
        - ``histogram (stimulus, level)``: fraction of the included pixels at each of 256 grey levels (8 bits);
        - ``amplitude (stimulus, frequency)``: rotational average of |F|/n, F the discrete Fourier transform and n the
          number of pixels, in rings one cycle per picture wide, up to the Nyquist frequency; cycles/degree;
        - ``histogram_distance (stimulus)``: mean absolute difference of the sorted grey levels from those of the set's
          mean histogram (the Wasserstein-1 distance), in luminance;
        - ``spectrum_distance (stimulus)``: :math:`\lVert |F| - \overline{|F|} \rVert / \lVert \overline{|F|}
          \rVert` over all frequencies but the mean luminance, the bar being the mean over the set;
          ``rotational_distance`` the same with rotational averages, over all rings;
        - ``included (stimulus, y, x)`` of bool: the mask used, ready to be passed on as ``mask``;
        - with ``reference``: ``ssim`` (structural similarity over the included pixels, Wang et al. 2004, IEEE Trans
          Image Process 13:600, Gaussian window of 1.5 px) and ``rmse``, the root mean square difference in luminance.

    Raises
    ------
    SchemaError, TypeError
        If it is no valid StimulusSet, or the mask is no array of bool.
    ValueError
        For a mask of another shape or without two pixels in a picture, a background that is not uniform, pixels that
        are not evenly spaced, or a reference without these stimuli.

    Examples
    --------
    >>> import nrsim as nr
    >>> found = nr.measure_images(nr.example("StimulusSet"))
    >>> float(found["luminance"][0].round(3)), float(found["contrast"][0].round(3))
    (0.374, 0.077)
    """
    pictures = prepare(stimuli, mask)
    means = set_means(pictures)
    found = statistics(pictures, means)
    rings, frequency = pictures.rings
    columns = pictures.images.shape[3]
    shown = np.flatnonzero((frequency > 0) & (frequency <= (0.5 + 1e-9) / max(pictures.steps)))
    spectra = [kernels.ring_means(kernels.amplitude(image), rings, columns)[shown] for image, _ in pictures]
    counts = [
        np.bincount(np.rint(image[included] * (_LEVELS - 1)).astype(np.intp), minlength=_LEVELS) / included.sum()
        for image, included in pictures
    ]
    if reference is not None:
        found |= _similarity(stimuli, pictures, reference)
    still = "frame" not in stimuli["image"].dims
    kept = pictures.included[:, 0] if still else pictures.included
    one = {"units": "1"}
    variables: dict[str, Any] = {name: ("stimulus", values, one) for name, values in found.items()}
    variables["histogram"] = (("stimulus", "level"), np.array(counts), one)
    variables["amplitude"] = (("stimulus", "frequency"), np.array(spectra), one)
    variables["included"] = (stimuli["image"].dims, kept)
    coords: dict[str, Any] = {name: stimuli[name] for name in [*labels.names(stimuli, "stimulus"), "y", "x"]}
    coords["level"] = ("level", np.arange(_LEVELS) / (_LEVELS - 1), one)
    coords["frequency"] = ("frequency", frequency[shown], {"units": "cycles/degree"})
    settings = {"mask": mask_words(mask, pictures), "reference": reference is not None}
    return provenance.stamp(
        xr.Dataset(variables, coords), "ImageStatistics", "measure_images", settings, parents=[stimuli]
    )


def prepare(stimuli: xr.Dataset, mask: Mask, name: str = "stimuli") -> Pictures:
    """Return the pictures of a StimulusSet and the pixels that count.

    Raises
    ------
    SchemaError, TypeError, ValueError
        As :func:`measure_images`.
    """
    check(stimuli, "StimulusSet")
    images = stimuli["image"].values
    ids = [str(one) for one in stimuli["stimulus_id"].values]
    if not len(ids) or min(images.shape[-2:]) < 2:
        raise need(f"{name}: at least one picture of 2 × 2 px or more", f"the shape {images.shape}")
    steps = (_step(stimuli, "y"), _step(stimuli, "x"))
    images = images[:, None] if images.ndim == 3 else images
    included = np.broadcast_to(_included(stimuli, images, mask, ids), images.shape)
    few = [one for one, chosen in zip(ids, included, strict=True) if chosen.sum() < 2]
    if few:
        raise need("at least two included pixels in each picture", f"fewer in {_list(few)}", "True = the pixel counts")
    return Pictures(ids, images, included, steps)


def set_means(pictures: Pictures) -> SetMeans:
    """Return what the pictures have in the mean, every picture weighing the same."""
    levels, numbers = [], []
    amplitude = np.zeros(pictures.rings[0].shape)
    for image, included in pictures:
        levels.append(np.sort(image[included].astype(pictures.images.dtype)))
        numbers.append(kernels.mean_and_contrast(image, included))
        amplitude += kernels.amplitude(image) / len(pictures.ids)
    luminance, contrast = np.mean(numbers, axis=0)
    rings = kernels.ring_means(amplitude, pictures.rings[0], pictures.images.shape[3])
    return SetMeans(float(luminance), float(contrast), kernels.mean_levels(levels), amplitude, rings)


def statistics(pictures: Pictures, means: SetMeans) -> dict[str, np.ndarray]:
    """Return the numbers of each picture, ``(stimulus,)``, distances being from ``means``."""
    rings, _ = pictures.rings
    columns = pictures.images.shape[3]
    found: dict[str, list[float]] = {}
    for image, included in pictures:
        luminance, contrast = kernels.mean_and_contrast(image, included)
        levels = kernels.resample_levels(np.sort(image[included]), len(means.levels))
        own = kernels.amplitude(image)
        numbers = {
            "luminance": luminance,
            "contrast": contrast,
            "histogram_distance": float(np.abs(levels - means.levels).mean()),
            "spectrum_distance": _relative(own, means.amplitude, columns),
            "rotational_distance": _relative(kernels.ring_means(own, rings, columns), means.rings),
        }
        for name, number in numbers.items():
            found.setdefault(name, []).append(number)
    return {name: np.array(values) for name, values in found.items()}


def similarity(first: Pictures, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return structural similarity and root mean square difference of each picture ``(stimulus,)`` from ``images``."""
    ssim, rmse = [], []
    for (image, included), other in zip(first, images, strict=True):
        ssim.append(kernels.ssim_map(other.astype(np.float64), image)[included].mean())
        rmse.append(np.sqrt(((image - other)[included] ** 2).mean()))
    return np.array(ssim), np.array(rmse)


def mask_words(mask: Mask, pictures: Pictures) -> str:
    """Return the mask for the history: its name, or the hash of an array, and how much of the pictures it includes."""
    share = f"{100 * pictures.included.mean():.1f} % of the pixels"
    if mask is None:
        return "none"
    if isinstance(mask, str):
        return f"{mask}: {share}"
    digest = provenance.image_hash(np.asarray(mask, dtype=np.float64))[:12]
    return f"array {digest}: {share}"


def _relative(own: np.ndarray, mean: np.ndarray, columns: int | None = None) -> float:
    """Return the distance of two spectra over the second's length, without the mean luminance, which stands first."""
    weight = np.ones_like(mean)
    if columns is not None:  # the half plane holds these frequencies for two
        weight[:, 1 : (columns + 1) // 2] = 2.0
    weight.flat[0] = 0.0
    length = np.sqrt((weight * mean**2).sum())
    return float(np.sqrt((weight * (own - mean) ** 2).sum()) / max(length, np.finfo(float).tiny))


def _similarity(stimuli: xr.Dataset, pictures: Pictures, reference: xr.Dataset) -> dict[str, np.ndarray]:
    check(reference, "StimulusSet")
    known = [str(one) for one in reference["stimulus_id"].values]
    missing = [one for one in pictures.ids if one not in known]
    if missing:
        raise need("a reference with the same stimulus_ids", f"none for {_list(missing)}")
    if reference["image"].shape[1:] != stimuli["image"].shape[1:]:
        raise need(f"a reference with pictures of the shape {stimuli['image'].shape[1:]}", reference["image"].shape[1:])
    images = reference["image"].values[[known.index(one) for one in pictures.ids]]
    ssim, rmse = similarity(pictures, images.reshape(pictures.images.shape))
    return {"ssim": ssim, "rmse": rmse}


def _step(stimuli: xr.Dataset, axis: str) -> float:
    places = stimuli[axis].values.astype(np.float64)
    steps = np.abs(np.diff(places))
    if np.ptp(steps) > _EVEN * steps.mean() or steps.min() <= 0:
        raise need(f"evenly spaced pixels along {axis}", f"steps of {steps.min():g} to {steps.max():g} degrees")
    return float(steps.mean())


def _included(stimuli: xr.Dataset, images: np.ndarray, mask: Mask, ids: list[str]) -> np.ndarray:
    if mask is None:
        return np.ones((1, 1, 1, 1), dtype=bool)
    if isinstance(mask, str):
        if mask != "background":
            raise unknown("mask", mask, ["background"], hint="Or pass None, or an array of bool, True = counts")
        found = [kernels.background(image.astype(np.float64), _SAME) for image in images]
        ragged = [one for one, (_, share) in zip(ids, found, strict=True) if share < _SURROUND]
        if ragged:
            raise need(
                "a uniform background along at least half of each picture's edge",
                f"none in {_list(ragged)}",
                "Pass mask as an array of bool, True = counts",
            )
        return ~np.stack([surround for surround, _ in found])
    array = _ordered(stimuli, mask, ids) if isinstance(mask, xr.DataArray) else np.asarray(mask)
    if array.dtype != bool:
        raise need("a mask of bool, True = counts", f"{array.dtype} values", "Compare with 0 first", kind=TypeError)
    n, frames, ny, nx = images.shape
    shapes = {(ny, nx): (1, 1, ny, nx), (n, ny, nx): (n, 1, ny, nx), images.shape: images.shape}
    if array.shape not in shapes:
        wanted = f"(y, x) = ({ny}, {nx}) or (stimulus, y, x) = ({n}, {ny}, {nx})"
        wanted += f" or (stimulus, frame, y, x) = {images.shape}" if frames > 1 else ""
        raise need(f"a mask {wanted}", f"the shape {array.shape}")
    return array.reshape(shapes[array.shape])


def _ordered(stimuli: xr.Dataset, mask: xr.DataArray, ids: list[str]) -> np.ndarray:
    """Return the values of a labelled mask in the order of the stimuli and of their dims."""
    dims = [str(dim) for dim in stimuli["image"].dims]
    for dim in mask.dims:
        if dim not in dims:
            raise unknown("dim of the mask", dim, dims)
    mask = mask.transpose(*(dim for dim in dims if dim in mask.dims))
    if "stimulus" in mask.dims and "stimulus_id" in mask.coords:
        known = [str(one) for one in mask["stimulus_id"].values]
        missing = [one for one in ids if one not in known]
        if missing:
            raise need("a mask for every stimulus", f"none for {_list(missing)}")
        mask = mask.isel(stimulus=[known.index(one) for one in ids])
    return np.asarray(mask.values)


def _list(names: list[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
