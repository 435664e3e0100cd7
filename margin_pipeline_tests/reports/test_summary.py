"""The summary says what the tables say, and names what needs a look."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from margin_pipeline.reports import summary


@pytest.fixture
def portfolios() -> pd.DataFrame:
    names = ["CALM", "TIGHT", "LOST", "BLIND", "OVER"]
    return pd.DataFrame({"portfolio_id": names, "account_type": "reg_t", "base_currency": ["USD", "EUR", "USD", "USD", "USD"]})


@pytest.fixture
def margins() -> pd.DataFrame:
    rows = [
        ("CALM", "strategy_based", 500.0, 250.0, 1000.0, 750.0, 0.25, "safe", None, True),
        ("CALM", "reg_t", 9999.0, 8888.0, 1000.0, -7888.0, 8.888, "liquidatable", None, False),
        ("TIGHT", "strategy_based", 1_900_000.0, 850_000.0, 1_000_000.0, 150_000.0, 0.85, "warning", None, True),
        ("LOST", "strategy_based", 10.0, 5_000.0, 4_000.0, -1_000.0, 1.25, "liquidatable", None, True),
        ("BLIND", "strategy_based", np.nan, np.nan, 700.0, np.nan, np.nan, "undetermined", '["price of AAPL", "price of KO"]', True),
        ("OVER", "strategy_based", 10.0, 5_000.0, -1.0, -5_001.0, np.inf, "liquidatable", None, True),
    ]
    names = "portfolio_id method initial_margin maintenance_margin margin_equity excess utilization status missing is_governing"
    return pd.DataFrame(rows, columns=names.split())


def test_table_has_one_line_a_portfolio_with_the_figures_of_its_governing_method(margins, portfolios):
    text = summary.portfolio_table(margins, portfolios)
    lines = {line.split()[0]: line for line in text.splitlines()[2:] if line.strip()}
    assert set(lines) == set(portfolios["portfolio_id"])
    assert "1,000,000 EUR" in lines["TIGHT"]
    assert "150,000" in lines["TIGHT"]
    assert "85.0%" in lines["TIGHT"]
    assert "8,888" not in text


def test_table_shows_nothing_where_nothing_is_known(margins, portfolios):
    blind = next(line for line in summary.portfolio_table(margins, portfolios).splitlines() if line.startswith("BLIND"))
    assert blind.split()[3:] == ["700", "USD", "-", "-", "-", "undetermined"]


def test_every_portfolio_that_is_not_safe_gets_a_sentence_the_worst_first(margins, portfolios):
    sentences = summary.attention(margins, portfolios)
    assert [sentence.split(":")[0] for sentence in sentences] == ["LOST", "OVER", "BLIND", "TIGHT"]
    assert "5,000 USD are needed and 4,000 are there" in sentences[0]
    assert "price of AAPL (and 1 more)" in sentences[2]
    assert "150,000 EUR are left" in sentences[3]


def test_row_order_does_not_matter(margins, portfolios):
    shuffled = margins.sample(frac=1, random_state=3), portfolios.sample(frac=1, random_state=4)
    assert summary.portfolio_table(*shuffled) == summary.portfolio_table(margins, portfolios)
    assert summary.attention(*shuffled) == summary.attention(margins, portfolios)


def test_rejected_rows_are_counted_and_their_files_named():
    files = pd.DataFrame({"source": ["prices.csv", "positions.csv"], "rows_read": [60_000, 20], "rows_rejected": [0, 3]})
    assert summary.rejections(files).startswith("3 of 60,020 input rows were rejected (positions.csv)")
    assert summary.rejections(files.assign(rows_rejected=0)) == ""


def test_open_alerts_are_counted_by_severity():
    assert summary.open_alerts(pd.DataFrame({"severity": ["warning", "critical", "warning"]})).startswith(
        "Open alerts: 1 critical, 2 warning"
    )
    assert summary.open_alerts(pd.DataFrame({"severity": []})) == ""


def test_description_of_a_date_holds_all_parts(margins, portfolios):
    files = pd.DataFrame({"source": ["positions.csv"], "rows_read": [20], "rows_rejected": [3]})

    class Tables:
        def published(self, as_of: dt.date, table: str) -> pd.DataFrame:
            return {"portfolio_margins": margins, "portfolios": portfolios, "landed_files": files}[table]

    text = summary.describe_date(Tables(), dt.date(2022, 12, 28))
    assert "2022-12-28" in text
    assert "3 of 20 input rows" in text
    assert text.count("BLIND") == 2


def test_next_steps_name_nothing_that_is_not_at_hand():
    assert "make ui" in summary.next_steps(is_sample=True, in_checkout=True)
    installed = summary.next_steps(is_sample=True, in_checkout=False)
    assert "margin-pipeline ui" in installed
    assert not any(name in installed for name in ("make ui", ".venv", "sql/queries", "docs/"))
    assert "--landing" not in summary.next_steps(is_sample=False, in_checkout=True)
