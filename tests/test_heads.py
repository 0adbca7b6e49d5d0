"""Other heads: read from a file, brought into the template's frame, with their landmarks found."""

import numpy as np
import pytest

import nrsim as nr
from nrsim.faces.expressions import EXPRESSIONS
from nrsim.faces.head import EYE, SKIN, template
from nrsim.faces.headfile import unit_name
from nrsim.meshes.raster import turn

SIDES = (("Left", "_L"), ("Right", "_R"))


def by_side(name):
    for side, short in SIDES:
        if name.endswith(side):
            return name.removesuffix(side) + short
    return name


def drawn():
    """The template's surface as it is drawn: vertices and units."""
    head = template()
    units = {name: head.subdivision @ shift.toarray() for name, shift in head.units.items()}
    return head.subdivision @ head.vertices, units


def moved_template(scale=1.0, shift=(0.0, 0.0, 0.0), yaw=0.0, pitch=0.0, seed=1):
    """The template as a stranger's file: scaled, shifted, turned, its vertices and units in another order."""
    head, (vertices, units), random = template(), drawn(), np.random.default_rng(seed)
    order = random.permutation(len(vertices))
    names = [str(name) for name in random.permutation(sorted(units))]
    rotation = turn(yaw, pitch)
    return {
        "neutral": (scale * vertices @ rotation.T + shift)[order].astype(np.float32),
        "triangles": np.argsort(order)[head.corners],
        "expr_names": np.array([by_side(name) for name in names]),
        "expr": np.stack([(scale * units[name] @ rotation.T)[order] for name in names]).astype(np.float32),
        "part": head.surface["part"][order],
    }, order


@pytest.fixture(scope="module")
def arrays():
    return moved_template(scale=2.5, shift=(3, -1, 7), yaw=5, pitch=4)[0]


def saved(folder, arrays, **changes):
    path = folder / "mine.npz"
    np.savez(path, **{key: value for key, value in (arrays | changes).items() if value is not None})
    return path


# --- the template as a stranger -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"scale": 2.5, "shift": (3, -1, 7), "yaw": 5, "pitch": 4},
        {"scale": 0.01, "shift": (1, 0, 0), "yaw": -8, "pitch": 3, "seed": 2},
        {"scale": 100.0, "yaw": 12, "pitch": -12, "seed": 3},
    ],
)
def test_the_template_is_recognised_in_any_frame(tmp_path, frame):
    own, order = moved_template(**frame)
    head, base = nr.load_head(saved(tmp_path, own)), template()
    surface = drawn()[0]
    interocular = np.linalg.norm(np.subtract(*base.eye_centres(base.vertices)))
    assert np.abs(head.vertices - surface[order]).max() < 0.01 * interocular
    assert set(head.units) == set(base.units)
    assert set(base.landmarks) <= set(head.landmarks)
    for point, vertices in base.landmarks.items():
        there, here = surface[list(vertices)].mean(axis=0), head.vertices[list(head.landmarks[point])].mean(axis=0)
        assert np.linalg.norm(here - there) < 0.02 * interocular, point
    assert np.linalg.norm(np.subtract(*head.eye_centres(head.vertices))) == pytest.approx(interocular, rel=1e-6)


def test_the_template_looks_the_same_as_a_stranger(tmp_path, arrays):
    heads = {"stranger": nr.load_head(saved(tmp_path, arrays)), "plain": template()}
    shown = [{}, {"expression": "jawOpen", "intensity": 1.0}, {"expression": "mouthSmile", "intensity": 1.0}]
    rows = [{"domain": name} | more for name in heads for more in shown]
    faces = nr.render_faces(rows, size=80, heads=heads)
    image, marks = faces["image"].values, faces["landmark"].values
    for i in range(3):
        assert np.sqrt(((image[i] - image[i + 3]) ** 2).mean()) < 0.02
        assert np.sqrt(((image[i] - image[(i + 1) % 3]) ** 2).mean()) > 0.02
    assert marks[:3] == pytest.approx(marks[3:], abs=1.0)  # px
    assert faces["norm_distance"].values[:3] == pytest.approx(faces["norm_distance"].values[3:], rel=0.01)


