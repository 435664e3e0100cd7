"""Test of the page about input files.

Belongs here: that the page says what the contracts say. Not here: the contracts.
"""

from __future__ import annotations

import re
from pathlib import Path

from margin_pipeline.landing import CONTRACTS
from margin_pipeline.landing.document import page

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date():
    assert (ROOT / "docs" / "input_files.md").read_text(encoding="utf-8") == page()


def test_contracts_have_the_columns_of_their_tables():
    files = sorted((ROOT / "sql" / "migrations").glob("*.sql"))
    sql = "\n".join(file.read_text(encoding="utf-8") for file in files if not file.name.endswith(".rollback.sql"))
    for contract in CONTRACTS.values():
        body = re.search(rf"create table margin_data\.{contract.table} \((.*?)\n\) partition", sql, re.DOTALL).group(1)
        columns = re.findall(r"^    (\w+) +(?:text|date|bigint|double|boolean)", body, re.MULTILINE)
        columns += re.findall(rf"alter table margin_data\.{contract.table} add column (\w+)", sql)
        assert columns == ["as_of", "calculation_id", *contract.columns], contract.name
        key = re.search(r"primary key \(as_of, calculation_id, (.*?)\)", body).group(1).split(", ")
        assert key == list(contract.key), contract.name
        needed = {name for name in contract.columns if re.search(rf"^    {name} .*not null", body, re.MULTILINE)}
        filled = {name for name, column in contract.schema.columns.items() if not column.nullable} | {"multiplier", "currency"} & needed
        assert needed == filled, contract.name


def test_every_column_says_what_it_is_and_every_number_its_unit():
    for contract in CONTRACTS.values():
        for name, column in contract.schema.columns.items():
            assert column.description
            assert column.description.endswith((".", "…")), f"{contract.name}.{name}"
            assert column.metadata["kind"] != "number" or column.metadata["unit"]
