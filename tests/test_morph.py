"""Morphs by landmarks and alignment: against scikit-image, against the true rendered face, and by their symmetries."""

import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import transform

import nrsim as nr
from nrsim.images import warp

SIZE = 64
HAPPY = [{"domain": "human", "expression": "happy", "intensity": level} for level in (0.5, 1.0, 1.5)]
NEUTRAL = {"domain": "human", "expression": "neutral", "intensity": 0.0}


@pytest.fixture(scope="module")
def faces():
    """The human head, neutral and at three true levels of a smile, 128 px."""
    return nr.render_faces([NEUTRAL, *HAPPY], size=128)


def ends(faces):
    return faces.isel(stimulus=[0]), faces.isel(stimulus=[2])


def smooth(seed, size=SIZE):
    """A picture without fine detail, so that interpolation is not what is tested."""
    noise = np.random.default_rng(seed).normal(size=(size, size))
    wave = np.fft.ifft2(np.fft.fft2(noise) * np.exp(-(np.hypot(*np.meshgrid(*[np.fft.fftfreq(size)] * 2)) ** 2) * 400))
    return (wave.real - wave.real.min()) / np.ptp(wave.real)


def rough(seed):
    return np.random.default_rng(seed).random((SIZE, SIZE))


FACE = np.array([[20.0, 24], [44, 24], [32, 36], [24, 48], [40, 48]])  # eyes, nose, corners of the mouth
SMILE = FACE + [[0, 0], [1, 0], [0, 1], [-4, -3], [4, -2]]


def estimated(kind, source, target):
    """A transform of scikit-image, in its older and its newer way."""
    if hasattr(kind, "from_estimate"):
        return kind.from_estimate(source, target)
    made = kind()
    made.estimate(source, target)
    return made


def rms(a, b):
    return float(np.sqrt(np.mean((np.asarray(a) - np.asarray(b)) ** 2)))


def test_ends_are_the_pictures_and_landmarks_go_in_straight_lines():
    a, b = rough(1), rough(2)
    levels = [-0.5, 0, 0.25, 1, 1.5]
    made = nr.morph(a, b, levels, FACE, SMILE)
    assert made["image"].values[1] == pytest.approx(a, abs=1e-6)
    assert made["image"].values[3] == pytest.approx(b, abs=1e-6)
    for level, places in zip(levels, made["landmark"].values, strict=True):
        assert places == pytest.approx((1 - level) * FACE + level * SMILE)
    assert list(made["morph_fraction"].values) == levels
    assert made["intensity"].values == pytest.approx(2 * np.array(levels) - 1)
    assert set(made["norm_kind"].values) == {"midpoint"}
    assert set(made["norm_id"].values) == {""}
    assert list(made["stimulus_id"].values[:2]) == ["a-to-b--0.50", "a-to-b-+0.00"]


def test_the_picture_travels_with_its_landmarks():
    # three bright spots sit on the points of both pictures: at every level they lie where the landmarks are
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)

    def spots(points):
        return sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in points)

    made = nr.morph(spots(FACE[[0, 1, 3]]), spots(SMILE[[0, 1, 3]]), [-0.3, 0.5, 1.3], FACE, SMILE)
    for image, places in zip(made["image"].values, made["landmark"].values, strict=True):
        for px, py in places[[0, 1, 3]]:
            near = np.hypot(x - px, y - py) < 4
            centre = np.array([(at * image)[near].sum() / image[near].sum() for at in (x, y)])
            assert centre == pytest.approx([px, py], abs=0.35)


