"""Every query of the dashboards, and the views beneath them, on a published sample date. Not here: the files' structure."""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.cli import metrics
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline_tests.dashboards.grafana import expanded
from margin_pipeline_tests.reports.test_exposition import read

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "dashboards"
AS_OF = SAMPLE_DATES[-1]
SINCE = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
MAY_BE_EMPTY = {"Newest tick of each sensor", "Margin calls"}
"""No daemon has run here, and the sample has met its calls."""


@pytest.fixture(scope="module")
def book(database, sample_folder, tmp_path_factory):
    """Databases in which the command has published the last date of the sample, with Dagster's own storage beside."""
    folder = tmp_path_factory.mktemp("book")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARGIN_DATABASE_URL", database.libpq)
        patch.setenv("MARGIN_DATA_DIR", str(folder / "data"))
        for name, value in {"COMPUTE": "numpy", "THREADS": "1", "PICTURES": "off", "REPORTS": "off"}.items():
            patch.setenv(f"MARGIN_{name}", value)
        # The command tells Dagster where its home is.
        patch.setenv("DAGSTER_HOME", str(folder / "data" / "dagster"))
        patch.setenv("MARGIN_LANDING_DIR", str(sample_folder))
        with _signals_kept():
            assert cli.main(["run", "--as-of", AS_OF.isoformat()]) == cli.DONE
    return database


class _signals_kept:
    def __enter__(self):
        import signal

        self.handler = signal.getsignal(signal.SIGTERM)

    def __exit__(self, *_error):
        import signal

        signal.signal(signal.SIGTERM, self.handler)
        signal.set_wakeup_fd(-1)


def table(book, name):
    return storage.read_query(book, f"select * from margin.{name}")


def of_the_date(book, name):
    rows = table(book, name)
    return rows[rows["as_of"] == pd.Timestamp(AS_OF)]


