"""The sensor of live marks against real tables: who is computed, what is added, what stays. Not here: figures (decisions/test_intraday)."""

import dataclasses
import datetime as dt

import dagster as dg
import pandas as pd
import pytest

from margin_pipeline import storage
from margin_pipeline.orchestration import live_book, sensors
from margin_pipeline.orchestration.intraday import Cursor, LiveMargins
from margin_pipeline.orchestration.result_store import ResultStore
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline.storage import automation, connections

pytestmark = pytest.mark.slow

DATE = SAMPLE_DATES[0]
UPSERT = (
    "insert into margin.live_marks (symbol, price) values (%s, %s) on conflict (symbol) do update "
    "set price = excluded.price, marked_at = excluded.marked_at"
)
NIGHT = dt.datetime(2023, 1, 5, 3, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def published(publish_sample):
    """A published date of the sample."""
    with publish_sample(DATE.isoformat()) as urls:
        yield ResultStore(lambda: urls, "test", lambda as_of, at: {})


@pytest.fixture
def store(published):
    """The published date without live marks, with the alerts of its publication."""
    with connections.connect(published.urls) as connection:
        connection.execute("delete from margin_data.live_marks")
        connection.execute("delete from margin_data.utilization_history where occasion = 'live'")
        connection.execute("delete from margin_data.intraday_books")
        connection.execute("delete from margin_data.intraday_rejected_rows")
        connection.execute("delete from margin_data.automation_stops")
    published.evaluate_alerts(DATE, LIMITS)
    return published


LIMITS = {"warning": 0.80, "critical": 0.90, "emergency": 0.95, "hysteresis": 0.02}


@pytest.fixture(scope="module")
def live(published):
    """Rounds that keep the published date in memory, as a daemon does."""
    return LiveMargins(published, "XNYS")


def mark(store, **prices):
    with connections.connect(store.urls) as connection:
        for symbol, price in prices.items():
            connection.execute(UPSERT, (symbol, price))


def closes(store, *symbols):
    found = storage.read_query(store.urls, f"select symbol, close from margin.prices where date = '{DATE}'").set_index("symbol")["close"]
    return {symbol: float(found[symbol]) for symbol in symbols}


def history(store, what="portfolio_id, marks_version"):
    return storage.read_query(
        store.urls, f"select {what} from margin.utilization_history where occasion = 'live' order by marks_version, portfolio_id"
    )


def alerts(store):
    query = "select portfolio_id, kind, threshold, episode, cleared_at is null as is_open from margin.alerts where kind in "
    return storage.read_query(store.urls, f"{query} ('utilization', 'equity') order by alert_id")


def dated_rows(store):
    """Count of rows of every table that belongs to dates."""
    tables = storage.read_query(store.urls, "select relname from pg_class join pg_partitioned_table on oid = partrelid order by 1")[
        "relname"
    ]
    return {name: int(storage.read_query(store.urls, f'select count(*) as n from margin_data."{name}"')["n"][0]) for name in tables}


def test_a_publication_adds_a_row_a_portfolio_with_its_figures(store):
    found = storage.read_query(
        store.urls,
        "select count(*) as portfolios,"
        " count(*) filter (where h.utilization is not distinct from m.utilization and h.status = m.status) as same"
        " from margin.portfolio_margins m left join margin.utilization_history h using (portfolio_id, calculation_id)"
        " where m.is_governing and h.occasion = 'publication'",
    )
    portfolios = storage.read_query(store.urls, "select count(*) as n from margin.portfolios")["n"][0]
    assert list(found.iloc[0]) == [portfolios, portfolios]


def test_without_a_mark_there_is_no_work(store, live):
    found = live.round(Cursor(), NIGHT)
    assert (found.portfolios, found.cursor, found.note) == (0, Cursor(), "no live marks")
    mark(store, NOBODY_HOLDS_THIS=5.0)
    found = live.round(Cursor(), NIGHT)
    assert (found.portfolios, history(store).empty) == (0, True)
    again = live.round(found.cursor, NIGHT)
    assert (again.cursor, again.note) == (found.cursor, "no live mark has changed")


def test_only_portfolios_that_depend_on_the_mark_are_computed_and_no_table_of_a_date_changes(store, live):
    before = dated_rows(store)
    mark(store, MSFT=closes(store, "MSFT")["MSFT"] * 1.02)
    found = live.round(Cursor(), NIGHT)
    holders = storage.read_query(
        store.urls,
        "select distinct portfolio_id from margin.positions where symbol = 'MSFT' or underlying = 'MSFT' order by 1",
    )["portfolio_id"]
    assert list(history(store)["portfolio_id"]) == list(holders)
    assert found.portfolios == len(holders) < 14
    assert dated_rows(store) == before
    row = history(store, "mark_sources, changed_symbols, seconds, as_of").iloc[0]
    assert (row["changed_symbols"], row["seconds"] > 0, row["as_of"].date()) == ('["MSFT"]', True, DATE)


def test_marks_at_the_closes_give_the_published_figures(store, live):
    with connections.connect(store.urls) as connection:
        connection.execute("insert into margin.live_marks (symbol, price) select symbol, close from margin.prices where date = %s", (DATE,))
    live.round(Cursor(), NIGHT)
    both = storage.read_query(
        store.urls,
        "select l.status, p.status as status_before, l.utilization, p.utilization as before, l.equity - p.equity as gain"
        " from margin.utilization_history l join margin.utilization_history p using (portfolio_id, calculation_id)"
        " where l.occasion = 'live' and p.occasion = 'publication' and l.status <> 'undetermined'",
    )
    determined = "select count(*) as n from margin.portfolio_margins where is_governing and status <> 'undetermined' and method not in "
    assert len(both) == storage.read_query(store.urls, f"{determined} ('simm', 'schedule_im')")["n"][0] > 10
    assert list(both["status"]) == list(both["status_before"])
    assert both["utilization"].to_numpy() == pytest.approx(both["before"].to_numpy(), rel=1e-12)
    assert both["gain"].abs().max() < 1e-6


def test_a_round_that_is_repeated_with_the_same_cursor_adds_nothing(store, live):
    mark(store, AAPL=150.0)
    first = live.round(Cursor(), NIGHT)
    rows = history(store)
    repeated = LiveMargins(store, "XNYS").round(Cursor(), NIGHT)
    assert (first.rows > 0, repeated.rows, repeated.cursor) == (True, 0, first.cursor)
    assert history(store).equals(rows)


def test_alerts_are_raised_once_over_many_rounds_and_cleared_when_marks_come_back(store, live):
    start = closes(store, "AAPL", "AMD", "MSFT")
    standing = alerts(store)
    cursor = live.round(Cursor(), NIGHT).cursor
    for step in range(3):
        mark(store, **{name: price * (0.93 - step / 1000) for name, price in start.items()})
        cursor = live.round(cursor, NIGHT).cursor
    fallen = alerts(store)
    new = fallen.iloc[len(standing) :]
    own = new[new["portfolio_id"] == "MOMENTUM"]
    assert len(own) > 0
    assert not own.duplicated(["kind", "threshold"]).any()
    assert own["is_open"].all()
    # Beyond the hysteresis.
    mark(store, **{name: price * 1.02 for name, price in start.items()})
    found = live.round(cursor, NIGHT)
    back = alerts(store).iloc[len(standing) :]
    assert not back.loc[back["portfolio_id"] == "MOMENTUM", "is_open"].any()
    assert found.cleared >= len(own)


def test_what_the_budget_does_not_reach_follows_in_the_next_round(store, monkeypatch):
    hasty = dataclasses.replace(live_book.intraday_rules(DATE), budget_seconds=0.0, alone_from_positions=1)
    monkeypatch.setattr(live_book, "intraday_rules", lambda as_of: hasty)
    live = LiveMargins(store, "XNYS")
    mark(store, AAPL=131.0)
    cursor, done, rounds = Cursor(), 0, 0
    while not rounds or cursor.pending:
        found = live.round(Cursor.read(cursor.write()), NIGHT)
        assert (found.portfolios, found.left) == (1, len(found.cursor.pending))
        cursor, done, rounds = found.cursor, done + found.portfolios, rounds + 1
    rows = history(store, "portfolio_id, changed_symbols")
    assert (rounds, done) == (len(rows), len(rows))
    assert rows["portfolio_id"].is_unique
    assert set(rows["changed_symbols"]) == {'["AAPL"]'}


def test_a_mark_from_before_the_close_of_the_date_is_in_the_publication_already(store, live):
    with connections.connect(store.urls) as connection:
        connection.execute("insert into margin.live_marks (symbol, price, marked_at) values ('AAPL', 1, %s)", (f"{DATE} 15:59-05",))
    assert live.round(Cursor(), NIGHT).portfolios == 0


def test_old_marks_raise_an_alert_while_the_market_trades_and_fresh_ones_clear_it(store):
    live = LiveMargins(store, "XNYS")
    noon = dt.datetime(2026, 11, 25, 17, tzinfo=dt.UTC)
    with connections.connect(store.urls) as connection:
        instant = noon - dt.timedelta(minutes=16)
        connection.execute("insert into margin.live_marks (symbol, price, marked_at) values ('BTCPERP', 16500, %s)", (instant,))
    query = "select portfolio_id, cleared_at is null as is_open from margin.alerts where subject = 'live_marks' order by 1"
    cursor = live.round(Cursor(), NIGHT).cursor
    assert storage.read_query(store.urls, query).empty
    for second in range(3):
        live.round(cursor, noon + dt.timedelta(seconds=second))
    assert storage.read_query(store.urls, query).to_dict("records") == [
        {"portfolio_id": name, "is_open": True} for name in ("CRYPTO", "CRYPTO_ISOLATED")
    ]
    mark(store, BTCPERP=16_500.0)
    live.round(cursor, noon + dt.timedelta(minutes=2))
    assert not storage.read_query(store.urls, query)["is_open"].any()


def test_the_sensor_reports_its_round_and_an_emergency_stop_holds_it(store, live):
    mark(store, AAPL=129.0)
    ticked = sensors.live_margins(dg.build_sensor_context(), store=store, live=live)
    assert "0 left to the next round" in ticked.skip_reason.skip_message
    idle = sensors.live_margins(dg.build_sensor_context(cursor=ticked.cursor), store=store, live=live)
    assert (idle.cursor, idle.skip_reason.skip_message) == (ticked.cursor, "no live mark has changed")
    automation.stop(store.urls.libpq, "Ada", "marks are wrong")
    mark(store, AAPL=128.0)
    rows = len(history(store))
    assert isinstance(sensors.live_margins(dg.build_sensor_context(cursor=idle.cursor), store=store, live=live), dg.SkipReason)
    assert len(history(store)) == rows


@pytest.fixture
def landing(tmp_path):
    """A landing zone in which the day after the published one has begun."""
    (tmp_path / "2022-12-29").mkdir()
    return tmp_path


def arrive(landing, *rows):
    path = landing / "2022-12-29" / "positions.intraday.csv"
    path.write_text("\n".join(["portfolio_id,strategy,symbol,quantity,entry_price", *rows]) + "\n")


def latest(store, portfolio):
    query = (
        "select equity, maintenance_margin, status, missing, positions_source from margin.utilization_history "
        f"where portfolio_id = '{portfolio}' order by marks_version desc limit 1"
    )
    return storage.read_query(store.urls, query).iloc[0]


def test_positions_that_arrive_during_the_day_count_from_then_on_and_trades_at_the_mark_change_no_equity(store, landing):
    live = LiveMargins(store, "XNYS", landing=landing)
    before = latest(store, "MOMENTUM")
    rows = dated_rows(store)
    start = closes(store, "AAPL", "KO")
    held = storage.read_query(
        store.urls, "select symbol, sum(quantity) as n from margin.positions where portfolio_id = 'MOMENTUM' group by 1"
    )
    shares = dict(held.itertuples(index=False, name=None))
    mark(store, AAPL=start["AAPL"] + 2)
    cursor = live.round(Cursor(), NIGHT).cursor
    gained = 2 * shares["AAPL"]
    assert latest(store, "MOMENTUM")["equity"] - before["equity"] == pytest.approx(gained)
    arrive(landing, "MOMENTUM,a,AAPL,100,", "MOMENTUM,a,KO,50,")
    # Files are taken once they stand still.
    cursor = live.round(cursor, NIGHT).cursor
    assert pd.isna(latest(store, "MOMENTUM")["positions_source"])
    found = live.round(cursor, NIGHT)
    row = latest(store, "MOMENTUM")
    assert found.portfolios == 1
    assert row["equity"] - before["equity"] == pytest.approx(gained)
    assert row["maintenance_margin"] == pytest.approx(0.25 * (100 * (start["AAPL"] + 2) + 50 * start["KO"]))
    assert row["positions_source"].startswith("positions.intraday.csv ")
    mark(store, AAPL=start["AAPL"] - 1)
    cursor = live.round(found.cursor, NIGHT).cursor
    assert latest(store, "MOMENTUM")["equity"] - before["equity"] == pytest.approx(gained - 3 * 100)
    # Another process goes on where this one was, and takes nothing twice.
    other = LiveMargins(store, "XNYS", landing=landing)
    assert [other.round(cursor, NIGHT).portfolios for _ in range(3)] == [0, 0, 0]
    mark(store, AAPL=start["AAPL"])
    other.round(cursor, NIGHT)
    assert latest(store, "MOMENTUM")["equity"] - before["equity"] == pytest.approx(gained - 2 * 100)
    assert dated_rows(store) == rows


def test_a_bad_row_of_positions_is_quarantined_and_leaves_its_portfolio_undetermined(store, landing):
    live = LiveMargins(store, "XNYS", landing=landing)
    arrive(landing, "MOMENTUM,a,AAPL,100,", "MOMENTUM,a,KO,ten,", "LONG_SHORT,a,KO,10,", "NOBODY,a,KO,1,")
    cursor = live.round(Cursor(), NIGHT).cursor
    live.round(cursor, NIGHT)
    rejected = storage.read_query(store.urls, "select row_number, column_name, portfolio_id from margin.intraday_rejected_rows order by 1")
    assert rejected.astype(object).where(rejected.notna(), None).to_numpy().tolist() == [
        [3, "quantity", "MOMENTUM"],
        [5, "portfolio_id", None],
    ]
    row = latest(store, "MOMENTUM")
    assert (row["status"], row["missing"]) == ("undetermined", '["positions.intraday.csv row 3: \\"ten\\" is not a number"]')
    assert latest(store, "LONG_SHORT")["status"] == "safe"


def test_a_file_of_positions_that_cannot_be_read_raises_one_alert_until_it_is_mended(store, landing):
    live = LiveMargins(store, "XNYS", landing=landing)
    path = landing / "2022-12-29" / "positions.intraday.csv"
    path.write_text("portfolio_id,strategy,symbol\n")
    query = "select cleared_at is null as is_open, message from margin.alerts where subject = 'positions.intraday'"
    cursor = Cursor()
    for _ in range(4):
        cursor = live.round(cursor, NIGHT).cursor
    found = storage.read_query(store.urls, query)
    assert list(found["is_open"]) == [True]
    assert "has no column quantity" in found["message"][0]
    arrive(landing, "LONG_SHORT,a,KO,10,")
    for _ in range(2):
        cursor = live.round(cursor, NIGHT).cursor
    assert list(storage.read_query(store.urls, query)["is_open"]) == [False]
