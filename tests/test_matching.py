import json
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import exposure, metrics

import nrsim as nr
from nrsim.images import matching_kernels as kernels

OPERATIONS = ("luminance", "contrast", "histogram", "spectrum", "rotational_spectrum")
ALL = np.ones((1, 1, 1), dtype=bool)


def still(images, degrees=4.0, **labels):
    """A StimulusSet of the given pictures ``(stimulus, y, x)`` or ``(stimulus, frame, y, x)``."""
    faces = nr.example("StimulusSet").isel(stimulus=slice(len(images)))
    images = np.asarray(images, dtype=np.float32)
    ny, nx = images.shape[-2:]
    dims = ("stimulus", "y", "x") if images.ndim == 3 else ("stimulus", "frame", "y", "x")
    made = faces.drop_vars(["image", "y", "x"])
    made = made.assign(image=(dims, images, {"units": "1"}))
    step = degrees / nx
    return made.assign_coords(
        y=("y", (ny / 2 - 0.5 - np.arange(ny)) * step, {"units": "degree"}),
        x=("x", (np.arange(nx) + 0.5 - nx / 2) * step, {"units": "degree"}),
        **labels,
    )


@pytest.fixture
def noisy():
    """Six pictures of smoothed noise, 24 × 24 px, of different mean, contrast and coarseness, well inside 0..1."""
    rng = np.random.default_rng(1)
    pictures = []
    for i in range(6):
        rough = rng.normal(size=(24, 24))
        smooth = kernels.filtered(rough[None], 1 / (1 + np.fft.rfftfreq(24)[None] * 3 * i))[0]
        pictures.append(0.42 + 0.03 * i + (0.03 + 0.008 * i) * smooth / smooth.std())
    return still(pictures)


