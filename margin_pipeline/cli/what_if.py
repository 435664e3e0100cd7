"""`margin-pipeline what-if`: margin of a portfolio before and after trades; nothing is written.

Belongs here: reading the trades of the call and the tables that one portfolio needs. Not here: margin (`decisions.what_if`), layout
(`reports.comparison`).
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from margin_pipeline import cli
from margin_pipeline.cli import published

if TYPE_CHECKING:
    from margin_pipeline.storage.snapshot import Snapshot

SESSIONS = 10
"""Sessions of prices and exchange rates that the stages of the chain read."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("what-if", help="margin before and after trades, writing nothing", description=__doc__.splitlines()[0])
    published.add_arguments(parser)
    parser.add_argument(
        "--trade",
        action="append",
        required=True,
        metavar="SYMBOL=QTY",
        help="a trade at the mark, sales negative; can be repeated, equal symbols add up",
    )
    parser.add_argument("--strategy", help='strategy that trades (default: holdings are closed first, the rest goes to "what_if")')
    parser.add_argument("--fee", type=float, default=0.0, help="what the trades cost besides their price, base currency (default: 0)")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="csv: one row a method (default: table)")


def run(args: argparse.Namespace) -> int:
    """Think the trades through; gives the exit status."""
    from margin_pipeline.decisions.trades import TradeError
    from margin_pipeline.decisions.what_if import what_if
    from margin_pipeline.reports import comparison

    trades = [trade(text) for text in args.trade]
    with published.results(args.settings) as snapshot:
        calculation = published.calculation(snapshot, args.as_of)
        portfolios = published.portfolio(snapshot, calculation.as_of, args.portfolio)
        tables = portfolio_tables(snapshot, calculation.as_of, portfolios, [symbol for symbol, _ in trades])
        known = snapshot.rows("portfolio_margins", calculation.as_of, portfolio_id=[args.portfolio])
    try:
        found = what_if(tables, args.portfolio, trades, published.setting(calculation), strategy=args.strategy, fee=args.fee)
    except TradeError as error:
        raise cli.UsageError(str(error)) from None
    remarks = comparison.remarks(found, known, str(calculation.row["code_version"]))
    comparison.show(found, args.portfolio, calculation.as_of, str(portfolios["base_currency"][0]), remarks, args.format, sys.stdout)
    return cli.DONE


def trade(text: str) -> tuple[str, float]:
    """Symbol and quantity of `SYMBOL=QTY`; a symbol may hold equals signs itself.

    Raises
    ------
    UsageError : it is not written so.
    """
    symbol, _, quantity = text.rpartition("=")
    if not symbol.strip():
        raise cli.UsageError(f"--trade {text}: write SYMBOL=QTY, e.g. AAPL=100 to buy or AAPL=-100 to sell")
    try:
        return symbol.strip(), float(quantity)
    except ValueError:
        raise cli.UsageError(f'--trade {text}: "{quantity}" is not a number; write e.g. {symbol}=-5') from None


def portfolio_tables(snapshot: Snapshot, as_of: dt.date, portfolios: pd.DataFrame, symbols: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The part of the published tables that the margin of one portfolio depends on.

    Parameters
    ----------
    portfolios : its row of portfolios.
    symbols : symbols that count besides those it holds.

    Raises
    ------
    UsageError : a symbol is not among the instruments of the date.
    """
    from margin_pipeline.decisions.trades import near
    from margin_pipeline.margin.methods import COMPUTED

    owner = [str(portfolios["portfolio_id"][0])]
    records = snapshot.rows("position_records", as_of, portfolio_id=owner)
    instruments = _instruments(snapshot, as_of, {*records["symbol"], *symbols})
    for symbol in symbols:
        if symbol not in set(instruments["symbol"]):
            known = snapshot.rows("instruments", as_of)["symbol"]
            raise cli.UsageError(f"{symbol} is not among the instruments of {as_of}{near(symbol, known)}")
    factors = {*instruments["symbol"], *instruments["underlying"].dropna()}
    offsets = "cross_margin" in COMPUTED[str(portfolios["account_type"][0])]
    return {
        "portfolios": portfolios,
        "position_records": records,
        "rejected_rows": snapshot.rows("rejected_rows", as_of),
        "instruments": instruments,
        "prices": snapshot.history("prices", as_of, sessions=SESSIONS, symbol=factors),
        "fx_rates": snapshot.history("fx_rates", as_of, sessions=SESSIONS),
        "rates": snapshot.history("rates", as_of),
        "dividends": snapshot.rows("dividends", as_of, symbol=factors),
        "futures_margins": snapshot.history("futures_margins", as_of),
        "margin_schedules": snapshot.history("margin_schedules", as_of),
        "margin_rates": snapshot.history("margin_rates", as_of),
        "house_margins": snapshot.rows("house_margins", as_of),
        "risk_arrays": snapshot.rows("risk_arrays", as_of, symbol=factors),
        "span_parameters": snapshot.history("span_parameters", as_of),
        # Offsets scale exposure by beta unless no symbol at all has one, so all of them count there.
        "symbol_risk": snapshot.rows("symbol_risk", as_of, **({} if offsets else {"symbol": factors})),
        "correlation_matrices": snapshot.rows("correlation_matrices", as_of) if offsets else pd.DataFrame(columns=["symbols", "triangle"]),
    }


def _instruments(snapshot: Snapshot, as_of: dt.date, symbols: set[str]) -> pd.DataFrame:
    """Instruments of symbols, their underlyings, and what is beneath those."""
    wanted = symbols
    while True:
        found = snapshot.rows("instruments", as_of, symbol=wanted)
        beneath = {*wanted, *found["underlying"].dropna()}
        if beneath == wanted:
            return found
        wanted = beneath
