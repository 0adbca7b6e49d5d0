import numpy as np
import pytest

import nrsim as nr
from nrsim.errors import SchemaError
from nrsim.readout.circuit import Circuit, run

RNG = np.random.default_rng(4)


def moving(frames=40, rate=60.0, neurons=2):
    code = nr.example("FaceCode").isel(neuron=list(range(neurons)))
    film = code.drop_vars("activity").assign_coords(
        frame_time=("frame", np.arange(frames) / rate, {"units": "s"}), baseline=("neuron", [0.1, 0.0][:neurons])
    )
    film["baseline"].attrs["units"] = "1"
    steps = RNG.normal(size=(14, frames, neurons)).cumsum(axis=1) * 0.1
    film["activity"] = (("stimulus", "frame", "neuron"), np.abs(steps), {"units": "1"})
    return film


def discrete(film, start="norm", **constants):
    circuit = Circuit(
        **{"tau_u": 3, "tau_v": 3, "tau_y": 15, "tau_d": 5, "inhibition": 0.8, "spared": 0.8, **constants}
    )
    s = film["activity"].values
    return run(s, circuit, film["baseline"].values if start == "norm" else s[:, 0])


@pytest.mark.parametrize("rate", [60.0, 15.0, 25.0])
@pytest.mark.parametrize("start", ["norm", "first"])
def test_with_a_step_of_a_frame_it_is_the_discrete_circuit(rate, start):
    film = moving(rate=rate)
    recording = nr.simulate_moving(film, seed=1, start=start, record=["v", "u_on", "u_off", "y", "D"])
    for name, stage in discrete(film, start).items():
        # what is stored is float32
        np.testing.assert_allclose(recording[name].values[:, 0], stage.transpose(0, 2, 1), rtol=2e-7, atol=1e-12)
    np.testing.assert_allclose(recording["firing_rate"], 100 * recording["D"].values, rtol=2e-7)
    assert recording["firing_rate"].values.max() > 1
    np.testing.assert_allclose(recording["time_bin_start"], film["frame_time"], atol=1e-8)


def test_it_is_what_read_out_over_time_reads():
    film = moving()
    said = nr.read_out_over_time(film, threshold=None)
    recording = nr.simulate_moving(film, seed=1, firing_rate=1.0)
    np.testing.assert_allclose(recording["firing_rate"].values[:, 0], said["D"].values.transpose(0, 2, 1), rtol=1e-6)


def test_a_finer_step_goes_to_the_differential_equations():
    film = moving()
    film["activity"][:] = 1.0
    film["baseline"][:] = 0.0
    errors = []
    for parts in (1, 4, 16):
        recording = nr.simulate_moving(film.isel(neuron=[0]), seed=1, dt=1 / 60 / parts, bin=1 / 60, record="v")
        t = recording["sample_time"].values
        errors.append(np.abs(recording["v"].values[0, 0, 0] + np.expm1(-t / 0.05)).max())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.15)


def test_the_length_of_a_frame_moves_the_time_constants():
    film = moving(rate=15.0)
    fast = nr.simulate_moving(film, seed=1, frame=1 / 45, dt=1 / 45, tau_v=1.0, record="v")
    slow = nr.simulate_moving(film, seed=1, dt=1 / 45, tau_v=1 / 3, record="v")
    np.testing.assert_allclose(fast["v"], slow["v"], rtol=1e-6)


def test_what_is_twice_as_strong_fires_twice_as_much():
    film = moving()
    film["baseline"][:] = 0.0
    doubled = film.assign(activity=(film["activity"].dims, 2 * film["activity"].values, {"units": "1"}))
    first, second = nr.simulate_moving(film, seed=1), nr.simulate_moving(doubled, seed=1)
    np.testing.assert_allclose(second["firing_rate"], 2 * first["firing_rate"], rtol=1e-6)


def test_blocks_order_and_targets_do_not_matter_and_noise_differs_between_trials():
    film = moving()
    options = {"seed": 1, "trials": 3, "noise": 0.02}
    whole = nr.simulate_moving(film, **options)["firing_rate"]
    np.testing.assert_array_equal(nr.simulate_moving(film, block=5, **options)["firing_rate"], whole)
    turned = nr.simulate_moving(film.isel(stimulus=slice(None, None, -1)), **options)["firing_rate"]
    np.testing.assert_array_equal(turned, whole[::-1])
    assert whole.std("trial").max() > 0
    same = nr.simulate_moving(film, seed=1, trials=2)["firing_rate"]
    np.testing.assert_array_equal(same[:, 0], same[:, 1])


def test_noise_has_the_deviation_stated():
    film = moving(frames=400)
    film["activity"][:] = 0.0
    film["baseline"][:] = 0.0
    one = nr.simulate_moving(film.isel(neuron=[0]), seed=1, trials=50, noise=0.1, inhibition=0.0, tau_d=20.0)
    d = one["firing_rate"].values[..., 200:] / 100
    # D is a rectified walk: reflected at 0 it is half-normal (standard deviation 0.1, mean 0.0798)
    assert d.mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.25)


@pytest.mark.parametrize(
    ("change", "options", "kind", "said"),
    [
        (lambda f: nr.example("FaceCode"), {}, ValueError, "moving faces.*got still ones"),
        (lambda f: f.drop_vars("frame_time"), {}, SchemaError, "needed frame_time"),
        (lambda f: f, {"dt": 0.01}, ValueError, "dt: a frame of 0.0166667 s or a whole fraction of it; got 0.01 s"),
        (lambda f: f, {"tau_y": 0.5}, ValueError, "no longer than tau_y"),
        (lambda f: f, {"inhibition": 20.0}, ValueError, "so that 2 neurons that inhibit each other settle"),
        (lambda f: f, {"start": "nrom"}, ValueError, "norm"),
        (lambda f: f, {"target": "cpp_standalone"}, ValueError, "act on each other"),
        (lambda f: f, {"warm_up": 0.1}, ValueError, "no warm_up"),
        (lambda f: f.isel(frame=[0, 1, 3]), {}, ValueError, "frames at even times"),
        (lambda f: f.assign_coords(encoder=("neuron", ["norm", "axis"])), {}, ValueError, "the neurons of one encoder"),
    ],
)
def test_bad_input(change, options, kind, said):
    with pytest.raises(kind, match=said):
        nr.simulate_moving(change(moving()), seed=1, **options)
