"""Equations of the user's own."""

import numpy as np
import pytest

import nrsim as nr

LEAKY = "dv/dt = (drive - v)/tau + sigma*sqrt(2/tau)*xi : amp (unless refractory)"
GIVEN = {
    "equations": LEAKY,
    "threshold": "v >= v_t",
    "reset": "v = 0*nA",
    "refractory": "2*ms",
    "namespace": {"tau": "20*ms", "sigma": "0.05*nA", "v_t": "0.15*nA"},
}


@pytest.fixture(scope="module")
def drive():
    return nr.present(nr.example("FaceCode"))


def test_a_lif_written_out_is_the_lif(drive):
    """Without noise and with the exact method, spike for spike."""
    mine = nr.CustomNeurons(**GIVEN | {"equations": "dv/dt = (drive - v)/tau : amp (unless refractory)"})
    options = {"trials": 2, "seed": 1, "dt": 0.0005, "variability": "none", "warm_up": 0.2}
    strong = drive.assign(current=(drive["current"] * 2).assign_attrs(units="nA"))
    run, built = nr.simulate(strong, mine, **options), nr.simulate(strong, nr.LIF(noise=0.0), **options)
    assert built.sizes["spike"] > 100
    np.testing.assert_allclose(run["spike_count"].sum("time"), built["spike_count"].sum("time"), atol=1)


def test_noise_written_out_is_the_noise_of_the_lif(drive):
    options = {"trials": 30, "seed": 1, "dt": 0.0002, "variability": "none"}
    run = nr.simulate(drive, nr.CustomNeurons(**GIVEN), **options)
    built = nr.simulate(drive, nr.LIF(), **options)
    # LIF corrects for crossings between steps
    assert run.sizes["spike"] == pytest.approx(built.sizes["spike"], rel=0.12)
    again = nr.simulate(drive, nr.CustomNeurons(**GIVEN), **options, block=7)
    assert nr.identical(run, again)


def test_variance_is_that_of_the_equations(drive):
    still = drive.assign(current=drive["current"] * 0)
    for equation, wanted in (
        ("dv/dt = -v/tau + 0*drive/tau + s*sqrt(2/tau)*xi : amp", 1.0),
        ("dv/dt = -v/tau + 0*drive/tau + s*sqrt(2/tau)*xi_a + s*sqrt(2/tau)*xi_b : amp", 2.0),
    ):
        mine = nr.CustomNeurons(equation, threshold="v > 1*amp", namespace={"tau": "20*ms", "s": "1*nA"})
        run = nr.simulate(still, mine, trials=30, seed=1, dt=0.0005, record="v", variability="none")
        assert run["v"].attrs["units"] == "A"
        late = run["v"].values[..., 5:]
        assert late.var() * 1e18 == pytest.approx(wanted / (1 - 0.0005 / 0.04), rel=0.08)


def test_firing_rate_instead_of_a_threshold(drive):
    units = nr.CustomNeurons(
        "dr/dt = (k*drive - r)/tau : Hz", firing_rate="r", namespace={"tau": "10*ms", "k": "100*Hz/nA"}
    )
    run = nr.simulate(drive, units, trials=1, seed=1, variability="none")
    assert "spike_count" not in run
    resting = run["firing_rate"].sel(time=slice(None, 0.05)).values
    np.testing.assert_allclose(resting[..., 1:], 5.0, rtol=1e-3)  # 0.05 nA


