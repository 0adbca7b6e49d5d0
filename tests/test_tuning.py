import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import nrsim as nr
from nrsim import provenance
from nrsim.tuning import models
from nrsim.tuning.resampling import resampled_deviations, trial_folds

WINDOW = (0.1, 0.4)


def recording_of(rows, counts, edges=(0.0, 0.1, 0.4, 0.5), *, presented=None, neurons=None, **neuron_labels):
    """A recording whose counts (stimulus, trial, neuron) fall into the bin 0.1 to 0.4 s.

    ``rows`` hold stimulus labels; counts of -1 are repeats that did not take place.
    """
    counts = np.asarray(counts)
    edges = np.asarray(edges)
    cube = np.zeros((*counts.shape, len(edges) - 1), dtype=np.int64)
    cube[..., 1] = counts
    cube[counts < 0] = -1
    n_neurons = counts.shape[2]
    data = xr.Dataset({"spike_count": (("stimulus", "trial", "neuron", "time"), cube, {"units": "1"})})
    for name in rows[0]:
        values = [row[name] for row in rows]
        numeric = isinstance(values[0], float)
        data.coords[name] = ("stimulus", values, {"units": "degree" if name == "yaw" else "1"} if numeric else {})
    data.coords["neuron_id"] = ("neuron", neurons or [f"cell-{i}" for i in range(n_neurons)])
    for name, values in neuron_labels.items():
        data.coords[name] = ("neuron", values)
    for dim, size in zip(("stimulus", "trial", "neuron"), counts.shape, strict=True):
        data.coords[dim] = (dim, np.arange(size), {"units": "1"})
    seconds = {"time": (edges[:-1] + edges[1:]) / 2, "time_bin_start": edges[:-1], "time_bin_end": edges[1:]}
    for name, values in seconds.items():
        data.coords[name] = ("time", values, {"units": "s"})
    if presented is not None:
        data["presented"] = (("stimulus", "trial", "neuron"), presented)
    stamped = provenance.stamp(data, "Recording", "test", stimulus_duration=0.3, simultaneous=1)
    return nr.schema.check(stamped, "Recording")


def expression_rows(levels=(-0.5, 0.5, 1.0), domains=("human", "macaque"), expressions=("happy", "angry")):
    rows = []
    for domain in domains:
        norm = f"{domain}-neutral"
        shared = {"domain": domain, "norm_id": norm}
        rows.append({"stimulus_id": norm, "expression": "neutral", "intensity": 0.0, **shared})
        for expression in expressions:
            rows += [
                {"stimulus_id": f"{domain}-{expression}-{x}", "expression": expression, "intensity": float(x), **shared}
                for x in levels
            ]
    return rows


def linear_counts(rows, trials=6):
    """300 ms of 10 + 20 x Hz along happy, 10 - 10 x Hz along angry, the second neuron the reverse; no noise."""
    gain = {"neutral": (0, 0), "happy": (6, -3), "angry": (-3, 6)}
    means = np.array([[3 + slope * row["intensity"] for slope in gain[row["expression"]]] for row in rows])
    return np.repeat(np.round(means).astype(int)[:, None], trials, axis=1)


EVEN = (-1.0, 1.0)


class TestWindow:
    def test_counts_become_hz(self):
        rows = expression_rows()
        rates = nr.window_rates(recording_of(rows, np.full((len(rows), 4, 2), 6)), WINDOW)
        assert rates.dims == ("stimulus", "trial", "neuron")
        assert rates.attrs["units"] == "Hz"
        np.testing.assert_allclose(rates, 6 / 0.3)

    def test_ends_move_to_the_nearest_edge_and_say_so(self):
        recording = recording_of(expression_rows(), linear_counts(expression_rows()))
        rates = nr.window_rates(recording, (0.12, 0.37))
        assert (rates.attrs["window_start"], rates.attrs["window_end"]) == (0.1, 0.4)
        np.testing.assert_allclose(rates, nr.window_rates(recording, WINDOW))

    def test_rate_units_are_averaged_by_bin_width(self):
        recording = recording_of(expression_rows(), linear_counts(expression_rows()))
        width = recording["time_bin_end"] - recording["time_bin_start"]
        rate = (recording["spike_count"] / width).transpose(*recording["spike_count"].dims)
        as_rate = recording.drop_vars("spike_count").assign(firing_rate=rate.assign_attrs(units="Hz"))
        np.testing.assert_allclose(nr.window_rates(as_rate, (0.0, 0.5)), nr.window_rates(recording, (0.0, 0.5)))

    def test_baseline_is_the_neurons_mean(self):
        recording = recording_of(expression_rows(), linear_counts(expression_rows()))
        recording["spike_count"][..., 0] = 1
        difference = nr.window_rates(recording, WINDOW) - nr.window_rates(recording, WINDOW, (0.0, 0.1))
        np.testing.assert_allclose(difference, 10.0)

    @pytest.mark.parametrize(
        ("window", "message"),
        [
            ((-0.2, 0.3), "inside the recorded time, 0 to 0.5 s; got -0.2 to 0.3"),
            ((0.15, 0.2), "holds a whole bin; got 0.15 to 0.2 s"),
            ((0.3, 0.2), "start < end"),
        ],
    )
    def test_windows_that_do_not_fit(self, window, message):
        recording = recording_of(expression_rows(), linear_counts(expression_rows()))
        with pytest.raises(ValueError, match=message):
            nr.window_rates(recording, window)


