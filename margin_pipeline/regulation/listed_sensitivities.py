"""Sensitivities of listed positions as SIMM would see them: for comparison with uncleared trades and for export as a CRIF.

Belongs here: risk factor, bucket and tenor of each position, and the sums. Not here: Greeks (`risk`), buckets (`parameters`), margin: SIMM
asks none for listed positions.

Conventions
-----------
- Delta: change of value for a rise of 1 % of the price of the underlying. Vega: for 1 percentage point of volatility. Bonds: for 1 basis
  point, by modified duration. Currencies: for a rise of 1 % against the calculation currency of SIMM, of the value of what is held in them.
- A future, an option or a warrant counts to its underlying, an option on a future to what the future is on.
- A bond has interest rate risk alone: its issuer's spread is not among the inputs. The rate risk of options is left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.listed_sensitivities import ListedTerms, listed_terms
from margin_pipeline.parameters.simm import simm_rules
from margin_pipeline.regulation.exact_sums import group_sums

KEY = ["portfolio_id", "product_class", "risk_type", "qualifier", "bucket", "label1", "label2"]
COLUMNS = [*KEY, "amount_currency", "amount", "amount_usd", "missing"]
PERCENT, BASIS_POINT = 0.01, 0.0001
DAYS_A_YEAR = 365.0
FUNDS = ("etf", "index")
COMMODITIES = ("commodity", "crypto")
RESIDUAL = "Residual"
REASONS_SHOWN = 5


def listed_sensitivities(
    position_greeks: pd.DataFrame,
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    fx_rates: pd.DataFrame,
    as_of: dt.date,
) -> pd.DataFrame:
    """Sensitivities of every portfolio's listed positions by risk factor.

    Parameters
    ----------
    position_greeks, positions, instruments, portfolios : frames of the tables of these names.
    fx_rates : columns date, currency, usd_rate.
    as_of : business date.

    Returns
    -------
    Frame as margin_data.listed_sensitivities, ordered by its key. A risk factor of which one position lacks an input has no amount and
    says why, never a part of it.
    """
    terms, rules = listed_terms(as_of), simm_rules(as_of)
    held = _held(position_greeks, positions, instruments)
    parts = [
        _deltas(held, terms), _vegas(held, terms, as_of), _rates(held, terms), _currencies(held, rules.calculation_currency),
    ]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    base = portfolios.set_index("portfolio_id")["base_currency"]
    return _summed(rows, base, {**usd_rates(fx_rates, as_of), "USD": 1.0})


def _held(position_greeks: pd.DataFrame, positions: pd.DataFrame, instruments: pd.DataFrame) -> pd.DataFrame:
    """Held positions with their Greeks, terms, and the instrument that their price follows in the end."""
    key = ["portfolio_id", "strategy", "symbol"]
    greeks = position_greeks[[*key, "is_option", "dollar_delta", "dollar_vega", "missing"]]
    valued = positions.loc[positions["quantity"] != 0, [*key, "market_value", "currency", "asset_class"]]
    held = valued.merge(greeks, on=key, how="left", validate="one_to_one").sort_values(key, kind="stable", ignore_index=True)
    terms = instruments.set_index("symbol")
    of_symbol = {str(symbol): (None if pd.isna(under) else str(under)) for symbol, under in terms["underlying"].items()}
    final = held["symbol"].map({symbol: _final(symbol, of_symbol) for symbol in held["symbol"].unique()})
    known = terms.reindex(final)
    held["final"] = final.astype("str")
    for column in ("asset_class", "sector", "currency", "root", "class_group"):
        held[f"final_{column}"] = known[column].to_numpy()
    for column in ("expiry", "modified_duration"):
        held[column] = terms[column].reindex(held["symbol"]).to_numpy()
    held["modified_duration"] = held["modified_duration"].fillna(pd.Series(known["modified_duration"].to_numpy(), index=held.index))
    # An underlying that is not described leaves what the position itself is; of an option or a future that is the shares it is on.
    own = held["asset_class"].where(~held["asset_class"].isin(["equity_option", "warrant", "convertible"]), "equity")
    held["final_asset_class"] = held["final_asset_class"].where(held["final_asset_class"].notna(), own.replace({"index_option": "index"}))
    held["is_option"] = held["is_option"].astype("boolean").fillna(False).astype(bool)
    lacking = held["dollar_delta"].isna() & held["missing"].isna()
    held["missing"] = held["missing"].astype(object).where(~lacking, held["symbol"] + ": no delta")
    return held


def _final(symbol: str, underlying: Mapping[str, str | None]) -> str:
    """What a symbol's price follows in the end: its underlying's underlying, and so on."""
    seen = {symbol}
    while (following := underlying.get(symbol)) and following not in seen:
        symbol = following
        seen.add(symbol)
    return symbol


def _deltas(held: pd.DataFrame, terms: ListedTerms) -> pd.DataFrame:
    """Rows of price risk: equities, commodities and exchange rates; bonds have none."""
    rows = held[held["final_asset_class"] != "bond"]
    found = _price_factor(rows, terms, "")
    return found.assign(amount=rows["dollar_delta"] * PERCENT, missing=rows["missing"], label1="")


def _vegas(held: pd.DataFrame, terms: ListedTerms, as_of: dt.date) -> pd.DataFrame:
    """Rows of volatility risk, shared between the vertices around the expiry."""
    rows = held[held["is_option"]]
    days = (pd.to_datetime(rows["expiry"]) - pd.Timestamp(as_of)).dt.days.to_numpy(dtype=float)
    reason = rows["missing"].where(rows["missing"].notna() | ~np.isnan(days), rows["symbol"] + ": no expiry")
    return _shared(_price_factor(rows, terms, "Vol"), rows["dollar_vega"], reason, days, terms)


def _rates(held: pd.DataFrame, terms: ListedTerms) -> pd.DataFrame:
    """Rows of interest rate risk of bonds, shared between the vertices around the modified duration."""
    rows = held[held["final_asset_class"] == "bond"]
    duration = rows["modified_duration"].to_numpy(dtype=float)
    amount = -duration * rows["dollar_delta"] * BASIS_POINT
    reason = rows["missing"].where(~np.isnan(duration), rows["symbol"] + ": no modified duration")
    factor = rows[["portfolio_id"]].assign(
        product_class="RatesFX", risk_type="Risk_IRCurve", qualifier=rows["currency"], bucket="", label2=terms.sub_curve
    )
    return _shared(factor, amount, reason, duration * DAYS_A_YEAR, terms)


def _currencies(held: pd.DataFrame, calculation_currency: str) -> pd.DataFrame:
    """Rows of exchange-rate risk of the value of what is held in another currency; a currency pair has its own already."""
    rows = held[(held["currency"] != calculation_currency) & (held["final_asset_class"] != "fx")]
    reason = rows["missing"].where(rows["market_value"].notna() | rows["missing"].notna(), rows["symbol"] + ": no market value")
    return rows[["portfolio_id"]].assign(
        product_class="RatesFX", risk_type="Risk_FX", qualifier=rows["currency"], bucket="", label1="", label2="",
        amount=rows["market_value"] * PERCENT, missing=reason,
    )  # fmt: skip


def _price_factor(rows: pd.DataFrame, terms: ListedTerms, suffix: str) -> pd.DataFrame:
    """Risk factor of price or volatility of each position."""
    kind = rows["final_asset_class"].astype(str).to_numpy()
    commodity, pair = np.isin(kind, COMMODITIES), kind == "fx"
    product = np.select([commodity, pair], ["Commodity", "RatesFX"], "Equity")
    risk_type = np.select([commodity, pair], ["Risk_Commodity", "Risk_FX"], "Risk_Equity")
    names = rows["final"].astype(str).to_numpy()
    qualifier = np.where(pair & (suffix == ""), [name[:3] for name in names], names)
    of_equity = (rows[name] for name in ("final", "final_asset_class", "final_sector", "final_currency"))
    equity = [_equity_bucket(name, kind, sector, code, terms) for name, kind, sector, code in zip(*of_equity, strict=True)]
    of_commodity = (rows[name] for name in ("final", "final_root", "final_class_group"))
    other = [_commodity_bucket(name, root, group, terms) for name, root, group in zip(*of_commodity, strict=True)]
    bucket = np.select([commodity, pair], [np.array(other, dtype=object), ""], np.array(equity, dtype=object))
    found = rows[["portfolio_id"]].assign(product_class=product, risk_type=risk_type, qualifier=qualifier, bucket=bucket, label2="")
    return found.assign(risk_type=found["risk_type"] + suffix)


def _equity_bucket(name: str, kind: str, sector: str | None, currency: str | None, terms: ListedTerms) -> str:
    if name in terms.volatility_indices:
        return str(terms.volatility_bucket)
    if kind in FUNDS:
        return str(terms.fund_bucket)
    bucket = terms.equity_buckets.get(str(sector).strip().lower().replace(" ", "_"))
    if bucket is None or pd.isna(currency):
        return RESIDUAL
    return str(bucket if currency in terms.developed_currencies else bucket - terms.emerging_below)


def _commodity_bucket(name: str, root: str | None, group: str | None, terms: ListedTerms) -> str:
    found = (terms.commodity_buckets.get(str(key)) for key in (root, group, name))
    return str(next((bucket for bucket in found if bucket is not None), terms.other_commodity_bucket))


def _shared(factor: pd.DataFrame, amount: pd.Series, missing: pd.Series, days: np.ndarray, terms: ListedTerms) -> pd.DataFrame:
    """Rows at the two vertices around each number of days, in shares linear in time; outside of them all at the nearest."""
    tenors, vertices = list(terms.tenor_days), np.array(list(terms.tenor_days.values()))
    within = np.clip(np.nan_to_num(days, nan=vertices[0]), vertices[0], vertices[-1])
    upper = np.clip(np.searchsorted(vertices, within), 1, len(vertices) - 1)
    share = (within - vertices[upper - 1]) / (vertices[upper] - vertices[upper - 1])
    parts = []
    for place, part in ((upper - 1, 1.0 - share), (upper, share)):
        used = part > 0
        rows = factor[used].assign(label1=np.array(tenors, dtype=object)[place[used]], amount=(amount * part)[used], missing=missing[used])
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)


def _summed(rows: pd.DataFrame, base: pd.Series, usd: Mapping[str, float]) -> pd.DataFrame:
    """One row a risk factor; a part that is missing leaves it without an amount."""
    groups = rows.groupby(KEY, sort=True)
    number, count = groups.ngroup().to_numpy(), groups.ngroups
    amounts = np.where(rows["missing"].notna(), np.nan, rows["amount"].to_numpy(dtype=float))
    found = groups.size().index.to_frame(index=False)
    currency = found["portfolio_id"].map(base)
    total = group_sums(amounts, number, count)
    dollars = total * currency.map(dict(usd)).astype(float).to_numpy()
    reasons: dict[int, list[str]] = {}
    unknown = np.isnan(amounts)
    named = rows["missing"].astype(object).where(rows["missing"].notna(), "no amount")
    for n, text in sorted({(int(n), str(text)) for n, text in zip(number[unknown], named[unknown], strict=True)}):
        reasons.setdefault(n, []).append(text)
    for n in np.flatnonzero(np.isnan(dollars) & ~np.isnan(total)).tolist():
        reasons.setdefault(n, []).append(f"exchange rate of {currency.iat[n]} to USD")
    texts = [_text(reasons.get(n)) for n in range(count)]
    found = found.assign(amount_currency=currency, amount=total, amount_usd=dollars, missing=pd.Series(texts, dtype="str"))
    return found[COLUMNS].astype({**dict.fromkeys([*KEY, "amount_currency"], "str"), "amount": float, "amount_usd": float})


def _text(reasons: list[str] | None) -> str | None:
    if not reasons:
        return None
    more = len(reasons) - REASONS_SHOWN
    return "; ".join(reasons[:REASONS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
