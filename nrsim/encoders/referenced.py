"""What all norm-referenced encoders share: directions from the norm, and norms that move with what is shown."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
import xarray as xr

from nrsim import provenance
from nrsim.encoders import norms as norms_of
from nrsim.encoders.base import Encoder
from nrsim.encoders.prototypes import direction_vectors, texts
from nrsim.errors import NotFittedError, need, unknown
from nrsim.quantities import bare, whole

_PATH = 10_000_000  # numbers that adapt keeps of the norms' path, 80 MB


class NormReferenced(Encoder):
    """An encoder of the difference from the norm; neurons have unit vectors ``directions_`` and ``lengths_``.

    ``learned_directions_``, those of the prototypes, stay what they are where neurons are shuffled or scattered.
    """

    uses_norm: bool = True

    def _learn(self, prototypes: np.ndarray, norms: np.ndarray | None) -> None:
        self.directions_, self.lengths_ = direction_vectors(prototypes, _there(norms), self.prefers_)
        self.learned_directions_ = self.directions_
        self.learned_from_ = prototypes, norms
        self.adaptation_: xr.DataArray | None = None

    def adapt(self, features: xr.Dataset, *, rate: float, exposures: int = 1, which_norm: str = "label") -> Self:
        """Return a copy whose norms have moved towards what was shown, r ← r + rate · (u − r), stimulus by stimulus.

        After n showings of one face u the norm is u + (1 − rate)^n (r − u). A face at the old norm then differs from
        the new one in the direction away from u: an after-effect. Directions, scales and ``at_prototype`` stay what
        they were: what was learned, and what reads it, does not know that the norm moved. This encoder itself stays
        as it is.

        Parameters
        ----------
        features
            What is shown, as for ``transform``, one stimulus after the other; a moving face frame after frame.
        rate
            Share of the difference by which the norm moves with each showing, 0 to 1.
        exposures
            How often the whole sequence is shown.
        which_norm
            Whose norm moves, as for ``transform``; other than ``"label"``, it is found anew for every showing. With
            ``"label"``, a domain that has no norm yet begins with the first face that it shows.

        Returns
        -------
        NormReferenced
            With ``adaptation_``: the norm after each showing, ``norm (step, feature)``, with the labels
            ``domain (step)``, ``stimulus_id (step)`` and ``showing (step)``, which one it was, from 1. Of more
            showings than ten million numbers hold, every k-th and the last are kept.

        Raises
        ------
        NotFittedError
            If the encoder was not fitted.
        TypeError, ValueError
            If the rate is not within 0 to 1, or the features are others than those fitted.

        Examples
        --------
        >>> import nrsim as nr
        >>> features = nr.example("Features")
        >>> encoder = nr.NormEncoder(rule="projection").fit(
        ...     features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
        >>> anti = features.isel(stimulus=[1])  # human, happy, intensity -0.5
        >>> neutral = features.isel(stimulus=[0])
        >>> adapted = encoder.adapt(anti, rate=0.1, exposures=10)
        >>> adapted.transform(neutral)["activity"].values.round(3).tolist()  # 0.5 (1 − 0.9^10), of happy
        [[0.326, 0.0]]
        """
        if not hasattr(self, "at_prototype_"):
            raise NotFittedError(f"this {type(self).__name__} is not fitted; call fit(features, prototypes=…) first")
        if not self.uses_norm:
            raise need("an encoder that uses a norm, to adapt it", f"{self.name!r}, which does not")
        share = bare(rate, "1", "rate", low=0.0, high=1.0)
        exposures = whole(exposures, "exposures", low=1)
        if which_norm not in norms_of.WHICH:
            raise unknown("which_norm", which_norm, norms_of.WHICH)
        value = self._values(features)
        ids = texts(features, "stimulus_id")
        norms = {
            str(name): row.copy() for name, row in zip(self._norms["domain"].values, self._norms.values, strict=True)
        }
        given = self._domains_shown(features, value, norms) if which_norm == "label" else None
        before = 0 if self.adaptation_ is None else int(self.adaptation_["showing"].values[-1])
        total = exposures * value.shape[0] * value.shape[1]
        if not total:
            raise need("stimuli to adapt to", "none")
        every = -(-total * value.shape[2] // _PATH)
        path, shown, domains, showings = [], [], [], []
        now = 0
        for _ in range(exposures):
            for i, frames in enumerate(value):
                name = given[i] if given is not None else self._explains(frames, norms, which_norm)
                for frame in frames:
                    norms[name] = norms_of.moved(norms.get(name, frame), frame, share)
                    now += 1
                    if now % every == 0 or now == total:
                        path.append(norms[name])
                        shown.append(str(ids[i]))
                        domains.append(name)
                        showings.append(before + now)
        adapted = copy.copy(self)
        adapted.norms_ = norms_of.as_norms(norms, self.feature_id_)
        steps = xr.DataArray(
            np.stack(path),
            dims=("step", "feature"),
            coords={
                "domain": ("step", domains),
                "stimulus_id": ("step", shown),
                "showing": ("step", showings, {"units": "1"}),
                "feature_id": ("feature", self.feature_id_),
            },
            name="norm",
            attrs={"units": "1"},
        )
        adapted.adaptation_ = steps if self.adaptation_ is None else xr.concat([self.adaptation_, steps], "step")
        about = {"rate": share, "exposures": exposures, "which_norm": which_norm, "stimuli": len(ids)}
        about["stimulus_ids_sha256"] = provenance.text_hash("\n".join(ids.tolist()))
        adapted.fitted_with_ = {**self.fitted_with_, "adapted": [*self.fitted_with_.get("adapted", []), about]}
        return adapted

    def _domains_shown(self, features: xr.Dataset, value: np.ndarray, norms: dict[str, np.ndarray]) -> list[str]:
        if self.norm_by_ not in features.coords:
            raise ValueError(
                f"needed the label {self.norm_by_!r} on the stimuli, to know whose norm moves; it is missing. "
                'Write which_norm="nearest" to find it without'
            )
        names = texts(features, self.norm_by_).tolist()
        if "" in norms:
            return names
        return [name or self._explains(frames, norms, "nearest") for name, frames in zip(names, value, strict=True)]

    def _explains(self, frames: np.ndarray, norms: dict[str, np.ndarray], which_norm: str) -> str:
        directions = self.learned_directions_ if which_norm == "nearest" else None
        row = norms_of.explaining_norm(frames[None], np.stack(list(norms.values())), directions)[0]
        return list(norms)[row]


def _there(norms: np.ndarray | None) -> np.ndarray:
    """Return norms that ``fit`` has made sure of."""
    if norms is None:
        raise need("norms", "none")
    return norms
