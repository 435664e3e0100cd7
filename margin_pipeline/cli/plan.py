"""`margin-pipeline plan`: trades of least cost that bring a portfolio down to a utilization of one's own; nothing is written.

Belongs here: reading the call and the tables that one portfolio needs. Not here: plans (`decisions.liquidation_plan`), layout
(`reports.plan_text`).
"""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING

import pandas as pd

from margin_pipeline import cli
from margin_pipeline.cli import published
from margin_pipeline.cli.what_if import portfolio_tables

if TYPE_CHECKING:
    import datetime as dt

    from margin_pipeline.storage.snapshot import Snapshot

OF_PORTFOLIO = (
    "positions", "position_margins", "strategy_groups", "portfolio_margins", "portfolio_margin_positions", "span_positions",
)  # fmt: skip
"""Published results of the portfolio that a plan starts from."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("plan", help="trades of least cost down to a utilization", description=__doc__.splitlines()[0])
    published.add_arguments(parser)
    parser.add_argument(
        "--target",
        type=_fraction,
        metavar="FRACTION",
        help="utilization to come down to, above 0 and up to 1 (default: that of the rules, as in the table liquidation_plans)",
    )
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="csv: one row a trade (default: table)")


def run(args: argparse.Namespace) -> int:
    """Find the plan; gives the exit status."""
    from margin_pipeline.decisions.liquidation_plan import liquidation_plans
    from margin_pipeline.reports import plan_text

    with published.results(args.settings) as snapshot:
        calculation = published.calculation(snapshot, args.as_of)
        portfolios = published.portfolio(snapshot, calculation.as_of, args.portfolio)
        tables = _tables(snapshot, calculation.as_of, portfolios)
    targets = None if args.target is None else {args.portfolio: args.target}
    found = liquidation_plans(tables, published.setting(calculation), targets=targets, threads=args.settings.threads)
    plan_text.show(found, calculation.as_of, str(portfolios["base_currency"][0]), args.format, sys.stdout)
    return cli.DONE


def _tables(snapshot: Snapshot, as_of: dt.date, portfolios: pd.DataFrame) -> dict[str, pd.DataFrame]:
    owner = [str(portfolios["portfolio_id"][0])]
    tables = portfolio_tables(snapshot, as_of, portfolios, [])
    symbols = set(tables["position_records"]["symbol"])
    return tables | {
        **{name: snapshot.rows(name, as_of, portfolio_id=owner) for name in OF_PORTFOLIO},
        "liquidity": snapshot.rows("liquidity", as_of, symbol=symbols),
    }


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no utilization above 0 and up to 1; write 0.75 for 75 %")
    return value
