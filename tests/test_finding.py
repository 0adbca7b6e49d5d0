"""Landmarks found from V1: copies of the marked face give the points exactly, other heads nearly."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.features import graph, profiles

HALF_OCTAVES = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6)


def see(rows: list[dict], size: int = 96, **kwargs: object) -> tuple[xr.Dataset, xr.Dataset]:
    faces = nr.render_faces(rows, size=size, landmarks="alignment", **kwargs)
    return faces, nr.V1Bank(HALF_OCTAVES).transform(faces)


def off(found: xr.DataArray, faces: xr.Dataset) -> np.ndarray:
    """Return each point's error over the distance between the eyes, ``(stimulus, point)``."""
    true = faces["landmark"]
    eyes = np.linalg.norm((true.sel(point="eye_left") - true.sel(point="eye_right")).values, axis=-1)
    return np.linalg.norm(found.values - true.values, axis=-1) / eyes[:, None]


@pytest.fixture(scope="module")
def heads() -> tuple[xr.Dataset, xr.Dataset]:
    rows = [{"domain": "human"}, {"domain": "macaque"}, {"domain": "cartoon"}, {"domain": "human", "stretch": 1.2}]
    rows += [{"domain": "human", "scale": 0.75, "x": 0.3, "y": -0.2}]
    return see(rows)


@pytest.fixture(scope="module")
def marked(heads: tuple[xr.Dataset, xr.Dataset]) -> xr.Dataset:
    return heads[1].isel(stimulus=[0])


# Analytic: where the points of a copy are is known


def test_the_marked_face_itself(marked: xr.Dataset) -> None:
    found = nr.find_landmarks(marked, like=marked)
    assert abs(found - marked["landmark"]).max() < 0.1
    assert (found["confidence"] > 0.99).all()


def moved(faces: xr.Dataset, image: np.ndarray) -> xr.Dataset:
    copy = faces.assign(image=(faces["image"].dims, image.astype("float32"), faces["image"].attrs))
    return nr.V1Bank(HALF_OCTAVES).transform(copy.drop_vars("landmark"))


