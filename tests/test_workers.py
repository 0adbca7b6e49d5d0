"""Several processes, files that grow, interruptions: the recording is the same."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nrsim as nr
from nrsim.containers import open_lazily
from nrsim.neurons import parts, simulation, workers
from nrsim.neurons.job import Job

OPTIONS = {"trials": 4, "seed": 1, "target": "numpy"}


@pytest.fixture(scope="module")
def drive():
    return nr.present(nr.example("FaceCode"))


@pytest.fixture(scope="module")
def plain(drive):
    return nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, record={"v": ["norm-happy"]})


RECORD = {"record": {"v": ["norm-happy"]}}


def same(first, second):
    return nr.identical(first.load(), second.load())


@pytest.mark.parametrize("name", [None, "run.zarr", "run.nc"])
@pytest.mark.parametrize("count", [1, 2])
def test_workers_files_and_blocks_change_nothing(drive, plain, tmp_path, name, count):
    out = None if name is None else tmp_path / name
    run = nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=out, workers=count, block=13)
    assert same(plain, run)
    assert [path.name for path in tmp_path.iterdir()] == ([] if name is None else [name])


def test_rate_units_in_a_file(drive, tmp_path):
    plain = nr.simulate(drive, nr.RateUnits(), **OPTIONS)
    assert same(plain, nr.simulate(drive, nr.RateUnits(), **OPTIONS, out=tmp_path / "r.zarr", block=9))


def test_a_file_is_read_by_xarray_alone(drive, plain, tmp_path):
    import xarray as xr

    nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, out=tmp_path / "run.zarr", block=30)
    with xr.open_zarr(tmp_path / "run.zarr", chunks=None) as found:
        assert found["spike_count"].dtype == np.int16
        np.testing.assert_array_equal(found["spike_count"], plain["spike_count"])
        assert found.attrs["schema"] == "Recording"


SCRIPT = """
import sys, warnings
import nrsim as nr
warnings.simplefilter("ignore")
nr.simulate(nr.present(nr.example("FaceCode")), nr.AdaptiveLIF(), trials=4, seed=1, target="numpy",
    record={"v": ["norm-happy"]}, out=sys.argv[1], block=2, workers=int(sys.argv[2]))
