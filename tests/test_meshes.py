import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.meshes import backends, zbuffer
from nrsim.meshes.raster import interpolate, project, rasterise, turn
from nrsim.meshes.surface import subdivide, triangles, vertex_normals

CUBE = np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)])
CUBE_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
NUMBA = pytest.param(
    "numba",
    marks=pytest.mark.skipif(
        importlib.util.find_spec("numba") is None, reason="Numba is not installed: pip install 'nrsim[fast]'"
    ),
)
both = pytest.mark.parametrize("backend", ["numpy", NUMBA])
TRIANGLE = np.array([[0, 1, 2]])


def sphere(levels):
    """A unit sphere, ``(vertex, 3)`` and its triangles, counter-clockwise from outside."""
    points, quads = CUBE, CUBE_QUADS
    for _ in range(levels):
        rows, quads = subdivide(len(points), quads)
        points = rows @ points
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, triangles(quads)


@pytest.fixture(scope="module")
def head():
    """The head's projection onto a picture of 192 px, as the renderer makes it, and its triangles."""
    drawn = nr.load_head()
    at = drawn.surface["rest"]
    return project(at, np.array([0.0, 7.1, 0.7]), 1.4, 192, 7.0, turn(25, -10)), drawn.corners


def test_catmull_clark_of_a_cube():
    # a corner: n = 3, so a third of the mean face point and two thirds of the mean edge midpoint: 1/9 + 4/9 = 5/9
    rows, quads = subdivide(8, CUBE_QUADS)
    fine = rows @ CUBE
    assert fine.shape == (8 + 12 + 6, 3)
    assert len(quads) == 24
    assert fine[:8] == pytest.approx(CUBE * 5 / 9)
    edges, faces = fine[8:20], fine[20:]
    assert np.sort(np.abs(edges), axis=1) == pytest.approx(np.tile([0, 0.75, 0.75], (12, 1)))
    assert np.sort(np.abs(faces), axis=1) == pytest.approx(np.tile([0, 0, 1], (6, 1)))
    assert set(np.unique(quads)) == set(range(26))


def test_catmull_clark_keeps_a_flat_rim():
    square = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    rows, _ = subdivide(4, np.array([[0, 1, 2, 3]]))
    fine = rows @ square
    assert fine[0] == pytest.approx([0.125, 0.125, 0])  # 3/4 of itself, 1/8 of each neighbour on the rim
    assert np.asarray(rows.sum(axis=1)).ravel() == pytest.approx(1)


def test_normals_of_a_sphere_point_outwards():
    points, corners = sphere(4)
    assert (vertex_normals(points, corners) * points).sum(axis=1).min() > 0.99


def test_normals_are_the_sum_over_the_triangles_and_do_not_depend_on_scale(head):
    points, corners = head
    expected = np.zeros_like(points)
    a, b, c = (points[corners[:, i]] for i in range(3))
    for corner in range(3):
        np.add.at(expected, corners[:, corner], np.cross(b - a, c - a))
    length = np.linalg.norm(expected, axis=1)
    found = vertex_normals(points, corners)
    assert found[length > 1e-9] == pytest.approx((expected / length[:, None])[length > 1e-9], abs=1e-9)
    assert vertex_normals(1000 * points, corners) == pytest.approx(found, abs=1e-9)


