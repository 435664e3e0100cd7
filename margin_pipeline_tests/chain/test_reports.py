"""Reports of the sample book: the asset writes them, they say what the tables say, and the command finds superseded ones again.

Not here: odd names and unknown figures (reports).
"""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import io
import json
import re
import signal
from collections import Counter

import dagster as dg
import pandas as pd
import pytest

from margin_pipeline import cli, storage
from margin_pipeline.definitions import build_defs
from margin_pipeline.reports import export
from margin_pipeline.reports.sections.regulation import MOST_LINES
from margin_pipeline.sample import SAMPLE_DATES
from margin_pipeline.settings import from_environment
from margin_pipeline.storage import StorageError
from margin_pipeline.storage.recorded import published_calculation, recorded
from margin_pipeline.storage.snapshot import snapshot
from margin_pipeline_tests.reports.accessibility import parse, problems
from margin_pipeline_tests.reports.json_schema import violations

pytestmark = pytest.mark.slow

AS_OF = SAMPLE_DATES[-1]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
COSTS_ORDER = "portfolio_id, maintenance_margin desc nulls first, underlying, item, group_id, legs"


@pytest.fixture(scope="module")
def run(database, sample_folder, tmp_path_factory):
    """Databases in which the last date of the sample is published, and what the asset said of its reports."""
    data_dir = tmp_path_factory.mktemp("data")
    quick = {"MARGIN_COMPUTE": "numpy", "MARGIN_THREADS": "1", "MARGIN_PICTURES": "off"}
    settings = from_environment({"MARGIN_DATA_DIR": str(data_dir), **quick})
    definitions = build_defs(dataclasses.replace(settings, landing_dir=sample_folder), urls=database, today=dt.date(2023, 1, 5))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("margin_chain")
        result = job.execute_in_process(instance=instance, partition_key=AS_OF.isoformat(), run_config=QUIET)
        (event,) = result.asset_materializations_for_node("reports")
    return database, {name: value.value for name, value in event.metadata.items()}, settings


@pytest.fixture(scope="module")
def folder(run):
    """Folder of the reports."""
    return run[2].reports_dir / AS_OF.isoformat() / f"calculation_{run[1]['calculation_id']}"


@pytest.fixture
def call(run, tmp_path, monkeypatch, capfdbinary):
    """Run the command; gives status, output and complaint."""

    def report(*arguments):
        monkeypatch.setenv("MARGIN_DATABASE_URL", run[0].libpq)
        monkeypatch.setenv("MARGIN_DATA_DIR", str(tmp_path / "data"))
        handler = signal.getsignal(signal.SIGTERM)
        try:
            status = cli.main(["report", *map(str, arguments)])
        except SystemExit as end:
            status = end.code
        finally:
            signal.signal(signal.SIGTERM, handler)
            signal.set_wakeup_fd(-1)
        said = capfdbinary.readouterr()
        return status, said.out, said.err.decode()

    return report


def table(urls, name):
    return storage.read_published(urls, AS_OF, name)


def test_the_asset_says_where_the_files_are_and_what_they_are(run, folder):
    said = run[1]
    assert said["folder"] == str(folder)
    assert said["page"] == (folder / "index.html").as_uri()
    files = list(folder.iterdir())
    assert (said["files"], said["bytes"]) == (len(files), sum(file.stat().st_size for file in files))
    assert said["report_json_sha256"] == hashlib.sha256((folder / "report.json").read_bytes()).hexdigest()
    names = {file.name for file in files}
    for portfolio_id in table(run[0], "portfolios")["portfolio_id"]:
        assert {f"{portfolio_id}.html", f"{portfolio_id}.pdf"} <= names


def test_every_page_of_the_sample_can_be_read_by_everybody(folder):
    found = {page.name: problems(page.read_text()) for page in folder.glob("*.html")}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) >= 11


def test_links_of_every_page_lead_to_files_beside_it(folder):
    for page in folder.glob("*.html"):
        targets = [link.attributes["href"] for link in parse(page.read_text())[0].all("a")]
        assert [target for target in targets if not target.startswith("#") and not (folder / target).is_file()] == []


def test_every_number_of_a_regulatory_line_stands_in_the_table(run, folder):
    stored = table(run[0], "regulatory_lines")
    for portfolio_id, lines in stored.groupby("portfolio_id"):
        page = folder / (f"{portfolio_id}.html" if portfolio_id else "index.html")
        root, _ = parse(page.read_text())
        (section,) = [one for one in root.all("section") if one.attributes["aria-labelledby"] == "regulatory-lines"]
        shown = Counter(_stated([cell.text for cell in row.all("td", "th")]) for body in section.all("tbody") for row in body.all("tr"))
        assert shown - Counter(_stored(line) for line in lines.itertuples()) == Counter()
        # A long regime ends with how many lines are left out.
        assert shown.total() == lines.groupby("regime").size().clip(upper=MOST_LINES).sum()


def _stated(row):
    """Value, limit and status as they read, as numbers rounded the way they are shown."""
    return _number(row[1]), _number(row[2]), re.sub(r"^[✓✗?]\s", "", row[3])


def _number(text):
    found = re.fullmatch(r"(-?[\d,.]+(?:e-?\d+)?)( [A-Za-z]+)?", text)
    return float(found[1].replace(",", "")) if found else -1e99


def _stored(line):
    def shown(value):
        if pd.isna(value):
            return -1e99
        if re.fullmatch("[A-Z]{3}", line.unit):
            return float(f"{value:.2f}") + 0.0
        return float(f"{value:.3g}" if 0 < abs(value) < 1e-3 else f"{value:.6f}") + 0.0

    return (shown(line.value), shown(line.limit_value), line.status.replace("_", " "))


