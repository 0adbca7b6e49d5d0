import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kurtosis, norm, skew

from nrsim import seeds
from nrsim.neurons.noise import Noise, element_keys, mix, normal, presentation_keys, quantile_table

N_KEYS, N_STEPS = 3000, 400


def _keys(seed: int, n_neurons: int = 50) -> np.ndarray:
    stimuli = np.array([f"stimulus-{i}" for i in range(N_KEYS // (n_neurons * 4))])
    presentations = presentation_keys(seed, stimuli, np.arange(4)).ravel()
    return element_keys(seed, presentations, np.array([f"neuron-{i}" for i in range(n_neurons)])).ravel()


@pytest.fixture(scope="module")
def draws() -> np.ndarray:
    noise = Noise(_keys(1))
    return np.array([noise.at(step) for step in range(N_STEPS)])


def _splitmix(value: int) -> int:
    mask = (1 << 64) - 1
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return value ^ (value >> 31)


@given(st.integers(0, 2**64 - 1), st.integers(-20, 10**7))
def test_agrees_with_whole_number_arithmetic(key, step):
    hashed = _splitmix((key + (step // 4 + 1) * 0x9E3779B97F4A7C15) % (1 << 64))
    expected = quantile_table()[(hashed >> (16 * (step % 4))) & 0xFFFF]
    keys = np.array([key], dtype=np.uint64)
    assert int(mix(keys)[0]) == _splitmix(key)
    assert normal(keys, step)[0] == expected
    assert Noise(keys).at(step)[0] == expected


def test_table_is_the_normal_distribution():
    table = quantile_table()
    assert np.all(np.diff(table) > 0)
    assert table.mean() == pytest.approx(0, abs=1e-12)
    assert table.var() == pytest.approx(1, abs=1e-12)
    probability = (np.arange(table.size) + 0.5) / table.size
    np.testing.assert_allclose(table, norm.ppf(probability), atol=1e-3)


def test_moments(draws):
    n = draws.size
    assert draws.mean() == pytest.approx(0, abs=4 / np.sqrt(n))
    assert draws.var() == pytest.approx(1, abs=4 * np.sqrt(2 / n))
    assert skew(draws, axis=None) == pytest.approx(0, abs=4 * np.sqrt(6 / n))
    assert kurtosis(draws, axis=None) == pytest.approx(0, abs=4 * np.sqrt(24 / n) + 2e-3)


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 5, 8])
def test_no_autocorrelation(draws, lag):
    product = draws[lag:] * draws[:-lag]
    assert product.mean() == pytest.approx(0, abs=4 / np.sqrt(product.size))


def test_no_correlation_between_neighbours_or_seeds(draws):
    other = Noise(_keys(2))
    seeds_apart = np.array([other.at(step) for step in range(N_STEPS)])
    for product in (
        draws[:, 1:] * draws[:, :-1],  # neighbouring neurons
        draws[:, 50:] * draws[:, :-50],  # the same neuron in the next trial
        draws[:, 200:] * draws[:, :-200],  # and for the next stimulus
        draws * seeds_apart,
        np.diff(draws**2, axis=0)[:, 1:] * (draws[1:, :-1] ** 2 - 1) / 2,
    ):
        assert product.mean() == pytest.approx(0, abs=4.5 * product.std() / np.sqrt(product.size))


def test_some_elements_are_as_in_all(draws):
    noise, few = Noise(_keys(1)), np.array([7, 2, 900])
    np.testing.assert_array_equal(noise.of(noise.keys[few], 13), draws[13, few])
    np.testing.assert_array_equal(noise.of(noise.keys, 13), draws[13])
    np.testing.assert_array_equal(noise.at(12), draws[12])


def test_keys_belong_to_labels_not_to_places():
    ids, neurons = np.array(["a", "b", "c"]), np.array(["x", "y"])
    whole = presentation_keys(3, ids, np.arange(5))
    np.testing.assert_array_equal(presentation_keys(3, ids[[2, 0]], np.arange(2)), whole[[2, 0], :2])
    elements = element_keys(3, whole[0], neurons)
    np.testing.assert_array_equal(element_keys(3, whole[0, 1:], neurons[::-1]), elements[1:, ::-1])
    everything = element_keys(3, whole.ravel(), neurons)
    assert len(np.unique(everything)) == everything.size
    assert not np.isin(everything, element_keys(4, presentation_keys(4, ids, np.arange(5)).ravel(), neurons)).any()
    assert seeds.key(3, "stimulus", "a") != seeds.key(3, "neuron", "a")
