"""Which margin model a position gets.

Belongs here: the choice by instrument, account type and asset class. Not here: the models, the dated choice itself (`parameters`).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from margin_pipeline.parameters.margin_models import ModelChoice

NO_MODEL = "none"
"""Name of the model of positions that have none; they fail closed."""


def chosen_models(book: pd.DataFrame, choice: ModelChoice) -> np.ndarray:
    """Name of the margin model of each position.

    Parameters
    ----------
    book : columns account_type, asset_class, contract_type, margin_schedule, margin_model.
    choice : choice in force.

    Returns
    -------
    (n,) names; `NO_MODEL` where nothing applies.

    Notes
    -----
    The first that applies: the instrument's own margin_model; the model of leveraged contracts; the model of margin schedules; that of
    account type and asset class; that of the asset class.
    """
    account, asset_class = book["account_type"], book["asset_class"]
    models = asset_class.map(dict(choice.by_asset_class)).astype(object)
    for name, by_class in choice.by_account_type.items():
        here = (account == name) & asset_class.isin(list(by_class))
        models = models.where(~here, asset_class.map(dict(by_class)))
    for name in sorted(set(account)):
        classes = choice.scheduled_classes.get(str(name), choice.scheduled_classes["default"])
        here = (account == name) & book["margin_schedule"].notna() & asset_class.isin(list(classes))
        models = models.where(~here, choice.scheduled_model)
    contract = book["contract_type"].notna() & ~account.isin(list(choice.accounts_without_contracts))
    models = models.where(~contract, choice.leveraged_contract_model)
    models = models.where(book["margin_model"].isna(), book["margin_model"].astype(object))
    return models.where(models.notna(), NO_MODEL).to_numpy(dtype=object)
