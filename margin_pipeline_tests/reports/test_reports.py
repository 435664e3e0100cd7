"""Reports of a made-up calculation: nothing is lost, blank or taken for markup, and everybody can read them. Not here: the sample."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import stat

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin_pipeline.reports import bundle, export
from margin_pipeline.reports.document.html import html
from margin_pipeline.reports.document.pdf import TONE_COLOURS, pdf, register_fonts
from margin_pipeline.reports.document.pdf_tables import broken, text_width
from margin_pipeline.reports.portfolio_report import firm_report, portfolio_report
from margin_pipeline_tests.reports.accessibility import colours, contrast, parse, problems
from margin_pipeline_tests.reports.json_schema import violations
from margin_pipeline_tests.reports.report_book import AS_OF, EMPTY, ODD, PLAIN, WHY, book

LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, for text of usual size."""


@pytest.fixture(scope="module")
def pages():
    """The made-up pages by name of portfolio; the firm's by an empty name."""
    data = book()
    found = {name: html(portfolio_report(data, name)) for name in data.portfolio_ids}
    return {**found, "": html(firm_report(data, dict.fromkeys(data.portfolio_ids, "page.html")))}


def rows_of(page, caption):
    """Cells of the table under a caption, a list a row."""
    root, _ = parse(page)
    (table,) = [table for table in root.all("table") if next(table.all("caption")).text == caption]
    return [[cell.text for cell in row.all("td", "th")] for row in next(table.all("tbody")).all("tr")]


@pytest.mark.parametrize("name", [ODD, PLAIN, EMPTY, ""])
def test_pages_can_be_read_by_everybody(pages, name):
    assert problems(pages[name]) == []


@pytest.mark.parametrize("damage", [
    ('<html lang="en">', "<html>", "language"),
    ("<h2 ", "<h4 ", "</h2> closes h4"),
    ('scope="col"', "", "heading without scope"),
    ('<caption id="', '<caption title="', "referred to and not there"),
    ('role="img"', "", "no role"),
    ("<main ", "<section ", "main"),
    ('href="#content"', 'href="#nowhere"', "#nowhere"),
    ('href="#content"', 'href="https://example.org"', "elsewhere"),
    ("Skip to the content", "", "no words"),
], ids=lambda damage: damage[2])  # fmt: skip
def test_the_check_notices_what_keeps_people_out(pages, damage):
    before, after, said = damage
    assert any(said in problem for problem in problems(pages[ODD].replace(before, after, 1)))


def test_text_stands_out_from_what_it_stands_on(pages):
    page = pages[ODD]
    named = colours(page)
    for ink in ("ink", "muted", "link", "good", "watch", "bad", "unknown", "neutral"):
        for ground in ("paper", "stripe", "head"):
            assert contrast(named[ink], named[ground]) >= LEAST_CONTRAST, (ink, ground)
    written = set(re.findall(r'<text [^>]*fill="(#[0-9a-f]{6})"', page))
    assert written
    assert all(contrast(colour, "#ffffff") >= LEAST_CONTRAST for colour in written)
    drawn = set(re.findall(r'<(?:rect|circle|line) [^>]*(?:fill|stroke)="(#[0-9a-f]{6})"', page))
    assert all(contrast(colour, "#ffffff") >= 3.0 for colour in drawn)
    assert set(TONE_COLOURS.values()) == {named[tone] for tone in TONE_COLOURS}


def test_black_on_white_has_the_greatest_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    # A grey that is known to fail by a hair, and the one that passes.
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.542, abs=1e-3)


def test_names_are_words_and_never_markup(pages):
    root, nesting = parse(pages[ODD])
    assert nesting == []
    assert next(root.all("h1")).text == ODD
    assert list(root.all("b", "i", "ten", "script", "img")) == []
    # The page says in its style sheet, too, whose it is.
    assert '\\3c b>&\\"ß€/..\\\\' in pages[ODD]


