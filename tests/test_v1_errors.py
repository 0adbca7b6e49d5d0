"""What a user may get wrong on the way into V1: each message says what was needed, what came and what to do."""

import re

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.pixels import coordinates

BANK = nr.V1Bank([1.0, 2.0], 2)


@pytest.fixture(scope="module")
def faces():
    return nr.example("StimulusSet")  # 32 px, 4 degrees


def changed(faces, **units):
    """Return a copy whose image may be written to, with other units of coordinates."""
    copy = faces.copy(deep=True)
    for name, unit in units.items():
        copy[name].attrs["units"] = unit
    return copy


def with_image(faces, image):
    return faces.assign(image=image.assign_attrs(units="1"))


NOT_A_SET = {
    "array": (lambda f: f["image"].values, TypeError, "got ndarray. nr.load_folder"),
    "image": (lambda f: f["image"], TypeError, "got DataArray. Give the whole set: faces, not faces['image']"),
    "path": (lambda f: "faces.nc", TypeError, "got str. Open a file first"),
    "list": (lambda f: [f, f], TypeError, "got list. Make one set of several: nr.join_stimuli"),
    "nothing": (lambda f: None, TypeError, "got NoneType"),
    "response": (lambda f: nr.example("V1Response"), ValueError, "the dataset says it is a V1Response"),
    "no x": (lambda f: f.drop_vars("x"), ValueError, "coordinates(32, 32, width_in_degrees)"),
    "pixels": (lambda f: changed(f, y="px", x="px"), ValueError, "coordinates(32, 32, width_in_degrees)"),
    "colour": (
        lambda f: with_image(f, f["image"].expand_dims(channel=3, axis=-1)),
        ValueError,
        "V1 sees luminance: give image without colours",
    ),
    "one": (lambda f: f.isel(stimulus=0), ValueError, "faces.isel(stimulus=[0])"),
    "turned": (lambda f: f.transpose("y", "x", "stimulus"), ValueError, "faces.transpose('stimulus', …, 'y', 'x')"),
    "none left": (lambda f: f.isel(stimulus=f["expression"].values == "hapy"), ValueError, "one or more stimuli"),
    "8 bits": (lambda f: with_image(f, (f["image"] * 255).astype(np.uint8)), ValueError, "levels become luminance by"),
    "0..255": (lambda f: with_image(f, f["image"] * 255), ValueError, "luminance in 0..1; got 76.7..200"),
    "NaN": (lambda f: with_image(f, f["image"].where(f["x"] > -1)), ValueError, "are NaN or infinite"),
    "upside down": (lambda f: f.isel(y=slice(None, None, -1)), ValueError, "the top row is stored first"),
    "some rows": (lambda f: f.isel(y=[0, 1, 5, 6]), ValueError, "y in steps of 0.125 to 0.5 and x in steps of 0.125"),
    "not square": (lambda f: f.isel(y=slice(None, None, 2)), ValueError, "y in steps of 0.25 and x in steps of 0.125"),
}


@pytest.mark.parametrize("name", NOT_A_SET)
def test_what_is_no_stimulus_set(name, faces):
    make, kind, message = NOT_A_SET[name]
    for method in (BANK.transform, BANK.responses):
        with pytest.raises(kind, match=re.escape(message)):
            method(make(faces))


def test_the_advice_about_degrees_works(faces):
    bare = faces.drop_vars(["y", "x"])
    seen = BANK.transform(bare.assign_coords(coordinates(32, 32, 4.0)))
    np.testing.assert_array_equal(seen["energy"], BANK.transform(faces)["energy"])


def test_frequencies_out_of_the_pictures_range_are_told_the_range(faces):
    with pytest.raises(ValueError, match=r"up to (\S+) cycles/degree, which 8 px/degree .*got 4 cycles") as error:
        nr.V1Bank([1.0, 4.0]).transform(faces)
    highest = float(re.search(r"up to (\S+) cycles", str(error.value))[1])
    nr.V1Bank([highest - 0.01]).transform(faces)
    with pytest.raises(ValueError, match=r"than the picture \(4 degrees\); got 0.1 .* at least (\S+) cycles") as error:
        nr.V1Bank([0.1]).transform(faces)
    lowest = float(re.search(r"at least (\S+) cycles", str(error.value))[1])
    nr.V1Bank([lowest + 0.001]).transform(faces)


