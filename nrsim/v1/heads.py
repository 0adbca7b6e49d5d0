"""Pictures whose receptive fields lie elsewhere on each head: one plan a head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from nrsim import windows
from nrsim.errors import need


def groups_of(pool: windows.Pool | None, faces: xr.Dataset) -> list[tuple[np.ndarray | None, windows.Pool | None]]:
    """Return (numbers of the stimuli, their pool) for each group of stimuli that a pool keeps apart; None: all.

    A pool keeps groups apart if it has a method ``groups(faces)`` that returns name → (numbers, pool).

    Raises
    ------
    ValueError
        If a stimulus is in no group or in several, or places differ in number.
    """
    made: Mapping[str, Any] | None = getattr(pool, "groups", lambda _: None)(faces)
    if made is None:
        return [(None, pool)]
    numbers = np.concatenate([np.asarray(rows, dtype=int) for rows, _ in made.values()])
    n = faces.sizes["stimulus"]
    if not np.array_equal(np.sort(numbers), np.arange(n)):
        raise need(f"each of {n} stimuli in one of the pool's groups", f"{len(numbers)} numbers")
    names = [each.place_names for _, each in made.values()]
    if any(each != names[0] or each is None for each in names):
        raise need("the same named places in all of the pool's groups", "others")
    return [(np.asarray(rows, dtype=int), each) for rows, each in made.values()]


def by_group(
    seen: Callable[[int, np.ndarray], np.ndarray], members: list[np.ndarray | None], n: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return what responds to pictures and the numbers of their stimuli, each group's by its own plan.

    Parameters
    ----------
    seen
        (group, pictures) → responses.
    members
        The numbers of each group's stimuli; None: all.
    n
        How many stimuli there are.
    """
    of = np.zeros(n, dtype=int)
    for group, rows in enumerate(members):
        if rows is not None:
            of[rows] = group

    def work(images: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        groups = of[numbers]
        if len(images) == 0 or (groups == groups[0]).all():
            return seen(int(groups[0]) if len(groups) else 0, images)
        made: np.ndarray | None = None
        for group in np.unique(groups):
            here = groups == group
            part = seen(int(group), images[here])
            if made is None:
                made = np.empty((len(images), *part.shape[1:]), dtype=part.dtype)
            made[here] = part
        return made  # type: ignore[return-value]

    return work
