"""Replacement cost, multiplier, potential future exposure and exposure at default of netting sets.

Belongs here: the formulas of a netting set and its margin agreement. Not here: add-ons, trades.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Flags, Integers
from margin_pipeline.regulation.sa_ccr.maturities import margined_factor
from margin_pipeline.regulation.sa_ccr.years import Floats


@dataclass(frozen=True)
class Agreements:
    """Terms of k netting sets, base currency; NaN where they are not given.

    Attributes
    ----------
    is_margined, is_cleared : as given, false where not.
    threshold, minimum_transfer_amount : of the variation margin agreement.
    independent_collateral : net independent collateral amount, 0 where not given.
    variation_margin : net variation margin held, negative where given.
    period_days : margin period of risk with its floor, business days; NaN for sets without margin agreement.
    factor : maturity factor of margined sets, NaN for others.
    """

    is_margined: Flags
    is_cleared: Flags
    threshold: Floats
    minimum_transfer_amount: Floats
    independent_collateral: Floats
    variation_margin: Floats
    period_days: Floats
    factor: Floats


@dataclass(frozen=True)
class Exposure:
    """Exposure of k netting sets under one treatment, base currency; NaN where something is missing."""

    replacement_cost: Floats
    multiplier: Floats
    potential_future_exposure: Floats
    exposure_at_default: Floats


def agreements(netting_sets: pd.DataFrame, trades: Integers, rules: SaCcrRules) -> Agreements:
    """Terms of netting sets.

    Parameters
    ----------
    netting_sets : k rows as margin_data.netting_sets.
    trades : (k,) number of trades.
    rules : floors of the margin period of risk.

    Notes
    -----
    CRE52.50, CRE52.51(1), CRE54.8 and CRE54.12; BCBS 279, paragraph 164. A period that is given counts, but never below its floor: ten
    business days, twenty for more than 5,000 trades; cleared trades five, and ten towards the central counterparty itself, however many
    they are.
    """

    def numbers(name: str) -> Floats:
        return netting_sets[name].to_numpy(dtype=np.float64, na_value=np.nan)

    def flags(name: str) -> Flags:
        return netting_sets[name].astype("boolean").fillna(False).to_numpy(dtype=bool)

    is_margined, is_cleared, periods = flags("margined"), flags("is_cleared"), rules.margin_periods
    central = (netting_sets["counterparty_type"].astype("str") == "central_counterparty").to_numpy(dtype=bool, na_value=False)
    bilateral = np.where(trades > periods.trades, periods.many_trades, periods.least)
    floor = np.where(is_cleared, np.where(central, periods.central_counterparty, periods.cleared), bilateral)
    period = np.where(is_margined, np.fmax(numbers("margin_period_of_risk_days"), floor), np.nan)
    return Agreements(
        is_margined=is_margined,
        is_cleared=is_cleared,
        threshold=numbers("threshold"),
        minimum_transfer_amount=numbers("minimum_transfer_amount"),
        independent_collateral=np.nan_to_num(numbers("net_independent_collateral"), nan=0.0),
        variation_margin=numbers("variation_margin"),
        period_days=period,
        factor=margined_factor(period, rules),
    )


def collateral(terms: Agreements, value: Floats) -> Floats:
    """Net collateral held: independent collateral and variation margin.

    Parameters
    ----------
    terms : agreements of k sets.
    value : (k,) market value of their trades.

    Returns
    -------
    (k,) amounts. Where a margined set does not say its variation margin, nothing is taken as received and what is owed as given, so that
    nothing reduces the exposure: min(value, 0). Without margin agreement it is 0 where not given.
    """
    assumed = np.where(terms.is_margined, np.minimum(value, 0.0), 0.0)
    return terms.independent_collateral + np.where(np.isnan(terms.variation_margin), assumed, terms.variation_margin)


def replacement_cost(terms: Agreements, uncovered: Floats) -> Floats:
    """Loss if the counterparty defaulted: max(V - C, 0), with margin agreement at least what triggers no call, TH + MTA - NICA.

    Parameters
    ----------
    terms : agreements of k sets.
    uncovered : (k,) value less collateral.

    Returns
    -------
    (k,) amounts >= 0; NaN where a margined set has no threshold or minimum transfer amount (CRE52.10, CRE52.18; BCBS 279, paragraphs 136
    and 144).
    """
    uncalled = terms.threshold + terms.minimum_transfer_amount - terms.independent_collateral
    return np.maximum(np.where(terms.is_margined, np.maximum(uncovered, uncalled), uncovered), 0.0)


def multiplier(uncovered: Floats, add_on: Floats, rules: SaCcrRules) -> Floats:
    """What excess collateral and negative value leave of the add-on.

    Parameters
    ----------
    uncovered : (k,) value less collateral.
    add_on : (k,) aggregate add-on, >= 0.

    Returns
    -------
    (k,) in [0.05, 1]: min(1, floor + (1 - floor) exp((V - C) / (2 (1 - floor) add-on))) (CRE52.23; BCBS 279, paragraphs 147-149). Without
    add-on its limits: 1 where V - C is not negative, else the floor.
    """
    floor = rules.multiplier_floor
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        decayed = floor + (1 - floor) * np.exp(np.minimum(uncovered, 0.0) / (2 * (1 - floor) * add_on))
    limit = np.where(uncovered < 0, floor, 1.0)
    found = np.where(add_on == 0, limit, np.minimum(decayed, 1.0))
    return np.where(np.isnan(uncovered) | np.isnan(add_on), np.nan, found)


def exposure(cost: Floats, uncovered: Floats, add_on: Floats, rules: SaCcrRules) -> Exposure:
    """Exposure at default alpha x (replacement cost + multiplier x add-on) (CRE52.1, CRE52.20; BCBS 279, paragraphs 128 and 146)."""
    share = multiplier(uncovered, add_on, rules)
    future = share * add_on
    return Exposure(cost, share, future, rules.alpha * (cost + future))
