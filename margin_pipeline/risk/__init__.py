"""Risk of portfolios and strategies: value at risk, expected shortfall, Euler attribution, performance.

Belongs here: what a book can lose and who contributes. Not here: margin requirements, estimates of the market, I/O.
"""

from margin_pipeline.risk.attribution import RiskResult, assess
from margin_pipeline.risk.exposures import risk_positions
from margin_pipeline.risk.performance import strategy_performance, strategy_table

__all__ = ["RiskResult", "assess", "risk_positions", "strategy_performance", "strategy_table"]
