import numpy as np
import pytest

import nrsim as nr


def test_counts_and_spikes_stay_together():
    recording = nr.example("Recording")
    part = nr.select(recording, domain="human", encoder="norm", prefers="angry", trial=lambda t: t % 2 == 0)
    assert nr.schema.check(part, "Recording") is part
    assert dict(part.sizes)["trial"] == 4
    assert set(part["domain"].values) == {"human"}
    assert part.sizes["spike"] == int(part["spike_count"].sum())
    for i in range(part.sizes["stimulus"]):
        for j in range(part.sizes["trial"]):
            mine = (part["spike_stimulus"] == part["stimulus"][i]) & (part["spike_trial"] == part["trial"][j])
            assert int(mine.sum()) == int(part["spike_count"][i, j].sum())


def test_choosing_everything_changes_nothing_but_the_history():
    recording = nr.example("Recording")
    whole = nr.select(recording, domain=["macaque", "human"])
    assert whole.drop_attrs().identical(recording.drop_attrs())
    assert whole.attrs["stimulus_duration"] == recording.attrs["stimulus_duration"]
    assert whole.attrs["history"].splitlines()[-1].startswith("select")


def test_two_steps_are_one():
    recording = nr.example("Recording")
    once = nr.select(recording, domain="human", intensity=[0.5, 1.0])
    twice = nr.select(nr.select(recording, domain="human"), intensity=lambda x: x > 0)
    assert once.drop_attrs().drop_vars("norm_id").identical(twice.drop_attrs().drop_vars("norm_id"))


def test_a_norm_left_out_is_named_no_more():
    without = nr.select(nr.example("Recording"), expression="happy")
    assert set(without["norm_id"].values) == {""}
    with_norm = nr.select(nr.example("Recording"), expression=["happy", "neutral"])
    assert set(with_norm["norm_id"].values) == {"human-neutral-+0.00", "macaque-neutral-+0.00"}
    curves = nr.tuning_curves(with_norm, window=(0.1, 0.4))
    assert np.isfinite(curves["firing_rate"].sel(intensity=0.0)).all()


@pytest.mark.parametrize("noun", ["StimulusSet", "Features", "FaceCode", "TuningCurves", "Drive", "V1Response"])
def test_other_nouns(noun):
    part = nr.select(nr.example(noun), domain="human")
    nr.schema.check(part, noun)
    assert set(part["domain"].values) == {"human"}


def test_what_does_not_exist_is_named():
    recording = nr.example("Recording")
    with pytest.raises(ValueError, match="unknown label of this Recording 'domian'; nearest: 'domain'"):
        nr.select(recording, domian="human")
    with pytest.raises(ValueError, match="unknown value of domain 'humna'; nearest: 'human'"):
        nr.select(recording, domain="humna")
    with pytest.raises(ValueError, match=r"at least one stimulus; got expression='?neutral'?, intensity=1"):
        nr.select(recording, expression="neutral", intensity=1.0)
    with pytest.raises(ValueError, match="unknown value of intensity 0.7"):
        nr.select(recording, intensity=0.7)
    with pytest.raises(TypeError, match="a number for intensity"):
        nr.select(recording, intensity="strong")
    with pytest.raises(TypeError, match="True or False"):
        nr.select(recording, intensity=lambda x: x)
    with pytest.raises(ValueError, match="Pass a window instead"):
        nr.select(recording, time=lambda t: t > 0)
    with pytest.raises(TypeError, match="got int"):
        nr.select(3, domain="human")
