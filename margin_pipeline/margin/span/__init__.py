"""Scenario margin of futures and options on them (SPAN-style): arrays, scan risk, spreads, delivery, credits, minimum.

Belongs here: what the room offers. Not here: exchange margins a contract (`models.future`), scenario margin of securities.
"""

from margin_pipeline.margin.span.margin import SpanResult, span_margins

__all__ = ["SpanResult", "span_margins"]
