"""The registry of position margin models, and the stand-alone margin of every position.

Belongs here: names of models, models that users bring, the table `position_margins`. Not here: the rules (`models`), the choice
(`selection`).

A user's model is an entry point of the group `margin_pipeline.margin_models`. It is called with the frame of its positions (columns in
`models.book`) and returns a frame of as many rows in the same order: initial_margin and maintenance_margin in base currency, and where it
likes `missing` (text) and `explanation` (a mapping or JSON text). Rows without a margin, a model that raises, or one that returns anything
else fail closed with the reason.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from importlib import metadata

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.asset_class import asset_class_rate, rates_in_force
from margin_pipeline.margin.models.book import build_book
from margin_pipeline.margin.models.cash import cash_secured
from margin_pipeline.margin.models.future import exchange_margins_in_force, future, future_option_fixed
from margin_pipeline.margin.models.option import option_naked
from margin_pipeline.margin.models.requirement import Requirement, Terms
from margin_pipeline.margin.models.simple import leverage, null, per_unit
from margin_pipeline.margin.models.stock import reg_t
from margin_pipeline.margin.models.tiered import tiered
from margin_pipeline.margin.selection import NO_MODEL, chosen_models
from margin_pipeline.margin.tiers import schedules_in_force
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.margin_models import asset_class_rates, futures_rules, model_choice
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.stock_rates import stock_rates

Model = Callable[[pd.DataFrame, Terms], Requirement]
UserModel = Callable[[pd.DataFrame], pd.DataFrame]

ENTRY_POINTS = "margin_pipeline.margin_models"
BUILT_IN: Mapping[str, Model] = {
    model.__name__: model
    for model in (reg_t, option_naked, future, future_option_fixed, tiered, asset_class_rate, leverage, per_unit, null, cash_secured)
}
"""Models by name."""

COLUMNS = ["portfolio_id", "strategy", "symbol", "model", "initial_margin", "maintenance_margin", "missing", "explanation"]


def installed_models() -> dict[str, UserModel]:
    """Models that installed packages bring, by name; each is imported when it is first called.

    Raises
    ------
    ValueError : an entry point takes the name of a built-in model.
    """

    def deferred(point: metadata.EntryPoint) -> UserModel:
        return lambda frame: point.load()(frame)

    points = metadata.entry_points(group=ENTRY_POINTS)
    taken = sorted({point.name for point in points} & {*BUILT_IN, NO_MODEL})
    if taken:
        raise ValueError(f"margin models from entry points must not take the names of built-in ones: {', '.join(taken)}")
    return {point.name: deferred(point) for point in points}


def terms_in_force(
    fx_rates: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    as_of: dt.date,
    at: dt.datetime | None = None,
    calendar_open: bool | None = None,
) -> Terms:
    """Rates and rules in force on a date; arguments as for `stand_alone_margins`."""
    return Terms(
        as_of=as_of,
        stock=stock_rates(as_of),
        options=option_rates(as_of),
        asset_classes=asset_class_rates(as_of),
        futures=futures_rules(as_of),
        given_rates=rates_in_force(margin_rates, pd.Timestamp(as_of)),
        exchange=exchange_margins_in_force(futures_margins, as_of),
        schedules=schedules_in_force(margin_schedules, as_of),
        usd=usd_rates(fx_rates, as_of),
        intraday=bool(calendar_open),
        at=at,
    )


def stand_alone_margins(
    positions: pd.DataFrame,
    instruments: pd.DataFrame,
    portfolios: pd.DataFrame,
    prices: pd.DataFrame,
    fx_rates: pd.DataFrame,
    futures_margins: pd.DataFrame,
    margin_schedules: pd.DataFrame,
    margin_rates: pd.DataFrame,
    symbol_risk: pd.DataFrame,
    as_of: dt.date,
    at: dt.datetime | None = None,
    calendar_open: bool | None = None,
    models: Mapping[str, UserModel] | None = None,
) -> pd.DataFrame:
    """What each position needs on its own, before any offset.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, futures_margins, margin_schedules, margin_rates, symbol_risk : frames of the
        tables of these names.
    as_of : business date; the newest rates effective by then apply.
    at : instant whose intraday rules apply, for the explanation; None: after the close.
    calendar_open : whether the market is open at that instant and not about to close; intraday exchange rates apply only then.
    models : user models by name; None: those that installed packages bring.

    Returns
    -------
    Frame as margin_data.position_margins, base currency, ordered by portfolio, strategy and symbol. Positions with something missing have
    no margins and say why.
    """
    terms = terms_in_force(fx_rates, futures_margins, margin_schedules, margin_rates, as_of, at, calendar_open)
    book = build_book(positions, instruments, portfolios, prices, symbol_risk, terms.usd, as_of)
    names = chosen_models(book, model_choice(as_of))
    users = installed_models() if models is None else models
    parts = []
    for name in sorted(set(names)):
        rows = np.flatnonzero(names == name)
        requirement = _requirement(str(name), book.take(rows).reset_index(drop=True), terms, users)
        parts.append(_rows(rows, str(name), requirement))
    found = pd.concat(parts).sort_index() if parts else _rows(np.array([], dtype=int), "", _nothing(0, ""))
    return pd.concat([book[["portfolio_id", "strategy", "symbol"]], found], axis=1)[COLUMNS]


def _rows(rows: np.ndarray, name: str, requirement: Requirement) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "model": pd.Series([name] * len(rows), dtype="str"),
            "initial_margin": requirement.initial,
            "maintenance_margin": requirement.maintenance,
            "missing": pd.Series(requirement.missing, dtype="str"),
            "explanation": requirement.explanation,
        }
    )
    return frame.set_index(pd.Index(rows))


def _requirement(name: str, book: pd.DataFrame, terms: Terms, users: Mapping[str, UserModel]) -> Requirement:
    if name in BUILT_IN:
        return _closed(BUILT_IN[name](book, terms), name, book)
    if name in users:
        return _closed(_called(name, users[name], book), name, book)
    classes, accounts = book["asset_class"].to_numpy(dtype=object), book["account_type"].to_numpy(dtype=object)
    nothing = _nothing(len(book), f"margin model {name} is not registered")
    if name == NO_MODEL:
        nothing.missing[:] = [f"margin model for asset class {c} in a {a} account" for c, a in zip(classes, accounts, strict=True)]
    return nothing


def _nothing(length: int, reason: str) -> Requirement:
    empty = np.full(length, np.nan)
    return Requirement(empty, empty.copy(), np.full(length, reason, dtype=object), pd.Series(["{}"] * length, dtype="str"))


def _called(name: str, model: UserModel, book: pd.DataFrame) -> Requirement:
    """Requirement by a user's model; whatever goes wrong in it is the reason why its positions have no margin."""
    try:
        frame = model(book.copy())
        if len(frame) != len(book):
            raise ValueError(f"returned {len(frame)} rows for {len(book)} positions")
        initial, maintenance = (frame[c].to_numpy(dtype=np.float64) for c in ("initial_margin", "maintenance_margin"))
        missing = _texts(frame, "missing", len(book))
        explanation = _objects(frame, len(book))
    except Exception as error:  # noqa: BLE001 - foreign code may raise anything; the reason is kept, the positions fail closed
        return _nothing(len(book), f"margin model {name} failed: {type(error).__name__}: {error}")
    return Requirement(initial, maintenance, missing, explanation)


