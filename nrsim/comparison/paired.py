"""Two results of the protocol on the same stimuli: which is better, and how sure is that."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy.stats import binomtest

from nrsim import provenance, seeds
from nrsim.errors import need
from nrsim.quantities import whole


def compare_accuracy(
    first: xr.Dataset, second: xr.Dataset, *, neutral: bool = False, n_bootstrap: int = 2000, seed: int = 0
) -> xr.Dataset:
    """Return how much more accurate the first of two results is, in pairs: same stored images, same tested stimuli.

    Parameters
    ----------
    first, second
        Results of :func:`nrsim.cross_domain_accuracy` on the same stimuli, with the same source, draws and seed; they
        differ in features or encoder.
    neutral
        Compare the answers with neutral among them, rather than the forced choice.
    n_bootstrap
        Resamples of the stimuli, and of the heads (chosen).
    seed
        Of the resamples.

    Returns
    -------
    xarray.Dataset
        - ``difference (compared)``: accuracy of the first minus that of the second, mean over draws, in each domain and
          in all of them together (``"transfer"``: every stimulus counts the same)
        - ``low``, ``high (compared)``: with draws, the central 95 % of the differences of single draws; without, those
          of ``stimuli_low`` and ``stimuli_high``
        - ``stimuli_low``, ``stimuli_high (compared)``: 95 % bootstrap interval of the difference over stimuli, those
          of each domain resampled among themselves. It generalises to other test images of these very heads.
        - ``heads_low``, ``heads_high (compared)``: 95 % bootstrap interval over heads: whole domains are resampled,
          with all their stimuli. It generalises to other heads like these, since the pictures of one head are not
          independent of each other; of two or three heads it is coarse, and too narrow. NaN for single domains and
          where there is only one.
        - with draws, ``difference_of_draw (draw, compared)`` and ``share_better``, ``share_worse (compared)`` of draws;
          without, ``n_better`` and ``n_worse``, stimuli that only the first or only the second recognises, and
          ``p_value``, McNemar's exact test. It counts every picture as an independent one: use it for sets of one
          picture of each kind. Several grades of one expression on one head turn out alike, so that of graded sets it
          is too small; there ``heads_low`` and ``heads_high`` say more.

        Draws share their stimuli: their spread says how much the choice of stored images matters, and nothing about
        other test images or other heads.

    Raises
    ------
    TypeError, ValueError
        If these are no such results, or not of the same stimuli, source and stored images.

    Examples
    --------
    >>> import nrsim as nr
    >>> features = nr.example("Features")
    >>> projection, axis = (nr.cross_domain_accuracy(features, "human", encoder=encoder)
    ...                     for encoder in (None, nr.AxisEncoder()))
    >>> float(nr.compare_accuracy(projection, axis)["difference"].sel(compared="macaque"))
    0.0
    """
    name = "correct_with_neutral" if neutral else "correct"
    for which, result in (("first", first), ("second", second)):
        if not isinstance(result, xr.Dataset) or result.attrs.get("schema") != "CrossDomainAccuracy":
            raise need(f"the {which} as a result of nr.cross_domain_accuracy", type(result).__name__, kind=TypeError)
        if name not in result:
            raise need(f"answers with neutral in the {which}", "none", "Pass neutral=True to cross_domain_accuracy")
    n_bootstrap = whole(n_bootstrap, "n_bootstrap", low=1)
    _paired(first, second, name)
    drawn = "draw" in first[name].dims
    better = first[name].values.astype(float) - second[name].values.astype(float)
    better = better if drawn else better[None]
    domain = np.array([str(each) for each in first["shown_domain"].values])
    domains = [str(each) for each in first["domain"].values]
    masks = [domain == each for each in domains] + [np.isin(domain, domains)]
    per_draw = np.stack([np.nanmean(better[:, mask], axis=1) for mask in masks], axis=1)
    spread = np.stack([_resampled(better, mask, domain, n_bootstrap, seed) for mask in masks], axis=1)
    low, high = np.quantile(spread, [0.025, 0.975], axis=0)
    made = {"difference": per_draw.mean(axis=0), "stimuli_low": low, "stimuli_high": high, "low": low, "high": high}
    made["heads_low"], made["heads_high"] = np.full((2, len(masks)), np.nan)
    if len(domains) > 1:
        heads = _resampled_heads(better, domain, domains, n_bootstrap, seed)
        made["heads_low"][-1], made["heads_high"][-1] = np.nanquantile(heads, [0.025, 0.975])
    if drawn:
        made["low"], made["high"] = np.quantile(per_draw, [0.025, 0.975], axis=0)
        made["share_better"], made["share_worse"] = (per_draw > 0).mean(axis=0), (per_draw < 0).mean(axis=0)
    else:
        counts = np.array([[(better[0, mask] == sign).sum() for mask in masks] for sign in (1, -1)])
        made["n_better"], made["n_worse"] = counts
        made["p_value"] = np.array([binomtest(a, a + b).pvalue if a + b else 1.0 for a, b in counts.T])
    compared = xr.Dataset(
        {key: ("compared", value, {"units": "1"}) for key, value in made.items()}, {"compared": [*domains, "transfer"]}
    )
    if drawn:
        compared["difference_of_draw"] = (("draw", "compared"), per_draw, {"units": "1"})
    return provenance.stamp(
        compared,
        "AccuracyComparison",
        "compare_accuracy",
        {"neutral": neutral, "n_bootstrap": n_bootstrap, "seed": seed},
        parents=[first, second],
        seed=seed,
    )


def _paired(first: xr.Dataset, second: xr.Dataset, name: str) -> None:
    """Refuse results that are not of the same stored and tested stimuli."""
    sources = [str(each.attrs["learned_from"]) for each in (first, second)]
    if sources[0] != sources[1]:
        raise need("two results that were learned from the same source", " and ".join(map(repr, sources)))
    for what in ("stimulus_id", "shown_domain", "domain"):
        if not np.array_equal(first[what].values, second[what].values):
            raise need(f"two results with the same {what}, in the same order", "others")
    todo = "Compute both with the same draws, seed, prototypes and norms"
    if first["stored"].shape != second["stored"].shape:
        shapes = " and ".join(str(dict(each["stored"].sizes)) for each in (first, second))
        raise need("two results of the same draws", shapes, todo)
    if not np.array_equal(first["stored"].values, second["stored"].values):
        raise need("two results with the same stored images", "others", todo)
    if not np.array_equal(np.isnan(first[name].values), np.isnan(second[name].values)):
        raise need("two results with the same tested stimuli", "others", todo)


def _resampled(better: np.ndarray, mask: np.ndarray, domain: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return the mean difference of resampled stimuli, ``(n,)``: those of each domain are drawn with replacement."""
    total, count = np.zeros(n), np.zeros(n)
    sums = np.nansum(better, axis=0)
    tested = (~np.isnan(better)).sum(axis=0)
    for name in dict.fromkeys(domain[mask]):
        rows = np.flatnonzero(mask & (domain == name) & (tested > 0))
        if len(rows):
            taken = rows[seeds.stream(seed, "resampled stimuli", name).integers(len(rows), size=(n, len(rows)))]
            total += sums[taken].sum(axis=1)
            count += tested[taken].sum(axis=1)
    return total / count


def _resampled_heads(better: np.ndarray, domain: np.ndarray, domains: list[str], n: int, seed: int) -> np.ndarray:
    """Return the mean difference over stimuli of heads that are drawn with replacement, ``(n,)``."""
    sums, tested = np.nansum(better, axis=0), (~np.isnan(better)).sum(axis=0)
    total, count = (np.array([each[domain == name].sum() for name in domains]) for each in (sums, tested))
    taken = seeds.stream(seed, "resampled heads").integers(len(domains), size=(n, len(domains)))
    count_of = count[taken].sum(axis=1)
    return np.divide(total[taken].sum(axis=1), count_of, out=np.full(n, np.nan), where=count_of > 0)
