"""Recipes of faces: what generators make of their parameters, the sets that come with nrsim, the command line."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nrsim as nr
from nrsim import cli, provenance, recipes
from nrsim.faces.expressions import BASIC, MACAQUE, expression_weights
from nrsim.faces.head import template
from nrsim.faces.painter import Painter

GENERATORS = {
    "faces": {"domains": ["human"], "expressions": ["happy"]},
    "identities": {"people": 2, "levels": [0.0, 1.0]},
    "motion_space": {
        "corners": [["angry", "fearful"], ["threat", "fear_grimace"]],
        "steps": [0.0, 1.0],
        "domains": ["human"],
        "frames": 2,
    },
    "head_shapes": {
        "ends": ["human", "macaque"],
        "fractions": [0.0, 0.5],
        "expressions": ["happy"],
        "intensities": [0.0, 1.0],
    },
}
NO_LIST = "a list with at least one entry; got "
WRONG = {
    "faces": [
        ("domains", "human", NO_LIST + "'human'"),
        ("domains", [], NO_LIST),
        ("domains", ["humn"], "nearest: 'human'"),
        ("domains", ["human", "human"], "domains: every entry once; got 'human' more than once"),
        ("expressions", "happy", NO_LIST),
        ("expressions", [], NO_LIST),
        ("expressions", [3], "unknown expression '3'"),
        ("intensities", 1.0, NO_LIST + "1.0"),
        ("intensities", [], NO_LIST),
        ("intensities", ["strong"], "intensities: needed a number; got 'strong'"),
        ("intensities", [True], "intensities: needed a number; got True"),
        ("intensities", [2.0], "intensity of face 0: needed at most 1.5"),
        ("own_expressions", "smirk", "expressions: name → weights of units; got 'smirk'"),
        ("own_expressions", {"smirk": 1.0}, "expression smirk: weights of units"),
        ("scale", "large", "scale of face 0: needed a number"),
        ("people", -1, "people: needed at least 0; got -1"),
        ("people", True, "people: needed a whole number; got True"),
        ("people", 1.5, "people: needed a whole number"),
        ("people", "anna", "people: a number of random people, or a list of names; got 'anna'"),
        ("people", [], NO_LIST),
        ("people", ["asian_femal"], "nearest: 'asian_female'"),
        ("own_identities", "anna", "identities: name → weights of identity axes; got 'anna'"),
        ("own_identities", {"anna": 3}, "identity anna: weights of identity axes; got 3"),
        ("person_size", 0, "person_size: needed more than 0"),
        ("person_size", "large", "person_size: needed a number"),
        ("seed", "one", "seed.*: needed a whole number; got 'one'"),
        ("seed", 1.5, "seed.*: needed a whole number"),
        ("seed", -1, "seed.*: needed at least 0"),
        ("stretches", [], NO_LIST),
        ("stretches", 1.0, NO_LIST),
        ("stretches", [9.0], "stretch of face 0: needed at most 2"),
        ("views", "up", NO_LIST + "'up'"),
        ("views", [], NO_LIST),
        ("views", ["upp"], "nearest: 'up'"),
        ("lights", "left", NO_LIST),
        ("lights", ["lft"], "nearest: 'left'"),
        ("skins", "dark", NO_LIST),
        ("skins", ["drk"], "nearest: 'dark'"),
        ("heads", ["mine.npz"], "heads: name → file"),
        ("heads", {"mine": 3}, "heads: a file for 'mine'; got 3"),
        ("heads", {"mine": "none.npz"}, "there is no file '.*none.npz'"),
        ("equal_size", 0, "equal_size: needed more than 0"),
        ("course", "rmp", "unknown time course 'rmp'; nearest: 'ramp'"),
        ("course", [], "course of face 0: a name or a number for each frame; got none"),
        ("course", "ramp", "needed frames"),
        ("frames", 1, "frames: needed at least 2"),
        ("frames", "many", "frames: needed a whole number"),
        ("frame_rate", None, "frame_rate: needed a number in Hz"),
        ("size", 1, "size: needed at least 8"),
        ("degrees", 0, "degrees: needed more than 0 degree"),
        ("background", 2, "background: needed at most 1"),
        ("aperture", "ovl", "nearest: 'oval'"),
        ("colour", "no", "colour: True or False; got 'no'"),
        ("landmarks", "stetler", "nearest: 'stettler'"),
    ],
    "identities": [
        ("people", 0, "people: needed at least 1; got 0"),
        ("people", "anna", "people: a number of random people, or a list of names"),
        ("people", ["asian_mle"], "nearest: 'asian_male'"),
        ("levels", [], NO_LIST),
        ("levels", 1.0, NO_LIST),
        ("levels", [1.0, 1.0], "levels: every entry once; got 1.0 more than once"),
        ("levels", [2.0], "identity_level of face 0: needed at most 1.5"),
        ("fractions", 0.5, NO_LIST + "0.5"),
        ("fractions", "half", NO_LIST),
        ("fractions", [1.5], "fractions: needed at most 1"),
        ("own_identities", "anna", "identities: name → weights of identity axes"),
        ("own_identities", {"person-01": {"age": 1.0}}, "names of their own; got 'person-01', which a random one has"),
        ("person_size", 1, "person_size: needed at most 0.3"),
        ("seed", "one", "seed.*: needed a whole number"),
        ("domain", ["human"], r"domain of face 0: a name; got \['human'\]"),
        ("domain", "humn", "nearest: 'human'"),
        ("skin", "drk", "nearest: 'dark'"),
        ("scale", 0, "scale of face 0: needed at least"),
        ("aperture", "ovl", "nearest: 'oval'"),
        ("size", 1, "size: needed at least 8"),
        ("degrees", "4", "degrees: needed a number"),
        ("background", -1, "background: needed at least 0"),
    ],
    "motion_space": [
        ("corners", 3, "corners: .*; got 3"),
        ("corners", "ab", "corners: .*; got 'ab'"),
        ("corners", [["angry"], ["threat"]], "corners: "),
        ("corners", [[1, 2], [3, 4]], "corners: "),
        ("corners", [["angry", "fearfl"], ["threat", "fear_grimace"]], "nearest: 'fearful'"),
        ("steps", 0.5, NO_LIST),
        ("steps", [0.0, 2.0], "steps: needed at most 1"),
        ("steps", [0.5, 0.5], "steps: every entry once"),
        ("domains", "human", NO_LIST),
        ("course", "expresion", "nearest: 'expression'"),
        ("course", [1.0, 2.0], "intensity × course of face 1: needed at most 1.5"),
        ("frames", 1, "frames: needed at least 2"),
        ("frame_rate", 0, "frame_rate: needed more than 0 Hz"),
        ("neutral", "no", "neutral: true or false; got 'no'"),
        ("size", 1, "size: needed at least 8"),
        ("degrees", 0, "degrees: needed more than 0"),
        ("background", 2, "background: needed at most 1"),
    ],
    "head_shapes": [
        ("ends", "human", "ends: two head shapes; got 'human'"),
        ("ends", ["human"], "ends: two head shapes"),
        ("ends", ["human", "human"], "ends: two head shapes"),
        ("ends", ["human", "macque"], "nearest: 'macaque'"),
        ("ends", ["happy", "sad"], "unknown domain .head shape. 'happy'"),
        ("fractions", 0.5, NO_LIST),
        ("fractions", [-0.5], "fractions: needed at least 0"),
        ("expressions", "happy", NO_LIST),
        ("expressions", ["hapy"], "nearest: 'happy'"),
        ("intensities", [], NO_LIST),
        ("intensities", [3.0], "intensity of face 0: needed at most 1.5"),
        ("equal_size", -1, "equal_size: needed more than 0"),
        ("size", 1, "size: needed at least 8"),
        ("degrees", 0, "degrees: needed more than 0"),
        ("background", 2, "background: needed at most 1"),
    ],
}


def recipe(folder, generator, text="", **parameters):
    text = text or ("seed = 1" if "people" in recipes.parameters_of(generator) else "")
    lines = [f'title = "{generator}"', f'generator = "{generator}"', text, "[parameters]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in ({"size": 8} | parameters).items()]
    path = folder / f"{generator}.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("generator", "name", "value", "words"),
    [(generator, *case) for generator, cases in WRONG.items() for case in cases],
)
def test_wrong_parameters(tmp_path, generator, name, value, words):
    path = recipe(tmp_path, generator, **GENERATORS[generator])
    more = {"frames": 2} if name == "frame_rate" else {}
    with pytest.raises((TypeError, ValueError, FileNotFoundError), match=words):
        nr.load_stimuli(path, **(more | {name: value}))


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_parameter_has_its_wrong_values(generator):
    tried = {name for name, _, _ in WRONG[generator]}
    assert tried == set(recipes.parameters_of(generator)) - {"match", "mask", "out_of_range"} | ({"seed"} & tried)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"match": "luminanc"}, "nearest: 'luminance'"),
        ({"match": ["luminance"], "mask": "backgroud"}, "background"),
        ({"match": ["luminance"], "out_of_range": "rescal"}, "nearest: 'rescale'"),
        ({"mask": "background"}, "match beside mask"),
        ({"out_of_range": "clip"}, "match beside out_of_range"),
    ],
)
def test_wrong_matching_of_a_recipe(given, words):
    with pytest.raises((TypeError, ValueError), match=words):
        nr.load_stimuli("siebert2020_strengths", size=16, **given)


def test_a_recipe_is_matched(tmp_path):
    how = {"match": ["luminance", "contrast"], "mask": "background", "out_of_range": "rescale"}
    plain = nr.load_stimuli("siebert2020_strengths", size=32)
    matched = nr.load_stimuli("siebert2020_strengths", size=32, out=tmp_path / "matched.nc", **how)
    spread = [float(nr.measure_images(each, mask="background")["luminance"].std()) for each in (plain, matched)]
    assert spread[1] < 0.02 * spread[0]
    assert matched.attrs["recipe_sha256"] == plain.attrs["recipe_sha256"]
    assert "match_images" in matched.attrs["history"]


@pytest.mark.parametrize("name", [name for name in nr.list_stimuli() if not name.startswith(("freiwald2009", "gra"))])
def test_no_head_is_cut_by_the_border(name):
    made = recipes.read_recipe(recipes.recipe_path(name))
    if made["generator"] not in ("faces", "identities", "head_shapes", "motion_space"):
        return
    moving = {"frames": 2, "course": "hold"} if "frames" in made["parameters"] else {}
    image = nr.load_stimuli(name, size=96, **moving)["image"].values
    image = image.reshape(-1, *image.shape[-2:])
    for edge in (image[:, 0], image[:, :, 0], image[:, :, -1]):  # at the bottom the neck may reach the border
        assert np.abs(edge - 0.5).max() < 0.02


def test_wrong_keys_and_texts_of_recipes(tmp_path):
    path = recipe(tmp_path, "faces", **GENERATORS["faces"])
    with pytest.raises(ValueError, match="unknown parameter in the recipe 'faces.toml' 'sise'; nearest: 'size'"):
        nr.load_stimuli(path, sise=8)
    with pytest.raises(ValueError, match="'base'"):
        nr.load_stimuli(path, base="here")
    for text, words in (
        ("sed = 1", "nearest: 'seed'"),
        ('seed = "one"', "seed of the recipe 'faces.toml': needed a whole number; got 'one'"),
        ("seed = -1", "seed of the recipe 'faces.toml': needed at least 0"),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            nr.load_stimuli(recipe(tmp_path, "faces", text, **GENERATORS["faces"]))
    path.write_text('generator = "faces"\nparameters = 3\n')
    with pytest.raises(TypeError, match="a table .parameters. in the recipe 'faces.toml'; got 3"):
        nr.load_stimuli(path)
    path.write_bytes(b"title = \xff")
    with pytest.raises(ValueError, match="needed a recipe in TOML; 'faces.toml' is not"):
        nr.load_stimuli(path)


def test_intensities_without_expressions(tmp_path):
    with pytest.raises(ValueError, match="expressions beside intensities; got none. Levels of people"):
        nr.load_stimuli(recipe(tmp_path, "faces", domains=["human"], people=2, intensities=[0.5, 1.0]))


def test_parameters_of_a_call_may_be_tuples_and_arrays(tmp_path):
    path = recipe(tmp_path, "faces", **GENERATORS["faces"])
    by_list = nr.load_stimuli(path, intensities=[0.0, 0.5, 1.0], domains=["human", "cartoon"])
    by_array = nr.load_stimuli(path, intensities=np.linspace(0, 1, 3), domains=("human", "cartoon"))
    assert nr.identical(by_list, by_array)


# --- what the generators make ---------------------------------------------------------------------------------------


def test_graded_faces_are_all_combinations(tmp_path):
    faces = nr.load_stimuli(
        recipe(tmp_path, "faces", "seed = 3"),
        domains=["human", "cartoon"],
        expressions=["happy", "sad", "neutral"],
        intensities=[0.0, 0.5, 1.0],
        people=2,
        stretches=[0.9, 1.0],
        views=["frontal", "up"],
        lights=["standard", "left"],
        skins=["", "dark"],
    )
    assert faces.sizes["stimulus"] == 2 * 2 * 2 * 2 * 2 * 2 * (1 + 2 * 2)
    assert len(set(faces["image_sha256"].values)) == faces.sizes["stimulus"]
    norm = dict(zip(faces["stimulus_id"].values, range(faces.sizes["stimulus"]), strict=True))
    for label in ("domain", "identity", "view", "light", "skin"):
        own = faces[label].values
        assert all(own[norm[name]] == own[i] for i, name in enumerate(faces["norm_id"].values)), label
    assert (faces["norm_distance"].values == 0).sum() == 2**6
    assert faces.attrs["seed"] == 3


@pytest.mark.parametrize("generator", ["faces", "identities"])
def test_the_seed_draws_people_and_is_recorded(tmp_path, generator):
    path = recipe(tmp_path, generator, **GENERATORS[generator])
    for out in (None, tmp_path / "out.nc"):
        drawn = nr.load_stimuli(path, people=2, out=out)
        assert drawn.attrs["seed"] == 1
        other = nr.load_stimuli(path, people=2, seed=2, out=out)
        assert other.attrs["seed"] == 2
        assert not (set(other["image_sha256"].values) & set(drawn["image_sha256"].values[1:]))
    with xr.open_dataset(tmp_path / "out.nc") as file:
        assert file.attrs["seed"] == 2
    path.write_text(path.read_text().replace("seed = 1", ""))
    with pytest.raises(ValueError, match="a seed to draw 2 people; got none. Give the recipe a line seed = 1"):
        nr.load_stimuli(path, people=2)
    assert "seed" not in nr.load_stimuli(path, people=["asian_male", "asian_female"]).attrs


def test_expressions_on_own_heads_of_a_recipe(tmp_path):
    head = template()
    arrays = {
        "neutral": head.vertices,
        "triangles": np.array([[0, 1, 2]]),
        "expr_names": np.array(sorted(head.units)),
        "expr": np.stack([head.units[name].toarray() for name in sorted(head.units)]),
        "part": head.part,
    }
    (tmp_path / "heads").mkdir()
    np.savez(tmp_path / "heads" / "mine.npz", **arrays)
    path = recipe(tmp_path, "faces", domains=["mine"], expressions=["happy"], intensities=[0.0, 1.0])
    faces = nr.load_stimuli(path, heads={"mine": "heads/mine.npz"})  # paths start from the recipe's folder
    assert faces["domain"].values.tolist() == ["mine"] * 2
    assert faces["norm_id"].values.tolist() == ["mine-neutral"] * 2


def test_trajectories_of_identities(tmp_path):
    path = recipe(tmp_path, "identities", people=3, levels=[-1.0, 0.0, 0.5, 1.0], fractions=[0.0, 0.25, 0.5, 1.0])
    faces = nr.load_stimuli(path)
    assert faces.sizes["stimulus"] == 1 + 3 * 3 + 3 * 2
    kind = faces["trajectory"].values
    assert [(kind == name).sum() for name in ("", "radial", "tangential")] == [1, 9, 6]
    assert faces["norm_distance"].values == pytest.approx(0.1 * np.abs(faces["intensity"].values), rel=1e-4)
    assert (faces["norm_id"].values == "human-average").all()
    assert set(faces["norm_kind"].values) == {"average_identity"}
    assert sorted(set(zip(faces["morph_from"].values, faces["morph_to"].values, strict=True)))[1:] == [
        ("person-01", "person-02"),
        ("person-01", "person-03"),
        ("person-02", "person-03"),
    ]


def test_the_motion_space_is_bilinear_between_its_corners(tmp_path):
    corners = GENERATORS["motion_space"]["corners"]
    path = recipe(tmp_path, "motion_space", **GENERATORS["motion_space"])
    faces = nr.load_stimuli(path, steps=[0.0, 0.5, 1.0], domains=["human", "macaque"], course="hold", frames=2)
    assert faces.sizes["stimulus"] == 2 * (1 + 9)
    e, s = faces["expression_fraction"].values, faces["species_fraction"].values
    assert faces["prototypes"].values[1] == "angry/threat to fearful/fear_grimace"
    plain = [
        {"domain": d, "expression": name, "intensity": 1.0}
        for d in ("human", "macaque")
        for row in corners
        for name in row
    ]
    own = {name: expression_weights(name, template()) for row in corners for name in row}
    middle = {
        unit: sum(weights.get(unit, 0.0) for weights in own.values()) / 4 for each in own.values() for unit in each
    }
    plain += [{"domain": d, "expression": "middle", "intensity": 1.0} for d in ("human", "macaque")]
    still = nr.render_faces(plain, size=8, expressions={"middle": middle})["image"].values
    for i, domain in enumerate(("human", "macaque")):
        here = (faces["domain"] == domain).values
        for place, picture in zip([(0, 0), (1, 0), (0, 1), (1, 1)], still[4 * i : 4 * i + 4], strict=True):
            there = here & (e == place[0]) & (s == place[1])
            assert there.sum() == 1
            assert faces["image"].values[there][0, 1] == pytest.approx(picture, abs=1e-6), place
        there = here & (e == 0.5) & (s == 0.5)
        assert faces["image"].values[there][0, 1] == pytest.approx(still[8 + i], abs=1e-6)
        assert set(faces["norm_id"].values[here]) == {f"{domain}-neutral"}
    without = nr.load_stimuli(path, neutral=False)
    assert set(without["norm_id"].values) == {""}


def test_heads_between_two_have_their_own_norms(tmp_path):
    path = recipe(tmp_path, "head_shapes", **GENERATORS["head_shapes"])
    faces = nr.load_stimuli(
        path, fractions=[0.0, 0.5, 1.0], expressions=["happy", "neutral"], intensities=[0.0, 0.5, 1.0]
    )
    assert faces["domain"].values.tolist() == ["human"] * 3 + ["human-macaque-0.50"] * 3 + ["macaque"] * 3
    assert faces["norm_id"].values.tolist() == np.repeat(faces["stimulus_id"].values[::3], 3).tolist()
    equal = nr.load_stimuli(path, fractions=[0.0, 0.5, 1.0], equal_size=0.04)
    assert equal["norm_distance"].values[1::2] == pytest.approx(0.04, rel=1e-3)


# --- the sets that come with nrsim ----------------------------------------------------------------------------------

COUNTS = {
    "expressions": 3 * (1 + 6 * 7),
    "freiwald2010_views": 25 * 8,
    "head_shapes": 5 * (1 + 6 * 2),
    "leopold2006_identities": 1 + 4 * 10 + 6 * 3,
    "siebert2020_strengths": 1 + 3 * 4,
    "stettler2020_moving": 1 + 3 * 4,
    "stettler2023_shapes": 105,
    "taubert2021_motion": 2 * (25 + 1),
}


def of_faces():
    found = {}
    for name in recipes.list_stimuli():
        read = recipes.read_recipe(recipes.recipe_path(name))
        if read["generator"] in GENERATORS:
            found[name] = read
    return found


def test_every_set_of_faces_is_counted_below():
    assert set(COUNTS) <= set(of_faces())
    assert all("source" in each and "title" in each for each in of_faces().values())
    assert all(
        each["source"] == "ours" or {"doi", "published", "resolved"} <= set(each) for each in of_faces().values()
    )


@pytest.mark.parametrize("name", COUNTS)
def test_sets_hold_what_they_say(name):
    parameters = {"frames": 3} if "frames" in of_faces()[name]["parameters"] else {}
    faces = nr.load_stimuli(name, size=16, **parameters)
    assert faces.sizes["stimulus"] == COUNTS[name]
    assert len(set(faces["image_sha256"].values)) == faces.sizes["stimulus"]
    zero = faces["intensity"].values == 0
    if zero.any():
        assert (faces["norm_id"].values != "").all()
        assert (faces["norm_distance"].values[zero] == 0).all()
        assert set(faces["norm_id"].values) == set(faces["stimulus_id"].values[zero])
    assert (faces["norm_distance"].values[~zero] > 0).all()
    assert set(faces["expression"].values) - {*BASIC, *MACAQUE, "neutral"} == (
        {f"e{e:.2f}_s{s:.2f}" for e in np.linspace(0, 1, 5) for s in np.linspace(0, 1, 5)}
        if name == "taubert2021_motion"
        else set()
    )


# --- load_stimuli ---------------------------------------------------------------------------------------------------


def test_a_set_on_disk_carries_its_recipe(tmp_path):
    small = {"people": 2, "levels": [0.0, 1.0], "fractions": [0.5], "size": 8}
    inside = nr.load_stimuli("leopold2006_identities", **small)
    outside = nr.load_stimuli("leopold2006_identities", out=tmp_path / "new" / "set.nc", **small)
    assert nr.identical(inside, outside)
    assert not outside["image"].variable._in_memory
    text = recipes.recipe_path("leopold2006_identities").read_text(encoding="utf-8")
    with xr.open_dataset(tmp_path / "new" / "set.nc") as file:
        assert file.attrs["recipe"] == text
        assert file.attrs["recipe_sha256"] == provenance.text_hash(text)
        assert file.attrs["seed"] == 2006
        assert file.attrs["title"].startswith("Four people")
        made = json.loads(file.attrs["parameters"])
        assert made["load_stimuli"] == {"recipe": "leopold2006_identities", "changed": small}
        assert made["render_faces"]["faces"] == 4
        assert [line.split()[0] for line in file.attrs["history"].splitlines()] == ["render_faces", "load_stimuli"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["set.nc"]
    again = nr.load_stimuli("leopold2006_identities", out=tmp_path / "new" / "set.nc", **(small | {"seed": 5}))
    assert again.attrs["seed"] == 5
    assert nr.identical(inside, outside)  # the first, still open, is what it was
    outside.close()
    again.close()
    assert nr.load_stimuli(tmp_path / "new" / "set.nc").attrs["seed"] == 5


def test_a_saved_set_takes_no_parameters(tmp_path):
    nr.load_stimuli("expressions", domains=["human"], expressions=["happy"], size=8, out=tmp_path / "set.nc").close()
    with pytest.raises(ValueError, match="no parameters and no out for a saved StimulusSet; got size$"):
        nr.load_stimuli(tmp_path / "set.nc", size=16)
    with pytest.raises(ValueError, match="got out$"):
        nr.load_stimuli(tmp_path / "set.nc", out=tmp_path / "b.nc")
    with pytest.raises(ValueError, match="no parameters"):
        recipes.describe(tmp_path / "set.nc", size=16)


def test_an_interrupted_set_leaves_nothing(tmp_path, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Painter, "paint", broken)
    with pytest.raises(KeyboardInterrupt):
        nr.load_stimuli("expressions", size=8, out=tmp_path / "new" / "set.nc")
    assert not list(tmp_path.iterdir())


# --- the command line -----------------------------------------------------------------------------------------------


def run(capsys, *words):
    code = cli.main(["stimuli", *map(str, words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_and_show(capsys, tmp_path):
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(nr.list_stimuli())
    code, out, _ = run(capsys, "show", "siebert2020_strengths", "--set", "intensities=[0.0, 0.5]")
    assert code == 0
    assert "Holds 4 stimulus" in out
    assert "intensity: 0, 0.5" in out
    assert "4 of 4 have their norm in the set" in out
    assert "doi: 10.1007" in out
    nr.load_stimuli("siebert2020_strengths", size=8, out=tmp_path / "set.nc").close()
    code, out, _ = run(capsys, "show", tmp_path / "set.nc")
    assert "Holds 13 stimulus" in out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["show", "expresions"], "nearest: 'expressions'"),
        (["show", "expressions", "--set", "sise=8"], "nearest: 'size'"),
        (["show", "expressions", "--set", "views=up"], "views: a list with at least one entry"),
        (["show", "expressions", "--set", "size"], "KEY=VALUE|key=value|="),
        (["show", "none.nc"], "there is no file"),
        (["render", "expressions", "--set", "domains=[]"], "domains: a list with at least one entry"),
        (["render", "expressions", "--set", "intensities=[0.5,9.0]"], "needed at most 1.5"),
    ],
)
def test_errors_on_the_command_line(capsys, tmp_path, monkeypatch, words, error):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *words)
    assert code == 2
    assert out == ""
    assert err.startswith("nrsim: error: ")
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.strip()]) == 1
    assert any(part in err for part in error.split("|"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("pictures", ["png", "tiff", "none"])
def test_render_writes_a_set_that_can_be_read_again(capsys, tmp_path, pictures):
    small = ["--set", "domains=['human']", "--set", "expressions=['happy']", "--set", "size=16"]
    code, out, _ = run(capsys, "render", "expressions", "--out", tmp_path / "out", "--pictures", pictures, *small)
    assert code == 0
    wrote = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    whole = {"expressions.nc", "expressions.png", "expressions.csv"}
    assert whole <= wrote
    saved = nr.load_stimuli(tmp_path / "out" / "expressions.nc")
    assert saved.sizes["stimulus"] == 8
    if pictures == "none":
        assert wrote == whole
        return
    assert "expressions_landmarks.csv" in wrote
    assert len(wrote) == len(whole) + 8 + 1
    assert "8 pictures in expressions/" in out
    folder, table = tmp_path / "out", tmp_path / "out" / "expressions.csv"
    columns = table.read_text().splitlines()[0].split(",")
    own = [name for name in columns if name in ("skin", "scale", "position_x", "position_y")]
    again = nr.load_folder(folder, table, landmarks=folder / "expressions_landmarks.csv")
    assert own == []  # labels that nothing differs in are left out
    assert again["landmark"].values == pytest.approx(saved["landmark"].values, abs=1e-3)
    assert np.ptp(again["x"].values) == pytest.approx(np.ptp(saved["x"].values))
    tolerance = 0.5 / 255 + 1e-6 if pictures == "png" else 1e-7
    assert again["image"].values == pytest.approx(saved["image"].values, abs=tolerance)
    for label in ("stimulus_id", "norm_id", "expression", "intensity"):
        assert again[label].values.tolist() == saved[label].values.tolist()


def test_rendering_a_saved_set(capsys, tmp_path):
    nr.load_stimuli("stettler2020_moving", size=8, frames=2, out=tmp_path / "moving.nc").close()
    code, _, err = run(capsys, "render", tmp_path / "moving.nc", "--out", tmp_path / "out")
    assert code == 0, err
    assert len(list((tmp_path / "out" / "moving").glob("*.png"))) == 13 * 2
    frames = pd.read_csv(tmp_path / "out" / "moving_frames.csv")
    assert {"file", "stimulus_id", "movement_id", "shown_at", "intensity", "expression", "norm_id"} <= set(frames)
    assert len(frames) == 26
    assert "file" not in pd.read_csv(tmp_path / "out" / "moving.csv")  # a movement is no picture
    again = nr.load_folder(tmp_path / "out", tmp_path / "out" / "moving_frames.csv")
    stills = nr.stack_frames(nr.load_stimuli(tmp_path / "moving.nc"))
    assert again["stimulus_id"].values.tolist() == stills["stimulus_id"].values.tolist()
    np.testing.assert_allclose(again["intensity"].values, stills["intensity"].values)
    np.testing.assert_allclose(again["image"].values, stills["image"].values, atol=0.5 / 255 + 1e-6)
    assert all((tmp_path / "out" / name).is_file() for name in frames["file"])


def test_rendering_again_leaves_no_old_pictures(capsys, tmp_path):
    words = ("render", "siebert2020_strengths", "--out", tmp_path, "--set", "size=8")
    assert run(capsys, *words)[0] == 0
    for mine in ("notes.txt", "photo.png"):
        (tmp_path / "siebert2020_strengths" / mine).write_text("mine")
    assert run(capsys, *words, "--set", "intensities=[0, 1]", "--pictures", "tiff")[0] == 0
    left = {path.name for path in (tmp_path / "siebert2020_strengths").iterdir()}
    assert len(left) == 4 + 2 and {"notes.txt", "photo.png"} < left
    assert run(capsys, *words, "--pictures", "none")[0] == 0
    assert {path.name for path in (tmp_path / "siebert2020_strengths").iterdir()} == {"notes.txt", "photo.png"}
    assert not (tmp_path / "siebert2020_strengths_landmarks.csv").exists()


def test_a_matched_set_and_cartoons_are_read_again(capsys, tmp_path):
    how = ("--set", "match=['luminance']", "--set", "mask=background", "--set", "out_of_range=rescale")
    for name, more in (("siebert2020_strengths", how), ("freiwald2009_cartoons", ("--set", "features=['iris_size']"))):
        assert run(capsys, "render", name, "--out", tmp_path, "--set", "size=16", *more)[0] == 0
        again = nr.load_folder(tmp_path, tmp_path / f"{name}.csv")
        made = nr.load_stimuli(tmp_path / f"{name}.nc")
        assert again["stimulus_id"].values.tolist() == made["stimulus_id"].values.tolist()
    np.testing.assert_allclose(again["cartoon_iris_size"].values, made["cartoon_iris_size"].values)


def test_rendering_a_saved_set_wrongly(capsys, tmp_path):
    nr.load_stimuli("stettler2020_moving", size=8, frames=2, out=tmp_path / "moving.nc").close()
    code, _, err = run(capsys, "render", tmp_path / "moving.nc", "--out", tmp_path / "out2", "--set", "size=16")
    assert code == 2
    assert not (tmp_path / "out2").exists()
    (tmp_path / "file").write_text("")
    code, _, err = run(capsys, "render", tmp_path / "moving.nc", "--out", tmp_path / "file")
    assert code == 2
    assert "needed a folder to write to" in err
