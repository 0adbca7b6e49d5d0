import numpy as np
import pytest
import xarray as xr
from scipy.signal import fftconvolve
from scipy.special import factorial

import nrsim as nr

SIZE, DEGREES = 48, 4.0
MIDDLE = slice(SIZE // 2 - 3, SIZE // 2 + 3)
PREFERRED = nr.TemporalFilters().preferred


def movies(images, times):
    """``images (stimulus, frame, y, x)`` as a StimulusSet."""
    images = np.asarray(images, dtype=np.float32)
    base = nr.render_gratings(orientations=[0], frequencies=[2], size=images.shape[-1], degrees=DEGREES)
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(len(images))]),
        "y": base["y"],
        "x": base["x"],
        "frame_time": ("frame", np.asarray(times, dtype=float), {"units": "s"}),
    }
    return xr.Dataset({"image": (("stimulus", "frame", "y", "x"), images, {"units": "1"})}, coords, base.attrs)


def drifting(directions, *, speed=PREFERRED, frame_rate=60.0, duration=0.5, **other):
    return nr.render_gratings(
        orientations=directions,
        frequencies=[2.0],
        temporal_frequencies=[speed],
        frame_rate=frame_rate,
        duration=duration,
        size=SIZE,
        degrees=DEGREES,
        **other,
    )


def noise(frames, seed=0, stimuli=1):
    return np.random.default_rng(seed).random((stimuli, frames, SIZE, SIZE))


def middle(seen):
    return seen[..., MIDDLE, MIDDLE].mean(("y", "x")).values


def equation(t, n, k):
    """Adelson & Bergen 1985, eq. 1."""
    return (k * t) ** n * np.exp(-k * t) * (1 / factorial(n) - (k * t) ** 2 / factorial(n + 2))


def test_impulse_responses_are_those_of_the_equation():
    response = nr.TemporalFilters(rate=60).impulse_response(step=0.0005)
    assert response.dims == ("filter", "time") and response.attrs["units"] == "1/s"
    for name, n in (("fast", 3), ("slow", 5)):
        wanted = equation(response["time"].values, n, 60.0)
        got = response.sel(filter=name).values
        assert got / np.abs(got).max() == pytest.approx(wanted / np.abs(wanted).max(), abs=1e-12)
        assert abs(response.sel(filter=name).integrate("time")) < 1e-3  # it integrates to 0
    sustained = nr.TemporalFilters(orders=3, undershoot=0).impulse_response()
    assert float(sustained.integrate("time").item()) == pytest.approx(1, abs=1e-3)


def test_the_transfer_function_is_that_of_the_impulse_response():
    filters = nr.TemporalFilters(orders=(3, 6), undershoot=0.8, quadrature="exact")
    response = filters.impulse_response(step=1e-4, duration=1.0)
    t, f = response["time"].values, np.array([0.0, 2.0, 7.5])
    numeric = (response.values[:, None] * np.exp(-2j * np.pi * f[:, None] * t)).sum(-1) * 1e-4
    assert filters.transfer_function(f).values == pytest.approx(numeric, abs=1e-4)


@pytest.mark.parametrize(
    "settings", [{}, {"orders": (2, 5)}, {"undershoot": 0.7}, {"quadrature": "exact"}, {"orders": 4}, {"rate": 33}]
)
def test_tuning_is_one_at_the_preferred_frequency_and_nowhere_more(settings):
    filters = nr.TemporalFilters(**settings)
    around = np.sort(np.append(np.linspace(0, 30, 601), filters.preferred))
    energy = filters.tuning(around).sel(direction="preferred")
    assert float(energy.max()) == pytest.approx(1)
    assert around[int(energy.values.argmax())] == pytest.approx(filters.preferred)


def test_the_opposite_direction_follows_from_the_phase_between_the_filters():
    filters = nr.TemporalFilters()
    fast, slow = filters.transfer_function([filters.preferred]).values[:, 0]
    assert abs(fast) == pytest.approx(abs(slow))
    # slow over fast is 1 / (1 + 2πi f / k)²: twice the angle of one stage
    behind = 2 * np.arctan(2 * np.pi * filters.preferred / 80)
    assert np.angle(fast / slow) == pytest.approx(behind)
    opposite = (np.cos((np.pi / 2 + behind) / 2) / np.cos((np.pi / 2 - behind) / 2)) ** 2
    assert filters.opposite == pytest.approx(opposite)
    exact = nr.TemporalFilters(quadrature="exact")
    fast, slow = exact.transfer_function([exact.preferred]).values[:, 0]
    assert fast / slow == pytest.approx(1j)
    assert exact.opposite == pytest.approx(0, abs=1e-12)


