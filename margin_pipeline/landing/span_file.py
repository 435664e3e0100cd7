"""The exchange's risk parameter file in XML as records of risk_arrays and span_parameters.

Belongs here: which elements are read, and how their records are counted. Not here: what each means (`span_contracts`, `span_terms`).

Format: spanFile / pointInTime / clearingOrg with pointDef, exchange (futPf / fut; oofPf, oopPf, ooePf / series / opt; phyPf / phy),
ccDef and interSpreads, as exchanges and their calculators write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from margin_pipeline.landing.contracts.span import RISK_ARRAYS, SPAN_PARAMETERS
from margin_pipeline.landing.records import Records
from margin_pipeline.landing.rejections import Rejection
from margin_pipeline.landing.span_contracts import Contract, Instruments, array_rows, contract_of
from margin_pipeline.landing.span_document import Element, day, in_words, number_of, read_elements, text_of
from margin_pipeline.landing.span_terms import Expiries, Found, commodity_terms, credit_terms, extreme_terms, range_terms

SPAN_FILE = "span.xml"
"""Name of the file in a landing folder."""


@dataclass
class _Content:
    """What the file holds, as it is read."""

    dates: list[str] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    commodities: list[Element] = field(default_factory=list)
    credits: list[Element] = field(default_factory=list)
    scanning: list[Element] = field(default_factory=list)
    points: list[Element] = field(default_factory=list)

    def contract(self, element: Element, ancestors: Sequence[Element]) -> None:
        """Keep a contract; what futures are on (`phy`) has an array only where it is traded."""
        if element.tag != "phy" or element.find("ra") is not None:
            self.contracts.append(contract_of(element, ancestors))


def source_of(table: str) -> str:
    """What records of a table are called that come from the file."""
    return f"{SPAN_FILE} ({table})"


def read_span_file(data: bytes, instruments: pd.DataFrame) -> dict[str, Records]:
    """Records of risk_arrays and span_parameters that a risk parameter file holds.

    Parameters
    ----------
    data : content of the file.
    instruments : accepted instruments of the date.

    Returns
    -------
    Records by name of the contract. A contract, charge or credit that cannot be used is one record, rejected with a reason.

    Raises
    ------
    LandingError
        When it is no XML, declares a document type, or is no risk parameter file.
    """
    content = _read(data)
    linked = _links(content.commodities)
    commodity_of = {family: commodity for family, (commodity, _) in linked.items()}
    known, scales = Instruments(instruments), {family: scale for family, (_, scale) in linked.items() if scale}
    arrays = _Rows(RISK_ARRAYS.columns)
    for contract in content.contracts:
        rows, reason = array_rows(contract, known, scales)
        arrays.add([dict(zip(RISK_ARRAYS.columns, row, strict=True)) for row in rows], reason, contract.raw)
    terms = _Rows(SPAN_PARAMETERS.columns)
    effective = next((when.isoformat() for when in map(day, content.dates) if when), "")
    for found in _terms(content, commodity_of):
        terms.add([{**row, "effective_date": effective} for row in found.rows], found.reason, found.raw)
    return {"risk_arrays": arrays.records(source_of("risk_arrays")), "span_parameters": terms.records(source_of("span_parameters"))}


def _read(data: bytes) -> _Content:
    content = _Content()
    handlers = {
        **dict.fromkeys(("fut", "opt", "phy"), content.contract),
        "date": lambda element, ancestors: content.dates.append((element.text or "").strip()),
        "ccDef": lambda element, ancestors: content.commodities.append(element),
        "interSpreads": lambda element, ancestors: _split(element, content),
        "pointDef": lambda element, ancestors: content.points.append(element),
    }
    read_elements(SPAN_FILE, data, handlers)
    return content


def _split(element: Element, content: _Content) -> None:
    """Spreads between commodities: by delta, and those by scanning, which are not read."""
    for spread in element:
        (content.credits if spread.tag == "dSpread" else content.scanning).append(spread)


def _links(commodities: Sequence[Element]) -> dict[tuple[str, str], tuple[str, float | None]]:
    """Combined commodity and delta scaling factor of each product family."""
    return {
        (text_of(link, "pfCode"), text_of(link, "pfType").upper()): (text_of(commodity, "cc"), number_of(link, "sc"))
        for commodity in commodities
        for link in commodity.findall("pfLink")
    }


def _terms(content: _Content, commodity_of: dict[tuple[str, str], str]) -> list[Found]:
    """Everything that the file says about class groups, in the order of the file."""
    currencies = {text_of(one, "cc"): text_of(one, "currency") for one in content.commodities}
    tiered = frozenset(text_of(one, "cc") for one in content.commodities if len(one.findall("interTiers/tier")) > 1)
    expiries = Expiries(content.contracts, commodity_of)
    found = range_terms(content.contracts, commodity_of, currencies)
    found += [terms for points in content.points[:1] for terms in extreme_terms(points, currencies)]
    found += [terms for one in content.commodities for terms in commodity_terms(one, expiries)]
    found += credit_terms(content.credits, currencies, tiered)
    found += [Found([], f"{one.tag}: only spreads by delta are read", in_words(one)) for one in content.scanning]
    return found


class _Rows:
    """Rows of a table with their record numbers, and records that cannot be used."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.rows: list[dict[str, str]] = []
        self.numbers: list[int] = []
        self.unparsed: list[Rejection] = []
        self.refused: list[Rejection] = []
        self.said: dict[int, str] = {}

    def add(self, rows: Sequence[dict[str, str]], reason: str, said: str) -> None:
        """One record of the file: each of its rows is a record; one that gives none, or refused ones, keeps what it said."""
        for row in rows:
            number = len(self.rows) + len(self.unparsed) + 1
            self.rows.append(row)
            self.numbers.append(number)
            self.said[number] = said
            if reason:
                self.refused.append(Rejection(number, "", reason))
        if reason and not rows:
            number = len(self.rows) + len(self.unparsed) + 1
            self.unparsed.append(Rejection(number, "", reason))
            self.said[number] = said

    def records(self, source: str) -> Records:
        """The records; empty cells are null."""
        names = self.columns
        cells = {name: pa.chunked_array([pa.array([row.get(name) or None for row in self.rows], pa.string())]) for name in names}
        position = {number: i for i, number in enumerate(self.numbers)}

        def raw(row_number: int) -> dict[str, str | None]:
            said = self.said[row_number]
            if row_number not in position:
                return {"line": said}
            return {**{name: column[position[row_number]].as_py() for name, column in cells.items()}, "record": said}

        return Records(source, tuple(self.columns), np.asarray(self.numbers, dtype=np.int64), cells, self.unparsed, raw, self.refused)
