import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nrsim as nr
from nrsim.meshes.raster import project, turn
from nrsim.objects import NOVEL, OBJECTS
from nrsim.objects import render as objects
from nrsim.objects.lines import circle, ears, helix, smooth
from nrsim.objects.shading import shade
from nrsim.objects.solids import ball, box, corner_normals, cylinder, hollow, plate, prism, revolve, superquadric, tube


def pieces(solid):
    """The connected pieces of a surface, each the numbers of its triangles."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    a, b = solid.corners[:, [0, 1, 2]].ravel(), solid.corners[:, [1, 2, 0]].ravel()
    n = len(solid.vertices)
    number = connected_components(csr_matrix((np.ones(len(a)), (a, b)), (n, n)), directed=False)[1]
    return [np.flatnonzero(number[solid.corners[:, 0]] == k) for k in np.unique(number[solid.corners])]


def is_closed(solid):
    """Every edge is walked once each way, so that exactly two triangles share it and both face the same side."""
    sides = np.concatenate([solid.corners[:, [0, 1]], solid.corners[:, [1, 2]], solid.corners[:, [2, 0]]])
    walked, times = np.unique(sides, axis=0, return_counts=True)
    back = np.unique(sides[:, ::-1], axis=0)
    return bool((times == 1).all() and np.array_equal(walked, back))


@pytest.mark.parametrize("name", [*OBJECTS, *(f"{kind}-{k}" for kind in NOVEL for k in (1, 2))])
def test_every_solid_is_closed_and_faces_outwards(name):
    solid = objects._solid(name, 1)
    assert is_closed(solid)
    for piece in pieces(solid):
        part = type(solid)(solid.vertices, solid.corners[piece], solid.paint)
        assert part.volume() > 0
    assert np.isfinite(solid.vertices).all()
    assert solid.paint.min() >= 0
    assert solid.paint.max() <= 1


def test_volumes_in_closed_form():
    assert box(1, 2, 3).volume() == pytest.approx(6)
    assert ball(2.0, 64).volume() == pytest.approx(4 / 3 * np.pi * 8, rel=0.01)
    assert cylinder(0.5, 3, segments=400).volume() == pytest.approx(np.pi * 0.25 * 3, rel=1e-3)
    assert cylinder(1, 3, 1e-4, segments=400).volume() == pytest.approx(np.pi, rel=1e-3)
    assert superquadric(1, 1, 1, 2, 2, 64).volume() == pytest.approx(4 / 3, rel=0.02)  # an octahedron
    assert superquadric(1, 2, 3, 0.02, 0.02, 64).volume() == pytest.approx(48, rel=0.05)  # nearly a box
    torus = tube(np.column_stack([circle(2, 200), np.zeros(200)]), 0.5, sides=100, loop=True)
    assert torus.volume() == pytest.approx(2 * np.pi**2 * 2 * 0.25, rel=2e-3)
    coil = tube(helix(1.0, 5, 3.0, 600), 0.1, sides=60)
    assert coil.volume() == pytest.approx(np.pi * 0.01 * np.hypot(2 * np.pi * 5, 3.0), rel=0.02)
    ring = plate(circle(2, 200), circle(1, 200), 0.5)
    assert ring.volume() == pytest.approx(np.pi * 3 * 0.5, rel=1e-3)
    can = hollow([(0, 0), (1, 0), (1, 2)], 0.1, 200)
    assert can.volume() == pytest.approx(np.pi * (2 - 0.81 * 1.9), rel=2e-3)


def test_a_bevel_cuts_the_edges_off():
    # a frustum on each side of a slab: h/3 (A + B + √(AB))
    made = prism([(-1, -1), (1, -1), (1, 1), (-1, 1)], 1.0, 0.1)
    assert made.volume() == pytest.approx(4 * 0.8 + 2 * 0.1 / 3 * (4 + 1.8**2 + 2 * 1.8))


@given(st.lists(st.floats(0.2, 1.0), min_size=4, max_size=24), st.integers(0, 5))
def test_ears_fill_any_outline(radii, start):
    # a star-shaped outline, so that it never crosses itself; its triangles' areas, all positive, add up to its own
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii) + start
    outline = np.array(radii)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    cut = outline[ears(outline)]
    areas = np.linalg.det(np.concatenate([cut, np.ones((*cut.shape[:2], 1))], axis=2)) / 2
    x, y = outline.T
    assert areas.sum() == pytest.approx((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)
    assert areas.min() > -1e-9
    assert len(cut) == len(radii) - 2


def test_a_curve_goes_through_its_points_and_a_vessel_is_open():
    line = smooth([(0, 0), (1, 2), (3, 1)], 201)
    assert np.linalg.norm(line[:, None] - [(0, 0), (1, 2), (3, 1)], axis=2).min(axis=0).max() < 0.02
    cup = hollow([(0, 0), (1, 0), (1, 2)], 0.2)
    axis = cup.vertices[np.hypot(cup.vertices[:, 0], cup.vertices[:, 2]) < 1e-9]
    assert sorted(axis[:, 1]) == pytest.approx([0, 0.2])  # the inside ends above the floor, not at the rim


def test_normals_are_smooth_on_a_ball_and_sharp_on_a_box():
    sphere = ball(1.0, 32)
    along = (corner_normals(sphere) * sphere.vertices[sphere.corners]).sum(axis=2)
    assert along.min() > 0.99
    cube = box(1, 1, 1)
    assert np.sort(np.abs(corner_normals(cube)), axis=2) == pytest.approx(np.tile([0, 0, 1], (12, 3, 1)))


def test_turning_follows_the_right_hand():
    at = box(1, 1, 1).moved(x=5)
    assert at.turned("z", 90).vertices.mean(axis=0) == pytest.approx([0, 5, 0])
    assert at.turned("y", 90).vertices.mean(axis=0) == pytest.approx([0, 0, -5])
    assert box(1, 1, 1).moved(y=5).turned("x", 90).vertices.mean(axis=0) == pytest.approx([0, 0, 5])


def test_light_falls_off_with_the_angle_and_the_distance():
    from nrsim.objects.shading import AMBIENT, AWAY, LIGHTS

    middle, away = np.zeros((1, 3)), np.array([[0.0, 0.0, -1.0]])
    assert shade(middle, away, np.ones(1)) == pytest.approx(AMBIENT)  # no lamp stands behind
    key = np.array(LIGHTS[0][0]) / np.linalg.norm(LIGHTS[0][0])
    towards = key[None]
    near, far = (shade(step * towards, towards, np.array([0.2]))[0] for step in (1.0, -1.0))
    assert near > far
    without = [shade(step * towards, towards, np.zeros(1))[0] for step in (1.0, -1.0)]
    others = [
        sum(
            strength * (AWAY / np.linalg.norm(ray)) ** 2 * max(float(ray @ key) / float(np.linalg.norm(ray)), 0)
            for direction, strength in LIGHTS[1:]
            for ray in [AWAY * np.array(direction) / np.linalg.norm(direction) - step * key]
        )
        for step in (1.0, -1.0)
    ]
    ratio = ((near - without[0]) / 0.2 - AMBIENT - others[0]) / ((far - without[1]) / 0.2 - AMBIENT - others[1])
    assert ratio == pytest.approx(((AWAY + 1) / (AWAY - 1)) ** 2)


def test_targets_are_those_of_a_rendered_face():
    face = [{"domain": "human"}]
    on_black, on_white, grey = (nr.render_faces(face, background=level)["image"].values[0] for level in (0.0, 1.0, 0.5))
    own = 1 - (on_white - on_black) >= 0.5
    assert own.mean() == pytest.approx(objects.COVERAGE, rel=0.05)
    assert grey[own].mean() == pytest.approx(objects.LUMINANCE, rel=0.05)
    assert grey[own].std() / grey[own].mean() == pytest.approx(objects.CONTRAST, rel=0.05)


def test_size_luminance_and_contrast_are_matched():
    # measured again from the pictures alone: on black and on white, a pixel differs by what is not covered
    names = ["cube", "apple", "house", "mug", "die", "blob-3"]
    wanted = {"coverage": 0.3, "luminance": 0.45, "contrast": 0.35, "seed": 2, "views": [[30, 20], [-50, 0]]}
    black, white = (nr.render_objects(names, background=level, match_face=False, seed=2) for level in (0.0, 1.0))
    assert (black["object_coverage"] >= 0.3).all()
    made = nr.render_objects(names, **wanted)
    assert made["object_coverage"].values == pytest.approx(0.3, rel=0.02)
    assert made["object_luminance"].values == pytest.approx(0.45, rel=2e-3)
    assert made["object_contrast"].values == pytest.approx(0.35, rel=5e-3)
    same = nr.render_objects(names, **(wanted | {"background": 0.0}))
    for one, other in zip(made["image"].values, same["image"].values, strict=True):
        away = one - other > 0.4
        assert (~away).mean() == pytest.approx(0.3, rel=0.05)
        assert one[~away].mean() == pytest.approx(0.45, rel=0.02)
    # the middle of what is seen is the middle of the picture
    for one in 1 - (white["image"].values - black["image"].values) > 0.5:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert (rows[0] + rows[-1], columns[0] + columns[-1]) == (pytest.approx(127, abs=3), pytest.approx(127, abs=3))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(0.9 * 128, abs=3)


@settings(max_examples=20)
@given(yaw=st.floats(-180, 180), pitch=st.floats(-90, 90))
def test_every_view_fits(yaw, pitch):
    solid = OBJECTS["hammer"]()
    centre, half = objects.framed(solid, turn(yaw, pitch), 0.4)
    at = project(solid.vertices, centre, half, 1, 7.0, turn(yaw, pitch))[:, :2]
    assert np.ptp(at, axis=0).max() < 0.905
    assert at.min(axis=0) + at.max(axis=0) == pytest.approx([1, 1], abs=0.01)


def test_a_view_turns_its_front_to_its_left():
    front, left = nr.render_objects(["mug"], views=[[0, 0], [90, 0]], match_face=False, background=0.0, size=64)[
        "image"
    ].values
    # the handle of the mug is at the right of the front view, and behind the body when that faces to the right
    assert front[:, 50:].sum() > 0
    assert (left > 0).any(axis=0).sum() < 64 * 0.9
    below, above = nr.render_objects(["hat"], views=[[0, -80], [0, 80]], match_face=False, size=64)["image"].values
    assert above[30:34, 30:34].mean() > below[30:34, 30:34].mean()  # the lit lid of the hat, or its bottom


def test_novel_solids_depend_on_seed_and_name_alone():
    both = nr.render_objects(["blob-1", "assembly-2"], seed=3, size=32)
    alone = nr.render_objects(["assembly-2"], seed=3, size=32)
    assert np.array_equal(both["image"].values[1], alone["image"].values[0])
    other = nr.render_objects(["blob-1", "blob-2"], seed=4, size=32)["image"].values
    assert np.abs(other[0] - both["image"].values[0]).max() > 0.1
    assert np.abs(other[0] - other[1]).max() > 0.1
    assert both.attrs["seed"] == 3
    assert nr.identical(nr.render_objects([], blobs=1, seed=3, size=32), nr.render_objects(["blob-1"], seed=3, size=32))


def test_shipped_recipe():
    made = nr.load_stimuli("objects")
    assert made.sizes["stimulus"] == 61
    assert set(made["category"].values) == {"object"}
    assert made["object_luminance"].values == pytest.approx(objects.LUMINANCE, rel=1e-3)
    assert made["object_contrast"].values == pytest.approx(objects.CONTRAST, rel=2e-3)
    assert made["object_coverage"].values.min() > 0.25
    assert made["object_coverage"].values.max() < objects.COVERAGE * 1.02


@pytest.mark.parametrize(
    ("names", "wrong", "words"),
    [
        (["mugg"], {}, "nearest: 'mug'"),
        (["blob"], {"seed": 1}, "nearest: 'blob-1'.*Novel solids are numbered"),
        (["blub-3"], {"seed": 1}, "nearest: 'blob-1'"),
        (["blob-1"], {}, "a seed, from which novel solids are drawn; got none, with blob-1"),
        ([], {}, "at least one object"),
        (["mug", "mug"], {}, "every object once; got mug"),
        ("mug", {}, r"Write names=\['mug'\]"),
        (["mug"], {"views": [30, 20]}, r"Write views=\[\[30, 20\]\]"),
        (["mug"], {"views": []}, "at least one"),
        (["mug"], {"views": [[0, 0], [0, 0.0]]}, "every view once"),
        (["mug"], {"views": [[0, 100]]}, "pitch: needed at most 90"),
        (["mug"], {"contrast": 3.0}, "that the object 'mug' can have within 0..1.*Ask for less contrast"),
        (["mug"], {"coverage": 0}, "coverage: needed more than 0"),
        (["mug"], {"match_face": "yes"}, "true or false"),
        (["mug"], {"blobs": -1}, "blobs: needed at least 0"),
        (["mug"], {"blobs": 1, "seed": "one"}, "seed: needed a whole number"),
    ],
)
def test_wrong_objects(names, wrong, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nr.render_objects(names, **({"size": 32} | wrong))


def test_profiles_touch_the_axis_at_their_ends_alone():
    assert revolve([(0, 0), (1, 0), (0.0, 1), (1, 2), (0, 2)]).volume() == pytest.approx(2 * np.pi / 3, rel=0.01)
