"""The face space: what a row of a face means, and what is said where it means nothing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

import nrsim as nr
from nrsim.faces.courses import COURSES
from nrsim.faces.domains import DOMAINS, macaque_warp, mixed
from nrsim.faces.expressions import BASIC, MACAQUE, expression_weights, rms
from nrsim.faces.head import SKIN, template
from nrsim.faces.identities import between, displacement
from nrsim.faces.painter import Painter
from nrsim.faces.rows import GIVEN, order
from nrsim.faces.shape import Shape
from nrsim.faces.views import LIGHTS, SKINS, VIEWS
from nrsim.faces.vocabulary import Vocabulary

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
        ([without(HAPPY, "intensity")], "an intensity for face 0, whose expression is 'happy'; got no intensity"),
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


@pytest.fixture(scope="module")
def turned():
    rows = [{"domain": domain, "view": view} for domain in DOMAINS for view in VIEWS]
    return nr.render_faces(rows, size=64)


def at(faces, domain, view, point):
    here = (faces["domain"] == domain) & (faces["view"] == view)
    return faces["landmark"].values[here.values.argmax(), faces["point"].values.tolist().index(point)]


@pytest.mark.parametrize("domain", DOMAINS)
def test_left_is_the_heads_own_and_up_is_up(turned, domain):
    frontal, left, right, up, down, back = (
        {point: at(turned, domain, view, point) for point in ("nose_tip", "eye_left", "eye_right", "mouth")}
        for view in ("frontal", "left_profile", "right_profile", "up", "down", "back")
    )
    assert frontal["eye_left"][0] > frontal["eye_right"][0]  # the head's left is the picture's right
    # Turned to its own left, the face looks to the picture's right
    assert left["nose_tip"][0] > left["eye_left"][0] + 5 > frontal["nose_tip"][0]
    assert right["nose_tip"][0] < right["eye_right"][0] - 5 < frontal["nose_tip"][0]
    assert back["eye_left"][0] < back["eye_right"][0]
    # Between eyes and mouth the nose rises as the head looks up
    middle = {}
    for name, face in (("up", up), ("frontal", frontal), ("down", down)):
        eyes, mouth = (face["eye_left"] + face["eye_right"])[1] / 2, face["mouth"][1]
        middle[name] = (face["nose_tip"][1] - eyes) / (mouth - eyes)
    assert middle["up"] < middle["frontal"] - 0.1 < middle["down"] - 0.2


def test_a_profile_shows_one_side_of_the_head():
    shape = Shape(DOMAINS["human"])
    where = {"scale": 1.0, "offset": (0.0, 0.0)}
    left_ear = shape.neutral[shape.skin & (shape.neutral[:, 0] > 0.85)]
    depth = {yaw: shape.project(left_ear, 64, yaw=yaw, pitch=0.0, **where)[:, 2] for yaw in (90.0, -90.0)}
    everything = shape.project(shape.neutral[shape.skin], 64, yaw=90.0, pitch=0.0, **where)[:, 2]
    assert depth[90.0].max() < np.median(everything)  # turned to its left: the left ear is behind the head
    assert depth[-90.0].min() > np.median(everything)


def test_a_symmetric_head_is_mirrored_by_mirrored_views_and_lights():
    rows = [
        {"domain": "human", "light": "frontal", "yaw": yaw, "pitch": pitch} for pitch in (0, 20) for yaw in (35, -35)
    ]
    rows += [{"domain": "human", "light": light} for light in ("left", "right", "frontal", "top")]
    image = nr.render_faces(rows, size=64)["image"].values
    for one, other in ((0, 1), (2, 3), (4, 5), (6, 6), (7, 7)):
        assert np.abs(image[one] - image[other][:, ::-1]).mean() < 2e-4, rows[one]
    assert np.abs(image[0] - image[1]).mean() > 0.02


@pytest.mark.parametrize("domain", DOMAINS)
def test_light_falls_from_where_it_says(domain):
    rows = [{"domain": domain, "light": light} for light in LIGHTS]
    faces = nr.render_faces(rows, size=48)
    image, marks = faces["image"].values, faces["landmark"].values
    points = faces["point"].values.tolist()
    centre = marks[0, points.index("nose_tip")]
    right = np.arange(48) + 0.5 > centre[0]
    face = np.abs(image - 0.5).max(axis=0) > 0.02
    upper = (np.arange(48) < marks[0, points.index("mouth")][1])[:, None] & face

    def mean(name, where):
        return float(image[list(LIGHTS).index(name)][where].mean())

    picture_right, picture_left = upper & right, upper & ~right
    assert mean("left", picture_right) > mean("left", picture_left) + 0.1  # the head's left, the picture's right
    assert mean("right", picture_left) > mean("right", picture_right) + 0.1
    assert abs(mean("frontal", picture_left) - mean("frontal", picture_right)) < 0.02
    forehead = face & (np.arange(48) < marks[0, points.index("brow_inner_left")][1] - 2)[:, None]
    assert mean("top", forehead) > mean("bottom", forehead) + 0.1


@pytest.mark.parametrize("domain", DOMAINS)
def test_darker_skins_are_darker(domain):
    image = nr.render_faces([{"domain": domain, "skin": skin} for skin in SKINS], size=48)["image"].values
    means = image.mean(axis=(1, 2))
    assert list(SKINS) == ["light", "tan", "brown", "dark"]
    assert (np.diff(means) < -0.01).all()


@pytest.mark.parametrize("aperture", ["none", "oval", "circle"])
def test_the_image_is_the_luminance_of_the_colours_and_the_same_without_them(aperture):
    rows = [
        {"domain": domain, "expression": "surprised", "intensity": 1.0, "skin": skin, "light": "left"}
        for domain in DOMAINS
        for skin in ("", "dark")
    ]
    faces = nr.render_faces(rows, size=48, colour=True, aperture=aperture)
    assert faces["colour"].dims == ("stimulus", "y", "x", "channel")
    assert faces["channel"].values.tolist() == ["red", "green", "blue"]
    colour = faces["colour"].values.astype(float)
    assert colour.max() < 1  # nothing is clipped here, so that the luminance is exact
    assert colour @ [0.2126, 0.7152, 0.0722] == pytest.approx(faces["image"].values, abs=1e-6)
    assert np.ptp(colour, axis=-1).max() > 0.1
    plain = nr.render_faces(rows, size=48, aperture=aperture)
    assert plain["image"].values == pytest.approx(faces["image"].values, abs=1e-6)
    assert nr.identical(faces.drop_vars(["image", "colour", "channel"]), plain.drop_vars("image"))


def test_outside_the_aperture_is_background():
    places = [{}, {"scale": 0.6, "x": 0.7, "y": -0.3}]
    rows = [{"domain": "human"} | place for place in places]
    size, degrees = 96, 4.0
    faces = nr.render_faces(rows, size=size, degrees=degrees, aperture="oval", background=0.3)
    image = faces["image"].values
    points = faces["point"].values.tolist()
    x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    for i in range(2):
        at = {name: faces["landmark"].values[i, points.index(name)] for name in points}
        middle, unit = (at["eye_left"] + at["eye_right"]) / 2, at["mouth"][1] - at["eye_left"][1]
        wide = abs(at["eye_outer_left"][0] - at["eye_outer_right"][0]) / 2
        away = np.hypot((x - middle[0]) / (1.6 * wide), (y - middle[1] - 0.3 * unit) / (1.42 * unit))
        assert (image[i][away > 1.2] == np.float32(0.3)).all()  # perspective moves the outline by a few per cent
        assert np.abs(image[i][away < 0.85] - 0.3).mean() > 0.05
    whole = nr.render_faces(rows[:1], size=size, background=0.3)["image"].values[0]
    assert image[0][away_inside(faces, 0)] == pytest.approx(whole[away_inside(faces, 0)])
    disc = nr.render_faces([{"domain": "human", "scale": 3.0}], size=size, aperture="circle", background=0.3)
    radius = np.hypot(x - size / 2, y - size / 2) / (size / 2)
    assert (disc["image"].values[0][radius > 0.99] == np.float32(0.3)).all()
    assert np.abs(disc["image"].values[0][radius < 0.9] - 0.3).mean() > 0.05


def away_inside(faces, i):
    """A box about eyes and nose, well within the oval."""
    points = faces["point"].values.tolist()
    mark = {name: faces["landmark"].values[i, points.index(name)] for name in ("eye_left", "eye_right", "nose_tip")}
    x, y = np.meshgrid(np.arange(faces.sizes["x"]) + 0.5, np.arange(faces.sizes["y"]) + 0.5)
    wide = (x > mark["eye_right"][0]) & (x < mark["eye_left"][0])
    return wide & (y > mark["eye_left"][1]) & (y < mark["nose_tip"][1])


# --- identities -----------------------------------------------------------------------------------------------------


def test_axes_of_identity_are_symmetric_move_something_and_differ():
    head, axes = template(), nr.identity_axes()
    _, mirrored = cKDTree(head.vertices).query(head.vertices * [-1, 1, 1])
    assert np.abs(head.vertices[mirrored] * [-1, 1, 1] - head.vertices).max() < 1e-9
    shifts = {}
    for name, weights in axes.items():
        shift = displacement(weights, head)
        assert np.abs(shift[mirrored] * [-1, 1, 1] - shift).max() < 2e-3, name  # targets are stored to a thousandth
        assert rms(shift, head.part == SKIN) > 5e-4, name
        shifts[name] = shift[head.part == SKIN].ravel()
    assert len({tuple(sorted(weights)) for weights in axes.values()}) == len(axes)
    unit = np.stack([shift / np.linalg.norm(shift) for shift in shifts.values()])
    alike = np.abs(unit @ unit.T) - np.eye(len(unit))
    assert alike.max() < 0.99  # no axis is another one, nor its opposite


def test_every_pair_of_opposite_targets_is_an_axis_or_left_out_on_purpose():
    used = {target for weights in nr.identity_axes().values() for target in weights}
    targets = set(template().identities)
    left_out = {target for target in targets - used if "/macro" not in target and not target.startswith("macro/")}
    for target in left_out:  # the opposite of one left out is left out, and so is its other side
        other = target.replace("/l-", "/r-") if "/l-" in target else target.replace("/r-", "/l-")
        assert other in left_out or other not in targets
    assert used <= targets


def test_what_was_handed_out_is_not_what_nrsim_uses():
    axes, people, first = nr.identity_axes(), nr.named_identities(), nr.random_identities(1, seed=1)
    for weights in (*axes.values(), *people.values()):
        weights.clear()
    people.clear()
    assert nr.random_identities(1, seed=1) == first
    assert all(nr.identity_axes().values())
    assert len(nr.named_identities()) == 18


def test_random_people_are_strangers_at_one_distance():
    people = nr.random_identities(6, seed=7, size=0.12)
    assert list(people)[:2] == ["person-01", "person-02"]
    assert nr.random_identities(6, seed=7, size=0.12) == people
    assert nr.random_identities(2, seed=7, size=0.12)["person-02"] == people["person-02"]
    assert nr.random_identities(1, seed=8, size=0.12)["person-01"] != people["person-01"]
    assert list(nr.random_identities(1, seed=8, prefix="monkey")) == ["monkey-01"]
    rows = [
        {"domain": domain, "identity": name, "identity_level": level}
        for domain in ("human", "cartoon")
        for name in people
        for level in (-1.0, 0.5, 1.0)
    ]
    faces = nr.render_faces(rows, size=8, identities=people)
    assert faces["norm_distance"].values == pytest.approx(0.12 * np.abs(faces["intensity"].values), rel=1e-3)
    shifts = np.stack(
        [displacement(weights, template())[template().part == SKIN].ravel() for weights in people.values()]
    )
    unit = shifts / np.linalg.norm(shifts, axis=1, keepdims=True)
    assert (np.abs(unit @ unit.T) - np.eye(6)).max() < 0.9


@pytest.mark.parametrize("domain", DOMAINS)
def test_shifts_of_expressions_and_identities_are_linear_before_the_warp(domain):
    shape = Shape(DOMAINS[domain])
    flat = Shape(replace(DOMAINS[domain], warp=None))
    person = displacement(nr.random_identities(1, seed=3)["person-01"], shape.head)
    for name in (*BASIC, *MACAQUE):
        shift = shape.head.expression(expression_weights(name, shape.head))
        for level in (-0.5, 0.3, 1.5):
            moved = flat.vertices(person + level * shift) - flat.vertices(person)
            assert np.abs(moved - level * (flat.vertices(shift) - flat.neutral)).max() < 1e-9, name
    mean = (flat.vertices(person) + flat.vertices(-person)) / 2
    assert np.abs(mean - flat.neutral).max() < 1e-9  # the average lies between a person and the anti-person
    if shape.domain.warp is not None:  # the warp carries the surface as it is
        assert np.abs(shape.vertices(person) - macaque_warp(flat.vertices(person), 1.0)).max() < 1e-12


@pytest.mark.parametrize("domain", DOMAINS)
def test_intensity_is_linear_in_the_vertices_drawn_on_every_head(domain):
    people = nr.random_identities(1, seed=3)
    words = Vocabulary.checked(None, people, None)
    painter = Painter(words, 16, 4.0, 0.5, "none", None, False)
    drawn = {}
    painter_draw = Shape.draw

    def caught(self, points, *arguments, **settings):
        drawn[level] = points
        return painter_draw(self, points, *arguments, **settings)

    rows = [{"expression": name, "identity": who} for name in ("angry", "threat") for who in ("average", "person-01")]
    for row in [*rows, {"identity": "person-01"}]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Shape, "draw", caught)
            for level in (-0.5, 0.0, 0.5, 1.0, 1.5):
                key = "intensity" if "expression" in row else "identity_level"
                face = order({"domain": domain, key: level} | row, 0, words)
                painter.paint(face, np.ones(1), {"chin": {domain: (0,)}})
        for level in (-0.5, 0.5, 1.5):
            assert drawn[level] - drawn[0.0] == pytest.approx(level * (drawn[1.0] - drawn[0.0]), abs=1e-9), row


@pytest.fixture(scope="module")
def people():
    return nr.random_identities(3, seed=5)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_picture_moves_away_from_the_average_with_the_identity(people, domain):
    levels = [-1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    rows = [{"domain": domain, "identity": "average"}]
    rows += [{"domain": domain, "identity": who, "identity_level": level} for who in people for level in levels]
    faces = nr.render_faces(rows, size=64, identities=people)
    away = np.sqrt(((faces["image"] - faces["image"][0]) ** 2).mean(("y", "x"))).values
    for who in people:
        here = (faces["identity"] == who).values
        monotone(faces["intensity"].values[here], away[here], who)
        monotone(faces["intensity"].values[here], faces["norm_distance"].values[here], who)


def monotone(level, away, name):
    order = np.argsort(level)
    level, away = level[order], away[order]
    assert (np.diff(away[level > 0]) > 0).all(), name
    assert (np.diff(away[level < 0]) < 0).all(), name
    assert away.min() > 0, name


def test_between_two_people_the_distance_from_the_average_stays(people):
    fractions = np.linspace(0, 1, 7)
    rows = [
        {"domain": domain, "morph_from": "person-01", "morph_to": "person-02", "morph_fraction": fraction}
        for domain in ("human", "cartoon", "macaque")
        for fraction in fractions
    ]
    rows += [{"domain": "human", "identity": who} for who in ("average", "person-01", "person-02")]
    faces = nr.render_faces(rows, size=32, identities=people)
    assert faces["norm_distance"].values[:21] == pytest.approx(0.1, rel=1e-4)
    image, average = faces["image"].values, faces["image"].values[21]
    assert np.array_equal(image[0], image[22])
    assert np.array_equal(image[6], image[23])
    assert faces["identity"].values[[0, 1, 6]].tolist() == ["person-01", "person-01-person-02", "person-02"]
    assert faces["morph_fraction"].values[:7] == pytest.approx(fractions)
    assert set(faces["norm_id"].values) == {"human-average", ""}  # the cartoon's average is not in the set
    assert set(faces["norm_kind"].values) == {"average_identity"}
    assert faces["intensity"].values[:7].tolist() == [1.0] * 7
    away = np.sqrt(((image[:7] - average) ** 2).mean(axis=(1, 2)))
    straight = np.sqrt((((image[0] + image[6]) / 2 - average) ** 2).mean())
    assert away.min() > straight  # around the average, not towards it


def test_half_way_between_two_people_lies_in_the_middle_of_their_directions(people):
    head = template()
    skin = head.subdivision[head.surface["part"] == SKIN]
    first, second = (displacement(people[who], head) for who in ("person-01", "person-02"))
    shifts = [(skin @ shift).ravel() for shift in (first, second, between(first, second, 0.5, skin))]
    lengths = [np.linalg.norm(shift) for shift in shifts]
    assert lengths[2] == pytest.approx((lengths[0] + lengths[1]) / 2, rel=1e-9)
    a, b, middle = (shift / length for shift, length in zip(shifts, lengths, strict=True))
    assert a @ middle == pytest.approx(b @ middle, abs=1e-9)
    assert np.arccos(a @ middle) == pytest.approx(np.arccos(a @ b) / 2, abs=1e-9)


# --- expressions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_picture_moves_away_from_the_neutral_with_every_expression(domain):
    levels = [-0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    names = (*BASIC, *MACAQUE)
    rows = [{"domain": domain}]
    rows += [{"domain": domain, "expression": name, "intensity": level} for name in names for level in levels]
    faces = nr.render_faces(rows, size=80)
    away = np.sqrt(((faces["image"] - faces["image"][0]) ** 2).mean(("y", "x"))).values
    assert faces["norm_distance"].values[0] == 0
    for name in names:
        here = (faces["expression"] == name).values
        monotone(faces["intensity"].values[here], away[here], name)
        monotone(faces["intensity"].values[here], faces["norm_distance"].values[here], name)
        size = faces["norm_distance"].values[here & (faces["intensity"].values == 1)]
        assert faces["norm_distance"].values[here] == pytest.approx(size * np.abs(levels), rel=1e-9)


def test_equal_size_is_the_size_of_every_expression_on_every_head(people):
    names = (*BASIC, *MACAQUE, "jawOpen", "mouthSmileLeft")
    rows = [
        {"domain": domain, "expression": name, "intensity": level}
        for domain in DOMAINS
        for name in names
        for level in (1.0, 0.5)
    ]
    others = [
        {"domain": domain, "expression": name, "intensity": 1.0, "identity": "person-01", "identity_level": level}
        | {"stretch": stretch, "yaw": 20.0, "scale": 0.5}
        for domain in DOMAINS
        for name in ("happy", "threat")
        for level, stretch in ((1.5, 0.8), (-1.5, 1.2))
    ]
    blends = [
        BLEND | {"domain": domain, "morph_fraction": fraction} for domain in DOMAINS for fraction in (0.0, 0.5, 1.0)
    ]
    size = 0.04
    faces = nr.render_faces([*rows, *others, *blends], size=8, equal_size=size, identities=people)
    distance, level = faces["norm_distance"].values, faces["intensity"].values
    assert distance == pytest.approx(size * level, rel=1e-9)  # blends among them


def test_your_own_expressions_come_first_and_their_sides_add_up():
    head = template()
    own = {"happy": {"jawOpen": 1.0}, "lopsided": {"mouthSmile": 0.5, "mouthSmileLeft": 0.3}}
    assert expression_weights("happy", head, own) == {"jawOpen": 1.0}
    assert expression_weights("lopsided", head, own) == {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.5}
    rows = [HAPPY, {"domain": "human", "expression": "jawOpen", "intensity": 1.0}]
    image = nr.render_faces(rows, size=16, expressions=own)["image"].values
    assert np.array_equal(image[0], image[1])
    assert not np.array_equal(image[0], nr.render_faces([HAPPY], size=16)["image"].values[0])


# --- between head shapes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ends", [("human", "macaque"), ("macaque", "cartoon"), ("cartoon", "human")])
def test_between_head_shapes(ends):
    plain = {"expression": "surprised", "intensity": 1.0}
    rows = [
        {"morph_from": ends[0], "morph_to": ends[1], "morph_fraction": fraction} | more
        for fraction in (0.0, 0.25, 0.5, 0.75, 1.0)
        for more in ({}, plain)
    ]
    rows += [{"domain": end, "stimulus_id": f"plain {end}"} | plain for end in ends]
    faces = nr.render_faces(rows, size=48)
    image = faces["image"].values
    assert np.array_equal(image[1], image[10])
    assert np.array_equal(image[9], image[11])
    between_ = [f"{ends[0]}-{ends[1]}-{fraction}" for fraction in ("0.25", "0.50", "0.75")]
    assert list(dict.fromkeys(faces["domain"].values[:10])) == [ends[0], *between_, ends[1]]
    neutral = faces["stimulus_id"].values[:10:2]
    assert faces["norm_id"].values[1:10:2].tolist() == neutral.tolist()
    assert faces["norm_id"].values[10:].tolist() == [neutral[0], neutral[-1]]  # the ends are plain heads
    lips = [faces["point"].values.tolist().index(f"{lip}_lip") for lip in ("upper", "lower")]
    gap = np.diff(faces["landmark"].values[:10, lips, 1], axis=1)[:, 0]
    assert (gap[1::2] > gap[::2] + 2).all()  # px: the jaw drops on every head between
    steps = np.sqrt(((image[2:10:2] - image[0:8:2]) ** 2).mean(axis=(1, 2)))
    assert (steps > 0.01).all()  # every step is another head,
    whole = np.sqrt(((image[8] - image[0]) ** 2).mean())
    assert (steps < whole).all()  # and none is the whole way


@pytest.mark.parametrize("amount", [0.1, 0.35, 0.6, 0.85])
def test_nothing_folds_on_the_way_to_the_macaque(people, amount):
    """The Jacobian of the warp stays positive on the surfaces that are drawn, caricatures of people included."""
    domain, step = mixed(DOMAINS["human"], DOMAINS["macaque"], amount), 1e-4
    flat = Shape(replace(domain, warp=None))
    shift = 1.5 * displacement(people["person-01"], flat.head)
    for points in (flat.neutral, flat.vertices(shift), flat.vertices(-shift)):
        columns = [
            (macaque_warp(points + d, amount) - macaque_warp(points - d, amount)) / (2 * step) for d in np.eye(3) * step
        ]
        assert np.linalg.det(np.stack(columns, axis=2)).min() > 0.05


# --- norms ----------------------------------------------------------------------------------------------------------


def test_the_norm_is_the_face_at_zero_of_the_same_trajectory():
    same = [
        {},
        {"domain": "macaque"},
        {"identity": "asian_male"},
        {"identity": "asian_male", "identity_level": 0.5},
        {"view": "up"},
        {"light": "left"},
        {"skin": "dark"},
        {"scale": 0.5},
        {"x": 0.5},
        {"y": -0.5},
        {"stretch": 0.9},
    ]
    rows = []
    for i, more in enumerate(same):
        base = {"domain": "human", "intensity": 0.0} | more
        rows.append(base | {"stimulus_id": f"zero-{i}"})
        rows.append(base | {"expression": "happy", "intensity": 1.0, "stimulus_id": f"one-{i}"})
    faces = nr.render_faces(rows, size=8)
    assert faces["norm_id"].values.tolist() == [f"zero-{i}" for i in range(len(same)) for _ in range(2)]
    assert set(faces["norm_kind"].values) == {"neutral"}
    assert (faces["norm_distance"].values[::2] == 0).all()
    assert (faces["norm_distance"].values[1::2] > 0).all()
    alone = nr.render_faces([rows[1], *rows[2:]], size=8)
    assert alone["norm_id"].values[0] == ""  # the right norm or none
    assert (alone["norm_id"].values[1:] != "").all()


def test_the_norm_of_a_person_is_the_average_in_the_same_view():
    rows = [
        {"domain": "human", "identity": who, "view": view} | more
        for view in ("frontal", "up")
        for who, more in (("average", {}), ("asian_male", {}), ("asian_male", {"identity_level": -1.0}))
    ]
    faces = nr.render_faces([*rows, {"domain": "human", "identity": "asian_male", "light": "top"}], size=8)
    assert faces["norm_id"].values.tolist() == ["human-average"] * 3 + ["human-average-up"] * 3 + [""]
    assert set(faces["norm_kind"].values) == {"average_identity"}
    assert faces["intensity"].values.tolist() == [0.0, 1.0, -1.0, 0.0, 1.0, -1.0, 1.0]
    assert (faces["norm_distance"].values == 0).tolist() == [True, False, False, True, False, False, False]


def test_of_two_pictures_of_the_norm_the_one_on_the_same_trajectory_counts():
    rows = [
        {"domain": "human", "identity": "asian_male"},  # at 1 of the person's trajectory
        {"domain": "human", "identity": "asian_male", "intensity": 0.0},  # at 0 of the expressions'
        HAPPY | {"identity": "asian_male"},
        {"domain": "human"},
        {"domain": "human", "identity": "average"},
        {"domain": "human", "identity": "asian_male", "identity_level": 0.5},
    ]
    faces = nr.render_faces(rows, size=8)
    ids = faces["stimulus_id"].values
    assert faces["norm_id"].values.tolist() == [ids[4], ids[1], ids[1], ids[3], ids[4], ids[4]]
    without_it = nr.render_faces([rows[0], rows[2]], size=8)
    assert without_it["norm_id"].values.tolist() == ["", "human-asian_male-+1.00"]  # the same picture will do


def test_usual_labels_are_left_out_where_nothing_differs():
    plain = nr.render_faces([{"domain": "human"}, HAPPY], size=8)
    usual = {"stimulus_id", "category", "domain", "identity", "expression", "intensity", "view", "norm_id", "norm_kind"}
    along = {str(name) for name, coord in plain.coords.items() if coord.dims == ("stimulus",)}
    assert along == usual | {"norm_distance", "image_sha256"}
    for change, label, value in (
        ({"light": "left"}, "light", "left"),
        ({"skin": "dark"}, "skin", "dark"),
        ({"scale": 0.5}, "scale", 0.5),
        ({"x": 0.5}, "position_x", 0.5),
        ({"yaw": 10.0}, "yaw", 10.0),
        ({"identity": "asian_male"}, "identity_level", 1.0),
    ):
        both = nr.render_faces([{"domain": "human"}, HAPPY | change], size=8)
        assert both[label].values[1] == value
        assert "units" in both[label].attrs or both[label].dtype.kind == "U"


# --- moving faces ---------------------------------------------------------------------------------------------------


def test_frames_are_the_still_faces_of_their_intensities():
    course = [0.0, 0.5, 1.0, 1.25, -0.25]
    rows = [{"domain": "macaque"}, {"domain": "macaque", "expression": "threat", "intensity": 0.8, "course": course}]
    moving = nr.render_faces(rows, size=32, frames=5, frame_rate=20.0, colour=True)
    assert moving["frame_time"].values == pytest.approx(np.arange(5) / 20)
    assert moving["frame_time"].attrs["units"] == "s"
    assert moving["frame_intensity"].values == pytest.approx(np.outer([0.0, 0.8], course))
    assert moving["intensity"].values.tolist() == [0.0, 0.8]
    assert moving["landmark"].dims == ("stimulus", "frame", "point", "axis")
    assert moving["course"].values.tolist() == ["", "own"]
    assert moving["norm_id"].values.tolist() == ["macaque-neutral"] * 2
    still = nr.render_faces(
        [
            {"domain": "macaque", "expression": "threat", "intensity": level, "stimulus_id": f"{i}"}
            for i, level in enumerate(0.8 * np.array(course))
        ],
        size=32,
        colour=True,
    )
    for name in ("image", "colour"):
        assert moving[name].values[1] == pytest.approx(still[name].values, abs=1e-6)
        assert (moving[name].values[0] == moving[name].values[0, :1]).all()
    assert moving["landmark"].values[1] == pytest.approx(still["landmark"].values, abs=1e-9)


def test_moving_people_leave_the_average():
    rows = [{"domain": "human", "identity": "asian_male", "course": "ramp"}, {"domain": "human", "identity": "average"}]
    faces = nr.render_faces(rows, size=32, frames=3)
    image = faces["image"].values
    assert np.array_equal(image[0, 0], image[1, 0])
    still = nr.render_faces([{"domain": "human", "identity": "asian_male"}], size=32)
    assert image[0, 2] == pytest.approx(still["image"].values[0], abs=1e-6)
    assert faces["norm_id"].values.tolist() == ["human-average"] * 2


def test_a_still_face_has_no_course():
    rows = [HAPPY | {"intensity": level, "course": "ramp"} for level in (0.0, 1.0)]
    rows.append({"domain": "human", "identity": "asian_male", "identity_level": 0.0, "course": "ramp"})
    faces = nr.render_faces(rows, size=8, frames=3)
    assert faces["course"].values.tolist() == ["", "ramp", ""]
    assert faces["norm_id"].values.tolist() == ["human-happy-+0.00"] * 2 + [faces["stimulus_id"].values[2]]
    assert faces["frame_intensity"].values.tolist() == [[0, 0, 0], [0, 0.5, 1], [0, 0, 0]]


@pytest.mark.parametrize("n", [2, 5, 12])
def test_courses(n):
    course = {name: nr.time_course(name, n, 30.0) for name in COURSES}
    for name, values in course.items():
        assert values.shape == (n,), name
        assert values.min() >= 0, name
        assert values.max() <= 1, name
    assert (course["hold"] == 1).all()
    assert course["ramp"] == pytest.approx(np.linspace(0, 1, n))
    assert course["ramp_down"] == pytest.approx(course["ramp"][::-1])
    assert course["expression_reversed"] == pytest.approx(course["expression"][::-1])
    assert course["expression"][[0, -1]] == pytest.approx([0, 0])
    assert course["rhythmic"] == pytest.approx(np.sin(np.pi * 5 * np.arange(n) / 30) ** 2)


def test_an_expression_rises_faster_than_it_falls():
    course = nr.time_course("expression", 1001, 1000.0)
    apex = np.flatnonzero(course > 1 - 1e-9)
    assert (np.diff(course[: apex[0] + 1]) >= 0).all()
    assert (np.diff(course[apex[-1] :]) <= 0).all()
    assert apex[0] < 1000 - apex[-1]
    assert course[175] == pytest.approx(0.5)  # minimum jerk: half way at half time


# --- to a file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"colour": True}, {"frames": 3, "colour": True}, {"aperture": "oval"}])
def test_a_set_on_disk_is_the_set_in_memory(tmp_path, settings):
    rows = [{"domain": "human"}, HAPPY, BLEND, HAPPY | {"intensity": 0.5, "labels": {"run": 2, "day": "tuesday"}}]
    inside = nr.render_faces(rows, size=16, **settings)
    outside = nr.render_faces(rows, size=16, out=tmp_path / "new" / "faces.nc", **settings)
    assert not outside["image"].variable._in_memory  # pictures are read when they are asked for
    assert outside["landmark"].variable._in_memory
    assert nr.identical(inside, outside)
    assert nr.identical(inside, nr.load_stimuli(tmp_path / "new" / "faces.nc"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["faces.nc"]


def test_a_render_that_is_interrupted_leaves_what_was_there(tmp_path, monkeypatch):
    nr.render_faces([HAPPY], size=8, out=tmp_path / "faces.nc").close()
    before = (tmp_path / "faces.nc").read_bytes()
    paint = Painter.paint

    def broken(self, each, *rest):
        if each.intensity == 0.5:
            raise KeyboardInterrupt
        return paint(self, each, *rest)

    monkeypatch.setattr(Painter, "paint", broken)
    for place in (tmp_path / "faces.nc", tmp_path / "new" / "deep" / "faces.nc"):
        with pytest.raises(KeyboardInterrupt):
            nr.render_faces([HAPPY, HAPPY | {"intensity": 0.5}], size=8, out=place)
    assert [path.name for path in tmp_path.iterdir()] == ["faces.nc"]
    assert (tmp_path / "faces.nc").read_bytes() == before


def test_places_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="a folder that can be written to; .*file' cannot be"):
        nr.render_faces([HAPPY], size=8, out=tmp_path / "file" / "faces.nc")
    with pytest.raises(IsADirectoryError, match="the name of a file to write to; got the folder"):
        nr.render_faces([HAPPY], size=8, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_without_permission(tmp_path, monkeypatch):
    def denied(*arguments, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)  # chmod does not bind every user
    with pytest.raises(PermissionError, match="a folder that can be written to; .* cannot be: Permission denied"):
        nr.render_faces([HAPPY], size=8, out=tmp_path / "new" / "faces.nc")
    assert not list(tmp_path.iterdir())


def test_writing_over_a_set_that_is_open(tmp_path):
    place = tmp_path / "faces.nc"
    first = nr.render_faces([HAPPY], size=8, out=place)
    second = nr.render_faces([{"domain": "human"}, HAPPY | {"expression": "sad"}], size=8, out=place)
    assert second.sizes["stimulus"] == 2
    assert nr.identical(second, nr.load_stimuli(place))
    assert nr.identical(first, nr.render_faces([HAPPY], size=8))  # what was opened before is still itself
    first.close()
    second.close()
    assert [path.name for path in tmp_path.iterdir()] == ["faces.nc"]


# --- what the pictures look like, in numbers that hold on any machine ----------------------------------------------

# Share of the picture that the head covers, its mean luminance and contrast, and places in px, all at 128 px
LOOKS = {
    "human": (0.434, 0.493, 0.134, {"eye_left": (80.1, 57.1), "nose_tip": (64.0, 74.3), "mouth": (64.0, 92.2)}),
    "macaque": (0.393, 0.471, 0.159, {"eye_left": (77.3, 57.1), "nose_tip": (64.0, 77.5), "mouth": (64.0, 95.4)}),
    "cartoon": (0.403, 0.619, 0.134, {"eye_left": (81.0, 57.1), "nose_tip": (64.0, 64.1), "mouth": (64.0, 84.1)}),
}


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_neutral_faces_look_as_they_did(domain):
    faces = nr.render_faces([{"domain": domain}], size=128)
    covered, mean, contrast, places = LOOKS[domain]
    image = faces["image"].values[0]
    head = np.abs(image - 0.5) > 1e-6
    assert head.mean() == pytest.approx(covered, abs=0.01)
    assert image[head].mean() == pytest.approx(mean, abs=0.01)
    assert image[head].std() == pytest.approx(contrast, abs=0.01)
    points = dict(zip(faces["point"].values.tolist(), faces["landmark"].values[0], strict=True))
    for name, place in places.items():
        assert points[name] == pytest.approx(place, abs=1.0), name
    for name, place in points.items():  # a symmetric head, seen from the front
        if name.endswith("_left"):
            assert points[name.replace("_left", "_right")] == pytest.approx([128 - place[0], place[1]], abs=0.2), name
    eyes = (points["eye_left"] + points["eye_right"])[1] / 2
    assert eyes == pytest.approx(64 - 0.1 * 64, abs=1.0)  # at one height on every head
    background = np.concatenate([image[0], image[:, 0], image[:, -1]])
    assert (background == 0.5).all()


@pytest.mark.parametrize("wanted", [3, None, 2.5])
def test_landmarks_that_are_no_points(wanted):
    with pytest.raises(TypeError, match="landmarks: a set by name"):
        nr.render_faces([{"domain": "human"}], size=16, landmarks=wanted)


@pytest.mark.parametrize("domain", ["human", "macaque", "cartoon"])
@pytest.mark.parametrize("view", ["frontal", "left_half_profile", "left_profile", "right_profile", "up", "down"])
def test_the_oval_turns_with_the_head(domain, view):
    row = [{"domain": domain, "view": view}]
    whole, through = (nr.render_faces(row, size=128, aperture=kind) for kind in ("none", "oval"))
    near = "right" if view.startswith("left") else "left"  # the side that is seen when the head turns away
    for point in (f"eye_{near}", f"mouth_corner_{near}", f"brow_outer_{near}"):
        x, y = np.floor(whole["landmark"].sel(point=point).values[0]).astype(int)
        assert through["image"].values[0, y, x] == pytest.approx(whole["image"].values[0, y, x], abs=0.04), point
    covered = [np.mean(np.abs(each["image"].values - 0.5) > 1e-3) for each in (whole, through)]
    assert 0.2 * covered[0] < covered[1] < 0.85 * covered[0]
