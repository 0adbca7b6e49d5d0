"""Displacement from phases: exact for shifts, none for the norm, silent where nothing is seen."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import nrsim as nr
from nrsim.features.phase import displacement

FREQUENCIES = np.array([0.5, 1.0, 2.0, 4.0])
ORIENTATIONS = np.deg2rad(np.arange(8) * 22.5)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.integers(0, 2**31))
def test_turned_phases_are_the_shift_that_turned_them(dx, dy, seed):
    rng = np.random.default_rng(seed)
    # smooth in the window, as the band of a channel is: one amplitude and phase for every channel
    norm = (rng.uniform(0.5, 2, (4, 8, 1)) * np.exp(2j * np.pi * rng.random((4, 8, 1)))) * np.ones(16)
    normal = np.stack([np.cos(ORIENTATIONS), np.sin(ORIENTATIONS)], -1)
    turn = 2 * np.pi * FREQUENCIES[:, None] * (normal @ np.array([dx, dy]))
    found = displacement(norm * np.exp(-1j * turn)[..., None], norm, FREQUENCIES, ORIENTATIONS, (2, 2), 2, 100.0, 0.1)
    assert found == pytest.approx(np.broadcast_to([dx, dy], (4, 2)), abs=1e-3)


def shifted(px_right, px_up):
    face = nr.render_faces([{"domain": "human"}], size=128, degrees=4.0)
    image = face["image"].values[0]
    both = np.stack([image, np.roll(np.roll(image, px_right, axis=1), -px_up, axis=0)])
    made = xr.concat([face, face.assign_coords(stimulus_id=("stimulus", ["moved"]))], "stimulus")
    return made.assign(image=(made["image"].dims, both, made["image"].attrs)).assign_coords(
        intensity=("stimulus", [0.0, 1.0], {"units": "1"})
    )


@pytest.mark.parametrize("right, up", [(1, 0), (0, 2), (-3, 1), (6, -5)])
def test_a_shifted_face_moves_by_the_shift(right, up):
    faces = shifted(right, up)
    pool = nr.PhaseDisplacement(16)
    seen = nr.V1Bank([0.5, 1, 2, 4, 8]).responses(faces, pool=pool)
    features = pool.fit(seen).transform(seen)
    nr.schema.check(features, "Features")
    value = features["value"].values.reshape(2, 16, 16, 2)
    assert np.abs(value[0]).max() < 1e-6
    face = value[1, 5:12, 5:11].reshape(-1, 2)
    wanted, found = np.array([right, up]) * 4 / 128, np.median(face, axis=0)
    gain = found @ wanted / (wanted @ wanted)
    assert 0.5 < gain < 1.05  # below 1: see the class
    assert np.linalg.norm(found - gain * wanted) < 0.15 * np.linalg.norm(wanted)
    assert list(features["feature_axis"].values[:2]) == ["x", "y"]


def test_noise_that_holds_all_frequencies_moves_by_the_whole_shift():
    face = shifted(2, 0)
    noise = 0.5 + 0.1 * np.random.default_rng(1).standard_normal((128, 128)).clip(-4, 4)
    both = np.stack([noise, np.roll(noise, 2, axis=1)]).astype(np.float32)
    faces = face.assign(image=(face["image"].dims, both, face["image"].attrs))
    pool = nr.PhaseDisplacement(16)
    seen = nr.V1Bank([1, 2, 4, 8], bandwidth=1.0).responses(faces, pool=pool)
    moved = pool.fit(seen).transform(seen)["value"].values[1].reshape(16, 16, 2)[2:-2, 2:-2]
    assert np.median(moved[..., 0]) == pytest.approx(2 * 4 / 128, rel=0.15)
    assert abs(np.median(moved[..., 1])) < 0.005


def test_contrast_does_not_move_anything_and_a_blank_picture_says_nothing():
    faces = shifted(2, 0)
    pool = nr.PhaseDisplacement(8)
    bank = nr.V1Bank([0.5, 1, 2, 4])
    pale = faces.assign(image=(faces["image"].dims, 0.5 + 0.3 * (faces["image"].values - 0.5), faces["image"].attrs))
    full, faint = (pool.fit(each).transform(each) for each in (bank.responses(s, pool=pool) for s in (faces, pale)))
    assert faint["value"].values == pytest.approx(full["value"].values, abs=1e-3)
    blank = faces.assign(image=(faces["image"].dims, np.full_like(faces["image"].values, 0.5), faces["image"].attrs))
    seen = bank.responses(blank, pool=pool)
    assert (pool.fit(seen).transform(seen)["value"].values == 0).all()


def test_on_a_head_twice_as_small_the_same_movement_has_the_same_displacement():
    rows = []
    for head, scale in (("large", 1.2), ("small", 0.75)):
        for intensity in (0.0, 0.5):
            rows.append({"domain": "human", "expression": "surprised", "intensity": intensity, "scale": scale,
                         "labels": {"head": head}})  # fmt: skip
    faces = nr.render_faces(rows, size=128)
    grid = nr.FaceGrid(faces, "large", norm_by="head", size=12)
    pool = nr.PhaseDisplacement(places=grid)
    seen = nr.V1Bank([0.5, 1, 2, 4]).responses(faces, pool=pool)
    features = pool.fit(seen).transform(seen)
    large, small = (nr.select(features, head=head, intensity=0.5)["value"].values[0] for head in ("large", "small"))
    gain = large @ small / (large @ large)
    assert 0.75 < gain < 1.25 and np.corrcoef(large, small)[0, 1] > 0.7


def test_moving_faces_are_displaced_frame_by_frame():
    rows = [{"domain": "human", "expression": "happy", "intensity": 1.0, "course": "ramp"}]
    moving = nr.render_faces(rows, size=64, frames=3, frame_rate=10.0)
    still = nr.render_faces([{"domain": "human"}], size=64)
    pool = nr.PhaseDisplacement(8)
    bank = nr.V1Bank([0.5, 1, 2])
    features = pool.fit(bank.responses(still, pool=pool)).transform(bank.responses(moving, pool=pool))
    assert features["value"].dims == ("stimulus", "frame", "feature")
    away = np.linalg.norm(features["value"].values[0], axis=1)
    assert away[0] < away[1] < away[2]


def test_errors_say_what_was_needed():
    faces = nr.render_faces([{"domain": "human"}, {"domain": "macaque"}], size=64)
    pool, bank = nr.PhaseDisplacement(8), nr.V1Bank([0.5, 1, 2])
    seen = bank.responses(faces, pool=pool)
    with pytest.raises(ValueError, match="call fit"):
        pool.transform(seen)
    with pytest.raises(ValueError, match="simple-cell responses with phases 0 and 90"):
        pool.fit(bank.transform(faces))
    with pytest.raises(ValueError, match="responses at every pixel"):
        pool.fit(bank.responses(faces))
    with pytest.raises(ValueError, match="got 0"):
        pool.fit(nr.V1Bank([0.5, 1, 2], phases=[0]).responses(faces, pool=pool))
    pool.fit(seen.isel(stimulus=[0]))
    with pytest.raises(ValueError, match="a norm for each domain; got none for 'macaque'"):
        pool.transform(seen)
    with pytest.raises(ValueError, match="channels"):
        pool.transform(nr.V1Bank([0.5, 1]).responses(faces, pool=pool))
    with pytest.raises(ValueError, match="no stimuli for the norms"):
        pool.fit(seen, norms={"intensity": 3.0})
    with pytest.raises(TypeError, match="a nr.FaceGrid"):
        nr.PhaseDisplacement(places={"eye": (0, 0)})
    with pytest.raises(ValueError, match="at least 256 pixels"):
        bank.responses(faces, pool=nr.PhaseDisplacement(128))
    with pytest.raises(ValueError, match="signed responses without normalisation; got rectify=True"):
        pool.fit(bank.responses(faces, pool=pool, rectify=True))
    with pytest.raises(ValueError, match="normalise='divisive'"):
        pool.fit(nr.V1Bank([0.5, 1, 2], normalise="divisive").responses(faces, pool=pool))


def test_cues_are_joined_with_their_fair_share():
    features = nr.example("Features")
    tenfold = features.assign(value=(features["value"].dims, 10 * features["value"].values, {"units": "1"}))
    human = {"domain": "human", "intensity": 1.0}
    both = nr.join_features([features, tenfold], equal=human, names=["one", "ten"])
    nr.schema.check(both, "Features")
    n = features.sizes["feature"]
    assert both["value"].values[:, :n] == pytest.approx(both["value"].values[:, n:])
    heads, level = both["domain"].values, both["intensity"].values
    value = both["value"].values[:, :n]
    away = value[(heads == "human") & (level == 1)] - value[(heads == "human") & (level == 0)].mean(axis=0)
    assert np.sqrt((away**2).sum(axis=1).mean()) == pytest.approx(1)
    assert list(both["cue"].values) == ["one"] * n + ["ten"] * n
    assert nr.join_features([features, tenfold])["value"].values[:, n:] == pytest.approx(tenfold["value"].values)
    with pytest.raises(ValueError, match="same stimuli"):
        nr.join_features([features, tenfold.isel(stimulus=slice(None, None, -1))])
    with pytest.raises(ValueError, match="differ from their norm"):
        nr.join_features([features], equal={"intensity": 0.0, "expression": "neutral"})
    with pytest.raises(ValueError, match="none"):
        nr.join_features([])
    with pytest.raises(ValueError, match="2 names"):
        nr.join_features([features, tenfold], names=["one", "one"])
