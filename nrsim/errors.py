"""The errors nrsim raises, and the words they are made of.

Every message says what was needed, what came, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class SchemaError(ValueError):
    """A dataset is not the noun it was taken for; the message lists every fault at once."""


class NotFittedError(ValueError):
    """``transform`` was called before ``fit``."""


def unknown(kind: str, got: object, known: Iterable[object], *, hint: str = "") -> ValueError:
    """Return a ValueError for a name that does not exist, naming the nearest that do.

    Parameters
    ----------
    kind
        What the name was taken for, in the singular: ``"expression"``.
    got
        The name that came.
    known
        All names that exist.
    hint
        A sentence to add, on what to do.
    """
    names = sorted({str(name) for name in known})
    near = difflib.get_close_matches(str(got), names, n=3, cutoff=0.5)
    if near:
        where = "nearest: " + ", ".join(repr(name) for name in near)
    elif names:
        shown = ", ".join(repr(name) for name in names[:12])
        where = "known: " + shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    else:
        where = "none is known here"
    return ValueError(f"unknown {kind} {got!r}; {where}" + (f". {hint}" if hint else ""))


def need(what: str, got: Any, todo: str = "", *, kind: type[Exception] = ValueError) -> Exception:
    """Return an error that says what was needed, what came and what to do."""
    return kind(f"needed {what}; got {got}" + (f". {todo}" if todo else ""))
