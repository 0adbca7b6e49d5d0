"""The Python and the recipes on the pages of docs/ run as they stand."""

import inspect
import re
import runpy
import tomllib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from gltf_writer import Writer, of_part
from PIL import Image

import nrsim as nr
from nrsim.recipes import _GENERATORS, parameters_of, read_recipe, recipe_path
from nrsim.settings import resolve

DOCS = Path(__file__).parent.parent / "docs"
MATCHED = {"match", "mask", "out_of_range"}  # parameters that every recipe may have


def blocks_of(page, language):
    return re.findall(
        rf"^ *```{language}\n(.*?)^ *```",
        (DOCS / f"{page}.md").read_text(encoding="utf-8"),
        flags=re.DOTALL | re.MULTILINE,
    )


RECIPES = [(page, text) for page in ("recipes", "avatar") for text in blocks_of(page, "toml")]


@pytest.mark.parametrize("page", ["encoders", "faces", "landmarks", "readout", "recipes", "transfer", "v1"])
def test_the_page_runs(page, tmp_path, monkeypatch):
    blocks = blocks_of(page, "python")
    assert blocks
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(compile(block, f"{page}.md", "exec"), names)
    plt.close("all")


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda path: path.stem)
def test_relative_links_lead_somewhere(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    lost = []
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        target, _, heading = link.partition("#")
        place = page if not target else page.parent / target
        if not place.exists():
            lost.append(link)
        elif heading and place.suffix == ".md":
            titles = re.findall(r"^#+ +(.*)$", place.read_text(encoding="utf-8"), flags=re.MULTILINE)
            if heading not in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}:
                lost.append(link)
    assert not lost


def test_the_figures_of_v1_are_those_that_are_drawn():
    made = runpy.run_path(str(DOCS.parent / "tools" / "draw_v1.py"))
    shown = re.findall(r"\]\(v1/(\w+)\.png\)", (DOCS / "v1.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(made["FIGURES"])
    assert all((DOCS / "v1" / f"{name}.png").is_file() for name in shown), "run python tools/draw_v1.py"


def test_the_catalogue_holds_every_set():
    made = runpy.run_path(str(DOCS.parent / "tools" / "draw_stimuli.py"))
    written = (DOCS / "stimuli.md").read_text(encoding="utf-8")
    assert written == made["page"](), "run python tools/draw_stimuli.py"
    for name in nr.list_stimuli():
        assert (DOCS / "stimuli" / f"{name}.png").is_file(), f"run python tools/draw_stimuli.py {name}"


def test_every_set_says_where_it_comes_from():
    for name in nr.list_stimuli():
        recipe = read_recipe(recipe_path(name))
        assert recipe["title"] and recipe["source"], name
        if not recipe["source"].startswith("ours"):
            assert {"doi", "published", "resolved"} <= set(recipe), name


def avatar(path):
    """Write the head that comes with nrsim as a glTF file."""
    head, w = nr.load_head(), Writer()
    vertices, corners, units, _ = of_part(head, [0, 1, 2, 3])
    w.node(mesh=w.mesh("skin", vertices, corners, units, material=w.put("materials", {"name": "skin"})))
    w.glb(path)


def grey(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((16, 16), level, np.uint8)).save(path)


def files_for(generator, parameters, folder):
    """Make the files that a recipe of the pages names."""
    if "heads" in parameters:
        pytest.importorskip("pygltflib")
        avatar(folder / parameters["heads"]["ours"])
    if generator == "folder":
        for level in (0, 1):
            grey(folder / parameters["folder"] / f"face-{level}.png", 100 + level)
        rows = "".join(f"face-{level}.png,anna,{level},monday\n" for level in (0, 1))
        (folder / parameters["table"]).write_text("file,domain,intensity,session\n" + rows)
    if generator == "ferg":
        for who in parameters["avatars"]:
            for i, expression in enumerate(("joy", "neutral")):
                for number in (11, 12):
                    stem = f"{who}_{expression}"
                    grey(folder / parameters["path"] / who / stem / f"{stem}_{number}.png", 100 + number + 20 * i)


@pytest.mark.parametrize(("page", "text"), RECIPES, ids=[f"{page}-{i}" for i, (page, _) in enumerate(RECIPES)])
def test_recipes_of_the_pages_are_made(page, text, tmp_path):
    recipe = tomllib.loads(text)
    files_for(recipe["generator"], recipe["parameters"], tmp_path)
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    small = {} if recipe["generator"] == "join" else {"size": 24}
    made = nr.load_stimuli(tmp_path / "mine.toml", **small)
    assert made.attrs["title"] == recipe["title"]
    assert made.sizes["stimulus"] > 1
    assert np.isfinite(made["image"].values).all()
    if "heads" in recipe["parameters"]:
        assert set(made["domain"].values) == {"human", "ours"}


def test_every_generator_and_parameter_is_described():
    """Each generator's table has the parameters it takes, and the defaults in backticks are the function's."""
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, flags=re.DOTALL | re.MULTILINE))
    assert set(_GENERATORS) <= set(sections)
    for generator, make in _GENERATORS.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", sections[generator], flags=re.MULTILINE))
        known = set(parameters_of(generator))
        assert known - MATCHED <= set(rows) <= known, generator
        for name, said in rows.items():
            default = inspect.signature(make).parameters[name].default
            assert (said == "needed") == (default is inspect.Parameter.empty), (generator, name)
            if said.startswith("`"):
                value = tomllib.loads(f"value = {said.strip('`')}")["value"]
                if default is None:  # filled in further down
                    assert name in ("intensities", "stretches", "views", "lights"), (generator, name)
                elif isinstance(default, (tuple, list)):
                    assert value == np.asarray(default).tolist(), (generator, name)
                else:
                    assert value == default, (generator, name)


def test_studies_of_the_pages_have_known_keys():
    for text in blocks_of("study", "toml"):
        study = tomllib.loads(text)
        assert resolve(study)
