"""How margin equity and maintenance margin of portfolios move with each risk factor.

Belongs here: the margin stages at small moves of all prices, taken apart by underlying. Not here: probabilities (`risk.forecast`), rules.

All prices move up and down by a bump at once. Every position, group and class group depends on one underlying, so what each of them earns
and needs then is what it would if its own underlying moved alone: two recalculations give the slope (f₊ − f₋)/2b and the curvature
(f₊ − 2f + f₋)/b² of all of them. Options are valued in full at both ends. Groups of options are kept, which bounds what the best ones need.

Conventions
-----------
- What is grouped over several risk factors (a fund and options on its index) moves with the one of greatest exposure.
- Of `portfolio_margin` each class group moves alone within its product group (`scenario_sensitivities`). SPAN-style class groups of futures
  move together, so that each has the share of credits that it is given; arrays of the exchange and rates a contract stay.
- Exchange rates: market values and requirements in another currency grow in proportion to it; amounts that rules state in dollars, too.
- Volatility, rates and correlations stay, and time does not pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from margin_pipeline.decisions.forecast_units import units_of
from margin_pipeline.decisions.scenario_sensitivities import by_scenario, class_margins, futures_margins
from margin_pipeline.decisions.shocked_margins import margins_after, prepare
from margin_pipeline.decisions.shocked_scenarios import shocked_scenario_tables
from margin_pipeline.decisions.shocked_tables import MarginInputs, after_shock
from margin_pipeline.margin.models.foreign import UserModel
from margin_pipeline.margin.scenario.class_groups import class_groups
from margin_pipeline.margin.scenario_tables import POSITION_KEY, ScenarioTables
from margin_pipeline.parameters.portfolio_margin import portfolio_margin_rules
from margin_pipeline.parameters.stress import Scenario, StressRules
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.forecast import SLOPES
from margin_pipeline.risk.risk_factors import currency_factor
from margin_pipeline.risk.stress import ShockedPositions, shocked_positions

Floats = npt.NDArray[Any]

SCENARIO_ACCOUNTS = ("portfolio_margin", "futures")
_PORTFOLIO_FACTOR = ["portfolio_id", "risk_factor"]
_STILL, _UP, _DOWN = 0, 1, 2


@dataclass(frozen=True)
class Sensitivities:
    """Sensitivities of portfolios.

    Attributes
    ----------
    rows : frame portfolio_id, risk_factor and `SLOPES`, base currency for a relative move of 1 (or a squared one); rows of one portfolio
        and factor add up. Every factor of a held position has a row, also without any slope.
    lacking : reasons of portfolios that lack something, by name.
    """

    rows: pd.DataFrame
    lacking: dict[str, set[str]]


def sensitivities(
    inputs: MarginInputs,
    rules: StressRules,
    bump: float,
    benchmark: str,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    *,
    models: Mapping[str, UserModel] | None = None,
    threads: int = 1,
) -> Sensitivities:
    """Sensitivities of margin equity and maintenance margin of every portfolio under its governing method.

    Parameters
    ----------
    inputs : the book; portfolios of type otc have no sensitivities.
    rules : sizes of stress tests; groups are kept whatever their number.
    bump : relative move up and down.
    benchmark : symbol that beta is against (no move here depends on it).
    thresholds : utilization from which "warning", "critical" and "emergency" begin.
    as_of : business date.
    models : user models by name; None: those that installed packages bring.
    threads : chunks of options at once; the result does not depend on it.
    """
    rules = replace(rules, scenarios=_bumps(inputs, bump, rules), regroup_legs_up_to=-1, cross_margin_positions_up_to=-1)
    owners = inputs.portfolios[inputs.portfolios["account_type"] != "otc"].sort_values("portfolio_id", kind="stable", ignore_index=True)
    held = inputs.positions["portfolio_id"].isin(owners["portfolio_id"]) & (inputs.positions["quantity"] != 0)
    positions = inputs.positions[held].sort_values(POSITION_KEY, kind="stable", ignore_index=True)
    inputs = replace(inputs, positions=positions, portfolios=owners)
    market = (inputs.prices, inputs.rates, inputs.dividends)
    exposed = risk_positions(positions, inputs.instruments, owners, *market, as_of)
    shocked = _shocked(inputs, rules, benchmark, as_of, threads)
    lacking = _lacking(exposed, shocked)
    # A portfolio with a gap has no forecast: nothing of it is looked at any more.
    whole = ~positions["portfolio_id"].isin(list(lacking)).to_numpy()
    inputs = replace(inputs, positions=positions[whole].reset_index(drop=True), portfolios=_without(owners, lacking))
    found = [_earned(exposed[whole], shocked.pnl[whole], bump), _currencies(exposed[whole])]
    exposed = exposed[whole].reset_index(drop=True)
    tables = _scenario_tables(inputs, rules, benchmark, as_of, threads)
    if tables is not None:
        found.append(_of_scenarios(tables, inputs, exposed, bump))
    alone = inputs.positions[~_covered(inputs, tables)].reset_index(drop=True)
    if len(alone):
        needed = _of_units(replace(inputs, positions=alone), rules, benchmark, thresholds, as_of, models, threads)
        found.append(_of_additive(needed, exposed, bump))
    rows = pd.concat(found, ignore_index=True)
    unknown = rows[rows[["risk_factor", *SLOPES]].isna().any(axis=1)]
    for portfolio_id, factor in unknown[_PORTFOLIO_FACTOR].itertuples(index=False, name=None):
        lacking.setdefault(str(portfolio_id), set()).add(f"{factor}: its margin after a small move is not known")
    return Sensitivities(_without(rows, lacking)[[*_PORTFOLIO_FACTOR, *SLOPES]], lacking)


def _bumps(inputs: MarginInputs, bump: float, rules: StressRules) -> tuple[Scenario, ...]:
    """No move, and one up and down, of everything that has a price."""
    names = sorted({*inputs.instruments["symbol"].astype(str), *inputs.instruments["underlying"].dropna().astype(str)})
    return tuple(
        Scenario(name, "every price moves by a little", "sensitivities", rules.default_criteria, symbols=dict.fromkeys(names, move))
        for name, move in (("still", 0.0), ("up", bump), ("down", -bump))
    )


def _shocked(inputs: MarginInputs, rules: StressRules, benchmark: str, as_of: dt.date, threads: int) -> ShockedPositions:
    tables = (inputs.instruments, inputs.portfolios, inputs.prices, inputs.rates, inputs.dividends, inputs.symbol_risk)
    return shocked_positions(inputs.positions, *tables, rules.scenarios, benchmark, as_of, threads=threads)


def _without(frame: pd.DataFrame, lacking: Mapping[str, set[str]]) -> pd.DataFrame:
    return frame[~frame["portfolio_id"].isin(list(lacking))].reset_index(drop=True)


def _lacking(exposed: pd.DataFrame, shocked: ShockedPositions) -> dict[str, set[str]]:
    reasons = pd.Series(shocked.missing[:, _UP], dtype=object)
    found: dict[str, set[str]] = {}
    for portfolio_id, own, reason in zip(exposed["portfolio_id"], exposed["missing"], reasons, strict=True):
        text = own if pd.notna(own) else reason
        if pd.notna(text):
            found.setdefault(str(portfolio_id), set()).add(str(text))
    return found


def _slopes(values: Floats, bump: float) -> tuple[Floats, Floats]:
    """Slope and curvature of (n, 3) values at no move, up and down."""
    still, up, down = values[:, _STILL], values[:, _UP], values[:, _DOWN]
    return (up - down) / (2.0 * bump), (up - 2.0 * still + down) / bump**2


def _rows(portfolio_id: Any, factor: Any, **slopes: Floats) -> pd.DataFrame:
    given = {name: np.asarray(slopes.get(name, 0.0), dtype=float) for name in SLOPES}
    count = len(portfolio_id)
    columns = {name: np.broadcast_to(values, (count,)) for name, values in given.items()}
    frame = pd.DataFrame(
        {"portfolio_id": np.asarray(portfolio_id, dtype=object), "risk_factor": np.asarray(factor, dtype=object), **columns}
    )
    return frame.astype(dict.fromkeys(_PORTFOLIO_FACTOR, "str"))


def _earned(exposed: pd.DataFrame, pnl: Floats, bump: float) -> pd.DataFrame:
    """What positions earn with their own risk factor."""
    slope, curvature = _slopes(pnl, bump)
    # A curvature within the rounding of the profits it is a difference of is none.
    curvature = np.where(np.abs(curvature) * bump**2 <= 1e-10 * np.abs(slope) * bump, 0.0, curvature)
    gross = np.abs(slope)
    owner = (exposed["portfolio_id"], exposed["risk_factor"].astype(object))
    return _rows(*owner, equity_slope=slope, equity_curvature=curvature, gross_slope=gross)


def _currencies(exposed: pd.DataFrame) -> pd.DataFrame:
    """What value held in another currency earns with exchange rates."""
    held = exposed[exposed["currency"] != exposed["base_currency"]]
    value = held["currency_exposure"].to_numpy(float)
    return _in_currencies(held, held["portfolio_id"], value, "equity_slope")


def _in_currencies(rows: pd.DataFrame, portfolio_id: pd.Series, amount: Floats, slope: str) -> pd.DataFrame:
    """Slopes of amounts in exchange rates: with their own currency, against that of the portfolio; the dollar is no factor."""
    parts = []
    for name, sign in (("currency", 1.0), ("base_currency", -1.0)):
        factor = currency_factor(rows[name].astype(object))
        moved = factor.notna().to_numpy()
        given = {slope: sign * amount[moved], "gross_slope": np.abs(amount[moved])}
        parts.append(_rows(portfolio_id[moved], factor[moved], **given))
    return pd.concat(parts, ignore_index=True)


def _scenario_tables(inputs: MarginInputs, rules: StressRules, benchmark: str, as_of: dt.date, threads: int) -> ScenarioTables | None:
    """Scenario margin at the bumps of portfolios that it governs, names as of `in_scenario`; None where there are none."""
    owners = inputs.portfolios[inputs.portfolios["account_type"].isin(SCENARIO_ACCOUNTS)]
    held = inputs.positions["portfolio_id"].isin(owners["portfolio_id"])
    if not held.any():
        return None
    own = replace(inputs, positions=inputs.positions[held].reset_index(drop=True), portfolios=owners.reset_index(drop=True))
    shocked = _shocked(own, rules, benchmark, as_of, threads)
    own = replace(own, positions=shocked.positions)
    equity = pd.Series(0.0, index=own.portfolios["portfolio_id"])
    after = {n: after_shock(own, shocked, n, equity, as_of) for n in range(len(rules.scenarios))}
    classes = class_groups(own.instruments, portfolio_margin_rules(as_of), own.house_margins)
    return shocked_scenario_tables(own, after, frozenset(own.portfolios["portfolio_id"]), classes, threads)


def _covered(inputs: MarginInputs, tables: ScenarioTables | None) -> npt.NDArray[np.bool_]:
    """(n,) positions whose portfolio is governed by scenarios that cover them."""
    if tables is None:
        return np.zeros(len(inputs.positions), dtype=bool)
    covered = pd.concat([tables.covered(method) for method in SCENARIO_ACCOUNTS])
    known = pd.MultiIndex.from_frame(by_scenario(covered)[POSITION_KEY].astype(object))
    return np.asarray(pd.MultiIndex.from_frame(inputs.positions[POSITION_KEY].astype(object)).isin(known))


def _of_scenarios(tables: ScenarioTables, inputs: MarginInputs, exposed: pd.DataFrame, bump: float) -> pd.DataFrame:
    """Maintenance margin of class groups, by the leading factor of each."""
    found = []
    accounts = inputs.portfolios.set_index("portfolio_id")["account_type"]
    for method, given in (("portfolio_margin", class_margins(tables)), ("futures", futures_margins(tables))):
        rows = given[given["portfolio_id"].map(accounts) == method]
        members = tables.positions if method == "portfolio_margin" else tables.span_positions
        places = by_scenario(members)[[*POSITION_KEY, "class_group"]].drop_duplicates(POSITION_KEY)
        placed = exposed.merge(places.astype("str"), on=POSITION_KEY, how="inner", validate="one_to_one")
        lead = _leading(placed, "class_group")
        rows = rows.merge(lead, on=["portfolio_id", "class_group"], how="left", validate="one_to_one")
        found.append(_needed(rows, rows[["still", "up", "down"]].to_numpy(float), rows["carried"].to_numpy(float), bump))
    return pd.concat(found, ignore_index=True)


def _leading(placed: pd.DataFrame, column: str) -> pd.DataFrame:
    """Risk factor and currencies of greatest exposure of what stands together; equal ones by name."""
    size = placed.assign(size=placed["delta_exposure"].abs())
    kept = ["portfolio_id", column, "risk_factor", "currency", "base_currency"]
    sums = size.groupby(kept, sort=True)["size"].sum().reset_index()
    ordered = sums.sort_values(["portfolio_id", column, "size", *kept[2:]], ascending=[True, True, False, True, True, True], kind="stable")
    return ordered.drop_duplicates(["portfolio_id", column])[kept]


def _needed(rows: pd.DataFrame, maintenance: Floats, carried: Floats, bump: float) -> pd.DataFrame:
    """Slopes of maintenance margins at the bumps (n, 3), and in exchange rates of what each carries today."""
    slope, curvature = _slopes(maintenance, bump)
    given = {"maintenance_slope": slope, "maintenance_curvature": curvature, "gross_slope": np.abs(slope)}
    foreign = (rows["currency"] != rows["base_currency"]).to_numpy()
    currencies = _in_currencies(rows[foreign], rows.loc[foreign, "portfolio_id"], carried[foreign], "maintenance_slope")
    return pd.concat([_rows(rows["portfolio_id"], rows["risk_factor"], **given), currencies], ignore_index=True)


def _of_units(
    inputs: MarginInputs,
    rules: StressRules,
    benchmark: str,
    thresholds: Mapping[str, float],
    as_of: dt.date,
    models: Mapping[str, UserModel] | None,
    threads: int,
) -> pd.DataFrame:
    """Frame of the units' portfolio, unit, maintenance and margin equity (n columns each) at the bumps; `placed`: unit by position."""
    units = units_of(inputs, as_of)
    shocked = _shocked(units.inputs, rules, benchmark, as_of, threads)
    own = replace(units.inputs, positions=shocked.positions)
    names = own.portfolios["portfolio_id"]
    equity = pd.DataFrame(0.0, index=pd.Index(names), columns=range(len(rules.scenarios)))
    prepared = prepare(own, shocked, rules, as_of, models)
    margins = margins_after(prepared, equity, thresholds, as_of, threads=threads, governing_only=True)
    margins = margins[margins["is_governing"].astype(bool)]
    wide = margins.pivot(index="portfolio_id", columns="scenario", values=["maintenance_margin", "margin_equity"])
    found = pd.DataFrame(
        {f"{name}_{number}": wide[name, number] for name in ("maintenance_margin", "margin_equity") for number in range(3)}
    )
    placed = inputs.positions[POSITION_KEY].assign(unit=units.unit)
    return placed.merge(found.astype(float), left_on="unit", right_index=True, how="left", validate="many_to_one")


def _of_additive(needed: pd.DataFrame, exposed: pd.DataFrame, bump: float) -> pd.DataFrame:
    """Maintenance margin of units and what their method adds to equity, by the leading factor of each."""
    placed = exposed.merge(needed, on=POSITION_KEY, how="inner", validate="one_to_one")
    rows = _leading(placed, "unit").merge(needed.drop(columns=POSITION_KEY).drop_duplicates("unit"), on="unit", validate="one_to_one")
    maintenance, added = (
        rows[[f"{name}_{number}" for number in range(3)]].to_numpy(float) for name in ("maintenance_margin", "margin_equity")
    )
    slope, curvature = _slopes(added, bump)
    foreign = (rows["currency"] != rows["base_currency"]).to_numpy()
    owner = rows.loc[foreign, "portfolio_id"]
    return pd.concat(
        [
            _needed(rows, maintenance, maintenance[:, _STILL], bump),
            _rows(rows["portfolio_id"], rows["risk_factor"], equity_slope=slope, equity_curvature=curvature, gross_slope=np.abs(slope)),
            _in_currencies(rows[foreign], owner, added[foreign, _STILL], "equity_slope"),
        ],
        ignore_index=True,
    )
