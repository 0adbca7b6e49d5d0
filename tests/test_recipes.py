import pytest

import nrsim as nr

SMALL = """
title = "small"
source = "ours"
generator = "faces"
[parameters]
domains = ["human"]
expressions = ["happy", "angry"]
intensities = [0.0, 1.0]
size = 24
"""


def write(folder, text):
    path = folder / "recipe.toml"
    path.write_text(text)
    return path


def test_a_recipe_travels_with_its_result(tmp_path):
    faces = nr.load_stimuli(write(tmp_path, SMALL))
    assert list(faces["stimulus_id"].values) == ["human-neutral", "human-happy-+1.00", "human-angry-+1.00"]
    assert faces.attrs["recipe"] == SMALL
    assert faces.attrs["title"] == "small"
    assert len(faces.attrs["recipe_sha256"]) == 64
    faces.to_netcdf(tmp_path / "faces.nc")
    assert nr.identical(nr.load_stimuli(tmp_path / "faces.nc"), faces)


def test_shipped_recipes_are_listed():
    assert nr.list_stimuli()["expressions"].startswith("Six expressions")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[parameters]", "[parameter]", "nearest: 'parameters'"),
        ("size = 24", "sise = 24", "nearest: 'size'"),
        ('"faces"', '"face"', "nearest: 'faces'"),
        ('["human"]', '["humen"]', "nearest: 'human'"),
        ('"angry"', '"angri"', "nearest: 'angry'"),
        ('domains = ["human"]', "", "needed the parameters domains"),
        ("title =", "title", "is not"),
        ("[0.0, 1.0]", "[0.0, nan]", "finite"),
        ("[0.0, 1.0]", '[0.0, "strong"]', "needed a number"),
        ("[0.0, 1.0]", "1.0", "a list with at least one entry"),
    ],
)
def test_wrong_recipes(tmp_path, old, new, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nr.load_stimuli(write(tmp_path, SMALL.replace(old, new)))


def test_missing_recipes(tmp_path):
    with pytest.raises(ValueError, match="nearest: 'expressions'"):
        nr.load_stimuli("expresions")
    for name in ("none.toml", "none.nc"):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            nr.load_stimuli(tmp_path / name)
    (tmp_path / "fake.nc").write_text("no")
    with pytest.raises(ValueError, match="is not one"):
        nr.load_stimuli(tmp_path / "fake.nc")
