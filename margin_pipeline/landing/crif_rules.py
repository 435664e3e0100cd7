"""What rows of a CRIF must hold by their risk type, and which netting sets they may name.

Belongs here: rules over several columns of a row, and against the netting sets. Not here: the vocabulary (`parameters.crif_terms`), types.

Rules are asked of each distinct combination of cells once: a file of hundreds of thousands of rows has few of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from margin_pipeline.landing.rejections import Rejection, rejected, shown
from margin_pipeline.parameters.crif_terms import (
    FACTORS,
    NOT_NEGATIVE,
    PRODUCT_CLASSES,
    REGULATIONS,
    RISK_TYPES,
    SCHEDULE_CLASSES,
    SENSITIVITIES,
)

LETTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LONGEST_LIST = 4


def crif_rejections(crif: pd.DataFrame, netting_sets: pd.DataFrame) -> list[Rejection]:
    """Rows that a margin cannot be computed from, with the column at fault and what would do.

    Parameters
    ----------
    crif : accepted rows as the contract spells them, index = row number.
    netting_sets : accepted netting sets of the date.
    """
    if crif.empty:
        return []
    named = crif["netting_set_id"]
    unknown = named[pd.Index(netting_sets["netting_set_id"]).get_indexer(pd.Index(named)) < 0]
    found = rejected(unknown.index, "netting_set_id", (f"{shown(name)} is not among the accepted netting sets" for name in unknown))
    checks: tuple[tuple[str, Callable[[str, str, str], str | None]], ...] = (
        ("product_class", _product_class), ("qualifier", _qualifier), ("bucket", _bucket), ("label1", _label1), ("label2", _label2),
        ("collect_regulations", _regulations), ("post_regulations", _regulations),
    )  # fmt: skip
    for column, check in checks:
        found += _by_combination(crif, column, check)
    return found + _models(crif) + _amounts(crif)


def _by_combination(crif: pd.DataFrame, column: str, check: Callable[[str, str, str], str | None]) -> list[Rejection]:
    """Rejections of one column; `check` says what is wrong with a cell of a risk type and model."""
    parts = [pd.factorize(crif[name]) for name in (column, "risk_type", "im_model")]
    sizes = [len(distinct) + 1 for _, distinct in parts]
    (cells, values), (types, names), (models, kinds) = parts
    combined = ((cells + 1) * sizes[1] + types + 1) * sizes[2] + models + 1
    codes, distinct = pd.factorize(combined)
    texts = [[*("" if pd.isna(v) else str(v) for v in part), ""] for part in (values, names, kinds)]
    reasons = []
    for code in distinct.tolist():
        rest, model = divmod(code, sizes[2])
        cell, kind = divmod(rest, sizes[1])
        reasons.append(check(texts[0][cell - 1], texts[1][kind - 1], texts[2][model - 1]))
    bad = np.flatnonzero(np.array([reason is not None for reason in reasons])[codes])
    return rejected(crif.index[bad], column, (str(reasons[code]) for code in codes[bad]))


def _product_class(cell: str, risk_type: str, model: str) -> str | None:
    if model == "Schedule":
        return None if cell in SCHEDULE_CLASSES else f"{shown(cell)} is no product class of the schedule: {_listed(SCHEDULE_CLASSES)}"
    if risk_type not in SENSITIVITIES or cell in PRODUCT_CLASSES:
        return None
    return f"{shown(cell)} is no product class of a sensitivity: {_listed(PRODUCT_CLASSES)}"


def _qualifier(cell: str, risk_type: str, model: str) -> str | None:
    kind = RISK_TYPES[risk_type].qualifier
    if kind == "currency":
        right, wanted = len(cell) == 3 and LETTERS.issuperset(cell), "a currency code"
    elif kind == "currency_pair":
        right = len(cell) == 6 and LETTERS.issuperset(cell) and cell[:3] != cell[3:]
        wanted = "two different currency codes, such as EURUSD"
    elif kind == "product_class":
        right, wanted = cell in PRODUCT_CLASSES, f"a product class: {_listed(PRODUCT_CLASSES)}"
    else:
        right, wanted = bool(cell) or kind == "", "a name"
    if right:
        return None
    return f"{risk_type} needs {wanted}" if not cell else f"{shown(cell)} is not {wanted}, which {risk_type} needs"


def _bucket(cell: str, risk_type: str, model: str) -> str | None:
    return _one_of(cell, RISK_TYPES[risk_type].buckets, f"bucket of {risk_type}")


def _label1(cell: str, risk_type: str, model: str) -> str | None:
    return _one_of(cell, RISK_TYPES[risk_type].label1, f"tenor of {risk_type}")


def _label2(cell: str, risk_type: str, model: str) -> str | None:
    what = "sub-curve" if risk_type == "Risk_IRCurve" else "second label"
    return _one_of(cell, RISK_TYPES[risk_type].label2, f"{what} of {risk_type}")


def _regulations(cell: str, risk_type: str, model: str) -> str | None:
    unknown = [part for part in cell.split(",") if part and part not in REGULATIONS]
    return f"{shown(unknown[0])} is no regulation: {', '.join(REGULATIONS)}" if unknown else None


def _one_of(cell: str, allowed: tuple[str, ...] | None, what: str) -> str | None:
    if allowed is None or cell in allowed:
        return None
    given = f"{shown(cell)} is no" if cell else "a value is required: a"
    return f"{given} {what}: {_listed(tuple(name for name in allowed if name))}{' or empty' if '' in allowed else ''}"


def _listed(names: tuple[str, ...]) -> str:
    """Names in a line: counts as a range, long lists of tenors whole."""
    counts = [name for name in names if name.isdigit()]
    if len(counts) > LONGEST_LIST:
        return " or ".join([f"{counts[0]} to {counts[-1]}", *(name for name in names if not name.isdigit())])
    return ", ".join(names)


def _models(crif: pd.DataFrame) -> list[Rejection]:
    """Rows whose model does not fit their risk type, and trades under the schedule that lack a name or an end."""
    schedule = crif["im_model"] == "Schedule"
    if not schedule.any():
        return []
    of_schedule = crif["risk_type"].isin(["Notional", "PV"])
    wrong = crif[schedule & ~of_schedule]
    reasons = (f"rows of IMModel Schedule are Notional and PV, not {name}" for name in wrong["risk_type"])
    found = rejected(wrong.index, "im_model", reasons)
    for column, what in (("trade_id", "a trade"), ("end_date", "an end date")):
        without = crif.index[schedule & of_schedule & crif[column].isna()]
        found += rejected(without, column, [f"a row of IMModel Schedule needs {what}"] * len(without))
    return found


def _amounts(crif: pd.DataFrame) -> list[Rejection]:
    """Rows without an amount that can be used, or with one out of range."""
    kind, amount, dollars = crif["risk_type"], crif["amount"], crif["amount_usd"]
    factor = kind.isin(FACTORS)
    money = ~factor
    absent = crif[factor & amount.isna()]
    found = rejected(absent.index, "amount", (f"{name} needs Amount, its factor" for name in absent["risk_type"]))
    nothing = crif.index[money & dollars.isna() & amount.isna()]
    found += rejected(nothing, "amount_usd", ["AmountUSD is empty, and so is Amount: one of them is required"] * len(nothing))
    unnamed = crif.index[money & dollars.isna() & amount.notna() & crif["amount_currency"].isna()]
    found += rejected(unnamed, "amount_currency", ["AmountUSD is empty, so AmountCurrency is required"] * len(unnamed))
    below = crif.index[(kind == "Param_ProductClassMultiplier") & (amount < 1)]
    value = dollars.where(money & dollars.notna(), amount)
    bad = kind.isin(NOT_NEGATIVE) & (value < 0)
    found += rejected(below, "amount", (f'"{number:.15g}" is below 1, the least multiplier' for number in amount[below]))
    reasons = (f'"{number:.15g}" is below 0; {name} cannot lower a margin' for number, name in zip(value[bad], kind[bad], strict=True))
    return found + rejected(crif.index[bad], "amount", reasons)