class TestCurves:
    def test_means_and_errors_are_those_of_the_trials(self):
        recording = nr.example("Recording")
        curves = nr.tuning_curves(recording, window=WINDOW)
        rates = nr.window_rates(recording, WINDOW)
        one = rates.isel(stimulus=int(np.flatnonzero(rates["stimulus_id"] == "macaque-angry-+0.50")[0]), neuron=1)
        cell = curves.sel(domain="macaque", expression="angry", intensity=0.5).isel(neuron=1)
        assert float(cell["firing_rate"]) == pytest.approx(one.values.mean())
        assert float(cell["sem"]) == pytest.approx(stats.sem(one.values))
        assert int(cell["n_trials"]) == 8

    def test_the_norm_is_the_zero_of_every_curve_of_its_head(self):
        recording = nr.example("Recording")
        curves = nr.tuning_curves(recording, window=WINDOW)
        assert list(curves["expression"].values) == ["happy", "angry"]
        for domain in ("human", "macaque"):
            row = int(np.flatnonzero(recording["stimulus_id"] == f"{domain}-neutral-+0.00")[0])
            expected = nr.window_rates(recording, WINDOW)[row].mean("trial")
            for expression in ("happy", "angry"):
                zero = curves["firing_rate"].sel(domain=domain, expression=expression, intensity=0.0)
                np.testing.assert_allclose(zero, expected)

    def test_a_norm_without_names_is_its_own_curve(self):
        recording = nr.example("Recording").drop_vars("norm_id")
        assert "neutral" in nr.tuning_curves(recording, window=WINDOW)["expression"].values

    def test_order_does_not_matter(self):
        recording = nr.example("Recording").drop_dims("spike")
        shuffled = recording.isel(
            stimulus=np.random.default_rng(0).permutation(14), trial=[3, 1, 0, 2, 7, 6, 5, 4], neuron=[1, 0]
        )
        one, two = (nr.tuning_curves(r, window=WINDOW) for r in (recording, shuffled))
        again = two.isel(neuron=[1, 0]).reindex_like(one[["domain", "expression", "intensity"]])
        for name in ("firing_rate", "sem", "n_trials"):
            np.testing.assert_allclose(again[name], one[name])

    @pytest.mark.parametrize("way", ["fill", "presented"])
    def test_unequal_repeats_are_left_out(self, way):
        rows = expression_rows(domains=("human",), expressions=("happy",))
        counts = np.random.default_rng(1).poisson(5, (len(rows), 6, 2))
        took_place = np.ones(counts.shape, dtype=bool)
        took_place[0, 3:, 0] = took_place[2, 1:, 1] = took_place[3, :, 1] = False
        if way == "fill":
            recording = recording_of(rows, np.where(took_place, counts, -1))
        else:
            recording = recording_of(rows, counts, presented=took_place)
        curves = nr.tuning_curves(recording, window=WINDOW, by="expression")
        for i, row in enumerate(rows):
            for neuron in range(2):
                kept = counts[i, took_place[i, :, neuron], neuron] / 0.3
                cell = curves.sel(expression="happy", intensity=row["intensity"]).isel(neuron=neuron)
                assert int(cell["n_trials"]) == len(kept)
                if len(kept):
                    assert float(cell["firing_rate"]) == pytest.approx(kept.mean())
                else:
                    assert np.isnan(cell["firing_rate"])
                assert np.isfinite(cell["sem"]) == (len(kept) > 1)

    def test_labels_that_follow_from_another_make_no_dim(self):
        rows = expression_rows()
        for row in rows:
            row |= {"identity": {"human": "Ann", "macaque": "Bob"}[row["domain"]]}
        curves = nr.tuning_curves(recording_of(rows, linear_counts(rows)), window=WINDOW)
        assert curves["firing_rate"].dims == ("neuron", "domain", "expression", "intensity")
        assert curves["identity"].dims == ("domain",)
        assert list(curves["identity"].values) == ["Ann", "Bob"]

    def test_people_nested_in_heads_make_one_dim(self):
        people = {"Ann": "human", "Eve": "human", "Bob": "macaque"}
        rows = [
            {"stimulus_id": f"{name}{x}", "identity": name, "domain": domain, "intensity": float(x)}
            for name, domain in people.items()
            for x in (0, 1)
        ]
        curves = nr.tuning_curves(recording_of(rows, np.ones((6, 2, 1))), window=WINDOW)
        assert curves["firing_rate"].dims == ("neuron", "identity", "intensity")
        assert list(curves["domain"].values) == ["human", "human", "macaque"]

    def test_stimuli_alike_are_pooled_over_trials(self):
        rows = expression_rows()
        curves = nr.tuning_curves(recording_of(rows, linear_counts(rows)), window=WINDOW, by="expression")
        assert curves["firing_rate"].dims == ("neuron", "expression", "intensity")
        assert (curves["n_trials"] == 12).all()

    def test_along_another_number(self):
        rows = [
            {"stimulus_id": f"{e}{yaw}", "expression": e, "yaw": float(yaw), "intensity": 1.0, "norm_id": "happy0"}
            for e in ("happy", "angry")
            for yaw in (-45, 0, 45)
        ]
        counts = np.arange(6)[:, None, None] * np.ones((1, 3, 1), dtype=int)
        curves = nr.tuning_curves(recording_of(rows, counts), along="yaw", window=WINDOW)
        assert curves["yaw"].attrs["units"] == "degree"
        np.testing.assert_allclose(curves["firing_rate"][0], np.arange(6).reshape(2, 3) / 0.3)

    def test_unknown_labels_name_the_nearest(self):
        recording = nr.example("Recording")
        with pytest.raises(ValueError, match="nearest: 'intensity'"):
            nr.tuning_curves(recording, along="intensty", window=WINDOW)
        with pytest.raises(ValueError, match="nearest: 'domain'"):
            nr.tuning_curves(recording, by="domains", window=WINDOW)
        with pytest.raises(ValueError, match="numeric label"):
            nr.tuning_curves(recording, along="expression", window=WINDOW)


