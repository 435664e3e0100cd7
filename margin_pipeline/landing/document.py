"""The page about input files, written from their contracts.

Belongs here: turning contracts into Markdown. Not here: saying anything about a column that its contract does not say.

`python -m margin_pipeline.landing.document > docs/input_files.md` renews the page; a test holds it against the contracts.
"""

from __future__ import annotations

from margin_pipeline.landing.coercion import LARGEST_NUMBER, LONGEST_CELL
from margin_pipeline.landing.contracts import CONTRACTS, REQUIRED_FILES, FileContract

INTRODUCTION = f"""\
# Input files

Put the files of a business date into a folder `<landing>/<YYYY-MM-DD>/`, each as `<name>.csv` or `<name>.parquet`.
Every date needs {", ".join(f"**{name}**" for name in REQUIRED_FILES)}; all other files are optional.

This page is written from the contracts that check the files (`margin_pipeline/landing/contracts/`).

## How a file is read

- **CSV**: UTF-8 (with or without byte order mark), commas (crif: commas or tabs, as its header has them), a header line, `"` around cells
  that hold a comma, `""` for a quote inside such a cell. One physical line is one record; no cell holds a line break; blank lines are
  skipped. Row numbers are line numbers, the header being 1.
- **Parquet**: the same columns; row numbers from 1. Times of day and nested types have no place in it.
- Column names may stand in any order and in any case. Columns that are not listed here are ignored, and a note says so.
- Blanks around a cell do not count, and an empty cell is a missing value. No word is read as missing: `NA`, `TRUE` and `NULL` are tickers.
- **Numbers** are plain decimals with an optional exponent (`-1234.5`, `1e6`): up to {LARGEST_NUMBER:g}, no thousands separators,
  percent signs or units. Rates and volatilities are fractions (0.25 = 25 %).
- **Dates** are `YYYY-MM-DD`. **Booleans** are true or false (yes, no, 1, 0).
- Values from a list (`call`, `reg_t`) may be in any case; symbols, names and currency codes are taken as they are.
- No cell of a listed column is longer than {LONGEST_CELL} characters or holds a control character.

## What happens to a row that breaks its contract

It stops nothing and never disappears: it goes to `margin.rejected_rows` with file, row number, column, reason and the row as it was
read. For every file rows read = rows accepted + rows rejected (`margin.landed_files`). That holds too for lines that do not parse: a
quote that is opened and not closed, a field too many or too few, bytes that are no UTF-8. A rejected position leaves its portfolio
undetermined, for its margin is not known; a position in a contract that expired before the date does not.

Rules over several files:

- positions, figures, exposures, results and netting sets name a portfolio of the date, trades and sensitivities a netting set of the
  date, positions an instrument of the date; house rates of a symbol name an instrument of the date;
- contracts that positions hold expire on the date or later, and uncleared trades mature on the date or later;
- dates of prices, exchange rates, interest rates and results lie on or before the folder's date;
- a price of 0 is a mark for options only.

**Repeated rows.** In positions, quantities and wallets of one portfolio, strategy and symbol add up; a price that differs from an earlier
row's rejects the later row (an empty price differs from none, and takes the price that another row gives). The entry price is
quantity-weighted over the rows on the side of the total: a row on the other side closed a part of it at no change of its average. It is
missing when one of these rows has none, or the total is 0. In crif every row counts, for sensitivities of one risk factor add up, also
those of one trade.
In every other file identical repeats collapse (and count as accepted), and rows that give different content for one key are all rejected.
A margin schedule of which one tier is rejected is rejected as a whole.

## Sensitivities

**crif** is ISDA's common risk interchange format as other systems write it. A row must hold what its risk type needs: the bucket, the
tenor (Label1) and the sub-curve (Label2) are looked at where the model uses them, and a row that SIMM could not use is rejected with
what would do. AmountUSD counts; where it is empty, Amount is converted at the day's rate. `Param_` rows and the `Notional` of an add-on
belong to the netting set as a whole, whatever product class they name. Rows of IMModel Schedule are kept, but SIMM does not cover them:
the netting set has no margin until these trades are given in otc_trades of a netting set under the schedule. A rejected row leaves the
margin of its netting set unknown.

## The exchange's own risk parameter file

`span.xml` is read into **risk_arrays** and **span_parameters**, where the folder has no file of these names (a note says when it does).
It is the XML form of a SPAN risk parameter file: `spanFile` / `pointInTime` / `clearingOrg` with `pointDef`, `exchange` (`futPf` / `fut`;
`oofPf`, `oopPf`, `ooePf` / `series` / `opt`), `ccDef` and `interSpreads`.

- **Sign and size**: in that file a positive array value is what one long contract of `cvf` units loses. The value that is kept is what one
  long contract of the instrument gains: its sign is turned, and values and deltas are multiplied by multiplier / `cvf`.
- **Which instrument a contract is**: the one whose symbol is an alias of the contract (`alias` / `aVal`) or its `cId`; else the one with
  `root` = `pfCode` (of an option: its own, the future's, or `undPf` / `pfCode`), `expiry` = `setlDate` (or `pe` of eight digits), and of
  options the same right and strike. A contract that is none of the instruments, or several, is a rejected row.
- **Which class group a term is of**: the combined commodity (`cc`) is the class group (`class_group`, else `root`, of the instruments).
- What the terms cannot say - spreads of three legs or of single months, charges by month, credits by scanning or by tiers - is rejected
  with a reason.
- A document type declaration stops the date: it has no place in such a file, and entities could expand without end.

A rejected row of span_parameters, here and in a file of that name, leaves its class group and term without a value: the charge is not
known, and a margin that needs it is undetermined.

## What stops a date

A missing folder, a missing or unreadable file, a header without a required column or with one name twice, a name that is there both as
CSV and as Parquet, and no row at all in portfolios, instruments or prices. Each is one line that says what to do, and nothing of that
date is written.
"""


def page() -> str:
    """The whole page, Markdown."""
    sections = [INTRODUCTION, "## Required files\n"]
    sections += [_section(contract) for contract in CONTRACTS.values() if contract.required]
    sections.append("## Optional files\n")
    sections += [_section(contract) for contract in CONTRACTS.values() if not contract.required]
    return "\n".join(sections)


def _section(contract: FileContract) -> str:
    lines = [f"### {contract.name}\n", f"{contract.description} One row per {', '.join(f'`{name}`' for name in contract.key)}."]
    if contract.complete_note:
        lines.append(contract.complete_note)
    lines += ["", "| column | kind | required | values | default | what it is |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_row(contract, name) for name in contract.columns]
    if contract.schema.checks:
        rules = [f"`{check.name}`: {check.error}" for check in contract.schema.checks]
        lines += ["", "Rules over a row: " + "; ".join(rules) + "."]
    return "\n".join(lines) + "\n"


def _row(contract: FileContract, name: str) -> str:
    metadata, column = contract.metadata(name), contract.schema.columns[name]
    values = ", ".join(f"`{value}`" for value in metadata.get("allowed", ())) or metadata.get("range", "") or metadata.get("pattern", "")
    default = metadata.get("default_note") or (f"{column.default:g}" if isinstance(column.default, float) else column.default or "")
    kind = f"{metadata['kind']}, {metadata['unit']}" if metadata.get("unit") else metadata["kind"]
    return f"| `{name}` | {kind} | {'yes' if metadata['required'] else ''} | {values} | {default} | {column.description} |"


if __name__ == "__main__":
    print(page(), end="")
