import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import nrsim as nr
from nrsim.readout.circuit import Circuit, peak_after_step, run
from nrsim.readout.pools import pools_of

PUBLISHED = Circuit(tau_u=3, tau_v=3, tau_y=15, tau_d=5, inhibition=0.8, spared=0.8)
ONE = {"units": "1"}


def code_of(
    activity,
    prefers,
    *,
    at_prototype=None,
    baseline=0.0,
    curve="linear",
    exponent=None,
    encoder="mine",
    times=None,
    **labels,
):
    """Return a FaceCode with this activity (stimulus, [frame,] neuron); its encoder's name says nothing."""
    activity = np.asarray(activity, dtype=float)
    dims = ("stimulus", "frame", "neuron") if activity.ndim == 3 else ("stimulus", "neuron")
    code = nr.example("FaceCode").isel(stimulus=[0] * len(activity)).drop_dims(["stimulus", "neuron"])
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(len(activity))]),
        "neuron_id": ("neuron", [f"n{i}" for i in range(len(prefers))]),
        "encoder": ("neuron", np.resize(np.atleast_1d(encoder), len(prefers))),
        "prefers": ("neuron", list(prefers)),
    }
    for name, values in (("at_prototype", at_prototype), ("baseline", baseline), ("exponent", exponent)):
        if values is not None:
            coords[name] = ("neuron", np.resize(values, len(prefers)).astype(float), ONE)
    if curve is not None:
        coords["intensity_curve"] = ("neuron", np.resize(curve, len(prefers)))
    if times is not None:
        coords["frame_time"] = ("frame", times, {"units": "s"})
    for name, values in labels.items():
        numbers = np.asarray(values).dtype.kind in "fi"
        coords[name] = (("stimulus", "frame")[: np.ndim(values)], values, ONE if numbers else {})
    return code.assign(activity=(dims, activity, ONE)).assign_coords(coords)


# ---- still faces


def test_answers_on_a_case_worked_by_hand():
    # the weakest prototype drives its neuron by 2, so θ = 1
    code = code_of(
        [[1.5, 0.2], [0.9, 0.3], [0.5, 3.0], [1.0, 1.2]],
        ["happy", "angry"],
        at_prototype=[2.0, 4.0],
        intensity=[1.0] * 4,
    )
    said = nr.read_out(code)
    assert said.attrs["threshold"] == 1.0
    assert said["answer"].values.tolist() == ["happy", "neutral", "angry", "angry"]
    assert said["forced_answer"].values.tolist() == ["happy", "happy", "angry", "angry"]
    assert said["read_intensity"].values == pytest.approx([0.75, 0.45, 0.75, 0.3])
    assert said["margin"].values == pytest.approx([0.5, 0.1, 2.0, 0.2])  # θ is the next answer of the first two
    assert said["largest_activity"].values == pytest.approx([1.5, 0.9, 3.0, 1.2])
    assert said["intensity"].values.tolist() == [1.0] * 4  # the labels travel


def test_thresholds_as_numbers_and_none():
    code = code_of([[1.5, 0.2], [0.1, 0.3], [0.0, 0.0]], ["happy", "angry"], at_prototype=[1.0, 1.0])
    assert nr.read_out(code, threshold=1.6)["answer"].values.tolist() == ["neutral"] * 3
    assert nr.read_out(code, threshold=0.3)["answer"].values.tolist() == ["happy", "angry", "neutral"]
    never = nr.read_out(code, threshold=None)
    assert never["answer"].values.tolist() == [
        "happy",
        "angry",
        "neutral",
    ]  # nothing tells the last one's neurons apart
    assert never.attrs["threshold"] == "none"
    assert never["margin"].values == pytest.approx([1.3, 0.2, 0.0])
    assert nr.read_out(code)["margin"].values == pytest.approx([1.0, 0.2, 0.5])  # to θ = 0.5, though nothing differs


