"""Check that a landmark detector which nobody here made reads the expressions of nrsim's faces.

Two steps, because the detector (MediaPipe's FaceLandmarker) is no dependency of nrsim and has its own environment:

    python tools/check_faces.py --render FOLDER [--head NAME=FILE ...] [--size 512] [--scale 1.0]
    python tools/check_faces.py --detect FOLDER face_landmarker.task [--confidence 0.5] [--grey]

The first draws every head with single units and with the six expressions at intensities from -0.5 to 1.25, as PNG in
colour, with true labels and landmarks in faces.json. The second needs NumPy, Pillow and mediapipe only; it writes what
the detector reads to readings.csv and the tables of docs/faces_check.md to tables.md.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np

LEVELS = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
SHOWN = ("mouthSmile", "jawOpen", "browDown", "happy", "sad", "angry", "fearful", "disgusted", "surprised")
# What is read, and the trajectories along which it has to rise: the single unit, and the expression it is the mark of
READ = {
    "smile": ("mouthSmile", "happy"),
    "jaw opening": ("jawOpen", "surprised"),
    "brow lowering": ("browDown", "angry"),
}
SCORES = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "jaw opening": ("jawOpen",),
    "brow lowering": ("browDownLeft", "browDownRight"),
}
GEOMETRY = {
    "smile": "corners' height",
    "jaw opening": "gap of the lips",
    "brow lowering": "brows' closeness to the eyes",
}
# Points of the detector's mesh (478) that are those of the 68; brows are the middle of its upper and lower edge
MESH = {
    **dict(zip(range(18, 23), ((70, 46), (63, 53), (105, 52), (66, 65), (107, 55)), strict=True)),
    **dict(zip(range(23, 28), ((336, 285), (296, 295), (334, 282), (293, 283), (300, 276)), strict=True)),
    **dict(zip(range(28, 32), (168, 197, 5, 4), strict=True)),
    **dict(zip(range(32, 37), (98, 97, 2, 326, 327), strict=True)),
    **dict(zip(range(37, 43), (33, 160, 158, 133, 153, 144), strict=True)),
    **dict(zip(range(43, 49), (362, 385, 387, 263, 373, 380), strict=True)),
    **dict(zip(range(49, 61), (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181), strict=True)),
    **dict(zip(range(61, 69), (78, 81, 13, 311, 308, 402, 14, 178), strict=True)),
}
# The face's outline from the right ear over the chin to the left: the points of the jaw are compared with this line
OUTLINE = (
    *(127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152),
    *(377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356),
)
PARTS = {
    "jaw": range(1, 18),
    "brows": range(18, 28),
    "nose": range(28, 37),
    "eyes": range(37, 49),
    "lips": range(49, 69),
}


def render(folder, heads, size, scale):
    """Draw the faces, and write their labels and landmarks."""
    from PIL import Image

    import nrsim as nr

    folder.mkdir(parents=True, exist_ok=True)
    own = {name: nr.load_head(path) for name, path in heads.items()}
    faces = []
    for domain in ("human", "macaque", "cartoon", *own):
        rows = [{"domain": domain, "expression": "neutral", "intensity": 0.0, "scale": scale}]
        rows += [
            {"domain": domain, "expression": expression, "intensity": level, "scale": scale}
            for expression in SHOWN
            for level in LEVELS
            if level != 0
        ]
        drawn = nr.render_faces(rows, size=size, landmarks="68", colour=True, heads=own, progress=True)
        for i, name in enumerate(drawn["stimulus_id"].values):
            Image.fromarray(encoded(drawn["colour"].values[i])).save(folder / f"{name}.png")
            faces.append(
                {
                    "file": f"{name}.png",
                    "head": domain,
                    "expression": str(drawn["expression"].values[i]),
                    "intensity": float(drawn["intensity"].values[i]),
                    "landmark": np.round(drawn["landmark"].values[i], 3).tolist(),
                }
            )
    made = {"nrsim": nr.__version__, "size": size, "scale": scale, "faces": faces}
    (folder / "faces.json").write_text(json.dumps(made), encoding="utf-8")


def encoded(linear):
    """Return linear light 0..1 as 8-bit sRGB (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)


