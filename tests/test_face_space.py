"""The face space: what a row of a face means, and what is said where it means nothing."""

import numpy as np
import pytest

import nrsim as nr
from nrsim.faces.head import template
from nrsim.faces.rows import GIVEN

HAPPY = {"domain": "human", "expression": "happy", "intensity": 1.0}
BLEND = {"domain": "human", "morph_from": "happy", "morph_to": "sad", "morph_fraction": 0.5}


def without(row, *keys):
    return {key: value for key, value in row.items() if key not in keys}


# --- what is said at the door ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": "humn"}, "unknown domain .head shape. 'humn'; nearest: 'human'"),
        ({"expression": "hapy"}, "unknown expression 'hapy'; nearest: 'happy'"),
        ({"expression": "jawOpne"}, "nearest: 'jawOpen'"),
        ({"identity": "asian_femal"}, "unknown identity 'asian_femal'; nearest: 'asian_female'"),
        ({"view": "frontl"}, "nearest: 'frontal'"),
        ({"light": "lft"}, "nearest: 'left'"),
        ({"skin": "drk"}, "nearest: 'dark'"),
        ({"course": "rmp"}, "unknown time course 'rmp'; nearest: 'ramp'"),
        ({"labells": {}}, "unknown key of a face 'labells'; nearest: 'labels'"),
        ({"domain": ""}, "domain of face 0: a name; got an empty one"),
        ({"identity": ""}, "identity of face 0: a name; got an empty one"),
        ({"expression": ""}, "expression of face 0: a name"),
        ({"stimulus_id": ""}, "stimulus_id of face 0: a name"),
        ({"intensity": 1.6}, r"intensity of face 0: needed at most 1.5; got 1.6"),
        ({"intensity": -0.6}, r"intensity of face 0: needed at least -0.5; got -0.6"),
        ({"intensity": np.nan}, "intensity of face 0: needed a finite number; got nan"),
        ({"identity": "asian_male", "identity_level": 1.6}, "identity_level of face 0: needed at most 1.5"),
        ({"identity": "asian_male", "identity_level": -1.6}, "identity_level of face 0: needed at least -1.5"),
        ({"identity_level": 0.5}, "needed an identity beside identity_level of face 0"),
        ({"yaw": 181}, "yaw of face 0: needed at most 180 degree"),
        ({"pitch": -91}, "pitch of face 0: needed at least -90 degree"),
        ({"view": "up", "yaw": 3}, "either view or yaw and pitch of face 0"),
        ({"scale": 0}, "scale of face 0: needed at least 0.05"),
        ({"stretch": 3}, "stretch of face 0: needed at most 2"),
        ({"y": np.inf}, "y of face 0: needed a finite number in degree"),
        ({"course": "ramp"}, "needed frames, the number of frames, for faces with a course"),
        ({"course": []}, "course of face 0: a name or a number for each frame; got none"),
        ({"course": [0, 2.0]}, "intensity × course of face 0: needed at most 1.5; got 2"),
        ({"course": [0, np.nan]}, "course of face 0: needed a finite number"),
        ({"labels": {"a/b": 1}}, "names without '/'; got 'a/b'"),
        ({"labels": {"": 1}}, "names without '/'; got ''"),
        ({"labels": {3: 1}}, "names without '/'; got 3"),
        ({"labels": {"file": 3}}, "needed text for the label 'file'; got 3"),
        ({"morph_from": "sad"}, "needed morph_from, morph_to and morph_fraction of face 0; got only morph_from"),
        (
            without(BLEND, "domain"),
            "either expression or a morph between two .face 0.; got 'happy' and 'happy' → 'sad'",
        ),
        ({"morph_from": "human", "morph_to": "macaque", "morph_fraction": 0.5}, "either domain or a morph between two"),
    ],
)
def test_wrong_values(change, words):
    with pytest.raises(ValueError, match=words):
        nr.render_faces([HAPPY | change], size=8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"domain": None}, "domain of face 0: a name; got None"),
        ({"domain": ["human"]}, r"domain of face 0: a name; got \['human'\]"),
        ({"expression": True}, "expression of face 0: a name; got True"),
        ({"stimulus_id": None}, "stimulus_id of face 0: a name; got None"),
        ({"light": None}, "light of face 0: a name"),
        ({"view": 30}, "unknown view '30'"),
        ({"intensity": "strong"}, "intensity of face 0: needed a number; got 'strong'"),
        ({"intensity": [1.0]}, "intensity of face 0: needed one number"),
        ({"intensity": None}, "intensity of face 0: needed a number; got None"),
        ({"x": "left"}, "x of face 0: needed a number in degree; got 'left'"),
        ({"course": 3}, "course of face 0: a name or a number for each frame; got 3"),
        ({"course": None}, "course of face 0: a name or a number for each frame; got None"),
        ({"course": [0, "high"]}, "course of face 0: needed a number; got 'high'"),
        ({"labels": "run 1"}, "labels of face 0: name → text or number; got 'run 1'"),
        ({"labels": {"run": [1, 2]}}, r"label 'run' of face 0: text or a number; got \[1, 2\]"),
    ],
)
def test_wrong_kinds_of_values(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.render_faces([HAPPY | change], size=8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"morph_to": "sd"}, "unknown end of a morph 'sd'; nearest: 'sad'"),
        ({"morph_to": ""}, "morph_to of face 0: a name; got an empty one"),
        ({"morph_to": None}, "morph_to of face 0: a name; got None"),
        ({"morph_to": "happy"}, "two ends of the morph of face 0; got 'happy' twice"),
        ({"morph_to": "neutral"}, "apart from the norm; got 'neutral'. Use intensity"),
        ({"morph_to": "macaque"}, "'happy', taken for an expression, and 'macaque', taken for a domain"),
        ({"morph_to": "asian_male"}, "'happy', taken for an expression, and 'asian_male', taken for an identity"),
        ({"morph_from": "average", "morph_to": "asian_male"}, "apart from the norm; got 'average'. Use identity_level"),
        ({"morph_fraction": 1.1}, "morph_fraction of face 0: needed at most 1; got 1.1"),
        ({"morph_fraction": "half"}, "morph_fraction of face 0: needed a number; got 'half'"),
    ],
)
def test_wrong_morphs(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.render_faces([BLEND | change], size=8)


def test_morphs_that_lie_nowhere():
    people = {"a": {"nose-hump": 1.0}, "b": {"nose-hump": 2.0}, "c": {"nose-hump": -1.0}, "d": {}}
    for other, words in (("b", "an angle of 0.0°"), ("c", "an angle of 180.0°"), ("d", "an average one")):
        row = {"domain": "human", "morph_from": "a", "morph_to": other, "morph_fraction": 0.5}
        with pytest.raises(ValueError, match=words):
            nr.render_faces([row], size=8, identities=people)
    row = {"morph_from": "human", "morph_to": "mine", "morph_fraction": 0.5}
    with pytest.raises(ValueError, match="two head shapes of the same head"):
        nr.render_faces([row], size=8, heads={"mine": nr.load_head().__class__(**vars(nr.load_head()))})


@pytest.mark.parametrize("name", GIVEN)
def test_labels_that_nrsim_gives_itself(name):
    with pytest.raises(ValueError, match=f"'{name}' in labels of face 1. Rename it"):
        nr.render_faces([HAPPY, HAPPY | {"intensity": 0.5, "labels": {name: 1}}], size=8)


def test_every_name_in_a_set_is_one_that_labels_cannot_take():
    rows = [
        {"domain": "human", "identity": "asian_male", "yaw": 9, "pitch": 9, "light": "left", "skin": "dark", "scale": 2}
        | {"x": 1.0, "y": 1.0, "course": "ramp"},
        {"domain": "human", "morph_from": "happy", "morph_to": "sad", "morph_fraction": 0.5, "stretch": 0.9},
    ]
    faces = nr.render_faces(rows, size=8, frames=2, colour=True)
    assert {*map(str, faces.variables), *map(str, faces.dims)} == set(GIVEN)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "a list of faces, a mapping each; got NoneType"),
        (5, "a list of faces, a mapping each; got int"),
        (HAPPY, "a list of faces, a mapping each; got dict"),
        ("human", "a list of faces, a mapping each; got str"),
        (["human"], "a mapping with domain, expression and intensity for each face; got 'human'"),
        ([], "at least one face"),
        ([{}], "the domain .head shape. of face 0; got an empty row"),
        ([without(HAPPY, "domain")], "the domain .head shape. of face 0; got only expression, intensity"),
        ([without(HAPPY, "intensity")], "face 0; got no intensity"),
        ([HAPPY, HAPPY], "every face once; got human-happy-.1.00 more than once"),
        ([HAPPY | {"stimulus_id": "a"}, HAPPY | {"stimulus_id": "a"}], "every face once; got a more than once"),
    ],
)
def test_wrong_rows(rows, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.render_faces(rows, size=8)


def test_rows_may_come_one_by_one():
    rows = (HAPPY | {"intensity": level} for level in (0.5, 1.0))
    assert nr.render_faces(rows, size=8)["intensity"].values.tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"size": 7}, "size: needed at least 8; got 7"),
        ({"size": 16.5}, "size: needed a whole number; got 16.5"),
        ({"degrees": 0}, "degrees: needed more than 0 degree"),
        ({"degrees": "4"}, "degrees: needed a number in degree"),
        ({"background": 128}, "background: needed at most 1; got 128"),
        ({"background": "grey"}, "background: needed a number; got 'grey'"),
        ({"aperture": "ovl"}, "unknown aperture 'ovl'; nearest: 'oval'"),
        ({"aperture": True}, "unknown aperture True"),
        ({"colour": "no"}, "colour: True or False; got 'no'"),
        ({"equal_size": 0}, "equal_size: needed more than 0"),
        ({"equal_size": 4.5}, "equal_size: needed at most 0.15"),
        ({"equal_size": True}, "equal_size: needed a number; got True"),
        ({"frames": 1}, "frames: needed at least 2; got 1"),
        ({"frames": 2.5}, "frames: needed a whole number"),
        ({"frames": 3, "frame_rate": 0}, "frame_rate: needed more than 0 Hz"),
        ({"landmarks": "stetler"}, "unknown set of landmarks 'stetler'; nearest: 'stettler'"),
        ({"landmarks": ["nose"]}, "unknown landmark 'nose'; nearest: 'nose_tip'"),
        ({"landmarks": []}, "at least one landmark"),
        ({"landmarks": [10**6]}, "as landmark; got 1000000"),
        ({"landmarks": [0.5]}, "names of points or numbers of vertices; got 0.5"),
        ({"heads": [1]}, r"heads: name → Head; got \[1\]"),
        ({"heads": {"mine": "head.npz"}}, "heads: a Head for 'mine'; got str. nr.load_head reads one"),
        ({"heads": {"human": template()}}, "another name for a head of your own; got 'human', which is nrsim's"),
        ({"heads": {3: template()}}, "heads: name → Head; got the name 3"),
        ({"identities": [1]}, "identities: name → weights of identity axes"),
        ({"identities": {"anna": 3}}, "identity anna: weights of identity axes; got 3"),
        ({"identities": {"anna": {"nose-hump": "big"}}}, "anna: nose-hump: needed a number; got 'big'"),
        ({"identities": {"average": {}}}, "another name than 'average'"),
        ({"expressions": [1]}, "expressions: name → weights of units"),
        ({"expressions": {"smirk": {}}}, "expression smirk: weights of units; got {}"),
        ({"expressions": {"smirk": {"jawOpen": None}}}, "smirk: jawOpen: needed a number; got None"),
        ({"expressions": {"neutral": {"jawOpen": 1}}}, "another name than 'neutral'"),
        ({"expressions": {"happy": {"jawOpne": 1}}}, "unknown expression unit of the head .*nearest: 'jawOpen'"),
    ],
)
def test_wrong_settings(settings, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.render_faces([HAPPY], **({"size": 8} | settings))


def test_a_wrong_axis_is_said_before_anything_is_drawn(tmp_path):
    rows = [HAPPY, {"domain": "human", "identity": "anna"}]
    with pytest.raises(ValueError, match="unknown identity axis .*'nose-hmp'; nearest: 'nose-hump'"):
        nr.render_faces(rows, size=8, identities={"anna": {"nose-hmp": 1.0}}, out=tmp_path / "new" / "faces.nc")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("course", "came"), [([0, 1], 2), ((0, 1, 0, 1), 4)])
