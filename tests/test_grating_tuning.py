import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import nrsim as nr


def curve(along, x, *columns):
    """Responses ``(stimulus, cell)`` labelled ``along``."""
    values = np.stack([np.asarray(column, dtype=float) for column in columns], axis=1)
    return xr.DataArray(values, {along: ("stimulus", np.asarray(x, dtype=float))}, ("stimulus", "cell"))


def drifting(values, speeds, rate=24.0):
    """Responses ``(stimulus, frame)`` to gratings of the temporal frequencies ``speeds``."""
    values = np.atleast_2d(values)
    time = np.arange(values.shape[1]) / rate
    coords = {"temporal_frequency": ("stimulus", np.asarray(speeds, dtype=float)), "frame_time": ("frame", time)}
    return xr.DataArray(values, coords, ("stimulus", "frame"))


def test_harmonics_of_known_waves():
    t = np.arange(240) / 240
    wave = np.cos(2 * np.pi * 2 * t + 1)
    found = nr.harmonics(drifting([np.maximum(wave, 0), np.maximum(wave, 0) ** 2, 3 + wave, wave], [2.0] * 4, 240))
    ratio = found["modulation_ratio"].values
    assert ratio[:3] == pytest.approx([np.pi / 2, 16 / (3 * np.pi), 1 / 3], rel=2e-3)
    assert np.isnan(ratio[3])  # below 0, as no firing is
    assert found["first_harmonic"].values[2:] == pytest.approx([1, 1])
    assert found["mean"].values[2:] == pytest.approx([3, 0], abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 100), st.integers(0, 23))
def test_modulation_does_not_depend_on_scale_or_phase(scale, shift):
    wave = 1 + np.cos(2 * np.pi * np.arange(24) / 24)
    found = nr.harmonics(drifting(scale * np.roll(wave, shift), [1.0]))
    assert found["modulation_ratio"].item() == pytest.approx(1)
    assert found["first_harmonic"].item() == pytest.approx(scale)


def test_a_blank_is_looked_at_with_the_frequency_of_the_others():
    wave = 1 + np.cos(2 * np.pi * np.arange(24) / 24)
    found = nr.harmonics(drifting([wave, 0 * wave], [1.0, np.nan]))
    assert found["first_harmonic"].values == pytest.approx([1, 0])
    assert np.isnan(found["modulation_ratio"].values[1])
    assert np.isnan(nr.harmonics(drifting(wave, [np.nan]))["first_harmonic"].values[0])


def test_errors_of_harmonics():
    wave = np.ones(24)
    with pytest.raises(ValueError, match=r"whole number of cycles of 1\.5 Hz.*1\.5 cycles"):
        nr.harmonics(drifting(wave, [1.5]))
    with pytest.raises(ValueError, match="more than two frames a cycle"):
        nr.harmonics(drifting(wave, [12.0]))
    with pytest.raises(ValueError, match="'temporal_frequency' along stimulus"):
        nr.harmonics(drifting(wave, [1.0]).drop_vars("temporal_frequency"))
    with pytest.raises(ValueError, match="the dim 'frame'"):
        nr.harmonics(curve("grating_contrast", [0, 1], [1, 2]))
    with pytest.raises(TypeError, match="Take one variable"):
        nr.harmonics(drifting(wave, [1.0]).to_dataset(name="energy"))
    with pytest.raises(ValueError, match="finite responses"):
        nr.harmonics(drifting(wave * np.nan, [1.0]))


def test_orientation_tuning_of_a_von_mises_curve():
    # exp(k (cos 2δ − 1)) falls to half where cos 2δ = 1 − ln 2 / k; its circular variance is 1 − I1(k) / I0(k)
    from scipy.special import i0, i1

    x, k = np.arange(0, 180, 5), np.array([1.5, 3.0])
    curves = [np.exp(each * (np.cos(2 * np.deg2rad(x - 172.5)) - 1)) for each in k]
    found = nr.measure_tuning(curve("grating_orientation", x, *curves), along="grating_orientation")
    assert found["preferred"].values == pytest.approx(172.5, abs=0.1)
    for name, level, times in (("bandwidth", 2, 1), ("half_width", np.sqrt(2), 0.5)):
        width = times * np.degrees(np.arccos(1 - np.log(level) / k))
        assert found[name].values == pytest.approx(width, abs=0.1)
    assert found["circular_variance"].values == pytest.approx(1 - i1(k) / i0(k), abs=1e-6)


def test_direction_tuning_turns_once_in_360_degrees():
    x = np.arange(0, 360, 15)
    found = nr.measure_tuning(
        curve("grating_orientation", x, np.exp(3 * (np.cos(np.deg2rad(x - 200)) - 1))), along="grating_orientation"
    )
    assert found["preferred"].item() == pytest.approx(200, abs=0.2)
    assert found["bandwidth"].item() == pytest.approx(2 * np.degrees(np.arccos(1 - np.log(2) / 3)), abs=0.3)


def test_flat_and_silent_curves_have_no_width():
    x = np.arange(0, 180, 20)
    found = nr.measure_tuning(curve("grating_orientation", x, np.ones(9), np.zeros(9)), along="grating_orientation")
    assert np.isnan(found["bandwidth"].values).all()
    assert found["circular_variance"].values[0] == pytest.approx(1)
    assert np.isnan(found["preferred"].values[1])


