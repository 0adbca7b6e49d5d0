"""How fast faces are drawn: nrsim's NumPy and Numba renderers, side by side with OpenGL in software (Mesa).

python benchmarks/bench_renderer.py --out benchmarks/results/renderer.md

Contestants take turns, one frame each, round after round, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SHARPNESS = 2  # samples along each side of a pixel, as the renderer's default
Draw = Callable[[Any], np.ndarray]

_ABOUT = f"""\
Written by `python benchmarks/bench_renderer.py`. A whole frame is expression → vertices → float32 picture in NumPy,
with {SHARPNESS} × {SHARPNESS} shaded samples a pixel; raster only is projected points → the triangle seen at a sample.
nrsim's renderer runs on one core (its linear algebra may use more), llvmpipe may use them all: hence the CPU time. The
peer computes vertices and normals by nrsim's functions and has the simpler shader (no brows, irises nor skin texture).
"""

_MEMORY = """
import inspect, json, pathlib, resource, sys, tempfile
import nrsim as nr

size, faces, stream = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "stream"
levels = [round(0.02 * k - 0.5, 2) for k in range(101) if k != 25]
names = ["happy", "sad", "angry", "fearful", "disgusted", "surprised"]
rows = [{"domain": "human", "expression": e, "intensity": i} for i in levels for e in names][:faces]


def peak():
    status = pathlib.Path("/proc/self/status")  # ru_maxrss counts, on Linux, the process that started this one as well
    if status.is_file():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024**2 if sys.platform == "darwin" else used / 1024


nr.render_faces(rows[:2], size=size)
before = peak()
with tempfile.TemporaryDirectory() as folder:
    more = {"out": str(pathlib.Path(folder) / "faces.nc")} if stream else {}
    done = nr.render_faces(rows, size=size, **more)
print(json.dumps({"before": before, "peak": peak(), "pictures": len(rows) * size * size * 4 / 2**20}))
"""


class Scene:
    """One face at one size, and who draws it."""

    def __init__(self, size: int) -> None:
        from nrsim.faces.domains import domain_named
        from nrsim.faces.expressions import expression_weights
        from nrsim.faces.render import Face

        self.size, self.fine = size, size * SHARPNESS
        self.face, self.weights = Face(domain_named("human")), expression_weights("happy")
        self.corners = self.face.head.corners
        self.whole: dict[str, Draw] = {}  # an intensity → the picture
        self.raster: dict[str, Draw] = {}  # projected points → the triangle seen at each sample
        self.remarks: list[str] = []
        self.opengl = "absent"
        self._add_nrsim("numpy")
        if importlib.util.find_spec("numba"):
            self._add_nrsim("numba")
        else:
            self.remarks.append("Numba is not installed, and not measured (pip install 'nrsim[fast]').")
        self._add_opengl()

    def points(self, intensity: float) -> np.ndarray:
        return self.face.vertices(self.weights, intensity)

    def projected(self, intensity: float) -> np.ndarray:
        from nrsim.faces.render import _CAMERA
        from nrsim.meshes.raster import project, turn

        return project(self.points(intensity), self.face.centre, self.face.half, self.fine, _CAMERA, turn(0, 0))

    def _add_nrsim(self, backend: str) -> None:
        from nrsim.meshes import backends
        from nrsim.meshes.raster import rasterise

        def whole(intensity: float) -> np.ndarray:
            with backends.only(backend):
                return self.face.draw(self.points(intensity), self.size, sharpness=SHARPNESS)[0]

        def raster(points: np.ndarray) -> np.ndarray:
            pixel, triangle, _ = rasterise(points, self.corners, self.fine, self.fine, backend=backend)
            seen = np.full(self.fine * self.fine, -1)
            seen[pixel] = triangle
            return seen.reshape(self.fine, self.fine)

        self.whole[f"nrsim, {backend}"] = whole
        self.raster[f"nrsim, {backend}"] = raster

    def _add_opengl(self) -> None:
        if importlib.util.find_spec("moderngl") is None:
            self.remarks.append("moderngl is not installed, and not measured (pip install moderngl).")
            return
        from gl_peer import GL

        from nrsim.faces.render import _CAMERA
        from nrsim.meshes.raster import turn
        from nrsim.meshes.surface import vertex_normals

        try:
            gl = GL(self.corners, len(self.points(0.0)), self._paint(), self.size, SHARPNESS)
        except Exception as error:  # no EGL, no driver
            self.remarks.append(f"moderngl is installed, but OpenGL does not start, and is not measured: {error}")
            return
        self.opengl = gl.renderer

        def whole(intensity: float) -> np.ndarray:
            points = self.points(intensity)
            normals = vertex_normals(points, self.corners)
            return gl.draw(points, normals, self.face.centre, self.face.half, _CAMERA, turn(0, 0))

        self.whole["moderngl"] = whole
        self.raster["moderngl"] = gl.number
        ours, theirs = self.whole["nrsim, numpy"](1.0), whole(1.0)
        like = float(np.corrcoef(theirs.ravel(), ours.ravel())[0, 1])
        points = self.projected(1.0)
        same = float((gl.number(points) == self.raster["nrsim, numpy"](points)).mean())
        self.remarks.append(f"{self.size} px: the pictures correlate with {like:.3f}; {same:.2%} of samples agree.")
        if not (like > 0.6 and same > 0.99):
            raise SystemExit(f"the peer does not draw the same face. {self.remarks[-1]}")

    def _paint(self) -> np.ndarray:
        """Return what OpenGL paints the vertices with: albedo, lip, inside of the mouth, opacity; about as nrsim's."""
        from nrsim.faces.head import SKIN, TONGUE

        surface = self.face.head.surface
        _, y, z = surface["rest"].T
        neck = 1 - np.clip((z - 0.95) / 0.2, 0, 1)
        opacity = 1 - neck * (1 - np.clip((y - 6.10) / 0.32, 0, 1))
        albedo = np.where(np.isin(surface["part"], (SKIN, TONGUE)), 0.6, 0.85)
        return np.stack([albedo, surface["lip"], surface["inside_mouth"], opacity], axis=1)


