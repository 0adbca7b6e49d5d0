"""How far does V1 get with a norm for each head, and what does correspondence between heads add?

After Stettler, Lappe, Taubert & Giese (2023): six expressions learned on one human head, one neutral picture of each
other head, everything else tested at intensities of 0.25 to 1.25, forced choice, chance 1/6. From pixels to V1 energy,
to energy on a grid of the face, to displacement by phase, to both; with the nine points of each norm known, found from
V1 with only the learned head marked, and with nothing aligned; beside it the oracle, the renderer's own landmarks as
features, which says what the shapes of the faces alone allow.

Two sets of heads. Development (the default): everything that was decided (the cues, their settings, how they add up)
was decided on heads like these: macaque, cartoon, people on the human and the macaque head, stretched heads, as the
renderer frames them (eyes at one height) and framed anew (size by a factor of 0.70 to 1.28, up to 0.35 degrees off),
as a face detector might leave them. All of them move by the same expression shapes.

Final (--final): an independent head, ICT-FaceKit's average and eight of its people, in both framings, whose expression
shapes were sculpted by others. It was scored once, with what had been decided: energy and displacement on grids of the
face ("both"). That failed: 0.780 with the points known, 0.831 with points found, below the 0.837 of the features of the
default study. Energy alone on grids of the face, a step reported in the same run, had 0.891 and 0.889. Displacement
transfers between heads that move alike and not to this one, nor do its exact landmarks (0.685). Because of this,
nr.aligned_features takes energy alone unless told otherwise. Nothing else was changed because of these heads, and
nothing else was tried on them. The run was repeated for the tables by head, confusions and errors of intensity; in
between nr.find_landmarks had become better on nrsim's own heads (here 0.819 and 0.885 instead of 0.831 and 0.889), and
the oracle is now in distances between each head's eyes.

Needs ict_head/ict_head_arkit57_id20.npz in the folder NRSIM_DATA for the final heads; five minutes a set.
"""

import os
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import nrsim as nr

EXPRESSIONS = ["happy", "sad", "angry", "fearful", "disgusted", "surprised"]
LEVELS = [0.25, 0.5, 0.75, 1.0, 1.25]
SEED = 2023
UNALIGNED = "log energy, divisive (default study)"
ENERGY, BEST, ORACLE = "log energy, points known", "both, points known", "landmarks of the renderer (oracle)"
CUES = ("energy", "displacement")


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


def pixels(faces):
    """The pictures themselves as features."""
    values = faces["image"].values.reshape(faces.sizes["stimulus"], -1)
    like = nr.landmark_features(faces)
    own = {name: faces[name] for name in faces.coords if faces[name].dims == ("stimulus",)}
    made = xr.Dataset({"value": (("stimulus", "feature"), values, {"units": "1"})}, own, like.attrs)
    return made.assign_coords(feature_id=("feature", [f"pixel {i}" for i in range(values.shape[1])]))


def landmarks_in_heads(faces):
    """The renderer's landmarks, in distances between the eyes of each head's norm."""
    features = nr.landmark_features(faces)
    points = [str(name) for name in faces["point"].values]
    eyes = [points.index(f"eye_{side}") for side in ("left", "right")]
    apart = np.linalg.norm(np.diff(faces["landmark"].values[:, eyes], axis=1)[:, 0], axis=-1)
    norm = faces["intensity"].values == 0
    heads = faces["head"].values
    unit = np.array([apart[norm & (heads == head)].mean() for head in heads])
    return features.assign(value=(features["value"].dims, features["value"].values / unit[:, None], {"units": "1"}))