def test_key_figures_are_those_of_the_governing_method(run, folder):
    margins = table(run[0], "portfolio_margins").query("is_governing")
    for row in margins.itertuples():
        root, _ = parse((folder / f"{row.portfolio_id}.html").read_text())
        prominent = next(facts for facts in root.all("dl") if facts.attributes.get("class") == "prominent")
        said = {pair.text: value.text for pair, value in zip(prominent.all("dt"), prominent.all("dd"), strict=True)}
        (margin,) = [value for name, value in said.items() if name.startswith("Maintenance margin")]
        assert margin == ("? undetermined: see below" if pd.isna(row.maintenance_margin) else f"{row.maintenance_margin:,.2f}")
        assert said["Status"].endswith(row.status)


def test_the_json_of_the_sample_keeps_its_schema_and_has_every_line(run, folder):
    found = json.loads((folder / "report.json").read_text(), parse_constant=pytest.fail)
    schema = json.loads((folder / "report.schema.json").read_text())
    assert schema == export.schema()
    assert list(violations(found, schema, schema)) == []
    stored = table(run[0], "regulatory_lines")
    assert {line["id"]: line["value"] for line in found["lines"]} == {
        export.identifier(AS_OF, *key): None if pd.isna(value) else value
        for *key, value in stored[[*export.LINE_KEY, "value"]].itertuples(index=False)
    }
    with (folder / "lines.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [line["id"] for line in found["lines"]]


def test_a_view_over_a_calculation_shows_what_the_view_of_the_published_one_shows(run):
    with snapshot(run[0]) as published:
        found = published_calculation(published, AS_OF).view("margin_costs", COSTS_ORDER)
        expected = published.query(f"select * from margin.margin_costs where as_of = $1 order by {COSTS_ORDER}", (AS_OF,))
    assert len(found) > 20
    pd.testing.assert_frame_equal(found, expected.drop(columns="as_of"))


@pytest.mark.parametrize(("name", "said"), [("no_such_view", "there is no view"), ("open_alerts", "looks at alerts")])
def test_only_views_over_tables_of_a_calculation_are_read(run, name, said):
    with pytest.raises(StorageError, match=said), snapshot(run[0]) as published:
        published_calculation(published, AS_OF).view(name, "1")


def test_a_superseded_calculation_gives_the_same_bytes_as_when_it_was_published(run, folder, call):
    urls, said, _ = run
    before = said["calculation_id"]
    after = storage.begin(urls, AS_OF, "another-run", "another version", {"parameters": []})
    notes = table(urls, "portfolio_method_notes").assign(reason="changed")
    storage.write_table(urls, after, AS_OF, "portfolio_method_notes", notes)
    with pytest.raises(StorageError, match=f"calculation {after} is running"), snapshot(urls) as published:
        recorded(published, after)
    tables = [name for name in storage.table_names(urls) if name in _tables_of(urls, before)]
    storage.publish(urls, after, input_hash="f" * 64, scope="chain", expected_tables=tables)
    assert call("CASH", "--format", "json")[1] != call("CASH", "--format", "json", "--calculation", before)[1]
    for form, name in (("json", "report.json"), ("csv", "lines.csv"), ("parquet", "lines.parquet")):
        assert call("--format", form, "--calculation", before) == (0, (folder / name).read_bytes(), "")
    page = call("CASH", "--calculation", before)[1].decode()
    assert "A later calculation has taken the place of this one" in parse(page)[0].text
    assert "A later calculation" not in (folder / "CASH.html").read_text()
    assert problems(page) == []


def _tables_of(urls, calculation_id):
    with snapshot(urls) as published:
        return recorded(published, calculation_id).sources


def test_the_command_writes_a_file_where_it_is_told(call, tmp_path):
    assert call("BANK", "--format", "pdf", "--output", tmp_path / "bank.pdf") == (0, b"", "")
    assert (tmp_path / "bank.pdf").read_bytes().startswith(b"%PDF")
    _, out, _ = call("BANK", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out.decode())))
    assert {row["portfolio_id"] for row in rows} == {"BANK"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["CASHH"], "did you mean CASH?"),
        (["CASH", "--as-of", "2022-12-24"], "2022-12-24 is not published"),
        (["CASH", "--as-of", "soon"], "not a date"),
        (["CASH", "--calculation", "999"], "there is no calculation 999"),
        (["CASH", "--calculation", str(2**70)], "is no calculation"),
        (["CASH", "--calculation", "one"], "invalid int"),
        (["CASH", "--format", "docx"], "invalid choice"),
        (["CASH", "--output", "/no/such/folder/x.html"], "there is no folder /no/such/folder"),
        (["CASH", "--output", "/tmp"], "/tmp is a folder"),
    ],
)
def test_a_call_that_cannot_be_used_is_told_in_one_line_with_status_2(call, arguments, said):
    status, out, complaint = call(*arguments)
    assert (status, out, len(complaint.strip().splitlines())) == (2, b"", 1)
    assert said in complaint


def test_date_and_calculation_have_to_belong_together(run, call):
    status, _, complaint = call("--calculation", run[1]["calculation_id"], "--as-of", "2022-12-27")
    assert (status, complaint.count("\n")) == (2, 1)
    assert "is of 2022-12-28, not of 2022-12-27" in complaint


def test_rows_that_are_no_longer_kept_are_not_taken_for_none(run):
    urls = run[0]
    with snapshot(urls) as published:
        found = recorded(published, run[1]["calculation_id"])
        source, count = found.sources["portfolio_risk"]
        fewer = dataclasses.replace(found, sources={**found.sources, "portfolio_risk": (source, count + 1)})
        with pytest.raises(StorageError, match=f"of {count + 1} rows of portfolio_risk in calculation .* only {count} are still kept"):
            fewer.rows("portfolio_risk")
