"""The examples in the docstrings run. (Not by pytest's collector: some versions of Brian2 replace it.)"""

import doctest
import importlib
import pkgutil

import matplotlib.pyplot as plt
import pytest

import nrsim as nr

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(nr.__path__, "nrsim.") if "_shipped" not in module.name
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    plt.close("all")
    assert result.failed == 0


def test_every_public_function_has_an_example():
    for name in nr.__all__:
        thing = getattr(nr, name)
        if callable(thing):
            assert ">>>" in thing.__doc__, name
