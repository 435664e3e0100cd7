"""The three tables of the approach, from netting sets and trades.

Belongs here: the order of the steps and the form of the tables. Not here: the steps.
"""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.sa_ccr import SaCcrRules, sa_ccr_rules
from margin_pipeline.regulation.sa_ccr import add_ons, netting_sets
from margin_pipeline.regulation.sa_ccr.add_ons import Groups
from margin_pipeline.regulation.sa_ccr.book import Book, build_book, summed
from margin_pipeline.regulation.sa_ccr.classification import ASSET_CLASSES
from margin_pipeline.regulation.sa_ccr.netting_sets import Agreements, Exposure
from margin_pipeline.regulation.sa_ccr.trades import TradeFigures, trade_figures, trade_table
from margin_pipeline.regulation.sa_ccr.years import Floats

REASONS_SHOWN = 5
FIGURES = [
    "value", "replacement_cost", *(f"add_on_{name}" for name in ASSET_CLASSES), "add_on", "multiplier", "potential_future_exposure",
    "unmargined_exposure_at_default", "exposure_at_default",
]  # fmt: skip
"""Columns of sa_ccr_netting_sets that are made of its trades."""


def sa_ccr_tables(
    sets: pd.DataFrame, otc_trades: pd.DataFrame, portfolios: pd.DataFrame, fx_rates: pd.DataFrame, as_of: dt.date
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Trades, hedging sets and netting sets with every step to their exposure at default.

    Parameters
    ----------
    sets : netting sets; amounts in the base currency of their portfolio.
    otc_trades : trades; amounts in the currency of the row.
    portfolios : columns portfolio_id, base_currency.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frames as margin_data.sa_ccr_trades, sa_ccr_hedging_sets and sa_ccr_netting_sets, amounts in base currency. Before the approach was in
    force they are empty. What a trade lacks leaves it, its hedging set and its netting set without the figures that need it, and the
    column `missing` says what.
    """
    rules = sa_ccr_rules(as_of)
    base = portfolios.set_index("portfolio_id")["base_currency"].astype(object)
    ordered = sets.sort_values(["portfolio_id", "netting_set_id"], kind="stable").reset_index(drop=True)
    if not rules.applies:
        ordered = ordered.iloc[:0]
    ordered = ordered.assign(base_currency=ordered["portfolio_id"].astype(object).map(base))
    book = build_book(otc_trades, ordered, as_of)
    terms = netting_sets.agreements(ordered, np.bincount(book.netting_set, minlength=len(ordered)), rules)
    figures = trade_figures(book, terms.factor, usd_rates(fx_rates, as_of), rules)
    groups = add_ons.group(book, figures, rules)
    notional = add_ons.part_notionals(groups, figures.effective_notional)
    by_hedging_set = add_ons.hedging_set_add_ons(groups, notional, rules)
    by_class = add_ons.asset_class_add_ons(groups, by_hedging_set, len(ordered))
    return (
        trade_table(book, ordered, figures),
        add_ons.hedging_set_table(groups, figures, by_hedging_set, ordered),
        _netting_set_table(book, ordered, terms, figures, groups, by_class, rules),
    )


def _netting_set_table(
    book: Book, sets: pd.DataFrame, terms: Agreements, figures: TradeFigures, groups: Groups, by_class: Floats, rules: SaCcrRules
) -> pd.DataFrame:
    """Frame as margin_data.sa_ccr_netting_sets, ordered by portfolio and netting set."""
    count = len(sets)
    value = summed(book.netting_set, figures.value, count)
    held = netting_sets.collateral(terms, value)
    uncovered, add_on = value - held, by_class.sum(axis=1)
    own = netting_sets.exposure(netting_sets.replacement_cost(terms, uncovered), uncovered, add_on, rules)
    without = _unmargined(groups, figures, uncovered, count, rules)
    at_default = np.where(terms.is_margined, np.minimum(own.exposure_at_default, without.exposure_at_default), own.exposure_at_default)
    frame = pd.DataFrame(
        {
            "portfolio_id": sets["portfolio_id"].to_numpy(dtype=object),
            "netting_set_id": sets["netting_set_id"].to_numpy(dtype=object),
            "is_margined": terms.is_margined,
            "is_cleared": terms.is_cleared,
            "trades": np.bincount(book.netting_set, minlength=count),
            "value": value,
            "collateral": held,
            "threshold": terms.threshold,
            "minimum_transfer_amount": terms.minimum_transfer_amount,
            "net_independent_collateral": terms.independent_collateral,
            "margin_period_of_risk_days": terms.period_days,
            "replacement_cost": own.replacement_cost,
            **{f"add_on_{name}": by_class[:, number] for number, name in enumerate(ASSET_CLASSES)},
            "add_on": add_on,
            "multiplier": own.multiplier,
            "potential_future_exposure": own.potential_future_exposure,
            "unmargined_exposure_at_default": without.exposure_at_default,
            "exposure_at_default": at_default,
            "missing": _missing(book, terms, figures, groups),
            "explanation": _explanations(book, terms, figures, own, without, rules),
        }
    )
    return frame.astype({"missing": "str"})


def _unmargined(groups: Groups, figures: TradeFigures, uncovered: Floats, count: int, rules: SaCcrRules) -> Exposure:
    """Exposure of all sets as if they had no margin agreement, which caps that of margined ones (CRE52.2; BCBS 279, paragraph 129)."""
    notional = add_ons.part_notionals(groups, figures.unmargined_notional)
    by_hedging_set = add_ons.hedging_set_add_ons(groups, notional, rules)
    add_on = add_ons.asset_class_add_ons(groups, by_hedging_set, count).sum(axis=1)
    return netting_sets.exposure(np.maximum(uncovered, 0.0), uncovered, add_on, rules)


def _missing(book: Book, terms: Agreements, figures: TradeFigures, groups: Groups) -> list[str | None]:
    """What each netting set lacks: terms of its agreement, then trades, then entities whose trades disagree."""
    found: list[list[str]] = [[] for _ in terms.is_margined]
    for name, values in (("threshold", terms.threshold), ("minimum_transfer_amount", terms.minimum_transfer_amount)):
        for row in np.flatnonzero(terms.is_margined & np.isnan(values)):
            found[row].append(f"{name} of a margined netting set")
    trade_id = book.trade_id
    for trade in np.flatnonzero(pd.notna(figures.missing)):
        found[book.netting_set[trade]].append(f"trade {trade_id[trade]}: {figures.missing[trade]}")
    for part in np.flatnonzero(add_ons.disagreeing_parts(groups, figures.lacks_add_on)):
        text = f"one supervisory factor of {groups.name_of_part[part]}: sub_class differs between its trades"
        found[groups.netting_set[groups.set_of_part[part]]].append(text)
    return [_shortened(reasons) if reasons else None for reasons in found]


def _shortened(found: list[str]) -> str:
    more = len(found) - REASONS_SHOWN
    return "; ".join(found[:REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _explanations(book: Book, terms: Agreements, figures: TradeFigures, own: Exposure, without: Exposure, rules: SaCcrRules) -> list[str]:
    """How the figures of each netting set came about, as JSON."""
    count = len(terms.is_margined)
    of_class = pd.Index(ASSET_CLASSES).get_indexer(pd.Index(figures.kinds.asset_class))
    cells = np.bincount(book.netting_set * len(ASSET_CLASSES) + of_class, minlength=count * len(ASSET_CLASSES))
    cells = cells.reshape(count, len(ASSET_CLASSES))
    capped = terms.is_margined & (without.exposure_at_default < own.exposure_at_default)
    assumed = np.isnan(terms.variation_margin)
    return [
        json.dumps(
            {
                "rule": rules.exposure_reference,
                "parameter_set": rules.version.label,
                "alpha": rules.alpha,
                "trades_by_class": {name: int(n) for name, n in zip(ASSET_CLASSES, cells[row], strict=True) if n},
                "treatment": "margined" if terms.is_margined[row] else "unmargined",
                "maturity_factor": _number(terms.factor[row]),
                "variation_margin": None if assumed[row] else float(terms.variation_margin[row]),
                "variation_margin_is_assumed": bool(assumed[row]),
                "is_capped_at_unmargined": bool(capped[row]),
                "unmargined_replacement_cost": _number(without.replacement_cost[row]),
                "unmargined_potential_future_exposure": _number(without.potential_future_exposure[row]),
            },
            allow_nan=False,
        )
        for row in range(count)
    ]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