def test_a_neuron_that_prefers_neutral_competes():
    code = code_of([[0.6, 0.1, 0.8], [0.6, 0.1, 0.5]], ["happy", "angry", "neutral"], at_prototype=[1.0, 1.0, 1.0])
    said = nr.read_out(code)
    assert said["answer"].values.tolist() == ["neutral", "happy"]
    assert said["forced_answer"].values.tolist() == ["happy", "happy"]
    assert said["margin"].values == pytest.approx([0.2, 0.1])
    # its own prototype does not set the threshold
    weak = code.assign_coords(at_prototype=("neuron", [1.0, 2.0, 0.01], ONE))
    assert nr.read_out(weak).attrs["threshold"] == 0.5
    # before a movement the norm was seen, which is what it prefers: a face that stays neutral changes nothing
    stays = code_of(np.tile([0.0, 0.0, 1.0], (1, 30, 1)), code["prefers"].values, at_prototype=1.0, baseline=[0, 0, 1])
    assert float(nr.read_out_over_time(stays)["D"].max()) == 0.0
    alone = code_of([[0.3]], ["neutral"], at_prototype=[1.0])
    nobody = nr.read_out(alone, threshold=None)
    assert (nobody["answer"].item(), nobody["forced_answer"].item()) == ("neutral", "neutral")
    assert np.isnan(nobody["read_intensity"].item())


def test_neurons_that_prefer_the_same_speak_with_one_voice():
    code = code_of([[0.2, 0.9, 0.5, 7.0]], ["happy", "angry", "happy", ""], at_prototype=[1.0, 1.0, 3.0, 1.0])
    pools = pools_of(code, None, "neutral")
    assert pools.names == ["happy", "angry"]
    assert pools.activity == pytest.approx(np.array([[0.35, 0.9]]))
    assert pools.at_prototype == pytest.approx([2.0, 1.0])
    assert pools.neuron_ids == ["happy", "n1"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.1, 50.0))
def test_answers_do_not_depend_on_order_or_scale(seed, factor):
    rng = np.random.default_rng(seed)
    activity, at = rng.random((6, 4)), rng.uniform(0.2, 1.5, 4)
    names = np.array(["a", "b", "c", "d"])
    order = rng.permutation(4)
    said = nr.read_out(code_of(activity, names, at_prototype=at))
    again = nr.read_out(code_of(factor * activity[:, order], names[order], at_prototype=factor * at[order]))
    assert said["answer"].values.tolist() == again["answer"].values.tolist()
    assert again["read_intensity"].values == pytest.approx(said["read_intensity"].values)
    assert again["margin"].values == pytest.approx(factor * said["margin"].values)


def test_intensity_of_an_axis_starts_at_its_norm_and_of_an_exemplar_is_inverted():
    level = np.array([0.0, 0.25, 0.5, 1.0])
    axis = code_of((0.2 + 0.6 * level)[:, None], ["happy"], baseline=[0.2], at_prototype=[0.8])
    assert nr.read_out(axis, threshold=None)["read_intensity"].values == pytest.approx(level)
    assert nr.read_out(axis).attrs["threshold"] == pytest.approx(0.5)
    peak = np.exp(-((1 - level) ** 2) * 2.0)  # the norm is two widths away
    exemplar = code_of(peak[:, None], ["happy"], baseline=[np.exp(-2.0)], at_prototype=[1.0], curve="gaussian")
    assert nr.read_out(exemplar, threshold=None)["read_intensity"].values == pytest.approx(level)
    assert nr.read_out(exemplar)["answer"].values.tolist() == ["neutral", "neutral", "happy", "happy"]
    for curve in ("", None):  # whatever the encoder is called
        unknown = code_of(peak[:, None], ["happy"], at_prototype=[1.0], curve=curve, encoder="norm-of-mine")
        assert np.isnan(nr.read_out(unknown)["read_intensity"].values).all()
    with pytest.raises(ValueError, match="value of the label intensity_curve 'lineer'; nearest: 'linear'"):
        nr.read_out(code_of(peak[:, None], ["happy"], at_prototype=[1.0], curve="lineer"))


def fitted_code(encoder, features=None):
    """Return the code of the example's features, or of others, by an encoder that is fitted on the human head."""
    features = nr.example("Features") if features is None else features
    encoder.fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    return encoder.transform(features)


