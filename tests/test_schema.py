import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.errors import SchemaError


@pytest.mark.parametrize("noun", list(nr.schema.NOUNS))
def test_example_is_valid_and_survives_netcdf(noun, tmp_path):
    made = nr.example(noun)
    made.to_netcdf(tmp_path / "noun.nc")
    back = xr.load_dataset(tmp_path / "noun.nc")
    assert nr.schema.check(back, noun) is back
    assert nr.identical(made, back)


def test_every_fault_is_reported_at_once():
    broken = nr.example("StimulusSet").drop_vars("stimulus_id").drop_attrs(deep=False)
    broken["image"][0, 3, 4] = np.nan
    broken["y"].attrs["units"] = "px"
    broken.attrs["parameters"] = {"a": 1}
    with pytest.raises(SchemaError) as caught:
        nr.schema.check(broken, "StimulusSet")
    message = str(caught.value)
    for part in ("stimulus_id", "NaN", "(0, 3, 4)", "'degree'", "'px'", "attribute 'parameters'", "'title'"):
        assert part in message


def test_pictures_are_looked_at_in_small_runs_and_a_fault_is_found_in_a_later_one(monkeypatch):
    sizes, look = [], np.isfinite
    image = np.full((9, 32, 32), 0.5, np.float32)
    image[7, 3, 4] = np.nan
    labels = {"stimulus_id": ("stimulus", [f"s{i}" for i in range(9)])}
    stimuli = xr.Dataset({"image": (("stimulus", "y", "x"), image, {"units": "1"})}, labels)
    monkeypatch.setattr("nrsim.schema._BLOCK", 2 * image[0].nbytes)
    monkeypatch.setattr("numpy.isfinite", lambda block: sizes.append(len(block)) or look(block))
    with pytest.raises(SchemaError, match=r"1 are NaN or infinite, the first at \(7, 3, 4\) \(stimuli 's7'\)"):
        nr.schema.check(stimuli, "StimulusSet")
    assert sizes == [2, 2, 2, 2, 1]


def test_wrong_dims_and_doubled_labels_are_named():
    features = nr.example("Features")
    turned = features.assign(value=features["value"].transpose())
    with pytest.raises(SchemaError, match=r"value \(stimulus, feature\).*got the dims \(feature, stimulus\)"):
        nr.schema.check(turned, "Features")
    doubled = features.assign_coords(stimulus_id=("stimulus", ["a"] * features.sizes["stimulus"]))
    with pytest.raises(SchemaError, match="'a' come more than once"):
        nr.schema.check(doubled, "Features")


def test_only_a_landmark_may_be_missing():
    features = nr.example("Features")
    names = ["", "", *["mouth"] * 10]
    marked = features.assign_coords(landmark=("feature", names))
    value = features["value"].values.copy()
    value[3, 4] = np.nan
    unseen = marked.assign(value=(("stimulus", "feature"), value, {"units": "1"}))
    assert nr.schema.check(unseen, "Features") is unseen
    for broken, at in ((unseen.drop_vars("landmark"), "(3, 4)"), (unseen.copy(deep=True), "(0, 1)")):
        if at == "(0, 1)":
            broken["value"][0, 1] = np.nan
        with pytest.raises(SchemaError, match="1 are NaN or infinite") as caught:
            nr.schema.check(broken, "Features")
        assert at in str(caught.value)
    unseen["value"][3, 4] = np.inf
    with pytest.raises(SchemaError, match=r"1 are NaN or infinite, the first at \(3, 4\)"):
        nr.schema.check(unseen, "Features")


def test_another_noun_is_recognised():
    with pytest.raises(SchemaError, match="the dataset says it is a Features"):
        nr.schema.check(nr.example("Features"), "Recording")


def test_spikes_that_belong_to_no_stimulus_are_a_fault():
    part = nr.example("Recording").isel(stimulus=slice(0, 3))
    with pytest.raises(SchemaError, match=r"spikes belong to no stimulus.*nr\.select"):
        nr.schema.check(part, "Recording")


def test_luminance_out_of_range():
    faces = nr.example("StimulusSet")
    with pytest.raises(SchemaError, match=r"luminance in 0\.\.1"):
        nr.schema.check(faces.assign(image=faces["image"] * 255), "StimulusSet")


def test_unknown_noun_names_the_nearest():
    with pytest.raises(ValueError, match="nearest: 'Recording'"):
        nr.example("Recordings")
    with pytest.raises(TypeError, match="xarray.Dataset; got int"):
        nr.schema.check(3, "Recording")


def test_pictures_stored_upside_down_are_refused():
    faces = nr.example("StimulusSet")
    for turned, words in (
        (faces.isel(y=slice(None, None, -1)), "y: needed values that fall"),
        (faces.sortby("x", ascending=False), "x: needed values that rise"),
    ):
        with pytest.raises(nr.schema.SchemaError, match=words):
            nr.schema.check(turned, "StimulusSet")
    nr.schema.check(faces.isel(y=slice(None, None, -1)).sortby("y", ascending=False), "StimulusSet")


def test_own_labels_travel_from_the_picture_to_the_spikes():
    rows = [
        {"domain": "human", "expression": e, "intensity": 1.0, "labels": {"set": name, "rating": rating}}
        for e, name, rating in (("happy", "a", 1.0), ("sad", "b", 2.5))
    ]
    faces = nr.render_faces([{"domain": "human"}, *rows], size=32)
    seen = nr.V1Bank(frequencies=[1, 2]).transform(faces)
    pooled = nr.PooledEnergy(size=4)
    features = pooled.fit(seen).transform(seen)
    fewer = nr.PrincipalComponents(2).fit(features).transform(features)
    code = nr.NormEncoder().fit(fewer, prototypes={"intensity": 1.0}, norms={"intensity": 0.0}).transform(fewer)
    recording = nr.simulate(nr.present(code), nr.RateUnits(), trials=1, seed=1)
    assert list(recording["set"].values) == ["", "a", "b"]
    np.testing.assert_equal(recording["rating"].values, [np.nan, 1.0, 2.5])
    with pytest.raises(nr.schema.SchemaError, match="orientation: needed another name"):
        nr.schema.check(faces.assign_coords(orientation=("stimulus", [0.0, 1.0, 2.0])), "StimulusSet")
