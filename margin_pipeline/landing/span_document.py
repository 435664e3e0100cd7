"""The exchange's risk parameter file in XML, element by element, in bounded memory.

Belongs here: parsing safely and handing out finished elements. Not here: what elements mean (`span_contracts`, `span_terms`).
"""

from __future__ import annotations

import datetime as dt
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

from margin_pipeline.landing.errors import LandingError

Element = ET.Element
Handler = Callable[[Element, Sequence[Element]], None]


class _Target:
    """Builds elements, hands out those that somebody handles when they end, and forgets them."""

    def __init__(self, source: str, handlers: dict[str, Handler]) -> None:
        self.source, self.handlers = source, handlers
        self.builder = ET.TreeBuilder()
        self.open: list[Element] = []
        self.root: str | None = None

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        """Refuse a document type: it could name entities that expand without end, or other files."""
        raise LandingError([f"{self.source} declares a document type ({name}); a risk parameter file has none, so it is not read"])

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self.open.append(self.builder.start(tag, attributes))

    def data(self, data: str) -> None:
        self.builder.data(data)

    def end(self, tag: str) -> None:
        element = self.builder.end(tag)
        self.open.pop()
        if tag in self.handlers:
            self.handlers[tag](element, self.open)
            if self.open:
                self.open[-1].remove(element)

    def close(self) -> None:
        self.open.clear()


def read_elements(source: str, data: bytes, handlers: dict[str, Handler]) -> None:
    """Call a handler with each element of its name and the elements around it, outermost first, in the order in which they end.

    Parameters
    ----------
    source : file name, for messages.
    data : content of the file.
    handlers : what to do with elements, by name; a handled element is gone afterwards, its siblings that nobody handles stay.

    Raises
    ------
    LandingError
        When it is no XML, declares a document type, or is no risk parameter file.
    """
    target = _Target(source, handlers)
    parser = ET.XMLParser(target=target)
    try:
        parser.feed(data)
        parser.close()
    except ET.ParseError as error:
        raise LandingError([f"{source} cannot be read as XML ({error}); get it again"]) from None
    if target.root != "spanFile":
        raise LandingError([f"{source} begins with {target.root}, not with spanFile; it is no risk parameter file"])


def text_of(element: Element | None, path: str) -> str:
    """Text of the first element at a path below, blanks trimmed; '' where there is none."""
    return "" if element is None else (element.findtext(path) or "").strip()


def number_of(element: Element | None, path: str) -> float | None:
    """Number at a path below; None where there is none."""
    try:
        return float(text_of(element, path))
    except ValueError:
        return None


def around(ancestors: Sequence[Element], tag: str) -> Element | None:
    """Innermost element of a name among those around."""
    return next((element for element in reversed(ancestors) if element.tag == tag), None)


def at_rate(element: Element | None, tag: str) -> Element | None:
    """The element of a name for the first rate class (r = 1), else the first one."""
    found = [] if element is None else element.findall(tag)
    return next((one for one in found if text_of(one, "r") == "1"), found[0] if found else None)


def day(written: str) -> dt.date | None:
    """A day written YYYYMMDD; None for anything else."""
    try:
        return dt.datetime.strptime(written, "%Y%m%d").date() if len(written) == 8 else None
    except ValueError:
        return None


def in_words(element: Element) -> str:
    """An element and its leaves, in one line, for people who look for a record that was not used."""
    leaves = [f"{leaf.tag} {leaf.text.strip()}" for leaf in element.iter() if len(leaf) == 0 and leaf.text and leaf.text.strip()]
    return f"{element.tag}: {'; '.join(leaves[:40])}"
