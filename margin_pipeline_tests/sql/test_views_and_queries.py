"""The views and the questions of sql/ answer from published rows, and the page on tables says what the schema says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.reports.tables_document import tables_document

ROOT = Path(__file__).parents[2]
QUERIES = sorted(path.stem for path in (ROOT / "sql" / "queries").glob("*.sql"))
BEFORE, NEWEST = dt.date(2022, 12, 27), dt.date(2022, 12, 28)


def ask(urls: storage.DatabaseUrls, question: str) -> pd.DataFrame:
    return storage.read_query(urls, (ROOT / "sql" / "queries" / f"{question}.sql").read_text().rstrip().rstrip(";"))


def portfolios(equity: float) -> pd.DataFrame:
    frame = pd.DataFrame({"portfolio_id": ["HEDGED", "LOST"], "account_type": "reg_t", "equity": [equity, 100.0]})
    return frame.assign(base_currency="USD", jurisdiction="US", entity_type="hedge_fund")


def portfolio_margins(margin: float, equity: float) -> pd.DataFrame:
    rows = [
        ("HEDGED", "strategy_based", margin, margin, equity, equity, equity - margin, margin / equity, "warning", None, True),
        ("HEDGED", "reg_t", 2 * margin, 2 * margin, equity, equity, equity - 2 * margin, 2 * margin / equity, "liquidatable", None, False),
        ("LOST", "strategy_based", np.nan, np.nan, 100.0, 100.0, np.nan, np.nan, "undetermined", '["price of KO"]', True),
    ]
    names = "portfolio_id method initial_margin maintenance_margin equity margin_equity excess utilization status missing is_governing"
    frame = pd.DataFrame(rows, columns=names.split())
    gone = frame["status"] == "liquidatable"
    level = {"is_safe": False, "is_warning": ~gone, "is_liquidatable": gone}
    known = frame["status"] != "undetermined"
    return frame.assign(**{name: pd.Series(value, frame.index, "boolean").where(known) for name, value in level.items()})


def positions() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "portfolio_id": ["HEDGED", "HEDGED", "HEDGED", "LOST"],
            "strategy": "s",
            "symbol": ["AAPL", "AAPLC", "ES", "KO"],
            "quantity": [100.0, -1.0, 1.0, 10.0],
            "price": [130.0, 2.0, 3800.0, np.nan],
            "price_source": ["close", "close", "close", "missing"],
            "market_value": [13_000.0, -200.0, 0.0, np.nan],
            "notional": [13_000.0, -13_000.0, 190_000.0, np.nan],
            "asset_class": ["equity", "equity_option", "future", "equity"],
        }
    )
    return frame.assign(
        price_date=pd.Timestamp(NEWEST), entry_price=np.nan, isolated_wallet=np.nan, currency="USD", fx_rate=1.0, underlying=None
    )


def instruments() -> pd.DataFrame:
    frame = pd.DataFrame({"symbol": ["AAPL", "AAPLC", "ES", "KO"], "asset_class": ["equity", "equity_option", "future", "equity"]})
    return frame.assign(multiplier=1.0, currency="USD", leverage_factor=1.0, contract_type=None)


def strategy_groups() -> pd.DataFrame:
    frame = pd.DataFrame(
        {"group_id": ["AAPL-1", "X-1"], "underlying": ["AAPL", "X"], "structure": ["covered_call", "naked_put"], "units": 1.0}
    )
    frame["legs"] = ['[{"symbol": "AAPL", "quantity": 100}]', '[{"symbol": "XP", "quantity": -1}]']
    frame["maintenance_margin"] = [3_000.0, 1_000.0]
    return frame.assign(portfolio_id="HEDGED", explanation="{}", missing=None)


def margin_reconciliation() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "symbol": ["", "AAPL", "ES"],
            "ours": [4_500.0, np.nan, 500.0],
            "broker": [9_000.0, 10.0, 500.0],
            "status": ["explained", "missing", "match"],
            "hypothesis": ["method:reg_t", None, None],
            "missing": [None, "ours: not held", None],
        }
    )
    difference = frame["broker"] - frame["ours"]
    explained = frame["hypothesis"].notna()
    return frame.assign(
        portfolio_id="HEDGED",
        measure="maintenance",
        method="strategy_based",
        base=["portfolio", "none", "positions"],
        difference=difference,
        explained=difference.where(explained | difference.isna(), 0.0),
        residual=difference.mask(explained, 0.0),
        explanation='{"text": "why"}',
    )


def margin_schedule_tiers() -> pd.DataFrame:
    frame = pd.DataFrame({"schedule": ["S", "S", "T", "T"], "threshold": [0.0, 100.0] * 2, "mode": ["bracket"] * 2 + ["marginal"] * 2})
    return frame.assign(
        currency="USD",
        effective_date=pd.Timestamp(BEFORE),
        initial_rate=0.2,
        maintenance_rate=[0.1, 0.2] * 2,
        initial_amount=0.0,
        maintenance_amount=[0.0, 10.0] * 2,
        maintenance_below=[np.nan, 10.0] * 2,
        maintenance_at=[0.0, 20.0, 0.0, 10.0],
        maintenance_jump=[np.nan, 10.0, np.nan, 0.0],
        initial_jump=[np.nan, 0.0] * 2,
    )


def margin_schedule_positions() -> pd.DataFrame:
    frame = pd.DataFrame({"symbol": ["FAR", "NEAR", "LAST"], "notional": [10.0, 80.0, 150.0], "move_to_next": [9.0, 0.25, np.nan]})
    return frame.assign(
        portfolio_id="HEDGED",
        strategy="s",
        schedule="S",
        mode="bracket",
        currency="USD",
        jump_at_next=[10.0, 10.0, np.nan],
        bracket_maintenance=[1.0, 8.0, 30.0],
        marginal_maintenance=[1.0, 8.0, 20.0],
    )


def filled(urls: storage.DatabaseUrls, table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of the table that the frame leaves out, without values."""
    for column in storage.columns(urls, table).columns:
        if column.name not in ("as_of", "calculation_id", *frame.columns):
            frame = frame.assign(
                **{column.name: pd.Series(np.nan if column.type == "double precision" else None, frame.index, dtype=object)}
            )
    return frame


