import numpy as np
import pytest

import nrsim as nr
from nrsim.faces import landmarks
from nrsim.faces.domains import DOMAINS
from nrsim.faces.form import by_form
from nrsim.faces.head import EYE, SKIN, template
from nrsim.faces.headfile import build
from nrsim.faces.shading import _BROW_X, _BROW_Y

# iBUG's numbers: jaw, brows, bridge and base of the nose, eyes, outer and inner lips; mirrored, each order is reversed
MIRRORED = [
    *range(17, 0, -1),
    *range(27, 17, -1),
    *range(28, 32),
    *range(36, 31, -1),
    *(46, 45, 44, 43, 48, 47, 40, 39, 38, 37, 42, 41),
    *(55, 54, 53, 52, 51, 50, 49, 60, 59, 58, 57, 56),
    *(65, 64, 63, 62, 61, 68, 67, 66),
]
SIZE = 256
IOD = ("eye_left", "eye_right")


def marked(domain, expression="neutral", intensity=1.0, which="68", **further):
    row = {"domain": domain, "expression": expression} | ({"intensity": intensity} if expression != "neutral" else {})
    faces = nr.render_faces([row], size=SIZE, landmarks=which, **further)
    return dict(zip(faces["point"].values.tolist(), faces["landmark"].values[0], strict=True))


def numbered(points, *numbers):
    return np.array([points[f"point_{number:02d}"] for number in numbers])


def as_another_head(scale=1.0, shift=(0.0, 0.0, 0.0), taper=0.0):
    """Return the template's fine surface, wider below by ``taper``, as a head whose points nobody has marked."""
    base = template()
    dense = base.subdivision
    units = {name: scale * (dense @ each).toarray() for name, each in base.units.items()}
    rest = base.surface["rest"]
    vertices = rest * np.stack([1 - taper * (rest[:, 1] - 7.0), np.ones(len(rest)), np.ones(len(rest))], axis=1)
    vertices = scale * vertices + np.array(shift)
    return build("other", vertices, base.corners, units, {}, base.surface["part"])


def test_the_68_points_are_symmetric_on_the_neutral_human():
    points = marked("human")
    assert list(points) == [f"point_{number:02d}" for number in range(1, 69)]
    here = numbered(points, *range(1, 69))
    there = numbered(points, *MIRRORED)
    assert here * [-1, 1] + [SIZE, 0] == pytest.approx(there, abs=1e-6)


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_68_points_follow_the_convention(domain):
    for expression in ("neutral", "happy", "surprised", "angry"):
        points = marked(domain, expression)
        every = numbered(points, *range(1, 69))
        assert ((every > 0) & (every < SIZE)).all()
        x, y = every.T
        # the jaw runs from the picture's left to its right; a macaque's face is widest below its eyes
        widening = 0.1 * (x[42] - x[39]) if domain == "macaque" else 0.0
        assert (np.diff(x[:17])[[0, -1]] > -widening).all()
        assert (np.diff(x[1:16]) > 0).all()
        assert y[:17].argmax() == 8  # and is lowest at the chin
        assert (np.diff(x[17:27]) > 0).all()
        assert (np.diff(y[27:31]) > 0).all()
        assert (np.diff(x[31:36]) > 0).all()
        assert (np.diff(x[48:55]) > 0).all()
        assert (np.diff(x[54:60]) < 0).all()
        assert (np.diff(x[60:65]) > 0).all()
        assert x[36] < x[37] < x[38] < x[39] < x[42] < x[43] < x[44] < x[45]
        for eye in (36, 42):
            assert y[eye + 1 : eye + 3].max() < y[eye + 4 : eye + 6].min()
        assert y[17:27].max() < y[37] < y[41] < y[30] < y[33] < y[51] < y[62] < y[57] < y[8]
        assert y[62] < y[66] + 0.02 * (x[54] - x[48])  # lips that are pressed overlap a little


@pytest.mark.parametrize("domain", DOMAINS)
def test_inner_lips_part_with_the_jaw_and_lids_meet(domain):
    gap = {}
    for intensity in (0.25, 0.5, 1.0):
        points = marked(domain, "jawOpen", intensity)
        gap[intensity] = (numbered(points, 68, 67, 66) - numbered(points, 62, 63, 64))[:, 1]
        outer = numbered(points, *range(49, 61))
        angle = np.arctan2(*(outer - outer.mean(axis=0)).T[::-1])
        assert (np.diff(np.unwrap(angle)) > 0).all()  # the outer contour keeps going round the same way
    closed = marked(domain)
    rest = (numbered(closed, 68, 67, 66) - numbered(closed, 62, 63, 64))[:, 1]
    width = np.linalg.norm(numbered(closed, 55) - numbered(closed, 49))
    assert (np.abs(rest) < 0.04 * width).all()  # they touch
    assert (rest < gap[0.25]).all()
    assert (gap[0.25] < gap[0.5]).all()
    assert (gap[0.5] < gap[1.0]).all()
    assert (gap[1.0] > 0.15 * width).all()
    shut = marked(domain, "eyeBlink")
    for upper, lower in ((38, 42), (39, 41), (44, 48), (45, 47)):
        apart = [float(numbered(each, lower)[0, 1] - numbered(each, upper)[0, 1]) for each in (closed, shut)]
        assert abs(apart[1]) < 0.35 * apart[0]
    still = numbered(shut, 37, 40, 43, 46) - numbered(closed, 37, 40, 43, 46)
    assert np.abs(still).max() < 0.02 * SIZE