def test_the_curve_is_what_the_encoder_says_whatever_its_name():
    def half_way(difference, directions, lengths):
        return np.clip(difference @ directions.T / lengths, 0, None)

    silent = nr.read_out(fitted_code(nr.CustomEncoder(half_way, name="norm-like")))
    assert np.isnan(silent["read_intensity"].values).all()
    code = fitted_code(nr.CustomEncoder(half_way, name="mine", curve="linear"))
    shown = (code["intensity"] >= 0).values
    assert nr.read_out(code)["read_intensity"].values[shown] == pytest.approx(code["intensity"].values[shown])
    marked = nr.example("Features").assign_coords(landmark=("feature", [*"aabbccddeeff"]))
    squared = fitted_code(nr.NormEncoder("landmark", 3.0, "none"), marked)
    assert squared["intensity_curve"].values.tolist() == ["power"] * 2
    assert squared["exponent"].values.tolist() == [3.0] * 2
    assert nr.read_out(squared)["read_intensity"].values[shown] == pytest.approx(code["intensity"].values[shown])
    joined = nr.join_codes([code, squared, fitted_code(nr.ExemplarEncoder())])
    for name in ("mine", "norm", "exemplar"):
        read = nr.read_out(joined, encoder=name)["read_intensity"].values
        shown &= (code["domain"] == "human").values  # to the exemplars the other head is a place far off
        assert read[shown] == pytest.approx(code["intensity"].values[shown])
    mixed = {"distribution": "uniform", "low": 1.0, "high": 3.0}  # the mean of several powers is none
    population = nr.NormPopulation(8, rule="landmark", exponent=mixed, seed=1)
    assert np.isnan(nr.read_out(fitted_code(population, marked))["read_intensity"].values).all()


def test_neurons_that_are_silent_at_their_prototype_say_so():
    code = code_of([[0.0, 0.5]], ["happy", "angry"], at_prototype=[0.0, 1.0], encoder="norm-shuffled")
    with pytest.warns(UserWarning, match="no intensity is read of 'happy': the neurons of 'norm-shuffled'"):
        said = nr.read_out(code, threshold=0.1)
    assert said["read_intensity"].item() == 0.5
    random = fitted_code(nr.NormPopulation(60, directions="random", seed=1))
    assert np.isfinite(nr.read_out(random)["read_intensity"].values).all()


@pytest.mark.parametrize(
    "encoder",
    [
        nr.NormEncoder(scale="none"),
        nr.NormEncoder("linear"),
        nr.NormEncoder("rectified", 2.0),
        nr.NormEncoder("expressivity", neutral=True),
        nr.NormEncoder("projection", scale="none", threshold=0.5),
        nr.AxisEncoder(),
        nr.ExemplarEncoder(),
        nr.NormPopulation(n=80, seed=1),
    ],
    ids=lambda encoder: encoder.name,
)
def test_encoders_say_enough_to_read_intensity(encoder):
    """The example's faces lie on straight lines from the norm, so that intensity is read without error."""
    features = nr.example("Features")
    human = features.isel(stimulus=((features["domain"] == "human") & (features["intensity"] >= 0)).values)
    code = encoder.fit(human, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0}).transform(
        human
    )
    said = nr.read_out(code)
    shown = human["intensity"].values > 0
    assert said["read_intensity"].values[shown] == pytest.approx(human["intensity"].values[shown])
    assert (said["forced_answer"] == human["expression"]).values[shown].all()
    assert (said["answer"].values[~shown] == "neutral").all()


def test_a_face_at_the_threshold_is_expressive_whatever_is_rounded():
    third = code_of([[0.1 * 3, 0.0]], ["happy", "angry"], at_prototype=[0.6, 2.0])
    below = code_of([[0.3 * (1 - 1e-12), 0.0]], ["happy", "angry"], at_prototype=[0.6, 2.0])
    assert [nr.read_out(each)["answer"].item() for each in (third, below)] == ["happy", "happy"]


def test_directions_alone_carry_no_intensity():
    code = fitted_code(nr.NormEncoder("direction"))
    said = nr.read_out(code)
    shown = code["intensity"].values > 0
    assert (said["answer"] == code["expression"]).values[shown].all()
    assert np.isnan(said["read_intensity"].values).all()


def test_intensity_of_summed_powers_of_landmarks_is_their_root():
    code = code_of([[0.25 * 3], [3.0]], ["happy"], at_prototype=[3.0], curve="power", exponent=[2.0])
    said = nr.read_out(code)
    assert said["read_intensity"].values == pytest.approx([0.5, 1.0])
    assert said.attrs["threshold"] == pytest.approx(0.75)  # halfway, where a quarter of the activity is


