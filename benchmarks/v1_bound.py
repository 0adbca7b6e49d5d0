"""The arithmetic bound of bench_v1.py: what the transforms and products of a plan take at this machine's rates."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import fft

_REAL = {"rfft2": 2.5, "dct2": 2.5, "fft2": 5.0, "fft": 5.0}  # FLOP per sample and bit of length, the usual count


@dataclass(frozen=True)
class Work:
    """One kind of call, done ``count`` times for a picture.

    ``kind``: ``"rfft2"`` (of real), ``"fft2"`` (of complex) or ``"dct2"`` of ``shape`` (y, x); ``"fft"``: complex ones
    along the last axis of ``shape`` (how many, length); ``"gemm"``: (m, k) @ (k, n) of ``shape`` (m, k, n). All are in
    single precision; inverse transforms count as forward ones.
    """

    kind: str
    shape: tuple[int, ...]
    count: int = 1

    @property
    def flop(self) -> float:
        """Of all calls."""
        if self.kind == "gemm":
            return 2.0 * float(np.prod(self.shape)) * self.count
        length = self.shape[-1] if self.kind == "fft" else np.prod(self.shape)
        return _REAL[self.kind] * float(np.prod(self.shape)) * float(np.log2(length)) * self.count

    def call(self) -> Callable[[], object]:
        """Return the bare calls, for one picture, on arrays of their own."""
        rng = np.random.default_rng(0)
        if self.kind == "gemm":
            m, k, n = self.shape
            a = rng.random((self.count, m, k), dtype=np.float32)
            b = rng.random((k, n), dtype=np.float32)
            return lambda: np.matmul(a, b)
        given = rng.random((self.count, *self.shape), dtype=np.float32)
        if self.kind == "rfft2":
            return lambda: fft.rfft2(given)
        if self.kind == "dct2":
            return lambda: fft.dctn(given, axes=(1, 2))
        z = given.astype(np.complex64)
        return (lambda: fft.fft2(z)) if self.kind == "fft2" else (lambda: fft.fft(z))


def flop(plan: list[Work]) -> tuple[float, float]:
    """Return the FLOP of a plan's transforms, and of its products."""
    products = sum(work.flop for work in plan if work.kind == "gemm")
    return sum(work.flop for work in plan) - products, products


def _on(threads: int, do: Callable[[], object], times: int = 1) -> float:
    """Return the seconds that ``do`` takes when every thread does it so many times, over how often it was done."""

    def repeat(_: int) -> None:
        for _ in range(times):
            do()

    start = time.perf_counter()
    if threads == 1:
        repeat(0)
    else:
        with ThreadPoolExecutor(threads) as workers:
            list(workers.map(repeat, range(threads)))
    return (time.perf_counter() - start) / (threads * times)


class Bound:
    """Measures this machine beside the contestants, once a round; BLAS must have one thread."""

    def __init__(self, plan: list[Work], threads: int) -> None:
        self.transforms, self.products = flop(plan)
        self.threads = threads
        rng = np.random.default_rng(0)
        a = rng.random((768, 768), dtype=np.float32)
        self._product = Work("gemm", (768, 768, 768)), lambda: np.matmul(a, a)
        # long and short transforms: the fastest counts
        self._fourier = [(work, work.call()) for work in (Work("rfft2", (n, n), 8192 // n) for n in (48, 96, 160, 256))]
        self._bare = [work.call() for work in plan]
        self.rates: list[tuple[float, float]] = []  # GFLOP/s of transforms and of products, a round each
        self.floors: list[float] = []  # ms/picture
        self.bare: list[float] = []  # ms/picture
        self.measure()
        self.rates, self.floors, self.bare = [], [], []

    def measure(self) -> None:
        """Take one round."""
        product = self._product[0].flop / _on(self.threads, self._product[1], 3)
        fourier = max(work.flop / _on(self.threads, do, 3) for work, do in self._fourier)
        self.rates.append((fourier / 1e9, product / 1e9))
        self.floors.append(1e3 * (self.transforms / fourier + self.products / product))
        self.bare.append(1e3 * _on(self.threads, self._calls, 32))

    def _calls(self) -> None:
        for call in self._bare:
            call()