def test_the_warp_is_scikit_images():
    frame = warp.frame_points(SIZE, SIZE)
    a, mean = np.concatenate([FACE, frame]), np.concatenate([(FACE + SMILE) / 2, frame])
    triangles = warp.triangulate(mean)
    where, weights = warp.locate(mean, triangles, SIZE, SIZE)
    places = warp.piecewise_affine(a, triangles, where, weights)
    theirs = estimated(transform.PiecewiseAffineTransform, mean, a)
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    expected = theirs(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(SIZE, SIZE, 2)
    assert places == pytest.approx(expected, abs=1e-9)


def test_identical_pictures_and_exchanged_ones():
    a, b = rough(1), smooth(2)
    same = nr.morph(a, a, [-1, 0.3, 2], FACE, FACE)["image"].values
    assert same == pytest.approx(np.stack([a] * 3), abs=1e-6)
    there = nr.morph(a, b, [-0.2, 0.3, 0.5], FACE, SMILE)
    back = nr.morph(b, a, [1.2, 0.7, 0.5], SMILE, FACE)
    assert there["image"].values == pytest.approx(back["image"].values, abs=1e-6)
    assert there["landmark"].values == pytest.approx(back["landmark"].values)


def test_shape_and_texture_apart():
    a, b = smooth(1), smooth(2)
    shape = nr.morph(a, b, [0.0, 1.0], FACE, SMILE, texture=0.0, norm="a")
    assert shape["image"].values[0] == pytest.approx(a, abs=1e-6)
    assert shape["landmark"].values[1] == pytest.approx(SMILE)
    assert rms(shape["image"][1], a) > 0.01
    # the texture of a in the shape of b is what a, moved to b's shape, looks like
    assert shape["image"].values[1] == pytest.approx(
        nr.morph(a, np.zeros_like(b), [1.0], FACE, SMILE, texture=0.0)["image"].values[0], abs=1e-6
    )
    texture = nr.morph(a, b, [0.0, 0.5], FACE, SMILE, shape=0.0)
    assert texture["landmark"].values == pytest.approx(np.stack([FACE, FACE]))
    assert texture["image"].values[0] == pytest.approx(a, abs=1e-6)
    # back and forth: b's texture in a's shape, then in b's, is b again, but for interpolation
    moved = nr.morph(a, b, [1.0], FACE, SMILE, shape=0.0)["image"].values[0].astype(float)
    again = nr.morph(moved, b, [1.0], FACE, SMILE, texture=0.0)["image"].values[0]
    assert rms(again, b) < 0.01
    assert list(shape["norm_id"].values) == ["a-to-b-+0.00"] * 2
    held = nr.morph(a, b, [0.0, 1.0], FACE, SMILE, texture=1.0, norm="a")  # level 0 is not a: no norm in the set
    assert set(held["norm_id"].values) == {""}


def test_extrapolation_leaves_no_hole():
    made = nr.morph(np.full((SIZE, SIZE), 0.8), np.full((SIZE, SIZE), 0.8), np.linspace(-1, 2, 7), FACE, SMILE)
    assert made["image"].values == pytest.approx(0.8, abs=1e-6)
    assert (made["clipped"] == 0).all()
    bright = nr.morph(np.full((SIZE, SIZE), 0.2), np.full((SIZE, SIZE), 0.9), [0.5, 1.5], FACE, SMILE)
    assert list(bright["clipped"].values) == [0, 1]
    assert float(bright["image"][1].max()) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 4))
def test_safe_levels_are_where_no_triangle_turns_over(seed, level):
    rng = np.random.default_rng(seed)
    frame = warp.frame_points(SIZE, SIZE)
    a = np.concatenate([FACE + rng.normal(0, 1.5, FACE.shape), frame])
    b = np.concatenate([FACE + rng.normal(0, 1.5, FACE.shape), frame])
    triangles = warp.triangulate((a + b) / 2)
    low, high = warp.safe_levels(a, b, triangles)
    steps = np.concatenate([np.linspace(0.5, level, 400)])
    smallest = np.array([warp.signed_areas((1 - t) * a + t * b, triangles).min() for t in steps])
    assert (smallest > -2e-3).all() == (low <= level <= high)
    if low <= level <= high:  # then every pixel lies in a triangle
        _, weights = warp.locate((1 - level) * a + level * b, triangles, SIZE, SIZE)
        assert weights.min() > -1e-6
        assert weights.sum(axis=-1) == pytest.approx(1)


