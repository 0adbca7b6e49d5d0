"""Norms: chosen, averaged, inferred, found where the head is not known, moved by adaptation; and landmarks not seen."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nrsim as nr
from nrsim.encoders import referenced
from nrsim.encoders.norms import explaining_norm

HUMAN = {"domain": "human", "intensity": 1.0}
NEUTRAL = {"intensity": 0.0}
HAPPY = {"macaque": {"expression": "happy", "intensity": 1.0}}


def fitted(features, rule="projection", norms=NEUTRAL, **more):
    return nr.NormEncoder(rule, scale="none").fit(features, prototypes=HUMAN, norms=norms, **more)


def chosen(features, **labels):
    mask = np.ones(features.sizes["stimulus"], dtype=bool)
    for name, value in labels.items():
        mask &= features[name].values == value
    return features.isel(stimulus=mask)


def without(features, **labels):
    return features.isel(stimulus=~np.isin(features["stimulus_id"].values, chosen(features, **labels)["stimulus_id"]))


@pytest.fixture
def marked():
    """Six landmarks, x and y of each."""
    points = [*"abcdef"]
    return nr.example("Features").assign_coords(
        landmark=("feature", np.repeat(points, 2)), feature_axis=("feature", ["x", "y"] * 6)
    )


def test_norms_of_each_domain_by_its_own_labels_and_as_numbers():
    features = nr.example("Features")
    known = fitted(features).norms_
    each = fitted(features, norms={"human": {"expression": "neutral"}, "macaque": {"intensity": 0.0}}).norms_
    xr.testing.assert_allclose(each, known)
    mixed = fitted(features, norms={"human": {"intensity": [0.0, 0.5]}, "macaque": {"intensity": 0.0}}).norms_
    human = np.isin(features["intensity"].values, [0.0, 0.5]) & (features["domain"].values == "human")
    assert mixed.sel(domain="human").values == pytest.approx(features["value"].values[human].mean(axis=0))
    moved = known + 1.0
    again = fitted(features, norms=moved.transpose("feature", "domain"))
    xr.testing.assert_allclose(again.norms_, moved)
    code, plain = again.transform(features), fitted(features, norms=moved.drop_vars("feature_id")).transform(features)
    assert (code["activity"].values == plain["activity"].values).all()
    assert "/tmp" not in code.attrs["parameters"] and "sha256" in code.attrs["parameters"]


def test_a_norm_that_was_never_shown_is_inferred_from_an_expressive_face():
    features = nr.example("Features")
    unseen = without(features, domain="macaque", intensity=0.0)
    inferred = fitted(unseen, inferred=HAPPY)
    assert inferred.norms_.sel(domain="macaque").values == pytest.approx(
        chosen(features, domain="macaque", intensity=0.0)["value"].values[0]  # the example adds the same to both heads
    )
    got, known = (encoder.transform(features)["activity"].values for encoder in (inferred, fitted(features)))
    assert got == pytest.approx(known)
    both = fitted(unseen, inferred={"macaque": {"intensity": [-0.5, 0.5, 1.0]}})  # averaged over faces of any strength
    assert both.norms_.values == pytest.approx(inferred.norms_.values)
    odd = features.copy(deep=True)
    odd["value"].values[(features["stimulus_id"] == "macaque-neutral-+0.00").values] += 5.0
    assert fitted(odd, inferred=HAPPY).norms_.values == pytest.approx(inferred.norms_.values)  # in place of that chosen
    named = {name: {**HUMAN, "expression": label} for name, label in (("smile", "happy"), ("scowl", "angry"))}
    by_name = nr.NormEncoder().fit(unseen, prototypes=named, norms=NEUTRAL, inferred=HAPPY)
    assert by_name.norms_.values == pytest.approx(inferred.norms_.values)
    neutral = {"macaque": {"expression": "neutral"}}  # of intensity 0: it is the norm
    assert fitted(features, inferred=neutral).norms_.values == pytest.approx(inferred.norms_.values)


def test_what_a_norm_cannot_be_inferred_from():
    features = nr.example("Features")
    with pytest.raises(ValueError, match="inferred norms of domains that no prototype comes from; got 'human'"):
        fitted(features, inferred={"human": {"expression": "happy", "intensity": 1.0}})
    with pytest.raises(ValueError, match="needed norms"):
        nr.NormEncoder().fit(features, prototypes=HUMAN, inferred=HAPPY)
    with pytest.raises(ValueError, match=r"stimuli to infer the norm of 'robot' from.*'human', 'macaque'"):
        fitted(features, inferred={"robot": {"expression": "happy"}})
    happy = {"smile": {"domain": "human", "expression": "happy", "intensity": 1.0}}
    with pytest.raises(ValueError, match="unknown expression to infer the norm of 'macaque' from 'angry'"):
        nr.NormEncoder().fit(
            features, prototypes=happy, norms=NEUTRAL, inferred={"macaque": {"expression": "angry", "intensity": 1.0}}
        )
    with pytest.raises(ValueError, match="the label 'intensity' on the faces"):
        nr.NormEncoder().fit(
            features.drop_vars("intensity"),
            prototypes={"domain": "human", "stimulus_id": "human-happy-+1.00"},
            norms={"expression": "neutral"},
            inferred={"macaque": {"expression": "happy"}},
        )
    with pytest.raises(TypeError, match="labels of the faces that the norm of 'macaque'"):
        fitted(features, inferred={"macaque": "happy"})


def test_wrong_norms_say_so():
    features = nr.example("Features")
    norms = fitted(features).norms_
    with pytest.raises(TypeError, match="norms as labels"):
        fitted(features, norms="mean")
    with pytest.raises(ValueError, match=r"stimuli for the norm of 'robot'"):
        fitted(features, norms={"robot": {"intensity": 0.0}})
    with pytest.raises(ValueError, match="whose feature_id differ"):
        fitted(features, norms=norms.isel(feature=slice(0, 3)))
    with pytest.raises(ValueError, match="names of the domains"):
        fitted(features, norms=norms.drop_vars("domain"))
    with pytest.raises(ValueError, match="norms that are finite"):
        fitted(features, norms=norms.where(norms["domain"] == "human"))
    with pytest.raises(ValueError, match="one norm for each domain"):
        fitted(features, norms=norms.assign_coords(domain=["human", "human"]))
    with pytest.raises(ValueError, match="for 'human'"):
        fitted(features, norms=norms.isel(domain=[1]))
    with pytest.raises(ValueError, match="the label 'domain' on the prototypes"):
        nr.NormEncoder().fit(features.drop_vars("domain"), prototypes={"intensity": 1.0}, norms=norms)
    with pytest.raises(ValueError, match="Name another label with norm_by"):
        fitted(features, norm_by="species")
    encoder = fitted(features)
    with pytest.raises(ValueError, match="needed the label 'domain' on the stimuli.*which_norm=\"nearest\""):
        encoder.transform(features.drop_vars("domain"))
    with pytest.raises(ValueError, match="unknown which_norm 'neares'; nearest: 'nearest'"):
        encoder.transform(features, which_norm="neares")


def test_which_head_is_this():
    """Where heads differ by less than expressions move them, setting expressions aside finds the head."""
    features = nr.example("Features")
    n = fitted(features)
    close = features.copy(deep=True)
    across = np.linalg.qr(np.column_stack([n.directions_.T, np.ones(12)]))[0][:, 2]
    human = features["value"].values[0]
    level = features["intensity"].values[:, None]
    own = np.where((features["expression"] == "happy").values[:, None], n.directions_[0], n.directions_[1])
    away = 0.5 * across + 2.0 * n.directions_[0]  # how the macaque differs: partly as a smile does
    close["value"].values[:] = human + 3.0 * level * own + (features["domain"] == "macaque").values[:, None] * away
    encoder = fitted(close)
    domain = close["domain"].values.astype(str)
    nameless = close.drop_vars("domain")
    found = {
        which: encoder.transform(nameless, which_norm=which)["norm_used"].values for which in ("nearest", "distance")
    }
    assert (found["nearest"] == domain).all()
    assert (found["distance"] != domain).any()
    by_hand = np.linalg.norm(close["value"].values[:, None] - encoder.norms_.values, axis=2).argmin(axis=1)
    assert (found["distance"] == encoder.norms_["domain"].values[by_hand]).all()
    labelled = encoder.transform(close)
    assert (labelled["norm_used"].values == domain).all()
    chosen_by_itself = encoder.transform(nameless, which_norm="nearest")
    assert chosen_by_itself["activity"].values == pytest.approx(labelled["activity"].values)
    others = [encoder.with_shuffled_directions(seed=1, repeats=5)]
    others += [nr.NormPopulation(50, directions=each, seed=1) for each in ("random", "scattered")]
    for other in others:  # whose own directions may span everything
        other = other if hasattr(other, "norms_") else other.fit(close, prototypes=HUMAN, norms=NEUTRAL)
        assert (other.transform(nameless, which_norm="nearest")["norm_used"].values == domain).all()
    one_frame_is_clear = xr.concat(
        [nameless.isel(stimulus=[0] * 14), nameless], "frame", coords="minimal", compat="override"
    )
    moving = nameless.assign(value=one_frame_is_clear["value"].transpose("stimulus", "frame", "feature"))
    assert encoder.transform(moving, which_norm="nearest")["norm_used"].dims == ("stimulus",)


def test_directions_of_a_population_do_not_decide_which_head_it_is():
    """200 random directions span all of 46 features: what is set aside are the learned ones alone."""
    rng = np.random.default_rng(2)
    rows = [(d, e, i) for d in ("human", "macaque") for e in ("happy", "angry") for i in np.linspace(0, 1, 15)]
    rows = [row for row in rows if row[1] == "happy" or row[2] > 0]
    norms = {name: rng.normal(0, 1.0, 46) for name in ("human", "macaque")}
    ways = {name: rng.normal(0, 4.0, 46) for name in ("happy", "angry")}
    value = np.array([norms[d] + i * ways[e] + rng.normal(0, 0.3 * (i < 1), 46) for d, e, i in rows])
    features = nr.example("Features").isel(stimulus=[0] * len(rows), feature=[0] * 46)
    features = features.assign(value=(("stimulus", "feature"), value, {"units": "1"})).assign_coords(
        stimulus_id=("stimulus", [f"s{i}" for i in range(len(rows))]),
        feature_id=("feature", [f"f{i}" for i in range(46)]),
        domain=("stimulus", [d for d, _, _ in rows]),
        expression=("stimulus", [e if i else "neutral" for _, e, i in rows]),
        intensity=("stimulus", [i for _, _, i in rows], {"units": "1"}),
    )
    population = nr.NormPopulation(200, directions="random", seed=1).fit(features, prototypes=HUMAN, norms=NEUTRAL)
    assert np.linalg.matrix_rank(population.directions_) == 46
    shuffled = fitted(features).with_shuffled_directions(seed=1, repeats=100)
    assert np.linalg.matrix_rank(shuffled.directions_) == 46
    for encoder in (population, shuffled):
        found = encoder.transform(features.drop_vars("domain"), which_norm="nearest")["norm_used"].values
        assert (found == features["domain"].values).all()


def test_the_head_is_found_from_what_was_seen():
    """Against least squares over the landmarks that were seen, pattern by pattern."""
    rng = np.random.default_rng(7)
    directions, norms = rng.normal(size=(3, 12)), rng.normal(size=(2, 12))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    value = norms[rng.integers(2, size=60)] + rng.normal(0, 3, (60, 3)) @ directions + rng.normal(0, 0.4, (60, 12))
    value[rng.random((60, 6)).repeat(2, axis=1) < 0.4] = np.nan
    value = value[np.isfinite(value).sum(axis=1) > 0]
    norms[1, 2:4] = np.nan

    def residual(u, r):
        seen = np.isfinite(u - r)
        fit = np.linalg.lstsq(directions[:, seen].T, (u - r)[seen], rcond=None)
        free = seen.sum() - fit[2]
        rest = ((u - r)[seen] - directions[:, seen].T @ fit[0]) ** 2
        return rest.sum() / free if free > 0 else np.inf

    judged = np.array([[residual(u, r) for r in norms] for u in value])
    clear = np.isfinite(judged).any(axis=1)
    found = explaining_norm(value[:, None], norms, directions)
    assert clear.sum() > 40
    assert (found[clear] == judged.argmin(axis=1)[clear]).all()
    distance = explaining_norm(value[:, None], norms)
    assert (found[~clear] == distance[~clear]).all()
    together = explaining_norm(np.stack([value, value], axis=1), norms, directions)  # frames that say the same
    assert (together == found).all()


def test_what_has_no_domain_is_held_against_the_nearest_norm():
    features = nr.example("Features")
    encoder = fitted(features)
    nameless = features.assign_coords(domain=("stimulus", [""] * features.sizes["stimulus"]))
    code, known = encoder.transform(nameless), encoder.transform(features)
    assert (code["norm_used"].values == features["domain"].values).all()
    assert code["activity"].values == pytest.approx(known["activity"].values)
    with pytest.raises(ValueError, match="none for 'robot'"):
        encoder.transform(features.assign_coords(domain=("stimulus", ["robot"] * features.sizes["stimulus"])))


def test_a_face_shown_for_long_pulls_the_norm_and_leaves_an_after_effect():
    """r_n = u + (1 − η)^n (r − u): the old norm then looks like the anti-face, by 1 − (1 − η)^n."""
    features = nr.example("Features")
    encoder = fitted(features)
    before = encoder.norms_.copy(deep=True)
    shown = chosen(features, stimulus_id="human-happy-+1.00")
    eta, n = 0.1, 7
    adapted = encoder.adapt(shown, rate=eta, exposures=n)
    u, r = shown["value"].values[0], before.sel(domain="human").values
    steps = np.arange(1, n + 1)[:, None]
    assert adapted.adaptation_.values == pytest.approx(u + (1 - eta) ** steps * (r - u))
    assert adapted.norms_.sel(domain="human").values == pytest.approx(u + (1 - eta) ** n * (r - u))
    assert adapted.norms_.sel(domain="macaque").values == pytest.approx(before.sel(domain="macaque").values)
    xr.testing.assert_identical(encoder.norms_, before)  # the encoder itself stays
    assert encoder.adaptation_ is None

    moved = 1 - (1 - eta) ** n
    neutral, anti = (
        chosen(features, stimulus_id="human-neutral-+0.00"),
        chosen(features, stimulus_id="human-happy--0.50"),
    )
    happy = {"anti": {"stimulus_id": "human-happy--0.50"}, "happy": {"stimulus_id": "human-happy-+1.00"}}
    both = nr.NormEncoder("projection").fit(features, prototypes=happy, norms=NEUTRAL)
    after = both.adapt(shown, rate=eta, exposures=n)
    assert both.transform(neutral)["activity"].values == pytest.approx(0.0)
    assert after.transform(neutral)["activity"].values[0] == pytest.approx([moved / 0.5, 0.0])  # an anti-face percept
    assert after.transform(shown)["activity"].values[0] == pytest.approx([0.0, 1 - moved])  # and less of what was shown
    assert after.transform(anti)["activity"].values[0] == pytest.approx([(0.5 + moved) / 0.5, 0.0])
    assert after.transform(anti)["at_prototype"].values == pytest.approx(1.0)  # what reads the code does not know
    assert after.transform(neutral)["distance"].values == pytest.approx(moved * np.linalg.norm(u - r))


def test_norms_are_learned_in_the_order_of_what_is_shown():
    features = nr.example("Features")
    encoder = fitted(features)
    adapted = encoder.adapt(features, rate=0.2)
    expected = {
        str(name): row.copy() for name, row in zip(encoder.norms_["domain"].values, encoder.norms_.values, strict=True)
    }
    for u, name in zip(features["value"].values, features["domain"].values.astype(str), strict=True):
        expected[name] += 0.2 * (u - expected[name])
    for name, row in expected.items():
        assert adapted.norms_.sel(domain=name).values == pytest.approx(row)
    assert (adapted.adaptation_["stimulus_id"].values == features["stimulus_id"].values).all()
    in_two = encoder.adapt(features.isel(stimulus=slice(0, 5)), rate=0.2).adapt(
        features.isel(stimulus=slice(5, None)), rate=0.2
    )
    assert in_two.norms_.values == pytest.approx(adapted.norms_.values)
    assert in_two.adaptation_.values == pytest.approx(adapted.adaptation_.values)
    assert '"rate": 0.2' in in_two.transform(features).attrs["parameters"]
    still = encoder.adapt(features, rate=0.0, exposures=3)
    assert still.norms_.values == pytest.approx(encoder.norms_.values)
    moving = features.assign(value=features["value"].expand_dims(frame=2, axis=1))
    frames = encoder.adapt(moving.isel(stimulus=[3]), rate=0.2)
    assert frames.norms_.values == pytest.approx(
        encoder.adapt(features.isel(stimulus=[3]), rate=0.2, exposures=2).norms_.values
    )


def test_a_long_path_is_kept_in_part(monkeypatch):
    features = nr.example("Features")
    encoder = fitted(features)
    whole = encoder.adapt(features, rate=0.2, exposures=2)
    assert whole.adaptation_["showing"].values.tolist() == list(range(1, 29))
    monkeypatch.setattr(referenced, "_PATH", 10 * 12)
    thinned = encoder.adapt(features, rate=0.2, exposures=2)
    kept = [3, 6, 9, 12, 15, 18, 21, 24, 27, 28]
    assert thinned.adaptation_["showing"].values.tolist() == kept
    assert thinned.adaptation_.values == pytest.approx(whole.adaptation_.values[np.array(kept) - 1])
    assert thinned.norms_.values == pytest.approx(whole.norms_.values)
    again = thinned.adapt(features, rate=0.2)
    assert again.adaptation_["showing"].values[-1] == 28 + 14
    with pytest.raises(ValueError, match="stimuli to adapt to; got none"):
        encoder.adapt(features.isel(stimulus=[]), rate=0.1)


def test_a_domain_without_a_norm_begins_with_its_first_face_and_one_without_a_name_is_found():
    features = nr.example("Features")
    encoder = fitted(chosen(features, domain="human"))
    macaque = chosen(features, domain="macaque")
    value = macaque["value"].values
    adapted = encoder.adapt(macaque, rate=0.3)
    assert adapted.adaptation_.values[:2] == pytest.approx(np.stack([value[0], value[0] + 0.3 * (value[1] - value[0])]))
    assert adapted.transform(macaque)["norm_used"].values.tolist() == ["macaque"] * 7
    known = fitted(features)
    nameless = features.drop_vars("domain")
    for which in ("nearest", "distance"):
        moved = known.adapt(nameless, rate=0.1, which_norm=which)
        assert moved.norms_.values == pytest.approx(known.adapt(features, rate=0.1).norms_.values)
    blank = features.assign_coords(domain=("stimulus", [""] * 14))
    assert known.adapt(blank, rate=0.1).norms_.values == pytest.approx(moved.norms_.values)
    with pytest.raises(ValueError, match="to know whose norm moves"):
        known.adapt(nameless, rate=0.1)
    with pytest.raises(ValueError, match="rate: needed at most 1"):
        known.adapt(features, rate=1.5)
    with pytest.raises(ValueError, match="call fit"):
        nr.NormEncoder().adapt(features, rate=0.1)


@pytest.mark.parametrize("rule", ["landmark", "projection", "general", "linear"])
def test_a_landmark_that_was_not_seen_contributes_nothing(marked, rule):
    encoder = nr.NormEncoder(rule, scale="none").fit(marked, prototypes=HUMAN, norms=NEUTRAL)
    unseen, still = marked.copy(deep=True), marked.copy(deep=True)
    rows = encoder._rows(marked["domain"].values.astype(str), "")
    unseen["value"].values[:, 4:6] = np.nan
    still["value"].values[:, 4:6] = encoder.norms_.values[rows, 4:6]  # where it is in the norm
    got, expected = encoder.transform(unseen), encoder.transform(still)
    assert got["activity"].values == pytest.approx(expected["activity"].values)
    assert got["distance"].values == pytest.approx(expected["distance"].values)
    assert not np.allclose(got["activity"].values, encoder.transform(marked)["activity"].values)
    found = encoder.transform(unseen, which_norm="nearest")
    assert (found["norm_used"].values == marked["domain"].values).all()


def test_a_landmark_that_a_prototype_or_a_norm_does_not_show(marked):
    ids = marked["stimulus_id"].values
    for name in ("human-happy-+1.00", "human-neutral-+0.00"):
        unseen = marked.copy(deep=True)
        unseen["value"].values[ids == name, 4:6] = np.nan
        encoder = nr.NormEncoder("landmark", scale="none").fit(unseen, prototypes=HUMAN, norms=NEUTRAL)
        assert (encoder.directions_[0, 4:6] == 0).all()
        own = encoder.directions_[0, [0, 1, 2, 3, *range(6, 12)]]
        full = nr.NormEncoder("landmark").fit(marked, prototypes=HUMAN, norms=NEUTRAL)
        rest = full.directions_[0, [0, 1, 2, 3, *range(6, 12)]]
        assert own == pytest.approx(rest / np.linalg.norm(rest))
        code = nr.schema.check(encoder.transform(unseen), "FaceCode")
        assert code["activity"].values[ids == "human-neutral-+0.00"] == pytest.approx(0.0)
    averaged = marked.copy(deep=True)  # of several stimuli, those that show it count
    averaged["value"].values[ids == "human-happy-+0.50", 4:6] = np.nan
    both = nr.NormEncoder().fit(averaged, prototypes={"domain": "human", "intensity": [0.5, 1.0]}, norms=NEUTRAL)
    assert np.isfinite(both.directions_).all() and (both.directions_[:, 4:6] != 0).all()
    norms = both.norms_.copy()
    norms.values[1, 4:6] = np.nan
    assert nr.NormEncoder().fit(marked, prototypes=HUMAN, norms=norms).transform(marked).sizes["neuron"] == 2
    moved = both.adapt(averaged, rate=0.5)
    assert np.isfinite(moved.norms_.values).all()


def test_rivals_leave_out_what_was_not_seen(marked):
    fit = {"prototypes": HUMAN, "norms": NEUTRAL}
    unseen = marked.copy(deep=True)
    unseen["value"].values[:, 4:6] = np.nan
    few = marked.isel(feature=[0, 1, 2, 3, *range(6, 12)])
    exemplar = nr.ExemplarEncoder().fit(unseen, **fit)
    assert exemplar.transform(unseen)["activity"].values == pytest.approx(
        nr.ExemplarEncoder().fit(few, **fit).transform(few)["activity"].values
    )
    full = nr.ExemplarEncoder().fit(marked, **fit)
    got = full.transform(unseen)["activity"].values
    assert not np.allclose(got, full.transform(marked)["activity"].values)
    d = unseen["value"].values[:, None] - full.exemplars_
    assert got == pytest.approx(np.exp(-12 * np.nanmean(d**2, axis=2) / (2 * full.sigma_**2)))  # as if all were so far
    some, others = marked.copy(deep=True), marked.isel(stimulus=[1])
    some["value"].values[:, :6] = np.nan
    others["value"].values[:, 6:] = np.nan
    assert (nr.ExemplarEncoder().fit(some, **fit).transform(others)["activity"].values == 0).all()  # nothing in common
    axis = nr.AxisEncoder().fit(unseen, **fit)
    assert axis.transform(unseen)["activity"].values == pytest.approx(
        nr.AxisEncoder().fit(few, **fit).transform(few)["activity"].values
    )


def test_landmarks_that_are_asked_too_much(marked):
    half = marked.copy(deep=True)
    half["value"].values[3, 4] = np.nan  # x of c, and not y
    for encoder in (nr.NormEncoder("landmark"), nr.AxisEncoder()):
        with pytest.raises(ValueError, match=r"both coordinates of the landmark 'c'.*NaN in 'human-.*\(1 stimuli\)"):
            encoder.fit(half, prototypes=HUMAN, norms=NEUTRAL)
        encoder.fit(marked, prototypes=HUMAN, norms=NEUTRAL)
        with pytest.raises(ValueError, match="both coordinates of the landmark 'c'"):
            encoder.transform(half)
    with pytest.raises(ValueError, match="the label 'landmark' on all features for the rule 'landmark'; got none"):
        nr.NormEncoder("landmark").fit(nr.example("Features"), prototypes=HUMAN, norms=NEUTRAL)
    joined = marked.assign_coords(landmark=("feature", ["", "", *marked["landmark"].values[2:]]))
    with pytest.raises(ValueError, match="2 of 12 are ''"):
        nr.NormEncoder("landmark").fit(joined, prototypes=HUMAN, norms=NEUTRAL)
    encoder = nr.NormEncoder("landmark").fit(marked, prototypes=HUMAN, norms=NEUTRAL)
    blind = marked.copy(deep=True)
    blind["value"].values[[2, 5]] = np.nan
    with pytest.raises(
        ValueError, match=r"at least one landmark of each stimulus; got none of 'human-happy.*2 stimuli"
    ):
        encoder.transform(blind)
    gone = marked.copy(deep=True)
    gone["value"].values[marked["stimulus_id"].values == "human-happy-+1.00"] = np.nan
    with pytest.raises(ValueError, match="'happy' equals it"):
        nr.NormEncoder("landmark").fit(gone, prototypes=HUMAN, norms=NEUTRAL)


def test_the_avatar_of_hand_marked_pictures_is_found(real_data):
    """120 pictures of three FERG avatars, 13 points each: the numbers of docs/encoders.md."""
    table = pd.read_csv(real_data / "ferg_landmarks" / "landmarks.csv")
    points = sorted(table["landmark"].unique())
    places = table.pivot(index="image", columns="landmark", values=["x_px", "y_px"])
    images = table.drop_duplicates("image").set_index("image").loc[places.index]
    value = np.stack([places["x_px"][points].to_numpy(), places["y_px"][points].to_numpy()], axis=2)
    template = nr.example("Features").isel(stimulus=[0] * len(images), feature=[0] * (2 * len(points)))
    shown = (images["expression"] != "neutral").to_numpy()
    features = template.assign(
        value=(("stimulus", "feature"), value.reshape(len(images), -1).astype(float), {"units": "1"})
    ).assign_coords(
        stimulus_id=("stimulus", [f"picture-{name}" for name in images.index]),
        domain=("stimulus", images["domain"].to_numpy(dtype=str)),
        expression=("stimulus", images["expression"].to_numpy(dtype=str)),
        intensity=("stimulus", shown.astype(float), {"units": "1"}),
        feature_id=("feature", [f"{point} {axis}" for point in points for axis in "xy"]),
        landmark=("feature", np.repeat(points, 2)),
    )
    assert len(images) == 120
    for source, by_distance in (("aia", 0.568), ("bonnie", 0.768), ("ray", 0.55)):
        encoder = nr.NormEncoder("projection", scale="none")
        encoder.fit(features, prototypes={"domain": source, "intensity": 1.0}, norms=NEUTRAL)
        tested = shown & (features["domain"].values != source)
        found = [
            (encoder.transform(features, which_norm=which)["norm_used"].values == features["domain"].values)[
                tested
            ].mean()
            for which in ("nearest", "distance")
        ]
        assert found == pytest.approx([1.0, by_distance], abs=0.001)
