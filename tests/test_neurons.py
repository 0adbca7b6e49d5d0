import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim import provenance
from nrsim.errors import SchemaError
from nrsim.neurons import brian, simulation, targets
from nrsim.neurons.noise import Noise

STILL = {"variability": "none", "warm_up": 0.0}


def steady(currents, seconds=1.0, n_stimuli=1, start=0.0, row=0.01) -> xr.Dataset:
    """A Drive: one neuron a current, held for some time."""
    time = (start + np.arange(round(seconds / row)) * row).round(9)
    current = np.broadcast_to(np.asarray(currents, dtype=float)[None, :, None], (n_stimuli, len(currents), len(time)))
    dataset = xr.Dataset(
        {"current": (("stimulus", "neuron", "time"), current.copy(), {"units": "nA"})},
        {
            "stimulus_id": ("stimulus", [f"stimulus-{i}" for i in range(n_stimuli)]),
            "neuron_id": ("neuron", [f"neuron-{i}" for i in range(len(currents))]),
            "time": ("time", time, {"units": "s"}),
        },
    )
    return provenance.stamp(dataset, "Drive", "steady", stimulus_onset=0.0, stimulus_duration=seconds)


@pytest.fixture(scope="module")
def drive() -> xr.Dataset:
    return nr.present(nr.example("FaceCode"))


@pytest.fixture(scope="module")
def recording(drive) -> xr.Dataset:
    return nr.simulate(drive, nr.AdaptiveLIF(), trials=5, seed=1)


def spikes_of(recording) -> dict[tuple, tuple]:
    """The spike times of each presentation and neuron, by labels."""
    out = {}
    for s, stimulus in zip(recording["stimulus"].values, recording["stimulus_id"].values, strict=True):
        for n, neuron in zip(recording["neuron"].values, recording["neuron_id"].values, strict=True):
            for trial in recording["trial"].values:
                mine = (
                    (recording["spike_stimulus"] == s)
                    & (recording["spike_trial"] == trial)
                    & (recording["spike_neuron"] == n)
                )
                out[str(stimulus), int(trial), str(neuron)] = tuple(recording["spike_time"].values[mine.values])
    return out


def test_firing_rate_follows_the_analytic_curve():
    currents = np.array([0.14, 0.1505, 0.16, 0.2, 0.3, 0.5])
    neurons = nr.AdaptiveLIF(noise=0.0, adaptation=0.0)
    run = nr.simulate(steady(currents, 4.0), neurons, trials=1, seed=1, dt=0.0005, **STILL)
    measured = run["spike_count"].sum(("time", "stimulus", "trial")).values / 4.0
    with np.errstate(invalid="ignore"):
        expected = 1 / (0.002 + 0.02 * np.log(currents / (currents - 0.15)))
    expected[0] = 0.0
    np.testing.assert_allclose(measured, expected, rtol=0.02, atol=0.3)


def test_no_two_spikes_within_the_refractory_period():
    neurons = nr.AdaptiveLIF(refractory=0.005, adaptation=0.0)
    run = nr.simulate(steady([100.0]), neurons, trials=2, seed=1, **STILL)
    intervals = np.diff(run["spike_time"].values[run["spike_trial"].values == 0])
    np.testing.assert_allclose(intervals, 0.005, atol=1e-9)


def test_adaptation_lengthens_the_intervals_to_the_closed_form():
    """At the steady state of the adapted neuron, v goes from reset to rheobase once an interval."""
    neurons = nr.AdaptiveLIF(noise=0.0, adaptation=0.02, refractory=0.0005)
    run = nr.simulate(steady([0.4], 3.0), neurons, trials=1, seed=1, dt=0.0005, **STILL)
    interval = np.diff(run["spike_time"].values)
    assert interval[0] < interval[5] < interval[-1]
    tau, tau_w, period = 0.02, 0.1, interval[-100:].mean()
    w = 0.02 / -np.expm1(-period / tau_w)
    spill = w * tau_w / (tau_w - tau) * (np.exp(-period / tau_w) - np.exp(-period / tau))
    assert 0.4 * -np.expm1(-period / tau) - spill == pytest.approx(0.15, rel=0.02)


