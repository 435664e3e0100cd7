"""Risk-based margin by scenarios: class groups, valuation points, product groups (method portfolio_margin).

Belongs here: what a book loses at the points and what follows. Not here: parameter values, SPAN (`margin.span`), totals of portfolios.
"""
