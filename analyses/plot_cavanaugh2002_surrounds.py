"""Are V1Bank's cells suppressed by what surrounds their receptive fields, as macaque V1 cells are?

Cavanaugh, Bair & Movshon (2002) and Jones et al. (2001) widened a patch of the preferred grating; Sceniak et al. (1999)
did so at a low and a high contrast. Here a drifting patch at the middle of the receptive field widens from 0.18 to 5.7
degrees, at contrasts 0.1 and 1, for complex cells of 1, 2 and 4 cycles/degree (F0) and the simple cell of 2 (F1). Then
the complex cell of 2 cycles/degree sees a patch of its preferred diameter in a surround of contrast 1 that begins where
the receptive field ends, at four orientations.

What agrees. With divisive normalisation the response falls beyond its best diameter, by 0.40 of it, and the diameters,
in the cell of 2 cycles/degree, lie near Cavanaugh's medians and well inside the quartiles (whose cells are of all
frequencies: here diameters go with 1/frequency). At low contrast there is no suppression and the best diameter is
larger.

What does not. The best diameter grows by 1.6 from contrast 1 to 0.1, where Sceniak's summation extents (fitted, each
cell at contrasts of its own) grow by 2.3. Jones's suppressed cells fall by 0.67. The surround suppresses alike at all
orientations, because the pool sums over all of them; in macaque V1 it suppresses most at the orientation of the patch
(Shushruth et al. 2013), by how much was not at hand. All cells are alike, so nothing is said of the shares of
suppressed cells. Without normalisation no surround does anything.
"""

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

HERE = nr.PooledEnergy(places=[(0, 0)], tolerance=0.001)  # the cells in the middle of the picture
DIAMETERS = 2.0 ** np.arange(-2.5, 2.51, 0.25)  # degree
LOW, HIGH = 0.1, 1.0  # contrasts
FIELD = 1.4  # degree: diameter beyond which the cell of 2 cycles/degree adds nothing, see the first panel


def drifting(frames, frequency, diameters, size=193, **series):
    """Patches that drift by one cycle in ``frames`` frames, 32 px/degree, the middle on a pixel."""
    patch = {"aperture": "disc", "diameters": list(diameters), "size": size, "degrees": size / 32}
    moving = {"temporal_frequencies": [1.0], "frame_rate": frames, "duration": 1.0}
    return nr.render_gratings(orientations=[0.0], frequencies=[frequency], **patch, **moving, **series)


def complex_cell(normalise, gratings, frequency):
    """Return F0 of the complex cell that prefers the grating. Alone where no other acts on it."""
    alone = {"frequencies": [frequency], "orientations": [0.0]} if normalise == "none" else {}
    seen = (
        nr.V1Bank(normalise=normalise, accuracy="exact", **alone).transform(gratings, pool=HERE)["energy"].isel(place=0)
    )
    return nr.harmonics(seen.sel(frequency=frequency, orientation=0.0))["mean"]


# %%
# A patch that widens.
curves, found = {}, {}
for frequency in (1.0, 2.0, 4.0):
    widths = DIAMETERS if frequency == 2.0 else DIAMETERS[:: 1 if frequency == 4.0 else 2]
    for contrast in (LOW, HIGH):
        patches = drifting(4, frequency, widths, contrasts=[contrast])
        curves["divisive", frequency, contrast] = complex_cell("divisive", patches, frequency)
    if frequency == 2.0:
        curves["none", frequency, HIGH] = complex_cell("none", patches, frequency)
patches = drifting(6, 2.0, DIAMETERS[:-4:2], size=129)
seen = nr.V1Bank(phases=[0], normalise="divisive").responses(patches, rectify=True, pool=HERE)["response"]
curves["simple", 2.0, HIGH] = nr.harmonics(seen.isel(place=0, phase=0).sel(frequency=2.0, orientation=0.0))[
    "first_harmonic"
]
for key, curve in curves.items():
    tuning = nr.measure_tuning(curve, along="grating_diameter")
    found[key] = {name: value.item() for name, value in tuning.items()}
best = found["divisive", 2.0, HIGH]["preferred"]