def opened(path, grey):
    """Return a picture as the detector wants it, ``(y, x, 3)`` 8 bits; grey is the luminance that the neurons see."""
    from PIL import Image

    picture = np.asarray(Image.open(path).convert("RGB"))
    if grey:
        value = picture / 255
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        picture = np.repeat(encoded(linear @ [0.2126, 0.7152, 0.0722])[..., None], 3, axis=2)
    return np.ascontiguousarray(picture)


def detect(folder, model, confidence, grey):
    """Let the detector read every picture; write its readings and the tables."""
    import mediapipe
    from mediapipe.tasks.python import BaseOptions, vision

    made = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
        num_faces=1,
        min_face_detection_confidence=confidence,
    )
    rows = []
    with vision.FaceLandmarker.create_from_options(options) as detector:
        for face in made["faces"]:
            row = {key: face[key] for key in ("file", "head", "expression", "intensity")}
            picture = opened(folder / face["file"], grey)
            result = detector.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture))
            row["found"] = bool(result.face_landmarks)
            if row["found"]:
                mesh = np.array([[point.x, point.y] for point in result.face_landmarks[0]]) * made["size"]
                score = {each.category_name: each.score for each in result.face_blendshapes[0]}
                truth = np.array(face["landmark"])
                row |= {
                    **{f"score: {what}": float(np.mean([score[one] for one in n])) for what, n in SCORES.items()},
                    **{f"geometry: {what}": value for what, value in geometry(as_68(mesh)).items()},
                    **{f"true: {what}": value for what, value in geometry(truth).items()},
                    **errors(mesh, truth),
                }
            rows.append(row)
    names = list(dict.fromkeys(key for row in rows for key in row))
    with (folder / "readings.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    text = tables(rows)
    about = (
        f"nrsim {made['nrsim']}, mediapipe {mediapipe.__version__}, pictures of {made['size']} px, face scale "
        f"{made['scale']:g}, {'luminance' if grey else 'colour'}, detection confidence {confidence:g}\n\n"
    )
    (folder / "tables.md").write_text(about + text, encoding="utf-8")
    print(about + text)


def as_68(mesh):
    """Return the detector's points as the 68, ``(68, 2)``; it has none of the jaw's, which are nan."""
    points = np.full((68, 2), np.nan)
    for number, places in MESH.items():
        points[number - 1] = mesh[list(np.atleast_1d(places))].mean(axis=0)
    return points


def geometry(points):
    """Return what is read from the 68 points ``(68, 2)``, in interocular distances, all rising with what they read."""
    eyes = np.array([points[[36, 39]].mean(axis=0), points[[42, 45]].mean(axis=0)])
    across = eyes[1] - eyes[0]
    unit = np.linalg.norm(across)
    down = np.array([-across[1], across[0]]) / unit  # at a right angle to the line between the eyes, to the mouth
    below = (points - eyes.mean(axis=0)) @ down / unit
    return {
        "smile": float(-below[[48, 54]].mean()),
        "jaw opening": float(np.linalg.norm(points[66] - points[62]) / unit),
        "brow lowering": float(below[17:27].mean()),
    }


def errors(mesh, truth):
    """Return how far the detector's points lie from the true ones, in per cent of the true interocular distance.

    The jaw's points are compared with the detector's outline, since nothing in a face says where along it they lie.
    """
    unit = np.linalg.norm(truth[[36, 39]].mean(axis=0) - truth[[42, 45]].mean(axis=0))
    away = np.linalg.norm(as_68(mesh) - truth, axis=1)
    line = mesh[list(OUTLINE)]
    start, step = line[:-1], np.diff(line, axis=0)
    for i in range(17):
        share = np.clip(((truth[i] - start) * step).sum(axis=1) / (step**2).sum(axis=1), 0, 1)
        away[i] = np.linalg.norm(start + share[:, None] * step - truth[i], axis=1).min()
    away *= 100 / unit
    parts = {f"error: {part}": float(np.mean([away[n - 1] for n in numbers])) for part, numbers in PARTS.items()}
    return {"error": float(away.mean()), **parts}


def rho(x, y):
    """Return Spearman's rank correlation, ties sharing their mean rank; nan where one of them does not vary."""
    ranks = []
    for values in (np.asarray(x), np.asarray(y)):
        _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(count) - (count - 1) / 2)[inverse])
    if min(rank.std() for rank in ranks) == 0:
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])


