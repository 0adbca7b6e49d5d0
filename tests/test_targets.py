"""The same spikes on every code target, compiled programs kept, and nothing of Brian2's device left behind."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nrsim as nr
from nrsim.neurons import brian, standalone, targets

VARIED = {"distribution": "lognormal", "median": 0.15, "sigma": 0.1}
needs_make = pytest.mark.skipif(not targets.has_make(), reason="no make and g++")
needs_compiler = pytest.mark.skipif(not targets.has_compiler(), reason="no C++ compiler")


@pytest.fixture(scope="module")
def drive():
    return nr.present(nr.example("FaceCode"))


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NRSIM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def same(first, second):
    for name in ("code_target", "threads"):
        second = second.assign_attrs({name: first.attrs[name]})
    return nr.identical(first, second)


@needs_make
@needs_compiler
@pytest.mark.parametrize("neurons", [nr.LIF(), nr.AdaptiveLIF(rheobase=VARIED)], ids=["LIF", "varied AdaptiveLIF"])
def test_the_same_spikes_on_every_target_and_in_every_block(drive, neurons, monkeypatch):
    first = nr.simulate(drive, neurons, trials=3, seed=1, target="numpy", record="v")
    assert first.sizes["spike"] > 100
    for target in ("cython", "cpp_standalone"):
        for block in (None, 11):
            run = nr.simulate(drive, neurons, trials=3, seed=1, target=target, block=block, record="v")
            assert run.attrs["code_target"] == target
            assert same(first, run)
    monkeypatch.setattr(targets, "threads_of", lambda target: 2)
    assert same(first, nr.simulate(drive, neurons, trials=3, seed=1, target="cpp_standalone", record="v"))


@needs_make
def test_another_seed_another_drive_and_other_numbers_are_not_compiled_again(drive, monkeypatch):
    nr.simulate(drive, nr.AdaptiveLIF(), trials=2, seed=1, target="cpp_standalone")
    programs = set(standalone.cache_folder().glob("cpp/*/main"))

    def refused(*_, **__):
        raise AssertionError("compiled again")

    run = subprocess.run
    monkeypatch.setattr(
        standalone.subprocess, "run", lambda args, **k: refused() if args[0] == "make" else run(args, **k)
    )
    other = nr.simulate(drive, nr.AdaptiveLIF(noise=0.06), trials=2, seed=2, target="cpp_standalone")
    again = nr.simulate(drive, nr.AdaptiveLIF(noise=0.06), trials=2, seed=2, target="numpy")
    assert same(again, other)
    assert programs == set(standalone.cache_folder().glob("cpp/*/main"))


@needs_make
def test_the_standalone_device_leaves_nothing_behind(drive, tmp_path, monkeypatch):
    from brian2 import get_device

    before, here, prefs = get_device(), Path.cwd(), dict(brian.load().prefs)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    np.random.seed(4)  # noqa: NPY002
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    nr.simulate(drive, nr.LIF(), trials=1, seed=1, target="cpp_standalone")
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002
    assert get_device() is before
    assert dict(brian.load().prefs) == prefs
    assert Path.cwd() == here
    numpy = nr.simulate(drive, nr.LIF(), trials=1, seed=1, target="numpy")
    assert numpy.sizes["spike"] > 0


@needs_make
def test_rate_units_on_cpp_agree_with_numpy(drive):
    first = nr.simulate(drive, nr.RateUnits(), trials=2, seed=1, target="numpy", bin=0.02)
    run = nr.simulate(drive, nr.RateUnits(), trials=2, seed=1, target="cpp_standalone", bin=0.02)
    np.testing.assert_allclose(run["firing_rate"], first["firing_rate"], rtol=1e-5, atol=1e-4)


@needs_make
def test_a_program_that_fails_says_so(drive, monkeypatch):
    monkeypatch.setattr(standalone, "_hash", lambda project, threads: "broken")
    place = standalone.cache_folder() / "cpp" / "broken"
    place.mkdir(parents=True)
    (place / "main").write_text("#!/bin/sh\necho no luck\nexit 3\n")
    (place / "main").chmod(0o755)
    with pytest.raises(RuntimeError, match="failed with code 3 and said: no luck"):
        nr.simulate(drive, nr.LIF(), trials=1, seed=1, target="cpp_standalone")


@needs_make
def test_threads_of_a_program_wait_without_spinning(drive, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setattr(standalone, "_hash", lambda project, threads: "asked")
    place = standalone.cache_folder() / "cpp" / "asked"
    place.mkdir(parents=True)
    (place / "main").write_text("#!/bin/sh\necho waits: $OMP_WAIT_POLICY\nexit 3\n")
    (place / "main").chmod(0o755)
    with pytest.raises(RuntimeError, match="said: waits: passive"):
        nr.simulate(drive, nr.LIF(), trials=1, seed=1, target="cpp_standalone")
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    with pytest.raises(RuntimeError, match="said: waits: active"):
        nr.simulate(drive, nr.LIF(), trials=1, seed=1, target="cpp_standalone")


def test_a_warm_cython_cache_is_known_by_its_stamp(monkeypatch, tmp_path, drive):
    monkeypatch.setenv("NRSIM_CACHE", str(tmp_path))
    grid = __import__("nrsim.neurons.grid", fromlist=["make_grid"]).make_grid(drive["time"].values, 0.001, 0.01, 0.1)
    assert not targets.is_warm(nr.LIF(), grid)
    targets.set_stamp(nr.LIF(), grid)
    stamp = targets.stamp_of(nr.LIF(), grid)
    full = tmp_path / "extensions"
    full.mkdir()
    (full / "one.so").write_text("")
    stamp.write_text(str(full))
    assert targets.is_warm(nr.LIF(noise=0.01), grid)
    assert not targets.is_warm(nr.AdaptiveLIF(), grid)
    stamp.write_text(str(tmp_path / "gone"))
    assert not targets.is_warm(nr.LIF(), grid)


def test_streams_do_not_depend_on_the_hash_seed(tmp_path):
    script = """
import numpy as np, nrsim as nr
two = nr.CustomNeurons("dv/dt = (drive - v)/tau + s*sqrt(2/tau)*xi_a + s*sqrt(2/tau)*xi_b : amp",
    threshold="v > 0.1*nA", reset="v = 0*nA", namespace={"tau": "20*ms", "s": "0.05*nA"})
run = nr.simulate(nr.example("Drive"), two, trials=2, seed=1)
print(run.sizes["spike"], float(run["spike_time"].sum()))
"""
    said = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "77")
    }
    assert len(said) == 1
    assert said.pop().split()[0] != "0"