WRONG_BANK = {
    "one frequency": ({"frequencies": 2}, TypeError, "a list in cycles/degree; got 2. For one write [2]"),
    "array of none": ({"frequencies": np.array(2.0)}, TypeError, "a list in cycles/degree"),
    "mapping": ({"frequencies": {1.0: 2.0}}, TypeError, "a list in cycles/degree"),
    "twice": ({"frequencies": [1, 1]}, ValueError, "each once"),
    "NaN": ({"frequencies": [np.nan]}, ValueError, "finite number in cycles/degree"),
    "8.0": ({"orientations": 8.0}, TypeError, "how many, a whole number, or a list in degree; got 8.0"),
    "none": ({"orientations": 0}, ValueError, "at least 1; got 0"),
    "0 and 180": ({"orientations": [0, 45, 180]}, ValueError, "0 and 180 degrees are one"),
    "0 and 0": ({"orientations": [0, 45, 0]}, ValueError, "each once"),
    "word": ({"orientations": ["vertical"]}, TypeError, "a number in degree; got 'vertical'"),
    "one phase": ({"phases": 90}, TypeError, "phases: a list in degree; got 90"),
    "0 and 360": ({"phases": [0, 360]}, ValueError, "0 and 360 degrees are one"),
    "both": ({"envelope": (0.4, 0.4), "bandwidth": 1}, TypeError, "got envelope and bandwidth"),
    "both along": ({"orientation_bandwidth": 40, "aspect_ratio": 2}, TypeError, "Each gives the other"),
    "three": ({"envelope": (0.4, 0.4, 0.4)}, ValueError, "envelope: (across, along) in cycles"),
    "short": ({"envelope": (0.2, 0.5)}, ValueError, "at least 0.24 cycles across the bars, as 3 octaves have; got 0.2"),
    "one of two": ({"envelope": 0.4}, ValueError, "envelope: (across, along) in cycles"),
    "too wide": ({"orientation_bandwidth": 170}, ValueError, "below 113 degrees, as 1.4 octaves allow"),
    "octaves": ({"bandwidth": 5}, ValueError, "bandwidth: needed at most 3"),
    "None": ({"normalise": None}, ValueError, "unknown normalisation None; nearest: 'none'"),
    "accurate": ({"accuracy": "accurate"}, ValueError, "known: 'exact', 'fast'"),
    "threads": ({"threads": 0}, ValueError, "threads: needed at least 1"),
}


@pytest.mark.parametrize("name", WRONG_BANK)
def test_settings_of_the_bank(name):
    settings, kind, message = WRONG_BANK[name]
    with pytest.raises(kind, match=re.escape(message)):
        nr.V1Bank(**settings)


class Windows:
    """A pool of one's own: whatever it is given."""

    statistic, place_names = "energy", None

    def __init__(self, *made, **others):
        self.made = made
        self.__dict__.update(others)

    def windows(self, y, x):
        return self.made

    def get_params(self):
        return {}


FLAT = np.full((1, 32), 1 / 32)
WRONG_POOL = {
    "name": ("mean", TypeError, "or None; got 'mean'"),
    "class": (nr.PooledEnergy, TypeError, "got the class PooledEnergy. Make one: PooledEnergy()"),
    "number": (4, TypeError, "Did you mean pool=nr.PooledEnergy(size=4)?"),
    "False": (False, TypeError, "got False"),
    "components": (nr.PrincipalComponents(2), TypeError, "It lacks windows, statistic, place_names"),
    "many": (nr.PooledEnergy(64), ValueError, "at least 64 pixels along each side to pool on; got 32"),
    "wide": (nr.PooledEnergy(4, tolerance=16), ValueError, "a tolerance below the picture's side, 4 degrees; got 16"),
    "place in px": (
        nr.PooledEnergy(places={"eye": (10, 12), "nose": (0, 0)}, tolerance=0.2),
        ValueError,
        "x from -2 to 2 degrees, y from -2 to 2); got 'eye' at (10, 12). Places are (x, y) in degrees",
    ),
    "above": (nr.PooledEnergy(places=[(0, 2.1)], tolerance=0.2), ValueError, "got 'place-1' at (0, 2.1)"),
    "own, turned": (Windows(FLAT.T, FLAT), ValueError, "(window, 32) and (window, 32) from the pool's windows(y, x)"),
    "own, NaN": (Windows(FLAT * np.nan, FLAT), ValueError, "finite weights"),
    "own, statistic": (Windows(FLAT, FLAT, statistic="median"), ValueError, "unknown statistic 'median'"),
    "own, places": (Windows(FLAT, FLAT, place_names=["a", "b"]), ValueError, "for each place; got 1 and 1 for"),
}


