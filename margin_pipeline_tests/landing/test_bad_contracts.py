"""Contracts whose terms are incomplete or mean nothing are quarantined, and so are the positions in them.

Belongs here: instruments that no margin rule could use. Not here: other files, reading.
"""

from __future__ import annotations

import pytest

HEADER = "symbol,asset_class,underlying,option_type,strike,expiry,multiplier,root\n"
STOCK = "AAPL,equity,,,,,,\n"
POSITIONS = "portfolio_id,strategy,symbol,quantity\nP1,core,X,-1\nP1,core,AAPL,10\n"
BAD = [
    ("X,equity_option,AAPL,call,,2023-01-20,100,", "strike", "an option needs a strike"),
    ("X,equity_option,AAPL,call,0,2023-01-20,100,", "strike", '"0" is not above 0'),
    ("X,equity_option,AAPL,call,-5,2023-01-20,100,", "strike", '"-5" is not above 0'),
    ("X,equity_option,AAPL,call,130,,100,", "expiry", "an option needs an expiry"),
    ("X,equity_option,AAPL,call,130,2023-02-30,100,", "expiry", '"2023-02-30" is not a day of the calendar'),
    ("X,equity_option,AAPL,,130,2023-01-20,100,", "option_type", "an option needs an option_type"),
    ("X,equity_option,AAPL,straddle,130,2023-01-20,100,", "option_type", '"straddle" is none of call, put'),
    ("X,equity_option,,call,130,2023-01-20,100,", "underlying", "an option needs an underlying"),
    ("X,equity_option,AAPL,call,130,2023-01-20,0,", "multiplier", '"0" is not above 0'),
    ("X,index_option,SP500,put,,2023-01-20,100,", "strike", "an option needs a strike"),
    ("X,future_option,ESH3,put,4000,2023-01-20,,", "multiplier", "a future, or an option on one, needs a multiplier"),
    ("X,future_option,ESH3,,4000,2023-01-20,50,", "option_type", "an option needs an option_type"),
    ("X,future,SP500,,,2023-03-17,,ES", "multiplier", "a future, or an option on one, needs a multiplier"),
    ("X,future,SP500,,,2023-03-17,0,ES", "multiplier", '"0" is not above 0'),
    ("X,future,SP500,,,2023-03-17,-50,ES", "multiplier", '"-50" is not above 0'),
]


@pytest.mark.parametrize(("row", "column", "reason"), BAD)
def test_contract_that_no_rule_can_use_is_quarantined_with_the_positions_in_it(land, row, column, reason):
    landed = land({"instruments.csv": f"{HEADER}{STOCK}{row}\n", "positions.csv": POSITIONS})
    rejected = landed.tables["rejected_rows"]
    contract = rejected[rejected["source"] == "instruments.csv"]
    assert contract["column_name"].tolist() == [column]
    assert contract["reason"].iloc[0].startswith(reason)
    held = rejected[rejected["source"] == "positions.csv"]
    assert held[["column_name", "reason", "portfolio_id"]].values.tolist() == [
        ["symbol", '"X" is not among the accepted instruments', "P1"]
    ]
    assert landed.tables["position_records"]["symbol"].tolist() == ["AAPL"]
