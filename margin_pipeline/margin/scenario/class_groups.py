"""Which class group and product group an instrument belongs to, and how far the class group moves.

Belongs here: the mapping from reference data. Not here: positions, losses, the ranges' values (`parameters`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.margin.house import house_rates
from margin_pipeline.parameters.portfolio_margin import OTHERWISE, PortfolioMarginRules

COLUMNS = ["class_group", "product_group", "move_down", "move_up", "house_rate", "factor", "eligible", "note"]
DERIVATIVES = ("equity_option", "index_option", "future_option", "future", "warrant", "convertible")
FUTURES = ("future", "future_option")
MARKETS = ("equity", "etf", "index")
"""Asset classes whose class groups have a range."""
_LONGEST_CHAIN = 3
"""An option on a future on an index is two steps from its class group; the third only ends a circle in the data."""


def class_groups(instruments: pd.DataFrame, rules: PortfolioMarginRules, house_margins: pd.DataFrame | None = None) -> pd.DataFrame:
    """Class group, product group and range of every instrument.

    Parameters
    ----------
    instruments : frame of that table.
    rules : rules in force.
    house_margins : frame of that table; None: the house asks nothing.

    Returns
    -------
    Frame indexed by symbol, with `COLUMNS`: move_down (< 0) and move_up of the class group as fractions; house_rate, the maintenance rate
    that the house asks for the class group's own symbol; factor, by which the instrument moves more than its class group (leveraged funds
    and options on them; negative for inverse funds); eligible; note, why it is not.

    Notes
    -----
    `instruments.class_group` decides where it is given. Else derivatives join the class group of their underlying, and a fund with an
    `index_ratio` that of its index; everything else is a class group of its own. The range is that of the breadth of the instrument whose
    symbol is the class group's name; without such an instrument the widest one of its members. The product group is that of the same
    instrument, else of its members where they agree, else the breadth where the rules name it.
    """
    by_symbol = instruments.drop_duplicates("symbol").sort_values("symbol").set_index("symbol")
    group, end = _groups(by_symbol)
    frame = pd.DataFrame({"class_group": group, "asset_class": by_symbol["asset_class"], "breadth": by_symbol["breadth"]})
    described = _described(frame, by_symbol, rules, house_margins)
    frame = frame.join(described, on="class_group")
    frame["factor"] = _factors(by_symbol)
    frame["note"] = _notes(by_symbol, group, end, rules)
    frame["eligible"] = frame["note"].isna()
    return frame[COLUMNS]


def _groups(by_symbol: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Class group of each instrument, and the symbol at the end of its chain of underlyings."""
    own = pd.Series(by_symbol.index, index=by_symbol.index, dtype=object)
    joins = by_symbol["asset_class"].isin(DERIVATIVES) | ((by_symbol["asset_class"] == "etf") & by_symbol["index_ratio"].notna())
    step = own.where(~(joins & by_symbol["underlying"].notna()), by_symbol["underlying"].astype(object))
    given = by_symbol["class_group"].astype(object)
    group, node = given, own
    for _ in range(_LONGEST_CHAIN):
        # A symbol without an instrument record (an index that is only a price series) is where the chain ends.
        following = node.map(step)
        node = following.where(following.notna(), node)
        group = group.where(group.notna(), node.map(given))
    return group.where(group.notna(), node), node


def _described(
    frame: pd.DataFrame, by_symbol: pd.DataFrame, rules: PortfolioMarginRules, house_margins: pd.DataFrame | None
) -> pd.DataFrame:
    """Range, product group and house rate of each class group."""
    names = pd.Index(sorted(frame["class_group"].unique()), name="class_group", dtype=object)
    head = by_symbol.reindex(names)
    has_head = names.isin(by_symbol.index)
    down, up = ({name: limits[side] for name, limits in rules.ranges.items()} for side in (0, 1))
    # Derivatives have no breadth of their own, unless someone says so.
    own = frame[~frame["asset_class"].isin(DERIVATIVES) | frame["breadth"].notna()]
    breadth = own["breadth"].where(own["breadth"].isin(list(rules.ranges)), OTHERWISE)
    widest = pd.DataFrame({"class_group": own["class_group"], "down": breadth.map(down), "up": breadth.map(up)}).groupby("class_group")
    of_head = head["breadth"].where(head["breadth"].isin(list(rules.ranges)), OTHERWISE)
    move_down = of_head.map(down).where(has_head, widest["down"].min().reindex(names).fillna(down[OTHERWISE]))
    move_up = of_head.map(up).where(has_head, widest["up"].max().reindex(names).fillna(up[OTHERWISE]))
    given = by_symbol["product_group"].dropna()
    agreed = _agreed(given, frame["class_group"].reindex(given.index))
    product = head["product_group"].astype(object)
    product = product.where(product.notna(), agreed.reindex(names).astype(object))
    members = _agreed(own["breadth"].fillna(OTHERWISE), own["class_group"]).reindex(names)
    usual = head["breadth"].where(has_head, members).astype(object)
    product = product.where(product.notna(), usual.where(usual.isin(list(rules.product_groups))))
    product = product.where(product.notna(), pd.Series(names, index=names, dtype=object))
    house = house_rates(house_margins, pd.Series(names), head["asset_class"].reset_index(drop=True))[1]
    return pd.DataFrame({"product_group": product, "move_down": move_down, "move_up": move_up, "house_rate": house}, index=names)


def _agreed(values: pd.Series, group: pd.Series) -> pd.Series:
    """Value of each group in which all are the same."""
    by_group = values.groupby(group)
    return by_group.first()[by_group.nunique() == 1]


def _factors(by_symbol: pd.DataFrame) -> np.ndarray:
    """Signed leverage of the instrument, or of the fund beneath it."""
    leverage = by_symbol["leverage_factor"].astype(float).fillna(1.0)
    leverage = leverage * np.where(by_symbol["is_inverse"].fillna(False).to_numpy(dtype=bool), -1.0, 1.0)
    beneath = by_symbol["underlying"].map(leverage.to_dict()).astype(float).fillna(1.0)
    return np.where(by_symbol["asset_class"].isin(DERIVATIVES), beneath, leverage)


def _notes(by_symbol: pd.DataFrame, group: pd.Series, end: pd.Series, rules: PortfolioMarginRules) -> pd.Series:
    """Why an instrument is not margined by scenarios; missing where it is."""
    asset_class = by_symbol["asset_class"]
    is_market = end.map(asset_class).isin(MARKETS) | group.map(asset_class).isin(MARKETS) | by_symbol["class_group"].notna()
    note = pd.Series(None, index=by_symbol.index, dtype=object)
    unranged = asset_class.isin(FUTURES) & ~is_market
    note[unranged] = "on nothing that a class group of stock or an index holds: exchange margin"
    note[by_symbol["contract_type"].notna()] = "a leveraged contract: its own margin model"
    other = ~asset_class.isin(list(rules.asset_classes))
    note[other] = "not a margin security, an option on one or a contract on an index: its own margin model"
    return note
