import copy

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.comparison.scoring import wilson as _wilson


def test_perfect_where_directions_transfer_and_the_source_is_left_out():
    result = nr.cross_domain_accuracy(nr.example("Features"), source="human")
    assert list(result["domain"].values) == ["macaque"]
    assert result["accuracy"].item() == 1
    assert result["n_stimuli"].item() == 4  # two expressions at the two intensities above 0
    assert result["confusion"].sum().item() == 4
    assert result.attrs["chance"] == 0.5


def test_wrong_where_the_other_head_has_the_directions_exchanged():
    features = nr.example("Features")
    swap = {"happy": "angry", "angry": "happy", "neutral": "neutral"}
    turned = [
        swap[str(e)] if d == "macaque" else str(e)
        for d, e in zip(features["domain"].values, features["expression"].values, strict=True)
    ]
    result = nr.cross_domain_accuracy(features.assign_coords(expression=("stimulus", turned)), source="human")
    assert result["accuracy"].item() == 0
    assert (result["accuracy_by_intensity"] == 0).all()


def test_one_norm_for_all_is_worse_than_a_norm_each():
    features = nr.example("Features")
    happy = nr.NormEncoder().fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    shift = np.where(features["domain"].values == "macaque", 1.0, 0.0)[:, None] * 5 * happy.directions_[1]
    moved = features.assign(value=features["value"] + shift)  # the macaque's head looks angry, by its shape alone
    moved["value"].attrs["units"] = "1"
    assert nr.cross_domain_accuracy(moved, source="human")["accuracy"].item() == 1
    one_norm = nr.cross_domain_accuracy(moved, source="human", encoder=nr.AxisEncoder())
    assert one_norm["accuracy"].item() <= 0.5


def test_wilson_interval_against_a_known_case():
    low, high = _wilson(np.array([0.5]), np.array([20]))
    assert (low[0], high[0]) == (pytest.approx(0.2993, abs=1e-4), pytest.approx(0.7007, abs=1e-4))


def test_errors():
    features = nr.example("Features")
    with pytest.raises(ValueError, match="no stimuli of the source.*'human', 'macaque'"):
        nr.cross_domain_accuracy(features, source="robot")
    with pytest.raises(ValueError, match="in other domains than 'human'"):
        nr.cross_domain_accuracy(features.isel(stimulus=(features["domain"] == "human").values), source="human")


def test_general_and_projection_rules_recognise_alike_in_feature_units():
    features = nr.example("Features")
    stretch = np.where(features["expression"].values == "angry", 3.0, 1.0)[:, None]  # prototypes of unequal length
    norm = features["value"].values[(features["norm_id"].values[:, None] == features["stimulus_id"].values).argmax(1)]
    uneven = features.assign(
        value=(("stimulus", "feature"), norm + stretch * (features["value"].values - norm), {"units": "1"})
    )
    general, projection = (
        nr.cross_domain_accuracy(uneven, source="human", encoder=nr.NormEncoder(rule, scale="none"))
        for rule in ("general", "projection")
    )
    assert (general["confusion"].values == projection["confusion"].values).all()
    assert (
        nr.cross_domain_accuracy(uneven, source="human")["confusion"].values.tolist()
        == general["confusion"].values.tolist()
    )


def avatars(n=4, noise=0.3, seed=0):
    """Three heads without intensities: ``n`` pictures of neutral and each of three expressions, six features."""
    rng = np.random.default_rng(seed)
    rows = [(d, e, i) for d in ("ada", "bob", "cat") for e in ("neutral", "joy", "rage", "fear") for i in range(n)]
    norm = {d: rng.normal(0, 5, 6) for d in ("ada", "bob", "cat")}
    way = {"neutral": np.zeros(6), **{e: rng.normal(0, 1.5, 6) for e in ("joy", "rage", "fear")}}
    value = np.array([norm[d] + way[e] + noise * rng.normal(size=6) for d, e, _ in rows])
    features = xr.Dataset(
        {"value": (("stimulus", "feature"), value, {"units": "1"})},
        {
            "stimulus_id": ("stimulus", [f"{d}-{e}-{i}" for d, e, i in rows]),
            "domain": ("stimulus", [d for d, _, _ in rows]),
            "expression": ("stimulus", [e for _, e, _ in rows]),
            "feature_id": ("feature", [f"f{i}" for i in range(6)]),
        },
    )
    return nr.schema.check(features.assign_attrs(schema="Features", **ATTRS), "Features")


