"""Alerts besides margin: concentration, stale marks, failed stress tests, broken limits, likely breaches.

Belongs here: what the figures call for. Not here: which alerts stand (test_alerts), storing them.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.decisions.alerts import Watched, evaluate, judgements
from margin_pipeline.decisions.alerts.results import likely_breaches
from margin_pipeline.parameters.alerts import alert_rules

DAY = dt.date(2022, 12, 28)
RULES = alert_rules(DAY)
PORTFOLIOS = pd.DataFrame({"portfolio_id": ["P", "Q"], "equity": [1000.0, 1000.0]})
NO_MARGINS = pd.DataFrame(columns=["portfolio_id", "is_governing"])
NO_ALERTS = pd.DataFrame()


def positions(*rows):
    """Rows of (portfolio, symbol, underlying, asset class, exposure by delta, price date)."""
    frame = pd.DataFrame(rows, columns=["portfolio_id", "symbol", "underlying", "asset_class", "notional", "price_date"])
    return frame.assign(price_date=pd.to_datetime(frame["price_date"]), notional=frame["notional"].astype(float))


def stock(notional, portfolio="P", symbol="A", price_date="2022-12-28"):
    return (portfolio, symbol, None, "equity", notional, price_date)


def found(*held, standing=NO_ALERTS, stress=None, lines=None, portfolios=PORTFOLIOS):
    book = positions(*held).assign(strategy="s")
    watched = Watched(portfolios, book, book.rename(columns={"notional": "dollar_delta"}), stress, lines)
    return evaluate(NO_MARGINS, standing, NO_ALERTS, {}, DAY, 1, judgements(watched, DAY))


def raised(changes):
    return [(r.portfolio_id, r.kind, r.subject, r.threshold, r.severity) for r in changes.raised.itertuples()]


def standing(changes, episode=1):
    return changes.raised.assign(episode=episode)


def test_one_name_beyond_its_share_of_equity_is_a_concentration_by_name_and_severity():
    option = ("P", "A230120C100", "A", "equity_option", 300.0, "2022-12-28")
    changes = found(stock(1000.0), option, stock(700.0, symbol="B"), stock(800.0, "Q", "B"))
    assert raised(changes) == [
        ("P", "concentration", "A", 0.75, "warning"),
        ("P", "concentration", "A", 1.25, "critical"),
        ("Q", "concentration", "B", 0.75, "warning"),
    ]
    assert changes.raised["observed"].tolist() == [1.3, 1.3, 0.8]
    assert "net exposure to A is 130% of equity" in changes.raised["message"].iloc[0]


def test_what_offsets_in_one_name_is_no_concentration_and_a_sold_position_clears_it():
    before = found(stock(1000.0))
    assert found(stock(1000.0), stock(-990.0), standing=standing(before)).cleared["subject"].tolist() == ["A"]
    assert found(standing=standing(before)).cleared["subject"].tolist() == ["A"]
    assert found(stock(740.0), standing=standing(before)).cleared.empty
    assert found(stock(699.0), standing=standing(before)).cleared["threshold"].tolist() == [0.75]


def test_an_exposure_that_is_not_known_neither_raises_nor_clears():
    before = found(stock(1000.0))
    unknown = found(stock(np.nan), stock(2000.0, symbol="B"), standing=standing(before))
    assert unknown.raised.empty
    assert unknown.cleared.empty


def test_any_exposure_without_equity_is_a_concentration():
    poor = PORTFOLIOS.assign(equity=[0.0, 1000.0])
    changes = found(stock(1.0), portfolios=poor)
    assert raised(changes)[0][:3] == ("P", "concentration", "A")
    assert "without equity" in changes.raised["message"].iloc[0]


def test_a_broad_future_is_no_single_name():
    future = ("P", "ESH3", "SP500", "future", 9000.0, "2022-12-28")
    assert found(future).raised.empty


def test_a_mark_older_than_the_date_is_told_once_a_portfolio():
    changes = found(stock(1.0, price_date="2022-12-23"), stock(1.0, symbol="B", price_date="2022-12-27"), stock(1.0, "Q"))
    assert raised(changes) == [("P", "stale_mark", "", 0.0, "warning")]
    assert changes.raised["observed"].tolist() == [5.0]
    assert "marks of A, B are older" in changes.raised["message"].iloc[0]
    assert found(stock(1.0), standing=standing(changes)).cleared["kind"].tolist() == ["stale_mark"]


def stress(*passed, governing=True):
    rows = [("P", f"s{i}", governing, value) for i, value in enumerate(passed)]
    return pd.DataFrame(rows, columns=["portfolio_id", "scenario", "is_governing", "passed"]).astype({"passed": "boolean"})


def test_failed_scenarios_of_the_governing_method_raise_one_alert():
    changes = found(stress=stress(True, False, False))
    assert raised(changes) == [("P", "stress", "", 0.0, "warning")]
    assert changes.raised["observed"].tolist() == [2.0]
    assert found(stress=stress(False, governing=False)).raised.empty
    assert found(stress=stress(True, True), standing=standing(changes)).cleared["kind"].tolist() == ["stress"]
    assert found(stress=stress(True, None), standing=standing(changes)).cleared.empty


def line(status, value=0.02, limit=0.03, portfolio="P", item="leverage_ratio"):
    row = (portfolio, "basel", "entity", item, "", "", value, limit, "ratio", status, "LEV20.7")
    columns = [
        "portfolio_id",
        "regime",
        "scope",
        "line_item",
        "netting_set_id",
        "side",
        "value",
        "limit_value",
        "unit",
        "status",
        "reference",
    ]
    return pd.DataFrame([row], columns=columns)


def test_a_line_in_breach_raises_and_clears_with_the_line():
    changes = found(lines=line("breach"))
    assert raised(changes) == [("P", "regulatory_limit", "basel/entity/leverage_ratio//", 0.03, "critical")]
    assert "0.0200 against 0.0300 (LEV20.7)" in changes.raised["message"].iloc[0]
    assert found(lines=line("breach"), standing=standing(changes)).raised.empty
    assert found(lines=line("undetermined"), standing=standing(changes)).cleared.empty
    assert len(found(lines=line("pass", 0.04), standing=standing(changes)).cleared) == 1
    assert len(found(lines=line("pass", 0.04, item="other"), standing=standing(changes)).cleared) == 1


def test_a_limit_that_moves_is_another_alert():
    changes = found(lines=line("breach"))
    moved = found(lines=line("breach", limit=0.035), standing=standing(changes))
    assert moved.raised["threshold"].tolist() == [0.035]
    assert moved.cleared["threshold"].tolist() == [0.03]


def test_lines_of_the_firm_are_alerts_about_every_portfolio():
    assert raised(found(lines=line("breach", portfolio="")))[0][0] == "*"


@pytest.mark.parametrize(
    ("probability", "severities"), [(0.05, []), (0.10, ["warning"]), (0.6, ["warning", "critical"]), (1.0, []), (np.nan, [])]
)
def test_a_likely_breach_is_told_before_it_happens_and_not_after(probability, severities):
    forecasts = pd.DataFrame(
        {"portfolio_id": ["P", "P"], "horizon_minutes": [60, 390], "threshold": [0.8, 0.8], "breach_probability": [probability, 0.9]}
    )
    changes = evaluate(NO_MARGINS, NO_ALERTS, NO_ALERTS, {}, DAY, 1, list(likely_breaches(forecasts, RULES)))
    assert changes.raised["severity"].tolist() == severities
    assert set(changes.raised["subject"]) <= {"0.8"}