def test_the_preferred_frequency_can_be_stated():
    filters = nr.TemporalFilters(frequency=4.0)
    assert filters.preferred == pytest.approx(4.0)
    assert filters.rate / 80 == pytest.approx(4.0 / PREFERRED)
    assert filters.get_params()["rate"] is None
    assert nr.TemporalFilters(**filters.get_params()).preferred == pytest.approx(4.0)


@pytest.mark.parametrize("direction", [0.0, 45.0, 90.0, 180.0, 225.0, 315.0])
def test_a_drifting_grating_gives_its_direction_one_and_the_opposite_what_the_filters_leave(direction):
    filters = nr.TemporalFilters()
    bank = nr.V1Bank([2.0], 4, temporal=filters)
    seen = bank.transform(drifting([direction]))["energy"]
    assert seen["orientation"].values.tolist() == [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0]
    steady = seen[0, -10:, 0, :, MIDDLE, MIDDLE]  # every phase of the drift is among places and frames
    held = np.sinc(PREFERRED / 60) ** 2
    assert steady.sel(orientation=direction).values == pytest.approx(held, abs=0.04)
    opposite = steady.sel(orientation=(direction + 180) % 360).values
    assert opposite == pytest.approx(filters.opposite * held, abs=0.04)
    assert float(steady.mean(("frame", "y", "x")).idxmax("orientation")) == direction


def test_exact_quadrature_leaves_nothing_of_the_opposite_direction():
    filters = nr.TemporalFilters(quadrature="exact")
    faces = drifting([0.0], speed=filters.preferred, frame_rate=240.0)
    seen = nr.V1Bank([2.0], 1, temporal=filters).transform(faces)["energy"]
    there, back = middle(seen)[0, -1, 0]
    assert there == pytest.approx(1, abs=0.01)
    assert back < 2e-3


def test_what_stands_still_gives_nothing_and_what_appears_a_transient():
    images = np.repeat(noise(1), 30, axis=1)
    times = np.arange(30) / 60
    still = movies(images, times)
    seen = nr.V1Bank([2.0], 2, temporal=nr.TemporalFilters()).transform(still)["energy"]
    assert float(seen.max()) < 1e-10
    flashed = nr.V1Bank([2.0], 2, temporal=nr.TemporalFilters(before="blank")).transform(still)["energy"]
    course = flashed.sum(("frequency", "orientation", "y", "x")).values[0]
    assert course[0] == 0 and course[-1] < 1e-4 * course.max()
    # the two directions of a flash are one: a change everywhere at once goes nowhere
    assert flashed.sel(orientation=0.0).values == pytest.approx(flashed.sel(orientation=180.0).values, abs=1e-5)


def test_a_sustained_filter_answers_to_what_stands_still_as_the_bank_does_without():
    images = np.repeat(noise(1), 3, axis=1)
    lasting = nr.V1Bank([2.0], 2, temporal=nr.TemporalFilters(orders=3, undershoot=0))
    seen = lasting.transform(movies(images, np.arange(3) / 60))["energy"]
    alone = nr.V1Bank([2.0], 2).transform(movies(images, np.arange(3) / 60))["energy"]
    assert seen["orientation"].values.tolist() == [0.0, 90.0]
    assert seen.values == pytest.approx(alone.values, rel=1e-3, abs=1e-6)


def test_counterphase_gives_both_directions_the_same():
    both = drifting([0.0, 180.0])
    flicker = movies(both["image"].values.mean(axis=0, keepdims=True), both["frame_time"])
    seen = nr.V1Bank([2.0], 2, temporal=nr.TemporalFilters()).transform(flicker)["energy"]
    there, back = seen.sel(orientation=0.0).values, seen.sel(orientation=180.0).values
    assert there.max() > 0.2
    assert there == pytest.approx(back, abs=1e-4)


