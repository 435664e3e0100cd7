"""House rates of the sample, and what its brokers ask on the last date.

Belongs here: the rows. Not here: what explains the brokers' figures (the pipeline finds that, in margin.margin_reconciliation).
"""

from __future__ import annotations

HOUSE_MARGINS = (("RRC", "", 0.75, 0.30), ("", "convertible", 0.60, 0.40))
"""Symbol, asset class, initial rate, maintenance rate: the house opens shorts in a gas producer at three quarters."""

BROKER_MARGINS = (
    ("CRYPTO", "BTCPERP", 20_798.15, 10_399.08),
    ("CRYPTO", "ETHPERP", 10_885.94, 5_442.97),
    ("DESK_ERRORS", "", 150_000, 80_000),
    ("INDEX_FUTURES", "ESH3", 246_400, 224_000),
    ("INDEX_FUTURES", "ESH3230217C4100", 201_300, 183_000),
    ("LONG_SHORT", "", "", 2_238_000),
    ("MOMENTUM", "", 712_360, 356_180),
    ("OPTIONS_INCOME", "", 715_212.50, 591_274.25),
)
"""Portfolio, symbol, initial margin, maintenance margin. The brokers read ETHPERP's schedule by slices, charge the futures' margin from
before the rise, count short stock with its proceeds, recognise no option structures, and agree about MOMENTUM."""
