"""The page about result tables, written from the comments in SQL.

Belongs here: turning the catalogue into Markdown. Not here: saying anything about a column that its comment does not say.

`margin-pipeline sql --format csv "$(cat sql/queries/describe_tables.sql)" | python -m margin_pipeline.reports.tables_document
> docs/tables.md` renews the page; a test holds it against the schema.
"""

from __future__ import annotations

import sys

import pandas as pd

INTRODUCTION = """\
# Tables

Results stand in the Postgres schema `margin`. Its tables are views of the *published* calculation of each date: one transaction
publishes all tables of a date together, so a reader sees the old calculation or the new one and never a mixture.

- Every table has `as_of` (business date) and `calculation_id` (which calculation wrote the row; see `calculations`).
- Money is in the base currency of the portfolio unless the column says otherwise. Quantities are signed, long positive.
  Rates, volatilities and shares are fractions (0.25 = 25 %). Instants are UTC.
- An empty figure is one that could not be determined; `missing` says why. It is never 0 in disguise.
- The stored rows of all calculations, superseded ones included, are in schema `margin_data` (same columns);
  `sql/queries/what_was_known.sql` reads them as they were known at an instant.

This page is written from the comments of the schema (`sql/migrations/`, `sql/views/`); *key* marks the columns that tell the rows of
one date apart.
"""


def tables_document(described: pd.DataFrame) -> str:
    """Return the page.

    Parameters
    ----------
    described : rows of sql/queries/describe_tables.sql: table_name, table_meaning, is_stored, column_name, type, is_key, meaning.
    """
    parts = [INTRODUCTION]
    for is_stored, heading in ((False, "Views for people"), (True, "Tables")):
        parts.append(f"## {heading}\n")
        for name, rows in described[described["is_stored"] == is_stored].groupby("table_name", sort=True):
            parts.append(_section(str(name), rows))
    return "\n".join(parts)


def _section(name: str, rows: pd.DataFrame) -> str:
    lines = [f"### {name}\n", f"{rows['table_meaning'].iloc[0]}\n", "| column | type | meaning |", "| --- | --- | --- |"]
    for row in rows.itertuples():
        key = " *key*" if row.is_key and row.column_name != "calculation_id" else ""
        lines.append(f"| `{row.column_name}`{key} | {row.type} | {row.meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(
        tables_document(
            pd.read_csv(sys.stdin, keep_default_na=False, true_values=["t", "True", "true"], false_values=["f", "False", "false"])
        )
    )
