"""Responses of sets of any size: written block by block, resumed, the same as in memory."""

import json
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import nrsim as nr
from nrsim import blocks, containers, files, stores

SIZE, DEGREES, N = 32, 2.0, 23
POOL = nr.PooledEnergy(size=4)
KINDS = ["responses.nc", "responses.zarr"]


def pictures(n=N, seed=0):
    return np.random.default_rng(seed).random((n, SIZE, SIZE), dtype=np.float32)


def stimuli(images, **labels):
    """Pictures, in whatever array, as a StimulusSet."""
    place = (np.arange(SIZE) + 0.5 - SIZE / 2) * DEGREES / SIZE
    coords = {
        "stimulus_id": ("stimulus", [f"s{i}" for i in range(len(images))]),
        "expression": ("stimulus", np.array(["fear", "", "überrascht"] * len(images), dtype=object)[: len(images)]),
        "intensity": ("stimulus", np.linspace(0, 1, len(images)), {"units": "1"}),
        "y": ("y", -place, {"units": "degree"}),
        "x": ("x", place, {"units": "degree"}),
        **labels,
    }
    variables = {"image": (("stimulus", "y", "x"), images, {"units": "1"})}
    return xr.Dataset(variables, coords, nr.example("StimulusSet").attrs)


def bank(**changes):
    return nr.V1Bank([1.0, 2.0], orientations=4, **changes)


def target(tmp_path, name):
    if name.endswith(".zarr"):
        pytest.importorskip("zarr")
    return tmp_path / name


def interrupted(faces, out, monkeypatch, at=16, error=KeyboardInterrupt, **changes):
    """Run until the stimulus ``at``; return the error."""
    real = blocks.read

    def read(array, step, first=0):
        for start, block in real(array, step, first):
            if start >= at:
                raise error("gone")
            yield start, block

    with monkeypatch.context() as patch:
        patch.setattr(blocks, "read", read)
        with pytest.raises(error) as raised:
            bank(**changes).transform(faces, pool=POOL, block=4, out=out)
    return raised.value


def left(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", KINDS)
def test_a_streamed_response_is_that_in_memory_and_stays_on_disk(tmp_path, name):
    out = target(tmp_path, name)
    faces = stimuli(pictures())
    seen = bank().transform(faces, pool=POOL, block=5, out=out).load()
    assert nr.identical(seen, bank().transform(faces, pool=POOL))
    again = bank().transform(faces, pool=POOL, out=str(out))  # replaces it
    assert not isinstance(again["energy"].variable._data, np.ndarray)
    assert isinstance(again["stimulus_id"].variable._data, np.ndarray)
    assert again["expression"].dtype.kind in "UO"
    assert nr.identical(again, seen)
    assert left(tmp_path) == [name]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "pool", [None, nr.PooledEnergy(places={"eye": (-0.3, 0.2), "mouth": (0, -0.4)}, tolerance=0.2)]
)
def test_simple_cells_and_every_pool_are_written(tmp_path, name, pool):
    out = target(tmp_path, name)
    faces = stimuli(pictures(5))
    seen = bank().responses(faces, pool=pool, block=2, out=out)
    assert seen["response"].dims[-1] == ("x" if pool is None else "place")
    assert nr.identical(seen, bank().responses(faces, pool=pool))


@pytest.mark.parametrize("name", KINDS)
def test_moving_faces_are_written(tmp_path, name):
    out = target(tmp_path, name)
    still = stimuli(pictures(4))
    moving = xr.concat([still["image"], 1 - still["image"], still["image"] / 2], "frame").transpose(
        "stimulus", "frame", ...
    )
    moving = still.assign(image=moving.assign_attrs(units="1"))
    moving = moving.assign_coords(frame_time=("frame", [0.0, 0.02, 0.04], {"units": "s"}))
    seen = bank().transform(moving, pool=POOL, block=4, out=out)
    assert seen["energy"].dims[:2] == ("stimulus", "frame")
    assert nr.identical(seen, bank().transform(moving, pool=POOL))