def test_frames_are_answered_one_by_one():
    rng = np.random.default_rng(2)
    activity = rng.random((3, 5, 2))
    moving = code_of(activity, ["a", "b"], at_prototype=[1.0, 1.2], times=np.arange(5) / 10)
    flat = code_of(activity.reshape(15, 2), ["a", "b"], at_prototype=[1.0, 1.2])
    said, still = nr.read_out(moving), nr.read_out(flat)
    for name in ("answer", "margin", "read_intensity"):
        assert (said[name].values.ravel() == still[name].values).all()
    assert said["answer"].dims == ("stimulus", "frame")
    assert "frame_time" in said.coords


def test_errors_of_codes():
    code = code_of([[0.9, 0.1]], ["happy", "angry"])
    with pytest.raises(
        ValueError, match=r"the label at_prototype \(neuron\) .* code of the encoder 'mine' without.*Give a number"
    ):
        nr.read_out(code)
    with pytest.raises(ValueError, match=r"the label baseline \(neuron\) .*encoder 'exemplar' without"):
        nr.read_out(code_of([[0.9]], ["happy"], at_prototype=[1.0], baseline=None, encoder="exemplar"))
    with pytest.raises(ValueError, match="a code with neurons; got none"):
        nr.read_out(code.isel(neuron=[]))
    mixed = code_of([[0.9, 0.1]], ["happy", "happy"], at_prototype=[1.0, 1.0], encoder=["norm", "axis"])
    with pytest.raises(
        ValueError, match="neurons of one encoder; got those of 'norm', 'axis'. Choose one: encoder='norm'"
    ):
        nr.read_out(mixed)
    assert nr.read_out(mixed, encoder="norm")["largest_activity"].item() == 0.9
    with pytest.raises(ValueError, match="unknown encoder 'nrm'; nearest: 'norm'"):
        nr.read_out(mixed, encoder="nrm")
    with pytest.raises(ValueError, match="prefer something; got 2 whose label prefers is ''"):
        nr.read_out(code_of([[0.9, 0.1]], ["", ""]))
    with pytest.raises(ValueError, match="unknown threshold 'halv'; nearest: 'half'"):
        nr.read_out(code, threshold="halv")
    with pytest.raises(TypeError, match="threshold: needed one number"):
        nr.read_out(code, threshold=[0.5])
    with pytest.raises(TypeError, match="neutral: the answer"):
        nr.read_out(code, threshold=1, neutral="")
    with pytest.raises(ValueError, match="NaN"):
        nr.read_out(code_of([[0.9, np.nan]], ["happy", "angry"]), threshold=1)
    with pytest.raises(ValueError, match="not a valid FaceCode"):
        nr.read_out(nr.example("Features"))


# ---- the circuit


def test_step_of_activity_gives_the_series_of_geometric_terms():
    """With q = 1 − 1/τ: v = 1 − q^t; s − v = q^t is the drive of u, so that u = (t/τ) q^(t−1) while τ_u = τ_v."""
    t = np.arange(40)
    q = 2 / 3
    got = run(np.ones((40, 1)), PUBLISHED)
    assert got["v"][:, 0] == pytest.approx(1 - q**t)
    rise = t / 3 * q ** (t - 1.0)
    assert got["u_on"][:, 0] == pytest.approx(rise)
    assert (got["u_off"] == 0).all()
    r = 14 / 15
    change = [sum(r ** (now - 1 - k) * rise[k] / 15 for k in range(now)) for now in t]
    assert got["y"][:, 0] == pytest.approx(change)
    p = 1 - (1 + 0.8 * 0.2) / 5  # a neuron alone inhibits itself by w (1 − c)
    decision = [sum(p ** (now - 1 - k) * change[k] / 5 for k in range(now)) for now in t]
    assert got["D"][:, 0] == pytest.approx(decision)


