"""Populations of neurons that differ, functions of one's own, and what no axis sees."""

import ast
import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim.distributions import checked, draw
from nrsim.encoders.population import turned
from nrsim.encoders.rules import norm_activity

FIT = {"prototypes": {"domain": "human", "intensity": 1.0}, "norms": {"intensity": 0.0}}


@pytest.fixture
def faces():
    """300 random faces about a norm, of 20 features and three variances, and two that are learned."""
    rng = np.random.default_rng(4)
    spread = np.r_[3.0, 2.0, 1.0, np.zeros(17)]
    value = rng.normal(size=(303, 20)) * spread
    value[0] = 0.0
    value[1:3] = 0.0
    value[1, 0] = value[2, 1] = 2.0
    features = nr.example("Features").isel(stimulus=[0] * 303, feature=[0] * 20)
    labels = {
        "stimulus_id": ("stimulus", [f"face-{i}" for i in range(303)]),
        "feature_id": ("feature", [f"feature-{i}" for i in range(20)]),
        "expression": ("stimulus", ["neutral", "one", "two", *["other"] * 300]),
        "intensity": ("stimulus", np.r_[0.0, 1.0, 1.0, np.full(300, 0.5)], {"units": "1"}),
    }
    return features.assign(value=(("stimulus", "feature"), value + 7.0, {"units": "1"})).assign_coords(labels)


def test_a_population_of_equal_neurons_is_the_norm_encoder():
    features = nr.example("Features")
    population = nr.NormPopulation(4, directions="prototypes", exponent=2.0, gain=1.0, baseline=0.0, seed=1)
    code = nr.schema.check(population.fit(features, **FIT).transform(features), "FaceCode")
    single = nr.NormEncoder(exponent=2.0).fit(features, **FIT).transform(features)
    assert code["activity"].values == pytest.approx(np.tile(single["activity"].values, 2))
    assert list(code["prefers"].values) == ["happy", "angry"] * 2
    assert code["at_prototype"].values == pytest.approx(1.0)
    assert code["distance"].values == pytest.approx(single["distance"].values)
    scattered = nr.NormPopulation(4, scatter=0.0, exponent=2.0, gain=1.0, baseline=0.0, seed=1).fit(features, **FIT)
    assert scattered.transform(features)["activity"].values == pytest.approx(code["activity"].values)


def test_each_neuron_has_its_own_exponent_gain_and_baseline(faces):
    population = nr.NormPopulation(30, seed=3).fit(faces, **FIT)
    code = population.transform(faces)
    assert code["activity"].values[0] == pytest.approx(code["baseline"].values)  # the first face is the norm
    d = faces["value"].values - 7.0
    for i in (0, 7, 29):
        n, nu = population.directions_[i : i + 1], float(code["exponent"][i])
        by_hand = norm_activity(d, n, np.ones(1), "general", nu)[:, 0] / population.lengths_[i]
        expected = float(code["baseline"][i]) + float(code["gain"][i]) * by_hand
        assert code["activity"].values[:, i] == pytest.approx(expected)
    own = np.array([code["activity"].values[1 + i % 2, i] for i in range(30)])
    assert code["at_prototype"].values == pytest.approx(own)
    assert len(set(code["exponent"].values)) == 30
    joined = nr.join_codes([code, nr.NormEncoder().fit(faces, **FIT).transform(faces)])
    assert np.isnan(joined["exponent"].values[-1])


def test_draws_do_not_depend_on_how_many_neurons_or_in_which_order_faces_come(faces):
    later = faces.isel(stimulus=[*range(302, 2, -1), 0, 1, 2])
    for directions in ("scattered", "random"):
        many, few, other = (
            nr.NormPopulation(n, directions=directions, seed=seed).fit(shown, **FIT).transform(faces)["activity"].values
            for n, seed, shown in ((40, 3, faces), (10, 3, later), (10, 4, faces))
        )
        assert few == pytest.approx(many[:, :10])
        assert not np.allclose(other, few)


