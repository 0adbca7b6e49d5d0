"""Points of the norms: from files, for some pictures only, exchanged, found, and what is said of them."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from PIL import Image

import nrsim as nr

NAMES = ["eye_left", "eye_right", "nose_tip", "mouth_corner_left", "mouth_corner_right", "chin"]


@pytest.fixture(scope="module")
def faces():
    rows = []
    for who, of in (("anna", {"domain": "human"}), ("bert", {"domain": "cartoon", "scale": 0.85, "x": 0.2})):
        for name, level in (("neutral", 0.0), ("happy", 1.0), ("surprised", 1.0)):
            rows.append({**of, "expression": name, "intensity": level, "stimulus_id": f"{who}-{name}",
                         "labels": {"person": who}})  # fmt: skip
    return nr.render_faces(rows, size=96, landmarks="alignment")


@pytest.fixture
def folder(faces, tmp_path):
    """Pictures, their table, and points of all neutral ones (points.csv) and of anna's alone (anna.csv)."""
    table, points = ["file,domain,expression,intensity"], ["File,Point,X,Y"]
    for i, name in enumerate(faces["stimulus_id"].values):
        Image.fromarray((faces["image"].values[i] * 255).round().astype(np.uint8)).save(tmp_path / f"{name}.png")
        who, shown = name.split("-")
        table.append(f"{name}.png,{who},{shown},{int(shown != 'neutral')}")
        if shown == "neutral":
            for point in NAMES:
                x, y = faces["landmark"][i].sel(point=point).values
                points.append(f"{name}.png,{point},{x:.3f},{y:.3f}")
    (tmp_path / "table.csv").write_text("\n".join(table))
    (tmp_path / "points.csv").write_text("\n".join(points))
    (tmp_path / "anna.csv").write_text("\n".join(points[: 1 + len(NAMES)]))
    return tmp_path


def with_points(faces, change):
    at = change(faces["landmark"].values.copy())
    return faces.assign_coords(landmark=(faces["landmark"].dims, at, {"units": "px"}))


def order(faces, **exchanged):
    names = [str(name) for name in faces["point"].values]
    return [names.index(exchanged.get(name, name)) for name in names]


PAIRS = {f"{stem}_{a}": f"{stem}_{b}" for stem in ("eye", "brow", "mouth_corner")
         for a, b in (("left", "right"), ("right", "left"))}  # fmt: skip


# Points of files


def test_points_of_files_are_scaled_where_pictures_were_resized(folder):
    points = nr.read_landmarks(folder / "points.csv")
    with pytest.warns(UserWarning, match="4 of 6 pictures have no landmarks"):
        whole = nr.load_folder(folder, folder / "table.csv", size=64, landmarks=folder / "points.csv")
    small = nr.load_folder(folder, folder / "table.csv", size=64)
    assert set(small["file_width"].values) == set(small["file_height"].values) == {96.0}
    wanted = nr.FaceGrid(whole, "anna", size=4)
    assert nr.FaceGrid(small, "anna", landmarks=points, size=4).places("bert") == pytest.approx(wanted.places("bert"))
    clicked = small.isel(stimulus=[0, 3]).assign_coords(landmark=points)
    assert nr.FaceGrid(clicked, "anna", size=4).places("bert") == pytest.approx(wanted.places("bert"))
    bank = nr.V1Bank([1, 1.4, 2, 2.8, 4])
    here, there = (bank.transform(each.isel(stimulus=[0])) for each in (clicked, whole))
    assert (nr.find_landmarks(here, like=here).values == nr.find_landmarks(there, like=there).values).all()
    as_stored = points.copy()
    as_stored.attrs.pop("picture")
    with pytest.raises(ValueError, match="'chin' at .* in px of the picture as stored"):
        nr.FaceGrid(small, "anna", landmarks=as_stored)
    plain = nr.load_folder(folder, folder / "table.csv")
    assert "file_width" not in plain.coords
    assert nr.FaceGrid(plain, "anna", landmarks=points, size=4).marked("bert") == pytest.approx(
        wanted.marked("bert"), abs=0.01
    )
    level = nr.align(whole.isel(stimulus=[0, 3]), ["eye_left", "eye_right"])
    assert "file_width" not in level.coords
    with pytest.raises(ValueError, match="points of their files, which nr.align has moved"):
        nr.FaceGrid(level, "anna", landmarks=points)


