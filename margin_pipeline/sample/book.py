"""Writes the landing folders of the sample book.

Belongs here: which files each folder holds. Not here: what is in them (the modules beside this one).
"""

from __future__ import annotations

import datetime as dt
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from margin_pipeline.sample import capital, crif, derivatives, mistakes, statements, treasury
from margin_pipeline.sample.closes import SAMPLE_DATES, price_lines
from margin_pipeline.sample.invented_market import DIVIDEND_YIELDS, RATES, derivative_closes, invented_closes
from margin_pipeline.sample.positions import PORTFOLIOS, equity_on, holdings_on, strategy_returns
from margin_pipeline.sample.universe import COLUMNS, DERIVATIVES, instrument_rows

README = """The sample book
===============

Real: the closes of 20 US stocks, the S&P 500 index and five factor ETFs in prices.csv (dividend-adjusted; see the
package's sample/data/NOTICE for where they come from and their licence).

Invented, and the same on every machine: all portfolios, positions, equities, capital figures, credit exposures,
uncleared derivatives, exchange margins and scan ranges, margin schedules, house rates and what brokers ask; the EUR rate and the
prices of BTCPERP, ETHPERP and BUND_2032 (random-looking paths); the prices of futures and options
(Black-Scholes-Merton and Black-76 at realised volatility); the rows of DESK_ERRORS, which are wrong on purpose from
23 December on.

strategy_returns.csv: profit of the positions at those prices; daily_return = profit over the gross value on the day
before.
"""


def write_sample(folder: Path) -> list[dt.date]:
    """Write the landing folders of the sample book, and return their dates.

    The first folder brings the whole history of prices and rates up to its date, the later ones one day each. Files
    that are there already with the same content are left alone.

    Parameters
    ----------
    folder : landing zone to write to; made when absent.
    """
    _write(folder / "README.txt", README)
    for date in SAMPLE_DATES:
        for name, text in _files(date).items():
            _write(folder / date.isoformat() / f"{name}.csv", text)
    return list(SAMPLE_DATES)


def _write(path: Path, text: str) -> None:
    """Write a file in one step, so that no reader sees half of it."""
    content = text.encode()
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]], more_lines: Iterable[str] = ()) -> str:
    lines = [",".join(columns), *(",".join(str(cell) for cell in row) for row in rows), *more_lines]
    return "\n".join(lines) + "\n"


