"""What a physiologist reads off responses to gratings: harmonics, bandwidths, summation, contrast response."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.tuning import shapes
from nrsim.tuning.models import fit_naka_rushton

ROUNDING = 1e-6  # of the greatest response: what counts as not below 0
_Measured = dict[str, tuple[np.ndarray, str]]


def harmonics(response: xr.DataArray) -> xr.Dataset:
    r"""Return mean and first harmonic of responses to drifting gratings, and their ratio F1/F0.

    With the response r at the times t of N frames and the temporal frequency f of the grating,

    .. math:: F_0 = \frac{1}{N} \sum_t r(t), \qquad F_1 = \frac{2}{N} \left| \sum_t r(t)\, e^{-2\pi i f t} \right|.

    F1 is the amplitude of the modulation. A cell is called simple where F1 > F0 (De Valois, Albrecht & Thorell 1982;
    Skottun et al. 1991); a half-rectified sine has F1/F0 = π/2.

    Parameters
    ----------
    response
        ``(stimulus, frame, …)`` with the coordinates ``frame_time`` (s) and ``temporal_frequency`` (Hz), as
        :meth:`nrsim.V1Bank.responses` gives them for :func:`nrsim.render_gratings` with ``temporal_frequencies``. What
        has no temporal frequency, the blank, is looked at with that of the others if they have but one.

    Returns
    -------
    xarray.Dataset
        ``mean`` (F0), ``first_harmonic`` (F1) and ``modulation_ratio`` (F1/F0) ``(stimulus, …)``. The ratio is NaN
        where the response is 0 throughout or somewhere below 0, as no firing is; F1 where the temporal frequency is
        0 or unknown.

    Raises
    ------
    TypeError, ValueError
        If the dims or coordinates are missing, or the frames are unevenly spaced or no whole number of cycles.

    Examples
    --------
    >>> import nrsim as nr
    >>> drifting = nr.render_gratings(
    ...     orientations=[0], frequencies=[2.0], temporal_frequencies=[1.0], frame_rate=24, duration=1, size=64
    ... )
    >>> seen = nr.V1Bank([2.0], [0]).responses(drifting, rectify=True)["response"]
    >>> cell = seen.sel(phase=0).isel(y=32, x=32)
    >>> round(float(nr.harmonics(cell)["modulation_ratio"].squeeze()), 2)  # π/2
    1.57
    """
    _is_array(response, "a response (stimulus, frame, …)")
    for dim in ("stimulus", "frame"):
        if dim not in response.dims:
            raise need(f"a response with the dim {dim!r}", f"the dims {', '.join(map(str, response.dims))}")
    for name, dim in (("frame_time", "frame"), ("temporal_frequency", "stimulus")):
        if name not in response.coords or response[name].dims != (dim,):
            raise need(f"the coordinate {name!r} along {dim}", "none", "Use responses to drifting gratings")
    others = [str(dim) for dim in response.dims if dim not in ("stimulus", "frame")]
    values = _finite(response.transpose("stimulus", "frame", *others).values)
    time = response["frame_time"].values.astype(float)
    speed = _speeds(response["temporal_frequency"].values.astype(float), time)
    wave = np.exp(-2j * np.pi * speed[:, None] * (time - time[0]))
    flat = values.reshape(*values.shape[:2], -1)
    mean = flat.mean(axis=1)
    first = 2 * np.abs(np.einsum("sf,sfc->sc", wave, flat)) / len(time)
    fires = (flat.min(axis=1) >= -ROUNDING * np.abs(flat).max(axis=1)) & (mean > 0)
    ratio = np.where(fires, first / np.where(fires, mean, 1.0), np.nan)
    coords = {name: c.variable for name, c in response.coords.items() if "frame" not in c.dims}
    unit = response.attrs.get("units", "1")
    found = {"mean": (mean, unit), "first_harmonic": (first, unit), "modulation_ratio": (ratio, "1")}
    shape = (len(values), *values.shape[2:])
    data = {name: (("stimulus", *others), each.reshape(shape), {"units": u}) for name, (each, u) in found.items()}
    return xr.Dataset(data, coords)


def _speeds(speed: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return the temporal frequency of every stimulus, NaN where there is none, checked against the frames."""
    known = np.unique(speed[np.isfinite(speed) & (speed > 0)])
    speed = np.where(speed > 0, speed, known[0] if len(known) == 1 else np.nan) if known.size else speed * np.nan
    steps = np.diff(time)
    if len(time) < 3 or np.ptp(steps) > 1e-6 * steps.mean():
        raise need("three or more frames, evenly spaced in time", f"{len(time)} at {time.tolist()[:4]} … s")
    duration = float(steps.mean() * len(time))
    for each in known:
        cycles = each * duration
        if cycles < 0.5 or abs(cycles - round(cycles)) > 1e-3:
            raise need(
                f"frames over a whole number of cycles of {each:g} Hz",
                f"{duration:g} s, {cycles:.4g} cycles",
                f"Use a duration of {max(1, round(cycles)) / each:g} s, or select frames",
            )
        if each >= 0.5 / steps.mean():
            raise need(f"more than two frames a cycle of {each:g} Hz", f"{1 / steps.mean():g} frames per second")
    return speed


