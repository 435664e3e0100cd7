"""Named hypotheses about a margin that differs from ours, each with the amount that it predicts.

Belongs here: what a broker may count differently, and what it would ask then. Not here: statements, choosing among hypotheses.

General hypotheses are tried on everything and may explain a difference in part; exact ones (one group, one position, one component of
another method) are many, so that one of them is always near by chance: they count only where they leave nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.house_additions import rule_amounts
from margin_pipeline.margin.our_margins import HELD, LEG, ROW, OurMargins, added_up, measured, stand_alone
from margin_pipeline.margin.valuation import SECURITY_OPTIONS

TOTAL = ["portfolio_id", "measure"]
COLUMNS = [*ROW, "hypothesis", "amount", "rank", "is_general"]
NAKED = ("naked_call", "naked_put", "short_straddle", "short_strangle", "short_guts", "short_combination")
SHORT_STOCK = ("short_stock", "short_convertible", "short_warrant")
COVERED_CALLS = ("covered_call", "convertible_covered_call")
OURS_ALONE = ("cross_margin",)
"""Methods that show what something is worth and that no broker margins by."""

NEGLIGIBLE = 1e-6
"""Money; a hypothesis that changes less says nothing."""


def portfolio_hypotheses(margins: OurMargins, minimum: pd.Series) -> pd.DataFrame:
    """What whole portfolios would need if something were counted differently.

    Parameters
    ----------
    margins : ours.
    minimum : minimum equity by portfolio, base currency, of the accounts that have one.

    Returns
    -------
    Frame portfolio_id, symbol (empty text), measure, hypothesis, amount (base currency), rank (simpler first), is_general.
    """
    total = margins.governing().dropna(subset=["ours"])
    grouped = total[total["method"] == "strategy_based"]
    general = [
        _other_methods(margins, total),
        _left_out(margins, total),
        _other_measure(total),
        _minimum_in_maintenance(total, minimum),
        *(_changed(grouped, change, name) for name, change in _group_changes(margins).items()),
        _changed(total[total["method"] == "tiered"], _other_reading(margins), "other_reading_of_the_schedule"),
    ]
    exact = [_not_recognised(margins, grouped), _positions_left_out(margins, total), _other_methods_left_out(margins, total)]
    return _ranked(general, exact, total.assign(symbol=""))


def symbol_hypotheses(margins: OurMargins, ours: pd.DataFrame) -> pd.DataFrame:
    """What single symbols would need if something were counted differently.

    Parameters
    ----------
    margins : ours.
    ours : as `our_margins.symbol_margins` gives it.

    Returns
    -------
    As `portfolio_hypotheses`, by symbol.
    """
    single = margins.position_margins.merge(margins.positions[[*HELD, "quantity", "market_value", "asset_class"]], on=HELD)
    ruled = single[HELD].assign(**rule_amounts(single))
    short = single["quantity"] < 0
    option, value = single["asset_class"].isin(SECURITY_OPTIONS), single["market_value"].abs()
    less = single.assign(**single[["initial_margin", "maintenance_margin"]].sub(value, axis=0))[short & option]
    more = single.assign(**single[["initial_margin", "maintenance_margin"]].add(value, axis=0))[short & (single["model"] == "reg_t")]
    general = [
        _of_symbols(single, "stand_alone"),
        _of_symbols(ruled, "without_house_rates"),
        _whole_groups(margins),
        _everything_on(margins, single),
        _other_measure(ours.dropna(subset=["ours"]), ["portfolio_id", "symbol"]),
        _of_symbols(less, "premium_left_out"),
        _of_symbols(more, "short_stock_with_proceeds"),
        _of_symbols(_read_otherwise(margins), "other_reading_of_the_schedule"),
        ours[ROW].assign(hypothesis="nothing_for_the_symbol", amount=0.0),
    ]
    return _ranked(general, [], ours)


def _ranked(general: list[pd.DataFrame], exact: list[pd.DataFrame], ours: pd.DataFrame) -> pd.DataFrame:
    """All hypotheses with their rank, those that predict our own amount left out."""
    lists = [(general, True), (exact, False)]
    numbered = [(frame, is_general) for frames, is_general in lists for frame in frames]
    parts = [frame.assign(rank=rank, is_general=is_general) for rank, (frame, is_general) in enumerate(numbered)]
    found = pd.concat([part if "symbol" in part else part.assign(symbol="") for part in parts], ignore_index=True)
    found = found.merge(ours[[*ROW, "ours"]], on=ROW, how="inner").dropna(subset=["amount"])
    return found.loc[(found["amount"] - found["ours"]).abs() > NEGLIGIBLE, COLUMNS]


def _totals_of_other_methods(margins: OurMargins) -> pd.DataFrame:
    rows = margins.portfolio_margins
    return measured(rows[~rows["is_governing"] & ~rows["method"].isin(OURS_ALONE)], ["portfolio_id", "method"])


def _other_methods(margins: OurMargins, total: pd.DataFrame) -> pd.DataFrame:
    rows = _totals_of_other_methods(margins).merge(total[TOTAL], on=TOTAL, how="inner")
    return rows[[*TOTAL, "amount"]].assign(hypothesis="method:" + rows["method"].astype(str))


def _components(margins: OurMargins) -> pd.DataFrame:
    rows = measured(margins.portfolio_margin_components, ["portfolio_id", "method", "component"])
    return rows.rename(columns={"amount": "part"})


def _left_out(margins: OurMargins, total: pd.DataFrame) -> pd.DataFrame:
    rows = _components(margins).merge(total, on=[*TOTAL, "method"], how="inner")
    return rows[TOTAL].assign(hypothesis="without_component:" + rows["component"].astype(str), amount=rows["ours"] - rows["part"])


def _other_methods_left_out(margins: OurMargins, total: pd.DataFrame) -> pd.DataFrame:
    other = _totals_of_other_methods(margins)
    rows = _components(margins).merge(other, on=[*TOTAL, "method"], how="inner").merge(total[TOTAL], on=TOTAL, how="inner")
    name = "method:" + rows["method"].astype(str) + ",without_component:" + rows["component"].astype(str)
    return rows[TOTAL].assign(hypothesis=name, amount=rows["amount"] - rows["part"])


def _other_measure(total: pd.DataFrame, keys: list[str] | None = None) -> pd.DataFrame:
    """The broker's initial margin is our maintenance margin, or the other way round."""
    swapped = total["measure"].map({"initial": "maintenance", "maintenance": "initial"})
    rows = total[keys or ["portfolio_id"]].assign(measure=swapped, amount=total["ours"])
    return rows.assign(hypothesis=np.where(swapped == "initial", "our_maintenance_margin", "our_initial_margin"))


