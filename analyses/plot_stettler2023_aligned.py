"""Where the eyes and the mouth are in each head: grids of the face, displacement by phase, and what they add.

After Stettler, Lappe, Taubert & Giese (2023): six expressions learned on the human head, one neutral picture of each
other head, everything else tested. The heads stand as a face detector might leave them, in sizes from 0.70 to 1.28 and
up to 0.35 degrees off. Receptive fields on a grid over the picture miss the features of a face that stands elsewhere;
on a grid that nine points of the norm carry to each head they do not, and the displacement of what is seen, read from
the phases of simple cells, adds to the energy of complex cells. The points are found from V1, with only the learned
head's marked, or known. analyses/run_stettler2023_aligned.py does this on more heads, step by step.
"""

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

rng = np.random.default_rng(2023)
rows = []
for head, domain in (("human", "human"), *((f"{name} {i}", name) for name in ("macaque", "cartoon") for i in (1, 2))):
    place = {}
    if head != "human":
        shift = rng.uniform(-0.35, 0.35, 2)
        place = {"scale": float(np.exp(rng.uniform(-0.35, 0.25))), "x": float(shift[0]), "y": float(shift[1])}
    of = {"domain": domain, "labels": {"head": head}, **place}
    rows.append({**of, "intensity": 0.0, "stimulus_id": f"{head} neutral"})
    for expression in ("happy", "sad", "angry", "fearful", "disgusted", "surprised"):
        for level in (0.25, 0.5, 0.75, 1.0, 1.25):
            name = f"{head} {expression} {level:g}"
            rows.append({**of, "expression": expression, "intensity": level, "stimulus_id": name})
faces = nr.render_faces(rows, size=128, landmarks="alignment")

# %%
# A grid over the learned head's picture, and the same places of the face on the others.
nr.plot.face_grid(nr.FaceGrid(faces, "human", norm_by="head"), faces)[0].figure.savefig("face_grids.png", dpi=150)

pool = nr.PooledEnergy(size=16, log=True)
seen = nr.V1Bank(frequencies=[1, 2, 4, 8], normalise="divisive").transform(faces, pool=pool)
features = {"on the picture": pool.fit(seen).transform(seen)}
for name, landmarks in (("on the face, points found", "find"), ("on the face, points known", None)):
    features[name] = nr.aligned_features(faces, "human", norm_by="head", landmarks=landmarks)
general = nr.NormEncoder("general", scale="none")
results = {
    name: nr.cross_domain_accuracy(each, "human", encoder=general, norm_by="head") for name, each in features.items()
}

# %%
# Accuracy and intensity read out.
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
for (name, result), line in zip(results.items(), (":", "--", "-"), strict=True):
    share = result["accuracy_by_intensity"].mean("domain")
    axes[0].plot(share["intensity"], share, marker="o", linestyle=line, label=name)
    read = result["readout"].sel(read_from="own").mean("category")
    others = read.sel(test_domain=read["test_domain"] != "human").mean("test_domain")
    axes[1].plot(others["readout_intensity"], others, marker="o", linestyle=line, label=name)
axes[0].axhline(1 / 6, color="0.6", linestyle=":")
axes[1].plot([0, 1.25], [0, 1.25], color="0.6", linestyle=":")
axes[0].set(xlabel="intensity", ylabel="accuracy on four other heads", ylim=(0, 1.03))
axes[1].set(xlabel="intensity", ylabel="intensity read out")
axes[0].legend(frameon=False, fontsize=8)
figure.savefig("stettler2023_aligned.png", dpi=150)

unaligned, found, known = results.values()
nr.check_claim("framed_anew_unaligned", float(unaligned["accuracy"].mean()))
nr.check_claim("framed_anew_found", float(found["accuracy"].mean()))
nr.check_claim("framed_anew_known", float(known["accuracy"].mean()))
gain = nr.compare_accuracy(known, unaligned).sel(compared="transfer")
nr.check_claim("framed_anew_gain", float(gain["difference"]))
nr.check_claim("aligned_intensity_source", float(known["readout_rmse"].sel(read_from="own", test_domain="human")))
