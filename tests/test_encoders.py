import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.encoders.rules import RULES, WITHOUT_EXPONENT

HUMAN = {"domain": "human", "intensity": 1.0}
NEUTRAL = {"intensity": 0.0}


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
    features = nr.example("Features").assign_coords(landmark=("feature", [*"aabbccddeeff"]))
    exponent = 1.0 if rule in WITHOUT_EXPONENT else 2.0
    encoder = nr.NormEncoder(rule, exponent, "none").fit(features, prototypes=HUMAN, norms=NEUTRAL)
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


def test_what_is_no_list_or_holds_nothing():
    features = nr.example("Features")
    with pytest.raises(TypeError, match=r"a list of FaceCodes; got Dataset. Write nr.join_codes\("):
        nr.join_codes(nr.example("FaceCode"))
    with pytest.raises(ValueError, match="at least one stimulus to learn from; got none"):
        nr.NormEncoder().fit(features.isel(stimulus=[]), prototypes=HUMAN, norms=NEUTRAL)
    with pytest.raises(TypeError, match="inferred: domain → labels.*got 'macaque'"):
        nr.NormEncoder().fit(features, prototypes=HUMAN, norms=NEUTRAL, inferred="macaque")
    for rule in WITHOUT_EXPONENT:
        with pytest.raises(ValueError, match=f"no exponent with the rule '{rule}', which has none; got exponent=2"):
            nr.NormEncoder(rule, exponent=2)


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


def test_moving_faces_pass_frame_by_frame():
    features = nr.example("Features")
    levels = np.linspace(0.0, 1.0, 5)
    value = features["value"].values
    moving = features.drop_vars("value").assign(
        value=(
            ("stimulus", "frame", "feature"),
            value[:1] + levels[:, None] * (value - value[:1])[:, None],
            {"units": "1"},
        )
    )
    moving = moving.assign_coords(frame_time=("frame", 0.02 * np.arange(5), {"units": "s"}))
    for encoder in (nr.NormEncoder(neutral=True), nr.AxisEncoder(), nr.ExemplarEncoder()):
        encoder.fit(features, prototypes=HUMAN, norms=NEUTRAL)
        code = nr.schema.check(encoder.transform(moving), "FaceCode")
        assert code["activity"].dims == ("stimulus", "frame", "neuron")
        for i, level in enumerate(levels):
            still = moving.isel(frame=i)
            assert code["activity"].values[:, i] == pytest.approx(encoder.transform(still)["activity"].values), level
        assert "frame_time" in code.coords
        if encoder.uses_norm:
            assert code["distance"].dims == ("stimulus", "frame")
            assert nr.present(code)["current"].sizes["neuron"] == 3
    with pytest.raises(ValueError, match="still faces to learn from"):
        nr.NormEncoder().fit(moving, prototypes=HUMAN, norms=NEUTRAL)


def test_a_neutral_neuron_beside_the_others():
    features = nr.example("Features")
    encoder = nr.NormEncoder(neutral=True).fit(features, prototypes=HUMAN, norms=NEUTRAL)
    code = encoder.transform(features)
    assert list(code["prefers"].values) == ["happy", "angry", "neutral"]
    expected = np.clip(1 - 0.5 * code["distance"].values / encoder.lengths_.min(), 0, None)
    assert code["activity"].values[:, 2] == pytest.approx(expected)
    assert code["at_prototype"].values == pytest.approx(1.0)
    control = encoder.with_shuffled_directions(seed=1, repeats=2).transform(features)
    assert list(control["prefers"].values) == ["happy", "angry"] * 2
    nr.join_codes([code, control])
    with pytest.raises(ValueError, match="not called 'neutral'"):
        nr.NormEncoder(neutral=True).fit(features, prototypes={"domain": "human", "intensity": [0, 1]}, norms=NEUTRAL)


def test_activity_below_the_threshold_is_nothing():
    features = nr.example("Features")
    fit = {"prototypes": HUMAN, "norms": NEUTRAL}
    free = nr.NormEncoder("projection", scale="none").fit(features, **fit).transform(features)["activity"].values
    theta = float(np.median(free[free > 0]))
    held = nr.NormEncoder("projection", scale="none", threshold=theta).fit(features, **fit)
    assert held.transform(features)["activity"].values == pytest.approx(np.where(free < theta, 0, free))
    scaled = nr.NormEncoder("projection", threshold=theta).fit(features, **fit)
    assert scaled.transform(features)["activity"].values == pytest.approx(
        np.where(free < theta, 0, free) / scaled.lengths_
    )
    with pytest.warns(UserWarning, match="silences neurons at their own prototype: 'happy', 'angry'"):
        deaf = nr.NormEncoder("projection", threshold=2 * held.lengths_.max()).fit(features, **fit).transform(features)
    assert (deaf["at_prototype"].values == 0).all()
    with pytest.raises(ValueError, match="threshold: needed at least 0"):
        nr.NormEncoder(threshold=-1)
    with pytest.raises(TypeError, match="neutral: True or False"):
        nr.NormEncoder(neutral="yes")


def test_a_prototype_comes_once():
    features = nr.example("Features")
    twice = {"a": {"domain": "human", "expression": "happy", "intensity": 1.0}}
    twice["b"] = {"domain": "human", "expression": "happy", "intensity": 1.0}
    with pytest.raises(ValueError, match="'a' and 'b', which are"):
        nr.NormEncoder().fit(features, prototypes=twice, norms=NEUTRAL)


def test_joined_codes_keep_the_norm_that_was_used():
    features = nr.example("Features")
    fit = {"prototypes": HUMAN, "norms": NEUTRAL}
    codes = [make().fit(features, **fit).transform(features) for make in (nr.AxisEncoder, nr.NormEncoder)]
    joined = nr.schema.check(nr.join_codes(codes), "FaceCode")
    assert (joined["norm_used"].values == joined["domain"].values).all()
    assert joined["distance"].values == pytest.approx(codes[1]["distance"].values)
