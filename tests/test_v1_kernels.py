"""The bank's kernels against closed forms and independent convolution."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal
from skimage.filters import gabor_kernel

from nrsim import windows
from nrsim.v1 import gabor
from nrsim.v1.cropped import CroppedBank, normalisable
from nrsim.v1.dense import DenseBank, cosines, mirror_pairs
from nrsim.v1.ends import ends
from nrsim.v1.gabor import Gabor
from nrsim.v1.normalise import Divisive, local_contrast, neighbours, summed
from nrsim.v1.plan import Gains, Plan

EIGHT = tuple(i * 22.5 for i in range(8))


def bank(frequencies, orientations=EIGHT, bandwidth=1.4, aspect=1.04):
    """Channels at ``frequencies`` in cycles/px."""
    across = gabor.across_from_bandwidth(bandwidth)
    return tuple(tuple(Gabor(f, o, across / f, aspect * across / f) for o in orientations) for f in frequencies)


def natural(n, shape, seed=0):
    """Noise with the 1/f spectrum of natural pictures, 0..1."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    f[0, 0] = 1 / max(shape)
    made = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((n, *shape))) / f, s=shape)
    made -= made.min(axis=(1, 2), keepdims=True)
    return (made / made.max(axis=(1, 2), keepdims=True)).astype(np.float32)


