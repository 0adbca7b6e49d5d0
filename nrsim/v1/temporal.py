"""Temporal filters of V1 cells: stated impulse responses, alone or as a pair that tells directions apart."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole
from nrsim.v1.impulse import Gamma, Part, Sampled, scaled

BEFORE = ("first", "blank")
QUADRATURE = ("near", "exact")
NAMES = ("fast", "slow")


class TemporalFilters:
    """How V1 cells see time: one impulse response, or a fast and a slow one that tell directions apart.

    For ``V1Bank(…, temporal=nr.TemporalFilters())``, which then answers to moving stimuli only. With Adelson & Bergen
    1985 (eq. 1) an impulse response is

        h(t) = g (kt)^n exp(−kt) [1/n! − b (kt)²/(n + 2)!],  t ≥ 0.

    With two orders n the cells are selective for direction. z = even + i·odd being a channel's response to each frame,
    the energies of the two directions across its bars are

        E = |z ∗ (h_fast − i h_slow)|²  and  |z ∗ (h_fast + i h_slow)|²,

    the quadrature pairs of Adelson & Bergen. Each filter has the same gain g·|H| at the preferred temporal frequency,
    and both are scaled so that a grating of contrast 1, of the channel's frequency and orientation, that drifts in its
    direction at that temporal frequency gives energy 1, the largest of all temporal frequencies. With one order each
    channel is filtered in time and stays the same to both directions; the filter's largest gain is 1.

    A frame stays on the screen until the next, and the response is that at the moment when a frame appears: it follows
    from the frames before. Each frame's weight is the integral of h over the time that the frame was shown, which is
    exact, for unevenly spaced frames too. Held frames move in steps: of a drifting grating's energy they leave
    sinc²(temporal frequency / frame rate), 97 % with the default filters at 60 frames/s.

    Parameters
    ----------
    rate
        k, 1/s. Default 80 (chosen, for a preferred temporal frequency of 5.8 Hz: most macaque V1 cells follow up to 5.6
        to 8 Hz, Foster, Gaska, Nagler & Pollen 1985; the paper gives none, public implementations take 60 to 100).
    frequency
        Instead of ``rate``: the preferred temporal frequency, Hz.
    orders
        n of the fast and the slow filter, 1 or more; or one order. Default (3, 5), Adelson & Bergen's.
    undershoot
        b, the weight of the later phase of opposite sign, 0 to 1. Default 1, that of the equation: h then integrates to
        0, and what does not move gives nothing. With 0 a filter is a low-pass; between, cells are part transient and
        part sustained. Two thirds of macaque cells are low-pass in temporal frequency (Foster et al. 1985).
    quadrature
        ``"near"``: both filters as they stand, in quadrature only nearly: with the default orders they are 49 degrees
        apart at the preferred frequency, and the opposite direction gives 14 % of the energy. ``"exact"``: the slow
        filter less what it has in common with the fast one there, so that the opposite direction gives 0.
    kernel
        Instead of all these: your own impulse response, ``(time,)``, or a fast and a slow one, ``(2, time)``, from the
        impulse on; h is taken as constant over each step of ``step`` seconds. Its scale does not matter.
    step
        s, of ``kernel``.
    before
        What was on the screen before the first frame: ``"first"``, the first frame all along, so that only what
        changes afterwards drives transient cells, or ``"blank"``, uniform luminance, so that the stimulus appears with
        its first frame. Default first (chosen).

    Raises
    ------
    ValueError, TypeError
        For values out of range, ``rate`` with ``frequency``, a kernel without its step, filters of which the second
        does not lag behind the first.

    Examples
    --------
    >>> import nrsim as nr
    >>> filters = nr.TemporalFilters()
    >>> round(filters.preferred, 2), filters.directional
    (5.76, True)
    >>> filters.tuning([5.76]).sel(direction="opposite").item(0) < 0.15
    True
    >>> rightwards = nr.render_gratings(orientations=[0], frequencies=[2], temporal_frequencies=[5.76], size=64)
    >>> bank = nr.V1Bank([2.0], 2, temporal=filters)
    >>> middle = nr.PooledEnergy(places=[(0, 0)], tolerance=0.1)
    >>> seen = bank.transform(rightwards, pool=middle)["energy"][0, -1, 0, :, 0]
    >>> {int(angle): round(float(energy), 1) for angle, energy in zip(seen["orientation"], seen)}
    {0: 1.0, 90: 0.0, 180: 0.1, 270: 0.0}
    """

    def __init__(
        self,
        rate: float | None = None,
        *,
        frequency: float | None = None,
        orders: int | Sequence[int] = (3, 5),
        undershoot: float = 1.0,
        quadrature: str = "near",
        kernel: Any = None,
        step: float | None = None,
        before: str = "first",
    ) -> None:
        if before not in BEFORE:
            raise unknown("time before the first frame", before, BEFORE)
        if quadrature not in QUADRATURE:
            raise unknown("quadrature", quadrature, QUADRATURE)
        self.before, self.quadrature = before, quadrature
        self.frequency = None if frequency is None else bare(frequency, "Hz", "frequency", above=0)
        self.undershoot = bare(undershoot, "1", "undershoot", low=0, high=1)
        self.orders = _orders(orders)
        self.step = None if step is None else bare(step, "s", "step", above=0)
        self.kernel: list[Any] | None = None
        if kernel is not None:
            if rate is not None or frequency is not None:
                raise need("either kernel or rate and frequency", "both", kind=TypeError)
            if self.step is None:
                raise need("step, the seconds between the kernel's values", "none", kind=TypeError)
            rows = _rows(kernel)
            self.kernel = (rows if np.ndim(kernel) == 2 else rows[0]).tolist()
            self.rate = None
            parts: list[Part] = [Sampled(tuple(row), self.step) for row in rows]
        else:
            if self.step is not None:
                raise need("a kernel with its step", "a step without kernel", kind=TypeError)
            self.rate = self._rate(rate)
            parts = self._gammas(self.rate)
        self._filters = scaled(parts, quadrature == "exact")

    def _gammas(self, rate: float) -> list[Part]:
        return [Gamma(order, rate, self.undershoot) for order in self.orders]

    def _rate(self, rate: float | None) -> float:
        """Return k, from the preferred frequency where that is stated."""
        if self.frequency is None:
            return bare(80.0 if rate is None else rate, "Hz", "rate", above=0)
        if rate is not None:
            raise need("rate or frequency", "both", "Each gives the other", kind=TypeError)
        at_one = scaled(self._gammas(1.0), self.quadrature == "exact").preferred
        if not at_one > 0:
            raise need(
                "filters that prefer a temporal frequency above 0",
                f"a low-pass, undershoot {self.undershoot:g}",
                "State the rate",
            )
        return self.frequency / at_one

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        params = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        return params | ({"rate": None} if self.frequency is not None else {})

    @property
    def directional(self) -> bool:
        """Whether there are two filters, so that cells are selective for direction."""
        return len(self._filters.mix) == 2

    @property
    def preferred(self) -> float:
        """The preferred temporal frequency, Hz: of direction-selective cells, in their direction."""
        return self._filters.preferred

    @property
    def opposite(self) -> float:
        """Return the energy that a grating at the preferred temporal frequency gives in the opposite direction."""
        return float(self._filters.amplitude(np.array(-self.preferred))) ** 2

    @property
    def lowest_frame_rate(self) -> float:
        """The frames per second that resolve the filters, Hz: twice the upper frequency at which half is passed."""
        return 2 * self._filters.upper

    @property
    def latency(self) -> xr.DataArray:
        """Time from an impulse to the largest value, of either sign, of each response to it, ``(filter,)``, s."""
        response = self.impulse_response(step=self._end() / 4096)
        peak = np.abs(response.values).argmax(axis=1)
        values = response["time"].values[peak]
        return xr.DataArray(values, {"filter": response["filter"]}, ("filter",), "latency", {"units": "s"})

    def _end(self) -> float:
        return max(part.end for part in self._filters.parts)

    def _names(self) -> tuple[str, list[str], dict[str, str]]:
        names = NAMES if self.directional else NAMES[:1]
        return "filter", list(names), {"long_name": "temporal filter"}

    def impulse_response(self, step: float = 0.001, duration: float | None = None) -> xr.DataArray:
        """Return h, ``(filter, time)``, 1/s, as scaled.

        Parameters
        ----------
        step
            s between samples. Default 0.001.
        duration
            s. Default: until the responses are over.
        """
        step = bare(step, "s", "step", above=0)
        end = self._end() if duration is None else bare(duration, "s", "duration", above=0)
        times = np.arange(int(np.ceil(end / step - 1e-9)) + 1) * step
        coords = {"filter": self._names(), "time": ("time", times, {"units": "s"})}
        values = self._filters.density(times)
        return xr.DataArray(values, coords, ("filter", "time"), "impulse_response", {"units": "1/s"})

    def transfer_function(self, frequencies: Sequence[float]) -> xr.DataArray:
        """Return H, ``(filter, temporal_frequency)``, complex, at ``frequencies`` in Hz: ∫ h(t) exp(−2πi f t) dt."""
        f = _frequencies(frequencies)
        coords = {"filter": self._names(), "temporal_frequency": ("temporal_frequency", f, {"units": "Hz"})}
        values = self._filters.transfer(f)
        return xr.DataArray(values, coords, ("filter", "temporal_frequency"), "transfer_function", {"units": "1"})

    def tuning(self, frequencies: Sequence[float]) -> xr.DataArray:
        """Return the energy that gratings drifting at ``frequencies`` (Hz) give, ``(direction, temporal_frequency)``.

        The gratings have contrast 1, the channel's frequency and orientation, and drift smoothly in its preferred
        direction or in the opposite one. |H_fast ± i H_slow|²; with one filter both are |H|².
        """
        f = _frequencies(frequencies)
        values = np.stack([self._filters.amplitude(f), self._filters.amplitude(-f)]) ** 2
        coords = {
            "direction": ("direction", ["preferred", "opposite"]),
            "temporal_frequency": ("temporal_frequency", f, {"units": "Hz"}),
        }
        return xr.DataArray(values, coords, ("direction", "temporal_frequency"), "energy", {"units": "1"})

    def weights(self, times: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return what each frame contributes to the response at each frame's onset, ``(filter, onset, frame)``.

        Parameters
        ----------
        times
            The frames' onsets, s, rising.

        Raises
        ------
        ValueError
            If there are fewer than two, they do not rise, or lie too far apart to resolve the filters.
        """
        onsets = np.asarray(times, dtype=float)
        if onsets.ndim != 1 or len(onsets) < 2:
            raise need("two frames or more to filter in time", f"{onsets.size}")
        apart = np.diff(onsets)
        if not (np.isfinite(onsets).all() and apart.min() > 0):
            raise need("frame_time (s) that rises from frame to frame", f"{onsets[:6].tolist()}")
        widest = float(apart.max())
        if (limit := self.lowest_frame_rate) * widest > 1 + 1e-6:
            todo = "Show more frames per second (frame_rate=…)"
            if self.rate is not None:
                todo += f", or use slower filters: a rate of at most {self.rate / (limit * widest):.3g}"
            raise need(
                f"at least {limit:.3g} frames per second, which resolve these temporal filters (twice the "
                f"{limit / 2:.3g} Hz at which they still pass half)",
                f"{1 / widest:.3g} Hz ({widest:.4g} s between frames)",
                todo,
            )
        return self._filters.weights(onsets, self.before == "first")


