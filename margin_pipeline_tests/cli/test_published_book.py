"""`what-if`, `plan` and `explain` on a published book: they say what the chain says, and write nothing. Not here: their parts."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline_tests.sample_chain import definitions, execute

pytestmark = pytest.mark.slow

AS_OF = SAMPLE_DATES[-1]
MORNING = "2022-12-28T10:30:00-05:00"
"""Time of day of the runs: futures need their intraday margin."""
README = (Path(__file__).parents[2] / "README.md").read_text()
ANSWERS = dict(re.findall(r"```\n\.venv/bin/margin-pipeline ((?:explain|what-if) [^\n]*)\n```\n\n```\n(.*?)```", README, re.S))
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FIGURES = ("initial_margin", "maintenance_margin", "equity", "margin_equity", "excess", "utilization")
TRADES = {
    # Roll the upper wing of the condor, sell covered stock, buy an instrument that nobody holds.
    "OPTIONS_INCOME": {"SP500230120C4150": -4, "SP500230120C4000": 4, "AAPL": -700, "GE": 100},
    "CASH": {"KO": -1000, "PFE230120C52": -5},
    "EURO": {"QUAL": 2000, "BUND_2032": -500, "KO": -300},
    "INDEX_FUTURES": {"ESH3": -25},
    "CRYPTO": {"ETHPERP": 30.5, "BTCPERP": 4},
    "CRYPTO_ISOLATED": {"BTCPERP": -2},
    "MOMENTUM": {"AMD": -6500, "MSFT": 100},
    "LONG_SHORT": {"AMD": 2600, "CVX": -2000},
}


def run_chain(urls, landing, folder):
    assert execute(definitions(urls, landing, folder), AS_OF.isoformat(), tags={"margin/at": MORNING}).success


@pytest.fixture(scope="module")
def book(database, sample_folder, tmp_path_factory):
    """Databases in which the last date of the sample is published."""
    run_chain(database, sample_folder, tmp_path_factory.mktemp("run"))
    return database


@pytest.fixture
def call(book, tmp_path, monkeypatch, capsys):
    """Run the command on the book; gives status, output and complaint."""

    def run(*arguments):
        monkeypatch.setenv("MARGIN_DATABASE_URL", book.libpq)
        monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path / "data"))
        handler = signal.getsignal(signal.SIGTERM)
        try:
            status = cli.main(arguments)
        except SystemExit as end:
            status = end.code
        finally:
            signal.signal(signal.SIGTERM, handler)
            signal.set_wakeup_fd(-1)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def what_if(call, portfolio_id, trades, *options):
    arguments = [part for symbol, quantity in trades.items() for part in ("--trade", f"{symbol}={quantity}")]
    status, out, complaint = call("what-if", portfolio_id, *arguments, "--format", "json", *options)
    assert (status, complaint) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


def published(urls, portfolio_id):
    rows = storage.read_published(urls, AS_OF, "portfolio_margins")
    return rows[rows["portfolio_id"] == portfolio_id].set_index("method")


def assert_is_published(found, side, margins):
    assert {row["method"] for row in found["margins"]} == set(margins.index)
    for row in found["margins"]:
        chain = margins.loc[row["method"]]
        assert row[f"status_{side}"] == chain["status"]
        assert row["is_governing"] == chain["is_governing"]
        for name in FIGURES:
            here = row[f"{name}_{side}"]
            assert (float("nan") if here is None else float(here)) == pytest.approx(chain[name], rel=1e-12, nan_ok=True), (
                row["method"],
                name,
            )


def counts(urls):
    tables = [*storage.table_names(urls), "calculations", "calculation_tables", "published_tables", "alerts", "view_files"]
    return {table: storage.execute(urls, f"select count(*) from margin_data.{table}")[0][0] for table in tables}


def test_after_is_what_a_run_publishes_for_these_positions(call, fresh_database, sample_folder, tmp_path, book):
    """The trades of all portfolios are put into the files, and the chain is run on them."""
    landing = tmp_path / "landing"
    shutil.copytree(sample_folder, landing)
    thought = {portfolio_id: what_if(call, portfolio_id, trades) for portfolio_id, trades in TRADES.items()}
    file = landing / AS_OF.isoformat() / "positions.csv"
    with file.open(newline="") as lines:
        header, *_ = csv.reader(lines)
    rows = pd.DataFrame(
        [
            {"portfolio_id": portfolio_id, **position, "quantity": position["quantity_change"]}
            for portfolio_id, found in thought.items()
            for position in found["positions"]
        ]
    )
    entered = {trade["symbol"]: trade["price"] for found in thought.values() for trade in found["trades"]}
    rows = rows.assign(entry_price=rows["symbol"].map(entered)).reindex(columns=header)
    # Before the lines that do not parse: a quote that is never closed takes what follows it along.
    head, *lines = file.read_text().splitlines()
    file.write_text("\n".join([head, *rows.to_csv(index=False, header=False).splitlines(), *lines]) + "\n")
    run_chain(fresh_database, landing, tmp_path)
    for portfolio_id, found in thought.items():
        assert_is_published(found, "before", published(book, portfolio_id))
        assert_is_published(found, "after", published(fresh_database, portfolio_id))


@pytest.mark.parametrize("portfolio_id", sorted(TRADES))
def test_components_and_groups_change_by_what_the_margin_changes(call, portfolio_id):
    found = what_if(call, portfolio_id, TRADES[portfolio_id])
    for row in found["margins"]:
        if row["maintenance_margin_change"] is None:
            # Five more calls are written than the stock covers, which a cash account does not admit.
            assert (portfolio_id, row["status_after"]) == ("CASH", "undetermined")
            continue
        parts = [part for part in found["components"] if part["method"] == row["method"]]
        for name in ("initial_margin", "maintenance_margin"):
            assert sum(part[f"{name}_change"] for part in parts) == pytest.approx(row[f"{name}_change"], abs=1e-6)
        if row["method"] == "strategy_based":
            outside = sum(part["maintenance_margin_change"] for part in parts if part["component"] in ("other", "futures", "tiered"))
            grouped = sum(group["maintenance_margin_change"] for group in found["groups"])
            assert grouped + outside == pytest.approx(row["maintenance_margin_change"], abs=1e-6)


def test_closing_the_wider_wing_leaves_the_loss_of_the_other(call):
    closed = what_if(call, "OPTIONS_INCOME", {"SP500230120C4150": -4, "SP500230120C4000": 4})
    change = {row["method"]: row["maintenance_margin_change"] for row in closed["margins"]}
    # The call wing is 150 points wide, the put wing 100: without the calls 50 x 100 x 4 less can be lost.
    assert change["strategy_based"] == -20_000.0
    assert [(group["structure"], group["units_change"]) for group in closed["groups"]] == [("bull_put_spread", 4.0), ("iron_condor", -4.0)]


def test_nothing_is_written_and_a_read_only_database_will_do(call, book, monkeypatch):
    before = counts(book)
    for arguments in (["what-if", "CASH", "--trade", "KO=10"], ["plan", "MOMENTUM"], ["explain", "CASH"], ["explain", "CASH", "KO"]):
        monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
        assert call(*arguments)[0] == 0
    monkeypatch.delenv("PGOPTIONS")
    assert counts(book) == before


def plan(call, portfolio_id, *options):
    status, out, complaint = call("plan", portfolio_id, *options, "--format", "json")
    assert (status, complaint) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


def test_without_a_target_the_plan_is_the_published_one(call, book):
    summaries, trades = (storage.read_published(book, AS_OF, name) for name in ("liquidation_plan_summaries", "liquidation_plans"))
    planned = summaries[summaries["plan_status"] == "verified"]
    assert len(planned)
    for row in planned.to_dict("records"):
        found = plan(call, row["portfolio_id"])
        assert (found["plan_status"], found["trades"] != []) == ("verified", True)
        for name in ("utilization_before", "utilization_after", "cost", "equity_dual"):
            assert found[name] == pytest.approx(row[name], rel=1e-9), name
        known = trades[trades["portfolio_id"] == row["portfolio_id"]].set_index(["strategy", "symbol"])["trade_quantity"]
        assert {(t["strategy"], t["symbol"]): t["trade_quantity"] for t in found["trades"]} == pytest.approx(known.to_dict())


@pytest.mark.parametrize("portfolio_id", ["MOMENTUM", "OPTIONS_INCOME", "INDEX_FUTURES"])
def test_trades_of_a_plan_thought_through_bring_its_utilization(call, book, portfolio_id):
    target = published(book, portfolio_id).query("is_governing")["utilization"].item() / 2
    found = plan(call, portfolio_id, "--target", str(target))
    assert found["plan_status"] == "verified"
    assert found["utilization_after"] <= target + 1e-9 < found["utilization_before"]
    trades = {}
    for trade in found["trades"]:
        trades[trade["symbol"]] = trades.get(trade["symbol"], 0.0) + trade["trade_quantity"]
    (after,) = (row for row in what_if(call, portfolio_id, trades, "--fee", repr(found["cost"]))["margins"] if row["is_governing"])
    assert after["utilization_after"] == pytest.approx(found["utilization_after"], rel=1e-9)


def test_a_plan_reads_as_text_and_rows(call):
    status, out, _ = call("plan", "MOMENTUM", "--target", "0.6")
    assert status == 0
    assert "least cost down to 60.0 %" in out
    assert max(map(len, out.splitlines())) <= 110
    status, out, _ = call("plan", "MOMENTUM", "--target", "0.6", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert (status, {row["portfolio_id"] for row in rows}) == (0, {"MOMENTUM"})
    assert "nothing has to be traded" in call("plan", "MOMENTUM", "--target", "1")[1]
    assert "missing: " in call("plan", "DESK_ERRORS")[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["MOMENTUM", "--target", "80"], "80 is no utilization"), (["MOMENTUM", "--target", "x"], "write 0.75"), (["MOMENTUN"], "MOMENTUM")],
)
def test_a_plan_that_cannot_be_asked_for_is_told_in_one_line(call, arguments, reason):
    status, out, complaint = call("plan", *arguments)
    assert (status, out, len(complaint.splitlines())) == (2, "", 1)
    assert reason in complaint


def test_money_a_trade_moves_cash_and_value_and_a_fee_is_lost(call):
    free, charged = (what_if(call, "CASH", {"KO": -100}, *fee) for fee in ([], ["--fee", "12.5"]))
    (trade,) = free["trades"]
    assert trade["cost"] == pytest.approx(-100 * 62.609, rel=1e-12)
    assert {row["equity_change"] for row in free["margins"]} == {0.0}
    assert {row["equity_change"] for row in charged["margins"]} == {-12.5}


def test_an_undetermined_portfolio_says_what_is_missing_on_both_sides(call):
    found = what_if(call, "DESK_ERRORS", {"WMT": 1})
    for row in found["margins"]:
        assert row["status_after"] == "undetermined"
        assert "price of USMV 2022-12-28" in row["missing_before"]
        assert row["missing_after"] == row["missing_before"]
        assert row["maintenance_margin_after"] is None


def test_csv_has_a_row_a_method_and_equal_trades_add_up(call):
    status, out, _ = call("what-if", "CASH", "--trade", "KO=-100", "--trade", "KO=-100", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(out))
    found = what_if(call, "CASH", {"KO": -200})["margins"][0]
    assert (status, row["method"], float(row["excess_after"])) == (0, "strategy_based", found["excess_after"])


def test_the_table_says_before_after_and_change(call):
    status, out, _ = call("what-if", "INDEX_FUTURES", "--trade", "ESH3=-5")
    assert status == 0
    # In the morning 6,100 a future; the ten options need 1.5 times that.
    assert "maintenance margin  213,500.00  183,000.00  -30,500.00" in out
    assert "trend ESH3         20 -> 15  122,000.00  91,500.00  -30,500.00" in out
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["what-if", "OPTION_INCOME", "--trade", "KO=1"], "did you mean OPTIONS_INCOME?"),
        (["what-if", "ZZZ", "--trade", "KO=1"], "there is no portfolio ZZZ on 2022-12-28"),
        (["what-if", "BANK", "--trade", "KO=1"], "otc account"),
        (["what-if", "CASH", "--trade", "KOO=1"], "did you mean KO?"),
        (["what-if", "CASH", "--trade", "KO=0"], "trades nothing"),
        (["what-if", "CASH", "--trade", "KO=5", "--trade", "KO=-5"], "trades nothing"),
        (["what-if", "CASH", "--trade", "KO=inf"], "finite"),
        (["what-if", "CASH", "--trade", "KO=ten"], '"ten" is not a number'),
        (["what-if", "CASH", "--trade", "KO"], "SYMBOL=QTY"),
        (["what-if", "CASH", "--trade", "A=B=1"], "A=B is not among the instruments"),
        (["what-if", "CASH", "--trade", "AAPL221216C140=1"], "expired on 2022-12-16"),
        (["what-if", "CASH", "--trade", "USMV=1"], "no mark on 2022-12-28"),
        (["what-if", "CASH", "--trade", "KO=1", "--fee", "-1"], "a fee of -1.0"),
        (["what-if", "CASH", "--trade", "KO=1", "--as-of", "2022-12-23"], "2022-12-23 is not published; near it are 2022-12-28"),
        (["what-if", "CASH", "--trade", "KO=1", "--as-of", "tomorrow"], "not a date"),
        (["what-if", "CASH"], "--trade"),
        (["explain", "CASHH"], "did you mean CASH?"),
        (["explain", "CASH", "PFF"], "CASH holds nothing in PFF on 2022-12-28; did you mean PFE?"),
        (["explain", "CASH", "--as-of", "2022-12-24"], "not published"),
    ],
)
def test_a_call_that_cannot_be_used_is_told_in_one_line_with_status_2(call, arguments, said):
    status, out, complaint = call(*arguments)
    assert (status, out, len(complaint.strip().splitlines())) == (2, "", 1)
    assert said in complaint


def explained(call, *arguments):
    status, out, complaint = call("explain", *arguments, "--format", "json")
    assert (status, complaint) == (0, "")
    return json.loads(out, parse_constant=pytest.fail)


PORTFOLIOS = (
    "BANK",
    "BROKER",
    "CASH",
    "CRYPTO",
    "CRYPTO_ISOLATED",
    "DESK_ERRORS",
    "EURO",
    "INDEX_FUTURES",
    "LONG_SHORT",
    "MACRO",
    "MOMENTUM",
    "OPTIONS_INCOME",
)


@pytest.mark.parametrize("portfolio_id", PORTFOLIOS)
def test_what_is_explained_adds_up_to_what_is_published(call, book, portfolio_id):
    found = explained(call, portfolio_id)
    row = published(book, portfolio_id).loc[found["governing"]["method"]]
    assert bool(row["is_governing"])
    if row["status"] == "undetermined":
        assert found["governing"]["missing"] == json.loads(row["missing"])
        return
    for name in ("initial_margin", "maintenance_margin"):
        assert sum(part[name] for part in found["components"]) == pytest.approx(row[name], rel=1e-12)
    *steps, end = found["bridge"] or [{"amount": row["equity"]}, {"amount": row["margin_equity"]}]
    assert sum(step["amount"] for step in steps) == pytest.approx(end["amount"], rel=1e-12)
    assert end["amount"] == row["margin_equity"]
    assert {method["method"] for method in found["other_methods"]} | {row.name} == set(published(book, portfolio_id).index)


@pytest.mark.parametrize("portfolio_id", PORTFOLIOS)
def test_text_fits_a_page_and_names_method_rule_and_calculation(call, portfolio_id):
    symbols = {row["symbol"] for row in explained(call, portfolio_id)["positions"]}
    for arguments in ([], *([symbol] for symbol in sorted(symbols)[:2])):
        status, out, _ = call("explain", portfolio_id, *arguments)
        assert status == 0
        assert max(map(len, out.splitlines())) <= 110
        assert "nan" not in out.lower().split()
        assert "(SHA-256)" in out


def test_an_iron_condor_is_explained_down_to_its_wings(call):
    status, out, _ = call("explain", "OPTIONS_INCOME", "SP500")
    text = " ".join(out.split())
    assert status == 0
    for said in (
        "iron condor, 4 units maintenance 60,000.00, initial 60,000.00",
        "FINRA 4210(f)(2)(H)(i)",
        "put wing 3,700 to 3,600 is 100 wide x 100 = 10,000",
        "call wing 4,000 to 4,150 is 150 wide x 100 = 15,000",
        "one of them can be lost, not both: the wider one counts, the call wing",
        "maintenance 15,000 USD x 4 = 60,000.00",
        "4,150 0 0 -15,000 0 15,000",
        "gross 72,592.00 less proceeds 30,464.00 = net call 42,128.00",
        "SP500 60,000.00 60,000.00 0.0 % 60,000.00",
    ):
        assert said in text


def test_of_a_symbol_only_what_concerns_it_is_shown(call):
    found = explained(call, "OPTIONS_INCOME", "XOM230120C115")
    assert {row["symbol"] for row in found["positions"]} == {"XOM230120C115"}
    assert [(row["structure"], row["maintenance_margin"]) for row in found["groups"]] == [("short_strangle", pytest.approx(14_412.40))]
    assert [row["underlying"] for row in found["proofs"]] == ["XOM"]


def test_an_undetermined_portfolio_lists_what_is_missing(call):
    _, out, _ = call("explain", "DESK_ERRORS")
    assert "cannot be determined" in out
    assert '  - positions.csv row 87: "ten" is not a number' in out
    assert "  - price of USMV 2022-12-28" in out


def test_a_reader_that_has_seen_enough_is_no_error(book, tmp_path):
    """`margin-pipeline explain … | head -1` ends without a complaint."""
    start = [sys.executable, "-c", "from margin_pipeline.cli import entry; entry()"]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("MARGIN_", "DAGSTER_"))}
    process = subprocess.Popen(
        [*start, "explain", "OPTIONS_INCOME"],
        env={**variables, "MARGIN_DATABASE_URL": book.libpq, "MARGIN_DATA_DIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stdout.close()
    assert (process.wait(timeout=120), process.stderr.read()) == (0, "")
    process.stderr.close()


@pytest.mark.parametrize("command", sorted(ANSWERS))
def test_readme_prints_what_the_command_answers(call, command):
    status, out, _ = call(*shlex.split(command))
    answered = iter(line.rstrip() for line in out.splitlines())
    printed = [line.rstrip() for line in ANSWERS[command].splitlines()]
    assert (status, len(printed) > 10) == (0, True)
    # In this order; lines between them may be left out.
    assert [line for line in printed if line not in answered] == []


def test_readme_shows_both_commands():
    assert {command.split()[0] for command in ANSWERS} == {"explain", "what-if"}


def test_a_database_without_results_is_told(bare_database, fresh_database, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path))
    for urls, said in ((bare_database, "holds no results yet"), (fresh_database, "nothing is published yet")):
        monkeypatch.setenv("MARGIN_DATABASE_URL", urls.libpq)
        handler = signal.getsignal(signal.SIGTERM)
        assert cli.main(["what-if", "CASH", "--trade", "KO=1"]) == 2
        signal.signal(signal.SIGTERM, handler)
        signal.set_wakeup_fd(-1)
        assert said in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
