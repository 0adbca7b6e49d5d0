"""What a code offers to read out: an activity for each answer, and what it is at the norm and at the prototype."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from nrsim.errors import need, unknown
from nrsim.quantities import bare
from nrsim.schema import check

_NORM_REFERENCED = ("norm", "population")  # how the names of norm-referenced encoders begin

_CENTRED_ELSEWHERE = {"axis", "exemplar"}  # encoders whose neurons are active at the norm


@dataclass(frozen=True)
class Pools:
    """The neurons of one encoder, averaged over those that prefer the same.

    ``activity (…, answer)``; ``at_norm`` and ``at_prototype (answer,)``, NaN where the code does not say; ``curve``:
    how activity grows from one to the other along the prototype's direction: ``"power"`` (of the intensity, with the
    exponent ``power``), ``"gaussian"`` or ``""``.
    """

    names: list[str]
    neuron_ids: list[str]
    activity: np.ndarray
    at_norm: np.ndarray
    at_prototype: np.ndarray
    curve: str
    power: float
    encoder: str
    neutral: str

    @property
    def expressive(self) -> np.ndarray:
        """Which answers are not the neutral one, ``(answer,)``."""
        return np.array([name != self.neutral for name in self.names])

    def intensity(self, activity: np.ndarray, answer: np.ndarray) -> np.ndarray:
        """Return the intensity at which the prototype of ``answer`` gives ``activity``; NaN where that is unknown."""
        low, high = self.at_norm[answer], self.at_prototype[answer]
        value = np.full(np.shape(activity), np.nan)
        known = np.isfinite(low) & np.isfinite(high) & (high > low)
        if self.curve == "power":
            np.divide(activity - low, high - low, out=value, where=known)
            if self.power != 1.0:
                value = np.sign(value) * np.abs(value) ** (1.0 / self.power)
        elif self.curve == "gaussian":
            known &= (low > 0) & (activity > 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                away = np.log(np.minimum(activity / high, 1.0)) / np.log(low / high)
            value[known] = 1.0 - np.sqrt(away[known])
        return value

    def half(self) -> np.ndarray:
        """Return the activity of each answer midway between the norm and its prototype, ``(answer,)``."""
        if self.curve == "gaussian":  # at half the distance, a quarter of the logarithm is lost
            return self.at_prototype * (self.at_norm / self.at_prototype) ** 0.25
        return self.at_norm + (self.at_prototype - self.at_norm) * 0.5**self.power


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
    curve, power = _curve(code, chosen)
    at_prototype = _label(code, "at_prototype")
    at_norm = _label(code, "baseline")
    if chosen not in _CENTRED_ELSEWHERE:
        at_norm = np.nan_to_num(at_norm, nan=0.0)  # what is the norm drives nobody
    at_norm = np.where((prefers == neutral) & np.isfinite(at_prototype), at_prototype, at_norm)  # the norm is its own
    ids = code["neuron_id"].values.astype(str)
    return Pools(
        names=names,
        neuron_ids=[str(ids[rows[0]]) if len(rows) == 1 else name for name, rows in zip(names, members, strict=True)],
        activity=np.stack([activity[..., rows].mean(axis=-1) for rows in members], axis=-1),
        at_norm=np.array([at_norm[rows].mean() for rows in members]),
        at_prototype=np.array([at_prototype[rows].mean() for rows in members]),
        curve=curve,
        power=power,
        encoder=chosen,
        neutral=neutral,
    )


def _label(code: xr.Dataset, name: str) -> np.ndarray:
    if name not in code.coords:
        return np.full(code.sizes["neuron"], np.nan)
    return np.asarray(code[name].values, dtype=np.float64)


def _curve(code: xr.Dataset, encoder: str) -> tuple[str, float]:
    """Return how an encoder's activity grows along a prototype's direction, as far as it is one of ours."""
    if encoder == "axis":
        return "power", 1.0
    if encoder == "exemplar":
        return "gaussian", 1.0
    if not encoder.startswith(_NORM_REFERENCED):
        return "", 1.0
    steps = json.loads(str(code.attrs.get("parameters", "{}")))
    rules = [step for name, step in steps.items() if name.startswith("Norm") and "rule" in step]
    if any(step["rule"] == "direction" for step in rules):  # says nothing of length
        return "", 1.0
    summed = {float(step.get("exponent", 1.0)) for step in rules if step["rule"] == "landmark"}  # powers of lengths
    return ("power", summed.pop() if summed else 1.0) if len(summed) < 2 else ("", 1.0)


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