def test_an_impulse_decays_as_a_geometric_series_and_its_fall_is_seen_later():
    s = np.zeros((60, 1))
    s[0] = 1.0
    got = run(s, PUBLISHED)
    assert got["v"][1:, 0] == pytest.approx((2 / 3) ** np.arange(59) / 3)
    assert got["u_on"][1:, 0] == pytest.approx((2 / 3) ** np.arange(59) / 3)
    fall = [sum((2 / 3) ** (now - 1 - k) * got["v"][k, 0] / 3 for k in range(1, now)) for now in range(60)]
    assert got["u_off"][:, 0] == pytest.approx(fall)


def test_change_adds_up_to_the_way_that_activity_went():
    """Summed over all time, y is τ_v times the distance that s travelled, however fast (τ_u, τ_y only spread it)."""
    rise = np.concatenate([np.linspace(0, 2, 30), np.full(400, 2.0)])
    fast = np.concatenate([[0.0], np.full(429, 2.0)])
    for s in (rise, fast):
        assert run(s[:, None], PUBLISHED)["y"].sum() == pytest.approx(2 * 3.0, rel=1e-6)


def test_a_face_that_does_not_move_is_forgotten():
    held = np.full((400, 3), [1.0, 0.5, 0.2])
    from_norm = run(held, PUBLISHED)
    assert from_norm["D"].max() > 0.05
    assert from_norm["D"][-1].max() < 1e-6
    already = run(held, PUBLISHED, held[0])
    assert all((already[name] == 0).all() for name in ("u_on", "u_off", "y", "D"))


def settled(y):
    """Return D under y that stays: the circuit's last stage alone, driven by a constant."""
    d, weights = np.zeros(len(y)), 0.8 * (1 - 0.8 * np.eye(len(y)))
    for _ in range(3000):
        d = np.maximum(d + (y - d - weights @ d) / 5, 0)
    return d


def test_the_stronger_suppresses_the_weaker_below_a_known_ratio():
    """D₂ is silent if y₂ < w y₁ / (1 + w (1 − c)) = 0.69 y₁; else both solve (I + W) D = y."""
    # a ramp that goes on for ever drives y to a constant: u = slope τ_v, y = u
    steps, slopes = np.arange(900.0)[:, None], np.array([1.0, 0.65])
    got = run(steps * slopes, PUBLISHED)
    assert got["y"][-1] == pytest.approx(3 * slopes, rel=1e-6)
    assert got["D"][-1] == pytest.approx([3 / 1.16, 0.0], rel=1e-6)
    both = run(steps * [1.0, 0.75], PUBLISHED)["D"][-1]
    weights = 0.8 * (np.ones((2, 2)) - 0.8 * np.eye(2))
    assert both == pytest.approx(np.linalg.solve(np.eye(2) + weights, [3.0, 2.25]), rel=1e-6)
    assert both == pytest.approx(settled(np.array([3.0, 2.25])), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.01, 100.0))
def test_stages_are_not_negative_and_scale_with_activity(seed, factor):
    s = np.random.default_rng(seed).normal(size=(2, 25, 3))
    once, more = run(s, PUBLISHED), run(factor * s, PUBLISHED)
    for name, stage in once.items():
        assert stage.shape == s.shape
        assert name == "v" or (stage >= 0).all()
        assert more[name] == pytest.approx(factor * stage, rel=1e-9, abs=1e-12)


def test_movements_are_read_on_their_own_and_in_any_order_of_neurons():
    s = np.random.default_rng(5).random((4, 30, 3))
    together = run(s, PUBLISHED)["D"]
    alone = np.stack([run(one[:, [2, 0, 1]], PUBLISHED)["D"] for one in s])
    assert together[..., [2, 0, 1]] == pytest.approx(alone)


def test_peak_after_a_step_is_the_peak():
    long = run(np.ones((3000, 1)), PUBLISHED)["D"]
    assert peak_after_step(PUBLISHED) == pytest.approx(float(long.max()), rel=1e-12)


# ---- moving faces


def movements(frames=60, names=("happy", "angry"), strengths=(0.25, 0.5, 1.0), rate=60.0):
    """Each expression at each strength, rising and falling; the other neuron follows at a third; neutral first."""
    course = nr.time_course("expression", frames, rate)
    rows, shown, level = [np.zeros((frames, len(names)))], ["neutral"], [0.0]
    for i, name in enumerate(names):
        for strength in strengths:
            share = np.where(np.arange(len(names)) == i, 1.0, 0.33)
            rows.append(strength * course[:, None] * share)
            shown.append(name)
            level.append(strength)
    return code_of(
        rows,
        names,
        at_prototype=np.ones(len(names)),
        times=np.arange(frames) / rate,
        expression=shown,
        intensity=level,
        domain=["human"] * len(rows),
        frame_intensity=np.array(level)[:, None] * course,
    )


