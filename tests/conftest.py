"""Fixtures shared by all tests."""

import os
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(scope="session", autouse=True)
def compiled_here(tmp_path_factory) -> None:
    """Keep what tests compile out of the user's cache."""
    os.environ["NRSIM_CACHE"] = str(tmp_path_factory.mktemp("nrsim-cache"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real recordings and pictures; a test that needs it is skipped, saying so, where it is absent."""
    places = [Path(os.environ["NRSIM_DATA"])] if "NRSIM_DATA" in os.environ else []
    places.append(Path(__file__).resolve().parent.parent.parent / "shared" / "data")
    for place in places:
        if place.is_dir():
            return place
    pytest.skip("no real data: set NRSIM_DATA to the folder that holds it")
