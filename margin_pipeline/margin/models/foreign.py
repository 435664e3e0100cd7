"""Calls a user's margin model so that whatever goes wrong in it concerns its own positions only.

Belongs here: the call, and what may come back. Not here: finding models (`registry`), our own rules.

docs/margin_models.md tells users the same.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.book import KEY, Book
from margin_pipeline.margin.models.requirement import Array, Requirement

UserModel = Callable[[pd.DataFrame], pd.DataFrame]

AMOUNTS = ("initial_margin", "maintenance_margin")


class UnusableResult(ValueError):
    """What a user's model returned cannot be matched with its positions."""


def called(name: str, model: UserModel, book: Book) -> Requirement:
    """Requirement by a user's model; whatever goes wrong in it is the reason why its positions have no margin.

    A model that ends the process (`sys.exit`) has failed like any other; an interruption by the user (Ctrl-C) is passed on.
    """
    try:
        return _requirement(name, model, book)
    except UnusableResult as error:
        return nothing(len(book), f"margin model {name} {error}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code may raise anything; the reason is kept, the positions fail closed
        return nothing(len(book), f"margin model {name} failed: {traceback.format_exception_only(error)[-1].strip()}")


def nothing(length: int, reason: str) -> Requirement:
    """No requirement of any position, for one reason."""
    empty = np.full(length, np.nan)
    return Requirement(empty, empty, dict.fromkeys(range(length), reason), lambda: pd.Series(["{}"] * length, dtype="str"))


def _requirement(name: str, model: UserModel, book: Book) -> Requirement:
    given = book.frame()
    before = given.copy()
    frame = model(given)
    if not given.equals(before):
        raise UnusableResult("changed the frame that it was given; it must work on a copy")
    _check_rows(frame, before)
    initial, maintenance = (frame[column].to_numpy(dtype=np.float64, na_value=np.nan) for column in AMOUNTS)
    missing = {**_no_margins(name, initial, maintenance), **_texts(frame)}
    explanation = _objects(frame)
    return Requirement(initial, maintenance, missing, lambda: explanation)


def _check_rows(frame: object, given: pd.DataFrame) -> None:
    """Refuse a result whose rows cannot be told to be those of the frame that was given."""
    if not isinstance(frame, pd.DataFrame):
        raise UnusableResult(f"returned {type(frame).__name__}, not a DataFrame")
    if len(frame) != len(given):
        raise UnusableResult(f"returned {len(frame)} rows for {len(given)} positions")
    absent = [column for column in AMOUNTS if column not in frame.columns]
    if absent:
        raise UnusableResult(f"returned no column {' and '.join(absent)}")
    if not frame.index.equals(given.index):
        raise UnusableResult("returned rows in another order or under another index than the frame that it was given")
    for column in KEY:
        if column in frame.columns and frame[column].astype("str").tolist() != given[column].tolist():
            raise UnusableResult(f"returned rows whose {column} differs from the frame that it was given")


def _no_margins(name: str, initial: Array, maintenance: Array) -> dict[int, str]:
    """Reasons of rows whose amounts are no margin."""
    found: dict[int, str] = {}
    for column, amounts in zip(AMOUNTS, (initial, maintenance), strict=True):
        for row in np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0))).tolist():
            found.setdefault(row, f"margin model {name} gave {amounts[row]:.15g} as {column}")
    return found


def _texts(frame: pd.DataFrame) -> dict[int, str]:
    """Reasons that the model gives itself."""
    if "missing" not in frame.columns:
        return {}
    known = frame["missing"].notna().to_numpy()
    return {int(row): str(frame["missing"].iloc[row]) for row in np.flatnonzero(known)}


def _objects(frame: pd.DataFrame) -> pd.Series:
    """Explanations as JSON objects."""
    if "explanation" not in frame.columns:
        return pd.Series(["{}"] * len(frame), dtype="str")
    objects = [json.loads(value) if isinstance(value, str) else value for value in frame["explanation"]]
    if not all(isinstance(value, Mapping) for value in objects):
        raise UnusableResult("returned an explanation that is neither a mapping nor the text of a JSON object")
    return pd.Series([json.dumps(dict(value), allow_nan=False) for value in objects], dtype="str")
