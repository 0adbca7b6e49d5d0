import json

import numpy as np
import pytest
import xarray as xr

import nrsim as nr


@pytest.fixture(scope="module")
def faces():
    rows = [{"domain": "human", "expression": "happy", "intensity": level} for level in (0.5, 1.0)]
    return nr.render_faces(rows, size=32)


@pytest.fixture(scope="module")
def things():
    return nr.render_objects(["mug", "house", "blob-1"], size=32, seed=1)


def test_labels_that_one_set_lacks_are_filled(faces, things):
    both = nr.join_stimuli([faces, things], categories=["face", "thing"])
    assert both.sizes["stimulus"] == 5
    assert both["stimulus_id"].values.tolist() == [*faces["stimulus_id"].values, *things["stimulus_id"].values]
    assert both["expression"].values.tolist() == ["happy", "happy", "", "", ""]
    assert both["intensity"].values[:2].tolist() == [0.5, 1.0]
    assert np.isnan(both["intensity"].values[2:]).all()
    assert both["intensity"].attrs["units"] == "1"
    assert both["category"].values.tolist() == ["face", "face", "object", "object", "object"]  # its own are kept
    assert np.array_equal(both["image"].values[2:], things["image"].values)
    assert np.array_equal(both["landmark"].values[:2], faces["landmark"].values)
    assert np.isnan(both["landmark"].values[2:]).all()
    assert both["landmark"].attrs["units"] == "px"
    assert both["point"].values.tolist() == faces["point"].values.tolist()
    seen = nr.V1Bank(frequencies=[1]).transform(both)
    assert seen["category"].values.tolist() == both["category"].values.tolist()


def test_order_of_sets_does_not_matter(faces, things):
    one, other = nr.join_stimuli([faces, things]), nr.join_stimuli([things, faces])
    turned = other.isel(stimulus=[3, 4, 0, 1, 2])
    for name in one.variables:
        assert one.variables[name].identical(turned.variables[name]), name


def test_history_says_what_was_joined_and_left_out(faces, things):
    moved = things.assign_coords(
        landmark=(("stimulus", "point", "axis"), np.zeros((3, 1, 2)), {"units": "px"}),
        point=("point", ["handle"]),
        axis=("axis", ["x", "y"]),
    )
    both = nr.join_stimuli([faces, moved])
    assert "landmark" not in both.coords
    assert "point" not in both.coords
    said = json.loads(both.attrs["parameters"])["join_stimuli"]
    assert [one["stimuli"] for one in said["sets"]] == [2, 3]
    assert said["left_out"] == ["landmark: point, axis differ"]
    assert "render_faces" in both.attrs["history"]
    assert "render_objects" in both.attrs["history"]
    assert "seed" not in both.attrs
    colour = faces.assign(colour=(("stimulus", "y", "x", "channel"), np.zeros((2, 32, 32, 3)), {"units": "1"}))
    both = nr.join_stimuli([colour, things])
    assert "colour" not in both
    assert json.loads(both.attrs["parameters"])["join_stimuli"]["left_out"] == ["colour: not in all sets"]
    assert "colour" in nr.join_stimuli([colour])


def test_moving_stimuli_join_when_their_frames_are_the_same():
    one, other = (
        nr.render_gratings(orientations=[angle], frequencies=[2.0], temporal_frequencies=[4.0], duration=0.1, size=32)
        for angle in (0, 90)
    )
    both = nr.join_stimuli([one, other])
    assert both["image"].dims == ("stimulus", "frame", "y", "x")
    assert both["frame_time"].identical(one["frame_time"])
    still = nr.render_gratings(orientations=[0], frequencies=[2.0], size=32)
    with pytest.raises(
        ValueError, match="6 frames of 32 × 32 px and 4 degrees in one set and 32 × 32 px and 4 degrees"
    ):
        nr.join_stimuli([one, still])
    slow = other.assign_coords(frame_time=("frame", other["frame_time"].values * 2, {"units": "s"}))
    with pytest.raises(ValueError, match="frames at other times"):
        nr.join_stimuli([one, slow])


def test_saved_and_read_again(faces, things, tmp_path):
    both = nr.join_stimuli([faces, things])
    both.to_netcdf(tmp_path / "both.nc")
    assert nr.identical(nr.load_stimuli(tmp_path / "both.nc"), both)


def test_wrong_sets(faces, things):
    with pytest.raises(ValueError, match="32 × 32 px and 4 degrees in one set and 48 × 48 px and 4 degrees in another"):
        nr.join_stimuli([faces, nr.render_objects(["mug"], size=48)])
    with pytest.raises(ValueError, match="and 32 × 32 px and 6 degrees in another"):
        nr.join_stimuli([faces, nr.render_objects(["mug"], size=32, degrees=6.0)])
    with pytest.raises(ValueError, match="'human-happy-\\+0.50', 'human-happy-\\+1.00' more than once"):
        nr.join_stimuli([faces, faces])
    with pytest.raises(TypeError, match=r"Write join_stimuli\(\[faces, objects\]\)"):
        nr.join_stimuli(faces)
    with pytest.raises(TypeError, match=r"got \['Dataset', 'str'\]"):
        nr.join_stimuli([faces, "objects"])
    with pytest.raises(ValueError, match="at least one StimulusSet"):
        nr.join_stimuli([])
    with pytest.raises(ValueError, match="one for each of the 2 sets; got 'face'"):
        nr.join_stimuli([faces, things], categories="face")
    mood = things.assign_coords(mood=("stimulus", ["a", "b", "c"]))
    with pytest.raises(ValueError, match="mood: text in all or numbers in all"):
        nr.join_stimuli([faces.assign_coords(mood=("stimulus", [1.0, 2.0], {"units": "1"})), mood])
    with pytest.raises(nr.schema.SchemaError, match="needed"):
        nr.join_stimuli([faces, xr.Dataset()])


