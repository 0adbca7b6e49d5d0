"""Each model against a closed form or an integration by SciPy, and parameters that vary from neuron to neuron."""

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad, solve_ivp
from scipy.special import erfcx

import nrsim as nr
from nrsim import provenance

STILL = {"variability": "none", "warm_up": 0.0}


def held(currents, seconds, row=0.01) -> xr.Dataset:
    time = (np.arange(round(seconds / row)) * row).round(9)
    current = np.broadcast_to(np.asarray(currents, dtype=float)[None, :, None], (1, len(currents), len(time)))
    data = xr.Dataset(
        {"current": (("stimulus", "neuron", "time"), current.copy(), {"units": "nA"})},
        {
            "stimulus_id": ("stimulus", ["held"]),
            "neuron_id": ("neuron", [f"neuron-{i}" for i in range(len(currents))]),
            "time": ("time", time, {"units": "s"}),
        },
    )
    return provenance.stamp(data, "Drive", "held", stimulus_onset=0.0, stimulus_duration=seconds)


def rate_of(run, seconds) -> np.ndarray:
    return run["spike_count"].sum(("time", "stimulus")).mean("trial").values / seconds


def test_lif_without_noise_follows_the_analytic_curve():
    currents = np.array([0.14, 0.1505, 0.16, 0.2, 0.3, 0.5])
    run = nr.simulate(held(currents, 4.0), nr.LIF(noise=0.0), trials=1, seed=1, dt=0.0005, **STILL)
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(1 / (0.002 + 0.02 * np.log(currents / (currents - 0.15))))
    np.testing.assert_allclose(rate_of(run, 4.0), expected, rtol=0.02, atol=0.3)


def test_lif_with_noise_follows_siegert():
    """Siegert's integral for white noise; σ of v without a threshold is its σ/√2."""
    currents, noise = np.array([0.08, 0.12, 0.16, 0.22]), 0.05
    drive = held(currents, 5.0)
    run = nr.simulate(drive, nr.LIF(noise=noise), trials=40, seed=1, dt=0.0001, variability="none")
    expected = []
    for current in currents:
        low, high = (0.0 - current) / (noise * np.sqrt(2)), (0.15 - current) / (noise * np.sqrt(2))
        expected.append(1 / (0.002 + 0.02 * np.sqrt(np.pi) * quad(lambda u: erfcx(-u), low, high)[0]))
    np.testing.assert_allclose(rate_of(run, 5.0), expected, rtol=0.03)


@pytest.mark.parametrize("dt", [0.002, 0.0005])
def test_membrane_is_an_ornstein_uhlenbeck_process_at_any_step(dt):
    model = nr.LIF(noise=0.05, rheobase=100.0)
    run = nr.simulate(held([0.1] * 200, 1.0), model, trials=5, seed=2, dt=dt, record="v", record_step=0.01, **STILL)
    v = run["v"].values
    assert run["v"].attrs["units"] == "nA"
    assert v.mean() == pytest.approx(0.1, abs=0.001)
    assert v.std() == pytest.approx(0.05, rel=0.01)
    for lag in (1, 2, 5):
        product = np.mean((v[..., lag:] - 0.1) * (v[..., :-lag] - 0.1)) / 0.05**2
        assert product == pytest.approx(np.exp(-lag * 0.01 / 0.02), abs=0.015)


def test_refractory_period_bounds_the_rate():
    run = nr.simulate(held([1e5], 1.0), nr.LIF(refractory=0.004), trials=1, seed=1, dt=0.001, **STILL)
    np.testing.assert_allclose(np.diff(run["spike_time"].values), 0.004, atol=1e-9)


