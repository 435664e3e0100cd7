"""Landing folders: which dates there are, and all files of one date, read and cross-checked before anything is returned.

Belongs here: finding, hashing and reading the files of a date, and the order of the checks.
Not here: what a file must hold (contracts), writing tables.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from margin_pipeline.landing import cross_checks
from margin_pipeline.landing.contracts import CONTRACTS, REQUIRED_FILES, FileContract
from margin_pipeline.landing.crif_rules import crif_rejections
from margin_pipeline.landing.errors import LandingError
from margin_pipeline.landing.ledger import landed_files_frame, rejected_rows
from margin_pipeline.landing.parquet import read_parquet
from margin_pipeline.landing.records import Records, read_csv
from margin_pipeline.landing.repeats import add_up_positions, differing_marks, settle_repeats
from margin_pipeline.landing.span_file import SPAN_FILE, read_span_file, source_of
from margin_pipeline.landing.validation import ValidatedFile, empty_frame, validate

READERS = {".csv": read_csv, ".parquet": read_parquet}
SPAN_TABLES = ("risk_arrays", "span_parameters")
LANDED_TABLES: tuple[str, ...] = (*(contract.table for contract in CONTRACTS.values()), "rejected_rows", "landed_files")
"""Tables that one folder fills, all of them, with no rows where it has no file."""


@dataclass(frozen=True)
class LandedDate:
    """Everything that the folder of one date says.

    Attributes
    ----------
    as_of : date of the folder.
    tables : one frame for each of `LANDED_TABLES`, without `as_of` and `calculation_id`, sorted by key.
    content_hash : hash of the files that were read, as `fingerprint` gives it.
    notes : what is allowed but worth knowing, one line each.
    """

    as_of: dt.date
    tables: dict[str, pd.DataFrame]
    content_hash: str
    notes: list[str]


def list_folders(landing: Path) -> list[dt.date]:
    """Dates of the folders named YYYY-MM-DD in a landing zone, sorted; none when there is no such zone yet."""
    if not landing.is_dir():
        return []
    named = [path.name for path in landing.iterdir() if re.fullmatch(r"\d{4}-\d{2}-\d{2}", path.name) and path.is_dir()]
    return sorted(date for name in named if (date := _calendar_day(name)))


def missing_files(folder: Path) -> list[str]:
    """Names of the required files that a folder does not hold, as CSV or Parquet."""
    return [name for name in REQUIRED_FILES if not _paths(folder, name)]


def fingerprint(folder: Path) -> str:
    """SHA-256 over names and contents of the known files of a folder, in any order; other files change nothing.

    Raises
    ------
    LandingError
        When a file cannot be read.
    """
    paths = [path for name in CONTRACTS for path in _paths(folder, name)] + _span_paths(folder)
    return _combined({path.name: _digest(_content(path)) for path in paths})


def read_date(folder: Path, as_of: dt.date) -> LandedDate:
    """Read and cross-check all files of a date.

    Parameters
    ----------
    folder : `<landing>/<YYYY-MM-DD>`.
    as_of : date of the folder.

    Returns
    -------
    Tables of accepted rows and `rejected_rows`; for every file rows read = accepted + rejected.

    Raises
    ------
    LandingError
        When the folder, a required file or a required column is missing, or a file cannot be read: all of it, one line each.
    """
    contents = _contents(folder)
    files, notes = _validated(contents)
    notes += _unread(folder)
    frames, files = _cross_checked(files, as_of)
    hashes = {source: _digest(data) for source, data in contents.items()}
    tables = {contract.table: frames[name] for name, contract in CONTRACTS.items()}
    portfolios, netting_sets = frames["portfolios"], frames["netting_sets"]
    tables["rejected_rows"] = rejected_rows(files.values(), portfolios, netting_sets)
    within = {source_of(table): hashes[SPAN_FILE] for table in SPAN_TABLES if SPAN_FILE in hashes}
    tables["landed_files"] = landed_files_frame(files.values(), {**hashes, **within})
    notes += cross_checks.notes(frames["instruments"], frames["positions"], frames["prices"], as_of)
    return LandedDate(as_of, tables, _combined(hashes), notes)


def _contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every known file of the folder, by file name."""
    if not folder.is_dir():
        raise LandingError([f"there is no folder {folder}; make it and put {', '.join(f'{name}.csv' for name in REQUIRED_FILES)} there"])
    try:
        # Without the right to enter it, the first file would fail with its own name.
        (folder / f"{REQUIRED_FILES[0]}.csv").exists()
        next(folder.iterdir(), None)
    except OSError as error:
        raise LandingError([f"{folder} cannot be read ({error.strerror}); let this user read and enter it"]) from None
    messages = [f"{name}.csv (or {name}.parquet) is missing in {folder}; every date needs it" for name in missing_files(folder)]
    contents: dict[str, bytes] = {}
    for name in CONTRACTS:
        paths = _paths(folder, name)
        if len(paths) > 1:
            messages.append(f"{folder} holds both {' and '.join(path.name for path in paths)}; keep one of them")
            continue
        messages += _take(paths, contents)
    messages += _take(_span_paths(folder), contents)
    if messages:
        # what is wrong inside the other files is said at the same time
        messages += _messages_of(contents)
        raise LandingError(messages)
    return contents


