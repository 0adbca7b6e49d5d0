import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import convolve

import nrsim as nr

SIZE, DEGREES = 64, 4.0


def stimuli(*images, degrees=DEGREES):
    """Pictures as a StimulusSet, ``degrees`` wide."""
    images = np.asarray(images, dtype=np.float32)
    n, ny, nx = images.shape
    step = degrees / nx
    made = nr.example("StimulusSet")
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(n)]),
        "y": ("y", (ny / 2 - 0.5 - np.arange(ny)) * step, {"units": "degree"}),
        "x": ("x", (np.arange(nx) + 0.5 - nx / 2) * step, {"units": "degree"}),
    }
    return xr.Dataset({"image": (("stimulus", "y", "x"), images, {"units": "1"})}, coords, made.attrs)


def grating(frequency, orientation, phase=0.0, contrast=1.0):
    """A grating; orientation 0 is vertical, counter-clockwise with y up."""
    place = (np.arange(SIZE) + 0.5 - SIZE / 2) * DEGREES / SIZE
    x, y, angle = place[None], place[::-1][:, None], np.deg2rad(orientation)
    along = x * np.cos(angle) + y * np.sin(angle)
    return 0.5 + 0.5 * contrast * np.cos(2 * np.pi * frequency * along + np.deg2rad(phase))


def noise(seed=0, shape=(SIZE, SIZE)):
    return np.random.default_rng(seed).random(shape)


