import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.errors import SchemaError
from nrsim.neurons.brian import load
from nrsim.neurons.drive import low_pass


@given(st.floats(1e-3, 0.1), st.floats(1e-4, 2e-3))
def test_low_pass_of_a_step_is_exact(time_constant, dt):
    step = np.ones(200)
    np.testing.assert_allclose(
        low_pass(step, dt, time_constant), -np.expm1(-np.arange(200) * dt / time_constant), atol=1e-9
    )


def test_time_course_is_the_closed_form():
    code = nr.example("FaceCode")
    drive = nr.present(
        code, gain=0.2, baseline=0.1, latency=0.05, rise=0.01, sustained=0.5, adaptation=0.04, duration=0.3
    )
    since = drive["time"].values - 0.05
    on = -np.expm1(-np.clip(since, 0, 0.3) / 0.01) * np.exp(-np.clip(since - 0.3, 0, None) / 0.01)
    course = on * (0.5 + 0.5 * np.exp(-np.clip(since, 0, None) / 0.04))
    expected = 0.1 + 0.2 * code["activity"].values[:, :, None] * course
    np.testing.assert_allclose(drive["current"].values, expected, atol=1e-6)
    assert drive["time"].values[[0, -1]] == pytest.approx([-0.1, 0.499])


def test_labels_travel_and_the_drive_is_valid():
    code = nr.example("FaceCode")
    drive = nr.schema.check(nr.present(code), "Drive")
    for name in code.coords:
        assert name in drive.coords
        assert drive[name].identical(code[name])
    assert drive["current"].dtype == np.float32
    assert drive.attrs["stimulus_duration"] == 0.3
    assert drive.attrs["title"] == code.attrs["title"]


def test_activity_scales_and_permutes():
    code = nr.example("FaceCode")
    drive = nr.present(code, baseline=0.0)
    doubled = nr.present(code.assign(activity=code["activity"].assign_attrs(units="1") * 2), baseline=0.0)
    turned = nr.present(code.isel(stimulus=slice(None, None, -1), neuron=[1, 0]), baseline=0.0)
    np.testing.assert_allclose(doubled["current"], 2 * drive["current"], atol=1e-6)
    np.testing.assert_array_equal(turned["current"], drive["current"][::-1, ::-1])


def test_a_face_that_does_not_move_is_a_still_face():
    code = nr.example("FaceCode")
    still = nr.present(code)
    film = code.drop_vars("activity").assign_coords(frame_time=("frame", [0.0, 0.1, 0.2], {"units": "s"}))
    film["activity"] = code["activity"].expand_dims(frame=3, axis=1)
    np.testing.assert_allclose(nr.present(film)["current"], still["current"], atol=1e-6)


def test_a_moving_face_is_followed():
    code = nr.example("FaceCode")
    film = code.drop_vars("activity").assign_coords(frame_time=("frame", [0.0, 0.3], {"units": "s"}))
    film["activity"] = (("stimulus", "frame", "neuron"), np.zeros((14, 2, 2)), {"units": "1"})
    film["activity"][:, 1] = 1.0
    drive = nr.present(film, gain=1.0, baseline=0.0, latency=0.0, rise=0.001, sustained=1.0)
    middle = drive["current"].sel(time=[0.1, 0.2], method="nearest").values
    np.testing.assert_allclose(middle, np.broadcast_to([1 / 3, 2 / 3], middle.shape), atol=0.01)
    with pytest.raises(SchemaError, match="needed frame_time"):
        nr.present(film.drop_vars("frame_time"))


def test_brian2_quantities_are_accepted():
    brian2 = load()

    code = nr.example("FaceCode")
    with_units = nr.present(
        code, onset=0 * brian2.ms, duration=300 * brian2.ms, gain=140 * brian2.pamp, baseline=50 * brian2.pamp
    )
    np.testing.assert_allclose(with_units["current"], nr.present(code)["current"], rtol=1e-6)
    with pytest.raises(TypeError, match="duration: needed a quantity in s"):
        nr.present(code, duration=1 * brian2.nA)


def test_bad_input_is_named():
    code = nr.example("FaceCode")
    broken = code.copy(deep=True)
    broken["activity"][3, 1] = np.nan
    with pytest.raises(SchemaError, match=r"activity: needed finite values.*\(3, 1\)"):
        nr.present(broken)
    with pytest.raises(SchemaError, match="says it is a Features"):
        nr.present(nr.example("Features"))
    with pytest.raises(ValueError, match="duration: needed more than 0 s; got -0.1"):
        nr.present(code, duration=-0.1)
    with pytest.raises(ValueError, match="a duration that is a multiple of dt; got duration 0.0005 s"):
        nr.present(code, duration=0.0005)
    with pytest.raises(ValueError, match="sustained: needed at most 1"):
        nr.present(code, sustained=1.5)