def test_the_movement_is_recognised_with_its_strength_and_its_time():
    said = nr.read_out_over_time(movements())
    assert said["answer"].values.tolist() == [
        "neutral",
        *["neutral", "neutral", "happy"],
        *["neutral", "neutral", "angry"],
    ]
    assert said["forced_answer"].values[1:].tolist() == ["happy"] * 3 + ["angry"] * 3
    assert said["read_intensity"].values == pytest.approx([0, 0.25, 0.5, 1.0, 0.25, 0.5, 1.0])
    assert said["peak"].values[1:4] == pytest.approx(said["peak"].values[3] * np.array([0.25, 0.5, 1.0]))
    d, level = said["D"].values[3, :, 0], said.attrs["threshold"]
    frame = said["decision_frame"].values[3]
    assert d[frame] >= level > d[frame - 1]
    assert said["decision_time"].values[3] == pytest.approx(frame / 60)
    assert said["decision_frame"].values[0] == -1
    assert np.isnan(said["decision_time"].values[:3]).all()
    over = said["answer_over_time"].values[3]
    assert over[0] == "neutral"
    assert over[frame] == "happy"
    assert said["intensity_over_time"].values[3] == pytest.approx(nr.time_course("expression", 60, 60.0), abs=1e-9)
    assert level == pytest.approx(peak_after_step(PUBLISHED) / 2)


def test_weaker_movements_are_decided_later_and_reversed_ones_alike():
    said = nr.read_out_over_time(movements(strengths=(0.6, 1.0)), threshold=0.02)
    assert said["decision_time"].values[1] > said["decision_time"].values[2]
    code = movements()
    back = code.assign(activity=code["activity"].isel(frame=slice(None, None, -1)).assign_attrs(ONE))
    back = back.assign_coords(frame_time=code["frame_time"])
    reversed_ = nr.read_out_over_time(back)
    assert reversed_["forced_answer"].values[1:].tolist() == ["happy"] * 3 + ["angry"] * 3


def test_steps_between_frames_follow_the_line_between_them():
    coarse = movements(frames=16, rate=15.0)
    said = nr.read_out_over_time(coarse, step=1 / 60)
    assert said.sizes["frame"] == 61
    assert said["activity"].values[:, ::4] == pytest.approx(coarse["activity"].values)
    assert said["activity"].values[:, 2::4] == pytest.approx(
        (coarse["activity"].values[:, :-1] + coarse["activity"].values[:, 1:]) / 2
    )
    assert said["frame_intensity"].values[:, ::4] == pytest.approx(coarse["frame_intensity"].values)
    assert said["frame_time"].values[-1] == pytest.approx(1.0)
    by_frame, same = nr.read_out_over_time(coarse), nr.read_out_over_time(coarse, step=1 / 15)
    assert same["D"].values == pytest.approx(by_frame["D"].values)


def test_what_was_seen_before_the_first_frame():
    held = code_of(np.full((1, 50, 2), [1.0, 0.2]), ["happy", "angry"], at_prototype=[1.0, 1.0])
    appears, stays = (nr.read_out_over_time(held, threshold=0.01, start=start) for start in ("norm", "first"))
    assert appears["answer"].item() == "happy"
    assert stays["answer"].item() == "neutral"
    assert "decision_time" not in stays  # no frame_time
    assert stays["decision_frame"].item() == -1
    # neurons that are active at the norm start there
    axis = code_of(np.full((1, 50, 1), 0.3), ["happy"], baseline=[0.3], at_prototype=[1.0], encoder="axis")
    assert float(nr.read_out_over_time(axis)["D"].max()) == 0.0


