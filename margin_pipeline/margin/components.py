"""What the margin of a portfolio is made of under each method.

Belongs here: contributions of positions, groups, scenarios, offsets and netting sets, by component. Not here: status, margin equity.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.grouping.netting import KINDS
from margin_pipeline.margin.methods import COMPUTED, otc_method
from margin_pipeline.margin.scenario_tables import POSITION_KEY, ScenarioTables
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

GROUPED_CLASSES = (*KINDS, *SECURITY_OPTIONS)
"""Asset classes that the strategy-based method groups; the others are margined on their own there."""

STOCK_STRUCTURES = ("long_stock", "short_stock", "long_convertible", "short_convertible", "long_warrant", "short_warrant")
COMPONENT_OF_CLASS = {
    **dict.fromkeys(KINDS, "stock"), **dict.fromkeys(SECURITY_OPTIONS, "options"), "future": "futures", "future_option": "futures",
}  # fmt: skip
COLUMNS = ["portfolio_id", "method", "component", "initial_margin", "maintenance_margin", "missing"]


def contributions(
    portfolios: pd.DataFrame,
    positions: pd.DataFrame,
    position_margins: pd.DataFrame,
    strategy_groups: pd.DataFrame,
    cross_margin_benefits: pd.DataFrame,
    netting_set_margins: pd.DataFrame,
    boxed_rate: float,
    house_additions: pd.DataFrame | None = None,
    scenarios: ScenarioTables | None = None,
) -> pd.DataFrame:
    """Contributions to every method of every portfolio that has it.

    Parameters
    ----------
    portfolios, positions, position_margins, strategy_groups, cross_margin_benefits, netting_set_margins : frames of the tables of these
        names.
    boxed_rate : margin of stock held long and short at once, fraction of its long value.
    house_additions : frame of the table: what of these margins house rates add, shown as a component of its own; None: nothing.
    scenarios : tables of scenario margin; None: method portfolio_margin has no contributions, futures need exchange margin.

    Returns
    -------
    Frame portfolio_id, method, component, initial_margin, maintenance_margin (base currency), missing (text or NaN); several rows of one
    component add up.
    """
    account = portfolios.set_index("portfolio_id")["account_type"]
    own = _position_contributions(positions, position_margins)
    grouped = own["asset_class"].isin(GROUPED_CLASSES)
    parts = [
        *(under(own, method, account) for method in ("reg_t", "cross_margin", "tiered")),
        under(own[~grouped], "strategy_based", account),
        under(group_contributions(strategy_groups), "strategy_based", account),
        under(_offsets(cross_margin_benefits), "cross_margin", account),
        _netting_sets(netting_set_margins, account),
        under(_boxed(positions, position_margins, boxed_rate), "reg_t", account),
        *_scenarios(scenarios, positions, position_margins, own, account),
        *(_house(house_additions) if house_additions is not None else ()),
    ]
    return pd.concat(parts, ignore_index=True)


def under(rows: pd.DataFrame, method: str, account: pd.Series) -> pd.DataFrame:
    """Contributions of portfolios that have a method, under it; `account`: account type by portfolio."""
    accounts = [name for name, methods in COMPUTED.items() if method in methods]
    here = rows[rows["portfolio_id"].isin(account.index[account.isin(accounts)])]
    return here.assign(method=method)[COLUMNS]


def _scenarios(
    scenarios: ScenarioTables | None, positions: pd.DataFrame, position_margins: pd.DataFrame, own: pd.DataFrame, account: pd.Series
) -> list[pd.DataFrame]:
    """Contributions to the methods that look at scenarios, with what these do not cover."""
    if scenarios is None:
        return [under(own, "futures", account)]
    found = []
    for method, parts in (("portfolio_margin", _of_classes(scenarios)), ("futures", _of_span(scenarios.span_margins))):
        alone = _position_contributions(uncovered(positions, scenarios.covered(method)), position_margins)
        found += [under(part, method, account) for part in (*parts, alone)]
    return found


def _of_classes(scenarios: ScenarioTables) -> list[pd.DataFrame]:
    """Class groups, their minimums and offsets between them; initial and maintenance margin are the same by this rule."""
    classes, groups = scenarios.classes, scenarios.groups
    loss = classes["greatest_loss"].clip(lower=0.0)
    parts = (
        (classes, "scenarios", loss),
        (classes, "contract_minimum", classes["maintenance_margin"] - loss),
        (groups, "product_group_offsets", groups["maintenance_margin"] - groups["class_margin"]),
    )
    return [
        frame[["portfolio_id"]].assign(component=name, initial_margin=amount, maintenance_margin=amount, missing=frame["missing"])
        for frame, name, amount in parts
    ]


def _of_span(margins: pd.DataFrame) -> list[pd.DataFrame]:
    """Scan risk, charges, credits and what the short option minimum adds, of class groups of futures."""
    maintenance, initial = margins["maintenance_margin"], margins["initial_margin"]
    ratio = (initial / maintenance.where(maintenance > 0)).fillna(1.0)
    parts = {
        "scan_risk": margins["scan_risk"],
        "intra_commodity": margins["intra_commodity_charge"],
        "delivery": margins["delivery_charge"],
        "inter_commodity": -margins["inter_commodity_credit"],
    }
    parts["short_option_minimum"] = maintenance - sum(parts.values())
    rows = margins[["portfolio_id", "missing"]]
    return [rows.assign(component=name, initial_margin=part * ratio, maintenance_margin=part) for name, part in parts.items()]


def uncovered(frame: pd.DataFrame, covered: pd.DataFrame) -> pd.DataFrame:
    """Rows of positions that are not among those covered; both have portfolio, strategy and symbol."""
    keys = [pd.MultiIndex.from_frame(rows[POSITION_KEY]) for rows in (frame, covered)]
    return frame[~keys[0].isin(keys[1])] if len(covered) else frame


def component_of(asset_class: pd.Series, model: pd.Series) -> pd.Series:
    """Component that each position belongs to."""
    return asset_class.map(COMPONENT_OF_CLASS).fillna("other").where(model != "tiered", "tiered")


def _house(house_additions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the house adds, taken out of the components that it is part of, and as a component of its own."""
    amounts = ["initial_margin", "maintenance_margin"]
    rows = house_additions[["portfolio_id", "method", "component", *amounts]].assign(missing=None)
    return rows.assign(**-rows[amounts])[COLUMNS], rows.assign(component="house")[COLUMNS]