def test_a_fold_is_named_with_the_safe_levels():
    crossing = FACE.copy()
    crossing[2] = [32, 40]  # the nose goes down towards the mouth, and beyond it at a high level
    with pytest.raises(ValueError, match="got 9, where .*2.* turns over") as error:
        nr.morph(rough(1), rough(2), [0.5, 9.0], FACE, crossing)
    low, high = map(float, re.findall(r"from (-?[\d.]+) to (-?[\d.]+) are safe", str(error.value))[0])
    nr.morph(rough(1), rough(2), [low, high], FACE, crossing)
    with pytest.raises(ValueError, match="turns over"):
        nr.morph(rough(1), rough(2), [high + 0.011], FACE, crossing)
    with pytest.raises(ValueError, match="exchanged in one of them"):
        nr.morph(rough(1), rough(2), [0.5], FACE, FACE[[1, 0, 2, 4, 3]] + [[0, 0], [0, 0], [0, 0], [0, 1], [0, 0]])


def test_points_on_the_edge_and_the_corner():
    edge = np.concatenate([FACE, [[0, 0], [64, 20], [0, 32.2]]])
    other = np.concatenate([SMILE, [[0, 0], [64, 24], [0, 32]]])
    a = rough(1)
    made = nr.morph(a, a, [0, 1], edge, other)
    assert made["image"].values == pytest.approx(np.stack([a, a]), abs=1e-5)


def test_half_a_smile_is_nearer_the_rendered_one_than_a_fade(faces):
    a, b = ends(faces)
    made = nr.morph(a, b, [0, 0.5, 1, 1.5], norm="a")
    images = faces["image"].values
    fade = (images[0] + images[2]) / 2
    assert rms(made["image"][1], images[1]) < 0.75 * rms(fade, images[1])  # 0.0090 and 0.0146
    beyond = np.clip(images[0] + 1.5 * (images[2] - images[0]), 0, 1)
    assert rms(made["image"][3], images[3]) < 0.75 * rms(beyond, images[3])  # 0.0198 and 0.0326
    assert list(made["intensity"].values) == [0, 0.5, 1, 1.5]
    assert list(made["expression"].values) == ["neutral", "happy", "happy", "happy"]
    assert set(made["norm_id"].values) == {made["stimulus_id"].values[0]}
    assert set(made["domain"].values) == {"human"}
    assert list(made["point"].values) == list(faces["point"].values)
    assert made["x"].values == pytest.approx(faces["x"].values)
    assert "render_faces" in made.attrs["history"]
    nr.schema.check(made, "StimulusSet")


def test_labels_of_morphs():
    named = {"domain": "anna", "expression": "happy", "age": 31}
    made = nr.morph(smooth(1), smooth(2), 0.125, FACE, SMILE, names=("fear", "joy"), labels=named, degrees=6)
    assert made["stimulus_id"].values[0] == "fear-to-joy-+0.125000"
    assert (made["domain"].values[0], float(made["age"].values[0])) == ("anna", 31)
    assert (made["morph_from"].values[0], made["morph_to"].values[0]) == ("fear", "joy")
    assert float(np.diff(made["x"])[0]) == pytest.approx(6 / SIZE)
    people = nr.example("StimulusSet").isel(stimulus=[0, 1])
    people = people.assign_coords(
        identity=("stimulus", ["average", "anna"]),
        landmark=(("stimulus", "point", "axis"), np.stack([FACE, SMILE]) / 2, {"units": "px"}),
        point=list("abcde"),
        axis=["x", "y"],
    )
    pair = people.isel(stimulus=[0]), people.isel(stimulus=[1])
    towards = nr.morph(*pair, [0, 0.5], norm="a", norm_kind="average_identity")
    assert list(towards["identity"].values) == ["average", "anna"]
    assert list(towards["identity_level"].values) == [0, 0.5]
    assert "identity" not in nr.morph(*pair, [0, 0.5])


