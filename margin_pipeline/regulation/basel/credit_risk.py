"""Risk-weighted assets of the standardised approach to credit risk.

Belongs here: the weight of an exposure. Not here: the weights (`parameters`), rating scales (`ratings`), capital ratios.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import conversion
from margin_pipeline.parameters.basel import BaselRules
from margin_pipeline.regulation.basel.ratings import BUCKETS, names, rating_buckets, rating_texts
from margin_pipeline.regulation.basel.rows import rows_of

_BUCKETS = list(BUCKETS)


def credit_rows(exposures: pd.DataFrame, base: pd.Series, rates: Mapping[str, float], rules: BaselRules) -> pd.DataFrame:
    """Risk-weighted assets of credit exposures.

    Parameters
    ----------
    exposures : n rows with portfolio_id, exposure_id, exposure_class, rating, amount, currency, loan_to_value, is_short_term.
    base : (n,) base currency of the portfolio of each row.
    rates : US dollars by currency.
    rules : rules in force; Basel II or later.

    Returns
    -------
    Frame of `rows.COLUMNS`, amounts in base currency. CRE20.1: risk-weighted assets = exposure x risk weight.
    """
    amount = exposures["amount"].to_numpy(dtype=float) * conversion(exposures["currency"], base, rates)
    weight, reasons = risk_weights(exposures, rules)
    lacking = np.isnan(amount)
    for i in np.flatnonzero(lacking):
        reasons[i] = f"exchange rate of {exposures['currency'].iloc[i]} to {base.iloc[i]}"
    item = exposures["exposure_id"].to_numpy(dtype=object)
    return rows_of(exposures["portfolio_id"], "credit", item, amount, weight, amount * weight, reasons, _explanations(exposures, rules))


def risk_weights(exposures: pd.DataFrame, rules: BaselRules, what: str = "exposure") -> tuple[np.ndarray, np.ndarray]:
    """Risk weight of each exposure.

    Parameters
    ----------
    exposures : n rows with exposure_id, exposure_class, rating (empty: unrated), loan_to_value (fraction), is_short_term (missing: no).
    rules : rules in force; Basel II or later.
    what : what a row is called in a reason.

    Returns
    -------
    (n,) fractions, NaN where there is none, and (n,) the reason there, None elsewhere. A rating that is on no scale, a class without a
    weight and a property without loan to value have none: they are not taken for unrated, other or the highest. Claims on banks of three
    months or less have weights of their own (CRE20.18-20.21); loans on property are weighted as a whole by loan to value, those on
    commercial property that do not live on its rent by the borrower, taken for a corporate, with a cap (CRE20.69-20.91).
    """
    assert rules.risk_weights is not None, "there are no risk weights before Basel II"
    code, found = pd.factorize(names(exposures["exposure_class"]))
    bucket = pd.Categorical(rating_buckets(exposures["rating"]), categories=_BUCKETS).codes
    weight = _table(list(found), rules.risk_weights)[code, bucket] if len(found) else np.empty(0)
    is_short = exposures["is_short_term"].fillna(False).astype(bool).to_numpy()
    short = _table(list(found), rules.short_term_risk_weights)[code, bucket] if len(found) else np.empty(0)
    has_short = np.isin(code, [i for i, name in enumerate(found) if name in rules.short_term_risk_weights])
    weight = np.where(is_short & has_short, short, weight)
    ratio = pd.to_numeric(exposures["loan_to_value"]).to_numpy(dtype=float, na_value=np.nan)
    for i, name in enumerate(found):
        if name in rules.loan_to_value_risk_weights:
            greatest, of_row = (np.array(column) for column in zip(*rules.loan_to_value_risk_weights[name], strict=True))
            here = code == i
            weight[here] = np.where(
                np.isnan(ratio[here]), np.nan, of_row[np.searchsorted(greatest, ratio[here], side="left").clip(max=len(of_row) - 1)]
            )
        if name in rules.property_caps:
            cap, here = rules.property_caps[name], code == i
            borrower = _table([cap.borrower_class], rules.risk_weights)[0, bucket[here]]
            capped = np.where(ratio[here] <= cap.loan_to_value, np.minimum(borrower, cap.risk_weight), borrower)
            weight[here] = np.where(np.isnan(ratio[here]), np.nan, capped)
    return weight, _reasons(exposures, weight, ratio, rules, what)


def _table(classes: list[str], weights: Mapping[str, float | Mapping[str, float]] | Mapping[str, Mapping[str, float]]) -> np.ndarray:
    """Weight by class and bucket; the last column is for a rating that is on no scale."""
    table = np.full((len(classes), len(_BUCKETS) + 1), np.nan)
    for i, name in enumerate(classes):
        given = weights.get(name, np.nan)
        table[i] = [*(given.get(b, np.nan) for b in _BUCKETS), np.nan] if isinstance(given, Mapping) else given
    return table


def _reasons(exposures: pd.DataFrame, weight: np.ndarray, ratio: np.ndarray, rules: BaselRules, what: str) -> np.ndarray:
    reasons = np.full(len(exposures), None, dtype=object)
    lacking = np.flatnonzero(np.isnan(weight))
    rows = exposures.iloc[lacking]
    of_property = {*rules.loan_to_value_risk_weights, *rules.property_caps}
    for i, item, name, rating in zip(
        lacking, rows["exposure_id"], names(rows["exposure_class"]), rating_texts(rows["rating"]), strict=True
    ):
        if name not in of_property and name not in (rules.risk_weights or {}):
            reasons[i] = f"risk weight of {what} {item}: class {name or 'missing'} is not known"
        elif name in of_property and np.isnan(ratio[i]):
            reasons[i] = f"loan to value of {what} {item}"
        else:
            reasons[i] = f"risk weight of {what} {item}: rating {rating or 'unrated'} is not on the scale of class {name}"
    return reasons


def _explanations(exposures: pd.DataFrame, rules: BaselRules) -> np.ndarray:
    """What decided the weight of each row, as JSON; built once for rows that are alike."""
    is_property = names(exposures["exposure_class"]).isin({*rules.loan_to_value_risk_weights, *rules.property_caps})
    decisive = pd.DataFrame(
        {
            "class": names(exposures["exposure_class"]),
            "rating": rating_texts(exposures["rating"]),
            "is_short_term": exposures["is_short_term"].fillna(False).astype(bool),
            "loan_to_value": pd.to_numeric(exposures["loan_to_value"]).astype(float).where(is_property),
        }
    )
    number, kinds = decisive.groupby(list(decisive), dropna=False, sort=False).ngroup().to_numpy(), decisive.drop_duplicates()
    texts = kinds.to_json(orient="records", lines=True).splitlines() if len(kinds) else []
    return np.array(texts, dtype=object)[number] if len(kinds) else np.empty(0, dtype=object)
