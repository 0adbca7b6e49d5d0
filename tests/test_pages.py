"""The Python on the pages of docs/ runs as it stands."""

import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import nrsim as nr
from nrsim.recipes import read_recipe, recipe_path

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("page", ["faces"])
def test_the_page_runs(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks:
        exec(compile(block, f"{page}.md", "exec"), names)
    plt.close("all")


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