def test_random_directions_lie_where_faces_vary_and_as_much(faces):
    population = nr.NormPopulation(2000, directions="random", seed=1).fit(faces, **FIT)
    n = population.directions_
    assert np.linalg.norm(n, axis=1) == pytest.approx(1.0)
    assert n[:, 3:] == pytest.approx(0.0, abs=1e-12)  # no neuron looks where no face differs
    drawn = np.random.default_rng(0).normal(size=(100_000, 3)) * np.sqrt(
        ((faces["value"].values - 7.0) ** 2).mean(0)[:3]
    )
    expected = (drawn**2 / (drawn**2).sum(axis=1, keepdims=True)).mean(axis=0)
    assert (n[:, :3] ** 2).mean(axis=0) == pytest.approx(expected, abs=0.03)
    assert np.abs(n[:, :3].mean(axis=0)).max() < 0.06
    code = population.transform(faces)
    nearest = np.array(population.prefers_)[(n @ np.eye(20)[:2].T).argmax(axis=1)]
    assert (code["prefers"].values == nearest).all()


def test_scattered_directions_are_turned_by_a_normal_angle_within_the_space_of_faces(faces):
    population = nr.NormPopulation(2000, scatter=20.0, seed=1).fit(faces, **FIT)
    learned = np.eye(20)[np.arange(2000) % 2]
    angle = np.rad2deg(np.arccos(np.clip((population.directions_ * learned).sum(axis=1), -1, 1)))
    assert np.sqrt((angle**2).mean()) == pytest.approx(20.0, rel=0.05)
    assert population.directions_[:, 3:] == pytest.approx(0.0, abs=1e-12)
    one = turned(np.array([[1.0, 0.0]]), np.array([[-1.0, 1.0]]), np.array([90.0]))
    assert one == pytest.approx(np.array([[0.0, 1.0]]))
    nowhere = turned(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0]]), np.array([90.0]))
    assert nowhere == pytest.approx(np.array([[1.0, 0.0]]))


@pytest.mark.parametrize(
    ("spec", "mean", "sd"),
    [
        ({"distribution": "normal", "mean": 2.0, "sd": 0.5}, 2.0, 0.5),
        ({"distribution": "uniform", "low": 1.0, "high": 4.0}, 2.5, 3 / np.sqrt(12)),
        ({"distribution": "gamma", "mean": 3.0, "shape": 4.0}, 3.0, 1.5),
        (
            {"distribution": "lognormal", "median": 2.0, "sigma": 0.5},
            2 * np.exp(0.125),
            2 * np.exp(0.125) * np.sqrt(np.exp(0.25) - 1),
        ),
    ],
)
def test_distributions_have_the_moments_they_say(spec, mean, sd):
    values = draw(checked(spec, "gain"), "gain", 4000, 2)
    assert values.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(4000))
    assert values.std() == pytest.approx(sd, rel=0.08)
    assert (draw(1.5, "gain", 3, 2) == 1.5).all()


