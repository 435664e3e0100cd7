"""`margin-pipeline sql`: a query on the result database, or a prompt.

Belongs here: asking, and printing rows for people and programs. Not here: connections (`storage`).
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import decimal
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from margin_pipeline import cli

if TYPE_CHECKING:
    from margin_pipeline.storage import QueryResult, QuerySession

WIDEST_CELL = 60


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its options."""
    parser = subparsers.add_parser("sql", help="query the result database", description=__doc__.splitlines()[0])
    parser.add_argument("query", nargs="?", metavar="QUERY", help="one statement; without it, a prompt, or statements from a pipe")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table", help="how rows are printed (default: table)")
    parser.add_argument("--write", action="store_true", help="allow statements that change something")


def run(args: argparse.Namespace) -> int:
    """Run the query or the prompt; gives the exit status."""
    from margin_pipeline.storage import QuerySession, open_database

    settings = args.settings
    with (
        open_database(settings.data_dir, settings.database_url, settings.dagster_database_url) as urls,
        QuerySession(urls, write=args.write) as session,
    ):
        if args.query is not None:
            show(session.run(args.query), args.format, sys.stdout)
            return cli.DONE
        if sys.stdin.isatty():
            return _prompt(session, args.format)
        for statement in split_statements(sys.stdin.read()):
            show(session.run(statement), args.format, sys.stdout)
    return cli.DONE


def show(result: QueryResult, form: str, out: TextIO) -> None:
    """Print a result as an aligned table, CSV (an empty cell is empty) or JSON (a list of objects)."""
    if not result.columns:
        if form == "table" and result.message:
            out.write(result.message + "\n")
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows([_text(value) for value in row] for row in result.rows)
    elif form == "json":
        rows = [dict(zip(result.columns, map(_json_value, row), strict=True)) for row in result.rows]
        json.dump(rows, out, ensure_ascii=False, indent=1, allow_nan=False)
        out.write("\n")
    else:
        _show_table(result.columns, result.rows, out)


def split_statements(text: str) -> list[str]:
    """Split at semicolons outside quotes, dollar quotes and comments."""
    statements, start, position = [], 0, 0
    while position < len(text):
        end = _skipped(text, position)
        if end > position:
            position = end
            continue
        if text[position] == ";":
            statements.append(text[start:position])
            start = position + 1
        position += 1
    return [statement.strip() for statement in [*statements, text[start:]] if statement.strip()]


def _skipped(text: str, position: int) -> int:
    """Where the quoted text or comment that begins here ends; the position itself when none does."""
    character = text[position]
    if character in "'\"":
        closing = text.find(character, position + 1)
    elif text.startswith("--", position):
        closing, character = text.find("\n", position), "\n"
    elif text.startswith("/*", position):
        closing, character = text.find("*/", position + 2), "*/"
    elif character == "$" and (tag := text[position : text.find("$", position + 1) + 1]) and tag.strip("$").isidentifier() | (tag == "$$"):
        closing, character = text.find(tag, position + len(tag)), tag
    else:
        return position
    return len(text) if closing < 0 else closing + len(character)


def _prompt(session: QuerySession, form: str) -> int:
    import readline  # noqa: F401  (gives input() history and editing)

    from margin_pipeline.storage import StorageError

    print("End a statement with ; and the session with \\q or Ctrl-D. A start: select * from margin.portfolio_margins;")
    lines: list[str] = []
    while True:
        try:
            line = input("margin=> " if not lines else "margin-> ")
        except EOFError:
            print()
            return cli.DONE
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        if line.strip() in ("\\q", "quit", "exit") and not lines:
            return cli.DONE
        lines.append(line)
        if not line.rstrip().endswith(";"):
            continue
        statements, lines = split_statements("\n".join(lines)), []
        for statement in statements:
            try:
                show(session.run(statement), form, sys.stdout)
            except StorageError as error:
                print(error, file=sys.stderr)
                break


def _show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], out: TextIO) -> None:
    cells = [[_short(_text(value)) for value in row] for row in rows]
    widths = [max(len(column), *(len(row[place]) for row in cells), 1) if cells else len(column) for place, column in enumerate(columns)]
    numeric = [any(_is_number(row[place]) for row in rows) for place in range(len(columns))]
    out.write("  ".join(column.ljust(width) for column, width in zip(columns, widths, strict=True)).rstrip() + "\n")
    out.write("  ".join("-" * width for width in widths) + "\n")
    for row in cells:
        aligned = (cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numeric, strict=True))
        out.write("  ".join(aligned).rstrip() + "\n")
    out.write(f"({len(rows)} row{'' if len(rows) == 1 else 's'})\n")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(_json_value(value) or "NaN")
    return str(value)


def _short(text: str) -> str:
    line = " ".join(text.split("\n"))
    return line if len(line) <= WIDEST_CELL else line[: WIDEST_CELL - 1] + "…"


def _json_value(value: object) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        # As Postgres' own JSON writes it: a utilization without bound must not look like one that is unknown.
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | float | str | dict | list):
        return value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, dt.datetime) else _text(value)
