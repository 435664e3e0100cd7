"""Which margin model a position gets.

Belongs here: the choice by instrument, product, account type and asset class. Not here: the models, the dated choice itself (`parameters`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from margin_pipeline.margin.models.book import Book
from margin_pipeline.margin.models.texts import Texts
from margin_pipeline.parameters.margin_models import ModelChoice

Array = np.ndarray

NO_MODEL = "none"
"""Name of the model of positions that have none; they fail closed."""

PRODUCT_COLUMNS = ("root", "underlying_root", "underlying", "symbol")


def chosen_models(book: Book, choice: ModelChoice) -> Texts:
    """Name of the margin model of each position.

    Parameters
    ----------
    book : the book of the date; an instrument has the same model in all accounts of a type.
    choice : choice in force.

    Returns
    -------
    (n,) names; `NO_MODEL` where nothing applies.

    Notes
    -----
    The first that applies: the instrument's own margin_model; that of its product in the account type; the model of leveraged contracts;
    the model of margin schedules; that of account type and asset class; that of the asset class.
    """
    accounts = book.portfolios["account_type"]
    names: dict[str, int] = {NO_MODEL: 0}
    by_account = [_by_instrument(book, choice, str(account), names) for account in accounts.texts]
    table = np.stack(by_account) if by_account else np.zeros((1, 0), dtype=np.int64)
    return Texts(table[accounts.codes[book.portfolio_of], book.instrument_of], list(names))


def _by_instrument(book: Book, choice: ModelChoice, account: str, names: dict[str, int]) -> Array:
    """(m,) model of every instrument in accounts of a type, as codes into `names`, which new models are added to."""
    columns = {name: column for name, column in book.instruments.items() if isinstance(column, Texts)}
    asset_class = columns["asset_class"]

    def code(model: str) -> int:
        return names.setdefault(model, len(names))

    def of_class(models: Mapping[str, str]) -> Array:
        return np.array([*(code(models[c]) if c in models else 0 for c in asset_class.texts), 0])[asset_class.codes]

    own = columns["margin_model"]
    found = of_class({**choice.by_asset_class, **choice.by_account_type.get(account, {})})
    scheduled = choice.scheduled_classes.get(account, choice.scheduled_classes["default"])
    found = np.where(columns["margin_schedule"].given & asset_class.among(*scheduled), code(choice.scheduled_model), found)
    if account not in choice.accounts_without_contracts:
        found = np.where(columns["contract_type"].given, code(choice.leveraged_contract_model), found)
    for rule in reversed([rule for rule in choice.by_product if account in rule.account_types]):
        product = np.logical_or.reduce([columns[name].among(*rule.products) for name in PRODUCT_COLUMNS])
        found = np.where(product & asset_class.among(*rule.asset_classes), code(rule.model), found)
    return np.where(own.given, np.array([*(code(str(text)) for text in own.texts), 0])[own.codes], found)
