"""Everything that regulatory lines of a date are made of, and the rows of one portfolio in it.

Belongs here: the record and how it is asked. Not here: any rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from margin_pipeline.market.currencies import usd_rates

FIRM = ""
"""portfolio_id of lines of the firm as a whole (scope firm)."""
FIRM_CURRENCY = "USD"
"""Currency of the amounts of the firm as a whole."""


@dataclass(frozen=True)
class RegulatoryInputs:
    """Frames of the tables of a date, by their names.

    Attributes
    ----------
    as_of : business date.
    frames : tables by name; at least portfolios.
    fx_rates : columns date, currency, usd_rate.
    """

    as_of: dt.date
    frames: Mapping[str, pd.DataFrame]
    fx_rates: pd.DataFrame
    _rows: dict[str, dict[str, list[dict[Any, Any]]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def portfolios(self) -> list[dict[Any, Any]]:
        """Rows of portfolios, ordered by portfolio_id."""
        return self.frames["portfolios"].sort_values("portfolio_id", kind="stable").to_dict("records")

    @cached_property
    def usd_rates(self) -> Mapping[str, float]:
        """US dollars for one unit, by currency."""
        return usd_rates(self.fx_rates, self.as_of)

    def table(self, name: str) -> pd.DataFrame:
        """A table of the date; one that was not given is an error, never an empty one."""
        return self.frames[name]

    def of_portfolio(self, name: str, portfolio_id: str) -> list[dict[Any, Any]]:
        """Rows of a table that belong to a portfolio, in the order of the table."""
        if name not in self._rows:
            grouped: dict[str, list[dict[Any, Any]]] = {}
            for row in self.frames[name].to_dict("records"):
                grouped.setdefault(str(row["portfolio_id"]), []).append(row)
            self._rows[name] = grouped
        return self._rows[name].get(portfolio_id, [])

    def frame_of(self, name: str, portfolio_id: str) -> pd.DataFrame:
        """Rows of a table that belong to a portfolio, as a frame."""
        frame = self.frames[name]
        return frame[frame["portfolio_id"] == portfolio_id]

    def rate(self, currency: str, into: str) -> float:
        """Units of the second currency for one of the first; NaN where a rate is missing."""
        if currency == into:
            return 1.0
        found = {**self.usd_rates, "USD": 1.0}
        return float(found.get(currency, np.nan)) / float(found.get(into, np.nan))

    def entity_figures(self, portfolio: Mapping[Any, Any], into: str | None = None) -> dict[str, float]:
        """Figures of the entity behind a portfolio by name, in its base currency or another; NaN where a rate is missing.

        Figures that are no amounts (ratios, dates, counts) are to be read with `entity_numbers`.
        """
        target = into or str(portfolio["base_currency"])
        rows = self.of_portfolio("entity_figures", str(portfolio["portfolio_id"]))
        return {str(row["figure"]): float(row["value"]) * self.rate(str(row["currency"]), target) for row in rows}

    def entity_numbers(self, portfolio: Mapping[Any, Any]) -> dict[str, float]:
        """Figures of the entity by name as they were given, without conversion."""
        rows = self.of_portfolio("entity_figures", str(portfolio["portfolio_id"]))
        return {str(row["figure"]): float(row["value"]) for row in rows}
