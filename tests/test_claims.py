import runpy

import matplotlib.pyplot as plt
import pytest

import nrsim as nr
from nrsim import claims, files

SCRIPTS = sorted(path.stem for path in files.shipped("analyses").glob("plot_*.py"))
LONG = ["run_stettler2023_aligned", "run_stettler2023_metric"]  # run by hand
ON_REAL_DATA = ["run_stettler2023_ferg"]  # short enough to be run where the data is


def test_every_claim_is_whole_and_says_truly_whether_it_holds():
    for name, claim in nr.load_claims().items():
        assert claims._holds(claim, claim["value"]) == claim["holds"], name
        assert claim["analysis"] in (*SCRIPTS, *LONG, *ON_REAL_DATA)


def test_comparisons():
    claim = {"published": 1.0, "tolerance": 0.1}
    for compare, holding, failing in (("near", 1.05, 1.2), ("at least", 0.95, 0.8), ("at most", 1.05, 1.2)):
        assert claims._holds(claim | {"compare": compare}, holding)
        assert not claims._holds(claim | {"compare": compare}, failing)


def test_a_failing_claim_says_so(capsys):
    assert not nr.check_claim("transfer_from_human", 0.1)
    said = capsys.readouterr().out
    assert "DOES NOT HOLD" in said
    assert "on record" in said
    with pytest.raises(ValueError, match="nearest: 'chance_level'"):
        nr.check_claim("chance_levl", 0.1)


def check_script(script, folder, capsys, monkeypatch):
    """Run an analysis and hold what it says against what is on record."""
    monkeypatch.chdir(folder)
    runpy.run_path(str(files.shipped("analyses") / f"{script}.py"), run_name="__main__")
    plt.close("all")
    said = capsys.readouterr().out
    for name, claim in nr.load_claims().items():
        if claim["analysis"] == script:
            (line,) = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
            assert ("DOES NOT HOLD" in line) != claim["holds"]
            assert "on record" not in line, line
    assert list(folder.glob("*.png"))


@pytest.mark.parametrize("script", SCRIPTS)
def test_analyses_give_what_is_on_record(script, tmp_path, capsys, monkeypatch):
    check_script(script, tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize("script", ON_REAL_DATA)
def test_analyses_of_real_data_give_what_is_on_record(script, real_data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NRSIM_DATA", str(real_data))
    check_script(script, tmp_path, capsys, monkeypatch)


@pytest.mark.parametrize("script", ON_REAL_DATA)
def test_analyses_of_real_data_say_that_they_are_skipped_without(script, tmp_path, monkeypatch):
    monkeypatch.setenv("NRSIM_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="skipped: no .*NRSIM_DATA"):
        runpy.run_path(str(files.shipped("analyses") / f"{script}.py"), run_name="__main__")
