"""Parameters of recipes of faces, as a TOML file or a call gives them: what is wrong with one is said by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nrsim.errors import need
from nrsim.faces import identities as of_identities
from nrsim.faces.head import Head
from nrsim.faces.headfile import load_head
from nrsim.quantities import bare, whole


def listed(name: str, value: Any, default: Any = None) -> list[Any]:
    """Return a list with at least one entry, every entry once; the default for None.

    Raises
    ------
    TypeError, ValueError
        For anything else, an empty list among them.
    """
    if value is None and default is not None:
        return [default]
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence) or not len(value):
        raise need(f"{name}: a list with at least one entry", repr(value), kind=TypeError)
    doubled = [entry for i, entry in enumerate(value) if entry in value[:i]]
    if doubled:
        raise need(f"{name}: every entry once", f"{doubled[0]!r} more than once")
    return list(value)


def numbers(
    name: str, value: Any, default: float | None = None, *, low: float | None = None, high: float | None = None
) -> list[float]:
    """Return a list of numbers, as :func:`listed`."""
    return [bare(entry, "1", name, low=low, high=high) for entry in listed(name, value, default)]


def flag(name: str, value: Any) -> bool:
    """Return True or False.

    Raises
    ------
    TypeError
        For anything else.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise need(f"{name}: true or false", repr(value), kind=TypeError)
    return bool(value)


def persons(
    people: Any, own: Mapping[str, Mapping[str, float]] | None, person_size: float, seed: int | None, *, fewest: int
) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Return people's names, and the identities beside nrsim's own.

    Parameters
    ----------
    people
        A number of random ones, or names.
    own
        Identities that the recipe defines.
    person_size
        Of random people.
    seed
        Draws them.
    fewest
        How many are needed.

    Raises
    ------
    TypeError, ValueError
        If one of them is not what it should be.
    """
    identities = of_identities.checked(own)
    person_size = bare(person_size, "1", "person_size", above=0, high=of_identities.LARGEST)
    if isinstance(people, (Sequence, np.ndarray)) and not isinstance(people, str):
        return listed("people", people), identities
    if isinstance(people, str):
        raise need("people: a number of random people, or a list of names", repr(people), kind=TypeError)
    if not whole(people, "people", low=fewest):
        return [of_identities.AVERAGE], identities
    if seed is None:
        raise need(f"a seed to draw {people} people", "none", "Give the recipe a line seed = 1 above [parameters]")
    drawn = of_identities.random_identities(people, seed=seed, size=person_size)
    taken = sorted(set(drawn) & set(identities))
    if taken:
        raise need("own_identities with names of their own", f"{taken[0]!r}, which a random one has", "Rename it")
    return list(drawn), identities | drawn


def heads_of(heads: Mapping[str, str] | None, base: Path) -> dict[str, Head]:
    """Return the heads that a recipe names by file, from its folder.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If they are no files of heads.
    """
    if heads is not None and not isinstance(heads, Mapping):
        raise need("heads: name → file", repr(heads), kind=TypeError)
    for name, place in (heads or {}).items():
        if not isinstance(place, (str, Path)):
            raise need(f"heads: a file for {name!r}", repr(place), kind=TypeError)
    return {name: load_head(base / place) for name, place in (heads or {}).items()}
