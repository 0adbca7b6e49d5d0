"""Pictures from outside: a folder with a table, and FERG-DB."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from skimage import io

import nrsim as nr
from nrsim import cli
from nrsim.settings import resolve


@pytest.fixture
def folder(tmp_path):
    """Three grey squares of 24 px: the norm, half and full intensity."""
    for name, level in (("neutral.png", 0), ("half.png", 128), ("full.png", 255)):
        io.imsave(tmp_path / name, np.full((24, 24), level, dtype=np.uint8), check_contrast=False)
    (tmp_path / "table.csv").write_text(
        "file,domain,expression,intensity\nneutral.png,anna,neutral,0\nhalf.png,anna,happy,0.5\nfull.png,anna,happy,1\n"
    )
    return tmp_path


def test_pictures_and_labels(folder):
    faces = nr.load_folder(folder, folder / "table.csv", degrees=6.0)
    nr.schema.check(faces, "StimulusSet")
    assert faces["image"].mean(("y", "x")).values == pytest.approx([0, 128 / 255, 1])
    assert list(faces["stimulus_id"].values) == ["neutral", "half", "full"]
    assert list(faces["norm_id"].values) == ["neutral"] * 3
    assert float(np.diff(faces["x"])[0]) == pytest.approx(0.25)
    assert float(faces["y"][0]) > 0 > float(faces["y"][-1])


def test_colour_depth_and_transparency(folder):
    rgba = np.zeros((24, 24, 4), dtype=np.uint8)
    rgba[:, :12] = (0, 255, 0, 255)
    io.imsave(folder / "full.png", rgba, check_contrast=False)
    io.imsave(folder / "half.png", np.full((24, 24), 32768, dtype=np.uint16), check_contrast=False)
    image = nr.load_folder(folder, folder / "table.csv")["image"].values
    assert image[2, :, :12] == pytest.approx(0.7154, abs=2e-3)  # the weight of green
    assert image[2, :, 12:] == pytest.approx(0.5)
    assert image[1] == pytest.approx(0.5, abs=1e-4)


def test_resizing_keeps_the_mean_and_the_degrees(folder):
    small, large = (nr.load_folder(folder, folder / "table.csv", size=size) for size in (12, 48))
    assert small["image"].mean(("y", "x")).values == pytest.approx(large["image"].mean(("y", "x")).values, abs=1e-3)
    assert float(np.diff(small["x"])[0]) == pytest.approx(4 / 12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("intensity\n", "intensty\n", "nearest: 'intensity'"),
        ("happy,0.5", "happy,strong", "intensity: a number; got 'strong' in row 3"),
        ("happy,0.5", "happy,", "intensity: a number"),
        ("happy,0.5", "happy,nan", "intensity: a number"),
        ("file,", "view,", "needed a column 'file'"),
        (
            "happy,0.5",
            "happy,0.5,",
            "needed 4 fields in each row of 'table.csv' (file, domain, expression, intensity); got 5",
        ),
        ("anna,happy,0.5", "happy,0.5", "got 3 in row 3: 'half.png,happy,0.5'"),
        ("intensity\n", "intensity,\n", "a name for each column of 'table.csv'; got none for column 5"),
        ("expression,", "domain,", "every column of 'table.csv' once; got 'domain' more than once"),
        ("half.png", "", "a picture's name in the column 'file'; got an empty cell in row 3"),
        ("expression,", "stimulus_id,", "'happy' more than once, again in row 4"),
        ("expression", "norm_id", "unknown norm_id in row 2 of 'table.csv' 'neutrl'; nearest: 'neutral'"),
        ("expression", "norm_kind", "unknown norm_kind in row 2 of 'table.csv' 'neutrl'; nearest: 'neutral'"),
        ("expression", "mood", "pass labels=['mood']"),
        ("intensity", "degrees", "one width above 0 in degrees"),
        ("half.png", "lost.png", "needed the picture 'lost.png'"),
        ("half.png", "table.csv", "'table.csv' cannot be read as one"),
        ("half.png", "full.png", "'full' more than once"),
    ],
)
def test_wrong_tables(folder, old, new, words):
    table = folder / "table.csv"
    text = table.read_text()
    if new in ("norm_id", "norm_kind"):
        text = text.replace("anna,neutral", "anna,neutrl")
    table.write_text(text.replace(old, new, 1))
    with pytest.raises((ValueError, FileNotFoundError), match=re.escape(words)):
        nr.load_folder(folder, table)


def test_wrong_folders_and_pictures(folder):
    table = folder / "table.csv"
    with pytest.raises(FileNotFoundError, match="no folder"):
        nr.load_folder(folder / "lost", table)
    with pytest.raises(FileNotFoundError, match="no file"):
        nr.load_folder(folder, folder / "lost.csv")
    (folder / "half.png").write_text("no picture")
    with pytest.raises(ValueError, match="'half.png' cannot be read"):
        nr.load_folder(folder, table)
    io.imsave(folder / "half.png", np.zeros((20, 24), dtype=np.uint8), check_contrast=False)
    with pytest.raises(ValueError, match="one size"):
        nr.load_folder(folder, table)
    with pytest.raises(ValueError, match="square pictures"):
        nr.load_folder(folder, table, size=16)
    (folder / "empty.csv").write_text("")
    with pytest.raises(ValueError, match="empty file"):
        nr.load_folder(folder, folder / "empty.csv")
    (folder / "latin.csv").write_bytes("file,identity\nhalf.png,Jos\xe9\n".encode("latin-1"))
    with pytest.raises(ValueError, match="UTF-8"):
        nr.load_folder(folder, folder / "latin.csv")


def test_hashes_quotes_comments_and_marks_of_byte_order(folder):
    (folder / "half.png").rename(folder / "#half, 2.png")
    text = (folder / "table.csv").read_text()
    text = text.replace("half.png,anna,happy", '"#half, 2.png", anna ,happy #2').replace("file,", "# mine\n\nfile,", 1)
    (folder / "table.csv").write_text("\ufeff" + text, encoding="utf-8")
    faces = nr.load_folder(folder, folder / "table.csv")
    assert list(faces["file"].values) == ["neutral.png", "#half, 2.png", "full.png"]
    assert list(faces["expression"].values) == ["neutral", "happy #2", "happy"]
    assert list(faces["domain"].values) == ["anna"] * 3


def test_labels_of_a_users_own(folder):
    (folder / "table.csv").write_text("file,age,site,code\nneutral.png,31,AM,7\nhalf.png,,ML,\nfull.png,58.5,AM,x\n")
    faces = nr.load_folder(folder, folder / "table.csv", labels=["age", "site", "code"])
    assert faces["age"].values == pytest.approx([31, np.nan, 58.5], nan_ok=True)
    assert faces["age"].attrs["units"] == "1"
    assert list(faces["site"].values) == ["AM", "ML", "AM"]
    assert list(faces["code"].values) == ["7", "", "x"]
    faces.to_netcdf(folder / "faces.nc", engine="h5netcdf")
    assert nr.identical(nr.load_stimuli(folder / "faces.nc"), faces)
    with pytest.raises(ValueError, match=re.escape("pass labels=['age', 'site', 'code']")):
        nr.load_folder(folder, folder / "table.csv", labels=["age", "site"])
    with pytest.raises(ValueError, match="in labels 'sit'; nearest: 'site'"):
        nr.load_folder(folder, folder / "table.csv", labels=["age", "sit"])
    with pytest.raises(TypeError, match="labels: a list of names"):
        nr.load_folder(folder, folder / "table.csv", labels="age")
    (folder / "table.csv").write_text("file,landmark\nhalf.png,1\n")
    with pytest.raises(ValueError, match="means something else here"):
        nr.load_folder(folder, folder / "table.csv", labels=["landmark"])


def save_one(folder, name, levels, **options):
    """Save one picture and a table that names it alone."""
    picture = levels if isinstance(levels, Image.Image) else Image.fromarray(levels)
    picture.save(folder / name, **options)
    (folder / "one.csv").write_text(f"file\n{name}\n")
    return folder / "one.csv"


def test_cameras_held_sideways(folder):
    grey = np.zeros((24, 24), dtype=np.uint8)
    grey[:12] = 250  # bright above, once the picture is upright
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    table = save_one(folder, "held.png", np.rot90(grey), exif=exif)
    assert nr.load_folder(folder, table)["image"].values[0] == pytest.approx(grey / 255)


def test_depths_of_tiff(folder):
    ramp = np.linspace(0, 1, 576, dtype=np.float32).reshape(24, 24)
    assert nr.load_folder(folder, save_one(folder, "f.tif", ramp))["image"].values[0] == pytest.approx(ramp)
    deep = (ramp * 65535).astype(np.uint16)
    assert nr.load_folder(folder, save_one(folder, "d.tif", deep))["image"].values[0] == pytest.approx(ramp, abs=1e-4)
    with pytest.raises(ValueError, match="floating-point picture; got 0 to 255 in 'f.tif'"):
        nr.load_folder(folder, save_one(folder, "f.tif", ramp * 255))
    with pytest.raises(ValueError, match="nan"):
        nr.load_folder(folder, save_one(folder, "f.tif", np.where(ramp > 0.5, np.nan, ramp).astype(np.float32)))
    with pytest.raises(ValueError, match="whose white is not known"):
        nr.load_folder(folder, save_one(folder, "i.tif", (ramp * 255).astype(np.int32)))


def test_other_modes_of_pictures(folder):
    green = Image.new("RGB", (24, 24), (0, 255, 0))
    for name, picture in {"p.png": green.convert("P"), "c.tif": green.convert("CMYK"), "j.jpg": green}.items():
        image = nr.load_folder(folder, save_one(folder, name, picture, **({"quality": 100} if "j" in name else {})))
        assert image["image"].values[0] == pytest.approx(0.7154, abs=0.01), name
    clear = Image.new("L", (24, 24), 9)
    image = nr.load_folder(folder, save_one(folder, "t.png", clear, transparency=9))["image"].values
    assert image == pytest.approx(0.5)
    with pytest.raises(ValueError, match="a still picture; got 'm.gif' with 2 frames"):
        nr.load_folder(folder, save_one(folder, "m.gif", clear, save_all=True, append_images=[green.convert("L")]))


def test_landmarks_follow_resizing(folder):
    (folder / "points.csv").write_text(
        "file,nose_x,nose_y,chin_x,chin_y\nhalf.png,12,6,12,24\nneutral.png,0,0,24,24\nfull.png,3,6,,\n"
    )
    faces = nr.load_folder(folder, folder / "table.csv", size=48, landmarks=folder / "points.csv")
    assert list(faces["point"].values) == ["nose", "chin"]
    assert faces["landmark"].values[0] == pytest.approx(np.array([[0, 0], [48, 48]]))
    assert faces["landmark"].values[1] == pytest.approx(np.array([[24, 12], [24, 48]]))
    assert np.isnan(faces["landmark"].values[2, 1]).all()
    nr.schema.check(faces, "StimulusSet")
    # by a template for each picture, and by what was read before
    points = nr.read_landmarks(folder / "points.csv").isel(point=[0])
    nr.write_tem(points, folder / "tem")
    for landmarks in (folder / "tem", points):
        again = nr.load_folder(folder, folder / "table.csv", size=48, landmarks=landmarks)
        assert again["landmark"].values == pytest.approx(faces["landmark"].values[:, :1])
    (folder / "tem" / "half.tem").unlink()
    for landmarks in (folder / "tem", points.isel(stimulus=[1, 2])):
        with pytest.warns(UserWarning, match="1 of 3 pictures have no landmarks .NaN., such as 'half"):
            some = nr.load_folder(folder, folder / "table.csv", landmarks=landmarks)
        assert np.isfinite(some["landmark"].values).all(axis=(1, 2)).tolist() == [True, False, True]
    for path in list((folder / "tem").iterdir()):
        path.rename(folder / "tem" / f"my_{path.name}")
    with pytest.raises(ValueError, match="nearest: 'my_neutral'. Needed neutral.tem for 'neutral.png'"):
        nr.load_folder(folder, folder / "table.csv", landmarks=folder / "tem")
    mine = points.assign_coords(file=("stimulus", ["1.jpg", "2.jpg", "3.jpg"]))
    with pytest.raises(ValueError, match="'neutral.png'; known: '1.jpg', '2.jpg', '3.jpg'. None of the 3 pictures has"):
        nr.load_folder(folder, folder / "table.csv", landmarks=mine)
    with pytest.raises(ValueError, match="as nr.read_landmarks returns"):
        nr.load_folder(folder, folder / "table.csv", landmarks=points.isel(stimulus=0))
    with pytest.raises(ValueError, match="most landmarks of 'neutral.png' inside it .24 × 24 px.; got 1 of 1 outside"):
        nr.load_folder(folder, folder / "table.csv", landmarks=points * 10 + 100)


def test_a_set_written_to_a_file_is_the_same(folder, monkeypatch):
    inside = nr.load_folder(folder, folder / "table.csv", size=16)
    opened = nr.load_folder(folder, folder / "table.csv", size=16, out=folder / "faces.nc")
    assert nr.identical(opened, inside)
    opened.close()
    assert nr.identical(nr.load_stimuli(folder / "faces.nc"), inside)
    monkeypatch.setattr("nrsim.images.collect._LARGEST", 1000)
    with pytest.raises(ValueError, match="Pass out='faces.nc'"):
        nr.load_folder(folder, folder / "table.csv", size=16)
    with pytest.raises(ValueError, match="ending in .nc"):
        nr.load_folder(folder, folder / "table.csv", out=folder / "faces.h5")
    (folder / "full.png").write_text("no picture")
    with pytest.raises(ValueError, match="'full.png' cannot be read"):
        nr.load_folder(folder, folder / "table.csv", out=folder / "broken.nc")
    assert not [path.name for path in folder.iterdir() if "broken" in path.name]


def test_a_recipe_of_own_pictures(folder):
    (folder / "points.csv").write_text("file,point,x,y\nneutral.png,nose,1,2\nhalf.png,nose,1,2\nfull.png,nose,1,2\n")
    (folder / "mine.toml").write_text(
        'title = "mine"\ngenerator = "folder"\n[parameters]\n'
        'folder = "."\ntable = "table.csv"\nlandmarks = "points.csv"\nsize = 48\n'
    )
    faces = nr.load_stimuli(folder / "mine.toml")
    assert faces["landmark"].values[0, 0] == pytest.approx([2, 4])
    assert faces.attrs["title"] == "mine"


@pytest.fixture
def ferg(tmp_path):
    """A tree as FERG-DB's: two avatars, two expressions of 10 pictures each and neutral ones, 32 px in colour."""
    rows = [{"domain": name, "expression": "neutral", "intensity": 0.0} for name in ("human", "cartoon")]
    rows += [{"domain": name, "expression": "happy", "intensity": 1.0} for name in ("human", "cartoon")]
    faces = (nr.render_faces(rows, size=32)["image"].values * 255).astype(np.uint8)
    for avatar, column in (("aia", 0), ("ray", 1)):
        for expression, row, count in (("neutral", 0, 3), ("joy", 2, 10), ("fear", 2, 10)):
            folder = tmp_path / "FERG_DB_256" / avatar / f"{avatar}_{expression}"
            folder.mkdir(parents=True)
            (folder / ".DS_Store").write_text("")
            for i in range(count):
                grey = np.stack([faces[row + column]] * 3, axis=-1)
                grey[0, 0] = i + 1  # to tell them apart
                Image.fromarray(grey).save(folder / f"{avatar}_{expression}_{i + 1}.png")
    return tmp_path / "FERG_DB_256"