MIDDLE = slice(SIZE // 2 - 4, SIZE // 2 + 4)


def test_a_preferred_grating_has_energy_one_at_every_phase():
    phases = range(0, 360, 30)
    seen = nr.V1Bank([2.0]).transform(stimuli(*[grating(2.0, 45.0, phase) for phase in phases]))
    energy = seen["energy"].sel(orientation=45.0)[:, 0, MIDDLE, MIDDLE].values
    assert energy == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("orientation", [0.0, 22.5, 67.5, 90.0, 157.5])
def test_preferred_orientation_and_frequency_are_where_they_were_set(orientation):
    seen = nr.V1Bank([1.0, 2.0, 4.0]).transform(stimuli(grating(2.0, orientation)))
    energy = seen["energy"][0, :, :, MIDDLE, MIDDLE].mean(("y", "x"))
    best = energy.argmax(("frequency", "orientation"))
    assert seen["frequency"].values[best["frequency"]] == 2.0
    assert seen["orientation"].values[best["orientation"]] == orientation


def test_half_height_lies_half_an_octave_band_away():
    # full width at half height of the amplitude: f (2^b ± …) with b = 1 gives 2/3 and 4/3 of the preferred frequency
    seen = nr.V1Bank([3.0], 1, bandwidth=1).transform(stimuli(grating(3.0, 0), grating(2.0, 0), grating(4.0, 0)))
    amplitude = np.sqrt(seen["energy"][:, 0, 0, MIDDLE, MIDDLE].mean(("y", "x")).values)
    assert amplitude[1:] / amplitude[0] == pytest.approx(0.5, abs=0.02)


def test_responses_agree_with_dense_convolution_by_the_receptive_field():
    bank = nr.V1Bank([1.0, 2.0, 4.0], orientations=4)
    faces = stimuli(noise(1))
    seen = bank.responses(faces)["response"]
    for frequency in bank.frequencies:
        for orientation in (0.0, 45.0, 135.0):
            for phase in (0.0, 90.0):
                field = bank.receptive_field(frequency, orientation, phase, degrees_per_pixel=DEGREES / SIZE).values
                dense = convolve(faces["image"].values[0].astype(float), field[::-1, ::-1], mode="reflect")
                got = seen.sel(frequency=frequency, orientation=orientation, phase=phase).values[0]
                assert np.abs(got - dense).max() < 5e-3 * np.abs(dense).max()


@settings(max_examples=10, deadline=None)
@given(st.floats(0, 1))
def test_uniform_luminance_gives_nothing(level):
    seen = nr.V1Bank([1.0, 4.0]).transform(stimuli(np.full((SIZE, SIZE), level)))
    assert float(np.abs(seen["energy"]).max()) < 1e-10


def test_nothing_wraps_around_the_border():
    image = np.full((SIZE, SIZE), 0.5)
    image[:, :6] = noise(2, (SIZE, 6))
    seen = nr.V1Bank([2.0, 4.0]).transform(stimuli(image))["energy"][0]
    assert float(seen[..., 3 * SIZE // 4 :].max()) < 1e-5 * float(seen.max())
    assert float(nr.V1Bank([2.0]).transform(stimuli(image[::-1]))["energy"].max()) > 0


def test_rotating_and_shifting_the_picture_rotates_and_shifts_the_response():
    image = np.full((SIZE, SIZE), 0.5)
    image[24:40, 20:36] = noise(3, (16, 16))
    bank = nr.V1Bank([4.0])
    plain, turned, shifted = (
        bank.transform(stimuli(each))["energy"].values[0, 0]
        for each in (image, np.rot90(image), np.roll(image, (3, -5), (0, 1)))
    )
    assert np.roll(np.rot90(plain, axes=(1, 2)), 4, axis=0) == pytest.approx(turned, abs=1e-4)  # 90 degrees, of 8
    assert np.roll(plain, (3, -5), (1, 2))[:, 12:-12, 12:-12] == pytest.approx(shifted[:, 12:-12, 12:-12], abs=1e-4)


def test_energy_grows_with_the_square_of_contrast_and_saturates_when_normalised():
    contrasts = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
    faces = stimuli(*[grating(2.0, 0, contrast=c) for c in contrasts])
    plain = nr.V1Bank([1.0, 2.0, 4.0]).transform(faces)["energy"][:, 1, 0, MIDDLE, MIDDLE].mean(("y", "x")).values
    assert plain == pytest.approx(contrasts**2, rel=0.05)
    bank = nr.V1Bank([1.0, 2.0, 4.0], normalise="divisive", semi_saturation=0.2)
    response = bank.transform(faces)["energy"][:, 1, 0, MIDDLE, MIDDLE].mean(("y", "x")).values
    assert response[2] / response[-1] == pytest.approx(0.5 / (0.64 / 0.68), abs=0.08)  # half its maximum at c50
    assert (np.diff(response) > 0).all()
    assert response[-1] / response[-2] < 1.3


def test_a_mask_suppresses_only_when_normalised():
    test, mask = grating(2.0, 0, contrast=0.3), grating(2.0, 90, contrast=0.6)
    faces = stimuli(test, test + mask - 0.5)
    share = {}
    for normalise in ("none", "divisive"):
        energy = nr.V1Bank([2.0], normalise=normalise).transform(faces)["energy"][:, 0, 0, MIDDLE, MIDDLE]
        alone, both = energy.mean(("y", "x")).values
        share[normalise] = both / alone
    assert share["none"] == pytest.approx(1, abs=0.05)
    assert share["divisive"] < 0.5


def test_pooling_while_filtering_is_pooling_afterwards_whatever_the_threads():
    faces = stimuli(noise(4), noise(5), noise(6))
    pool = nr.PooledEnergy(size=8)
    dense = nr.V1Bank([1.0, 2.0], normalise="divisive").transform(faces)
    pooled = nr.V1Bank([1.0, 2.0], normalise="divisive", threads=1).transform(faces, pool=pool)
    assert pooled["energy"].shape == (3, 2, 8, 8, 8)
    a, b = (pool.fit(seen).transform(seen) for seen in (dense, pooled))
    assert np.abs(a["value"].values - b["value"].values).max() < 5e-3 * a["value"].values.max()
    assert (a["feature_id"].values == b["feature_id"].values).all()
    one = nr.V1Bank([1.0, 2.0], normalise="divisive", threads=2).transform(faces.isel(stimulus=[2]), pool=pool)
    assert (one["energy"].values[0] == pooled["energy"].values[2]).all()


def test_pictures_need_not_be_square():
    wide = stimuli(noise(7, (48, SIZE)))
    assert nr.V1Bank([2.0]).transform(wide)["energy"].shape == (1, 1, 8, 48, SIZE)


def test_receptive_field_is_even_or_odd_and_balanced():
    bank = nr.V1Bank()
    even, odd = (bank.receptive_field(2.0, 30.0, phase).values for phase in (0.0, 90.0))
    assert even == pytest.approx(even[::-1, ::-1])
    assert odd == pytest.approx(-odd[::-1, ::-1])
    assert abs(even.sum()) < 2e-3 * np.abs(even).sum()


def test_errors_of_the_bank():
    faces = stimuli(noise())
    with pytest.raises(ValueError, match=r"frequencies up to 5\.\d+ cycles/degree"):
        nr.V1Bank([2.0, 8.0]).transform(faces)
    with pytest.raises(ValueError, match=r"smaller than the picture.*at least"):
        nr.V1Bank([0.1]).transform(faces)
    for wrong in ([], [0.0], [1.0, 1.0], [-1.0]):
        with pytest.raises(ValueError, match="frequencies"):
            nr.V1Bank(wrong)
    with pytest.raises(TypeError, match="a list"):
        nr.V1Bank("1 2")
    with pytest.raises(ValueError, match="nearest: 'divisive'"):
        nr.V1Bank(normalise="divisiv")
    broken = faces.copy(deep=True)
    broken["image"][0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        nr.V1Bank([2.0]).transform(broken)
    with pytest.raises(ValueError, match="not a valid StimulusSet"):
        nr.V1Bank([2.0]).transform(nr.example("Features"))
    stretched = faces.assign_coords(x=("x", faces["x"].values * 2, {"units": "degree"}))
    with pytest.raises(ValueError, match="square"):
        nr.V1Bank([2.0]).transform(stretched)
    many = stimuli(*[noise()] * 3).isel(stimulus=np.zeros(10000, dtype=int))
    many = many.assign_coords(stimulus_id=("stimulus", [str(i) for i in range(10000)]))
    with pytest.raises(ValueError, match=r"GB for 10000 pictures.*pool="):
        nr.V1Bank([1.0, 2.0]).transform(many)
