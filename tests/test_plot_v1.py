import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from scipy.ndimage import map_coordinates

import nrsim as nr

BANK = nr.V1Bank([1.0, 2.0], 4)
PLACES = nr.PooledEnergy(
    places={"left_eye": (-0.6, 0.4), "right_eye": (0.6, 0.4), "mouth": (0.0, -0.5)}, tolerance=0.25
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def made():
    faces = nr.example("StimulusSet")
    gratings = nr.render_gratings(orientations=[0, 30, 90, 135], frequencies=[2.0], size=64, degrees=4.0)
    return {
        "faces": faces,
        "gratings": gratings,
        "channels": BANK.channels,
        "field": BANK.receptive_field(2.0, 30.0, 90.0),
        "dense": BANK.transform(faces),
        "grid": BANK.transform(faces, pool=nr.PooledEnergy(4)),
        "places": BANK.transform(faces, pool=PLACES),
        "simple": BANK.responses(faces),
    }


DRAWN = {
    "field": (nr.plot.receptive_field, ("field",)),
    "bank": (nr.plot.v1_bank, ("channels",)),
    "dense": (nr.plot.v1_response, ("dense",)),
    "grid": (nr.plot.v1_response, ("grid",)),
    "places": (nr.plot.v1_response, ("places",)),
    "simple": (nr.plot.v1_response, ("simple",)),
    "bars": (nr.plot.v1_orientation, ("dense",)),
    "bars on a face": (nr.plot.v1_orientation, ("grid", "faces")),
    "bars at places": (nr.plot.v1_orientation, ("places", "faces")),
    "pools": (lambda faces, **settings: nr.plot.pools(faces, nr.PooledEnergy(4), **settings), ("faces",)),
}


@pytest.mark.parametrize("name", DRAWN)
def test_draws_into_the_axes_it_is_given_and_shows_nothing(name, made, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a plot must not show itself"))
    draw, names = DRAWN[name]
    data = [made[each] for each in names]
    before = [each.copy(deep=True) for each in data]
    _, ax = plt.subplots()
    assert draw(*data, ax=ax) is ax
    assert len(plt.get_fignums()) == 1
    own = draw(*data)
    assert isinstance(own, Axes)
    own.figure.canvas.draw()
    box, size = own.figure.get_tightbbox(), own.figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01 and box.x1 < size[0] + 0.01 and box.y1 < size[1] + 0.01
    assert all(each.identical(old) for each, old in zip(data, before, strict=True))
    with pytest.raises(TypeError, match="matplotlib Axes; got str"):
        draw(*data, ax="here")


def test_a_receptive_field_is_centred_on_zero_and_says_its_channel(made):
    ax = nr.plot.receptive_field(made["field"])
    mesh = ax.collections[0]
    low, high = mesh.get_clim()
    assert low == -high == pytest.approx(-float(np.abs(made["field"]).max()))
    np.testing.assert_array_equal(np.asarray(mesh.get_array()), made["field"].values)
    assert ax.get_title() == "2 cycles/degree, 30°, phase 90°"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (degree)", "y (degree)")


def test_contours_of_the_bank_are_where_its_gratings_give_half():
    bank = nr.V1Bank([2.0], [30.0], bandwidth=1.0, orientation_bandwidth=35.0)
    ax = nr.plot.v1_bank(bank.channels, degrees_per_pixel=1 / 8)
    plane, tuning, turning = ax.child_axes
    # against the Fourier transform of the receptive field itself
    field = [bank.receptive_field(2.0, 30.0, phase, degrees_per_pixel=1 / 16) for phase in (0.0, 90.0)]
    x, y = field[0]["x"].values, field[0]["y"].values
    for line in plane.lines[:2]:
        for u, v in np.transpose(line.get_data())[::9]:
            wave = np.exp(2j * np.pi * (u * x[None] + v * y[:, None]))
            even, odd = (float(np.abs((each.values * wave).sum())) / 2 for each in field)
            assert (even + odd) / 2 == pytest.approx(0.5, abs=0.02)
    assert max(plane.lines[2].get_xdata()) == 4.0  # Nyquist
    finer = nr.plot.v1_bank(bank.channels, degrees_per_pixel=1 / 32).child_axes[0]
    assert finer.get_title() == "Nyquist at 16 cycles/degree"
    frequency, amplitude = tuning.lines[0].get_data()
    above = frequency[amplitude >= 0.5]
    assert np.log2(above[-1] / above[0]) == pytest.approx(1.0, abs=0.03)
    degrees, amplitude = turning.lines[0].get_data()
    assert degrees[np.argmax(amplitude)] == 30.0
    assert np.ptp(degrees[amplitude >= 0.5]) == pytest.approx(35.0, abs=1.0)
    assert tuning.get_title() == "1 octaves wide at half height"


def test_maps_stand_at_their_frequency_and_orientation(made):
    seen = made["dense"].isel(frequency=[1, 0])  # whatever the order, the lowest is above
    ax = nr.plot.v1_response(seen, stimulus="macaque-angry-+1.00")
    sheet = np.asarray(ax.images[0].get_array())
    energy = seen["energy"].isel(stimulus=list(seen["stimulus_id"].values).index("macaque-angry-+1.00"))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["1", "2"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "45", "90", "135"]
    for row, frequency in enumerate((1.0, 2.0)):
        for column, orientation in enumerate((0.0, 45.0, 90.0, 135.0)):
            centre = ax.get_yticks()[row], ax.get_xticks()[column]
            top, left = (round(each - 31.5) for each in centre)  # 32 pixels, each drawn 2 × 2
            shown = sheet[top : top + 64 : 2, left : left + 64 : 2]
            np.testing.assert_array_equal(shown, energy.sel(frequency=frequency, orientation=orientation))
    assert ax.images[0].norm.vmin == 0
    assert ax.get_title() == "macaque-angry-+1.00"


def test_signed_responses_are_centred_on_zero(made):
    ax = nr.plot.v1_response(made["simple"], phase=90.0)
    norm = ax.images[0].norm
    assert norm.vmin == -norm.vmax < 0
    assert ax.get_title().endswith("simple cells of phase 90°")


def test_curves_at_places_are_the_responses(made):
    seen = made["places"]
    ax = nr.plot.v1_response(seen, stimulus="human-happy-+1.00")
    panels = ax.child_axes
    assert [panel.get_title() for panel in panels] == ["left eye", "right eye", "mouth"]
    row = list(seen["stimulus_id"].values).index("human-happy-+1.00")
    for place, panel in enumerate(panels):
        for i, line in enumerate(panel.lines):
            np.testing.assert_array_equal(line.get_ydata(), seen["energy"].values[row, i, :, place])
    assert len({panel.get_ylim() for panel in panels}) == 1


@pytest.mark.parametrize("pool", [None, nr.PooledEnergy(5), PLACES])
def test_bars_lie_along_the_bars_of_a_grating(made, pool):
    gratings = made["gratings"]
    seen = nr.V1Bank([2.0]).transform(gratings, pool=pool)
    for name, angle in zip(gratings["stimulus_id"].values, gratings["grating_orientation"].values, strict=True):
        ax = nr.plot.v1_orientation(seen, gratings, stimulus=str(name))
        segments = np.array(ax.collections[0].get_segments())
        middles, ends = segments.mean(1), segments[:, 1] - segments[:, 0]
        inner = np.abs(middles).max(1) < 1.2
        turned = np.rad2deg(np.arctan2(ends[inner, 1], ends[inner, 0])) - (angle + 90.0)
        assert np.abs((turned + 90.0) % 180.0 - 90.0).max() < 3.0
        # the picture lies where its pixels are: along a bar of the grating luminance stays
        shown = ax.images[0]
        left, right, bottom, top = shown.get_extent()
        assert (left, right, bottom, top) == pytest.approx((-2, 2, -2, 2))
        t = np.linspace(-0.3, 0.3, 7)
        along = np.deg2rad(angle + 90.0)
        at = [(2 - t * np.sin(along)) * 16 - 0.5, (2 + t * np.cos(along)) * 16 - 0.5]
        assert np.ptp(map_coordinates(np.asarray(shown.get_array(), dtype=float), at, order=1)) < 0.12


def test_circles_are_one_tolerance_wide_and_stand_at_the_places(made):
    ax = nr.plot.pools(made["faces"], PLACES, stimulus="human-happy-+1.00")
    circles = ax.collections[0]
    np.testing.assert_allclose(circles.get_offsets(), [(-0.6, 0.4), (0.6, 0.4), (0.0, -0.5)], atol=1e-3)
    np.testing.assert_allclose([circles.get_widths(), circles.get_heights()], 0.5, rtol=1e-2)
    assert [text.get_text() for text in ax.texts] == ["left eye", "right eye", "mouth"]
    shown = np.asarray(ax.images[0].get_array())
    row = list(made["faces"]["stimulus_id"].values).index("human-happy-+1.00")
    np.testing.assert_allclose(shown, made["faces"]["image"][row])
    grid = nr.plot.pools(made["faces"], nr.PooledEnergy((2, 4))).collections[0].get_offsets()
    seen = BANK.transform(made["faces"], pool=nr.PooledEnergy((2, 4)))
    np.testing.assert_allclose(grid[:4, 0], seen["x"])
    np.testing.assert_allclose(grid[::4, 1], seen["y"])


def test_a_frame_of_a_moving_stimulus(made):
    faces = made["faces"].isel(stimulus=slice(0, 3))
    image = faces["image"].rename(stimulus="frame").expand_dims(stimulus=1)
    moving = faces.isel(stimulus=[0]).drop_vars("image").assign(image=image.assign_attrs(units="1"))
    moving = moving.assign_coords(frame_time=("frame", [0.0, 0.04, 0.08], {"units": "s"}))
    seen = BANK.transform(moving, pool=nr.PooledEnergy(4))
    assert nr.plot.v1_response(seen).get_title() == "human-neutral-+0.00, at 0.04 s"
    ax = nr.plot.v1_orientation(seen, moving, frame=2)
    assert ax.get_title().endswith("at 0.08 s")
    shown = np.asarray(ax.images[0].get_array())
    np.testing.assert_allclose(shown, 0.45 * faces["image"][2] + 0.55, rtol=1e-6)
    with pytest.raises(ValueError, match="a frame from 0 to 2; got 3"):
        nr.plot.v1_response(seen, frame=3)


def test_direction_selective_cells_are_drawn_by_direction_of_drift():
    bank = nr.V1Bank([2.0], 4, temporal=nr.TemporalFilters())
    plane, tuning, turning = nr.plot.v1_bank(bank.channels).child_axes
    assert turning.get_xlabel() == "direction of drift (degree)"
    assert turning.get_xlim() == (0, 360)
    for line, direction in zip(turning.lines[:8], bank.channels["orientation"].values, strict=True):
        degrees, amplitude = line.get_data()
        assert degrees[np.argmax(amplitude)] == direction
        assert amplitude[degrees == (direction + 180) % 360] < 0.01
    middles = [np.mean(np.transpose(line.get_data())[:-1], axis=0) for line in plane.lines[:8]]
    assert len({tuple(np.round(middle, 3)) for middle in middles}) == 8
    assert len(tuning.get_xticks()) == 4


def test_bars_at_places_are_as_long_as_the_window_is_wide(made):
    ax = nr.plot.v1_orientation(made["places"])
    segments = np.array(ax.collections[0].get_segments())
    assert np.linalg.norm(segments[:, 1] - segments[:, 0], axis=-1).max() == pytest.approx(0.5)


def test_errors(made):
    with pytest.raises(ValueError, match="unknown stimulus 'human-hapy"):
        nr.plot.v1_response(made["dense"], stimulus="human-hapy-+1.00")
    with pytest.raises(ValueError, match=r"simple cells.*got energy"):
        nr.plot.v1_response(made["dense"], phase=0)
    with pytest.raises(ValueError, match="unknown phase 45"):
        nr.plot.v1_response(made["simple"], phase=45)
    with pytest.raises(ValueError, match="moving stimuli for a frame"):
        nr.plot.v1_response(made["dense"], frame=1)
    with pytest.raises(ValueError, match="unknown frequency 3"):
        nr.plot.v1_orientation(made["dense"], frequency=3)
    with pytest.raises(ValueError, match="energy; got response"):
        nr.plot.v1_orientation(made["simple"])
    with pytest.raises(ValueError, match="two or more orientations; got 1"):
        nr.plot.v1_orientation(made["dense"].isel(orientation=[0]))
    with pytest.raises(TypeError, match=r"got V1Bank\. Give bank.channels"):
        nr.plot.v1_bank(BANK)
    with pytest.raises(ValueError, match="got V1Response"):
        nr.plot.v1_bank(made["dense"].assign_attrs(schema="V1Response"))
    with pytest.raises(TypeError, match="a DataArray .* got ndarray"):
        nr.plot.receptive_field(made["field"].values)
    with pytest.raises(ValueError, match="finite weights"):
        nr.plot.receptive_field(made["field"] * np.nan)
    with pytest.raises(ValueError, match="with the coordinates y and x; got the dims"):
        nr.plot.receptive_field(made["faces"]["image"])
    with pytest.raises(TypeError, match="got the class PooledEnergy"):
        nr.plot.pools(made["faces"], nr.PooledEnergy)
    with pytest.raises(ValueError, match="not a valid V1Response"):
        nr.plot.v1_response(made["faces"])