def _texts(frame: pd.DataFrame, column: str, length: int) -> np.ndarray:
    if column not in frame.columns:
        return np.full(length, None, dtype=object)
    values = frame[column]
    return np.array([str(v) if known else None for v, known in zip(values, values.notna(), strict=True)], dtype=object)


def _objects(frame: pd.DataFrame, length: int) -> pd.Series:
    if "explanation" not in frame.columns:
        return pd.Series(["{}"] * length, dtype="str")
    texts = [json.dumps(json.loads(v) if isinstance(v, str) else dict(v), allow_nan=False) for v in frame["explanation"]]
    return pd.Series(texts, dtype="str")


def _closed(requirement: Requirement, name: str, book: pd.DataFrame) -> Requirement:
    """The requirement with every amount that is no margin taken out, and a reason in each such row; nothing held needs nothing."""
    amounts = np.stack([requirement.initial, requirement.maintenance])
    unusable = ~np.isfinite(amounts).all(axis=0) | (np.nan_to_num(amounts) < 0).any(axis=0)
    missing = requirement.missing.copy()
    unnamed = unusable & (missing == None)  # noqa: E711 - element by element
    missing[unnamed] = f"margin model {name} gave no margin"
    flat = (book["quantity"] == 0).to_numpy()
    missing[flat], amounts[:, flat] = None, 0.0
    gap = missing != None  # noqa: E711
    return Requirement(np.where(gap, np.nan, amounts[0]), np.where(gap, np.nan, amounts[1]), missing, requirement.explanation)
