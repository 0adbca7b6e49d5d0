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
