"""Decisions: what a figure calls for, from alerts to trades.

Belongs here: pure rules that turn figures into actions. Not here: computing the figures, storing or sending anything.
"""