def _take(paths: list[Path], contents: dict[str, bytes]) -> list[str]:
    """Put the bytes of files where they belong; gives what is wrong with those that cannot be read."""
    messages: list[str] = []
    for path in paths:
        try:
            contents[path.name] = _content(path)
        except LandingError as error:
            messages += error.messages
    return messages


def _messages_of(contents: Mapping[str, bytes]) -> list[str]:
    try:
        _validated(contents)
    except LandingError as error:
        return error.messages
    return []


def _validated(contents: Mapping[str, bytes]) -> tuple[dict[str, ValidatedFile], list[str]]:
    """Each file checked row by row, by name of its contract, and notes; all errors are collected before one is raised."""
    files: dict[str, ValidatedFile] = {}
    messages: list[str] = []
    notes: list[str] = []
    for source, data in contents.items():
        if source == SPAN_FILE:
            continue
        contract = CONTRACTS[Path(source).stem]
        try:
            records = READERS[Path(source).suffix](source, data, contract.columns, contract.separators, contract.column_name)
            _require(records, contract)
        except LandingError as error:
            messages += error.messages
            continue
        files[contract.name] = validate(records, contract)
        ignored = [name for name in records.header if name and name not in contract.columns]
        if ignored:
            notes.append(f"{source}: columns without a meaning here were ignored: {', '.join(ignored)}")
    if SPAN_FILE in contents:
        try:
            notes += _add_span_file(contents[SPAN_FILE], files)
        except LandingError as error:
            messages += error.messages
    if messages:
        raise LandingError(messages)
    return files, notes


def _add_span_file(data: bytes, files: dict[str, ValidatedFile]) -> list[str]:
    """Add what the exchange's own file says of the tables that no other file gives; gives notes."""
    instruments = files["instruments"].accepted if "instruments" in files else empty_frame(CONTRACTS["instruments"])
    notes = []
    for name, records in read_span_file(data, instruments).items():
        if name in files:
            notes.append(f"{SPAN_FILE}: {records.rows_read:,} records of {name} were not read, for {files[name].source} gives them")
        else:
            files[name] = validate(records, CONTRACTS[name])
    return notes


def _require(records: Records, contract: FileContract) -> None:
    absent = [name for name in contract.required_columns if name not in records.header]
    if absent:
        found = ", ".join(name for name in records.header if name) or "none"
        raise LandingError([f"{records.source} has no column {', '.join(absent)}; add it to the header (found: {found[:200]})"])
    if not contract.may_be_empty and not records.rows_read:
        raise LandingError([f"{records.source} has a header and no rows; a date without {contract.name} cannot be calculated"])


def _cross_checked(files: Mapping[str, ValidatedFile], as_of: dt.date) -> tuple[dict[str, pd.DataFrame], dict[str, ValidatedFile]]:
    """Accepted rows by contract, and the files with every rejection; contracts come after those they are checked against."""
    frames = {name: empty_frame(contract) for name, contract in CONTRACTS.items()}
    checked: dict[str, ValidatedFile] = {}
    for name, contract in CONTRACTS.items():
        if name not in files:
            continue
        file = files[name].reject(cross_checks.dates_ahead(files[name], as_of))
        if contract.known_portfolio:
            file = file.reject(cross_checks.unknown_portfolios(file, frames["portfolios"]))
        if name == "positions":
            file = file.reject(cross_checks.position_rejections(file.accepted, frames["instruments"], as_of))
            file = file.reject(differing_marks(file.accepted))
            frames[name] = add_up_positions(file.accepted)
        else:
            if name == "house_margins":
                file = file.reject(cross_checks.house_rejections(file.accepted, frames["instruments"]))
            if name == "otc_trades":
                file = file.reject(cross_checks.trade_rejections(file.accepted, frames["netting_sets"], as_of))
            if name == "crif":
                file = file.reject(crif_rejections(file.accepted, frames["netting_sets"]))
            if name == "collateral_eligibility":
                file = file.reject(cross_checks.eligibility_rejections(file.accepted, frames["collateral_requirements"]))
            if name == "risk_arrays":
                file = file.reject(cross_checks.array_rejections(file.accepted))
            file = settle_repeats(file.with_accepted(cross_checks.with_base_currency(file.accepted, contract, frames["portfolios"])))
            parameters = name == "span_parameters"
            frames[name] = cross_checks.with_unknown_terms(file) if parameters else file.accepted.reset_index(drop=True)
        checked[name] = file
    return frames, checked


def _unread(folder: Path) -> list[str]:
    known = {SPAN_FILE, *(f"{name}{suffix}" for name in CONTRACTS for suffix in READERS)}
    others = sorted(path.name for path in folder.iterdir() if path.name not in known and not path.name.startswith((".", "~")))
    return [f"{name} is no input file and was not read" for name in others]


def _paths(folder: Path, name: str) -> list[Path]:
    return [path for suffix in READERS if (path := folder / f"{name}{suffix}").exists()]


def _span_paths(folder: Path) -> list[Path]:
    return [folder / SPAN_FILE] if (folder / SPAN_FILE).exists() else []


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LandingError([f"{path.name} cannot be read ({error.strerror}); make it a file that this user may read"]) from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _combined(hashes: Mapping[str, str]) -> str:
    return _digest("\n".join(f"{name} {value}" for name, value in sorted(hashes.items())).encode())


def _calendar_day(name: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(name)
    except ValueError:
        return None
