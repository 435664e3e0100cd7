"""Documents as PDF, in pure Python.

Belongs here: pages, paragraphs and styles. Not here: content (`model`), widths of tables (`pdf_tables`).
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, CondPageBreak, Flowable, Frame, KeepTogether, LongTable, PageTemplate, Spacer, TableStyle
from reportlab.platypus import Paragraph as TextFlowable

from margin_pipeline.reports.document import pdf_tables
from margin_pipeline.reports.document.drawing import WIDTH, vectors
from margin_pipeline.reports.document.model import Block, Cell, Document, Facts, Figure, Paragraph, Section, Table

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 14 * mm
ROOM = A4[0] - 2 * MARGIN
INK, MUTED, HEAD, STRIPE, RULE = (HexColor(code) for code in ("#1a1f24", "#4a5560", "#e6ebf0", "#f4f6f8", "#c3cbd4"))
TONE_COLOURS = {"good": "#17622f", "watch": "#7a4b00", "bad": "#a1121d", "unknown": "#5b2a86", "neutral": "#4a5560"}
FACTS_A_ROW = 4


def pdf(document: Document, *, compress: bool = True) -> bytes:
    """Write a document as PDF, the same bytes for the same content.

    Parameters
    ----------
    compress : whether pages are compressed; plain ones can be searched.
    """
    register_fonts()
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=17 * mm,
        title=f"{document.title} · {document.subtitle}",
        author="margin_pipeline",
        subject=document.footer,
        lang="en",
        invariant=1,
        pageCompression=int(compress),
        displayDocTitle=True,
    )
    frame = Frame(MARGIN, 17 * mm, ROOM, A4[1] - MARGIN - 17 * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    template.addPageTemplates([PageTemplate(id="page", frames=[frame])])
    template.build(_story(document), canvasmaker=_numbered(document.footer))
    return buffer.getvalue()


@cache
def register_fonts() -> None:
    """Fonts with the letters and currencies of Europe and beyond; they come with the plotting library."""
    found = find_spec("matplotlib")
    folder = Path(str(found.origin)).parent / "mpl-data" / "fonts" / "ttf" if found else Path()
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)


def _numbered(footer: str) -> type[Canvas]:
    """Canvas that writes footer and page number once it knows how many pages there are."""

    class NumberedCanvas(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setFont(FONT, 7)
                self.setFillColor(MUTED)
                self.drawString(MARGIN, 9 * mm, footer)
                self.drawRightString(A4[0] - MARGIN, 9 * mm, f"{number} / {len(self._pages)}")
                super().showPage()
            super().save()

    return NumberedCanvas


class _Bookmark(Flowable):  # type: ignore[misc]
    """A line of the outline that readers show beside the pages."""

    def __init__(self, title: str, anchor: str) -> None:
        super().__init__()
        self._title, self._anchor = title, anchor

    def wrap(self, *_: float) -> tuple[float, float]:
        return 0.0, 0.0

    def draw(self) -> None:
        self.canv.bookmarkPage(self._anchor)
        self.canv.addOutlineEntry(self._title, self._anchor, 0)


def _style(size: float, *, bold: bool = False, color: Color = INK, before: float = 0.0, after: float = 3.0) -> ParagraphStyle:
    return ParagraphStyle(
        "",
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=1.3 * size,
        textColor=color,
        spaceBefore=before,
        spaceAfter=after,
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )


TITLE, SUBTITLE = _style(17, bold=True), _style(9.5, color=MUTED, after=6)
HEADING, CAPTION = _style(12, bold=True, before=12, after=5), _style(8.5, bold=True, before=5, after=3)
BODY, NOTE = _style(8.5), _style(7.2, color=MUTED, before=2, after=6)


def _story(document: Document) -> list[Flowable]:
    story: list[Flowable] = [_text(document.title, TITLE), _text(document.subtitle, SUBTITLE)]
    for section in document.sections:
        story += _section(section)
    return story


def _section(section: Section) -> list[Flowable]:
    # A heading never stands alone at the foot of a page.
    drawn = [ROOM / WIDTH * block.drawing.height + 15 * mm for block in section.blocks[:2] if isinstance(block, Figure)]
    story: list[Flowable] = [CondPageBreak(40 * mm + sum(drawn)), _Bookmark(section.title, section.anchor), _text(section.title, HEADING)]
    for block in section.blocks:
        story += _block(block)
    return story


def _block(block: Block) -> list[Flowable]:
    if isinstance(block, Paragraph):
        return [_text(Cell(block.text, block.tone).marked, BODY, block.tone)]
    if isinstance(block, Facts) and not block.pairs:
        return []
    if isinstance(block, Facts):
        return [_prominent(block) if block.is_prominent else _facts(block), Spacer(0, 6)]
    if isinstance(block, Figure):
        drawn = vectors(block.drawing, ROOM, FONT, BOLD)
        return [KeepTogether([_text(block.caption, CAPTION), drawn, _text(block.alternative, NOTE)])]
    if not block.rows:
        return [_text(f"{block.caption}. {block.empty}", BODY)]
    note = [_text(block.note, NOTE)] if block.note else [Spacer(0, 6)]
    return [CondPageBreak(25 * mm), _text(block.caption, CAPTION), _table(block), *note]


def _text(text: str, style: ParagraphStyle, tone: str = "") -> TextFlowable:
    shown = escape(text)
    return TextFlowable(f'<font color="{TONE_COLOURS[tone]}">{shown}</font>' if tone else shown, style)


def _table(table: Table) -> LongTable:
    widths = pdf_tables.column_widths(table, ROOM, FONT, BOLD)
    size, inner = pdf_tables.SIZE, [width - 2 * pdf_tables.PADDING for width in widths]
    head = ["\n".join(pdf_tables.broken(column.title, room, BOLD, size)) for column, room in zip(table.columns, inner, strict=True)]
    rows = [
        [
            "\n".join(pdf_tables.broken(cell.marked, room, _font(cell, place), size))
            for place, (cell, room) in enumerate(zip(row, inner, strict=True))
        ]
        for row in table.rows
    ]
    commands: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, 0), BOLD, size, pdf_tables.LEADING),
        ("FONT", (0, 1), (-1, -1), FONT, size, pdf_tables.LEADING),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("BACKGROUND", (0, 0), (-1, 0), HEAD),
        ("ROWBACKGROUNDS", (0, 1), (-1, -1), (HexColor("#ffffff"), STRIPE)),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), pdf_tables.PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), pdf_tables.PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("FONT", (0, 1), (0, -1), BOLD, size, pdf_tables.LEADING),
    ]
    commands += [("ALIGN", (place, 0), (place, -1), "RIGHT") for place, column in enumerate(table.columns) if column.is_number]
    for number, row in enumerate(table.rows, start=1):
        for place, cell in enumerate(row):
            if cell.tone:
                commands.append(("TEXTCOLOR", (place, number), (place, number), HexColor(TONE_COLOURS[cell.tone])))
                commands.append(("FONT", (place, number), (place, number), _font(cell, place), size, pdf_tables.LEADING))
    return LongTable([head, *rows], colWidths=widths, repeatRows=1, style=TableStyle(commands), hAlign="LEFT")


def _font(cell: Cell, place: int) -> str:
    return BOLD if pdf_tables.is_bold(cell, place) else FONT


def _facts(facts: Facts) -> LongTable:
    size, first = 8.0, 0.26 * ROOM
    rows = [[name, "\n".join(pdf_tables.broken(cell.marked, ROOM - first - 6, _font(cell, 1), size))] for name, cell in facts.pairs]
    commands: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), FONT, size, 10.0),
        ("TEXTCOLOR", (0, 0), (0, -1), MUTED),
        ("TEXTCOLOR", (1, 0), (1, -1), INK),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    for number, (_, cell) in enumerate(facts.pairs):
        if cell.tone:
            commands.append(("TEXTCOLOR", (1, number), (1, number), HexColor(TONE_COLOURS[cell.tone])))
            commands.append(("FONT", (1, number), (1, number), _font(cell, 1), size, 10.0))
    return LongTable(rows, colWidths=[first, ROOM - first], style=TableStyle(commands), hAlign="LEFT")


def _prominent(facts: Facts) -> LongTable:
    width = ROOM / FACTS_A_ROW
    cells = [
        [
            _text(name, _style(7.2, color=MUTED, after=1)),
            _text(cell.marked, _style(10, bold=True, color=HexColor(TONE_COLOURS.get(cell.tone, "#1a1f24")))),
        ]
        for name, cell in facts.pairs
    ]
    cells += [[] for _ in range(-len(cells) % FACTS_A_ROW)]
    rows = [cells[start : start + FACTS_A_ROW] for start in range(0, len(cells), FACTS_A_ROW)]
    commands = [
        ("BACKGROUND", (0, 0), (-1, -1), STRIPE),
        ("INNERGRID", (0, 0), (-1, -1), 3, HexColor("#ffffff")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return LongTable(rows, colWidths=[width] * FACTS_A_ROW, style=TableStyle(commands), hAlign="LEFT")
