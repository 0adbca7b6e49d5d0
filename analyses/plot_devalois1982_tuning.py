"""Are V1Bank's cells tuned as macaque V1 cells are?

De Valois, Yund & Hepler (1982) and De Valois, Albrecht & Thorell (1982) measured orientation and spatial frequency with
drifting gratings and told simple from complex cells by F1 > F0; Foster et al. (1985), Schiller, Finlay & Volman (1976)
and Ringach, Shapley & Hawken (2002) measured the same with other definitions of width. Here the cells of the default
bank see such gratings, full field, one cycle a second, at contrast 1. A simple cell's response is the first harmonic
(F1) of its rectified response at phase 0, a complex cell's the mean (F0) of its energy; each once without normalisation
and once with divisive normalisation. All 32 channels are looked at for what they prefer; the curves are those of the
cell at 2 cycles/degree and 0 degrees.

What agrees. Every channel prefers the orientation and, without normalisation, the frequency it was set to. A rectified
linear cell has F1/F0 = π/2, its normalised square 16/3π; complex cells have 0: the two kinds lie on their sides of 1.
The simple cell without normalisation is linear, so its response is the amplitude: 50 degrees and 1.4 octaves wide, as
the bank was set. Simple cells are as selective for frequency as Schiller's. Sensitivity, 1 over the contrast that
reaches a criterion, is De Valois's measure of frequency tuning. It is no narrower for a response that is the square of
the amplitude: 1.4 octaves, as published. With normalisation it is 1.3, because away from the peak the contrast that
reaches the criterion is high enough to drive the pool.

What does not. The square of the amplitude is narrower by √2 as a response, so complex and normalised cells are 35
degrees wide, not 40, and 0.9 to 1.1 octaves, not 1.4 or 1.8; complex cells are too selective for frequency. The
half-width and circular variance of Ringach, Shapley & Hawken are of all cells, the unoriented ones on their spontaneous
activity among them, and no one Gabor has both. A cell here has one width; the cortex has a distribution. Complex cells
have no modulation, where those of awake macaques have 0.6 or more. And with divisive normalisation at contrast 1
channels prefer frequencies a little below what was set, by 0.02 to 0.065 octaves: the pool is made of frequencies an
octave apart, and between two of them there is less to normalise. Before the pool counted cells beyond the bank, the
highest channel was off by a quarter of an octave.

A bar is a published median or mean with its quartiles, hollow where the number was recalled and not looked up. Claims
take the distance to the nearer quartile as tolerance and else 10 %, about two standard errors of a median of two
hundred cells as spread as these are.
"""

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

FREQUENCY, ORIENTATION = 2.0, 0.0  # cycles/degree and degree: the cell whose curves are drawn
KINDS = {
    "simple": ("none", "response"),
    "complex": ("none", "energy"),
    "simple, divisive": ("divisive", "response"),
    "complex, divisive": ("divisive", "energy"),
}
DIRECTIONS = np.arange(0, 180, 10.0)  # degree
FREQUENCIES = 2.0 ** np.arange(-1, 3.1, 0.25)  # cycles/degree
HERE = nr.PooledEnergy(places=[(0, 0)], tolerance=0.001)  # the cells in the middle of the picture
COLOURS = dict(zip(KINDS, nr.plot.style.PALETTE, strict=False))


def drifting(frames, orientations=(ORIENTATION,), frequencies=(FREQUENCY,), contrasts=(1.0,)):
    """Gratings that drift by one cycle in ``frames`` frames, on 3 degrees, the middle on a pixel."""
    return nr.render_gratings(
        orientations=orientations,
        frequencies=frequencies,
        contrasts=contrasts,
        temporal_frequencies=[1.0],
        frame_rate=frames,
        duration=1.0,
        size=97,
        degrees=97 / 32,
    )


def seen_by(kind, gratings, **bank):
    """Return the responses of the cells in the middle, (stimulus, frame, frequency, orientation)."""
    normalise, variable = KINDS[kind]
    cells = nr.V1Bank(phases=[0], normalise=normalise, accuracy="exact", **bank)
    if variable == "energy":
        return cells.transform(gratings, pool=HERE)["energy"].isel(place=0)
    return cells.responses(gratings, rectify=True, pool=HERE)["response"].isel(phase=0, place=0)


def strength(kind, gratings, **bank):
    """Return F1 of simple cells, F0 of complex cells, (stimulus, frequency, orientation)."""
    return nr.harmonics(seen_by(kind, gratings, **bank))["first_harmonic" if "simple" in kind else "mean"]


