import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from test_images import morph_table

import nrsim as nr
from nrsim import cli, settings
from nrsim.study import stimuli_of
from nrsim.study_features import check_alignment

RECIPE = """
title = "small"
source = "ours"
generator = "faces"
[parameters]
domains = ["human", "macaque"]
expressions = ["happy", "surprised"]
intensities = [-0.5, 0.0, 0.5, 1.0]
size = 48
degrees = 4.0
"""
SMALL = """
title = "A small study"
seed = 3
[stimuli]
recipe = "small.toml"
[v1]
frequencies = [1, 2, 4]
[features]
size = 8
[encoder]
shuffles = 2
[neurons]
trials = 5
"""


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The folder of a small study, and the folder of its results."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "small.toml").write_text(RECIPE)
    (folder / "study.toml").write_text(SMALL)
    assert cli.main(["run", str(folder / "study.toml"), "--out", str(folder / "out")]) == 0
    return folder


def test_a_run_leaves_everything(studies):
    out = studies / "out"
    names = {path.name for path in out.iterdir()}
    wanted = {"stimuli.nc", "recording.nc", "tuning.nc", "study.toml", "report.html"}
    assert wanted <= names
    figures = {
        "stimuli",
        "intensity_response",
        "slopes",
        "recognition",
        "tuning",
        "raster",
        "population",
        "time_course",
    }
    assert {f"{name}.{ending}" for name in figures for ending in ("png", "pdf")} <= names
    assert not [name for name in names if "partial" in name]
    for name, noun in (("stimuli", "StimulusSet"), ("recording", "Recording"), ("tuning", "TuningCurves")):
        nr.schema.check(xr.load_dataset(out / f"{name}.nc"), noun)


def test_the_report_is_one_page_that_says_how_it_was_made(studies):
    page = (studies / "out" / "report.html").read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    recording = xr.load_dataset(studies / "out" / "recording.nc")
    for words in ("A small study", recording.attrs["brian2_version"], recording.attrs["code_target"], "norm-shuffled"):
        assert words in page
    assert xr.load_dataset(studies / "out" / "stimuli.nc").attrs["recipe_sha256"] in page


def test_what_each_stimulus_is_taken_for_is_in_the_results_and_the_report(studies):
    results = nr.run_study(studies / "study.toml")
    said, scores = results["readout"], results["readout_scores"]
    assert said.sizes["stimulus"] == results["stimuli"].sizes["stimulus"]
    learned = (said["domain"] == "human") & (said["intensity"] == 1)
    assert (said["answer"] == said["expression"]).values[learned.values].all()
    assert said["read_intensity"].values[learned.values] == pytest.approx(1.0)
    assert scores["recognised"].sel(domain="human", intensity=0).item() == 1.0
    page = (studies / "out" / "report.html").read_text()
    assert "intensity read" in page
    one = 'encoder.prototypes={happy = {domain = "human", expression = "happy", intensity = 1.0}}'
    alone = nr.run_study(studies / "study.toml", assignments=[one, "neurons.trials=1"])
    assert "readout" not in alone  # one neuron has nothing to choose from


def test_the_study_left_behind_gives_the_same_recording_and_another_seed_another(studies):
    again = nr.run_study(studies / "out" / "study.toml")
    saved = xr.load_dataset(studies / "out" / "recording.nc")
    assert nr.identical(again["recording"], saved)
    other = nr.run_study(studies / "out" / "study.toml", assignments=["seed=4"])["recording"]
    assert not (other["spike_count"] == saved["spike_count"]).all()


