import numpy as np
import pytest

import nrsim as nr
from nrsim.pixels import places


def test_centres_of_pixels():
    y, x = places(2, 4, 8.0)
    assert x.tolist() == [-3, -1, 1, 3]
    assert y.tolist() == [1, -1]  # square pixels, the top row first


@pytest.mark.parametrize("size", [15, 16])
def test_all_that_draws_shares_the_places(size):
    wanted = places(size, size, 5.0)
    rows = [{"domain": "human"}]
    for made in (
        nr.render_faces(rows, size=size, degrees=5.0),
        nr.render_cartoons([{}], size=size, degrees=5.0),
        nr.render_objects(["mug"], size=size, degrees=5.0),
        nr.render_gratings(orientations=[0], frequencies=[1.0], size=size, degrees=5.0),
    ):
        assert np.array_equal(made["y"].values, wanted[0]) and np.array_equal(made["x"].values, wanted[1])