def measure_tuning(response: xr.DataArray, *, along: str) -> xr.Dataset:
    r"""Measure tuning curves as physiologists do: what is preferred, how broad, how suppressed, how saturated.

    Parameters
    ----------
    response
        Mean responses of 0 or more, one for each value of ``along``: either ``(stimulus, …)`` with the label
        ``along``, such as the F0 or F1 of :func:`nrsim.harmonics`, or ``(…, along)``, such as the ``firing_rate`` of
        :func:`nrsim.tuning_curves`. Stimuli without the label (NaN: the blank) are left out.
    along
        ``"grating_orientation"``
            Evenly spaced over 180 degrees, or over 360 if one is 180 or more. ``preferred``; ``bandwidth``, full width
            at half height, and ``half_width``, half the width at 1/√2 of the greatest response (degree);
            ``circular_variance``, 1 − \|Σ r exp(2iθ)\| / Σ r (Ringach, Shapley & Hawken 2002).
        ``"grating_frequency"``
            ``preferred``, ``low`` and ``high`` at half height (cycles/degree), ``bandwidth`` between them (octave);
            ``selectivity_ratio``, lower over upper frequency at 1/√2 of the greatest response (Schiller, Finlay &
            Volman 1976 give it in %).
        ``"grating_diameter"``
            ``preferred``, where the response is greatest; ``summation_diameter``, the smallest that gives 95 % of that;
            ``surround_diameter``, where 95 % of the fall beyond the peak is over (degree; the 95 % are chosen);
            ``suppression_index``, that fall down to the largest diameter over the greatest response.
        ``"grating_contrast"``
            The fit r₀ + r_max cⁿ / (cⁿ + c₅₀ⁿ) by least squares: ``baseline``, ``maximum``, ``exponent``,
            ``semi_saturation``, ``explained_variance``. c₅₀ at its bound, twice the highest contrast, says that the
            response does not saturate: then ``maximum`` means nothing.

    Returns
    -------
    xarray.Dataset
        The measures on the other dims. Where a curve never falls to the height in question the width is NaN; of a curve
        that is 0 throughout everything is. Widths and peaks are read off cubic splines through the points (periodic
        over orientation, else over octaves), so the points must be close enough to draw the curve. Nothing is
        subtracted.

    Raises
    ------
    TypeError, ValueError
        For another ``along`` (the nearest is named), fewer than four values, a value that comes twice, orientations
        that are unevenly spaced, and responses that are below 0 or not finite.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.render_gratings(orientations=range(0, 180, 10), frequencies=[2.0], size=64, degrees=4)
    >>> energy = nr.V1Bank([2.0], [40.0]).transform(faces)["energy"].isel(y=32, x=32)
    >>> tuning = nr.measure_tuning(energy, along="grating_orientation")
    >>> round(float(tuning["preferred"].squeeze())), round(float(tuning["bandwidth"].squeeze()))
    (40, 35)
    """
    _is_array(response, "a response (stimulus, …)")
    if along not in _MEASURES:
        raise unknown("label to measure tuning along", along, _MEASURES)
    dim = along if along in response.dims else "stimulus"
    if dim not in response.dims or along not in response.coords or response[along].dims != (dim,):
        raise need(f"a response with {along!r} along the dim 'stimulus' or as a dim", f"{tuple(response.dims)}")
    others = [str(each) for each in response.dims if each != dim]
    arranged = response.transpose(*others, dim)
    x = arranged[along].values.astype(float)
    shown = np.isfinite(x)
    order = np.flatnonzero(shown)[np.argsort(x[shown], kind="stable")]
    x = x[order]
    if len(x) < 4:
        raise need(f"four or more values of {along}", f"{len(x)}")
    if (np.diff(x) < 1e-9).any():
        twice = sorted({f"{value:g}" for value in x[1:][np.diff(x) < 1e-9]})
        todo = "Select the stimuli of one series, or average those that are alike"
        raise need(f"every value of {along} once", f"{', '.join(twice)} more than once", todo)
    y = _finite(arranged.values)[..., order].reshape(-1, len(x))
    if y.min(initial=0.0) < -ROUNDING * np.abs(y).max(initial=0.0):
        raise need("responses of 0 or more", f"{y.min():.3g}", "Rectify them, or take F1 by nr.harmonics")
    silent = y.max(axis=1) <= 0
    shape = tuple(arranged.sizes[each] for each in others)
    data = {}
    for name, (values, unit) in _MEASURES[along](x, np.where(silent[:, None], 1.0, y)).items():
        kept = np.where(silent, np.nan, values)
        own = response.attrs.get("units", "1") if unit == "response" else unit
        data[name] = (tuple(others), kept.reshape(shape), {"units": own})
    coords = {name: c.variable for name, c in response.coords.items() if dim not in c.dims}
    return xr.Dataset(data, coords, {"along": along})


