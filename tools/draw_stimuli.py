"""Draw the catalogue: docs/stimuli.md with a sheet of every stimulus set that comes with nrsim, from the recipes alone.

python tools/draw_stimuli.py            draw everything again
python tools/draw_stimuli.py NAME ...   draw only these sets; the text is always written anew
"""

import argparse
import textwrap
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import nrsim as nr
from nrsim.recipes import read_recipe, recipe_path

DOCS = Path(__file__).resolve().parent.parent / "docs"
INTRO = """\
# The catalogue of stimulus sets

Every set that comes with nrsim, drawn from its recipe. `nr.load_stimuli(NAME)` returns one, `nrsim stimuli show NAME`
says what it holds, `nrsim stimuli render NAME --out DIR` leaves pictures, a table and a sheet; parameters can be
changed (`nr.load_stimuli("expressions", size=224)`). Where a set follows a paper, the page says what was published, and
what had to be chosen because the paper leaves it open. This page is made by `tools/draw_stimuli.py`.
"""


def text(name):
    """Return a set's part of the page."""
    recipe = read_recipe(recipe_path(name))
    lines = [f"## {name}", "", str(recipe["title"]) + ".", "", f"![{recipe['title']}](stimuli/{name}.png)", ""]
    doi = f" [doi:{recipe['doi']}](https://doi.org/{recipe['doi']})" if "doi" in recipe else ""
    lines += [f"Source: {recipe['source']}.{doi}", ""]
    for key, heading in (("published", "Published"), ("resolved", "Chosen here")):
        if key in recipe:
            words = " ".join(str(recipe[key]).split())
            lines += [*textwrap.wrap(f"**{heading}.** {words}", 120), ""]
    return "\n".join(lines)


def page():
    """Return the whole page."""
    return "\n".join([INTRO, *map(text, nr.list_stimuli())]).rstrip() + "\n"


def draw(name):
    """Draw a set's sheet in 64 levels of grey, which keeps the page small."""
    faces = nr.load_stimuli(name, progress=True)
    ax = nr.plot.stimulus_sheet(faces)
    target = DOCS / "stimuli" / f"{name}.png"
    ax.figure.savefig(target, dpi=100, bbox_inches="tight")
    plt.close("all")
    grey = np.asarray(Image.open(target).convert("L")) // 4 * 4
    Image.fromarray(grey).save(target, optimize=True)
    print(f"{target.name}: {target.stat().st_size / 1e3:.0f} kB, {faces.sizes['stimulus']} stimuli")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    for name in parser.parse_args().names or nr.list_stimuli():
        draw(name)
    (DOCS / "stimuli.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
