"""Features aligned between heads in one call are those of the steps one by one."""

import numpy as np
import pytest

import nrsim as nr

EXPRESSIONS = ("happy", "surprised")


@pytest.fixture(scope="module")
def faces():
    rows = []
    for head, domain, place in (
        ("learned", "human", {}),
        ("other", "cartoon", {"scale": 0.8, "x": 0.3, "y": -0.25}),
    ):
        of = {"domain": domain, "labels": {"head": head}, **place}
        rows.append({**of, "intensity": 0.0, "stimulus_id": f"{head} neutral"})
        for name in EXPRESSIONS:
            for level in (0.5, 1.0):
                rows.append({**of, "expression": name, "intensity": level, "stimulus_id": f"{head} {name} {level}"})
    return nr.render_faces(rows, size=96)


BOTH = ["energy", "displacement"]
SETTINGS = {"norm_by": "head", "size": 10, "bank": nr.V1Bank([1, 2, 4])}


def test_one_call_is_the_steps_one_by_one(faces):
    both = nr.aligned_features(faces, "learned", cues=BOTH, **SETTINGS)
    nr.schema.check(both, "Features")
    grid = nr.FaceGrid(faces, "learned", norm_by="head", size=10)
    pool, moved = nr.PooledEnergy(places=grid, log=True), nr.PhaseDisplacement(places=grid)
    seen = nr.V1Bank([1, 2, 4]).transform(faces, pool=pool)
    phases = nr.V1Bank([0.5, 1, 2, 4]).responses(faces, pool=moved)
    joined = nr.join_features(
        [pool.fit(seen.isel(stimulus=[0, 2, 4])).transform(seen), moved.fit(phases).transform(phases)],
        equal={"head": "learned", "intensity": 1.0},
        norm_by="head",
        names=["energy", "displacement"],
    )
    assert (both["value"].values == joined["value"].values).all()
    assert both["feature_id"].values.tolist() == joined["feature_id"].values.tolist()
    one = nr.aligned_features(faces, "learned", cues="displacement", **SETTINGS)
    picked = both.isel(feature=both["cue"].values == "displacement")
    assert one["value"].values == pytest.approx(picked["value"].values)
    assert set(one["cue"].values) == {"displacement"}
    assert set(nr.aligned_features(faces, "learned", **SETTINGS)["cue"].values) == {"energy"}


def test_a_face_looks_the_same_in_any_company(faces):
    whole = nr.aligned_features(faces, "learned", cues=BOTH, **SETTINGS)
    few = nr.aligned_features(faces.isel(stimulus=[7, 5, 4, 2, 0]), "learned", cues=BOTH, **SETTINGS)
    assert (few["value"].values == whole["value"].values[[7, 5, 4, 2, 0]]).all()


def test_found_points_do_as_known_ones_and_better_than_none(faces):
    known, found, none = (
        nr.aligned_features(faces, "learned", landmarks=how, cues=BOTH, **SETTINGS) for how in (None, "find", "none")
    )

    def alike(features):
        value = features["value"].values
        away = {head: value[(faces["head"] == head).values] for head in ("learned", "other")}
        away = {head: (each[1:] - each[0]).ravel() for head, each in away.items()}
        return np.corrcoef(away["learned"], away["other"])[0, 1]

    assert alike(known) > alike(none) + 0.1
    assert alike(found) > alike(none) + 0.1
    result = nr.cross_domain_accuracy(found, "learned", norm_by="head")
    assert float(result["accuracy_transfer"]) == 1.0


def test_only_the_reference_has_to_be_marked(faces):
    marks = faces["landmark"].where(faces["head"] == "learned")
    only = faces.assign_coords(landmark=(marks.dims, marks.values, {"units": "px"}))
    found = nr.aligned_features(only, "learned", landmarks="find", **SETTINGS)
    again = nr.aligned_features(faces, "learned", landmarks="find", **SETTINGS)
    assert (found["value"].values == again["value"].values).all()
    with pytest.raises(ValueError, match="no points on 'other neutral', the norm of 'other'. Mark them too, or have"):
        nr.aligned_features(only, "learned", **SETTINGS)


def test_errors_say_what_was_needed(faces):
    with pytest.raises(ValueError, match="nearest: 'displacement'"):
        nr.aligned_features(faces, "learned", cues=["displacements"], **SETTINGS)
    with pytest.raises(ValueError, match="one cue or more"):
        nr.aligned_features(faces, "learned", cues=[], **SETTINGS)
    with pytest.raises(ValueError, match="nearest: 'find'"):
        nr.aligned_features(faces, "learned", landmarks="finds", **SETTINGS)
    for how in (None, "find", "none"):
        with pytest.raises(ValueError, match="'learnt'"):
            nr.aligned_features(faces, "learnt", landmarks=how, **SETTINGS)
    with pytest.raises(ValueError, match="unknown label"):
        nr.aligned_features(faces, "learned", norm_by="hed")
    bare = faces.drop_dims("point")
    with pytest.raises(ValueError, match="landmarks on the norm of 'learned'"):
        nr.aligned_features(bare, "learned", landmarks="find", **SETTINGS)
    with pytest.raises(ValueError, match="faces with landmarks"):
        nr.aligned_features(bare, "learned", **SETTINGS)
    assert nr.aligned_features(bare, "learned", landmarks="none", **SETTINGS).sizes["stimulus"] == 10
    rows = [{"domain": "human", "expression": "happy", "intensity": 1.0, "course": "ramp"}]
    moving = nr.render_faces(rows, size=64, frames=2, frame_rate=10.0)
    with pytest.raises(ValueError, match="still faces"):
        nr.aligned_features(moving, "human")
