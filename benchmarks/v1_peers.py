"""The peers of bench_v1.py: the same bank, energy and pooling by other libraries, each the way it was fastest.

A peer that has no threads of its own filters as many pictures (or channels) at a time as there are threads.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from v1_contestant import Contestant, blocks, each, power
from v1_pyramids import kymatio, plenoptic, pyrtools
from v1_reference import GAIN, GRID, ORIENTATIONS, Task, kernels, radius, waves, windows

REACH = 3.0  # standard deviations after which kernels are cut off, as scikit-image does


def skimage(task: Task) -> list[Contestant]:
    from skimage.filters import gabor, gabor_kernel

    weights = windows(task.size)
    angles = -np.deg2rad(ORIENTATIONS)  # its rows count downwards
    # orientations 0 to 67.5 degrees are half the work: the others' kernels are of the same sizes. Kernels above 16 px
    # take minutes, and are reckoned by their taps, which is too kind: a tap of a large kernel takes longer
    scales, some = [s for s, wavelength in enumerate(task.wavelengths) if wavelength <= 16], [0, 1, 2, 3]
    taps = np.array([[gabor_kernel(1 / w, a, bandwidth=1).size for a in angles] for w in task.wavelengths])

    def channel(job: tuple[np.ndarray, int, int]) -> np.ndarray:
        picture, scale, turn = job
        even, odd = gabor(picture, 1 / task.wavelengths[scale], theta=angles[turn], bandwidth=1, mode="reflect")
        return weights @ (even**2 + odd**2) @ weights.T * GAIN**2

    def run(pictures: np.ndarray) -> np.ndarray:
        jobs = itertools.product(pictures, scales, some)
        found = each(channel, jobs, task.threads)
        return np.reshape(found, (len(pictures), len(scales), len(some), GRID, GRID))

    share = taps[np.ix_(scales, some)].sum() / taps.sum()
    # its kernels are not balanced and are cut off earlier along oblique directions
    return [Contestant("scikit-image gabor", run, share=share, channels=(scales, some), tolerance=0.1, alone=True)]


def scipy(task: Task) -> list[Contestant]:
    from scipy.signal import fftconvolve

    weights = windows(task.size).astype(np.float32)
    bank = [(radius(w, REACH), kernels(w, REACH).astype(np.complex64)) for w in task.wavelengths]

    def picture(given: np.ndarray) -> np.ndarray:
        found = []
        for edge, filters in bank:
            wide = np.pad(given, edge, mode="symmetric")[None]
            found.append(weights @ power(fftconvolve(wide, filters, mode="valid", axes=(1, 2))) @ weights.T)
        return np.stack(found)

    def run(pictures: np.ndarray) -> np.ndarray:
        return np.stack(each(picture, pictures, task.threads))

    return [Contestant("SciPy fftconvolve", run, alone=True)]


def opencv(task: Task) -> list[Contestant]:
    import cv2

    weights = windows(task.size).astype(np.float32)
    border = cv2.BORDER_REFLECT  # half-sample symmetric
    flipped = [np.ascontiguousarray(kernels(w, REACH)[:, ::-1, ::-1]) for w in task.wavelengths]  # it correlates
    dense = [[(k.real.astype(np.float32), k.imag.astype(np.float32)) for k in each_scale] for each_scale in flipped]
    parts = []  # of each scale: the Gaussian, the leak, and cosine and sine of the waves along x and y
    for wavelength in task.wavelengths:
        gauss, wave = waves(wavelength, REACH)
        turned = np.sqrt(GAIN) * gauss * wave[..., ::-1]
        leak = (gauss * wave).sum(axis=-1).prod(axis=-1).real.astype(np.float32)  # of each orientation
        parts.append(((np.sqrt(GAIN) * gauss).astype(np.float32), leak, turned.astype(np.complex64)))

    def filter2d(picture: np.ndarray) -> np.ndarray:
        found = []
        for even, odd in itertools.chain.from_iterable(dense):
            z = [cv2.filter2D(picture, -1, kernel, borderType=border) for kernel in (even, odd)]
            found.append(weights @ (z[0] ** 2 + z[1] ** 2) @ weights.T)
        return np.reshape(found, task.shape)

    def separable(picture: np.ndarray) -> np.ndarray:
        """Four products of cosines and sines serve two mirrored orientations; the leak is the blurred picture's."""
        found = np.empty(task.shape, dtype=np.float32)
        middle = len(ORIENTATIONS) // 2

        def product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            return cv2.sepFilter2D(picture, -1, np.ascontiguousarray(x), np.ascontiguousarray(y), borderType=border)

        for scale, (gauss, leak, wave) in enumerate(parts):
            blurred = product(gauss, gauss)

            def put(turn: int, even: np.ndarray, odd: np.ndarray) -> None:
                even = even - leak[turn] * blurred  # noqa: B023 (called within the round)
                found[scale, turn] = weights @ (even**2 + odd**2) @ weights.T  # noqa: B023

            for turn in range(middle + 1):
                y, x = wave[turn]
                if turn == 0:
                    put(turn, product(x.real, gauss), product(x.imag, gauss))
                elif turn == middle:
                    put(turn, product(gauss, y.real), product(gauss, y.imag))
                else:
                    cc, ss = product(x.real, y.real), product(x.imag, y.imag)
                    sc, cs = product(x.imag, y.real), product(x.real, y.imag)
                    put(turn, cc - ss, sc + cs)
                    put(len(ORIENTATIONS) - turn, cc + ss, sc - cs)
        return found

    def over(one: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        return lambda pictures: np.stack(each(one, pictures, task.threads))

    return [
        Contestant("OpenCV filter2D", over(filter2d), alone=True),
        Contestant("OpenCV sepFilter2D", over(separable), alone=True),
    ]


def torch(task: Task) -> list[Contestant]:
    import torch

    bank = [np.ascontiguousarray(kernels(w, REACH)[:, ::-1, ::-1]) for w in task.wavelengths]  # it correlates
    filters = [torch.from_numpy(np.concatenate([k.real, k.imag])[:, None].astype(np.float32)) for k in bank]
    taps = np.array([k.shape[-1] ** 2 for k in bank])

    def made(name: str, strides: list[int], scales: list[int], block: int, tolerance: float) -> Contestant:
        plans = []
        for scale in scales:
            edge, stride = radius(task.wavelengths[scale], REACH), strides[scale]
            at = np.arange((stride - 1) // 2, task.size, stride)
            rows = np.pad(np.arange(task.size), edge, mode="symmetric")[at[0] : at[-1] + 2 * edge + 1]
            weights = torch.from_numpy(windows(task.size, at).astype(np.float32))
            plans.append((filters[scale], torch.from_numpy(rows), stride, weights, weights.T.contiguous()))

        def run(pictures: Any) -> np.ndarray:
            found = []
            with torch.inference_mode():
                for some in blocks(pictures, block):
                    scales_found = []
                    for kernel, rows, stride, down, across in plans:
                        wide = some[:, None, rows][..., rows]  # reflected; F.pad would leave out the edge itself
                        z = torch.nn.functional.conv2d(wide, kernel, stride=stride)
                        energy = z[:, :8] ** 2 + z[:, 8:] ** 2
                        scales_found.append(down @ energy @ across)
                    found.append(torch.stack(scales_found, 1))
            return torch.cat(found).numpy()

        channels = None if len(scales) == len(bank) else (scales, list(range(8)))
        share = float(taps[scales].sum() / taps.sum())
        return Contestant(name, run, torch.from_numpy, share, channels, tolerance=tolerance, block=block)

    all_scales = list(range(len(bank)))
    few = [s for s in all_scales if task.wavelengths[s] <= 16]  # a dense kernel of 217 px takes seconds
    wide = [1 if w < 5 else int(2 ** np.floor(np.log2(w / 2.5))) for w in task.wavelengths]
    return [
        made("PyTorch conv2d, dense", [1] * len(bank), few, 2, 0.02),
        made("PyTorch conv2d, stride 4", [4] * len(bank), all_scales, 4, 1.0),
        made("PyTorch conv2d, best stride", wide, all_scales, 4, 1.0),
    ]


# by the name of the distribution: what it is imported as, and its contestants
PEERS: dict[str, tuple[tuple[str, ...], Callable[[Task], list[Contestant]]]] = {
    "scikit-image": (("skimage",), skimage),
    "scipy": (("scipy",), scipy),
    "opencv": (("cv2",), opencv),
    "torch": (("torch",), torch),
    "kymatio": (("kymatio", "torch"), kymatio),
    "pyrtools": (("pyrtools",), pyrtools),
    "plenoptic": (("plenoptic", "torch"), plenoptic),
}


def peers(names: Iterable[str], task: Task) -> tuple[list[Contestant], list[str]]:
    """Return the contestants of the named peers, and a remark for each that cannot be imported."""
    found, absent = [], []
    for name in names:
        modules, make = PEERS[name]
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            absent.append(f"{name} is absent, and not measured ({' and '.join(missing)} not installed).")
            continue
        try:
            made = make(task)
        except ImportError as failure:
            absent.append(f"{name} is installed but cannot be imported, and is not measured: {failure}")
            continue
        found += [replace(contestant, peer=name) for contestant in made]
    return found, absent
