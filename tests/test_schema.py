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
    with pytest.raises(SchemaError, match=r"1 are NaN or infinite, the first at \(7, 3, 4\)"):
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
