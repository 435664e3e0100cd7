"""Regulatory figures: uncleared margin, minimum equity of margin accounts, capital and leverage, each with its rule.

Belongs here: the arithmetic of a rule and the line that reports it. Not here: dated values (`parameters`), reading or writing.
"""