def with_points(points, names=None):
    return xr.DataArray(points, dims=("point", "axis"), coords={"point": names or list("abcde"), "axis": ["x", "y"]})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"b": np.zeros((SIZE, 32))}, "pictures of one size; got 64 × 64 px and 64 × 32 px"),
        ({"a": np.full((SIZE, SIZE), 200)}, "a: luminance in 0..1; got 200 to 200"),
        ({"a": np.zeros((SIZE, SIZE, 3))}, "a: a picture (y, x)"),
        ({"landmarks_a": FACE[:2], "landmarks_b": FACE[:2]}, "at least 3 landmarks; got 2 in a"),
        ({"landmarks_a": FACE[[0, 1, 1, 3, 4]]}, "every landmark of a at a place of its own; got '1' and '2'"),
        ({"landmarks_a": [[1, 1], [2, 2], [3, 3]], "landmarks_b": FACE[:3]}, "do not all lie on one line"),
        ({"landmarks_b": SMILE + [30, 0]}, "landmarks inside the picture (64 × 64 px); got (75, 24) for '1' of b"),
        ({"landmarks_b": SMILE[:4]}, "the same landmarks in both pictures; got 5 in a and 4 in b"),
        ({"landmarks_a": np.where(FACE == 36, np.nan, FACE)}, "finite x and y of every point of a; got NaN"),
        ({"landmarks_a": FACE.T}, "(point, 2); got the shape (2, 5)"),
        ({"landmarks_a": "nose"}, "landmarks_a: (x, y) of each point in px"),
        ({"landmarks_a": None}, "Pass landmarks_a="),
        (
            {"landmarks_a": with_points(FACE), "landmarks_b": with_points(SMILE, list("abdce"))},
            "same names in the same order; got 'c' in a where b has 'd'",
        ),
        ({"levels": []}, "levels: at least one number"),
        ({"levels": [0, 0.5, 0.5]}, "every level once; got 0.5 more than once"),
        ({"levels": [np.nan]}, "levels: needed a finite number"),
        ({"levels": ["half"]}, "levels: needed a number"),
        ({"norm": "b"}, "Give the picture that is the norm as a"),
        ({"norm": "a", "norm_kind": "average"}, "nearest: 'average_identity'"),
        ({"shape": 0.0, "texture": 0.0}, "both held"),
        ({"labels": ["domain"]}, "labels: a mapping"),
        ({"labels": {"intensity": 1}}, "which nr.morph itself says"),
        ({"names": ("a", "a")}, "two unlike names"),
    ],
)
def test_wrong_morphs(changed, words):
    given = {"a": rough(1), "b": rough(2), "levels": [0.5], "landmarks_a": FACE, "landmarks_b": SMILE} | changed
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        nr.morph(**given)


def test_wrong_stimulus_sets(faces):
    a, b = ends(faces)
    with pytest.raises(ValueError, match="a StimulusSet of one still picture"):
        nr.morph(faces, b, [0.5])
    with pytest.raises(ValueError, match="a StimulusSet without them"):
        nr.morph(a.drop_vars("landmark"), b, [0.5])
    with pytest.raises(ValueError, match="one size in degrees"):
        nr.morph(
            a,
            b.assign_coords(x=b["x"] * 2, y=b["y"] * 2).assign_coords(
                x=("x", b["x"].values * 2, {"units": "degree"}), y=("y", b["y"].values * 2, {"units": "degree"})
            ),
            [0.5],
        )


