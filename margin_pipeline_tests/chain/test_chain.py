"""The chain on the sample book: published, repeatable, independent of order, nothing lost on bad input. Not here: kills (test_kill)."""

import shutil

import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.sample import SAMPLE_DATES

pytestmark = pytest.mark.slow

DATES = [date.isoformat() for date in SAMPLE_DATES]
LAST = DATES[-1]
DAY_OVER_DAY = {"margin_changes", "buying_power", "margin_deficiencies"}
"""Tables that go on from the published date before."""


def everything(urls):
    """Every published row, calculation ids and durations apart."""
    found = {}
    for table in storage.table_names(urls):
        frame = storage.read_query(urls, f"select * from margin.{table}").drop(columns=["calculation_id", "seconds"], errors="ignore")
        found[table] = frame.sort_values(list(frame.columns[: min(8, len(frame.columns))]), ignore_index=True, key=lambda c: c.map(repr))
    return found


def assert_same(one, other):
    for table, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[table], check_exact=True, obj=table)


def states(urls):
    return storage.read_query(urls, "select as_of, scope, state from margin_data.calculations order by calculation_id")


def test_the_sample_is_published_with_every_status_that_it_shows(published_sample):
    urls = published_sample(*DATES)
    margins = storage.read_query(urls, f"select * from margin.portfolio_margins where is_governing and as_of = '{LAST}'")
    assert {"safe", "warning", "critical", "undetermined"} <= set(margins["status"])
    assert margins.set_index("portfolio_id")["status"]["DESK_ERRORS"] == "undetermined"
    compared = storage.read_query(urls, "select portfolio_id, symbol, hypothesis from margin.margin_reconciliation")
    explained = {(row.portfolio_id, row.symbol): row.hypothesis for row in compared.dropna().itertuples()}
    assert explained["OPTIONS_INCOME", ""] == "method:reg_t"
    assert explained["LONG_SHORT", ""] == "short_stock_with_proceeds"
    assert explained["CRYPTO", "ETHPERP"] == "other_reading_of_the_schedule"
    files = storage.read_query(urls, "select sum(rows_read) as a, sum(rows_accepted + rows_rejected) as b from margin.landed_files")
    assert files["a"][0] == files["b"][0] > 60_000


def test_a_repetition_is_not_kept_twice_and_changes_nothing(published_sample, run_chain, sample_folder):
    urls = published_sample(DATES[0])
    before = everything(urls)
    run_chain(urls, sample_folder, DATES[0])
    assert_same(before, everything(urls))
    assert list(states(urls)["state"]) == ["published", "repeated"]


def test_the_order_in_which_dates_are_run_changes_nothing(published_sample, fresh_database, run_chain, sample_folder):
    for date in reversed(DATES[:2]):
        run_chain(fresh_database, sample_folder, date)
    forwards, backwards = everything(published_sample(*DATES[:2])), everything(fresh_database)
    assert_same({table: rows for table, rows in forwards.items() if table not in DAY_OVER_DAY}, backwards)
    # What compares with the date before says that there was none yet, and is split once the date is run again.
    assert set(backwards["margin_changes"]["missing"]) == {"no earlier date is published"}
    run_chain(fresh_database, sample_folder, DATES[1])
    again = everything(fresh_database)
    assert_same({table: forwards[table] for table in DAY_OVER_DAY}, again)


def test_unread_earlier_folders_are_landed_first_and_only_landed(fresh_database, run_chain, sample_folder):
    run_chain(fresh_database, sample_folder, DATES[1])
    known = states(fresh_database)
    assert dict(zip(known["as_of"].dt.strftime("%Y-%m-%d"), known["scope"], strict=True)) == {DATES[0]: "landing", DATES[1]: "chain"}
    assert len(storage.read_query(fresh_database, f"select * from margin.portfolio_margins where as_of = '{DATES[0]}'")) == 0


DAMAGE = {
    "missing": None,
    "unreadable": b"\x89PNG\r\n\x1a\n\x00\x00",
    "without a column": b"portfolio_id,strategy,symbol\nCASH,a,KO\n",
    "empty": b"",
}


def test_a_file_that_cannot_be_read_leaves_what_was_published(published_sample, run_chain, sample_folder, tmp_path):
    urls, folder = published_sample(DATES[0]), tmp_path / "landing"
    shutil.copytree(sample_folder / DATES[0], folder / DATES[0])
    before, file = everything(urls), folder / DATES[0] / "positions.csv"
    for damage, content in DAMAGE.items():
        file.unlink() if content is None else file.write_bytes(content)
        result = run_chain(urls, folder, DATES[0], raise_on_error=False)
        assert not result.success, damage
        failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data.user_failure_data
        assert "positions" in failure.description, damage
    assert_same(before, everything(urls))


def test_a_later_stage_run_alone_is_published_with_the_tables_it_did_not_touch(published_sample, run_chain, sample_folder):
    urls = published_sample(DATES[0])
    before = everything(urls)
    storage.execute(urls, "update margin_data.calculations set code_version = 'an older one'")
    assert run_chain(urls, sample_folder, DATES[0], job="from_risk").success
    assert_same(before, everything(urls))
    sources = storage.read_query(urls, "select table_name, calculation_id from margin_data.published_tables").set_index("table_name")
    assert sources.loc["positions", "calculation_id"] < sources.loc["portfolio_risk", "calculation_id"]


def test_superseded_figures_stay_readable_as_they_were_known(published_sample, run_chain, sample_folder, tmp_path):
    urls, folder = published_sample(DATES[0]), tmp_path / "landing"
    shutil.copytree(sample_folder / DATES[0], folder / DATES[0])
    before = storage.read_published(urls, SAMPLE_DATES[0], "portfolios")
    file = folder / DATES[0] / "portfolios.csv"
    lines = file.read_text().splitlines()
    file.write_text(
        "\n".join(line.replace("LONG_SHORT", "LONG_SHORT_2") if line.startswith("LONG_SHORT") else line for line in lines) + "\n"
    )
    run_chain(urls, folder, DATES[0])
    known = storage.read_query(urls, "select known_from from margin_data.calculations where state = 'superseded'")
    instant = known["known_from"][0].to_pydatetime()
    as_known = storage.known_at(urls, instant, SAMPLE_DATES[0], "portfolios")
    pd.testing.assert_frame_equal(as_known.reset_index(drop=True), before.reset_index(drop=True))
    assert "LONG_SHORT_2" in set(storage.read_published(urls, SAMPLE_DATES[0], "portfolios")["portfolio_id"])


def test_a_date_without_any_position_is_published_with_nothing_required(fresh_database, run_chain, sample_folder, tmp_path):
    shutil.copytree(sample_folder / LAST, tmp_path / LAST)
    positions = tmp_path / LAST / "positions.csv"
    positions.write_text(positions.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert run_chain(fresh_database, tmp_path, LAST).success
    margins = storage.read_query(
        fresh_database,
        "select account_type, status, p.maintenance_margin from margin.portfolio_margins p "
        "join margin.portfolios using (as_of, portfolio_id) where is_governing and account_type <> 'otc'",
    )
    assert set(margins["maintenance_margin"]) == {0.0}
    assert set(margins["status"]) == {"safe"}
