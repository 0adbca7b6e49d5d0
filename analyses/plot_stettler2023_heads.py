"""Are expressions learned on one head recognised, with their strength, on heads never seen?

Stettler, Lappe, Taubert & Giese (2023) recognise expressions on human, monkey and cartoon heads from one neutral
image per head and one expressive image per expression, through landmarks found by trained detectors. Here nothing is
trained: the features are pooled V1 energy, and the heads are framed by the height of their eyes and not aligned
further. The published accuracy is theirs, on other images.
"""

import matplotlib.pyplot as plt

import nrsim as nr

faces = nr.load_stimuli("expressions")
pool = nr.PooledEnergy(size=16, log=True)
seen = nr.V1Bank(frequencies=[1, 2, 4, 8], normalise="divisive").transform(faces, pool=pool)
features = pool.fit(seen).transform(seen)

# %%
# Every head as the source once; the others contribute one neutral image each.
figure, axes = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
accuracy = {}
for ax, source in zip(axes, ("human", "macaque", "cartoon"), strict=True):
    result = nr.cross_domain_accuracy(features, source=source)
    accuracy[source] = float(result["accuracy"].mean())
    for head in result["domain"].values:
        share = result["accuracy_by_intensity"].sel(domain=head)
        ax.plot(share["intensity"], share, marker="o", label=str(head))
    ax.axhline(result.attrs["chance"], color="0.6", linestyle=":", label="chance")
    ax.set(title=f"learned on {source}", xlabel="intensity", ylim=(0, 1))
    ax.legend(frameon=False)
axes[0].set_ylabel("accuracy")
figure.savefig("stettler2023_heads.png", dpi=150)

one_norm = nr.cross_domain_accuracy(features, source="human", encoder=nr.AxisEncoder())
nr.check_claim("chance_level", result.attrs["chance"])
nr.check_claim("transfer_from_human", accuracy["human"])
nr.check_claim("transfer_from_macaque", accuracy["macaque"])
nr.check_claim("transfer_from_cartoon", accuracy["cartoon"])
nr.check_claim("norm_for_each_head", accuracy["human"] - float(one_norm["accuracy"].mean()))