def test_errors_of_moving_faces():
    code = movements(frames=10)
    with pytest.raises(ValueError, match=r"moving faces.*still ones\. Use nr.read_out"):
        nr.read_out_over_time(code_of([[1.0]], ["happy"], at_prototype=[1.0]))
    with pytest.raises(ValueError, match="tau_v: needed at least 1; got 0.5"):
        nr.read_out_over_time(code, tau_v=0.5)
    with pytest.raises(ValueError, match="unknown start 'frist'; nearest: 'first'"):
        nr.read_out_over_time(code, start="frist")
    with pytest.raises(ValueError, match=r"step of 0.0166667 s at most, a frame; got 0.1"):
        nr.read_out_over_time(code, step=0.1)
    with pytest.raises(ValueError, match="frame_time .* beside step; got none"):
        nr.read_out_over_time(code.drop_vars("frame_time"), step=0.01)
    many = [f"e{i}" for i in range(20)]
    crowd = code_of(np.ones((1, 5, 20)), many, at_prototype=np.ones(20))
    with pytest.raises(ValueError, match="tau_d of 8.18 steps at least, so that 20 answers"):
        nr.read_out_over_time(crowd)
    assert nr.read_out_over_time(crowd, tau_d=9)["answer"].item() == "neutral"  # all alike


# ---- figures


@pytest.fixture
def close_figures():
    yield
    plt.close("all")


