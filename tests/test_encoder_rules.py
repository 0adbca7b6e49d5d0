import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.encoders.rules import RULES, WITHOUT_EXPONENT, norm_activity, tuning

ONES = np.ones(1)
FLOATS = st.floats(-10, 10).map(lambda value: round(value, 3))


def test_rules_on_a_case_worked_by_hand():
    # d = (3, 4), n = (1, 0), so ‖d‖ = 5 and cos θ = 0.6; ‖t‖ = 2, ν = 2
    D, N = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]])
    expected = {
        "general": 5 * 0.8**2,
        "rectified": 5 * 0.36,
        "direction": 0.6,
        "expressivity": 2.5 * 0.36,
        "projection": 3,
        "linear": 0.5 * (7 + 3),
        "landmark": 9,  # the second feature's landmark does not move in the prototype: 3² alone
    }
    assert set(expected) == set(RULES)
    for rule, value in expected.items():
        got = norm_activity(D, N, np.array([2.0]), rule, 2.0, np.array(["a", "b"]))
        assert got == pytest.approx(np.array([[value]]))


@pytest.mark.parametrize("rule", RULES)
def test_the_norm_itself_gives_zero_and_the_opposite_nothing(rule):
    direction = np.array([[0.6, 0.8]])
    faces = np.array([[0.0, 0.0], [-0.6, -0.8]])
    got = norm_activity(faces, direction, np.array([1.0]), rule, 1.5, np.array(["a", "a"]))
    opposite = 0.5 * (1.4 - 1.0 / 0.8) if rule == "linear" else 0.0  # zero there only with all |n_j| alike
    assert got[:, 0] == pytest.approx([0.0, opposite], abs=1e-12)


@given(st.lists(st.floats(-10, 10), min_size=3, max_size=3), st.sampled_from(["general", "rectified", "projection"]))
def test_activity_scales_with_the_difference(difference, rule):
    d, n = np.array([difference]), np.array([[2.0, -1.0, 2.0]]) / 3
    once, thrice = (norm_activity(k * d, n, np.array([1.0]), rule, 1.7) for k in (1.0, 3.0))
    assert thrice == pytest.approx(3 * once, abs=1e-9)


def test_general_rule_at_one_is_the_linear_case_and_agrees_with_projection_on_the_best_neuron():
    rng = np.random.default_rng(3)
    d, n = rng.normal(size=(50, 8)), rng.normal(size=(5, 8))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    general = norm_activity(d, n, np.ones(5), "general", 1.0)
    assert general == pytest.approx(0.5 * (np.linalg.norm(d, axis=1)[:, None] + d @ n.T))
    assert (general.argmax(1) == (d @ n.T).argmax(1)).all()


@given(st.lists(FLOATS, min_size=6, max_size=6), st.lists(FLOATS, min_size=6, max_size=6))
def test_the_linear_rule_is_a_sum_over_on_and_off_cells_with_weights_between_0_and_1(difference, direction):
    d, t = np.array(difference), np.array(direction)
    if np.linalg.norm(t) < 1e-3:
        return
    n = t / np.abs(t).max()
    on, off = np.clip(d, 0, None), np.clip(-d, 0, None)
    weights_on, weights_off = (1 + n) / 2, (1 - n) / 2
    assert (np.concatenate([weights_on, weights_off]) >= 0).all() and weights_on.max() <= 1
    circuit = (weights_on * on + weights_off * off).sum()
    got = norm_activity(d[None], t[None] / np.linalg.norm(t), ONES, "linear", 1.0)[0, 0]
    assert got == pytest.approx(circuit, abs=1e-9)
    assert got == pytest.approx(0.5 * (np.abs(d).sum() + n @ d), abs=1e-9)


def test_scaled_to_its_largest_the_linear_rule_tells_a_direction_from_its_opposite():
    """With a unit vector over many features the weights would all be near one half."""
    rng = np.random.default_rng(1)
    for features, low in ((50, 1.8), (10_240, 1.5)):
        t = rng.standard_normal(features)
        unit = t / np.linalg.norm(t)
        ahead, back = norm_activity(np.stack([t, -t]), unit[None], ONES, "linear", 1.0)[:, 0]
        n = t / np.abs(t).max()
        assert ahead / back == pytest.approx((np.abs(t).sum() + n @ t) / (np.abs(t).sum() - n @ t))
        assert ahead / back > low
        unscaled = (np.abs(t).sum() + unit @ t) / (np.abs(t).sum() - unit @ t)
        assert unscaled == pytest.approx({50: 1.43, 10_240: 1.025}[features], rel=0.05)  # as docs/encoders.md says
        alike = np.sign(t)
        ahead, back = norm_activity(np.stack([alike, -alike]), (alike / np.sqrt(features))[None], ONES, "linear", 1.0)[
            :, 0
        ]
        assert (ahead, back) == pytest.approx((features, 0.0), abs=1e-6)


RULES_IN_THE_PLANE = [rule for rule in RULES if rule not in ("linear", "landmark")]