@pytest.fixture
def discs():
    """Four discs of different size and texture on a uniform background of 0.5."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    pictures = []
    for i in range(4):
        disc = np.hypot(x, y) < 0.5 + 0.08 * i
        pictures.append(np.where(disc, 0.35 + 0.08 * i + 0.08 * rng.random((32, 32)) * (1 + i), 0.5))
    return still(pictures)


def spectra(faces):
    return np.abs(np.fft.fft2(faces["image"].values.astype(np.float64)))


# Luminance and contrast


def test_every_picture_gets_the_mean_and_the_contrast_asked_for(noisy):
    matched = nr.match_images(noisy, ["luminance", "contrast"], mean=0.55, contrast=0.08)
    values = matched["image"].values.astype(np.float64)
    np.testing.assert_allclose(values.mean((1, 2)), 0.55, atol=1e-6)
    np.testing.assert_allclose(values.std((1, 2)), 0.08, atol=1e-6)
    assert (matched["fraction_outside"] == 0).all()


def test_default_is_the_sets_mean(noisy):
    values = noisy["image"].values.astype(np.float64)
    matched = nr.match_images(noisy, ["luminance", "contrast"])["image"].values.astype(np.float64)
    np.testing.assert_allclose(matched.mean((1, 2)), values.mean((1, 2)).mean(), atol=1e-6)
    np.testing.assert_allclose(matched.std((1, 2)), values.std((1, 2)).mean(), atol=1e-6)


def test_each_operation_leaves_alone_what_it_does_not_name(noisy):
    before = nr.measure_images(noisy)
    brighter = nr.measure_images(nr.match_images(noisy, "luminance", mean=0.5))
    stronger = nr.measure_images(nr.match_images(noisy, "contrast", contrast=0.05))
    np.testing.assert_allclose(brighter["contrast"], before["contrast"], atol=1e-6)
    np.testing.assert_allclose(stronger["luminance"], before["luminance"], atol=1e-6)


# Grey levels


def test_every_picture_gets_the_very_same_grey_levels(noisy):
    matched = nr.match_images(noisy, "histogram")["image"].values
    levels = np.sort(matched.reshape(6, -1))
    assert (levels == levels[0]).all()
    counts = [np.bincount(np.rint(one.ravel() * 255).astype(int), minlength=256) for one in matched]
    assert (np.array(counts) == counts[0]).all()  # and so at 8 bits
    np.testing.assert_allclose(levels[0].mean(), noisy["image"].values.mean(), atol=1e-6)


def test_ranks_are_kept(noisy):
    matched = nr.match_images(noisy, "histogram")
    for before, after in zip(noisy["image"].values, matched["image"].values, strict=True):
        assert (np.diff(after.ravel()[np.argsort(before.ravel())]) >= 0).all()


def test_levels_of_another_set_as_scikit_image_takes_them(noisy):
    own, other = noisy.isel(stimulus=[0, 1]), noisy.isel(stimulus=[5])
    matched = nr.match_images(own, "histogram", target=other)["image"].values
    for before, after in zip(own["image"].values, matched, strict=True):
        expected = exposure.match_histograms(before, other["image"].values[0])
        np.testing.assert_allclose(after, expected, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40), st.integers(1, 90))
def test_resampled_levels_keep_the_mean_and_the_order(values, n):
    levels = np.sort(np.array(values))
    found = kernels.resample_levels(levels, n)
    assert len(found) == n
    assert found.mean() == pytest.approx(levels.mean(), abs=1e-9)
    assert (np.diff(found) >= -1e-9).all()
    assert levels[0] - 1e-9 <= found.min() <= found.max() <= levels[-1] + 1e-9


def test_resampled_levels_are_those_of_a_longer_picture():
    levels = np.sort(np.random.default_rng(3).random(50))
    np.testing.assert_allclose(kernels.resample_levels(levels, 150), np.repeat(levels, 3), atol=1e-12)
    np.testing.assert_allclose(kernels.resample_levels(np.repeat(levels, 3), 50), levels, atol=1e-12)


def test_the_mean_histogram_is_the_mean_of_the_counts():
    rng = np.random.default_rng(4)
    pictures = [
        np.sort(rng.choice([0.0, 0.25, 0.5, 1.0], 40, p=p)) for p in ([0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7])
    ]
    found = kernels.mean_levels(pictures)
    for level in (0.0, 0.25, 0.5, 1.0):
        expected = np.mean([(picture == level).sum() for picture in pictures])
        assert (np.abs(found - level) < 1e-9).sum() == pytest.approx(expected, abs=1)


def test_equal_pixels_are_ordered_by_their_neighbourhood():
    image = np.zeros((1, 9, 9))
    image[0, 2, 2] = image[0, 6, 6] = 0.5
    image[0, 6, 7] = 0.4  # brightens the neighbourhood of the second
    image[0, 2, 3] = 0.1
    order = kernels.strict_order(image, np.ones_like(image, dtype=bool))
    assert order[-1] == 6 * 9 + 6
    assert order[-2] == 2 * 9 + 2
    direct = [image[0, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].sum() for y, x in ((2, 2), (6, 6))]
    assert direct[0] < direct[1]


def test_an_8_bit_picture_is_equalised_exactly_where_ranks_alone_would_leave_gaps():
    rng = np.random.default_rng(5)
    coarse = still([np.rint(rng.random((16, 16)) * 5) / 5 for _ in range(2)])
    ramp = still([np.linspace(0, 1, 256).reshape(16, 16)])
    matched = nr.match_images(coarse, "histogram", target=ramp)["image"].values
    np.testing.assert_array_equal(np.sort(matched.reshape(2, -1)), np.tile(np.linspace(0, 1, 256, dtype="f4"), (2, 1)))


# Similarity


def test_similarity_is_that_of_scikit_image(noisy):
    first, second = noisy["image"].values[:2].astype(np.float64)
    _, expected = metrics.structural_similarity(
        first, second, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    np.testing.assert_allclose(kernels.ssim_map(first[None], second[None])[0], expected, atol=1e-10)


def test_gradient_of_the_similarity_is_the_slope():
    rng = np.random.default_rng(6)
    first, second = rng.random((2, 2, 9, 11))
    included = rng.random((2, 9, 11)) > 0.3
    gradient = kernels.ssim_gradient(first, second, included)
    for place in [(0, 0, 0), (1, 4, 5), (0, 8, 10), (1, 2, 0)]:
        ends = []
        for change in (1e-5, -1e-5):
            moved = second.copy()
            moved[place] += change
            ends.append(kernels.ssim_map(first, moved)[included].mean())
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_optimised_levels_are_as_exact_and_more_similar(discs):
    plain, climbed = (nr.match_images(discs, "histogram", ssim_iterations=n) for n in (0, 8))
    levels = [np.sort(one["image"].values.reshape(4, -1)) for one in (plain, climbed)]
    np.testing.assert_array_equal(*levels)
    similar = [nr.measure_images(one, reference=discs)["ssim"].values for one in (plain, climbed)]
    assert (similar[1] > similar[0]).all()


# Spectra


@pytest.mark.parametrize("size", [(24, 24), (23, 24), (24, 23), (17, 30)])
def test_amplitudes_are_equal_and_phases_kept(size):
    rng = np.random.default_rng(7)
    faces = still(0.5 + 0.05 * rng.normal(size=(3, *size)).clip(-3, 3))
    matched = nr.match_images(faces, "spectrum", out_of_range="error")
    found = spectra(matched)
    np.testing.assert_allclose(found, np.broadcast_to(spectra(faces).mean(0), found.shape), rtol=1e-3, atol=2e-5)
    turned = np.fft.fft2(matched["image"].values) * np.conj(np.fft.fft2(faces["image"].values))
    assert np.abs(np.angle(turned)).max() < 0.01


def test_rotational_averages_are_equal_and_orientations_stay(noisy):
    matched = nr.match_images(noisy, "rotational_spectrum", out_of_range="error")
    n = 24
    ky, kx = np.meshgrid(*[np.fft.fftfreq(n, 1 / n)] * 2, indexing="ij")
    ring = np.rint(np.hypot(ky, kx)).astype(int)
    before, after = spectra(noisy), spectra(matched)
    for r in range(1, ring.max() + 1):
        np.testing.assert_allclose(after[:, ring == r].mean(1), before[:, ring == r].mean(), rtol=1e-4)
        share = [one[:, ring == r] / one[:, ring == r].mean(1, keepdims=True) for one in (before, after)]
        np.testing.assert_allclose(share[0], share[1], rtol=2e-2, atol=1e-3)


def test_measured_spectrum_of_a_grating_stands_at_its_frequency():
    x = (np.arange(32) + 0.5) * 4.0 / 32
    faces = still([np.tile(0.5 + 0.2 * np.cos(2 * np.pi * 2.0 * x), (32, 1))] * 2)
    found = nr.measure_images(faces)
    peak = int(found["amplitude"][0].values.argmax())
    assert float(found["frequency"][peak]) == 2.0  # cycles/degree
    assert float(found["frequency"][-1]) == 4.0  # Nyquist: 8 px/degree
    rings = np.rint(np.hypot(*np.meshgrid(*[np.fft.fftfreq(32, 1 / 32)] * 2))).astype(int)
    assert float(found["amplitude"][0, peak]) == pytest.approx(2 * 0.1 / (rings == 8).sum(), rel=1e-5)
    assert float(found["contrast"][0]) == pytest.approx(0.2 / np.sqrt(2), rel=1e-5)


def test_distances_are_those_over_the_whole_plane(noisy):
    found = nr.measure_images(noisy)
    whole = spectra(noisy)
    whole[:, 0, 0] = 0
    mean = whole.mean(0)
    expected = np.sqrt(((whole - mean) ** 2).sum((1, 2)) / (mean**2).sum())
    np.testing.assert_allclose(found["spectrum_distance"], expected, rtol=1e-9)


# Several operations


def test_iterations_bring_both_closer(noisy):
    once, often = (nr.match_images(noisy, ["spectrum", "histogram"], iterations=n) for n in (1, 15))
    for one in (once, often):
        levels = np.sort(one["image"].values.reshape(6, -1))
        assert (levels == levels[0]).all()
    far, near = (nr.measure_images(one)["spectrum_distance"].values for one in (once, often))
    assert near.mean() < 0.5 * far.mean()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_matching_twice_changes_nothing(operation, noisy):
    once = nr.match_images(noisy, operation, out_of_range="error")
    twice = nr.match_images(once, operation, out_of_range="error")
    np.testing.assert_allclose(once["image"], twice["image"], atol=2e-6)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_order_of_the_stimuli_does_not_matter(operation, noisy):
    order = [3, 0, 5, 1, 4, 2]
    first = nr.match_images(noisy, operation, out_of_range="error").isel(stimulus=order)
    second = nr.match_images(noisy.isel(stimulus=order), operation, out_of_range="error")
    np.testing.assert_allclose(first["image"], second["image"], atol=1e-6)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_picture_alone_stays_as_it_is(operation, noisy):
    alone = noisy.isel(stimulus=[2])
    np.testing.assert_allclose(nr.match_images(alone, operation)["image"], alone["image"], atol=1e-6)


# Range


def test_rescaling_keeps_what_was_matched_and_says_so(noisy):
    strong = noisy.assign(image=(0.5 + (noisy["image"] - 0.5) * 4).clip(0, 1).assign_attrs(units="1"))
    with pytest.warns(UserWarning, match="of 6 pictures left luminance 0..1 .* multiplied by 0"):
        matched = nr.match_images(strong, "spectrum", target=None)
    found = nr.measure_images(matched)
    assert found["spectrum_distance"].max() < 1e-4
    assert 0 <= float(matched["image"].min()) < float(matched["image"].max()) <= 1
    settings = json.loads(matched.attrs["parameters"])["match_images"]
    assert 0 < settings["contrast_factor"] < 1
    wanted = settings["contrast_factor"] * np.sqrt((spectra(strong).mean(0)[1:, 1:] ** 2).sum())
    assert np.sqrt((spectra(matched)[:, 1:, 1:] ** 2).sum((1, 2))) == pytest.approx(wanted, rel=1e-4)
    assert float(matched["fraction_outside"].max()) > 0


def test_clipping_reports_how_much(noisy):
    matched = nr.match_images(noisy, ["luminance", "contrast"], contrast=0.3, mean=0.5, out_of_range="clip")
    free = 0.5 + 0.3 * (noisy["image"] - noisy["image"].mean(("y", "x"))) / noisy["image"].std(("y", "x"))
    outside = ((free < 0) | (free > 1)).mean(("y", "x"))
    assert (outside > 0.01).all()
    np.testing.assert_allclose(matched["fraction_outside"], outside)
    np.testing.assert_allclose(matched["image"], free.clip(0, 1), atol=1e-6)


def test_a_contrast_that_does_not_fit_names_the_largest_that_does(noisy):
    with pytest.raises(
        ValueError, match="fits into luminance 0..1; got 0.3, but 'human.* fits only up to 0.1"
    ) as error:
        nr.match_images(noisy, ["luminance", "contrast"], contrast=0.3, mean=0.5)
    largest = float(re.search(r"up to (\d\.\d+)", str(error.value)).group(1))
    matched = nr.match_images(noisy, ["luminance", "contrast"], contrast=largest * 0.999, mean=0.5)
    assert (nr.measure_images(matched)["contrast"].round(4) == round(largest * 0.999, 4)).all()
    with pytest.raises(ValueError, match="within 0..1 after matching; got"):
        nr.match_images(noisy, ["luminance", "contrast"], contrast=0.3, mean=0.5, out_of_range="error")


# Masks


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_masked_is_never_touched(operation, discs):
    included = nr.measure_images(discs, mask="background")["included"].values
    matched = nr.match_images(discs, operation, mask="background", out_of_range="rescale")
    assert (matched["image"].values[~included] == np.float32(0.5)).all()
    assert (matched["image"].values != discs["image"].values)[included].mean() > 0.5


def test_the_background_is_what_touches_the_edge(discs):
    image = discs["image"].values.copy()
    image[:, 15:17, 15:17] = 0.5  # grey inside the face
    found = nr.measure_images(discs.assign(image=(discs["image"].dims, image, {"units": "1"})), mask="background")
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    for i in range(4):
        np.testing.assert_array_equal(found["included"][i], np.hypot(x, y) < 0.5 + 0.08 * i)


def test_means_and_levels_within_masks_of_different_size(discs):
    found = nr.measure_images(discs, mask="background")
    bright = nr.match_images(discs, ["luminance", "contrast"], mask="background", mean=0.5, contrast=0.1)
    after = nr.measure_images(bright, mask=found["included"])
    np.testing.assert_allclose(after["luminance"], 0.5, atol=1e-6)
    np.testing.assert_allclose(after["contrast"], 0.1, atol=1e-6)
    levelled = nr.match_images(discs, "histogram", mask=found["included"][::-1])  # labels put it in order
    after = nr.measure_images(levelled, mask=found["included"])
    quantiles = [
        np.quantile(image[included], np.linspace(0.02, 0.98, 30))
        for image, included in zip(levelled["image"].values, found["included"].values, strict=True)
    ]
    assert np.ptp(quantiles, axis=0).max() < 5e-3
    assert after["histogram_distance"].max() < 1e-3 < found["histogram_distance"].min()
    np.testing.assert_allclose(after["luminance"], found["luminance"].mean(), atol=1e-6)


def test_masks_as_arrays(discs):
    middle = np.zeros((32, 32), dtype=bool)
    middle[8:24, 8:24] = True
    matched = nr.match_images(discs, "luminance", mask=middle, mean=0.5)
    np.testing.assert_allclose(matched["image"].values[:, middle].mean(1), 0.5, atol=1e-6)
    np.testing.assert_array_equal(matched["image"].values[:, ~middle], discs["image"].values[:, ~middle])
    each = nr.match_images(discs, "luminance", mask=np.tile(middle, (4, 1, 1)), mean=0.5)
    np.testing.assert_array_equal(matched["image"], each["image"])


# Moving faces


@pytest.fixture
def moving(discs):
    """Three discs whose luminance rises over five frames, on a background that stays."""
    image = discs["image"].values[:3, None]
    rise = np.linspace(0.0, 0.2, 5)[:, None, None]
    included = nr.measure_images(discs, mask="background")["included"].values[:3, None]
    faces = still(np.where(included, image + rise, image))
    return faces.assign_coords(frame_time=("frame", np.arange(5) / 25, {"units": "s"}))


def test_one_shift_and_gain_for_all_frames(moving):
    matched = nr.match_images(moving, ["luminance", "contrast"], mean=0.5, contrast=0.05)
    values = matched["image"].values.astype(np.float64)
    np.testing.assert_allclose(values.mean((1, 2, 3)), 0.5, atol=1e-6)
    np.testing.assert_allclose(values.std((1, 2, 3)), 0.05, atol=1e-6)
    for before, after in zip(moving["image"].values, values, strict=True):
        slope, shift = np.polyfit(before.ravel(), after.ravel(), 1)
        np.testing.assert_allclose(after, slope * before + shift, atol=1e-5)
    assert (np.diff(values.mean((2, 3)), axis=1) > 0).all()


def test_one_order_of_levels_for_all_frames(moving):
    matched = nr.match_images(moving, "histogram")["image"].values
    levels = np.sort(matched.reshape(3, -1))
    assert (levels == levels[0]).all()
    for before, after in zip(moving["image"].values, matched, strict=True):
        assert (np.diff(after.ravel()[np.argsort(before.ravel())]) >= -0.4).all()
        assert (np.diff(after, axis=0)[np.diff(before, axis=0) > 1e-3] >= 0).all()


def test_a_face_that_does_not_move_does_not_flicker(discs):
    coarse = np.rint(discs["image"].values * 20) / 20  # many equal pixels
    frames = still(np.repeat(coarse[:3, None], 6, axis=1))
    for operation in OPERATIONS:
        matched = nr.match_images(frames, operation, out_of_range="rescale")["image"].values
        flickers = (np.ptp(matched, axis=1) > 1e-6).sum(axis=(1, 2))
        # only a pixel whose frames lie across the step from one level to the next
        steps = len(np.unique(matched[0])) - 1 if operation == "histogram" else 0
        assert (flickers <= steps).all(), operation
    once = nr.match_images(still(coarse[:3]), "spectrum", out_of_range="rescale")["image"].values
    often = nr.match_images(frames, "spectrum", out_of_range="rescale")["image"].values
    np.testing.assert_allclose(often, np.repeat(once[:, None], 6, axis=1), atol=1e-6)


def test_one_filter_for_all_frames(moving):
    matched = nr.match_images(moving, "spectrum", out_of_range="rescale")
    before, after = (np.fft.fft2(one["image"].values.astype(np.float64)) for one in (moving, matched))
    gain = after / before
    assert np.abs(gain.imag).max() < 1e-2 * np.abs(gain.real).max()
    strong = np.abs(before) > 1e-2
    for one, at in zip(gain.real, strong, strict=True):
        spread = np.ptp(one, axis=0)[at.all(axis=0)]
        assert np.median(spread) < 1e-3
    assert nr.measure_images(matched)["spectrum_distance"].max() < 1e-4
    assert nr.measure_images(moving, mask="background")["included"].dims == ("stimulus", "frame", "y", "x")


# The dataset


def test_labels_travel_and_history_says_what_was_measured():
    faces = nr.example("StimulusSet")
    faces = faces.assign_coords(
        landmark=(("stimulus", "point", "axis"), np.ones((14, 1, 2)), {"units": "px"}),
        point=("point", ["nose"]),
        axis=("axis", ["x", "y"]),
        norm_distance=("stimulus", np.arange(14.0), {"units": "interocular distance"}),
    )
    colour = np.repeat(faces["image"].values[..., None], 3, axis=-1)
    coloured = faces.assign(colour=(("stimulus", "y", "x", "channel"), colour, {"units": "1"}))
    coloured = coloured.assign_coords(channel=("channel", ["red", "green", "blue"]))
    before = coloured.copy(deep=True)
    matched = nr.match_images(coloured, ["luminance", "contrast"])
    assert coloured.identical(before)
    nr.schema.check(matched, "StimulusSet")
    for name in ("stimulus_id", "intensity", "norm_id", "landmark", "norm_distance"):
        assert matched[name].variable.identical(faces[name].variable)
    assert "colour" not in matched and "channel" not in matched.coords
    assert not (matched["image_sha256"] == faces["image_sha256"]).any()
    assert matched["image_sha256"][3] == nr.provenance.image_hash(matched["image"].values[3])
    first, last = matched.attrs["history"].splitlines()
    assert first.startswith("example")
    said = json.loads(last.removeprefix("match_images "))
    assert said["dropped"].startswith("colour")
    assert said["operations"] == ["luminance", "contrast"]
    found = nr.measure_images(faces)
    assert said["measured"]["luminance"]["before"] == pytest.approx(
        [float(found["luminance"].mean()), float(found["luminance"].std())], rel=1e-3
    )
    assert said["measured"]["luminance"]["after"][1] < 1e-6
    assert nr.identical(matched, nr.match_images(coloured, ["luminance", "contrast"]))


def test_measured_against_a_reference(noisy):
    matched = nr.match_images(noisy, "luminance", mean=0.5)
    found = nr.measure_images(matched, reference=noisy.isel(stimulus=slice(None, None, -1)))
    np.testing.assert_allclose(found["rmse"], np.abs(noisy["image"].mean(("y", "x")) - 0.5), atol=1e-6)
    np.testing.assert_allclose(nr.measure_images(noisy, reference=noisy)["ssim"], 1)
    np.testing.assert_allclose(found["histogram"].sum("level"), 1)


def test_rendered_faces_differ_less_after(noisy):
    levels = [{"domain": d, "expression": "happy", "intensity": 1.0} for d in ("human", "macaque", "cartoon")]
    faces = nr.render_faces(levels, size=64)
    matched = nr.match_images(faces, ["rotational_spectrum", "histogram"], mask="background", iterations=5)
    included = nr.measure_images(faces, mask="background")["included"]
    before, after = (nr.measure_images(one, mask=included) for one in (faces, matched))
    assert after["rotational_distance"].mean() < 0.5 * before["rotational_distance"].mean()
    assert after["histogram_distance"].max() < 1e-3 < before["histogram_distance"].min()
    np.testing.assert_array_equal(*(one["image"].values[~included.values] for one in (faces, matched)))


def test_photographs_that_were_matched_by_their_authors(real_data, tmp_path):
    pictures = real_data / "fear_happy_morphs" / "images"
    names = sorted(path.name for path in pictures.glob("*.png"))[::6]
    (tmp_path / "table.csv").write_text("\n".join(["file", *names]) + "\n")
    faces = nr.load_folder(pictures, tmp_path / "table.csv")
    before = nr.measure_images(faces)
    assert before["histogram_distance"].max() < 0.01
    assert before["spectrum_distance"].max() < 0.15
    after = nr.measure_images(nr.match_images(faces, "histogram"), reference=faces)
    assert after["histogram_distance"].max() < 1e-6
    assert after["ssim"].min() > 0.99


# Errors


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"operations": "histogramm"}, ValueError, "unknown operation 'histogramm'; nearest: 'histogram'"),
        ({"operations": ["luminance", "spectra"]}, ValueError, "nearest: 'spectrum'"),
        ({"operations": 5}, TypeError, "the name of an operation or a list of names; got 5"),
        ({"operations": []}, ValueError, "at least one operation"),
        ({"operations": "contrast", "mean": 0.5}, ValueError, "the operation 'luminance' where mean is given"),
        ({"operations": "luminance", "contrast": 0.1}, ValueError, "the operation 'contrast' where contrast is given"),
        ({"operations": "spectrum", "ssim_iterations": 3}, ValueError, "'histogram' where ssim_iterations"),
        ({"operations": "luminance", "mean": 128}, ValueError, "mean: needed at most 0.999; got 128"),
        ({"operations": "contrast", "contrast": 0}, ValueError, "contrast: needed more than 0"),
        ({"operations": "luminance", "iterations": 0}, ValueError, "iterations: needed at least 1"),
        ({"operations": "luminance", "iterations": "two"}, TypeError, "iterations: needed a whole number"),
        ({"operations": "luminance", "out_of_range": "scale"}, ValueError, "nearest: 'rescale'"),
        ({"operations": "luminance", "mask": "backgound"}, ValueError, "nearest: 'background'"),
        ({"operations": "luminance", "mask": "background"}, ValueError, "a uniform background along at least half"),
        ({"operations": "luminance", "mask": np.zeros((24, 24), bool)}, ValueError, "at least two included pixels"),
        ({"operations": "luminance", "mask": np.ones((24, 24))}, TypeError, "a mask of bool"),
        ({"operations": "luminance", "mask": np.ones((24, 20), bool)}, ValueError, "the shape (24, 20)"),
    ],
)
def test_wrong_settings(arguments, error, words, noisy):
    with pytest.raises(error, match=re.escape(words)):
        nr.match_images(noisy, **arguments)


def test_wrong_pictures(noisy):
    image = noisy["image"].values.copy()
    image[1] = 0.4
    flat = noisy.assign(image=(noisy["image"].dims, image, {"units": "1"}))
    name = str(noisy["stimulus_id"].values[1])
    for operation in OPERATIONS[1:]:
        with pytest.raises(ValueError, match=f"needed contrast in each picture, for {operation}.*{re.escape(name)}"):
            nr.match_images(flat, operation)
    np.testing.assert_allclose(nr.match_images(flat, "luminance", mean=0.5)["image"][1], 0.5)
    image[1, 3, 4] = np.nan
    with pytest.raises(ValueError, match="needed finite values; 1 are NaN"):
        nr.match_images(noisy.assign(image=(noisy["image"].dims, image, {"units": "1"})), "luminance")
    bytes_ = noisy.assign(image=(noisy["image"] * 255).assign_attrs(units="1"))
    with pytest.raises(ValueError, match="needed luminance in 0..1; got"):
        nr.match_images(bytes_, "luminance")
    with pytest.raises(ValueError, match="not a valid StimulusSet"):
        nr.match_images(nr.example("Features"), "luminance")


def test_a_grating_among_noise_has_no_phases_to_keep(noisy):
    image = noisy["image"].values.copy()
    image[1] = 0.5 + 0.1 * np.cos(np.arange(24) * np.pi / 4)
    mixed = noisy.assign(image=(noisy["image"].dims, image, {"units": "1"}))
    with pytest.raises(ValueError, match="amplitude in 'human.*wanted energy"):
        nr.match_images(mixed, "spectrum")


def test_wrong_targets_and_references(noisy, discs):
    with pytest.raises(ValueError, match=r"a target with pictures of \(24, 24\) px .* for spectra; got \(32, 32\)"):
        nr.match_images(noisy, "spectrum", target=discs)
    assert nr.match_images(noisy, "histogram", target=discs)["image"].shape == (6, 24, 24)
    with pytest.raises(ValueError, match="None, 'background' or \\(y, x\\) where a target is given"):
        nr.match_images(noisy, "luminance", target=discs, mask=np.ones((6, 24, 24), bool))
    with pytest.raises(ValueError, match="a reference with the same stimulus_ids; got none for"):
        nr.measure_images(noisy, reference=noisy.isel(stimulus=[0]))
    with pytest.raises(ValueError, match="a reference with pictures of the shape"):
        nr.measure_images(discs, reference=noisy)
    uneven = noisy.assign_coords(x=("x", noisy["x"].values ** 3, {"units": "degree"}))
    with pytest.raises(ValueError, match="evenly spaced pixels along x"):
        nr.measure_images(uneven)


# The figure and the page


def test_the_figure_shows_what_was_measured(noisy):
    before = nr.measure_images(noisy)
    after = nr.measure_images(nr.match_images(noisy, "rotational_spectrum", out_of_range="error"))
    _, ax = plt.subplots()
    assert nr.plot.image_statistics(before, after, ax=ax) is ax
    levels, numbers, spectrum = ax.child_axes
    np.testing.assert_allclose(numbers.lines[0].get_xdata(), before["luminance"])
    np.testing.assert_allclose(spectrum.lines[1].get_ydata(), after["amplitude"].mean("stimulus"))
    assert [text.get_text() for text in spectrum.get_legend().get_texts()] == ["before", "after"]
    assert "cycles/degree" in spectrum.get_xlabel()
    assert nr.plot.image_statistics(before).child_axes[2].get_legend() is None
    for wrong in (noisy, "before"):
        with pytest.raises(ValueError, match="the result of nr.measure_images; got"):
            nr.plot.image_statistics(wrong)
    plt.close("all")


def test_the_page_runs_as_written(tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "matching.md").read_text()
    small = nr.render_faces(
        [
            {"domain": d, "expression": e, "intensity": i}
            for d in ("human", "macaque")
            for e, i in (("neutral", 0.0), ("happy", 0.5), ("happy", 1.0))
        ],
        size=48,
    )
    monkeypatch.setattr(nr, "load_stimuli", lambda name: small, raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        exec(compile(block, "matching.md", "exec"), names)
    plt.close("all")
