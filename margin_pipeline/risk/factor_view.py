"""Gaussian value at risk by kind of risk factor: market, sectors, currencies, what is a name's own.

Belongs here: splitting components of the Gaussian value at risk by factor. Not here: the value at risk (`gaussian`), estimates.

Formulation
-----------
With exposures w of a strategy and W of its portfolio, the component of the strategy is w'ΣW/σ times a factor of confidence and
horizon. The return of a name is split as r = β·m + e with the benchmark's return m and the beta of symbol_risk. So w'ΣW is the sum of

- market: (w'β)·Cov(m, W'r);
- currency, one row each: w_c·Cov(r_c, W'r);
- sector, one row each: Σ w_i W_j Cov(e_i, e_j) over pairs of different names of the sector: how its names move together beyond the
  market;
- idiosyncratic: the rest of Σ w_i Cov(e_i, W'r): the residual variance of each name, what residuals of different sectors or unknown
  ones have in common, and what the beta leaves of the stored covariance with the market.

Covariances are those stored, so the parts add up to the component of the strategy exactly, over strategies to those of the portfolio,
and these to its value at risk, whatever the betas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.market.returns import CURRENCY_PREFIX
from margin_pipeline.parameters.risk import RiskSettings
from margin_pipeline.risk.book import Book
from margin_pipeline.risk.estimates import FactorEstimates
from margin_pipeline.risk.figures import find_gaps
from margin_pipeline.risk.gaussian import value_at_risk_factor

Floats = npt.NDArray[Any]
KINDS = ("market", "sector", "currency", "idiosyncratic")
COLUMNS = (
    "portfolio_id", "strategy", "factor_kind", "factor", "confidence", "horizon_days", "exposure", "component_var", "var_share", "missing",
)  # fmt: skip


@dataclass(frozen=True)
class MarketModel:
    """What splits the returns of n factors.

    Attributes
    ----------
    beta : (n,) against the benchmark; 0 of currencies.
    with_market : (n,) covariance of one day's return with the benchmark's.
    market_variance : of one day's return of the benchmark.
    sector : (n,) "" of currencies and where unknown.
    is_currency : (n,) booleans.
    lacking : reason by name of the factor that cannot be split.
    """

    beta: Floats
    with_market: Floats
    market_variance: float
    sector: npt.NDArray[np.object_]
    is_currency: npt.NDArray[np.bool_]
    lacking: dict[str, str]


def market_model(
    names: pd.Index,
    symbols: tuple[str, ...],
    correlation: Floats,
    symbol_risk: pd.DataFrame,
    instruments: pd.DataFrame,
    benchmark: str,
    trading_days: int,
) -> MarketModel:
    """Betas, sectors and covariances with the benchmark of named factors.

    Parameters
    ----------
    names : factors that have estimates.
    symbols, correlation : (m,) names and (m, m) correlation of all estimated factors, the benchmark among them.
    symbol_risk : frame of that table.
    instruments : frame of that table; column sector.
    benchmark : symbol that betas are against.
    trading_days : days a year.
    """
    known = symbol_risk.set_index("symbol")
    is_currency = np.array([str(name).startswith(CURRENCY_PREFIX) for name in names], dtype=bool)
    beta = known["beta"].reindex(names).to_numpy(float) if "beta" in known else np.full(len(names), np.nan)
    place = pd.Index(list(symbols), dtype=object)
    market, volatility = (
        place.get_indexer(pd.Index([benchmark], dtype=object))[0],
        known["volatility"].reindex([benchmark]).to_numpy(float)[0],
    )
    with_market = np.zeros(len(names))
    if market < 0 or np.isnan(volatility):
        lacking = dict.fromkeys(names, f"{benchmark}: no estimate of the benchmark's volatility and correlation")
    else:
        lacking = {name: f"{name}: no beta" for name in names[np.isnan(beta) & ~is_currency]}
        covariance = known["volatility"].reindex(names).to_numpy(float) * volatility / trading_days
        with_market = np.asarray(correlation, dtype=np.float64)[place.get_indexer(names), market] * covariance
    sector = instruments.drop_duplicates("symbol").set_index("symbol")["sector"] if "sector" in instruments else pd.Series(dtype="str")
    of_names = sector.reindex(names).astype(object).fillna("").to_numpy(object)
    return MarketModel(
        beta=np.where(is_currency | np.isnan(beta), 0.0, beta),
        with_market=with_market,
        market_variance=float(np.nan_to_num(volatility**2 / trading_days)),
        sector=np.where(is_currency, "", of_names),
        is_currency=is_currency,
        lacking=lacking,
    )


def factor_table(
    book: Book, estimates: FactorEstimates, model: MarketModel, settings: RiskSettings, portfolio_reasons: dict[int, str]
) -> pd.DataFrame:
    """Frame of table portfolio_risk_factors: parts of portfolios (strategy "") and of their strategies.

    Parameters
    ----------
    book : the book.
    estimates : of its factors.
    model : of the factors of the estimates, in their order.
    settings : confidences, horizons.
    portfolio_reasons : portfolios that have no figure, by row.

    Notes
    -----
    Rows of a sector or a currency are those with an exposure. A portfolio that lacks something has one row of the market without figures.
    """
    gaps = find_gaps(book, estimates.lacking | model.lacking, portfolio_reasons)
    complete = gaps.portfolio_is_complete
    parts, deviation = _parts(book, estimates, model)
    whole = parts.groupby(["portfolio", "factor_kind", "factor"], as_index=False, sort=False)[["exposure", "part"]].sum()
    rows = pd.concat([whole.assign(strategy=""), parts], ignore_index=True)
    rows = rows[complete[rows["portfolio"].to_numpy(int)]]
    missing = pd.DataFrame({"portfolio": np.flatnonzero(~complete), "factor_kind": "market", "factor": "", "strategy": ""})
    rows = pd.concat([rows, missing], ignore_index=True).astype({"factor_kind": "str", "factor": "str", "strategy": "str"})
    owner = rows["portfolio"].to_numpy(int)
    total = deviation[owner]
    share = np.divide(rows["part"].to_numpy(float), total**2, out=np.full(len(rows), np.nan), where=total > 0)
    component = np.where(complete[owner], np.where(total > 0, share * total, 0.0), np.nan)
    rows["missing"] = pd.Series([list(gaps.portfolio[p]) or None for p in owner], dtype=object, index=rows.index)
    rows["portfolio_id"] = book.portfolios.to_numpy(str)[owner] if len(rows) else pd.Series(dtype="str")
    rows["var_share"] = np.where(complete[owner], share, np.nan)
    made = [
        rows.assign(component_var=component * value_at_risk_factor(c, h), confidence=c, horizon_days=np.int64(h))
        for c in settings.confidences
        for h in settings.horizons_days
    ]
    table = pd.concat(made, ignore_index=True)[list(COLUMNS)]
    return table.sort_values(list(COLUMNS[:6]), ignore_index=True)


def _parts(book: Book, estimates: FactorEstimates, model: MarketModel) -> tuple[pd.DataFrame, Floats]:
    """Parts of the variance of a day's profit, one row a strategy, kind and factor; and the (portfolios,) deviation."""
    exposure = book.delta_exposure[:, estimates.columns].toarray()
    owner = book.portfolio_of
    whole = np.zeros((len(book.portfolios), exposure.shape[1]))
    np.add.at(whole, owner, exposure)
    weighted, total = exposure * estimates.daily_volatility, whole * estimates.daily_volatility
    reach = total @ estimates.correlation
    variance = np.maximum(np.sum(total * reach, axis=1), 0.0)
    rest = np.sum(weighted * reach[owner], axis=1)
    names = exposure * ~model.is_currency
    found = [("market", "", exposure @ model.beta, (exposure @ model.beta) * (whole @ model.with_market)[owner], None)]
    for column in np.flatnonzero(model.is_currency):
        held = exposure[:, column] != 0
        found.append(
            ("currency", book.factors[estimates.columns[column]], exposure[:, column], weighted[:, column] * reach[owner, column], held)
        )
    for sector in sorted(set(model.sector) - {""}):
        chosen = np.flatnonzero(model.sector == sector)
        part = _within_sector(exposure[:, chosen], whole[:, chosen], owner, estimates, model, chosen)
        found.append(("sector", sector, exposure[:, chosen].sum(axis=1), part, np.any(exposure[:, chosen] != 0, axis=1)))
    for _, _, _, part, _ in found:
        rest = rest - part
    found.append(("idiosyncratic", "", names.sum(axis=1), rest, None))
    return pd.concat([_rows(book, *given) for given in found], ignore_index=True), np.sqrt(variance)


