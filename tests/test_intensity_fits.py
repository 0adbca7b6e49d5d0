import collections

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim import provenance
from nrsim.tuning import models
from nrsim.tuning.fits import choose

WINDOW = (0.1, 0.4)
BOTH = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
POSITIVE = (0.0, 0.25, 0.5, 0.75, 1.0)
SHAPES = {
    "constant": lambda x: 12.0 + 0 * x,
    "line": lambda x: 15 + 20 * x,
    "ramp": lambda x: 5 + 20 * np.maximum(x, 0),
    "V": lambda x: 5 + 20 * np.abs(x),
}


def rate_recording(levels, shapes, trials=4, seed=None):
    """One curve; a neuron for each shape (a function of intensity, in Hz). With a seed: Poisson counts in 300 ms."""
    x = np.array(levels)
    rate = np.stack([shape(x) for shape in shapes], 1)[:, None, :, None]
    rate = np.broadcast_to(rate, (len(x), trials, len(shapes), 1))
    if seed is not None:
        rate = np.random.default_rng(seed).poisson(np.maximum(rate, 0) * 0.3) / 0.3
    data = xr.Dataset(
        {"firing_rate": (("stimulus", "trial", "neuron", "time"), np.array(rate), {"units": "Hz"})},
        {
            "stimulus_id": ("stimulus", [f"happy{value}" for value in levels]),
            "expression": ("stimulus", ["happy"] * len(x)),
            "intensity": ("stimulus", x, {"units": "1"}),
            "neuron_id": ("neuron", [f"cell-{i}" for i in range(len(shapes))]),
            "time": ("time", [0.25], {"units": "s"}),
            "time_bin_start": ("time", [0.1], {"units": "s"}),
            "time_bin_end": ("time", [0.4], {"units": "s"}),
        },
    )
    for dim in ("stimulus", "trial", "neuron"):
        data.coords[dim] = (dim, np.arange(data.sizes[dim]), {"units": "1"})
    return provenance.stamp(data, "Recording", "test", stimulus_duration=0.3, simultaneous=1)


def fit(recording, **settings):
    return nr.fit_intensity_response(recording, window=WINDOW, by="expression", **({"n_bootstrap": 20} | settings))


def test_noiseless_shapes_are_recovered_exactly():
    fits = fit(rate_recording(BOTH, list(SHAPES.values()))).isel(expression=0)
    assert list(fits["preferred_model"].values) == list(SHAPES)
    for neuron, (name, shape) in enumerate(SHAPES.items()):
        one = fits.isel(neuron=neuron).sel(model=name)
        assert float(one["slope"]) == pytest.approx(0.0 if name == "constant" else 20.0, abs=1e-9)
        np.testing.assert_allclose(one["predicted"], shape(fits["intensity_fine"].values))
        np.testing.assert_allclose([one["slope_low"], one["slope_high"]], float(one["slope"]), atol=1e-9)
        if name != "constant":
            assert float(one["cv_score"]) == pytest.approx(1.0)
    assert float(fits["rho"][1]) == pytest.approx(1.0)
    assert np.isnan(fits["rho"][0])