def queries():
    for path in sorted(FOLDER.glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            yield pytest.param(panel, id=f"{path.stem}: {panel['title']}")
        for variable in board["templating"]["list"]:
            yield pytest.param(variable | {"title": variable["name"]}, id=f"{path.stem}: variable {variable['name']}")


def asked(book, panel):
    """Rows of a panel or variable as the database gives them: names, types and rows."""
    target = panel.get("targets", [{"rawSql": panel.get("query")}])[0]
    portfolios = [row[0] for row in storage.execute(book, "select distinct portfolio_id from margin.portfolios")]
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    sql = expanded(target["rawSql"], SINCE, until, {"portfolio": portfolios, "date": AS_OF.isoformat()})
    url = book.dagster_libpq if panel["datasource"]["uid"] == "margin-dagster" else book.libpq
    with psycopg.connect(url) as connection:
        connection.read_only = True
        cursor = connection.execute(sql)
        types = {column.name: connection.adapters.types[column.type_code].name for column in cursor.description}
        return types, cursor.fetchall()


NUMBERS = {"float8", "int8", "int4"}


@pytest.mark.parametrize("panel", list(queries()))
def test_a_query_runs_and_gives_what_its_panel_can_draw(book, panel):
    types, rows = asked(book, panel)
    assert rows or panel["title"] in MAY_BE_EMPTY
    if panel["type"] == "timeseries":
        assert list(types) == ["time", "metric", "value"]
        assert (types["time"] in ("timestamptz", "timestamp"), types["metric"], types["value"]) == (True, "text", "float8")
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    if panel["type"] == "bargauge":
        name, value = types.values()
        assert (name in ("text", "varchar"), value) == (True, "float8")
    if panel["type"] == "stat":
        assert len(rows) == 1
    if panel["type"] != "query":
        named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
        assert named <= set(types), "a field is formatted that the query does not give"
        # Fields that are undetermined stay empty: drawn as a gap, never as 0. Numbers that are text could not be drawn at all.
        assert not {name for name, kind in types.items() if kind == "numeric"}


def test_dashboards_stay_empty_and_whole_before_anything_is_published(fresh_database):
    panels = [parameter.values[0] for parameter in queries()]
    of_results = [panel for panel in panels if panel["datasource"]["uid"] != "margin-dagster"]
    assert of_results
    for panel in of_results:
        sql = panel.get("query") or panel["targets"][0]["rawSql"]
        with psycopg.connect(fresh_database.libpq) as connection:
            assert connection.execute(expanded(sql, SINCE, SINCE, {"portfolio": [""], "date": ""})).description, panel["title"]


def test_the_overview_has_a_row_a_portfolio_with_the_figures_of_their_tables(book):
    found = table(book, "executive_overview").set_index("portfolio_id")
    margins = table(book, "portfolio_margins")
    governing = margins[margins["is_governing"]].set_index("portfolio_id")
    assert sorted(found.index) == sorted(governing.index)
    for name in ("utilization", "maintenance_margin", "margin_equity", "excess"):
        np.testing.assert_array_equal(found[name].sort_index(), governing[name].sort_index())
    assert found.loc[found["status"] == "undetermined", ["utilization", "maintenance_margin", "saving_to_cheapest"]].isna().all(axis=None)
    assert (found["status"] == "undetermined").any()
    least = margins.groupby("portfolio_id")["maintenance_margin"].min()
    expected = (governing["maintenance_margin"] - least).reindex(found.index)
    np.testing.assert_allclose(found["saving_to_cheapest"], expected)
    stress = table(book, "stress_results").query("is_governing")
    for portfolio_id, rows in stress.groupby("portfolio_id"):
        whole = rows["pnl"].notna().all() and rows["passed"].notna().all()
        expected = rows["pnl"].min() if whole else np.nan
        assert found.loc[portfolio_id, "worst_stress"] == pytest.approx(expected, nan_ok=True)
    risk = (
        table(book, "portfolio_risk").query("method == 'historical' and confidence == 0.99 and horizon_days == 1").set_index("portfolio_id")
    )
    np.testing.assert_array_equal(found["var"].sort_index(), risk["var"].reindex(found.index).sort_index())


def test_every_regulatory_line_that_applies_is_there_with_its_part_of_the_limit(book):
    found, lines = table(book, "regulatory_distances"), table(book, "regulatory_lines")
    assert len(found) == lines["applicable"].sum()
    assert found["urgency"].notna().all()
    limited = found[found["limit_value"].notna() & found["value"].notna() & found["limit_value"].ne(0)]
    np.testing.assert_allclose(limited["part_of_limit"], limited["value"] / limited["limit_value"])
    assert found.loc[found["limit_value"].eq(0) | found["value"].isna(), "part_of_limit"].isna().all()
    assert (found.sort_values("urgency")["status"].iloc[0] == "breach") == lines["status"].eq("breach").any()


def test_risk_has_a_row_a_figure_and_the_worst_scenario(book):
    found, risk = table(book, "risk_and_stress"), table(book, "portfolio_risk")
    key = ["portfolio_id", "method", "confidence", "horizon_days"]
    assert sorted(map(tuple, found[key].values)) == sorted(map(tuple, risk[key].values))
    stress = table(book, "stress_results").query("is_governing")
    worst = stress.groupby("portfolio_id")["pnl"].min()
    seen = found.drop_duplicates("portfolio_id").set_index("portfolio_id")["worst_pnl"]
    np.testing.assert_array_equal(seen.sort_index(), worst.reindex(seen.index).sort_index())
    tested = found[(found["horizon_days"] == 1) & found["method"].isin(["gaussian", "historical"])]
    backtest = table(book, "backtest_results")
    assert tested["traffic_light"].notna().sum() == backtest["traffic_light"].notna().sum()
    assert found.loc[found["horizon_days"] > 1, "traffic_light"].isna().all()


def test_what_a_calculation_took_and_wrote_is_that_of_its_tables(book):
    found = table(book, "run_performance")
    calculations = table(book, "calculations")
    assert sorted(found["calculation_id"]) == sorted(calculations["calculation_id"])
    chain = found[found["scope"] == "chain"].iloc[0]
    written = storage.execute(
        book, "select sum(row_count)::bigint from margin_data.calculation_tables where calculation_id = %s", (int(chain["calculation_id"]),)
    )
    assert chain["rows"] == written[0][0]
    assert chain["seconds"] > 0
    assert (chain["compute_preference"], chain["threads"]) == ("numpy", 1)
    days = table(book, "performance_metrics")
    assert days["calculations"].sum() == len(calculations)
    assert days["success_rate"].eq(1.0).all()


def test_live_margin_is_the_newest_of_each_portfolio(book):
    found = table(book, "live_margin")
    assert sorted(found["portfolio_id"]) == sorted(of_the_date(book, "portfolios")["portfolio_id"])
    assert found["as_of"].eq(pd.Timestamp(AS_OF)).all()
    assert found.loc[found["status"].eq("undetermined"), "utilization"].isna().all()


def test_metrics_are_the_figures_of_their_tables_and_undetermined_ones_are_absent(book):
    found = read(metrics.text(book))
    assert found["margin_pipeline_up", ()] == 1
    by_portfolio = {dict(labels)["portfolio"]: value for (name, labels), value in found.items() if name == "margin_pipeline_utilization"}
    margins = table(book, "latest_portfolio_summary").set_index("portfolio_id")["utilization"]
    assert margins.isna().any()
    assert by_portfolio == margins.dropna().to_dict()
    alerts = table(book, "alerts")
    raised = {tuple(dict(labels).values()): value for (name, labels), value in found.items() if name == "margin_pipeline_alerts_total"}
    assert raised == alerts.groupby(["kind", "severity"]).size().to_dict()
    still_open = {dict(labels)["severity"]: value for (name, labels), value in found.items() if name == "margin_pipeline_alerts_open"}
    assert still_open == {
        s: (alerts["cleared_at"].isna() & (alerts["severity"] == s)).sum() for s in ("info", "warning", "critical", "emergency")
    }
    rejected = {dict(labels)["source"]: value for (name, labels), value in found.items() if name == "margin_pipeline_rejected_rows"}
    assert rejected == of_the_date(book, "landed_files").set_index("source")["rows_rejected"].to_dict()
    assert found["margin_pipeline_automation_stopped", ()] == 0
    assert ("margin_pipeline_compute_threads", ()) in found
    savings = {(dict(pairs)["portfolio"], dict(pairs)["by"]): v for (n, pairs), v in found.items() if n == "margin_pipeline_margin_saving"}
    compared = of_the_date(book, "method_comparison").set_index("portfolio_id")["saving_to_cheapest"].dropna()
    assert {p: v for (p, by), v in savings.items() if by == "cheapest_method"} == compared.to_dict()


def test_metrics_have_names_types_and_a_whole_histogram(book):
    samples = storage.read_query(book, "select metric, type, help, labels, value from margin.pipeline_metrics order by place")
    assert samples["metric"].map(lambda name: re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None).all()
    assert samples.groupby("metric")[["type", "help"]].nunique().eq(1).all(axis=None)
    assert not samples.duplicated(["metric", "labels"]).any()
    assert (samples["metric"].str.endswith("_total") == samples["type"].eq("counter")).all()
    assert samples["value"].notna().all()
    histogram = samples[samples["type"] == "histogram"]
    labels = histogram["labels"].map(json.loads)
    bounds = [float(entry["le"].replace("+Inf", "inf")) for entry in labels if "le" in entry]
    counts = histogram["value"][[("le" in entry) for entry in labels]].tolist()
    assert bounds == sorted(bounds)
    assert counts == sorted(counts)
    whole = {entry["part"]: value for entry, value in zip(labels, histogram["value"], strict=True) if "part" in entry}
    chain = table(book, "run_performance").query("scope == 'chain'")["seconds"]
    assert (counts[-1], whole["count"], whole["sum"]) == (len(chain), len(chain), pytest.approx(chain.sum()))


def test_a_scrape_takes_no_longer_than_a_fifth_of_a_second(book):
    metrics.text(book)
    took = []
    for _ in range(5):
        started = time.perf_counter()
        metrics.text(book)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.2
