"""The wheel, the sdist and an editable install each hold or find the recipes, the analyses and the assets."""

import configparser
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import nrsim as nr
from nrsim import files

ROOT = Path(__file__).resolve().parent.parent


def _content(folder: str, *patterns: str) -> set[str]:
    return {path.name for pattern in patterns for path in (ROOT / folder).glob(pattern)}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist of this tree, and the wheel built from that sdist."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return out


def test_every_subpackage_is_listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    on_disk = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "nrsim").rglob("__init__.py")
        if "_shipped" not in path.parts
    }
    assert listed == on_disk | {"nrsim._shipped.stimuli", "nrsim._shipped.analyses"}


def test_wheel_holds_everything_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"nrsim", f"nrsim-{nr.__version__}.dist-info"}
    assert _content("stimuli", "*.toml") <= {Path(n).name for n in names if n.startswith("nrsim/_shipped/stimuli/")}
    analyses = {Path(n).name for n in names if n.startswith("nrsim/_shipped/analyses/")}
    assert _content("analyses", "*.py", "*.toml") <= analyses
    for path in (ROOT / "nrsim").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names


def test_sdist_holds_what_the_tests_and_tools_need(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {"/".join(Path(name).parts[1:]) for name in archive.getnames()}
    for wanted in (
        "setup.cfg",
        "pyproject.toml",
        "LICENSE",
        "CHANGELOG.md",
        "tools/build_head.py",
        "tests/conftest.py",
    ):
        assert wanted in names
    assert {f"stimuli/{name}" for name in _content("stimuli", "*.toml")} <= names


def test_a_wheel_alone_finds_its_recipes_and_assets(built, tmp_path):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import nrsim, sys; from nrsim import files, recipes; assert nrsim.__file__.startswith(sys.argv[1]);"
        "assert '_shipped' in str(files.shipped('stimuli')); print(sorted(recipes.list_stimuli()), nrsim.load_head())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "expressions" in done.stdout


def test_this_install_finds_recipes_and_assets():
    assert (files.shipped("stimuli") / "expressions.toml").is_file()
    assert (files.shipped("analyses") / "claims.toml").is_file()
    with pytest.raises(FileNotFoundError, match="reinstall nrsim"):
        files.shipped("recipes")
    with pytest.raises(FileNotFoundError, match="reinstall nrsim"):
        files.asset("nothing.npz")


def test_import_is_light_and_has_no_effects(tmp_path):
    code = (
        "import sys, nrsim; heavy = {'brian2', 'xarray', 'matplotlib', 'scipy', 'skimage'} & set(sys.modules);"
        "assert not heavy, heavy; nrsim.schema; assert 'brian2' not in sys.modules; assert len(nrsim.__all__) > 20"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_every_public_name_exists_and_is_documented():
    for name in nr.__all__:
        assert (getattr(nr, name).__doc__ or "").strip(), name