@pytest.mark.parametrize("name", WRONG_POOL)
def test_what_is_no_pool_of_these_pictures(name, faces):
    pool, kind, message = WRONG_POOL[name]
    for method in (BANK.transform, BANK.responses):
        with pytest.raises(kind, match=re.escape(message)):
            method(faces, pool=pool)


def test_a_pool_of_ones_own_is_taken(faces):
    seen = BANK.transform(faces, pool=Windows(FLAT, FLAT))
    assert seen["energy"].values[..., 0, 0] == pytest.approx(BANK.transform(faces)["energy"].mean(("y", "x")), abs=5e-3)
    over_all = BANK.transform(
        faces, pool=nr.PooledEnergy(size=1, tolerance=100.0)
    )  # one window may be as wide as it likes
    assert over_all["energy"].values == pytest.approx(seen["energy"].values, abs=1e-3)


WRONG_WINDOWS = {
    "no tolerance": ({"places": [(0, 0)]}, ValueError, "with places; got none. Such as 0.2"),
    "one pair": ({"places": (0, 0)}, ValueError, "One place is written [(x, y)]"),
    "three": ({"places": [(0, 0, 1)]}, ValueError, "(x, y) in degrees; got (0, 0, 1) at 'place-1'"),
    "number": ({"places": 5}, TypeError, "a list of (x, y) in degrees"),
    "word": ({"places": "eyes"}, TypeError, "a list of (x, y) in degrees, or a mapping"),
    "none": ({"places": []}, ValueError, "one or more"),
    "NaN": ({"places": [(np.nan, 0)]}, ValueError, "finite number in degree"),
    "uneven": ({"places": [(0, 0), (1,)]}, ValueError, "got (1,) at 'place-2'"),
    "size": ({"size": (4, 4, 4)}, ValueError, "(rows, columns)"),
    "statistic": ({"statistic": "median"}, ValueError, "nearest: 'mean'"),
}


@pytest.mark.parametrize("name", WRONG_WINDOWS)
def test_settings_of_pooled_energy(name):
    settings, kind, message = WRONG_WINDOWS[name]
    with pytest.raises(kind, match=re.escape(message)):
        nr.PooledEnergy(**({"tolerance": 0.2} if name not in ("no tolerance", "size", "statistic") else {}) | settings)


def test_energy_pooled_otherwise_names_only_what_differs(faces):
    seen = BANK.transform(faces, pool=nr.PooledEnergy(8))
    with pytest.raises(ValueError, match=r"dense or pooled with size=4; got energy pooled with size=8\. Pool both"):
        nr.PooledEnergy(4).fit(seen)
    with pytest.raises(ValueError, match=r"got response\. V1Bank.transform returns it"):
        nr.PooledEnergy(4).fit(BANK.responses(faces))


def test_simple_cells(faces):
    with pytest.raises(TypeError, match="rectify: True or False; got 'half'"):
        BANK.responses(faces, rectify="half")
    with pytest.raises(ValueError, match="rectify=True with the statistic 'max'; got signed"):
        BANK.responses(faces, pool=nr.PooledEnergy(4, statistic="max"))
    pooled = nr.V1Bank([1.0], normalise="divisive_pooled")
    with pytest.raises(ValueError, match="use transform"):
        pooled.responses(faces)
    with pytest.raises(ValueError, match=r"got none. Give pool=nr.PooledEnergy\(size=16\)"):
        pooled.transform(faces)


def test_receptive_fields_of_too_many_samples():
    with pytest.raises(
        ValueError, match=r"degrees_per_pixel above 0.0004\d \(at most 4096 samples a side\); got 1e-05"
    ):
        BANK.receptive_field(2.0, 0.0, degrees_per_pixel=1e-5)
    assert isinstance(BANK.receptive_field(2.0, 0.0, degrees_per_pixel=1e-3), xr.DataArray)


@pytest.mark.parametrize("block", [0, 2.5, None])
def test_blocks(block, faces):
    with pytest.raises((ValueError, TypeError), match="block: needed"):
        BANK.transform(faces, block=block)


def test_mean_amplitude_is_of_complex_cells(faces):
    with pytest.raises(ValueError, match=r"'energy' or .*max.* for simple cells|statistic"):
        BANK.responses(faces, rectify=True, pool=nr.PooledEnergy(size=4, statistic="mean"))
