"""What the market says about instruments: returns, volatility, correlation, beta, option prices.

Belongs here: estimates and prices of symbols. Not here: portfolios, margins, SQL.
"""
