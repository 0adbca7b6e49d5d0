"""Response noise: spike counts whose variance is a stated multiple of their mean."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.errors import need
from nrsim.quantities import bare, whole
from nrsim.schema import check
from nrsim.seeds import stream

_SMALL = 0.02  # below 0, of the largest response or of _FAINT: what the fast way of pooling can leave
_FAINT = 1e-3


class ResponseNoise:
    """Poisson-like noise of V1 responses, seeded per stimulus.

    A response r becomes

        F · Poisson(r · peak_count / F) / peak_count,

    whose mean is r, and whose spike count (times ``peak_count``) has the variance F times its mean. It is never below
    0. Every value is drawn by itself: noise is not correlated between channels, places or frames. A stimulus's noise
    depends on ``seed``, ``repeat``, its ``stimulus_id`` and its responses, and not on the other stimuli, their order or
    the block it is in.

    Parameters
    ----------
    fano_factor
        F, variance over mean of the spike count. Default 1.5 (macaque V1 in 200 ms: Geisler & Albrecht 1997, Vis
        Neurosci 14:897; that variance is proportional to the mean: Tolhurst, Movshon & Dean 1983).
    peak_count
        Spikes in the counting window at a response of 1, which a grating of contrast 1 at the preferred frequency and
        orientation gives. Default 20 (chosen: 100 Hz for 200 ms). Faces give far less to a bank without normalisation,
        whose response goes with contrast squared: most cells then fire no spike. Use a normalised bank.
    seed
        Whole number; recorded.
    repeat
        Which presentation of the stimuli it is: 0, 1, 2, … give independent noise. A V1Response has no dim for trials;
        make one response a repeat.

    Raises
    ------
    ValueError, TypeError
        For a Fano factor or a count that is not above 0, and a missing seed.

    Examples
    --------
    >>> import nrsim as nr
    >>> seen = nr.example("V1Response")
    >>> noisy = nr.ResponseNoise(peak_count=50, seed=1).transform(seen)
    >>> bool((noisy["energy"] >= 0).all()), noisy.attrs["seed"]
    (True, 1)

    While filtering, so that streamed responses have it: ``bank.transform(faces, noise=nr.ResponseNoise(seed=1))``.
    """

    def __init__(self, *, seed: int, fano_factor: float = 1.5, peak_count: float = 20.0, repeat: int = 0) -> None:
        self.seed = whole(seed, "seed")
        self.fano_factor = bare(fano_factor, "1", "fano_factor", above=0)
        self.peak_count = bare(peak_count, "1", "peak_count", above=0, high=1e9)
        if self.peak_count / self.fano_factor > 1e12:
            todo = "A variance that small is no noise: leave it out"
            raise need("a fano_factor of at least peak_count / 1e12", f"{self.fano_factor:g}", todo)
        self.repeat = whole(repeat, "repeat")

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters, as scikit-learn does."""
        return {
            "seed": self.seed,
            "fano_factor": self.fano_factor,
            "peak_count": self.peak_count,
            "repeat": self.repeat,
        }

    def transform(self, seen: xr.Dataset) -> xr.Dataset:
        """Return the responses with noise.

        Noise comes last: with pooled responses it is that of what the pools return.

        Parameters
        ----------
        seen
            A V1Response of complex cells, or of rectified simple cells, in memory.

        Raises
        ------
        SchemaError
            If ``seen`` is no V1Response.
        ValueError
            For responses below 0, which no spike count has.
        """
        check(seen, "V1Response")
        if "ResponseNoise.transform" in json.loads(seen.attrs.get("parameters", "{}")):
            todo = "Another repeat=… of the responses without noise gives other noise"
            raise need("responses without noise", "noisy ones", todo)
        ids = seen["stimulus_id"].values
        noisy = {
            name: seen[name].copy(data=self.add(seen[name].values, ids, name))
            for name in ("energy", "response")
            if name in seen
        }
        return check(self.stamp(seen).assign(noisy), "V1Response")

    def add(self, seen: np.ndarray, ids: np.ndarray, name: str) -> np.ndarray:
        """Return responses ``(stimulus, …)`` with noise, float32.

        Parameters
        ----------
        seen
            ``energy`` or ``response``.
        ids
            ``stimulus_id``.
        name
            Which of the two.

        Raises
        ------
        ValueError
            For responses below 0.
        """
        lowest = float(seen.min(initial=0))
        if lowest < (-_SMALL * float(seen.max(initial=_FAINT)) if name == "energy" else 0):
            todo = "Use bank.responses(faces, rectify=True)" if name == "response" else ""
            raise need(f"{name} of 0 or more, as spike counts are", f"{lowest:.3g}", todo)
        out = np.empty(seen.shape, dtype=np.float32)
        step = self.fano_factor / self.peak_count
        for one, into, label in zip(seen, out, ids, strict=True):
            mean = np.maximum(one, 0, dtype=np.float64) / step
            into[...] = stream(self.seed, "V1 noise", name, label, self.repeat).poisson(mean) * step
        return out

    def stamp(self, seen: xr.Dataset) -> xr.Dataset:
        """Return ``seen`` with the attributes that say that it has this noise."""
        own = {name: seen.attrs[name] for name in ("degrees_per_pixel", "pool") if name in seen.attrs}
        return provenance.stamp(
            seen, "V1Response", "ResponseNoise.transform", self.get_params(), parents=[seen], seed=self.seed, **own
        )