def turned(image, degrees, factor, shift):
    """A picture and its points turned, scaled and shifted by scikit-image."""
    move = transform.SimilarityTransform(scale=factor, rotation=np.deg2rad(degrees), translation=shift)
    about = transform.SimilarityTransform(translation=(-SIZE / 2, -SIZE / 2))
    whole = about + move + transform.SimilarityTransform(translation=(SIZE / 2, SIZE / 2))
    pixel = transform.SimilarityTransform(translation=(0.5, 0.5))
    drawn = transform.warp(image, (pixel + whole + pixel.inverse).inverse, order=3, mode="edge")
    return np.clip(drawn, 0, 1), whole(FACE)


def stimuli(images, points):
    n = len(images)
    edge = (np.arange(SIZE) + 0.5 - SIZE / 2) * 4 / SIZE
    made = nr.example("StimulusSet").isel(stimulus=slice(0, n)).drop_vars(["image", "x", "y", "image_sha256"])
    made["image"] = (("stimulus", "y", "x"), np.stack(images).astype(np.float32), {"units": "1"})
    return made.assign_coords(
        landmark=(("stimulus", "point", "axis"), np.stack(points), {"units": "px"}),
        point=["eye_left", "eye_right", "nose", "mouth_left", "mouth_right"],
        axis=["x", "y"],
        x=("x", edge, {"units": "degree"}),
        y=("y", edge[::-1], {"units": "degree"}),
    )


def test_alignment_undoes_turning_scaling_and_shifting():
    image = smooth(3)
    moves = [(0, 1, (0, 0)), (12, 1.1, (2, -1)), (-9, 0.9, (-3, 2)), (-3, 1.0, (1, -1))]
    images, points = zip(*(turned(image, *move) for move in moves), strict=True)
    aligned = nr.align(stimuli(images, points))
    for place in aligned["landmark"].values:
        assert place == pytest.approx(aligned["landmark"].values[0], abs=1e-9)
    middle = np.s_[:, 16:-16, 16:-16]
    assert np.ptp(aligned["image"].values[middle], axis=0).max() < 0.02
    assert np.ptp(np.stack(images)[middle], axis=0).max() > 0.1
    assert aligned["aligned_error"].values == pytest.approx(0, abs=1e-9)
    scales, turns = aligned["aligned_scale"].values, aligned["aligned_rotation"].values
    assert scales / scales[0] == pytest.approx([1, 1 / 1.1, 1 / 0.9, 1])
    assert np.log(scales).mean() == pytest.approx(0)
    assert turns - turns[0] == pytest.approx([0, 12, -9, -3])  # what is undone: px angles run clockwise
    again = nr.align(aligned)
    assert again["landmark"].values == pytest.approx(aligned["landmark"].values)
    assert again["image"].values == pytest.approx(aligned["image"].values, abs=1e-5)


def test_an_aligned_set_stays_as_it_is_and_the_fit_is_the_least_squared():
    rng = np.random.default_rng(5)
    shapes = [FACE + rng.normal(0, 1, FACE.shape) for _ in range(4)]
    once = nr.align(stimuli([smooth(i) for i in range(4)], shapes))
    twice = nr.align(once)
    assert twice["landmark"].values == pytest.approx(once["landmark"].values, abs=1e-6)
    assert twice["aligned_scale"].values == pytest.approx(1)
    theirs = estimated(transform.SimilarityTransform, shapes[1], FACE)
    s, d = warp.similarity(shapes[1], FACE)
    assert warp.moved(shapes[1], s, d) == pytest.approx(theirs(shapes[1]), abs=0.05)  # theirs scales by Umeyama
    assert np.angle(s) == pytest.approx(theirs.rotation)
    best = ((warp.moved(shapes[1], s, d) - FACE) ** 2).sum()
    for nudge in (1.001, 0.999, 1 + 0.001j, 1 - 0.001j):
        assert ((warp.moved(shapes[1], s * nudge, d) - FACE) ** 2).sum() > best
    rigid, at = warp.unscaled(shapes[1], FACE)
    assert abs(rigid) == pytest.approx(1)
    assert rigid == pytest.approx(s / abs(s))
    assert warp.moved(shapes[1], rigid, at).mean(axis=0) == pytest.approx(FACE.mean(axis=0))