def test_settings_from_the_command_line(studies):
    out = studies / "other"
    assignments = ["--set", "neurons.trials=2", "--set", "neurons.model=RateUnits", "--set", "encoder.controls=[]"]
    assert cli.main(["run", str(studies / "study.toml"), "--out", str(out), *assignments]) == 0
    recording = xr.load_dataset(out / "recording.nc")
    assert "firing_rate" in recording
    assert recording.sizes["trial"] == 2
    assert set(recording["encoder"].values) == {"norm"}
    assert tomllib.loads((out / "study.toml").read_text())["neurons"]["trials"] == 2


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("neuron.trials=5", "nearest: 'neurons'"),
        ("neurons.trails=5", "nearest: 'trials'"),
        ("neurons.trials=many", "needed neurons.trials = a whole number"),
        ("neurons.trials=0", "neurons.trials: needed at least 1"),
        ("neurons.model=LIFF", "unknown neuron model"),
        ("neurons.parameters={tau = 1}", "unknown key in [neurons.parameters]"),
        ("presentation.duratoin=0.3", "nearest: 'duration'"),
        ("encoder.rule=genral", "nearest: 'general'"),
        ("encoder.controls=['axes']", "nearest: 'axis'"),
        ("encoder.prototypes={domain = 'robot'}", "domain is one of 'human', 'macaque'"),
        ("v1.frequencies=[40]", "frequencies up to"),
        ("stimuli.recipe=expresions", "nearest: 'expressions'"),
        ("stimuli.folder=pictures", "needed either recipe, or folder and table"),
        ("stimuli.size=64", "[stimuli.parameters]"),
        ("stimuli.parameters.sise=64", "nearest: 'size'"),
        ("stimuli.mask=background", "needed match beside mask"),
        ("stimuli.match=histogramm", "nearest: 'histogram'"),
        ("tuning.window=[0.3, 0.1]", "start < end"),
        ("seed", "needed an assignment like"),
    ],
)
def test_wrong_settings_end_in_one_message(studies, capsys, assignment, words):
    code = cli.main(["run", str(studies / "study.toml"), "--out", str(studies / "wrong"), "--set", assignment])
    said = capsys.readouterr().err
    assert code == 2
    assert words in said
    assert said.startswith("nrsim: error:")
    assert "Traceback" not in said
    assert not (studies / "wrong").exists()


def test_wrong_files_end_in_one_message(tmp_path, capsys):
    (tmp_path / "broken.toml").write_text("title = ")
    (tmp_path / "file").write_text("")
    cases = [
        (["run", str(tmp_path / "none.toml")], "there is no file"),
        (["run", str(tmp_path / "broken.toml")], "is not: "),
        (["run", "--out", str(tmp_path / "file")], "needed a folder to write to"),
        (["run", "--out", str(tmp_path / "file" / "below")], "file"),
        (["show", str(tmp_path / "none.nc")], "there is no file"),
        (["show", str(tmp_path / "file")], "is not one"),
        (["stimuli", "render", "expresions"], "nearest: 'expressions'"),
        (["analyses", "run", "nothing"], "unknown analysis"),
    ]
    for arguments, words in cases:
        assert cli.main(arguments) == 2
        assert words in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.toml", "file"]


