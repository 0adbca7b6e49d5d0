"""Places of the face on every head: the map is exact where it must be, and V1 pools there."""

import numpy as np
import pytest
import xarray as xr

import nrsim as nr


def framed(scale=1.0, x=0.0, y=0.0, size=64, **labels):
    rows = [
        {"domain": "human", "stimulus_id": "one", "labels": {"head": "reference"}},
        {"domain": "human", "stimulus_id": "two", "labels": {"head": "moved"}, "scale": scale, "x": x, "y": y},
    ]
    return nr.render_faces(rows, size=size, landmarks="alignment", **labels)


def affine(faces, matrix, shift):
    """Give the second stimulus the first's points, carried by a known map about the middle (degree, y up)."""
    at = faces["landmark"].values.copy()
    n = faces.sizes["x"]
    step = 4.0 / n
    degrees = np.stack([(at[0, :, 0] - n / 2) * step, (n / 2 - at[0, :, 1]) * step], -1)
    moved = degrees @ np.array(matrix).T + shift
    at[1] = np.stack([moved[:, 0] / step + n / 2, n / 2 - moved[:, 1] / step], -1)
    return faces.assign_coords(landmark=(faces["landmark"].dims, at, faces["landmark"].attrs))


def test_an_affine_map_of_the_points_is_the_map_of_the_places_and_of_their_windows():
    matrix, shift = [[0.8, 0.1], [-0.05, 0.9]], np.array([0.1, -0.2])
    faces = affine(framed(), matrix, shift)
    grid = nr.FaceGrid(faces, "reference", norm_by="head", size=(5, 6), tolerance=0.2)
    at = grid.places()
    assert grid.places("moved") == pytest.approx(at @ np.array(matrix).T + shift, abs=1e-6)
    assert grid.stretch("moved") == pytest.approx(np.broadcast_to(matrix, (30, 2, 2)), abs=1e-4)
    y, x = faces["y"].values, faces["x"].values
    wy, wx = grid.windows("moved", y, x)
    centre = grid.places("moved")
    inside = (np.abs(centre) < 1.2).all(axis=1)
    assert (wx @ x)[inside] == pytest.approx(centre[inside, 0], abs=0.01)
    spread = np.sqrt((wy * (y[None] - (wy @ y)[:, None]) ** 2).sum(axis=1))
    assert spread[inside] == pytest.approx(0.2 * np.hypot(0.05, 0.9), rel=0.03)


def test_the_reference_is_pooled_as_on_a_plain_grid():
    faces = framed()
    grid = nr.FaceGrid(faces, "reference", norm_by="head", size=8)
    bank = nr.V1Bank([1, 2])
    ours = bank.transform(faces, pool=nr.PooledEnergy(places=grid))["energy"][0]
    plain = bank.transform(faces, pool=nr.PooledEnergy(8))["energy"][0].stack(place=("y", "x"))
    assert ours.values == pytest.approx(plain.values, rel=2e-3, abs=1e-4 * float(plain.max()))


def test_a_head_elsewhere_in_the_picture_and_of_another_size_looks_the_same_on_its_own_grid():
    faces = framed(scale=0.85, x=0.25, y=-0.2, size=128)
    grid = nr.FaceGrid(faces, "reference", norm_by="head", size=12)
    bank = nr.V1Bank([2, 4])

    def apart(pool):
        value = np.log(bank.transform(faces, pool=pool)["energy"].values.reshape(2, 2, 8, 12, 12) + 1e-4)
        inner = value[..., 3:9, 3:9]
        return np.corrcoef(inner[0].ravel(), inner[1].ravel())[0, 1]

    assert apart(nr.PooledEnergy(places=grid)) > 0.85 > 0.7 > apart(nr.PooledEnergy(12))


def test_pooled_while_filtering_afterwards_in_blocks_or_one_by_one_is_the_same():
    rows = [{"domain": d, "expression": "happy", "intensity": i} for d in ("human", "macaque") for i in (0.0, 1.0)]
    faces = nr.render_faces(rows, size=64)
    pool = nr.PooledEnergy(places=nr.FaceGrid(faces, "human", size=6), log=True)
    bank = nr.V1Bank([1, 2], accuracy="exact")
    seen, dense = bank.transform(faces, pool=pool), bank.transform(faces)
    features = pool.fit(seen).transform(seen)
    assert pool.transform(dense)["value"].values == pytest.approx(features["value"].values, abs=1e-4)
    shuffled = faces.isel(stimulus=[2, 0, 3, 1])
    assert (bank.transform(shuffled, pool=pool, block=3)["energy"].values == seen["energy"].values[[2, 0, 3, 1]]).all()
    assert features["feature_id"].values[0] == f"1c/deg 0deg {seen['place'].values[0]}"


def test_landmarks_of_ones_own_and_averaged_norms():
    faces = framed()
    marks = faces["landmark"].isel(point=slice(0, 4))
    grid = nr.FaceGrid(faces, "reference", norm_by="head", landmarks=marks, size=4)
    assert grid.points == [str(name) for name in marks["point"].values]
    twice = xr.concat([faces, faces.assign_coords(stimulus_id=("stimulus", ["a", "b"]))], "stimulus")
    assert nr.FaceGrid(twice, "reference", norm_by="head", size=4).places("moved") == pytest.approx(
        nr.FaceGrid(faces, "reference", norm_by="head", size=4).places("moved"), abs=1e-6
    )


def test_errors_say_what_was_needed():
    faces = framed()
    make = {"norm_by": "head", "size": 4}
    with pytest.raises(ValueError, match="unknown reference head 'referenz'; nearest: 'reference'"):
        nr.FaceGrid(faces, "referenz", **make)
    with pytest.raises(ValueError, match="faces with landmarks"):
        nr.FaceGrid(faces.drop_dims("point"), "reference", **make)
    with pytest.raises(ValueError, match="not on a line"):
        nr.FaceGrid(faces, "reference", points=["nose_tip", "mouth"], **make)
    with pytest.raises(ValueError, match="nearest: 'nose_tip'"):
        nr.FaceGrid(faces, "reference", points=["nosetip", "mouth", "chin"], **make)
    with pytest.raises(ValueError, match="no stimuli for the norms"):
        nr.FaceGrid(faces, "reference", norms={"intensity": 2.0}, **make)
    with pytest.raises(TypeError, match=r"landmark \(stimulus, point, axis\)"):
        nr.FaceGrid(faces, "reference", landmarks="points.csv", **make)
    lost = faces["landmark"].where(faces["point"] != "chin")
    with pytest.raises(ValueError, match=r"none for chin\. Leave them out"):
        nr.FaceGrid(faces, "reference", landmarks=lost, **make)
    grid = nr.FaceGrid(faces, "reference", **make)
    with pytest.raises(ValueError, match="unknown head of the grid 'stranger'"):
        nr.V1Bank([1]).transform(
            faces.assign_coords(head=("stimulus", ["reference", "stranger"])), pool=nr.PooledEnergy(places=grid)
        )
    with pytest.raises(ValueError, match="'head', which says whose places"):
        nr.V1Bank([1]).transform(faces.drop_vars("head"), pool=nr.PooledEnergy(places=grid))
    with pytest.raises(ValueError, match="tolerance in the FaceGrid"):
        nr.PooledEnergy(places=grid, tolerance=0.1)
    expressive = faces.assign_coords(intensity=("stimulus", [0.0, 1.0], {"units": "1"}))
    with pytest.raises(ValueError, match="a norm with landmarks for each head; got none for 'moved'"):
        nr.FaceGrid(expressive, "reference", **make)