def test_points_outside_the_picture_are_refused_but_for_a_chin_below_its_edge(faces):
    def at(y):
        moved = faces["landmark"].copy()
        moved[3, 8, 1] = y
        return moved

    nr.FaceGrid(faces, "anna", norm_by="person", landmarks=at(99.0), size=4)
    said = "within the picture of 'bert-neutral', 96 by 96 px; got 'chin' at (48, 150). Points are in px of the picture"
    moved = at(150.0)
    moved[3, 8, 0] = 48.0
    with pytest.raises(ValueError, match=re.escape(said)):
        nr.FaceGrid(faces, "anna", norm_by="person", landmarks=moved)
    with pytest.raises(ValueError, match="'chin' at"):
        nr.aligned_features(faces, "anna", norm_by="person", landmarks=moved)


def test_the_size_of_files_is_no_column_of_a_written_table(folder):
    from nrsim import tables

    small = nr.load_folder(folder, folder / "table.csv", size=64)
    assert not {"file_width", "file_height"} & set(tables.stimuli(small).columns)
    with pytest.warns(UserWarning, match="no landmarks"):
        some = nr.load_folder(folder, folder / "table.csv", landmarks=folder / "points.csv")
    assert len(tables.landmarks(some)) == 2 * len(NAMES)


# Exchanged points


@pytest.mark.parametrize("head, said", [("bert", "exchanged on 'anna' or 'bert'"), ("anna", "'anna' and 'bert'")])
def test_left_and_right_exchanged_on_one_head(faces, head, said):
    def change(at):
        rows = (faces["person"] == head).values
        at[rows] = at[rows][:, order(faces, **PAIRS)]
        return at

    with pytest.raises(ValueError, match=said):
        nr.FaceGrid(with_points(faces, change), "anna", norm_by="person")


def test_x_and_y_or_two_points_exchanged(faces):
    def axes(at):
        at[3] = at[3][:, ::-1]
        return at

    with pytest.raises(ValueError, match="mirrored between 'anna' and 'bert'. Left and right, or x and y, exch"):
        nr.FaceGrid(with_points(faces, axes), "anna", norm_by="person")

    def two(at):
        at[3] = at[3][order(faces, eye_left="eye_right", eye_right="eye_left")]
        return at

    with pytest.raises(ValueError, match="'bert' between which .* 'eye_left' and 'eye_right' exchanged"):
        nr.FaceGrid(with_points(faces, two), "anna", norm_by="person")


def test_on_three_heads_the_reference_is_named(faces):
    third = faces.assign_coords(
        stimulus_id=("stimulus", [f"c-{i}" for i in range(6)]), person=("stimulus", ["c"] * 3 + ["d"] * 3)
    )
    three = xr.concat([faces, third], "stimulus")

    def change(at):
        at[:3] = at[:3][:, order(faces, **PAIRS)]
        return at

    with pytest.raises(ValueError, match="exchanged on 'anna'"):
        nr.FaceGrid(with_points(three, change), "anna", norm_by="person")


def test_points_at_one_place_and_names_that_are_none(faces):
    def one(at):
        at[3] = at[3, :1]
        return at

    make = {"norm_by": "person"}
    with pytest.raises(ValueError, match=r"places of their own; got 'eye_left' and 'eye_right' of 'bert' at \["):
        nr.FaceGrid(with_points(faces, one), "anna", **make)

    def line(at):
        at[3] = np.arange(9)[:, None] * (5.0, 4.0) + 20.0
        return at

    with pytest.raises(ValueError, match="not on a line; got 9 on 'bert'"):
        nr.FaceGrid(with_points(faces, line), "anna", **make)
    with pytest.raises(ValueError, match="points, each once; got chin, mouth, chin"):
        nr.FaceGrid(faces, "anna", points=["chin", "mouth", "chin"], **make)
    with pytest.raises(TypeError, match="points: a list of names; got 'eye_left'"):
        nr.FaceGrid(faces, "anna", points="eye_left", **make)
    with pytest.raises(TypeError, match="points: a list of names; got 3"):
        nr.FaceGrid(faces, "anna", points=3, **make)


