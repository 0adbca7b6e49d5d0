"""Are moving expressions recognised, forwards and backwards, with their strength, and on heads never seen?

Stettler, Taubert, Azizpour, Siebert, Spadacenta, Dicke, Thier & Giese (2020) read moving faces out of norm-referenced
neurons with differentiators and neurons that compete. On a monkey avatar, learned on itself, normal and reversed
expressions were recognised, and activity grew almost linearly with the strength of the expression. Here six expressions
are learned from stills of the human head, one at intensity 1 each, and shown moving on three heads at four strengths,
forwards and backwards. Their videos are not public; the movement is that of the recipe, and a step of the circuit is a
sixtieth of a second (chosen: theirs is a frame, of unstated length).
"""

import matplotlib.pyplot as plt
import numpy as np

import nrsim as nr

HEADS = ["human", "macaque", "cartoon"]
SHOWN = ["happy", "sad", "angry", "fearful", "disgusted", "surprised"]

stills = nr.load_stimuli("expressions", domains=HEADS, expressions=SHOWN, intensities=[0.0, 1.0], size=96)
faces = nr.load_stimuli("stettler2020_moving", domains=HEADS, expressions=SHOWN, size=96)
bank, pool = nr.V1Bank(frequencies=[1, 2, 4, 8], normalise="divisive"), nr.PooledEnergy(size=16, log=True)
learned = bank.transform(stills, pool=pool)
moving = pool.fit(learned).transform(bank.transform(faces, pool=pool))

encoder = nr.NormEncoder(scale="none").fit(
    pool.transform(learned), prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0}
)
code = encoder.transform(moving)

# %%
# The circuit, and the same movements backwards: the neurons have no memory, so their activity runs backwards too.
said = nr.read_out_over_time(code, step=1 / 60)
turned = code["activity"].isel(frame=slice(None, None, -1)).values
backwards = code.assign(activity=(code["activity"].dims, turned, {"units": "1"}))
reversed_ = nr.read_out_over_time(backwards, step=1 / 60)
scores, scores_reversed = nr.score_read_out(said), nr.score_read_out(reversed_)

axes = nr.plot.readout_over_time(said, stimuli=[f"{head}-fearful-+1.00-expression" for head in HEADS])
axes[0, 0].figure.savefig("stettler2020_moving.png", dpi=150)

# %%
# Strength: the peak of the neuron that prefers what is shown, and of its decision neuron.
strengths = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
peaks = {stage: np.zeros((len(HEADS), len(SHOWN), 5)) for stage in ("activity", "D")}
for i, head in enumerate(HEADS):
    for j, expression in enumerate(SHOWN):
        own = (said["domain"] == head) & said["expression"].isin([expression, "neutral"])
        one = said.isel(stimulus=own.values, neuron=(said["prefers"] == expression).values).sortby("intensity")
        for stage, values in peaks.items():
            values[i, j] = one[stage].max("frame").values[:, 0]

figure, panels = plt.subplots(2, 3, figsize=(9, 5), sharex=True, sharey="row", layout="constrained")
for (stage, values), row in zip(peaks.items(), panels, strict=True):
    for head, curves, ax in zip(HEADS, values, row, strict=True):
        for expression, curve in zip(SHOWN, curves, strict=True):
            ax.plot(strengths, curve, marker="o", label=expression)
        ax.set_title(head)
    row[0].set_ylabel("peak of s" if stage == "activity" else "peak of D")
for ax in panels[-1]:
    ax.set_xlabel("intensity of the movement")
figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside right upper", frameon=False)
figure.savefig("stettler2020_strength.png", dpi=150)


def least_correlation(values):
    """Return the least Pearson correlation with the strength over expressions."""
    return min(float(np.corrcoef(strengths, curve)[0, 1]) for curve in values)


nr.check_claim("moving_recognised", float(scores["forced_accuracy"].sel(domain="human")))
nr.check_claim("moving_reversed", float(scores_reversed["forced_accuracy"].sel(domain="human")))
nr.check_claim("moving_strength", least_correlation(peaks["activity"][0]))
nr.check_claim("moving_strength_decision", least_correlation(peaks["D"][0]))
for head in HEADS[1:]:
    nr.check_claim(f"moving_{head}", float(scores["forced_accuracy"].sel(domain=head)))
    nr.check_claim(f"moving_{head}_strength", least_correlation(peaks["activity"][HEADS.index(head)]))
    nr.check_claim(f"moving_{head}_intensity", float(scores["read_intensity"].sel(domain=head, intensity=1.0)))
print(scores["recognised"].to_pandas().round(2))
