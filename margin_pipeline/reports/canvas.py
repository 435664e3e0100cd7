"""What every picture is drawn on, and how it becomes PNG bytes.

Belongs here: canvas and rendering. Not here: what is drawn (`figures_*`).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES_INCHES = 1.3
"""Room for the names at the left."""


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches with one set of axes."""
    # No pyplot: it keeps figures in global state, and needs telling that there is no screen.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110)
    # Fixed margins in inches: a layout engine draws everything twice to find them.
    left, right, bottom, top = NAMES_INCHES, 0.3, 1.0, 0.5
    return figure, figure.add_axes((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))


def say(figure: Figure, axes: Axes, text: str) -> Figure:
    """Words instead of a picture."""
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes, the same for the same figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
