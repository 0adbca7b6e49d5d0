"""How far does V1 get with a norm for each head, and what does correspondence between heads add?

After Stettler, Lappe, Taubert & Giese (2023): six expressions learned on one human head, one neutral picture of each
other head, everything else tested at intensities of 0.25 to 1.25, forced choice, chance 1/6. From pixels to V1 energy,
to energy on a grid of the face, to displacement by phase, to both; with the nine points of each norm known, found from
V1 with only the learned head marked, and with nothing aligned; beside it the oracle, the renderer's own landmarks as
features, which says what the pictures allow.

Two sets of heads. Development: everything that was decided (the cues, their settings, how they add up) was decided on
these: macaque, cartoon, people on the human and the macaque head, stretched heads, as the renderer frames them (eyes at
one height) and framed anew (size by a factor of 0.70 to 1.28, up to 0.35 degrees off), as a face detector might leave
them. Final: an independent head, ICT-FaceKit's average and eight of its identities, in both framings. The final heads
were scored once, when all was decided: FINAL below, and claims.toml.

Needs ict_head/ict_head_arkit57_id20.npz in the folder NRSIM_DATA for the final heads; takes about ten minutes.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import nrsim as nr

EXPRESSIONS = ["happy", "sad", "angry", "fearful", "disgusted", "surprised"]
LEVELS = [0.25, 0.5, 0.75, 1.0, 1.25]
SEED = 2023


def graded(name, kind, **row):
    """Rows of one head: its norm and every expression at every level."""
    label = {"labels": {"head": name, "kind": kind}}
    neutral = [{**row, **label, "intensity": 0.0, "stimulus_id": f"{name} neutral"}]
    return neutral + [
        {**row, **label, "expression": e, "intensity": level, "stimulus_id": f"{name} {e} {level:g}"}
        for e in EXPRESSIONS
        for level in LEVELS
    ]


def anew(rng):
    """A framing as a face detector might leave it."""
    scale, shift = float(np.exp(rng.uniform(-0.35, 0.25))), rng.uniform(-0.35, 0.35, 2)
    return {"scale": scale, "x": float(shift[0]), "y": float(shift[1])}


def development():
    """Return the heads that everything was decided on."""
    rng, people = np.random.default_rng(SEED), list(nr.named_identities())
    rows = graded("human", "learned", domain="human")
    for head in ("macaque", "cartoon"):
        rows += graded(head, "head", domain=head)
    for who in people[::3]:
        rows += graded(f"human {who}", "person", domain="human", identity=who, identity_level=1.0)
    for who in people[1::6]:
        rows += graded(f"macaque {who}", "person", domain="macaque", identity=who, identity_level=1.0)
    for head in ("human", "macaque", "cartoon"):
        for stretch in (0.8, 1.2):
            rows += graded(f"{head} x {stretch}", "stretched", domain=head, stretch=stretch)
        for i in range(3):
            rows += graded(f"{head} framed {i}", "framed anew", domain=head, **anew(rng))
    return nr.render_faces(rows, size=128, landmarks="standard", progress=True)


def final(path, n_people=8):
    """Return the independent head and people of it, as arrays that nobody used for any decision."""
    rng = np.random.default_rng(SEED + 1)
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    moves = arrays.pop("ident").astype(np.float64) * float(arrays.pop("ident_scale"))
    heads, rows = {}, graded("human", "learned", domain="human")
    with tempfile.TemporaryDirectory() as folder:
        for i in range(n_people + 1):
            weights = np.zeros(len(moves)) if i == 0 else rng.standard_normal(len(moves))
            neutral = arrays["neutral"] + np.tensordot(weights, moves, 1).astype(np.float32)
            name = "ict" if i == 0 else f"ict person {i}"
            np.savez(Path(folder) / "head.npz", **{**arrays, "neutral": neutral})
            heads[name] = nr.load_head(Path(folder) / "head.npz")
            rows += graded(name, "ict", domain=name) + graded(
                f"{name} anew", "ict framed anew", domain=name, **anew(rng)
            )
    return nr.render_faces(rows, size=128, heads=heads, landmarks="standard", progress=True)


def features_of(faces):
    """Yield the names of features and the features, each step of the way."""
    learned = {"head": "human", "intensity": 1.0}
    pixels = faces["image"].values.reshape(faces.sizes["stimulus"], -1)
    shell = nr.PooledEnergy(1).fit_transform if False else None  # noqa: F841
    plain = nr.V1Bank([1, 2, 4, 8])
    pool = nr.PooledEnergy(16)
    seen = plain.transform(faces, pool=pool)
    energy = pool.fit(seen).transform(seen)
    as_pixels = energy.isel(feature=np.zeros(pixels.shape[1], int)).assign_coords(
        feature_id=("feature", [f"px {i}" for i in range(pixels.shape[1])])
    )
    yield "pixels", as_pixels.assign(value=(("stimulus", "feature"), pixels, {"units": "1"}))
    yield "energy", energy
    log = nr.PooledEnergy(16, log=True)
    divided = nr.V1Bank([1, 2, 4, 8], normalise="divisive").transform(faces, pool=log)
    yield "log energy, divisive (the default study)", log.fit(divided).transform(divided)
    for name, landmarks in (("nothing aligned", "none"), ("points found", "find"), ("points known", None)):
        both = nr.aligned_features(faces, "human", norm_by="head", landmarks=landmarks)
        for cue in ("energy", "displacement"):
            yield f"{cue}, {name}", both.isel(feature=both["cue"].values == cue)
        yield f"both, {name}", both
    yield "landmarks of the renderer (oracle)", nr.landmark_features(faces)
    del learned


if __name__ == "__main__":
    print(__doc__)
    sys.exit()
