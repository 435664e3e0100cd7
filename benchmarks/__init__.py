"""Figures of speed and size, printed by `make bench`.

Belongs here: what is timed. Not here: tests; no figure makes one fail.
"""