class TestKernels:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.floats(-50, 50).map(lambda v: round(v, 1)), min_size=3, max_size=9))
    def test_ranks_and_spearman_agree_with_scipy(self, values):
        y = np.array(values)
        x = np.linspace(0, 1, len(y))
        np.testing.assert_allclose(models.ranks(y, 0), stats.rankdata(y) - 1)
        mine = models.spearman(x, y[:, None])[0]
        if np.ptp(y) == 0:
            assert np.isnan(mine)
        else:
            assert mine == pytest.approx(stats.spearmanr(x, y).statistic)

    def test_spearman_leaves_out_what_was_not_shown(self):
        y = np.array([1.0, np.nan, 2.0, 5.0, 3.0])
        assert models.spearman(np.arange(5.0), y[:, None])[0] == pytest.approx(
            stats.spearmanr([0, 2, 3, 4], [1, 2, 5, 3]).statistic
        )

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10_000))
    def test_regression_is_that_of_single_trials(self, seed):
        rng = np.random.default_rng(seed)
        f, n = rng.normal(size=5), rng.integers(1, 6, 5)
        trials = [rng.normal(size=k) for k in n]
        total = np.array([t.sum() for t in trials])
        intercept, slope = models.regress(f, n[:, None].astype(float), total[:, None])
        expected = np.polyfit(np.repeat(f, n), np.concatenate(trials), 1)
        np.testing.assert_allclose([slope[0], intercept[0]], expected, atol=1e-8)
        weights = models.slope_weights(f, n[:, None].astype(float))
        assert (weights[:, 0] * total / n).sum() == pytest.approx(slope[0])

    def test_the_bootstrap_has_the_variance_of_the_mean(self):
        values = np.random.default_rng(0).normal(10, 3, (1, 5, 4))
        values[0, 3:, 0] = np.nan
        values[0, 1:, 1] = np.nan
        (deviation,) = resampled_deviations(values, np.array(["a"]), np.arange(5), 20_000, 1)
        expected = [stats.sem(values[0, :3, 0]), 0.0, stats.sem(values[0, :, 2]), stats.sem(values[0, :, 3])]
        np.testing.assert_allclose(deviation.std(0), expected, rtol=0.04, atol=1e-12)

    def test_folds_are_balanced_and_keyed_by_name(self):
        rates = nr.window_rates(nr.example("Recording"), WINDOW)
        rates[3, 5:, 1] = np.nan
        folds = trial_folds(rates, 4, seed=2)
        assert (folds[3, 5:, 1] == -1).all()
        for stimulus in range(rates.sizes["stimulus"]):
            for neuron in range(2):
                held = folds[stimulus, :, neuron]
                assert np.ptp(np.bincount(held[held >= 0], minlength=4)) <= 1
        order = np.random.default_rng(0).permutation(8)
        np.testing.assert_array_equal(trial_folds(rates[:, order], 4, seed=2), folds[:, order])


