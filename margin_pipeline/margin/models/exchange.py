"""Exchange margins of futures: which rates are in force on a date.

Belongs here: the newest rates by root, overnight and intraday. Not here: what positions need (`future`, `future_option`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from margin_pipeline.margin.models.texts import Texts

Array = np.ndarray


@dataclass(frozen=True)
class ExchangeMargins:
    """Margins a contract in force on a date, instrument currency, by root.

    Attributes
    ----------
    effective_date : first day of the rates, ISO 8601.
    overnight, intraday : initial and maintenance margin; a root without intraday rates has its overnight ones there.
    """

    effective_date: Mapping[str, str]
    overnight: tuple[Mapping[str, float], Mapping[str, float]]
    intraday: tuple[Mapping[str, float], Mapping[str, float]]

    def of_roots(self, root: Texts, intraday: bool) -> tuple[Array, Array]:
        """Initial and maintenance margin of one contract of each root, (n,) instrument currency; NaN where the exchange names none."""
        initial, maintenance = self.intraday if intraday else self.overnight
        return root.numbers(initial), root.numbers(maintenance)


def exchange_margins_in_force(futures_margins: pd.DataFrame, as_of: dt.date) -> ExchangeMargins:
    """Exchange margins that apply on a date: of each root the newest effective date by then.

    Parameters
    ----------
    futures_margins : columns root, effective_date and the four rates a contract.
    as_of : business date.
    """
    effective = pd.to_datetime(futures_margins["effective_date"])
    current = futures_margins.assign(effective_date=effective)[effective <= pd.Timestamp(as_of)]
    newest = current.sort_values("effective_date", kind="stable").drop_duplicates("root", keep="last").set_index("root")
    both = newest["initial_intraday"].notna() & newest["maintenance_intraday"].notna()

    def rates(kind: str, intraday: bool) -> dict[str, float]:
        overnight = newest[f"{kind}_overnight"].astype(float)
        found = newest[f"{kind}_intraday"].astype(float).where(both, overnight) if intraday else overnight
        return dict(zip(found.index, found.tolist(), strict=True))

    return ExchangeMargins(
        effective_date=newest["effective_date"].dt.strftime("%Y-%m-%d").to_dict(),
        overnight=(rates("initial", False), rates("maintenance", False)),
        intraday=(rates("initial", True), rates("maintenance", True)),
    )