def test_poisson_neurons_get_their_shape_where_both_signs_were_shown():
    names = ["constant", "line", "ramp", "V"]
    found = {name: collections.Counter() for name in names}
    recording = rate_recording(BOTH, [SHAPES[name] for name in names for _ in range(30)], trials=40, seed=1)
    preferred = fit(recording)["preferred_model"].values.ravel()
    for i, model in enumerate(preferred):
        found[names[i // 30]][str(model)] += 1
    for name in names:
        wrong = sum(n for model, n in found[name].items() if model not in (name, "undecided"))
        assert found[name][name] >= 22, found
        assert wrong <= 6, found


def test_one_sign_cannot_tell_line_ramp_and_v_apart():
    fits = fit(rate_recording(POSITIVE, [SHAPES["ramp"], SHAPES["constant"]], trials=20, seed=2)).isel(expression=0)
    assert list(fits["preferred_model"].values) == ["not identifiable", "constant"]
    score = fits["cv_score"].isel(neuron=0)
    np.testing.assert_allclose(score.sel(model=["ramp", "V"]), score.sel(model="line"))
    np.testing.assert_allclose(fits["slope"].sel(model=["ramp", "V"]), fits["slope"].sel(model=["line", "line"]))


@pytest.mark.parametrize(
    ("x", "differ"),
    [((-1, 0, 1), True), ((-1, 1, 2), True), ((-1, 1), False), ((0, 0.5, 1), False), ((-1, -0.5, 0), False)],
)
def test_when_shapes_differ(x, differ):
    assert models.shapes_differ(np.array(x, dtype=float)) is differ


def test_undecided_needs_more_than_one_standard_error():
    folds = np.array([0.0, 0.1, -0.1, 0.05, -0.05])
    error = np.stack([folds + 5, folds + 1.0, 1.001 + folds[::-1], folds + 3])[:, :, None]
    assert choose(error, np.array([True])) == ["undecided"]
    error[1] -= 0.5
    assert choose(error, np.array([True])) == ["line"]
    assert choose(error, np.array([False])) == ["not identifiable"]
    error[0] = error[1] + 0.01 * np.array([1, -1, 2, -2, 0.1])[:, None]
    assert choose(error, np.array([True])) == ["constant"]


def test_scores_do_not_depend_on_offset_and_scale():
    recording = rate_recording(BOTH, list(SHAPES.values()), trials=10, seed=3)
    moved = recording.assign(firing_rate=(7 + 3 * recording["firing_rate"]).assign_attrs(units="Hz"))
    one, two = fit(recording), fit(moved)
    np.testing.assert_allclose(two["cv_score"], one["cv_score"], atol=1e-10)
    np.testing.assert_allclose(two["slope_low"], 3 * one["slope_low"], atol=1e-9)
    assert (two["preferred_model"] == one["preferred_model"]).all()


def test_order_of_trials_stimuli_and_neurons_does_not_matter():
    recording = rate_recording(BOTH, list(SHAPES.values()), trials=10, seed=3)
    rng = np.random.default_rng(0)
    order = {dim: rng.permutation(recording.sizes[dim]) for dim in ("stimulus", "trial", "neuron")}
    one, two = fit(recording), fit(recording.isel(order))
    back = two.isel(neuron=np.argsort(order["neuron"]))
    for name in one.data_vars:
        if name == "preferred_model":
            assert (back[name].values == one[name].values).all()
        else:
            np.testing.assert_allclose(back[name], one[name], atol=1e-6, err_msg=str(name))


def test_slope_interval_covers_the_truth():
    fits = fit(rate_recording(BOTH, [SHAPES["line"]] * 150, trials=8, seed=4), n_bootstrap=300)
    line = fits.sel(model="line")
    covered = ((line["slope_low"] <= 20) & (line["slope_high"] >= 20)).mean()
    assert 0.88 < float(covered) < 0.99


class TestNakaRushton:
    def test_known_parameters_are_recovered(self):
        def shape(x):
            return 4 + 30 * np.abs(x) ** 2.5 / (np.abs(x) ** 2.5 + 0.45**2.5)

        fits = fit(rate_recording(BOTH, [shape])).isel(expression=0, neuron=0)
        positive = fits.sel(branch="positive")
        for name, value in {"baseline": 4.0, "maximum": 30.0, "exponent": 2.5, "half": 0.45}.items():
            assert float(positive[f"naka_rushton_{name}"]) == pytest.approx(value, rel=0.03)
        assert float(positive["naka_rushton_cv_score"]) > 0.999
        fine = fits["intensity_fine"].values
        np.testing.assert_allclose(fits["naka_rushton_predicted"][fine >= 0], shape(fine[fine >= 0]), atol=0.1)

    def test_too_few_intensities_on_one_side_are_nan(self):
        fits = fit(rate_recording(BOTH, [SHAPES["V"]])).isel(expression=0, neuron=0)
        assert np.isnan(fits["naka_rushton_half"].sel(branch="negative"))
        assert np.isfinite(fits["naka_rushton_half"].sel(branch="positive"))
        assert np.isnan(fits["naka_rushton_predicted"][fits["intensity_fine"].values < 0]).all()

    def test_a_falling_curve_gets_no_rise(self):
        c = np.linspace(0, 1, 6)
        fitted = models.fit_naka_rushton(c, np.ones((1, 6)), 20 - 10 * c[None], nonnegative=True)
        assert fitted.maximum[0] == 0.0
        assert fitted.baseline[0] == pytest.approx(15.0)

    def test_no_worse_than_a_general_optimiser(self):
        from scipy.optimize import curve_fit

        c = np.linspace(0, 1.25, 6)
        y = 5 + 20 * c**1.5 / (c**1.5 + 0.6**1.5) + np.random.default_rng(5).normal(0, 0.5, 6)

        def function(x, low, high, n, half):
            return low + high * x**n / (x**n + half**n)

        start = ([5, 20, 1.5, 0.6], ([0, 0, 0.5, 0.05 * 1.25], [50, 500, 8, 2.5]))
        best = ((function(c, *curve_fit(function, c, y, start[0], bounds=start[1])[0]) - y) ** 2).sum()
        fitted = models.fit_naka_rushton(c, np.ones((1, 6)), y[None], nonnegative=True)
        assert fitted.error[0] <= best * 1.02 + 1e-6
        assert fitted.error[0] == pytest.approx(((fitted.predict(c)[0] - y) ** 2).sum(), abs=1e-8)


def test_result_is_labelled_and_survives_netcdf(tmp_path):
    fits = nr.fit_intensity_response(nr.example("Recording"), window=WINDOW, n_bootstrap=20)
    fits.to_netcdf(tmp_path / "fits.nc", engine="h5netcdf")
    assert nr.identical(xr.load_dataset(tmp_path / "fits.nc", engine="h5netcdf"), fits)
    assert fits["cv_score"].dims == ("neuron", "domain", "expression", "model")
    assert fits["slope"].attrs["units"] == "Hz per unit"


def test_curves_never_shown_are_said_to_be():
    recording = nr.example("Recording").drop_dims("spike")
    keep = ~((recording["domain"] == "macaque") & (recording["expression"] == "angry")).values
    fits = nr.fit_intensity_response(recording.isel(stimulus=keep), window=WINDOW, n_bootstrap=5)
    lost = fits.sel(domain="macaque", expression="angry")
    assert (lost["preferred_model"] == "not shown").all()
    assert np.isnan(lost["slope"]).all()
    assert np.isnan(lost["predicted"]).all()


def test_single_repeats_still_give_an_answer():
    recording = nr.example("Recording").drop_dims("spike").isel(trial=[0])
    fits = nr.fit_intensity_response(recording, window=WINDOW, n_bootstrap=5)
    assert np.isfinite(fits["slope"].sel(model="line")).all()


def test_bad_settings():
    with pytest.raises(ValueError, match="folds: needed at least 2; got 1"):
        nr.fit_intensity_response(nr.example("Recording"), folds=1)
    with pytest.raises(ValueError, match="not a valid Recording"):
        nr.fit_intensity_response(nr.example("FaceCode"))