def ladder(rows, head, expression, key):
    """Return a reading at every intensity at which the face was found."""
    steps = {
        row["intensity"]: row[key]
        for row in rows
        if row["head"] == head and row["found"] and row["expression"] in (expression, "neutral")
    }
    return dict(sorted(steps.items()))


def tables(rows):
    """Return the tables in Markdown."""
    heads = list(dict.fromkeys(row["head"] for row in rows))
    found = {head: [row for row in rows if row["head"] == head and row["found"]] for head in heads}
    parts = [
        "The detector's points against the true ones, mean distance in % of the interocular distance:",
        _table(
            ["head", "faces found", "all points", *PARTS],
            [
                [head, f"{len(found[head])} of {sum(row['head'] == head for row in rows)}"]
                + [
                    f"{np.mean([row[key] for row in found[head]]):.1f}" if found[head] else "—"
                    for key in ("error", *(f"error: {part}" for part in PARTS))
                ]
                for head in heads
            ],
        ),
    ]
    for kind, text in (
        ("score", "The detector's scores (0 to 1) along each trajectory:"),
        ("geometry", "What its points say, in interocular distances:"),
    ):
        lines = []
        for head in heads:
            for what, along in READ.items():
                for expression in along:
                    steps = ladder(rows, head, expression, f"{kind}: {what}")
                    cells = [f"{steps[level]:.4f}" if level in steps else "not found" for level in LEVELS]
                    up = [steps[level] for level in LEVELS if level >= 0 and level in steps]
                    fit = rho(list(steps), list(steps.values())) if len(steps) > 2 else float("nan")
                    rises = len(up) == sum(level >= 0 for level in LEVELS) and bool((np.diff(up) > 0).all())
                    name = what if kind == "score" else f"{what}: {GEOMETRY[what]}"
                    lines.append([head, name, expression, *cells, f"{fit:.2f}", "yes" if rises else "no"])
        parts += [
            text,
            _table(["head", "read", "along", *(f"{level:g}" for level in LEVELS), "ρ", "rises from 0"], lines),
        ]
    lines = []
    for head in heads:
        for what in READ:
            read, true = (np.array([row[f"{kind}: {what}"] for row in found[head]]) for kind in ("geometry", "true"))
            if len(read) > 2:
                slope = float(np.polyfit(true, read, 1)[0])
                off = float(np.abs(read - true - (read - true).mean()).mean())
                lines.append([head, what, f"{np.corrcoef(true, read)[0, 1]:.3f}", f"{slope:.2f}", f"{off:.3f}"])
    parts += [
        "The same from nrsim's exact points, over all faces of a head (the last column: mean distance between the two "
        "in interocular distances, once their means are equal):",
        _table(["head", "read", "r", "slope", "apart"], lines),
    ]
    lines = []
    for head in heads:
        for expression in ("neutral", *SHOWN):
            at = 0.0 if expression == "neutral" else 1.0
            for row in found[head]:
                if row["expression"] == expression and row["intensity"] == at:
                    values = [f"{row[f'{kind}: {what}']:.3f}" for kind in ("score", "geometry") for what in READ]
                    lines.append([head, expression, *values])
    names = [f"{kind}: {what}" for kind in ("score", "geometry") for what in READ]
    parts += ["Every reading of every expression at intensity 1:", _table(["head", "expression", *names], lines)]
    return "\n\n".join(parts) + "\n"


def _table(head, lines):
    rule = "|" + "---|" * len(head)
    return "\n".join(
        ["| " + " | ".join(map(str, line)) + " |" for line in [head]]
        + [rule]
        + ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    )


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--render", type=Path, metavar="FOLDER")
    what.add_argument("--detect", nargs=2, type=Path, metavar=("FOLDER", "MODEL"))
    parser.add_argument("--head", action="append", default=[], metavar="NAME=FILE", help="another head to draw")
    parser.add_argument("--size", type=int, default=512, help="width of the pictures, px")
    parser.add_argument("--scale", type=float, default=1.0, help="factor of the face's size in its picture")
    parser.add_argument("--confidence", type=float, default=0.5, help="of the detector that a face is there")
    parser.add_argument("--grey", action="store_true", help="show the detector the luminance instead of the colours")
    given = parser.parse_args()
    if given.render:
        render(given.render, dict(each.split("=", 1) for each in given.head), given.size, given.scale)
    else:
        detect(*given.detect, given.confidence, given.grey)


if __name__ == "__main__":
    main()