def test_points_at_stated_places(faces):
    eyes = {"eye_inner_left": (0.3, 0.5), "eye_inner_right": (-0.3, 0.5)}
    aligned = nr.align(faces, to=eyes, background=0.5)
    marks = aligned["landmark"].sel(point=list(eyes))
    for i, (x, y) in enumerate(eyes.values()):
        where = marks.isel(point=i).values
        assert aligned["x"].values[0] + (where[:, 0] - 0.5) / 32 == pytest.approx(x, abs=1e-9)
        assert aligned["y"].values[0] - (where[:, 1] - 0.5) / 32 == pytest.approx(y, abs=1e-9)
    assert "align" in aligned.attrs["history"]
    assert list(aligned["stimulus_id"].values) == list(faces["stimulus_id"].values)
    assert aligned["image_sha256"].values[0] != faces["image_sha256"].values[0]
    kept = nr.align(faces, ["eye_outer_left", "eye_outer_right"], scale=False)
    assert kept["aligned_scale"].values == pytest.approx(1)


def test_shrinking_is_low_pass_filtered():
    x = np.arange(SIZE)
    stripes = np.tile((x % 2).astype(float), (SIZE, 1))
    third = warp.warp_similarity(stripes, 1 / 3, complex(SIZE / 3, SIZE / 3))
    inside = third[28:36, 28:36]
    assert inside == pytest.approx(0.5, abs=0.05)  # unfiltered, samples 3 px apart would alternate 0 and 1
    assert warp.warp_similarity(stripes, 1, 0) == pytest.approx(stripes, abs=1e-9)


def test_beyond_the_edge():
    bright = np.full((SIZE, SIZE), 0.9)
    assert warp.warp_similarity(bright, 1, 20) == pytest.approx(0.9)
    filled = warp.warp_similarity(bright, 1, 20, outside=0.1)
    assert filled[:, :20] == pytest.approx(0.1)
    assert filled[:, 21:] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"points": ["eye_left"]}, "at least two landmarks to align by; got 1: eye_left"),
        ({"points": ["eye_left", "nos"]}, "unknown landmark 'nos'; nearest: 'nose'"),
        ({"points": "nose"}, "points: a list of names"),
        ({"points": 3}, "points: a list of names"),
        ({"to": {"eye_left": (0, 0), "eye_right": 1}}, "to: (x, y) in degrees for 'eye_right'"),
        ({"to": {"eye_left": (0, 0), "eye_right": (9, 0)}}, "landmarks inside the picture (64 × 64 px)"),
        ({"to": {"eye_left": (0, 0), "eye_right": (0, 0)}}, "'eye_left' and 'eye_right' at the same place"),
        ({"to": {"eye_left": (0, 0), "eye_right": (0.01, 0)}}, "8-fold at most"),
        ({"points": ["nose", "eye_left"], "to": {"nose": (0, 0)}}, "none for 'eye_left'"),
        ({"to": [(0, 0)]}, "to: a mapping"),
        ({"background": 2}, "background: needed at most 1"),
    ],
)
def test_wrong_alignments(arguments, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        nr.align(stimuli([rough(1), rough(2)], [FACE, SMILE]), **arguments)


def test_wrong_landmarks_for_alignment():
    with pytest.raises(ValueError, match="landmark .stimulus, point, axis.; got none"):
        nr.align(nr.example("StimulusSet"))
    missing = np.where(FACE == 36, np.nan, FACE)
    with pytest.raises(ValueError, match="got NaN or infinite for 'nose'"):
        nr.align(stimuli([rough(1)], [missing]))
    nr.align(stimuli([rough(1)], [missing]), ["eye_left", "eye_right"])  # a point that does not count may be missing
    with pytest.raises(ValueError, match="landmarks inside the picture"):
        nr.align(stimuli([rough(1)], [FACE + 40]))
