"""The pool of divisive normalisation counts cells beyond the bank: it is flat, and no channel's preference moves."""

import numpy as np
import pytest
import xarray as xr

import nrsim as nr

HERE = nr.PooledEnergy(places=[(0, 0)], tolerance=0.001)
STEP = 0.125  # octave between gratings


def strength(bank, frequency, around, **gratings):
    """Responses of the middle cell of ``frequency`` to vertical gratings, the mean of three phases."""
    shown = nr.render_gratings(
        orientations=[0], frequencies=around, phases=[0, 120, 240], size=129, degrees=129 / 32, **gratings
    )
    seen = bank.transform(shown, pool=HERE)["energy"].sel(frequency=frequency, orientation=0).isel(place=0)
    return np.array([seen[np.isclose(shown["grating_frequency"], f)].mean().item() for f in around])


@pytest.mark.parametrize("contrast", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("frequencies", [[1.0, 2.0, 4.0, 8.0], [2.0], [4.0, 2.0**1.5, 2.0]])
def test_every_channel_prefers_its_own_frequency(frequencies, contrast):
    bank = nr.V1Bank(frequencies, normalise="divisive")
    for frequency in frequencies:
        around = frequency * 2.0 ** (STEP * np.arange(-4, 5))
        found = np.log(strength(bank, frequency, around, contrasts=[contrast]))
        top = int(found[1:-1].argmax()) + 1
        before, peak, after = found[top - 1 : top + 2]
        preferred = STEP * (top - 4 + (before - after) / 2 / (before - 2 * peak + after))
        # channels an octave apart make a pool that is flat within 3 %, and that moves what they prefer by so much
        assert abs(preferred) < 0.055, frequency


@pytest.mark.parametrize("normalise", ["divisive", "divisive_pooled"])
@pytest.mark.parametrize("frequencies", [[1.0, 2.0, 4.0, 8.0], [2.0]])
def test_half_the_response_is_reached_at_the_semi_saturation_on_every_channel(frequencies, normalise):
    bank = nr.V1Bank(frequencies, normalise=normalise, semi_saturation=0.2)
    for frequency in frequencies:
        for contrast in (0.1, 0.2, 0.8):
            response = strength(bank, frequency, [frequency], contrasts=[contrast]).item()
            pool = contrast**2 / response - 0.2**2
            assert pool == pytest.approx(contrast**2, rel=0.05), frequency


@pytest.mark.parametrize("exponent, neighbourhood", [(3.0, 0.85), (1.5, 0.85), (2.0, 0.0)])
def test_simple_and_complex_cells_are_divided_by_one_pool(exponent, neighbourhood):
    faces = nr.render_faces([{"domain": "human"}], size=64)
    bank = nr.V1Bank([1.0, 2.0], 4, normalise="divisive", exponent=exponent, neighbourhood=neighbourhood)
    divided, signed = bank.transform(faces)["energy"], bank.responses(faces)["response"]
    plain = nr.V1Bank([1.0, 2.0], 4)
    energy, linear = plain.transform(faces)["energy"], plain.responses(faces)["response"]
    clear = (energy > 0.01 * energy.max()) & (np.abs(linear) > 0.1 * np.abs(linear).max())
    complex_pool = energy ** (exponent / 2) / divided
    simple_pool = np.abs(linear) ** exponent / np.abs(signed)
    ratio = (complex_pool / simple_pool).where(clear)
    assert clear.sum() > 100
    assert np.abs(ratio - 1).max() < 1e-3


@pytest.mark.parametrize("exponent", [2.0, 3.0])
@pytest.mark.parametrize("normalise", ["divisive", "divisive_pooled"])
def test_a_movie_that_stands_still_is_normalised_as_its_picture(normalise, exponent):
    face = nr.render_faces([{"domain": "human"}], size=64)
    movie = face.assign(image=xr.concat([face["image"]] * 3, "frame").transpose("stimulus", "frame", "y", "x"))
    movie = movie.assign_coords(frame_time=("frame", np.arange(3) / 100, {"units": "s"}))
    settings = {"frequencies": [1.0, 2.0], "orientations": 4, "normalise": normalise, "exponent": exponent}
    filters = nr.TemporalFilters(orders=3, undershoot=0.0)  # a low-pass of gain 1
    pool = nr.PooledEnergy(size=6)
    still = nr.V1Bank(**settings).transform(face, pool=pool)["energy"]
    moving = nr.V1Bank(**settings, temporal=filters).transform(movie, pool=pool)["energy"]
    assert np.abs(moving.isel(frame=2) - still).max() < 5e-3 * still.max()


@pytest.mark.parametrize("frequency", [1.0, 2.0, 4.0])
def test_a_preferred_drift_gives_its_contrast_to_the_pool(frequency):
    filters = nr.TemporalFilters()
    bank = nr.V1Bank([1.0, 2.0, 4.0], normalise="divisive", temporal=filters)
    shown = nr.render_gratings(
        orientations=[0],
        frequencies=[frequency],
        contrasts=[0.3],
        temporal_frequencies=[filters.preferred],
        frame_rate=240.0,
        duration=0.5,
        size=97,
    )
    seen = bank.transform(shown, pool=HERE)["energy"].sel(frequency=frequency, orientation=0)
    last = seen.isel(stimulus=0, place=0)[-42:].mean().item()  # one cycle
    assert last == pytest.approx(0.5, rel=0.04)


def test_uniform_luminance_gives_nothing():
    shown = nr.render_gratings(orientations=[0], frequencies=[2.0], contrasts=[0.0], size=64)
    for normalise in ("divisive", "divisive_pooled"):
        seen = nr.V1Bank([1.0, 2.0], normalise=normalise).transform(shown, pool=nr.PooledEnergy(size=4))
        assert seen["energy"].max() < 1e-10
