"""Documents as self-contained HTML pages.

Belongs here: markup. Not here: content (`model`), style (`page.css`).
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from margin_pipeline.reports.document.drawing import svg
from margin_pipeline.reports.document.model import TONES, Block, Cell, Column, Document, Facts, Figure, Paragraph, Table

WORDY = 24
"""Cells with more characters may be broken into lines."""


def html(document: Document) -> str:
    """Write a document as one page without anything outside it, the same for the same content."""
    template, style = _page()
    footer = document.footer.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
    shown = Markup(style.replace("FOOTER", footer))
    return template.render(document=document, style=shown, render=_block)


@cache
def _page() -> tuple[jinja2.Template, str]:
    folder = resources.files("margin_pipeline.reports.document")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "page.html.jinja").read_text(encoding="utf-8"))
    return template, (folder / "page.css").read_text(encoding="utf-8")


def _block(block: Block, identity: str) -> Markup:
    if isinstance(block, Paragraph):
        return Markup("<p{}>{}</p>\n").format(_class([_tone(block.tone)]), _marked(Cell(block.text, block.tone)))
    if isinstance(block, Facts):
        return _facts(block)
    if isinstance(block, Figure):
        drawn = Markup(svg(block.drawing, identity, block.caption, block.alternative))
        return Markup(
            '<figure><figcaption id="{0}-caption">{1}</figcaption>\n<div class="scroll" role="region" tabindex="0" '
            'aria-labelledby="{0}-caption">{2}</div></figure>\n'
        ).format(identity, block.caption, drawn)
    return _table(block, identity)


def _facts(facts: Facts) -> Markup:
    if not facts.pairs:
        return Markup("")
    pairs = Markup("").join(
        Markup("<div><dt>{}</dt><dd{}>{}</dd></div>" if facts.is_prominent else "<dt>{}</dt><dd{}>{}</dd>").format(
            name, _class([_tone(value.tone)]), _linked(value)
        )
        for name, value in facts.pairs
    )
    return Markup("<dl{}>{}</dl>\n").format(_class(["prominent" if facts.is_prominent else ""]), pairs)


def _table(table: Table, identity: str) -> Markup:
    if not table.rows:
        return Markup("<p><strong>{}.</strong> {}</p>\n").format(table.caption, table.empty)
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_class(["number" if column.is_number else ""]), column.title) for column in table.columns
    )
    body = Markup("\n").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(cell, column, place) for place, (cell, column) in enumerate(_pairs(table, row))))
        for row in table.rows
    )
    note = Markup('<p class="note">{}</p>\n').format(table.note) if table.note else ""
    return Markup(
        '<div class="scroll" role="region" tabindex="0" aria-labelledby="{0}-caption">\n<table>\n<caption id="{0}-caption">{1}</caption>\n'
        "<thead><tr>{2}</tr></thead>\n<tbody>\n{3}\n</tbody>\n</table>\n</div>\n{4}"
    ).format(identity, table.caption, head, body, note)


def _pairs(table: Table, row: tuple[Cell, ...]) -> Any:
    return zip(row, table.columns, strict=True)


def _cell(cell: Cell, column: Column, place: int) -> Markup:
    is_wordy = len(cell.text) > WORDY
    names = [_tone(cell.tone), "words" if is_wordy else "number" if column.is_number else "" if " " in cell.text else "short"]
    if place == 0:
        return Markup('<th scope="row"{}>{}</th>').format(_class(names), _linked(cell))
    return Markup("<td{}>{}</td>").format(_class(names), _linked(cell))


def _linked(cell: Cell) -> Markup:
    shown = _marked(cell)
    return Markup('<a href="{}">{}</a>').format(cell.link, shown) if cell.link else shown


def _marked(cell: Cell) -> Markup:
    mark = TONES.get(cell.tone, "")
    return (
        Markup('<span aria-hidden="true">{}\N{NO-BREAK SPACE}</span>{}').format(mark, cell.text) if mark else Markup("{}").format(cell.text)
    )


def _tone(tone: str) -> str:
    return f"tone-{tone}" if tone else ""


def _class(names: list[str]) -> Markup:
    kept = " ".join(name for name in names if name)
    return Markup(' class="{}"').format(kept) if kept else Markup("")
