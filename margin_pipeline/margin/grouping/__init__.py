"""Splits the stock and options of a portfolio into the groups that need the least maintenance margin, with proof.

Belongs here: netting, the programs, their solution, the tables. Not here: what a structure is or requires (that is structures).
"""
