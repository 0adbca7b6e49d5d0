"""Measure nr.find_landmarks on heads that no setting was chosen on, as docs/landmarks.md reports it; draw its figure.

python tools/measure_landmarks.py           print the table and draw docs/landmarks/found.png
python tools/measure_landmarks.py --figure  draw the figure alone
"""

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

OUT = Path(__file__).resolve().parent.parent / "docs" / "landmarks"
BANKS = {"half octaves": [1, 1.4, 2, 2.8, 4, 5.6, 8], "octaves": [1, 2, 4, 8]}
SHOWN = {
    "another person": {"domain": "human", "identity": "african_female"},
    "macaque": {"domain": "macaque"},
    "wide macaque, smaller, elsewhere": {"domain": "macaque", "stretch": 1.2, "scale": 0.8, "x": 0.3, "y": -0.2},
    "cartoon": {"domain": "cartoon"},
    "cartoon to macaque": {"morph_from": "cartoon", "morph_to": "macaque", "morph_fraction": 0.5},
    "dark skin": {"domain": "human", "skin": "dark"},
}


def rows():
    """Return rows of render_faces by kind of head, and the identities they need."""
    people = nr.random_identities(40, seed=2024)
    names, rng = list(people), np.random.default_rng(11)
    widths = (0.8, 0.9, 1.0, 1.1, 1.2)
    heads = ("human", "macaque", "cartoon")
    kinds = {
        "human, other people": [{"domain": "human", "identity": name} for name in names[:10]],
        "human, stretched": [{"domain": "human", "stretch": width} for width in widths if width != 1],
        "macaque, five widths": [{"domain": "macaque", "stretch": width} for width in widths],
        "macaque, other people": [
            {"domain": "macaque", "identity": name, "stretch": rng.uniform(0.85, 1.15)} for name in names[10:20]
        ],
        "cartoon, five widths": [{"domain": "cartoon", "stretch": width} for width in widths],
        "cartoon, other people": [
            {"domain": "cartoon", "identity": name, "stretch": rng.uniform(0.85, 1.15)} for name in names[20:30]
        ],
        "human to macaque": [
            {"morph_from": "human", "morph_to": "macaque", "morph_fraction": part} for part in (0.25, 0.5, 0.75)
        ],
        "another size and place": [
            {
                "domain": heads[i % 3],
                "identity": names[30 + i],
                "scale": rng.uniform(0.6, 1.1),
                "x": rng.uniform(-0.4, 0.4),
                "y": rng.uniform(-0.3, 0.3),
            }
            for i in range(9)
        ],
        "light from the left, from above": [
            {"domain": head, "light": light} for head in heads for light in ("left", "top")
        ],
        "another skin": [
            {"domain": head, "skin": skin} for head in ("human", "cartoon") for skin in ("tan", "brown", "dark")
        ],
    }
    return kinds, people


def measure():
    """Print mean error (and its 95th percentile), in distances between the eyes, by kind of head."""
    kinds, people = rows()
    settings = {"size": 128, "landmarks": "alignment"}
    faces = nr.render_faces([row for each in kinds.values() for row in each], identities=people, **settings)
    kind = np.repeat(list(kinds), [len(each) for each in kinds.values()])
    marked = nr.render_faces([{"domain": "human"}], **settings)
    true = faces["landmark"].values
    eyes = np.linalg.norm(true[:, 0] - true[:, 1], axis=-1)

    def off(points):
        return np.linalg.norm(points - true, axis=-1) / eyes[:, None]

    columns = {"same pixels": off(marked["landmark"].values)}
    confidence = {}
    for name, frequencies in BANKS.items():
        bank = nr.V1Bank(frequencies)
        found = nr.find_landmarks(bank.transform(faces), like=bank.transform(marked), progress=True)
        columns[name], confidence[name] = off(found.values), found["confidence"].values
    print("| |", " | ".join(columns), "| faces |")
    for each in [*kinds, "all"]:
        here = kind == each if each != "all" else np.ones(len(kind), dtype=bool)
        cells = [f"{error[here].mean():.3f} ({np.quantile(error[here], 0.95):.2f})" for error in columns.values()]
        print(f"| {each} |", " | ".join(cells), f"| {here.sum()} |")
    error, sure = columns["half octaves"], confidence["half octaves"]
    for point, value in zip(faces["point"].values, error.mean(axis=0), strict=True):
        print(point, round(float(value), 3))
    for low, high in ((-1, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 2)):
        here = (sure >= low) & (sure < high)
        print(f"confidence {low} to {high}: {here.sum()}, median {np.median(error[here]):.3f}, ", end="")
        print(f"above 0.15: {(error[here] > 0.15).mean():.3f}")


def draw():
    """Draw what is found on six heads."""
    settings = {"size": 128, "landmarks": "alignment", "identities": nr.named_identities()}
    faces = nr.render_faces([{"domain": "human"}, *SHOWN.values()], **settings)
    seen = nr.V1Bank(BANKS["half octaves"]).transform(faces)
    found = nr.find_landmarks(seen, like=seen.isel(stimulus=[0]))
    figure, axes = plt.subplots(2, 3, figsize=(9.6, 6.4), layout="constrained")
    for i, (title, ax) in enumerate(zip(SHOWN, axes.ravel(), strict=True)):
        nr.plot.landmarks(faces, found, stimulus=str(faces["stimulus_id"].values[i + 1]), ax=ax)
        ax.set(xticks=[], yticks=[], xlabel="", ylabel="", title=title)
        if i:
            ax.get_legend().remove()
    OUT.mkdir(exist_ok=True)
    figure.savefig(OUT / "found.png", dpi=80)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", action="store_true")
    if not parser.parse_args().figure:
        measure()
    draw()
