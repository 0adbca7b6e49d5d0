"""Do norm-referenced neurons ramp with the intensity of the expression they prefer?

Giese & Leopold (2005) propose that face neurons encode the difference of a face from the norm, so that firing grows
with the distance from the norm along the preferred direction. Leopold, Bondar & Giese (2006) found anterior inferior
temporal neurons that rise with identity level. Here: expressions on three heads, learned on the human one; spikes from
Brian2; the slope along the preferred expression against the others, beside neurons with shuffled directions.
"""

import matplotlib.pyplot as plt

import nrsim as nr

results = nr.run_study()
slopes = results["slopes"]

# %%
# What counts is the preferred minus the other slope: ½(‖d‖ + n·d) rises along every expression.
nr.plot.slopes(slopes)
plt.savefig("gieseleopold2005_ramps.png", dpi=150, bbox_inches="tight")

norm = slopes.isel(neuron=(slopes["encoder"] == "norm").values)
null = slopes.isel(neuron=(slopes["encoder"] == "norm-shuffled").values)
human = norm.sel(domain="human")
above = float(null["slope_difference"].sel(domain="human").quantile(0.975))

nr.check_claim("human_spearman", float(human["rho"].min()))
nr.check_claim("human_preferred_slopes", float((human["slope_difference"] > above).mean()))
for head in ("macaque", "cartoon"):
    limit = float(null["slope_difference"].sel(domain=head).quantile(0.975))
    share = float((norm["slope_difference"].sel(domain=head) > limit).mean())
    nr.check_claim(f"{head}_preferred_slopes", share)

print(nr.summarise_slopes(slopes).groupby(["encoder", "domain"], sort=False)[["rho", "slope_difference"]].mean())