@pytest.mark.parametrize("current", [0.2, 0.4])
def test_adex_agrees_with_scipy(current):
    model = nr.AdEx(noise=0.0, refractory=0.0001)
    run = nr.simulate(held([current], 1.0), model, trials=1, seed=1, dt=0.0001, **STILL)
    p = model.get_params()

    def slope(_, y):
        v, w = y
        soft = p["leak"] * p["sharpness"] * np.exp((v - p["threshold"]) / p["sharpness"])
        dv = (-p["leak"] * (v - p["rest"]) + soft - w * 1e3 + current * 1e3) / p["capacitance"]
        return dv * 1e3, (p["adaptation"] * (v - p["rest"]) * 1e-3 - w) / p["adaptation_time"]

    def peak(_, y):
        return y[0] - p["peak"]

    peak.terminal = True
    first = nr.simulate(held([current], 0.02), model, trials=1, seed=1, dt=0.0001, record=["v", "w"], **STILL)
    y, t, times = [float(first["v"][0, 0, 0, 0]), float(first["w"][0, 0, 0, 0])], 0.0, []
    while t < 1.0:
        done = solve_ivp(slope, (t, 1.0), y, events=peak, rtol=1e-9, atol=1e-9, max_step=1e-3)
        if not len(done.t_events[0]):
            break
        t = float(done.t_events[0][0])
        times.append(t)
        y = [p["reset"], float(done.y_events[0][0][1]) + p["spike_adaptation"]]
        t += p["refractory"]
    assert run.sizes["spike"] == pytest.approx(len(times), abs=max(1, 0.02 * len(times)))
    assert len(times) > 5
    n = min(5, len(times))
    np.testing.assert_allclose(run["spike_time"].values[:n], times[:n], rtol=0.02, atol=3e-4)


def test_conductances_pull_the_membrane_where_they_should():
    model = nr.ConductanceLIF(excitation_noise=0.0, inhibition_noise=0.0)
    p = model.get_params()
    run = nr.simulate(held([0.0, 0.05, -0.1], 0.5), model, trials=1, seed=1, dt=0.0005, record="v", **STILL)
    quiet = run["spike_count"].sum(("stimulus", "trial", "time")).values == 0
    assert quiet.any()
    for neuron, current in enumerate((0.0, 0.05, -0.1)):
        if not quiet[neuron]:
            continue
        g_e = p["excitation"] + max(current, 0) * 1e3 / (p["excitatory_reversal"] - p["threshold"])
        g_i = p["inhibition"] + max(-current, 0) * 1e3 / (p["threshold"] - p["inhibitory_reversal"])
        pulled = p["leak"] * p["rest"] + g_e * p["excitatory_reversal"] + g_i * p["inhibitory_reversal"]
        expected = pulled / (p["leak"] + g_e + g_i)
        assert float(run["v"][0, 0, neuron, -1]) == pytest.approx(expected, abs=0.05)


def test_convergence_in_dt():
    """Halving the step of AdEx with noise changes the rate by little."""
    rates = [
        rate_of(nr.simulate(held([0.3] * 20, 1.0), nr.AdEx(), trials=4, seed=1, dt=dt, variability="none"), 1.0).mean()
        for dt in (0.0002, 0.0001)
    ]
    assert rates[0] > 5
    assert rates[0] == pytest.approx(rates[1], rel=0.04)


def test_noise_agrees_in_distribution_with_brian2s_own():
    from brian2 import Network, NeuronGroup, SpikeMonitor, amp, ms, nA, second, seed

    from nrsim.neurons import brian

    run = nr.simulate(held([0.12] * 400, 1.0), nr.LIF(), trials=1, seed=1, dt=0.0001, **STILL)
    counts = run["spike_count"].sum("time").values.ravel()
    with brian.guest("numpy"):
        seed(3)
        group = NeuronGroup(
            400,
            "dv/dt = (0.12*nA - v)/(20*ms) + 0.05*nA*sqrt(2/(20*ms))*xi : amp (unless refractory)",
            threshold="v >= 0.15*nA",
            reset="v = 0*nA",
            refractory=2 * ms,
            method="euler",
            dt=0.1 * ms,
            namespace={"nA": nA, "ms": ms},
        )
        group.v = np.minimum(0.12 + 0.05 * np.random.default_rng(0).standard_normal(400), 0.14) * 1e-9 * amp
        monitor = SpikeMonitor(group)
        Network(group, monitor).run(1 * second, namespace={})
        theirs = np.asarray(monitor.count)
    assert counts.mean() == pytest.approx(theirs.mean(), rel=0.08)  # theirs misses crossings between steps
    assert counts.var() == pytest.approx(theirs.var(), rel=0.35)


