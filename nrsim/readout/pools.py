"""What a code offers to read out: an activity for each answer, and what it is at the norm and at the prototype."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.quantities import bare
from nrsim.schema import check

_CURVES = ("linear", "power", "gaussian", "")


@dataclass(frozen=True)
class Pools:
    """The neurons of one encoder, averaged over those that prefer the same.

    ``activity (…, answer)``; ``at_norm`` and ``at_prototype (answer,)``, NaN where the code does not say. ``power
    (answer,)``: activity grows from one to the other along the prototype's direction as the intensity to this power;
    NaN where that is not known. ``gaussian (answer,)``: it falls as a Gaussian of the distance from the prototype.
    """

    names: list[str]
    neuron_ids: list[str]
    activity: np.ndarray
    at_norm: np.ndarray
    at_prototype: np.ndarray
    power: np.ndarray
    gaussian: np.ndarray
    encoder: str
    neutral: str

    @property
    def expressive(self) -> np.ndarray:
        """Which answers are not the neutral one, ``(answer,)``."""
        return np.array([name != self.neutral for name in self.names])

    def intensity(self, activity: np.ndarray, answer: np.ndarray | int) -> np.ndarray:
        """Return the intensity at which the prototype of ``answer`` gives ``activity``; NaN where that is unknown."""
        activity = np.asarray(activity, dtype=np.float64)
        low, high = self.at_norm[answer], self.at_prototype[answer]
        power, gaussian = np.broadcast_to(self.power[answer], activity.shape), self.gaussian[answer]
        value = np.full(activity.shape, np.nan)
        known = np.isfinite(low) & np.isfinite(high) & (high > low)
        np.divide(activity - low, high - low, out=value, where=known & np.isfinite(power))
        bent = np.isfinite(power) & (power != 1.0)
        value[bent] = np.sign(value[bent]) * np.abs(value[bent]) ** (1.0 / power[bent])
        known = known & gaussian & (low > 0) & (activity > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = np.log(np.minimum(activity / high, 1.0)) / np.log(low / high)
        value[known] = 1.0 - np.sqrt(away[known])
        return value

    def half(self) -> np.ndarray:
        """Return the activity of each answer midway between the norm and its prototype, ``(answer,)``."""
        power = np.where(np.isfinite(self.power), self.power, 1.0)
        between = self.at_norm + (self.at_prototype - self.at_norm) * 0.5**power
        with np.errstate(divide="ignore", invalid="ignore"):  # at half the distance, a quarter of the logarithm is lost
            bell = self.at_prototype * (self.at_norm / self.at_prototype) ** 0.25
        return np.where(self.gaussian, bell, between)


def pools_of(code: xr.Dataset, encoder: str | None, neutral: str) -> Pools:
    """Return the answers that the neurons of a code give.

    Raises
    ------
    SchemaError, ValueError, TypeError
        If it is no valid FaceCode, has no such encoder, has several and none was chosen, or no neuron prefers anything.
    """
    check(code, "FaceCode")
    if not isinstance(neutral, str) or not neutral:
        raise need("neutral: the answer to a face without expression, a text", repr(neutral), kind=TypeError)
    if not code.sizes["neuron"]:
        raise need("a code with neurons", "none")
    of = code["encoder"].values.astype(str)
    encoders = list(dict.fromkeys(of.tolist()))
    if encoder is None and len(encoders) > 1:
        raise need(
            "the neurons of one encoder",
            f"those of {', '.join(map(repr, encoders))}",
            f"Choose one: encoder={encoders[0]!r}",
        )
    if encoder is not None and encoder not in encoders:
        raise unknown("encoder", encoder, encoders)
    chosen = encoders[0] if encoder is None else encoder
    prefers = code["prefers"].values.astype(str)
    mine = (of == chosen) & (prefers != "")
    names = list(dict.fromkeys(prefers[mine].tolist()))
    if not names:
        raise need("neurons that prefer something", f"{int((of == chosen).sum())} whose label prefers is ''")
    members = [np.flatnonzero(mine & (prefers == name)) for name in names]
    activity = code["activity"].values.astype(np.float64)
    at_prototype, at_norm = _label(code, "at_prototype"), _label(code, "baseline")
    rests = (prefers == neutral) & np.isfinite(at_prototype) & ~np.isfinite(at_norm)
    at_norm = np.where(rests, at_prototype, at_norm)  # its prototype is the norm
    power, gaussian = _curves(code, members)
    ids = code["neuron_id"].values.astype(str)
    pools = Pools(
        names=names,
        neuron_ids=[str(ids[rows[0]]) if len(rows) == 1 else name for name, rows in zip(names, members, strict=True)],
        activity=np.stack([activity[..., rows].mean(axis=-1) for rows in members], axis=-1),
        at_norm=np.array([at_norm[rows].mean() for rows in members]),
        at_prototype=np.array([at_prototype[rows].mean() for rows in members]),
        power=power,
        gaussian=gaussian,
        encoder=chosen,
        neutral=neutral,
    )
    _say_what_is_not_read(pools)
    return pools


def _label(code: xr.Dataset, name: str) -> np.ndarray:
    if name not in code.coords:
        return np.full(code.sizes["neuron"], np.nan)
    return np.asarray(code[name].values, dtype=np.float64)


def _curves(code: xr.Dataset, members: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the power with which each answer's mean activity grows, NaN where unknown, and whether it is a Gaussian.

    The mean of several powers is none, and neither is that of several Gaussians.
    """
    curve = np.full(code.sizes["neuron"], "", dtype=object)
    if "intensity_curve" in code.coords:
        curve = code["intensity_curve"].values.astype(str).astype(object)
        for name in dict.fromkeys(curve):
            if name not in _CURVES:
                raise unknown("value of the label intensity_curve", name, _CURVES)
    power = np.select([curve == "linear", curve == "power"], [1.0, _label(code, "exponent")], np.nan)
    alike = [rows if len(set(power[rows])) == 1 or len(rows) == 1 else rows[:0] for rows in members]
    return (
        np.array([power[rows[0]] if len(rows) else np.nan for rows in alike]),
        np.array([len(rows) == 1 and curve[rows[0]] == "gaussian" for rows in members]),
    )


