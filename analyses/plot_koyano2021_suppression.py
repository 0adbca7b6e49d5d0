"""Is the average face suppressed late, and does tuning to identity come from that?

Koyano et al. (2021) report of three face patches that the average face is suppressed after the initial response: early,
the response says little about how far a face is from the average, later it grows with the distance (from the title and
from memory; no number of theirs is compared). Here sixteen people are shown at five distances from the average face to
neurons that each prefer one of them, and two accounts are tested, each beside the same drive without inhibition:

- feed-forward: ``nr.LateSuppression``. All faces drive all neurons nearly alike at first; inhibition that comes later
  takes away what a face lacks in activity.
- recurrent: ``nr.Recurrent``. All faces drive all neurons by as much as a prototype does and half as much again by what
  they are (chosen); a pool of each presentation inhibits all its neurons alike, by their mean rate.

The slope is that of a neuron's firing rate against the distance of its own person, in Hz from the average to the
person; relative, divided by the neuron's mean rate in the same window. Intervals are from resampling neurons, the null
from shuffling each neuron's distances.

What agrees. By feed-forward inhibition the slope is near zero early and large later, and the average face falls from
the rate of everybody to that at rest. Without inhibition the slope does not change between the windows.

What does not. Even inhibition suppresses the average face, and the relative slope grows with it, but it takes from all
neurons alike: it cannot make the slope in Hz larger, and makes it smaller where rates come near zero. That claim fails.
The feed-forward account is told the activity at which to inhibit; it describes the suppression and does not derive it.

Last, latency: with ``slowing`` weak responses begin later, by as much as the equation says, to within 3 ms of noise.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter1d

import nrsim as nr

LEVELS = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
WINDOWS = {"early": (0.10, 0.14), "late": (0.20, 0.40)}  # s; chosen: the first response, and well after it
TRIALS, DRAWS = 60, 2000
SLOWING, SLOWING_ACTIVITY = 0.04, 0.5
DISTANCE = "distance from the average face (1: the person)"

faces = nr.load_stimuli("leopold2006_identities", people=16, levels=LEVELS.tolist(), fractions=[0.5], size=96)
faces = faces.isel(stimulus=faces["trajectory"].values != "tangential")
pool = nr.PooledEnergy(size=16, log=True)
seen = nr.V1Bank(frequencies=[1, 2, 4], normalise="divisive").transform(faces, pool=pool)
features = pool.fit(seen).transform(seen)
encoder = nr.NormEncoder("projection").fit(
    features, prototypes={"identity_level": 1.0}, norms={"identity_level": 0.0}, prefers_by="identity"
)
code = encoder.transform(features)

# Each neuron's own person at every level: (neuron, level) numbers of stimuli.
level, person = code["identity_level"].values, code["identity"].values
own = np.array(
    [
        [np.flatnonzero((level == at) & ((person == prefers) | (at == 0.0)))[0] for at in LEVELS]
        for prefers in code["prefers"].values
    ]
)
neurons = np.arange(len(own))


def shared(early):
    """Return the code of a drive that all faces share, and a part of which tells them apart."""
    return code.assign(activity=(code["activity"].dims, 1.0 + early * code["activity"].values, {"units": "1"}))


def tuning(recording, window):
    """Return the firing rate (neuron, level) in a window."""
    start, end = WINDOWS[window]
    inside = (recording["time_bin_start"].values >= start - 1e-9) & (recording["time_bin_end"].values <= end + 1e-9)
    rate = recording["spike_count"].values[..., inside].sum(axis=-1).mean(axis=1) / (end - start)
    return rate[own, neurons[:, None]]


def slopes(rates, at=LEVELS):
    """Return the slope of each neuron, Hz, from rates (neuron, level) at levels (level) or (neuron, level)."""
    away = at - at.mean(axis=-1, keepdims=True)
    return (away * rates).sum(axis=1) / (away**2).sum(axis=-1)


# %%
# Four simulations: the two accounts, and the drive of each without its inhibition.
shown = {"duration": 0.4, "after": 0.05}
runs = {
    "feed-forward": (nr.present(code, suppression=nr.LateSuppression(), **shown), nr.AdaptiveLIF()),
    "its drive alone": (nr.present(shared(nr.LateSuppression().early), **shown), nr.AdaptiveLIF()),
    "recurrent": (nr.present(shared(0.5), **shown), nr.Recurrent(nr.AdaptiveLIF(), inhibition=0.01)),
    "its drive alone ": (nr.present(shared(0.5), **shown), nr.AdaptiveLIF()),
}
recordings = {name: nr.simulate(drive, model, trials=TRIALS, seed=2021) for name, (drive, model) in runs.items()}
draws = np.random.default_rng(2021)
again = draws.integers(0, len(neurons), size=(DRAWS, len(neurons)))
shuffled = draws.permuted(np.broadcast_to(LEVELS, (DRAWS, *own.shape)), axis=-1)

measured = {}
for name, recording in recordings.items():
    rates = {window: tuning(recording, window) for window in WINDOWS}
    found = {window: slopes(rates[window]) for window in WINDOWS}
    relative = {window: found[window] / rates[window].mean(axis=1) for window in WINDOWS}
    null = {window: [slopes(rates[window], at).mean() for at in shuffled] for window in WINDOWS}
    measured[name] = {
        "rates": rates,
        "slope": {window: found[window].mean() for window in WINDOWS},
        "interval": {window: np.percentile(found[window][again].mean(axis=1), [2.5, 97.5]) for window in WINDOWS},
        "null": {window: np.percentile(null[window], [2.5, 97.5]) for window in WINDOWS},
        "contrast": (found["late"] - found["early"]).mean(),
        "contrast_interval": np.percentile((found["late"] - found["early"])[again].mean(axis=1), [2.5, 97.5]),
        "relative_contrast": (relative["late"] - relative["early"]).mean(),
        "relative_interval": np.percentile((relative["late"] - relative["early"])[again].mean(axis=1), [2.5, 97.5]),
        "average": {window: rates[window][:, 0].mean() for window in WINDOWS},
    }
    one = measured[name]
    print(f"{name.strip():16s} contrast {one['contrast']:6.2f} Hz, 95 % {one['contrast_interval'].round(2)}; relative")
    print(f"{'':16s} {one['relative_contrast']:6.3f}, 95 % {one['relative_interval'].round(3)}; average face ", end="")
    print({window: round(float(rate), 1) for window, rate in one["average"].items()}, end="; slopes ")
    print({window: (one["slope"][window].round(2), one["null"][window].round(2)) for window in WINDOWS})

# %%
# Latency from the spikes: the half-rise of the mean response to each level of the own person.


def half_rise(recording):
    """Return when the mean rate is first half-way from rest to its peak, at each level above 0, in s."""
    counts = recording["spike_count"].values.mean(axis=1, dtype=np.float64)  # (stimulus, neuron, time)
    time = recording["time"].values
    found = []
    for k in range(1, len(LEVELS)):
        rate = gaussian_filter1d(counts[own[:, k], neurons].mean(axis=0), 5)
        rest, peak = rate[time < 0.05].mean(), rate[(time > 0.08) & (time < 0.25)].max()
        after = np.flatnonzero((rate >= (rest + peak) / 2) & (time > 0.05))[0]
        low, high = rate[after - 1], rate[after]
        found.append(time[after - 1] + ((rest + peak) / 2 - low) / (high - low) * (time[after] - time[after - 1]))
    return np.array(found)


latency = {}
for name, slowing in (("δ = 0", 0.0), (f"δ = {1e3 * SLOWING:g} ms", SLOWING)):
    drive = nr.present(code, duration=0.3, after=0.0, slowing=slowing, slowing_activity=SLOWING_ACTIVITY)
    latency[name] = half_rise(nr.simulate(drive, nr.AdaptiveLIF(), trials=400, seed=2021, bin=0.001))
later = latency[f"δ = {1e3 * SLOWING:g} ms"] - latency["δ = 0"]
activity = code["activity"].values[own[:, 1:], neurons[:, None]]
expected = (SLOWING / (1.0 + activity / SLOWING_ACTIVITY)).mean(axis=0)
print("later by", (1e3 * later).round(1), "ms; by the equation", (1e3 * expected).round(1), "ms")

# %%
figure, axes = plt.subplots(2, 3, figsize=(14, 7.5), layout="constrained")
colours = nr.plot.style.PALETTE
for ax, names in zip(axes[0, :2], (list(runs)[:2], list(runs)[2:]), strict=True):
    for name, style in zip(names, ("-", ":"), strict=True):
        recording = recordings[name]
        rate = recording["spike_count"].values.mean(axis=1) / 0.01
        time = recording["time"].values
        for k, colour in ((0, "0.5"), (4, colours[1])):
            curve = rate[own[:, k], neurons].mean(axis=0)
            who = "average face" if k == 0 else "own person"
            ax.plot(1e3 * time, curve, style, color=colour, label=f"{who}, {name.strip()}")
    for start, end in WINDOWS.values():
        ax.axvspan(1e3 * start, 1e3 * end, color="0.93", zorder=-1)
    ax.set(xlabel="time (ms)", ylabel="firing rate (Hz)", ylim=(0, 56), title=names[0])
    ax.legend(frameon=False, fontsize=8, loc="upper left")
for ax, name in zip(axes[1, :2], ("feed-forward", "recurrent"), strict=True):
    for window, colour in zip(WINDOWS, (colours[0], colours[1]), strict=True):
        rates = measured[name]["rates"][window]
        error = rates.std(axis=0, ddof=1) / np.sqrt(len(neurons))
        ax.errorbar(LEVELS, rates.mean(axis=0), error, marker="o", color=colour, label=window)
    ax.set(xlabel=DISTANCE, ylabel="firing rate (Hz)", ylim=(0, None), title=name)
    ax.legend(frameon=False)

places = np.arange(len(runs))
for shift, window, colour in ((-0.15, "early", colours[0]), (0.15, "late", colours[1])):
    mean = np.array([one["slope"][window] for one in measured.values()])
    ends = np.array([one["interval"][window] for one in measured.values()]).T
    null = np.array([one["null"][window] for one in measured.values()]).T
    axes[0, 2].bar(places + shift, null[1] - null[0], 0.25, null[0], color="0.85", label="_")
    axes[0, 2].errorbar(places + shift, mean, np.abs(ends - mean), fmt="o", capsize=3, color=colour, label=window)
axes[0, 2].axhline(0, color="0.4", linewidth=0.8)
labels = ["feed-forward", "its drive\nalone", "recurrent", "its drive\nalone"]
axes[0, 2].set_xticks(places, labels)
axes[0, 2].set(
    ylabel="slope (Hz from the average to the person)", title="95 %: neurons; grey: shuffled", ylim=(-6, None)
)
axes[0, 2].legend(frameon=False)

for (name, values), colour in zip(latency.items(), ("0.5", colours[1]), strict=True):
    axes[1, 2].plot(LEVELS[1:], 1e3 * values, "o", color=colour, label=f"spikes, {name}")
axes[1, 2].plot(
    LEVELS[1:], 1e3 * (latency["δ = 0"] + expected), color=colours[1], label="δ = 0, and δ/(1 + a/a½) later"
)
axes[1, 2].set(xlabel=DISTANCE, ylabel="half-rise (ms)", title="latency")
axes[1, 2].legend(frameon=False)
for ax in axes.flat:
    nr.plot.style.tidy(ax)
figure.savefig("koyano2021_suppression.png", dpi=150)

# %%
forward, recurrent = measured["feed-forward"], measured["recurrent"]
nr.check_claim("suppression_early_slope", float(forward["slope"]["early"]))
nr.check_claim("suppression_late_slope", float(forward["interval"]["late"][0] - forward["null"]["late"][1]))
nr.check_claim("suppression_contrast", float(forward["contrast"]))
nr.check_claim("suppression_contrast_without", float(measured["its drive alone"]["contrast"]))
nr.check_claim("suppression_average", float(forward["average"]["late"] / forward["average"]["early"]))
nr.check_claim("suppression_recurrent_average", float(recurrent["average"]["late"] / recurrent["average"]["early"]))
nr.check_claim("suppression_recurrent_relative", float(recurrent["relative_interval"][0]))
nr.check_claim("suppression_recurrent_contrast", float(recurrent["contrast"]))
nr.check_claim("suppression_recurrent_without", float(measured["its drive alone "]["contrast"]))
nr.check_claim("latency_by_strength", float(np.abs(later - expected).max()))
