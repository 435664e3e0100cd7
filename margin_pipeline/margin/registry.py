"""The registry of position margin models, and the stand-alone margin of every position.

Belongs here: names of models, models that users bring, the table `position_margins`. Not here: the rules (`models`), the choice
(`selection`).

A user's model is an entry point of the group `margin_pipeline.margin_models`; docs/margin_models.md says what it is given, what may come
back, and what happens when it fails.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.asset_class import asset_class_rate, rates_in_force
from margin_pipeline.margin.models.book import KEY, Book, build_book
from margin_pipeline.margin.models.cash import cash_secured
from margin_pipeline.margin.models.day_trading import pattern_day_trading
from margin_pipeline.margin.models.exchange import exchange_margins_in_force
from margin_pipeline.margin.models.foreign import UserModel, called, nothing
from margin_pipeline.margin.models.future import future
from margin_pipeline.margin.models.future_option import future_option_curve, future_option_fixed
from margin_pipeline.margin.models.option import option_naked
from margin_pipeline.margin.models.overlay import with_house
from margin_pipeline.margin.models.requirement import Array, Requirement, Terms, without
from margin_pipeline.margin.models.simple import leverage, null, per_unit
from margin_pipeline.margin.models.stock import reg_t
from margin_pipeline.margin.models.tiered import tiered
from margin_pipeline.margin.selection import NO_MODEL, chosen_models
from margin_pipeline.margin.tiers import schedules_in_force
from margin_pipeline.market.currencies import usd_rates
from margin_pipeline.parameters.margin_models import ModelChoice, asset_class_rates, futures_rules, model_choice
from margin_pipeline.parameters.option_rates import option_rates
from margin_pipeline.parameters.stock_rates import day_trading_rules, stock_rates

Model = Callable[[Book, Terms], Requirement]

ENTRY_POINTS = "margin_pipeline.margin_models"
BUILT_IN: Mapping[str, Model] = {
    model.__name__: model
    for model in (
        reg_t,
        pattern_day_trading,
        option_naked,
        future,
        future_option_fixed,
        future_option_curve,
        tiered,
        asset_class_rate,
        leverage,
        per_unit,
        null,
        cash_secured,
    )
}
"""Models by name."""

COLUMNS = [*KEY, "model", "initial_margin", "maintenance_margin", "missing", "explanation"]


@dataclass(frozen=True)
class ModelPart:
    """Positions of one model and what they need.

    Attributes
    ----------
    model : its name.
    rows : (k,) rows of the book.
    requirement : of these rows.
    """

    model: str
    rows: Array
    requirement: Requirement


def installed_models() -> dict[str, UserModel]:
    """Models that installed packages bring, by name; each is imported when it is first called.

    A name that two packages bring has a model that says so, for nobody can know which of them is meant.

    Raises
    ------
    ValueError : an entry point takes the name of a built-in model.
    """

    def deferred(point: metadata.EntryPoint) -> UserModel:
        return lambda frame: point.load()(frame)

    def ambiguous(name: str) -> UserModel:
        def model(frame: pd.DataFrame) -> pd.DataFrame:
            raise LookupError(f"several installed packages bring a margin model {name}; uninstall all but one")

        return model

    points = metadata.entry_points(group=ENTRY_POINTS)
    taken = sorted({point.name for point in points} & {*BUILT_IN, NO_MODEL})
    if taken:
        raise ValueError(f"margin models from entry points must not take the names of built-in ones: {', '.join(taken)}")
    brought = Counter(name for name, _ in {(point.name, point.value) for point in points})
    return {point.name: deferred(point) if brought[point.name] == 1 else ambiguous(point.name) for point in points}


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
        day_trading=day_trading_rules(as_of),
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


def requirements(book: Book, terms: Terms, choice: ModelChoice, users: Mapping[str, UserModel]) -> list[ModelPart]:
    """What each position of the book needs by its model and its house rate: the arithmetic, with explanations to be written on demand.

    Parameters
    ----------
    book : positions of the date.
    terms, choice : rates and choice of models in force.
    users : user models by name.

    Returns
    -------
    One part a model, ordered by its name; every row of the book is in one.
    """
    names = chosen_models(book, choice)
    by_model = np.argsort(names.codes.astype(np.int16), kind="stable")  # 16 bits are sorted by radix
    ends = np.cumsum(np.bincount(names.codes, minlength=len(names.texts)))
    parts = []
    with np.errstate(invalid="ignore", divide="ignore"):
        for name, rows in sorted(zip(names.texts, np.split(by_model, ends[:-1]), strict=True), key=lambda part: part[0]):
            if rows.size:
                held = book.select(rows)
                parts.append(ModelPart(name, rows, _closed(with_house(_requirement(name, held, terms, users), held, terms), name, held)))
    return parts


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
    house_margins: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What each position needs on its own, before any offset.

    Parameters
    ----------
    positions, instruments, portfolios, prices, fx_rates, futures_margins, margin_schedules, margin_rates, symbol_risk : frames of the
        tables of these names.
    as_of : business date; the newest rates effective by then apply.
    at : instant whose intraday rules apply, for the explanation; None: after the close.
    calendar_open : whether the market is open at that instant and not about to close; intraday rates and rules apply only then.
    models : user models by name; None: those that installed packages bring.
    house_margins : frame of the table of this name; None: the house asks nothing of its own.

    Returns
    -------
    Frame as margin_data.position_margins, base currency, ordered by portfolio, strategy and symbol. Positions with something missing have
    no margins and say why. The requirement is the greater of the rule and the house rate (`models.overlay`).
    """
    terms = terms_in_force(fx_rates, futures_margins, margin_schedules, margin_rates, as_of, at, calendar_open)
    book = build_book(positions, instruments, portfolios, prices, symbol_risk, terms.usd, as_of, house_margins)
    parts = requirements(book, terms, model_choice(as_of), installed_models() if models is None else models)
    found = (
        pd.concat([_rows(part) for part in parts]).sort_index() if parts else _rows(ModelPart("", np.array([], dtype=int), nothing(0, "")))
    )
    return pd.concat([book.keys, found], axis=1)[COLUMNS]