ATTRS = {
    key: nr.example("Features").attrs[key] for key in ("title", "source", "history", "parameters", "nrsim_version")
}


def by_hand(features, draw_of, source, neutral):
    """Return (right, tested) in other domains, from the stored images of a draw, with half of the weakest as θ."""
    ids = list(features["stimulus_id"].values)
    value = dict(zip(ids, features["value"].values, strict=True))
    stored = [ids[i] for i in np.flatnonzero(draw_of)]
    norm = {name.split("-")[0]: value[name] for name in stored if "neutral" in name}
    way = {name.split("-")[1]: value[name] - norm[source] for name in stored if "neutral" not in name}
    theta = 0.5 * min(np.linalg.norm(t) for t in way.values())
    right = tested = 0
    for name in ids:
        domain, expression, _ = name.split("-")
        if name in stored or domain == source or (expression == "neutral" and not neutral):
            continue
        activity = {e: (value[name] - norm[domain]) @ t / np.linalg.norm(t) for e, t in way.items()}
        best = max(activity, key=activity.get)
        said = "neutral" if neutral and activity[best] < theta else best
        right, tested = right + (said == expression), tested + 1
    return right, tested


def test_draws_against_a_loop_by_hand():
    features = avatars()
    result = nr.cross_domain_accuracy(features, "bob", draws=12, seed=3, neutral=True)
    assert (result["stored"].sum("stimulus") == 6).all()  # three prototypes and three norms
    assert len({tuple(row) for row in result["stored"].values.tolist()}) > 8
    for draw in range(12):
        one = result.isel(draw=draw)
        for end, neutral in (("", False), ("_with_neutral", True)):
            right, tested = by_hand(features, one["stored"].values, "bob", neutral)
            assert one[f"n_stimuli{end}"].sum() == tested == (32 - 2 if neutral else 24)
            assert one[f"accuracy_transfer{end}"].item() == pytest.approx(right / tested)
            assert np.trace(one[f"confusion{end}"].sum("domain").values) == right
    assert 0.4 < float(result["accuracy_transfer"].mean()) <= 1
    assert (result["accuracy_low"] <= result["accuracy"].mean("draw")).all()
    assert np.isnan(result["correct"].where(result["stored"], 1.0).values[result["stored"].values]).all()
    assert result.attrs["stored_sets"] == str(4**6)
    assert "readout" not in result  # there are no intensities


def test_draws_do_not_depend_on_the_order_of_stimuli():
    features = avatars()
    mixed = features.isel(stimulus=np.random.default_rng(1).permutation(features.sizes["stimulus"]))
    first, second = (nr.cross_domain_accuracy(each, "ada", draws=5, seed=1) for each in (features, mixed))
    for name in ("accuracy_transfer", "accuracy_source", "accuracy_overall"):
        np.testing.assert_allclose(first[name], second[name])
    sets = [{frozenset(each["stimulus_id"].values[row]) for row in each["stored"].values} for each in (first, second)]
    assert sets[0] == sets[1]
    other = nr.cross_domain_accuracy(features, "ada", draws=5, seed=2)
    assert not np.array_equal(first["stored"], other["stored"])


def test_nothing_that_is_tested_reaches_the_encoder():
    class Watching(nr.NormEncoder):
        seen: list = []

        def fit(self, features, **settings):
            Watching.seen.append(list(features["stimulus_id"].values))
            return super().fit(features, **settings)

    encoder = Watching("projection", scale="none")
    result = nr.cross_domain_accuracy(avatars(), "bob", encoder=encoder, draws=3, seed=1)
    for ids, stored in zip(Watching.seen, result["stored"].values, strict=True):
        assert sorted(ids) == sorted(result["stimulus_id"].values[stored])
    assert not hasattr(encoder, "directions_")  # a copy is fitted


