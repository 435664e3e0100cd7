"""What a page must have so that everybody can read it, checked on its structure. Not here: tests.

Pages are parsed with the standard library; colours are taken from the style sheet in the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "line", "circle"}


@dataclass
class Element:
    """An element of a page: name, attributes, children and texts in order."""

    name: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, *names: str) -> Iterator[Element]:
        """Elements of these names below, in order; every one without names."""
        for child in self.children:
            if isinstance(child, Element):
                if not names or child.name in names:
                    yield child
                yield from child.all(*names)

    @property
    def text(self) -> str:
        """Words below, spaces as one."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._texts()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.problems: list[str] = []

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        if len(element.attributes) != len(attrs):
            self.problems.append(f"{tag} has an attribute twice")
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        if self.open[-1].name != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1].name}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.open[-1].children.append(data)


def parse(page: str) -> tuple[Element, list[str]]:
    """Root of a page, and what is wrong with its nesting."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    left = [f"{element.name} is not closed" for element in parser.open[1:]]
    return parser.root, parser.problems + left


def problems(page: str) -> list[str]:
    """Everything that is wrong with a page."""
    root, found = parse(page)
    every = list(root.all())
    ids = [element.attributes["id"] for element in every if "id" in element.attributes]
    found += [f"id {name!r} is there twice" for name in sorted(set(ids)) if ids.count(name) > 1]
    found += [f"id {name!r} is no name" for name in ids if not name or re.search(r"\s", name)]
    found += _document(root) + _names(every, set(ids)) + _links(every, set(ids))
    for table in root.all("table"):
        found += _table(table)
    for drawing in root.all("svg", "img"):
        found += _drawing(drawing)
    for facts in root.all("dl"):
        found += [
            f"{child.name} in a dl" for child in facts.children if isinstance(child, Element) and child.name not in ("dt", "dd", "div")
        ]
    return found


def _document(root: Element) -> list[str]:
    found = []
    (html,) = list(root.all("html")) or [Element("", {})]
    if not html.attributes.get("lang"):
        found.append("the page has no language")
    counts = {"h1": len(list(root.all("h1"))), "main": len(list(root.all("main")))}
    counts["title"] = sum(len(list(head.all("title"))) for head in root.all("head"))
    found += [f"{name}: {count} of them, one is wanted" for name, count in counts.items() if count != 1]
    found += [f"{element.name} says nothing" for element in root.all("title", "h1", "h2", "h3", "p", "dt", "dd", "li") if not element.text]
    levels = [int(element.name[1]) for element in root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    found += [f"h{after} follows h{before}" for before, after in zip([0, *levels], levels, strict=False) if after > before + 1]
    body = next(root.all("body"), Element("", {}))
    first = next(body.all("a"), None)
    if first is None or not first.attributes.get("href", "").startswith("#"):
        found.append("the first link does not lead to the content")
    landmarks = {element.name for element in body.all("main", "header", "footer", "nav")}
    found += [f"there is no {name}" for name in ("main", "header", "footer") if name not in landmarks]
    return found


def _names(every: list[Element], ids: set[str]) -> list[str]:
    found = []
    for element in every:
        references = [element.attributes[name] for name in ("aria-labelledby", "aria-describedby") if name in element.attributes]
        found += [f"{name!r} is referred to and not there" for reference in references for name in reference.split() if name not in ids]
        named = element.attributes.get("aria-label") or element.attributes.get("aria-labelledby")
        if element.name == "nav" or element.attributes.get("role") == "region":
            found += [] if named else [f"a {element.name} has no name"]
        if "tabindex" in element.attributes and element.attributes["tabindex"] != "0":
            found.append("an order of its own for the keyboard")
    return found


def _links(every: list[Element], ids: set[str]) -> list[str]:
    found = []
    for element in every:
        for name in ("href", "src"):
            target = element.attributes.get(name)
            if target is None:
                continue
            if element.name == "a" and not element.text:
                found.append(f"a link to {target!r} has no words")
            if not target or (target.startswith("#") and target[1:] not in ids):
                found.append(f"{element.name} leads to {target!r}")
            if re.match(r"[a-z]+:|//", target, re.IGNORECASE):
                found.append(f"{element.name} needs {target!r} from elsewhere")
        if element.name == "a" and "href" not in element.attributes:
            found.append("a link leads nowhere")
    return found


def _table(table: Element) -> list[str]:
    captions = list(table.all("caption"))
    found = [] if len(captions) == 1 and captions[0].text else ["a table has no caption"]
    name = captions[0].text if captions else "?"
    found += [f"{name}: a heading without scope" for heading in table.all("th") if heading.attributes.get("scope") not in ("row", "col")]
    widths = set()
    for row in table.all("tr"):
        cells = list(row.all("td", "th"))
        widths.add(len(cells))
        found += [f"{name}: an empty cell" for cell in cells if not cell.text]
    for row in next(table.all("tbody"), Element("", {})).all("tr"):
        if next(row.all(), Element("", {})).attributes.get("scope") != "row":
            found.append(f"{name}: a row has no heading")
    return found + ([f"{name}: rows of different width"] if len(widths) > 1 else [])


def _drawing(drawing: Element) -> list[str]:
    if drawing.name == "img":
        return [] if drawing.attributes.get("alt") else ["a picture has no words"]
    words = [element.text for element in drawing.all("title", "desc")]
    found = [] if drawing.attributes.get("role") == "img" else ["a drawing has no role"]
    return found + ([] if len(words) == 2 and all(words) else ["a drawing has no title or description"])


def colours(page: str) -> dict[str, str]:
    """Colours of the style sheet, by name."""
    return dict(re.findall(r"--([a-z]+):\s*(#[0-9a-f]{6})", page))


def contrast(first: str, second: str) -> float:
    """Contrast of two colours as WCAG 2 defines it, 1 to 21."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