def _position_contributions(positions: pd.DataFrame, position_margins: pd.DataFrame) -> pd.DataFrame:
    """Position margins added up by component, and one row for each reason why there is none."""
    rows = position_margins[[*POSITION_KEY, "model", "initial_margin", "maintenance_margin", "missing"]].merge(
        positions[[*POSITION_KEY, "asset_class"]], on=POSITION_KEY, how="inner", validate="one_to_one"
    )
    rows["component"] = component_of(rows["asset_class"], rows["model"])
    by = ["portfolio_id", "component", "asset_class"]
    known = rows[rows["missing"].isna()].groupby(by, sort=True, as_index=False)[["initial_margin", "maintenance_margin"]].sum()
    unknown = rows.loc[rows["missing"].notna(), [*by, "missing"]].drop_duplicates()
    return pd.concat([known, unknown], ignore_index=True)


def _boxed(positions: pd.DataFrame, position_margins: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Relief of stock that is held long and short in one portfolio: the matched part needs a fraction of its long value only.

    FINRA 4210(e)(1). The strategy-based method nets such positions before it groups them.
    """
    rows = position_margins.merge(positions[[*POSITION_KEY, "quantity", "market_value"]], on=POSITION_KEY, validate="one_to_one")
    rows = rows[(rows["model"] == "reg_t") & rows["missing"].isna()]
    amounts = ["quantity", "market_value", "initial_margin", "maintenance_margin"]
    side = ["portfolio_id", "symbol"]
    long = rows[rows["quantity"] > 0].groupby(side)[amounts].sum()
    both = long.join(rows[rows["quantity"] < 0].groupby(side)[amounts].sum().add_suffix("_short"), how="inner")
    matched = np.minimum(both["quantity"], -both["quantity_short"])
    of_long, of_short = matched / both["quantity"], matched / -both["quantity_short"]
    needed = rate * of_long * both["market_value"]
    relief = {
        name: -(of_long * both[name] + of_short * both[f"{name}_short"] - needed).clip(lower=0.0)
        for name in ("initial_margin", "maintenance_margin")
    }
    return pd.DataFrame(relief).reset_index()[["portfolio_id", *relief]].assign(component="boxed", missing=None)


def group_contributions(strategy_groups: pd.DataFrame) -> pd.DataFrame:
    """Margins of groups by component: groups of stock alone, and all others."""
    stock = strategy_groups["structure"].isin(STOCK_STRUCTURES)
    columns = ["portfolio_id", "initial_margin", "maintenance_margin", "missing"]
    return strategy_groups[columns].assign(component=np.where(stock, "stock", "options"))


def _offsets(cross_margin_benefits: pd.DataFrame) -> pd.DataFrame:
    """Savings of maintenance margin; initial margin is relieved by the same money."""
    saving = -cross_margin_benefits["saving"]
    return cross_margin_benefits[["portfolio_id"]].assign(
        component="offsets", initial_margin=saving, maintenance_margin=saving, missing=None
    )


def _netting_sets(netting_set_margins: pd.DataFrame, account: pd.Series) -> pd.DataFrame:
    """What otc accounts post: initial margin of their netting sets, initial and maintenance alike, a component a model."""
    otc = account.index[account == "otc"]
    posted = netting_set_margins[(netting_set_margins["side"] == "post") & netting_set_margins["portfolio_id"].isin(otc)]
    method = posted["portfolio_id"].map(posted.groupby("portfolio_id")["model"].agg(otc_method)).astype("str")
    names, reasons, known = posted["netting_set_id"], posted["missing"], posted["missing"].notna()
    texts = [
        (reason if str(name) in str(reason) else f"netting set {name}: {reason}") if given else None
        for name, reason, given in zip(names, reasons, known, strict=True)
    ]
    found = posted[["portfolio_id", "initial_margin"]].assign(
        method=method,
        component=posted["model"].replace({"schedule": "schedule_im"}),
        maintenance_margin=posted["initial_margin"],
        missing=pd.Series(texts, index=posted.index, dtype="str"),
    )
    return found[COLUMNS]