def _orientation(x: np.ndarray, y: np.ndarray) -> _Measured:
    period = 360.0 if x[-1] >= 180 else 180.0
    gaps = np.diff(np.append(x, x[0] + period))
    if np.ptp(gaps) > 1e-3 or x[0] < 0 or x[-1] >= 360:
        todo = f"Use steps of {period / len(x):g} degrees from 0, without gaps"
        raise need(f"orientations evenly spaced over {period:g} degrees", f"{x.tolist()}", todo)
    fine, curve = shapes.closed(x, y, period)
    return {
        "preferred": (fine[curve.argmax(axis=1)], "degree"),
        "bandwidth": (shapes.width_on_circle(fine, curve, shapes.HALF, period), "degree"),
        "half_width": (shapes.width_on_circle(fine, curve, shapes.ROOT, period) / 2, "degree"),
        "circular_variance": (shapes.circular_variance(x, y), "1"),
    }


def _frequency(x: np.ndarray, y: np.ndarray) -> _Measured:
    octaves, curve = shapes.opened(np.log2(_above(x, "grating_frequency")), y)
    low, high = shapes.edges(octaves, curve, shapes.HALF)
    lower, upper = shapes.edges(octaves, curve, shapes.ROOT)
    return {
        "preferred": (2 ** octaves[curve.argmax(axis=1)], "cycles/degree"),
        "low": (2**low, "cycles/degree"),
        "high": (2**high, "cycles/degree"),
        "bandwidth": (high - low, "octave"),
        "selectivity_ratio": (2 ** (lower - upper), "1"),
    }


def _diameter(x: np.ndarray, y: np.ndarray) -> _Measured:
    octaves, curve = shapes.opened(np.log2(_above(x, "grating_diameter")), y)
    reached, over = shapes.summation(octaves, curve)
    return {
        "preferred": (2 ** octaves[curve.argmax(axis=1)], "degree"),
        "summation_diameter": (2**reached, "degree"),
        "surround_diameter": (2**over, "degree"),
        "suppression_index": (1 - curve[:, -1] / curve.max(axis=1), "1"),
    }


def _contrast(x: np.ndarray, y: np.ndarray) -> _Measured:
    if x[0] < 0:
        raise need("contrasts of 0 or more", f"{x[0]:g}")
    scale = y.max(axis=1, keepdims=True)
    fit = fit_naka_rushton(x, np.ones_like(y), y / scale, nonnegative=True)
    spread = ((y / scale - (y / scale).mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    explained = np.where(spread > 0, 1 - fit.error / np.where(spread > 0, spread, 1.0), np.nan)
    return {
        "baseline": (fit.baseline * scale[:, 0], "response"),
        "maximum": (fit.maximum * scale[:, 0], "response"),
        "exponent": (fit.exponent, "1"),
        "semi_saturation": (fit.half, "1"),
        "explained_variance": (explained, "1"),
    }


_MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], _Measured]] = {
    "grating_orientation": _orientation,
    "grating_frequency": _frequency,
    "grating_diameter": _diameter,
    "grating_contrast": _contrast,
}


def _above(x: np.ndarray, name: str) -> np.ndarray:
    if x[0] <= 0:
        raise need(f"{name} above 0", f"{x[0]:g}")
    return x


def _finite(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise need("finite responses", f"{int((~np.isfinite(values)).sum())} that are not")
    return values


def _is_array(response: object, what: str) -> None:
    if not isinstance(response, xr.DataArray):
        todo = 'Take one variable of a dataset: seen["energy"]' if isinstance(response, xr.Dataset) else ""
        raise need(f"{what}: an xarray.DataArray", type(response).__name__, todo, kind=TypeError)