@both
def test_renderer_covers_a_triangle_and_sees_the_nearer_one(backend):
    # both counter-clockwise with y up, that is clockwise in pixels with y down
    far = np.array([[0.0, 8, 0], [8, 8, 0], [0, 0, 0]])
    near = far + [0, 0, 1]
    pixel, triangle, weights = rasterise(far, TRIANGLE, 8, 8, backend=backend)
    expected = [y * 8 + x for y in range(8) for x in range(8) if (x + 0.5) <= (y + 0.5)]
    assert pixel.tolist() == expected
    assert weights.sum(axis=1) == pytest.approx(1)
    centre = weights @ far[:, :2]
    assert centre == pytest.approx(np.stack([pixel % 8 + 0.5, pixel // 8 + 0.5], axis=1))
    for corners in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        seen = rasterise(np.concatenate([far, near]), np.array(corners), 8, 8, backend=backend)[1]
        assert {corners[i][0] for i in seen} == {3}
    assert rasterise(far[::-1], TRIANGLE, 8, 8, backend=backend)[0].size == 0  # seen from behind
    assert rasterise(far, np.zeros((0, 3), int), 8, 8, backend=backend)[0].size == 0


@both
def test_at_equal_depth_the_highest_number_is_seen(backend):
    points = np.array([[0.0, 8, 0], [8, 8, 0], [0, 0, 0], [8.0, 8, 0], [0, 0, 0], [0, 8, 0]])
    corners = np.array([[0, 1, 2], [3, 4, 5], [0, 1, 2], [1, 2, 0]])
    for kept in ([0, 1, 2, 3], [3, 2, 1, 0], [1, 3]):
        assert set(rasterise(points, corners[kept], 8, 8, backend=backend)[1]) == {len(kept) - 1}


@both
@given(st.integers(0, 2**32 - 1))
def test_renderer_against_every_triangle_at_every_pixel(backend, seed):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 24, 2)
    n = random.integers(1, 12)
    points = random.uniform(-6, 30, (3 * n, 3))
    corners = np.arange(3 * n).reshape(n, 3)
    pixel, triangle, weights = rasterise(points, corners, height, width, backend=backend)

    y, x = np.mgrid[:height, :width] + 0.5
    best, seen = np.full((height, width), -np.inf), np.full((height, width), -1)
    for number, (a, b, c) in enumerate(points[corners]):
        matrix = np.array([[*p[:2], 1.0] for p in (a, b, c)]).T
        if np.linalg.det(matrix) > 0:  # faces away
            continue
        share = np.linalg.solve(matrix, np.stack([x.ravel(), y.ravel(), np.ones(x.size)])).reshape(3, height, width)
        depth = np.tensordot([a[2], b[2], c[2]], share, 1)
        nearer = (share >= 0).all(axis=0) & (depth > best)
        best[nearer], seen[nearer] = depth[nearer], number
    assert pixel.tolist() == np.flatnonzero(seen.ravel() >= 0).tolist()
    assert triangle.tolist() == seen.ravel()[pixel].tolist()
    assert weights.sum(axis=1) == pytest.approx(1)
    at = interpolate(points, corners, triangle, weights, backend=backend)
    assert at[:, :2] == pytest.approx(np.stack([pixel % width + 0.5, pixel // width + 0.5], axis=1), abs=1e-6)
    assert at[:, 2] == pytest.approx(best.ravel()[pixel], abs=1e-6)


def _same(points, corners, height, width):
    one = rasterise(points, corners, height, width, backend="numpy")
    other = rasterise(points, corners, height, width, backend="numba")
    for here, there in zip(one, other, strict=True):
        assert np.array_equal(here, there)
    values = np.random.default_rng(0).normal(size=(len(points), 5))
    here = interpolate(values, corners, *one[1:], backend="numpy")
    assert np.array_equal(here, interpolate(values, corners, *one[1:], backend="numba"))
    return one


@pytest.mark.parametrize("_", [NUMBA])
def test_both_backends_see_the_same_head_to_the_bit(_, head):
    assert len(_same(*head, 192, 192)[0]) > 5000


@pytest.mark.parametrize("_", [NUMBA])
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.3, 3.0, 40.0, 1e4, 1e30]), st.booleans())
def test_both_backends_see_the_same_triangles_to_the_bit(_, seed, spread, on_grid):
    random = np.random.default_rng(seed)
    height, width = random.integers(1, 50, 2)
    middle = random.uniform(-5, 55, (30, 1, 3))
    points = (middle + random.uniform(-spread, spread, (30, 3, 3))).reshape(-1, 3)
    if on_grid and spread < 100:  # edges through pixels' centres and equal depths
        points = np.round(points) / 2
    corners = np.concatenate([np.arange(90).reshape(30, 3), random.integers(0, 90, (10, 3))])
    _same(points, corners, height, width)


@both
def test_more_fragments_than_are_kept_at_once(backend, monkeypatch):
    # forty layers over the whole picture, in random order of depth, two small ones before them all and one behind
    monkeypatch.setattr(zbuffer, "_CHUNK", 64)
    random = np.random.default_rng(1)
    depth = random.permutation(40).astype(float)
    points = np.concatenate([[[0, 32, d], [64, 32, d], [0, -32, d]] for d in depth])
    small = points[:6] * [0.25, 0.25, 1]
    points = np.concatenate([points, small + [0, 0, 100], small[:3] + [16, 16, -100]])
    corners = np.arange(len(points)).reshape(-1, 3)
    pixel, triangle, _ = rasterise(points, corners, 32, 32, backend=backend)
    assert len(pixel) == 32 * 32
    front = 40 + int(depth[1] > depth[0])
    inside = (pixel % 32 + 0.5) / 16 - ((pixel // 32 + 0.5) + 8) / 16 <= 0
    inside &= pixel // 32 < 8
    assert set(triangle[inside]) == {front}
    assert set(triangle[~inside]) == {int(depth.argmax())}


@both
@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_neighbours_leave_no_gap(backend, u, v):
    # four triangles around a point of the picture: every pixel is seen, whatever the point
    points = np.array([[0.0, 16, 0], [16, 16, 0], [16, 0, 0], [0, 0, 0], [16 * u, 16 * v, 0]])
    corners = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
    assert len(rasterise(points, corners, 16, 16, backend=backend)[0]) == 256


@both
def test_the_discs_of_a_sphere(backend):
    points, corners = sphere(6)
    radius = 100.3
    flat = points * [radius, -radius, radius] + [128.2, 127.9, 0]
    pixel, triangle, weights = rasterise(flat, corners, 256, 256, backend=backend)
    assert len(pixel) == pytest.approx(np.pi * radius**2, rel=0.005)
    at = interpolate(flat, corners, triangle, weights, backend=backend)
    height = np.sqrt(np.maximum(radius**2 - (at[:, 0] - 128.2) ** 2 - (at[:, 1] - 127.9) ** 2, 0))
    assert np.abs(at[:, 2] - height)[height > 30].max() < 0.3  # the near half is seen, at its true depth
    assert weights.min() > -1e-8
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12

    # by a pinhole at distance D the outline is where rays touch: its radius is f r / √(D² − r²), more than f r / D
    for distance in (2.0, 7.0):
        half = 2.0
        seen = project(points, np.zeros(3), half, 256, distance, turn(20, 30))
        count = len(rasterise(seen, corners, 256, 256, backend=backend)[0])
        outline = 128 * distance / np.sqrt((distance * half) ** 2 - 1)
        assert count == pytest.approx(np.pi * outline**2, rel=0.005)


@both
def test_planes_that_cross_part_where_they_meet(backend):
    # z = x and z = 20.25 − x meet at x = 10.125: the first is in front to the right
    square = np.array([[0.0, 20, 0], [20, 20, 0], [20, 0, 0], [0, 0, 0]])
    one, other = square.copy(), square.copy()
    one[:, 2], other[:, 2] = square[:, 0], 20.25 - square[:, 0]
    quads = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    pixel, triangle, _ = rasterise(np.concatenate([one, other]), triangles(quads), 20, 20, backend=backend)
    assert len(pixel) == 400
    assert np.array_equal(triangle % 2 == 0, pixel % 20 + 0.5 > 10.125)


def test_area_of_the_head_does_not_depend_on_the_pixels(head):
    points, corners = head
    share = [len(rasterise(points * [k, k, 1], corners, 192 * k, 192 * k)[0]) / (192 * k) ** 2 for k in (1, 2, 4)]
    assert share == pytest.approx([share[-1]] * 3, rel=0.005)
    assert 0.2 < share[-1] < 0.9


def test_what_is_seen_of_the_head_lies_where_it_is_seen():
    # interpolation is linear in the picture; projected again, the places lie at the pixels' centres but for perspective
    drawn = nr.load_head()
    view = (np.array([0.0, 7.1, 0.7]), 1.4, 224, 7.0, turn(30, 0))
    points = project(drawn.surface["rest"], *view)
    pixel, triangle, weights = rasterise(points, drawn.corners, 224, 224)
    again = project(interpolate(drawn.surface["rest"], drawn.corners, triangle, weights), *view)
    away = again[:, :2] - np.stack([pixel % 224 + 0.5, pixel // 224 + 0.5], axis=1)
    assert np.abs(away).max() < 0.05
    near = 7.0 * 1.4 / (7.0 * 1.4 - points[:, 2])
    exact = weights * near[drawn.corners[triangle]]
    assert np.abs(exact / exact.sum(axis=1, keepdims=True) - weights).max() < 0.01


def test_rotation_and_projection():
    assert turn(90, 0) @ [0, 0, 1] == pytest.approx([1, 0, 0])  # the head's left is to the picture's right
    assert turn(0, 90) @ [0, 0, 1] == pytest.approx([0, -1, 0])
    at = project(np.array([[0.0, 0, 0], [1, 1, 0]]), np.zeros(3), 2.0, 100, 7.0, turn(0, 0))
    assert at[:, :2] == pytest.approx(np.array([[50, 50], [75, 25]]))
    # nearer by a seventh of the distance: larger by 7/6
    at = project(np.array([[1.0, 1, 0], [1, 1, 2]]), np.zeros(3), 2.0, 100, 7.0, turn(0, 0))
    assert at[1, 0] - 50 == pytest.approx((at[0, 0] - 50) * 7 / 6)


def test_numba_comes_when_it_pays_and_never_has_to(monkeypatch):
    monkeypatch.setattr(backends, "_drawn", 0.0)
    monkeypatch.setattr(backends, "_broken", "")
    loaded = []
    monkeypatch.setattr(backends, "kernels", lambda: loaded.append(1))
    assert backends.choose() == "numpy"
    assert not loaded
    backends.note(backends.PAYS)
    assert backends.choose() == "numba"
    assert backends.choose("numpy") == "numpy"

    def broken():
        loaded.append(2)
        raise ImportError("no")

    monkeypatch.setattr(backends, "kernels", broken)
    loaded.clear()
    assert backends.choose() == "numpy"
    assert backends.choose() == "numpy"
    assert loaded == [2]  # tried once


def test_errors_of_the_renderer(monkeypatch):
    points = np.array([[0.0, 8, 0], [8, 8, 0], [0, 0, 0]])
    with pytest.raises(ValueError, match="nearest: 'numba'"):
        rasterise(points, TRIANGLE, 8, 8, backend="nunba")
    with pytest.raises(ValueError, match=r"finite points; got \[0.0, nan, 0.0\] at vertex 2"):
        rasterise(np.array([[0.0, 8, 0], [8, 8, 0], [0, np.nan, 0]]), TRIANGLE, 8, 8)
    for corners, words in (([[0, 1, 3]], "among the 3 vertices"), ([[0, 1, -1]], "numbers -1 to 1")):
        with pytest.raises(ValueError, match=words):
            rasterise(points, np.array(corners), 8, 8)
        with pytest.raises(ValueError, match=words):
            interpolate(points, np.array(corners), np.array([0]), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"corners \(triangle, 3\)"):
        rasterise(points, np.array([[0, 1, 2, 3]]), 8, 8)
    with pytest.raises(TypeError, match="vertex numbers"):
        rasterise(points, np.array([[0.0, 1, 2]]), 8, 8)
    with pytest.raises(ValueError, match=r"points \(vertex, 3\)"):
        rasterise(points[:, :2], TRIANGLE, 8, 8)
    with pytest.raises(ValueError, match="height: needed at least 1"):
        rasterise(points, TRIANGLE, 0, 8)
    with pytest.raises(ValueError, match="1 triangles, from 0; got numbers 1 to 1"):
        interpolate(points, TRIANGLE, np.array([1]), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"weights \(seen, 3\)"):
        interpolate(points, TRIANGLE, np.array([0]), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"values \(vertex, channel\)"):
        interpolate(points[:, 0], TRIANGLE, np.array([0]), np.ones((1, 3)))
    with pytest.raises(ValueError, match="in front of the camera; got one 15 in front of the centre"):
        project(np.array([[0.0, 0, 15]]), np.zeros(3), 2.0, 8, 7.0, turn(0, 0))
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError, match=r"pip install 'nrsim\[fast\]'"):
        rasterise(points, TRIANGLE, 8, 8, backend="numba")
