"""Sets of cartoon faces as experiments use them, and as recipes name them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import xarray as xr

from nrsim import seeds
from nrsim.cartoons.features import (
    CARTOON_FEATURES,
    HIGHEST,
    LEVELS,
    Cartoon,
    features_of,
    named,
    parts_of,
)
from nrsim.cartoons.render import stimulus_set
from nrsim.errors import need, unknown
from nrsim.quantities import bare, whole

KINDS = ("axes", "pairs", "random", "decomposition")


def cartoon_faces(
    kind: str = "axes",
    *,
    features: Sequence[str] | None = None,
    levels: Sequence[float] | None = None,
    n: int | None = None,
    seed: int | None = None,
    average: bool = False,
    parts: Sequence[str] | None = None,
    size: int = 128,
    degrees: float = 4.0,
    background: float = 0.5,
    progress: bool = False,
) -> xr.Dataset:
    """Return a set of cartoon faces with the features of Freiwald, Tsao & Livingstone 2009.

    Parameters
    ----------
    kind
        - ``"axes"``: the average face, then each feature alone at its values, the others 0: 1 + 19 × 10 faces.
        - ``"pairs"``: two ``features`` at all combinations of their values: 11 × 11 faces.
        - ``"random"``: ``n`` faces, every feature drawn independently and uniformly from its values, for reverse
          correlation. Face i depends on ``seed`` and i alone, and a feature's value not on which others vary.
        - ``"decomposition"``: the average face with every combination of ``parts``: 2⁷ = 128 pictures, one blank.
    features
        The features that vary, the others are 0. Default all 19.
    levels
        The values of a feature. Default the paper's 11: −5, −4, …, 5.
    n, seed
        How many faces are drawn, and the seed; for random faces alone.
    average
        Put the average face before the random ones: what a norm-referenced encoder needs. Default no.
    parts
        The parts drawn. Default all seven.
    size, degrees, background, progress
        As for ``render_cartoons``.

    Returns
    -------
    xarray.Dataset
        A StimulusSet, labelled as by ``render_cartoons``.

    Raises
    ------
    ValueError, TypeError
        For an unknown kind, feature or part (the nearest is named), a level beyond −5..5, a number of features other
        than two for pairs, no ``n`` or ``seed`` for random faces, or a parameter that this kind does not take.

    Examples
    --------
    >>> import nrsim as nr
    >>> faces = nr.cartoon_faces("axes", features=["iris_size"], size=32)
    >>> faces["cartoon_iris_size"].values.tolist()
    [0.0, -5.0, -4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    >>> nr.cartoon_faces("random", n=20, seed=1, size=32).sizes["stimulus"]
    20
    """
    if kind not in KINDS:
        raise unknown("kind of cartoon set", kind, KINDS)
    if kind == "random":
        for name, value in (("n", n), ("seed", seed)):
            if value is None:
                raise need(f"{name} for random faces", "none", f"Pass {name}=")
    else:
        for name, given in (("n", n is not None), ("seed", seed is not None), ("average", average)):
            if given:
                raise need(f"no {name} for kind {kind!r}", name, f"Leave {name} out, or ask for kind 'random'")
    if kind == "decomposition":
        for name, setting in (("features", features), ("levels", levels)):
            if setting is not None:
                raise need(f"no {name} for kind 'decomposition', whose faces are average", name, f"Leave {name} out")
    varied, values, drawn = features_of(features), _levels(levels), parts_of(parts)

    if kind == "axes":
        cartoons = [named({}, drawn)]
        cartoons += [named({name: value}, drawn) for name in varied for value in values if value]
    elif kind == "pairs":
        if features is None or len(varied) != 2:
            raise need("two features for kind 'pairs'", "none" if features is None else ", ".join(varied))
        cartoons = [named({varied[0]: a, varied[1]: b}, drawn) for a in values for b in values]
    elif kind == "random":
        cartoons = [named({}, drawn)] if average else []
        seed = whole(seed, "seed")
        cartoons += [_random(seed, i, varied, values, drawn) for i in range(whole(n, "n", low=1))]
    else:
        cartoons = [named({}, some) for count in range(len(drawn), -1, -1) for some in combinations(drawn, count)]

    settings = {
        "kind": kind,
        "features": list(varied) if kind != "decomposition" else [],
        "levels": values,
        "n": n,
        "seed": seed,
        "average": average,
        "parts": list(drawn),
    }
    return stimulus_set(cartoons, "cartoon_faces", settings, size, degrees, background, progress, seed)


def _random(seed: int, number: int, varied: Sequence[str], values: Sequence[float], parts: tuple[str, ...]) -> Cartoon:
    """Return random face ``number``: one draw for each of the 19 features, of which those that vary are used."""
    picks = seeds.stream(seed, "cartoons", number).integers(len(values), size=len(CARTOON_FEATURES))
    drawn = {name: values[pick] for name, pick in zip(CARTOON_FEATURES, picks, strict=True) if name in varied}
    whole_face = named(drawn, parts_of(None), f"cartoon-seed{seed}-{number:05d}")
    only = "" if parts == whole_face.parts else "-only-" + "-".join(parts) if parts else "-blank"
    return Cartoon(whole_face.identifier + only, whole_face.values, parts)


def _levels(levels: Sequence[float] | None) -> list[float]:
    if levels is None:
        return [float(level) for level in LEVELS]
    if isinstance(levels, str) or not isinstance(levels, Sequence) or not levels:
        raise need("levels: a list with at least one value", repr(levels), kind=TypeError)
    values = [bare(level, "1", "levels", low=-HIGHEST, high=HIGHEST) for level in levels]
    if len(set(values)) < len(values):
        raise need("every level once", ", ".join(f"{value:g}" for value in values))
    return values
