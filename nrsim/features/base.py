"""What feature transformers share."""

from __future__ import annotations

import numpy as np

from nrsim.errors import need


def same_features(fitted: np.ndarray, got: np.ndarray, what: str) -> None:
    """Refuse features that are not those fitted."""
    if not np.array_equal(fitted, got):
        strange = [str(name) for name in got if name not in set(fitted)][:2]
        shown = f", such as {', '.join(map(repr, strange))}" if strange else " in another order"
        raise need(f"the {len(fitted)} {what} it was fitted on", f"{len(got)} others{shown}")