def test_one_norm_for_all_fails_on_shifted_heads_with_the_same_images():
    features = avatars()
    each, shared = (nr.cross_domain_accuracy(features, "ada", draws=20, seed=1, one_norm=one) for one in (False, True))
    assert (each["stored"] == shared["stored"]).all()
    assert float(each["accuracy_transfer"].mean()) > float(shared["accuracy_transfer"].mean()) + 0.2
    np.testing.assert_allclose(each["accuracy_source"], shared["accuracy_source"])


def test_scale_of_features_changes_nothing_but_thresholds_given_as_numbers():
    features = avatars()
    larger = features.assign(value=features["value"] * 7)
    larger["value"].attrs["units"] = "1"
    a, b = (nr.cross_domain_accuracy(each, "cat", draws=4, seed=1, neutral=True) for each in (features, larger))
    np.testing.assert_allclose(a["accuracy_overall_with_neutral"], b["accuracy_overall_with_neutral"])
    np.testing.assert_allclose(7 * a["threshold"], b["threshold"])
    never = nr.cross_domain_accuracy(features, "cat", draws=4, seed=1, neutral=True, threshold=1e9)
    assert (never["confusion_with_neutral"].sel(answer="neutral").sum("category") == 10 + 5).all()


def test_intensity_is_read_out_exactly_where_features_are_linear_in_it():
    features = nr.example("Features")
    result = nr.cross_domain_accuracy(features, "human")
    assert result["readout_intensity"].values.tolist() == [0, 0.5, 1.0]
    np.testing.assert_allclose(result["readout_rmse"], 0, atol=1e-12)
    np.testing.assert_allclose(result["readout_rmse_image"].sel(read_from="own"), 0, atol=1e-12)
    assert result["test_domain"].values.tolist() == ["human", "macaque"]
    norm = features["value"].values[(features["norm_id"].values[:, None] == features["stimulus_id"].values).argmax(1)]
    weak = np.where(features["domain"].values == "macaque", 0.6, 1.0)[:, None]
    shrunk = features.assign(
        value=(("stimulus", "feature"), norm + weak * (features["value"].values - norm), {"units": "1"})
    )
    result = nr.cross_domain_accuracy(shrunk, "human")
    expected = np.sqrt(np.mean((0.4 * np.array([0, 0.5, 1.0])) ** 2))
    for read_from in ("own", "winner"):
        errors = result["readout_rmse"].sel(read_from=read_from).values
        np.testing.assert_allclose(errors, [0, expected], atol=1e-12)
    np.testing.assert_allclose(
        result["readout"].sel(read_from="own", test_domain="macaque", category="happy"), [0, 0.3, 0.6], atol=1e-12
    )
    image = result["readout_rmse_image"].sel(read_from="own", test_domain="macaque").item()
    assert image == pytest.approx(np.sqrt(np.mean([0.2**2, 0.4**2])))


def test_one_picture_of_each_makes_all_draws_alike_and_says_so():
    result = nr.cross_domain_accuracy(nr.example("Features"), "human", draws=3, seed=1)
    assert result.attrs["stored_sets"] == "1"
    assert (result["accuracy"] == 1).all() and result.sizes["draw"] == 3
    title = nr.plot.cross_domain(result)[0, 0].figure.get_suptitle()
    assert "alike" in title
    plt.close("all")


def test_a_neutral_neuron_answers_neutral():
    encoder = nr.NormEncoder("expressivity", neutral=True)
    settings = {"encoder": encoder, "draws": 3, "seed": 1}
    result = nr.cross_domain_accuracy(avatars(noise=0.05), "ada", neutral=True, **settings)
    assert (result["accuracy_overall_with_neutral"] == 1).all()
    assert (result["threshold"] == 0.5).all()  # the neuron competes beside the threshold, as in nr.read_out
    free = nr.cross_domain_accuracy(avatars(noise=0.05), "ada", neutral=True, threshold=None, **settings)
    assert np.isnan(free["threshold"]).all()
    assert (free["accuracy_overall_with_neutral"] == 1).all()
    forced = nr.cross_domain_accuracy(avatars(noise=0.05), "ada", **settings)
    assert (forced["accuracy_overall"] == 1).all()


