"""How the margin of a portfolio came about, gathered from the published tables.

Belongs here: which rows of which tables concern a portfolio, or one symbol of it. Not here: wording (`explanation_text`), computing a
margin, reading tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from margin_pipeline.reports.layout import records

TABLES = (
    "portfolios",
    "portfolio_margins",
    "portfolio_margin_components",
    "portfolio_method_notes",
    "positions",
    "position_margins",
    "strategy_groups",
    "strategy_group_legs",
    "grouping_proofs",
    "cross_margin_benefits",
    "liquidation_prices",
    "netting_set_margins",
    "house_additions",
    "portfolio_margin_classes",
    "portfolio_margin_groups",
    "eligibility_notes",
    "span_margins",
    "span_positions",
    "margin_reconciliation",
)
"""Tables whose rows of a portfolio are gathered."""

KEY = ["strategy", "symbol"]
JSON_COLUMNS = ("legs", "explanation", "missing", "settings")
OPTION_CLASSES = ("equity_option", "index_option")
NOT_SECURITIES = ("future", "future_option")
ROUNDING, CENT = 1e-9, 0.005


class UnknownSymbolError(LookupError):
    """The portfolio holds no such symbol, nor anything on it; `known` are those that it holds or has something on."""

    def __init__(self, symbol: str, known: set[str]) -> None:
        super().__init__(symbol)
        self.known = known


def document(tables: Mapping[str, pd.DataFrame], calculation: pd.Series, symbol: str | None = None) -> dict[str, Any]:
    """Everything that explains the margin of a portfolio, as JSON takes it.

    Parameters
    ----------
    tables : the portfolio's rows of `TABLES`, of one date.
    calculation : row of margin.calculations.
    symbol : held symbol, or underlying of held ones, to which groups, positions, offsets and liquidation prices are confined; None: all.

    Returns
    -------
    portfolio, governing : its row of portfolios; the row of portfolio_margins of the method that governs it.
    bridge : from equity to margin equity, see `bridge`; empty where they are the same thing.
    components, house_additions : of the governing method.
    other_methods, not_applicable : rows of portfolio_margins and portfolio_method_notes.
    groups : with strategies, who holds the legs; proofs : of the groupings.
    class_groups, product_groups, eligibility, futures_groups : of scenario margin; class groups with their loss at each point.
    positions : with their stand-alone margins; offsets, liquidation_prices, netting_sets : rows of their tables.
    reconciliation : what the broker says, and why it differs.
    calculation : row of margin.calculations.

    Raises
    ------
    UnknownSymbolError : the portfolio holds nothing of the symbol.
    """
    every = {name: _parsed(records(tables[name].drop(columns="portfolio_id", errors="ignore"))) for name in TABLES}
    groups, positions = _with_strategies(tables), _with_margins(tables)
    margins = every["portfolio_margins"]
    governing = next(row for row in margins if row["is_governing"])
    found = {
        "portfolio": {"portfolio_id": str(tables["portfolios"]["portfolio_id"].iloc[0]), **every["portfolios"][0]},
        "symbol": symbol,
        "governing": governing,
        "bridge": bridge(tables["positions"], governing, str(every["portfolios"][0]["account_type"])),
        "components": [row for row in every["portfolio_margin_components"] if row["method"] == governing["method"]],
        "house_additions": [row for row in every["house_additions"] if row["method"] == governing["method"]],
        "other_methods": [row for row in margins if not row["is_governing"]],
        "not_applicable": every["portfolio_method_notes"],
        "groups": groups,
        "proofs": every["grouping_proofs"],
        "positions": positions,
        "offsets": every["cross_margin_benefits"],
        "liquidation_prices": every["liquidation_prices"],
        "class_groups": [_with_points(row) for row in every["portfolio_margin_classes"]],
        "product_groups": every["portfolio_margin_groups"],
        "eligibility": every["eligibility_notes"],
        "futures_positions": every["span_positions"],
        "futures_groups": [_with_points(row) for row in every["span_margins"]],
        "netting_sets": every["netting_set_margins"],
        "reconciliation": every["margin_reconciliation"],
        "calculation": _parsed(records(calculation.to_frame().T))[0],
    }
    return found if symbol is None else found | _confined(found, symbol)


def bridge(positions: pd.DataFrame, governing: Mapping[str, Any], account_type: str) -> list[dict[str, Any]]:
    """From equity to the margin equity of the governing method, both as published; empty where they are the same thing.

    Returns
    -------
    Rows what, amount (base currency, None where it is not known); the last is the sum of the others. Values are net over strategies. What
    long-dated options keep, as they have loan value on their own, is what the values of all options do not explain.
    """
    equity, margin_equity = governing["equity"], governing["margin_equity"]
    if governing["method"] != "strategy_based":
        return []
    net = (
        positions[~positions["asset_class"].isin(NOT_SECURITIES)]
        .groupby("symbol")
        .agg(
            quantity=("quantity", "sum"),
            gross=("quantity", lambda q: q.abs().sum()),
            value=("market_value", "sum"),
            option=("asset_class", _is_option),
        )
    )
    net = net[net["quantity"].abs() > ROUNDING * net["gross"]]
    long = net["quantity"] > 0
    taken = {"long options, paid for in full": long & net["option"], "short options, whose premium is required": ~long & net["option"]}
    if account_type == "cash":
        taken["other securities, paid for in full"] = long & ~net["option"]
    rows = [("equity", equity), *((what, -float(net.loc[rows, "value"].sum())) for what, rows in taken.items() if rows.any())]
    if margin_equity is not None:
        kept = margin_equity - sum(amount for _, amount in rows)
        rows += [("long-dated options on their own keep theirs", kept)] * (abs(kept) > CENT)
    if len(rows) == 1:
        return []
    return [{"what": what, "amount": amount} for what, amount in [*rows, ("margin equity", margin_equity)]]


def _is_option(classes: pd.Series) -> bool:
    return bool(classes.isin(OPTION_CLASSES).all())


def _with_margins(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Positions with what each needs on its own."""
    both = tables["positions"].merge(tables["position_margins"], on=["portfolio_id", *KEY], how="left", validate="one_to_one")
    return _parsed(records(both.drop(columns="portfolio_id")))