def test_exchanged_sides_are_seen_on_the_figure(faces):
    grid = nr.FaceGrid(faces, "anna", norm_by="person", size=4)
    axes = nr.plot.face_grid(grid, faces)
    for ax, head in zip(axes, ("anna", "bert"), strict=True):
        left, right, other = ax.collections
        assert np.asarray(left.get_offsets())[0] == pytest.approx(grid.marked(head)[0])
        assert len(left.get_offsets()) == len(right.get_offsets()) == len(other.get_offsets()) == 3
        assert not np.allclose(left.get_facecolor()[0], right.get_facecolor()[0])
    legend = axes[0].figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["…left", "…right", "others"]
    assert [ax.get_title() for ax in axes] == ["anna", "bert"]
    assert len(nr.plot.face_grid(grid, faces, heads="bert")) == 1
    plt.close("all")
    with pytest.raises(TypeError, match="grid: a nr.FaceGrid; got a Dataset. Is the order exchanged"):
        nr.plot.face_grid(faces, grid)
    with pytest.raises(TypeError, match="grid: a nr.FaceGrid; got None"):
        nr.plot.face_grid(None, faces)
    with pytest.raises(TypeError, match="faces: a StimulusSet, whose pictures are drawn; got NoneType"):
        nr.plot.face_grid(grid, None)
    with pytest.raises(ValueError, match="one head or more"):
        nr.plot.face_grid(grid, faces, heads=[])
    with pytest.raises(ValueError, match="a picture with person = 'bert'; got none"):
        nr.plot.face_grid(grid, nr.select(faces, person="anna"))


# Pictures of another size, and without a head


def test_a_grid_refuses_pictures_of_another_size(faces):
    grid = nr.FaceGrid(faces, "anna", norm_by="person", size=4)
    wide = faces.assign_coords(y=("y", 2 * faces["y"].values, {"units": "degree"}),
                               x=("x", 2 * faces["x"].values, {"units": "degree"}))  # fmt: skip
    coarse = faces.isel(y=slice(0, 48), x=slice(0, 48))
    bank = nr.V1Bank([1, 2])
    for pool in (nr.PooledEnergy(places=grid), nr.PhaseDisplacement(places=grid)):
        see = bank.transform if isinstance(pool, nr.PooledEnergy) else bank.responses
        with pytest.raises(ValueError, match="made on, 96 by 96 px over 4 by 4 degrees; got 96 by 96 px over 8 by"):
            see(wide, pool=pool)
        with pytest.raises(ValueError, match=r"got 48 by 48 px over 2 by 2 degrees about \(-1, 1\). Make the grid on"):
            see(coarse, pool=pool)
    with pytest.raises(ValueError, match="made on, 96 by 96"):
        nr.plot.pools(wide, nr.PooledEnergy(places=grid))
    other = nr.FaceGrid(wide, "anna", norm_by="person", size=4)
    dense = bank.transform(wide)
    with pytest.raises(ValueError, match="made on, 96 by 96"):
        nr.PooledEnergy(places=grid).fit(dense)
    seen = bank.transform(wide, pool=nr.PooledEnergy(places=other))
    with pytest.raises(ValueError, match="places="):
        nr.PooledEnergy(places=grid).fit(seen)
    moved = bank.responses(wide, pool=nr.PhaseDisplacement(places=other))
    with pytest.raises(ValueError, match="places of this object, over 'anna'; got at those over 'anna', another"):
        nr.PhaseDisplacement(places=grid).fit(moved)
    with pytest.raises(ValueError, match="over 'the picture'; got at those over 'anna'"):
        nr.PhaseDisplacement(4).fit(moved)