def steps(faces):
    """Yield (name, features), each step of the way."""
    yield "pixels", pixels(faces)
    pool, log = nr.PooledEnergy(16), nr.PooledEnergy(16, log=True)
    seen = nr.V1Bank([1, 2, 4, 8]).transform(faces, pool=pool)
    yield "energy", pool.fit(seen).transform(seen)
    divided = nr.V1Bank([1, 2, 4, 8], normalise="divisive").transform(faces, pool=log)
    yield UNALIGNED, log.fit(divided).transform(divided)
    for name, landmarks in (("nothing aligned", "none"), ("points found", "find"), ("points known", None)):
        both = nr.aligned_features(faces, "human", norm_by="head", landmarks=landmarks, cues=CUES)
        for cue in ("energy", "displacement"):
            yield f"log {cue}, {name}".replace("log d", "d"), both.isel(feature=both["cue"].values == cue)
        yield f"both, {name}", both
    yield ORACLE, landmarks_in_heads(faces)


def measured(faces):
    """Return name of the features → result of the protocol."""
    general = nr.NormEncoder("general", scale="none")  # whose most active neuron is that of the projection rule
    return {
        name: nr.cross_domain_accuracy(features, "human", encoder=general, norm_by="head")
        for name, features in steps(faces)
    }


def intensity_errors(result):
    """Return RMSE of the mean curve: on the source, mean and largest over the other heads, and per image."""
    own = result.sel(read_from="own")
    others = [head for head in own["test_domain"].values if head != "human"]
    curve = own["readout_rmse"].sel(test_domain=others)
    image = own["readout_rmse_image"].sel(test_domain=others)
    source = float(own["readout_rmse"].sel(test_domain="human"))
    return source, float(curve.mean()), float(curve.max()), str(others[int(curve.argmax())]), float(image.mean())


def difference(results, first, second):
    """Return a line: how much better one is than the other, the same pictures in pairs."""
    gain = nr.compare_accuracy(results[first], results[second]).sel(compared="transfer")
    low, high = float(gain["low"]), float(gain["high"])
    return f"{first} less {second}: {float(gain['difference']):+.3f} [{low:+.3f}, {high:+.3f}] over pictures"


def table(results, kinds, title):
    """Return the lines of a table: accuracy of every kind of heads, over intensities, and intensity read out."""
    shown = list(dict.fromkeys(kinds.values()))
    lines = [f"{title}: " + ", ".join(f"{kind} {sum(k == kind for k in kinds.values())}" for kind in shown)]
    lines.append(
        f"{'':44}" + "".join(f"{kind:>16}" for kind in shown) + "     all" + "".join(f"{x:>7g}" for x in LEVELS)
    )
    for name, result in results.items():
        heads = [[head for head in kinds if kinds[head] == kind] for kind in shown]
        row = [f"{float(result['accuracy'].sel(domain=those).mean()):16.3f}" for those in heads]
        by_level = result["accuracy_by_intensity"].mean("domain")
        levels = [f"{float(by_level.sel(intensity=level, method='nearest')):7.2f}" for level in LEVELS]
        lines.append(f"{name:44}" + "".join(row) + f"{float(result['accuracy'].mean()):8.3f}" + "".join(levels))
    for name in (UNALIGNED, ENERGY, "log energy, points found", BEST, "both, points found", ORACLE):
        source, mean, worst, who, image = intensity_errors(results[name])
        lines.append(
            f"intensity read out, RMSE, {name}: source {source:.3f}, other heads {mean:.3f} "
            f"(worst {worst:.3f}, {who}), single pictures {image:.3f}"
        )
    lines += [f"confusions, {name}: {confusions(results[name])}" for name in (UNALIGNED, ENERGY, BEST, ORACLE)]
    pairs = [("log energy, points found", "log energy, nothing aligned"), (ENERGY, "log energy, nothing aligned")]
    pairs += [("both, nothing aligned", "log energy, nothing aligned"), (BEST, "both, nothing aligned"), (BEST, ENERGY)]
    pairs += [(name, UNALIGNED) for name in (ENERGY, "log energy, points found", BEST, "both, points found")]
    return lines + [difference(results, *pair) for pair in pairs]


