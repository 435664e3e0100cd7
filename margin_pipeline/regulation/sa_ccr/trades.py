"""Every trade with the steps from its notional to its effective notional.

Belongs here: putting the steps together. Not here: the steps (`classification`, `notionals`, `deltas`, `maturities`), adding up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.parameters.sa_ccr import SaCcrRules
from margin_pipeline.regulation.sa_ccr.book import Book, Flags, Reasons, Texts
from margin_pipeline.regulation.sa_ccr.classification import Classification, classify
from margin_pipeline.regulation.sa_ccr.deltas import supervisory_deltas
from margin_pipeline.regulation.sa_ccr.maturities import Times, supervisory_duration, trade_times, unmargined_factor
from margin_pipeline.regulation.sa_ccr.notionals import adjusted_notionals, base_rates, missing_rate
from margin_pipeline.regulation.sa_ccr.years import Floats


@dataclass(frozen=True)
class TradeFigures:
    """Figures of the n trades of a book, amounts in base currency; NaN where something is missing.

    Attributes
    ----------
    kinds, times : categories and times of each trade.
    value : market value.
    adjusted_notional, duration, delta : of the rule.
    maturity_factor : of the way its netting set is treated, margined or not.
    effective_notional, unmargined_notional : with that maturity factor, and with the one of trades without margin.
    missing : what it lacks, None for nothing.
    lacks_add_on : whether what it lacks leaves it without effective notional.
    """

    kinds: Classification
    times: Times
    value: Floats
    adjusted_notional: Floats
    duration: Floats
    delta: Floats
    maturity_factor: Floats
    effective_notional: Floats
    unmargined_notional: Floats
    missing: Texts
    lacks_add_on: Flags


def trade_figures(book: Book, margined_factor: Floats, usd: Mapping[str, float], rules: SaCcrRules) -> TradeFigures:
    """Figures of all trades.

    Parameters
    ----------
    book : trades.
    margined_factor : maturity factor by netting set; NaN for sets without margin agreement.
    usd : US dollars for one unit, by currency.
    rules : approach in force.
    """
    value_reasons, reasons = Reasons(), Reasons()
    currency = book.names("currency")
    rate = base_rates(currency, book.base_currency, usd)
    no_rate = np.isnan(rate)
    reasons.add(no_rate, missing_rate(currency, book.base_currency))
    market_value = book.numbers("market_value")
    value_reasons.add(np.isnan(market_value), "market value")

    kinds = classify(book, rules, reasons)
    times = trade_times(book, kinds, rules, reasons)
    duration = supervisory_duration(times.start, times.end, rules)
    adjusted = adjusted_notionals(book, kinds, duration, rate, usd, rules, reasons)
    delta = supervisory_deltas(book, kinds, times.exercise, rules, reasons)
    without_margin = unmargined_factor(times.maturity)
    factor = np.where(np.isnan(margined_factor[book.netting_set]), without_margin, margined_factor[book.netting_set])

    lacking = reasons.flags(len(book))
    scaled = np.where(lacking, np.nan, adjusted * delta)
    most = book.numbers("notional") * rate / kinds.supervisory_factor
    return TradeFigures(
        kinds=kinds,
        times=times,
        value=market_value * rate,
        adjusted_notional=adjusted,
        duration=duration,
        delta=delta,
        maturity_factor=factor,
        effective_notional=_capped(scaled * factor, kinds, most),
        unmargined_notional=_capped(scaled * without_margin, kinds, most),
        missing=Reasons([*value_reasons.found, *reasons.found]).texts(len(book)),
        lacks_add_on=lacking,
    )


def trade_table(book: Book, netting_sets: pd.DataFrame, figures: TradeFigures) -> pd.DataFrame:
    """Frame as margin_data.sa_ccr_trades, ordered by trade_id."""
    kinds, times, delta = figures.kinds, figures.times, figures.delta
    return pd.DataFrame(
        {
            "portfolio_id": netting_sets["portfolio_id"].array.take(book.netting_set),
            "netting_set_id": netting_sets["netting_set_id"].array.take(book.netting_set),
            "trade_id": book.trade_id,
            "asset_class": _as_str(kinds.asset_class),
            "hedging_set": _as_str(kinds.hedging_set),
            "entity": _as_str(kinds.entity),
            "kind": _as_str(np.where(kinds.kind == "", "ordinary", kinds.kind)),
            "direction": pd.array(["long", "short", None], dtype="str").take(np.select([delta > 0, delta < 0], [0, 1], 2)),
            "is_option": kinds.is_option,
            "market_value": figures.value,
            "adjusted_notional": figures.adjusted_notional,
            "start_years": times.start,
            "end_years": times.end,
            "exercise_years": times.exercise,
            "supervisory_duration": figures.duration,
            "supervisory_delta": delta,
            "maturity_years": times.maturity,
            "maturity_factor": figures.maturity_factor,
            "supervisory_factor": kinds.supervisory_factor,
            "correlation": kinds.correlation,
            "effective_notional": figures.effective_notional,
            "missing": _as_str(figures.missing),
        }
    )


def _capped(notional: Floats, kinds: Classification, most: Floats) -> Floats:
    """Effective notionals, those of digital options at most their payoff over the supervisory factor (CRE52.42(3))."""
    if not kinds.is_digital.any():
        return notional
    return np.where(kinds.is_digital, np.clip(notional, -most, most), notional)


def _as_str(texts: Texts) -> pd.api.extensions.ExtensionArray:
    """Texts as a column of strings, each value converted once."""
    codes, values = pd.factorize(texts)
    return pd.array([*values, None], dtype="str").take(codes)
