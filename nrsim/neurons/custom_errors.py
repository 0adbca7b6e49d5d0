"""What Brian2 says of a user's equations, and where in them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nrsim.neurons.custom_units import WORD

# What the user's drive and firing_rate are called in the equations that Brian2 is given
INPUT, RATE = "input_current", "firing_rate_now"


def explained(error: BaseException, parts: Sequence[tuple[str, str]]) -> Exception:
    """Return an error with Brian2's own words and where in the user's input they apply.

    Parameters
    ----------
    error
        What Brian2 raised.
    parts
        The user's input, (where it stands, text); the first is taken of several that fit as well.
    """
    causes: list[str] = []
    at: BaseException | None = error
    while at is not None and len(causes) < 5:
        text = str(at).replace(INPUT, "drive").strip()
        if text and not text.startswith("Error encountered with object"):
            causes.append(text)
        at = at.__cause__ or at.__context__
    said = " ".join((causes or [repr(error)])[-1].replace(RATE, "firing_rate").split())
    kind = TypeError if type(error).__name__ == "DimensionMismatchError" else ValueError
    return kind(f"needed neurons that Brian2 can make; it says: {said}{_place(' '.join(causes), parts)}")


def _place(said: str, parts: Sequence[tuple[str, str]]) -> str:
    if RATE in said:
        parts = [(where, text) for where, text in parts if where == "firing_rate"]
    packed = re.sub(r"\s+", "", said)
    quoted = [each for mark in "'\"`" for each in re.findall(f"{mark}([^{mark}]+){mark}", said)]
    quoted = [re.sub(r"\s+", "", each) for each in quoted]
    scores = []
    for where, text in parts:
        code = re.sub(r"\s+", "", text.partition("#")[0])
        words = set(WORD.findall(f"{where} {text}"))
        score = 100.0 if len(code) > 2 and code in packed else 0.0
        for k, fragment in enumerate(quoted):
            found = fragment in words if fragment.isidentifier() else fragment in code
            score += len(fragment) / (k + 1) if found else 0.0
        scores.append(score)
    best = int(np.argmax(scores))
    return f" (in {parts[best][0]}: {parts[best][1].strip()!r})" if scores[best] else ""
