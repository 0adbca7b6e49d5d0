"""Encoders: Features become the activity of face neurons, a FaceCode."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from nrsim import provenance
from nrsim.encoders.custom import CustomEncoder as CustomEncoder
from nrsim.encoders.norm import NormEncoder as NormEncoder
from nrsim.encoders.population import NormPopulation as NormPopulation
from nrsim.encoders.rivals import AxisEncoder as AxisEncoder
from nrsim.encoders.rivals import ExemplarEncoder as ExemplarEncoder
from nrsim.errors import need
from nrsim.joining import with_all_labels
from nrsim.schema import check

_OF_NORMS = ["distance", "norm_used"]  # of the stimuli, and of those encoders that have norms


def join_codes(codes: Sequence[xr.Dataset]) -> xr.Dataset:
    """Return one FaceCode with the neurons of several, for the same stimuli in the same order.

    Parameters
    ----------
    codes
        FaceCodes, ``activity (stimulus, neuron)``; neuron_id must be unique over all. ``distance`` and
        ``norm_used`` are those of the first that has them. A label of the neurons that a code lacks becomes ``''`` or
        NaN there.

    Raises
    ------
    TypeError
        If it is no list.
    ValueError
        If the stimuli differ, a neuron_id comes twice, or there is no code.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.join_codes([nr.example("FaceCode")]).sizes["neuron"]
    2
    """
    if isinstance(codes, (xr.Dataset, xr.DataArray, str)):
        raise need("a list of FaceCodes", type(codes).__name__, "Write nr.join_codes([first, second])", kind=TypeError)
    if not codes:
        raise ValueError("needed at least one FaceCode to join; got none")
    first = check(codes[0], "FaceCode")
    ids = [str(name) for name in first["stimulus_id"].values]
    for code in codes[1:]:
        if [str(name) for name in check(code, "FaceCode")["stimulus_id"].values] != ids:
            raise ValueError("needed codes of the same stimuli in the same order; their stimulus_id differ")
    parts = [code.drop_vars(_OF_NORMS, errors="ignore") for code in codes]
    joined = xr.concat(with_all_labels(parts, "neuron"), "neuron", combine_attrs="override", join="exact")
    for name in _OF_NORMS:
        having = [code[name] for code in codes if name in code.coords]
        if having:
            joined = joined.assign_coords({name: having[0]})
    joined = provenance.stamp(joined, "FaceCode", "join_codes", {"codes": len(codes)}, parents=codes)
    return check(joined, "FaceCode")