def test_a_norm_is_inferred_from_an_expression_in_its_place():
    features = nr.example("Features")
    happy = {"macaque": {"expression": "happy", "intensity": 1.0}}
    result = nr.cross_domain_accuracy(features, "human", inferred=happy, neutral=True, threshold=0.1)
    stored = set(result["stimulus_id"].values[result["stored"].values])
    assert "macaque-happy-+1.00" in stored and "macaque-neutral-+0.00" not in stored
    assert result["n_stimuli"].item() == 3
    assert result["n_stimuli_with_neutral"].item() == 4  # the neutral face is tested now
    assert result["accuracy_with_neutral"].item() == 1
    np.testing.assert_allclose(result["readout_rmse"], 0, atol=1e-12)


def test_a_landmark_that_was_not_seen_contributes_nothing():
    faces = nr.load_stimuli("expressions", size=16, landmarks="stettler")
    features = nr.landmark_features(faces)
    features["value"][:, features["landmark"].values == "lower_lid_left"] = np.nan
    rest = features.isel(feature=features["landmark"].values != "lower_lid_left")
    for rule in ("projection", "landmark"):
        encoder = nr.NormEncoder(rule, scale="none")
        missing, without = (nr.cross_domain_accuracy(each, "human", encoder=encoder) for each in (features, rest))
        assert missing["confusion"].equals(without["confusion"])
        np.testing.assert_allclose(missing["readout_rmse"], without["readout_rmse"])


def test_compared_in_pairs_against_counting():
    features = avatars(noise=1.2)
    settings = {"draws": 15, "seed": 1}
    a = nr.cross_domain_accuracy(features, "ada", **settings)
    b = nr.cross_domain_accuracy(features, "ada", encoder=nr.AxisEncoder(), **settings)
    compared = nr.compare_accuracy(a, b)
    expected = (a["accuracy_transfer"] - b["accuracy_transfer"]).values
    np.testing.assert_allclose(compared["difference_of_draw"].sel(compared="transfer"), expected)
    assert compared["difference"].sel(compared="transfer").item() == pytest.approx(expected.mean())
    assert compared["share_better"].sel(compared="transfer").item() == (expected > 1e-12).mean()
    one = compared.sel(compared="transfer")
    assert one["stimuli_low"] < one["difference"] < one["stimuli_high"]
    back = nr.compare_accuracy(b, a)
    np.testing.assert_allclose(back["difference"], -compared["difference"])
    np.testing.assert_allclose(back["low"], -compared["high"])
    same = nr.compare_accuracy(a, a)
    assert (same["difference"] == 0).all() and (same["stimuli_high"] == 0).all()
    a, b = (nr.cross_domain_accuracy(features, "ada", encoder=each) for each in (None, nr.AxisEncoder()))
    single = nr.compare_accuracy(a, b).sel(compared="transfer")
    right = [np.nan_to_num(each["correct"].values, nan=-1) for each in (a, b)]
    away = features["domain"].values != "ada"
    better, worse = ((right[i] == 1) & (right[1 - i] == 0) & away for i in (0, 1))
    assert (single["n_better"].item(), single["n_worse"].item()) == (better.sum(), worse.sum())
    assert 0 <= single["p_value"].item() <= 1
    with pytest.raises(ValueError, match="same stored images; got others"):
        nr.compare_accuracy(*(nr.cross_domain_accuracy(features, "ada", draws=3, seed=seed) for seed in (1, 2)))
    with pytest.raises(ValueError, match="from the same source; got 'ada' and 'bob'"):
        nr.compare_accuracy(*(nr.cross_domain_accuracy(features, source) for source in ("ada", "bob")))
    with pytest.raises(ValueError, match="neutral=True"):
        nr.compare_accuracy(a, b, neutral=True)
    with pytest.raises(TypeError, match="cross_domain_accuracy"):
        nr.compare_accuracy(a, features["value"])


