"""What the pages for people point to exists."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from margin_pipeline.cli import COMMANDS
from margin_pipeline.reports.structures_document import structures_document

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CAPABILITIES = (ROOT / "docs" / "capabilities.md").read_text()
LIST = ROOT.parent / "shared" / "design" / "capabilities.csv"


def assert_all_exist(named: list[str]) -> None:
    assert sorted({name for name in named if not (ROOT / name).exists()}) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_and_folders_exist(page: Path):
    named = re.findall(r"`((?:margin_pipeline|margin_pipeline_tests|sql|docs|benchmarks|requirements)/[\w./]*)`", page.read_text())
    assert_all_exist(named)


def test_pages_name_only_tables_of_the_schema():
    schema = "\n".join(path.read_text() for path in (ROOT / "sql").rglob("*.sql"))
    named = {name for page in PAGES for name in re.findall(r"(?<![\w/])margin\.(\w+)", page.read_text())}
    assert named - {"py"} != set()
    assert [name for name in sorted(named - {"py"}) if not re.search(rf"\b{name}\b", schema)] == []


def test_every_question_of_the_readme_is_a_file_and_is_answered():
    readme = (ROOT / "README.md").read_text()
    asked = re.findall(r"sql/queries/(\w+)\.sql", readme)
    assert len(set(asked)) >= 5
    assert all((ROOT / "sql" / "queries" / f"{name}.sql").is_file() for name in asked)


def test_every_capability_stands_once_in_its_page():
    named = re.findall(r"F\d{3}", CAPABILITIES)
    assert sorted(named) == sorted(set(named))
    assert {f"F{number:03d}" for number in range(1, 267)} - set(named) == {"F040"}  # the list has no such identifier


@pytest.mark.skipif(not LIST.is_file(), reason="the list of capabilities is not beside this checkout")
def test_capabilities_are_those_of_the_list():
    with LIST.open(encoding="utf-8", newline="") as file:
        listed = sorted(row["id"] for row in csv.DictReader(file))
    assert sorted(re.findall(r"F\d{3}", CAPABILITIES)) == listed


def test_places_of_capabilities_exist():
    quoted = re.findall(r"`([^`]+)`", CAPABILITIES)
    assert_all_exist([text for text in quoted if re.fullmatch(r"[\w.-]*/[\w./-]+|dashboards|benchmarks|[\w.-]+\.yaml", text)])
    commands = {text.split()[1] for text in quoted if text.startswith("margin-pipeline ")}
    assert commands - set(COMMANDS) == set()


def test_tables_of_capabilities_are_in_the_schema():
    lists = re.findall(r"tables? ((?:`\w+`(?:, )?)+)", CAPABILITIES)
    named = {name for text in lists for name in re.findall(r"\w+", text)}
    schema = "\n".join(path.read_text() for path in (ROOT / "sql" / "migrations").glob("*.sql"))
    assert len(named) > 40
    assert sorted(name for name in named if not re.search(rf"create table margin_data\.{name} ", schema)) == []


def test_the_page_of_structures_is_that_of_the_catalogue():
    assert (ROOT / "docs" / "option_structures.md").read_text() == structures_document()