print("whole")
"""


@pytest.mark.parametrize("count", [1, 2])
def test_killed_at_random_points_it_ends_identical(plain, tmp_path, count):
    out, chance = tmp_path / "run.zarr", random.Random(count)
    folder = out.with_name(".run.zarr.partial")
    killed = 0
    for _ in range(40):
        had = len(list(folder.rglob("part-*.npz"))) if folder.is_dir() else 0
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(out), str(count)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        wanted = had + chance.randint(1, 12)
        while process.poll() is None and time.monotonic() < until:
            if folder.is_dir() and len(list(folder.rglob("part-*.npz"))) >= wanted:
                break
            time.sleep(0.01)
        time.sleep(chance.random() * 0.05)
        process.kill()
        said, _ = process.communicate()
        if b"whole" in said or out.exists():  # moved into place at once, whole
            break
        killed += process.returncode == -signal.SIGKILL
    assert killed >= 2
    assert same(plain, open_lazily(out))


def test_an_interrupted_run_goes_on_and_says_so(drive, plain, tmp_path, monkeypatch):
    out, run = tmp_path / "run.zarr", Job.run

    def stops(self, first, last, report=None):
        if first >= 20:
            raise KeyboardInterrupt
        return run(self, first, last, report)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "run", stops)
        with pytest.raises(KeyboardInterrupt) as caught:
            nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=out, block=10)
    assert "20 of 56 presentations are kept" in caught.value.__notes__[0]
    with pytest.warns(UserWarning, match="going on after 20 of 56 presentations"):
        again = nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=out, block=7)
    assert same(plain, again)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 2}, "other seed"),
        ({"trials": 5}, "other settings"),
        ({"dt": 0.0005}, "other grid, other settings|other settings, other grid"),
        ({"target": "auto", "variability": "none"}, "other settings"),
    ],
)
def test_what_is_of_something_else_is_not_mixed_in(drive, tmp_path, monkeypatch, change, said):
    out, run = tmp_path / "run.zarr", Job.run

    def stops(self, first, last, report=None):
        if first >= 20:
            raise KeyboardInterrupt
        return run(self, first, last, report)

    with monkeypatch.context() as patch:
        patch.setattr(Job, "run", stops)
        with pytest.raises(KeyboardInterrupt):
            nr.simulate(drive, nr.LIF(), **OPTIONS, out=out, block=10)
    changed = OPTIONS | change
    with pytest.warns(UserWarning, match=f"({said}).*; starting again"):
        other = nr.simulate(drive, nr.LIF(), **changed, out=out)
    assert same(nr.simulate(drive, nr.LIF(), **changed), other)


def test_a_full_disk_keeps_what_is_done(drive, plain, tmp_path, monkeypatch):
    out, save = tmp_path / "run.zarr", parts.save

    def full(part, folder, first, last):
        if first >= 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(part, folder, first, last)

    with monkeypatch.context() as patch:
        patch.setattr(parts, "save", full)
        with pytest.raises(OSError, match="room on the disk of .*run.zarr.*Free some, then call again") as caught:
            nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=out, block=10)
    assert caught.value.errno == errno.ENOSPC
    assert "30 of 56 presentations are kept" in caught.value.__notes__[0]
    with pytest.warns(UserWarning, match="going on"):
        assert same(plain, nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=out))


def test_a_disk_too_small_is_told_beforehand(drive, tmp_path, monkeypatch):
    class Usage:
        free = 10

    monkeypatch.setattr(parts.shutil, "disk_usage", lambda place: Usage)
    with pytest.raises(OSError, match=r"about \d+\.\d GB on the disk"):
        nr.simulate(drive, nr.LIF(), **OPTIONS, out=tmp_path / "run.zarr")
    assert not list(tmp_path.iterdir())


def test_a_worker_that_dies_is_told(drive, monkeypatch):
    start = workers.Worker.__init__

    def dying(self, *arguments):
        start(self, *arguments)
        os.kill(self.process.pid, signal.SIGKILL)

    monkeypatch.setattr(workers.Worker, "__init__", dying)
    with pytest.raises(RuntimeError, match="a worker process died in presentations .* killed by signal 9"):
        nr.simulate(drive, nr.LIF(), **OPTIONS, workers=2)


def test_what_a_worker_raises_is_raised(drive):
    wild = nr.CustomNeurons(
        "dv/dt = (drive + v)/tau : amp", threshold="v > 1e300*amp", namespace={"tau": "0.5*ms"}, method="euler"
    )
    with pytest.raises(ValueError, match="a finite v at the end"):
        nr.simulate(drive, wild, trials=2, seed=1, dt=0.0005, workers=2)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"workers": 0}, ValueError, "workers: needed at least 1"),
        ({"workers": 2, "scheduler": "tcp://127.0.0.1:1"}, ValueError, "got both"),
        ({"scheduler": 3}, TypeError, "scheduler: an address"),
        ({"out": "run.csv"}, ValueError, r"ends in .zarr or .nc"),
        ({"trials": 0}, ValueError, "trials"),
    ],
)
def test_bad_options(drive, options, kind, said):
    with pytest.raises(kind, match=said):
        nr.simulate(drive, nr.LIF(), **OPTIONS | options)


def test_nan_is_refused_before_a_worker_starts(drive, monkeypatch):
    monkeypatch.setattr(workers, "Worker", None)
    bad = drive.copy(deep=True)
    bad["current"][0, 0, 5] = np.nan
    with pytest.raises(ValueError, match="NaN|finite"):
        nr.simulate(bad, nr.LIF(), **OPTIONS, workers=2)


def test_a_file_that_is_no_recording_is_not_replaced(drive, tmp_path):
    place = tmp_path / "run.nc"
    place.write_text("precious")
    with pytest.raises(ValueError, match="a name that is free or of an earlier Recording"):
        nr.simulate(drive, nr.LIF(), **OPTIONS, out=place)
    assert place.read_text() == "precious"


def test_memory_of_a_file_is_that_of_a_block(drive, tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "_memory", lambda: 2_000_000)
    with pytest.raises(MemoryError, match="Write to a file"):
        nr.simulate(drive, nr.LIF(), **OPTIONS | {"trials": 400}, out=tmp_path / "r.zarr")


def test_a_scheduler_that_does_not_answer(drive, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(workers, "_PATIENCE", 0.5)
    with pytest.raises(ConnectionError, match="needed a Dask scheduler that answers within 0.5 s; got none at 'tcp"):
        nr.simulate(drive, nr.LIF(), **OPTIONS, scheduler="tcp://127.0.0.1:9")


def test_a_dask_cluster_gives_the_same(plain, tmp_path):
    """In a process of its own: a cluster leaves threads and warnings behind."""
    pytest.importorskip("distributed")
    script = """
import sys, warnings
import nrsim as nr
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        nr.simulate(nr.present(nr.example("FaceCode")), nr.AdaptiveLIF(), trials=4, seed=1, target="numpy",
            record={"v": ["norm-happy"]}, out=sys.argv[1], block=20, scheduler=cluster.scheduler_address)
"""
    path = tmp_path / "run.py"
    path.write_text(script)
    done = subprocess.run([sys.executable, str(path), str(tmp_path / "r.zarr")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert same(plain, open_lazily(tmp_path / "r.zarr"))
    assert not list(Path(tmp_path).glob(".*"))


def test_a_worker_that_outlives_a_killed_run_adds_nothing_to_another(drive, tmp_path, monkeypatch):
    """Its part of another seed arrives late, and is wider than those of the run that goes on under the same name."""
    out, run, wide = tmp_path / "run.zarr", Job.run, []
    other = nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS | {"seed": 2})

    def killed(self, first, last, report=None):
        if first:
            raise KeyboardInterrupt
        wide.append(run(self, 0, self.n_presentations))
        return run(self, first, last, report)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Job, "run", killed)
        nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, out=out, block=20)
    place = next(tmp_path.rglob("part-0-20.npz")).parent
    came = []

    def late(self, first, last, report=None):
        if place.is_dir():
            came.append(parts.save(wide[0], place, 0, self.n_presentations))
        return run(self, first, last, report)

    monkeypatch.setattr(Job, "run", late)
    with pytest.warns(UserWarning, match="other seed; starting again"):
        again = nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS | {"seed": 2}, out=out, block=20)
    assert same(other, again)
    assert not came


def test_many_trials_are_put_together_in_pieces(drive, plain, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "_GATHERED", 3 * 4 * plain.sizes["neuron"] * plain.sizes["time"])  # three presentations
    run = nr.simulate(drive, nr.AdaptiveLIF(), **OPTIONS, **RECORD, out=tmp_path / "run.zarr", block=5)
    assert same(plain, run)
