import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.encoders.rules import RULES, norm_activity

HUMAN = {"domain": "human", "intensity": 1.0}
NEUTRAL = {"intensity": 0.0}


def test_rules_on_a_case_worked_by_hand():
    # d = (3, 4), n = (1, 0), so ‖d‖ = 5 and cos θ = 0.6; ‖t‖ = 2, ν = 2
    expected = {
        "general": 5 * 0.8**2,
        "rectified": 5 * 0.36,
        "direction": 0.6,
        "expressivity": 2.5 * 0.36,
        "projection": 3,
    }
    assert set(expected) == set(RULES)
    for rule, value in expected.items():
        got = norm_activity(np.array([[3.0, 4.0]]), np.array([[1.0, 0.0]]), np.array([2.0]), rule, 2.0)
        assert got == pytest.approx(np.array([[value]]))


@pytest.mark.parametrize("rule", RULES)
def test_the_norm_itself_gives_zero_and_the_opposite_nothing(rule):
    direction = np.array([[0.6, 0.8]])
    got = norm_activity(np.array([[0.0, 0.0], [-0.6, -0.8]]), direction, np.array([1.0]), rule, 1.5)
    assert got == pytest.approx(np.zeros((2, 1)), abs=1e-12)


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


def test_learned_on_one_head_recognised_on_another():
    features = nr.example("Features")
    code = nr.NormEncoder(rule="projection").fit(features, prototypes=HUMAN, norms=NEUTRAL).transform(features)
    nr.schema.check(code, "FaceCode")
    own = code["activity"].values[code["expression"].values[:, None] == code["prefers"].values[None]]
    level = np.concatenate([code["intensity"].values[code["expression"].values == e] for e in ("happy", "angry")])
    order = np.concatenate([np.flatnonzero(code["expression"].values == e) for e in ("happy", "angry")])
    by_expression = np.array(
        [code["activity"].values[i, 0 if code["expression"].values[i] == "happy" else 1] for i in order]
    )
    assert len(own) == len(level)
    assert by_expression == pytest.approx(np.clip(level, 0, None), abs=1e-9)  # the example adds direction × intensity
    norm = code["activity"].values[code["intensity"].values == 0]
    assert norm == pytest.approx(0, abs=1e-9)
    assert code["distance"].values[code["intensity"].values == 0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("make", [nr.NormEncoder, nr.AxisEncoder, nr.ExemplarEncoder])
def test_one_at_the_prototype_and_indifferent_to_the_order_of_stimuli(make):
    features = nr.example("Features")
    encoder = make().fit(features, prototypes=HUMAN, norms=NEUTRAL)
    code = encoder.transform(features)
    prototypes = (features["domain"] == "human").values & (features["intensity"] == 1).values
    assert np.diag(code["activity"].values[prototypes]) == pytest.approx(1)
    assert code["at_prototype"].values == pytest.approx(1)
    order = np.random.default_rng(1).permutation(features.sizes["stimulus"])
    turned = make().fit(features.isel(stimulus=order), prototypes=HUMAN, norms=NEUTRAL)
    again = turned.transform(features)
    assert again.sel(neuron=[list(again["prefers"].values).index(p) for p in code["prefers"].values])[
        "activity"
    ].values == pytest.approx(code["activity"].values)


@pytest.mark.parametrize("rule", RULES)
def test_activity_at_the_prototype_is_what_transform_gives(rule):
    features = nr.example("Features")
    encoder = nr.NormEncoder(rule, 2.0, "none").fit(features, prototypes=HUMAN, norms=NEUTRAL)
    prototypes = (features["domain"] == "human").values & (features["intensity"] == 1).values
    code = encoder.transform(features)
    assert code["at_prototype"].values == pytest.approx(np.diag(code["activity"].values[prototypes]))
    control = encoder.with_shuffled_directions(seed=1, repeats=2).transform(features)
    own = [control["activity"].values[np.flatnonzero(prototypes)[i % 2], i] for i in range(4)]
    assert control["at_prototype"].values == pytest.approx(np.array(own))


def test_norms_as_averages_and_prototypes_by_name():
    features = nr.example("Features")
    named = {"smile": {"domain": "human", "expression": "happy", "intensity": 1.0}}
    encoder = nr.NormEncoder().fit(features, prototypes=named, norms="average")
    human = features["value"].values[(features["domain"] == "human").values]
    assert encoder.norms_.sel(domain="human").values == pytest.approx(human.mean(axis=0))
    assert list(encoder.transform(features)["prefers"].values) == ["smile"]


def test_shuffled_directions_keep_length_and_lose_the_pattern():
    features = nr.example("Features")
    encoder = nr.NormEncoder().fit(features, prototypes=HUMAN, norms=NEUTRAL)
    control = encoder.with_shuffled_directions(seed=1, repeats=4)
    assert control.directions_.shape == (8, 12)
    assert np.sort(control.directions_[0]) == pytest.approx(np.sort(encoder.directions_[0]))
    assert not np.allclose(control.directions_[0], encoder.directions_[0])
    code = control.transform(features)
    assert len(set(code["neuron_id"].values)) == 8
    assert list(code["prefers"].values) == ["happy", "angry"] * 4
    again = encoder.with_shuffled_directions(seed=1, repeats=2).transform(features)
    assert (again["activity"].values == code["activity"].values[:, :4]).all()
    other = encoder.with_shuffled_directions(seed=2, repeats=2).transform(features)
    assert not np.allclose(other["activity"].values, again["activity"].values)
    assert list(encoder.transform(features)["neuron_id"].values) == ["norm-happy", "norm-angry"]


def test_joined_codes_keep_labels_and_refuse_other_stimuli():
    features = nr.example("Features")
    fit = {"prototypes": HUMAN, "norms": NEUTRAL}
    codes = [make().fit(features, **fit).transform(features) for make in (nr.NormEncoder, nr.AxisEncoder)]
    joined = nr.join_codes(codes)
    assert list(joined["encoder"].values) == ["norm", "norm", "axis", "axis"]
    assert "distance" in joined.coords
    with pytest.raises(ValueError, match="stimulus_id differ"):
        nr.join_codes([codes[0], codes[1].isel(stimulus=slice(None, None, -1))])
    with pytest.raises(ValueError, match="come more than once"):
        nr.join_codes([codes[0], codes[0]])


def test_errors_say_what_was_needed():
    features = nr.example("Features")
    human = features.isel(stimulus=(features["domain"] == "human").values)
    fitted = nr.NormEncoder().fit(human, prototypes=HUMAN, norms=NEUTRAL)
    with pytest.raises(ValueError, match="a norm for each domain among the stimuli; got none for 'macaque'"):
        fitted.transform(features)
    with pytest.raises(ValueError, match="equals it"):
        nr.NormEncoder().fit(features, prototypes={"domain": "human", "intensity": 0.0}, norms=NEUTRAL)
    with pytest.raises(ValueError, match=r"no stimuli for the prototypes.*'human', 'macaque'"):
        nr.NormEncoder().fit(features, prototypes={"domain": "robot"}, norms=NEUTRAL)
    with pytest.raises(ValueError, match="nearest: 'domain'"):
        nr.NormEncoder().fit(features, prototypes={"domian": "human"}, norms=NEUTRAL)
    with pytest.raises(ValueError, match="nearest: 'projection'"):
        nr.NormEncoder(rule="projektion")
    with pytest.raises(ValueError, match="more than 0"):
        nr.NormEncoder(exponent=0)
    with pytest.raises(ValueError, match="needed norms"):
        nr.NormEncoder().fit(features, prototypes=HUMAN)
    with pytest.raises(ValueError, match="call fit"):
        nr.NormEncoder().transform(features)
    with pytest.raises(ValueError, match="feature_id differ"):
        fitted.transform(human.isel(feature=slice(0, 5)))
    with pytest.raises(TypeError, match="a number"):
        nr.NormEncoder().fit(features, prototypes={"intensity": "strong"}, norms=NEUTRAL)
    broken = features.assign(value=xr.where(features["value"] > 4, np.nan, features["value"]).assign_attrs(units="1"))
    with pytest.raises(ValueError, match="NaN"):
        nr.NormEncoder().fit(broken, prototypes=HUMAN, norms=NEUTRAL)


def test_what_has_no_domain_is_held_against_the_nearest_norm():
    features = nr.example("Features")
    encoder = nr.NormEncoder().fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    nameless = features.assign_coords(domain=("stimulus", [""] * features.sizes["stimulus"]))
    code, known = encoder.transform(nameless), encoder.transform(features)
    value, norms = features["value"].values, encoder.norms_.values
    nearest = np.linalg.norm(value[:, None] - norms[None], axis=2)
    assert code["distance"].values == pytest.approx(nearest.min(axis=1))
    own = nearest.argmin(axis=1) == [list(encoder.norms_["domain"].values).index(d) for d in features["domain"].values]
    assert own.any()
    assert code["activity"].values[own] == pytest.approx(known["activity"].values[own])
    with pytest.raises(ValueError, match="none for 'robot'"):
        encoder.transform(features.assign_coords(domain=("stimulus", ["robot"] * features.sizes["stimulus"])))