def publish(urls: storage.DatabaseUrls, date: dt.date, run_id: str, margin: float, equity: float) -> int:
    calculation_id = storage.begin(urls, date, run_id, "test", {})
    tables = {
        "portfolios": portfolios(equity),
        "portfolio_margins": portfolio_margins(margin, equity),
        "positions": positions(),
        "instruments": instruments(),
        "strategy_groups": strategy_groups(),
        "position_margins": pd.DataFrame(
            {"portfolio_id": "HEDGED", "strategy": "s", "symbol": ["AAPL", "ES"], "model": ["reg_t", "future"], "explanation": "{}"}
        ).assign(initial_margin=[6_500.0, 600.0], maintenance_margin=[3_250.0, 500.0], missing=None),
        "strategy_group_legs": pd.DataFrame({"portfolio_id": ["HEDGED"], "group_id": "AAPL-1", "strategy": "s", "symbol": "AAPL"}).assign(
            quantity=100.0, requirement_share=3_000.0
        ),
        "margin_reconciliation": margin_reconciliation(),
        "margin_schedule_tiers": margin_schedule_tiers(),
        "margin_schedule_positions": margin_schedule_positions(),
        "netting_set_margins": pd.DataFrame({name: pd.Series(dtype=str) for name in ("portfolio_id", "netting_set_id", "model", "side")}),
        "rejected_rows": pd.DataFrame(
            {
                "source": ["positions.csv"],
                "row_number": [7],
                "column_name": ["quantity"],
                "reason": ['"ten" is not a number'],
                "raw": ["{}"],
            }
        ).assign(portfolio_id=None),
    }
    for name, frame in tables.items():
        storage.write_table(urls, calculation_id, date, name, filled(urls, name, frame))
    storage.publish(urls, calculation_id, input_hash=run_id, scope="chain", expected_tables=list(tables), content_hash=run_id)
    return calculation_id


@pytest.fixture(scope="module")
def book(database: storage.DatabaseUrls) -> storage.DatabaseUrls:
    publish(database, BEFORE, "first", 3_500.0, 5_000.0)
    publish(database, NEWEST, "second", 9_999.0, 10_000.0)
    publish(database, NEWEST, "third", 4_500.0, 5_000.0)
    return database


@pytest.mark.parametrize("question", QUERIES)
def test_every_question_runs_and_says_what_it_asks(book, question: str):
    text = (ROOT / "sql" / "queries" / f"{question}.sql").read_text()
    assert text.startswith("-- ")
    assert text.splitlines()[0].endswith("?")
    assert len(ask(book, question).columns) >= 4


