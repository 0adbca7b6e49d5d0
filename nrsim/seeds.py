"""One integer becomes independent streams by name.

Streams are keyed by names and labels, never by position, so that a result does not depend on batch size,
order, number of workers or on being resumed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from nrsim.quantities import whole


def key(seed: int, *names: object) -> int:
    """Return a 64-bit key for ``seed`` and ``names`` (BLAKE2b, the same on every machine)."""
    text = "\x1f".join([str(whole(seed, "seed")), *(str(name) for name in names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def stream(seed: int, *names: object) -> np.random.Generator:
    """Return an independent generator for ``seed`` and ``names``.

    Examples
    --------
    >>> from nrsim.seeds import stream
    >>> a, b = stream(1, "bootstrap", "human"), stream(1, "bootstrap", "human")
    >>> bool(a.random() == b.random())
    True
    """
    return np.random.Generator(np.random.PCG64(key(seed, *names)))


def keys(seed: int, name: str, labels: Iterable[object]) -> np.ndarray:
    """Return one 64-bit key per label, ``(label,)`` uint64: what a counter-based noise is keyed by."""
    return np.array([key(seed, name, label) for label in labels], dtype=np.uint64)
