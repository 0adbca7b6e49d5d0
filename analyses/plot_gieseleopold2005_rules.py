"""What tells the rules of norm-referenced encoding apart, and what does not?

Giese & Leopold (2005), Stettler et al. (2020) and Stettler, Lappe, Taubert & Giese (2023) use different rules for the
activity of a neuron that encodes the difference d of a face from the norm. Here each of the seven rules of
nr.NormEncoder is measured along its preferred direction (radial) and across it (orthogonal: the projection on the
preferred direction held at 1, as Chang & Tsao 2017 held it), beside the curve in closed form.

What agrees. Radial curves do not tell the rules apart: all but "direction", which only knows the angle, are straight
lines from the norm. Orthogonal ones do: [n·d]₊ and the rule per landmark are flat, the rectified rule is flat at ν = 1
only and falls at ν = 2, ½(‖d‖ + n·d) rises. "linear" and "landmark" are drawn for a direction along one landmark and a
displacement of another one.

Which expression a neuron prefers shows in the slope along it minus that along the others, not in the slope alone. The
last panel has these slopes of activity on six expressions, on the head that was learned from and on one that was not
(the rule per landmark from 23 points of the rendered heads, all others from V1 energy). Expressions differ in how far
they move a face, and ½(‖d‖ + n·d) takes that for a preference: a neuron is compared with those of the same expression
whose directions were shuffled, their median being 0. The dots must lie above the grey ones, and do for every rule and
on both heads, of some expressions on the macaque by little. Activities are compared because spikes add noise: of the
1-norm rule, whose neurons differ least from shuffled ones, three of six are lost among them with 30 trials a stimulus,
and none with 300.

With n scaled to its largest component the 1-norm rule gives a prototype 1.67 to 1.84 times what its opposite gives,
over 6144 features of V1. With a unit vector it would be 1.05 to 1.06: all weights would be near one half.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import nrsim as nr
from nrsim.encoders.rules import RULES, tuning
from nrsim.schema import STIMULUS_LABELS

LENGTH = 2.0  # of the prototype, feature units
PLACES = np.round(np.arange(-1.0, 2.01, 0.25), 2)  # in prototype lengths
BLUE, RED = nr.plot.style.PALETTE[:2]


def as_features(value, landmarks, **labels):
    """Return a table of numbers, ``(stimulus, feature)``, as Features of landmarks."""
    axes = np.tile(["x", "y"], len(landmarks))
    coords = {name: ("stimulus", each) for name, each in labels.items()}
    for name in coords:
        if STIMULUS_LABELS[name].units:
            coords[name] += ({"units": STIMULUS_LABELS[name].units[0]},)
    made = xr.Dataset({"value": (("stimulus", "feature"), value, {"units": "1"})}, coords)
    return nr.schema.check(
        nr.example("Features")
        .drop_dims(["stimulus", "feature"])
        .merge(made, combine_attrs="override")
        .assign_coords(
            feature_id=(
                "feature",
                [f"{point} {axis}" for point, axis in zip(np.repeat(landmarks, 2), axes, strict=True)],
            ),
            landmark=("feature", np.repeat(landmarks, 2)),
            feature_axis=("feature", axes),
        ),
        "Features",
    )


# %%
# One head on which the prototype moves the mouth upwards; faces move the mouth (along) and a brow (across).
along = np.r_[0.0, 1.0, PLACES, np.ones(len(PLACES))] * LENGTH
across = np.r_[0.0, 0.0, np.zeros(len(PLACES)), PLACES] * LENGTH
value = np.zeros((len(along), 6)) + [40.0, 80.0, 30.0, 20.0, 70.0, 20.0]  # px: mouth, left brow, right brow
value[:, 1] += along
value[:, 3] += across
plane = as_features(
    value,
    ["mouth", "left brow", "right brow"],
    stimulus_id=["norm", "prototype", *[f"radial {p}" for p in PLACES], *[f"orthogonal {o}" for o in PLACES]],
    domain=["human"] * len(value),
    expression=["neutral", "happy", *["test"] * (2 * len(PLACES))],
)
fit = {"prototypes": {"stimulus_id": "prototype"}, "norms": {"stimulus_id": "norm"}}

figure, axes = plt.subplots(2, 4, figsize=(15, 7), layout="constrained")
fine = np.linspace(-1.0, 2.0, 301)
ends, furthest = {}, 0.0
for ax, rule in zip(axes.flat, RULES, strict=False):
    exponents = (1.0, 2.0) if rule in ("general", "rectified", "expressivity") else (1.0,)
    for exponent, dash, fill in zip(exponents, ("-", "--"), ("full", "none"), strict=False):
        code = nr.NormEncoder(rule, exponent, "none").fit(plane, **fit).transform(plane)
        activity = code["activity"].values[:, 0]
        top = activity[1]
        expected = tuning(rule, exponent, along, across, length=LENGTH)
        furthest = max(furthest, float(np.abs(activity - expected).max()))
        radial = tuning(rule, exponent, fine * LENGTH, 0.0, length=LENGTH) / top
        orthogonal = tuning(rule, exponent, LENGTH, fine * LENGTH, length=LENGTH) / top
        name = f", ν = {exponent:g}" if len(exponents) > 1 else ""
        n = len(PLACES)
        for curve, points, colour, what in (
            (radial, activity[2 : 2 + n], BLUE, "radial"),
            (orthogonal, activity[2 + n :], RED, "orthogonal"),
        ):
            ax.plot(fine, curve, color=colour, linestyle=dash, label=f"{what}{name}")
            ax.plot(PLACES, points / top, color=colour, linestyle="", marker="o", markersize=4, fillstyle=fill)
        ends[rule, exponent] = activity[2 + n + list(PLACES).index(1.0)] / top
    ax.set_title(f"{rule}\n{RULES[rule]}", fontsize=10)
    ax.set(xlabel="displacement / length of the prototype", ylabel="activity / prototype's", ylim=(-0.1, 2.6))
    ax.legend(frameon=False, fontsize=8, loc="upper left")

# %%
# Six expressions on the head that is learned from and on another, through every rule.
HEADS = {"human": ("black", -0.2), "macaque": (BLUE, 0.0)}


def preferred_minus_others(code):
    """Return head → the slope of activity on intensity along what each neuron prefers, less the mean of the others."""
    activity, level = code["activity"].values, code["intensity"].values
    domain, shown = (code[name].values.astype(str) for name in ("domain", "expression"))
    names = list(dict.fromkeys(code["prefers"].values.astype(str)))
    preferred = np.array([names.index(name) for name in code["prefers"].values.astype(str)])
    found = {}
    for head in HEADS:
        slopes = []
        for name in names:
            at = (domain == head) & ((shown == name) | (level == 0))
            away = level[at] - level[at].mean()
            slopes.append(away @ activity[at] / (away @ away))
        slopes = np.stack(slopes)
        own = slopes[preferred, np.arange(len(preferred))]
        found[head] = own - (slopes.sum(axis=0) - own) / (len(names) - 1)
    return found


faces = nr.load_stimuli("expressions", domains=list(HEADS), intensities=[0.0, 0.5, 1.0], size=96)
pool = nr.PooledEnergy(size=16, log=True)
seen = nr.V1Bank(frequencies=[1, 2, 4], normalise="divisive").transform(faces, pool=pool)
energy = pool.fit(seen).transform(seen)
carried = {name: faces[name].values for name in ("stimulus_id", "domain", "expression", "intensity", "norm_id")}
points = as_features(
    faces["landmark"].values.reshape(faces.sizes["stimulus"], -1), [str(p) for p in faces["point"].values], **carried
)
fit = {"prototypes": {"domain": "human", "intensity": 1.0}, "norms": {"intensity": 0.0}}
ax = axes.flat[-1]
shares = {}
for place, rule in enumerate(RULES):
    features = points if rule == "landmark" else energy
    encoder = nr.NormEncoder(rule).fit(features, **fit)
    control = encoder.with_shuffled_directions(seed=1, repeats=20)
    code = nr.join_codes([each.transform(features) for each in (encoder, control)])
    for head, difference in preferred_minus_others(code).items():
        own, null = difference[:6], difference[6:].reshape(20, 6)
        shares[rule, head] = float((own > null.max(axis=0)).mean())
        own, null = own - np.median(null, axis=0), null - np.median(null, axis=0)
        colour, shift = HEADS[head]
        said = dict.fromkeys(("shuffled", head)) if place else {"shuffled": "shuffled", head: head}
        grey = said["shuffled"] if head == "human" else None
        ax.plot(np.full(null.size, place) + shift + 0.1, null.ravel(), ".", color="0.7", markersize=3, label=grey)
        ax.plot(np.full(6, place) + shift, own, "o", color=colour, markersize=4, label=said[head])
ax.axhline(0.0, color="0.6", linewidth=0.8)
ax.set_xticks(range(len(RULES)), list(RULES), rotation=35, ha="right")
ax.set(ylabel="preferred − other slope,\nfrom the median shuffled")
ax.set_title("expressions on the head learned from\n(human) and on another (macaque)", fontsize=10)
ax.set_ylim(top=ax.get_ylim()[1] * 1.3)
ax.legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
for ax in axes.flat:
    nr.plot.style.tidy(ax)
figure.savefig("gieseleopold2005_rules.png", dpi=150)

# %%
nr.check_claim("rules_closed_form", furthest)
nr.check_claim("rules_orthogonal_rectified", ends["rectified", 2.0])
nr.check_claim("rules_orthogonal_rectified_flat", ends["rectified", 1.0])
nr.check_claim("rules_orthogonal_general", ends["general", 1.0])
nr.check_claim("rules_orthogonal_projection", ends["projection", 1.0])
nr.check_claim("rules_preferred_slopes", min(share for (_, head), share in shares.items() if head == "human"))
nr.check_claim(
    "rules_preferred_slopes_new_head", min(share for (_, head), share in shares.items() if head == "macaque")
)
nr.check_claim("rules_preferred_slopes_linear", min(shares["linear", head] for head in HEADS))
print({" on ".join(key): round(share, 3) for key, share in shares.items()})

# What the 1-norm rule gives a prototype over what it gives its opposite, with n scaled to its largest component and not
encoder = nr.NormEncoder("linear").fit(energy, **fit)
size, along = np.abs(encoder.directions_).sum(axis=1), 1.0 / np.abs(encoder.directions_).max(axis=1)
ratios = (size + along) / (size - along)
unscaled = (size + 1.0) / (size - 1.0)
print(
    f"prototype over opposite: {ratios.min():.2f} to {ratios.max():.2f}; with unit vectors {unscaled.max():.3f} at most"
)
nr.check_claim("rules_linear_opposite", ratios.min())
nr.check_claim("rules_linear_opposite_unit", unscaled.mean())
