"""What storage says when it cannot go on.

Belongs here: the exception whose message a person acts on. Not here: how it is shown (`cli`).
"""

from __future__ import annotations


class StorageError(Exception):
    """The database, its server or a frame for it cannot be used; the message is one line: what, why, what to do."""
