"""Reading an array along its first dim block by block, wherever its values lie: in memory, in a file, or with Dask.

Dask computes whole chunks, and files are compressed in chunks. A chunk larger than a block is therefore read once and
kept until its last block was given out, and small chunks of Dask are computed several at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
import xarray as xr

HELD = 2**28  # bytes of one chunk of a file that are kept; a part of a larger one is read as it is needed


def read(array: xr.DataArray, step: int, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (start, values) of at most ``step`` entries along the first dim each, from entry ``first`` on.

    No chunk of a Dask array is computed twice. In memory at once are a block and, if they are larger, the chunks that
    hold it.
    """
    edges = _edges(array, step)
    held, number = np.empty(0), -1
    for start in range(first, len(array), step):
        stop, at, parts = min(start + step, len(array)), start, []
        if not edges:
            yield start, array[start:stop].values
            continue
        while at < stop:
            wanted = bisect_right(edges, at) - 1
            low, high = edges[wanted], edges[wanted + 1]
            if wanted != number:
                held = np.empty(0)  # before the next is read
                held, number = array[low:high].values, wanted
            parts.append(held[at - low : min(stop, high) - low])
            if high < stop:  # keep no more than this of it while the next is read
                parts[-1] = parts[-1].copy()
            at = min(stop, high)
        yield start, parts[0] if len(parts) == 1 else np.concatenate(parts)
        del parts


def in_graph(array: xr.DataArray) -> bool:
    """Return whether the values are yet to be computed by Dask; this never imports it."""
    return array.chunks is not None


def _edges(array: xr.DataArray, step: int) -> list[int]:
    """Return where the spans begin and end that are read at once; none if blocks can be read as they are."""
    if array.chunks is not None:
        sizes = list(array.chunks[0])
    else:
        size = int(array.encoding.get("preferred_chunks", {}).get(array.dims[0], 0))
        if size <= step or size * array.nbytes > HELD * len(array):
            return []
        sizes = [min(size, len(array) - at) for at in range(0, len(array), size)]
    edges, at = [0], 0
    for size in sizes:
        at += size
        if at - edges[-1] >= step or at == len(array):
            edges.append(at)
    return edges