def cell(kind, gratings, measure=strength):
    """Return what the one cell does. Without normalisation no other acts on it, and it is computed alone."""
    alone = {} if "divisive" in kind else {"frequencies": [FREQUENCY], "orientations": [ORIENTATION]}
    return measure(kind, gratings, **alone).sel(frequency=FREQUENCY, orientation=ORIENTATION)


# %%
# Is what each of the 32 channels prefers what it was set to?
off = {}
for kind in ("complex", "complex, divisive"):
    turned, shifted = [], []
    for frequency in nr.V1Bank().frequencies:
        series = strength(kind, drifting(3, DIRECTIONS, [frequency])).sel(frequency=frequency)
        found = nr.measure_tuning(series, along="grating_orientation")["preferred"]
        turned.append((found - found["orientation"] + 90) % 180 - 90)
    for orientation in nr.V1Bank().orientations:
        series = strength(kind, drifting(3, [orientation], 2.0 ** np.arange(-1.5, 3.76, 0.25)))
        found = nr.measure_tuning(series.sel(orientation=orientation), along="grating_frequency")["preferred"]
        shifted.append(np.log2(found / found["frequency"]))
    off[kind] = np.array(turned), np.array(shifted).T  # (frequency, orientation) each

# %%
# The one cell: its modulation, its tuning, and that of its sensitivity, 1 over the contrast that gives a tenth of its
# greatest response. A linear cell's sensitivity is its response.
cycle, by_orientation, by_frequency, measured = {}, {}, {}, {}
contrasts = 2.0 ** np.arange(-5, 0.1, 0.5)
for kind in KINDS:
    frames = 6 if "simple" in kind else 3
    cycle[kind] = cell(kind, drifting(24 if "divisive" in kind else 96), seen_by)
    by_orientation[kind] = cell(kind, drifting(frames, DIRECTIONS))
    by_frequency[kind] = cell(kind, drifting(frames, frequencies=FREQUENCIES))
    orientation = nr.measure_tuning(by_orientation[kind], along="grating_orientation")
    frequency = nr.measure_tuning(by_frequency[kind], along="grating_frequency")
    measured[kind] = {
        "orientation, full width at ½ (degree)": orientation["bandwidth"],
        "orientation, half width at 1/√2 (degree)": orientation["half_width"],
        "circular variance": orientation["circular_variance"],
        "frequency, full width at ½ (octave)": frequency["bandwidth"],
        "frequency, selectivity ratio": frequency["selectivity_ratio"],
        "F1/F0": nr.harmonics(cycle[kind])["modulation_ratio"],
    }
    if kind == "simple":
        measured[kind]["sensitivity, full width at ½ (octave)"] = frequency["bandwidth"]
    elif "complex" in kind:
        shown = cell(kind, drifting(3, frequencies=FREQUENCIES[2:-2], contrasts=contrasts))
        grid = shown.set_index(stimulus=["grating_frequency", "grating_contrast"]).unstack("stimulus")
        level = np.log(0.1 * grid.max().item())
        reached = [np.interp(level, np.log(row), np.log(contrasts)) for row in grid.values]
        sensitivity = grid.isel(grating_contrast=0, drop=True).copy(data=np.exp(-np.array(reached)))
        tuning = nr.measure_tuning(sensitivity, along="grating_frequency")
        measured[kind]["sensitivity, full width at ½ (octave)"] = tuning["bandwidth"]
    measured[kind] = {name: float(value.item()) for name, value in measured[kind].items()}

# %%
# Curves above, the numbers beside the published ones below.
figure, axes = plt.subplots(
    2, 4, figsize=(17, 9), layout="constrained", height_ratios=[1, 1.3], width_ratios=[1, 1, 1.25, 0.8]
)
for kind, colour in COLOURS.items():
    look = {"color": colour, "label": kind, "linestyle": "-" if "simple" in kind else "--", "linewidth": 1.6}
    wave = cycle[kind].isel(stimulus=0)
    axes[0, 0].plot(wave["frame_time"], wave / wave.max(), **look)
    curve = np.roll(by_orientation[kind], 9)
    axes[0, 1].plot(DIRECTIONS - 90, curve / curve.max(), **look)
    axes[0, 2].plot(FREQUENCIES, by_frequency[kind] / by_frequency[kind].max(), **look)
    if "complex" in kind:
        turned, shifted = off[kind]
        look = {"color": colour, "marker": "o" if kind == "complex" else "s", "linestyle": "none"}
        axes[0, 3].plot(np.arange(4) + (0.1 if "divisive" in kind else -0.1), shifted.mean(axis=1), **look)
        axes[1, 3].plot(nr.V1Bank().orientations, turned.mean(axis=0), **look)
