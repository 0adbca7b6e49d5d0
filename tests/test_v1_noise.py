"""Response noise has the mean and the Fano factor that are stated, and is a function of seed and stimulus."""

import json

import numpy as np
import pytest

import nrsim as nr

PEAK, DRAWS = 40.0, 20000


def constant(level, name="energy"):
    """A V1Response of one level at DRAWS places."""
    seen = nr.example("V1Response").isel(stimulus=[0, 1], frequency=[0], orientation=[0])
    places = np.arange(DRAWS // 2)
    seen = seen.drop_vars("energy").drop_dims(["y", "x"])
    seen = seen.assign_coords(
        place=("place", [str(i) for i in places]),
        place_y=("place", places * 0.0, {"units": "degree"}),
        place_x=("place", places * 0.0, {"units": "degree"}),
    )
    shape, dims = [2, 1, 1, len(places)], ["stimulus", "frequency", "orientation", "place"]
    if name == "response":
        seen = seen.assign_coords(phase=("phase", [0.0], {"units": "degree"}))
        shape, dims = [2, 1, 1, 1, len(places)], [*dims[:3], "phase", "place"]
    return seen.assign({name: (dims, np.full(shape, level, np.float32), {"units": "1"})})


@pytest.mark.parametrize("fano", [0.3, 1.0, 1.5, 4.0])
@pytest.mark.parametrize("level", [0.02, 0.4, 1.0])
@pytest.mark.parametrize("name", ["energy", "response"])
def test_mean_and_fano_factor_of_counts_are_those_stated(fano, level, name):
    noisy = nr.ResponseNoise(fano_factor=fano, peak_count=PEAK, seed=3).transform(constant(level, name))
    counts = noisy[name].values.ravel() * PEAK
    events = level * PEAK / fano  # of the Poisson process
    assert counts.mean() == pytest.approx(level * PEAK, abs=5 * fano * np.sqrt(events / DRAWS))
    bound = 5 * np.sqrt((2 + 1 / events) / DRAWS + 1 / (events * DRAWS))  # standard error of variance, and of the mean
    assert counts.var() / counts.mean() == pytest.approx(fano, rel=bound)
    assert (counts >= 0).all()
    assert np.allclose(counts / fano, np.rint(counts / fano), atol=1e-3)


def test_no_response_has_no_noise():
    assert (nr.ResponseNoise(seed=1).transform(constant(0.0))["energy"] == 0).all()


def test_noise_does_not_depend_on_order_subset_or_blocks(tmp_path):
    faces, bank, pool = nr.example("StimulusSet"), nr.V1Bank([1.0, 2.0]), nr.PooledEnergy(size=4)
    noise = nr.ResponseNoise(seed=5)
    whole = bank.transform(faces, pool=pool, noise=noise)
    plain = bank.transform(faces, pool=pool)
    assert nr.identical(noise.transform(plain), whole)
    chosen = [9, 2, 5]
    part = noise.transform(plain.isel(stimulus=chosen))
    assert (part["energy"].values == whole["energy"].values[chosen]).all()
    streamed = bank.transform(faces, pool=pool, noise=noise, block=3, out=tmp_path / "noisy.nc")
    assert nr.identical(streamed, whole)
    assert whole.attrs["seed"] == 5
    assert json.loads(whole.attrs["parameters"])["ResponseNoise.transform"]["fano_factor"] == 1.5
    assert whole.attrs["pool"] == plain.attrs["pool"]
    assert nr.PooledEnergy(size=4).fit(whole).transform(whole).sizes["feature"] == 256


def test_seeds_repeats_and_stimuli_are_independent():
    seen = constant(1.0)
    drawn = [
        nr.ResponseNoise(seed=seed, repeat=repeat).transform(seen)["energy"].values.reshape(2, -1)
        for seed, repeat in ((1, 0), (1, 1), (2, 0))
    ]
    every = np.concatenate(drawn)
    correlation = np.corrcoef(every)[np.triu_indices(len(every), 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(DRAWS / 2)


def test_rectified_simple_cells_have_noise_and_signed_ones_an_error():
    faces, bank = nr.example("StimulusSet"), nr.V1Bank([1.0, 2.0])
    noise = nr.ResponseNoise(seed=1)
    noisy = bank.responses(faces, rectify=True, noise=noise)
    assert nr.identical(noisy, noise.transform(bank.responses(faces, rectify=True)))
    with pytest.raises(ValueError, match="rectify=True with noise"):
        bank.responses(faces, noise=noise)
    with pytest.raises(ValueError, match=r"response of 0 or more.*got -.*rectify=True"):
        noise.transform(bank.responses(faces))


def test_errors_of_noise():
    with pytest.raises(TypeError, match="seed"):
        nr.ResponseNoise()
    with pytest.raises(ValueError, match="fano_factor: needed more than 0"):
        nr.ResponseNoise(seed=1, fano_factor=0)
    with pytest.raises(ValueError, match="peak_count: needed more than 0"):
        nr.ResponseNoise(seed=1, peak_count=-1)
    with pytest.raises(TypeError, match="repeat: needed a whole number"):
        nr.ResponseNoise(seed=1, repeat=0.5)
    with pytest.raises(TypeError, match=r"nr\.ResponseNoise\(seed=…\); got 1\.5"):
        nr.V1Bank([1.0, 2.0]).transform(nr.example("StimulusSet"), noise=1.5)
    with pytest.raises(nr.schema.SchemaError, match="not a valid V1Response"):
        nr.ResponseNoise(seed=1).transform(nr.example("Features"))


def test_noise_comes_once_and_not_without_limit():
    seen = nr.example("V1Response")
    noisy = nr.ResponseNoise(seed=1).transform(seen)
    with pytest.raises(ValueError, match="without noise.*repeat"):
        nr.ResponseNoise(seed=2).transform(noisy)
    with pytest.raises(ValueError, match="fano_factor of at least"):
        nr.ResponseNoise(seed=1, fano_factor=1e-13)
