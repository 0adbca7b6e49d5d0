import numpy as np
import pytest
import xarray as xr
from matplotlib.path import Path
from scipy.spatial.distance import cdist

import nrsim as nr
from nrsim.cartoons.draw import Pen
from nrsim.cartoons.features import LEVELS, PARTS
from nrsim.cartoons.geometry import BROW, LINE, Geometry, shift

NAMES = list(nr.CARTOON_FEATURES)
AVERAGE = [0.0] * 19


def only(feature, value):
    return [float(value) if name == feature else 0.0 for name in NAMES]


def picture(values, size=128, parts=PARTS):
    return Pen(size).draw(Geometry(values), parts, 0.5).astype(float)


def along(contour, closed=True, n=120):
    """The contour at ``n`` places of equal distance."""
    points = np.concatenate([contour, contour[:1]]) if closed else contour
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    at = np.linspace(0, length[-1], n)
    return np.stack([np.interp(at, length, points[:, i]) for i in (0, 1)], axis=1)


def test_there_are_19_features_of_11_values():
    assert len(NAMES) == 19
    assert len(LEVELS) == 11
    assert {part for feature in nr.CARTOON_FEATURES.values() for part in feature.parts} == set(PARTS)


def test_coverage_is_the_exact_area():
    # skin alone, without its line: the mean above the background is the polygon's area (shoelace)
    pen, face = Pen(128), Geometry(only("face_aspect_ratio", 3))
    image = np.zeros((256, 256))
    pen._lay(image, 1.0, face.contours["outline"])
    x, y = face.contours["outline"][0].T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    assert image.mean() * 4 == pytest.approx(area, rel=2e-3)
    assert set(np.unique(image[100:150, 100:150])) == {1.0}


def test_plain_areas_have_their_luminance():
    image = picture(AVERAGE)
    assert image[0, 0] == 0.5
    assert image[100, 64] == pytest.approx(0.85)  # below the mouth
    assert image.min() == 0.0
    assert image.max() <= 1.0


