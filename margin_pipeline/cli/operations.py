"""What the commands share that look at the running pipeline: databases as they are, disk.

Belongs here: opening without changing anything. Not here: what is read there (`storage`), commands.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from margin_pipeline.settings import Settings

if TYPE_CHECKING:
    from margin_pipeline.storage import DatabaseUrls


@contextmanager
def databases(settings: Settings) -> Iterator[DatabaseUrls]:
    """The databases as they are: none is made, no migration applied; the embedded server is started where it was ever used.

    Raises
    ------
    StorageError : there is no database yet, or it cannot be used.
    """
    from margin_pipeline.storage import database_urls, open_database

    urls = database_urls(settings.data_dir, settings.database_url, settings.dagster_database_url)
    if settings.database_url:
        yield urls
        return
    with open_database(settings.data_dir, None, settings.dagster_database_url, upgrade=False) as urls:
        yield urls


def disk(settings: Settings) -> tuple[int, int]:
    """Free and total bytes where the data folder is, or would be."""
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total
