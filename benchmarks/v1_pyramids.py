"""The peers of bench_v1.py that have filters of their own: kymatio's scattering, and two steerable pyramids."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from v1_contestant import Contestant, blocks, each, power
from v1_reference import Task, windows


def kymatio(task: Task) -> list[Contestant]:
    import scipy.special

    if not hasattr(scipy.special, "sph_harm"):  # kymatio 0.3 imports it, for its 3-D transform
        scipy.special.sph_harm = scipy.special.sph_harm_y
    import torch
    from kymatio.numpy import Scattering2D as Numpy
    from kymatio.torch import Scattering2D as Torch

    scales, turns = task.shape[:2]
    settings = {"J": scales, "shape": (task.size, task.size), "L": turns, "max_order": 1}
    by_numpy, by_torch = Numpy(**settings), Torch(**settings)

    def shaped(found: np.ndarray) -> np.ndarray:
        return found[:, 1:].reshape(len(found), scales, turns, *found.shape[2:])

    def run_numpy(pictures: np.ndarray) -> np.ndarray:
        return shaped(np.concatenate(each(by_numpy, blocks(pictures, 4), task.threads)))

    def run_torch(pictures: Any) -> np.ndarray:
        with torch.inference_mode():
            return shaped(torch.cat([by_torch(some) for some in blocks(pictures, 8)]).numpy())

    return [
        Contestant("kymatio, NumPy", run_numpy, same=False, block=4, alone=True),
        Contestant("kymatio, PyTorch", run_torch, torch.from_numpy, same=False, block=8),
    ]


def pyrtools(task: Task) -> list[Contestant]:
    from pyrtools.pyramids import SteerablePyramidFreq

    scales, turns = task.shape[:2]
    sides = [task.size >> scale for scale in range(scales)]
    weights = [windows(task.size, np.arange(n) * task.size / n) for n in sides]

    def picture(given: np.ndarray) -> np.ndarray:
        bands = SteerablePyramidFreq(given, height=scales, order=turns - 1, is_complex=True).pyr_coeffs
        return np.stack(
            [[w @ power(bands[scale, turn]) @ w.T for turn in range(turns)] for scale, w in enumerate(weights)]
        )

    def run(pictures: np.ndarray) -> np.ndarray:
        return np.stack(each(picture, pictures, task.threads))

    return [Contestant("pyrtools steerable pyramid", run, same=False, alone=True)]


def plenoptic(task: Task) -> list[Contestant]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from plenoptic.process import SteerablePyramidFreq

    scales, turns = task.shape[:2]

    def made(name: str, side: int) -> Contestant:
        mirrored, block = side > task.size, 1 if task.size > 128 else 2  # larger blocks are slower
        pyramid = SteerablePyramidFreq((side, side), height=scales, order=turns - 1, is_complex=True)
        weights = []
        for n in (side >> scale for scale in range(scales)):
            at = np.arange(n) * side / n
            used = at < task.size
            weights.append((int(used.sum()), torch.from_numpy(windows(task.size, at[used]).astype(np.float32))))

        def run(pictures: Any) -> np.ndarray:
            found = []
            with torch.inference_mode():
                for some in blocks(pictures[:, None], block):
                    if mirrored:
                        some = torch.cat([some, some.flip(-1)], -1)
                        some = torch.cat([some, some.flip(-2)], -2)
                    bands = pyramid(some)
                    maps = []
                    for scale, (n, w) in enumerate(weights):
                        z = torch.view_as_real(bands[scale][:, 0, :, :n, :n])
                        maps.append(w @ (z[..., 0] ** 2 + z[..., 1] ** 2) @ w.T)
                    found.append(torch.stack(maps, 1))
            return torch.cat(found).numpy()

        return Contestant(name, run, torch.from_numpy, same=False, block=block)

    name = "plenoptic steerable pyramid"
    return [made(name, task.size), made(f"{name}, picture mirrored", 2 * task.size)]