def test_an_undetermined_figure_says_so_and_why_and_is_never_0_or_blank(pages):
    methods = rows_of(pages[ODD], "Margin under every method, EUR")
    (governing,) = [row for row in methods if row[0] == "strategy based (governs)"]
    assert governing[1:3] == ["? undetermined", "? undetermined"]
    assert governing[-1] == f"undetermined: {WHY}"
    risk = rows_of(pages[ODD], "Value at risk and expected shortfall, EUR, losses positive")
    assert [row[3] for row in risk] == ["12.35", "? undetermined"]
    assert risk[0][5] == "none for this method"
    (line,) = [row for row in rows_of(pages[ODD], "Margin accounts (FINRA, Regulation T)") if row[0] == "maintenance margin"]
    assert (line[1], line[3], line[5]) == ("? undetermined", "? undetermined", f"undetermined: {WHY}")
    prices = rows_of(pages[ODD], "Leveraged positions")
    assert [row[3] for row in prices] == [f"? undetermined: {WHY}", "no positive price liquidates"]
    # Nothing is known, and for one reason: it is said once.
    assert "Undetermined: trades are not revalued (2 rows in margin.portfolio_risk)." in parse(pages[PLAIN])[0].text


def test_a_figure_without_bound_is_not_one_that_is_unknown(pages):
    (row,) = rows_of(pages[PLAIN], "Margin under every method, USD")
    assert row[5:7] == ["✗ without bound", "✗ liquidatable"]
    assert rows_of(pages[PLAIN], "Stress results, USD, failed ones first")[0][-1] == "utilization below: beyond any number, limit 1"


def test_what_is_not_there_is_said(pages):
    text = parse(pages[EMPTY])[0].text
    for said in (
        "undetermined: no method governs this portfolio.",
        "No method has a row in margin.portfolio_margins.",
        "No scenario has a result.",
        "There are no regulatory lines.",
        "No alert is open.",
        "No row was rejected.",
    ):
        assert said in text


def test_tables_without_any_row_make_reports_too():
    data = book(everything=True)
    for name in data.portfolio_ids:
        assert problems(html(portfolio_report(data, name))) == []
        assert pdf(portfolio_report(data, name)).startswith(b"%PDF")
    assert problems(html(firm_report(data, {}))) == []
    assert list(violations(json.loads(export.report_json(data)), export.schema(), export.schema())) == []


def test_a_calculation_that_recorded_no_settings_has_a_report():
    data = book()
    bare = dataclasses.replace(data, calculation={**data.calculation, "settings": {}})
    page = html(portfolio_report(bare, PLAIN))
    assert problems(page) == []
    assert "Limits of utilization are not recorded with this calculation." in parse(page)[0].text
    assert pdf(portfolio_report(bare, PLAIN)).startswith(b"%PDF")


def test_the_head_names_the_calculation_and_the_appendix_what_it_was_made_with(pages):
    text = parse(pages[PLAIN])[0].text
    for said in ("Calculation7", "0123456789abcdef0123", "0.1.0+abc", "2023-01-01 10:00:00 UTC", "finra:2, thresholds:1, gone:7"):
        assert said in text
    parameters = {row[0]: row for row in rows_of(pages[PLAIN], "Parameter sets in force")}
    assert parameters["finra"][1:3] == ["2", "2010-12-02"]
    # Sets are those that are stored with the calculation, whatever the code ships now.
    assert parameters["gone"][1:] == ["7", "2001-02-03", "a file that is not shipped any more"]


def test_netting_sets_are_shown_from_whatever_tables_hold_them(pages):
    rows = rows_of(pages[PLAIN], "Netting set margins: Initial margin of each netting set")
    assert rows == [
        ["N/1", "call", "60.0 %", "7.00", "nothing"],
        ["N/2", "post", "? undetermined", "? undetermined", "notional of T1"],
    ]


def test_rules_that_do_not_apply_are_no_pass():
    data = book()
    lines = data.tables["regulatory_lines"]
    page = html(portfolio_report(dataclasses.replace(data, tables={**data.tables, "regulatory_lines": lines[~lines["applicable"]]}), PLAIN))
    assert "<p>Lines: 1 not applicable.</p>" in page


