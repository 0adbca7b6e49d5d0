import re

import numpy as np
import pytest
from skimage import io

import nrsim as nr


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
        ("file,", "view,", "needed a column 'file'"),
        ("half.png", "lost.png", "needed the picture 'lost.png'"),
        ("half.png", "table.csv", "'table.csv' cannot be read as one"),
        ("half.png", "full.png", "'full' more than once"),
    ],
)
def test_wrong_tables(folder, old, new, words):
    table = folder / "table.csv"
    table.write_text(table.read_text().replace(old, new, 1))
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
