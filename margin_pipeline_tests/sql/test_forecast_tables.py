"""Tables of forecasts take what the forecast makes, gaps included; the question who will be called puts the likeliest first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.parameters.estimation import estimation_settings
from margin_pipeline.parameters.forecast import forecast_settings
from margin_pipeline.parameters.risk import risk_settings
from margin_pipeline.risk.forecast import SLOPES, factor_exposures, forecast_rows, moments
from margin_pipeline.risk.forecast_calibration import calibration_table

AS_OF = dt.date(2022, 12, 28)
CLOSE = dt.datetime(2022, 12, 28, 21, tzinfo=dt.UTC)
QUERY = Path(__file__).parents[2] / "sql" / "queries" / "who_will_be_called.sql"
AMOUNTS = {"CALM": (100_000.0, 20_000.0), "CLOSE_TO": (21_000.0, 20_000.0), "GONE": (15_000.0, 20_000.0), "UNKNOWN": (np.nan, np.nan)}


def margins() -> pd.DataFrame:
    frame = pd.DataFrame(
        [(name, *amounts) for name, amounts in AMOUNTS.items()], columns=["portfolio_id", "margin_equity", "maintenance_margin"]
    )
    used = frame["maintenance_margin"] / frame["margin_equity"]
    return frame.assign(method="reg_t", is_governing=True, utilization=used, status="safe", missing=None)


def tables() -> dict[str, pd.DataFrame]:
    rows = pd.DataFrame(
        [(name, "A", 50_000.0, 0.0, 12_500.0, 0.0, 62_500.0) for name in AMOUNTS], columns=["portfolio_id", "risk_factor", *SLOPES]
    )
    exposures, settings = factor_exposures(rows, list(AMOUNTS)), forecast_settings(AS_OF)
    day = moments(exposures, np.array([[4e-4]]))
    found = forecast_rows(exposures, day, margins(), {"UNKNOWN": ["KO: no price"]}, (0.8, 1.0), settings, CLOSE)
    random = np.random.default_rng(1)
    days = pd.bdate_range(end=pd.Timestamp(AS_OF), periods=400)
    prices = pd.DataFrame(
        {"date": days, "symbol": "A", "close": 100 * np.exp(np.cumsum(random.normal(0, 0.02, 400))), "adjusted_close": np.nan}
    )
    fx = pd.DataFrame({"date": pd.Series(dtype="datetime64[ns]"), "currency": pd.Series(dtype="str"), "usd_rate": pd.Series(dtype=float)})
    methods = dict.fromkeys(["CALM", "CLOSE_TO", "GONE"], "reg_t")
    given = (risk_settings(AS_OF), estimation_settings(AS_OF), settings)
    return {"margin_forecasts": found, "forecast_calibration": calibration_table(exposures, methods, prices, fx, (), *given, AS_OF)}


@pytest.fixture(scope="module")
def published(database: storage.DatabaseUrls) -> storage.DatabaseUrls:
    calculation_id = storage.begin(database, AS_OF, "forecast", "test", {})
    given = tables()
    for name, frame in given.items():
        storage.write_table(database, calculation_id, AS_OF, name, frame)
    storage.publish(database, calculation_id, input_hash="forecast", scope="chain", expected_tables=list(given), content_hash="forecast")
    return database


def test_forecasts_and_gaps_are_read_back_as_they_were_made(published):
    found = storage.read_query(published, "select * from margin.margin_forecasts order by portfolio_id, horizon_minutes, threshold")
    assert len(found) == 4 * 8 * 2
    lost = found[found["portfolio_id"] == "UNKNOWN"]
    assert set(lost["missing"]) == {'["KO: no price"]'}
    assert lost["breach_probability"].isna().all()
    gone = found[found["portfolio_id"] == "GONE"]
    assert gone["breach_probability"].eq(1.0).all()
    assert gone["median_minutes_to_breach"].eq(0.0).all()
    assert set(pd.to_datetime(found["calculated_at"], utc=True)) == {pd.Timestamp(CLOSE)}
    bins = storage.read_query(published, "select * from margin.forecast_calibration where bin > 0")
    assert bins["observed"].between(0, 1).all()


def test_every_column_says_what_it_means(published):
    text = (
        "select a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace in "
        "('margin'::regnamespace, 'margin_data'::regnamespace) and a.attnum > 0 and c.relkind in ('v', 'p') "
        "and c.relname in ('margin_forecasts', 'forecast_calibration') and col_description(c.oid, a.attnum) is null"
    )
    assert storage.read_query(published, text)["name"].tolist() == []


def test_who_will_be_called_puts_what_is_unknown_and_then_the_likeliest_first(published):
    text = QUERY.read_text().replace("(select distinct as_of from margin.latest_portfolio_summary)", f"(select date '{AS_OF}' as as_of)")
    found = storage.read_query(published, text.rstrip().rstrip(";"))
    assert found["portfolio_id"].tolist() == ["UNKNOWN", "GONE", "CLOSE_TO", "CALM"]
    near = found.set_index("portfolio_id").loc["CLOSE_TO"]
    assert near["call_within_hour_pct"] < near["within_session_pct"] < near["within_five_sessions_pct"] < 100