def test_points_that_are_given_are_kept(tmp_path, arrays):
    found = nr.load_head(saved(tmp_path, arrays))
    beside = {}
    for point in ("nose_tip", "chin"):
        away = np.linalg.norm(found.vertices - found.vertices[found.landmarks[point][0]], axis=1)
        beside[point] = int(np.argsort(away + 9 * (found.part != SKIN))[2])
    path = saved(tmp_path, arrays, landmark_names=np.array(["chin"]), landmark_vertices=np.array([beside["chin"]]))
    assert nr.load_head(path).landmarks["chin"] == (beside["chin"],)
    head = nr.load_head(path, landmarks={"nose_tip": beside["nose_tip"], "chin": found.landmarks["chin"][0]})
    assert head.landmarks["nose_tip"] == (beside["nose_tip"],) != found.landmarks["nose_tip"]
    assert head.landmarks["chin"] == found.landmarks["chin"]  # what the call says comes before the file


def test_quads_materials_identities_and_colours_are_read(tmp_path, arrays):
    triangles = arrays["triangles"]
    eye = (arrays["part"] == EYE)[triangles].all(axis=1)
    mat = np.where(eye, 1, 0)
    mat[:10] = 2
    n = len(arrays["neutral"])
    wide = np.zeros((1, n, 3))
    wide[0, :, 0] = 0.1 * arrays["neutral"][:, 0]
    path = saved(
        tmp_path,
        arrays,
        part=None,
        triangles=None,
        quads=np.column_stack([triangles, triangles[:, 2]]),
        mat=mat,
        mat_names=np.array(["skin", "M_Eye", "eyelashes"]),
        ident=wide,
        ident_names=np.array(["wide"]),
        ident_scale=2.0,
        expr=arrays["expr"] / 4,
        expr_scale=4.0,
        colour=np.full((n, 4), 0.4),
    )
    head, plain = nr.load_head(path), nr.load_head(saved(tmp_path, arrays))
    assert ((head.part == EYE) == (arrays["part"] == EYE)).mean() > 0.999
    jaw, whole = (each.expression({"jawOpen": 1.0}) for each in (head, plain))
    assert np.abs(jaw - whole).max() < 0.01 * np.abs(whole).max()
    assert list(head.identities) == ["wide"]
    rows = [{"domain": "mine", "identity": name, "identity_level": level} for name in ("wide",) for level in (0.5, 1.0)]
    faces = nr.render_faces(
        [{"domain": "mine", "identity": "average"}, *rows], size=16, heads={"mine": head}, colour=True
    )
    distance = faces["norm_distance"].values
    assert distance[0] == 0
    assert distance[1] == pytest.approx(distance[2] / 2)
    assert distance[2] > 0.05
    assert np.ptp(faces["colour"].values, axis=-1).max() < 0.01  # its own grey, not nrsim's paint
    with pytest.raises(ValueError, match="unknown identity 'wde'; nearest: 'wide'"):
        nr.render_faces([{"domain": "mine", "identity": "wde"}], size=8, heads={"mine": head})
    with pytest.raises(ValueError, match="unknown identity axis or target of the head 'mine'"):
        people = nr.random_identities(1, seed=1)
        nr.render_faces([{"domain": "mine", "identity": "person-01"}], size=8, heads={"mine": head}, identities=people)


def test_names_of_units():
    for name in ("mouthSmile_L", "mouthSmile.L", "mouthsmileleft", "MouthSmileLeft", "mouthSmile_left"):
        assert unit_name(name) == "mouthSmileLeft"
    assert unit_name("browInnerUp") == "browInnerUp"
    assert unit_name("tail_wag") == "tail_wag"


def test_units_that_a_head_lacks(tmp_path, arrays):
    keep = ~np.isin(arrays["expr_names"], ["noseSneer_L", "noseSneer_R", "jawOpen"])
    path = saved(tmp_path, arrays, expr=arrays["expr"][keep], expr_names=arrays["expr_names"][keep])
    heads = {"mine": nr.load_head(path)}
    nr.render_faces([{"domain": "mine", "expression": "sad", "intensity": 1.0}], size=8, heads=heads)
    with pytest.raises(
        ValueError, match="the units of the expression 'happy'; got the head 'mine' without jawOpen. Define"
    ):
        nr.render_faces([{"domain": "mine", "expression": "happy", "intensity": 1.0}], size=8, heads=heads)
    with pytest.raises(ValueError, match="unknown expression 'jawOpen'"):
        nr.render_faces([{"domain": "mine", "expression": "jawOpen", "intensity": 1.0}], size=8, heads=heads)
    own = {"happy": {"mouthSmile": 0.8}}
    rows = [{"domain": "mine", "expression": "happy", "intensity": level} for level in (0.0, 1.0)]
    assert nr.render_faces(rows, size=8, heads=heads, expressions=own)["norm_distance"].values[1] > 0.01


# --- what is no head ------------------------------------------------------------------------------------------------


