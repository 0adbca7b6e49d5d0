import numpy as np
import pytest
import xarray as xr

import nrsim as nr

EYES = ["eye_left", "eye_right"]
PAIRS = [
    *(("brow_inner_left", "brow_inner_right"), ("brow_outer_left", "brow_outer_right")),
    *(("mouth_corner_left", "mouth_corner_right"), ("lower_lid_left", "lower_lid_right")),
]


@pytest.fixture(scope="module")
def faces():
    rows = [
        {"domain": domain, "expression": expression, "intensity": level, "x": x, "stimulus_id": f"{domain[0]}-{name}"}
        for domain in ("human", "macaque")
        for name, expression, level, x in (
            *(("0", "happy", 0.0, 0.0), ("h", "happy", 1.0, 0.0), ("s", "surprised", 1.0, 0.0)),
            *(("r", "neutral", 0.0, 0.4), ("hr", "happy", 1.0, 0.4)),
        )
    ]
    return nr.render_faces(rows, size=64)


def test_places_are_those_of_the_landmarks_with_y_up(faces):
    features = nr.landmark_features(faces, ["chin", "nose_tip"])
    assert [str(name) for name in features["feature_id"].values] == ["chin x", "chin y", "nose_tip x", "nose_tip y"]
    np.testing.assert_allclose(features["value"][:, 0], faces["landmark"].sel(point="chin", axis="x"))
    np.testing.assert_allclose(features["value"][:, 3], -faces["landmark"].sel(point="nose_tip", axis="y"))
    assert (features["domain"] == faces["domain"]).all()
    assert features["landmark"].values.tolist() == ["chin", "chin", "nose_tip", "nose_tip"]
    assert features["feature_axis"].values.tolist() == ["x", "y", "x", "y"]


def test_a_reference_takes_the_place_of_the_face_out_and_a_scale_its_size(faces):
    by_id = [str(name) for name in faces["stimulus_id"].values]
    pairs = [(by_id.index(f"{d}-h"), by_id.index(f"{d}-hr")) for d in "hm"]
    plain, referred = nr.landmark_features(faces), nr.landmark_features(faces, reference=EYES)
    for a, b in pairs:
        assert np.abs(plain["value"][a] - plain["value"][b]).max() > 3
        np.testing.assert_allclose(referred["value"][a], referred["value"][b], atol=1e-6)
    scaled = nr.landmark_features(faces, reference=EYES, scale=tuple(EYES))
    larger = faces.assign_coords(landmark=3.7 * faces["landmark"])
    np.testing.assert_allclose(
        nr.landmark_features(larger, reference=EYES, scale=tuple(EYES))["value"], scaled["value"], atol=1e-9
    )
    apart = np.diff(nr.landmark_features(faces, EYES, scale=tuple(EYES))["value"].values.reshape(-1, 2, 2), axis=1)
    np.testing.assert_allclose(np.linalg.norm(apart, axis=-1), 1)
    np.testing.assert_allclose(nr.landmark_features(faces, scale=4)["value"], plain["value"] / 4)


def test_symmetric_features_of_a_symmetric_face_are_its_own_and_errors_are_halved(faces):
    names = [name for pair in PAIRS for name in pair] + ["upper_lip"]
    plain, even = (nr.landmark_features(faces, names, reference=EYES, mirrored=m) for m in (None, PAIRS))
    np.testing.assert_allclose(plain["value"], even["value"], atol=0.1)  # px: rendered heads are symmetric
    rng = np.random.default_rng(0)
    noise = xr.DataArray(rng.normal(size=(4000, len(names), 2)), dims=("stimulus", "point", "axis"))
    noise = noise.assign_coords(point=names, axis=["x", "y"], stimulus_id=("stimulus", [str(i) for i in range(4000)]))
    spread = nr.landmark_features(noise, mirrored=PAIRS)["value"].values.std(axis=0)
    np.testing.assert_allclose(spread[:-2], np.sqrt(0.5), rtol=0.05)
    np.testing.assert_allclose(spread[-2:], [0, 1], rtol=0.05)  # no partner: vertical only


def test_points_made_of_others_and_points_not_seen(faces):
    marks = faces["landmark"].copy()
    marks[0, list(marks["point"].values).index("eye_left")] = np.nan
    features = nr.landmark_features(marks, {"eyes": EYES, "nose": "nose_tip"})
    assert np.isnan(features["value"][0, :2]).all() and np.isfinite(features["value"][1:]).all()
    np.testing.assert_allclose(features["value"][1, 0], faces["landmark"][1].sel(point=EYES, axis="x").mean())


