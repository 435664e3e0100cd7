"""Version of the code that a calculation ran on.

Belongs here: the hash over package, parameters and schema. Not here: versions of dependencies (the lock files).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from margin_pipeline import __version__
from margin_pipeline.storage.migrations import sql_folder

PACKAGE = Path(__file__).resolve().parent.parent
KINDS = (".py", ".yaml", ".jinja", ".css", ".json")
"""Endings of the files that decide what comes out: code, parameters, and what reports are made of."""


@lru_cache(maxsize=1)
def code_version() -> str:
    """Package version and the first 12 hex digits of a SHA-256 over all code, parameters and migrations."""
    digest = hashlib.sha256()
    files = [f for f in PACKAGE.rglob("*") if f.suffix in KINDS and "__pycache__" not in f.parts]
    for file in sorted(files) + sorted((sql_folder() / "migrations").glob("*.sql")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"