class TestPreferredSlopes:
    def recording(self, trials=6, seed=None, levels=EVEN):
        rows = expression_rows(levels=levels)
        counts = linear_counts(rows, trials)
        if seed is not None:
            counts = np.random.default_rng(seed).poisson(np.maximum(counts, 0) * 1.0)
        return recording_of(rows, np.maximum(counts, 0), prefers=["happy", "angry"], encoder=["norm", "norm-shuffled"])

    def test_known_slopes_are_recovered(self):
        slopes = nr.preferred_slopes(self.recording(levels=(-0.5, 1.0)), window=WINDOW, n_bootstrap=50)
        counts = {-0.5: (0, 4), 0.0: (3, 3), 1.0: (9, 0)}  # linear_counts, rounded half to even
        x = list(counts)
        own, other = (np.polyfit(x, [value[i] / 0.3 for value in counts.values()], 1)[0] for i in (0, 1))
        np.testing.assert_allclose(slopes["slope_preferred"], own)
        np.testing.assert_allclose(slopes["slope_other"], other)
        np.testing.assert_allclose(slopes["slope_difference"], own - other)
        np.testing.assert_allclose(slopes["slope_difference_low"], own - other)
        np.testing.assert_allclose(slopes["rho"], 1.0)
        assert slopes["slope_difference"].dims == ("neuron", "domain")
        assert slopes["slope_difference"].attrs["units"] == "Hz per unit"

    def test_an_isotropic_neuron_has_no_difference(self):
        rows = expression_rows(levels=(0.5, 1.0))
        counts = np.array([[[2 + 4 * row["intensity"]] * 2] * 5 for row in rows]).astype(int)
        slopes = nr.preferred_slopes(
            recording_of(rows, counts, prefers=["happy", "angry"]), window=WINDOW, n_bootstrap=20
        )
        np.testing.assert_allclose(slopes["slope_difference"], 0.0, atol=1e-9)
        assert (slopes["slope_preferred"] > 0).all()

    def test_the_interval_covers_the_truth(self):
        truth, covered, n = self.truth(), [], 40
        for seed in range(n):
            found = nr.preferred_slopes(self.recording(8, seed), window=WINDOW, n_bootstrap=200, seed=seed)
            covered.append((found["slope_difference_low"] <= truth) & (truth <= found["slope_difference_high"]))
        assert 0.88 < float(np.mean(covered)) < 0.99

    def truth(self):
        exact = self.recording(2)
        return nr.preferred_slopes(exact, window=WINDOW, n_bootstrap=2)["slope_difference"].values[0, 0]

    def test_neurons_without_a_preference_in_the_set_are_nan(self):
        recording = self.recording().assign_coords(prefers=("neuron", ["happy", "neutral"]))
        slopes = nr.preferred_slopes(recording, window=WINDOW, n_bootstrap=5)
        assert np.isfinite(slopes["slope_difference"][0]).all()
        assert np.isnan(slopes["slope_difference"][1]).all()

    def test_order_and_seed(self):
        recording = self.recording(6, 3)
        one = nr.preferred_slopes(recording, window=WINDOW, n_bootstrap=40, seed=1)
        turned = recording.isel(stimulus=slice(None, None, -1), trial=[2, 0, 1, 5, 4, 3], neuron=[1, 0])
        two = nr.preferred_slopes(turned, window=WINDOW, n_bootstrap=40, seed=1)
        other = nr.preferred_slopes(recording, window=WINDOW, n_bootstrap=40, seed=2)
        two = two.isel(neuron=[1, 0]).sel(domain=one["domain"])
        for name in one.data_vars:
            np.testing.assert_allclose(two[name], one[name], err_msg=str(name))
        assert not np.allclose(other["slope_difference_low"], one["slope_difference_low"])

    def test_the_table_says_what_its_range_is_over(self):
        table = nr.summarise_slopes(nr.preferred_slopes(self.recording(6, 3), window=WINDOW, n_bootstrap=40))
        assert list(table.columns[:4]) == ["encoder", "domain", "prefers", "n_neurons"]
        assert set(table["range_over"]) == {"trials"}
        assert len(table) == 4

    def test_needs_a_preference(self):
        with pytest.raises(ValueError, match="neuron label 'prefers'"):
            nr.preferred_slopes(nr.example("Recording").drop_vars("prefers"))
        lost = nr.example("Recording").assign_coords(prefers=("neuron", ["glad", "glad"]))
        with pytest.raises(ValueError, match=r"prefer a value of 'expression' \(happy, angry\); got glad"):
            nr.preferred_slopes(lost, window=WINDOW)
        with pytest.raises(ValueError, match=r"result of nr\.preferred_slopes"):
            nr.summarise_slopes(nr.example("Recording"))