def test_large_maps_have_chunks_of_bounded_size(tmp_path):
    zarr = pytest.importorskip("zarr")
    layout = stores.Layout("energy", ("stimulus", "frame", "y", "x"), (2, 6, 1024, 1024))
    stores.ZarrGroup.create(tmp_path / "big.zarr", xr.Dataset(), layout, layout.chunk(64))
    assert zarr.open_group(tmp_path / "big.zarr")["energy"].chunks == (1, 2, 1024, 1024)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_run_goes_on_after_the_last_whole_block(tmp_path, name, error, monkeypatch):
    out = target(tmp_path, name)
    faces = stimuli(pictures())
    raised = interrupted(faces, out, monkeypatch, at=16, error=error)
    assert raised.__notes__[0].startswith("16 of 23 stimuli are kept in")
    assert left(tmp_path) == [f".{name}.partial"]
    read = []
    real = nr.v1.plan.Plan.energy
    monkeypatch.setattr(nr.v1.plan.Plan, "energy", lambda self, images: read.append(len(images)) or real(self, images))
    with pytest.warns(UserWarning, match=f"{name}: going on after 16 of 23 stimuli"):
        seen = bank().transform(faces, pool=POOL, block=4, out=out)
    assert sum(read) == 7
    assert nr.identical(seen, bank().transform(faces, pool=POOL))
    assert left(tmp_path) == [name]


@pytest.mark.parametrize("name", KINDS)
def test_a_run_that_fails_keeps_an_earlier_result(tmp_path, name, monkeypatch):
    out = target(tmp_path, name)
    first = bank().transform(stimuli(pictures(6)), pool=POOL, out=out).load()
    interrupted(stimuli(pictures()), out, monkeypatch)
    assert nr.identical(containers.open_lazily(out), first)


def test_other_blocks_and_threads_change_nothing_on_resuming(tmp_path, monkeypatch):
    out = target(tmp_path, "responses.zarr")
    faces = stimuli(pictures())
    interrupted(faces, out, monkeypatch)
    with pytest.warns(UserWarning, match="going on"):
        seen = bank(threads=1).transform(faces, pool=POOL, block=7, out=out)
    assert nr.identical(seen, bank().transform(faces, pool=POOL))


@pytest.mark.parametrize("name", KINDS)
def test_what_is_different_begins_again(tmp_path, name, monkeypatch):
    out = target(tmp_path, name)
    faces = stimuli(pictures())
    changes = {
        "settings": lambda: bank(bandwidth=1.0).transform(faces, pool=POOL, out=out),
        "other settings": lambda: bank().transform(faces, pool=POOL, noise=nr.ResponseNoise(seed=1), out=out),
        "stimuli": lambda: bank().transform(faces.isel(stimulus=slice(None, None, -1)), pool=POOL, out=out),
        "size of the pictures": lambda: bank().transform(faces.isel(y=slice(0, 28)), pool=POOL, out=out),
        "other values of the same stimuli": lambda: bank().transform(stimuli(pictures(seed=1)), pool=POOL, out=out),
    }
    for reason, run in changes.items():
        interrupted(faces, out, monkeypatch)
        with pytest.warns(UserWarning, match=rf"\(16 of 23 stimuli\) is of .*{reason}.*; starting again"):
            fresh = run()
        assert fresh.sizes["stimulus"] == N
        assert left(tmp_path) == [name]
    interrupted(faces, out, monkeypatch)
    said = tmp_path / f".{name}.partial" / "made_from.json"
    written = json.loads(said.read_text())
    written["made_from"]["nrsim version"] = "0.0.1"
    said.write_text(json.dumps(written))
    with pytest.warns(UserWarning, match="other nrsim version"):
        bank().transform(faces, pool=POOL, out=out)


@pytest.mark.parametrize("name", KINDS)
def test_changed_labels_go_into_the_result_unless_they_say_that_pictures_changed(tmp_path, name, monkeypatch):
    out = target(tmp_path, name)
    hashes = [f"{i:x}" for i in range(N)]
    faces = stimuli(pictures(), image_sha256=("stimulus", hashes))
    interrupted(faces, out, monkeypatch)
    late = faces.assign_coords(image_sha256=("stimulus", [*hashes[:20], "repaired", *hashes[21:]]))
    late = late.assign_coords(identity=("stimulus", ["Ann"] * N)).drop_vars("intensity")
    with pytest.warns(UserWarning, match="going on after 16"):
        seen = bank().transform(late, pool=POOL, out=out)
    assert nr.identical(seen, bank().transform(late, pool=POOL))
    interrupted(faces, out, monkeypatch)
    early = faces.assign_coords(image_sha256=("stimulus", ["other", *hashes[1:]]))
    with pytest.warns(UserWarning, match="image_sha256"):
        bank().transform(early, pool=POOL, out=out)


