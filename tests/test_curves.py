import numpy as np
import pytest
from scipy import stats

import nrsim as nr

TABLE = """# title: two cells
# source: a test
subject,neuron,expression,intensity,firing_rate,sem,n
Ada,a,happy,0,5,0.5,10
Ada,a,happy,1,25,1.5,9
Ada,a,angry,1,7,,
Bob,b,happy,0.5,9,1,3
"""


def write(tmp_path, text, name="monkey.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


class TestReadCurves:
    def test_every_row_stands_at_its_labels(self, tmp_path):
        curves = nr.read_curves(write(tmp_path, TABLE))
        assert curves["firing_rate"].dims == ("neuron", "expression", "intensity")
        cell = curves.sel(expression="happy", intensity=1.0).isel(neuron=0)
        assert [float(cell[name]) for name in ("firing_rate", "sem", "n_trials")] == [25.0, 1.5, 9.0]
        unknown = curves.sel(expression="angry", intensity=1.0).isel(neuron=0)
        assert np.isnan(unknown["sem"])
        assert np.isnan(unknown["n_trials"])
        assert int(np.isfinite(curves["firing_rate"]).sum()) == 4
        assert float(curves["n_trials"].sel(expression="angry", intensity=0.0)[0]) == 0
        assert list(curves["subject"].values) == ["Ada", "Bob"]
        assert (curves.attrs["title"], curves.attrs["source"]) == ("two cells", "a test")
        assert curves["firing_rate"].attrs["units"] == "Hz"

    def test_order_of_rows_does_not_matter(self, tmp_path):
        head, *rows = TABLE.splitlines()[2:]
        turned = nr.read_curves(write(tmp_path, "\n".join([head, *rows[::-1]]), "turned.csv"))
        one = nr.read_curves(write(tmp_path, TABLE)).set_index(neuron="neuron_id")
        again = turned.set_index(neuron="neuron_id").reindex_like(one)
        for name in ("firing_rate", "sem", "n_trials"):
            np.testing.assert_array_equal(again[name], one[name])

    def test_along_another_column(self, tmp_path):
        text = "# along: level\n# units: 1\nlevel,firing_rate\n0.2,0.5\n0.1,0.25\n"
        curves = nr.read_curves(write(tmp_path, text))
        np.testing.assert_array_equal(curves["firing_rate"], [[0.25, 0.5]])
        assert curves.attrs["along"] == "level"
        assert curves["firing_rate"].attrs["units"] == "1"
        assert list(curves["neuron_id"].values) == ["monkey"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("intensity,firing_rat\n0,1\n", "needed the column 'firing_rate'.*nearest: 'firing_rat'"),
            ("intensity,firing_rate\n0,1\n1,many\n", "row 3: needed a number in the column 'firing_rate'; got 'many'"),
            ("# title: x\nintensity,firing_rate\n0,1\n1,nan\n", "row 4: needed a number"),
            ("intensity,firing_rate\n0,1\n1,\n", "row 3: needed a number in the column 'firing_rate'; got ''"),
            ("intensity,firing_rate\n0,1\n0,2\n", "row 3: needed one row.*row 2 already holds it"),
            ("intensity,firing_rate,sem\n0,1,-1\n", "row 2: needed sem of at least 0; got -1"),
            ("intensity,firing_rate,sme\n0,1,1\n", "unknown column of numbers 'sme'; nearest: 'sem'"),
            ("intensity,firing_rate\n", "an empty table"),
            ("", "an empty table"),
            ("intensity,firing_rate\n0,1,2\n", "row 2: needed 2 values; got 3"),
            ("# units: spikes\nintensity,firing_rate\n0,1\n", "units 'Hz' or '1'; got 'spikes'"),
            ("neuron,subject,intensity,firing_rate\na,A,0,1\na,B,1,1\n", "row 3: needed one subject for each neuron"),
        ],
    )
    def test_faults_are_named(self, tmp_path, text, message):
        with pytest.raises(ValueError, match=message):
            nr.read_curves(write(tmp_path, text))

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no file. Check the path"):
            nr.read_curves(tmp_path / "none.csv")