def test_another_number_of_values_than_frames(course, came):
    with pytest.raises(ValueError, match=f"course: 3 numbers, one a frame; got {came}"):
        nr.render_faces([HAPPY | {"course": course}], size=8, frames=3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "n: needed at least 1"),
        ({"n": True}, "n: needed a whole number"),
        ({"seed": "one"}, "seed: needed a whole number"),
        ({"size": 0}, "size: needed more than 0"),
        ({"size": 0.4}, "size: needed at most 0.3"),
    ],
)
def test_wrong_random_identities(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.random_identities(**({"n": 2, "seed": 1} | arguments))


# --- labels ---------------------------------------------------------------------------------------------------------


def test_labels_of_your_own_keep_their_values():
    rows = [
        HAPPY | {"labels": {"run": 2, "shown": False, "mixed": 0, "rare": 1.5}},
        HAPPY | {"intensity": 0.5, "labels": {"run": 0, "shown": True, "mixed": "b"}},
    ]
    faces = nr.render_faces(rows, size=8)
    assert faces["run"].values.tolist() == [2.0, 0.0]
    assert faces["run"].attrs["units"] == "1"
    assert faces["shown"].values.tolist() == ["False", "True"]
    assert faces["mixed"].values.tolist() == ["0", "b"]
    assert np.array_equal(faces["rare"].values, [1.5, np.nan], equal_nan=True)


def test_ids_tell_apart_what_differs_a_little():
    levels = [0.25, 0.251, 1 / 3]
    rows = [HAPPY | {"intensity": level} for level in levels]
    rows += [{"morph_from": "human", "morph_to": "macaque", "morph_fraction": level} for level in (0.5, 0.505)]
    rows += [{"domain": "human", "stretch": level} for level in (0.875, 0.9)]
    faces = nr.render_faces(rows, size=8)
    assert faces["stimulus_id"].values.tolist() == [
        *("human-happy-+0.25", "human-happy-+0.251", "human-happy-+0.333333"),
        *("human-macaque-0.50-neutral", "human-macaque-0.505-neutral", "human-x0.875-neutral", "human-x0.90-neutral"),
    ]
    assert len(set(faces["domain"].values)) == 5  # what shares a norm


# --- place, view, light ---------------------------------------------------------------------------------------------


def test_scale_and_place_are_those_of_the_picture():
    size, degrees = 64, 4.0
    places = [(1.0, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 0.0, 0.5), (0.5, 0.0, 0.0), (3.0, 0.25, -0.75)]
    for view in ("frontal", "left_half_profile"):
        rows = [{"domain": "human", "view": view, "scale": scale, "x": x, "y": y} for scale, x, y in places]
        faces = nr.render_faces(rows, size=size, degrees=degrees)
        marks = faces["landmark"].values
        for mark, (scale, x, y) in zip(marks, places, strict=True):
            shift = np.array([x, -y]) * size / degrees  # px: y is up in degrees, down in pixels
            assert mark == pytest.approx(size / 2 + scale * (marks[0] - size / 2) + shift, abs=1e-9)
        image = faces["image"].values
        assert image[1, :, 8:] == pytest.approx(image[0, :, :-8])  # half a degree to the right
        assert image[2, :-8] == pytest.approx(image[0, 8:])  # and up
        halved = image[0].reshape(32, 2, 32, 2).mean(axis=(1, 3))
        assert np.abs(image[3, 16:48, 16:48] - halved).mean() < 0.01