def convolved(image, channel):
    """Even and odd responses by convolution with scikit-image's kernel, its mean taken away, in float64."""
    kernel = np.conj(
        gabor_kernel(
            channel.frequency,
            theta=-np.deg2rad(channel.orientation),  # its rows run down
            sigma_x=channel.across,
            sigma_y=channel.along,
            n_stds=6,
            dtype=np.complex128,
        )
    )
    envelope = np.abs(kernel)
    kernel = kernel - envelope * kernel.sum() / envelope.sum()
    kernel = np.conj(kernel)
    reach = [size // 2 for size in kernel.shape]
    wide = np.pad(image.astype(float), [(r, r) for r in reach], mode="symmetric")
    seen = signal.fftconvolve(wide, kernel, mode="valid")
    even, odd = channel.gains
    return even * seen.real, odd * seen.imag


def beyond(image, end):
    """An end's Σ A² by Fourier transforms of the picture mirrored to twice its size, in float64."""
    ny, nx = image.shape
    spectrum = np.fft.fft2(np.pad(image.astype(float), ((0, ny), (0, nx)), mode="symmetric"))
    v, u = -np.fft.fftfreq(2 * ny)[:, None], np.fft.fftfreq(2 * nx)[None]
    power = sum(c.transfer(v, u) ** 2 + c.transfer(-v, -u) ** 2 for row in end.channels for c in row) / 2
    power[ny], power[:, nx] = 0, 0
    twice = np.zeros((4 * ny, 4 * nx), dtype=complex)  # twice as many samples: squares reach twice as far
    twice[np.ix_(*(np.arange(-n, n) for n in (ny, nx)))] = np.fft.fftshift(spectrum * np.sqrt(power))
    squares = (4 * np.fft.ifft2(twice).real) ** 2
    f = (2 * np.fft.fftfreq(4 * ny)[:, None]) ** 2 + (2 * np.fft.fftfreq(4 * nx)[None]) ** 2
    blurred = np.fft.ifft2(np.fft.fft2(squares) * np.exp(-2 * (np.pi * end.spread) ** 2 * f)).real
    return blurred[: 2 * ny : 2, : 2 * nx : 2]


@given(st.floats(0.3, 3), st.floats(10, 90))
def test_bandwidths_and_envelope_give_each_other(octaves, degrees):
    across = gabor.across_from_bandwidth(octaves)
    assert gabor.bandwidth_from_across(across) == pytest.approx(octaves)
    assume(degrees < gabor.widest_orientation(across) - 1e-6)
    along = gabor.along_from_orientation(across, degrees)
    assert gabor.orientation_from_along(across, along) == pytest.approx(degrees, rel=1e-6)


def test_half_heights_lie_where_the_bandwidths_say():
    across = gabor.across_from_bandwidth(1.0)
    along = gabor.along_from_orientation(across, 40.0)
    channel = Gabor(0.1, 0.0, across / 0.1, along / 0.1)
    peak = channel.transfer(np.array(0.0), np.array(0.1))
    for f in (0.1 * 2 / 3, 0.1 * 4 / 3):  # one octave apart, halfway on a linear axis
        assert channel.transfer(np.array(0.0), np.array(f)) / peak == pytest.approx(0.5, abs=2e-3)
    turn = np.deg2rad(20)
    turned = channel.transfer(0.1 * np.sin(turn), 0.1 * np.cos(turn))
    assert turned / peak == pytest.approx(0.5, abs=2e-3)


@pytest.mark.parametrize("octaves", [0.5, 1.0, 1.4, 2.0, 3.0])
def test_a_preferred_grating_has_amplitude_one_at_every_phase_whatever_the_bandwidth(octaves):
    (row,) = bank([0.1], [30.0], octaves)
    y, x = np.mgrid[199:-200:-1, -199:200]
    along = x * np.cos(np.deg2rad(30)) + y * np.sin(np.deg2rad(30))
    even, odd = (row[0].receptive_field(y, x, phase) for phase in (0, 90))
    for phase in np.deg2rad(range(0, 360, 20)):
        grating = 0.5 + 0.5 * np.cos(2 * np.pi * 0.1 * along + phase)
        assert (even * grating).sum() ** 2 + (odd * grating).sum() ** 2 == pytest.approx(1, abs=1e-6)
    assert even.sum() == pytest.approx(0, abs=1e-10)
    assert odd.sum() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("bandwidth", [1.0, 1.4])
@pytest.mark.parametrize("shape", [(64, 64), (48, 80), (51, 37)])
def test_unpooled_responses_agree_with_convolution_by_the_kernel_of_scikit_image(shape, bandwidth):
    channels = bank([0.3, 0.2, 0.07], [*EIGHT, 305.0, -30.0, 200.0], bandwidth, 1.2)
    rng = np.random.default_rng(1)
    for image in (natural(1, shape)[0], rng.random(shape).astype(np.float32)):
        dense = DenseBank(shape, channels)
        for i, j, even, odd in dense.responses(dense.spectrum(image)):
            expected = convolved(image, channels[i][j])
            for got, wanted in zip((even, odd), expected, strict=True):
                assert np.abs(got - wanted).max() < 1e-4 * np.abs(wanted).max(), (i, j)


def test_the_border_reflects_and_nothing_wraps_around():
    image = np.full((64, 64), 0.5, dtype=np.float32)
    image[20:44, :4] = 1.0
    channels = bank([0.2])
    energy = DenseBank(image.shape, channels).energy(image)
    assert energy[..., 40:].max() < 1e-8 * energy.max()
    (plain,) = (
        ndimage.correlate(image, channels[0][0].receptive_field(*np.mgrid[15:-16:-1, -15:16], 0), mode="reflect"),
    )
    even = next(DenseBank(image.shape, channels).responses(DenseBank(image.shape, channels).spectrum(image)))[2]
    assert np.abs(even - plain).max() < 1e-5
    wrapped = ndimage.correlate(image, channels[0][0].receptive_field(*np.mgrid[15:-16:-1, -15:16], 0), mode="wrap")
    assert np.abs(even - wrapped).max() > 0.05  # the other rule is another answer here


@pytest.mark.parametrize("bandwidth", [1.0, 1.4, 2.0])
@pytest.mark.parametrize("kind", ["none", "divisive"])
@pytest.mark.parametrize("shape", [(64, 64), (96, 72)])
def test_the_fast_way_pools_as_convolution_does_within_half_a_percent(shape, kind, bandwidth):
    channels = bank([0.25, 0.125, 0.06], bandwidth=bandwidth)
    pools = tuple(windows.grid(np.arange(n, dtype=float), 8, None) for n in shape)
    rng = np.random.default_rng(2)
    images = np.concatenate([natural(2, shape), rng.random((1, *shape)).astype(np.float32)])
    images = np.concatenate([images, (images[:1] > 0.5).astype(np.float32)])  # hard edges
    gains = Gains(kind, 0.2, 2.0, (3.4, 6.8, 14.0))
    fast = Plan(shape, channels, gains, pools)
    assert fast.fast
    got = fast.energy(images)
    exact = Plan(shape, channels, gains, pools, exact=True).energy(images)
    for number, image in enumerate(images):
        energy = np.array([[np.sum(np.square(convolved(image, c)), axis=0) for c in row] for row in channels])
        if kind == "divisive":
            outside = ends(channels, gains.spreads, 2.0, None)
            total = summed(channels, outside, 2.0)
            blurred = [
                ndimage.gaussian_filter(e.sum(axis=0), s, mode="reflect", truncate=6)
                for e, s in zip(energy, gains.spreads, strict=True)
            ]
            energy = energy / (0.2**2 + (sum(blurred) + sum(beyond(image, end) for end in outside)) / total)
        wanted = pools[0] @ energy @ pools[1].T
        most = wanted.max(axis=(1, 2, 3))
        assert (np.abs(got[number] - wanted).max(axis=(1, 2, 3)) < 5e-3 * most).all()
        assert (np.abs(exact[number] - wanted).max(axis=(1, 2, 3)) < 1e-3 * most).all()


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(24, 70), st.integers(24, 70)),
    st.lists(st.floats(0, 359), min_size=1, max_size=4, unique_by=lambda angle: round(angle % 180, 2)),
    st.floats(0.07, 0.3),
    st.floats(0.7, 2.2),
    st.floats(0.7, 2.0),
    st.integers(1, 9),
    st.floats(0.5, 6),
    st.booleans(),
)
def test_the_fast_way_is_the_exact_way_for_any_bank(shape, angles, frequency, bandwidth, aspect, size, spread, paired):
    assume(len({round(a % 180, 1) % 180 for a in angles}) == len(angles))
    channels = bank([frequency], angles, bandwidth, aspect)
    assume(2 * max(channels[0][0].along, channels[0][0].across) < min(shape))
    assume(frequency * (1 + np.sqrt(gabor.HALF) / gabor.across_from_bandwidth(bandwidth)) < 0.5)
    pools = tuple(windows.grid(np.arange(n, dtype=float), size, spread) for n in shape)
    gains = Gains("none", 0.3, 2.0, (4.0,))
    images = natural(1, shape, seed=size)
    fast, exact = (
        Plan(shape, channels, gains, pools, paired=paired, exact=exact).energy(images) for exact in (False, True)
    )
    # one window may lie where there is little: the measure is the largest that such a window finds in the picture
    everywhere = tuple(windows.gaussian(np.arange(n, dtype=float), np.arange(n, dtype=float), spread) for n in shape)
    largest = Plan(shape, channels, gains, everywhere, exact=True).energy(images).max()
    assert np.abs(fast - exact).max() < 5e-3 * largest


