import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

import nrsim as nr

WINDOW = (0.1, 0.4)
SAME = {"happy": "lip-smack", "angry": "threat"}
SCHILLER = "spatial-frequency selectivity ratio"


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


def cell(ax, row, column, size):
    """Return a picture on the sheet by its row's middle and its column (the gap is one pixel for 32)."""
    top, left = round(ax.get_yticks()[row] - size / 2), column * (size + 1)
    return np.asarray(ax.images[0].get_array())[top : top + size, left : left + size]


def row_labels(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


def clipped(ax):
    """Return how far, in inches, anything reaches out of the figure."""
    box, size = ax.figure.get_tightbbox(), ax.figure.get_size_inches()
    return max(-box.x0, -box.y0, box.x1 - size[0], box.y1 - size[1])


def labelled(n, units=(), **labels):
    """Return ``n`` different plain pictures of 32 × 32 with these labels."""
    faces = nr.example("StimulusSet").isel(stimulus=np.arange(n) % 14)
    faces = faces.drop_vars(["domain", "expression", "intensity", "norm_id", "norm_kind", "image_sha256"])
    faces = faces.assign_coords({"stimulus_id": ("stimulus", [f"s{i:02d}" for i in range(n)])})
    faces = faces.assign_coords({name: ("stimulus", values) for name, values in labels.items()})
    for name, unit in dict(units).items():
        faces[name].attrs["units"] = unit
    faces["image"][:] = np.linspace(0.1, 0.9, n)[:, None, None]
    return faces


def views_of_expressions():
    """Return 3 views × 3 expressions × 3 intensities, the expression varying fastest, as a user may list them."""
    views, expressions = ("left_half_profile", "frontal", "right_half_profile"), ("fear_grimace", "lip_smack", "threat")
    rows = [(view, level, name) for view in views for level in (0.25, 0.5, 1.0) for name in expressions]
    view, level, name = map(list, zip(*rows, strict=True))
    return labelled(27, {"intensity": "1"}, view=view, intensity=level, expression=name)


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_rows_of_one_outer_name_stand_together_in_any_order(seed):
    faces = views_of_expressions()
    if seed is not None:
        faces = faces.isel(stimulus=np.random.default_rng(seed).permutation(27))
    ax = nr.plot.stimulus_sheet(faces)
    labels = row_labels(ax)
    heads = [text.get_text() for text in ax.texts]
    assert sorted(heads) == ["fear grimace", "lip smack", "threat"]
    middles = [text.xy[1] for text in ax.texts]
    assert np.abs(np.array(middles) - ax.get_yticks()[1::3]).max() < 1
    for group, head in enumerate(heads):
        assert sorted(labels[3 * group : 3 * group + 3]) == ["frontal", "left half profile", "right half profile"]
        for row in range(3 * group, 3 * group + 3):
            here = (faces["expression"] == head.replace(" ", "_")) & (faces["intensity"] == 1.0)
            here &= faces["view"] == labels[row].replace(" ", "_")
            expected = faces["image"].values[here.values][0]
            np.testing.assert_allclose(cell(ax, row, 2, 32), expected, rtol=1e-6)


def moving(n, frames):
    faces = labelled(n, expression=[f"e{i}" for i in range(n)])
    shown = faces["image"].expand_dims(frame=frames, axis=1) * np.linspace(0.1, 1, frames)[:, None, None]
    shown = shown.transpose("stimulus", "frame", "y", "x").astype(np.float32)
    shown.attrs["units"] = "1"
    faces["image"] = shown
    return faces.assign_coords(frame_time=("frame", np.arange(frames) / 20, {"units": "s"}))


UNCLIPPED = {
    "example": lambda: nr.example("StimulusSet"),
    "groups": views_of_expressions,
    "one": lambda: labelled(1),
    "long": lambda: labelled(2, expression=["a_very_long_name_of_an_expression", "another_very_long_name_of_one"]),
    "gratings": lambda: nr.render_gratings(orientations=[0, 45, 90], contrasts=[0.5, 1], frequencies=[1, 2], size=32),
    "film": lambda: moving(3, 5),
    "moving": lambda: moving(9, 5),
    "many": lambda: labelled(130, identity=[f"i{i}" for i in range(130)]),
}


@pytest.mark.parametrize("name", UNCLIPPED)
def test_the_figure_holds_the_whole_sheet(name):
    ax = nr.plot.stimulus_sheet(UNCLIPPED[name]())
    ax.figure.canvas.draw()
    assert clipped(ax) <= 0
    boxes = [label.get_window_extent() for label in ax.get_xticklabels() if not label.get_rotation()]
    assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))
    groups = [text.get_window_extent() for text in ax.texts if text.get_weight() == "bold"]
    assert all(upper.y0 > lower.y1 for upper, lower in zip(groups, groups[1:], strict=False))


def test_group_names_longer_than_their_rows_lie_flat():
    n = np.arange(64)
    labels = {
        "domain": [f"a_long_name_of_a_group_{i // 16}" for i in n],
        "view": np.where(n % 16 < 8, "up", "down"),
        "intensity": n % 8 / 8,
    }
    faces = labelled(64, {"intensity": "1"}, **labels)
    flat = [text.get_rotation() for text in nr.plot.stimulus_sheet(faces).texts]
    assert flat == [0.0] * 4