def test_summary_shows_the_governing_method_of_the_newest_date_only(book):
    found = ask(book, "how_much_margin").set_index("portfolio_id")
    assert found.loc["HEDGED", ["governing_method", "maintenance_margin", "utilization_pct"]].tolist() == ["strategy_based", 4_500.0, 90.0]
    assert found.loc["LOST", "status"] == "undetermined"
    assert found["maintenance_margin"].isna().tolist() == [False, True]


def test_methods_stand_side_by_side_and_the_saving_is_their_difference(book):
    row = ask(book, "which_method_is_cheapest").set_index("portfolio_id").loc["HEDGED"]
    assert (row["reg_t"], row["strategy_based"], row["cheapest_method"], row["saving"]) == (9_000.0, 4_500.0, "strategy_based", 0.0)
    compared = storage.read_query(
        book, "select * from margin.method_comparison where as_of = '2022-12-28' and portfolio_id = 'HEDGED'"
    ).iloc[0]
    assert (compared["saving_by_structures"], compared["binding_method"]) == (4_500.0, "reg_t")


def test_costs_add_up_to_the_governing_margin_with_positions_outside_the_groups(book):
    costs = storage.read_query(book, "select * from margin.margin_costs where as_of = '2022-12-28'")
    assert sorted(costs["item"]) == ["covered_call", "future", "naked_put"]
    assert costs["maintenance_margin"].sum() == 4_500.0
    assert costs["margin_share"].sum() == pytest.approx(1.0)


def test_unknown_portfolios_are_asked_about_before_the_most_used(book):
    assert ask(book, "what_breaks_first")["portfolio_id"].tolist() == ["LOST", "HEDGED"]


def test_differences_with_the_broker_come_with_what_explains_them_and_missing_sides_first(book):
    found = ask(book, "why_does_the_broker_ask_more")
    assert found["symbol"].fillna("").tolist() == ["AAPL", "", "ES"]
    assert found.loc[1, ["difference", "hypothesis", "residual", "explanation"]].tolist() == [4_500, "method:reg_t", 0, "why"]
    assert pd.isna(found.loc[0, "difference"])


def test_nearest_cliff_comes_first_and_only_brackets_have_cliffs(book):
    found = ask(book, "where_are_the_cliffs").set_index("symbol")
    assert found.index.tolist() == ["NEAR", "FAR", "LAST"]
    assert found.loc["LAST", ["maintenance_margin", "other_reading"]].tolist() == [30, 20]
    cliffs = storage.read_query(book, "select * from margin.schedule_cliffs where as_of = '2022-12-28'")
    assert cliffs[["schedule", "threshold", "maintenance_jump"]].values.tolist() == [["S", 100.0, 10.0]]


def test_change_since_the_date_before(book):
    row = ask(book, "what_changed").set_index("portfolio_id").loc["HEDGED"]
    assert (row["margin_change"], row["equity_change"]) == (1_000.0, 0.0)


def test_superseded_figures_are_read_as_they_were_known(book):
    superseded = storage.read_query(book, "select known_from from margin.calculations where state = 'superseded'")
    text = (ROOT / "sql" / "queries" / "what_was_known.sql").read_text().rstrip().rstrip(";")
    then = text.replace("clock_timestamp()", f"timestamptz '{superseded['known_from'].iloc[0].isoformat()}'")
    row = storage.read_query(book, then).query("portfolio_id == 'HEDGED'").set_index("as_of").loc[pd.Timestamp(NEWEST)]
    assert (row["margin_then"], row["margin_now"]) == (9_999.0, 4_500.0)


def test_exposure_takes_futures_by_notional_options_by_value_and_is_empty_where_a_value_is_missing(book):
    found = storage.read_query(book, "select * from margin.portfolio_exposures where as_of = '2022-12-28'").set_index("portfolio_id")
    figures = ["long_exposure", "short_exposure", "gross_exposure", "net_exposure"]
    assert found.loc["HEDGED", figures].tolist() == [203_000.0, 200.0, 203_200.0, 202_800.0]
    assert found.loc["LOST", figures].isna().all()
    assert found.loc["LOST", "positions_without_value"] == 1


def test_every_view_and_column_has_a_comment(book):
    described = ask(book, "describe_tables")
    assert described["meaning"].fillna("").str.len().gt(0).all()
    assert described["table_meaning"].fillna("").str.len().gt(0).all()


def test_page_on_tables_is_up_to_date(book):
    written = (ROOT / "docs" / "tables.md").read_text()
    assert written == tables_document(ask(book, "describe_tables")), "renew it as margin_pipeline/reports/tables_document.py says"
