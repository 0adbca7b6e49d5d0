"""Fit the default distributions of nr.NormPopulation to half of the AM neurons, and say how the other half compares.

    python tools/fit_population.py FOLDER

FOLDER holds the zip of the Neural Decoding Toolbox with the recordings of Freiwald & Tsao 2010, one MATLAB file a
neuron. It takes some minutes. The defaults are the result rounded. The search (Nelder & Mead) ends in several
places; the starts are what is needed to find the best one known.
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.optimize import minimize

import nrsim as nr
from nrsim.encoders.rules import norm_activity

PERCENTILES = (10, 25, 50, 75, 90)
WINDOW = (0.07, 0.37)  # s
NEURONS = 800  # so many that the result does not depend on which are drawn
TRIALS = 5  # the median of repeats in AM
SHARED = 20.0  # shape of the gamma distribution of the noise in gain from picture to picture
STARTS = (
    [0.0, 0.3, 0.5, 0.5, 0.0, 0.5],
    [0.5, 0.3, 1.0, 0.3, 0.3, 0.6],
    [1.0, 0.5, 1.0, 0.7, -0.2, 0.3],
    [1.4, 0.5, 0.6, 0.3, -0.3, 0.5],
)


def read_am(folder: Path) -> list[np.ndarray]:
    """Return for every neuron its mean rate for each picture, Hz, at 70 to 370 ms; by file name."""
    (archive,) = folder.glob("*.zip")
    neurons = []
    with zipfile.ZipFile(archive) as packed:
        for name in sorted(each for each in packed.namelist() if each.endswith(".mat")):
            neuron = loadmat(io.BytesIO(packed.read(name)), squeeze_me=True, struct_as_record=False)
            spikes, picture = neuron["raster_data"][:, 70:370], neuron["raster_labels"].stimID.astype(str)
            rate = spikes.sum(axis=1) / (WINDOW[1] - WINDOW[0])
            neurons.append(np.array([rate[picture == one].mean() for one in np.unique(picture)]))
    return neurons


def sparseness(rate: np.ndarray) -> np.ndarray:
    """Return Vinje & Gallant's sparseness over the pictures, the first dim."""
    return (1 - rate.mean(axis=0) ** 2 / (rate**2).mean(axis=0)) / (1 - 1 / len(rate))


def percentiles(neurons: list[np.ndarray]) -> np.ndarray:
    """Return ``(statistic, percentile)`` of the mean rate, the best picture's rate and sparseness."""
    numbers = [[one.mean(), one.max(), float(sparseness(one))] for one in neurons if one.max() > 0]
    return np.percentile(np.array(numbers), PERCENTILES, axis=0).T


def table_of_rates() -> tuple[np.ndarray, np.ndarray]:
    """Return activities, and the rates that nr.present and nr.AdaptiveLIF make of them."""
    activity = np.r_[np.arange(-1.5, 1.0, 0.05), np.arange(1.0, 6.0, 0.25)]
    code = nr.example("FaceCode").isel(stimulus=[0] * len(activity), neuron=[0])
    code = code.assign(activity=(("stimulus", "neuron"), activity[:, None], {"units": "1"}))
    code = code.assign_coords(stimulus_id=("stimulus", [f"{level:.2f}" for level in activity]))
    recording = nr.simulate(nr.present(code), nr.AdaptiveLIF(), trials=400, seed=1)
    return activity, nr.window_rates(recording, WINDOW).mean("trial").values[:, 0]


def differences() -> tuple[np.ndarray, float]:
    """Return d ``(picture, feature)`` of 25 people in eight views from the average person in each view.

    And how far the frontal ones, which are learned as prototypes, lie from it, in the mean.
    """
    faces = nr.load_stimuli("freiwald2010_views", size=96)
    pool = nr.PooledEnergy(size=8, log=True)
    seen = nr.V1Bank(frequencies=[1, 2, 4], normalise="divisive").transform(faces, pool=pool)
    value = pool.fit(seen).transform(seen)["value"].values.astype(float)
    view = faces["view"].values
    for each in np.unique(view):
        value[view == each] -= value[view == each].mean(axis=0)
    return value, float(np.linalg.norm(value[view == "frontal"], axis=1).mean())


def main(folder: Path) -> None:
    neurons = read_am(folder)
    fitted, held_out = percentiles(neurons[::2]), percentiles(neurons[1::2])
    activities, rates = table_of_rates()
    d, far = differences()
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((NEURONS, len(d))) @ d
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    length = np.full(NEURONS, far)
    normal = rng.standard_normal((3, NEURONS))

    def population(numbers: np.ndarray, seed: int) -> list[np.ndarray]:
        exponent = np.exp(numbers[0] + abs(numbers[1]) * normal[0])
        gain = np.exp(numbers[2] + abs(numbers[3]) * normal[1])
        baseline = numbers[4] + abs(numbers[5]) * normal[2]
        raw = norm_activity(d, directions, length, "general", exponent) / length
        expected = np.interp(baseline + gain * raw, activities, rates) * (WINDOW[1] - WINDOW[0]) * TRIALS
        noise = np.random.default_rng(seed)
        counts = noise.poisson(expected * noise.gamma(SHARED, 1 / SHARED, expected.shape))
        return list((counts / (WINDOW[1] - WINDOW[0]) / TRIALS).T)

    def cost(numbers: np.ndarray) -> float:
        made = percentiles(population(numbers, 0))
        logs = np.log(made[:2] + 0.3) - np.log(fitted[:2] + 0.3)
        return float((logs**2).sum() + 8 * ((made[2] - fitted[2]) ** 2).sum())

    found = min(
        (minimize(cost, start, method="Nelder-Mead", options={"maxfev": 900}) for start in STARTS), key=lambda r: r.fun
    )
    a, b, c, e, mean, sd = found.x
    print(f"exponent: lognormal, median {np.exp(a):.2f}, sigma {abs(b):.2f}")
    print(f"gain: lognormal, median {np.exp(c):.2f}, sigma {abs(e):.2f}")
    print(f"baseline: normal, mean {mean:.2f}, sd {abs(sd):.2f}")
    made = percentiles(population(found.x, 1))
    for i, name in enumerate(("mean rate", "best picture", "sparseness")):
        print(f"{name}: model {made[i].round(2)}, fitted {fitted[i].round(2)}, not fitted {held_out[i].round(2)}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]))
