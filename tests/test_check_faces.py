import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

import nrsim as nr

PATH = Path(__file__).resolve().parent.parent / "tools" / "check_faces.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("check_faces", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_geometry_is_in_interocular_distances_and_level_with_the_eyes(tool):
    points = np.zeros((68, 2))
    points[36:48] = [[-12, 0], [-11, -1], [-9, -1], [-8, 0], [-9, 1], [-11, 1]] + [
        [8, 0], [9, -1], [11, -1], [12, 0], [11, 1], [9, 1]
    ]  # fmt: skip
    points[17:27, 1] = -6
    points[[48, 54]] = [[-8, 22], [8, 22]]
    points[62], points[66] = [0, 20], [0, 25]
    read = tool.geometry(points)
    assert read == pytest.approx({"smile": -1.1, "jaw opening": 0.25, "brow lowering": -0.3})
    angle = 0.4
    turned = 3 * points @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + [5, -7]
    assert tool.geometry(turned) == pytest.approx(read)


def test_readings_from_exact_landmarks_rise_on_every_head(tool):
    for domain in ("human", "macaque", "cartoon"):
        rows = [{"domain": domain, "expression": "neutral"}]
        levels = [0.25, 0.5, 0.75, 1.0, 1.25]
        rows += [
            {"domain": domain, "expression": along, "intensity": level}
            for names in tool.READ.values()
            for along in names
            for level in levels
        ]
        faces = nr.render_faces(rows, size=16, landmarks="68")
        read = [tool.geometry(points) for points in faces["landmark"].values]
        for i, (what, names) in enumerate(tool.READ.items()):
            for j, along in enumerate(names):
                first = 1 + (2 * i + j) * len(levels)
                steps = [read[0][what], *(each[what] for each in read[first : first + len(levels)])]
                assert (np.diff(steps) > 0).all(), (domain, along)


def test_points_that_agree_have_no_error_and_jaws_lie_on_the_outline(tool):
    random = np.random.default_rng(1)
    mesh = random.uniform(0, 100, (478, 2))
    truth = tool.as_68(mesh)
    assert np.isnan(truth[:17]).all()
    truth[:17] = (mesh[list(tool.OUTLINE)[:17]] + mesh[list(tool.OUTLINE)[1:18]]) / 2
    assert tool.errors(mesh, truth)["error"] == pytest.approx(0, abs=1e-9)
    unit = np.linalg.norm(truth[[36, 39]].mean(axis=0) - truth[[42, 45]].mean(axis=0))
    assert tool.errors(mesh, np.vstack([truth[:17], truth[17:] + [unit / 10, 0]]))["error: eyes"] == pytest.approx(10)


def test_rank_correlation(tool):
    x, y = [1, 2, 2, 3, 5, 4], [0.1, 0.1, 0.4, 0.3, 0.9, 0.9]
    assert tool.rho(x, y) == pytest.approx(spearmanr(x, y).statistic)
    assert np.isnan(tool.rho(x, np.zeros(6)))