def test_a_reference_that_was_not_seen_is_named(faces):
    marks = faces["landmark"].copy()
    names = marks["point"].values.tolist()
    marks[[1, 3], names.index("eye_left")] = np.nan
    said = "the point 'eye_left', which reference= names, in every picture; got none in 'h-h' and 1 more"
    with pytest.raises(ValueError, match=said):
        nr.landmark_features(marks, ["chin"], reference=EYES)
    with pytest.raises(ValueError, match="'eye_left', which scale= names, .* Choose another scale, or leave"):
        nr.landmark_features(marks, ["chin"], scale=tuple(EYES))
    nothing = faces["landmark"].where(faces["stimulus_id"] != "h-h")  # a picture that nobody marked stays NaN
    features = nr.landmark_features(nothing, ["chin"], reference=EYES)
    assert np.isnan(features["value"].values).all(axis=1).tolist() == (faces["stimulus_id"] == "h-h").values.tolist()


def test_units_are_px_unless_a_scale_is_given(faces):
    assert nr.landmark_features(faces)["value"].attrs["units"] == "px"
    assert nr.landmark_features(faces, scale=tuple(EYES))["value"].attrs["units"] == "1"
    px = nr.landmark_features(faces, ["chin"])
    assert nr.join_features([px, px])["value"].attrs["units"] == "px"
    assert nr.join_features([px, nr.landmark_features(faces, scale=2)])["value"].attrs["units"] == "1"
    with pytest.raises(ValueError, match=r"Load pictures with landmarks=, or give nr.read_landmarks\(…\); rendered"):
        nr.landmark_features(faces.drop_vars(["landmark", "point", "axis"]))


def test_frames_travel():
    rows = [{"domain": "human", "expression": "happy", "intensity": 1.0, "course": "ramp"}]
    moving = nr.render_faces(rows, size=16, frames=3)
    features = nr.landmark_features(moving, ["mouth_corner_left"])
    assert features["value"].dims == ("stimulus", "frame", "feature")
    assert features["frame_time"].equals(moving["frame_time"])
    np.testing.assert_allclose(
        features["value"][0, :, 1], -moving["landmark"][0].sel(point="mouth_corner_left", axis="y")
    )


def test_landmarks_alone_recognise_expressions_and_read_their_intensity():
    features = nr.landmark_features(nr.load_stimuli("expressions", size=16, landmarks="stettler"))
    for source in ("human", "macaque", "cartoon"):
        result = nr.cross_domain_accuracy(features, source)
        assert (result["accuracy"] == 1).all()
        error = result["readout_rmse"].sel(read_from="own")
        assert error[0] <= 0.05 and (error[1:] <= 0.10).all()  # Stettler et al. 2023: 0.068 and 0.229


def test_wrong_landmarks_are_named(faces):
    for settings, kind, said in (
        ({"points": ["mouth_corner"]}, ValueError, "unknown landmark 'mouth_corner'; nearest: 'mouth_corner"),
        ({"points": []}, ValueError, "points: names of points"),
        ({"reference": "eyes"}, ValueError, "unknown landmark 'eyes'"),
        ({"scale": 0}, ValueError, "scale: needed above 0|more than 0|above"),
        ({"scale": "eye_left"}, TypeError, "two points"),
        ({"scale": ("eye_left", "eye_left")}, ValueError, "two points apart"),
        ({"points": ["chin"], "mirrored": [("chin", "jaw")]}, ValueError, "unknown landmark of a mirrored pair 'jaw'"),
        ({"mirrored": ["ab"]}, TypeError, "pairs of points"),
    ):
        with pytest.raises(kind, match=said):
            nr.landmark_features(faces, **settings)
    with pytest.raises(ValueError, match="landmark"):
        nr.landmark_features(nr.example("Features"))
    with pytest.raises(TypeError, match="got list"):
        nr.landmark_features([1, 2])


def varied(n=400, seed=0, loud=5):
    """Two heads, two categories in 4 features, which vary within categories along the first, ``loud`` times as much."""
    rng = np.random.default_rng(seed)
    shows = np.array(["neutral", *(["a"] * n), *(["b"] * n)] * 2)
    who = np.repeat(["ann", "ben"], 2 * n + 1)
    mean = np.stack([np.zeros(4) if s == "neutral" else np.eye(4)[2 if s == "a" else 3] * 8 for s in shows])
    value = mean + (shows != "neutral")[:, None] * rng.normal(size=(len(shows), 4)) * (loud, 1, 1, 1)
    value += np.where(who == "ann", 3.0, -40.0)[:, None]
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(len(shows))]),
        "identity": ("stimulus", who),
        "shows": ("stimulus", shows),
        "intensity": ("stimulus", (shows != "neutral").astype(float), {"units": "1"}),
        "feature_id": ("feature", list("wxyz")),
    }
    attrs = {key: nr.example("Features").attrs[key] for key in ("title", "source", "history", "parameters")}
    made = xr.Dataset({"value": (("stimulus", "feature"), value, {"units": "1"})}, coords)
    return made.assign_attrs(attrs, schema="Features", nrsim_version="0")


