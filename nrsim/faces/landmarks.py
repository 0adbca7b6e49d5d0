"""Named points of the face, as vertices of the surface drawn, so that they are exact in every picture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from nrsim.faces.head import SKIN, load_head

# Places on the template, mesh units; paired points have a positive x and exist on both sides.
_PAIRED = {
    "brow_inner": (0.12, 7.445, 1.50),
    "brow_outer": (0.50, 7.455, 1.38),
    "eye_inner": (0.195, 7.262, 1.36),
    "eye_outer": (0.435, 7.290, 1.31),
    "upper_lid": (0.310, 7.333, 1.411),
    "lower_lid": (0.311, 7.239, 1.403),
    "mouth_corner": (0.2483, 6.6197, 1.439),
}
_MIDLINE = {
    "nose_tip": (0.0, 6.93, 1.72),
    "upper_lip": (0.0, 6.683, 1.601),
    "lower_lip": (0.0, 6.509, 1.556),
    "chin": (0.0, 6.274, 1.478),
}

# The ten points of Stettler et al. 2023: four on the brows, four on the mouth, two on the lower lids
STETTLER = tuple(
    [f"{end}_{side}" for side in ("left", "right") for end in ("brow_inner", "brow_outer")]
    + ["mouth_corner_left", "mouth_corner_right", "upper_lip", "lower_lip", "lower_lid_left", "lower_lid_right"]
)


@cache
def landmark_vertices() -> Mapping[str, int]:
    """Return name → vertex of the surface drawn. Left and right are the face's own."""
    head = load_head()
    places = {f"{name}_left": place for name, place in _PAIRED.items()}
    places |= {f"{name}_right": (-x, y, z) for name, (x, y, z) in _PAIRED.items()}
    places |= _MIDLINE
    skin = np.flatnonzero(head.surface["part"] == SKIN)
    rest = head.surface["rest"][skin]
    return {name: int(skin[((rest - np.array(place)) ** 2).sum(axis=1).argmin()]) for name, place in places.items()}