@pytest.mark.parametrize("rule", RULES_IN_THE_PLANE)
@given(along=FLOATS, across=FLOATS.map(abs), exponent=st.sampled_from([0.5, 1.0, 2.0, 3.3]))
def test_activity_depends_on_where_a_face_lies_along_and_across_alone(rule, along, across, exponent):
    rng = np.random.default_rng(5)
    n, m = np.linalg.qr(rng.standard_normal((7, 2)))[0].T
    d = along * n + across * m
    got = norm_activity(d[None], n[None], np.array([2.5]), rule, exponent)[0, 0]
    assert got == pytest.approx(float(tuning(rule, exponent, along, across, length=2.5)), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("rule", ["linear", "landmark"])
@given(along=FLOATS, across=FLOATS, exponent=st.sampled_from([1.0, 2.0, 1.5]))
def test_rules_that_know_the_features_along_and_across_them(rule, along, across, exponent):
    got = norm_activity(np.array([[along, across]]), np.array([[1.0, 0.0]]), ONES, rule, exponent, np.array(["a", "b"]))
    assert got[0, 0] == pytest.approx(float(tuning(rule, exponent, along, across)), abs=1e-9)


def test_orthogonal_tuning_in_closed_form():
    p, o = 2.0, np.linspace(0, 5, 11)
    rectified = [tuning("rectified", nu, p, o) for nu in (1.0, 2.0)]
    assert rectified[0] == pytest.approx(p)  # flat at ν = 1 only
    assert rectified[1] == pytest.approx(p**2 * (p**2 + o**2) ** -0.5)
    assert (np.diff(rectified[1]) < 0).all()
    assert tuning("general", 1.0, p, o) == pytest.approx(0.5 * (np.hypot(p, o) + p))
    assert (np.diff(tuning("general", 1.0, p, o)) > 0).all()
    assert tuning("projection", 1.0, [-1.0, 2.0], 3.0).tolist() == [0.0, 2.0]
    with pytest.raises(ValueError, match="nearest: 'general'"):
        tuning("generall", 1.0, 1.0)


def test_landmarks_are_summed_before_the_sum_is_rectified():
    landmarks = np.array(["a", "a", "b", "b"])
    n = np.array([[3.0, 0.0, 0.0, 1.0]]) / np.sqrt(10)
    d = np.array([[2.0, 5.0, 7.0, -1.5], [-2.0, 0.0, 0.0, 1.5]])
    got = norm_activity(d, n, ONES, "landmark", 1.0, landmarks)
    assert got[:, 0] == pytest.approx([2.0 - 1.5, 0.0])  # rectified inside, they would be 2 and 1.5
    assert norm_activity(d, n, ONES, "landmark", 2.0, landmarks)[:, 0] == pytest.approx([2.0**2 + 1.5**2] * 2)
    assert norm_activity(d, n, ONES, "landmark", 3.0, landmarks)[:, 0] == pytest.approx([2.0**3 - 1.5**3, 0.0])
    assert norm_activity(d, n, ONES, "landmark", 1.5, landmarks)[:, 0] == pytest.approx([2.0**1.5, 1.5**1.5])
    swapped = norm_activity(d[:, [2, 3, 0, 1]], n[:, [2, 3, 0, 1]], ONES, "landmark", 1.0, landmarks)
    assert swapped == pytest.approx(got)  # whatever their order


def test_neurons_may_differ_in_exponent():
    rng = np.random.default_rng(2)
    d, n = rng.normal(size=(9, 6)), rng.normal(size=(3, 6))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    landmarks = np.array([*"aabbcc"])
    for rule in RULES:
        together = norm_activity(d, n, np.ones(3), rule, np.array([1.0, 2.0, 1.5]), landmarks)
        for i, exponent in enumerate((1.0, 2.0, 1.5)):
            alone = norm_activity(d, n[i : i + 1], ONES, rule, exponent, landmarks)
            assert together[:, i] == pytest.approx(alone[:, 0])


@pytest.mark.parametrize("rule", ["general", "projection", "direction", "rectified"])
def test_rules_that_agree_on_the_best_neuron_do_so_through_the_encoder(rule):
    """In feature units and before a threshold, which neuron is most active is a matter of n·d alone."""
    features = nr.example("Features")
    fit = {"prototypes": {"domain": "human", "intensity": 1.0}, "norms": {"intensity": 0.0}}
    shown = features["intensity"].values > 0
    noisy = features.copy(deep=True)
    noisy["value"].values[:] += np.random.default_rng(0).normal(0, 1.0, noisy["value"].shape)
    found = []
    for each, exponent in ((rule, 1.0), (rule, 1.0 if rule in WITHOUT_EXPONENT else 2.5), ("projection", 1.0)):
        activity = (
            nr.NormEncoder(each, exponent, "none").fit(features, **fit).transform(noisy)["activity"].values[shown]
        )
        assert (activity.max(axis=1) > 0).all()
        found.append(activity.argmax(axis=1))
    assert (found[0] == found[2]).all() and (found[1] == found[2]).all()
    assert len(set(found[2])) == 2