def test_responses_agree_with_convolution_of_every_held_frame_by_the_equation():
    fine, k, frames = 400, 80.0, 9
    times = np.array([0.0, 0.01, 0.03, 0.0425, 0.06, 0.08, 0.0925, 0.11, 0.12])  # unevenly spaced, multiples of 1/fine
    images = noise(frames, seed=3)
    filters = nr.TemporalFilters(k)
    bank = nr.V1Bank([1.0, 2.0], 3, temporal=filters)
    got = bank.responses(movies(images, times))["response"]
    energy = bank.transform(movies(images, times))["energy"]
    # spatial responses of the frames, from a bank that has no time
    each = (
        nr.V1Bank([1.0, 2.0], 3).responses(movies(images, times))["response"].values[0, ..., ::16, ::16].astype(float)
    )
    over = 16  # samples of the kernel in each step of 1 / fine
    shown = np.searchsorted(times, np.arange(0, times[-1], 1 / fine / over) + 1e-9, side="right") - 1
    held = np.concatenate([np.repeat(each[:1], 4000, axis=0), each[shown]])
    # the mean of the kernel's ends over each sample
    edges = np.arange(0, 0.6, 1 / fine / over)
    convolved = {}
    for name, n in (("fast", 3), ("slow", 5)):
        h = equation(edges, n, k)
        scale = filters.impulse_response(step=0.01).sel(filter=name)[3].item() / equation(0.03, n, k)
        weights = scale * (h[1:] + h[:-1]) / 2 / fine / over
        full = fftconvolve(held, weights[:, None, None, None, None, None], axes=0)
        at = 4000 + np.rint(times * fine * over).astype(int) - 1  # what had been shown when the frame appeared
        convolved[name] = full[at]
    even, odd = (convolved["fast"][:, :, :, p] for p in (0, 1))
    even_slow, odd_slow = (convolved["slow"][:, :, :, p] for p in (0, 1))
    assert got.sel(phase=0.0).values[0, :, :, :3, ::16, ::16] == pytest.approx(even + odd_slow, abs=2e-3)
    assert got.sel(phase=90.0).values[0, :, :, :3, ::16, ::16] == pytest.approx(odd - even_slow, abs=2e-3)
    z = even + 1j * odd
    z_slow = even_slow + 1j * odd_slow
    assert energy.values[0, :, :, :3, ::16, ::16] == pytest.approx(np.abs(z - 1j * z_slow) ** 2, abs=2e-3)
    assert energy.values[0, :, :, 3:, ::16, ::16] == pytest.approx(np.abs(z + 1j * z_slow) ** 2, abs=2e-3)
    assert energy.values.max() > 0.02


