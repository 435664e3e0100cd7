"""Margin models of a house that has its own.

Belongs here: one module a model. Not here: anything of margin_pipeline, which calls them through entry points.
"""