def _with_strategies(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Groups with the strategies that hold their legs."""
    groups = _parsed(records(tables["strategy_groups"].drop(columns="portfolio_id")))
    legs = records(tables["strategy_group_legs"].drop(columns="portfolio_id"))
    by_group: dict[str, list[dict[str, Any]]] = {}
    for leg in legs:
        by_group.setdefault(leg.pop("group_id"), []).append(leg)
    return [{**group, "strategies": by_group.get(group["group_id"], [])} for group in groups]


def _with_points(row: dict[str, Any]) -> dict[str, Any]:
    """A class group with the loss at each point, instead of moves and losses apart."""
    moves, losses = row.pop("price_moves"), row.pop("losses")
    volatility = row.pop("volatility_moves", None) or [0.0] * len(moves)
    given = zip(moves, volatility, losses or [], strict=bool(losses))
    points = [{"price_move": move, "volatility_move": shift, "loss": loss} for move, shift, loss in given]
    return {**row, "points": points}


def _parsed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with JSON columns read; `missing` is a list everywhere."""
    for row in rows:
        for name in JSON_COLUMNS:
            text = row.get(name)
            if isinstance(text, str):
                row[name] = json.loads(text) if text[:1] in "[{" else [text]
    return rows


def _confined(found: Mapping[str, Any], symbol: str) -> dict[str, Any]:
    """The parts of a document that concern a symbol."""
    positions = [row for row in found["positions"] if symbol in (row["symbol"], row["underlying"])]
    groups = [row for row in found["groups"] if row["underlying"] == symbol or symbol in {leg["symbol"] for leg in row["legs"]}]
    if not positions and not groups:
        known = {row["symbol"] for row in found["positions"]} | {row["underlying"] for row in found["positions"] if row["underlying"]}
        raise UnknownSymbolError(symbol, known)
    underlyings = {row["underlying"] for row in groups}
    classes = [row for row in found["class_groups"] if row["class_group"] in {symbol, *(row["underlying"] for row in positions)}]
    held = {symbol, *(row["symbol"] for row in positions)}
    futures = {row["class_group"] for row in found["futures_positions"] if row["symbol"] in held}
    return {
        "positions": positions,
        "groups": groups,
        "proofs": [row for row in found["proofs"] if row["underlying"] in underlyings],
        "offsets": [row for row in found["offsets"] if held & {row["symbol_1"], row["symbol_2"]}],
        "class_groups": classes,
        "product_groups": [row for row in found["product_groups"] if row["product_group"] in {c["product_group"] for c in classes}],
        "eligibility": [row for row in found["eligibility"] if row["symbol"] in held],
        "futures_groups": [row for row in found["futures_groups"] if row["class_group"] in futures],
        "liquidation_prices": [row for row in found["liquidation_prices"] if row["symbol"] in held],
        "reconciliation": [row for row in found["reconciliation"] if row["symbol"] in held],
    }