def test_the_figure_of_the_circuit_holds_its_stages(close_figures):
    said = nr.read_out_over_time(movements())
    axes = nr.plot.readout_over_time(said, stimuli=["s3", "s1"])
    assert axes.shape == (5, 2)
    assert [ax.get_title() for ax in axes[0]] == ["human, happy 1\n→ happy", "human, happy 0.25\n→ neutral"]
    for row, solid in zip(axes[1:, 0], ("activity", "u_on", "y", "D"), strict=True):
        drawn = [line.get_ydata() for line in row.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 60]
        assert np.array(drawn) == pytest.approx(said[solid].values[3].T)
    below = axes[-1, 0]
    moments = [
        line.get_xdata()[0] for line in below.lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
    ]
    assert moments == [said["decision_time"].values[3]]
    assert not [line for line in axes[-1, 1].lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert below.get_ylim()[0] == 0
    assert below.get_ylim()[1] > said["D"].values[3].max()
    box, size = axes[0, 0].figure.get_tightbbox(), axes[0, 0].figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01 and box.x1 < size[0] + 0.01 and box.y1 < size[1] + 0.01
    untimed = nr.read_out_over_time(movements().drop_vars(["frame_time", "frame_intensity"]), threshold=None)
    axes = nr.plot.readout_over_time(untimed)
    assert axes.shape == (4, 2)
    assert axes[-1, 0].get_xlabel() == "step"


def test_the_matrix_holds_the_counts(close_figures):
    scores = nr.score_read_out(nr.read_out_over_time(movements()))
    _, ax = plt.subplots()
    assert nr.plot.confusion(scores, ax=ax) is ax
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["happy", "angry", "neutral"]
    written = {tuple(text.get_position()): text.get_text() for text in ax.texts}
    assert written == {(0, 0): "1", (2, 0): "2", (1, 1): "1", (2, 1): "2", (2, 2): "1"}
    assert ax.get_title() == "3 of 7 right"
    assert nr.plot.confusion(scores["confusion"], domain="human").get_title() == "human: 3 of 7 right"
    with pytest.raises(TypeError, match="matplotlib Axes; got str"):
        nr.plot.confusion(scores, ax="here")


def test_figures_refuse_what_is_something_else():
    with pytest.raises(ValueError, match="the result of nr.read_out_over_time"):
        nr.plot.readout_over_time(nr.example("FaceCode"))
    said = nr.read_out_over_time(movements())
    with pytest.raises(ValueError, match="unknown stimulus 's33'; nearest: 's3'"):
        nr.plot.readout_over_time(said, stimuli=["s33"])
    with pytest.raises(ValueError, match="stimuli to draw; got none"):
        nr.plot.readout_over_time(said, stimuli=[])
    with pytest.raises(ValueError, match="needed counts confusion"):
        nr.plot.confusion(said)
    with pytest.raises(ValueError, match="unknown domain 'humn'; nearest: 'human'"):
        nr.plot.confusion(nr.score_read_out(said), domain="humn")
    with pytest.raises(ValueError, match="unknown label 'domian'; nearest: 'domain'"):
        nr.plot.confusion(nr.score_read_out(said), domian="human")


# ---- scores


def test_scores_worked_by_hand():
    code = code_of(
        [[0.0, 0.1], [0.4, 0.0], [1.0, 0.0], [0.0, 0.9], [0.7, 0.6], [0.0, 0.2], [0.0, 1.0]],
        ["happy", "angry"],
        at_prototype=[1.0, 1.0],
        expression=["neutral", "happy", "happy", "angry", "angry", "angry", "sad"],
        intensity=[0.0, 0.5, 1.0, 1.0, 0.5, -0.5, 1.0],
        domain=["human", "human", "human", "macaque", "macaque", "macaque", "macaque"],
    )
    with pytest.warns(UserWarning, match="left out 1 of 7 stimuli whose expression no neuron prefers: 'sad'"):
        scored = nr.score_read_out(nr.read_out(code))
    assert scored.attrs["left_out"] == 2  # the anti-face and the sad one
    assert scored["n_stimuli"].values.tolist() == [3, 2]
    assert scored["n_expressive"].values.tolist() == [2, 2]
    assert scored["accuracy"].values == pytest.approx([2 / 3, 1 / 2])
    assert scored["forced_accuracy"].values == pytest.approx([1.0, 0.5])
    human = scored["confusion"].sel(domain="human")
    assert human.sel(category="happy").values.tolist() == [1, 0, 1]
    assert scored["confusion"].sel(domain="macaque", category="angry").values.tolist() == [1, 1, 0]
    assert scored["recognised"].sel(domain="human").values.tolist() == [1.0, 0.0, 1.0]
    assert scored["read_intensity"].sel(domain="human").values == pytest.approx([0.1, 0.4, 1.0])
    assert scored["read_intensity_rmse"].values == pytest.approx([np.sqrt(0.02 / 3), np.sqrt((0.01 + 0.04) / 2)])


def test_frames_and_movements_are_scored():
    code = movements()
    frames, whole = nr.score_read_out(nr.read_out(code)), nr.score_read_out(nr.read_out_over_time(code))
    assert frames["n_stimuli"].item() == 7 * 60
    assert nr.plot.confusion(frames).get_title().endswith("of 420 frames right")
    assert nr.plot.confusion(whole).get_title() == "3 of 7 right"
    plt.close("all")
    assert whole["n_stimuli"].item() == 7
    assert whole["accuracy"].item() == pytest.approx(3 / 7)
    assert whole["forced_accuracy"].item() == 1.0
    assert frames["read_intensity_rmse"].item() == pytest.approx(0.0, abs=1e-9)


def test_scored_by_any_label():
    said = nr.read_out_over_time(movements()).assign_coords(category=("stimulus", ["face"] * 3 + ["mask"] * 4))
    assert nr.score_read_out(said, by="category")["n_stimuli"].sel(domain="mask").item() == 4


def test_errors_of_scores():
    code = movements(frames=5)
    with pytest.raises(ValueError, match="result of nr.read_out or"):
        nr.score_read_out(code)
    with pytest.raises(ValueError, match="needed the label 'person' of by= to hold.*by= names another"):
        nr.score_read_out(nr.read_out_over_time(code), by="person")
    capital = code.assign_coords(expression=("stimulus", ["neutral", *["Happy"] * 3, *["angry"] * 3]))
    with pytest.raises(ValueError, match="spelt as the neurons' preferences are, 'happy'; got 'Happy' in 3 values of"):
        nr.score_read_out(nr.read_out_over_time(capital))
    other = code.assign_coords(expression=("stimulus", ["sad"] * 7)).isel(stimulus=slice(1, None))
    with pytest.raises(ValueError, match="one of the answers, happy, angry.*'sad'"):
        nr.score_read_out(nr.read_out_over_time(other))


def test_results_are_saved_and_say_how_they_were_made(tmp_path):
    said = nr.read_out_over_time(movements())
    said.to_netcdf(tmp_path / "said.nc")
    again = xr.load_dataset(tmp_path / "said.nc")
    assert again["answer"].values.tolist() == said["answer"].values.tolist()
    assert "read_out_over_time" in again.attrs["history"]
    assert again.attrs["neutral"] == "neutral"
    nr.score_read_out(again)