def _rows(part: ModelPart) -> pd.DataFrame:
    missing = np.full(len(part.rows), None, dtype=object)
    for row, text in part.requirement.missing.items():
        missing[row] = text
    frame = pd.DataFrame(
        {
            "model": pd.Series([part.model] * len(part.rows), dtype="str"),
            "initial_margin": part.requirement.initial,
            "maintenance_margin": part.requirement.maintenance,
            "missing": pd.Series(missing, dtype="str"),
            "explanation": part.requirement.explanation(),
        }
    )
    return frame.set_index(pd.Index(part.rows))


def _requirement(name: str, book: Book, terms: Terms, users: Mapping[str, UserModel]) -> Requirement:
    if name in BUILT_IN:
        return BUILT_IN[name](book, terms)
    if name in users:
        return called(name, users[name], book)
    unknown = nothing(len(book), f"margin model {name} is not registered")
    if name != NO_MODEL:
        return unknown
    classes, accounts = book.text("asset_class"), book.text("account_type")
    reasons = (f"margin model for asset class {c} in a {a} account" for c, a in zip(classes, accounts, strict=True))
    return without(unknown, dict(enumerate(reasons)))


def _closed(requirement: Requirement, name: str, book: Book) -> Requirement:
    """The requirement with every amount that is no margin taken out, and a reason in each such row; nothing held needs nothing."""
    initial, maintenance = requirement.initial, requirement.maintenance
    flat = book.number("quantity") == 0
    unusable = ~((initial >= 0) & (maintenance >= 0) & (initial < np.inf) & (maintenance < np.inf))
    gaps = np.flatnonzero(unusable | flat).tolist()
    if not gaps and not requirement.missing:
        return requirement
    missing = {**dict.fromkeys(gaps, f"margin model {name} gave no margin"), **requirement.missing}
    missing = {row: text for row, text in missing.items() if not flat[row]}
    held = Requirement(np.where(flat, 0.0, initial), np.where(flat, 0.0, maintenance), missing, requirement.explanation)
    return without(held, missing)
