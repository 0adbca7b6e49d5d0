"""What sets of faces take: seconds and memory. bench_renderer.py asks; alone, it prints the memory of one set as JSON.

python benchmarks/face_sets.py people 500 --size 128 --stream
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nrsim as nr
from nrsim.meshes import backends

KINDS = {"people": "20 intensities a person", "single": "another person each"}
BEST = "numba" if importlib.util.find_spec("numba") else "numpy"
_LEVELS = [round(level, 2) for level in np.linspace(-0.45, 1.45, 20).tolist()]
_NAMES = ["happy", "sad", "angry", "fearful", "disgusted", "surprised"]
_STATUS = Path("/proc/self/status")


def ordered(kind: str, n: int) -> dict[str, Any]:
    """Return what to ask of ``nr.render_faces``: ``n`` different faces, of one of ``KINDS``."""
    levels = [1.0] if kind == "single" else _LEVELS
    people = nr.random_identities(n // len(levels), seed=1)
    rows = [
        {"domain": "human", "identity": person, "expression": _NAMES[i % len(_NAMES)], "intensity": level}
        for i, person in enumerate(people)
        for level in levels
    ]
    return {"rows": rows, "identities": people}


def speed(rounds: int, sizes: Sequence[int], n: int) -> list[str]:
    """Return a table of the seconds that whole sets take; they take turns."""
    recipe, faces = partial(nr.load_stimuli, "expressions"), partial(nr.render_faces, **ordered("people", n))
    start_and_make = [sys.executable, "-c", "import nrsim as nr; nr.load_stimuli('expressions')"]
    many = recipe(size=8).sizes["stimulus"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "faces.nc"
        sets: dict[str, tuple[int, str, Callable[[], Any]]] = {
            f"expressions, 128 px, {backend}": (many, backend, recipe) for backend in sorted({BEST, "numpy"})
        }
        sets["expressions, 128 px, in a new process"] = (
            many,
            "auto",
            partial(subprocess.run, start_and_make, check=True),
        )
        for size in sizes:
            sets[f"people, {size} px, {BEST}, in memory"] = n, BEST, partial(faces, size=size)
            sets[f"people, {size} px, {BEST}, out="] = n, BEST, partial(faces, size=size, out=out)
        times: dict[str, list[float]] = {name: [] for name in sets}
        for _ in range(rounds):
            for name, (_, backend, make) in sets.items():
                with backends.only(backend):
                    start = time.perf_counter()
                    made = make()
                    times[name].append(time.perf_counter() - start)
                if hasattr(made, "close"):
                    made.close()
    lines = ["| set | faces | min s | median s | faces/s |", "|---|---:|---:|---:|---:|"]
    for name, taken in times.items():
        count, middle = sets[name][0], float(np.median(taken))
        lines.append(f"| {name} | {count} | {min(taken):.2f} | {middle:.2f} | {count / middle:.0f} |")
    return [*lines, ""]


def memory(sizes: Sequence[int], n: int, repeats: int = 3) -> list[str]:
    """Return a table of the peak memory of processes that render a set each, MiB, and what a face more takes, KiB."""
    lines = ["| set | faces | pictures | before | peak | more |", "|---|---:|---:|---:|---:|---:|"]
    remarks = []
    for size in sizes:
        for kind in KINDS:
            peaks: dict[int, float] = {}
            for faces, way in ((n, ""), (n // 5, "--stream"), (n, "--stream"), (2 * n, "--stream")):
                command = [sys.executable, __file__, kind, str(faces), "--size", str(size), *way.split()]
                runs = [json.loads(_said(command)) for _ in range(repeats)]
                found = {name: float(np.median([run[name] for run in runs])) for name in runs[0]}
                lines.append(
                    f"| {kind}, {size} px, {'out=' if way else 'in memory'} | {faces} | {faces * size**2 / 2**18:.0f} "
                    f"| {found['before']:.0f} | {found['peak']:.0f} | {found['more']:.0f} |"
                )
                peaks[faces] = found["peak"]
            rise = (peaks[2 * n] - peaks[n]) / n * 1024
            remarks.append(
                f"- {kind}, {size} px, out=: from {n} to {2 * n} faces the peak rises by {rise:.0f} KiB a face; "
                f"a picture is {size**2 / 256:.0f} KiB, its labels {found['labels']:.1f} KiB, its share of the "
                f"attributes {found['attributes']:.1f} KiB."
            )
    return [*lines, "", *remarks, ""]


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"the measurement of memory failed:\n{done.stderr[-2000:]}")
    return done.stdout


def resident(peak: bool = False) -> float:
    """Return the memory in use, or its peak since :func:`forget_peak`, in MiB (without /proc: ever)."""
    if _STATUS.is_file():
        name = "VmHWM" if peak else "VmRSS"
        return next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith(name)) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024**2 if sys.platform == "darwin" else used / 1024


def forget_peak() -> None:
    """Let the peak begin again from what is in use, where there is /proc."""
    if _STATUS.is_file():
        Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=list(KINDS))
    parser.add_argument("faces", type=int)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--stream", action="store_true", help="to a file (out=), not in memory")
    chosen = parser.parse_args()
    order = ordered(chosen.kind, chosen.faces)
    few = order | {"rows": order["rows"][:2]}
    with tempfile.TemporaryDirectory() as folder, backends.only(BEST):
        more = {"size": chosen.size} | ({"out": str(Path(folder) / "faces.nc")} if chosen.stream else {})
        nr.render_faces(**few, **more).close()  # loads the head, the kernels and the libraries
        forget_peak()
        before = resident()
        made = nr.render_faces(**order, **more)
        peak = resident(peak=True)
        labels = sum(coord.nbytes for name, coord in made.coords.items() if "stimulus" in coord.dims)
        attributes = sum(len(str(value).encode()) for value in made.attrs.values())
        made.close()
    each = 1024 * chosen.faces
    found = {"before": before, "peak": peak, "more": peak - before}
    print(json.dumps(found | {"labels": labels / each, "attributes": attributes / each}))


if __name__ == "__main__":
    main()
