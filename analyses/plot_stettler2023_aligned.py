"""Where the eyes and the mouth are in each head: what a grid of the face is worth, and what displacement adds.

After Stettler, Lappe, Taubert & Giese (2023): six expressions learned on the human head, one neutral picture of each
other head, everything else tested. The heads stand as a face detector might leave them, in sizes from 0.70 to 1.28 and
up to 0.35 degrees off. Receptive fields on a grid over the picture miss the features of a face that stands elsewhere;
on a grid that nine points of the norm carry to each head they do not. The points are known, or found from V1 with only
the learned head's marked. Displacement of what is seen, read from the phases of simple cells, adds to the energy of
complex cells on these heads, which all move by the same expression shapes. On a head that was sculpted by others it
does not: analyses/run_stettler2023_aligned.py has that head, and every step on more heads.
"""

import matplotlib.pyplot as plt

import nrsim as nr
from nrsim.seeds import stream

EXPRESSIONS = ("happy", "sad", "angry", "fearful", "disgusted", "surprised")
heads = [("human", {"domain": "human"})]
heads += [(f"{domain} {i}", {"domain": domain}) for domain in ("macaque", "cartoon") for i in (1, 2)]
heads += [
    (who, {"domain": "human", "identity": who, "identity_level": 1.0}) for who in ("asian_male", "african_female")
]
rows = []
for head, of in heads:
    draw, place = stream(2023, "framing", head), {}
    if head != "human":
        scale = 2.0 ** draw.uniform(-0.5, 0.36)
        place = {"scale": scale, "x": draw.uniform(-0.35, 0.35), "y": draw.uniform(-0.35, 0.35)}
    face = {**of, **place, "labels": {"head": head}}
    rows.append({**face, "intensity": 0.0, "stimulus_id": f"{head} neutral"})
    for expression in EXPRESSIONS:
        for level in (0.25, 0.5, 0.75, 1.0, 1.25):
            name = f"{head} {expression} {level:g}"
            rows.append({**face, "expression": expression, "intensity": level, "stimulus_id": name})
faces = nr.render_faces(rows, size=128, landmarks="alignment")

# %%
# A grid over the learned head's picture, and the same places of the face on the others.
nr.plot.face_grid(nr.FaceGrid(faces, "human", norm_by="head"), faces)[0].figure.savefig("face_grids.png", dpi=150)

# %%
# The same cues and the same bank on the picture and on the face; the encoder is the general rule.
general = nr.NormEncoder("general", scale="none")
results = {}
for where, landmarks in (("on the picture", "none"), ("on the face, points found", "find"), ("on the face", None)):
    both = nr.aligned_features(faces, "human", norm_by="head", landmarks=landmarks, cues=["energy", "displacement"])
    for what, features in (("energy", both.isel(feature=both["cue"].values == "energy")), ("both", both)):
        results[f"{what} {where}"] = nr.cross_domain_accuracy(features, "human", encoder=general, norm_by="head")

# %%
# Accuracy and intensity read out.
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
styles = {"on the picture": ":", "on the face, points found": "--", "on the face": "-"}
for name, result in results.items():
    what, where = name.split(" ", 1)
    look = {"linestyle": styles[where], "color": "#0072B2" if what == "energy" else "#D55E00", "marker": "o"}
    share = result["accuracy_by_intensity"].mean("domain")
    axes[0].plot(share["intensity"], share, label=name, **look)
    read = result["readout"].sel(read_from="own").mean("category")
    others = read.sel(test_domain=read["test_domain"] != "human").mean("test_domain")
    axes[1].plot(others["readout_intensity"], others, **look)
axes[0].axhline(1 / 6, color="0.6", linestyle=":")
axes[1].plot([0, 1.25], [0, 1.25], color="0.6", linestyle=":")
axes[0].set(xlabel="intensity", ylabel="accuracy on six other heads", ylim=(0, 1.03))
axes[1].set(xlabel="intensity", ylabel="intensity read out, six other heads")
figure.legend(frameon=False, fontsize=8, loc="outside right upper")
figure.savefig("stettler2023_aligned.png", dpi=150)


def gain(first, second):
    """Return how much better one is than the other, the same pictures in pairs."""
    return float(nr.compare_accuracy(results[first], results[second]).sel(compared="transfer")["difference"])


nr.check_claim("framed_anew_unaligned", float(results["energy on the picture"]["accuracy"].mean()))
nr.check_claim("framed_anew_known", float(results["energy on the face"]["accuracy"].mean()))
nr.check_claim("framed_anew_found", float(results["energy on the face, points found"]["accuracy"].mean()))
nr.check_claim("framed_anew_gain", gain("energy on the face", "energy on the picture"))
nr.check_claim("framed_anew_gain_found", gain("energy on the face, points found", "energy on the picture"))
nr.check_claim("framed_anew_displacement", gain("both on the face", "energy on the face"))
error = results["energy on the face"]["readout_rmse"].sel(read_from="own")
nr.check_claim("aligned_intensity_source", float(error.sel(test_domain="human")))
for kind in ("macaque", "cartoon"):
    one = error.sel(test_domain=[name for name in error["test_domain"].values if name.startswith(kind)])
    nr.check_claim(f"aligned_intensity_{kind}", float(one.mean()))
people = [name for name in error["test_domain"].values if name in ("asian_male", "african_female")]
nr.check_claim("aligned_intensity_people", float(error.sel(test_domain=people).mean()))
