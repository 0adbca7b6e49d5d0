"""Encoders: Features become the activity of face neurons, a FaceCode."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from nrsim import provenance
from nrsim.encoders.norm import NormEncoder as NormEncoder
from nrsim.encoders.rivals import AxisEncoder as AxisEncoder
from nrsim.encoders.rivals import ExemplarEncoder as ExemplarEncoder
from nrsim.joining import with_all_labels
from nrsim.schema import check


def join_codes(codes: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one FaceCode with the neurons of several, for the same stimuli in the same order.

    Parameters
    ----------
    codes
        FaceCodes, ``activity (stimulus, neuron)``; neuron_id must be unique over all. ``distance`` is the first's.
        A label of the neurons that a code lacks becomes ``''`` or NaN there.

    Raises
    ------
    ValueError
        If the stimuli differ, a neuron_id comes twice, or there is no code.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.join_codes([nr.example("FaceCode")]).sizes["neuron"]
    2
    """
    if not codes:
        raise ValueError("needed at least one FaceCode to join; got none")
    first = check(codes[0], "FaceCode")
    ids = [str(name) for name in first["stimulus_id"].values]
    parts = [first]
    for code in codes[1:]:
        if [str(name) for name in check(code, "FaceCode")["stimulus_id"].values] != ids:
            raise ValueError("needed codes of the same stimuli in the same order; their stimulus_id differ")
        parts.append(code.drop_vars("distance", errors="ignore"))
    joined = xr.concat(
        with_all_labels([part.drop_vars("distance", errors="ignore") for part in parts], "neuron"),
        "neuron",
        combine_attrs="override",
        join="exact",
    )
    if "distance" in first:
        joined = joined.assign_coords(distance=first["distance"])
    joined = provenance.stamp(joined, "FaceCode", "join_codes", {"codes": len(codes)}, parents=codes)
    return check(joined, "FaceCode")