def _minimum_in_maintenance(total: pd.DataFrame, minimum: pd.Series) -> pd.DataFrame:
    rows = total[(total["measure"] == "maintenance") & (total["ours"] > 0)]
    least = rows["portfolio_id"].map(minimum)
    return rows[TOTAL].assign(hypothesis="minimum_equity_in_maintenance", amount=np.maximum(rows["ours"], least))


def _changed(total: pd.DataFrame, change: pd.DataFrame, hypothesis: str) -> pd.DataFrame:
    """Ours plus a change: portfolio_id, measure, amount."""
    rows = total.merge(added_up(change, TOTAL), on=TOTAL, how="inner")
    return rows[TOTAL].assign(hypothesis=hypothesis, amount=rows["ours"] + rows["amount"])


def _group_changes(margins: OurMargins) -> dict[str, pd.DataFrame]:
    """What counting groups in another way changes: portfolio_id, measure, amount, by hypothesis."""
    groups = margins.strategy_groups
    structure = groups["structure"]
    premium = -groups["applied_proceeds"]
    changed = groups[["portfolio_id"]].assign(
        initial_margin=groups["gross_requirement"] - groups["initial_margin"],
        maintenance_margin=groups["maintenance_gross"] - groups["maintenance_margin"],
    )
    net = changed.assign(initial_margin=groups["net_call"] - groups["initial_margin"], maintenance_margin=0.0)
    less = changed.assign(initial_margin=premium, maintenance_margin=premium)
    proofs = margins.grouping_proofs
    greedy = proofs[["portfolio_id"]].assign(measure="maintenance", amount=proofs["greedy_margin"] - proofs["optimum"])
    return {
        "greedy_grouping": greedy,
        "premium_left_out": measured(less[structure.isin(NAKED)], ["portfolio_id"]),
        "short_stock_with_proceeds": measured(changed[structure.isin(SHORT_STOCK)], ["portfolio_id"]),
        "in_the_money_left_out": measured(changed[structure.isin(COVERED_CALLS)], ["portfolio_id"]),
        "gross_of_the_manual": measured(changed, ["portfolio_id"]),
        "net_call_of_the_manual": measured(net, ["portfolio_id"]).query("measure == 'initial'"),
    }


