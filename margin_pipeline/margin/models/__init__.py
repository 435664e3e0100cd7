"""Position margin models: what one position needs on its own.

Belongs here: one module a rule. Not here: which model a position gets (`selection`), offsets, totals.
"""
