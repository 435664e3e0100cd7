"""The Basel framework for banks: risk-weighted assets, capital, leverage and liquidity.

Belongs here: rules of the Basel Committee as they stand. Not here: SA-CCR and uncleared margin (rooms of their own), dated values
(`parameters`).
"""

from margin_pipeline.regulation.basel.assets_table import risk_weighted_assets
from margin_pipeline.regulation.basel.bank_lines import lines

__all__ = ["lines", "risk_weighted_assets"]
