"""Landmark files: the two forms of a table, templates, and what is wrong with them."""

import re

import numpy as np
import pytest
import xarray as xr

import nrsim as nr

LONG = """# clicked by hand
file,expression,point,x,y
a.png,happy,nose,60,70.5
a.png,happy,chin,61,120
sub/b.png,sad,nose,58,71
"""
WIDE = """stimulus_id,nose_x,nose_y,chin_x,chin_y,coder
a,60,70.5,61,120,me
b,58,71,,,me
"""
TEM = '3\n10.5\t20\n30\t20\n20 44.25\n1\n0\n3\n0 1 2\n0\n\n{"note": "WebMorph writes this"}\n'


@pytest.fixture
def written(tmp_path):
    def write(text, name="points.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_long_and_wide_tables_hold_the_same(written):
    long, wide = nr.read_landmarks(written(LONG)), nr.read_landmarks(written(WIDE))
    assert long.dims == wide.dims == ("stimulus", "point", "axis")
    xr.testing.assert_equal(long.reset_coords(drop=True), wide.reset_coords(drop=True))
    assert list(long["stimulus_id"].values) == list(wide["stimulus_id"].values) == ["a", "b"]
    assert list(long["file"].values) == ["a.png", "sub/b.png"]
    assert list(long["expression"].values) == ["happy", "sad"]
    assert list(wide["coder"].values) == ["me", "me"]
    assert long.sel(point="nose").values == pytest.approx(np.array([[60, 70.5], [58, 71]]))
    assert np.isnan(long.values[1, 1]).all()
    assert long.attrs["units"] == "px"
    assert list(long["axis"].values) == ["x", "y"]


def test_capitals_in_names_of_columns_do_not_matter_unless_two_would_be_one(written):
    long, wide = nr.read_landmarks(written(LONG)), nr.read_landmarks(written(WIDE))
    loud = nr.read_landmarks(written(LONG.replace("file,expression,point,x,y", "File,expression,POINT,X,Y")))
    xr.testing.assert_identical(loud, long)
    again = nr.read_landmarks(written(WIDE.replace("stimulus_id,nose_x,nose_y", "Stimulus_ID,nose_X,nose_Y")))
    xr.testing.assert_identical(again, wide)
    both = nr.read_landmarks(written("file,point,x,y,Point\na.png,nose,1,2,first\n"))
    assert both["point"].values.tolist() == ["nose"] and both["Point"].values.tolist() == ["first"]
    assert long.attrs["picture"] == "file"
    with pytest.raises(ValueError, match="a column that names the picture in .*; got FILE, File, point, x, y"):
        nr.read_landmarks(written("FILE,File,point,x,y\na.png,b.png,nose,1,2\n"))


def test_templates(written, tmp_path):
    one = nr.read_landmarks(written(TEM, "faces/anna.tem"))
    assert one.values[0] == pytest.approx(np.array([[10.5, 20], [30, 20], [20, 44.25]]))
    assert list(one["stimulus_id"].values) == ["anna"]
    assert list(one["point"].values) == ["0", "1", "2"]
    written(TEM.replace("10.5", "11.5"), "faces/bert.TEM")
    both = nr.read_landmarks(tmp_path / "faces", names=["left_eye", "right_eye", "mouth"])
    assert list(both["stimulus_id"].values) == ["anna", "bert"]
    assert both.sel(point="left_eye", axis="x").values == pytest.approx([10.5, 11.5])


def test_templates_there_and_back(tmp_path):
    rows = [{"domain": name, "expression": "neutral", "intensity": 0.0} for name in ("human", "macaque")]
    faces = nr.render_faces(rows, size=32)
    paths = nr.write_tem(faces["landmark"], tmp_path / "tem")
    assert [path.name for path in paths] == ["human-neutral.tem", "macaque-neutral.tem"]
    back = nr.read_landmarks(tmp_path / "tem", names=list(faces["point"].values))
    assert back.values == pytest.approx(faces["landmark"].values, rel=1e-5)
    assert list(back["stimulus_id"].values) == list(faces["stimulus_id"].values)
    with pytest.raises(ValueError, match="templates have no missing ones"):
        nr.write_tem(faces["landmark"].where(faces["point"] != "chin"), tmp_path / "tem")
    with pytest.raises(TypeError, match="needed landmark"):
        nr.write_tem(faces, tmp_path / "tem")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LONG.replace("61,120", "61,low"), "y: a number; got 'low' in row 4 of 'points.csv'"),
        (LONG.replace("61,120", "61,"), "x and y of every point, or neither; got one of them for 'chin' of 'a.png'"),
        (LONG.replace("happy,chin", "happy,nose"), "got 'nose' of 'a.png' again in row 4"),
        (LONG.replace(",chin,", ",,"), "a point's name in each row; got none in row 4"),
        (LONG.replace("x,y\n", "right,y\n"), "needed the columns x and y"),
        (LONG.replace("file,", "photo,"), "needed a column that names the picture"),
        (LONG.replace("sub/b.png", ""), "an empty cell in row 5"),
        (LONG.replace("61,120", "61,120,"), "needed 5 fields in each row"),
        (LONG.splitlines()[1] + "\n", "at least one row in 'points.csv'; got none"),
        (WIDE.replace("chin_y", "chin"), "both columns chin_x and chin_y"),
        (WIDE.replace("nose_x", "nosex"), "both columns nose_x and nose_y"),
        (WIDE.replace("b,58", "a,58"), "each picture once in 'points.csv'; got 'a' again in row 3"),
        ("file,age\na.png,3\n", "Give point, x, y in each row"),
        ("", "got the empty file"),
        ("file;point;x;y\na.png;nose;1;2\n", "separated by commas"),
        ('file,point,x,y\n"a.png,nose,1,2\n', "'points.csv' is not"),
    ],
)
def test_wrong_tables(written, text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        nr.read_landmarks(written(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the number of points in the first line of 'a.tem'; got an empty file"),
        ("nose\n", "the number of points in the first line of 'a.tem'; got 'nose'"),
        ("0\n", "got '0'"),
        ("3\n1 2\n3 4\n", "3 points in 'a.tem', as its first line says; got 2 lines after it"),
        ("2\n1 2\n3\n", "x and y of point 1 in 'a.tem'; got '3'"),
        ("2\n1 2\n3 nan\n", "x and y of point 1"),
    ],
)
def test_wrong_templates(written, text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        nr.read_landmarks(written(text, "a.tem"))


def test_other_faults_of_landmark_files(written, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        nr.read_landmarks(tmp_path / "lost.csv")
    with pytest.raises(FileNotFoundError, match="no file"):
        nr.read_landmarks(tmp_path / "lost.tem")
    with pytest.raises(FileNotFoundError, match="there is none"):
        nr.read_landmarks(tmp_path)
    with pytest.raises(ValueError, match="only for templates"):
        nr.read_landmarks(written(LONG), names=["a"])
    written(TEM, "t/a.tem")
    with pytest.raises(ValueError, match="3 unlike names"):
        nr.read_landmarks(tmp_path / "t", names=["a", "b"])
    written("1\n1 2\n", "t/b.tem")
    with pytest.raises(ValueError, match="3 in 'a.tem' and 1 in 'b.tem'"):
        nr.read_landmarks(tmp_path / "t")


def test_points_clicked_on_ferg_avatars(real_data):
    points = nr.read_landmarks(real_data / "ferg_landmarks" / "landmarks.csv")
    assert points.shape == (120, 13, 2)
    assert {"left_eye", "top_mouth", "right_eyelid"} < set(points["point"].values)
    assert set(points["domain"].values) == {"aia", "bonnie", "ray"}
    assert set(points["expression"].values) >= {"neutral", "happy"}
    assert float(points.min()) > 0
    assert float(points.max()) < 224
    eyes = points.sel(axis="x", point="right_eye") - points.sel(axis="x", point="left_eye")
    assert float(eyes.min()) > 20
    # an expression is where its points are: surprise opens the mouth wider than joy in each avatar
    open_ = points.sel(axis="y", point="down_mouth") - points.sel(axis="y", point="top_mouth")
    for avatar in ("aia", "bonnie", "ray"):
        mine = open_[points["domain"].values == avatar]
        wide = {name: float(mine[mine["expression"].values == name].mean()) for name in ("surprise", "neutral")}
        assert wide["surprise"] > wide["neutral"]
