"""Windows over pixels, and maps pooled in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nrsim import windows


@given(st.integers(1, 20), st.floats(0.001, 3))
def test_windows_sum_to_one_even_when_narrower_than_a_pixel(size, spread):
    made = windows.grid(np.arange(20.0), size, spread)
    assert made.sum(axis=1) == pytest.approx(1)
    assert (made >= 0).all()


def test_a_narrow_window_is_its_nearest_pixel():
    made = windows.gaussian(np.arange(5.0), np.array([2.2]), 1e-3)
    assert made[0] == pytest.approx([0, 0, 1, 0, 0])


def test_each_statistic_by_hand():
    maps = np.array([[1.0, 4.0], [9.0, 16.0]])
    wy, wx = np.array([[0.25, 0.75]]), np.array([[0.5, 0.5]])
    assert windows.pool_maps(maps, wy, wx, "energy", False).item() == pytest.approx(0.25 * 2.5 + 0.75 * 12.5)
    assert windows.pool_maps(maps, wy, wx, "mean", False).item() == pytest.approx((0.25 * 1.5 + 0.75 * 3.5) ** 2)
    assert windows.pool_maps(maps, wy, wx, "max", False).item() == 16.0


@pytest.mark.parametrize("statistic", windows.STATISTICS)
def test_places_in_pairs_are_the_diagonal_of_the_grid_and_constants_stay(statistic):
    rng = np.random.default_rng(0)
    maps = rng.random((3, 2, 12, 15))
    wy, wx = windows.grid(np.arange(12.0), 4, 1.0), windows.grid(np.arange(15.0), 4, 1.0)
    whole = windows.pool_maps(maps, wy, wx, statistic, False)
    paired = windows.pool_maps(maps, wy, wx, statistic, True)
    assert paired == pytest.approx(np.diagonal(whole, axis1=-2, axis2=-1))
    assert windows.pool_maps(np.full((12, 15), 0.3), wy, wx, statistic, False) == pytest.approx(0.3)


def test_the_largest_is_looked_for_within_two_tolerances():
    maps = np.zeros((1, 21))
    maps[0, 15] = 1.0
    window = windows.gaussian(np.arange(21.0), np.array([10.0]), 2.0)
    assert windows.pool_maps(maps, np.ones((1, 1)), window, "max", False).item() == 0.0
    maps[0, 14] = 0.5
    assert windows.pool_maps(maps, np.ones((1, 1)), window, "max", False).item() == 0.5
