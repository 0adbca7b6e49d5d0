"""Sets of faces as recipes name them: each function's keywords are the parameters of a recipe."""

from __future__ import annotations

from typing import Any

import xarray as xr

from nrsim.errors import need
from nrsim.faces.expressions import NEUTRAL
from nrsim.faces.render import render_faces
from nrsim.quantities import bare


def graded_faces(
    *,
    domains: list[str],
    expressions: list[str],
    intensities: list[float],
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    progress: bool = False,
) -> xr.Dataset:
    """Return every expression at every intensity on every head shape, each head's neutral face once."""
    for name, value in (("domains", domains), ("expressions", expressions), ("intensities", intensities)):
        if not isinstance(value, list) or not value:
            raise need(f"{name}: a list with at least one entry", repr(value), kind=TypeError)
    levels = [bare(level, "1", "intensities") for level in intensities]
    rows: list[dict[str, Any]] = []
    for domain in domains:
        if 0.0 in levels:
            rows.append({"domain": domain, "expression": NEUTRAL, "intensity": 0.0})
        rows += [
            {"domain": domain, "expression": expression, "intensity": level}
            for expression in expressions
            for level in levels
            if level != 0.0
        ]
    return render_faces(rows, size=size, degrees=degrees, background=background, progress=progress)