def test_what_has_no_head_is_seen_at_the_reference_and_has_not_moved(faces):
    things = nr.render_objects(["mug"], size=96)
    both = nr.join_stimuli([faces, things], categories=["face", "object"])
    grid = nr.FaceGrid(both, "anna", norm_by="person", size=6)
    assert grid.places("") == pytest.approx(grid.places())
    bank = nr.V1Bank([0.5, 1, 2])
    pool, moved = nr.PooledEnergy(places=grid), nr.PhaseDisplacement(places=grid)
    seen = bank.transform(both, pool=pool)["energy"].values[-1].reshape(3, 8, 6, 6)
    plain = bank.transform(things, pool=nr.PooledEnergy(6))["energy"].values[0]
    assert seen == pytest.approx(plain, rel=5e-3, abs=1e-3 * float(plain.max()))
    phases = bank.responses(both, pool=moved)
    value = moved.fit(phases).transform(phases)["value"].values
    assert (value[-1] == 0).all() and np.abs(value[1]).max() > 0.01
    features = nr.aligned_features(both, "anna", norm_by="person", size=6, bank=bank)
    assert np.isfinite(features["value"].values).all()


def test_a_grid_has_one_size(faces):
    grid = nr.FaceGrid(faces, "anna", norm_by="person", size=6)
    for kind in (nr.PooledEnergy, nr.PhaseDisplacement):
        with pytest.raises(ValueError, match="size in the FaceGrid; got size=4 beside a grid of 6 × 6"):
            kind(4, places=grid)
        assert kind(6, places=grid).size == kind(places=grid).size == [6, 6]


# Some pictures marked


def test_the_neutral_images_are_enough(folder):
    with pytest.warns(UserWarning, match="4 of 6 pictures have no landmarks .NaN., such as 'anna-happy.png'"):
        own = nr.load_folder(folder, folder / "table.csv", landmarks=folder / "points.csv")
    with pytest.warns(UserWarning, match="5 of 6"):
        anna = nr.load_folder(folder, folder / "table.csv", landmarks=folder / "anna.csv")
    settings = {"size": 6, "bank": nr.V1Bank([1, 2, 4])}
    known = nr.aligned_features(own, "anna", **settings)
    bare = nr.load_folder(folder, folder / "table.csv")
    again = nr.aligned_features(bare, "anna", landmarks=nr.read_landmarks(folder / "points.csv"), **settings)
    assert (known["value"].values == again["value"].values).all()
    found = nr.aligned_features(anna, "anna", landmarks="find", **settings)
    marked = nr.read_landmarks(folder / "anna.csv")
    table = nr.aligned_features(bare, "anna", landmarks="find", marked=marked, **settings)
    assert (found["value"].values == table["value"].values).all()
    assert nr.FaceGrid.of(found).points == NAMES
    with pytest.raises(ValueError, match="no points on 'bert-neutral', the norm of 'bert'. Mark them too, or"):
        nr.aligned_features(anna, "anna", **settings)
    with pytest.raises(ValueError, match="'anna-neutral', the norm of 'anna'. The reference's norm has to be marked"):
        nr.FaceGrid(bare, "anna", landmarks=marked.assign_coords(
            stimulus_id=("stimulus", ["bert-neutral"]), file=("stimulus", ["bert-neutral.png"])))  # fmt: skip
    with pytest.raises(ValueError, match="of the norm.*, 'anna-neutral', 'bert-neutral', by st.* of 'x', 'y'"):
        nr.FaceGrid(bare, "anna", landmarks=nr.read_landmarks(folder / "points.csv").assign_coords(
            stimulus_id=("stimulus", ["x", "y"]), file=("stimulus", ["x.png", "y.png"])))  # fmt: skip
    with pytest.raises(ValueError, match="every point of 'anna-happy'; got NaN"):
        nr.align(own)
    with pytest.raises(ValueError, match="every point of b; got NaN"):
        nr.morph(own.isel(stimulus=[0]), own.isel(stimulus=[1]), [0.5])
    with pytest.raises(ValueError, match="landmarks on 'anna-happy'; got a face that is not marked"):
        nr.plot.landmarks(own, stimulus="anna-happy")
    ax = nr.plot.landmarks(own, stimulus="anna-neutral")
    plt.close(ax.figure)


