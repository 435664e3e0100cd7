"""The account of every record of a date: what was rejected, from which portfolio, and how many were read.

Belongs here: the frames of `rejected_rows` and `landed_files`. Not here: deciding what is rejected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from margin_pipeline.landing.rejections import one_per_cell, raw_json, rejected_rows_frame
from margin_pipeline.landing.validation import ValidatedFile


def landed_files_frame(files: Iterable[ValidatedFile], hashes: Mapping[str, str]) -> pd.DataFrame:
    """Frame of table `landed_files`: rows read = accepted + rejected, and the hash of each file."""
    rows = [(f.source, f.records.rows_read, f.records.rows_read - f.rows_rejected, f.rows_rejected, hashes[f.source]) for f in files]
    frame = pd.DataFrame(rows, columns=["source", "rows_read", "rows_accepted", "rows_rejected", "content_hash"])
    return frame.sort_values("source", ignore_index=True)


def rejected_rows(files: Iterable[ValidatedFile], portfolios: pd.DataFrame, netting_sets: pd.DataFrame) -> pd.DataFrame:
    """Frame of table `rejected_rows`: one row per file, record and column, with the record as it was read.

    Parameters
    ----------
    files : files of the date with all their rejections.
    portfolios, netting_sets : accepted ones, to tell which portfolio a bad row belongs to.
    """
    known = set(portfolios["portfolio_id"])
    owner = dict(zip(netting_sets["netting_set_id"], netting_sets["portfolio_id"], strict=True))
    rows = []
    for file in files:
        unparsed = {rejection.row_number for rejection in file.records.unparsed}
        for row_number, column_name, reason in one_per_cell(file.rejections):
            raw = file.records.raw(row_number)
            cells = _guessed_cells(raw["line"] or "", file.records.header) if row_number in unparsed else raw
            portfolio = _portfolio(cells, known, owner)
            if portfolio is None and row_number in unparsed:
                portfolio = next((cell for cell in cells.values() if cell in known), None)
            rows.append((file.source, row_number, column_name, reason, portfolio, raw_json(raw)))
    return rejected_rows_frame(rows)


def _portfolio(cells: Mapping[str, str | None], known: set[str], owner: Mapping[str, str]) -> str | None:
    named = (cells.get("portfolio_id") or "").strip()
    through = owner.get((cells.get("netting_set_id") or "").strip())
    return named if named in known else through


def _guessed_cells(line: str, header: tuple[str, ...]) -> dict[str, str | None]:
    """Cells of a line that is no row of the header, by position, quotes left out: good enough to find whose line it is."""
    separator = "\t" if line.count("\t") > line.count(",") else ","
    cells = [cell.strip(" \"'") for cell in line.split(separator)]
    names = [*header, *(f"beyond the header {i}" for i in range(len(cells)))]
    return dict(zip(names, cells, strict=False))