def test_late_suppression_is_the_closed_form_and_takes_the_norm_away():
    code = nr.example("FaceCode")
    plain = nr.present(code, gain=1.0, baseline=0.0)["current"].values
    how = nr.LateSuppression(shared=1.0, early=0.2, delay=0.03, time_constant=0.01)
    drive = nr.present(code, gain=1.0, baseline=0.0, suppression=how)
    unit = code.assign(activity=code["activity"] * 0 + 1)
    p = nr.present(unit, gain=1.0, baseline=0.0)["current"].values[0, 0].astype(float)
    since = drive["time"].values - 0.098
    s = np.where(since > 0.03, -np.expm1(-(since - 0.03) / 0.01), 0.0)
    a = code["activity"].values[:, :, None]
    expected = p + 0.2 * a * p - s * np.clip(p - 0.8 * a * p, 0, None)
    np.testing.assert_allclose(drive["current"].values, expected, atol=2e-6)
    late = drive["time"].values.searchsorted(0.3)
    at_norm, at_prototype = np.abs(a[..., 0]) < 1e-12, np.isclose(a[..., 0], 1.0)
    assert np.abs(drive["current"].values[at_norm][:, late]).max() < 1e-4
    np.testing.assert_allclose(drive["current"].values[at_prototype][:, late], plain[at_prototype][:, late], rtol=1e-3)
    peak = drive["current"].values[at_norm].max()
    assert peak > 0.4


def test_without_suppression_nothing_changes_and_the_history_does_not_name_it():
    code = nr.example("FaceCode")
    first, second = nr.present(code), nr.present(code, suppression=None, slowing=0.0)
    assert nr.identical(first, second)
    assert "suppression" not in first.attrs["history"]
    assert "suppression" in nr.present(code, suppression=nr.LateSuppression()).attrs["history"]


def test_weak_responses_come_later_by_the_equation():
    code = nr.example("FaceCode")
    plain = nr.present(code, baseline=0.0)["current"].values
    slow = nr.present(code, baseline=0.0, slowing=0.04, slowing_activity=0.5)["current"].values
    for stimulus, neuron in np.ndindex(*code["activity"].shape):
        strength = abs(float(code["activity"][stimulus, neuron]))
        steps = round(0.04 / (1 + strength / 0.5) / 0.001)
        np.testing.assert_array_equal(slow[stimulus, neuron, steps:], plain[stimulus, neuron, : -steps or None])


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"suppression": nr.LateSuppression}, TypeError, r"Write nr.LateSuppression\(\)"),
        ({"suppression": 0.5}, TypeError, "needed suppression"),
        ({"slowing": -1}, ValueError, "slowing: needed at least 0"),
        ({"slowing": 0.01, "slowing_activity": 0}, ValueError, "slowing_activity: needed more than 0"),
    ],
)
def test_bad_dynamics(options, kind, said):
    with pytest.raises(kind, match=said):
        nr.present(nr.example("FaceCode"), **options)


def test_bad_suppression():
    with pytest.raises(ValueError, match="early: needed at most 1"):
        nr.LateSuppression(early=2)


def test_suppression_of_a_moving_face_is_that_of_a_still_one_and_neurons_do_not_mix():
    code = nr.example("FaceCode")
    options = {"suppression": nr.LateSuppression(), "slowing": 0.03}
    still = nr.present(code, **options)
    film = code.drop_vars("activity").assign_coords(frame_time=("frame", [0.0, 0.1, 0.2], {"units": "s"}))
    film["activity"] = code["activity"].expand_dims(frame=3, axis=1)
    np.testing.assert_allclose(nr.present(film, **options)["current"], still["current"], atol=1e-6)
    turned = nr.present(code.isel(stimulus=slice(None, None, -1), neuron=[1]), **options)
    np.testing.assert_array_equal(turned["current"], still["current"][::-1, [1]])


@pytest.mark.parametrize("slowing", [0.0, 0.02])
def test_a_population_in_several_domains_keeps_its_late_activity_and_loses_early_tuning(slowing):
    features = nr.example("Features")
    population = nr.NormPopulation(12, exponent=1.0, seed=1).fit(
        features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0}
    )
    code = population.transform(features)
    assert len(set(code["domain"].values)) > 1
    how = nr.LateSuppression(shared=float(np.abs(code["activity"]).max()) * 2, early=0.0)
    options = {"slowing": slowing, "gain": 1.0, "baseline": 0.0, "duration": 0.5}
    plain = nr.present(code, **options)
    drive = nr.present(code, suppression=how, **options)
    late = int(np.searchsorted(drive["time"].values, 0.45))
    np.testing.assert_allclose(drive["current"][..., late], plain["current"][..., late], atol=1e-5)
    if not slowing:
        early = int(np.searchsorted(drive["time"].values, 0.13))
        assert drive["current"][..., early].values.std() < 1e-6