def test_points_go_where_they_belong_when_pictures_are_resized(folder):
    points = nr.read_landmarks(folder / "points.csv")
    with pytest.warns(UserWarning, match="have no landmarks"):
        small = nr.load_folder(folder, folder / "table.csv", size=32, landmarks=folder / "points.csv")
    ax = nr.plot.landmarks(small, points, stimulus="anna-neutral")
    marked, found = (np.asarray(each.get_offsets()) for each in ax.collections)
    assert found == pytest.approx(marked)
    plt.close(ax.figure)
    norms = nr.norm_landmarks(small, "anna", bank=nr.V1Bank([1, 2]))
    with pytest.raises(
        ValueError, match="px of the files, which are resized; got landmarks found on pictures as stored"
    ):
        nr.load_folder(folder, folder / "table.csv", size=32, landmarks=norms)


def test_an_error_on_the_reference_is_seen_before_it_is_copied(folder):
    with pytest.warns(UserWarning, match="have no landmarks"):
        own = nr.load_folder(folder, folder / "table.csv", landmarks=folder / "points.csv")
    points = nr.read_landmarks(folder / "points.csv")
    exchanged = points.copy(data=points.values[..., ::-1])
    with pytest.raises(ValueError, match="upright face on 'anna'|side by side"):
        nr.norm_landmarks(own, "anna", marked=exchanged, bank=nr.V1Bank([1, 2]))


@pytest.mark.parametrize("align, points", [("find", "anna.csv"), ("known", "points.csv")])
def test_a_study_of_pictures_with_the_norms_alone_marked(folder, align, points):
    study = {
        "stimuli": {"folder": str(folder), "table": str(folder / "table.csv"), "landmarks": str(folder / points)},
        "v1": {"frequencies": [1.0, 2.0, 4.0]},
        "features": {"size": 6, "align": align, "cues": ["energy", "displacement"]},
        "encoder": {"prototypes": {"domain": "anna", "intensity": 1.0}, "controls": []},
        "neurons": {"trials": 1},
    }
    with pytest.warns(UserWarning, match="pictures have no landmarks"):
        results = nr.run_study(study, out=folder / "out")
    assert nr.FaceGrid.of(results["features"]).heads == ["anna", "bert"]
    page = (folder / "out" / "report.html").read_text()
    assert (folder / "out" / "face_grid.png").is_file() and 'id="face_grid"' in page


# Found points


def test_found_points_can_be_looked_at(faces):
    found = nr.norm_landmarks(faces, "anna", norm_by="person", bank=nr.V1Bank([1, 2, 4]))
    assert found["stimulus_id"].values.tolist() == ["anna-neutral", "bert-neutral"]
    assert found["person"].values.tolist() == ["anna", "bert"]
    assert (found.values[0] == faces["landmark"].values[0]).all() and np.isnan(found["confidence"].values[0]).all()
    assert np.abs(found.values[1] - faces["landmark"].values[3]).max() < 5
    fine = nr.V1Bank([1, 2**0.5, 2, 8**0.5, 4])
    bare = faces.drop_vars(["landmark", "point", "axis"])
    one = nr.find_landmarks(fine.transform(bare.isel(stimulus=[3])), like=fine.transform(faces.isel(stimulus=[0])))
    assert found.values[1] == pytest.approx(one.values[0], abs=1e-4)
    features = nr.aligned_features(
        faces, "anna", norm_by="person", landmarks="find", size=5, bank=nr.V1Bank([1, 2, 4]), cues="energy"
    )
    grid = nr.FaceGrid.of(features)
    assert grid.get_params() == nr.FaceGrid(faces, "anna", norm_by="person", landmarks=found, size=5).get_params()
    assert grid.places("bert") == pytest.approx(
        nr.FaceGrid(faces, "anna", norm_by="person", landmarks=found, size=5).places("bert"), abs=1e-4
    )
    assert set(grid.confidence) == {"bert"} and grid.confidence["bert"] == pytest.approx(
        found["confidence"].values[1], abs=1e-3
    )
    axes = nr.plot.face_grid(grid, faces)
    assert axes[1].get_title() == f"bert (found, {grid.confidence['bert'].mean():.2f})"
    plt.close("all")
    with pytest.raises(ValueError, match="features that were made with a FaceGrid"):
        nr.FaceGrid.of(nr.example("Features"))