def test_values_by_neuron_and_draws(drive):
    from brian2 import ms

    mine = nr.CustomNeurons(
        **GIVEN
        | {
            "namespace": GIVEN["namespace"]
            | {"tau": [15, 30] * ms, "v_t": {"distribution": "normal", "mean": 0.15, "sd": 0.01, "unit": "nA"}},
            "initial": {"v": "0.1*nA*rand()"},
        }
    )
    run = nr.simulate(drive, mine, trials=2, seed=1)
    np.testing.assert_allclose(run["tau"], [0.015, 0.03])
    assert run["v_t"].attrs["units"] == "A"
    one = nr.CustomNeurons(**GIVEN | {"namespace": mine.namespace | {"tau": [30] * ms}, "initial": mine.initial})
    part = nr.simulate(drive.isel(neuron=[1]), one, trials=2, seed=1)
    np.testing.assert_array_equal(part["spike_count"], run["spike_count"].isel(neuron=[1]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"equations": LEAKY.replace("tau +", "tauu +")}, r'"tauu" could not be resolved.* \(in equations, line 1'),
        ({"equations": LEAKY.replace(": amp", ": volt")}, r"'drive' has unit A.*\(in equations, line 1"),
        ({"threshold": "v > 15*mV"}, r"different units.*\(in threshold: 'v > 15\*mV'\)"),
        ({"reset": "v = 0*mV"}, r"does not have the expected unit A.*\(in reset: 'v = 0\*mV'\)"),
        ({"reset": "v = v_r"}, r'"v_r" could not be resolved.*in reset'),
        ({"equations": "dv/dt = (drive - v/tau : amp"}, r"never closed.*in equations, line 1"),
        ({"equations": "dv/dt = -v/tau : amp"}, "needed equations with drive"),
        ({"threshold": ""}, "either a threshold, for neurons that spike, or a firing_rate; got neither"),
        ({"firing_rate": "1*Hz"}, "got both"),
        (
            {"namespace": GIVEN["namespace"] | {"tau": "20*mss"}},
            "unknown unit in namespace, tau 'mss'; nearest: '.*ms'",
        ),
        ({"namespace": GIVEN["namespace"] | {"tau": "0.1*ms"}}, "no longer than tau = 0.0001 s; got dt = 0.001 s"),
        ({"namespace": GIVEN["namespace"] | {"gain": 2}}, "names other than 'gain'"),
        ({"method": "eulr"}, "unknown integration method 'eulr'; nearest: 'euler'"),
        ({"initial": {"u": 3}}, r'no?t? find a state variable with name "u".*in initial, u'),
        ({"refractory": "2"}, "Refractory expression is dimensionless"),
        ({"refractory": -1}, "refractory: needed at least 0 s; got -1"),
        ({"refractory": True}, "refractory: a duration, a condition, or False; got True"),
        (
            {"threshold": "", "reset": "", "refractory": False, "firing_rate": "v"},
            r"expected unit hertz \(unit is A\).*\(in firing_rate: 'v'\)",
        ),
        (
            {"equations": LEAKY + "\nx = poisson(3) : 1 (constant over dt)"},
            r"equations with xi, rand\(\) and randn\(\) as its only noise; got poisson\(\.\.\.\)",
        ),
        ({"initial": {"v": "binomial(3, 0.5)*nA"}}, r"initial, v with xi.*got binomial"),
    ],
)
def test_mistakes_are_told_with_brian2s_words_and_the_place(drive, changed, message, capfd):
    with pytest.raises((ValueError, TypeError), match=message):
        nr.simulate(drive, nr.CustomNeurons(**GIVEN | changed), trials=1, seed=1)
    assert "WARNING" not in capfd.readouterr().err


def test_what_becomes_infinite_is_refused(drive):
    mine = nr.CustomNeurons(
        "dv/dt = (drive + v)/tau : amp", threshold="v > 1e300*amp", namespace={"tau": "0.5*ms"}, method="euler"
    )
    with pytest.raises(ValueError, match="a finite v at the end of the simulation; got inf or NaN"):
        nr.simulate(drive, mine, trials=1, seed=1, dt=0.0005)


def test_a_bare_refractory_period_is_in_seconds(drive):
    given, bare = (
        nr.simulate(drive, nr.CustomNeurons(**GIVEN | {"refractory": one}), trials=1, seed=1) for one in ("4*ms", 0.004)
    )
    assert given.sizes["spike"] > 0
    np.testing.assert_array_equal(given["spike_count"], bare["spike_count"])


def test_noise_that_a_variable_multiplies_is_solved_without_being_told_how(drive):
    """Geometric Brownian motion, in Stratonovich's sense as Heun's method has it, keeps the mean of log v."""
    walk = nr.CustomNeurons(
        "dv/dt = v*xi/tau**0.5 + 0*drive/(nA*tau) : 1",
        firing_rate="v*Hz",
        namespace={"tau": "1*second"},
        initial={"v": 1},
    )
    run = nr.simulate(drive, walk, trials=300, seed=1, record="v", warm_up=0.0, variability="none")
    log = np.log(run["v"].values[..., -1]).ravel()
    elapsed = float(run["sample_time"][-1] - run["sample_time"][0])
    assert log.mean() == pytest.approx(0.0, abs=4 * np.sqrt(elapsed / log.size))
    assert log.var() == pytest.approx(elapsed, rel=0.1)
