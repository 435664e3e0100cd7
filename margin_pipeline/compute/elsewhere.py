"""Where chunks are computed that need not be computed here: another map in place of the threads of this machine.

Belongs here: which map is in force. Not here: what it does (ray_map), threads (parallel).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Mapper = Callable[[Callable[[Any], Any], Sequence[Any], int], Iterable[Any]]
"""`mapper(function, chunks, threads)`: results in the order of the chunks, each computed with so many threads of linear algebra."""

_in_force: ContextVar[Mapper | None] = ContextVar("mapper", default=None)


class MapError(RuntimeError):
    """Chunks cannot be computed elsewhere; the message says why and what to do."""


def mapper_in_force() -> Mapper | None:
    """The map that takes the place of local threads; None where there is none."""
    return _in_force.get()


@contextmanager
def mapped_by(mapper: Mapper | None) -> Iterator[None]:
    """Context in which `map_chunks` gives chunks that may be computed anywhere to this map; None: to local threads."""
    token = _in_force.set(mapper)
    try:
        yield
    finally:
        _in_force.reset(token)