def test_a_face_that_was_probably_missed_is_told(faces):
    noise = faces.copy()
    image = noise["image"].values.copy()
    image[3] = 0.5 + 0.1 * np.random.default_rng(2).standard_normal((96, 96)).clip(-4, 4)
    noise = noise.assign(image=(faces["image"].dims, image, faces["image"].attrs))
    with pytest.warns(UserWarning, match=r"low confidence: 'bert' \(0.*plot.landmarks, or mark"):
        nr.norm_landmarks(noise, "anna", norm_by="person", bank=nr.V1Bank([1, 2, 4]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nr.norm_landmarks(faces, "anna", norm_by="person", bank=nr.V1Bank([1, 2, 4]))


def test_points_that_the_reference_lacks_are_not_looked_for(faces):
    marks = faces["landmark"].where(faces["point"] != "mouth")
    found = nr.norm_landmarks(faces, "anna", marked=marks, norm_by="person", bank=nr.V1Bank([1, 2, 4]))
    assert "mouth" not in found["point"].values and found.sizes["point"] == 8


def test_norm_landmarks_say_what_they_need(faces):
    make = {"norm_by": "person", "bank": nr.V1Bank([1, 2, 4])}
    bare = faces.drop_vars(["landmark", "point", "axis"])
    with pytest.raises(ValueError, match="landmarks on the norm of 'anna', .* got none. Give them: landmarks"):
        nr.norm_landmarks(bare, "anna", **make)
    bert = faces["landmark"].isel(stimulus=[3])
    with pytest.raises(ValueError, match=r"the norm of 'anna' \('anna-neutral'\); got landmarks of 'bert-neutral'"):
        nr.norm_landmarks(bare, "anna", marked=bert, **make)
    with pytest.raises(TypeError, match=r"nr.read_landmarks\('points.csv'\) reads a file"):
        nr.norm_landmarks(bare, "anna", marked="points.csv", **make)
    with pytest.raises(ValueError, match="unknown person as reference 'ana'; nearest: 'anna'"):
        nr.norm_landmarks(faces, "ana", **make)
    with pytest.raises(ValueError, match="a norm of the reference 'anna'; got none"):
        nr.norm_landmarks(faces.isel(stimulus=slice(1, None)), "anna", **make)
    with pytest.raises(ValueError, match="points, each once"):
        nr.norm_landmarks(faces, "anna", points=["chin", "chin", "mouth"], **make)


# Messages


def test_wrong_calls_of_aligned_features_end_in_words(faces):
    make = {"norm_by": "person", "size": 4}
    for wrong, kind, said in (
        ({"landmarks": "points.csv"}, TypeError, "nr.read_landmarks('points.csv') reads a file"),
        ({"bank": "x"}, TypeError, "bank: a nr.V1Bank, such as nr.V1Bank([1, 2, 4, 8]); got 'x'"),
        ({"bank": nr.V1Bank}, TypeError, "got the class V1Bank"),
        ({"cues": 1}, TypeError, 'cues: "energy", "displacement" or both; got 1'),
        ({"cues": ["energy", "energy"]}, ValueError, "one cue or more, each once; got energy, energy"),
        ({"norms": "average"}, TypeError, "norms: labels → values"),
        ({"prototypes": 1.0}, TypeError, "prototypes: labels → values"),
        (
            {"prototypes": {"person": "bert"}},
            ValueError,
            "prototypes of the reference, 'anna'; got prototypes of 'bert'",
        ),
        ({"marked": faces["landmark"]}, ValueError, 'landmarks="find" beside marked='),
    ):
        with pytest.raises(kind, match=re.escape(said)):
            nr.aligned_features(faces, "anna", **{**make, **wrong})
    with pytest.raises(TypeError, match=re.escape("nr.read_landmarks('points.csv') reads a file")):
        nr.FaceGrid(faces, "anna", landmarks="points.csv", **make)
    for call in (
        lambda: nr.FaceGrid(faces, "anna", norms="average", **make),
        lambda: nr.PhaseDisplacement(4).fit(
            nr.V1Bank([1]).responses(faces, pool=nr.PhaseDisplacement(4)), norms="average"
        ),
        lambda: nr.join_features([nr.example("Features")], equal="human"),
        lambda: nr.join_features([nr.example("Features")], equal={"domain": "human"}, norms="average"),
    ):
        with pytest.raises(TypeError, match="labels → values that choose the stimuli"):
            call()


def test_wrong_calls_of_cues_end_in_words(faces):
    features = nr.example("Features")
    with pytest.raises(TypeError, match=r"a list of Features to join, \[energy, displacement\]; got one set"):
        nr.join_features(features)
    with pytest.raises(TypeError, match="a list of names of the cues; got 'ab'"):
        nr.join_features([features, features], names="ab")
    with pytest.raises(TypeError, match="a V1Response, which is an xarray.Dataset; got NoneType"):
        nr.PhaseDisplacement().fit(None)
    with pytest.raises(TypeError, match="features of PhaseDisplacement; got NoneType"):
        nr.plot.displacement(None, faces, "anna-happy")
    with pytest.raises(TypeError, match="path of a landmark file or of a folder of templates; got 3"):
        nr.read_landmarks(3)
    with pytest.raises(TypeError, match="got DataArray"):
        nr.read_landmarks(faces["landmark"])
    metric = nr.FisherMetric().fit(features, label="expression")
    with pytest.raises(ValueError, match=r"the 12 features it was fitted on; got 11 of them, without '"):
        metric.transform(features.isel(feature=slice(1, None)))
    with pytest.raises(ValueError, match="got them in another order"):
        metric.transform(features.isel(feature=slice(None, None, -1)))


def test_arrows_of_displacement_are_as_long_as_places_are_apart(faces):
    grid = nr.FaceGrid(faces, "anna", norm_by="person", size=8)
    pool = nr.PhaseDisplacement(places=grid)
    seen = nr.V1Bank([0.5, 1, 2, 4]).responses(faces, pool=pool)
    features = pool.fit(seen).transform(seen)
    assert features["value"].attrs["units"] == "degree"
    ax = nr.plot.displacement(features, faces, "anna-surprised")
    (arrows,) = (each for each in ax.collections if hasattr(each, "U"))
    length = np.hypot(arrows.U, arrows.V)
    assert np.quantile(length, 0.98) / arrows.scale == pytest.approx(1.5 * 0.5, rel=0.01)
    colours = arrows.get_facecolor()
    assert colours[length.argmin(), 3] < 0.3 and colours[length.argmax(), 3] == 1
    key = next(each for each in ax.get_children() if type(each).__name__ == "QuiverKey")
    told = float(key.label.split()[0])
    assert key.label.endswith("degrees") and 0.2 < told / np.quantile(length, 0.98) <= 1
    ax = nr.plot.displacement(features, faces, "bert-surprised", grid=grid)
    (arrows,) = (each for each in ax.collections if hasattr(each, "U"))
    assert np.asarray(arrows.get_offsets()) == pytest.approx(grid.places("bert"))
    back = np.linalg.inv(grid.stretch("bert"))
    row = features["stimulus_id"].values.tolist().index("bert-surprised")
    assert np.einsum("pab,pb->pa", back, np.stack([arrows.U, arrows.V], -1)).ravel() == pytest.approx(
        features["value"].values[row], abs=1e-6
    )
    still = nr.plot.displacement(features, faces, "anna-neutral")
    plt.close("all")
    assert still.get_title() == "anna-neutral: displacement"
    with pytest.raises(ValueError, match="unknown stimulus of the pictures 'bert-happy'; nearest"):
        nr.plot.displacement(features, nr.select(faces, person="anna"), "bert-happy")
    with pytest.raises(ValueError, match="unknown stimulus of the features 'bert-hapy'; nearest: 'bert-happy'"):
        nr.plot.displacement(features, faces, "bert-hapy")
    joined = nr.join_features([features], equal={"person": "anna", "intensity": 1.0}, norm_by="person")
    with pytest.raises(ValueError, match="Joined cues are no longer in degrees"):
        nr.plot.displacement(joined, faces, "anna-happy")
