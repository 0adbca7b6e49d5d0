import numpy as np
import pytest

import nrsim as nr
from nrsim.comparison.scoring import wilson as _wilson


def test_perfect_where_directions_transfer_and_the_source_is_left_out():
    result = nr.cross_domain_accuracy(nr.example("Features"), source="human")
    assert list(result["domain"].values) == ["macaque"]
    assert result["accuracy"].item() == 1
    assert result["n_stimuli"].item() == 4  # two expressions at the two intensities above 0
    assert result["confusion"].sum().item() == 4
    assert result.attrs["chance"] == 0.5


def test_wrong_where_the_other_head_has_the_directions_exchanged():
    features = nr.example("Features")
    swap = {"happy": "angry", "angry": "happy", "neutral": "neutral"}
    turned = [
        swap[str(e)] if d == "macaque" else str(e)
        for d, e in zip(features["domain"].values, features["expression"].values, strict=True)
    ]
    result = nr.cross_domain_accuracy(features.assign_coords(expression=("stimulus", turned)), source="human")
    assert result["accuracy"].item() == 0
    assert (result["accuracy_by_intensity"] == 0).all()


def test_one_norm_for_all_is_worse_than_a_norm_each():
    features = nr.example("Features")
    happy = nr.NormEncoder().fit(features, prototypes={"domain": "human", "intensity": 1.0}, norms={"intensity": 0.0})
    shift = np.where(features["domain"].values == "macaque", 1.0, 0.0)[:, None] * 5 * happy.directions_[1]
    moved = features.assign(value=features["value"] + shift)  # the macaque's head looks angry, by its shape alone
    moved["value"].attrs["units"] = "1"
    assert nr.cross_domain_accuracy(moved, source="human")["accuracy"].item() == 1
    one_norm = nr.cross_domain_accuracy(moved, source="human", encoder=nr.AxisEncoder())
    assert one_norm["accuracy"].item() <= 0.5


def test_wilson_interval_against_a_known_case():
    low, high = _wilson(np.array([0.5]), np.array([20]))
    assert (low[0], high[0]) == (pytest.approx(0.2993, abs=1e-4), pytest.approx(0.7007, abs=1e-4))


def test_errors():
    features = nr.example("Features")
    with pytest.raises(ValueError, match="no stimuli of the source.*'human', 'macaque'"):
        nr.cross_domain_accuracy(features, source="robot")
    with pytest.raises(ValueError, match="in other domains than 'human'"):
        nr.cross_domain_accuracy(features.isel(stimulus=(features["domain"] == "human").values), source="human")


def test_general_and_projection_rules_recognise_alike_in_feature_units():
    features = nr.example("Features")
    stretch = np.where(features["expression"].values == "angry", 3.0, 1.0)[:, None]  # prototypes of unequal length
    norm = features["value"].values[(features["norm_id"].values[:, None] == features["stimulus_id"].values).argmax(1)]
    uneven = features.assign(
        value=(("stimulus", "feature"), norm + stretch * (features["value"].values - norm), {"units": "1"})
    )
    general, projection = (
        nr.cross_domain_accuracy(uneven, source="human", encoder=nr.NormEncoder(rule, scale="none"))
        for rule in ("general", "projection")
    )
    assert (general["confusion"].values == projection["confusion"].values).all()
    assert (
        nr.cross_domain_accuracy(uneven, source="human")["confusion"].values.tolist()
        == general["confusion"].values.tolist()
    )
