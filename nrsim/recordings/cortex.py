"""Published numbers of macaque V1, as a table."""

from __future__ import annotations

import pandas as pd

from nrsim import files
from nrsim.errors import unknown


def published_v1(quantity: str | None = None) -> pd.DataFrame:
    """Return published numbers of macaque V1, one statistic a row: what a model of V1 is held against.

    Parameters
    ----------
    quantity
        ``"orientation bandwidth"``, ``"surround suppression index"``, …; the rows of one quantity. Default: all.

    Returns
    -------
    pandas.DataFrame
        ``quantity``, ``statistic``, ``value``, ``low`` and ``high`` (the quartiles, unless ``definition`` says
        otherwise), ``unit``, ``definition``, ``species``, ``source`` and ``read``: ``"text"`` where the number was read
        in the source, ``"memory"`` where it was recalled, to be looked up before it is quoted. ``v1_published.md``
        beside the table tells how each was read.

    Raises
    ------
    ValueError
        If there is no such quantity; the nearest is named.

    Examples
    --------
    >>> import nrsim as nr
    >>> index = nr.published_v1("surround suppression index").iloc[0]
    >>> f"{index['statistic']} {index['value']}, quartiles {index['low']} and {index['high']}"
    'median 0.33, quartiles 0.14 and 0.57'
    """
    table = pd.read_csv(files.asset("v1_published.csv"), encoding="utf-8")
    if quantity is None:
        return table
    if quantity not in set(table["quantity"]):
        raise unknown("quantity of V1", quantity, table["quantity"])
    return table[table["quantity"] == quantity].reset_index(drop=True)