def test_few_stimuli_are_shown_larger():
    few = labelled(3, expression=["happy", "threat", "fear_grimace"])
    ax = nr.plot.stimulus_sheet(few)
    size = ax.get_window_extent().width / ax.figure.dpi / 3
    assert 1.2 < size < 1.4
    assert not any(label.get_rotation() for label in ax.get_xticklabels())


def test_blanks_stand_below_under_their_names():
    gratings = nr.render_gratings(orientations=[0, 45, 90], contrasts=[0.5, 1], frequencies=[1], size=32, blank=True)
    ax = nr.plot.stimulus_sheet(gratings)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "45", "90"]
    assert row_labels(ax) == ["contrast 0.5", "contrast 1", "grating"]
    assert [text.get_text() for text in ax.texts] == ["grating-blank"]


def test_two_numbers_of_one_kind_are_told_apart():
    a, b = np.meshgrid([0.25, 0.5, 1.0], [0.0, 1.0])
    units = {"grating_contrast": "1", "mask_contrast": "1"}
    ax = nr.plot.stimulus_sheet(labelled(6, units, grating_contrast=a.ravel(), mask_contrast=b.ravel()))
    assert ax.get_xlabel() == "grating contrast"
    assert row_labels(ax) == ["mask contrast 0", "mask contrast 1"]


def test_morphs_between_identities_have_a_row_for_each_pair():
    identity = ["p", "p", "p", "q", "q", "q", "p-q", "p-q"]
    labels = {"intensity": [0.5, 1.0, 1.5] * 2 + [1.0] * 2, "morph_fraction": [np.nan] * 6 + [0.75, 0.25]}
    ax = nr.plot.stimulus_sheet(labelled(8, {"intensity": "1", "morph_fraction": "1"}, identity=identity, **labels))
    assert row_labels(ax) == ["p", "q", "p-q"]
    assert sorted(text.get_text() for text in ax.texts) == ["25 %", "75 %"]
    np.testing.assert_allclose(cell(ax, 2, 0, 32), 0.9, rtol=1e-6)  # 25 %, the last of the set


def test_names_that_do_not_fit_are_left_out():
    named = labelled(5).assign_coords(stimulus_id=("stimulus", [f"{'long-name-' * 12}{i}" for i in range(5)]))
    assert not nr.plot.stimulus_sheet(named).texts


def test_few_moving_stimuli_become_film_strips():
    faces = moving(3, 15)
    ax = nr.plot.stimulus_sheet(faces)
    assert row_labels(ax) == ["s00", "s01", "s02"]
    assert ax.get_xlabel() == "time (s)"
    heads = [float(label.get_text()) for label in ax.get_xticklabels()]
    np.testing.assert_allclose(heads, np.arange(0, 15, 2) / 20)
    np.testing.assert_allclose(cell(ax, 1, 3, 32), faces["image"][1, 6], rtol=1e-6)


def test_a_sheet_of_moving_stimuli_says_its_time():
    faces = moving(9, 5)
    ax = nr.plot.stimulus_sheet(faces)
    assert ax.texts[-1].get_text() == "moving; shown at 0.1 s"
    np.testing.assert_allclose(cell(ax, 0, 1, 32), faces["image"][1, 2], rtol=1e-6)


def test_large_pictures_are_averaged():
    faces = labelled(2, expression=["a", "b"])
    checks = np.indices((32, 32)).sum(0) % 2
    faces["image"][:] = checks
    ax = nr.plot.stimulus_sheet(faces, pixels=16)
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array())[:16, :16], 0.5)


def test_sheet_of_unlabelled_pictures():
    faces = nr.example("StimulusSet").drop_vars(["domain", "expression", "intensity", "norm_id", "norm_kind"])
    ax = nr.plot.stimulus_sheet(faces)
    assert len(ax.get_xticks()) == 0  # no numbers that mean nothing: the ids stand under the pictures
    written = [text.get_text().replace("\n", "") for text in ax.texts]
    assert written == [str(name) for name in faces["stimulus_id"].values]


def test_sheet_of_stimuli_without_intensity():
    probes = nr.render_gratings(orientations=range(0, 180, 9), frequencies=[1.0], size=32)  # 20
    ax = nr.plot.stimulus_sheet(probes)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["grating", "", ""]  # 8 a row
    shown = np.asarray(ax.images[0].get_array())
    assert shown[:32, :32] == pytest.approx(probes["image"].values[0])
    assert cell(ax, 2, 0, 32) == pytest.approx(probes["image"].values[16])
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