axes[0, 0].set(xlabel="time in a cycle (s)", ylabel="response / greatest", title="modulation")
axes[0, 1].set(xlabel="of the grating (degree)", xticks=[-90, -45, 0, 45, 90], title="orientation")
axes[0, 2].set_xscale("log", base=2)
axes[0, 2].set(xlabel="of the grating (cycles/degree)", title="spatial frequency")
axes[0, 2].set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
for ax in axes[0, 1:3]:
    for height, name, dash in ((0.5, "½", "-"), (1 / np.sqrt(2), "1/√2", ":")):
        ax.axhline(height, color="0.8", linewidth=0.8, linestyle=dash, zorder=0)
        ax.text(1, height, name, color="0.5", ha="right", va="bottom", transform=ax.get_yaxis_transform())
axes[0, 3].set(xlabel="set (cycles/degree)", ylabel="preferred − set (octave)", ylim=(-0.4, 0.4))
axes[0, 3].set(xticks=range(4), xticklabels=["1", "2", "4", "8"], title="preferred, against what was set")
axes[1, 3].set(xlabel="set (degree)", ylabel="preferred − set (degree)", ylim=(-5, 5))
axes[1, 3].set_xticks(nr.V1Bank().orientations[::2])
for ax in axes[:, 3]:
    ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)

PUBLISHED = {
    "orientation, full width at ½ (degree)": ("orientation bandwidth", ["median, all"]),
    "orientation, half width at 1/√2 (degree)": ("orientation bandwidth", ["median, all layers"]),
    "circular variance": ("circular variance", ["median, all layers"]),
    "frequency, full width at ½ (octave)": ("spatial-frequency bandwidth", ["mean, foveal", "mean, 2-5 degree"]),
    "sensitivity, full width at ½ (octave)": ("spatial-frequency bandwidth", ["median, all"]),
    "frequency, selectivity ratio": ("spatial-frequency selectivity ratio", ["median, simple", "median, complex"]),
    "F1/F0": ("relative modulation F1/F0", ["dip between modes", "mean, complex, alert"]),
}
published = {
    name: nr.published_v1(quantity).query("statistic in @wanted") for name, (quantity, wanted) in PUBLISHED.items()
}
names = list(PUBLISHED)
for ax, chosen in ((axes[1, 0], names[:2]), (axes[1, 1], names[3:5]), (axes[1, 2], [names[2], *names[5:]])):
    own = {name: {kind: measured[kind][name] for kind in KINDS if name in measured[kind]} for name in chosen}
    nr.plot.beside_published(own, {name: published[name] for name in chosen}, ax=ax, legend=False)
handles, labels = axes[0, 0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
for ax in axes.flat:
    nr.plot.style.tidy(ax)
figure.savefig("devalois1982_tuning.png", dpi=150)

# %%
turned, shifted = (max(np.abs(off[kind][i]).max() for kind in off) for i in (0, 1))
nr.check_claim("v1_preferred_orientation", float(turned))
nr.check_claim("v1_preferred_frequency", float(np.abs(off["complex"][1]).max()))
nr.check_claim("v1_preferred_frequency_divisive", float(shifted))
linear, squared = measured["simple"], measured["complex, divisive"]
nr.check_claim("v1_orientation_bandwidth_set", linear[names[0]])
nr.check_claim("v1_orientation_bandwidth", squared[names[0]])
nr.check_claim("v1_orientation_half_width", squared[names[1]])
nr.check_claim("v1_circular_variance", squared["circular variance"])
nr.check_claim("v1_frequency_bandwidth_foveal", squared["frequency, full width at ½ (octave)"])
nr.check_claim("v1_frequency_bandwidth_parafoveal", squared["frequency, full width at ½ (octave)"])
nr.check_claim("v1_selectivity_ratio_simple", 100 * measured["simple, divisive"]["frequency, selectivity ratio"])
nr.check_claim("v1_selectivity_ratio_complex", 100 * squared["frequency, selectivity ratio"])
nr.check_claim("v1_modulation_rectified", linear["F1/F0"])
nr.check_claim("v1_modulation_simple", min(measured[kind]["F1/F0"] for kind in KINDS if "simple" in kind))
nr.check_claim("v1_modulation_complex", max(measured[kind]["F1/F0"] for kind in KINDS if "complex" in kind))
nr.check_claim("v1_modulation_complex_alert", squared["F1/F0"])