def test_lids_are_where_the_eyes_show():
    # an independent way: in a picture without light but what the eyes are painted with, count from the margin outwards
    faces = nr.render_faces([{"domain": "human"}], size=512, landmarks="68", colour=True)
    colour = faces["colour"].values[0]
    blue = colour[..., 2] > colour[..., 0]  # no skin is bluer than red; the iris is
    for numbers in ((44, 45, 47, 48), (38, 39, 41, 42)):
        points = faces["landmark"].values[0][[number - 1 for number in numbers]]
        middle = points.mean(axis=0)
        y, x = np.nonzero(blue)
        near = np.abs(x - middle[0]) < 6
        rows = y[near & (np.abs(y - middle[1]) < 40)]
        assert points[:2, 1].mean() == pytest.approx(rows.min(), abs=3)
        assert points[2:, 1].mean() == pytest.approx(rows.max() + 1, abs=3)


def test_brow_points_lie_on_the_painted_brow():
    rest = template().surface["rest"]
    for domain, made in DOMAINS.items():
        known = landmarks.lifted(template().landmarks, rest, template().surface["part"] == SKIN, made.look.brow_lift)
        for number in range(18, 28):
            x, y, _ = rest[known[f"point_{number:02d}"][0]]
            assert y == pytest.approx(np.interp(abs(x), _BROW_X, _BROW_Y) + made.look.brow_lift, abs=0.021), domain
    assert landmarks.lifted(template().landmarks, rest, rest[:, 0] == 0, 0.0) is template().landmarks


def test_sets_and_names():
    assert len(marked("human", which="alignment")) == 9
    named = marked("human", which=["chin", "point_09", "eye_inner_left", "point_43", "mouth_corner_right", "point_49"])
    for name, same in (("chin", 9), ("eye_inner_left", 43), ("mouth_corner_right", 49)):
        assert named[name] == pytest.approx(named[f"point_{same:02d}"])
    known = template().landmarks
    assert {*landmarks.STANDARD, *landmarks.STETTLER, *landmarks.ALIGNMENT, *landmarks.IBUG} == set(known)
    with pytest.raises(ValueError, match="nearest: 'alignment'"):
        marked("human", which="alignement")
    with pytest.raises(ValueError, match="nearest: 'point_"):
        marked("human", which=["point_69"])


@pytest.mark.parametrize(("scale", "taper"), [(1.0, 0.0), (10.0, 0.0), (1.0, 0.2)])
def test_another_head_gets_its_own_points(scale, taper):
    head = as_another_head(scale, (0.3, -2.0, 1.0), taper)
    ours = template()
    rest = ours.surface["rest"]
    away = {
        name: np.linalg.norm(rest[head.landmarks[name][0]] - rest[ours.landmarks[name][0]]) for name in landmarks.PLACES
    }
    assert max(away.values()) < (0.02 if taper == 0 else 0.06), max(away, key=away.get)
    # what touches is told apart: the inner lips and the lids
    lower = ours.units["mouthLowerDownLeft"] + ours.units["mouthLowerDownRight"]
    upper = ours.units["mouthUpperUpLeft"] + ours.units["mouthUpperUpRight"]
    down, up = (np.linalg.norm((ours.subdivision @ each).toarray(), axis=1) for each in (lower, upper))
    for number in (62, 63, 64):
        vertex = head.landmarks[f"point_{number}"][0]
        assert up[vertex] > down[vertex]
    for number in (66, 67, 68):
        vertex = head.landmarks[f"point_{number}"][0]
        assert down[vertex] > up[vertex]


def test_marks_stand_for_all_names_of_a_point():
    base = template()
    units = {name: (base.subdivision @ each).toarray() for name, each in base.units.items()}
    wanted = base.landmarks["point_44"][0]
    head = build(
        "marked",
        base.surface["rest"],
        base.corners,
        units,
        {},
        base.surface["part"],
        landmarks={"point_43": wanted, "chin": base.landmarks["point_58"][0]},
    )
    assert head.landmarks["eye_inner_left"] == head.landmarks["point_43"] == (wanted,)
    assert head.landmarks["eye_left"][0] == wanted
    assert head.landmarks["point_09"] == base.landmarks["point_58"]


def test_form_is_read_without_the_template_and_needs_eyes():
    base = template()
    rest, part = base.surface["rest"], base.surface["part"]
    moves = landmarks.motion(base.units, base.subdivision)
    found = by_form(rest, base.corners, part == SKIN, part == EYE, moves)
    assert set(found) >= {"eye_inner_left", "eye_outer_right", "point_44", "point_41", "nose_tip", "point_28"}
    for name, vertex in found.items():
        assert rest[vertex] == pytest.approx(landmarks.PLACES[name], abs=0.03), name
    blind = by_form(rest, base.corners, part == SKIN, np.zeros(len(rest), bool), moves)
    assert set(blind) == {"nose_tip", "point_28", "point_29", "point_30"}
    shut = rest + base.subdivision @ base.expression({"eyeBlink": 1.0})
    assert "eye_inner_left" not in by_form(shut, base.corners, part == SKIN, part == EYE, moves)


def test_another_head_by_file(real_data):
    path = real_data / "ict_head" / "ict_head_arkit57_id20.npz"
    if not path.is_file():
        pytest.skip("no ICT head")
    heads = {"ict": nr.load_head(path)}
    closed, opened = (marked("ict", e, heads=heads) for e in ("neutral", "jawOpen"))
    every = numbered(closed, *range(1, 69))
    assert ((every > 0) & (every < SIZE)).all()
    assert (np.diff(every[:17, 0]) > 0).all()
    assert every * [-1, 1] + [SIZE, 0] == pytest.approx(numbered(closed, *MIRRORED), abs=0.012 * SIZE)
    gap = [(numbered(each, 68, 67, 66) - numbered(each, 62, 63, 64))[:, 1] for each in (closed, opened)]
    assert (gap[1] > gap[0] + 0.03 * SIZE).all()
