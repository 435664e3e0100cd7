"""margin_pipeline: positions in; margin, risk, regulatory lines and alerts out, as Postgres tables.

Belongs here: the version. Not here: anything that runs at import.
"""

__version__ = "0.1.0"