def test_codes_with_other_labels_join():
    code = nr.example("FaceCode")
    other = code.assign_coords(
        neuron_id=("neuron", ["a", "b"]),
        face_patch=("neuron", ["AL", "AL"]),
        depth=("neuron", [1.0, 2.0], {"units": "mm"}),
    )
    joined = nr.join_codes([code, other])
    assert joined["face_patch"].values.tolist() == ["", "", "AL", "AL"]
    assert joined["depth"].values[2:].tolist() == [1.0, 2.0]


def test_recipes_join_recipes(tmp_path):
    (tmp_path / "things.toml").write_text(
        'generator = "objects"\nseed = 1\n[parameters]\nnames = ["mug", "blob-1"]\nsize = 32\n'
    )
    nr.render_gratings(orientations=[0, 90], frequencies=[2.0], size=32).to_netcdf(tmp_path / "waves.nc")
    text = 'title = "both"\ngenerator = "join"\n[parameters]\nsets = ["things.toml", "waves.nc"]\n'
    (tmp_path / "both.toml").write_text(text)
    both = nr.load_stimuli(tmp_path / "both.toml")
    assert both["category"].values.tolist() == ["object", "object", "grating", "grating"]
    assert both.attrs["recipe"] == text
    assert both.attrs["title"] == "both"

    def wrong(old, new, words, error=ValueError):
        (tmp_path / "wrong.toml").write_text(text.replace(old, new))
        with pytest.raises(error, match=words):
            nr.load_stimuli(tmp_path / "wrong.toml")

    wrong("waves.nc", "wrong.toml", "join themselves; got wrong.toml → wrong.toml")
    wrong("waves.nc", "wave.nc", "there is no file", FileNotFoundError)
    wrong("waves.nc", "expresions", "nearest: 'expressions'")
    wrong('["things.toml", "waves.nc"]', '"things.toml"', "sets: a list", TypeError)
    wrong('["things.toml", "waves.nc"]', "[1]", "names or files", TypeError)
    wrong("title", "seed = 1\ntitle", "'join' draws nothing at random; got 1")
    (tmp_path / "things.toml").write_text('generator = "objects"\n[parameters]\nseed = 1\nnames = ["blob-1"]\n')
    with pytest.raises(ValueError, match="Move it up"):
        nr.load_stimuli(tmp_path / "things.toml")


def test_shipped_recipe_of_faces_and_objects():
    both = nr.load_stimuli("faces_objects")
    count = {name: int((both["category"] == name).sum()) for name in ("face", "object")}
    assert count == {"face": nr.load_stimuli("expressions").sizes["stimulus"], "object": 61}
    assert both["norm_id"].values[-1] == ""


def moving():
    rows = [
        {"domain": "human"},
        {"domain": "human", "expression": "happy", "intensity": 0.8, "course": "ramp"},
        {"domain": "human", "expression": "happy", "intensity": -0.5, "course": "hold"},
    ]
    return nr.render_faces(rows, size=24, frames=3, frame_rate=10.0, colour=True)


def test_frames_become_still_pictures_of_their_own_intensity():
    faces = moving()
    stills = nr.stack_frames(faces)
    assert stills.sizes["stimulus"] == 9
    assert stills["intensity"].values == pytest.approx([0, 0, 0, 0, 0.4, 0.8, -0.5, -0.5, -0.5])
    assert stills["peak_intensity"].values == pytest.approx([0] * 3 + [0.8] * 3 + [-0.5] * 3)
    assert stills["shown_at"].values[:3] == pytest.approx([0, 0.1, 0.2])
    assert stills["norm_id"].values[4] == "human-neutral-frame001"
    assert set(stills["norm_id"].values) <= set(stills["stimulus_id"].values)
    half = nr.render_faces([{"domain": "human", "expression": "happy", "intensity": 0.4}], size=24, colour=True)
    for name in ("image", "colour", "landmark"):
        assert stills[name].values[4] == pytest.approx(half[name].values[0], abs=1e-6), name
    assert float(stills["norm_distance"][4]) == pytest.approx(float(half["norm_distance"][0]), rel=1e-6)
    assert stills["image_sha256"].values[4] == half["image_sha256"].values[0]
    seen = nr.V1Bank(frequencies=[1, 2]).transform(stills)
    assert list(seen["movement_id"].values[:3]) == ["human-neutral"] * 3
    assert nr.stack_frames(faces, [2])["stimulus_id"].values.tolist()[1].endswith("frame002")


def test_wrong_frames():
    with pytest.raises(ValueError, match="needed moving faces"):
        nr.stack_frames(nr.example("StimulusSet"))
    for frames in ([3], [], [1, 1]):
        with pytest.raises(ValueError, match="frames: each once, from 0 to 2"):
            nr.stack_frames(moving(), frames)
