import numpy as np
import pytest

import nrsim as nr
from nrsim.neurons.recurrent import Pool

QUIET = {"variability": "none", "trials": 1, "seed": 3}


@pytest.fixture(scope="module")
def drive():
    return nr.present(nr.example("FaceCode"), duration=0.2, after=0.05)


def test_a_pool_is_the_closed_form_of_a_step():
    pool, dt, tau = Pool(2, 0.5, 0.03, 4, 0.001), 0.001, 0.03
    level = np.array([pool.after(np.array([10.0, 0.0])) for _ in range(60)])
    since = np.clip(np.arange(60) + 1 - 4, 0, None)
    np.testing.assert_allclose(level[:, 0], 5.0 * -np.expm1(-since * dt / tau), atol=1e-12)
    assert not level[:, 1].any()


def test_rate_units_settle_where_rate_and_inhibition_agree(drive):
    held = drive.assign(current=drive["current"] * 0 + 0.3)
    held["current"].attrs["units"] = "nA"
    model = nr.Recurrent(nr.RateUnits(noise=0.0), inhibition=0.005, delay=0.0)
    run = nr.simulate(held, model, warm_up=1.0, record="inhibition", **QUIET)
    rate = run["firing_rate"].values[..., -1]
    above = 0.3 - 0.005 * rate - 0.032
    np.testing.assert_allclose(rate, 100 * above / (above + 0.42), rtol=1e-6)
    np.testing.assert_allclose(run["inhibition"].values[..., -1], 0.005 * rate, rtol=1e-6)
    assert run["inhibition"].attrs["units"] == "nA"


def test_the_recorded_inhibition_is_that_of_the_spikes(drive):
    model = nr.Recurrent(nr.AdaptiveLIF(), inhibition=0.004, time_constant=0.02, delay=0.005)
    run = nr.simulate(drive, model, trials=2, seed=1, bin=0.001, warm_up=0.0, record="inhibition")
    mean = run["spike_count"].values.mean(axis=2) / 0.001
    keep, level = np.exp(-0.001 / 0.02), np.zeros(mean.shape[:2])
    expected = np.zeros(mean.shape)
    for step in range(mean.shape[-1]):
        expected[..., step] = 0.004 * level
        arrived = mean[..., step - 5] if step >= 5 else 0.0
        level = keep * level + (1 - keep) * arrived
    np.testing.assert_allclose(run["inhibition"].values[:, :, 0], expected, rtol=1e-5, atol=1e-9)
    assert run["inhibition"].values[:, :, 0].max() > 0


@pytest.mark.parametrize("neurons", [nr.LIF(), nr.AdaptiveLIF(), nr.RateUnits()], ids=lambda m: type(m).__name__)
def test_no_inhibition_is_the_model_itself_to_the_bit(drive, neurons):
    plain = nr.simulate(drive, neurons, trials=2, seed=1)
    none = nr.simulate(drive, nr.Recurrent(neurons, inhibition=0.0), trials=2, seed=1)
    main = "spike_count" if neurons.spiking else "firing_rate"
    np.testing.assert_array_equal(plain[main], none[main])
    less = nr.simulate(drive, nr.Recurrent(neurons, inhibition=0.02), trials=2, seed=1)
    assert float(less[main].sum()) < float(plain[main].sum())


@pytest.mark.parametrize("neurons", [nr.AdaptiveLIF(), nr.RateUnits()], ids=lambda m: type(m).__name__)
def test_block_workers_order_and_other_stimuli_do_not_matter(drive, neurons):
    model = nr.Recurrent(neurons, inhibition=0.02)
    main = "spike_count" if neurons.spiking else "firing_rate"
    whole = nr.simulate(drive, model, trials=3, seed=1)
    for options in ({"block": 1}, {"block": 5}, {"workers": 2, "block": 7}):
        np.testing.assert_array_equal(nr.simulate(drive, model, trials=3, seed=1, **options)[main], whole[main])
    turned = nr.simulate(drive.isel(stimulus=slice(None, 3, -1), neuron=[1, 0]), model, trials=3, seed=1)
    np.testing.assert_array_equal(turned[main], whole[main].isel(stimulus=slice(None, 3, -1), neuron=[1, 0]))


def test_cython_gives_the_same_spikes(drive):
    model = nr.Recurrent(nr.AdaptiveLIF(), inhibition=0.02)
    first, second = (nr.simulate(drive, model, trials=2, seed=1, target=target) for target in ("numpy", "cython"))
    np.testing.assert_array_equal(first["spike_time"], second["spike_time"])


def test_parameters_that_vary_are_labels_and_the_history_names_all(drive):
    model = nr.Recurrent(nr.LIF(rheobase=(0.1, 0.2)))
    run = nr.simulate(drive, model, **QUIET)
    np.testing.assert_array_equal(run["rheobase"], [0.1, 0.2])
    assert '"class": "Recurrent"' in run.attrs["parameters"] and '"class": "LIF"' in run.attrs["parameters"]


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: nr.Recurrent(nr.LIF), TypeError, r"Write nr.LIF\(\)"),
        (lambda: nr.Recurrent(nr.AdEx()), TypeError, "needed neurons driven by a current alone"),
        (lambda: nr.Recurrent(nr.LIF(), inhibition=-1), ValueError, "inhibition: needed at least 0"),
        (lambda: nr.Recurrent(nr.LIF(), time_constant=0), ValueError, "time_constant: needed more than 0"),
    ],
)
def test_bad_models(make, kind, said):
    with pytest.raises(kind, match=said):
        make()


def test_what_does_not_fit_is_said(drive):
    with pytest.raises(ValueError, match="delay of the pool that is a multiple of dt; got delay = 0.0025"):
        nr.simulate(drive, nr.Recurrent(nr.LIF(), delay=0.0025), **QUIET)
    with pytest.raises(ValueError, match="pool's time_constant = 0.0005"):
        nr.simulate(drive, nr.Recurrent(nr.LIF(), time_constant=0.0005), **QUIET)
    with pytest.raises(ValueError, match="neurons that act on each other; got 'cpp_standalone'"):
        nr.simulate(drive, nr.Recurrent(nr.LIF()), target="cpp_standalone", **QUIET)
