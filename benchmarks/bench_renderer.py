"""How fast faces are drawn: nrsim's NumPy and Numba renderers, side by side with OpenGL in software (Mesa).

python benchmarks/bench_renderer.py --out benchmarks/results/renderer.md

Contestants take turns, one frame each, round after round, so that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import face_sets
import numpy as np

from nrsim.faces.domains import domain_named
from nrsim.faces.expressions import expression_weights
from nrsim.faces.head import SKIN, TONGUE
from nrsim.faces.shading import opacity
from nrsim.faces.shape import _CAMERA, Shape
from nrsim.meshes import backends
from nrsim.meshes.raster import rasterise, turn
from nrsim.meshes.surface import vertex_normals

SAMPLES = 2  # samples along each side of a pixel, as the renderer's default
Draw = Callable[[Any], np.ndarray]

_ABOUT = f"""\
Written by `python benchmarks/bench_renderer.py`. A whole frame is intensity → vertices → float32 picture in NumPy, with
{SAMPLES} × {SAMPLES} shaded samples a pixel; raster only is projected points → the triangle seen at a sample. nrsim's
renderer runs on one core (its linear algebra may use more), llvmpipe may use them all: hence the CPU time. The peer
computes vertices and normals by nrsim's functions and has the simpler shader (neither brows nor irises).
"""
_ABOUT_SETS = """\
"expressions" is `nr.load_stimuli("expressions")`, three head shapes; "in a new process" includes the start of Python
and all imports. "people" are 20 intensities a person, "single" faces are each another person's; both are rendered by
`nr.render_faces`, which also labels, hashes and checks, and with `out=` writes each picture, compressed, to a file.
"""
_ABOUT_MEMORY = """\
Resident memory of a process, MiB, each the median of three. "Before": two faces are drawn, and all libraries loaded
(about 100 MiB are Numba's). "Peak": the highest while the set is made. "More": by how much, give or take 15 MiB that
the allocator keeps or returns. With `out=` pictures leave the memory one by one; what grows is orders, labels and
attributes. Of those most are the people's weights, a text that is copied several times while it is written.
"""


class Scene:
    """One face at one size, and who draws it."""

    def __init__(self, size: int) -> None:
        self.size, self.fine = size, size * SAMPLES
        domain = domain_named("human")
        self.shape, self.look = Shape(domain), domain.look
        self.painted = self.shape.painted(self.look)
        self.corners = self.shape.head.corners
        self.expression = self.shape.head.expression(expression_weights("happy", self.shape.head))
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
        return self.shape.vertices(intensity * self.expression)

    def projected(self, intensity: float) -> np.ndarray:
        return self.shape.project(self.points(intensity), self.fine, yaw=0.0, pitch=0.0, scale=1.0, offset=(0.0, 0.0))

    def _add_nrsim(self, backend: str) -> None:
        def whole(intensity: float) -> np.ndarray:
            with backends.only(backend):
                return self.shape.draw(self.points(intensity), self.size, self.look, self.painted, samples=SAMPLES)[0]

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

        try:
            gl = GL(self.corners, len(self.points(0.0)), self._paint(), self.size, SAMPLES)
        except Exception as error:  # no EGL, no driver
            self.remarks.append(f"moderngl is installed, but OpenGL does not start, and is not measured: {error}")
            return
        self.opengl = gl.renderer

        def whole(intensity: float) -> np.ndarray:
            points = self.points(intensity)
            normals = vertex_normals(points, self.corners)
            return gl.draw(points, normals, self.shape.centre, self.shape.half, _CAMERA, turn(0, 0))

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
        surface = self.shape.head.surface
        skin = np.isin(surface["part"], (SKIN, TONGUE))
        albedo = np.where(skin, self.painted[:, 6], 0.85)
        return np.stack([albedo, surface["lip"], surface["inside_mouth"], opacity(surface["rest"].T)], axis=1)


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


def facts(opengl: str) -> list[str]:
    """Return what the numbers were measured with."""
    versions = []
    for name in ("nrsim", "numpy", "scipy", "numba", "h5py", "moderngl"):
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
    parser.add_argument("--rounds", type=int, default=60, help="frames that each draws at each size")
    parser.add_argument("--faces", type=int, default=500, help="faces of the sets, a multiple of 100; 0: no sets")
    parser.add_argument("--set-rounds", type=int, default=5, help="times that each set is made")
    parser.add_argument("--out", type=Path, help="write the tables there as well")
    chosen = parser.parse_args()
    if min(chosen.sizes) < 8 or min(chosen.rounds, chosen.set_rounds) < 1 or chosen.faces < 0 or chosen.faces % 100:
        parser.error("needed sizes from 8 px, at least one round, and a multiple of 100 faces")

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
        results += ["## Sets", "", _ABOUT_SETS]
        results += face_sets.speed(chosen.set_rounds, chosen.sizes[:2], chosen.faces)
        print("speed of sets done", file=sys.stderr, flush=True)
        results += ["## Memory of sets", "", _ABOUT_MEMORY, *face_sets.memory(chosen.sizes[:2], chosen.faces)]
    lines = ["# The renderer, measured", "", _ABOUT, *facts(opengl), *(f"- {text}" for text in remarks), ""]
    text = "\n".join([*lines, "## Frames", "", *results]).rstrip() + "\n"
    print(text)
    if chosen.out:
        chosen.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
