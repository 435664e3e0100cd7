"""Drawings of a few shapes, drawn once and written as SVG and as vectors of a PDF.

Belongs here: shapes and their two forms. Not here: charts (`charts`).

A general plotting library takes a tenth of a second a chart and turns letters into outlines; these are bars, lines and words.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH = 720.0
"""Units that every drawing is wide."""


@dataclass(frozen=True)
class Bar:
    """A filled rectangle; x and y are its upper left corner, y grows downwards. `edge` is the colour of its outline, if any."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str = ""


@dataclass(frozen=True)
class Line:
    """A straight line, dashed or not."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float = 1.0
    is_dashed: bool = False


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True)
class Words:
    """Text on a baseline; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: float = 12.0
    anchor: str = "start"
    fill: str = "#1a1f24"
    is_bold: bool = False


Shape = Bar | Line | Dot | Words


@dataclass(frozen=True)
class Drawing:
    """Shapes on a canvas of WIDTH by `height` units."""

    height: float
    shapes: tuple[Shape, ...]


def svg(drawing: Drawing, identity: str, title: str, alternative: str) -> str:
    """SVG element to stand in a page.

    Parameters
    ----------
    identity : id of the figure, unique in the page.
    title, alternative : name and description for who does not see it.
    """
    head = (
        f'<svg role="img" aria-labelledby="{identity}-title {identity}-desc" viewBox="0 0 {_n(WIDTH)} {_n(drawing.height)}" '
        f'xmlns="http://www.w3.org/2000/svg">'
    )
    words = f'<title id="{identity}-title">{escape(title)}</title><desc id="{identity}-desc">{escape(alternative)}</desc>'
    return head + words + "".join(_svg_shape(shape) for shape in drawing.shapes) + "</svg>"


def _svg_shape(shape: Shape) -> str:
    if isinstance(shape, Bar):
        edge = f' stroke="{shape.edge}" stroke-width="1.5"' if shape.edge else ""
        return (
            f'<rect x="{_n(shape.x)}" y="{_n(shape.y)}" width="{_n(shape.width)}" height="{_n(shape.height)}" fill="{shape.fill}"{edge}/>'
        )
    if isinstance(shape, Line):
        dashes = ' stroke-dasharray="5 4"' if shape.is_dashed else ""
        ends = f'x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}" y2="{_n(shape.y2)}"'
        return f'<line {ends} stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"{dashes}/>'
    if isinstance(shape, Dot):
        return f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}" fill="{shape.fill}"/>'
    bold = ' font-weight="bold"' if shape.is_bold else ""
    place = f'x="{_n(shape.x)}" y="{_n(shape.y)}" font-size="{_n(shape.size)}" text-anchor="{shape.anchor}"'
    return f'<text {place} fill="{shape.fill}"{bold}>{escape(shape.text)}</text>'


def vectors(drawing: Drawing, width: float, font: str, bold_font: str) -> Any:
    """The same as a flowable of reportlab, so many points wide."""
    from reportlab.graphics import shapes
    from reportlab.lib.colors import HexColor

    scale = width / WIDTH
    top = drawing.height
    group = shapes.Group(transform=(scale, 0, 0, scale, 0, 0))
    for shape in drawing.shapes:
        if isinstance(shape, Bar):
            edge = HexColor(shape.edge) if shape.edge else None
            y = top - shape.y - shape.height
            group.add(shapes.Rect(shape.x, y, shape.width, shape.height, fillColor=HexColor(shape.fill), strokeColor=edge, strokeWidth=1.5))
        elif isinstance(shape, Line):
            dashes = [5, 4] if shape.is_dashed else None
            ends = (shape.x1, top - shape.y1, shape.x2, top - shape.y2)
            group.add(shapes.Line(*ends, strokeColor=HexColor(shape.stroke), strokeWidth=shape.width, strokeDashArray=dashes))
        elif isinstance(shape, Dot):
            group.add(shapes.Circle(shape.x, top - shape.y, shape.radius, fillColor=HexColor(shape.fill), strokeColor=None))
        else:
            name = bold_font if shape.is_bold else font
            place = (shape.x, top - shape.y, shape.text)
            group.add(shapes.String(*place, fontName=name, fontSize=shape.size, textAnchor=shape.anchor, fillColor=HexColor(shape.fill)))
    drawn = shapes.Drawing(width, drawing.height * scale)
    drawn.add(group)
    return drawn


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
