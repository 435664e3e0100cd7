"""Uncleared margin: who exchanges it, above which thresholds, and what is called from and delivered to each counterparty.

Belongs here: scope, thresholds, minimum transfer amounts, credit support amounts, calls and their lines. Not here: how much initial margin
a netting set needs (`schedule_im` and the other models), dated values (`parameters`).
"""