def test_published_curves_hold_what_was_published():
    curves = nr.published_curves("stettler2023").set_index(neuron="neuron_id")
    neurons = curves["firing_rate"].sel(neuron="macaque neurons")
    published = {"fear": 0.983, "lip-smack": 0.984, "threat": 1.000}
    for expression, r in published.items():
        strength = np.corrcoef(curves["intensity"], neurons.sel(expression=expression))[0, 1]
        assert strength == pytest.approx(r, abs=6e-4)
    assert (curves["firing_rate"].sel(intensity=1.0) == 1).all()
    with pytest.raises(ValueError, match="nearest: 'stettler2023'"):
        nr.published_curves("stettler2022")


def curves_of(tmp_path, name, function, *, levels=(0.0, 0.25, 0.5, 1.0), sem=0.5, neurons=1, label="happy"):
    lines = ["neuron,expression,intensity,firing_rate,sem,n"]
    lines += [f"n{i},{label},{x},{function(x, i)},{sem},10" for i in range(neurons) for x in levels]
    return nr.read_curves(write(tmp_path, "\n".join(lines), f"{name}.csv"))


class TestCompare:
    def test_straight_lines_have_known_differences(self, tmp_path):
        model = curves_of(tmp_path, "model", lambda x, i: 5 + 20 * x)
        monkey = curves_of(tmp_path, "monkey", lambda x, i: 8 + 10 * x)
        result = nr.compare_curves(model, monkey, n_bootstrap=400).isel(monkey_neuron=0, expression=0)
        x = np.array([0.0, 0.25, 0.5, 1.0])
        rmse = result["rmse"]
        assert float(rmse.sel(scale="Hz")) == pytest.approx(np.sqrt(((10 * x - 3) ** 2).mean()))
        assert float(rmse.sel(scale="baseline_subtracted")) == pytest.approx(np.sqrt(((10 * x) ** 2).mean()))
        assert float(rmse.sel(scale="normalised")) == pytest.approx(0.0, abs=1e-12)
        np.testing.assert_allclose(result["slope_ratio"], [2.0, 2.0, 1.0])
        assert float(result["pearson"]) == pytest.approx(1.0)
        at = result.sel(scale="Hz")
        assert float(at["slope_model_low"]) < 20 < float(at["slope_model_high"])
        # the interval of a least-squares slope from independent errors of 0.5 Hz
        width = float(at["slope_model_high"] - at["slope_model_low"])
        assert width == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(((x - x.mean()) ** 2).sum()), rel=0.2)

    def test_correlations_agree_with_scipy(self, tmp_path):
        one, two = (3.0, 1.0, 9.0, 4.0), (1.0, 2.0, 5.0, 7.0)
        levels = (0.0, 0.25, 0.5, 1.0)
        model = curves_of(tmp_path, "model", lambda x, i: one[levels.index(x)])
        monkey = curves_of(tmp_path, "monkey", lambda x, i: two[levels.index(x)])
        result = nr.compare_curves(model, monkey, n_bootstrap=10)
        assert float(result["pearson"].squeeze()) == pytest.approx(stats.pearsonr(one, two).statistic)
        assert float(result["spearman"].squeeze()) == pytest.approx(stats.spearmanr(one, two).statistic)

    def test_the_model_is_interpolated_and_never_extrapolated(self, tmp_path):
        model = curves_of(tmp_path, "model", lambda x, i: 5 + 20 * x, levels=(0.0, 1.0))
        monkey = curves_of(tmp_path, "monkey", lambda x, i: 5 + 20 * x, levels=(-0.5, 0.1, 0.7, 1.5))
        result = nr.compare_curves(model, monkey, n_bootstrap=10)
        np.testing.assert_array_equal(result["intensity"], [0.1, 0.7])
        np.testing.assert_allclose(result["rmse"].sel(scale="Hz"), 0.0, atol=1e-12)

    def test_normalised_curves_do_not_depend_on_gain(self, tmp_path):
        monkey = nr.published_curves()
        results = [
            nr.compare_curves(
                curves_of(tmp_path, "model", lambda x, i, gain=gain: 5 + gain * x**2), monkey, match={"happy": "fear"}
            )
            for gain in (10, 70)
        ]
        for name in ("rmse", "pearson", "slope_ratio"):
            at = [r[name].isel(scale=-1) if "scale" in r[name].dims else r[name] for r in results]
            np.testing.assert_allclose(*at)
        assert np.isnan(results[0]["rmse"].sel(scale=["Hz", "baseline_subtracted"])).all()
        assert results[0].attrs["baseline_monkey"] == "already subtracted"
        assert results[0].attrs["resampled_monkey"] == "nothing"

    def test_several_neurons_are_averaged_and_resampled(self, tmp_path):
        model = curves_of(tmp_path, "model", lambda x, i: 5 + (10 + 2 * i) * x, neurons=6)
        monkey = curves_of(tmp_path, "monkey", lambda x, i: 5 + 15 * x)
        result = nr.compare_curves(model, monkey, n_bootstrap=500).sel(scale="Hz").squeeze()
        assert result.attrs["resampled_model"] == "neurons"
        assert float(result["slope_model"]) == pytest.approx(15.0)
        width = float(result["slope_model_high"] - result["slope_model_low"])
        assert width == pytest.approx(2 * 1.96 * np.std(2 * np.arange(6)) / np.sqrt(6), rel=0.2)

    def test_neurons_count_along_what_they_prefer(self):
        model = nr.example("TuningCurves")
        same = {"happy": "lip-smack", "angry": "threat"}
        result = nr.compare_curves(model, nr.published_curves(), match=same, n_bootstrap=10)
        np.testing.assert_allclose(
            result["model"].sel(scale="normalised", expression="threat")[0, 0], [0.25, 0.5, 0.75, 1.0]
        )
        assert result.attrs["averaged"] == "model domain"
        assert result.attrs["model_neurons"] == "along what they prefer"

    def test_labels_without_a_match_are_averaged(self):
        result = nr.compare_curves(nr.example("TuningCurves"), nr.published_curves(), n_bootstrap=10)
        assert result["pearson"].dims == ("encoder", "monkey_neuron")
        assert result.attrs["averaged"] == "model domain, model expression, monkey expression"

    def test_order_and_seed(self, tmp_path):
        model = curves_of(tmp_path, "model", lambda x, i: 5 + (10 + i) * x, neurons=3)
        monkey = curves_of(tmp_path, "monkey", lambda x, i: 5 + (15 - i) * x, neurons=2)
        one = nr.compare_curves(model, monkey, n_bootstrap=50, seed=1)
        turned = nr.compare_curves(model, monkey.isel(neuron=[1, 0]), n_bootstrap=50, seed=1)
        np.testing.assert_allclose(turned["rmse_low"].sel(monkey_neuron=["n0", "n1"]), one["rmse_low"])
        other = nr.compare_curves(model, monkey, n_bootstrap=50, seed=2)
        assert not np.allclose(other["rmse_low"].sel(scale="Hz"), one["rmse_low"].sel(scale="Hz"))

    def test_nothing_shared(self, tmp_path):
        model = curves_of(tmp_path, "model", lambda x, i: 5 + 20 * x, levels=(-1.0, 0.0))
        monkey = curves_of(tmp_path, "monkey", lambda x, i: 5 + 20 * x, levels=(0.5, 1.0))
        with pytest.raises(ValueError, match=r"the model's -1 to 0 and the monkey's 0\.5, 1"):
            nr.compare_curves(model, monkey)
        with pytest.raises(ValueError, match="label of the model in match 'hapy'; nearest: 'happy'"):
            nr.compare_curves(model, monkey, match={"hapy": "happy"})
        with pytest.raises(ValueError, match="along 'intensity', as the monkey's"):
            nr.compare_curves(model.assign_attrs(along="yaw"), monkey)
