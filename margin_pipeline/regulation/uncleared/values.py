"""Market value and gross notional amount of netting sets, from their trades.

Belongs here: adding trades up. Not here: what a value is called for (`amounts`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.regulation.exact_sums import group_sums
from margin_pipeline.regulation.schedule_trades import conversion_to_base, shortened


@dataclass(frozen=True)
class SetValues:
    """Sums of the trades of netting sets, base currency.

    Attributes
    ----------
    value : (n,) market value to us, NaN where one is missing.
    notional : (n,) gross notional amount, physically settled exchange-rate trades included; NaN where a rate is missing.
    trades : (n,) number of trades.
    missing_value, missing_notional : reasons, by number of the set.
    """

    value: np.ndarray
    notional: np.ndarray
    trades: np.ndarray
    missing_value: Mapping[int, str]
    missing_notional: Mapping[int, str]


def set_values(otc_trades: pd.DataFrame, sets: pd.DataFrame, usd: Mapping[str, float]) -> SetValues:
    """Sums of the trades of each netting set.

    Parameters
    ----------
    otc_trades : trade_id, netting_set_id, currency, notional, market_value; trades of other sets are left out.
    sets : netting_set_id and base_currency; the number of a set is its row.
    usd : US dollars for one unit, by currency.
    """
    where = Texts.of(otc_trades["netting_set_id"]).numbers({str(name): n for n, name in enumerate(sets["netting_set_id"])})
    trades, number = otc_trades[~np.isnan(where)], where[~np.isnan(where)].astype(np.int64)
    rate = conversion_to_base(trades, sets, number, usd)
    market_value = trades["market_value"].to_numpy(dtype=np.float64)
    without_rate, without_value = np.isnan(rate), np.isnan(market_value)
    bases = sets["base_currency"].tolist()
    pairs = zip(number[without_rate], trades["currency"][without_rate], strict=True)
    rates = sorted({(int(n), f"exchange rate of {c} to {bases[int(n)]}") for n, c in pairs})
    names = zip(number[without_value], trades["trade_id"][without_value], strict=True)
    unvalued = sorted((int(n), f"market value of trade {name}") for n, name in names)
    return SetValues(
        value=group_sums(market_value * rate, number, len(sets)),
        notional=group_sums(np.abs(trades["notional"].to_numpy(dtype=np.float64)) * rate, number, len(sets)),
        trades=np.bincount(number, minlength=len(sets)),
        missing_value=_by_set([*rates, *unvalued]),
        missing_notional=_by_set(rates),
    )


def _by_set(reasons: list[tuple[int, str]]) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for number, reason in reasons:
        found.setdefault(number, []).append(reason)
    return {number: shortened(texts) for number, texts in found.items()}
