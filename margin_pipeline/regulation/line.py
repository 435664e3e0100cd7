"""One regulatory line: a figure, what it is held against, and the rule that says so.

Belongs here: the record, its status, its form as a table row. Not here: any rule.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from margin_pipeline.parameters.rule_version import RuleVersion

COLUMNS = [
    "portfolio_id", "scope", "regime", "line_item", "netting_set_id", "side", "value", "unit", "limit_value", "status", "applicable",
    "reason", "reference", "parameter_set", "effective_date", "inputs",
]  # fmt: skip


@dataclass(frozen=True)
class RegulatoryLine:
    """A line of the table regulatory_lines; meanings stand there.

    Attributes
    ----------
    value, limit_value : figure and limit in `unit`, None where there is none.
    status : pass, breach, information, undetermined or not_applicable.
    reason : why the line does not apply, or what is missing.
    inputs : figures that went in; what is not finite is stored as null.
    """

    portfolio_id: str
    scope: str
    regime: str
    line_item: str
    unit: str
    status: str
    reference: str
    version: RuleVersion
    value: float | None = None
    limit_value: float | None = None
    reason: str | None = None
    netting_set_id: str = ""
    side: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)


def at_least(value: float | None, limit: float | None) -> str:
    """Status of a figure that must not be below its limit: pass, breach, or undetermined where one is missing."""
    if value is None or limit is None or math.isnan(value) or math.isnan(limit):
        return "undetermined"
    return "pass" if value >= limit else "breach"


def at_most(value: float | None, limit: float | None) -> str:
    """Status of a figure that must not be above its limit: pass, breach, or undetermined where one is missing."""
    if value is None or limit is None or math.isnan(value) or math.isnan(limit):
        return "undetermined"
    return "pass" if value <= limit else "breach"


def known(value: object) -> float | None:
    """A number, or None where it is missing (None or NaN)."""
    number = float("nan") if value is None else float(value)  # type: ignore[arg-type]
    return None if math.isnan(number) else number


def table(lines: Sequence[RegulatoryLine]) -> pd.DataFrame:
    """Frame as margin_data.regulatory_lines, ordered by its key."""
    rows = [
        (
            line.portfolio_id, line.scope, line.regime, line.line_item, line.netting_set_id, line.side, line.value, line.unit,
            line.limit_value, line.status, line.status != "not_applicable", line.reason, line.reference, line.version.label,
            line.version.effective_date, json.dumps(_finite(line.inputs), allow_nan=False),
        )
        for line in lines
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"value": float, "limit_value": float, "applicable": bool, "reason": "str"})
    frame["effective_date"] = pd.to_datetime(frame["effective_date"])
    return frame.sort_values(COLUMNS[:6], kind="stable").reset_index(drop=True)


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
