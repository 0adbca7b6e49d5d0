import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

import nrsim as nr

WINDOW = (0.1, 0.4)
SAME = {"happy": "lip-smack", "angry": "threat"}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def made():
    recording = nr.example("Recording")
    curves = nr.tuning_curves(recording, window=WINDOW)
    return {
        "faces": nr.example("StimulusSet"),
        "recording": recording,
        "curves": curves,
        "fits": nr.fit_intensity_response(recording, window=WINDOW, n_bootstrap=20),
        "slopes": nr.preferred_slopes(recording, window=WINDOW, n_bootstrap=20),
        "comparison": nr.compare_curves(curves, nr.published_curves(), match=SAME, n_bootstrap=20),
    }


DRAWN = {
    "stimulus_sheet": ("faces", {}),
    "tuning_curves": ("curves", {}),
    "intensity_response": ("curves", {}),
    "raster": ("recording", {}),
    "population": ("recording", {}),
    "curve_overlay": ("comparison", {}),
    "slopes": ("slopes", {}),
}


@pytest.mark.parametrize("name", DRAWN)
def test_draws_into_the_axes_it_is_given_and_shows_nothing(name, made, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a plot must not show itself"))
    data, settings = DRAWN[name]
    before = made[data].copy(deep=True)
    _, ax = plt.subplots()
    assert getattr(nr.plot, name)(made[data], ax=ax, **settings) is ax
    assert len(plt.get_fignums()) == 1
    own = getattr(nr.plot, name)(made[data], **settings)
    assert isinstance(own, Axes)
    own.figure.canvas.draw()
    assert made[data].identical(before)
    with pytest.raises(TypeError, match="matplotlib Axes; got str"):
        getattr(nr.plot, name)(made[data], ax="here", **settings)


@pytest.mark.parametrize("name", DRAWN)
def test_refuses_what_is_something_else(name):
    with pytest.raises(ValueError, match="needed|not a valid"):
        getattr(nr.plot, name)(nr.example("Features"))


def test_the_sheet_shows_every_face_in_its_place(made):
    faces = made["faces"]
    ax = nr.plot.stimulus_sheet(faces)
    sheet = ax.images[0].get_array()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["happy", "angry"] * 2
    column = [tick.get_text() for tick in ax.get_xticklabels()].index("1")
    x, y = ax.get_xticks()[column], ax.get_yticks()[3]
    shown = sheet[int(y) - 16 : int(y) + 16, int(x) - 16 : int(x) + 16]
    row = int(np.flatnonzero(faces["stimulus_id"] == "macaque-angry-+1.00")[0])
    np.testing.assert_allclose(shown, faces["image"][row])
    norm = sheet[int(y) - 16 : int(y) + 16, int(ax.get_xticks()[1]) - 16 : int(ax.get_xticks()[1]) + 16]
    zero = int(np.flatnonzero(faces["stimulus_id"] == "macaque-neutral-+0.00")[0])
    np.testing.assert_allclose(norm, faces["image"][zero])


def test_sheet_of_unlabelled_pictures():
    faces = nr.example("StimulusSet").drop_vars(["domain", "expression", "intensity", "norm_id", "norm_kind"])
    ax = nr.plot.stimulus_sheet(faces)
    assert len(ax.get_xticks()) == faces.sizes["stimulus"]


def test_sheet_of_stimuli_without_intensity():
    probes = nr.render_gratings(orientations=range(0, 180, 9), frequencies=[1.0], size=32)  # 20
    ax = nr.plot.stimulus_sheet(probes)
    assert len(ax.get_xticks()) == 16
    assert [label.get_text() for label in ax.get_yticklabels()] == ["grating", ""]
    shown = np.asarray(ax.images[0].get_array())
    assert shown[:32, :32] == pytest.approx(probes["image"].values[0])
    assert shown[-32:, :32] == pytest.approx(probes["image"].values[16])
    both = nr.join_stimuli([nr.example("StimulusSet"), probes])
    ax = nr.plot.stimulus_sheet(both)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["−0.5", "0", "0.5", "1"]
    assert len(ax.get_yticks()) == 4 + 5  # a row for each head and expression; four gratings a row


def test_points_stand_at_the_means(made):
    curves = made["curves"]
    ax = nr.plot.intensity_response(curves, made["fits"], domain="macaque", neuron="norm-angry")
    points = [line for line in ax.lines if line.get_marker() != "None" and len(line.get_xdata())]
    drawn = sorted(tuple(np.round(line.get_ydata(), 6)) for line in points)
    rates = curves["firing_rate"].sel(domain="macaque").isel(neuron=1).values
    assert drawn == sorted(tuple(np.round(row, 6)) for row in rates)
    assert ax.get_title().startswith("macaque")


def test_the_grid_has_a_panel_for_each_neuron_and_head(made):
    axes = nr.plot.intensity_response_grid(made["curves"], made["fits"], neurons=["norm-angry"])
    assert axes.shape == (1, 2)
    assert [ax.get_title() for ax in axes[0]] == ["human", "macaque"]


def test_raster_and_histogram_hold_every_spike(made):
    recording = made["recording"]
    ax = nr.plot.raster(recording, stimulus="human-happy-+1.00", neuron="norm-happy", bin_width=0.05)
    above, below = ax.child_axes
    row = int(np.flatnonzero(recording["stimulus_id"] == "human-happy-+1.00")[0])
    counts = recording["spike_count"][row, :, 0]
    drawn = [
        len(collection.get_positions()) for collection in above.collections if hasattr(collection, "get_positions")
    ]
    assert drawn == counts.sum("time").values.tolist()
    np.testing.assert_allclose(below.lines[0].get_ydata(), counts.mean("trial") / 0.05)


def test_population_shows_means(made):
    recording = made["recording"]
    image = nr.plot.population(recording, window=WINDOW).images[0].get_array()
    np.testing.assert_allclose(image, nr.window_rates(recording, WINDOW).mean("trial").values.T)
    mesh = nr.plot.population(recording, against="time").collections[0].get_array()
    expected = recording["spike_count"].mean(("stimulus", "trial")).values / 0.05
    np.testing.assert_allclose(np.asarray(mesh).reshape(expected.shape), expected)


def test_shuffled_encoders_become_the_null():
    recording = nr.example("Recording").assign_coords(encoder=("neuron", ["norm", "norm-shuffled"]))
    ax = nr.plot.slopes(nr.preferred_slopes(recording, window=WINDOW, n_bootstrap=20))
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "shuffled: 95 % of neurons" in names


def test_overlay_grid(made):
    axes = nr.plot.curve_overlay_grid(made["comparison"])
    assert [ax.get_title() for ax in axes] == ["lip-smack", "threat"]


def test_unknown_names_name_the_nearest(made):
    with pytest.raises(ValueError, match="unknown neuron 'norm-hapy'; nearest: 'norm-happy'"):
        nr.plot.tuning_curves(made["curves"], neuron="norm-hapy")
    with pytest.raises(ValueError, match="unknown domain 'humn'"):
        nr.plot.intensity_response(made["curves"], domain="humn")
    with pytest.raises(ValueError, match="unknown stimulus 'human-hapy"):
        nr.plot.raster(made["recording"], stimulus="human-hapy-+1.00")
    with pytest.raises(ValueError, match="unknown scale 'normalized'; nearest: 'normalised'"):
        nr.plot.curve_overlay(made["comparison"], scale="normalized")
    with pytest.raises(ValueError, match="units of the two differ"):
        nr.plot.curve_overlay(made["comparison"], scale="Hz")
    with pytest.raises(ValueError, match="counts or firing rates only"):
        nr.plot.raster(made["recording"].drop_dims("spike"))
    with pytest.raises(ValueError, match="fits with the same neuron_id"):
        nr.plot.intensity_response(made["curves"], made["fits"].isel(neuron=[0]))