def race(draws: dict[str, Draw], inputs: list[Any]) -> dict[str, np.ndarray]:
    """Return wall and CPU time in ms, ``(round, 2)``, of each contestant; they take turns, and begin in turn."""
    for draw in draws.values():
        draw(inputs[0])  # compiles, fills caches
    names = list(draws)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for number, given in enumerate(inputs):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            wall, cpu = time.perf_counter(), time.process_time()
            draws[name](given)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: 1e3 * np.array(values) for name, values in times.items()}


def table(title: str, times: dict[str, np.ndarray]) -> list[str]:
    """Return the lines of a table; the ratio is the median over rounds of NumPy's time to the contestant's."""
    lines = [
        f"| {title} | min ms | median ms | frames/s | CPU ms | × nrsim, numpy |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    base = times["nrsim, numpy"][:, 0]
    for name, values in times.items():
        wall, cpu = values.T
        middle = np.median(wall)
        lines.append(
            f"| {name} | {wall.min():.1f} | {middle:.1f} | {1e3 / middle:.0f} | {np.median(cpu):.1f} "
            f"| {np.median(base / wall):.2f} |"
        )
    return [*lines, ""]


def memory(size: int, faces: int) -> list[str]:
    """Return lines on the peak memory of a process that renders a set, in MiB."""
    import inspect

    import nrsim as nr

    ways = ["memory"] + (["stream"] if "out" in inspect.signature(nr.render_faces).parameters else [])
    lines = []
    for way in ways:
        command = [sys.executable, "-c", _MEMORY, str(size), str(faces), way]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the measurement of memory failed:\n{done.stderr[-2000:]}")
        found = json.loads(done.stdout.splitlines()[-1])
        where = "to a file (out=)" if way == "stream" else "in memory"
        lines.append(
            f"| {faces} faces, {size} px, {where} | {found['pictures']:.0f} "
            f"| {found['before']:.0f} | {found['peak']:.0f} | {found['peak'] - found['before']:.0f} |"
        )
    return lines


def facts(opengl: str) -> list[str]:
    """Return what the numbers were measured with."""
    versions = []
    for name in ("nrsim", "numpy", "scipy", "numba", "moderngl"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} absent")
    return [
        f"- {datetime.date.today():%Y-%m-%d}; {platform.system()} on {platform.machine()}, {os.cpu_count()} cores; "
        f"Python {platform.python_version()}, {', '.join(versions)}",
        f"- OpenGL: {opengl}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 224, 512], help="width of the pictures, px")
    parser.add_argument("--rounds", type=int, default=40, help="frames that each draws at each size")
    parser.add_argument("--faces", type=int, default=500, help="faces of the set whose memory is measured; 0: none")
    parser.add_argument("--out", type=Path, help="write the tables there as well")
    chosen = parser.parse_args()
    if min(chosen.sizes) < 8 or chosen.rounds < 1 or not 0 <= chosen.faces <= 600:
        parser.error("needed sizes from 8 px, at least one round, and 0 to 600 faces")

    results, remarks, opengl = [], [], "absent"
    for size in chosen.sizes:
        scene = Scene(size)
        levels = np.linspace(0, 1, chosen.rounds).round(3).tolist()
        results += table(f"whole frame, {size} px", race(scene.whole, levels))
        results += table(f"raster only, {size} px", race(scene.raster, [scene.projected(level) for level in levels]))
        remarks += [remark for remark in scene.remarks if remark not in remarks]
        opengl = scene.opengl
        print(f"{size} px done", file=sys.stderr, flush=True)
    if chosen.faces:
        results += ["| peak memory, MiB | the pictures | before | peak | more |", "|---|---:|---:|---:|---:|"]
        for size in chosen.sizes[:2]:
            results += memory(size, chosen.faces)
    lines = ["# The renderer, measured", "", _ABOUT, *facts(opengl), *(f"- {text}" for text in remarks), "", *results]
    text = "\n".join(lines).rstrip() + "\n"
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