def _orders(orders: Any) -> list[int]:
    single = isinstance(orders, (int, np.integer)) and not isinstance(orders, bool)
    if isinstance(orders, str) or not (single or isinstance(orders, (Sequence, np.ndarray))):
        raise need("orders: one or two whole numbers", repr(orders), kind=TypeError)
    each = [whole(order, "orders", low=1) for order in ([orders] if single else orders)]
    if len(each) not in (1, 2) or (len(each) == 2 and each[0] >= each[1]):
        raise need("orders: one, or that of the fast filter and a higher one of the slow", str(each))
    return each


def _rows(kernel: Any) -> np.ndarray:
    try:
        values = np.asarray(kernel, dtype=float)
    except (TypeError, ValueError):
        raise need("kernel: an array of numbers, (time,) or (2, time)", repr(kernel), kind=TypeError) from None
    if values.ndim not in (1, 2) or values.shape[-1] < 2 or (values.ndim == 2 and len(values) not in (1, 2)):
        raise need("kernel: (time,) or, fast and slow, (2, time)", f"the shape {values.shape}")
    rows = np.atleast_2d(values)
    if not np.isfinite(rows).all() or not np.abs(rows).max(axis=1).all():
        raise need("kernel: finite values that are not all 0", "others")
    return rows


def _frequencies(values: Any) -> np.ndarray:
    return np.array([bare(value, "Hz", "frequencies", low=0) for value in np.atleast_1d(values)])