def test_intervals_over_heads_against_all_choices_of_them():
    """Of two heads a resample is one, the other or both: their differences, and that of both, are all there is."""
    features = avatars(noise=1.2)
    a, b = (nr.cross_domain_accuracy(features, "ada", encoder=each) for each in (None, nr.AxisEncoder()))
    compared = nr.compare_accuracy(a, b)
    one = compared.sel(compared="transfer")
    single = compared["difference"].sel(compared=["bob", "cat"]).values
    assert single[0] != single[1]
    assert (one["heads_low"].item(), one["heads_high"].item()) == (
        pytest.approx(min(single)),
        pytest.approx(max(single)),
    )
    assert np.isnan(compared["heads_low"].sel(compared=["bob", "cat"])).all()
    example = (nr.cross_domain_accuracy(nr.example("Features"), "human") for _ in range(2))
    assert np.isnan(nr.compare_accuracy(*example)["heads_high"]).all()  # there is one head only
    drawn = [nr.cross_domain_accuracy(features, "ada", encoder=e, draws=5, seed=1) for e in (None, nr.AxisEncoder())]
    low, high = (
        nr.compare_accuracy(*drawn)[name].sel(compared="transfer").item() for name in ("heads_low", "heads_high")
    )
    assert low <= nr.compare_accuracy(*drawn)["difference"].sel(compared="transfer").item() <= high


