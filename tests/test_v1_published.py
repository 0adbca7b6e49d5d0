import csv

import pytest

from nrsim import files

COLUMNS = ["quantity", "statistic", "value", "low", "high", "unit", "definition", "species", "source", "read"]


@pytest.fixture(scope="module")
def rows():
    with files.asset("v1_published.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def test_every_row_says_what_it_is_and_how_it_was_read(rows):
    for row in rows:
        assert list(row) == COLUMNS
        assert all(row[name] for name in ("quantity", "statistic", "definition", "species", "source"))
        assert row["read"] in ("text", "memory")


def test_values_lie_between_low_and_high(rows):
    full = [row for row in rows if row["low"] and row["value"] and row["high"]]
    assert len(full) > 10
    for row in full:
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"]), row["quantity"]


def test_no_statistic_stands_twice_with_one_source(rows):
    keys = [(row["quantity"], row["statistic"], row["source"]) for row in rows]
    assert len(set(keys)) == len(keys)