def test_fisher_metric_against_its_closed_form():
    features = varied()
    metric = nr.FisherMetric(ridge=0.5).fit(features, label="shows", norm_by="identity")
    variance = np.array([25, 1, 1, 1]) / 7
    np.testing.assert_allclose(metric.covariance_, np.diag(variance), atol=0.15)
    expected = (np.diag(metric.covariance_) + 0.5) ** -0.5
    np.testing.assert_allclose(np.diag(metric.matrix_), expected / expected.mean(), rtol=0.02)
    np.testing.assert_allclose(metric.matrix_, metric.matrix_.T)
    squared = np.linalg.inv(metric.matrix_) @ np.linalg.inv(metric.matrix_)
    kept = squared - metric.covariance_ * squared[0, 0] / (metric.covariance_[0, 0] + 0.5)
    np.testing.assert_allclose(kept - np.diag(np.diag(kept)), 0, atol=1e-9)
    turned = metric.transform(features)
    np.testing.assert_allclose(turned["value"], features["value"].values @ metric.matrix_)
    assert turned["feature_id"].equals(features["feature_id"])


def test_fisher_metric_of_a_large_ridge_or_of_scaled_faces_changes_nothing():
    features = varied()
    metric = nr.FisherMetric(1e9).fit(features, label="shows", norm_by="identity")
    np.testing.assert_allclose(metric.matrix_, np.eye(4), atol=1e-6)
    ben = (features["identity"] == "ben").values[:, None]
    larger = features.assign(value=features["value"] * np.where(ben, 9.0, 1.0))
    larger["value"].attrs["units"] = "1"
    once, again = (nr.FisherMetric().fit(f, label="shows", norm_by="identity").matrix_ for f in (features, larger))
    np.testing.assert_allclose(once, again)


def test_fisher_metric_helps_where_prototypes_vary_along_a_loud_axis():
    features = varied(12, seed=3, loud=12)
    tested = features.assign_coords(
        domain=("stimulus", features["identity"].values), expression=("stimulus", features["shows"].values)
    )
    settings = {"prototypes": {"intensity": 1.0}, "draws": 60, "seed": 1}
    plain = nr.cross_domain_accuracy(tested, "ann", **settings)
    metric = nr.FisherMetric(0.1).fit(varied(seed=9, loud=12), label="shows", norm_by="identity")
    fisher = nr.cross_domain_accuracy(metric.transform(tested), "ann", **settings)
    compared = nr.compare_accuracy(fisher, plain).sel(compared="transfer")
    assert compared["difference"] > 0.05 and compared["share_better"] > 0.6


def test_fisher_metric_refuses_what_it_cannot_use():
    features = varied(3)
    with pytest.raises(ValueError, match="above 0|more than 0"):
        nr.FisherMetric(0)
    with pytest.raises(ValueError, match="'show'"):
        nr.FisherMetric().fit(features, label="show")
    with pytest.raises(ValueError, match="not fitted"):
        nr.FisherMetric().transform(features)
    once = features.isel(stimulus=[0, 1, 4])
    with pytest.raises(ValueError, match="two or more stimuli of a category"):
        nr.FisherMetric().fit(once, label="shows", norm_by="identity")
    with pytest.raises(ValueError, match="a norm for each identity; got none for 'ben'"):
        nr.FisherMetric().fit(features.isel(stimulus=[0, 1, 2, 8, 9]), label="shows", norm_by="identity")
    metric = nr.FisherMetric().fit(features, label="shows", norm_by="identity")
    with pytest.raises(ValueError, match="features it was fitted on"):
        metric.transform(nr.example("Features"))


def test_variants_of_expressions_vary_about_the_prototype():
    faces = nr.render_expression_variants(["human"], seed=1, people=2, variants=5, landmarks="stettler", size=16)
    assert faces.sizes["stimulus"] == 2 * (1 + 6 * 5)
    assert sorted(set(faces["shows"].values)) == [
        "angry",
        "disgusted",
        "fearful",
        "happy",
        "neutral",
        "sad",
        "surprised",
    ]
    again = nr.render_expression_variants(["human"], seed=1, people=2, variants=6, landmarks="stettler", size=16)
    same = again.isel(stimulus=np.isin(again["stimulus_id"], faces["stimulus_id"]))
    assert (same["image_sha256"].values == faces["image_sha256"].values).all()  # one more changes no other
    place = nr.landmark_features(faces)
    result = nr.cross_domain_accuracy(
        place.assign_coords(expression=("stimulus", faces["shows"].values)), "person-01", norm_by="identity"
    )
    assert result["accuracy_transfer"].item() > 0.8
    fixed = nr.render_expression_variants(["human"], seed=1, people=1, variants=2, spread=0, extra=0, size=16)
    happy = fixed.isel(stimulus=(fixed["shows"] == "happy").values)["landmark"].values
    np.testing.assert_allclose(happy[0], happy[1])
    with pytest.raises(TypeError, match="a list of head shapes"):
        nr.render_expression_variants("human", seed=1)