def test_what_a_population_refuses(faces):
    with pytest.raises(ValueError, match="no exponent with the rule 'projection'"):
        nr.NormPopulation(5, rule="projection", exponent=2.0, seed=1)
    nr.NormPopulation(5, rule="projection", seed=1)
    with pytest.raises(TypeError, match="seed"):
        nr.NormPopulation(5)
    with pytest.raises(ValueError, match="directions of a population 'randomly'; nearest: 'random'"):
        nr.NormPopulation(5, directions="randomly", seed=1)
    with pytest.raises(ValueError, match="distribution of gain 'lognorml'; nearest: 'lognormal'"):
        nr.NormPopulation(5, gain={"distribution": "lognorml"}, seed=1)
    with pytest.raises(ValueError, match="parameter of the normal distribution of gain 'sigma'"):
        nr.NormPopulation(5, gain={"distribution": "normal", "mean": 1, "sigma": 1}, seed=1)
    with pytest.raises(ValueError, match="none of sd"):
        nr.NormPopulation(5, gain={"distribution": "normal", "mean": 1}, seed=1)
    with pytest.raises(ValueError, match="low below high"):
        nr.NormPopulation(5, gain={"distribution": "uniform", "low": 2, "high": 1}, seed=1)
    with pytest.raises(ValueError, match="exponent, median: needed more than 0"):
        nr.NormPopulation(5, exponent={"distribution": "lognormal", "median": 0, "sigma": 1}, seed=1)
    with pytest.raises(ValueError, match="gain: needed more than 0"):
        nr.NormPopulation(5, gain=0, seed=1)
    with pytest.raises(ValueError, match=r"exponent above 0.0 in every neuron; got -.*lognormal or gamma"):
        nr.NormPopulation(50, exponent={"distribution": "normal", "mean": 0.1, "sd": 1}, seed=1).fit(faces, **FIT)
    with pytest.raises(ValueError, match="needed norms"):
        nr.NormPopulation(5, seed=1).fit(faces, prototypes=FIT["prototypes"])
    with pytest.raises(ValueError, match="the label 'landmark' on all features"):
        nr.NormPopulation(5, rule="landmark", seed=1).fit(faces, **FIT)
    norm = faces.isel(stimulus=[0])
    given = xr.DataArray(norm["value"].values, dims=("domain", "feature"), coords={"domain": ["human"]})
    with pytest.raises(ValueError, match="equals it|vary about their norms"):
        nr.NormPopulation(5, directions="random", seed=1).fit(norm, prototypes={"intensity": 0.0}, norms=given)


def test_a_function_of_ones_own():
    features = nr.example("Features")

    def along(difference, directions):
        return difference @ directions.T

    mine = nr.CustomEncoder(along, name="mine").fit(features, **FIT)
    code = nr.schema.check(mine.transform(features), "FaceCode")
    known = nr.NormEncoder("projection", scale="none").fit(features, **FIT).transform(features)
    assert np.clip(code["activity"].values, 0, None) == pytest.approx(known["activity"].values)
    assert list(code["neuron_id"].values) == ["mine-happy", "mine-angry"]
    assert set(code["encoder"].values) == {"mine"}
    assert code["at_prototype"].values == pytest.approx(known["at_prototype"].values)
    assert code["distance"].values == pytest.approx(known["distance"].values)
    assert "along" in code.attrs["parameters"] and " at 0x" not in code.attrs["parameters"]
    assert (mine.transform(features, which_norm="nearest")["norm_used"].values == code["domain"].values).all()
    assert mine.adapt(features, rate=0.5).transform(features)["activity"].shape == (14, 2)
    accuracy = nr.cross_domain_accuracy(features, source="human", encoder=nr.CustomEncoder(along))
    assert float(accuracy["accuracy"].sel(domain="macaque")) == 1.0


def test_a_function_that_learns_and_needs_no_norm():
    features = nr.example("Features")

    def centred(value, prototypes, learned, sharpness=2.0):
        return np.exp(-sharpness * ((value[:, None] - prototypes) ** 2).sum(axis=2) / learned)

    mine = nr.CustomEncoder(centred, learn=lambda prototypes, norms: ((prototypes[0] - prototypes[1]) ** 2).sum())
    human = features["domain"].values == "human"
    code = mine.fit(features.isel(stimulus=human), prototypes=FIT["prototypes"]).transform(features)
    assert "distance" not in code.coords and "norm_used" not in code.coords
    assert code["at_prototype"].values == pytest.approx(1.0)
    with pytest.raises(ValueError, match="an encoder that uses a norm"):
        mine.adapt(features, rate=0.1)