def _dict_rows(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> list[list[str]]:
    return [[row.get(column, "") for column in columns] for row in rows]


def _files(date: dt.date) -> dict[str, str]:
    with_mistakes = date >= mistakes.FIRST_DATE
    files = {
        "portfolios": _portfolios(date, with_mistakes),
        "positions": _positions(date, with_mistakes),
        "instruments": _instruments(with_mistakes),
        "prices": _prices(date, with_mistakes),
        "fx_rates": _fx_rates(date),
        "rates": _csv(("date", "currency", "rate"), [(date, currency, rate) for currency, rate in RATES.items()]),
        "dividends": _csv(("symbol", "dividend_yield"), DIVIDEND_YIELDS.items()),
        "futures_margins": _futures_margins(date),
        "span_parameters": _span_parameters(date),
        "house_margins": _csv(("symbol", "asset_class", "initial_rate", "maintenance_rate"), statements.HOUSE_MARGINS),
        "strategy_returns": _strategy_returns(date),
        **_capital(),
        **_treasury(),
    }
    if date == SAMPLE_DATES[0]:
        files["margin_schedules"] = _margin_schedules()
    if date == SAMPLE_DATES[-1]:
        files["broker_margins"] = _csv(("portfolio_id", "symbol", "initial_margin", "maintenance_margin"), statements.BROKER_MARGINS)
    return files


def _treasury() -> dict[str, str]:
    return {
        "liquidity": _csv(treasury.LIQUIDITY_COLUMNS, treasury.LIQUIDITY),
        "collateral": _csv(treasury.COLLATERAL_COLUMNS, treasury.COLLATERAL),
        "collateral_requirements": _csv(treasury.REQUIREMENT_COLUMNS, treasury.REQUIREMENTS),
        "collateral_eligibility": _csv(treasury.ELIGIBILITY_COLUMNS, treasury.ELIGIBILITY),
    }


def _portfolios(date: dt.date, with_mistakes: bool) -> str:
    equity = equity_on(date)
    rows = [
        (p.portfolio_id, p.account_type, f"{equity[p.portfolio_id]:.2f}", p.base_currency, p.jurisdiction, p.entity_type)
        for p in PORTFOLIOS
    ]
    columns = ("portfolio_id", "account_type", "equity", "base_currency", "jurisdiction", "entity_type")
    return _csv(columns, rows, mistakes.PORTFOLIO_LINES if with_mistakes else ())


def _positions(date: dt.date, with_mistakes: bool) -> str:
    held = holdings_on(date)
    entry, wallet = (held[name].map(lambda x: "" if pd.isna(x) else f"{x:.2f}") for name in ("entry_price", "isolated_wallet"))
    empty = [""] * len(held)
    quantity = held["quantity"].map("{:g}".format)
    rows = zip(held["portfolio_id"], held["strategy"], held["symbol"], quantity, empty, entry, wallet, strict=True)
    columns = ("portfolio_id", "strategy", "symbol", "quantity", "price", "entry_price", "isolated_wallet")
    return _csv(columns, rows, mistakes.POSITION_LINES if with_mistakes else ())


def _instruments(with_mistakes: bool) -> str:
    rows = [*instrument_rows(), mistakes.EXPIRED_OPTION, *([mistakes.INSTRUMENT_ROW] if with_mistakes else [])]
    return _csv(COLUMNS, _dict_rows(COLUMNS, rows))


def _in_folder(dates: pd.Index, date: dt.date) -> pd.Index:
    """Return the dates that the folder brings: everything so far first, then its own day."""
    day = pd.Timestamp(date)
    return dates[dates <= day] if date == SAMPLE_DATES[0] else dates[dates == day]


def _prices(date: dt.date, with_mistakes: bool) -> str:
    day = date.isoformat()
    is_first = date == SAMPLE_DATES[0]
    lines = [line for line in price_lines() if line[:10] == day or (is_first and line[:10] < day)]
    future = derivative_closes()[[d.symbol for d in DERIVATIVES if d.asset_class == "future"]]
    for frame in (invented_closes().drop(columns="fx:EUR"), future):
        lines += _price_rows(frame.loc[_in_folder(frame.index, date)])
    options = derivative_closes()[[d.symbol for d in DERIVATIVES if d.asset_class != "future"]]
    lines += _price_rows(options.loc[[pd.Timestamp(date)]])
    return _csv(("date", "symbol", "close"), [], [*lines, *(mistakes.price_lines(date) if with_mistakes else ())])


def _price_rows(frame: pd.DataFrame) -> list[str]:
    return [f"{day.date()},{symbol},{close:.10g}" for symbol in frame.columns for day, close in frame[symbol].items()]


def _fx_rates(date: dt.date) -> str:
    rate = invented_closes()["fx:EUR"]
    rows = [(day.date(), "EUR", f"{rate[day]:.5f}") for day in _in_folder(rate.index, date)]
    return _csv(("date", "currency", "usd_rate"), rows)


def _futures_margins(date: dt.date) -> str:
    """Return the exchange's margins; the rise of the 27th is announced on the 22nd."""
    rows: list[tuple[object, ...]] = [("ES", "2021-12-20", 12_320, 11_200, 6_160, 5_600), ("MES", "2021-12-20", 1_232, 1_120, 616, 560)]
    if date >= dt.date(2022, 12, 22):
        rows += [("ES", "2022-12-27", 13_420, 12_200, 6_710, 6_100), ("MES", "2022-12-27", 1_342, 1_220, 671, 610)]
    columns = ("root", "effective_date", "initial_overnight", "maintenance_overnight", "initial_intraday", "maintenance_intraday")
    return _csv(columns, rows)


def _span_parameters(date: dt.date) -> str:
    """Return the exchange's terms of the micro contract; the scan range rises with the exchange's margin."""
    terms: list[tuple[object, ...]] = [("MES", "2021-12-20", "price_scan_range", 1_120)]
    if date >= dt.date(2022, 12, 22):
        terms.append(("MES", "2022-12-27", "price_scan_range", 1_220))
    terms += [
        ("MES", "2021-12-20", "volatility_scan_range", 0.05),
        ("MES", "2021-12-20", "short_option_minimum", 25),
        ("MES", "2021-12-20", "extreme_multiple", 3),
        ("MES", "2021-12-20", "extreme_fraction", 0.33),
    ]
    return _csv(("class_group", "effective_date", "term", "value"), terms)


def _margin_schedules() -> str:
    tiers = {"BTC": ("marginal", (0, 100_000, 500_000, 2_000_000)), "ETH": ("bracket", (0, 50_000, 250_000, 1_000_000))}
    rates = ((0.10, 0.05), (0.125, 0.0625), (0.20, 0.10), (0.50, 0.25))
    rows = [
        (schedule, mode, threshold, initial, maintenance, "USD", "2020-01-02")
        for schedule, (mode, thresholds) in tiers.items()
        for threshold, (initial, maintenance) in zip(thresholds, rates, strict=True)
    ]
    return _csv(("schedule", "mode", "threshold", "initial_rate", "maintenance_rate", "currency", "effective_date"), rows)


def _strategy_returns(date: dt.date) -> str:
    results = strategy_returns(date)
    rows = [(row.date.date(), row.portfolio_id, row.strategy, f"{row.daily_return:.8f}", f"{row.pnl:.2f}") for row in results.itertuples()]
    return _csv(("date", "portfolio_id", "strategy", "daily_return", "pnl"), rows)


def _capital() -> dict[str, str]:
    exposure_columns = ("portfolio_id", "exposure_id", "exposure_class", "rating", "amount", "currency", "maturity", "loan_to_value")
    return {
        "entity_figures": _csv(("portfolio_id", "figure", "value", "currency"), capital.ENTITY_FIGURES),
        "exposures": _csv(exposure_columns, capital.EXPOSURES),
        "netting_sets": _sparse(derivatives.NETTING_SETS),
        "otc_trades": _sparse(derivatives.OTC_TRADES),
        "crif": _sparse(crif.crif_rows()),
    }


def _sparse(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows with the columns that any of them has, in the order of their first use."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return _csv(columns, [[row.get(column, "") for column in columns] for row in rows])