def test_simple_cells_follow_the_drift_and_complex_cells_do_not():
    faces = drifting([0.0], frame_rate=120.0, duration=1.0)
    filters = nr.TemporalFilters()
    bank = nr.V1Bank([2.0], 1, temporal=filters)
    late = np.arange(120) / 120 >= 1 - 3 / PREFERRED  # three periods
    place = {"y": SIZE // 2, "x": SIZE // 2, "stimulus": 0, "frequency": 0, "orientation": 0}
    simple = bank.responses(faces)["response"].isel(place).values[late]
    times = faces["frame_time"].values[late]
    waves = np.stack(
        [np.cos(2 * np.pi * PREFERRED * times), np.sin(2 * np.pi * PREFERRED * times), np.ones(late.sum())]
    )
    fitted, *_ = np.linalg.lstsq(waves.T, simple, rcond=None)
    assert np.hypot(*fitted[:2]) == pytest.approx(np.sinc(PREFERRED / 120), abs=0.02)  # F1 of both phases
    assert fitted[2] == pytest.approx(0, abs=0.01)
    # a bright bar that comes from the left meets the odd cell's bright side, the left one, a quarter of a cycle earlier
    turn = np.angle(fitted[0] - 1j * fitted[1])
    assert np.mod(turn[1] - turn[0], 2 * np.pi) == pytest.approx(np.pi / 2, abs=0.05)
    complex_cell = bank.transform(faces)["energy"].isel(place).values[late]
    assert complex_cell.std() < 0.02 * complex_cell.mean()


def test_a_cell_of_the_opposite_direction_is_the_bank_turned():
    faces = movies(noise(6, seed=5), np.arange(6) / 60)
    one = nr.V1Bank([2.0], [30.0], temporal=nr.TemporalFilters()).responses(faces)["response"]
    turned = nr.V1Bank([2.0], [210.0], temporal=nr.TemporalFilters()).responses(faces)["response"]
    for angle in (30.0, 210.0):
        assert one.sel(orientation=angle).values == pytest.approx(turned.sel(orientation=angle).values, abs=1e-5)


@pytest.mark.parametrize("normalise", ["none", "divisive"])
def test_mirroring_the_movie_mirrors_the_directions(normalise):
    images = noise(7, seed=2)
    times = np.arange(7) / 60
    bank = nr.V1Bank([1.0, 2.0], 4, temporal=nr.TemporalFilters(), normalise=normalise)
    here = bank.transform(movies(images, times))["energy"]
    there = bank.transform(movies(images[..., ::-1], times))["energy"]
    for angle in here["orientation"].values:
        mirrored = there.sel(orientation=(180 - angle) % 360).values[..., ::-1]
        assert here.sel(orientation=angle).values == pytest.approx(mirrored, abs=1e-5)


def test_playing_the_movie_later_plays_the_responses_later():
    images = noise(6, seed=4)
    later = np.concatenate([np.repeat(images[:, :1], 3, axis=1), images], axis=1)
    bank = nr.V1Bank([2.0], 2, temporal=nr.TemporalFilters())
    here = bank.transform(movies(images, np.arange(6) / 60))["energy"].values
    there = bank.transform(movies(later, np.arange(9) / 60))["energy"].values
    assert there[:, 3:] == pytest.approx(here, abs=1e-5)
    assert there[:, :3] == pytest.approx(0, abs=1e-10)
    shifted = bank.transform(movies(images, np.arange(6) / 60 + 2.5))["energy"].values
    assert shifted == pytest.approx(here, abs=1e-5)


@pytest.mark.parametrize("exponent", [2.0, 1.5])
def test_divisive_normalisation_halves_the_preferred_drift_at_the_semi_saturation(exponent):
    bank = nr.V1Bank(
        [2.0], 4, temporal=nr.TemporalFilters(), normalise="divisive", semi_saturation=0.2, exponent=exponent
    )
    faces = drifting([90.0], contrasts=[0.2], frame_rate=240.0)
    assert middle(bank.transform(faces)["energy"].sel(orientation=90.0))[0, -1, 0] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("statistic", ["energy", "mean", "max"])
@pytest.mark.parametrize("normalise", ["none", "divisive", "local_contrast", "divisive_pooled"])
def test_pooling_while_filtering_is_pooling_afterwards(statistic, normalise):
    faces = movies(noise(4, stimuli=2), np.arange(4) / 60)
    bank = nr.V1Bank([1.0, 2.0], 3, temporal=nr.TemporalFilters(), normalise=normalise)
    for pool in (
        nr.PooledEnergy(size=3, statistic=statistic),
        nr.PooledEnergy(places={"mouth": (0.2, -0.5)}, tolerance=0.3, statistic=statistic),
    ):
        seen = bank.transform(faces, pool=pool)
        features = pool.fit(seen).transform(seen)["value"].values
        if normalise == "divisive_pooled":
            assert features.shape[:2] == (2, 4) and np.isfinite(features).all() and features.max() > 0
            continue
        dense = bank.transform(faces)
        afterwards = pool.fit(dense).transform(dense)["value"].values
        assert np.abs(features - afterwards).max() < 5e-3 * afterwards.max()


@pytest.mark.parametrize("normalise", ["none", "divisive"])
@pytest.mark.parametrize("orders", [(3, 5), 3])
@pytest.mark.parametrize("orientations", [4, [0.0, 30.0, -30.0, 90.0]])
def test_each_channels_own_band_gives_what_the_maps_give(normalise, orders, orientations):
    # drifts of several directions, one of them towards each side, under a border that reflects
    faces = drifting([0.0, 150.0, 270.0], aperture="disc", diameters=[2.0], positions=[[0.5, -0.4]], duration=0.15)
    pools = [nr.PooledEnergy(size=5), nr.PooledEnergy(places=[(0.4, -0.3), (-1.5, 1.6)], tolerance=0.2)]
    settings = {"temporal": nr.TemporalFilters(orders=orders), "normalise": normalise}
    for pool in pools:
        fast = nr.V1Bank([1.0, 2.0], orientations, **settings).transform(faces, pool=pool)["energy"]
        exact = nr.V1Bank([1.0, 2.0], orientations, accuracy="exact", **settings).transform(faces, pool=pool)["energy"]
        xr.testing.assert_equal(fast["orientation"], exact["orientation"])
        assert np.abs(fast - exact).max() < 5e-3 * exact.max()


def test_moving_faces_become_features_with_their_frames():
    row = {"domain": "macaque", "expression": "lip_smack", "intensity": 1.0, "course": "rhythmic"}
    faces = nr.render_faces([row], size=48, frames=8, frame_rate=60.0)
    pool = nr.PooledEnergy(size=4)
    seen = nr.V1Bank([1.0, 2.0], 4, temporal=nr.TemporalFilters()).transform(faces, pool=pool)
    assert seen["energy"].dims == ("stimulus", "frame", "frequency", "orientation", "y", "x")
    features = pool.fit(seen).transform(seen)
    assert features.sizes == {"stimulus": 1, "frame": 8, "feature": 2 * 8 * 16}
    for name in ("frame_time", "frame_intensity"):
        xr.testing.assert_equal(features[name].reset_coords(drop=True), faces[name].reset_coords(drop=True))
    assert set(features["orientation"].values) == set(np.arange(8) * 45.0)
    energy = seen["energy"].sum(("frequency", "orientation")).isel(stimulus=0).sum("frame")
    assert float(energy.where(energy == energy.max(), drop=True)["y"].item()) < 0  # the mouth, below the middle


def test_a_kernel_of_your_own_is_the_equation_when_sampled_finely():
    published = nr.TemporalFilters()
    middles = (np.arange(600) + 0.5) * 1e-3
    kernel = np.stack([equation(middles, 3, 80.0), equation(middles, 5, 80.0)])
    own = nr.TemporalFilters(kernel=kernel, step=1e-3)
    assert own.preferred == pytest.approx(published.preferred, rel=2e-3)
    times = [0.0, 0.012, 0.03, 0.05]
    assert own.weights(times) == pytest.approx(published.weights(times), abs=1e-3)
    smooth = nr.TemporalFilters(kernel=[1.0, 1.0], step=0.02)  # a running mean over 40 ms
    assert not smooth.directional and smooth.preferred == 0
    assert smooth.weights([0.0, 0.01, 0.04])[0] == pytest.approx(np.array([[1, 0, 0], [1, 0, 0], [0.25, 0.75, 0]]))


def test_channels_name_the_directions():
    bank = nr.V1Bank([1.0, 2.0], [-45.0, 0.0], temporal=nr.TemporalFilters())
    assert bank.channels["orientation"].values.tolist() == [315.0, 0.0, 135.0, 180.0]
    assert bank.channels["sigma_across"].shape == (2, 4)
    single = nr.V1Bank([1.0], 2, temporal=nr.TemporalFilters(orders=3))
    assert single.channels["orientation"].values.tolist() == [0.0, 90.0]


def test_the_provenance_says_how_time_was_seen():
    seen = nr.V1Bank([2.0], 1, temporal=nr.TemporalFilters(frequency=5, before="blank")).transform(drifting([0.0]))
    assert '"before": "blank"' in seen.attrs["parameters"] and '"frequency": 5.0' in seen.attrs["parameters"]


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"before": "blnk"}, ValueError, "nearest: 'blank'"),
        ({"quadrature": "perfect"}, ValueError, "unknown quadrature"),
        ({"rate": 80, "frequency": 5}, TypeError, "rate or frequency"),
        ({"rate": -1}, ValueError, "more than 0 Hz"),
        ({"orders": (5, 3)}, ValueError, "a higher one of the slow"),
        ({"orders": "35"}, TypeError, "whole numbers"),
        ({"orders": 0}, ValueError, "at least 1"),
        ({"undershoot": 2}, ValueError, "at most 1"),
        ({"frequency": 5, "orders": 3, "undershoot": 0}, ValueError, "State the rate"),
        ({"kernel": [1.0, 2.0]}, TypeError, "step, the seconds"),
        ({"step": 0.01}, TypeError, "a step without kernel"),
        ({"kernel": [1.0, 2.0], "step": 0.01, "rate": 80}, TypeError, "either kernel"),
        ({"kernel": np.ones((3, 4)), "step": 0.01}, ValueError, r"the shape \(3, 4\)"),
        ({"kernel": [0.0, 0.0], "step": 0.01}, ValueError, "not all 0"),
        ({"kernel": ["a", "b"], "step": 0.01}, TypeError, "array of numbers"),
        (
            {"kernel": [equation(np.arange(600) / 1000, n, 80.0) for n in (5, 3)], "step": 0.001},
            ValueError,
            "Give the fast one first",
        ),
    ],
)
def test_filters_that_cannot_be(settings, error, words):
    with pytest.raises(error, match=words):
        nr.TemporalFilters(**settings)


def test_what_cannot_be_filtered_in_time():
    bank = nr.V1Bank([2.0], 1, temporal=nr.TemporalFilters())
    times = np.arange(4) / 60
    with pytest.raises(ValueError, match="moving stimuli"):
        bank.transform(nr.render_gratings(orientations=[0], frequencies=[2], size=SIZE))
    with pytest.raises(ValueError, match=r"24\.2 frames per second.*got 20 Hz.*a rate of at most 66"):
        bank.transform(drifting([0.0], frame_rate=20.0))
    with pytest.raises(ValueError, match="frame_time"):
        bank.transform(movies(noise(4), times).drop_vars("frame_time"))
    with pytest.raises(ValueError, match="rises"):
        bank.responses(movies(noise(4), times[::-1]))
    with pytest.raises(ValueError, match="two frames"):
        bank.transform(movies(noise(1), [0.0]))
    with pytest.raises(TypeError, match="TemporalFilters"):
        nr.V1Bank(temporal="fast")