WRONG = {
    "encoder's name": ({"encoder": "norm"}, TypeError, "an encoder with fit and transform.*got 'norm'"),
    "encoder's class": ({"encoder": nr.AxisEncoder}, TypeError, "an encoder with fit and transform"),
    "seed": ({"draws": 2}, ValueError, "seed for random draws"),
    "draws": ({"draws": -1}, ValueError, "draws: needed at least 0"),
    "average drawn": ({"draws": 2, "seed": 1, "norms": "average"}, ValueError, "norms chosen by labels"),
    "average shared": ({"one_norm": True, "norms": "average"}, ValueError, "norms chosen by labels"),
    "threshold": ({"neutral": True, "threshold": "Half"}, ValueError, "unknown threshold 'Half'; nearest: 'half'"),
    "threshold's kind": ({"neutral": True, "threshold": [1]}, TypeError, "threshold: needed one number"),
    "threshold alone": ({"threshold": 5.0}, ValueError, "neutral=True beside threshold="),
    "seed alone": ({"seed": 1}, ValueError, "draws= beside seed="),
    "neutral's name": ({"neutral": "Neutral"}, ValueError, "expression for neutral 'Neutral'; nearest: 'neutral'"),
    "prototypes of another": (
        {"prototypes": {"joy": {"domain": "bob", "expression": "joy"}}},
        ValueError,
        "prototypes of the source, domain 'ada'; got 'bob' for 'joy'",
    ),
    "norm is prototype": ({"prototypes": {"expression": ["joy", "neutral"]}}, ValueError, "'neutral' that are both"),
    "label": ({"label": "expresion"}, ValueError, "'expresion'"),
    "no norm": ({"norms": {"expression": "calm"}}, ValueError, "no stimuli for the norms"),
    "norms": ({"norms": "neutral"}, TypeError, "norms as labels"),
    "inferred source": ({"inferred": {"ada": {"expression": "joy"}}}, ValueError, "label 'intensity'"),
    "other domain": ({"norms": {"dog": {"expression": "neutral"}}}, ValueError, "domains that occur"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings(case):
    settings, kind, said = WRONG[case]
    with pytest.raises(kind, match=said):
        nr.cross_domain_accuracy(avatars(), "ada", **settings)


def test_messages_show_no_secrets():
    """Neither what stored norms are called within, nor NumPy's kinds of text."""
    features = avatars()
    with pytest.raises(TypeError, match="source: the domain that is learned from, a text; got \\['ada'\\]"):
        nr.cross_domain_accuracy(features, ["ada"])
    alone = features.isel(stimulus=(features["domain"] == "ada").values)
    for given, settings in (
        (features, {"prototypes": {"joy": {"domain": "bob", "expression": "joy"}}}),
        (features, {"prototypes": {"domain": np.str_("bob"), "expression": np.array(["joy"])[0]}}),
        (features, {"prototypes": {"expression": np.str_("glee")}}),
        (alone, {}),
    ):
        with pytest.raises(ValueError) as told:
            nr.cross_domain_accuracy(given, "ada", **settings)
        assert "\x00" not in str(told.value) and "x00norm" not in str(told.value) and "np." not in str(told.value)


def both_ways(features, encoder, threshold="half"):
    """Return the protocol's result and what nr.read_out says of the same code, in the same order."""
    by_protocol = nr.cross_domain_accuracy(features, "human", encoder=encoder, neutral=True, threshold=threshold)
    fresh = copy.deepcopy(encoder)
    stored = features.isel(stimulus=by_protocol["stored"].values)  # the protocol learns from these alone
    fresh.fit(stored, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    return by_protocol, nr.read_out(fresh.transform(features), threshold=threshold)


ENCODERS = [
    nr.NormEncoder("projection", scale="none"),
    nr.NormEncoder("expressivity", neutral=True),
    nr.NormEncoder("landmark", 3.0, "none"),
    nr.NormEncoder("direction"),
    nr.AxisEncoder(),
    nr.ExemplarEncoder(),
    nr.NormPopulation(40, seed=1),
    nr.NormPopulation(40, directions="random", seed=1),
]


@pytest.mark.parametrize("encoder", ENCODERS, ids=lambda each: f"{each.name}-{getattr(each, 'rule', '')}")
def test_the_protocol_answers_as_the_read_out_does(encoder):
    """The same answers, θ and intensities, whatever neurons do at the norm and however many prefer the same."""
    features = nr.example("Features").assign_coords(landmark=("feature", [*"aabbccddeeff"]))
    rng = np.random.default_rng(3)
    features["value"].values[:] += rng.normal(0, 0.15, features["value"].shape)
    result, said = both_ways(features, encoder)
    assert result["threshold"].item() == pytest.approx(said.attrs["threshold"], rel=1e-9)
    shown = np.where(said["intensity"].values == 0, "neutral", said["expression"].values)
    tested = np.isfinite(result["correct_with_neutral"].values)
    right = (said["answer"].values == shown).astype(float)
    np.testing.assert_array_equal(right[tested], result["correct_with_neutral"].values[tested])
    expressive = np.isfinite(result["correct"].values)
    assert (result["winner"].values == said["forced_answer"].values)[expressive].all()
    np.testing.assert_allclose(
        result["readout_image"].sel(read_from="winner").values, said["read_intensity"].values, rtol=1e-9, atol=1e-12
    )
    assert np.isnan(said["read_intensity"].values).all() == (getattr(encoder, "rule", "") == "direction")


def test_the_result_without_intensities_read_is_drawn():
    result = nr.cross_domain_accuracy(nr.example("Features"), "human", encoder=nr.NormEncoder("direction"))
    assert np.isnan(result["readout_rmse"]).all()
    nr.plot.cross_domain(result)
    plt.close("all")


def test_norms_and_prototypes_one_by_one():
    features = avatars()
    each = {name: {"expression": "neutral"} for name in ("ada", "bob", "cat")}
    prototypes = {name: {"expression": name} for name in ("joy", "rage", "fear")}
    one = nr.cross_domain_accuracy(features, "ada", norms=each, prototypes=prototypes, draws=3, seed=1)
    assert (one["accuracy"] == nr.cross_domain_accuracy(features, "ada", draws=3, seed=1)["accuracy"]).all()


def test_the_whole_result_is_drawn():
    features = nr.example("Features")
    axes = nr.plot.cross_domain(nr.cross_domain_accuracy(features, "human", neutral=True))
    labels = [ax.get_xlabel() for ax in axes.ravel()]
    assert labels == ["", "intensity", "answered", "intensity"]
    assert "RMSE 0.000" in axes[1, 1].get_legend().get_texts()[1].get_text()
    axes = nr.plot.cross_domain(nr.cross_domain_accuracy(avatars(), "ada", draws=4, seed=1, neutral=True))
    assert axes.shape == (1, 2)
    assert [tick.get_text() for tick in axes[0, 1].get_xticklabels()] == ["joy", "rage", "fear", "neutral"]
    assert "4 draws" in axes[0, 0].figure.get_suptitle()
    plt.close("all")
    with pytest.raises(TypeError, match="nr.cross_domain_accuracy; got Dataset"):
        nr.plot.cross_domain(features)