def test_other_commands(studies, capsys, tmp_path):
    assert cli.main(["stimuli", "list"]) == 0
    assert "expressions" in capsys.readouterr().out
    assert cli.main(["stimuli", "render", str(studies / "small.toml"), "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        *("small", "small.nc", "small.png", "small.csv", "small_landmarks.csv")
    }
    assert cli.main(["show", str(studies / "out" / "recording.nc")]) == 0
    assert "spike_count" in capsys.readouterr().out
    assert cli.main(["analyses", "list"]) == 0
    assert cli.main([]) == 0
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert nr.__version__ in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_interrupted_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "nrsim.cli", "run", "--out", str(tmp_path / "out"), "--set", "neurons.trials=400"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in running.stdout:  # "neurons: … trials" comes before Brian2 starts
        if "neurons:" in line:
            break
    time.sleep(4)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted; nothing was written" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_defaults_resolve_to_themselves():
    assert settings.resolve({}) == settings.DEFAULTS
    assert settings.resolve(settings.resolve({})) == settings.DEFAULTS


def test_every_setting_is_documented():
    page = (Path(__file__).parent.parent / "docs" / "study.md").read_text()
    for key, value in settings.DEFAULTS.items():
        assert f"`{key}`" in page or f"[{key}]" in page
        for inner in value if isinstance(value, dict) else ():
            assert f"`{inner}`" in page, f"{key}.{inner}"


def test_photographs_of_four_people_give_curves_for_each(real_data, tmp_path):
    pictures = real_data / "fear_happy_morphs" / "images"
    morph_table(pictures, tmp_path / "morphs.csv")
    study = {
        "stimuli": {"folder": str(pictures), "table": str(tmp_path / "morphs.csv"), "size": 128, "degrees": 4.0},
        "encoder": {
            "norms": "average",
            "prototypes": {
                "fear": {"domain": "SF1", "morph_fraction": 0.0},
                "happy": {"domain": "SF1", "morph_fraction": 1.0},
            },
            "controls": [],
        },
        "neurons": {"trials": 8},
    }
    results = nr.run_study(study, out=tmp_path / "out")
    curves, fits = results["tuning"], results["fits"]
    assert sorted(curves["domain"].values) == ["SF1", "SF3", "SM2", "SM3"]
    assert np.isfinite(curves["firing_rate"].values).all()
    rho = fits["rho"].squeeze()
    happy = rho.isel(neuron=list(fits["prefers"].values).index("happy"))
    assert float(happy.sel(domain="SF1")) > 0.5
    assert (tmp_path / "out" / "report.html").is_file()


def test_stimuli_of_a_study_changed_and_matched(studies):
    tables = {"recipe": str(studies / "small.toml"), "parameters": {"size": 32, "expressions": ["happy"]}}
    tables |= {"match": ["luminance", "contrast"], "mask": "background"}
    stimuli = stimuli_of(settings.resolve({"stimuli": tables}), progress=False)
    assert dict(stimuli["image"].sizes) == {"stimulus": 8, "y": 32, "x": 32}
    unmatched = stimuli_of(
        settings.resolve({"stimuli": {k: tables[k] for k in ("recipe", "parameters")}}), progress=False
    )
    spread = [float(nr.measure_images(each, mask="background")["contrast"].std()) for each in (unmatched, stimuli)]
    assert spread[1] < 0.01 * spread[0]
    assert "match_images" in stimuli.attrs["history"]


@pytest.mark.parametrize(
    ("stimuli", "changes"),
    [
        ({"recipe": "faces_objects.toml"}, []),
        ({"recipe": "views.toml"}, ["encoder.norm_by=view", "encoder.prototypes={view = 'frontal', intensity = 1.0}"]),
        ({"recipe": "views.toml"}, ["encoder.norm_by=category", "encoder.norms=average"]),
    ],
)
def test_studies_of_faces_beside_objects_and_of_several_views(tmp_path, stimuli, changes):
    (tmp_path / "small.toml").write_text(RECIPE)
    (tmp_path / "views.toml").write_text(RECIPE + 'views = ["frontal", "left_half_profile"]\n')
    (tmp_path / "few.toml").write_text(
        'title = "few"\nsource = "ours"\ngenerator = "objects"\n[parameters]\nnames = ["mug", "cube"]\nsize = 48\n'
    )
    (tmp_path / "faces_objects.toml").write_text(
        'title = "both"\nsource = "ours"\ngenerator = "join"\n[parameters]\nsets = ["small.toml", "few.toml"]\n'
    )
    study = SMALL.replace("small.toml", stimuli["recipe"]).replace("trials = 5", "trials = 2")
    (tmp_path / "study.toml").write_text(study)
    words = [part for change in changes for part in ("--set", change)]
    assert cli.main(["run", str(tmp_path / "study.toml"), "--out", str(tmp_path / "out"), *words]) == 0
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_study_aligns_heads_and_adds_cues():
    faces = {
        "recipe": "expressions",
        "parameters": {"size": 48, "intensities": [0.0, 0.5, 1.0], "domains": ["human", "cartoon"]},
    }
    features = {"size": 8, "align": "find", "cues": ["energy", "displacement"]}
    small = {"stimuli": faces, "v1": {"frequencies": [1.0, 2.0]}, "neurons": {"trials": 1}, "encoder": {"shuffles": 1}}
    results = nr.run_study({**small, "features": features})
    assert set(results["features"]["cue"].values) == {"energy", "displacement"}
    assert "FaceGrid" in results["features"].attrs["parameters"]
    named = {"happy": {"domain": "human", "expression": "happy", "intensity": 1.0},
             "angry": {"domain": "human", "expression": "angry", "intensity": 1.0}}  # fmt: skip
    with pytest.raises(ValueError, match="unknown value of features.align 'found'; nearest: 'find'"):
        nr.run_study({**small, "features": {"align": "found"}})
    with pytest.raises(ValueError, match="unknown cue in features.cues 'displacment'; nearest: 'displacement'"):
        nr.run_study({**small, "features": {"cues": ["displacment"]}})
    with pytest.raises(ValueError, match="only size, components and reference beside align and cues; got tolerance"):
        nr.run_study({**small, "features": {"align": "known", "tolerance": 0.2}})
    with pytest.raises(ValueError, match="beside features.reference"):
        nr.run_study({**small, "features": {"reference": "human"}})
    with pytest.raises(ValueError, match="features.reference, the domain whose frame"):
        nr.run_study({**small, "features": {"align": "known"}, "encoder": {"prototypes": {"intensity": 1.0}}})
    again = nr.run_study(
        {**small, "features": {"size": 8, "align": "known"}, "encoder": {"prototypes": named, "shuffles": 1}}
    )
    assert set(again["features"]["cue"].values) == {"energy"}


def test_what_the_labels_lack_is_said_before_v1_is_computed(monkeypatch):
    def too_late(*_, **__):
        raise AssertionError("V1 was computed")

    for name in ("transform", "responses"):
        monkeypatch.setattr(nr.V1Bank, name, too_late)
    faces = {
        "recipe": "expressions",
        "parameters": {"size": 32, "intensities": [0.0, 1.0], "domains": ["human", "cartoon"]},
    }
    for encoder, features, words in (
        ({"prototypes": {"domain": "robot", "intensity": 1.0}}, {}, "'cartoon', 'human'"),
        ({"prefers_by": "expresion"}, {}, "'expresion'"),
        ({"norm_by": "head"}, {}, "'head'"),
        ({"norms": {"intensity": -3.0}}, {}, "intensity is one of 0, 1"),
        ({"rule": "landmark"}, {}, "on all features for the rule 'landmark'"),
        ({"rule": "projection", "exponent": 2.0}, {}, "no exponent with the rule 'projection'"),
        ({}, {"cues": []}, "one cue or more in features.cues, of energy, displacement"),
        ({}, {"align": "known", "reference": "humn"}, "domain in features.reference 'humn'; nearest: 'human'"),
    ):
        with pytest.raises(ValueError, match=words):
            nr.run_study({"stimuli": faces, "encoder": encoder, "features": features})
    unmarked = nr.example("StimulusSet")
    assert "landmark" not in unmarked.coords
    for align, words in (("known", "landmarks on every norm"), ("find", "landmarks on the reference's norm")):
        plan = {"features": {"align": align, "cues": ["energy"], "reference": "human", "log": True}}
        with pytest.raises(ValueError, match=words):
            check_alignment(plan | {"encoder": {"norm_by": "domain", "norms": {"intensity": 0.0}}}, unmarked)
    for norms in ("average", {"human": {"intensity": 0.0}}):
        with pytest.raises(ValueError, match="encoder.norms as labels of all heads' norms"):
            nr.run_study({"stimuli": faces, "encoder": {"norms": norms}, "features": {"align": "known"}})


@pytest.mark.parametrize("rule", ["linear", "projection"])
def test_a_study_with_a_neutral_neuron_and_a_threshold(rule, studies):
    own = {"rule": rule, "threshold": 1.0, "neutral": True, "controls": ["norm-shuffled"], "shuffles": 1}
    study = {"stimuli": {"recipe": str(studies / "small.toml")}, "v1": {"frequencies": [1.0, 2.0]}, "encoder": own}
    study |= {"features": {"size": 8}, "neurons": {"trials": 2}}
    results = nr.run_study(study, out=studies / rule)
    code = results["code"]
    assert list(code["prefers"].values) == ["happy", "surprised", "neutral", "happy", "surprised"]
    activity = code["activity"].values
    assert (activity[:, :2] == 0).any() and (activity[code["intensity"].values == 0, 2] == 1.0).all()
    assert results["accuracy"].sizes["category"] == 2
    assert "2 of 2" in (studies / rule / "report.html").read_text()
