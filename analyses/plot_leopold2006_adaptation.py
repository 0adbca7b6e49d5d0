"""Does a norm that follows what is shown explain why the average face looks like somebody after an anti-face?

After looking at an anti-face, the average face looks like the person it is the anti-face of, and less of that person
is needed to recognise it; after somebody else's anti-face that is not so (Leopold et al. 2001, from memory). Leopold,
Bondar & Giese (2006) and Giese & Leopold (2005) read this as a norm that adapts. Here four people, on lines through
the average face, are encoded as differences from the average; then one anti-face is shown again and again, and the norm
follows by a tenth of the difference each time (chosen: nothing is said here of how fast faces adapt).

What agrees. After adaptation the average face activates the neuron of the person whose anti-face was shown, more than
all others, in all four; the person's whole curve is moved up by as much, the same amount at every level; another
person's anti-face moves it by less. The size is that of the equation, (1 − (1 − η)^n) of the anti-face.

What does not follow from it. Somebody else's anti-face moves the curve too, up where the two people are alike in the
features, as the first two are here. The account has one free number, η, and nothing in it ends the adaptation: shown
for ever, the anti-face becomes the norm, and looks like nobody. What a neuron answers is here what is seen.
"""

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

RATE, SHOWINGS = 0.1, 5  # chosen

faces = nr.load_stimuli("leopold2006_identities", size=96)
pool = nr.PooledEnergy(size=16, log=True)
seen = nr.V1Bank(frequencies=[1, 2, 4], normalise="divisive").transform(faces, pool=pool)
features = pool.fit(seen).transform(seen)
features = features.isel(stimulus=features["trajectory"].values != "tangential")
encoder = nr.NormEncoder("projection").fit(
    features, prototypes={"identity_level": 1.0}, norms={"identity_level": 0.0}, prefers_by="identity"
)
people = encoder.prefers_
before = encoder.transform(features)
average = features["identity_level"].values == 0.0


def anti(person):
    """Return the anti-face of a person."""
    chosen = (features["identity"].values == person) & (features["identity_level"].values == -1.0)
    return features.isel(stimulus=chosen)


# %%
figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
adapted = {person: encoder.adapt(anti(person), rate=RATE, exposures=SHOWINGS).transform(features) for person in people}
shown = (features["identity"].values == people[0]) | average
order = np.argsort(features["identity_level"].values[shown])
level = features["identity_level"].values[shown][order]
curve = {}
codes = [("before", before, "0.4"), (f"after {people[0]}'s anti-face", adapted[people[0]], nr.plot.style.PALETTE[1])]
codes += [(f"after {people[1]}'s anti-face", adapted[people[1]], nr.plot.style.PALETTE[0])]
for name, code, colour in codes:
    curve[name] = code["activity"].values[shown, 0][order]
    axes[0].plot(level, curve[name], marker="o", markersize=4, color=colour, label=name)
axes[0].set(xlabel=f"identity level of {people[0]} shown", ylabel=f"activity of {people[0]}'s neuron")
axes[0].legend(frameon=False)

# %%
# What the average face looks like after each of the four anti-faces.
table = np.stack([adapted[person]["activity"].values[average][0] for person in people])
picture = axes[1].imshow(table, cmap="viridis", vmin=0.0)
axes[1].set_xticks(range(4), people, rotation=30)
axes[1].set_yticks(range(4), people)
axes[1].set(xlabel="neuron of", ylabel="adapted to the anti-face of", title="activity for the average face")
nr.plot.style.scale_beside(axes[1], picture, "activity")
matching = float((table.argmax(axis=1) == np.arange(4)).mean())

# %%
# How it grows with every showing.
n = np.arange(0, 31)
opposite = (
    (anti(people[0])["value"].values[0] - encoder.norms_.values[0]) @ encoder.directions_[0] / encoder.lengths_[0]
)
measured = [0.0]
for times in n[1:]:
    code = encoder.adapt(anti(people[0]), rate=RATE, exposures=int(times)).transform(features.isel(stimulus=average))
    measured.append(float(code["activity"][0, 0]))
expected = (1 - (1 - RATE) ** n) * -opposite
axes[2].plot(n, expected, color="0.4", label="(1 − (1 − η)ⁿ) × anti-face")
axes[2].plot(n, measured, "o", markersize=4, color=nr.plot.style.PALETTE[1], label="measured")
axes[2].set(xlabel=f"showings n of {people[0]}'s anti-face", ylabel="activity for the average face", ylim=(0, None))
axes[2].legend(frameon=False)
nr.plot.style.tidy(axes[0])
nr.plot.style.tidy(axes[2])
figure.savefig("leopold2006_adaptation.png", dpi=150)

# %%
own, other = (curve[name] - curve["before"] for name, _, _ in codes[1:])
rising = curve["before"] > 0.05  # where the neuron fires before and after, so that nothing is clipped
nr.check_claim("adaptation_matching", matching)
nr.check_claim("adaptation_after_effect", float(own[level == 0.0][0]))
nr.check_claim("adaptation_matching_over_other", float(own[rising].mean() - other[rising].mean()))
nr.check_claim("adaptation_closed_form", float(np.abs(np.array(measured) - expected).max()))
