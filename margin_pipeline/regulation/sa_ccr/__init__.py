"""Standardised approach to counterparty credit risk (SA-CCR): exposure at default of every netting set of derivatives.

Belongs here: the approach, a step a module, from trades to netting sets and lines. Not here: dated values (`parameters.sa_ccr`),
capital for the exposures (`basel`).
"""