def test_frequency_tuning_of_a_gaussian_over_octaves():
    x = 2.0 ** np.arange(-1, 4.1, 0.5)
    response = np.exp(-((np.log2(x) - 1.3) ** 2) / (2 * 0.6**2))
    found = nr.measure_tuning(curve("grating_frequency", x, response), along="grating_frequency")
    assert found["preferred"].item() == pytest.approx(2**1.3, rel=0.01)
    assert found["bandwidth"].item() == pytest.approx(1.2 * np.sqrt(2 * np.log(2)), abs=0.02)
    assert found["selectivity_ratio"].item() == pytest.approx(2 ** (-1.2 * np.sqrt(np.log(2))), abs=0.01)
    low_pass = nr.measure_tuning(curve("grating_frequency", x, 1 / x), along="grating_frequency")
    assert np.isnan(low_pass["bandwidth"].item())
    assert low_pass["high"].item() == pytest.approx(1, rel=0.02)


def test_size_tuning_with_and_without_suppression():
    x = 2.0 ** np.arange(-3, 3.1, 0.25)
    summed = 1 - np.exp(-((x / 0.5) ** 2))
    found = nr.measure_tuning(
        curve("grating_diameter", x, summed, summed / (1 + 0.5 * (1 - np.exp(-((x / 2) ** 2))))),
        along="grating_diameter",
    )
    plain, suppressed = (found.isel(cell=i) for i in (0, 1))
    assert plain["suppression_index"].item() == pytest.approx(0, abs=1e-6)
    assert plain["summation_diameter"].item() == pytest.approx(0.5 * np.sqrt(np.log(20)), rel=0.01)
    best = suppressed["preferred"].item()
    assert 0.6 < best < 1.2
    assert suppressed["summation_diameter"].item() < best < suppressed["surround_diameter"].item()
    peak = (1 - np.exp(-((best / 0.5) ** 2))) / (1 + 0.5 * (1 - np.exp(-((best / 2) ** 2))))
    assert suppressed["suppression_index"].item() == pytest.approx(1 - (1 / 1.5) / peak, abs=0.01)


def test_contrast_response_is_fitted_and_the_blank_counts():
    x = np.array([0, 0.0625, 0.125, 0.25, 0.5, 1])
    columns = [r + m * x**n / (x**n + c**n) for r, m, n, c in ((0, 1, 2, 0.3), (5, 40, 3, 0.15))]
    found = nr.measure_tuning(curve("grating_contrast", x, *columns), along="grating_contrast")
    assert found["exponent"].values == pytest.approx([2, 3], rel=0.02)
    assert found["semi_saturation"].values == pytest.approx([0.3, 0.15], rel=0.02)
    assert found["maximum"].values == pytest.approx([1, 40], rel=0.02)
    assert found["baseline"].values == pytest.approx([0, 5], abs=0.05)
    assert (found["explained_variance"].values > 0.9999).all()


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.floats(0.01, 1000))
def test_tuning_depends_neither_on_the_order_of_stimuli_nor_on_scale(random, scale):
    x = list(range(0, 180, 15))
    random.shuffle(x)
    response = np.exp(2 * (np.cos(2 * np.deg2rad(np.array(x) - 50)) - 1))
    found = nr.measure_tuning(curve("grating_orientation", x, scale * response), along="grating_orientation")
    assert found["preferred"].item() == pytest.approx(50, abs=0.5)
    assert found["bandwidth"].item() == pytest.approx(np.degrees(np.arccos(1 - np.log(2) / 2)), abs=0.5)


def test_curves_of_a_recording_are_measured_as_well():
    x = np.arange(0, 180, 10.0)
    rates = xr.DataArray(
        10 + 5 * np.cos(2 * np.deg2rad(x - 30))[None],
        {"grating_orientation": x, "neuron_id": ("neuron", ["a"])},
        ("neuron", "grating_orientation"),
        attrs={"units": "Hz"},
    )
    found = nr.measure_tuning(rates, along="grating_orientation")
    assert found["preferred"].dims == ("neuron",)
    assert found["circular_variance"].item() == pytest.approx(0.75)
    assert found["neuron_id"].item() == "a"


def test_errors_of_measuring():
    x = np.arange(0, 180, 30)
    good = curve("grating_orientation", x, np.ones(6))
    with pytest.raises(ValueError, match="nearest: 'grating_orientation'"):
        nr.measure_tuning(good, along="orientation_grating")
    with pytest.raises(ValueError, match="evenly spaced over 180 degrees"):
        nr.measure_tuning(good.isel(stimulus=[0, 1, 2, 4, 5]), along="grating_orientation")
    with pytest.raises(ValueError, match=r"once; got 30 more than once.*one series"):
        nr.measure_tuning(good.isel(stimulus=[0, 1, 1, 2, 3]), along="grating_orientation")
    with pytest.raises(ValueError, match="four or more"):
        nr.measure_tuning(good.isel(stimulus=[0, 2, 4]), along="grating_orientation")
    with pytest.raises(ValueError, match=r"0 or more; got -1.*Rectify"):
        nr.measure_tuning(-good, along="grating_orientation")
    with pytest.raises(ValueError, match="'grating_contrast' along the dim"):
        nr.measure_tuning(good, along="grating_contrast")
    with pytest.raises(ValueError, match="grating_frequency above 0"):
        nr.measure_tuning(curve("grating_frequency", [0, 1, 2, 3], np.ones(4)), along="grating_frequency")
    with pytest.raises(TypeError, match=r'seen\["energy"\]'):
        nr.measure_tuning(good.to_dataset(name="energy"), along="grating_orientation")
    with pytest.raises(ValueError, match="nearest: 'orientation bandwidth'"):
        nr.published_v1("orientation bandwith")
