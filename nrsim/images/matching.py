"""Matching of low-level image properties over a set of stimuli, so that no cell can tell them apart by these alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from tqdm import tqdm

from nrsim import provenance
from nrsim.errors import need, unknown
from nrsim.images import matching_kernels as kernels
from nrsim.images.measuring import (
    Mask,
    Pictures,
    SetMeans,
    mask_words,
    prepare,
    set_means,
    similarity,
    statistics,
)
from nrsim.quantities import bare, whole
from nrsim.schema import check

OPERATIONS = ("luminance", "contrast", "histogram", "spectrum", "rotational_spectrum")
_RANGES = ("rescale", "clip", "error")
_STEP = 67 / 255**2  # of the ascent in similarity: SHINE's step of 67 for 8-bit levels, in luminance 0..1
_LOST = 1e-3  # of the wanted energy that may fall on frequencies a picture lacks (chosen)
_BRIGHTEST = 0.999  # mean luminance that leaves room for any contrast (chosen)
_ROUNDING = 1e-6  # beyond 0..1: rounding of float32

Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


def match_images(
    stimuli: xr.Dataset,
    operations: str | Sequence[str],
    *,
    iterations: int = 1,
    mask: Mask = None,
    target: xr.Dataset | None = None,
    mean: float | None = None,
    contrast: float | None = None,
    ssim_iterations: int = 0,
    out_of_range: str | None = None,
    progress: bool = False,
) -> xr.Dataset:
    r"""Give all pictures the same luminance, contrast, grey levels or amplitude spectrum.

    The operations of the SHINE toolbox (Willenbockel et al. 2010, Behav Res Methods 42:671), on float luminance rather
    than on 8-bit levels: nothing is rounded to 256 levels between the steps.

    Parameters
    ----------
    stimuli
        A StimulusSet. A moving face is one picture of many frames: it gets one transform for all of them (one shift and
        gain, one order of all pixels of all frames, one filter), so that nothing flickers and what moves keeps moving.
    operations
        One name or several, done in this order:

        - ``"luminance"``: the same mean; a constant is added. ``["luminance", "contrast"]`` is SHINE's lumMatch.
        - ``"contrast"``: the same RMS contrast (standard deviation) about each picture's own mean.
        - ``"histogram"``: the same grey levels exactly, those of the set's mean histogram, by rank (SHINE's histMatch).
          Pixels of one luminance are ordered by the means of growing neighbourhoods (Coltuc et al. 2006), so that 8-bit
          pictures do not band. There are as many grey levels as pixels; rounded to any number of bits they are still
          the same in every picture. Where masks differ in size, the levels are those of the same distribution.
        - ``"spectrum"``: the same amplitude at every frequency and orientation, phases kept (specMatch).
        - ``"rotational_spectrum"``: the same rotational average in each ring of frequencies, so that each picture keeps
          its orientations (sfMatch).
    iterations
        How often the whole list is done. Default 1 (SHINE's). What comes last is exact, what comes before nearly; more
        iterations bring them closer. What is aimed at stays that of the set as it came.
    mask
        Which pixels count and may change, as for :func:`nrsim.measure_images`; all others are never touched. Spectra
        are of the whole picture, so that with a mask they are matched only nearly: iterate, and look at the numbers.
    target
        Another StimulusSet, whose means are aimed at. Default: the set itself.
    mean, contrast
        Mean luminance (0..1, for ``"luminance"``) and RMS contrast (for ``"contrast"``) instead of the set's mean.
    ssim_iterations
        With ``"histogram"``: steps up the gradient of the structural similarity to the picture before, keeping the grey
        levels exact (Avanaki 2009, Opt Rev 16:613). Default 0: none. SHINE takes 10.
    out_of_range
        What to do where luminance leaves 0..1, at the end: ``"rescale"`` lowers the contrast of all pictures by one
        factor, each about its own mean, until all fit, so that everything matched stays matched; ``"clip"`` cuts, which
        keeps the contrast but is not exact; ``"error"`` refuses. Default: rescale with a warning (chosen).
    progress
        Show what is done and what is left.

    Returns
    -------
    xarray.Dataset
        The StimulusSet with new ``image`` and ``image_sha256``; all other labels and ``landmark`` travel.
        ``fraction_outside (stimulus)`` says which part of each picture had left 0..1 before that was dealt with. The
        last line of ``history`` holds the settings and what was measured before and after: mean and standard deviation
        over the set. ``colour``, if there was any, is left out: matching is for luminance, and colours would no longer
        be those of the image.

    Raises
    ------
    SchemaError, TypeError
        If it is no valid StimulusSet, or a value is of the wrong kind.
    ValueError
        For an unknown operation (the nearest is named), a setting without its operation, a mask that does not fit, a
        constant picture where contrast is needed, a picture without amplitude where the set has some, a contrast that
        does not fit into 0..1, or, with ``"error"``, any luminance outside.

    Notes
    -----
    A spectrum's filter is :math:`G(k) = \bar A(k) / A(k)` with the set's mean amplitude :math:`\bar A` and the
    picture's own :math:`A` (of a moving face: the mean over its frames). The Fourier transform takes the picture as
    periodic: what differs between opposite edges counts as amplitude, and the filter carries structure around the edge.
    On a uniform background opposite edges are alike before, but structure spreads over it after.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.match_images(nr.example("StimulusSet"), ["luminance", "contrast"], mean=0.5)
    >>> found = nr.measure_images(faces)
    >>> sorted(set(found["luminance"].values.round(5).tolist())), float(found["contrast"].std().round(6))
    ([0.5], 0.0)
    """
    names = _operations(operations)
    repeats, climbs = whole(iterations, "iterations", low=1), whole(ssim_iterations, "ssim_iterations")
    handling = "rescale" if out_of_range is None else out_of_range
    if handling not in _RANGES:
        raise unknown("way to treat luminance out of range", handling, _RANGES)
    for setting, name, given in (
        ("mean", "luminance", mean is not None),
        ("contrast", "contrast", contrast is not None),
        ("ssim_iterations", "histogram", climbs > 0),
    ):
        if given and name not in names:
            raise need(f"the operation {name!r} where {setting} is given", repr(names), f"Add {name!r} or drop it")
    pictures = prepare(stimuli, mask)
    if set(names) != {"luminance"}:
        flat = pictures.constant()
        if flat:
            shown = ", ".join(map(repr, flat[:3])) + (f" and {len(flat) - 3} more" if len(flat) > 3 else "")
            raise need(f"contrast in each picture, for {', '.join(names)}", f"one luminance only in {shown}")
    own = set_means(pictures)
    wanted = own if target is None else _of_target(target, mask, pictures, names)
    if mean is not None:
        wanted = replace(wanted, luminance=bare(mean, "1", "mean", above=0.0, high=_BRIGHTEST))
    if contrast is not None:
        wanted = replace(wanted, contrast=bare(contrast, "1", "contrast", above=0.0))

    matched = np.empty(pictures.images.shape, dtype=np.float32)
    for i in tqdm(range(len(pictures.ids)), desc="matching", unit="picture", disable=None if progress else True):
        included = pictures.included[i]
        original = pictures.images[i].astype(np.float64)
        steps = _steps(names, wanted, pictures, pictures.ids[i], climbs)
        image = original
        for step in list(steps) * repeats:
            image = np.where(included, step(image, included), original)
        matched[i] = image
    fixed = contrast is not None and set(names) <= {"luminance", "contrast"}
    outside, factor = _into_range(matched, pictures, handling, wanted.contrast if fixed else None)
    if outside.any() and out_of_range is None:
        left = f"{int((outside > 0).sum())} of {len(outside)} pictures left luminance 0..1"
        warnings.warn(
            f"{left} ({100 * outside.mean():.2g} % of the pixels): the contrast of all was multiplied by {factor:.3g}. "
            "Pass out_of_range='rescale' to accept this, or 'clip' to cut these pixels",
            stacklevel=2,
        )

    made = stimuli.drop_vars([name for name in ("colour", "channel") if name in stimuli.variables])
    shape = stimuli["image"].shape
    made["image"] = (stimuli["image"].dims, matched.reshape(shape), dict(stimuli["image"].attrs))
    hashes = [provenance.image_hash(image) for image in matched.reshape(shape)]
    made = made.assign_coords(image_sha256=("stimulus", hashes), fraction_outside=("stimulus", outside, {"units": "1"}))
    after = replace(pictures, images=matched)
    settings = {
        "operations": names,
        "iterations": repeats,
        "mask": mask_words(mask, pictures),
        "target": "the set" if target is None else str(target.attrs.get("title", "another set")),
        "mean": mean,
        "contrast": contrast,
        "ssim_iterations": climbs,
        "out_of_range": handling,
        "contrast_factor": factor,
        "fraction_outside": float(outside.mean()),
        "measured": _measured(pictures, after, own),
    }
    if "colour" in stimuli:
        settings["dropped"] = "colour: matching is for luminance"
    made = provenance.stamp(made, "StimulusSet", "match_images", settings, parents=[stimuli])
    return check(made, "StimulusSet")


def _operations(operations: str | Sequence[str]) -> list[str]:
    if not isinstance(operations, (str, Sequence)):
        raise need("the name of an operation or a list of names", repr(operations), kind=TypeError)
    names = [operations] if isinstance(operations, str) else list(operations)
    for name in names:
        if name not in OPERATIONS:
            raise unknown("operation", name, OPERATIONS)
    if not names:
        raise need(f"at least one operation of {', '.join(OPERATIONS)}", "none")
    return names


def _of_target(target: xr.Dataset, mask: Mask, pictures: Pictures, names: list[str]) -> SetMeans:
    if mask is not None and not isinstance(mask, str) and np.ndim(mask) > 2:
        raise need("mask None, 'background' or (y, x) where a target is given", f"the shape {np.shape(mask)}")
    others = prepare(target, mask, "target")
    same = others.images.shape[2:] == pictures.images.shape[2:] and np.allclose(others.steps, pictures.steps)
    if not same and any("spectrum" in name for name in names):
        shown = [f"{one.images.shape[2:]} px of {one.steps[1]:g} degrees" for one in (pictures, others)]
        raise need(f"a target with pictures of {shown[0]}, for spectra", shown[1])
    return set_means(others)


def _steps(names: list[str], wanted: SetMeans, pictures: Pictures, stimulus: str, climbs: int) -> list[Step]:
    """Return the operations on one picture, each a function of the image and the included pixels."""

    def luminance(image: np.ndarray, included: np.ndarray) -> np.ndarray:
        return image + (wanted.luminance - kernels.mean_and_contrast(image, included)[0])

    def contrast(image: np.ndarray, included: np.ndarray) -> np.ndarray:
        mean, own = kernels.mean_and_contrast(image, included)
        return mean + (image - mean) * (wanted.contrast / own)

    def histogram(image: np.ndarray, included: np.ndarray) -> np.ndarray:
        levels = kernels.resample_levels(wanted.levels, int(included.sum()))
        return kernels.set_levels_like(image, included, levels, climbs, _STEP)

    def spectrum(image: np.ndarray, included: np.ndarray) -> np.ndarray:
        own = kernels.amplitude(image)
        return kernels.filtered(image, gain(image, own, wanted.amplitude))

    def rotational_spectrum(image: np.ndarray, included: np.ndarray) -> np.ndarray:
        rings, _ = pictures.rings
        own = kernels.ring_means(kernels.amplitude(image), rings, image.shape[2])
        return kernels.filtered(image, gain(image, own, wanted.rings)[rings])

    def gain(image: np.ndarray, own: np.ndarray, aim: np.ndarray) -> np.ndarray:
        # What a float32 picture holds below this is its rounding
        floor = np.finfo(np.float32).eps * np.sqrt((image**2).mean() / image[0].size)
        found, lost = kernels.spectral_gain(own, aim, float(floor))
        if lost > _LOST:
            raise need(
                f"amplitude in {stimulus!r} at every frequency that the set has",
                f"none where {100 * lost:.2g} % of the wanted energy is",
                "Its phases there are undefined: leave it out, or match luminance and contrast",
            )
        return found

    known: dict[str, Step] = {
        "luminance": luminance,
        "contrast": contrast,
        "histogram": histogram,
        "spectrum": spectrum,
        "rotational_spectrum": rotational_spectrum,
    }
    return [known[name] for name in names]


def _into_range(
    matched: np.ndarray, pictures: Pictures, handling: str, fixed: float | None
) -> tuple[np.ndarray, float]:
    """Bring ``matched`` into 0..1 in place; return the fraction of each picture outside and the contrast's factor."""
    n = len(matched)
    outside, means, factors = np.zeros(n), np.zeros(n), np.ones(n)
    for i, (image, included) in enumerate(zip(matched, pictures.included, strict=True)):
        values = image[included].astype(np.float64)
        outside[i] = ((values < -_ROUNDING) | (values > 1 + _ROUNDING)).mean()
        means[i] = values.mean()
        if outside[i]:
            below = means[i] / max(means[i] - values.min(), np.finfo(float).tiny)
            above = (1 - means[i]) / max(values.max() - means[i], np.finfo(float).tiny)
            factors[i] = min(1.0, below, above)
    factor = float(factors.min())
    worst = pictures.ids[int(factors.argmin())]
    if outside.any() and handling == "error":
        low, high = float(matched[pictures.included].min()), float(matched[pictures.included].max())
        raise need(
            "luminance within 0..1 after matching",
            f"{low:.3g} to {high:.3g}, in {int((outside > 0).sum())} of {n} pictures",
            "Pass out_of_range='rescale' or 'clip', or a smaller contrast",
        )
    if outside.any() and handling == "rescale":
        if fixed is not None:
            raise need(
                "a contrast that fits into luminance 0..1",
                f"{fixed:g}, but {worst!r} fits only up to {fixed * max(factor, 0.0):.4g}",
                "Pass a smaller contrast, or out_of_range='clip'",
            )
        if factor <= 0:
            raise need(
                "a mean luminance within 0..1",
                f"{means[factors.argmin()]:.3g} in {worst!r}",
                "Pass out_of_range='clip'",
            )
        for i, included in enumerate(pictures.included):
            matched[i][included] = means[i] + factor * (matched[i][included] - means[i])
    else:
        factor = 1.0
    np.clip(matched, 0.0, 1.0, out=matched, where=pictures.included)
    return outside, factor


def _measured(before: Pictures, after: Pictures, means: SetMeans) -> dict[str, Any]:
    """Return name → mean and standard deviation over the set before and after; distances are from each set's means."""
    first, then = statistics(before, means), statistics(after, set_means(after))
    shown: dict[str, Any] = {
        name: {"before": _mean_and_sd(first[name]), "after": _mean_and_sd(then[name])} for name in first
    }
    shown["ssim"], shown["rmse"] = ({"after": _mean_and_sd(values)} for values in similarity(after, before.images))
    return shown


def _mean_and_sd(values: np.ndarray) -> list[float]:
    return [float(f"{number:.4g}") for number in (values.mean(), values.std())]