def test_ferg(ferg):
    faces = nr.load_ferg(ferg)
    nr.schema.check(faces, "StimulusSet")
    assert faces.sizes == {"stimulus": 46, "y": 32, "x": 32}
    assert faces["image"].values[:, 0, 0] * 255 == pytest.approx(
        [int(name.rsplit("_", 1)[1]) for name in faces["stimulus_id"].values]
    )
    assert list(faces["stimulus_id"].values[:4]) == ["aia_fear_1", "aia_fear_2", "aia_fear_3", "aia_fear_4"]
    assert faces["file"].values[0] == "aia/aia_fear/aia_fear_1.png"
    assert set(faces["domain"].values) == {"aia", "ray"}
    assert ((faces["intensity"] == 0) == (faces["expression"] == "neutral")).all()
    assert set(faces["intensity"].values) == {0, 1}
    assert set(faces["norm_id"].values) == {""}  # three neutral pictures each: nobody said which
    assert nr.identical(nr.load_ferg(ferg.parent), faces)


def test_part_of_ferg(ferg):
    some = nr.load_ferg(ferg, avatars=["ray"], expressions=["joy", "neutral"], limit=3, size=16)
    assert list(some["stimulus_id"].values) == [
        *("ray_joy_2", "ray_joy_6", "ray_joy_9"),
        *("ray_neutral_1", "ray_neutral_2", "ray_neutral_3"),
    ]
    assert some["image"].shape == (6, 16, 16)
    one = nr.load_ferg(ferg, limit=1)
    assert list(one["norm_id"].values) == ["aia_neutral_2"] * 3 + ["ray_neutral_2"] * 3
    named = nr.load_ferg(ferg, expressions=["joy"], limit=2, norms={"aia": "aia_neutral_3"})
    assert list(named["stimulus_id"].values) == ["aia_joy_3", "aia_joy_8", "aia_neutral_3", "ray_joy_3", "ray_joy_8"]
    assert list(named["norm_id"].values) == ["aia_neutral_3"] * 3 + [""] * 2


