import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.gratings.waves import window

ONE = {"orientations": [0], "frequencies": [2.0]}


def test_a_vertical_grating_in_closed_form():
    # 4 px/degree, even about the middle: bright bars at x = 0, ±1, …, columns alike
    made = nr.render_gratings(orientations=[0], frequencies=[1.0], contrasts=[0.4], size=16, degrees=4.0)
    image = made["image"].values[0]
    assert image == pytest.approx(np.tile(0.5 + 0.2 * np.cos(2 * np.pi * made["x"].values), (16, 1)), abs=1e-6)
    odd = nr.render_gratings(**ONE, phases=[90])["image"].values[0]
    assert odd == pytest.approx(1 - odd[:, ::-1], abs=1e-6)


@pytest.mark.parametrize("orientation", [0.0, 22.5, 45.0, 67.5, 90.0, 112.5, 135.0, 157.5])
@pytest.mark.parametrize("frequency", [1.0, 2.0, 4.0])
def test_the_bank_answers_most_in_the_gratings_own_channel(orientation, frequency):
    probe = nr.render_gratings(orientations=[orientation], frequencies=[frequency], phases=[30])
    bank = nr.V1Bank(frequencies=[1, 2, 4, 8])
    middle = bank.transform(probe)["energy"].isel(stimulus=0, y=slice(56, 72), x=slice(56, 72)).mean(("y", "x"))
    best = middle.isel(middle.argmax(...))
    assert float(best["orientation"]) == orientation
    assert float(best["frequency"]) == frequency
    assert float(best) == pytest.approx(1, abs=0.02)


def test_orientation_turns_counter_clockwise_seen_with_the_first_row_on_top():
    # a grating of 30 degrees is bright along (cos 30, sin 30) from the centre, at whole periods
    made = nr.render_gratings(orientations=[30], frequencies=[1.0], size=512)["image"][0]
    along = np.deg2rad(30)
    for cycles, level in ((1.0, 1.0), (0.5, 0.0), (-1.0, 1.0)):
        at = made.sel(x=cycles * np.cos(along), y=cycles * np.sin(along), method="nearest")
        assert float(at) == pytest.approx(level, abs=0.01)


@given(
    contrast=st.floats(0.01, 1),
    orientation=st.floats(0, 179),
    frequency=st.floats(0.5, 4),
    luminance=st.floats(0.05, 0.5),
)
def test_contrast_is_michelsons_about_the_mean(contrast, orientation, frequency, luminance):
    made = nr.render_gratings(
        orientations=[orientation], frequencies=[frequency], contrasts=[contrast], luminance=luminance
    )
    image = made["image"].values
    dark, bright = float(image.min()), float(image.max())
    # the samples come within an eighth of a period of the extremes
    assert (bright - dark) / (bright + dark) <= contrast + 1e-5
    assert (bright - dark) / (bright + dark) >= contrast * 0.9
    half = np.abs(image - luminance).max()
    assert half == pytest.approx(luminance * contrast, rel=0.1)


def test_windows_are_half_at_half_the_diameter():
    radius = np.array([0.0, 0.9, 1.0, 1.1, 2.0])
    assert window(radius, "disc", 2.0, 0.2) == pytest.approx([1, 1, 0.5, 0, 0])
    assert window(radius, "disc", 2.0, 0.0).tolist() == [1, 1, 1, 0, 0]
    assert window(radius, "gaussian", 2.0, 0.2)[[0, 2]] == pytest.approx([1, 0.5])
    assert window(radius, "full", 1.0, 0.2).tolist() == [1] * 5


def test_a_size_series_grows_by_its_discs():
    made = nr.render_gratings(**ONE, aperture="disc", diameters=[0.5, 1.0, 2.0], positions=[[0.5, -0.75]], edge=0.0)
    radius = np.hypot(made["x"] - 0.5, made["y"] + 0.75)
    for image in made["image"]:
        lit = np.abs(image - 0.5) > 1e-6
        assert float(radius.where(lit).max()) <= float(image["grating_diameter"]) / 2
        assert float(lit.sum()) / 32**2 == pytest.approx(np.pi * float(image["grating_diameter"]) ** 2 / 4, rel=0.05)


def test_a_plaid_is_the_sum_of_its_gratings():
    made = nr.render_gratings(
        orientations=[30],
        frequencies=[2.0],
        phases=[40],
        contrasts=[0, 0.25],
        mask_contrasts=[0, 0.5],
        mask_angles=[100],
    )
    assert made["stimulus_id"].values[0] == "grating-blank"
    blank, mask, alone, both = made["image"].values - 0.5
    assert both == pytest.approx(mask + alone, abs=1e-6)
    assert np.abs(blank).max() == 0
    assert made["mask_orientation"].values.tolist()[1::2] == [130, 130]
    same = nr.render_gratings(orientations=[130], frequencies=[2.0], phases=[40], contrasts=[0.5])
    assert same["image"].values[0] - 0.5 == pytest.approx(mask, abs=1e-6)
    assert np.isnan(made["grating_orientation"].values).tolist() == [True, True, False, False]