def test_noise_of_the_membrane_has_its_stationary_spread_at_any_step():
    """Rate units without saturation are the same Ornstein-Uhlenbeck process, seen through their firing rate."""
    neurons = nr.RateUnits(max_firing_rate=1e6, half_current=1e4, threshold_current=0.0, noise=5.0, time_constant=0.01)
    for dt in (0.005, 0.001):
        run = nr.simulate(steady([1.0] * 40, row=0.005), neurons, trials=10, seed=1, dt=dt, bin=dt, **STILL)
        x = run["firing_rate"].values[..., 5:]
        assert x.mean() == pytest.approx(100.0, abs=0.3)
        assert x.std() == pytest.approx(5.0, rel=0.03)
        lag = round(0.01 / dt)
        correlation = np.mean((x[..., lag:] - 100) * (x[..., :-lag] - 100)) / x.var()
        assert correlation == pytest.approx(np.exp(-1), abs=0.03)


def test_rate_does_not_hang_on_the_step():
    """With noise, a threshold seen only between steps would lose a tenth of the spikes at 1 ms."""
    rates = [
        float(
            nr.simulate(steady([0.1] * 50, 2.0), nr.AdaptiveLIF(), trials=8, seed=1, dt=dt, variability="none")[
                "spike_count"
            ].sum()
        )
        for dt in (0.001, 0.00025)
    ]
    assert rates[0] == pytest.approx(rates[1], rel=0.04)


def test_rate_units_follow_a_step():
    drive = steady([0.0])
    drive["current"][:, :, 20:] = 0.3
    neurons = nr.RateUnits(noise=0.0, max_firing_rate=100, threshold_current=0.1, half_current=0.2, time_constant=0.02)
    run = nr.simulate(drive, neurons, trials=1, seed=1, bin=0.001, **STILL)
    since = run["time_bin_end"].values - 0.2
    expected = np.where(since > 0, 50 * -np.expm1(-np.clip(since, 0, None) / 0.02), 0.0)
    np.testing.assert_allclose(run["firing_rate"].values[0, 0, 0], expected, atol=1e-3)
    wide = nr.simulate(drive, neurons, trials=1, seed=1, bin=0.02, **STILL)["firing_rate"].values[0, 0, 0]
    np.testing.assert_allclose(wide, expected.reshape(-1, 20).mean(1), atol=1e-3)


def test_default_neurons_fire_like_those_of_am():
    """Rates, timing and Fano factors of 193 AM neurons (Freiwald & Tsao 2010), broadly; 40 that prefer one face."""
    code = nr.example("FaceCode").isel(stimulus=[0, 3], neuron=[0] * 40)  # its norm and its prototype
    code = code.assign_coords(neuron_id=("neuron", [f"neuron-{i}" for i in range(40)]))
    counts = nr.simulate(nr.present(code), nr.AdaptiveLIF(), trials=30, seed=1)["spike_count"]
    window = counts.sel(time=slice(0.07, 0.37)).sum("time")
    mean = window.mean("trial").mean("neuron").values
    fano = window.var("trial", ddof=1).mean("neuron").values / mean
    assert float(counts.sel(time=slice(-0.1, 0.05)).mean()) / 0.01 == pytest.approx(4.4, abs=0.6)
    assert 18 < mean[1] / 0.3 < 23
    assert 0.85 < fano[0] < 1.2 < 1.4 < fano[1] < 2.0
    course = counts.isel(stimulus=1).mean(("trial", "neuron")).values / 0.01
    assert 24 < course.max() < 32
    assert 0.12 < counts["time"].values[course.argmax()] < 0.15


def test_counts_are_the_spikes(drive, recording):
    nr.schema.check(recording, "Recording")
    edges = np.append(recording["time_bin_start"], recording["time_bin_end"][-1])
    assert 0.0 in edges
    rows = [recording[f"spike_{dim}"].values for dim in ("stimulus", "trial", "neuron")]
    shape = recording["spike_count"].shape
    counted, _ = np.histogramdd(
        np.stack([*rows, recording["spike_time"].values], 1), [*(np.arange(n + 1) - 0.5 for n in shape[:3]), edges]
    )
    np.testing.assert_array_equal(recording["spike_count"].values, counted)
    assert recording.sizes["spike"] > 100
    assert recording["spike_count"].dtype == np.int16
    for name in set(drive.coords) - {"time"}:
        assert recording[name].identical(drive[name].assign_coords(recording[name].coords))
    assert recording.attrs["code_target"] == "numpy"
    assert recording.attrs["seed"] == 1
    assert recording.attrs["simultaneous"] == 1
    assert recording.attrs["brian2_version"]
    assert recording.attrs["stimulus_duration"] == 0.3


