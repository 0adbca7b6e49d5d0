"""Who takes part in bench_v1.py, and what all that take part use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np


def _same(pictures: np.ndarray) -> Any:
    return pictures


@dataclass
class Contestant:
    """Who takes part: ``run(prepare(pictures))`` filters, takes the energy and pools; only ``run`` is timed.

    Attributes
    ----------
    share
        The share of the bank's work that ``run`` does; times are divided by it.
    channels
        The scales and the orientations that ``run`` returns, where not all.
    same
        Whether it claims the bank's own answer (else it has other filters, and only its tuning is checked).
    exact
        What gives the answer that it claims from the same pictures, if that is not the bank's own.
    tolerance
        The greatest error that still counts as the same answer.
    promised
        The greatest error that its documentation promises; above it, the report says so.
    block
        Pictures that it takes at a time.
    turn
        Pictures in a turn, where that is not for the benchmark to choose.
    alone
        Whether it runs its own threads, so that BLAS and OpenMP inside must have one.
    peer
        Its name in ``PEERS``; empty for nrsim.
    within
        Makes a context to run it in, such as one that chooses a backend.
    """

    name: str
    run: Callable[[Any], np.ndarray]
    prepare: Callable[[np.ndarray], Any] = _same
    share: float = 1.0
    channels: tuple[list[int], list[int]] | None = None
    same: bool = True
    exact: Callable[[np.ndarray], np.ndarray] | None = None
    tolerance: float = 0.02
    promised: float = np.inf
    block: int = 1
    turn: int | None = None
    alone: bool = False
    peer: str = ""
    within: Callable[[], AbstractContextManager[Any]] = nullcontext


def each(do: Callable[[Any], Any], items: Iterable[Any], threads: int) -> list[Any]:
    """Return ``do`` of every item, by so many threads."""
    if threads == 1:
        return [do(item) for item in items]
    with ThreadPoolExecutor(threads) as workers:
        return list(workers.map(do, items))


def blocks(pictures: Any, size: int) -> Iterator[Any]:
    """Yield ``size`` pictures at a time."""
    return (pictures[start : start + size] for start in range(0, len(pictures), size))


def power(z: np.ndarray) -> np.ndarray:
    """Return |z|²."""
    return z.real**2 + z.imag**2
