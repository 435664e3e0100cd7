"""How a column of an input file is declared: a pandera column with its kind, unit and default.

Belongs here: the four kinds of column and the checks they use. Not here: any file's columns, reading or coercing text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import pandas as pd
import pandera.pandas as pa

Kind = Literal["text", "number", "date", "boolean"]
Case = Literal["lower", "upper", "as_is"]
DTYPES: dict[Kind, str] = {"text": "str", "number": "float64", "date": "datetime64[us]", "boolean": "boolean"}


def text(
    description: str,
    *,
    required: bool = False,
    default: str | None = None,
    allowed: Sequence[str] | None = None,
    pattern: tuple[str, str] | None = None,
    case: Case = "as_is",
    default_note: str = "",
) -> pa.Column:
    """Column of text; `allowed` values, or a `pattern` with its description; `case`: what cells are turned into before they are checked."""
    checks = []
    if allowed is not None:
        checks.append(pa.Check.isin(list(allowed), error=f"is none of {', '.join(allowed)}"))
    if pattern is not None:
        checks.append(pa.Check.str_matches(f"^(?:{pattern[0]})$", error=f"is not {pattern[1]}"))
    notes = {"pattern": pattern[1] if pattern else "", "default_note": default_note}
    return _column("text", description, checks, required, default, case=case, allowed=list(allowed or []), **notes)


def currency(description: str, **keywords: Any) -> pa.Column:
    """Column of ISO 4217 codes."""
    return text(description, pattern=("[A-Z]{3}", "a currency code of three capital letters"), **keywords)


def number(
    description: str,
    unit: str,
    *,
    required: bool = False,
    default: float | None = None,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    default_note: str = "",
) -> pa.Column:
    """Column of finite numbers with its unit and range."""
    checks = []
    if above is not None:
        checks.append(pa.Check.gt(above, error=f"is not above {above:g}"))
    if at_least is not None:
        checks.append(pa.Check.ge(at_least, error=f"is below {at_least:g}"))
    if at_most is not None:
        checks.append(pa.Check.le(at_most, error=f"is above {at_most:g}"))
    limits = [("above ", above), ("at least ", at_least), ("at most ", at_most)]
    range_text = ", ".join(f"{word}{limit:g}" for word, limit in limits if limit is not None)
    return _column("number", description, checks, required, default, unit=unit, range=range_text, default_note=default_note)


def date(
    description: str, *, required: bool = False, past_only: bool = False, default: pd.Timestamp | None = None, default_note: str = ""
) -> pa.Column:
    """Column of ISO dates; `past_only`: a date after the folder's is rejected."""
    return _column("date", description, [], required, default, past_only=past_only, default_note=default_note)


def boolean(description: str, *, default_note: str = "") -> pa.Column:
    """Column of true and false."""
    return _column("boolean", description, [], False, None, default_note=default_note)


def row_rule(column: str, error: str, holds: Callable[[pd.DataFrame], pd.Series]) -> pa.Check:
    """Rule over several columns of a row.

    Parameters
    ----------
    column : column that is named when the rule is broken.
    error : what the rule says, in words.
    holds : frame → boolean series, True where the rule is kept.
    """
    return pa.Check(holds, name=column, error=error, ignore_na=False)


def _column(kind: Kind, description: str, checks: list[pa.Check], required: bool, default: object, **metadata: Any) -> pa.Column:
    return pa.Column(
        DTYPES[kind],
        checks,
        nullable=not required and default is None,
        default=default,
        description=description,
        metadata={"kind": kind, "required": required, **metadata},
    )