def test_bins_lie_on_time_zero_and_hold_no_more_than_the_drive():
    run = nr.simulate(steady([1.0], 0.5, start=-0.13), nr.AdaptiveLIF(), trials=1, seed=1, bin=0.05)
    np.testing.assert_allclose(run["time_bin_start"], np.arange(-0.1, 0.31, 0.05), atol=1e-9)
    assert run.sizes["spike"] == int(run["spike_count"].sum())


@pytest.mark.parametrize("neurons", [nr.AdaptiveLIF(), nr.RateUnits()], ids=["spikes", "rates"])
def test_the_same_seed_and_any_block_give_the_same(drive, neurons):
    first = nr.simulate(drive, neurons, trials=3, seed=1)
    assert nr.identical(first, nr.simulate(drive, neurons, trials=3, seed=1, block=11))
    other = nr.simulate(drive, neurons, trials=3, seed=2)
    name = "spike_count" if neurons.spiking else "firing_rate"
    assert not np.array_equal(first[name], other[name])


def test_a_part_in_another_order_is_the_same(drive, recording):
    part = drive.isel(stimulus=[9, 2, 4], neuron=[1, 0])
    again = nr.simulate(part, nr.AdaptiveLIF(), trials=2, seed=1)
    counts = recording["spike_count"].isel(stimulus=[9, 2, 4], neuron=[1, 0], trial=slice(0, 2))
    np.testing.assert_array_equal(again["spike_count"], counts)
    everything = spikes_of(recording)
    for label, times in spikes_of(again).items():
        assert times == everything[label]


def test_numbers_that_survive_selection_are_kept(drive):
    numbered = drive.assign_coords(stimulus=("stimulus", 10 + np.arange(14), {"units": "1"}))
    run = nr.simulate(numbered.isel(stimulus=[3, 1]), nr.AdaptiveLIF(), trials=1, seed=1)
    assert run["stimulus"].values.tolist() == [13, 11]
    assert set(run["spike_stimulus"].values) <= {11, 13}
    nr.schema.check(run, "Recording")


def test_private_and_shared_gain():
    """Shared gain makes neurons vary together from trial to trial, private gain does not."""
    neurons = nr.RateUnits(noise=0.0, max_firing_rate=1e6, half_current=1e4, threshold_current=0.0)
    drive = steady([1.0] * 30, 0.1)
    correlations = []
    for gains in ({"private_gain_sd": 0.2, "shared_gain_sd": 0.0}, {"private_gain_sd": 0.2, "shared_gain_sd": 0.2}):
        run = nr.simulate(drive, neurons, trials=200, seed=1, variability=nr.Variability(latency_sd=0.0, **gains))
        response = run["firing_rate"].values[0, :, :, -1] / 100
        spread = np.hypot(gains["private_gain_sd"], gains["shared_gain_sd"])
        assert response.mean() == pytest.approx(1.0, abs=0.05)
        assert np.log(response).std() == pytest.approx(spread, rel=0.1)
        correlations.append(np.corrcoef(response.T)[np.triu_indices(30, 1)].mean())
    assert correlations[0] == pytest.approx(0.0, abs=0.02)
    assert correlations[1] == pytest.approx(0.5, abs=0.1)


def test_latencies_differ_between_neurons_by_whole_steps():
    drive = steady([0.0] * 200, 0.4, row=0.001)
    drive["current"][:, :, 200:] = 1.0
    run = nr.simulate(
        drive, nr.RateUnits(noise=0.0), trials=1, seed=1, bin=0.001, variability=nr.Variability(0.0, latency_sd=0.02)
    )
    began = (run["firing_rate"].values[0, 0] > 0).argmax(-1) - 200
    assert abs(began).max() <= 40
    assert began.mean() == pytest.approx(0, abs=4)
    assert began.std() == pytest.approx(20, abs=3.5)