@pytest.mark.parametrize("name", KINDS)
def test_a_nan_far_into_the_set_is_named_and_the_run_goes_on_after_its_repair(tmp_path, name, monkeypatch):
    out = target(tmp_path, name)
    faces = stimuli(pictures())
    faces["image"][17, 3, 3] = np.nan
    monkeypatch.setattr("nrsim.v1.stream.KNOWN", 0)  # as of a large set
    with pytest.raises(nr.schema.SchemaError, match=r"NaN or infinite \(stimuli 's17'\)") as raised:
        bank().transform(faces, pool=POOL, block=4, out=out)
    assert "16 of 23" in raised.value.__notes__[0]
    faces["image"][17, 3, 3] = 0.5
    with pytest.warns(UserWarning, match="going on after 16"):
        seen = bank().transform(faces, pool=POOL, block=4, out=out)
    assert nr.identical(seen, bank().transform(faces, pool=POOL))


def test_a_run_that_fails_at_once_leaves_nothing(tmp_path, monkeypatch):
    faces = stimuli(pictures())
    interrupted(faces, tmp_path / "new" / "folder" / "r.nc", monkeypatch, at=0, error=OSError)
    assert left(tmp_path) == []


KILLED = """
import sys, time
import numpy as np
sys.path.insert(0, {tests!r})
import test_v1_stream as t
from nrsim.v1.plan import Plan

real = Plan.energy
def slow(self, images):
    time.sleep(0.05)
    return real(self, images)
Plan.energy = slow
t.bank().transform(t.stimuli(t.pictures(200)), pool=t.POOL, block=1, out={out!r})
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("name", KINDS)
def test_a_killed_run_goes_on(tmp_path, name):
    out = target(tmp_path, name)
    script = KILLED.format(tests=str(Path(__file__).parent), out=str(out))
    running = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    log = tmp_path / f".{name}.partial" / "done.txt"
    try:
        for _ in range(1200):
            if running.poll() is not None or (log.is_file() and log.read_text().count("\n") >= 3):
                break
            time.sleep(0.05)
        assert running.poll() is None, running.stderr.read()
        with pytest.raises(ValueError, match="another run that writes it now"):
            bank().transform(stimuli(pictures(200)), pool=POOL, block=1, out=out)
    finally:
        running.send_signal(signal.SIGKILL)
        running.communicate()
    with log.open("a") as file:
        file.write("190 200 - 12")  # a line that was being written
    faces = stimuli(pictures(200))
    with pytest.warns(UserWarning, match=r"going on after [1-9]\d* of 200"):
        seen = bank().transform(faces, pool=POOL, out=out)
    assert nr.identical(seen, bank().transform(faces, pool=POOL))


@pytest.mark.parametrize("kind", ["nc", "scaled nc", "zarr", "dask", "large dask chunks"])
def test_pictures_come_from_files_and_from_dask(tmp_path, kind):
    levels = np.random.default_rng(3).integers(0, 256, (N, SIZE, SIZE)).astype(np.float32) / 255
    faces = lazy = stimuli(levels)
    if kind in ("nc", "scaled nc"):
        stored = faces
        if kind == "scaled nc":  # bytes, which xarray decodes to 0..1
            packed = np.rint(levels * 255).astype(np.uint8)
            stored = faces.assign(image=(faces["image"].dims, packed, {"units": "1", "scale_factor": 1 / 255}))
        stored.to_netcdf(tmp_path / "s.nc", engine="h5netcdf")
        lazy = files.open_stimuli(tmp_path / "s.nc")
    elif kind == "zarr":
        pytest.importorskip("zarr")
        faces.to_zarr(tmp_path / "s.zarr", zarr_format=2, encoding={"image": {"chunks": (9, 32, 32)}})
        lazy = xr.open_dataset(tmp_path / "s.zarr", engine="zarr", chunks=None)
    else:
        pytest.importorskip("dask.array")
        lazy = faces.chunk(stimulus=1 if kind == "dask" else (10, 11, 2))
    seen = bank().transform(lazy, pool=POOL, block=4, out=tmp_path / "r.nc")
    assert nr.identical(seen.drop_attrs(deep=False), bank().transform(faces, pool=POOL).drop_attrs(deep=False)) or (
        kind == "scaled nc" and np.allclose(seen["energy"], bank().transform(faces, pool=POOL)["energy"], atol=1e-6)
    )
    assert not isinstance(lazy["image"].variable._data, np.ndarray)  # it was not loaded on the way


def test_no_chunk_of_dask_is_computed_twice():
    dask = pytest.importorskip("dask.array")
    counted = []

    def count(block):
        if block.size:
            counted.append(len(block))
        return block

    lazy = dask.from_array(pictures(), chunks=((9, 1, 1, 7, 5), SIZE, SIZE)).map_blocks(
        count, dtype=np.float32, meta=np.empty((0, 0, 0), np.float32)
    )
    got = list(blocks.read(stimuli(lazy)["image"], 4, first=0))
    assert [start for start, _ in got] == list(range(0, N, 4))
    assert (np.concatenate([block for _, block in got]) == pictures()).all()
    assert sorted(counted) == [1, 1, 5, 7, 9]


def test_neither_dask_nor_zarr_is_needed(tmp_path):
    code = (
        "import sys; sys.modules['dask'] = sys.modules['zarr'] = None; import nrsim as nr\n"
        f"seen = nr.V1Bank([1, 2]).transform(nr.example('StimulusSet'), out={str(tmp_path / 'r.nc')!r})\n"
        "print(nr.PooledEnergy(4).fit(seen).transform(seen).sizes['feature'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "256"


def test_a_large_chunk_of_a_file_is_read_once(monkeypatch):
    array = stimuli(pictures())["image"]
    array.encoding["preferred_chunks"] = {"stimulus": 10}
    assert blocks._edges(array, 4) == [0, 10, 20, 23]
    assert blocks._edges(array, 16) == []
    assert (np.concatenate([block for _, block in blocks.read(array, 4, first=8)]) == array.values[8:]).all()
    monkeypatch.setattr(blocks, "HELD", 100)
    assert blocks._edges(array, 4) == []


def test_levels_of_eight_bits_are_refused_and_the_error_says_what_to_do():
    levels = (pictures() * 255).astype(np.uint8)
    faces = stimuli(levels)
    with pytest.raises(nr.schema.SchemaError, match=r"0\.\.25\d \(uint8\).*/ 255") as raised:
        bank().transform(faces, pool=POOL)
    exec(str(raised.value).split("by ")[1].split(", block")[0], {"faces": faces})
    assert faces["image"].dtype == np.float32
    seen = bank().transform(faces, pool=POOL)
    assert seen.sizes["stimulus"] == N
    dask = pytest.importorskip("dask.array")
    lazy = stimuli(dask.from_array(levels, chunks=(5, SIZE, SIZE)))
    with pytest.raises(nr.schema.SchemaError, match="uint8"):
        bank().transform(lazy, pool=POOL)
    lazy["image"] = (lazy["image"] / 255).astype("float32").assign_attrs(units="1")
    assert lazy["image"].chunks is not None
    assert bank().transform(lazy, pool=POOL)["energy"].values == pytest.approx(seen["energy"].values, abs=1e-6)


@pytest.mark.parametrize("name", ["seen.nc", "seen.zarr"])
@pytest.mark.parametrize("pool", [None, POOL])
@pytest.mark.parametrize("log", [False, True])
def test_pooled_energy_reads_and_writes_blocks(tmp_path, name, pool, log, monkeypatch):
    out = target(tmp_path, name)
    faces = stimuli(pictures())
    features = nr.PooledEnergy(size=4, log=log)
    whole = bank().transform(faces, pool=pool)
    lazy = bank().transform(faces, pool=pool, out=out)
    wanted = features.fit(whole).transform(whole)
    mean = features.mean_energy_
    assert mean == pytest.approx(float(wanted["value"].mean()) if not log else mean, rel=1e-5)
    monkeypatch.setattr("nrsim.features.pooling._BLOCK", 3 * lazy["energy"].nbytes // N)
    largest = []
    real = blocks.read

    def read(*arguments):
        for start, block in real(*arguments):
            largest.append(len(block))
            yield start, block

    monkeypatch.setattr(blocks, "read", read)
    assert nr.identical(features.fit(lazy).transform(lazy), wanted)
    assert features.mean_energy_ == mean
    assert nr.identical(features.transform(lazy, out=tmp_path / "features.nc"), wanted)
    assert max(largest) <= 3


def test_energy_that_is_not_finite_is_refused_by_features():
    seen = bank().transform(stimuli(pictures()), pool=POOL)
    features = nr.PooledEnergy(size=4).fit(seen)
    seen["energy"][7, 0, 0, 0, 0] = np.nan
    for use in (features.fit, features.transform):
        with pytest.raises(nr.schema.SchemaError, match=r"energy: needed finite values; 1 are NaN.*\(7, 0"):
            use(seen)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_the_logarithm_of_nothing_is_refused(tmp_path):
    dark = bank().transform(stimuli(np.zeros((3, SIZE, SIZE), np.float32)), pool=POOL)
    dark["energy"][:] = 0
    features = nr.PooledEnergy(size=4, log=True).fit(dark)
    with pytest.raises(nr.schema.SchemaError, match="value: needed finite"):
        features.transform(dark)
    with pytest.raises(ValueError, match="finite value; got NaN or infinity at stimulus 's0'"):
        features.transform(dark, out=tmp_path / "features.nc")
    assert left(tmp_path) == []


def test_errors_of_writing(tmp_path, monkeypatch):
    faces = stimuli(pictures(3))
    with pytest.raises(ValueError, match=r"ends in \.zarr or \.nc; got 'responses\.hdf'"):
        bank().transform(faces, out="responses.hdf")
    with pytest.raises(TypeError, match=r"ends in \.zarr or \.nc; got 3"):
        bank().transform(faces, out=3)
    (tmp_path / "folder.nc").mkdir()
    with pytest.raises(IsADirectoryError, match="the name of a file"):
        bank().transform(faces, out=tmp_path / "folder.nc")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"needed a name that can be written to; .*r\.nc"):
        bank().transform(faces, out=tmp_path / "file" / "r.nc")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r"pip install 'nrsim\[zarr\]', or write netCDF"):
        bank().transform(faces, out="responses.zarr")
    monkeypatch.undo()
    pytest.importorskip("zarr")
    (tmp_path / "mine.zarr").mkdir()
    with pytest.raises(ValueError, match="which is none"):
        bank().transform(faces, out=tmp_path / "mine.zarr")
    monkeypatch.setattr("nrsim.v1.stream.LIMIT", 1e-6)
    with pytest.raises(ValueError, match=r"out='responses\.zarr'"):
        bank().transform(faces)


def test_the_page_on_large_sets_runs(tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "large_sets.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in re.findall(r"^ *```python\n(.*?)^ *```", page, flags=re.DOTALL | re.MULTILINE):
        exec(textwrap.dedent(block), names)
    assert left(tmp_path) == ["faces.nc", "features.nc", "responses.nc"]
    again = xr.open_dataset("responses.nc", engine="h5netcdf")
    assert nr.identical(names["pool"].transform(again), names["features"])


@pytest.mark.parametrize("name", KINDS)
def test_pictures_and_strangers_are_never_written_over(tmp_path, name):
    out = target(tmp_path, name)
    faces = stimuli(pictures(4))
    if out.suffix == ".nc":
        faces.to_netcdf(out, engine="h5netcdf")
        opened = xr.open_dataset(out, engine="h5netcdf")
    else:
        faces.to_zarr(out, zarr_format=2, consolidated=True)
        opened = xr.open_zarr(out, chunks=None)
    with (
        opened,
        pytest.raises(ValueError, match="free or of an earlier V1Response; got .* which is (StimulusSet|no result)"),
    ):
        bank().transform(opened, pool=POOL, out=out)
    with xr.open_dataset(out, engine="h5netcdf" if out.suffix == ".nc" else "zarr") as kept:
        assert np.array_equal(kept["image"].values, faces["image"].values)
    seen = bank().transform(faces, pool=POOL, out=tmp_path / f"seen{out.suffix}")
    with pytest.raises(ValueError, match="earlier Features; got .* which is V1Response"):
        POOL.fit(seen).transform(seen, out=tmp_path / f"seen{out.suffix}")
    text = tmp_path / "notes.nc"
    text.write_text("precious")
    with pytest.raises(ValueError, match="no result of nrsim's"):
        bank().transform(faces, pool=POOL, out=text)
    assert text.read_text() == "precious"


def test_frames_shown_at_other_times_begin_again(tmp_path, monkeypatch):
    out = tmp_path / "moving.nc"
    movies = np.random.default_rng(0).random((4, 6, SIZE, SIZE), dtype=np.float32)
    slow, quick = (
        nr.stimuli_from_arrays(movies, degrees=DEGREES, frame_times=np.arange(6) * dt) for dt in (0.01, 0.005)
    )
    filters = nr.TemporalFilters()
    real = blocks.read

    def read(array, step, first=0):
        for start, block in real(array, step, first):
            if start >= 2:
                raise KeyboardInterrupt
            yield start, block

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(blocks, "read", read)
        bank(temporal=filters, threads=1).transform(slow, pool=POOL, block=1, out=out)
    with pytest.warns(UserWarning, match="times of the frames.*starting again"):
        seen = bank(temporal=filters).transform(quick, pool=POOL, block=1, out=out)
    assert nr.identical(seen, bank(temporal=filters).transform(quick, pool=POOL))