def _within_sector(
    exposure: Floats, whole: Floats, owner: npt.NDArray[np.int64], estimates: FactorEstimates, model: MarketModel, chosen: Any
) -> Floats:
    """(strategies,) sum of w_i W_j Cov(e_i, e_j) over pairs of different names."""
    beta, with_market, variance = model.beta[chosen], model.with_market[chosen], model.market_variance
    volatility = estimates.daily_volatility[chosen]
    reach = (whole * volatility) @ estimates.correlation[np.ix_(chosen, chosen)] * volatility
    whole_beta, whole_market = whole @ beta, whole @ with_market
    residual = reach - np.outer(whole_beta, with_market) - np.outer(whole_market, beta) + np.outer(whole_beta, beta) * variance
    # Each name with itself is its own risk, not the sector's.
    residual -= whole * (volatility**2 - 2 * beta * with_market + beta**2 * variance)
    return np.asarray(np.sum(exposure * residual[owner], axis=1))


def _rows(book: Book, kind: str, factor: str, exposure: Floats, part: Floats, held: npt.NDArray[np.bool_] | None) -> pd.DataFrame:
    rows = np.arange(len(part)) if held is None else np.flatnonzero(held)
    return pd.DataFrame(
        {
            "portfolio": book.portfolio_of[rows],
            "strategy": book.strategies["strategy"].to_numpy(object)[rows],
            "factor_kind": kind,
            "factor": factor,
            "exposure": exposure[rows],
            "part": part[rows],
        }
    )