def _say_what_is_not_read(pools: Pools) -> None:
    """Warn of answers whose neurons are no more active at their prototype than at the norm: nothing can be read."""
    flat = pools.expressive & (np.isfinite(pools.power) | pools.gaussian) & (pools.at_prototype <= pools.at_norm)
    if flat.any():
        names = ", ".join(repr(name) for name, is_flat in zip(pools.names, flat, strict=True) if is_flat)
        warnings.warn(
            f"no intensity is read of {names}: the neurons of {pools.encoder!r} that prefer it are no more active at "
            "the prototype than at its norm (directions that do not point there, or a threshold above it)",
            stacklevel=4,
        )


def threshold_of(threshold: Any, pools: Pools, scale: float | None = None) -> float:
    """Return the threshold θ as a number; −inf where nothing is neutral.

    ``scale``: what a step of one neuron's activity by 1 comes to where the decision is made; default: the activity
    itself decides.
    """
    if threshold is None:
        return -np.inf
    if not isinstance(threshold, str):
        return bare(threshold, "1", "threshold")
    if threshold != "half":
        raise unknown("threshold", threshold, ("half",), hint="Or give a number, or None: never neutral")
    mine = pools.expressive
    if not mine.any():
        raise need(f"neurons that prefer something else than {pools.neutral!r}", "none")
    step = scale is not None
    half = (scale * (pools.at_prototype - pools.at_norm) / 2.0 if step else pools.half())[mine]
    if not np.isfinite(half).all():
        known = {"at_prototype": pools.at_prototype, "baseline": pools.at_norm}
        lacking = [name for name, values in known.items() if not np.isfinite(values[mine]).all()]
        raise need(
            f'the label {" and ".join(lacking)} (neuron) for threshold="half"',
            f"a code of the encoder {pools.encoder!r} without",
            "Give a number, or None (never neutral), or make the code with an encoder of nrsim",
        )
    return float(half.min())
