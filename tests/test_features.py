import numpy as np
import pytest

import nrsim as nr


def test_windows_sum_to_one_and_are_centred():
    position = (np.arange(32) + 0.5) * 0.1
    for places in (position, position[::-1]):
        windows = nr.PooledEnergy(size=4, tolerance=0.24).windows(places, places)[1]
        assert windows.sum(axis=1) == pytest.approx(1)
        centre = windows @ places
        assert np.sort(centre) == pytest.approx([0.4, 1.2, 2.0, 2.8], abs=0.03)
        assert (np.diff(centre) > 0).all() == (places[0] < places[-1])


def test_constant_energy_pools_to_itself_and_log_is_its_logarithm():
    seen = nr.example("V1Response")
    seen["energy"][:] = 2.0
    plain = nr.PooledEnergy(size=4).fit(seen).transform(seen)
    assert plain["value"].values == pytest.approx(2.0)
    logged = nr.PooledEnergy(size=4, log=True, floor=0.01).fit(seen).transform(seen)
    assert logged["value"].values == pytest.approx(np.log(2.02))


def test_every_feature_is_labelled_and_labels_travel():
    seen = nr.example("V1Response")
    features = nr.PooledEnergy(size=2).fit(seen).transform(seen)
    nr.schema.check(features, "Features")
    one = int(np.flatnonzero((features["frequency"] == 2) & (features["orientation"] == 45))[0])
    windows = nr.PooledEnergy(size=2).windows(seen["y"].values, seen["x"].values)[1]
    expected = windows[0] @ seen["energy"].sel(frequency=2.0, orientation=45.0).values[3] @ windows[0]
    assert features["value"].values[3, one] == pytest.approx(expected, rel=1e-5)
    assert float(features["feature_y"][one]) > 0 > float(features["feature_x"][one])
    assert (features["domain"].values == seen["domain"].values).all()


def test_pooling_ignores_the_order_of_stimuli():
    seen = nr.example("V1Response")
    order = np.random.default_rng(0).permutation(seen.sizes["stimulus"])
    pool = nr.PooledEnergy(size=4, log=True).fit(seen)
    assert pool.transform(seen)["value"].values[order] == pytest.approx(
        pool.transform(seen.isel(stimulus=order))["value"].values
    )


def test_principal_components_keep_distances_and_repeat():
    features = nr.example("Features")
    pca = nr.PrincipalComponents(12).fit(features)
    made = pca.transform(features)
    nr.schema.check(made, "Features")
    for a, b in ((0, 1), (2, 9)):
        before, after = (np.linalg.norm(d["value"].values[a] - d["value"].values[b]) for d in (features, made))
        assert after == pytest.approx(before)
    assert nr.identical(made, nr.PrincipalComponents(12).fit(features).transform(features))
    turned = features.isel(stimulus=slice(None, None, -1))
    again = nr.PrincipalComponents(3).fit(turned).transform(features)
    assert again["value"].values == pytest.approx(made["value"].values[:, :3])


def test_errors_of_features():
    seen, features = nr.example("V1Response"), nr.example("Features")
    with pytest.raises(ValueError, match="not fitted"):
        nr.PooledEnergy().transform(seen)
    with pytest.raises(ValueError, match="not fitted"):
        nr.PrincipalComponents(2).transform(features)
    with pytest.raises(ValueError, match="at least 16 pixels"):
        nr.PooledEnergy(16).fit(seen)
    pool = nr.PooledEnergy(4).fit(seen)
    with pytest.raises(ValueError, match="others, such as"):
        pool.transform(seen.assign_coords(frequency=("frequency", [1.0, 3.0], {"units": "cycles/degree"})))
    with pytest.raises(ValueError, match="for 13 components"):
        nr.PrincipalComponents(13).fit(features)
    with pytest.raises(ValueError, match="in another order"):
        nr.PrincipalComponents(2).fit(features).transform(features.isel(feature=slice(None, None, -1)))
    faces = nr.example("StimulusSet")
    pooled = nr.V1Bank([1.0]).transform(faces, pool=nr.PooledEnergy(4))
    with pytest.raises(ValueError, match="energy pooled with"):
        nr.PooledEnergy(8).fit(pooled)
    with pytest.raises(TypeError, match="True or False"):
        nr.PooledEnergy(log=1)


def test_frames_of_moving_faces_go_through_with_their_times():
    rows = [{"domain": "human", "expression": "happy", "course": "ramp", "intensity": 1.0}]
    moving = nr.render_faces(rows, size=24, frames=3)
    pool = nr.PooledEnergy(size=3)
    bank = nr.V1Bank([0.5, 1.0], 4)
    features = pool.fit(bank.transform(moving, pool=pool)).transform(bank.transform(moving))
    assert features["value"].dims == ("stimulus", "frame", "feature")
    stills = pool.transform(bank.transform(nr.stack_frames(moving)))
    assert features["value"].values[0] == pytest.approx(stills["value"].values, abs=1e-2 * float(stills["value"].max()))
    assert (features["frame_time"].values == moving["frame_time"].values).all()
    made = nr.PrincipalComponents(2).fit(features).transform(features)
    assert made["value"].dims == ("stimulus", "frame", "feature")
    assert (made["frame_time"].values == moving["frame_time"].values).all()


def test_components_of_a_landmark_that_was_not_seen_are_refused():
    features = nr.example("Features")
    marked = features.assign_coords(landmark=("feature", ["mouth"] * 12))
    fitted = nr.PrincipalComponents(3).fit(marked)
    unseen = marked.copy(deep=True)
    unseen["value"][3] = np.nan
    for call in (nr.PrincipalComponents(3).fit, fitted.transform):
        with pytest.raises(ValueError, match=r"not seen in 1 stimuli, such as 'human-happy-"):
            call(unseen)
