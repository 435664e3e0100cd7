"""Risk-weighted assets of the standardised approach to credit risk.

Belongs here: rating buckets and the weight of an exposure. Not here: the weights (`parameters`), capital ratios (`basel`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

BUCKETS: Mapping[str, tuple[str, ...]] = {
    "aaa": ("AAA", "AA+", "AA", "AA-", "AA1", "AA2", "AA3"),
    "a": ("A+", "A", "A-", "A1", "A2", "A3"),
    "bbb": ("BBB+", "BBB", "BBB-", "BAA1", "BAA2", "BAA3"),
    "bb": ("BB+", "BB", "BB-", "BA1", "BA2", "BA3"),
    "b": ("B+", "B", "B-", "B1", "B2", "B3"),
    "below_b": ("CCC+", "CCC", "CCC-", "CC", "C", "RD", "SD", "D", "CAA1", "CAA2", "CAA3", "CA"),
    "unrated": ("", "NR", "UNRATED"),
    "grade_a": ("GRADE_A", "GRADE A"),
    "grade_b": ("GRADE_B", "GRADE B"),
    "grade_c": ("GRADE_C", "GRADE C"),
}
"""Rating bucket by long-term rating of S&P or Fitch and of Moody's, and by grade of the standardised credit risk assessment, upper case."""

_BUCKET_OF = {rating: bucket for bucket, ratings in BUCKETS.items() for rating in ratings}


def risk_weights(exposures: pd.DataFrame, weights: Mapping[str, float | Mapping[str, float]]) -> tuple[np.ndarray, pd.Series]:
    """Risk weight of each exposure.

    Parameters
    ----------
    exposures : n rows with exposure_id, exposure_class, rating (empty: unrated).
    weights : by exposure class, a fraction or one by rating bucket.

    Returns
    -------
    (n,) fractions, NaN where there is none, and (n,) the reason there, None elsewhere. A rating that is on no scale and a class without a
    weight have none: they are not taken for unrated or other.
    """
    rating = exposures["rating"].astype("str").fillna("").str.strip().str.upper()
    bucket = rating.map(_BUCKET_OF)
    name = exposures["exposure_class"].astype("str").str.strip().str.lower().str.replace(" ", "_")
    flat = {c: w for c, w in weights.items() if not isinstance(w, Mapping)}
    by_bucket = {(c, b): w for c, row in weights.items() if isinstance(row, Mapping) for b, w in row.items()}
    found = [flat[c] if c in flat else by_bucket.get((c, b), np.nan) for c, b in zip(name, bucket, strict=True)]
    reasons = [
        None
        if np.isfinite(w)
        else f"risk weight of exposure {e}: class {c} is not known"
        if c not in weights
        else f"risk weight of exposure {e}: rating {r or 'unrated'} is not on the scale of class {c}"
        for w, e, c, r in zip(found, exposures["exposure_id"], name, rating, strict=True)
    ]
    return np.array(found, dtype=float), pd.Series(reasons, index=exposures.index, dtype=object)
