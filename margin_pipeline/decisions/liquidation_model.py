"""What closing blocks does to the governing margin: a convex bound that a linear program can hold.

Belongs here: the requirement as a function of the units that are closed. Not here: blocks (`liquidation_book`), the program, verification.

Groups and positions on their own need in proportion to what is left of them: what is left of a grouping is admissible, so that the best
grouping of the rest needs no more; a schedule's bracket can only fall. Scenario losses are linear in quantity: of a product group the
margin is the greatest over points of sum over class groups max(l, p l), with l the loss and p the offset of gains, and at least the
minimums, which is convex. Charges and credits of SPAN between expiries and commodities are not: they count as they are today, and
verification corrects them.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from margin_pipeline.decisions.liquidation_book import Blocks
from margin_pipeline.decisions.trading_cost import added
from margin_pipeline.margin.margin_equity import LOAN_VALUE_STRUCTURES, security_values
from margin_pipeline.margin.portfolio_margin import portfolio_margin
from margin_pipeline.margin.span.margin import span_margins
from margin_pipeline.parameters.option_rates import option_rates

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
KEY = ["portfolio_id", "strategy", "symbol"]
AMPLE_EQUITY = 1e12


@dataclass(frozen=True)
class UnitScenarios:
    """Scenario losses of single positions.

    Attributes
    ----------
    frame : one row a position with scenario margin: KEY, class_group, product_group, gain_offset, minimum (base currency, its own).
    losses : (n, k) base currency, positive = money lost.
    """

    frame: pd.DataFrame
    losses: Floats


@dataclass(frozen=True)
class MarginModel:
    """Requirement of one portfolio by units closed, (J,); base currency.

    Attributes
    ----------
    total : what needs margin in proportion needs today.
    linear : (J,) of it one unit of each block.
    losses : (C, k) losses of class groups today.
    block_losses : (C k, J) of them one unit of each block.
    product : (C,) product group of each class group.
    offset, minimum : (G,) part of gains that counts, and sum of minimums, by product group.
    block_minimum : (G, J) of it one unit of each block.
    equity : (J,) what margin equity gains when one unit of a block is closed.
    """

    total: float
    linear: Floats
    losses: Floats
    block_losses: Any
    product: Integers
    offset: Floats
    minimum: Floats
    block_minimum: Any
    equity: Floats

    def after(self, closed: Floats) -> tuple[float, Floats]:
        """Requirement after closing, and the fall that one unit of each block brings there, (J,)."""
        fall = self.linear.copy()
        needed = self.total - float(self.linear @ closed)
        if len(self.offset):
            points = self.losses.shape[1]
            loss = self.losses - (self.block_losses @ closed).reshape(self.losses.shape)
            p = self.offset[self.product][:, None]
            counted = np.maximum(loss, p * loss)
            by_group = np.zeros((len(self.offset), points))
            np.add.at(by_group, self.product, counted)
            minimum = self.minimum - self.block_minimum @ closed
            worst = by_group.argmax(axis=1)
            greatest = by_group[np.arange(len(worst)), worst]
            needed += float(np.maximum(np.maximum(greatest, minimum), 0.0).sum())
            row = np.arange(len(self.product)) * points + worst[self.product]
            weight = np.where(loss[np.arange(len(self.product)), worst[self.product]] >= 0, 1.0, p[:, 0])
            weight = np.where(((greatest >= minimum) & (greatest > 0))[self.product], weight, 0.0)
            fall += self.block_losses[row].T @ weight
            fall += self.block_minimum.T @ ((minimum > greatest) & (minimum > 0)).astype(float)
        return needed, fall


def unit_scenarios(tables: Mapping[str, pd.DataFrame], names: frozenset[str], as_of: dt.date, threads: int = 1) -> UnitScenarios:
    """Scenario losses of every position of some portfolios that scenarios margin, each as if it were alone.

    Parameters
    ----------
    tables : frames by table name: those that margins are made of, and the tables of scenario margin.
    names : portfolios that portfolio_margin or futures govern.
    as_of : business date.
    threads : chunks of options at once.
    """
    portfolios = tables["portfolios"]
    account = portfolios.set_index("portfolio_id")["account_type"]
    parts, losses = [], []
    for method, covered in (("portfolio_margin", tables["portfolio_margin_positions"]), ("futures", tables["span_positions"])):
        mine = covered[covered["portfolio_id"].isin(names) & (covered["portfolio_id"].map(account) == method)]
        if mine.empty:
            continue
        rows = tables["positions"].merge(mine[KEY], on=KEY, how="inner")
        rows = rows[rows["quantity"] != 0].reset_index(drop=True)
        frame, values = _alone(tables, rows, method, as_of, threads)
        parts.append(frame)
        losses.append(values)
    if not parts:
        columns = [*KEY, "class_group", "product_group", "gain_offset", "minimum"]
        return UnitScenarios(pd.DataFrame(columns=columns), np.zeros((0, 1)))
    width = max(values.shape[1] for values in losses)
    # Points that a method does not have repeat its first one: the greatest loss is the same.
    wide = [np.concatenate([v, np.repeat(v[:, :1], width - v.shape[1], axis=1)], axis=1) for v in losses]
    return UnitScenarios(pd.concat(parts, ignore_index=True), np.concatenate(wide))


def _alone(
    tables: Mapping[str, pd.DataFrame], rows: pd.DataFrame, method: str, as_of: dt.date, threads: int
) -> tuple[pd.DataFrame, Floats]:
    """Every position as the only one of an account of its own."""
    owner = rows["portfolio_id"].map(tables["portfolios"].set_index("portfolio_id")["base_currency"])
    own = pd.Series([f"{place:09d}" for place in range(len(rows))], dtype="str")
    accounts = pd.DataFrame({"portfolio_id": own, "account_type": method, "equity": AMPLE_EQUITY, "base_currency": owner.to_numpy(object)})
    accounts = accounts.astype(dict.fromkeys(("portfolio_id", "account_type", "base_currency"), "str"))
    single = rows.assign(portfolio_id=own)
    if method == "portfolio_margin":
        market = (tables["prices"], tables["fx_rates"], tables["rates"], tables["dividends"], as_of, tables.get("house_margins"))
        found = portfolio_margin(single, tables["instruments"], accounts, *market, threads=threads)
        classes = found.classes.merge(found.groups[["portfolio_id", "product_group", "gain_offset"]], on=["portfolio_id", "product_group"])
        minimum = classes["contract_minimum"].to_numpy(np.float64)
    else:
        terms = (tables["prices"], tables["rates"], tables["risk_arrays"], tables["span_parameters"], as_of)
        classes = span_margins(single, tables["instruments"], accounts, *terms, threads=threads).margins
        classes = classes.assign(product_group=classes["class_group"], gain_offset=0.0)
        minimum = classes["short_option_minimum"].to_numpy(np.float64)
    classes = classes.assign(minimum=minimum)
    place = pd.Index(classes["portfolio_id"]).get_indexer(pd.Index(own))
    columns = ["class_group", "product_group", "gain_offset", "minimum"]
    taken = classes[[*columns, "losses"]].iloc[np.maximum(place, 0)].reset_index(drop=True)
    frame = pd.concat([rows[KEY], taken[columns]], axis=1)
    points = max((len(v) for v in classes["losses"] if v is not None), default=1)
    blank = np.full(points, np.nan)
    values = [v if p >= 0 and v is not None else blank for v, p in zip(taken["losses"], place, strict=True)]
    return frame, np.array(values, dtype=np.float64).reshape(len(rows), points)


def margin_model(
    portfolio: pd.Series,
    method: str,
    positions: pd.DataFrame,
    groups: pd.DataFrame,
    margins: pd.DataFrame,
    blocks: Blocks,
    symbols: pd.DataFrame,
    scenarios: UnitScenarios,
    tables: Mapping[str, pd.DataFrame],
    as_of: dt.date,
) -> MarginModel:
    """The requirement of one portfolio by units closed.

    Parameters
    ----------
    portfolio : its row of portfolios.
    method : its governing method.
    positions, groups, margins : its rows of positions, strategy_groups, position_margins, indexed from 0 in one order of positions.
    blocks, symbols : its blocks, and the symbols that they number.
    scenarios : scenario losses of positions.
    tables : frames by table name.
    as_of : business date.
    """
    count = len(blocks)
    held = positions["quantity"].to_numpy(np.float64)
    place = pd.MultiIndex.from_frame(scenarios.frame[KEY].astype(object)).get_indexer(
        pd.MultiIndex.from_frame(positions[KEY].astype(object))
    )
    covered = place >= 0
    own = margins["maintenance_margin"].to_numpy(np.float64)
    by_groups = method == "strategy_based"
    grouped = positions["symbol"].isin(_grouped(groups)).to_numpy() & by_groups
    alone = np.where(covered | grouped | (held == 0), 0.0, own)
    group_margin = groups["maintenance_margin"].to_numpy(np.float64) if by_groups else np.zeros(len(groups))
    total = float(alone.sum() + group_margin.sum())
    a_unit = _a_unit(alone, positions, symbols)
    size = np.abs(blocks.quantity)
    linear = added(blocks.block, size * _of_entries(a_unit, alone, held, blocks), count)
    in_group = blocks.group >= 0
    linear[in_group] += np.divide(group_margin[blocks.group[in_group]], groups["units"].to_numpy(np.float64)[blocks.group[in_group]])
    scenario = _scenario_part(positions, blocks, symbols, scenarios, place)
    equity = _equity(portfolio, positions, groups, blocks, symbols, tables, as_of) if by_groups else np.zeros(count)
    return MarginModel(total, linear, *scenario, equity)


def _grouped(groups: pd.DataFrame) -> set[str]:
    return {str(leg["symbol"]) for text in groups["legs"] for leg in (json.loads(text) if isinstance(text, str) else text)}


def _a_unit(values: Floats, positions: pd.DataFrame, symbols: pd.DataFrame) -> Floats:
    """(m,) of each symbol the value of one unit, averaged over positions by size."""
    number = pd.Index(symbols["symbol"]).get_indexer(pd.Index(positions["symbol"]))
    size = added(number, np.abs(positions["quantity"].to_numpy(np.float64)), len(symbols))
    return np.divide(added(number, values, len(symbols)), size, out=np.zeros(len(symbols)), where=size > 0)


def _of_entries(a_unit: Floats, values: Floats, held: Floats, blocks: Blocks) -> Floats:
    """(E,) value of one unit of each entry: of the position itself where it is a block of its own."""
    found = a_unit[blocks.symbol].copy()
    for entry in np.flatnonzero(blocks.group[blocks.block] < 0).tolist():
        row = blocks.rows[entry][0]
        found[entry] = values[row] / abs(held[row])
    return found


def _scenario_part(
    positions: pd.DataFrame, blocks: Blocks, symbols: pd.DataFrame, scenarios: UnitScenarios, place: Integers
) -> tuple[Floats, Any, Integers, Floats, Floats, Any]:
    """Losses and minimums of class groups and product groups, and what one unit of each block has of them."""
    count, points = len(blocks), scenarios.losses.shape[1]
    rows = np.flatnonzero(place >= 0)
    if not len(rows):
        nothing = np.zeros(0)
        return np.zeros((0, points)), sparse.csr_array((0, count)), nothing.astype(np.int64), nothing, nothing, sparse.csr_array((0, count))
    frame = scenarios.frame.iloc[place[rows]]
    losses = scenarios.losses[place[rows]]
    classes, class_of = np.unique(frame["class_group"].to_numpy(str), return_inverse=True)
    names, product_of = np.unique(frame["product_group"].to_numpy(str), return_inverse=True)
    product = np.zeros(len(classes), dtype=np.int64)
    product[class_of] = product_of
    offset = np.zeros(len(names))
    offset[product_of] = frame["gain_offset"].to_numpy(np.float64)
    total = np.zeros((len(classes), points))
    np.add.at(total, class_of, losses)
    held = positions["quantity"].to_numpy(np.float64)[rows]
    number = pd.Index(symbols["symbol"]).get_indexer(pd.Index(positions["symbol"].iloc[rows]))
    minimum_of = _net_minimums(number, held, frame["minimum"].to_numpy(np.float64))
    minimum = added(product_of, minimum_of, len(names))
    # One unit of a symbol held long, averaged over positions by size; strategies may mark it differently.
    size = added(number, np.abs(held), len(symbols))
    unit = np.zeros((len(symbols), points))
    np.add.at(unit, number, losses * np.sign(held)[:, None])
    unit = np.divide(unit, size[:, None], out=np.zeros_like(unit), where=size[:, None] > 0)
    net = np.abs(added(number, held, len(symbols)))
    unit_minimum = np.divide(added(number, minimum_of, len(symbols)), net, out=np.zeros(len(symbols)), where=net > 0)
    class_of_symbol = np.full(len(symbols), -1)
    class_of_symbol[number] = class_of
    entry = np.flatnonzero(class_of_symbol[blocks.symbol] >= 0)
    at = blocks.symbol[entry]
    values = unit[at] * blocks.quantity[entry][:, None]
    row = class_of_symbol[at][:, None] * points + np.arange(points)
    column = np.repeat(blocks.block[entry], points)
    block_losses = sparse.coo_array((values.reshape(-1), (row.reshape(-1), column)), shape=(len(classes) * points, count)).tocsr()
    least = (unit_minimum[at] * np.abs(blocks.quantity[entry]), (product[class_of_symbol[at]], blocks.block[entry]))
    return total, block_losses, product, offset, minimum, sparse.coo_array(least, shape=(len(names), count)).tocsr()


def _net_minimums(number: Integers, held: Floats, minimum: Floats) -> Floats:
    """(r,) part of each position in the minimum of the net contracts of its series."""
    gross = np.bincount(number, np.abs(held))
    net = np.abs(np.bincount(number, held))
    share = np.divide(net, gross, out=np.zeros(len(gross)), where=gross > 0)
    return minimum * share[number]


def _equity(
    portfolio: pd.Series,
    positions: pd.DataFrame,
    groups: pd.DataFrame,
    blocks: Blocks,
    symbols: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    as_of: dt.date,
) -> Floats:
    """(J,) margin equity that one unit brings: the value of options that did not count, of a cash account all that is paid for."""
    owner = tables["portfolios"][tables["portfolios"]["portfolio_id"] == portfolio["portfolio_id"]]
    values = security_values(positions, tables["instruments"], owner, option_rates(as_of), as_of)
    full = np.zeros(len(positions))
    full[positions.index.get_indexer(values.index)] = values["market_value"].to_numpy(np.float64)
    price = _a_unit(np.abs(full), positions, symbols)
    option, dated = np.zeros(len(symbols), dtype=bool), np.zeros(len(symbols), dtype=bool)
    number = pd.Index(symbols["symbol"]).get_indexer(pd.Index(values["symbol"]))
    option[number], dated[number] = values["option"].to_numpy(bool), values["long_dated"].to_numpy(bool)
    cash = str(portfolio["account_type"]) == "cash"
    structure = groups["structure"].to_numpy(object)
    on_its_own = np.array([g >= 0 and structure[g] in LOAN_VALUE_STRUCTURES for g in blocks.group.tolist()], dtype=bool)[blocks.block]
    long = blocks.quantity > 0
    kept = dated[blocks.symbol] & long & on_its_own & (not cash)
    counted = (option[blocks.symbol] | (cash & long)) & ~kept
    return added(blocks.block, np.where(counted, blocks.quantity * price[blocks.symbol], 0.0), len(blocks))