@pytest.mark.parametrize("semi_saturation", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("neighbourhood", [0.2, 0.4, 0.85])
def test_the_fast_way_divides_as_the_exact_one_on_hard_edges_and_lines_too(semi_saturation, neighbourhood):
    shape, frequencies = (128, 128), np.array([1, 2, 4, 8]) / 32
    channels = bank(frequencies)
    pools = tuple(windows.grid(np.arange(128.0), 16, None) for _ in range(2))
    line = np.full(shape, 0.5, dtype=np.float32)
    line[:, 60] = 1.0
    images = np.stack([*(natural(2, shape) > 0.5), line]).astype(np.float32)
    gains = Gains("divisive", semi_saturation, 2.0, tuple(neighbourhood / frequencies))
    fast, exact = (Plan(shape, channels, gains, pools, exact=exact).energy(images) for exact in (False, True))
    most = exact.max(axis=(0, 2, 3, 4))
    assert (np.abs(fast - exact).max(axis=(0, 2, 3, 4)) < 5e-3 * most).all()


@pytest.mark.parametrize("kind", ["divisive", "divisive_pooled", "local_contrast"])
def test_the_order_of_orientations_and_frequencies_changes_nothing_else(kind):
    shape, angles, frequencies = (48, 48), [0.0, 80.0, 90.0, 100.0], [0.2, 0.1, 0.14]
    pools = tuple(windows.grid(np.arange(48.0), 5, None) for _ in range(2))
    images = natural(1, shape)
    spreads = [0.85 / f for f in frequencies]
    first = Plan(shape, bank(frequencies, angles), Gains(kind, 0.2, 2.0, tuple(spreads)), pools).energy(images)
    turned = Plan(
        shape, bank(frequencies[::-1], angles[::-1]), Gains(kind, 0.2, 2.0, tuple(spreads[::-1])), pools
    ).energy(images)
    assert np.abs(first - turned[:, ::-1, ::-1]).max() < 2e-3 * first.max()


def test_neither_order_nor_company_nor_threads_change_a_bit_of_a_response():
    shape, channels = (64, 64), bank([0.25, 0.1])
    pools = tuple(windows.grid(np.arange(64.0), 8, None) for _ in range(2))
    images = natural(7, shape)
    order = np.array([3, 6, 0, 5, 1, 4, 2])
    for kind in ("none", "divisive", "divisive_pooled", "local_contrast"):
        gains = Gains(kind, 0.2, 2.0, (3.4, 8.5))
        first = Plan(shape, channels, gains, pools, threads=1).energy(images)
        second = Plan(shape, channels, gains, pools, threads=3).energy(images[order])
        alone = Plan(shape, channels, gains, pools).energy(images[4:5])
        assert (first[order] == second).all(), kind
        assert (first[4] == alone[0]).all(), kind


def test_mirror_images_are_found_whatever_the_orientations_are():
    assert mirror_pairs(np.array(EIGHT)) == [(0, None), (1, 7), (2, 6), (3, 5), (4, None)]
    assert mirror_pairs(np.array([30.0, 330.0, 10.0])) == [(0, 1), (2, None)]
    assert normalisable(np.array(EIGHT))
    assert not normalisable(np.array([0.0, 30.0]))


def test_channels_that_share_a_bank_do_not_touch_each_other():
    shape = (64, 64)
    pools = tuple(windows.grid(np.arange(64.0), 4, None) for _ in range(2))
    whole = CroppedBank(shape, bank([0.25, 0.1]), *pools)
    images = natural(2, shape)
    out = np.empty((2, 2, 8, 4, 4), dtype=np.float32)
    whole.pooled(images, out)
    for j in (1, 4, 6):
        one = np.empty((2, 1, 1, 4, 4), dtype=np.float32)
        CroppedBank(shape, bank([0.1], [EIGHT[j]]), *pools).pooled(images, one)
        assert np.abs(one[:, 0, 0] - out[:, 1, j]).max() < 3e-3 * out[:, 1].max()


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_a_preferred_grating_gives_its_contrast_to_the_pool(exponent):
    channels = bank([0.2])
    x = np.arange(96)[None] * np.ones((96, 1))
    contrast = 0.4
    image = (0.5 + 0.5 * contrast * np.cos(2 * np.pi * 0.2 * x)).astype(np.float32)
    outside = ends(channels, (4.0,), exponent, None)
    divisive = Divisive(0.3, exponent, (4.0,), summed(channels, outside, exponent), outside)
    drive = divisive.pool(divisive.powered(DenseBank(image.shape, channels).energy(image)), cosines(image))
    assert drive[40:56, 40:56] == pytest.approx(contrast**exponent, rel=0.03)


@pytest.mark.parametrize("orientations", [EIGHT, (30.0,), (10.0, 50.0, 85.0)])
@pytest.mark.parametrize("shape", [(64, 64), (48, 75)])
def test_what_is_beyond_the_bank_is_the_power_of_its_channels(shape, orientations):
    channels = bank([0.12], orientations)
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    low, high = ends(channels, (4.0,), 2.0, None)
    if orientations == EIGHT:  # else the mirrored picture's squares are not the picture's mirrored
        for end in (low, high):
            got, wanted = end.squares(cosines(image)), beyond(image, end)
            assert np.abs(got - wanted).max() < 3e-4 * wanted.max()
        energy = DenseBank(shape, low.channels).energy(image).sum(axis=(0, 1))
        assert low.squares(cosines(image)).mean() == pytest.approx(energy.mean(), rel=1e-5)
    y, x = np.mgrid[shape[0] : 0 : -1, : shape[1]]
    turn = np.deg2rad(orientations[-1])
    grating = 0.5 + 0.5 * np.cos(2 * np.pi * 0.15 * (x * np.cos(turn) + y * np.sin(turn))).astype(np.float32)
    energy = DenseBank(shape, high.channels).energy(grating).sum(axis=(0, 1))
    middle = tuple(slice(n // 2 - 4, n // 2 + 4) for n in shape)  # the border is far from it
    assert high.squares(cosines(grating))[middle].mean() == pytest.approx(energy[middle].mean(), rel=0.01)


def test_beyond_the_bank_its_spacing_goes_on_for_an_octave():
    def beyond_of(frequencies, spreads):
        return [
            ([row[0].frequency for row in end.channels], end.spread)
            for end in ends(bank(frequencies), spreads, 2.0, None)
        ]

    (low, high) = beyond_of([0.25, 0.0625, 0.125], [4.0, 16.0, 8.0])
    assert low == ([pytest.approx(0.03125)], pytest.approx(32.0))
    assert high == ([pytest.approx(0.5)], pytest.approx(2.0))
    (low, high) = beyond_of([0.1], [0.0])
    assert low == ([pytest.approx(0.05)], pytest.approx(10.0))  # half a cycle at least, or the ripple would stay
    assert high == ([pytest.approx(0.2)], pytest.approx(2.5))
    (low, high) = beyond_of([0.1, 0.1 * 2**0.5], [1.0, 1.0])
    assert low[0] == pytest.approx([0.1 / 2**0.5, 0.05])
    assert high[0] == pytest.approx([0.2, 0.2 * 2**0.5])
    (low, high) = beyond_of([0.02, 0.18], [1.0, 1.0])
    assert (low[0], high[0]) == ([pytest.approx(0.02 / 9)], [pytest.approx(0.18 * 9)])


@pytest.mark.parametrize("paired", [False, True])
def test_pooled_gain_control_counts_what_is_beyond_the_bank_in_the_windows(paired):
    shape, channels = (48, 60), bank([0.2, 0.1])
    pools = tuple(windows.grid(np.arange(float(n)), 5, None) for n in shape)
    image = natural(1, shape)
    plan = Plan(shape, channels, Gains("divisive_pooled", 0.2, 2.0, (4.25, 8.5)), pools, paired=paired, exact=True)
    energy = windows.pool_maps(DenseBank(shape, channels).energy(image[0]), *pools, "energy", paired).reshape(2, 8, -1)
    outside = [windows.pool_maps(beyond(image[0], end), *pools, "energy", paired).ravel() for end in plan.divisive.ends]
    y, x = (each @ np.arange(float(n)) for each, n in zip(pools, shape, strict=True))
    if not paired:
        y, x = np.repeat(y, 5), np.tile(x, 5)
    each = [*energy.sum(axis=1), *outside]
    drive = sum(w @ e for w, e in zip(neighbours(y, x, [4.25, 8.5, 17.0, 2.125]), each, strict=True))
    wanted = energy / (0.2**2 + drive / plan.divisive.total)
    assert plan.energy(image).reshape(2, 8, -1) == pytest.approx(wanted, abs=1e-4 * wanted.max())


def test_pooled_gain_control_is_the_formula():
    energy = np.random.default_rng(0).random((2, 2, 3, 5)).astype(np.float32)
    weights = neighbours(np.arange(5.0), np.zeros(5), (0.0, 1.0))
    assert weights[0] == pytest.approx(np.eye(5))
    assert weights[1].sum(axis=1) == pytest.approx(1)
    got = Divisive(0.3, 3.0, (0.0, 1.0), 2.0).divide_pooled(energy, weights)
    powered = energy.astype(float) ** 1.5
    drive = sum(powered[:, i].sum(axis=1) @ weights[i].T for i in range(2)) / 2
    assert got == pytest.approx(powered / (0.3**3 + drive)[:, None, None], rel=1e-5)


def test_local_contrast_of_a_grating_is_its_contrast():
    x = np.arange(128)[None] * np.ones((128, 1))
    gratings = np.stack([0.5 + 0.5 * c * np.cos(2 * np.pi * 0.125 * x) for c in (0.1, 0.3, 0.9)])
    for exponent in (1.0, 2.0):
        out = local_contrast(gratings.astype(np.float32), 16.0, 0.3, exponent)[:, 40:88, 40:88]
        wanted = [0.5 * c / (0.3**exponent + c**exponent) ** (1 / exponent) for c in (0.1, 0.3, 0.9)]
        assert out.max(axis=(1, 2)) == pytest.approx(wanted, rel=0.02)
    assert np.abs(local_contrast(np.full((1, 16, 16), 0.7, dtype=np.float32), 3.0, 0.3, 2.0)).max() < 1e-6
