"""Clusters of held risk factors that move together, and how much of each portfolio lies in each.

Belongs here: clustering by correlation, exposures by cluster. Not here: exposures of positions (`risk.exposures`), tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.parameters.clusters import ClusterSettings

SYMBOL_COLUMNS = ["symbol", "cluster", "cluster_size", "mean_correlation", "missing"]
PORTFOLIO_COLUMNS = ["portfolio_id", "cluster", "gross_exposure", "net_exposure", "gross_share", "missing"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """Clusters of the held risk factors of a date.

    Attributes
    ----------
    table : one row a risk factor, by symbol, with `SYMBOL_COLUMNS`: number of its cluster (1 is the largest), size of it, mean correlation
        with the rest of it (NaN for a cluster of one), and what is missing.
    notes : counts for a reader: risk factors, clusters, the largest, those not clustered and why.
    """

    table: pd.DataFrame
    notes: dict[str, int]


def correlation_clusters(
    exposures: pd.DataFrame, symbols: Sequence[str], correlation: npt.NDArray[np.floating], settings: ClusterSettings
) -> Clusters:
    """Clusters of the risk factors that are held.

    Parameters
    ----------
    exposures : risk_factor and delta_exposure (base currency) of positions; a missing risk factor is left out.
    symbols, correlation : (n,) names of risk factors and (n, n) their correlation.
    settings : settings in force.

    Returns
    -------
    Clusters, the same for any order of rows and symbols.

    Notes
    -----
    Average linkage on the distance sqrt((1 - correlation) / 2) (Mantegna 1999), cut at the distance of `least_correlation`. The sign of a
    position plays no part: a long and a short position in one cluster hedge each other. A risk factor without a correlation, and one
    beyond the `most_symbols` with the greatest exposure, is a cluster of its own. Numbers go by size, then by first symbol.
    """
    size = exposures.groupby("risk_factor")["delta_exposure"].agg(lambda v: v.abs().sum()).sort_index()
    held = size.index.astype(str).to_numpy(dtype=object)
    place = pd.Index([str(s) for s in symbols], dtype=object).get_indexer(pd.Index(held, dtype=object))
    estimated = np.flatnonzero(place >= 0)
    # Of equal exposures the first symbol comes first, since the held ones are in alphabetical order.
    largest = estimated[np.argsort(-size.to_numpy(dtype=float)[estimated], kind="stable")[: settings.most_symbols]]
    kept = np.sort(largest)
    root = np.arange(len(held))
    mean = np.full(len(held), np.nan)
    if len(kept) > 1:
        block = np.asarray(correlation)[np.ix_(place[kept], place[kept])].astype(np.float64)
        label = _linked(block, settings.least_correlation)
        root[kept] = kept[_first_of_each(label)]
        mean[kept] = _mean_with_the_rest(block, label)
    number, members = _numbered(root)
    missing = pd.Series([None] * len(held), dtype=object)
    missing[place < 0] = "no correlation"
    beyond = np.setdiff1d(estimated, kept)
    missing[beyond] = f"not among the {settings.most_symbols} largest exposures"
    values = [pd.Series(held, dtype="str"), number, members, mean, missing.astype("str")]
    table = pd.DataFrame(dict(zip(SYMBOL_COLUMNS, values, strict=True)))
    notes = {
        "risk_factors": len(held),
        "clusters": int(number.max(initial=0)),
        "largest_cluster": int(members.max(initial=0)),
        "without_correlation": int((place < 0).sum()),
        "beyond_the_largest": len(beyond),
    }
    return Clusters(table, notes)


def portfolio_clusters(exposures: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """Exposure of every portfolio to every cluster that it holds.

    Parameters
    ----------
    exposures : portfolio_id, risk_factor, delta_exposure (base currency) and missing (why there is no exposure) of positions.
    clusters : table of `correlation_clusters`.

    Returns
    -------
    Frame with `PORTFOLIO_COLUMNS`, by portfolio and cluster. Positions in one risk factor net first; gross_exposure is the sum of sizes
    over the risk factors of the cluster, net_exposure the sum with signs, gross_share the part of the portfolio's gross exposure. A cluster
    with a position that has no exposure has none either, and no share of its portfolio is known.
    """
    rows = exposures[["portfolio_id", "risk_factor", "delta_exposure", "missing"]].copy()
    # An exposure that is missing must not count as 0, whatever the reason.
    rows["gap"] = rows["delta_exposure"].isna()
    reason = rows["missing"].where(rows["missing"].notna(), "a position has no exposure").where(rows["gap"])
    first_reason = reason.groupby(rows["portfolio_id"]).min()
    by_factor = rows.groupby(["portfolio_id", "risk_factor"]).agg(exposure=("delta_exposure", "sum"), gap=("gap", "any")).reset_index()
    by_factor["cluster"] = by_factor["risk_factor"].map(clusters.set_index("symbol")["cluster"])
    by_factor["size"] = by_factor["exposure"].abs()
    grouped = by_factor.dropna(subset=["cluster"]).astype({"cluster": np.int64}).groupby(["portfolio_id", "cluster"])
    result = grouped.agg(gross_exposure=("size", "sum"), net_exposure=("exposure", "sum"), gap=("gap", "any")).reset_index()
    result.loc[result["gap"], ["gross_exposure", "net_exposure"]] = np.nan
    total = result.groupby("portfolio_id")["gross_exposure"].transform("sum")
    result["missing"] = result["portfolio_id"].map(first_reason).astype("str")
    known = result["missing"].isna() & (total > 0)
    result["gross_share"] = np.where(known, result["gross_exposure"] / total.where(total > 0), np.nan)
    return result[PORTFOLIO_COLUMNS]


def _linked(correlation: Floats, least_correlation: float) -> Integers:
    """(n,) label of the cluster of each row of a correlation matrix."""
    from scipy.cluster.hierarchy import fcluster, linkage

    upper = np.triu_indices(len(correlation), 1)
    # A correlation that is no number tells nothing: as far apart as opposite returns.
    distance = np.sqrt(np.clip((1 - np.nan_to_num(correlation[upper], nan=-1.0)) / 2, 0.0, 1.0))
    cut = float(np.sqrt((1 - least_correlation) / 2))
    return np.asarray(fcluster(linkage(distance, method="average"), cut, criterion="distance"), dtype=np.int64)


def _first_of_each(label: Integers) -> Integers:
    """(n,) the first row with the same label."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return first[inverse]


def _mean_with_the_rest(correlation: Floats, label: Integers) -> Floats:
    """(n,) mean correlation of each row with the other rows of its label; NaN where there are none."""
    mean = np.full(len(label), np.nan)
    order = np.argsort(label, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if len(rows) > 1:
            block = correlation[np.ix_(rows, rows)]
            mean[rows] = np.clip((block.sum(axis=1) - np.diag(block)) / (len(rows) - 1), -1.0, 1.0)
    return mean


def _numbered(root: Integers) -> tuple[Integers, Integers]:
    """(n,) number and size of the cluster of each symbol, from the first symbol of it; by size, then by first symbol."""
    first, inverse, count = np.unique(root, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -count))
    number = np.empty(len(first), dtype=np.int64)
    number[order] = np.arange(1, len(first) + 1)
    return number[inverse], count[inverse].astype(np.int64)
