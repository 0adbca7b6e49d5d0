"""The benchmark of the V1 bank measures errors against a reference of its own; here others check that reference."""

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import convolve

import nrsim as nr

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
reference = pytest.importorskip("v1_reference", reason="the benchmarks are not here")
SIZE = 48


def test_the_reference_is_dense_convolution_reflected_at_the_border():
    picture = reference.images(1, SIZE, 0)
    for wavelength in (4.0, 12.0):
        found = reference.responses(picture, wavelength)[0]
        for turn in (0, 1, 6):
            kernel = reference.kernels(wavelength, 6.0)[turn]
            for part, values in ((kernel.real, found.real), (kernel.imag, found.imag)):
                dense = convolve(picture[0].astype(float), part, mode="reflect")
                assert values[turn] == pytest.approx(dense, abs=1e-12)


def test_the_reference_has_the_units_of_the_bank():
    wavelength = 8.0
    waves = reference.gratings(SIZE, wavelength).reshape(8, 4, SIZE, SIZE)
    energy = np.abs(reference.responses(waves[3], wavelength)) ** 2
    middle = energy[..., SIZE // 2 - 4 : SIZE // 2 + 4, SIZE // 2 - 4 : SIZE // 2 + 4].mean((-2, -1))
    assert (middle.argmax(axis=1) == 3).all()
    assert middle[:, 3] == pytest.approx(1, abs=1e-3)
    assert reference.kernels(wavelength).sum(axis=(1, 2)) == pytest.approx(0, abs=1e-15)


def test_the_windows_are_those_of_pooled_energy():
    place = np.arange(SIZE, dtype=float)
    tolerance = SIZE / reference.GRID / 2
    down, across = nr.PooledEnergy(size=reference.GRID, tolerance=tolerance).windows(place[::-1], place)
    assert reference.windows(SIZE) == pytest.approx(down)
    assert reference.windows(SIZE) == pytest.approx(across)


def test_nrsim_takes_part_with_the_reference_s_bank():
    adapter = pytest.importorskip("v1_adapter")
    task = reference.Task("half", 64, 1)
    pictures = reference.images(1, task.size, 1)
    exact = reference.answer(pictures, task.wavelengths)
    assert reference.error(adapter.engine(task).energy(pictures), exact) < 5e-3
    assert reference.error(exact[:, :, ::-1], exact) > 0.1  # the measure sees a wrong order


def test_the_benchmark_of_the_neurons_runs_when_small():
    import subprocess

    script = Path(__file__).parents[1] / "benchmarks" / "bench_neurons.py"
    done = subprocess.run([sys.executable, str(script), "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "| loop of run(), numpy |" in done.stdout