def test_functions_that_do_not_fit():
    features = nr.example("Features")
    with pytest.raises(ValueError, match="parameter of the function activity 'diference'; nearest: 'difference'"):
        nr.CustomEncoder(lambda diference: diference)
    with pytest.raises(TypeError, match="activity: a function"):
        nr.CustomEncoder("projection")
    with pytest.raises(ValueError, match="learn= beside"):
        nr.CustomEncoder(lambda learned: learned)
    with pytest.raises(ValueError, match=r"of shape \(2, 2\) from 'custom'; got shape \(2, 12\)"):
        nr.CustomEncoder(lambda difference: difference).fit(features, **FIT)
    with pytest.raises(ValueError, match="finite activity from 'custom'; got 4 NaN"):
        nr.CustomEncoder(lambda difference, directions: difference @ directions.T * np.nan).fit(features, **FIT)
    with pytest.raises(TypeError, match="an array of numbers from 'custom'; got str"):
        nr.CustomEncoder(lambda difference: "much").fit(features, **FIT)
    with pytest.raises(TypeError, match="real numbers from 'custom'; got complex"):
        nr.CustomEncoder(lambda difference, directions: 1j * (difference @ directions.T)).fit(features, **FIT)
    with pytest.raises((TypeError, ValueError), match="parameters have names.*Write def|parameter of the function"):
        nr.CustomEncoder(np.dot)  # newer Pythons know the names of its parameters
    with pytest.raises(ValueError, match="curve of an encoder 'linaer'; nearest: 'linear'"):
        nr.CustomEncoder(lambda difference: difference, curve="linaer")
    mine = nr.CustomEncoder(lambda value: value[:, :2])  # norms are given to encoders that do not use them, too
    code = mine.fit(features, **FIT).transform(features)
    assert code["baseline"].values == pytest.approx(np.diag(features["value"].values[[0, 0], :2]))
    with pytest.raises(TypeError, match="name: a text"):
        nr.CustomEncoder(lambda difference: difference, name=3)


def test_what_no_axis_sees_changes_no_neuron():
    features = nr.example("Features")
    axis = nr.AxisEncoder().fit(features, **FIT)
    code = axis.transform(features)
    rng = np.random.default_rng(0)
    shift = rng.normal(size=(14, 12))
    basis = np.linalg.qr(axis.axes_.T)[0]
    shift -= shift @ basis @ basis.T  # orthogonal to every axis
    moved = features.assign(value=(("stimulus", "feature"), features["value"].values + shift, {"units": "1"}))
    assert axis.transform(moved)["activity"].values == pytest.approx(code["activity"].values)
    left = nr.schema.check(axis.null_projection(moved), "Features")
    assert axis.transform(left)["activity"].values == pytest.approx(0.0, abs=1e-9)
    assert (left["value"].values - axis.null_projection(features)["value"].values) == pytest.approx(shift)
    # linear: the activity of a sum of differences is the sum of the activities
    halfway = features.assign(
        value=(("stimulus", "feature"), (features["value"].values + axis.centre_) / 2, {"units": "1"})
    )
    assert axis.transform(halfway)["activity"].values == pytest.approx(code["activity"].values / 2)
    with pytest.raises(ValueError, match="not fitted"):
        nr.AxisEncoder().null_projection(features)
    with pytest.raises(ValueError, match="feature_id differ"):
        axis.null_projection(features.isel(feature=slice(0, 3)))


def test_the_numbers_of_am_are_those_of_the_recordings(real_data):
    root = Path(__file__).parent.parent
    tool = runpy.run_path(str(root / "tools" / "fit_population.py"), run_name="tool")
    script = ast.parse((root / "analyses" / "plot_freiwaldtsao2010_population.py").read_text(encoding="utf-8"))
    said = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in script.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("AM", "PERCENTILES")
    }
    neurons = tool["read_am"](real_data / "freiwald_tsao_am")
    assert len(neurons) == 193
    assert said["PERCENTILES"] == tool["PERCENTILES"]
    measured = tool["percentiles"](neurons[1::2])
    assert np.array(list(said["AM"].values())) == pytest.approx(measured, abs=0.006)
    # What is known of all of them: evoked 3.75 (IQR 1.6 to 9.2) and 19 for the best picture, sparseness .43
    everything = tool["percentiles"](neurons)
    assert everything[:, 2] == pytest.approx([3.75, 19.0, 0.43], rel=0.03)
