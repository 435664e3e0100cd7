"""`margin-pipeline explain`: how the margin of a portfolio, or of one symbol in it, came about.

Belongs here: reading the published rows and printing. Not here: which rows explain what, wording (`reports`).
"""

from __future__ import annotations

import argparse
import json
import sys

from margin_pipeline import cli
from margin_pipeline.cli import published


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("explain", help="how a margin came about", description=__doc__.splitlines()[0])
    published.add_arguments(parser)
    parser.add_argument(
        "symbol", nargs="?", metavar="SYMBOL", help="held symbol, or underlying of held ones: only what concerns it, in full"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="text for people, or everything as JSON")


def run(args: argparse.Namespace) -> int:
    """Explain; gives the exit status."""
    from margin_pipeline.decisions.trades import near
    from margin_pipeline.reports import explanation, explanation_text

    with published.results(args.settings) as snapshot:
        calculation = published.calculation(snapshot, args.as_of)
        published.portfolio(snapshot, calculation.as_of, args.portfolio)
        tables = {name: snapshot.rows(name, calculation.as_of, portfolio_id=[args.portfolio]) for name in explanation.TABLES}
    try:
        found = explanation.document(tables, calculation.row, args.symbol)
    except explanation.UnknownSymbolError as error:
        hint = near(args.symbol, error.known)
        raise cli.UsageError(f"{args.portfolio} holds nothing in {args.symbol} on {calculation.as_of}{hint}") from None
    if args.format == "json":
        json.dump(found, sys.stdout, ensure_ascii=False, indent=1, allow_nan=False)
        print()
    else:
        print("\n".join(explanation_text.text(found)))
    return cli.DONE
