"""Opening hours as the position models see them: which exchange rate an instant gets."""

import datetime as dt

import pytest

from margin_pipeline.margin.registry import terms_in_force
from margin_pipeline.orchestration.resources import Rules
from margin_pipeline_tests.margin.models.conftest import margin_book

RULES = Rules("XNYS", {})
FUTURE = {"symbol": "ESH3", "asset_class": "future", "multiplier": 50.0, "root": "ES", "quantity": 1}
SHARE = {"symbol": "A", "margin_model": "pattern_day_trading", "price": 100.0, "quantity": 100}
RATES = [("ES", "2022-01-03", 12_320, 11_200, 6_160, 5_600)]


@pytest.mark.parametrize(
    ("instant", "as_of", "intraday"),
    [
        (None, "2022-12-28", False),  # after the close
        ("2022-12-28T14:29:00+00:00", "2022-12-28", False),  # a minute before the opening in New York
        ("2022-12-28T14:30:00+00:00", "2022-12-28", True),
        ("2022-12-28T20:44:00+00:00", "2022-12-28", True),
        ("2022-12-28T20:46:00+00:00", "2022-12-28", False),  # closing within a quarter of an hour
        ("2022-12-28T21:00:00+00:00", "2022-12-28", False),
        ("2022-11-25T17:44:00+00:00", "2022-11-25", True),  # half day, closes at 13:00 in New York
        ("2022-11-25T17:46:00+00:00", "2022-11-25", False),
        ("2022-11-25T19:00:00+00:00", "2022-11-25", False),
        ("2022-12-26T16:00:00+00:00", "2022-12-26", False),  # a holiday
        ("2022-12-28T16:00:00+00:00", "2022-12-27", False),  # the positions of the day before are held overnight
    ],
)
def test_instant_gets_intraday_rates_only_while_the_market_is_open_and_not_about_to_close(instant, as_of, intraday):
    day = dt.date.fromisoformat(as_of)
    at = dt.datetime.fromisoformat(instant) if instant else None
    is_open = RULES.market_is_open(at, day)
    assert is_open is intraday
    margins = margin_book([FUTURE, SHARE], account="reg_t", futures=RATES, as_of=day, at=at, calendar_open=is_open)
    needed = margins["position_margins"].set_index("symbol")["maintenance_margin"]
    assert needed.to_dict() == {"A": 2_500 if intraday else 5_000, "ESH3": 5_600 if intraday else 11_200}


def test_terms_without_an_instant_are_those_after_the_close():
    tables = margin_book([FUTURE], futures=RATES)
    files = (tables[name] for name in ("fx_rates", "futures_margins", "margin_schedules", "margin_rates", "as_of"))
    assert terms_in_force(*files).intraday is False