def test_the_page_of_the_firm_leads_to_every_portfolio_and_shows_its_lines(pages):
    root, _ = parse(pages[""])
    led = [link.text for link in root.all("a") if link.attributes["href"] == "page.html"]
    assert sorted(led) == sorted([ODD, PLAIN, EMPTY])
    (row,) = rows_of(pages[""], "Basel III")
    assert (row[0], row[1:4], row[-1]) == (
        "leverage ratio (firm)",
        ["? undetermined", "0.03", "? undetermined"],
        "undetermined: a part is missing",
    )
    why = dict(rows_of(pages[""], "Margins that are undetermined"))
    assert why == {ODD: f"? undetermined: {WHY}", EMPTY: "? undetermined: no method governs it"}


def test_a_long_table_ends_with_where_the_rest_is():
    data = book()
    lines = data.tables["regulatory_lines"]
    many = pd.concat([lines[lines["portfolio_id"] == PLAIN].head(1).assign(line_item=f"line_{number:03}") for number in range(70)])
    page = html(portfolio_report(dataclasses.replace(data, tables={**data.tables, "regulatory_lines": many}), PLAIN))
    assert len(rows_of(page, "Basel III")) == 60
    assert "And 10 more in margin.regulatory_lines and lines.csv." in page


def test_a_pdf_holds_the_same_words_and_has_pages_numbers_and_an_outline():
    report = portfolio_report(book(), PLAIN)
    found = pdf(report, compress=False)
    for said in (
        b"(PLAIN)",
        b"5,000.00",
        b"0.18175",
        b"1 / ",
        b"/Lang (en)",
        b"/DisplayDocTitle true",
        b"/Outlines",
        b"(Regulatory lines)",
    ):
        assert said in found
    assert pdf(report, compress=False) == found
    assert pdf(report).endswith(b"%%EOF\n")


def test_odd_names_do_no_harm_to_a_pdf():
    assert pdf(portfolio_report(book(), ODD)).startswith(b"%PDF")


@given(st.text(alphabet="abc déß€\N{NO-BREAK SPACE}-.", max_size=80), st.floats(20.0, 200.0))
def test_lines_fit_and_no_letter_is_lost(text, width):
    register_fonts()
    lines = broken(text, width, "DejaVuSans", 7.0)
    assert "".join("".join(lines).split(" ")) == "".join(text.split(" "))
    assert all(len(line) == 1 or text_width(line, "DejaVuSans", 7.0) <= width + 1e-9 for line in lines)


def test_the_json_keeps_its_schema_and_identifiers_are_of_the_key():
    found = json.loads(export.report_json(book()), parse_constant=pytest.fail)
    assert list(violations(found, export.schema(), export.schema())) == []
    assert found["lines"][0]["id"] == "2022-12-28/%3Cb%3E%26%22%C3%9F%E2%82%AC%2F..%5C/portfolio/finra/maintenance_margin//"
    assert "2022-12-28/PLAIN/portfolio/schedule_im/initial_margin/N%2F1/call" in {line["id"] for line in found["lines"]}
    assert "2022-12-28//firm/basel/leverage_ratio//" in {line["id"] for line in found["lines"]}
    ids = [row["id"] for rows in found.values() if isinstance(rows, list) for row in rows]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("damage", [
    lambda d: d["lines"][0].pop("reference"),
    lambda d: d["lines"][0].update(status="fine"),
    lambda d: d["lines"][0].update(value="much"),
    lambda d: d["calculation"].update(input_hash="short"),
    lambda d: d.update(more=1),
    lambda d: d.update(as_of="28 December"),
])  # fmt: skip
def test_the_schema_notices_what_is_wrong(damage):
    found = json.loads(export.report_json(book()))
    damage(found)
    assert list(violations(found, export.schema(), export.schema())) != []


