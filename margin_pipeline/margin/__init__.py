"""What positions and portfolios must hold: position models, option structures, offsets, portfolio totals, liquidation prices.

Belongs here: margin rules as pure functions on frames and arrays. Not here: I/O, SQL, estimates (`market`), risk figures (`risk`).
"""
