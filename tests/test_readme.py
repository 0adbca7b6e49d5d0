"""What the README shows runs as it stands."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import nrsim as nr

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_script_runs_as_written(tmp_path, monkeypatch):
    (script,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(compile(script, "README.md", "exec"), names)
    plt.close("all")
    recording = xr.load_dataset("recording.nc")
    nr.schema.check(recording, "Recording")
    assert recording.sizes["trial"] == 20
    (tmp_path / "monkey.csv").write_text(
        "expression,intensity,firing_rate,sem,n\nhappy,0,5,1,10\nhappy,0.5,12,1,10\nhappy,1,20,1,10\n"
    )
    comparison = nr.compare_curves(names["curves"], nr.read_curves("monkey.csv"), n_bootstrap=100)
    assert np.isfinite(comparison["rmse"].sel(scale=["Hz", "baseline_subtracted", "normalised"]).values).all()
    nr.plot.curve_overlay(comparison)
    plt.close("all")


def test_links_of_the_pages_lead_somewhere():
    root = Path(__file__).parent.parent
    for page in (root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
