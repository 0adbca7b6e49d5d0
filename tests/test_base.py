"""Seeds, quantities, labels, provenance, files: what every stage stands on."""

import brian2
import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim import files, labels, provenance, quantities, seeds


def test_streams_are_named_not_numbered():
    a = seeds.stream(1, "noise", "human-happy").random(4)
    assert (a == seeds.stream(1, "noise", "human-happy").random(4)).all()
    assert not (a == seeds.stream(1, "noise", "human-sad").random(4)).any()
    assert not (a == seeds.stream(2, "noise", "human-happy").random(4)).any()
    assert seeds.key(1, "a", "bc") != seeds.key(1, "ab", "c")
    order = ["x", "y", "z"]
    assert (seeds.keys(3, "n", order)[::-1] == seeds.keys(3, "n", order[::-1])).all()
    with pytest.raises(TypeError, match="seed: needed a whole number"):
        seeds.stream("one")


def test_quantities_become_floats_in_our_units():
    assert quantities.bare(20 * brian2.ms, "s", "tau") == pytest.approx(0.02)
    assert quantities.bare(0.3 * brian2.nA, "nA", "gain") == pytest.approx(0.3)
    assert quantities.bare(5 * brian2.Hz, "Hz", "baseline") == 5
    with pytest.raises(TypeError, match="needed a quantity in s"):
        quantities.bare(3 * brian2.mV, "s", "tau")
    for wrong in ("3", None, True, np.True_, [1, 2], [1.0], np.array([1.0])):
        with pytest.raises(TypeError, match="tau: needed"):
            quantities.bare(wrong, "s", "tau")
    with pytest.raises(ValueError, match=r"tau: needed at most 5 s; got 9$"):
        quantities.bare(9, "s", "tau", high=5)
    with pytest.raises(ValueError, match=r"intensity: needed at most 1\.5; got 9$"):  # a number without a unit
        quantities.bare(9, "1", "intensity", high=1.5)
    with pytest.raises(TypeError, match="gain: needed a bare number; got"):
        quantities.bare(3 * brian2.mV, "1", "gain")
    for wrong, words in ((np.nan, "finite"), (-1, "at least 0"), (9, "at most 5")):
        with pytest.raises(ValueError, match=words):
            quantities.bare(wrong, "s", "tau", low=0, high=5)
    with pytest.raises(ValueError, match="start < end"):
        quantities.window_of((0.3, 0.1))
    with pytest.raises(TypeError, match=r"\(start, end\)"):
        quantities.window_of(0.3)


def test_labels_choose_by_value_list_and_function():
    features = nr.example("Features")
    assert labels.where(features, {"domain": "human", "intensity": 1}).sum() == 2
    assert labels.where(features, {"intensity": [0.5, 1.0]}).sum() == 8
    assert labels.where(features, {"intensity": lambda level: level < 0}).sum() == 4
    assert labels.where(features, {}).all()
    with pytest.raises(ValueError, match="nearest: 'expression'"):
        labels.where(features, {"expresion": "happy"})
    with pytest.raises(ValueError, match="intensity is one of -0.5, 0, 0.5, 1"):
        labels.where(features, {"intensity": 2.0})
    with pytest.raises(TypeError, match="one bool per value"):
        labels.where(features, {"intensity": lambda level: level})


def test_stamp_carries_history_and_identical_ignores_only_the_time():
    first = provenance.stamp(xr.Dataset({"a": 1.0}), "Features", "made", {"n": np.int64(3)}, seed=4, title="faces")
    second = provenance.stamp(xr.Dataset({"a": 1.0}), "FaceCode", "coded", {"rule": "general"}, parents=[first])
    assert second.attrs["history"].splitlines() == ['made {"n": 3}', 'coded {"rule": "general"}']
    assert second.attrs["title"] == "faces"
    assert second.attrs["seed"] == 4
    assert nr.identical(second, second.assign_attrs(created="another time"))
    assert not nr.identical(second, second.assign_attrs(seed=5))
    assert not nr.identical(second, second.assign(a=2.0))
    other = second.copy(deep=True)
    other["a"].attrs["units"] = "1"
    assert not nr.identical(second, other)


def test_results_are_whole_or_absent(tmp_path):
    target = tmp_path / "out" / "result.nc"
    with pytest.raises(RuntimeError), files.replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert not target.parent.exists()
    files.write_netcdf(nr.example("Recording"), target)
    assert nr.identical(xr.load_dataset(target), nr.example("Recording"))
    folder = tmp_path / "new" / "folder"
    with pytest.raises(KeyboardInterrupt), files.replacing_folder(folder) as temporary:
        (temporary / "a.txt").write_text("half")
        raise KeyboardInterrupt
    assert not (tmp_path / "new").exists()
    with files.replacing_folder(folder) as temporary:
        (temporary / "a.txt").write_text("whole")
    with (
        pytest.raises(OSError, match="a folder that can be written to"),
        files.replacing_folder(folder / "a.txt" / "b"),
    ):
        pass
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    with pytest.raises(NotADirectoryError, match="Choose another"), files.replacing_folder(folder / "a.txt"):
        pass
    with pytest.raises(IsADirectoryError, match="name of a file"), files.replacing(folder):
        pass
    with pytest.raises(OSError, match="folder that can be written to; .*a.txt' cannot be"):
        files.write_netcdf(nr.example("Recording"), folder / "a.txt" / "result.nc")
