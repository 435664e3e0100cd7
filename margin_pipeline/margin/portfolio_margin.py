"""Risk-based margin of every portfolio by scenarios (method portfolio_margin).

Belongs here: the entry that a stage calls. Not here: class groups, losses, requirements (`scenario`), the portfolio's total (`portfolio`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.compute import NUMPY, Backend
from margin_pipeline.margin.scenario.class_groups import class_groups
from margin_pipeline.margin.scenario.losses import KEY, position_losses
from margin_pipeline.margin.scenario.requirement import Requirements, requirements
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.portfolio_margin import PortfolioMarginRules, portfolio_margin_rules

NOTE_COLUMNS = ["portfolio_id", "symbol", "note", "reference"]
ORDER = {"classes": ["portfolio_id", "class_group"], "groups": ["portfolio_id", "product_group"], "positions": KEY}


@dataclass(frozen=True)
class PortfolioMargin:
    """Frames of the tables of scenario margin, base currency.

    Attributes
    ----------
    classes : `portfolio_margin_classes`, with the losses at all points.
    groups : `portfolio_margin_groups`; what they need adds up to the margin of what is covered.
    positions : `portfolio_margin_positions`; covered positions with their part.
    notes : `eligibility_notes`: what the method does not cover, and accounts that are too small for it.
    """

    classes: pd.DataFrame
    groups: pd.DataFrame
    positions: pd.DataFrame
    notes: pd.DataFrame


def portfolio_margin(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    rates: pd.DataFrame,
    dividends: pd.DataFrame,
    as_of: dt.date,
    house_margins: pd.DataFrame | None = None,
    *,
    rules: PortfolioMarginRules | None = None,
    classes: pd.DataFrame | None = None,
    backend: Backend = NUMPY,
    threads: int = 1,
) -> PortfolioMargin:
    """Greatest losses of class groups and product groups over the valuation points.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, rates, dividends : frames of the tables of these names, histories resolved up to
        the date.
    as_of : business date; spot prices of underlyings are its closes.
    house_margins : frame of that table: a house rate for the symbol (or the asset class) that a class group is named after widens its
        range to that rate, so that stock alone needs the greater of rule and house; None: the house asks nothing.
    rules : rules to use instead of those in force.
    classes : class groups of the instruments, from `scenario.class_groups`, for who asks again and again; None: found here.
    backend, threads : where options are revalued; the requirement is float64 on the processor.

    Returns
    -------
    PortfolioMargin, ordered; a class group with a missing input has no amounts and says why, and its portfolio has no margin.

    Notes
    -----
    FINRA 4210(g), Cboe 10.4; theoretical values: `market.option_pricing.option_value` at the volatility that the mark implies.
    """
    rules = rules or portfolio_margin_rules(as_of)
    accounts = portfolios[portfolios["account_type"].isin(list(rules.account_types))]
    held = positions[positions["portfolio_id"].isin(accounts["portfolio_id"]) & (positions["quantity"] != 0)]
    classes = class_groups(instruments, rules, house_margins) if classes is None else classes
    market = (instruments, prices, rates, dividends)
    ruled = _requirements(held, market, classes, rules, as_of, backend, threads)
    widened = _widened(classes)
    binding = classes.index[(widened["move_down"] < classes["move_down"]) | (widened["move_up"] > classes["move_up"])]
    bound = set(held.loc[held["symbol"].isin(binding), "portfolio_id"])
    found = ruled
    if bound:
        with_house = held["portfolio_id"].isin(bound)
        again = _requirements(held[with_house], market, widened, rules, as_of, backend, threads)
        found = Requirements(*(_replaced(getattr(ruled, name), getattr(again, name), bound, order) for name, order in ORDER.items()))
    groups = found.groups.merge(
        ruled.groups[["portfolio_id", "product_group", "maintenance_margin"]].rename(columns={"maintenance_margin": "rule_margin"}),
        on=["portfolio_id", "product_group"],
        how="left",
        validate="one_to_one",
    )
    return PortfolioMargin(found.classes, groups, found.positions, _notes(held, accounts, classes, fx_rates, rules, as_of))


def _requirements(
    held: pd.DataFrame,
    market: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame],
    classes: pd.DataFrame,
    rules: PortfolioMarginRules,
    as_of: dt.date,
    backend: Backend,
    threads: int,
) -> Requirements:
    return requirements(position_losses(held, *market, classes, rules, as_of, backend=backend, threads=threads), rules)


def _widened(classes: pd.DataFrame) -> pd.DataFrame:
    rate = classes["house_rate"]
    return classes.assign(move_down=np.minimum(classes["move_down"], -rate), move_up=np.maximum(classes["move_up"], rate))


def _replaced(frame: pd.DataFrame, other: pd.DataFrame, portfolios: set[str], order: list[str]) -> pd.DataFrame:
    """Rows of a frame, those of some portfolios taken from the other one, in the same order."""
    kept = frame[~frame["portfolio_id"].isin(portfolios)]
    return pd.concat([kept, other], ignore_index=True).sort_values(order, kind="stable", ignore_index=True)


def _notes(
    held: pd.DataFrame, accounts: pd.DataFrame, classes: pd.DataFrame, fx_rates: pd.DataFrame, rules: PortfolioMarginRules, as_of: dt.date
) -> pd.DataFrame:
    """Positions that the method does not cover, and accounts whose equity is below what it takes."""
    note = held["symbol"].map(classes["note"])
    other = held.loc[note.notna(), ["portfolio_id", "symbol"]].assign(note=note[note.notna()], reference=rules.reference)
    usd: Mapping[str, float] = usd_rates(fx_rates, as_of)
    equity = accounts["equity"].to_numpy(np.float64) * accounts["base_currency"].map(dict(usd)).to_numpy(np.float64)
    small = accounts.loc[equity < rules.minimum_equity_usd, ["portfolio_id"]].assign(
        symbol="",
        note=f"equity is below USD {rules.minimum_equity_usd:,.0f}: not eligible for portfolio margin",
        reference=rules.minimum_equity_reference,
    )
    notes = pd.concat([small, other.drop_duplicates()], ignore_index=True)[NOTE_COLUMNS].astype("str")
    return notes.sort_values(NOTE_COLUMNS[:2], kind="stable", ignore_index=True)
