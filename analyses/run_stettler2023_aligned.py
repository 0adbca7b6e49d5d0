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
BEST, ORACLE = "both, points known", "landmarks of the renderer (oracle)"


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


def steps(faces):
    """Yield (name, features), each step of the way."""
    yield "pixels", pixels(faces)
    pool, log = nr.PooledEnergy(16), nr.PooledEnergy(16, log=True)
    seen = nr.V1Bank([1, 2, 4, 8]).transform(faces, pool=pool)
    yield "energy", pool.fit(seen).transform(seen)
    divided = nr.V1Bank([1, 2, 4, 8], normalise="divisive").transform(faces, pool=log)
    yield UNALIGNED, log.fit(divided).transform(divided)
    for name, landmarks in (("nothing aligned", "none"), ("points found", "find"), ("points known", None)):
        both = nr.aligned_features(faces, "human", norm_by="head", landmarks=landmarks)
        for cue in ("energy", "displacement"):
            yield f"log {cue}, {name}".replace("log d", "d"), both.isel(feature=both["cue"].values == cue)
        yield f"both, {name}", both
    yield ORACLE, nr.landmark_features(faces)


def measured(faces):
    """Return name of the features → result of the protocol."""
    general = nr.NormEncoder("general", scale="none")  # whose most active neuron is that of the projection rule
    return {
        name: nr.cross_domain_accuracy(features, "human", encoder=general, norm_by="head")
        for name, features in steps(faces)
    }


def table(results, kinds, title):
    """Return the lines of a table: accuracy of every kind of heads, over intensities, and intensity read out."""
    shown = list(dict.fromkeys(kinds.values()))
    lines = [f"{title}: " + ", ".join(f"{kind} {sum(k == kind for k in kinds.values())}" for kind in shown)]
    lines.append(
        f"{'':44}" + "".join(f"{kind:>16}" for kind in shown) + "     all" + "".join(f"{x:>7g}" for x in LEVELS)
    )
    for name, result in results.items():
        of_kind = [
            float(result["accuracy"].sel(domain=[head for head in kinds if kinds[head] == kind]).mean())
            for kind in shown
        ]
        by_level = result["accuracy_by_intensity"].mean("domain")
        levels = [float(by_level.sel(intensity=level, method="nearest")) for level in LEVELS]
        lines.append(
            f"{name:44}" + "".join(f"{x:16.3f}" for x in of_kind) + f"{float(result['accuracy'].mean()):8.3f}"
            + "".join(f"{x:7.2f}" for x in levels)
        )  # fmt: skip
    for name in (BEST, "both, points found", ORACLE):
        error = results[name]["readout_rmse"].sel(read_from="own")
        heads = {head: float(error.sel(test_domain=head)) for head in ("human", *kinds) if head in error["test_domain"]}
        lines.append(f"intensity, {name}: " + ", ".join(f"{head} {value:.3f}" for head, value in heads.items()))
    for name in (BEST, "both, points found", "both, nothing aligned", "log energy, points known"):
        gain = nr.compare_accuracy(results[name], results[UNALIGNED])
        all_heads = gain.sel(compared="transfer")
        low, high = float(all_heads["low"]), float(all_heads["high"])
        lines.append(f"{name} less {UNALIGNED}: {float(all_heads['difference']):+.3f} [{low:+.3f}, {high:+.3f}]")
    return lines


def curve(results):
    """Return the intensity read out, mean over expressions and over the other heads, and its error from identity."""
    read = results[BEST]["readout"].sel(read_from="own").mean("category")
    others = read.sel(test_domain=read["test_domain"] != "human").mean("test_domain")
    within = others["readout_intensity"].values <= 1.0
    levels = others["readout_intensity"].values[within]
    return levels, others.values[within], float(np.sqrt(np.mean((others.values[within] - levels) ** 2)))


if __name__ == "__main__":
    sets = {"development": development()} if "--final" not in sys.argv else {}
    data = Path(os.environ.get("NRSIM_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    head = data / "ict_head" / "ict_head_arkit57_id20.npz"
    if "--development" not in sys.argv:
        if not head.is_file():
            print(
                "skipped: the final heads; set NRSIM_DATA to the folder that holds ict_head/ict_head_arkit57_id20.npz"
            )
        else:
            sets["final"] = final(head)
    figure, axes = plt.subplots(1, max(len(sets), 1), figsize=(6 * max(len(sets), 1), 4), layout="constrained")
    for ax, (title, faces) in zip(np.atleast_1d(axes), sets.items(), strict=True):
        kinds = dict(zip(faces["head"].values.tolist(), faces["kind"].values.tolist(), strict=True))
        del kinds["human"]
        results = measured(faces)
        lines = table(results, kinds, title)
        levels, read, error = curve(results)
        lines.append(f"intensity, mean over the other heads: {np.round(read, 3).tolist()}, RMSE {error:.3f}")
        print("\n".join(lines) + "\n", flush=True)
        for name, result in results.items():
            share = result["accuracy_by_intensity"].mean("domain")
            ax.plot(share["intensity"], share, marker="o", label=name)
        ax.axhline(1 / 6, color="0.6", linestyle=":")
        ax.set(title=f"{title} heads", xlabel="intensity", ylabel="accuracy", ylim=(0, 1.02))
        if title == "final":
            gain = nr.compare_accuracy(results[BEST], results[UNALIGNED]).sel(compared="transfer")
            found = nr.compare_accuracy(results["both, points found"], results[UNALIGNED]).sel(compared="transfer")
            nr.check_claim("final_aligned", float(results[BEST]["accuracy"].mean()))
            nr.check_claim("final_aligned_found", float(results["both, points found"]["accuracy"].mean()))
            nr.check_claim("final_gain", float(gain["difference"]))
            nr.check_claim("final_gain_found", float(found["difference"]))
            for kind, name in (("ict", "final_gain_as_rendered"), ("ict framed anew", "final_gain_framed_anew")):
                here = [head for head in kinds if kinds[head] == kind]
                aligned, plain = (results[which]["accuracy"].sel(domain=here).mean() for which in (BEST, UNALIGNED))
                nr.check_claim(name, float(aligned - plain))
            own = results[BEST]["readout_rmse"].sel(read_from="own", test_domain="human")
            nr.check_claim("final_intensity_source", float(own))
            nr.check_claim("final_intensity_others", error)
    np.atleast_1d(axes)[-1].legend(frameon=False, fontsize=6, loc="lower right")
    figure.savefig("stettler2023_aligned.png", dpi=150)
