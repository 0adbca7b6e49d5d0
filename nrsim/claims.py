"""Claims: what an analysis found, beside what was published. A claim that fails stays and says so."""

from __future__ import annotations

import math
import tomllib
from typing import Any

from nrsim import files
from nrsim.errors import need, unknown

KEYS = ("id", "analysis", "claim", "published", "source", "compare", "value", "tolerance", "tolerance_source", "holds")
_COMPARE = ("near", "at least", "at most")


def load_claims() -> dict[str, dict[str, Any]]:
    """Return the claims of ``analyses/claims.toml``: id → its keys.

    Raises
    ------
    ValueError
        If an entry lacks a key, has another, or an id comes twice.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.load_claims()["chance_level"]["published"]
    0.1667
    """
    table = tomllib.loads((files.shipped("analyses") / "claims.toml").read_text(encoding="utf-8"))
    claims: dict[str, dict[str, Any]] = {}
    for entry in table.get("claim", []):
        for key in entry:
            if key not in KEYS:
                raise unknown(f"key of the claim {entry.get('id')!r}", key, KEYS)
        missing = [key for key in KEYS if key not in entry]
        if missing or entry["id"] in claims:
            raise need("a claim with every key and an id of its own", f"{entry.get('id')!r} without {missing}")
        if entry["compare"] not in _COMPARE:
            raise unknown(f"comparison of the claim {entry['id']!r}", entry["compare"], _COMPARE)
        claims[entry["id"]] = entry
    return claims


def check_claim(name: str, value: float) -> bool:
    """Print a measured value beside the published one, and return whether the claim holds.

    ``near``: \\|value − published\\| ≤ tolerance; ``at least`` and ``at most``: value ≥ or ≤ published, give or take
    the tolerance. Also said is whether the value is still the one on record, within the tolerance.

    Parameters
    ----------
    name
        The claim's id.
    value
        What was measured now.

    Raises
    ------
    ValueError
        If there is no such claim; the nearest is named.

    Examples
    --------
    >>> import nrsim as nr
    >>> nr.check_claim("chance_level", 1 / 6)  # doctest: +ELLIPSIS
    chance_level: ...
    True
    """
    claims = load_claims()
    if name not in claims:
        raise unknown("claim", name, claims)
    claim = claims[name]
    holds = _holds(claim, value)
    recorded = math.isclose(value, claim["value"], abs_tol=claim["tolerance"] + 5e-4, rel_tol=0)
    said = "holds" if holds else "DOES NOT HOLD"
    note = "" if recorded else f"; on record is {claim['value']:g}"
    print(f"{name}: {value:.3f}, published {claim['compare']} {claim['published']:g} ({claim['source']}): {said}{note}")
    return holds


def _holds(claim: dict[str, Any], value: float) -> bool:
    published, tolerance = float(claim["published"]), float(claim["tolerance"]) + 1e-12
    if claim["compare"] == "at least":
        return value >= published - tolerance
    if claim["compare"] == "at most":
        return value <= published + tolerance
    return abs(value - published) <= tolerance
