import runpy

import matplotlib.pyplot as plt
import pytest

import nrsim as nr
from nrsim import claims, files

SCRIPTS = sorted(path.stem for path in files.shipped("analyses").glob("plot_*.py"))


def test_every_claim_is_whole_and_says_truly_whether_it_holds():
    for name, claim in nr.load_claims().items():
        assert claims._holds(claim, claim["value"]) == claim["holds"], name
        assert claim["analysis"] in SCRIPTS


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


@pytest.mark.parametrize("script", SCRIPTS)
def test_analyses_give_what_is_on_record(script, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(files.shipped("analyses") / f"{script}.py"), run_name="__main__")
    plt.close("all")
    said = capsys.readouterr().out
    for name, claim in nr.load_claims().items():
        if claim["analysis"] == script:
            (line,) = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
            assert ("DOES NOT HOLD" in line) != claim["holds"]
            assert "on record" not in line, line
    assert list(tmp_path.glob("*.png"))
