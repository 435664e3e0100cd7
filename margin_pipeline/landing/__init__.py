"""The landing zone: input files in, validated tables and quarantined rows out.

Belongs here: reading records, the contracts of input files, quarantine of bad rows. Not here: finance, databases, Dagster.
"""

from margin_pipeline.landing.contracts import CONTRACTS, REQUIRED_FILES, FileContract
from margin_pipeline.landing.errors import LandingError
from margin_pipeline.landing.folder import LANDED_TABLES, LandedDate, fingerprint, list_folders, missing_files, read_date
from margin_pipeline.landing.rejections import describe

__all__ = [
    "CONTRACTS",
    "LANDED_TABLES",
    "REQUIRED_FILES",
    "FileContract",
    "LandedDate",
    "LandingError",
    "describe",
    "fingerprint",
    "list_folders",
    "missing_files",
    "read_date",
]
