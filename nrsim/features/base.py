"""What feature transformers share."""

from __future__ import annotations

import numpy as np

from nrsim.errors import need


def same_features(fitted: np.ndarray, got: np.ndarray, what: str) -> None:
    """Refuse features that are not those fitted."""
    if not np.array_equal(fitted, got):
        known, came = set(fitted.tolist()), set(got.tolist())
        strange = [name for name in got.tolist() if name not in known][:2]
        lost = [name for name in fitted.tolist() if name not in came][:2]
        shown = f"{len(got)} others, such as {', '.join(map(repr, strange))}"
        if not strange:
            shown = f"{len(got)} of them, without {', '.join(map(repr, lost))}" if lost else "them in another order"
        raise need(f"the {len(fitted)} {what} it was fitted on", shown)