def test_parameters_vary_by_neuron_and_travel():
    spread = {"distribution": "lognormal", "median": 0.15, "sigma": 0.2}
    drive = held([0.2] * 6, 0.5)
    whole = nr.simulate(drive, nr.LIF(rheobase=spread), trials=2, seed=1)
    part = nr.simulate(drive.isel(neuron=[4, 1]), nr.LIF(rheobase=spread), trials=2, seed=1)
    np.testing.assert_array_equal(part["spike_count"], whole["spike_count"].isel(neuron=[4, 1]))
    np.testing.assert_array_equal(part["rheobase"], whole["rheobase"].isel(neuron=[4, 1]))
    assert whole["rheobase"].attrs["units"] == "nA"
    assert len(set(whole["rheobase"].values)) == 6
    values = xr.DataArray([0.1, 0.15, 0.2, 0.25, 0.3, 0.35], dims="neuron")
    listed = nr.simulate(drive, nr.LIF(rheobase=values, noise=0.0), trials=1, seed=1, variability="none")
    rates = listed["spike_count"].sum(("stimulus", "trial", "time")).values
    assert (np.diff(rates) <= 0).all()
    assert rates[0] > 0
    assert rates[-1] == 0


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: nr.LIF(rheobase=[0.1, 0.2]), ValueError, "one value for each of the 3 neurons; got 2"),
        (
            lambda: nr.LIF(noise={"distribution": "normal", "mean": 0.0, "sd": 1.0}),
            ValueError,
            "noise of at least 0",
        ),
        (lambda: nr.LIF(reset=0.2), ValueError, "reset below the rheobase"),
        (lambda: nr.LIF(rheobase="big"), TypeError, "rheobase: needed a number in nA"),
        (lambda: nr.AdEx(peak=-80), ValueError, "reset below peak; got reset -65, peak -80"),
        (lambda: nr.LIF(time_constant={"distribution": "lognorm", "median": 1}), ValueError, "'lognormal'"),
    ],
)
def test_bad_parameters(make, kind, message):
    with pytest.raises(kind, match=message):
        nr.simulate(held([0.1] * 3, 0.1), make(), trials=1, seed=3)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"record": "u"}, ValueError, "unknown state variable in record 'u'"),
        ({"record": {"v": ["neuron-9"]}}, ValueError, "nearest: 'neuron-"),
        ({"record": "v", "record_step": 0.0015}, ValueError, "record_step that is a multiple of dt"),
        ({"record_step": 0.01}, ValueError, "Name a state variable"),
        ({"record": []}, ValueError, "at least one state variable"),
    ],
)
def test_bad_records(options, kind, message):
    with pytest.raises(kind, match=message):
        nr.simulate(held([0.1] * 3, 0.1), nr.LIF(), trials=1, seed=3, **options)


def test_state_variables_are_labelled_and_sampled_at_their_times():
    drive = held([0.1, 0.14], 0.2)
    run = nr.simulate(
        drive, nr.LIF(noise=0.0), trials=2, seed=1, record={"v": ["neuron-1"]}, record_step=0.005, variability="none"
    )
    assert run["v"].dims == ("stimulus", "trial", "recorded", "sample")
    assert run["recorded_neuron_id"].values.tolist() == ["neuron-1"]
    np.testing.assert_allclose(run["sample_time"], np.arange(40) * 0.005)
    np.testing.assert_allclose(run["v"], 0.14, rtol=1e-5)