# %%
# A surround of several orientations.
ANGLES = [0.0, 30.0, 60.0, 90.0]  # degree, from the patch
rings = {"surround_contrasts": [0.0, 1.0], "surround_angles": ANGLES, "surround_gap": (FIELD - best) / 2}
around = drifting(4, 2.0, [best], surround_diameter=5.6, **rings)
surrounded = {normalise: complex_cell(normalise, around, 2.0) for normalise in ("none", "divisive")}
ratio = {normalise: (seen[1:] / seen[0]).values for normalise, seen in surrounded.items()}

# %%
figure, axes = plt.subplots(1, 4, figsize=(17, 5.6), layout="constrained", width_ratios=[1, 1, 0.7, 1.5])
looks = {
    ("none", 2.0, HIGH): ("complex", "0.4", "--"),
    ("simple", 2.0, HIGH): ("simple, divisive", "#0072B2", "-"),
    ("divisive", 2.0, HIGH): ("complex, divisive", "#D55E00", "-"),
    ("divisive", 2.0, LOW): ("complex, divisive, contrast 0.1", "#D55E00", ":"),
}
for key, (name, colour, dash) in looks.items():
    curve = curves[key]
    axes[0].plot(curve["grating_diameter"], curve / curve.max(), color=colour, linestyle=dash, label=name)
for frequency, marker in ((1.0, "o"), (2.0, "s"), (4.0, "^")):
    curve = curves["divisive", frequency, HIGH]
    axes[1].plot(curve["grating_diameter"], curve / curve.max(), marker=marker, markersize=4, label=f"{frequency:g}")
for ax, title in ((axes[0], "cells of 2 cycles/degree"), (axes[1], "complex, divisive, contrast 1")):
    ax.set_xscale("log", base=2)
    ax.set_xticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    ax.set(xlabel="diameter of the patch (degree)", ylabel="response / greatest", title=title, ylim=(0, 1.45))
axes[0].legend(frameon=False, fontsize=8, loc="upper left")
axes[1].legend(frameon=False, title="cycles/degree", ncols=3, loc="upper left")
for name, marker, colour in (("none", "o", "0.4"), ("divisive", "s", "#D55E00")):
    axes[2].plot(ANGLES, ratio[name], marker=marker, color=colour, label=name)
axes[2].set(xlabel="surround − patch (degree)", xticks=ANGLES, ylabel="response with / without", ylim=(0, 1.45))
axes[2].set_title("orientation of the surround")
axes[2].legend(frameon=False, loc="upper left", ncols=2)

kinds = {name: found[key] for key, (name, _, _) in looks.items() if key[0] != "none" and key[2] == HIGH}
low, high = found["divisive", 2.0, LOW], found["divisive", 2.0, HIGH]
growth = low["preferred"] / high["preferred"]
own = {
    "suppression index": {kind: each["suppression_index"] for kind, each in kinds.items()},
    "best diameter (degree)": {kind: each["preferred"] for kind, each in kinds.items()},
    "surround (degree)": {kind: each["surround_diameter"] for kind, each in kinds.items()},
    "surround / best": {kind: each["surround_diameter"] / each["preferred"] for kind, each in kinds.items()},
    "best diameter at contrast 0.1 / 1": {"complex, divisive": growth},
}
quantities = ["surround suppression index", "grating summation field", "surround diameter"]
quantities += ["surround over summation field", "summation extent, low over high contrast"]
published = {name: nr.published_v1(quantity) for name, quantity in zip(own, quantities, strict=True)}
nr.plot.beside_published(own, published, ax=axes[3])
for ax in axes:
    nr.plot.style.tidy(ax)
figure.savefig("cavanaugh2002_surrounds.png", dpi=150)

# %%
nr.check_claim("v1_suppression_index", high["suppression_index"])
nr.check_claim("v1_suppression_index_jones", high["suppression_index"])
nr.check_claim("v1_summation_field", high["preferred"])
nr.check_claim("v1_surround_diameter", high["surround_diameter"])
nr.check_claim("v1_surround_over_field", high["surround_diameter"] / high["preferred"])
nr.check_claim("v1_summation_low_contrast", growth)
nr.check_claim("v1_surround_tuning", float(ratio["divisive"][-1] - ratio["divisive"][0]))