def test_a_large_population_is_named_by_group(made):
    recording = made["recording"].isel(neuron=np.arange(200) % 2)
    recording = recording.assign_coords(
        neuron=("neuron", np.arange(200), {"units": "1"}), neuron_id=("neuron", [f"n{i}" for i in range(200)])
    ).drop_vars([name for name in recording.variables if str(name).startswith("spike_") and name != "spike_count"])
    ax = nr.plot.population(recording, window=WINDOW)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["happy", "angry"]
    assert ax.get_yticks().tolist() == [49.5, 149.5]
    drawn = np.asarray(ax.images[0].get_array())
    rates = nr.window_rates(recording, WINDOW).mean("trial").values.T
    np.testing.assert_allclose(drawn, np.concatenate([rates[::2], rates[1::2]]))
    alone = recording.assign_coords(prefers=("neuron", [f"p{i}" for i in range(200)]))
    ax = nr.plot.population(alone, against="time")
    assert not len(ax.get_yticks()) and ax.get_ylabel() == "200 neurons"


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
    with pytest.raises(ValueError, match="pixels: a whole number, 1 or more; got 0"):
        nr.plot.stimulus_sheet(made["faces"], pixels=0)
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


def test_published_values_stand_below_what_was_measured():
    rows = nr.published_v1("contrast exponent")
    ax = nr.plot.beside_published({"exponent": {"simple": 2.0, "complex": 2.1}}, {"exponent": rows})
    (panel,) = ax.child_axes
    at = {marker: [line.get_xydata()[0] for line in panel.lines if line.get_marker() == marker] for marker in "os|"}
    assert [x for x, _ in at["o"]] == [2.0, 2.4]  # a cell, and the value that was recalled
    assert [x for x, _ in at["s"]] == [2.1]
    assert [x for x, _ in at["|"]] == [2.0]
    assert max(at["|"][0][1], at["o"][1][1]) < min(at["s"][0][1], at["o"][0][1])
    names = [label.get_text() for label in panel.get_yticklabels()]
    assert names == ["Sclar 1990, median (recalled)", "Albrecht 1982, mean"]
    assert list(panel.get_yticks()) == [at["o"][1][1], at["|"][0][1]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["simple", "complex"]


def test_quartiles_are_drawn_and_ranges_are_not_and_percent_is_a_fraction():
    ax = nr.plot.beside_published(
        {"ratio": {"model": 0.6}}, {"ratio": nr.published_v1(SCHILLER).iloc[:1]}, legend=False
    )
    (bar,) = [line for line in ax.child_axes[0].lines if len(line.get_xdata()) == 2]
    assert list(bar.get_xdata()) == pytest.approx([0.43, 0.62])
    assert ax.get_legend() is None
    widths = nr.published_v1("orientation bandwidth").iloc[:1]
    (panel,) = nr.plot.beside_published({"w": {"m": 35}}, {"w": widths}).child_axes
    assert all(len(line.get_xdata()) == 1 for line in panel.lines)


def test_each_measure_has_an_axis_with_its_unit_and_each_definition_its_rows():
    measured = {"circular variance": 0.13, "orientation bandwidth": {"simple": 38.0}, "surround suppression": 0.9}
    ax = nr.plot.beside_published(measured, nr.published_v1())
    variance, width, without = ax.child_axes
    assert [each.get_xlabel() for each in (variance, width)] == ["circular variance", "orientation bandwidth (degree)"]
    assert variance.get_xlim()[1] < 1 < 40 < width.get_xlim()[1]
    assert variance.lines[0].get_xdata()[0] == 0.13
    assert not variance.texts  # one definition
    (full, above), (half, below) = [(text.get_text(), text.get_position()[1]) for text in width.texts]
    assert full.startswith("full width at half") and half.startswith("half width at 1/sqrt(2)")
    devalois, ringach = width.get_yticks()
    assert above > devalois > below > ringach
    assert [text.get_text() for text in without.texts] == ["no number"]
    ax.figure.canvas.draw()
    box, size = ax.figure.get_tightbbox(), ax.figure.get_size_inches()
    assert min(box.x0, box.y0) > -0.01 and box.x1 < size[0] + 0.01 and box.y1 < size[1] + 0.01
    (alone,) = nr.plot.beside_published({"mine": 0.2}, nr.published_v1("circular variance")).child_axes
    assert [line.get_xdata()[0] for line in alone.lines] == [0.2, 0.61]


def test_published_rows_of_nothing_measured_are_refused():
    with pytest.raises(ValueError, match="published rows of what was measured: width; got 'widht'"):
        nr.plot.beside_published({"width": {"m": 1.0}}, {"widht": nr.published_v1(SCHILLER)})
    with pytest.raises(ValueError, match="without definition"):
        nr.plot.beside_published({"w": {"m": 1.0}}, {"w": nr.published_v1(SCHILLER).drop(columns="definition")})
    with pytest.raises(ValueError, match="of 'w' in one unit; got .*degree"):
        nr.plot.beside_published({"w": 1.0}, {"w": nr.published_v1()})
    with pytest.raises(ValueError, match="unknown published quantity 'circular varianc'; nearest: 'circular variance'"):
        nr.plot.beside_published({"circular varianc": 1.0}, nr.published_v1())
    with pytest.raises(TypeError, match="'w' of 'measured': 'broad'"):
        nr.plot.beside_published({"w": "broad"}, {})
    with pytest.raises(TypeError, match="got float"):
        nr.plot.beside_published(0.13, {})