def _read_otherwise(margins: OurMargins) -> pd.DataFrame:
    """Positions under schedules with the margins of the reading that does not apply."""
    rows = margins.margin_schedule_positions
    own = rows["mode"] == "bracket"
    other = {f"{m}_margin": rows[f"marginal_{m}"].where(own, rows[f"bracket_{m}"]) for m in ("initial", "maintenance")}
    return rows[HELD].assign(**other)


def _other_reading(margins: OurMargins) -> pd.DataFrame:
    rows = margins.margin_schedule_positions
    own = rows["mode"] == "bracket"
    change = {
        f"{m}_margin": (rows[f"marginal_{m}"] - rows[f"bracket_{m}"]).where(own, rows[f"bracket_{m}"] - rows[f"marginal_{m}"])
        for m in ("initial", "maintenance")
    }
    return measured(rows[["portfolio_id"]].assign(**change), ["portfolio_id"])


def _not_recognised(margins: OurMargins, total: pd.DataFrame) -> pd.DataFrame:
    """One group margined leg by leg."""
    group = ["portfolio_id", "group_id"]
    net = margins.strategy_group_legs.groupby(LEG, sort=True)["quantity"].sum().reset_index()
    net = net[net.groupby(group)["symbol"].transform("size") > 1].reset_index(drop=True)
    alone = added_up(measured(net.assign(**stand_alone(margins, net)), group), [*group, "measure"])
    rows = alone.merge(measured(margins.strategy_groups, group), on=[*group, "measure"], suffixes=("", "_grouped"))
    rows = rows.merge(total, on=TOTAL, how="inner")
    amount = rows["ours"] + rows["amount"] - rows["amount_grouped"]
    return rows[TOTAL].assign(hypothesis="structure_not_recognised:" + rows["group_id"].astype(str), amount=amount)


def _positions_left_out(margins: OurMargins, total: pd.DataFrame) -> pd.DataFrame:
    """One symbol that stands outside groups of several legs, or alone in its group, not margined at all."""
    groups, group = margins.strategy_group_legs, ["portfolio_id", "group_id"]
    symbols = groups[LEG].drop_duplicates()
    symbols = symbols[symbols.groupby(group)["symbol"].transform("size") == 1]
    amounts = symbols.merge(margins.strategy_groups[[*group, "initial_margin", "maintenance_margin"]], on=group)
    outside = margins.position_margins.merge(groups[HELD].drop_duplicates().assign(grouped=True), on=HELD, how="left")
    outside = outside[outside["grouped"].isna()]
    key = ["portfolio_id", "symbol"]
    parts = pd.concat([measured(amounts, key), measured(outside, key)], ignore_index=True)
    rows = added_up(parts, ROW).merge(total, on=TOTAL, how="inner")
    return rows[TOTAL].assign(hypothesis="position_left_out:" + rows["symbol"].astype(str), amount=rows["ours"] - rows["amount"])


def _of_symbols(rows: pd.DataFrame, hypothesis: str) -> pd.DataFrame:
    return added_up(measured(rows, ["portfolio_id", "symbol"]), ROW).assign(hypothesis=hypothesis)


def _whole_groups(margins: OurMargins) -> pd.DataFrame:
    """All of the groups that the symbol is in."""
    amounts = margins.strategy_groups[["portfolio_id", "group_id", "initial_margin", "maintenance_margin"]]
    return _of_symbols(
        margins.strategy_group_legs[LEG].drop_duplicates().merge(amounts, on=["portfolio_id", "group_id"]), "whole_groups_at_this_leg"
    )


def _everything_on(margins: OurMargins, single: pd.DataFrame) -> pd.DataFrame:
    """All groups and single positions on an underlying, at the underlying's symbol."""
    grouped = single[HELD].merge(margins.strategy_group_legs[HELD].drop_duplicates().assign(grouped=True), on=HELD, how="left")
    outside = single[grouped["grouped"].isna().to_numpy()].merge(margins.positions[[*HELD, "underlying"]], on=HELD)
    outside = outside.assign(symbol=outside["underlying"].fillna(outside["symbol"]))
    columns = ["portfolio_id", "symbol", "initial_margin", "maintenance_margin"]
    groups = margins.strategy_groups.rename(columns={"underlying": "symbol"})
    return _of_symbols(pd.concat([groups[columns], outside[columns]], ignore_index=True), "everything_on_the_underlying")