def test_a_surround_leaves_the_disc_and_the_gap_alone():
    made = nr.render_gratings(
        **ONE,
        aperture="disc",
        diameters=[1.0],
        surround_contrasts=[0, 0.5],
        surround_angles=[0, 90],
        surround_gap=0.25,
        surround_diameter=3.0,
    )
    alone, iso, cross = made["image"]
    radius = np.hypot(made["x"], made["y"])
    assert float(np.abs((iso - alone).where(radius < 0.7, 0)).max()) == 0
    assert float(np.abs((iso - 0.5).where((radius > 0.56) & (radius < 0.69), 0)).max()) == 0
    assert float(np.abs((iso - 0.5).where(radius > 1.56, 0)).max()) == 0
    ring = (radius > 0.9) & (radius < 1.4)
    assert float((iso - 0.5).where(ring).max()) == pytest.approx(0.25, abs=0.01)
    # the orthogonal surround is the iso-oriented one turned
    assert iso.where(ring, 0).values == pytest.approx(cross.where(ring, 0).values.T[::-1], abs=1e-6)


def test_a_drifting_grating_moves_towards_its_direction():
    made = nr.render_gratings(
        orientations=[0, 90, 180], frequencies=[1.0], temporal_frequencies=[4.0], frame_rate=32.0, duration=0.25
    )
    assert made["image"].dims == ("stimulus", "frame", "y", "x")
    assert made["frame_time"].values == pytest.approx(np.arange(8) / 32)
    right, up, left = made["image"].values
    # an eighth of a cycle each frame is an eighth of a degree, 4 px
    assert right[1] == pytest.approx(np.roll(right[0], 4, axis=1), abs=1e-5)
    assert left[1] == pytest.approx(np.roll(left[0], -4, axis=1), abs=1e-5)
    assert up[1] == pytest.approx(np.roll(up[0], -4, axis=0), abs=1e-5)
    still = nr.render_gratings(orientations=[0], frequencies=[1.0])["image"].values[0]
    assert right[0] == pytest.approx(still, abs=1e-6)


def test_labels_travel_through_the_bank():
    probes = nr.render_gratings(orientations=[0, 90], frequencies=[2.0], blank=True, size=64)
    seen = nr.V1Bank(frequencies=[2]).transform(probes)
    assert seen["grating_orientation"].values[:2].tolist() == [0, 90]
    assert float(seen["energy"].sel(stimulus=2).max()) < 1e-9


@pytest.mark.parametrize(
    ("name", "n"), [("gratings", 12 * 5 * 2 * 2 + 1), ("masking", 49), ("size_tuning", 19), ("surrounds", 26)]
)
def test_shipped_recipes(name, n):
    made = nr.load_stimuli(name)
    assert made.sizes["stimulus"] == n
    assert set(made["category"].values) == {"grating"}
    assert len(set(made["image_sha256"].values)) == n


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"frequencies": [20.0]}, "below 16 cycles/degree.*got 20.*more than 160 px"),
        ({"mask_frequencies": [16.0], "mask_contrasts": [0.5]}, "below 16 cycles/degree"),
        ({"contrasts": [1.5]}, "contrasts: needed at most 1"),
        ({"contrasts": [-0.1]}, "contrasts: needed at least 0"),
        ({"contrasts": [0.75], "mask_contrasts": [0.5]}, "grating and mask that add up to at most 1.*got 1.25"),
        ({"luminance": 0.8}, "at most 0.25.*mean 0.8; got 1. Lower the contrasts or the mean luminance"),
        ({"orientations": []}, "orientations: at least one number in degree; got an empty list"),
        ({"orientations": [180]}, "below 180 degrees.*Give 0"),
        ({"orientations": [-45]}, "at least 0"),
        ({"orientations": [0, 0.0]}, "every value once; got 0 more than once"),
        ({"orientations": 45}, r"Write orientations=\[45\]"),
        ({"orientations": ["vertical"]}, "needed a number in degree"),
        ({"phases": [float("nan")]}, "finite"),
        ({"aperture": "disk"}, "nearest: 'disc'"),
        ({"diameters": [1.0]}, "no diameters with the aperture 'full'"),
        ({"aperture": "disc", "diameters": [4.0]}, "at most 3.9 degrees; got 4"),
        ({"aperture": "disc", "diameters": [0.05]}, "edge of at most the smallest diameter"),
        ({"aperture": "disc", "positions": [[1.5, 0]]}, r"at \(1.5, 0\).*at most 0.9"),
        ({"positions": [0, 0]}, "Write positions"),
        ({"surround_contrasts": [1.0]}, "the aperture 'disc' inside a surround"),
        (
            {"surround_contrasts": [1.0], "aperture": "disc", "surround_diameter": 1.5},
            "wider than the disc.*2.1 degrees; got 1.5",
        ),
        ({"temporal_frequencies": [30.0]}, "below 30 Hz"),
        ({"temporal_frequencies": [4.0], "duration": 0.001}, "at least one frame"),
        ({"blank": "yes"}, "true or false"),
        ({"size": 4000, "orientations": range(180)}, "fit into 2 GB"),
    ],
)
def test_wrong_gratings(wrong, words):
    with pytest.raises((ValueError, TypeError), match=words):
        nr.render_gratings(**(ONE | wrong))