def test_nothing_global_changes(drive):
    brian2 = brian.load()
    np.random.seed(5)  # noqa: NPY002
    before = (
        np.random.get_state()[1].copy(),  # noqa: NPY002
        signal.getsignal(signal.SIGINT),
        sys.excepthook,
        dict(brian2.prefs),
        float(brian2.defaultclock.dt),
        brian2.BrianLogger.console_handler.level,
        len(brian2.magic_network.objects),
    )
    nr.simulate(drive, nr.AdaptiveLIF(), trials=1, seed=1, progress=True)
    np.testing.assert_array_equal(before[0], np.random.get_state()[1])  # noqa: NPY002
    assert before[1:] == (
        signal.getsignal(signal.SIGINT),
        sys.excepthook,
        dict(brian2.prefs),
        float(brian2.defaultclock.dt),
        brian2.BrianLogger.console_handler.level,
        len(brian2.magic_network.objects),
    )


def test_importing_brian2_leaves_the_process_as_it_was(tmp_path):
    script = """
import signal, sys, tempfile, warnings, os
import nrsim as nr
drive = nr.example("Drive")
neurons, simulate = nr.AdaptiveLIF(), nr.simulate
assert "brian2" not in sys.modules
before = signal.getsignal(signal.SIGINT), sys.excepthook, warnings.showwarning, warnings.filters[:]
simulate(drive, neurons, trials=1, seed=1, progress=True)
assert before == (signal.getsignal(signal.SIGINT), sys.excepthook, warnings.showwarning, warnings.filters[:])
assert "brian2" in sys.modules
assert not [name for name in os.listdir(tempfile.gettempdir()) if name.startswith("brian")]
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)},
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("handler", ["python", "brian2"])
def test_ctrl_c_gives_no_half_recording(drive, recording, monkeypatch, handler):
    brian2 = brian.load()
    previous = signal.getsignal(signal.SIGINT)
    if handler == "brian2":  # as when the user imported Brian2 first
        signal.signal(signal.SIGINT, brian2._int_handler)
    at = Noise.at

    def interrupted(self, step):
        if step == 50:
            signal.raise_signal(signal.SIGINT)
        return at(self, step)

    try:
        with monkeypatch.context() as patch:
            patch.setattr(Noise, "at", interrupted)
            with pytest.raises(KeyboardInterrupt):
                nr.simulate(drive, nr.AdaptiveLIF(), trials=5, seed=1)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert not brian2.Network._globally_running
    assert nr.identical(recording, nr.simulate(drive, nr.AdaptiveLIF(), trials=5, seed=1))


def test_a_run_that_brian2_stopped_is_no_recording(drive, monkeypatch):
    brian2 = brian.load()
    at = Noise.at

    def stopped(self, step):
        if step == 50:
            brian2.stop()
        return at(self, step)

    monkeypatch.setattr(Noise, "at", stopped)
    with pytest.raises(KeyboardInterrupt, match="stopped before its end"):
        nr.simulate(drive, nr.AdaptiveLIF(), trials=1, seed=1)


@pytest.mark.skipif(not targets.has_compiler(), reason="no C++ compiler")
def test_cython_gives_the_same_spikes(drive, recording):
    run = nr.simulate(drive, nr.AdaptiveLIF(), trials=5, seed=1, target="cython")
    assert run.attrs["code_target"] == "cython"
    assert nr.identical(recording, run.assign_attrs(code_target="numpy"))


def test_target_by_size_of_the_job(monkeypatch):
    monkeypatch.setattr(targets, "has_compiler", lambda: True)
    monkeypatch.setattr(targets, "has_make", lambda: True)
    assert targets.choose_target("auto", targets.CPP - 1) == "numpy"
    assert targets.choose_target("auto", targets.CPP) == "cpp_standalone"
    assert targets.choose_target("auto", targets.WARM_CYTHON, warm=True) == "cython"
    assert targets.choose_target("auto", targets.WARM_CYTHON - 1, warm=True) == "numpy"
    monkeypatch.setattr(targets, "has_compiler", lambda: False)
    monkeypatch.setattr(targets, "has_make", lambda: False)
    assert targets.choose_target("auto", targets.CPP, warm=True) == "numpy"
    with pytest.raises(ValueError, match="a C.. compiler for target='cython'"):
        targets.choose_target("cython", 1)
    with pytest.raises(ValueError, match="and make for target='cpp_standalone'"):
        targets.choose_target("cpp_standalone", 1)


def test_parameters_take_quantities_and_are_checked():
    brian2 = brian.load()
    neurons = nr.AdaptiveLIF(time_constant=15 * brian2.ms, noise=40 * brian2.pamp)
    assert neurons.get_params() == pytest.approx(nr.AdaptiveLIF(time_constant=0.015, noise=0.04).get_params())
    assert nr.RateUnits(max_firing_rate=80 * brian2.Hz).max_firing_rate == 80.0
    with pytest.raises(ValueError, match="time_constant: needed more than 0 s; got -0.02"):
        nr.AdaptiveLIF(time_constant=-0.02)
    with pytest.raises(TypeError, match="refractory: needed a quantity in s"):
        nr.AdaptiveLIF(refractory=2 * brian2.nA)
    with pytest.raises(ValueError, match="a reset below the rheobase"):
        nr.AdaptiveLIF(reset=0.2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"trials": 0}, ValueError, "trials: needed at least 1; got 0"),
        ({"seed": 1.5}, TypeError, "seed: needed a whole number; got 1.5"),
        ({"seed": None}, TypeError, "seed: needed a whole number; got None"),
        ({"bin": 0.0105}, ValueError, "a bin that is a multiple of dt; got bin = 0.0105 s"),
        ({"bin": 5.0}, ValueError, "a drive that covers at least one bin"),
        ({"dt": 0.005}, ValueError, "no longer than refractory = 0.002 s; got dt = 0.005 s. Use dt=0.001"),
        ({"dt": 0.0003}, ValueError, "a step of the drive that is a multiple of dt; got 0.001 s"),
        ({"target": "cyton"}, ValueError, "unknown target 'cyton'; nearest: 'cython'"),
        ({"variability": "AMM"}, ValueError, "AM"),
        ({"block": 0}, ValueError, "block: needed at least 1; got 0"),
        ({"trials": 10**9}, MemoryError, "GB of memory for 14 stimuli .* 1000000000 trials"),
        ({"neurons": nr.AdaptiveLIF}, TypeError, r"Write AdaptiveLIF\(\)"),
    ],
)
def test_bad_options_are_named(drive, options, error, message):
    wanted = {"neurons": nr.AdaptiveLIF(), "trials": 2, "seed": 1} | options
    with pytest.raises(error, match=message):
        nr.simulate(drive, **wanted)


def test_bad_drives_are_named(drive):
    with pytest.raises(SchemaError, match="says it is a FaceCode"):
        nr.simulate(nr.example("FaceCode"), nr.AdaptiveLIF(), trials=1, seed=1)
    broken = drive.copy(deep=True)
    broken["current"][0, 1, 2] = np.nan
    with pytest.raises(SchemaError, match=r"current: needed finite values.*\(0, 1, 2\)"):
        nr.simulate(broken, nr.AdaptiveLIF(), trials=1, seed=1)
    with pytest.raises(ValueError, match="a drive at even times"):
        nr.simulate(drive.isel(time=[0, 1, 5]), nr.AdaptiveLIF(), trials=1, seed=1)
    with pytest.raises(ValueError, match="at least one stimulus, neuron and time; got the sizes"):
        nr.simulate(drive.isel(neuron=[]), nr.AdaptiveLIF(), trials=1, seed=1)
    with pytest.raises(TypeError, match="seed"):
        nr.simulate(drive, nr.AdaptiveLIF(), trials=1)


def test_too_large_a_job_says_what_it_needs(drive, monkeypatch):
    monkeypatch.setattr(simulation, "_memory", lambda: 100_000)
    with pytest.raises(MemoryError, match=r"needed about \d+\.\d GB of memory .*; got 0\.0 GB\. Write to a file"):
        nr.simulate(drive, nr.AdaptiveLIF(), trials=20, seed=1)


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: nr.Variability(private_gain_sd=-1), ValueError, "private_gain_sd: needed at least 0; got -1"),
        (lambda: nr.Variability(latency_sd="late"), TypeError, "latency_sd"),
        (
            lambda: nr.simulate(nr.example("Drive"), nr.AdaptiveLIF(), trials=1, seed=1, variability=nr.Variability),
            TypeError,
            r"Write nr.Variability\(\)",
        ),
    ],
)
def test_variability_is_refused_with_what_came(make, kind, said):
    with pytest.raises(kind, match=said):
        make()