def test_ferg_in_a_file(ferg):
    opened = nr.load_ferg(ferg, out=ferg.parent / "ferg.nc")
    assert nr.identical(opened, nr.load_ferg(ferg))
    opened.close()
    recipe = ferg.parent / "ferg.toml"
    recipe.write_text('title = "F"\ngenerator = "ferg"\n[parameters]\npath = "FERG_DB_256"\nlimit = 1\n')
    assert nr.load_stimuli(recipe).sizes["stimulus"] == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"avatars": ["aya"]}, "unknown avatar of FERG-DB 'aya'; nearest"),
        ({"avatars": "aia"}, "avatars: a list of names"),
        ({"expressions": ["happy"]}, "unknown expression of FERG-DB 'happy'"),
        ({"expressions": ["anger"]}, "pictures of anger; got none of aia, ray"),
        ({"limit": 0}, "limit: needed at least 1"),
        ({"norms": {"ray": "ray_neutral_9"}}, "unknown neutral picture of ray 'ray_neutral_9'; nearest: 'ray_neutral_"),
        ({"norms": {"ray": "ray_joy_1"}}, "unknown neutral picture of ray 'ray_joy_1'"),
        ({"norms": {"ray": "ray_neutral_1"}, "avatars": ["aia"]}, "Only avatars that are loaded have a norm"),
        ({"norms": "ray_neutral_1"}, "norms: a mapping"),
    ],
)
def test_wrong_choices_from_ferg(ferg, arguments, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        nr.load_ferg(ferg, **arguments)


def test_what_is_not_ferg(ferg, tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of that name"):
        nr.load_ferg(tmp_path / "lost")
    with pytest.raises(FileNotFoundError, match="no folder with folders <avatar>/<avatar>_<expression>"):
        nr.load_ferg(ferg / "aia")
    (ferg / "aia" / "aia_joy" / "aia_joy_1.png").rename(ferg / "aia" / "aia_joy" / "Resize_aia_joy_1.png")
    with pytest.raises(ValueError, match="got 'Resize_aia_joy_1.png'. Move it elsewhere"):
        nr.load_ferg(ferg)


def test_the_page_on_pictures_runs_as_written(ferg, tmp_path, monkeypatch):
    page = (Path(__file__).parent.parent / "docs" / "pictures.md").read_text()
    monkeypatch.chdir(tmp_path)
    tables = re.findall(r"```csv\n(.*?)```", page, flags=re.DOTALL)
    for name, text in zip(("faces.csv", "points.csv", "ends.csv"), tables, strict=True):
        Path(name).write_text(text)
    levels = [("anna", "neutral", 0.0), ("anna", "happy", 0.5), ("anna", "happy", 1.0), ("bert", "neutral", 0.0)]
    rows = [{"domain": {"anna": "human", "bert": "cartoon"}[w], "expression": e, "intensity": i} for w, e, i in levels]
    rows.append({"domain": "cartoon", "expression": "happy", "intensity": 1.0})
    files = [line.split(",")[0] for line in tables[0].splitlines()[1:]]
    Path("pictures").mkdir()
    for name, image in zip(files, nr.render_faces(rows, size=96)["image"].values, strict=True):
        Image.fromarray((image * 255).astype(np.uint8)).save(Path("pictures") / name)
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL):
        exec(compile(block, "pictures.md", "exec"), names)
    assert list(names["faces"]["age"].values) == [31, 31, 31, 58, 58]
    assert list(names["faces"]["norm_id"].values) == ["anna-neutral"] * 3 + ["bert-neutral"] * 2
    xr.testing.assert_allclose(names["templates"].reset_coords(drop=True), names["points"].reset_coords(drop=True))
    assert names["two"]["landmark"].sel(point="nose").values[0] == pytest.approx([32, 55 * 2 / 3])
    assert list(names["smiles"]["intensity"].values) == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert names["between"].sizes["stimulus"] == 3
    assert names["placed"]["aligned_error"].values == pytest.approx(0, abs=1e-9)
    assert names["drawn"].sizes["stimulus"] == 12
    assert "happy" in set(names["ours"]["expression"].values)
    *studies, recipe = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert [resolve(tomllib.loads(study))["encoder"]["norm_by"] for study in studies] == ["domain", "person"]
    Path("anna.toml").write_text(recipe)
    assert nr.load_stimuli("anna.toml").sizes["stimulus"] == 2
    names["everything"].close()


def morph_table(pictures, path):
    """Write the table of the fear–happy morphs: each person is a domain whose norm is the average of the continuum."""
    rows = ["file,domain,identity,expression,intensity,norm_kind,morph_from,morph_to,morph_fraction"]
    for picture in sorted(pictures.glob("*.png")):
        person, happy = re.fullmatch(r"(\w+)-fe\d+-ha(\d+)", picture.stem).groups()
        fraction = int(happy) / 100
        rows.append(f"{picture.name},{person},{person},happy,{2 * fraction - 1:g},midpoint,fear,happy,{fraction:g}")
    path.write_text("\n".join(rows) + "\n")
    return path


def test_photographs_of_four_people(real_data, tmp_path):
    pictures = real_data / "fear_happy_morphs" / "images"
    faces = nr.load_folder(pictures, morph_table(pictures, tmp_path / "morphs.csv"))
    assert faces["image"].shape == (44, 246, 246)
    assert sorted(set(faces["domain"].values)) == ["SF1", "SF3", "SM2", "SM3"]
    small = nr.load_folder(pictures, tmp_path / "morphs.csv", size=128, degrees=4.0)
    assert small["image"].shape == (44, 128, 128)
    assert small["image"].mean(("y", "x")).values == pytest.approx(faces["image"].mean(("y", "x")).values, abs=2e-3)


def test_percentages_are_no_intensities(folder):
    table = folder / "table.csv"
    table.write_text(table.read_text().replace("happy,0.5", "happy,50"))
    with pytest.raises(ValueError, match="at most 5; got 50 in row 3 of 'table.csv'. 50 % is 0.5"):
        nr.load_folder(folder, table)


def test_the_table_of_a_rendered_set_with_empty_cells_is_read(tmp_path):
    assert cli.main(["stimuli", "render", "leopold2006_identities", "--out", str(tmp_path), "--set", "size=16"]) == 0
    made = nr.load_stimuli(tmp_path / "leopold2006_identities.nc")
    again = nr.load_folder(tmp_path, tmp_path / "leopold2006_identities.csv")
    for label in ("stimulus_id", "norm_id", "trajectory", "identity"):
        assert again[label].values.tolist() == made[label].values.tolist()
    np.testing.assert_allclose(again["morph_fraction"].values, made["morph_fraction"].values)