def changed(values, place, value):
    values = np.array(values)
    values[place] = value
    return values


WRONG = {
    "no neutral": ({"neutral": None}, "needed the arrays neutral in the head 'mine'; got only triangles"),
    "no faces": ({"triangles": None}, "needed the arrays quads or triangles in the head 'mine'"),
    "no units": ({"expr": None, "expr_names": None}, "needed the arrays expr_names, expr in the head 'mine'"),
    "unknown array": ({"exprs": np.zeros(3)}, "unknown array in the head 'mine' 'exprs'; nearest: 'expr'"),
    "two kinds of faces": ({"quads": np.zeros((2, 4), int)}, "either quads or triangles in the head 'mine'; got both"),
    "flat vertices": (lambda a: {"neutral": a["neutral"][:, :2]}, r"neutral: finite numbers .vertex, 3.; got float32"),
    "text": ({"neutral": np.array([["a"] * 3] * 3)}, "neutral: finite numbers .vertex, 3.; got <U1"),
    "NaN vertices": (
        lambda a: {"neutral": changed(a["neutral"], (5, 1), np.nan)},
        "neutral: finite numbers; got 1 that",
    ),
    "one place": (lambda a: {"neutral": 0 * a["neutral"]}, "neutral: vertices that span a head"),
    "faces turned": (lambda a: {"triangles": a["triangles"].T}, "triangles: faces of 3 vertices"),
    "faces too high": (
        lambda a: {"triangles": a["triangles"] + 1},
        "triangles: faces of 3 vertices from 0 to .*got int64 from 1 to",
    ),
    "faces too low": (lambda a: {"triangles": a["triangles"] - 1}, "triangles: .*got int64 from -1 to"),
    "no faces at all": ({"triangles": np.zeros((0, 3), int)}, r"triangles: .*got int64 \(0, 3\)"),
    "half faces": (lambda a: {"triangles": a["triangles"] + 0.5}, "triangles: .*got float64 from 0.5"),
    "units of another head": (
        lambda a: {"expr": a["expr"][:, :-1]},
        "expr: finite numbers .name, vertex, 3. for 18819",
    ),
    "one unit": (lambda a: {"expr": a["expr"][0]}, "expr: finite numbers .name, vertex, 3."),
    "NaN units": (
        lambda a: {"expr": changed(a["expr"], (3, 4, 1), np.inf)},
        "expr: finite numbers; got 1 that are NaN or inf",
    ),
    "a name missing": (lambda a: {"expr_names": a["expr_names"][1:]}, "with a name each; got .* and 51 names"),
    "a name twice": (
        lambda a: {"expr_names": changed(a["expr_names"], 1, a["expr_names"][0])},
        "expr_names that differ; got",
    ),
    "a side twice": (
        lambda a: {
            "expr_names": np.array(
                [f"mouthSmile{'Left' if i else '_L'}" if i < 2 else name for i, name in enumerate(a["expr_names"])]
            )
        },
        "expr_names that differ|that differ, however sides are written; got two for mouthSmileLeft",
    ),
    "scale of text": ({"expr_scale": np.array("large")}, "expr_scale: one number; got <U5"),
    "too few units": (
        lambda a: {"expr": a["expr"][:3], "expr_names": a["expr_names"][:3]},
        "at least 6 expression units with ARKit's names .*Rename its morph targets, or give landmarks",
    ),
    "foreign names": (
        lambda a: {"expr_names": np.array([f"key{i}" for i in range(52)])},
        "got 2: eyeball_left, eyeball_right",
    ),
    "no motion": (lambda a: {"expr": 0 * a["expr"]}, "at least 6 expression units"),
    "parts of another head": (lambda a: {"part": a["part"][1:]}, "part: 0 .skin., 1 .eye., .* for each vertex"),
    "unknown part": (lambda a: {"part": a["part"] + 4}, "part: .*; got int64 from 4 to 7"),
    "material without name": (lambda a: {"mat": np.zeros(len(a["triangles"]), int)}, "mat_names beside mat; got none"),
    "materials of another head": (
        {"mat": np.zeros(3, int), "mat_names": np.array(["skin"])},
        "mat: the number of one of 1",
    ),
    "unknown material": (
        lambda a: {"mat": np.full(len(a["triangles"]), 5), "mat_names": np.array(["skin"])},
        "mat: the number of one of 1 materials for each face; got int64 from 5",
    ),
    "only lashes": (
        lambda a: {"mat": np.zeros(len(a["triangles"]), int), "mat_names": np.array(["eyelashes"])},
        "materials of skin, eyes or teeth; got eyelashes",
    ),
    "colours of another head": (
        lambda a: {"colour": np.ones((len(a["neutral"]) - 1, 3))},
        "colour: red, green and blue",
    ),
    "colours of 8 bits": (
        lambda a: {"colour": np.full((len(a["neutral"]), 3), 200)},
        "colour: linear, 0..1; got values from 200",
    ),
    "NaN colours": (lambda a: {"colour": np.full((len(a["neutral"]), 3), np.nan)}, "colour: finite numbers"),
    "unknown point": (
        {"landmark_names": np.array(["nose"]), "landmark_vertices": np.array([1])},
        "unknown landmark 'nose'; nearest: 'nose_tip'",
    ),
    "points without vertices": (
        {"landmark_names": np.array(["chin"])},
        "landmark_vertices for each of landmark_names; got 0 for 1",
    ),
    "point outside": (
        {"landmark_names": np.array(["chin"]), "landmark_vertices": np.array([10**6])},
        "landmark_vertices: vertices from 0",
    ),
    "identities unnamed": (
        lambda a: {"ident": a["expr"][:2], "ident_names": np.array(["a"])},
        "ident .*with a name each",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_arrays_that_are_no_head(tmp_path, arrays, case):
    changes, words = WRONG[case]
    path = saved(tmp_path, arrays, **(changes(arrays) if callable(changes) else changes))
    with pytest.raises(ValueError, match=words):
        nr.load_head(path)


@pytest.mark.parametrize(
    "rotation", [turn(180, 0), turn(90, 0), [[1, 0, 0], [0, 0, -1], [0, 1, 0]]], ids=["backwards", "sideways", "z up"]
)
def test_turned_heads(tmp_path, arrays, rotation):
    turned = {key: arrays[key] @ np.transpose(rotation) for key in ("neutral", "expr")}
    with pytest.raises(
        ValueError, match="y up that faces along .z, 'mine'; got one that is turned. Turn it in its file"
    ):
        nr.load_head(saved(tmp_path, arrays, **turned))


@pytest.mark.parametrize(
    ("landmarks", "words"),
    [
        (["chin"], "landmarks: name → vertex; got"),
        ({"chin": "low"}, "landmark chin: .*; got 'low'"),
        ({"chin": 1.5}, "landmark chin: .*; got 1.5"),
        ({"chin": -1}, "landmark chin: .*; got -1"),
        ({"chin": 10**6}, "landmark chin: a vertex from 0 to 18818; got 1000000"),
        ({"chn": 1}, "unknown landmark 'chn'; nearest: 'chin'"),
    ],
)
def test_wrong_landmarks(tmp_path, arrays, landmarks, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.load_head(saved(tmp_path, arrays), landmarks=landmarks)


def test_files_that_are_no_head(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    whole = saved(tmp_path, arrays).read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="a head as NumPy arrays .*'mine.npz', which is no .npz"):
            nr.load_head(path)
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 255
    path.write_bytes(broken)
    with pytest.raises(ValueError, match="'mine.npz' cannot be read: Bad CRC"):
        nr.load_head(path)
    np.savez(path, neutral=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="'mine.npz' cannot be read: Object arrays"):
        nr.load_head(path)
    np.savez(path)
    with pytest.raises(
        ValueError, match="needed the arrays neutral, expr_names, expr, quads or triangles .*got only none"
    ):
        nr.load_head(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    path.write_bytes((tmp_path / "one.npy").read_bytes())
    with pytest.raises(ValueError, match="which is no .npz"):
        nr.load_head(path)
    with pytest.raises(ValueError, match="a head as .npz.*'one.npy'"):
        nr.load_head(tmp_path / "one.npy")
    for absent in ("none.npz", "."):
        with pytest.raises(FileNotFoundError, match="there is no file"):
            nr.load_head(tmp_path / absent)
    with pytest.raises(ValueError, match="landmarks only with a head of your own; got no path"):
        nr.load_head(landmarks={"chin": 1})


# --- a head that nobody here made -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ict(real_data):
    path = real_data / "ict_head" / "ict_head_arkit57_id20.npz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the real data")
    return nr.load_head(path)


@pytest.fixture(scope="module")
def faces(ict):
    units = ("jawOpen", "eyeBlink", "mouthFrown", "browInnerUp", "mouthPucker", "mouthStretch")
    levels = (-0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
    rows = [{"domain": "ict"}]
    rows += [{"domain": "ict", "expression": unit, "intensity": 1.0} for unit in units]
    rows += [{"domain": "ict", "expression": name, "intensity": level} for name in EXPRESSIONS for level in levels]
    return nr.render_faces(rows, size=80, heads={"ict": ict})


def place(faces, point, expression="neutral"):
    here = (faces["expression"] == expression) & (faces["intensity"] == (0.0 if expression == "neutral" else 1.0))
    return faces["landmark"].values[here.values.argmax(), faces["point"].values.tolist().index(point)]


def test_points_of_another_head_lie_where_its_form_says(ict):
    points = {name: ict.vertices[list(vertices)].mean(axis=0) for name, vertices in ict.landmarks.items()}
    interocular = np.linalg.norm(np.subtract(*ict.eye_centres(ict.vertices)))
    for name in points:
        if name.endswith("_left"):
            mirrored = points[name.replace("_left", "_right")] * [-1, 1, 1]
            assert np.linalg.norm(points[name] - mirrored) < 0.05 * interocular, name
        elif not name.startswith(
            ("eye", "point", "vertex", "brow", "mouth_corner", "upper_lid", "lower_lid", "nose_tip")
        ):
            assert abs(points[name][0]) < 0.03 * interocular, name
    order = ["brow_inner_left", "upper_lid_left", "lower_lid_left", "nose_tip", "upper_lip", "lower_lip", "chin"]
    assert (np.diff([points[name][1] for name in order]) < 0).all()
    for side, eye in zip(("left", "right"), ict.eye_centres(ict.vertices), strict=True):
        lids = points[f"upper_lid_{side}"], points[f"lower_lid_{side}"]
        assert lids[0][1] > eye[1] > lids[1][1]  # the lids lie about the eyeball,
        assert min(lid[2] for lid in lids) > eye[2]  # in front of its centre
        inner, outer = (abs(points[f"eye_{end}_{side}"][0]) for end in ("inner", "outer"))
        assert inner < abs(eye[0]) < outer
    assert points["mouth_corner_left"][0] > 0.1 * interocular


def test_the_tip_of_another_heads_nose_is_its_most_forward_point(ict):
    skin = (ict.part == SKIN) & (np.abs(ict.vertices[:, 0]) < 0.05)
    tip = ict.vertices[skin][ict.vertices[skin][:, 2].argmax()]
    interocular = np.linalg.norm(np.subtract(*ict.eye_centres(ict.vertices)))
    assert np.linalg.norm(ict.vertices[ict.landmarks["nose_tip"][0]] - tip) < 0.05 * interocular


def test_points_of_another_head_move_as_the_face_does(faces):
    def gap(expression, upper, lower):
        return place(faces, lower, expression)[1] - place(faces, upper, expression)[1]

    assert gap("jawOpen", "upper_lip", "lower_lip") > gap("neutral", "upper_lip", "lower_lip") + 3  # px
    for side in ("left", "right"):
        lids = f"upper_lid_{side}", f"lower_lid_{side}"
        assert gap("eyeBlink", *lids) < 0.4 * gap("neutral", *lids)
        assert place(faces, lids[0], "eyeBlink")[1] > place(faces, lids[0])[1] + 1  # the upper lid comes down
        assert place(faces, f"brow_inner_{side}", "browInnerUp")[1] < place(faces, f"brow_inner_{side}")[1] - 0.5
        corner = f"mouth_corner_{side}"
        assert place(faces, corner, "happy")[1] < place(faces, corner)[1] - 0.5
        assert place(faces, corner, "mouthFrown")[1] > place(faces, corner)[1] + 0.5
    wide = {
        name: place(faces, "mouth_corner_left", name)[0] - place(faces, "mouth_corner_right", name)[0]
        for name in ("mouthPucker", "neutral", "mouthStretch")
    }
    assert wide["mouthPucker"] < wide["neutral"] < wide["mouthStretch"]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_of_another_head_grow_with_their_intensity(faces, name):
    here = (faces["expression"] == name).values
    level = faces["intensity"].values[here]
    away = np.sqrt(((faces["image"].values[here] - faces["image"].values[0]) ** 2).mean(axis=(1, 2)))
    assert (np.diff(away[level > 0]) > 0).all()
    assert (np.diff(away[level < 0]) < 0).all()
    assert faces["norm_distance"].values[here] == pytest.approx(faces["norm_distance"].values[here][-3] * np.abs(level))


def test_equal_size_on_another_head(ict):
    rows = [{"domain": "ict", "expression": name, "intensity": 1.0} for name in EXPRESSIONS]
    faces = nr.render_faces(rows, size=8, heads={"ict": ict}, equal_size=0.04)
    assert faces["norm_distance"].values == pytest.approx(0.04, rel=1e-3)
