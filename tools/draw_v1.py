"""Draw the figures of docs/v1.md: the default bank, its receptive fields, what it answers to a face, and its gains.

python tools/draw_v1.py            draw everything again
python tools/draw_v1.py NAME ...   draw only these figures
"""

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullLocator
from PIL import Image

import nrsim as nr
from nrsim.plot import style

OUT = Path(__file__).resolve().parent.parent / "docs" / "v1"
ROWS = [{"domain": "human"}, {"domain": "human", "expression": "happy", "intensity": 1.0}]
PLACES = {"right_eye": (-0.5, 0.25), "left_eye": (0.5, 0.25), "mouth": (0.0, -0.7)}
KINDS = ("none", "divisive", "divisive_pooled", "local_contrast")
WORDS = {
    "none": "none",
    "divisive": "divisive",
    "divisive_pooled": "divisive, pooled",
    "local_contrast": "local contrast",
}


def face():
    """Return the happy face alone."""
    return nr.render_faces(ROWS, size=128).isel(stimulus=[1])


def receptive_fields():
    """Fields of three channels, even and odd, at one scale of degrees."""
    bank = nr.V1Bank()
    channels = [(1.0, 0.0, 0.0), (2.0, 45.0, 0.0), (2.0, 45.0, 90.0), (4.0, 90.0, 90.0)]
    figure, axes = plt.subplots(1, 4, figsize=(13.5, 2.9), layout="constrained")
    for ax, channel in zip(axes, channels, strict=True):
        nr.plot.receptive_field(bank.receptive_field(*channel, degrees_per_pixel=1 / 64), ax=ax)
        ax.set(xlim=(-1, 1), ylim=(-1, 1), facecolor="#f7f7f7")
        if ax is not axes[0]:
            ax.set_ylabel("")
    return figure


def bank():
    """Draw the default channels on the default faces."""
    return nr.plot.v1_bank(nr.V1Bank().channels, degrees_per_pixel=1 / 32).figure


def maps():
    """Draw the energy of a happy face at every pixel."""
    return nr.plot.v1_response(nr.V1Bank().transform(face())).figure


def orientation():
    """Draw the orientations of a happy face: all frequencies, and two alone."""
    one = face()
    seen = nr.V1Bank().transform(one)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
    for ax, frequency in zip(axes, (None, 2.0, 8.0), strict=True):
        nr.plot.v1_orientation(seen, one, frequency=frequency, ax=ax)
        ax.set_title("all frequencies" if frequency is None else f"{frequency:g} cycles/degree")
    return figure


def pools():
    """Draw a grid and places on a face."""
    one = face()
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.9), layout="constrained")
    nr.plot.pools(one, nr.PooledEnergy(size=8), ax=axes[0])
    nr.plot.pools(one, nr.PooledEnergy(places=PLACES, tolerance=0.25), ax=axes[1])
    return figure


def middle(kind, gratings):
    """Return the response in the middle of the picture, of the channel that prefers the grating."""
    seen = nr.V1Bank(normalise=kind).transform(gratings, pool=nr.PooledEnergy(size=15))
    return seen["energy"].sel(frequency=2.0, orientation=0.0)[:, 7, 7].values


def normalisation():
    """Contrast response and size tuning of each kind of normalisation."""
    contrasts = np.geomspace(0.02, 1.0, 18)
    diameters = np.geomspace(0.2, 3.8, 14)
    same = {"orientations": [0.0], "frequencies": [2.0]}
    figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.0), layout="constrained")
    stimuli = (
        (contrasts, nr.render_gratings(**same, contrasts=contrasts)),
        (diameters, nr.render_gratings(**same, contrasts=[0.8], aperture="disc", diameters=diameters)),
    )
    for ax, (values, gratings) in zip(axes, stimuli, strict=True):
        for kind, colour, mark, dash in zip(KINDS, style.PALETTE, style.MARKERS, style.DASHES, strict=False):
            response = middle(kind, gratings)
            ax.plot(
                values, response / response.max(), dash, marker=mark, ms=4, color=colour, label=WORDS[kind], alpha=0.85
            )
        ax.set(xscale="log", ylim=(0, 1.05), ylabel="response / its maximum")
        ax.set_xticks([0.03, 0.1, 0.3, 1] if values is contrasts else [0.25, 0.5, 1, 2, 4])
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_locator(NullLocator())
        style.tidy(ax)
    axes[0].set(xlabel="contrast of a full grating")
    axes[1].set(xlabel="diameter of a disc of contrast 0.8 (degree)")
    style.legend_outside(axes[1], title="normalise")
    return figure


FIGURES = {made.__name__: made for made in (receptive_fields, bank, maps, orientation, pools, normalisation)}


def draw(name):
    """Draw a figure in at most 256 colours, which keeps the page small."""
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / f"{name}.png"
    FIGURES[name]().savefig(target, dpi=100, bbox_inches="tight")
    plt.close("all")
    Image.open(target).convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        target, optimize=True
    )
    print(f"{target.name}: {target.stat().st_size / 1e3:.0f} kB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *FIGURES])
    for name in parser.parse_args().names or FIGURES:
        draw(name)


if __name__ == "__main__":
    main()
