"""nr.simulate_study, sweeps, and nrsim simulate."""

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim import cli, study, study_simulation
from nrsim.neurons.job import Job

SMALL = {
    "stimuli": {
        "recipe": "expressions",
        "parameters": {
            "size": 32,
            "expressions": ["happy", "angry"],
            "intensities": [0.0, 0.5, 1.0],
            "domains": ["human"],
        },
    },
    "v1": {"frequencies": [1.0, 2.0], "orientations": 4},
    "features": {"size": 4},
    "encoder": {"controls": []},
    "neurons": {"trials": 2},
}


def with_sweep(**sweep):
    return SMALL | {"sweep": {key.replace("__", "."): values for key, values in sweep.items()}}


@pytest.fixture(scope="module")
def sweep():
    return nr.simulate_study(with_sweep(encoder__exponent=[0.5, 2.0], neurons__parameters__noise=[0.0, 0.05, 0.1]))


def test_a_point_of_a_sweep_is_the_study_at_these_settings(sweep):
    assert sweep["spike_count"].dims == ("encoder_exponent", "noise", "stimulus", "trial", "neuron", "time")
    first = "encoder_exponent"
    assert sweep[first].values.tolist() == [0.5, 2.0]
    point = nr.schema.check(sweep.sel({first: 2.0, "noise": 0.05}), "Recording")
    alone = nr.simulate_study(SMALL | {"encoder": {"controls": [], "exponent": 2.0}})
    np.testing.assert_array_equal(point["spike_count"], alone["spike_count"])
    curves = nr.tuning_curves(point, along="intensity", window=(0.07, 0.37))
    assert curves["firing_rate"].notnull().any()


def test_the_parameters_do_something(sweep):
    total = sweep["spike_count"].sum(("stimulus", "trial", "neuron", "time"))
    assert len(np.unique(total)) > 3


def test_stages_that_do_not_change_are_computed_once(monkeypatch):
    drawn, seen = [], []
    stimuli, features = study.stimuli_of, study.rehearsed_features
    monkeypatch.setattr(study, "stimuli_of", lambda *a: drawn.append(1) or stimuli(*a))
    monkeypatch.setattr(study, "rehearsed_features", lambda *a: seen.append(1) or features(*a))
    run = nr.simulate_study(with_sweep(neurons__parameters__noise=[0.02, 0.05], features__log=[True, False]))
    assert (len(drawn), len(seen)) == (1, 2)
    assert run["spike_count"].dims[:2] == ("noise", "log")


def test_an_interrupted_sweep_goes_on(tmp_path, monkeypatch, sweep):
    plan = with_sweep(encoder__exponent=[0.5, 2.0], neurons__parameters__noise=[0.0, 0.05, 0.1])
    runs, run = [], Job.run

    def stops(self, *arguments):
        if len(runs) == 4:
            raise KeyboardInterrupt
        runs.append(1)
        return run(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "run", stops)
        with pytest.raises(KeyboardInterrupt):
            nr.simulate_study(plan, out=tmp_path)
    assert not (tmp_path / "sweep.nc").exists()
    runs.clear()
    monkeypatch.setattr(Job, "run", lambda self, *a: runs.append(1) or run(self, *a))
    again = nr.simulate_study(plan, out=tmp_path)
    assert len(runs) == 2
    assert nr.identical(again, sweep)
    with xr.open_dataset(tmp_path / "sweep.nc", engine="h5netcdf") as saved:
        np.testing.assert_array_equal(saved["spike_count"], sweep["spike_count"])
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.nc"]


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"encoder.exponnent": [1, 2]}, "exponent"),
        ({"neurons.parameters.noize": [0.1, 0.2]}, "noise"),
        ({"encoder.exponent": []}, "a list of at least one value"),
        ({"encoder.exponent": 2}, "a list of at least one value"),
        ({"encoder.exponent": [1.0, 1.0]}, "values that differ"),
        ({"neurons.trials": [1, 2]}, "the same neurons.trials"),
        ({"stimuli.parameters.intensities": [[0.0, 1.0], [0.0, 0.5, 1.0]]}, "the same stimulus_id"),
        ({"title": ["a", "b"]}, "keys of stimuli"),
        (3, r"a table \[sweep\]"),
    ],
)
def test_wrong_sweeps(sweep, said):
    with pytest.raises((ValueError, TypeError), match=said):
        nr.simulate_study(SMALL | {"sweep": sweep})


def test_nested_keys_and_clashing_names():
    found = study_simulation._swept({"encoder": {"exponent": [1, 2]}, "v1.exponent": [1.0]})
    assert found == {"encoder.exponent": [1, 2], "v1.exponent": [1.0]}
    names = study_simulation._names(["encoder.exponent", "v1.exponent", "neurons.dt", "a.time"], {"time"})
    assert list(names.values()) == ["encoder_exponent", "v1_exponent", "dt", "a_time"]


TEXT = """
[stimuli]
recipe = "expressions"
parameters = {size = 32, expressions = ["happy", "angry"], intensities = [0.0, 1.0], domains = ["human"]}
[v1]
frequencies = [1.0, 2.0]
orientations = 4
[features]
size = 4
[encoder]
controls = []
[neurons]
model = "LIF"
trials = 2
variability = {private_gain_sd = 0.1, latency_sd = 0.0}
record = ["v"]
"""


def test_nrsim_simulate(tmp_path, capsys):
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    assert cli.main(["simulate", str(path), "--out", str(tmp_path / "out"), "--workers", "2"]) == 0
    assert "recording.zarr" in capsys.readouterr().out
    from nrsim.containers import open_lazily

    with open_lazily(tmp_path / "out" / "recording.zarr") as run:
        assert "v" in run
        assert nr.identical(run.load(), nr.simulate_study(path))
    path.write_text(TEXT + '[sweep]\n"neurons.parameters.noise" = [0.0, 0.05]\n')
    assert cli.main(["simulate", str(path), "--out", str(tmp_path / "out")]) == 0
    assert "sweep.nc" in capsys.readouterr().out
    assert cli.main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "Use nrsim simulate" in capsys.readouterr().err
    assert cli.main(["simulate", str(path), "--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path)]) == 2


def test_wrong_keys_of_neurons(tmp_path):
    for neurons, said in (
        ({"model": "LIFF"}, "'LIF'"),
        ({"variability": "AMM"}, "'AM'"),
        ({"variability": {"gain": 1}}, "private_gain_sd|latency_sd"),
        ({"dtt": 0.1}, "dt"),
    ):
        with pytest.raises((ValueError, TypeError), match=said):
            nr.simulate_study(SMALL | {"neurons": neurons})
