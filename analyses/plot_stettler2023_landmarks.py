"""Do ten landmarks of rendered heads carry expression and intensity to heads never seen, with a norm for each?

Stettler, Lappe, Taubert & Giese (2023) recognise expressions from four landmarks on the brows, four on the mouth and
two on the lower lids. Here they are those of rendered heads, known exactly, so that what is tested is the coding and
not its detection: six prototypes on one head, one neutral face on each, everything else tested at five intensities.
The control gives all heads the norm of the learned one. The published numbers are theirs, on other images.
"""

import nrsim as nr

heads = nr.load_stimuli("expressions", size=16, landmarks="stettler")
features = nr.landmark_features(heads)

# %%
# Every head as the source once.
accuracy, on_source, on_others, one_norm = [], [], [], []
for source in ("human", "macaque", "cartoon"):
    result = nr.cross_domain_accuracy(features, source, neutral=True)
    shared = nr.cross_domain_accuracy(features, source, one_norm=True)
    accuracy.append(float(result["accuracy_transfer"]))
    one_norm.append(float(shared["accuracy_transfer"]))
    error = result["readout_rmse"].sel(read_from="own")
    on_source.append(float(error.sel(test_domain=source)))
    on_others.append(float(error.drop_sel(test_domain=source).max()))
    axes = nr.plot.cross_domain(result)
    axes[0, 0].figure.savefig(f"stettler2023_landmarks_{source}.png", dpi=150)

nr.check_claim("landmark_transfer", min(accuracy))
nr.check_claim("landmark_one_norm", max(one_norm))
nr.check_claim("landmark_readout_source", max(on_source))
nr.check_claim("landmark_readout_others", max(on_others))
