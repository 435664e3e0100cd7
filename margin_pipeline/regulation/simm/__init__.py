"""ISDA SIMM initial margin of netting sets, from their sensitivities.

Belongs here: netting sensitivities, asking the engine, choosing the regulation, the rows. Not here: the model itself (the Open Source Risk
Engine computes it), reading the file (`landing`).
"""

from margin_pipeline.regulation.simm.results import simm_results

__all__ = ["simm_results"]
