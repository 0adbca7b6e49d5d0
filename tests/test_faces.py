import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nrsim as nr
from nrsim.faces.domains import DOMAINS, domain_named, macaque_warp
from nrsim.faces.expressions import BASIC, EXPRESSIONS, MACAQUE, expression_weights
from nrsim.faces.head import template
from nrsim.faces.landmarks import STETTLER
from nrsim.faces.shape import Shape


@pytest.mark.parametrize("domain", ["human", "cartoon"])
def test_intensity_is_linear_in_the_vertices(domain):
    shape = Shape(DOMAINS[domain])
    shift = shape.head.expression(expression_weights("fearful", shape.head))
    at = {level: shape.vertices(level * shift) for level in (-0.5, 0.0, 0.5, 1.0)}
    assert at[0.5] - at[0.0] == pytest.approx((at[1.0] - at[0.0]) / 2)
    assert at[-0.5] - at[0.0] == pytest.approx(-(at[0.5] - at[0.0]))


@pytest.mark.parametrize("amount", [0.25, 0.5, 0.75, 1.0])
def test_the_macaque_warp_does_not_fold(amount):
    head = nr.load_head()
    reach = head.surface["rest"]
    for expression in (*BASIC, *MACAQUE):
        shift = head.expression(expression_weights(expression, head))
        reach = np.concatenate([reach, head.subdivision @ (head.vertices + shift * 1.5)])
    low, high = reach.min(axis=0) - 0.02, reach.max(axis=0) + 0.02
    grid = np.stack(np.meshgrid(*[np.linspace(a, b, 60) for a, b in zip(low, high, strict=True)], indexing="ij"), -1)
    points, step = grid.reshape(-1, 3), 1e-4
    columns = [
        (macaque_warp(points + d, amount) - macaque_warp(points - d, amount)) / (2 * step) for d in np.eye(3) * step
    ]
    determinant = np.linalg.det(np.stack(columns, axis=2))
    assert determinant.min() > 0


@pytest.fixture(scope="module")
def ladder():
    levels = (-0.5, -0.25, 0.25, 0.5, 0.75, 1.0, 1.25)
    rows = [{"domain": d, "expression": "neutral", "intensity": 0} for d in DOMAINS]
    rows += [
        {"domain": d, "expression": e, "intensity": level} for d in DOMAINS for e in EXPRESSIONS for level in levels
    ]
    return nr.render_faces(rows, size=96)


def test_the_picture_moves_away_from_the_neutral_with_intensity(ladder):
    for domain in DOMAINS:
        here = ladder.isel(stimulus=(ladder["domain"] == domain).values)
        neutral = here["image"].values[(here["expression"] == "neutral").values][0]
        for expression in EXPRESSIONS:
            part = here.isel(stimulus=(here["expression"] == expression).values)
            away = np.sqrt(((part["image"].values - neutral) ** 2).mean(axis=(1, 2)))
            level = part["intensity"].values
            assert (np.diff(away[level > 0]) > 0).all(), (domain, expression)
            assert (np.diff(away[level < 0]) < 0).all(), (domain, expression)
            assert np.corrcoef(part["norm_distance"].values, np.abs(level))[0, 1] > 0.98


def test_labels_of_rendered_faces(ladder):
    nr.schema.check(ladder, "StimulusSet")
    assert set(ladder["norm_id"].values) == {f"{domain}-neutral" for domain in DOMAINS}
    assert len(set(ladder["image_sha256"].values)) == ladder.sizes["stimulus"]
    border = np.concatenate([ladder["image"].values[:, 0, :], ladder["image"].values[:, :, 0]], axis=1)
    assert border == pytest.approx(0.5)  # the whole head is in the picture
    assert float(ladder["image"].std()) > 0.05


def test_landmarks_lie_on_what_they_name():
    rows = [
        {"domain": d, "expression": e, "intensity": i}
        for d in DOMAINS
        for e, i in (("neutral", 0.0), ("happy", 1.0), ("surprised", 1.0))
    ]
    faces = nr.render_faces(rows, size=96)
    assert set(STETTLER) <= set(template().landmarks)
    place = faces["landmark"].assign_coords(point=faces["point"].values)
    for i, domain in enumerate(DOMAINS):
        neutral, happy, surprised = (place[3 * i + k] for k in range(3))
        image = faces["image"].values[3 * i]
        lids = (neutral.sel(point="upper_lid_left") + neutral.sel(point="lower_lid_left")).values / 2
        x, y = np.floor(lids).astype(int)
        assert image[y - 1 : y + 2, x - 1 : x + 2].min() < image[y + 8 : y + 14, x - 3 : x + 4].mean() - 0.1, domain
        gap = {
            k: float(p.sel(point="lower_lip")[1] - p.sel(point="upper_lip")[1])
            for k, p in (("neutral", neutral), ("surprised", surprised))
        }
        assert gap["surprised"] > gap["neutral"] + 2
        assert float(happy.sel(point="mouth_corner_left")[1]) < float(neutral.sel(point="mouth_corner_left")[1]) - 0.5
        assert float(neutral.sel(point="mouth_corner_left")[0]) > float(neutral.sel(point="mouth_corner_right")[0])


@given(st.sampled_from(sorted(DOMAINS)))
def test_rendering_repeats_exactly(domain):
    rows = [{"domain": domain, "expression": "angry", "intensity": 0.5}]
    assert nr.identical(nr.render_faces(rows, size=16), nr.render_faces(rows, size=16))


def test_errors_of_faces():
    with pytest.raises(ValueError, match="nearest: 'happy'"):
        expression_weights("hapy", template())
    with pytest.raises(ValueError, match="nearest: 'macaque'"):
        domain_named("macque")
    good = {"domain": "human", "expression": "happy", "intensity": 1.0}
    for change, words in (
        ({"intensity": 2.0}, "at most 1.5"),
        ({"intensity": float("nan")}, "finite"),
        ({"intensityy": 1.0}, "nearest: 'intensity'"),
        ({"expression": "neutral"}, "intensity 0"),
    ):
        with pytest.raises(ValueError, match=words):
            nr.render_faces([good | change])
    with pytest.raises(TypeError, match="intensity of face 0: needed a number"):
        nr.render_faces([good | {"intensity": "strong"}])
    with pytest.raises(ValueError, match="no intensity"):
        nr.render_faces([{"domain": "human", "expression": "happy"}])
    with pytest.raises(ValueError, match="at least one face"):
        nr.render_faces([])
    with pytest.raises(ValueError, match="more than once"):
        nr.render_faces([good, good], size=16)
    with pytest.raises(ValueError, match="nearest: 'jawOpen'"):
        nr.load_head().expression({"jawOpne": 1.0})
