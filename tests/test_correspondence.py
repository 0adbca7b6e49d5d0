import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nrsim.faces.correspondence import fitted, motion_centres, onto_template, sampled, shared, similarity


def points(n, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, 3))


@given(st.floats(0.1, 10), st.floats(-60, 60), st.floats(-5, 5))
def test_a_similarity_is_found_again(scale, angle, shift):
    rotation = Rotation.from_euler("xyz", [angle, angle / 2, -angle], degrees=True).as_matrix()
    source = points(8)
    target = scale * source @ rotation.T + [shift, 1.0, -shift]
    found = similarity(source, target)
    assert found[0] == pytest.approx(scale)
    assert found[1] == pytest.approx(rotation, abs=1e-9)
    assert found[2] == pytest.approx([shift, 1.0, -shift], abs=1e-7)


def test_an_upright_head_is_not_turned():
    source = points(8)
    scale, rotation, shift = similarity(source, 2 * source + [1, 2, 3], upright=True)
    assert (scale, *shift) == pytest.approx((2, 1, 2, 3))
    assert rotation == pytest.approx(np.eye(3))


def test_a_point_that_lies_elsewhere_is_left_aside_unless_it_is_sure():
    target = points(20)
    source = target.copy()
    source[3] += [0.6, 0, 0]
    sure = np.zeros(20, dtype=bool)
    scale, rotation, shift, kept = fitted(source, target, sure)
    assert np.flatnonzero(~kept).tolist() == [3]
    assert scale * source[kept] @ rotation.T + shift == pytest.approx(target[kept], abs=1e-9)
    sure[3] = True
    assert fitted(source, target, sure)[3][3]


def test_the_centre_of_a_motion():
    vertices, skin = points(5), np.array([True, True, True, True, False])
    alone, both, hidden = np.zeros((3, 5, 3))
    alone[2], both[[0, 1]], hidden[4] = [0, 0.2, 0], [0.1, 0, 0], [1, 0, 0]
    units = {"alone": sp.csr_matrix(alone), "both": sp.csr_matrix(both), "hidden": sp.csr_matrix(hidden)}
    centres = motion_centres(vertices, units, skin)
    assert set(centres) == {"alone", "both"}  # what moves no skin says nothing of the face
    assert centres["alone"] == pytest.approx(vertices[2])
    assert centres["both"] == pytest.approx(vertices[:2].mean(axis=0))


@pytest.mark.parametrize("n", [8, 40])
def test_the_warp_is_exact_for_a_shift_and_carries_all_other_points(n):
    source = points(n)
    assert onto_template(points(6, 1), source, source + [0.1, -0.2, 0.3]) == pytest.approx(
        points(6, 1) + [0.1, -0.2, 0.3], abs=1e-6
    )


def test_samples_are_between_those_nearby():
    places = points(10)
    assert sampled(np.full(10, 0.7), places, points(4, 2)) == pytest.approx(0.7)
    assert sampled(np.arange(10.0), places, places[[4]]) == pytest.approx(4, abs=1e-6)


def test_too_few_points_to_place_a_head():
    with pytest.raises(ValueError, match="to place the head 'ours'; got 1: jawOpen"):
        shared({"jawOpen": np.zeros(3), "Joy": np.zeros(3)}, {"jawOpen": np.zeros(3)}, "ours")