def confusions(result, n=4):
    """Return the most frequent confusions, as words."""
    matrix = result["confusion"].sum("domain").transpose("category", "answer")
    wrong = matrix.values * (1 - np.eye(len(matrix)))
    order = np.argsort(wrong, axis=None)[::-1][:n]
    of, names = matrix.sum("answer").values, matrix["category"].values
    pairs = [divmod(int(i), len(matrix)) for i in order]
    return ", ".join(f"{names[a]} as {names[b]} {wrong[a, b] / of[a]:.2f}" for a, b in pairs)


def by_head(results, kinds):
    """Return a table of every head: accuracy at each intensity, mean intensity read out at it."""
    rows = ["features,head,kind,intensity,accuracy,intensity_read"]
    for name, result in results.items():
        read = result["readout"].sel(read_from="own").mean("category")
        for head, kind in kinds.items():
            for level in LEVELS:
                share = result["accuracy_by_intensity"].sel(domain=head).sel(intensity=level, method="nearest")
                value = read.sel(test_domain=head).sel(readout_intensity=level, method="nearest")
                rows.append(f'"{name}",{head},{kind},{level:g},{float(share):.4f},{float(value):.4f}')
    return "\n".join(rows) + "\n"


def check_final(results, kinds):
    """Hold the final heads against the claims."""
    for name, claim in ((BEST, "final_both"), ("both, points found", "final_both_found"), (ENERGY, "final_energy"),
                        ("log energy, points found", "final_energy_found"), (ORACLE, "final_oracle")):  # fmt: skip
        nr.check_claim(claim, float(results[name]["accuracy"].mean()))
    for name, claim in ((BEST, "final_both_gain"), (ENERGY, "final_energy_gain"),
                        ("log energy, points found", "final_energy_gain_found")):  # fmt: skip
        gain = nr.compare_accuracy(results[name], results[UNALIGNED]).sel(compared="transfer")
        nr.check_claim(claim, float(gain["difference"]))
    for kind, claim in (("ict", "final_energy_gain_rendered"), ("ict framed anew", "final_energy_gain_anew")):
        here = [head for head in kinds if kinds[head] == kind]
        aligned, plain = (results[which]["accuracy"].sel(domain=here).mean() for which in (ENERGY, UNALIGNED))
        nr.check_claim(claim, float(aligned - plain))
    for name, claim in ((BEST, "final_both_intensity"), (ENERGY, "final_energy_intensity")):
        source, mean, _, _, image = intensity_errors(results[name])
        nr.check_claim(f"{claim}_source", source)
        nr.check_claim(f"{claim}_others", mean)
        nr.check_claim(f"{claim}_images", image)


if __name__ == "__main__":
    title = "final" if "--final" in sys.argv else "development"
    if title == "final":
        data = Path(os.environ.get("NRSIM_DATA", "."))
        head = data / "ict_head" / "ict_head_arkit57_id20.npz"
        if not head.is_file():
            sys.exit("skipped: no ict_head/ict_head_arkit57_id20.npz; set NRSIM_DATA to the folder that holds it")
        faces = final(head)
    else:
        faces = development()
    kinds = dict(zip(faces["head"].values.tolist(), faces["kind"].values.tolist(), strict=True))
    del kinds["human"]
    results = measured(faces)
    Path(f"stettler2023_aligned_{title}.csv").write_text(by_head(results, kinds), encoding="utf-8")
    print("\n".join(table(results, kinds, title)), flush=True)
    figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for name, result in results.items():
        share = result["accuracy_by_intensity"].mean("domain")
        ax.plot(share["intensity"], share, marker="o", label=name)
    ax.axhline(1 / 6, color="0.6", linestyle=":")
    ax.set(title=f"{title} heads", xlabel="intensity", ylabel="accuracy", ylim=(0, 1.02))
    figure.legend(frameon=False, fontsize=7, loc="outside right upper")
    figure.savefig(f"stettler2023_aligned_{title}.png", dpi=150)
    if title == "final":
        check_final(results, kinds)