def test_in_json_unknown_is_null_and_without_bound_is_a_word():
    found = json.loads(export.report_json(book()))
    margins = {(row["portfolio_id"], row["method"]): row for row in found["margins"]}
    assert margins[ODD, "strategy_based"]["maintenance_margin"] is None
    assert margins[ODD, "strategy_based"]["missing"] == [WHY]
    assert margins[PLAIN, "schedule_im"]["utilization"] == "Infinity"


def test_rows_in_another_order_give_the_same_identifiers():
    data = book()
    turned = {name: frame.iloc[::-1].reset_index(drop=True) for name, frame in data.tables.items()}
    other = dataclasses.replace(data, tables=turned)
    first, second = ({row["id"]: row for row in json.loads(export.report_json(one))["lines"]} for one in (data, other))
    assert first == second


def test_lines_come_out_of_csv_and_parquet_as_they_stand_in_the_table():
    data = book()
    stored = data.tables["regulatory_lines"]
    text = pd.read_csv(io.StringIO(export.lines_csv(data)), keep_default_na=False, dtype=str)
    assert list(text["value"]) == ["", "1000.0", "0.18175", "7.0", "", ""]
    assert list(text["effective_date"].unique()) == ["2010-12-02"]
    table = pq.read_table(io.BytesIO(export.lines_parquet(data)))
    assert table.num_rows == len(stored)
    assert str(table.schema.field("effective_date").type) == "date32[day]"
    for column in ("value", "limit_value"):
        assert table.column(column).to_pandas().tolist() == pytest.approx(stored[column].tolist(), nan_ok=True)
    assert list(export.lines_frame(data, PLAIN)["portfolio_id"].unique()) == [PLAIN]


def test_file_names_are_safe_and_differ_in_more_than_case():
    ids = [ODD, "a/b", "a_b", "abc", "ABC", "index", "CON", "", "-x", "..", "x" * 300, "ü"]
    names = bundle.file_names(ids)
    assert len({name.lower() for name in names.values()}) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_~-]{0,79}", name) for name in names.values())
    assert all(name.lower() not in ("index", "con") for name in names.values())
    assert names["a_b"] == "a_b"


def test_a_folder_is_written_whole_and_again_with_the_same_bytes(tmp_path):
    data = book()
    first = bundle.write_reports(data, tmp_path)
    before = {file.name: file.read_bytes() for file in first.folder.iterdir()}
    (first.folder / "left.txt").write_text("of an earlier version")
    again = bundle.write_reports(data, tmp_path)
    assert again == first
    assert {file.name: file.read_bytes() for file in again.folder.iterdir()} == before
    assert first.folder == tmp_path / AS_OF.isoformat() / "calculation_7"
    assert [path.name for path in first.folder.parent.iterdir()] == ["calculation_7"]
    assert {"index.html", "index.pdf", "PLAIN.html", "PLAIN.pdf", "lines.csv", "lines.parquet", "report.json", "report.schema.json"} <= set(
        before
    )
    assert (first.files, first.size) == (len(before), sum(map(len, before.values())))
    assert stat.S_IMODE(first.folder.stat().st_mode) == 0o755


def test_links_of_all_pages_lead_to_files_beside_them(tmp_path):
    written = bundle.write_reports(book(), tmp_path)
    for page in written.folder.glob("*.html"):
        targets = [link.attributes["href"] for link in parse(page.read_text())[0].all("a")]
        assert [target for target in targets if not target.startswith("#") and not (written.folder / target).is_file()] == []


def test_what_fails_while_writing_leaves_what_was_there(tmp_path):
    data = book()
    first = bundle.write_reports(data, tmp_path)
    before = sorted(file.name for file in first.folder.iterdir())
    # The last but one of the files cannot be made of it.
    broken_data = dataclasses.replace(data, calculation={**data.calculation, "known_from": None})
    with pytest.raises(AttributeError):
        bundle.write_reports(broken_data, tmp_path)
    assert sorted(file.name for file in first.folder.iterdir()) == before
    assert [path.name for path in first.folder.parent.iterdir()] == ["calculation_7"]