def test_size_scales_the_picture():
    values = np.array([3, -2, 4, 5, -1, 2, 3, -4, 1, 5, -2, 3, -4, 2, 5, -3, 1, -5, 4], dtype=float)
    fine = picture(values, 1024)
    for size, worst in ((64, 0.02), (128, 0.05), (256, 0.05)):
        mean = fine.reshape(size, 1024 // size, size, 1024 // size).mean(axis=(1, 3))
        assert np.abs(picture(values, size) - mean).max() < worst  # where several edges cross one pixel
        assert np.sqrt(((picture(values, size) - mean) ** 2).mean()) < 0.002


def test_a_mirrored_face_is_the_mirrored_picture():
    rng = np.random.default_rng(3)
    values = rng.integers(-5, 6, 19).astype(float)
    mirrored = values.copy()
    for name in ("face_direction", "gaze_direction"):
        values[NAMES.index(name)], mirrored[NAMES.index(name)] = 4, -4
    assert picture(mirrored)[:, ::-1] == pytest.approx(picture(values), abs=0.02)


@pytest.mark.parametrize("feature", NAMES)
def test_a_feature_changes_its_own_parts_alone(feature):
    own = nr.CARTOON_FEATURES[feature].parts
    average, before = Geometry(AVERAGE), picture(AVERAGE)
    for value in (-5, -1, 2, 5):
        face, after = Geometry(only(feature, value)), picture(only(feature, value))
        changed = {
            part
            for part in PARTS
            if any((a != b).any() for a, b in zip(face.contours[part], average.contours[part], strict=True))
        }
        assert changed
        assert changed <= set(own)
        region = np.zeros((128, 128), dtype=bool)
        for part in own:
            for contour in [*face.contours[part], *average.contours[part]]:
                low = np.floor((contour.min(axis=0) - BROW + 1) * 64).astype(int) - 1
                high = np.ceil((contour.max(axis=0) + BROW + 1) * 64).astype(int) + 1
                region[128 - high[1] : 128 - low[1], max(low[0], 0) : high[0]] = True
        assert (before == after)[~region].all()
        assert (before != after)[region].any()


@pytest.mark.parametrize("feature", NAMES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_distance_from_the_average_rises_with_every_step(feature, sign):
    average = Geometry(AVERAGE)
    steps = [only(feature, sign * value) for value in range(6)]
    images = [picture(values) for values in steps]
    assert np.all(np.diff([np.sqrt(((image - images[0]) ** 2).mean()) for image in images]) > 0)
    assert np.all(np.diff([shift(Geometry(values), average, PARTS) for values in steps]) > 0)


def test_faces_stay_faces_at_random_corners_of_the_feature_space():
    rng = np.random.default_rng(19)
    for values in rng.choice([-5.0, 5.0], (2000, 19)):
        face = Geometry(values)
        shapes = face.contours
        outline = along(shapes["outline"][0], n=240)
        eyes, brows = [along(c) for c in shapes["eyes"]], [along(c, closed=False) for c in shapes["eyebrows"]]
        nose, mouth = along(shapes["nose"][0]), along(shapes["mouth"][0])
        hairline = shapes["hair"][1][len(shapes["hair"][1]) // 3 :]
        gaps = [
            *(cdist(eye, brow).min() - LINE / 2 - BROW / 2 for eye in eyes for brow in brows),
            *(cdist(brow, edge).min() - BROW / 2 - LINE / 2 for brow in brows for edge in (outline, hairline, nose)),
            *(cdist(eye, edge).min() - LINE for eye in eyes for edge in (outline, nose, mouth)),
            cdist(*eyes).min() - LINE,
            cdist(*brows).min() - BROW,
            cdist(nose, mouth).min() - LINE,
            cdist(mouth, outline).min() - LINE,
        ]
        assert min(gaps) > 0
        inner = np.concatenate([*eyes, *brows, nose, mouth])
        assert Path(outline).contains_points(inner).all()
        marks = face.landmarks
        for side in ("left", "right"):
            assert min(brow[:, 1].min() for brow in brows) - BROW / 2 > marks[f"eye_centre_{side}"][1]
            eye = shapes["eyes"][0 if side == "left" else 1]
            assert Path(eye).contains_point(marks[f"iris_{side}"])
        assert mouth[:, 1].max() < marks["nose_tip"][1] < marks["nose_bridge"][1]
        assert marks["upper_lip"][1] > marks["lower_lip"][1] > marks["chin"][1]
        assert max(np.abs(contour).max() for contours in shapes.values() for contour in contours) < 1 - LINE


def test_landmarks_lie_where_the_picture_shows_them():
    rows = [{"gaze_direction": 5, "face_direction": -3, "inter_eye_distance": 4, "mouth_size": 5, "iris_size": -4}]
    irises = nr.render_cartoons(rows, parts=["irises"], size=128).isel(stimulus=0)
    dark = 0.5 - irises["image"].values.astype(float)
    columns, lines = np.arange(128) + 0.5, np.arange(128) + 0.5
    marks = irises["landmark"].assign_coords(point=irises["point"].values)
    for side, half in (("right", slice(0, 64)), ("left", slice(64, 128))):  # the face's own sides
        part = dark[:, half]
        seen = [(part.sum(axis=0) @ columns[half]) / part.sum(), (part.sum(axis=1) @ lines) / part.sum()]
        assert marks.sel(point=f"iris_{side}").values == pytest.approx(seen, abs=0.05)
    assert np.isnan(marks.sel(point="chin").values).all()

    mouth = nr.render_cartoons(rows, parts=["mouth"], size=512).isel(stimulus=0)
    shown = np.flatnonzero((mouth["image"].values < 0.4).any(axis=0))
    marks = mouth["landmark"].assign_coords(point=mouth["point"].values)
    half_line = LINE * 512 / 4
    assert float(marks.sel(point="mouth_corner_right")[0]) == pytest.approx(shown[0] + half_line, abs=1.5)
    assert float(marks.sel(point="mouth_corner_left")[0]) == pytest.approx(shown[-1] + 1 - half_line, abs=1.5)

    outline = nr.render_cartoons(rows, parts=["outline"], size=512).isel(stimulus=0)
    lowest = np.flatnonzero((outline["image"].values < 0.25).any(axis=1))[-1] + 1
    marks = outline["landmark"].assign_coords(point=outline["point"].values)
    assert float(marks.sel(point="chin")[1]) == pytest.approx(lowest - half_line, abs=1.0)


def test_the_axes_share_one_average():
    faces = nr.cartoon_faces("axes", size=64)
    assert faces.sizes["stimulus"] == 191
    assert len(set(faces["image_sha256"].values)) == 191
    assert set(faces["norm_id"].values) == {"cartoon-average"}
    assert set(faces["norm_kind"].values) == {"average_identity"}
    assert float(faces["norm_distance"][0]) == 0
    iris = faces.isel(stimulus=np.flatnonzero(faces["varied"] == "iris_size"))
    assert iris["cartoon_iris_size"].values.tolist() == [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]
    assert iris["intensity"].values == pytest.approx(iris["cartoon_iris_size"].values / 5)
    assert (iris["cartoon_eye_size"] == 0).all()
    assert list(faces["varied"].values[:1]) == ["none"]
    assert "part_eyes" not in faces.coords


def test_pairs_hold_the_axes_of_both_features():
    pairs = nr.cartoon_faces("pairs", features=["eye_size", "iris_size"], size=24)
    assert pairs.sizes["stimulus"] == 121
    single = nr.cartoon_faces("axes", features=["eye_size", "iris_size"], size=24)
    both = dict(zip(pairs["stimulus_id"].values, pairs["image_sha256"].values, strict=True))
    for name, image in zip(single["stimulus_id"].values, single["image_sha256"].values, strict=True):
        assert both[name] == image
    corner = pairs.isel(stimulus=np.flatnonzero(pairs["stimulus_id"] == "cartoon-eye_size+5-iris_size-2"))
    assert corner["varied"].item() == "eye_size+iris_size"
    assert corner["intensity"].item() == 1


def test_a_random_face_depends_on_seed_and_number_alone():
    few, many = (nr.cartoon_faces("random", n=n, seed=4, size=24) for n in (3, 6))
    assert few["image"].identical(many.isel(stimulus=slice(3))["image"])
    other = nr.cartoon_faces("random", n=3, seed=5, size=24)
    assert not (other["image"] == few["image"].values).all()
    some = nr.cartoon_faces("random", n=3, seed=4, features=["nose_base", "hair_length"], average=True, size=24)
    assert some["stimulus_id"].values[0] == "cartoon-average"
    assert set(some["norm_id"].values) == {"cartoon-average"}
    assert (some["cartoon_nose_base"][1:].values == few["cartoon_nose_base"].values).all()
    assert (some["cartoon_eye_size"] == 0).all()
    assert set(few["norm_id"].values) == {""}


def test_random_features_are_uniform_and_independent():
    faces = nr.cartoon_faces("random", n=1500, seed=0, size=8)
    values = np.stack([faces[f"cartoon_{name}"].values for name in NAMES])
    counts = np.array([[(row == level).sum() for level in LEVELS] for row in values])
    expected = 1500 / 11
    chi2 = ((counts - expected) ** 2 / expected).sum(axis=1)  # 10 degrees of freedom, 19 features
    assert chi2.max() < 35  # p of a larger one in 19 draws: 0.002
    assert np.abs(np.corrcoef(values) - np.eye(19)).max() < 0.12  # 4.6 standard errors


def test_decomposition_shows_every_combination_of_parts():
    faces = nr.cartoon_faces("decomposition", size=48)
    assert faces.sizes["stimulus"] == 128
    flags = np.stack([faces[f"part_{part}"].values for part in PARTS], axis=1)
    assert len({tuple(row) for row in flags}) == 128
    assert len(set(faces["image_sha256"].values)) == 128
    blank = faces.isel(stimulus=int(np.flatnonzero(faces["category"] == "blank").item()))
    assert (blank["image"] == 0.5).all()
    assert faces["category"].values.tolist().count("face") == 1
    assert faces["parts"].values[0] == "all"
    # the parts that lie alone upon the background add up to the picture of them all
    alone = {name: faces["image"].values[list(faces["parts"].values).index(name)] - 0.5 for name in ("nose", "mouth")}
    together = faces["image"].values[list(faces["parts"].values).index("nose+mouth")] - 0.5
    assert alone["nose"] + alone["mouth"] == pytest.approx(together, abs=1e-6)


def test_parts_can_be_varied_alone():
    eyes = nr.cartoon_faces("axes", features=["iris_size"], parts=["irises", "eyes"], size=32)
    assert set(eyes["parts"].values) == {"eyes+irises"}
    assert set(eyes["norm_id"].values) == {"cartoon-average-only-eyes-irises"}
    assert set(eyes["identity"].values) == {"average", "iris_size"}  # along an axis the axis is who it is
    mixed = nr.render_cartoons([{}, {"parts": []}, {"parts": ["hair"], "hair_length": 2}], size=16)
    assert mixed["category"].values.tolist() == ["face", "blank", "face_part"]
    assert mixed["norm_id"].values.tolist() == ["cartoon-average", "cartoon-blank", ""]


def test_shipped_recipes():
    axes = nr.load_stimuli("freiwald2009_cartoons")
    assert axes.sizes["stimulus"] == 191
    assert axes["image"].shape[1:] == (128, 128)
    titles = nr.list_stimuli()
    assert "freiwald2009_random" in titles


def test_a_set_is_kept_by_netcdf(tmp_path):
    faces = nr.render_cartoons([{"iris_size": 1.5}, {"parts": ["nose"]}], size=16)
    faces.to_netcdf(tmp_path / "faces.nc")
    kept = xr.load_dataset(tmp_path / "faces.nc", engine="h5netcdf")
    assert nr.identical(nr.schema.check(kept, "StimulusSet"), faces)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "at least one face"),
        ([{"iris_sise": 1}], "nearest: 'iris_size'"),
        ([{"iris_size": 6}], "iris_size of face 0: needed at most 5"),
        ([{}, {"iris_size": "big"}], "iris_size of face 1: needed a number"),
        ([{"iris_size": float("nan")}], "finite"),
        ([{}, {"iris_size": 0}], "cartoon-average more than once"),
        ([{"parts": ["eye"]}], "nearest: 'eyes'"),
        ([{"parts": "eyes"}], "parts: a list of"),
        ([3], "a mapping of feature and value"),
        ({"iris_size": 1}, "Put a single face into a list"),
    ],
)
def test_wrong_rows(rows, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nr.render_cartoons(rows, size=16)


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("axis", {}, "nearest: 'axes'"),
        ("axes", {"features": ["nose"]}, "nearest: 'nose_base'"),
        ("axes", {"features": "nose_base"}, "features: a list"),
        ("axes", {"features": []}, "at least one feature"),
        ("axes", {"features": ["nose_base", "nose_base"]}, "every feature once"),
        ("axes", {"levels": [0, 5.5]}, "levels: needed at most 5"),
        ("axes", {"levels": [1, 1]}, "every level once"),
        ("axes", {"levels": 3}, "levels: a list"),
        ("axes", {"n": 10}, "no n for kind 'axes'"),
        ("axes", {"seed": 1}, "no seed for kind 'axes'"),
        ("pairs", {}, "two features"),
        ("pairs", {"features": ["nose_base"]}, "two features for kind 'pairs'; got nose_base"),
        ("random", {"n": 3}, "seed for random faces"),
        ("random", {"seed": 3}, "n for random faces"),
        ("random", {"n": 0, "seed": 1}, "n: needed at least 1"),
        ("decomposition", {"features": ["nose_base"]}, "whose faces are average"),
        ("axes", {"size": 4}, "size: needed at least 8"),
        ("axes", {"background": 2}, "background: needed at most 1"),
        ("axes", {"degrees": 0}, "degrees: needed more than 0"),
    ],
)
def test_wrong_sets(kind, settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nr.cartoon_faces(kind, **settings)


def test_settings_of_matplotlib_do_not_change_the_picture():
    import matplotlib as mpl

    before = picture(AVERAGE)
    with mpl.rc_context({"path.simplify_threshold": 1.0, "path.snap": True, "lines.antialiased": False}):
        assert (picture(AVERAGE) == before).all()