def test_a_shifted_copy(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    faces = heads[0].isel(stimulus=[0])
    seen = moved(faces, np.roll(faces["image"].values, (5, -7), axis=(1, 2)))
    found = nr.find_landmarks(seen, like=marked)
    assert abs(found.values - marked["landmark"].values - [-7, 5]).max() < 0.15


def test_a_mirrored_copy_keeps_the_names_on_their_side(
    heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset
) -> None:
    faces = heads[0].isel(stimulus=[0])
    seen = moved(faces, np.roll(faces["image"].values, 6, axis=2)[:, :, ::-1])
    found = nr.find_landmarks(seen, like=marked)
    pairs = {"left": "right", "right": "left"}
    for name in found["point"].values.tolist():
        stem, _, side = name.rpartition("_")
        other = f"{stem}_{pairs[side]}" if side in pairs else name
        x, y = marked["landmark"].sel(point=other).values[0]
        assert abs(found.sel(point=name).values[0] - [96 - (x + 6), y]).max() < 0.3, name


def test_a_face_of_another_size_and_place(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    larger, seen = see([{"domain": "human", "scale": 1.15, "x": -0.15, "y": 0.1}])
    assert abs(nr.find_landmarks(seen, like=marked) - larger["landmark"]).max() < 0.4
    # Of a smaller face the bank lacks the highest frequencies
    found = nr.find_landmarks(heads[1].isel(stimulus=[4]), like=marked)
    apart = abs(found.values - heads[0]["landmark"].values[4:])
    assert apart.max() < 1.2 and apart.mean() < 0.35


def test_a_stretched_head(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    found = nr.find_landmarks(heads[1].isel(stimulus=[3]), like=marked)
    assert abs(found.values - heads[0]["landmark"].values[3:4]).max() < 0.6


def test_pixels_of_another_size(marked: xr.Dataset) -> None:
    faces, seen = see([{"domain": "human"}], size=128)
    assert abs(nr.find_landmarks(seen, like=marked) - faces["landmark"]).max() < 0.5


# Other heads


def test_heads_never_marked(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    faces, seen = (each.isel(stimulus=[1, 2]) for each in heads)
    found = nr.find_landmarks(seen, like=marked)
    same_pixels = off(faces["landmark"] * 0 + heads[0]["landmark"].values[0], faces)
    assert off(found, faces).max() < 0.2 and off(found, faces).mean() < 0.07
    assert (off(found, faces).mean(axis=1) < 0.6 * same_pixels.mean(axis=1)).all()


def test_several_marked_faces(heads: tuple[xr.Dataset, xr.Dataset]) -> None:
    people = nr.random_identities(3, seed=4)
    faces, seen = see([{"domain": "human", "identity": name} for name in people], identities=people)
    for i, like in enumerate((seen.isel(stimulus=[1, 2]), heads[1].isel(stimulus=[0, 1, 4]))):
        found = nr.find_landmarks(seen.isel(stimulus=[0]), like=like)
        assert off(found, faces.isel(stimulus=[0])).mean() < 0.05, i


def test_confidence_is_less_where_nothing_is_alike(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    things = nr.V1Bank(HALF_OCTAVES).transform(nr.render_objects(["mug"], size=96))
    mug = nr.find_landmarks(things, like=marked)["confidence"].mean()
    blank = moved(heads[0].isel(stimulus=[0]), np.full((1, 96, 96), 0.5))
    head = nr.find_landmarks(heads[1].isel(stimulus=[2]), like=marked)["confidence"].mean()
    assert mug < head - 0.1
    assert abs(nr.find_landmarks(blank, like=marked)["confidence"]).max() < 0.2


def test_confidence_says_which_points_are_hidden(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    faces = heads[0].isel(stimulus=[3])
    image = faces["image"].values.copy()
    true = faces["landmark"][0]
    low = int(true.sel(point="mouth_corner_left", axis="y")) - 8
    image[:, low:] = image[:, low : low + 1]  # everything below the nose is wiped out
    found = nr.find_landmarks(moved(faces, image), like=marked)
    sure = found["confidence"][0]
    eyes, mouth = ["eye_left", "eye_right", "brow_left", "brow_right"], ["mouth", "mouth_corner_left", "chin"]
    assert sure.sel(point=mouth).max() < sure.sel(point=eyes).min() - 0.2
    assert abs(found[0].sel(point=eyes) - true.sel(point=eyes)).max() < 1.5


def test_one_of_several_marked_faces_is_enough(heads: tuple[xr.Dataset, xr.Dataset]) -> None:
    """A face among the marked ones is found nearly exactly, though others are marked beside it."""
    faces, seen = (each.isel(stimulus=[1]) for each in heads)
    alone = nr.find_landmarks(seen, like=heads[1].isel(stimulus=[0]))
    both = nr.find_landmarks(seen, like=heads[1].isel(stimulus=[0, 1]))
    assert off(both, faces).mean() < 0.5 * off(alone, faces).mean()
    assert (both["confidence"].mean() > alone["confidence"].mean()).item()


# Invariances


def test_contrast_order_batch_and_dims_do_not_matter(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    seen = heads[1].isel(stimulus=[1, 2])
    both = nr.find_landmarks(seen, like=marked)
    turned = seen.isel(stimulus=[1, 0], frequency=[5, 2, 0, 1, 4, 3], orientation=[3, 0, 1, 2, 7, 6, 5, 4])
    like = marked.isel(frequency=[5, 2, 0, 1, 4, 3], orientation=[3, 0, 1, 2, 7, 6, 5, 4])
    turned = turned.assign(energy=7.0 * turned["energy"].transpose("y", "x", "stimulus", "orientation", "frequency"))
    turned = turned.assign(energy=turned["energy"].transpose("stimulus", "frequency", "orientation", "y", "x"))
    turned["energy"].attrs["units"] = "1"
    again = nr.find_landmarks(turned, like=like)
    np.testing.assert_allclose(again.values[::-1], both.values, atol=1e-2)
    alone = nr.find_landmarks(seen.isel(stimulus=[1]), like=marked)
    np.testing.assert_array_equal(alone.values[0], both.values[1])


def test_the_result_is_as_read_landmarks_returns_it(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    found = nr.find_landmarks(
        heads[1].isel(stimulus=[1]), like=marked, points=["chin", "eye_left", "eye_right", "mouth"]
    )
    assert found.dims == ("stimulus", "point", "axis") and found.attrs["units"] == "px" and found.name == "landmark"
    assert found["point"].values.tolist() == ["chin", "eye_left", "eye_right", "mouth"]
    assert found["axis"].values.tolist() == ["x", "y"] and found["domain"].values.tolist() == ["macaque"]
    faces = heads[0].isel(stimulus=[1]).drop_dims(("point", "axis")).assign_coords(landmark=found)
    nr.schema.check(faces, "StimulusSet")


# Kernels


def test_channels_of_a_magnified_grating() -> None:
    channels = profiles.Channels(np.array([1.0, 2.0, 4.0]), np.arange(8) * 22.5)
    same = channels.seen_at(np.ones(2))
    np.testing.assert_allclose(same, np.eye(24), atol=1e-6)
    half = channels.seen_at(np.array([0.5, 0.5])).reshape(3, 8, 3, 8)  # seen at half the size: twice the frequency
    np.testing.assert_allclose(half[0, :, 1], np.eye(8), atol=1e-6)
    # twice as wide: vertical bars of 2 cycles/degree become 1, horizontal ones stay, oblique ones turn upright
    wide = channels.seen_at(np.array([2.0, 1.0])).reshape(3, 8, 3, 8)
    assert wide[1, 0, 0, 0] == pytest.approx(1) and wide[1, 4, 1, 4] == pytest.approx(1)
    turned = np.rad2deg(np.arctan2(1, 0.5)) / 22.5  # 63.4 degrees, between channels 2 and 3
    np.testing.assert_allclose(wide[1, 2].sum(axis=0)[[2, 3]], [3 - turned, turned - 2], atol=1e-6)
    np.testing.assert_allclose(wide.sum(axis=(2, 3)), 1, atol=1e-6)


def test_correlation_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    maps, template = rng.random((2, 3, 9, 8)), rng.random((2, 3, 4, 5))
    template -= template.mean(axis=(2, 3), keepdims=True)
    template /= np.sqrt((template**2).sum(axis=(1, 2, 3), keepdims=True))
    got = profiles.correlation(maps, template)
    assert got.shape == (6, 4)
    for y in range(6):
        for x in range(4):
            part = maps[:, :, y : y + 4, x : x + 5]
            part = part - part.mean(axis=(2, 3), keepdims=True)
            size = np.sqrt((part**2).sum(axis=(1, 2, 3)))
            assert got[y, x] == pytest.approx(((part * template).sum(axis=(1, 2, 3)) / size).mean(), abs=1e-6)


def test_the_prior_is_of_both_sides_alike() -> None:
    shape = np.array([[-10.0, -5.0], [10.0, -5.0], [0.0, 20.0], [3.0, -30.0], [-3.0, -30.0]])
    axis = graph.mirror_axis(shape)
    assert axis == pytest.approx(0)
    covariance = graph.prior(shape, axis, 0.12)
    assert np.linalg.eigvalsh(covariance).min() > 0
    np.testing.assert_allclose(covariance, covariance.T)
    smooth = covariance - graph.prior(shape, axis, 1e-9)  # without shifts and sizes of the whole
    x = np.corrcoef(np.random.default_rng(1).multivariate_normal(np.zeros(10), smooth, 4000).T)
    assert x[0, 1] < -0.95 and x[5, 6] > 0.95  # the pair moves apart and up together
    assert graph.mirror_axis(shape + [[0, 0], [0, 0], [25, 0], [0, 0], [0, 0]]) is None


# Errors


def test_like_without_landmarks(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    with pytest.raises(ValueError, match=r"needed like: faces with landmark .* got faces without. like = "):
        nr.find_landmarks(heads[1], like=marked.drop_dims(("point", "axis")))


def test_other_channels(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="frequency of like .*1, 1.4, 2.* got 1, 2"):
        nr.find_landmarks(heads[1].isel(frequency=[0, 2]), like=marked)
    with pytest.raises(ValueError, match="orientation of like"):
        nr.find_landmarks(heads[1].isel(orientation=[0, 2]), like=marked)
    with pytest.raises(ValueError, match="two or more orientations; got 1"):
        nr.find_landmarks(heads[1].isel(orientation=[0]), like=marked.isel(orientation=[0]))


def test_what_is_no_dense_energy_of_still_faces(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    faces = heads[0].isel(stimulus=[0])
    bank = nr.V1Bank(HALF_OCTAVES)
    with pytest.raises(ValueError, match="faces with energy; got response"):
        nr.find_landmarks(bank.responses(faces), like=marked)
    for pool in (nr.PooledEnergy(size=8), nr.PooledEnergy(places=[(0.0, 0.0)], tolerance=0.3)):
        with pytest.raises(ValueError, match="energy at every pixel; got energy that is pooled"):
            nr.find_landmarks(bank.transform(faces, pool=pool), like=marked)
    moving = nr.render_faces([{"domain": "human"}], size=96, frames=2, frame_rate=30.0)
    with pytest.raises(ValueError, match="still faces; got 2 frames.*stack_frames"):
        nr.find_landmarks(bank.transform(moving), like=marked)
    with pytest.raises(nr.schema.SchemaError, match="says it is a StimulusSet"):
        nr.find_landmarks(faces, like=marked)
    with pytest.raises(TypeError, match="like: a V1Response"):
        nr.find_landmarks(heads[1], like=faces["landmark"])  # type: ignore[arg-type]


def test_landmarks_that_cannot_be_used(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    landmark = marked["landmark"].copy()
    landmark[0, 4] = np.nan
    with pytest.raises(ValueError, match="'nose_tip' of 'human-neutral', which is missing. .*points="):
        nr.find_landmarks(heads[1], like=marked.assign_coords(landmark=landmark))
    landmark[0, 4] = 200.0
    with pytest.raises(ValueError, match="'nose_tip' of 'human-neutral', which lies outside"):
        nr.find_landmarks(heads[1], like=marked.assign_coords(landmark=landmark))
    with pytest.raises(ValueError, match="unknown point 'nose'; nearest: 'nose_tip'"):
        nr.find_landmarks(heads[1], like=marked, points=["nose", "chin", "mouth"])
    with pytest.raises(ValueError, match="3 or more landmarks; got 2"):
        nr.find_landmarks(heads[1], like=marked, points=["chin", "mouth"])
    with pytest.raises(ValueError, match="span 4 px or more"):
        nr.find_landmarks(heads[1], like=marked, points=["nose_tip", "mouth", "chin"])


def test_inputs_that_are_none(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    with pytest.raises(TypeError, match="points: a list of names; got 'chin'"):
        nr.find_landmarks(heads[1], like=marked, points="chin")
    with pytest.raises(ValueError, match="points, each once; got .*chin, chin"):
        nr.find_landmarks(heads[1], like=marked, points=["mouth", "chin", "chin"])
    with pytest.raises(ValueError, match="like: one or more marked faces; got none"):
        nr.find_landmarks(heads[1], like=marked.isel(stimulus=[]))
    with pytest.raises(TypeError, match="faces: a V1Response, which is an xarray.Dataset; got NoneType"):
        nr.find_landmarks(None, like=marked)  # type: ignore[arg-type]
    broken = heads[1].isel(stimulus=[1]).copy(deep=True)
    broken["energy"][0, 0, 0, 5, 5] = np.nan
    with pytest.raises(ValueError, match="finite energies; got NaN or infinity in 'macaque-neutral'"):
        nr.find_landmarks(broken, like=marked)
    with pytest.raises(ValueError, match="two or more pixels a side; got 1 along x"):
        nr.find_landmarks(heads[1].isel(x=[0]), like=marked)
    none = nr.find_landmarks(heads[1].isel(stimulus=[]), like=marked)
    assert none.shape == (0, 9, 2) and none["confidence"].shape == (0, 9)


def test_settings_out_of_range(heads: tuple[xr.Dataset, xr.Dataset], marked: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="size: .smallest, largest., relative"):
        nr.find_landmarks(heads[1], like=marked, size=(1.0,))
    with pytest.raises(ValueError, match="aspect: .smallest, largest.; got .1.4, 0.7"):
        nr.find_landmarks(heads[1], like=marked, aspect=(1.4, 0.7))
    with pytest.raises(ValueError, match="deformation: needed more than 0"):
        nr.find_landmarks(heads[1], like=marked, deformation=0.0)
    with pytest.raises(ValueError, match="a face of 3 times .* has room; got one of 96 by 96 px .'human-neutral'"):
        nr.find_landmarks(heads[1], like=marked, size=(3.0, 4.0))


# The figure


def test_the_plot_draws_points_where_they_are(heads: tuple[xr.Dataset, xr.Dataset]) -> None:
    faces = heads[0].isel(stimulus=[0, 1])
    found = faces["landmark"].assign_coords(confidence=(("stimulus", "point"), np.full((2, 9), 0.25)))
    ax = nr.plot.landmarks(faces, found, stimulus="macaque-neutral")
    crosses, circles = ax.collections
    x, y = faces["landmark"].sel(point="chin").values[1]
    step = 4 / 96
    np.testing.assert_allclose(crosses.get_offsets()[8], (-2 + x * step, 2 - y * step), atol=1e-6)
    np.testing.assert_allclose(crosses.get_offsets(), circles.get_offsets())
    assert circles.get_facecolors()[0, 3] == pytest.approx(0.25)
    assert len(nr.plot.landmarks(faces).collections) == 1
    plt.close("all")


def test_the_plot_says_what_it_needs(heads: tuple[xr.Dataset, xr.Dataset]) -> None:
    faces = heads[0].isel(stimulus=[0])
    with pytest.raises(ValueError, match="faces with landmark, or found="):
        nr.plot.landmarks(faces.drop_dims(("point", "axis")).assign(image=faces["image"]))
    with pytest.raises(ValueError, match="unknown stimulus_id of the landmarks found 'human-neutral'"):
        nr.plot.landmarks(faces, heads[0]["landmark"].isel(stimulus=[1]))
    with pytest.raises(ValueError, match="found: landmark .* got Dataset"):
        nr.plot.landmarks(faces, faces)  # type: ignore[arg-type]
    moving = nr.render_faces([{"domain": "human"}], size=32, frames=2, frame_rate=30.0)
    with pytest.raises(ValueError, match="still faces; got 2 frames"):
        nr.plot.landmarks(moving)
