"""Memory of V1 responses to sets of any size: peak above what the process needed before, and seconds.

python benchmarks/v1_memory.py --out benchmarks/results/v1_memory.md
python benchmarks/v1_memory.py --ferg . --out …         # appends a set of FERG-DB's size, written to that folder

Pictures are drawn as they are asked for, by Dask, so that nothing but the bank's work is on disk or in memory. Each
number is of a process of its own.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

import nrsim as nr
from nrsim.provenance import stamp

SIZE, DEGREES = 224, 7.0
FERG = 55767
COUNTS, BLOCKS = (500, 2000, 8000), (16, 64, 256)
_STATUS = Path("/proc/self/status")


def drawn(n: int, chunk: int) -> xr.Dataset:
    """Return ``n`` pictures that are drawn when they are read, ``chunk`` at a time: a pattern, moved and scaled."""
    import dask.array as da

    pattern = np.random.default_rng(1).random((SIZE, SIZE), dtype=np.float32)

    def draw(block_info: dict | None = None) -> np.ndarray:
        low, high = block_info[None]["array-location"][0]
        images = np.empty((high - low, SIZE, SIZE), dtype=np.float32)
        for i, image in enumerate(images, low):
            image[...] = np.roll(pattern, (i % SIZE, i // SIZE), (0, 1))
            image *= np.float32(1 - i / (2 * n))
        return images

    sizes = tuple(min(chunk, n - at) for at in range(0, n, chunk))
    images = da.map_blocks(draw, chunks=(sizes, (SIZE,), (SIZE,)), dtype=np.float32, meta=np.empty((0, 0, 0), "f4"))
    place = (np.arange(SIZE) + 0.5 - SIZE / 2) * DEGREES / SIZE
    coords = {
        "stimulus_id": ("stimulus", [f"picture-{i:05d}" for i in range(n)]),
        "y": ("y", -place, {"units": "degree"}),
        "x": ("x", place, {"units": "degree"}),
    }
    faces = xr.Dataset({"image": (("stimulus", "y", "x"), images, {"units": "1"})}, coords)
    return stamp(faces, "StimulusSet", "benchmark", {"n": n})


def now(field: str) -> int:
    """Return a field of the process's status in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def measure(n: int, block: int, chunk: int, out: str) -> None:
    """Print what one set takes as JSON; ``out`` is a folder and a kind, or ``memory``."""
    bank, pool = nr.V1Bank(), nr.PooledEnergy(size=16)
    where = None if out == "memory" else Path(out)
    with tempfile.TemporaryDirectory() as folder:  # imports, plans and threads are there before
        warm = None if where is None else Path(folder) / f"warm{where.suffix}"
        bank.transform(drawn(4, 2), pool=pool, block=2, out=warm)
    faces = drawn(n, chunk)
    before = now("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts from here
    began = time.perf_counter()
    seen = bank.transform(faces, pool=pool, block=block, out=where)
    seconds, peak = time.perf_counter() - began, now("VmHWM") - before
    began = time.perf_counter()
    size = bytes_of(where)
    features = None
    if where is not None:
        Path("/proc/self/clear_refs").write_text("5")
        before = now("VmRSS")
        pool.fit(seen)
        features = {"peak": now("VmHWM") - before, "seconds": time.perf_counter() - began}
    values = {"n": n, "block": block, "peak": peak, "seconds": seconds, "bytes": size, "fit": features}
    print(json.dumps(values))


def bytes_of(path: Path | None) -> int:
    """Return what a result takes on disk."""
    if path is None:
        return 0
    return sum(each.stat().st_size for each in [path, *path.rglob("*")] if each.is_file())


def run(n: int, block: int, chunk: int, out: str) -> dict:
    """Return what :func:`measure` prints in a new process."""
    command = [sys.executable, __file__, "--one", str(n), str(block), str(chunk), out]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def row(what: str, got: dict) -> str:
    """Return a line of the table."""
    fit = "" if got["fit"] is None else f"{got['fit']['peak'] / 1e6:.0f}"
    each = f"{1000 * got['seconds'] / got['n']:.1f}"
    return f"| {what} | {got['n']} | {got['peak'] / 1e6:.0f} | {got['seconds']:.1f} | {each} | {fit} |"


HEAD = [
    "| | pictures | peak MB | s | ms a picture | peak MB of PooledEnergy.fit |",
    "|---|---:|---:|---:|---:|---:|",
]


def about() -> str:
    """Return when and with what it was measured."""
    names = ("numpy", "scipy", "xarray", "dask", "zarr", "h5netcdf")
    with_what = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    day = datetime.date.today().isoformat()
    return (
        f"- {day}; {platform.system()} on {platform.machine()}, {os.cpu_count()} cores, which others used too; "
        f"Python {platform.python_version()}, nrsim {nr.__version__}, {with_what}"
    )


def table(counts: list[int], sizes: list[int]) -> list[str]:
    """Return the page but for the set of FERG-DB's size."""
    lines = [
        "# Memory of V1 responses, measured",
        "",
        "Written by `python benchmarks/v1_memory.py`. Peak resident memory above that of the process before, while",
        f"`V1Bank().transform(faces, pool=PooledEnergy(16))` sees pictures of {SIZE} px, which Dask draws as they are",
        "asked for, in chunks of one block (4 frequencies × 8 orientations, two threads; seconds include the drawing).",
        "",
        about(),
        "",
        *HEAD,
    ]
    with tempfile.TemporaryDirectory() as folder:
        for kind in (".zarr", ".nc"):
            for block in sizes if kind == ".zarr" else [64]:
                for n in counts:
                    out = Path(folder) / f"r{kind}"
                    lines.append(row(f"out={kind}, block={block}", run(n, block, block, str(out))))
                    shutil.rmtree(out) if kind == ".zarr" else out.unlink()
                    print(lines[-1], flush=True)
        for chunk in (1, 1000):
            got = run(counts[1], 64, chunk, str(Path(folder) / f"r{chunk}.zarr"))
            lines.append(row(f"out=.zarr, block=64, Dask chunks of {chunk}", got))
            print(lines[-1], flush=True)
        for n in counts[:2]:
            lines.append(row("in memory, block=64", run(n, 64, 64, "memory")))
            print(lines[-1], flush=True)
    return lines


def ferg(folder: str) -> list[str]:
    """Return the lines on a set of FERG-DB's size."""
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        got = run(FERG, 64, 64, str(Path(inner) / "ferg.zarr"))
    text = f"responses of {4 * 32 * 256 * FERG / 1e9:.2f} GB, {got['bytes'] / 1e9:.2f} GB on disk"
    rows = [*HEAD, row("out=.zarr, block=64", got)]
    fit = f"`PooledEnergy.fit` read them in {got['fit']['seconds']:.0f} s."
    return ["", f"## A set of FERG-DB's size ({text})", "", about(), "", *rows, "", fit]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--blocks", type=int, nargs="+", default=BLOCKS)
    parser.add_argument("--ferg", metavar="FOLDER", help="only a set of FERG-DB's size; 2 GB go through this folder")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        n, block, chunk, out = arguments.one
        measure(int(n), int(block), int(chunk), out)
        return
    if arguments.ferg:
        lines = ferg(arguments.ferg)
        text = (arguments.out.read_text(encoding="utf-8") if arguments.out else "") + "\n".join(lines) + "\n"
    else:
        text = "\n".join(table(list(arguments.counts), list(arguments.blocks))) + "\n"
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
