"""Pictures that are arrays already."""

import numpy as np
import pandas as pd
import pytest

import nrsim as nr


def test_arrays_become_a_set_with_degrees_and_labels():
    images = np.random.default_rng(0).random((2, 20, 30))
    labels = pd.DataFrame({"expression": ["happy", "sad"], "intensity": [0, 1], "age": [3, 4]})
    faces = nr.stimuli_from_arrays(images, degrees=3.0, labels=labels)
    assert faces["image"].values == pytest.approx(images, abs=1e-6)
    assert faces["x"].values[[0, -1]] == pytest.approx([-1.45, 1.45])
    assert faces["y"].values[[0, -1]] == pytest.approx([0.95, -0.95])
    assert list(faces["stimulus_id"].values) == ["image-0001", "image-0002"]
    assert faces["intensity"].dtype == float and faces["age"].attrs["units"] == "1"
    same = nr.stimuli_from_arrays(list(images), degrees_per_pixel=0.1, labels=labels)
    assert nr.identical(same, faces)
    assert nr.V1Bank([1.0]).transform(faces)["age"].values.tolist() == [3, 4]


def test_whole_numbers_are_divided_by_white_and_one_picture_is_a_set():
    levels = np.array([[0, 128], [255, 64]], dtype=np.uint8)
    for scale, kind in ((1, np.uint8), (257, np.uint16)):
        faces = nr.stimuli_from_arrays((levels.astype(kind) * kind(scale)).astype(kind), degrees=1)
        assert faces["image"].values[0] == pytest.approx(levels / 255, abs=1e-6)
    moving = nr.stimuli_from_arrays(np.zeros((1, 3, 4, 5)), degrees=1, frame_times=[0, 0.1, 0.2])
    assert moving["image"].dims == ("stimulus", "frame", "y", "x")


def test_errors_of_arrays():
    good = np.zeros((2, 8, 8))
    with pytest.raises(TypeError, match=r"degrees, the width.*got neither.*degrees=4"):
        nr.stimuli_from_arrays(good)
    with pytest.raises(TypeError, match="both"):
        nr.stimuli_from_arrays(good, degrees=1, degrees_per_pixel=0.1)
    with pytest.raises(ValueError, match=r"grey pictures.*colour.*rgb2gray"):
        nr.stimuli_from_arrays(np.zeros((2, 8, 8, 3)), degrees=1)
    with pytest.raises(ValueError, match=r"colour: shape \(96, 80, 3\).*rgb2gray\(images\)"):
        nr.stimuli_from_arrays(np.zeros((96, 80, 3)), degrees=1)
    with pytest.raises(ValueError, match=r"colour: shape \(96, 96, 4\).*rgb2gray\(images\[\.\.\., :3\]\)"):
        nr.stimuli_from_arrays(np.zeros((96, 96, 4), np.uint8), degrees=1)
    with pytest.raises(ValueError, match=r"colour: shape \(15, 96, 96, 3\)"):
        nr.stimuli_from_arrays(np.zeros((15, 96, 96, 3)), degrees=1, frame_times=np.arange(96.0))
    assert nr.stimuli_from_arrays(np.zeros((96, 4, 4)), degrees=1).sizes["stimulus"] == 96
    with pytest.raises(ValueError, match=r"one size; got 8 × 8, 8 × 9"):
        nr.stimuli_from_arrays([np.zeros((8, 8)), np.zeros((8, 9))], degrees=1)
    with pytest.raises(ValueError, match="frame_times"):
        nr.stimuli_from_arrays(np.zeros((2, 5, 8, 8)), degrees=1)
    with pytest.raises(ValueError, match=r"0\.\.1.*largest level"):
        nr.stimuli_from_arrays(good + 200.0, degrees=1)
    with pytest.raises(ValueError, match="NaN"):
        nr.stimuli_from_arrays(good * np.nan, degrees=1)
    with pytest.raises(TypeError, match="level of white"):
        nr.stimuli_from_arrays(good.astype(int), degrees=1)
    with pytest.raises(ValueError, match=r"labels\['expression'\]: 2 values.*got 1"):
        nr.stimuli_from_arrays(good, degrees=1, labels={"expression": ["happy"]})
    with pytest.raises(ValueError, match="another name"):
        nr.stimuli_from_arrays(good, degrees=1, labels={"image": [1, 2]})
    with pytest.raises(TypeError, match=r"labels\['intensity'\]: numbers"):
        nr.stimuli_from_arrays(good, degrees=1, labels={"intensity": ["a", "b"]})
    with pytest.raises(ValueError, match="unique"):
        nr.stimuli_from_arrays(good, degrees=1, labels={"stimulus_id": ["a", "a"]})
    with pytest.raises(TypeError, match="arrays of pictures"):
        nr.stimuli_from_arrays(nr.example("StimulusSet"), degrees=1)
    with pytest.raises(TypeError, match="needed pictures"):
        nr.stimuli_from_arrays("faces", degrees=1)
